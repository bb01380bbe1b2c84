# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""task, task_info and image_distribution_info against the sandbox."""

from __future__ import annotations

import itertools
import time

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import newer

RELEASES = ["2.1.67", "2.3.4", "2.5.1", newer.NEWER]
_NUMBERS = itertools.count(1)

# pylint: disable=redefined-outer-name


@pytest.fixture(params=["2.5.1", newer.NEWER])
def release(request):
    """Return the newest known release, and an unknown one."""
    return request.param


@pytest.fixture
def call(run, box):
    """Return a function that runs a module with the manager's address and token."""

    def function(module, **options):
        state = {"state": "absent"} if module == "task" else {}
        return run(module, **{"url": box.url, "token": box.token, "wait_sleep": 1, **state, **options})

    return function


@pytest.fixture
def warm(box, call):
    """Return a function that creates a unique image on all hosts."""

    def make(tag="1", name=None, **options):
        name = name or f"tasks/app-{int(next(_NUMBERS))}"
        image = box.image(name, tag, **options)
        done = call("preheat", image=image.source)
        assert not done.failed, done.msg
        return image

    return make


def peers_by_task(done):
    return [task["peers"] for task in done.result["tasks"]]


def urls(image):
    return [image.manifest_url.rpartition("/manifests/")[0] + "/blobs/" + entry for entry in digests(image)]


def digests(image):
    return [entry.rpartition("/")[2] for entry in image.blobs()]


def types(box, kind):
    return [job for job in box.jobs if job["type"] == kind]


@pytest.mark.parametrize("release", RELEASES)
def test_who_holds_an_image(box, call, warm):
    image = warm()
    done = call("task_info", image=image.source)
    assert not done.failed
    assert not done.changed
    tasks = done.result["tasks"]
    assert [entry["url"] for entry in tasks] == urls(image)
    for entry in tasks:
        assert entry["state"] == "SUCCESS"
        assert entry["reason"] is None
        [peer] = entry["peers"]
        assert (peer["hostname"], peer["ip"], peer["type"]) == ("seed-1", "10.77.0.1", "super")
        assert peer["scheduler_cluster_id"] == 1
        assert peer["finished"] is (True if box.manager.profile.release == "2.5.1" else None)
    assert len(types(box, "get_task")) == len(tasks)


