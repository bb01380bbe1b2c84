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


class _Content(t.NamedTuple):
    """The content of an image: its manifest, and the blobs by digest of each manifest for the platform."""

    manifest: Manifest
    blobs: list[tuple[str, list[str]]]


def pin_manifests(planned_jobs: list[PlannedJob], registry_for: RegistryFor, verify: str) -> list[str]:
    """Pin planned images to digests, set their blobs as far as ``verify`` requires, and return warnings.

    :raises DragonflyError: if a registry refuses an image, or cannot be reached although ``verify`` requires it.
    """
    if verify not in ("auto", "blobs", "peers"):
        return []
    groups = _group_by_image(planned_jobs)

    def read(group: list[PlannedJob]) -> _Content:
        image = t.cast(Image, group[0].image)
        registry = registry_for(group[0])
        manifest = registry.manifest(image)
        return _Content(manifest, registry.blobs(image, manifest, group[0].platform))

    warnings: list[str] = []
    unreachable: list[DragonflyError] = []
    for group, content in zip(groups, _read_each(read, groups, RegistryUnreachable if verify == "auto" else ())):
        if isinstance(content, DragonflyError):
            unreachable.append(content)
            continue
        for planned in group:
            _pin(planned, content)
            warnings += _platform_warnings(planned, content)
    if unreachable:
        warnings.append(
            f"{len(unreachable)} of {len(groups)} manifests could not be read. Without a manifest, the module relies "
            f"on the result of a job, and does not notice if a tag moves: {unreachable[0].message}"
        )
    return warnings


def split_platforms(planned_jobs: list[PlannedJob], registry_for: RegistryFor) -> list[PlannedJob]:
    """Return the jobs with those for the platform ``all`` replaced by a job for each platform of the image.

    :raises DragonflyError: if the manifest of such an image cannot be read.
    """
    groups = _group_by_image([planned for planned in planned_jobs if planned.platform == ALL_PLATFORMS])
    if not groups:
        return planned_jobs

    def read(group: list[PlannedJob]) -> list[str]:
        return registry_for(group[0]).manifest(t.cast(Image, group[0].image)).platforms

    names = t.cast("list[list[str]]", _read_each(read, groups))
    platforms = {group[0].url: own for group, own in zip(groups, names)}
    return [job for planned in planned_jobs for job in _split(planned, platforms)]


def _read_each(
    read: t.Callable[[list[PlannedJob]], Content],
    groups: list[list[PlannedJob]],
    tolerated: type[DragonflyError] | tuple[()] = (),
) -> list[Content | DragonflyError]:
    """Return what a function returns for each group of jobs with the same image.

    :param tolerated: errors that are returned.
    :raises DragonflyError: for all images with other errors.
    """
    contents = map_in_threads(return_errors(read), groups)
    refused = [
        (group[0], content)
        for group, content in zip(groups, contents)
        if isinstance(content, DragonflyError) and not isinstance(content, tolerated)
    ]
    if refused:
        raise _refused_images(refused, len(groups))
    return contents


def _split(planned: PlannedJob, platforms: dict[str, list[str]]) -> list[PlannedJob]:
    """Return a job for each platform of an image by URL, or a single job if the image has no index."""
    if planned.platform != ALL_PLATFORMS:
        return [planned]
    chosen: list[str | None] = [*platforms[planned.url]] or [None]
    return [replace(planned, platform=platform) for platform in chosen]


def _group_by_image(planned_jobs: list[PlannedJob]) -> list[list[PlannedJob]]:
    groups: dict[tuple, list[PlannedJob]] = {}
    for planned in planned_jobs:
        if planned.image:
            groups.setdefault((planned.url, planned.platform), []).append(planned)
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
    if total == 1:
        return first
    lines = [f"{len(refused)} of {total} images cannot be preheated, so no job was created."]
    lines += [f"{redact_url(planned.source)}: {exc.message}" for planned, exc in refused[:_NAMED_IN_MESSAGE]]
    if len(refused) > _NAMED_IN_MESSAGE:
        lines.append(f"And {len(refused) - _NAMED_IN_MESSAGE} more.")
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
