# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive the kind of a package or archive, and the release of its daemon, from its name."""

from __future__ import annotations

import posixpath
import re

_RELEASE = re.compile(r"(?<![0-9])[0-9]+\.[0-9]+\.[0-9]+")
_ARCHIVE = re.compile(r"\.(tar\.[a-z0-9]+|tgz)\Z")


def source(given: str) -> dict[str, str]:
    """Return the file name of the package or archive, and its kind: ``deb``, ``rpm``, ``archive`` or ``name``.

    :param given: a URL, a path, or the name of a package. The query of a URL is omitted, because it may be secret.
    """
    scheme, mark, place = given.partition("://")
    name = posixpath.basename(scheme + mark + (re.split("[?#]", place, maxsplit=1)[0] if mark else ""))
    kinds = {"deb": name.endswith(".deb"), "rpm": name.endswith(".rpm"), "archive": bool(_ARCHIVE.search(name))}
    return {"name": name, "kind": next((kind for kind, applies in kinds.items() if applies), "name")}


def release(given: str, file_name: str, output: str) -> str:
    """Return the release of a daemon, empty if unknown.

    :param given: release set by the user.
    :param file_name: file name of the package or archive.
    :param output: output of the installed program with its release.
    """
    if given:
        return given.removeprefix("v")
    return find_release(file_name, output)


def find_release(*texts: str) -> str:
    """Return the first release in the texts, or an empty text."""
    matches = filter(None, map(_RELEASE.search, texts))
    return next((match.group() for match in matches), "")
