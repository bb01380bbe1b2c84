# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a job for each task, and wait for the jobs.

These jobs can be repeated without harm. Therefore, unlike a preheat, a job whose response is lost is created again.
"""

from __future__ import annotations

import operator
import typing as t

from .._client import DragonflyClient
from .._concurrency import map_in_threads
from .._duration import NANOSECONDS_PER_SECOND
from .._errors import DragonflyError
from .._job_document import IDENTITY_KEYS, JobResult, is_over
from .._job_requests import JobRequests
from .._jobs import JobReader, gone_message
from .._polling import Clock, poll
from .._redact import redact_url
from .targets import Target

#: Maximum number of hosts or tasks in a message.
NAMED_IN_MESSAGE = 5
# Part of the identity of a task, but not supported by all releases that have jobs for tasks.
_PERHAPS_UNKNOWN = ("application", "filtered_query_params", "piece_length")
_REMEDIES = {
    "timed_out": "raise wait_timeout, or check that the manager and the schedulers run",
    "gone": "check that nothing else removes jobs from the manager",
}
_OTHER_REMEDY = "see the logs of the manager, the schedulers and the peers"


class TaskJob:
    """The job of a target, and its outcome.

    :ivar job: document of the manager, None without a job.
    :ivar reason: stable code of the failure, None without one.
    :ivar message: the failure as text.
    :ivar lost: whether a response was lost, in which case another job may have done the work.
    :ivar held: hosts that hold the task after its deletion, None if unknown.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.job: dict[str, t.Any] | None = None
        self.reason: str | None = None
        self.message: str | None = None
        self.lost = False
        self.held: list[dict[str, t.Any]] | None = None

    def fail(self, reason: str, message: str) -> None:
        """Record a failure."""
        self.reason = reason
        self.message = message

    @property
    def state(self) -> str | None:
        """The state of the job, None without a job."""
        return self.job.get("state") if self.job else None

    @property
    def done(self) -> bool:
        """Whether the job has succeeded."""
        return self.state == "SUCCESS"

    @property
    def succeeded(self) -> bool:
        """Whether the job has succeeded, and no failure is recorded."""
        return self.done and self.reason is None

    @property
    def pending(self) -> bool:
        """Whether the job is to be awaited."""
        return self.job is not None and self.reason is None and not is_over(self.job)

    def result(self) -> dict[str, t.Any]:
        """Return the keys that all modules about tasks return."""
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
    """Creates a job for each target, and waits for the jobs.

    :param client: client with a token.
    :param kind: ``get_task`` or ``delete_task``.
    :param params: validated options of the module.
    """

    def __init__(self, client: DragonflyClient, kind: str, params: dict[str, t.Any], clock: Clock) -> None:
        self._client = client
        self._kind = kind
        self._params = params
        self._clock = clock
        self._reader = JobReader(client, clock)
        self._requests = JobRequests(client, self._reader, clock)
        self._args = task_args(params)

    def run(self, targets: list[Target]) -> list[TaskJob]:
        """Return the job of each target in order.

        :raises DragonflyError: if no job can be created.
        """
        task_jobs = [TaskJob(target) for target in targets]
        if not task_jobs:
            return task_jobs
        self._refuse_unknown_options(targets[0])
        # The first job shows whether creating the others makes sense.
        self._create(task_jobs[0])
        try:
            check_echo(self._params, task_jobs[0].job)
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

    def _refuse_unknown_options(self, target: Target) -> None:
        """Reject options that the manager does not support, by the echo of a job that deletes nothing."""
        if self._kind == "delete_task" and any(self._params.get(key) for key in _PERHAPS_UNKNOWN):
            params = dict(self._params, wait=False, job_timeout=None)
            TaskJobs(self._client, "get_task", params, self._clock).run([target])

    def _give_up(self, task_jobs: list[TaskJob], error: DragonflyError) -> list[TaskJob]:
        """Create no more jobs after the first one, and report what it did although it is not what was requested."""
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
            poll(lambda: self._poll_once(by_id), operator.not_, timeout, self._params["wait_sleep"], self._clock)
            reason, message = "timed_out", self._reader.pending_message(timeout)
        except DragonflyError as exc:
            reason, message = exc.reason, f"the job could no longer be polled: {exc.message}"
        for task_job in by_id.values():
            if task_job.pending:
                task_job.fail(reason, message)

    def _poll_once(self, by_id: dict[int, TaskJob]) -> bool:
        """Read the pending jobs, and return whether any is still pending."""
        job_ids = [job_id for job_id, task_job in by_id.items() if task_job.pending]
        result = self._reader.poll_once(job_ids, self._kind)
        for job_id, job in result.jobs.items():
            if job is None:
                by_id[job_id].fail("gone", gone_message(job_id))
            else:
                by_id[job_id].job = job
        return any(task_job.pending for task_job in by_id.values())


def _note_failure(task_job: TaskJob) -> None:
    if task_job.reason is None and task_job.job is not None and task_job.state == "FAILURE":
        task_job.fail("failed", JobResult(task_job.job).error or "the manager reports FAILURE without an error")


def task_args(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the keys of ``args`` for the options of the group TASK."""
    args = {key: params[key] for key in IDENTITY_KEYS if params.get(key)}
    if params.get("filtered_query_params"):
        args["filtered_query_params"] = "&".join(params["filtered_query_params"])
    if params.get("job_timeout"):
        args["timeout"] = params["job_timeout"] * NANOSECONDS_PER_SECOND
    return args


def check_echo(params: dict[str, t.Any], job: dict[str, t.Any] | None) -> None:
    """Check by the manager's echo that it supports all options of the group TASK that are set.

    :param job: the created job.
    :raises DragonflyError: if the manager ignored an option.
    """
    args = (job or {}).get("args")
    ignored = [key for key in task_args(params) if isinstance(args, dict) and key not in args]
    if ignored:
        names = ", ".join({"timeout": "job_timeout"}.get(key, key) for key in ignored)
        raise DragonflyError(
            f"This manager does not support {names} for tasks and ignored it. What to do: remove it, or use a "
            "release that supports it.",
            "unknown_option",
        )


def failure(task_jobs: list[TaskJob], verb: str) -> dict[str, t.Any]:
    """Return the keys of a failed result, or an empty dict if no job failed.

    :param verb: such as ``deleted``.
    """
    failed = [task_job for task_job in task_jobs if task_job.reason]
    if not failed:
        return {}
    lines = [f"{len(failed)} of {len(task_jobs)} tasks were not {verb}."]
    lines += map(_failure_line, failed[:NAMED_IN_MESSAGE])
    if len(failed) > NAMED_IN_MESSAGE:
        lines.append(f"See tasks for the other {len(failed) - NAMED_IN_MESSAGE}.")
    if not any("What to do:" in line for line in lines):
        lines.append(f"What to do: {_REMEDIES.get(str(failed[0].reason), _OTHER_REMEDY)}, then run the task again.")
    return {"failed": True, "reason": failed[0].reason, "msg": " ".join(lines)}


def _failure_line(task_job: TaskJob) -> str:
    job = f" (job {int(task_job.job['id'])})" if task_job.job else ""
    return f"{task_job.target.name}{job}: {(task_job.message or '').rstrip('.')}."
