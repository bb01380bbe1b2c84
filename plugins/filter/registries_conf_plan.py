# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter registries_conf_plan: see registries_conf_plan.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._registries_conf_plan import Options, make_plan


def _registries_conf_plan(facts: dict[str, t.Any], options: dict[str, t.Any]) -> dict[str, t.Any]:
    try:
        return make_plan(facts, Options(**options))
    except (InputError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"registries_conf_plan: {error}") from error


class FilterModule:
    """Filter registries_conf_plan."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"registries_conf_plan": _registries_conf_plan}
