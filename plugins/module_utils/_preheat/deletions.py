# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determine from the manager's jobs whether preheated content was deleted later.

Jobs of the type ``gc`` do not delete content: they delete rows of audits and jobs (manager/types/job.go, GCArgs, 2.2.3
to 2.5.1). The same applies to the types ``scheduler`` and ``seed_peer``, which the manager creates itself.
"""

from __future__ import annotations

import contextlib
import itertools
import typing as t

from .._file_url import filter_query
from .._job_document import IDENTITY_KEYS, JobResult, cluster_ids, job_args, task_peers
from .._time import parse_time
from .context import RunContext
from .decision import GIVE_UP_WINDOW, is_watched
from .matching import filter_names
from .records import JobRecord

_FIRST_WITH_DELETIONS = (2, 1, 55)


class Deletion(t.NamedTuple):
    """A job of the type delete_task.

    :ivar may_run: whether the manager still polls it, in which case it may still be running.
    :ivar cluster_ids: clusters in its result, or empty.
    :ivar was_empty: whether it certainly deleted nothing.
    """

    job_id: int
    args: dict
    state: str | None
    updated_at: float | None
    may_run: bool
    cluster_ids: set[int]
    was_empty: bool


def find_deleted(context: RunContext, records: list[JobRecord]) -> list[tuple[JobRecord, Deletion]]:
    """Return the warm jobs whose content was deleted later, each with a deletion. Lists the jobs once."""
    if not records or context.reader.releases.before(_FIRST_WITH_DELETIONS):
        return []
    oldest = max(context.reader.age(record.document) or 0 for record in records)
    # A deletion that was created before a preheat can end after it.
    deletions = _read_deletions(context, oldest + GIVE_UP_WINDOW)
    deleted = []
    for record in records:
        deletion = next((deletion for deletion in deletions if deletes(deletion, record)), None)
        if deletion:
            deleted.append((record, deletion))
    return deleted


def _read_deletions(context: RunContext, horizon: float) -> list[Deletion]:
    def summarize(row: dict) -> dict:
        """Return what is kept of a row: its result can be large."""
        kept = {key: row.get(key) for key in ("id", "created_at", "args")}
        return dict(kept, deletion=_read_deletion(context, row))

    pages = context.reader.iter_recent_jobs(horizon, summarize, large_pages=True, type="delete_task")
    return [row["deletion"] for rows in pages for row in rows]


def _read_deletion(context: RunContext, row: dict) -> Deletion:
    result = JobResult(row)
    ended = row.get("state") == "SUCCESS" and not result.errors
    entries = itertools.chain(task_peers(row, "success_tasks"), task_peers(row, "failure_tasks"))
    return Deletion(
        job_id=row["id"],
        args=job_args(row),
        state=row.get("state"),
        updated_at=parse_time(row.get("updated_at")),
        may_run=is_watched(row, context.reader.now(), context.reader.releases),
        cluster_ids=result.cluster_ids,
        was_empty=ended and bool(result.cluster_ids) and next(entries, None) is None,
    )


def deletes(deletion: Deletion, record: JobRecord) -> bool:
    """Return whether a deletion may have deleted content of a warm job; in doubt, it counts as deleted."""
    job = record.document
    if deletion.was_empty or _ended_before(deletion, job) or _was_elsewhere(deletion, job):
        return False
    return _is_about(deletion.args, record)


def _was_elsewhere(deletion: Deletion, job: dict) -> bool:
    """Return whether a deletion succeeded in other clusters than those of a job, as far as they are known."""
    clusters = cluster_ids(job)
    if deletion.state != "SUCCESS" or not clusters or not deletion.cluster_ids:
        return False
    return clusters.isdisjoint(deletion.cluster_ids)


def _ended_before(deletion: Deletion, job: dict) -> bool:
    """Return whether a deletion ended before a job was created. A failed deletion may have deleted some content."""
    created = parse_time(job.get("created_at"))
    if created is None or deletion.updated_at is None:
        return False
    if deletion.state not in ("SUCCESS", "FAILURE") and deletion.may_run:
        return False
    return deletion.updated_at < created


def _is_about(args: dict, record: JobRecord) -> bool:
    """Return whether a deletion with these arguments concerns a task of a job."""
    job = job_args(record.job)
    task_id = args.get("task_id")
    if task_id:
        urls = _urls(record)
        # Any task may be one of the blobs if the ID or the blobs are unknown.
        return not isinstance(task_id, str) or not urls or task_id in _task_ids(urls, job)
    # Without a URL, the ID is computed from other content, which no preheat sets.
    url = args.get("url")
    return isinstance(url, str) and not _differs_in_identity(args, job) and _fetched(record, url, filter_names(args))


def _fetched(record: JobRecord, url: str, names: set[str]) -> bool:
    """Return whether a job may have fetched a URL.

    :param names: query parameters of this URL that do not identify content.
    """
    urls = _urls(record)
    if not urls:
        # The blobs of the image are unknown, so any blob of its repository may be one.
        return url.partition("/blobs/")[0] == record.planned.url.partition("/manifests/")[0]
    own_names = filter_names(job_args(record.job))
    return filter_query(url, names) in {filter_query(own, own_names) for own in urls}


def _differs_in_identity(args: dict, job: dict) -> bool:
    """Return whether a key that identifies a task differs. Missing and empty values are not compared."""
    shared = [key for key in IDENTITY_KEYS if key in args and key in job]
    return any((args[key] or None) != (job[key] or None) for key in shared)


def _urls(record: JobRecord) -> set[str]:
    """Return the URLs whose content a job fetched, as far as known."""
    urls = {*(record.verdict.warm or []), *(record.verdict.cold or [])}
    return urls.union(*(record.planned.urls_by_manifest or []))


def _task_ids(urls: t.Iterable[str], args: dict) -> set[str | None]:
    """Return the IDs that the tasks of a job can have with any release of clients and schedulers."""
    # Imported here, because deletions by ID are rare and this file is large.
    from .._task_id import RECIPES, blob_digest_id

    recipes = [recipe for by_name in RECIPES.values() for recipe in by_name.values()]
    names = sorted(filter_names(args))
    identity = {key: args.get(key) for key in IDENTITY_KEYS}
    ids: set[str | None] = set()
    for url in urls:
        ids.add(blob_digest_id(url))
        for recipe in recipes:
            # The Rust client has no task for a URL that is not valid.
            with contextlib.suppress(ValueError):
                ids.add(recipe.task_id(url, names, **identity))
    return ids
