# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No text of a manager, scheduler or host controls the terminal that displays a play."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile import Spoiler
from ansible_collections.dragonflyoss.dragonfly.tests.faults.test_templates import Texts
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.modules.every import MODULES, filled

#: Sets the title, changes the color, returns to the start of the line, and clears the screen with a C1 character.
EVIL = "\x1b]0;evil\x07\x1b[31mred\r\x9b2Jend"
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: All modules in the long form; here those that show the result of a failure, and progress.
SHORT = ("cluster", "job_info", "preheat")


@pytest.mark.parametrize("kind", ["texts of all answers", "message of an error"])
def test_no_sequence_reaches_the_terminal(kind, tmp_path, long):
    with Sandbox(release="2.5.1", factor=20000) as box:
        box.image("shop/every", "1")
        box.history(2, age=60)
        if kind == "texts of all answers":
            # The registry's texts are digests, which a preheat needs.
            registry = box.servers.pop("registry")
            Spoiler(box).begin({}, Texts(EVIL))
            box.servers["registry"] = registry
        else:
            box.rule(fault="status", status=500, body={"message": EVIL})
        shown = play(box, tmp_path, [module for module in MODULES if long or module in SHORT])
    assert "fault of the collection" not in shown
    assert _OBEYED.findall(shown) == []
    assert "\\x9b2Jend" in shown


def play(box: Sandbox, folder, modules: list[str]) -> str:
    """Run each module in one play, and return Ansible's output."""
    tasks: list[dict[str, t.Any]] = []
    variables: dict[str, t.Any] = {}
    for module in modules:
        more: dict[str, t.Any] = {"retry_timeout": 1} if module == "login" else {}
        if module == "preheat":
            more = {"scope": "all_peers", "verify": "peers", "wait_timeout": 5}
        variables[module] = filled(box, module, **more)
        arguments = {key: f"{{{{ {module}['{key}'] }}}}" for key in variables[module]}
        tasks.append({"name": module, f"dragonflyoss.dragonfly.{module}": arguments, "ignore_errors": True})
    path, extra = folder / "play.yml", folder / "extra.json"
    path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    extra.write_text(json.dumps(variables), encoding="utf-8")
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local", "-e", f"@{extra}"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}", str(path)]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert f"ok={len(tasks)} " in done.stdout, done.stdout[-3000:]
    return done.stdout + done.stderr
