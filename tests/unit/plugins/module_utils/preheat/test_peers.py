# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which content the peers are found to hold."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.peers import find_urls_held_by_peers
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.session import Session


class Peers:
    """A manager whose jobs of the type get_task are done at once.

    :ivar answers: by URL, pairs of the id of a cluster and whether a peer there has all of the task.
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
    ],
)
def test_a_url_is_held_where_a_peer_of_each_cluster_has_all_of_it(loopback, clock, answers, clusters, held):
    peers = Peers(loopback, answers)
    session = Session(DragonflyClient(Http(timeout=5), loopback.url), {"wait_sleep": 1}, clock, check_mode=False)
    args = {"tag": "t", "application": "", "filtered_query_params": "x", "scope": "all_peers"}
    assert find_urls_held_by_peers(session, sorted(answers), args, clusters, 10) == held
    expected = [{"tag": "t", "filtered_query_params": "x", "url": url} for url in sorted(answers)]
    assert sorted((body["args"] for body in peers.bodies), key=lambda args: args["url"]) == expected
    assert {body["type"] for body in peers.bodies} == {"get_task"}
    assert [body["scheduler_cluster_ids"] for body in peers.bodies] == [sorted(clusters)] * len(answers)
