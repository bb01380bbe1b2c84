# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles in check mode on this machine: the files that they would write, and their error messages.

Nothing is changed and no service is needed: no client, containerd or systemd. The effects of the
roles on real hosts are tested by the scenarios of extensions/molecule.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.checker import Context
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import config_problems
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.unit.playbook_runs import ONLY_PLAIN_PYTEST

pytestmark = ONLY_PLAIN_PYTEST

CHECKOUT = Path(__file__).resolve().parents[3]
# The message of a failed task, or of the items of its loop.
FAILURE = (
    "ansible_failed_result.results | default([ansible_failed_result]) | selectattr('failed', 'defined')"
    " | selectattr('failed') | map(attribute='msg') | join(' ')"
)
MARKER = "# Written by the Ansible role dragonflyoss.dragonfly.containerd_mirrors, changes are lost.\n"


def install_containerd(folder: Path) -> None:
    """Write a program that prints the release and the configuration like containerd 1.7 without imports."""
    program = folder / "bin/containerd"
    program.parent.mkdir(exist_ok=True)
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo containerd x 1.7.24 || cat "$2"\n', encoding="utf-8")
    program.chmod(0o755)


def play(
    folder: Path,
    tasks: list[dict[str, Any]],
    hosts: Mapping[str, Any],
    options: tuple[str, ...] = ("--check",),
    **more: Any,
) -> dict[str, Any]:
    """Run tasks, in check mode.

    :param folder: directory for the files of the run, with one directory for each host's containerd. Ansible's output
        is in its file ``stdout``.
    :param hosts: variables of each host.
    :param options: of ansible-playbook.
    :return: host to the final value of its variable ``found``.
    """
    inventory = {
        "all": {
            "hosts": hosts,
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "containerd_mirrors_certs_dir": f"{folder}/{{{{ inventory_hostname }}}}/certs.d",
                "containerd_mirrors_config_path": f"{folder}/{{{{ inventory_hostname }}}}/config.toml",
            },
        }
    }
    results = {
        "ansible.builtin.copy": {
            "content": "{{ found | to_json }}",
            "dest": f"{folder}/{{{{ inventory_hostname }}}}.json",
            "mode": "0600",
        },
        "check_mode": False,
    }
    the_play = {"hosts": "all", "gather_facts": False, "tasks": [*tasks, results], **more}
    install_containerd(folder)
    (folder / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
    (folder / "play.yml").write_text(json.dumps([the_play]), encoding="utf-8")
    command = [sys.executable, "-m", "ansible", "playbook", *options, "-i", "inventory.yml", "play.yml"]
    path = f"{folder}/bin:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "10"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    (folder / "stdout").write_text(done.stdout + done.stderr, encoding="utf-8")
    files = {host: folder / f"{host}.json" for host in hosts}
    assert all(path.exists() for path in files.values()), done.stdout + done.stderr
    return {host: json.loads(path.read_text(encoding="utf-8")) for host, path in files.items()}


def run(folder: Path, role: str, hosts: Mapping[str, Any], **more: Any) -> dict[str, str]:
    """Return the result of the role by host: ``ok``, or the failure message."""
    block = {
        "block": [
            {"ansible.builtin.include_role": {"name": f"dragonflyoss.dragonfly.{role}"}},
            {"ansible.builtin.set_fact": {"found": "ok"}},
        ],
        "rescue": [{"ansible.builtin.set_fact": {"found": f"{{{{ {FAILURE} }}}}"}}],
    }
    return play(folder, [block], hosts, **more)


def render(folder: Path, role: str, hosts: Mapping[str, Any], show: str) -> dict[str, Any]:
    """Return the value of a role's variable by host, without running the role."""
    # The role looks for its templates in its own directory, which is that of the play here.
    (folder / "templates").symlink_to(CHECKOUT / "roles" / role / "templates")
    files = [
        f"{CHECKOUT}/roles/{each}"
        for each in ("_daemon/vars/main.yml", f"{role}/defaults/main.yml", f"{role}/vars/main.yml")
    ]
    # Host variables are below the files of a play, so they are set again above them.
    task = {"ansible.builtin.set_fact": {"found": f"{{{{ {show} }}}}"}}
    handed_on = {"_daemon_release": f"{{{{ {role}_release }}}}", "_daemon_install_source": ""}
    tasks = [
        {**task, "when": f"inventory_hostname == '{host}'", "vars": {**handed_on, **given}}
        for host, given in hosts.items()
    ]
    return play(folder, tasks, {host: {} for host in hosts}, vars_files=files)


GO = {"preheat_url": "https://dragonfly-manager:8080/base", "dfget_release": "2.1.67"}
RUST = {"preheat_url": "http://dragonfly-manager:8080", "dfdaemon_release": "1.4.2"}


@pytest.fixture(scope="module")
def go(tmp_path_factory):
    cases = {
        "peer": GO,
        "seed": {**GO, "dfget_seed_peer": "yes", "dfget_cluster_id": "7"},
        "schedulers": {"dfget_release": "2.0.9", "dfget_scheduler_addrs": ["s:8002"]},
        "own": {**GO, "dfget_config": {"proxy": {"proxies": [], "maxConcurrency": 4}}},
        "text": {**GO, "dfget_proxy_port": "65009"},
        "ipv6": {"preheat_url": "http://[fd00::1]:8080"},
        "addresses": {"dfget_manager_addrs": "m1:65003, m2:65003", "dfget_scheduler_addrs": "s:8002"},
        "instead": {**GO, "dfget_scheduler_addrs": "s:8002"},
    }
    return render(tmp_path_factory.mktemp("go"), "dfget", cases, "__dfget_config")


@pytest.fixture(scope="module")
def rust(tmp_path_factory):
    cases = {
        "peer": RUST,
        "seed": {**RUST, "dfdaemon_seed_peer": True},
        "old_seed": {**RUST, "dfdaemon_seed_peer": True, "dfdaemon_release": "1.0.10"},
        "schedulers": {"dfdaemon_release": "1.4.3", "dfdaemon_scheduler_addrs": ["s:8002"]},
        "ipv6": {"preheat_url": "http://[fd00::1]:8080"},
        "addresses": {**RUST, "dfdaemon_scheduler_addrs": "10.0.0.1:8002, 10.0.0.2:8002"},
        "v": {**RUST, "dfdaemon_release": "v1.0.10", "dfdaemon_seed_peer": True},
    }
    return render(tmp_path_factory.mktemp("rust"), "dfdaemon", cases, "[__dfdaemon_config, __dfdaemon_dynconfig]")


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """Return the error messages of the clients' roles."""
    of_file = {"dfget_release": "", "dfget_install_source": "/x/dfget-2.1.60-linux-amd64.deb"}
    flag = {"proxy": {"registryMirror": {"enableTaskIDBasedBlobDigest": True}}}
    go_hosts = {
        "unknown_key": {**GO, "dfget_config": {"proxy": {"defaultFilters": "ns"}}},
        "release": {**GO, **of_file, "dfget_config": {"networkTopology": {"enable": True}}},
        "alone": {"dfget_release": "2.1.67"},
        "no_port": {"dfget_release": "2.1.67", "dfget_manager_addrs": "manager"},
        "umlaut": {**GO, "dfget_registry_mirror": "https://r\u00e9gistre.example"},
        "cache": {**GO, "dfget_seed_peer": True, "preheat_max_age": 86400},
        "tag": {**GO, "preheat_tag": "shop"},
        "allowed": {**GO, "dfget_proxy_ip": "0.0.0.0", "dfget_allowed_problems": ["open_proxy"]},
        "allowed_text": {**GO, "dfget_proxy_ip": "0.0.0.0", "dfget_allowed_problems": "static_mirror, open_proxy"},
        "allowed_other": {**GO, "dfget_proxy_ip": "0.0.0.0", "dfget_allowed_problems": "not_open_proxy"},
        "letters": {"dfget_release": "2.1.67", "dfget_config": {"scheduler": {"netAddrs": ["s"]}}},
        "no_checksum": {**GO, "dfget_install_source": "https://a/dfget-2.1.67-linux-amd64.deb?signature=geheim"},
        "no_sha256": {**GO, "dfget_install_source": "https://a/b.deb", "dfget_install_checksum": "sha256:12"},
    }
    schedulers = {"preheat_url": "", "dfdaemon_release": "1.4.3"}
    rust_hosts = {
        "flag": {**RUST, "dfdaemon_config": flag},
        "names": {**schedulers, "dfdaemon_scheduler_addrs": ["s1:8002", "s2:8002"]},
        "ignored": {**RUST, "dfdaemon_manager_addr": "http://m:65003", "dfdaemon_scheduler_addrs": ["s:8002"]},
        "line_break": {**RUST, "dfdaemon_service_options": {"MemoryMax": "2G\nExecStartPre=/bin/true"}},
        "percent": {**RUST, "dfdaemon_service_options": {"Environment": ["A=b%h"]}},
    }
    go_found = run(tmp_path_factory.mktemp("go"), "dfget", go_hosts)
    return {**go_found, **run(tmp_path_factory.mktemp("rust"), "dfdaemon", rust_hosts)}


def test_the_go_client_by_default(go):
    assert go["peer"] == {
        "aliveTime": "0s",
        "keepStorage": True,
        "scheduler": {
            "manager": {
                "enable": True,
                "netAddrs": [{"type": "tcp", "addr": "dragonfly-manager:65003"}],
                "seedPeer": {"enable": False, "type": "super", "clusterID": 1},
            },
            "netAddrs": [],
        },
        "storage": {"multiplex": True},
        "proxy": {
            "defaultFilter": "Expires&Signature&ns",
            "tcpListen": {"listen": "127.0.0.1", "port": 65001},
            "registryMirror": {"url": "https://index.docker.io", "dynamic": True},
            "proxies": [{"regx": "blobs/sha256.*"}],
        },
    }


def test_a_go_seed(go):
    assert go["seed"]["scheduler"]["manager"]["seedPeer"] == {"enable": True, "type": "super", "clusterID": 7}


def test_a_go_client_without_a_manager(go):
    assert go["schedulers"]["scheduler"] == {
        "manager": {"enable": False, "netAddrs": [], "seedPeer": {"enable": False, "type": "super", "clusterID": 1}},
        "netAddrs": [{"type": "tcp", "addr": "s:8002"}],
    }


def test_a_users_keys_are_merged_and_lists_replaced(go):
    assert go["own"]["proxy"] == {**go["peer"]["proxy"], "proxies": [], "maxConcurrency": 4}


def test_a_number_given_as_text_is_written_as_a_number(go):
    assert go["text"]["proxy"]["tcpListen"]["port"] == 65009


def test_addresses_may_be_a_text(go, rust):
    scheduler = go["addresses"]["scheduler"]
    assert [each["addr"] for each in scheduler["manager"]["netAddrs"]] == ["m1:65003", "m2:65003"]
    assert [each["addr"] for each in scheduler["netAddrs"]] == ["s:8002"]
    assert rust["addresses"][1] == {"scheduler": {"addrs": ["10.0.0.1:8002", "10.0.0.2:8002"]}}


def test_schedulers_take_the_place_of_the_manager_at_preheat_url(go, rust):
    assert "manager" not in rust["addresses"][0]
    assert go["instead"]["scheduler"]["manager"]["enable"] is False


def test_a_manager_with_an_ipv6_address_keeps_its_brackets(go, rust):
    assert go["ipv6"]["scheduler"]["manager"]["netAddrs"] == [{"type": "tcp", "addr": "[fd00::1]:65003"}]
    assert rust["ipv6"][0]["manager"] == {"addr": "http://[fd00::1]:65003"}


def test_a_release_may_begin_with_v(rust):
    assert rust["v"] == rust["old_seed"]


def test_the_rust_client_by_default(rust):
    assert rust["peer"] == [
        {
            "manager": {"addr": "http://dragonfly-manager:65003"},
            "storage": {"keep": True},
            "proxy": {
                "server": {"ip": "127.0.0.1", "port": 4001},
                "registryMirror": {"addr": "https://index.docker.io"},
                "rules": [{"regex": "blobs/sha256.*"}],
            },
        },
        {},
    ]


def test_a_rust_seed_names_its_cluster_as_its_release_wants_it(rust):
    assert rust["seed"][0]["host"] == {"schedulerClusterID": 1}
    assert rust["seed"][0]["seedPeer"] == {"enable": True, "type": "super"}
    assert rust["old_seed"][0]["seedPeer"] == {"enable": True, "type": "super", "clusterID": 1}
    assert "host" not in rust["old_seed"][0]


def test_a_rust_client_without_a_manager(rust):
    config, dynconfig = rust["schedulers"]
    assert "manager" not in config
    assert dynconfig == {"scheduler": {"addr": "s:8002"}}


@pytest.mark.parametrize(
    "name, releases", [("peer", ["2.0.9", "2.1.0", "2.1.67", "2.2.5", "2.3.4"]), ("seed", ["2.0.9", "2.3.0"])]
)
def test_what_is_written_is_sound_for_each_release_of_the_go_client(go, name, releases):
    for release in releases:
        assert config_problems(go[name], "dfget", release, Context(max_age=3600, bases=["http://b:5000"])) == []


@pytest.mark.parametrize(
    "name, releases",
    [
        ("peer", ["0.1.114", "0.2.42", "1.0.4", "1.1.8", "1.2.8", "1.4.2", "1.5.1"]),
        ("seed", ["1.0.11", "1.2.8", "1.5.1"]),
        ("old_seed", ["0.1.114", "0.2.42", "1.0.10"]),
    ],
)
def test_what_is_written_is_sound_for_each_release_of_the_rust_client(rust, name, releases):
    for release in releases:
        assert config_problems(rust[name][0], "dfdaemon", release, Context(max_age=3600, bases=["http://b:5000"])) == []


@pytest.mark.parametrize(
    "name, expected_texts",
    [
        (
            "unknown_key",
            [
                "proxy.defaultFilters: dfget does not have this key",
                "Did you mean proxy.defaultFilter?",
                "(dfget 2.1.67)",
                "dfget_allowed_problems",
            ],
        ),
        ("release", ["dfget 2.1.60 no longer has this key", "networkTopology.enable"]),
        ("alone", ["Set dfget_manager_addrs, preheat_url, DRAGONFLY_URL or dfget_scheduler_addrs."]),
        ("no_port", ["scheduler.manager.netAddrs (dfget_manager_addrs): dfget does not start", "a list of HOST:PORT"]),
        ("umlaut", ["proxy.registryMirror.url (dfget_registry_mirror): dfget does not start with this value"]),
        ("cache", ["storage.taskExpireTime", "evicted 21600 s after its last use"]),
        ("tag", ["proxy.defaultTag: pulls of this host have the tag '', but the preheat has the tag 'shop'"]),
        ("flag", ["enableTaskIDBasedBlobDigest", "[blob_digest_ids]"]),
        ("names", ["dfdaemon_scheduler_addrs[0]: dfdaemon cannot use s1:8002", "Write each address as IP:PORT"]),
        ("ignored", ["dfdaemon_scheduler_addrs: with a manager, dfdaemon gets its schedulers from the manager"]),
        ("line_break", ["dfdaemon_service_options.MemoryMax", "[bad_service_option]"]),
        ("percent", ["dfdaemon_service_options.Environment[0]", "write %% for a percent sign"]),
        ("allowed", ["ok"]),
        ("letters", ["scheduler.netAddrs", "It must be a list of HOST:PORT"]),
        ("no_checksum", ["dfget-2.1.67-linux-amd64.deb would be downloaded and run as root"]),
        ("no_sha256", ["b.deb would be downloaded", "Set dfget_install_checksum to its checksum, as sha256: and 64"]),
    ],
)
def test_what_the_roles_of_the_clients_refuse(clients, name, expected_texts):
    for each in expected_texts:
        assert each in clients[name]


def test_a_wrong_address_is_the_only_problem(clients):
    assert "no_scheduler" not in clients["no_port"]


def test_the_query_of_a_signed_url_is_not_shown(clients):
    assert "geheim" not in clients["no_checksum"]


SOURCES = {
    "deb": ("https://a/b/dfget-2.1.67-linux-amd64.deb?X-Signature=a/b.rpm", False),
    "archive": ("https://a/dragonfly-2.1.67.tar.gz?a=b#c", True),
    "name": ("dfget=2.1.67", False),
}


def test_the_unit_is_managed_where_the_source_is_an_archive(tmp_path):
    tasks = [{"ansible.builtin.set_fact": {"found": "{{ dfget_manage_unit | bool }}"}}]
    tasks[0]["vars"] = {"dfget_install_source": "{{ source }}"}
    hosts = {host: {"source": source} for host, (source, _expected) in SOURCES.items()}
    outcome = play(tmp_path, tasks, hosts, vars_files=[f"{CHECKOUT}/roles/dfget/defaults/main.yml"])
    assert outcome == {host: expected for host, (_source, expected) in SOURCES.items()}


# --- output

SECRET = "geheim"
OWN = "# Written by the Ansible role dragonflyoss.dragonfly.dfget, changes are lost.\n"
SEEN = {"upload": {"rateLimit": "200Mi"}}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Return the output with --diff, for each host."""
    folder = tmp_path_factory.mktemp("shown")
    password = f"proxy:\n  basicAuth: {{username: u, password: {SECRET}}}\n"
    earlier = {
        "fresh": None,
        "own": OWN + "old: 1\n",
        "foreign": f"old: {SECRET}\n",
        "own_secret": OWN + password,
        "new_secret": OWN,
    }
    for host, text in earlier.items():
        (folder / host / "unit.d").mkdir(parents=True)
        if text:
            (folder / host / "dfget.yaml").write_text(text, encoding="utf-8")
    (folder / "own_secret/unit.d/drop-in.conf").write_text(
        OWN + f"[Service]\nEnvironment=A={SECRET}\n", encoding="utf-8"
    )
    hosts = {host: {**GO, "dfget_config": SEEN} for host in earlier}
    secret = {"proxy": {"basicAuth": {"username": "u", "password": SECRET}}}
    hosts["new_secret"].update(dfget_config={**SEEN, **secret}, dfget_service_options={"Environment": [f"A={SECRET}"]})
    paths = {
        "_daemon_config_path": f"{folder}/{{{{ inventory_hostname }}}}/dfget.yaml",
        "_daemon_drop_in": f"{folder}/{{{{ inventory_hostname }}}}/unit.d/drop-in.conf",
        "_daemon_unit_path": f"{folder}/{{{{ inventory_hostname }}}}/unit",
    }
    (folder / "paths.yml").write_text(json.dumps(paths), encoding="utf-8")

    def printed(*options):
        outcome = run(folder, "dfget", hosts, options=("--check", "--extra-vars=@paths.yml", *options))
        assert set(outcome.values()) == {"ok"}
        return (folder / "stdout").read_text(encoding="utf-8")

    return {"diff": printed("--diff", "--forks=1"), "silent": printed()}


def test_a_difference_shows_no_secret(shown):
    assert SECRET not in shown["diff"]


def test_a_difference_is_shown_where_there_is_no_secret(shown):
    # Differences of the new host and of the role's own file, and all drop-ins without an environment.
    assert shown["diff"].count("\n+  rateLimit: 200Mi") == 2
    assert shown["diff"].count("\n+RestartSec=5") == 3


def test_no_difference_is_shown_unasked(shown):
    assert "rateLimit" not in shown["silent"]
    assert "RestartSec" not in shown["silent"]


def test_a_difference_of_mirrors_shows_no_secret(tmp_path):
    registries = {"containerd_mirrors_client": "dfget", "containerd_mirrors_registries": {"r": "https://r"}}
    overwrite = {**registries, "containerd_mirrors_overwrite": True}
    option = {"containerd_mirrors_server_options": {"r": {"header": {"X-Key": SECRET}}}}
    hosts = {
        "fresh": registries,
        "foreign": overwrite,
        "own_secret": registries,
        "header": {**registries, "containerd_mirrors_headers": {"X-Key": SECRET}},
        "option": {**registries, **option},
        "config": registries,
    }
    earlier = {"foreign": f'a = "{SECRET}"\n', "own_secret": f'{MARKER}[host."a".header]\n"X-Key" = ["{SECRET}"]\n'}
    for host in hosts:
        (tmp_path / host / "certs.d/r").mkdir(parents=True)
        if host in earlier:
            (tmp_path / host / "certs.d/r/hosts.toml").write_text(earlier[host], encoding="utf-8")
    password = f'[plugins."io.containerd.grpc.v1.cri".registry.configs."other".auth]\npassword = "{SECRET}"\n'
    (tmp_path / "config/config.toml").write_text("version = 2\n" + password, encoding="utf-8")
    outcome = run(tmp_path, "containerd_mirrors", hosts, options=("--check", "--diff"))
    assert set(outcome.values()) == {"ok"}
    printed = (tmp_path / "stdout").read_text(encoding="utf-8")
    assert SECRET not in printed
    assert printed.count('\n+server = "https://r"') == 2
    assert '+config_path = "' in printed
    # Without --diff nothing is shown.
    run(tmp_path, "containerd_mirrors", hosts)
    assert "server = " not in (tmp_path / "stdout").read_text(encoding="utf-8")


# --- the mirrors


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirrors")
    hub = {
        "containerd_mirrors_client": "dfget",
        "containerd_mirrors_registries": {"docker.io": "https://index.docker.io"},
    }
    ghcr = {"containerd_mirrors_client": "dfdaemon", "containerd_mirrors_registries": {"ghcr.io": "https://ghcr.io"}}
    port = {"containerd_mirrors_client": "dfget", "containerd_mirrors_registries": {"r:5000": "http://r:5000"}}
    hosts = {
        "foreign": hub,
        "overwrite": {**hub, "containerd_mirrors_overwrite": True},
        "no_proxy": {**ghcr, "containerd_mirrors_client": "none"},
        "shadow": port,
        "only_verified": {**ghcr, "containerd_mirrors_manage_config": False},
        "tag": {**ghcr, "preheat_tag": "shop"},
        "no_registry": {**ghcr, "containerd_mirrors_registries": {"https://a": "https://a"}},
        "old_mirrors": ghcr,
        "reserved": {**ghcr, "containerd_mirrors_server_options": {"ghcr.io": {"override_path": True}}},
        "no_toml": {**ghcr, "containerd_mirrors_server_options": {"ghcr.io": {"a b": 1}}},
        "bad_kind": {**ghcr, "containerd_mirrors_server_options": {"ghcr.io": {"skip_verify": "sure"}}},
        "no_file": {
            **ghcr,
            "containerd_mirrors_server_options": {"ghcr.io": {"client": [["/nowhere.pem"]]}, "a": {"ca": "/x"}},
        },
        "linked": {**hub, "containerd_mirrors_registries": {"linked.io": "https://a", "other.io": "https://b"}},
        "slash": {**hub, "containerd_mirrors_certs_dir": f"{folder}/slash/certs.d/"},
    }
    mirrored = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."a"]\nendpoint = ["http://a"]\n'
    for host in hosts:
        for path, text in (("docker.io", "# by hand\n"), ("ghcr.io", MARKER), ("r_5000_", MARKER)):
            (folder / host / "certs.d" / path).mkdir(parents=True)
            (folder / host / "certs.d" / path / "hosts.toml").write_text(text, encoding="utf-8")
        (folder / host / "certs.d/linked.io").symlink_to("docker.io")
        (folder / host / "certs.d/other.io").mkdir()
        (folder / host / "certs.d/other.io/hosts.toml").symlink_to("/nowhere")
        config = mirrored if host == "old_mirrors" else "version = 2\n"
        (folder / host / "config.toml").write_text(config, encoding="utf-8")
    return run(folder, "containerd_mirrors", hosts)


@pytest.mark.parametrize(
    "name, expected_texts",
    [
        ("foreign", ["docker.io/hosts.toml was not written by this role", "containerd_mirrors_overwrite"]),
        ("no_proxy", ["containerd_mirrors_client", "containerd_mirrors_proxy"]),
        ("shadow", ["containerd reads", "r_5000_/hosts.toml before the file of this role"]),
        ("only_verified", ["does not read", "containerd_mirrors_manage_config is false"]),
        ("tag", ["containerd_mirrors_headers.X-Dragonfly-Tag", "[tag_mismatch]"]),
        ("no_registry", ["'https://a' is not a valid registry"]),
        ("old_mirrors", ["[mirrors_in_use]"]),
        ("reserved", ["containerd_mirrors_server_options must not contain override_path"]),
        ("no_toml", ["the hosts.toml of ghcr.io would be invalid"]),
        ("bad_kind", ["ghcr.io/hosts.toml: ", "skip_verify is neither true nor false", "[hosts_toml_unused]"]),
        ("no_file", ["The host does not have /nowhere.pem (containerd_mirrors_server_options)"]),
        ("linked", ["linked.io/hosts.toml, ", "other.io/hosts.toml was not written by this role"]),
        ("slash", ["slash/certs.d/docker.io/hosts.toml was not written by this role"]),
        ("overwrite", ["ok"]),
    ],
)
def test_what_the_role_of_the_mirrors_refuses(mirrors, name, expected_texts):
    for each in expected_texts:
        assert each in mirrors[name]


PROXIES = {
    "dfget": ({"containerd_mirrors_client": "dfget"}, "http://127.0.0.1:65001"),
    "dfdaemon": ({"containerd_mirrors_client": "dfdaemon"}, "http://127.0.0.1:4001"),
    "any": (
        {"containerd_mirrors_client": "dfget", "dfget_proxy_ip": "0.0.0.0", "dfget_proxy_port": 7000},
        "http://127.0.0.1:7000",
    ),
    "any6": ({"containerd_mirrors_client": "dfdaemon", "dfdaemon_proxy_ip": "::"}, "http://[::1]:4001"),
    "one": ({"containerd_mirrors_client": "dfdaemon", "dfdaemon_proxy_ip": "fd00::2"}, "http://[fd00::2]:4001"),
    "own": (
        {
            "containerd_mirrors_client": "dfdaemon",
            "dfdaemon_config": {"proxy": {"server": {"ip": "10.0.0.1", "port": 4100}}},
        },
        "http://10.0.0.1:4100",
    ),
    "range": (
        {
            "containerd_mirrors_client": "dfget",
            "dfget_config": {"proxy": {"tcpListen": {"port": {"start": 7000, "end": 7010}}}},
        },
        "http://127.0.0.1:7000",
    ),
    "none": ({}, ""),
}


def test_the_proxy_is_where_the_role_of_the_client_puts_it(tmp_path):
    files = [f"{CHECKOUT}/roles/containerd_mirrors/{each}/main.yml" for each in ("defaults", "vars")]
    tasks = [
        {
            "ansible.builtin.set_fact": {"found": "{{ containerd_mirrors_proxy }}"},
            "when": f"inventory_hostname == '{host}'",
            "vars": given,
        }
        for host, (given, _expected) in PROXIES.items()
    ]
    outcome = play(tmp_path, tasks, {host: {} for host in PROXIES}, vars_files=files)
    assert outcome == {host: expected for host, (_given, expected) in PROXIES.items()}


def mirrors_after(folder: Path, **variables: Any) -> set[str]:
    """Return the registries with mirrors after a real run on a host with a mirror of ``old.io``."""
    certs_dir = folder / "h1/certs.d"
    (certs_dir / "old.io").mkdir(parents=True)
    (certs_dir / "old.io/hosts.toml").write_text(MARKER, encoding="utf-8")
    (folder / "h1/ours.toml").write_text(MARKER, encoding="utf-8")
    (certs_dir / "link.io").mkdir()
    (certs_dir / "link.io/hosts.toml").symlink_to(folder / "h1/ours.toml")
    common = {
        "containerd_mirrors_client": "dfget",
        "containerd_mirrors_restart": False,
        "containerd_mirrors_certs_dir": f"{certs_dir}/",
    }
    for _twice in range(2):
        assert run(folder, "containerd_mirrors", {"h1": {**common, **variables}}, options=()) == {"h1": "ok"}
    assert (folder / "h1/ours.toml").exists()
    return {path.parent.name for path in certs_dir.glob("*/hosts.toml")}


def test_the_registries_of_images_are_only_added(tmp_path):
    assert mirrors_after(tmp_path, preheat_images=["new.io/a:1"]) == {"old.io", "link.io", "new.io"}


def test_registries_that_are_no_longer_named_lose_their_mirrors(tmp_path):
    assert mirrors_after(tmp_path, containerd_mirrors_registries={"new.io": "https://new.io"}) == {"new.io"}


def test_without_the_role_there_is_no_mirror(tmp_path):
    assert mirrors_after(tmp_path, containerd_mirrors_state="absent") == set()


# --- the private role


def test_the_private_role_is_not_for_plays(tmp_path):
    spec = yaml.safe_load((CHECKOUT / "roles/_daemon/meta/argument_specs.yml").read_text(encoding="utf-8"))
    kinds = {"str": "", "list": [], "dict": {}, "bool": False, "int": 1, "raw": 1}
    options = spec["argument_specs"]["main"]["options"]
    variables = {name: option.get("choices", [kinds[option["type"]]])[0] for name, option in options.items()}
    outcome = run(tmp_path, "_daemon", {"all_of_them": variables, "nothing": {}})
    assert "The role dragonflyoss.dragonfly._daemon is private to the collection." in outcome["all_of_them"]
    assert "missing required arguments" in outcome["nothing"]


def test_a_file_next_to_the_inventory_is_found(tmp_path):
    inventory = tmp_path / "inventory/hosts.json"
    file = tmp_path / "inventory/files/dfget.tar.gz"
    file.parent.mkdir(parents=True)
    file.touch()
    inventory.write_text('{"all": {"hosts": {"h1": {}}}}', encoding="utf-8")
    path = play(
        tmp_path,
        [{"ansible.builtin.set_fact": {"found": "{{ _daemon_local_path }}"}}],
        {"h1": {"_daemon_install_source": "files/dfget.tar.gz"}},
        options=("--check", "-i", str(inventory)),
        vars_files=[f"{CHECKOUT}/roles/_daemon/vars/main.yml"],
    )
    assert path == {"h1": str(file)}


def test_check_mode_names_a_unit_that_nothing_installs(tmp_path):
    known = {
        "_daemon_name": "dfget",
        "_daemon_unit": "dfget-daemon.service",
        "_daemon_changes": False,
        "_daemon_is_stale": False,
        "_daemon_known_release": "2.1.67",
    }
    hosts = {
        "missing": {"load": "not-found", "source": "", "manage": False},
        "installed": {"load": "loaded", "source": "", "manage": False},
        "to_install": {"load": "not-found", "source": "/dfget.deb", "manage": False},
        "to_write": {"load": "not-found", "source": "", "manage": True},
    }
    facts = {
        **known,
        "_daemon_unit_state": {"load": "{{ load }}"},
        "_daemon_install_source": "{{ source }}",
        "_daemon_manage_unit": "{{ manage }}",
    }
    unknown = play(
        tmp_path,
        [{"ansible.builtin.set_fact": facts}, {"ansible.builtin.set_fact": {"found": "{{ _daemon_unknown }}"}}],
        hosts,
        options=("--check",),
        vars_files=[f"{CHECKOUT}/roles/_daemon/vars/main.yml"],
    )
    assert unknown == {
        "missing": [
            "whether an earlier task installs dfget-daemon.service, which this host does not have (otherwise, set "
            "dfget_install_source)"
        ],
        "installed": [],
        "to_install": [],
        "to_write": [],
    }


def fetch(folder: Path, source: Path | str, checksum: str = "") -> tuple[str, dict[str, bytes]]:
    """Run the tasks that fetch and install an archive in a directory, without check mode.

    :returns: the failure, ``ok`` without one, and the files below the directory afterwards.
    """
    top = folder / "host"
    variables = {
        "_daemon_name": "dfget",
        "_daemon_install_source": str(source),
        "_daemon_install_checksum": checksum,
        "_daemon_downloads": f"{top}/downloads",
        "_daemon_archives": f"{top}/archives",
        "_daemon_program": f"{top}/dfget",
        "_daemon_before": [],
        "ansible_connection": "local",
    }
    tasks = [
        {"ansible.builtin.include_tasks": f"{CHECKOUT}/roles/_daemon/tasks/{name}.yml"}
        for name in ("fetch", "install_archive")
    ]
    block = {
        "block": [*tasks, {"ansible.builtin.set_fact": {"found": "ok"}}],
        "rescue": [{"ansible.builtin.set_fact": {"found": f"{{{{ {FAILURE} }}}}"}}],
        "vars": variables,
    }
    top.mkdir()
    # The tasks look for their templates in the directory of the play here.
    (folder / "templates").symlink_to(CHECKOUT / "roles/_daemon/templates")
    files = [f"{CHECKOUT}/roles/_daemon/vars/main.yml"]
    message = play(folder, [block], {"h1": {}}, options=(), vars_files=files)["h1"]
    return message, {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()
    }


def archive(path: Path, *members: tuple[str, bytes, str], mode: int = 0o755) -> Path:
    """Write an archive of members: name, tarfile's type, and the content or the target of a link."""
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, text in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, mode
            if kind == tarfile.REGTYPE:
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
            else:
                info.linkname = text
                tar.addfile(info)
    return path


CLIENT = ("x/dfget", tarfile.REGTYPE, "client")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="files of the role belong to root")


