# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a daemon are correct after the tasks that write them, until a file is changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.unit.playbook_runs import ONLY_PLAIN_PYTEST
from ansible_collections.dragonflyoss.dragonfly.tests.unit.roles.test_in_check_mode import play

pytestmark = [
    ONLY_PLAIN_PYTEST,
    pytest.mark.skipif(os.geteuid() != 0, reason="the files belong to root"),
]

ROLE = Path(__file__).resolve().parents[3] / "roles" / "_daemon"


def settings(folder: Path) -> dict[str, Any]:
    """Return variables that keep all files of a daemon in a directory."""
    return {
        "_daemon_name": "dfdaemon",
        "_daemon_description": "client",
        "_daemon_user": "root",
        "_daemon_unit": "no-such-daemon.service",
        "_daemon_unit_settings": [],
        "_daemon_unit_changed": False,
        "_daemon_exec_start": "/usr/local/bin/dfdaemon",
        "_daemon_program": f"{folder}/bin/dfdaemon",
        "_daemon_version_command": ["echo", "dfdaemon it's 1.5.1"],
        "_daemon_config_path": f"{folder}/etc/dfdaemon.yaml",
        "_daemon_config": {"host": {"idc": "it's \u00e4"}},
        "_daemon_extra_path": f"{folder}/etc/dynconfig.yaml",
        "_daemon_extra": {"scheduler": {}},
        "_daemon_unit_path": f"{folder}/units/dfdaemon.service",
        "_daemon_drop_in": f"{folder}/units/dfdaemon.service.d/50.conf",
        "_daemon_downloads": f"{folder}/downloads",
        "_daemon_manage_unit": True,
        "_daemon_service_options": {"Environment": ["TOKEN=a"]},
        "_daemon_install_source": "",
        "steps": {},
    }


def steps_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the changes of the files in order."""
    config, drop_in = f"{folder}/etc/dfdaemon.yaml", f"{folder}/units/dfdaemon.service.d/50.conf"
    append = "echo >> {}"
    write = {"ansible.builtin.include_tasks": f"{ROLE}/tasks/configure.yml"}
    return {
        "nothing": [],
        "written": [write],
        "readable by all": [{"ansible.builtin.command": f"chmod 0644 {config}"}],
        "written again": [write],
        "longer": [{"ansible.builtin.shell": append.format(drop_in)}],
        "in an open folder": [write, {"ansible.builtin.command": f"chmod 0777 {folder}/etc"}],
        "a link": [write, {"ansible.builtin.shell": f"mv {config} {config}.real; ln -s {config}.real {config}"}],
    }


def test_the_state_of_files(tmp_path):
    (tmp_path / "templates").symlink_to(ROLE / "templates")
    (tmp_path / "bin").mkdir()
    (tmp_path / "units").mkdir()
    (tmp_path / "bin/dfdaemon").symlink_to("/opt/no such/dfdaemon")
    tasks: list[dict[str, Any]] = [{"ansible.builtin.set_fact": settings(tmp_path)}]
    for name, step in steps_of(tmp_path).items():
        record = {name: "{{ _daemon_is_configured }}"}
        tasks += [
            *step,
            {"ansible.builtin.include_tasks": f"{ROLE}/tasks/daemon_state.yml"},
            {"ansible.builtin.set_fact": {"_daemon_before": "{{ _daemon_host_state.stdout_lines }}"}},
            {"ansible.builtin.set_fact": {"steps": "{{ steps | combine(record) }}"}, "vars": {"record": record}},
        ]
    expressions = ["steps", "_daemon_earlier_program", "_daemon_existing | length", "_daemon_known_release"]
    tasks.append({"ansible.builtin.set_fact": {"found": f"{{{{ [{', '.join(expressions)}] }}}}"}})
    found_steps, program, files, release = play(
        tmp_path, tasks, {"host": {"_daemon_release": ""}}, options=(), vars_files=[str(ROLE / "vars/main.yml")]
    )["host"]
    assert {name for name, is_configured in found_steps.items() if is_configured} == {"written", "written again"}
    assert program == "/opt/no such/dfdaemon"
    assert files == 4
    assert release == "1.5.1"


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_password_that_a_killed_run_left_is_removed_by_a_run_that_fails(tmp_path, state):
    left = tmp_path / "manager.env"
    left.write_text("DRAGONFLY_INITIAL_ROOT_PASSWORD=secret\n", encoding="utf-8")
    facts = {
        "ansible_parent_role_names": ["dragonflyoss.dragonfly.manager"],
        "_daemon_name": "manager",
        "_daemon_state": state,
        "_daemon_hooks": {"cleanup": "remove_password"},
        # What else the tasks require is missing, so they fail.
        "_daemon_install_source": "",
        "__manager_environment_file": str(left),
    }
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_vars": f"{ROLE}/vars/main.yml"},
        {"ansible.builtin.set_fact": facts},
        {
            "block": [{"ansible.builtin.include_tasks": f"{ROLE}/tasks/main.yml"}],
            "rescue": [{"ansible.builtin.set_fact": {"found": "failed"}}],
        },
    ]
    assert play(tmp_path, tasks, {"host": {}}, options=()) == {"host": "failed"}
    assert not left.exists()
