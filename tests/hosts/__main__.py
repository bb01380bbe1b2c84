# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the roles on real hosts: ``tests/hosts/run --help``."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import host
import machine
import services
import world
from machine import CACHE, CHECKOUT, LOGS, Unfit

SCENARIOS = CHECKOUT / "extensions/molecule"

#: Programs that a real binary may take the place of, each with a release as an example.
EXAMPLES = {"dfget": "2.1.67", "dfdaemon": "1.4.2", "manager": "2.5.1", "scheduler": "2.5.1"}

#: File beside the log of a scenario that failed, with the task that failed, and how many characters of it are kept.
FAILURE_SUFFIX, FAILURE_LENGTH = ".failure", 3000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/hosts/run", description="Run molecule scenarios on hosts of their own."
    )
    parser.add_argument("scenarios", nargs="*", help="names in extensions/molecule, all if none is given")
    parser.add_argument("--shell", action="store_true", help="a shell beside the hosts instead, see README.md")
    description = "how many scenarios at a time, each beside hosts of its own (default: %(default)s)"
    parser.add_argument("--worlds", type=int, default=min(2, os.cpu_count() or 1), help=description)
    for client, release in EXAMPLES.items():
        name = f"DRAGONFLY_{client.upper()}"
        description = (
            f"real programs for the stand-ins, as RELEASE=PATH (default: ${name}), such as {release}=/opt/{client}"
        )
        parser.add_argument(f"--{client}", nargs="*", default=os.environ.get(name, "").split(), help=description)
    return parser.parse_args()


def real_clients(options: argparse.Namespace) -> dict[tuple[str, str], Path]:
    """Return the real binaries that were named, by client and release."""
    binaries = {}
    for client in EXAMPLES:
        for word in getattr(options, client):
            release, _equals, path = word.partition("=")
            if (client, release) not in services.PROGRAMS or not os.access(path, os.X_OK):
                known = ", ".join(each for name, each in services.PROGRAMS if name == client)
                raise Unfit(f"{word}: give it as RELEASE=PATH, with one of the releases {known} and a program.")
            binaries[client, release] = Path(path).resolve()
    return binaries


def lock():
    """Keep two runs of one checkout apart, and return what has to stay open for that."""
    file = open(CACHE / "lock", "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Unfit("Another run is under way in this checkout.") from error
    return file


def environment(real: dict[tuple[str, str], Path]) -> dict[str, str]:
    """Return the environment of molecule, and with it of Ansible."""
    collections = world.PLACE / "collections"
    place = collections / "ansible_collections/dragonflyoss"
    place.mkdir(parents=True)
    (place / "dragonfly").symlink_to(CHECKOUT)
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_HOME": str(world.PLACE / "ansible"),
        # A socket in the file system leads out of the world, to whatever host has the same address there.
        "ANSIBLE_SSH_CONTROL_PATH": f"{host.CONTROL_SOCKETS}/%%h",
        "MOLECULE_EPHEMERAL_DIRECTORY": str(world.PLACE / "molecule"),
        "NO_COLOR": "1",
        "TEST_HOSTS": str(machine.HERE),
        "TEST_SSH_CONFIG": str(host.SSH_CONFIG),
        "TEST_PACKAGES": str(services.PACKAGES),
        "TEST_LOGS": str(LOGS),
        "TEST_TOKEN": services.MANAGER_TOKEN,
        "TEST_REAL_CLIENTS": " ".join("-".join(key) for key in real),
    }


def failed_task(output: str) -> str:
    """Return the part of molecule's output that tells why it failed: the task that failed, or else its last lines."""
    playbook = output.partition("Ansible return code was")[0].rpartition("PLAY RECAP")[0]
    start = playbook.rfind("TASK [")
    excerpt = playbook[start:] if start >= 0 else output
    return excerpt.strip()[-FAILURE_LENGTH:]


def run_scenario(name: str, env: dict[str, str], quiet: bool) -> bool:
    """Run one scenario, and say how it went.

    :param quiet: whether to show what molecule says only if it failed
    """
    print(f"{name} begins", flush=True)
    begin = time.monotonic()
    command = ["molecule", "test", "--scenario-name", name]
    with open(LOGS / f"{name}.log", "wb") as log:
        pipes: dict[str, t.Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, cwd=CHECKOUT, env=env, **pipes) as process:
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                if not quiet:
                    sys.stdout.buffer.write(line)
                    sys.stdout.flush()
    passed = process.returncode == 0
    if not passed:
        output = (LOGS / f"{name}.log").read_text(errors="replace")
        (LOGS / f"{name}{FAILURE_SUFFIX}").write_text(f"{name}: {failed_task(output)}\n")
        if quiet:
            print(output, flush=True)
    print(f"{name} {'passed' if passed else 'failed'} after {time.monotonic() - begin:.0f} s", flush=True)
    return passed


def inside(options: argparse.Namespace) -> int:
    """Run the tests within the world."""
    real = real_clients(options)
    world.furnish()
    host.write_ssh_config()
    services.start(real)
    env = environment(real)
    if options.shell:
        host.fresh(["h1", "h2"])
        return subprocess.run([os.environ.get("SHELL", "bash")], cwd=CHECKOUT, env=env, check=False).returncode
    passed = [run_scenario(name, env, options.worlds > 1) for name in options.scenarios]
    return 0 if all(passed) else 1


def divide(options: argparse.Namespace) -> list[list[str]]:
    """Return the command line for each world, with its part of the scenarios."""
    if options.shell:
        return [sys.argv]
    worlds = min(options.worlds, len(options.scenarios))
    real = [word for client in EXAMPLES for word in (f"--{client}", *getattr(options, client))]
    parts = [options.scenarios[number::worlds] for number in range(worlds)]
    return [[sys.argv[0], *part, "--worlds", str(worlds), *real] for part in parts]


def main() -> int:
    options = arguments()
    if not options.scenarios:
        options.scenarios = sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml"))
    if world.inside():
        world.become_init()
        return inside(options)
    if os.geteuid() != 0:
        raise Unfit("Hosts can be booted by root only.")
    LOGS.mkdir(parents=True, exist_ok=True)
    with lock():
        shutil.rmtree(LOGS)
        LOGS.mkdir()
        machine.install_programs()
        machine.base_root()
        code = world.enter(divide(options))
        for failure in sorted(LOGS.glob(f"*/*{FAILURE_SUFFIX}")):
            print(f"\n=== failed: {failure.read_text()}", flush=True)
        return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unfit as unfit:
        sys.exit(f"tests/hosts/run: {unfit}")
