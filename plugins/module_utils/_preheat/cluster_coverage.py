# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Track which clusters existing jobs cover. Sends no requests.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.decision import (
    ADOPT,
    FOUND,
    REMAKE,
    SKIP,
    Decision,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import Gap


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
        self._covered: set[int] = set()
        self._has_job = False

    def fits(self, cluster_ids: set[int]) -> bool:
        """Return whether a job for these clusters can count."""
        if self.needed is None:
            return True
        return cluster_ids == self.needed if self.exact else bool(cluster_ids & self.needed)

    def add(self, cluster_ids: set[int], decision: Decision) -> bool:
        """Add a decision on a job, and return whether to keep the job."""
        if self.settled or decision == SKIP or not self.fits(cluster_ids):
            return False
        if self.needed is None:
            self.settled = True
            self._has_job = decision in (ADOPT, FOUND)
            return self._has_job
        new = cluster_ids & self._undecided
        self._undecided -= cluster_ids
        self.settled = not self._undecided
        if not new or decision == REMAKE:
            return False
        self._covered |= new
        self._has_job = True
        return True

    def reopen(self, cluster_ids: set[int]) -> None:
        """Record that no job covers these clusters any longer."""
        self._covered -= cluster_ids
        self._has_job = self.needed is not None and bool(self._covered)

    @property
    def gap(self) -> Gap:
        """The clusters that still need a job."""
        if not self._has_job:
            return Gap(is_everywhere=True)
        return Gap(cluster_ids=tuple(sorted((self.needed or set()) - self._covered)))
