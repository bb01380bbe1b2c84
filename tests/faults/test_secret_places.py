# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret of an option is in the system log, in the result of an asynchronous task, or in its facts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible_collections.dragonflyoss.dragonfly.tests.faults.test_hostile import run_module
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.modules.every import (
    MODULES,
    check_secrets,
    far_runs,
    filled,
)


@pytest.fixture(scope="module")
def box():
    """Yield a sandbox with the image and the file of ``far_runs``."""
    with Sandbox(release="2.5.1", factor=20000) as sandbox:
        sandbox.image("shop/every", "1")
        sandbox.file("every.bin")
        yield sandbox


@pytest.mark.parametrize("module", sorted(MODULES))
def test_the_log_of_the_system(box, module, monkeypatch):
    lines: list[str] = []
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.syslog, "syslog", lambda _level, line: lines.append(line))
    for options in far_runs(module):
        run_module(module, {"_ansible_verbosity": 4, **filled(box, module, **options)})
    assert "Invoked with" in "\n".join(lines)
    check_secrets("\n".join(lines), box.token, box.jwt)


def test_the_result_of_an_asynchronous_task(box, tmp_path):
    tasks, variables = [], {}
    for number, options in enumerate(far_runs("preheat")):
        variables[f"options_{number}"] = filled(box, "preheat", **options)
        arguments = {key: f"{{{{ options_{number}['{key}'] }}}}" for key in variables[f"options_{number}"]}
        tasks.append({"dragonflyoss.dragonfly.preheat": arguments, "async": 60, "poll": 0})
    play, extra, results = tmp_path / "play.yml", tmp_path / "extra.json", tmp_path / "async"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    extra.write_text(json.dumps(variables), encoding="utf-8")
    command = [sys.executable, "-m", "ansible", "playbook", "-vvvv", "--diff", "-i", "localhost,", "-c", "local"]
    command += ["-e", f"@{extra}", "-e", f"ansible_python_interpreter={sys.executable}", str(play)]
    environment = {**os.environ, "ANSIBLE_ASYNC_DIR": str(results), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    check_secrets(done.stdout + done.stderr, box.token)
    written = [finished(path) for path in results.iterdir() if path.is_file()]
    assert len(written) == len(tasks)
    for text in written:
        assert '"jobs"' in text
        check_secrets(text, box.token)


def finished(path: Path) -> str:
    """Wait for the result of an asynchronous task, and return it."""
    until = time.monotonic() + 60
    while '"jobs"' not in path.read_text(encoding="utf-8") and time.monotonic() < until:
        time.sleep(0.1)
    return path.read_text(encoding="utf-8")
