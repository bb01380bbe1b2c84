# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter value_problems: see value_problems.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._value_problems import value_problems


class FilterModule:
    """Filter value_problems."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"value_problems": as_filter(value_problems, "value_problems")}
