# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs with lost responses, rate limits and timeouts, on a clock that only their own pauses advance.

The runs of the whole module against the sandbox are in tests/unit/plugins/modules/test_preheat.py.
"""

from __future__ import annotations

import re
import threading
import typing as t
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError, TransportError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.context import RunContext
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.run import run_preheat

FILE = "https://origin.example/model.bin?X-Amz-Signature=hidden"
LIMITED = (429, b"rate limit exceeded", {"Content-Type": "text/plain; charset=utf-8"})
LOST = b""  # The connection breaks.
#: A random number with which a run does not pause before it creates jobs.
NO_PAUSE = 0.01
ECHO = {
    "application": "",
    "concurrent_peer_count": 500,
    "concurrent_task_count": 8,
    "count": None,
    "filtered_query_params": "",
    "headers": None,
    "ips": None,
    "password": "",
    "percentage": None,
    "piece_length": None,
    "platform": "",
    "scope": "single_seed_peer",
    "tag": "",
    "timeout": 3600 * 10**9,
    "urls": None,
    "username": "",
}


class Manager:
    """A manager of 2.3.4 with jobs that become warm.

    :ivar posts: results of the POSTs in order: None creates a job, ``lost`` creates one without a response, a function
        returns the response, and anything else is the response, without a job. Later POSTs create jobs.
    :ivar dead: clusters without a scheduler.
    :ivar late: seconds until rows are visible.
    :ivar takes: seconds of a job.
    :ivar outcome: function of a job's URL that returns the success_tasks of its result.
    """

    def __init__(self, loopback, clock):
        self.clock = clock
        self.rows, self.posts, self.clusters = [], [], [1]
        self.dead: set[int] = set()
        self.late, self.takes = 0, 5
        self.outcome = lambda url: [{"ip": "10.0.0.1", "url": url}]
        self.cluster_answer = None
        self.seen = []
        self._lock = threading.Lock()
        loopback.now = clock.wall
        loopback.answers = self.answer

    def count(self, method, path="/oapi/v1/jobs"):
        return self.seen.count((method, path))

    def answer(self, request):
        parts = urlsplit(request.path)
        with self._lock:
            self.seen.append((request.method, parts.path))
            if request.method == "POST":
                return self.post(request.json())
            if parts.path == "/oapi/v1/clusters":
                return 200, [{"id": cluster_id} for cluster_id in self.clusters]
            if parts.path.startswith("/oapi/v1/clusters/"):
                return self.cluster_answer or (404, {"message": "record not found"})
            now = self.clock.wall()
            rows = [self.show(job, now) for job in self.rows if now - job["time"] >= self.late]
            if parts.path == "/oapi/v1/jobs":
                wanted = parse_qs(parts.query)
                shown = [
                    job
                    for job in reversed(rows)
                    if all(job[key] in wanted.get(key, [job[key]]) for key in ("type", "state"))
                ]
                return 200, [dict(job, scheduler_clusters=None) for job in shown[: int(wanted["per_page"][0])]]
            number = int(parts.path.rpartition("/")[2])
            return next(((200, job) for job in rows if job["id"] == number), (404, {"message": "record not found"}))

    def post(self, body):
        what = self.posts.pop(0) if self.posts else None
        if what not in (None, "lost"):
            return what() if callable(what) else what
        clusters = [number for number in body.get("scheduler_cluster_ids") or self.clusters if number not in self.dead]
        if not clusters:
            return 500, {"message": "candidate schedulers not found"}
        self.create(body, clusters)
        return LOST if what == "lost" else (200, self.show(self.rows[-1], self.clock.wall()))

    def create(self, body, clusters):
        self.rows.append(
            {
                "id": len(self.rows) + 1,
                "type": body["type"],
                "time": self.clock.wall(),
                "bio": body["bio"],
                "args": dict(
                    ECHO, **{key: value for key, value in body["args"].items() if key in ECHO or key in ("type", "url")}
                ),
                "scheduler_clusters": [{"id": cluster_id} for cluster_id in clusters],
            }
        )

    def show(self, row, now):
        made = datetime.fromtimestamp(row["time"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = now - row["time"] >= self.takes
        written = datetime.fromtimestamp(row["time"] + (self.takes if done else 0), timezone.utc)
        shown = dict(row, created_at=made, updated_at=written.strftime("%Y-%m-%dT%H:%M:%SZ"))
        shown["state"] = "SUCCESS" if done else "PENDING"
        results = [
            {
                "scheduler_cluster_id": cluster["id"],
                "success_tasks": self.outcome(row["args"]["url"]),
                "failure_tasks": None,
            }
            for cluster in row["scheduler_clusters"]
        ]
        shown["result"] = (
            {"state": shown["state"], "job_states": [{"state": shown["state"], "results": results}]} if done else None
        )
        return shown


@pytest.fixture
def manager(loopback, clock):
    return Manager(loopback, clock)


def params(**own):
    base = {
        "max_age": 3600,
        "verify": "auto",
        "scope": "single_seed_peer",
        "wait": True,
        "wait_timeout": 4200,
        "wait_sleep": 5,
        "force": False,
        "max_failed_peers_percentage": 0,
    }
    if not {"file", "files"} & set(own):
        base["file"] = FILE
    return dict(base, **own)


def no_registry(planned):
    raise AssertionError(f"a manifest of {planned} is read")


class PreparedRun(t.NamedTuple):
    """A prepared run."""

    context: RunContext
    progress: t.Callable[[str], None]

    @property
    def warnings(self):
        return self.context.warnings

    def run(self):
        return run_preheat(self.context, no_registry, self.progress)


@pytest.fixture
def start(loopback, clock, manager):
    """Return a function that prepares a run of the options."""

    def make(client=None, check_mode=False, progress=None, chance=lambda: NO_PAUSE, **own):
        client = client or DragonflyClient(Http(auth="Bearer t", timeout=5), loopback.url)
        context = RunContext(client, params(**own), clock, check_mode, chance)
        return PreparedRun(context, progress or (lambda line: None))

    return make


def test_a_job_is_made_and_awaited(manager, start, clock):
    manager.takes = 12
    lines: list[str] = []
    result = start(progress=lines.append).run()
    assert not result["failed"]
    assert result["changed"]
    [job] = result["jobs"]
    assert (job["source"], job["outcome"], job["verified"], job["warm_percentage"]) == ("created", "warm", "blobs", 100)
    assert clock.pauses == [5, 5, 5]
    assert result["elapsed"] == 15
    name = "https://origin.example/model.bin?X-Amz-Signature=********"
    assert lines == [f"{name}: 0 of 1 warm, 1 pending", f"{name}: 1 of 1 warm"]
    assert result["msg"] == "1 of 1 warm: 1 created"
    assert result["counts"] == {"jobs": 1, "warm": 1, "created": 1, "adopted": 0, "found": 0, "planned": 0}
    assert result["diff"] == {
        "before": "",
        "after": "preheat https://origin.example/model.bin?X-Amz-Signature=********\n",
    }
    assert "hidden" not in str(result)


def test_a_second_run_finds_it(manager, start, clock):
    start().run()
    clock.time += 1000
    result = start().run()
    assert not result["changed"]
    assert result["jobs"][0]["source"] == "found"
    assert manager.count("POST") == 1
    clock.time += 3600
    assert start().run()["jobs"][0]["source"] == "created"


@pytest.mark.parametrize("files", [[FILE], [FILE, "https://origin.example/other.bin"]])
def test_a_job_that_the_manager_does_not_watch_any_more_is_not_awaited(manager, start, files):
    # Its row is no longer written, as after a restart of the manager.
    manager.takes = 10**6
    result = start(files=files).run()
    assert result["reason"] == "given_up"
    assert "run the task again, which creates a new job" in result["msg"]
    assert 360 < result["elapsed"] <= 370
    assert start(files=files, wait=False).run()["jobs"][0]["source"] == "created"


def test_a_running_job_is_adopted(manager, start):
    start(wait=False).run()
    result = start().run()
    assert (result["changed"], result["jobs"][0]["source"], result["jobs"][0]["outcome"]) == (False, "adopted", "warm")


def create_job(manager, url=FILE, cluster_id=None, **options):
    """Create the job that a run creates for a file."""
    planned = PlannedJob("file", url, url, {"scope": "single_seed_peer", **options}, "")
    manager.post(planned.body(cluster_id))


@pytest.mark.parametrize("wait", [True, False])
def test_a_job_that_another_run_creates_during_the_pause_is_adopted(manager, start, wait):
    def others() -> float:
        for _run in range(2):
            create_job(manager)
        return 1.0

    result = start(chance=others, wait=wait).run()
    assert (result["changed"], result["failed"], manager.count("POST")) == (False, False, 0)
    [job] = result["jobs"]
    assert (job["source"], job["outcome"]) == ("adopted", "warm" if wait else "pending")
    # Several identical jobs satisfy a later run.
    later = start().run()
    assert (later["changed"], len(later["jobs"]), manager.count("POST")) == (False, 1, 0)


def test_a_run_waits_as_long_as_another_one_creates_what_it_misses(manager, start, clock):
    urls = [f"https://origin.example/{number}" for number in range(5)]
    others = iter(urls[:3])

    def create_next() -> float:
        url = next(others, None)
        if url:
            create_job(manager, url)
        return 1.0

    result = start(chance=create_next, files=urls, wait=False).run()
    assert [job["source"] for job in result["jobs"]] == ["adopted"] * 3 + ["created"] * 2
    assert clock.pauses == [1.0] * 4
    assert manager.count("POST") == 2


def test_the_other_clusters_of_a_job_are_left_to_another_run(manager, start):
    manager.clusters = [1]
    create_job(manager)
    manager.clusters = [1, 2]

    def other_run() -> float:
        create_job(manager)
        manager.rows[-1]["scheduler_clusters"] = [{"id": 2}]
        return 1.0

    result = start(chance=other_run).run()
    assert (result["changed"], len(result["jobs"]), manager.count("POST")) == (False, 2, 0)


def test_a_job_that_did_not_count_before_the_pause_does_not_count_after_it(manager, start, clock):
    show = manager.show

    def show_second_job_failed(row, now):
        return {**show(row, now), **({"state": "FAILURE"} if row["id"] == 2 else {})}

    manager.show = show_second_job_failed
    create_job(manager)
    create_job(manager)
    clock.pause(60)
    assert start(wait=False).run()["changed"]


def test_a_job_that_lacks_hosts_does_not_count_after_the_pause(manager, start, clock):
    create_job(manager, scope="all_peers")
    clock.pause(manager.takes)
    result = start(scope="all_peers", expected_ips=["10.0.0.2"], wait=False).run()
    assert (result["changed"], manager.count("POST")) == (True, 1)


@pytest.mark.parametrize("options", [{"force": True}, {"check_mode": True}])
def test_a_run_that_creates_in_any_case_or_never_does_not_pause(manager, start, clock, options):
    start(chance=lambda: 1.0, wait=False, **options).run()
    assert clock.pauses == []
    assert manager.count("GET") == 1


def test_the_pause_is_short_where_the_task_has_little_time(manager, start, clock):
    clock.limit(3, 1)
    assert not start(chance=lambda: 1.0, wait=False).run()["failed"]
    assert clock.pauses == [pytest.approx(0.3)]


def test_the_time_is_up(manager, start, clock):
    manager.takes = 10**6
    result = start(wait_timeout=12).run()
    assert (result["failed"], result["reason"]) == (True, "timed_out")
    assert clock.pauses == [5, 5, 2]
    assert manager.count("GET", "/oapi/v1/jobs/1") == 4
    assert "PENDING after 12 s" in result["msg"]


def test_check_mode_makes_nothing(manager, start, clock):
    result = start(check_mode=True).run()
    assert (result["changed"], result["jobs"][0]["source"], result["jobs"][0]["outcome"]) == (
        True,
        "planned",
        "planned",
    )
    assert manager.rows == []
    assert clock.pauses == []
    assert not result["failed"]


# Lost responses


def test_a_lost_post_is_found(manager, start, clock):
    manager.posts = ["lost"]
    result = start().run()
    assert (result["changed"], result["failed"], result["jobs"][0]["source"]) == (True, False, "created")
    assert len(manager.rows) == 1


def test_a_lost_post_is_found_late(manager, start, clock):
    manager.posts, manager.late = ["lost"], 28
    assert not start().run()["failed"]
    assert len(manager.rows) == 1
    assert sum(clock.pauses[:6]) == 30


@pytest.mark.parametrize("posts, made", [([LOST], 1), ([LOST, "lost"], 1)])
def test_a_lost_post_that_made_nothing_is_sent_again(manager, start, clock, posts, made):
    manager.posts = posts
    assert not start().run()["failed"]
    assert len(manager.rows) == made
    assert manager.count("POST") == 2
    assert sum(clock.pauses) >= 60


@pytest.mark.parametrize("answer", [LOST, (502, {}), (503, {}), (504, {}), (200, {}), (200, b"{")])
def test_a_post_that_is_lost_twice_fails(manager, start, clock, answer):
    manager.posts = [answer] * 9
    result = start().run()
    assert (result["failed"], result["reason"], result["changed"]) == (True, "lost", False)
    assert manager.count("POST") == 2
    assert 120 <= sum(clock.pauses) < 130
    assert "read for 60 s and does not show it, twice" in result["msg"]
    assert result["msg"].count("What to do:") == 1


@pytest.mark.parametrize("seconds, posts", [(10, 1), (60, 1), (61, 2), (90, 2)])
def test_a_lost_post_is_looked_for_no_longer_than_the_task_may_take(manager, start, clock, seconds, posts):
    manager.posts = [LOST] * 9
    clock.limit(seconds, 5)
    result = start(wait_timeout=seconds).run()
    assert clock.elapsed == seconds
    assert (result["failed"], result["reason"], result["jobs"][0]["outcome"]) == (True, "lost", "unknown")
    assert manager.count("POST") == posts
    assert "Whether the manager created the job is unknown" in result["msg"]
    assert "run the task again" in result["msg"]


def test_a_lost_post_that_appears_late_is_found_at_the_end(manager, start, clock):
    manager.posts, manager.late, manager.takes = ["lost"], 12, 10**6
    clock.limit(12, 5)
    [job] = start(wait_timeout=12).run()["jobs"]
    assert (job["id"], job["reason"]) == (1, "timed_out")
    assert manager.count("POST") == 1


def test_nothing_is_created_when_the_time_is_up(manager, start, clock):
    clock.limit(10, 5)
    clock.time += 10
    result = start(wait_timeout=10).run()
    assert (result["reason"], result["jobs"][0]["outcome"], manager.count("POST")) == ("timed_out", "refused", 0)
    assert "no job was created" in result["msg"]


def test_a_rate_limit_is_waited_for_no_longer_than_the_task_may_take(manager, start, clock):
    manager.posts = [(429, {"message": "rate limit exceeded"})] * 10**4
    clock.limit(12, 5)
    result = start(files=[f"https://origin.example/{number}" for number in range(20)], wait_timeout=12).run()
    assert {job["reason"] for job in result["jobs"]} <= {"rate_limited", "timed_out"}
    assert clock.elapsed <= 12.1


def test_the_wait_begins_with_the_task(manager, start, clock):
    manager.takes = 10**6
    clock.limit(12, 5)
    clock.time += 5
    result = start(wait_timeout=12).run()
    assert clock.elapsed == 12
    assert "PENDING after 12 s" in result["msg"]


def test_no_older_job_is_taken_for_the_lost_one(manager, start, clock):
    for _number in range(2):
        start(force=True).run()
    clock.time += 100
    # With force, only the newest job is read before, so the time identifies the other one.
    manager.posts = [LOST, "lost"]
    assert start(force=True).run()["jobs"][0]["id"] == 3


def test_no_job_that_was_there_before_is_taken_for_the_lost_one(manager, start):
    start(wait=False).run()
    # It is as recent as the lost one.
    manager.posts = [LOST, "lost"]
    assert start(force=True).run()["jobs"][0]["id"] == 2


def test_clusters_that_the_job_found_after_a_lost_post_lacks_get_their_own(manager, start):
    manager.clusters = [1, 2]

    def lose_post_while_another_run_creates():
        create_job(manager, cluster_id=2)
        return LOST

    manager.posts = [lose_post_while_another_run_creates]
    result = start().run()
    assert not result["failed"]
    assert [(job["id"], job["source"], job["scheduler_cluster_ids"]) for job in result["jobs"]] == [
        (1, "created", [2]),
        (2, "created", [1]),
    ]


def test_each_cluster_gets_its_own_lost_job(manager, start):
    manager.clusters, manager.posts = [1, 2], ["lost", "lost"]
    result = start(scheduler_cluster_ids=[1, 2]).run()
    assert not result["failed"]
    assert len(manager.rows) == 2
    assert sorted((job["id"], tuple(job["scheduler_cluster_ids"])) for job in result["jobs"]) == sorted(
        (job["id"], tuple(cluster["id"] for cluster in job["scheduler_clusters"])) for job in manager.rows
    )


class Raced(Manager):
    """A manager to which another run sends a request for cluster 1 just after each request of this run for all."""

    def post(self, body):
        answer = super().post(body)
        if "scheduler_cluster_ids" not in body:
            self.create(body, [1])
        return answer


@pytest.mark.parametrize(
    "posts, dead, covered, warnings",
    [
        # The request of this run does not arrive.
        ([LOST], set(), [[1], [2], [3]], []),
        ([LOST, "lost"], set(), [[1], [2], [3]], []),
        ([LOST], {3}, [[1], [2]], ["Nothing is preheated in cluster 3, which has no active scheduler"]),
        # It arrives.
        (["lost"], set(), [[1, 2, 3]], []),
    ],
)
def test_a_lost_post_is_not_taken_for_the_job_of_another_run_for_fewer_clusters(
    loopback, clock, start, posts, dead, covered, warnings
):
    manager = Raced(loopback, clock)
    manager.clusters, manager.posts, manager.dead = [1, 2, 3], posts, dead
    run = start()
    result = run.run()
    assert not result["failed"], result["msg"]
    assert [job["scheduler_cluster_ids"] for job in result["jobs"]] == covered
    assert {job["outcome"] for job in result["jobs"]} == {"warm"}
    assert [text[: len(known)] for text, known in zip(run.warnings, warnings)] == warnings
    assert len(run.warnings) == len(warnings)


def test_two_files_with_the_same_content_share_the_jobs_found_and_made_after_a_lost_post(loopback, clock, start):
    manager = Raced(loopback, clock)
    manager.clusters, manager.posts = [1, 2], [LOST]
    url = "https://origin.example/model.bin?ns="
    result = start(files=[url + "1", url + "2"], filtered_query_params=["ns"]).run()
    assert [job["scheduler_cluster_ids"] for job in result["jobs"]] == [[1], [2], [1], [2]]
    assert len(manager.rows) == 2


def test_a_lost_post_for_a_cluster_without_scheduler_makes_no_second_job(manager, start):
    manager.clusters, manager.dead, manager.posts = [1, 2], {2}, ["lost"]
    run = start()
    result = run.run()
    assert [job["scheduler_cluster_ids"] for job in result["jobs"]] == [[1]]
    assert len(manager.rows) == 1
    [warning] = run.warnings
    assert warning.startswith("Nothing is preheated in cluster 2, which has no active scheduler")


# Rejections


class Unsent(DragonflyClient):
    """A client whose first POSTs do not reach the manager."""

    failures = 0

    def create_job(self, body):
        if self.failures:
            self.failures -= 1
            raise TransportError(
                "POST /oapi/v1/jobs: m refused the connection.", "refused", "POST /oapi/v1/jobs", sent=False
            )
        return super().create_job(body)


@pytest.mark.parametrize("failures, failed", [(1, False), (2, False), (3, True)])
def test_a_post_that_was_not_sent_is_sent_again(manager, loopback, start, clock, failures, failed):
    client = Unsent(Http(timeout=5), loopback.url)
    client.failures = failures
    result = start(client=client).run()
    assert result["failed"] is failed
    assert clock.pauses[: min(failures, 2)] == [1, 2][: min(failures, 2)]
    assert manager.count("POST") == (0 if failed else 1)


def test_a_refused_token_stops_every_post(manager, start):
    manager.posts = [(403, {"message": "Forbidden: token has expired"})] * 100
    files = [f"https://origin.example/{index}" for index in range(50)]
    result = start(files=files).run()
    assert result["failed"]
    assert result["reason"] == "token_expired"
    assert len(result["jobs"]) == 50
    assert {job["outcome"] for job in result["jobs"]} == {"refused"}
    assert manager.count("POST") <= 16
    assert result["msg"].startswith("50 of 50 are not warm.")
    assert "See jobs for the other 45." in result["msg"]


def test_a_rate_limit_is_waited_for(manager, start, clock):
    manager.posts = [LIMITED] * 3
    assert not start().run()["failed"]
    assert clock.pauses[:3] == [0.05] * 3
    assert len(manager.rows) == 1


def test_a_rate_limit_without_end(manager, start, clock):
    manager.posts = [LIMITED] * 10**4
    result = start().run()
    assert (result["failed"], result["reason"]) == (True, "rate_limited")
    assert 30 < sum(clock.pauses) < 40
    assert manager.count("POST") < 200
    assert "job_rate_limit" in result["msg"]


def test_a_cluster_that_does_not_exist(manager, start, clock):
    manager.posts = [LIMITED] * 10
    result = start(scheduler_cluster_ids=[77]).run()
    assert result["reason"] == "no_cluster"
    assert "cluster 77 does not exist" in result["msg"]
    assert manager.count("POST") == 1


def test_a_new_cluster_is_given_time(manager, start, clock):
    manager.posts, manager.cluster_answer = [LIMITED] * 150, (200, {"id": 7})
    assert not start(scheduler_cluster_ids=[7]).run()["failed"]
    assert 50 < sum(clock.pauses) < 60


@pytest.mark.parametrize(
    "answer, reason",
    [
        ((500, {"message": "candidate schedulers not found"}), "no_scheduler"),
        ((500, {"message": "manifest unknown: manifest unknown"}), "manifest_unknown"),
        ((422, {"errors": "Unknow type"}), "no_api"),
    ],
)
def test_a_job_that_is_refused(manager, start, answer, reason):
    manager.posts = [answer]
    result = start().run()
    assert (result["failed"], result["reason"], result["changed"]) == (True, reason, False)
    assert manager.count("POST") == 1


def test_an_option_that_the_manager_does_not_know(manager, start):
    """Before the first job, the release is unknown. The echo of this one shows it."""
    result = start(file=FILE, object_storage={"region": "r"}).run()
    assert (result["failed"], result["reason"], result["changed"]) == (True, "unknown_option", True)
    assert "object_storage (2.4.4 or later)" in result["msg"]
    assert len(manager.rows) == 1


# Waiting


def test_a_job_that_is_gone(manager, start):
    start(wait=False).run()
    run = start()
    manager.takes = 10
    show = manager.show
    # It exists during the lookup, and no longer during the wait.
    calls = []

    def vanish(row, now):
        calls.append(row)
        return show(row, now) if len(calls) < 3 else dict(show(row, now), id=99)

    manager.show = vanish
    result = run.run()
    assert result["reason"] == "gone"
    assert result["jobs"][0]["outcome"] == "gone"


def test_a_cold_job_is_made_again(manager, start, clock):
    manager.outcome = lambda url: []
    result = start().run()
    assert (result["failed"], result["reason"]) == (True, "nothing_warmed")
    manager.outcome = lambda url: [{"ip": "10.0.0.1", "url": url}]
    # The first job's row would now be read as warm, so restore its earlier result.
    first = manager.rows[0]["id"]
    show = manager.show
    manager.show = lambda row, now: (
        dict(show(row, now), result={"state": "SUCCESS"}) if row["id"] == first else show(row, now)
    )
    result = start().run()
    assert (result["failed"], result["jobs"][0]["source"], result["jobs"][0]["id"]) == (False, "created", 2)


def test_a_manager_that_goes_away_while_it_is_awaited(manager, loopback, start):
    manager.takes = 10**6
    run = start(wait_timeout=20)
    plain = loopback.answers

    def answer(request):
        if manager.rows and request.method == "GET":
            return 502, {}
        return plain(request)

    loopback.answers = answer
    result = run.run()
    assert result["reason"] == "timed_out"
    assert re.search(r"The last request failed: GET http://\S+/oapi/v1/jobs/1", result["msg"])


def test_a_token_that_ends_while_it_is_awaited(manager, loopback, start):
    manager.takes = 10**6
    plain = loopback.answers
    loopback.answers = lambda request: (
        (401, {"message": "Unauthorized"}) if manager.rows and request.method == "GET" else plain(request)
    )
    result = start().run()
    assert result["jobs"][0]["outcome"] == "unknown"
    assert result["reason"] == "token_unknown"


def test_a_list_that_is_refused_ends_the_run(loopback, start):
    loopback.answers = [(401, {"message": "Unauthorized"})]
    with pytest.raises(DragonflyError) as caught:
        start().run()
    assert caught.value.reason == "token_unknown"


def test_identical_files_share_the_new_job_of_each_cluster(manager, start):
    files = [f"https://origin.example/model.bin?X-Amz-Signature={signature}" for signature in ("a", "b")]
    options = {"files": files, "filtered_query_params": ["X-Amz-Signature"]}
    start(**options).run()
    manager.clusters = [1, 2, 3]
    jobs = start(**options).run()["jobs"]
    assert [job["source"] for job in jobs] == ["found", "created", "created", "found", "adopted", "adopted"]
    # Two threads create the jobs, in any order.
    assert {job["id"] for job in jobs[:3]} == {job["id"] for job in jobs[3:]} == {1, 2, 3}
    assert len(manager.rows) == 3
