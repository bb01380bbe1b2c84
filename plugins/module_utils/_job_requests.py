# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create jobs. The only code that handles rate limits, lost responses and refused tokens of a creation."""

from __future__ import annotations

import enum
import functools
import threading
import typing as t
from dataclasses import dataclass

from ._client import DragonflyClient
from ._errors import ApiError, DragonflyError, TransportError, may_have_been_applied
from ._jobs import JobReader
from ._polling import Clock, poll
from ._retrying import ATTEMPTS, is_transient

# A row can appear late: the manager may still handle a lost POST, and replicas cache lists for 30 s.
LOST_WINDOW = 60
_LOST_SLEEP = 5
# The manager accepts 10 creations per second and cluster, and sends no Retry-After.
_RATE_PAUSE = 0.05
# After this time the rate cannot be the only reason, so the module retries less often.
_RATE_PATIENCE = 5
_RATE_LONG_PAUSE = 1
# A manager refuses a new cluster for up to 3 minutes, and a nonexistent cluster permanently.
_KNOWN_CLUSTER_SECONDS = 240
_UNKNOWN_CLUSTER_SECONDS = 30


class _Recovery(enum.Enum):
    """What to do after a failed POST that did not create a job."""

    SEND_AGAIN = "send again"


Send = t.Callable[[dict], dict]
#: Searches once for the job of a POST without a response, and returns None if there is no such job. Its argument is the
#: time of the POST in seconds since 1970 by the manager's clock.
FindLost = t.Callable[[float], t.Optional[dict]]


class CreatedJob(t.NamedTuple):
    """A job, and whether a response was lost before it, in which case a second job may exist."""

    job: dict
    answer_lost: bool


@dataclass
class _Attempts:
    """The number of attempts to create a job, and the time limit of the last attempt."""

    deadline: float
    failed: int = 0
    lost: int = 0
    first_rate_limit: float | None = None


