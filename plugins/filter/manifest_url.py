# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter manifest_url: see manifest_url.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_config import read_registries
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter


def _manifest_url(image: str, registries: dict[str, t.Any] | None = None) -> str:
    return parse_image(image, read_registries(registries)[0]).manifest_url()


class FilterModule:
    """Filter manifest_url."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"manifest_url": as_filter(_manifest_url, "manifest_url")}
