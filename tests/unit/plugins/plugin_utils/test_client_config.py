# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import (
    FIRST_RELEASE,
    LAST_RELEASE,
    SCHEMA,
    checked_release,
    get,
    look_up,
    settings,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.values import (
    is_loopback,
    parse_bytes,
    parse_duration,
    value_error,
)

KEYS = [(client, key) for client, keys in SCHEMA.items() for key in keys.values()]


@pytest.mark.parametrize("client, key", KEYS, ids=[key.path for _client, key in KEYS])
def test_each_line_of_the_table_makes_sense(client, key):
    assert value_error(key.type, object(), client), "nothing is of a type that the checks do not know"
    if key.since and key.until:
        assert key.since < key.until
    for other in (key.now, key.was):
        assert other is None or other in SCHEMA[client]
    if key.now:
        assert SCHEMA[client][key.now].since is None or SCHEMA[client][key.now].since <= key.until
        until = SCHEMA[client][key.now].until
        assert until is None or until > key.until
    if key.was:
        assert SCHEMA[client][key.was].now in (key.path, None)


@pytest.mark.parametrize(
    "client, release, count",
    [("dfget", "2.0.9", 171), ("dfget", "2.3.4", 184), ("dfdaemon", "0.1.112", 66), ("dfdaemon", "1.5.1", 106)],
)
def test_the_table_has_every_key_of_a_release(client, release, count):
    """The number is that of client/config/peerhost.go and dragonfly-client-config/src/dfdaemon.rs, with aliases."""
    assert len([key for key in SCHEMA[client] if look_up(client, key, release).status == "known"]) == count


@pytest.mark.parametrize(
    "client, release, path, status, instead",
    [
        ("dfget", "2.0.9", "proxy.defaultFilter", "known", None),
        ("dfget", "2.3.4", "proxy.proxies[].regx", "known", None),
        ("dfget", None, "verbose", "known", None),
        ("dfget", None, "logLevel", "known", None),
        # The Go client ignores the case of names.
        ("dfget", "2.1.67", "proxy.registrymirror.DYNAMIC", "known", None),
        ("dfget", "2.1.67", "security.cacert", "gone", None),
        ("dfget", "2.1.60", "security.cacert", "known", None),
        ("dfget", "2.2.4", "verbose", "gone", "logLevel"),
        ("dfget", "2.2.3", "logLevel", "later", "verbose"),
        ("dfget", "2.2.4-rc.1", "pprof-port", "gone", "pprofPort"),
        ("dfget", "2.0.9", "networkTopology.enable", "later", None),
        ("dfget", "2.1.0", "networkTopology.enable", "known", None),
        ("dfget", "2.1.60", "networkTopology.enable", "gone", None),
        ("dfget", "2.1.60", "networkTopology", "gone", None),
        ("dfget", "2.1.44", "peerExchange.initialBroadcastDelay", "later", None),
        ("dfget", "2.1.67", "proxy", "branch", None),
        ("dfget", "2.1.67", "proxy.proxies", "branch", None),
        ("dfget", "2.1.67", "download.peerGRPC.tcpListen.port", "known", None),
        ("dfget", "2.1.67", "health.unixListen.socket", "known", None),
        ("dfdaemon", "0.1.112", "manager.addrs", "gone", "manager.addr"),
        ("dfdaemon", "0.1.112", "manager.addr", "known", None),
        ("dfdaemon", "1.2.7", "download.rateLimit", "known", None),
        ("dfdaemon", "1.2.8", "download.rateLimit", "gone", "download.bandwidthLimit"),
        ("dfdaemon", "1.2.7", "download.bandwidthLimit", "later", "download.rateLimit"),
        ("dfdaemon", "1.1.14", "gc.policy.diskThreshold", "later", "gc.policy.distThreshold"),
        # The old names stayed as aliases.
        ("dfdaemon", "1.5.1", "gc.policy.distThreshold", "known", None),
        ("dfdaemon", "1.2.5", "network.enableIpv6", "gone", "network.enableIPv6"),
        ("dfdaemon", "1.2.4", "network.enableIPv6", "later", "network.enableIpv6"),
        ("dfdaemon", "1.1.7", "proxy.registryMirror.enableTaskIdBasedBlobDigest", "known", None),
        (
            "dfdaemon",
            "1.1.8",
            "proxy.registryMirror.enableTaskIdBasedBlobDigest",
            "gone",
            "proxy.registryMirror.enableTaskIDBasedBlobDigest",
        ),
        # The Rust client does not fold case.
        ("dfdaemon", "1.4.2", "proxy.registrymirror.addr", "unknown", "proxy.registryMirror.addr"),
        ("dfdaemon", "1.0.11", "seedPeer.clusterID", "gone", "host.schedulerClusterID"),
        ("dfdaemon", "9.9.9", "proxy.rules[].regex", "known", None),
    ],
)
def test_what_a_release_makes_of_a_key(client, release, path, status, instead):
    entry = look_up(client, path, release)
    assert (entry.status, entry.instead) == (status, instead)


