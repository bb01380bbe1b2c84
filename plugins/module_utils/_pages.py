# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which page of a list to read next, without losing or repeating rows that move meanwhile.

A created row moves all others down, and a deleted row moves those below it up, possibly to another page. Therefore,
each page overlaps the page before it. If it contains no known row, rows may be missing, and an earlier page is read
again.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import GarbledError

#: Rows and pages of the longest list that is read.
MOST_ROWS, MOST_PAGES = 100_000, 3000
# Pages in a row that may hold nothing new, and pages that may not continue the rows that are known.
_MOST_STALE, _MOST_GAPS = 20, 50


class Page(t.NamedTuple):
    """A page of a list by its number, from 1, and the number of its rows."""

    number: int
    size: int

    @property
    def end(self) -> int:
        """The number of rows up to its last one."""
        return self.number * self.size


def page_after(known: int, size: int) -> Page:
    """Return the page that reaches furthest and still holds the last row that is known.

    :param known: number of rows from the top of the list that are known.
    :param size: rows of the largest page that the manager allows, at least 4.
    """
    if not known:
        return Page(1, size)
    pages = [Page((known - 1) // smaller + 1, smaller) for smaller in range(size, size // 2, -1)]
    return max(pages, key=lambda page: page.end)


class PageWalk:
    """Walks through a list from its top to its end.

    :param size: rows of the largest page that the manager allows.
    :param request: verb and path, for errors.
    :param title: what the rows are, in the plural, for errors.
    :ivar page: ``Page`` that is to be read next.
    :ivar seen: IDs of all rows so far.
    :ivar is_continued: whether the last page continued the rows before it; where it did not, the list goes on.
    """

    def __init__(self, size: int, request: str, title: str) -> None:
        self._size = size
        self._request = request
        self._title = title
        self._known = self._pages = self._stale = self._gaps = 0
        self.page = Page(1, size)
        self.seen: set[int] = set()
        self.is_continued = True

    def add(self, ids: t.Sequence[int]) -> set[int]:
        """Note the rows of the page, choose the next one, and return the IDs that were not known.

        :raises GarbledError: if the list does not end.
        """
        new = set(ids) - self.seen
        gap = self._known > 0 and len(new) == len(set(ids))
        self.seen |= new
        self._pages += 1
        self._stale = 0 if new else self._stale + 1
        self._gaps += gap
        self._check(len(ids))
        # After a gap from higher up, where the list still continues what is known.
        self._known = max(0, self._known - self._size) if gap else self.page.end
        self.is_continued = not gap
        self.page = page_after(self._known, self._size)
        return new

    def _check(self, rows: int) -> None:
        if self._stale > _MOST_STALE and rows:
            problem = f"repeats itself: {self._stale} pages in a row contain no new rows"
            raise self._error(f"{problem}, after {len(self.seen)} rows", "garbled")
        if self._gaps > _MOST_GAPS:
            raise self._error(f"changes with each page: {len(self.seen)} rows are inconsistent", "garbled")
        if len(self.seen) > MOST_ROWS or self._pages >= MOST_PAGES:
            raise self._error(f"does not end: it has more than {len(self.seen)} rows", "too_large")

    def _error(self, problem: str, reason: str) -> GarbledError:
        message = (
            f"{self._request}: the list of {self._title} {problem} (page {self.page.number}). What to do: check the "
            "URL, and the proxies in front of the manager."
        )
        return GarbledError(message, reason, self._request)
