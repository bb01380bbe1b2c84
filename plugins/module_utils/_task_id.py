# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task ids: what each release of each part of Dragonfly calls a URL. No requests.

A host hits what was preheated only where the client of the seed peer and that of the host come to the same id. Two
repositories compute it: dragonflyoss/dragonfly (Go: manager, scheduler, and up to 2.3.4 the client dfget) and
dragonflyoss/client (Rust: dfdaemon).

PRIVATE to the collection.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from urllib.parse import quote, quote_from_bytes, unquote, unquote_to_bytes

#: Query parameters that do not identify content where nobody says otherwise. Source: dragonflyoss/client v0.1.116 to
#: v1.5.1 (dragonfly-client-util/src/http/query_params.rs and its forerunners) and dragonflyoss/dragonfly v2.1.62 to
#: v2.5.1 (pkg/idgen/task_id.go DefaultFilteredQueryParams). Before client v0.1.116 it lacks ``ns``.
DEFAULT_FILTERED_QUERY_PARAMS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Goog-Algorithm",
    "X-Goog-Credential",
    "X-Goog-Date",
    "X-Goog-Expires",
    "X-Goog-SignedHeaders",
    "X-Goog-Signature",
    "OSSAccessKeyId",
    "Expires",
    "Signature",
    "SecurityToken",
    "AccessKeyId",
    "X-Obs-Date",
    "X-Obs-Security-Token",
    "q-sign-algorithm",
    "q-ak",
    "q-sign-time",
    "q-key-time",
    "q-header-list",
    "q-url-param-list",
    "q-signature",
    "x-cos-security-token",
    "ns",
)

_TASK_TYPE = "STANDARD"


# The two ways to take parameters out of a URL


def filter_go(url, names):
    """A URL without some of its query parameters, as the Go parts hash it.

    Without names the URL is left alone. With names the rest of the query is sorted by key and written anew, also where
    none of the names is in it; a ``?`` with nothing behind it stays.

    Source: dragonflyoss/dragonfly v2.0.9 to v2.5.1, pkg/net/url/url.go (FilterQuery, FilterQueryParams), with Go's
    net/url.

    :param url: str.
    :param names: list of str, exact and case-sensitive.
    :returns: str; empty where Go cannot parse the URL, which is then hashed as nothing.
    """
    if not names:
        return url
    try:
        scheme, authority, path, query, force, fragment = _parse_go(url)
    except ValueError:
        return ""
    pairs = []
    for piece in query.split("&"):
        if not piece or ";" in piece:
            continue
        key, dummy, value = piece.partition("=")
        if _BAD_ESCAPE.search(key) or _BAD_ESCAPE.search(value):
            continue
        key, value = _unquote_plus(key), _unquote_plus(value)
        if key.decode("utf-8", "surrogateescape") not in names:
            pairs.append((key, value))
    pairs.sort(key=lambda pair: pair[0])
    query = "&".join(f"{_quote_go(key)}={_quote_go(value)}" for key, value in pairs)
    return "".join([scheme, authority, path, "?" if query or force else "", query, fragment])


_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)\Z", re.DOTALL)
_GO_HOST = re.compile(r"[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"\x80-\U0010ffff]*\Z")
_GO_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*\Z")
_GO_PATH = "-_.~$&+,/:;=@"
_GO_FRAGMENT = "-_.~!$&()*+,/:;=?@"
# What Go leaves as it stands in a path or a fragment, beyond what it would write itself (net/url validEncoded).
_GO_VALID = re.compile(r"[A-Za-z0-9\-_.~!$&'()*+,;=:@\[\]%/?]*\Z")


