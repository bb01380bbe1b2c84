# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide the outcome of deletions: what was deleted, what failed, and which peers still hold a task."""

from __future__ import annotations

import typing as t

from .._client import DragonflyClient
from .._errors import DragonflyError
from .._jobs import JobReader
from .._polling import Clock
from .._releases import FIRST_SURELY_REPORTING_WHOLE_TASKS
from .._text import listed
from .hosts import Host, HostDeletions, deletable_hosts, host_deletions, reported_holders
from .jobs import NAMED_IN_MESSAGE, TaskJob, TaskJobs

#: Reason if peers still hold a task that the manager deleted successfully.
NOT_DELETABLE = "not_deletable"
# Schedulers 2.4.0 and later query the peers. The next release is the first whose manager can be distinguished.
# Upstream: dragonfly-client from 1.4.2 on, recorded in contract/2.5.1/task_small_blob_deleted.
_WHY_HELD = (
    "Their schedulers do not know of it, so the manager cannot delete it. Rust clients 1.4.2 and later fetch blobs and "
    "files of up to 4 MiB without a scheduler. What to do: wait until it expires on the peers (gc.policy.taskTTL in "
    "dfdaemon.yaml), or restart dfdaemon there with storage.keep set to false, which deletes all its cached content."
)


def find_held(client: DragonflyClient, task_jobs: list[TaskJob], params: dict[str, t.Any], clock: Clock) -> list[str]:
    """Query which peers hold the tasks whose deletion names no host, store them as ``held``, and return warnings.

    A deletion that names no host proves nothing, because a scheduler deletes a task only from peers that it remembers
    (contract/2.5.1/task_small_blob_deleted). Creates a get_task job for each such task at the same time.

    :param params: options of the module; ``wait_timeout`` is the remaining time in seconds.
    """
    unproven = [task_job for task_job in task_jobs if names_nobody(task_job)]
    if not unproven or not _asks_peers(client, clock):
        return []
    try:
        problem = _note_held(client, unproven, params, clock)
    except DragonflyError as exc:
        return [_unverified(unproven, exc.message)]
    return _held_warnings(unproven, problem)


def _held_warnings(unproven: list[TaskJob], problem: str) -> list[str]:
    warnings = []
    unknown = [task_job for task_job in unproven if task_job.held is None]
    if unknown:
        warnings.append(_unverified(unknown, problem))
    held = [task_job for task_job in unproven if task_job.held]
    if held:
        warnings.append(f"Peers still hold {_named_tasks(held)}. {_WHY_HELD} See held of each task for the peers.")
    return warnings


def _note_held(client: DragonflyClient, unproven: list[TaskJob], params: dict[str, t.Any], clock: Clock) -> str:
    """Store the hosts that hold each task, and return why they are unknown for some tasks."""
    # Releases differ in whether a question has a time limit, and the manager's own is enough.
    params = dict(params, wait=True, job_timeout=None)
    answers = TaskJobs(client, "get_task", params, clock).run([task_job.target for task_job in unproven])
    problem = "schedulers before Dragonfly 2.4.0 do not query the peers"
    for task_job, answer in zip(unproven, answers):
        task_job.held = reported_holders(answer.job) if answer.job and answer.done else None
    return next((answer.message for answer in answers if answer.message), problem)


def names_nobody(task_job: TaskJob) -> bool:
    """Return whether a deletion is over and its result names no host."""
    return task_job.succeeded and _deletions(task_job) == HostDeletions([], [])


def _deletions(task_job: TaskJob) -> HostDeletions:
    return host_deletions(task_job.job) if task_job.job else HostDeletions([], [])


def _asks_peers(client: DragonflyClient, clock: Clock) -> bool:
    reader = JobReader(client, clock)
    reader.probe_releases()
    return not reader.releases.before(FIRST_SURELY_REPORTING_WHOLE_TASKS)


def deletion(task_jobs: list[TaskJob]) -> dict[str, t.Any]:
    """Return the outcome of deletions from their jobs, or in check mode from the hosts that hold the tasks.

    A job is marked as failed if one of its hosts failed.

    :param task_jobs: of the type delete_task or get_task.
    :returns: dict with ``changed``, ``diff`` and ``tasks``.
    """
    tasks, before = [], ""
    for task_job in task_jobs:
        failed = _deletions(task_job).failed
        if failed and task_job.succeeded:
            task_job.fail("peers_failed", _failed_hosts(failed))
        deleted = _deleted_hosts(task_job)
        if deleted or task_job.lost or _is_under_way(task_job, failed):
            before += f"{task_job.target.name}\n"
        tasks.append(dict(_result_of_deletion(task_job), deleted=deleted, failures=failed))
    return {"changed": bool(before), "diff": {"before": before, "after": ""}, "tasks": tasks}


def _deleted_hosts(task_job: TaskJob) -> list[Host] | None:
    """Return the hosts that deleted a task, or would delete it; None if unknown."""
    if not task_job.job or not task_job.done:
        return None
    return host_deletions(task_job.job).deleted + deletable_hosts(task_job.job)


def _is_under_way(task_job: TaskJob, failed: list[Host]) -> bool:
    return task_job.job is not None and not task_job.done and not failed


def _result_of_deletion(task_job: TaskJob) -> dict[str, t.Any]:
    result = dict(task_job.result(), held=task_job.held)
    if task_job.held:
        # Not a failure: the config blob of each image is this small.
        result.update(reason=NOT_DELETABLE, message=f"Peers still hold it{_named_hosts(task_job.held)}. {_WHY_HELD}")
    return result


# Messages


def _unverified(task_jobs: list[TaskJob], problem: str) -> str:
    return (
        f"No scheduler knows a peer with {_named_tasks(task_jobs)}. Whether peers hold it is unknown: "
        f"{problem.rstrip('.')}. What to do: query it with dragonflyoss.dragonfly.task_info."
    )


def _failed_hosts(hosts: list[Host]) -> str:
    names = listed([f"{host['hostname']} ({host['description']})" for host in hosts], NAMED_IN_MESSAGE)
    number = "1 host" if len(hosts) == 1 else f"{len(hosts)} hosts"
    return f"{number} did not delete it: {names}"


def _named_tasks(task_jobs: list[TaskJob]) -> str:
    """Return the names of tasks for a message, each with the hosts that hold it."""
    names = [task_job.target.name + _named_hosts(task_job.held or []) for task_job in task_jobs]
    return listed(names, NAMED_IN_MESSAGE)


def _named_hosts(hosts: list[Host]) -> str:
    """Return hosts in parentheses, or an empty text."""
    return f" ({listed([str(host['hostname']) for host in hosts], NAMED_IN_MESSAGE)})" if hosts else ""
