# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A preheat that is interrupted, terminated or killed in any phase: the next run still warms the image.

No job of the killed run is lost, at most one more is created, and no file remains.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.faults.test_tls_and_leaks import start
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

#: Seconds until a phase must have begun, and a process must be over.
_LIMIT = 120
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Phase(t.NamedTuple):
    """A position in a run that is blocked until the run is killed.

    :ivar rule: rule of the sandbox that blocks it.
    :ivar request: regular expression for the request that shows that the phase has begun, and how many came before it.
    :ivar jobs: how many preheat jobs there are after the second run.
    """

    rule: dict[str, t.Any]
    request: str
    earlier: int
    jobs: tuple[int, ...]
    options: t.Mapping[str, t.Any] = {}


PHASES = {
    "reading the manifest": Phase({"fault": "delay", "seconds": 4, "at": "registry"}, "GET /v2/.*manifests", 0, (1,)),
    "looking for jobs": Phase(
        {"fault": "delay", "seconds": 4, "method": "GET", "path": "/jobs$"}, "GET .*jobs$", 0, (1,)
    ),
    "before the manager acts": Phase({"fault": "timeout", "seconds": 4, "method": "POST"}, "POST .*jobs$", 0, (1,)),
    "after the manager acted": Phase(
        {"fault": "timeout", "seconds": 4, "method": "POST", "acts": True}, "POST .*jobs$", 0, (1,)
    ),
    "waiting": Phase({"outcome": "success", "after": 60}, "GET .*jobs/", 1, (1,)),
    "polling": Phase({"fault": "delay", "seconds": 4, "path": "/jobs/"}, "GET .*jobs/", 0, (1,)),
    "verifying": Phase(
        {"fault": "timeout", "seconds": 4, "method": "POST", "nth": 2}, "POST .*jobs$", 1, (1,), {"verify": "peers"}
    ),
}
#: All of them in the long form, one signal in most phases in the short form.
SHORT = {(phase, SIGNALS[position % len(SIGNALS)]) for position, phase in enumerate(PHASES)}
SHORT -= {("looking for jobs", signal.SIGTERM), ("polling", signal.SIGKILL)}
CASES = [
    pytest.param(phase, number, id=f"{phase} {number.name}", marks=[] if (phase, number) in SHORT else pytest.mark.long)
    for phase in PHASES
    for number in SIGNALS
]


@pytest.fixture(autouse=True)
def interruptible():
    """Let processes that are started here obey SIGINT, which a shell that runs the tests in the background has ignored.

    A process inherits that a signal is ignored.
    """
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


def requests(box) -> list[str]:
    return [f"{entry.method} {entry.path}" for entry in [*box.log, *box.registry_log]]


def await_phase(box, phase: Phase, process) -> None:
    begun = time.monotonic()
    while sum(bool(re.match(phase.request, request)) for request in requests(box)) <= phase.earlier:
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() - begun < _LIMIT, requests(box)
        time.sleep(0.02)
    # The server has the request, and acts at once, if at all.
    time.sleep(0.2)


def files(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("phase, number", CASES)
def test_the_next_run_warms_it(tmp_path, phase, number):
    where = PHASES[phase]
    environment = {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    with Sandbox(release="2.5.1", factor=20) as box:
        image = box.image("shop/web", "1")
        options = {"url": box.url, "token": box.token, "image": image.source, "wait_sleep": 1, **where.options}
        rule = box.rule(**where.rule)
        with start("preheat", environment, **options) as process:
            await_phase(box, where, process)
            process.send_signal(number)
            printed = process.stdout.read()
            assert process.wait(_LIMIT) != 0
        assert box.token not in printed
        before = {job["id"] for job in box.jobs if job["type"] == "preheat"}
        box.remove_rule(rule)
        with start("preheat", environment, **options) as process:
            result = json.loads(process.stdout.read())
        assert not result.get("failed"), result["msg"]
        [job] = result["jobs"]
        assert job["outcome"] == "warm"
        after = {job["id"] for job in box.jobs if job["type"] == "preheat"}
        assert len(after) in where.jobs
        assert before <= {job["id"]} == after
        assert result["changed"] == (not before)
    assert files(tmp_path) == []


def test_a_playbook_that_is_interrupted_leaves_no_file(tmp_path):
    """After any other signal, Ansible leaves its directory, which contains the file."""
    play = tmp_path / "play.yml"
    with Sandbox(release="2.5.1", factor=20) as box:
        image = box.image("shop/web", "1")
        box.rule(outcome="success", after=400)
        task = {"dragonflyoss.dragonfly.preheat": {"image": image.source, "wait_sleep": 1}}
        play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
        local, remote = tmp_path / "local", tmp_path / "remote"
        environment = {
            **os.environ,
            "DRAGONFLY_URL": box.url,
            "DRAGONFLY_TOKEN": box.token,
            "ANSIBLE_LOCAL_TEMP": str(local),
            "ANSIBLE_REMOTE_TEMP": str(remote),
            "TMPDIR": str(tmp_path),
        }
        command = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local", str(play)]
        command += ["-e", f"ansible_python_interpreter={sys.executable}"]
        with subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            await_phase(box, PHASES["waiting"], process)
            # Like a terminal, to all of them.
            os.killpg(process.pid, signal.SIGINT)
            printed = process.communicate(timeout=_LIMIT)[0]
        assert box.token not in printed
        assert [job["type"] for job in box.jobs] == ["preheat"]
    # Ansible itself leaves the zip of a module whose process is terminated.
    assert [path for path in files(tmp_path) if "dragonfly-progress" in path] == []
