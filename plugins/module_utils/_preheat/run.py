# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a preheat: plan the jobs, find those that exist, create what is missing, wait, and report what is warm.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.creation import Creation, predict
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.existing import ExistingJobs
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.holding import (
    confirm_with_peers,
    limit_peer_questions,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.manifests import (
    RegistryFor,
    pin_manifests,
    split_platforms,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.options import (
    refuse_unknown_options,
    require_peers_that_answer,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import plan_jobs
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.report import run_result
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.session import Session
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.waiting import Waiting


def run_preheat(session: Session, registry_for: RegistryFor, progress: t.Callable[[str], None]) -> dict[str, t.Any]:
    """Preheat what the options name and return the module's result.

    :raises DragonflyError: where nothing can be said of any job; what can be said of each is in the result.
    """
    started_at = session.clock.now()
    planned_jobs = split_platforms(plan_jobs(session.params), registry_for)
    session.warnings += pin_manifests(planned_jobs, registry_for, session.params["verify"])
    if session.params["verify"] == "peers":
        limit_peer_questions(planned_jobs)
    existing = ExistingJobs(session, planned_jobs)
    existing.find()
    refuse_unknown_options(planned_jobs, session.reader)
    require_peers_that_answer(session.params["verify"], session.reader)
    existing.drop_stale()
    missing = existing.missing()
    new = predict(session, missing) if session.check_mode else Creation(session).create(missing)
    for record in new:
        record.replaces = existing.replaced.get(record.planned)
    order = {planned: number for number, planned in enumerate(planned_jobs)}
    records = sorted(existing.records + new, key=lambda record: order[record.planned])
    if session.params["wait"] and not session.check_mode:
        Waiting(session, records, progress).wait()
        if session.params["verify"] == "peers":
            confirm_with_peers(session, records)
    return run_result(records, session.clock.now() - started_at)


class Preheat:
    """One run of the module.

    :param registry_for: gives the registry of a planned image, to read its manifest from.
    :param params: the module's, checked.
    :param check_mode: nothing is created and nothing awaited.
    :param progress: function of a line of text, called whenever the picture changes.
    """

    def __init__(
        self,
        client: DragonflyClient,
        registry_for: RegistryFor,
        params: dict[str, t.Any],
        clock: Clock,
        check_mode: bool = False,
        progress: t.Callable[[str], None] | None = None,
    ) -> None:
        self._session = Session(client, params, clock, check_mode)
        self._registry_for = registry_for
        self._progress = progress or (lambda line: None)
        self.warnings = self._session.warnings

    def run(self) -> dict[str, t.Any]:
        """Do it all and return the module's result."""
        return run_preheat(self._session, self._registry_for, self._progress)
