# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the existing jobs that count for planned jobs."""

from __future__ import annotations

import itertools
import typing as t

from .._concurrency import THREADS
from .._errors import ApiError, DragonflyError
from .._file_url import strip_query
from .._job_document import cluster_ids, job_args, job_urls, without_result
from .._manager_knowledge import CLOCK_SLACK
from .cluster_coverage import Coverage
from .context import RunContext
from .decision import ADOPT, FOUND, GIVE_UP_WINDOW, decide
from .deletions import find_deleted
from .matching import is_identical
from .peer_questions import recheck_lost_entries
from .peers_verification import confirm_with_peers
from .planning import MissingJob, PlannedJob, missing_jobs
from .records import JobRecord, ReplacedJob, Source
from .requested_hosts import find_lacking_hosts
from .verdict import Verdict


class _Candidate(t.NamedTuple):
    """A row of a list that is identical to a planned job."""

    planned: PlannedJob
    job_id: int


class ExistingJobs:
    """The existing jobs that count for planned jobs.

    :ivar records: the existing jobs.
    :ivar replaced: by planned job, the existing job that was warm and no longer counts.
    """

    def __init__(self, context: RunContext, planned_jobs: list[PlannedJob]) -> None:
        self._context = context
        self._reader = context.reader
        self._planned_jobs = planned_jobs
        self._coverage = {
            planned: Coverage({planned.cluster_id} if planned.cluster_id else None, exact=True)
            for planned in planned_jobs
        }
        self._candidates: dict[PlannedJob, list[int]] = {planned: [] for planned in planned_jobs}
        self._jobs_with_unknown_clusters: dict[int, set[int]] = {}
        self._looked_up_at = context.clock.now()
        self.records: list[JobRecord] = []
        self.replaced: dict[PlannedJob, ReplacedJob] = {}

    def read_newest(self) -> t.Iterator[list[dict]]:
        """Read the first page of the list of jobs, from which the reader infers the release of the manager.

        :returns: the pages of the list, for ``find``.
        """
        params = self._context.params
        horizon = None if params["force"] else max(params["max_age"], GIVE_UP_WINDOW)
        pages = self._reader.iter_recent_jobs(horizon, type="preheat")
        return itertools.chain([next(pages, [])], pages)

    def find(self, pages: t.Iterable[list[dict]]) -> None:
        """Find the existing jobs that count by their documents, newest first and only as far back as necessary.

        With ``force``, none counts.
        """
        if not self._context.params["force"]:
            self._read_pages(pages)
            self._drop_what_lacks_hosts()

    def find_newer(self) -> bool:
        """Find the jobs that others have created since the last lookup for what is missing.

        :returns: whether there are any that count.
        """
        known_ids, records = set(self._reader.seen_ids), len(self.records)
        for planned, coverage in self._coverage.items():
            coverage.reopen_gap()
            # What is left of them is older than the jobs that were decided on.
            self._candidates[planned] = []
        horizon = self._context.clock.now() - self._looked_up_at + 2 * CLOCK_SLACK
        pages = self._reader.iter_recent_jobs(horizon, type="preheat")
        self._read_pages([row for row in page if row["id"] not in known_ids] for page in pages)
        return len(self.records) > records

    def drop_stale(self) -> None:
        """Drop warm jobs whose content is gone, according to the peers or to a later deletion."""
        warm = [record for record in self.records if record.source == FOUND]
        verify = self._context.params["verify"]
        if verify == "peers":
            self._drop_not_held(warm)
        elif verify != "none":
            for record, deletion in find_deleted(self._context, warm):
                message = f"job {deletion.job_id} deleted some or all of its content after job {record.job_id} had run"
                self._drop(record, "deleted", message)

    def _drop_not_held(self, warm: list[JobRecord]) -> None:
        if self._context.check_mode and warm:
            self._context.warnings.append(
                "In check mode, the module does not query the peers (verify: peers). It relies on the results of the "
                "jobs."
            )
            return
        confirm_with_peers(self._context, warm)
        for record in warm:
            if record.verdict.reason == "not_held":
                self._drop(record, "not_held", record.verdict.message or "")

    def missing(self) -> list[MissingJob]:
        """Return the jobs that are still needed."""
        return [
            missing for planned in self._planned_jobs for missing in missing_jobs(planned, self._coverage[planned].gap)
        ]

    def _drop(self, record: JobRecord, reason: str, message: str) -> None:
        self.records.remove(record)
        self._jobs_with_unknown_clusters.pop(record.job_id, None)
        self._coverage[record.planned].drop(record.job_id)
        self.replaced.setdefault(record.planned, ReplacedJob(record.job_id, reason, message))

    def _read_pages(self, pages: t.Iterable[list[dict]]) -> None:
        by_url: dict[str, list[PlannedJob]] = {}
        for planned in self._planned_jobs:
            by_url.setdefault(strip_query(planned.url), []).append(planned)
        for rows in pages:
            for row in rows:
                url = next(iter(job_urls(job_args(row))), "")
                self._add_candidates(row, by_url.get(strip_query(url), ()))
            self._settle_candidates()
            if all(coverage.settled for coverage in self._coverage.values()):
                return

    def _add_candidates(self, row: dict, planned_jobs: t.Iterable[PlannedJob]) -> None:
        for planned in planned_jobs:
            is_settled = self._coverage[planned].settled
            if not is_settled and is_identical(job_args(row), planned, row.get("bio")):
                self._candidates[planned].append(row["id"])

    def _settle_candidates(self) -> None:
        """Decide on the candidates, newest first. Reads each by ID, because lists do not name the clusters."""
        while batch := self._next_candidates():
            self._learn_clusters([candidate.planned for candidate in batch if candidate.planned.cluster_id is None])
            # In batches, because jobs can be large.
            for start in range(0, len(batch), THREADS):
                self._settle_chunk(batch[start : start + THREADS])

    def _next_candidates(self) -> list[_Candidate]:
        """Take the newest candidate of each planned job that still needs one."""
        return [
            _Candidate(planned, job_ids.pop(0))
            for planned, job_ids in self._candidates.items()
            if job_ids and not self._coverage[planned].settled
        ]

    def _settle_chunk(self, chunk: list[_Candidate]) -> None:
        jobs = self._reader.get_each([candidate.job_id for candidate in chunk])
        for candidate in chunk:
            # Not in a variable, and not by zip, which would hold a large job while the next one is read.
            self._settle(candidate.planned, next(jobs))

    def _learn_clusters(self, planned_jobs: list[PlannedJob]) -> None:
        """Read the clusters for jobs that need all clusters, if the manager and the token permit it."""
        for planned in planned_jobs:
            if self._coverage[planned].needed is None and self._reader.all_cluster_ids():
                self._coverage[planned] = Coverage(self._reader.all_cluster_ids())

    def _settle(self, planned: PlannedJob, job: dict | DragonflyError) -> None:
        """Decide on a job of the list, or on the error of reading it."""
        if isinstance(job, ApiError) and job.status == 404:
            return
        if isinstance(job, DragonflyError):
            raise job
        verdict = self._verify(planned, job)
        max_age = self._context.params["max_age"]
        decision = decide(job, verdict, self._reader.now(), max_age, self._reader.releases)
        coverage = self._coverage[planned]
        if not coverage.add(job["id"], cluster_ids(job), decision):
            return
        if coverage.needed is None:
            self._jobs_with_unknown_clusters[job["id"]] = cluster_ids(job)
        source: Source = ADOPT if decision == ADOPT else FOUND
        self.records.append(JobRecord(planned, source, without_result(job), verdict))

    def _verify(self, planned: PlannedJob, job: dict) -> Verdict:
        """Return the verdict on a job, for which the peers are queried if it matters that its result lacks entries."""
        context = self._context
        verdict = context.verify(planned, job)
        age = self._reader.age(job)
        is_recent = age is not None and age <= context.params["max_age"]
        if verdict.status == "cold" and is_recent and not context.check_mode:
            return recheck_lost_entries(context, planned, job, verdict)
        return verdict

    def _drop_what_lacks_hosts(self) -> None:
        """Drop existing jobs if none of them reports a host that must be warm."""
        for lacking in find_lacking_hosts(self.records, self._context.params):
            if any(self._coverage[record.planned].gap for record in lacking.records):
                continue
            for record in lacking.records:
                self._drop(record, "cold", lacking.message)

    def warn_of_unknown_clusters(self) -> None:
        """Warn if existing jobs count although it is unknown whether they cover all clusters."""
        jobs = self._jobs_with_unknown_clusters
        if not jobs:
            return
        ids = sorted(set().union(*jobs.values()))
        self._context.warnings.append(
            "The module cannot read the clusters, which requires a token with the scope cluster and Dragonfly manager "
            f"2.1.9 or later. It reuses {len(jobs)} existing {'job' if len(jobs) == 1 else 'jobs'}, known to cover "
            f"only cluster {', '.join(map(str, ids)) or '(unknown)'}. Add the scope to the token, or set "
            "scheduler_cluster_ids."
        )
