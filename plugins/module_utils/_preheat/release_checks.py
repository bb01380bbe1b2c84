# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the options of a preheat with the release of the manager, which silently ignores unsupported ones."""

from __future__ import annotations

import typing as t

from .._errors import DragonflyError
from .._jobs import JobReader
from .._releases import FIRST_QUERYING_HOSTS, Releases, not_everywhere, not_in_releases, option_releases
from .planning import PlannedJob


def refuse_unknown_options(planned_jobs: list[PlannedJob], reader: JobReader) -> None:
    """Refuse options that this manager would ignore, as far as its release is known.

    :raises DragonflyError: with reason ``unknown_option``.
    """
    options = _set_options(planned_jobs)
    if not reader.echo_seen and not_everywhere(options):
        # The release is unknown, and a job that is created to determine it would be useless.
        reader.probe_releases()
    unknown = not_in_releases(options, reader.releases)
    # A stored job can be older than the manager's last upgrade, so probe before rejecting the options.
    if unknown and reader.probe_releases():
        unknown = not_in_releases(options, reader.releases)
    if unknown:
        raise DragonflyError(
            f"This manager (release {reader.releases}) does not support {name_options(unknown)} and would silently "
            "ignore it. Nothing was created. What to do: remove it, or use a release that supports it.",
            "unknown_option",
        )


def _set_options(planned_jobs: list[PlannedJob]) -> dict[str, t.Any]:
    """Return the options that are set for any of the jobs."""
    options: dict[str, t.Any] = {}
    for planned in planned_jobs:
        options.update((name, value) for name, value in planned.all_options().items() if value)
    return options


def require_peers_that_answer(verify: str, reader: JobReader) -> None:
    """Refuse ``verify: peers`` if the manager's schedulers do not query the peers.

    :raises DragonflyError: with reason ``peers_unknown``.
    """
    if verify != "peers":
        return
    if not reader.releases.since(FIRST_QUERYING_HOSTS):
        reader.probe_releases()
    # The routes of a manager do not show whether it is 2.4.0. From 2.3.1 on, the response to the query shows it.
    if reader.releases.before(FIRST_QUERYING_HOSTS):
        raise DragonflyError(
            f"This manager (release {reader.releases}) cannot report what the peers hold now. Nothing was created. "
            "What to do: verify: peers requires Dragonfly manager 2.4.0 or later.",
            "peers_unknown",
        )


def ignored_option_message(job_id: int, ignored: list[str], releases: Releases) -> str:
    """Return the message for a created job whose manager ignored options."""
    return (
        f"job {job_id} was created, but this manager (release {releases}) does not support {name_options(ignored)} and "
        "ignored it. What to do: remove it, or use a release that supports it"
    )


def name_options(names: list[str]) -> str:
    """Return options as users write them, each with the releases that support it."""
    return ", ".join(f"{_USER_NAMES.get(name, name)} ({option_releases(name)})" for name in names)


_USER_NAMES = {"platform": "platforms"}
