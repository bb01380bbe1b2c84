# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock for tests, so that nothing is waited for."""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock


class FakeClock(Clock):
    """Only pauses move it, and what a test adds to ``time``.

    :ivar time: seconds on the clock that never goes back.
    :ivar pauses: seconds of each pause.
    """

    START = 1000.0

    def __init__(self) -> None:
        self.time = self.START
        self.pauses: list[float] = []

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return self.time - self.START

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1764000000.0 + self.time

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds
