# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether containerd's config.toml uses the mirrors in a directory, and what keeps pulls from using them."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..module_utils._containerd_facts import CERTS_DIRS
from ..module_utils._image import DOCKER_HUB_HOST, DOCKER_HUB_NAMES
from ..module_utils._release import at_least
from ._config.messages import Problem, not_allowed, problem
from ._config.schema import checked_release
from ._containerd_files import (
    FIRST_THAT_MERGES,
    GRPC_PLUGIN,
    IMAGES_PLUGIN,
    RUNTIME_PLUGIN,
    TRANSFER_PLUGIN,
    ConfigFile,
    Effective,
    Release,
    config_version,
    merge_files,
    plugin_id,
    presence_problems,
    read_config,
    sub_table,
)

try:
    import tomlkit

    TOMLKIT_ERROR = None
except ImportError as error:
    TOMLKIT_ERROR = error

#: First releases of containerd with the transfer service for pulls, with default directories, and in which mirrors in
#: the old format disable these.
_FIRST_WITH_TRANSFER = (2, 1, 0)
_FIRST_WITH_DEFAULT_DIRS = (2, 2, 0)
_FIRST_WITHOUT_DEFAULT_BESIDE_MIRRORS = (2, 2, 2)

#: Sizes in bytes: the smallest part that containerd requests, and the largest that dfdaemon requests from the registry.
_SMALLEST_PART, _SKIPPED_PART = 512, 4 * 1024 * 1024
_WHY_PARTS_MISS = {
    "dfget": "the Go client computes another task ID for each part, so every pull misses",
    "dfdaemon": (
        "the Rust client 1.4.2 and later requests parts of up to 4 MiB from the registry, even if they are cached"
    ),
}
#: Parts of the names of snapshotters that request content when a container reads it, and those that never do. The name
#: of a proxy plugin is free, so one may be called nydus-snapshotter.
_LAZY_SNAPSHOTTERS = ("nydus", "stargz", "overlaybd", "soci", "gcfs", "cvmfs")
_EAGER_SNAPSHOTTERS = (
    "", "aufs", "blockfile", "btrfs", "devmapper", "erofs", "fuse-overlayfs", "native", "overlayfs", "zfs"
)  # fmt: skip


class Verdict(t.NamedTuple):
    """The changes that a config.toml requires.

    :ivar text: the desired file, which may contain credentials.
    :ivar needed: whether it differs from the existing file.
    :ivar problems: why the change would not work.
    """

    text: str
    needed: bool
    problems: list[Problem]


class Login(t.NamedTuple):
    """Credentials that containerd sends to a mirror.

    :ivar host: host and port of the mirror.
    """

    host: str
    username: str
    password: str


def judge_config(
    facts: dict[str, t.Any],
    certs_dir: str,
    client: str = "none",
    allowed: t.Container[str] = (),
    login: Login | None = None,
) -> Verdict:
    """Return the changes that containerd's config.toml requires to use the mirrors in a directory.

    :param facts: of containerd, as the module host_info reports them. What it redacted stays redacted.
    :param certs_dir: directory of the mirrors.
    :param client: ``dfget``, ``dfdaemon`` or ``none``.
    :param allowed: codes of accepted problems.
    :param login: credentials for the mirror, None to leave them unchanged.
    """
    text = facts["config"].get("text") or ""
    effective = read_config(facts, checked_release(facts.get("version")))
    problems = [*effective.problems, *containerd_problems(effective, client), *_version_1(effective, text)]
    problems = not_allowed(problems, allowed)
    is_set = is_read(effective, certs_dir)
    if is_set and login is None:
        return Verdict(text, False, problems)
    if not is_set:
        problems += _other_directories(effective, certs_dir)
    if not not_allowed(presence_problems(facts), allowed):
        problems += _tomlkit_problems(effective)
    return Verdict(text, False, problems) if problems else _edit(effective, text, certs_dir, login)


def _tomlkit_problems(effective: Effective) -> list[Problem]:
    return [problem("tomlkit_missing", file=effective.path, error=TOMLKIT_ERROR)] if TOMLKIT_ERROR else []


