# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare the machine: install programs, and build the root file system that the hosts share."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
CACHE = CHECKOUT / ".cache" / "hosts"
LOGS = Path(os.environ.get("DRAGONFLY_TEST_LOGS", CACHE / "log"))  # with a directory for each world

#: Programs that the tests call, and the packages that contain them.
PROGRAMS = {
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}

#: Packages of a host, in addition to debootstrap's minimal system. Ansible's module apt requires python3-apt.
#: docker-registry runs outside of the hosts, in a copy of the same root. The module database_info requires the Python
#: libraries of the databases, and the stand-in for a manager their programs. podman depends on a virtual package that
#: netavark provides, which debootstrap does not resolve.
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "python3",
    "python3-apt",
    "iproute2",
    "ca-certificates",
    "containerd",
    "podman",
    "netavark",
    "docker-registry",
    "mariadb-server",
    "postgresql",
    "redis-server",
    "python3-pymysql",
    "python3-psycopg2",
)

#: Package to exclude. If chattr and lsattr exist, Ansible copies the attributes of a file to each backup, which fails
#: on an overlay.
EXCLUDED_PACKAGE = "e2fsprogs"

#: User that Ansible connects as. It becomes root with sudo.
USER = "deploy"

#: Script to run in the new root. No service may start unless a role or a scenario starts it.
CUSTOMIZE = f"""\
set -eu
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
systemctl disable docker-registry.service mariadb.service mariadb.socket postgresql.service redis-server.service
systemctl mask podman-auto-update.service podman-auto-update.timer podman-restart.service podman.service podman.socket
systemctl mask console-getty.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
useradd --create-home --shell /bin/bash {USER}
echo '{USER} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{USER}
install -d -o {USER} -g {USER} -m 700 /home/{USER}/.ssh
"""

APT = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}


class UnsupportedMachine(Exception):
    """This machine cannot run the tests. The message contains the reason and the remedy."""


def install_programs() -> None:
    """Install the programs that are missing."""
    packages = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)})
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise UnsupportedMachine(
            f"{', '.join(packages)} are missing, and so is apt-get to install them. Use Debian or Ubuntu."
        )
    print(f"Installing {', '.join(packages)}", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], env=APT, stdin=subprocess.DEVNULL, check=True)
    # Another program may hold the lock of dpkg.
    command = ["apt-get", "--option=DPkg::Lock::Timeout=120", "install", "-qq", "--yes", "--no-install-recommends"]
    command += packages
    subprocess.run(command, env=APT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def own_codename() -> str:
    """Return the code name of the machine's distribution, such as ``bookworm``."""
    lines = Path("/etc/os-release").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    return settings.get("VERSION_CODENAME", "").strip('"')


def mirror_of(codename: str) -> tuple[str, list[str]]:
    """Return the URL of the machine's apt mirror for a distribution, and its components.

    :raises UnsupportedMachine: if apt has no source for it.
    """
    command = ["apt-get", "indextargets", "--format", "$(CREATED_BY) $(CODENAME) $(ORIGIN) $(COMPONENT) $(REPO_URI)"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    uris, components = [], []
    for line in listing.splitlines():
        kind, name, origin, component, uri = line.split(maxsplit=4)
        if (kind, name) == ("Packages", codename) and origin in ("Debian", "Ubuntu"):
            uris.append(uri)
            components.append(component)
    if not uris:
        raise UnsupportedMachine(f"apt has no source for {codename or 'this distribution'}. Use Debian or Ubuntu.")
    return uris[0], sorted(set(components))


def base_root() -> Path:
    """Return the read-only root file system of a new host. The first call builds it, which takes 1 to 2 minutes.

    :raises UnsupportedMachine: if debootstrap fails.
    """
    codename = own_codename()
    key = hashlib.sha256("\n".join([codename, CUSTOMIZE, EXCLUDED_PACKAGE, *PACKAGES]).encode()).hexdigest()[:12]
    root = CACHE / f"root-{key}"
    if root.exists():
        return root
    for old in CACHE.glob("root-*"):
        shutil.rmtree(old)
    subprocess.run(["apt-get", "update", "-qq"], env=APT, stdin=subprocess.DEVNULL, check=True)
    mirror, components = mirror_of(codename)
    print(f"Building the root file system of the hosts ({codename})", flush=True)
    building, log = CACHE / "root-building", LOGS / "debootstrap.log"
    # In separate namespaces, so everything that debootstrap mounts and starts ends with it, even if it is killed.
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command += ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", f"--exclude={EXCLUDED_PACKAGE}"]
    command += [f"--components={','.join(components)}", codename, str(building), mirror]
    with open(log, "w") as output:
        to_log: dict[str, t.Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
        completed = subprocess.run(command, env=APT, check=False, **to_log)
        if completed.returncode == 0:
            command = ["chroot", str(building), "/bin/sh", "-c", CUSTOMIZE]
            completed = subprocess.run(command, check=False, **to_log)
    if completed.returncode != 0:
        print("".join(open(log).readlines()[-20:]))
        raise UnsupportedMachine(f"The root file system of the hosts could not be built. See {log}.")
    # debootstrap copies the resolver and the mirror of this machine, which the hosts must not use.
    for name in ("etc/resolv.conf", "etc/apt/sources.list"):
        (building / name).unlink(missing_ok=True)
    building.rename(root)
    return root
