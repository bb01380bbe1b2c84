# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module job_info as a process, against the sandbox of each release."""

from __future__ import annotations

import pytest

RELEASES = ("2.0.9", "2.1.0", "2.1.67", "2.3.4", "2.5.1")
all_releases = pytest.mark.parametrize("release", RELEASES)


@pytest.fixture
def job_info(run, box):
    """Return a function that runs the module with the sandbox's URL and token."""

    def call(**options):
        return run("job_info", **dict({"url": box.url, "token": box.token}, **options))

    return call


@pytest.fixture
def preheat(run, box):
    """Return a function that preheats with a new job each time."""

    def call(**options):
        return run("preheat", url=box.url, token=box.token, wait_sleep=1, force=True, **options)

    return call


@all_releases
def test_without_jobs_there_are_none(job_info):
    done = job_info()

    assert not done.failed
    assert not done.changed
    assert done.jobs == []


@all_releases
def test_all_jobs_come_newest_first_and_to_the_last_page(box, job_info):
    ids = box.history(120, age=100 * 86400)
    done = job_info()

    assert not done.changed
    assert done.column("id") == ids[::-1]
    assert set(done.column("outcome")) <= {"warm", "cold"}
    assert {entry.method for entry in box.log} == {"GET"}
    # A page has 50 rows. 2.0.9 and 2.1.0 send the oldest first. 2.0.9 has no Open API, which one request shows.
    assert box.counts()["LIST"] == {"2.0.9": 5, "2.1.0": 4}.get(box.manager.profile.release, 3)


@all_releases
def test_ids_come_in_their_order(box, job_info):
    ids = box.history(5)
    done = job_info(ids=[ids[1], ids[4], ids[1]])

    assert done.column("id") == [ids[1], ids[4], ids[1]]
    assert done.column("scheduler_cluster_ids") == [[1], [1], [1]]


@all_releases
def test_an_id_that_does_not_exist_fails(box, job_info):
    [known] = box.history(1)
    done = job_info(ids=[known, 4711])

    assert done.failed
    assert done.rc
    assert (done.reason, done.result["status"]) == ("not_found", 404)
    assert "/v1/jobs/4711" in done.msg


def test_filters_are_the_managers(box, job_info, preheat, image, images):
    box.rule(outcome="failure", url=f"*/{images[0].name}/*")
    box.rule(outcome="pending", url=f"*/{images[1].name}/*")
    box.history(2, kind="file")
    preheat(images=[pushed.source for pushed in (image, images[0], images[1])], wait_timeout=1)

    assert job_info(state="FAILURE").column("outcome") == ["failed"]
    assert job_info(state="PENDING").column("outcome") == ["pending"]
    assert job_info(type="preheat", state="SUCCESS").column("type") == ["image", "file", "file"]
    assert job_info(type="get_task").jobs == []
    assert [entry.query.get("type") for entry in box.log][-2:] == ["preheat", "get_task"]


@pytest.mark.parametrize("release", ["2.3.4"])
def test_jobs_of_other_types_are_told_apart(box, job_info, preheat, image):
    box.rule(outcome="race_lost", lost=[2])
    preheat(image=image.source)  # queries the lost blob with its own job
    done = job_info()

    assert done.column("job_type") == ["get_task", "preheat"]
    assert done.column("type") == [None, "image"]
    assert done.column("outcome") == ["done", "warm"]
    assert job_info(type="get_task").column("job_type") == ["get_task"]


@pytest.mark.parametrize("release", ["2.5.1"])
def test_a_cluster_in_which_nothing_is_warm_is_seen_in_lists_too(box, job_info, preheat, image):
    box.add_cluster()
    box.add_host("seed-2", "10.78.0.1", role="seed", cluster_id=2, client="go")
    made = preheat(image=image.source)
    assert made.job["outcome"] == "cold"

    for done in (job_info(), job_info(ids=[made.job["id"]])):
        assert (done.job["outcome"], done.job["scheduler_cluster_ids"]) == ("cold", [1, 2])
        assert done.job["message"] == (
            "the manager reports SUCCESS, but the result does not contain cluster 2. What to do: check with "
            "dragonflyoss.dragonfly.scheduler_info and seed_peer_info that this cluster has an active scheduler and an "
            "active seed peer, then run the task again"
        )


@pytest.mark.parametrize("release", ["2.1.67", "2.3.4", "2.5.1"])
def test_details_are_what_each_peer_says(box, job_info, preheat, image):
    box.rule(outcome="failed_peers", peers=["host-2"], reason="disk is full")
    preheat(image=image.source, scope="all_peers")
    short, long = job_info(), job_info(details=True)

    assert "peers" not in short.job
    peers = long.job.pop("peers")
    assert long.job == short.job
    warm = [peer for peer in peers if peer["success"]]
    assert {peer["url"] for peer in warm} == set(image.blobs())
    assert "10.77.0.12" not in {peer["ip"] for peer in warm}
    assert {(peer["hostname"], peer["scheduler_cluster_id"]) for peer in peers if not peer["success"]} == {
        ("host-2", 1)
    }
    assert all("disk is full" in peer["description"] for peer in peers if not peer["success"])


@all_releases
def test_a_job_is_told_as_by_preheat(job_info, preheat, image):
    made = preheat(image=image.source).job
    read = job_info(ids=[made["id"]]).job

    assert set(made) - set(read) <= {"name", "source"}
    same = ("id", "url", "type", "state", "outcome", "scheduler_cluster_ids", "created_at", "args")
    assert {key: read[key] for key in same} == {key: made[key] for key in same}


