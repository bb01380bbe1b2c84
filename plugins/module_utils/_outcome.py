# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job's answer really says: warm or not, and why not. No requests.

The manager's SUCCESS does not mean warm: from 2.3.1 on blobs can be missing without a word (manager-api.md 5.3,
recorded in contract/2.3.4/image_success and contract/2.5.1/image_partly_warmed).

PRIVATE to the collection.
"""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat import cluster_ids, job_urls
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._scrub import scrub_args, scrub_text, scrub_url

# What a scheduler writes where it does not know the host: 2.3.1 and later, and before.
_UNKNOWN = ("unknown", "unknow", "")
_FAILURES = 20
_NAMED = 3

# What a scheduler's error means (by regular expression), and what to do about it. A status stands alone, for the ids of
# tasks in an error hold any digits.
_MEANINGS = (
    (
        "Unimplemented",
        "go_peers",
        "the peers are Go clients, which this scheduler cannot preheat: it needs the Rust client there, or scope "
        "single_seed_peer with a manager before 2.3.1",
    ),
    (
        "available seed peer",
        "no_seed_peer",
        "the scheduler knows no seed peer that is up: start one, or wait a minute where it has just joined",
    ),
    (r"\b404\b", "origin_missing", "the registry or origin does not have it"),
    (
        r"\b401\b",
        "origin_denied",
        "the registry or origin wants credentials: see registry_username, registry_password and headers",
    ),
    (r"\b403\b", "origin_denied", "the registry or origin refuses these credentials"),
    ("x509", "origin_tls", "the peer does not trust the certificate of the registry or origin"),
    ("deadline exceeded", "job_timeout", "it took longer than job_timeout allows"),
)


class Outcome:
    """What a job came to.

    :ivar outcome: ``pending``, ``warm``, ``cold``, ``failed`` or ``given_up``; ``done`` for jobs that are no preheat.
    :ivar reason: a stable code (str), None where it is warm or pending.
    :ivar message: in words, None likewise.
    :ivar verified: ``blobs``, ``result``, ``none``, or None where there is nothing to verify yet.
    :ivar blobs: number of blobs, None where it is not known.
    :ivar warm: list of URLs, None where the job does not tell which.
    :ivar cold: likewise.
    :ivar warm_percentage: int, None where it is not known.
    :ivar failures: list of dict.
    :ivar warm_hosts: for scopes of many peers, the addresses of those that have all of it (set of str).
    :ivar cold_hosts: likewise, of those that the result names and that do not.
    """

    def __init__(
        self,
        outcome,
        reason=None,
        message=None,
        verified=None,
        blobs=None,
        warm=None,
        cold=None,
        failures=(),
        warm_hosts=(),
        cold_hosts=(),
    ):
        self.outcome = outcome
        self.reason = reason
        self.message = message
        self.verified = verified
        self.blobs = blobs
        self.warm = warm
        self.cold = cold
        self.failures = list(failures)
        self.warm_hosts = set(warm_hosts)
        self.cold_hosts = set(cold_hosts)

    @property
    def warm_percentage(self):
        """Warm blobs of all, in percent, rounded down; None where it is not known which or how many blobs there are."""
        if self.outcome == "warm" and self.verified == "blobs":
            return 100
        if self.blobs and self.warm is not None:
            return min(99, 100 * len(self.warm) // self.blobs)
        return None


def _get(mapping, key):
    """A key of a job's result in either casing (manager-api T28)."""
    if not isinstance(mapping, dict):
        return None
    if key in mapping:
        return mapping[key]
    cased = "".join(part.upper() if part in ("uuid", "ttl") else part.capitalize() for part in key.split("_"))
    return mapping.get(cased)


def _dicts(value):
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


class Reading:
    """The parts of a job's ``result`` that tell what is warm.

    :ivar success: set of (cluster id, host, URL); the host is None where the scheduler did not know it.
    :ivar clusters: ids of the clusters whose schedulers answered (set of int).
    :ivar failures: list of dict with url, hostname, ip, scheduler_cluster_id, description.
    :ivar errors: texts of failed tasks.
    :ivar states: number of tasks, number of those that succeeded.
    """

    def __init__(self, job):
        result = job.get("result")
        self.success, self.clusters, self.failures, self.errors = set(), set(), [], []
        self.state = _get(result, "state")
        tasks = _dicts(_get(result, "job_states"))
        self.tasks = len(tasks)
        self.succeeded = sum(1 for task in tasks if _get(task, "state") == "SUCCESS")
        for task in tasks:
            error = _get(task, "error")
            if isinstance(error, str) and error:
                self.errors.append(scrub_text(error))
            for part in _dicts(_get(task, "results")):
                self._read(part)

    def _read(self, part):
        cluster = part.get("scheduler_cluster_id")
        if isinstance(cluster, int):
            self.clusters.add(cluster)
        for one in _dicts(part.get("success_tasks")):
            host = one.get("ip") if one.get("ip") not in _UNKNOWN else None
            if isinstance(one.get("url"), str) and isinstance(host, (str, type(None))):
                self.success.add((cluster if isinstance(cluster, int) else None, host, one["url"]))
        for one in _dicts(part.get("failure_tasks")):
            failure = {
                key: one.get(key) if isinstance(one.get(key), str) else ""
                for key in ("url", "hostname", "ip", "description")
            }
            failure["scheduler_cluster_id"] = cluster if isinstance(cluster, int) else None
            self.failures.append(failure)


