# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep runs that start at the same time from creating the same jobs, although the manager has no lock.

The typical case is a task without ``run_once``, which each host runs at the same moment: each run lists the jobs, finds
none and would create one. Therefore, a run that misses jobs pauses for a random time and lists the jobs again. Most
pauses are long and few are short, so the first run is probably alone until its job appears in the list, however
many runs there are.

PRIVATE to the collection.
"""

from __future__ import annotations

import math

from .context import RunContext
from .existing import ExistingJobs

#: Seconds of the longest pause; a manager needs at least 30 to notice that a job has ended.
LONGEST_PAUSE = 1.0
# How many of all runs do not pause. With up to 100 runs, about one of them is that early.
_WITHOUT_PAUSE = 0.01
# Of the time that the task has left.
_MOST_OF_TIME_LEFT = 0.1


def pause_before_creation(chance: float) -> float:
    """Return the seconds to pause: up to 1, on average 0.8.

    The number of runs whose pause has ended grows exponentially with time, from 1 % to all. Thus it hardly depends on
    the number of runs how many of them follow within a short time after the first.

    :param chance: random number, above 0 and at most 1.
    """
    return LONGEST_PAUSE * max(0.0, 1 - math.log(chance) / math.log(_WITHOUT_PAUSE))


def wait_for_other_runs(context: RunContext, existing: ExistingJobs) -> None:
    """Find the jobs that other runs create meanwhile, as long as they create what is missing here.

    There is nothing to wait for where nothing is missing, with ``force``, and in check mode.
    """
    if context.check_mode or context.params["force"]:
        return
    while existing.missing():
        pause = min(pause_before_creation(context.chance()), _MOST_OF_TIME_LEFT * context.clock.time_left())
        if pause:
            context.clock.pause(pause)
        if not existing.find_newer():
            return
