# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter containerd_plan: see containerd_plan.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_plan import (
    Options,
    edited_config,
    make_plan,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter


def _containerd_plan(facts: dict[str, t.Any], options: dict[str, t.Any], text: str | None = None) -> t.Any:
    wanted = Options(**options)
    return make_plan(facts, wanted) if text is None else edited_config(facts, wanted, text)


class FilterModule:
    """Filter containerd_plan."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"containerd_plan": as_filter(_containerd_plan, "containerd_plan", TypeError, ValueError)}
