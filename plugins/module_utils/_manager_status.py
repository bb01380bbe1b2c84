# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the state of a manager: its release, its options and job types, and whether it can preheat."""

from __future__ import annotations

import typing as t

from ._client import CONSOLE_API, DragonflyClient
from ._errors import ApiError, DragonflyError
from ._jobs import JobReader
from ._peer_lists import PEERS, SCHEDULERS, SEED_PEERS, read_list, uniform_row
from ._polling import Clock
from ._release import Releases
from ._releases import FIRST_WITHOUT_GO_SEEDS

# Before this release, all seed peers are in the manager's list of seed peers.
_HIDDEN_SEEDS = (2, 2, 0)

_Row = t.Dict[str, t.Any]


class Verdict(t.NamedTuple):
    """Whether a preheat can work.

    :ivar can_preheat: None if unknown.
    :ivar message: the reason, for users.
    """

    can_preheat: bool | None
    message: str


class ClusterMembers(t.NamedTuple):
    """The schedulers and seed peers of a cluster.

    :ivar schedulers: number of schedulers in the manager's list.
    :ivar active_schedulers: number of active schedulers.
    :ivar preheating_schedulers: number of active schedulers that accept jobs.
    :ivar listed_seeds: number of seed peers in the manager's list, active or not.
    :ivar seed_versions: release of each active seed peer, empty if unknown.
    """

    schedulers: int
    active_schedulers: int
    preheating_schedulers: int
    listed_seeds: int
    seed_versions: list[str]


def read_releases(
    client: DragonflyClient, anonymous: DragonflyClient, clock: Clock, access_required: bool = False
) -> Releases:
    """Return the possible releases of a manager, inferred from its newest preheat job and from its routes.

    :param client: client with a token or a JWT.
    :param anonymous: client without credentials.
    :param access_required: whether to fail without access to jobs, instead of using the routes only.
    :raises DragonflyError: if access is required and the manager refuses it.
    """
    jobs = JobReader(client, clock)
    try:
        # Reading a job narrows the releases.
        for _unused in jobs.iter_recent_jobs(None, type="preheat"):
            pass
    except DragonflyError as exc:
        if access_required and exc.status in (401, 403):
            raise
        # Without access to jobs, use the routes only.
    probes = JobReader(anonymous, clock)
    probes.releases = jobs.releases
    probes.probe_releases()
    return probes.releases


def read_clusters(client: DragonflyClient, releases: Releases) -> list[_Row]:
    """Return the clusters, their usable schedulers and seed peers, and whether a preheat can work there.

    :param client: client with a JWT.
    :returns: dicts with ``id``, ``name``, ``schedulers`` and ``seed_peers`` (int), ``can_preheat`` (None if unknown)
        and ``verdict`` (str).
    """
    rows = client.all_rows(CONSOLE_API + "/scheduler-clusters", "clusters")
    schedulers = read_list(client, SCHEDULERS)
    seeds = read_list(client, SEED_PEERS)
    try:
        # The only type that the manager accepts as a filter.
        rows_of_peers = client.all_rows(PEERS.path, PEERS.title, type="super")
    except ApiError as exc:
        if exc.reason != "no_api":
            raise
        rows_of_peers = []
    peers = [uniform_row(row, PEERS.keys) for row in rows_of_peers]
    return [_cluster_status(row, _members(row, schedulers, seeds, peers), releases) for row in rows]


def _cluster_status(row: _Row, members: ClusterMembers, releases: Releases) -> _Row:
    verdict = judge_cluster(members, releases)
    return {
        "id": row["id"],
        "name": row.get("name"),
        "schedulers": members.preheating_schedulers,
        "seed_peers": len(members.seed_versions),
        "can_preheat": verdict.can_preheat,
        "verdict": verdict.message,
    }


