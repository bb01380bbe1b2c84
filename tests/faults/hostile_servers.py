# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that are deliberately slow, endless, oversized or lying, for every request of the modules.

    python -m ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile_servers

tries them all and writes docs/security-tests.md, except its last part (borders.py).
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import gzip
import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import typing as t
import zlib
from urllib.parse import parse_qsl

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import task_seconds
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import (
    escape_c1,
    printable,
    redact_beginning,
    redact_text,
    redact_url,
)
from ansible_collections.dragonflyoss.dragonfly.tests.faults.borders import DOCUMENT, HEADING
from ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile_tls import Serve, Tls
from ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile_tls import servers as tls_servers

#: Seconds of the option ``timeout``, and of ``wait_timeout`` if a module waits.
TIMEOUT, WAIT_TIMEOUT = 1, 2
#: Maximum memory of a module's process in bytes.
MEMORY_LIMIT = 200_000_000
TOKEN = "marker-of-the-token"
PASSWORD = "marker-pass"
#: Pause between two bytes of a drip.
_PAUSE = 0.1
#: Maximum seconds of a task besides ``wait_timeout`` and one request.
_SLACK = 1
_JSON = "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
_BOMB = gzip.compress(b"[" + bytes(100_000_000))
_ROW = {"state": "PENDING", "type": "preheat", "args": {}, "host_name": "h", "ip": "10.0.0.1"}
_JOB = {"id": 1, "type": "preheat", "state": "PENDING", "args": {}, "created_at": "2026-11-28T00:00:00Z"}

_STATE = {"state": "SUCCESS", "results": [{"scheduler_cluster_id": 1, "success_tasks": []}]}
_LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": 1}

#: Sends a response on a connection, until the event is set.
Answer = t.Callable[[socket.socket, threading.Event], None]


class Request(t.NamedTuple):
    """A request that a server read."""

    method: str
    path: str
    query: str
    text: str


class Changing(t.NamedTuple):
    """A response that depends on the request."""

    to: t.Callable[[Request], Answer]


