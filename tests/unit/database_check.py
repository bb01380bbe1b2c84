# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module database_info with a Python that has the library for the database."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._sql import LIBRARIES

MODULE = Path(__file__).resolve().parents[2] / "plugins/modules/database_info.py"
PASSWORD = "s3cr3t-s3cr3t"
#: Most libraries are packages of the system, whose Python Ansible would start.
_PYTHONS = (sys.executable, "/usr/bin/python3")
#: What MySQL 8 sends first.
MYSQL_GREETING = (
    b"\x0a8.0.40\0" + b"\1\0\0\0" + b"saltsalt" + b"\0" + b"\x08\x82" + b"\xff" + b"\2\0" + b"\x08\0" + b"\x15"
) + (10 * b"\0" + b"saltsaltsalt\0" + b"caching_sha2_password\0")


@functools.lru_cache(None)
def python_with(library: str) -> str | None:
    """Return a Python that can import a library."""
    for python in filter(shutil.which, _PYTHONS):
        if subprocess.run([python, "-c", f"import {library}"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def without(programs: list[str], library: str = "") -> str:
    """Return what the host lacks for a test, empty if it lacks nothing."""
    lacking = [name for name in programs if not shutil.which(name)]
    if library and not python_with(library):
        lacking.append(f"the library {library}")
    return " and ".join(lacking)


class _ServerOfIPv6(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def database_server(
    kind: str, handler: type[socketserver.BaseRequestHandler], host: str = "127.0.0.1"
) -> t.Iterator[dict[str, t.Any]]:
    """Start a server with a handler of connections, and yield a login there. Skip the test without the library.

    :param kind: of the database, a key of ``LIBRARIES``.
    """
    lacking = without([], LIBRARIES[kind])
    if lacking:
        pytest.skip(f"the host has no {lacking}")
    server_type = _ServerOfIPv6 if ":" in host else socketserver.ThreadingTCPServer
    with server_type((host, 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        port = server.server_address[1]
        yield {"type": kind, "host": host, "port": port, "username": "dragonfly", "password": PASSWORD}
        server.shutdown()


#: Runs a program, and writes the maximum memory (KiB) of it and its own processes.
_MEASURED = """
import resource, subprocess, sys
subprocess.call([sys.executable, *sys.argv[1:]])
print("memory", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


class Ended(t.NamedTuple):
    """The result of the module, and the maximum memory of its processes in bytes."""

    result: dict[str, t.Any]
    memory: int


def environment(libraries: t.Sequence[Path] = ()) -> dict[str, str]:
    """Return an environment in which any Python finds the collection.

    :param libraries: directories in which Python first searches for libraries.
    """
    paths = [*map(str, libraries), *(path for path in sys.path if path and not path.startswith(sys.base_prefix))]
    return {**os.environ, "PYTHONPATH": ":".join(paths)}


def measure(libraries: t.Sequence[Path] = (), **options: t.Any) -> Ended:
    """Run the module, which never shows a password.

    :param libraries: see ``environment``.
    """
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"timeout": 3, **options}})
    library = LIBRARIES[options["database"]["type"]] if "database" in options else "ansible"
    command = [python_with(library) or sys.executable, "-c", _MEASURED, str(MODULE), arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(libraries))
    assert ended.stdout, ended.stderr
    assert "s3cr3t" not in ended.stdout.partition('"invocation"')[0], ended.stdout
    assert "Traceback" not in ended.stderr
    return Ended(json.loads(ended.stdout), 1024 * int(ended.stderr.split()[-1]))


def run(libraries: t.Sequence[Path] = (), **options: t.Any) -> dict[str, t.Any]:
    """Return the result of the module."""
    return measure(libraries, **options).result


def codes(result: dict[str, t.Any]) -> list[str]:
    """Return the codes of the problems."""
    return [problem["code"] for problem in result["problems"]]
