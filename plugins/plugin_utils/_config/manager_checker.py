# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check manager.yaml."""

from __future__ import annotations

import typing as t

from .._config import manager_keys
from .rules import parse_rules
from .server_checker import ServerChecker
from .values import is_host_and_port

#: auth.jwt.key in deploy/docker-compose of 2.1.0 to 2.3.4 and in the Helm chart, and what it encodes.
_PUBLIC_JWT_KEYS = ("ZHJhZ29uZmx5Cg==", "dragonfly")
#: MinJobSyncPeersInterval in manager/config/constants.go.
_MIN_SYNC_SECONDS = 12 * 60 * 60
#: readBool and NormalizeDSN of go-sql-driver/mysql.
_MYSQL_TLS_MODES = ("", "true", "false", "skip-verify", "preferred")
#: The first release that writes an IPv6 address of MySQL in brackets (formatMysqlDSN in manager/database/mysql.go).
_FIRST_WITH_IPV6_OF_MYSQL = (2, 4, 1)
_POSTGRES_TEXTS = ("user", "password", "host", "dbname", "timezone")


class ManagerChecker(ServerChecker):
    """Collects the problems of manager.yaml."""

    client = "manager"
    rules = parse_rules(manager_keys.RULES)
    defaults: t.ClassVar[dict[str, t.Any]] = {"database.type": "mysql"}

    def check_server(self) -> None:
        """Add the problems that only the manager has."""
        self.check_reachable("server.grpc.advertiseIP", "server.grpc.listenIP")
        self.check_listen_address("server.rest.addr")
        if str(self.get("auth.jwt.key", "")).strip() in _PUBLIC_JWT_KEYS:
            self.add("public_jwt_key", "auth.jwt.key")
        self._check_database()
        self._check_redis()
        if self.seconds("job.syncPeers.interval", "24h") <= _MIN_SYNC_SECONDS:
            self.add("bad_value", "job.syncPeers.interval", wanted="above 12h")
        self.check_ports(self._listeners())

    def _check_database(self) -> None:
        database = self.get("database.type", self.defaults["database.type"])
        if database in ("mysql", "mariadb"):
            self._check_mysql()
        if database == "postgres":
            self._check_postgres()
        if database == "polardb":
            addresses = self.get("database.polardb.addrList", "")
            if addresses and not all(map(is_host_and_port, addresses.split(","))):
                self.add("bad_value", "database.polardb.addrList", wanted="HOST:PORT, separated by commas")

    def _check_mysql(self) -> None:
        if self.get("database.mysql.tlsConfig", "") not in _MYSQL_TLS_MODES:
            self.add("bad_value", "database.mysql.tlsConfig", wanted=f"one of {', '.join(_MYSQL_TLS_MODES[1:])}")
        if ":" in self.get("database.mysql.user", ""):
            self.add("text_in_dsn", "database.mysql.user", characters="a colon")
        if ":" in self.get("database.mysql.host", "") and self.before(*_FIRST_WITH_IPV6_OF_MYSQL):
            wanted = "a name or an IPv4 address (releases before 2.4.1 do not support IPv6 here)"
            self.add("bad_value", "database.mysql.host", wanted=wanted)

    def _check_postgres(self) -> None:
        """Check what formatPostgresDSN in manager/database/postgres.go joins without quotation marks."""
        for name in _POSTGRES_TEXTS:
            text = self.get(f"database.postgres.{name}", "")
            if any(char in "'\\" or char.isspace() for char in text):
                characters = "a space, a quotation mark or a backslash"
                self.add("text_in_dsn", f"database.postgres.{name}", characters=characters)

    def _check_redis(self) -> None:
        redis = "database.redis"
        has_address = self.get(f"{redis}.addrs") or (self.get(f"{redis}.host") and self.get(f"{redis}.port"))
        if not has_address:
            self.add("missing_key", f"{redis}.addrs")
        self.check_redis(redis)
        names = {"db": 0, "brokerDB": 1, "backendDB": 2}
        self.check_redis_databases({f"{redis}.{name}": self.get(f"{redis}.{name}", at) for name, at in names.items()})
        if self.get(f"{redis}.proxy.enable"):
            self._check_redis_proxy(redis)

    def _check_redis_proxy(self, redis: str) -> None:
        self.check_listen_address(f"{redis}.proxy.addr")
        if self.get(f"{redis}.masterName") or len(self.get(f"{redis}.addrs", [])) > 1:
            self.add("bad_value", f"{redis}.proxy.enable", wanted="false with Sentinel or several addresses")

    def _listeners(self) -> dict[str, tuple[str, t.Any]]:
        grpc = self.get("server.grpc.listenIP", ""), self.get("server.grpc.port.start", 65003)
        proxy = "database.redis.proxy"
        return {
            "server.grpc.port.start": grpc,
            "server.rest.addr": self.listener("server.rest.addr", 8080),
            "metrics.addr": self.listener("metrics.addr", 8000, "metrics.enable"),
            f"{proxy}.addr": self.listener(f"{proxy}.addr", 65100, f"{proxy}.enable"),
        }
