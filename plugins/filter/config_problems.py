# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter config_problems: see config_problems.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._duration import duration_problem, parse_duration
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.checker import Context
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import problem_dicts
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import config_problems
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import SCHEMA
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.writer import plain

_CONTEXT = Context()._fields


def _config_problems(
    config: t.Any, client: str, release: str | None = None, allowed: t.Sequence[str] = (), **context: t.Any
) -> list[dict[str, t.Any]]:
    if client not in SCHEMA:
        raise AnsibleFilterError(f"config_problems: client must be one of {', '.join(SCHEMA)}, not {client!r}")
    if not isinstance(config, dict):
        raise AnsibleFilterError(f"config_problems: the configuration must be a mapping, not {type(config).__name__}")
    try:
        problems = config_problems(plain(config), client, release or None, _read_context(context))
    except ValueError as error:
        raise AnsibleFilterError(f"config_problems: {error}") from error
    return problem_dicts(problems, allowed)


def _read_context(arguments: dict[str, t.Any]) -> Context:
    """Return what is known besides the configuration, by the filter's arguments."""
    unknown = sorted(set(arguments) - set(_CONTEXT))
    if unknown:
        raise AnsibleFilterError(
            f"config_problems: {', '.join(unknown)} is not valid. The arguments are {', '.join(_CONTEXT)}"
        )
    given = {name: plain(value) for name, value in arguments.items() if value is not None}
    if isinstance(given.get("max_age"), str):
        given["max_age"] = parse_duration(given["max_age"])
        if given["max_age"] is None:
            raise AnsibleFilterError(f"config_problems: {duration_problem('max_age', arguments['max_age'])}")
    return Context(**given)


class FilterModule:
    """Filter config_problems."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"config_problems": _config_problems}
