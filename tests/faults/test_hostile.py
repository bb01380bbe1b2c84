# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No content of a manager, registry or host file causes a crash or is evaluated."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _module
from ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile import SPOILS, Spoiler
from ansible_collections.dragonflyoss.dragonfly.tests.faults.world import SkippingClock
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.clock import SkippedClock
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.sandbox import PASSWORD, USER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

#: Maximum number of requests of a module.
_MOST_REQUESTS = 3000
#: Options of each run; ``{image}``, ``{registry}`` and ``{file}`` are the sandbox's.
RUNS: dict[str, dict[str, t.Any]] = {
    "preheat": dict(image="{image}", wait_timeout=60, wait_sleep=20),
    "preheat of many": dict(
        images=["{image}", "{other}"],
        platforms=["linux/amd64"],
        wait_timeout=60,
        wait_sleep=20,
        scheduler_cluster_ids=[1],
        tag="shop",
    ),
    "preheat of a file": dict(
        file="{file}", wait_timeout=60, wait_sleep=20, scope="all_peers", expected_ips=["10.77.0.11"]
    ),
    "job_info": dict(details=True),
    "job_info of one": dict(ids=[1]),
    "peer_info": dict(refresh=True),
    "scheduler_info": {},
    "seed_peer_info": {},
    "manager_info": {},
    "personal_access_token": dict(name="ci", expires_in="30d", scopes=["job"]),
    "login": dict(username=USER, password=PASSWORD, retry_timeout=1),
}


def run_module(name: str, options: dict) -> dict:
    """Run a module's main in this process like Ansible, and return its output."""
    source = importlib.import_module("ansible_collections.dragonflyoss.dragonfly.plugins.modules." + name)
    printed = io.StringIO()
    with patch_module_args(options), contextlib.redirect_stdout(printed), pytest.raises(SystemExit):
        source.main()
    return json.loads(printed.getvalue())


class InstantClock(SkippedClock):
    """Time that skips the waits of the manager."""

    async def sleep(self, seconds):
        self.offset += seconds


class Place:
    """A sandbox that spoils its responses, with jobs, images and a file."""

    def __init__(self, release: str):
        self.box = Sandbox(release=release, client="rust", clock=InstantClock()).start()
        self.spoiler = Spoiler(self.box)
        self.images = [
            self.box.image(f"shop/web-{int(number)}", "1", platforms=["linux/amd64", "linux/arm64"])
            for number in range(2)
        ]
        self.file = self.box.file("model.bin")

    def run(self, run: str, answers: dict, always) -> dict:
        box = self.box
        box.reset()
        box.history(2, url=self.images[0].digest_url, age=60, blobs=2, platform="")
        box.history(1, url=self.images[1].digest_url, age=30, state="PENDING", platform="linux/amd64")
        self.spoiler.begin(answers, always)
        placeholders = {"{image}": self.images[0].source, "{other}": self.images[1].source, "{file}": self.file}
        options = {
            key: [placeholders.get(item, item) for item in value]
            if isinstance(value, list)
            else placeholders.get(value, value)
            if isinstance(value, str)
            else value
            for key, value in RUNS[run].items()
        }
        result = run_module(run.split()[0], dict(options, url=box.url, token=box.token, jwt=box.jwt))
        assert self.spoiler.count < _MOST_REQUESTS
        return result


@pytest.fixture(scope="module", params=["2.1.67", "2.5.1"])
def place(request):
    made = Place(request.param)
    with pytest.MonkeyPatch.context() as patch:
        # A module's wait advances the clock.
        patch.setattr(_module, "Clock", lambda: SkippingClock(made.box.clock))
        yield made
    made.box.stop()


@pytest.mark.parametrize("run", RUNS)
def test_without_spoiling_everything_works(place, run):
    result = place.run(run, {}, None)
    assert not result.get("failed"), result["msg"]


@pytest.mark.parametrize("run", RUNS)
def test_no_answer_makes_a_module_crash(place, run, long):
    examples = 10000 // len(RUNS) // 2 + 1 if long else 15

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=not long,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.dictionaries(st.integers(0, 11), SPOILS, max_size=4), st.one_of(st.none(), st.none(), SPOILS))
    def check(answers, always):
        result = place.run(run, answers, always)
        assert result.get("reason") != "fault", result
        assert "Traceback" not in json.dumps(result)

    check()
