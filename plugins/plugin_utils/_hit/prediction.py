# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Predict whether a host hits preheated content, and explain why not.

A host hits a blob if it pulls through a Dragonfly client that computes the task ID of the preheat. Does not access
hosts or networks: takes facts and images, and returns a prediction.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .client import Client
from .differences import explain_difference
from .images import PreheatedImage
from .pull import Host, Pull, follow_pull
from .reasons import Reason, note, reason
from .seeds import SeedPeers, SeedRecipe, seed_recipe

#: Stands for the blobs of an image that cannot be read, because the prediction rarely depends on the digest.
_STANDS_FOR_ALL = "sha256:" + "0" * 64


@dataclasses.dataclass
class BlobPrediction:
    """The prediction for a blob.

    :ivar image: its reference as written by the user.
    :ivar url: its URL in the preheat. None if the blobs are unknown and the prediction stands for all of them.
    :ivar host_task_id: None if the host does not request it from Dragonfly, or it cannot be predicted.
    :ivar preheat_task_id: None if it cannot be predicted.
    :ivar is_hit: False also if unknown.
    """

    image: str
    url: str | None
    host_task_id: str | None
    preheat_task_id: str | None
    is_hit: bool

    @property
    def ids_agree(self) -> bool:
        """Whether host and preheat have the same task ID, as far as it can be predicted."""
        return self.host_task_id is not None and self.host_task_id == self.preheat_task_id


@dataclasses.dataclass
class Prediction:
    """The prediction for a host.

    :ivar blobs: predictions for all blobs of all images.
    :ivar reasons: why it misses, without duplicates.
    :ivar notes: other facts for the user, without duplicates.
    :ivar client: client that serves its pulls, or None.
    :ivar pulls: pulls of the images that a client serves.
    :ivar runtime: container runtime, None if ambiguous.
    """

    blobs: list[BlobPrediction] = dataclasses.field(default_factory=list)
    reasons: list[Reason] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    client: Client | None = None
    pulls: list[Pull] = dataclasses.field(default_factory=list)
    runtime: str | None = None

    @property
    def hit(self) -> str:
        """``all``, ``some`` or ``none`` of the blobs. Blobs that are unknown to hit do not count."""
        hits = sum(blob.is_hit for blob in self.blobs)
        if not hits:
            return "none"
        return "all" if hits == len(self.blobs) else "some"

    def add_reasons(self, reasons: t.Iterable[Reason]) -> None:
        """Add reasons without duplicates."""
        self.reasons = list(dict.fromkeys([*self.reasons, *reasons]))

    def add_notes(self, notes: t.Iterable[str]) -> None:
        """Add notes without duplicates."""
        self.notes = list(dict.fromkeys([*self.notes, *notes]))

    def disprove(self, why: Reason) -> None:
        """Record that the prediction from the files is wrong for all blobs, or cannot be proven."""
        self.add_reasons([why])
        for blob in self.blobs:
            blob.is_hit = False


def predict_hits(
    facts: dict[str, t.Any],
    images: t.Sequence[PreheatedImage],
    seeds: SeedPeers | None = None,
    runtime: str | None = None,
) -> Prediction:
    """Return whether a host hits images, based on its files.

    :param facts: facts from the module preheat_hit_info.
    :param images: the preheated images.
    :param seeds: facts about the seed peers.
    :param runtime: ``containerd``, ``podman`` or ``crio``; None for the only one on the host.
    """
    host = Host(facts, runtime)
    prediction = Prediction(runtime=host.runtime_name)
    for image in images:
        pull = follow_pull(host, image)
        _add_pull(prediction, pull, seed_recipe(seeds or SeedPeers(), pull.client))
    for client in host.clients:
        prediction.add_notes(_client_notes(client, serves=client is prediction.client))
    if prediction.reasons and prediction.client is not None:
        prediction.add_reasons(prediction.client.misspelt)
    return prediction


def _add_pull(prediction: Prediction, pull: Pull, recipe: SeedRecipe) -> None:
    prediction.add_notes([*pull.notes, *_image_notes(pull.image), *recipe.notes])
    if pull.image.cold:
        prediction.add_reasons([reason("cold", count=len(pull.image.cold))])
    for blob, reasons in _predict_blobs(pull, recipe):
        prediction.blobs.append(blob)
        prediction.add_reasons(reasons)
    if pull.client is not None:
        prediction.client = prediction.client or pull.client
        prediction.pulls.append(pull)


def _predict_blobs(pull: Pull, recipe: SeedRecipe) -> list[tuple[BlobPrediction, list[Reason]]]:
    """Return the prediction for each blob of an image, or for all of them if they are unknown."""
    if pull.image.digests:
        return [_predict_blob(pull, digest, recipe) for digest in pull.image.digests]
    blob, reasons = _predict_blob(pull, _STANDS_FOR_ALL, recipe)
    return [(dataclasses.replace(blob, url=None, host_task_id=None, preheat_task_id=None), reasons)]


def _predict_blob(pull: Pull, digest: str, seeds: SeedRecipe) -> tuple[BlobPrediction, list[Reason]]:
    """Return the prediction for a blob, and why it misses."""
    image, client = pull.image, pull.client
    blob = BlobPrediction(image.reference, image.blob_url(digest), None, seeds.task_id(image, digest), is_hit=False)
    reasons = [*pull.reasons, *seeds.reasons, *_no_image_reasons(image)]
    if pull.route is None or client is None or not client.is_readable:
        return blob, reasons
    request = client.blob_request(pull.route, image.pulled_repository, digest)
    reasons += request.reasons
    blob.host_task_id = client.task_id(request)
    if request.fixed_id:
        blob.preheat_task_id = seeds.task_id(image, digest, is_certain=True)
    if not blob.ids_agree:
        reasons += explain_difference(image, digest, client, request, seeds)
    blob.is_hit = not reasons and digest not in image.cold
    return blob, reasons


def _no_image_reasons(image: PreheatedImage) -> list[Reason]:
    return [reason("no_such_image", error=image.unknown_because)] if image.is_missing else []


def _image_notes(image: PreheatedImage) -> list[str]:
    notes = []
    if image.unknown_because and not image.is_missing:
        notes.append(note("unknown_blobs", why=image.unknown_because))
    if image.outcome in ("planned", "pending"):
        notes.append(note("not_warm_yet", image=image.reference, outcome=image.outcome))
    return notes


def _client_notes(client: Client, serves: bool) -> list[str]:
    """Return notes about a client.

    :param serves: whether it serves the host's pulls.
    """
    notes = []
    if client.release is None:
        notes.append(note("release_unknown", program=client.name, assumed=client.release_text))
    if client.is_seed:
        seconds, key = client.kept_for
        notes.append(note("keeps", seconds=seconds, key=key))
    if serves and client.skips_small_parts:
        notes.append(note("small_blobs"))
    return notes
