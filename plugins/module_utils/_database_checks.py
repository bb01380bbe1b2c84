# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the databases of a manager. Problems have the format of the filter config_problems."""

from __future__ import annotations

import re
import ssl
import typing as t

from ._errors import InputError
from ._redis import NotRedisError, RedisConnection, RedisError, info_fields
from ._release import Release, at_least, format_release, parse_release
from ._sql import DatabaseState, read_database

_MESSAGES = {
    "database_unreachable": (
        "no {type} server answers at {host}:{port} as requested.",
        "Start it, open its port for this host, and compare the settings of TLS.",
    ),
    "database_login": (
        "the server at {host}:{port} rejects user {username} for database {name}.",
        "Correct the user name and password, allow the user to log in from this host, and grant it all privileges on "
        "the database.",
    ),
    "database_busy": (
        "the server at {host}:{port} has too many connections.",
        "Close connections, or raise the limit of the server or of user {username}.",
    ),
    "database_blocked": (
        "the server at {host}:{port} blocks this host after many failed connections.",
        "Run mariadb-admin flush-hosts or mysqladmin flush-hosts on the server.",
    ),
    "database_missing": (
        "the server at {host}:{port} has no database {name}, and the manager does not create it.",
        "Create the database and grant user {username} all privileges on it.",
    ),
    "database_read_only": (
        "user {username} cannot create or change tables in database {name}.",
        "Name a server that is not read-only, and grant the user all privileges on the database.",
    ),
    "database_newer_schema": (
        "manager {since} or later has changed the tables of database {name}, which is newer than {release}.",
        "Install that release or a later one, restore a backup, or name an empty database.",
    ),
    "database_migration": (
        "in PostgreSQL, manager {release} cannot change the tables of a release before 2.4.2, because it adds "
        "the column seed_client_config without a default.",
        "Back up database {name}, then run: ALTER TABLE scheduler_cluster ADD COLUMN seed_client_config text NOT NULL "
        "DEFAULT '{{}}'.",
    ),
    "redis_unreachable": ("no server responds at {address}.", "Start it, and open its port for this host."),
    "redis_not_redis": (
        "the server at {address} does not use the protocol of Redis as requested.",
        "Correct the address, and compare the settings of TLS.",
    ),
    "redis_login": ("the server at {address} rejects the login.", "Correct the user name and password."),
    "redis_rejects_commands": ("the server at {address} rejects commands ({error}).", "{remedy}"),
    "redis_permissions": (
        "the user has no permission to run {command} at {address}.",
        "Grant the user all keys, channels and commands of the databases.",
    ),
    "redis_database_missing": (
        "the server at {address} has no database {number}.",
        "Raise 'databases' in redis.conf, or choose lower numbers; Redis Cluster has database 0 only.",
    ),
    "redis_read_only": ("the server at {address} is a replica.", "Name the primary, or Sentinels with master_name."),
    "redis_no_primary": ("the Sentinel at {address} knows no primary {name}.", "Correct master_name."),
}
#: Errors with which Redis rejects a login, for AUTH and for the first command after it.
_LOGIN_ERRORS = ("NOAUTH", "WRONGPASS", "ERR")
#: What to do about errors with which Redis rejects all commands.
_REDIS_REMEDIES = {
    "DENIED": "Set a password in Redis. Without a password, it serves its own host only (protected mode).",
    "LOADING": "Run the playbook again when Redis has loaded its content.",
    "MASTERDOWN": "Name the primary, or Sentinels with master_name.",
    "MAXCLIENTS": "Close connections, or raise maxclients in redis.conf.",
    "MISCONF": "Redis cannot save its content. Free space on its disk, or correct its directory, see its log.",
}
_NUMBER = re.compile(r"[0-9]{1,9}\Z")
# The address of the primary, perhaps with a zone (fe80::1%eth0), to which the manager connects as well. A Sentinel may
# respond with anything instead.
_PRIMARY = re.compile(r"[\w.:-]{1,253}(?:%[\w.-]{1,15})?:[0-9]{1,5}\Z", re.ASCII)
_FIRST_WITH_SEED_CLIENT_CONFIG = (2, 4, 2)
#: Tables and columns by the release that first creates them, newest first (manager/models at each tag). A manager adds
#: what is missing when it starts, and removes nothing.
_SIGNS: tuple[tuple[Release, str, str | None], ...] = (
    (_FIRST_WITH_SEED_CLIENT_CONFIG, "scheduler_cluster", "seed_client_config"),
    ((2, 3, 1), "scheduler", "last_keep_alive_at"),
    ((2, 2, 2), "audit", None),
    ((2, 1, 7), "peer", None),
    ((2, 1, 0), "scheduler_cluster", None),
)
_TABLES = {
    *("application", "audit", "casbin_rule", "config", "job", "model", "oauth", "peer", "personal_access_token"),
    *("scheduler", "scheduler_cluster", "seed_peer", "seed_peer_cluster", "user"),
}

