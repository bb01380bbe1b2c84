# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the configuration of a server: the part that manager and scheduler share."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .._config import schema
from .checker import Checker
from .rules import Rule
from .values import is_host_and_port, is_listen_address, parse_duration, split_address

#: Levels of CreateLogger in internal/dflog/logcore.go. The last two are documented, but log as info.
_LOG_LEVELS = ("debug", "info", "warn", "error", "panic", "fatal")
#: What the other conditions of a rule require of a value that is set.
_WANTED = {"filled": "not empty, or omitted", "positive": "above 0"}
# internal/job/job.go writes the login of Redis into a URL: as it stands before 2.1.24, with + for a space later on; and
# without the name of the user before 2.2.3. With several addresses, nothing removes the escapes again (NewGR in
# v1/brokers/redis/goredis.go of machinery 1.10.8 and 1.10.14).
_FIRST_WITH_ESCAPES, _FIRST_WITH_USER = (2, 1, 24), (2, 2, 3)
_PLAIN_IN_URL = re.compile(r"[A-Za-z0-9._~!$&'()*+;=-]*\Z")
_NEVER_ESCAPED = re.compile(r"[A-Za-z0-9._~-]*\Z")
#: Jobs connect without TLS up to this release (internal/job/job.go).
_LAST_WITHOUT_TLS_FOR_JOBS = (2, 5, 1)


