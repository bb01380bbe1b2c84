# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content that peers hold, by their responses."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.context import RunContext
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.peer_questions import (
    Holder,
    ask_peers,
    is_held,
    question_of,
    read_answer,
)


class Peers:
    """A manager whose jobs of the type get_task finish at once.

    :ivar answers: by URL, pairs of a cluster ID and whether a peer there has all of the task.
    :ivar bodies: of the jobs that were created.
    """

    def __init__(self, loopback, answers):
        self.answers, self.bodies = answers, []
        loopback.answers = self.answer

    def answer(self, request):
        if request.method == "POST":
            self.bodies.append(request.json())
            return 200, {"id": len(self.bodies)}
        if "?" in request.path:
            return 200, []
        number = int(request.path.rpartition("/")[2])
        results = [
            {"scheduler_cluster_id": cluster, "peers": [{"IsFinished": finished}]}
            for cluster, finished in self.answers[self.bodies[number - 1]["args"]["url"]]
        ]
        return 200, {"id": number, "state": "SUCCESS", "result": {"job_states": [{"results": results}]}}


@pytest.mark.parametrize(
    "answers, clusters, held",
    [
        ({"a": [(1, True)], "b": [(1, True)]}, {1}, {"a", "b"}),
        ({"a": [(1, True)], "b": [(1, False)]}, {1}, {"a"}),
        ({"a": [(1, True), (2, True)], "b": [(1, True)]}, {1, 2}, {"a"}),
        ({"a": [], "b": []}, {1}, set()),
        # The clusters are unknown.
        ({"a": [(1, True)], "b": []}, set(), {"a"}),
    ],
)
def test_a_url_is_held_where_a_peer_of_each_cluster_has_all_of_it(loopback, clock, answers, clusters, held):
    peers = Peers(loopback, answers)
    context = RunContext(DragonflyClient(Http(timeout=5), loopback.url), {"wait_sleep": 1}, clock, check_mode=False)
    args = {"tag": "t", "application": "", "filtered_query_params": "x", "scope": "all_peers"}
    questions = {url: question_of(url, args, clusters) for url in sorted(answers)}
    answered = ask_peers(context, questions.values(), 10)
    assert {url for url, question in questions.items() if is_held(answered[question], clusters)} == held
    expected = [{"tag": "t", "filtered_query_params": "x", "url": url} for url in sorted(answers)]
    assert sorted((body["args"] for body in peers.bodies), key=lambda args: args["url"]) == expected
    assert {body["type"] for body in peers.bodies} == {"get_task"}
    named = {"scheduler_cluster_ids": sorted(clusters)} if clusters else {}
    assert [{key: body[key] for key in body if key not in ("type", "args")} for body in peers.bodies] == [named] * len(
        answers
    )


def test_equal_questions_are_one_job(loopback, clock):
    peers = Peers(loopback, {"a": [(1, True)]})
    context = RunContext(DragonflyClient(Http(timeout=5), loopback.url), {"wait_sleep": 1}, clock, check_mode=False)
    ask_peers(context, [question_of("a", {}, {1}), question_of("a", {"tag": ""}, {1})], 10)
    assert len(peers.bodies) == 1


def test_a_blob_that_is_known_by_its_digest_is_asked_for_by_that():
    url = "https://h/v2/n/blobs/sha256:" + "a" * 64
    args = {"enable_task_id_based_blob_digest": True, "tag": "t"}
    assert question_of(url, args, set()).body() == {"type": "get_task", "args": {"task_id": "a" * 64}}
    assert question_of("https://h/f", args, set()).body()["args"] == {"url": "https://h/f", "tag": "t"}


TYPES = ("normal", "super")


def job_of(peers, state="SUCCESS", error=""):
    result = {
        "state": state,
        "job_states": [{"error": error, "results": [{"scheduler_cluster_id": 1, "peers": peers}]}],
    }
    return {"id": 1, "type": "get_task", "state": state, "result": result}


@pytest.mark.parametrize(
    "job, holders, problem",
    [
        (job_of(None), set(), None),
        (job_of([{"IsFinished": True, "ip": "10.0.0.1"}]), {Holder(1, "10.0.0.1")}, None),
        (
            job_of([{"IsFinished": True, "ip": "10.0.0.1", "hostname": "h", "host_type": "super"}]),
            {Holder(1, "10.0.0.1", "h", "super")},
            None,
        ),
        (
            job_of(
                [{"IsFinished": kind == "super", "hostname": "h", "host_type": kind} for kind in ("normal", "super")]
            ),
            {Holder(1, None, "h", "super")},
            None,
        ),
        (job_of([{"IsFinished": False, "ip": "10.0.0.1"}]), set(), None),
        # Up to 2.3.4, a peer in the result can lack a part of it.
        (job_of([{"ip": "10.0.0.1"}]), set(), "2.4.0 or later"),
        (job_of([{"IsFinished": True, "ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]), set(), "2.4.0 or later"),
        (job_of([{"IsFinished": "true", "ip": "10.0.0.1"}]), set(), None),
        (job_of([{"IsFinished": True, "ip": 5}]), {Holder(1, None)}, None),
        (job_of(None, "FAILURE", "deadline exceeded"), set(), "job 1 failed: deadline exceeded"),
        (job_of(None, "NOVEL"), set(), "job 1 failed"),
        (None, set(), "no longer has job 1"),
    ],
)
def test_what_an_answer_says(job, holders, problem):
    answer = read_answer(1, job)
    assert answer.holders == holders
    assert (answer.problem is None) == (problem is None)
    assert (problem or "") in (answer.problem or "")


@pytest.mark.parametrize("status", [403, 422, 500])
def test_a_question_that_cannot_be_asked_has_an_answer(loopback, clock, status):
    loopback.answers = [(status, {"message": "no"})]
    context = RunContext(DragonflyClient(Http(timeout=5), loopback.url), {"wait_sleep": 1}, clock, check_mode=False)
    question = question_of("a", {}, {1})
    answer = ask_peers(context, [question], 10)[question]
    assert str(status) in (answer.problem or "")
    assert not is_held(answer, {1})


def test_peers_that_do_not_answer_in_time(loopback, clock):
    loopback.answers = [(200, {"id": 1, "state": "PENDING"})]
    context = RunContext(DragonflyClient(Http(timeout=5), loopback.url), {"wait_sleep": 5}, clock, check_mode=False)
    question = question_of("a", {}, {1})
    assert ask_peers(context, [question], 10)[question].problem == "the peers did not respond within 10 s"
    assert sum(clock.pauses) == 10


@pytest.mark.parametrize("value", [5.5, [], ["x"], {"x": 1}], ids=str)
def test_values_of_other_types_do_not_select_a_task(value):
    question = question_of("http://h/f", {"tag": value, "application": "a"}, {1})
    assert question == question_of("http://h/f", {"application": "a"}, {1})
    assert hash(question)
