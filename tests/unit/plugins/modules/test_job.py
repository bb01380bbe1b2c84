# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module job as a process, against the sandbox of each release."""

from __future__ import annotations

import pytest

RELEASES = ("2.0.9", "2.1.0", "2.1.67", "2.3.4", "2.5.1")
all_releases = pytest.mark.parametrize("release", RELEASES)
DAY = 86400


@pytest.fixture
def job(run, box):
    """Return a function that runs the module with the sandbox's URL and token."""

    def call(**options):
        return run("job", **{"url": box.url, "token": box.token, "state": "absent", **options})

    return call


def ids_at(box):
    return sorted(row["id"] for row in box.jobs)


@all_releases
def test_jobs_are_removed_by_their_ids(box, job):
    first, second, third = box.history(3)

    planned = job(ids=[first, third, 4711], check_mode=True)
    assert planned.changed
    assert ids_at(box) == [first, second, third]

    done = job(ids=[first, third, 4711], diff=True)
    assert done.changed
    assert done.jobs == planned.jobs
    assert done.column("id") == [third, first]
    assert done.column("state") == ["SUCCESS", "SUCCESS"]
    assert f"job {third} (preheat, SUCCESS)" in done.result["diff"]["before"]
    assert ids_at(box) == [second]

    rerun = job(ids=[first, third, 4711])
    assert not rerun.changed
    assert rerun.jobs == []


@all_releases
def test_jobs_are_removed_by_their_age(box, job):
    old = box.history(60, age=8 * DAY)
    young = box.history(2, age=DAY)

    done = job(older_than="7d")
    assert done.column("id") == old[::-1]
    assert ids_at(box) == young
    assert not job(older_than="7d").changed


def test_other_types_and_states_stay(box, job):
    box.history(2, age=8 * DAY)
    assert not job(older_than="7d", types=["get_task"]).changed
    assert not job(older_than="7d", states=["FAILURE"]).changed
    assert len(job(older_than="7d", types=["preheat", "get_task"]).jobs) == 2


def test_an_unknown_type_is_reported(box, job):
    box.history(1, age=8 * DAY)
    for check_mode in (True, False):
        done = job(older_than="7d", types=["prehaet"], check_mode=check_mode)
        assert not done.changed
        assert [warning.partition(".")[0] for warning in done.warnings] == [
            "No job matches, and prehaet is not a known type of job"
        ]
    assert not job(older_than="7d", types=["gc"]).warnings
    assert not job(older_than="7d", types=["prehaet", "preheat"]).warnings


def test_a_running_job_is_removed_by_force_only(box, run, job, image):
    box.rule(outcome="pending")
    made = run("preheat", url=box.url, token=box.token, image=image.source, wait=False).job
    [old] = box.history(1, age=8 * DAY)

    refused = job(ids=[old, made["id"]])
    assert refused.failed
    assert refused.reason == "job_running"
    assert f"job {made['id']}" in refused.msg
    assert not job(older_than=0, types="get_task").changed
    assert ids_at(box) == sorted([made["id"], old])

    assert job(id=made["id"], force=True).column("state") == ["PENDING"]
    assert ids_at(box) == [old]


def test_a_job_that_somebody_else_removes_meanwhile_counts_as_removed(box, job):
    ids = box.history(2)
    box.rule(fault="not_found", method="DELETE", path=f"/jobs/{ids[0]}$", times=1)
    done = job(ids=ids)
    assert not done.failed
    assert done.column("id") == [ids[1]]


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "one of the following is required: ids, older_than"),
        ({"ids": [1], "older_than": "1d"}, "mutually exclusive"),
        ({"ids": [0]}, "ids must be numbers from 1 to 9223372036854775807, not 0"),
        ({"older_than": "soon"}, "older_than must be a number of seconds"),
        ({"older_than": "1d", "states": ["PENDING"]}, "requires force: true"),
        ({"ids": [1], "state": None}, "missing required arguments: state"),
    ],
)
def test_options_that_make_no_sense(box, job, options, message):
    done = job(**options)
    assert done.failed
    assert message in done.msg
    assert not box.log
