# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles manager and scheduler in check mode on this machine, see test_in_check_mode.py."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.checker import Context
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import config_problems
from ansible_collections.dragonflyoss.dragonfly.tests.unit.roles.test_in_check_mode import pytestmark, render, run

__all__ = ["pytestmark"]

RELEASES = ["2.1.0", "2.1.33", "2.1.34", "2.1.60", "2.1.67", "2.2.5", "2.3.4", "2.4.4", "2.5.1"]
SECRET = "geheim-99"
MANAGER: dict[str, Any] = {
    "manager_release": "2.5.1",
    "manager_jwt_key": SECRET,
    "manager_database_host": "127.0.0.1",
    "manager_database_port": 1,
    "manager_database_username": "dragonfly",
    "manager_database_password": SECRET,
    "manager_redis_addrs": ["127.0.0.1:1"],
    "manager_root_password": SECRET,
}
SCHEDULER: dict[str, Any] = {
    "scheduler_release": "2.5.1",
    "scheduler_manager_addr": "manager:65003",
    "scheduler_redis_addrs": ["127.0.0.1:1"],
}


@pytest.fixture(scope="module")
def managers(tmp_path_factory):
    """Return the content of manager.yaml by case."""
    cases: dict[str, dict[str, Any]] = {release: {**MANAGER, "manager_release": release} for release in RELEASES}
    cases["postgres"] = {**MANAGER, "manager_database_type": "postgres"}
    cases["postgres"].pop("manager_database_port")
    cases["own"] = {
        **MANAGER,
        "manager_advertise_ip": "10.0.0.1",
        "manager_redis_addrs": "r1:26379",
        "manager_redis_master_name": "m",
        "manager_preheat_tls": {"insecureSkipVerify": True},
        "manager_log_level": "warn",
        "manager_log_max_size": "200",
        "manager_grpc_rate_limit": 100,
        "manager_config": {"server": {"rest": {"addr": "10.0.0.1:8443", "tls": {"cert": "/c", "key": "/k"}}}},
    }
    shown = "[__manager_config, __manager_url, __manager_grpc]"
    return render(tmp_path_factory.mktemp("managers"), "manager", cases, shown)


@pytest.fixture(scope="module")
def schedulers(tmp_path_factory):
    """Return the content of scheduler.yaml by case."""
    cases: dict[str, dict[str, Any]] = {release: {**SCHEDULER, "scheduler_release": release} for release in RELEASES}
    cases["own"] = {
        **SCHEDULER,
        "scheduler_advertise_ip": "10.0.0.1",
        "scheduler_cluster_id": "2",
        "scheduler_idc": "a",
        "scheduler_redis_password": SECRET,
        "scheduler_config": {"server": {"listenIP": "10.0.0.1"}, "scheduler": {"retryLimit": 7}},
    }
    return render(tmp_path_factory.mktemp("schedulers"), "scheduler", cases, "[__scheduler_config, __scheduler_listen]")


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """Return the error messages of the roles."""
    with socket.create_server(("127.0.0.1", 0)) as other_program:
        port = other_program.getsockname()[1]
        managers = {
            "jwt_key": {**MANAGER, "manager_jwt_key": ""},
            "loopback": {**MANAGER, "manager_advertise_ip": "127.0.0.1"},
            "key": {**MANAGER, "manager_config": {"server": {"rest": {"address": ":1"}}}},
            "key_of_another_release": {**MANAGER, "manager_release": "2.4.1", "manager_grpc_rate_limit": 9},
            "port": {**MANAGER, "manager_rest_addr": f":{port}"},
            "lines": {**MANAGER, "scheduler_release": "2.4.4"},
            "no_password": {**MANAGER, "manager_root_password": ""},
            "default_password": {**MANAGER, "manager_root_password": "dragonfly"},
            "short_password": {**MANAGER, "manager_root_password": "short"},
        }
        refusals = run(tmp_path_factory.mktemp("refused-managers"), "manager", managers)
        schedulers = {
            "scheduler_loopback": {**SCHEDULER, "scheduler_advertise_ip": "127.0.0.1"},
            "scheduler_port": {**SCHEDULER, "scheduler_port": port},
            "scheduler_lines": {**SCHEDULER, "manager_install_source": "/x/dragonfly-2.4.4-linux-amd64.tar.gz"},
            "redis": SCHEDULER,
            "scheduler_hosts": {**SCHEDULER, "scheduler_hosts": ["scheduler_hosts", "redis", "s9"]},
        }
        return {**refusals, **run(tmp_path_factory.mktemp("refused-schedulers"), "scheduler", schedulers)}


