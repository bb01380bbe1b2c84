# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPU time of a call, regardless of other processes and threads."""

from __future__ import annotations

import gc
import time
import typing as t


def cpu_seconds(function: t.Callable[..., t.Any], *arguments: t.Any, enough: float = 0.0) -> float:
    """Return the CPU seconds of this thread for a call, the fastest of three.

    :param enough: seconds; a faster call is not repeated.
    """
    fastest = _measure(function, arguments)
    for _repetition in range(2):
        if fastest < enough:
            break
        fastest = min(fastest, _measure(function, arguments))
    return fastest


def _measure(function: t.Callable[..., t.Any], arguments: tuple) -> float:
    # Do not collect garbage of other tests, which can take a second.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        begun = time.thread_time()
        function(*arguments)
        return time.thread_time() - begun
    finally:
        if was_enabled:
            gc.enable()