def _members(cluster: _Row, schedulers: list[_Row], seeds: list[_Row], peers: list[_Row]) -> ClusterMembers:
    schedulers = _rows_with(schedulers, "scheduler_cluster_id", [cluster["id"]])
    active = _rows_with(schedulers, "state", ["active"])
    seeds = _rows_with(seeds, "seed_peer_cluster_id", _seed_cluster_ids(cluster))
    peers = _rows_with(peers, "scheduler_cluster_id", [cluster["id"]])
    return ClusterMembers(
        schedulers=len(schedulers),
        active_schedulers=len(active),
        preheating_schedulers=sum(map(_takes_jobs, active)),
        listed_seeds=len(seeds),
        seed_versions=_active_seed_versions(seeds, peers),
    )


def _rows_with(rows: list[_Row], key: str, values: list[t.Any]) -> list[_Row]:
    return [row for row in rows if row.get(key) in values]


def _active_seed_versions(seeds: list[_Row], peers: list[_Row]) -> list[str]:
    """Return the release of each active seed peer of a cluster, empty if unknown.

    The list of peers is as old as its last refresh, so it counts for addresses that the list of seed peers lacks.
    """
    listed = {seed.get("ip") for seed in seeds}
    current = seeds + [peer for peer in peers if peer.get("ip") not in listed]
    active = set(map(_identity, _rows_with(current, "state", ["active"])))
    versions = {_identity(peer): str(peer.get("git_version") or "") for peer in peers}
    return [versions.get(identity, "") for identity in sorted(active)]


def _identity(row: _Row) -> tuple[str, str]:
    """Return what the manager identifies a peer by within a cluster (v2.5.1 manager/models/peer.go, seed_peer.go)."""
    return str(row.get("ip")), str(row.get("hostname"))


def _seed_cluster_ids(cluster: _Row) -> list[t.Any]:
    seed_clusters = cluster.get("seed_peer_clusters")
    if not isinstance(seed_clusters, list):
        return []
    return [seed_cluster.get("id") for seed_cluster in seed_clusters if isinstance(seed_cluster, dict)]


def _takes_jobs(scheduler: _Row) -> bool:
    # Before 2.0.9, schedulers do not report their features.
    features = scheduler["features"]
    return features is None or (isinstance(features, list) and "preheat" in features)


def judge_cluster(members: ClusterMembers, releases: Releases) -> Verdict:
    """Return whether a preheat can work in a cluster."""
    if not members.preheating_schedulers:
        return Verdict(False, _no_scheduler(members))
    versions = members.seed_versions
    message = f"{_count(members.preheating_schedulers, 'active scheduler')} with the feature preheat"
    if not versions:
        message += f", but there is no active seed peer ({members.listed_seeds} are listed)"
        if releases.before(_HIDDEN_SEEDS):
            return Verdict(False, message + ": start one")
        return Verdict(
            None,
            message + ". Newer Rust seed peers register with schedulers only: "
            "dragonflyoss.dragonfly.peer_info with refresh finds them",
        )
    message += f" and {_count(len(versions), 'active seed peer')}"
    if releases.since(FIRST_WITHOUT_GO_SEEDS) and all(version.startswith("v") for version in versions):
        return Verdict(
            False,
            f"{message}, which are Go clients ({', '.join(sorted(set(versions)))}). Schedulers 2.3.1 and later "
            "cannot preheat them: jobs end with SUCCESS, and nothing is cached. Use the Rust client (dfdaemon)",
        )
    return Verdict(True, message)


def _no_scheduler(members: ClusterMembers) -> str:
    if not members.active_schedulers:
        return f"no scheduler is active ({members.schedulers} are known): start one"
    return (
        f"none of the {members.active_schedulers} active schedulers accepts jobs: set job.enable to true in their "
        "configuration"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summarize(clusters: list[_Row]) -> Verdict:
    """Return whether a preheat can work in any cluster, and in which.

    :param clusters: result of ``read_clusters``.
    """
    if not clusters:
        return Verdict(False, "A preheat cannot work: there is no cluster.")
    answers = [cluster["can_preheat"] for cluster in clusters]
    if True in answers:
        can_preheat, message = True, "A preheat can work."
    elif None in answers:
        can_preheat, message = None, "Whether a preheat can work is unknown."
    else:
        can_preheat, message = False, "A preheat cannot work."
    parts = [f"Cluster {cluster['id']} ({cluster['name']}): {cluster['verdict']}." for cluster in clusters]
    return Verdict(can_preheat, " ".join([message, *parts]))
