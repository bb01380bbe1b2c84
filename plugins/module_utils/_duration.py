# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse durations. All options use this parser."""

from __future__ import annotations

import re
import typing as t

#: Managers count durations in nanoseconds.
NANOSECONDS_PER_SECOND = 10**9

_SECONDS_OF_UNIT = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_SECONDS = re.compile(r"-?[0-9]{1,30}\Z")
# Each unit occurs at most once, the largest first.
_WITH_UNITS = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,30}}){unit})?" for unit in _SECONDS_OF_UNIT) + r"\Z")


def parse_duration(text: t.Any) -> int | None:
    """Return the seconds of a duration, or None if it is not valid.

    :param text: a whole number of seconds, or numbers with units, the largest first, such as ``90s``, ``30m`` or
        ``1h30m``.
    """
    if isinstance(text, bool) or not isinstance(text, (int, str)):
        return None
    trimmed = str(text).strip()
    if _SECONDS.match(trimmed):
        return int(trimmed)
    match = _WITH_UNITS.match(trimmed)
    if not trimmed or not match:
        return None
    return sum(int(number) * _SECONDS_OF_UNIT[unit] for unit, number in match.groupdict("0").items())


def duration_problem(name: str, text: t.Any) -> str:
    """Return the message for an option whose value is not a valid duration."""
    hint = " (fractions are not supported)" if re.match(r"\s*\d+[.,]\d+\s*[a-z]*\s*\Z", str(text)) else ""
    return f"{name} must be a number of seconds or a duration such as 90s, 30m, 4h, 7d, 2w or 1h30m, not {text!r}{hint}"


def format_duration(seconds: int) -> str:
    """Return a duration in the notation of the options, such as ``1h30m`` or ``0s``."""
    parts, left = "", seconds
    for unit, length in _SECONDS_OF_UNIT.items():
        if unit != "w" and left >= length:
            parts += f"{left // length}{unit}"
            left %= length
    return parts or "0s"
