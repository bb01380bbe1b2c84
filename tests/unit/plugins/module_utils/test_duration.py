# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations: one notation for every option."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._duration import (
    duration_problem,
    format_duration,
    parse_duration,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import (
    DURATIONS,
    range_problems,
    with_seconds,
)


@pytest.mark.parametrize(
    "text, seconds",
    [
        (0, 0),
        (90, 90),
        ("90", 90),
        ("90s", 90),
        ("30m", 1800),
        ("4h", 14400),
        ("7d", 604800),
        ("2w", 1209600),
        ("1h30m", 5400),
        ("1d12h", 129600),
        ("0s", 0),
        (" 90s\n", 90),
        (-1, -1),
        ("-1", -1),
    ],
)
def test_a_duration(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "1.5h",
        "30 m",
        "30M",
        "m",
        "1h1h",
        "30m1h",
        "-30m",
        "1h-5",
        "٣s",
        "1ms",
        "1e3",
        True,
        1.5,
        None,
        [90],
    ],
)
def test_not_a_duration(text):
    assert parse_duration(text) is None


@pytest.mark.parametrize("seconds, text", [(0, "0s"), (90, "1m30s"), (1800, "30m"), (3600, "1h"), (691200, "8d")])
def test_formatted(seconds, text):
    assert format_duration(seconds) == text
    assert parse_duration(text) == seconds


def test_a_duration_that_is_too_long_is_out_of_range():
    for text in ("9" * 20 + "d", "9" * 13):
        problems = range_problems(with_seconds({"wait_timeout": text}))
        assert len(problems) == 1
        assert "wait_timeout must be from 0s to 7d, not " in problems[0]


def test_options_are_turned_into_seconds():
    assert with_seconds({"timeout": "2m", "wait_sleep": 5, "max_age": None, "tag": "1h"}) == {
        "timeout": 120,
        "wait_sleep": 5,
        "max_age": None,
        "tag": "1h",
    }


@pytest.mark.parametrize("name", DURATIONS)
def test_each_problem_names_its_option(name):
    assert range_problems(with_seconds({name: "soon"})) == [
        f"{name} must be a number of seconds or a duration such as 90s, 30m, 4h, 7d, 2w or 1h30m, not 'soon'"
    ]
    [problem] = range_problems(with_seconds({name: "999999d"}))
    assert problem.startswith(f"{name} must be from ")
    assert problem.endswith("d, not 999999d") or problem.endswith("h, not 999999d")


def test_message_about_a_fraction():
    assert duration_problem("max_age", "1.5h").endswith("not '1.5h' (fractions are not supported)")
    assert duration_problem("max_age", "10.0.0.1").endswith("not '10.0.0.1'")
