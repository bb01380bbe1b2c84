# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from the document of a job which hosts hold or have deleted a task. Sends no requests."""

from __future__ import annotations

import re
import typing as t

from .._job_document import task_peers

# Response of a host that does not hold the task (dragonfly-client-core, TaskNotFound).
_NOT_FOUND = re.compile(r"\btask [0-9a-f]+ not found\b")
#: A peer or a host in the result of a job.
Host = t.Dict[str, t.Any]
_HOST_KEYS = ("hostname", "ip", "type", "scheduler_cluster_id")


def holders(job: dict[str, t.Any]) -> list[Host]:
    """Return the hosts that hold a task, from the result of a get_task job.

    Returns each host once. Up to 2.3.0, the scheduler lists peers, and a host that fetched twice has two of them
    (scheduler/job/job.go, getTask). In a cluster with several schedulers, each scheduler lists the host.

    :returns: dicts with ``hostname``, ``ip``, ``type``, ``finished`` (None before 2.4.0, which do not report it),
        ``scheduler_cluster_id``, ``created_at`` and ``updated_at``.
    """
    by_host: dict[tuple[t.Any, ...], Host] = {}
    for cluster_id, peer in task_peers(job, "peers"):
        host = by_host.setdefault(_host_key(cluster_id, peer), _holder(cluster_id, peer))
        if peer.get("IsFinished") is True:
            host["finished"] = True
    return list(by_host.values())


def _holder(cluster_id: int | None, peer: Host) -> Host:
    times = {key: peer.get(key) for key in ("created_at", "updated_at")}
    finished = None if peer.get("IsFinished") is None else peer["IsFinished"] is True
    return dict(_host_entry(cluster_id, peer), finished=finished, **times)


def _host_key(cluster_id: int | None, peer: Host) -> tuple[t.Any, ...]:
    # A seed peer and a peer on the same machine have separate storage.
    return cluster_id, str(peer.get("hostname")), str(peer.get("ip")), str(peer.get("host_type"))


def reported_holders(job: dict[str, t.Any]) -> list[Host] | None:
    """Return the hosts that hold a task for certain, from a get_task job; None if the job does not prove it.

    Before 2.4.0, hosts do not report ``IsFinished``. Before 2.3.1, the scheduler lists the peers that it remembers.
    """
    hosts = holders(job)
    if any(host["finished"] is None for host in hosts):
        return None
    return [{key: host[key] for key in (*_HOST_KEYS, "finished")} for host in hosts]


class HostDeletions(t.NamedTuple):
    """The hosts of a task after its deletion: those that deleted it, and those that may still hold it.

    Hosts that did not hold it are in neither.
    """

    deleted: list[Host]
    failed: list[Host]


def host_deletions(job: dict[str, t.Any]) -> HostDeletions:
    """Return the result of a job of the type delete_task for each host.

    Each scheduler of a cluster sends a deletion for each peer that a host has of the task: after the first "deleted",
    the host responds with "not found" (contract/2.5.1/task_deleted_twice). A deletion removes the task from the host's
    disk, so one success counts for the host, and "not found" is not an error.
    """
    deleted: dict[tuple[t.Any, ...], Host] = {}
    failed: dict[tuple[t.Any, ...], Host] = {}
    for cluster_id, peer in task_peers(job, "success_tasks"):
        deleted.setdefault(_host_key(cluster_id, peer), _host_entry(cluster_id, peer))
    for cluster_id, peer in task_peers(job, "failure_tasks"):
        key = _host_key(cluster_id, peer)
        description = peer.get("description")
        if key in deleted or (isinstance(description, str) and _NOT_FOUND.search(description)):
            continue
        failed.setdefault(key, dict(_host_entry(cluster_id, peer), description=description))
    return HostDeletions(list(deleted.values()), list(failed.values()))


def deletable_hosts(job: dict[str, t.Any]) -> list[Host]:
    """Return the hosts of a get_task job in the format of a deletion."""
    return [{key: host[key] for key in _HOST_KEYS} for host in holders(job)]


def _host_entry(cluster_id: int | None, peer: Host) -> Host:
    return {
        "hostname": _text(peer.get("hostname")),
        "ip": _text(peer.get("ip")),
        "type": _text(peer.get("host_type")),
        "scheduler_cluster_id": cluster_id,
    }


def _text(value: t.Any) -> str | None:
    return value if isinstance(value, str) else None
