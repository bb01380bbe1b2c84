# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determine the Go client's request for a pull.

Source: dragonfly v2.1.67 client/daemon/proxy/reverse_proxy.go, client/daemon/proxy/proxy.go (ServeHTTP) and
client/daemon/transport/transport.go.
"""

from __future__ import annotations

import re
import typing as t

from ...module_utils._regex import first_match
from .._config.schema import get
from .._config.values import mappings
from .client import BlobRequest, Client, Login, header_value, rewrite_host
from .reasons import Reason, reason
from .route import Route
from .setting import Setting


class GoClient(Client):
    """The Go client, dfget."""

    name = "dfget"
    login = Login("proxy.basicAuth", "Proxy-Authorization", 407)

    @property
    def port(self) -> t.Any:
        """Port or ports of its proxy in the file."""
        return get(self.config, self.name, "proxy.tcpListen.port", 0)

    @property
    def address(self) -> str:
        """Address on which its proxy listens; empty for all."""
        return self.get("proxy.tcpListen.listen", "")

    @property
    def mirror_url(self) -> Setting:
        """Base URL for pulls that name no registry, or empty."""
        return self.text("proxy.registryMirror.url")

    @property
    def is_seed(self) -> bool:
        """Whether it is a seed peer."""
        return self.get("scheduler.manager.seedPeer.enable", False)

    @property
    def misses_parts(self) -> bool:
        """Return True: a part is another task than the blob."""
        return True

    @property
    def _expiry(self) -> tuple[str, str]:
        return "storage.taskExpireTime", "6h"

    def _request(self, route: Route, path: str) -> BlobRequest:
        base, reasons = self._base(route)
        url = base.value + path + ("?" + route.query if route.query else "")
        url, rewritten_by, why_not_peers = self._apply_rules(url, path)
        names = self._header_or_setting(route, "X-Dragonfly-Filter", "proxy.defaultFilter")
        return BlobRequest(
            base=base,
            url=url,
            query_filter=names._replace(value=names.value.split("&") if names.value else []),
            tag=self._header_or_setting(route, "X-Dragonfly-Tag", "proxy.defaultTag"),
            application=self._header_or_setting(route, "X-Dragonfly-Application", "proxy.defaultApplication"),
            piece_length=Setting("", self.path, ""),
            byte_range=route.byte_range,
            fixed_id=None,
            rewritten_by=rewritten_by,
            reasons=reasons + why_not_peers,
        )

    def _header_or_setting(self, route: Route, header: str, key: str) -> Setting:
        sent = header_value(route, header)
        return sent if sent.value else self.text(key)

    def _base(self, route: Route) -> tuple[Setting, list[Reason]]:
        """Return the base URL of the registry, and why the proxy does not serve it."""
        reasons = []
        base = self.mirror_url
        if not self.port:
            reasons.append(reason("proxy_off", self.path, "proxy.tcpListen.port"))
        if not base.value:
            reasons.append(reason("no_mirror", self.path, base.key))
        header = header_value(route, "X-Dragonfly-Registry")
        if header.value and self.get("proxy.registryMirror.dynamic", False):
            base = header
        elif header.value and header.value.rstrip("/") != base.value.rstrip("/"):
            base = base._replace(key="proxy.registryMirror.dynamic")
        return base._replace(value=base.value.rstrip("/")), reasons

    def _apply_rules(self, url: str, path: str) -> tuple[str, Setting | None, list[Reason]]:
        """Return the URL after applying the rules, the setting that rewrote it, and why the pull does not use peers."""
        if self.get("proxy.registryMirror.direct", False):
            values = {"why": "it is set so", "remedy": "Set it to false."}
            return url, None, [reason("not_p2p", self.path, "proxy.registryMirror.direct", **values)]
        if self.get("proxy.registryMirror.useProxies", False):
            return self._apply_first_rule(url)
        if not re.match(r".+/blobs/sha256", path):
            why = "the Go client supports only blobs with sha256 digests"
            return url, None, [reason("not_p2p", why=why, remedy="Build the image with sha256 digests.")]
        return url, None, []

    def _apply_first_rule(self, url: str) -> tuple[str, Setting | None, list[Reason]]:
        rules = mappings(self.get("proxy.proxies", []))
        index = first_match({index: str(get(rule, self.name, "regx", "")) for index, rule in rules.items()}, url)
        if index is None:
            return url, None, [self._not_by_rules("no rule of proxy.proxies sends this blob to peers")]
        if get(rules[index], self.name, "direct"):
            return url, None, [self._not_by_rules("the matching rule sets direct")]
        return *self._rewrite(url, rules[index], f"proxy.proxies[{index}]"), []

    def _rewrite(self, url: str, rule: dict[str, t.Any], where: str) -> tuple[str, Setting | None]:
        """Return the URL after applying a rule, and the setting that rewrote it."""
        rewritten_by = None
        if get(rule, self.name, "useHTTPS") and url.startswith("http:"):
            url, rewritten_by = "https:" + url[len("http:") :], Setting(True, self.path, f"{where}.useHTTPS")
        # An empty redirect is none, other than to the Rust client: dragonfly v2.3.4 client/daemon/proxy/proxy.go.
        redirect = get(rule, self.name, "redirect") or ""
        if isinstance(redirect, str) and redirect:
            rewritten_by = Setting(redirect, self.path, f"{where}.redirect")
            url = _redirected(url, str(get(rule, self.name, "regx", "")), redirect)
        return url, rewritten_by

    def _not_by_rules(self, why: str) -> Reason:
        remedy = "Set useProxies to false, or add the rule {regx: blobs/sha256.*}."
        return reason("not_p2p", self.path, "proxy.registryMirror.useProxies", why=why, remedy=remedy)


def _redirected(url: str, pattern: str, redirect: str) -> str:
    """Return where a rule redirects a URL."""
    if "/" not in redirect:
        return rewrite_host(url, redirect)
    # Go writes groups as $1 or ${1}.
    template = re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", redirect.replace("\\", "\\\\"))
    try:
        return re.sub(pattern, template, url)
    except (re.error, IndexError):
        return redirect  # The URL differs in any case, which is sufficient.
