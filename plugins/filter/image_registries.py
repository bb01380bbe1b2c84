# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter image_registries: see image_registries.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import image_registries
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter


def _image_registries(images: t.Sequence[str]) -> dict[str, str]:
    if not isinstance(images, list):
        raise InputError("images must be a list")
    return image_registries(images)


class FilterModule:
    """Filter image_registries."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"image_registries": as_filter(_image_registries, "image_registries")}
