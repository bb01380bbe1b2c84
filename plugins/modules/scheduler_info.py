#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scheduler_info
short_description: Gather information about the schedulers of a Dragonfly manager
version_added: 1.0.0
description:
  - Returns all schedulers that the manager knows, or those that match the filters.
  - A preheat requires an active scheduler with the feature V(preheat) in each cluster.
    M(dragonflyoss.dragonfly.manager_info) checks it for all clusters.
options:
  scheduler_cluster_ids:
    description:
      - Return only schedulers of these clusters.
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
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: List all schedulers
  dragonflyoss.dragonfly.scheduler_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"

- name: Fail if no scheduler of the first cluster accepts preheats
  dragonflyoss.dragonfly.scheduler_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"
    state: active
    scheduler_cluster_id: 1
  register: schedulers_of_1
  failed_when: schedulers_of_1.schedulers | selectattr('features', 'contains', 'preheat') | length < 1

- name: Add advice to the error if the schedulers cannot be read
  block:
    - name: List all schedulers
      dragonflyoss.dragonfly.scheduler_info:
        url: http://dragonfly-manager:8080
        jwt: "{{ dragonfly_jwt }}"
  rescue:
    - name: Fail with advice
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }} (Contact the operators of Dragonfly.)"
"""

RETURN = r"""
schedulers:
  description: The schedulers, in the order of the manager. A key is V(null) if the manager's release does not have it.
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
      sample: scheduler-1
    ip:
      description: IP address that the scheduler announces.
      type: str
      sample: 10.77.0.1
    port:
      description: Port of the scheduler's gRPC server.
      type: int
      sample: 8002
    idc:
      description: Data center.
      type: str
      sample: ""
    location:
      description: Location.
      type: str
      sample: ""
    state:
      description: V(active) if the scheduler regularly contacts the manager, V(inactive) otherwise.
      type: str
      sample: active
    features:
      description: Features of the scheduler. If V(preheat) is missing, it does not accept jobs (see C(job.enable) in
        its configuration).
      type: list
      elements: str
      sample: [schedule, preheat]
    scheduler_cluster_id:
      description: ID of the scheduler cluster.
      type: int
      sample: 1
    last_keep_alive_at:
      description: Time when the scheduler last contacted the manager, in RFC 3339 format. Requires Dragonfly manager
        2.3.1 or later.
      type: str
      sample: "2026-11-24T23:36:00.924Z"
    created_at:
      description: Time when the entry was created, in RFC 3339 format.
      type: str
      sample: "2026-11-24T22:40:50.91Z"
    updated_at:
      description: Time when the entry was last updated, in RFC 3339 format.
      type: str
      sample: "2026-11-24T23:36:00.924Z"
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET http://dragonfly-manager:8080/api/v1/schedulers
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
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._peer_lists import SCHEDULERS, read_list

FILTERS = dict(
    PEER_FILTERS,
    scheduler_cluster_ids={"type": "list", "elements": "int", "aliases": ["scheduler_cluster_id"]},
)


def scheduler_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Read the schedulers."""
    filters = {name: module.params[name] for name in FILTERS}
    return {"changed": False, "schedulers": read_list(module.client("jwt"), SCHEDULERS, filters)}


def main() -> None:
    """Run the module."""
    DragonflyModule(argument_spec=merged(connection("jwt", "username", "password"), FILTERS)).run(scheduler_info)


if __name__ == "__main__":
    main()
