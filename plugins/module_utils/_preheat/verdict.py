# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide from a job's document whether its content is warm, and why not. Sends no requests.

The manager's SUCCESS does not mean warm: from 2.3.1 on blobs can be missing silently (recorded:
contract/2.3.4/image_success and contract/2.5.1/image_partly_warmed).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._job_document import JobResult, ReportedHost, cluster_ids, job_args, job_urls
from .._redact import redact_url
from .._releases import has_task_per_blob
from .._text import is_or_are, listed
from .host_check import HostCheck
from .job_errors import LOGS, descriptions, telling_error
from .options import MANY_PEERS

if t.TYPE_CHECKING:
    from .planning import PlannedJob

_NOTHING_WARMED = "the manager reports SUCCESS, but the result lists no blob"
_NOTHING_WARMED_REMEDY = (
    "check with dragonflyoss.dragonfly.seed_peer_info that a seed peer is active, that it is a Rust client if the "
    "scheduler is 2.3.1 or later, and that it reaches and may read the registry or origin; then run the task again"
)
_NO_FILE_WARMED = "the manager reports SUCCESS, but the result lists no URL"
_NO_FILE_WARMED_REMEDY = (
    "check that the URL exists, that it is not an image (use the option image), and that the client of "
    f"the seed peers supports its scheme; {_NOTHING_WARMED_REMEDY}"
)
_COLD_REMEDY = (
    "check that the peers reach the registry or origin and have free disk space, then run the task again, which "
    "creates a new job"
)
_SILENT_REMEDY = (
    "check with dragonflyoss.dragonfly.scheduler_info and seed_peer_info that this cluster has an active scheduler and "
    "an active seed peer, then run the task again"
)
_GIVEN_UP = (
    "the manager stopped watching the job before its end, so it may be warm or still running. A longer job_timeout "
    "does not help, because managers 2.4.0 and later watch a job for about 60 minutes, and earlier ones for 8 to 80"
)
#: Remedy for hosts whose clients failed.
HOSTS_REMEDY = "check that the clients of these hosts run and have free disk space, then run the task again"
#: Remedy for a job whose outcome is unknown.
RERUN = "run the task again, which waits for the job if it is still running, and creates a new one if it is not warm"


#: In the order in which a summary counts them.
Status = t.Literal[
    "warm", "planned", "pending", "done", "cold", "timed_out", "failed", "gone", "given_up", "refused", "unknown"
]
Verified = t.Literal["peers", "blobs", "result", "none"]

_STATUS_OF_OTHER_TYPES: dict[str, Status] = {"SUCCESS": "done", "FAILURE": "failed"}