Problem = t.Dict[str, str]


def problem(code: str, key: str, **details: t.Any) -> Problem:
    """Return the problem with a code."""
    description, remedy = (text.format(**details) for text in _MESSAGES[code])
    message = f"{key}: {description} {remedy} [{code}]"
    return {"code": code, "key": key, "description": description, "remedy": remedy, "message": message}


def tls_context(tls: dict[str, t.Any] | None) -> ssl.SSLContext | None:
    """Return the TLS context, None if TLS is not used.

    :raises InputError: if a file cannot be read.
    """
    if not tls:
        return None
    try:
        context = ssl.create_default_context(cafile=tls["ca_path"])
        if tls["client_cert"]:
            context.load_cert_chain(tls["client_cert"], tls["client_key"])
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"A file of tls cannot be used: {error.strerror or type(error).__name__}.") from None
    if not tls["validate_certs"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


# --- the SQL database


def check_database(
    options: dict[str, t.Any], manager_release: str | None, timeout: float
) -> tuple[dict[str, t.Any], list[Problem]]:
    """Return the state of the database and its problems."""
    state = read_database(options, timeout, tls_context(options.get("tls")))
    schema = schema_of(state.columns, manager_release) if state.error is None else _UNKNOWN_SCHEMA
    facts = {
        "server": state.server,
        "exists": {None: True, "missing": False}.get(state.error),
        "writable": state.writable,
        "tables": sorted({table for table, _column in state.columns} & _TABLES),
        "schema": schema,
    }
    codes = database_codes(state, schema)
    if cannot_migrate(options["type"], schema, manager_release):
        codes.append("database_migration")
    details = {
        **{name: options[name] for name in ("type", "host", "port", "username", "name")},
        "since": schema["since"],
    }
    return facts, [problem(code, "database", release=manager_release, **details) for code in codes]


_UNKNOWN_SCHEMA: dict[str, t.Any] = {"state": "unknown", "since": None, "newer": None}


def database_codes(state: DatabaseState, schema: dict[str, t.Any]) -> list[str]:
    """Return the codes of the database's problems."""
    if state.error is not None:
        return [f"database_{state.error}"]
    codes = ["database_read_only"] if state.writable is False else []
    return codes + (["database_newer_schema"] if schema["newer"] else [])


def cannot_migrate(database_type: str, schema: dict[str, t.Any], manager_release: str | None) -> bool:
    """Return whether the manager would fail to add a column to existing tables.

    Manager 2.5.1 fails with SQLSTATE 23502 on PostgreSQL tables of 2.1.67. MySQL and MariaDB fill the column.
    """
    if database_type != "postgres" or schema["state"] != "dragonfly":
        return False
    is_older = not at_least(parse_release(schema["since"]), _FIRST_WITH_SEED_CLIENT_CONFIG)
    return is_older and at_least(parse_release(manager_release), _FIRST_WITH_SEED_CLIENT_CONFIG)


def schema_of(columns: t.Sequence[tuple[str, str]], manager_release: str | None) -> dict[str, t.Any]:
    """Return the state of the tables, the first release that has them, and whether they are newer than the manager.

    :param columns: pairs of table and column.
    :param manager_release: None if unknown.
    """
    tables = {table for table, _column in columns}
    if "scheduler_cluster" not in tables:
        return {"state": "foreign" if tables else "empty", "since": None, "newer": False}
    since = _first_release({*columns, *((table, None) for table in tables)})
    wanted = parse_release(manager_release)
    newer = None if wanted is None else since > wanted
    return {"state": "dragonfly", "since": format_release(since), "newer": newer}


def _first_release(signs: set[tuple[str, str | None]]) -> Release:
    """Return the first release that creates such tables and columns."""
    return next(release for release, table, column in _SIGNS if (table, column) in signs)


# --- Redis


def check_redis(options: dict[str, t.Any], timeout: float) -> tuple[dict[str, t.Any], list[Problem]]:
    """Return the state of Redis and its problems."""
    context = tls_context(options.get("tls"))
    facts: dict[str, t.Any] = {"server": None, "databases": None, "role": None}
    problems: list[Problem] = []
    for address in options["addrs"]:
        try:
            target = address
            if options["master_name"]:
                target = _primary(address, options, timeout, context)
            facts = _check_server(target, options, timeout, context, problems)
        except _Refusal as refusal:
            problems.append(refusal.problem)
    return facts, problems


class _Refusal(Exception):
    """The server cannot be used because of a problem."""

    def __init__(self, code: str, **details: t.Any) -> None:
        super().__init__(code)
        self.problem = problem(code, "redis", **details)


def _connect(address: str, login: tuple[str, str], timeout: float, context: ssl.SSLContext | None) -> RedisConnection:
    host, _colon, port = address.rpartition(":")
    if not host or not _NUMBER.match(port):
        raise InputError(f"redis.addrs: {address!r} is not HOST:PORT.")
    try:
        connection = RedisConnection(host.strip("[]"), int(port), timeout, context)
    except ssl.SSLError:
        raise _Refusal("redis_not_redis", address=address) from None
    except (OSError, OverflowError, ValueError):
        raise _Refusal("redis_unreachable", address=address) from None
    try:
        connection.log_in(*login)
        connection.call("PING")
    except RedisError as error:
        connection.close()
        raise _refusal(error.code, address, "PING", "redis_login") from None
    except (NotRedisError, OSError):
        connection.close()
        raise _Refusal("redis_not_redis", address=address) from None
    return connection


def _refusal(code: str, address: str, command: str, usual: str, **details: t.Any) -> _Refusal:
    """Return why Redis rejects a command.

    :param code: of the error.
    :param usual: code of the problem for errors of this command alone.
    """
    if code == "NOPERM":
        return _Refusal("redis_permissions", address=address, command=command)
    if code in _LOGIN_ERRORS:
        return _Refusal(usual, address=address, **details)
    remedy = _REDIS_REMEDIES.get(code, "See the log of Redis.")
    # A server that is not Redis may respond with anything.
    shown = code if code in _REDIS_REMEDIES else "an unexpected error"
    return _Refusal("redis_rejects_commands", address=address, error=shown, remedy=remedy)


def _primary(address: str, options: dict[str, t.Any], timeout: float, context: ssl.SSLContext | None) -> str:
    login = (options["sentinel_username"] or "", options["sentinel_password"] or "")
    with _connect(address, login, timeout, context) as connection:
        try:
            answer = connection.call("SENTINEL", "get-master-addr-by-name", options["master_name"])
        except (RedisError, NotRedisError, OSError):
            answer = None
    primary = ":".join(map(str, answer)) if isinstance(answer, list) else ""
    if not _PRIMARY.match(primary):
        raise _Refusal("redis_no_primary", address=address, name=options["master_name"])
    return primary


def _check_server(
    address: str, options: dict[str, t.Any], timeout: float, context: ssl.SSLContext | None, problems: list[Problem]
) -> dict[str, t.Any]:
    login = (options["username"] or "", options["password"] or "")
    with _connect(address, login, timeout, context) as connection:
        try:
            for number in options["databases"]:
                problems.extend(_check_number(connection, address, number))
            fields = info_fields(_answer_or_none(connection, "INFO"))
            configured = _answer_or_none(connection, "CONFIG", "GET", "databases")
        except (NotRedisError, OSError):
            raise _Refusal("redis_not_redis", address=address) from None
    if fields.get("role") == "slave":
        problems.append(problem("redis_read_only", "redis", address=address))
    version = fields.get("redis_version")
    return {
        "server": f"Redis {version}" if version else None,
        "databases": _count_of(configured),
        "role": {"slave": "replica", "master": "primary"}.get(fields.get("role", "")),
    }


def _count_of(configured: t.Any) -> int | None:
    """Return the number in the response to CONFIG GET databases, None in others."""
    if not isinstance(configured, list) or len(configured) != 2:
        return None
    return int(configured[1]) if _NUMBER.match(str(configured[1])) else None


def _check_number(connection: RedisConnection, address: str, number: int) -> list[Problem]:
    try:
        connection.call("SELECT", str(number))
    except RedisError as error:
        return [_refusal(error.code, address, "SELECT", "redis_database_missing", number=number).problem]
    return []


def _answer_or_none(connection: RedisConnection, *command: str) -> t.Any:
    """Return the response to a command, or None if the user has no permission for it."""
    try:
        return connection.call(*command)
    except RedisError:
        return None