@needs_root
@pytest.mark.parametrize(
    "member, expected_texts",
    [
        (("../../outside", tarfile.REGTYPE, "evil"), "its member ../../outside is outside the directory"),
        (("x/link", tarfile.SYMTYPE, "../../.."), "its member x/link is a link to ../../.., outside"),
        (("x/hard", tarfile.LNKTYPE, "../../inventory.yml"), "its member x/hard is a link to ../../inventory.yml"),
        (("x/abs", tarfile.SYMTYPE, "/etc"), "its member x/abs is a link to /etc, outside"),
        (("/outside", tarfile.REGTYPE, "evil"), "its member /outside is outside the directory"),
        (("x/tty", tarfile.CHRTYPE, ""), "its member x/tty is neither a file nor a directory nor a link"),
    ],
)
def test_an_archive_that_leaves_its_folder_is_not_unpacked(tmp_path, member, expected_texts):
    source = archive(tmp_path / "dragonfly-2.1.67.tar.gz", member, CLIENT)
    message, files = fetch(tmp_path, source)
    assert f"dragonfly-2.1.67.tar.gz was not unpacked: {expected_texts}" in message
    assert set(files) == {"host/downloads/dragonfly-2.1.67.tar.gz"}
    assert not (tmp_path / "outside").exists()
    assert not Path("/outside").exists()


