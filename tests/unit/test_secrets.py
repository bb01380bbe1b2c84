# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module in one playbook with maximum verbosity: Ansible prints no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import yaml
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.modules.every import (
    MODULES,
    check_secrets,
    far_runs,
    filled,
)


def test_secrets_are_not_shown_by_ansible(tmp_path):
    with Sandbox(release="2.5.1", factor=20000) as box:
        box.image("shop/every", "1")
        box.file("every.bin")
        done = run(box, tmp_path)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "Traceback" not in done.stdout
    check_secrets(done.stdout, box.token)


def run(box, folder):
    """Run the playbook."""
    tasks, variables = [], {}
    for module in MODULES:
        for number, options in enumerate(far_runs(module)):
            name = f"{module}_{number}"
            variables[name] = filled(box, module, **options)
            # Each as a variable, because messages quote the playbook, which must not contain secrets.
            arguments = {key: f"{{{{ {name}['{key}'] }}}}" for key in variables[name]}
            tasks.append({"name": name, f"dragonflyoss.dragonfly.{module}": arguments})
    playbook, extra = folder / "play.yml", folder / "extra.json"
    playbook.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8"
    )
    extra.write_text(json.dumps(variables), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "ansible.cli.playbook",
        str(playbook),
        "-vvvv",
        "--diff",
        "--extra-vars",
        f"@{extra}",
    ]
    environment = dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_PIPELINING="1")
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
