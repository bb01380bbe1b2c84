# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.checker import Context
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import MESSAGES
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import (
    config_files,
    config_problems,
    has_secret,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import FIRST_RELEASE, SCHEMA
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.variables import VARIABLES
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_config import (
    judge_config as judge_facts,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import header_problems
from hypothesis import given
from hypothesis import strategies as st

TABLES = [
    Path(__file__).parent / name
    for name in ("test_containerd_plan.py", "test_registries_conf.py", "test_server_config.py")
]
ROLES = Path(__file__).parents[4] / "roles"
DOCS = Path(__file__).parents[4] / "docs" / "traps.md"

GO: dict[str, t.Any] = {
    "aliveTime": "0s",
    "keepStorage": True,
    "scheduler": {"manager": {"enable": True, "netAddrs": [{"type": "tcp", "addr": "manager:65003"}]}},
    "storage": {"multiplex": True},
    "proxy": {
        "defaultFilter": "Expires&Signature&ns",
        "tcpListen": {"listen": "127.0.0.1", "port": 65001},
        "registryMirror": {"url": "https://index.docker.io", "dynamic": True},
        "proxies": [{"regx": "blobs/sha256.*"}],
    },
}
RUST: dict[str, t.Any] = {
    "manager": {"addr": "http://manager:65003"},
    "storage": {"keep": True},
    "proxy": {
        "server": {"ip": "127.0.0.1", "port": 4001},
        "registryMirror": {"addr": "https://index.docker.io"},
        "rules": [{"regex": "blobs/sha256.*"}],
    },
}
GO_PROXIES = {**GO["proxy"], "registryMirror": {**GO["proxy"]["registryMirror"], "useProxies": True}}
GONE = object()


def with_key(config: dict[str, t.Any], path: str, value: t.Any) -> dict[str, t.Any]:
    """Return a copy of a configuration with one key set, or removed if the value is GONE."""
    changed = copy.deepcopy(config)
    node = changed
    *parents, last = path.split(".")
    for name in parents:
        node = node.setdefault(name, {})
    if value is GONE:
        node.pop(last)
    else:
        node[last] = value
    return changed


class Case(t.NamedTuple):
    """A configuration that is valid except one key, and the resulting problem."""

    code: str
    client: str
    path: str
    value: t.Any
    key: str = ""
    release: str | None = None
    context: Context = Context()


def go(code: str, path: str, value: t.Any, key: str = "", release: str | None = "2.1.67", **context: t.Any) -> Case:
    return Case(code, "dfget", path, value, key or path, release, Context(**context))


def rust(code: str, path: str, value: t.Any, key: str = "", release: str | None = "1.4.2", **context: t.Any) -> Case:
    return Case(code, "dfdaemon", path, value, key or path, release, Context(**context))


SCHEDULERS = "schedulers"
THRESHOLDS = {"distThreshold": "1GB", "diskThreshold": "1GB"}
# Values with which dfdaemon 1.5.1 panicked.
ZEROS: dict[str, t.Any] = {
    "download.server.requestRateLimit": 0,
    "download.server.requestBufferSize": 0,
    "download.bandwidthLimit": "0GB",
    "download.backToSourceBandwidthLimit": 0,
    "upload.server.requestRateLimit": 0,
    "upload.server.requestBufferSize": 0,
    "upload.bandwidthLimit": 0,
    "proxy.prefetchBandwidthLimit": "0",
    "scheduler.announceInterval": "0s",
    "dynconfig.refreshInterval": 0,
    "gc.interval": "0ms",
    "server.adaptiveRateLimit.bucketCount": 0,
    "server.adaptiveRateLimit.collectInterval": "0",
}
SERVICE_OPTIONS: dict[str, t.Any] = {
    "CPUQuota": "400%",
    "Environment": ["A=50%%h", '"B=c d"', "C='e f'"],
    "ExecStartPre": [None, "/bin/sh -c 'echo \"a\"'"],
    "TasksMax": 100,
    "NoNewPrivileges": True,
}
BAD_SERVICE_OPTIONS: list[tuple[str, dict[str, t.Any]]] = [
    ("MemoryMax", {"MemoryMax": "2G\nExecStartPre=/bin/true"}),
    ("Environment[1]", {"Environment": ["A=b", "PASSWORD=a%hb"]}),
    ("Environment", {"Environment": "A=b c"}),
    ("Environment", {"Environment": 'A="b'}),
    ("Environment", {"Environment": "A=c:\\dir"}),
    ("ExecStartPre", {"ExecStartPre": "/bin/echo a\\"}),
    ("Memory Max", {"Memory Max": "2G"}),
    ("MemoryMax", {"MemoryMax": {"a": "b"}}),
]


NOT_URLS = ["https://r\u00e9gistre.example", "https://\u0433\u0438\u0442.example", "https://a b"]

CASES = [
    go("no_such_client", "host.idc", "", key="release", release="2.0.8"),
    go("no_such_client", "host.idc", "", key="release", release="2.4.0"),
    rust("no_such_client", "host.idc", "", key="release", release="0.1.111"),
    rust("ids_of_their_own", "host.idc", "", key="release", release="0.1.113"),
    go("unknown_key", "proxy.defaultFilters", "ns"),
    go("unknown_key", "proxy.proxies", [{"regx": "blobs"}, {"regex": "blobs"}], key="proxy.proxies[1].regex"),
    rust(
        "unknown_key",
        "proxy.rules",
        [{"regex": "blobs", "filterQueryParams": ["ns"]}],
        key="proxy.rules[0].filterQueryParams",
    ),
    go("key_gone", "security.autoIssueCert", True, release="2.1.61"),
    rust("key_gone", "download.rateLimit", "1GB", release="1.2.8"),
    go("key_not_yet", "download.seedConcurrent", 4, release="2.1.58"),
    rust("key_not_yet", "proxy.server.requestRateLimit", 4000, release="1.4.0"),
    go("wrong_type", "keepStorage", "true", key="keepStorage"),
    go("wrong_type", "aliveTime", 30),
    go("wrong_type", "proxy", "/etc/dragonfly/proxy.yaml"),
    rust("wrong_type", "storage.keep", "yes"),
    rust("wrong_type", "gc.policy.diskHighThresholdPercent", 256),
    go("bad_regex", "proxy.proxies", [{"regx": "(?!manifests)blobs"}], key="proxy.proxies[0].regx"),
    rust("bad_regex", "proxy.rules", [{"regex": "blobs("}], key="proxy.rules[0].regex"),
    go("bad_value", "gcInterval", "0s"),
    go("bad_value", "reload.interval", "500ms"),
    go("bad_value", "scheduler.manager.refreshInterval", "0s"),
    go("bad_value", "objectStorage", {"enable": True, "maxReplicas": 0}, key="objectStorage.maxReplicas"),
    rust("bad_value", "manager.addr", "manager:65003"),
    rust("bad_value", "proxy.registryMirror.addr", "index.docker.io"),
    *(rust("bad_value", "proxy.registryMirror.addr", url) for url in NOT_URLS),
    *(rust("bad_value", "manager.addr", url) for url in NOT_URLS),
    *(go("wrong_type", "proxy.registryMirror.url", url) for url in NOT_URLS),
    *(
        go("wrong_type", "scheduler.manager.netAddrs", [{"type": "tcp", "addr": address}])
        for address in ("r\u00e9gistre:65003", "a b:65003", "manager")
    ),
    go("missing_file", "proxy.registryMirror.certs", ["/etc/ca.pem"], missing_files=["/etc/ca.pem"]),
    rust("missing_file", "manager.caCert", "/etc/ca.pem", missing_files=["/etc/ca.pem"]),
    go("no_scheduler", "scheduler.manager.netAddrs", [], key="scheduler"),
    go("no_scheduler", "scheduler", {"netAddrs": []}, key="scheduler"),
    rust("no_scheduler", "manager", {}, key="manager.addr"),
    rust("no_scheduler", "manager", {}, key="manager.addr", release="1.4.2", dynconfig=True),
    go("filter_without_ns", "proxy.defaultFilter", GONE),
    go("filter_without_ns", "proxy.defaultFilter", "Expires,Signature,ns"),
    go("filter_without_ns", "proxy.defaultFilter", "Expires& ns"),
    rust(
        "filter_without_ns",
        "proxy.rules",
        [{"regex": "blobs", "filteredQueryParams": []}],
        key="proxy.rules[0].filteredQueryParams",
        release="1.1.1",
    ),
    go("tag_mismatch", "proxy.defaultTag", "shop"),
    go("tag_mismatch", "proxy.defaultApplication", "shop"),
    go("tag_mismatch", "proxy.defaultTag", "", tag="shop"),
    rust("blob_digest_ids", "proxy.registryMirror.enableTaskIDBasedBlobDigest", True),
    rust("blob_digest_ids", "proxy.registryMirror.enableTaskIDBasedBlobDigest", True, manager_release="2.5.1"),
    rust("blob_digest_ids", "proxy.registryMirror.enableTaskIDBasedBlobDigest", True, manager_release="2.6.0"),
    rust("blob_digest_ids", "proxy.registryMirror.enableTaskIDBasedBlobDigest", True, blob_digest_ids=True),
    rust(
        "blob_digest_ids_missing",
        "proxy.registryMirror.enableTaskIDBasedBlobDigest",
        False,
        manager_release="2.6.0",
        blob_digest_ids=True,
    ),
    rust("blob_digest_ids", "proxy.registryMirror.enableTaskIdBasedBlobDigest", True, release="1.1.4"),
    go("seed_cannot_be_preheated", "scheduler.manager.seedPeer.enable", True, manager_release="2.3.1"),
    go("seed_cannot_be_preheated", "scheduler.manager.seedPeer.enable", True, release="2.3.4"),
    rust("trailing_slash", "proxy.registryMirror.addr", "https://index.docker.io/"),
    rust("mirror_serves_no_images", "proxy.registryMirror.addr", "https://docker.io"),
    rust("mirror_serves_no_images", "proxy.registryMirror.addr", "http://Docker.io:443"),
    go("mirror_serves_no_images", "proxy.registryMirror.url", "https://docker.io/"),
    go("mirror_serves_no_images", "proxy.registryMirror.url", "https://hub.docker.com"),
    go("static_mirror", "proxy.registryMirror.dynamic", GONE),
    go("no_mirror", "proxy.registryMirror.url", GONE),
    go("proxy_off", "proxy.tcpListen.port", GONE),
    go("not_p2p", "proxy.registryMirror.direct", True),
    go("not_p2p", "proxy", {**GO_PROXIES, "proxies": [{"regx": "manifests"}]}, key="proxy.registryMirror.useProxies"),
    go(
        "not_p2p",
        "proxy",
        {**GO_PROXIES, "proxies": [{"regx": "blobs", "direct": True}]},
        key="proxy.registryMirror.useProxies",
    ),
    rust("not_p2p", "proxy.rules", GONE),
    rust("not_p2p", "proxy.rules", []),
    rust(
        "not_p2p",
        "proxy.rules",
        [{"regex": "https://ghcr.io/.*blobs"}],
        bases=["https://ghcr.io", "https://index.docker.io"],
    ),
    go(
        "not_p2p",
        "proxy",
        {**GO_PROXIES, "proxies": [{"regx": ".*", "direct": True}, {"regx": "blobs"}]},
        key="proxy.registryMirror.useProxies",
    ),
    rust(
        "filter_without_ns",
        "proxy.rules",
        [{"regex": "https://ghcr.io/.*blobs", "filteredQueryParams": ["Signature"]}],
        key="proxy.rules[0].filteredQueryParams",
    ),
    # Only the Rust client from 1.2.1 on matches rules against a URL without its query.
    go(
        "not_p2p",
        "proxy",
        {**GO_PROXIES, "proxies": [{"regx": "sha256:[0-9a-f]+$"}]},
        key="proxy.registryMirror.useProxies",
    ),
    rust("not_p2p", "proxy.rules", [{"regex": "sha256:[0-9a-f]+$"}], release="1.2.0", bases=["https://a"]),
    go("rewritten_url", "proxy.proxies", [{"regx": "blobs", "useHTTPS": True}], key="proxy.proxies[0].useHTTPS"),
    rust("rewritten_url", "proxy.rules", [{"regex": "blobs", "redirect": "mirror"}], key="proxy.rules[0].redirect"),
    rust("rewritten_url", "proxy.rules", [None, {"regex": "blobs", "useTLS": True}], key="proxy.rules[1].useTLS"),
    go("rewritten_url", "proxy.proxies", [None, {"regx": "blobs", "useHTTPS": True}], key="proxy.proxies[1].useHTTPS"),
    rust("redirect_invalid", "proxy.rules", [{"regex": "blobs", "redirect": ""}], key="proxy.rules[0].redirect"),
    rust("redirect_invalid", "proxy.rules", [{"redirect": "http://a"}], key="proxy.rules[0].redirect"),
    go("open_proxy", "proxy.tcpListen.listen", "0.0.0.0"),
    go("open_proxy", "proxy.tcpListen.listen", GONE),
    rust("open_proxy", "proxy.server.ip", GONE),
    go("exits_when_idle", "aliveTime", GONE),
    go("exits_when_idle", "aliveTime", "5m"),
    go("storage_not_kept", "keepStorage", GONE),
    rust("storage_not_kept", "storage.keep", False),
    go("no_reuse", "storage.multiplex", False),
    go("bad_strategy", "storage.strategy", "io.d7y.storage.v2.simple."),
    go("rate_limit_too_low", "download.totalRateLimit", "10Mi"),
    go("rate_limit_too_low", "upload.rateLimit", 1024),
    rust("request_rate_too_low", "proxy.server.requestRateLimit", 50, release="1.4.1"),
    go("port_clash", "upload.tcpListen.port", 65001),
    rust("port_clash", "stats.server.port", 4001),
    go("port_taken", "proxy.tcpListen.port", 65001, taken_addresses=["*:22", "127.0.0.1:65001"]),
    go("port_taken", "upload.tcpListen.port", 65002, taken_addresses=["192.0.2.7:65002"]),
    rust("port_taken", "proxy.server.port", 4001, taken_addresses=["[::]:4001"]),
    rust("port_taken", "stats.server.port", 4004, taken_addresses=["127.0.0.1:4004"]),
    *(rust("bad_value", path, value, release="1.5.1") for path, value in ZEROS.items()),
    rust("bad_value", "upload.server.requestBufferSize", 2**61, release="1.5.1"),
    go("bad_value", "tracing", {"protocol": "jaeger", "endpoint": "a:1"}, key="tracing.protocol", release="2.3.4"),
    rust("bad_value", "tracing", {"protocol": "jaeger", "endpoint": "a:1"}, key="tracing.protocol"),
    rust("bad_value", "tracing", {"protocol": "grpc", "endpoint": "a b"}, key="tracing.endpoint"),
    rust(
        "bad_value",
        "tracing",
        {"protocol": "grpc", "endpoint": "a:1", "headers": {"X-A": "\u00e9"}},
        key="tracing.headers.X-A",
    ),
    rust("bad_value", "manager.addr", "", release="1.4.3", dynconfig=True),
    rust("bad_value", "manager.addr", "", release="1.4.3", schedulers=["s:8002"]),
    rust("no_scheduler", "manager.addr", "", release="1.4.3"),
    rust("no_scheduler", "manager", {}, key="manager.addr", release="1.4.2", schedulers=["s:8002"]),
    rust("wrong_type", "manager.addr", None, release="1.4.2"),
    rust("wrong_type", "seedPeer.type", "strong", release="1.0.27"),
    rust("wrong_type", "seedPeer.type", "weak", release="1.5.1"),
    rust("wrong_type", "storage.cacheCapacity", "64MiB", release="0.2.19"),
    rust("wrong_type", "storage.cacheCapacity", -1, release="1.5.1"),
    rust("wrong_type", "server.adaptiveRateLimit.cpuThreshold", 300, release="1.5.1"),
    rust("wrong_type", "upload.server.port", 65536),
    rust("wrong_type", "backend.maxRetries", 2**32, release="1.5.1"),
    rust("wrong_type", "tracing.headers", {"X A": "b"}),
    rust("wrong_type", "tracing.headers", {"X-A": "b\nc"}),
    rust("wrong_type", "proxy.rules", ["blobs"], key="proxy.rules[0]"),
    rust("wrong_type", "proxy.rules", {"regex": "blobs"}),
    rust("duplicate_key", "gc.policy", THRESHOLDS, key="gc.policy.distThreshold", release="1.1.15"),
    rust("duplicate_key", "gc.policy", THRESHOLDS, key="gc.policy.distThreshold", release=None),
    rust("bad_scheduler", "manager", {}, key=f"{SCHEDULERS}[0]", release="1.4.3", schedulers=["s", "10.0.0.1:8002"]),
    rust("bad_scheduler", "manager", {}, key=f"{SCHEDULERS}[1]", release="1.4.3", schedulers=["10.0.0.1:1", "s:8002"]),
    rust("bad_scheduler", "manager", {}, key=f"{SCHEDULERS}[0]", release="1.4.3", schedulers=["s"]),
    rust("bad_scheduler", "manager", {}, key=f"{SCHEDULERS}[0]", release="1.4.3", schedulers=["fd00::1:80", "::1:1"]),
    rust("schedulers_ignored", "host.idc", "", key=SCHEDULERS, release="1.4.3", schedulers=["s:8002"]),
    go("bad_value", "security", {"autoIssueCert": True}, key="security.caCert", release="2.1.60"),
    *(
        go(
            "bad_value",
            "security",
            {"autoIssueCert": True, "caCert": "/ca.pem", "certSpec": {name: value}},
            key=f"security.certSpec.{name}",
            release="2.0.9",
        )
        for name, value in (("ipAddresses", []), ("dnsNames", []), ("validityPeriod", "0s"))
    ),
    go("schedulers_ignored", "scheduler.netAddrs", ["s:8002"]),
    go(
        "unknown_key",
        "scheduler.manager.netAddrs",
        [{"type": "tcp", "addr": "m:1", "refreshInterval": "10s"}],
        key="scheduler.manager.netAddrs[0].refreshInterval",
    ),
    go("unknown_key", "proxy.tcpListen.port", {"start": 65001, "stop": 2}, key="proxy.tcpListen.port.stop"),
    go("unknown_key", "proxy.whiteList", [{"host": "a"}, {"hots": "b"}], key="proxy.whiteList[1].hots"),
    *(
        go("bad_service_option", "host.idc", "", key=f"service_options.{key}", service_options=options)
        for key, options in BAD_SERVICE_OPTIONS
    ),
    go("port_drifts", "proxy.tcpListen.port", {"start": 65001, "end": 65010}),
]
# A seed whose cache expires before a preheat.
GO_SEED = with_key(GO, "scheduler.manager.seedPeer.enable", True)
RUST_SEED = with_key(RUST, "seedPeer", {"enable": True, "type": "super"})


def base(client: str) -> dict[str, t.Any]:
    return GO if client == "dfget" else RUST


@pytest.mark.parametrize("release", [None, "2.0.9", "2.1.0", "2.1.67", "2.2.4", "2.3.4"])
def test_a_sound_go_configuration_has_no_problem(release):
    assert config_problems(GO, "dfget", release) == []


@pytest.mark.parametrize(
    "release", [None, "0.1.114", "0.1.127", "0.2.42", "1.0.39", "1.1.7", "1.2.8", "1.4.2", "1.5.1", "1.6.0"]
)
def test_a_sound_rust_configuration_has_no_problem(release):
    assert config_problems(RUST, "dfdaemon", release) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.key}")
def test_each_problem_is_found_and_nothing_else(case):
    actual = config_problems(
        with_key(base(case.client), case.path, case.value), case.client, case.release, case.context
    )
    others = {problem.code for problem in actual} - {case.code}
    # If the proxy cannot be read, its content is not checked.
    if case.value != "/etc/dragonfly/proxy.yaml":
        assert others == set()
    assert (case.code, case.key) in [(problem.code, problem.key) for problem in actual]
    for problem in actual:
        assert problem.description.endswith(".")
        assert problem.remedy.endswith((".", "?"))
        assert not re.search(r"\{\w+\}", problem.description + problem.remedy)


@pytest.mark.parametrize(
    "client, path, value, release, context",
    [
        # The query was dropped in mirror mode.
        ("dfdaemon", "proxy.rules", [{"regex": "blobs", "filteredQueryParams": []}], "1.1.0", {}),
        ("dfdaemon", "proxy.rules", [{"regex": "blobs", "filteredQueryParams": ["ns"]}], "1.4.2", {}),
        (
            "dfdaemon",
            "proxy.registryMirror.enableTaskIDBasedBlobDigest",
            True,
            "1.4.2",
            {"manager_release": "2.5.2", "blob_digest_ids": True},
        ),
        ("dfdaemon", "proxy.registryMirror.enableTaskIDBasedBlobDigest", False, "1.4.2", {"manager_release": "2.5.1"}),
        ("dfdaemon", "manager", {}, "1.4.3", {"dynconfig": True}),
        ("dfdaemon", "proxy.server", {"port": 4001, "basicAuth": {"username": "a", "password": "b"}}, "1.4.2", {}),
        ("dfdaemon", "proxy.rules", [{"regex": "https://ghcr.io/.*blobs"}], "1.4.2", {"bases": ["https://ghcr.io"]}),
        # A rule for one registry, with unknown registries.
        ("dfdaemon", "proxy.rules", [{"regex": "https://ghcr.io/.*blobs"}], "1.4.2", {}),
        # Python cannot determine whether this matches, so nothing is reported.
        ("dfdaemon", "proxy.rules", [{"regex": r"blobs/\pL.*"}], "1.4.2", {"bases": ["https://ghcr.io"]}),
        ("dfdaemon", "proxy.rules", [{"regex": "sha256:[0-9a-f]+$"}], "1.2.1", {"bases": ["https://a"]}),
        # These rules do not decide about blobs.
        ("dfdaemon", "proxy.rules", [{"regex": "blobs"}, {"regex": "s3", "useTLS": True}], "1.4.2", {}),
        (
            "dfdaemon",
            "proxy.rules",
            [{"regex": "blobs"}, {"regex": "s3", "filteredQueryParams": ["Signature"]}],
            "1.4.2",
            {},
        ),
        (
            "dfdaemon",
            "proxy.rules",
            [{"regex": "blobs"}, {"regex": ".*", "redirect": "a"}],
            "1.4.2",
            {"bases": ["https://a"]},
        ),
        ("dfget", "proxy.registryMirror.url", "https://index.docker.io/", "2.1.67", {}),
        (
            "dfdaemon",
            "proxy.server",
            {"ip": "::1", "basicAuth": {"username": "a" * 40, "password": "b" * 99}},
            "1.5.1",
            {},
        ),
        ("dfdaemon", "gc.policy.diskHighThresholdPercent", 100, "1.5.1", {}),
        ("dfdaemon", "gc.policy.distLowThresholdPercent", 0, "1.0.39", {}),
        ("dfdaemon", "manager", {"addr": None}, "1.4.3", {"dynconfig": True}),
        ("dfdaemon", "manager", {"addr": None}, "1.4.3", {"schedulers": ["s:8002"]}),
        ("dfdaemon", "manager", {}, "1.4.3", {"schedulers": ["[fd00::1]:8002", "10.0.0.1:8002"]}),
        ("dfdaemon", "seedPeer.type", "strong", "1.0.26", {}),
        ("dfdaemon", "storage.cacheCapacity", "64MiB", "0.2.20", {}),
        ("dfdaemon", "storage.cacheCapacity", 64, "0.2.19", {}),
        ("dfdaemon", "gc.policy.diskThreshold", "1GB", "1.1.15", {}),
        ("dfdaemon", "gc.interval", "1.5h", "1.4.1", {}),
        ("dfdaemon", "gc.policy", None, "1.5.1", {}),
        ("dfdaemon", "tracing", {"protocol": "grpc", "endpoint": "a:1", "headers": {"X-A": "b"}}, "1.5.1", {}),
        ("dfget", "tracing", {"protocol": "jaeger"}, "2.3.4", {}),
        ("dfget", "security", {"autoIssueCert": True, "caCert": "/ca.pem"}, "2.1.60", {}),
        ("dfget", "security", {"autoIssueCert": False, "certSpec": {"dnsNames": []}}, "2.1.60", {}),
        ("dfget", "host.idc", "", "2.1.67", {"service_options": SERVICE_OPTIONS}),
        ("dfget", "proxy.defaultTag", "shop", "2.1.67", {"tag": "shop"}),
        ("dfget", "scheduler", {"netAddrs": ["scheduler:8002"]}, "2.1.67", {}),
        ("dfget", "scheduler.manager.seedPeer.enable", True, "2.1.67", {"manager_release": "2.3.0"}),
        ("dfget", "upload.tcpListen.port", 65002, "2.1.67", {"taken_addresses": ["*:22"]}),
        ("dfget", "proxy.tcpListen.port", 65001, "2.1.67", {"taken_addresses": ["192.0.2.7:65001", "[::1]:65001"]}),
        ("dfdaemon", "proxy.server.ip", "127.0.0.1", "1.5.1", {"taken_addresses": ["192.0.2.7:4001"]}),
        ("dfdaemon", "stats.server", {"ip": "192.0.2.7", "port": 4001}, "1.5.1", {}),
        ("dfget", "proxy", GO_PROXIES, "2.1.67", {"bases": ["https://ghcr.io"]}),
        ("dfget", "PROXY", GO["proxy"], "2.1.67", {}),
        ("dfget", "proxy.registryMirror.certs", ["/etc/ca.pem"], "2.1.67", {"missing_files": ["/etc/other.pem"]}),
        ("dfget", "storage.strategy", "io.d7y.storage.v2.advance", "2.1.67", {}),
    ],
)
def test_what_is_none(client, path, value, release, context):
    assert config_problems(with_key(base(client), path, value), client, release, Context(**context)) == []


@pytest.mark.parametrize(
    "client, config, release, expiry, max_age, code",
    [
        (
            "dfget",
            GO_SEED,
            "2.1.67",
            {"storage": {"multiplex": True, "taskExpireTime": "10m"}},
            3600,
            "expires_too_soon",
        ),
        ("dfget", GO_SEED, "2.1.67", {}, 6 * 3600, None),
        ("dfget", GO_SEED, "2.1.67", {}, 6 * 3600 + 1, "expires_too_soon"),
        ("dfget", GO, "2.1.67", {}, 10**9, None),
        ("dfdaemon", RUST_SEED, "1.2.0", {}, 7 * 3600, "expires_too_soon"),
        ("dfdaemon", RUST_SEED, "1.2.1", {}, 7 * 3600, None),
        ("dfdaemon", RUST_SEED, "1.4.2", {"gc": {"policy": {"taskTTL": "30m"}}}, 3600, "expires_too_soon"),
        ("dfdaemon", RUST_SEED, "1.4.2", {"gc": {"policy": {"taskTTL": "30m"}}}, None, None),
    ],
)
def test_a_seed_must_keep_what_was_preheated(client, config, release, expiry, max_age, code):
    actual = config_problems({**config, **expiry}, client, release, Context(max_age=max_age))
    assert [problem.code for problem in actual] == ([code] if code else [])


# The hosts of a run with real managers, seeds, containerd and registry, with its counts.
MEASURED = [
    ("dfget", "2.1.67", {"defaultFilter": "Expires&Signature&ns"}, "2.1.67", True),
    ("dfget", "2.1.67", {"defaultFilter": ""}, "2.1.67", False),
    ("dfdaemon", "1.4.2", {"rules": [{"regex": "blobs/sha256.*"}]}, "2.5.1", True),
    (
        "dfdaemon",
        "1.4.2",
        {"rules": [{"regex": "blobs/sha256.*", "filteredQueryParams": ["Expires", "Signature"]}]},
        "2.5.1",
        False,
    ),
    (
        "dfdaemon",
        "1.4.2",
        {"registryMirror": {"addr": "http://10.77.0.1:5000", "enableTaskIDBasedBlobDigest": True}},
        "2.5.1",
        False,
    ),
]


@pytest.mark.parametrize("client, release, proxy, manager, hit", MEASURED)
def test_the_verdict_is_what_was_measured(client, release, proxy, manager, hit):
    config = {**base(client), "proxy": {**base(client)["proxy"], **proxy}}
    assert (config_problems(config, client, release, Context(manager_release=manager)) == []) is hit


def test_an_unreadable_value_is_reported_without_its_consequences():
    config = with_key(with_key(GO, "aliveTime", 30), "proxy.defaultFilter", 5)
    config = with_key(with_key(config, "scheduler.manager.netAddrs", "manager:65003"), "keepStorage", False)
    assert [(problem.code, problem.key) for problem in config_problems(config, "dfget", "2.1.67")] == [
        ("wrong_type", "aliveTime"),
        ("wrong_type", "scheduler.manager.netAddrs"),
        ("wrong_type", "proxy.defaultFilter"),
        ("storage_not_kept", "keepStorage"),
    ]


def beginnings(config, client, release, **context):
    """Return the messages of problems up to the first colon, and the remedies."""
    problems = config_problems(config, client, release, Context(**context))
    return [(problem.message.partition(":")[0], problem.remedy) for problem in problems]


def test_a_role_names_its_variables():
    config = with_key(GO, "scheduler.manager.netAddrs", [{"type": "tcp", "addr": "manager"}])
    key = "scheduler.manager.netAddrs"
    [(where, _remedy)] = beginnings(config, "dfget", "2.1.67")
    assert where == key
    [(where, _remedy)] = beginnings(config, "dfget", "2.1.67", role_config={})
    assert where == f"{key} (dfget_manager_addrs)"
    role_config = {"scheduler": {"manager": {"netAddrs": ["manager"]}}}
    [(where, _remedy)] = beginnings(config, "dfget", "2.1.67", role_config=role_config)
    assert where == key


@pytest.mark.parametrize(
    "client, release, path, value, key, variable",
    [
        ("dfget", "2.1.67", "scheduler.manager.netAddrs", [], "scheduler.netAddrs", "dfget_scheduler_addrs"),
        ("dfdaemon", "1.5.1", "manager", {}, "manager.addr", "dfdaemon_manager_addr"),
    ],
)
def test_remedy_names_keys_without_a_role_and_variables_with_one(client, release, path, value, key, variable):
    config = with_key(base(client), path, value)
    [(_where, remedy)] = beginnings(config, client, release)
    assert key in remedy
    assert "_addr" not in remedy
    [(_where, remedy)] = beginnings(config, client, release, role_config={})
    assert variable in remedy


def test_schedulers_and_service_options_have_the_names_of_variables_with_a_role():
    context = {"schedulers": ["s:8002"], "service_options": {"Memory Max": "2G"}}
    wheres = [where for where, _remedy in beginnings(RUST, "dfdaemon", "1.5.1", **context)]
    assert wheres == ["schedulers", "service_options.Memory Max"]
    wheres = [where for where, _remedy in beginnings(RUST, "dfdaemon", "1.5.1", **context, role_config={})]
    assert wheres == ["dfdaemon_scheduler_addrs", "dfdaemon_service_options.Memory Max"]


#: Variables that other variables of the role combine with the addresses of the manager.
_COMBINED = ("dfget_manager_addrs", "dfget_scheduler_addrs")


@pytest.mark.parametrize("program", sorted(VARIABLES))
def test_variables_are_those_of_the_role(program):
    role = ROLES / program
    options = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]
    template = (role / "templates/base.yaml.j2").read_text(encoding="utf-8")
    assert set(VARIABLES[program].values()) <= set(options["options"])
    for key, variable in VARIABLES[program].items():
        if key != "release":
            assert any(f"{known}.".startswith(f"{key}.") for known in SCHEMA[program])
            assert variable in _COMBINED or re.search(rf"\b{variable}\b", template)
    used = set(re.findall(rf"\b{program}_\w+", template))
    assert used & set(options["options"]) - {f"{program}_config"} <= set(VARIABLES[program].values())


