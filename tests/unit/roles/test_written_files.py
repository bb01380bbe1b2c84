# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What variables hold is in the files that the roles write, whatever it is made of; and who may read these files."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.service_options import option_error
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.writer import to_yaml
from ansible_collections.dragonflyoss.dragonfly.tests.unit.roles.test_in_check_mode import play, run

# "ansible-test units" would run the same playbooks again with each Python.
pytestmark = pytest.mark.skipif(
    any(type(finder).__name__ == "_AnsibleCollectionFinder" for finder in sys.meta_path),
    reason="plain pytest runs them",
)

CHECKOUT = Path(__file__).resolve().parents[3]
#: What a language of files could take for something else.
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
#: Renders each case within one task, for a task takes far longer than a template.
_RENDER = """
{% set texts = {} %}
{% for name, variables in cases.items() %}
{% set _text = texts.update({name: lookup('ansible.builtin.template', path, template_vars=variables, **options)}) %}
{% endfor %}
{{ texts | to_json }}
"""
_CASES: dict[str, dict[str, dict[str, Any]]] = {}


def cases_of(template: str) -> Any:
    """Register a function that gives the variables of each case of a template of a role."""

    def register(function: Any) -> Any:
        _CASES[template] = function()
        return function

    return register


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Give what each template makes of each case."""
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
                # Read from a file, so that nothing in it is a template.
                "vars": {
                    "cases": f"{{{{ lookup('ansible.builtin.file', '{source}') | from_json }}}}",
                    "path": str(CHECKOUT / "roles" / role / "templates" / name),
                    "options": {"convert_data": False},
                },
            }
        )
    play(folder, [*tasks, {"ansible.builtin.set_fact": {"found": "ok"}}], {"host": {}})
    return {
        template: json.loads((folder / f"{number}.out").read_text(encoding="utf-8"))
        for number, template in enumerate(_CASES)
    }


HOST = "http://127.0.0.1:4001"
#: TOML has no DEL. The role refuses it, as a header and as text that is no TOML.
TOML_TEXTS = {name: text for name, text in TEXTS.items() if name != "delete"}
#: An address is ASCII.
ADDRESSES = {name: text for name, text in TEXTS.items() if name not in ("delete", "emoji")}
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
            "containerd_mirrors_headers": {"X-Any": text, f"X {text}": "a"},
            "containerd_mirrors_server_options": {"r": {"ca": text, "header": {"X-Own": [text, text]}}},
        }
        for name, text in TOML_TEXTS.items()
    }


@cases_of("dfdaemon/base.yaml.j2")
def dfdaemon_cases():
    return {
        name: {
            "_client_known_release": "1.5.1",
            "dfdaemon_manager_addr": text,
            "dfdaemon_seed_peer": True,
            "dfdaemon_cluster_id": 1,
            "dfdaemon_proxy_ip": text,
            "dfdaemon_proxy_port": 4001,
            "dfdaemon_registry_mirror": text,
        }
        for name, text in ADDRESSES.items()
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
        for name, text in ADDRESSES.items()
    }


@cases_of("_client/config.yaml.j2")
def client_cases():
    return {
        name: {"_client_marker": "marker", "_client_config": {"a": text, "b": [text, {text or "key": text}]}}
        for name, text in TEXTS.items()
    }


@cases_of("_client/drop-in.conf.j2")
def drop_in_cases():
    return {
        name: {"_client_marker": "marker", "_client_service_options": {"Environment": [text]}}
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


def test_the_configuration_of_a_client(written):
    for name, content in written["_client/config.yaml.j2"].items():
        text = TEXTS[name]
        assert yaml.safe_load(content) == {"a": text, "b": [text, {text or "key": text}]}, name


def test_a_date_in_a_configuration_is_a_text():
    assert to_yaml({"a": datetime.date(2026, 11, 28)}) == 'a: "2026-11-28"\n'


def test_settings_that_systemd_would_not_read_as_written_are_refused():
    refused = "double quote, three quotes, line break, carriage return, backslash, percent, template, delete, escape"
    assert set(SETTINGS) - set(ALLOWED_SETTINGS) == set(refused.split(", "))


def test_a_drop_in(written):
    for name, content in written["_client/drop-in.conf.j2"].items():
        assert content.split("\n") == [
            "# marker",
            "[Service]",
            "Restart=always",
            "RestartSec=5",
            "ExecReload=",
            f"Environment={ALLOWED_SETTINGS[name]}",
            "",
        ], name


# Who may read them


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
        assert options["mode"] == "preserve" or {"owner", "group"} <= set(options), (file, task["name"])
        assert str(options["mode"]) not in ("0666", "0777"), (file, task["name"])


def test_backups_of_the_configuration_of_a_client_are_for_root_alone():
    tasks = yaml.safe_load((CHECKOUT / "roles/_daemon/tasks/configure.yml").read_text(encoding="utf-8"))
    private = [task["register"] for task in tasks if task.get("ansible.builtin.template", {}).get("mode") == "0640"]
    [backups] = [task for task in tasks if "backup_file" in str(task.get("ansible.builtin.file"))]
    assert len(private) == 2
    assert backups["ansible.builtin.file"]["mode"] == "0600"
    assert all(register in backups["loop"] for register in private)


# What is refused

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
