# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look up the images of a check: from jobs, or from manifests in the registry."""

from __future__ import annotations

import typing as t

from ...module_utils._errors import DragonflyError, InputError
from ...module_utils._http import REQUESTS_ERROR
from ...module_utils._platforms import platforms_to_read
from ...module_utils._polling import Clock, limit_task
from ...module_utils._registry import registry_finder
from ...module_utils._registry_config import read_registries
from ...module_utils._release import parse_release
from .images import PreheatedImage, image_from_job, image_from_reference


class ImageLookup:
    """The images of a check.

    :param params: options of the module preheat_hit_info.
    :raises InputError: if an option is not valid.
    """

    def __init__(self, params: dict[str, t.Any]) -> None:
        self._params = params
        self._bases, details = read_registries(params["registries"])
        clock = Clock()
        limit_task(clock, params)
        self._find = registry_finder(params, details, clock)
        for name in ("seed_release", "manager_release"):
            if params[name] and parse_release(params[name]) is None:
                raise InputError(f"{name}: {params[name]!r} is not a valid release: write it like 2.1.67.")
        self._platforms = platforms_to_read(params["platforms"])

    def images(self) -> list[PreheatedImage]:
        """Return the images that were or will be preheated.

        :raises InputError: if a reference or a job is not valid, or no image is left.
        """
        if self._params["images"] is not None:
            source, images = "images", [self._of_reference(text) for text in dict.fromkeys(self._params["images"])]
        else:
            jobs = [job for job in self._params["jobs"] if job.get("type") != "file"]
            source, images = "jobs", [self._of_job(job) for job in jobs]
        if not images:
            raise InputError(f"There is no image among {source}.")
        return images

    def _of_reference(self, text: str) -> PreheatedImage:
        options = {name: str(self._params[name] or "") for name in ("tag", "application", "piece_length")}
        image = image_from_reference(text, self._bases, platforms=self._platforms, **options)
        return self._with_blobs(image._replace(blob_digest_ids=self._params["enable_task_id_based_blob_digest"]))

    def _of_job(self, job: dict[str, t.Any]) -> PreheatedImage:
        if not isinstance(job.get("url"), str):
            raise InputError(
                'jobs: an entry has no url. Set it to the jobs that preheat returned: "{{ result.jobs }}".'
            )
        image = image_from_job(job, self._bases)
        # Managers before 2.1.57 report how many blobs are warm, not which.
        return image if image.digests else self._with_blobs(image)

    def _with_blobs(self, image: PreheatedImage) -> PreheatedImage:
        try:
            return image._replace(digests=self._blobs(image))
        except DragonflyError as error:
            if error.reason == "no_platform":
                raise
            is_missing = error.reason == "manifest_unknown"
            # The reason for a missing image has a remedy of its own.
            why = error.problem if is_missing else error.message.rstrip(".")
            return image._replace(unknown_because=why, is_missing=is_missing)

    def _blobs(self, image: PreheatedImage) -> list[str]:
        """Return the digests of an image's blobs.

        :raises DragonflyError: if they are not known.
        """
        if REQUESTS_ERROR:
            raise DragonflyError("the controller lacks the Python library requests", "no_requests")
        registry = self._find(image.preheated.registry)
        manifest = registry.manifest(image.preheated)
        blobs: dict[str, None] = {}
        for platform in image.platforms:
            for _digest, digests in registry.blobs(image.preheated, manifest, platform):
                blobs.update(dict.fromkeys(digests))
        return list(blobs)

    def sizes(self, image: PreheatedImage) -> dict[str, int]:
        """Return the sizes in bytes of an image's blobs by digest; empty if its manifest cannot be read."""
        registry = self._find(image.preheated.registry)
        try:
            if not registry.sizes.keys() & set(image.digests or ()):
                self._blobs(image)
        except DragonflyError:
            pass
        return registry.sizes

    def headers(self, image: PreheatedImage) -> dict[str, str]:
        """Return the headers that the registry requires for an image, as containerd sends them to its mirror."""
        authorization = self._find(image.preheated.registry).authorization(image.preheated)
        return {"Authorization": authorization} if authorization else {}
