# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller that preheats in a process of its own, at a given instant."""

from __future__ import annotations

import multiprocessing
import time
import typing as t
from concurrent.futures import ProcessPoolExecutor

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.context import RunContext
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.run import run_preheat
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import Registry
from ansible_collections.dragonflyoss.dragonfly.tests.faults.world import parameters

_START_TIMEOUT = 300


class Call(t.NamedTuple):
    """A run of one controller.

    :ivar start: when it starts, by the monotonic clock that all processes share.
    """

    url: str
    token: str
    image: str
    start: float
    wait: bool = False


def start_controllers(number: int) -> ProcessPoolExecutor:
    """Return as many processes, all of them ready."""
    context = multiprocessing.get_context("spawn")
    are_ready = context.Barrier(number + 1)
    workers = ProcessPoolExecutor(number, context, are_ready.wait)
    # A process starts with each call for which no other process is idle.
    for _call in range(number):
        workers.submit(time.monotonic)
    are_ready.wait(_START_TIMEOUT)
    return workers


def preheat_at(call: Call) -> dict[str, t.Any]:
    """Wait for the start, preheat, and return the result with the number of the process."""
    registry = Registry(Http())
    client = DragonflyClient(Http(auth=f"Bearer {call.token}"), call.url)
    params = parameters(url=call.url, image=call.image, wait=call.wait, wait_sleep=1)
    context = RunContext(client, params, Clock())
    time.sleep(max(0.0, call.start - time.monotonic()))
    result = run_preheat(context, lambda _planned: registry)
    return {**result, "process": multiprocessing.current_process().pid}
