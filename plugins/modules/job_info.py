#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_info
short_description: Read the jobs of a Dragonfly manager
version_added: 1.0.0
description:
  - Reads jobs by id, or all jobs that filters leave, newest first and to the last page.
  - A preheat job is judged by what its result says. Only M(dragonflyoss.dragonfly.preheat) knows which blobs an image
    has, so from release 2.3.1 on the V(warm) of an image means here that something is warm and nothing failed.
options:
  ids:
    description:
      - IDs of jobs. The module fails if one does not exist.
    type: list
    elements: int
    aliases: [id]
  types:
    description:
      - Only jobs of these types, such as V(preheat).
    type: list
    elements: str
    aliases: [type]
  states:
    description:
      - Only jobs in these states.
    type: list
    elements: str
    choices: [PENDING, SUCCESS, FAILURE]
    aliases: [state]
  details:
    description:
      - Also return what each peer says of each URL. With many peers that is much.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until none of the jobs is V(PENDING). Jobs that are created meanwhile are not awaited.
      - A job that failed does not fail the module, see RV(jobs[].outcome). A job that is still running after
        O(wait_timeout) does.
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum time to wait with O(wait=true), in seconds or as a duration such as V(90s), V(30m) or V(1h30m).
    type: str
    default: 70m
  wait_sleep:
    description:
      - Polling interval with O(wait=true), in seconds or as a duration such as V(1m).
    type: str
    default: 5s
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
seealso:
  - module: dragonflyoss.dragonfly.job
  - module: dragonflyoss.dragonfly.preheat
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Read all jobs
  dragonflyoss.dragonfly.job_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
  register: all_jobs

- name: Say which peers of a preheat failed
  dragonflyoss.dragonfly.job_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    ids: ["{{ all_jobs.jobs[0].id }}"]
    details: true
  register: newest
  failed_when: newest.jobs | map(attribute='peers') | flatten | rejectattr('success') | length > 10

- name: Wait for all jobs that are running
  dragonflyoss.dragonfly.job_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    states: PENDING
    wait: true
    wait_timeout: 30m

