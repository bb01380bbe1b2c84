# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts for the tests of hits: facts of the module preheat_hit_info, by default of hosts that hit."""

from __future__ import annotations

import copy

import yaml

BASE = "https://registry.example.com"
STARTED = 1_800_000_000.0
PORTS = {"dfget": 65001, "dfdaemon": 4001}

GO_MANAGER = {"scheduler": {"manager": {"enable": True, "netAddrs": [{"type": "tcp", "addr": "manager:65003"}]}}}
GOOD = {
    "dfget": {
        **GO_MANAGER,
        "proxy": {
            "defaultFilter": "Expires&Signature&ns",
            "tcpListen": {"listen": "127.0.0.1", "port": 65001},
            "registryMirror": {"url": BASE, "dynamic": True},
        },
    },
    "dfdaemon": {
        "manager": {"addr": "http://manager:65003"},
        "proxy": {
            "server": {"ip": "127.0.0.1", "port": 4001},
            "rules": [{"regex": "blobs/sha256.*"}],
            "registryMirror": {"addr": BASE},
        },
    },
}
CONFIG_TOML = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n'


def merged(config, changes):
    """Return a configuration with dotted keys set, or removed if the value is None."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        node = config
        *parents, last = path.split(".")
        for name in parents:
            node = node.setdefault(name, {})
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value
    return config


def hosts_toml(
    client="dfget", header=BASE, port=None, extra="", capabilities='["pull", "resolve"]', before="", path=""
):
    """Return a hosts.toml that sends containerd to a client of the host."""
    proxy = f"http://127.0.0.1:{port or PORTS[client]}{path}"
    lines = [
        f'server = "{BASE}"',
        before,
        f'[host."{proxy}"]',
        f"capabilities = {capabilities}",
        f'[host."{proxy}".header]',
    ]
    lines += [f'X-Dragonfly-Registry = ["{header}"]'] if header else []
    return "\n".join(lines + [extra, ""])


def file(path, text, error=None, mtime=STARTED - 60):
    """Return a file as the module reports it."""
    return {"path": path, "text": text, "error": error, "mtime": None if text is None else mtime}


def unit(name, state="active"):
    """Return a unit as the module reports it."""
    return {"name": name, "state": state, "since": STARTED if state == "active" else None}


def facts(
    client="dfget",
    release="2.1.67",
    changes=None,
    config=None,
    hosts=None,
    config_toml=CONFIG_TOML,
    containerd="1.6.20",
    registry="registry.example.com",
):
    """Return a host with a client, by default one that hits.

    :param changes: dotted keys of the client's configuration to set, or to remove with None.
    :param config: the text of the client's configuration instead.
    :param hosts: text of hosts.toml, or dict of path to text.
    """
    text = yaml.safe_dump(merged(GOOD[client], changes or {})) if config is None else config
    hosts = hosts_toml(client) if hosts is None else hosts
    if isinstance(hosts, str):
        hosts = {f"/etc/containerd/certs.d/{registry}/hosts.toml": hosts}
    clients = {
        "dfget": {"config": file("/etc/dragonfly/dfget.yaml", None), "unit": None, "version": None},
        "dfdaemon": {"config": file("/etc/dragonfly/dfdaemon.yaml", None), "unit": None, "version": None},
    }
    name = {"dfget": "dfget-daemon.service", "dfdaemon": "dfdaemon.service"}[client]
    clients[client] = {"config": file(f"/etc/dragonfly/{client}.yaml", text), "unit": unit(name), "version": release}
    return {
        "clients": clients,
        "containerd": {
            "distribution": "containerd" if containerd or config_toml is not None else None,
            "config": file("/etc/containerd/config.toml", config_toml),
            "dump": None,
            "hosts": [file(path, text) for path, text in hosts.items()],
            "unit": unit("containerd.service"),
            "version": containerd,
        },
        "registries_conf": registries_conf(runtimes=()),
    }


def registries_conf(text="", drop_ins=None, runtimes=("podman",), logins=(), crio_state=None, of_root=None):
    """Return the files that podman and CRI-O read.

    :param drop_ins: dict of file name to text.
    """
    main = "/etc/containers/registries.conf"
    return {
        "runtimes": list(runtimes),
        "main": file(main, text),
        "drop_ins": [
            file(path if "/" in path else f"{main}.d/{path}", text) for path, text in (drop_ins or {}).items()
        ],
        "of_root": of_root,
        "unit": unit("crio.service", crio_state) if crio_state else None,
        "logins": list(logins),
    }
