# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The output of a running preheat, by ansible-playbook and ansible on a pseudo-terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import time

import pytest
import yaml

PREHEAT = "dragonflyoss.dragonfly.preheat"
#: A host that appears to be remote: the local connection with another name.
ELSEWHERE = '''
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: elsewhere
short_description: Runs things here and looks as if it did not
description: For a test.
author: nobody
version_added: historical
options: {}
"""


class Connection(Local):
    transport = "elsewhere"
'''


@pytest.fixture(scope="module")
def sandbox():
    """Yield a manager whose jobs finish at once, unless a rule changes it."""
    from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

    with Sandbox(release="2.5.1", factor=20000) as box:
        yield box


@pytest.fixture
def box(sandbox):
    """Yield the manager without jobs."""
    sandbox.reset()
    return sandbox


@pytest.fixture
def sources(box):
    """Return five images: warm at once, after 4 s, after 8 s, at once, and the last one fails."""
    images = [box.image(f"shop/app-{number}", "1") for number in range(5)]
    for image, seconds in ((images[1], 4), (images[2], 8)):
        box.rule(outcome="fetch", after=seconds * 20000 - 20000, polls=[seconds * 20000], url=f"*/{image.name}/*")
    box.rule(outcome="failure", url=f"*/{images[4].name}/*")
    return [image.source for image in images]


class Terminal:
    """The output of a command on a terminal.

    :ivar lines: list of (seconds since the first line, text).
    """

    def __init__(self, command, folder):
        controller, terminal = pty.openpty()
        environment = dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_LOCALHOST_WARNING="0", COLUMNS="200", TERM="xterm")
        # ansible-test sets its own home, which ansible-core 2.18 uses for only one half of an asynchronous task.
        environment["ANSIBLE_ASYNC_DIR"] = str(folder / "async")
        environment["ANSIBLE_INJECT_INVOCATION"] = "true"  # for the checked results, from ansible-core 2.21 on
        self.lines = []
        with subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        ) as process:
            os.close(terminal)
            with os.fdopen(controller, "rb", buffering=0) as handle:
                self._read(handle)
            self.rc = process.wait()

    def _read(self, handle):
        incomplete = b""
        while True:
            try:
                chunk = handle.read(65536)
            except OSError:  # error of Linux after the last process closed its terminal
                chunk = b""
            if not chunk:
                return
            *whole, incomplete = (incomplete + chunk).split(b"\n")
            self.lines += [(time.monotonic(), line.decode().rstrip("\r")) for line in whole]

    @property
    def text(self):
        return "\n".join(line for _time, line in self.lines)

    @property
    def progress(self):
        """The lines of the action plugin."""
        return [line for _time, line in self.lines if line.startswith("dragonfly: ")]

    def time_of(self, part):
        return next(when for when, line in self.lines if part in line)


@pytest.fixture
def play(box, tmp_path):
    """Return a function that runs a play of preheats: their options, with other keywords of a task in ``task``."""

    def run(*tasks):
        made = []
        for options in tasks:
            task = dict(options.pop("task", {}))
            task[PREHEAT] = dict({"url": box.url, "token": box.token, "wait_sleep": 1}, **options)
            made.append(task)
        path = tmp_path / "play.yml"
        text = yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": made}])
        path.write_text(text, encoding="utf-8")
        return Terminal(["ansible.cli.playbook", str(path), "--inventory", str(inventory(tmp_path))], tmp_path)

    return run


def inventory(folder):
    hosts = {"localhost": {"ansible_connection": "local"}, "node": {"ansible_connection": "elsewhere"}}
    path = folder / "hosts.yml"
    interpreter = {"ansible_python_interpreter": sys.executable}
    path.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": interpreter}}), encoding="utf-8")
    plugins = folder / "connection_plugins"
    plugins.mkdir(exist_ok=True)
    (plugins / "elsewhere.py").write_text(ELSEWHERE, encoding="utf-8")
    return path


