# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter header_problems: see header_problems.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import problem_dicts
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import header_problems


def _header_problems(
    headers: dict[str, t.Any],
    client: str,
    allowed: t.Sequence[str] = (),
    tag: str = "",
    application: str = "",
    piece_length: int | None = None,
    blob_digest_ids: bool = False,
) -> list[dict[str, t.Any]]:
    if not isinstance(headers, dict):
        raise AnsibleFilterError("header_problems: headers must be a mapping of name to value")
    problems = header_problems(headers, client, tag, application, piece_length, blob_digest_ids)
    return problem_dicts(problems, allowed)


class FilterModule:
    """Filter header_problems."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"header_problems": _header_problems}
