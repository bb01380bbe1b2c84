# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether the manager still polls an existing job, and whether the job counts. Does not read the clock."""

from __future__ import annotations

import typing as t

from .._release import Releases
from .._releases import FIRST_WITH_SCOPES
from .._time import parse_time
from .verdict import Verdict

# Maximum time for which the manager polls a job: up to 2.1.59 480 polls 5 to 10 s apart, later 16 polls at most 300 s
# apart (manager/service/job.go, pollingJob, 2.1.0 and 2.1.60).
GIVE_UP_WINDOW = 4800
# From FIRST_WITH_SCOPES on, each poll updates the job's row: maximum interval of 300 s plus a margin.
WATCHED_WINDOW = 360

#: Meaning of an existing identical job for a planned one.
Decision = t.Literal["adopted", "found", "skip", "remake"]
ADOPT: t.Final = "adopted"
FOUND: t.Final = "found"
SKIP: t.Final = "skip"
REMAKE: t.Final = "remake"


def is_watched(job: dict, now: float, releases: Releases) -> bool:
    """Return whether the manager still polls a PENDING job. It does not resume polling after a restart.

    Only the POST starts the goroutine that polls (manager/service/job.go, 2.5.1).

    :param now: seconds since 1970 by the manager's clock.
    """
    created, written = parse_time(job.get("created_at")), parse_time(job.get("updated_at"))
    if created is not None and now - created > GIVE_UP_WINDOW:
        return False
    if written is not None and releases.since(FIRST_WITH_SCOPES):
        return now - written <= WATCHED_WINDOW
    return True


def decide(job: dict, verdict: Verdict, now: float, max_age: int, releases: Releases) -> Decision:
    """Return the meaning of an existing identical job for a planned one.

    :param now: seconds since 1970 by the manager's clock.
    :param max_age: maximum age of a warm job in seconds.
    :returns: ``adopted`` (it is running), ``found`` (it is warm and within ``max_age``), ``skip`` (it is irrelevant,
        but an older job may count) or ``remake`` (a new job is needed).
    """
    if verdict.status == "pending":
        return ADOPT if is_watched(job, now, releases) else SKIP
    if verdict.status != "warm" or max_age <= 0:
        return REMAKE
    created = parse_time(job.get("created_at"))
    return FOUND if created is not None and now - created <= max_age else REMAKE
