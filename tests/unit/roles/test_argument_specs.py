# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specs are the contract of the roles: their defaults and the options of the called modules agree."""

from __future__ import annotations

import functools
import importlib
import re
from pathlib import Path

import pytest
import yaml

COLLECTION = Path(__file__).parents[3]
ROLES = sorted(path.parent.parent.name for path in COLLECTION.glob("roles/*/meta/argument_specs.yml"))
# The role has lists of images and files, always waits, and derives these from other variables.
NO_SECRETS = {"containerd_mirrors_headers", "manager_allow_default_password"}
NOT_OPTIONS_OF_THE_ROLE = {"image", "file", "wait", "registries", "expected_ips", "progress_file"}


@functools.cache
def load(role: str, path: str) -> dict:
    file = COLLECTION / "roles" / role / path
    return yaml.safe_load(file.read_text(encoding="utf-8")) or {} if file.exists() else {}


def options(role: str) -> dict:
    return load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def prefix(role: str) -> str:
    """Return the prefix of a role's variables. For the private role of a playbook, it is the playbook's name."""
    playbook = role.removeprefix("_")
    return playbook if (COLLECTION / "playbooks" / f"{playbook}.yml").exists() else role


def is_derived(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


def test_there_are_the_roles():
    assert {"dfget", "dfdaemon", "manager", "scheduler", "containerd_mirrors", "preheat"} <= set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_argument_spec(role):
    """A default that is derived from other variables is described as text, such as "Defaults to ..."."""
    defaults = load(role, "defaults/main.yml")
    spec = {name: option for name, option in options(role).items() if "default" in option}
    assert {name: value for name, value in defaults.items() if not is_derived(value)} == {
        name: option["default"] for name, option in spec.items()
    }
    for name, value in defaults.items():
        assert name in options(role)
        if is_derived(value):
            description = " ".join(options(role)[name]["description"])
            assert re.search("Defaults to |By default ", description), name


@pytest.mark.parametrize("role", ROLES)
def test_each_option_is_described_and_used(role):
    text = "".join(
        path.read_text(encoding="utf-8") for path in COLLECTION.glob("roles/**/*") if path.suffix in (".yml", ".j2")
    )
    for name, option in options(role).items():
        assert name.startswith(f"{prefix(role)}_")
        assert option["description"]
        assert re.search(rf"\b{name}\b", re.sub(rf"(?m)^ *{name}:", "", text)), f"nothing reads {name}"


@pytest.mark.parametrize("role", ROLES)
def test_each_variable_that_tasks_read_is_known(role):
    known = set(options(role)) | set(load(role, "vars/main.yml"))
    for path in COLLECTION.glob(f"roles/{role}/**/*"):
        if path.suffix in (".yml", ".j2") and "meta" not in path.parts:
            text = path.read_text(encoding="utf-8")
            known |= set(re.findall(r"(?:register|index_var): (\w+)", text))
            if "set_fact" in text:
                known |= set(re.findall(rf"^ +({prefix(role)}_\w+):", text, re.MULTILINE))
    for path in COLLECTION.glob(f"roles/{role}/**/*"):
        if path.suffix in (".yml", ".j2") and "meta" not in path.parts:
            text = re.sub(r"dragonflyoss\.dragonfly\.\w+", "", path.read_text(encoding="utf-8"))
            assert set(re.findall(rf"(?<!\w)_*{prefix(role)}_\w+", text)) - known == set(), path


@pytest.mark.parametrize("role", ["dfget", "dfdaemon", "manager", "scheduler"])
def test_the_roles_of_the_daemons_hand_on_all_that_their_private_role_reads(role):
    *_checks, task = load(role, "tasks/main.yml")
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in COLLECTION.glob("roles/_daemon/**/*")
        if path.suffix in (".yml", ".j2")
    )
    facts = re.findall(r"ansible\.builtin\.set_fact:\n +(\w+):", text)
    own = {*re.findall(r"register: (\w+)", text), *facts, *load("_daemon", "vars/main.yml")}
    read = set(re.findall(r"(?<![\w./])_daemon_\w+", text)) - own
    assert set(task["vars"]) == read == set(options("_daemon"))


@pytest.mark.parametrize("role", [role for role in ROLES if not role.startswith("_")])
def test_each_role_begins_with_the_check_for_misspelt_variables(role):
    for entry_point in load(role, "meta/argument_specs.yml")["argument_specs"]:
        first, *_others = load(role, f"tasks/{entry_point}.yml")
        assert first["ansible.builtin.assert"]["that"] == f"__{role}_misspelt | length == 0", entry_point
    lookup = f"query('dragonflyoss.dragonfly.misspelt_variables', '{role}'"
    assert lookup in load(role, "vars/main.yml")[f"__{role}_misspelt"]


