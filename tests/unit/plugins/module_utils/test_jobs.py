# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs are found in any order, with pages and broken rows of a manager."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _jobs, _pages
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    ApiError,
    DragonflyError,
    GarbledError,
    InputError,
    TransportError,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader, limit_kept
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import Releases
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._retrying import is_transient

RECORDINGS = Path(__file__).resolve().parents[3] / "contract" / "recordings"
NO_API = (301, b"", {"Location": "/"})
ALL = float("inf")


def at(seconds_ago):
    return datetime.fromtimestamp(time.time() - seconds_ago, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def row(number, age=0, state="SUCCESS", **more):
    return dict(
        {"id": number, "created_at": at(age), "state": state, "type": "preheat", "args": {}, "result": {}}, **more
    )


class Jobs:
    """The jobs of a manager in its API.

    :ivar rows: list of dict, the oldest first.
    :ivar broken: IDs of rows that make their list unreadable.
    :ivar routes: dict of other paths to a response, or to a list of responses; the last one is repeated.
    """

    def __init__(self, loopback, api="/oapi/v1"):
        self.rows, self.broken, self.routes = [], set(), {}
        self.api = api
        self.newest_first = True
        self.requests = loopback.requests
        loopback.answers = self.answer

    def answer(self, request):
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path in self.routes:
            answers = self.routes[parts.path]
            if isinstance(answers, list):
                return answers.pop(0) if len(answers) > 1 else answers[0]
            return answers
        if parts.path == self.api + "/jobs":
            return self.page(query)
        if parts.path.startswith(self.api + "/jobs/"):
            number = int(parts.path.rpartition("/")[2])
            return next(
                ((200, job) for job in self.rows if job["id"] == number), (404, {"message": "record not found"})
            )
        return NO_API

    def page(self, query):
        rows = [job for job in self.rows if all(job[key] == query[key] for key in ("type", "state") if key in query)]
        rows = rows[::-1] if self.newest_first else rows
        page, size = int(query["page"]), int(query["per_page"])
        mine = rows[(page - 1) * size : page * size]
        if self.broken & {job["id"] for job in mine}:
            return 404, {"message": "record not found"}
        return 200, mine, {"Link": f"<{self.api}/jobs?page={int(-(-len(rows) // size))}>;rel=last"}

    def lists(self):
        return [request.path for request in self.requests if urlsplit(request.path).path == self.api + "/jobs"]


@pytest.fixture
def jobs(loopback):
    return Jobs(loopback)


@pytest.fixture
def reader(loopback, clock):
    return JobReader(DragonflyClient(Http(timeout=5), loopback.url), clock)


def ids(pages):
    return [job["id"] for page in pages for job in page]


@pytest.mark.parametrize(
    "exc, answer",
    [
        (TransportError("", "refused", "", sent=False), True),
        (TransportError("", "read_timeout", "", sent=True), True),
        (TransportError("", "dns", "", sent=False), True),
        (TransportError("", "tls", "", sent=False), False),
        (TransportError("", "bad_file", "", sent=False), False),
        (GarbledError("", "garbled"), True),
        (GarbledError("", "not_a_manager"), False),
        (ApiError("", "server_error", "", 500), True),
        (ApiError("", "rate_limited", "", 429), True),
        (ApiError("", "denied", "", 403), False),
        (ApiError("", "not_found", "", 404), False),
        (InputError(""), False),
    ],
)
def test_is_transient(exc, answer):
    assert is_transient(exc) is answer


# The newest jobs


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("number", [0, 1, 2, 49, 50, 51, 120])
def test_all_jobs_come_newest_first(jobs, reader, number, newest_first):
    jobs.rows = [row(index + 1) for index in range(number)]
    jobs.newest_first = newest_first
    assert ids(reader.iter_recent_jobs(ALL)) == list(range(number, 0, -1))
    assert reader.seen_ids == set(range(1, number + 1))


@pytest.mark.parametrize("newest_first", [True, False])
def test_nothing_older_is_read(jobs, reader, newest_first):
    jobs.rows = [row(index + 1, age=100 * (200 - index)) for index in range(200)]
    jobs.newest_first = newest_first
    assert ids(reader.iter_recent_jobs(1050)) == list(range(200, 190, -1))
    assert len(jobs.lists()) == (1 if newest_first else 2)


def test_rows_without_a_time_are_not_old(jobs, reader):
    jobs.rows = [row(index + 1, created_at="0001-01-01T00:00:00Z") for index in range(60)]
    assert ids(reader.iter_recent_jobs(10)) == list(range(60, 0, -1))


def test_a_look_without_interest_is_one_row(jobs, reader):
    jobs.rows = [row(index + 1) for index in range(60)]
    assert ids(reader.iter_recent_jobs(None)) == [60]
    assert len(jobs.lists()) == 1


def test_rows_keep_what_is_asked_for(jobs, reader):
    jobs.rows = [row(1)]
    kept = {"id", "created_at", "updated_at", "type", "state", "bio", "args", "scheduler_clusters"}
    assert set(next(reader.iter_recent_jobs(ALL))[0]) == kept
    assert next(reader.iter_recent_jobs(ALL, transform=lambda job: job))[0]["result"] == {}


def test_rows_that_are_none_are_left_out(jobs, reader):
    jobs.routes["/oapi/v1/jobs"] = 200, [{"id": 2}, {"id": "x"}, {}, {"id": True}, {"id": 1}]
    assert ids(reader.iter_recent_jobs(ALL)) == [2, 1]


def test_filters(jobs, reader):
    jobs.rows = [row(1), row(2, type="gc"), row(3, state="PENDING")]
    assert ids(reader.iter_recent_jobs(ALL, type="preheat", state=None)) == [3, 1]
    assert ids(reader.iter_recent_jobs(ALL, state="SUCCESS")) == [2, 1]


# Lists that change while they are read, and lists without end


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("created, gone", [(1, 0), (0, 1), (60, 0), (0, 40), (3, 2), (2, 3)])
def test_jobs_that_move_between_pages(jobs, reader, loopback, created, gone, newest_first):
    jobs.rows = [row(number) for number in range(1, 301)]
    jobs.newest_first = newest_first
    remain = set(range(1, 181))

    def answer(request):
        answered = jobs.answer(request)
        if len(jobs.requests) < 4:
            # Others create jobs, and recent ones leave the list, like finished jobs leave the list of pending ones.
            newest = jobs.rows[-1]["id"]
            jobs.rows = jobs.rows[: -gone or None] + [row(newest + number + 1) for number in range(created)]
        return answered

    loopback.answers = answer
    ids_seen = ids(reader.iter_recent_jobs(ALL))
    assert len(ids_seen) == len(set(ids_seen))
    assert remain <= set(ids_seen)


def endless_pages(first_id):
    """Return a function that answers requests for pages, each full of valid rows, and each with another one after it.

    :param first_id: function of page and size that returns the ID of the first row of a page.
    """

    def answer(request):
        query = parse_qs(urlsplit(request.path).query)
        page, size = int(query["page"][0]), int(query["per_page"][0])
        first = first_id(page, size)
        batch = [row(first - number) for number in range(size)]
        return 200, batch, {"Link": f"</oapi/v1/jobs?page={page + 1}>;rel=last"}

    return answer


ENDLESS = {
    "decreasing IDs": (lambda page, size: 10**9 - (page - 1) * size, "too_large", "does not end"),
    "the same IDs": (lambda page, size: 1000, "garbled", "repeats itself"),
    "increasing IDs": (lambda page, size: 10**6 + 1000 * page, "garbled", "changes with each page"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_pages_without_end(loopback, reader, kind, monkeypatch):
    monkeypatch.setattr(_pages, "MOST_ROWS", 5000)
    first_id, reason, problem = ENDLESS[kind]
    loopback.answers = endless_pages(first_id)
    with pytest.raises(GarbledError) as caught:
        list(reader.iter_recent_jobs(ALL))
    assert caught.value.reason == reason
    assert f"/oapi/v1/jobs: the list of jobs {problem}" in caught.value.message
    assert "What to do:" in caught.value.message
    assert len(loopback.requests) < 250


@pytest.mark.parametrize("last", [10**9 - 1, 10**6])
def test_pages_without_end_that_come_oldest_first(loopback, reader, last, monkeypatch):
    monkeypatch.setattr(_pages, "MOST_ROWS", 5000)
    loopback.answers = lambda request: (
        200,
        [row(100 * len(loopback.requests) + number) for number in range(50)],
        {"Link": f"</oapi/v1/jobs?page={last}>;rel=last"},
    )
    with pytest.raises(GarbledError):
        list(reader.iter_recent_jobs(ALL))
    loopback.answers = [(200, [], {"Link": f"</oapi/v1/jobs?page={last}>;rel=last"})]
    assert list(reader.iter_recent_jobs(ALL)) == [[]]


def test_large_jobs_are_read_one_after_the_other(jobs, reader, loopback, monkeypatch):
    monkeypatch.setattr(_jobs, "_SMALL_JOB", 1000)
    jobs.rows = [row(number, bio="x" * 5000 * (number % 2)) for number in range(1, 9)]
    under_way, most, lock = [0], [0], threading.Lock()

    def transform(job_id, job):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.05)
        with lock:
            under_way[0] -= 1
        return job_id, len(job["bio"])

    expected = {number: (number, 5000 * (number % 2)) for number in range(1, 9)}
    assert reader.poll_once(sorted(expected), transform=transform).jobs == expected
    assert most[0] > 1
    most[0] = 0
    odd = [number for number in expected if number % 2]
    assert list(reader.get_each(odd, transform)) == [expected[number] for number in odd]
    assert most[0] == 1


def test_a_large_job_that_cannot_be_read(jobs, reader, monkeypatch):
    monkeypatch.setattr(_jobs, "_SMALL_JOB", 1000)
    monkeypatch.setattr(_jobs, "ROW_LIMIT", 3000)
    jobs.rows = [row(1, bio="x" * 5000), row(2, bio="x" * 2000)]
    first, second = reader.get_each([1, 2])
    assert first.reason == "too_large"
    assert second["id"] == 2


def test_no_more_is_kept_than_fits_into_memory(monkeypatch):
    monkeypatch.setattr(_jobs, "_MOST_KEPT", 1000)
    keep = limit_kept(lambda job: {"bio": job["bio"]})
    assert keep({"bio": "x" * 900, "result": "x" * 5000}) == {"bio": "x" * 900}
    with pytest.raises(GarbledError) as caught:
        keep({"bio": "x" * 100})
    assert caught.value.reason == "too_large"
    assert "What to do: read fewer at a time" in caught.value.message


def test_no_page_is_read_when_the_time_of_the_task_is_up(loopback, clock):
    def answer(request):
        clock.time += 3
        return endless_pages(ENDLESS["decreasing IDs"][0])(request)

    loopback.answers = answer
    clock.limit(10, 3)
    reader = JobReader(DragonflyClient(Http(timeout=3, clock=clock), loopback.url), clock)
    with pytest.raises(TransportError) as caught:
        list(reader.iter_recent_jobs(ALL))
    assert caught.value.reason == "timed_out"
    assert "/oapi/v1/jobs: not sent, because the time of the task is up" in caught.value.message
    assert len(loopback.requests) == 5


@pytest.mark.parametrize("number, broken", [(10, {4}), (120, {40}), (120, {115}), (120, {3, 100})])
def test_a_broken_row_hides_no_other(jobs, reader, number, broken):
    """A job of a missing user stays PENDING, and its page of a list is a 404."""
    jobs.rows = [
        row(index + 1, state="PENDING" if index + 1 in broken or index % 30 == 0 else "SUCCESS")
        for index in range(number)
    ]
    jobs.broken = broken
    ids_seen = ids(reader.iter_recent_jobs(ALL))
    assert sorted(ids_seen) == sorted(set(range(1, number + 1)) - broken)
    [warning] = reader.warnings
    assert "unreadable" in warning


def test_a_manager_without_open_api(loopback, reader):
    jobs = Jobs(loopback, api="/api/v1")
    jobs.rows = [row(1), row(2)]
    assert ids(reader.iter_recent_jobs(ALL)) == [2, 1]
    assert reader.releases.before((2, 1, 0))
    [warning] = reader.warnings
    assert "2.0.x" in warning
    assert reader.get(1)["id"] == 1
    assert reader.all_cluster_ids() is None
    paths = [request.path.partition("?")[0] for request in loopback.requests]
    assert paths == ["/oapi/v1/jobs", "/api/v1/jobs", "/api/v1/jobs/1"]


def test_a_job_of_a_manager_without_open_api(loopback, reader):
    jobs = Jobs(loopback, api="/api/v1")
    jobs.rows = [row(1), row(2)]
    assert [reader.get(job_id)["id"] for job_id in (2, 1)] == [2, 1]
    assert (reader.releases.high, len(reader.warnings)) == ((2, 1, 0), 1)
    assert [request.path for request in loopback.requests] == ["/oapi/v1/jobs/2", "/api/v1/jobs/2", "/api/v1/jobs/1"]


def test_a_manager_without_open_api_that_breaks_off(loopback, reader):
    jobs = Jobs(loopback, api="/api/v1")
    jobs.rows = [row(1)]
    breaks = [b""]
    loopback.answers = lambda request: (
        breaks.pop() if breaks and request.path.startswith("/api") else jobs.answer(request)
    )
    assert ids(reader.iter_recent_jobs(ALL)) == [1]
    assert (reader.releases.high, len(reader.warnings)) == ((2, 1, 0), 1)


@pytest.mark.parametrize("answer", [NO_API, (401, {"message": "a"}), (403, {"message": "a"})])
def test_a_manager_without_any_jobs_api(loopback, reader, answer):
    loopback.answers = lambda request: NO_API if request.path.startswith("/oapi") else answer
    with pytest.raises(ApiError) as caught:
        list(reader.iter_recent_jobs(ALL))
    assert caught.value.reason == "no_api"
    assert "/oapi/v1/jobs" in caught.value.message
    assert reader.warnings == []


def test_the_echo_and_the_headers_tell_the_release(jobs, reader):
    text = (RECORDINGS / "2.3.4/image_success.json").read_text(encoding="utf-8")
    args = json.loads(text)["exchanges"][-1]["response"]["json"]["args"]
    jobs.rows = [row(1, args=args)]
    list(reader.iter_recent_jobs(ALL))
    assert (reader.releases.low, reader.releases.high) == ((2, 3, 1), (2, 4, 4))


def test_a_header_tells_the_release(jobs, reader):
    jobs.routes["/oapi/v1/jobs"] = 200, [], {"X-Server-IP": "10.0.0.1"}
    list(reader.iter_recent_jobs(ALL))
    assert reader.releases.low == (2, 1, 57)


# Again


@pytest.mark.parametrize("failures, pauses", [(0, []), (1, [1]), (2, [1, 2])])
def test_what_may_pass_is_tried_again(jobs, reader, clock, failures, pauses):
    jobs.routes["/oapi/v1/jobs/1"] = [(503, {})] * failures + [(200, row(1))]
    assert reader.get(1)["id"] == 1
    assert clock.pauses == pauses


def test_and_given_up_after_three(jobs, reader, clock):
    jobs.routes["/oapi/v1/jobs/1"] = 503, {}
    with pytest.raises(ApiError):
        reader.get(1)
    assert len(jobs.requests) == 3


def test_a_no_is_no(jobs, reader, clock):
    with pytest.raises(ApiError):
        reader.get(1)
    assert (len(jobs.requests), clock.pauses) == (1, [])


def test_now_is_the_managers(jobs, reader, clock, loopback):
    assert reader.now() == clock.wall()
    jobs.routes["/oapi/v1/jobs/1"] = 200, row(1)
    for now in (1000000.0, 2000000.0):
        loopback.now = lambda now=now: now
        reader.get(1)
        assert reader.now() == now
        clock.time += 100
        assert reader.now() == now + 100


# Other responses of a manager


@pytest.mark.parametrize(
    "answer, clusters",
    [
        ((200, [{"id": 1}, {"id": 7}]), {1, 7}),
        ((200, []), None),
        ((200, None), None),
        ((403, {"message": "no permission"}), None),
        (NO_API, None),
        ((200, {"x": 1}), None),
    ],
)
def test_all_cluster_ids(jobs, reader, answer, clusters):
    jobs.routes["/oapi/v1/clusters"] = answer
    assert reader.all_cluster_ids() == clusters
    request = len(jobs.requests)
    assert reader.all_cluster_ids() == clusters
    assert len(jobs.requests) == request


@pytest.mark.parametrize(
    "answer, exists",
    [
        ((200, {"id": 1}), True),
        ((404, {"message": "record not found"}), False),
        ((403, {}), None),
        (NO_API, None),
        (b"", None),
    ],
)
def test_cluster_exists(jobs, reader, answer, exists):
    jobs.routes["/oapi/v1/clusters/1"] = answer
    assert reader.cluster_exists(1) is exists


@pytest.mark.parametrize(
    "release, low, high",
    [
        ("2.0.9", None, (2, 1, 0)),
        ("2.1.0", (2, 1, 0), (2, 1, 9)),
        ("2.1.67", (2, 1, 9), (2, 2, 2)),
        ("2.3.4", (2, 2, 2), (2, 4, 1)),
        ("2.5.1", (2, 4, 1), None),
    ],
)
def test_recorded_probes(jobs, reader, release, low, high):
    for exchange in json.loads((RECORDINGS / release / "probes.json").read_text(encoding="utf-8"))["exchanges"]:
        answer = exchange["response"]
        body = answer.get("json", answer.get("text", "").encode("utf-8"))
        headers = {name: answer["headers"][name] for name in ("Content-Type", "Location") if name in answer["headers"]}
        jobs.routes[urlsplit(exchange["request"]["path"]).path] = answer["status"], body, headers
    assert reader.probe_releases()
    assert (reader.releases.low, reader.releases.high) == (low, high)
    assert not reader.probe_releases()


def test_probes_that_tell_nothing(loopback, reader):
    loopback.answers = [(500, {})]
    reader.releases = Releases((2, 1, 0), (2, 2, 0))
    reader.probe_releases()
    # The manager may have been upgraded, but never downgraded.
    assert (reader.releases.low, reader.releases.high) == ((2, 1, 0), None)


# Waiting


def test_one_job_is_asked_for_by_its_id(jobs, reader):
    jobs.rows = [row(1, state="PENDING")]
    assert reader.poll_once([1]).jobs[1]["state"] == "PENDING"
    assert [request.path for request in jobs.requests] == ["/oapi/v1/jobs/1"]


def test_several_jobs_are_asked_for_by_the_list_of_pending_ones(jobs, reader):
    jobs.rows = [row(1, state="PENDING"), row(2), row(3, state="PENDING"), row(4, state="FAILURE")]
    states = {number: job["state"] for number, job in reader.poll_once([1, 2, 3, 4]).jobs.items()}
    assert states == {2: "SUCCESS", 4: "FAILURE"}
    assert len(jobs.lists()) == 1
    assert len(jobs.requests) == 3


def test_a_job_that_is_gone(jobs, reader):
    jobs.rows = [row(1, state="PENDING")]
    assert reader.poll_once([1, 2]).jobs == {2: None}
    assert reader.poll_once([2]).jobs == {2: None}


def test_a_broken_row_among_the_pending_ones(jobs, reader):
    jobs.rows = [row(1, state="PENDING"), row(2), row(3, state="PENDING")]
    jobs.broken = {3}
    assert sorted(reader.poll_once([1, 2]).jobs) == [1, 2]
    # From now on, each is requested by its ID.
    lists = len(jobs.lists())
    reader.poll_once([1, 2])
    assert len(jobs.lists()) == lists


def test_a_poll_that_fails_may_pass(jobs, reader, loopback):
    jobs.rows = [row(1)]
    jobs.routes["/oapi/v1/jobs/1"] = [(502, {}), (200, row(1))]
    assert reader.poll_once([1]).jobs == {}
    assert reader.last_error.status == 502
    assert reader.poll_once([1]).jobs[1]["id"] == 1
    assert reader.last_error is None


def test_part_of_a_poll_that_fails(jobs, reader):
    jobs.rows = [row(1), row(2)]
    jobs.routes["/oapi/v1/jobs/2"] = 502, {}
    result = reader.poll_once([1, 2])
    assert list(result.jobs) == [1]
    assert reader.last_error.status == 502


@pytest.mark.parametrize("awaited", [[1], [1, 2]])
def test_a_poll_that_is_refused(jobs, reader, awaited):
    jobs.routes = {path: (401, {"message": "Unauthorized"}) for path in ("/oapi/v1/jobs/1", "/oapi/v1/jobs/2")}
    with pytest.raises(DragonflyError) as caught:
        reader.poll_once(awaited)
    assert caught.value.status == 401
