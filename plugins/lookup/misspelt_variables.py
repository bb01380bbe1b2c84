# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup misspelt_variables, which each role runs first."""

from __future__ import annotations

DOCUMENTATION = r"""
name: misspelt_variables
short_description: Find misspelt variables of roles
version_added: 1.0.0
author: Dragonfly collection contributors (@dragonflyoss)
description:
  - Returns a message for each variable of the host that begins with the name of a role but is not a variable of that
    role, with the name that was most likely meant.
  - Each role of the collection starts with this check, because Ansible silently ignores unknown variables.
  - A variable belongs to the role with the longest matching name. The variables of a role are the options in its
    argument specs, its registered variables, facts and vars. Names that begin with an underscore are ignored.
  - The lookup also finds a prefix with a single wrong letter, such as C(containerd_mirror_registries).
  - To ignore your own variables that begin with the name of a role, add them to the list
    C(dragonfly_ignored_variables).
options:
  _terms:
    description: Names of roles of this collection, such as V(preheat).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Fail if a variable is misspelt
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ query('dragonflyoss.dragonfly.misspelt_variables', 'preheat') }}"
"""

RETURN = r"""
_raw:
  description: >-
    The messages, sorted by variable name, followed by the remedy. Empty if there are no misspelt variables.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._role_variables import (
    read_role,
    role_names,
    variable_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._variable_values import read_list

_IGNORED = "dragonfly_ignored_variables"
_REMEDY = f"To ignore your own variables with such names, add them to {_IGNORED}."


class LookupModule(LookupBase):
    """Lookup misspelt_variables."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        """Return the messages."""
        variables = variables or {}
        self.set_options(var_options=variables, direct=kwargs)
        try:
            ignored = read_list(self._templar.template(variables.get(_IGNORED)), _IGNORED)
            roles = [read_role(name) for name in terms]
            problems = variable_problems(list(variables), roles, role_names(), ignored)
        except InputError as error:
            raise AnsibleLookupError(f"misspelt_variables: {error}") from error
        return [*problems, _REMEDY] if problems else []
