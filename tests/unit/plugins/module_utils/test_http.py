# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent, what is never sent, and messages about missing or incomplete responses."""

from __future__ import annotations

import contextlib
import gc
import gzip
import os
import socket
import ssl
import threading
import time

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import GarbledError, TransportError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http, Response
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._json import decode_json
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._transport_errors import Failure
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._version import VERSION

TOKEN = "Bearer s3cr3t"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def silent():
    """Yield a port that accepts connections and sends nothing until the test ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        yield listener.getsockname()[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def failure(http, url, **options):
    with pytest.raises(TransportError) as caught:
        http.send("GET", url, **options)
    assert "s3cr3t" not in caught.value.message
    return caught.value


def test_what_is_sent(loopback):
    loopback.answers = [(201, {"id": 1}, {"X-Server-IP": "10.0.0.1"})]
    answer = Http(auth=TOKEN).send("POST", loopback.url + "/oapi/v1/jobs?a=b", body={"type": "preheat", "bio": "é"})
    [request] = loopback.requests
    assert (request.method, request.path) == ("POST", "/oapi/v1/jobs?a=b")
    assert request.json() == {"type": "preheat", "bio": "é"}
    assert request.headers["Authorization"] == TOKEN
    assert request.headers["User-Agent"] == "dragonflyoss.dragonfly/" + VERSION
    assert request.headers["Accept"] == request.headers["Content-Type"] == "application/json"
    assert (answer.status, answer.json(), answer.request) == (201, {"id": 1}, f"POST {loopback.url}/oapi/v1/jobs")
    assert answer.headers["x-server-ip"] == "10.0.0.1"
    assert answer.media_type == "application/json"


def test_headers_of_a_request_count_more(loopback):
    Http(auth=TOKEN).send("GET", loopback.url, headers={"Authorization": "Basic x", "Accept": "a/b"})
    Http().send("GET", loopback.url)
    assert [request.headers["Authorization"] for request in loopback.requests] == ["Basic x", None]
    assert loopback.requests[0].headers["Accept"] == "a/b"


def test_netrc_does_not_replace_the_token(loopback, tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login other password other\n", encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    Http(auth=TOKEN).send("GET", loopback.url)
    Http().send("GET", loopback.url)
    assert [request.headers["Authorization"] for request in loopback.requests] == [TOKEN, None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(loopback, status):
    loopback.answers = [(status, b"", {"Location": "/elsewhere"})]
    answer = Http(auth=TOKEN).send("POST", loopback.url + "/jobs", body={})
    assert (answer.status, answer.headers["Location"]) == (status, "/elsewhere")
    assert len(loopback.requests) == 1


def test_cookies_are_not_sent_back(loopback):
    loopback.answers = [(200, {}, {"Set-Cookie": "jwt=x; Path=/"})]
    http = Http()
    http.send("GET", loopback.url)
    http.send("GET", loopback.url)
    assert [request.headers["Cookie"] for request in loopback.requests] == [None, None]


def test_each_thread_has_a_session_of_its_own(loopback):
    http = Http()
    sessions = [http._session()]
    threads = [threading.Thread(target=lambda: sessions.append(http._session())) for _number in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len({id(session) for session in sessions}) == 4
    assert http._session() is sessions[0]


def test_connections_are_closed_with_the_sessions(loopback):
    open_files = len(os.listdir("/proc/self/fd"))
    for _number in range(20):
        Http().send("GET", loopback.url)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) < open_files + 20


def test_stream(loopback):
    loopback.answers = [(200, b"x" * 200000, {"Content-Type": "Text/Plain; charset=utf-8"})]
    answer = Http().send("GET", loopback.url, stream=True)
    assert answer.media_type == "text/plain"
    assert sum(len(chunk) for chunk in answer.chunks) == 200000
    answer.close()


def test_compression(loopback):
    loopback.answers = [(200, gzip.compress(b'{"id": 1}'), {"Content-Encoding": "gzip"})]
    assert Http().send("GET", loopback.url).json() == {"id": 1}


@pytest.mark.parametrize(
    "body, document",
    [
        ('{"id": 1}', {"id": 1}),
        ("\n null", None),
        # A manager may send two documents back to back.
        ('{"id":1}{"message":"x"}', {"id": 1}),
        ("[1] trailing", [1]),
    ],
)
def test_json(body, document):
    assert decode_json(body, "GET /") == document


@pytest.mark.parametrize("body", ["", "  ", "<html>", '{"id":', "[" * 100000])
def test_json_that_is_none(body):
    with pytest.raises(GarbledError) as caught:
        Response("GET /x", 200, {}, body=body.encode("utf-8")).json()
    assert caught.value.message.startswith("GET /x: the response is not JSON that can be read. What to do: check ")


def test_bytes_of_any_encoding_are_text():
    assert Response("GET /", 200, {}, body=b"a\xff").text() == "a\ufffd"


# Missing responses


def test_nothing_listens():
    port = free_port()
    exc = failure(Http(auth=TOKEN), f"http://user:s3cr3t@127.0.0.1:{int(port)}/a/b?token=s3cr3t")
    request = f"GET http://127.0.0.1:{int(port)}/a/b"
    assert (exc.reason, exc.sent, exc.request) == ("refused", False, request)
    assert exc.message.startswith(f"{request}: 127.0.0.1:{int(port)} refused the connection. What to do: check")


def test_a_name_that_does_not_exist():
    exc = failure(Http(), "http://manager.invalid:8080/")
    assert (exc.reason, exc.sent) == ("dns", False)
    assert "the name manager.invalid cannot be resolved. What to do: check" in exc.message


def test_user_info_is_not_shown():
    exc = failure(Http(), f"http://user:s3cr3t@127.0.0.1:{int(free_port())}/")
    assert "user" not in exc.message


def test_no_answer_in_time(silent):
    exc = failure(Http(timeout=0.2), f"http://127.0.0.1:{int(silent)}/")
    assert (exc.reason, exc.sent) == ("read_timeout", True)
    assert "What to do: raise the option timeout (now 0.2 s)" in exc.message


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_drips(stream):
    """The timeout applies to the whole response, not to each byte."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        stop = threading.Event()

        def drip():
            peer = listener.accept()[0]
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                try:
                    while not stop.wait(0.05):
                        peer.sendall(b"1\r\n \r\n")
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        start = time.monotonic()
        try:
            with pytest.raises(TransportError) as caught:
                answer = Http(timeout=0.5).send(
                    "GET", f"http://127.0.0.1:{int(listener.getsockname()[1])}/", stream=stream
                )
                list(answer.chunks)
        finally:
            stop.set()
            thread.join()
    assert (caught.value.reason, caught.value.sent) == ("read_timeout", True)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "raw, reason",
    [
        (b"", "reset"),
        (b"nonsense\r\n\r\n", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "incomplete"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "incomplete"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", "incomplete"),
    ],
)
def test_an_answer_that_breaks_off(loopback, raw, reason):
    loopback.answers = [raw]
    exc = failure(Http(), loopback.url)
    assert (exc.reason, exc.sent) == (reason, True)
    assert "closed the connection before the response was complete. What to do: check" in exc.message


