# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts: systemd as process 1 in its own network namespace, booted with systemd-nspawn, reached over ssh.

    python3 tests/hosts/host.py fresh h1 h2     # boot new hosts (2 s), inside of a world only
    python3 tests/hosts/host.py log h1          # print the journal of a host

A host is an overlay over the shared root, so a new host is cheap, and hosts do not affect each other.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import world
from machine import USER, UnsupportedMachine, base_root

#: Names of the hosts, with their addresses.
HOSTS = {f"h{number}": f"10.77.0.{10 + number}" for number in range(1, 5)}

SSH_CONFIG = world.WORK_DIR / "ssh_config"
CONTROL_SOCKETS = world.WORK_DIR / "ssh"

SSH_TEMPLATE = """\
Host {name}
  HostName {address}
"""
SSH_COMMON = """\
Host *
  User {user}
  IdentityFile {key}
  IdentitiesOnly yes
  BatchMode yes
  ConnectTimeout 5
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  ControlMaster auto
  ControlPersist 60
  ControlPath {sockets}/%h
"""

BOOT_TIMEOUT = 60  # seconds; a boot takes one or two


def write_ssh_config() -> None:
    CONTROL_SOCKETS.mkdir(mode=0o700)
    names = "".join(SSH_TEMPLATE.format(name=name, address=address) for name, address in HOSTS.items())
    common = SSH_COMMON.format(user=USER, key=world.WORK_DIR / "key", sockets=CONTROL_SOCKETS)
    SSH_CONFIG.write_text(names + common)


def ssh(name: str, command: str) -> subprocess.CompletedProcess[str]:
    command_line = ["ssh", "-F", str(SSH_CONFIG), name, command]
    return subprocess.run(command_line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def stop(name: str) -> None:
    """Kill a host, as a power failure does. Do nothing if it is not running."""
    directory = world.WORK_DIR / name
    if not directory.exists():
        return
    # When process 1 of the host ends, its other processes and its parent systemd-nspawn end too.
    nspawn = Path(f"/proc/{(directory / 'pid').read_text()}")
    for child in (nspawn / "task" / nspawn.name / "children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while nspawn.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    world.run("umount", "--lazy", directory / "root")
    world.run("ip", "link", "delete", f"to-{name}")
    world.run("ip", "netns", "delete", name)
    # A shared SSH connection still refers to the old host.
    (CONTROL_SOCKETS / HOSTS[name]).unlink(missing_ok=True)
    world.remove_groups(world.host_groups(name))
    shutil.rmtree(directory)


def connect(name: str) -> None:
    """Create the network namespace of a host, and connect it to the world's bridge."""
    world.run("ip", "netns", "add", name)
    world.run("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "host0", "netns", name)
    world.run("ip", "link", "set", f"to-{name}", "master", world.BRIDGE, "up")
    world.run("ip", "-netns", name, "address", "add", f"{HOSTS[name]}/24", "dev", "host0")
    for device in ("host0", "lo"):
        world.run("ip", "-netns", name, "link", "set", device, "up")
    # The route leads nowhere, but Ansible derives the default address of a host from it.
    world.run("ip", "-netns", name, "route", "add", "default", "via", world.ADDRESS)


def overlay(name: str) -> Path:
    """Return a new overlay over the shared root."""
    directory = world.WORK_DIR / name
    for part in ("upper", "work", "root"):
        (directory / part).mkdir(parents=True)
    layers = f"lowerdir={base_root()},upperdir={directory}/upper,workdir={directory}/work"
    world.run("mount", "-t", "overlay", "-o", layers, name, directory / "root")
    (directory / "root/etc/hosts").write_bytes(Path("/etc/hosts").read_bytes())
    return directory / "root"


def start(name: str) -> None:
    """Boot a host that is not running."""
    connect(name)
    root = overlay(name)
    (root / "etc/hostname").write_text(f"{name}\n")
    with open(root / "etc/hosts", "a") as names:
        names.write(f"{HOSTS[name]} {name}\n")
    keys = root / "home" / USER / ".ssh/authorized_keys"
    keys.write_bytes((world.WORK_DIR / "key.pub").read_bytes())
    groups = world.host_groups(name)
    for group in groups:
        group.mkdir(exist_ok=True)
    command = [
        "systemd-nspawn",
        "--quiet",
        "--directory",
        root,
        "--machine",
        name,
        "--boot",
        "--register=no",
        "--keep-unit",
    ]
    command += [f"--network-namespace-path=/run/netns/{name}", "--resolv-conf=off", "--timezone=off", "--console=pipe"]
    # containerd's snapshots are overlays, which cannot be created on an overlay.
    command += ["--tmpfs=/var/lib/containerd"]
    join = "\n".join(f"echo 0 > {group}/cgroup.procs" for group in groups)
    pid = world.start(name, command, before=join)
    (world.WORK_DIR / name / "pid").write_text(str(pid))


def wait(name: str) -> None:
    """Wait until a host has booted.

    :raises UnsupportedMachine: if it does not boot, or a unit fails.
    """
    deadline = time.monotonic() + BOOT_TIMEOUT
    while time.monotonic() < deadline:
        state = ssh(name, "systemctl is-system-running --wait")
        if state.stdout.strip() == "running":
            return
        if state.stdout.strip():
            failed = ssh(name, "systemctl --no-legend --plain --failed").stdout
            raise UnsupportedMachine(f"{name} booted in the state {state.stdout.strip()}: {failed}")
        time.sleep(0.1)
    raise UnsupportedMachine(f"{name} did not boot within {BOOT_TIMEOUT} s: {state.stderr.strip()}")


def fresh(names: list[str]) -> None:
    """Boot new hosts. Running hosts with these names are killed first."""
    for name in names:
        stop(name)
    for name in names:
        start(name)
    for name in names:
        wait(name)


def main() -> None:
    command, *names = sys.argv[1:]
    if not world.inside():
        raise SystemExit("This program runs only inside of a world. See tests/hosts/run --help.")
    if command == "fresh":
        fresh(names)
    elif command == "log":
        for name in names:
            print(ssh(name, "sudo journalctl --boot --no-pager --output short-precise").stdout)
    else:
        raise SystemExit(f"{command} is not a valid command. Use fresh or log.")


if __name__ == "__main__":
    main()
