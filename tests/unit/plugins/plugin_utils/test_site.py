# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts that the playbook site derives from the variables of the first manager."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._site import inventory_problems, site_defaults

GROUPS = {"managers": ["m1", "m2"], "schedulers": ["s1", "s2"]}
FACTS = {"default_ipv4": {"address": "10.0.0.1"}}


def defaults(manager, host="", url="", scheduler=None):
    return site_defaults({"m1": {"ansible_facts": FACTS, **manager}, "s1": scheduler or {}}, GROUPS, host, url)


@pytest.mark.parametrize(
    ("manager", "host", "expected"),
    [
        ({}, "", ("10.0.0.1:65003", "http://10.0.0.1:65003", "http://10.0.0.1:8080")),
        ({"manager_advertise_ip": "10.0.0.9"}, "", ("10.0.0.9:65003", "http://10.0.0.9:65003", "http://10.0.0.9:8080")),
        ({"manager_grpc_port": 7, "manager_rest_addr": ":9"}, "m", ("m:7", "http://m:7", "http://m:9")),
        (
            {"manager_config": {"server": {"grpc": {"advertiseIP": "10.0.0.9"}}}},
            "",
            ("10.0.0.9:65003", "http://10.0.0.9:65003", "http://10.0.0.9:8080"),
        ),
        (
            {"manager_rest_addr": "10.0.0.8:8443"},
            "",
            ("10.0.0.1:65003", "http://10.0.0.1:65003", "http://10.0.0.8:8443"),
        ),
        ({"manager_rest_addr": "[::]:9"}, "", ("10.0.0.1:65003", "http://10.0.0.1:65003", "http://10.0.0.1:9")),
        ({"manager_rest_addr": "127.0.0.1:9"}, "m", ("m:65003", "http://m:65003", "http://m:9")),
        ({}, "fd00::1", ("[fd00::1]:65003", "http://[fd00::1]:65003", "http://[fd00::1]:8080")),
        ({"manager_config": '{"server": {"rest": {"addr": ":9"}}}'}, "m", ("m:65003", "http://m:65003", "http://m:9")),
        (
            {
                "manager_config": {
                    "server": {"rest": {"addr": "0.0.0.0:443", "tls": {"cert": "c"}}, "grpc": {"port": {"start": 5}}}
                }
            },
            "m",
            ("m:5", "http://m:5", "https://m:443"),
        ),
    ],
)
def test_the_addresses_of_the_manager(manager, host, expected):
    values = defaults(manager, host)
    assert (values["scheduler_manager_addr"], values["dfdaemon_manager_addr"], values["preheat_url"]) == expected


def test_a_given_url_counts():
    assert defaults({}, url="https://front.example.com")["preheat_url"] == "https://front.example.com"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("files/dragonfly-2.5.1-linux-amd64.tar.gz", ("2.5.1", True)),
        ("http://h/dragonfly-2.5.1-linux-amd64.tar.gz?x=1", ("2.5.1", True)),
        ("manager-2.5.1.deb", ("2.5.1", False)),
        ("", ("", False)),
    ],
)
def test_the_archive_of_the_manager_is_that_of_the_scheduler(source, expected):
    values = defaults({"manager_install_source": source, "manager_install_checksum": "sha256:1"})
    assert (values["scheduler_manager_release"], bool(values["scheduler_install_source"])) == expected
    assert values["scheduler_install_checksum"] == ("sha256:1" if expected[1] else "")


def test_the_redis_of_the_manager_is_that_of_the_scheduler():
    values = defaults({"manager_redis_addrs": ["r:6379"], "manager_redis_db": 5, "manager_redis_broker_db": 6})
    redis = {name: value for name, value in values.items() if name.startswith("scheduler_redis_")}
    assert redis == {
        "scheduler_redis_addrs": ["r:6379"],
        "scheduler_redis_master_name": "",
        "scheduler_redis_username": "",
        "scheduler_redis_password": "",
        "scheduler_redis_broker_db": 6,
        "scheduler_redis_backend_db": 2,
    }


@pytest.mark.parametrize(
    ("own", "first", "message"),
    [
        ({}, {}, None),
        ({"site_token_file": "/a"}, {"site_token_file": "/b"}, "site_token_file is not the same as for m1."),
        ({"site_token_file": "token"}, {"site_token_file": "token"}, "site_token_file is token,"),
        ({"site_token_file": "../a/token"}, {"site_token_file": "../a/token"}, "Set it to an absolute path"),
        *[({"site_token_file": path}, {"site_token_file": path}, None) for path in ("~/token", "/a", "$HOME/token")],
        ({"manager_state": "absent"}, {}, "manager_state is absent"),
        ({"preheat_client": "dfget"}, {}, "preheat_client must be dfdaemon"),
        ({}, {"manager_advertise_ip": "127.0.0.1"}, "loopback"),
        *[
            ({"site_manager_host": address}, {}, "loopback")
            for address in ("localhost", "Localhost", "127.8.9.10", "::1", "::", "0.0.0.0")
        ],
        ({"site_manager_host": "fd00::1"}, {}, None),
        ({}, {"manager_rest_addr": "127.0.0.1:8080"}, "The REST API of m1 listens on 127.0.0.1:8080"),
        ({}, {"manager_rest_addr": "[::1]:8080"}, "The REST API of m1 listens on [::1]:8080"),
        ({"site_manager_url": "https://front"}, {"manager_rest_addr": "127.0.0.1:8080"}, None),
        ({"site_manager_host": "front"}, {"manager_rest_addr": "127.0.0.1:8080"}, None),
        ({}, {"manager_config": {"server": {"grpc": {"advertiseIP": "127.0.0.1"}}}}, "loopback"),
        ({}, {"manager_config": "server"}, "manager_config must be a mapping"),
        ({"manager_config": "server"}, {}, "manager_config must be a mapping"),
        ({"scheduler_release": "1.9"}, {}, "scheduler_release: '1.9' is not a release"),
        ({"preheat_scope": "every_peer"}, {}, "preheat_scope"),
        ({"dfdaemon_proxy_port": 0}, {}, "dfdaemon_proxy_port: A port is a number from 1 to 65535"),
        ({"site_start_timeout": "soon"}, {}, "site_start_timeout"),
        ({"site_manager_host": "m"}, {"manager_advertise_ip": "127.0.0.1"}, None),
    ],
)
def test_what_is_refused(own, first, message):
    problems = inventory_problems(own, {"ansible_facts": FACTS, **first}, "m1", ["site_token_file"])
    if message is None:
        assert problems == []
    else:
        assert message in " ".join(problems)