def _parse_go(url):
    """The parts of a URL as Go's url.Parse and URL.String write them: scheme, authority, path, query, whether a lone ?
    stays, fragment.

    :raises ValueError: where Go gives an error, and for URLs without an authority.
    """
    match = _ABSOLUTE.match(url)
    if not match or re.search(r"[\x00-\x1f\x7f]", url):
        raise ValueError("no absolute URL, or a control character")
    rest, dummy, fragment = match.group(2).partition("#")
    force = rest.endswith("?") and rest.count("?") == 1
    rest, dummy, query = rest.partition("?")
    if _BAD_ESCAPE.search(rest) or _BAD_ESCAPE.search(fragment):
        raise ValueError("a bad escape")
    netloc, slash, path = rest.partition("/")
    fragment = "#" + _escaped_go(fragment, _GO_FRAGMENT) if fragment else ""
    return (
        match.group(1).lower() + "://",
        _authority_go(netloc),
        _escaped_go(slash + path, _GO_PATH),
        query,
        force,
        fragment,
    )


def _authority_go(netloc):
    userinfo, at, host = netloc.rpartition("@")
    if at and not _GO_USERINFO.match(userinfo):
        raise ValueError("bad user info")
    if at:
        name, colon, password = userinfo.partition(":")
        userinfo = _user_go(name) + colon + _user_go(password)
    if host.startswith("["):
        inner, bracket, port = host.rpartition("]")
        if not bracket or "%" in inner:
            raise ValueError("bad address")
    else:
        colon = host.rfind(":")
        port = host[colon:] if colon >= 0 else ""
    if not re.match(r"(?::[0-9]*)?\Z", port):
        raise ValueError("bad port")
    # In a host only bytes outside ASCII may be escaped.
    if re.search(r"%[0-7]", host) or not _GO_HOST.match(unquote(host, errors="surrogateescape")):
        raise ValueError("bad host")
    host = quote_from_bytes(unquote_to_bytes(host), safe="-_.~!$&'()*+,;=:[]<>\"")
    return userinfo + at + host


def _user_go(text):
    return quote_from_bytes(unquote_to_bytes(text), safe="-_.~$&+,;=")


def _escaped_go(text, safe):
    return text if _GO_VALID.match(text) else quote_from_bytes(unquote_to_bytes(text), safe=safe)


def _unquote_plus(text):
    return unquote_to_bytes(text.replace("+", " "))


def _quote_go(data):
    return quote_from_bytes(data, safe="-_.~ ").replace(" ", "+")


def filter_rust(url, names):
    """A URL without some of its query parameters, as the Rust client hashes it.

    The URL is always parsed and written anew as WHATWG says: the host in lower case, no default port, no ``?`` with
    nothing behind it. The rest of the query keeps its order.

    Source: dragonflyoss/client v0.1.114 to v1.5.1, dragonfly-client-util/src/id_generator/mod.rs (task_id), with the
    crate url.

    :param url: str.
    :param names: list of str, exact and case-sensitive.
    :raises ValueError: if the client rejects the URL, or what it makes of it is not certain.
    """
    scheme, authority, path, query, fragment = _parse_whatwg(url)
    pairs = []
    for piece in query.split("&"):
        if not piece:
            continue
        key, dummy, value = piece.partition("=")
        key = _unquote_plus(key).decode("utf-8", "replace")
        if key not in names:
            pairs.append(f"{_quote_rust(key)}={_quote_rust(_unquote_plus(value).decode('utf-8', 'replace'))}")
    text = f"{scheme}://{authority}{path}{'?' + '&'.join(pairs) if pairs else ''}{fragment}"
    return text.rstrip("/") if path == "/" and text.endswith("/") else text


_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
_FRAGMENT_SAFE = "!#$%&'()*+,-./:;=?@[\\]^_{|}~"
_PATH_SAFE = "!$%&'()*+,-./:;=@[]^_|~"
#: URLs that are written anew in a way that is certain: no control characters, backslashes or names outside ASCII.
_PLAIN_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<userinfo>[\w.~!$&'()*+,-]+(?::[\w.~!$&'()*+,-]+)?@)?"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#\\]*)?(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?\Z",
    re.ASCII,
)
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?:/|\Z)", re.IGNORECASE)


