# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manager's clock: real time, or a time that a test sets."""

from __future__ import annotations

import asyncio
import time

from .go import SECOND


class Clock:
    """Real time, with what the manager waits for made shorter.

    :param factor: how many times faster waits pass (poll schedule, sync_peers, ...). Times that are shown stay real.
    :param offset: seconds that the manager's clock is ahead of the real one.
    """

    def __init__(self, factor=1, offset=0):
        self.factor = factor
        self.offset = offset

    @property
    def skips_work(self):
        """Whether fetches take no time by this clock: beside waits that are so much shorter they would never end."""
        return self.factor > 1

    def now(self):
        """Nanoseconds since 1970."""
        return time.time_ns() + int(self.offset * SECOND)

    def wait(self, seconds):
        """How many nanoseconds of this clock one of the manager's waits takes."""
        return int(seconds * SECOND / self.factor)

    async def sleep(self, seconds):
        """Wait as the manager would for ``seconds``."""
        await asyncio.sleep(seconds / self.factor)


class SkippedClock(Clock):
    """Real time that a test sets forward: what takes a moment really must not take all the time that is skipped."""

    @property
    def skips_work(self):
        return True


class ManualClock(Clock):
    """A clock that stands still until it is set.

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
        """Go forward to a time; never back."""
        self._now = max(self._now, nanoseconds)

    async def sleep(self, seconds):
        self._now += int(seconds * SECOND)
