# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute task IDs as each release of each part of Dragonfly does. Sends no requests.

A host hits preheated content only if its client and that of the seed peer compute the same ID. Two repositories compute
IDs: dragonflyoss/dragonfly (Go: manager, scheduler, and up to 2.3.4 the client dfget) and dragonflyoss/client (Rust:
dfdaemon).
"""

from __future__ import annotations

import hashlib
import typing as t

from ._query_filters import filter_go, filter_rust
from ._release import NEWEST as NEWEST_MANAGER
from ._release import Release

_TASK_TYPE = "STANDARD"


class Recipe(t.NamedTuple):
    """The way a range of releases computes an ID: the SHA-256 of the filtered URL followed by some inputs.

    :ivar name: name in the list of recipes.
    :ivar query_filter: ``filter_go`` or ``filter_rust``.
    :ivar inputs: names of the inputs after the URL in order; empty inputs add nothing.
    :ivar typed: whether the type of the task is the last input.
    :ivar default_piece_length: input if no piece length is set.
    """

    name: str
    query_filter: t.Callable[[str, t.Collection[str]], str]
    inputs: tuple[str, ...]
    typed: bool = False
    default_piece_length: str = ""

    def task_id(self, url: str, filtered_query_params: t.Collection[str] = (), **values: str | int | None) -> str:
        """Return the ID of a URL, 64 hexadecimal digits.

        :param filtered_query_params: names of query parameters to omit.
        :param values: ``tag``, ``application``, ``digest``, ``byte_range`` (without ``bytes=``), ``revision`` and
            ``piece_length`` (int, in bytes); None is the same as empty. Inputs that the recipe does not use are
            ignored, as the programs that use the recipe do.
        :raises ValueError: if the URL is not valid for a Rust client.
        """
        texts = [self.query_filter(url, filtered_query_params)]
        for name in self.inputs:
            default = self.default_piece_length if name == "piece_length" else ""
            value = values.get(name)
            texts.append(default if value is None else str(value))
        if self.typed:
            texts.append(_TASK_TYPE)
        return _sha256("".join(texts))

    def uses(self, name: str) -> bool:
        """Return whether an input is part of the ID."""
        return name in self.inputs


#: The recipes by name. Source of each: the file pkg/idgen/task_id.go of dragonflyoss/dragonfly (D) and
#: dragonfly-client-util/src/id_generator/mod.rs of dragonflyoss/client (C).
#:
#: * V1: D v2.0.9 to v2.5.1 TaskIDV1, used by every Go client (up to v2.3.4).
#: * V2a: D v2.0.9 to v2.1.54 TaskIDV2. V2b: D v2.1.55 to v2.1.61.
#: * V2c: D v2.1.62 to v2.2.0; C v0.1.114 to v0.2.12. V2d: D v2.2.1 to v2.2.2; C v0.2.13 to v0.2.27.
#: * V2e: D v2.2.3 to v2.4.2; C v0.2.28 to v1.2.11.
#: * V2f: D v2.4.3 to v2.5.1; C from v1.2.15. V2f_early: C v1.2.12 to v1.2.14, the revision after the piece length.
_GO_RECIPES = {
    "V1": Recipe("V1", filter_go, ("digest", "byte_range", "tag", "application")),
    "V2a": Recipe("V2a", filter_go, ("digest", "tag", "application", "piece_length"), default_piece_length="0"),
    "V2b": Recipe("V2b", filter_go, ("digest", "tag", "application")),
}
_V2 = {
    "V2c": (("tag", "application"), False),
    "V2d": (("tag", "application", "piece_length"), False),
    "V2e": (("tag", "application", "piece_length"), True),
    "V2f_early": (("tag", "application", "piece_length", "revision"), True),
    "V2f": (("tag", "application", "revision", "piece_length"), True),
}
RECIPES = {
    "go": dict(_GO_RECIPES, **{name: Recipe(name, filter_go, *how) for name, how in _V2.items()}),
    "rust": {name: Recipe(name, filter_rust, *how) for name, how in _V2.items()},
}

# First release of each recipe, newest first.
_LINES = {
    "dfget": ("go", (((0,), "V1"),)),
    "dfdaemon": (
        "rust",
        (
            ((1, 2, 15), "V2f"),
            ((1, 2, 12), "V2f_early"),
            ((0, 2, 28), "V2e"),
            ((0, 2, 13), "V2d"),
            ((0, 1, 114), "V2c"),
        ),
    ),
    "scheduler": (
        "go",
        (
            ((2, 4, 3), "V2f"),
            ((2, 2, 3), "V2e"),
            ((2, 2, 1), "V2d"),
            ((2, 1, 62), "V2c"),
            ((2, 1, 55), "V2b"),
            ((0,), "V2a"),
        ),
    ),
}

#: The client of most new installations, for callers that do not know the release.
NEWEST = {"dfget": (2, 3, 4), "dfdaemon": (1, 5, 1), "scheduler": NEWEST_MANAGER}


def recipe_for(client: str, release: Release | None = None) -> Recipe | None:
    """Return the recipe of a release.

    :param client: ``dfget`` (Go client and Go seed peer), ``dfdaemon`` (Rust client and Rust seed peer) or
        ``scheduler`` (manager and scheduler).
    :param release: None for the newest.
    :returns: None for a dfdaemon before 0.1.114, whose IDs differ from those of all other releases: it hashed a ``?``
        with an empty query, and up to 0.1.98 it kept the parameters that it should have removed.
    :raises ValueError: if the client is unknown.
    """
    if client not in _LINES:
        raise ValueError(f"{client!r} is not a valid client: use one of {', '.join(sorted(_LINES))}")
    language, lines = _LINES[client]
    for since, name in lines:
        if release is None or tuple(release) >= since:
            return RECIPES[language][name]
    return None


_DIGEST_LENGTHS = {"crc32": 10, "sha256": 64, "sha512": 128}


def blob_digest_id(url: str) -> str | None:
    """Return the ID of a blob with ``proxy.registryMirror.enableTaskIDBasedBlobDigest``: its digest without prefix.

    Source: dragonflyoss/client v1.1.4 to v1.5.1, dragonfly-client-util/src/digest/mod.rs (extract_from_blob_url).
    Managers and schedulers up to v2.5.1 do not compute such IDs.

    :returns: None if the URL is not that of a blob.
    """
    # Equivalent to upstream's greedy ^(.*)://(.*)/v2/(.*)/blobs/([^?]+)(?:\?.*)?$, but in linear time.
    place = url.rfind("/blobs/")
    while place >= 0 and url[place + 7 : place + 8] in ("", "?"):
        place = url.rfind("/blobs/", 0, place + 6)
    if place < 0 or "://" not in url[: max(0, url.rfind("/v2/", 0, place))]:
        return None
    algorithm, _colon, encoded = url[place + 7 :].partition("?")[0].partition(":")
    return encoded if len(encoded) == _DIGEST_LENGTHS.get(algorithm) else None


def content_id(content: str) -> str:
    """Return the ID of a task with a given content for the ID (``X-Dragonfly-Content-For-Calculating-Task-ID``).

    Source: dragonflyoss/client v0.2.25 to v1.5.1, dragonfly-client-util/src/id_generator/mod.rs; dragonflyoss/dragonfly
    v2.2.3 to v2.5.1, pkg/idgen/task_id.go (TaskIDV2ByContent).
    """
    return _sha256(content)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