def _quote_rust(text: str) -> str:
    return quote(text, safe="*-._ ").replace("~", "%7E").replace(" ", "+")


def _parse_whatwg(url: str) -> tuple[str, str, str, str, str]:
    """Return scheme, authority, path, query (raw) and fragment (with its #) as the WHATWG URL standard serializes them.

    Only URLs as they occur are read: what the standard changes in odd ones is not worth predicting.

    :raises ValueError: if the result is not certain, or the Rust client rejects the URL.
    """
    match = _PLAIN_URL.match(url)
    path = (match.group("path") if match else None) or ""
    if not match or url != url.strip() or re.search(r"[\x00-\x1f\x7f]", url) or _DOT_SEGMENT.search(path):
        raise ValueError("it is not a plain URL, so its task ID cannot be predicted")
    scheme, port = match.group("scheme").lower(), match.group("port") or ""
    if port and int(port) > 65535:
        raise ValueError("its port is too large")
    is_special = scheme in _DEFAULT_PORTS
    port = "" if not port or str(int(port)) == _DEFAULT_PORTS.get(scheme) else f":{int(port)}"
    authority = (match.group("userinfo") or "") + _host_whatwg(match.group("host"), is_special) + port
    path = quote(path or ("/" if is_special else ""), safe=_PATH_SAFE)
    return (
        scheme,
        authority,
        path,
        match.group("query") or "",
        quote(match.group("fragment") or "", safe=_FRAGMENT_SAFE),
    )


def _host_whatwg(host: str, is_special: bool) -> str:
    """Return a host as it is serialized.

    :raises ValueError: for numbers that are not a plain address, such as 0x7f.1.
    """
    if host.startswith("["):
        address = ipaddress.IPv6Address(host[1:-1])
        if address.ipv4_mapped:
            raise ValueError("it is not a plain URL, so its task ID cannot be predicted")
        return f"[{address.compressed}]"
    if not is_special:
        return host
    if re.match(r"(?:[0-9]+|0x[0-9a-f]*)\Z", host.lower().rstrip(".").rpartition(".")[2]):
        return str(ipaddress.IPv4Address(host))
    return host.lower()


# Recipes


class Recipe:
    """How one line of releases makes an id: the SHA-256 of the filtered URL and some other inputs, one behind the
    other.

    :ivar name: as in this file's list (str).
    :ivar query_filter: ``filter_go`` or ``filter_rust``.
    :ivar inputs: names of what follows the URL, in order; an empty one adds nothing.
    :ivar typed: whether the kind of task ends it.
    """

    def __init__(self, name, query_filter, inputs, typed=False, defaults=None):
        self.name = name
        self.query_filter = query_filter
        self.inputs = inputs
        self.typed = typed
        self._defaults = defaults or {}

    def task_id(self, url, filtered_query_params=(), **values):
        """The id of a URL.

        :param url: str.
        :param filtered_query_params: names of query parameters that do not count (list of str).
        :param values: ``tag``, ``application``, ``digest``, ``byte_range`` (without ``bytes=``), ``revision`` (str) and
            ``piece_length`` (bytes, int); None and empty are the same. One that the recipe does not use is ignored, as
            the part that uses the recipe does.
        :returns: 64 hexadecimal digits (str).
        :raises ValueError: if the URL is none for a Rust client.
        """
        data = [self.query_filter(url, filtered_query_params)]
        for name in self.inputs:
            value = values.get(name)
            if value is None:
                value = self._defaults.get(name)
            data.append("" if value is None else str(value))
        if self.typed:
            data.append(_TASK_TYPE)
        return _sha256("".join(data))

    def uses(self, name):
        """Whether an input is part of the id."""
        return name in self.inputs


