# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather the facts that determine which task IDs a host requests: files, releases and start times of its daemons.

Runs on the host with the standard library only, and changes nothing. No secret leaves the host: files are redacted by
``_config_redaction``.
"""

from __future__ import annotations

from typing import Any

from ._config_redaction import redact_yaml
from ._containerd_facts import UNITS, gather_containerd
from ._host import Host, Unit, config_option, has_unit
from ._registries_conf_facts import CRIO_UNIT, gather_registries_conf

#: Maps a client to its unit, the default path of its configuration, and the argument that prints its release.
CLIENTS = {
    "dfget": ("dfget-daemon.service", "/etc/dragonfly/dfget.yaml", "version"),
    "dfdaemon": ("dfdaemon.service", "/etc/dragonfly/dfdaemon.yaml", "--version"),
}


def gather(
    host: Host,
    client_configs: dict[str, str | None] | None = None,
    containerd_config: str | None = None,
    certs_dir: str | None = None,
    registries_conf: str | None = None,
) -> dict[str, Any]:
    """Return all facts that determine the task IDs of this host's pulls.

    :param client_configs: path of the configuration by client; None for the path in the client's unit.
    :param containerd_config: path; None for the path with which containerd is started.
    :param certs_dir: directory of mirrors; None for the directory in containerd's configuration.
    :param registries_conf: path; None for the default path.
    :returns: ``clients``, ``containerd`` and ``registries_conf``.
    """
    units = host.units([*(unit for unit, _path, _flag in CLIENTS.values()), *UNITS, CRIO_UNIT])
    clients = {name: _client(host, name, (client_configs or {}).get(name), units) for name in CLIENTS}
    return {
        "clients": clients,
        "containerd": gather_containerd(host, units, containerd_config, certs_dir),
        "registries_conf": gather_registries_conf(host, units, registries_conf),
    }


def _client(host: Host, name: str, config: str | None, units: dict[str, Unit]) -> dict[str, Any]:
    unit_name, usual, flag = CLIENTS[name]
    unit = units.get(unit_name)
    argv = unit.argv if unit else ()
    named, error = config_option(argv, ("--config", "-c"))
    path = config or named
    file = host.file(path or usual, redact_yaml)
    is_there = file["text"] is not None or has_unit(unit)
    version = host.version([next(iter(argv), name), flag]) if is_there else None
    return {"config": file, "unit": _unit_facts(unit, path, error), "version": version}


def _unit_facts(unit: Unit | None, path: str | None, error: str) -> dict[str, Any] | None:
    """Return the facts about the unit of a client, None without one.

    :param path: of the client's configuration, None for the default or an unknown one.
    :param error: why the command of the unit does not show the path.
    """
    if unit is None or unit.state is None:
        return unit.facts() if unit else None
    return dict(unit.facts(), error="" if path else error or unit.error)
