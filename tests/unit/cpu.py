# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much CPU a call takes, whatever else the machine and the other threads of the tests do."""

from __future__ import annotations

import gc
import time
import typing as t


def cpu_seconds(function: t.Callable[..., t.Any], *arguments: t.Any) -> float:
    """Return the CPU seconds of this thread that a call takes, the fastest of three."""
    return min(_measure(function, arguments) for _attempt in range(3))


def _measure(function: t.Callable[..., t.Any], arguments: tuple) -> float:
    # What was left behind before is not this function's.
    gc.collect()
    begun = time.thread_time()
    function(*arguments)
    return time.thread_time() - begun
