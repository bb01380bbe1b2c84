# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that roles write contain the values of variables with any characters, and have restricted modes."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.service_options import option_error
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.writer import to_yaml
from ansible_collections.dragonflyoss.dragonfly.tests.unit.playbook_runs import ONLY_PLAIN_PYTEST
from ansible_collections.dragonflyoss.dragonfly.tests.unit.roles.test_in_check_mode import play, run

pytestmark = ONLY_PLAIN_PYTEST

CHECKOUT = Path(__file__).resolve().parents[3]
#: Values with a special meaning in some file formats.
TEXTS = {
    "double quote": 'a"b',
    "single quotes": "a'b''c",
    "three quotes": "a'''b\"\"\"c",
    "line break": "a\nb = 1\n[evil]\n",
    "carriage return": "a\r\nb",
    "tab": "a\tb",
    "backslash": "a\\b\\n\\u0041\\",
    "percent": "100%n%%",
    "dollar": "$HOME ${HOME} $(id)",
    "comment": "a # b",
    "colon": "a: b",
    "brackets": "[a, {b: c}]",
    "template": "{{ 7 * 7 }}{% raw %}",
    "number": "0o17",
    "float": "1e3",
    "no": "no",
    "null": "null",
    "date": "2026-11-28",
    "spaces": "  a  ",
    "empty": "",
    "umlaut": "ä",
    "emoji": "\U0001f409",
    "delete": "a\x7fb",
    "escape": "a\x1b[31mb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "byte-order mark": "\ufeffa",
    "alias": "*a &b !!python/object:c",
    "slashes": "</script>",
}
#: Renders each case within one task, because a task takes much longer than a template.
_RENDER = """
{% for name, variables in cases.items() %}
{{ [name, lookup('ansible.builtin.template', path, template_vars=variables, **options)] | to_json }}
{% endfor %}
"""
_CASES: dict[str, dict[str, dict[str, Any]]] = {}


def cases_of(template: str) -> Any:
    """Register a function that returns the variables of each case of a role's template."""

    def register(function: Any) -> Any:
        _CASES[template] = function()
        return function

    return register


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the result of each template for each case."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "render.j2").write_text(_RENDER, encoding="utf-8")
    tasks = []
    for number, (template, cases) in enumerate(_CASES.items()):
        source = folder / f"cases{number}.json"
        source.write_text(json.dumps(cases), encoding="utf-8")
        role, _slash, name = template.partition("/")
        tasks.append(
            {
                "ansible.builtin.template": {"src": "render.j2", "dest": f"{folder}/{number}.out", "mode": "0600"},
                "check_mode": False,
                "name": template,
                # Read from a file, so nothing in it is a template.
                "vars": {
                    "cases": f"{{{{ lookup('ansible.builtin.file', '{source}') | from_json }}}}",
                    "path": str(CHECKOUT / "roles" / role / "templates" / name),
                    "options": {"convert_data": False},
                },
            }
        )
    play(folder, [*tasks, {"ansible.builtin.set_fact": {"found": "ok"}}], {"host": {}})
    texts = {}
    for number, (template, cases) in enumerate(_CASES.items()):
        lines = (folder / f"{number}.out").read_text(encoding="utf-8").splitlines()
        texts[template] = dict(json.loads(line) for line in lines if line)
        assert set(texts[template]) == set(cases), template
    return texts


HOST = "http://127.0.0.1:4001"
#: TOML does not allow DEL. The role rejects it in headers, and in text that is not valid TOML.
TOML_TEXTS = {name: text for name, text in TEXTS.items() if name != "delete"}
SETTINGS = {name: f'"NAME={text}"' for name, text in TEXTS.items()}
ALLOWED_SETTINGS = {name: text for name, text in SETTINGS.items() if option_error("Environment", text) is None}


@cases_of("containerd_mirrors/hosts.toml.j2")
def hosts_toml_cases():
    return {
        name: {
            "__containerd_mirrors_marker": "marker",
            "__containerd_mirrors_by_name": {"r": {"prefix": "", "server": "https://r", "origin": text}},
            "item": "r",
            "containerd_mirrors_proxy": HOST,
            "__containerd_mirrors_headers": {"X-Any": text, f"X {text}": "a"},
            "__containerd_mirrors_server_options": {"r": {"ca": text, "header": {"X-Own": [text, text]}}},
        }
        for name, text in TOML_TEXTS.items()
    }


