# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An isolated world for the hosts: process, mount and network namespaces that end with the run.

It contains everything that the tests start and mount: hosts, registries, the manager and Ansible. When the run ends for
any reason, the kernel ends these processes and mounts. The world has its own addresses and ports, which never conflict
with those of the machine, and it cannot reach the machine's network. Only empty control groups remain. A process
outside of the world removes them.
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

from machine import CACHE, LOGS, UnsupportedMachine

#: Directory for everything that ends with the world (a tmpfs).
WORK_DIR = CACHE / "world"

ADDRESS = "10.77.0.1"
BRIDGE = "hosts"

#: Host names in the world, for the hosts and the services.
NAMES = {"registry.test": ADDRESS, "hub.test": ADDRESS, "manager.test": ADDRESS}

#: Environment variable with the name of the run's control group. It is set only inside of a world.
INSIDE = "DRAGONFLY_TEST_WORLD"
CONTROL_GROUP = "dragonfly-hosts-{pid}-{number}"


def control_groups() -> list[Path]:
    """Return the directories of this process's control groups in which systemd on a host needs a child group."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        own[controllers] = path
    directories = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        root, mount_point = before.split()[3:5]
        kind, _source, options = after.split()[:3]
        key = {"cgroup2": "", "cgroup": "name=systemd" if "name=systemd" in options.split(",") else None}.get(kind)
        if key in own:
            directories.append(Path(mount_point) / os.path.relpath(own[key], root))
    return directories


def host_groups(name: str) -> list[Path]:
    """Return the directories of a host's control groups."""
    return [directory / os.environ[INSIDE] / name for directory in control_groups()]


def remove_groups(directories: list[Path]) -> None:
    """Remove control groups recursively. Their killed processes disappear within seconds."""
    for directory in directories:
        deadline = time.monotonic() + 5
        while directory.exists() and time.monotonic() < deadline:
            # From the innermost directory outwards, because rmdir requires empty directories.
            for path, _directories, _files in os.walk(directory, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
            time.sleep(0.02)


def enter(runs: list[list[str]]) -> int:
    """Run this program concurrently in a new world for each list of arguments.

    :return: the highest exit code.
    """
    WORK_DIR.mkdir(exist_ok=True)
    names = [CONTROL_GROUP.format(pid=os.getpid(), number=number) for number in range(1, len(runs) + 1)]
    groups = [directory / name for directory in control_groups() for name in names]
    remove = remove_afterwards(groups)
    # Ctrl-C also reaches the worlds, which then end by themselves.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for group in groups:
            group.mkdir()
        worlds = [start_world(name, arguments) for name, arguments in zip(names, runs)]
        signal.signal(signal.SIGTERM, lambda *_: _kill(worlds))
        return max(abs(world.wait()) for world in worlds)
    except OSError as error:
        raise UnsupportedMachine(f"{error}: run this on a machine, or in a privileged container.") from error
    finally:
        remove()


def start_world(name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    """Run this program again in a new world.

    :param name: name of its control group. The part after the last dash is the directory of its logs.
    """
    logs = LOGS / name.rpartition("-")[2]
    logs.mkdir()
    # If the run is killed, setpriv ends unshare, which ends the world.
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
    """Remove control groups when this process ends, even if it is killed, or when the returned function is called."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()  # Do not receive Ctrl-C.
        os.close(writer)
        os.read(reader, 1)  # Returns when the other end is closed, because nothing is written.
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
    """Continue in a child process. The parent becomes the world's init process, which reaps ended processes.

    One process cannot do both, because init would also reap its own subprocesses and lose their exit codes.
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
    """Run a program, and show its output only if it fails.

    :raises UnsupportedMachine: if it fails.
    """
    command_line = [str(argument) for argument in command]
    done = subprocess.run(command_line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnsupportedMachine(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")


def set_up() -> None:
    """Create the world's working directory, network, host names and SSH key."""
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "hosts", WORK_DIR)
    os.makedirs("/run/netns", exist_ok=True)
    run("mount", "-t", "tmpfs", "netns", "/run/netns")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{ADDRESS}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    names = WORK_DIR / "names"
    names.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in NAMES.items()))
    run("mount", "--bind", names, "/etc/hosts")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", WORK_DIR / "key")


def start(name: str, command: list[str | Path], before: str = "") -> int:
    """Start a daemon and write its output to the log with this name.

    :param before: shell commands to run first, in the process of the daemon.
    :return: its process ID.
    """
    # The shell ends immediately, so the daemon becomes a child of the world's init process.
    script = f'{before}\n"$@" >>"$0" 2>&1 & echo $!'
    command_line = ["sh", "-c", script, LOGS / f"{name}.log", *map(str, command)]
    done = subprocess.run(
        command_line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, start_new_session=True
    )
    return int(done.stdout)
