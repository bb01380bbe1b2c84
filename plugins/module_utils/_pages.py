# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which page of a list to read next, without losing or repeating rows that move in the meantime.

A new row moves all others down, and a deleted row moves those below it up, possibly to another page. Therefore each
page overlaps the previous one. If a page contains no known row, rows may be missing, and an earlier page is read again.
"""

from __future__ import annotations

import typing as t

from ._errors import GarbledError

#: Limits of a list: its rows and its pages.
MOST_ROWS, MOST_PAGES = 100_000, 3000
# Number of consecutive pages that may contain nothing new, and of pages that may not overlap known rows.
_MOST_STALE, _MOST_GAPS = 20, 50


class Page(t.NamedTuple):
    """A page of a list: its number, from 1, and its number of rows."""

    number: int
    size: int

    @property
    def end(self) -> int:
        """The number of rows up to the end of the page."""
        return self.number * self.size


def page_after(known: int, size: int) -> Page:
    """Return the page that extends furthest and still contains the last known row.

    :param known: number of known rows from the top of the list.
    :param size: rows of the largest page that the manager allows, at least 4.
    """
    if not known:
        return Page(1, size)
    pages = [Page((known - 1) // smaller + 1, smaller) for smaller in range(size, size // 2, -1)]
    return max(pages, key=lambda page: page.end)


class PageWalk:
    """Walks through a list from top to end.

    :param size: rows of the largest page that the manager allows.
    :param request: verb and path, for errors.
    :param title: name of the rows in errors, in the plural.
    :ivar page: ``Page`` to read next.
    :ivar seen: IDs of all rows so far.
    :ivar is_continued: whether the last page overlapped the known rows. If not, the list continues.
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
        """Add the rows of the page, choose the next page, and return the IDs that are new.

        :raises GarbledError: if the list does not end.
        """
        new = set(ids) - self.seen
        gap = self._known > 0 and len(new) == len(set(ids))
        self.seen |= new
        self._pages += 1
        self._stale = 0 if new else self._stale + 1
        self._gaps += gap
        self._check(len(ids))
        # After a gap from higher up, where the list still overlaps the known rows.
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