def test_a_release_that_is_none_is_an_error():
    with pytest.raises(ValueError):
        config_problems(GO, "dfget", "newest")


SECRET = "s3cr3t-s3cr3t-s3cr3t-s3cr3t"


@pytest.mark.parametrize(
    "client, path", [("dfget", "proxy.basicAuth.password"), ("dfdaemon", "proxy.server.basicAuth.password")]
)
@pytest.mark.parametrize("value", [SECRET, [SECRET], {SECRET: SECRET}])
def test_no_problem_shows_a_password(client, path, value):
    for problem in config_problems(with_key(base(client), path, value), client):
        assert "s3cr3t" not in problem.message.replace(path, "")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


@given(st.data(), st.sampled_from(["dfdaemon", "dfget"]))
def test_any_value_of_any_key_is_judged_and_not_stumbled_over(choices, client):
    path = choices.draw(st.sampled_from(sorted({part for key in SCHEMA[client] for part in prefixes(key)})))
    config = with_key(base(client), path, choices.draw(ANYTHING))
    for problem in config_problems(config, client, choices.draw(st.sampled_from([None, "2.1.67", "1.4.2"]))):
        assert problem.code in MESSAGES
    assert isinstance(config_files(config, client), list)
    assert isinstance(has_secret(config, client), bool)


