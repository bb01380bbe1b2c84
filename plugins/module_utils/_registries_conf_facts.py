# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather the configuration of podman, CRI-O, Buildah and Skopeo: registries.conf, and registries with credentials.

Runs on the host with the standard library only, and changes nothing.
"""

from __future__ import annotations

import json
from typing import Any

from ._config_redaction import REGISTRIES_CONF_KEYS, redact_toml
from ._host import Host, Unit, has_unit

CRIO_UNIT = "crio.service"
REGISTRIES_CONF = "/etc/containers/registries.conf"
#: If this file exists, it replaces the file and the drop-ins of the system for root
_FILE_OF_ROOT = "/root/.config/containers/registries.conf"
# In search order (pkg/docker/config, getAuthFilePaths).
_LOGIN_FILES = ("/run/containers/0/auth.json", "/root/.config/containers/auth.json", "/root/.docker/config.json")
_PODMAN_PROGRAMS = ("podman", "buildah", "skopeo")


def gather_registries_conf(host: Host, units: dict[str, Unit], path: str | None) -> dict[str, Any]:
    """Return the facts that determine how these programs pull.

    :param units: systemd units by name.
    :param path: path of registries.conf, None for the default path.
    """
    main, unit = path or REGISTRIES_CONF, units.get(CRIO_UNIT)
    of_root = None if path else _existing_file(host, _FILE_OF_ROOT)
    drop_ins = _drop_ins(host, main) + ([] if path else _drop_ins(host, _FILE_OF_ROOT))
    return {
        "runtimes": _runtimes(host, unit),
        "main": host.file(main, _redact),
        "drop_ins": [host.file(name, _redact) for name in drop_ins],
        "of_root": of_root,
        "unit": unit.facts() if unit else None,
        "logins": _logins(host),
    }


def _existing_file(host: Host, path: str) -> dict[str, Any] | None:
    file = host.file(path, _redact)
    return file if file["exists"] else None


def _redact(text: str) -> str:
    return redact_toml(text, REGISTRIES_CONF_KEYS, tables=("aliases",))


def _runtimes(host: Host, unit: Unit | None) -> list[str]:
    has_crio = has_unit(unit) or host.program("crio")
    has_podman = any(host.program(name) for name in _PODMAN_PROGRAMS)
    return [name for name, is_there in (("podman", has_podman), ("crio", has_crio)) if is_there]


def _drop_ins(host: Host, main: str) -> list[str]:
    """Return the drop-ins of a file in the order in which they are read, including hidden ones."""
    return sorted([*host.glob(f"{main}.d/*.conf"), *host.glob(f"{main}.d/.*.conf")])


def _logins(host: Host) -> list[dict[str, Any]]:
    logins = [_login(host, path) for path in _LOGIN_FILES]
    return [login for login in logins if login["registries"]]


def _login(host: Host, path: str) -> dict[str, Any]:
    """Return the registries for which a file has credentials, without the credentials."""
    try:
        document = json.loads(host.read(path) or "{}")
    except ValueError:
        document = {}
    registries: list[str] = []
    for key in ("auths", "credHelpers"):
        table = document.get(key) if isinstance(document, dict) else None
        registries += table if isinstance(table, dict) else []
    return {"path": path, "registries": sorted(registries)}
