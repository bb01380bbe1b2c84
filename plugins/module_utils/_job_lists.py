# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the list of jobs, newest first, only as far back as necessary."""

from __future__ import annotations

import typing as t

from ._client import DragonflyClient
from ._errors import ApiError
from ._job_document import without_result
from ._manager_knowledge import ManagerKnowledge
from ._pages import Page, PageWalk
from ._polling import Clock
from ._releases import FIRST_WITH_SCOPES, JOB_TYPES
from ._retrying import retry_transient
from ._text import listed

# Page sizes: the largest for all releases (2.0.x), and the largest from 2.1.0 on.
PAGE = 50
LARGE_PAGE = 1000
# Number of rows that are read singly if their page cannot be read.
_SINGLE_ROWS = 50


def unknown_types_warning(types: list[str] | None, jobs: list[t.Any]) -> str | None:
    """Return a warning if no job matches, and a requested type is not one of those that managers have.

    Newer managers may have other types, so it is not an error.

    :param types: requested types of jobs.
    :param jobs: the matching jobs.
    """
    unknown = [name for name in types or [] if name not in JOB_TYPES]
    if jobs or not unknown:
        return None
    return f"No job matches, and {listed(unknown, most=3)} is not a known type of job. Known: {', '.join(JOB_TYPES)}."


def _rows_per_page(horizon: float | None, large_pages: bool) -> int:
    if horizon is None:
        return 1
    return LARGE_PAGE if large_pages else PAGE


class _Query(t.NamedTuple):
    """Parameters of reading a list of jobs.

    :ivar horizon: maximum age of a job in seconds; None to read a single row.
    :ivar transform: returns the part of a row to keep.
    """

    horizon: float | None
    transform: t.Callable[[dict], dict]
    filters: dict
    per_page: int


class _JobPage(t.NamedTuple):
    """A page of jobs.

    :ivar last: number of the last page, as reported by the manager.
    :ivar ids: IDs of all its rows.
    :ivar rows: rows within the horizon, newest first.
    :ivar newest_first: whether the manager returned them in this order.
    :ivar reached_horizon: whether the page contains rows beyond the horizon.
    """

    last: int
    ids: list[int]
    rows: list[dict]
    newest_first: bool
    reached_horizon: bool

    @property
    def is_oldest_first(self) -> bool:
        """Whether the list begins with the oldest row; a single page is sorted."""
        return not self.newest_first and self.last > 1

    def ends_list(self, page: Page) -> bool:
        """Return whether no other page is needed after this one."""
        return self.reached_horizon or len(self.ids) < page.size or page.number >= self.last


