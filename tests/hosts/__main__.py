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

import failures
import host
import machine
import services
import world
from machine import CACHE, CHECKOUT, LOGS, UnsupportedMachine

SCENARIOS = CHECKOUT / "extensions/molecule"

#: Programs whose stand-in can be replaced by upstream's binary, with an example of a release.
EXAMPLES = {"dfget": "2.1.67", "dfdaemon": "1.4.2", "manager": "2.5.1", "scheduler": "2.5.1"}

#: The scenarios that take longest. They start first, so no world runs one of them while the others have finished.
LONGEST = ("cluster", "podman", "site", "preheat", "broken")

#: Scenarios that run only if they are named, so all others take less than an hour on two processors.
ONLY_BY_NAME = ("rolling",)

#: Suffix of the file beside the log of a failed scenario, with the task that failed.
FAILURE_SUFFIX = ".failure"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/hosts/run", description="Run Molecule scenarios on isolated hosts.")
    description = f"names of directories in extensions/molecule (default: all but {', '.join(ONLY_BY_NAME)})"
    parser.add_argument("scenarios", nargs="*", help=description)
    parser.add_argument(
        "--shell", action="store_true", help="open a shell with the hosts h1 and h2 instead, see README.md"
    )
    description = "number of scenarios to run concurrently, each with its own hosts (default: %(default)s)"
    parser.add_argument("--worlds", type=int, default=min(2, os.cpu_count() or 1), help=description)
    for client, release in EXAMPLES.items():
        name = f"DRAGONFLY_{client.upper()}"
        example = f"{release}=/opt/{client}"
        description = f"upstream binaries to use instead of stand-ins, such as {example} (default: ${name})"
        binaries = os.environ.get(name, "").split()
        parser.add_argument(f"--{client}", nargs="*", action="extend", default=binaries, help=description)
    return parser.parse_args()


def real_clients(options: argparse.Namespace) -> dict[tuple[str, str], Path]:
    """Return the upstream binaries in the options, by client and release.

    :raises UnsupportedMachine: if a release is unknown or a file is not executable.
    """
    binaries = {}
    for client in EXAMPLES:
        for binary in getattr(options, client):
            release, _equals, path = binary.partition("=")
            if (client, release) not in services.PROGRAMS or not os.access(path, os.X_OK):
                known = ", ".join(supported for name, supported in services.PROGRAMS if name == client)
                raise UnsupportedMachine(
                    f"{binary} is not RELEASE=PATH with an executable file and one of the releases {known}."
                )
            binaries[client, release] = Path(path).resolve()
    return binaries


def lock():
    """Lock the checkout against a second run, and return the lock file, which must stay open.

    :raises UnsupportedMachine: if another run holds the lock.
    """
    file = open(CACHE / "lock", "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UnsupportedMachine("Another run is in progress in this checkout. Wait until it ends.") from error
    return file


def environment(real: dict[tuple[str, str], Path]) -> dict[str, str]:
    """Return the environment variables for Molecule and Ansible."""
    collections = world.WORK_DIR / "collections"
    namespace = collections / "ansible_collections/dragonflyoss"
    namespace.mkdir(parents=True)
    (namespace / "dragonfly").symlink_to(CHECKOUT)
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_HOME": str(world.WORK_DIR / "ansible"),
        # File systems are shared, so a default socket could connect to a host of another world with the same address.
        "ANSIBLE_SSH_CONTROL_PATH": f"{host.CONTROL_SOCKETS}/%%h",
        "MOLECULE_EPHEMERAL_DIRECTORY": str(world.WORK_DIR / "molecule"),
        "NO_COLOR": "1",
        "TEST_HOSTS": str(machine.HERE),
        "TEST_SSH_CONFIG": str(host.SSH_CONFIG),
        "TEST_PACKAGES": str(services.PACKAGES),
        "TEST_LOGS": str(LOGS),
        "TEST_TOKEN": services.MANAGER_TOKEN,
        "TEST_REAL_CLIENTS": " ".join("-".join(key) for key in real),
    }


def keep_registry_logs(name: str) -> None:
    """Copy the access logs of the registries for a scenario and empty them, so the next one counts its own requests."""
    for log in LOGS.glob("registry-*.log"):
        shutil.copy(log, LOGS / f"{name}-{log.name}")
        os.truncate(log, 0)  # the registries append to it


def run_scenario(name: str, env: dict[str, str], quiet: bool) -> bool:
    """Run a scenario, and return whether it passed.

    :param quiet: whether to show the output of Molecule only if the scenario fails.
    """
    print(f"{name} started", flush=True)
    started = time.monotonic()
    services.reset_managers()
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
    keep_registry_logs(name)
    passed = process.returncode == 0
    if not passed:
        output = (LOGS / f"{name}.log").read_text(errors="replace")
        (LOGS / f"{name}{FAILURE_SUFFIX}").write_text(f"{name}: {failures.failed_task(output)}\n")
        if quiet:
            print(output, flush=True)
    print(f"{name} {'passed' if passed else 'failed'} after {time.monotonic() - started:.0f} s", flush=True)
    return passed


def inside(options: argparse.Namespace) -> int:
    """Run the scenarios inside of a world, and return the exit code."""
    real = real_clients(options)
    world.set_up()
    host.write_ssh_config()
    services.start(real)
    env = environment(real)
    if options.shell:
        host.fresh(["h1", "h2"])
        return subprocess.run([os.environ.get("SHELL", "bash")], cwd=CHECKOUT, env=env, check=False).returncode
    passed = [run_scenario(name, env, options.worlds > 1) for name in claimed(options.scenarios)]
    return 0 if all(passed) else 1


def claimed(scenarios: list[str]) -> t.Iterator[str]:
    """Yield the scenarios that no other world has claimed, and claim them."""
    for name in scenarios:
        try:
            (LOGS.parent / f"{name}.claimed").touch(exist_ok=False)  # LOGS is the directory of this world
        except FileExistsError:
            continue
        yield name


def run_order(name: str) -> tuple[int, str]:
    """Return the key that sorts scenarios: the longest first, then by name."""
    return LONGEST.index(name) if name in LONGEST else len(LONGEST), name


def command_lines(options: argparse.Namespace) -> list[list[str]]:
    """Return the command line for each world."""
    if options.shell:
        return [sys.argv]
    worlds = min(options.worlds, len(options.scenarios))
    real = [argument for client in EXAMPLES for argument in (f"--{client}", *getattr(options, client))]
    return [[sys.argv[0], *options.scenarios, "--worlds", str(worlds), *real]] * worlds


def main() -> int:
    options = arguments()
    if not options.scenarios:
        names = {path.parent.name for path in SCENARIOS.glob("*/molecule.yml")}
        options.scenarios = sorted(names.difference(ONLY_BY_NAME), key=run_order)
    if world.inside():
        world.become_init()
        return inside(options)
    if os.geteuid() != 0:
        raise UnsupportedMachine("The hosts require root. Run the command with sudo.")
    LOGS.mkdir(parents=True, exist_ok=True)
    with lock():
        shutil.rmtree(LOGS)
        LOGS.mkdir()
        machine.install_programs()
        machine.base_root()
        code = world.enter(command_lines(options))
        for failure in sorted(LOGS.glob(f"*/*{FAILURE_SUFFIX}")):
            print(f"\n=== failed: {failure.read_text()}", flush=True)
        return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnsupportedMachine as error:
        sys.exit(f"tests/hosts/run: {error}")
