# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merge containerd's configuration and its imports into the configuration that takes effect."""

from __future__ import annotations

import copy
import math
import typing as t

import tomllib

from ..module_utils._release import at_least, format_release
from ._config.messages import Problem, problem

Release = t.Optional[tuple[int, ...]]

GRPC_PLUGIN = "io.containerd.grpc.v1.cri"
IMAGES_PLUGIN = "io.containerd.cri.v1.images"
RUNTIME_PLUGIN = "io.containerd.cri.v1.runtime"
TRANSFER_PLUGIN = "io.containerd.transfer.v1.local"
#: First release of a line, and the newest version of config.toml that it reads (version/version.go).
_VERSIONS = (((1, 0, 0), 2), ((2, 0, 0), 3), ((2, 3, 0), 4))
#: First release that merges the tables of plugins instead of replacing them (cmd/containerd/server/config mergeConfig).
FIRST_THAT_MERGES = (2, 0, 0)
_FIRST_WITHOUT_NEWER_IMPORTS = (2, 3, 0)


class ConfigFile(t.NamedTuple):
    """A file of containerd's configuration.

    :ivar path: on the host.
    :ivar config: its content.
    :ivar exists: whether the file exists.
    """

    path: str
    config: dict[str, t.Any]
    exists: bool = True


class Effective(t.NamedTuple):
    """The configuration that takes effect.

    :ivar config: merged content of all files.
    :ivar files: the files in the order in which containerd reads them, the main file first.
    :ivar release: release of containerd, None if unknown.
    :ivar problems: why the configuration is unknown or keeps containerd from starting.
    """

    config: dict[str, t.Any]
    files: tuple[ConfigFile, ...]
    release: Release
    problems: tuple[Problem, ...] = ()

    @property
    def path(self) -> str:
        """Return the path of the main file."""
        return self.files[0].path

    @property
    def version(self) -> int:
        """Return the version of the configuration, which determines the names of plugins."""
        return config_version(self.config, self.release)

    @property
    def plugin_id(self) -> str:
        """Return the name of the plugin that pulls images."""
        return plugin_id(self.version)

    @property
    def plugin(self) -> dict[str, t.Any]:
        """Return the table of the plugin that pulls images."""
        return sub_table(self.config, "plugins", self.plugin_id)

    def file_of(self, *names: str) -> str:
        """Return the path of the last file that has a table or a value; the main file if none has."""
        path = self.path
        for file in self.files:
            *tables, last = names
            if last in sub_table(file.config, *tables):
                path = file.path
        return path


def sub_table(table: t.Any, *names: str) -> dict[str, t.Any]:
    """Return a table inside tables, an empty one if there is none."""
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def config_version(config: dict[str, t.Any], release: Release) -> int:
    """Return the version of a configuration. From 2.0 on one without a version is read as the newest."""
    version = config.get("version", 3 if at_least(release, FIRST_THAT_MERGES) else 1)
    return version if isinstance(version, int) else 1


def plugin_id(version: int) -> str:
    """Return the name of the plugin that pulls images in a version of the configuration."""
    return {1: "cri", 2: GRPC_PLUGIN}.get(version, IMAGES_PLUGIN)


def is_present(facts: dict[str, t.Any]) -> bool:
    """Return whether the host has containerd."""
    return bool(facts.get("distribution", facts.get("version") or facts.get("unit")))


def presence_problems(facts: dict[str, t.Any]) -> list[Problem]:
    """Return why the configuration of the host's containerd is unknown.

    :param facts: of containerd, as the module host_info reports them.
    """
    error = facts.get("config_error") or ""
    if not is_present(facts):
        return [problem("no_containerd", "containerd")]
    if facts.get("distribution") == "unknown":
        return [_unknown_containerd(facts["config"], f" ({error})" if error else "")]
    if error:
        return [problem("config_unknown", file=facts["config"]["path"], unit="containerd.service", error=error)]
    unknown = facts.get("settings_error")
    if unknown:
        path, _space, key = unknown["key"].partition(" ")
        values = {"distribution": facts["distribution"], "error": unknown["error"]}
        return [problem("settings_unknown", key, file=path, **values)]
    return []


def _unknown_containerd(config: dict[str, t.Any], error: str) -> Problem:
    path = config["path"]
    if config.get("exists", True):
        return problem("unknown_containerd", file=path, config=path, error=error)
    missing = f"no configuration, because {path} does not exist"
    return problem("unknown_containerd", "containerd", config=missing, error=error)


def read_config(facts: dict[str, t.Any], release: Release) -> Effective:
    """Return the configuration that takes effect.

    :param facts: of containerd, as the module reports them.
    :param release: of containerd, None if it is not known.
    """
    files, problems = _parse_files(facts, release)
    path = files[0].path
    merged, unclear = merge_files(files, release)
    if facts.get("dump_error"):
        problems.append(problem("config_rejected", file=path, error=facts["dump_error"]))
    elif facts.get("dump"):
        # containerd itself has read the files. Before 2.0 it accepts some that are not valid TOML.
        merged, unclear = _parse_dump(facts["dump"], path)
        problems = []
    problems += [unclear] if unclear else []
    mistyped = misfit(merged) or _short_plugin_name(merged)
    if mistyped:
        problems.append(problem("toml_invalid", file=path, error=mistyped))
        merged = {}
    return Effective(merged, tuple(files), release, tuple(problems))


