# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of a run about its jobs, during and after the wait."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.records import JobRecord
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.report import (
    job_result,
    progress_line,
    run_result,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.verdict import Verdict


def record(name, status, source="created", platform=None):
    planned = PlannedJob("file", f"http://h/{name}", f"http://h/{name}", {}, "", platform=platform)
    return JobRecord(planned, source, {"id": 1}, Verdict(status))


@pytest.mark.parametrize(
    "statuses, line",
    [
        (["warm"], "http://h/0: 1 of 1 warm"),
        (["pending"], "http://h/0: 0 of 1 warm, 1 pending"),
        (["cold"], "http://h/0: 0 of 1 warm, 1 cold"),
        (["warm", "pending"], "1 of 2 warm, 1 pending"),
        (
            ["unknown", "timed_out", "failed", "cold", "pending", "warm"],
            "1 of 6 warm, 1 pending, 1 cold (http://h/3), 1 timed out (http://h/1), 1 failed (http://h/2), "
            "1 unknown (http://h/0)",
        ),
        (["cold"] * 5, "0 of 5 warm, 5 cold (http://h/0, http://h/1, http://h/2 and 2 more)"),
    ],
)
def test_progress(statuses, line):
    assert progress_line([record(str(number), status) for number, status in enumerate(statuses)]) == line


def test_progress_of_one_image_for_two_platforms_names_it():
    records = [record("web", "warm", platform=platform) for platform in ("linux/amd64", "linux/arm64")]
    assert progress_line(records) == "http://h/web: 2 of 2 warm"


@pytest.mark.parametrize(
    "records, message",
    [
        ([("warm", "created"), ("warm", "found"), ("warm", "found")], "3 of 3 warm: 1 created, 2 found"),
        ([("pending", "created"), ("warm", "found")], "1 of 2 warm, 1 pending: 1 created, 1 found"),
        ([("planned", "planned"), ("pending", "adopted")], "0 of 2 warm, 1 pending: 1 adopted, 1 planned"),
    ],
)
def test_the_message_of_a_success(records, message):
    result = run_result([record(str(number), *values) for number, values in enumerate(records)], 1)
    assert result["msg"] == message
    assert not result["failed"]


@pytest.mark.parametrize("timeout, shown", [(3600 * 10**9, "1h"), (90 * 10**9, "1m30s"), (5, 5), (0, 0), ("x", "x")])
def test_the_timeout_of_a_job_is_readable(timeout, shown):
    job = {"id": 1, "args": {"timeout": timeout}}
    assert job_result(job, Verdict("warm"))["args"]["timeout"] == shown