@cases_of("dfdaemon/base.yaml.j2")
def dfdaemon_cases():
    return {
        name: {
            "_daemon_known_release": "1.5.1",
            "dfdaemon_manager_addr": text,
            "dfdaemon_seed_peer": True,
            "dfdaemon_cluster_id": 1,
            "dfdaemon_proxy_ip": text,
            "dfdaemon_proxy_port": 4001,
            "dfdaemon_registry_mirror": text,
        }
        for name, text in TEXTS.items()
        if text
    }


@cases_of("dfget/base.yaml.j2")
def dfget_cases():
    return {
        name: {
            "__dfget_managers": [text],
            "__dfget_schedulers": [text],
            "dfget_seed_peer": False,
            "dfget_cluster_id": 1,
            "dfget_proxy_ip": text,
            "dfget_proxy_port": 65001,
            "dfget_registry_mirror": text,
        }
        for name, text in TEXTS.items()
    }


@cases_of("manager/base.yaml.j2")
def manager_cases():
    texts = "rest_addr jwt_key database_username database_password database_host database_name redis_username".split()
    texts += "redis_password redis_master_name advertise_ip log_level".split()
    numbers = ("grpc_port", "database_port", "redis_db", "redis_broker_db", "redis_backend_db")
    return {
        name: {
            "_daemon_known_release": "2.5.1",
            "manager_database_type": "mysql",
            "manager_redis_addrs": [text],
            "manager_preheat_tls": {"caCert": text},
            **{f"manager_{option}": text for option in texts},
            **{f"manager_{option}": 1 for option in numbers},
        }
        for name, text in TEXTS.items()
        if text
    }


@cases_of("scheduler/base.yaml.j2")
def scheduler_cases():
    texts = "manager_addr advertise_ip redis_username redis_password redis_master_name idc location log_level".split()
    numbers = ("port", "cluster_id", "redis_broker_db", "redis_backend_db")
    return {
        name: {
            "_daemon_known_release": "2.5.1",
            "scheduler_redis_addrs": [text],
            **{f"scheduler_{option}": text for option in texts},
            **{f"scheduler_{option}": 1 for option in numbers},
        }
        for name, text in TEXTS.items()
        if text
    }


@cases_of("_daemon/extra.yaml.j2")
def extra_cases():
    return {name: {"_daemon_marker": "marker", "_daemon_extra": {"a": [text]}} for name, text in TEXTS.items()}


@cases_of("_daemon/config.yaml.j2")
def client_cases():
    return {
        name: {"_daemon_marker": "marker", "_daemon_config": {"a": text, "b": [text, {text or "key": text}]}}
        for name, text in TEXTS.items()
    }


@cases_of("_daemon/drop-in.conf.j2")
def drop_in_cases():
    return {
        name: {"_daemon_marker": "marker", "_daemon_service_options": {"Environment": [text]}}
        for name, text in ALLOWED_SETTINGS.items()
    }


def test_hosts_toml(written):
    for name, content in written["containerd_mirrors/hosts.toml.j2"].items():
        text = TEXTS[name]
        document = tomllib.loads(content)
        assert document["ca"] == text, name
        assert document["header"] == {"X-Own": [text, text]}, name
        expected = {"X-Dragonfly-Registry": [text], "X-Any": [text], f"X {text}": ["a"]}
        assert document["host"][HOST]["header"] == expected, name
        assert set(document) == {"ca", "header", "host", "server"}, name


def test_the_base_of_dfdaemon(written):
    for name, content in written["dfdaemon/base.yaml.j2"].items():
        document = yaml.safe_load(content)
        proxy = document["proxy"]
        assert set(document) == {"manager", "seedPeer", "host", "storage", "proxy"}, name
        addresses = [document["manager"]["addr"], proxy["server"]["ip"], proxy["registryMirror"]["addr"]]
        assert addresses == [TEXTS[name]] * 3, name


def test_the_base_of_dfget(written):
    for name, content in written["dfget/base.yaml.j2"].items():
        document = yaml.safe_load(content)
        proxy, scheduler = document["proxy"], document["scheduler"]
        assert set(document) == {"aliveTime", "keepStorage", "scheduler", "storage", "proxy"}, name
        addresses = [
            scheduler["manager"]["netAddrs"][0]["addr"],
            scheduler["netAddrs"][0]["addr"],
            proxy["tcpListen"]["listen"],
            proxy["registryMirror"]["url"],
        ]
        assert addresses == [TEXTS[name]] * 4, name


