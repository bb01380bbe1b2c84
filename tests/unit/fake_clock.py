# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock for tests that never waits."""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock


class FakeClock(Clock):
    """Clock that only pauses and additions to ``time`` advance.

    :ivar time: seconds on the monotonic clock.
    :ivar pauses: seconds of each pause.
    """

    START = 1000.0

    def __init__(self) -> None:
        self.time = self.START
        self.pauses: list[float] = []

    @property
    def elapsed(self) -> float:
        """Return the seconds since the clock was created."""
        return self.time - self.START

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1764000000.0 + self.time

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds
