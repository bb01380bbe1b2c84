# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each role rejects variables with wrong types and values, and misspelt variables, and names the variable."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._role_values import role_value_problems
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._role_variables import read_options, role_names
from ansible_collections.dragonflyoss.dragonfly.tests.unit.playbook_runs import ONLY_PLAIN_PYTEST
from ansible_collections.dragonflyoss.dragonfly.tests.unit.roles.test_in_check_mode import run

pytestmark = ONLY_PLAIN_PYTEST

ROLES = [name for name in role_names() if not name.startswith("_")]
#: A value that no variable of the type accepts.
WRONG: dict[str, Any] = {"int": "many", "float": "many", "bool": "maybe", "dict": "a", "list": {"a": 1}}
#: Values of the right type that the roles reject themselves, by the end of the name of the variable.
INVALID: dict[str, Any] = {
    "_release": "1.9",
    "_port": 99999,
    "_start_timeout": "soon",
    "_log_max_age": "90s",
    "_advertise_ip": "node-1",
    "_registries": {"docker.io": "https://docker.io"},
}
REQUIRED = {"preheat_client": "dfdaemon"}


def cases() -> dict[str, tuple[str, str, Any]]:
    """Return for each test its role, its variable and the wrong value: one of each type and ending for each role."""
    by_name = {}
    for role in ROLES:
        for name, option in sorted(read_options(role).items()):
            ending = next((ending for ending in INVALID if name.endswith(ending)), None)
            if name.endswith("insecure_registries"):
                ending = None
            kind = "choices" if "choices" in option else option["type"]
            wrong = "nonsense" if kind == "choices" else WRONG.get(kind)
            if wrong is not None:
                by_name[f"{role}_{kind}"] = (role, name, wrong)
            if ending:
                by_name[f"{role}{ending}"] = (role, name, INVALID[ending])
        by_name[f"{role}_misspelt"] = (role, f"{role}_statte", "present")
    return by_name


CASES = cases()


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """Return the message of each case."""
    hosts = {case: {**REQUIRED, "tested_role": role, name: value} for case, (role, name, value) in CASES.items()}
    return run(tmp_path_factory.mktemp("wrong"), "{{ tested_role }}", hosts)


@pytest.mark.parametrize("case", CASES)
def test_a_role_names_the_variable_that_it_rejects(messages, case):
    _role, name, value = CASES[case]
    assert name in messages[case]
    assert "Finalization" not in messages[case]
    if case.endswith("_misspelt"):
        assert f"Did you mean {name.replace('statte', 'state')}?" in messages[case]


@pytest.mark.parametrize("case", [case for case in CASES if not case.endswith("_misspelt")])
def test_a_playbook_of_several_roles_names_the_variable_too(case):
    role, name, value = CASES[case]
    assert any(name in problem for problem in role_value_problems({name: value}, role))


def test_values_that_are_valid():
    variables = {
        "manager_redis_addrs": "a:1,b:2",
        "manager_config": '{"a": 1}',
        "manager_grpc_port": "65003",
        "manager_manage_unit": "yes",
        "manager_log_max_age": "7d",
        "manager_advertise_ip": "fd00::1",
        "preheat_images": "redis:7",
        "preheat_count": "200",
        "preheat_url": None,
        "unknown": object(),
    }
    assert role_value_problems(variables, "manager") + role_value_problems(variables, "preheat") == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"preheat_count": "201"}, "preheat_count must be from 1 to 200, not 201."),
        ({"preheat_piece_length": 1}, "preheat_piece_length must be from 4194304"),
        ({"preheat_max_age": "soon"}, "preheat_max_age must be a number of seconds"),
        ({"preheat_images": ["Redis:7"]}, "preheat_images: 'Redis:7' is not a valid image reference"),
    ],
)
def test_values_out_of_range(variables, message):
    [problem] = role_value_problems(variables, "preheat")
    assert message in problem
