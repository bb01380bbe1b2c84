# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The number of simultaneous runs that create a job, by the pauses alone."""

from __future__ import annotations

import random

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.concurrent_runs import (
    LONGEST_PAUSE,
    pause_before_creation,
)

ROUNDS = 2000


@pytest.mark.parametrize("chance, seconds", [(1.0, 1.0), (0.1, 0.5), (0.01, 0.0), (1e-9, 0.0)])
def test_pauses(chance, seconds):
    assert pause_before_creation(chance) == pytest.approx(seconds * LONGEST_PAUSE)


@pytest.mark.parametrize("runs", [1, 2, 5, 20, 50])
@pytest.mark.parametrize(
    "seconds, most",
    [
        # Seconds from the list until the job of the POST is in the list, and the most extra jobs on average.
        (0.01, 0.2),
        (0.05, 0.5),
    ],
)
def test_extra_jobs(runs, seconds, most):
    chance = random.Random(13)
    extra_jobs = []
    for _round in range(ROUNDS):
        pauses = sorted(pause_before_creation(1 - chance.random()) for _run in range(runs))
        extra_jobs.append(sum(pause < pauses[0] + seconds for pause in pauses) - 1)
    assert sum(extra_jobs) / ROUNDS < most
    assert sum(extra > 1 for extra in extra_jobs) / ROUNDS < most / 5
