# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""scheduler_info, seed_peer_info, peer_info and manager_info against the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.tools.sources import documented

MODULES = Path(__file__).resolve().parents[4] / "plugins" / "modules"
RELEASES = ["2.1.67", "2.3.4", "2.5.1"]
EVERY_RELEASE = ["2.0.9", "2.1.0"] + RELEASES

# pylint: disable=redefined-outer-name


@pytest.fixture
def read(run, box):
    """Return a function that runs a module as a signed-in user."""
    return lambda module, **options: run(module, **{"url": box.url, "jwt": box.jwt, **options})


@pytest.mark.parametrize("release", EVERY_RELEASE)
def test_schedulers_have_the_same_keys_in_every_release(box, read, release):
    box.add_cluster()
    result = read("scheduler_info").result
    assert result["changed"] is False
    first, second = result["schedulers"]
    assert (first["hostname"], first["ip"], first["port"]) == ("scheduler-1", "10.77.0.1", 8002)
    assert first["state"] == "active"
    assert first["features"] == ["schedule", "preheat"]
    assert [first["scheduler_cluster_id"], second["scheduler_cluster_id"]] == [1, 2]
    assert (first["last_keep_alive_at"] is None) == (release in EVERY_RELEASE[:3])
    documented_keys = documented(MODULES / "scheduler_info.py", "RETURN")["schedulers"]["contains"]
    assert set(first) == set(second) == set(documented_keys)


@pytest.mark.parametrize("release", RELEASES)
def test_schedulers_are_filtered(box, read, release):
    box.add_cluster()
    box.manager.fleet.schedulers[0].state = "inactive"
    assert [row["id"] for row in read("scheduler_info", state="active").result["schedulers"]] == [2]
    assert [row["id"] for row in read("scheduler_info", scheduler_cluster_id=1).result["schedulers"]] == [1]
    every = [row["id"] for row in read("scheduler_info").result["schedulers"]]
    everything: list[dict[str, list]] = [
        {"scheduler_cluster_ids": [1, 2]},
        {"states": ["active", "inactive"]},
        {"states": []},
    ]
    for options in everything:
        assert [row["id"] for row in read("scheduler_info", **options).result["schedulers"]] == every
    assert read("scheduler_info", hostname="nobody").result["schedulers"] == []
    assert box.log[-1].query["host_name"] == "nobody"


def test_all_pages_are_read(box, read):
    for number in range(120):
        box.manager.fleet.add_scheduler(name=f"scheduler-{number}")
    rows = read("scheduler_info").result["schedulers"]
    assert len(rows) == len({row["id"] for row in rows}) == 121


def test_it_takes_the_jwt_and_not_the_token(box, run):
    assert not run("scheduler_info", url=box.url, jwt=box.jwt, token="bm90IGEgdG9rZW4").failed
    assert not run("scheduler_info", url=box.url, env={"DRAGONFLY_JWT": box.jwt}).failed
    done = run("scheduler_info", url=box.url, token=box.token)
    assert (done.reason, done.result["status"]) == ("jwt_missing", 401)
    assert "a personal access token is not sufficient here: set jwt" in done.msg
    assert "dragonflyoss.dragonfly.login" in done.msg
    done = run("scheduler_info", url=box.url, jwt="no.jwt.at-all")
    assert done.reason == "jwt_unknown"
    assert "no.jwt.at-all" not in done.output


@pytest.mark.parametrize("release", RELEASES)
def test_seed_peers(box, read, release):
    box.add_host("seed-9", "10.77.0.9", role="seed", client="go", cluster_id=1)
    rows = read("seed_peer_info", hostname="seed-9").result["seed_peers"]
    assert [(row["ip"], row["type"], row["state"], row["seed_peer_cluster_id"]) for row in rows] == [
        ("10.77.0.9", "super", "active", 1)
    ]
    # The manager itself ignores this filter.
    assert read("seed_peer_info", state="inactive").result["seed_peers"] == []
    assert read("seed_peer_info", type="weak").result["seed_peers"] == []