@pytest.mark.parametrize("client", SCHEMA)
@pytest.mark.parametrize("value", [True, "", "x", [], [1], {}, {"x": 1}])
def test_a_key_of_another_release_with_a_value_of_any_type(client, value):
    for path, key in SCHEMA[client].items():
        if "[]" in path:
            continue
        releases = [".".join(map(str, key.until))] if key.until else []
        for release in [*releases, FIRST_RELEASE[client]]:
            problems = config_problems(with_key({}, path, value), client, release)
            assert all(problem.code in MESSAGES for problem in problems)


def prefixes(path: str) -> list[str]:
    parts = path.split("[]")[0].split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@pytest.mark.parametrize(
    "client, path, value, files, secret",
    [
        ("dfget", "proxy.registryMirror.certs", ["/b", "/a"], ["/a", "/b"], False),
        ("dfget", "proxy.hijackHTTPS.key", "/k.pem", ["/k.pem"], False),
        ("dfget", "proxy.hijackHTTPS.key", "-----BEGIN PRIVATE KEY-----\n", [], True),
        ("dfget", "proxy.basicAuth.password", "x", [], True),
        ("dfget", "download.resourceClients", {"https": {"headers": {"Authorization": "x"}}}, [], True),
        ("dfget", "someThing", "x", [], True),
        ("dfdaemon", "manager.key", "/k.pem", ["/k.pem"], False),
        ("dfdaemon", "backend.requestHeader", {"Authorization": "x"}, [], True),
        ("dfdaemon", "proxy.server.basicAuth.password", "x", [], True),
        ("dfdaemon", "host.idc", "x", [], False),
    ],
)
def test_what_a_role_must_know(client, path, value, files, secret):
    config = with_key(base(client), path, value)
    assert (config_files(config, client), has_secret(config, client)) == (files, secret)


