# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outages of servers, as the host scenarios record them during an update."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.hosts import outages

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
UNHEALTHY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
SETTINGS = bytes([0, 0, 6, 4, 0, 0, 0, 0, 0]) + bytes(6)
GO_AWAY = bytes([0, 0, 8, 7, 0, 0, 0, 0, 0]) + bytes(8)


@pytest.fixture
def server():
    """Return a function that starts a server with this response to each request, and returns its port."""
    doors = []

    def serve(door, response):
        while True:
            try:
                connection = door.accept()[0]
            except OSError:
                return
            with connection:
                connection.recv(1024)
                connection.sendall(response)

    def start(response):
        door = socket.create_server(("127.0.0.1", 0))
        doors.append(door)
        threading.Thread(target=serve, args=(door, response), daemon=True).start()
        return door.getsockname()[1]

    yield start
    for door in doors:
        door.shutdown(socket.SHUT_RDWR)
        door.close()


@pytest.mark.parametrize(
    ("url", "response", "responds"),
    [
        ("http://127.0.0.1:{}/healthy", OK, True),
        ("http://127.0.0.1:{}/healthy", UNHEALTHY, False),
        ("http://127.0.0.1:{}/healthy", b"", False),
        ("grpc://127.0.0.1:{}", SETTINGS, True),
        ("grpc://127.0.0.1:{}", GO_AWAY, False),
        ("grpc://127.0.0.1:{}", SETTINGS[:5], False),
        ("grpc://127.0.0.1:{}", b"", False),
    ],
)
def test_what_a_response_is(server, url, response, responds):
    assert outages.responds(url.format(server(response))) is responds


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        ([], [], []),
        ([(1, 2)], [], []),
        ([(1, 2)], [(3, 4)], []),
        ([(1, 2)], [(2, 4)], []),
        ([(1, 3)], [(2, 4)], [(2, 3)]),
        ([(1, 9)], [(2, 3), (4, 10)], [(2, 3), (4, 9)]),
    ],
)
def test_when_no_server_responds(first, second, common):
    assert outages.common(first, second) == common


def test_a_server_that_restarts_during_the_command(server):
    """The command stops and starts one server. The other one responds all the time."""
    other = f"http://127.0.0.1:{server(OK)}/"
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]  # free when the command starts, so the server is down first
    serve = (
        f"import socket, time; time.sleep(1); door = socket.create_server(('127.0.0.1', {port}))\n"
        "deadline = time.monotonic() + 1\n"
        "while time.monotonic() < deadline:\n"
        f"    c = door.accept()[0]; c.recv(1024); c.sendall({OK!r}); c.close()\n"
        "print('done'); exit(3)"
    )
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, outages.__file__, f"{url},{other}", url, "--", sys.executable, "-c", serve]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    report = json.loads(done.stdout)
    assert (report["rc"], report["output"]) == (3, "done\n")
    before, after = report["outages"][url]
    assert before[0] < before[1]
    assert before[0] < after[0] < after[1]
    assert report["outages"][other] == []
    assert report["gaps"] == {f"{url},{other}": [], url: [before, after]}
    assert report["requests"][other] > 10
