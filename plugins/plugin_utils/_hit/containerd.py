# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determine from containerd's files where it sends the pulls of a registry."""

from __future__ import annotations

import posixpath
import re
import typing as t
from urllib.parse import quote, urlsplit

from ...module_utils._containerd_facts import CERTS_DIRS
from ...module_utils._image import DOCKER_HUB_HOST
from ...module_utils._redact import redact_url
from ...module_utils._release import at_least, parse_release
from .._config.values import is_loopback
from .._containerd_config import (
    config_paths,
    containerd_problems,
    default_snapshotter,
    is_eager,
    is_lazy,
    outweighed,
    runtime_snapshotters,
    splits_config_path,
    unsent_auth,
)
from .._containerd_files import (
    FIRST_THAT_MERGES,
    config_version,
    plugin_id,
    presence_problems,
    read_config,
    sub_table,
)
from .certificates import unusable_tls
from .client import Client, header_value
from .files import exists, newer_than_unit, string_list
from .go_url import parse_go_url
from .hosts_toml import MirrorHost, header_values, mirror_hosts, with_scheme
from .images import PreheatedImage
from .reasons import Reason, note, reason, reason_from_problem
from .route import Route
from .setting import Setting

_FALLBACK_DIRECTORY = "_default"
#: Problems of its configuration that affect pulls with ctr, which bypass the CRI plugin.
_MATTER_TO_CTR = ("parallel_fetch",)
#: Problems only in combination with config_path.
_ONLY_WITH_CONFIG_PATH = ("mirrors_in_use", "tls_in_use")
# Source: containerd v2.1.0 and v2.1.3 core/remotes/docker/fetcher.go (open).
_FIRST_WITH_RANGE_IN_EVERY_REQUEST = (2, 1, 0)
_FIRST_WITHOUT_RANGE_AGAIN = (2, 1, 3)


def _files_newer_than_containerd(facts: dict[str, t.Any]) -> list[Reason]:
    """Return a reason for each file that was written after containerd started.

    Distributions write config.toml when they start. For them, the files from which they write it count.
    """
    is_own = facts.get("distribution", "containerd") == "containerd"
    files = [facts["config"], *(facts.get("imports") or [])] if is_own else facts.get("sources") or []
    return [newer for file in files for newer in newer_than_unit(file, facts.get("unit"))]


