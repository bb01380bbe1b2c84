# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with dfdaemon.yaml, the configuration of the Rust client.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import DOCKER_HUB
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.checker import Checker
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.values import value_error

#: Releases of the manager whose preheat cannot use the ids of blob digests (dragonfly pull request 4975 came after it).
_LAST_WITHOUT_BLOB_IDS = (2, 5, 1)
_MIN_REQUEST_RATE = 100
#: Where dfdaemon listens unless it is told otherwise.
_PORTS = {
    "upload.server.port": 4000,
    "proxy.server.port": 4001,
    "metrics.server.port": 4002,
    "health.server.port": 4003,
    "stats.server.port": 4004,
    "storage.server.tcpPort": 4005,
}


class RustChecker(Checker):
    """Collects the problems of dfdaemon.yaml."""

    client = "dfdaemon"
    engine = "Rust's regex crate"
    has_last_release = False

    def check_release(self) -> None:
        """Add a problem for a release that the schema does not know, or whose task IDs no other client computes."""
        super().check_release()
        if self.before(0, 1, 114):
            self.add("ids_of_their_own", "release")

    def deciding_query(self) -> str:
        """Return the query that containerd adds, which releases before 1.1.1 drop, and from 1.2.1 on do not match."""
        return "?ns=registry" if (1, 1, 1) <= (self.release or ()) < (1, 2, 1) else ""

    def check_client(self) -> None:
        """Add the problems that only the Rust client has."""
        self._check_manager()
        self._check_proxy()
        if self.get("storage.keep", False) is not True:
            self.add("storage_not_kept", "storage.keep")
        if self.get("seedPeer.enable"):
            self.check_expiry("gc.policy.taskTTL", "6h" if self.before(1, 2, 1) else "720h")
        self.check_ports({key: self.get(key, default) for key, default in _PORTS.items()})

    def _check_manager(self) -> None:
        if not self.get("manager.addr"):
            if not self.context.dynconfig or self.before(1, 4, 3):
                variable = "dfdaemon_manager_addr (with release 1.4.3 or later, dfdaemon_scheduler_addrs)"
                self.add("no_scheduler", "manager.addr", variable=variable)
        elif value_error("url", self.get("manager.addr"), self.client):
            self.add("bad_value", "manager.addr", wanted="a URL such as http://dragonfly-manager:65003")

    def _check_proxy(self) -> None:
        self.check_listener("proxy.server.ip", self.get("proxy.server.ip", ""), self.get("proxy.server.basicAuth"))
        addr = self.get("proxy.registryMirror.addr", DOCKER_HUB)
        if value_error("url", addr, self.client):
            self.add("bad_value", "proxy.registryMirror.addr", wanted="a URL such as https://index.docker.io")
        elif addr.endswith("/"):
            self.add("trailing_slash", "proxy.registryMirror.addr")
        for name in ("enableTaskIDBasedBlobDigest", "enableTaskIdBasedBlobDigest"):
            flag = self.get(f"proxy.registryMirror.{name}", False)
            if flag is True and (self.manager is None or self.manager <= _LAST_WITHOUT_BLOB_IDS):
                self.add("blob_digest_ids", f"proxy.registryMirror.{name}")
        limit = self.get("proxy.server.requestRateLimit", _MIN_REQUEST_RATE)
        if limit < _MIN_REQUEST_RATE:
            self.add("request_rate_too_low", "proxy.server.requestRateLimit", limit=limit)
        self._check_rules()

    def _check_rules(self) -> None:
        rules = [rule for rule in self.get("proxy.rules", None) or [] if isinstance(rule, dict)]
        deciding = self.deciding_rules(rules, "regex")
        missed = [base for base, index in deciding.items() if index is None]
        # Without the registries' names a rule for one of them cannot be told from a rule for none.
        if missed and (self.context.bases or not rules):
            why = f"no rule matches the blobs of {', '.join(missed)}" if rules else "there is no rule"
            self.add("not_p2p", "proxy.rules", why=why, remedy="Add the rule {regex: 'blobs/sha256.*'}.")
        # Up to 1.1.0 the whole query was dropped in mirror mode.
        for index, rule in enumerate(() if self.before(1, 1, 1) else rules):
            if index in deciding.values() and not _filters_ns(rule):
                where = f"proxy.rules[{index}].filteredQueryParams"
                example = "the list replaces the default one; leave it out or append ns"
                self.add("filter_without_ns", where, example=example)
        self.check_rewrites(rules, deciding.values(), "proxy.rules", "useTLS", "redirect")


def _filters_ns(rule: dict[str, t.Any]) -> bool:
    """Return whether a rule takes ns out of the task ID: by default it does, a list replaces the default."""
    if "filteredQueryParams" not in rule:
        return True
    params = rule["filteredQueryParams"]
    # An empty value is an empty list. What is not a list has been reported.
    return params is not None and (not isinstance(params, list) or "ns" in params)
