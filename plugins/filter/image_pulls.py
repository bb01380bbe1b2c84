# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter image_pulls: see image_pulls.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import pulls
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter


def _image_pulls(
    images: t.Sequence[str], registries: dict[str, t.Any], username: str | None = None, password: str | None = None
) -> list[dict[str, str]]:
    if not isinstance(images, list) or not isinstance(registries, dict):
        raise InputError("images must be a list, and registries a mapping of name to base URL")
    return [pull._asdict() for pull in pulls(images, registries, username or None, password or None)]


class FilterModule:
    """Filter image_pulls."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"image_pulls": as_filter(_image_pulls, "image_pulls")}
