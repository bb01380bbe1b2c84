# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases whose responses do not end, or that attack the client: the check is limited in time and memory."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.unit.database_check import (
    MODULE,
    MYSQL_GREETING,
    codes,
    database_server,
    environment,
    measure,
    python_with,
    run,
)

#: What a server does on a connection.
Script = t.Callable[[socket.socket], None]
#: Seconds for which a server sends. A module that waits for the end fails the test.
_PATIENCE = 40
_MEMORY_LIMIT = 200_000_000


def endlessly(first: bytes, part: bytes, pause: float = 0) -> Script:
    """Return a script that sends its first bytes, and then a part again and again."""

    def send(peer: socket.socket) -> None:
        peer.sendall(first)
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            peer.sendall(part)
            time.sleep(pause)

    return send


def packet(number: int, content: bytes) -> bytes:
    """Return a packet of MySQL."""
    return len(content).to_bytes(3, "little") + bytes([number]) + content


def mysql(script: Script) -> Script:
    """Return a script that accepts a login and the settings of the client, and responds to the first query."""

    def serve(peer: socket.socket) -> None:
        peer.sendall(packet(0, MYSQL_GREETING.replace(b"caching_sha2_password", b"mysql_native_password")))
        peer.recv(65536)
        peer.sendall(packet(2, b"\0\0\0\2\0\0\0"))
        while b"VERSION" not in peer.recv(65536):
            peer.sendall(packet(1, b"\0\0\0\2\0\0\0"))
        script(peer)

    return serve


def message(kind: str, content: bytes) -> bytes:
    """Return a message of PostgreSQL."""
    return kind.encode() + (len(content) + 4).to_bytes(4, "big") + content


_SETTINGS = {"client_encoding": "UTF8", "DateStyle": "ISO", "standard_conforming_strings": "on"}
_ACCEPTED = b"".join(
    [
        message("R", bytes(4)),
        *(message("S", f"{name}\0{value}\0".encode()) for name, value in _SETTINGS.items()),
        message("Z", b"I"),
    ]
)
#: One column of type text.
_ROWS = message("T", b"\0\1v\0" + bytes(6) + (25).to_bytes(4, "big") + b"\xff\xff" + b"\xff\xff\xff\xff" + b"\0\0")


def postgres(script: Script, accepts: bytes = _ACCEPTED) -> Script:
    """Return a script that refuses TLS, accepts a login, and responds to the first query."""

    def serve(peer: socket.socket) -> None:
        received = peer.recv(65536)
        if len(received) == 8:
            peer.sendall(b"N")
            received = peer.recv(65536)
        peer.sendall(accepts)
        while received and accepts and b"SHOW" not in received:
            received = peer.recv(65536)
            if b"BEGIN" in received:
                peer.sendall(message("C", b"BEGIN\0") + message("Z", b"T"))
        script(peer)

    return serve


