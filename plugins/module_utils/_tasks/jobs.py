# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a job of the manager for each of some tasks, and wait for them.

Such a job changes nothing that a second one would not find changed. So unlike a preheat, one whose answer is lost is
simply created again.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._concurrency import map_in_threads
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._duration import NANOSECONDS_PER_SECOND
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_document import (
    IDENTITY_KEYS,
    JobResult,
    is_over,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_requests import JobRequests
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock, poll
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import redact_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.targets import Target

#: How many hosts or tasks a message names.
NAMED_IN_MESSAGE = 5
# Part of what identifies a task, and not known to every release that has jobs for tasks.
_PERHAPS_UNKNOWN = ("application", "filtered_query_params", "piece_length")
_REMEDIES = {
    "timed_out": "raise wait_timeout, or check that the manager and the schedulers run",
    "gone": "check that nothing else removes jobs from the manager",
}
_OTHER_REMEDY = "see the logs of the manager, the schedulers and the peers"


class TaskJob:
    """The job for a target, and what came of it.

    :ivar job: the manager's document, None where there is none.
    :ivar reason: a stable code for why it failed, None where it did not.
    :ivar message: the same for people.
    :ivar lost: whether a response was lost, in which case another job may have done the work.
    :ivar held: the hosts that hold the task after its deletion, None where that is not known.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.job: dict[str, t.Any] | None = None
        self.reason: str | None = None
        self.message: str | None = None
        self.lost = False
        self.held: list[dict[str, t.Any]] | None = None

    def fail(self, reason: str, message: str) -> None:
        """Note why it failed."""
        self.reason = reason
        self.message = message

    @property
    def state(self) -> str | None:
        """The state of the job, None where there is none."""
        return self.job.get("state") if self.job else None

    @property
    def done(self) -> bool:
        """Whether its answer is there."""
        return self.state == "SUCCESS"

    @property
    def pending(self) -> bool:
        """Whether to wait for it."""
        return self.job is not None and self.reason is None and not is_over(self.job)

    def result(self) -> dict[str, t.Any]:
        """Return what all modules about tasks return of it."""
        target = self.target
        return {
            "source": redact_url(target.source),
            "url": redact_url(target.url) if target.url else None,
            "task_id": target.task_id,
            "job_id": self.job["id"] if self.job else None,
            "state": self.state,
            "reason": self.reason,
            "message": self.message,
        }


class TaskJobs:
    """Create a job for each target and wait for them.

    :param client: with a token.
    :param kind: ``get_task`` or ``delete_task``.
    :param params: the module's, checked.
    """

    def __init__(self, client: DragonflyClient, kind: str, params: dict[str, t.Any], clock: Clock) -> None:
        self._client = client
        self._kind = kind
        self._params = params
        self._clock = clock
        self._reader = JobReader(client, clock)
        self._requests = JobRequests(client, self._reader, clock)
        self._last_error: DragonflyError | None = None
        self._args = task_args(params)

    def run(self, targets: list[Target]) -> list[TaskJob]:
        """Return the job of each target, in their order.

        :raises DragonflyError: where no job can be created at all.
        """
        task_jobs = [TaskJob(target) for target in targets]
        if not task_jobs:
            return task_jobs
        if self._kind == "delete_task" and any(self._params.get(key) for key in _PERHAPS_UNKNOWN):
            # The echo of a job reveals what is not known, and this one deletes nothing.
            params = dict(self._params, wait=False, job_timeout=None)
            TaskJobs(self._client, "get_task", params, self._clock).run(targets[:1])
        # The first one shows whether the others are of any use.
        self._create(task_jobs[0])
        try:
            check_echo(self._params, (task_jobs[0].job or {}).get("args"))
        except DragonflyError as exc:
            if self._kind != "delete_task":
                raise
            return self._give_up(task_jobs, exc)
        map_in_threads(self._try_to_create, task_jobs[1:])
        if self._params["wait"]:
            self._wait(task_jobs)
        for task_job in task_jobs:
            _note_failure(task_job)
        return task_jobs

    def _give_up(self, task_jobs: list[TaskJob], error: DragonflyError) -> list[TaskJob]:
        """Create no more jobs after the first one, whose work is reported though it is not what was requested."""
        if self._params["wait"]:
            self._wait(task_jobs[:1])
        task_jobs[0].fail(error.reason, error.message)
        for task_job in task_jobs[1:]:
            task_job.fail(error.reason, "no job was created for it")
        return task_jobs

    def _try_to_create(self, task_job: TaskJob) -> None:
        try:
            self._create(task_job)
        except DragonflyError as exc:
            task_job.fail(exc.reason, exc.message)

    def _create(self, task_job: TaskJob) -> None:
        body: dict[str, t.Any] = {"type": self._kind, "args": dict(self._args, **task_job.target.selector)}
        if self._params.get("scheduler_cluster_ids"):
            body["scheduler_cluster_ids"] = list(dict.fromkeys(self._params["scheduler_cluster_ids"]))
        task_job.job, task_job.lost = self._requests.create(body)

    def _wait(self, task_jobs: list[TaskJob]) -> None:
        timeout = self._params["wait_timeout"]
        by_id = {task_job.job["id"]: task_job for task_job in task_jobs if task_job.job}
        try:
            poll(
                lambda: self._poll_once(by_id),
                lambda any_pending: not any_pending,
                timeout,
                self._params["wait_sleep"],
                self._clock,
            )
        except DragonflyError as exc:
            for task_job in by_id.values():
                if task_job.pending:
                    task_job.fail(exc.reason, f"the job could no longer be watched: {exc.message}")
        for task_job in by_id.values():
            if task_job.pending:
                task_job.fail("timed_out", self._timeout_message(timeout))

    def _poll_once(self, by_id: dict[int, TaskJob]) -> bool:
        """Read the pending jobs, and return whether one still is."""
        job_ids = [job_id for job_id, task_job in by_id.items() if task_job.pending]
        result = self._reader.poll_once(job_ids, self._kind)
        self._last_error = result.error
        for job_id, job in result.jobs.items():
            if job is None:
                by_id[job_id].fail("gone", f"the manager no longer has job {int(job_id)}")
            else:
                by_id[job_id].job = job
        return any(task_job.pending for task_job in by_id.values())

    def _timeout_message(self, timeout: float) -> str:
        message = f"the job is still PENDING after {int(timeout)} s"
        if self._last_error:
            message += f". The last request failed: {self._last_error.message.rstrip('.')}"
        return message


def _note_failure(task_job: TaskJob) -> None:
    if task_job.reason is None and task_job.job is not None and task_job.state == "FAILURE":
        errors = "; ".join(dict.fromkeys(JobResult(task_job.job).errors))
        task_job.fail("failed", errors or "the manager gave up on the job")


def task_args(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the keys of ``args`` that the options of the group TASK become."""
    args = {key: params[key] for key in IDENTITY_KEYS if params.get(key)}
    if params.get("filtered_query_params"):
        args["filtered_query_params"] = "&".join(params["filtered_query_params"])
    if params.get("job_timeout"):
        args["timeout"] = params["job_timeout"] * NANOSECONDS_PER_SECOND
    return args


def check_echo(params: dict[str, t.Any], args: t.Any) -> None:
    """Check that the manager knows all options of the group TASK that are set, since its echo holds only what it knows.

    :param args: those of the job that came back.
    :raises DragonflyError: if the manager ignored one.
    """
    ignored = [key for key in task_args(params) if isinstance(args, dict) and key not in args]
    if ignored:
        names = ", ".join("job_timeout" if key == "timeout" else key for key in ignored)
        raise DragonflyError(
            f"This manager does not support {names} for tasks and ignored it. What to do: remove it, or use a "
            "release that supports it.",
            "unknown_option",
        )


def failure(task_jobs: list[TaskJob], verb: str) -> dict[str, t.Any]:
    """Return the keys of a result that failed, none where no job did.

    :param verb: such as ``deleted``.
    """
    failed = [task_job for task_job in task_jobs if task_job.reason]
    if not failed:
        return {}
    lines = [f"{len(failed)} of {len(task_jobs)} tasks were not {verb}."]
    for task_job in failed[:NAMED_IN_MESSAGE]:
        job = f" (job {int(task_job.job['id'])})" if task_job.job else ""
        lines.append(f"{task_job.target.name}{job}: {(task_job.message or '').rstrip('.')}.")
    if len(failed) > NAMED_IN_MESSAGE:
        lines.append(f"See tasks for the other {len(failed) - NAMED_IN_MESSAGE}.")
    if not any("What to do:" in line for line in lines):
        lines.append(f"What to do: {_REMEDIES.get(failed[0].reason or '', _OTHER_REMEDY)}, then run the task again.")
    return {"failed": True, "reason": failed[0].reason, "msg": " ".join(lines)}
