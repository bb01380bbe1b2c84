# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the sandbox: faults of requests, outcomes of jobs, traps."""

from __future__ import annotations

import json
import time

import pytest
import requests
from ansible_collections.dragonflyoss.dragonfly.tests.contract.client import warm
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.rules import RuleError

BREAKS = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)

# Faults of requests


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({"fault": "reset"}, 0),
        ({"fault": "reset", "acts": True}, 1),
        ({"fault": "half"}, 1),
        ({"fault": "half", "acts": False}, 0),
        ({"fault": "timeout", "seconds": 0.1, "acts": True}, 1),
    ],
)
def test_a_broken_connection(start, options, made):
    box, client = start()
    image = box.image("a")
    box.rule(method="POST", path="/jobs$", times=1, **options)
    with pytest.raises(BREAKS):
        client.post(image.manifest_url)
    assert len(box.jobs) == made
    assert box.log[0].status is None
    assert box.log[0].fault == options["fault"]
    assert client.post(image.manifest_url).status_code == 200


def test_an_answer_that_comes_too_late(start):
    box, client = start()
    box.rule(fault="timeout", path="/jobs$", times=1)
    box.rule(fault="delay", path="/jobs$", seconds=0.3)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(box.url + client.api, headers=client.headers, timeout=0.2)
    begin = time.monotonic()
    assert client.ask("GET").status_code == 200
    assert time.monotonic() - begin >= 0.3


@pytest.mark.parametrize(
    ("options", "status", "kind", "text", "made"),
    [
        ({"fault": "status", "status": 503}, 503, "application/json", "by rule", 0),
        ({"fault": "status", "status": 502, "acts": True}, 502, "application/json", "by rule", 1),
        (
            {"fault": "status", "status": 429, "body": "rate limit exceeded", "headers": {"Retry-After": "7"}},
            429,
            "text/plain",
            "rate limit exceeded",
            0,
        ),
        (
            {"fault": "status", "status": 504, "body": "<html>", "content_type": "text/html"},
            504,
            "text/html",
            "<html>",
            0,
        ),
        ({"fault": "html"}, 200, "text/html", "Sign in", 0),
        ({"fault": "redirect"}, 301, "", "", 0),
        ({"fault": "redirect", "status": 302, "location": "https://sso.example.com/"}, 302, "", "", 0),
        ({"fault": "not_found"}, 404, "application/json", "record not found", 0),
        ({"fault": "body", "body": {"id": "seven"}}, 200, "application/json", "seven", 0),
    ],
)
def test_another_answer(start, options, status, kind, text, made):
    box, client = start()
    image = box.image("a")
    box.rule(method="POST", **options)
    answer = client.post(image.manifest_url)
    assert answer.status_code == status
    assert answer.headers.get("Content-Type", "").startswith(kind)
    assert text in answer.text
    assert len(box.jobs) == made
    for name, value in options.get("headers", {}).items():
        assert answer.headers[name] == value
    if status in (301, 302):
        assert answer.headers["Location"] == options.get("location", "/")


def test_two_documents_and_half_a_document(start):
    box, client = start()
    box.rule(fault="two_documents", times=1)
    box.rule(fault="invalid_json")
    assert client.ask("GET").text == "[][]"
    with pytest.raises(ValueError):
        client.ask("GET").json()


def test_a_row_read_while_it_is_written(start):
    box, client = start("2.3.4")
    number = client.run(box.image("a").manifest_url)["id"]
    box.rule(fault="zero_row", method="GET", times=1)
    row = client.get(number)
    assert (row["id"], row["task_id"], row["args"], row["state"]) == (0, "", None, "SUCCESS")
    assert client.get(number)["id"] == number


def test_which_requests_a_rule_takes(start):
    box, client = start()
    number = box.rule(fault="status", status=500, method="GET", query={"page": "2"}, nth=[2, 3], times=1)
    pages = [client.ask("GET", f"?page={page}").status_code for page in (2, 1, 2, 2, 2)]
    assert pages == [200, 200, 500, 200, 200]
    box.remove_rule(number)
    box.rule(fault="status", status=500, path="/jobs/[0-9]+$")
    assert client.ask("GET").status_code == 200
    assert client.ask("GET", "/1").status_code == 500
    box.clear_rules()
    assert client.ask("GET", "/1").status_code == 404


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fault": "reset", "outcome": "nothing"},
        {"fault": "earthquake"},
        {"outcome": "luck"},
        {"fault": "reset", "missing": [1]},
        {"outcome": "nothing", "path": "/"},
    ],
)
def test_a_rule_that_means_nothing(start, options):
    box, _client = start()
    with pytest.raises(RuleError):
        box.rule(**options)


