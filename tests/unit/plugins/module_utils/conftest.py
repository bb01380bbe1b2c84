# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server on loopback with responses that no manager or registry sends."""

from __future__ import annotations

import json
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.unit.fake_clock import FakeClock


class Request:
    """A received request.

    :ivar path: with the query.
    :ivar headers: a mapping that ignores case.
    :ivar peer: address and port of the client.
    """

    def __init__(self, handler):
        self.method = handler.command
        self.path = handler.path
        self.headers = handler.headers
        self.peer = handler.client_address
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))

    def json(self):
        return json.loads(self.body.decode("utf-8"))


class Loopback(ThreadingMixIn, HTTPServer):
    """The server.

    :ivar url: its address.
    :ivar requests: list of ``Request``.
    :ivar now: function that returns the time of its header Date, seconds since 1970.
    :ivar answers: function of a request, or a list of responses; the last one is repeated. A response is (status, body)
        or (status, body, headers), with a body of bytes, or of what is sent as JSON; bytes alone are sent as they are,
        before the connection is closed.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{int(self.server_port)}"
        self.requests = []
        self.now = time.time
        self.answers: t.Any = [(200, {})]

    def answer(self, request):
        self.requests.append(request)
        if callable(self.answers):
            return self.answers(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def handle_error(self, request, client_address):
        """Ignore clients that disconnect."""


class Handler(BaseHTTPRequestHandler):
    server: Loopback
    protocol_version = "HTTP/1.1"
    # Send a response at once, without the kernel's delay.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        answer = self.server.answer(Request(self))
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            self.close_connection = True
            return
        status, body = answer[:2]
        headers = dict(answer[2]) if len(answer) > 2 else {}
        if not isinstance(body, bytes):
            body = json.dumps(body).encode("utf-8")
            headers.setdefault("Content-Type", "application/json; charset=utf-8")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_CONNECT = do_GET

    def date_time_string(self, timestamp=None):
        return super().date_time_string(self.server.now() if timestamp is None else timestamp)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Log nothing."""


def _serve():
    server = Loopback()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def loopback():
    yield from _serve()


@pytest.fixture
def other_loopback():
    """Yield another server, on another port."""
    yield from _serve()


@pytest.fixture
def clock():
    return FakeClock()