def test_secrets_of_a_job_are_not_shown(box, job_info, preheat, image):
    box.set_registry(auth="basic")
    preheat(image=image.source, registry_username="puller", registry_password="sandbox-registry")
    url = box.file("signed.bin") + "?X-Amz-Signature=5ecret5ignature&part=1"
    preheat(file=url, headers={"Authorization": "Bearer 0rigin70ken"})
    done = job_info(details=True, verbosity=4)

    assert len(done.jobs) == 2
    assert [job["args"]["password"] for job in box.jobs] == ["sandbox-registry", ""]
    assert "5ecret5ignature" in box.jobs[1]["args"]["url"]
    assert "0rigin70ken" in str(box.jobs[1]["args"])
    assert not any(secret in done.output for secret in ("sandbox-registry", "5ecret5ignature", "0rigin70ken"))
    assert done.jobs[0]["url"].startswith(url.partition("?")[0])


def test_check_mode_reads_as_well(box, job_info):
    ids = box.history(2)

    assert job_info(check_mode=True).column("id") == ids[::-1]


def test_a_list_that_a_job_of_nobody_breaks_is_read_around(box, job_info):
    ids = box.history(3)
    box.rule(fault="not_found", method="GET", path="/jobs$", times=1)
    done = job_info()

    assert done.column("id") == ids[::-1]
    assert any("reads the other jobs of this page one by one" in warning for warning in done.warnings)


def test_several_types_and_states_are_filtered_here(box, job_info, preheat, images):
    box.rule(outcome="failure", url=f"*/{images[0].name}/*")
    box.rule(outcome="pending", url=f"*/{images[1].name}/*")
    preheat(images=[images[0].source, images[1].source], wait_timeout=1)

    assert sorted(job_info(states=["PENDING", "FAILURE"]).column("outcome")) == ["failed", "pending"]
    assert len(job_info(types=["preheat", "get_task"], states="FAILURE").jobs) == 1


@all_releases
def test_it_waits_for_jobs_that_are_running(box, job_info, preheat, image):
    made = preheat(image=image.source).job
    running = dict(box.jobs[-1], state="PENDING", result=None)
    api = "/api" if box.manager.profile.release == "2.0.9" else "/oapi"
    box.rule(fault="body", body=running, method="GET", path=f"^{api}/v1/jobs/{made['id']}$", times=3)
    done = job_info(id=made["id"], wait=True, wait_sleep="1s", wait_timeout="1m")

    assert not done.failed, done.msg
    assert not done.changed
    assert done.job["outcome"] == "warm"


def test_a_job_that_runs_too_long_is_named(box, job_info, preheat, image):
    box.rule(outcome="pending")
    made = preheat(image=image.source, wait=False).job
    done = job_info(states=["PENDING"], wait=True, wait_timeout="2s", wait_sleep=1)

    assert done.failed
    assert done.reason == "timed_out"
    assert done.msg == f"Still PENDING after 2s: job {made['id']}. What to do: raise wait_timeout."
    assert done.column("outcome") == ["pending"]


def test_a_job_that_nobody_watches_any_more_is_given_up(box, job_info, preheat, image):
    made = preheat(image=image.source).job
    old = {"state": "PENDING", "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}
    box.rule(fault="body", body={**box.jobs[-1], **old}, method="GET", path=f"/jobs/{made['id']}$")
    done = job_info(id=made["id"], wait=True, wait_timeout=5, wait_sleep=1)

    assert not done.failed, done.msg
    assert done.column("outcome") == ["given_up"]
    assert done.job["message"].endswith("What to do: create it again")


def test_a_job_that_is_removed_while_it_waits_is_gone(box, job_info, preheat, image):
    made = preheat(image=image.source).job
    path = f"/jobs/{made['id']}$"
    box.rule(fault="body", body={**box.jobs[-1], "state": "PENDING", "result": None}, method="GET", path=path, times=1)
    box.rule(fault="not_found", method="GET", path=path)
    done = job_info(id=made["id"], wait=True, wait_timeout=5, wait_sleep=1)

    assert not done.failed, done.msg
    assert done.column("outcome") == ["gone"]
    assert done.job["message"] == f"the manager no longer has job {made['id']}. What to do: create it again"


@pytest.mark.parametrize("release", ["2.5.1"])
def test_an_unknown_type_and_missing_certificates_are_reported(job_info):
    done = job_info(types=["preheatt"], ca_path="/nope.pem")

    assert done.jobs == []
    assert [warning.partition(".")[0] for warning in done.warnings] == [
        "ca_path: the file /nope",
        "No job matches, and preheatt is not a known type of job",
    ]
    assert not job_info(types=["gc"]).warnings


@pytest.mark.parametrize("levels", [200, 2000])
def test_a_job_that_is_nested_too_deeply(run, box, levels):
    nested = "[" * levels + "]" * levels
    box.rule(fault="body", body=f'{{"id": 1, "type": "preheat", "args": {{"x": {nested}}}}}', path="/jobs/1$")
    done = run("job_info", url=box.url, token=box.token, ids=[1])
    assert done.failed
    assert done.reason == "garbled", done.msg
    assert "nested more than 100 levels deep" in done.msg
