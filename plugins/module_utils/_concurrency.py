# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do several things at a time.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError

#: How many requests are under way at a time.
THREADS = 8

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def map_in_threads(function: t.Callable[[Item], Result], items: t.Sequence[Item]) -> list[Result]:
    """Return what a function returns for each item, in their order; the first exception is raised.

    A single item needs no thread, and then the library is not even loaded (12 ms).
    """
    if len(items) < 2:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return list(pool.map(function, items))


def return_errors(function: t.Callable[[Item], Result]) -> t.Callable[[Item], Result | DragonflyError]:
    """Return a function that returns a DragonflyError instead of raising it, to keep the results of other items."""

    def guarded(item: Item) -> Result | DragonflyError:
        try:
            return function(item)
        except DragonflyError as exc:
            # The traceback would keep what was read, which can be large.
            return exc.with_traceback(None)

    return guarded