def test_the_base_of_the_manager(written):
    for name, content in written["manager/base.yaml.j2"].items():
        document, text = yaml.safe_load(content), TEXTS[name]
        assert set(document) == {"server", "auth", "database", "job"}, name
        assert document["server"]["rest"] == {"addr": text}, name
        assert [document["server"]["logLevel"], document["server"]["grpc"]["advertiseIP"]] == [text] * 2, name
        assert document["auth"] == {"jwt": {"key": text}}, name
        database = {"user": text, "password": text, "host": text, "port": 1, "dbname": text}
        assert document["database"]["mysql"] == database, name
        redis = document["database"]["redis"]
        assert [redis[key] for key in ("masterName", "username", "password")] == [text] * 3, name
        assert redis["addrs"] == [text], name
        assert document["job"] == {"preheat": {"tls": {"caCert": text}}}, name


def test_the_base_of_the_scheduler(written):
    for name, content in written["scheduler/base.yaml.j2"].items():
        document, text = yaml.safe_load(content), TEXTS[name]
        assert set(document) == {"server", "manager", "database", "host"}, name
        assert document["manager"] == {"addr": text, "schedulerClusterID": 1}, name
        assert document["host"] == {"idc": text, "location": text}, name
        assert [document["server"]["logLevel"], document["server"]["advertiseIP"]] == [text] * 2, name
        redis = document["database"]["redis"]
        assert [redis[key] for key in ("masterName", "username", "password")] == [text] * 3, name
        assert redis["addrs"] == [text], name


def test_dynconfig(written):
    for name, content in written["_daemon/extra.yaml.j2"].items():
        assert yaml.safe_load(content) == {"a": [TEXTS[name]]}, name


def test_the_configuration_of_a_client(written):
    for name, content in written["_daemon/config.yaml.j2"].items():
        text = TEXTS[name]
        assert yaml.safe_load(content) == {"a": text, "b": [text, {text or "key": text}]}, name


def test_a_date_in_a_configuration_is_a_text():
    assert to_yaml({"a": datetime.date(2026, 11, 28)}) == 'a: "2026-11-28"\n'


def test_settings_that_systemd_would_not_read_as_written_are_refused():
    refused = "double quote, three quotes, line break, carriage return, backslash, percent, template, delete, escape"
    assert set(SETTINGS) - set(ALLOWED_SETTINGS) == set(refused.split(", "))


def test_a_drop_in(written):
    for name, content in written["_daemon/drop-in.conf.j2"].items():
        assert content.split("\n") == [
            "# marker",
            "[Service]",
            "Restart=always",
            "RestartSec=5",
            "ExecReload=",
            f"Environment={ALLOWED_SETTINGS[name]}",
            "",
        ], name


# Modes and owners


def tasks_that_write() -> list[tuple[str, dict[str, Any], str]]:
    """Return the tasks of all roles that write a file, with the file of the task and the module."""
    modules = ("copy", "template", "get_url", "lineinfile", "blockinfile", "assemble")
    tasks = []
    for path in sorted((CHECKOUT / "roles").glob("*/tasks/*.yml")):
        for task in walk(yaml.safe_load(path.read_text(encoding="utf-8"))):
            tasks += [
                (f"{path.parts[-3]}/{path.name}", task, f"ansible.builtin.{module}")
                for module in modules
                if f"ansible.builtin.{module}" in task
            ]
    return tasks


