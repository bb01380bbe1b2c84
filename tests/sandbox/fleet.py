# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services beside the manager: schedulers, seed peers and peers, and the content of their caches."""

from __future__ import annotations

import hashlib
import uuid
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

#: What hosts report about themselves, by client.
_SYSTEM = {
    "go": {
        "os": "linux",
        "platform": "debian",
        "platform_family": "debian",
        "platform_version": "12.11",
        "kernel_version": "6.1.0",
        "git_commit": "unknown",
        "build_platform": "linux",
    },
    "rust": {
        "os": "linux",
        "platform": "linux",
        "platform_family": "unix",
        "platform_version": "12",
        "kernel_version": "6.1.0",
        "git_commit": "unknown",
        "build_platform": "",
    },
}
_PORTS = {
    ("go", "peer"): (65000, 65002, 65001),
    ("go", "seed"): (65006, 65008, 0),
    ("rust", "peer"): (4000, 4000, 4001),
    ("rust", "seed"): (4000, 4000, 4001),
}
_VERSIONS = {"2.0.9": "v2.0.9", "2.1.0": "v2.1.0", "2.1.67": "v2.1.0", "2.3.4": "v2.3.0", "2.5.1": "v2.3.0"}
_RUST_VERSION = "1.4.2"


class Host:
    """A host with a Dragonfly client.

    :param role: ``seed`` or ``peer``.
    :param client: ``go`` or ``rust``; Go clients do not speak the protocol that schedulers of 2.3.1 and later use.
    """

    def __init__(self, name, ip, role="peer", client="rust", cluster_id=1, joined=None):
        self.name = name
        self.ip = ip
        self.role = role
        self.client = client
        self.cluster_id = cluster_id
        self.joined = joined

    @property
    def type(self):
        return "super" if self.role == "seed" else "normal"

    @property
    def id(self):
        return f"{self.ip}-{self.name}-seed" if self.role == "seed" else f"{self.ip}-{self.name}"

    def system(self, release):
        port, download_port, proxy_port = _PORTS[(self.client, self.role)]
        version = _RUST_VERSION if self.client == "rust" else _VERSIONS[release]
        return dict(
            _SYSTEM[self.client], git_version=version, port=port, download_port=download_port, proxy_port=proxy_port
        )


class Scheduler:
    """A scheduler of a cluster."""

    def __init__(self, number, cluster_id, joined, name="scheduler-1", ip="10.77.0.1", port=8002):
        self.id = number
        self.cluster_id = cluster_id
        self.joined = joined
        self.name = name
        self.ip = ip
        self.port = port
        self.state = "active"
        self.features = ["schedule", "preheat"]


class Content(NamedTuple):
    """The content of a task on a host's disk: all of it, or the beginning of a failed fetch (``whole`` false).

    ``since`` is in nanoseconds.
    """

    host: Host
    whole: bool
    since: int


class Peer(NamedTuple):
    """A host's download of a task, as the scheduler records it. A host that fetched twice has two."""

    id: str
    host: Host
    since: int


class Fleet:
    """All schedulers and hosts of a manager.

    The content on disks and the peers in schedulers differ: a host that preheated and then
    pulled has two peers for the same content, and one with an emptied disk has a peer and no content.
    """

    def __init__(self, clock):
        self._clock = clock
        self.schedulers = []
        self.hosts = []
        self._contents = {}
        self._peers = {}
        #: Bytes up to which Rust hosts fetch content without the scheduler, which then has no peer of it: 4 MiB from
        #: dfdaemon 1.4.2 on (contract/2.5.1/task_small_blob_deleted). None here: all blobs of a sandbox are small.
        self.unscheduled_bytes = None
        self._unscheduled = set()

    # Hosts and schedulers

    def add_scheduler(self, cluster_id=1, **options):
        scheduler = Scheduler(len(self.schedulers) + 1, cluster_id, self._clock.now(), **options)
        self.schedulers.append(scheduler)
        return scheduler

    def add_host(self, name, ip, **options):
        host = Host(name, ip, joined=self._clock.now(), **options)
        self.hosts.append(host)
        return host

    def remove_host(self, name):
        self.hosts = [host for host in self.hosts if host.name != name]

    def host(self, name):
        """Return a host by its name.

        :raises KeyError: if there is none.
        """
        return {host.name: host for host in self.hosts}[name]

    def scheduler_of(self, cluster_id, feature="preheat"):
        """Return an active scheduler of a cluster, or None."""
        return next(
            (
                scheduler
                for scheduler in self.schedulers
                if scheduler.cluster_id == cluster_id and scheduler.state == "active" and feature in scheduler.features
            ),
            None,
        )

    def hosts_of(self, cluster_id, role=None):
        return [host for host in self.hosts if host.cluster_id == cluster_id and role in (None, host.role)]

    # Content

    def store(self, task, host, whole=True):
        """Let a host fetch a task, or fail after a part of it (``whole`` false). Content that it holds adds no peer."""
        if whole and not self.has(task, host):
            self._register(task, host)
        self._contents.setdefault(task, {})[host.name] = Content(host, whole, self._clock.now())

    def pull(self, task, host):
        """Let a host pull a task through its client, which adds a peer in the scheduler."""
        if self.has(task, host):
            self._register(task, host)
        else:
            self.store(task, host)

    def note_size(self, task, size):
        """Store the size of a task that will be fetched. The size decides whether the scheduler records a peer."""
        if self.unscheduled_bytes is not None and size <= self.unscheduled_bytes:
            self._unscheduled.add(task)

    def _register(self, task, host):
        if task in self._unscheduled and host.client == "rust":
            return
        self._peers.setdefault(task, []).append(Peer(f"{host.id}-{uuid.uuid4()}", host, self._clock.now()))

    def has(self, task, host):
        content = self._contents.get(task, {}).get(host.name)
        return content is not None and content.whole

    def holders(self, task, cluster_id):
        """Return the content on the disks of a cluster's hosts (list of ``Content``)."""
        return [content for content in self._contents.get(task, {}).values() if content.host.cluster_id == cluster_id]

    def peers(self, task, cluster_id):
        """Return the peers in the scheduler of a cluster, several for some hosts (list of ``Peer``)."""
        return [peer for peer in self._peers.get(task, []) if peer.host.cluster_id == cluster_id]

    def lose(self, task, host):
        """Empty a host's disk without notice to the scheduler."""
        self._contents.get(task, {}).pop(host.name, None)

    def delete(self, task, peer):
        """Let the host of a peer delete a task, and remove all its peers of it from the scheduler.

        Returns whether the host held it (dragonfly-client/src/resource/task.rs, delete, 1.5.1).
        """
        if not self.has(task, peer.host):
            return False
        self.lose(task, peer.host)
        self._peers[task] = [other for other in self._peers[task] if other.host is not peer.host]
        return True


def task_id(url, args, standard):
    """Return the ID of a job's task for a URL (pkg/idgen/task_id.go, TaskIDV2).

    :param args: the job's; tag, application, piece length and filtered query parameters count.
    :param standard: whether the kind of the task counts, as it does from 2.2.3 on.
    """
    if args.get("enable_task_id_based_blob_digest") and "/blobs/" in url:
        return url.rpartition(":")[2]
    filtered = (args.get("filtered_query_params") or args.get("filter") or "").split("&")
    parts = urlsplit(url)
    if parts.query and any(filtered):
        query = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in filtered)
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
    parts = [url, args.get("tag") or "", args.get("application") or "", str(args.get("piece_length") or "")]
    return hashlib.sha256("".join(parts + ["STANDARD" if standard else ""]).encode()).hexdigest()
