# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter task_id: see task_id.yml."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import redact_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._release import parse_release
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import recipe_for


def _task_id(
    url: str,
    client: str = "",
    release: str | None = None,
    filtered_query_params: t.Iterable[str] = (),
    tag: str = "",
    application: str = "",
    piece_length: int | None = None,
) -> str:
    parsed_release = parse_release(release or "")
    if release and parsed_release is None:
        raise AnsibleFilterError(f"task_id: {release!r} is not a valid release: write it like 2.1.67.")
    if not client:
        raise AnsibleFilterError("task_id: client is missing. Set it to dfget, dfdaemon or scheduler.")
    if "#" in url:
        raise AnsibleFilterError(
            f"task_id: {redact_url(url)!r} contains a fragment, which clients do not send. Remove it."
        )
    names = _names(filtered_query_params)
    try:
        recipe = recipe_for(client, parsed_release)
        if recipe is None:
            raise ValueError(
                f"dfdaemon {release} computes task IDs that no other release computes. Use 0.1.114 or later"
            )
        return recipe.task_id(url, names, tag=tag, application=application, piece_length=piece_length)
    except ValueError as error:
        raise AnsibleFilterError(f"task_id: {redact_url(url)!r}: {error}.") from None


def _names(params: t.Any) -> list[str]:
    # A string is taken as managers and clients write it.
    names = params.split("&") if isinstance(params, str) else params
    if isinstance(names, c.Iterable) and not isinstance(names, c.Mapping):
        names = list(names)
        if all(isinstance(name, str) for name in names):
            return list(filter(None, names))
    raise AnsibleFilterError(
        f"task_id: filtered_query_params must be a list of names, or names with & in between, not {params!r}."
    )


class FilterModule:
    """Filter task_id."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"task_id": _task_id}