def _edit(effective: Effective, text: str, certs_dir: str, login: Login | None) -> Verdict:
    try:
        document = _edited(text, effective.release, certs_dir, login)
    except tomlkit.exceptions.TOMLKitError as error:
        return Verdict(text, False, [problem("toml_invalid", file=effective.path, error=error)])
    problems = [] if is_read(effective, certs_dir) else outweighed(effective, document.unwrap(), certs_dir)
    if problems:
        return Verdict(text, False, problems)
    edited = tomlkit.dumps(document)
    return Verdict(edited, edited != text, [])


def _edited(text: str, release: Release, certs_dir: str, login: Login | None) -> tomlkit.TOMLDocument:
    """Return the file with config_path, and with credentials for the mirror if there are any."""
    document = tomlkit.parse(text)
    if not document.unwrap():
        document["version"] = 3 if at_least(release, FIRST_THAT_MERGES) else 2
    registry = _table(document, "plugins", plugin_id(config_version(document.unwrap(), release)), "registry")
    if registry.get("config_path") != certs_dir:
        registry["config_path"] = certs_dir
    if login is not None:
        auth = _table(registry, "configs", login.host, "auth")
        for key, value in (("username", login.username), ("password", login.password)):
            if auth.get(key) != value:
                auth[key] = value
    return document


def _version_1(effective: Effective, text: str) -> list[Problem]:
    """Return a problem if the main file has no version, or the first one."""
    version = effective.files[0].config.get("version", 1)
    if not text.strip() or not effective.files[0].config or not isinstance(version, int) or version > 1:
        return []
    return [problem("config_version_1", "version", file=effective.path)]


def _other_directories(effective: Effective, certs_dir: str) -> list[Problem]:
    """Return a problem if another directory is configured, whose mirrors would no longer be used."""
    paths = config_paths(effective.plugin, effective.release)
    is_default = tuple(paths) == CERTS_DIRS and at_least(effective.release, _FIRST_WITH_DEFAULT_DIRS)
    if not paths or is_default:
        return []
    # If the release does not split the list, it reads none of the directories, and no mirrors would be lost.
    if certs_dir in paths and not splits_config_path(effective.plugin, effective.release):
        return []
    name = effective.plugin_id
    file = effective.file_of("plugins", name, "registry", "config_path")
    values = {"path": ":".join(paths), "wanted": certs_dir}
    return [problem("other_config_path", f"{name}.registry.config_path", file=file, **values)]


def outweighed(effective: Effective, config: dict[str, t.Any], certs_dir: str) -> list[Problem]:
    """Return a problem if an imported file overrides config_path of the main file.

    :param config: existing or planned content of the main file.
    :param certs_dir: directory in its config_path.
    """
    files = (ConfigFile(effective.path, config), *effective.files[1:])
    merged, unclear = merge_files(files, effective.release)
    if unclear:
        return [unclear]
    after = effective._replace(config=merged, files=files)
    if is_read(after, certs_dir):
        return []
    merges = at_least(effective.release, FIRST_THAT_MERGES)
    names = ("plugins", after.plugin_id, "registry", "config_path") if merges else ("plugins", after.plugin_id)
    values = {
        "importer": effective.path,
        "how": "outweigh" if merges else "replace",
        "wanted": f'"{certs_dir}"',
        "plugin": f'"{after.plugin_id}"',
    }
    return [problem("import_wins", f"plugins.{after.plugin_id}", file=after.file_of(*names), **values)]


def is_read(effective: Effective, certs_dir: str) -> bool:
    """Return whether containerd reads the mirrors of a directory."""
    paths = config_paths(effective.plugin, effective.release)
    return certs_dir in paths and (len(paths) == 1 or splits_config_path(effective.plugin, effective.release))


