# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a preheat: plan the jobs, find those that exist, create those that are missing, wait, and report."""

from __future__ import annotations

import typing as t

from .concurrent_runs import only_run
from .context import RunContext
from .creation import Creation, predict
from .existing import ExistingJobs
from .manifests import RegistryFor, pin_manifests, pin_platforms_for_old_managers
from .peers_verification import confirm_with_peers, limit_peer_questions
from .planning import plan_jobs
from .release_checks import refuse_unknown_options, require_peers_that_answer
from .report import run_result
from .waiting import Waiting


def run_preheat(
    context: RunContext, registry_for: RegistryFor, progress: t.Callable[[str], None] | None = None
) -> dict[str, t.Any]:
    """Preheat what the options name, and return the module's result.

    :param registry_for: returns the registry from which the manifest of a planned image is read.
    :param progress: called with a line of text whenever the progress changes.
    :raises DragonflyError: if no job can be reported. Otherwise the result contains the errors of each job.
    """
    started_at = context.clock.now()
    planned_jobs, warnings = pin_manifests(plan_jobs(context.params), registry_for, context.params["verify"])
    context.warnings += warnings
    if context.params["verify"] == "peers":
        limit_peer_questions(planned_jobs)
    existing = ExistingJobs(context, planned_jobs)
    # The newest job shows the manager's release, and old releases require other URLs, for which to search.
    pages = existing.read_newest()
    pin_platforms_for_old_managers(planned_jobs, context.reader)
    existing.find(pages)
    # At this point, the release is known as far as jobs show it, and nothing has been created.
    refuse_unknown_options(planned_jobs, context.reader)
    require_peers_that_answer(context.params["verify"], context.reader)
    existing.drop_stale()
    with only_run(context, existing):
        existing.warn_of_unknown_clusters()
        missing = existing.missing()
        new = predict(context, missing) if context.check_mode else Creation(context).create(missing)
    for record in new:
        record.replaces = existing.replaced.get(record.planned)
    order = {planned: number for number, planned in enumerate(planned_jobs)}
    records = sorted(existing.records + new, key=lambda record: order[record.planned])
    if context.params["wait"] and not context.check_mode:
        Waiting(context, records, progress or (lambda line: None)).wait()
        if context.params["verify"] == "peers":
            confirm_with_peers(context, records)
    return run_result(records, context.clock.now() - started_at)
