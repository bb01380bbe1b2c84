# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check scheduler.yaml."""

from __future__ import annotations

import typing as t

from .._config import scheduler_keys
from .rules import Rule, parse_rules
from .server_checker import ServerChecker
from .values import is_host_and_port


class SchedulerChecker(ServerChecker):
    """Collects the problems of scheduler.yaml."""

    client = "scheduler"
    rules: t.ClassVar[tuple[Rule, ...]] = parse_rules(scheduler_keys.RULES)
    defaults: t.ClassVar[dict[str, t.Any]] = {"scheduler.algorithm": "default"}

    def check_server(self) -> None:
        """Add the problems that only the scheduler has."""
        self.check_reachable("server.advertiseIP", "server.listenIP")
        self._check_manager()
        self._check_jobs()
        grpc = self.get("server.listenIP", ""), self.get("server.port", 8002)
        metrics = self.listener("metrics.addr", 8000, "metrics.enable")
        self.check_ports({"server.port": grpc, "metrics.addr": metrics})

    def _check_manager(self) -> None:
        address = self.get("manager.addr")
        if address is None:
            self.add("no_manager", "manager.addr")
        elif address and not is_host_and_port(address):
            self.add(
                "bad_value", "manager.addr", wanted="HOST:PORT, without a scheme, such as manager.example.com:65003"
            )

    def _check_jobs(self) -> None:
        if self.get("job.enable", True) is not True:
            self.add("no_jobs", "job.enable", remedy="Set it to true.")
        for where in ("database.redis", "job.redis"):
            self.check_redis(where)
        if not self._has_redis():
            self.add("no_jobs", "database.redis.addrs", remedy="Set it to the addresses of the manager's Redis.")
        names = {"brokerDB": 1, "backendDB": 2}
        self.check_redis_databases(
            {f"database.redis.{name}": self._redis_database(name, default) for name, default in names.items()}
        )

    def _has_redis(self) -> bool:
        """Return whether an address of Redis is set, in this key or in an older one (Convert in config.go)."""
        has_old_address = self.get("job.redis.host") and self.get("job.redis.port")
        return bool(self.get("database.redis.addrs") or self.get("job.redis.addrs") or has_old_address)

    def _redis_database(self, name: str, default: int) -> int:
        return t.cast(int, self.get(f"database.redis.{name}", default) or self.get(f"job.redis.{name}", 0))
