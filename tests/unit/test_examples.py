# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every EXAMPLES block of a module runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.tests.tools.sources import assigned
from ansible_collections.dragonflyoss.dragonfly.tests.unit.redis_server import bulk, redis_server

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = sorted((CHECKOUT / "plugins/modules").glob("*.py"))
BLOCKS_WITH_RESCUE = [
    pytest.param(task, id=f"{path.stem}: {task['name']}")
    for path in MODULES
    for task in yaml.safe_load(assigned(path, "EXAMPLES"))
    if "rescue" in task
]


@pytest.fixture(scope="module")
def sandbox():
    """Yield a manager and a registry with the content of the examples."""
    from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

    with Sandbox(release="2.5.1", factor=60, rate_limit=False) as box:
        box.add_cluster()
        box.add_host("seed-2", "10.77.0.2", role="seed", client="rust", cluster_id=2)
        for name in ("web", "api"):
            box.image(f"shop/{name}", "4.2.0", platforms=["linux/amd64", "linux/arm64"])
        box.history(1, age=60)
        yield box


@pytest.fixture(scope="module")
def redis():
    """Yield the address of a Redis for the examples."""
    with redis_server({"INFO": bulk("redis_version:7.0.15\r\nrole:master")}) as address:
        yield address


def test_some_examples_handle_failures():
    assert BLOCKS_WITH_RESCUE


@pytest.mark.parametrize("block", BLOCKS_WITH_RESCUE)
def test_examples_fail_for_reasons_that_they_do_not_handle(block):
    """A ``rescue`` that only shows a message continues after any failure."""
    assert "ansible.builtin.fail" in block["rescue"][0]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_examples_run(module, sandbox, redis, tmp_path):
    examples = assigned(module, "EXAMPLES")
    # Values that a reader replaces too. The registry's name stays in references; registries has its address.
    examples = examples.replace("http://dragonfly-manager:8080", sandbox.url)
    examples = examples.replace("https://registry.example.com", sandbox.registry_url)
    examples = examples.replace("127.0.0.1:6379", redis)
    play = {
        "name": f"Examples of {module.stem}",
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "dragonfly_token": sandbox.token,
            "dragonfly_jwt": sandbox.jwt,
            "dragonfly_old_jwt": "expired",
            "dragonfly_password": sandbox.state()["password"],
            "dragonfly_old_password": "something-else",
            "registry_password": "anything",
        },
        "module_defaults": {
            "group/dragonflyoss.dragonfly.dragonfly": {
                "url": sandbox.url,
                "token": sandbox.token,
                "timeout": "1m",
                "username": "root",
                "password": sandbox.state()["password"],
            },
            **{
                f"dragonflyoss.dragonfly.{name}": {
                    "registries": {"registry.example.com": sandbox.registry_url},
                    "wait_sleep": 1,
                }
                for name in ("preheat", "task", "task_info", "image_distribution_info")
            },
        },
        "tasks": yaml.safe_load(examples),
    }
    ansible_playbook(tmp_path, [play])


def ansible_playbook(folder, plays):
    """Run a playbook. If it fails, the test fails with its output."""
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "-m", "ansible.cli.playbook", str(path)]
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout.decode()
