# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machine needs to run hosts: a few programs, and the root file system that the hosts share."""

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
LOGS = Path(os.environ.get("DRAGONFLY_TEST_LOGS", CACHE / "log"))  # each world has a folder of its own there

#: Programs that the tests call, and the packages that bring them.
PROGRAMS = {
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}

#: What a host is made of, besides debootstrap's smallest system. python3-apt is for Ansible's module apt,
#: docker-registry runs beside the hosts, out of the same root. The databases are those of the managers; their
#: libraries for Python are what the module database_info needs, their programs what the stand-in for a manager calls.
#: podman depends on what netavark stands for, which debootstrap does not look up.
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

#: What a host is better off without: on an overlay, the attributes that lsattr shows of a file in the lower layer
#: cannot be set by chattr in the upper one, which Ansible does for each backup where it finds the two programs.
WITHOUT = "e2fsprogs"

#: User who Ansible is on the hosts, and becomes root from.
USER = "deploy"

#: Run in the new root. Nothing may start by itself that the roles or the scenarios did not ask for.
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


class Unfit(Exception):
    """This machine cannot run the tests; the text says why and what to do."""


def install_programs() -> None:
    """Install the programs that are missing."""
    packages = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)})
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise Unfit(f"{', '.join(packages)} missing, and no apt-get to install them: run this on Debian or Ubuntu.")
    print(f"Installing {', '.join(packages)}", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], env=APT, stdin=subprocess.DEVNULL, check=True)
    # Another program may be installing something just now.
    command = ["apt-get", "--option=DPkg::Lock::Timeout=120", "install", "-qq", "--yes", "--no-install-recommends"]
    command += packages
    subprocess.run(command, env=APT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def own_codename() -> str:
    """Return the code name of the machine's release, such as ``bookworm``."""
    lines = Path("/etc/os-release").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    return settings.get("VERSION_CODENAME", "").strip('"')


def mirror_of(codename: str) -> tuple[str, list[str]]:
    """Return the address that the machine's own apt has for a release, and its components."""
    command = ["apt-get", "indextargets", "--format", "$(CREATED_BY) $(CODENAME) $(ORIGIN) $(COMPONENT) $(REPO_URI)"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    uris, components = [], []
    for line in listing.splitlines():
        kind, name, origin, component, uri = line.split(maxsplit=4)
        if (kind, name) == ("Packages", codename) and origin in ("Debian", "Ubuntu"):
            uris.append(uri)
            components.append(component)
    if not uris:
        raise Unfit(f"apt has no source for {codename or 'this release'}: run this on Debian or Ubuntu.")
    return uris[0], sorted(set(components))


def base_root() -> Path:
    """Return the root file system of a fresh host, built the first time (1 to 2 minutes). It must not be written to."""
    codename = own_codename()
    key = hashlib.sha256("\n".join([codename, CUSTOMIZE, WITHOUT, *PACKAGES]).encode()).hexdigest()[:12]
    root = CACHE / f"root-{key}"
    if root.exists():
        return root
    for old in CACHE.glob("root-*"):
        shutil.rmtree(old)
    subprocess.run(["apt-get", "update", "-qq"], env=APT, stdin=subprocess.DEVNULL, check=True)
    mirror, components = mirror_of(codename)
    print(f"Building a {codename} host, once", flush=True)
    building, log = CACHE / "root-building", LOGS / "debootstrap.log"
    # In namespaces of its own: whatever it mounts and starts in the new root is gone with it, also when it is killed.
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command += ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", f"--exclude={WITHOUT}"]
    command += [f"--components={','.join(components)}", codename, str(building), mirror]
    with open(log, "w") as output:
        to_log: dict[str, t.Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
        made = subprocess.run(command, env=APT, check=False, **to_log)
        if made.returncode == 0:
            command = ["chroot", str(building), "/bin/sh", "-c", CUSTOMIZE]
            made = subprocess.run(command, check=False, **to_log)
    if made.returncode != 0:
        print("".join(open(log).readlines()[-20:]))
        raise Unfit(f"The host's root could not be built, see {log}.")
    # debootstrap leaves the resolver and the mirror of this machine in it; hosts have no business out there.
    for name in ("etc/resolv.conf", "etc/apt/sources.list"):
        (building / name).unlink(missing_ok=True)
    building.rename(root)
    return root
