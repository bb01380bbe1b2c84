#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: task_info
short_description: Report which of Dragonfly's peers hold an image or file
version_added: 1.0.0
description:
  - Queries the schedulers for the peers that hold a task. Dragonfly caches each URL as one task, so an image consists
    of one task for each blob.
  - A Rust client holds a task as soon as it begins to fetch it. Dragonfly manager 2.4.0 or later reports whether it is
    complete, see RV(tasks[].peers[].finished).
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._task
  - dragonflyoss.dragonfly._task.sources
  - dragonflyoss.dragonfly._wait
  - dragonflyoss.dragonfly._registry
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.query_module
  - dragonflyoss.dragonfly._attributes.action_group
seealso:
  - module: dragonflyoss.dragonfly.image_distribution_info
  - module: dragonflyoss.dragonfly.task
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: List the peers that hold an image
  dragonflyoss.dragonfly.task_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0

- name: List the peers of the first cluster that hold a model
  dragonflyoss.dragonfly.task_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    file: https://models.example.com/shop/model.bin
    scheduler_cluster_ids: [1]
  register: model

- name: Show those that are not seed peers
  ansible.builtin.debug:
    msg: "{{ model.tasks[0].peers | selectattr('type', 'eq', 'normal') | map(attribute='hostname') }}"

- name: Continue if the manager is too old
  block:
    - name: List the peers that hold a task
      dragonflyoss.dragonfly.task_info:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        task_id: b6922209dc9616f8736a860e93c3cd7288a4e801517f88eec3df514606d18cdf
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'no_api'
"""

RETURN = r"""
tasks:
  description: The tasks.
  returned: if jobs were created
  type: list
  elements: dict
  contains:
    source:
      description: The image, file or task ID of the request.
      type: str
      returned: always
      sample: registry.example.com/shop/web:4.2.0
    url:
      description: URL of the task, without secrets. V(null) if the request contained its ID.
      type: str
      returned: always
      sample: https://registry:5000/v2/web/blobs/sha256:a711f05d33845e2e9deffcfcc5adf082d7c6e97e3e3a881d193d9aae38f092a8
    task_id:
      description: ID of the task if the request contained it, V(null) otherwise.
      type: str
      returned: always
      sample: null
    job_id:
      description: ID of the job.
      type: int
      returned: always
      sample: 31
    state:
      description: State of the job.
      type: str
      returned: always
      sample: SUCCESS
    peers:
      description:
        - Hosts that hold the task, without duplicates. V(null) if unknown. With Dragonfly manager 2.3.1 or later, each
          host reports what is on its disk. Earlier releases report what the scheduler remembers.
      type: list
      elements: dict
      returned: always
      contains:
        hostname:
          description: Name of the peer's host.
          type: str
          returned: always
          sample: host-1
        ip:
          description: Address of the peer's host.
          type: str
          returned: always
          sample: 10.77.0.11
        type:
          description: V(normal) for a peer, another type such as V(super) for a seed peer.
          type: str
          returned: always
          sample: normal
        finished:
          description: Whether the host holds the complete task. V(null) before Dragonfly manager 2.4.0.
          type: bool
          returned: always
          sample: true
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
          returned: always
          sample: 1
        created_at:
          description: Time when the host joined, in RFC 3339 format. Before Dragonfly manager 2.3.1, time when the peer
            began to fetch.
          type: str
          returned: always
          sample: "2026-11-24T23:40:05Z"
        updated_at:
          description: Time when the host or peer last reported to the scheduler, in RFC 3339 format.
          type: str
          returned: always
          sample: "2026-11-24T23:40:05Z"
    reason:
      description: Stable code of the reason why the peers are unknown, V(null) if they are known.
      type: str
      returned: always
      sample: null
    message:
      description: The reason as text.
      type: str
      returned: always
      sample: null
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: POST http://dragonfly-manager:8080/oapi/v1/jobs
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 401
reason:
  description: Stable code of the reason why the task failed.
  returned: failure
  type: str
  sample: token_unknown
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import (
    REGISTRY,
    TASK,
    TASK_SOURCES,
    WAIT,
    connection,
    merged,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.hosts import holders
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.jobs import TaskJobs, failure
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.targets import (
    SOURCES,
    check_task_params,
    find_targets,
)


def task_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Read which peers hold tasks."""
    params = module.params
    check_task_params(params)
    client = module.client()
    targets = find_targets(params, module.registry_for())
    jobs = TaskJobs(client, "get_task", params, module.clock()).run(targets)
    tasks = [dict(job.result(), peers=holders(job.job) if job.job and job.done else None) for job in jobs]
    return dict({"changed": False, "tasks": tasks}, **failure(jobs, "looked up"))


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(connection("token"), TASK, TASK_SOURCES, WAIT, REGISTRY),
        mutually_exclusive=[SOURCES],
        required_one_of=[SOURCES],
    )
    module.run(task_info)


if __name__ == "__main__":
    main()
