# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter images_in: see images_in.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._images_in import images_in


class FilterModule:
    """Filter images_in."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"images_in": as_filter(images_in, "images_in")}
