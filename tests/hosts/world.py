# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A world for the hosts: process, mount and network namespaces that end with the run.

Everything that the tests start and mount is in there: hosts, registries, the manager, Ansible itself. When the run
ends, however it ends, the kernel ends all of it. Addresses and ports are the world's own, so nothing on the machine is
in the way, and nothing of the machine can be reached. Only empty control groups outlive their processes; one process
stays outside to remove them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from machine import CACHE, LOGS, Unfit

#: Where the world keeps everything that is not to outlive it (a tmpfs).
PLACE = CACHE / "world"

ADDRESS = "10.77.0.1"
BRIDGE = "hosts"

#: Names of the world, for the hosts and for what runs beside them.
NAMES = {"registry.test": ADDRESS, "hub.test": ADDRESS, "manager.test": ADDRESS}

#: Environment variable that says that this is inside, with the name of the run's control group.
INSIDE = "DRAGONFLY_TEST_WORLD"
CONTROL_GROUP = "dragonfly-hosts-{pid}-{number}"


def control_groups() -> list[Path]:
    """Return the folders of this process's control groups that systemd in a host needs a child of."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        own[controllers] = path
    folders = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        root, mount_point = before.split()[3:5]
        kind, _source, options = after.split()[:3]
        key = {"cgroup2": "", "cgroup": "name=systemd" if "name=systemd" in options.split(",") else None}.get(kind)
        if key in own:
            folders.append(Path(mount_point) / os.path.relpath(own[key], root))
    return folders


def host_groups(name: str) -> list[Path]:
    """Return the folders of a host's control groups."""
    return [folder / os.environ[INSIDE] / name for folder in control_groups()]


def remove_groups(folders: list[Path]) -> None:
    """Remove control groups and those in them. Their processes have been killed and are gone within seconds."""
    for folder in folders:
        deadline = time.monotonic() + 5
        while folder.exists() and time.monotonic() < deadline:
            # From the innermost one outwards, as rmdir wants it.
            for path, _folders, _files in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
            time.sleep(0.02)


def enter(runs: list[list[str]]) -> int:
    """Run this program again, inside a new world for each list of arguments, at the same time.

    :return: 0 if all of them returned that, else the highest exit code
    """
    PLACE.mkdir(exist_ok=True)
    names = [CONTROL_GROUP.format(pid=os.getpid(), number=number) for number in range(1, len(runs) + 1)]
    groups = [folder / name for folder in control_groups() for name in names]
    remove = remove_afterwards(groups)
    # Ctrl-C reaches the worlds as well, which end by themselves then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for group in groups:
            group.mkdir()
        worlds = [start_world(name, arguments) for name, arguments in zip(names, runs)]
        signal.signal(signal.SIGTERM, lambda *_: _kill(worlds))
        return max(abs(world.wait()) for world in worlds)
    except OSError as error:
        raise Unfit(f"{error}: run this on a machine, or in a privileged container.") from error
    finally:
        remove()


def start_world(name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    """Run this program again inside a new world.

    :param name: of its control group; what comes after the last dash is the folder of its logs
    """
    logs = LOGS / name.rpartition("-")[2]
    logs.mkdir()
    # setpriv, for then a killed run ends unshare, and unshare ends the world.
    command = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "unshare",
        "--fork",
        "--kill-child",
        "--pid",
        "--mount-proc",
        "--mount",
    ]
    command += ["--net", "--ipc", "--uts", sys.executable, *arguments]
    variables = {**os.environ, INSIDE: name, "DRAGONFLY_TEST_LOGS": str(logs)}
    return subprocess.Popen(command, env=variables, preexec_fn=restore_interrupt)


def _kill(worlds: list[subprocess.Popen]) -> None:
    for world in worlds:
        world.kill()


def remove_afterwards(groups: list[Path]) -> Callable[[], None]:
    """Remove control groups when this process has ended, even if it was killed, or when what is returned is called."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()  # Ctrl-C is not for it.
        os.close(writer)
        os.read(reader, 1)  # Nothing is ever written: this returns when the other end is closed.
        remove_groups(groups)
        os._exit(0)
    os.close(reader)

    def remove() -> None:
        os.close(writer)
        os.waitpid(child, 0)

    return remove


def restore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def inside() -> bool:
    return INSIDE in os.environ


def become_init() -> None:
    """Stay behind as the world's first process, which collects ended processes, and go on in a child.

    That cannot be the same process, as it would take from its own subprocesses' exit codes.
    """
    child = os.fork()
    if child == 0:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def run(*command: str | Path) -> None:
    """Run a program, and show what it said only if it failed."""
    command_line = [str(word) for word in command]
    done = subprocess.run(command_line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")


def furnish() -> None:
    """Make the world's network, its names, and a place for what is not to outlive it."""
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "hosts", PLACE)
    os.makedirs("/run/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "netns", "/run/netns")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{ADDRESS}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    names = PLACE / "names"
    names.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in NAMES.items()))
    run("mount", "--bind", names, "/etc/hosts")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", PLACE / "key")


def start(name: str, command: list[str | Path], before: str = "") -> int:
    """Start a program that runs on when its starter has ended, with its output in a log of that name.

    :param before: shell commands to run first, in the program's own process
    :return: its process id
    """
    # The shell ends at once, which leaves the program to the world's first process.
    script = f'{before}\n"$@" >>"$0" 2>&1 & echo $!'
    command_line = ["sh", "-c", script, LOGS / f"{name}.log", *map(str, command)]
    done = subprocess.run(
        command_line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, start_new_session=True
    )
    return int(done.stdout)