def test_a_server_that_expects_tls(loopback):
    # The response of OpenSSL's servers to plain HTTP: an alert.
    loopback.answers = [b"\x15\x03\x03\x00\x02\x02F"]
    exc = failure(Http(), loopback.url)
    assert exc.reason == "wrong_scheme"
    assert "expects TLS. What to do: write https:// in the URL" in exc.message


@pytest.mark.parametrize(
    "text, remedy",
    [
        ("certificate is not yet valid", "check the clock"),
        ("certificate has expired", "renew the certificate of the server, or check the clock"),
        ("Hostname mismatch, certificate is not valid for 'a'.", "a name that the certificate of the server has"),
        ("self-signed certificate", "set ca_path"),
    ],
)
def test_what_to_do_about_a_certificate(text, remedy):
    error = ssl.SSLCertVerificationError(1, "failed")
    error.verify_code, error.verify_message = 9, text
    problem = Failure(error, "manager:443", "manager", 5).before_request()
    assert problem.reason == "tls"
    assert remedy in problem.message


def test_a_server_without_tls(loopback):
    exc = failure(Http(auth=TOKEN), loopback.url.replace("http:", "https:"))
    assert (exc.reason, exc.sent) == ("tls", False)
    assert "check the scheme of the URL: the server may speak plain HTTP on this port" in exc.message
    assert loopback.requests == []


@pytest.mark.parametrize("options", [{"verify": "/nothing/ca.pem"}, {"cert": "/nothing/client.pem"}])
def test_a_file_that_is_missing(options):
    exc = failure(Http(**options), f"https://127.0.0.1:{int(free_port())}/")
    assert (exc.reason, exc.sent) == ("bad_file", False)
    assert "/nothing/" in exc.message
    assert "What to do: check ca_path, client_cert and client_key." in exc.message


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "nonsense", "http://"])
def test_a_url_that_cannot_be_used(url):
    exc = failure(Http(), url)
    assert exc.sent is False
    assert "What to do: " in exc.message