def task_peers(job, key):
    """The entries of a list in the result of a job about a task, each with the id of its cluster (int or None).

    :param key: ``peers``, ``success_tasks`` or ``failure_tasks``.
    :returns: generator of pairs of cluster id and dict.
    """
    for task in _dicts(_get(job.get("result"), "job_states")):
        for part in _dicts(_get(task, "results")):
            cluster = part.get("scheduler_cluster_id")
            for one in _dicts(part.get(key)):
                yield cluster if isinstance(cluster, int) else None, one


def peers_of(job):
    """The entries of a job's result, one for each URL and host (list of dict), for those who want them all."""
    found = []
    for task in _dicts(_get(job.get("result"), "job_states")):
        for part in _dicts(_get(task, "results")):
            for key in ("success_tasks", "failure_tasks"):
                for one in _dicts(part.get(key)):
                    found.append(
                        {
                            "scheduler_cluster_id": part.get("scheduler_cluster_id"),
                            "success": key == "success_tasks",
                            "url": scrub_url(one.get("url")),
                            "hostname": one.get("hostname"),
                            "ip": one.get("ip"),
                            "description": scrub_text(str(one.get("description") or "")),
                        }
                    )
    return found


def judge(job, wanted=None, verify="auto", max_failed_percentage=0, proven=()):
    """What a job came to.

    :param job: dict, the whole job.
    :param wanted: L(Wanted), None where only the job itself is at hand.
    :param verify: the option ``verify``.
    :param max_failed_percentage: how many of the peers may be cold, in percent.
    :param proven: URLs that are known to be warm from elsewhere (2.3.1 to 2.4.3 can lose entries of the result).
    """
    state = job.get("state")
    if wanted is None and job.get("type") not in (None, "preheat"):
        return Outcome("done" if state == "SUCCESS" else "failed" if state == "FAILURE" else "pending")
    reading = Reading(job)
    if state == "FAILURE":
        return _failed(reading, wanted)
    if state != "SUCCESS":
        return Outcome("pending")
    if verify == "none":
        return Outcome("warm", verified="none")
    args = job.get("args") if isinstance(job.get("args"), dict) else {}
    clusters = cluster_ids(job) or reading.clusters or {None}
    if not reading.success and not reading.failures and _tells_no_urls(args):
        return _by_states(reading, len(clusters))
    if args.get("scope") in ("all_peers", "all_seed_peers"):
        return _many_peers(reading, clusters, _expected(wanted, args), max_failed_percentage, verify)
    return _one_peer(reading, clusters, _expected(wanted, args), proven, verify, args)


def _tells_no_urls(args):
    # The scope came with 2.1.57, and so did the URLs in the result.
    return "scope" not in args


