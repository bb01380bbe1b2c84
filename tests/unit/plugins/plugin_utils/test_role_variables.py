# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rejected names of variables."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._role_variables import (
    Role,
    read_role,
    role_names,
    variable_problems,
)

PREHEAT = Role("preheat", frozenset({"preheat_images", "preheat_tag"}), frozenset({"preheat_result"}))
MIRRORS = Role(
    "containerd_mirrors", frozenset({"containerd_mirrors_registries", "containerd_mirrors_tags"}), frozenset()
)
ROLES = [PREHEAT, MIRRORS]


@pytest.mark.parametrize(
    "name, message",
    [
        ("preheat_images", None),
        ("preheat_result", None),
        ("preheat_image", "role dragonflyoss.dragonfly.preheat. Did you mean preheat_images?"),
        ("preheat_tags", "Did you mean preheat_tag?"),
        ("preheat_imgaes", "Did you mean preheat_images?"),
        ("Preheat_Images", "Did you mean preheat_images?"),
        ("preheat_expected_ips", "To expect others, use the module dragonflyoss.dragonfly.preheat."),
        ("preheat_window", "See ansible-doc -t role dragonflyoss.dragonfly.preheat"),
        ("preheat_registries", "Did you mean containerd_mirrors_registries?"),
        ("containerd_mirrors_registry", "Did you mean containerd_mirrors_registries?"),
        ("containerd_mirror_registries", "Did you mean containerd_mirrors_registries?"),
        ("prehaet_images", "Did you mean preheat_images?"),
        ("preheta_images", "Did you mean preheat_images?"),
        ("reheat_tag", "Did you mean preheat_tag?"),
        ("preheat_later_images", None),
        ("preheated_images", None),
        ("preheat", None),
        ("images", None),
        ("other_images", None),
        ("__preheat_image", None),
        ("_preheat_image", None),
        ("preheat_mine", None),
    ],
)
def test_which_variables_are_refused(name, message):
    problems = variable_problems([name], ROLES, ["preheat_later"], ignored=["preheat_mine"])
    if message is None:
        assert problems == []
    else:
        [problem] = problems
        assert problem.startswith(name)
        assert message in problem


def test_each_problem_is_reported():
    problems = variable_problems(["preheat_b", "preheat_images", "preheat_a"], ROLES)
    assert [problem.partition(" ")[0] for problem in problems] == ["preheat_a", "preheat_b"]


@pytest.mark.parametrize("name", role_names())
def test_the_variables_of_a_role_are_read(name):
    role = read_role(name)
    assert role.options
    assert all(option.startswith(role.prefix) for option in role.options)


def test_what_a_role_sets_itself_is_known():
    own = read_role("preheat").own
    assert {"preheat_result", "preheat_host", "preheat_first", "preheat_hit"} <= own


def test_an_unknown_role_is_named():
    with pytest.raises(InputError, match="no role 'prehaet'"):
        read_role("prehaet")
