# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the SQL database of a manager with the library of the host's distribution."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import ssl
import struct
import typing as t

from ._errors import DragonflyError

try:
    import pymysql
except ImportError:
    pymysql = None
try:
    import psycopg2
except ImportError:
    psycopg2 = None

#: Limit in bytes of the data of the process that checks a database.
_MAX_MEMORY = 150_000_000
#: Limit in characters of its report.
_MAX_REPORT = 8_000_000
#: Maximum length of a version. A server may respond with anything instead.
_VERSION = 50
#: The request for TLS, to which each PostgreSQL responds with S or N, or with E if it has no resources.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
LIBRARIES = {"mysql": "pymysql", "mariadb": "pymysql", "postgres": "psycopg2"}
_NEEDED = {"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "INDEX"}
#: Error numbers of MySQL and MariaDB. Other errors mean that the server does not respond as requested. A login also
#: fails if the account must not log in from this host, is locked, or has an expired password or an unsupported plugin.
_MYSQL_ERRORS = {
    1049: "missing",
    **dict.fromkeys((1044, 1045, 1130, 1251, 1698, 1820, 1862, 3118, 4151), "login"),
    **dict.fromkeys((1040, 1203, 1226), "busy"),
    1129: "blocked",
}
#: What distinguishes responses of a PostgreSQL from errors of its library, which does not log in without a password.
_POSTGRES_REFUSALS = (":  ", "fe_sendauth: no password supplied")
#: Messages of PostgreSQL that do not concern the login (postmaster.c, proc.c, procarray.c and postinit.c).
_POSTGRES_ERRORS = {
    **dict.fromkeys(("too many clients", "too many connections", "connection slots are reserved"), "busy"),
    **dict.fromkeys(("starting up", "shutting down", "recovery mode", "not accepting connections"), "unreachable"),
}
_MYSQL_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
_POSTGRES_COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
)
# For privileged accounts, the views list the grants of all accounts.
_MYSQL_PRIVILEGES = (
    "SELECT privilege_type FROM information_schema.user_privileges WHERE grantee = {me} UNION "
    "SELECT privilege_type FROM information_schema.schema_privileges WHERE grantee = {me}"
    " AND DATABASE() LIKE table_schema"
).format(me="CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')")


class DatabaseState(t.NamedTuple):
    """The state of a database.

    :ivar error: unreachable, login, missing, busy or blocked; None if the database could be opened. Inside of this file
        also library, if the login requires one that is missing.
    :ivar server: kind and version of the server, None if unknown.
    :ivar writable: whether the account can create tables; None if unknown.
    :ivar columns: pairs of table and column.
    """

    error: str | None
    server: str | None = None
    writable: bool | None = None
    columns: t.Sequence[tuple[str, str]] = ()


def has_library(kind: str) -> bool:
    """Return whether the library for a type of database is installed."""
    return {"pymysql": pymysql, "psycopg2": psycopg2}[LIBRARIES[kind]] is not None


def read_database(options: dict[str, t.Any], timeout: float, context: ssl.SSLContext | None) -> DatabaseState:
    """Return the state of a database.

    :param options: options of the module: type, host, port, username, password, name and tls.
    :param timeout: time limit in seconds.
    :param context: TLS context, None without TLS.
    :raises DragonflyError: if the login requires a library that the host lacks.
    """
    state = _in_limited_process(lambda: _read(options, timeout, context), timeout)
    if state.error == "library":
        raise DragonflyError(
            "Without TLS, the login to this MySQL server requires the Python library cryptography for pymysql. "
            "Install the package python3-cryptography on the host.",
            "missing_library",
        )
    return state


def _in_limited_process(read: t.Callable[[], DatabaseState], seconds: float) -> DatabaseState:
    """Return what a function returns in a process of its own, with limited time and memory.

    The libraries limit only the time of each read, or of the connection, and read whole rows into memory. On a response
    that is invalid, they raise almost any exception.
    """
    reader, writer, child = _fork()
    if not child:
        try:
            # Otherwise, a report that is too long blocks the process after its parent has closed the pipe.
            os.close(reader)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            _limit_memory()
            with open(writer, "w", encoding="ascii") as pipe:
                json.dump(read(), pipe)
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, encoding="ascii") as pipe:
        content = pipe.read(_MAX_REPORT)
    with contextlib.suppress(ChildProcessError):  # The parent of Ansible may ignore SIGCHLD.
        os.waitpid(child, 0)
    try:
        state = DatabaseState(*json.loads(content))
    except (TypeError, ValueError):
        return DatabaseState("unreachable")
    return state._replace(columns=[(pair[0], pair[1]) for pair in state.columns])


def _fork() -> tuple[int, int, int]:
    """Return the ends of a pipe to a new process, and its ID, which is 0 inside of it.

    :raises DragonflyError: if the host allows no more processes, memory or open files.
    """
    try:
        reader, writer = os.pipe()
        return reader, writer, os.fork()
    except OSError as error:
        raise DragonflyError(
            f"Cannot start a process to check the database: {os.strerror(error.errno or 0)}. What to do: raise the "
            "limits of processes and open files for the user of the task (ulimit -u, ulimit -n), or free memory on the "
            "host.",
            "no_process",
        ) from None


