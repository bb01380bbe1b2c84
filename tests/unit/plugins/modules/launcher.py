# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules, each in a process of its own, forked from one with the slow imports.

    python launcher.py SOCKET

It serves a Unix socket until its parent ends. A connection is one run: a line of JSON with ``module``, ``stdin``
and ``env``. The response has ``rc``, ``stdout`` and ``stderr``.
"""

from __future__ import annotations

import io
import json
import os
import random
import runpy
import socketserver
import sys
import tempfile

# Imports of every module: Ansible's and requests. pylint: disable-next=unused-import
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _module  # noqa: F401


class Handler(socketserver.StreamRequestHandler):
    """Run a module in a process of its own."""

    def handle(self):
        order = json.loads(self.rfile.readline())
        # pylint: disable-next=consider-using-with
        files = stdin, stdout, stderr = [tempfile.TemporaryFile("w+") for _unused in range(3)]
        stdin.write(order["stdin"])
        for number, file in enumerate(files):
            file.seek(0)
            os.dup2(file.fileno(), number)
        answer = {"rc": run(order["module"], order["env"])}
        stdout.seek(0)
        stderr.seek(0)
        answer.update(stdout=stdout.read(), stderr=stderr.read())
        self.wfile.write(json.dumps(answer).encode())


def run(module, environment):
    """Run a module like Ansible's wrapper, and return its exit status."""
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module]
    # Each run is one of those that create their jobs without a pause, see _preheat/concurrent_runs.py.
    random.random = lambda: 0.995
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as exc:
        return exc.code
    except BaseException:  # pylint: disable=broad-except
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Serve runs in the process that is forked."""

    request_queue_size = max_children = 100
    parent = os.getppid()

    def service_actions(self):
        super().service_actions()
        if os.getppid() != self.parent:
            sys.exit()


def main():
    with Server(sys.argv[1], Handler) as server:
        print("ready", flush=True)
        server.serve_forever(poll_interval=0.5)


if __name__ == "__main__":
    main()
