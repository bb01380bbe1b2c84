# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hosts.toml as containerd reads it: which hosts it sends pulls to, and with which headers.

Source: containerd v1.7.20 and v2.2.0, remotes/docker/config/hosts.go (parseHostsFile, parseHostConfig).

PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.files import (
    parse_file,
    parse_text,
    string_list,
    sub_table,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.reasons import Reason, reason

_HOST_TABLE = re.compile(r"""(?m)^[ \t]*(\[[ \t]*["']?host["']?[ \t]*\..*)$""")
#: From this release of containerd on only hosts with a table of their own count, and a server without hosts is one.
_FIRST_WITH_NAMED_HOSTS = (2, 0, 0)
_FIRST_WITH_REFERRERS = (2, 2, 0)


class MirrorHost(t.NamedTuple):
    """A host that containerd may pull from instead of the registry.

    :ivar url: as the file says it.
    :ivar headers: that containerd adds, names in lower case.
    :ivar overrides_path: whether the path of the URL is used as it is.
    """

    url: str
    headers: dict[str, str]
    overrides_path: bool


def mirror_hosts(
    file: dict[str, t.Any], registry: str, release: tuple[int, ...] | None
) -> tuple[list[MirrorHost], Reason | None]:
    """Return the hosts from which containerd requests blobs, in order; an empty list and the reason for the registry.

    :param file: the hosts.toml, as the module reports it.
    :param registry: as in image references.
    :param release: of containerd, None if it is not known.
    """
    document, unreadable = parse_file(file, "toml")
    if unreadable:
        return [], unreadable
    rejected = _rejected_value(document, release)
    if rejected:
        return [], reason("hosts_toml_unused", file["path"], error=rejected)
    hosts = document.get("host", {})
    if (release or ()) >= _FIRST_WITH_NAMED_HOSTS:
        hosts = _named_hosts(document, file["text"])
        if not hosts and document.get("host"):
            error = 'from 2.0 on it sees no host without a table [host."URL"]'
            return [], reason("hosts_toml_unused", file["path"], error=error)
        if not hosts and document.get("server"):
            hosts = {document["server"]: document}
    if not hosts:
        return [], reason("no_mirror_for_registry", file["path"], registry=registry)
    able = [
        MirrorHost(url, _headers(host.get("header")), host.get("override_path", False))
        for url, host in hosts.items()
        if _may_pull(host)
    ]
    return able, None if able else reason("mirror_cannot_pull", file["path"])


def _rejected_value(document: dict[str, t.Any], release: tuple[int, ...] | None) -> str | None:
    """Return why containerd discards a hosts.toml, None if it does not."""
    hosts = document.get("host", {})
    if not isinstance(hosts, dict) or not all(isinstance(host, dict) for host in hosts.values()):
        return "host is not a table of tables"
    if not isinstance(document.get("server", ""), str):
        return "server is not a string"
    capabilities = {"pull", "resolve", "push"}
    if release is None or release >= _FIRST_WITH_REFERRERS:
        capabilities.add("referrers")
    errors = (_rejected_host_value(host, capabilities) for host in (document, *hosts.values()))
    return next(filter(None, errors), None)


def _rejected_host_value(host: dict[str, t.Any], known_capabilities: set[str]) -> str | None:
    capabilities = host.get("capabilities", [])
    if not _is_string_list(capabilities):
        return "capabilities is not a list of strings"
    unknown = [name for name in capabilities if name.lower() not in known_capabilities]
    if unknown:
        return f"it has no capability {unknown[0]}"
    for key in ("override_path", "skip_verify"):
        if not isinstance(host.get(key, False), bool):
            return f"{key} is neither true nor false"
    if not (isinstance(host.get("ca", ""), str) or _is_string_list(host["ca"])):
        return "ca is neither a text nor a list of texts"
    if not isinstance(host.get("client", ""), (str, list)):
        return "client is neither a text nor a list"
    headers = host.get("header", {})
    if not isinstance(headers, dict):
        return "a header is neither a text nor a list of texts"
    if not all(isinstance(value, str) or _is_string_list(value) for value in headers.values()):
        return "a header is neither a text nor a list of texts"
    return None


def _is_string_list(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _may_pull(host: dict[str, t.Any]) -> bool:
    capabilities = [name.lower() for name in host.get("capabilities", [])]
    return not capabilities or "pull" in capabilities


def _named_hosts(document: dict[str, t.Any], text: str) -> dict[str, t.Any]:
    """Return the hosts that have a table of their own."""
    named: dict[str, t.Any] = {}
    for header in _HOST_TABLE.findall(text):
        named.update(sub_table(parse_text("toml", header.strip())[0], "host"))
    return {url: host for url, host in document.get("host", {}).items() if url in named}


def _headers(table: dict[str, t.Any] | None) -> dict[str, str]:
    # Of names that differ in case the client takes the first, and they are sent sorted.
    headers: dict[str, str] = {}
    for name, value in sorted((table or {}).items(), reverse=True):
        values = string_list(value)
        if values:
            headers[name.lower()] = values[0]
    return headers
