# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse hosts.toml as containerd does: to which hosts it sends pulls, and with which headers.

Source: containerd v1.5.18 to v2.3.4, remotes/docker/config/hosts.go (parseHostsFile, parseHostConfig), whose results
are recorded by tests/tools/record_hosts_toml.py.
"""

from __future__ import annotations

import re
import typing as t

from ...module_utils._image import DOCKER_HUB_HOST
from .._config.values import is_list_of, is_mapping_of, parse_duration
from .._containerd_files import sub_table
from .certificates import unusable_certificate
from .files import parse_file, parse_text, string_list
from .go_url import parse_go_url
from .reasons import Reason, reason

Release = tuple[int, ...]

_HOST_TABLE = re.compile(r"""(?m)^[ \t]*(\[[ \t]*["']?host["']?[ \t]*\..*)$""")
#: First releases of containerd that read ``override_path``; take a server without hosts for one; read TOML with
#: go-toml 2 (only hosts with a table of their own count, names of keys may differ in case, a byte order mark is an
#: error); read ``dial_timeout``; know the capability ``referrers``.
_FIRST_WITH_OVERRIDE = (1, 6, 0)
_FIRST_WITH_SERVER_ALONE = (1, 7, 32)
_FIRST_WITH_GO_TOML_2 = (2, 0, 0)
_FIRST_WITH_DIAL_TIMEOUT = (2, 0, 7)
_FIRST_WITH_REFERRERS = (2, 2, 0)
#: Releases that represent all if the release is unknown: each reads some files differently.
_STAND_FOR_ALL = ((1, 5, 18), (1, 6, 0), (1, 7, 32), (2, 0, 0), (2, 0, 7), (2, 2, 0))
_HOST_KEYS = ("capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout")
_ROOT_KEYS = ("server", "host", *_HOST_KEYS)


class MirrorHost(t.NamedTuple):
    """A host that containerd may pull from instead of the registry.

    :ivar url: URL in the file.
    :ivar headers: headers that containerd adds, names in lower case.
    :ivar overrides_path: whether the path of the URL is used as it is.
    """

    url: str
    headers: dict[str, str]
    overrides_path: bool


def mirror_hosts(
    file: dict[str, t.Any], registry: str, release: Release | None
) -> tuple[list[MirrorHost], Reason | None]:
    """Return the hosts from which containerd requests blobs in order, or an empty list and why it uses the registry.

    :param file: the hosts.toml, as the module reports it.
    :param registry: as in image references.
    :param release: of containerd, None if it is not known.
    """
    document, unreadable = parse_file(file, "toml")
    if unreadable:
        return [], unreadable
    if release is not None:
        return _hosts(file, document, registry, release)
    readings = [_hosts(file, document, registry, each) for each in _STAND_FOR_ALL]
    if any(hosts != readings[-1][0] for hosts, _unused in readings):
        return [], reason("hosts_toml_unclear", file["path"])
    return readings[-1]


def _hosts(
    file: dict[str, t.Any], document: dict[str, t.Any], registry: str, release: Release
) -> tuple[list[MirrorHost], Reason | None]:
    """Return the hosts of a file that is valid TOML, or why a release of containerd uses none."""
    document = _known_document(document, release)
    tables, unused = _tables(file, document, registry, release)
    if unused:
        return [], reason("hosts_toml_unused", file["path"], error=unused)
    able = [_mirror_host(url, table, release) for url, table in tables if _may_pull(table)]
    if not able:
        code = "mirror_cannot_pull" if document.get("host") else "no_mirror_for_registry"
        return [], reason(code, file["path"], registry=registry)
    unusable = unusable_certificate(file, [*tables, ("", document)])
    return ([], unusable) if unusable else (able, None)


def rejected_hosts(document: dict[str, t.Any], release: Release | None) -> str | None:
    """Return why containerd discards a hosts.toml, None if it does not.

    :param document: what the file says.
    :param release: of containerd. If it is None, only an error of every release counts.
    """
    releases = _STAND_FOR_ALL if release is None else (release,)
    errors = [_rejected_value(_known_document(document, each), each) for each in releases]
    return errors[-1] if all(errors) else None


def with_scheme(url: str) -> str:
    """Return a URL with the scheme that containerd assumes."""
    return url if url.startswith("http") else f"https://{url}"


def _known_document(document: dict[str, t.Any], release: Release) -> dict[str, t.Any]:
    """Return a hosts.toml with the spelling of keys that containerd uses."""
    known = _known_keys(document, _ROOT_KEYS, release)
    hosts = known.get("host")
    if isinstance(hosts, dict):
        known["host"] = {url: _known_keys(host, _HOST_KEYS, release) for url, host in hosts.items()}
    return known


def _known_keys(table: t.Any, names: tuple[str, ...], release: Release) -> t.Any:
    """Return a table with the spelling of keys that containerd uses, which ignores case in some of them."""
    if not isinstance(table, dict):
        return table
    known: dict[str, t.Any] = {}
    for key, value in table.items():
        name = key.lower()
        if name not in names:
            known[key] = value
        elif release >= _FIRST_WITH_GO_TOML_2:
            known[name] = value
        elif key == key.upper() != "HOST":
            known.setdefault(name, value)
        else:
            known[key] = value
    return known


def _tables(
    file: dict[str, t.Any], document: dict[str, t.Any], registry: str, release: Release
) -> tuple[list[tuple[str, t.Any]], str]:
    """Return the hosts beside the registry with their tables, in containerd's order; or why it discards the file."""
    rejected = _rejected_file(file, document, release)
    tables, unused = ([], rejected) if rejected else _host_tables(document, file["text"], release)
    server = document.get("server", "")
    if unused or not server:
        return tables, unused
    own = DOCKER_HUB_HOST if registry == "docker.io" else registry
    # With a server that has no host, containerd ends at the registry, as without a server.
    is_another = parse_go_url(with_scheme(server)).host not in ("", own)
    return [*tables, (server, document)] if is_another else tables, ""


def _host_tables(document: dict[str, t.Any], text: str, release: Release) -> tuple[list[tuple[str, t.Any]], str]:
    """Return the hosts that containerd sees with their tables, or why it discards the file."""
    hosts = document.get("host", {})
    if release >= _FIRST_WITH_GO_TOML_2:
        named = _named_hosts(hosts, text)
        return named, '2.0 and later ignores a host without a table [host."URL"]' if hosts and not named else ""
    has_only_other_keys = document and "host" not in document
    if has_only_other_keys and release < _FIRST_WITH_SERVER_ALONE:
        return [], 'before 1.7.32, it does not read a file without a table [host."URL"]'
    return list(hosts.items()), ""


def _mirror_host(url: str, table: dict[str, t.Any], release: Release) -> MirrorHost:
    overrides_path = table.get("override_path", False) and release >= _FIRST_WITH_OVERRIDE
    return MirrorHost(url, header_values(table.get("header")), overrides_path)


# --- what makes containerd discard the file


def _rejected_file(file: dict[str, t.Any], document: dict[str, t.Any], release: Release) -> str | None:
    if file.get("bom") and release >= _FIRST_WITH_GO_TOML_2:
        return "it begins with a byte order mark, which containerd from 2.0 on does not read"
    return _rejected_value(document, release)


def _rejected_value(document: dict[str, t.Any], release: Release) -> str | None:
    """Return why containerd discards a hosts.toml, None if it does not."""
    hosts = document.get("host", {})
    if not is_mapping_of(hosts, dict):
        return "host is not a table of tables"
    server = document.get("server", "")
    if not isinstance(server, str):
        return "server is not a string"
    url_errors = (_rejected_url(url, release if url in hosts else None) for url in (server, *hosts))
    errors = (_rejected_host_value(table, release) for table in (document, *hosts.values()))
    return next(filter(None, (*url_errors, *errors)), None)


def _rejected_url(url: str, release: Release | None) -> str | None:
    """Return why containerd discards a file with such a URL, None if it does not.

    :param release: where the URL is the name of a table.
    """
    try:
        parse_go_url(with_scheme(url))
    except ValueError as error:
        return f"{url} is not a valid URL: {error}"
    if release is not None and release < _FIRST_WITH_GO_TOML_2 and re.search(r"[\[\]]", url):
        return "before 2.0, it does not read a table whose name contains brackets; use an IPv4 address or a name"
    return None


def _rejected_host_value(table: dict[str, t.Any], release: Release) -> str | None:
    """Return why containerd discards a file with such a host, None if it does not."""
    rejected = _rejected_capabilities(table.get("capabilities", []), release)
    if rejected:
        return rejected
    for key, is_valid, wanted in _CHECKS:
        is_read = key in table and release >= _FIRST_WITH.get(key, ())
        if is_read and not is_valid(table[key]):
            return f"{key} is {wanted}"
    return None


def _rejected_capabilities(capabilities: t.Any, release: Release) -> str | None:
    if not is_list_of(capabilities, str):
        return "capabilities is not a list of strings"
    known = _CAPABILITIES if release >= _FIRST_WITH_REFERRERS else _CAPABILITIES - {"referrers"}
    unknown = [name for name in capabilities if name.lower() not in known]
    return f"it has no capability {unknown[0]}" if unknown else None


def _is_bool(value: t.Any) -> bool:
    return isinstance(value, bool)


def _is_text_or_texts(value: t.Any) -> bool:
    return isinstance(value, str) or is_list_of(value, str)


def _is_client(value: t.Any) -> bool:
    """Return whether a value is a file with certificate and key, or a list of such files or of pairs of files."""
    if not isinstance(value, list):
        return isinstance(value, str)
    return all(isinstance(item, str) or (is_list_of(item, str) and len(item) == 2) for item in value)


def _is_header_table(value: t.Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text_or_texts, value.values()))


def _is_duration(value: t.Any) -> bool:
    return isinstance(value, str) and (not value or parse_duration(value, "dfget") is not None)


#: What containerd reads of a host, by key: the test of a value, and what another value is.
_CHECKS: tuple[tuple[str, t.Callable[[t.Any], bool], str], ...] = (
    ("override_path", _is_bool, "neither true nor false"),
    ("skip_verify", _is_bool, "neither true nor false"),
    ("ca", _is_text_or_texts, "neither a string nor a list of strings"),
    ("client", _is_client, "neither a string nor a list of strings or of pairs of strings"),
    ("header", _is_header_table, "not a table in which each value is a string or a list of strings"),
    ("dial_timeout", _is_duration, 'not a duration in quotes, such as "10s"'),
)
_CAPABILITIES = frozenset(["pull", "resolve", "push", "referrers"])
_FIRST_WITH = {"override_path": _FIRST_WITH_OVERRIDE, "dial_timeout": _FIRST_WITH_DIAL_TIMEOUT}


# --- hosts and their headers


def _may_pull(host: dict[str, t.Any]) -> bool:
    capabilities = [name.lower() for name in host.get("capabilities", [])]
    return not capabilities or "pull" in capabilities


def _named_hosts(hosts: dict[str, t.Any], text: str) -> list[tuple[str, t.Any]]:
    """Return the hosts that have a table of their own, with that table."""
    named: set[str] = set()
    for header in _HOST_TABLE.findall(text):
        named.update(sub_table(parse_text("toml", header.strip())[0], "host"))
    return [(url, table) for url, table in hosts.items() if url and url in named]


def header_values(table: dict[str, t.Any] | None) -> dict[str, str]:
    """Return the headers of a table as a client reads them, names in lower case."""
    # Of names that differ in case the client takes the first, and they are sent sorted.
    headers: dict[str, str] = {}
    for name, value in sorted((table or {}).items(), reverse=True):
        values = string_list(value)
        if values:
            headers[name.lower()] = values[0]
    return headers
