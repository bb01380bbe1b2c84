# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter as_list: see as_list.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._variable_values import read_list


class FilterModule:
    """Filter as_list."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"as_list": as_filter(read_list)}