#: The recipes by name. Source of each: the file pkg/idgen/task_id.go of dragonflyoss/dragonfly (D) and
#: dragonfly-client-util/src/id_generator/mod.rs of dragonflyoss/client (C).
#:
#: * V1: D v2.0.9 to v2.5.1 TaskIDV1, used by every Go client (up to v2.3.4).
#: * V2a: D v2.0.9 to v2.1.54 TaskIDV2. V2b: D v2.1.55 to v2.1.61.
#: * V2c: D v2.1.62 to v2.2.0; C v0.1.114 to v0.2.12. V2d: D v2.2.1 to v2.2.2; C v0.2.13 to v0.2.27.
#: * V2e: D v2.2.3 to v2.4.2; C v0.2.28 to v1.2.11.
#: * V2f: D v2.4.3 to v2.5.1; C from v1.2.15. V2f_early: C v1.2.12 to v1.2.14, the revision behind the piece length.
_GO_RECIPES = {
    "V1": Recipe("V1", filter_go, ("digest", "byte_range", "tag", "application")),
    "V2a": Recipe("V2a", filter_go, ("digest", "tag", "application", "piece_length"), defaults={"piece_length": 0}),
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

#: The client line of each that a new installation most likely is of, for callers that do not know the release.
NEWEST = {"dfget": (2, 3, 4), "dfdaemon": (1, 5, 1), "scheduler": (2, 5, 1)}


def recipe_for(client, release=None):
    """The recipe that a release uses.

    :param client: ``dfget`` (Go client and Go seed peer), ``dfdaemon`` (Rust client and Rust seed peer) or
        ``scheduler`` (what the manager and the scheduler themselves compute).
    :param release: tuple of int; None for the newest.
    :returns: L(Recipe), or None for a dfdaemon before 0.1.114, which agrees with no other release: it hashed a ``?``
        with nothing behind it and up to 0.1.98 kept the parameters that it should have dropped.
    :raises ValueError: for another client.
    """
    if client not in _LINES:
        raise ValueError(f"{client!r} is no client: it is one of {', '.join(sorted(_LINES))}")
    language, lines = _LINES[client]
    for since, name in lines:
        if release is None or tuple(release) >= since:
            return RECIPES[language][name]
    return None


# Ids that are not made of the URL


_DIGEST_LENGTHS = {"crc32": 10, "sha256": 64, "sha512": 128}


def blob_digest_id(url):
    """The id of a blob where ``proxy.registryMirror.enableTaskIDBasedBlobDigest`` is true: the digest without its
    algorithm.

    Source: dragonflyoss/client v1.1.4 to v1.5.1, dragonfly-client-util/src/digest/mod.rs (extract_from_blob_url).
    Managers and schedulers do not make such ids up to v2.5.1.

    :param url: str.
    :returns: str, or None where the URL is none of a blob.
    """
    # As the greedy ^(.*)://(.*)/v2/(.*)/blobs/([^?]+)(?:\?.*)?$ of upstream, but in linear time.
    place = url.rfind("/blobs/")
    while place >= 0 and url[place + 7 : place + 8] in ("", "?"):
        place = url.rfind("/blobs/", 0, place + 6)
    if place < 0 or "://" not in url[: max(0, url.rfind("/v2/", 0, place))]:
        return None
    algorithm, dummy, encoded = url[place + 7 :].partition("?")[0].partition(":")
    return encoded if len(encoded) == _DIGEST_LENGTHS.get(algorithm) else None


def content_id(content):
    """The id of a task whose content for it is given (``X-Dragonfly-Content-For-Calculating-Task-ID``).

    Source: dragonflyoss/client v0.2.25 to v1.5.1, dragonfly-client-util/src/id_generator/mod.rs; dragonflyoss/dragonfly
    v2.2.3 to v2.5.1, pkg/idgen/task_id.go (TaskIDV2ByContent).

    :param content: str.
    """
    return _sha256(content)


def _sha256(text):
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
