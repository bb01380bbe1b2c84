# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that hold or deleted a task, if several share a name or an address."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.hosts import holders, host_deletions

SHARED = "10.0.0.1"
NOT_FOUND = "rpc error: task 0123abcd not found"


def job_of(cluster_id: int = 1, **lists: list[dict[str, Any]]) -> dict[str, Any]:
    results = [{"scheduler_cluster_id": cluster_id, **lists}]
    return {"state": "SUCCESS", "result": {"state": "SUCCESS", "job_states": [{"results": results}]}}


def host(hostname: str, host_type: str = "normal", **more: Any) -> dict[str, Any]:
    return {"hostname": hostname, "ip": SHARED, "host_type": host_type, **more}


@pytest.mark.parametrize(
    "success, failure, deleted, failed",
    [
        ([host("one")], [host("two", description="disk")], ["one"], ["two"]),
        # Each daemon on a machine has storage of its own.
        ([host("one", "super")], [host("one", description="disk")], ["one"], ["one"]),
        ([host("one", "super")], [host("one", description=NOT_FOUND)], ["one"], []),
        ([host("one")], [host("one", description="disk")], ["one"], []),
    ],
)
def test_a_deletion_is_judged_for_each_host(
    success: list[dict[str, Any]], failure: list[dict[str, Any]], deleted: list[str], failed: list[str]
) -> None:
    result = host_deletions(job_of(success_tasks=success, failure_tasks=failure))
    assert [entry["hostname"] for entry in result.deleted] == deleted
    assert [entry["hostname"] for entry in result.failed] == failed


def test_each_daemon_on_a_machine_is_a_holder() -> None:
    peers = [host("one", "super", IsFinished=True), host("one", IsFinished=False), host("two", IsFinished=False)]
    named = [(holder["hostname"], holder["type"], holder["finished"]) for holder in holders(job_of(peers=peers))]
    assert named == [("one", "super", True), ("one", "normal", False), ("two", "normal", False)]


@pytest.mark.parametrize("value", [5, True, [], ["x"], {"x": 1}], ids=str)
@pytest.mark.parametrize("key", ["hostname", "ip", "host_type", "IsFinished"])
def test_values_of_other_types_prove_nothing(key: str, value: Any) -> None:
    [holder] = holders(job_of(peers=[{**host("one", IsFinished=False), key: value}]))
    name = {"host_type": "type", "IsFinished": "finished"}.get(key, key)
    assert holder[name] is (value is True if key == "IsFinished" else None)
    assert hash(tuple(holder.values()))
