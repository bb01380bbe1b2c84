# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""scheduler_info, seed_peer_info, peer_info and manager_info against the sandbox."""

from __future__ import annotations

import pytest

RELEASES = ["2.1.67", "2.3.4", "2.5.1"]
EVERY_RELEASE = ["2.0.9", "2.1.0"] + RELEASES

# pylint: disable=redefined-outer-name


@pytest.fixture
def read(run, box):
    """Give a function that runs a module as a signed-in user."""
    return lambda module, **options: run(module, **{"url": box.url, "jwt": box.jwt, **options})


@pytest.mark.parametrize("release", EVERY_RELEASE)
def test_schedulers_have_the_same_keys_in_every_release(box, read, release):
    box.add_cluster()
    result = read("scheduler_info").result
    assert result["changed"] is False
    first, second = result["schedulers"]
    assert (first["host_name"], first["ip"], first["port"], first["state"]) == ("scheduler-1", "10.77.0.1", 8002, "active")
    assert first["features"] == ["schedule", "preheat"]
    assert [first["scheduler_cluster_id"], second["scheduler_cluster_id"]] == [1, 2]
    assert (first["last_keep_alive_at"] is None) == (release in EVERY_RELEASE[:3])
    assert "scheduler_cluster" not in first


@pytest.mark.parametrize("release", RELEASES)
def test_schedulers_are_filtered(box, read, release):
    box.add_cluster()
    box.manager.fleet.schedulers[0].state = "inactive"
    assert [one["id"] for one in read("scheduler_info", state="active").result["schedulers"]] == [2]
    assert [one["id"] for one in read("scheduler_info", scheduler_cluster_id=1).result["schedulers"]] == [1]
    assert read("scheduler_info", host_name="nobody").result["schedulers"] == []
    assert box.log[-1].query["host_name"] == "nobody"


def test_all_pages_are_read(box, read):
    for number in range(120):
        box.manager.fleet.add_scheduler(name="scheduler-%d" % number)
    found = read("scheduler_info").result["schedulers"]
    assert len(found) == len({one["id"] for one in found}) == 121


def test_it_takes_the_jwt_and_not_the_token(box, run):
    assert not run("scheduler_info", url=box.url, jwt=box.jwt, token="bm90IGEgdG9rZW4").failed
    assert not run("scheduler_info", url=box.url, env={"DRAGONFLY_JWT": box.jwt}).failed
    done = run("scheduler_info", url=box.url, token=box.token)
    assert (done.reason, done.result["status"]) == ("jwt_missing", 401)
    assert "dragonflyoss.dragonfly.login" in done.msg
    done = run("scheduler_info", url=box.url, jwt="no.jwt.at-all")
    assert done.reason == "jwt_unknown"
    assert "no.jwt.at-all" not in done.output


@pytest.mark.parametrize("release", RELEASES)
def test_seed_peers(box, read, release):
    box.add_host("seed-9", "10.77.0.9", role="seed", client="go", cluster_id=1)
    found = read("seed_peer_info", host_name="seed-9").result["seed_peers"]
    assert [(one["ip"], one["type"], one["state"], one["seed_peer_cluster_id"]) for one in found] == [
        ("10.77.0.9", "super", "active", 1)]
    # The manager itself takes no notice of this filter.
    assert read("seed_peer_info", state="inactive").result["seed_peers"] == []
    assert read("seed_peer_info", type="weak").result["seed_peers"] == []


@pytest.mark.parametrize("release, before, after", [("2.1.67", 2, 3), ("2.3.4", 0, 3), ("2.5.1", 0, 3)])
def test_peers_are_refreshed(box, read, release, before, after):
    assert len(read("peer_info").result["peers"]) == before
    assert len(read("peer_info", refresh=True, check_mode=True).result["peers"]) == before
    peers = read("peer_info", refresh=True).result["peers"]
    assert len(peers) == after
    assert all(one["git_version"] and one["scheduler_cluster_id"] == 1 for one in peers)
    normal = read("peer_info", type="normal").result["peers"]
    assert {one["host_name"] for one in normal} == {"host-1", "host-2"}
    assert len(box.counts()["GET"]) == 0 and box.counts()["POST"] == 1


def test_a_refresh_waits_for_another_one(box, read):
    box.rule(fault="status", status=500, body={"message": "sync peers job is running"}, method="POST", path="/jobs$", times=1)
    assert len(read("peer_info", refresh=True).result["peers"]) == 3
    box.rule(fault="status", status=500, body={"message": "sync peers job is running"}, method="POST", path="/jobs$")
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
