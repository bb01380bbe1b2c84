# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manager's clock: real time, or a time set by a test."""

from __future__ import annotations

import asyncio
import time

from .go import SECOND


class Clock:
    """Real time with shorter waits of the manager.

    :param factor: divisor of waits (poll schedule, sync_peers, ...). Displayed times stay real.
    :param offset: seconds by which the manager's clock is ahead.
    """

    def __init__(self, factor=1, offset=0):
        self.factor = factor
        self.offset = offset

    @property
    def skips_work(self):
        """Whether fetches take no time by this clock. With much shorter waits, they would otherwise time out."""
        return self.factor > 1

    def now(self):
        """Return the nanoseconds since 1970."""
        return time.time_ns() + int(self.offset * SECOND)

    def wait(self, seconds):
        """Return the duration of a manager's wait in nanoseconds of this clock."""
        return int(seconds * SECOND / self.factor)

    async def sleep(self, seconds):
        """Wait like the manager does for ``seconds``."""
        await asyncio.sleep(seconds / self.factor)


class SkippedClock(Clock):
    """Real time that a test advances. Work under way does not take the skipped time."""

    @property
    def skips_work(self):
        return True


class ManualClock(Clock):
    """A clock that stops between settings.

    :param start: nanoseconds since 1970.
    """

    def __init__(self, start):
        super().__init__()
        self._now = start

    @property
    def skips_work(self):
        return True

    def now(self):
        return self._now + int(self.offset * SECOND)

    def set(self, nanoseconds):
        """Advance to a time, never backwards."""
        self._now = max(self._now, nanoseconds)

    async def sleep(self, seconds):
        self._now += int(seconds * SECOND)
