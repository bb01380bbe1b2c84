# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages and archives of the daemons, with the names and the layout that upstream gives them.

What is in them is a real binary where one was named for the release, else the stand-in.
"""

from __future__ import annotations

import json
import platform
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipapp
from pathlib import Path

import yaml

HERE = Path(__file__).parent

MACHINE = platform.machine()
DEBIAN_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(MACHINE, MACHINE)

DEB = {
    "dfget": f"dfget-{{release}}-linux-{DEBIAN_ARCHITECTURE}.deb",
    "dfdaemon": f"dragonfly-client-v{{release}}-{MACHINE}-unknown-linux-musl.deb",
}
#: Name of an archive, and the directory in it.
ARCHIVE = {
    "dfget": (f"dragonfly-{{release}}-linux-{DEBIAN_ARCHITECTURE}.tar.gz", "."),
    "dfdaemon": (
        f"dragonfly-client-v{{release}}-{MACHINE}-unknown-linux-musl.tar.gz",
        f"dragonfly-client-v{{release}}-{MACHINE}-unknown-linux-musl",
    ),
}

CONTROL = """\
Package: {package}
Version: {release}
Architecture: {architecture}
Maintainer: Nobody <nobody@example.com>
Depends: {depends}
Description: the client {client} of Dragonfly, or what stands in for it in tests
"""

# As in build/package/nfpm of dragonflyoss/dragonfly: the package starts the daemon at once, with addresses of a
# Kubernetes cluster, and sends it SIGHUP on a reload.
DFGET_FILES = {
    "etc/dragonfly/dfget.yaml": """\
aliveTime: 0s
keepStorage: true
scheduler:
  netAddrs:
    - type: tcp
      addr: scheduler-0.dragonfly-system.svc:8002
storage:
  taskExpireTime: 10m0s
  multiplex: true
proxy:
  maxConcurrency: 12
  defaultFilter: Expires&Signature&ns
  tcpListen:
    listen: 127.0.0.1
    port: 65001
  proxies:
    - regx: (blobs|manifests|config)/sha256.*
""",
    "etc/systemd/system/dfget-daemon.service": """\
[Unit]
Description=Dragonfly dfget daemon
After=network.target

[Service]
Type=simple
ExecStart=/usr/bin/dfget daemon
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
Slice=dragonfly.slice
User=root
NoNewPrivileges=true
PrivateDevices=true
ProtectHome=false
PrivateTmp=true

[Install]
WantedBy=multi-user.target
""",
    "etc/systemd/system/dfget-daemon.service.d/CPUQuota.conf": "[Service]\nCPUQuota=100%\n",
}
DFGET_SCRIPTS = {
    "conffiles": "/etc/dragonfly/dfget.yaml\n",
    "preinst": """\
#!/bin/bash
if [[ -f /etc/systemd/system/dfget-daemon.service ]]; then systemctl stop dfget-daemon.service; fi
""",
    "postinst": """\
#!/bin/bash
chmod a+s /usr/bin/dfget
systemctl daemon-reload; systemctl enable --now dfget-daemon.service
""",
    "prerm": """\
#!/bin/bash
if [[ ! "$1" =~ "upgrade" ]]; then
  systemctl stop dfget-daemon.service; systemctl disable dfget-daemon.service
fi
""",
    "postrm": "#!/bin/bash\nsystemctl daemon-reload\n",
}

# As in ci/dfdaemon.service of dragonflyoss/client: a daemon that fails stays down.
DFDAEMON_FILES = {
    "lib/systemd/system/dfdaemon.service": """\
[Unit]
Description=dfdaemon is a high performance P2P download daemon
After=network-online.target
After=network.target

[Service]
ExecStart=/usr/bin/dfdaemon --config /etc/dragonfly/dfdaemon.yaml --console
Type=simple
Environment=HOME=/root
Restart=on-success
CPUQuota=100%
MemoryMax=8G

[Install]
WantedBy=multi-user.target
""",
}

PACKAGE = {"dfget": "dfget", "dfdaemon": "dragonfly-client"}
FILES = {"dfget": DFGET_FILES, "dfdaemon": DFDAEMON_FILES}
SCRIPTS = {"dfget": DFGET_SCRIPTS, "dfdaemon": {}}


def build_program(client: str, release: str, target: Path) -> None:
    """Write the stand-in for a daemon as one file that Python runs."""
    known = json.loads((HERE / "keys" / f"{client}-{release}.json").read_text())
    values = {"CLIENT": client, "RELEASE": release, "FLAGS": known["flags"], "KEYS": known["keys"]}
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "program"
        shutil.copytree(HERE / "program", source, ignore=shutil.ignore_patterns("__pycache__"))
        (source / "stands_for.py").write_text("".join(f"{name} = {value!r}\n" for name, value in values.items()))
        # The hosts have no YAML library, and none is put where the roles could find it.
        library = Path(yaml.__file__).parent
        (source / "yaml").mkdir()
        for module in library.glob("*.py"):
            shutil.copy(module, source / "yaml")
        zipapp.create_archive(source, target, interpreter="/usr/bin/python3")


def build(client: str, release: str, directory: Path, binary: Path | None = None) -> None:
    """Build the package and the archive of a release.

    :param client: ``dfget`` or ``dfdaemon``
    :param release: such as ``2.1.67``
    :param directory: where to
    :param binary: a real client of this release; the stand-in takes its place if there is none
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        program = root / "usr/bin" / client
        program.parent.mkdir(parents=True)
        if binary:
            shutil.copy(binary, program)
        else:
            build_program(client, release, program)
        program.chmod(0o755)
        archive, top = ARCHIVE[client]
        with tarfile.open(directory / archive.format(release=release), "w:gz", compresslevel=1) as tar:
            tar.add(program, Path(top.format(release=release)) / client)
        write_all(root, FILES[client])
        control = CONTROL.format(
            package=PACKAGE[client],
            client=client,
            release=release,
            architecture=DEBIAN_ARCHITECTURE,
            depends="systemd" if binary else "systemd, python3",
        )
        write_all(root / "DEBIAN", {"control": control, **SCRIPTS[client]})
        for script in SCRIPTS[client]:
            if script != "conffiles":
                (root / "DEBIAN" / script).chmod(0o755)
        root.chmod(stat.S_IRWXU | 0o055)
        deb = directory / DEB[client].format(release=release)
        subprocess.run(["dpkg-deb", "--build", "-Zgzip", "-z1", root, deb], stdout=subprocess.DEVNULL, check=True)


def build_go_archive(release: str, directory: Path, binaries: dict[str, Path | None]) -> None:
    """Build the archive of a release that holds its programs in Go.

    :param release: such as ``2.5.1``
    :param directory: where to
    :param binaries: real programs by their name; a stand-in takes the place of None
    """
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(directory / ARCHIVE["dfget"][0].format(release=release), "w:gz", compresslevel=1) as tar:
            for program, binary in binaries.items():
                file = Path(name) / program
                if binary:
                    shutil.copy(binary, file)
                else:
                    build_program(program, release, file)
                file.chmod(0o755)
                tar.add(file, program)


def write_all(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