def whole(body: t.Any = b"", status: int = 200, headers: str = "", length: t.Any = None) -> Answer:
    """Return a response that is sent at once."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(content) if length is None else length
    head = _JSON.format(status=status) + headers + (f"Content-Length: {size}\r\n" if size != "" else "") + "\r\n"
    return raw(head.encode("latin-1") + content)


def raw(content: bytes) -> Answer:
    """Return a response that is sent unchanged before the connection is closed."""
    return lambda peer, _over: peer.sendall(content)


def drip(content: bytes, part: bytes = b" ") -> Answer:
    """Return a response that begins at once and continues slowly."""
    return repeat(content, part, _PAUSE)


def repeat(first: bytes, part: bytes, pause: float = 0) -> Answer:
    """Return a response that continues until nobody reads it."""

    def send(peer: socket.socket, over: threading.Event) -> None:
        peer.sendall(first)
        while not over.wait(pause) if pause else not over.is_set():
            peer.sendall(part)

    return send


def silent(peer: socket.socket, over: threading.Event) -> None:
    """Send nothing, and keep the connection open."""
    over.wait(30)


def half_a_body(peer: socket.socket, over: threading.Event) -> None:
    """Send the beginning of a body, then nothing."""
    peer.sendall(head() + b"[{")
    over.wait(30)


def reset_after(content: bytes) -> Answer:
    """Return a response of these bytes, after which the connection is reset."""

    def send(peer: socket.socket, _over: threading.Event) -> None:
        peer.sendall(content)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return send


def twice(body: bytes) -> Answer:
    """Return a response followed by another one, to a request that the client may send later."""

    def send(peer: socket.socket, over: threading.Event) -> None:
        whole(body)(peer, over)
        whole(dict(_JOB, state="FAILURE", result={"state": "FAILURE"}), 401)(peer, over)
        peer.recv(65536)

    return send


def oldest_first() -> Changing:
    """Return a page with the oldest row first, as before 2.1.19, and a distant last page."""

    def answer(request: Request) -> Answer:
        number = int(dict(parse_qsl(request.query)).get("page", 1))
        batch = [dict(_ROW, id=10 * number + index) for index in range(5)]
        return whole(batch, headers="Link: <x?page=999999999>; rel=last\r\nConnection: close\r\n")

    return Changing(answer)


def head(status: int = 200, headers: str = "Content-Length: 9999999999\r\n") -> bytes:
    """Return the beginning of a response."""
    return (_JSON.format(status=status) + headers + "\r\n").encode()


def pages(first_id: t.Callable[[int, int], int], pause: float = 0) -> Changing:
    """Return a response with a full page of valid rows and a next page.

    :param first_id: function of number and size of a page that returns the ID of its first row.
    :param pause: seconds before the response.
    """

    def answer(request: Request) -> Answer:
        query = dict(parse_qsl(request.query))
        number, size = int(query.get("page", 1)), int(query.get("per_page", 50))
        first = first_id(number, size)
        batch = [dict(_ROW, id=first - index) for index in range(size)]
        links = f"<{request.path}?page={number + 1}&per_page={size}>; rel=next, <x?page={number + 9}>; rel=last"
        return delayed(whole(batch, headers=f"Link: {links}\r\nConnection: close\r\n"), pause)

    return Changing(answer)


def delayed(answer: Answer, seconds: float) -> Answer:
    """Return a response that begins later."""

    def send(peer: socket.socket, over: threading.Event) -> None:
        over.wait(seconds)
        answer(peer, over)

    return send


def layers(number: int) -> Answer:
    """Return a manifest with this number of layers."""
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 1, "digest": f"sha256:{1:064x}"}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config}
    entries = [dict(_LAYER, digest=f"sha256:{index:064x}") for index in range(number)]
    return whole(dict(manifest, layers=entries), headers="Connection: close\r\n")


def large_job() -> Changing:
    """Return a job whose result is just below the limit of a row."""
    task = {"url": "http://127.0.0.1/" + "f" * 60, "hostname": "host", "ip": "10.0.0.1"}
    entries = ",".join(json.dumps(dict(task, url=task["url"] + str(number))) for number in range(115_000))
    result = json.dumps({"state": "SUCCESS", "job_states": [_STATE]})
    return job_with('"result":' + result.replace('"success_tasks": []', f'"success_tasks": [{entries}]'), "SUCCESS")


def job_with(members: str, state: str = "PENDING") -> Changing:
    """Return a job with more members of its JSON object, and with the ID of the request."""
    content = json.dumps(dict(_JOB, state=state))[1:-1] + f",{members}}}"

    def answer(request: Request) -> Answer:
        number = re.search(r"/jobs/(\d+)$", request.path)
        job_id = number[1] if number else "1"
        return whole(
            ("{" + content.replace('"id": 1,', f'"id": {job_id},', 1)).encode(), headers="Connection: close\r\n"
        )

    return Changing(answer)


def _keys(number: int) -> str:
    return ",".join(f'"k{index}":1' for index in range(number))


def servers(other: str) -> dict[str, Answer | Changing | Tls]:
    """Return the hostile servers by their names.

    :param other: URL of another host, to which nothing may be sent.
    """
    escape = "\x1b]0;evil\x07\x1b[31mred\r\x9b2J\u202e"
    many = b"a" * 65536
    gz = "Content-Encoding: gzip\r\n"
    return {
        "silent": silent,
        "status line drips": drip(b"HTTP/1.1 200 ", b"O"),
        "headers drip": drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        "100 Continue drips": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "body drips": drip(head()),
        "chunks drip": drip(_CHUNKED, b"1\r\n \r\n"),
        "chunk size drips": drip(_CHUNKED + b"1;", b"a"),
        "trailer drips": drip(_CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n"),
        "error drips": drip(head(500)),
        "refusal drips": drip(head(401)),
        "redirect drips": drip(head(302, "Location: /x\r\nContent-Length: 999\r\n")),
        "half a body, then silence": half_a_body,
        "endless body": repeat(head(), many),
        "endless chunks": repeat(_CHUNKED, b"10000\r\n" + many + b"\r\n"),
        "endless body without length": repeat(b"HTTP/1.0 200 OK\r\n\r\n", many),
        "endless text": repeat(_CHUNKED, b'10003\r\n["a' + many + b"\r\n"),
        "endless spaces": repeat(head(), b" " * 65536),
        "endless rows": repeat(_CHUNKED + b"1\r\n[\r\n", b'9\r\n{"id":1},\r\n' * 5000),
        "endless row": repeat(_CHUNKED + b'7\r\n[{"x":[\r\n', b'9\r\n{"id":1},\r\n' * 5000),
        "endless headers": repeat(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 5000),
        "one endless header": repeat(b"HTTP/1.1 200 OK\r\nX: ", many),
        "endless 100 Continue": repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 5000),
        "endless chunk size": repeat(_CHUNKED + b"1;", many),
        "endless trailers": repeat(_CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n" * 5000),
        "endless error": repeat(head(500), many),
        "endless refusal": repeat(head(401), many),
        "endless redirect": repeat(head(302, "Location: /x\r\nContent-Length: 9999999999\r\n"), many),
        "gzip bomb": whole(_BOMB, headers=gz),
        "gzip bomb in gzip": whole(gzip.compress(_BOMB), headers="Content-Encoding: gzip, gzip\r\n"),
        "gzip bomb in an error": whole(_BOMB, 500, gz),
        "gzip bomb in a redirect": whole(_BOMB, 302, gz + "Location: /x\r\n"),
        "text declared as gzip": whole(b"[]", headers=gz),
        "gzip that is cut": whole(gzip.compress(b"[]")[:-6], headers=gz),
        "brotli": whole(b"\x0b\x01\x80[]\x03", headers="Content-Encoding: br\r\n"),
        "deep lists": whole(b"[" * 2_000_000),
        "deep objects": whole(b'{"id":' * 600_000),
        "deep row": whole(b'[{"id":1,"x":' + b"[" * 2_000_000),
        "a million lists": whole(b"[" + b"[]," * 1_300_000 + b"1]"),
        "a million objects in a row": whole(b'[{"id":1,"x":[' + b"{}," * 1_300_000 + b"1]}]"),
        "a long number": whole(b'{"id":' + b"9" * 3_000_000 + b"}"),
        "NaN as id": whole(b'[{"id":NaN}]'),
        "true as id": whole([{"id": True, "state": True}]),
        "negative id": whole([{"id": -1}]),
        "float as id": whole([{"id": 1e300}]),
        "text as id": whole([{"id": "../../etc/passwd"}]),
        "the same key twice": whole(b'{"id":1,"id":2,"state":"SUCCESS","state":"PENDING","token":"a","token":"b"}'),
        "null": whole(b"null"),
        "two JSON documents": whole(b'{"id":1}{"id":2}'),
        "pages of new rows for ever": pages(lambda number, size: 10**9 - (number - 1) * size),
        "the same page for ever": pages(lambda _number, _size: 1000),
        "pages of newer rows for ever": pages(lambda number, _size: 10**6 + 1000 * number),
        "slow pages for ever": pages(lambda number, size: 10**9 - (number - 1) * size, 0.6 * TIMEOUT),
        "slow responses": Changing(lambda request: delayed(_honest(request, ""), 0.9 * TIMEOUT)),
        "large jobs": large_job(),
        "100,000 layers": layers(100_000),
        "20,000 layers": layers(20_000),
        "a text": whole(b'"x"'),
        "invalid UTF-8": whole(b'{"id":1,"message":"\xff\xfe"}'),
        "UTF-16": whole('{"id":1}'.encode("utf-16")),
        "500 with 1 MiB of a": whole(b"a" * 2**20, 500),
        "401 with 1 MiB of a": whole(b"a" * 2**20, 401),
        "500 with 1 MiB of ://": whole(b"://@" * 2**18, 500),
        "500 with sequences of a terminal": whole({"message": escape}, 500),
        "401 with sequences of a terminal": whole({"message": escape}, 401),
        "500 with a template": whole({"message": "{{ lookup('pipe', 'id') }}{% raw %}"}, 500),
        "cookies": whole(
            {"id": 1, "token": "x"}, headers="Set-Cookie: a=" + "b" * 4000 + "; expires=" + "9" * 4000 + "\r\n"
        ),
        "Content-Length longer than the body": whole(b"[]", length=10),
        "negative Content-Length": whole(b"[]", length=-1),
        "two different Content-Length headers": whole(b"[]", headers="Content-Length: 5\r\n"),
        "Content-Length that is not a number": whole(b"[]", length="x"),
        "unknown Transfer-Encoding": whole(b"[]", headers="Transfer-Encoding: x\r\n"),
        "chunk size that is not a number": raw(_CHUNKED + b"zz\r\n[]\r\n0\r\n\r\n"),
        "HTTP/0.9": raw(b"[]"),
        "HTTP/1.0": raw(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[]"),
        "HTTP/9": raw(b"HTTP/9.9 200 OK\r\n\r\n[]"),
        "status 99999": raw(b"HTTP/1.1 99999 OK\r\n\r\n"),
        "status 101": raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        "status 204 with a body": whole(b"[]", 204),
        "header without a name": raw(b"HTTP/1.1 200 OK\r\n: x\r\n\r\n[]"),
        "header with a NUL": raw(b"HTTP/1.1 200 OK\r\nX: \x00\xff\r\nContent-Length: 2\r\n\r\n[]"),
        "Link of 60 KiB": whole(b"[]", headers="Link: " + "<?page=" * 8000 + "\r\n"),
        "Date of 60 KiB": whole(b"[]", headers="Date: " + "1 " * 30000 + "\r\n"),
        "Date of year 9999": whole(b"[]", headers="Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n"),
        "WWW-Authenticate of 60 KiB": whole(b"{}", 401, "WWW-Authenticate: " + 'Bearer a="\\' * 5000 + "\r\n"),
        "closed immediately": lambda peer, _over: None,
        "redirect to another host": whole(b"", 307, f"Location: {other}/elsewhere\r\n"),
        "redirect to a file": whole(b"", 307, "Location: file:///etc/passwd\r\n"),
        "redirect to a broken URL": whole(b"", 307, "Location: http://[::1\r\n"),
        "redirect to itself": whole(b"", 307, "Location: /v2/manifest/app/manifests/1\r\n"),
        **_framing(),
        **_lengths(),
        **_encodings(),
        **_heads(other),
        **_refusals(other),
        **_documents(),
        **_lines(),
        **_compressed(),
        **_interim(),
        **_waits(),
        **tls_servers(),
    }


def _framing() -> dict[str, Answer | Changing]:
    """Return servers with framing, encodings or transfers that HTTP does not allow, or barely allows."""
    lines = "".join(f"X-{number}: y\r\n" for number in range(10_000))
    chunk = b"2\r\n[]\r\n0\r\n\r\n"
    both = "Content-Length: 999\r\nTransfer-Encoding: chunked\r\n"
    empty = gzip.compress(b"", 1)
    return {
        "HTTP/2": raw(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"),
        "Transfer-Encoding: identity, chunked": raw(head(200, "Transfer-Encoding: identity, chunked\r\n") + chunk),
        "chunks and a length": raw(head(200, both) + chunk),
        "103 before the response": raw(
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head(200, "Content-Length: 2\r\n") + b"[]"
        ),
        "gzip with a wrong checksum": whole(gzip.compress(b"[]")[:-8] + bytes(8), headers="Content-Encoding: gzip\r\n"),
        "header without a colon, and a folded one": raw(
            b"HTTP/1.1 200 OK\r\nno header\r\nX: y\r\n folded\r\nContent-Length: 2\r\n\r\n[]"
        ),
        "chunks of one byte": raw(_CHUNKED + b"1\r\n \r\n" * 1_000_000 + chunk),
        "Content-Length of 30 digits": whole(b"[]", length=10**30),
        "gzip of 200,000 empty members": whole(empty * 200_000, headers="Content-Encoding: gzip\r\n"),
        "10,000 headers": whole(b"[]", headers=lines),
        "reset within the body": reset_after(head() + b"[{"),
    }


def _lengths() -> dict[str, Answer | Changing]:
    """Return servers with lengths of a body or of a chunk that HTTP does not allow."""
    sizes = {
        "below 0": b"-2",
        "of 20 digits": b"f" * 20,
        "with a sign": b"+2",
        "with an extension of 60 KiB": b"2;x=" + b"y" * 60_000,
    }
    lengths = {"with a sign": "+2", "in hexadecimal": "0x2", "twice in one header": "2, 3", "in superscript": "\xb2"}
    return {
        **{f"chunk size {kind}": raw(_CHUNKED + size + b"\r\n[]\r\n0\r\n\r\n") for kind, size in sizes.items()},
        **{f"Content-Length {kind}": whole(b"[]", length=length) for kind, length in lengths.items()},
        "a second response that nobody requested": twice(b"[]"),
        "closed after one byte": raw(b"H"),
        "reset within the headers": reset_after(b"HTTP/1.1 200 OK\r\nX"),
    }


def _encodings() -> dict[str, Answer | Changing]:
    """Return servers with valid or unknown encodings of a body or of its text."""
    content = b'{"id":1,"type":"preheat","token":"x"}'
    encoded = {
        "gzip": gzip.compress(content),
        "gzip, gzip": gzip.compress(gzip.compress(content)),
        "deflate": zlib.compress(content),
        "zstd": b"\x28\xb5\x2f\xfd",
    }
    charsets = {"utf-16": "utf-16", "idna": "idna", "zip": "zip", "that is not ASCII": "\xff"}
    typed = "HTTP/1.1 200 x\r\nContent-Type: application/json; charset={}\r\nContent-Length: {}\r\n\r\n"
    return {
        **{
            f"Content-Encoding {name}": whole(body, headers=f"Content-Encoding: {name}\r\n")
            for name, body in encoded.items()
        },
        "1,000 encodings": whole(content, headers="Content-Encoding: " + ",".join(["gzip"] * 1000) + "\r\n"),
        "deflate bomb": whole(zlib.compress(b"[" + bytes(100_000_000)), headers="Content-Encoding: deflate\r\n"),
        **{
            f"charset {kind}": raw(typed.format(charset, len(content)).encode() + content)
            for kind, charset in charsets.items()
        },
        "byte order mark": whole(b"\xef\xbb\xbf" + content),
    }


def _heads(other: str) -> dict[str, Answer | Changing]:
    """Return servers with status lines and headers that nobody expects."""
    locations = {
        "with a CR": "/x\rX: y\r//127.0.0.1:1",
        "of 60 KiB": "/" + "x" * 60_000,
        "without a scheme": other.partition(":")[2],
        "to a zone": "http://[fe80::1%25lo]:1/",
        "to superscript digits": "http://\xb9\xb2\xb7.0.0.1/",
    }
    waits = {"of 5,000 digits": "9" * 5000, "below 0": "-1"}
    statuses = {"99": "99 x", "1000": "1000 x", "with a reason of 60 KiB": "200 " + "x" * 60_000}
    return {
        **{f"redirect {kind}": whole(b"", 307, f"Location: {target}\r\n") for kind, target in locations.items()},
        "redirect between two paths": Changing(
            lambda request: whole(b"", 308, f"Location: {request.path}{'' if request.query else '?a=b'}\r\n")
        ),
        "redirect that changes the method": whole(b"", 303, "Location: /x\r\n"),
        "redirect that names a proxy": whole(b"", 305, f"Location: {other}/\r\n"),
        **{f"Retry-After {kind}": whole(b"{}", 503, f"Retry-After: {seconds}\r\n") for kind, seconds in waits.items()},
        **{f"status {kind}": raw(f"HTTP/1.1 {line}\r\n\r\n[]".encode()) for kind, line in statuses.items()},
        "a reason of 1 MiB": raw(b"HTTP/1.1 500 " + b"x" * 2**20 + b"\r\n\r\n{}"),
        "status 304 with a body": whole(b"[]", 304),
        "status 407": whole(b"{}", 407, f'Proxy-Authenticate: Basic realm="{other}"\r\n'),
        "90 challenges in as many headers": whole(b"{}", 401, f'WWW-Authenticate: Bearer realm="{other}/x"\r\n' * 90),
        "next page on another host": whole(
            [dict(_JOB, id=200 - number) for number in range(100)],
            headers=f"Link: <{other}/v1/jobs?page=2>; rel=next\r\n",
        ),
        "next page that is this page": Changing(
            lambda request: whole([_JOB] * 100, headers=f"Link: <{request.path}?{request.query}>; rel=next\r\n")
        ),
    }


def _refusals(other: str) -> dict[str, Answer | Changing]:
    """Return servers with malicious redirects, or with refusals that are hard to parse."""
    user_info = other.replace("://", "://user:pw@")
    challenge = "WWW-Authenticate: {}\r\n"
    parameters = ",".join(f'p{number}="v"' for number in range(1000))
    targets = {
        "with user info": f"{user_info}/",
        "to a metadata service": "http://169.254.169.254/latest/meta-data/",
        "to an invalid port": "http://127.0.0.1:99999/",
    }
    return {
        "redirect without Location": whole(b"", 307),
        **{f"redirect {where}": whole(b"", 307, f"Location: {target}\r\n") for where, target in targets.items()},
        "redirect without end": Changing(
            lambda request: whole(b"", 302, f"Location: {request.path}?{len(request.query)}\r\n")
        ),
        "challenge of 1,000 parameters": whole(b"{}", 401, challenge.format(f"Bearer {parameters}")),
        "200 challenges": whole(b"{}", 401, challenge.format(", ".join([f'Bearer realm="{other}/x"'] * 200))),
        "challenge that names a file": whole(b"{}", 401, challenge.format('Bearer realm="file:///etc/passwd"')),
        "challenge without a closing quotation mark": whole(b"{}", 401, challenge.format(f'Bearer realm="{other}')),
        "Retry-After of a year": whole(b"{}", 429, "Retry-After: 31536000\r\n"),
    }


def _documents() -> dict[str, Answer | Changing]:
    """Return servers with valid or nearly valid JSON that no manager, registry or token service sends."""
    digest = f"sha256:{1:064x}"
    entry = dict(_LAYER, digest=digest, platform={"os": "linux", "architecture": "amd64"})
    deep = b"[" * 5000 + b"]" * 5000
    return {
        "400,000 unknown keys in a job": job_with('"args":{},' + _keys(400_000)),
        "400,000 keys in the arguments of a job": job_with('"args":{' + _keys(400_000) + "}"),
        "700,000 URLs in the arguments of a job": job_with('"args":{"urls":[' + '"u",' * 700_000 + '"u"]}'),
        "40 jobs with descriptions of 1 MB": Changing(
            lambda _request: whole([dict(_JOB, id=40 - number, bio="b" * 1_000_000) for number in range(40)])
        ),
        "lists 5,000 deep in a job": whole(b'{"id":1,"type":"preheat","token":"x","args":{"x":' + deep + b"}}"),
        "1e400 in a job": whole(b'{"id":1,"type":"preheat","token":"x","args":{"timeout":1e400}}'),
        "oldest rows first, and a last page of 999999999": oldest_first(),
        "both an index and a manifest": whole({"schemaVersion": 2, "layers": [entry], "manifests": [entry]}),
        "sizes as text and below 0": whole(
            {"schemaVersion": 2, "layers": [dict(entry, size="1"), dict(entry, size=-1)]}
        ),
        "lists 100,000 deep in a job": whole(b'{"id":1,"args":{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"),
        "half a character in a job": whole(b'{"id":1,"type":"preheat","state":"\\ud800","token":"\\udfff"}'),
        "NUL in a job": whole({"id": 1, "type": "pre\0heat", "state": "PENDING\0", "token": "x\0y"}),
        "fractions as id": whole([{"id": 1.0}, {"id": 0.5}]),
        "digits as id": whole([{"id": "1"}]),
        "an id of 400 digits": whole(b'[{"id":1' + b"0" * 400 + b"}]"),
        "a token with line breaks": whole({"token": "x\r\nX-Evil: y\r\n\r\n", "id": 1}),
        "a token of 1 MiB": whole({"token": "x" * 2**20, "id": 1}),
        "a token that has expired": whole({"token": "x", "expires_in": -(10**30), "issued_at": "9999-99-99"}),
        "a number as token": whole({"token": 5, "access_token": [1], "expires_in": 1e308}),
    }


def _lines() -> dict[str, Answer | Changing]:
    """Return servers with status lines, line ends and chunks that a lenient parser may read differently."""
    sizes = {"with an underscore": b"0_2", "with a prefix": b"0x2", "of 60,000 zeros": b"0" * 60_000 + b"2"}
    starts = {
        "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
        "TLS alert": b"\x15\x03\x01\x00\x02\x02\x28" * 5000,
        "ICY": b"ICY 200 OK\r\n\r\n[]",
        "status in superscript": "HTTP/1.1 \xb200 OK\r\n\r\n[]".encode("latin-1"),
        "status below 0": b"HTTP/1.1 -200 OK\r\n\r\n[]",
        "status with an exponent": b"HTTP/1.1 2e2 OK\r\n\r\n[]",
        "line feeds only": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n[]",
        "carriage returns only": b"HTTP/1.1 200 OK\rContent-Length: 2\r\r[]",
        "60,000 blank lines first": b"\r\n" * 60_000 + head(200, "Content-Length: 2\r\n") + b"[]",
    }
    trailers = b"Content-Length: 99999\r\nSet-Cookie: a=b\r\nTransfer-Encoding: chunked\r\n\r\n"
    return {
        **{f"chunk size {kind}": raw(_CHUNKED + size + b"\r\n[]\r\n0\r\n\r\n") for kind, size in sizes.items()},
        **{f"a first line of {kind}": raw(start) for kind, start in starts.items()},
        "trailers that change the framing": raw(_CHUNKED + b"2\r\n[]\r\n0\r\n" + trailers),
        "extensions of 8 KiB on each chunk": repeat(_CHUNKED, (b"1;" + b"e" * 8192 + b"\r\n \r\n") * 20),
        "chunks without line ends": raw(_CHUNKED + b"2\r\n[]0\r\n\r\n"),
        "endless blank lines": repeat(b"", b"\r\n" * 5000),
        "blank lines drip": drip(b"", b"\r\n"),
        "chunked twice": raw(head(200, "Transfer-Encoding: chunked\r\n" * 2) + b"2\r\n[]\r\n0\r\n\r\n"),
    }


def _compressed() -> dict[str, Answer | Changing]:
    """Return servers with compression that is nested, named differently, or continues after its end."""
    raw_deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = raw_deflate.compress(b"[" + bytes(100_000_000)) + raw_deflate.flush()
    nested = b'{"id":1}'
    for _layer in range(5):
        nested = gzip.compress(nested)
    return {
        "gzip bomb as x-gzip": whole(_BOMB, headers="Content-Encoding: x-gzip\r\n"),
        "gzip bomb as GZIP": whole(_BOMB, headers="Content-Encoding: GZIP\r\n"),
        "gzip bomb in a Transfer-Encoding": whole(_BOMB, headers="Transfer-Encoding: gzip\r\n"),
        "deflate bomb without a header": whole(bomb, headers="Content-Encoding: deflate\r\n"),
        "gzip five times": whole(nested, headers=f"Content-Encoding: {', '.join(['gzip'] * 5)}\r\n"),
        "gzip in two headers": whole(gzip.compress(_BOMB), headers="Content-Encoding: gzip\r\n" * 2),
        "gzip, then endless zeros": repeat(
            head(200, "Content-Encoding: gzip\r\n") + gzip.compress(b"[]"), bytes(65536)
        ),
        "gzip with a name without end": repeat(
            head(200, "Content-Encoding: gzip\r\n") + b"\x1f\x8b\x08\x08" + bytes(6), b"a" * 65536
        ),
        "zstd without end": repeat(
            head(200, "Content-Encoding: zstd\r\n"), b"\x28\xb5\x2f\xfd\x00\x58" + b"\x02\x00\x10\x00" * 5000
        ),
    }


def _interim() -> dict[str, Answer | Changing]:
    """Return servers with statuses that do not fit the request."""
    empty = head(200, "Content-Length: 2\r\n") + b"[]"
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    statuses = {
        "205 with a body": whole(b"[]", 205),
        "206 of another range": whole(b"[]", 206, "Content-Range: bytes 5-6/99999999999999999999\r\n"),
        "226": whole(b"[]", 226, "IM: feed\r\n"),
        "300 with choices": whole(b"[]", 300, "Location: /x\r\n"),
        "401 without a challenge": whole(b"[]", 401),
        "416": whole(b"[]", 416),
        "451": whole(b"[]", 451),
        "511 of a portal": whole(b"<html><title>Log in</title>" + b"<b>" * 300_000, 511),
    }
    return {
        **{f"status {kind}": answer for kind, answer in statuses.items()},
        "endless 103": repeat(b"", hint * 2000),
        "endless 102": repeat(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 5000),
        "103 drips": drip(b"", hint),
        "50 times 103 before the response": raw(hint * 50 + empty),
        "101, then silence": half_open(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),
        "no more than a closed direction": half_open(b""),
    }


def half_open(content: bytes) -> Answer:
    """Return a response after which the server sends nothing more, but does not close the connection."""

    def send(peer: socket.socket, over: threading.Event) -> None:
        peer.sendall(content)
        if not content:
            peer.shutdown(socket.SHUT_WR)
        over.wait(30)

    return send


def _waits() -> dict[str, Answer | Changing]:
    """Return servers that delay the client by statuses and redirects."""
    waits = ("0", "NaN", "inf", "1e400", "Fri, 31 Dec 9999 23:59:59 GMT", "\xb2", "1_0", "0x10", " ")
    slow = Changing(
        lambda request: delayed(
            whole(b"", 307, f"Location: {request.path}?{request.query}x\r\nConnection: close\r\n"), 0.8 * TIMEOUT
        )
    )
    return {
        **{f"429 for ever, Retry-After {text!a}": whole(b"{}", 429, f"Retry-After: {text}\r\n") for text in waits},
        "503 for ever, two Retry-After": whole(b"{}", 503, "Retry-After: 1\r\nRetry-After: 99\r\n"),
        "slow redirects for ever": slow,
        "Refresh instead of Location": whole(b"[]", 200, "Refresh: 0; url=http://127.0.0.1:1/\r\n"),
    }


class Column(t.NamedTuple):
    """A kind of request, and the module that sends it."""

    title: str
    module: str
    options: dict[str, t.Any]
    #: Regular expression for the path of the requests with hostile responses.
    path: str
    method: str = "GET"

    @property
    def description(self) -> str:
        """The requests with hostile responses, as text."""
        whose = "the inventory plugin" if self.module == "inventory" else f"`{self.module}`"
        waits = " without waiting" if self.options.get("wait") is False else ""
        return f"{self.method} `{self.path}` of {whose}{waits}"

    @property
    def seconds(self) -> float:
        """Maximum seconds of the task."""
        defaults = {"wait_timeout": 4200} if self.module == "preheat" else {}
        return task_seconds({**defaults, "timeout": TIMEOUT, **self.options}) + TIMEOUT + _SLACK


_REGISTRY_OPTIONS = {
    "url": "{manager}/ok",
    "image": "{registry}/{column}/app:1",
    "wait": False,
    "verify": "blobs",
}
_WAIT = {"wait_timeout": WAIT_TIMEOUT, "wait_sleep": 1}
_FILE = {"file": "http://h/f", **_WAIT}
COLUMNS = (
    Column("list", "job_info", {}, r"/v1/jobs$"),
    Column("job", "job_info", {"ids": [1]}, r"/v1/jobs/1$"),
    Column("lookup", "preheat", _FILE, r"/v1/jobs$"),
    Column("create", "preheat", _FILE, r"/v1/jobs$", "POST"),
    Column("send", "preheat", {"file": "http://h/f", "wait": False}, r"/v1/jobs$", "POST"),
    Column("poll", "preheat", _FILE, r"/jobs/\d+$"),
    Column("polls", "preheat", {"files": [f"http://h/{number}" for number in range(8)], **_WAIT}, r"/jobs/\d+$"),
    Column("delete", "task", {"task_ids": ["a" * 64], "state": "absent", **_WAIT}, r"/v1/jobs$", "POST"),
    Column("clusters", "cluster_info", {}, r"/clusters$"),
    Column("cluster", "cluster", {"name": "c"}, r"/clusters$", "POST"),
    Column("peers", "peer_info", {}, r"/v1/peers$"),
    Column("inventory", "inventory", {}, r"/v1/peers$"),
    Column("sign-in", "login", {"username": "root", "password": PASSWORD, "retry_timeout": 0}, r"/signin$", "POST"),
    Column("manifest", "preheat", _REGISTRY_OPTIONS, r"^/v2/manifest/"),
    Column("token", "preheat", _REGISTRY_OPTIONS, r"^/token"),
    Column("probe", "preheat_hit_info", {}, r"^/blob$"),
)


def _receive(peer: socket.socket) -> Request | None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = peer.recv(65536)
        if not part:
            return None
        received += part
    top, _blank, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", top)
    while length and len(body) < int(length[1]):
        body += peer.recv(65536)
    method, path, *_version = top.decode("latin-1").split(" ")
    place, _mark, query = path.partition("?")
    return Request(method, place, query, (top + body).decode("latin-1"))


class Listener:
    """A server on loopback.

    :param answer: returns how it responds to a request.
    :param serve: serves a connection instead.
    :ivar requests: list of ``Request`` in their order.
    """

    def __init__(self, answer: t.Callable[[Request], Answer] | None = None, serve: Serve | None = None) -> None:
        self.requests: list[Request] = []
        self._answer = answer
        self._serve_connection = serve or self._serve_request
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            peer.settimeout(30)
            self._serve_connection(peer, self._over)

    def _serve_request(self, peer: socket.socket, over: threading.Event) -> None:
        request = _receive(peer)
        if request and self._answer:
            self.requests.append(request)
            self._answer(request)(peer, over)

    def close(self) -> None:
        """End all responses."""
        self._over.set()
        self._listener.close()


def _honest(request: Request, base: str) -> Answer:
    """Return the response of a manager or registry, one for each connection.

    :param base: URL of the token service.
    """
    close = "Connection: close\r\n"
    if request.path.startswith("/v2/"):
        realm = f'WWW-Authenticate: Bearer realm="{base}/token",service="x",scope="y"\r\n'
        return whole(b"{}", 401, close + realm)
    if request.method == "POST":
        args = json.loads(request.text[request.text.index("{") :]).get("args") or {}
        return whole(dict(_JOB, id=sum(str(args.get("url")).encode()), args=args), 200, close)
    return whole([] if request.path.endswith("s") else _JOB, 200, close)


class Ending(t.NamedTuple):
    """The result of a run."""

    server: str
    column: str
    #: ``ok``, or the reason of the failure.
    outcome: str
    seconds: float
    memory: int
    #: Violations, as text.
    broken: list[str]


def run(name: str, answer: Answer | Changing | Tls, columns: t.Sequence[Column] = COLUMNS) -> list[Ending]:
    """Run a module for each kind of request against a hostile server."""
    addresses: list[str] = []
    by_title = {column.title: column for column in columns}

    def respond(request: Request) -> Answer:
        title = request.path.split("/")[2 if request.path.startswith("/v2/") else 1]
        column = by_title.get({"token": "token", "blob": "probe"}.get(title, title))
        path = request.path if title in ("token", "blob") else request.path.replace("/" + title, "", 1)
        if title in ("manifest", "token") and request.path.startswith("/v2/"):
            path = request.path
        is_hostile = column and request.method == column.method and re.search(column.path, path)
        if is_hostile and not isinstance(answer, Tls):
            return answer.to(request) if isinstance(answer, Changing) else answer
        return _honest(request, addresses[1])

    listener = Listener(respond)
    tls = Listener(serve=answer.serve) if isinstance(answer, Tls) else None
    addresses += [listener.address, f"https://{tls.address}" if tls else f"http://{listener.address}"]
    environment = answer.environment(tls.address) if isinstance(answer, Tls) and tls else None
    try:
        return [_run_fairly(name, column, _options(column, *addresses), environment) for column in columns]
    finally:
        listener.close()
        if tls:
            tls.close()


def _options(column: Column, address: str, base: str) -> dict[str, t.Any]:
    """Return the options of a module.

    :param address: of an honest server.
    :param base: URL of the hostile server, which may be the same.
    """
    options: dict[str, t.Any] = {"timeout": TIMEOUT}
    if column.title == "probe":
        proxy = "http://" + base.partition("://")[2]
        return dict(options, probe_request={"proxy": proxy, "path": "/blob", "headers": {}})
    options["url"] = f"{base}/{column.title}"
    if column.module != "login":
        options["jwt" if column.module in ("peer_info", "inventory") else "token"] = TOKEN
    registry = base if column.title == "manifest" else f"http://{address}"
    addresses = {"manager": f"http://{address}", "registry": registry, "column": column.title}
    for key, value in column.options.items():
        options[key] = value.format(**addresses) if isinstance(value, str) else value
    return options


def _run_fairly(
    name: str, column: Column, options: dict[str, t.Any], environment: dict[str, str] | None = None
) -> Ending:
    """Run a module, and repeat the run if it is late: the machine can stall, but a faulty module is always late."""
    ending = _run_column(name, column, options, environment)
    return _run_column(name, column, options, environment) if ending.seconds > column.seconds else ending


def _run_column(name: str, column: Column, options: dict[str, t.Any], environment: dict[str, str] | None) -> Ending:
    command = [sys.executable, "-c", _RUNNER, column.module]
    begun = time.monotonic()
    process = subprocess.run(
        command,
        input=json.dumps({"ANSIBLE_MODULE_ARGS": options}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment,
    )
    seconds = time.monotonic() - begun
    try:
        result = json.loads(process.stdout)
    except ValueError:
        result = {"failed": True, "reason": "no result", "msg": process.stdout[-500:] + process.stderr[-500:]}
    measured = dict(re.findall(r"(\w+)=(\d+)", process.stderr[-200:]))
    answer = result.get("answer") or {}
    reason = result.get("reason") or (answer.get("error") and "error") or "ok"
    memory = int(measured.get("memory", 0)) * 1024
    took = int(measured.get("milliseconds", seconds * 1000)) / 1000
    return Ending(
        name, column.title, reason, took, memory, _broken(result, process.stderr, took - column.seconds, memory)
    )


def _broken(result: dict[str, t.Any], stderr: str, late: float, memory: int) -> list[str]:
    problems = []
    if result.get("reason") in ("fault", "no result") or "Traceback" in json.dumps(result) + stderr:
        problems.append(f"a traceback: {result.get('msg')}")
    if late > 0:
        problems.append(f"{late:.1f} s late")
    if memory > MEMORY_LIMIT:
        problems.append(f"{memory // 10**6} MB of memory")
    shown = json.dumps({key: value for key, value in result.items() if key != "invocation"}, ensure_ascii=False)
    shown += result.get("msg") or ""
    if TOKEN in shown or PASSWORD in shown:
        problems.append("a credential in the result")
    if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", result.get("msg") or ""):
        problems.append("a sequence of a terminal in the message")
    return problems


#: Runs a module like Ansible, and writes its memory (KiB) and time. The time spent waiting for a processor is
#: not counted: the machine may be busy.
_RUNNER = """
import atexit, json, re, sys, tempfile, time
def waited():
    return int(open("/proc/self/schedstat").read().split()[1]) / 1e9
