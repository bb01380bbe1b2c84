# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read jobs (the newest ones, single ones and pending ones), and infer the release of the manager from its responses.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import (
    CONSOLE_API,
    OPEN_API,
    DragonflyClient,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._concurrency import map_in_threads, return_errors
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    ApiError,
    DragonflyError,
    GarbledError,
    TransportError,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_document import job_args
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._json import ROW_LIMIT
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._pages import Page, PageWalk
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._release import Releases
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import releases_of_echo
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_time

_ATTEMPTS = 3
# The most that every release allows (2.0.x), and the most from 2.1.0 on.
_PAGE = 50
_LARGE_PAGE = 1000
# Characters of all that is kept of the jobs of a list. Ansible copies a result several times.
_MOST_KEPT = 24 * 1024 * 1024
# How many single rows are read where a page of them cannot be had.
_SINGLE_ROWS = 50
# Routes that exist from a release on (recorded: contract/*/probes).
_PROBES = (
    (OPEN_API + "/jobs", (2, 1, 0)),
    (OPEN_API + "/clusters", (2, 1, 9)),
    (CONSOLE_API + "/persistent-cache-tasks", (2, 2, 2)),
    (CONSOLE_API + "/jobs", (2, 4, 1)),
)
_KEPT = ("id", "created_at", "updated_at", "type", "state", "bio", "args")

# Bytes of a job that is read while others are.
_SMALL_JOB = 1024 * 1024

Answer = t.TypeVar("Answer")
#: What is kept of a job, by its ID and the job.
Transform = t.Callable[[int, dict], t.Any]


def is_transient(exc: DragonflyError) -> bool:
    """Return whether the same request may well succeed a moment later."""
    if isinstance(exc, TransportError):
        return exc.reason not in ("tls", "bad_file", "bad_url", "timed_out")
    if isinstance(exc, GarbledError):
        return exc.reason not in ("not_a_manager", "too_large")
    return isinstance(exc, ApiError) and (exc.status == 429 or (exc.status or 0) >= 500)


def retry_transient(function: t.Callable[[], Answer], clock: Clock) -> Answer:
    """Call a function that only reads, again where its failure may pass."""
    attempt = 1
    while True:
        try:
            return function()
        except DragonflyError as exc:
            if attempt == _ATTEMPTS or not is_transient(exc) or clock.time_left() < attempt:
                raise
        clock.pause(attempt)
        attempt += 1


def summarize_row(row: dict) -> dict:
    """Return what a lookup needs of a row of a list: all but its result, which can be large."""
    return {key: row.get(key) for key in _KEPT}


def limit_kept(transform: t.Callable[[dict], dict]) -> t.Callable[[dict], dict]:
    """Return a function that returns what another one keeps of each job, as long as all of it fits into memory.

    The function raises GarbledError with reason ``too_large`` for what is too much.
    """
    kept_characters = 0

    def keep(job: dict) -> dict:
        nonlocal kept_characters
        kept = transform(job)
        kept_characters += len(str(kept))
        if kept_characters > _MOST_KEPT:
            message = (
                f"The jobs that were read have more than {_MOST_KEPT} characters, which is too much for one result. "
                "What to do: read fewer at a time, by ids, type or state, or without details."
            )
            raise GarbledError(message, "too_large")
        return kept

    return keep


class _Query(t.NamedTuple):
    """What a list of jobs is read for.

    :ivar horizon: how old a job may be to be of interest, in seconds; None for one row without interest in it.
    :ivar transform: function of a row that returns what is kept of it.
    """

    horizon: float | None
    transform: t.Callable[[dict], dict]
    filters: dict
    per_page: int


class _JobPage(t.NamedTuple):
    """A page of jobs.

    :ivar last: number of the last page, by the manager.
    :ivar ids: of all its rows.
    :ivar rows: those that are not too old, newest first.
    :ivar newest_first: whether they came so.
    :ivar reached_horizon: whether it holds rows that are too old.
    """

    last: int
    ids: list[int]
    rows: list[dict]
    newest_first: bool
    reached_horizon: bool


class PollResult(t.NamedTuple):
    """What is known of awaited jobs after reading them once.

    :ivar jobs: by id what is kept of the jobs that may have changed, None for those that are gone.
    :ivar pending_rows: by id the rows of those that a list names as pending.
    :ivar error: the last failure that may pass, None where nothing failed.
    """

    jobs: dict[int, t.Any]
    pending_rows: dict[int, dict]
    error: DragonflyError | None