def server(kind: str, script: Script, host: str = "127.0.0.1") -> t.ContextManager[dict[str, t.Any]]:
    """Start a server, and yield a login there."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                script(self.request)

    return database_server(kind, Handler, host)


_MEBIBYTE = b"a" * 2**20
_LARGEST = b"\xff\xff\xff"
_ROW = message("D", b"\0\1" + len(_MEBIBYTE).to_bytes(4, "big") + _MEBIBYTE)
_SILENCE = endlessly(b"", b"", 1)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(_SILENCE, id="silence"),
        pytest.param(endlessly(b"\xff\0\0\0", b"a", 0.5), id="a greeting that drips"),
        pytest.param(mysql(_SILENCE), id="silence after the login"),
        pytest.param(mysql(endlessly(_LARGEST + b"\1", b"a", 0.5)), id="a response that drips"),
        pytest.param(
            mysql(endlessly(b"", b"".join(_LARGEST + bytes([n]) + b"a" * 0xFFFFFF for n in range(1, 65)))),
            id="a response of 1 GiB",
        ),
    ],
)
def test_a_mysql_whose_response_does_not_end(script):
    check("mysql", script)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(_SILENCE, id="silence"),
        pytest.param(postgres(_SILENCE, b""), id="no response to the login"),
        pytest.param(postgres(endlessly(b"R\0\0\1\0", b"a", 0.5), b""), id="a response to the login that drips"),
        pytest.param(
            postgres(endlessly(_ACCEPTED[:9], message("S", b"%064d\0b\0") * 9999), b""), id="settings without end"
        ),
        pytest.param(postgres(_SILENCE), id="silence after the login"),
        pytest.param(postgres(endlessly(_ROWS + _ROW[:7], b"a", 0.5)), id="a row that drips"),
        pytest.param(postgres(endlessly(_ROWS, _ROW)), id="rows without end"),
        pytest.param(postgres(endlessly(_ROWS + b"D\x7f\0\0\0\0\1\x7e\0\0\0", _MEBIBYTE)), id="a row of 2 GiB"),
    ],
)
def test_a_postgres_whose_response_does_not_end(script):
    check("postgres", script)


def check(kind: str, script: Script) -> None:
    """Assert that a server costs neither time nor memory."""
    with server(kind, script) as login:
        begun = time.monotonic()
        ended = measure(database=login, timeout=2)
    assert codes(ended.result) == ["database_unreachable"]
    assert time.monotonic() - begun < _PATIENCE - 10
    assert ended.memory < _MEMORY_LIMIT


def test_a_module_that_is_killed_leaves_no_process():
    """The process that checks a database ends at the limit of time, also without the module that started it."""
    with server("mysql", _SILENCE) as login:
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"timeout": 2, "database": login}})
        module = subprocess.Popen(
            [python_with("pymysql") or sys.executable, MODULE, arguments], env=environment(), start_new_session=True
        )
        wait_until(lambda: len(processes(module.pid)) == 2)
        module.kill()
        module.wait()
        wait_until(lambda: not processes(module.pid))


def wait_until(holds: t.Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def processes(session: int) -> list[str]:
    """Return the numbers of the processes in a session."""
    listed = subprocess.run(["ps", "-o", "pid=", "-s", str(session)], capture_output=True, text=True, check=False)
    return listed.stdout.split()


def test_a_mysql_that_asks_for_a_file():
    received = []

    def ask(peer: socket.socket) -> None:
        peer.sendall(packet(1, b"\xfb/etc/passwd"))
        received.append(peer.recv(65536))

    with server("mysql", mysql(ask)) as login:
        assert codes(run(database=login)) == ["database_unreachable"]
    assert b"root" not in b"".join(received)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["HTTP", "closed"])
@pytest.mark.parametrize("kind", ["mysql", "postgres"])
def test_a_server_of_another_kind(kind, answer):
    def respond(peer: socket.socket) -> None:
        if kind == "postgres":
            peer.recv(65536)
        peer.sendall(answer)

    with server(kind, respond) as login:
        assert codes(run(database=login)) == ["database_unreachable"]


@pytest.mark.parametrize(
    "rows",
    [message("D", b"\0\1\xff\xff\xff\xff"), b"", message("D", b"\0\1\0\0\0\1\xff")],
    ids=["NULL", "none", "UTF-8"],
)
def test_a_postgres_with_a_version_that_is_none(rows):
    answer = _ROWS + rows + message("C", b"SHOW\0") + message("Z", b"T")
    with server("postgres", postgres(lambda peer: peer.sendall(answer))) as login:
        assert codes(run(database=login)) == ["database_unreachable"]


def test_a_postgres_with_long_names():
    """What the server says of its version, or of its tables, does not become a result of any size."""
    column = _ROWS[7:]
    name = (10**7).to_bytes(4, "big") + b"1" * 10**7
    rows = message("T", b"\0\2" + column * 2) + message("D", b"\0\2" + name * 2) + message("C", b"SELECT 1\0")

    def respond(peer: socket.socket) -> None:
        peer.sendall(rows + message("Z", b"T"))
        while peer.recv(65536):
            peer.sendall(rows + message("Z", b"T"))

    with server("postgres", postgres(respond)) as login:
        begun = time.monotonic()
        ended = measure(database=login, timeout=_PATIENCE)
    assert codes(ended.result) == ["database_unreachable"]
    assert time.monotonic() - begun < _PATIENCE - 10
    assert ended.memory < _MEMORY_LIMIT


@pytest.mark.parametrize("columns", [1, 3])
def test_a_postgres_whose_rows_have_other_columns(columns):
    """The report of the process contains whatever the server responds."""
    value = (1).to_bytes(4, "big") + b"1"
    count = columns.to_bytes(2, "big")
    rows = message("T", count + _ROWS[7:] * columns) + message("D", count + value * columns)

    def respond(peer: socket.socket) -> None:
        peer.sendall(rows + message("C", b"SELECT 1\0") + message("Z", b"T"))
        while peer.recv(65536):
            peer.sendall(rows + message("C", b"SELECT 1\0") + message("Z", b"T"))

    with server("postgres", postgres(respond)) as login:
        assert codes(run(database=login)) == ["database_unreachable"]


#: Limits a resource when the module starts a process, and gives up the rights of root, to which no limit applies.
_LIMITED = """
import os, resource, sys
from ansible_collections.dragonflyoss.dragonfly.plugins.modules import database_info
name, number = sys.argv.pop(1), sys.argv.pop(1)
def limit(event, _arguments):
    if event == "os.fork" and name == "NPROC":
        os.setresuid(65534, 65534, os.getuid())
    elif os.getresuid()[2] != os.geteuid():
        os.setresuid(*[os.getresuid()[2]] * 3)