@needs_root
def test_of_an_archive_the_client_alone_is_unpacked(tmp_path):
    source = archive(tmp_path / "dragonfly-2.1.67.tar.gz", ("x/README", tarfile.REGTYPE, "text"), CLIENT, mode=0o6777)
    message, files = fetch(tmp_path, source, f"sha256:{hashlib.sha256(source.read_bytes()).hexdigest().upper()}")
    assert message == "ok"
    unpacked = [name for name in files if name.startswith("host/archives/")]
    assert sorted(name.rpartition("/")[2] for name in unpacked) == [".complete", "dfget"]
    program = (tmp_path / "host/dfget").resolve()
    assert program.read_text() == "client"
    assert oct(program.stat().st_mode) == oct(0o100755)


@needs_root
def test_a_file_with_another_checksum_changes_nothing(tmp_path):
    source = archive(tmp_path / "dragonfly-2.1.67.tar.gz", CLIENT)
    message, files = fetch(tmp_path, source, "sha256:" + "0" * 64)
    assert f"not sha256:{'0' * 64} (dfget_install_checksum). Nothing was changed." in message
    assert files == {}


@needs_root
def test_a_download_with_another_checksum_leaves_nothing(tmp_path):
    source = archive(tmp_path / "dragonfly-2.1.67.tar.gz", CLIENT)
    message, files = fetch(tmp_path, f"file://{source}", "sha256:" + "0" * 64)
    assert "checksum" in message
    assert files == {}


