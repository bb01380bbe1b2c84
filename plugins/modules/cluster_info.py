#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Gather information about the clusters of a Dragonfly manager
version_added: 1.0.0
description:
  - Returns all clusters, or those with the given name or ID. Pass the IDs to
    O(dragonflyoss.dragonfly.preheat#module:scheduler_cluster_ids).
options:
  id:
    description:
      - Return only the cluster with this ID. The module fails if it does not exist.
      - Mutually exclusive with O(name).
    type: int
  name:
    description:
      - Return only clusters with this name. The list is empty if there are none.
      - Mutually exclusive with O(id).
    type: str
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.jwt
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
notes:
  - The O(token) must have the scope C(cluster). Dragonfly manager releases before 2.1.9 require a O(jwt) instead. If
    both are set, the module uses the one that the release requires.
  - Requires Dragonfly manager 2.1.0 or later.
seealso:
  - module: dragonflyoss.dragonfly.cluster
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: List all clusters
  dragonflyoss.dragonfly.cluster_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
  register: all_clusters

- name: Preheat an image in the clusters whose name begins with cluster-
  dragonflyoss.dragonfly.preheat:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0
    scheduler_cluster_ids: "{{ all_clusters.clusters | selectattr('name', 'match', 'cluster-') | map(attribute='id') }}"

- name: Continue if the cluster does not exist
  block:
    - name: Read the cluster
      dragonflyoss.dragonfly.cluster_info:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        id: 4711
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'not_found'
"""

RETURN = r"""
clusters:
  description: The clusters.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: ID of the cluster.
      type: int
      sample: 1
    name:
      description: Name of the cluster.
      type: str
      sample: cluster-1
    bio:
      description: Description of the cluster.
      type: str
      sample: All hosts of site A
    is_default:
      description: Whether this cluster serves hosts that match no scope.
      type: bool
      sample: true
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
      sample: {load_limit: 200}
    created_at:
      description: Time when the cluster was created, as reported by the manager.
      type: str
      sample: "2026-11-24T22:21:57Z"
    updated_at:
      description: Time when the cluster was last changed, as reported by the manager.
      type: str
      sample: "2026-11-24T22:21:57Z"
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET http://dragonfly-manager:8080/oapi/v1/clusters/4711
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 404
reason:
  description: Stable code of the reason why the task failed.
  returned: failure
  type: str
  sample: not_found
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import CONNECTION, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._clusters import Clusters, cluster_api
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule


def cluster_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Read one cluster, or all."""
    client, path = cluster_api(module.client, module.params)
    clusters = Clusters(client, path, module.clock(), module.params)
    rows = clusters.read_all() if module.params["id"] is None else [clusters.read_by_id()]
    return {"changed": False, "clusters": [clusters.shown(row) for row in rows]}


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(CONNECTION, id={"type": "int"}, name={"type": "str"}),
        mutually_exclusive=[["id", "name"]],
    )
    module.run(cluster_info)


if __name__ == "__main__":
    main()
