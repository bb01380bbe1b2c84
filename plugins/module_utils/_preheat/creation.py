# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create missing jobs, and check the manager's echo of their options."""

from __future__ import annotations

import threading
import typing as t

from .._concurrency import map_in_threads, return_errors
from .._errors import DragonflyError
from .._file_url import strip_query
from .._job_document import cluster_ids, job_args, without_result
from .._manager_knowledge import CLOCK_SLACK
from .._releases import not_in_echo, releases_of_echo
from .._time import parse_time
from .context import RunContext
from .decision import ADOPT, GIVE_UP_WINDOW
from .matching import is_identical
from .planning import MissingJob, PlannedJob
from .records import JobRecord
from .release_checks import ignored_option_message
from .verdict import Status, Verdict


def predict(context: RunContext, missing: list[MissingJob]) -> list[JobRecord]:
    """Return the jobs that a run would create, for check mode.

    Only a POST shows whether a cluster has an active scheduler.
    """
    for planned, cluster_id in missing:
        if cluster_id and planned.cluster_id is None:
            context.warnings.append(
                f"No job for {planned.name} covers cluster {cluster_id}, so one is planned. If this cluster has no "
                "active scheduler, a run without check mode creates none there."
            )
    return [JobRecord(missing_job.planned, "planned", None, Verdict("planned")) for missing_job in missing]


class Creation:
    """Creates each job once, even if responses are lost."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        # Jobs that existed before, and jobs known to result from a POST.
        self._claimed = set(context.reader.seen_ids)
        # Jobs whose response was lost. Another run may have created them, for fewer clusters.
        self._ids_after_loss: set[int] = set()

    def create(self, missing: list[MissingJob]) -> list[JobRecord]:
        """Create the jobs and return their records."""
        records: list[JobRecord] = []
        created: dict[str, list[JobRecord]] = {}
        while missing:
            batch, deferred = _split_by_creation_key(missing)
            batch_records, missing = self._create_batch(batch)
            for record in batch_records:
                records.append(record)
                if record.source == "created":
                    created.setdefault(strip_query(record.planned.url), []).append(record)
            for job in deferred:
                reused = _reuse_created_job(job, created.get(strip_query(job.planned.url), ()))
                if reused:
                    records.append(reused)
                    missing += self._uncovered(job, reused.document)
                else:
                    missing.append(job)
        return records

    def _create_batch(self, batch: list[MissingJob]) -> tuple[list[JobRecord], list[MissingJob]]:
        """Create jobs at the same time, and return their records and the jobs that are still missing.

        A cluster without a scheduler gets a warning and no record, unless the user requested it.
        """
        refused, created, uncovered = [], [], []
        dead_clusters: set[int] = set()
        for missing, job in zip(batch, map_in_threads(return_errors(self._create), batch)):
            planned, cluster_id = missing
            if not isinstance(job, DragonflyError):
                created.append(JobRecord(planned, "created", without_result(job), self._check_echo(missing, job)))
                uncovered += self._uncovered(missing, job)
                if job["id"] not in self._ids_after_loss:
                    dead_clusters |= self._clusters_without(missing, job)
            elif cluster_id and _may_be_left_out(planned, job):
                dead_clusters.add(cluster_id)
            else:
                refused.append(_refused(planned, job))
        self._warn_of_dead_clusters(dead_clusters)
        return refused + created, uncovered

    def _warn_of_dead_clusters(self, cluster_ids: set[int]) -> None:
        if cluster_ids:
            names = ", ".join(map(str, sorted(cluster_ids)))
            self._context.warnings.append(
                f"Nothing is preheated in cluster {names}, which has no active scheduler with the feature preheat."
            )

    def _uncovered(self, missing: MissingJob, job: dict) -> list[MissingJob]:
        """Return the jobs for the clusters that a job found after a lost response does not cover."""
        if job["id"] not in self._ids_after_loss:
            return []
        return [MissingJob(missing.planned, number) for number in sorted(self._clusters_without(missing, job))]

    def _clusters_without(self, missing: MissingJob, job: dict) -> set[int]:
        """Return the clusters that a job for all clusters is not for."""
        all_ids = self._context.reader.all_cluster_ids() if missing.cluster_id is None else None
        return (all_ids or set()) - cluster_ids(job)

    def _check_echo(self, missing: MissingJob, job: dict) -> Verdict:
        """Return the verdict on a created job: whether the manager's echo matches the request."""
        args = job_args(job)
        self._context.reader.narrow_releases(args)
        ignored = not_in_echo(missing.planned.all_options(), args)
        if ignored:
            message = ignored_option_message(job["id"], ignored, releases_of_echo(args))
            return Verdict("refused", "unknown_option", message)
        clusters = cluster_ids(job)
        if missing.cluster_id and clusters and missing.cluster_id not in clusters:
            message = f"job {job['id']} was created without cluster {missing.cluster_id}, which has no active scheduler"
            remedy = "start a scheduler there with job.enable: true, or remove the cluster from scheduler_cluster_ids"
            return Verdict("refused", "no_scheduler", message, remedy)
        return Verdict("pending")

    def _create(self, missing: MissingJob) -> dict:
        body = missing.planned.body(missing.cluster_id)
        job = self._context.requests.create(body, find_lost=lambda sent_at: self._find_lost(missing, sent_at)).job
        with self._lock:
            self._claimed.add(job["id"])
        return job

    def _find_lost(self, missing: MissingJob, sent_at: float) -> dict | None:
        """Search once for the job of a POST whose response was lost.

        :param sent_at: seconds since 1970 by the manager's clock.
        """
        rows = [row for row in self._read_since(sent_at) if self._may_be_lost(row, missing.planned, sent_at)]
        answers = [return_errors(self._context.reader.get)(row["id"]) for row in rows]
        jobs = [job for job in answers if not isinstance(job, DragonflyError) and _is_for(missing.cluster_id, job)]
        # The one that another run created for fewer clusters is the last choice.
        for job in sorted(jobs, key=lambda job: -len(cluster_ids(job))):
            if self._claim(job["id"]):
                self._ids_after_loss.add(job["id"])
                return job
        return None

    def _read_since(self, sent_at: float) -> list[dict]:
        """Return the rows of the jobs since a POST, none if they cannot be read now."""
        reader = self._context.reader
        # Others may have created many jobs since.
        horizon = min(GIVE_UP_WINDOW, reader.now() - sent_at + 2 * CLOCK_SLACK)
        try:
            return [row for page in reader.iter_recent_jobs(horizon, type="preheat") for row in page]
        except DragonflyError as exc:
            if exc.status in (401, 403):
                raise
            return []

    def _may_be_lost(self, row: dict, planned: PlannedJob, sent_at: float) -> bool:
        """Return whether a row can be the job of a POST that was sent at this time."""
        created = parse_time(row.get("created_at"))
        is_older = created is not None and created < sent_at - CLOCK_SLACK
        return row["id"] not in self._claimed and not is_older and _is_planned(row, planned)

    def _claim(self, job_id: int) -> bool:
        """Assign a job to a POST, and return whether it was not assigned before."""
        with self._lock:
            if job_id in self._claimed:
                return False
            self._claimed.add(job_id)
            return True


