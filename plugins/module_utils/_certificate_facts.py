# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about the certificate and key files named in containerd's files: whether they can be read, what they hold.

Runs on the host with the standard library only, and changes nothing. The content of the files does not leave the host.
"""

from __future__ import annotations

import os
import re
from typing import Any

from ._host import Host

_MAX_FILES = 100
# Matches generously: extra paths do no harm, because the controller parses the files.
_VALUE = re.compile(r"""(?i)\b(?:ca|client|(?:ca|cert|key)_file)["']?[ \t]*=(?=([^=]{1,8192}))""")
_STRING = re.compile(r"""(?:"([^"\n]+)"|'([^'\n]+)')""")
_CERTIFICATE = re.compile(r"(?m)^-----BEGIN CERTIFICATE-----")
# An encrypted key requires a password, for which hosts.toml has no setting.
_KEY = re.compile(r"(?m)^-----BEGIN (?:(?!ENCRYPTED)[A-Z0-9]+ )?PRIVATE KEY-----(?!\s*Proc-Type:[^\n]*ENCRYPTED)")


def certificate_files(host: Host, directory: str, text: str) -> dict[str, dict[str, Any]]:
    """Return facts about the files that ``ca`` and ``client``, or the keys of a table ``tls``, may name, by path.

    :param directory: directory to which paths are relative.
    :param text: hosts.toml or config.toml, without comments.
    :returns: for each path ``error`` (None if the file can be read) and ``holds`` (a list of ``certificate`` and
        ``key``).
    """
    values = "\n".join(_VALUE.findall(text))
    names = dict.fromkeys(double or single for double, single in _STRING.findall(values))
    paths = [absolute_path(directory, name) for name in names if "://" not in name]
    return {path: _certificate_file(host, path) for path in paths[:_MAX_FILES]}


def absolute_path(directory: str, name: str) -> str:
    """Return the path of a file named in a configuration, as containerd resolves it."""
    return name if os.path.isabs(name) else os.path.normpath(os.path.join(directory, name))


def _certificate_file(host: Host, path: str) -> dict[str, Any]:
    file = host.file(path, str)
    error = "it does not exist" if file["text"] is None and not file["error"] else file["error"]
    patterns = {"certificate": _CERTIFICATE, "key": _KEY}
    return {"error": error, "holds": [kind for kind, pattern in patterns.items() if pattern.search(file["text"] or "")]}
