# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Track which clusters existing jobs cover. Sends no requests."""

from __future__ import annotations

from .decision import REMAKE, SKIP, Decision
from .planning import Gap


class Coverage:
    """The clusters of a planned job that existing jobs cover. Add jobs from the newest to the oldest.

    :param needed: IDs of the clusters, or None if unknown, in which case only the newest job counts.
    :param exact: whether only a job for exactly these clusters counts.
    """

    def __init__(self, needed: set[int] | None, exact: bool = False) -> None:
        self.needed = needed
        self.exact = exact
        self.settled = False
        self._undecided = set(needed or ())
        # By the ID of each kept job, the clusters for which it is the newest.
        self._counted: dict[int, set[int]] = {}

    def fits(self, cluster_ids: set[int]) -> bool:
        """Return whether a job for these clusters can count."""
        if self.needed is None:
            return True
        return cluster_ids == self.needed if self.exact else bool(cluster_ids & self.needed)

    def add(self, job_id: int, cluster_ids: set[int], decision: Decision) -> bool:
        """Add a decision on a job, and return whether to keep the job."""
        if self.settled or decision == SKIP or not self.fits(cluster_ids):
            return False
        new = self._decide_on(cluster_ids)
        if new is None or decision == REMAKE:
            return False
        self._counted[job_id] = new
        return True

    def _decide_on(self, cluster_ids: set[int]) -> set[int] | None:
        """Return the clusters for which a job is the newest, None if there are none."""
        new = cluster_ids & self._undecided
        self._undecided -= cluster_ids
        self.settled = not self._undecided
        return cluster_ids if self.needed is None else new or None

    def drop(self, job_id: int) -> None:
        """Record that a kept job no longer counts."""
        del self._counted[job_id]

    def reopen_gap(self) -> None:
        """Let newer jobs count for the clusters that no job covers."""
        self._undecided = set(self.needed or ()).difference(*self._counted.values())
        self.settled = not self.gap

    @property
    def gap(self) -> Gap:
        """The clusters that still need a job."""
        if not self._counted:
            return Gap(is_everywhere=True)
        covered = set().union(*self._counted.values())
        return Gap(cluster_ids=tuple(sorted((self.needed or set()) - covered)))
