# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determine the Rust client's request for a pull.

Source: client v1.4.2 dragonfly-client/src/proxy/mod.rs, header.rs and query.rs, and mod.rs of v0.1.127 and v1.1.1.
"""

from __future__ import annotations

import typing as t
from urllib.parse import parse_qs

from ...module_utils._default_filter import DEFAULT_FILTERED_QUERY_PARAMS
from ...module_utils._image import DOCKER_HUB
from ...module_utils._option_checks import RANGES
from ...module_utils._regex import first_match
from ...module_utils._release import at_least
from ...module_utils._task_id import blob_digest_id, content_id
from .._config.schema import get
from .._config.values import has_invalid_redirect, mappings, parse_bytes
from .client import BlobRequest, Client, Login, header_value, rewrite_host
from .reasons import Reason, reason
from .route import Route
from .setting import Setting

# First releases with a behaviour. An unknown release counts as newer.
_FILTERS_NS = (0, 1, 116)
_READS_PIECE_LENGTH = (0, 2, 13)
_READS_CONTENT_HEADER = (0, 2, 25)
_KEEPS_QUERY = (1, 1, 1)
_HAS_BLOB_DIGEST_IDS = (1, 1, 4)
_SPELLS_FLAG_WITH_ID = (1, 1, 8)
_MATCHES_WITHOUT_QUERY = _KEEPS_FOR_30_DAYS = (1, 2, 1)
_READS_BLOB_DIGEST_HEADER = (1, 3, 3)
_READS_NS = (1, 3, 5)
_SKIPS_SMALL_PARTS = (1, 4, 2)


class RustClient(Client):
    """The Rust client, dfdaemon."""

    name = "dfdaemon"
    login = Login("proxy.server.basicAuth", "Authorization", 401)

    @property
    def port(self) -> t.Any:
        """Port of its proxy in the file."""
        return get(self.config, self.name, "proxy.server.port", 4001)

    @property
    def address(self) -> str:
        """Address on which its proxy listens; empty for all."""
        return self.get("proxy.server.ip", "")

    @property
    def mirror_url(self) -> Setting:
        """Base URL for pulls that name no registry."""
        setting = self.text("proxy.registryMirror.addr")
        return setting if setting.value else setting._replace(value=DOCKER_HUB)

    @property
    def is_seed(self) -> bool:
        """Whether it is a seed peer."""
        return self.get("seedPeer.enable", False)

    @property
    def skips_small_parts(self) -> bool:
        """Whether it requests blobs, and parts of blobs, of up to 4 MiB from the registry, preheated or not.

        Source: client v1.4.2 dragonfly-client/src/resource/task.rs (download).
        """
        is_new = self._since(_SKIPS_SMALL_PARTS)
        return is_new and not self.get("proxy.disableBackToSource", False)

    @property
    def _expiry(self) -> tuple[str, str]:
        return "gc.policy.taskTTL", "720h" if self._since(_KEEPS_FOR_30_DAYS) else "6h"

    def _since(self, first: tuple[int, ...]) -> bool:
        return at_least(self.release, first, unknown=True)

    def _request(self, route: Route, path: str) -> BlobRequest:
        base = self._base(route)
        bare_url = base.value + path
        url = f"{bare_url}?{route.query}" if route.query and self._since(_KEEPS_QUERY) else bare_url
        where, rule, reasons = self._rule(route, bare_url if self._since(_MATCHES_WITHOUT_QUERY) else url)
        if has_invalid_redirect(rule):
            reasons.append(reason("redirect_invalid", self.path, f"{where}.redirect"))
        url, rewritten_by = self._rewrite(url, rule, where)
        return BlobRequest(
            base=base,
            url=url,
            query_filter=self._query_filter(route, rule, where),
            tag=header_value(route, "X-Dragonfly-Tag"),
            application=header_value(route, "X-Dragonfly-Application"),
            piece_length=self._piece_length(route),
            byte_range=route.byte_range,
            fixed_id=self._fixed_id(route, url),
            rewritten_by=rewritten_by,
            reasons=reasons + self._rejected_headers(route),
        )

    def _base(self, route: Route) -> Setting:
        header = header_value(route, "X-Dragonfly-Registry")
        if header.value:
            return header
        names = parse_qs(route.query).get("ns")
        if names and self._since(_READS_NS):
            base = names[0] if "://" in names[0] else f"https://{names[0]}"
            return Setting(base, route.file, "ns")
        return self.mirror_url

    def _rule(self, route: Route, url: str) -> tuple[str, dict[str, t.Any], list[Reason]]:
        """Return the key of the first matching rule or of all rules, the rule, and why the pull does not use peers."""
        rules = mappings(self.get("proxy.rules", []))
        index = first_match({index: str(rule.get("regex", ".*")) for index, rule in rules.items()}, url)
        if index is not None:
            return f"proxy.rules[{index}]", rules[index], []
        if header_value(route, "X-Dragonfly-Use-P2P").value.lower() == "true":
            return "proxy.rules", {}, []
        why = "no rule matches this blob" if rules else "there is no rule"
        remedy = "Add the rule {regex: 'blobs/sha256.*'}."
        return "proxy.rules", {}, [reason("not_p2p", self.path, "proxy.rules", why=why, remedy=remedy)]

    def _rewrite(self, url: str, rule: dict[str, t.Any], where: str) -> tuple[str, Setting | None]:
        rewritten_by = None
        if rule.get("useTLS") and url.startswith("http:"):
            url, rewritten_by = "https:" + url[len("http:") :], Setting(True, self.path, f"{where}.useTLS")
        if isinstance(rule.get("redirect"), str) and not has_invalid_redirect(rule):
            url = rewrite_host(url, rule["redirect"])
            rewritten_by = Setting(rule["redirect"], self.path, f"{where}.redirect")
        return url, rewritten_by

    def _query_filter(self, route: Route, rule: dict[str, t.Any], where: str) -> Setting:
        header = header_value(route, "X-Dragonfly-Filtered-Query-Params")
        if header.key.lower() in route.headers:  # An empty one replaces the default, too.
            names = header.value.split(",")
            # Before 0.1.117 names were not trimmed, which did not matter: the query was dropped up to 1.1.0.
            return header._replace(value=[name.strip() for name in names])
        names = rule.get("filteredQueryParams")
        if isinstance(names, list):
            return Setting(names, self.path, f"{where}.filteredQueryParams")
        names = list(DEFAULT_FILTERED_QUERY_PARAMS)
        if not self._since(_FILTERS_NS):
            names.remove("ns")
        return Setting(names, self.path, where)

    def _piece_length(self, route: Route) -> Setting:
        header = header_value(route, "X-Dragonfly-Piece-Length")
        size = parse_bytes(header.value, self.name) if self._since(_READS_PIECE_LENGTH) else None
        return header._replace(value="" if size is None else str(size))

    def _rejected_headers(self, route: Route) -> list[Reason]:
        registry = header_value(route, "X-Dragonfly-Registry")
        if registry.key.lower() in route.headers and not registry.value:
            return [reason("registry_header_empty", registry.file, registry.key)]
        piece_length = self._piece_length(route)
        if not piece_length.value or int(piece_length.value) >= RANGES["piece_length"].least:
            return []
        sent = header_value(route, "X-Dragonfly-Piece-Length").value
        return [reason("piece_length_too_small", piece_length.file, piece_length.key, value=sent)]

    def _fixed_id(self, route: Route, url: str) -> Setting | None:
        """Return the task ID that is not computed from the URL, if the host's files require one."""
        content = header_value(route, "X-Dragonfly-Content-For-Calculating-Task-ID")
        if content.key.lower() in route.headers and self._since(_READS_CONTENT_HEADER):
            return content._replace(value=content_id(content.value))
        flag = self._blob_digest_flag(route)
        task_id = blob_digest_id(url) if flag.value else None
        return flag._replace(value=task_id) if task_id else None

    def _blob_digest_flag(self, route: Route) -> Setting:
        header = header_value(route, "X-Dragonfly-Enable-Task-ID-Based-Blob-Digest")
        if header.key.lower() in route.headers and self._since(_READS_BLOB_DIGEST_HEADER):
            return header._replace(value=header.value.lower() == "true")
        spelling = "enableTaskIDBasedBlobDigest" if self._since(_SPELLS_FLAG_WITH_ID) else "enableTaskIdBasedBlobDigest"
        key = f"proxy.registryMirror.{spelling}"
        return Setting(self._since(_HAS_BLOB_DIGEST_IDS) and self.get(key, False), self.path, key)
