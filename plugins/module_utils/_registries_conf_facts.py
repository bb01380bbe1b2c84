# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathers what podman, CRI-O, Buildah and Skopeo read before they pull: registries.conf and where credentials are.

Runs on the host with nothing but the standard library, and only reads.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._config_redaction import (
    REGISTRIES_CONF_KEYS,
    redact_toml,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host import Host, Unit

CRIO_UNIT = "crio.service"
REGISTRIES_CONF = "/etc/containers/registries.conf"
#: Where it exists it replaces the file and the drop-ins of the system for root
#: (github.com/containers/image v5.36.1 pkg/sysregistriesv2, newConfigWrapperWithHomeDir).
_FILE_OF_ROOT = "/root/.config/containers/registries.conf"
# In the order in which they are searched (pkg/docker/config, getAuthFilePaths).
_LOGIN_FILES = ("/run/containers/0/auth.json", "/root/.config/containers/auth.json", "/root/.docker/config.json")
_PODMAN_PROGRAMS = ("podman", "buildah", "skopeo")


def gather_registries_conf(host: Host, units: dict[str, Unit], path: str | None) -> dict[str, Any]:
    """Return what decides about pulls of these programs.

    :param units: of systemd, by name.
    :param path: of registries.conf, None for that of the system.
    """
    main = path or REGISTRIES_CONF
    of_root = None if path else host.file(_FILE_OF_ROOT, _redact)
    directories = [f"{main}.d"] if path else [f"{main}.d", f"{_FILE_OF_ROOT}.d"]
    unit = units.get(CRIO_UNIT)
    return {
        "runtimes": _runtimes(host, unit),
        "main": host.file(main, _redact),
        "drop_ins": [host.file(name, _redact) for directory in directories for name in _drop_ins(host, directory)],
        "of_root": of_root if of_root and of_root["exists"] else None,
        "unit": unit.facts() if unit else None,
        "logins": [login for login in (_login(host, name) for name in _LOGIN_FILES) if login["registries"]],
    }


def _redact(text: str) -> str:
    return redact_toml(text, REGISTRIES_CONF_KEYS)


def _runtimes(host: Host, unit: Unit | None) -> list[str]:
    has_crio = (unit is not None and unit.state is not None) or host.program("crio")
    has_podman = any(host.program(name) for name in _PODMAN_PROGRAMS)
    return [name for name, is_there in (("podman", has_podman), ("crio", has_crio)) if is_there]


def _drop_ins(host: Host, directory: str) -> list[str]:
    """Return the drop-ins of a directory in the order in which they are read, hidden ones too."""
    return sorted([*host.glob(f"{directory}/*.conf"), *host.glob(f"{directory}/.*.conf")])


def _login(host: Host, path: str) -> dict[str, Any]:
    """Return which registries a file has credentials of, and none of these."""
    try:
        document = json.loads(host.read(path) or "{}")
    except ValueError:
        document = {}
    tables = [document.get(key) for key in ("auths", "credHelpers")] if isinstance(document, dict) else []
    return {"path": path, "registries": sorted(name for table in tables if isinstance(table, dict) for name in table)}
