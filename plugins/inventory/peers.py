# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: peers
short_description: The hosts that a Dragonfly manager knows as peers
version_added: 1.0.0
description:
  - Takes the peers of a Dragonfly manager as hosts, to play on them, or to ask each with
    M(dragonflyoss.dragonfly.preheat_hit_info) whether it will hit what was preheated.
  - The source is a YAML file whose name ends in C(dragonfly.yml) or C(dragonfly.yaml).
  - Each host has the variables of a peer as M(dragonflyoss.dragonfly.peer_info) returns them, with C(dragonfly_) in
    front, and its address as C(ansible_host).
  - Groups are made by O(keyed_groups), O(groups) and O(compose).
notes:
  - Peers name themselves, and nobody checks it. Whoever can announce a peer can give it the name of a host of another
    inventory, which then has the address of the peer. Use O(hostname=ip), or an inventory of its own, where that
    matters.
  - A peer whose name is none of a host, whose address is no IP address of a host, or whose name or address is that of
    the controller itself (V(localhost)) is left out with a warning. Of several peers with one name the one that was
    written last counts.
  - A peer that has the name of a group is left out with a warning, too. Groups of sources that are read later are not
    known yet, so name this one last, or in a folder give it the last name.
options:
  plugin:
    description:
      - What makes a file one for this plugin.
    type: str
    required: true
    choices: [dragonflyoss.dragonfly.peers]
  url:
    description:
      - Address of the manager's REST API, such as V(http://dragonfly-manager:8080). A path prefix is kept. It may be a
        template.
    type: str
    env:
      - name: DRAGONFLY_URL
  jwt:
    description:
      - Session token (JWT) returned by the M(dragonflyoss.dragonfly.login) module. It may be a template.
      - Without O(jwt), the plugin signs in with O(username) and O(password).
    type: str
    env:
      - name: DRAGONFLY_JWT
  username:
    description:
      - Name of a user of the manager, to sign in without O(jwt). It may be a template.
    type: str
    env:
      - name: DRAGONFLY_USERNAME
  password:
    description:
      - Password of O(username). It may be a template.
    type: str
    env:
      - name: DRAGONFLY_PASSWORD
  validate_certs:
    description:
      - Whether the certificate of an V(https) address is checked.
    type: bool
    default: true
    env:
      - name: DRAGONFLY_VALIDATE_CERTS
  ca_path:
    description:
      - Path of a file with the certificates of the CAs that are trusted instead of those of the system.
    type: path
    env:
      - name: DRAGONFLY_CA_PATH
  client_cert:
    description:
      - Path of a client certificate in PEM, which may hold the key too.
    type: path
    env:
      - name: DRAGONFLY_CLIENT_CERT
  client_key:
    description:
      - Path of the key of O(client_cert), without a passphrase.
    type: path
    env:
      - name: DRAGONFLY_CLIENT_KEY
  timeout:
    description:
      - Maximum time for one request, in seconds or as a duration such as V(90s) or V(5m).
    type: str
    default: 2m
    env:
      - name: DRAGONFLY_TIMEOUT
  refresh:
    description:
      - Whether the manager first asks all its schedulers for their peers, which takes some ten seconds. From release
        2.2 on its list is empty until somebody does. See M(dragonflyoss.dragonfly.peer_info).
      - A result from the cache is not refreshed.
    type: bool
    default: false
  hostname:
    description:
      - What names a host in the inventory.
    type: str
    choices: [host_name, ip]
    default: host_name
  types:
    description:
      - Only peers of these types. Seed peers are those that are not V(normal).
    type: list
    elements: str
    choices: [normal, super, strong, weak]
    default: [normal, super, strong, weak]
    aliases: [type]
  states:
    description:
      - Only peers in these states.
    type: list
    elements: str
    choices: [active, inactive]
    default: [active]
    aliases: [state]
  scheduler_cluster_ids:
    description:
      - Only peers of these clusters, a number or a list of numbers.
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
# peers.dragonfly.yml: all active peers. The address and the jwt are in DRAGONFLY_URL and DRAGONFLY_JWT.
---
plugin: dragonflyoss.dragonfly.peers
refresh: true

