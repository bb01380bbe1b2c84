# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the peers which content they hold.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._concurrency import map_in_threads
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_document import (
    cluster_ids,
    job_args,
    task_peers,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import poll
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.session import Session
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.verdict import Verdict
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import releases_of_echo

# Releases whose schedulers can lose entries of a result, and the last one after them.
_FIRST_LOSING_ENTRIES, _FIRST_WITHOUT_LOSS = (2, 3, 1), (2, 4, 4)
# What identifies the tasks of a job besides their URLs.
_IDENTITY = ("tag", "application", "filtered_query_params", "piece_length")


def find_urls_held_by_peers(
    session: Session, urls: t.Sequence[str], args: dict, clusters: set[int], timeout: float
) -> set[str]:
    """Return those of the URLs that a peer holds in every one of the clusters, by jobs of the type get_task.

    :param args: of the preheat, whose tag, application, piece length and filter are part of the ids of tasks.
    :param timeout: seconds for all of it.
    :raises DragonflyError: if the peers cannot be asked.
    """
    reader, clock = session.reader, session.clock
    deadline = clock.now() + timeout
    identity = {key: args[key] for key in _IDENTITY if args.get(key)}

    def create(url: str) -> int:
        body: dict[str, t.Any] = {"type": "get_task", "args": dict(identity, url=url)}
        if clusters:
            body["scheduler_cluster_ids"] = sorted(clusters)
        return session.requests.create(body, deadline=deadline).job["id"]

    pending = dict(zip(map_in_threads(create, urls), urls))
    held: set[str] = set()

    def poll_pending() -> bool:
        for job_id, job in reader.poll_once(list(pending), kind="get_task").jobs.items():
            if job is None or job.get("state") != "PENDING":
                url = pending.pop(job_id)
                if clusters <= _clusters_with_whole_task(job or {}):
                    held.add(url)
        return not pending

    poll(poll_pending, bool, max(0, deadline - clock.now()), session.params["wait_sleep"], clock)
    return held


def _clusters_with_whole_task(job: dict) -> set[int | None]:
    """Return in which clusters a peer has the whole task, by the answer of a job of the type get_task.

    Before 2.4.0 it does not tell whether a peer has all of it, which proves nothing: a fetch that failed leaves a task.
    """
    return {cluster_id for cluster_id, peer in task_peers(job, "peers") if peer.get("IsFinished") is True}


def recheck_lost_entries(
    session: Session, planned: PlannedJob, job: dict, verdict: Verdict, timeout: float = 120
) -> Verdict:
    """Ask whether blobs are warm that the result of a cold job does not name.

    Schedulers of 2.3.1 to 2.4.3 can lose entries by a race (scheduler/job/job.go, preheatV2SingleSeedPeer). Of appends
    that race one is always kept, so a result without any entry is really empty.
    """
    releases = releases_of_echo(job_args(job))
    if not releases.since(_FIRST_LOSING_ENTRIES) or releases.since(_FIRST_WITHOUT_LOSS):
        return verdict
    if planned.has_many_peers or not verdict.warm or not verdict.cold:
        return verdict
    try:
        proven = find_urls_held_by_peers(session, verdict.cold, job_args(job), cluster_ids(job), timeout)
    except DragonflyError as exc:
        session.warnings.append(
            f"The {len(verdict.cold)} blobs that the result of job {job['id']} lacks could not be looked up: "
            f"{exc.message}"
        )
        return verdict
    verdict = session.verify(planned, job, proven)
    if verdict.status != "cold":
        return verdict
    hint = ". Schedulers before 2.4.4 can lose entries of the result, too: a new run preheats it again"
    return verdict.with_message(f"{verdict.message}{hint}")