class JobLists(ManagerKnowledge):
    """Reads the list of jobs of a manager, and infers its releases from them.

    :ivar seen_ids: IDs of all jobs in the lists so far.
    """

    def __init__(self, client: DragonflyClient, clock: Clock) -> None:
        super().__init__(client, clock)
        # Whether the list of pending jobs is unreliable.
        self._poll_by_id = False
        self.seen_ids: set[int] = set()

    def iter_recent_jobs(
        self,
        horizon: float | None,
        transform: t.Callable[[dict], dict] = without_result,
        large_pages: bool = False,
        **filters: t.Any,
    ) -> t.Iterator[list[dict]]:
        """Yield pages of jobs, newest first, at least one.

        :param horizon: maximum age of a job in seconds; None for a single row, which is enough to infer the release of
            the manager.
        :param transform: returns the part of a row to keep, with ``id``, ``created_at``, ``args``.
        :param large_pages: whether to read pages as large as managers from 2.1.0 on allow.
        :param filters: ``type``, ``state``, ``user_id``.
        """
        query = _Query(horizon, transform, filters, _rows_per_page(horizon, large_pages))
        yielded: set[int] = set()
        try:
            for rows in self._iter_pages(query):
                yielded.update(row["id"] for row in rows)
                yield rows
        except ApiError as exc:
            if exc.reason != "not_found":
                raise
            self.warnings.append(
                f"{exc.message} A job of a user that does not exist makes its page of the list unreadable. The module "
                "reads the other jobs of this page one by one."
            )
            self._poll_by_id = True
            yield [row for row in self._read_around_broken_rows(query) if row["id"] not in yielded]

    def _iter_pages(self, query: _Query) -> t.Iterator[list[dict]]:
        walk = self._start_walk(query)
        while True:
            read = walk.page
            page = self._retry_page(read, query)
            if read.number == 1 and page.is_oldest_first:
                # Managers before 2.1.19 return the oldest first.
                yield from self._iter_pages_backwards(page.last, query)
                return
            yield self._new_rows(page, walk)
            if query.horizon is None or (walk.is_continued and page.ends_list(read)):
                return

    def _iter_pages_backwards(self, last: int, query: _Query) -> t.Iterator[list[dict]]:
        walk = self._start_walk(query)
        for number in range(last, 0, -1):
            page = self._retry_page(Page(number, query.per_page), query)
            # Deleted rows move others to the next page.
            yield self._new_rows(page, walk)
            if page.reached_horizon:
                return

    def _start_walk(self, query: _Query) -> PageWalk:
        return PageWalk(query.per_page, self._client.request_name("GET", f"{self._client.jobs_api}/jobs"), "jobs")

    def _new_rows(self, page: _JobPage, walk: PageWalk) -> list[dict]:
        new = walk.add(page.ids)
        self.seen_ids |= new
        return [row for row in page.rows if row["id"] in new]

    def _retry_page(self, page: Page, query: _Query) -> _JobPage:
        return retry_transient(lambda: self._read_page(page, query), self._clock)

    def _read_page(self, wanted: Page, query: _Query) -> _JobPage:
        last, stream = self._with_old_manager(
            lambda: self._client.list_jobs(wanted.number, wanted.size, **query.filters)
        )
        if self._client.server_ip:
            self.releases = self.releases.intersect(low=FIRST_WITH_SCOPES)
        page = self._collect_rows(last, stream, query)
        if query.filters.get("type") in (None, "preheat") and (page.newest_first or wanted.number >= last):
            self._narrow_by_newest(page.rows)
        return self._within_horizon(page, query.horizon)

    def _within_horizon(self, page: _JobPage, horizon: float | None) -> _JobPage:
        fresh = [row for row in page.rows if not self._is_too_old(row, horizon)]
        if len(fresh) == len(page.rows):
            return page
        return page._replace(rows=fresh, reached_horizon=True)

    def _collect_rows(self, last: int, stream: t.Generator[dict, None, None], query: _Query) -> _JobPage:
        """Read the rows of a page up to the horizon."""
        rows: list[dict] = []
        newest_first, reached_horizon = True, False
        for row in filter(_has_id, stream):
            if len(rows) == 1:
                newest_first = row["id"] < rows[0]["id"]
            rows.append(query.transform(row))
            # A row can take 12 MB, so release it before reading the next one.
            row = {}
            reached_horizon = newest_first and self._ends_too_old(rows, query.horizon)
            if reached_horizon:
                stream.close()
                break
        ids = [row["id"] for row in rows]
        return _JobPage(last, ids, rows[:: 1 if newest_first else -1], newest_first, reached_horizon)

    def _ends_too_old(self, rows: list[dict], horizon: float | None) -> bool:
        """Return whether the last row is beyond the horizon. A single row does not show the order."""
        return len(rows) > 1 and self._is_too_old(rows[-1], horizon)

    def _is_too_old(self, row: dict, horizon: float | None) -> bool:
        if horizon is None:
            return False
        age = self.age(row)
        return age is not None and age > horizon

    def _read_around_broken_rows(self, query: _Query) -> list[dict]:
        # The malformed row stays in the state PENDING, so the lists of other states are complete.
        rows: list[dict] = []
        state = query.filters.get("state")
        for other in [state] if state else ["SUCCESS", "FAILURE", "PENDING"]:
            filtered = query._replace(filters=dict(query.filters, state=other))
            if other == "PENDING":
                rows += self._read_single_rows(filtered._replace(per_page=1))
            else:
                rows += [row for page in self._iter_pages(filtered._replace(per_page=PAGE)) for row in page]
        self.seen_ids.update(row["id"] for row in rows)
        return sorted(rows, key=lambda row: row["id"], reverse=True)

    def _read_single_rows(self, query: _Query) -> list[dict]:
        rows: list[dict] = []
        for number in range(1, _SINGLE_ROWS + 1):
            try:
                page = self._retry_page(Page(number, query.per_page), query)
            except ApiError as exc:
                if exc.reason != "not_found":
                    raise
                continue
            rows += page.rows
            if page.reached_horizon or not page.rows:
                break
        return rows


def _has_id(row: dict) -> bool:
    return isinstance(row.get("id"), int) and not isinstance(row["id"], bool)


def list_jobs(
    reader: JobLists, types: list[str] | None, states: list[str] | None, transform: t.Callable[[dict], dict]
) -> list[dict]:
    """Return all jobs of the given types and states, newest first.

    The manager filters by one value each. If there are several, this function filters.

    :param transform: returns the part of a row to keep, with ``id``, ``created_at``, ``args``.
    """

    def keep(row: dict) -> dict:
        is_accepted = (not types or row.get("type") in types) and (not states or row.get("state") in states)
        return {**transform(row), "_accepted": is_accepted}

    filters: dict[str, t.Any] = {"type": _only(types), "state": _only(states)}
    rows = [row for page in reader.iter_recent_jobs(float("inf"), transform=keep, **filters) for row in page]
    return [row for row in rows if row.pop("_accepted")]


def _only(values: list[str] | None) -> str | None:
    """Return the value of a list with one value, None for others."""
    return values[0] if values and len(values) == 1 else None
