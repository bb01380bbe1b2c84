# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cluster."""

from __future__ import annotations

import json
import urllib.request

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import newer

RELEASES = ["2.1.0", "2.1.67", "2.3.4", "2.5.1"]


@pytest.fixture(params=["2.5.1", newer.NEWER])
def release(request):
    """Return the newest known release, and an unknown one."""
    return request.param


@pytest.fixture
def cluster(run, box, release):
    """Return a function that runs the module with the credential of the release."""
    credential = {"jwt": box.jwt} if release == "2.1.0" else {"token": box.token}

    def function(**options):
        return run("cluster", **dict(dict(credential, url=box.url), **options))

    return function


def stored(box):
    """Return the clusters as the manager lists them, by name."""
    request = urllib.request.Request(box.url + "/api/v1/clusters", headers={"Authorization": "Bearer " + box.jwt})
    with urllib.request.urlopen(request) as answer:
        return {row["name"]: row for row in newer.without_novelties(json.load(answer))}


def sent(box, method):
    return [request.json for request in box.log if request.method == method]


@pytest.mark.parametrize("release", RELEASES)
def test_from_nothing_to_nothing(cluster, box):
    options = {"name": "site-a", "bio": "b", "scopes": {"idc": "a", "cidrs": ["10.2.0.0/16", "10.1.0.0/16"]}}
    predicted = cluster(check_mode=True, **options)
    assert predicted.changed
    assert predicted.result["cluster"]["id"] is None
    assert "site-a" not in stored(box)

    made = cluster(diff=True, **options)
    row = stored(box)["site-a"]
    assert made.changed
    assert made.result["cluster"]["id"] == row["id"] == 2
    assert (row["bio"], row["is_default"], row["scopes"]["idc"]) == ("b", False, "a")
    assert row["scheduler_cluster_config"]["candidate_parent_limit"] == 4
    assert row["scheduler_cluster_config"].get("job_rate_limit", 10) == 10
    assert row["peer_cluster_config"]["load_limit"] == 200
    assert row["seed_peer_cluster_config"]["load_limit"] == 2000
    assert made.result["diff"]["before"] == {}
    assert made.result["diff"]["after"]["scopes"]["cidrs"] == row["scopes"]["cidrs"]

    repeated = cluster(**dict(options, scopes={"cidrs": ["10.1.0.0/16", "10.2.0.0/16"]}))
    assert not repeated.changed
    assert repeated.result["cluster"] == made.result["cluster"]

    options["peer_cluster_config"] = {"load_limit": 50}
    predicted = cluster(check_mode=True, **options)
    assert predicted.changed
    assert stored(box)["site-a"] == row
    changed = cluster(diff=True, **options)
    assert changed.changed
    assert changed.result["cluster"]["peer_cluster_config"]["load_limit"] == 50
    assert dict(predicted.result["cluster"], updated_at=row["updated_at"]) == dict(
        changed.result["cluster"], updated_at=row["updated_at"]
    )
    before, after = changed.result["diff"]["before"], changed.result["diff"]["after"]
    assert [key for key in before if before[key] != after[key]] == ["peer_cluster_config"]
    assert not cluster(**options).changed

    assert cluster(name="site-a", state="absent", check_mode=True).changed
    assert "site-a" in stored(box)
    gone = cluster(name="site-a", state="absent")
    assert gone.changed
    assert gone.result["cluster"] is None
    assert "site-a" not in stored(box)
    assert not cluster(name="site-a", state="absent").changed


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_not_named_stays(cluster, box):
    box.add_cluster(
        names=("site-a", "seeds-of-a"),
        bio="b",
        is_default=True,
        scopes={"idc": "a", "location": "x|y", "cidrs": ["10.1.0.0/16"]},
        config={"candidate_parent_limit": 7, "filter_parent_limit": 70},
        seed_config={"load_limit": 700},
        client_config={"load_limit": 77},
    )
    before = stored(box)["site-a"]
    assert before["is_default"]
    assert cluster(name="site-a", bio="new").changed
    assert cluster(name="site-a", scopes={"location": "z"}).changed
    assert cluster(name="site-a", scheduler_cluster_config={"filter_parent_limit": 80}).changed
    after = stored(box)["site-a"]
    before.update(bio="new", updated_at=after["updated_at"])
    before["scopes"]["location"] = "z"
    before["scheduler_cluster_config"]["filter_parent_limit"] = 80
    assert after == before
    # Only differences, because the seed peer cluster can have another name; is_default always.
    assert sent(box, "PATCH")[0] == {"bio": "new", "is_default": True}
    assert sent(box, "PATCH")[2]["scheduler_cluster_config"] == {"candidate_parent_limit": 7, "filter_parent_limit": 80}


