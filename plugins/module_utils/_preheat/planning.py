# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the jobs that should exist, and those that are missing. No requests, no clock."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field, replace

from .._errors import InputError
from .._file_url import check_file_url
from .._image import Image, parse_image
from .._platforms import check_platforms
from .._redact import redact_url
from .._registry_config import RegistryConfig, read_registries
from .._releases import request_args
from .._text import trim
from .fingerprint import mark_bio, request_fingerprint
from .options import ARG_OPTIONS, MANY_PEERS, NESTED_OPTIONS, listed_sources


@dataclass(eq=False)
class PlannedJob:
    """A job that should exist.

    Its digest and URL are set after the manifest is read. Therefore it is compared and hashed by identity.

    :ivar kind: ``image`` or ``file``.
    :ivar source: text of the user.
    :ivar url: URL in the request.
    :ivar options: options that become keys of the job's ``args``, by name.
    :ivar bio: description of the job, without the fingerprint.
    :ivar image: None for a file.
    :ivar platform: None if not requested.
    :ivar cluster_id: cluster of this job, None for all clusters.
    :ivar digest: digest of the manifest to which the URL is pinned, None if it is not pinned, and for a file.
    :ivar child_digests: digests of an index's manifests for the platform; for a manifest, its own digest.
    :ivar pinned_platform: whether the URL is that of the platform's manifest, which requires no platform option.
    :ivar urls_by_manifest: a list of blob URLs for each manifest to which the job can refer; None if unknown.
    """

    kind: str
    source: str
    url: str
    options: dict[str, t.Any]
    bio: str
    image: Image | None = None
    platform: str | None = None
    cluster_id: int | None = None
    digest: str | None = None
    child_digests: list[str] = field(default_factory=list)
    pinned_platform: bool = False
    urls_by_manifest: list[list[str]] | None = None

    def __post_init__(self) -> None:
        if self.image:
            self.digest = self.image.digest
        else:
            self.urls_by_manifest = [[self.url]]

    @property
    def is_index(self) -> bool:
        """Whether the image is known to be an index of manifests."""
        return bool(self.child_digests) and self.child_digests != [self.digest]

    @property
    def has_many_peers(self) -> bool:
        """Whether the job is for many peers and not for one seed peer of each cluster and blob."""
        return self.options.get("scope") in MANY_PEERS

    @property
    def name(self) -> str:
        """The name in messages: the user's text without secrets, with platform and cluster if requested."""
        name = redact_url(self.source)
        if self.platform:
            name += f" ({self.platform})"
        if self.cluster_id:
            name += f" in cluster {self.cluster_id}"
        return name

    def all_options(self) -> dict[str, t.Any]:
        """Return the options in ``args`` including the platform."""
        return dict(self.options, platform=None if self.pinned_platform else self.platform)

    @property
    def fingerprint(self) -> str:
        """The fingerprint by which later runs recognize the job."""
        return request_fingerprint(self.kind, self.url, self.all_options())

    def body(self, cluster_id: int | None = None) -> dict[str, t.Any]:
        """Return the JSON body of the POST.

        :param cluster_id: None for all clusters.
        """
        args = dict(request_args(self.all_options()), type=self.kind, url=self.url)
        body: dict[str, t.Any] = {"type": "preheat", "args": args, "bio": mark_bio(self.bio, self.fingerprint)}
        if cluster_id:
            body["scheduler_cluster_ids"] = [cluster_id]
        return body