@pytest.mark.parametrize("release, before, after", [("2.1.67", 2, 3), ("2.3.4", 0, 3), ("2.5.1", 0, 3)])
def test_peers_are_refreshed(box, read, release, before, after):
    done = read("peer_info")
    assert len(done.result["peers"]) == before
    assert ["set refresh to true" in text for text in done.warnings] == ([] if before else [True])
    assert len(read("peer_info", refresh=True, check_mode=True).result["peers"]) == before
    done = read("peer_info", refresh=True)
    peers = done.result["peers"]
    assert len(peers) == after
    assert not done.warnings
    assert all(row["git_version"] and row["scheduler_cluster_id"] == 1 for row in peers)
    normal = read("peer_info", type="normal").result["peers"]
    assert {row["hostname"] for row in normal} == {"host-1", "host-2"}
    assert len(box.counts()["GET"]) == 0
    assert box.counts()["POST"] == 1


def test_a_refresh_waits_for_another_one(box, read):
    busy = {"fault": "status", "status": 500, "body": {"message": "sync peers job is running"}, "method": "POST"}
    box.rule(times=1, **busy)
    assert len(read("peer_info", refresh=True).result["peers"]) == 3
    box.rule(**busy)
    done = read("peer_info", refresh=True, timeout=1)
    assert (done.reason, done.result["status"]) == ("busy", 500)


@pytest.mark.parametrize("release", ["2.0.9", "2.1.0"])
def test_old_managers_have_no_peers(box, read, release):
    assert read("peer_info").reason == "no_api"
    done = read("peer_info", refresh=True)
    assert done.reason == "no_api"
    assert "2.1.65" in done.msg


def test_seed_peers_are_not_taken_for_peers(box, read):
    rows = [{"id": 1, "host_name": "seed-1", "seed_peer_cluster_id": 1}]
    box.rule(fault="body", body=rows, path="/peers$")
    assert read("peer_info").reason == "no_api"


def numbers(text):
    return tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize(
    "release, message, narrower",
    [
        ("2.0.9", "before 2.1.0", "2.0.3 or later, before 2.1.0"),
        ("2.1.0", "2.1.0 or later, before 2.1.9", "2.1.0 or later, before 2.1.9"),
        ("2.1.67", "2.1.57 or later, before 2.2.2", "2.1.57 or later, before 2.2.1"),
        ("2.3.4", "2.2.2 or later, before 2.4.1", "2.3.1 or later, before 2.4.1"),
        ("2.5.1", "2.4.1 or later", "2.4.4 or later"),
    ],
)
def test_the_release_is_narrowed_down(box, read, release, message, narrower):
    result = read("manager_info").result
    assert result["release"] == message
    # A preheat job shows more.
    box.history(1)
    result = read("manager_info").result
    assert result["release"] == narrower
    low, high = result["release_since"], result["release_before"]
    assert numbers(low or "0") <= numbers(release)
    assert high is None or numbers(release) < numbers(high)
    taken = box.manager.profile.job_types
    for kind, answer in result["job_types"].items():
        assert answer in ((kind in taken), None)
    [job] = box.jobs
    assert result["preheat_options"]["headers"] is True
    for option, key in (("ips", "ips"), ("object_storage", "object_storage"), ("platform", "platform"), ("tag", "tag")):
        assert result["preheat_options"][option] == (key in job["args"])
    assert box.counts()["POST"] == 0


@pytest.mark.parametrize(
    ("release", "since", "go"), [("2.1.67", "2.1.57", True), ("2.3.4", "2.3.1", False), ("2.5.1", "2.4.4", False)]
)
def test_a_token_is_enough_for_the_release(box, run, release, since, go):
    box.history(1)
    result = run("manager_info", url=box.url, token=box.token).result
    assert (result["release_since"], result["can_preheat_go_clients"]) == (since, go)
    assert (result["clusters"], result["can_preheat"]) == (None, None)
    assert "requires jwt" in result["verdict"]
    refused = run("manager_info", url=box.url, token="bm90IGEgdG9rZW4")
    assert (refused.failed, refused.result["status"]) == (True, 401)


@pytest.mark.parametrize("release", RELEASES)
def test_without_a_scheduler_no_preheat_can_work(box, read, release):
    scheduler = box.manager.fleet.schedulers[0]
    scheduler.state = "inactive"
    result = read("manager_info").result
    assert result["can_preheat"] is False
    assert result["schedulers"] == 0
    assert "no scheduler is active (1 are known)" in result["verdict"]
    scheduler.state, scheduler.features = "active", ["schedule"]
    result = read("manager_info").result
    assert result["can_preheat"] is False
    assert "job.enable" in result["verdict"]


