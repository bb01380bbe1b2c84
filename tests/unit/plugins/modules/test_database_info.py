# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of databases: with a stand-in for Redis, and with real servers if the host has their programs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import socketserver
import subprocess
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _database_checks
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._sql import DatabaseState
from ansible_collections.dragonflyoss.dragonfly.tests.unit.database_check import (
    MODULE,
    MYSQL_GREETING,
    PASSWORD,
    codes,
    database_server,
    run,
    without,
)
from ansible_collections.dragonflyoss.dragonfly.tests.unit.redis_server import bulk, redis_server


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port: int) -> None:
    for _attempt in range(150):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing listens on port {port}")


# --- Redis: a stand-in


@pytest.fixture(name="stand_in")
def a_stand_in():
    """Return a function that starts a Redis with these responses, and returns its address."""
    with contextlib.ExitStack() as servers:
        yield lambda host="127.0.0.1", **answers: servers.enter_context(redis_server(answers, host))


INFO = "redis_version:7.0.15\r\nrole:master"


@pytest.mark.parametrize(
    "answers, expected",
    [
        ({"INFO": bulk(INFO)}, []),
        ({"INFO": bulk(INFO.replace("master", "slave"))}, ["redis_read_only"]),
        ({"AUTH": "-WRONGPASS invalid"}, ["redis_login"]),
        ({"AUTH": "-ERR Client sent AUTH, but no password is set"}, ["redis_login"]),
        ({"PING": "-NOAUTH Authentication required."}, ["redis_login"]),
        ({"PING": "-NOPERM no"}, ["redis_permissions"]),
        ({"SELECT 2": "-ERR DB index is out of range"}, ["redis_database_missing"]),
        ({"SELECT": "-NOPERM no"}, ["redis_permissions"] * 3),
        ({"AUTH": "-DENIED Redis is running in protected mode"}, ["redis_rejects_commands"]),
        ({"AUTH": "-ERR max number of clients reached"}, ["redis_rejects_commands"]),
        ({"PING": "-LOADING Redis is loading the dataset in memory"}, ["redis_rejects_commands"]),
        ({"PING": "-MISCONF Redis is configured to save RDB snapshots"}, ["redis_rejects_commands"]),
        ({"PING": f"-{PASSWORD} what"}, ["redis_rejects_commands"]),
        ({"SELECT 1": "-LOADING Redis is loading the dataset in memory"}, ["redis_rejects_commands"]),
        ({"INFO": "-NOPERM no", "CONFIG": "-NOPERM no"}, []),
        ({"PING": "HTTP/1.1 400 Bad Request"}, ["redis_not_redis"]),
        ({"PING": "$99999999999"}, ["redis_not_redis"]),
        ({"INFO": "*x"}, ["redis_not_redis"]),
        ({"INFO": "*3"}, ["redis_not_redis"]),
        ({"INFO": "*-1", "CONFIG": ":5"}, []),
        ({"CONFIG": f"*2\r\n{bulk('databases')}\r\n{bulk('9' * 5000)}"}, []),
        ({"CONFIG": f"*2\r\n{bulk('databases')}\r\n$2\r\n\u00b2"}, []),
        ({"INFO": "*9" + "9" * 5000}, ["redis_not_redis"]),
        ({"INFO": "*1\r\n" * 100_000}, ["redis_not_redis"]),
        ({"INFO": "*20\r\n" + f"{bulk('a' * 100_000)}\r\n" * 20}, ["redis_not_redis"]),
    ],
)
def test_what_redis_answers(stand_in, answers, expected):
    result = run(redis={"addrs": [stand_in(**answers)], "password": PASSWORD}, timeout=1)
    assert codes(result) == expected
    assert result["changed"] is False


def test_what_is_known_of_redis(stand_in):
    address = stand_in(INFO=bulk(INFO), CONFIG="*2\r\n$9\r\ndatabases\r\n$2\r\n16")
    result = run(redis={"addrs": [address]})
    assert result["redis"] == {"server": "Redis 7.0.15", "databases": 16, "role": "primary"}
    assert result["database"] is None