# Outcomes of jobs


def _run(start, release, kind="oci", rule=None, **args):
    """Run one job, and return it and its image."""
    box, client = start(release)
    image = box.image("library/app", "1", kind=kind)
    if rule:
        box.rule(**rule)
    return client.run(image.manifest_url, **args), image, box


@pytest.mark.parametrize("release", ["2.1.67", "2.3.4", "2.5.1"])
def test_everything_is_fetched(start, release):
    job, image, box = _run(start, release)
    assert job["state"] == "SUCCESS"
    assert warm(job) == sorted(image.blobs())
    assert set(box.registry_content.blob_requests.values()) == {1}
    assert len(job["result"]["job_states"]) == (4 if release == "2.1.67" else 1)


@pytest.mark.parametrize("release", ["2.0.9", "2.1.0"])
def test_everything_is_fetched_by_old_releases(start, release):
    job, _image, box = _run(start, release, kind="docker")
    assert [(state["State"], state["Results"]) for state in job["result"]["JobStates"]] == [("SUCCESS", [])] * 4
    assert set(box.registry_content.blob_requests.values()) == {1}


def test_a_second_job_fetches_nothing(start):
    box, client = start()
    image = box.image("a")
    first, second = client.run(image.manifest_url), client.run(image.manifest_url)
    assert warm(first) == warm(second)
    assert {entry["hostname"] for entry in second["result"]["job_states"][0]["results"][0]["success_tasks"]} == {
        "unknown"
    }
    assert set(box.registry_content.blob_requests.values()) == {1}


@pytest.mark.parametrize("release", ["2.3.4", "2.5.1"])
def test_nothing_is_warm(start, release):
    job, _image, _box = _run(start, release, rule={"outcome": "nothing"})
    assert job["state"] == "SUCCESS"
    assert job["result"]["job_states"][0]["results"] == [
        {"failure_tasks": None, "scheduler_cluster_id": 1, "success_tasks": None}
    ]


@pytest.mark.parametrize(("release", "state"), [("2.1.67", "FAILURE"), ("2.5.1", "SUCCESS")])
def test_some_blobs_are_missing(start, release, state):
    job, image, _box = _run(start, release, rule={"outcome": "partial", "missing": [0, 2]})
    assert job["state"] == state
    assert warm(job) == sorted(image.blobs()[1::2])
    job, image, _box = _run(
        start, release, rule={"outcome": "partial", "missing": [image.blobs()[1].rpartition("/")[2]]}
    )
    assert len(warm(job)) == 3
    assert image.blobs()[1] not in warm(job)


@pytest.mark.parametrize(("release", "state"), [("2.1.67", "FAILURE"), ("2.5.1", "SUCCESS")])
def test_a_blob_is_gone_at_the_registry(start, release, state):
    box, client = start(release)
    image = box.image("a")
    gone = image.blobs()[3]
    box.delete_blob(gone.rpartition("/")[2])
    job = client.run(image.manifest_url)
    assert job["state"] == state
    assert warm(job) == sorted(image.blobs()[:3])
    errors = [state["error"] for state in job["result"]["job_states"] if state["error"]]
    assert errors == (
        ["rpc error: code = Aborted desc = source response 404/404 Not Found is not valid"]
        if release == "2.1.67"
        else []
    )


def test_a_job_fails(start):
    job, _image, _box = _run(start, "2.5.1", rule={"outcome": "failure", "error": "no space left on device"})
    assert job["state"] == "FAILURE"
    assert job["result"]["job_states"][0]["error"] == "no space left on device"
    assert job["result"]["job_states"][0]["results"] is None


