# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read jobs by ID, and poll pending jobs. See ``_job_lists`` for lists."""

from __future__ import annotations

import typing as t

from ._client import CONSOLE_API
from ._concurrency import map_in_threads, return_errors
from ._errors import ApiError, DragonflyError, GarbledError
from ._job_document import without_result
from ._job_lists import LARGE_PAGE, PAGE, JobLists
from ._json import ROW_LIMIT
from ._retrying import is_transient, retry_transient

# Limit in characters of the kept parts of a list of jobs, because Ansible copies a result several times.
_MOST_KEPT = 24 * 1024 * 1024
# Limit in bytes of a job that is read concurrently with others.
_SMALL_JOB = 1024 * 1024

#: Returns the part of a job to keep; takes its ID and the job.
Transform = t.Callable[[int, dict], t.Any]


def limit_kept(transform: t.Callable[[dict], dict]) -> t.Callable[[dict], dict]:
    """Return a function that keeps parts of jobs as long as all of them fit into memory.

    The function raises GarbledError with reason ``too_large`` at the limit.
    """
    kept_characters = 0

    def keep(job: dict) -> dict:
        nonlocal kept_characters
        kept = transform(job)
        kept_characters += len(str(kept))
        if kept_characters > _MOST_KEPT:
            message = (
                f"The jobs that were read have more than {_MOST_KEPT} characters, which is too much for one result. "
                "What to do: read fewer at a time, by ids, type or state, or without details."
            )
            raise GarbledError(message, "too_large")
        return kept

    return keep


class PollResult(t.NamedTuple):
    """Result of polling jobs once.

    :ivar jobs: kept parts of the jobs that may have changed by ID, None for deleted jobs.
    :ivar pending_rows: rows of the jobs that a list reports as pending, by ID.
    """

    jobs: dict[int, t.Any]
    pending_rows: dict[int, dict]


def gone_message(job_id: int) -> str:
    """Return the message for a job that was polled and no longer exists."""
    return f"the manager no longer has job {job_id}"


class JobReader(JobLists):
    """Reads jobs of one manager.

    :ivar last_error: temporary error of the last poll, None without one.
    """

    last_error: DragonflyError | None = None

    def get(self, job_id: int, limit: int = ROW_LIMIT) -> dict:
        """Return a job with its result.

        :param limit: limit of the response in bytes.
        """
        return self._with_old_manager(lambda: retry_transient(lambda: self._client.get_job(job_id, limit), self._clock))

    def get_each(
        self,
        job_ids: t.Sequence[int],
        transform: Transform = lambda _job_id, job: job,
        read: t.Callable[[int, int], dict] | None = None,
    ) -> t.Iterator[t.Any]:
        """Yield for each job what a function returns for its ID and the complete job, or the DragonflyError.

        Reads jobs concurrently, but large ones one after the other, because each can take 100 MB.

        :param read: method that reads a job by ID with a limit in bytes, ``get`` by default.
        """
        get = read or self.get

        def get_small(job_id: int) -> t.Any:
            # Called at once, because the kept part of a job is smaller.
            return transform(job_id, get(job_id, _SMALL_JOB))

        def get_large(job_id: int) -> t.Any:
            return transform(job_id, get(job_id, ROW_LIMIT))

        for job_id, answer in zip(job_ids, map_in_threads(return_errors(get_small), job_ids)):
            if isinstance(answer, GarbledError) and answer.reason == "too_large":
                yield return_errors(get_large)(job_id)
            else:
                yield answer

    def poll_once(
        self, job_ids: t.Sequence[int], kind: str = "preheat", transform: Transform = lambda job_id, job: job
    ) -> PollResult:
        """Poll jobs once: read the list of pending jobs, and by ID those that are not in it.

        :param kind: type of the jobs.
        :param transform: returns the part of a complete job to keep; called in threads with its ID and the job.
        :raises DragonflyError: if an error is permanent.
        """
        self.last_error = None
        pending: dict[int, dict] = {}
        try:
            if len(job_ids) > 1 and not self._poll_by_id:
                pending = self._read_pending_rows(set(job_ids), kind)
            return self._get_each(sorted(set(job_ids) - set(pending)), pending, transform)
        except DragonflyError as exc:
            if not is_transient(exc):
                raise
            self.last_error = exc
            return PollResult({}, pending)

    def pending_message(self, timeout: float) -> str:
        """Return the message for a job that is still pending after the given number of seconds."""
        return f"the job is still PENDING after {int(timeout)} s{self.last_failure}"

    @property
    def last_failure(self) -> str:
        """The continuation of a message with the temporary error of the last poll, empty without one."""
        return f". The last request failed: {self.last_error.message.rstrip('.')}" if self.last_error else ""

    def _read_pending_rows(self, job_ids: set[int], kind: str) -> dict[int, dict]:
        """Return the rows of jobs in the list of pending jobs, by ID."""
        named: dict[int, dict] = {}
        # Reading a longer list costs more than reading each job by ID.
        for page in range(1, len(job_ids) + 1):
            rows, is_last = self._read_pending_page(page, kind)
            if rows is None:
                break
            named.update((row["id"], row) for row in rows if row["id"] in job_ids)
            if is_last or len(named) == len(job_ids):
                return named
        self._poll_by_id = True
        return {}

    def _read_pending_page(self, page: int, kind: str) -> tuple[list[dict] | None, bool]:
        """Return the rows of a page of the list of pending jobs, and whether it is the last page.

        A job of a user that does not exist makes a page unreadable, which has no rows.
        """
        per_page = PAGE if self._client.jobs_api == CONSOLE_API else LARGE_PAGE
        try:
            _last, stream = self._client.list_jobs(page, per_page, type=kind, state="PENDING")
        except ApiError as exc:
            if exc.status != 404:
                raise
            return None, True
        rows = [without_result(row) for row in stream]
        return [row for row in rows if isinstance(row["id"], int)], len(rows) < per_page

    def _get_each(self, job_ids: list[int], pending: dict[int, dict], transform: Transform) -> PollResult:
        jobs: dict[int, t.Any] = {}
        for job_id, answer in zip(job_ids, self.get_each(job_ids, transform, self._client.get_job)):
            if isinstance(answer, ApiError) and answer.status == 404:
                jobs[job_id] = None
            elif not isinstance(answer, DragonflyError):
                jobs[job_id] = answer
            elif is_transient(answer):
                self.last_error = answer
            else:
                raise answer
        return PollResult(jobs, pending)