def config_paths(plugin: dict[str, t.Any], release: Release) -> list[str]:
    """Return the directories in config_path of the plugin that pulls images, or the default.

    Source: containerd v2.2.2 plugins/cri/images/plugin.go: only ``mirrors`` keep the default away; v2.2.0 and v2.2.1
    internal/cri/config/config_unix.go: nothing does.
    """
    registry = plugin.get("registry", {})
    text = registry.get("config_path", "")
    if text:
        return [path.rstrip("/") for path in text.split(":")]
    has_default = at_least(release, _FIRST_WITH_DEFAULT_DIRS)
    is_kept_away = registry.get("mirrors") and at_least(release, _FIRST_WITHOUT_DEFAULT_BESIDE_MIRRORS)
    return list(CERTS_DIRS) if has_default and not is_kept_away else []


def splits_config_path(plugin: dict[str, t.Any], release: Release) -> bool:
    """Return whether containerd splits config_path into directories. Pulls through the transfer service do not.

    Source: containerd v2.1.0 internal/cri/config/config.go (CheckLocalImagePullConfigs) and v2.2.0
    core/transfer/registry/registry.go.
    """
    if not at_least(release, _FIRST_WITH_TRANSFER):
        return True
    # In files of version 2 some of these stand one table deeper.
    values = {**plugin.get("containerd", {}), **plugin}
    is_old = any(plugin.get("registry", {}).get(name) for name in _OLD_TABLES)
    return is_old or any(values.get(key, usual) != usual for key, usual in _LOCAL_PULL_UNLESS.items())


_OLD_TABLES = ("mirrors", "configs", "auths")
#: With other values, containerd pulls without the transfer service.
_LOCAL_PULL_UNLESS = {
    "use_local_image_pull": False,
    "disable_snapshot_annotations": True,
    "discard_unpacked_layers": False,
    "image_pull_with_sync_fs": False,
    "max_concurrent_downloads": 3,
}


def containerd_problems(effective: Effective, client: str) -> list[Problem]:
    """Return the problems of a configuration that make pulls fail or miss if config_path is set.

    :param client: ``dfget`` or ``dfdaemon``, if it does not serve every part of a blob from the cache; else ``none``.
    """
    parts = [] if client == "none" else [*_parallel_fetch(effective, client), *_lazy_snapshotter(effective, client)]
    return [*_disabled(effective), *_old_tables(effective), *parts]


def _disabled(effective: Effective) -> list[Problem]:
    plugins = {"cri", GRPC_PLUGIN, IMAGES_PLUGIN, RUNTIME_PLUGIN}
    disabled = plugins & set(effective.config.get("disabled_plugins", []))
    if not disabled:
        return []
    file, names = effective.file_of("disabled_plugins"), ", ".join(sorted(disabled))
    return [problem("cri_disabled", "disabled_plugins", file=file, plugin=names)]


def _old_tables(effective: Effective) -> list[Problem]:
    """Return the tables that cannot be combined with config_path."""
    name = effective.plugin_id
    registry = effective.plugin.get("registry", {})
    problems = []
    if registry.get("mirrors"):
        file = effective.file_of("plugins", name, "registry", "mirrors")
        names = ", ".join(registry["mirrors"])
        problems.append(problem("mirrors_in_use", f"{name}.registry.mirrors", file=file, names=names))
    for host, entry in registry.get("configs", {}).items():
        if entry.get("tls") and not at_least(effective.release, FIRST_THAT_MERGES):
            file = effective.file_of("plugins", name, "registry", "configs", host)
            problems.append(problem("tls_in_use", f"{name}.registry.configs.{host}.tls", file=file))
    return problems


def _parallel_fetch(effective: Effective, client: str) -> list[Problem]:
    """Return a problem if containerd requests parts of a blob that the client does not serve from the cache.

    Source: containerd v2.1.3 core/remotes/docker/fetcher.go (open), and client v1.4.2
    dragonfly-client/src/resource/task.rs.
    """
    key, is_go = "concurrent_layer_fetch_buffer", client == "dfget"
    for plugin in (effective.plugin_id, TRANSFER_PLUGIN):
        part = sub_table(effective.config, "plugins", plugin).get(key, 0)
        if part >= _SMALLEST_PART and (is_go or part <= _SKIPPED_PART):
            remedy = "Set it to 0." if is_go else f"Set it to 0, or to more than {_SKIPPED_PART}."
            file = effective.file_of("plugins", plugin, key)
            return [problem("parallel_fetch", key, file=file, why=_WHY_PARTS_MISS[client], remedy=remedy)]
    return []


