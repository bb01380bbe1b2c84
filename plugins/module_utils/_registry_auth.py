# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse challenges of registries, and decide where credentials and requests may go. Sends no requests.

Protocol: RFC 9110 (11.6.1) and distribution.github.io/distribution/spec/auth/token.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import socket
import typing as t
from urllib.parse import urlencode, urlsplit

from ._redact import redact_url

# A scheme or a parameter in WWW-Authenticate, which may contain several challenges. A match starts at the beginning of
# a word, so the time for a long header is linear.
_CHALLENGE = re.compile(
    r"(?<![\w.~+-])(?P<name>[\w.~+-]+)"
    r'(?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]*))|(?=[\s,]|\Z))',
    re.ASCII,
)
#: Limit in characters of a header; the rest is ignored.
_LONGEST_HEADER = 8192
_SHOWN = 200
# Strict, because parsers disagree about user info, backslashes and non-ASCII characters.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?(?P<rest>[/?][!-~]*)?\Z"
)
_TOKEN = re.compile(r"[!-~]+\Z")
_IPV4 = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)(?:\.(?:0[xX][0-9A-Fa-f]*|[0-9]+)){0,3}\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}

#: Returns the addresses of a host, or none if its name cannot be resolved.
Resolve = t.Callable[[str], t.Iterable[str]]
_Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

