# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read manifests from the registry: pin tags to digests, and determine which blobs must be warm."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

from .._concurrency import map_in_threads, return_errors
from .._errors import DragonflyError, InputError
from .._image import Image
from .._jobs import JobReader
from .._manifest import Manifest
from .._platforms import ALL_PLATFORMS
from .._redact import redact_url
from .._registry import Registry
from .._registry_errors import RegistryUnreachable
from .._release import format_release
from .._text import listed
from .planning import PlannedJob

_NAMED_IN_MESSAGE = 5
# First release of the manager that reads an index.
_FIRST_WITH_INDEX = (2, 1, 21)

RegistryFor = t.Callable[[PlannedJob], Registry]
Content = t.TypeVar("Content")
#: Planned jobs with the same image, and what was read of it, or the error of reading it.
_Read = t.Tuple["list[PlannedJob]", t.Union[Content, DragonflyError]]


class _Content(t.NamedTuple):
    """The content of an image: its manifest, and the blobs by digest of each manifest for the platform."""

    manifest: Manifest
    blobs: list[tuple[str, list[str]]]


def pin_manifests(
    planned_jobs: list[PlannedJob], registry_for: RegistryFor, verify: str
) -> tuple[list[PlannedJob], list[str]]:
    """Pin planned images to digests, set their blobs as far as ``verify`` requires, and return the jobs and warnings.

    A job for the platform ``all`` is replaced by a job for each platform of the image. Each manifest is read once.

    :raises DragonflyError: if a registry refuses an image, or cannot be reached although the manifest is required.
    """
    is_pinned = verify in ("auto", "blobs", "peers")
    is_split = any(planned.platform == ALL_PLATFORMS for planned in planned_jobs)
    if not is_pinned and not is_split:
        return planned_jobs, []
    manifests = _read_manifests(planned_jobs, registry_for)
    if is_split:
        # "all" excludes other platforms, so it applies to each image.
        _refuse_failed(manifests.values())
        planned_jobs = [job for planned in planned_jobs for job in _split(planned, manifests)]
    if not is_pinned:
        return planned_jobs, []
    contents = _read_contents(planned_jobs, manifests, registry_for)
    _refuse_failed(contents, RegistryUnreachable if verify == "auto" else ())
    return planned_jobs, _pin_each(contents, len(manifests))


def _read_manifests(planned_jobs: list[PlannedJob], registry_for: RegistryFor) -> dict[str, _Read[Manifest]]:
    """Return the manifest of each image, or the error of reading it, by the URL of the manifest."""
    groups = _group_images(planned_jobs, lambda planned: planned.url)

    def read(group: list[PlannedJob]) -> Manifest:
        return registry_for(group[0]).manifest(t.cast(Image, group[0].image))

    manifests = map_in_threads(return_errors(read), groups)
    return {group[0].url: (group, manifest) for group, manifest in zip(groups, manifests)}


def _read_contents(
    planned_jobs: list[PlannedJob], manifests: dict[str, _Read[Manifest]], registry_for: RegistryFor
) -> list[_Read[_Content]]:
    """Return the content of each image and platform, or the error of reading it."""
    groups = _group_images(planned_jobs, lambda planned: (planned.url, planned.platform))

    def read(group: list[PlannedJob]) -> _Content:
        _group, manifest = manifests[group[0].url]
        if isinstance(manifest, DragonflyError):
            raise manifest
        blobs = registry_for(group[0]).blobs(t.cast(Image, group[0].image), manifest, group[0].platform)
        return _Content(manifest, blobs)

    return list(zip(groups, map_in_threads(return_errors(read), groups)))


def _pin_each(reads: list[_Read[_Content]], images: int) -> list[str]:
    """Pin the jobs whose content could be read, and return warnings.

    :param images: number of images.
    """
    warnings: list[str] = []
    unreachable: dict[str, DragonflyError] = {}
    for planned_jobs, content in reads:
        if isinstance(content, DragonflyError):
            unreachable.setdefault(planned_jobs[0].url, content)
            continue
        warnings += _platform_warnings(planned_jobs[0], content)
        for planned in planned_jobs:
            _pin(planned, content)
    if unreachable:
        first = next(iter(unreachable.values()))
        warnings.append(
            f"{len(unreachable)} of {images} manifests could not be read. Without a manifest, the module relies "
            f"on the result of a job, and does not notice if a tag moves: {first.message}"
        )
    return warnings


def _refuse_failed(reads: t.Collection[_Read], tolerated: type[DragonflyError] | tuple[()] = ()) -> None:
    """Refuse all images that could not be read.

    :param tolerated: errors with which a job does not need the manifest.
    :raises DragonflyError: for all images with other errors.
    """
    failed = [
        (planned_jobs[0], content)
        for planned_jobs, content in reads
        if isinstance(content, DragonflyError) and not isinstance(content, tolerated)
    ]
    if failed:
        raise _refused_images(failed, len({planned_jobs[0].url for planned_jobs, _content in reads}))