def _lazy_snapshotter(effective: Effective, client: str) -> list[Problem]:
    name, snapshotter = effective.plugin_id, default_snapshotter(effective)
    if not is_lazy(snapshotter):
        return []
    remedy = "Use overlayfs."
    if client == "dfdaemon":
        remedy += " Or set proxy.disableBackToSource; pulls then fail if no peer has the blob."
    values = {"snapshotter": snapshotter, "why": _WHY_PARTS_MISS[client], "remedy": remedy}
    return [problem("lazy_snapshotter", f"{name} snapshotter", file=effective.file_of("plugins", name), **values)]


def is_lazy(snapshotter: str) -> bool:
    """Return whether a snapshotter requests parts of blobs when containers read them."""
    return any(name in snapshotter.lower() for name in _LAZY_SNAPSHOTTERS)


def is_eager(snapshotter: str) -> bool:
    """Return whether containerd is known to pull complete layers for a snapshotter."""
    return snapshotter in _EAGER_SNAPSHOTTERS


def default_snapshotter(effective: Effective) -> str:
    """Return the snapshotter of pods without a runtime class, empty for the default one."""
    plugin = effective.plugin
    return str(plugin.get("snapshotter") or plugin.get("containerd", {}).get("snapshotter") or "")


def runtime_snapshotters(effective: Effective) -> dict[str, str]:
    """Return the snapshotters of runtimes, by the name of the runtime, which is the handler of a runtime class.

    Source: containerd v1.7.20 pkg/cri/sbserver/image_pull.go (snapshotterFromPodSandboxConfig), v2.0.0
    internal/cri/config/config.go (RuntimePlatforms) and v2.3.4 plugins/cri/cri.go (UpdateRuntimeSnapshotter).
    """
    plugins = (effective.plugin, sub_table(effective.config, "plugins", RUNTIME_PLUGIN))
    tables = [sub_table(plugin, "containerd", "runtimes") for plugin in plugins]
    tables.append(sub_table(effective.plugin, "runtime_platforms"))
    named = ((name, runtime.get("snapshotter")) for table in tables for name, runtime in table.items())
    return {name: snapshotter for name, snapshotter in named if snapshotter}


def unsent_auth(effective: Effective, registry: str, mirror: str) -> list[Problem]:
    """Return a problem if containerd has credentials for a registry, but not for the mirror that it requests first.

    Source: containerd v1.7.20 pkg/cri/sbserver/image_pull.go (registryHosts) and v2.2.0
    internal/cri/server/images/image_pull.go: ``configs`` are looked up by the host of the request.

    :param registry: as in image references.
    :param mirror: host and port of the mirror.
    """
    hosts = {*DOCKER_HUB_NAMES, DOCKER_HUB_HOST} if registry == "docker.io" else {registry}
    names = _hosts_with_auth(effective.plugin.get("registry", {}))
    if mirror in names or not hosts & set(names):
        return []
    table = names[min(hosts & set(names))]
    file = effective.file_of("plugins", effective.plugin_id, "registry", *table)
    key = f"{effective.plugin_id}.registry.{'.'.join(table)}"
    return [problem("auth_not_for_mirror", key, file=file, registry=registry, mirror=mirror)]


def _hosts_with_auth(registry: dict[str, t.Any]) -> dict[str, tuple[str, str]]:
    """Return the hosts with credentials, each with its table."""
    tables = {host: ("configs", host) for host, entry in registry.get("configs", {}).items() if entry.get("auth")}
    for url in registry.get("auths", {}):
        tables.setdefault(urlsplit(url).netloc or url, ("auths", url))
    return tables


def _table(node: t.Any, *names: str) -> t.Any:
    """Return the table at a path, created if missing."""
    for index, name in enumerate(names):
        if name not in node:
            is_inline = isinstance(node, tomlkit.items.InlineTable)
            node[name] = tomlkit.inline_table() if is_inline else tomlkit.table(is_super_table=index < len(names) - 1)
        node = node[name]
    return node
