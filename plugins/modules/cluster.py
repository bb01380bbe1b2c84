#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Manage clusters of a Dragonfly manager
version_added: 1.0.0
description:
  - Creates, updates and deletes clusters. A cluster consists of a scheduler cluster and its seed peer cluster. Options
    that are not set are not changed.
  - The module verifies what the manager stored. It fails if the manager silently ignored an option that its release
    does not support.
options:
  name:
    description:
      - Name of the cluster. It is unique in a manager. With O(id), the new name of the cluster.
    type: str
  id:
    description:
      - ID of an existing cluster, to rename it. By default the cluster is identified by O(name).
    type: int
  state:
    description:
      - V(present) creates the cluster, or updates the options that are set and differ. V(absent) deletes the cluster.
      - The manager does not delete a cluster that has schedulers or seed peers.
      - In check mode, the module fails for a cluster that has schedulers. Listing them requires a O(jwt), or
        O(username) and O(password). With only a O(token), the module warns.
    type: str
    choices: [present, absent]
    default: present
  bio:
    description:
      - Description of the cluster. It can be changed, but not removed.
    type: str
  is_default:
    description:
      - Whether this cluster serves hosts that match no scope.
      - The manager does not reset this setting in other clusters.
    type: bool
  scopes:
    description:
      - Hosts of this cluster. Suboptions that are not set are not changed. An empty value removes the setting.
    type: dict
    suboptions:
      idc:
        description: Data centers, separated by C(|).
        type: str
      location:
        description: Location, with its parts separated by C(|).
        type: str
      cidrs:
        description: Networks of the hosts, such as V(10.77.0.0/16).
        type: list
        elements: str
      hostnames:
        description: Regular expressions (of Go) that match host names. Requires Dragonfly manager 2.1.33 or later.
        type: list
        elements: str
  scheduler_cluster_config:
    description:
      - Configuration of the schedulers. Suboptions that are not set are not changed.
    type: dict
    suboptions:
      candidate_parent_limit:
        description: Maximum number of parents of a peer, from 1 to 20. Defaults to V(4) in a new cluster.
        type: int
      filter_parent_limit:
        description: Number of parents from which a scheduler selects, from 10 to 1000. Defaults to V(15) in a new
          cluster.
        type: int
      job_rate_limit:
        description:
          - Maximum number of jobs that the manager creates per second for this cluster, from 1 to 1000000. Defaults to
            V(10) in a new cluster.
          - Requires Dragonfly manager 2.1.63 or later.
        type: int
  seed_peer_cluster_config:
    description:
      - Configuration of the seed peers. Suboptions that are not set are not changed.
    type: dict
    suboptions:
      load_limit:
        description: Maximum number of concurrent uploads of a seed peer, from 1 to 50000. Defaults to V(2000) in a new
          cluster.
        type: int
      block_list:
        description:
          - Requests that the seed peers reject, in Dragonfly's own format. Keys that are not set are not changed. Lists
            are replaced.
          - Requires Dragonfly manager 2.4.2 or later.
        type: dict
  peer_cluster_config:
    description:
      - Configuration of the peers. Suboptions that are not set are not changed.
    type: dict
    suboptions:
      load_limit:
        description: Maximum number of concurrent uploads of a peer, from 1 to 2000. Defaults to V(200) in a new
          cluster.
        type: int
      block_list:
        description:
          - Requests that the peers reject, in Dragonfly's own format. Keys that are not set are not changed. Lists are
            replaced.
          - Requires Dragonfly manager 2.4.2 or later.
        type: dict
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.jwt
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - The O(token) must have the scope C(cluster). Dragonfly manager releases before 2.1.9 require a O(jwt) instead. If
    both are set, the module uses the one that the release requires.
  - Requires Dragonfly manager 2.1.0 or later.
  - For some minutes after a cluster is created, the manager may reject jobs for it with the HTTP status 429.
seealso:
  - module: dragonflyoss.dragonfly.cluster_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Create a cluster
  dragonflyoss.dragonfly.cluster:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    name: site-b

