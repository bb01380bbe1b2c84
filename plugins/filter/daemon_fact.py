# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter daemon_fact: see daemon_fact.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.host import FACTS


def _daemon_fact(value: t.Any, fact: str, *details: t.Any) -> t.Any:
    if fact not in FACTS:
        raise AnsibleFilterError(f"daemon_fact: {fact!r} is not a valid fact. Use one of {', '.join(sorted(FACTS))}.")
    try:
        return FACTS[fact](value, *details)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"daemon_fact: {fact} cannot be derived from this input: {error!r}") from error


class FilterModule:
    """Filter daemon_fact."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"daemon_fact": _daemon_fact}
