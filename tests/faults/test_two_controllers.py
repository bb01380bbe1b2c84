# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two controllers preheat the same image at the same time.

The manager has no lock, so they cannot agree on who makes a job; neither may fail, and no third job may come of it.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.context import RunContext
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.run import run_preheat
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import Registry
from ansible_collections.dragonflyoss.dragonfly.tests.faults.world import parameters
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

FACTOR = 100
#: The most by which one begins before the other, in seconds: about what a whole run takes.
APART = 0.1


class FastClock(Clock):
    """The controller's time, as many times faster as the sandbox's."""

    def __init__(self, box):
        self._box = box

    def now(self):
        return time.monotonic() * FACTOR

    def wall(self):
        return self._box.clock.now() / 10**9

    def pause(self, seconds):
        time.sleep(seconds / FACTOR)


def controller(box, image, delay, begin):
    """Run one to its end, ``delay`` seconds after both are there; gives its result."""
    registry = Registry(Http())
    client = DragonflyClient(Http(auth="Bearer " + box.token), box.url)
    params = parameters(url=box.url, image=image, wait_timeout=600)
    context = RunContext(client, params, FastClock(box))
    begin.wait()
    time.sleep(delay)
    return run_preheat(context, lambda _planned: registry)


@pytest.mark.parametrize("release", ["2.1.67", "2.5.1"])
def test_neither_fails_and_at_most_one_job_is_made_more(release, long, capsys):
    rounds = 100 if long else 5
    chance = random.Random(7)
    more: Counter[int] = Counter()
    with Sandbox(release=release, factor=FACTOR) as box, ThreadPoolExecutor(2) as pool:
        for number in range(rounds):
            image = box.image("shop/web", str(number)).source
            box.reset()
            begin = threading.Barrier(2)
            delays = [0, chance.uniform(0, APART)]
            results = list(pool.map(controller, [box] * 2, [image] * 2, delays, [begin] * 2))
            for result in results:
                assert not result["failed"], result["msg"]
                assert [job["outcome"] for job in result["jobs"]] == ["warm"]
            made = len(box.jobs)
            assert made in (1, 2)
            # Whoever made one says so.
            assert sum(result["changed"] for result in results) == made
            more[made - 1] += 1
    with capsys.disabled():
        counts = [f"{extra} jobs more than needed in {rounds} rounds" for extra, rounds in sorted(more.items())]
        print(f"\n{release}, two controllers: {', '.join(counts)}")