def _limit_memory() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _MAX_MEMORY if hard == resource.RLIM_INFINITY else min(_MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _read(options: dict[str, t.Any], timeout: float, context: ssl.SSLContext | None) -> DatabaseState:
    is_postgres = options["type"] == "postgres"
    try:
        # The time is that of each address of the host, so it leaves some for the next one.
        with socket.create_connection((options["host"], options["port"]), timeout / 3) as sock:
            if is_postgres:
                sock.sendall(_SSL_REQUEST)
                if sock.recv(1) not in (b"S", b"N", b"E"):
                    return DatabaseState("unreachable")
    except OSError:
        return DatabaseState("unreachable")
    return _read_postgres(options) if is_postgres else _read_mysql(options, timeout, context)


def _read_mysql(options: dict[str, t.Any], timeout: float, context: ssl.SSLContext | None) -> DatabaseState:
    try:
        connection = pymysql.connect(
            host=options["host"],
            port=options["port"],
            user=options["username"],
            password=options["password"],
            database=options["name"],
            ssl=context,
            connect_timeout=timeout,
        )
    except (pymysql.Error, OSError) as error:
        return DatabaseState(_mysql_error(error))
    except RuntimeError:
        # Without TLS, it encrypts a password for MySQL 8 (caching_sha2_password, sha256_password) with this library.
        return DatabaseState("library")
    try:
        # The server logs a warning about a connection that is not closed.
        with contextlib.closing(connection), connection.cursor() as cursor:
            return _mysql_state(cursor)
    except (pymysql.Error, OSError) as error:
        return DatabaseState(_mysql_error(error))


def _mysql_error(error: Exception) -> str:
    return _MYSQL_ERRORS.get(error.args[0] if error.args else 0, "unreachable")


def _mysql_state(cursor: t.Any) -> DatabaseState:
    cursor.execute("SELECT VERSION(), @@global.read_only")
    version, read_only = cursor.fetchone()
    cursor.execute(_MYSQL_COLUMNS)
    columns = [(str(table), str(column)) for table, column in cursor.fetchall()]
    cursor.execute(_MYSQL_PRIVILEGES)
    privileges = {str(row[0]).upper() for row in cursor.fetchall()}
    writable: bool | None = privileges >= _NEEDED
    if not writable and _has_role(cursor):
        writable = None
    if read_only:
        writable = False
    kind = "MariaDB" if "mariadb" in version.lower() else "MySQL"
    return DatabaseState(None, f"{kind} {version.partition('-')[0][:_VERSION]}", writable, columns)


def _has_role(cursor: t.Any) -> bool:
    """Return whether privileges come from a role, whose grants the views do not show."""
    try:
        cursor.execute("SELECT CURRENT_ROLE()")
        return cursor.fetchone()[0] not in (None, "NONE", "")
    except pymysql.Error:
        return False


def _read_postgres(options: dict[str, t.Any]) -> DatabaseState:
    try:
        connection = _connect_postgres(options, options["name"])
    except psycopg2.Error as error:
        problem = _postgres_error(str(error))
        return DatabaseState("missing" if problem == "login" and _lacks_database(options) else problem)
    with connection.cursor() as cursor:
        return _postgres_state(cursor)


def _connect_postgres(options: dict[str, t.Any], name: str) -> t.Any:
    tls = options.get("tls")
    secure = {"sslmode": "disable"}
    if tls:
        secure = {
            "sslmode": "verify-full" if tls["validate_certs"] else "require",
            "sslrootcert": tls["ca_path"] or "",
            "sslcert": tls["client_cert"] or "",
            "sslkey": tls["client_key"] or "",
        }
    return psycopg2.connect(
        host=options["host"],
        port=options["port"],
        user=options["username"],
        password=options["password"],
        dbname=name,
        **secure,
    )


def _postgres_error(message: str) -> str:
    """Return why there is no connection.

    :param message: of the library, which has no other details. It starts those of the server with its severity and two
        spaces. The language of both varies: in others than English, the server seems to reject the login.
    """
    if not any(sign in message for sign in _POSTGRES_REFUSALS):
        return "unreachable"
    return next((problem for text, problem in _POSTGRES_ERRORS.items() if text in message), "login")


def _lacks_database(options: dict[str, t.Any]) -> bool:
    """Return whether the server has no such database. Its message may be in any language."""
    try:
        connection = _connect_postgres(options, "postgres")
    except psycopg2.Error:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (options["name"],))
        return not cursor.fetchone()


def _postgres_state(cursor: t.Any) -> DatabaseState:
    cursor.execute("SHOW server_version")
    version = cursor.fetchone()[0].partition(" ")[0][:_VERSION]
    cursor.execute(
        "SELECT current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE')"
        " AND NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'"
    )
    writable = bool(cursor.fetchone()[0])
    cursor.execute(_POSTGRES_COLUMNS)
    columns = [(str(table), str(column)) for table, column in cursor.fetchall()]
    return DatabaseState(None, f"PostgreSQL {version}", writable, columns)