def _parse_files(facts: dict[str, t.Any], release: Release) -> tuple[list[ConfigFile], list[Problem]]:
    """Return the main file and those that it imports, and why containerd would not start with them."""
    main = facts["config"]
    files, problems = [], []
    for file in [main, *(facts.get("imports") or [])]:
        config, problem_of_file = _parse_file(file, release, main["path"])
        files.append(ConfigFile(file["path"], config, file.get("text") is not None))
        problems += [problem_of_file] if problem_of_file else []
    return files, problems + _version_problems(files, release)


def _parse_file(file: dict[str, t.Any], release: Release, importer: str) -> tuple[dict[str, t.Any], Problem | None]:
    """Return the content of a file, and why it is unknown."""
    unreadable = _unreadable(file, release, importer)
    if unreadable:
        return {}, unreadable
    path = file["path"]
    try:
        config = tomllib.loads(file.get("text") or "")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return {}, problem("toml_invalid", file=path, error=str(error) or type(error).__name__)
    for key, wanted in _misspelt_keys(config, _SHAPE):
        return config, problem("key_case", key, file=path, wanted=wanted)
    return config, None


def _unreadable(file: dict[str, t.Any], release: Release, importer: str) -> Problem | None:
    path = file["path"]
    if file.get("error"):
        return problem("config_unreadable", file=path, error=file["error"])
    if path != importer and file.get("exists") is False:
        return problem("import_missing", file=path, importer=importer)
    if file.get("bom") and at_least(release, FIRST_THAT_MERGES):
        # go-toml 1 skips it, go-toml 2 rejects it.
        error = "it begins with a byte order mark, which containerd from 2.0 on does not read"
        return problem("toml_invalid", file=path, error=error)
    return None


def _version_problems(files: list[ConfigFile], release: Release) -> list[Problem]:
    """Return the problems of the files' versions that keep containerd from starting.

    Source: containerd v2.3.4 cmd/containerd/server/config/config.go (LoadConfigWithPlugins, ValidateVersion).
    """
    versions = [(file.path, version) for file in files if isinstance(version := file.config.get("version", 0), int)]
    if release is None or not versions:
        return []
    importer, main = files[0].path, versions[0][1]
    problems = [_version_problem(path, version, release, importer, main) for path, version in versions]
    return list(filter(None, problems))


def _version_problem(path: str, version: int, release: tuple[int, ...], importer: str, main: int) -> Problem | None:
    """Return the problem of the version of a file.

    :param importer: path of the main file.
    :param main: version of the main file.
    """
    newest = max((newest for first, newest in _VERSIONS if release >= first), default=math.inf)
    if version > newest:
        values: dict[str, t.Any] = {"release": format_release(release), "version": version, "newest": newest}
        return problem("config_version", "version", file=path, **values)
    if version > main and release >= _FIRST_WITHOUT_NEWER_IMPORTS:
        return problem("import_version", "version", file=path, version=version, importer=importer, main=main)
    return None


def _short_plugin_name(config: dict[str, t.Any]) -> str | None:
    """Return, for people, a disabled plugin whose name only version 1 of the configuration knows; None without one.

    The name cri is reported by itself. Source: containerd v1.7.20 services/server/config/config.go (ValidateV2) and
    v2.2.0 cmd/containerd/server/config/config.go (ValidateVersion).
    """
    names = [name for name in config.get("disabled_plugins", []) if "." not in name and name != "cri"]
    if config.get("version", 1) < 2 or not names:
        return None
    return f"disabled_plugins contains {names[0]}, which is not a full name such as io.containerd.snapshotter.v1.zfs"


def _parse_dump(dump: str, path: str) -> tuple[dict[str, t.Any], Problem | None]:
    try:
        return tomllib.loads(dump), None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        text = f"what containerd --config {path} config dump prints is not valid TOML ({error})"
        return {}, problem("config_rejected", file=path, error=text)


# --- merging


def merge_files(files: t.Sequence[ConfigFile], release: Release) -> tuple[dict[str, t.Any], Problem | None]:
    """Return the configuration of several files, and a problem if that depends on the release, which is not known.

    Source: containerd v1.7.20 services/server/config/config.go and v2.2.0 cmd/containerd/server/config/config.go
    (mergeConfig): until 1.7 a later file replaces the table of a plugin, from 2.0 on it is merged into it.
    """
    merged = _merge_all(files, at_least(release, FIRST_THAT_MERGES))
    if release is not None or len(files) < 2:
        return merged, None
    other = _merge_all(files, True)
    for name in ("cri", GRPC_PLUGIN, IMAGES_PLUGIN, RUNTIME_PLUGIN, TRANSFER_PLUGIN):
        if sub_table(merged, "plugins", name) != sub_table(other, "plugins", name):
            last = [file.path for file in files if name in sub_table(file.config, "plugins")][-1]
            values = {"plugin": f'plugins."{name}"', "importer": files[0].path}
            return merged, problem("import_unclear", file=last, **values)
    return merged, None