@pytest.mark.parametrize("release", RELEASES)
def test_who_holds_nothing(box, call):
    file = box.file("nobody/has.bin")
    done = call("task_info", file=file)
    assert [entry["peers"] for entry in done.result["tasks"]] == [[]]
    done = call("task_info", task_id="0" * 64)
    assert [(entry["url"], entry["task_id"], entry["peers"]) for entry in done.result["tasks"]] == [
        (None, "0" * 64, [])
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_what_makes_the_id_counts(box, call):
    file = box.file("with/tag.bin")
    assert not call("preheat", file=file + "?a=1", tag="blue", filtered_query_params=["a"]).failed

    def peers(**options):
        return [entry["hostname"] for entry in call("task_info", file=file, **options).result["tasks"][0]["peers"]]

    assert peers() == []
    assert peers(tag="blue") == ["seed-1"]
    task = call("task_info", file=file + "?a=2", tag="blue", filtered_query_params=["a"]).result["tasks"][0]
    assert len(task["peers"]) == 1


@pytest.mark.parametrize("release", RELEASES)
def test_an_image_is_deleted_once(box, call, warm):
    image = warm()
    planned = call("task", image=image.source, check_mode=True)
    assert planned.changed
    assert types(box, "delete_task") == []
    assert [entry["deleted"][0]["hostname"] for entry in planned.result["tasks"]] == ["seed-1"] * len(image.blobs())

    done = call("task", image=image.source, diff=True)
    assert done.changed
    assert not done.failed
    assert [entry["url"] for entry in done.result["tasks"]] == urls(image)
    for entry in done.result["tasks"]:
        assert [(peer["hostname"], peer["ip"]) for peer in entry["deleted"]] == [("seed-1", "10.77.0.1")]
        assert entry["failures"] == []
    assert done.result["diff"]["before"].splitlines() == urls(image)
    assert peers_by_task(call("task_info", image=image.source)) == [[]] * len(urls(image))

    rerun = call("task", image=image.source)
    assert not rerun.changed
    assert not rerun.failed
    assert not call("task", image=image.source, check_mode=True).changed


@pytest.mark.parametrize("release", RELEASES)
def test_what_other_versions_need_stays(box, call, warm):
    old = warm(tag="1", name="tasks/versions", layers=3)
    # Another configuration, the same layers except one.
    shared = set(digests(old)[1:3])
    new = box.image("tasks/versions", "2", layers=3, digests=["sha256:" + "c" * 64] + digests(old)[1:3])
    assert set(digests(old)) & set(digests(new)) == shared
    assert len(shared) == 2
    done = call("task", image=old.source, keep_images=[new.source])
    assert {entry["url"].rpartition("/")[2] for entry in done.result["tasks"]} == set(digests(old)) - shared
    tasks = call("task_info", image=old.source).result["tasks"]
    assert {entry["url"].rpartition("/")[2] for entry in tasks if entry["peers"]} == shared
    assert call("task", image=old.source, keep_images=[old.source]).result["tasks"] == []


def test_nothing_is_deleted_where_what_is_kept_cannot_be_read(box, call, warm):
    image = warm()
    done = call("task", image=image.source, keep_images=[image.source.rpartition(":")[0] + ":gone"])
    assert done.failed
    assert done.result["status"] == 404
    assert "manifests/gone" in done.msg
    assert types(box, "delete_task") == []


def test_platforms_and_digest_ids(box, call):
    image = box.image("tasks/platforms", "1", platforms=["linux/amd64", "linux/arm64"])
    every = call("task_info", image=image.source).result["tasks"]
    by_url = call("task_info", image=image.source, platforms=["linux/arm64"]).result["tasks"]
    assert {task["url"] for task in by_url} < {task["url"] for task in every}
    both = call("task_info", image=image.source, platforms=["linux/arm64"], digest_ids=True).result["tasks"]
    assert len(both) == 2 * len(by_url)
    for task in both:
        assert task["task_id"] in (None, task["url"].rpartition("sha256:")[2])
    questions = [job["args"] for job in types(box, "get_task")][-len(both) :]
    assert sorted(bool(args["task_id"]) for args in questions) == [False] * len(by_url) + [True] * len(by_url)
    assert not any(args["task_id"] and args["url"] for args in questions)
    missing = call("task_info", image=image.source, platforms=["linux/s390x"])
    assert missing.reason == "no_platform"


def test_peers_that_do_not_delete(box, call, warm):
    image = warm()
    box.rule(outcome="failed_peers", type="delete_task", peers=["seed-1"], reason="disk is gone")
    done = call("task", image=image.source)
    assert done.failed
    assert not done.changed
    assert done.reason == "peers_failed"
    assert "seed-1 (disk is gone)" in done.msg
    for entry in done.result["tasks"]:
        assert entry["reason"] == "peers_failed"
        assert [(peer["hostname"], peer["description"]) for peer in entry["failures"]] == [("seed-1", "disk is gone")]


@pytest.mark.parametrize("release", RELEASES)
def test_a_host_with_several_peers_is_judged_once(box, call, warm):
    image = warm()
    for url in urls(image):
        for host in ("seed-1", "host-1", "host-1"):
            box.pull(url, host)
    for peers in [task["peers"] for task in call("task_info", image=image.source).result["tasks"]]:
        assert sorted(peer["hostname"] for peer in peers) == ["host-1", "seed-1"]
    planned = call("task", image=image.source, check_mode=True)
    done = call("task", image=image.source)
    assert not done.failed, done.msg
    assert done.changed
    for planned_task, task in zip(planned.result["tasks"], done.result["tasks"]):
        assert sorted(host["hostname"] for host in task["deleted"]) == ["host-1", "seed-1"]
        assert sorted(host["hostname"] for host in planned_task["deleted"]) == ["host-1", "seed-1"]
        assert task["failures"] == []
    assert peers_by_task(call("task_info", image=image.source)) == [[]] * len(urls(image))


def test_content_that_is_gone_is_absent(box, call, warm):
    image = warm()
    for url in urls(image):
        box.lose(url)
    done = call("task", image=image.source)
    assert not done.failed, done.msg
    assert not done.changed
    assert [(task["deleted"], task["failures"]) for task in done.result["tasks"]] == [([], [])] * len(urls(image))


def test_a_host_that_fails_is_named_once(box, call, warm):
    image = warm()
    for url in urls(image):
        for host in ("host-1", "host-2", "host-2"):
            box.pull(url, host)
    box.rule(outcome="failed_peers", type="delete_task", peers=["host-2"], reason="disk is gone")
    done = call("task", image=image.source)
    assert done.reason == "peers_failed"
    assert "1 host did not delete it: host-2 (disk is gone)" in done.msg
    for task in done.result["tasks"]:
        assert sorted(host["hostname"] for host in task["deleted"]) == ["host-1", "seed-1"]
        assert [host["hostname"] for host in task["failures"]] == ["host-2"]


# A deletion without hosts

SMALL = 1024


@pytest.fixture
def mixed(box, warm):
    """Return a warm image. The scheduler knows its layers, but not its configuration."""
    box.manager.fleet.unscheduled_bytes = SMALL
    yield warm(size=2 * SMALL, layers=2)
    box.manager.fleet.unscheduled_bytes = None


def test_who_still_holds_a_small_blob_is_told(box, call, mixed):
    done = call("task", image=mixed.source, diff=True)
    assert not done.failed, done.msg
    assert done.changed
    config, *layers = done.result["tasks"]
    held = {"hostname": "seed-1", "ip": "10.77.0.1", "type": "super", "scheduler_cluster_id": 1, "finished": True}
    assert (config["state"], config["deleted"], config["held"]) == ("SUCCESS", [], [held])
    assert config["reason"] == "not_deletable"
    assert "Peers still hold it (seed-1)." in config["message"]
    assert [(task["held"], task["reason"], len(task["deleted"])) for task in layers] == [(None, None, 1)] * 2
    assert done.result["diff"]["before"].splitlines() == urls(mixed)[1:]
    [warning] = done.warnings
    assert f"Peers still hold {urls(mixed)[0]} (seed-1)." in warning
    assert "gc.policy.taskTTL" in warning
    assert "storage.keep" in warning
    assert len(types(box, "get_task")) == 1


def test_what_nobody_can_delete_is_no_change(box, call, mixed):
    call("task", image=mixed.source)
    rerun = call("task", image=mixed.source)
    assert not rerun.changed
    assert not rerun.failed
    assert [task["held"] and task["held"][0]["hostname"] for task in rerun.result["tasks"]] == ["seed-1", [], []]
    box.lose(urls(mixed)[0])
    gone = call("task", image=mixed.source)
    assert [(task["held"], task["reason"]) for task in gone.result["tasks"]] == [([], None)] * 3
    assert gone.warnings == []


def test_who_does_not_wait_is_not_told_who_holds_it(box, call, mixed):
    done = call("task", image=mixed.source, wait=False)
    assert [task["held"] for task in done.result["tasks"]] == [None] * 3
    assert types(box, "get_task") == []


@pytest.mark.parametrize(
    "rule, problem",
    [
        ({"type": "get_task", "outcome": "failure", "error": "no space left"}, "no space left"),
        ({"type": "get_task", "outcome": "pending"}, "still PENDING after"),
        ({"type": "get_task", "outcome": "gone"}, "no longer has job"),
    ],
)
def test_a_question_without_an_answer_is_no_proof(box, call, mixed, rule, problem):
    call("task", image=mixed.source)
    box.rule(**rule)
    done = call("task", image=mixed.source, wait_timeout=4)
    assert not done.failed, done.msg
    assert [(task["held"], task["reason"]) for task in done.result["tasks"]] == [(None, None)] * 3
    [warning] = done.warnings
    assert urls(mixed)[0] in warning
    assert "is unknown" in warning
    assert problem in warning


@pytest.mark.parametrize("release", ["2.1.67", "2.3.4"])
def test_releases_whose_peers_do_not_tell_are_not_asked(box, call):
    done = call("task", file=box.file("nobody/has/this.bin"))
    assert [(task["deleted"], task["held"]) for task in done.result["tasks"]] == [([], None)]
    assert types(box, "get_task") == []
    assert done.warnings == []


@pytest.mark.parametrize(
    "outcome, reason, expected_text",
    [
        ({"outcome": "failure", "error": "no space left"}, "failed", "no space left"),
        ({"outcome": "pending"}, "timed_out", "still PENDING after 2 s"),
        ({"outcome": "gone"}, "gone", "no longer has job"),
    ],
)
def test_questions_without_an_answer(box, call, outcome, reason, expected_text):
    file = box.file(f"no/answer-{reason}.bin")
    box.rule(type="get_task", **outcome)
    done = call("task_info", files=[file, file + "?2"], wait_timeout=2)
    assert done.failed
    assert done.reason == reason
    assert expected_text in done.msg
    assert "2 of 2 tasks were not looked up" in done.msg
    assert [(entry["peers"], entry["reason"]) for entry in done.result["tasks"]] == [(None, reason)] * 2


def test_a_lookup_in_check_mode_is_not_called_a_deletion(box, call):
    file = box.file("no/answer-in-check-mode.bin")
    box.rule(type="get_task", outcome="pending")
    planned = call("task", file=file, wait_timeout=2, check_mode=True)
    assert planned.reason == "timed_out"
    assert planned.msg.startswith("1 of 1 tasks were not looked up.")
    assert types(box, "delete_task") == []


def test_it_does_not_wait_where_it_should_not(box, call, release):
    box.rule(type="get_task", outcome="pending")
    done = call("task_info", files=[box.file("a"), box.file("b")], wait=False)
    assert not done.failed
    state = "QUEUED" if release == newer.NEWER else "PENDING"
    assert [(entry["state"], entry["peers"]) for entry in done.result["tasks"]] == [(state, None)] * 2
    assert box.counts()["LIST"] == 0


def test_many_pending_jobs_are_watched_by_one_list(box, call):
    box.rule(type="get_task", outcome="pending")
    call("task_info", files=[box.file(f"many/{int(number)}") for number in range(20)], wait_timeout=3)
    counts = box.counts()
    assert counts["POST"] == 20
    assert 2 <= counts["LIST"] <= 5
    assert sum(counts["GET"].values()) <= 20


def test_secrets_in_urls_do_not_come_back(box, call):
    file = box.file("signed.bin") + "?X-Amz-Signature=5ecre7"
    done = call("task_info", file=file)
    assert not done.failed
    assert "5ecre7" not in done.output
    box.rule(type="delete_task", outcome="pending")
    done = call("task", file=file, wait_timeout=1)
    assert done.failed
    assert "signed.bin" in done.msg
    assert "5ecre7" not in done.output


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "reset"},
        {"fault": "reset", "acts": True},
        {"fault": "status", "status": 503},
        {"fault": "half"},
        {"fault": "status", "status": 429, "body": "rate limit exceeded"},
    ],
)
def test_a_lost_answer_is_asked_for_again(box, call, warm, fault):
    image = warm()
    box.rule(method="POST", path="/jobs$", times=1, **fault)
    done = call("task", image=image.source)
    assert not done.failed
    assert done.changed
    assert peers_by_task(call("task_info", image=image.source)) == [[]] * len(urls(image))


