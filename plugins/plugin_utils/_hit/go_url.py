# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read URLs as programs in Go read them, which is stricter than Python.

Source: Go 1.26 net/url (Parse), confirmed by the recordings of containerd's hosts.toml.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import unquote

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*\Z")
_HOST = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::([0-9]*))?\Z")
_NOT_IN_HOST = re.compile(r"[ #%/?@\\^`{|}]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class GoUrl(t.NamedTuple):
    """The parts of a URL.

    :ivar scheme: in lower case; empty without one.
    :ivar host: with its port, without credentials; empty without one.
    :ivar path: decoded.
    """

    scheme: str
    host: str
    path: str


def parse_go_url(text: str) -> GoUrl:
    """Return the parts of a URL.

    :raises ValueError: if a program in Go rejects it.
    """
    if _CONTROL.search(text):
        raise ValueError("it contains a control character")
    scheme, after_scheme = _split_scheme(text.partition("#")[0])
    path = after_scheme.partition("?")[0]
    if not path.startswith("/"):
        if scheme:
            return GoUrl(scheme, "", "")  # Go calls what follows opaque.
        if ":" in path.partition("/")[0]:
            raise ValueError("it contains a colon before the first slash, but no scheme")
    authority = ""
    if path.startswith("//"):
        authority, slash, below = path[2:].partition("/")
        path = slash + below
    if _BAD_ESCAPE.search(path):
        raise ValueError("it contains a % that is not followed by two hexadecimal digits")
    return GoUrl(scheme, _host(authority), unquote(path))


def _split_scheme(url: str) -> tuple[str, str]:
    match = _SCHEME.match(url)
    return (match.group(1).lower(), url[match.end() :]) if match else ("", url)


def _host(authority: str) -> str:
    """Return host and port.

    :raises ValueError: if a program in Go rejects them.
    """
    user, _at, host = authority.rpartition("@")
    if not _USER.match(user):
        raise ValueError("its credentials contain a character that must be escaped")
    if not _HOST.match(host) or _NOT_IN_HOST.search(host):
        raise ValueError("its host or port is not valid")
    return host
