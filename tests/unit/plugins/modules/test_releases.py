# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and values that not every release accepts, against a sandbox of each."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import newer


@pytest.fixture
def preheat(run, box):
    """Return a function that preheats with the manager's address and token."""
    credentials = {"token": box.token} if box.token else {}
    return lambda **options: run("preheat", **{"url": box.url, **credentials, "wait_sleep": 1, **options})


@pytest.mark.parametrize(
    "release, options, message",
    [
        ("2.0.9", {"scope": "all_seed_peers"}, "scope=all_seed_peers (2.1.66 or later)"),
        ("2.1.0", {"scope": "all_seed_peers"}, "scope=all_seed_peers (2.1.66 or later)"),
        ("2.1.0", {"scope": "all_peers"}, "scope (2.1.57 or later)"),
        ("2.1.0", {"concurrent_peer_count": 501}, "concurrent_peer_count above 500 (2.3.1 or later)"),
        ("2.1.67", {"concurrent_peer_count": 501}, "concurrent_peer_count above 500 (2.3.1 or later)"),
        ("2.3.4", {"concurrent_peer_count": 501}, None),
        ("2.1.67", {"concurrent_peer_count": 500}, None),
    ],
)
def test_values_that_this_release_refuses(box, preheat, image, options, message):
    done = preheat(image=image.source, **options)
    if message is None:
        assert done.result.get("reason") != "unknown_option", done.msg
        assert box.counts()["POST"] == 1
    else:
        assert done.reason == "unknown_option"
        assert message in done.msg
        assert box.counts()["POST"] == 0


@pytest.mark.parametrize("release", [newer.NEWER])
def test_digests_of_blobs_as_task_ids(box, preheat, image):
    plain = preheat(image=image.source)
    done = preheat(image=image.source, enable_task_id_based_blob_digest=True)
    assert not done.failed, done.msg
    assert done.changed
    assert done.job["args"]["enable_task_id_based_blob_digest"] is True
    assert plain.job["args"]["enable_task_id_based_blob_digest"] is False
    rerun = preheat(image=image.source, enable_task_id_based_blob_digest=True)
    assert (rerun.changed, rerun.job["id"]) == (False, done.job["id"])
    assert not preheat(image=image.source).changed
    fleet = box.manager.fleet
    assert fleet.has(image.blobs()[0].rpartition(":")[2], fleet.host("seed-1"))


@pytest.mark.parametrize("release", ["2.1.67", "2.5.1"])
def test_digests_of_blobs_need_a_manager_that_knows_them(box, preheat, image):
    assert not preheat(image=image.source).failed
    done = preheat(image=image.source, enable_task_id_based_blob_digest=True)
    assert done.reason == "unknown_option"
    assert "enable_task_id_based_blob_digest (later than 2.5.1)" in done.msg
    assert box.counts()["POST"] == 1


def test_digests_of_blobs_are_refused_after_the_fact_where_no_job_tells_the_release(box, preheat, image):
    done = preheat(image=image.source, enable_task_id_based_blob_digest=True)
    assert done.reason == "unknown_option"
    assert "ignored it" in done.msg
