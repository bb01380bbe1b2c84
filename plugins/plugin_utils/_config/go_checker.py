# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check dfget.yaml, the configuration of the Go client."""

from __future__ import annotations

import typing as t

from ...module_utils._releases import FIRST_WITHOUT_GO_SEEDS
from .checker import Checker
from .values import parse_bytes

_STRATEGIES = ("io.d7y.storage.v2.simple", "io.d7y.storage.v2.advance")
# DefaultMinRate in client/config/constants.go.
_MIN_RATE = 20 * 1024 * 1024
#: proxy.defaultFilter as the role dfget writes it.
DEFAULT_FILTER = "Expires&Signature&ns"

_CLUSTER_KEYS = ("scheduler.manager.enable", "scheduler.manager.netAddrs", "scheduler.netAddrs")


class GoChecker(Checker):
    """Collects the problems of dfget.yaml. DaemonOption.Validate in client/config/peerhost.go has most bounds."""

    client = "dfget"
    engine = "Go's regexp (RE2)"
    has_last_release = True
    accepts_empty = True  # yaml.v3 keeps the defaults.

    def deciding_query(self) -> str:
        """Return the query that containerd adds."""
        return "?ns=registry"

    def check_client(self) -> None:
        """Add the problems that only the Go client has."""
        is_seed = bool(self.get("scheduler.manager.seedPeer.enable", False))
        self._check_cluster()
        self._check_seed(is_seed)
        self._check_proxy()
        if self.seconds("aliveTime", "5m") != 0:
            self.add("exits_when_idle", "aliveTime")
        self._check_storage()
        if is_seed:
            self.check_expiry("storage.taskExpireTime", "6h")
        for key in ("download.totalRateLimit", "upload.rateLimit"):
            if t.cast(int, parse_bytes(self.get(key, _MIN_RATE), self.client)) < _MIN_RATE:
                self.add("rate_limit_too_low", key)
        self._check_bounds()
        self._check_security()
        self.check_tracing()
        self.check_ports(self._listeners())

    def _check_cluster(self) -> None:
        has_manager, schedulers = self.get("scheduler.manager.enable"), self.get("scheduler.netAddrs")
        if has_manager and schedulers:
            self.add("schedulers_ignored", "scheduler.netAddrs")
        is_reported = self.has_unreadable(*_CLUSTER_KEYS)
        if not is_reported and not (self.get("scheduler.manager.netAddrs") if has_manager else schedulers):
            keys = "scheduler.manager.netAddrs and scheduler.manager.enable, or scheduler.netAddrs"
            variables = "dfget_manager_addrs, preheat_url, DRAGONFLY_URL or dfget_scheduler_addrs"
            self.add("no_scheduler", "scheduler", names=variables if self.has_role else keys)

    def _check_seed(self, is_seed: bool) -> None:
        # Managers and Go clients are released together, so an unknown manager counts as new as the client.
        if is_seed and (self.manager or self.release or ()) >= FIRST_WITHOUT_GO_SEEDS:
            self.add("seed_cannot_be_preheated", "scheduler.manager.seedPeer.enable")

    def _check_storage(self) -> None:
        if self.get("keepStorage", False) is not True:
            self.add("storage_not_kept", "keepStorage")
        if self.get("storage.multiplex", False) is not True:
            self.add("no_reuse", "storage.multiplex")
        if self.get("storage.strategy", _STRATEGIES[0]) not in _STRATEGIES:
            self.add("bad_strategy", "storage.strategy", known=" and ".join(_STRATEGIES))

    def _listeners(self) -> dict[str, tuple[str, t.Any]]:
        sections = ["download.peerGRPC", "proxy", "upload", "health"]
        if self.get("objectStorage.enable"):
            sections.append("objectStorage")
        names = [f"{section}.tcpListen" for section in sections]
        return {f"{name}.port": (self.get(f"{name}.listen", ""), self.get(f"{name}.port")) for name in names}

    def _check_bounds(self) -> None:
        if self.seconds("gcInterval", "1m") <= 0:
            self.add("bad_value", "gcInterval", wanted="above 0s")
        if 0 < self.seconds("reload.interval", "1m") < 1:
            self.add("bad_value", "reload.interval", wanted="0s or at least 1s")
        if self.get("scheduler.manager.enable") and self.seconds("scheduler.manager.refreshInterval", "10m") == 0:
            self.add("bad_value", "scheduler.manager.refreshInterval", wanted="above 0s")
        if self.get("objectStorage.enable") and self.get("objectStorage.maxReplicas", 3) <= 0:
            self.add("bad_value", "objectStorage.maxReplicas", wanted="above 0")

    def _check_security(self) -> None:
        """Check the certificates that clients before 2.1.61 issue themselves."""
        may_be_older = self.release is None or self.before(2, 1, 61)
        if may_be_older and self.get("security.autoIssueCert"):
            self._check_issuance()

    def _check_issuance(self) -> None:
        if not self.get("security.caCert"):
            self.add("bad_value", "security.caCert", wanted="set where autoIssueCert is true")
        for key in ("security.certSpec.ipAddresses", "security.certSpec.dnsNames"):
            if not self.get(key, ["default"]):
                self.add("bad_value", key, wanted="a list with at least one entry, or omitted")
        if self.seconds("security.certSpec.validityPeriod", "1h") <= 0:
            self.add("bad_value", "security.certSpec.validityPeriod", wanted="above 0s")

    def _check_proxy(self) -> None:
        port = self.get("proxy.tcpListen.port", 0)
        if isinstance(port, dict) and port.get("end", port["start"]) != port["start"]:
            self.add("port_drifts", "proxy.tcpListen.port")
        if not port:
            self.add("proxy_off", "proxy.tcpListen.port")
            return
        if "ns" not in self.get("proxy.defaultFilter", "").split("&"):
            self.add("filter_without_ns", "proxy.defaultFilter", example=f"'{DEFAULT_FILTER}', separated by &")
        self._check_default("proxy.defaultTag", "the tag", self.context.tag)
        self._check_default("proxy.defaultApplication", "the application", self.context.application)
        mirror = self.get("proxy.registryMirror.url")
        if mirror:
            self.check_mirror("proxy.registryMirror.url", mirror)
        else:
            self.add("no_mirror", "proxy.registryMirror.url")
        if self.get("proxy.registryMirror.dynamic", False) is not True:
            self.add("static_mirror", "proxy.registryMirror.dynamic")
        address = self.get("proxy.tcpListen.listen", "")
        self.check_listener("proxy.tcpListen.listen", address, self.get("proxy.basicAuth"))
        self._check_rules()

    def _check_default(self, key: str, what: str, preheat: str) -> None:
        value = self.get(key, "")
        if value != preheat:
            self.add("tag_mismatch", key, what=what, host=value, preheat=preheat)

    def _check_rules(self) -> None:
        rules = self.proxy_rules("proxy.proxies")
        deciding = self.deciding_rules(rules, "regx")
        missed = [base for base, index in deciding.items() if index is None or rules[index].get("direct")]
        if self.get("proxy.registryMirror.direct"):
            self.add("not_p2p", "proxy.registryMirror.direct", why="it is set so", remedy="Set it to false.")
        elif missed and self.get("proxy.registryMirror.useProxies"):
            why = f"no rule of proxy.proxies sends the blobs of {', '.join(missed)} to peers"
            remedy = "Set it to false, or add the rule {regx: blobs/sha256.*}."
            self.add("not_p2p", "proxy.registryMirror.useProxies", why=why, remedy=remedy)
        self.check_rewrites(rules, deciding.values(), "proxy.proxies", "useHTTPS", "redirect")
