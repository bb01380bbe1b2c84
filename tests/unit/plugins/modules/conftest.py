# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules as processes of their own, against a sandbox of each release."""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ansible.module_utils.common.parameters import PASS_VARS

_NUMBERS = itertools.count(1)


class Run:
    """The result of a module.

    :ivar rc: exit status.
    :ivar result: its result (dict).
    :ivar output: its output on stdout and stderr.
    """

    def __init__(self, rc, stdout, stderr):
        self.rc = rc
        self.output = stdout + stderr
        assert "Traceback" not in self.output, self.output
        assert not stderr, stderr
        self.result = json.loads(stdout)
        if self.failed and self.result.get("reason") not in (None, "bad_input"):
            assert re.search("What to do: |This means: ", self.msg), self.msg
        # From ansible-core 2.19 on, a warning is more than its text.
        warnings = self.result.get("warnings", [])
        self.warnings = [warning if isinstance(warning, str) else warning["event"]["msg"] for warning in warnings]

    @property
    def failed(self):
        return bool(self.result.get("failed"))

    @property
    def changed(self):
        return self.result["changed"]

    @property
    def jobs(self):
        return self.result["jobs"]

    @property
    def job(self):
        """The only job."""
        [job] = self.result["jobs"]
        return job

    @property
    def msg(self):
        return self.result["msg"]

    @property
    def reason(self):
        return self.result["reason"]

    def column(self, key):
        """One key of all jobs."""
        return [job[key] for job in self.jobs]


@pytest.fixture(scope="session")
def run():
    """Return a function that runs a module like Ansible: in a process of its own, with its options as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        address = os.path.join(folder, "socket")
        command = [sys.executable, str(Path(__file__).with_name("launcher.py")), address]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as launcher:
            assert launcher.stdout
            assert launcher.stdout.readline() == b"ready\n"

            def run_module(module, check_mode=False, diff=False, verbosity=0, env=None, limit=60, **options):
                """Run a module.

                :param module: its name, without the collection.
                :param env: additional environment variables (dict).
                :param limit: seconds after which the test fails.
                :param options: of the module; None omits one.
                :returns: ``Run``.
                """
                arguments = {name: value for name, value in options.items() if value is not None}
                arguments.update(_ansible_check_mode=check_mode, _ansible_diff=diff, _ansible_verbosity=verbosity)
                # From ansible-core 2.21 on, the arguments are in the result only on request.
                if "inject_invocation" in PASS_VARS:
                    arguments["_ansible_inject_invocation"] = True
                clean = {name: value for name, value in os.environ.items() if not name.startswith("DRAGONFLY_")}
                order = {
                    "module": "ansible_collections.dragonflyoss.dragonfly.plugins.modules." + module,
                    "stdin": json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
                    "env": dict(clean, **(env or {})),
                }
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(limit)
                    connection.connect(address)
                    connection.sendall(json.dumps(order).encode() + b"\n")
                    with connection.makefile("rb") as answer:
                        return Run(**json.loads(answer.read()))

            yield run_module
            launcher.terminate()


@pytest.fixture(scope="session")
def new_sandbox():
    """Yield a function that starts a sandbox, with the parameters of its class."""
    if sys.version_info < (3, 11):
        pytest.skip("the sandbox needs Python 3.11")
    from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

    started = []

    def start(**options):
        # A job ends before the first poll of the module, unless a rule changes it.
        started.append(Sandbox(factor=20000, **options).start())
        return started[-1]

    yield start
    for box in started:
        box.stop()


@pytest.fixture(scope="session")
def sandboxes(new_sandbox):
    """Yield a function that returns the only sandbox of a release, reset."""
    running = {}

    def sandbox(release):
        if release not in running:
            running[release] = new_sandbox(release=release)
        box = running[release]
        box.reset()
        box.set_registry(auth=None, user="puller", password="sandbox-registry", anonymous_pull=False)
        box.set_registry(lie=None, realm=None, names_scope=True)
        box.clock_offset = 0
        return box

    return sandbox


@pytest.fixture
def release():
    """Return the manager's release. Tests of other releases are parametrized."""
    return "2.5.1"


@pytest.fixture
def box(sandboxes, release):
    """Return a sandbox of the release."""
    return sandboxes(release)


@pytest.fixture
def new_image(box, release):
    """Return a function that pushes a unique image of a kind that the manager can read."""
    kind = "docker" if release in ("2.0.9", "2.1.0") else "oci"
    return lambda **options: box.image(f"shop/app-{next(_NUMBERS)}", "1", kind=kind, **options)


@pytest.fixture
def image(new_image):
    """Return a unique image."""
    return new_image()


@pytest.fixture
def images(new_image):
    """Return five unique images."""
    return [new_image() for _unused in range(5)]