- name: Go on without a job that the manager has forgotten
  block:
    - name: Read one job
      dragonflyoss.dragonfly.job_info:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        ids: [4711]
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'not_found'
"""

RETURN = r"""
jobs:
  description:
    - The jobs, newest first, or in the order of O(ids). The keys are those that M(dragonflyoss.dragonfly.preheat)
      returns.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: ID of the job.
      type: int
      returned: success
      sample: 31
    type:
      description: V(image) or V(file) for a preheat, V(null) for other jobs.
      type: str
      returned: success
      sample: image
    job_type:
      description: Type of the job, such as V(preheat) or V(get_task).
      type: str
      returned: success
      sample: preheat
    url:
      description: The URL of the job, without secrets.
      type: str
      returned: success
      sample: https://registry.example.com/v2/shop/web/manifests/4.2.0
    state:
      description: State of the job as reported by the manager.
      type: str
      returned: success
      sample: SUCCESS
    outcome:
      description:
        - V(warm), V(cold), V(failed), V(given_up) or V(pending); V(done) for a job that is not a preheat, V(gone) for
          one that was deleted while the module waited.
      type: str
      returned: success
      sample: warm
    reason:
      description: Stable code of the reason why it is not warm, V(null) if it is.
      type: str
      returned: success
      sample: null
    message:
      description: Why it is not warm, as text.
      type: str
      returned: success
      sample: null
    source:
      description: Always V(null). Only M(dragonflyoss.dragonfly.preheat) sets it.
      type: str
      returned: success
      sample: null
    name:
      description: Description of the job at the manager, or its URL, without secrets.
      type: str
      returned: success
      sample: registry.example.com/shop/web:4.2.0
    digest:
      description: Digest of the manifest, V(null) if the job is not pinned to one.
      type: str
      returned: success
      sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    platform:
      description: Platform that the job requests, V(null) without one.
      type: str
      returned: success
      sample: linux/amd64
    blobs:
      description: Number of blobs, V(null) if it is not known.
      type: int
      returned: success
      sample: 4
    warm:
      description: URLs that are warm in every cluster, V(null) if the job does not report them.
      type: list
      elements: str
      returned: success
      sample: []
    cold:
      description: URLs that are not warm, V(null) if they are not known.
      type: list
      elements: str
      returned: success
      sample: []
    warm_percentage:
      description: Share of the blobs that are warm, in percent, V(null) if it is not known.
      type: int
      returned: success
      sample: 100
    warmed_at:
      description: When the manager recorded the end of the job, V(null) if it is not warm.
      type: str
      returned: success
      sample: "2026-11-24T22:24:12Z"
    created_at:
      description: When the job was created.
      type: str
      returned: success
      sample: "2026-11-24T22:23:21Z"
    failures:
      description: What failed on which host, at most 20, as M(dragonflyoss.dragonfly.preheat) returns it.
      type: list
      elements: dict
      returned: success
      sample: []
    failures_count:
      description: Number of all failures.
      type: int
      returned: success
      sample: 0
    verified:
      description: What the outcome is based on, V(blobs), V(result) or V(none).
      type: str
      returned: success
      sample: result
    replaces:
      description: Always V(null). Only M(dragonflyoss.dragonfly.preheat) sets it.
      type: dict
      returned: success
      sample: null
    args:
      description:
        - The job's arguments as the manager stores them, without credentials. C(timeout) is a duration such as V(1h).
      type: dict
      returned: success
      sample: {"type": "image", "scope": "single_seed_peer"}
    scheduler_cluster_ids:
      description: IDs of the clusters of the job. A list tells them only by the job's result, see O(ids).
      type: list
      elements: int
      returned: success
      sample: [1]
    peers:
      description: What each peer says of each URL.
      type: list
      elements: dict
      returned: O(details=true)
      contains:
        url:
          description: URL of the blob or file.
          type: str
          returned: success
        success:
          description: Whether this peer has it.
          type: bool
          returned: success
        hostname:
          description: Name of the peer's host.
          type: str
          returned: success
        ip:
          description: Address of the peer's host.
          type: str
          returned: success
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
          returned: success
        description:
          description: Why it has not.
          type: str
          returned: success
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
  sample: not_found
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import CONNECTION, duration, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_waiting import JobWaiting
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader, limit_kept, list_jobs
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import (
    id_problems,
    raise_problems,
    range_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.report import format_job


def job_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Return the jobs that the options name."""
    params = module.params
    raise_problems(range_problems(params) + id_problems("ids", params["ids"]))
    clock = module.clock()
    reader = JobReader(module.client(), clock)

    def transform(job: dict) -> dict[str, t.Any]:
        return format_job(job, details=params["details"])

    keep = limit_kept(transform)
    try:
        if params["ids"] is not None:
            jobs = [keep(reader.get(job_id)) for job_id in params["ids"]]
        else:
            jobs = list_jobs(reader, params["types"], params["states"], keep)
        if not params["wait"]:
            return {"changed": False, "jobs": jobs}
        waiting = JobWaiting(reader, clock, transform)
        jobs = waiting.wait(jobs, params["wait_timeout"], params["wait_sleep"])
        return {"changed": False, "jobs": jobs, **waiting.timeout_result(params["wait_timeout"])}
    finally:
        for warning in reader.warnings:
            module.warn(warning)


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(
            CONNECTION,
            ids={"type": "list", "elements": "int", "aliases": ["id"]},
            types={"type": "list", "elements": "str", "aliases": ["type"]},
            states={
                "type": "list",
                "elements": "str",
                "choices": ["PENDING", "SUCCESS", "FAILURE"],
                "aliases": ["state"],
            },
            details={"type": "bool", "default": False},
            wait={"type": "bool", "default": False},
            wait_timeout=duration("70m"),
            wait_sleep=duration("5s"),
        ),
        mutually_exclusive=[["ids", "types"], ["ids", "states"]],
    )
    module.run(job_info)


if __name__ == "__main__":
    main()
