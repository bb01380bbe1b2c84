# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about the seed peers, whose client computes the task IDs of a preheat."""

from __future__ import annotations

import typing as t

from ...module_utils._release import at_least, format_release, parse_release
from ...module_utils._releases import FIRST_WITHOUT_GO_SEEDS, LAST_WITHOUT_BLOB_DIGEST_IDS, releases_of_echo
from ...module_utils._task_id import Recipe, blob_digest_id, recipe_for
from .client import Client
from .images import PreheatedImage
from .reasons import Reason, note, reason


class SeedPeers(t.NamedTuple):
    """Facts about the seed peers.

    :ivar client: ``dfget`` or ``dfdaemon``; None for what jobs say, or the host runs.
    :ivar release: of it; None for that of the host, or the newest of another client.
    :ivar manager_release: None if it is not known.
    :ivar manager_is_at_least: whether it may be newer than that, as jobs say only what it is at least.
    :ivar client_by_jobs: the only one that the jobs can have warmed; None if they do not say.
    """

    client: str | None = None
    release: str | None = None
    manager_release: str | None = None
    client_by_jobs: str | None = None
    manager_is_at_least: bool = False

    @property
    def are_named(self) -> bool:
        """Whether the user names their client or its release."""
        return bool(self.client or self.release)


class SeedRecipe(t.NamedTuple):
    """How the seed peers compute task IDs.

    :ivar recipe: None if no other client agrees with it.
    :ivar client: of the seed peers, with its release if the user named it.
    :ivar manager: release of the manager, None if it is not known.
    :ivar manager_is_at_least: whether it may be newer than that.
    """

    recipe: Recipe | None
    client: str
    reasons: list[Reason]
    notes: list[str]
    manager: tuple[int, ...] | None = None
    manager_is_at_least: bool = False

    def uses_blob_digests(self, image: PreheatedImage) -> bool | None:
        """Return whether the task IDs of an image's blobs are their digests; None if that is not known."""
        if image.blob_digest_ids is False:
            return False
        if image.blob_digest_ids and image.from_job:
            return True  # A manager that does not know the option does not report it.
        if self.manager is None:
            return None
        if self.manager > LAST_WITHOUT_BLOB_DIGEST_IDS:
            return image.blob_digest_ids
        return None if self.manager_is_at_least else False

    def task_id(self, image: PreheatedImage, digest: str, is_certain: bool = False) -> str | None:
        """Return the task ID that the preheat of a blob has, None if it cannot be predicted.

        :param is_certain: whether an ID that is only likely does not count.
        """
        url = image.blob_url(digest)
        by_digest = self.uses_blob_digests(image)
        if by_digest:
            return blob_digest_id(url)
        if by_digest is None and (image.blob_digest_ids or is_certain):
            return None
        try:
            return self.recipe.task_id(url, (), **image.id_inputs) if self.recipe else None
        except ValueError:
            return None


def seed_peers_of_jobs(jobs: t.Sequence[dict[str, t.Any]], seeds: SeedPeers) -> SeedPeers:
    """Return what is known about the seed peers from options and jobs.

    Jobs show the lowest possible release of the manager. Seed peers that a manager 2.3.1 or later could warm run the
    Rust client.

    :param jobs: as returned by ``preheat`` and ``job_info``.
    :param seeds: options of the user, which take precedence.
    """
    newest = _lowest_release_of_manager(jobs)
    if newest is None or seeds.manager_release:
        return seeds
    only_rust = newest >= FIRST_WITHOUT_GO_SEEDS and any(job.get("warm") for job in jobs)
    return seeds._replace(
        manager_release=format_release(newest),
        manager_is_at_least=True,
        client_by_jobs="dfdaemon" if only_rust else None,
    )


def _lowest_release_of_manager(jobs: t.Sequence[dict[str, t.Any]]) -> tuple[int, ...] | None:
    """Return the lowest release of a manager that can have created all jobs, None if they do not show it."""
    echoes = [job["args"] for job in jobs if isinstance(job.get("args"), dict)]
    lows = [releases_of_echo(args).low for args in echoes if args]
    return max((low for low in lows if low), default=None)


def seed_recipe(seeds: SeedPeers, client: Client | None) -> SeedRecipe:
    """Return how the seed peers compute task IDs.

    :param client: the host's, which counts for what is not known of the seed peers.
    """
    kind = seeds.client or seeds.client_by_jobs or (client.name if client else None)
    manager, release = parse_release(seeds.manager_release), _seed_release(seeds, kind, client)
    if kind is None:
        recipe = recipe_for("dfdaemon", release)
        return SeedRecipe(recipe, "dfdaemon", [], [], manager, seeds.manager_is_at_least)
    if kind == "dfget" and manager is None:
        manager = release  # Manager and Go client have the same releases.
    recipe = recipe_for(kind, release)
    name = " ".join(filter(None, (kind, seeds.release)))
    reasons, notes = _seed_reasons(kind, manager, recipe, client), _seed_notes(kind, seeds, client)
    return SeedRecipe(recipe, name, reasons, notes, manager, seeds.manager_is_at_least)


def _seed_release(seeds: SeedPeers, kind: str | None, client: Client | None) -> tuple[int, ...] | None:
    named = parse_release(seeds.release)
    return named if client is None or client.name != kind else named or client.release


def _seed_notes(kind: str, seeds: SeedPeers, client: Client | None) -> list[str]:
    """Return a note if the seed peers are assumed to run the client of the host."""
    if client is None or client.name != kind or seeds.are_named:
        return []
    return [note("seed_assumed", client=kind, release=client.release_text)]


def _seed_reasons(
    kind: str, manager: tuple[int, ...] | None, recipe: Recipe | None, client: Client | None
) -> list[Reason]:
    """Return why no host hits what these seed peers have."""
    reasons = []
    if kind == "dfget" and at_least(manager, FIRST_WITHOUT_GO_SEEDS):
        reasons.append(reason("seed_cannot_be_preheated"))
    if recipe is None or (client is not None and client.recipe is None):
        reasons.append(reason("ids_of_their_own"))
    return reasons