class ServerChecker(Checker):
    """Collects the problems of manager.yaml or scheduler.yaml.

    :ivar rules: rules of the server's validation.
    :ivar defaults: defaults of the keys on which rules depend.
    """

    engine = "Go's regexp (RE2)"
    has_last_release = False
    accepts_empty = True  # viper keeps the defaults.
    code_of_release = "no_such_server"
    rules: t.ClassVar[tuple[Rule, ...]]
    defaults: t.ClassVar[dict[str, t.Any]]

    def check_client(self) -> None:
        """Add the problems that the configuration of a server can have."""
        for rule in self.rules:
            if self._applies(rule):
                self._check_rule(rule)
        self._check_release_line()
        self._check_log_level()
        self.check_tracing()
        if self.get("metrics.enable"):
            self.check_listen_address("metrics.addr")
        self.check_server()

    def check_server(self) -> None:
        """Add the problems that only this server has."""
        raise NotImplementedError

    # --- rules of upstream

    def _applies(self, rule: Rule) -> bool:
        key = schema.SCHEMA[self.client][rule.path]
        if self.release is None:
            # If the release is unknown, it may lack the key or the rule.
            is_in_release = rule.until is None and (key.until is None or rule.condition != "required")
        else:
            is_in_release = key.is_in(self.release) and (rule.until is None or self.release < rule.until)
        return is_in_release and self._is_on(rule)

    def _is_on(self, rule: Rule) -> bool:
        if rule.switch is None:
            return True
        value = self.get(rule.switch, self.defaults.get(rule.switch))
        return value in rule.values if rule.values else has_content(value)

    def _check_rule(self, rule: Rule) -> None:
        if self._is_met(rule.condition, self.get(rule.path)):
            return
        if rule.condition == "required":
            self.add("missing_key", rule.path)
        else:
            self.add("bad_value", rule.path, wanted=_WANTED[rule.condition])

    def _is_met(self, condition: str, value: t.Any) -> bool:
        if condition == "required":
            return value not in (None, "")
        if condition == "filled":
            return value not in ("", [])
        return value is None or self._is_positive(value)

    def _is_positive(self, value: t.Any) -> bool:
        amount = parse_duration(value, self.client) if isinstance(value, str) else value
        return isinstance(amount, (int, float)) and amount > 0

    def _check_release_line(self) -> None:
        """Compare the release with that of the manager, or for a manager with that of its schedulers."""
        if self.manager and self.release and self.manager[:2] != self.release[:2]:
            other = "manager" if self.client == "scheduler" else "scheduler"
            self.add("release_lines", "release", other=f"{other} {'.'.join(map(str, self.manager))}")

    def _check_log_level(self) -> None:
        level = self.get("server.logLevel", "info")
        if level and level.lower() not in _LOG_LEVELS:
            self.add("bad_value", "server.logLevel", wanted=f"one of {', '.join(_LOG_LEVELS)}")

    # --- addresses

    def check_listen_address(self, key: str) -> None:
        """Add a problem for an address on which Go cannot listen."""
        address = self.get(key)
        if address and not is_listen_address(address):
            self.add("bad_value", key, wanted="an address such as :8080 or 192.0.2.7:8080")

    def listener(self, key: str, default: int, switch: str | None = None) -> tuple[str, int]:
        """Return host and port of a listen address. The port is 0 if the address is not valid or not used.

        :param switch: key that enables the listener, None if it is always enabled.
        """
        address = self.get(key) or f":{default}"
        is_used = switch is None or self.get(switch)
        return split_address(address) if is_used and is_listen_address(address) else ("", 0)

    def check_reachable(self, *keys: str) -> None:
        """Add a problem for each IP address that other hosts cannot reach. Listening on all addresses is valid."""
        for key in keys:
            address = self.get(key)
            if address is None:
                continue
            ip = ipaddress.ip_address(address)
            if _is_local(ip) or (ip.is_unspecified and not key.endswith("listenIP")):
                self.add("unreachable_address", key, address=address)

    # --- Redis

    def check_redis(self, where: str) -> None:
        """Add the problems of the credentials for Redis.

        :param where: key of the mapping that contains them.
        """
        addresses = self.get(f"{where}.addrs") or []
        for index, address in enumerate(addresses):
            if not is_host_and_port(address if isinstance(address, str) else ""):
                self.add("bad_value", f"{where}.addrs[{index}]", wanted="HOST:PORT, without a scheme")
        self._check_redis_login(where)
        self._check_redis_tls(where)

    def check_redis_databases(self, databases: dict[str, t.Any]) -> None:
        """Add a problem for a database that has two purposes."""
        purposes: dict[int, str] = {}
        for key, number in databases.items():
            if number in purposes:
                self.add("same_redis_database", key, other=purposes[number], number=number)
            purposes.setdefault(number, key)

    def _check_redis_login(self, where: str) -> None:
        if self.get(f"{where}.username") and self.before(*_FIRST_WITH_USER):
            self.add("redis_user_ignored", f"{where}.username")
        has_several = len(self.get(f"{where}.addrs") or []) > 1
        for name in ("username", "password"):
            text = self.get(f"{where}.{name}", "")
            if not self._reaches_jobs(text, has_several):
                self.add("redis_login_in_url", f"{where}.{name}")

    def _reaches_jobs(self, text: str, has_several: bool) -> bool:
        """Return whether jobs log in to Redis with the text as it is written.

        :param has_several: whether Redis has several addresses.
        """
        if self.before(*_FIRST_WITH_ESCAPES):
            return _PLAIN_IN_URL.match(text) is not None
        if has_several:
            return _NEVER_ESCAPED.match(text) is not None
        return " " not in text

    def _check_redis_tls(self, where: str) -> None:
        tls = f"{where}.tls"
        if not has_content(self.get(tls)):
            return
        if self.release is not None and self.release <= _LAST_WITHOUT_TLS_FOR_JOBS:
            self.add("redis_tls_without_jobs", tls)
        if self.get(f"{tls}.insecureSkipVerify"):
            return
        if not self.get(f"{tls}.caCert"):
            self.add("missing_key", f"{tls}.caCert")
        if bool(self.get(f"{tls}.cert")) != bool(self.get(f"{tls}.key")):
            self.add("bad_value", f"{tls}.cert", wanted="set together with key, or omitted with it")


def _is_local(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_loopback or ip.is_multicast or (ip.version == 6 and ip.is_link_local)


def has_content(value: t.Any) -> bool:
    """Return whether a switch is on: true, a text, or a mapping with a set value."""
    if isinstance(value, dict):
        return any(
            inner is not None and (not isinstance(inner, dict) or has_content(inner)) for inner in value.values()
        )
    return bool(value)
