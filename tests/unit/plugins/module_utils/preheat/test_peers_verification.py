# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is warm according to the peers."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.peer_questions import (
    Holder,
    PeerAnswer,
    question_of,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.peers_verification import (
    MOST_QUESTIONS,
    judge_holding,
    limit_peer_questions,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.records import JobRecord
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.verdict import Verdict


def record(scope: str = "single_seed_peer", clusters: tuple[int, ...] = (1,), **verdict: t.Any) -> JobRecord:
    """Return a record of a warm job about the blobs a and b."""
    planned = PlannedJob("file", "f", "f", {"scope": scope}, "")
    job = {"id": 1, "args": {}, "scheduler_clusters": [{"id": cluster} for cluster in clusters]}
    own = dict({"verified": "blobs", "blobs": 2, "warm": ["a", "b"], "cold": []}, **verdict)
    return JobRecord(planned, "found", job, Verdict("warm", **own))


def answers(warm: JobRecord, **by_url: t.Any) -> dict:
    clusters = {cluster["id"] for cluster in (warm.job or {})["scheduler_clusters"]}
    shown = {}
    for url, held in by_url.items():
        answer = (
            PeerAnswer(problem=held)
            if isinstance(held, str)
            else PeerAnswer(frozenset(Holder(*fields) for fields in held))
        )
        shown[question_of(url, {}, clusters)] = answer
    return shown


PARAMS = {"max_failed_peers_percentage": 0}
SEED, FIRST, SECOND = (1, "10.0.0.9"), (1, "10.0.0.1"), (1, "10.0.0.2")


@pytest.mark.parametrize(
    "clusters, held, status, reason, cold",
    [
        ((1,), {"a": [SEED], "b": [FIRST]}, "warm", None, []),
        ((1,), {"a": [SEED], "b": []}, "cold", "not_held", ["b"]),
        ((1,), {"a": [], "b": []}, "cold", "not_held", ["a", "b"]),
        ((1, 2), {"a": [SEED, (2, "10.1.0.1")], "b": [SEED]}, "cold", "not_held", ["b"]),
        ((1, 2), {"a": [SEED, (2, "10.1.0.1")], "b": [(2, "10.1.0.1"), SEED]}, "warm", None, []),
        ((), {"a": [SEED], "b": []}, "cold", "not_held", ["b"]),
        ((1,), {"a": [(None, "10.0.0.1")], "b": [SEED]}, "cold", "not_held", ["a"]),
        # One response without proof leaves everything unproven.
        ((1,), {"a": "no answer", "b": [SEED]}, "unknown", "peers_unknown", []),
        ((1,), {"a": [], "b": "no answer"}, "unknown", "peers_unknown", []),
    ],
)
def test_every_blob_must_be_held_in_every_cluster(clusters, held, status, reason, cold):
    warm = record(clusters=clusters)
    verdict = judge_holding(warm, answers(warm, **held), PARAMS)
    assert (verdict.status, verdict.reason) == (status, reason)
    assert verdict.cold == cold
    assert verdict.verified == ("blobs" if status == "unknown" else "peers")


def test_a_job_that_names_no_blobs_is_not_warm():
    warm = record(warm=None, cold=None)
    assert judge_holding(warm, {}, PARAMS).status == "unknown"


@pytest.mark.parametrize(
    "held, params, status",
    [
        ({"a": [FIRST, SECOND], "b": [SECOND, FIRST]}, {}, "warm"),
        ({"a": [FIRST, SECOND], "b": [FIRST]}, {}, "cold"),
        ({"a": [FIRST, SECOND], "b": [FIRST]}, {"max_failed_peers_percentage": 50}, "warm"),
        ({"a": [FIRST, SECOND], "b": [FIRST]}, {"max_failed_peers_percentage": 49}, "cold"),
        (
            {"a": [FIRST, SECOND], "b": [FIRST]},
            {"max_failed_peers_percentage": 50, "expected_ips": ["10.0.0.2"]},
            "cold",
        ),
        ({"a": [FIRST, SECOND], "b": [FIRST, SECOND]}, {"expected_ips": ["10.0.0.7"]}, "cold"),
        ({"a": [FIRST, SECOND], "b": [FIRST, SECOND]}, {"ips": ["10.0.0.7"]}, "cold"),
        # A seed peer does not count as a host.
        ({"a": [SEED], "b": [SEED]}, {}, "cold"),
        ({"a": [], "b": []}, {"max_failed_peers_percentage": 100}, "cold"),
    ],
)
def test_every_host_must_hold_every_blob(held, params, status):
    warm = record(scope="all_peers", warm_hosts={"10.0.0.1", "10.0.0.2"})
    verdict = judge_holding(warm, answers(warm, **held), dict(PARAMS, **params))
    assert verdict.status == status
    assert verdict.verified == "peers"
    assert (verdict.reason == "not_held") == (status == "cold")


def at(name, host_type="normal", cluster=1):
    """Return a holder at the address of FIRST."""
    return cluster, "10.0.0.1", name, host_type


@pytest.mark.parametrize(
    "scope, held, reported, status",
    [
        # Two hosts behind one gateway hold different blobs.
        ("all_peers", {"a": [at("one")], "b": [at("two")]}, (), "cold"),
        ("all_peers", {"a": [at("one"), at("two")], "b": [at("two")]}, (), "cold"),
        ("all_peers", {"a": [at("one"), at("two")], "b": [at("two"), at("one")]}, (), "warm"),
        # The other host lost both blobs after the preheat.
        ("all_peers", {"a": [at("one")], "b": [at("one")]}, ("one", "two"), "cold"),
        ("all_peers", {"a": [at("one")], "b": [at("one")]}, ("one",), "warm"),
        ("all_peers", {"a": [at("one", cluster=1)], "b": [at("one", cluster=2)]}, (), "cold"),
        # A seed peer and a peer on one machine.
        ("all_peers", {"a": [at("one", "super")], "b": [at("one")]}, (), "cold"),
        ("all_peers", {"a": [at("one", "super"), at("one")], "b": [at("one")]}, ("one",), "warm"),
        ("all_seed_peers", {"a": [at("one", "super"), at("one")], "b": [at("one")]}, ("one",), "cold"),
        ("all_seed_peers", {"a": [at("one", "super")], "b": [at("one", "strong"), at("one", "super")]}, (), "warm"),
        ("all_seed_peers", {"a": [at("one", "of-the-future")], "b": [at("one", "of-the-future")]}, (), "warm"),
    ],
)
def test_hosts_that_share_an_address(scope, held, reported, status):
    warm = record(scope=scope, warm_hosts={"10.0.0.1"})
    entries = [{"url": url, "ip": "10.0.0.1", "hostname": name} for url in "ab" for name in reported]
    results = [{"scheduler_cluster_id": 1, "success_tasks": entries}]
    assert warm.job is not None
    warm.job["result"] = {"job_states": [{"results": results}]}
    assert judge_holding(warm, answers(warm, **held), PARAMS).status == status


def test_too_many_questions_are_refused():
    planned = PlannedJob("image", "i", "i", {}, "")
    planned.urls_by_manifest = [[str(number) for number in range(MOST_QUESTIONS)]]
    limit_peer_questions([planned, planned])
    planned.urls_by_manifest[0].append("one more")
    with pytest.raises(DragonflyError) as caught:
        limit_peer_questions([planned])
    assert caught.value.reason == "too_many_blobs"
    assert "1001 blobs" in caught.value.message