# nodes.dragonfly.yml: the nodes of two clusters as they are now, in groups by cluster and client, kept for an hour.
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
# Characters of what a peer says of itself, in a warning.
_LONGEST_SHOWN = 300
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\Z")
#: A peer as the manager shows it, see L(read_list).
Row = t.Dict[str, t.Any]


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin."""

    NAME = "dragonflyoss.dragonfly.peers"
    inventory: t.Any

    def verify_file(self, path: str) -> bool:
        """Return whether a file is one for this plugin."""
        return super().verify_file(path) and path.endswith(("dragonfly.yml", "dragonfly.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the hosts of a file.

        :raises AnsibleParserError: if the manager does not give them.
        """
        super().parse(inventory, loader, path, cache)
        self._check_names(self._read_config_data(path))
        peers = self._usable_peers(self._through_cache(path, cache))
        groups = self._groups_of(peers)
        for name, row in peers.items():
            if name in groups:
                self._leave_out(row, "its name is that of a group")
            else:
                inventory.add_host(name)
                self._fill(inventory.get_host(name), row)

    def _check_names(self, config: dict[str, t.Any]) -> None:
        """Refuse options that do not exist, which Ansible would silently ignore.

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
        # The address can come from the environment, and what another manager knows must not be taken for this one's.
        key = f"{self.get_cache_key(path)}_{hashlib.sha256(str(url).encode('utf-8')).hexdigest()[:12]}"
        use_cache = self.get_option("cache")
        if use_cache and cache:
            try:
                return self._cache[key]
            except KeyError:
                # Nothing there, or too old.
                pass
        rows = self._fetch(url)
        if use_cache:
            self._cache[key] = rows
        return rows

    def _fetch(self, url: str) -> list[Row]:
        if REQUESTS_ERROR:
            raise AnsibleParserError(f"The inventory plugin {self.NAME} needs the Python library requests.")
        options = {name: self.get_option(name) for name in _CONNECTION}
        options.update(
            {name: self.templar.template(options[name]) for name in ("jwt", "username", "password")}, url=url
        )
        options = with_seconds(options)
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

    def _usable_peers(self, rows: list[Row]) -> dict[str, Row]:
        """Return the chosen and usable rows by their names in the inventory, sorted by them."""
        key = self.get_option("hostname")
        by_name = {}
        # Of several peers with one name the row that was written last counts.
        for row in sorted(filter(self._is_chosen, rows), key=lambda row: (str(row["updated_at"]), row["id"])):
            problem = host_problem(row[key], row["ip"])
            if problem:
                self._leave_out(row, problem)
            else:
                by_name[row[key]] = row
        return dict(sorted(by_name.items()))

    def _is_chosen(self, row: Row) -> bool:
        clusters = cluster_ids(self.get_option("scheduler_cluster_ids"))
        return (
            row["type"] in self.get_option("types")
            and row["state"] in self.get_option("states")
            and (not clusters or row["scheduler_cluster_id"] in clusters)
        )

    def _leave_out(self, row: Row, problem: str) -> None:
        name, address = (repr(row[key])[:_LONGEST_SHOWN] for key in ("host_name", "ip"))
        self.display.warning(printable(f"The peer {name} ({address}) is left out: {problem}."))

    def _groups_of(self, peers: dict[str, Row]) -> set[str]:
        """Return the names of all groups, those that exist and those that the peers would create."""
        inventory, names = self.inventory, set(self.inventory.groups)
        for name, row in peers.items():
            self.inventory = _Rehearsal(Host(name), names)
            self._fill(self.inventory.host, row)
        self.inventory = inventory
        return names

    def _fill(self, host: Host, row: Row) -> None:
        # What a peer says of itself must never be taken for a template.
        variables = {"ansible_host": row["ip"], **{f"dragonfly_{key}": value for key, value in row.items()}}
        for key, value in variables.items():
            host.set_variable(key, wrap_var(value))
        strict = self.get_option("strict")
        variables = host.get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host.name, strict=strict)


class _Rehearsal:
    """Stands in for the inventory, to learn which groups a host would create.

    In the inventory a name is looked up among the groups first, so that a host of the same name is taken for the group.

    :param host: the only one.
    :param names: to which the names of groups are added.
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
    """Return the ids of a number, a list of numbers or their texts, separated by commas; empty for none.

    :raises AnsibleParserError: if it is something else.
    """
    items = value.split(",") if isinstance(value, str) else value
    try:
        return {int(item) for item in (items if isinstance(items, list) else [items]) if item is not None}
    except (TypeError, ValueError):
        raise AnsibleParserError(f"scheduler_cluster_ids must be a list of numbers, not {value!r}.") from None


def host_problem(name: t.Any, address: t.Any) -> str | None:
    """Return why a peer cannot be a host of the inventory, None where it can."""
    # Python takes a number for an address, too, and the zone after a % can be any text.
    if not isinstance(address, str) or "%" in address:
        return "its address is no IP address"
    try:
        if _is_never_a_host(ipaddress.ip_address(address)):
            return "its address is that of the controller, or of no host"
    except ValueError:
        return "its address is no IP address"
    if name != address and not (isinstance(name, str) and _HOST_NAME.match(name)):
        return "its name is none of a host"
    return "its name is that of the controller" if name.lower() in LOCALHOST else None


def _is_never_a_host(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    addresses = [address]
    if isinstance(address, ipaddress.IPv6Address):
        # Within ::/96 and ::ffff:0:0/96 the last 32 bits are an address of IPv4.
        if address.ipv4_mapped:
            addresses.append(address.ipv4_mapped)
        if int(address) < 2**32:
            addresses.append(ipaddress.IPv4Address(int(address)))
    return any(spelling.is_loopback or spelling.is_unspecified or spelling.is_multicast for spelling in addresses)