def test_a_host_without_systemd_is_refused(tmp_path):
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    systemctl.chmod(0o755)
    # Without check mode: the role fails before it changes anything.
    refused = run(tmp_path, "scheduler", {"h1": SCHEDULER}, options=())["h1"]
    assert refused.startswith("systemd does not run on this host, so it would not start dragonfly-scheduler.service.")


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_written_is_sound_for_each_release(managers, schedulers, release):
    assert config_problems(managers[release][0], "manager", release, Context()) == []
    assert config_problems(schedulers[release][0], "scheduler", release, Context()) == []


def test_a_manager_by_default(managers):
    assert managers["2.5.1"] == [
        {
            "server": {
                "logDir": "/var/log/dragonfly-manager",
                "pluginDir": "/var/lib/dragonfly-manager/plugins",
                "grpc": {"port": {"start": 65003, "end": 65003}},
                "rest": {"addr": ":8080"},
            },
            "auth": {"jwt": {"key": SECRET}},
            "database": {
                "type": "mysql",
                "mysql": {
                    "user": "dragonfly",
                    "password": SECRET,
                    "host": "127.0.0.1",
                    "port": 1,
                    "dbname": "manager",
                },
                "redis": {"addrs": ["127.0.0.1:1"], "db": 0, "brokerDB": 1, "backendDB": 2},
            },
        },
        "http://127.0.0.1:8080",
        {"host": "127.0.0.1", "port": 65003},
    ]


def test_a_manager_with_postgresql(managers):
    database = managers["postgres"][0]["database"]
    assert (database["type"], database["postgres"]["port"]) == ("postgres", 5432)
    assert "mysql" not in database


def test_a_manager_with_settings_of_its_own(managers):
    config, url, _grpc = managers["own"]
    assert url == "https://10.0.0.1:8443"
    assert config["server"]["logLevel"] == "warn"
    assert config["server"]["logMaxSize"] == 200
    assert config["server"]["grpc"] == {
        "advertiseIP": "10.0.0.1",
        "port": {"start": 65003, "end": 65003},
        "requestRateLimit": 100,
    }
    assert config["job"] == {"preheat": {"tls": {"insecureSkipVerify": True}}}
    assert config["database"]["redis"]["addrs"] == ["r1:26379"]
    assert config_problems(config, "manager", "2.5.1", Context()) == []


def test_a_scheduler_with_settings_of_its_own(schedulers):
    config, listen = schedulers["own"]
    assert listen == {"host": "10.0.0.1", "port": 8002}
    assert config["manager"] == {"addr": "manager:65003", "schedulerClusterID": 2}
    assert config["host"] == {"idc": "a", "location": ""}
    assert config["database"]["redis"]["password"] == SECRET
    assert config["scheduler"] == {"retryLimit": 7}
    assert config_problems(config, "scheduler", "2.5.1", Context()) == []


@pytest.mark.parametrize(
    "role, variables", [("manager", MANAGER), ("scheduler", SCHEDULER)], ids=["manager", "scheduler"]
)
def test_only_servers_before_2_4_0_need_directories_outside_of_their_own(role, variables, tmp_path):
    cases = {release: {**variables, f"{role}_release": release} for release in ("2.1.0", "2.3.4", "2.4.0", "2.5.1")}
    directories = render(tmp_path, role, cases, "_daemon_fixed_directories")
    needed = ["/usr/local/dragonfly", "/var/lib/dragonfly"]
    assert directories == {"2.1.0": needed, "2.3.4": needed, "2.4.0": [], "2.5.1": []}


@pytest.mark.parametrize(
    "name, text",
    [
        ("jwt_key", "[missing_key]"),
        ("loopback", "[unreachable_address]"),
        ("key", "[unknown_key]"),
        ("key_of_another_release", "[key_not_yet]"),
        ("port", "[port_taken]"),
        ("lines", "[release_lines]"),
        ("no_password", "Set manager_root_password."),
        ("default_password", "must not be upstream's default"),
        ("short_password", "must have 8 to 20 characters"),
        ("scheduler_loopback", "[unreachable_address]"),
        ("scheduler_port", "[port_taken]"),
        ("scheduler_lines", "[release_lines]"),
        ("redis", "[redis_unreachable]"),
        ("scheduler_hosts", "scheduler_hosts contains s9, which the inventory does not."),
    ],
)
def test_what_the_roles_of_the_servers_refuse(refused, name, text):
    assert text in refused[name]
    assert SECRET not in refused[name]