class JobReader:
    """Reads the jobs of one manager.

    :ivar releases: what is known of the manager so far.
    :ivar echo_seen: whether the release was inferred from a job of this manager.
    :ivar seen_ids: ids of all jobs that a list showed.
    """

    def __init__(self, client: DragonflyClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._cluster_ids: set[int] | None = None
        self._clusters_read = False
        # The newest header Date, and the local time at which it came.
        self._date: tuple[float, float] | None = None
        self._poll_by_id = False
        self._probed = False
        self.echo_seen = False
        self.releases = Releases()
        self.seen_ids: set[int] = set()
        self.warnings: list[str] = []

    def now(self) -> float:
        """Return seconds since 1970 by the manager's clock."""
        if self._client.date is None:
            return self._clock.wall()
        if self._date is None or self._date[0] != self._client.date:
            self._date = (self._client.date, self._clock.now())
        return self._date[0] + self._clock.now() - self._date[1]

    def age(self, row: dict) -> float | None:
        """Return the age of a job in seconds, None if it is not known."""
        created = parse_time(row.get("created_at"))
        return None if created is None else self.now() - created

    def narrow_releases(self, args: dict) -> None:
        """Narrow the releases by the echo of a job that the manager has just created."""
        echo = releases_of_echo(args)
        self.releases = self.releases.intersect(echo.low, echo.high)

    def get(self, job_id: int, limit: int = ROW_LIMIT) -> dict:
        """Return one job by its id, whole.

        :param limit: bytes that it may have.
        """
        try:
            return retry_transient(lambda: self._client.get_job(job_id, limit), self._clock)
        except ApiError as exc:
            self._turn_to_old_manager(exc)
            return self.get(job_id, limit)

    def get_each(
        self,
        job_ids: t.Sequence[int],
        transform: Transform = lambda _job_id, job: job,
        read: t.Callable[[int, int], dict] | None = None,
    ) -> t.Iterator[t.Any]:
        """Yield what a function of its ID and the whole job returns for each job, or the DragonflyError of reading it.

        Several are read at a time, but those that are large one after the other, since each can take 100 MB.

        :param read: method that reads a job by its ID and a limit in bytes, ``get`` by default.
        """
        get = read or self.get

        def get_small(job_id: int) -> t.Any:
            # At once, for what is kept of a job is smaller.
            return transform(job_id, get(job_id, _SMALL_JOB))

        def get_large(job_id: int) -> t.Any:
            return transform(job_id, get(job_id, ROW_LIMIT))

        for job_id, answer in zip(job_ids, map_in_threads(return_errors(get_small), job_ids)):
            if isinstance(answer, GarbledError) and answer.reason == "too_large":
                yield return_errors(get_large)(job_id)
            else:
                yield answer

    # The newest jobs

    def iter_recent_jobs(
        self,
        horizon: float | None,
        transform: t.Callable[[dict], dict] = summarize_row,
        large_pages: bool = False,
        **filters: t.Any,
    ) -> t.Iterator[list[dict]]:
        """Yield pages of jobs, newest first, at least one.

        :param horizon: maximum age of a job in seconds; None for a single row, which is enough to infer the release of
            the manager.
        :param transform: function of a row that returns what is kept of it, with ``id``, ``created_at``, ``args``.
        :param large_pages: whether to read as much at once as managers from 2.1.0 on allow.
        :param filters: ``type``, ``state``, ``user_id``.
        """
        per_page = _LARGE_PAGE if large_pages else _PAGE
        query = _Query(horizon, transform, filters, 1 if horizon is None else per_page)
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
        walk = PageWalk(query.per_page, f"GET {self._client.jobs_api}/jobs", "jobs")
        while True:
            read = walk.page
            page = self._retry_page(read, query)
            if read.number == 1 and not page.newest_first and page.last > 1:
                # Before 2.1.19 the oldest come first.
                yield from self._iter_pages_backwards(page.last, query)
                return
            new = walk.add(page.ids)
            self.seen_ids |= new
            yield [row for row in page.rows if row["id"] in new]
            last = len(page.ids) < read.size or read.number >= page.last
            if query.horizon is None or (walk.is_continued and (page.reached_horizon or last)):
                return

    def _iter_pages_backwards(self, last: int, query: _Query) -> t.Iterator[list[dict]]:
        walk = PageWalk(query.per_page, f"GET {self._client.jobs_api}/jobs", "jobs")
        for number in range(last, 0, -1):
            page = self._retry_page(Page(number, query.per_page), query)
            # Rows that are deleted move others to the page that comes next.
            new = walk.add(page.ids)
            self.seen_ids |= new
            yield [row for row in page.rows if row["id"] in new]
            if page.reached_horizon:
                return

    def _retry_page(self, page: Page, query: _Query) -> _JobPage:
        return retry_transient(lambda: self._read_page(page, query), self._clock)

    def _read_page(self, wanted: Page, query: _Query) -> _JobPage:
        try:
            last, stream = self._client.list_jobs(wanted.number, wanted.size, **query.filters)
        except ApiError as exc:
            self._turn_to_old_manager(exc)
            return self._read_page(wanted, query)
        if self._client.server_ip:
            self.releases = self.releases.intersect(low=(2, 1, 57))
        page = self._collect_rows(last, stream, query)
        if query.filters.get("type") in (None, "preheat") and (page.newest_first or wanted.number >= last):
            self._narrow_by_newest(page.rows)
        fresh = [row for row in page.rows if not self._is_too_old(row, query.horizon)]
        if len(fresh) == len(page.rows):
            return page
        return page._replace(rows=fresh, reached_horizon=True)

    def _collect_rows(self, last: int, stream: t.Generator[dict, None, None], query: _Query) -> _JobPage:
        """Read the rows of a page until one is too old."""
        rows: list[dict] = []
        newest_first = True
        for row in stream:
            if not isinstance(row.get("id"), int) or isinstance(row.get("id"), bool):
                continue
            if len(rows) == 1:
                newest_first = row["id"] < rows[0]["id"]
            rows.append(query.transform(row))
            # A whole row can be 12 MB: it goes before the next one comes.
            row = {}
            if newest_first and len(rows) > 1 and self._is_too_old(rows[-1], query.horizon):
                stream.close()
                return _JobPage(last, [row["id"] for row in rows], rows, newest_first, True)
        ids = [row["id"] for row in rows]
        return _JobPage(last, ids, rows if newest_first else rows[::-1], newest_first, False)

    def _turn_to_old_manager(self, exc: ApiError) -> None:
        """Read jobs where managers of 2.0.x have them from now on, if an error says that; raise it otherwise."""
        if exc.reason != "no_api" or self._client.jobs_api != OPEN_API:
            raise exc
        self._client.use_console_jobs()
        self.releases = self.releases.intersect(high=(2, 1, 0))
        self.warnings.append(
            "This manager has no Open API, so it is a 2.0.x: its jobs at /api/v1/jobs are open to everybody, without a "
            "token."
        )

    def _is_too_old(self, row: dict, horizon: float | None) -> bool:
        if horizon is None:
            return False
        age = self.age(row)
        return age is not None and age > horizon

    def _narrow_by_newest(self, rows: list[dict]) -> None:
        args = next((job_args(row) for row in rows if job_args(row)), None)
        if args is not None and not self.echo_seen:
            self.echo_seen = True
            self.narrow_releases(args)

    def _read_around_broken_rows(self, query: _Query) -> list[dict]:
        # The broken row never leaves PENDING, so the lists of the other states are complete.
        rows: list[dict] = []
        state = query.filters.get("state")
        for other in [state] if state else ["SUCCESS", "FAILURE", "PENDING"]:
            filtered = query._replace(filters=dict(query.filters, state=other))
            if other == "PENDING":
                rows += self._read_single_rows(filtered._replace(per_page=1))
            else:
                rows += [row for page in self._iter_pages(filtered._replace(per_page=_PAGE)) for row in page]
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

    # Clusters and routes

    def all_cluster_ids(self) -> set[int] | None:
        """Return the IDs of all clusters, None if the manager or the token does not allow to read them."""
        if not self._clusters_read:
            self._clusters_read = True
            if self._client.jobs_api == OPEN_API:
                try:
                    clusters = retry_transient(self._client.list_clusters, self._clock)
                    self._cluster_ids = {cluster["id"] for cluster in clusters} or None
                except DragonflyError:
                    pass
        return self._cluster_ids

    def cluster_exists(self, cluster_id: int) -> bool | None:
        """Return whether the cluster exists, None if the manager or the token does not allow to read it."""
        try:
            self._client.get_cluster(cluster_id)
            return True
        except ApiError as exc:
            return False if exc.status == 404 else None
        except DragonflyError:
            return None

    def probe_releases(self) -> bool:
        """Narrow the releases once by the routes that exist. Return whether they changed."""
        if self._probed:
            return False
        self._probed = True
        before = str(self.releases)
        answers = [(since, self._has_route(path)) for path, since in _PROBES]
        for since, there in answers:
            if there is not None:
                self.releases = self.releases.intersect(low=since) if there else self.releases.intersect(high=since)
        if all(there is None for _since, there in answers):
            # The manager may have been upgraded since it created the job whose echo is known.
            self.releases = Releases(self.releases.low)
        return str(self.releases) != before

    def _has_route(self, path: str) -> bool | None:
        """Return whether a route exists, None if the response does not show it."""
        try:
            retry_transient(lambda: self._client.request("GET", path, query={"per_page": 1}), self._clock)
        except ApiError as exc:
            if exc.status not in (401, 403) and exc.reason != "no_api":
                return None
            return exc.reason != "no_api"
        except DragonflyError:
            return None
        # The jobs of the console's API are open to everybody before they are guarded.
        return path != CONSOLE_API + "/jobs"

    # Waiting

    def poll_once(
        self,
        job_ids: t.Sequence[int],
        kind: str = "preheat",
        transform: Transform = lambda job_id, job: job,
    ) -> PollResult:
        """Read awaited jobs once: several by the list of pending ones, and by id those that it does not name.

        :param kind: their type.
        :param transform: function of an id and the whole job that returns what is kept of it; called in threads.
        :raises DragonflyError: where reading them fails in a way that does not pass.
        """
        pending: dict[int, dict] = {}
        try:
            if len(job_ids) > 1 and not self._poll_by_id:
                pending = self._read_pending_rows(set(job_ids), kind)
            return self._get_each(sorted(set(job_ids) - set(pending)), pending, transform)
        except DragonflyError as exc:
            if not is_transient(exc):
                raise
            return PollResult({}, pending, exc)

    def _read_pending_rows(self, job_ids: set[int], kind: str) -> dict[int, dict]:
        """Return those of the jobs that the list of pending ones names, by id."""
        per_page = _PAGE if self._client.jobs_api == CONSOLE_API else _LARGE_PAGE
        named: dict[int, dict] = {}
        # A list that is longer than this is worth less than reading each job by its id.
        for page in range(1, len(job_ids) + 1):
            try:
                _last, stream = self._client.list_jobs(page, per_page, type=kind, state="PENDING")
                rows = [summarize_row(row) for row in stream]
            except ApiError as exc:
                if exc.status != 404:
                    raise
                break
            named.update((row["id"], row) for row in rows if isinstance(row["id"], int))
            if len(rows) < per_page or job_ids <= set(named):
                return {job_id: named[job_id] for job_id in job_ids & set(named)}
        self._poll_by_id = True
        return {}

    def _get_each(self, job_ids: list[int], pending: dict[int, dict], transform: Transform) -> PollResult:
        jobs: dict[int, t.Any] = {}
        error = None
        for job_id, answer in zip(job_ids, self.get_each(job_ids, transform, self._client.get_job)):
            if isinstance(answer, ApiError) and answer.status == 404:
                jobs[job_id] = None
            elif not isinstance(answer, DragonflyError):
                jobs[job_id] = answer
            elif is_transient(answer):
                error = answer
            else:
                raise answer
        return PollResult(jobs, pending, error)


def list_jobs(
    reader: JobReader, types: list[str] | None, states: list[str] | None, transform: t.Callable[[dict], dict]
) -> list[dict]:
    """Return all jobs of some types and states, newest first.

    The manager filters by one value of each, so this does where there are several.

    :param transform: function of a row that returns what is kept of it, with ``id``, ``created_at``, ``args``.
    """

    def accepts(row: dict) -> bool:
        return (not types or row.get("type") in types) and (not states or row.get("state") in states)

    def keep(row: dict) -> dict:
        return {**transform(row), "_accepted": accepts(row)}

    filters: dict[str, t.Any] = {
        "type": types[0] if types and len(types) == 1 else None,
        "state": states[0] if states and len(states) == 1 else None,
    }
    rows = [row for page in reader.iter_recent_jobs(float("inf"), transform=keep, **filters) for row in page]
    return [row for row in rows if row.pop("_accepted")]
