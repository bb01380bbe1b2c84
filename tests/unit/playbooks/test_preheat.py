# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook preheat reads the variables of the role, and no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.unit.playbook_runs import ONLY_PLAIN_PYTEST

pytestmark = ONLY_PLAIN_PYTEST

CHECKOUT = Path(__file__).resolve().parents[3]
# What another product might have in an inventory.
FOREIGN = {
    "token": "token-of-another-product",
    "url": "http://127.0.0.1:1",
    "image": "other:1",
    "images": ["other:1"],
    "tag": "other",
    "application": "other",
    "timeout": 1,
    "headers": {"Authorization": "Bearer other"},
    "count": 7,
    "scope": "all_peers",
    "force": True,
    "platforms": ["linux/s390x"],
    "registries": {"docker.io": "http://127.0.0.1:1"},
    "verify": "none",
    "wait": False,
}


DURATIONS = [f"preheat_{name}" for name in ("timeout", "job_timeout", "max_age", "wait_timeout", "wait_sleep")]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(factor=60, rate_limit=False) as running:
        yield running


def run(variables: dict[str, Any], **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ansible", "playbook", "dragonflyoss.dragonfly.preheat"]
    return subprocess.run(
        [*command, "--extra-vars", json.dumps(variables)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.fixture(scope="module")
def first(sandbox):
    """The run of an inventory that has variables of another product."""
    sandbox.image("library/app", "1")
    variables = {
        **FOREIGN,
        "preheat_client": "dfdaemon",
        "containerd_mirrors_client": "dfdaemon",
        "preheat_url": sandbox.url,
        "preheat_images": f"{sandbox.registry_url.partition('//')[2]}/library/app:1",
        "containerd_mirrors_registries": {sandbox.registry_url.partition("//")[2]: sandbox.registry_url},
        "preheat_tag": "ours",
        "preheat_wait_sleep": 1,
    }
    return run(variables, DRAGONFLY_TOKEN=sandbox.token)


def test_an_image_as_text_is_preheated(first, sandbox):
    assert first.returncode == 0, first.stdout
    assert "library/app:1: warm" in first.stdout
    assert len(sandbox.jobs) == 1


def test_variables_without_effect_are_reported(first):
    printed = " ".join(first.stdout.split())
    assert "so it does not use containerd_mirrors_client, preheat_client." in printed


def test_variables_of_another_product_are_not_read(first, sandbox):
    requests = [vars(entry) for entry in sandbox.log]
    assert sandbox.token in repr(requests)
    assert "token-of-another-product" not in repr(requests)
    [job] = sandbox.jobs
    assert job["args"]["tag"] == "ours"
    assert "other" not in json.dumps(job["args"])


def test_lists_mappings_and_durations_may_be_texts(sandbox):
    """As -e name=value gives them."""
    sandbox.image("library/text", "1")
    registry = sandbox.registry_url.partition("//")[2]
    texts = {
        "preheat_url": sandbox.url,
        "preheat_images": json.dumps([f"{registry}/library/text:1"]),
        "preheat_filtered_query_params": '["a", "b"]',
        "preheat_scheduler_cluster_ids": "1",
        "preheat_headers": '{"X-Any": "1"}',
        "containerd_mirrors_registries": json.dumps({registry: sandbox.registry_url}),
        "preheat_timeout": "90s",
        "preheat_max_age": "7d",
        "preheat_wait_timeout": "5m",
        "preheat_wait_sleep": "1s",
    }
    done = run(texts, DRAGONFLY_TOKEN=sandbox.token)
    assert done.returncode == 0, done.stdout
    args = sandbox.jobs[-1]["args"]
    assert args["filtered_query_params"] == "a&b"
    assert args["headers"] == {"X-Any": "1"}
    assert sandbox.jobs[-1]["scheduler_clusters"][0]["id"] == 1


def test_each_variable_that_is_read_is_one_of_the_entry_point():
    specs = yaml.safe_load((CHECKOUT / "roles/preheat/meta/argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["controller"]["options"]
    assert set(options) <= set(specs["argument_specs"]["main"]["options"])
    # The others are reported, except the runtime, which selects the variable of the registries.
    others = set(specs["argument_specs"]["main"]["options"]) - set(options) - {"preheat_runtime"}
    own = yaml.safe_load((CHECKOUT / "roles/preheat/vars/main.yml").read_text(encoding="utf-8"))
    assert set(own["__preheat_main_options"]) == others
    [play] = yaml.safe_load((CHECKOUT / "playbooks/preheat.yml").read_text(encoding="utf-8"))
    [task] = play["tasks"]
    assert task["ansible.builtin.include_role"]["tasks_from"] == "controller"
    assert "vars" not in play


@pytest.mark.parametrize(
    "variables, message",
    [
        ({}, "There is nothing to preheat. Set preheat_images or preheat_files."),
        ({"preheat_images": []}, "There is nothing to preheat"),
        ({"image": "redis:7"}, "only variables that begin with preheat_"),
        ({"preheat_image": "redis:7"}, "preheat_image is not a variable of the role dragonflyoss.dragonfly.preheat."),
        ({"preheat_image": "redis:7"}, "Did you mean preheat_images?"),
        ({"preheat_images": "redis:7", "preheat_wait": False}, "The role always waits for its jobs."),
        ({"preheat_images": "redis:7", "preheat_tokn": "x"}, "Did you mean preheat_token?"),
        ({"preheat_images": "redis:7", "preheat_registries": {}}, "Did you mean containerd_mirrors_registries?"),
        ({"preheat_images": "redis:7", "preheat_files": "http://a/b"}, "preheat_images and preheat_files are both set"),
        ({"preheat_images": {"redis": 7}}, "preheat_images"),
        ({"preheat_images": [{"redis": 7}]}, "preheat_images must be a list of strings, but entry 1 is a mapping"),
        ({"preheat_images": "redis:7", "preheat_count": "many"}, "preheat_count"),
        ({"preheat_images": "redis:7", "preheat_headers": "X-A: 1"}, "preheat_headers"),
        ({"preheat_images": "redis:7", "preheat_hdfs": ["a"]}, "preheat_hdfs"),
        (
            {"preheat_images": "redis:7", "containerd_mirrors_registries": "a.io"},
            "containerd_mirrors_registries must be a mapping, not a text that is not a mapping in JSON.",
        ),
        (
            {"preheat_images": "redis:7", "preheat_wait_sleep": "2h"},
            "preheat_wait_sleep must be from 1s to 1h",
        ),
        *(
            ({"preheat_images": "redis:7", name: "soon"}, f"{name} must be a number of seconds or a duration such as")
            for name in DURATIONS
        ),
    ],
)
def test_what_is_refused(sandbox, variables, message):
    before = len(sandbox.jobs)
    done = run({"preheat_url": sandbox.url, "preheat_token": sandbox.token, **variables})
    assert done.returncode != 0
    assert message in " ".join(done.stdout.split()) + done.stderr
    assert len(sandbox.jobs) == before