@pytest.mark.parametrize(
    "client, path, meant",
    [
        ("dfget", "proxy.defaultFilters", "proxy.defaultFilter"),
        ("dfget", "proxy.proxies[].regex", "proxy.proxies[].regx"),
        ("dfget", "proxy.proxies[].useTLS", "proxy.proxies[].useHTTPS"),
        ("dfget", "proxy.filterQueryParams", None),
        ("dfget", "health.tcpListen.path", "health.path"),
        ("dfget", "scheduler.manager.seedPeer.keepAlive.internal", "scheduler.manager.seedPeer.keepAlive.interval"),
        ("dfget", "defaultFilter", "proxy.defaultFilter"),
        ("dfget", "schedular", "scheduler"),
        ("dfdaemon", "proxy.rules[].regx", "proxy.rules[].regex"),
        ("dfdaemon", "proxy.rules[].filterQueryParams", "proxy.rules[].filteredQueryParams"),
        ("dfdaemon", "proxy.defaultFilter", "proxy.rules[].filteredQueryParams"),
        ("dfdaemon", "keepStorage", "storage.keep"),
        ("dfdaemon", "schedulerClusterID", "host.schedulerClusterID"),
        ("dfdaemon", "zzzz", None),
    ],
)
def test_which_key_was_meant(client, path, meant):
    entry = look_up(client, path, LAST_RELEASE[client])
    assert (entry.status, entry.instead) == ("unknown", meant)


@pytest.mark.parametrize("client", SCHEMA)
def test_a_dropped_letter_is_found(client):
    """Each key of the newest release without its last letter is unknown, and the right name is suggested."""
    for key in SCHEMA[client].values():
        if look_up(client, key.path, LAST_RELEASE[client]).status == "known" and len(key.path.rpartition(".")[2]) > 4:
            entry = look_up(client, key.path[:-1], LAST_RELEASE[client])
            assert (entry.status, entry.instead) == ("unknown", key.path), key.path


@pytest.mark.parametrize(
    "release, parsed",
    [("2.1.67", (2, 1, 67)), ("v0.1.112", (0, 1, 112)), ("v2.3.4-rc.1", (2, 3, 4)), (None, None), ("", None)],
)
def test_releases(release, parsed):
    assert checked_release(release) == parsed


@pytest.mark.parametrize("release", ["2.1", "latest", "2.x.1"])
def test_a_release_that_is_none(release):
    with pytest.raises(ValueError, match="write it like 2.1.67"):
        checked_release(release)


def test_the_bounds_of_the_table():
    assert {client: (FIRST_RELEASE[client], LAST_RELEASE[client]) for client in SCHEMA} == {
        "dfget": ("2.0.9", "2.3.4"),
        "dfdaemon": ("0.1.112", "1.5.1"),
        "manager": ("2.1.0", "2.5.1"),
        "scheduler": ("2.1.0", "2.5.1"),
    }


def test_settings_go_into_known_maps_and_lists_only():
    config = {
        "aliveTime": "0s",
        "unknown": {"below": 1},
        "download": {"resourceClients": {"https": {"insecureSkipVerify": True}}},
        "proxy": {"proxies": [{"regx": "a"}, {"regx": "b", "direct": True}], "whiteList": "all"},
        "upload": {},
    }
    assert [(entry.path, entry.where, entry.value) for entry in settings(config, "dfget")] == [
        ("aliveTime", "aliveTime", "0s"),
        ("unknown", "unknown", {"below": 1}),
        ("download.resourceClients", "download.resourceClients", {"https": {"insecureSkipVerify": True}}),
        ("proxy.proxies[].regx", "proxy.proxies[0].regx", "a"),
        ("proxy.proxies[].regx", "proxy.proxies[1].regx", "b"),
        ("proxy.proxies[].direct", "proxy.proxies[1].direct", True),
        ("proxy.whiteList", "proxy.whiteList", "all"),
        ("upload", "upload", {}),
    ]


def test_get_folds_case_for_the_go_client_only():
    config = {"Proxy": {"DefaultFilter": "ns"}}
    assert get(config, "dfget", "proxy.defaultFilter") == "ns"
    assert get(config, "dfdaemon", "proxy.defaultFilter", "none") == "none"
    assert get({"proxy": "path"}, "dfget", "proxy.defaultFilter", "none") == "none"


@pytest.mark.parametrize(
    "value, client, seconds",
    [
        ("0s", "dfget", 0),
        (0, "dfget", 0),
        ("0", "dfget", 0),
        ("1h30m", "dfget", 5400),
        ("1.5h", "dfget", 5400),
        ("-1s", "dfget", -1),
        ("100ms", "dfget", 0.1),
        ("6h", "dfdaemon", 21600),
        ("1h 30min", "dfdaemon", 5400),
        ("30days", "dfdaemon", 2592000),
        # Nanoseconds for the Go client, an error for the Rust client, never the intended value.
        (30, "dfget", None),
        (30, "dfdaemon", None),
        (0, "dfdaemon", 0),
        ("0", "dfdaemon", 0),
        ("0", "dfget", 0),
        ("3 micros", "dfdaemon", None),
        ("30", "dfget", None),
        ("30", "dfdaemon", None),
        ("1d", "dfget", None),
        ("1.5h", "dfdaemon", 5400),
        ("1 h", "dfget", None),
        ("", "dfget", None),
        ("", "dfdaemon", None),
        (True, "dfget", None),
        (None, "dfget", None),
        # Larger than a client's integer.
        ("9223372036s", "dfget", 9223372036),
        ("9223372037s", "dfget", None),
        ("9223372037s", "dfdaemon", 9223372037),
        ("9" * 500 + "s", "dfget", None),
        ("9" * 500 + "s", "dfdaemon", None),
    ],
)
def test_durations(value, client, seconds):
    assert parse_duration(value, client) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("release, seconds", [((1, 4, 0), None), ((1, 4, 1), 5400), (None, 5400)])
