# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run functions in threads."""

from __future__ import annotations

import typing as t

from ._errors import DragonflyError

#: Number of concurrent requests.
THREADS = 8

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def map_in_threads(function: t.Callable[[Item], Result], items: t.Sequence[Item]) -> list[Result]:
    """Return the results of a function for each item in order, or raise the first exception.

    A single item needs no thread, and thus does not import the library (12 ms).
    """
    if len(items) < 2:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return list(pool.map(function, items))


def return_errors(function: t.Callable[[Item], Result]) -> t.Callable[[Item], Result | DragonflyError]:
    """Return a function that returns a DragonflyError instead of raising it, which keeps the results of other items."""

    def guarded(item: Item) -> Result | DragonflyError:
        try:
            return function(item)
        except DragonflyError as exc:
            # A traceback would keep the response in memory, which can be large.
            return exc.with_traceback(None)

    return guarded
