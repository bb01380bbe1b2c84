# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand in for a daemon of Dragonfly, where its binary cannot be had.

It takes the command line of the daemon, reads its configuration (more strictly, see settings.py), listens on its ports,
connects to its manager, serves containerd as its proxy does and answers with the id of the task. It knows nothing of
other peers. ``package.py`` puts this into one file, with what it stands in for in ``stands_for.py``.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
import typing as t
import urllib.parse

import proxy
import recipe
import servers
import settings
import stands_for
from settings import Refused, get

RELEASE = tuple(map(int, stands_for.RELEASE.split(".")))

VERSION_OF_GO = "MajorVersion:\t2\nMinorVersion:\t{minor}\nGitVersion:\tv{release}\nGitCommit:\tstand-in\n"


def listen(address, port):
    """Take a port, as a server that nobody calls here.

    :param port: a port, or the first and the last of those that will do
    :raises Refused: if all of them are taken
    """
    ports = range(port["start"], port["end"] + 1) if isinstance(port, dict) else [port]
    for number in ports:
        try:
            return socket.create_server((address, number))
        except OSError as error:
            reason = error
    raise Refused(f"listen {address}:{port}: {reason}")


def connect(address):
    """Return a connection to a manager, which the daemons need before anything else."""
    host, _colon, port = address.rpartition(":")
    try:
        return socket.create_connection((host, int(port)), timeout=5)
    except (OSError, ValueError) as error:
        raise Refused(f"manager {address}: {error}") from error


def prepare_store(folder, keep):
    """Return the directory of the blobs, empty unless they are kept across restarts."""
    store = os.path.join(folder, "stand-in")
    if not keep:
        shutil.rmtree(store, ignore_errors=True)
    os.makedirs(store, exist_ok=True)
    os.makedirs(os.path.dirname(proxy.LOG), exist_ok=True)
    return store


def serve(server, *held):
    """Serve until systemd says otherwise. The sockets in ``held`` stay open meanwhile."""
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"{stands_for.CLIENT} {stands_for.RELEASE} (stand-in) listens on {server.server_address}", flush=True)
    server.serve_forever()


def dfget():
    """Be the Go client: ``dfget version`` and ``dfget daemon``. It ignores unknown flags."""
    if sys.argv[1:2] == ["version"]:
        print(VERSION_OF_GO.format(minor=RELEASE[1], release=stands_for.RELEASE), end="")
        return
    if sys.argv[1:2] != ["daemon"]:
        raise Refused("the stand-in does not download files, it is a daemon only")
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", default=os.environ.get("DFGET_CONFIG", "/etc/dragonfly/dfget.yaml"))
    path = parser.parse_known_args(sys.argv[2:])[0].config
    config = settings.load(path, stands_for.KEYS, "dfget")
    if get(config, "scheduler.manager.enable"):
        addresses = get(config, "scheduler.manager.netAddrs", [])
        if not addresses:
            raise Refused("manager addr is not specified")
        for address in addresses:
            connect(address["addr"] if isinstance(address, dict) else address).close()
    elif not get(config, "scheduler.netAddrs"):
        raise Refused("empty schedulers and config server is not specified")

    held = []
    for section, port in (("download.peerGRPC", 65000), ("upload", 65002), ("health", 40901)):
        default = port if section == "health" else {"start": port, "end": 65535}
        address = get(config, f"{section}.tcpListen.listen", "0.0.0.0")
        held.append(listen(address, get(config, f"{section}.tcpListen.port", default)))
    store = prepare_store(get(config, "dataDir", "/var/lib/dragonfly"), get(config, "keepStorage", False))
    mirror = get(config, "proxy.registryMirror", {})
    # A scalar is this port and no other; without one there is no proxy.
    port = get(config, "proxy.tcpListen.port", 0)
    address = get(config, "proxy.tcpListen.listen", "0.0.0.0"), port if isinstance(port, int) else port["start"]
    route = functools.partial(recipe.go, config, RELEASE)
    tls = proxy.tls_context(mirror.get("certs", []), mirror.get("insecure", False))
    try:
        server = proxy.Proxy(address, route, go_headers, store, get(config, "storage.multiplex", False), False, tls)
    except OSError as error:
        raise Refused(f"listen {address}: {error}") from error
    serve(server, *held)


def go_headers(task, _hit):
    return {"X-Dragonfly-Task": task, "X-Dragonfly-Peer": f"stand-in-{os.getpid()}"}