class JobRequests:
    """Creates jobs at one manager. Several threads may share an instance."""

    def __init__(self, client: DragonflyClient, reader: JobReader, clock: Clock) -> None:
        self._client = client
        self._reader = reader
        self._clock = clock
        self._lock = threading.Lock()
        # Threads above the rate limit wait one after the other instead of retrying at the same time.
        self._pause_lock = threading.Lock()
        self._last_created_at: dict[int, float] = {}
        self._known_clusters: dict[int, bool | None] = {}
        self._fatal_error: ApiError | None = None

    def create(
        self, body: dict, find_lost: FindLost | None = None, send: Send | None = None, deadline: float | None = None
    ) -> CreatedJob:
        """Create a job, and retry if the error may be temporary.

        :param find_lost: searches for the job after a lost response, before the POST is repeated. None if a second job
            does no harm.
        :param send: method of the client that sends the body, ``create_job`` by default.
        :param deadline: latest time of an attempt, by the clock; None for the deadline of the task.
        :raises ApiError: with reason ``no_api`` if the manager does not support jobs of this type, or ``no_cluster`` if
            the cluster does not exist.
        :raises DragonflyError: with reason ``lost`` if responses were lost and no job appeared, or ``timed_out`` if the
            time ended before a request was sent.
        """
        send = send or self._client.create_job
        attempts = _Attempts(self._clock.deadline if deadline is None else min(deadline, self._clock.deadline))
        while True:
            if self._fatal_error is not None:
                raise self._fatal_error
            if self._time_left(attempts) <= 0:
                raise self._not_sent()
            sent_at = self._reader.now()
            job: dict | _Recovery
            try:
                job = send(body)
            except DragonflyError as exc:
                job = self._recover(exc, body, attempts, sent_at, find_lost)
            if job is not _Recovery.SEND_AGAIN:
                self._note_created(body)
                return CreatedJob(job, attempts.lost > 0)

    def _recover(
        self, exc: DragonflyError, body: dict, attempts: _Attempts, sent_at: float, find_lost: FindLost | None
    ) -> dict | _Recovery:
        """Wait until the POST can be repeated, or return the job that it created. Raise errors that are permanent."""
        if isinstance(exc, ApiError):
            self._refuse_final(exc, body)
            if exc.status == 429:
                self._wait_for_slot(exc, body, attempts)
                return _Recovery.SEND_AGAIN
        if may_have_been_applied(exc):
            return self._recover_lost(exc, attempts, sent_at, find_lost)
        # Nothing reached the manager.
        if isinstance(exc, TransportError) and is_transient(exc) and self._may_retry(attempts):
            return _Recovery.SEND_AGAIN
        raise exc

    def _refuse_final(self, exc: ApiError, body: dict) -> None:
        """Raise an error that is permanent."""
        if exc.status in (401, 403):
            self._fatal_error = exc
            raise exc
        if exc.status == 422 and "Unknow type" in exc.answer_text:
            raise _no_job_type_error(exc, body["type"]) from None

    def _time_left(self, attempts: _Attempts) -> float:
        return attempts.deadline - self._clock.now()

    def _may_retry(self, attempts: _Attempts) -> bool:
        attempts.failed += 1
        if attempts.failed == ATTEMPTS or self._time_left(attempts) <= attempts.failed:
            return False
        self._clock.pause(attempts.failed)
        return True

    def _not_sent(self) -> DragonflyError:
        request = self._client.request_name("POST", f"{self._client.jobs_api}/jobs")
        message = (
            f"{request}: not sent, because the time of the task is up; no job was created. What to do: run the task "
            "again, or raise wait_timeout, or timeout if the task does not wait."
        )
        return DragonflyError(message, "timed_out", request)

    def _recover_lost(
        self, exc: DragonflyError, attempts: _Attempts, sent_at: float, find_lost: FindLost | None
    ) -> dict | _Recovery:
        attempts.lost += 1
        if find_lost is None:
            if self._may_retry(attempts):
                return _Recovery.SEND_AGAIN
            # One remedy for both, because to run the task again is right in either case.
            exc.message = (
                f"{exc.problem}. Whether the manager did what was requested is unknown. What to do: run the task again."
            )
            raise exc
        begun = self._clock.now()
        find = functools.partial(find_lost, sent_at)
        job = poll(find, lambda job: job is not None, LOST_WINDOW, _LOST_SLEEP, self._clock)
        if job is not None:
            return job
        if attempts.lost > 1 or self._time_left(attempts) <= 0:
            raise _lost_error(exc, self._clock.now() - begun, attempts.lost)
        return _Recovery.SEND_AGAIN

    def _note_created(self, body: dict) -> None:
        with self._lock:
            for cluster_id in body.get("scheduler_cluster_ids") or []:
                self._last_created_at[cluster_id] = self._clock.now()

    # Rate limits

    def _wait_for_slot(self, exc: ApiError, body: dict, attempts: _Attempts) -> None:
        """Wait for the next slot within the rate limit, or raise the error if waiting does not help."""
        cluster_ids = body.get("scheduler_cluster_ids") or []
        budget = _KNOWN_CLUSTER_SECONDS if self._all_exist(cluster_ids, exc) else _UNKNOWN_CLUSTER_SECONDS
        waited = self._waited(cluster_ids, attempts)
        if waited > budget:
            raise exc.with_meaning(
                exc.reason,
                f"it responded like this for {budget} s, because other clients use up the limit of the cluster, or the "
                "cluster does not exist: try again later, raise job_rate_limit, or check scheduler_cluster_ids",
            )
        with self._pause_lock:
            left = self._time_left(attempts)
            if left <= 0:
                raise exc
            self._clock.pause(min(left, _RATE_PAUSE if waited < _RATE_PATIENCE else _RATE_LONG_PAUSE))
            if self._time_left(attempts) <= 0:
                raise exc

    def _waited(self, cluster_ids: list[int], attempts: _Attempts) -> float:
        """Return the seconds since the first 429 of a job, or since the last creation in one of its clusters."""
        if attempts.first_rate_limit is None:
            attempts.first_rate_limit = self._clock.now()
        creations = [self._last_created_at.get(cluster_id, 0) for cluster_id in cluster_ids]
        return self._clock.now() - max([attempts.first_rate_limit, *creations])

    def _all_exist(self, cluster_ids: list[int], exc: ApiError) -> bool:
        """Return whether all clusters are known to exist, requesting each once.

        :raises ApiError: if a cluster does not exist.
        """
        for cluster_id in cluster_ids:
            if self._cluster_exists(cluster_id) is False:
                raise _no_cluster_error(exc, cluster_id)
        return bool(cluster_ids) and all(map(self._cluster_exists, cluster_ids))

    def _cluster_exists(self, cluster_id: int) -> bool | None:
        if cluster_id in self._last_created_at:
            return True
        if cluster_id not in self._known_clusters:
            self._known_clusters[cluster_id] = self._reader.cluster_exists(cluster_id)
        return self._known_clusters[cluster_id]


def _lost_error(exc: DragonflyError, seconds: float, times: int) -> DragonflyError:
    """Return the error for a POST without a response whose job does not appear."""
    message = (
        f"{exc.problem}. Whether the manager created the job is unknown: its list of jobs was read for {seconds:.0f} s "
        f"and does not show it{', twice' if times > 1 else ''}. What to do: check that the manager responds, then run "
        "the task again, which waits for the job if it exists."
    )
    return DragonflyError(message, "lost", exc.request, exc.status)


def _no_job_type_error(exc: ApiError, kind: str) -> ApiError:
    return exc.with_meaning("no_api", f"its release has no jobs of the type {kind}: upgrade the manager")


def _no_cluster_error(exc: ApiError, cluster_id: int) -> ApiError:
    problem = f"cluster {cluster_id} does not exist (this manager reports a rate limit instead)"
    return exc.with_meaning("no_cluster", f"{problem}: correct scheduler_cluster_ids")