@dataclass(frozen=True)
class Verdict:
    """The outcome of a job.

    :ivar status: ``warm``, ``cold``, ``failed``, ``given_up`` or ``pending`` by the job's document; ``done`` for
        jobs that are not preheats; of a run also ``planned``, ``refused``, ``gone``, ``timed_out``, ``unknown``.
    :ivar reason: stable code, None if it is warm or pending.
    :ivar message: the reason as text, without a full stop.
    :ivar remedy: remedy without a full stop; None if the message includes it or there is none.
    :ivar verified: how it was verified, or None before that.
    :ivar blobs: number of blobs, None if unknown.
    :ivar warm: warm URLs, None if the job does not name them.
    :ivar cold: cold URLs, None if the job does not name them.
    :ivar failures: entries with url, hostname, ip, description, scheduler_cluster_id.
    :ivar warm_hosts: for scopes of many peers, the addresses of hosts that hold all content.
    :ivar cold_hosts: likewise, of other hosts in the result.
    """

    status: Status
    reason: str | None = None
    message: str | None = None
    remedy: str | None = None
    verified: Verified | None = None
    blobs: int | None = None
    warm: list[str] | None = None
    cold: list[str] | None = None
    failures: list[dict] = field(default_factory=list)
    warm_hosts: set[str] = field(default_factory=set)
    cold_hosts: set[str] = field(default_factory=set)

    @property
    def explanation(self) -> str | None:
        """The message with its remedy, or None."""
        return f"{self.message}. What to do: {self.remedy}" if self.remedy else self.message

    @property
    def warm_percentage(self) -> int | None:
        """Percentage of warm blobs, rounded down; None if the blobs or their number are unknown."""
        if self.status == "warm" and self.verified in ("blobs", "peers"):
            return 100
        if self.blobs and self.warm is not None:
            return min(99, 100 * len(self.warm) // self.blobs)
        return None

    def with_message(self, message: str) -> Verdict:
        """Return the verdict with another message."""
        return replace(self, message=message)

    def with_status(self, status: Status, reason: str, message: str, remedy: str | None) -> Verdict:
        """Return the verdict with another status, because content is not warm after all."""
        return replace(self, status=status, reason=reason, message=message, remedy=remedy)

    def with_blobs(self, cold: list[str]) -> Verdict:
        """Return the verdict with other cold blobs, as reported by the peers."""
        urls = [*(self.warm or []), *(self.cold or [])]
        return replace(self, verified="peers", warm=_without(urls, cold), cold=cold)

    def with_hosts(self, warm: set[str], cold: set[str]) -> Verdict:
        """Return the verdict with other warm and cold hosts."""
        return replace(self, warm_hosts=warm, cold_hosts=cold)

    def confirmed_by_peers(self) -> Verdict:
        """Return the verdict as confirmed by the peers."""
        return replace(self, verified="peers")


class _Evidence(t.NamedTuple):
    """The basis of a verdict on a SUCCESS.

    :ivar cluster_ids: clusters that must be warm; ``{None}`` if the job names none.
    :ivar urls_by_manifest: lists of URLs. All URLs of one of the lists must be warm. None if unknown.
    :ivar one_task_per_blob: whether each blob had its own task, in which case SUCCESS means that all were fetched.
    :ivar proven: URLs that are known to be warm from another source.
    """

    result: JobResult
    cluster_ids: set[int] | set[None]
    urls_by_manifest: list[list[str]] | None
    one_task_per_blob: bool
    max_failed_percentage: int
    proven: t.Collection[str]

    @property
    def needs_each_blob(self) -> bool:
        """Whether each blob of a manifest must be in the result.

        With several possible manifests, one task per blob makes SUCCESS enough.
        """
        number = len(self.urls_by_manifest or ())
        return number == 1 or (number > 1 and not self.one_task_per_blob)

    @property
    def fewest_tasks(self) -> int:
        """The number of tasks of the smallest possible manifest in all clusters."""
        return min(map(len, self.urls_by_manifest or ()), default=0) * len(self.cluster_ids)


def verify_job(
    job: dict,
    planned: PlannedJob | None = None,
    verify: str = "auto",
    max_failed_percentage: int = 0,
    proven: t.Collection[str] = (),
) -> Verdict:
    """Return the verdict on a job.

    :param job: job with its result.
    :param planned: planned job, or None.
    :param verify: the option ``verify``.
    :param max_failed_percentage: percentage of peers that may be cold.
    :param proven: URLs that are known to be warm from elsewhere (2.3.1 to 2.4.3 can lose entries of the result).
    """
    state = job.get("state")
    if planned is None and job.get("type") not in (None, "preheat"):
        return Verdict(_STATUS_OF_OTHER_TYPES.get(str(state), "pending"))
    if state == "FAILURE":
        return _verify_failure(JobResult(job), planned)
    if state != "SUCCESS":
        return Verdict("pending")
    if verify == "none":
        return Verdict("warm", verified="none")
    return _verify_success(job, planned, verify, max_failed_percentage, proven)


def _verify_success(
    job: dict, planned: PlannedJob | None, verify: str, max_failed_percentage: int, proven: t.Collection[str]
) -> Verdict:
    result, args = JobResult(job), job_args(job)
    evidence = _Evidence(
        result,
        cluster_ids(job) or result.cluster_ids or {None},
        None if verify == "result" else _expected_urls(planned, args),
        has_task_per_blob(args),
        max_failed_percentage,
        proven,
    )
    verdict = _verify_evidence(evidence, args)
    if verdict.reason == "nothing_warmed" and args.get("type") == "file":
        verdict = replace(verdict, message=_NO_FILE_WARMED, remedy=_NO_FILE_WARMED_REMEDY)
    return _with_failures(verdict, result)


def _verify_evidence(evidence: _Evidence, args: dict) -> Verdict:
    # Both the scope and the URLs in the result exist since 2.1.57.
    if "scope" not in args and not evidence.result.names_urls:
        return _verify_by_states(evidence)
    if args.get("scope") in MANY_PEERS:
        return _verify_many_peers(evidence)
    return _verify_blobs(evidence) if evidence.needs_each_blob else _verify_by_result(evidence)


def _expected_urls(planned: PlannedJob | None, args: dict) -> list[list[str]] | None:
    if args.get("type") == "file":
        # The job's own URLs, because an identical job can have another signature in its query.
        return [job_urls(args)]
    return planned.urls_by_manifest if planned is not None else None


def _verify_by_states(evidence: _Evidence) -> Verdict:
    """Decide by states of tasks. Up to 2.1.56, each blob has a task, and the result does not name blobs."""
    result, fewest = evidence.result, evidence.fewest_tasks
    blobs = result.tasks // len(evidence.cluster_ids) or None
    has_succeeded = result.succeeded == result.tasks
    if has_succeeded and result.tasks < fewest:
        problem = f"{result.tasks} tasks cannot have cached {fewest} blobs"
    elif has_succeeded and result.tasks:
        return Verdict("warm", verified="blobs", blobs=blobs)
    else:
        problem = f"{result.succeeded} of {result.tasks} tasks succeeded"
    message = f"the manager reports SUCCESS, but {problem}"
    return Verdict("cold", "cold", message, _COLD_REMEDY, verified="blobs", blobs=blobs)


def _verify_by_result(evidence: _Evidence) -> Verdict:
    """Decide without a list of blobs: each cluster must have warm content, and no task may have failed."""
    warm = evidence.result.warm_urls
    complete = evidence.one_task_per_blob
    known = Verdict(
        "warm", verified="blobs" if complete else "result", blobs=len(warm) if complete else None, warm=warm
    )
    if not warm:
        return _nothing_warmed(known)
    silent = _silent_clusters(evidence)
    if silent:
        message = f"the manager reports SUCCESS, but {_silence(silent)}"
        return replace(known.with_status("cold", "cold", message, _SILENT_REMEDY), blobs=None)
    return replace(known, cold=[] if complete else None)


def _nothing_warmed(known: Verdict) -> Verdict:
    return known.with_status("cold", "nothing_warmed", _NOTHING_WARMED, _NOTHING_WARMED_REMEDY)


def _silence(clusters: list[str]) -> str:
    return f"the result does not contain cluster {', '.join(clusters)}"


def _silent_clusters(evidence: _Evidence) -> list[str]:
    warm = evidence.result.warm_cluster_ids
    return [str(cluster_id) for cluster_id in evidence.cluster_ids if cluster_id is not None and cluster_id not in warm]


def _verify_blobs(evidence: _Evidence) -> Verdict:
    """Decide by blobs: in each cluster, all blobs of the manifest with the fewest cold blobs must be warm."""
    cold_by_manifest = [(_cold_urls(evidence, urls), urls) for urls in evidence.urls_by_manifest or []]
    cold, blobs = min(cold_by_manifest, key=lambda manifest: len(manifest[0]))
    known = Verdict("cold", verified="blobs", blobs=len(blobs), warm=_without(blobs, cold), cold=cold)
    if not cold:
        return replace(known, status="warm")
    if not known.warm and not evidence.result.warm:
        return _nothing_warmed(known)
    message = f"the manager reports SUCCESS, but {cold_blobs(len(blobs), cold)}"
    return known.with_status("cold", "cold", message, _COLD_REMEDY)


def _without(urls: list[str], others: list[str]) -> list[str]:
    excluded = set(others)
    return [url for url in urls if url not in excluded]


def _cold_urls(evidence: _Evidence, urls: list[str]) -> list[str]:
    """Return those of the URLs that are not warm in every cluster."""
    warm = {(blob.cluster_id, blob.url) for blob in evidence.result.warm}
    cold = []
    for url in urls:
        # An entry without a cluster counts for all clusters.
        is_warm = all({(cluster, url), (None, url)} & warm for cluster in evidence.cluster_ids)
        if not is_warm and url not in evidence.proven:
            cold.append(url)
    return cold


def cold_blobs(number: int, cold: list[str]) -> str:
    """Return a clause that names the blobs that are not cached. A file counts as one blob and is not named.

    :param number: number of all blobs.
    """
    if number == 1 and "/blobs/" not in cold[0]:
        return "the file is not cached"
    names = [redact_url(url.rpartition("/blobs/")[2]) for url in cold]
    return f"{len(cold)} of {number} blobs {is_or_are(len(cold))} not cached: {listed(names, most=3)}"


def _verify_many_peers(evidence: _Evidence) -> Verdict:
    """Decide by hosts: all hosts in the result must hold all blobs, except for the percentage that may fail."""
    result = evidence.result
    urls_by_host = _urls_by_host(result)
    if not urls_by_host:
        return _nothing_warmed(Verdict("cold", verified="blobs", warm=[], failures=list(result.failures)))
    blobs = _blobs_of_hosts(evidence.urls_by_manifest, urls_by_host)
    hosts = set(urls_by_host) | result.failed_hosts
    warm_hosts = _holders(blobs, urls_by_host) - result.failed_hosts
    check = _check_addresses(hosts, warm_hosts, evidence.max_failed_percentage)
    warm_everywhere = blobs.intersection(*(urls_by_host.get(host, ()) for host in hosts))
    complete = evidence.one_task_per_blob or evidence.urls_by_manifest is not None
    verdict = Verdict(
        "warm",
        verified="blobs" if complete else "result",
        blobs=len(blobs) if complete else None,
        warm=sorted(warm_everywhere),
        cold=sorted(blobs - warm_everywhere),
        failures=list(result.failures),
        warm_hosts=check.warm,
        cold_hosts=check.cold,
    )
    silent = _silent_clusters(evidence)
    if not silent and check.passes:
        return verdict
    return verdict.with_status("cold", "cold", *_cold_hosts_explanation(check, silent))


def _check_addresses(hosts: set[ReportedHost], warm: set[ReportedHost], max_failed_percentage: int) -> HostCheck:
    """Return the check of hosts by address: an address is warm if all of its hosts are."""
    addresses = {host.ip for host in hosts}
    return HostCheck(addresses, addresses - {host.ip for host in hosts - warm}, set(), max_failed_percentage)


def _urls_by_host(result: JobResult) -> dict[ReportedHost, set[str]]:
    urls_by_host: dict[ReportedHost, set[str]] = {}
    for blob in result.warm:
        if blob.host is not None:
            urls_by_host.setdefault(blob.host, set()).add(blob.url)
    return urls_by_host


def _holders(blobs: set[str], urls_by_host: dict[ReportedHost, set[str]]) -> set[ReportedHost]:
    return {host for host, urls in urls_by_host.items() if blobs <= urls}


def _cold_hosts_explanation(check: HostCheck, silent: list[str]) -> tuple[str, str]:
    """Return the message and the remedy for hosts that are not warm, and for clusters without any report."""
    if not silent:
        return cold_hosts_message(check), HOSTS_REMEDY
    if not check.cold:
        return f"the manager reports SUCCESS, but {_silence(silent)}", _SILENT_REMEDY
    return f"{cold_hosts_message(check)}; {_silence(silent)}", f"{HOSTS_REMEDY}; {_SILENT_REMEDY}"


def _blobs_of_hosts(urls_by_manifest: list[list[str]] | None, urls_by_host: dict[ReportedHost, set[str]]) -> set[str]:
    """Return the blobs that each host must hold: those of the manifest with the most warm blobs."""
    if urls_by_manifest is None:
        return set().union(*urls_by_host.values())

    def warm_count(urls: t.Iterable[str]) -> int:
        return sum(len(warm & set(urls)) for warm in urls_by_host.values())

    return set(max(urls_by_manifest, key=warm_count, default=[]))


def cold_hosts_message(check: HostCheck) -> str:
    """Return a message that names the hosts that are not warm."""
    number, names = len(check.cold), listed(sorted(check.cold))
    return (
        f"the manager reports SUCCESS, but {number} of {len(check.named)} hosts {is_or_are(number)} not warm: {names}"
    )


def _with_failures(verdict: Verdict, result: JobResult) -> Verdict:
    """Return a verdict on a SUCCESS with the errors of failed tasks, if content is cold."""
    error, meaning = telling_error(descriptions(result))
    if verdict.status != "cold" or not error:
        return verdict
    message = f"{verdict.message}. A peer reports: {error}"
    if meaning:
        return replace(verdict, message=f"{message}. This means: {meaning.text}", remedy=None)
    return replace(verdict, message=message, remedy=LOGS)


def _verify_failure(result: JobResult, planned: PlannedJob | None) -> Verdict:
    if result.state not in (None, "FAILURE") and not result.errors:
        return Verdict("given_up", "given_up", _GIVEN_UP, RERUN)
    error, meaning = telling_error([*result.errors, *descriptions(result)])
    message = f"the job failed: {error or 'the manager reports no reason'}"
    verdict = Verdict("failed", "failed", message, LOGS, warm=result.warm_urls or None, failures=list(result.failures))
    if meaning:
        verdict = verdict.with_status("failed", meaning.reason, f"{message}. This means: {meaning.text}", None)
    return _with_cold(verdict, planned)


def _with_cold(verdict: Verdict, planned: PlannedJob | None) -> Verdict:
    """Return a verdict on a failure with the cold blobs, if the result names warm ones and all are known."""
    blobs = _blobs_of_only_manifest(planned)
    if verdict.warm is None or blobs is None:
        return verdict
    return replace(verdict, blobs=len(blobs), cold=_without(blobs, verdict.warm))


def _blobs_of_only_manifest(planned: PlannedJob | None) -> list[str] | None:
    """Return the URLs that a job is about, None if it is not known which ones."""
    alternatives = (planned.urls_by_manifest if planned is not None else None) or []
    return alternatives[0] if len(alternatives) == 1 else None