def test_what_a_job_without_an_answer_deleted_is_a_change(box, call):
    file = box.file("lost/answer.bin")
    assert not call("preheat", file=file).failed
    box.rule(method="POST", path="/jobs$", fault="reset", acts=True, times=1)
    done = call("task", file=file)
    # The second job found nothing.
    assert len(types(box, "delete_task")) == 2
    assert done.result["tasks"][0]["deleted"] == []
    assert not done.failed
    assert done.changed


@pytest.mark.parametrize(
    "status, body, reason, posts",
    [
        (401, {"message": "Unauthorized"}, "token_unknown", 1),
        (500, {"message": "candidate schedulers not found"}, "no_scheduler", 1),
        (503, {"message": "later"}, "server_error", 3),
    ],
)
def test_what_no_second_try_helps(box, call, status, body, reason, posts):
    box.rule(fault="status", status=status, body=body, method="POST", path="/jobs$")
    done = call("task_info", files=[box.file("x"), box.file("y")])
    assert (done.reason, done.result["status"]) == (reason, status)
    assert box.counts()["POST"] == posts


@pytest.mark.parametrize("release, option", [("2.1.67", {"piece_length": 4194304}), ("2.1.67", {"job_timeout": 60})])
def test_options_that_the_manager_ignores_are_told(box, call, option):
    done = call("task_info", files=[box.file("x"), box.file("y")], **option)
    assert done.reason == "unknown_option"
    assert list(option)[0] in done.msg
    assert box.counts()["POST"] == 1


