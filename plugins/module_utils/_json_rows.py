# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a JSON list row by row, so that a page of huge jobs is never held whole.

PRIVATE to the collection.
"""

from __future__ import annotations

import json

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import GarbledError

# Between two rows of a list of objects that start with their id, as the manager writes them. It can also stand inside a
# row; then the piece before it is no JSON and reading goes on to the next one.
_BETWEEN = b'},{"id":'


def rows(chunks, request):
    """The elements of a JSON list, one after the other.

    :param chunks: iterable of bytes, the body.
    :param request: verb and path, for the error.
    :raises GarbledError: if the body is no JSON list of objects (``null`` is an empty one: manager-api T29).
    """
    buffer = bytearray()
    started = False
    start = search = 0
    for chunk in chunks:
        buffer += chunk
        if not started:
            stripped = bytes(buffer[:64]).lstrip()
            if not stripped:
                continue
            if stripped[:1] != b"[":
                continue
            start = search = buffer.index(b"[") + 1
            started = True
        while True:
            at = buffer.find(_BETWEEN, search)
            if at < 0:
                search = max(start, len(buffer) - len(_BETWEEN))
                break
            try:
                row = json.loads(bytes(buffer[start : at + 1]))
            except (ValueError, RecursionError):
                search = at + 1
                continue
            yield _object(row, request)
            # A large row is not held while the next one is read.
            row = None
            del buffer[: at + 2]
            start = search = 0
    yield from _rest(buffer, start, started, request)


def _rest(buffer, start, started, request):
    try:
        if started:
            last = json.JSONDecoder().raw_decode("[" + bytes(buffer[start:]).decode("utf-8", "replace"))[0]
        else:
            last = json.JSONDecoder().raw_decode(bytes(buffer).decode("utf-8", "replace").lstrip())[0]
    except (ValueError, RecursionError):
        raise GarbledError(f"{request}: the answer is not JSON that can be read.", "garbled", request) from None
    if last is None:
        last = []
    if not isinstance(last, list):
        raise GarbledError(f"{request}: the answer is no list.", "garbled", request)
    for row in last:
        yield _object(row, request)


def _object(row, request):
    if not isinstance(row, dict):
        raise GarbledError(f"{request}: the answer is no list of objects.", "garbled", request)
    return row
