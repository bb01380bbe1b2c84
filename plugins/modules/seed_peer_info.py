#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: seed_peer_info
short_description: Gather information about the seed peers of a Dragonfly manager
version_added: 1.0.0
description:
  - Returns all seed peers that the manager knows, or those that match the filters.
  - Rust clients of about release 1.2 or later announce themselves to the schedulers only, so this list does not contain
    them. To find them, use M(dragonflyoss.dragonfly.peer_info) with
    O(dragonflyoss.dragonfly.peer_info#module:refresh=true), and select all types except V(normal).
options:
  types:
    description:
      - Return only seed peers of these types.
    type: list
    elements: str
    choices: [super, strong, weak]
    aliases: [type]
  seed_peer_cluster_ids:
    description:
      - Return only seed peers of these seed peer clusters. If a cluster was created in the console or with
        M(dragonflyoss.dragonfly.cluster), its seed peer cluster and its scheduler cluster have the same ID.
    type: list
    elements: int
    aliases: [seed_peer_cluster_id]
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.no_token
  - dragonflyoss.dragonfly._connection.jwt
  - dragonflyoss.dragonfly._peer_filters
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: List all seed peers
  dragonflyoss.dragonfly.seed_peer_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"

- name: List all seed peers as a user instead of with a session token
  dragonflyoss.dragonfly.seed_peer_info:
    url: http://dragonfly-manager:8080
    username: root
    password: "{{ dragonfly_password }}"

- name: Fail if a seed peer of the first cluster is inactive
  dragonflyoss.dragonfly.seed_peer_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"
    state: inactive
    seed_peer_cluster_id: 1
  register: lost
  failed_when: lost.seed_peers | length > 0

- name: Add advice to the error if the seed peers cannot be read
  block:
    - name: List all seed peers
      dragonflyoss.dragonfly.seed_peer_info:
        url: http://dragonfly-manager:8080
        jwt: "{{ dragonfly_jwt }}"
  rescue:
    - name: Fail with advice
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }} (Contact the operators of Dragonfly.)"
"""

RETURN = r"""
seed_peers:
  description: The seed peers, in the order of the manager. A key is V(null) if the manager's release does not have it.
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
      sample: seed-1
    ip:
      description: IP address that the seed peer announces.
      type: str
      sample: 10.77.0.1
    port:
      description: Port of the seed peer's gRPC server.
      type: int
      sample: 65006
    download_port:
      description: Port from which other peers download.
      type: int
      sample: 65008
    type:
      description: V(super), V(strong) or V(weak).
      type: str
      sample: super
    idc:
      description: Data center.
      type: str
      sample: ""
    location:
      description: Location.
      type: str
      sample: ""
    state:
      description: V(active) if the seed peer regularly contacts the manager, V(inactive) otherwise.
      type: str
      sample: active
    seed_peer_cluster_id:
      description: ID of the seed peer cluster.
      type: int
      sample: 1
    created_at:
      description: Time when the entry was created, in RFC 3339 format.
      type: str
      sample: "2026-11-24T22:28:05Z"
    updated_at:
      description: Time when the entry was last updated, in RFC 3339 format.
      type: str
      sample: "2026-11-24T22:28:10.005Z"
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET http://dragonfly-manager:8080/api/v1/seed-peers
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
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._peer_lists import SEED_PEERS, read_list

FILTERS = dict(
    PEER_FILTERS,
    types={"type": "list", "elements": "str", "choices": ["super", "strong", "weak"], "aliases": ["type"]},
    seed_peer_cluster_ids={"type": "list", "elements": "int", "aliases": ["seed_peer_cluster_id"]},
)


def seed_peer_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Read the seed peers."""
    filters = {name: module.params[name] for name in FILTERS}
    return {"changed": False, "seed_peers": read_list(module.client("jwt"), SEED_PEERS, filters)}


def main() -> None:
    """Run the module."""
    DragonflyModule(argument_spec=merged(connection("jwt", "username", "password"), FILTERS)).run(seed_peer_info)


if __name__ == "__main__":
    main()
