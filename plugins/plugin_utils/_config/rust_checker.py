# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check dfdaemon.yaml, the configuration of the Rust client."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._image import DOCKER_HUB
from ...module_utils._releases import LAST_WITHOUT_BLOB_DIGEST_IDS
from .checker import Checker
from .values import has_invalid_redirect, is_host_and_port, is_socket_address, parse_bytes, parse_duration, value_error

_BLOB_DIGEST_KEYS = [f"proxy.registryMirror.enableTask{name}BasedBlobDigest" for name in ("ID", "Id")]
_MIN_REQUEST_RATE = 100
#: Default ports of dfdaemon.
_PORTS = {
    "upload.server.port": 4000,
    "proxy.server.port": 4001,
    "metrics.server.port": 4002,
    "health.server.port": 4003,
    "stats.server.port": 4004,
    "storage.server.tcpPort": 4005,
}


#: Keys for which tokio and tower panic if the value is 0 (seen with 1.5.1).
_ABOVE_ZERO = (
    "download.server.requestRateLimit",
    "download.server.requestBufferSize",
    "download.rateLimit",
    "download.bandwidthLimit",
    "download.backToSourceBandwidthLimit",
    "upload.server.requestRateLimit",
    "upload.server.requestBufferSize",
    "upload.rateLimit",
    "upload.bandwidthLimit",
    "proxy.prefetchRateLimit",
    "proxy.prefetchBandwidthLimit",
    "scheduler.announceInterval",
    "dynconfig.refreshInterval",
    "gc.interval",
    "server.adaptiveRateLimit.bucketCount",
    "server.adaptiveRateLimit.collectInterval",
)
#: Maximum capacity of tokio's channels.
_MAX_BUFFER = 2**61 - 1


