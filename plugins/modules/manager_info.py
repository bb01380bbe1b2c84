#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: manager_info
short_description: Report the release of a Dragonfly manager and whether it can preheat
version_added: 1.0.0
description:
  - Returns the possible releases of the manager, the job types and options that these releases support, and for each
    cluster whether it has the schedulers and seed peers that a preheat requires.
  - The manager does not report its release. The module derives it from the routes of the API and from the newest
    preheat job. For some hours after an upgrade, that job can still be from the previous release.
  - With O(token) instead of O(jwt), the module reads the release only, and RV(clusters) is V(null).
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
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
- name: Read the release of a manager
  dragonflyoss.dragonfly.manager_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"

- name: Fail before the rollout if the manager cannot preheat
  dragonflyoss.dragonfly.manager_info:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"
  register: manager
  failed_when: manager is failed or manager.can_preheat is false

- name: Continue if the session has expired
  block:
    - name: Read the clusters of a manager
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
  description: Possible releases of the manager, as text.
  returned: success
  type: str
  sample: 2.2.4 or later, before 2.3.1
release_since:
  description: First possible release. V(null) if unknown.
  returned: success
  type: str
  sample: 2.2.4
release_before:
  description: First release after the possible ones. V(null) if the newest release is possible.
  returned: success
  type: str
  sample: 2.3.1
job_types:
  description:
    - Whether the manager supports each job type. V(null) if the possible releases differ.
  returned: success
  type: dict
  sample: {preheat: true, get_task: true, delete_task: true, sync_peers: true, gc: true, get_image_distribution: true}
preheat_options:
  description:
    - Whether the manager supports each option of M(dragonflyoss.dragonfly.preheat) that is sent to it. V(null) if the
      possible releases differ.
  returned: success
  type: dict
  sample: {headers: true, count: true, ips: false, object_storage: false}
can_preheat_go_clients:
  description:
    - Whether schedulers of these releases can preheat seed peers with the Go client. V(null) if the possible releases
      differ.
  returned: success
  type: bool
  sample: true
schedulers:
  description:
    - Number of active schedulers with the feature V(preheat), in all clusters. V(null) if only a token is given.
  returned: success
  type: int
  sample: 1
seed_peers:
  description:
    - Number of active seed peers that the manager knows, in all clusters. Seed peers with a recent Rust client count
      only after M(dragonflyoss.dragonfly.peer_info) with O(dragonflyoss.dragonfly.peer_info#module:refresh=true).
    - V(null) if only a token is given.
  returned: success
  type: int
  sample: 1
clusters:
  description: The clusters. V(null) if only a token is given.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: ID of the cluster, as in O(dragonflyoss.dragonfly.preheat#module:scheduler_cluster_ids).
      type: int
      sample: 1
    name:
      description: Name of the cluster.
      type: str
      sample: cluster-1
    schedulers:
      description: Number of active schedulers with the feature V(preheat).
      type: int
      sample: 1
    seed_peers:
      description: Number of active seed peers that the manager knows.
      type: int
      sample: 1
    can_preheat:
      description: Whether a preheat can work in this cluster. V(null) if unknown.
      type: bool
      sample: true
    verdict:
      description: The reason, as text.
      type: str
      sample: 1 active scheduler with the feature preheat and 1 active seed peer
can_preheat:
  description: Whether a preheat can work in any cluster. V(null) if unknown.
  returned: success
  type: bool
  sample: true
verdict:
  description: The result as text, with each cluster.
  returned: success
  type: str
  sample: >-
    A preheat can work. Cluster 1 (cluster-1): 1 active scheduler with the feature preheat and 1 active seed peer.
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET http://dragonfly-manager:8080/api/v1/scheduler-clusters
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

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import CONNECTION
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._manager_status import (
    read_clusters,
    read_releases,
    summarize,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._release import Releases, format_release
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import (
    FIRST_WITHOUT_GO_SEEDS,
    is_known,
    known_job_types,
    known_options,
)

_WITHOUT_CLUSTERS = {
    "schedulers": None,
    "seed_peers": None,
    "clusters": None,
    "can_preheat": None,
    "verdict": "Whether a preheat can work is unknown: reading the clusters requires jwt, or username and password.",
}


def manager_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Read the release of a manager, and its clusters if a JWT is given or can be obtained."""
    has_token_only = module.params["token"] and not (module.params["jwt"] or module.params["username"])
    client = module.client("token" if has_token_only else "jwt")
    if not has_token_only:
        client.use_console_jobs()
    releases = read_releases(client, module.client(None), module.clock(), access_required=bool(has_token_only))
    return {
        "changed": False,
        "release": str(releases),
        "release_since": format_release(releases.low),
        "release_before": format_release(releases.high),
        "job_types": known_job_types(releases),
        "preheat_options": known_options(releases),
        "can_preheat_go_clients": is_known(Releases(high=FIRST_WITHOUT_GO_SEEDS), releases),
        **(_WITHOUT_CLUSTERS if has_token_only else _cluster_values(client, releases)),
    }


def _cluster_values(client: DragonflyClient, releases: Releases) -> dict[str, t.Any]:
    clusters = read_clusters(client, releases)
    can_preheat, message = summarize(clusters)
    return {
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
