#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: task
short_description: Delete cached images and files from Dragonfly's peers
version_added: 1.0.0
description:
  - Deletes cached content from all peers. Dragonfly caches each URL as one task, so an image consists of one task for
    each blob.
  - Use it for a release that must no longer be pulled, or to free disk space before the peers evict content themselves.
    Later pulls fetch the content from the registry or origin again.
  - Earlier preheat jobs keep the state C(SUCCESS). M(dragonflyoss.dragonfly.preheat) does not reuse them as long as the
    manager's list of jobs shows the deletion. To always preheat again, use
    O(dragonflyoss.dragonfly.preheat#module:force).
  - A scheduler deletes a task only from peers on which it knows the task. Rust clients 1.4.2 and later fetch blobs and
    files of up to 4 MiB, such as the config of every image, without a scheduler, so the manager cannot delete them.
    They expire on the peers (C(gc.policy.taskTTL) in C(dfdaemon.yaml)). To remove them earlier, restart dfdaemon with
    C(storage.keep) set to C(false), which deletes all cached content of the peer, and set it back to C(true).
  - If a deletion reports no host, the module creates a job of the type C(get_task) to query which peers still hold the
    task. If any do, it does not fail, but warns and returns the hosts in RV(tasks[].held), with
    RV(tasks[].reason=not_deletable).
  - This query takes about 30 seconds, which count towards O(wait_timeout). It requires Dragonfly manager 2.4.1 or
    later, schedulers 2.4.0 or later, and O(wait=true).
  - In check mode, the module deletes nothing, but creates jobs of the type C(get_task) to query which peers hold the
    tasks, so it takes about as long.
  - Versions of an image often share blobs. To keep the blobs of other versions, list those versions in O(keep_images).
options:
  state:
    description:
      - V(absent) deletes the tasks from all peers. There is no default, so nothing is deleted by accident. Hosts that
        need deleted content fetch it from the registry or origin again.
    type: str
    choices: [absent]
    required: true
  keep_images:
    description:
      - Images whose blobs are not deleted, for all platforms. If the module cannot read a manifest, it deletes nothing.
    type: list
    elements: str
    aliases: [keep_image]
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
      - The module creates jobs of the type C(get_task) to query what the peers hold. It always waits for these jobs,
        even with O(wait=false), and ignores O(job_timeout).
      - A query does not show whether a scheduler knows a task. In check mode, the module therefore reports all hosts
        that hold a task in RV(tasks[].deleted), including tasks of up to 4 MiB that Rust clients 1.4.2 and later
        fetched without a scheduler. Outside of check mode, these are not deleted, do not count as a change, and are in
        RV(tasks[].held).
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(wait=false), the module does not know whether a peer held a task, so it always reports a change.
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

- name: Delete a version, but keep the blobs that another image needs
  dragonflyoss.dragonfly.task:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0
    platforms: [linux/amd64]
    keep_images:
      - registry.example.com/shop/api:4.2.0
    digest_ids: true
    state: absent

- name: Continue if some peers did not delete the file, and list them
  block:
    - name: Delete a file
      dragonflyoss.dragonfly.task:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        file: https://models.example.com/shop/model.bin
        state: absent
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'peers_failed'

    - name: List the peers
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
    deleted:
      description:
        - Hosts that held the task and deleted it, without duplicates. In check mode, hosts that hold it. V(null) if
          unknown. A host that did not hold the task is neither here nor in
          RV(tasks[].failures).
      type: list
      elements: dict
      returned: always
      contains: &host
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
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
          returned: always
          sample: 1
    failures:
      description: Hosts that did not delete the task, without duplicates.
      type: list
      elements: dict
      returned: always
      contains:
        <<: *host
        description:
          description: Error message of the scheduler.
          type: str
          returned: always
          sample: "rpc error: code = Unavailable"
    held:
      description:
        - Hosts that still hold the task after a deletion that reported no host, without duplicates. V(null) if the
          module did not query them (the deletion reported hosts, O(wait=false), or check mode), or if unknown.
      type: list
      elements: dict
      returned: always
      contains:
        <<: *host
        finished:
          description: Whether the host holds the complete task.
          type: bool
          returned: always
          sample: true
    reason:
      description:
        - Stable code of the reason why the task may still be cached. The module does not fail for V(not_deletable).
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
        # Only the result shows what would be deleted, and older releases do not support job_timeout for get_task.
        params = dict(params, wait=True, job_timeout=None)
    clock = module.clock()
    begin = clock.now()
    jobs = TaskJobs(client, kind, params, clock).run(targets)
    if kind == "delete_task" and params["wait"]:
        left = max(0, params["wait_timeout"] - (clock.now() - begin))
        for warning in find_held(client, jobs, dict(params, wait_timeout=left), clock):
            module.warn(warning)
    return dict(deletion(jobs), **failure(jobs, "looked up" if module.check_mode else "deleted"))


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(
            connection("token"),
            TASK,
            TASK_SOURCES,
            WAIT,
            REGISTRY,
            state={"type": "str", "choices": ["absent"], "required": True},
            keep_images={"type": "list", "elements": "str", "aliases": ["keep_image"]},
        ),
        mutually_exclusive=[SOURCES],
        required_one_of=[SOURCES],
    )
    module.run(task)


if __name__ == "__main__":
    main()
