# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manager's poll schedules, compared with the ends of recorded jobs, and the effect of polls on rows."""

from __future__ import annotations

import random

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.contract import replay
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import ManualClock
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.jobs import SCHEDULES
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.profiles import RELEASES, Profile

SECOND = 10**9
START = 1795563575 * SECOND


def _turned():
    """Return the seconds after which polls saw the end of recorded jobs, by release."""
    turned: dict[str, list[float]] = {release: [] for release in RELEASES}
    for run in replay.RUNS:
        for story in replay.stories(run).values():
            turned[run[0]] += [(when - story.created) / SECOND for when, done in story.polls.items() if all(done)]
    return turned


def _possible(release, seconds):
    """Return whether a poll can be so long after the first one: earliest and latest sums of waits."""
    name, most = Profile(release).polls

    class _Least(random.Random):
        def random(self):
            return 0.0

    class _Most(random.Random):
        def random(self):
            return 1.0

    low = high = 0
    for number in range(most):
        if low - 1 <= seconds <= high + 1:  # rows of old releases have whole seconds
            return True
        low += SCHEDULES[name](number, _Least())
        high += SCHEDULES[name](number, _Most())
    return False


@pytest.mark.parametrize(
    ("release", "seconds"), [(release, time) for release, times in _turned().items() for time in times]
)
def test_recorded_jobs_turned_at_a_poll(release, seconds):
    assert _possible(release, seconds)


def test_times_between_polls_are_impossible():
    assert not _possible("2.5.1", 50)
    assert not _possible("2.1.67", 20)
    assert not _possible("2.1.0", 3)


@pytest.fixture
def clock():
    return ManualClock(START)


def _states(client, clock, number, seconds):
    """Return the state and updated_at (seconds after the start) at these times."""
    states = []
    for second in seconds:
        clock.set(START + int(second * SECOND))
        job = client.get(number)
        states.append((job["state"], round((replay.nanoseconds(job["updated_at"]) - START) / SECOND)))
    return states


def test_a_pending_job_is_polled_and_given_up(start, clock):
    box, client = start("2.5.1", clock=clock)
    box.rule(outcome="give_up", after=3750)
    number = client.post(box.image("a").manifest_url).json()["id"]
    assert _states(client, clock, number, (1, 29, 31, 91, 211, 3700, 3760)) == [
        ("PENDING", 0),
        ("PENDING", 0),
        ("PENDING", 30),
        ("PENDING", 90),
        ("PENDING", 210),
        ("PENDING", 3450),
        ("FAILURE", 3750),
    ]
    assert client.get(number)["result"]["state"] == "PENDING"


def test_the_manager_gives_up_by_itself(start, clock):
    box, client = start("2.5.1", clock=clock, hosts=(("seed-1", "10.77.0.1", "seed"),))
    box.rule(outcome="success", after=4000)
    number = client.post(box.image("a").manifest_url).json()["id"]
    assert _states(client, clock, number, (3740, 3760)) == [("PENDING", 3450), ("FAILURE", 3750)]


def test_a_job_that_is_pending_for_ever_is_never_given_up(start, clock):
    box, client = start("2.5.1", clock=clock)
    box.rule(outcome="pending")
    number = client.post(box.image("a").manifest_url).json()["id"]
    assert _states(client, clock, number, (5000, 6000)) == [("PENDING", 4950), ("PENDING", 5850)]


def test_nothing_polls_a_row_from_before_a_restart(start, clock):
    box, client = start("2.5.1", clock=clock)
    number = client.post(box.image("a").manifest_url).json()["id"]
    client.get(number)
    box.restart()
    assert _states(client, clock, number, (100, 5000)) == [("PENDING", 0), ("PENDING", 0)]


def test_old_releases_write_the_row_only_when_it_turns(start, clock):
    box, client = start("2.1.0", clock=clock)
    box.rule(outcome="pending")
    number = client.post(box.image("a", kind="docker").manifest_url).json()["id"]
    assert _states(client, clock, number, (60, 600)) == [("PENDING", 0), ("PENDING", 0)]


@pytest.mark.parametrize("release", RELEASES)
def test_random_polls_are_the_same_for_the_same_seed(release):
    name, _most = Profile(release).polls
    first, second = random.Random(7), random.Random(7)
    assert [SCHEDULES[name](number, first) for number in range(9)] == [
        SCHEDULES[name](number, second) for number in range(9)
    ]
