# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Infer the release, the clock and the clusters of a manager from its responses."""

from __future__ import annotations

import typing as t

from ._client import CONSOLE_API, OPEN_API, DragonflyClient
from ._errors import ApiError, DragonflyError
from ._job_document import job_args
from ._polling import Clock
from ._release import Releases
from ._releases import releases_of_echo
from ._retrying import retry_transient
from ._time import parse_time

#: Seconds by which times of a manager can differ: the clocks of its replicas do, and the header Date has whole seconds.
CLOCK_SLACK = 5
# Routes by the first release that has them (recorded: contract/*/probes).
_PROBES = (
    (OPEN_API + "/jobs", (2, 1, 0)),
    (OPEN_API + "/clusters", (2, 1, 9)),
    (CONSOLE_API + "/persistent-cache-tasks", (2, 2, 2)),
    (CONSOLE_API + "/jobs", (2, 4, 1)),
)
_WITHOUT_TOKENS = (
    "The manager is a 2.0.x, which does not support tokens. Anyone who can reach it can read and create jobs."
)

T = t.TypeVar("T")


class ManagerKnowledge:
    """What the responses of a manager reveal: its releases, its clock and its clusters.

    :ivar releases: possible releases of the manager.
    :ivar echo_seen: whether a job of this manager narrowed the releases.
    :ivar warnings: warnings for the user about this manager.
    """

    def __init__(self, client: DragonflyClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._cluster_ids: set[int] | None = None
        self._clusters_read = False
        # Newest header Date, and the local time of its arrival.
        self._date: tuple[float, float] | None = None
        self._probed = False
        self.echo_seen = False
        self.releases = Releases()
        self.warnings: list[str] = []

    def now(self) -> float:
        """Return seconds since 1970 by the manager's clock."""
        if self._client.date is None:
            return self._clock.wall()
        if self._date is None or self._date[0] != self._client.date:
            self._date = (self._client.date, self._clock.now())
        return self._date[0] + self._clock.now() - self._date[1]

    def age(self, row: dict) -> float | None:
        """Return the age of a job in seconds, None if unknown."""
        created = parse_time(row.get("created_at"))
        return None if created is None else self.now() - created

    def narrow_releases(self, args: dict) -> None:
        """Narrow the possible releases by the echo of a job that the manager has just created."""
        echo = releases_of_echo(args)
        self.releases = self.releases.intersect(echo.low, echo.high)

    def _narrow_by_newest(self, rows: list[dict]) -> None:
        args = next((job_args(row) for row in rows if job_args(row)), None)
        if args is not None and not self.echo_seen:
            self.echo_seen = True
            self.narrow_releases(args)

    def _with_old_manager(self, send: t.Callable[[], T]) -> T:
        """Return the result of a request for jobs, which managers 2.0.x serve below another path.

        :raises ApiError: that of the first path, if the manager serves neither, or requires authentication for the
            second, as later managers do.
        """
        api = self._client.jobs_api
        try:
            return send()
        except ApiError as exc:
            if exc.reason != "no_api" or api != OPEN_API:
                raise
            unknown_path = exc
        return self._with_console_jobs(send, unknown_path)

    def _with_console_jobs(self, send: t.Callable[[], T], unknown_path: ApiError) -> T:
        """Return the result of a request by the path of managers 2.0.x, which is kept if the manager has it."""
        self._client.use_console_jobs()
        try:
            answer = send()
        except ApiError as exc:
            if exc.status in (401, 403) or exc.reason == "no_api":
                self._client.jobs_api = OPEN_API
                raise unknown_path from None
            self._remember_old_manager()
            raise
        except DragonflyError:
            self._client.jobs_api = OPEN_API
            raise
        self._remember_old_manager()
        return answer

    def _remember_old_manager(self) -> None:
        self.releases = self.releases.intersect(high=(2, 1, 0))
        if _WITHOUT_TOKENS not in self.warnings:
            self.warnings.append(_WITHOUT_TOKENS)

    def all_cluster_ids(self) -> set[int] | None:
        """Return the IDs of all clusters, None if the manager or the token does not permit reading them."""
        if not self._clusters_read:
            self._clusters_read = True
            self._cluster_ids = self._read_cluster_ids()
        return self._cluster_ids

    def _read_cluster_ids(self) -> set[int] | None:
        if self._client.jobs_api != OPEN_API:
            return None
        try:
            clusters = retry_transient(self._client.list_clusters, self._clock)
        except DragonflyError:
            return None
        return {cluster["id"] for cluster in clusters} or None

    def cluster_exists(self, cluster_id: int) -> bool | None:
        """Return whether the cluster exists, None if the manager or the token does not permit reading it."""
        try:
            self._client.get_cluster(cluster_id)
            return True
        except ApiError as exc:
            return False if exc.status == 404 else None
        except DragonflyError:
            return None

    def probe_releases(self) -> bool:
        """Narrow the possible releases by the routes that exist, once. Return whether they changed."""
        if self._probed:
            return False
        self._probed = True
        before = str(self.releases)
        answers = {since: self._has_route(path) for path, since in _PROBES}
        for since, there in answers.items():
            if there is not None:
                self.releases = self.releases.intersect(low=since) if there else self.releases.intersect(high=since)
        if set(answers.values()) == {None}:
            # The manager may have been upgraded since it created the known job.
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
        # In releases without authentication for this path, a success does not show the release.
        return path != CONSOLE_API + "/jobs"
