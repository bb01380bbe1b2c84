#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Make, change and delete clusters of a Dragonfly manager
version_added: 1.0.0
description:
  - Manages a cluster, which is a scheduler cluster and its seed peer cluster. What is not named stays as it is.
  - The module reads back what it wrote. It fails if the manager did not take an option, as managers do with what their
    release does not know.
options:
  name:
    description:
      - Name of the cluster, which is unique in a manager. With O(id), the name that it is to have.
    type: str
  id:
    description:
      - ID of an existing cluster, to rename it. By default the cluster is identified by O(name).
    type: int
  state:
    description:
      - V(present) makes the cluster, or changes what is named and differs. V(absent) deletes it.
      - A manager deletes no cluster to which schedulers or seed peers belong.
    type: str
    choices: [present, absent]
    default: present
  bio:
    description:
      - A description. It can be changed, but a manager cannot empty it.
    type: str
  is_default:
    description:
      - Whether hosts that no scope fits are in this cluster.
      - A manager does not take it from another cluster that has it.
    type: bool
  scopes:
    description:
      - Which hosts are in this cluster. What is not named in it stays as it is; an empty value empties.
    type: dict
    suboptions:
      idc:
        description: Data centers, separated by V(|).
        type: str
      location:
        description: Location, its parts separated by V(|).
        type: str
      cidrs:
        description: Networks of the hosts.
        type: list
        elements: str
      hostnames:
        description: Regular expressions of the hosts' names. Releases of 2.1.0 do not know it.
        type: list
        elements: str
  scheduler_cluster_config:
    description:
      - What the schedulers do. What is not named in it stays as it is.
    type: dict
    suboptions:
      candidate_parent_limit:
        description: How many parents a peer gets, 1 to 20. A new cluster has V(4) if not set.
        type: int
      filter_parent_limit:
        description: Among how many parents a scheduler chooses, 10 to 1000. A new cluster has V(15) if not set.
        type: int
      job_rate_limit:
        description:
          - How many jobs a second the manager makes for this cluster, 1 to 1000000. A new cluster has V(10) if not set.
          - Releases before 2.1.63 do not know it.
        type: int
  seed_peer_cluster_config:
    description:
      - What the seed peers do. What is not named in it stays as it is.
    type: dict
    suboptions:
      load_limit:
        description: How many uploads a seed peer serves at a time, 1 to 50000. A new cluster has V(2000) if not set.
        type: int
      block_list:
        description:
          - What seed peers refuse, in Dragonfly's own form. What is not named in it stays; lists are replaced whole.
          - Releases up to 2.3 do not know it.
        type: dict
  peer_cluster_config:
    description:
      - What the peers do. What is not named in it stays as it is.
    type: dict
    suboptions:
      load_limit:
        description: How many uploads a peer serves at a time, 1 to 2000. A new cluster has V(200) if not set.
        type: int
      block_list:
        description:
          - What peers refuse, in Dragonfly's own form. What is not named in it stays; lists are replaced whole.
          - Releases up to 2.3 do not know it.
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
  - The O(token) must have the scope C(cluster). Releases before 2.1.9 want a O(jwt) instead. Where both are set, the
    one that the release wants is used.
  - Releases before 2.1.0 are not supported.
  - For some minutes after a cluster was made, a manager may refuse jobs for it with 429.
seealso:
  - module: dragonflyoss.dragonfly.cluster_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Have a cluster
  dragonflyoss.dragonfly.cluster:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    name: site-b

- name: Have a cluster for the hosts of a site, with fewer uploads from each host
  dragonflyoss.dragonfly.cluster:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    name: site-a
    bio: All nodes of site A
    scopes:
      idc: site-a
      cidrs: [10.77.0.0/16]
    peer_cluster_config:
      load_limit: 50
      block_list:
        task:
          download:
            tags: [debug]

- name: Delete a cluster, unless schedulers belong to it
  block:
    - name: Delete it
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
  description: The cluster as it is now, or would be in check mode. It is null where there is none.
  returned: success
  type: dict
  contains:
    id:
      description: ID of the cluster, null in check mode for one that would be created.
      type: int
      returned: success
      sample: 2
    name:
      description: Name of the cluster.
      type: str
      returned: success
      sample: site-a
    bio:
      description: The description.
      type: str
      returned: success
      sample: All nodes of site A
    is_default:
      description: Whether hosts that no scope fits are in this cluster.
      type: bool
      returned: success
      sample: false
    scopes:
      description: Which hosts are in this cluster, C(idc), C(location), C(cidrs) and C(hostnames).
      type: dict
      returned: success
      sample: {idc: site-a, location: "", cidrs: [10.77.0.0/16], hostnames: []}
    scheduler_cluster_config:
      description: What the schedulers do. The keys are those of this release.
      type: dict
      returned: success
      sample: {candidate_parent_limit: 4, filter_parent_limit: 15, job_rate_limit: 10}
    seed_peer_cluster_config:
      description: What the seed peers do. The keys are those of this release.
      type: dict
      returned: success
      sample: {load_limit: 2000}
    peer_cluster_config:
      description: What the peers do. The keys are those of this release.
      type: dict
      returned: success
      sample: {load_limit: 50}
    created_at:
      description: Time when it was created, as reported by the manager.
      type: str
      returned: success
      sample: "2026-11-24T22:22:05Z"
    updated_at:
      description: When it was changed, as reported by the manager.
      type: str
      returned: success
      sample: "2026-11-24T22:22:05Z"
request:
  description: The request that failed, V(null) if nothing was requested.
  returned: failure
  type: str
  sample: GET /oapi/v1/jobs
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: failure
  type: int
  sample: 401
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
    clusters = Clusters(client, path, module.clock(), module.params)
    return clusters.result(clusters.ensure(desired, module.check_mode))


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
