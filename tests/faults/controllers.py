# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a preheat in a process of its own at a given instant, as on its own machine or beside the others."""

from __future__ import annotations

import multiprocessing
import time
import typing as t
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat import concurrent_runs
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.context import RunContext
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.run import run_preheat
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import Registry
from ansible_collections.dragonflyoss.dragonfly.tests.faults.world import parameters

_START_TIMEOUT = 300
_LOCK_PREFIX = concurrent_runs._LOCK_PREFIX  # pylint: disable=protected-access


class Call(t.NamedTuple):
    """A run of one controller.

    :ivar start: time of its start, by the monotonic clock that all processes share.
    :ivar has_own_machine: whether it takes no turns with the other controllers, as on another machine.
    """

    url: str
    token: str
    image: str
    start: float
    wait: bool = False
    has_own_machine: bool = False


def start_controllers(number: int) -> ProcessPoolExecutor:
    """Return this number of processes, all of them ready."""
    context = multiprocessing.get_context("spawn")
    are_ready = context.Barrier(number + 1)
    workers = ProcessPoolExecutor(number, context, are_ready.wait)
    # Each call starts a process if no other process is idle.
    for _call in range(number):
        workers.submit(time.monotonic)
    are_ready.wait(_START_TIMEOUT)
    return workers


def _processor_wait() -> float:
    """Return the seconds for which this process has waited for a processor."""
    return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1]) / 10**9


def preheat_at(call: Call) -> dict[str, t.Any]:
    """Wait for the start, preheat, and return the result.

    :returns: also ``process`` (its number) and ``processor_wait`` (the seconds for which it waited for a processor).
    """
    machine = f"{multiprocessing.current_process().pid}." if call.has_own_machine else ""
    concurrent_runs._LOCK_PREFIX = _LOCK_PREFIX + machine  # pylint: disable=protected-access
    registry = Registry(Http())
    client = DragonflyClient(Http(auth=f"Bearer {call.token}"), call.url)
    params = parameters(url=call.url, image=call.image, wait=call.wait, wait_sleep=1)
    context = RunContext(client, params, Clock())
    time.sleep(max(0.0, call.start - time.monotonic()))
    wait_before = _processor_wait()
    result = run_preheat(context, lambda _planned: registry)
    wait = _processor_wait() - wait_before
    return {**result, "process": multiprocessing.current_process().pid, "processor_wait": wait}
