# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a manager is: its release, what it knows, and whether a preheat can work at all.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import CONSOLE_API
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import ApiError, DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._fleet import PEERS, SCHEDULERS, SEED_PEERS, read
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import FIRST_WITHOUT_GO_SEEDS

# Before this one every seed peer was in the manager's own list.
_HIDDEN_SEEDS = (2, 2, 0)


def read_releases(client, anonymous, clock):
    """The releases that a manager can be of, by its newest preheat job and by which routes it guards.

    :param client: L(DragonflyClient) with a jwt.
    :param anonymous: L(DragonflyClient) without credentials.
    :param clock: L(Clock).
    :returns: L(Releases).
    """
    client.use_console_jobs()
    newest = JobReader(client, clock)
    try:
        for dummy in newest.recent(None, type="preheat"):
            pass
    except DragonflyError:
        # No job can be read, so only the routes tell.
        pass
    probes = JobReader(anonymous, clock)
    probes.releases = newest.releases
    probes.probe_releases()
    return probes.releases


def read_clusters(client, releases):
    """The clusters, who is in them, and whether a preheat can work there.

    :param client: L(DragonflyClient) with a jwt.
    :param releases: L(Releases).
    :returns: list of dict with ``id``, ``name``, ``schedulers`` and ``seed_peers`` (int, the usable ones),
        ``can_preheat`` (True, False, or None where it cannot be told) and ``verdict`` (words).
    """
    rows = client.all_rows(CONSOLE_API + "/scheduler-clusters", "clusters")
    schedulers = read(client, SCHEDULERS)
    seeds = read(client, SEED_PEERS)
    try:
        # The one type that the manager takes as a filter.
        peers = client.all_rows(PEERS.path, PEERS.words, type="super")
    except ApiError as exc:
        if exc.reason != "no_api":
            raise
        peers = []
    return [_cluster(row, schedulers, seeds, peers, releases) for row in rows]


def _cluster(row, schedulers, seeds, peers, releases):
    clusters = row.get("seed_peer_clusters")
    seed_clusters = [one.get("id") for one in clusters if isinstance(one, dict)] if isinstance(clusters, list) else []
    schedulers = [one for one in schedulers if one["scheduler_cluster_id"] == row["id"]]
    able = [one for one in schedulers if one["state"] == "active" and _can_preheat(one)]
    seeds = [one for one in seeds if one["seed_peer_cluster_id"] in seed_clusters]
    peers = [one for one in peers if one.get("scheduler_cluster_id") == row["id"]]
    # The list of peers is as old as its last refresh, so it counts for addresses that the list of seed peers lacks.
    listed = {str(one["ip"]) for one in seeds}
    newer = seeds + [one for one in peers if str(one.get("ip")) not in listed]
    active = {str(one.get("ip")) for one in newer if one.get("state") == "active"}
    versions = {str(one.get("ip")): str(one.get("git_version") or "") for one in peers}
    can_preheat, words = judge_cluster(
        schedulers, len(able), len(seeds), [versions.get(ip, "") for ip in sorted(active)], releases
    )
    return {
        "id": row["id"],
        "name": row.get("name"),
        "schedulers": len(able),
        "seed_peers": len(active),
        "can_preheat": can_preheat,
        "verdict": words,
    }


def _can_preheat(scheduler):
    # Before 2.0.9 schedulers do not tell their features.
    features = scheduler["features"]
    return features is None or (isinstance(features, list) and "preheat" in features)


def judge_cluster(schedulers, able, seeds, versions, releases):
    """Whether a preheat can work in a cluster.

    :param schedulers: those of the cluster, as L(read) gives them.
    :param able: how many of them are active and take jobs.
    :param seeds: how many seed peers the manager's own list has, active or not.
    :param versions: release of each active seed peer as it is known, empty where it is not (list of str).
    :param releases: L(Releases).
    :returns: True, False or None (it cannot be told), and words.
    """
    if not able:
        active = sum(one["state"] == "active" for one in schedulers)
        if active:
            return (
                False,
                f"none of the {int(active)} active schedulers takes jobs: set job.enable to true in their files",
            )
        return False, f"no scheduler is active ({len(schedulers)} are known): start one"
    has = f"{int(able)} active {'scheduler' if able == 1 else 'schedulers'} with the feature preheat"
    if not versions:
        words = f"{has}, but no active seed peer is known ({int(seeds)} are in the list)"
        if releases.before(_HIDDEN_SEEDS):
            return False, words + ": start one"
        return None, words + (
            ". Newer Rust seed peers tell schedulers only: dragonflyoss.dragonfly.peer_info with refresh finds them"
        )
    has += f" and {len(versions)} active seed {'peer' if len(versions) == 1 else 'peers'}"
    if releases.since(FIRST_WITHOUT_GO_SEEDS) and all(one.startswith("v") for one in versions):
        return False, has + (
            f", which are Go clients ({', '.join(sorted(set(versions)))}). Schedulers of 2.3.1 and later "
            "cannot use them, jobs end as SUCCESS with nothing warm: use dfdaemon"
        )
    return True, has


def summary(clusters):
    """Whether a preheat can work anywhere (True, False or None), and where, in words.

    :param clusters: list of dict, as L(read_clusters) gives them.
    """
    if not clusters:
        return False, "A preheat cannot work: there is no cluster."
    answers = [one["can_preheat"] for one in clusters]
    answer = True if True in answers else None if None in answers else False
    words = {
        True: "A preheat can work.",
        False: "A preheat cannot work.",
        None: "It cannot be told whether a preheat can work.",
    }
    parts = [f"Cluster {int(one['id'])} ({one['name']}): {one['verdict']}." for one in clusters]
    return answer, " ".join([words[answer]] + parts)
