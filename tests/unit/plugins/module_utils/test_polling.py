# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits on a clock that only the pauses advance."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import (
    Clock,
    limit_task,
    poll,
    task_seconds,
)
from ansible_collections.dragonflyoss.dragonfly.tests.unit.fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st


def looks(clock, answers, cost=0.0):
    """Return a poll function that returns the answers in order, and repeats the last one."""
    left = list(answers)

    def look():
        clock.time += cost
        return left.pop(0) if len(left) > 1 else left[0]

    return look


@pytest.mark.parametrize(
    "answers, timeout, sleep, last, pauses",
    [
        ("w", 10, 3, "w", []),
        ("ppw", 10, 3, "w", [3, 3]),
        # The last pause is shorter, and a poll follows it.
        ("p", 10, 3, "p", [3, 3, 3, 1]),
        ("pppppw", 10, 3, "p", [3, 3, 3, 1]),
        ("ppppw", 10, 3, "w", [3, 3, 3, 1]),
        ("p", 2, 5, "p", [2]),
        # No time permits one poll.
        ("p", 0, 5, "p", []),
        ("w", 0, 5, "w", []),
    ],
)
def test_poll(answers, timeout, sleep, last, pauses):
    clock = FakeClock()
    assert poll(looks(clock, answers), lambda seen: seen == "w", timeout, sleep, clock) == last
    assert clock.pauses == pauses


def test_the_time_that_looks_take_counts():
    clock = FakeClock()
    assert poll(looks(clock, "p", cost=4), lambda seen: False, 10, 3, clock) == "p"
    assert clock.pauses == [3]


@given(st.integers(0, 100), st.integers(1, 30), st.integers(0, 40))
def test_poll_ends_in_time_and_looks_at_the_end(timeout, sleep, pending):
    clock = FakeClock()
    seen = poll(looks(clock, "p" * pending + "w"), lambda answer: answer == "w", timeout, sleep, clock)
    assert clock.elapsed <= timeout
    assert (seen == "w") == (pending * sleep < timeout + sleep)


def test_the_clock_of_the_machine():
    clock = Clock()
    before, wall = clock.now(), clock.wall()
    clock.pause(0.01)
    assert 0.01 <= clock.now() - before < 5
    assert clock.wall() >= wall > 1.6e9


@pytest.mark.parametrize(
    "options, seconds",
    [
        # A task that waits has its wait_timeout, whatever its requests take.
        ({"wait": True, "wait_timeout": 10}, 10),
        ({"wait_timeout": 10}, 10),
        ({"retry_timeout": 15}, 15),
        # One that does not wait has the time for its requests, limited by its wait_timeout.
        ({}, 91),
        ({"wait": True, "wait_timeout": 0}, 91),
        ({"retry_timeout": 0}, 91),
        ({"wait": False, "wait_timeout": 4200}, 91),
        ({"wait": False, "wait_timeout": 10}, 10),
        ({"wait": False, "wait_timeout": 4200, "images": ["a", "b"], "platforms": ["p", "q", "r"]}, 96),
        ({"wait": False, "wait_timeout": 4200, "files": ["f"] * 500, "images": None}, 590),
        ({"wait": False, "wait_timeout": 4200, "verify": "peers"}, 211),
    ],
)
def test_the_time_of_a_task(options, seconds):
    params = dict(options, timeout=30)
    assert task_seconds(params) == seconds
    clock = FakeClock()
    assert clock.time_left() == float("inf")
    limit_task(clock, params)
    assert (clock.deadline - clock.now(), clock.end - clock.deadline) == (seconds, 30)
    clock.time += seconds + 1
    assert clock.time_left() == 0


@pytest.mark.parametrize("params", [{}, {"timeout": None}, {"timeout": "x"}, {"timeout": 3, "wait_timeout": "x"}])
def test_a_task_without_a_limit(params):
    clock = FakeClock()
    limit_task(clock, params)
    assert clock.time_left() == float("inf")


def test_no_poll_goes_on_when_the_time_of_the_task_is_up():
    clock = FakeClock()
    clock.limit(7, 30)
    assert poll(looks(clock, "p"), lambda seen: seen == "w", 100, 3, clock) == "p"
    assert clock.pauses == [3, 3, 1]