def test_an_entry_is_lost_by_a_race(start):
    job, image, box = _run(start, "2.3.4", rule={"outcome": "race_lost", "lost": [1]})
    lost = image.blobs()[1]
    assert job["state"] == "SUCCESS"
    assert lost not in warm(job)
    assert len(warm(job)) == 3
    response = requests.post(
        box.url + "/oapi/v1/jobs",
        json={"type": "get_task", "args": {"url": lost}},
        headers={"Authorization": f"Bearer {box.token}"},
        timeout=5,
    ).json()
    time.sleep(0.5)
    task = next(job for job in box.jobs if job["id"] == response["id"])
    assert [peer["hostname"] for peer in task["result"]["job_states"][0]["results"][0]["peers"]] == ["seed-1"]


def test_a_row_is_gone(start):
    box, client = start()
    box.rule(outcome="gone")
    number = client.post(box.image("a").manifest_url).json()["id"]
    job = client.wait(number)
    assert job == {"message": "record not found"}


def test_a_job_that_is_listed_seconds_after_its_creation(start):
    box, client = start()
    box.rule(outcome="success", visible_after=0.5)
    number = client.post(box.image("a").manifest_url).json()["id"]
    assert client.ask("GET").json() == []
    assert client.ask("GET", f"/{number}").status_code == 404
    time.sleep(0.6)
    assert [row["id"] for row in client.ask("GET").json()] == [number]


def test_all_peers(start):
    hosts = [("seed-1", "10.77.0.1", "seed")] + [
        (f"node-{number}", f"10.9.0.{number}", "peer") for number in range(1, 5)
    ]
    box, client = start(hosts=hosts)
    image = box.image("a")
    assert len(warm(client.run(image.manifest_url, scope="all_peers"))) == 4 * 4
    assert len(warm(client.run(image.manifest_url, scope="all_peers", count=3))) == 3 * 4
    assert len(warm(client.run(image.manifest_url, scope="all_peers", percentage=50))) == 2 * 4
    assert len(warm(client.run(image.manifest_url, scope="all_peers", ips=["10.9.0.2"]))) == 4
    assert len(warm(client.run(image.manifest_url, scope="all_seed_peers"))) == 4
    box.rule(outcome="failed_peers", peers=["node-3"], reason="disk is full")
    job = client.run(image.manifest_url, scope="all_peers")
    result = job["result"]["job_states"][0]["results"][0]
    assert job["state"] == "SUCCESS"
    assert {entry["hostname"] for entry in result["success_tasks"]} == {"node-1", "node-2", "node-4"}
    assert {entry["hostname"] for entry in result["failure_tasks"]} == {"node-3"}
    assert all("disk is full" in entry["description"] for entry in result["failure_tasks"])


def test_all_peers_with_go_clients(start):
    job, _image, _box = _run(start, "2.1.67", scope="all_peers")
    assert job["state"] == "FAILURE"
    errors = [state["error"] for state in job["result"]["job_states"]]
    assert errors
    assert all("unknown service dfdaemon.v2.DfdaemonUpload" in error for error in errors)


def test_go_seeds_of_later_releases_warm_nothing(start):
    box, client = start("2.3.4", client="go")
    job = client.run(box.image("a").manifest_url)
    assert job["state"] == "SUCCESS"
    assert warm(job) == []


@pytest.mark.parametrize(
    ("release", "state", "error"),
    [
        ("2.1.67", "FAILURE", "has no available seed peer"),
        ("2.3.4", "SUCCESS", ""),
        ("2.5.1", "FAILURE", "no available seed peer"),
    ],
)
def test_no_seed_peer(start, release, state, error):
    box, client = start(release, hosts=())
    job = client.run(box.image("a").manifest_url)
    assert job["state"] == state
    assert error in job["result"]["job_states"][0]["error"]


def test_files(start):
    box, client = start()
    good, bad = box.file("model.bin", b"x" * 1000), box.registry_url + "/files/none.bin"
    assert warm(client.run(good)) == [good]
    assert warm(client.run(good + "?Expires=1")) == [good + "?Expires=1"]
    assert warm(client.run(bad)) == []
    assert [entry.path for entry in box.registry_log] == ["/files/model.bin", "/files/none.bin"]


def test_rules_for_jobs_by_url_and_turn(start):
    box, client = start()
    box.rule(outcome="failure", url="*/team/*", nth=2)
    box.rule(outcome="nothing", url="*/library/*", times=1)
    team, library = box.image("team/a"), box.image("library/b")
    assert [client.run(team.manifest_url)["state"] for _attempt in range(3)] == ["SUCCESS", "FAILURE", "SUCCESS"]
    assert [len(warm(client.run(library.manifest_url))) for _attempt in range(2)] == [0, 4]


