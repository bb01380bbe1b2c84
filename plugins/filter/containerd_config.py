# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter containerd_config: see containerd_config.yml."""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import problem_dicts
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_config import judge_config
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._filter_errors import as_filter


def _containerd_config(
    text: str,
    certs_dir: str,
    containerd: str | None = None,
    dump: str | None = None,
    client: str = "none",
    allowed: t.Sequence[str] = (),
) -> dict[str, t.Any]:
    facts = {"config": {"path": "config.toml", "text": text}, "version": containerd, "dump": dump}
    verdict = judge_config(facts, certs_dir, client, allowed)
    return {"text": verdict.text, "needed": verdict.needed, "problems": problem_dicts(verdict.problems)}


class FilterModule:
    """Filter containerd_config."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"containerd_config": as_filter(_containerd_config, "containerd_config", ValueError)}
