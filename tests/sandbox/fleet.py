# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs beside the manager: schedulers, seed peers, peers, and what they have in their caches."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

#: What hosts say of themselves, by client.
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


class Fleet:
    """All schedulers and hosts of a manager."""

    def __init__(self, clock):
        self._clock = clock
        self.schedulers = []
        self.hosts = []
        self._cache = {}

    # Who is there

    def add_scheduler(self, cluster_id=1, **words):
        scheduler = Scheduler(len(self.schedulers) + 1, cluster_id, self._clock.now(), **words)
        self.schedulers.append(scheduler)
        return scheduler

    def add_host(self, name, ip, **words):
        host = Host(name, ip, joined=self._clock.now(), **words)
        self.hosts.append(host)
        return host

    def remove_host(self, name):
        self.hosts = [host for host in self.hosts if host.name != name]

    def scheduler_of(self, cluster_id, feature="preheat"):
        """An active scheduler of a cluster, or None."""
        return next(
            (
                one
                for one in self.schedulers
                if one.cluster_id == cluster_id and one.state == "active" and feature in one.features
            ),
            None,
        )

    def hosts_of(self, cluster_id, role=None):
        return [host for host in self.hosts if host.cluster_id == cluster_id and role in (None, host.role)]

    # Who has what

    def store(self, task, host, whole=True):
        """A host has a task's content, or began and failed (``whole`` false)."""
        self._cache.setdefault(task, {})[host.name] = (host, whole, self._clock.now())

    def has(self, task, host):
        return self._cache.get(task, {}).get(host.name, (None, False))[1]

    def holders(self, task, cluster_id):
        """List of (host, whether it has all, nanoseconds since when)."""
        return [one for one in self._cache.get(task, {}).values() if one[0].cluster_id == cluster_id]

    def drop(self, task, cluster_id):
        """Every host of a cluster deletes a task; returns those that had it."""
        holders = self._cache.get(task, {})
        gone = [host for host, whole, dummy in holders.values() if host.cluster_id == cluster_id and whole]
        for host in gone:
            del holders[host.name]
        return gone


def task_id(url, args, standard):
    """Id of the task that a job makes of a URL (pkg/idgen/task_id.go, TaskIDV2).

    :param args: the job's; tag, application, piece length and filtered query parameters count.
    :param standard: whether the kind of the task counts, as it does from 2.2.3 on.
    """
    filtered = (args.get("filtered_query_params") or args.get("filter") or "").split("&")
    parts = urlsplit(url)
    if parts.query and any(filtered):
        query = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in filtered)
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
    words = [url, args.get("tag") or "", args.get("application") or "", str(args.get("piece_length") or "")]
    return hashlib.sha256("".join(words + ["STANDARD" if standard else ""]).encode()).hexdigest()
