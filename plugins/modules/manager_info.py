#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: manager_info
short_description: Tell what a Dragonfly manager is and whether a preheat can work at all
version_added: 1.0.0
description:
  - Tells which releases the manager can be of, what such a manager knows, and for each cluster whether it has the
    schedulers and seed peers that a preheat needs.
  - No manager tells its release. It is narrowed down by which routes there are and by the newest preheat job, which for
    some hours after an upgrade can be one of the release before.
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.no_token
  - dragonflyoss.dragonfly._connection.jwt
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
seealso:
  - module: dragonflyoss.dragonfly.login
  - module: dragonflyoss.dragonfly.peer_info
  - module: dragonflyoss.dragonfly.preheat
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Look at a manager
  dragonflyoss.dragonfly.manager_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"

- name: Stop before the rollout where nothing can be preheated
  dragonflyoss.dragonfly.manager_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"
  register: manager
  failed_when: manager is failed or manager.can_preheat is false

- name: Go on without a look where the sign-in is over
  block:
    - name: Look at a manager
      dragonflyoss.dragonfly.manager_info:
        url: http://dragonfly-manager:8080
        jwt: "{{ dragonfly_jwt }}"
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'jwt_unknown'
"""

RETURN = r"""
release:
  description: The releases that the manager can be of, in words.
  returned: success
  type: str
  sample: 2.2.4 or later, before 2.3.1
release_since:
  description: The first of these releases. V(null) where nothing is known.
  returned: success
  type: str
  sample: 2.2.4
release_before:
  description: The first release that is too new. V(null) where it can be the newest.
  returned: success
  type: str
  sample: 2.3.1
job_types:
  description:
    - Whether the manager takes each type of job (V(true), V(false)); V(null) where the releases do not agree.
  returned: success
  type: dict
  sample: {preheat: true, get_task: true, delete_task: true, sync_peers: true, gc: true, get_image_distribution: true}
preheat_options:
  description:
    - Whether the manager knows each option of M(dragonflyoss.dragonfly.preheat) that reaches it. V(null) where the
      releases do not agree.
  returned: success
  type: dict
  sample: {headers: true, count: true, ips: false, object_storage: false}
schedulers:
  description: Number of active schedulers with the feature V(preheat), in all clusters.
  returned: success
  type: int
  sample: 1
seed_peers:
  description:
    - Number of active seed peers that the manager knows, in all clusters. Newer Rust ones are only known after
      M(dragonflyoss.dragonfly.peer_info) with O(dragonflyoss.dragonfly.peer_info#module:refresh=true).
  returned: success
  type: int
  sample: 1
clusters:
  description: The clusters.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id, as in O(dragonflyoss.dragonfly.preheat#module:scheduler_cluster_ids).
      type: int
      returned: success
      sample: 1
    name:
      description: Name.
      type: str
      returned: success
      sample: cluster-1
    schedulers:
      description: Number of active schedulers with the feature V(preheat).
      type: int
      returned: success
      sample: 1
    seed_peers:
      description: Number of active seed peers that the manager knows.
      type: int
      returned: success
      sample: 1
    can_preheat:
      description: Whether a preheat can work here. V(null) where that cannot be told.
      type: bool
      returned: success
      sample: true
    verdict:
      description: Why, in words.
      type: str
      returned: success
      sample: 1 active scheduler with the feature preheat and 1 active seed peer
can_preheat:
  description: Whether a preheat can work in any cluster. V(null) where that cannot be told.
  returned: success
  type: bool
  sample: true
verdict:
  description: The same in words, with each cluster.
  returned: success
  type: str
  sample: >-
    A preheat can work. Cluster 1 (cluster-1): 1 active scheduler with the feature preheat and 1 active seed peer.
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
  description: A stable code for why the task failed.
  returned: failure
  type: str
  sample: jwt_unknown
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import CONNECTION
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._manager_status import (
    read_clusters,
    read_releases,
    summarize,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._release import format_release
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import (
    known_job_types,
    known_options,
)


def manager_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Read what a manager is and knows."""
    client = module.client("jwt")
    releases = read_releases(client, module.client(None), module.clock())
    clusters = read_clusters(client, releases)
    can_preheat, message = summarize(clusters)
    return {
        "changed": False,
        "release": str(releases),
        "release_since": format_release(releases.low),
        "release_before": format_release(releases.high),
        "job_types": known_job_types(releases),
        "preheat_options": known_options(releases),
        "schedulers": sum(cluster["schedulers"] for cluster in clusters),
        "seed_peers": sum(cluster["seed_peers"] for cluster in clusters),
        "clusters": clusters,
        "can_preheat": can_preheat,
        "verdict": message,
    }


def main() -> None:
    """Run the module."""
    DragonflyModule(argument_spec=CONNECTION).run(manager_info)


if __name__ == "__main__":
    main()
