# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold the outcome of each planned job. Sends no requests."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .planning import PlannedJob
from .verdict import Verdict

Source = t.Literal["created", "adopted", "found", "planned"]


class ReplacedJob(t.NamedTuple):
    """An existing job that was warm and no longer counts."""

    job_id: int
    reason: str
    message: str


@dataclass(eq=False)
class JobRecord:
    """A job that counts for a planned job, or the reason why there is none.

    :ivar source: origin of the job, None without a job.
    :ivar job: document of the manager, without its result unless that is still needed.
    :ivar replaces: the job that this one replaces.
    """

    planned: PlannedJob
    source: Source | None
    job: dict | None
    verdict: Verdict
    replaces: ReplacedJob | None = None

    @property
    def job_id(self) -> int:
        """The ID of the job."""
        return self.document.get("id", 0)

    @property
    def document(self) -> dict:
        """The document of the job, empty without a job."""
        return self.job or {}