@pytest.mark.parametrize("release, option", [("2.1.67", {"piece_length": 4194304})])
def test_nothing_is_deleted_where_an_option_would_be_ignored(box, call, option):
    files = [box.file("known/a"), box.file("known/b")]
    assert not call("preheat", files=files).failed
    done = call("task", files=files, **option)
    assert done.reason == "unknown_option"
    assert "piece_length" in done.msg
    assert types(box, "delete_task") == []
    assert len(types(box, "get_task")) == 1
    assert [bool(peers) for peers in peers_by_task(call("task_info", files=files))] == [True] * len(files)


@pytest.mark.parametrize(
    "release, options, questions",
    [("2.5.1", {"application": "shop"}, 1)]
    + [
        (release, options, questions)
        for release in RELEASES
        for options, questions in (
            ({"filtered_query_params": ["a"]}, 1),
            ({"tag": "blue"}, 0),
            ({"job_timeout": 60}, 0),
        )
    ],
)
def test_who_deletes_asks_first_where_an_option_could_be_ignored(box, call, options, questions):
    file = box.file("with/options.bin")
    preheated = {key: value for key, value in options.items() if key != "job_timeout"}
    assert not call("preheat", file=file, **preheated).failed
    # A time limit is for the deleting job. Older releases have none for queries.
    assert call("task", file=file, check_mode=True, **options).changed
    before = len(types(box, "get_task"))
    done = call("task", files=[file, file + "?b"], **options)
    assert done.changed
    assert not done.failed, done.msg
    assert [bool(entry["deleted"]) for entry in done.result["tasks"]] == [True, False]
    # With releases whose peers report it, the holders of the second file are queried after its deletion too.
    held = sum(entry["held"] is not None for entry in done.result["tasks"])
    assert held == (1 if box.manager.profile.release == "2.5.1" else 0)
    assert len(types(box, "get_task")) - before == questions + held
    assert len(types(box, "delete_task")) == 2


