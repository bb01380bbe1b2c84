# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe of a client's proxy, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._probe import probe

SECRET = "s3cr3t-marker"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


class ProxyServer(HTTPServer):
    """A proxy that stores requests in ``seen``."""

    seen: list[t.Any]


class Proxy(BaseHTTPRequestHandler):
    server: ProxyServer

    def do_GET(self):
        self.server.seen.append(
            (self.path, self.headers["X-Dragonfly-Registry"], self.headers.get_all("Proxy-Authorization"))
        )
        self.send_response(200)
        self.send_header("X-Dragonfly-Task", "a1")
        self.send_header("Set-Cookie", SECRET)
        self.end_headers()
        self.wfile.write(b"x" * 100000)

    def log_message(self, *args):
        pass


HIDDEN_HEADER = {"proxy-authorization": "hidden"}


@pytest.fixture
def proxy():
    server = ProxyServer(("127.0.0.1", 0), Proxy)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_probe(proxy):
    answer = probe(f"http://127.0.0.1:{int(proxy.server_port)}", "/v2/a?ns=h", {"x-dragonfly-registry": "http://h"}, 5)
    assert proxy.seen == [("/v2/a?ns=h", "http://h", None)]
    assert answer["seconds"] >= 0
    assert answer["unknown"] == []
    assert {key: answer[key] for key in ("status", "headers", "bytes", "error")} == {
        "status": 200,
        "headers": {"x-dragonfly-task": "a1"},
        "bytes": 100000,
        "error": None,
    }


@pytest.mark.parametrize(
    "line",
    [
        'Proxy-Authorization = ["Basic %s"]',
        "proxy-authorization = 'Basic %s'",
        '"Proxy-Authorization" = [\n  "Basic %s",\n]',
        '#Proxy-Authorization = "x"\nproxy-authorization="Basic %s" # "x"',
    ],
)
def test_a_probe_with_what_stayed_on_the_host(proxy, tmp_path, line):
    path = write(tmp_path / "hosts.toml", '[host."http://h".header]\nX-Other = "x"\n' + line % SECRET)
    answer = probe(f"http://127.0.0.1:{int(proxy.server_port)}", "/", HIDDEN_HEADER, 5, path)
    assert proxy.seen == [("/", None, ["Basic " + SECRET])]
    assert answer["status"] == 200
    assert SECRET not in repr(answer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'Proxy-Authorization = """\nBasic %s"""',
        'header = {Proxy-Authorization = "Basic %s"}',
        'Proxy-Authorization = "Basic \\t%s"',
        'Proxy-Authorization = "\u00e4%s"',
        'Proxy-Authorization = "Basic x"\nproxy-authorization = "Basic %s"',
    ],
)
def test_a_probe_whose_header_is_not_known(proxy, tmp_path, text):
    path = write(tmp_path / "hosts.toml", text.replace("%s", SECRET))
    answer = probe(f"http://127.0.0.1:{int(proxy.server_port)}", "/", HIDDEN_HEADER, 5, path)
    assert answer["unknown"] == ["proxy-authorization"]
    assert SECRET not in repr(answer)
    assert proxy.seen == []
    assert answer["error"] is None
    assert probe("http://127.0.0.1:1", "/", HIDDEN_HEADER, 5, str(tmp_path / "none"))["unknown"]


def test_probes_that_fail():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{int(taken.getsockname()[1])}"
        assert "refused" in probe(closed, "/", {}, 5)["error"]
        taken.listen()
        assert "timed out" in probe(closed, "/", {}, 0.2)["error"]
    assert probe("https://127.0.0.1", "/", {}, 5)["error"] == "it is not an http proxy"


def answering(first, more, pause):
    """Start a server with an endless response, and return its listener."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            with listener.accept()[0] as peer:
                peer.recv(65536)
                peer.sendall(first)
                while True:
                    peer.sendall(more)
                    time.sleep(pause)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.mark.parametrize(
    "first, more, pause, status, error",
    [
        (b"HTTP/1.1 200 OK\r\nX-Dragonfly-Task: a1\r\nContent-Length: 99999\r\n\r\n", b"a", 0.02, 200, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a", 0.02, 200, None),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.02, None, "timed out"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02, None, "timed out"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0, None, "the headers of its response do not end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 99999, 0, 200, "chunk size"),
    ],
)
def test_a_probe_ends_in_time(first, more, pause, status, error):
    with answering(first, more, pause) as listener:
        begun = time.monotonic()
        answer = probe(f"http://127.0.0.1:{listener.getsockname()[1]}", "/", {}, 0.5)
    assert time.monotonic() - begun < 2
    assert answer["status"] == status
    assert answer["error"] == error or error in answer["error"]


@pytest.mark.parametrize(
    "first, more",
    [
        (b"Content-Length: 999999999999\r\n\r\n", b"a" * 65536),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 10000),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 10000),
    ],
)
def test_a_probe_reads_a_part_of_a_body(first, more):
    with answering(b"HTTP/1.1 200 OK\r\nX-Dragonfly-Task: a1\r\n" + first, more, 0) as listener:
        begun = time.monotonic()
        answer = probe(f"http://127.0.0.1:{listener.getsockname()[1]}", "/", {}, 30)
    assert time.monotonic() - begun < 10
    assert answer["bytes"] <= 1 << 20
    assert (answer["headers"], answer["error"]) == ({"x-dragonfly-task": "a1"}, None)


@pytest.mark.parametrize("proxy_url", ["http://[::1", "http://", "http://h:99999", "nonsense"])
def test_a_proxy_that_is_none(proxy_url):
    assert probe(proxy_url, "/", {}, 5)["error"] == "it is not an http proxy"


def test_a_header_that_cannot_be_sent_is_not_shown(proxy):
    url = f"http://127.0.0.1:{proxy.server_port}"
    for headers in ({"authorization": SECRET + "\r\nX: y"}, {"a\r\nb": SECRET}):
        answer = probe(url, "/", headers, 5)
        assert "characters that are not allowed" in answer["error"]
        assert SECRET not in repr(answer)
    assert "control characters" in probe(url, "/\r\nX: y", {}, 5)["error"]
    assert proxy.seen == []