def dfdaemon():
    """Be the Rust client, which refuses unknown flags."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    flags: dict[str, dict[str, t.Any]] = {
        "config": {"default": "/etc/dragonfly/dfdaemon.yaml"},
        "dynconfig": {"default": "/etc/dragonfly/dynconfig.yaml"},
        "console": {"action": "store_true"},
        "version": {"action": "store_true"},
    }
    short = {"config": ["-c"], "log-level": ["-l"], "version": ["-V"]}
    for flag in stands_for.FLAGS:
        parser.add_argument(*short.get(flag, []), f"--{flag}", **flags.get(flag, {}))
    arguments = parser.parse_args()
    if arguments.version:
        print(f"dfdaemon {stands_for.RELEASE} (stand-in, 2026-01-01)")
        return
    config = settings.load(arguments.config, stands_for.KEYS, "dfdaemon")
    if get(config, "manager.addr"):
        connect(urllib.parse.urlsplit(config["manager"]["addr"]).netloc).close()
    elif "dynconfig" in stands_for.FLAGS:
        tree = {"scheduler": {"addr": "name_and_port", "addrs": ["socket"]}}
        scheduler = settings.load(arguments.dynconfig, tree, "dfdaemon")["scheduler"]
        for address in scheduler.get("addrs") or [scheduler["addr"]]:
            connect(address).close()
    else:
        raise Refused("manager.addr is empty: relative URL without a base")

    held = []
    for section, port in (("upload", 4000), ("metrics", 4002), ("health", 4003), ("stats", 4004)):
        address = get(config, f"{section}.server.ip", "0.0.0.0")
        held.append(listen(address, get(config, f"{section}.server.port", port)))
    store = prepare_store(get(config, "storage.dir", "/var/lib/dragonfly"), get(config, "storage.keep", False))
    address = get(config, "proxy.server.ip", "0.0.0.0"), get(config, "proxy.server.port", 4001)
    route = functools.partial(recipe.rust, config, RELEASE)
    certificate = get(config, "proxy.registryMirror.cert")
    tls = proxy.tls_context([certificate] if certificate else [], False)
    try:
        server = proxy.Proxy(address, route, rust_headers, store, True, True, tls)
    except OSError as error:
        raise Refused(f"listen {address}: {error}") from error
    serve(server, *held)


def rust_headers(task, hit):
    return {"X-Dragonfly-Task-ID": task, "X-Dragonfly-Task-Download-Finished": str(hit).lower()}


def server_config():
    """Return the configuration of a server, None if the command line only requests its release."""
    if sys.argv[1:2] == ["version"]:
        print(VERSION_OF_GO.format(minor=RELEASE[1], release=stands_for.RELEASE), end="")
        return None
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--config", default=f"/etc/dragonfly/{stands_for.CLIENT}.yaml")
    parser.add_argument("--console", action="store_true")
    return settings.load(parser.parse_args().config, stands_for.KEYS, stands_for.CLIENT)


def manager():
    """Be the manager: ``manager version`` and ``manager --config``."""
    config = server_config()
    if config is None:
        return
    # pkg/dfpath/dfpath.go; the manager cannot move its data directory.
    fixed = ("/usr/local/dragonfly", "/var/lib/dragonfly") if RELEASE < (2, 4, 0) else ()
    servers.make_folders(config, stands_for.KEYS["server"], {"cacheDir": "/var/cache/dragonfly"}, fixed)
    database = servers.open_manager(config)
    host, _colon, port = get(config, "server.rest.addr", ":8080").rpartition(":")
    grpc = listen(get(config, "server.grpc.listenIP", "0.0.0.0"), get(config, "server.grpc.port.Start", 65003))
    try:
        server = servers.Manager((host, int(port)), database)
    except OSError as error:
        raise Refused(f"listen {host}:{port}: {error}") from error
    threading.Thread(target=server.schedulers.serve, args=(grpc,), daemon=True).start()
    serve(server, grpc)


def scheduler():
    """Be the scheduler: ``scheduler version`` and ``scheduler --config``."""
    config = server_config()
    if config is None:
        return
    more = {"cacheDir": "/var/cache/dragonfly", "dataDir": "/var/lib/dragonfly"}
    fixed = ("/usr/local/dragonfly",) if RELEASE < (2, 4, 0) else ()
    servers.make_folders(config, stands_for.KEYS["server"], more, fixed)
    manager_address = get(config, "manager.addr", "")
    connect(manager_address).close()
    servers.databases.check_redis(servers.redis_of(config), servers.REDIS_OF_SCHEDULER)
    port = get(config, "server.port", 8002)
    door = listen(get(config, "server.listenIP", "0.0.0.0"), port)
    address = get(config, "server.advertiseIP") or door.getsockname()[0]
    row = {"host_name": get(config, "server.host") or socket.gethostname(), "ip": address, "port": port}
    threading.Thread(target=stay_registered, args=(manager_address, row), daemon=True).start()
    print(f"scheduler {stands_for.RELEASE} (stand-in) listens on {door.getsockname()}", flush=True)
    while True:
        with door.accept()[0] as connection, contextlib.suppress(OSError):
            connection.settimeout(1)
            connection.sendall(servers.SETTINGS)
            connection.recv(1024)  # what is left unread would reset the connection


def stay_registered(address, row):
    """Register a scheduler with its manager, and again whenever the manager closes the connection."""
    while True:
        with contextlib.suppress(OSError, Refused), connect(address) as connection:
            connection.settimeout(None)
            connection.sendall(json.dumps(row).encode() + b"\n")
            while connection.recv(len(servers.SETTINGS)):
                pass
        time.sleep(1)


if __name__ == "__main__":
    try:
        {"dfget": dfget, "dfdaemon": dfdaemon, "manager": manager, "scheduler": scheduler}[stands_for.CLIENT]()
    except (Refused, OSError) as error:
        sys.exit(f"{stands_for.CLIENT} (stand-in): {error}")
