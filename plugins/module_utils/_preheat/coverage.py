# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Track the clusters that existing jobs cover. No requests.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import ADOPT, FOUND, REMAKE, SKIP


class Coverage:
    """The clusters of a planned job that existing jobs cover. Add existing jobs from the newest to the oldest.

    :param needed: IDs of clusters, or None if they are not known, in which case only the newest job counts.
    :param exact: whether only a job for exactly these clusters counts.
    """

    def __init__(self, needed: set[int] | None, exact: bool = False) -> None:
        self.needed = needed
        self.exact = exact
        self.settled = False
        self._undecided = set(needed or ())
        self._covered: set[int] = set()

    def fits(self, cluster_ids: set[int]) -> bool:
        """Return whether a job for these clusters can count here."""
        if self.needed is None:
            return True
        return cluster_ids == self.needed if self.exact else bool(cluster_ids & self.needed)

    def add(self, cluster_ids: set[int], decision: str) -> bool:
        """Take a decision on a job into account, and return whether the job is one to keep."""
        if self.settled or decision == SKIP or not self.fits(cluster_ids):
            return False
        if self.needed is None:
            self.settled = True
            if decision in (ADOPT, FOUND):
                self._covered = cluster_ids or {0}
                return True
            return False
        new = cluster_ids & self._undecided
        self._undecided -= cluster_ids
        self.settled = not self._undecided
        if not new or decision == REMAKE:
            return False
        self._covered |= new
        return True

    def reopen(self, cluster_ids: set[int]) -> None:
        """Take back that a job takes care of these clusters."""
        self._covered = set() if self.needed is None else self._covered - cluster_ids

    @property
    def missing(self) -> list[int] | None:
        """Ids of the clusters that need a job, empty for one job for every cluster, None where nothing is missing."""
        if not self._covered:
            return []
        return sorted((self.needed or set()) - self._covered) or None
