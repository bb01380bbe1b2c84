# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold what the parts of a run share: clients, options, clock."""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass, field

from .._client import DragonflyClient
from .._job_requests import JobRequests
from .._jobs import JobReader
from .._polling import Clock
from .planning import PlannedJob
from .verdict import Verdict, verify_job


@dataclass
class RunContext:
    """What the parts of a run share.

    :ivar params: validated options of the module.
    :ivar check_mode: whether to create no job and not to wait.
    :ivar chance: returns a random number, above 0 and at most 1.
    :ivar warnings: warnings of the whole run, including those of the reader.
    """

    client: DragonflyClient
    params: dict[str, t.Any]
    clock: Clock
    check_mode: bool = False
    chance: t.Callable[[], float] = lambda: 1 - random.random()
    reader: JobReader = field(init=False)
    requests: JobRequests = field(init=False)
    warnings: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.reader = JobReader(self.client, self.clock)
        self.requests = JobRequests(self.client, self.reader, self.clock)
        self.warnings = self.reader.warnings

    def verify(self, planned: PlannedJob, job: dict, proven: t.Collection[str] = ()) -> Verdict:
        """Return the verdict on a job, with the verification that the options request."""
        return verify_job(job, planned, self.params["verify"], self.params["max_failed_peers_percentage"], proven)
