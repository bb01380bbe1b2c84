# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for jobs of any type that others created."""

from __future__ import annotations

import operator
import typing as t

from ._duration import format_duration
from ._job_document import is_over
from ._jobs import JobReader, gone_message
from ._polling import Clock, poll
from ._preheat.decision import is_watched
from ._text import listed

#: A job as the module returns it.
FormattedJob = t.Dict[str, t.Any]


class JobWaiting:
    """Waits until no job of a list is running.

    :param format_job: returns the module's representation of a complete job.
    """

    def __init__(self, reader: JobReader, clock: Clock, format_job: t.Callable[[dict], FormattedJob]) -> None:
        self._reader = reader
        self._clock = clock
        self._format = format_job
        self._jobs: dict[int, FormattedJob] = {}
        self._pending: set[int] = set()

    def wait(self, jobs: list[FormattedJob], timeout: float, sleep: float) -> list[FormattedJob]:
        """Return the jobs in the same order, each as last read.

        :param timeout: total time in seconds.
        :param sleep: polling interval in seconds.
        """
        self._jobs = {job["id"]: job for job in jobs}
        self._pending = {job_id for job_id, job in self._jobs.items() if not is_over(job)}
        if self._pending:
            poll(self._poll_once, operator.not_, timeout, sleep, self._clock)
        return [self._jobs[job["id"]] for job in jobs]

    def timeout_result(self, timeout: int) -> dict[str, t.Any]:
        """Return the result's keys that name the running jobs, or an empty dict."""
        if not self._pending:
            return {}
        names = listed([str(job_id) for job_id in sorted(self._pending)], most=5)
        message = f"Still PENDING after {format_duration(timeout)}: job {names}{self._reader.last_failure}"
        return {"failed": True, "reason": "timed_out", "msg": f"{message}. What to do: raise wait_timeout."}

    def _poll_once(self) -> set[int]:
        """Read the pending jobs once, and return the IDs of those that are still pending."""
        result = self._reader.poll_once(sorted(self._pending), transform=self._read)
        for job_id, answer in result.jobs.items():
            if answer is None:
                self._end(job_id, "gone", f"{gone_message(job_id)}. What to do: create it again")
            else:
                self._jobs[job_id], is_final = answer
                if is_final:
                    self._pending.discard(job_id)
        for job_id, row in result.pending_rows.items():
            if not is_watched(row, self._reader.now(), self._reader.releases):
                self._end(job_id, "given_up", _given_up_message(job_id))
        return self._pending

    def _read(self, job_id: int, job: dict) -> tuple[FormattedJob, bool]:
        """Return the kept part of a job, and whether its state is final."""
        formatted = self._format(job)
        if is_over(job):
            return formatted, True
        if is_watched(job, self._reader.now(), self._reader.releases):
            return formatted, False
        return {**formatted, **_verdict("given_up", _given_up_message(job_id))}, True

    def _end(self, job_id: int, status: str, message: str) -> None:
        self._jobs[job_id] = {**self._jobs[job_id], **_verdict(status, message)}
        self._pending.discard(job_id)


def _verdict(status: str, message: str) -> dict[str, str]:
    return {"outcome": status, "reason": status, "message": message}


def _given_up_message(job_id: int) -> str:
    return (
        f"the manager no longer watches job {job_id}, such as after a restart of the manager, so its result will "
        "remain unknown. What to do: create it again"
    )
