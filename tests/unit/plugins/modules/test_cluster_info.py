# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cluster_info."""

from __future__ import annotations

import pytest


def names(done):
    return [cluster["name"] for cluster in done.result["clusters"]]


@pytest.mark.parametrize("release", ["2.1.67", "2.3.4", "2.5.1"])
def test_all_by_name_and_by_id(run, box):
    for _unused in range(60):
        box.add_cluster(scheduler=False)
    everything = run("cluster_info", url=box.url, token=box.token)
    assert not everything.changed
    assert names(everything) == [f"cluster-{number}" for number in range(1, 62)]
    first = everything.result["clusters"][0]
    assert first["is_default"]
    assert first["scopes"] == {"idc": "", "location": "", "cidrs": [], "hostnames": []}
    assert first["seed_peer_cluster_config"]["load_limit"] == 2000
    assert names(run("cluster_info", url=box.url, token=box.token, name="cluster-7")) == ["cluster-7"]
    assert names(run("cluster_info", url=box.url, token=box.token, name="cluster-0")) == []
    assert names(run("cluster_info", url=box.url, token=box.token, id=7)) == ["cluster-7"]
    assert run("cluster_info", url=box.url, token=box.token, id=99).reason == "not_found"


@pytest.mark.parametrize("release", ["2.1.0"])
def test_a_release_that_wants_a_jwt(run, box):
    assert names(run("cluster_info", url=box.url, jwt=box.jwt)) == ["scheduler-cluster-1"]
    assert names(run("cluster_info", url=box.url, jwt=box.jwt, token=box.token)) == ["scheduler-cluster-1"]
    done = run("cluster_info", url=box.url, token=box.token)
    assert done.reason == "no_api"
    assert done.msg.count("What to do:") == 1


@pytest.mark.parametrize("body, reason", [("null", None), ([{"name": "x"}], "garbled"), ({"a": 1}, "garbled")])
def test_odd_answers(run, box, body, reason):
    box.rule(fault="body", body=body, method="GET", path="/clusters$")
    done = run("cluster_info", url=box.url, token=box.token)
    assert done.result.get("reason") == reason
    if reason is None:
        assert done.result["clusters"] == []
