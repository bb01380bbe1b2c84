#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_info
short_description: Gather information about the jobs of a Dragonfly manager
version_added: 1.0.0
description:
  - Returns jobs by ID, or all jobs that match the filters, newest first.
  - The outcome of a preheat job is derived from its result alone, because this module does not read manifests. For an
    image, and with Dragonfly schedulers 2.3.1 or later, V(warm) only means that at least one blob is warm and none
    failed. To verify every blob, use M(dragonflyoss.dragonfly.preheat).
options:
  ids:
    description:
      - Return only the jobs with these IDs. The module fails if one does not exist.
      - Mutually exclusive with O(types) and O(states).
    type: list
    elements: int
    aliases: [id]
  types:
    description:
      - Return only jobs of these types, such as V(preheat), V(get_task) or V(delete_task). Newer managers may have
        other types, so the module only warns if no job matches and it does not know a type.
      - Mutually exclusive with O(ids).
    type: list
    elements: str
    aliases: [type]
  states:
    description:
      - Return only jobs in these states.
      - Mutually exclusive with O(ids).
    type: list
    elements: str
    choices: [PENDING, SUCCESS, FAILURE]
    aliases: [state]
  details:
    description:
      - Whether to also return the result of each peer for each URL. The output is large if there are many peers.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until none of the jobs is V(PENDING). Jobs that are created in the meantime are ignored.
      - The module fails if a job is still running after O(wait_timeout). It does not fail if a job failed, see
        RV(jobs[].outcome).
    type: bool
    default: false
  wait_timeout:
    description:
      - Maximum time to wait with O(wait=true), in seconds or as a duration such as V(90s), V(30m) or V(1h30m), from 0s
        to 7d.
    type: str
    default: 70m
  wait_sleep:
    description:
      - Polling interval with O(wait=true), in seconds or as a duration such as V(1m), from 1s to 1h.
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
- name: List all jobs
  dragonflyoss.dragonfly.job_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
  register: all_jobs

- name: Fail if more than 10 peers of the newest job failed
  dragonflyoss.dragonfly.job_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    ids: ["{{ all_jobs.jobs[0].id }}"]
    details: true
  register: newest
  failed_when: newest.jobs | map(attribute='peers') | flatten | rejectattr('success') | length > 10

- name: Wait for all running jobs
  dragonflyoss.dragonfly.job_info:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    states: PENDING
    wait: true
    wait_timeout: 30m

- name: Continue if the job no longer exists
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
    - The jobs, newest first, or in the order of O(ids), with the same keys as in M(dragonflyoss.dragonfly.preheat).
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: ID of the job.
      type: int
      sample: 31
    type:
      description: V(image) or V(file) for a preheat, V(null) for other jobs.
      type: str
      sample: image
    job_type:
      description: Type of the job, such as V(preheat) or V(get_task).
      type: str
      sample: preheat
    url:
      description: URL of the job, without secrets.
      type: str
      sample: https://registry.example.com/v2/shop/web/manifests/4.2.0
    state:
      description: State of the job as reported by the manager.
      type: str
      sample: SUCCESS
    outcome:
      description:
        - "V(warm): the content is cached."
        - "V(cold): the manager reports C(SUCCESS), but blobs or hosts are not warm."
        - "V(failed): the manager reports C(FAILURE)."
        - "V(pending): the job is running."
        - "V(done): a job of a type other than C(preheat) succeeded."
        - "V(given_up): the manager stopped watching the job before it finished."
        - "V(gone): the job was deleted while the module waited."
      type: str
      sample: warm
    reason:
      description: Stable code of the reason why the content is not warm, V(null) if it is warm.
      type: str
      sample: null
    message:
      description: Reason why the content is not warm, as text.
      type: str
      sample: null
    source:
      description: Always V(null). Only M(dragonflyoss.dragonfly.preheat) sets it.
      type: str
      sample: null
    name:
      description: Description of the job in the manager, or its URL, without secrets.
      type: str
      sample: registry.example.com/shop/web:4.2.0
    digest:
      description: Digest of the manifest, V(null) if the job is not pinned to one.
      type: str
      sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    platform:
      description: Requested platform, V(null) if none was requested.
      type: str
      sample: linux/amd64
    blobs:
      description: Number of blobs, V(null) if unknown, as with RV(jobs[].verified=result).
      type: int
      sample: 4
    warm:
      description: URLs that are warm in every cluster, V(null) if the job does not report them.
      type: list
      elements: str
      sample: []
    cold:
      description: URLs that are not warm, V(null) if unknown.
      type: list
      elements: str
      sample: []
    warm_percentage:
      description: Percentage of the blobs that are warm, at most 99 if the job is not warm. V(null) if unknown.
      type: int
      sample: 100
    warmed_at:
      description: Time when the manager recorded that the job finished, V(null) if the content is not warm.
      type: str
      sample: "2026-11-24T22:24:12Z"
    created_at:
      description: Time when the job was created.
      type: str
      sample: "2026-11-24T22:23:21Z"
    failures:
      description: Failures by host, at most 20, with the same keys as in M(dragonflyoss.dragonfly.preheat).
      type: list
      elements: dict
      sample: []
    failures_count:
      description: Total number of failures.
      type: int
      sample: 0
    verified:
      description: How the outcome was verified, V(blobs), V(result) or V(none).
      type: str
      sample: result
    replaces:
      description: Always V(null). Only M(dragonflyoss.dragonfly.preheat) sets it.
      type: dict
      sample: null
    args:
      description:
        - Arguments of the job as the manager stores them, without credentials. C(timeout) is a duration such as V(1h).
      type: dict
      sample: {"type": "image", "scope": "single_seed_peer"}
    scheduler_cluster_ids:
      description: IDs of the scheduler clusters of the job. Complete only with O(ids). The manager's list of jobs does
        not contain them, so otherwise the module reads them from the result of the job.
      type: list
      elements: int
      sample: [1]
    peers:
      description: Result of each peer for each URL.
      type: list
      elements: dict
      returned: O(details=true)
      contains:
        url:
          description: URL of the blob or file.
          type: str
        success:
          description: Whether the peer cached the URL.
          type: bool
        hostname:
          description: Name of the peer's host.
          type: str
        ip:
          description: Address of the peer's host.
          type: str
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
        description:
          description: Error message of the scheduler, if it failed.
          type: str
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET http://dragonfly-manager:8080/oapi/v1/jobs/4711
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

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import connection, duration, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_lists import list_jobs, unknown_types_warning
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_waiting import JobWaiting
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader, limit_kept
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import (
    id_problems,
    raise_problems,
    range_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.report import format_job


def job_info(module: DragonflyModule) -> dict[str, t.Any]:
    """Return the jobs that match the options."""
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
            unknown_types = unknown_types_warning(params["types"], jobs)
            if unknown_types:
                module.warn(unknown_types)
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
            connection("token"),
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