def test_one_cluster_of_two_is_enough(box, read):
    box.add_cluster(scheduler=False)
    read("peer_info", refresh=True)
    result = read("manager_info").result
    assert [row["can_preheat"] for row in result["clusters"]] == [True, False]
    assert (result["can_preheat"], result["schedulers"], result["seed_peers"]) == (True, 1, 1)
    assert "Cluster 2 (cluster-2): no scheduler is active (0 are known)" in result["verdict"]


def test_rust_seed_peers_are_seen_after_a_refresh(box, read):
    result = read("manager_info").result
    assert (result["can_preheat"], result["seed_peers"]) == (None, 0)
    assert "peer_info" in result["verdict"]
    read("peer_info", refresh=True)
    assert read("manager_info").result["can_preheat"] is True


@pytest.mark.parametrize("state, count", [("active", 1), ("inactive", 0)])
def test_the_list_of_seed_peers_is_newer_than_that_of_peers(box, read, state, count):
    read("peer_info", refresh=True)
    assert read("manager_info").result["seed_peers"] == 1
    seed = {"id": 1, "host_name": "seed-1", "ip": "10.77.0.1", "type": "super", "seed_peer_cluster_id": 1}
    box.rule(fault="body", body=[dict(seed, state=state)], path="/seed-peers$")
    result = read("manager_info").result
    assert (result["seed_peers"], result["can_preheat"]) == (count, True if count else None)


@pytest.mark.parametrize("path", ["/seed-peers$", "/peers$"])
def test_each_of_two_seed_peers_behind_one_address_counts(box, read, path):
    row = {"ip": "10.77.0.1", "type": "super", "state": "active", "seed_peer_cluster_id": 1}
    if path == "/peers$":
        row = {**row, "scheduler_cluster_id": 1, "git_version": "1.5.1"}
        del row["seed_peer_cluster_id"]
    rows = [{**row, "id": number, "host_name": f"seed-{number}"} for number in (1, 2)]
    box.rule(fault="body", body=rows, path=path)
    result = read("manager_info").result
    assert (result["seed_peers"], result["can_preheat"]) == (2, True)
    assert "and 2 active seed peers" in result["verdict"]


@pytest.mark.parametrize("release", ["2.3.4"])
def test_a_go_and_a_rust_seed_peer_behind_one_address_are_told_apart(box, read, release):
    row = {"ip": "10.77.0.1", "type": "super", "state": "active", "scheduler_cluster_id": 1}
    rows = [
        {**row, "id": 1, "host_name": "seed-1", "git_version": "1.5.1"},
        {**row, "id": 2, "host_name": "seed-2", "git_version": "v2.1.67"},
    ]
    box.rule(fault="body", body=rows, path="/peers$")
    box.history(1)
    assert read("manager_info").result["can_preheat"] is True


@pytest.mark.parametrize("release, works", [("2.1.67", True), ("2.3.4", False)])
def test_go_seed_peers_are_of_no_use_to_newer_schedulers(box, read, release, works):
    for host in box.manager.fleet.hosts:
        host.client = "go"
    box.history(1)
    read("peer_info", refresh=True)
    result = read("manager_info").result
    assert result["can_preheat"] is works
    assert ("Go clients" in result["verdict"]) is not works


@pytest.mark.parametrize("release", ["2.0.9", "2.1.0", "2.1.67"])
def test_without_a_seed_peer_no_preheat_can_work(box, read, release):
    box.manager.fleet.hosts[:] = [host for host in box.manager.fleet.hosts if host.role != "seed"]
    box.history(1)
    result = read("manager_info").result
    # About 2.1.67, the module only knows that it is before 2.2.1.
    assert result["can_preheat"] is (None if release == "2.1.67" else False)
    assert "no active seed peer" in result["verdict"]


def test_jobs_that_cannot_be_read_do_not_stop_it(box, read):
    box.rule(fault="status", status=401, body={"message": "permission deny"}, method="GET", path="/api/v1/jobs$")
    result = read("manager_info").result
    assert result["release"] == "2.4.1 or later"