# --- the role preheat


def preheat(tmp_path, **hosts):
    common = {"preheat_client": "none", "containerd_mirrors_client": "dfdaemon", "preheat_host_ip": "10.0.0.1"}
    return run(tmp_path, "preheat", {host: {**common, **variables} for host, variables in hosts.items()})


def set_up_the_client(folder: Path) -> bool:
    """Return whether the last run reached the role of the client."""
    return "Ensure the Rust client is present" in (folder / "stdout").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(release="2.5.1", rate_limit=False) as running:
        yield running


@pytest.mark.parametrize(
    ("url", "token", "message"),
    [
        ("", "wrong", "does not know the token"),
        ("http://127.0.0.1:1", "wrong", "GET http://127.0.0.1:1/oapi/v1/jobs"),
        ("", "", ""),
    ],
)
def test_manager_and_token_are_checked_before_the_client_is_set_up(tmp_path, sandbox, url, token, message):
    """The last case is the valid token, with which the role continues."""
    variables = {
        "preheat_client": "dfdaemon",
        "preheat_url": url or sandbox.url,
        "preheat_token": token or sandbox.token,
        "preheat_images": "registry.example.com/a:1",
        "dfdaemon_release": "1.4.2",
    }
    outcome = preheat(tmp_path, h1=variables)["h1"]
    assert message in outcome
    assert set_up_the_client(tmp_path) is (not message)


