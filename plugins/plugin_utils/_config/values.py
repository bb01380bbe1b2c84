# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types of settings: the values that each program accepts as a duration, a size, an address and so on.

Like the programs, this module rejects numbers and booleans in quotes. It is stricter in one point: it rejects a number
for a string, which the programs accept.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import urlsplit

from ...module_utils._regex import regex_error

_Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

#: The language of each program, whose libraries read its configuration and compile its regular expressions.
LANGUAGE = {"dfget": "go", "dfdaemon": "rust", "manager": "go", "scheduler": "go"}

GREATEST_PORT = 65535

#: Keys of the mappings of these types. Clients silently ignore other keys.
FIELDS = {"addresses": ("type", "addr"), "ports": ("start", "end")}

_GO_UNITS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_GO_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
# The crate humantime, src/duration.rs.
_RUST_UNITS = {
    1e-9: "nanos nsec ns",
    1e-6: "usec us \u00b5s",
    1e-3: "millis msec ms",
    1.0: "seconds second secs sec s",
    60.0: "minutes minute min mins m",
    3600.0: "hours hour hrs hr h",
    86400.0: "days day d",
    604800.0: "weeks week wks wk w",
    2630016.0: "months month M",
    31557600.0: "years year yrs yr y",
}
_RUST_SECONDS = {unit: seconds for seconds, units in _RUST_UNITS.items() for unit in units.split()}
_RUST_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z\u00b5]+)\s*")
#: The first Rust client with humantime 2.4.0, which reads fractions, and 0 without a unit.
_FIRST_WITH_FRACTIONS = (1, 4, 1)
# Nanoseconds in 63 bits, seconds in 64 bits; bytes in 63 bits.
_MAX_SECONDS = {"go": 2**63 / 1e9, "rust": 2.0**64}
_MAX_BYTES = 2**63
_MAX_RUST_BYTES = 2**64 - 1
# docker/go-units reads E, the crate bytesize 1.3 does not.
_SIZE = {
    "go": re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgtpe])(i?))?b?\Z", re.IGNORECASE),
    "rust": re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(?:([kmgtp])(i?)b?|b)\Z", re.IGNORECASE),
}
_PREFIXES = ("", "k", "m", "g", "t", "p", "e")
_AUTHORITY = re.compile(r"[^\s/?#]+\Z")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*\Z")


def parse_duration(value: t.Any, client: str, release: tuple[int, ...] | None = None) -> float | None:
    """Return a duration in seconds as a client reads it, None if the client cannot read it.

    :param value: string such as ``6h``, or 0. The Go client reads other bare numbers as nanoseconds, which is never
        intended.
    :param client: ``dfget`` or ``dfdaemon``.
    :param release: release of the client, None if unknown.
    """
    if value == 0 and _is_int(value):
        value = "0"
    if not isinstance(value, str):
        return None
    return _parse_go_duration(value) if LANGUAGE[client] == "go" else _parse_rust_duration(value, release)


def _parse_rust_duration(text: str, release: tuple[int, ...] | None) -> float | None:
    is_old = release is not None and release < _FIRST_WITH_FRACTIONS
    if is_old and (text == "0" or "." in text):
        return None
    return 0.0 if text == "0" else _sum_parts(text, "rust", _RUST_PART, _RUST_SECONDS)


def _parse_go_duration(text: str) -> float | None:
    unsigned = text.lstrip("+-")
    seconds = 0.0 if unsigned == "0" else _sum_parts(unsigned, "go", _GO_PART, _GO_UNITS)
    return -seconds if seconds and text.startswith("-") else seconds


def _sum_parts(text: str, language: str, part: re.Pattern[str], units: dict[str, float]) -> float | None:
    total, at = 0.0, 0
    while at < len(text):
        match = part.match(text, at)
        if not match or match.group(2) not in units:
            return None
        total += float(match.group(1)) * units[match.group(2)]
        at = match.end()
    return total if text and total < _MAX_SECONDS[language] else None


def parse_bytes(value: t.Any, client: str) -> int | None:
    """Return a size in bytes as a client reads it, None if the client cannot read it.

    :param value: int, or string such as ``1024Mi`` (``KB`` are 1024 bytes for the Go client, 1000 for the Rust
        client).
    """
    if _is_int(value):
        return value if LANGUAGE[client] == "go" or 0 <= value <= _MAX_RUST_BYTES else None
    return _parse_size(value, LANGUAGE[client]) if isinstance(value, str) else None


def _parse_size(text: str, language: str) -> int | None:
    match = _SIZE[language].match(f"{text}B" if text.isdecimal() else text)
    if not match:
        return None
    number, prefix, binary = match.groups("")
    base = 1024 if binary or language == "go" else 1000
    size = float(number) * base ** _PREFIXES.index(prefix.lower())
    if language == "rust":
        return int(min(size, _MAX_RUST_BYTES))  # Rust saturates.
    return int(size) if size < _MAX_BYTES else None