def plan_jobs(params: dict) -> list[PlannedJob]:
    """Return the jobs that should exist, without duplicates, in the order of the options, not yet pinned to digests.

    A job for the platform ``all`` stands for one for each platform, see ``pin_manifests``.

    :param params: validated options of the module.
    :raises InputError: if an image or a file is not valid.
    """
    sources, kind = listed_sources(params)
    registries = read_registries(params.get("registries"))
    platforms: list[str | None] = [*check_platforms(params.get("platforms"))] or [None]
    clusters: list[int | None] = list(dict.fromkeys(params.get("scheduler_cluster_ids") or [])) or [None]
    plan = _plan_image if kind == "image" else _plan_file
    jobs: dict[tuple, PlannedJob] = {}
    for source in map(trim, sources):
        job = plan(source, params, registries)
        for platform, cluster_id in itertools.product(platforms, clusters):
            jobs.setdefault((job.url, platform, cluster_id), replace(job, platform=platform, cluster_id=cluster_id))
    _check_shared_credentials(params, list(jobs.values()), registries)
    return list(jobs.values())


def _plan_image(source: str, params: dict, registries: RegistryConfig) -> PlannedJob:
    image = parse_image(source, registries.bases)
    options = _options_of_image(_arg_options(params), image, registries)
    return PlannedJob("image", source, image.manifest_url(), options, params.get("bio") or redact_url(source), image)


def _plan_file(source: str, params: dict, _registries: RegistryConfig) -> PlannedJob:
    url = check_file_url(source)
    return PlannedJob("file", source, url, _arg_options(params), params.get("bio") or redact_url(source))


def _arg_options(params: dict) -> dict[str, t.Any]:
    options = {name: params.get(name) for name in ARG_OPTIONS}
    options["headers"] = {name: str(value) for name, value in _set_keys(params.get("headers")).items()}
    options.update((name, _set_keys(params.get(name))) for name in NESTED_OPTIONS)
    return options


def _set_keys(option: dict[str, t.Any] | None) -> dict[str, t.Any]:
    return {key: value for key, value in (option or {}).items() if value is not None}


def _options_of_image(options: dict, image: Image, registries: RegistryConfig) -> dict[str, t.Any]:
    """Return the options of an image's job, with the credentials of its registry if it has its own."""
    detail = registries.details.get(image.registry, {})
    if not detail.get("username"):
        return options
    # The manager would prefer the header, which is for another registry.
    headers = {name: value for name, value in options["headers"].items() if name.lower() != "authorization"}
    return dict(
        options, registry_username=detail["username"], registry_password=detail.get("password"), headers=headers
    )


def _check_shared_credentials(params: dict, jobs: list[PlannedJob], registries: RegistryConfig) -> None:
    """Refuse common credentials if several registries have no credentials of their own.

    :raises InputError: if they would be sent to several registries.
    """
    names = {job.image.registry for job in jobs if job.image}
    without_own = [name for name in sorted(names) if not registries.details.get(name, {}).get("username")]
    option = _option_with_credentials(params)
    if option and len(without_own) > 1:
        raise InputError(
            f"The credentials of {option} would go to each of the registries {', '.join(without_own)}. Give "
            "credentials by registry: registries: {NAME: {url: ..., username: ..., password: ...}}."
        )


def _option_with_credentials(params: dict) -> str | None:
    """Return the option whose credentials go to every registry, None if there are none."""
    if params.get("registry_password"):
        return "registry_password"
    names = [name.lower() for name in params.get("headers") or {}]
    return "headers" if "authorization" in names else None


class MissingJob(t.NamedTuple):
    """A job to create: for a cluster, or for all clusters if ``cluster_id`` is None."""

    planned: PlannedJob
    cluster_id: int | None


class Gap(t.NamedTuple):
    """The clusters of a planned job that existing jobs do not cover. It is false if there are none.

    :ivar is_everywhere: whether none is covered, so a single job can be for all.
    :ivar cluster_ids: otherwise the clusters that need a job each.
    """

    is_everywhere: bool = False
    cluster_ids: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return self.is_everywhere or bool(self.cluster_ids)


def missing_jobs(planned: PlannedJob, gap: Gap) -> list[MissingJob]:
    """Return the jobs that are missing for a planned job."""
    if gap and planned.cluster_id:
        return [MissingJob(planned, planned.cluster_id)]
    if gap.is_everywhere:
        return [MissingJob(planned, None)]
    return [MissingJob(planned, cluster_id) for cluster_id in gap.cluster_ids]
