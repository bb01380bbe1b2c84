# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse times of the manager: RFC 3339 with any offset and up to nanoseconds."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

_RFC3339 = re.compile(r"^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$")


def parse_time(text: t.Any) -> float | None:
    """Return the seconds since 1970 of a time such as ``2026-11-24T22:23:21.964+08:00``, None for other values.

    The zero time (year 1), which a manager writes for an unset time, is None (contract/2.3.4/image_again).
    """
    match = _RFC3339.match(text) if isinstance(text, str) else None
    if not match or match.group(1) == "0001":
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, zone = match.groups("0")[6:]
    try:
        local_time = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
        return (local_time - _offset(zone)).timestamp() + float(f"0.{fraction}")
    except (ValueError, OverflowError):
        return None


def _offset(zone: str) -> timedelta:
    """Return the offset of a zone such as ``Z`` or ``+08:00``."""
    if zone == "Z":
        return timedelta()
    return timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)


def parse_http_date(text: t.Any) -> float | None:
    """Return the seconds since 1970 of a header ``Date``, None if it is not a date."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
