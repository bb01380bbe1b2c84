# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run commands as processes, and measure their time and memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

# Runs a command whose stderr goes to stdout, and writes its wall time, processor time and peak memory to stderr.
_LAUNCHER = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.call(sys.argv[1:], stderr=1)
wall = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], sys.stderr)
sys.exit(code)
"""
MODULES = "ansible_collections.dragonflyoss.dragonfly.plugins.modules."


class Figure(t.NamedTuple):
    """A row of the table.

    :ivar what: name of the measurement.
    :ivar value: the measured value.
    :ivar goal: maximum of the value, or its minimum if ``at_least`` is set.
    """

    what: str
    value: float
    goal: float
    unit: str = ""
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The row as text."""
        sign = "at least" if self.at_least else "at most"
        return (
            self.what,
            f"{_number(self.value)}{self.unit}",
            f"{sign} {_number(self.goal)}{self.unit}",
            "yes" if self.is_met else "NO",
        )


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() or value >= 100 else f"{value:.2f}"


class Used(t.NamedTuple):
    """The resources that a process used.

    :ivar wall: wall time in seconds.
    :ivar cpu: processor time in seconds, including its children.
    :ivar memory: peak memory in MB.
    :ivar output: its output.
    """

    wall: float
    cpu: float
    memory: float
    output: str


def measure(command: list[str], stdin: str = "", **environment: str) -> Used:
    """Run a command until it ends.

    :raises RuntimeError: if it fails, with its output.
    """
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as printed:
        given.write(stdin)
        given.seek(0)
        # A process inherits the peak memory of its parent, so a small process starts the command.
        process = subprocess.run(
            [sys.executable, "-c", _LAUNCHER, *command],
            stdin=given,
            stdout=printed,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            check=False,
            text=True,
        )
        printed.seek(0)
        output = printed.read()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {output[-2000:]}{process.stderr}")
    wall, cpu, memory = json.loads(process.stderr)
    return Used(wall, cpu, memory, output)


def run_module(name: str, **options: t.Any) -> tuple[dict, Used]:
    """Run a module as Ansible does on a host, and return its result and the resources it used."""
    used = measure([sys.executable, "-m", MODULES + name], json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    return json.loads(used.output), used


def run_playbook(folder: Path, tasks: list[dict], **variables: t.Any) -> Used:
    """Run a play with these tasks on the controller."""
    play = folder / "play.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    command = [
        ansible("ansible-playbook"),
        "-i",
        "localhost,",
        "-c",
        "local",
        str(play),
        "-e",
        json.dumps({"ansible_python_interpreter": sys.executable, **variables}),
    ]
    return measure(command, ANSIBLE_HOME=str(folder))


def ansible(name: str) -> str:
    """Return the path of one of the Ansible programs of this Python."""
    return str(Path(sys.executable).with_name(name))


def median_ratio(first: t.Callable[[], float], second: t.Callable[[], float], rounds: int) -> float:
    """Return the median ratio of two measurements, which alternate to see the same load."""
    return statistics.median(first() / second() for _round in range(rounds))
