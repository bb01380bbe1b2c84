# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Confirm with the peers that warm content is still cached: ``verify: peers``."""

from __future__ import annotations

import itertools
import typing as t

from .._errors import DragonflyError
from .._job_document import JobResult, ReportedHost, cluster_ids, job_args, normal_ip
from .._polling import PEERS_TIMEOUT
from .._text import listed
from .context import RunContext
from .host_check import check_hosts
from .peer_questions import Holder, PeerAnswer, PeerQuestion, ask_peers, first_problem, is_held, question_of
from .planning import PlannedJob
from .records import JobRecord
from .verdict import Verdict, cold_blobs

#: Maximum number of jobs: one is created for each blob, and each is a row in the manager.
MOST_QUESTIONS = 1000
# By default, the manager accepts 10 jobs per second for a cluster, and polling them costs requests as well:
# five times as long.
_SECONDS_PER_QUESTION = 0.5

_NOT_HELD_REMEDY = (
    "check that the peers run, have free disk space and keep content for long enough (gc.policy), then run the task "
    "again, which creates a new job"
)
_UNKNOWN_REMEDY = "run the task again, or use verify: blobs, which does not query the peers"

Answers = t.Mapping[PeerQuestion, PeerAnswer]


def limit_peer_questions(planned_jobs: list[PlannedJob]) -> None:
    """Refuse to confirm content that would require too many jobs.

    :raises DragonflyError: before anything is created.
    """
    questions = {
        (url, planned.cluster_id) for planned in planned_jobs for urls in planned.urls_by_manifest or [] for url in urls
    }
    if len(questions) > MOST_QUESTIONS:
        raise DragonflyError(
            f"verify: peers creates a job for each of {len(questions)} blobs, and the limit is {MOST_QUESTIONS}. "
            "Nothing was created. What to do: preheat fewer images in one task.",
            "too_many_blobs",
        )


def confirm_with_peers(context: RunContext, records: t.Iterable[JobRecord]) -> None:
    """Confirm warm jobs with the peers, and change the verdict on jobs whose content is gone."""
    unproven = [record for record in records if record.verdict.status == "warm" and record.verdict.verified != "peers"]
    if not unproven:
        return
    questions = set(itertools.chain(*map(_questions, unproven)))
    # The response to a POST may be lost, which is detected only after the timeout of a request.
    timeout = context.client.timeout + PEERS_TIMEOUT + _SECONDS_PER_QUESTION * len(questions)
    answers = ask_peers(context, questions, timeout)
    for record in unproven:
        record.verdict = judge_holding(record, answers, context.params)


def _questions(record: JobRecord) -> list[PeerQuestion]:
    args, clusters = job_args(record.job), cluster_ids(record.document)
    return [question_of(url, args, clusters) for url in _blobs(record.verdict)]


def _blobs(verdict: Verdict) -> list[str]:
    """Return the URLs of a warm job, including those that are cold on hosts that may fail."""
    return [*(verdict.warm or []), *(verdict.cold or [])]


def judge_holding(record: JobRecord, answers: Answers, params: dict) -> Verdict:
    """Return the verdict on a warm job, based on the answers of the peers."""
    verdict, questions = record.verdict, _questions(record)
    if not questions:
        message = "the job does not report which blobs are warm, so the peers cannot be queried for them"
        remedy = "run the task with force: true, which creates a job that reports them, or with verify: auto"
        return Verdict("unknown", "peers_unknown", message, remedy)
    problem = first_problem(answers[question] for question in questions)
    if problem:
        message = f"it is unknown whether the peers hold it now: {problem.rstrip('.')}"
        # The message of an error includes a remedy.
        own_remedy = None if "What to do:" in problem else _UNKNOWN_REMEDY
        return verdict.with_status("unknown", "peers_unknown", message, own_remedy)
    if record.planned.has_many_peers:
        return _judge_hosts(record, questions, answers, params)
    return _judge_clusters(record, questions, answers)


def _judge_clusters(record: JobRecord, questions: list[PeerQuestion], answers: Answers) -> Verdict:
    """Every cluster must have a peer that holds each blob."""
    clusters = cluster_ids(record.document)
    cold = [question.url for question in questions if not is_held(answers[question], clusters)]
    if not cold:
        return record.verdict.confirmed_by_peers()
    message = f"the peers do not hold all of it now: {cold_blobs(len(questions), cold)}"
    return record.verdict.with_blobs(cold).with_status("cold", "not_held", message, _NOT_HELD_REMEDY)


def _judge_hosts(record: JobRecord, questions: list[PeerQuestion], answers: Answers, params: dict) -> Verdict:
    """Every host in the result or the options must hold every blob, except those that may fail."""
    verdict = record.verdict
    reported = verdict.warm_hosts | verdict.cold_hosts
    holders = _holding_addresses(record, [answers[question].holders for question in questions])
    check = check_hosts(params, reported, set.intersection(*holders))
    # The percentage may permit that all hosts are cold, but then no host confirms the content.
    if check.passes and check.warm:
        return verdict.confirmed_by_peers()
    verb = "does" if len(check.cold) == 1 else "do"
    subject = f"{len(check.cold)} of {len(check.named)} hosts"
    message = f"{subject} {verb} not hold all of it now: {listed(sorted(check.cold))}"
    urls = [question.url for question, hosts in zip(questions, holders) if not check.named <= hosts]
    verdict = verdict.with_blobs(urls).with_hosts(check.warm, check.cold)
    return verdict.with_status("cold", "not_held", message, _NOT_HELD_REMEDY)


def _holding_addresses(record: JobRecord, answers: list[frozenset[Holder]]) -> list[set[str]]:
    """Return for each answer the addresses whose hosts all hold the blob.

    Hosts behind one gateway, and those of clusters with the same addresses, share an address. A host that neither the
    result of the job nor any answer names is not known.
    """
    scope = record.planned.options.get("scope")
    holders = [_hosts_in_scope(answer, scope) for answer in answers]
    known = _reported_hosts(record.document).union(*holders)
    return [_addresses(hosts) - _addresses(known - hosts) for hosts in holders]


def _hosts_in_scope(holders: t.Iterable[Holder], scope: str | None) -> set[ReportedHost]:
    return {
        ReportedHost(holder.cluster_id, holder.hostname or "", normal_ip(holder.ip))
        for holder in holders
        if holder.ip and _is_in_scope(holder, scope)
    }


def _reported_hosts(job: dict) -> set[ReportedHost]:
    result = JobResult(job)
    warm_hosts = {blob.host for blob in result.warm if blob.host is not None}
    return {host._replace(ip=normal_ip(host.ip)) for host in warm_hosts | result.failed_hosts}


def _addresses(hosts: t.Iterable[ReportedHost]) -> set[str]:
    return {host.ip for host in hosts}


def _is_in_scope(holder: Holder, scope: str | None) -> bool:
    """Return whether a preheat with a scope targets such hosts. A seed peer and a peer can share a machine.

    Source: dragonfly v2.5.1 scheduler/job/job.go (selectPeers, selectSeedPeers) and pkg/types/host.go.
    """
    if holder.host_type is None:
        return True
    return (holder.host_type == "normal") == (scope == "all_peers")