- name: Create a cluster for the hosts of a site, with fewer uploads from each host
  dragonflyoss.dragonfly.cluster:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    name: site-a
    bio: All hosts of site A
    scopes:
      idc: site-a
      cidrs: [10.77.0.0/16]
    peer_cluster_config:
      load_limit: 50
      block_list:
        task:
          download:
            tags: [debug]

- name: Continue if the cluster is still in use
  block:
    - name: Delete the cluster
      dragonflyoss.dragonfly.cluster:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        name: cluster-1
        state: absent
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'in_use'
"""

RETURN = r"""
cluster:
  description: The resulting cluster. In check mode, the predicted one. V(null) if it does not exist.
  returned: success
  type: dict
  contains:
    id:
      description: ID of the cluster, V(null) in check mode if it would be created.
      type: int
      sample: 2
    name:
      description: Name of the cluster.
      type: str
      sample: site-a
    bio:
      description: Description of the cluster.
      type: str
      sample: All hosts of site A
    is_default:
      description: Whether this cluster serves hosts that match no scope.
      type: bool
      sample: false
    scopes:
      description: Hosts of this cluster, by C(idc), C(location), C(cidrs) and C(hostnames).
      type: dict
      sample: {idc: site-a, location: "", cidrs: [10.77.0.0/16], hostnames: []}
    scheduler_cluster_config:
      description: Configuration of the schedulers. The keys depend on the manager's release.
      type: dict
      sample: {candidate_parent_limit: 4, filter_parent_limit: 15, job_rate_limit: 10}
    seed_peer_cluster_config:
      description: Configuration of the seed peers. The keys depend on the manager's release.
      type: dict
      sample: {load_limit: 2000}
    peer_cluster_config:
      description: Configuration of the peers. The keys depend on the manager's release.
      type: dict
      sample: {load_limit: 50}
    created_at:
      description: Time when the cluster was created, as reported by the manager.
      type: str
      sample: "2026-11-24T22:22:05Z"
    updated_at:
      description: Time when the cluster was last changed, as reported by the manager.
      type: str
      sample: "2026-11-24T22:22:05Z"
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: DELETE http://dragonfly-manager:8080/oapi/v1/clusters/1
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 500
reason:
  description: Stable code of the reason why the task failed, such as V(in_use) or V(not_taken).
  returned: failure
  type: str
  sample: in_use
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import CONNECTION, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._clusters import (
    RANGES,
    Clusters,
    cluster_api,
    desired_cluster,
    scheduler_finder,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule

SCOPES = {
    "idc": {"type": "str"},
    "location": {"type": "str"},
    "cidrs": {"type": "list", "elements": "str"},
    "hostnames": {"type": "list", "elements": "str"},
}


def cluster(module: DragonflyModule) -> dict[str, t.Any]:
    """Bring a cluster to the desired state."""
    desired = desired_cluster(module.params)
    client, path = cluster_api(module.client, module.params)
    schedulers = scheduler_finder(module.client, module.params)
    clusters = Clusters(client, path, module.clock(), module.params, schedulers)
    result = clusters.result(clusters.ensure(desired, module.check_mode))
    for warning in clusters.warnings:
        module.warn(warning)
    return result


def main() -> None:
    """Run the module."""
    configs: dict[str, dict[str, t.Any]] = {}
    for key, ranges in RANGES.items():
        configs[key] = {"type": "dict", "options": {name: {"type": "int"} for name in ranges}}
    for key in ("seed_peer_cluster_config", "peer_cluster_config"):
        configs[key]["options"]["block_list"] = {"type": "dict"}
    module = DragonflyModule(
        argument_spec=merged(
            CONNECTION,
            name={"type": "str"},
            id={"type": "int"},
            state={"type": "str", "choices": ["present", "absent"], "default": "present"},
            bio={"type": "str"},
            is_default={"type": "bool"},
            scopes={"type": "dict", "options": SCOPES},
            **configs,
        ),
        required_one_of=[["id", "name"]],
    )
    module.run(cluster)


if __name__ == "__main__":
    main()
