# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as managers write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_http_date, parse_time
from hypothesis import given
from hypothesis import strategies as st

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9990, 1, 1))


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-24T22:23:21Z", 1795559001),
        ("2026-11-24T22:23:21.5Z", 1795559001.5),
        ("2026-11-24T22:23:21.964321987+08:00", 1795530201.964321987),
        ("2026-11-24T22:23:21-00:30", 1795560801),
        ("2026-11-24 22:23:21Z", 1795559001),
    ],
)
def test_parse_time(text, seconds):
    assert parse_time(text) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        5,
        [],
        "0001-01-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-24T25:00:00Z",
        "2026-11-24T22:23:21",
        "2026-11-24",
        "9999-12-31T23:59:59-23:00",
        "x2026-11-24T22:23:21Z",
        "2026-11-24T22:23:21Zx",
    ],
)
def test_parse_time_of_what_is_none(text):
    assert parse_time(text) is None


@given(MOMENTS, st.integers(-12 * 60, 12 * 60))
def test_times_round_trip(moment, minutes):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_time(aware.isoformat()) == pytest.approx(aware.timestamp(), abs=1e-4)


@given(MOMENTS)
def test_http_dates_round_trip(moment):
    aware = moment.replace(microsecond=0, tzinfo=timezone.utc)
    assert parse_http_date(format_datetime(aware, usegmt=True)) == aware.timestamp()


@pytest.mark.parametrize("text", [None, "", "soon", "Tue, 99 Nov 2026 22:23:21 GMT"])
def test_http_dates_that_are_none(text):
    assert parse_http_date(text) is None