def test_the_runtime_is_checked_before_the_client_is_set_up(tmp_path):
    foreign = tmp_path / "h1/certs.d/registry.example.com/hosts.toml"
    drop_in = tmp_path / "h1/registries.conf.d/50-dragonfly.conf"
    for path in (foreign, drop_in):
        path.parent.mkdir(parents=True)
        path.write_text("# Written by an administrator\n", encoding="utf-8")
    common = {**RUST, "preheat_client": "dfdaemon", "containerd_mirrors_registries": REGISTRY}
    outcome = preheat(tmp_path, h1=common)["h1"]
    assert f"{foreign} was not written by this role. Nothing was changed." in outcome
    assert not set_up_the_client(tmp_path)

    podman = {"preheat_runtime": "podman", "registries_conf_path": f"{tmp_path}/h1/registries.conf"}
    outcome = preheat(tmp_path, h1={**common, **podman})["h1"]
    assert "this role did not write the file" in outcome
    assert "no_client_config" not in outcome
    assert not set_up_the_client(tmp_path)


def test_mixed_clients_are_refused(tmp_path):
    outcome = preheat(tmp_path, h1={"preheat_client": "dfget"}, h2={"preheat_client": "dfdaemon"})
    expected = "The hosts of this play have different clients, dfdaemon and dfget."
    assert {host: expected in message for host, message in outcome.items()} == {"h1": True, "h2": True}


