# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove query parameters from a URL in the same way as Dragonfly's Go programs and its Rust client before hashing."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import quote, quote_from_bytes, unquote, unquote_to_bytes

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)\Z", re.DOTALL)
_GO_HOST = re.compile(r"[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"\x80-\U0010ffff]*\Z")
_GO_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*\Z")
_GO_PATH = "-_.~$&+,/:;=@"
_GO_FRAGMENT = "-_.~!$&()*+,/:;=?@"
# Characters in a path or a fragment that Go keeps besides those that it writes itself (net/url validEncoded).
_GO_VALID = re.compile(r"[A-Za-z0-9\-_.~!$&'()*+,;=:@\[\]%/?]*\Z")

_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
_FRAGMENT_SAFE = "!#$%&'()*+,-./:;=?@[\\]^_{|}~"
_PATH_SAFE = "!$%&'()*+,-./:;=@[]^_|~"
#: URLs whose serialization is certain: no control characters, backslashes or non-ASCII names.
_PLAIN_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<userinfo>[\w.~!$&'()*+,-]+(?::[\w.~!$&'()*+,-]+)?@)?"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#\\]*)?(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?\Z",
    re.ASCII,
)
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?:/|\Z)", re.IGNORECASE)
_UNCERTAIN = "it is not a plain URL, so its task ID cannot be predicted"


# Go


class _GoUrl(t.NamedTuple):
    """The parts of a URL as Go's url.Parse and URL.String serialize them.

    :ivar scheme: including ``://``.
    :ivar has_question_mark: whether Go keeps a ``?`` with an empty query.
    :ivar fragment: including ``#``, or an empty text.
    """

    scheme: str
    authority: str
    path: str
    query: str
    has_question_mark: bool
    fragment: str

    def with_query(self, query: str) -> str:
        """Return the URL with another query."""
        question_mark = "?" if query or self.has_question_mark else ""
        return "".join([self.scheme, self.authority, self.path, question_mark, query, self.fragment])


def filter_go(url: str, names: t.Collection[str]) -> str:
    """Return a URL without some of its query parameters, as the Go programs hash it.

    Without names, the URL is unchanged. With names, the remaining parameters are sorted by key and encoded again, even
    if the URL contains none of the names. A ``?`` with an empty query stays.

    Source: dragonflyoss/dragonfly v2.0.9 to v2.5.1, pkg/net/url/url.go (FilterQuery, FilterQueryParams), with Go's
    net/url.

    :param names: exact and case-sensitive.
    :returns: an empty text if Go cannot parse the URL, because Go then hashes an empty text.
    """
    if not names:
        return url
    try:
        parts = _parse_go(url)
    except ValueError:
        return ""
    pairs = [pair for pair in _go_pairs(parts.query) if pair[0].decode("utf-8", "surrogateescape") not in names]
    pairs.sort(key=lambda pair: pair[0])
    query = "&".join(f"{_quote_go(key)}={_quote_go(value)}" for key, value in pairs)
    return parts.with_query(query)


def _go_pairs(query: str) -> t.Iterator[tuple[bytes, bytes]]:
    """Yield the parameters of a query that Go can parse."""
    for piece in query.split("&"):
        key, _equals, value = piece.partition("=")
        if piece and ";" not in piece and not _BAD_ESCAPE.search(piece):
            yield _unquote_plus(key), _unquote_plus(value)


def _parse_go(url: str) -> _GoUrl:
    """Return the parts of a URL.

    :raises ValueError: if Go returns an error, or the URL has no authority.
    """
    match = _ABSOLUTE.match(url)
    if not match or _CONTROL.search(url):
        raise ValueError("it is not an absolute URL, or contains a control character")
    before_fragment, _hash, fragment = match.group(2).partition("#")
    has_question_mark = before_fragment.endswith("?") and before_fragment.count("?") == 1
    place, _question_mark, query = before_fragment.partition("?")
    if _BAD_ESCAPE.search(place) or _BAD_ESCAPE.search(fragment):
        raise ValueError("a bad escape")
    netloc, slash, path = place.partition("/")
    return _GoUrl(
        match.group(1).lower() + "://",
        _authority_go(netloc),
        _escape_go(slash + path, _GO_PATH),
        query,
        has_question_mark,
        "#" + _escape_go(fragment, _GO_FRAGMENT) if fragment else "",
    )


def _authority_go(netloc: str) -> str:
    userinfo, at, host = netloc.rpartition("@")
    if at and not _GO_USERINFO.match(userinfo):
        raise ValueError("bad user info")
    if at:
        name, colon, password = userinfo.partition(":")
        userinfo = _quote_user_go(name) + colon + _quote_user_go(password)
    if not re.match(r"(?::[0-9]*)?\Z", _port_go(host)):
        raise ValueError("bad port")
    # In a host, only non-ASCII bytes may be escaped.
    if re.search(r"%[0-7]", host) or not _GO_HOST.match(unquote(host, errors="surrogateescape")):
        raise ValueError("bad host")
    host = quote_from_bytes(unquote_to_bytes(host), safe="-_.~!$&'()*+,;=:[]<>\"")
    return userinfo + at + host