@pytest.mark.parametrize("form", ["::1:{}", "[::1]:{}"])
def test_a_redis_over_ipv6(stand_in, form):
    _host, _colon, port = stand_in(host="::1", INFO=bulk(INFO)).rpartition(":")
    assert codes(run(redis={"addrs": [form.format(port)]})) == []


def test_a_sentinel(stand_in):
    host, _colon, port = stand_in(INFO=bulk(INFO)).partition(":")
    sentinel = stand_in(SENTINEL=f"*2\r\n{bulk(host)}\r\n{bulk(port)}")
    assert codes(run(redis={"addrs": [sentinel], "master_name": "mymaster"})) == []


@pytest.mark.parametrize(
    "answer",
    [
        "*-1",
        "*1\r\n$1\r\nh",
        f"*2\r\n{bulk('h' * 300)}\r\n{bulk('6379')}",
        f"*2\r\n{bulk('127.0.0.1')}\r\n{bulk('9' * 5000)}",
        f"*2\r\n{bulk('127.0.0.1')}\r\n$2\r\n\u00b2",
        f"*2\r\n{bulk(chr(27) + '[31mh')}\r\n{bulk('6379')}",
        f"*2\r\n*1\r\n{bulk('h')}\r\n{bulk('6379')}",
    ],
)
def test_a_sentinel_that_names_no_primary(stand_in, answer):
    options = {"addrs": [stand_in(SENTINEL=answer)], "master_name": "mymaster"}
    assert codes(run(redis=options)) == ["redis_no_primary"]


def test_a_sentinel_that_names_a_host_that_is_none(stand_in):
    """Python refuses to look up a label of more than 63 characters."""
    sentinel = stand_in(SENTINEL=f"*2\r\n{bulk('h' * 100)}\r\n{bulk('6379')}")
    assert codes(run(redis={"addrs": [sentinel], "master_name": "mymaster"})) == ["redis_unreachable"]


@pytest.mark.parametrize(
    "first, part, pause", [(b"+", b"a", 0.1), (b"+", b"a" * 65536, 0), (b"*99999\r\n", b"+\r\n", 0.1)]
)
def test_a_redis_whose_response_does_not_end(first, part, pause):
    def send(peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            peer.sendall(first)
            # If the module waits for the end, the test fails after these seconds.
            until = time.monotonic() + 40
            while time.monotonic() < until:
                peer.sendall(part)
                time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: send(listener.accept()[0]), daemon=True).start()
        begun = time.monotonic()
        result = run(redis={"addrs": [f"127.0.0.1:{listener.getsockname()[1]}"]}, timeout=1)
    assert codes(result) == ["redis_not_redis"]
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("zone, expected", [("::1%1", []), ("fe80::1%none", ["redis_unreachable"])])
def test_a_sentinel_that_names_a_zone(stand_in, zone, expected):
    """A link-local address is only unique with its zone, and the client of the manager connects to it."""
    _host, _colon, port = stand_in(host="::1", INFO=bulk(INFO)).rpartition(":")
    sentinel = stand_in(SENTINEL=f"*2\r\n{bulk(zone)}\r\n{bulk(port)}")
    assert codes(run(redis={"addrs": [sentinel], "master_name": "mymaster"})) == expected


def test_nothing_listens():
    assert codes(run(redis={"addrs": [f"127.0.0.1:{free_port()}"]})) == ["redis_unreachable"]


@pytest.mark.parametrize("options", [{}, {"redis": {"addrs": ["redis.example.com"]}}])
def test_bad_options(options):
    result = run(**options)
    assert result["failed"] is True
    assert "fault" not in result.get("reason", "")


# --- MySQL 8: a stand-in

_SEND_PASSWORD, _PUBLIC_KEY = b"\1\4", b"\1-----BEGIN PUBLIC KEY-----"


