#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: peer_info
short_description: Gather information about the peers of a Dragonfly manager
version_added: 1.0.0
description:
  - Returns all peers that the manager knows, or those that match the filters.
  - The manager copies its list of peers from its schedulers. In Dragonfly manager 2.2.0 or later, the list is empty
    until it is refreshed (see O(refresh)).
  - Requires Dragonfly manager 2.1.12 or later.
options:
  refresh:
    description:
      - Whether the manager first queries all its schedulers for their peers (job type C(sync_peers)). This takes about
        ten seconds, or up to ten minutes if a scheduler does not respond. Set O(timeout) accordingly. Requires
        Dragonfly manager 2.1.65 or later.
      - The manager does not report which schedulers did not respond. Their peers are not refreshed.
      - In check mode, the module does not refresh the list.
    type: bool
    default: false
  types:
    description:
      - Return only peers of these types. All types except V(normal) are seed peers.
    type: list
    elements: str
    choices: [normal, super, strong, weak]
    aliases: [type]
  scheduler_cluster_ids:
    description:
      - Return only peers of these scheduler clusters.
    type: list
    elements: int
    aliases: [scheduler_cluster_id]
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.no_token
  - dragonflyoss.dragonfly._connection.jwt
  - dragonflyoss.dragonfly._peer_filters
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - Never modifies state in check mode. Outside of it, O(refresh=true) updates the manager's list of peers.
  idempotent:
    support: full
    details:
      - With O(refresh=true), each run updates the manager's list of peers.
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: List all peers
  dragonflyoss.dragonfly.peer_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"

- name: Refresh the list and return the peers of the first cluster, without seed peers
  dragonflyoss.dragonfly.peer_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"
    refresh: true
    timeout: 600
    type: normal
    scheduler_cluster_id: 1
  register: result

- name: List peers, and do not refresh the list if the manager does not support it
  block:
    - name: List peers after a refresh
      dragonflyoss.dragonfly.peer_info:
        url: http://dragonfly-manager:8080
        jwt: "{{ dragonfly_jwt }}"
        refresh: true
      register: peers
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'no_api'

    - name: List peers without a refresh
      dragonflyoss.dragonfly.peer_info:
        url: http://dragonfly-manager:8080
        jwt: "{{ dragonfly_jwt }}"
      register: peers
"""

RETURN = r"""
peers:
  description: The peers, in the order of the manager. A key is V(null) if the manager's release does not have it.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: ID of the entry.
      type: int
      sample: 1
    hostname:
      description: Name of the host.
      type: str
      sample: host-1
    ip:
      description: IP address that the peer announces.
      type: str
      sample: 10.77.0.11
    port:
      description: Port of the peer's gRPC server.
      type: int
      sample: 4000
    download_port:
      description: Port from which other peers download.
      type: int
      sample: 4000
    proxy_port:
      description: Port of the peer's proxy.
      type: int
      sample: 4001
    type:
      description: V(normal) for a peer, V(super), V(strong) or V(weak) for a seed peer.
      type: str
      sample: normal
    idc:
      description: Data center.
      type: str
      sample: ""
    location:
      description: Location.
      type: str
      sample: ""
    state:
      description: V(active) or V(inactive).
      type: str
      sample: active
    os:
      description: Operating system.
      type: str
      sample: linux
    platform:
      description: Distribution. With the Rust client, the operating system.
      type: str
      sample: linux
    platform_family:
      description: Family of the distribution.
      type: str
      sample: unix
    platform_version:
      description: Release of the distribution.
      type: str
      sample: "12"
    kernel_version:
      description: Release of the kernel.
      type: str
      sample: 6.1.0
    git_version:
      description: Release of the client. A leading C(v) indicates the Go client.
      type: str
      sample: 1.4.2
    git_commit:
      description: Commit of the client.
      type: str
      sample: unknown
    build_platform:
      description: Platform on which the client was built.
      type: str
      sample: ""
    scheduler_cluster_id:
      description: ID of the scheduler cluster.
      type: int
      sample: 1
    created_at:
      description: Time when the entry was created, in RFC 3339 format.
      type: str
      sample: "2026-11-24T23:41:18.609Z"
    updated_at:
      description: Time when the entry was last updated, in RFC 3339 format.
      type: str
      sample: "2026-11-24T23:41:18.609Z"
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET http://dragonfly-manager:8080/api/v1/peers
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 401
reason:
  description: Stable code of the reason why the task failed.
  returned: failure
  type: str
  sample: jwt_unknown
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import PEER_FILTERS, connection, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._peer_lists import (
    PEERS,
    no_peers_warning,
    read_list,
    refresh_peers,
)

FILTERS = dict(
    PEER_FILTERS,
    types={
        "type": "list",
        "elements": "str",
        "choices": ["normal", "super", "strong", "weak"],
        "aliases": ["type"],
    },
    scheduler_cluster_ids={"type": "list", "elements": "int", "aliases": ["scheduler_cluster_id"]},
)


def peer_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Read the peers, refreshed on request."""
    client = module.client("jwt")
    filters = {name: module.params[name] for name in FILTERS}
    refresh = module.params["refresh"]
    if refresh and not module.check_mode:
        refresh_peers(client, module.params["timeout"], module.clock())
    peers = read_list(client, PEERS, filters)
    if not (peers or refresh or any(filters.values())):
        module.warn(no_peers_warning(module.params["url"]))
    return {"changed": False, "peers": peers}


def main() -> None:
    """Run the module."""
    spec = merged(connection("jwt", "username", "password"), FILTERS, refresh={"type": "bool", "default": False})
    DragonflyModule(argument_spec=spec).run(peer_info)


if __name__ == "__main__":
    main()
