# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the document of a job: arguments, URLs, clusters and result. Sends no requests."""

from __future__ import annotations

import ipaddress
import typing as t

from ._redact import LONGEST_TEXT, redact_beginning, redact_url

#: Placeholders of schedulers for an unknown host: from 2.3.1 on, and before.
UNKNOWN_HOSTS = ("unknown", "unknow", "")
_FAILURE_KEYS = ("url", "hostname", "ip", "description")
# Limit of the errors kept of a job, which can be long.
_MOST_ERRORS = 100
# Parts of keys that Go writes in capitals.
_GO_CAPITALS = ("uuid", "ttl")

# The keys that are read of a job besides its result.
_KEPT = ("id", "created_at", "updated_at", "type", "state", "bio", "args", "scheduler_clusters")
#: Keys of ``args`` that determine a task's ID, except the filter of its URL. Options have the same names. ``_task_id``
#: knows which of them a release uses; few runs import it.
IDENTITY_KEYS = ("tag", "application", "piece_length")


class ReportedHost(t.NamedTuple):
    """A host in an entry of a result.

    Hosts behind one gateway, in clusters with the same addresses, or on one machine share an address.
    """

    cluster_id: int | None
    hostname: str
    ip: str


class WarmBlob(t.NamedTuple):
    """An entry of ``success_tasks``: a host fetched a URL."""

    cluster_id: int | None
    #: None if the scheduler did not know the host.
    host: ReportedHost | None
    url: str


class JobResult:
    """The parts of a job's ``result`` that determine its outcome.

    :ivar state: state of the group of tasks, None without a result.
    :ivar warm: set of ``WarmBlob``.
    :ivar cluster_ids: clusters whose schedulers responded.
    :ivar failures: entries of ``failure_tasks`` with url, hostname, ip, description, scheduler_cluster_id.
    :ivar errors: messages of the first failed tasks.
    :ivar tasks: number of tasks; ``succeeded`` of them have the state SUCCESS.
    """

    def __init__(self, job: dict) -> None:
        tasks = _tasks(job)
        self.warm: set[WarmBlob] = set()
        self.cluster_ids: set[int] = set()
        self.failures: list[dict] = []
        self.errors = _errors(tasks)
        self.state = _get(job.get("result"), "state")
        self.tasks = len(tasks)
        self.succeeded = sum(_get(task, "state") == "SUCCESS" for task in tasks)
        for scheduler_result in _scheduler_results(job):
            self._read(scheduler_result)

    @property
    def error(self) -> str:
        """The errors without duplicates, empty without any."""
        return "; ".join(dict.fromkeys(self.errors))

    @property
    def names_urls(self) -> bool:
        """Whether it reports which URLs were fetched, or failed."""
        return bool(self.warm or self.failures)

    @property
    def warm_urls(self) -> list[str]:
        """The URLs that at least one host holds, sorted."""
        return sorted({blob.url for blob in self.warm})

    @property
    def failed_hosts(self) -> set[ReportedHost]:
        """Hosts with a failure, by name if the scheduler did not know the address."""
        return {
            _reported_host(failure["scheduler_cluster_id"], failure) or _nameless_host(failure)
            for failure in self.failures
        }

    @property
    def warm_cluster_ids(self) -> set[int | None]:
        """Clusters in which at least one host holds a URL."""
        return {blob.cluster_id for blob in self.warm}

    def _read(self, scheduler_result: dict) -> None:
        cluster_id = _cluster_id(scheduler_result)
        if cluster_id is not None:
            self.cluster_ids.add(cluster_id)
        for entry in _dicts(scheduler_result.get("success_tasks")):
            if isinstance(entry.get("url"), str) and isinstance(entry.get("ip"), (str, type(None))):
                self.warm.add(WarmBlob(cluster_id, _reported_host(cluster_id, entry), entry["url"]))
        for entry in _dicts(scheduler_result.get("failure_tasks")):
            self.failures.append(_failure(cluster_id, entry))


def _errors(tasks: list[dict]) -> list[str]:
    errors = [_get(task, "error") for task in tasks]
    texts = [error for error in errors if isinstance(error, str) and error]
    return [redact_beginning(text, LONGEST_TEXT) for text in texts[:_MOST_ERRORS]]