def _by_states(reading, clusters):
    """Up to 2.1.56 the result tells how many blobs are warm, not which: a task each, all of them SUCCESS."""
    if reading.tasks and reading.succeeded == reading.tasks:
        return Outcome("warm", verified="blobs", blobs=reading.tasks // clusters or None)
    return Outcome(
        "cold",
        "cold",
        f"the job is SUCCESS with {int(reading.succeeded)} of {int(reading.tasks)} tasks done",
        verified="blobs",
        blobs=reading.tasks // clusters or None,
    )


def _expected(wanted, args):
    """Lists of blob URLs of which one must be warm as a whole; None where they are not known."""
    if args.get("type") == "file":
        # The job's own URLs, for an equal job can have another signature in its query.
        return [job_urls(args)]
    return wanted.manifests if wanted is not None else None


def _by_result(reading, clusters, complete, failures):
    """Without the list of blobs: something is warm in every cluster and nothing failed; complete where a task tells one
    blob."""
    warm = sorted({url for dummy, dummy2, url in reading.success})
    there = {cluster for cluster, dummy, dummy2 in reading.success}
    verified = "blobs" if complete else "result"
    number = len(warm) if complete else None
    if not warm:
        return Outcome("cold", "nothing_warmed", _NOTHING, verified=verified, blobs=number, warm=[], failures=failures)
    missing = [one for one in clusters if one is not None and one not in there]
    if missing:
        return Outcome(
            "cold",
            "cold",
            f"the job is SUCCESS and says nothing of cluster {', '.join((str(one) for one in missing))}",
            verified=verified,
            warm=warm,
            failures=failures,
        )
    return Outcome("warm", verified=verified, blobs=number, warm=warm, cold=[] if complete else None, failures=failures)


_NOTHING = (
    "the manager says SUCCESS and nothing was warmed: the result names nothing. Usual reasons: the seed peer is a Go "
    "client and the manager is 2.3.1 or later, no seed peer is up, or the registry or origin refused or lacks all of it"
)


def _one_peer(reading, clusters, manifests, proven, verify, args):
    # Until 2.3.0 each blob had a task of its own, so that SUCCESS is exact; concurrent_count went with them.
    exact = "concurrent_count" in args
    if manifests is None or verify == "result" or (exact and len(manifests) != 1):
        return _by_result(reading, clusters, exact, [])

    def warm_in(cluster, url):
        return url in proven or any((one, url) in found for one in (cluster, None))

    found = {(cluster, url) for cluster, dummy, url in reading.success}
    best = None
    for blobs in manifests:
        cold = [url for url in blobs if not all(warm_in(cluster, url) for cluster in clusters)]
        if best is None or len(cold) < len(best[1]):
            best = (blobs, cold)
    if best is None:
        return _by_result(reading, clusters, exact, [])
    return _verdict(best[0], best[1], reading, [])


def _verdict(blobs, cold, reading, failures):
    warm = [url for url in blobs if url not in set(cold)]
    if not cold:
        return Outcome("warm", verified="blobs", blobs=len(blobs), warm=warm, cold=[], failures=failures)
    if not warm and not reading.success:
        message, reason = _NOTHING, "nothing_warmed"
    else:
        reason = "cold"
        names = ", ".join(scrub_url(url.rpartition("/blobs/")[2]) for url in cold[:_NAMED])
        more = ", ..." if len(cold) > _NAMED else ""
        message = f"the manager says SUCCESS and {len(cold)} of {len(blobs)} blobs are not warm: {names}{more}"
    return Outcome("cold", reason, message, verified="blobs", blobs=len(blobs), warm=warm, cold=cold, failures=failures)


def _many_peers(reading, clusters, manifests, max_failed_percentage, verify):
    hosts = {}
    for dummy, host, url in reading.success:
        if host is not None:
            hosts.setdefault(host, set()).add(url)
    failed = {one["ip"] for one in reading.failures if one["ip"] not in _UNKNOWN}
    named = set(hosts) | failed
    if not hosts:
        return Outcome("cold", "nothing_warmed", _NOTHING, verified="blobs", warm=[], failures=reading.failures)
    if manifests is None or verify == "result":
        blobs, verified = set().union(*hosts.values()), "result"
    else:
        # One platform for all: the manifest of which the most is warm.
        blobs = set(max(manifests, key=lambda one: sum(len(urls & set(one)) for urls in hosts.values()), default=[]))
        verified = "blobs"
    cold_hosts = {host for host in named if blobs - hosts.get(host, set()) or host in failed}
    cold = sorted(url for url in blobs if any(url not in hosts.get(host, set()) for host in named))
    there = {cluster for cluster, dummy, dummy2 in reading.success}
    silent = [one for one in clusters if one is not None and one not in there]
    warm = sorted(blobs - set(cold))
    found = Outcome(
        "warm",
        verified=verified,
        blobs=len(blobs),
        warm=warm,
        cold=cold,
        failures=reading.failures,
        warm_hosts=named - cold_hosts,
        cold_hosts=cold_hosts,
    )
    if silent or 100 * len(cold_hosts) > max_failed_percentage * len(named):
        words = _cold_hosts(cold_hosts, named)
        if silent:
            words += f". The result says nothing of cluster {', '.join((str(one) for one in silent))}"
        found.outcome, found.reason, found.message = "cold", "cold", words
    return found


def _cold_hosts(cold, named):
    names = ", ".join(sorted(cold)[:10])
    more = ", ..." if len(cold) > 10 else ""
    return f"the manager says SUCCESS and {len(cold)} of {len(named)} hosts are not warm: {names}{more}"


def lacking_hosts(outcomes, expected_ips=(), ips=(), max_failed_percentage=0):
    """What the warm jobs of one image or file lack of the hosts that were asked for. Together, for a host is in one
    cluster only, and each cluster can have a job of its own.

    :param outcomes: list of L(Outcome).
    :param expected_ips: addresses that must be warm, whatever else may fail.
    :param ips: addresses that the jobs were for.
    :returns: in words (str), None where nothing is lacking.
    """
    expected, chosen = {_normal_ip(one) for one in expected_ips}, {_normal_ip(one) for one in ips}
    warm = {_normal_ip(host) for one in outcomes for host in one.warm_hosts}
    told = warm | {_normal_ip(host) for one in outcomes for host in one.cold_hosts}
    named = told | expected | chosen
    cold = named - warm
    if not expected & cold and (chosen <= told or 100 * len(cold) <= max_failed_percentage * len(named)):
        return None
    words = _cold_hosts(cold, named)
    if cold - told:
        words += (
            f". The result does not name {', '.join(sorted(cold - told)[:10])}, so the scheduler does not know them"
        )
    return words


def _normal_ip(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def _failed(reading, wanted):
    if reading.state not in (None, "FAILURE") and not reading.errors:
        return Outcome(
            "given_up",
            "given_up",
            "the manager gave up watching the job before it was done: it may be warm or still running. A "
            "longer job_timeout does not help, it watches for about half an hour to an hour",
        )
    words = reading.errors[0] if reading.errors else "the manager does not say why"
    reason, meaning = "failed", ""
    for pattern, code, text in _MEANINGS:
        if re.search(pattern, words):
            reason, meaning = code, f". This means: {text}"
            break
    warm = sorted({url for dummy, dummy2, url in reading.success}) or None
    cold = None
    if wanted is not None and wanted.manifests and len(wanted.manifests) == 1 and warm is not None:
        cold = [url for url in wanted.manifests[0] if url not in set(warm)]
    return Outcome(
        "failed",
        reason,
        f"the job failed: {words[:500].rstrip('.')}{meaning}",
        verified=None,
        warm=warm,
        cold=cold,
        blobs=len(wanted.manifests[0]) if cold is not None else None,
        failures=reading.failures,
    )


def job_result(job, outcome, source=None, wanted=None):
    """A job as the modules return it: the same keys whatever happened, and no secrets.

    :param job: dict as the manager returned it, None where there is none yet.
    :param outcome: L(Outcome).
    :param source: ``created``, ``adopted``, ``found``, ``planned``; None where nothing was wanted.
    :param wanted: L(Wanted) or None.
    """
    raw = job or {}
    args = raw.get("args") if isinstance(raw.get("args"), dict) else {}
    url = wanted.url if wanted else next(iter(job_urls(args)), None)
    digest = wanted.digest if wanted else None
    if digest is None and isinstance(url, str) and "/manifests/sha256:" in url:
        digest = url.rpartition("/")[2]
    warm, cold = outcome.warm, outcome.cold
    return {
        "id": raw.get("id"),
        "source": source,
        "name": scrub_url(wanted.source) if wanted else scrub_text(str(raw.get("bio") or "")) or scrub_url(url),
        "url": scrub_url(url),
        "digest": digest,
        "platform": (wanted.platform if wanted else args.get("platform")) or None,
        "type": wanted.kind if wanted else args.get("type"),
        "state": raw.get("state"),
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "message": outcome.message,
        "scheduler_cluster_ids": sorted(cluster_ids(raw))
        or ([wanted.cluster_id] if wanted and wanted.cluster_id else []),
        "blobs": outcome.blobs,
        "warm": None if warm is None else [scrub_url(one) for one in warm],
        "cold": None if cold is None else [scrub_url(one) for one in cold],
        "warm_percentage": outcome.warm_percentage,
        "warmed_at": raw.get("updated_at") if outcome.outcome == "warm" else None,
        "created_at": raw.get("created_at"),
        "failures": [
            dict(one, url=scrub_url(one["url"]), description=scrub_text(one["description"]))
            for one in outcome.failures[:_FAILURES]
        ],
        "failures_count": len(outcome.failures),
        "verified": outcome.verified,
        "args": scrub_args(args),
    }


def described(job, details=False):
    """A job of any type as ``job_info`` returns it: what ``job_result`` gives, and of which type it is.

    :param job: dict as the manager returned it.
    :param details: also what each peer says of each URL.
    """
    result = dict(job_result(job, judge(job)), job_type=job.get("type"))
    if not result["scheduler_cluster_ids"]:
        # A list does not name the clusters; the result does, once there is one.
        result["scheduler_cluster_ids"] = sorted(Reading(job).clusters)
    if details:
        result["peers"] = peers_of(job)
    return result
