# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox responds like the recorded real managers."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.tests.contract import replay, test_deletions

NOT_MODELLED = yaml.safe_load((replay.RECORDINGS.parent / "not_modelled.yml").read_text(encoding="utf-8"))[
    "not_modelled"
]
MAY_BE_MISSING = ("tokens", "signin", "clusters", "task_jobs", "infra", "v1")
EXCHANGES = replay.exchanges()


@pytest.fixture(scope="module")
def replays():
    """Yield a function that returns the replay of a run, and starts it at its first use."""
    started = {}

    def get(number):
        if number not in started:
            started[number] = replay.Replay(number)
        return started[number]

    yield get
    for run_replay in started.values():
        run_replay.close()


@pytest.mark.parametrize(
    ("name", "run", "place"),
    [
        pytest.param(exchange.name, exchange.run, exchange.place, id=f"{exchange.name} {exchange.request}")
        for exchange in EXCHANGES
    ],
)
def test_exchange(replays, name, run, place):
    differences = replays(run).differences(place)
    if name in NOT_MODELLED:
        assert differences, f"it is modelled now: take {name} off not_modelled.yml"
        pytest.xfail("; ".join(differences))
    assert not differences, "\n".join(differences)


def test_every_recording_is_replayed():
    recorded = {f"{path.parent.name}/{path.stem}" for path in replay.RECORDINGS.glob("*/*.json")}
    played = {f"{release}/{scenario}" for release, alone, together in replay.RUNS for scenario in alone + together}
    # The requests that created their jobs were not recorded. test_deletions.py repeats them against a sandbox.
    informed = {f"2.5.1/{scenario}" for scenario in test_deletions.SCENARIOS}
    assert recorded - played - informed == set()


def test_not_modelled_names_exchanges_that_may_be_missing():
    names = {exchange.name for exchange in EXCHANGES}
    assert [name for name in NOT_MODELLED if name not in names] == []
    assert [name for name in NOT_MODELLED if name.split("/")[1] not in MAY_BE_MISSING] == []