def test_fractions_of_a_duration_came_with_humantime_2_4(release, seconds):
    assert parse_duration("1.5h", "dfdaemon", release) == seconds


@pytest.mark.parametrize(
    "value, client, size",
    [
        (2097152, "dfget", 2097152),
        ("1024Mi", "dfget", 1024**3),
        ("20MB", "dfget", 20 * 1024**2),
        ("20MB", "dfdaemon", 20 * 1000**2),
        ("20MiB", "dfdaemon", 20 * 1024**2),
        ("512k", "dfget", 512 * 1024),
        ("50GB", "dfdaemon", 50 * 1000**3),
        ("10", "dfget", 10),
        ("ten", "dfget", None),
        ("10 apples", "dfdaemon", None),
        (True, "dfget", None),
        (None, "dfdaemon", None),
        ("9" * 500 + "Gi", "dfget", None),
        ("9Ei", "dfget", None),
        ("7Ei", "dfget", 7 * 1024**6),
        # The crate bytesize has no exabytes, but fractions, unlike Go. Larger values become its maximum.
        ("7Ei", "dfdaemon", None),
        (".5Gi", "dfdaemon", 1024**3 // 2),
        ("1.GB", "dfdaemon", 1000**3),
        ("1.5", "dfdaemon", None),
        ("9" * 500 + "Gi", "dfdaemon", 2**64 - 1),
        (-1, "dfdaemon", None),
        (2**64, "dfdaemon", None),
        ("-1GB", "dfdaemon", None),
        (" 1GB", "dfdaemon", None),
        ("1GB ", "dfdaemon", None),
    ],
)
def test_sizes(value, client, size):
    assert parse_bytes(value, client) == size


@pytest.mark.parametrize(
    "kind, good, bad",
    [
        ("bool", [True, False], ["true", 1, None]),
        ("i64", [0, -1, 2**63 - 1], ["1", True, 1.5, 2**63]),
        ("i32", [-(2**31)], [2**31]),
        ("u8", [0, 255], [256, -1, 1.0, None]),
        ("u32", [2**32 - 1], [2**32, -1]),
        ("u64", [0, 2**64 - 1], [-1, "7", 2**64]),
        ("u64?", [None, 7], [-1]),
        ("float", [1, 0.5], ["0.5", True]),
        ("str", ["", "a"], [1, None, []]),
        ("i32(0..6)", [0, 6], [-1, 7, "5"]),
        ("u32(1..)", [1, 10**9], [0, 2**32]),
        ("texts", [{}, {"a": "b", "c": 1}], ["a", {"a": ["b"]}, {"a": {}}]),
        ("headers", [{"X-A": "b"}, {"x-a": ["b", "c"]}], [{"X A": "b"}, {"": "b"}, {"X-A": "a\nb"}, {"X-A": 1}, []]),
        ("super|strong|weak", ["super"], ["Super", "", 1]),
        ("ip", ["127.0.0.1", "::1"], ["localhost", "", 1, "fe80::1%eth0"]),
        (
            "url",
            ["https://index.docker.io", "http://a:5000"],
            ["index.docker.io", "https://", "ftp://a", "https://a:port"],
        ),
        ("port", [0, 65535], [65536, -1, "80"]),
        (
            "ports",
            [65001, {"start": 1, "end": 2}, {"start": 1}],
            ["65001", {"end": 2}, {"start": "1"}, {"start": 1, "end": "2"}],
        ),
        ("files", [[], ["/a"]], ["/a", [1]]),
        ("strings", [["ns"], [80]], ["ns", [None]]),
        ("ips", [[], ["127.0.0.1", "::1"]], ["127.0.0.1", ["localhost"]]),
        ("map", [{}, {"a": 1}], [[], "a"]),
        (
            "addresses",
            [["m:65003"], [{"type": "tcp", "addr": "m:1"}]],
            ["m:65003", [{"addr": "m:1"}], [{"type": "udp", "addr": "m"}]],
        ),
    ],
)
def test_types(kind, good, bad):
    assert [value for value in good if value_error(kind, value, "dfget")] == []
    assert [value for value in bad if not value_error(kind, value, "dfget")] == []


def test_loopback():
    assert [address for address in ("127.0.0.1", "::1", "localhost", "127.1.2.3") if not is_loopback(address)] == []
    assert [address for address in ("0.0.0.0", "::", "", "10.0.0.1", "example.com") if is_loopback(address)] == []
