# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter as_days: see as_days.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._variable_values import read_days


class FilterModule:
    """Filter as_days."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"as_days": as_filter(read_days)}