def report():
    memory = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
    seconds = time.monotonic() - begun - (waited() - waited_before)
    print(f"memory={memory} milliseconds={int(1000 * seconds)}", file=sys.stderr)
def inventory():
    options = json.load(sys.stdin)["ANSIBLE_MODULE_ARGS"]
    source = tempfile.NamedTemporaryFile("w", suffix="dragonfly.yml")
    json.dump(dict(options, plugin="dragonflyoss.dragonfly.peers"), source)
    source.flush()
    try:
        plugin.parse(InventoryData(), DataLoader(), source.name)
        print(json.dumps({"changed": False}))
    except AnsibleParserError as exc:
        print(json.dumps({"failed": True, "reason": "error", "msg": str(exc)}))
if sys.argv[1] == "inventory":
    from ansible.errors import AnsibleParserError
    from ansible.inventory.data import InventoryData
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import init_plugin_loader, inventory_loader
    init_plugin_loader()
    plugin, main = inventory_loader.get("dragonflyoss.dragonfly.peers"), inventory
else:
    name = "ansible_collections.dragonflyoss.dragonfly.plugins.modules." + sys.argv[1]
    __import__(name)
    main = sys.modules[name].main
    sys.argv = [name]
begun, waited_before = time.monotonic(), waited()
atexit.register(report)
main()
"""


def run_all(
    names: t.Container[str] | None = None, workers: int = 8, columns: t.Sequence[Column] = COLUMNS
) -> tuple[list[Ending], list[str]]:
    """Run all servers, or the named ones, and return the endings and the requests to the other host."""
    other = Listener(lambda _request: whole({"token": "x"}, headers="Connection: close\r\n"))
    try:
        chosen = {
            name: answer for name, answer in servers(f"http://{other.address}").items() if not names or name in names
        }
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            endings = [
                ending for part in pool.map(lambda name: run(name, chosen[name], columns), chosen) for ending in part
            ]
    finally:
        other.close()
    leaked = [request.path for request in other.requests if "authorization:" in request.text.lower()]
    return endings, leaked


#: Parts of foreign text: where expressions backtrack, and what is parsed as a URL.
_UNITS = (
    *("a", " ", '"', "[", "://", "://a@", "://?x= ", "?a=b&", "?token=", "\x1b[31m", "http://a:b@c/?token=d "),
    *("%zz&", "://?token%41=& ", "&" + "a" * 30, "://a?" + "a" * 120, "\x1b", "\x9ba", "\u202e", "\ufb00"),
)


def cpu_per_mebibyte() -> float:
    """Return the maximum CPU seconds to display a mebibyte of foreign text, or to parse it as a URL."""
    return max(
        _cpu_seconds(function, unit * (2**20 // len(unit)))
        for function in (redact_text, redact_url, printable, escape_c1, lambda text: redact_beginning(text, 500))
        for unit in _UNITS
    )


def _cpu_seconds(function: t.Callable[[str], t.Any], text: str) -> float:
    seconds = []
    for _attempt in range(3):
        begun = time.thread_time()
        function(text)
        seconds.append(time.thread_time() - begun)
    return min(seconds)


def figures(endings: t.Sequence[Ending], leaked: t.Sequence[str]) -> list[str]:
    """Return the figures as text."""
    names, titles = {ending.server for ending in endings}, {ending.column for ending in endings}
    return [
        f"Servers tried: {len(names)}, each in {len(titles)} kinds of requests: {len(endings)} runs",
        f"Tasks that take longer than they may: {sum('late' in ' '.join(ending.broken) for ending in endings)}",
        f"Peak memory of a module: {max(ending.memory for ending in endings) // 10**6} MB",
        f"CPU for a MiB of foreign text: {cpu_per_mebibyte():.2f} s at most",
        f"Tracebacks: {sum('traceback' in ' '.join(ending.broken) for ending in endings)}",
        f"Credentials that another host was sent: {len(leaked)}",
        f"Credentials in results: {sum('credential' in ' '.join(ending.broken) for ending in endings)}",
        f"Sequences of a terminal in messages: {sum('terminal' in ' '.join(ending.broken) for ending in endings)}",
    ]


_TEXT = """\
<!--
Copyright (c) 2026, Dragonfly collection contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Hostile servers