# Addresses at which clouds offer credentials and data of a machine, unless they are link-local.
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(address)
    for address in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_METADATA_NAMES = (
    "metadata.google.internal",
    "metadata.goog",
    "metadata",
    "instance-data",
    "instance-data.ec2.internal",
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")


class Origin(t.NamedTuple):
    """The server to which credentials belong."""

    scheme: str
    host: str
    port: int | None


class Challenge(t.NamedTuple):
    """A challenge of a server.

    :ivar scheme: in lower case, such as ``bearer``.
    """

    scheme: str
    parameters: dict[str, str]


def basic_auth(username: str | None, password: str | None) -> str:
    """Return the value of a header Authorization."""
    text = f"{username or ''}:{password or ''}"
    return "Basic " + base64.b64encode(text.encode("utf-8")).decode("ascii")


def bearer_auth(token: t.Any) -> str | None:
    """Return the value of a header Authorization, None if the token is not valid."""
    return f"Bearer {token}" if isinstance(token, str) and _TOKEN.match(token) else None


def origin(url: str) -> Origin:
    """Return the server of a URL.

    :raises ValueError: if the URL has none.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("not an http or https URL")
    return Origin(parts.scheme, parts.hostname.rstrip("."), parts.port or _DEFAULT_PORTS[parts.scheme])


def parse_challenges(header: str) -> list[Challenge]:
    """Return the challenges of a header WWW-Authenticate."""
    challenges: list[Challenge] = []
    for part in _CHALLENGE.finditer(header[:_LONGEST_HEADER]):
        name, quoted, plain = part.group("name").lower(), part.group("quoted"), part.group("plain")
        if quoted is None and plain is None:
            challenges.append(Challenge(name, {}))
        elif challenges:
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            challenges[-1].parameters.setdefault(name, value)
    return challenges


def token_url(parameters: dict[str, str], repository: str) -> str:
    """Return the URL of a token that may pull a repository.

    Artifactory and the registry of Google send challenges without a scope. Then the scope of the repository is
    requested, as containerd and the manager do.

    :param parameters: parameters of a Bearer challenge with a validated realm.
    """
    realm = parameters["realm"]
    query = {key: parameters[key] for key in ("service", "scope") if parameters.get(key)}
    query.setdefault("scope", f"repository:{repository}:pull")
    return f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"


def realm_problem(realm: str, registry: str, resolve: Resolve) -> str | None:
    """Return why no token is requested from a realm, None if it is permitted.

    :param registry: any URL of the registry that named the realm.
    """
    shown = repr(redact_url(realm[:_SHOWN]))
    if not realm:
        return "its response contains no token service (realm)"
    match = _match_url(realm)
    if not match:
        return f"its token service {shown} is not a plain http(s) URL without credentials"
    if registry.startswith("https:") and match.group("scheme") != "https":
        return (
            f"its token service {shown} does not use TLS, although the registry does, so credentials would be sent in "
            "plain text. Usual cause: the registry is behind a proxy that ends TLS, and is not configured with its "
            "public address. What to do: set the realm of the registry (auth.token.realm of distribution, external_url "
            "of Harbor) or the header X-Forwarded-Proto of the proxy to https. With verify: result, only the manager "
            "reads the registry"
        )
    forbidden = forbidden_place(match.group("host"), urlsplit(registry).hostname or "", resolve)
    if not forbidden:
        return None
    return (
        f"its token service {shown} is at {forbidden}, but the registry is not, so no credentials are sent. "
        "What to do: check the realm that the registry is configured with"
    )


def redirect_problem(source: str, target: str, resolve: Resolve) -> str | None:
    """Return why a redirect is not followed, None if it is permitted."""
    shown = repr(redact_url(target[:_SHOWN]))
    match = _match_url(target)
    if not match:
        return f"{shown} is not a plain http(s) URL without credentials"
    if source.startswith("https:") and match.group("scheme") != "https":
        return f"{shown} has no TLS"
    forbidden = forbidden_place(match.group("host"), urlsplit(source).hostname or "", resolve)
    return f"{shown} is at {forbidden}" if forbidden else None


def _match_url(text: str) -> re.Match[str] | None:
    try:
        # Refuses ports above 65535 and what is within brackets but not an address.
        origin(text)
    except ValueError:
        return None
    return _URL.match(text)


def forbidden_place(host: str, registry_host: str, resolve: Resolve) -> str | None:
    """Return why the address of a host that a registry named is forbidden, None if it is permitted.

    Loopback, link-local, unspecified and multicast addresses and the metadata services of clouds belong to the machine
    itself. A registry may name such an address if it has such an address.
    """
    name = _host_name(host)
    if name == _host_name(registry_host):
        return None
    if name in _METADATA_NAMES:
        return "a metadata service"
    own_addresses = _addresses(registry_host, resolve)
    others = (address for address in _addresses(host, resolve) if not _is_at(address, own_addresses))
    return next(filter(None, map(_forbidden_kind, others)), None)


def _is_at(address: _Address, own_addresses: set[_Address]) -> bool:
    """Return whether an address is one of a registry. All loopback addresses are those of one machine."""
    if _forbidden_kind(address) == _LOOPBACK:
        return _LOOPBACK in map(_forbidden_kind, own_addresses)
    return address in own_addresses


_LOOPBACK = "a loopback address"


def _forbidden_kind(address: _Address) -> str | None:
    if address in _METADATA_ADDRESSES:
        return "the address of a metadata service"
    if address.is_loopback or address.is_unspecified or address in _THIS_NETWORK:
        return _LOOPBACK
    if address.is_link_local:
        return "a link-local address"
    return "a multicast address" if address.is_multicast else None


def _host_name(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _addresses(host: str, resolve: Resolve) -> set[_Address]:
    """Return the addresses of a host, including embedded ones."""
    name = _host_name(host)
    if f".{name}".endswith(".localhost"):
        return {ipaddress.ip_address("127.0.0.1")}
    literal = _parse_address(name)
    if literal:
        return set(_unwrap(literal))
    addresses = [_parse_address(text.partition("%")[0]) for text in resolve(name)]
    return {inner for address in addresses if address for inner in _unwrap(address)}


def _parse_address(text: str) -> _Address | None:
    """Return the address in a text, also in decimal, hexadecimal, octal and short forms of IPv4.

    ipaddress reads 0177.0.0.1 as decimal in Python before 3.8.12, but connections use the octal form.
    """
    try:
        return ipaddress.ip_address(socket.inet_aton(text) if _IPV4.match(text) else text)
    except (OSError, ValueError):
        return None


def _unwrap(address: _Address) -> list[_Address]:
    """Return an address and the IPv4 addresses embedded in it: mapped, compatible, 6to4, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner = [address.ipv4_mapped, address.sixtofour]
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [address] + [carried for carried in inner if carried is not None]