def test_what_was_deleted_before_an_option_was_found_to_be_ignored(box, call):
    file = box.file("ignored/option.bin")
    assert not call("preheat", file=file).failed
    answer = {"id": 2, "type": "delete_task", "state": "PENDING", "args": {"url": file}}
    box.rule(fault="body", body=answer, method="POST", path="/jobs$", acts=True)
    done = call("task", files=[file, file + "?b"], job_timeout=60)
    assert done.reason == "unknown_option"
    assert "job_timeout" in done.msg
    assert done.changed
    first, second = done.result["tasks"]
    assert [peer["hostname"] for peer in first["deleted"]] == ["seed-1"]
    assert first["reason"] == "unknown_option"
    assert (second["job_id"], second["deleted"], second["message"]) == (None, None, "no job was created for it")
    assert box.counts()["POST"] == 2


def test_check_mode_waits_for_who_holds_it(box, call):
    file = box.file("not/awaited.bin")
    assert not call("task", file=file, wait=False, check_mode=True).changed
    assert not call("preheat", file=file).failed
    assert call("task", file=file, wait=False, check_mode=True).changed
    assert call("task", file=file, wait=False).changed


def test_nothing_is_deleted_unless_state_absent_is_written(box, call):
    done = call("task", file=box.file("kept.bin"), state=None)
    assert done.failed
    assert "missing required arguments: state" in done.msg
    assert not box.log


@pytest.mark.parametrize("release", ["2.3.4", "2.5.1"])
@pytest.mark.parametrize("module", ["task", "task_info", "image_distribution_info"])
def test_a_cluster_that_does_not_exist(box, call, image, module):
    done = call(module, image=image.source, scheduler_cluster_ids=[1, 99])
    assert done.reason == "no_cluster"
    assert "429" in done.msg
    assert "cluster 99 does not exist" in done.msg
    assert box.counts()["POST"] == 1