def test_mixed_clients_may_be_allowed(tmp_path):
    # The next check fails, so this one passed.
    allowed = {"preheat_allow_mixed_clients": True, "preheat_images": ["redis:7"], "containerd_mirrors_registries": {}}
    outcome = preheat(tmp_path, h1={"preheat_client": "dfget", **allowed}, h2={"preheat_client": "dfdaemon", **allowed})
    expected = "redis:7 would be preheated, but pulled from the registry itself"
    assert {host: expected in message for host, message in outcome.items()} == {"h1": True, "h2": True}


def test_registries_that_differ_are_refused(tmp_path):
    outcome = preheat(tmp_path, **{f"h{n}": {"containerd_mirrors_registries": {"r": f"http://r{n}"}} for n in (1, 2)})
    expected = "is not the same for all hosts of the play"
    assert {host: expected in message for host, message in outcome.items()} == {"h1": True, "h2": True}


@pytest.mark.parametrize(
    ("variable", "first", "second"),
    [
        ("preheat_tag", "shop", "shop2"),
        ("preheat_headers", {"Authorization": "Basic c2VjcmV0"}, {}),
        ("preheat_enable_task_id_based_blob_digest", "yes", None),
        ("preheat_verify", "peers", "auto"),
        ("preheat_max_age", "4h", "1h"),
    ],
)
def test_hosts_that_need_another_preheat_are_refused(tmp_path, variable, first, second):
    files = {"preheat_files": "https://files.example.com/model.bin", "preheat_platforms": "linux/amd64"}
    hosts = {"h1": {**files, variable: first}, "h2": files if second is None else {**files, variable: second}}
    outcome = preheat(tmp_path, **hosts)
    assert outcome["h2"].startswith(f"{variable} is not the same for all hosts of the play.")
    assert "c2VjcmV0" not in (tmp_path / "stdout").read_text(encoding="utf-8")


def test_options_that_say_the_same_in_another_way_are_accepted(tmp_path):
    allowed = {"preheat_images": ["redis:7"], "containerd_mirrors_registries": {}}
    first = {"preheat_max_age": "1h", "preheat_force": "no", "preheat_platforms": "linux/amd64"}
    second = {"preheat_max_age": 3600, "preheat_force": False, "preheat_platforms": ["linux/amd64"]}
    outcome = preheat(tmp_path, h1={**allowed, **first}, h2={**allowed, **second})
    assert "redis:7 would be preheated, but pulled from the registry itself" in outcome["h2"]


def test_the_go_client_and_many_peers_are_refused(tmp_path):
    outcome = preheat(tmp_path, h1={"preheat_client": "dfget", "preheat_scope": "all_peers"})
    assert "preheat_scope: all_peers requires peers with the Rust client" in outcome["h1"]


def test_the_go_client_is_refused_if_the_manager_cannot_preheat_it(tmp_path, sandbox):
    """The role reads the release from the manager, because no variable names it."""
    manager = {"preheat_url": sandbox.url, "preheat_token": sandbox.token}
    variables = {"preheat_client": "dfget", "preheat_images": "registry.example.com/a:1", **manager}
    outcome = preheat(tmp_path, h1=variables)["h1"]
    assert f"The manager at {sandbox.url} has release 2.4.1 or later" in outcome
    assert "Use preheat_client: dfdaemon." in outcome


def test_a_host_without_an_address_is_refused_for_many_peers(tmp_path):
    outcome = preheat(tmp_path, h1={"preheat_scope": "all_peers", "preheat_host_ip": ""})
    assert "requires the address of each host, and that of this host is unknown" in outcome["h1"]


@pytest.mark.parametrize(
    "role, variables, suggestion",
    [
        ("preheat", {"preheat_client": "none", "preheat_image": "redis:7"}, "preheat_images"),
        ("preheat", {"preheat_client": "dfget", "dfget_manager_addr": "m:65003"}, "dfget_manager_addrs"),
        ("preheat", {"preheat_client": "none", "containerd_mirror_registries": {}}, "containerd_mirrors_registries"),
        ("dfget", {**GO, "dfget_manager_addr": "m:65003"}, "dfget_manager_addrs"),
        ("dfget", {**GO, "preheat_aplication": "shop"}, "preheat_application"),
        ("dfdaemon", {**RUST, "dfdaemon_manager_addrs": "m:65003"}, "dfdaemon_manager_addr"),
        ("containerd_mirrors", {"containerd_mirrors_registry": {}}, "containerd_mirrors_registries"),
    ],
)
def test_a_misspelt_variable_is_refused(tmp_path, role, variables, suggestion):
    message = run(tmp_path, role, {"h1": variables})["h1"]
    assert f"{list(variables)[-1]} is not a variable of" in message
    assert f"Did you mean {suggestion}?" in message


def test_a_variable_of_ones_own_may_begin_like_those_of_a_role(tmp_path):
    own = {"preheat_mirrors": False, "preheat_window": "22:00", "dragonfly_ignored_variables": "preheat_window"}
    assert preheat(tmp_path, h1=own) == {"h1": "ok"}


def test_the_role_says_that_nothing_is_preheated(tmp_path):
    assert preheat(tmp_path, h1={"preheat_mirrors": False}) == {"h1": "ok"}
    stdout = (tmp_path / "stdout").read_text(encoding="utf-8")
    assert "preheat_images and preheat_files are empty. The role sets up the hosts and preheats nothing." in stdout


def test_images_and_files_together_are_refused(tmp_path):
    outcome = preheat(tmp_path, h1={"preheat_images": "redis:7", "preheat_files": "http://a/b"})
    assert "preheat_images and preheat_files are both set" in outcome["h1"]