def test_the_role_preheat_has_the_options_of_the_module():
    module = importlib.import_module("ansible_collections.dragonflyoss.dragonfly.plugins.modules.preheat")
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    connection = {"url", "token", "validate_certs", "ca_path", "client_cert", "client_key", "timeout"}
    more = {"registry_username", "registry_password", "wait_timeout", "wait_sleep"}
    expected = (set(documented) | connection | more) - NOT_OPTIONS_OF_THE_ROLE
    spec = options("preheat")
    assert {f"preheat_{name}" for name in expected} - set(spec) == set()
    for name in set(documented) & expected:
        option = spec[f"preheat_{name}"]
        assert option["type"] == documented[name]["type"], name
        assert option.get("choices") == documented[name].get("choices"), name
        if option.get("default") not in (None, "", []):
            assert option["default"] == documented[name]["default"], name


def test_the_role_preheat_passes_each_option_to_the_module():
    """An option that the role documents and does not pass would be silently ignored."""
    from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.options import ARG_OPTIONS

    task = next(task for task in load("preheat", "tasks/warm.yml") if "dragonflyoss.dragonfly.preheat" in task)
    module = importlib.import_module("ansible_collections.dragonflyoss.dragonfly.plugins.modules.preheat")
    documented = set(yaml.safe_load(module.DOCUMENTATION)["options"])
    not_passed = {"image", "file", "wait", "progress_file"}  # The role has lists, and always waits.
    assert documented - not_passed | set(ARG_OPTIONS) <= set(task["dragonflyoss.dragonfly.preheat"])


def test_hosts_are_compared_by_each_option_that_their_preheat_shares():
    """The options of the module that the role passes, without those that do not change what is cached."""
    task = next(task for task in load("preheat", "tasks/warm.yml") if "dragonflyoss.dragonfly.preheat" in task)
    passed = {f"preheat_{name}" for name in task["dragonflyoss.dragonfly.preheat"]}
    connection = {"token", "validate_certs", "ca_path", "client_cert", "client_key", "timeout"}
    registry = {"registries", "registry_username", "registry_password"}
    course = {"bio", "concurrent_task_count", "concurrent_peer_count", "job_timeout", "wait_timeout", "wait_sleep"}
    own = {f"preheat_{name}" for name in connection | registry | course | {"expected_ips"}}
    assert set(load("preheat", "vars/main.yml")["__preheat_wanted"]) == passed - own


def _reader(name: str, option: dict) -> str | None:
    """Return the filter in every use of a variable, None if there is a use without a filter."""
    if option["type"] in ("list", "dict"):
        return "as_list" if option["type"] == "list" else "as_mapping"
    if name.endswith("_log_max_age"):
        return "as_days"
    return "as_seconds" if re.search("(timeout|sleep|interval|delay|expire|ttl|period|_age)$", name) else None


def _uses(name: str, text: str) -> list[str]:
    """Return the text after each use of a variable in the expressions of a file."""
    conditions = re.findall(
        r"(?m)^ *(?:when|that|loop): (?![\"'>{[])(.+)$|^ +- ([^\"'{]+ (?:is|in|not|and|or) .+)$", text
    )
    expressions = re.findall(r"(?s)\{[{%].*?[%}]\}", text) + [first or second for first, second in conditions]
    # Not its name in a text, and not the test whether it is defined.
    pattern = rf"(?<![\w'])({name}\b)(?!' *\)| is (?:not )?defined)(.*)"
    return [match[2] for expression in expressions for match in re.finditer(pattern, expression, re.DOTALL)]


@pytest.mark.parametrize("role", [role for role in ROLES if not role.startswith("_")])
def test_each_list_mapping_and_duration_may_be_a_text(role):
    """The check includes other roles and playbooks that read the variable."""
    paths = [path for path in COLLECTION.glob("roles/*/*/*") if path.parent.name != "meta" and path.suffix != ".md"]
    for path in [*paths, *COLLECTION.glob("playbooks/*.yml")]:
        text = path.read_text(encoding="utf-8")
        for name, option in options(role).items():
            reader = _reader(name, option) if name in text else None
            for following in _uses(name, text) if reader else []:
                # value_problems reads a text as these filters do.
                filters = rf"(?:{reader}\('{name}'\)|value_problems\('{name}', '\w+'\))"
                read = rf"\s*(?:\| default\([^)]*\)\s*)?\| dragonflyoss\.dragonfly\.{filters}"
                assert re.match(read, following), f"{path}: {name}{following[:80]}"


def test_a_use_that_reads_no_text_is_recognized():
    for text in (
        'a: "{{ preheat_ips | length }}"',
        "when: preheat_ips | length > 0",
        "when:\n  - preheat_ips is sequence",
        "{% for ip in preheat_ips %}",
        "a: \"{{ 'x' in preheat_ips }}\"",
    ):
        assert _uses("preheat_ips", text), text
    for text in ("preheat_ips: []", "when: preheat_ips is defined", "fail_msg: Set preheat_ips.", "# preheat_ips"):
        assert not _uses("preheat_ips", text), text


def test_secrets_are_marked():
    for role in ROLES:
        for name, option in options(role).items():
            assert bool(option.get("no_log")) is bool(
                re.search("token$|password$|jwt_key$|headers$|_storage$|hdfs$", name) and name not in NO_SECRETS
            ), name