class RustChecker(Checker):
    """Collects the problems of dfdaemon.yaml."""

    client = "dfdaemon"
    engine = "Rust's regex crate"
    has_last_release = False

    def check_release(self) -> None:
        """Add a problem for an unknown release, or one whose task IDs no other client computes."""
        super().check_release()
        if self.before(0, 1, 114):
            self.add("ids_of_their_own", "release")

    def deciding_query(self) -> str:
        """Return the query that containerd adds. Releases before 1.1.1 drop it, and from 1.2.1 on rules ignore it."""
        return "?ns=registry" if (1, 1, 1) <= (self.release or ()) < (1, 2, 1) else ""

    def check_client(self) -> None:
        """Add the problems that only the Rust client has."""
        self._check_manager()
        self._check_schedulers()
        self._check_bounds()
        self.check_tracing()
        self._check_endpoint()
        self._check_proxy()
        if self.get("storage.keep", False) is not True:
            self.add("storage_not_kept", "storage.keep")
        if self.get("seedPeer.enable"):
            self.check_expiry("gc.policy.taskTTL", "6h" if self.before(1, 2, 1) else "720h")
        ips = {key: self.get(f"{key.rpartition('.')[0]}.ip") or "" for key in _PORTS}
        self.check_ports({key: (ips[key], self.get(key, default)) for key, default in _PORTS.items()})

    def _check_manager(self) -> None:
        has_dynconfig = (self.context.dynconfig or self.context.schedulers) and not self.before(1, 4, 3)
        address = self.get("manager.addr")
        if address:
            if value_error("url", address, self.client):
                self.add("bad_value", "manager.addr", wanted="a URL such as http://dragonfly-manager:65003")
        elif not has_dynconfig:
            self._add_no_scheduler()
        elif address == "":
            self.add("bad_value", "manager.addr", wanted="a URL (without a manager, omit the key)")

    def _add_no_scheduler(self) -> None:
        names, schedulers = "manager.addr", "schedulers in dynconfig.yaml"
        if self.has_role:
            names = "dfdaemon_manager_addr, preheat_url or DRAGONFLY_URL"
            schedulers = "dfdaemon_scheduler_addrs"
        self.add("no_scheduler", "manager.addr", names=f"{names} (with release 1.4.3 or later, {schedulers})")

    def _check_schedulers(self) -> None:
        """Check the addresses for dynconfig.yaml (dragonfly-client/src/dynconfig/local.rs, from 1.4.3 on)."""
        schedulers, where = list(self.context.schedulers), "dfdaemon_scheduler_addrs" if self.has_role else "schedulers"
        if schedulers and self.get("manager.addr"):
            self.add("schedulers_ignored", where)
        for index, address in enumerate(schedulers):
            if not _is_scheduler(address, is_single=len(schedulers) == 1):
                hint = "Write each address as IP:PORT. NAME:PORT is supported only as a single address."
                self.add("bad_scheduler", f"{where}[{index}]", address=address, hint=hint)

    def _check_bounds(self) -> None:
        for path in _ABOVE_ZERO:
            value = self.get(path)
            if value == 0 or 0 in (parse_bytes(value, self.client), parse_duration(value, self.client)):
                self.add("bad_value", path, wanted="above 0")
        for path in ("download.server.requestBufferSize", "upload.server.requestBufferSize"):
            if self.get(path, 1) > _MAX_BUFFER:
                self.add("bad_value", path, wanted=f"at most {_MAX_BUFFER}")

    def _check_endpoint(self) -> None:
        endpoint = self.get("tracing.endpoint")
        if not endpoint or not self.get("tracing.protocol"):
            return
        if value_error("url", f"http://{endpoint}", self.client) or re.search(r"\s", endpoint):
            self.add("bad_value", "tracing.endpoint", wanted="HOST:PORT, without a scheme")
        for name, texts in self.get("tracing.headers", {}).items():
            if not "".join(texts).isascii():
                self.add("bad_value", f"tracing.headers.{name}", wanted="text in ASCII")

    def _check_blob_digest_ids(self) -> None:
        """Compare the flag with what preheats request: managers up to 2.5.1, and unknown ones, do not use digests."""
        enabled = list(filter(self.get, _BLOB_DIGEST_KEYS))
        is_recent = self.manager is not None and self.manager > LAST_WITHOUT_BLOB_DIGEST_IDS
        if not self.context.blob_digest_ids or not is_recent:
            for key in enabled:
                self.add("blob_digest_ids", key)
        elif not enabled:
            self.add("blob_digest_ids_missing", _BLOB_DIGEST_KEYS[0])

    def _check_proxy(self) -> None:
        self.check_listener("proxy.server.ip", self.get("proxy.server.ip", ""), self.get("proxy.server.basicAuth"))
        addr = self.get("proxy.registryMirror.addr", DOCKER_HUB)
        if value_error("url", addr, self.client):
            self.add("bad_value", "proxy.registryMirror.addr", wanted="a URL such as https://index.docker.io")
        else:
            self.check_mirror("proxy.registryMirror.addr", addr)
            if addr.endswith("/"):
                self.add("trailing_slash", "proxy.registryMirror.addr")
        self._check_blob_digest_ids()
        limit = self.get("proxy.server.requestRateLimit", _MIN_REQUEST_RATE)
        if limit < _MIN_REQUEST_RATE:
            self.add("request_rate_too_low", "proxy.server.requestRateLimit", limit=limit)
        self._check_rules()

    def _check_rules(self) -> None:
        rules = self.proxy_rules("proxy.rules")
        deciding = self.deciding_rules(rules, "regex")
        missed = [base for base, index in deciding.items() if index is None]
        if not rules:
            self._add_not_p2p("there is no rule")
        elif missed and self.context.bases:  # If the registries are not known, a rule may be for one of them or none.
            self._add_not_p2p(f"no rule matches the blobs of {', '.join(missed)}")
        if not self.before(1, 1, 1):  # Up to 1.1.0 the whole query was dropped in mirror mode.
            self._check_filters(rules, deciding.values())
        for index in list(filter(lambda index: has_invalid_redirect(rules[index]), rules)):
            self.add("redirect_invalid", f"proxy.rules[{index}].redirect")
            rules.pop(index)
        self.check_rewrites(rules, deciding.values(), "proxy.rules", "useTLS", "redirect")

    def _add_not_p2p(self, why: str) -> None:
        self.add("not_p2p", "proxy.rules", why=why, remedy="Add the rule {regex: 'blobs/sha256.*'}.")

    def _check_filters(self, rules: dict[int, dict[str, t.Any]], deciding: t.Collection[int | None]) -> None:
        for index, rule in rules.items():
            if index in deciding and not _filters_ns(rule):
                example = "the list replaces the default one; leave it out or append ns"
                self.add("filter_without_ns", f"proxy.rules[{index}].filteredQueryParams", example=example)


def _filters_ns(rule: dict[str, t.Any]) -> bool:
    """Return whether a rule takes ns out of the task ID: by default it does, a list replaces the default."""
    if "filteredQueryParams" not in rule:
        return True
    params = rule["filteredQueryParams"]
    # An empty value is an empty list. Values of other types are reported elsewhere.
    return params is not None and (not isinstance(params, list) or "ns" in params)


def dynconfig(schedulers: t.Sequence[str]) -> dict[str, t.Any]:
    """Return dynconfig.yaml for addresses of schedulers, or an empty text.

    The client accepts a list of IP addresses, or a single name (dragonfly-client/src/dynconfig/local.rs).
    """
    if len(schedulers) == 1 and not is_socket_address(schedulers[0]):
        return {"scheduler": {"addr": schedulers[0]}}
    return {"scheduler": {"addrs": list(schedulers)}} if schedulers else {}


def _is_scheduler(address: str, is_single: bool) -> bool:
    """Return whether dynconfig.yaml accepts an address. The client resolves a name only if it is the single address."""
    return is_socket_address(address) or (is_single and is_host_and_port(address))