def _failure(cluster_id: int | None, entry: dict) -> dict:
    failure = {key: entry.get(key) if isinstance(entry.get(key), str) else "" for key in _FAILURE_KEYS}
    return dict(failure, scheduler_cluster_id=cluster_id)


def _reported_host(cluster_id: int | None, entry: dict) -> ReportedHost | None:
    """Return the host of an entry, None if the scheduler did not know it."""
    address = entry.get("ip")
    if address is None or address in UNKNOWN_HOSTS:
        return None
    return ReportedHost(cluster_id, str(entry.get("hostname") or ""), address)


def _nameless_host(failure: dict) -> ReportedHost:
    name = failure["hostname"] or UNKNOWN_HOSTS[0]
    return ReportedHost(failure["scheduler_cluster_id"], name, name)


def is_over(job: dict) -> bool:
    """Return whether the state of a job is final. Unknown states are not."""
    return job.get("state") in ("SUCCESS", "FAILURE")


def job_args(job: dict | None) -> dict:
    """Return the arguments of a job, or an empty dict."""
    args = (job or {}).get("args")
    return args if isinstance(args, dict) else {}


def job_urls(args: dict) -> list[str]:
    """Return the URLs of a job without duplicates: ``url`` and, for files from 2.2.3 on, ``urls``."""
    urls = args.get("urls")
    many = urls if isinstance(urls, list) else []
    return list(dict.fromkeys(url for url in [args.get("url"), *many] if isinstance(url, str) and url))


def cluster_ids(job: dict) -> set[int]:
    """Return the IDs of the clusters for which a job was created, as reported by the manager."""
    ids = [cluster.get("id") for cluster in _dicts(job.get("scheduler_clusters"))]
    return {cluster_id for cluster_id in ids if isinstance(cluster_id, int)}


def normal_ip(address: str) -> str:
    """Return the canonical form of an IP address, and other texts unchanged."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


def without_result(job: dict) -> dict:
    """Return the keys of a job that are read besides its result. The result and unknown keys can be large."""
    return {key: job.get(key) for key in _KEPT}


def task_peers(job: dict, key: str) -> t.Iterator[tuple[int | None, dict]]:
    """Yield the entries of a list in the result of a task's job, each with the ID of its cluster.

    :param key: ``peers``, ``success_tasks`` or ``failure_tasks``.
    """
    for scheduler_result in _scheduler_results(job):
        for entry in _dicts(scheduler_result.get(key)):
            yield _cluster_id(scheduler_result), entry


def host_reports(job: dict) -> list[dict]:
    """Return all entries of a preheat's result, one per URL and host."""
    return [
        _host_report(scheduler_result, key, entry)
        for scheduler_result in _scheduler_results(job)
        for key in ("success_tasks", "failure_tasks")
        for entry in _dicts(scheduler_result.get(key))
    ]


def _host_report(scheduler_result: dict, key: str, entry: dict) -> dict:
    return {
        "scheduler_cluster_id": scheduler_result.get("scheduler_cluster_id"),
        "success": key == "success_tasks",
        "url": redact_url(entry.get("url")),
        "hostname": entry.get("hostname"),
        "ip": entry.get("ip"),
        "description": redact_beginning(str(entry.get("description") or ""), LONGEST_TEXT),
    }


def _tasks(job: dict) -> list[dict]:
    return _dicts(_get(job.get("result"), "job_states"))


def _scheduler_results(job: dict) -> t.Iterator[dict]:
    """Yield the result of each scheduler for each task of a job."""
    for task in _tasks(job):
        yield from _dicts(_get(task, "results"))


def _get(mapping: t.Any, key: str) -> t.Any:
    """Return a key of a job's result in either case: managers before 2.1.55 use the names of Go's fields.

    Recorded: contract/2.1.0/image_success and contract/2.1.67/image_success.
    """
    if not isinstance(mapping, dict):
        return None
    if key in mapping:
        return mapping[key]
    cased = "".join(part.upper() if part in _GO_CAPITALS else part.capitalize() for part in key.split("_"))
    return mapping.get(cased)


def _dicts(value: t.Any) -> list[dict]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _cluster_id(scheduler_result: dict) -> int | None:
    cluster_id = scheduler_result.get("scheduler_cluster_id")
    return cluster_id if isinstance(cluster_id, int) else None
