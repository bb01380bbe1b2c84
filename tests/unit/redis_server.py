# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Redis."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import typing as t


class _Answers(socketserver.StreamRequestHandler):
    """Responds to each command by its first word."""

    def handle(self) -> None:
        while True:
            line = self.rfile.readline()
            if not line.startswith(b"*"):
                return
            command = []
            for _index in range(int(line[1:])):
                length = int(self.rfile.readline()[1:])
                command.append(self.rfile.read(length + 2)[:-2].decode())
            answers = t.cast(t.Any, self.server).answers
            self.wfile.write(answers.get(" ".join(command), answers.get(command[0], "+OK")).encode() + b"\r\n")


class _OverIPv6(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6


def bulk(text: str) -> str:
    """Return a text as a response of Redis."""
    return f"${len(text)}\r\n{text}"


@contextlib.contextmanager
def redis_server(answers: dict[str, str], host: str = "127.0.0.1") -> t.Iterator[str]:
    """Start a Redis with responses by command, and yield its address (``HOST:PORT``)."""
    with (_OverIPv6 if ":" in host else socketserver.ThreadingTCPServer)((host, 0), _Answers) as server:
        server.daemon_threads = True
        t.cast(t.Any, server).answers = answers
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
