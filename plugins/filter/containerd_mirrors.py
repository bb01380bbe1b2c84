# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter containerd_mirrors: see containerd_mirrors.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import mirrors
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter


def _containerd_mirrors(registries: t.Any) -> list[dict[str, t.Any]]:
    if not isinstance(registries, dict):
        raise InputError("registries must be a mapping of registry name to base URL")
    return [mirror._asdict() for mirror in mirrors(registries)]


class FilterModule:
    """Filter containerd_mirrors."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"containerd_mirrors": as_filter(_containerd_mirrors, "containerd_mirrors")}