@pytest.mark.parametrize("release", ["2.0.9", "2.1.0"])
def test_old_managers_have_no_such_jobs(box, call):
    for module, option in (("task_info", "file"), ("task", "file"), ("image_distribution_info", "image")):
        source = box.image("tasks/old", "1", kind="docker").source if option == "image" else box.file("x")
        done = call(module, **{option: source})
        assert done.failed
        assert done.reason == "no_api", done.msg
        assert "does not have the API" in done.msg or "has no jobs of the type" in done.msg


@pytest.mark.parametrize(
    "module, options, expected_text",
    [
        ("task_info", {}, "one of the following is required: image, images"),
        ("task_info", {"image": "a", "file": "http://h/b"}, "mutually exclusive"),
        ("task_info", {"task_id": "NONE"}, "'NONE' is not a valid task ID"),
        ("task_info", {"file": "nothing"}, "'nothing' is not the URL of a file"),
        ("task_info", {"image": "UPPER"}, "not a valid image reference"),
        ("task_info", {"file": "http://h/b", "platforms": ["linux/amd64"]}, "platforms is only for images"),
        ("task_info", {"image": "a", "platforms": ["linux"]}, "'linux' is not a valid platform"),
        ("task", {"file": "http://h/b", "keep_images": ["a"]}, "keep_images is only for images"),
        ("task", {"file": "http://h/b", "wait_sleep": 0}, "wait_sleep must be from 1"),
        ("task", {"file": "http://h/b", "scheduler_cluster_ids": [0]}, "numbers from 1"),
        ("task", {"file": "http://h/b", "filtered_query_params": ["a&b"]}, "list of names"),
        ("image_distribution_info", {"image": "UPPER"}, "not a valid image reference"),
        ("image_distribution_info", {"image": "a", "platform": "x"}, "'x' is not a valid platform"),
        ("image_distribution_info", {"image": "a", "job_timeout": 0}, "job_timeout must be from 1"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(box, call, module, options, expected_text):
    done = call(module, **options)
    assert done.failed
    assert expected_text in done.msg
    assert box.log == []


# image_distribution_info


@pytest.mark.parametrize("release, source", [("2.1.67", "tasks"), ("2.3.4", "manager"), ("2.5.1", "manager")])
def test_distribution(box, call, warm, source):
    image = warm(layers=3)
    box.pull(urls(image)[0], "host-1")
    before = box.counts()["POST"]
    done = call("image_distribution_info", image=image.source)
    assert not done.failed, done.msg
    assert not done.changed
    assert done.result["source"] == source
    if source == "manager":
        assert box.counts()["POST"] == before + 1
    assert [layer["url"] for layer in done.result["layers"]] == urls(image)
    assert [layer["peers"] for layer in done.result["layers"]] == [2] + [1] * (len(urls(image)) - 1)
    peers = {peer["hostname"]: peer for peer in done.result["peers"]}
    assert set(peers) == {"host-1", "seed-1"}
    assert peers["seed-1"] == {
        "hostname": "seed-1",
        "ip": "10.77.0.1",
        "type": "super",
        "scheduler_cluster_id": 1,
        "layers": urls(image),
        "percentage": 100,
    }
    assert peers["host-1"]["layers"] == urls(image)[:1]
    assert peers["host-1"]["percentage"] == 100 // len(urls(image))
    assert peers["host-1"]["type"] == "normal"


def test_distribution_does_not_count_what_is_only_begun(box, call, warm):
    image = warm()
    fleet = box.manager.fleet
    fleet.store(box.manager.task_of(urls(image)[0], {}), fleet.host("host-1"), whole=False)
    done = call("image_distribution_info", image=image.source)
    assert [peer["hostname"] for peer in done.result["peers"]] == ["seed-1"]


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "not_found", "method": "GET", "path": "/jobs$"},
        {"fault": "body", "body": [], "method": "GET", "path": "/jobs$", "query": {"page": "1$"}},
        {"outcome": "fetch", "type": "get_task", "polls": [0, 9], "task_after": [8], "times": 2},
    ],
)
def test_distribution_asks_again_where_its_own_jobs_do_not_tell(box, call, warm, rule):
    image = warm()
    box.rule(**rule)
    done = call("image_distribution_info", image=image.source)
    assert not done.failed, done.msg
    assert [(peer["hostname"], peer["percentage"]) for peer in done.result["peers"]] == [("seed-1", 100)]


