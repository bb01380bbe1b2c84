# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repeat requests that only read, if their error may be temporary."""

from __future__ import annotations

import typing as t

from ._errors import ApiError, DragonflyError, GarbledError, TransportError
from ._polling import Clock

#: Attempts in all of a request whose error may be temporary.
ATTEMPTS = 3

Answer = t.TypeVar("Answer")


def is_transient(exc: DragonflyError) -> bool:
    """Return whether the same request may succeed a moment later."""
    if isinstance(exc, TransportError):
        return exc.reason not in ("tls", "bad_file", "bad_url", "timed_out")
    if isinstance(exc, GarbledError):
        return exc.reason not in ("not_a_manager", "too_large")
    return isinstance(exc, ApiError) and (exc.status == 429 or (exc.status or 0) >= 500)


def retry_transient(function: t.Callable[[], Answer], clock: Clock) -> Answer:
    """Call a function that only reads, and repeat it if its error may be temporary."""
    attempt = 1
    while True:
        try:
            return function()
        except DragonflyError as exc:
            if attempt == ATTEMPTS or not is_transient(exc) or clock.time_left() < attempt:
                raise
        clock.pause(attempt)
        attempt += 1