sys.addaudithook(limit)
resource.setrlimit(getattr(resource, "RLIMIT_" + name), (int(number),) * 2)
database_info.main()
"""


@pytest.mark.parametrize("limit, number", [("NPROC", 0), ("NOFILE", 4)])
def test_a_host_that_allows_no_process(limit, number):
    with server("mysql", _SILENCE) as login:
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"timeout": 2, "database": login}})
        command = [python_with("pymysql") or sys.executable, "-c", _LIMITED, limit, str(number), arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert ended.stdout, ended.stderr
    result = json.loads(ended.stdout)
    assert result["reason"] == "no_process"
    assert "ulimit" in result["msg"]


@pytest.mark.parametrize(
    "text, code",
    [
        ('FATAL:  password authentication failed for user "dragonfly"', "database_login"),
        ("FATAL:  no pg_hba.conf entry for host", "database_login"),
        ("FATAL:  Passwort-Authentifizierung fehlgeschlagen", "database_login"),
        ("FATAL:  sorry, too many clients already", "database_busy"),
        ("FATAL:  the database system is starting up", "database_unreachable"),
        ("FATAL:  the database system is shutting down", "database_unreachable"),
    ],
)
def test_errors_of_a_login_to_postgres(text, code):
    severity, _colon, primary = text.partition(":  ")
    refusal = message("E", f"S{severity}\0C28000\0M{primary}\0\0".encode())
    with server("postgres", postgres(lambda _peer: None, refusal)) as login:
        assert codes(run(database=login)) == [code]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(message("R", (99).to_bytes(4, "big")), id="an unknown kind of login"),
        pytest.param(message("R", (10).to_bytes(4, "big") + b"X\0\0"), id="an unknown mechanism of SASL"),
        pytest.param(message("v", bytes(8)), id="another protocol"),
        pytest.param(message("R", (5).to_bytes(4, "big")), id="no salt"),
    ],
)
def test_errors_of_the_library_of_postgres_are_not_those_of_a_login(first):
    with server("postgres", postgres(lambda _peer: None, first)) as login:
        assert codes(run(database=login)) == ["database_unreachable"]


def test_databases_over_ipv6():
    refusal = message("E", b"SFATAL\0C28P01\0Mpassword authentication failed\0\0")
    with server("postgres", postgres(lambda _peer: None, refusal), "::1") as login:
        assert codes(run(database=login)) == ["database_login"]
    with server("mysql", lambda peer: peer.sendall(packet(0, b"\xff\x6a\x04refused")), "::1") as login:
        assert codes(run(database=login)) == ["database_login"]
