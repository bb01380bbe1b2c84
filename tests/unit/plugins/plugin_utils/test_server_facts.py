# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts that the roles manager and scheduler derive from their configuration."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config import server_facts


@pytest.mark.parametrize(
    "listen, host, port",
    [
        (":8080", "127.0.0.1", 8080),
        ("0.0.0.0:8080", "127.0.0.1", 8080),
        ("10.0.0.1:80", "10.0.0.1", 80),
        ("[::]:8080", "::1", 8080),
        ("[fd00::1]:8080", "fd00::1", 8080),
        ("manager:8080", "manager", 8080),
        ("8080", "127.0.0.1", 0),
        ("", "127.0.0.1", 0),
    ],
)
def test_local_address(listen, host, port):
    assert server_facts.local_address(listen) == {"host": host, "port": port}


@pytest.mark.parametrize("host, joined", [("10.0.0.1", "10.0.0.1:8080"), ("fd00::1", "[fd00::1]:8080"), ("", ":8080")])
def test_join_address(host, joined):
    assert server_facts.join_address(host, 8080) == joined


@pytest.mark.parametrize(
    "value, line",
    [
        ("secret99", 'NAME="secret99"'),
        ('a"b$c\\d`e', 'NAME="a\\"b\\$c\\\\d\\`e"'),
        ("a b#c'd", 'NAME="a b#c\'d"'),
    ],
)
def test_environment_line(value, line):
    assert server_facts.environment_line(value, "NAME") == line


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


@pytest.mark.parametrize(
    "token, number",
    [
        (jwt({"id": 3}), 3),
        (jwt({"id": 3.0}), 3),
        (jwt({"id": float("inf")}), 0),
        (jwt({"id": float("nan")}), 0),
        (jwt({"id": -1}), 0),
        (jwt({}), 0),
        (jwt(1), 0),
        (f"a.{base64.b64encode(b'[' * 300_000).decode()}.c", 0),
        ("x", 0),
        ("a.?.c", 0),
        (5, 0),
    ],
)
def test_user_id(token, number):
    assert server_facts.user_id(token) == number


@pytest.mark.parametrize("cluster_id, names", [(1, ["s1", "s3"]), (2, ["s2", "s3"])])
def test_other_schedulers(cluster_id, names):
    hostvars: dict[str, dict[str, object]] = {
        "s1": {"scheduler_cluster_id": 1},
        "s2": {"scheduler_cluster_id": "2"},
        "s3": {},
        "n1": {},
    }
    assert server_facts.other_schedulers(hostvars, ["s1", "s2", "s3"], cluster_id) == names


MYSQL = {"user": "u", "password": "p", "host": "db", "port": 3306, "dbname": "manager"}
REDIS = {"addrs": ["r:6379"], "password": "p", "db": 0, "brokerDB": 1, "backendDB": 2}
SQL_OPTIONS = {"username": "u", "password": "p", "host": "db", "port": 3306, "name": "manager"}


@pytest.mark.parametrize(
    "kind, section, options",
    [
        ("mysql", MYSQL, {"type": "mysql", **SQL_OPTIONS}),
        ("mariadb", MYSQL, {"type": "mariadb", **SQL_OPTIONS}),
        (
            "mysql",
            {**MYSQL, "tlsConfig": "skip-verify"},
            {"type": "mysql", **SQL_OPTIONS, "tls": {"validate_certs": False}},
        ),
        ("mysql", {**MYSQL, "tlsConfig": "preferred"}, {"type": "mysql", **SQL_OPTIONS}),
        (
            "mysql",
            {**MYSQL, "tls": {"caCert": "/ca", "cert": "/c", "key": "/k"}},
            {
                "type": "mysql",
                **SQL_OPTIONS,
                "tls": {"ca_path": "/ca", "client_cert": "/c", "client_key": "/k", "validate_certs": True},
            },
        ),
        (
            "mysql",
            {**MYSQL, "tls": {"ca": "/ca", "insecureSkipVerify": True}},
            {"type": "mysql", **SQL_OPTIONS, "tls": {"ca_path": "/ca", "validate_certs": False}},
        ),
        (
            "postgres",
            {**MYSQL, "sslMode": "verify-full"},
            {"type": "postgres", **SQL_OPTIONS, "tls": {"validate_certs": True}},
        ),
        (
            "postgres",
            {**MYSQL, "sslMode": "require"},
            {"type": "postgres", **SQL_OPTIONS, "tls": {"validate_certs": False}},
        ),
        ("postgres", {**MYSQL, "sslMode": "disable"}, {"type": "postgres", **SQL_OPTIONS}),
    ],
)
def test_the_database_of_a_manager(kind, section, options):
    name = "postgres" if kind == "postgres" else "mysql"
    config = {"database": {"type": kind, name: section, "redis": REDIS}}
    databases = server_facts.databases(config, "manager")
    assert databases["database"] == options
    assert databases["redis"] == {"addrs": ["r:6379"], "password": "p", "databases": [0, 1, 2]}


def test_a_database_that_the_module_does_not_know_is_left_out():
    config = {"database": {"type": "polardb", "polardb": {"user": "u"}}}
    assert server_facts.databases(config, "manager") == {}
    assert server_facts.databases({}, "scheduler") == {}


def test_the_redis_of_a_scheduler():
    redis = {"addrs": ["r:26379"], "masterName": "m", "sentinelPassword": "s", "backendDB": 5, "username": ""}
    assert server_facts.databases({"database": {"redis": redis}}, "scheduler") == {
        "redis": {"addrs": ["r:26379"], "master_name": "m", "sentinel_password": "s", "databases": [1, 5]}
    }