def _merge_all(files: t.Sequence[ConfigFile], merges: bool) -> dict[str, t.Any]:
    merged: dict[str, t.Any] = {}
    for file in files:
        for key, value in file.config.items():
            if key == "plugins" and isinstance(value, dict):
                tables = merged.get("plugins", {})
                merged["plugins"] = _deep_merge(tables, value) if merges else {**tables, **value}
            else:
                merged[key] = _merge_values(merged[key], value) if key in merged else copy.deepcopy(value)
    return merged


def _merge_values(earlier: t.Any, later: t.Any) -> t.Any:
    """Return the merged value of a key: lists are concatenated, and empty values are ignored."""
    if isinstance(earlier, list) and isinstance(later, list):
        return earlier + [item for item in later if item not in earlier]
    return copy.deepcopy(later) if later else earlier


def _deep_merge(table: t.Any, over: dict[str, t.Any]) -> dict[str, t.Any]:
    merged = dict(table) if isinstance(table, dict) else {}
    for key, value in over.items():
        merged[key] = _deep_merge(merged.get(key), value) if isinstance(value, dict) else value
    return merged


# --- types


#: Types of the keys that are read; ``*`` is any name. containerd does not start with a value of another type.
_RUNTIMES_SHAPE: dict[str, t.Any] = {"*": {"snapshotter": str}}
_PLUGIN_SHAPE: dict[str, t.Any] = {
    "registry": {
        "config_path": str,
        "mirrors": {"*": {"endpoint": [str]}},
        "configs": {"*": {"auth": {}, "tls": {"ca_file": str, "cert_file": str, "key_file": str}}},
        "auths": {},
        "headers": {"*": [str]},
    },
    "containerd": {"snapshotter": str, "runtimes": _RUNTIMES_SHAPE},
    "runtime_platforms": _RUNTIMES_SHAPE,
    "snapshotter": str,
    "concurrent_layer_fetch_buffer": int,
}
_SHAPE: dict[str, t.Any] = {
    "version": int,
    "imports": [str],
    "disabled_plugins": [str],
    "plugins": {
        "cri": _PLUGIN_SHAPE,
        GRPC_PLUGIN: _PLUGIN_SHAPE,
        IMAGES_PLUGIN: _PLUGIN_SHAPE,
        RUNTIME_PLUGIN: {"containerd": {"runtimes": _RUNTIMES_SHAPE}},
        TRANSFER_PLUGIN: {"concurrent_layer_fetch_buffer": int},
    },
}
_KINDS = {dict: "a table", list: "an array", str: "a string", int: "a number"}


def misfit(config: dict[str, t.Any]) -> str | None:
    """Return a description of the first value that containerd rejects, None if it accepts all."""
    return _misfit(config, _SHAPE, "")


def _misfit(value: t.Any, shape: t.Any, path: str) -> str | None:
    kind = shape if isinstance(shape, type) else type(shape)
    if not isinstance(value, kind) or isinstance(value, bool):
        return f"{path} is not {_KINDS[kind]}"
    for name, inner_value, inner_shape in _inner(value, shape):
        if inner_shape is not None:
            wrong = _misfit(inner_value, inner_shape, f"{path}.{name}".lstrip("."))
            if wrong:
                return wrong
    return None


def _misspelt_keys(table: dict[str, t.Any], shape: dict[str, t.Any], path: str = "") -> t.Iterator[tuple[str, str]]:
    """Yield the keys that differ from a known one in the case of letters only, and the known ones.

    Before 2.0 containerd reads such a key if it is all upper case, from 2.0 on it reads it in any case, and of several
    spellings the last in the order of the alphabet (go-toml v1.9.5 marshal.go, v2.2.4 unmarshaler.go). Names of
    plugins do not count: nothing ignores their case.
    """
    for name, value, inner_shape in _inner(table, shape):
        inner_path = f"{path}.{name}".lstrip(".")
        if inner_shape is None and name.lower() in shape and path != "plugins":
            yield inner_path, name.lower()
        elif isinstance(value, dict) and isinstance(inner_shape, dict):
            yield from _misspelt_keys(value, inner_shape, inner_path)


def _inner(value: t.Any, shape: t.Any) -> list[tuple[str, t.Any, t.Any]]:
    """Return the values inside a value, each with its name and its type."""
    if isinstance(shape, dict):
        return [(name, item, shape.get(name, shape.get("*"))) for name, item in value.items()]
    if isinstance(shape, list):
        return [(str(number), item, shape[0]) for number, item in enumerate(value)]
    return []
