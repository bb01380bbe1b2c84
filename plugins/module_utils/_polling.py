# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait within the time limit of a task. The clock is an argument."""

from __future__ import annotations

import time
import typing as t

State = t.TypeVar("State")

# A task that does not wait has time for its requests including retries, multiplied by its number of jobs.
_REQUESTS, _SECONDS_PER_JOB = 3, 1
#: Seconds in which peers report what they hold: the manager polls a new job after 30 s and after 90 s
#: (manager/service/job.go, pollingJob, 2.4.0).
PEERS_TIMEOUT = 120


class Clock:
    """The clock of the machine and the time limit of the task. Tests replace it.

    :ivar deadline: time by ``now`` after which the task starts no pause, no further attempt and no job.
    :ivar end: time by ``now`` at which the last request of the task ends.
    """

    deadline = float("inf")
    end = float("inf")

    def limit(self, seconds: float, grace: float) -> None:
        """Start the time limit of a task.

        :param seconds: time until the deadline in seconds.
        :param grace: time limit in seconds of the last request, which may start just before the deadline.
        """
        self.deadline = self.now() + seconds
        self.end = self.deadline + grace

    def time_left(self) -> float:
        """Return the seconds until the deadline, at least 0."""
        return max(0.0, self.deadline - self.now())

    def now(self) -> float:
        """Return the time in seconds of a monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Return seconds since 1970. Stands in for a server's Date if there is none."""
        return time.time()

    def pause(self, seconds: float) -> None:
        """Sleep for some seconds."""
        time.sleep(seconds)


def task_seconds(params: dict[str, t.Any]) -> float:
    """Return the time limit of a task in seconds, which depends on the options of its module.

    A task that waits has ``wait_timeout``. Other tasks have the time that their requests may take.
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
    """Start the time limit of a task, which depends on the options of its module.

    There is no limit if the module has no timeout, or a malformed one, which is refused later.
    """
    durations = [params.get(name) for name in ("timeout", "wait_timeout", "retry_timeout")]
    if durations[0] is not None and not any(isinstance(duration, str) for duration in durations):
        clock.limit(task_seconds(params), params["timeout"])


def poll(
    fetch: t.Callable[[], State], done: t.Callable[[State], bool], timeout: float, sleep: float, clock: Clock
) -> State:
    """Fetch a state repeatedly until it is final or the time is up, and a last time after that.

    :param done: returns whether a state is final.
    :param timeout: time limit in seconds, shortened to the rest of the task's time; 0 fetches once.
    :param sleep: polling interval in seconds; the last pause may be shorter.
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
