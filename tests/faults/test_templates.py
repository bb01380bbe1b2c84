# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible never evaluates a template from a manager or a host's file, however its result is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile import TEMPLATE, Spoiler
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

#: Values that control the module, and are not replaced.
_KEPT = ("state", "type", "created_at", "updated_at")


class Texts:
    """Replaces every text of a response by another."""

    def __init__(self, text: str) -> None:
        self._text = text

    def apply(self, reply) -> None:
        try:
            document = json.loads(reply.body)
        except ValueError:
            return
        reply.body = json.dumps(self._replaced(document)).encode()

    def _replaced(self, node, name=""):
        if isinstance(node, dict):
            return {key: self._replaced(value, key) for key, value in node.items()}
        if isinstance(node, list):
            return [self._replaced(item) for item in node]
        return self._text if isinstance(node, str) and name not in _KEPT else node


def test_no_template_of_an_answer_or_a_file_is_evaluated(tmp_path):
    mark, config = tmp_path / "mark", tmp_path / "dfdaemon.yaml"
    config.write_text(yaml.safe_dump({"manager": {"addr": TEMPLATE}, "proxy": {"rules": [{"regex": TEMPLATE}]}}))
    uses = []
    for module in ("job_info", "peer_info", "scheduler_info", "seed_peer_info", "manager_info", "preheat"):
        options = {
            "preheat": {"file": "http://origin.example.com/x", "wait": False},
            "peer_info": {"refresh": True},
        }.get(module, {})
        uses += [
            {"dragonflyoss.dragonfly." + module: options, "register": "seen", "ignore_errors": True},
            {"ansible.builtin.set_fact": {"again": "{{ seen }}", "text": "{{ seen | to_json }}"}},
            {"ansible.builtin.debug": {"msg": "{{ again }} {{ text }}"}},
            {"ansible.builtin.copy": {"content": "{{ text }}", "dest": str(tmp_path / module), "mode": "0600"}},
        ]
    problems = (
        "{{ content | from_yaml | dragonflyoss.dragonfly.config_problems('dfdaemon', "
        "bases=['https://registry.example.com']) }}"
    )
    uses += [
        {"ansible.builtin.slurp": {"src": str(config)}, "register": "file"},
        {"ansible.builtin.set_fact": {"content": "{{ file.content | b64decode }}"}},
        {"ansible.builtin.set_fact": {"problems": problems}},
        {"ansible.builtin.debug": {"msg": "{{ problems }} {{ content }}"}},
        {
            "ansible.builtin.copy": {
                "content": "{{ problems | to_json }} {{ content }}",
                "dest": str(tmp_path / "problems"),
                "mode": "0600",
            }
        },
    ]
    play = tmp_path / "play.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": uses}]), encoding="utf-8")
    with Sandbox(factor=100) as box:
        box.history(2, age=60)
        Spoiler(box).begin({}, Texts(TEMPLATE))
        environment = {
            **os.environ,
            "HOSTILE_MARK": str(mark),
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "DRAGONFLY_URL": box.url,
            "DRAGONFLY_TOKEN": box.token,
            "DRAGONFLY_JWT": box.jwt,
        }
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                "-i",
                "localhost,",
                "-c",
                "local",
                str(play),
                "-e",
                "ansible_python_interpreter=" + sys.executable,
            ],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not mark.exists()
    for name in ("job_info", "peer_info", "scheduler_info", "manager_info", "problems"):
        assert "lookup(" in (tmp_path / name).read_text(encoding="utf-8"), name
