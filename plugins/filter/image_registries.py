# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter image_registries: see image_registries.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import image_registries


def _image_registries(images: t.Sequence[str]) -> dict[str, str]:
    if not isinstance(images, list):
        raise AnsibleFilterError("image_registries: images must be a list")
    try:
        return image_registries(images)
    except InputError as error:
        raise AnsibleFilterError(f"image_registries: {error}") from error


class FilterModule:
    """Filter image_registries."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by name."""
        return {"image_registries": _image_registries}