def _split(planned: PlannedJob, manifests: dict[str, _Read[Manifest]]) -> list[PlannedJob]:
    """Return a job for each platform of an image, or a single job if the image has no index."""
    if not planned.image:
        return [planned]
    platforms: list[str | None] = [*t.cast(Manifest, manifests[planned.url][1]).platforms]
    return [replace(planned, platform=platform) for platform in platforms or [None]]


def _group_images(planned_jobs: list[PlannedJob], key: t.Callable[[PlannedJob], t.Hashable]) -> list[list[PlannedJob]]:
    """Return the planned images, those with the same key together."""
    groups: dict[t.Hashable, list[PlannedJob]] = {}
    for planned in planned_jobs:
        if planned.image:
            groups.setdefault(key(planned), []).append(planned)
    return list(groups.values())


def _pin(planned: PlannedJob, content: _Content) -> None:
    image = t.cast(Image, planned.image)
    planned.digest = content.manifest.digest
    planned.url = image.manifest_url(planned.digest)
    planned.child_digests = [digest for digest, _blobs in content.blobs]
    lists = [list(map(image.blob_url, digests)) for _digest, digests in content.blobs]
    if planned.platform is not None or content.manifest.children is None:
        # The manager uses all manifests that match the platform.
        lists = [list(dict.fromkeys(itertools.chain(*lists)))]
    planned.urls_by_manifest = lists


def _platform_warnings(planned: PlannedJob, content: _Content) -> list[str]:
    if content.manifest.children is None or planned.platform is not None:
        return []
    return [
        f"{redact_url(planned.source)} is an image index, and no platform is requested, so the manager preheats the "
        "platform of its own host. Set platforms."
    ]


def _refused_images(refused: list[tuple[PlannedJob, DragonflyError]], total: int) -> DragonflyError:
    """Return an error for all images that cannot be preheated.

    :param total: number of requested images.
    """
    first = refused[0][1]
    # The platforms of an image can have the same error.
    texts = list(dict.fromkeys(f"{redact_url(planned.source)}: {exc.message}" for planned, exc in refused))
    if total == len(texts) == 1:
        return first
    images = len({planned.url for planned, _exc in refused})
    lines = [f"{images} of {total} images cannot be preheated, so no job was created.", *texts[:_NAMED_IN_MESSAGE]]
    if len(texts) > _NAMED_IN_MESSAGE:
        lines.append(f"And {len(texts) - _NAMED_IN_MESSAGE} more.")
    return DragonflyError(" ".join(lines), first.reason, first.request, first.status)


def pin_platforms_for_old_managers(planned_jobs: list[PlannedJob], reader: JobReader) -> None:
    """Replace indexes by the manifest of the platform if the manager cannot read an index.

    :raises InputError: if no platform is requested, or it matches several manifests, because a job has one manifest.
    """
    indexes = [planned for planned in planned_jobs if planned.is_index]
    if not indexes or not _lacks_index(reader):
        return
    _refuse_indexes_without_one_manifest(indexes)
    for planned in indexes:
        planned.digest = planned.child_digests[0]
        planned.url = t.cast(Image, planned.image).manifest_url(planned.digest)
        planned.pinned_platform = True


def _refuse_indexes_without_one_manifest(indexes: list[PlannedJob]) -> None:
    without_platform = [redact_url(planned.source) for planned in indexes if planned.platform is None]
    if without_platform:
        raise InputError(
            f"Managers before {format_release(_FIRST_WITH_INDEX)} cannot read an image index. Set platforms for "
            f"{listed(without_platform, _NAMED_IN_MESSAGE)}."
        )
    ambiguous = [
        f"{redact_url(planned.source)} ({planned.platform})" for planned in indexes if planned.child_digests[1:]
    ]
    if ambiguous:
        raise InputError(
            f"Managers before {format_release(_FIRST_WITH_INDEX)} preheat one manifest for each job, and the index has "
            f"several for {listed(ambiguous, _NAMED_IN_MESSAGE)}. Name the variant, such as linux/arm/v7, or preheat "
            "the manifests by their digests."
        )


def _lacks_index(reader: JobReader) -> bool:
    if reader.releases.since(_FIRST_WITH_INDEX):
        return False
    if reader.echo_seen and not reader.releases.before(_FIRST_WITH_INDEX):
        return False
    # The release may be unknown, or inferred from a job older than the manager's last upgrade.
    reader.probe_releases()
    return reader.releases.before(_FIRST_WITH_INDEX)