def mysql_server(*payloads: bytes) -> t.ContextManager[dict[str, t.Any]]:
    """Start a MySQL 8 that sends a payload and reads the response to it, again and again, and yield a login there."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for number, payload in enumerate(payloads):
                self.wfile.write(len(payload).to_bytes(3, "little") + bytes([2 * number]) + payload)
                header = self.rfile.read(4)
                self.rfile.read(int.from_bytes(header[:3], "little"))

    return database_server("mysql", Handler)


def test_a_login_that_requires_another_library(tmp_path):
    (tmp_path / "cryptography").mkdir()
    (tmp_path / "cryptography/__init__.py").write_text("raise ImportError")
    with mysql_server(MYSQL_GREETING, _SEND_PASSWORD, _PUBLIC_KEY) as login:
        result = run([tmp_path], database=login)
    assert (result["reason"], "python3-cryptography" in result["msg"]) == ("missing_library", True)


class MySQLError(t.NamedTuple):
    """An error number of MySQL or MariaDB, when it occurs, and the code of the problem."""

    number: int
    when: str
    code: str


@pytest.mark.parametrize(
    "error",
    [
        MySQLError(1044, "access to the database denied", "database_login"),
        MySQLError(1045, "access denied, also because the user must use TLS", "database_login"),
        MySQLError(1049, "unknown database", "database_missing"),
        MySQLError(1226, "the user has too many connections", "database_busy"),
        MySQLError(1862, "the password has expired", "database_login"),
        MySQLError(3118, "the account is locked", "database_login"),
        MySQLError(3159, "the server requires TLS", "database_unreachable"),
        MySQLError(1105, "an unknown error", "database_unreachable"),
    ],
    ids=str,
)
def test_errors_of_a_login_to_mysql(error):
    refusal = b"\xff" + error.number.to_bytes(2, "little") + b"#HY000" + PASSWORD.encode()
    with mysql_server(MYSQL_GREETING, refusal) as login:
        assert codes(run(database=login)) == [error.code]


@pytest.mark.parametrize(
    "error",
    [
        MySQLError(1040, "the server has too many connections", "database_busy"),
        MySQLError(1129, "the server blocks the host", "database_blocked"),
        MySQLError(1130, "the host may not connect", "database_login"),
    ],
    ids=str,
)
def test_errors_in_place_of_a_greeting_of_mysql(error):
    with mysql_server(b"\xff" + error.number.to_bytes(2, "little") + b"refused") as login:
        assert codes(run(database=login)) == [error.code]


def test_every_code_is_documented():
    documented = re.findall(r"V\(((?:database|redis)_\w+)\)", MODULE.read_text())
    assert sorted(documented) == sorted(_database_checks._MESSAGES)


# --- the schema


@pytest.mark.parametrize(
    "columns, release, expected",
    [
        ([], "2.5.1", ("empty", None, False)),
        ([("wp_posts", "id")], "2.5.1", ("foreign", None, False)),
        ([("scheduler_cluster", "id")], "2.1.0", ("dragonfly", "2.1.0", False)),
        ([("scheduler_cluster", "id"), ("peer", "id")], "2.1.6", ("dragonfly", "2.1.7", True)),
        ([("scheduler_cluster", "id"), ("audit", "id")], "2.2.2", ("dragonfly", "2.2.2", False)),
        ([("scheduler_cluster", "id"), ("audit", "id")], "2.1.67", ("dragonfly", "2.2.2", True)),
        ([("scheduler_cluster", "id"), ("scheduler", "last_keep_alive_at")], "2.3.0", ("dragonfly", "2.3.1", True)),
        ([("scheduler_cluster", "seed_client_config")], "2.4.1", ("dragonfly", "2.4.2", True)),
        ([("scheduler_cluster", "seed_client_config")], None, ("dragonfly", "2.4.2", None)),
    ],
)
def test_the_release_of_the_tables(columns, release, expected):
    schema = _database_checks.schema_of(columns, release)
    assert (schema["state"], schema["since"], schema["newer"]) == expected


@pytest.mark.parametrize(
    "state, newer, expected",
    [
        (DatabaseState("login"), None, ["database_login"]),
        (DatabaseState(None, writable=False), False, ["database_read_only"]),
        (DatabaseState(None, writable=None), None, []),
        (DatabaseState(None, writable=True), True, ["database_newer_schema"]),
    ],
)
def test_the_problems_of_a_database(state, newer, expected):
    assert _database_checks.database_codes(state, {"newer": newer}) == expected


@pytest.mark.parametrize(
    "database_type, state, since, release, expected",
    [
        ("postgres", "dragonfly", "2.1.7", "2.5.1", True),
        ("postgres", "dragonfly", "2.3.1", "2.4.2", True),
        ("postgres", "dragonfly", "2.3.1", "2.4.1", False),
        ("postgres", "dragonfly", "2.4.2", "2.5.1", False),
        ("postgres", "dragonfly", "2.1.7", None, False),
        ("postgres", "empty", None, "2.5.1", False),
        ("postgres", "foreign", None, "2.5.1", False),
        ("mariadb", "dragonfly", "2.1.7", "2.5.1", False),
        ("mysql", "dragonfly", "2.1.7", "2.5.1", False),
    ],
)
def test_tables_of_old_releases_in_postgresql(database_type, state, since, release, expected):
    schema = {"state": state, "since": since, "newer": False}
    assert _database_checks.cannot_migrate(database_type, schema, release) == expected


def test_the_remedy_for_old_tables_is_a_statement():
    options = {"host": "db", "port": 5432, "username": "u", "type": "postgres", "name": "manager"}
    problem = _database_checks.problem("database_migration", "database", release="2.5.1", **options)
    assert "ADD COLUMN seed_client_config text NOT NULL DEFAULT '{}'." in problem["remedy"]


# --- real servers


class Server(t.NamedTuple):
    """A running server."""

    port: int
    execute: t.Callable[[str], None]


@pytest.fixture(name="redis", scope="module")
def a_redis(tmp_path_factory):
    """Return the port of a real Redis with a password and four databases."""
    lacking = without(["redis-server"])
    if lacking:
        pytest.skip(f"the host has no {lacking}")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--databases", "4", "--requirepass", PASSWORD]
    process = subprocess.Popen(
        ["redis-server", *options], cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL
    )
    try:
        wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def test_a_real_redis(redis):
    address = f"127.0.0.1:{redis}"
    result = run(redis={"addrs": [address], "password": PASSWORD})
    assert codes(result) == []
    assert (result["redis"]["databases"], result["redis"]["role"]) == (4, "primary")
    assert codes(run(redis={"addrs": [address], "password": PASSWORD, "databases": [3, 4]})) == [
        "redis_database_missing"
    ]
    assert codes(run(redis={"addrs": [address]})) == ["redis_login"]
    assert codes(run(redis={"addrs": [address], "password": "s3cr3t-other"})) == ["redis_login"]


@pytest.fixture(name="mariadb", scope="module")
def a_mariadb(tmp_path_factory):
    """Return a real MariaDB."""
    lacking = without(["mariadbd", "mariadb-install-db", "mariadb"], "pymysql")
    if lacking:
        pytest.skip(f"the host has no {lacking}")
    folder, port = tmp_path_factory.mktemp("mariadb"), free_port()
    user = ["--user=root"] if os.geteuid() == 0 else []
    authentication = "--auth-root-authentication-method=normal"
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", *user, f"--datadir={folder}/data", authentication],
        check=True,
        capture_output=True,
    )
    place = [f"--datadir={folder}/data", f"--socket={folder}/s", f"--port={port}", f"--pid-file={folder}/pid"]
    process = subprocess.Popen(
        ["mariadbd", "--no-defaults", *user, *place, "--bind-address=127.0.0.1"], stderr=subprocess.DEVNULL
    )

    def execute(statements: str) -> None:
        login = ["mariadb", "--no-defaults", "-uroot", f"--socket={folder}/s"]
        subprocess.run([*login, "-e", statements], check=True, capture_output=True)

    try:
        wait_for_port(port)
        yield Server(port, execute)
    finally:
        process.terminate()
        process.wait()


def test_a_real_mariadb(mariadb):
    user = f"'dragonfly'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"
    reader = f"'reader'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"
    mariadb.execute(
        f"CREATE USER {user}; CREATE USER {reader}; GRANT ALL ON manager.* TO 'dragonfly'@'127.0.0.1';"
        "GRANT SELECT ON manager.* TO 'reader'@'127.0.0.1'"
    )
    login = {
        "type": "mariadb",
        "host": "127.0.0.1",
        "port": mariadb.port,
        "username": "dragonfly",
        "password": PASSWORD,
    }
    assert codes(run(database=login)) == ["database_missing"]
    mariadb.execute("CREATE DATABASE manager")
    result = run(database=login, manager_release="2.4.1")
    assert codes(result) == []
    assert result["database"]["server"].startswith("MariaDB ")
    assert (result["database"]["writable"], result["database"]["schema"]["state"]) == (True, "empty")
    assert codes(run(database={**login, "password": "s3cr3t-other"})) == ["database_login"]
    assert codes(run(database={**login, "username": "reader"})) == ["database_read_only"]
    assert codes(run(database={**login, "port": free_port()})) == ["database_unreachable"]
    mariadb.execute("ALTER USER 'reader'@'127.0.0.1' ACCOUNT LOCK")
    assert codes(run(database={**login, "username": "reader"})) == ["database_login"]
    mariadb.execute("ALTER USER 'reader'@'127.0.0.1' ACCOUNT UNLOCK PASSWORD EXPIRE")
    assert codes(run(database={**login, "username": "reader"})) == ["database_login"]
    mariadb.execute(
        "ALTER USER 'reader'@'127.0.0.1' WITH MAX_CONNECTIONS_PER_HOUR 1 PASSWORD EXPIRE NEVER;"
        f"SET PASSWORD FOR 'reader'@'127.0.0.1' = PASSWORD('{PASSWORD}')"
    )
    assert codes(run(database={**login, "username": "reader"})) == ["database_read_only"]
    assert codes(run(database={**login, "username": "reader"})) == ["database_busy"]
    mariadb.execute("CREATE TABLE manager.scheduler_cluster (id int, seed_client_config text)")
    result = run(database=login, manager_release="2.4.1")
    assert codes(result) == ["database_newer_schema"]
    assert result["database"]["tables"] == ["scheduler_cluster"]
    assert codes(run(database=login, manager_release="2.4.2")) == []


@pytest.fixture(name="postgres", scope="module")
def a_postgres(tmp_path_factory):
    """Return a real PostgreSQL, which does not run as root."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path("/usr/bin")]
    path = f"{programs[-1]}:{os.environ['PATH']}"
    lacking = without(["runuser"], "psycopg2") or ("" if shutil.which("initdb", path=path) else "initdb")
    if lacking or os.geteuid() != 0:
        pytest.skip(f"the host has no {lacking or 'right to start it as postgres'}")
    folder, port = tmp_path_factory.mktemp("postgres"), free_port()
    for parent in (folder, *list(folder.parents)[:3]):
        if parent != Path("/tmp"):
            parent.chmod(0o755)
    shutil.chown(folder, "postgres")
    become = ["runuser", "-u", "postgres", "--"]
    (folder / "password").write_text(PASSWORD)
    initialise = [f"{programs[-1]}/initdb", "-D", f"{folder}/data", "-A", "scram-sha-256", "--no-sync"]
    subprocess.run([*become, *initialise, f"--pwfile={folder}/password"], check=True, capture_output=True)
    settings = ["-D", f"{folder}/data", "-p", str(port), "-k", str(folder), "-h", "127.0.0.1", "-F"]
    process = subprocess.Popen([*become, f"{programs[-1]}/postgres", *settings], stderr=subprocess.DEVNULL)

    def execute(statements: str) -> None:
        login = f"host=127.0.0.1 port={port} user=postgres password={PASSWORD}"
        for statement in statements.split(";"):
            subprocess.run(["psql", login, "-c", statement], check=True, capture_output=True)

    try:
        wait_for_port(port)
        time.sleep(1)
        yield Server(port, execute)
    finally:
        process.terminate()
        process.wait()


def test_a_real_postgres(postgres):
    postgres.execute(f"CREATE USER dragonfly PASSWORD '{PASSWORD}'; CREATE USER reader PASSWORD '{PASSWORD}'")
    login = {
        "type": "postgres",
        "host": "127.0.0.1",
        "port": postgres.port,
        "username": "dragonfly",
        "password": PASSWORD,
    }
    assert codes(run(database=login)) == ["database_missing"]
    postgres.execute("CREATE DATABASE manager OWNER dragonfly")
    result = run(database=login, manager_release="2.5.1")
    assert codes(result) == []
    assert result["database"]["server"].startswith("PostgreSQL ")
    assert result["database"]["writable"] is True
    assert codes(run(database={**login, "password": "s3cr3t-other"})) == ["database_login"]
    assert codes(run(database={**login, "port": free_port()})) == ["database_unreachable"]