# --- docs/traps.md


def judge_config(text, certs_dir, containerd=None, **more):
    facts = {"config": {"path": "config.toml", "text": text}, "version": containerd}
    return judge_facts(facts, certs_dir, **more)


CONTAINERD_CASES = {
    "registry_header": lambda: header_problems({"x-dragonfly-registry": "https://a"}, "dfget"),
    "content_id": lambda: header_problems({"X-Dragonfly-Content-For-Calculating-Task-ID": "x"}, "dfdaemon"),
    "piece_length_too_small": lambda: header_problems({"X-Dragonfly-Piece-Length": "1mib"}, "dfdaemon"),
    "toml_invalid": lambda: judge_config("version = ", "/etc/containerd/certs.d").problems,
    "config_version_1": lambda: judge_config("root = '/x'", "/etc/containerd/certs.d").problems,
    "cri_disabled": lambda: judge_config("version = 2\ndisabled_plugins = ['cri']", "/etc/containerd/certs.d").problems,
    "mirrors_in_use": lambda: (
        judge_config(
            "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry.mirrors.'docker.io']\nendpoint = ['http://a']",
            "/etc/containerd/certs.d",
        ).problems
    ),
    "tls_in_use": lambda: (
        judge_config(
            "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry.configs.'a'.tls]\nca_file = '/a'",
            "/etc/containerd/certs.d",
        ).problems
    ),
    "other_config_path": lambda: (
        judge_config(
            "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/elsewhere'",
            "/etc/containerd/certs.d",
        ).problems
    ),
    "parallel_fetch": lambda: (
        judge_config(
            "version = 3\n[plugins.'io.containerd.transfer.v1.local']\nconcurrent_layer_fetch_buffer = 1048576",
            "/etc/containerd/certs.d",
            client="dfget",
        ).problems
    ),
    "lazy_snapshotter": lambda: (
        judge_config(
            "version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'nydus'",
            "/etc/containerd/certs.d",
            client="dfget",
        ).problems
    ),
}


