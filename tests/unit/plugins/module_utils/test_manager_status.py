# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a preheat can work, by the members of the clusters."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._manager_status import (
    ClusterMembers,
    judge_cluster,
    summarize,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import Releases

OLD, NEW = Releases((2, 1, 57), (2, 2, 0)), Releases((2, 4, 1), None)
UNKNOWN = Releases(None, None)


def members(schedulers=1, active=1, preheating=1, listed=1, versions=("2.5.1",)):
    return ClusterMembers(schedulers, active, preheating, listed, list(versions))


@pytest.mark.parametrize(
    "cluster, releases, can_preheat, part",
    [
        (members(), NEW, True, "1 active scheduler with the feature preheat and 1 active seed peer"),
        (members(2, 2, 2, 2, ["1.4.2", ""]), NEW, True, "2 active schedulers with the feature preheat and 2 active"),
        (members(schedulers=0, active=0, preheating=0), NEW, False, "no scheduler is active (0 are known)"),
        (members(schedulers=3, active=0, preheating=0), NEW, False, "no scheduler is active (3 are known)"),
        (members(schedulers=3, active=2, preheating=0), NEW, False, "none of the 2 active schedulers accepts jobs"),
        (members(listed=2, versions=[]), OLD, False, "there is no active seed peer (2 are listed): start one"),
        (members(listed=0, versions=[]), NEW, None, "peer_info with refresh finds them"),
        (members(listed=0, versions=[]), UNKNOWN, None, "peer_info with refresh finds them"),
        (members(versions=["v2.1.67"]), OLD, True, "1 active seed peer"),
        (members(versions=["v2.1.67"]), UNKNOWN, True, "1 active seed peer"),
        (members(versions=["v2.1.67", "v2.1.50"]), NEW, False, "Go clients (v2.1.50, v2.1.67)"),
        # One usable seed peer is enough.
        (members(versions=["v2.1.67", "1.4.2"]), NEW, True, "2 active seed peers"),
        (members(versions=["v2.1.67", ""]), NEW, True, "2 active seed peers"),
    ],
)
def test_a_cluster(cluster, releases, can_preheat, part):
    verdict = judge_cluster(cluster, releases)
    assert verdict.can_preheat is can_preheat
    assert part in verdict.message


@pytest.mark.parametrize(
    "answers, can_preheat, message",
    [
        ([], False, "A preheat cannot work: there is no cluster."),
        ([True], True, "A preheat can work."),
        ([False, None, True], True, "A preheat can work."),
        ([False, None], None, "Whether a preheat can work is unknown."),
        ([False, False], False, "A preheat cannot work."),
    ],
)
def test_a_summary(answers, can_preheat, message):
    clusters = [
        {"id": number, "name": f"cluster-{number}", "can_preheat": answer, "verdict": "because"}
        for number, answer in enumerate(answers, 1)
    ]
    verdict = summarize(clusters)
    assert verdict.can_preheat is can_preheat
    assert verdict.message.startswith(message)
    assert verdict.message.count(": because.") == len(answers)