This page shows how the modules end if the responses of a manager, a registry, a token service or the proxy of a client
are slow on purpose, endless, oversized or false, and what happens to everything else that crosses a border of the
collection. `make security-tests` runs the tests and writes this page; `make test` runs some of them, and
`make test-long` all. For honest servers, see [what happens when something breaks](faults.md).

Each run is a process of its own, over real sockets, with `timeout` {timeout} s and, where it waits, `wait_timeout`
{wait} s. It is late if it takes longer than `wait_timeout`, one `timeout` and {slack} s; a task that does not wait has
three times `timeout` and one second instead of `wait_timeout`. A run that is late is repeated once, and the time in
which its process waited for a processor does not count.

{figures}

The columns are the requests that are answered badly; all others are answered as a manager or registry does:

{columns}

A cell is how the module ends: `ok`, the `reason` with which it fails, or `error` for the inventory plugin and the
probe, which have none.

{table}
"""


def document(endings: t.Sequence[Ending], leaked: t.Sequence[str]) -> str:
    """Return the page."""
    titles = [column.title for column in COLUMNS]
    cells = {(ending.server, ending.column): ending.outcome for ending in endings}
    rows = [["server", *titles], ["---"] * (len(titles) + 1)]
    for server in dict.fromkeys(ending.server for ending in endings):
        rows.append([server, *(cells.get((server, title), "") for title in titles)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    listed = "\n".join(f"- {figure}" for figure in figures(endings, leaked))
    columns = "\n".join(f"- {column.title}: {column.description}" for column in COLUMNS)
    return _TEXT.format(timeout=TIMEOUT, wait=WAIT_TIMEOUT, slack=_SLACK, figures=listed, columns=columns, table=table)


def main() -> None:
    """Write the page, and fail if a run has a violation."""
    endings, leaked = run_all()
    _before, heading, borders = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)
    DOCUMENT.write_text(f"{document(endings, leaked)}\n{heading}{borders}", encoding="utf-8")
    print("\n".join(figures(endings, leaked)))
    sys.exit(
        "\n".join(f"{ending.server}, {ending.column}: {ending.broken}" for ending in endings if ending.broken) or None
    )


if __name__ == "__main__":
    main()