def _split_by_creation_key(missing: list[MissingJob]) -> tuple[list[MissingJob], list[MissingJob]]:
    """Return the jobs that can be created at the same time, and those that must wait.

    Jobs that may be identical, such as two tags of a manifest, are created one after the other.
    """
    batch: list[MissingJob] = []
    deferred: list[MissingJob] = []
    creation_keys: set[tuple] = set()
    for job in missing:
        creation_key = strip_query(job.planned.url), job.cluster_id
        (deferred if creation_key in creation_keys else batch).append(job)
        creation_keys.add(creation_key)
    return batch, deferred


def _may_be_left_out(planned: PlannedJob, error: DragonflyError) -> bool:
    """Return whether a cluster lacks a scheduler, and the user did not request it."""
    return error.reason == "no_scheduler" and planned.cluster_id is None


def _refused(planned: PlannedJob, error: DragonflyError) -> JobRecord:
    status: Status = "unknown" if error.reason == "lost" else "refused"
    return JobRecord(planned, None, None, Verdict(status, error.reason, error.message))


def _reuse_created_job(missing: MissingJob, created: t.Iterable[JobRecord]) -> JobRecord | None:
    """Return a record of a job that this run has created and that is identical to the planned one."""
    planned = missing.planned
    for record in created:
        job = record.document
        is_for_same_clusters = record.planned.cluster_id == planned.cluster_id and _is_for(missing.cluster_id, job)
        if is_for_same_clusters and _is_planned(job, planned):
            return JobRecord(planned, ADOPT, record.job, record.verdict)
    return None


def _is_planned(job: dict, planned: PlannedJob) -> bool:
    return is_identical(job_args(job), planned, job.get("bio"))


def _is_for(cluster_id: int | None, job: dict) -> bool:
    return cluster_id is None or cluster_ids(job) == {cluster_id}
