# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query which content the peers hold now.

With a job of the type get_task, the schedulers query each host of their cluster, including seed peers, for the pieces
of one task on its disk. The responses depend on the release of the schedulers (scheduler/job/job.go, getTask and
GetTask):

- up to 2.3.0, the scheduler does not query hosts, but lists the peers that it remembers;
- from 2.3.1 to 2.3.4, each host reports whether it has the task, but not whether it is complete;
- since 2.4.0, each host also reports that (``IsFinished``).
"""

from __future__ import annotations

import typing as t

from .._concurrency import map_in_threads, return_errors
from .._errors import DragonflyError
from .._job_document import IDENTITY_KEYS, JobResult, cluster_ids, is_over, job_args
from .._jobs import gone_message
from .._polling import PEERS_TIMEOUT, poll
from .._releases import releases_of_echo
from .._tasks.hosts import reported_holders
from .context import RunContext
from .planning import PlannedJob
from .verdict import Verdict

# Releases whose schedulers can lose entries of a result, and the first one after them.
_FIRST_LOSING_ENTRIES, _FIRST_WITHOUT_LOSS = (2, 3, 1), (2, 4, 4)
# Keys that identify the tasks of a job besides their URLs.
_SELECTING_KEYS = (*IDENTITY_KEYS, "filtered_query_params")
# If set, the ID of a blob's task is its digest (merged upstream after 2.5.1).
_BLOB_DIGEST_IDS = "enable_task_id_based_blob_digest"
# Seconds between two polls. The manager itself polls a get_task job at once and after 30 s (manager/service/job.go,
# pollingJob, 2.4.0), so its row changes then.
_SLEEP = 3


class PeerQuestion(t.NamedTuple):
    """A question which peers hold a task: its URL, the arguments that identify it, and the clusters to query."""

    url: str
    selector: tuple[tuple[str, t.Any], ...]
    cluster_ids: tuple[int, ...]

    def body(self) -> dict[str, t.Any]:
        """Return the JSON of the POST."""
        body: dict[str, t.Any] = {"type": "get_task", "args": dict(self.selector)}
        if self.cluster_ids:
            body["scheduler_cluster_ids"] = list(self.cluster_ids)
        return body


class Holder(t.NamedTuple):
    """A host that holds a complete task.

    :ivar host_type: ``normal`` for a peer, other values for a seed peer, which can run on the same machine.
    """

    cluster_id: int | None
    ip: str | None
    hostname: str | None = None
    host_type: str | None = None


class PeerAnswer(t.NamedTuple):
    """The answer of the peers.

    :ivar holders: hosts that hold the complete task.
    :ivar problem: why the answer proves nothing, or None.
    """

    holders: frozenset[Holder] = frozenset()
    problem: str | None = None


def question_of(url: str, args: dict, clusters: set[int]) -> PeerQuestion:
    """Return the question which peers hold a URL that a preheat with these arguments fetched."""
    selecting = ((key, args.get(key)) for key in _SELECTING_KEYS)
    selector = [("url", url), *((key, value) for key, value in selecting if value and isinstance(value, (str, int)))]
    if args.get(_BLOB_DIGEST_IDS):
        # Imported here, because the file is large and rarely needed.
        from .._task_id import blob_digest_id

        task_id = blob_digest_id(url)
        selector = [("task_id", task_id)] if task_id else selector
    return PeerQuestion(url, tuple(selector), tuple(sorted(clusters)))


def ask_peers(
    context: RunContext, questions: t.Collection[PeerQuestion], timeout: float
) -> dict[PeerQuestion, PeerAnswer]:
    """Return the peers' answer to each question, using a job for each. Failed questions have an answer, too.

    :param timeout: total time limit in seconds.
    """
    distinct = list(dict.fromkeys(questions))
    deadline = context.clock.now() + timeout

    def create(question: PeerQuestion) -> int:
        return context.requests.create(question.body(), deadline=deadline).job["id"]

    answers: dict[PeerQuestion, PeerAnswer] = {}
    pending: dict[int, PeerQuestion] = {}
    for question, job_id in zip(distinct, map_in_threads(return_errors(create), distinct)):
        if isinstance(job_id, DragonflyError):
            answers[question] = PeerAnswer(problem=job_id.message)
        else:
            pending[job_id] = question

    def poll_pending() -> bool:
        for job_id, job in context.reader.poll_once(list(pending), kind="get_task").jobs.items():
            if job is None or is_over(job):
                answers[pending.pop(job_id)] = read_answer(job_id, job)
        return not pending

    problem = f"the peers did not respond within {timeout:.0f} s"
    try:
        sleep = min(_SLEEP, context.params["wait_sleep"])
        poll(poll_pending, bool, max(0, deadline - context.clock.now()), sleep, context.clock)
    except DragonflyError as exc:
        problem = exc.message
    answers.update((question, PeerAnswer(problem=problem)) for question in pending.values())
    return answers


def read_answer(job_id: int, job: dict | None) -> PeerAnswer:
    """Return the answer in a finished get_task job.

    :param job: the job, None if it was deleted.
    """
    if job is None:
        return PeerAnswer(problem=gone_message(job_id))
    if job.get("state") != "SUCCESS":
        return PeerAnswer(problem=f"job {job_id} failed: {JobResult(job).error or 'the manager reports no reason'}")
    hosts = reported_holders(job)
    if hosts is None:
        return PeerAnswer(
            problem="peers have it, and these schedulers do not report whether they have all of it. That requires "
            "Dragonfly schedulers 2.4.0 or later"
        )
    return PeerAnswer(frozenset(_holder(host) for host in hosts if host["finished"] is True))


def _holder(host: dict[str, t.Any]) -> Holder:
    return Holder(host["scheduler_cluster_id"], host["ip"], host["hostname"], host["type"])


def recheck_lost_entries(
    context: RunContext, planned: PlannedJob, job: dict, verdict: Verdict, timeout: float = PEERS_TIMEOUT
) -> Verdict:
    """Query the peers for blobs that are missing in the result of a cold job.

    Schedulers 2.3.1 to 2.4.3 can lose entries by a race (scheduler/job/job.go, preheatV2SingleSeedPeer). One of the
    racing appends always remains, so a result without any entry is really empty.
    """
    if not may_have_lost_entries(planned, job, verdict):
        return verdict
    clusters = cluster_ids(job)
    questions = [question_of(url, job_args(job), clusters) for url in verdict.cold or ()]
    answers = ask_peers(context, questions, timeout)
    proven = {question.url for question in questions if is_held(answers[question], clusters)}
    verdict = context.verify(planned, job, proven)
    if verdict.status != "cold":
        return verdict
    return verdict.with_message(f"{verdict.message}{_lost_entries_hint(answers)}")


def _lost_entries_hint(answers: dict[PeerQuestion, PeerAnswer]) -> str:
    hint = ". Schedulers before 2.4.4 can also lose entries of the result"
    problem = first_problem(answers.values())
    if problem:
        hint += f". Whether peers hold these blobs is unknown: {problem.rstrip('.')}"
    return hint


def first_problem(answers: t.Iterable[PeerAnswer]) -> str | None:
    """Return why the first of some answers proves nothing, None if all do."""
    return next((answer.problem for answer in answers if answer.problem), None)


def may_have_lost_entries(planned: PlannedJob, job: dict, verdict: Verdict) -> bool:
    """Return whether blobs may be warm that the result of a cold job does not name."""
    releases = releases_of_echo(job_args(job))
    if not releases.since(_FIRST_LOSING_ENTRIES) or releases.since(_FIRST_WITHOUT_LOSS):
        return False
    return verdict.status == "cold" and not planned.has_many_peers and bool(verdict.warm and verdict.cold)


def is_held(answer: PeerAnswer, clusters: set[int]) -> bool:
    """Return whether a host has all of a task in each of the clusters, or in any where none is known."""
    held_in = {holder.cluster_id for holder in answer.holders}
    return answer.problem is None and bool(held_in) and clusters <= held_in