def _port_go(host: str) -> str:
    """Return the port of a host including its colon."""
    if not host.startswith("["):
        return host[host.rindex(":") :] if ":" in host else ""
    address, bracket, port = host.rpartition("]")
    if not bracket or "%" in address:
        raise ValueError("bad address")
    return port


def _quote_user_go(text: str) -> str:
    return quote_from_bytes(unquote_to_bytes(text), safe="-_.~$&+,;=")


def _escape_go(text: str, safe: str) -> str:
    return text if _GO_VALID.match(text) else quote_from_bytes(unquote_to_bytes(text), safe=safe)


def _unquote_plus(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " "))


def _quote_go(content: bytes) -> str:
    return quote_from_bytes(content, safe="-_.~ ").replace(" ", "+")


# Rust


def filter_rust(url: str, names: t.Collection[str]) -> str:
    """Return a URL without some of its query parameters, as the Rust client hashes it.

    The URL is parsed and serialized as WHATWG defines: the host in lower case, no default port, no ``?`` with an empty
    query. The remaining parameters keep their order.

    Source: dragonflyoss/client v0.1.114 to v1.5.1, dragonfly-client-util/src/id_generator/mod.rs (task_id), with the
    crate url.

    :param names: exact and case-sensitive.
    :raises ValueError: if the client rejects the URL, or its serialization is not certain.
    """
    scheme, authority, path, query, fragment = _parse_whatwg(url)
    pairs = [(key, value) for key, value in _rust_pairs(query) if key not in names]
    query = "&".join(f"{_quote_rust(key)}={_quote_rust(value)}" for key, value in pairs)
    question_mark = "?" if pairs else ""
    text = f"{scheme}://{authority}{path}{question_mark}{query}{fragment}"
    return text.rstrip("/") if path == "/" else text


def _rust_pairs(query: str) -> t.Iterator[tuple[str, str]]:
    for piece in query.split("&"):
        key, _equals, value = piece.partition("=")
        if piece:
            yield _unquote_plus(key).decode("utf-8", "replace"), _unquote_plus(value).decode("utf-8", "replace")


def _quote_rust(text: str) -> str:
    return quote(text, safe="*-._ ").replace("~", "%7E").replace(" ", "+")


def _parse_whatwg(url: str) -> tuple[str, str, str, str, str]:
    """Return scheme, authority, path, query (raw) and fragment (with its #) as the WHATWG URL standard serializes them.

    Only common URLs are supported: predicting the result for unusual ones is not worth the code.

    :raises ValueError: if the result is not certain, or the Rust client rejects the URL.
    """
    parts = _split_plain(url)
    scheme = parts["scheme"].lower()
    is_special = scheme in _DEFAULT_PORTS
    host = _host_whatwg(parts["host"], is_special)
    authority = parts["userinfo"] + host + _port_whatwg(parts["port"], scheme)
    path = parts["path"] or ("/" if is_special else "")
    fragment = quote(parts["fragment"], safe=_FRAGMENT_SAFE)
    return scheme, authority, quote(path, safe=_PATH_SAFE), parts["query"], fragment


def _split_plain(url: str) -> dict[str, str]:
    """Return the parts of a URL by name, each empty if it is missing.

    :raises ValueError: if it is not certain how the standard rewrites the URL.
    """
    match = _PLAIN_URL.match(url)
    if match is None or url != url.strip() or _CONTROL.search(url):
        raise ValueError(_UNCERTAIN)
    parts = match.groupdict("")
    if _DOT_SEGMENT.search(parts["path"]):
        raise ValueError(_UNCERTAIN)
    return parts


def _port_whatwg(port: str, scheme: str) -> str:
    """Return a port with its colon, empty for the scheme's own."""
    if not port:
        return ""
    if int(port) > 65535:
        raise ValueError("its port is too large")
    number = str(int(port))
    return "" if number == _DEFAULT_PORTS.get(scheme) else f":{number}"


def _host_whatwg(host: str, is_special: bool) -> str:
    """Return a host in serialized form.

    :raises ValueError: for numbers that are not a plain address, such as 0x7f.1.
    """
    if host.startswith("["):
        address = ipaddress.IPv6Address(host[1:-1])
        if address.ipv4_mapped:
            raise ValueError(_UNCERTAIN)
        return f"[{address.compressed}]"
    if not is_special:
        return host
    if re.match(r"(?:[0-9]+|0x[0-9a-f]*)\Z", host.lower().rstrip(".").rpartition(".")[2]):
        return str(ipaddress.IPv4Address(host))
    return host.lower()
