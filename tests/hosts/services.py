# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services for the hosts: registries with images, sandbox managers, and a server of packages."""

from __future__ import annotations

import hashlib
import json
import socket
import sys
import time
from pathlib import Path

import host
import requests
import world
from images import ARCHITECTURE, Repository
from machine import CHECKOUT, LOGS, UnsupportedMachine
from stand_in.package import build, build_go_archive

#: Ports of the registries, and the images in them: repository, tag and architectures.
REGISTRIES = {
    5000: [
        ("library/app", "1", (ARCHITECTURE,)),
        ("library/app", "2", (ARCHITECTURE,)),
        ("shop/web", "4.2.0", (ARCHITECTURE,)),
        ("shop/api", "1", ("amd64", "arm64")),
    ],
    5001: [
        ("library/redis", "7", (ARCHITECTURE,)),
        ("proxy/team/tool", "1", (ARCHITECTURE,)),
    ],
}

REGISTRY_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: /var/lib/docker-registry/{port}}}}}
http: {{addr: ":{port}"}}
"""

#: Ports and releases of the sandbox managers, and the clients of their peers.
MANAGERS = {8080: ("2.5.1", "rust"), 8081: ("2.1.67", "go")}
MANAGER_TOKEN = "token-of-the-tests"
MANAGER_FACTOR = "20"  # how many times shorter the sandbox waits than a manager

#: Names of the registries in URLs. The sandbox requests only registries whose address it is given.
REGISTRY_NAMES = ("registry.test:5000", "hub.test:5001")

#: Port to which clients connect for their manager. The sandbox does not support their protocol and never responds.
MANAGER_GRPC_PORT = 65003

#: Releases of the clients that the scenarios install.
CLIENTS = (
    ("dfget", "2.1.67"),
    ("dfget", "2.3.4"),
    ("dfdaemon", "1.0.39"),
    ("dfdaemon", "1.4.2"),
    ("dfdaemon", "1.5.1"),
)
#: Releases of manager and scheduler, which upstream publishes in one archive, with the Go client where there is one.
SERVER_RELEASES = ("2.1.67", "2.5.1")
SERVERS = tuple((server, release) for release in SERVER_RELEASES for server in ("manager", "scheduler"))
PROGRAMS = CLIENTS + SERVERS
PACKAGES = world.WORK_DIR / "packages"
PACKAGES_PORT = 8000


def wait_for_port(port: int, seconds: float = 20) -> None:
    """Wait until a server listens on the world's address.

    :raises UnsupportedMachine: if none does within the time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((world.ADDRESS, port), timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise UnsupportedMachine(
                    f"No server listens on port {port} after {seconds:.0f} s ({error}). See {LOGS}."
                ) from error
        time.sleep(0.05)


def start_registries() -> None:
    """Start Debian's registry for each port, in a copy of the root of the hosts, and push the images."""
    root = host.overlay("services")
    for port in REGISTRIES:
        (root / f"etc/registry-{port}.yml").write_text(REGISTRY_CONFIG.format(port=port))
        world.start(f"registry-{port}", ["chroot", root, "docker-registry", "serve", f"/etc/registry-{port}.yml"])
    for port, images in REGISTRIES.items():
        wait_for_port(port)
        for name, tag, architectures in images:
            Repository(f"http://{world.ADDRESS}:{port}", name).push(tag, architectures)


def start_managers() -> None:
    """Start the sandbox managers."""
    for port, (release, client) in MANAGERS.items():
        command = [sys.executable, CHECKOUT / "tests/sandbox", "--release", release, "--client", client]
        command += ["--host", world.ADDRESS, "--port", str(port), "--token", MANAGER_TOKEN, "--factor", MANAGER_FACTOR]
        for name in REGISTRY_NAMES:
            command += ["--alias", f"{name}={world.ADDRESS}:{name.rpartition(':')[2]}"]
        world.start(f"manager-{release}", command)
    world.start("manager-grpc", [sys.executable, __file__, "grpc"])
    for port in (*MANAGERS, MANAGER_GRPC_PORT):
        wait_for_port(port)


def reset_managers() -> None:
    """Delete the jobs, users and peers of the sandbox managers, so a scenario finds none of the previous one."""
    for port in MANAGERS:
        requests.post(f"http://{world.ADDRESS}:{port}/_sandbox/reset", json={}, timeout=20).raise_for_status()


def accept_connections() -> None:
    """Accept connections of clients and close them without a response."""
    with socket.create_server((world.ADDRESS, MANAGER_GRPC_PORT)) as door:
        while True:
            door.accept()[0].close()


def serve_packages(real: dict[tuple[str, str], Path]) -> None:
    """Build packages and archives of the daemons, and serve them over HTTP.

    :param real: binaries of daemons, by program and release
    """
    PACKAGES.mkdir()
    for client, release in CLIENTS:
        build(client, release, PACKAGES, real.get((client, release)))
    for release in SERVER_RELEASES:
        binaries = {name: real.get((name, each)) for name, each in PROGRAMS if each == release and name != "dfdaemon"}
        build_go_archive(release, PACKAGES, binaries)
    checksums = {file.name: f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in PACKAGES.iterdir()}
    (PACKAGES / "checksums.json").write_text(json.dumps(checksums))
    world.start("packages", [sys.executable, "-m", "http.server", str(PACKAGES_PORT), "--directory", PACKAGES])
    wait_for_port(PACKAGES_PORT)


def start(real: dict[tuple[str, str], Path]) -> None:
    """Start everything, see :func:`serve_packages`."""
    start_registries()
    serve_packages(real)
    start_managers()


if __name__ == "__main__":
    accept_connections()
