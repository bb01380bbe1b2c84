# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin peers, run by ansible-inventory and ansible against the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.tests.tools.sources import assigned

CHECKOUT = Path(__file__).resolve().parents[4]
PLUGIN = "dragonflyoss.dragonfly.peers"
RELEASES = ["2.1.67", "2.3.4", "2.5.1"]

# pylint: disable=redefined-outer-name


@pytest.fixture(params=RELEASES)
def release(request):
    """Return the manager's release."""
    return request.param


@pytest.fixture
def box(release):
    """Yield a manager with two hosts and a seed in cluster 1, and one host in cluster 2."""
    from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

    with Sandbox(release=release, factor=10000) as box:
        box.add_cluster()
        box.add_host("host-3", "10.77.0.13", cluster_id=2, client="go")
        yield box


class Ansible:
    """Runs commands of Ansible with the plugin's file.

    :ivar messages: stderr of the last command, on one line.
    """

    def __init__(self, box, folder):
        self._box = box
        self._folder = folder
        self.messages = ""

    def __call__(self, *command, source=None, fails=False, **options):
        """Run a command, and return its output."""
        path = self._folder / "peers.dragonfly.yml"
        config = dict({"plugin": PLUGIN, "refresh": True}, **options)
        path.write_text(source or yaml.safe_dump(config), encoding="utf-8")
        env = dict(os.environ, DRAGONFLY_URL=self._box.url, DRAGONFLY_JWT=self._box.jwt, HOME=str(self._folder))
        env.update(ANSIBLE_INVENTORY_ENABLED=PLUGIN, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1")
        done = subprocess.run(
            [sys.executable, "-m", "ansible.cli." + command[0], "-i", str(path), *command[1:]],
            env=env,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        assert self._box.jwt not in done.stdout + done.stderr
        self.messages = " ".join(done.stderr.split())
        return done.stdout


@pytest.fixture
def ansible(box, tmp_path):
    """Return a function that runs a command of Ansible with the plugin's file, and returns its output."""
    return Ansible(box, tmp_path)


@pytest.fixture
def listed(ansible):
    """Return a function that returns the result of ansible-inventory --list."""
    return lambda **options: json.loads(ansible("inventory", "--list", **options), object_hook=marked)


class Unsafe(str):
    """A string marked as unsafe, which is never a template."""


def marked(document):
    """Read the output of ansible-inventory for such a string."""
    return Unsafe(document["__ansible_unsafe"]) if set(document) == {"__ansible_unsafe"} else document


def test_peers_are_hosts(listed):
    inventory = listed()
    variables = inventory["_meta"]["hostvars"]
    assert set(variables) == {"host-1", "host-2", "host-3", "seed-1"}
    host = variables["host-1"]
    assert host["ansible_host"] == host["dragonfly_ip"] == "10.77.0.11"
    assert (host["dragonfly_type"], host["dragonfly_state"]) == ("normal", "active")
    assert host["dragonfly_scheduler_cluster_id"] == 1
    for host in variables.values():
        assert all(isinstance(value, Unsafe) for value in host.values() if isinstance(value, str)), host


def test_groups_are_made_and_filters_count(listed):
    inventory = listed(
        types=["normal"],
        keyed_groups=[{"key": "dragonfly_scheduler_cluster_id | string", "prefix": "cluster"}],
        groups={"go_clients": "dragonfly_git_version.startswith('v')"},
        compose={"ansible_user": "'deploy'", "label": "dragonfly_hostname ~ '!'"},
    )
    assert set(inventory["_meta"]["hostvars"]) == {"host-1", "host-2", "host-3"}
    assert inventory["cluster_1"]["hosts"] == ["host-1", "host-2"]
    assert inventory["cluster_2"]["hosts"] == ["host-3"]
    assert "host-3" in inventory["go_clients"]["hosts"]
    assert inventory["_meta"]["hostvars"]["host-3"]["ansible_user"] == "deploy"
    assert inventory["_meta"]["hostvars"]["host-3"]["label"] == "host-3!"
    assert set(listed(scheduler_cluster_ids=[2])["_meta"]["hostvars"]) == {"host-3"}
    assert listed(states=["inactive"])["_meta"]["hostvars"] == {}
    assert "10.77.0.13" in listed(hostname="ip")["_meta"]["hostvars"]


@pytest.mark.parametrize("release", ["2.5.1"], indirect=True)
class TestOneRelease:
    """Return the parts that do not depend on the release."""

    def test_what_a_peer_says_is_no_template(self, box, ansible):
        system = box.manager.fleet.hosts[0]
        keys = "os platform platform_family platform_version kernel_version git_version git_commit build_platform"
        ports = "port download_port proxy_port"
        system.system = lambda _name: dict.fromkeys(f"{keys} {ports}".split(), "{{ 6 * 7 }}{% raw %}")

        def printed(template):
            command = ["adhoc", system.name, "--connection=local", "--module-name=ansible.builtin.debug"]
            return ansible(*command, "--args", f"msg={template}", compose={"copy": "dragonfly_git_version"})

        assert "{{ 6 * 7 }}{% raw %}" in printed("{{ dragonfly_git_version }}")
        assert "42" not in printed("{{ copy }}")

    @pytest.mark.parametrize(
        "name, ip, problem",
        [
            ("{{ lookup('pipe', 'id') }}", "10.77.0.60", "not a valid host name"),
            ("-oProxyCommand=id", "10.77.0.60", "not a valid host name"),
            ("localhost", "10.77.0.60", "of the controller"),
            ("host-9", "-oProxyCommand=id", "not a valid IP address"),
            ("host-9", "fe80::1%eth0", "not a valid IP address"),
            *[
                ("host-9", address, "of the controller, or cannot be the address")
                for address in (
                    "127.0.0.1",
                    "::1",
                    "::127.0.0.1",
                    "::ffff:127.0.0.1",
                    "0.0.0.0",
                    "::",
                    "::ffff:0.0.0.0",
                    "224.0.0.1",
                    "ff02::1",
                    "::ffff:224.0.0.1",
                )
            ],
        ],
    )
    def test_peers_that_are_no_hosts_are_left_out(self, box, ansible, listed, name, ip, problem):
        box.add_host(name, ip)
        assert set(listed()["_meta"]["hostvars"]) == {"host-1", "host-2", "host-3", "seed-1"}
        assert problem in ansible.messages

    def test_addresses_of_ipv6_are_taken(self, box, listed):
        box.add_host("host-9", "2001:db8::9")
        assert listed()["_meta"]["hostvars"]["host-9"]["ansible_host"] == "2001:db8::9"

    @pytest.mark.parametrize("hostname", ["hostname", "ip"])
    def test_peers_with_the_name_of_a_group_are_left_out(self, box, ansible, tmp_path, hostname):
        names = ["all", "ungrouped", "web", "cluster_1", "cluster_2", "parent", "go"]
        for number, name in enumerate(names):
            box.add_host(name, f"10.77.0.{60 + number}", cluster_id=1)
        second = tmp_path / "second.dragonfly.yml"
        second.write_text(
            yaml.safe_dump(
                {
                    "plugin": PLUGIN,
                    "hostname": hostname,
                    "compose": {"copy": "dragonfly_ip"},
                    "groups": {"go": "copy == '10.77.0.13'"},
                    "keyed_groups": [
                        {
                            "key": "dragonfly_scheduler_cluster_id | string",
                            "prefix": "cluster",
                            "parent_group": "parent",
                        }
                    ],
                }
            ),
            encoding="utf-8",
        )
        inventory = json.loads(
            ansible(
                "inventory", "-i", str(second), "--list", types=["super"], groups={"web": "dragonfly_type == 'super'"}
            )
        )
        hosts, left = (
            inventory["_meta"]["hostvars"],
            [name for name in names if f"Skipping the peer {name!r} " in ansible.messages],
        )
        if hostname == "ip":
            assert len(hosts) == 12
            assert left == []
            return
        assert inventory["web"]["hosts"] == ["seed-1"]
        assert set(hosts) == {"host-1", "host-2", "host-3", "seed-1"}
        assert left == names
        assert inventory["cluster_1"]["hosts"] == ["host-1", "host-2", "seed-1"]
        assert inventory["go"]["hosts"] == ["host-3"]
        assert inventory["parent"] == {"children": ["cluster_1", "cluster_2"]}

    def test_an_empty_list_is_explained(self, box, ansible):
        ansible("inventory", "--list")
        assert "set refresh to true" not in ansible.messages
        box.reset()
        ansible("inventory", "--list", refresh=False)
        assert f"{box.url} knows no peers yet" in ansible.messages

    def test_it_is_cached(self, box, ansible, listed, tmp_path):
        cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
        first = listed(**cache)
        box.clear_log()
        assert listed(**cache) == first
        assert box.counts()["requests"] == 0
        box.add_host("host-4", "10.77.0.14")
        listed(cache=False)
        assert box.counts()["requests"] > 0
        # The cache of this manager does not apply to another manager in the environment.
        with_slash = json.loads(ansible("inventory", "--list", url=box.url + "/", **cache), object_hook=marked)
        assert "host-4" in with_slash["_meta"]["hostvars"]
        kept = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "cache").iterdir())
        assert box.jwt not in kept
        assert "host-1" in kept

    def test_all_pages_are_read(self, box, listed):
        for number in range(120):
            box.add_host(f"many-{number}", f"10.78.0.{number}")
        assert len(listed()["_meta"]["hostvars"]) == 124

    def test_failures_are_told(self, box, ansible):
        ansible("inventory", "--list", jwt="not.a.jwt", fails=True)
        assert "sign in again with dragonflyoss.dragonfly.login" in ansible.messages
        ansible("inventory", "--list", url="dragonfly-manager", fails=True)
        assert "url must be the manager's address" in ansible.messages
        box.rule(fault="body", body={"id": 1}, path="/peers$")
        ansible("inventory", "--list", fails=True)
        assert "not a list of peers" in ansible.messages

    def test_rows_with_values_of_other_types_are_no_traceback(self, box, ansible, listed):
        row = {"id": 1, "hostname": "host-9", "ip": "10.77.0.19", "type": "normal", "state": "active"}
        row.update(scheduler_cluster_id=2, updated_at="2026-11-28T13:00:00Z")
        broken = [dict(row, id=number + 2, **{key: ["x"]}) for number, key in enumerate(sorted(set(row) - {"id"}))]
        box.rule(fault="body", body=[row, *broken], path="/peers$", times=1)
        inventory = listed(scheduler_cluster_ids=[2])
        assert set(inventory["_meta"]["hostvars"]) == {"host-9"}
        assert "Traceback" not in ansible.messages
        assert "unhashable" not in ansible.messages

    def test_a_user_name_and_a_password_are_enough(self, box, ansible, listed):
        password = box.state()["password"]
        inventory = listed(jwt="", username="root", password=password)
        assert "host-1" in inventory["_meta"]["hostvars"]
        ansible("inventory", "--list", jwt="", username="root", password=None, fails=True)
        assert "set both username and password" in ansible.messages

    def test_options_that_do_not_exist_are_refused(self, box, ansible):
        ansible("inventory", "--list", tpyes=["normal"], fails=True)
        assert "tpyes is not a valid option (did you mean types?)" in ansible.messages
        for wrong in ({"timeout": "soon"}, {"scheduler_cluster_ids": "one"}):
            box.clear_log()
            ansible("inventory", "--list", **wrong, fails=True)
            assert f"{next(iter(wrong))} must be " in ansible.messages
            assert box.counts()["requests"] == 0

    def test_a_string_is_a_list_of_one_and_durations_have_units(self, box, listed):
        for options in ({"scheduler_cluster_id": 2}, {"scheduler_cluster_ids": "2"}, {"scheduler_cluster_ids": [2]}):
            assert set(listed(type="normal", timeout="1m", **options)["_meta"]["hostvars"]) == {"host-3"}

    def test_the_examples_work(self, box, ansible):
        text = assigned(CHECKOUT / "plugins/inventory/peers.py", "EXAMPLES")
        examples = [part for part in text.split("---\n") if "plugin:" in part]
        assert len(examples) == 2
        for example in examples:
            example = example.replace("http://dragonfly-manager:8080", box.url)
            inventory = json.loads(ansible("inventory", "--list", source=example))
        assert inventory["cluster_2"]["hosts"] == ["host-3"]
        assert inventory["rust_clients"]["hosts"] == [
            "host-1",
            "host-2",
        ]


def test_only_its_own_files_are_taken(ansible, tmp_path):
    (tmp_path / "hosts.yml").write_text("plugin: " + PLUGIN, encoding="utf-8")
    ansible("inventory", "--list", "-i", str(tmp_path / "hosts.yml"), fails=True)
