# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting, with the clock as an argument.

PRIVATE to the collection.
"""

from __future__ import annotations

import time


class Clock:
    """The time that passes here; tests put another in its place."""

    def now(self):
        """Seconds (float) on a clock that never goes back."""
        return time.monotonic()

    def wall(self):
        """Seconds since 1970 (float), for comparison with a server's Date where it sends none."""
        return time.time()

    def pause(self, seconds):
        """Does nothing for so long."""
        time.sleep(seconds)


def poll(fetch, done, timeout, sleep, clock):
    """Looks again and again until it is done or the time is up, and once more after that.

    :param fetch: function without arguments, one look.
    :param done: function of what ``fetch`` gave, tells whether that is the end.
    :param timeout: seconds in all; 0 is one look.
    :param sleep: seconds between two looks; the last pause is shorter where the time ends within it.
    :param clock: L(Clock).
    :returns: what the last look gave.
    """
    deadline = clock.now() + timeout
    while True:
        seen = fetch()
        if done(seen):
            return seen
        left = deadline - clock.now()
        if left <= 0:
            return seen
        clock.pause(min(sleep, left))
