# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the clients' settings: what each client can read as a duration, a size, an address and so on.

Like the clients this refuses a number or a boolean in quotes. Stricter than they are it is in one point: it refuses a
number where a text is wanted, which they would take as it stands.

PRIVATE to the collection.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._regex import regex_error

ENGINE = {"dfget": "go", "dfdaemon": "rust"}

_GO_UNITS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_GO_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_RUST_UNITS = {
    1e-9: "nanos nsec ns",
    1e-6: "usec us micros \u00b5s",
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
_RUST_PART = re.compile(r"\s*(\d+)\s*([A-Za-z\u00b5]+)\s*")
# Nanoseconds in 63 bits, seconds in 64 bits; bytes in 63 bits.
_MAX_SECONDS = {"dfget": 2**63 / 1e9, "dfdaemon": 2.0**64}
_MAX_BYTES = 2**63
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgtpe])(i?))?b?\Z", re.IGNORECASE)


def parse_duration(value: t.Any, client: str) -> float | None:
    """Seconds that a client reads from a duration, or None where it cannot.

    :param value: text such as ``6h``; for the Go client 0 too. Its other bare numbers are nanoseconds, which nobody
        means.
    :param client: ``dfget`` or ``dfdaemon``.
    """
    if client == "dfget" and value == 0 and not isinstance(value, bool):
        return 0.0
    if not isinstance(value, str):
        return None
    if client == "dfget":
        text, part, units = value.lstrip("+-"), _GO_PART, _GO_UNITS
        sign = -1 if value.startswith("-") else 1
        if text == "0":
            return 0.0
    else:
        text, part, units, sign = value, _RUST_PART, _RUST_SECONDS, 1
    total, at = 0.0, 0
    while at < len(text):
        match = part.match(text, at)
        if not match or match.group(2) not in units:
            return None
        total += float(match.group(1)) * units[match.group(2)]
        at = match.end()
    return sign * total if text and total < _MAX_SECONDS[client] else None


def parse_bytes(value: t.Any, client: str) -> int | None:
    """Bytes that a client reads from a size, or None where it cannot.

    :param value: an int, or text such as ``1024Mi`` (``KB`` are 1024 bytes for the Go client, 1000 for the Rust
        client).
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.match(value) if isinstance(value, str) else None
    if not match:
        return None
    base = 1024 if match.group(3) or client == "dfget" else 1000
    size = float(match.group(1)) * base ** ("kmgtpe".index(match.group(2).lower()) + 1 if match.group(2) else 0)
    return int(size) if size < _MAX_BYTES else None


def is_loopback(address: str) -> bool:
    """Whether only this host can reach a listener on an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def may_reach(address: str, listener: str) -> bool:
    """Whether what is sent to an address may reach a listener on this host: it may where that cannot be known.

    :param address: as in a URL, an IP address or a name.
    :param listener: the address that it is bound to; empty for all.
    """
    try:
        asked, bound = (ipaddress.ip_address("127.0.0.1" if one == "localhost" else one) for one in (address, listener))
    except ValueError:
        return True
    return bound.is_unspecified or asked == bound or (bound.is_loopback and (asked.is_loopback or asked.is_unspecified))


def _is_int(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_ip(value: t.Any) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _is_url(value: t.Any) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        return (
            parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        )
    except ValueError:
        return False


def _is_port(value: t.Any) -> bool:
    return _is_int(value) and 0 <= value <= 65535


def _is_ports(value: t.Any) -> bool:
    if isinstance(value, dict):
        return "start" in value and set(value) <= {"start", "end"} and all(_is_port(port) for port in value.values())
    return _is_port(value)


def _is_address(value: t.Any) -> bool:
    if isinstance(value, dict):
        if value.get("type") in ("unix", "vsock"):
            return isinstance(value.get("addr"), str)
        value = value.get("addr") if value.get("type") == "tcp" else None
    if not isinstance(value, str):
        return False
    host, _colon, port = value.rpartition(":")
    # An IPv6 address has brackets here.
    has_host = bool(host) and (":" not in host or (host.startswith("[") and host.endswith("]")))
    return has_host and port.isascii() and port.isdigit() and 0 < int(port) <= 65535


def _list_of(check: t.Callable[[t.Any], bool]) -> t.Callable[[t.Any], bool]:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


_SIMPLE: dict[str, tuple[t.Callable[[t.Any], bool], str]] = {
    "bool": (lambda value: isinstance(value, bool), "true or false, without quotes"),
    "int": (_is_int, "a whole number, without quotes"),
    "uint": (lambda value: _is_int(value) and value >= 0, "a whole number from 0, without quotes"),
    "float": (lambda value: _is_int(value) or isinstance(value, float), "a number, without quotes"),
    "str": (lambda value: isinstance(value, str), "a text (in quotes where it looks like a number)"),
    "secret": (lambda value: isinstance(value, str), "a text (in quotes where it looks like a number)"),
    "path": (lambda value: isinstance(value, str), "a path"),
    "file": (lambda value: isinstance(value, str), "the path of a file"),
    "files": (_list_of(lambda item: isinstance(item, str)), "a list of paths"),
    "pem": (lambda value: isinstance(value, str), "the path of a PEM file, or PEM text"),
    "map": (lambda value: isinstance(value, dict), "a mapping"),
    "ip": (_is_ip, "an IP address"),
    "url": (_is_url, "a URL such as https://index.docker.io"),
    "port": (_is_port, "a port number, without quotes"),
    "ports": (_is_ports, "a port number without quotes, or start and end of a range"),
    "strings": (_list_of(lambda item: isinstance(item, str) or _is_int(item)), "a list of texts"),
    "addresses": (_list_of(_is_address), "a list of HOST:PORT, or of mappings with type (tcp, unix, vsock) and addr"),
}


def value_error(kind: str, value: t.Any, client: str) -> str | None:
    """What a client wants in place of a value that it cannot read, None where it can.

    :param kind: a type of the schema: one of ``bool int uint float str secret path file files pem map ip url port ports
        strings addresses duration bytes regex``, ``int(1..99)`` for bounds, ``str(1..20)`` for lengths, ``a|b`` for
        choices.
    :param value: what the configuration says.
    :param client: ``dfget`` or ``dfdaemon``.
    """
    if "|" in kind:
        choices = kind.split("|")
        return None if value in choices else f"one of {', '.join(choices)}"
    if kind == "duration":
        example = "such as 30s or 6h" if client == "dfget" else "such as 30s or 6h, as text"
        return None if parse_duration(value, client) is not None else "a duration with its unit, " + example
    if kind == "bytes":
        return None if parse_bytes(value, client) is not None else "a size such as 1024MiB"
    if kind == "regex":
        return None if isinstance(value, str) else "a regular expression, as text"
    kind, _paren, bounds = kind.rstrip(")").partition("(")
    check, wanted = _SIMPLE[kind]
    if not check(value):
        return wanted
    if bounds:
        low, high = (float(bound) if bound else float("inf") for bound in bounds.split(".."))
        if not low <= (len(value) if isinstance(value, str) else value) <= high:
            return (
                f"{'of length ' if isinstance(value, str) else 'from '}{int(low)} to {bounds.split('..')[1] or 'any'}"
            )
    return None


def pattern_error(value: t.Any, client: str) -> str | None:
    """Why a client refuses a regular expression, or None where it compiles it."""
    return regex_error(value, ENGINE[client]) if isinstance(value, str) else None
