# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems of manager.yaml and scheduler.yaml."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.checker import Context
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import MESSAGES
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import (
    config_files,
    config_problems,
    has_secret,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import SCHEMA
from hypothesis import given
from hypothesis import strategies as st

MYSQL = {"user": "dragonfly", "password": "s3cr3t", "host": "db.example.com"}
MANAGER: dict[str, t.Any] = {
    "auth": {"jwt": {"key": "KG0n3v0rT4Zkq6mCf1c5w0k1dQ=="}},
    "database": {"type": "mysql", "mysql": MYSQL, "redis": {"addrs": ["redis.example.com:6379"], "password": "s3cr3t"}},
}
SCHEDULER: dict[str, t.Any] = {
    "server": {"advertiseIP": "192.0.2.7"},
    "manager": {"addr": "manager.example.com:65003", "schedulerClusterID": 1},
    "database": {"redis": {"addrs": ["redis.example.com:6379"]}},
}
BASES = {"manager": MANAGER, "scheduler": SCHEDULER}
RELEASES = [None, "2.1.0", "2.1.29", "2.1.61", "2.1.67", "2.2.3", "2.3.4", "2.4.4", "2.5.1", "2.6.0"]
POSTGRES = {"user": "dragonfly", "password": "s3cr3t", "host": "db.example.com"}
TLS = {"caCert": "/ca.pem", "cert": "/cert.pem", "key": "/key.pem"}


def with_keys(config: dict[str, t.Any], keys: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a copy of a configuration with dotted keys set."""
    changed = copy.deepcopy(config)
    for path, value in keys.items():
        node = changed
        *parents, last = path.split(".")
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = value
    return changed


class Case(t.NamedTuple):
    """A configuration that is valid except some keys, and its only problem."""

    code: str
    program: str
    key: str
    keys: dict[str, t.Any]
    release: str | None = "2.5.1"
    context: Context = Context()


def manager(code: str, key: str, keys: t.Any, release: str | None = "2.5.1", **context: t.Any) -> Case:
    return Case(code, "manager", key, keys if isinstance(keys, dict) else {key: keys}, release, Context(**context))


def scheduler(code: str, key: str, keys: t.Any, release: str | None = "2.5.1", **context: t.Any) -> Case:
    return Case(code, "scheduler", key, keys if isinstance(keys, dict) else {key: keys}, release, Context(**context))


CASES = [
    manager("unknown_key", "databse", {"databse": {"type": "mysql"}}),
    manager("unknown_key", "database.mysql.username", "x"),
    manager("unknown_key", "server.port", 65003),
    manager("key_gone", "job.gc.interval", "3h", "2.2.3"),
    manager("key_gone", "server.cacheDir", "/var/cache/dragonfly"),
    manager("key_gone", "objectStorage.enable", False, "2.4.0"),
    manager("key_not_yet", "database.redis.tls.caCert", "/ca.pem", "2.4.3"),
    manager("key_not_yet", "server.logLevel", "debug", "2.2.3"),
    manager("wrong_type", "server.grpc.port", 65003),
    manager("wrong_type", "auth.jwt.timeout", "2d"),
    manager("wrong_type", "auth.jwt.timeout", 3600),
    manager("wrong_type", "database.type", "sqlite"),
    manager("wrong_type", "database.type", "polardb", "2.4.3"),
    manager("wrong_type", "database.mysql.port", "3306"),
    manager("wrong_type", "database.mysql.port", 0),
    manager("wrong_type", "database.redis.brokerDB", -1),
    manager("wrong_type", "server.logMaxSize", -1),
    manager("wrong_type", "server.grpc.advertiseIP", "manager.example.com"),
    manager("missing_key", "auth.jwt.key", {"auth.jwt": {}}),
    manager("missing_key", "auth.jwt.key", ""),
    manager("missing_key", "database.mysql.password", {"database.mysql": {"user": "a", "host": "b"}}),
    manager("missing_key", "database.postgres.user", {"database.type": "postgres"}),
    manager("missing_key", "database.polardb.addrList", {"database.type": "polardb"}),
    manager("missing_key", "database.redis.addrs", []),
    manager("missing_key", "server.rest.tls.key", {"server.rest.tls": {"cert": "/cert.pem"}}),
    manager("missing_key", "server.grpc.tls.caCert", {"server.grpc.tls": {"cert": "/c.pem", "key": "/k.pem"}}),
    manager("missing_key", "database.mysql.tls.ca", {"database.mysql.tls": {"cert": "/c", "key": "/k"}}, "2.1.60"),
    manager("missing_key", "database.redis.tls.caCert", {"database.redis.tls": {"insecureSkipVerify": False}}),
    manager("missing_key", "objectStorage.secretKey", {"objectStorage.enable": True}, "2.3.4"),
    manager("missing_key", "job.preheat.tls.caCert", {"job.preheat.tls": {"caCert": ""}}, "2.1.58"),
    manager("missing_key", "security.caKey", {"security.autoIssueCert": True}, "2.1.60"),
    manager("missing_file", "job.preheat.tls.caCert", "/ca.pem", missing_files=["/ca.pem"]),
    manager("bad_value", "job.syncPeers.interval", "12h"),
    manager("bad_value", "cache.redis.ttl", "0s"),
    manager("bad_value", "server.name", ""),
    manager("bad_value", "server.grpc.requestRateLimit", 0),
    manager("bad_value", "job.gc.ttl", "0s", "2.2.2"),
    manager("bad_value", "server.rest.addr", "8080"),
    manager("bad_value", "server.rest.addr", "http://0.0.0.0:8080"),
    manager("bad_value", "metrics.addr", {"metrics": {"enable": True, "addr": "8000"}}),
    manager("bad_value", "database.redis.addrs[1]", {"database.redis.addrs": ["a:6379", "redis://b:6379"]}),
    manager("bad_value", "database.mysql.tlsConfig", "require"),
    manager("bad_value", "database.polardb.addrList", {"database.polardb.addrList": "a", "database.type": "polardb"}),
    manager("bad_value", "database.redis.tls.cert", {"database.redis.tls": {"caCert": "/ca.pem", "cert": "/c.pem"}}),
    manager(
        "bad_value",
        "database.redis.proxy.enable",
        {"database.redis.proxy.enable": True, "database.redis.addrs": ["a:1", "b:2"]},
    ),
    manager("bad_value", "server.logLevel", "verbose"),
    manager("bad_value", "tracing.protocol", {"tracing": {"protocol": "jaeger", "endpoint": "a:4317"}}),
    manager("no_such_server", "release", {}, "2.0.9"),
    manager("public_jwt_key", "auth.jwt.key", "ZHJhZ29uZmx5Cg=="),
    manager("unreachable_address", "server.grpc.advertiseIP", "127.0.0.1"),
    manager("unreachable_address", "server.grpc.advertiseIP", "0.0.0.0"),
    manager("unreachable_address", "server.grpc.listenIP", "::1"),
    manager(
        "text_in_dsn",
        "database.postgres.password",
        {"database.type": "postgres", "database.postgres": {**POSTGRES, "password": "it's"}},
    ),
    manager("text_in_dsn", "database.mysql.user", "a:b"),
    manager("same_redis_database", "database.redis.backendDB", 1),
    manager("same_redis_database", "database.redis.brokerDB", 0),
    manager("redis_user_ignored", "database.redis.username", "dragonfly", "2.2.2"),
    manager("redis_login_in_url", "database.redis.password", "a b"),
    manager("redis_login_in_url", "database.redis.password", "a@b", "2.1.23"),
    manager(
        "redis_login_in_url",
        "database.redis.password",
        {"database.redis.addrs": ["a:26379", "b:26379"], "database.redis.password": "a+b"},
    ),
    manager("bad_value", "database.mysql.host", "2001:db8::1", "2.4.0"),
    manager("redis_tls_without_jobs", "database.redis.tls", {"database.redis.tls": TLS}),
    manager("port_clash", "server.rest.addr", ":65003"),
    manager("port_clash", "metrics.addr", {"metrics": {"enable": True, "addr": "0.0.0.0:8080"}}),
    manager("port_taken", "server.rest.addr", {"server.rest.addr": ":8080"}, taken_addresses=["127.0.0.1:8080"]),
    manager(
        "port_taken", "server.rest.addr", {"server.rest.addr": "192.0.2.7:8080"}, taken_addresses=["192.0.2.7:8080"]
    ),
    manager("port_taken", "server.grpc.port.start", {}, taken_addresses=["0.0.0.0:65003"]),
    manager(
        "bad_service_option",
        "service_options.Environment",
        {},
        service_options={"Environment": "DRAGONFLY_PAT=a%b"},
    ),
    scheduler("unknown_key", "server.ip", "192.0.2.7"),
    scheduler("unknown_key", "manager.clusterID", 1),
    scheduler("key_gone", "networkTopology.enable", False, "2.1.31"),
    scheduler("key_gone", "storage.maxSize", 1, "2.2.1"),
    scheduler("key_not_yet", "server.requestRateLimit", 100, "2.4.1"),
    scheduler("wrong_type", "manager.schedulerClusterID", 0),
    scheduler("wrong_type", "server.port", 0),
    scheduler("wrong_type", "job.globalWorkerNum", 0),
    scheduler("wrong_type", "scheduler.retryInterval", 500),
    scheduler("missing_key", "manager.tls.cert", {"manager.tls": {"caCert": "/ca.pem", "key": "/key.pem"}}),
    scheduler("missing_key", "seedPeer.tls.key", {"seedPeer.tls": {"caCert": "/ca.pem", "cert": "/cert.pem"}}),
    scheduler("missing_key", "security.caCert", {"security.autoIssueCert": True}, "2.1.60"),
    scheduler("bad_value", "scheduler.gc.peerTTL", "0s"),
    scheduler("bad_value", "manager.addr", ""),
    scheduler("bad_value", "manager.addr", "http://manager.example.com:65003"),
    scheduler("bad_value", "storage.bufferSize", 0, "2.1.37"),
    scheduler("bad_value", "server.advertisePort", 0, "2.1.28"),
    scheduler("bad_value", "networkTopology.probe.count", 0, "2.1.30"),
    scheduler(
        "bad_value",
        "scheduler.networkTopology.probe.count",
        {"scheduler": {"algorithm": "nt", "networkTopology": {"probe": {"count": 0}}}},
        "2.1.59",
    ),
    scheduler("no_manager", "manager.addr", {"manager": {}}),
    scheduler("no_jobs", "job.enable", False),
    scheduler("no_jobs", "database.redis.addrs", {"database": {}}),
    scheduler("release_lines", "release", {}, manager_release="2.4.4"),
    manager("release_lines", "release", {}, manager_release="2.4.4"),
    scheduler("unreachable_address", "server.advertiseIP", "127.0.0.1"),
    scheduler("unreachable_address", "server.advertiseIP", "fe80::1"),
    scheduler("unreachable_address", "server.listenIP", "127.0.0.1"),
    scheduler("same_redis_database", "database.redis.backendDB", 1),
    scheduler("redis_login_in_url", "job.redis.password", "a b"),
    scheduler("port_clash", "metrics.addr", {"metrics": {"enable": True, "addr": ":8002"}}),
    scheduler("port_taken", "server.port", 8003, taken_addresses=["*:8003"]),
]


#: An unreadable password counts as missing, and TLS to Redis is always rejected.
ALONG_WITH = {
    "wrong_type": {"missing_key", "bad_value"},
    "key_not_yet": {"redis_tls_without_jobs"},
    "missing_key": {"redis_tls_without_jobs"},
    "bad_value": {"redis_tls_without_jobs", "missing_key"},
}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("program", BASES)
def test_a_sound_configuration_has_no_problem(program, release):
    assert config_problems(BASES[program], program, release) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.program}-{case.code}-{case.key}")
def test_each_problem_is_found(case):
    problems = config_problems(with_keys(BASES[case.program], case.keys), case.program, case.release, case.context)
    assert (case.code, case.key) in [(problem.code, problem.key) for problem in problems]
    assert {problem.code for problem in problems} - {case.code} <= ALONG_WITH.get(case.code, set())
    assert not any("s3cr3t" in problem.message for problem in problems)


@pytest.mark.parametrize(
    "program, release, keys",
    [
        ("manager", "2.5.1", {"database": {**MANAGER["database"], "type": "mariadb"}}),
        ("manager", "2.5.1", {"database.type": "postgres", "database.postgres": POSTGRES}),
        ("manager", "2.5.1", {"SERVER": {"Grpc": {"AdvertiseIP": "192.0.2.7", "port": {"Start": 65003}}}}),
        ("manager", "2.5.1", {"server.grpc": {"listenIP": "0.0.0.0", "advertiseIP": "2001:db8::1", "tls": TLS}}),
        ("manager", "2.5.1", {"server.grpc.tls": {"caCert": None}}),
        ("manager", "2.5.1", {"server.rest.addr": "127.0.0.1:8080"}),
        ("manager", "2.5.1", {"database.redis": {"host": "redis.example.com", "port": 6379}}),
        ("manager", "2.5.1", {"database.redis.password": "a@b:c/d?e"}),
        ("manager", "2.5.1", {"database.redis.addrs": ["a:26379", "b:26379"], "database.redis.password": "a-B_c.d~0"}),
        ("manager", "2.4.1", {"database.mysql.host": "2001:db8::1"}),
        ("manager", "2.6.0", {"database.redis.tls": TLS}),
        ("manager", "2.5.1", {"database.mysql.password": "it's a \\ secret"}),
        ("manager", "2.5.1", {"metrics.addr": ":8080"}),
        ("manager", "2.5.1", {"auth.jwt.maxRefresh": "24h0m0s", "job.syncPeers.interval": "12h1s"}),
        ("manager", "2.5.1", {"job.preheat.tls": {"insecureSkipVerify": True}}),
        ("manager", "2.1.60", {"security": {"autoIssueCert": True, "caCert": "/ca.pem", "caKey": "/ca.key"}}),
        ("scheduler", "2.5.1", {"server.advertisePort": 0}),
        ("scheduler", "2.5.1", {"manager.addr": "127.0.0.1:65003", "manager.tls": TLS}),
        ("scheduler", "2.1.38", {"storage.bufferSize": 0}),
        ("scheduler", "2.1.31", {"scheduler.networkTopology.probe.count": 0}),
        ("scheduler", "2.5.1", {"database": {}, "job.redis": {"host": "redis.example.com", "port": 6379}}),
        ("scheduler", "2.5.1", {"server.listenIP": "::"}),
    ],
)
def test_what_is_sound(program, release, keys):
    assert config_problems(with_keys(BASES[program], keys), program, release) == []


@pytest.mark.parametrize(
    "program, keys, taken",
    [
        ("manager", {"server.rest.addr": "127.0.0.1:8080"}, "192.0.2.7:8080"),
        ("manager", {"server.grpc.listenIP": "192.0.2.7"}, "127.0.0.1:65003"),
        ("manager", {"metrics": {"enable": True, "addr": "[::1]:8000"}}, "127.0.0.1:8000"),
        ("manager", {"metrics.addr": ":8000"}, "*:8000"),
        ("scheduler", {"server.listenIP": "192.0.2.7"}, "192.0.2.8:8002"),
    ],
)
def test_a_port_that_another_program_uses_on_another_address(program, keys, taken):
    config = with_keys(BASES[program], keys)
    assert config_problems(config, program, "2.5.1", Context(taken_addresses=[taken])) == []


def test_manager_and_scheduler_of_one_release_line():
    assert config_problems(SCHEDULER, "scheduler", "2.5.1", Context(manager_release="2.5.0")) == []


@pytest.mark.parametrize(
    "path, meant",
    [
        ("database.mysql.passwrd", "database.mysql.password"),
        ("jwt.key", "auth.jwt"),
        ("server.grpc.advertisedIP", "server.grpc.advertiseIP"),
        ("job.preheat.caCert", "job.preheat.tls.caCert"),
    ],
)
def test_the_key_that_was_meant(path, meant):
    (problem,) = config_problems(with_keys(MANAGER, {path: "x"}), "manager", "2.5.1")
    assert problem.remedy == f"Did you mean {meant}?"


@pytest.mark.parametrize(
    "program, keys, files, secret",
    [
        ("manager", {"job.preheat.tls.caCert": "/ca.pem"}, ["/ca.pem"], True),
        ("manager", {"server.grpc.tls": TLS}, ["/ca.pem", "/cert.pem", "/key.pem"], True),
        ("scheduler", {"manager.tls": TLS}, ["/ca.pem", "/cert.pem", "/key.pem"], False),
        ("scheduler", {"database.redis.password": "s3cr3t"}, [], True),
        ("scheduler", {"database.redis.sentinelPassword": "s3cr3t"}, [], True),
    ],
)
def test_what_a_role_must_know(program, keys, files, secret):
    config = with_keys(BASES[program], keys)
    assert (config_files(config, program), has_secret(config, program)) == (files, secret)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(
    "program, config",
    [
        ("manager", {"database": {"mysql": {"USER": 5}}}),
        ("scheduler", {"Database": {"redis": {"BrokerDB": [1]}}}),
        ("dfget", {"GCInterval": 5.5}),
    ],
)
def test_a_wrong_type_in_another_spelling_is_reported(program, config):
    assert "wrong_type" in [problem.code for problem in config_problems(config, program, None)]


@pytest.mark.parametrize("program, key", [("manager", "Database"), ("scheduler", "Manager")])
def test_a_value_in_place_of_a_mapping_has_no_consequences(program, key):
    def codes(config):
        return [problem.code for problem in config_problems(config, program, None)]

    problems = codes({key: "x"})
    assert problems.count("wrong_type") == 1
    assert problems == codes({key.lower(): "x"})


def prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@given(st.data(), st.sampled_from(sorted(BASES)))
def test_any_value_of_any_key_is_judged(choices, program):
    path = choices.draw(st.sampled_from(sorted({part for key in SCHEMA[program] for part in prefixes(key)})))
    config = with_keys(BASES[program], {path: choices.draw(ANYTHING)})
    for problem in config_problems(config, program, choices.draw(st.sampled_from(RELEASES))):
        assert problem.code in MESSAGES
    assert isinstance(config_files(config, program), list)
    assert isinstance(has_secret(config, program), bool)


@given(st.sampled_from(sorted(BASES)), st.dictionaries(st.text(max_size=8), ANYTHING, max_size=3))
def test_any_configuration_is_judged(program, config):
    for problem in config_problems(config, program, "2.5.1"):
        assert problem.code in MESSAGES
