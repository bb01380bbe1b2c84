# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads jobs: the newest ones, one by its id, those that are awaited, and what the manager's answers tell of its
release.

PRIVATE to the collection.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import CONSOLE_API, OPEN_API
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    ApiError,
    DragonflyError,
    GarbledError,
    TransportError,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._outcome import task_peers
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import Releases, releases_of_echo
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_time
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._wait import poll

_ATTEMPTS = 3
_THREADS = 8
# The most that every release allows (2.0.x), and the most from 2.1.0 on.
_PAGE = 50
_LARGE_PAGE = 1000
# How many single rows are looked at where a page of them cannot be had.
_SINGLE_ROWS = 50
# Routes that tell by their guard whether a manager is of a release or a later one.
_PROBES = (
    (OPEN_API + "/jobs", (2, 1, 0)),
    (OPEN_API + "/clusters", (2, 1, 9)),
    (CONSOLE_API + "/persistent-cache-tasks", (2, 2, 2)),
    (CONSOLE_API + "/jobs", (2, 4, 1)),
)
_KEPT = ("id", "created_at", "updated_at", "type", "state", "bio", "args")


def transient(exc):
    """Whether the same request may well succeed a moment later."""
    if isinstance(exc, TransportError):
        return exc.reason not in ("tls", "bad_file", "bad_url")
    if isinstance(exc, GarbledError):
        return exc.reason != "not_a_manager"
    return isinstance(exc, ApiError) and (exc.status == 429 or exc.status >= 500)


def no_cluster(error, cluster_id):
    """What a rate limit means where there is no such cluster (L(ApiError)).

    :param error: L(ApiError) of the 429.
    """
    return ApiError(
        f"{error.message} This means: there is no cluster {int(cluster_id)}, which this manager answers like "
        "a rate limit. See scheduler_cluster_ids.",
        "no_cluster",
        error.request,
        error.status,
        error.words,
    )


def _without_result(row):
    return {key: row.get(key) for key in _KEPT}


