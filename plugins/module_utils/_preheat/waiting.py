# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for jobs, and report progress."""

from __future__ import annotations

import operator
import typing as t

from .._errors import DragonflyError
from .._job_document import without_result
from .._jobs import PollResult, gone_message
from .._polling import poll
from .context import RunContext
from .decision import is_watched
from .peer_questions import may_have_lost_entries, recheck_lost_entries
from .records import JobRecord
from .report import progress_line
from .requested_hosts import find_lacking_hosts
from .verdict import Verdict


class Waiting:
    """Waits for the jobs of a run.

    :param progress: called with a line of text whenever the progress changes.
    """

    def __init__(self, context: RunContext, records: list[JobRecord], progress: t.Callable[[str], None]) -> None:
        self._context = context
        self._records = records
        self._progress = progress
        self._last_line: str | None = None

    def wait(self) -> None:
        """Wait until no job is pending or the time is up, and set the verdict of each job."""
        params, clock = self._context.params, self._context.clock
        timeout = params["wait_timeout"]
        deadline = clock.now() + timeout
        self._report_progress()
        self._poll(timeout)
        self._recheck_cold(max(0, deadline - clock.now()))
        for record in self._pending():
            record.verdict = self._timed_out(timeout)
        for lacking in find_lacking_hosts(self._records, params):
            for record in lacking.records:
                record.verdict = record.verdict.with_status("cold", "cold", lacking.message, lacking.remedy)
        self._report_progress()

    def _poll(self, timeout: int) -> None:
        """Poll the pending jobs until the time is up. After a permanent error, their outcome is unknown."""
        try:
            if self._pending():
                poll(self._poll_once, operator.not_, timeout, self._context.params["wait_sleep"], self._context.clock)
        except DragonflyError as exc:
            self._context.reader.last_error = exc
            if exc.reason != "timed_out":
                message = f"the job could no longer be polled: {exc.message}"
                for record in self._pending():
                    record.verdict = Verdict("unknown", exc.reason, message)

    def _pending(self) -> list[JobRecord]:
        return [record for record in self._records if record.verdict.status == "pending"]

    def _poll_once(self) -> bool:
        """Poll the pending jobs, and return whether any is still pending."""
        # Several images can have the same job, such as tags of the same manifest.
        pending: dict[int, list[JobRecord]] = {}
        for record in self._pending():
            pending.setdefault(record.job_id, []).append(record)

        def verify(job_id: int, job: dict) -> tuple[dict, list[Verdict]]:
            verdicts = [self._context.verify(record.planned, job) for record in pending[job_id]]
            # A result can be large.
            kept = any(
                may_have_lost_entries(record.planned, job, verdict)
                for record, verdict in zip(pending[job_id], verdicts)
            )
            return job if kept else without_result(job), verdicts

        result = self._context.reader.poll_once(list(pending), transform=verify)
        for job_id, answer in result.jobs.items():
            for number, record in enumerate(pending[job_id]):
                if answer is None:
                    record.verdict = _gone(job_id)
                else:
                    record.job, record.verdict = answer[0], answer[1][number]
        self._give_up_unwatched(result)
        self._report_progress()
        return bool(self._pending())

    def _give_up_unwatched(self, result: PollResult) -> None:
        reader = self._context.reader
        for record in self._pending():
            row = record.job if record.job_id in result.jobs else result.pending_rows.get(record.job_id)
            if row and not is_watched(row, reader.now(), reader.releases):
                record.verdict = Verdict(
                    "given_up",
                    "given_up",
                    f"the manager no longer watches job {record.job_id}, such as after a restart of the manager, so it "
                    "may be warm or still running",
                    "run the task again, which creates a new job",
                )

    def _recheck_cold(self, timeout: float) -> None:
        for record in self._records:
            if record.verdict.status == "cold" and record.source in ("created", "adopted") and record.job:
                record.verdict = recheck_lost_entries(
                    self._context, record.planned, record.job, record.verdict, timeout
                )

    def _timed_out(self, timeout: int) -> Verdict:
        reader = self._context.reader
        remedy = None if reader.last_error else "run the task again, which waits for the job, or raise wait_timeout"
        return Verdict("timed_out", "timed_out", reader.pending_message(timeout), remedy)

    def _report_progress(self) -> None:
        line = progress_line(self._records)
        if line != self._last_line:
            self._last_line = line
            self._progress(line)


def _gone(job_id: int) -> Verdict:
    message = f"{gone_message(job_id)}: it was deleted, or its retention period ended"
    return Verdict("gone", "gone", message, "run the task again, which creates a new job")