def is_loopback(address: str) -> bool:
    """Return whether only this host can reach a listener on an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def is_local_only(address: str) -> bool:
    """Return whether other hosts cannot connect to an address: it is a loopback address or stands for all addresses."""
    try:
        return ipaddress.ip_address(address).is_unspecified or is_loopback(address)
    except ValueError:
        return is_loopback(address.lower())


def may_reach(address: str, listener: str) -> bool:
    """Return whether a request to an address may reach a listener on this host. Return True if unknown.

    :param address: IP address or name, as in a URL.
    :param listener: address to which the listener is bound, empty for all addresses.
    """
    # Go tries each address of localhost.
    targets = ("127.0.0.1", "::1") if address == "localhost" else (address,)
    try:
        bound = ipaddress.ip_address(listener)
        return any(_reaches(ipaddress.ip_address(target), bound) for target in targets)
    except ValueError:
        return True


def _reaches(target: _Address, bound: _Address) -> bool:
    """Return whether connections to an address reach a listener on Linux, where ``::`` also accepts IPv4."""
    if bound.is_unspecified:
        return bound.version == 6 or target.version == 4
    if target.is_unspecified:
        return str(bound) == {4: "127.0.0.1", 6: "::1"}[target.version]
    return target == bound


def is_socket_address(text: str) -> bool:
    """Return whether a text is ``IP:PORT``, with an IPv6 address in brackets (Rust's SocketAddr)."""
    host, _colon, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not is_port_text(port, 0) or (":" in host and not is_bracketed):
        return False
    return _is_ip(host[1:-1] if is_bracketed else host) and is_bracketed == (":" in host)


def is_host_and_port(text: str) -> bool:
    """Return whether a text is ``HOST:PORT``, with an IPv6 address in brackets."""
    host, _colon, port = text.rpartition(":")
    has_host = _is_plain(host) and (":" not in host or (host.startswith("[") and host.endswith("]")))
    return has_host and is_port_text(port)


def is_listen_address(text: str) -> bool:
    """Return whether a text is an address that Go listens on: ``:PORT`` or ``HOST:PORT``."""
    return is_host_and_port(f"any{text}" if text.startswith(":") else text)


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``, without the brackets of an IPv6 address."""
    host, _colon, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def same_listener(first: tuple[str, int], second: tuple[str, int]) -> bool:
    """Return whether only one of two listeners can bind to its host and port on Linux.

    A host that is not an IP address, such as a name, may be any address.
    """
    if first[1] != second[1]:
        return False
    try:
        addresses = [ipaddress.ip_address(host) for host, _port in (first, second)]
    except ValueError:
        return True
    return addresses[0] == addresses[1] or any(address.is_unspecified for address in addresses)


def is_port_text(text: str, lowest: int = 1) -> bool:
    """Return whether a text is a port number."""
    return text.isascii() and text.isdigit() and len(text) < 6 and lowest <= int(text) <= GREATEST_PORT


def has_invalid_redirect(rule: dict[str, t.Any]) -> bool:
    """Return whether the Rust client cannot use the redirect of a rule of its proxy.

    Source: client v1.5.1 dragonfly-client/src/proxy/mod.rs (make_download_url).
    """
    redirect = rule.get("redirect")
    return isinstance(redirect, str) and not _AUTHORITY.match(redirect)


def mappings(values: list[t.Any]) -> dict[int, dict[str, t.Any]]:
    """Return the mappings in a list by index."""
    return {index: value for index, value in enumerate(values) if isinstance(value, dict)}


def is_list_of(value: t.Any, kind: type) -> bool:
    """Return whether a value is a list of values of a type."""
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def is_mapping_of(value: t.Any, kind: type) -> bool:
    """Return whether a value is a mapping to values of a type."""
    return isinstance(value, dict) and all(isinstance(item, kind) for item in value.values())


def _is_plain(text: str) -> bool:
    """Return whether a text can be an address: it consists of ASCII characters without white space."""
    return bool(text) and text.isascii() and not re.search(r"\s", text)


def _is_int(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: t.Any) -> bool:
    return isinstance(value, str)


def _is_ip(value: t.Any) -> bool:
    try:
        # Neither client accepts a zone, as in fe80::1%eth0.
        return isinstance(value, str) and "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _is_url(value: t.Any) -> bool:
    if not isinstance(value, str) or not _is_plain(value):
        return False
    try:
        parts = urlsplit(value)
        _port = parts.port  # Raises ValueError if it is not a port number.
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _is_port(value: t.Any) -> bool:
    return _is_int(value) and 0 <= value <= GREATEST_PORT


def _is_ports(value: t.Any) -> bool:
    if isinstance(value, dict):
        return "start" in value and all(_is_port(value[name]) for name in FIELDS["ports"] if name in value)
    return _is_port(value)


def _is_address(value: t.Any) -> bool:
    if isinstance(value, dict):
        if value.get("type") in ("unix", "vsock"):
            return isinstance(value.get("addr"), str)
        value = value.get("addr") if value.get("type") == "tcp" else None
    return isinstance(value, str) and is_host_and_port(value)


def _is_header(name: t.Any, value: t.Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return (
        isinstance(name, str)
        and _HEADER_NAME.match(name) is not None
        and all(isinstance(text, str) and _HEADER_VALUE.match(text) for text in values)
    )


def _is_headers(value: t.Any) -> bool:
    return isinstance(value, dict) and all(_is_header(name, text) for name, text in value.items())


def _is_texts(value: t.Any) -> bool:
    return isinstance(value, dict) and not any(isinstance(text, (dict, list)) for text in value.values())


def _list_of(check: t.Callable[[t.Any], bool]) -> t.Callable[[t.Any], bool]:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


_TEXT = (_is_text, "a string (in quotes if it could be read as a number)")
_SIMPLE: dict[str, tuple[t.Callable[[t.Any], bool], str]] = {
    "bool": (lambda value: isinstance(value, bool), "true or false, without quotes"),
    "float": (lambda value: _is_int(value) or isinstance(value, float), "a number, without quotes"),
    "str": _TEXT,
    "secret": _TEXT,
    "path": (_is_text, "a path"),
    "file": (_is_text, "a path to a file"),
    "files": (_list_of(_is_text), "a list of paths"),
    "pem": (_is_text, "a path to a PEM file, or its content"),
    "map": (lambda value: isinstance(value, dict), "a mapping"),
    "texts": (_is_texts, "a mapping of names to strings"),
    "headers": (_is_headers, "a mapping of HTTP header names to strings"),
    "ip": (_is_ip, "an IP address"),
    "ips": (_list_of(_is_ip), "a list of IP addresses"),
    "url": (_is_url, "a URL such as https://index.docker.io"),
    "port": (_is_port, "a port number, without quotes"),
    "ports": (_is_ports, "a port number without quotes, or a mapping with start and end of a range"),
    "strings": (_list_of(lambda item: isinstance(item, str) or _is_int(item)), "a list of strings"),
    "addresses": (_list_of(_is_address), "a list of HOST:PORT, or of mappings with type (tcp, unix, vsock) and addr"),
    "regex": (_is_text, "a regular expression, as a string"),
}
_DURATIONS = {"go": "30s or 6h", "rust": "'30s' or '6h'"}
_INTEGERS = {
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 32, 64)},
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (32, 64)},
}


def value_error(kind: str, value: t.Any, client: str, release: tuple[int, ...] | None = None) -> str | None:
    """Return what a client expects instead of an invalid value, None if the value is valid.

    :param kind: type in the schema: a key of _SIMPLE or _INTEGERS, ``duration`` or ``bytes``, or ``a|b`` for choices.
        ``(1..)`` adds the bounds of an integer, ``?`` permits an empty value.
    :param value: value in the configuration.
    :param client: ``dfget`` or ``dfdaemon``.
    :param release: release of the client, None if unknown.
    """
    if kind.endswith("?") and value is None:
        return None
    kind = kind.rstrip("?")
    name, _paren, bounds = kind.rstrip(")").partition("(")
    if name in _INTEGERS:
        return _integer_error(value, *_INTEGERS[name], bounds)
    is_valid, expected = _check(kind, value, client, release)
    return None if is_valid else expected


def _check(kind: str, value: t.Any, client: str, release: tuple[int, ...] | None) -> tuple[bool, str]:
    """Return whether a value is valid, and what the client expects."""
    if "|" in kind:
        return value in kind.split("|"), f"one of {kind.replace('|', ', ')}"
    if kind == "duration":
        example = _DURATIONS[LANGUAGE[client]]
        return parse_duration(value, client, release) is not None, f"a duration with a unit, such as {example}"
    if kind == "bytes":
        return parse_bytes(value, client) is not None, "a size such as 1024MiB"
    is_valid, expected = _SIMPLE[kind]
    return is_valid(value), expected


def _integer_error(value: t.Any, low: int, high: int, bounds: str) -> str | None:
    first, _dots, last = bounds.partition("..")
    low, high = int(first or low), int(last or high)
    if _is_int(value) and low <= value <= high:
        return None
    return f"an integer from {low} to {high}, without quotes"


def pattern_error(value: t.Any, client: str) -> str | None:
    """Return why a client rejects a regular expression, None if it accepts it."""
    return regex_error(value, LANGUAGE[client]) if isinstance(value, str) else None
