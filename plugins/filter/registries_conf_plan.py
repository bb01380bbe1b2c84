# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter registries_conf_plan: see registries_conf_plan.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._registries_conf_plan import Options, make_plan


def _registries_conf_plan(facts: dict[str, t.Any], options: dict[str, t.Any]) -> dict[str, t.Any]:
    return make_plan(facts, Options(**options))


class FilterModule:
    """Filter registries_conf_plan."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"registries_conf_plan": as_filter(_registries_conf_plan, "registries_conf_plan", TypeError, ValueError)}
