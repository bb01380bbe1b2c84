# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait, with the clock as an argument, and no longer than a task may take.

PRIVATE to the collection.
"""

from __future__ import annotations

import time
import typing as t

State = t.TypeVar("State")

# A task that does not wait has the time of as many requests as each may be sent again, and this for each job.
_REQUESTS, _SECONDS_PER_JOB = 3, 1
#: Seconds in which peers answer what they hold: after its creation, the manager polls a job after 30 s and after 90 s
#: (manager/service/job.go, pollingJob, 2.4.0).
PEERS_TIMEOUT = 120


class Clock:
    """The machine's clock, and the time that a task has; tests put another in its place.

    :ivar deadline: by ``now``, the time after which the task starts no pause, no further attempt and no job.
    :ivar end: by ``now``, when the last request of the task ends.
    """

    deadline = float("inf")
    end = float("inf")

    def limit(self, seconds: float, grace: float) -> None:
        """Give a task its time, from now on.

        :param seconds: until the deadline.
        :param grace: seconds of the last request, which can begin just before the deadline.
        """
        self.deadline = self.now() + seconds
        self.end = self.deadline + grace

    def time_left(self) -> float:
        """Return the seconds until the deadline, 0 after it."""
        return max(0.0, self.deadline - self.now())

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    def wall(self) -> float:
        """Return seconds since 1970, for comparison with a server's Date where it sends none."""
        return time.time()

    def pause(self, seconds: float) -> None:
        """Do nothing for some seconds."""
        time.sleep(seconds)


def task_seconds(params: dict[str, t.Any]) -> float:
    """Return the seconds after which a task begins nothing more, by the options of its module.

    A task that waits has ``wait_timeout``; one that does not has what its requests take, and no more than that.
    """
    wait_timeout = params.get("wait_timeout", params.get("retry_timeout"))
    if wait_timeout and params.get("wait", True):
        return wait_timeout
    jobs = 1
    for name in ("ids", "jobs", "images", "files", "task_ids", "platforms", "scheduler_cluster_ids"):
        jobs *= len(params.get(name) or [""])
    seconds = _REQUESTS * params["timeout"] + _SECONDS_PER_JOB * jobs
    seconds += PEERS_TIMEOUT if params.get("verify") == "peers" else 0
    return min(seconds, wait_timeout or seconds)


def limit_task(clock: Clock, params: dict[str, t.Any]) -> None:
    """Give a task its time from now on, by the options of its module.

    It stays without a limit where the module has no timeout, or a malformed one, which is refused later.
    """
    durations = [params.get(name) for name in ("timeout", "wait_timeout", "retry_timeout")]
    if durations[0] is not None and not any(isinstance(duration, str) for duration in durations):
        clock.limit(task_seconds(params), params["timeout"])


def poll(
    fetch: t.Callable[[], State], done: t.Callable[[State], bool], timeout: float, sleep: float, clock: Clock
) -> State:
    """Fetch a state repeatedly until it is done or the time is up, and once more after that.

    :param done: returns whether a state is final.
    :param timeout: seconds in all, or fewer where the task has no more; 0 fetches once.
    :param sleep: seconds between two fetches; the last pause is shorter where the time ends within it.
    :returns: the last state.
    """
    deadline = min(clock.now() + timeout, clock.deadline)
    while True:
        state = fetch()
        if done(state):
            return state
        left = deadline - clock.now()
        if left <= 0:
            return state
        clock.pause(min(sleep, left))