def test_block_lists(cluster, box):
    def config(**download):
        return {"block_list": {"task": {"download": download}}}

    cluster(name="site-a", peer_cluster_config=config(tags=["debug"], priorities=[1, 2]))
    assert cluster(name="site-a", peer_cluster_config=config(urls=["https://example.com/big"])).changed
    assert not cluster(name="site-a", peer_cluster_config=config(tags=["debug"])).changed
    # Another key of the same object does not drop it.
    assert cluster(name="site-a", peer_cluster_config={"load_limit": 5}).changed
    shown = stored(box)["site-a"]["peer_cluster_config"]
    assert shown == {
        "load_limit": 5,
        "block_list": {
            "persistent_task": None,
            "persistent_cache_task": None,
            "task": {
                "download": {
                    "applications": None,
                    "urls": ["https://example.com/big"],
                    "tags": ["debug"],
                    "priorities": [1, 2],
                }
            },
        },
    }
    assert cluster(name="site-a", peer_cluster_config=config(tags=[])).changed
    assert not cluster(name="site-a", peer_cluster_config=config(tags=[])).changed


@pytest.mark.parametrize("release", ["2.3.4"])
def test_block_lists_before_there_were_any(cluster, box):
    done = cluster(name="cluster-1", peer_cluster_config={"block_list": {"task": {"download": {"tags": ["debug"]}}}})
    assert done.reason == "not_taken"
    assert "peer_cluster_config.block_list.task.download.tags" in done.msg


def test_what_is_not_known_is_sent_again(cluster, box):
    """A later release has keys that are unknown to this collection."""
    row = dict(stored(box)["cluster-1"], seed_peer_cluster_config={"load_limit": 2000, "later": 7})
    box.rule(fault="body", body=[row], method="GET", path="/clusters$")
    cluster(name="cluster-1", seed_peer_cluster_config={"load_limit": 5})
    assert sent(box, "PATCH")[0]["seed_peer_cluster_config"] == {"load_limit": 5, "later": 7}


def test_scopes_can_be_emptied(cluster, box):
    cluster(name="site-a", scopes={"idc": "a", "hostnames": ["web.*"], "cidrs": ["10.1.0.0/16"]})
    assert cluster(name="site-a", scopes={"idc": "", "hostnames": [], "cidrs": []}).changed
    assert stored(box)["site-a"]["scopes"] == {"idc": "", "location": "", "cidrs": None, "hostnames": None}
    assert not cluster(name="site-a", scopes={"idc": "", "hostnames": [], "cidrs": []}).changed


def test_default_or_not(cluster, box):
    assert not cluster(name="cluster-1", is_default=True).changed
    assert cluster(name="cluster-1", is_default=False).changed
    assert not stored(box)["cluster-1"]["is_default"]
    assert cluster(name="cluster-1", is_default=True).changed
    assert stored(box)["cluster-1"]["is_default"]


def test_renamed_by_id(cluster, box):
    assert cluster(id=1, name="site-a").changed
    assert list(stored(box)) == ["site-a"]
    assert stored(box)["site-a"]["is_default"]
    assert not cluster(id=1, name="site-a").changed
    assert cluster(id=9, bio="x").reason == "not_found"
    assert not cluster(id=9, state="absent").changed
    box.add_cluster(scheduler=False)
    taken = cluster(id=2, name="site-a")
    assert taken.reason == "conflict"
    assert taken.result["status"] == 409


def test_a_cluster_with_schedulers_stays(cluster, box):
    done = cluster(name="cluster-1", state="absent")
    assert done.reason == "in_use"
    assert "schedulers belong to this cluster" in done.msg
    assert "cluster-1" in stored(box)


@pytest.mark.parametrize("release", RELEASES)
def test_check_mode_knows_whether_a_cluster_can_be_deleted(cluster, box):
    name = next(iter(stored(box)))
    box.add_cluster(scheduler=False, names=("empty", "empty"))
    predicted = cluster(name=name, state="absent", check_mode=True, jwt=box.jwt)
    assert predicted.reason == cluster(name=name, state="absent", jwt=box.jwt).reason == "in_use"
    assert "schedulers belong to this cluster" in predicted.msg
    assert ": scheduler-1. What to do: stop them" in predicted.msg
    done = cluster(name="empty", state="absent", check_mode=True, jwt=box.jwt)
    assert done.changed
    assert not done.warnings
    assert not sent(box, "POST")


