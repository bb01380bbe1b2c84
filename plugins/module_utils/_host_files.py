# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings what decides about a host's pulls: files, releases and start times of containerd and the Dragonfly clients.

Runs on the host with nothing but the standard library, and reads only. Secrets do not leave the host: of the files
comes what L(_config_scrub) keeps.

PRIVATE to the collection.
"""

from __future__ import annotations

import glob
import os
import re
import time

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._config_scrub import (
    CONTAINERD_KEYS,
    HOSTS_KEYS,
    scrub_toml,
    scrub_yaml,
)

#: Client: its unit, its configuration where nobody says otherwise, and how to ask for its release.
CLIENTS = {
    "dfget": ("dfget-daemon.service", "/etc/dragonfly/dfget.yaml", "version"),
    "dfdaemon": ("dfdaemon.service", "/etc/dragonfly/dfdaemon.yaml", "--version"),
}
CONTAINERD_CONFIG = "/etc/containerd/config.toml"
CERTS_DIRS = ("/etc/containerd/certs.d", "/etc/docker/certs.d")

_MAX_BYTES = 1 << 20
_MAX_HOSTS = 1000
_CONFIG_PATH = re.compile(r"(?m)^[ \t]*config_path\s*=\s*[\"']([^\"'\n]+)[\"']")
_VERSION = re.compile(r"GitVersion:?\s*v?(\d+\.\d+\.\d+)|(?<![\w.])v?(\d+\.\d+\.\d+)")


def gather(run, client_configs=None, containerd_config=None, certs_dir=None):
    """Everything that decides about the pulls of this host.

    :param run: runs a command: takes a list of str, gives its output (str), or None where it failed or is not there.
    :param client_configs: dict of client to the path of its configuration, where that is another than its unit says.
    :param containerd_config: path (str), None for the usual one.
    :param certs_dir: the folder with mirrors, where that is not what containerd's configuration says (str), or None.
    :returns: dict with ``clients`` and ``containerd``.
    """
    clients = {}
    for name, (unit_name, usual, flag) in CLIENTS.items():
        unit, argv = _unit(run, unit_name)
        path = (client_configs or {}).get(name) or _config_of(argv) or usual
        config = _file(path, scrub_yaml)
        there = config["text"] is not None or unit is not None
        version = _version(run, [argv[0] if argv else name, flag]) if there else None
        clients[name] = {"config": config, "unit": unit, "version": version}
    return {"clients": clients, "containerd": _containerd(run, containerd_config or CONTAINERD_CONFIG, certs_dir)}


def _containerd(run, path, certs_dir):
    config = _file(path, lambda text: scrub_toml(text, CONTAINERD_KEYS))
    dump = run(["containerd", "--config", path, "config", "dump"]) if config["text"] is not None else None
    dump = scrub_toml(dump, CONTAINERD_KEYS) if dump else None
    folders = [certs_dir] if certs_dir else []
    for found in _CONFIG_PATH.findall(f"{config['text'] or ''}\n{dump or ''}"):
        folders += found.split(":")
    hosts = []
    for folder in dict.fromkeys(folders + list(CERTS_DIRS)):
        # A folder without the file counts too: containerd looks no further once it is there.
        for name in sorted(glob.glob(os.path.join(glob.escape(folder), "*")))[:_MAX_HOSTS]:
            hosts.append(_file(os.path.join(name, "hosts.toml"), lambda text: scrub_toml(text, HOSTS_KEYS)))
    return {
        "config": config,
        "dump": dump,
        "certs_dir": certs_dir,
        "hosts": hosts,
        "unit": _unit(run, "containerd.service")[0],
        "version": _version(run, ["containerd", "--version"]),
    }


def _file(path, scrub):
    """A file: ``path``, ``text`` (None where there is none), ``error`` in words, ``mtime`` in seconds since 1970."""
    found = {"path": path, "text": None, "error": None, "mtime": None}
    try:
        with open(path, "rb") as handle:
            data = handle.read(_MAX_BYTES + 1)
            found["mtime"] = os.fstat(handle.fileno()).st_mtime
    except OSError as exc:
        if not isinstance(exc, (FileNotFoundError, NotADirectoryError)):
            found["error"] = os.strerror(exc.errno) if exc.errno else type(exc).__name__
        return found
    if len(data) > _MAX_BYTES:
        found["error"] = f"it is larger than {int(_MAX_BYTES)} bytes"
        return found
    try:
        found["text"] = scrub(data.decode("utf-8"))
    except UnicodeDecodeError as exc:
        found["error"] = f"it is not in UTF-8 (byte {int(exc.start)})"
    return found


def _version(run, argv):
    match = _VERSION.search(run(argv) or "")
    return (match.group(1) or match.group(2)) if match else None


def _unit(run, name):
    """A unit (``name``, ``state``, ``since`` in seconds since 1970) and its command; None where systemd has none."""
    names = ["LoadState", "ActiveState", "ExecMainStartTimestampMonotonic", "ExecStart"]
    output = run(["systemctl", "show", f"--property={','.join(names)}", name])
    values = dict(line.partition("=")[::2] for line in (output or "").splitlines() if "=" in line)
    if values.get("LoadState") != "loaded":
        return None, []
    started = values.get("ExecMainStartTimestampMonotonic", "")
    active = values.get("ActiveState") == "active" and started.isdigit() and int(started)
    since = time.time() - time.monotonic() + int(started) / 1e6 if active else None
    command, end, _rest = values.get("ExecStart", "").partition("argv[]=")[2].partition(" ;")
    argv = command.split() if end else []
    return {"name": name, "state": values.get("ActiveState"), "since": since}, argv


def _config_of(argv):
    for index, word in enumerate(argv):
        if word.startswith("--config="):
            return word.partition("=")[2]
        if word in ("--config", "-c") and index + 1 < len(argv):
            return argv[index + 1]
    return None
