# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold what the parts of a run share: whom they talk to, the options, the clock.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_requests import JobRequests
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.verdict import Verdict, verify_job


@dataclass
class RunContext:
    """What the parts of a run share.

    :ivar params: the module's, checked.
    :ivar check_mode: whether nothing is created and nothing awaited.
    :ivar warnings: those of the whole run, the reader's among them.
    """

    client: DragonflyClient
    params: dict[str, t.Any]
    clock: Clock
    check_mode: bool = False
    reader: JobReader = field(init=False)
    requests: JobRequests = field(init=False)
    warnings: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.reader = JobReader(self.client, self.clock)
        self.requests = JobRequests(self.client, self.reader, self.clock)
        self.warnings = self.reader.warnings

    def verify(self, planned: PlannedJob, job: dict, proven: t.Collection[str] = ()) -> Verdict:
        """Return what a job came to, as the options want it verified."""
        return verify_job(job, planned, self.params["verify"], self.params["max_failed_peers_percentage"], proven)
