# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles in check mode on this machine: what they would write, and what they refuse with which words.

Nothing is changed and no service is needed: neither the clients, nor containerd, nor systemd have to be here. What the
roles do to real hosts is tested by the scenarios of extensions/molecule.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config_problems import Context, config_problems

# "ansible-test units" would run the same playbooks again with each Python.
pytestmark = pytest.mark.skipif(
    any(type(finder).__name__ == "_AnsibleCollectionFinder" for finder in sys.meta_path), reason="plain pytest runs them"
)

CHECKOUT = Path(__file__).resolve().parents[3]
MARKER = "# Written by the Ansible role dragonflyoss.dragonfly.containerd_mirrors, changes are lost.\n"


def play(folder: Path, tasks: list[dict[str, Any]], hosts: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Run tasks in check mode.

    :param folder: for the files of the run, and for what the hosts' containerd has, a folder each.
    :param hosts: variables of each host.
    :return: host to what its variable ``found`` was in the end.
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
    (folder / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
    (folder / "play.yml").write_text(json.dumps([the_play]), encoding="utf-8")
    command = [sys.executable, "-m", "ansible", "playbook", "--check", "-i", "inventory.yml", "play.yml"]
    environment = {**os.environ, "ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "10"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    files = {host: folder / f"{host}.json" for host in hosts}
    assert all(path.exists() for path in files.values()), done.stdout + done.stderr
    return {host: json.loads(path.read_text(encoding="utf-8")) for host, path in files.items()}


def run(folder: Path, role: str, hosts: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Host to what the role ended with: ``ok``, or the message with which it failed."""
    block = {
        "block": [
            {"ansible.builtin.include_role": {"name": f"dragonflyoss.dragonfly.{role}"}},
            {"ansible.builtin.set_fact": {"found": "ok"}},
        ],
        "rescue": [{"ansible.builtin.set_fact": {"found": "{{ ansible_failed_result.msg }}"}}],
    }
    return play(folder, [block], hosts)


def render(folder: Path, role: str, hosts: dict[str, dict[str, Any]], show: str) -> dict[str, Any]:
    """Host to what a variable of a role is, without running it."""
    # The role looks for its templates in its own folder, which the folder of the play stands for here.
    (folder / "templates").symlink_to(CHECKOUT / "roles" / role / "templates")
    files = [f"{CHECKOUT}/roles/{each}" for each in ("client/vars/main.yml", f"{role}/defaults/main.yml", f"{role}/vars/main.yml")]
    # Host variables are below the files of a play, so they are set again above them.
    task = {"ansible.builtin.set_fact": {"found": "{{ %s }}" % show}}
    handed_on = {"client_release": "{{ %s_release }}" % role, "client_install_source": ""}
    tasks = [{**task, "when": f"inventory_hostname == '{host}'", "vars": {**handed_on, **given}} for host, given in hosts.items()]
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
    }
    return render(tmp_path_factory.mktemp("go"), "dfget", cases, "__dfget_config")


@pytest.fixture(scope="module")
def rust(tmp_path_factory):
    cases = {
        "peer": RUST,
        "seed": {**RUST, "dfdaemon_seed_peer": True},
        "old_seed": {**RUST, "dfdaemon_seed_peer": True, "dfdaemon_release": "1.0.10"},
        "schedulers": {"dfdaemon_release": "1.4.3", "dfdaemon_scheduler_addrs": ["s:8002"]},
    }
    return render(tmp_path_factory.mktemp("rust"), "dfdaemon", cases, "[__dfdaemon_config, __dfdaemon_dynconfig]")


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """What the roles of the clients refuse."""
    of_file = {"dfget_release": "", "dfget_install_source": "/x/dfget-2.1.60-linux-amd64.deb"}
    flag = {"proxy": {"registryMirror": {"enableTaskIDBasedBlobDigest": True}}}
    go_hosts = {
        "unknown_key": {**GO, "dfget_config": {"proxy": {"defaultFilters": "ns"}}},
        "release": {**GO, **of_file, "dfget_config": {"networkTopology": {"enable": True}}},
        "alone": {"dfget_release": "2.1.67"},
        "cache": {**GO, "dfget_seed_peer": True, "preheat_max_age": 86400},
        "tag": {**GO, "preheat_tag": "shop"},
        "allowed": {**GO, "dfget_proxy_ip": "0.0.0.0", "dfget_allowed_problems": ["open_proxy"]},
    }
    found = run(tmp_path_factory.mktemp("go"), "dfget", go_hosts)
    return {**found, **run(tmp_path_factory.mktemp("rust"), "dfdaemon", {"flag": {**RUST, "dfdaemon_config": flag}})}


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
    assert dynconfig == {"scheduler": {"addrs": ["s:8002"]}}


@pytest.mark.parametrize("name, releases", [("peer", ["2.0.9", "2.1.0", "2.1.67", "2.2.5", "2.3.4"]), ("seed", ["2.0.9", "2.3.0"])])
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
    "name, words",
    [
        ("unknown_key", ["proxy.defaultFilters: dfget has no such key", "Did you mean proxy.defaultFilter?", "(dfget 2.1.67)",
                         "dfget_allowed_problems"]),
        ("release", ["dfget 2.1.60 no longer has this key", "networkTopology.enable"]),
        ("alone", ["Set dfget_manager_addrs or dfget_scheduler_addrs."]),
        ("cache", ["storage.taskExpireTime", "dropped 21600 s after its last use"]),
        ("tag", ["proxy.defaultTag: pulls of this host carry the tag '', the preheat the tag 'shop'"]),
        ("flag", ["enableTaskIDBasedBlobDigest", "[blob_digest_ids]"]),
        ("allowed", ["ok"]),
    ],
)
def test_what_the_roles_of_the_clients_refuse(clients, name, words):
    for each in words:
        assert each in clients[name]


# --- the mirrors


@pytest.fixture(scope="module")
def mirrors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirrors")
    hub = {"containerd_mirrors_client": "dfget", "containerd_mirrors_registries": {"docker.io": "https://index.docker.io"}}
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
    }
    mirrored = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."a"]\nendpoint = ["http://a"]\n'
    for host in hosts:
        for path, text in (("docker.io", "# by hand\n"), ("ghcr.io", MARKER), ("r_5000_", MARKER)):
            (folder / host / "certs.d" / path).mkdir(parents=True)
            (folder / host / "certs.d" / path / "hosts.toml").write_text(text, encoding="utf-8")
        config = mirrored if host == "old_mirrors" else "version = 2\n"
        (folder / host / "config.toml").write_text(config, encoding="utf-8")
    return run(folder, "containerd_mirrors", hosts)


@pytest.mark.parametrize(
    "name, words",
    [
        ("foreign", ["docker.io/hosts.toml was not written by this role", "containerd_mirrors_overwrite"]),
        ("no_proxy", ["containerd_mirrors_client", "containerd_mirrors_proxy"]),
        ("shadow", ["containerd reads", "r_5000_/hosts.toml before the file of this role"]),
        ("only_verified", ["does not read", "containerd_mirrors_manage_config is false"]),
        ("tag", ["containerd_mirrors_headers.X-Dragonfly-Tag", "[tag_mismatch]"]),
        ("no_registry", ["'https://a' is no registry"]),
        ("old_mirrors", ["[mirrors_in_use]"]),
        ("overwrite", ["ok"]),
    ],
)
def test_what_the_role_of_the_mirrors_refuses(mirrors, name, words):
    for each in words:
        assert each in mirrors[name]


# --- the whole


def preheat(tmp_path, **hosts):
    common = {"preheat_client": "none", "containerd_mirrors_client": "dfdaemon", "preheat_host_ip": "10.0.0.1"}
    return run(tmp_path, "preheat", {host: {**common, **variables} for host, variables in hosts.items()})


def test_mixed_clients_are_refused(tmp_path):
    found = preheat(tmp_path, h1={"preheat_client": "dfget"}, h2={"preheat_client": "dfdaemon"})
    assert all("The hosts have both clients, dfdaemon and dfget." in message for message in found.values())


def test_mixed_clients_may_be_allowed(tmp_path):
    # The next refusal tells that this one did not come.
    allowed = {"preheat_allow_mixed_clients": True, "preheat_images": ["redis:7"], "containerd_mirrors_registries": {}}
    found = preheat(tmp_path, h1={"preheat_client": "dfget", **allowed}, h2={"preheat_client": "dfdaemon", **allowed})
    assert all("redis:7 would be preheated, but pulled from the registry itself" in message for message in found.values())


def test_registries_that_differ_are_refused(tmp_path):
    found = preheat(tmp_path, **{f"h{n}": {"containerd_mirrors_registries": {"r": f"http://r{n}"}} for n in (1, 2)})
    assert all("is not the same for all hosts of the play" in message for message in found.values())


def test_the_go_client_and_many_peers_are_refused(tmp_path):
    found = preheat(tmp_path, h1={"preheat_client": "dfget", "preheat_scope": "all_peers"})
    assert "preheat_scope all_peers needs peers with the Rust client" in found["h1"]


def test_a_host_without_an_address_is_refused_for_many_peers(tmp_path):
    found = preheat(tmp_path, h1={"preheat_scope": "all_peers", "preheat_host_ip": ""})
    assert "The address of the host is not known" in found["h1"]


def test_the_client_is_required(tmp_path):
    assert "missing required arguments: preheat_client" in run(tmp_path, "preheat", {"h1": {}})["h1"]
