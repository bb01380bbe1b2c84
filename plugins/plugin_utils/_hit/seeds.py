# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of the seed peers, whose client gives a preheat its task IDs.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._release import format_release, parse_release
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import (
    FIRST_WITHOUT_GO_SEEDS,
    releases_of_echo,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import Recipe, recipe_for
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.client import Client
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.reasons import Reason, note, reason


class SeedPeers(t.NamedTuple):
    """What is known of the seed peers.

    :ivar client: ``dfget`` or ``dfdaemon``; None for what jobs say, or the host runs.
    :ivar release: of it; None for that of the host, or the newest of another client.
    :ivar manager_release: None if it is not known.
    :ivar client_by_jobs: the only one that the jobs can have warmed; None if they do not say.
    """

    client: str | None = None
    release: str | None = None
    manager_release: str | None = None
    client_by_jobs: str | None = None


class SeedRecipe(t.NamedTuple):
    """How the seed peers compute task IDs.

    :ivar recipe: None if no other client agrees with it.
    :ivar client: of the seed peers, with its release if the user named it.
    """

    recipe: Recipe | None
    client: str
    reasons: list[Reason]
    notes: list[str]


def seed_peers_of_jobs(jobs: t.Sequence[dict[str, t.Any]], seeds: SeedPeers) -> SeedPeers:
    """Return what is known of the seed peers, with what jobs say of them.

    Jobs say of which release the manager is at least, and that seed peers that it could warm from 2.3.1 on run the
    Rust client.

    :param jobs: as ``preheat`` and ``job_info`` return them.
    :param seeds: what the user said, which counts more.
    """
    echoes = [job["args"] for job in jobs if isinstance(job.get("args"), dict) and job["args"]]
    lows = [releases_of_echo(args).low for args in echoes]
    newest = max((low for low in lows if low), default=None)
    if newest is None or seeds.manager_release:
        return seeds
    only_rust = newest >= FIRST_WITHOUT_GO_SEEDS and any(job.get("warm") for job in jobs)
    return seeds._replace(manager_release=format_release(newest), client_by_jobs="dfdaemon" if only_rust else None)


def seed_recipe(seeds: SeedPeers, client: Client | None) -> SeedRecipe:
    """Return how the seed peers compute task IDs.

    :param client: the host's, which counts for what is not known of the seed peers.
    """
    kind = seeds.client or seeds.client_by_jobs or (client.name if client else None)
    if kind is None:
        return SeedRecipe(recipe_for("dfdaemon", parse_release(seeds.release or "")), "dfdaemon", [], [])
    reasons, notes = [], []
    is_same = client is not None and client.name == kind
    release = parse_release(seeds.release or "") or (client.release if client and is_same else None)
    manager = parse_release(seeds.manager_release or "") or (release if kind == "dfget" else None)
    if kind == "dfget" and manager is not None and manager >= FIRST_WITHOUT_GO_SEEDS:
        reasons.append(reason("seed_cannot_be_preheated"))
    if client and is_same and not seeds.client and not seeds.release:
        notes.append(note("seed_assumed", client=kind, release=client.release_text))
    recipe = recipe_for(kind, release)
    if recipe is None or (client is not None and client.recipe is None):
        reasons.append(reason("ids_of_their_own"))
    return SeedRecipe(recipe, f"{kind} {seeds.release or ''}".rstrip(), reasons, notes)
