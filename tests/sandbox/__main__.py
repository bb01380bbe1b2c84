# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a sandbox until a signal stops it: ``python tests/sandbox --help``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys

if __package__:
    from . import NEWER, RELEASES, Sandbox
else:
    # From a bare checkout, this directory is the package.
    HERE = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = os.path.dirname(HERE)
    from sandbox import NEWER, RELEASES, Sandbox  # type: ignore[no-redef]


def _arguments():
    parser = argparse.ArgumentParser(prog="sandbox", description="A Dragonfly manager and an OCI registry for tests.")
    parser.add_argument(
        "--release", choices=(*RELEASES, NEWER), default=RELEASES[-1], help="release that the manager behaves as"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=0, help="port of the manager, 0 for a free one")
    parser.add_argument("--registry-port", type=int, default=0, help="port of the registry, 0 for a free one")
    parser.add_argument("--factor", type=float, default=1, help="how many times faster the manager's waits pass")
    parser.add_argument("--token", help="personal access token to accept, by default a random one")
    parser.add_argument(
        "--client", choices=("go", "rust"), help="what the hosts run, by default what goes with the release"
    )
    parser.add_argument(
        "--alias",
        action="append",
        default=[],
        metavar="HOST=ADDRESS",
        help="where a host of URLs really is; the address 'registry' is the sandbox's own",
    )
    parser.add_argument("--trap", action="append", default=[], help="trap to switch on, such as T27")
    parser.add_argument("--no-rate-limit", action="store_true", help="do not limit jobs that name a cluster")
    parser.add_argument("--tls-cert", help="certificate of the manager (PEM), which then speaks TLS")
    parser.add_argument("--tls-key", help="its key")
    parser.add_argument("--tls-client-ca", help="CA of the certificates that clients must show")
    parser.add_argument("--registry-tls-cert", help="certificate of the registry")
    parser.add_argument("--registry-tls-key", help="its key")
    parser.add_argument("--registry-ca", help="CA that the manager trusts when it reads registries")
    parser.add_argument("--state", metavar="FILE", help="write where it listens and its secrets there, as JSON")
    return parser.parse_args()


def _tls(cert, key, client_ca=None):
    return {"cert": cert, "key": key, "client_ca": client_ca} if cert else None


async def _run(arguments):
    box = Sandbox(
        release=arguments.release,
        factor=arguments.factor,
        token=arguments.token,
        client=arguments.client,
        aliases=dict(alias.split("=", 1) for alias in arguments.alias),
        traps=arguments.trap,
        rate_limit=not arguments.no_rate_limit,
        host=arguments.host,
        port=arguments.port,
        registry_port=arguments.registry_port,
        tls=_tls(arguments.tls_cert, arguments.tls_key, arguments.tls_client_ca),
        registry_tls=_tls(arguments.registry_tls_cert, arguments.registry_tls_key),
        registry_ca=arguments.registry_ca,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await box.start_servers()
    except OSError as exc:
        await box.stop_servers()
        sys.exit(str(exc))
    state = json.dumps(box.state(), indent=2)
    if arguments.state:
        # Written atomically, because other processes wait for this file.
        with open(arguments.state + ".new", "w", encoding="utf-8") as file:
            os.chmod(arguments.state + ".new", 0o600)
            file.write(state + "\n")
        os.rename(arguments.state + ".new", arguments.state)
    print(state, flush=True)
    await stop.wait()
    await box.stop_servers()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
