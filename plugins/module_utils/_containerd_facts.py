# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathers what containerd reads, which is somewhere else where Kubernetes distributions bring their own containerd.

Runs on the host with nothing but the standard library, and only reads.
"""

from __future__ import annotations

import functools
import json
import os
import re
from fnmatch import fnmatchcase
from glob import escape
from typing import Any, Iterable, NamedTuple

from ._certificate_facts import certificate_files
from ._config_redaction import CONTAINERD_KEYS, HOSTS_KEYS, REGISTRIES_KEYS, redact_toml, redact_yaml
from ._host import Host, Unit, config_option, has_unit
from ._rancher_settings import Settings, Unknown, read_settings

#: What containerd takes from 2.2 on if nothing names a directory (v2.2.0 internal/cri/config/config_unix.go).
CERTS_DIRS = ("/etc/containerd/certs.d", "/etc/docker/certs.d")
CONTAINERD_UNIT = "containerd.service"
CONTAINERD_CONFIG = "/etc/containerd/config.toml"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"

_MAX_HOSTS = 1000
_MAX_IMPORTS = 100
_CONFIG_OPTIONS = ("--config", "-config", "-c")
# Liberal: what is read without need does no harm, and the controller parses the files.
_CONFIG_PATH = re.compile(r"""config_path["']?\s*=\s*(?:"([^"\n]+)"|'([^'\n]+)')""")
_IMPORTS = re.compile(
    r"""(?m)^[ \t]*["']?imports["']?[ \t]*=[ \t]*\[((?:[^\]"']|"[^"\n]{0,1024}"|'[^'\n]{0,1024}'){0,4096})\]"""
)
_STRING = re.compile(r"""(?:"([^"\n]+)"|'([^'\n]+)')""")
_WILDCARD = re.compile(r"\*|\?|\[[^\]]{1,255}\]")
#: A name in a path has at most 255 characters, which bounds the time for a pattern without an end.
_GO_SPECIAL = re.compile(r"\\(.)|\[(\^?)([^\]/]{1,255})\]")


class Distribution(NamedTuple):
    """A program that brings and starts a containerd of its own.

    :ivar name: such as ``k3s``.
    :ivar units: of systemd.
    :ivar config: file that its containerd reads, which it writes itself.
    :ivar program: its containerd.
    :ivar sources: files from which it writes its configuration when it starts.
    :ivar registries: the one of them that is about registries; empty if there is none.
    :ivar home: the directory that the option ``--data-dir`` moves; empty without such an option.
    """

    name: str
    units: tuple[str, ...]
    config: str
    program: str
    sources: tuple[str, ...] = ()
    registries: str = ""
    home: str = ""


# Sources: k3s v1.31 pkg/agent/config/config.go, pkg/agent/containerd/config.go and docs.k3s.io; docs.rke2.io;
# microk8s.io/docs/registry-private; docs.k0sproject.io/stable/runtime.
DISTRIBUTIONS = (
    Distribution(
        "k3s",
        ("k3s.service", "k3s-agent.service"),
        "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
        "/var/lib/rancher/k3s/data/current/bin/containerd",
        ("/etc/rancher/k3s/registries.yaml",),
        "/etc/rancher/k3s/registries.yaml",
        "/var/lib/rancher/k3s",
    ),
    Distribution(
        "rke2",
        ("rke2-server.service", "rke2-agent.service"),
        "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
        "/var/lib/rancher/rke2/bin/containerd",
        ("/etc/rancher/rke2/registries.yaml",),
        "/etc/rancher/rke2/registries.yaml",
        "/var/lib/rancher/rke2",
    ),
    Distribution(
        "microk8s",
        ("snap.microk8s.daemon-containerd.service",),
        "/var/snap/microk8s/current/args/containerd.toml",
        "/snap/microk8s/current/bin/containerd",
        ("/var/snap/microk8s/current/args/containerd-template.toml",),
    ),
    Distribution(
        "k0s",
        ("k0sworker.service", "k0scontroller.service"),
        "/etc/k0s/containerd.toml",
        "/var/lib/k0s/bin/containerd",
        ("/etc/k0s/containerd.d/*.toml",),
    ),
)
UNITS = (CONTAINERD_UNIT, *(unit for distribution in DISTRIBUTIONS for unit in distribution.units))


class Source(NamedTuple):
    """Which containerd serves the host's pulls, and which file it reads.

    :ivar distribution: ``containerd``, the name of a ``Distribution``, ``unknown`` for a containerd that something else
        started, or None if there is no containerd.
    :ivar config: path of its configuration.
    :ivar program: path of its program; None if it is not known.
    :ivar unit: that starts it.
    :ivar files: from which the configuration is written when the unit starts.
    :ivar registries: the one of them that is about registries.
    :ivar error: why the configuration is not known; empty if it is.
    :ivar unknown: why the settings of k3s or RKE2 are not known, which name these files; None if they are.
    """

    distribution: str | None
    config: str = CONTAINERD_CONFIG
    program: str | None = None
    unit: Unit | None = None
    files: tuple[str, ...] = ()
    registries: str = ""
    error: str = ""
    unknown: Unknown | None = None


def gather_containerd(host: Host, units: dict[str, Unit], path: str | None, certs_dir: str | None) -> dict[str, Any]:
    """Return what containerd reads, as far as it is known.

    :param units: of systemd, by name.
    :param path: of its configuration, None for the one that it is started with.
    :param certs_dir: directory with mirrors, None for the one that its configuration names.
    """
    source = _source(host, units, path)
    config = host.file(source.config, _redact_config)
    files = [config, *_imports(host, config)]
    dump, dump_error = _dump(host, source, config)
    text = "\n".join([dump or "", *(file["text"] or "" for file in files)])
    return {
        "distribution": source.distribution,
        "config": config,
        "config_error": source.error,
        "settings_error": source.unknown._asdict() if source.unknown else None,
        "imports": files[1:],
        "dump": dump,
        "dump_error": dump_error,
        "certs_dir": certs_dir,
        "hosts": _hosts(host, text, certs_dir),
        # containerd runs in the root directory.
        "certificates": certificate_files(host, "/", text),
        "unit": source.unit.facts() if source.unit else None,
        "program": source.program,
        "version": host.version([source.program, "--version"]) if source.program else None,
        "sources": _redacted_files(host, source.files),
        "registries": source.registries,
    }


def _redacted_files(host: Host, patterns: Iterable[str]) -> list[dict[str, Any]]:
    return [host.file(name, _redact_registries) for pattern in patterns for name in host.glob(pattern)]


_redact_config = functools.partial(redact_toml, keys=CONTAINERD_KEYS)
_redact_registries = functools.partial(redact_yaml, keys=REGISTRIES_KEYS)
_redact_hosts = functools.partial(redact_toml, keys=HOSTS_KEYS)


# --- which containerd


def _source(host: Host, units: dict[str, Unit], path: str | None) -> Source:
    unit = units.get(CONTAINERD_UNIT)
    own = _distribution(host, units, path)
    if own is not None and _serves(own.unit, unit, path):
        return own
    program = _absolute_program(_daemon_argv(unit)) or host.program("containerd")
    if program or has_unit(unit) or host.exists(CONTAINERD_SOCKET):
        return _plain_source(host, unit, program, path)
    return _other(host, unit, path)


def _plain_source(host: Host, unit: Unit | None, program: str | None, path: str | None) -> Source:
    """Return a containerd that no distribution brought, as far as it is known."""
    argv = _daemon_argv(unit)
    if path:
        return Source("containerd", path, program, unit)
    if unit is None or argv is None:
        return _running_source(host, unit, program)
    # Even if the command names the file: an unknown variable may name another, and the last counts.
    config, error = _config_of(argv)
    return Source("containerd", config, program, unit, error=error or unit.error)


def _serves(own: Unit | None, unit: Unit | None, path: str | None) -> bool:
    """Return whether the containerd of a distribution serves the pulls.

    :param own: that starts it, None if none does.
    :param unit: of another containerd.
    :param path: that the user names for its configuration, None without one.
    """
    return bool(path) or own is None or _is_active(own) or not _is_active(unit)


def _is_active(unit: Unit | None) -> bool:
    return unit is not None and unit.state == "active"


def _absolute_program(argv: tuple[str, ...] | None) -> str | None:
    return argv[0] if argv and argv[0].startswith("/") else None


def _running_source(host: Host, unit: Unit | None, program: str | None) -> Source:
    """Return a containerd whose command no unit shows, by the processes that run."""
    config, error = _running_config(host, unit)
    name = "unknown" if unit is None and error else "containerd"
    return Source(name, config, program, unit, error=error)


def _running_config(host: Host, unit: Unit | None) -> tuple[str, str]:
    """Return the configuration of the containerd that runs, and why it is not known."""
    running = _running(host)
    configs = sorted({_config_of(argv)[0] for argv in running})
    path, error = config_option(running[0], _CONFIG_OPTIONS) if running else (None, "")
    if len(configs) > 1:
        # Nothing shows that of the kubelet from that of Docker.
        error = f"several run, with {', '.join(configs)}"
    elif not path:
        error = error or _unit_error(unit, bool(running))
    return path or CONTAINERD_CONFIG, error


def _unit_error(unit: Unit | None, is_running: bool) -> str:
    """Return why a unit does not show which configuration containerd uses."""
    if unit is None:
        return ""
    is_wrapped = not is_running and unit.state is not None
    return unit.error or ("its command does not start containerd itself" if is_wrapped else "")


def _config_of(argv: tuple[str, ...]) -> tuple[str, str]:
    """Return the configuration that a command of containerd names, else the default, and why it is not known."""
    path, error = config_option(argv, _CONFIG_OPTIONS)
    return path or CONTAINERD_CONFIG, error


def _daemon_argv(unit: Unit | None) -> tuple[str, ...] | None:
    """Return the part of a unit's command that starts containerd, None if there is none."""
    argv = unit.argv if unit else ()
    for index, word in enumerate(argv):
        if os.path.basename(word) == "containerd":
            return argv[index:]
    return None


def _distribution(host: Host, units: dict[str, Unit], path: str | None) -> Source | None:
    """Return the containerd of a distribution: one that runs, else one that is installed.

    :param path: that its configuration must have, None for any.
    """
    sources = [_find(host, distribution, units, path) for distribution in DISTRIBUTIONS]
    installed = [source for source in sources if source is not None and path in (None, source.config)]
    running = [source for source in installed if _is_active(source.unit)]
    return next(iter(running + installed), None)


def _find(host: Host, distribution: Distribution, units: dict[str, Unit], path: str | None) -> Source | None:
    """Return the containerd of a distribution, None if it is not installed, or uses another one."""
    unit, error = _unit_of(distribution, units)
    settings = read_settings(host, distribution.name, unit, error) if distribution.home else Settings()
    source = _installed(host, distribution, unit, settings, path)
    is_installed = unit is not None or any(map(host.exists, (source.config, distribution.config)))
    return source if is_installed and not _uses_another(settings) else None


def _unit_of(distribution: Distribution, units: dict[str, Unit]) -> tuple[Unit | None, str]:
    """Return the unit that starts a distribution, None without one, and then why it is not known."""
    known = [units[name] for name in distribution.units if name in units]
    for unit in known:
        if unit.state:
            return unit, ""
    return None, next((unit.error for unit in known if unit.error), "")


def _installed(
    host: Host, distribution: Distribution, unit: Unit | None, settings: Settings, path: str | None
) -> Source:
    """Return the containerd of a distribution, by the settings with which it starts.

    :param path: that the user names for its configuration, which may be in an unknown data directory.
    """
    moved, unknown_home = _data_dir(settings)
    registries, unknown_registries = settings.path("private-registry")
    unknown_endpoint = settings.text("container-runtime-endpoint")[1]
    unknown = next(filter(None, (settings.unknown, unknown_home, unknown_registries, unknown_endpoint)), None)
    config, program = _paths(distribution, moved, path if unknown else None)
    return Source(
        distribution.name,
        config,
        program if host.exists(program) else None,
        unit,
        _sources(settings, registries) if registries else distribution.sources,
        registries or distribution.registries,
        unknown=unknown,
    )


def _paths(distribution: Distribution, home: str, named: str | None) -> tuple[str, str]:
    """Return the configuration and the program of a distribution's containerd.

    :param home: its data directory, empty for the default or an unknown one.
    :param named: path that the user names for the configuration in an unknown data directory.
    """
    config, program = distribution.config, distribution.program
    if home:
        return config.replace(distribution.home, home), program.replace(distribution.home, home)
    if named and named.endswith(config[len(distribution.home) :]):
        return named, program
    return config, program


def _sources(settings: Settings, registries: str) -> tuple[str, ...]:
    """Return registries.yaml, and the file that names it: both take effect with the next start."""
    setting = settings.setting("private-registry")
    # The command of a service is not reported: it may hold secrets.
    named_in = setting.source if setting and setting.source != settings.unit else ""
    return tuple(escape(path) for path in (registries, named_in) if path.startswith("/"))


def _uses_another(settings: Settings) -> bool:
    """Return whether k3s or RKE2 is configured to use another container runtime than its own."""
    return settings.is_true("docker") or settings.text("container-runtime-endpoint")[0] != ""


def _data_dir(settings: Settings) -> tuple[str, Unknown | None]:
    """Return the data directory configured for k3s or RKE2, empty for the default, and why it is not known.

    Command and files outweigh the environment. Source: k3s v1.31 pkg/cli/cmds/server.go and agent.go (K3S_DATA_DIR;
    RKE2 replaces the name of the program).
    """
    path, unknown = settings.path("data-dir", "d")
    name = f"{settings.name.upper()}_DATA_DIR"
    variable = settings.variables.get(name, "")
    if not (path or unknown) and variable and not variable.startswith("/"):
        unknown = Unknown(settings.unit, f"its {name} is not an absolute path")
    return (path or ("" if unknown else variable)).rstrip("/"), unknown


def _other(host: Host, unit: Unit | None, path: str | None) -> Source:
    """Return a containerd that something unknown started, or that there is none."""
    for argv in _running(host):
        program = _absolute_program(argv)
        config, error = _config_of(argv)
        return Source("containerd", path, program) if path else Source("unknown", config, program, error=error)
    error = unit.error if unit else ""
    return Source("unknown" if error else None, path or CONTAINERD_CONFIG, None, unit, error=error)


def _running(host: Host) -> list[tuple[str, ...]]:
    """Return the commands of the containerd processes that run on this host, outside of containers."""
    commands = []
    for directory in host.glob("/proc/[0-9]*"):
        argv = tuple(host.read(f"{directory}/cmdline").split("\0")[:-1])
        if argv and os.path.basename(argv[0]) == "containerd" and _is_outside_containers(host, directory):
            commands.append(argv)
    return commands


def _is_outside_containers(host: Host, directory: str) -> bool:
    try:
        return os.readlink(host.path(f"{directory}/ns/mnt")) == os.readlink(host.path("/proc/1/ns/mnt"))
    except OSError:
        return True


# --- what it reads


def _imports(host: Host, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the files that a configuration imports, in the order in which containerd merges them.

    Each file counts once, which ends import loops. Source: containerd v2.2.0 cmd/containerd/server/config/config.go
    (LoadConfig, resolveImports), v1.7.20 services/server/config/config.go.
    """
    files: list[dict[str, Any]] = []
    loaded = {config["path"]}
    pending = _import_paths(host, config)
    while pending and len(files) < _MAX_IMPORTS:
        path = pending.pop(0)
        if path in loaded:
            continue
        loaded.add(path)
        file = host.file(path, _redact_config)
        files.append(file)
        pending += _import_paths(host, file)
    return files


def _import_paths(host: Host, file: dict[str, Any]) -> list[str]:
    paths: list[str] = []
    for array in _IMPORTS.findall(file["text"] or ""):
        for double, single in _STRING.findall(array):
            name = _unescaped(double) if double else single
            path = os.path.normpath(os.path.join(os.path.dirname(file["path"]), name))
            paths += _go_glob(host, path) if "*" in path else [path]
    return paths


def _unescaped(text: str) -> str:
    """Return a double-quoted string of TOML with its escapes decoded. JSON has most of these escapes too."""
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _go_glob(host: Host, pattern: str) -> list[str]:
    """Return the paths that match a pattern of Go, whose wildcards match a leading dot, too."""
    folder, _slash, name = _GO_SPECIAL.sub(_python_glob, pattern).rpartition("/")
    patterns = [name]
    first = _WILDCARD.match(name)
    if first and fnmatchcase(".", first.group()):
        patterns.append("." + (name if first.group() == "*" else name[first.end() :]))
    return sorted(path for each in patterns for path in host.glob(f"{folder}/{each}"))


def _python_glob(special: re.Match[str]) -> str:
    """Return an escaped character, or a class of characters, as Python writes it.

    Source: Go 1.26 path/filepath (Match): ^ negates a class, and a backslash escapes.
    """
    character, negation, characters = special.groups()
    if character:
        return escape(character)
    # An exclamation mark at the beginning of a class would negate it.
    exclamation = "!" if characters.startswith("!") else ""
    return f"[{'!' if negation else ''}{characters[len(exclamation) :]}{exclamation}]"


def _dump(host: Host, source: Source, config: dict[str, Any]) -> tuple[str | None, str]:
    """Return what containerd itself says of its configuration, and why it does not say it."""
    if config["text"] is None or not source.program or source.error:
        return None, ""
    output = host.run([source.program, "--config", source.config, "config", "dump"])
    if output is None:
        return None, ""
    if output.code:
        # What it prints may quote the file.
        return None, f"{source.program} --config {source.config} config dump ends with status {output.code}"
    return _redact_config(output.stdout), ""


def _config_paths(text: str) -> list[str]:
    """Return the directories of mirrors that a configuration names."""
    values = [double or single for double, single in _CONFIG_PATH.findall(text)]
    return [os.path.normpath(directory) for value in values for directory in value.split(":")]


def _hosts(host: Host, text: str, certs_dir: str | None) -> list[dict[str, Any]]:
    """Return the files of the mirrors in the directories that a configuration names, and in the usual ones."""
    files = []
    for directory in dict.fromkeys([*([certs_dir] if certs_dir else []), *_config_paths(text), *CERTS_DIRS]):
        # A directory without the file counts too: if it exists, containerd does not try the next one.
        for path in host.glob(os.path.join(re.sub(r"([*?[])", r"[\1]", directory), "*"))[:_MAX_HOSTS]:
            file = host.file(os.path.join(path, "hosts.toml"), _redact_hosts)
            files.append({**file, "certificates": certificate_files(host, path, file["text"] or "")})
    return files