def walk(tasks: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Return tasks with those of their blocks."""
    inner = []
    for task in tasks or []:
        inner.append(task)
        for part in ("block", "rescue", "always"):
            inner += walk(task.get(part))
    return inner


def test_every_file_has_an_owner_and_a_mode():
    tasks = tasks_that_write()
    assert len(tasks) > 8
    for file, task, module in tasks:
        options = task[module]
        assert "mode" in options, (file, task["name"])
        # On the controller, files belong to the user who runs Ansible.
        is_on_controller = task.get("delegate_to") == "localhost" and task.get("become") is False
        has_owner = options["mode"] == "preserve" or {"owner", "group"} <= set(options)
        assert is_on_controller or has_owner, (file, task["name"])
        assert str(options["mode"]) not in ("0666", "0777"), (file, task["name"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes files of root")
def test_who_reads_the_files_of_a_daemon(tmp_path):
    """Only root can read a drop-in with a secret, before and after a failure, and the backups of all files."""
    hosts = {"secret": {"Environment": ["HTTPS_PROXY=http://u:p@proxy"]}, "public": {"MemoryMax": "1G"}}
    for host in hosts:
        (tmp_path / host / "unit.d").mkdir(parents=True)
        for name in ("config.yaml", "dynconfig.yaml", "daemon.service", "unit.d/drop-in.conf"):
            (tmp_path / host / name).write_text("earlier: 1\n", encoding="utf-8")
    folder = f"{tmp_path}/{{{{ inventory_hostname }}}}"
    variables = {
        "_daemon_name": "dfdaemon",
        "_daemon_config_path": f"{folder}/config.yaml",
        "_daemon_extra_path": f"{folder}/dynconfig.yaml",
        "_daemon_unit_path": f"{folder}/daemon.service",
        "_daemon_drop_in": f"{folder}/unit.d/drop-in.conf",
        "_daemon_config": {"a": "b"},
        "_daemon_extra": {"a": "b"},
        "_daemon_user": "root",
        "_daemon_manage_unit": True,
        "_daemon_description": "daemon",
        "_daemon_exec_start": "/bin/true",
        "_daemon_unit_settings": [],
        # There is no systemd to read them.
        "_daemon_unit_changed": False,
    }
    (tmp_path / "variables.yml").write_text(json.dumps(variables), encoding="utf-8")
    role = {"name": "dragonflyoss.dragonfly._daemon"}
    tasks: list[dict[str, Any]] = [{"ansible.builtin.include_role": {**role, "tasks_from": "configure.yml"}}]
    show = "find . -name inventory.yml -prune -o -type f -printf '%P %m\\n' | grep -E 'config|daemon|drop-in'"
    listing = {"ansible.builtin.shell": {"cmd": show, "chdir": folder}, "register": "modes"}
    roll_back = {**tasks[0]["ansible.builtin.include_role"], "tasks_from": "roll_back.yml"}
    back = {"block": [{"ansible.builtin.include_role": roll_back}], "rescue": [{"ansible.builtin.meta": "noop"}]}
    keep = {"ansible.builtin.set_fact": {"before": "{{ modes.stdout_lines }}"}}
    end = {"ansible.builtin.set_fact": {"found": ["{{ before }}", "{{ modes.stdout_lines }}"]}}
    services = {host: {"_daemon_service_options": options} for host, options in hosts.items()}
    arguments = ("--extra-vars", "@variables.yml")
    endings = play(tmp_path, [*tasks, listing, keep, back, listing, end], services, options=arguments)
    for host, (after_writing, after_failing) in endings.items():
        modes = {"config.yaml": "640", "dynconfig.yaml": "640", "daemon.service": "644"}
        for lines, drop_in in ((after_writing, "600" if host == "secret" else "644"), (after_failing, "600")):
            expected = {**modes, "unit.d/drop-in.conf": drop_in}
            files = dict(line.rsplit(" ", 1) for line in lines)
            assert {name: mode for name, mode in files.items() if not name.endswith("~")} == expected, host
            assert [mode for name, mode in files.items() if name.endswith("~")] == ["600"] * 4, host


# Rejected values

MIRRORS = {
    "containerd_mirrors_client": "dfdaemon",
    "containerd_mirrors_registries": {"r.example.com": "https://r.example.com"},
}
HEADERS_THAT_NO_CLIENT_SENDS = {
    "line break": {"X-Any": "a\r\nX-Injected: b"},
    "NUL": {"X-Any": "a\x00b"},
    "name with a space": {"X Any": "b"},
    "name with a colon": {"X-Any:": "b"},
    "name with a line break": {"X-Any\nX-Injected": "b"},
    "empty name": {"": "b"},
}


def test_a_header_that_no_client_sends(tmp_path):
    hosts = {}
    for number, headers in enumerate(HEADERS_THAT_NO_CLIENT_SENDS.values()):
        hosts[f"mirror{number}"] = {**MIRRORS, "containerd_mirrors_headers": headers}
        options = {"r.example.com": {"header": headers}}
        hosts[f"server{number}"] = {**MIRRORS, "containerd_mirrors_server_options": options}
    hosts["good"] = {**MIRRORS, "containerd_mirrors_headers": {"X-Any": 'a"b\\ 100%'}}
    endings = run(tmp_path, "containerd_mirrors", hosts)
    assert endings.pop("good") == "ok"
    for host, message in endings.items():
        assert "is not a valid HTTP header" in message, (host, message)
