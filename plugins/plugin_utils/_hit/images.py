# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preheated images: their blobs, and the inputs of the blobs' task IDs."""

from __future__ import annotations

import typing as t

from ...module_utils._errors import InputError
from ...module_utils._image import DOCKER_HUB_HOST, DOCKER_HUB_NAMES, Image, parse_image

#: Hosts that serve docker.io, as URLs of jobs name them.


class PreheatedImage(t.NamedTuple):
    """An image that was or will be preheated.

    :ivar reference: reference as written by the user.
    :ivar pulled_registry: registry in the reference, for which containerd looks up mirrors.
    :ivar pulled_repository: as in the reference.
    :ivar preheated: the image that the preheat names, with its own base URL and a prefix of the registry.
    :ivar platforms: platforms whose blobs count; None among them stands for any.
    :ivar digests: digests of its blobs; empty if unknown.
    :ivar cold: digests of blobs that are not warm.
    :ivar tag: of the preheat.
    :ivar application: of the preheat.
    :ivar piece_length: of the preheat, bytes as text; empty without one.
    :ivar blob_digest_ids: whether the preheat requested digests of blobs as task IDs; None if unknown.
    :ivar from_job: whether the manager reported what was requested.
    :ivar unknown_because: why the blobs are unknown.
    :ivar is_missing: whether the registry does not have the image.
    :ivar outcome: outcome of its job; empty without a job.
    """

    reference: str
    pulled_registry: str
    pulled_repository: str
    preheated: Image
    platforms: t.Sequence[str | None] = (None,)
    digests: t.Sequence[str] = ()
    cold: t.Collection[str] = ()
    tag: str = ""
    application: str = ""
    piece_length: str = ""
    blob_digest_ids: bool | None = False
    from_job: bool = False
    unknown_because: str = ""
    is_missing: bool = False
    outcome: str = ""

    def blob_url(self, digest: str) -> str:
        """Return the URL of a blob, as the manager derives it."""
        return self.preheated.blob_url(digest)

    @property
    def id_inputs(self) -> dict[str, str]:
        """Inputs of a task ID besides the URL."""
        return {"tag": self.tag, "application": self.application, "piece_length": self.piece_length}


def image_from_reference(reference: str, bases: dict[str, str], **attributes: t.Any) -> PreheatedImage:
    """Return the image that a preheat of a reference caches.

    :param reference: in the format of the module preheat.
    :param bases: registry name to base URL, as the module preheat takes them.
    :param attributes: more of ``PreheatedImage``.
    :raises InputError: if it is not a valid image reference.
    """
    # The path of a base is a prefix of what is preheated, not of what is pulled. The names of the bases count for both.
    pulled = parse_image(reference, {registry: f"https://{registry}" for registry in bases})
    registry = pulled.registry
    # In a reference registry-1.docker.io is a registry of its own; a URL names the host and not the registry.
    if "://" in reference and registry in (*DOCKER_HUB_NAMES, DOCKER_HUB_HOST):
        registry = "docker.io"
    return PreheatedImage(reference, registry, pulled.name, parse_image(reference, bases), **attributes)


def image_from_job(job: dict[str, t.Any], bases: dict[str, str]) -> PreheatedImage:
    """Return the image that a job cached.

    :param job: dict with at least ``url``, as ``preheat`` and ``job_info`` return it.
    :param bases: registry name to base URL, as the module preheat takes them.
    :raises InputError: if its URL is not that of a manifest.
    """
    preheated = parse_image(_text(job.get("url")))
    warm, cold = _digests(job.get("warm")), _digests(job.get("cold"))
    args = job.get("args")
    args = args if isinstance(args, dict) else {}
    return _as_written(job, preheated, bases)._replace(
        preheated=preheated,
        platforms=[job.get("platform")],
        digests=warm + cold,
        cold=set(cold),
        tag=_text(args.get("tag")),
        application=_text(args.get("application")),
        piece_length=_text(args.get("piece_length") or args.get("pieceLength")),
        blob_digest_ids=_requests_blob_digest_ids(args),
        from_job=True,
        outcome=_text(job.get("outcome")),
    )


def _text(value: t.Any) -> str:
    return str(value or "")


def _requests_blob_digest_ids(args: dict[str, t.Any]) -> bool | None:
    """Return whether a job requested digests of blobs as task IDs; None if its arguments are unknown."""
    value = args.get("enable_task_id_based_blob_digest", False)
    return value if args and isinstance(value, bool) else None


def _digests(urls: t.Any) -> list[str]:
    """Return the digests in the URLs of blobs."""
    texts = [url for url in urls or [] if isinstance(url, str)]
    return [url.rpartition("/blobs/")[2] for url in texts if "/blobs/" in url]


def _as_written(job: dict[str, t.Any], preheated: Image, bases: dict[str, str]) -> PreheatedImage:
    """Return the image by the name of a job, which is what the user wrote, or the bio of another program's job."""
    try:
        written = image_from_reference(_text(job.get("name")), bases)
        # A bio can be anything, also a word that is a valid name of an image.
        repository = written.pulled_repository
        if preheated.name == repository or preheated.name.endswith("/" + repository):
            return written
    except InputError:
        pass
    return image_from_reference(str(job["url"]), bases)