class Containerd:
    """containerd on a host.

    :ivar release: tuple of int, None if it is not known.
    :ivar reasons: why no pull is sent to a client.
    """

    def __init__(self, facts: dict[str, t.Any]) -> None:
        self.release = parse_release(facts.get("version"))
        self._certs_dir = facts.get("certs_dir")
        self._certificates = facts.get("certificates") or {}
        self._hosts_files = {file["path"]: file for file in facts.get("hosts") or []}
        self._effective = read_config(facts, self.release)
        unknown = presence_problems(facts)
        self.reasons = [reason_from_problem(problem) for problem in unknown or self._effective.problems]
        if not unknown:
            self.reasons += _files_newer_than_containerd(facts)

    @property
    def _path(self) -> str:
        return self._effective.path

    @property
    def _plugin(self) -> dict[str, t.Any]:
        return self._effective.plugin

    @property
    def _directories(self) -> list[str]:
        """Directories that contain a directory per registry, in the order in which containerd reads them."""
        if self._certs_dir:
            return [self._certs_dir]
        return config_paths(self._plugin, self.release)

    def problems(self, client: Client | None) -> list[Reason]:
        """Return what in its configuration makes every pull through a client miss. None stands for no client."""
        name = client.name if client and client.misses_parts else "none"
        problems = containerd_problems(self._effective, name)
        reasons = [reason_from_problem(problem) for problem in problems if self._matters(problem.code)]
        if name != "none" and not self._certs_dir:
            reasons += self._unknown_snapshotter()
        return reasons

    def _matters(self, code: str) -> bool:
        """Return whether a problem of its configuration concerns the pulls."""
        if self._certs_dir:
            return code in _MATTER_TO_CTR
        return bool(self._directories) or code not in _ONLY_WITH_CONFIG_PATH

    def notes_for(self, client: Client) -> list[str]:
        """Return which pods bypass a client."""
        if self._certs_dir or not client.misses_parts:
            return []
        default = default_snapshotter(self._effective)
        return [
            note("lazy_runtime", runtime=runtime, snapshotter=snapshotter)
            for runtime, snapshotter in runtime_snapshotters(self._effective).items()
            if snapshotter != default and not is_eager(snapshotter)
        ]

    def _unknown_snapshotter(self) -> list[Reason]:
        """Return a reason if the snapshotter of most pods may request parts of blobs itself."""
        snapshotter = default_snapshotter(self._effective)
        if is_lazy(snapshotter) or is_eager(snapshotter):
            return []
        name = self._effective.plugin_id
        file = self._effective.file_of("plugins", name)
        return [reason("snapshotter_unknown", file, f"{name} snapshotter", snapshotter=snapshotter)]

    def unsent_credentials(self, image: PreheatedImage, route: Route) -> list[Reason]:
        """Return why its credentials for the registry of an image are not sent on a route."""
        if self._certs_dir or "authorization" in route.headers:
            return []
        problems = unsent_auth(self._effective, image.pulled_registry, urlsplit(route.proxy).netloc)
        return [reason_from_problem(problem) for problem in problems]

    def route(self, image: PreheatedImage) -> Route | Reason:
        """Return the route of an image's pulls, or why they go directly to the registry."""
        registry = image.pulled_registry
        directories = self._directories
        if directories:
            return self._route_by_directories(registry, directories)
        mirrors = sub_table(self._plugin, "registry", "mirrors")
        if mirrors:
            return self._route_by_mirrors(registry, mirrors)
        return self._why_no_directories()

    def _route_by_directories(self, registry: str, directories: list[str]) -> Route | Reason:
        if len(directories) > 1 and not splits_config_path(self._plugin, self.release):
            path = ":".join(directories) + (" (its default)" if tuple(directories) == CERTS_DIRS else "")
            return reason("config_path_not_split", self._path, "config_path", path=path)
        file = self._hosts_file(registry, directories)
        if file is None:
            return reason("no_mirror_for_registry", directories[0], registry=registry)
        if not exists(file):
            return reason("no_mirror_for_registry", f"{file['path']} (which does not exist)", registry=registry)
        hosts, unused = mirror_hosts(file, registry, self.release)
        if unused:
            return unused
        return self._route_to(hosts, registry, file["path"])

    def _hosts_file(self, registry: str, directories: list[str]) -> dict[str, t.Any] | None:
        """Return the hosts.toml of a registry: that of the first directory there is, with or without the file."""
        name, colon, port = registry.rpartition(":")
        names = [f"{name}_{port}_"] if colon else []
        names += [registry, _FALLBACK_DIRECTORY]
        for directory in directories:
            for name in names:
                file = self._hosts_files.get(posixpath.join(directory, name, "hosts.toml"))
                if file is not None:
                    return file
        return None

    def _route_by_mirrors(self, registry: str, mirrors: dict[str, t.Any]) -> Route | Reason:
        """Return the route according to the tables that config_path replaced.

        Source: containerd v1.7.20 pkg/cri/sbserver/image_pull.go (registryEndpoints, registryHosts).
        """
        mirror = mirrors.get(registry, mirrors.get("*"))
        endpoints = string_list(sub_table({"mirror": mirror}, "mirror").get("endpoint"))
        if not endpoints:
            return reason("no_mirror_for_registry", self._path, "mirrors", registry=registry)
        urls = [_endpoint_url(endpoint) for endpoint in endpoints]
        unusable = self._unusable_tls(registry, urls)
        if unusable:
            return unusable
        # /v2 is appended only if there is no path at all.
        hosts = [MirrorHost(url, {}, overrides_path=url.count("/") > 2) for url in urls]
        return self._route_to(hosts, registry, self._path)

    def _unusable_tls(self, registry: str, urls: list[str]) -> Reason | None:
        """Return why containerd cannot load a certificate or a key of an endpoint or of the registry itself.

        From 2.0 on it reads no table ``tls``.
        """
        if at_least(self.release, FIRST_THAT_MERGES):
            return None
        own = DOCKER_HUB_HOST if registry == "docker.io" else registry
        configs = sub_table(self._plugin, "registry", "configs")
        for host in dict.fromkeys([*(urlsplit(url).netloc.rpartition("@")[2] for url in urls), own]):
            names = ("plugins", self._effective.plugin_id, "registry", "configs", host)
            key = f"{names[1]}.registry.configs.{host}.tls"
            tls = sub_table(configs, host, "tls")
            unusable = unusable_tls(self._effective.file_of(*names), key, tls, self._certificates)
            if unusable:
                return unusable
        return None

    def _route_to(self, hosts: list[MirrorHost], registry: str, file: str) -> Route | Reason:
        host, *others = hosts
        route = _base_route(host, registry, file)
        if not isinstance(route, Route):
            return route
        route = self._with_global_headers(route._replace(others=tuple(other.url for other in others)))
        header = header_value(route, "Range")
        if header.value:
            return route._replace(byte_range=header._replace(value=header.value.removeprefix("bytes=")))
        sends_range = at_least(self.release, _FIRST_WITH_RANGE_IN_EVERY_REQUEST)
        if sends_range and not at_least(self.release, _FIRST_WITHOUT_RANGE_AGAIN):
            return route._replace(byte_range=Setting("0-", self._path))
        return route

    def _with_global_headers(self, route: Route) -> Route:
        """Return a route with the headers that the CRI plugin sends to all hosts, followed by those of the host.

        Source: containerd v1.5.18 to v2.3.4, remotes/docker/resolver.go (dockerBase.request).
        """
        headers = {} if self._certs_dir else header_values(sub_table(self._plugin, "registry", "headers"))
        file = self._effective.file_of("plugins", self._effective.plugin_id, "registry", "headers")
        return route._replace(headers={**route.headers, **headers}, header_files=dict.fromkeys(headers, file))

    def _why_no_directories(self) -> Reason:
        effective = self._effective
        main = effective.files[0]
        main_plugin = sub_table(main.config, "plugins", plugin_id(config_version(main.config, self.release)))
        named = sub_table(main_plugin, "registry").get("config_path")
        for problem in outweighed(effective, main.config, named) if named else []:
            return reason_from_problem(problem)
        for name, plugin in sub_table(effective.config, "plugins").items():
            if sub_table(plugin, "registry").get("config_path") and name != effective.plugin_id:
                values = {"actual": name, "wanted": effective.plugin_id, "version": effective.version}
                file = effective.file_of("plugins", name, "registry", "config_path")
                return reason("config_path_elsewhere", file, "config_path", **values)
        path = main.path if main.exists else f"{main.path} (which does not exist)"
        return reason("config_path_not_set", path, "config_path")


def _endpoint_url(endpoint: str) -> str:
    """Return the URL of an endpoint, with the scheme that containerd assumes."""
    if "://" in endpoint:
        return endpoint
    host = re.sub(r":\d*\Z", "", endpoint.partition("/")[0]).strip("[]")
    return f"{'http' if is_loopback(host) else 'https'}://{endpoint}"


def _base_route(host: MirrorHost, registry: str, file: str) -> Route | Reason:
    """Return the route to a host.

    Source: containerd v1.7.20 remotes/docker/config/hosts.go (parseHostConfig) and registry.go (isProxy).
    """
    try:
        url = parse_go_url(with_scheme(host.url))
    except ValueError as error:
        return reason("url_invalid", file, value=redact_url(host.url), error=error)
    # containerd cleans the path, with the repository, before it sends a request.
    path = posixpath.normpath(f"/{url.path}").replace("//", "/").rstrip("/")
    if not path.endswith("/v2") and not host.overrides_path:
        path += "/v2"
    is_proxy = url.host != registry and (registry, url.host) != ("docker.io", DOCKER_HUB_HOST)
    query = f"ns={quote(registry, safe='')}" if is_proxy else ""
    return Route(f"{url.scheme}://{url.host}", path, query, host.headers, file)
