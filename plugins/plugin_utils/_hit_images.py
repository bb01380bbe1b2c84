# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check of hits is about: the blobs of jobs, or of images whose manifests are read from the registry.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError, InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import REQUESTS_ERROR
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._platforms import check_platform
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import registry_finder
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_config import read_registries
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import parse_release
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit import Wanted, wanted_image, wanted_job


class Images:
    """The images of one check.

    :param params: options of the module preheat_hit_info.
    :raises InputError: if one cannot be meant.
    """

    def __init__(self, params: dict[str, t.Any]) -> None:
        self._params = params
        self._bases, details = read_registries(params["registries"])
        self._find = registry_finder(params, details)
        for name in ("seed_release", "manager_release"):
            if params[name] and parse_release(params[name]) is None:
                raise InputError(f"{name}: {params[name]!r} is no release, write it like 2.1.67.")
        for platform in params["platforms"] or []:
            check_platform(platform)

    def wanted(self) -> list[Wanted]:
        """What was preheated, or will be.

        :raises InputError: if a reference or a job is none, or nothing is left.
        """
        if self._params["images"] is not None:
            found = [self._of_image(image) for image in dict.fromkeys(self._params["images"])]
        else:
            found = [self._of_job(job) for job in self._params["jobs"] if job.get("type") != "file"]
        if not found:
            raise InputError(f"There is no image among {'images' if self._params['images'] is not None else 'jobs'}.")
        return found

    def _of_image(self, text: str) -> Wanted:
        options = {name: str(self._params[name] or "") for name in ("tag", "application", "piece_length")}
        platforms = self._params["platforms"] or [None]
        return self._with_blobs(wanted_image(text, self._bases, platforms=platforms, **options))

    def _of_job(self, job: dict[str, t.Any]) -> Wanted:
        if not isinstance(job.get("url"), str):
            raise InputError('jobs: an entry has no url. Give it what preheat returned, jobs: "{{ result.jobs }}".')
        wanted = wanted_job(job, self._bases)
        # Managers before 2.1.57 tell how many blobs are warm, not which.
        return wanted if wanted.digests else self._with_blobs(wanted)

    def _with_blobs(self, wanted: Wanted) -> Wanted:
        try:
            return wanted._replace(digests=self._blobs(wanted))
        except DragonflyError as error:
            if error.reason == "no_platform":
                raise
            is_missing = error.reason == "manifest_unknown"
            return wanted._replace(why=error.message.rstrip("."), is_missing=is_missing)

    def _blobs(self, wanted: Wanted) -> list[str]:
        """The digests of an image's blobs.

        :raises DragonflyError: if they are not known.
        """
        if REQUESTS_ERROR:
            raise DragonflyError("the controller lacks the Python library requests", "no_requests")
        registry = self._find(wanted.made.registry)
        manifest = registry.manifest(wanted.made)
        blobs: dict[str, None] = {}
        for platform in wanted.platforms:
            for _digest, found in registry.blobs(wanted.made, manifest, platform):
                blobs.update(dict.fromkeys(found))
        return list(blobs)

    def sizes(self, wanted: Wanted) -> dict[str, int]:
        """Bytes of an image's blobs by digest; empty where its manifest cannot be read."""
        registry = self._find(wanted.made.registry)
        try:
            if not registry.sizes.keys() & set(wanted.digests or ()):
                self._blobs(wanted)
        except DragonflyError:
            pass
        return registry.sizes

    def headers(self, wanted: Wanted) -> dict[str, str]:
        """Headers with which the registry gives what belongs to an image, as containerd sends them to its mirror."""
        authorization = self._find(wanted.made.registry).authorization(wanted.made)
        return {"Authorization": authorization} if authorization else {}
