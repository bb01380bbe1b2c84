# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook site: what it refuses, and how it creates and stores the token of a manager."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.unit.playbook_runs import ONLY_PLAIN_PYTEST

pytestmark = ONLY_PLAIN_PYTEST

GROUPS = ("managers", "schedulers", "seeds", "nodes")
#: Only the parts of the playbook that need no host: its checks and the token.
PARTS = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: dragonflyoss.dragonfly._site
        tasks_from: "{{ item }}"
      loop: [main, token, stored_token]
    - ansible.builtin.assert:
        that: site_stored_token == site_token_now | default(site_stored_token)
"""


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(release="2.5.1", factor=60, rate_limit=False) as running:
        yield running


@pytest.fixture
def variables(sandbox, tmp_path) -> dict[str, Any]:
    return {
        "site_token_file": str(tmp_path / "token"),
        "site_manager_url": sandbox.url,
        "site_manager_host": "192.0.2.7",
        "manager_root_password": sandbox.state()["password"],
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
    }


def run(play: str, folder: Path, variables: dict[str, Any], groups=GROUPS, *options: str):
    inventory: dict[str, Any] = {
        "all": {"children": {name: {"hosts": {"host-1": {}}} for name in groups}, "vars": variables},
    }
    for number in range(variables.get("more_schedulers", 0)):
        inventory["all"]["children"]["schedulers"]["hosts"][f"scheduler-{number}"] = {}
    (folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(folder / "inventory.json"), play, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)


def run_parts(folder, variables, *options):
    (folder / "parts.yml").write_text(PARTS, encoding="utf-8")
    return run(str(folder / "parts.yml"), folder, variables, GROUPS, *options)


def test_the_token_is_stored_and_a_second_run_changes_nothing(sandbox, variables, tmp_path):
    first = run_parts(tmp_path, variables, "-vvv", "--diff")
    assert first.returncode == 0, first.stdout
    assert "changed=2" in first.stdout
    file = tmp_path / "token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text(encoding="utf-8").strip()
    # The password of the sandbox is also the name of the collection, so only its values are searched.
    for secret in (token, f'"{variables["manager_root_password"]}"'):
        assert [line for line in (first.stdout + first.stderr).splitlines() if secret in line] == []
    second = run_parts(tmp_path, variables)
    assert second.returncode == 0, second.stdout
    assert "changed=0" in second.stdout
    assert file.read_text(encoding="utf-8").strip() == token


def test_the_token_is_in_the_home_directory_of_the_environment(variables, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    done = run_parts(tmp_path, {**variables, "site_token_file": "~/token"})
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "token").exists()


def test_only_the_schedulers_of_the_run_are_expected(variables, tmp_path):
    waiting = PARTS.replace("[main, token, stored_token]", "[main, token, schedulers]")
    (tmp_path / "parts.yml").write_text(waiting.partition("    - ansible.builtin.assert")[0], encoding="utf-8")
    more = {**variables, "more_schedulers": 2, "site_start_timeout": "3s"}
    limited = run(str(tmp_path / "parts.yml"), tmp_path, more, GROUPS, "--limit", "host-1")
    assert limited.returncode == 0, limited.stdout
    complete = run(str(tmp_path / "parts.yml"), tmp_path, more)
    assert "but this run set up 3 (host-1, scheduler-0," in " ".join(complete.stdout.split())


def test_the_token_is_encrypted_and_written_once(variables, tmp_path):
    encrypted = {**variables, "site_vault_password": "password of the vault"}
    assert run_parts(tmp_path, encrypted).returncode == 0
    content = (tmp_path / "token").read_text(encoding="utf-8")
    assert content.startswith("$ANSIBLE_VAULT")
    second = run_parts(tmp_path, encrypted)
    assert "changed=0" in second.stdout, second.stdout
    assert (tmp_path / "token").read_text(encoding="utf-8") == content
    wrong = run_parts(tmp_path, {**variables, "site_vault_password": "wrong"})
    assert "site_vault_password does not decrypt it" in " ".join(wrong.stdout.split()) + wrong.stderr


@pytest.mark.parametrize(
    ("changes", "groups", "message"),
    [
        ({}, ("managers", "seeds", "nodes"), "The inventory has no hosts in schedulers."),
        ({"site_tokn_file": "x"}, GROUPS, "Did you mean site_token_file?"),
        ({"manager_redis_addr": "x"}, GROUPS, "Did you mean manager_redis_addrs?"),
        ({"site_token_file": "/nowhere/token"}, GROUPS, "/nowhere is not a writable directory"),
        ({"manager_root_password": ""}, GROUPS, "no password to create one"),
        ({"scheduler_release": "1.9"}, GROUPS, "scheduler_release: '1.9' is not a release"),
        ({"preheat_scope": "every_peer"}, GROUPS, "value of preheat_scope must be one of"),
        ({"preheat_state": "absent"}, GROUPS, "preheat_state is absent"),
        ({"site_manager_host": "127.0.0.1"}, GROUPS, "loopback"),
        ({"site_manager_host": "manager.invalid"}, GROUPS, "does not resolve the name manager.invalid"),
        ({"site_token_file": "token"}, GROUPS, "site_token_file is token"),
    ],
)
def test_what_is_refused_before_anything_changes(variables, tmp_path, changes, groups, message):
    done = run("dragonflyoss.dragonfly.site", tmp_path, {**variables, **changes}, groups)
    assert done.returncode != 0
    assert message in " ".join(done.stdout.split()) + done.stderr
    assert "Set up the managers" not in done.stdout


def test_a_path_that_is_not_a_file_is_refused(variables, tmp_path):
    (tmp_path / "token").mkdir()
    done = run("dragonflyoss.dragonfly.site", tmp_path, variables)
    assert "is not a file that the controller can read" in " ".join(done.stdout.split()) + done.stderr


def test_a_file_with_another_purpose_is_kept(variables, tmp_path):
    (tmp_path / "token").write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n", encoding="utf-8")
    done = run("dragonflyoss.dragonfly.site", tmp_path, variables, GROUPS, "-vvv")
    assert "does not hold a token" in " ".join(done.stdout.split()) + done.stderr
    assert "c2VjcmV0" not in done.stdout + done.stderr
    assert (tmp_path / "token").read_text(encoding="utf-8").startswith("-----BEGIN")


def test_nodes_are_checked_before_the_managers_are_set_up(variables, tmp_path):
    foreign = tmp_path / "certs.d/registry.example.com/hosts.toml"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("# Written by an administrator\n", encoding="utf-8")
    node = {
        "ansible_become": False,
        "containerd_mirrors_certs_dir": str(tmp_path / "certs.d"),
        "containerd_mirrors_config_path": str(tmp_path / "config.toml"),
        "containerd_mirrors_registries": {"registry.example.com": "https://registry.example.com"},
    }
    done = run("dragonflyoss.dragonfly.site", tmp_path, {**variables, **node})
    assert done.returncode != 0
    assert (
        f"{foreign} was not written by this role. Nothing was changed." in " ".join(done.stdout.split()) + done.stderr
    )
    assert "Set up the managers" not in done.stdout
