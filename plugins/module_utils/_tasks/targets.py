# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Select the tasks that a module's options name: for an image, the task of each blob."""

from __future__ import annotations

import re
import typing as t

from .._concurrency import map_in_threads
from .._errors import InputError
from .._file_url import check_file_url
from .._image import Image, parse_image
from .._option_checks import raise_problems, range_problems, registry_login_problems, task_id_problems
from .._platforms import platforms_to_read
from .._redact import redact_url
from .._registry import Registry
from .._registry_config import read_registries
from .._task_id import blob_digest_id

#: Options that name tasks. Exactly one must be set.
SOURCES = ("image", "images", "file", "files", "task_id", "task_ids")
_IMAGE_ONLY = ("platforms", "digest_ids", "keep_images")
# Lengths of sha256, sha512 and crc32, in hexadecimal or decimal digits.
_TASK_ID = re.compile(r"[0-9a-f]{8,128}\Z")


class Target(t.NamedTuple):
    """A task to look up or delete.

    :ivar source: the user's text.
    :ivar image: None for a file or a task ID.
    :ivar url: None for a task ID.
    :ivar task_id: None for a URL.
    """

    source: str
    image: Image | None = None
    url: str | None = None
    task_id: str | None = None

    @property
    def selector(self) -> dict[str, str | None]:
        """The key of a job's ``args`` that names the task."""
        return {"task_id": self.task_id} if self.task_id else {"url": self.url}

    @property
    def name(self) -> str:
        """The name of the task in messages, without secrets."""
        return f"the task {self.task_id}" if self.task_id else redact_url(self.url)


RegistryFor = t.Callable[[t.Any], Registry]


class _ImageTarget(t.NamedTuple):
    """An image, and a selected platform or None for all."""

    source: str
    image: Image
    platform: str | None


def check_task_params(params: dict[str, t.Any]) -> None:
    """Validate the options.

    :raises InputError: with all problems.
    """
    problems = range_problems(params) + task_id_problems(params) + registry_login_problems(params)
    if params.get("image") is None and params.get("images") is None:
        problems += [f"{name} is only for images" for name in _IMAGE_ONLY if params.get(name)]
    raise_problems(problems)


def find_targets(params: dict[str, t.Any], registry_for: RegistryFor) -> list[Target]:
    """Return the tasks that a module's options name, without duplicates.

    :param params: validated options.
    :param registry_for: returns the registry of an object with an ``image``.
    :returns: for an image a target for each blob, except blobs of ``keep_images``.
    :raises InputError: if the options name no task.
    :raises DragonflyError: if a manifest cannot be read.
    """
    task_ids = _values_of(params, "task_id", "task_ids")
    if task_ids is not None:
        return [_target_of_id(task_id) for task_id in task_ids]
    files = _values_of(params, "file", "files")
    if files is not None:
        return [Target(file, url=check_file_url(file, "Set task_id instead.")) for file in files]
    return _targets_of_images(_values_of(params, "image", "images") or [], params, registry_for)


def _values_of(params: dict[str, t.Any], single: str, several: str) -> list[str] | None:
    """Return the values of two options with the same meaning, without duplicates; None if neither is set."""
    if params.get(single) is not None:
        return [params[single]]
    return None if params.get(several) is None else list(dict.fromkeys(params[several]))


def _target_of_id(task_id: str) -> Target:
    if not _TASK_ID.match(task_id):
        raise InputError(f"{task_id!r} is not a valid task ID: 8 to 128 lowercase hexadecimal digits.")
    return Target(task_id, task_id=task_id)


def _targets_of_images(sources: list[str], params: dict[str, t.Any], registry_for: RegistryFor) -> list[Target]:
    chosen = _image_targets(params, sources, platforms_to_read(params.get("platforms")))
    # All platforms of images to keep count.
    kept = _image_targets(params, dict.fromkeys(params.get("keep_images") or []), [None])
    digests = map_in_threads(lambda target: _blob_digests(target, registry_for), chosen + kept)
    # Blobs are kept by digest, because some clients compute the task's ID from the digest alone.
    kept_digests = set().union(*digests[len(chosen) :])
    targets: dict[str, Target] = {}
    for image_target, own_digests in zip(chosen, digests):
        for digest in own_digests:
            if digest in kept_digests:
                continue
            for target in _targets_of_blob(image_target, digest, bool(params.get("digest_ids"))):
                targets.setdefault(target.task_id or str(target.url), target)
    return list(targets.values())


def _image_targets(
    params: dict[str, t.Any], sources: t.Iterable[str], platforms: t.Sequence[str | None]
) -> list[_ImageTarget]:
    """Return a target for each image and platform."""
    bases, _details = read_registries(params.get("registries"))
    targets = []
    for source in sources:
        image = parse_image(source, bases)
        targets += [_ImageTarget(source, image, platform) for platform in platforms]
    return targets


def _targets_of_blob(image_target: _ImageTarget, digest: str, has_digest_id: bool) -> list[Target]:
    source, image, _platform = image_target
    url = image.blob_url(digest)
    targets = [Target(source, image, url)]
    if has_digest_id:
        targets.append(Target(source, image, url, blob_digest_id(url)))
    return targets


def _blob_digests(target: _ImageTarget, registry_for: RegistryFor) -> list[str]:
    registry = registry_for(target)
    manifest = registry.manifest(target.image)
    contents = registry.blobs(target.image, manifest, target.platform)
    return [digest for _manifest_digest, digests in contents for digest in digests]
