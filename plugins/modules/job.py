#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Remove jobs from a Dragonfly manager
version_added: 1.0.0
description:
  - Removes jobs from the manager's list, by ID or by age.
  - Removes only the record of the job. Cached content stays on the peers. To delete it, use
    M(dragonflyoss.dragonfly.task).
  - M(dragonflyoss.dragonfly.preheat) does not find a job that was removed, and creates a new one.
options:
  state:
    description:
      - V(absent) removes the jobs. It has no default, because a removal cannot be undone.
    type: str
    choices: [absent]
    required: true
  ids:
    description:
      - IDs of the jobs to remove. A job that does not exist counts as removed.
      - Exactly one of O(ids) and O(older_than) is required. Mutually exclusive with O(types) and O(states).
    type: list
    elements: int
    aliases: [id]
  older_than:
    description:
      - Removes all jobs that are older than this, in seconds or as a duration such as V(4h) or V(7d), from 0s to 3650d,
        by the manager's clock.
      - Exactly one of O(ids) and O(older_than) is required.
    type: str
  types:
    description:
      - With O(older_than), removes only jobs of these types, such as V(preheat) or V(get_task). Newer
        managers may have other types, so the module only warns if no job matches and it does not know a type.
      - Mutually exclusive with O(ids).
    type: list
    elements: str
    aliases: [type]
  states:
    description:
      - With O(older_than), removes only jobs in these states. Defaults to V(SUCCESS) and V(FAILURE).
      - V(PENDING) requires O(force=true).
      - Mutually exclusive with O(ids).
    type: list
    elements: str
    choices: [PENDING, SUCCESS, FAILURE]
  force:
    description:
      - Whether to also remove running jobs. Schedulers and peers continue their tasks, but the manager no longer
        records the result.
      - By default, the module fails and removes nothing if one of O(ids) is V(PENDING).
    type: bool
    default: false
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: dragonflyoss.dragonfly.job_info
  - module: dragonflyoss.dragonfly.task
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Remove one job
  dragonflyoss.dragonfly.job:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    id: 4711
    state: absent

- name: Remove old jobs that queried which peers hold a task
  dragonflyoss.dragonfly.job:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    older_than: 7d
    types: [get_task]
    state: absent

- name: Continue if the job is still running
  block:
    - name: Remove a job
      dragonflyoss.dragonfly.job:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        ids: [1]
        state: absent
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'job_running'
"""

RETURN = r"""
jobs:
  description: The jobs that were removed, or would be removed in check mode, newest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: ID of the job.
      type: int
      sample: 31
    type:
      description: Type of the job, such as V(preheat) or V(get_task).
      type: str
      sample: preheat
    state:
      description: State of the job before it was removed.
      type: str
      sample: SUCCESS
    created_at:
      description: Time when the job was created.
      type: str
      sample: "2026-11-24T22:23:21Z"
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET http://dragonfly-manager:8080/oapi/v1/jobs/4711
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 401
reason:
  description: Stable code of the reason why the task failed, such as V(job_running).
  returned: failure
  type: str
  sample: token_unknown
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import connection, duration, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_lists import unknown_types_warning
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_removal import (
    check_removal_params,
    find_removable_jobs,
    remove_jobs,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule


def job(module: DragonflyModule) -> dict[str, t.Any]:
    """Remove jobs."""
    params = module.params
    check_removal_params(params)
    client, clock = module.client(), module.clock()
    reader = JobReader(client, clock)
    try:
        rows = find_removable_jobs(reader, params)
        unknown_types = unknown_types_warning(params["types"], rows)
        if unknown_types:
            module.warn(unknown_types)
        if not module.check_mode:
            rows = remove_jobs(client, rows)
    finally:
        for warning in reader.warnings:
            module.warn(warning)
    names = "".join(f"job {row['id']} ({row['type']}, {row['state']})\n" for row in rows)
    return {"changed": bool(rows), "jobs": rows, "diff": {"before": names, "after": ""}}


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(
            connection("token"),
            state={"type": "str", "choices": ["absent"], "required": True},
            ids={"type": "list", "elements": "int", "aliases": ["id"]},
            older_than=duration(),
            types={"type": "list", "elements": "str", "aliases": ["type"]},
            states={"type": "list", "elements": "str", "choices": ["PENDING", "SUCCESS", "FAILURE"]},
            force={"type": "bool", "default": False},
        ),
        mutually_exclusive=[["ids", "older_than"], ["ids", "types"], ["ids", "states"]],
        required_one_of=[["ids", "older_than"]],
    )
    module.run(job)


if __name__ == "__main__":
    main()
