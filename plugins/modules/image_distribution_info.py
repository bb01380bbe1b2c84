#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_distribution_info
short_description: Report which of Dragonfly's peers hold which layers of an image
version_added: 1.0.0
description:
  - Returns which layers of an image each host holds, including seed peers, and how many hosts hold each layer.
  - Dragonfly manager 2.2.4 or later computes the distribution itself, and reads the manifest from the registry. Its
    response omits seed peers, so the module also reads the jobs of the type C(get_task) that the manager created, and
    creates such a job for each layer that they do not cover.
  - With earlier releases, the module itself reads the manifest from the registry, and creates a job of the type
    C(get_task) for each layer.
options:
  image:
    description:
      - Image reference such as V(registry.example.com/shop/web:4.2.0), or the URL of a manifest.
    type: str
    required: true
  platform:
    description:
      - One platform of a multi-platform image, such as V(linux/amd64). By default the manager chooses the platform of
        its own host.
    type: str
  wait_timeout:
    description:
      - Maximum time to wait for the result, in seconds or as a duration such as V(30m), from 0s to 7d. All other
        requests, including those to the registry, are limited by O(timeout).
    type: str
    default: 70m
  wait_sleep:
    description:
      - Polling interval for the jobs that the module creates, in seconds or as a duration such as V(1m), from 1s to 1h.
    type: str
    default: 5s
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._task
  - dragonflyoss.dragonfly._registry
  - dragonflyoss.dragonfly._registry.stored
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.query_module
  - dragonflyoss.dragonfly._attributes.action_group
seealso:
  - module: dragonflyoss.dragonfly.task_info
  - module: dragonflyoss.dragonfly.preheat_hit_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: List the peers that hold an image
  dragonflyoss.dragonfly.image_distribution_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0

- name: List the peers of the first cluster that hold an image
  dragonflyoss.dragonfly.image_distribution_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0
    platform: linux/amd64
    scheduler_cluster_ids: [1]
  register: web

- name: Show the peers that hold the complete image
  ansible.builtin.debug:
    msg: "{{ web.peers | selectattr('percentage', 'eq', 100) | map(attribute='hostname') }}"

- name: Continue if the image does not exist
  block:
    - name: List the peers that hold an image
      dragonflyoss.dragonfly.image_distribution_info:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        image: registry.example.com/shop/web:0.0.0
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'manifest_unknown'
"""

RETURN = r"""
image:
  description: The requested image as given, without secrets.
  returned: success
  type: str
  sample: registry.example.com/shop/web:4.2.0
layers:
  description: The config and the layers of the image.
  returned: success
  type: list
  elements: dict
  contains:
    url:
      description: URL of the blob.
      type: str
      sample: https://registry:5000/v2/web/blobs/sha256:a711f05d33845e2e9deffcfcc5adf082d7c6e97e3e3a881d193d9aae38f092a8
    peers:
      description: Number of hosts that hold the blob, including seed peers.
      type: int
      sample: 3
peers:
  description: Hosts that hold at least one layer, including seed peers, without duplicates.
  returned: success
  type: list
  elements: dict
  contains:
    hostname:
      description: Name of the peer's host.
      type: str
      sample: host-1
    ip:
      description: Address of the peer's host.
      type: str
      sample: 10.77.0.11
    type:
      description:
        - V(normal) for a peer, another type such as V(super) for a seed peer. V(null) if the manager does not report
          it.
      type: str
      sample: normal
    scheduler_cluster_id:
      description: ID of the cluster.
      type: int
      sample: 1
    layers:
      description: URLs of the layers that the host holds.
      type: list
      elements: str
      sample: []
    percentage:
      description: Percentage of the layers that the host holds, rounded down.
      type: int
      sample: 75
source:
  description: V(manager) if the manager computed the distribution, V(tasks) if the module queried each layer.
  returned: success
  type: str
  sample: manager
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: POST http://dragonfly-manager:8080/oapi/v1/jobs
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 500
reason:
  description: Stable code of the reason why the task failed.
  returned: failure
  type: str
  sample: manifest_unknown
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import (
    REGISTRY,
    TASK,
    connection,
    duration,
    merged,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image_distribution import image_distribution
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.targets import check_task_params


def image_distribution_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Read which hosts hold which layers of an image."""
    params = module.params
    check_task_params(params)
    return image_distribution(module.client, params, module.registry_for(), module.clock())


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(
            connection("token"),
            TASK,
            REGISTRY,
            image={"type": "str", "required": True},
            platform={"type": "str"},
            wait_timeout=duration("70m"),
            wait_sleep=duration("5s"),
        ),
    )
    module.run(image_distribution_info)


if __name__ == "__main__":
    main()
