# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait, with the clock as an argument.

PRIVATE to the collection.
"""

from __future__ import annotations

import time
import typing as t

State = t.TypeVar("State")


class Clock:
    """The machine's clock; tests put another in its place."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    def wall(self) -> float:
        """Return seconds since 1970, for comparison with a server's Date where it sends none."""
        return time.time()

    def pause(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        time.sleep(seconds)


def poll(
    fetch: t.Callable[[], State], done: t.Callable[[State], bool], timeout: float, sleep: float, clock: Clock
) -> State:
    """Fetch a state repeatedly until it is done or the time is up, and once more after that.

    :param done: tells whether a state is the end.
    :param timeout: seconds in all; 0 fetches once.
    :param sleep: seconds between two fetches; the last pause is shorter where the time ends within it.
    :returns: the last state.
    """
    deadline = clock.now() + timeout
    while True:
        state = fetch()
        if done(state):
            return state
        left = deadline - clock.now()
        if left <= 0:
            return state
        clock.pause(min(sleep, left))
