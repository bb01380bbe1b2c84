# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter config_facts: see config_facts.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import config_files, has_secret
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import SCHEMA
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.writer import plain


def _config_facts(config: dict[str, t.Any], client: str) -> dict[str, t.Any]:
    if client not in SCHEMA:
        raise AnsibleFilterError(f"config_facts: client must be one of {', '.join(SCHEMA)}, not {client!r}")
    if not isinstance(config, dict):
        raise AnsibleFilterError(f"config_facts: the configuration must be a mapping, not {type(config).__name__}")
    config = plain(config)
    return {"files": config_files(config, client), "secret": has_secret(config, client)}


class FilterModule:
    """Filter config_facts."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"config_facts": _config_facts}