def test_tomlkit_is_required_only_where_the_configuration_is_changed(tmp_path, monkeypatch):
    (tmp_path / "without").mkdir()
    (tmp_path / "without/tomlkit.py").write_text("raise ImportError('no tomlkit here')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}/without:{os.environ['PYTHONPATH']}")
    table = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\n'
    for host in ("configured", "unconfigured", "no_mirrors"):
        (tmp_path / host).mkdir()
        text = f'{table}config_path = "{tmp_path}/{host}/certs.d"\n' if host == "configured" else "version = 2\n"
        (tmp_path / host / "config.toml").write_text(text, encoding="utf-8")
    outcome = preheat(tmp_path, configured={}, unconfigured={}, no_mirrors={"preheat_mirrors": False})
    assert outcome["configured"] == outcome["no_mirrors"] == "ok"
    assert "requires the Python library tomlkit on the controller: no tomlkit here." in outcome["unconfigured"]
    assert "Run pip install tomlkit in the environment of Ansible. [tomlkit_missing]" in outcome["unconfigured"]

    absent = {"containerd_mirrors_state": "absent"}
    assert run(tmp_path, "containerd_mirrors", {"unconfigured": absent}) == {"unconfigured": "ok"}

    outcome = preheat(tmp_path, unconfigured={**RUST, "preheat_client": "dfdaemon"})
    assert "[tomlkit_missing] Nothing was changed." in " ".join(outcome["unconfigured"].split())
    assert not set_up_the_client(tmp_path)


def test_one_image_is_a_list_of_one_for_each_role(tmp_path):
    assert mirrors_after(tmp_path, preheat_images="new.io/a:1,newer.io/b:1") == {
        "old.io",
        "link.io",
        "new.io",
        "newer.io",
    }
    # The rejection follows the comparison of the preheats, and names each image.
    text = {"preheat_images": "redis:7,a.io/b:1", "containerd_mirrors_registries": {}}
    outcome = preheat(tmp_path, h1=text)
    assert "redis:7, a.io/b:1 would be preheated, but pulled from the registry itself" in outcome["h1"]


@pytest.mark.parametrize("value, message", [({"a": 1}, "unable to convert to list"), ([["a"]], "entry 1 is a list")])
def test_images_of_a_wrong_type_are_named(tmp_path, value, message):
    outcome = preheat(tmp_path, h1={"preheat_mirrors": False, "preheat_images": value})
    assert "preheat_images" in outcome["h1"]
    assert message in outcome["h1"]


def test_one_allowed_problem_is_a_list_of_one(clients):
    assert clients["allowed_text"] == "ok"
    # A text is not searched for the code.
    assert "[open_proxy]" in clients["allowed_other"]


JSON_TEXTS = {
    "dfdaemon_config": '{"proxy": {"server": {"port": 4009}}}',
    "dfdaemon_service_options": '{"MemoryMax": "1G"}',
    "dfdaemon_start_timeout": "90s",
    "containerd_mirrors_registries": '{"a.io": "https://a.io"}',
    "containerd_mirrors_headers": '{"X-A": "1"}',
    "containerd_mirrors_server_options": '{"a.io": {"skip_verify": true}}',
}