class _Words(dict):
    """Values for format_map: placeholders in capitals."""

    def __missing__(self, name: str) -> _Word:
        return _Word(name.upper())


class _Word(str):
    def __repr__(self) -> str:
        return str(self)


#: Traps without a code, because no setting causes them.
HANDLED_BY_THE_ROLES = {
    "Preheat and hosts fetch the same registry from different URLs",
    "Go and Rust clients in one group",
    "`https://` in front of the proxy's address",
    "A reload stops the Go client, or reads few settings",
    "After a crash or with an invalid file, `dfdaemon` stays down",
    "Installing the Go package starts it with the addresses of a Kubernetes cluster",
    "The file holds passwords",
    "Files of another program",
    "containerd silently falls back to the registry",
    "Certificates and logins of private registries",
}


def documented() -> list[tuple[str, str | None, str]]:
    """Return title, code and message of each row of the tables of traps."""
    text = DOCS.read_text(encoding="utf-8").partition("## Rejected by the roles themselves")[0]
    rows = re.findall(r"^\| (.+?) \| (?:`(\w+)`)?.*? \| (.+?) \|$", text, re.MULTILINE)
    return [(title, code or None, message) for title, code, message in rows if title not in ("Trap", "---")]


def test_the_document_says_what_the_code_says():
    described = {code: message for _title, code, message in documented() if code}
    assert described == {code: reason.format_map(_Words()) for code, (reason, _remedy) in MESSAGES.items()}


def test_the_document_has_every_trap_that_the_roles_handle():
    assert {title for title, code, _message in documented() if code is None} == HANDLED_BY_THE_ROLES


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_each_documented_problem_has_a_configuration_that_makes_it(code):
    if code in CONTAINERD_CASES:
        assert code in [problem.code for problem in CONTAINERD_CASES[code]()]
    elif any(f'"{code}"' in path.read_text(encoding="utf-8") for path in TABLES):
        pass  # A table there creates it.
    else:
        assert code == "expires_too_soon" or code in {case.code for case in CASES}
