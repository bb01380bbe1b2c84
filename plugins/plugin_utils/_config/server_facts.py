# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive facts for the roles manager and scheduler from the configuration that they write."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ...module_utils._jwt import user_id_of

_LISTEN = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:]*)):(?P<port>[0-9]+)\Z")
#: Address to connect to from the same host if a server listens on all addresses.
CONNECTABLE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
#: Characters with a special meaning between double quotes in an EnvironmentFile (systemd.exec(5)).
_QUOTED = re.compile(r'(["\\$`])')
_TYPES_OF_POSTGRES = ("postgres",)
_TYPES_OF_MYSQL = ("mysql", "mariadb")
_DATABASE_KEYS = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "name"}
_REDIS_KEYS = {
    "masterName": "master_name",
    "username": "username",
    "password": "password",
    "sentinelUsername": "sentinel_username",
    "sentinelPassword": "sentinel_password",
}
#: Up to 2.1.60, the key of the CA certificate is ``ca`` (manager/config/config.go).
_TLS_KEYS = {"caCert": "ca_path", "ca": "ca_path", "cert": "client_cert", "key": "client_key"}
_DEFAULT_DATABASES = {"db": 0, "brokerDB": 1, "backendDB": 2}


def local_address(listen: str) -> dict[str, t.Any]:
    """Return ``host`` and ``port`` to connect to from the same host. The port is 0 if there is none.

    :param listen: listen address of a Go server, such as ``:8080``, ``10.0.0.1:8080`` or ``[::]:8080``.
    """
    match = _LISTEN.match(str(listen))
    if not match:
        return {"host": "127.0.0.1", "port": 0}
    host = match.group("v6") if match.group("v6") is not None else match.group("host")
    return {"host": CONNECTABLE.get(host, host), "port": int(match.group("port"))}


def join_address(host: str, port: int) -> str:
    """Return host and port in the format of URLs, with IPv6 addresses in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def environment_line(value: str, name: str) -> str:
    """Return a line of an ``EnvironmentFile=`` that sets a variable to a value."""
    escaped = _QUOTED.sub(r"\\\1", value)
    return f'{name}="{escaped}"'


def user_id(jwt: t.Any) -> int:
    """Return the ID of the user for whom a manager issued a JWT, 0 if the JWT does not contain it."""
    return user_id_of(jwt) or 0


def other_schedulers(hostvars: Mapping[str, Mapping[str, t.Any]], names: list[str], cluster_id: int) -> list[str]:
    """Return the hosts whose schedulers belong to a cluster.

    :param hostvars: variables by host.
    :param cluster_id: ID of the cluster; hosts without ``scheduler_cluster_id`` belong to it.
    """
    return [name for name in names if int(hostvars[name].get("scheduler_cluster_id", cluster_id)) == cluster_id]


def databases(config: dict[str, t.Any], daemon: str) -> dict[str, t.Any]:
    """Return the options ``database`` and ``redis`` of the module database_info for a configuration.

    :param daemon: ``manager``, or ``scheduler``, which has Redis only. One that the module does not know is left out.
    """
    sections, names = _section(config, "database"), list(_DEFAULT_DATABASES)
    kind = sections.get("type", "mysql")
    if daemon != "manager":
        kind, names = "", names[1:]
    options: dict[str, t.Any] = {}
    if kind in _TYPES_OF_MYSQL:
        options["database"] = _sql_database(kind, _section(sections, "mysql"), _mysql_tls)
    elif kind in _TYPES_OF_POSTGRES:
        options["database"] = _sql_database(kind, _section(sections, "postgres"), _postgres_tls)
    if _section(sections, "redis").get("addrs"):
        options["redis"] = _redis(sections["redis"], names)
    return options


def _section(config: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    return config.get(name) or {}


def _sql_database(
    kind: str, section: dict[str, t.Any], tls_of: t.Callable[[dict[str, t.Any]], dict[str, t.Any] | None]
) -> dict[str, t.Any]:
    database = {"type": kind, **_renamed(section, _DATABASE_KEYS)}
    tls = tls_of(section)
    return database if tls is None else {**database, "tls": tls}


def _mysql_tls(section: dict[str, t.Any]) -> dict[str, t.Any] | None:
    if section.get("tls"):
        return _tls(section["tls"])
    mode = str(section.get("tlsConfig") or "").lower()
    return {"validate_certs": mode == "true"} if mode in ("true", "skip-verify") else None


def _postgres_tls(section: dict[str, t.Any]) -> dict[str, t.Any] | None:
    mode = section.get("sslMode", "disable")
    if mode in ("require", "verify-ca", "verify-full"):
        return {"validate_certs": mode != "require"}
    return None


def _redis(section: dict[str, t.Any], names: list[str]) -> dict[str, t.Any]:
    numbers = {name: section.get(name, _DEFAULT_DATABASES[name]) for name in names}
    options = {
        "addrs": section["addrs"],
        **_renamed(section, _REDIS_KEYS),
        "databases": sorted(set(numbers.values())),
    }
    return {**options, "tls": _tls(section["tls"])} if section.get("tls") else options


def _tls(section: dict[str, t.Any]) -> dict[str, t.Any]:
    return {**_renamed(section, _TLS_KEYS), "validate_certs": not section.get("insecureSkipVerify", False)}


def _renamed(section: dict[str, t.Any], names: dict[str, str]) -> dict[str, t.Any]:
    return {name: section[key] for key, name in names.items() if section.get(key) not in (None, "")}