def test_a_proxy_that_is_gone(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{int(free_port())}")
    exc = failure(Http(), "http://manager.example/")
    assert (exc.reason, exc.sent) == ("proxy", False)
    assert "manager.example through the proxy. What to do: check the proxy" in exc.message
    assert "goes through the proxy 127.0.0.1:" in exc.message


@pytest.mark.parametrize(
    "status, remedy",
    [
        (
            "407 Proxy Authentication Required",
            "write them into HTTP_PROXY or HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT)",
        ),
        ("403 Forbidden", "check the proxy, its access rules"),
        ("502 Bad Gateway", "check the proxy, its access rules"),
    ],
)
def test_a_proxy_that_refuses_a_tunnel(loopback, monkeypatch, status, remedy):
    loopback.answers = [f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()]
    monkeypatch.setenv("HTTPS_PROXY", loopback.url.replace("http://", "http://me:s3cr3t@"))
    exc = failure(Http(), "https://manager.example/")
    assert (exc.reason, exc.sent) == ("proxy", False)
    assert f"({status.partition(' ')[0]}). What to do: " in exc.message
    assert remedy in exc.message
    assert "s3cr3t" not in exc.message


# Limits


@pytest.fixture
def hostile():
    """Return a function that starts a server with a function of a connection, and returns its URL."""
    listeners, threads, over = [], [], threading.Event()

    def serve(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(10)
        listeners.append(listener)

        def accept():
            with contextlib.suppress(OSError), listener.accept()[0] as peer:
                peer.settimeout(10)
                peer.recv(65536)
                answer(peer, over)

        threads.append(threading.Thread(target=accept, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield serve
    over.set()
    for listener in listeners:
        listener.close()
    for thread in threads:
        thread.join(10)


def repeat(head, part, pause=0.0):
    """Send a response until the client disconnects."""

    def answer(peer, over):
        peer.sendall(head)
        while not over.wait(pause) if pause else not over.is_set():
            peer.sendall(part)

    return answer


def drip(text):
    """Send a response slowly, byte by byte."""

    def answer(peer, over):
        for position in range(len(text)):
            peer.sendall(text[position : position + 1])
            if over.wait(0.05):
                return

    return answer


SLOW = {
    "headers": drip(b"HTTP/1.1 200 OK\r\n" + b"X-Long: aaaaaaaaaa\r\n" * 50),
    "status line": drip(b"HTTP/1.1 200 " + b"O" * 1000),
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000),
    "chunk size": repeat(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a", 0.05),
    "trailer": repeat(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", 0.05),
    "100 Continue": repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
    "error": drip(b"HTTP/1.1 500 no\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000),
    "redirect": drip(b"HTTP/1.1 302 no\r\nLocation: /x\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000),
}


@pytest.mark.parametrize("kind", SLOW)
def test_the_timeout_is_for_the_whole_request(hostile, kind):
    start = time.monotonic()
    exc = failure(Http(timeout=0.5), hostile(SLOW[kind]))
    assert (exc.reason, exc.sent) == ("read_timeout", True)
    assert 0.4 < time.monotonic() - start < 1.5


def test_the_timeout_is_for_the_handshake_of_tls_too(hostile):
    start = time.monotonic()
    url = hostile(repeat(b"\x16\x03\x03\x40\x00", b"\x02", 0.05)).replace("http:", "https:")
    exc = failure(Http(timeout=0.5), url)
    assert exc.sent is False
    assert time.monotonic() - start < 1.5


def test_the_timeout_is_for_the_answer_of_a_proxy_too(hostile, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", hostile(SLOW["headers"]))
    start = time.monotonic()
    exc = failure(Http(timeout=0.5), "https://manager.example/")
    assert exc.sent is False
    assert time.monotonic() - start < 1.5


def test_the_timeout_is_for_the_resolution_of_a_name_too(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments: time.sleep(3))
    start = time.monotonic()
    exc = failure(Http(timeout=0.5), "http://manager.example/")
    assert (exc.reason, exc.sent) == ("dns", False)
    assert time.monotonic() - start < 1.5


def test_the_timeout_is_for_all_addresses_of_a_name_together(monkeypatch):
    # TEST-NET-1: no host responds.
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{number}", 9)) for number in range(1, 9)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments: addresses)
    start = time.monotonic()
    exc = failure(Http(timeout=0.5), "http://manager.example/")
    assert exc.sent is False
    assert time.monotonic() - start < 1.5


BOMB = gzip.compress(bytes(50_000_000))
LARGE = {
    "body": repeat(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"a" * 65536),
    "chunks": repeat(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n"),
    "trailers": repeat(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: " + b"y" * 9999 + b"\r\n"),
    "without length": repeat(b"HTTP/1.0 200 OK\r\n\r\n", b"a" * 65536),
    "gzip": repeat(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB, b"", 0.1
    ),
    "100 Continue": repeat(b"", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 1000),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", LARGE)
def test_an_answer_that_is_too_large(hostile, kind, stream):
    with pytest.raises(GarbledError) as caught:
        list(Http(timeout=5).send("GET", hostile(LARGE[kind]), stream=stream).chunks)
    assert caught.value.reason == "too_large"
    assert "/: the response of 127.0.0.1" in caught.value.message


def test_an_endless_line_is_not_held(hostile):
    url = hostile(repeat(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 65536))
    with pytest.raises((GarbledError, TransportError)) as caught:
        Http(timeout=5).send("GET", url)
    # Newer releases of urllib3 have their own limit.
    assert caught.value.reason in ("too_large", "incomplete")


def test_the_limit_is_that_of_the_request(loopback):
    loopback.answers = [(200, b"x" * 1000)]
    assert len(Http().send("GET", loopback.url, limit=1000).body) == 1000
    with pytest.raises(GarbledError) as caught:
        Http().send("GET", loopback.url, limit=999)
    assert "its body has more than 999 bytes" in caught.value.message


@pytest.mark.parametrize("status", [301, 404, 500])
def test_the_body_of_an_error_is_cut(hostile, status):
    head = b"HTTP/1.1 %d no\r\nLocation: /x\r\nContent-Length: 99999999999\r\n\r\n" % status
    answer = Http(timeout=5).send("GET", hostile(repeat(head, b"a" * 65536)))
    assert (answer.status, len(answer.body)) == (status, 65536)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_an_encoding_that_was_not_requested(loopback, encoding):
    loopback.answers = [(200, b"x", {"Content-Encoding": encoding})]
    with pytest.raises(GarbledError) as caught:
        Http().send("GET", loopback.url)
    assert f"Content-Encoding {encoding!r}" in caught.value.message
    assert loopback.requests[0].headers["Accept-Encoding"] == "gzip"


def test_a_part_that_was_not_requested(loopback):
    """A list of jobs that is not complete would pass for one."""
    loopback.answers = [(206, b"[]", {"Content-Range": "bytes 5-6/99"})]
    with pytest.raises(GarbledError) as caught:
        Http().send("GET", loopback.url)
    assert (caught.value.reason, "status 206" in caught.value.message) == ("garbled", True)


def test_gzip_in_several_members_and_chunks(loopback):
    text = b"0123456789" * 30000
    loopback.answers = [(200, gzip.compress(text) + gzip.compress(b"end"), {"Content-Encoding": "gzip"})]
    assert Http().send("GET", loopback.url).body == text + b"end"


def test_a_connection_is_used_again(loopback):
    peers = []

    def answer(request):
        peers.append(request.peer)
        return 200, {"id": 1}

    loopback.answers = answer
    http = Http()
    for _number in range(3):
        http.send("GET", loopback.url)
    assert len(set(peers)) == 1


@pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_interim_responses_are_skipped_and_the_next_request_gets_its_own_response(hostile, status):
    def answer(peer, over):
        peer.sendall(b"HTTP/1.1 " + status + b"\r\nLink: </x>\r\n\r\n")
        over.wait(0.2)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")

    http, url = Http(), hostile(answer)
    assert [http.send("GET", url).json() for _number in range(2)] == [1, 2]


def test_a_connection_that_was_closed_meanwhile_is_not_used_and_a_post_is_not_sent_twice():
    requests_seen = []

    def receive(peer):
        received = b""
        while not received.endswith(b": 1}"):
            received += peer.recv(65536)
        requests_seen.append(received)

    def serve(listener):
        for number in range(2):
            with listener.accept()[0] as peer:
                receive(peer)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                if number == 1:
                    # The second one is read, and the connection breaks.
                    receive(peer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        http = Http(timeout=5)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        http.send("POST", url, body={"first": 1})
        time.sleep(0.1)
        http.send("POST", url, body={"second": 1})
        with pytest.raises(TransportError) as caught:
            http.send("POST", url, body={"third": 1})
        thread.join(5)
    assert (caught.value.reason, caught.value.sent) == ("reset", True)
    assert len(requests_seen) == 3
    assert [b"third" in request for request in requests_seen] == [False, False, True]