def test_lines_are_shown_while_it_runs_and_each_once(play, sources):
    shown = play({"images": sources})

    assert shown.rc == 2
    assert shown.progress[0] == "dragonfly: 0 of 5 warm, 5 pending"
    assert shown.progress[-3:] == [
        f"dragonfly: {count} of 5 warm, {remainder}1 failed ({sources[4]})"
        for count, remainder in ((2, "2 pending, "), (3, "1 pending, "), (4, ""))
    ]
    # There are more polls than lines, and unchanged progress is not repeated.
    assert len(set(shown.progress)) == len(shown.progress)
    times = [shown.time_of(line) for line in shown.progress[-3:]] + [shown.time_of("fatal: [localhost]")]
    assert times == sorted(times)
    assert times[1] - times[0] > 2
    assert times[2] - times[1] > 2


def test_nothing_is_shown_where_nobody_waits(box, play, sources):
    # Lines that are not shown are not written either.
    untouched = {"register": "done", "failed_when": "done.invocation.module_args.progress_file is not none"}
    shown = play(
        {"image": sources[0], "task": {"check_mode": True}},
        {"image": sources[0], "task": dict(untouched, **{"async": 60, "poll": 1})},
        {"image": sources[3], "task": dict(untouched, delegate_to="node")},
    )

    assert shown.rc == 0, shown.text
    assert "ok=3    changed=3" in shown.text
    assert len(box.jobs) == 2
    assert not shown.progress
    assert "dragonfly:" not in shown.text


def test_lines_of_an_own_file_are_shown_and_it_stays(play, sources, tmp_path):
    path = tmp_path / "progress"
    path.write_text("0 of 9 warm, from before\n", encoding="utf-8")
    shown = play({"image": sources[0], "progress_file": str(path)}, {"image": sources[0], "progress_file": str(path)})

    assert shown.rc == 0, shown.text
    lines = path.read_text(encoding="utf-8").splitlines()
    assert shown.progress == ["dragonfly: " + line for line in lines[1:]]
    assert lines[0] == "0 of 9 warm, from before"
    assert lines[1:] == [f"{sources[0]}: {line}" for line in ("0 of 1 warm, 1 pending", "1 of 1 warm", "1 of 1 warm")]


def test_a_file_that_vanishes_does_no_harm(play, sources, tmp_path):
    path = tmp_path / "progress"
    gone = threading.Event()

    def remove():
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if path.exists() and path.stat().st_size:
                time.sleep(1)
                path.unlink()
                gone.set()
                return
            time.sleep(0.05)

    thread = threading.Thread(target=remove)
    thread.start()
    shown = play({"images": sources[:2], "progress_file": str(path)})
    thread.join()

    assert gone.is_set()
    assert shown.rc == 0, shown.text
    assert "changed: [localhost]" in shown.text
    assert "WARNING" not in shown.text
    assert shown.progress[0] == "dragonfly: 0 of 2 warm, 2 pending"


def test_ad_hoc_commands_show_them_too(box, sources, tmp_path):
    arguments = json.dumps({"url": box.url, "token": box.token, "wait_sleep": 1, "image": sources[1]})
    shown = Terminal(["ansible.cli.adhoc", "localhost", "--module-name", PREHEAT, "--args", arguments], tmp_path)

    assert shown.rc == 0, shown.text
    assert shown.progress == [f"dragonfly: {sources[1]}: {line}" for line in ("0 of 1 warm, 1 pending", "1 of 1 warm")]
    assert shown.time_of("1 of 1 warm") - shown.time_of("0 of 1 warm") > 2


def test_files_of_its_own_are_removed(play, sources, tmp_path, monkeypatch):
    # Ansible finally removes its own directory, so another process watches it.
    monkeypatch.setenv("ANSIBLE_LOCAL_TEMP", str(tmp_path / "local"))
    seen = []
    done = threading.Event()

    def watch():
        while not done.wait(0.02):
            seen.append([path.name for path in (tmp_path / "local").glob("*/dragonfly-progress-*")])

    thread = threading.Thread(target=watch)
    thread.start()
    shown = play({"image": sources[0]}, {"image": sources[1]})
    done.set()
    thread.join()

    assert shown.rc == 0, shown.text
    # Each task has its own file, and the first is removed before the second exists.
    assert max(len(names) for names in seen) == 1
    assert len({name for names in seen for name in names}) == 2
