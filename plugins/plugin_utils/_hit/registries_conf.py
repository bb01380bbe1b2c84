# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determine from registries.conf where podman, CRI-O, Buildah and Skopeo send the pulls of an image.

Source: github.com/containers/image v5.36.1 docker/docker_image_src.go (newImageSource) and docker/docker_client.go.
"""

from __future__ import annotations

import typing as t

from ...module_utils._image import is_full_name
from .._registries_conf import Entry, Mirror, files_of, read_registries, unsent_login
from .client import Client
from .files import newer_than_unit
from .images import PreheatedImage
from .reasons import Reason, note, reason, reason_from_problem
from .route import Route

#: Names of runtimes in messages.
NAMES = {"podman": "podman", "crio": "CRI-O"}


class RegistriesConf:
    """A runtime on a host that reads registries.conf.

    :param runtime: ``podman`` or ``crio``.
    :ivar reasons: why no pull is sent to a client.
    """

    def __init__(self, facts: dict[str, t.Any], runtime: str) -> None:
        self._name = NAMES[runtime]
        self._registries = read_registries(facts)
        self._logins = facts.get("logins") or []
        self._main = files_of(facts)[0]["path"]
        self.reasons = [reason_from_problem(problem) for problem in self._registries.problems]
        self._notes = _reload_notes(facts) if runtime == "crio" else []
        if runtime not in facts["runtimes"]:
            self.reasons.append(reason("no_such_runtime", runtime=self._name))

    def problems(self, _client: Client | None) -> list[Reason]:
        """Return why its configuration makes every pull through a client miss, which files do not show."""
        return []

    def notes_for(self, _client: Client) -> list[str]:
        """Return assumptions."""
        return self._notes

    def route(self, image: PreheatedImage) -> Route | Reason:
        """Return the route of an image's pulls, or why they go directly to the registry."""
        name = f"{image.pulled_registry}/{image.pulled_repository}"
        entry = self._registries.entry_for(name)
        if entry is None:
            return reason("registries_conf_no_mirror", self._main, registry=image.pulled_registry, runtime=self._name)
        mirrors = entry.mirrors_for("digest-only" if image.preheated.digest else "tag-only")
        unusable = _unusable_name(name, mirrors, entry)
        if unusable:
            return reason("location_not_usable", entry.file, name=unusable, runtime=self._name)
        if not entry.mirrors:
            return reason("registries_conf_no_mirror", entry.file, registry=image.pulled_registry, runtime=self._name)
        if not mirrors:
            return reason("mirror_not_for_tags", entry.file, by=entry.mirrors[0].pulls, runtime=self._name)
        return self._route_to(mirrors, entry, name)

    def _route_to(self, mirrors: list[Mirror], entry: Entry, name: str) -> Route | Reason:
        first, *others = mirrors
        host, _slash, repository = entry.rewrite(name, first.location).partition("/")
        blocking = self._registries.entry_for(f"{host}/{repository}")
        if blocking is not None and blocking.blocked:
            return reason("mirror_blocked", blocking.file, mirror=host, prefix=blocking.prefix, runtime=self._name)
        if not first.insecure:
            return reason("mirror_not_insecure", entry.file, mirror=host, runtime=self._name)
        return Route(
            proxy=f"http://{host}",
            path="/v2",
            query="",
            headers={},
            file=entry.file,
            others=tuple(f"http://{mirror.location.partition('/')[0]}" for mirror in others),
            repository=repository,
            names_registry=False,
        )

    def unsent_credentials(self, image: PreheatedImage, route: Route) -> list[Reason]:
        """Return why its credentials for the registry of an image are not sent on a route."""
        mirror = route.proxy.partition("://")[2]
        problems = unsent_login(
            self._logins, image.pulled_registry, image.pulled_repository, f"{mirror}/{route.repository}"
        )
        return [reason_from_problem(problem) for problem in problems]


def _unusable_name(name: str, mirrors: list[Mirror], entry: Entry) -> str | None:
    """Return the first name that is not valid, of those that mirrors and registry have for an image."""
    locations = [*(mirror.location for mirror in mirrors), entry.location]
    names = [entry.rewrite(name, location) for location in locations if location]
    return next((rewritten for rewritten in names if not is_full_name(rewritten)), None)


def _reload_notes(facts: dict[str, t.Any]) -> list[str]:
    """Return a note for files that CRI-O reads only after a reload, which systemd does not report."""
    unit = facts.get("unit")
    newer = [file["path"] for file in files_of(facts) if newer_than_unit(file, unit)]
    return [note("reload_unknown", files=", ".join(newer))] if newer else []