def test_mappings_may_be_texts(tmp_path):
    """Texts from an inventory in INI or from -e work in each role that reads the variable."""
    hosts = {"h1": {**JSON_TEXTS, "containerd_mirrors_client": "dfdaemon"}}
    shown = "[__containerd_mirrors_default_proxy, __containerd_mirrors_names, __containerd_mirrors_settings]"
    outcome = render(tmp_path, "containerd_mirrors", hosts, f"{shown} + [__containerd_mirrors_sent_headers]")
    assert outcome["h1"] == [
        "http://127.0.0.1:4009",
        ["a.io"],
        [{"key": "skip_verify", "value": True}],
        [{"key": "X-A", "value": "1"}],
    ]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Return the messages of the roles of the clients about text that is not a mapping or a duration."""
    cases: dict[str, dict[str, Any]] = {
        "config": {"dfdaemon_config": "[1]"},
        "service_options": {"dfdaemon_service_options": "a=b"},
        "start_timeout": {"dfdaemon_start_timeout": "soon"},
        "no_time": {"dfdaemon_start_timeout": 0},
        "max_age": {"preheat_max_age": "1.5h"},
        "registries": {"containerd_mirrors_registries": "a.io=https://a.io"},
        "good": JSON_TEXTS,
    }
    hosts = {host: {**RUST, **variables} for host, variables in cases.items()}
    return run(tmp_path_factory.mktemp("texts"), "dfdaemon", hosts)


@pytest.mark.parametrize(
    "host, message",
    [
        ("config", "dfdaemon_config"),
        ("service_options", "dfdaemon_service_options must be a mapping, not a text that is not a mapping in JSON."),
        ("start_timeout", "dfdaemon_start_timeout must be a number of seconds or a duration such as 90s"),
        ("no_time", "dfdaemon_start_timeout must be from 1s to 1d, not 0."),
        ("max_age", "preheat_max_age must be a number of seconds or a duration such as 90s"),
        ("registries", "containerd_mirrors_registries must be a mapping, not a text that is not a mapping in JSON."),
        ("good", "ok"),
    ],
)
def test_what_is_no_mapping_and_no_duration_is_named(texts, host, message):
    assert message in texts[host]


def test_the_client_is_required(tmp_path):
    assert "missing required arguments: preheat_client" in run(tmp_path, "preheat", {"h1": {}})["h1"]


@pytest.mark.parametrize(
    "name, values", [("images", [["a"], ["b"]]), ("tag", ["a", "b"]), ("scope", ["all_peers", "single_seed_peer"])]
)
def test_hosts_that_want_something_else_are_refused(tmp_path, name, values):
    outcome = preheat(
        tmp_path, **{f"h{n}": {"preheat_mirrors": False, f"preheat_{name}": value} for n, value in enumerate(values)}
    )
    assert f"preheat_{name} is not the same for all hosts of the play" in outcome["h1"]


def test_one_login_for_several_registries_is_refused(tmp_path):
    images = {
        "preheat_images": ["a.io/x:1", "b.io/x:1"],
        "preheat_registry_username": "u",
        "preheat_registry_password": SECRET,
    }
    outcome = preheat(tmp_path, h1=images)
    assert (
        "would be sent to several registries (a.io, b.io). Set username and password for each registry" in outcome["h1"]
    )
    assert SECRET not in outcome["h1"]


def test_clients_that_differ_are_refused_with_serial_too(tmp_path):
    """The check includes existing registries that only the mirrors have."""
    block = {"preheat_client": "none", "preheat_host_ip": "10.0.0.1", "preheat_mirrors": False}
    hosts = {
        "h1": {**block, "containerd_mirrors_client": "dfget"},
        "h2": {**block, "containerd_mirrors_client": "dfdaemon"},
    }
    outcome = run(tmp_path, "preheat", hosts, serial=1)
    assert outcome["h1"] == "ok"
    assert "The hosts of this play have different clients, dfdaemon and dfget." in outcome["h2"]


RUST_CONFIG = "proxy:\n  server: {ip: 127.0.0.1, port: 4009}\n  registryMirror: {addr: https://registry.example.com}\n"
REGISTRY = {"registry.example.com": "https://registry.example.com"}


@pytest.fixture(scope="module")
def registries_conf(tmp_path_factory):
    """Return the error messages and the drop-ins of the role registries_conf, on hosts with existing files."""
    folder = tmp_path_factory.mktemp("registries_conf")
    (folder / "bin").mkdir()
    (folder / "bin/podman").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "bin/podman").chmod(0o755)
    entry = '[[registry]]\nlocation = "registry.example.com"\n'
    mark = "Written by the Ansible role dragonflyoss.dragonfly.registries_conf, changes are lost."
    drop_in = "registries.conf.d/50-dragonfly.conf"
    other = {"other.example.com": "https://other.example.com"}
    cases: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "good": ({}, {}),
        "several": ({}, {"registries_conf_registries": {**REGISTRY, "quay.io": "https://registry.example.com/quay"}}),
        "taken": ({"registries.conf": entry}, {}),
        "old": ({"registries.conf.d/10.conf": '[registries.search]\nregistries = ["a"]\n'}, {}),
        "foreign": ({drop_in: entry}, {}),
        "not_served": ({}, {"registries_conf_registries": other}),
        "planned": ({}, {"registries_conf_registries": other, "dfdaemon_registry_mirror": "https://other.example.com"}),
        "no_proxy": ({}, {"registries_conf_client": "none"}),
        "no_registry": ({}, {"registries_conf_registries": {}}),
        "absent": ({drop_in: f"# {mark}\n{entry}"}, {"registries_conf_state": "absent"}),
        "absent_foreign": ({drop_in: entry}, {"registries_conf_state": "absent"}),
        "as_containerd": ({}, {"containerd_mirrors_registries": REGISTRY}),
        "of_images": ({}, {"preheat_images": ["registry.example.com/shop/web:1"]}),
    }
    hosts = {}
    for host, (files, variables) in cases.items():
        for name, text in files.items():
            path = folder / host / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        names_none = variables.keys() & {"containerd_mirrors_registries", "preheat_images"}
        common: dict[str, Any] = {} if names_none else {"registries_conf_registries": REGISTRY}
        common["registries_conf_client"] = "dfdaemon"
        path = {"registries_conf_path": f"{folder}/{host}/registries.conf"}
        hosts[host] = {**common, **path, **variables}
    config = folder / "dfdaemon.yaml"
    config.write_text(RUST_CONFIG, encoding="utf-8")
    defaults = {"dragonflyoss.dragonfly.host_info": {"dfdaemon_config": str(config)}}
    return run(folder, "registries_conf", hosts, options=("--check", "--diff"), module_defaults=defaults), folder


def test_the_drop_in_that_podman_reads(registries_conf):
    results, folder = registries_conf
    assert results["good"] == "ok"
    diff = (folder / "stdout").read_text(encoding="utf-8")
    assert '+prefix = "registry.example.com"' in diff
    assert '+location = "127.0.0.1:4009"' in diff
    assert '+location = "127.0.0.1:4009/quay"' in diff
    assert '+location = "registry.example.com/quay"' in diff
    assert results["several"] == "ok"
    assert (results["as_containerd"], results["of_images"]) == ("ok", "ok")


@pytest.mark.parametrize(
    "host, text",
    [
        ("taken", "taken/registries.conf: it has an entry for registry.example.com"),
        ("old", "old/registries.conf.d/10.conf: podman, CRI-O, Buildah and Skopeo reject the file"),
        ("foreign", "this role did not write the file"),
        ("not_served", "proxy.registryMirror.addr: podman and CRI-O do not send the name of the registry"),
        ("no_proxy", "No proxy is configured for podman and CRI-O"),
        ("no_registry", "No registry is configured"),
    ],
)
def test_what_the_role_registries_conf_refuses(registries_conf, host, text):
    assert text in registries_conf[0][host]


def test_only_its_own_drop_in_is_removed(registries_conf):
    results, folder = registries_conf
    assert (results["absent"], results["absent_foreign"]) == ("ok", "ok")
    removals = re.findall(
        r"^(changed|skipping): \[(absent\w*)\]$",
        (folder / "stdout").read_text(encoding="utf-8").partition("Ensure the drop-in of this role is absent")[2],
        re.MULTILINE,
    )
    assert set(removals[:2]) == {("changed", "absent"), ("skipping", "absent_foreign")}


def test_the_client_that_a_check_would_configure(registries_conf):
    assert registries_conf[0]["planned"] == "ok"


def test_values_are_checked_before_the_client_is_set_up(tmp_path):
    hosts: dict[str, tuple[dict[str, Any], str]] = {
        "timeout": ({"preheat_wait_timeout": "foo"}, "preheat_wait_timeout must be a number of seconds"),
        "ip": ({"preheat_host_ip": "foo"}, "preheat_host_ip: It must be an IP address, not 'foo'"),
        "platform": ({"preheat_platforms": "sparc"}, "'sparc' is not a valid platform"),
        "image": ({"preheat_images": "Redis:7"}, "preheat_images: 'Redis:7' is not a valid image reference"),
        "registry": ({"containerd_mirrors_registries": {"a": "b"}}, "containerd_mirrors_registries: "),
    }
    files = {"preheat_files": "http://a/b", "preheat_platforms": "linux/amd64"}
    hosts |= {
        "count": ({**files, "preheat_scope": "all_peers", "preheat_count": 0}, "preheat_count must be from 1 to 200"),
        "both": (
            {**files, "preheat_scope": "all_peers", "preheat_count": "2", "preheat_percentage": "50"},
            "preheat_count and percentage must not both be set",
        ),
        "ips": ({**files, "preheat_ips": "10.0.0.1"}, "preheat_ips requires scope all_peers"),
        "login": ({**files, "preheat_registry_username": "u"}, "preheat_registry_username is only for images"),
        "password in file": ({"preheat_files": "http://u:p@a/b"}, "must not contain a user name or password"),
        "password alone": (
            {"preheat_images": "redis:7", "preheat_platforms": "linux/amd64", "preheat_registry_password": SECRET},
            "preheat_registry_password is set without a user name",
        ),
        "header": ({**files, "preheat_headers": {"a b": "c"}}, "'a b' is not a valid name of a header"),
        "cluster": ({**files, "preheat_scheduler_cluster_ids": "0"}, "scheduler_cluster_ids must be numbers from 1"),
    }
    common = {**RUST, "preheat_client": "dfdaemon"}
    for host, (variables, expected_text) in hosts.items():
        folder = tmp_path / host
        folder.mkdir()
        message = run(folder, "preheat", {host: {**common, **variables}})[host]
        assert expected_text in message
        assert "Finalization" not in message
        assert not set_up_the_client(folder)


def test_mirrors_with_half_a_login_are_rejected(tmp_path):
    hosts = {
        "user": {"containerd_mirrors_username": "u"},
        "password": {"containerd_mirrors_password": SECRET},
    }
    common = {"containerd_mirrors_client": "dfdaemon", "containerd_mirrors_registries": {"a.io": "https://a.io"}}
    messages = run(tmp_path, "containerd_mirrors", {name: {**common, **more} for name, more in hosts.items()})
    expected = "containerd_mirrors_username and containerd_mirrors_password must both be set, or neither."
    assert messages == dict.fromkeys(hosts, expected)


def test_values_of_the_clients_are_named(tmp_path):
    hosts = {
        "port": {**RUST, "dfdaemon_proxy_port": 99999},
        "release": {**RUST, "dfdaemon_release": "1.9"},
        "file": {**RUST, "dfdaemon_install_source": "/nope/dragonfly-client-v1.4.2.deb"},
    }
    outcome = run(tmp_path, "dfdaemon", hosts)
    assert outcome["port"].startswith("dfdaemon_proxy_port: A port is a number from 1 to 65535, not '99999'.")
    assert outcome["release"].startswith("dfdaemon_release: '1.9' is not a release")
    assert "dfdaemon_install_source: the controller does not have the file /nope/" in outcome["file"]


def test_the_manager_of_the_environment_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("DRAGONFLY_URL", "http://manager.example.com:8080")
    (tmp_path / "rust").mkdir()
    (tmp_path / "go").mkdir()
    rust = render(tmp_path / "rust", "dfdaemon", {"h1": {"dfdaemon_release": "1.4.2"}}, "dfdaemon_manager_addr")
    assert rust["h1"] == "http://manager.example.com:65003"
    go = render(tmp_path / "go", "dfget", {"h1": {"dfget_release": "2.1.67"}}, "dfget_manager_addrs")
    assert go["h1"] == ["manager.example.com:65003"]
