# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: peers
short_description: Use the peers of a Dragonfly manager as inventory
version_added: 1.0.0
description:
  - Adds the peers of a Dragonfly manager as hosts, for example to check with M(dragonflyoss.dragonfly.preheat_hit_info)
    whether each of them hits preheated content.
  - The inventory source is a YAML file whose name ends in C(dragonfly.yml) or C(dragonfly.yaml).
  - Each host has the keys of RV(dragonflyoss.dragonfly.peer_info#module:peers) as variables, with the prefix
    C(dragonfly_), and its address as C(ansible_host).
  - Use O(keyed_groups) and O(groups) to create groups, and O(compose) to set variables.
notes:
  - Peers announce their own names, which Dragonfly does not verify. Anyone who can announce a peer can give it the name
    of a host in another inventory, which then gets the address of the peer. To prevent this, use O(hostname=ip), or do
    not combine this inventory with others.
  - The plugin skips a peer with a warning if its name is not a valid host name, if its address is not a valid IP
    address of a host, or if its name or address is that of the controller (V(localhost)). If several peers have the
    same name, the plugin uses the most recently updated one.
  - The plugin also skips a peer that has the name of a group. It knows only the groups of inventory sources that were
    read before, so list this source last, or give it a name that sorts last in its directory.
options:
  plugin:
    description:
      - Name of this plugin.
    type: str
    required: true
    choices: [dragonflyoss.dragonfly.peers]
  url:
    description:
      - URL of the manager's REST API, such as V(http://dragonfly-manager:8080). It may include a path prefix. Can be a
        template.
    type: str
    env:
      - name: DRAGONFLY_URL
  jwt:
    description:
      - Session token (JWT) returned by the M(dragonflyoss.dragonfly.login) module. Can be a template.
      - If not set, the plugin signs in with O(username) and O(password).
    type: str
    env:
      - name: DRAGONFLY_JWT
  username:
    description:
      - Name of the manager's user to sign in as if O(jwt) is not set. Can be a template.
    type: str
    env:
      - name: DRAGONFLY_USERNAME
  password:
    description:
      - Password of O(username). Can be a template.
    type: str
    env:
      - name: DRAGONFLY_PASSWORD
  validate_certs:
    description:
      - Whether to validate the TLS certificate of an V(https) URL.
    type: bool
    default: true
    env:
      - name: DRAGONFLY_VALIDATE_CERTS
  ca_path:
    description:
      - Path to a file of CA certificates to trust instead of the system's.
    type: path
    env:
      - name: DRAGONFLY_CA_PATH
  client_cert:
    description:
      - Path to a PEM file with the client certificate, and optionally its key.
    type: path
    env:
      - name: DRAGONFLY_CLIENT_CERT
  client_key:
    description:
      - Path to the private key of O(client_cert). A key with a passphrase is not supported.
    type: path
    env:
      - name: DRAGONFLY_CLIENT_KEY
  timeout:
    description:
      - Timeout of a single request, in seconds or as a duration such as V(90s) or V(5m).
    type: str
    default: 2m
    env:
      - name: DRAGONFLY_TIMEOUT
  refresh:
    description:
      - Whether the manager first queries all its schedulers for their peers, which takes about ten seconds. In
        Dragonfly manager 2.2.0 or later, the list of peers is empty until it is refreshed. See
        M(dragonflyoss.dragonfly.peer_info).
      - A cached inventory is not refreshed.
    type: bool
    default: false
  hostname:
    description:
      - Key of a peer to use as the name of the host.
    type: str
    choices: [hostname, ip]
    default: hostname
  types:
    description:
      - Add only peers of these types. All types except V(normal) are seed peers.
    type: list
    elements: str
    choices: [normal, super, strong, weak]
    default: [normal, super, strong, weak]
    aliases: [type]
  states:
    description:
      - Add only peers in these states.
    type: list
    elements: str
    choices: [active, inactive]
    default: [active]
    aliases: [state]
  scheduler_cluster_ids:
    description:
      - Add only peers of the scheduler clusters with these IDs. One ID or a list of IDs.
    type: raw
    aliases: [scheduler_cluster_id]
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
requirements:
  - requests >= 2.20, on the controller
seealso:
  - module: dragonflyoss.dragonfly.peer_info
  - module: dragonflyoss.dragonfly.preheat_hit_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
# peers.dragonfly.yml: all active peers, with the URL and the JWT in DRAGONFLY_URL and DRAGONFLY_JWT.
---
plugin: dragonflyoss.dragonfly.peers
refresh: true

# nodes.dragonfly.yml: the peers of two clusters without seed peers, grouped by cluster and client, cached for an hour.
---
plugin: dragonflyoss.dragonfly.peers
url: http://dragonfly-manager:8080
jwt: "{{ lookup('ansible.builtin.env', 'DRAGONFLY_JWT') }}"
refresh: true
timeout: 600
types: [normal]
scheduler_cluster_ids: [1, 2]
keyed_groups:
  - key: dragonfly_scheduler_cluster_id | string
    prefix: cluster
groups:
  go_clients: dragonfly_git_version.startswith('v')
  rust_clients: not dragonfly_git_version.startswith('v')
compose:
  ansible_user: "'deploy'"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/dragonfly
cache_timeout: 3600
"""

import hashlib
import ipaddress
import re
import typing as t

from ansible.constants import LOCALHOST
from ansible.errors import AnsibleParserError
from ansible.inventory.group import Group
from ansible.inventory.host import Host
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import unknown_option_problem
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import connect
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import REQUESTS_ERROR
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import with_seconds
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._peer_lists import (
    PEERS,
    no_peers_warning,
    read_list,
    refresh_peers,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock, limit_task
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import printable
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._sign_in import jwt_for

_CONNECTION = (
    "url",
    "jwt",
    "username",
    "password",
    "validate_certs",
    "ca_path",
    "client_cert",
    "client_key",
    "timeout",
)
# Limits the length of a peer's name and address in a warning.
_LONGEST_SHOWN = 300
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\Z")
#: A peer as the manager returns it, see ``read_list``.
Row = t.Dict[str, t.Any]
_Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin."""

    NAME = "dragonflyoss.dragonfly.peers"
    inventory: t.Any

    def verify_file(self, path: str) -> bool:
        """Return whether this plugin can read a file."""
        return super().verify_file(path) and path.endswith(("dragonfly.yml", "dragonfly.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the hosts of a file.

        :raises AnsibleParserError: if the manager does not return them.
        """
        super().parse(inventory, loader, path, cache)
        self._check_names(self._read_config_data(path))
        peers = self._usable_peers(self._through_cache(path, cache))
        groups = self._groups_of(peers)
        for name, row in peers.items():
            if name in groups:
                self._leave_out(row, "a group has the same name")
            else:
                inventory.add_host(name)
                self._fill(inventory.get_host(name), row)

    def _check_names(self, config: dict[str, t.Any]) -> None:
        """Reject options that do not exist, which Ansible would silently ignore.

        :raises AnsibleParserError: if there are any.
        """
        defined = self.option_definitions
        known = {*defined, *(alias for option in defined.values() for alias in option.get("aliases") or ())}
        problems = [unknown_option_problem(name, known) for name in sorted(set(config) - known)]
        if problems:
            raise AnsibleParserError(f"{'; '.join(problems)}.")
        cluster_ids(self.get_option("scheduler_cluster_ids"))

    def _through_cache(self, path: str, cache: bool) -> list[Row]:
        url = self.templar.template(self.get_option("url"))
        # The URL can come from the environment, and the cache must not mix the peers of two managers.
        key = f"{self.get_cache_key(path)}_{hashlib.sha256(str(url).encode('utf-8')).hexdigest()[:12]}"
        use_cache = self.get_option("cache")
        if use_cache and cache:
            try:
                return self._cache[key]
            except KeyError:
                # Not cached, or expired.
                pass
        rows = self._fetch(url)
        if use_cache:
            self._cache[key] = rows
        return rows

    def _fetch(self, url: str) -> list[Row]:
        if REQUESTS_ERROR:
            raise AnsibleParserError(
                f"The inventory plugin {self.NAME} requires the Python library requests on the controller."
            )
        options = self._connection_options(url)
        try:
            clock = Clock()
            limit_task(clock, options)
            options["jwt"] = jwt_for(options, clock)
            client = connect(options, "jwt", clock)
            if self.get_option("refresh"):
                refresh_peers(client, options["timeout"], clock)
            rows = read_list(client, PEERS)
        except DragonflyError as exc:
            raise AnsibleParserError(printable(exc.message)) from exc
        if not rows and not self.get_option("refresh"):
            self.display.warning(no_peers_warning(url))
        return rows

    def _connection_options(self, url: str) -> dict[str, t.Any]:
        options = {name: self.get_option(name) for name in _CONNECTION}
        credentials = {name: self.templar.template(options[name]) for name in ("jwt", "username", "password")}
        return with_seconds({**options, **credentials, "url": url})

    def _usable_peers(self, rows: list[Row]) -> dict[str, Row]:
        """Return the selected and usable rows by host name, sorted by name."""
        key = self.get_option("hostname")
        by_name = {}
        # If several peers have the same name, the row that was updated last wins.
        for row in sorted(filter(self._is_chosen, rows), key=lambda row: (str(row["updated_at"]), row["id"])):
            problem = host_problem(row[key], row["ip"])
            if problem:
                self._leave_out(row, problem)
            else:
                by_name[row[key]] = row
        return dict(sorted(by_name.items()))

    def _is_chosen(self, row: Row) -> bool:
        clusters = sorted(cluster_ids(self.get_option("scheduler_cluster_ids")))
        return (
            row["type"] in self.get_option("types")
            and row["state"] in self.get_option("states")
            and (not clusters or row["scheduler_cluster_id"] in clusters)
        )

    def _leave_out(self, row: Row, problem: str) -> None:
        name, address = (repr(row[key])[:_LONGEST_SHOWN] for key in ("hostname", "ip"))
        self.display.warning(printable(f"Skipping the peer {name} ({address}): {problem}."))

    def _groups_of(self, peers: dict[str, Row]) -> set[str]:
        """Return the names of all existing groups and of those that the peers would create."""
        inventory, names = self.inventory, set(self.inventory.groups)
        for name, row in peers.items():
            self.inventory = _Rehearsal(Host(name), names)
            self._fill(self.inventory.host, row)
        self.inventory = inventory
        return names

    def _fill(self, host: Host, row: Row) -> None:
        # A peer announces these values, so they must never be evaluated as templates.
        variables = {"ansible_host": row["ip"], **{f"dragonfly_{key}": value for key, value in row.items()}}
        for key, value in variables.items():
            host.set_variable(key, wrap_var(value))
        strict = self.get_option("strict")
        variables = host.get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host.name, strict=strict)


class _Rehearsal:
    """Replaces the inventory to collect the groups that a host would create.

    The inventory resolves a name as a group first, so it would confuse a host with a group of the same name.

    :param host: the only host.
    :param names: the set to which the names of groups are added.
    """

    def __init__(self, host: Host, names: set[str]) -> None:
        self.host = host
        self._names = names

    def get_host(self, _name: str) -> Host:
        return self.host

    def set_variable(self, _name: str, key: str, value: t.Any) -> None:
        self.host.set_variable(key, value)

    def add_group(self, name: str) -> str:
        group = Group(name).name
        self._names.add(group)
        return group

    def add_host(self, _name: str, group: str) -> None:
        self.host.add_group(Group(group))

    def add_child(self, group: str, child: str) -> None:
        if child == self.host.name:
            self.add_host(child, group)


def cluster_ids(value: t.Any) -> set[int]:
    """Return the IDs in a number, in a list of numbers, or in their text, separated by commas.

    :raises AnsibleParserError: if the value is something else.
    """
    items = value.split(",") if isinstance(value, str) else value
    try:
        return {int(item) for item in (items if isinstance(items, list) else [items]) if item is not None}
    except (TypeError, ValueError):
        raise AnsibleParserError(f"scheduler_cluster_ids must be a list of numbers, not {value!r}.") from None


def host_problem(name: t.Any, address: t.Any) -> str | None:
    """Return why a peer cannot be a host of the inventory, None if it can."""
    parsed = _parse_address(address)
    if parsed is None:
        return "its address is not a valid IP address"
    if _is_never_a_host(parsed):
        return "its address is that of the controller, or cannot be the address of a host"
    if name != address and not (isinstance(name, str) and _HOST_NAME.match(name)):
        return "its name is not a valid host name"
    return "its name is that of the controller" if name.lower() in LOCALHOST else None


def _parse_address(text: t.Any) -> _Address | None:
    # Python also accepts a number as an address, and the zone after a % can be any text.
    if not isinstance(text, str) or "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_never_a_host(address: _Address) -> bool:
    addresses = [address]
    if isinstance(address, ipaddress.IPv6Address):
        # In ::/96 and ::ffff:0:0/96, the last 32 bits are an IPv4 address.
        if address.ipv4_mapped:
            addresses.append(address.ipv4_mapped)
        if int(address) < 2**32:
            addresses.append(ipaddress.IPv4Address(int(address)))
    return any(spelling.is_loopback or spelling.is_unspecified or spelling.is_multicast for spelling in addresses)
