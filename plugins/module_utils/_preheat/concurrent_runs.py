# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep runs that start at the same time from creating the same jobs, although the manager has no lock.

The typical case is a task without ``run_once``, which each host runs at the same moment: each run lists the jobs, finds
none and would create one. Runs on one machine, such as with ``delegate_to: localhost``, take turns: the first one
creates the jobs, and the others find them.

Runs on different machines cannot. Therefore, a run that misses jobs pauses for a random time and lists the jobs again.
Most pauses are long and few are short, so the first run is probably alone until its job appears in the list, however
many runs there are.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import math
import socket
import sys
import typing as t

from .context import RunContext
from .existing import ExistingJobs

#: Seconds of the longest pause; a manager needs at least 30 to notice that a job has ended.
LONGEST_PAUSE = 1.0
#: Seconds for which a run waits for another one on its machine, which normally takes about 1.
LONGEST_WAIT = 10.0
_LOCK_POLL = 0.1
# How many of all runs do not pause. With up to 100 runs, about one of them is that early.
_WITHOUT_PAUSE = 0.01
# Of the time that the task has left.
_MOST_OF_TIME_LEFT = 0.1
# Names of sockets that start with NUL belong to no file, and the kernel releases them when the process ends. Any local
# user can take such a name, which costs a run LONGEST_WAIT seconds: then it continues without a turn.
_LOCK_PREFIX = "\0dragonflyoss.dragonfly.preheat."


def pause_before_creation(chance: float) -> float:
    """Return the seconds to pause: up to 1, on average 0.8.

    The number of runs whose pause has ended grows exponentially with time, from 1 % to all. Thus it barely depends on
    the number of runs how many of them follow within a short time after the first.

    :param chance: random number, above 0 and at most 1.
    """
    return LONGEST_PAUSE * max(0.0, 1 - math.log(chance) / math.log(_WITHOUT_PAUSE))


@contextlib.contextmanager
def only_run(context: RunContext, existing: ExistingJobs) -> t.Iterator[None]:
    """Find the jobs that other runs create meanwhile. Those on this machine create none until the context ends.

    There is nothing to wait for where nothing is missing, with ``force``, and in check mode.
    """
    if context.check_mode or context.params["force"] or not existing.missing():
        yield
        return
    with socket.socket(socket.AF_UNIX) as lock:
        if _wait_for_lock(lock, context, existing):
            existing.find_newer()
        _wait_for_other_machines(context, existing)
        yield


def _wait_for_lock(lock: socket.socket, context: RunContext, existing: ExistingJobs) -> bool:
    """Wait until no run on this machine is creating the same jobs, and keep others from it until the socket is closed.

    :returns: whether there was another run.
    """
    fingerprints = sorted(missing.planned.fingerprint for missing in existing.missing())
    jobs = " ".join([context.client.request_name("POST", ""), *fingerprints])
    name = _LOCK_PREFIX + hashlib.sha256(jobs.encode()).hexdigest()
    until = context.clock.now() + _limited(context, LONGEST_WAIT)
    waited = False
    while _is_taken(lock, name) and context.clock.now() < until:
        context.clock.pause(_LOCK_POLL)
        waited = True
    return waited


def _is_taken(lock: socket.socket, name: str) -> bool:
    """Take a name unless another process has it, and return whether one has. Only Linux has such names."""
    if sys.platform != "linux":
        return False
    try:
        lock.bind(name)
    except OSError as exc:
        return exc.errno == errno.EADDRINUSE
    return False


def _wait_for_other_machines(context: RunContext, existing: ExistingJobs) -> None:
    """Pause until no other run creates missing jobs."""
    while existing.missing():
        pause = _limited(context, pause_before_creation(context.chance()))
        if pause:
            context.clock.pause(pause)
        if not existing.find_newer():
            break


def _limited(context: RunContext, seconds: float) -> float:
    return min(seconds, _MOST_OF_TIME_LEFT * context.clock.time_left())
