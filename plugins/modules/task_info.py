#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: task_info
short_description: Tell which peers hold what Dragonfly has of an image or file
version_added: 1.0.0
description:
  - Asks the schedulers which peers hold a task, which is what peers have of one URL. An image is a task for each of its
    blobs.
  - Also a Rust client that has only begun to fetch holds a task; only from release 2.4.0 on the answer tells the
    difference.
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._task
  - dragonflyoss.dragonfly._task.sources
  - dragonflyoss.dragonfly._wait
  - dragonflyoss.dragonfly._registry
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
seealso:
  - module: dragonflyoss.dragonfly.image_distribution_info
  - module: dragonflyoss.dragonfly.task
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Ask who holds an image
  dragonflyoss.dragonfly.task_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0

- name: Ask who holds a model in the first cluster
  dragonflyoss.dragonfly.task_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    file: https://models.example.com/shop/model.bin
    scheduler_cluster_ids: [1]
  register: model

- name: Show the nodes that do
  ansible.builtin.debug:
    msg: "{{ model.tasks[0].peers | selectattr('host_type', 'eq', 'normal') | map(attribute='hostname') }}"

- name: Go on without an answer where the manager is too old for the question
  block:
    - name: Ask who holds a task
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
      description: What the task was asked for by.
      type: str
      returned: always
      sample: registry.example.com/shop/web:4.2.0
    url:
      description: Its URL, without secrets. V(null) for one that was asked for by its id.
      type: str
      returned: always
      sample: https://registry:5000/v2/web/blobs/sha256:a711f05d33845e2e9deffcfcc5adf082d7c6e97e3e3a881d193d9aae38f092a8
    task_id:
      description: Its id, where it was asked for by that.
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
        - The hosts that hold it, each once. V(null) while that is not known. From release 2.3.1 on each host is asked
          for what is on its disk; before, the scheduler names the hosts whose peers it remembers.
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
        host_type:
          description: V(normal), or another for a seed peer.
          type: str
          returned: always
          sample: normal
        finished:
          description: Whether it has all of it. V(null) before release 2.4.0.
          type: bool
          returned: always
          sample: true
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
          returned: always
          sample: 1
        created_at:
          description: When the host joined, before release 2.3.1 when the peer began to fetch, RFC 3339.
          type: str
          returned: always
          sample: "2026-11-24T23:40:05Z"
        updated_at:
          description: When the scheduler last heard of the host or peer, RFC 3339.
          type: str
          returned: always
          sample: "2026-11-24T23:40:05Z"
    reason:
      description: Stable code of the reason why this question has no answer.
      type: str
      returned: always
      sample: null
    message:
      description: The reason as text.
      type: str
      returned: always
      sample: null
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
  description: Stable code of the reason why the task failed.
  returned: failure
  type: str
  sample: timed_out
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import (
    CONNECTION,
    REGISTRY,
    TASK,
    TASK_SOURCES,
    WAIT,
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
        argument_spec=merged(CONNECTION, TASK, TASK_SOURCES, WAIT, REGISTRY),
        mutually_exclusive=[SOURCES],
        required_one_of=[SOURCES],
        required_by={"registry_password": ["registry_username"]},
    )
    module.run(task_info)


if __name__ == "__main__":
    main()