def test_check_mode_warns_if_schedulers_cannot_be_listed(cluster, box):
    done = cluster(name="cluster-1", state="absent", check_mode=True)
    assert done.changed
    [warning] = done.warnings
    assert "unknown whether cluster cluster-1 has schedulers" in warning
    assert "set jwt" in warning

    box.rule(fault="status", status=403, body={"message": "permission deny"}, path="/api/v1/schedulers$")
    done = cluster(name="cluster-1", state="absent", check_mode=True, jwt=box.jwt)
    assert done.changed
    assert any("403" in warning for warning in done.warnings)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"name": " "}, "name is empty"),
        (
            {"scopes": {"cidrs": ["10.0.0.0/99", "10.1.0.0/16", "10.0.0.0"], "hostnames": ["("]}},
            "scopes.cidrs must be a list of networks such as 10.77.0.0/16, and '10.0.0.0/99' is not one; scopes.cidrs "
            "must be a list of networks such as 10.77.0.0/16, and '10.0.0.0' is not one; scopes.hostnames: '(' is not "
            "a valid regular expression of Go: missing )",
        ),
        ({"scopes": {"hostnames": ["(?!web)"]}}, "regular expression of Go: it does not support lookahead"),
        (
            {"scheduler_cluster_config": {"candidate_parent_limit": 21}},
            "candidate_parent_limit must be from 1 to 20, not 21",
        ),
        ({"peer_cluster_config": {"load_limit": 0}}, "peer_cluster_config.load_limit must be from 1 to 2000"),
        (
            {"seed_peer_cluster_config": {"load_limit": 0}, "peer_cluster_config": {"load_limit": 2001}},
            "must be from 1 to 50000, not 0; peer_cluster_config.load_limit must be from 1 to 2000, not 2001.",
        ),
    ],
)
def test_bad_input_is_not_sent(cluster, box, options, message):
    done = cluster(**dict({"name": "site-a"}, **options))
    assert done.reason == "bad_input"
    assert message in done.msg
    assert not box.log


def test_a_bio_cannot_be_emptied(cluster, box):
    cluster(name="site-a", bio="b")
    assert cluster(name="site-a", bio="").reason == "bad_input"
    assert not sent(box, "PATCH")


@pytest.mark.parametrize("release", ["2.1.0"])
def test_an_option_that_the_release_lacks(cluster, box):
    done = cluster(name="scheduler-cluster-1", scheduler_cluster_config={"job_rate_limit": 5})
    assert done.reason == "not_taken"
    assert "scheduler_cluster_config.job_rate_limit" in done.msg


@pytest.mark.parametrize("release", ["2.1.0", "2.5.1"])
def test_with_both_credentials(cluster, box, release):
    assert cluster(name="site-a", token=box.token, jwt=box.jwt).changed
    [post] = [request for request in box.log if request.method == "POST"]
    assert post.path == ("/api/v1/clusters" if release == "2.1.0" else "/oapi/v1/clusters")


@pytest.mark.parametrize("release", ["2.0.9"])
@pytest.mark.parametrize("rows", [None, []])
def test_a_release_with_other_clusters(run, box, rows):
    if rows is not None:
        box.rule(fault="body", body=rows, method="GET", path="^/api/v1/clusters$")
    for credentials in ({"jwt": box.jwt}, {"jwt": box.jwt, "token": "any"}):
        for module, options in (
            ("cluster", {"name": "site-a"}),
            ("cluster", {"id": 1, "bio": "x"}),
            ("cluster_info", {}),
        ):
            done = run(module, url=box.url, **credentials, **options)
            assert done.reason == "no_api"
            assert "before 2.1.0 are not supported" in done.msg
    assert {request.method for request in box.log} == {"GET"}


def test_refused_credentials(cluster, box):
    box.add_token("job-only", scopes=["job"], token="job-only-token")
    done = cluster(name="site-a", token="job-only-token")
    assert done.reason == "token_scope"
    assert "cluster" in done.msg
    assert cluster(name="site-a", token="nobody").reason == "token_unknown"


@pytest.mark.parametrize("wrong", [{"id": "1"}, {"name": 7}, {"scopes": "x"}, {"peer_cluster_config": []}])
def test_odd_rows(cluster, box, wrong):
    row = dict(stored(box)["cluster-1"], **wrong)
    box.rule(fault="body", body=row, method="GET", path=r"/clusters/1$")
    assert cluster(id=1, bio="x").reason == "garbled"
    assert not sent(box, "PATCH")


def test_lost_answers(cluster, box):
    for method, options in (("POST", {}), ("PATCH", {"bio": "x"}), ("DELETE", {"state": "absent"})):
        box.rule(fault="reset", method=method, path="/clusters", acts=True, times=1)
        assert cluster(name="site-a", **options).changed
        assert len(sent(box, method)) == 1
    assert "site-a" not in stored(box)


def test_a_write_that_was_not_stored_fails(cluster, box):
    """The manager reports success without a change. Reads first return another replica's old response."""
    cluster(name="site-a", bio="old")
    row = stored(box)["site-a"]
    box.rule(fault="body", body=row, method="GET", path=r"/clusters/2$", times=2)
    assert cluster(name="site-a", bio="new").result["cluster"]["bio"] == "new"
    assert [request.method for request in box.log][-3:] == ["GET"] * 3