class JobReader:
    """Reads the jobs of one manager.

    :ivar releases: L(Releases), what is known of the manager so far.
    :ivar echo_seen: whether a job of this manager told its release.
    :ivar seen: ids of all jobs that a list showed (set of int).
    :ivar rows: what the last look's list of pending jobs showed of those that are awaited, by id (dict of dict).
    :ivar trouble: the last L(DragonflyError) of a look that failed and may be tried again; None after one that worked.
    :ivar warnings: list of str.
    """

    def __init__(self, client, clock):
        self._client = client
        self._clock = clock
        self._clusters = ()
        self._date = None
        self._by_id = False
        self._probed = False
        self.echo_seen = False
        self.releases = Releases()
        self.seen = set()
        self.rows = {}
        self.trouble = None
        self.warnings = []

    def now(self):
        """Seconds since 1970 by the manager's clock."""
        if self._client.date is None:
            return self._clock.wall()
        if self._date is None or self._date[0] != self._client.date:
            self._date = (self._client.date, self._clock.now())
        return self._date[0] + self._clock.now() - self._date[1]

    def learn(self, args):
        """Narrows the releases by the echo of a job that the manager has just made."""
        echo = releases_of_echo(args)
        self.releases = self.releases.and_(echo.low, echo.high)

    def again(self, function):
        """Calls a function that only reads, again where the failure may pass."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return function()
            except DragonflyError as exc:
                if attempt == _ATTEMPTS or not transient(exc):
                    raise
                self._clock.pause(attempt)
        return None

    def get(self, job_id):
        """One job by its id, whole."""
        try:
            return self.again(lambda: self._client.get_job(job_id))
        except ApiError as exc:
            self._turn_to_old_manager(exc)
            return self.get(job_id)

    # The newest jobs

    def recent(self, horizon, shape=_without_result, **filters):
        """Pages of jobs, newest first.

        :param horizon: how old a job may be to be of interest, in seconds; None for one look without interest in the
            rows.
        :param shape: function of a row (dict) that gives what is kept of it (dict with ``id``, ``created_at`` and
            ``args``).
        :param filters: ``type``, ``state``, ``user_id``.
        """
        given = set()
        try:
            for rows in self._pages(horizon, _PAGE if horizon is not None else 1, shape, filters):
                given.update(row["id"] for row in rows)
                yield rows
        except ApiError as exc:
            if exc.reason != "not_found":
                raise
            self.warnings.append(
                f"{exc.message} A job of a user that does not exist makes every page that holds it "
                "unreadable; the others are read one by one."
            )
            self._by_id = True
            yield [row for row in self._around_broken_rows(horizon, shape, filters) if row["id"] not in given]

    def _pages(self, horizon, per_page, shape, filters):
        page, seen = 1, set()
        while True:
            last, rows, descending, old = self.again(lambda: self._page(page, per_page, horizon, shape, filters))
            if page == 1 and not descending and last > 1:
                # Before 2.1.19 the oldest come first.
                yield from self._backwards(last, per_page, horizon, shape, filters)
                return
            new = [row for row in rows if row["id"] not in seen]
            seen.update(row["id"] for row in new)
            self.seen.update(seen)
            yield new
            if horizon is None or old or len(rows) < per_page or page >= last:
                return
            page += 1

    def _backwards(self, last, per_page, horizon, shape, filters):
        for page in range(last, 0, -1):
            dummy, rows, dummy2, old = self.again(lambda: self._page(page, per_page, horizon, shape, filters))
            self.seen.update(row["id"] for row in rows)
            yield rows
            if old:
                return

    def _page(self, page, per_page, horizon, shape, filters):
        """The last page's number, the rows newest first, whether they came so, and whether older ones are of no
        interest."""
        try:
            last, stream = self._client.list_jobs(page, per_page, **filters)
        except ApiError as exc:
            self._turn_to_old_manager(exc)
            return self._page(page, per_page, horizon, shape, filters)
        if self._client.server_ip:
            self.releases = self.releases.and_(low=(2, 1, 57))
        rows, descending, old = [], True, False
        for row in stream:
            if not isinstance(row.get("id"), int) or isinstance(row.get("id"), bool):
                continue
            if rows and len(rows) == 1:
                descending = row["id"] < rows[0]["id"]
            rows.append(shape(row))
            row = None
            if descending and len(rows) > 1 and self._too_old(rows[-1], horizon):
                old = True
                stream.close()
                break
        if not descending:
            rows.reverse()
        if descending or page >= last:
            self._learn_from(rows)
        fresh = [row for row in rows if not self._too_old(row, horizon)]
        return last, fresh if len(fresh) < len(rows) else rows, descending, old or len(fresh) < len(rows)

    def _turn_to_old_manager(self, exc):
        """Reads jobs where managers of 2.0.x have them from now on, if that is what an error says; raises it if not."""
        if exc.reason != "no_api" or self._client.jobs_api != OPEN_API:
            raise exc
        self._client.use_console_jobs()
        self.releases = self.releases.and_(high=(2, 1, 0))
        self.warnings.append(
            "This manager has no Open API, so it is a 2.0.x: its jobs at /api/v1/jobs are open to everybody, without a "
            "token."
        )

    def _too_old(self, row, horizon):
        made = parse_time(row.get("created_at"))
        return horizon is not None and made is not None and self.now() - made > horizon

    def _learn_from(self, rows):
        args = next((row["args"] for row in rows if isinstance(row.get("args"), dict) and row["args"]), None)
        if args is not None and not self.echo_seen:
            self.echo_seen = True
            self.learn(args)

    def _around_broken_rows(self, horizon, shape, filters):
        # The broken row never leaves PENDING, so the lists of the other states are whole.
        rows = []
        states = [filters["state"]] if filters.get("state") else ["SUCCESS", "FAILURE", "PENDING"]
        for state in states:
            if state != "PENDING":
                for page in self._pages(horizon, _PAGE, shape, dict(filters, state=state)):
                    rows += page
        for page in range(1, _SINGLE_ROWS + 1) if "PENDING" in states else ():
            one_row = dict(filters, state="PENDING")
            try:
                dummy, single, dummy2, old = self.again(lambda: self._page(page, 1, horizon, shape, one_row))
            except ApiError as exc:
                if exc.reason != "not_found":
                    raise
                continue
            rows += single
            if old or not single:
                break
        self.seen.update(row["id"] for row in rows)
        return sorted(rows, key=lambda row: row["id"], reverse=True)

    # What else the manager tells

    def all_clusters(self):
        """Ids of all clusters (set of int), or None where this manager or token does not tell."""
        if self._clusters == ():
            self._clusters = None
            if self._client.jobs_api == OPEN_API:
                try:
                    self._clusters = {one["id"] for one in self.again(self._client.list_clusters)} or None
                except DragonflyError:
                    pass
        return self._clusters

    def cluster_exists(self, cluster_id):
        """True, False, or None where this manager or token does not tell."""
        try:
            self._client.get_cluster(cluster_id)
            return True
        except ApiError as exc:
            return False if exc.status == 404 else None
        except DragonflyError:
            return None

    def probe_releases(self):
        """Narrows the releases by which routes there are (manager-api.md 1.5), once. Returns whether that told anything
        new."""
        if self._probed:
            return False
        self._probed = True
        before = str(self.releases)
        told = False
        for path, since in _PROBES:
            try:
                self.again(lambda path=path: self._client.request("GET", path, query={"per_page": 1}))
                # The jobs of the console's API are open to everybody before they are guarded.
                there = path != CONSOLE_API + "/jobs"
            except ApiError as exc:
                if exc.status not in (401, 403) and exc.reason != "no_api":
                    continue
                there = exc.reason != "no_api"
            except DragonflyError:
                continue
            told = True
            self.releases = self.releases.and_(low=since) if there else self.releases.and_(high=since)
        if not told:
            # The manager may have been upgraded since it made the job whose echo is known.
            self.releases = Releases(self.releases.low)
        return str(self.releases) != before

    # Waiting

    def look(self, ids, kind="preheat", shape=lambda job_id, job: job):
        """One look at jobs that are awaited.

        :param ids: list of int.
        :param kind: their type.
        :param shape: function of an id and the whole job (dict) that gives what is kept of it; called in threads.
        :returns: dict of id to what is kept of the job where it may have changed, to None where it is gone; nothing
            where the look failed in a way that may pass, which is then ``trouble``.
        """
        self.trouble, self.rows = None, {}
        try:
            left = set(ids)
            if len(ids) > 1 and not self._by_id:
                left -= self._still_pending(left, kind)
            return self._get_each(sorted(left), shape)
        except DragonflyError as exc:
            if not transient(exc):
                raise
            self.trouble = exc
            return {}

    def _still_pending(self, ids, kind):
        """Those of the jobs that the list of pending ones names."""
        per_page = _PAGE if self._client.jobs_api == CONSOLE_API else _LARGE_PAGE
        named, page = {}, 1
        while True:
            try:
                dummy, stream = self._client.list_jobs(page, per_page, type=kind, state="PENDING")
                batch = [_without_result(row) for row in stream]
            except ApiError as exc:
                if exc.status != 404:
                    raise
                self._by_id = True
                return set()
            named.update((row["id"], row) for row in batch if isinstance(row["id"], int))
            if len(batch) < per_page or ids <= set(named):
                self.rows = {one: named[one] for one in ids & set(named)}
                return set(self.rows)
            page += 1
            if page > len(ids):
                # The list is longer than it is worth.
                self._by_id = True
                return set()

    def _get_each(self, ids, shape=lambda job_id, job: job):
        def one(job_id):
            try:
                return shape(job_id, self._client.get_job(job_id))
            except ApiError as exc:
                if exc.status == 404:
                    return None
                return exc
            except DragonflyError as exc:
                return exc

        if len(ids) == 1:
            found = [one(ids[0])]
        else:
            with ThreadPoolExecutor(max_workers=_THREADS) as pool:
                found = list(pool.map(one, ids))
        jobs = {}
        for job_id, job in zip(ids, found):
            if isinstance(job, DragonflyError):
                if not transient(job):
                    raise job
                self.trouble = job
            else:
                jobs[job_id] = job
        return jobs

    # Who holds a task

    def held(self, urls, args, clusters, timeout, sleep):
        """Those of the URLs that a peer holds in every one of the clusters, by jobs of the type get_task.

        :param args: of the preheat, whose tag, application, piece length and filter are part of the task id.
        :param clusters: set of cluster ids.
        """
        same = {
            key: args[key] for key in ("tag", "application", "filtered_query_params", "piece_length") if args.get(key)
        }
        jobs = {}
        for url in urls:
            body = {"type": "get_task", "args": dict(same, url=url)}
            if clusters:
                body["scheduler_cluster_ids"] = sorted(clusters)
            jobs[self._client.create_job(body)["id"]] = url
        done = {}

        def look():
            for job_id, job in self._get_each([one for one in jobs if one not in done]).items():
                if job is None or job.get("state") != "PENDING":
                    done[job_id] = job or {}
            return len(done) == len(jobs)

        poll(look, bool, timeout, sleep, self._clock)
        return {jobs[job_id] for job_id, job in done.items() if clusters <= _holders(job)}


def _holders(job):
    """Ids of the clusters in which a peer has the whole task, by the answer of a job of the type get_task.

    Before 2.4.0 it does not tell whether a peer has all of it, which proves nothing: a fetch that failed leaves a task.
    """
    return {cluster for cluster, peer in task_peers(job, "peers") if peer.get("IsFinished") is True}
