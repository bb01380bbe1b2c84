# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter mirror_problems: see mirror_problems.yml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_config import mirror_problems, mirrors


def _mirror_problems(
    registries: dict[str, t.Any],
    client: str,
    allowed: t.Sequence[str] = (),
    tag: str = "",
    application: str = "",
    piece_length: int | None = None,
) -> list[dict[str, str]]:
    try:
        problems = mirror_problems(mirrors(registries), client, tag, application, piece_length)
    except InputError as error:
        raise AnsibleFilterError(f"mirror_problems: {error}") from error
    return [{**found._asdict(), "message": found.message} for found in problems if found.code not in allowed]


class FilterModule:
    """Filter mirror_problems."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"mirror_problems": _mirror_problems}