# More than one cluster, limits, traps


def test_clusters(start):
    box, client = start()
    second, dead = box.add_cluster(), box.add_cluster(scheduler=False)
    box.add_host("seed-2", "10.77.0.2", role="seed", cluster_id=second)
    image = box.image("a")
    job = client.run(image.manifest_url)
    assert [cluster["id"] for cluster in job["scheduler_clusters"]] == [1, second]
    assert [state["results"][0]["scheduler_cluster_id"] for state in job["result"]["job_states"]] == [1, second]
    made = client.post(image.manifest_url, scheduler_cluster_ids=[second, dead]).json()
    assert [cluster["id"] for cluster in made["scheduler_clusters"]] == [second]
    assert client.post(image.manifest_url, scheduler_cluster_ids=[dead]).json() == {
        "message": "candidate schedulers not found"
    }


def test_rate_limit(start):
    box, client = start()
    url = box.file("a")
    answers = [client.post(url, scheduler_cluster_ids=[1]).status_code for _attempt in range(14)]
    assert answers[:10] == [200] * 10
    assert 429 in answers[10:]
    assert {client.post(url).status_code for _attempt in range(14)} == {200}
    time.sleep(0.15)
    assert client.post(url, scheduler_cluster_ids=[1]).status_code == 200
    free, client = start(rate_limit=False)
    url = free.file("a")
    assert {client.post(url, scheduler_cluster_ids=[1]).status_code for _attempt in range(30)} == {200}


def test_traps(start):
    box, client = start("2.5.1", traps=["T11", "T18", "T27", "T30"])
    url = box.file("a")
    assert client.post(url, scheduler_cluster_ids=[box.add_cluster()]).status_code == 429
    assert client.post(url).json()["created_at"] == "0001-01-01T00:00:00Z"
    assert "is invalid" in client.post(box.image("a").manifest_url).json()["message"]
    second = requests.post(
        box.url + "/api/v1/personal-access-tokens",
        timeout=5,
        headers={"Authorization": f"Bearer {box.jwt}"},
        json={"name": "sandbox", "user_id": 1, "expired_at": "2030-01-01T00:00:00Z"},
    )
    assert second.status_code == 500
    assert "duplicate key" in second.text


def test_a_refused_and_a_restarted_manager(start):
    box, client = start()
    box.pause()
    with pytest.raises(requests.exceptions.ConnectionError):
        client.ask("GET")
    box.resume()
    box.rule(outcome="pending")
    number = client.post(box.image("a").manifest_url).json()["id"]
    box.restart(down=0.05)
    assert client.get(number)["state"] == "PENDING"


def test_a_clock_that_is_ahead(start):
    box, client = start()
    box.clock_offset = 3600
    answer = client.post(box.file("a"))
    now = time.time()
    shown = time.mktime(time.strptime(answer.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    created = time.mktime(time.strptime(answer.json()["created_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert 3590 < shown - now < 3610
    assert 3590 < created - now < 3610


def test_history(start):
    box, client = start()
    ids = box.history(10000, age=60, step=2)
    assert len(ids) == 10000
    rows = client.ask("GET", "?type=preheat&per_page=20").json()
    assert [row["id"] for row in rows] == ids[:-21:-1]
    assert set(rows[0]["args"]) == set(client.post(box.file("a")).json()["args"])
    assert rows[0]["args"]["url"].endswith("/history-9999/manifests/1")
    assert len(warm(rows[0])) == 4


def test_rows_of_12_megabytes(start):
    box, client = start()
    box.history(2, blobs=30, peers=2000, scope="all_peers")
    text = client.ask("GET", "?per_page=1").text
    assert 10e6 < len(text) < 14e6
    assert len(warm(json.loads(text)[0])) == 60000


def test_counts_and_reset(start):
    box, client = start()
    number = client.run(box.image("a").manifest_url)["id"]
    client.ask("GET", "?type=preheat")
    counts = box.counts()
    assert (counts["POST"], counts["LIST"], set(counts["GET"])) == (1, 1, {str(number)})
    assert counts["requests"] == 2 + counts["GET"][str(number)]
    box.reset("2.1.0")
    assert box.state()["release"] == "2.1.0"
    assert box.jobs == []
    assert box.counts()["requests"] == 0
