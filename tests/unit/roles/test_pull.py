# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role preheat pulls with a password that no command line contains."""

from __future__ import annotations

import json
import os
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.unit.playbook_runs import ONLY_PLAIN_PYTEST
from ansible_collections.dragonflyoss.dragonfly.tests.unit.roles.test_in_check_mode import FAILURE, play

pytestmark = ONLY_PLAIN_PYTEST

PASSWORD = "s3cr3t:with a 'quote' and $(id)"
KEY_FILE = json.dumps({"type": "service_account", "private_key": "a\nb"}, indent=2)
IMAGE = "registry.example.com/shop/web:4.2.0"

#: Records a pull: the command lines of the process and its ancestors, and the password, which it reads like the real
#: program.
RECORDER = """#!{python}
import json, os, sys
if "--version" in sys.argv:
    print("crictl version {version}")
    sys.exit()
if "pull" in sys.argv:
    lines, process = [], os.getpid()
    while process > 1:
        with open(f"/proc/{{process}}/cmdline") as file:
            lines.append(file.read().split("\\0"))
        with open(f"/proc/{{process}}/stat") as file:
            process = int(file.read().rpartition(")")[2].split()[1])
    typed = sys.stdin.readline() if os.isatty(0) else None
    record = {{"lines": lines, "typed": typed, "CRICTL_CREDS": os.environ.get("CRICTL_CREDS")}}
    with open("{folder}/" + os.path.basename(sys.argv[0]) + ".json", "w") as file:
        json.dump(record, file)
"""


class Pull(t.NamedTuple):
    """A host that pulls: its runtime, the release of its crictl (empty without one), and the login."""

    runtime: str
    crictl: str = ""
    user: str = "puller"
    password: str = PASSWORD


PULLS = {
    "new-crictl": Pull("containerd", "v1.24.0"),
    "old-crictl": Pull("containerd", "v1.23.0"),
    "no-crictl": Pull("containerd"),
    "crio": Pull("crio", "v1.35.0"),
    "old-crio": Pull("crio", "v1.23.0"),
    "old-crio-without-login": Pull("crio", "v1.23.0", user="", password=""),
    "podman": Pull("podman"),
    "key-file": Pull("podman", user="_json_key", password=KEY_FILE),
    "two-lines": Pull("podman", password="two\nlines"),
    "control-character": Pull("podman", password="a\x03b"),
    "long": Pull("podman", password="x" * 4001),
}


class Pulled(t.NamedTuple):
    """The results of the pulls (host to ``ok`` or a message), and the directory of the run."""

    ends: dict[str, str]
    folder: Path

    def record(self, host: str) -> dict[str, t.Any]:
        """Return the recording of the only program of a host. Its command line is the first of ``lines``."""
        [path] = (self.folder / host).glob("*.json")
        return {"program": path.stem, **json.loads(path.read_text(encoding="utf-8"))}

    def is_started(self, host: str) -> bool:
        """Return whether a program of the host was started to pull."""
        return any((self.folder / host).glob("*.json"))


@pytest.fixture(scope="module", name="pulled")
def run_all_pulls(tmp_path_factory):
    """Run the tasks that pull on each host."""
    folder = tmp_path_factory.mktemp("pull")
    for host, details in PULLS.items():
        programs = folder / host / "bin"
        programs.mkdir(parents=True)
        for name in ("ctr", "podman", *(["crictl"] if details.crictl else [])):
            text = RECORDER.format(python=sys.executable, folder=folder / host, version=details.crictl)
            (programs / name).write_text(text, encoding="utf-8")
            (programs / name).chmod(0o755)
    variables = {
        host: {
            "preheat_images": [IMAGE],
            "preheat_runtime": details.runtime,
            "preheat_registry_username": details.user,
            "preheat_registry_password": details.password,
        }
        for host, details in PULLS.items()
    }
    block = {
        "block": [
            {"ansible.builtin.include_role": {"name": "dragonflyoss.dragonfly.preheat", "tasks_from": "pull"}},
            {"ansible.builtin.set_fact": {"found": "ok"}},
        ],
        "rescue": [{"ansible.builtin.set_fact": {"found": f"{{{{ {FAILURE} }}}}"}}],
        "environment": {"PATH": f"{folder}/{{{{ inventory_hostname }}}}/bin:{os.environ['PATH']}"},
    }
    return Pulled(play(folder, [block], variables, options=()), folder)


@pytest.mark.parametrize(
    ("host", "program", "options"),
    [
        ("new-crictl", "crictl", ["pull"]),
        ("old-crictl", "ctr", ["--user", "puller"]),
        ("no-crictl", "ctr", ["--user", "puller"]),
        ("crio", "crictl", ["pull"]),
        ("podman", "podman", ["--creds", "puller"]),
    ],
)
def test_no_command_line_contains_the_password(pulled, host, program, options):
    assert pulled.ends[host] == "ok"
    record = pulled.record(host)
    assert record["program"] == program
    assert len(record["lines"]) > 3
    assert "s3cr3t" not in json.dumps(record["lines"])
    assert record["lines"][0][-len(options) - 2 : -1] == [*options, IMAGE]
    if program == "crictl":
        assert record["CRICTL_CREDS"] == f"puller:{PASSWORD}"
    else:
        assert record["typed"] == f"{PASSWORD}\n"
        assert record["CRICTL_CREDS"] is None


def test_the_password_is_not_shown(pulled):
    assert "s3cr3t" not in (pulled.folder / "stdout").read_text(encoding="utf-8")


def test_a_key_file_is_typed_as_one_line(pulled):
    assert json.loads(pulled.record("key-file")["typed"]) == json.loads(KEY_FILE)


@pytest.mark.parametrize("host", ["two-lines", "control-character", "long"])
def test_a_password_that_cannot_be_typed_is_refused(pulled, host):
    assert pulled.ends[host] != "ok"
    assert not pulled.is_started(host)


def test_an_old_crictl_of_crio_gets_no_password(pulled):
    assert "requires crictl 1.24.0 or later" in pulled.ends["old-crio"]
    assert "crictl version v1.23.0" in pulled.ends["old-crio"]
    assert not pulled.is_started("old-crio")


def test_an_old_crictl_pulls_without_a_password(pulled):
    assert pulled.ends["old-crio-without-login"] == "ok"
    assert pulled.record("old-crio-without-login")["lines"][0][-3:-1] == ["pull", IMAGE]