@pytest.mark.parametrize("release", ["2.5.1"])
def test_distribution_ignores_layers_without_a_url(box, call, warm):
    image = warm()
    layers = [{"url": ["x"]}, {"url": {}}, {"url": 5}, {}, None, "x", {"url": urls(image)[0]}]
    box.rule(fault="body", body={"image": {"layers": layers}, "peers": []}, method="POST", path="/jobs$", times=1)
    done = call("image_distribution_info", image=image.source)
    assert not done.failed, done.msg
    assert [layer["url"] for layer in done.result["layers"]] == urls(image)[:1]


@pytest.mark.parametrize("release", ["2.3.4", "2.5.1"])
def test_distribution_of_other_tags_does_not_count(box, call, image):
    assert not call("preheat", image=image.source, tag="blue").failed
    assert call("image_distribution_info", image=image.source, tag="blue").result["peers"]
    assert call("image_distribution_info", image=image.source).result["peers"] == []


@pytest.mark.parametrize("release", RELEASES)
def test_distribution_of_an_index(box, call):
    image = box.image("tasks/index", "1", platforms=["linux/amd64", "linux/arm64"])
    done = call("image_distribution_info", image=image.source, platform="linux/arm64")
    assert not done.failed
    assert done.result["peers"] == []
    assert {entry["url"] for entry in done.result["layers"]} == {
        entry["url"] for entry in call("task_info", image=image.source, platforms=["linux/arm64"]).result["tasks"]
    }
    if box.manager.profile.release == "2.1.67":
        assert call("image_distribution_info", image=image.source).reason == "no_platform"


@pytest.mark.parametrize("release", RELEASES)
def test_distribution_with_credentials(box, call):
    image = box.image("tasks/closed", "1")
    box.set_registry(auth="basic", user="puller", password="pul1-5ecret", anonymous_pull=False)
    assert call("image_distribution_info", image=image.source).failed
    credentials = {"registry_username": "puller", "registry_password": "pul1-5ecret"}
    done = call("image_distribution_info", image=image.source, **credentials)
    assert not done.failed
    assert len(done.result["layers"]) == len(image.blobs())
    by_registry = {box.registry: {"url": box.registry_url, "username": "puller", "password": "pul1-5ecret"}}
    reference = image.source.partition("://")[2]
    done = call("image_distribution_info", image=reference, registries=by_registry)
    assert not done.failed
    assert "pul1-5ecret" not in done.output


def test_distribution_that_is_none(box, call, image):
    box.rule(fault="body", body={"id": 7}, method="POST", path="/jobs$")
    assert call("image_distribution_info", image=image.source).reason == "garbled"
    box.clear_rules()
    done = call("image_distribution_info", image=image.source.rpartition(":")[0] + ":none")
    assert done.reason == "manifest_unknown"
    assert done.result["status"] == 500


def test_the_time_for_a_distribution_is_for_all_of_it(box, call, image):
    box.rule(fault="timeout", method="POST", path="/jobs$", seconds=30)
    begin = time.monotonic()
    done = call("image_distribution_info", image=image.source, wait_timeout=2)
    assert done.reason == "read_timeout"
    assert box.counts()["POST"] == 1
    assert 2 <= time.monotonic() - begin < 8
    box.clear_rules()
    box.rule(fault="status", status=503, method="POST", path="/jobs$", times=1)
    assert not call("image_distribution_info", image=image.source, wait_timeout=30).failed
    box.rule(fault="delay", method="POST", path="/jobs$", seconds=2)
    assert not call("image_distribution_info", image=image.source, wait_timeout=30, timeout=1).failed


@pytest.mark.parametrize("release", ["2.1.67"])
def test_a_registry_does_not_have_the_time_for_a_distribution(box, call, image):
    box.rule(fault="timeout", at="registry", seconds=30)
    begin = time.monotonic()
    done = call("image_distribution_info", image=image.source, timeout=1)
    assert done.reason == "registry_unreachable"
    assert time.monotonic() - begin < 8
