#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: task
short_description: Delete what Dragonfly's peers hold of an image or file
version_added: 1.0.0
description:
  - Has all peers delete a task, which is what peers hold of one URL. An image is a task for each of its blobs.
  - Use it after a release that must not be pulled any more, or to make room before the peers themselves do. Whoever
    pulls again fetches again from the registry or origin.
  - Jobs that warmed it stay SUCCESS. To warm it again within O(dragonflyoss.dragonfly.preheat#module:max_age), use
    O(dragonflyoss.dragonfly.preheat#module:force).
  - A scheduler has only those peers delete a task that it knows of. Rust clients 1.4.2 and later fetch blobs and files
    of up to 4 MiB, such as the config of every image, without a scheduler, so no manager can delete those. Where a
    deletion names no host, the module therefore asks the peers once, by jobs of the type C(get_task), who still holds
    the task. It does not fail, but warns and returns those hosts in RV(tasks[].held), with RV(tasks[].reason) set to
    V(not_deletable).
  - Such tasks expire on the peers by themselves (C(gc.policy.taskTTL) in C(dfdaemon.yaml)). To remove them earlier,
    restart dfdaemon with C(storage.keep) set to V(false), or remove them on the hosts.
  - The question takes one more poll of the manager, about 30 seconds, and counts as part of O(wait_timeout). It
    requires Dragonfly manager 2.4.1 and schedulers 2.4.0 or later, and O(wait=true).
  - Images share blobs with their other versions. What O(keep_images) have, too, stays.
options:
  state:
    description:
      - V(absent) deletes the tasks from all peers. There is no default, because deleted content is fetched again from
        the registry or origin by every host that needs it.
    type: str
    choices: [absent]
    required: true
  keep_images:
    description:
      - Images whose blobs stay, with those for all platforms. If the manifest of one cannot be read, nothing is
        deleted.
    type: list
    elements: str
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._task
  - dragonflyoss.dragonfly._task.sources
  - dragonflyoss.dragonfly._wait
  - dragonflyoss.dragonfly._registry
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - The peers are asked what they hold, by jobs of the type C(get_task). Their answer is awaited whatever O(wait)
        says, with the manager's own O(job_timeout).
      - What the schedulers do not know of counts as deleted there, too.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(wait=false) it is not known whether a peer held a task, so each is a change.
seealso:
  - module: dragonflyoss.dragonfly.task_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Delete an image from all peers
  dragonflyoss.dragonfly.task:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0
    state: absent

- name: Delete a version, but nothing that the others need
  dragonflyoss.dragonfly.task:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0
    platforms: [linux/amd64]
    keep_images:
      - registry.example.com/shop/api:4.2.0
    digest_ids: true
    state: absent

- name: Name the peers that did not delete a file, and go on
  block:
    - name: Delete a file
      dragonflyoss.dragonfly.task:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        file: https://models.example.com/shop/model.bin
        state: absent
  rescue:
    - name: Fail where it did not come that far
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'peers_failed'

    - name: Name the peers
      ansible.builtin.debug:
        msg: "{{ ansible_failed_result.tasks | map(attribute='failures') | flatten | map(attribute='hostname') }}"
"""

RETURN = r"""
tasks:
  description: The tasks.
  returned: if jobs were created
  type: list
  elements: dict
  contains:
    source:
      description: What the task was named by.
      type: str
      returned: always
      sample: registry.example.com/shop/web:4.2.0
    url:
      description: Its URL, without secrets. V(null) for one that was named by its id.
      type: str
      returned: always
      sample: https://registry:5000/v2/web/blobs/sha256:a711f05d33845e2e9deffcfcc5adf082d7c6e97e3e3a881d193d9aae38f092a8
    task_id:
      description: Its id, where it was named by that.
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
    deleted:
      description:
        - The hosts that held it and have deleted it, each once, in check mode those that hold it. V(null) while that is
          not known. A host that did not hold it is in neither list.
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
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
          returned: always
          sample: 1
    failures:
      description: The hosts that did not delete it, each once, with the same keys and why.
      type: list
      elements: dict
      returned: always
      contains:
        hostname:
          description: Name of the peer's host.
          type: str
          returned: always
          sample: host-2
        ip:
          description: Address of the peer's host.
          type: str
          returned: always
          sample: 10.77.0.12
        host_type:
          description: V(normal), or another for a seed peer.
          type: str
          returned: always
          sample: normal
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
          returned: always
          sample: 1
        description:
          description: Why it did not.
          type: str
          returned: always
          sample: "rpc error: code = Unavailable"
    held:
      description:
        - The hosts that still hold the task after a deletion that named no host, each once. V(null) where the module
          did not ask, because the deletion named hosts, with O(wait=false), in check mode, and where it is not known.
      type: list
      elements: dict
      returned: always
      contains:
        hostname:
          description: Name of the peer's host.
          type: str
          returned: always
          sample: seed-1
        ip:
          description: Address of the peer's host.
          type: str
          returned: always
          sample: 10.77.0.1
        host_type:
          description: V(normal), or another for a seed peer.
          type: str
          returned: always
          sample: super
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
          returned: always
          sample: 1
        finished:
          description: Whether the host holds all of it.
          type: bool
          returned: always
          sample: true
    reason:
      description:
        - Stable code of the reason why this task may still be there. V(not_deletable) does not fail the module.
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
  sample: peers_failed
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
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.deletion import deletion, find_held
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.jobs import TaskJobs, failure
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.targets import (
    SOURCES,
    check_task_params,
    find_targets,
)


def task(module: DragonflyModule) -> dict[str, t.Any]:
    """Delete tasks, or predict what would be deleted."""
    params = module.params
    check_task_params(params)
    client = module.client()
    targets = find_targets(params, module.registry_for())
    kind = "get_task" if module.check_mode else "delete_task"
    if module.check_mode:
        # Only the answer tells what would be deleted, and older releases know no job_timeout for who only asks.
        params = dict(params, wait=True, job_timeout=None)
    clock = module.clock()
    begin = clock.now()
    jobs = TaskJobs(client, kind, params, clock).run(targets)
    if kind == "delete_task" and params["wait"]:
        left = max(0, params["wait_timeout"] - (clock.now() - begin))
        for warning in find_held(client, jobs, dict(params, wait_timeout=left), clock):
            module.warn(warning)
    return dict(deletion(jobs), **failure(jobs, "deleted"))


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(
            CONNECTION,
            TASK,
            TASK_SOURCES,
            WAIT,
            REGISTRY,
            state={"type": "str", "choices": ["absent"], "required": True},
            keep_images={"type": "list", "elements": "str"},
        ),
        mutually_exclusive=[SOURCES],
        required_one_of=[SOURCES],
        required_by={"registry_password": ["registry_username"]},
    )
    module.run(task)


if __name__ == "__main__":
    main()
