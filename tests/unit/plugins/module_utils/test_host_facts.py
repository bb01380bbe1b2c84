# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host: real files in a directory as its root, and the output of real programs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._containerd_facts import UNITS
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host import MAX_BYTES, Host, Output, option_of
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host_facts import gather

SECRET = "s3cr3t-marker"
NOT_FOUND = "LoadState=not-found\nActiveState=inactive\n"

# The output of dfget 2.1.67, dfdaemon 1.4.2 and Debian's containerd.
GO = (
    "Major: 2, Minor: 1, GitVersion: v2.1.67, GitCommit: 5c1f, Platform: linux, BuildTime: 2024-09-02,"
    " GoVersion: go1.23.0\n"
)
RUST = "dfdaemon 1.4.2 (5c1f 2026-07-23)\n"
CONTAINERD = "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1\n"
K3S = "containerd github.com/k3s-io/containerd v1.7.22-k3s1.28 \n"


class Machine:
    """A host in a directory.

    :ivar units: output of systemctl show, by name.
    :ivar programs: output by path; an int is the status with which ``config dump`` ends.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.units: dict[str, str] = {}
        self.programs: dict[str, str | int] = {}
        self.dumps: dict[str, str | int] = {}
        self.systemd: int | None = 0
        self.commands: list[list[str]] = []

    def run(self, argv: list[str]) -> Output | None:
        self.commands.append(argv)
        if argv[0] == "systemctl":
            if self.systemd is None:
                return None
            blocks = [self.units.get(name, NOT_FOUND) for name in argv[3:]]
            return Output(self.systemd, "\n".join(blocks), "")
        outputs = self.dumps if argv[-1] == "dump" else self.programs
        printed = outputs.get(argv[0])
        if printed is None:
            return None
        return Output(printed, "", f"{SECRET}") if isinstance(printed, int) else Output(0, printed, "")

    def write(self, path: str, text: str | bytes) -> str:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def install(self, path: str, version: str, dump: str | int | None = None) -> None:
        self.write(path, "")
        os.chmod(self.root / path.lstrip("/"), 0o755)
        self.programs[path] = version
        if dump is not None:
            self.dumps[path] = dump

    @property
    def host(self) -> Host:
        return Host(self.run, str(self.root))

    def gather(self, **options: Any) -> dict[str, Any]:
        return gather(self.host, **options)

    def containerd(self, path: str | None = None, certs_dir: str | None = None) -> dict[str, Any]:
        return self.gather(containerd_config=path, certs_dir=certs_dir)["containerd"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def unit(command: str, age: float = 60.0, state: str = "active", more: str = "") -> str:
    started = int((time.monotonic() - age) * 1e6)
    return (
        f"LoadState=loaded\nActiveState={state}\nExecMainStartTimestampMonotonic={started}\n{more}"
        f"ExecStart={{ path={command.split()[0]} ; argv[]={command} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }}\n"
    )


def test_a_host(machine: Machine) -> None:
    config = machine.write("/own.yaml", f"proxy: {{defaultFilter: ns, basicAuth: {{password: {SECRET}}}}}\n")
    toml = machine.write(
        "/etc/containerd/config.toml",
        'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/srv/certs.d"\n',
    )
    mirror = machine.write(
        "/srv/certs.d/docker.io/hosts.toml",
        f'server = "https://docker.io"\n[host."http://u:{SECRET}@h".header]\nx = "{SECRET}"',
    )
    (machine.root / "srv/certs.d/ghcr.io").mkdir()
    machine.install("/opt/bin/dfget", GO)
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.units["dfget-daemon.service"] = unit(f"/opt/bin/dfget daemon --config {config}")
    facts = machine.gather(client_configs={"dfdaemon": "/none.yaml"})
    dfget = facts["clients"]["dfget"]
    assert dfget["config"]["path"] == config
    assert "defaultFilter: ns" in dfget["config"]["text"]
    assert dfget["version"] == "2.1.67"
    assert (dfget["unit"]["name"], dfget["unit"]["state"]) == ("dfget-daemon.service", "active")
    assert abs(dfget["unit"]["since"] - (time.time() - 60)) < 5
    assert facts["clients"]["dfdaemon"]["config"]["text"] is None
    assert facts["clients"]["dfdaemon"]["version"] is None
    containerd = facts["containerd"]
    assert (containerd["config"]["path"], containerd["distribution"]) == (toml, "containerd")
    assert (containerd["version"], containerd["unit"]) == ("1.6.20", None)
    hosts = {file["path"]: file for file in containerd["hosts"]}
    assert list(hosts) == [mirror, "/srv/certs.d/ghcr.io/hosts.toml"]
    assert hosts["/srv/certs.d/ghcr.io/hosts.toml"]["exists"] is False
    assert SECRET not in repr(facts)


PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
PEM_KEY = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"


def test_the_files_that_config_toml_names_for_tls(machine: Machine) -> None:
    machine.write("/pki/ca.pem", PEM)
    table = '[plugins."io.containerd.grpc.v1.cri".registry.configs."h".tls]'
    text = f'{table}\nca_file = "/pki/ca.pem"\ncert_file = "pki/none.pem"\nkey_file = "{PEM_KEY.splitlines()[0]}"\n'
    machine.write("/etc/containerd/config.toml", f'version = 2\n{text}[stream]\ntls_key_file = "/{SECRET}"\n')
    containerd = machine.containerd()
    assert containerd["certificates"]["/pki/ca.pem"] == {"error": None, "holds": ["certificate"]}
    assert containerd["certificates"]["/pki/none.pem"] == {"error": "it does not exist", "holds": []}
    assert 'ca_file = "/pki/ca.pem"' in containerd["config"]["text"]
    assert "PRIVATE" not in repr(containerd)
    assert SECRET not in repr(containerd)


def test_the_files_that_hosts_toml_names_for_tls(machine: Machine) -> None:
    folder = "/etc/containerd/certs.d/registry.example.com"
    machine.write(f"{folder}/ca.pem", f"# of the house\n{PEM}")
    machine.write("/pki/pair.pem", PEM + PEM_KEY)
    machine.write("/pki/old.key", PEM_KEY.replace("PRIVATE", "RSA PRIVATE"))
    machine.write("/pki/encrypted.key", PEM_KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"))
    machine.write("/pki/encrypted-too.key", PEM_KEY.replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n", 1))
    machine.write("/pki/empty", "")
    (machine.root / "pki/folder").mkdir()
    machine.write(
        f"{folder}/hosts.toml",
        'ca = ["ca.pem",\n "/pki/none.pem"]\n# ca = "/comment.pem"\n[host."http://h"]\nclient = \'/pki/pair.pem\'\n'
        '[host."http://h2"]\nclient = [["/pki/empty", "/pki/old.key"],\n["/pki/folder", "/pki/encrypted.key"], '
        '["sub/../ca.pem", "/pki/encrypted-too.key"]]\n',
    )
    (hosts,) = machine.containerd()["hosts"]
    assert hosts["certificates"] == {
        f"{folder}/ca.pem": {"error": None, "holds": ["certificate"]},
        "/pki/none.pem": {"error": "it does not exist", "holds": []},
        "/pki/pair.pem": {"error": None, "holds": ["certificate", "key"]},
        "/pki/empty": {"error": None, "holds": []},
        "/pki/old.key": {"error": None, "holds": ["key"]},
        "/pki/folder": {"error": "Is a directory", "holds": []},
        "/pki/encrypted.key": {"error": None, "holds": []},
        "/pki/encrypted-too.key": {"error": None, "holds": []},
    }
    assert '"/pki/none.pem"' in hosts["text"]
    assert SECRET not in repr(hosts)


def test_a_key_in_place_of_its_path_stays_on_the_host(machine: Machine) -> None:
    key = PEM_KEY.replace("\n", "\\n")
    machine.write(
        "/etc/containerd/certs.d/h/hosts.toml",
        f"client = \"{key}\"\nca = '''\n{PEM_KEY}'''\n[host.'http://h']\nclient = [\"{SECRET * 100}\"]\n",
    )
    (hosts,) = machine.containerd()["hosts"]
    assert SECRET not in hosts["text"]
    assert hosts["text"].count("hidden") == 3


def test_all_units_are_queried_at_once(machine: Machine) -> None:
    machine.gather()
    assert [command[0] for command in machine.commands] == ["systemctl"]


@pytest.mark.parametrize(
    "output, version",
    [
        (GO, "2.1.67"),
        ("MajorVersion:\t2\nGitVersion:\tv2.3.4\n", "2.3.4"),
        (RUST, "1.4.2"),
        (CONTAINERD, "1.6.20"),
        (K3S, "1.7.22"),
        ("containerd containerd.io 2.2.0 abcdef", "2.2.0"),
        ("", None),
        ("error: 1.2", None),
        (None, None),
    ],
)
def test_releases(machine: Machine, output: str | None, version: str | None) -> None:
    if output is not None:
        machine.programs["/x"] = output
    assert machine.host.version(["/x"]) == version


@pytest.mark.parametrize(
    "command, path",
    [
        ("/usr/bin/dfdaemon --config /a.yaml --console", "/a.yaml"),
        ("dfget daemon --config=/b.yaml", "/b.yaml"),
        ("dfdaemon -c /c.yaml", "/c.yaml"),
        ("dfdaemon", None),
        ("dfdaemon -c", None),
    ],
)
def test_the_configuration_that_a_command_names(command: str, path: str | None) -> None:
    assert option_of(command.split(), ("--config", "-c")) == path


def test_a_unit_that_does_not_run(machine: Machine) -> None:
    machine.units["x.service"] = unit("x", state="failed")
    facts = machine.host.units(["x.service"])["x.service"].facts()
    assert facts == {"name": "x.service", "state": "failed", "since": None, "error": ""}


def test_files_that_cannot_be_read(machine: Machine) -> None:
    machine.write("/latin", b"a: \xe4")
    machine.write("/large", b"#" * (MAX_BYTES + 1))
    (machine.root / "folder").mkdir()
    errors = {name: machine.host.file(f"/{name}", str)["error"] for name in ("latin", "large", "latin/below", "folder")}
    assert errors == {
        "latin": "it is not in UTF-8 (byte 3)",
        "large": "it is larger than 1048576 bytes",
        "latin/below": None,
        "folder": "Is a directory",
    }


def test_a_byte_order_mark_and_a_mark_of_a_role(machine: Machine) -> None:
    machine.write("/a", "\ufeff# Written by the Ansible role a.b.c, changes are lost.\nx = 1\n")
    file = machine.host.file("/a", lambda text: text.splitlines()[1])
    assert (file["bom"], file["written_by"], file["text"], file["mode"]) == (True, "a.b.c", "x = 1", "0644")


# Detection of containerd


CONFIG = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/srv/certs.d"\n'


@pytest.mark.parametrize("more", ["", "/etc/containerd/config.toml", "/etc/containerd/certs.d/docker.io/hosts.toml"])
def test_files_alone_are_not_a_containerd(machine: Machine, more: str) -> None:
    if more:
        machine.write(more, "")
    facts = machine.containerd()
    assert (facts["distribution"], facts["unit"], facts["version"]) == (None, None, None)


@pytest.mark.parametrize("what", ["program", "unit", "socket"])
def test_what_makes_a_containerd(machine: Machine, what: str) -> None:
    if what == "program":
        machine.install("/usr/local/bin/containerd", CONTAINERD)
    elif what == "unit":
        machine.units["containerd.service"] = unit("/opt/containerd")
    else:
        machine.write("/run/containerd/containerd.sock", "")
    assert machine.containerd()["distribution"] == "containerd"


KOPS = 'Environment=A=1 "CONTAINERD_OPTS=--log-level info"\n'


@pytest.mark.parametrize(
    "command, more, files, path",
    [
        ("/usr/bin/containerd", "", {}, "/etc/containerd/config.toml"),
        ("/usr/bin/containerd -c /etc/containerd/config-kops.toml", "", {}, "/etc/containerd/config-kops.toml"),
        ("/usr/bin/containerd --config=/a.toml --log-level debug", "", {}, "/a.toml"),
        ("/usr/bin/nice -n 5 /usr/bin/containerd -c /b.toml", "", {}, "/b.toml"),
        ("/usr/bin/containerd $CONTAINERD_OPTS", KOPS, {}, "/etc/containerd/config.toml"),
        ("/usr/bin/containerd $OPTS", 'Environment="OPTS=-c /c.toml"\n', {}, "/c.toml"),
        ("/usr/bin/containerd --config ${FILE}", "Environment=FILE=/d.toml\n", {}, "/d.toml"),
        (
            "/usr/bin/containerd $OPTS",
            "EnvironmentFiles=/etc/default/containerd (ignore_errors=yes)\n",
            {"/etc/default/containerd": "# OPTS=-c /no.toml\nOPTS=--log-level info -c /e.toml\n"},
            "/e.toml",
        ),
        (
            "/usr/bin/containerd $OPTS",
            "EnvironmentFiles=/etc/sysconfig/a (ignore_errors=no)\n"
            "EnvironmentFiles=/etc/sysconfig/b (ignore_errors=no)\n",
            {"/etc/sysconfig/a": "OPTS=-c /no.toml\n", "/etc/sysconfig/b": 'OPTS="-c /f.toml"\n'},
            "/f.toml",
        ),
        # As systemd 252 expands them.
        ("/usr/bin/containerd --config /etc/a$$b.toml", "", {}, "/etc/a$b.toml"),
        ("/usr/bin/containerd $OPTS", "Environment='OPTS=-c \"/a b.toml\"'\n", {}, "/a b.toml"),
        # systemctl does not quote; the process shows the arguments.
        (
            "/usr/bin/containerd --label a ; b --config /a b.toml",
            "MainPID=7\n",
            {"/proc/7/cmdline": "/usr/bin/containerd\0--label\0a ; b\0--config\0/a b.toml\0"},
            "/a b.toml",
        ),
        # What follows -- is not an option.
        ("/usr/bin/containerd -- -c /no.toml", "", {}, "/etc/containerd/config.toml"),
        (
            "/usr/bin/containerd $OPTS",
            'Environment="OPTS=-c /h.toml" OTHER=1\nUnsetEnvironment=OTHER OPTS=another\n',
            {},
            "/h.toml",
        ),
        (
            "/usr/bin/containerd $OPTS",
            'Environment="OPTS=-c /no.toml"\nUnsetEnvironment=OPTS\n',
            {},
            "/etc/containerd/config.toml",
        ),
        (
            "/usr/bin/containerd $OPTS",
            'Environment="OPTS=-c /i.toml"\nPassEnvironment=OPTS OTHER\n',
            {},
            "/i.toml",
        ),
        # The configuration of systemd, whose drop-ins in /etc replace those of the same name.
        (
            "/usr/bin/containerd $OPTS $MORE",
            "",
            {
                "/etc/systemd/system.conf": '[Manager]\nDefaultEnvironment="OPTS=-c /no.toml"\n',
                "/usr/lib/systemd/system.conf.d/b.conf": '[Manager]\nDefaultEnvironment="OPTS=-c /no.toml"\n',
                "/etc/systemd/system.conf.d/b.conf": '[Manager]\nDefaultEnvironment="OPTS=-c \\\n/j.toml" MORE=\n',
            },
            "/j.toml",
        ),
        (
            "/usr/bin/containerd $OPTS",
            'Environment="OPTS=-c /k.toml"\n',
            {"/etc/systemd/system.conf": '[Manager]\nDefaultEnvironment="OPTS=-c /no.toml"\n'},
            "/k.toml",
        ),
        # The unit has changed since it was started.
        ("/usr/bin/containerd -c /g.toml", "MainPID=7\n", {"/proc/7/cmdline": "/usr/bin/containerd\0"}, "/g.toml"),
    ],
)
def test_the_configuration_that_the_unit_names(
    machine: Machine, command: str, more: str, files: dict[str, str], path: str
) -> None:
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.units["containerd.service"] = unit(command, more=more)
    for name, text in files.items():
        machine.write(name, text)
    facts = machine.containerd()
    assert (facts["config"]["path"], facts["config_error"]) == (path, "")
    # The user's path always counts.
    assert machine.containerd("/own.toml")["config"]["path"] == "/own.toml"


@pytest.mark.parametrize(
    "command, error",
    [
        ("/bin/sh -c 'exec containerd -c /x'", "its command is a script of /bin/sh"),
        ("/opt/start-containerd", "its command does not start containerd itself"),
        (
            "/usr/bin/containerd -c own.toml",
            "its command names the configuration 'own.toml', which is not an absolute path",
        ),
        ("/usr/bin/containerd -c ${NONE}", "its command names the configuration '', which is not an absolute path"),
        ("/usr/bin/containerd -c=$F", "its command names the configuration '$F', which is not an absolute path"),
    ],
)
def test_a_unit_whose_configuration_is_not_known(machine: Machine, command: str, error: str) -> None:
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.units["containerd.service"] = unit(command)
    assert machine.containerd()["config_error"] == error
    assert machine.containerd("/own.toml")["config_error"] == ""


@pytest.mark.parametrize(
    "command, more, error",
    [
        (
            "/usr/bin/containerd $OPTS",
            "PassEnvironment=OPTS\n",
            "its command uses OPTS, which PassEnvironment takes from the environment of systemd",
        ),
        (
            "/usr/bin/containerd $DEFAULT",
            "PassEnvironment=DEFAULT\n",
            "its command uses DEFAULT, which PassEnvironment takes from the environment of systemd",
        ),
        # The variable may name another configuration, and the last option counts.
        (
            "/usr/bin/containerd --config /a.toml $OPTS",
            "PassEnvironment=OPTS\n",
            "its command uses OPTS, which PassEnvironment takes from the environment of systemd",
        ),
        (
            "/usr/bin/containerd --config ${CONFIGURATION_DIRECTORY}/config.toml",
            "",
            "its command uses CONFIGURATION_DIRECTORY, which systemd sets",
        ),
        # The prefix : of a command.
        (
            "/usr/bin/containerd --config $F",
            "Environment=F=/a.toml\nExecStartEx={ path=/x ; argv[]=/x ; flags=no-env-expand ; start_time=[n/a] }\n",
            "its command names the configuration '$F', which is not an absolute path",
        ),
        (
            "/usr/bin/containerd --config ${F}",
            "UnsetEnvironment=F\nEnvironment=F=/a.toml\n",
            "its command names the configuration '', which is not an absolute path",
        ),
        # As systemctl show prints an empty argument.
        (
            "/usr/bin/containerd --config ",
            "",
            "its command names the configuration '', which is not an absolute path",
        ),
    ],
)
def test_a_unit_whose_variables_are_not_known(machine: Machine, command: str, more: str, error: str) -> None:
    machine.write("/etc/systemd/system.conf", "[Manager]\nDefaultEnvironment=DEFAULT=\n")
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.units["containerd.service"] = unit(command, more=more)
    assert machine.containerd()["config_error"] == error


def test_a_program_with_another_name(machine: Machine) -> None:
    """The prefix @ of a command sets the name that its process shows."""
    machine.install("/opt/containerd", CONTAINERD)
    machine.install("/usr/bin/containerd", K3S)
    shown = unit("/opt/containerd").replace("argv[]=/opt/containerd", "argv[]=cri -c /a.toml")
    machine.units["containerd.service"] = shown
    facts = machine.containerd()
    assert (facts["program"], facts["version"], facts["config"]["path"]) == ("/opt/containerd", "1.6.20", "/a.toml")


def test_the_running_process_tells_what_a_script_hides(machine: Machine) -> None:
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.units["containerd.service"] = unit("/opt/start-containerd")
    machine.write("/proc/7/cmdline", "/usr/bin/containerd\0-c\0/run/own.toml\0")
    facts = machine.containerd()
    assert (facts["config"]["path"], facts["config_error"]) == ("/run/own.toml", "")


def test_several_processes_do_not_tell_what_a_script_hides(machine: Machine) -> None:
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.units["containerd.service"] = unit("/opt/start-containerd")
    machine.write("/proc/7/cmdline", "/usr/bin/containerd\0-c\0/run/own.toml\0")
    machine.write("/proc/8/cmdline", "/usr/bin/containerd\0-c\0/var/run/docker/containerd.toml\0")
    assert machine.containerd()["config_error"] == "several run, with /run/own.toml, /var/run/docker/containerd.toml"
    assert machine.containerd("/run/own.toml")["config_error"] == ""


def test_a_process_without_a_unit_that_names_a_relative_path(machine: Machine) -> None:
    machine.write("/proc/7/cmdline", "containerd\0-c\0own.toml\0")
    facts = machine.containerd()
    assert (facts["distribution"], "'own.toml'" in facts["config_error"]) == ("unknown", True)


@pytest.mark.parametrize("client", ["dfget", "dfdaemon"])
@pytest.mark.parametrize(
    "command, error",
    [
        ("/bin/sh -c 'exec {client} --config /x.yaml'", "its command is a script of /bin/sh"),
        ("{client} --config x.yaml", "its command names the configuration 'x.yaml', which is not an absolute path"),
        ("{client} --config=${{X}}", "its command names the configuration '', which is not an absolute path"),
        ("{client} --config /x.yaml", ""),
        ("{client} --verbose", ""),
    ],
)
def test_a_client_whose_configuration_is_not_known(machine: Machine, client: str, command: str, error: str) -> None:
    name = {"dfget": "dfget-daemon.service", "dfdaemon": "dfdaemon.service"}[client]
    machine.units[name] = unit(command.format(client=client))
    machine.write(f"/etc/dragonfly/{client}.yaml", "a: 1\n")
    assert machine.gather()["clients"][client]["unit"]["error"] == error
    # What the user names counts in any case.
    named = machine.gather(client_configs={client: "/own.yaml"})["clients"][client]
    assert (named["config"]["path"], named["unit"]["error"]) == ("/own.yaml", "")


def test_the_running_process_tells_which_file_another_init_names(machine: Machine) -> None:
    machine.systemd = None
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.write("/proc/7/cmdline", "/usr/bin/containerd\0--config=/run/own.toml\0")
    machine.write("/proc/9/cmdline", "/usr/bin/containerd\0--config\0/run/own.toml\0")
    facts = machine.containerd()
    assert (facts["distribution"], facts["config"]["path"]) == ("containerd", "/run/own.toml")
    machine.write("/proc/9/cmdline", "containerd\0--config\0/var/run/docker/containerd/containerd.toml\0")
    facts = machine.containerd()
    both = "several run, with /run/own.toml, /var/run/docker/containerd/containerd.toml"
    assert (facts["distribution"], facts["config_error"]) == ("unknown", both)
    assert machine.containerd("/run/own.toml")["distribution"] == "containerd"


def test_systemd_that_cannot_be_queried(machine: Machine) -> None:
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.systemd = 1
    assert machine.containerd()["config_error"] == ""  # It is installed, but is not the init system.
    (machine.root / "run/systemd/system").mkdir(parents=True)
    facts = machine.gather()
    assert facts["containerd"]["config_error"] == "systemctl show ends with status 1"
    assert facts["clients"]["dfget"]["unit"]["error"] == "systemctl show ends with status 1"
    machine.systemd = None
    assert machine.containerd()["config_error"] == ""


K3S_CONFIG = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"


@pytest.mark.parametrize(
    "name, unit_name, config, sources",
    [
        ("k3s", "k3s.service", K3S_CONFIG, "/etc/rancher/k3s/registries.yaml"),
        ("k3s", "k3s-agent.service", K3S_CONFIG, "/etc/rancher/k3s/registries.yaml"),
        (
            "rke2",
            "rke2-agent.service",
            "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
            "/etc/rancher/rke2/registries.yaml",
        ),
        (
            "microk8s",
            "snap.microk8s.daemon-containerd.service",
            "/var/snap/microk8s/current/args/containerd.toml",
            "/var/snap/microk8s/current/args/containerd-template.toml",
        ),
        ("k0s", "k0sworker.service", "/etc/k0s/containerd.toml", "/etc/k0s/containerd.d/own.toml"),
    ],
)
def test_distributions(machine: Machine, name: str, unit_name: str, config: str, sources: str) -> None:
    machine.units[unit_name] = unit(f"/usr/local/bin/{name} server")
    machine.write(config, CONFIG)
    machine.write(sources, f"mirrors:\n  docker.io:\n    endpoint: [http://u:{SECRET}@h]\n")
    facts = machine.containerd()
    assert (facts["distribution"], facts["config"]["path"]) == (name, config)
    assert facts["unit"]["name"] == unit_name
    assert [file["path"] for file in facts["sources"]] == [sources]
    assert SECRET not in repr(facts)
    # Another one that is installed but does not run does not count.
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.units["containerd.service"] = unit("/usr/bin/containerd", state="inactive")
    assert machine.containerd()["distribution"] == name
    assert machine.containerd("/etc/containerd/config.toml")["distribution"] == "containerd"


@pytest.mark.parametrize(
    "command, file",
    [
        ("/usr/local/bin/k3s agent --docker", ""),
        ("/usr/local/bin/k3s server --container-runtime-endpoint=unix:///run/containerd/containerd.sock", ""),
        ("/usr/local/bin/k3s server", "container-runtime-endpoint: /run/containerd/containerd.sock\n"),
        ("/usr/local/bin/k3s server", "docker: true\n"),
    ],
)
def test_k3s_with_a_containerd_of_the_host(machine: Machine, command: str, file: str) -> None:
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.units["k3s.service"] = unit(command)
    machine.write("/etc/rancher/k3s/config.yaml", file)
    assert machine.containerd()["distribution"] == "containerd"


@pytest.mark.parametrize(
    "command, file",
    [
        ("k3s server --data-dir /data/k3s", ""),
        ("k3s server", 'data-dir: "/data/k3s"\n'),
        ("k3s server", "d: /data/k3s/ # moved\n"),
        ("k3s server ${K3S_OPTS}", ""),
    ],
)
def test_k3s_in_another_folder(machine: Machine, command: str, file: str) -> None:
    more = "Environment=K3S_DATA_DIR=/data/k3s\n" if "$" in command else ""
    machine.units["k3s.service"] = unit(f"/usr/local/bin/{command}", more=more)
    machine.write("/etc/rancher/k3s/config.yaml", file)
    machine.install("/data/k3s/data/current/bin/containerd", K3S)
    facts = machine.containerd()
    assert facts["config"]["path"] == "/data/k3s/agent/etc/containerd/config.toml"
    assert facts["version"] == "1.7.22"


@pytest.mark.parametrize(
    "unit_name, command, more, files",
    [
        ("rke2-server.service", "rke2 server --data-dir /data", "", {}),
        ("rke2-agent.service", "rke2 agent -d=/data/", "", {}),
        ("rke2-server.service", "rke2 server", "", {"/etc/rancher/rke2/config.yaml": "data-dir: /data\n"}),
        ("rke2-server.service", "rke2 server", "", {"/etc/rancher/rke2/config.yaml.d/x.yaml": "data-dir: /data\n"}),
        ("rke2-server.service", "rke2 server", "Environment=RKE2_DATA_DIR=/data\n", {}),
        (
            "rke2-agent.service",
            "rke2 agent",
            "EnvironmentFiles=/etc/default/rke2-agent (ignore_errors=yes)\n",
            {"/etc/default/rke2-agent": "RKE2_DATA_DIR=/data\n"},
        ),
        # A variable of another program, and one that a file overrides.
        ("rke2-server.service", "rke2 server -d /data", "Environment=K3S_DATA_DIR=/no\n", {}),
        (
            "rke2-server.service",
            "rke2 server",
            "Environment=RKE2_DATA_DIR=/no\n",
            {"/etc/rancher/rke2/config.yaml": "data-dir: /data\n"},
        ),
    ],
)
def test_rke2_in_another_folder(
    machine: Machine, unit_name: str, command: str, more: str, files: dict[str, str]
) -> None:
    for path, text in files.items():
        machine.write(path, text)
    machine.units[unit_name] = unit(f"/usr/local/bin/{command}", more=more)
    machine.install("/data/bin/containerd", K3S)
    facts = machine.containerd()
    assert (facts["config"]["path"], facts["version"]) == ("/data/agent/etc/containerd/config.toml", "1.7.22")
    assert facts["settings_error"] is None


@pytest.mark.parametrize("value", ["data", "~/data"])
def test_a_data_directory_that_is_not_absolute(machine: Machine, value: str) -> None:
    machine.units["rke2-agent.service"] = unit("/usr/bin/rke2 agent", more=f"Environment=RKE2_DATA_DIR={value}\n")
    error = {"key": "rke2-agent.service", "error": "its RKE2_DATA_DIR is not an absolute path"}
    assert machine.containerd()["settings_error"] == error


def test_k3s_under_openrc(machine: Machine) -> None:
    machine.systemd = None
    machine.write("/etc/init.d/k3s", 'command_args="server --data-dir=/data --private-registry=/r.yaml >>/log 2>&1"\n')
    machine.write("/data/agent/etc/containerd/config.toml", "version = 3\n")
    machine.install("/data/data/current/bin/containerd", K3S)
    machine.write("/r.yaml", "mirrors: {}\n")
    facts = machine.containerd()
    assert (facts["distribution"], facts["version"]) == ("k3s", "1.7.22")
    assert facts["config"]["path"] == "/data/agent/etc/containerd/config.toml"
    assert [file["path"] for file in facts["sources"]] == ["/r.yaml"]


RANCHER = "/etc/rancher/k3s"


@pytest.mark.parametrize(
    "command, more, files, sources",
    [
        ("k3s server", "", {}, [f"{RANCHER}/registries.yaml"]),
        ("k3s server --private-registry /own.yaml", "", {}, ["/own.yaml"]),
        (
            "k3s agent --private-registry=/own.yaml",
            "",
            {f"{RANCHER}/config.yaml": "private-registry: /no"},
            ["/own.yaml"],
        ),
        ("k3s server '--private-registry=/own.yaml'", "", {}, ["/own.yaml"]),
        ("k3s server $X", 'Environment="X=--private-registry /own.yaml"\n', {}, ["/own.yaml"]),
        (
            "k3s server",
            "",
            {f"{RANCHER}/config.yaml": "private-registry: '/own.yaml'"},
            ["/own.yaml", f"{RANCHER}/config.yaml"],
        ),
        (
            "k3s server",
            "",
            {
                f"{RANCHER}/config.yaml.d/b.YML": "private-registry+: /own.yaml",
                f"{RANCHER}/config.yaml.d/a.yaml": "a: b",
            },
            ["/own.yaml", f"{RANCHER}/config.yaml.d/b.YML"],
        ),
        (
            "k3s server",
            "",
            {f"{RANCHER}/config.yaml.d/.a.yaml": "private-registry: /own.yaml", f"{RANCHER}/config.yaml.d/a.txt": "]"},
            ["/own.yaml", f"{RANCHER}/config.yaml.d/.a.yaml"],
        ),
        ("k3s server -c /c.yaml", "", {"/c.yaml": "private-registry: /own.yaml"}, ["/own.yaml", "/c.yaml"]),
        ("k3s server --config=/gone", "", {f"{RANCHER}/config.yaml": "]"}, [f"{RANCHER}/registries.yaml"]),
        # The first one counts.
        ("k3s server -c /c.yaml -c /d.yaml", "", {"/c.yaml.d/1.yaml": "private-registry: /own.yaml"}, ["/own.yaml"]),
        (
            "k3s server -c /no.yaml",
            "Environment=K3S_CONFIG_FILE=/c.yaml\n",
            {"/c.yaml": "private-registry: /own.yaml", "/no.yaml": "]"},
            ["/own.yaml", "/c.yaml"],
        ),
        (
            "k3s server",
            "EnvironmentFiles=/etc/systemd/system/k3s.service.env (ignore_errors=yes)\n",
            {
                "/etc/systemd/system/k3s.service.env": "K3S_CONFIG_FILE='/c.yaml'\n",
                "/c.yaml": "private-registry: /own.yaml",
            },
            ["/own.yaml", "/c.yaml"],
        ),
    ],
)
def test_the_registries_that_k3s_reads(
    machine: Machine, command: str, more: str, files: dict[str, str], sources: list[str]
) -> None:
    machine.units["k3s.service"] = unit(f"/usr/local/bin/{command}", more=more)
    machine.write(f"{RANCHER}/registries.yaml", "")
    machine.write("/own.yaml", f"configs: {{a: {{auth: {{password: {SECRET}}}}}}}\n")
    for name, text in files.items():
        machine.write(name, f"token: {SECRET}\n{text}\n" if name.endswith("yaml") else text)
    facts = machine.containerd()
    assert (facts["distribution"], facts["settings_error"]) == ("k3s", None)
    assert facts["registries"] == sources[0]
    assert [file["path"] for file in facts["sources"]][: len(sources)] == sources
    assert SECRET not in repr(facts)


def test_the_registries_that_rke2_reads(machine: Machine) -> None:
    machine.units["rke2-server.service"] = unit("/usr/local/bin/rke2 server", more="Environment=RKE2_CONFIG_FILE=/c\n")
    machine.write("/c.d/1.yaml", "private-registry: /own.yaml\n")
    machine.write("/etc/rancher/rke2/config.yaml", "private-registry: /no.yaml\n")
    assert machine.containerd()["registries"] == "/own.yaml"
    del machine.units["rke2-server.service"]
    machine.write("/var/lib/rancher/rke2/agent/etc/containerd/config.toml", CONFIG)
    assert machine.containerd()["registries"] == "/no.yaml"


@pytest.mark.parametrize(
    "command, files, key, error",
    [
        ("/bin/sh -c 'k3s server'", {}, "k3s.service", "its command is a script of /bin/sh"),
        ("/opt/start", {}, "k3s.service", "its command does not start k3s itself"),
        ("/bin/k3s server -c https://a", {}, "k3s.service", "its --config or K3S_CONFIG_FILE is not an absolute path"),
        (
            "/bin/k3s server --private-registry=a",
            {},
            "k3s.service --private-registry",
            "the value is not an absolute path",
        ),
        (
            "/bin/k3s server",
            {f"{RANCHER}/config.yaml": "private-registry: [/a]"},
            f"{RANCHER}/config.yaml private-registry",
            "the value is not a single plain string",
        ),
        (
            "/bin/k3s server",
            {f"{RANCHER}/config.yaml": "container-runtime-endpoint: [/a]"},
            f"{RANCHER}/config.yaml container-runtime-endpoint",
            "the value is not a single plain string",
        ),
        (
            "/bin/k3s server",
            {f"{RANCHER}/config.yaml": "data-dir: *a"},
            f"{RANCHER}/config.yaml data-dir",
            "the value is not a single plain string",
        ),
        (
            "/bin/k3s server",
            {f"{RANCHER}/config.yaml.d/1.yaml": "a: 1\n{"},
            f"{RANCHER}/config.yaml.d/1.yaml",
            "line 2 is not a setting in the form KEY: VALUE, or is not valid YAML",
        ),
        (
            "/bin/k3s server",
            {f"{RANCHER}/config.yaml": b"a: \xff"},
            f"{RANCHER}/config.yaml",
            "it is not in UTF-8 (byte 3)",
        ),
        ("/bin/k3s server", {f"{RANCHER}/config.yaml/x": ""}, f"{RANCHER}/config.yaml", "Is a directory"),
    ],
)
def test_settings_of_k3s_that_are_not_known(
    machine: Machine, command: str, files: dict[str, str | bytes], key: str, error: str
) -> None:
    machine.units["k3s.service"] = unit(command)
    for name, text in files.items():
        machine.write(name, text)
    facts = machine.containerd()
    assert (facts["distribution"], facts["settings_error"]) == ("k3s", {"key": key, "error": error})
    # Not even if the user names the configuration of its containerd.
    named = machine.containerd("/data/agent/etc/containerd/config.toml")
    assert (named["distribution"], named["settings_error"]) == ("k3s", {"key": key, "error": error})


def test_settings_of_k3s_that_systemd_hides(machine: Machine) -> None:
    machine.write(K3S_CONFIG, CONFIG)
    (machine.root / "run/systemd/system").mkdir(parents=True)
    machine.systemd = 1
    error = {"key": "k3s.service", "error": "systemctl show ends with status 1"}
    assert machine.containerd()["settings_error"] == error


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("name", [f"{RANCHER}/config.yaml.d", "/env", f"{RANCHER}/config.yaml"])
def test_settings_of_k3s_without_permission(machine: Machine, name: str) -> None:
    machine.units["k3s.service"] = unit("/bin/k3s server", more="EnvironmentFiles=/env (ignore_errors=yes)\n")
    machine.write("/env", "")
    machine.write(f"{RANCHER}/config.yaml", "")
    machine.write(f"{RANCHER}/config.yaml.d/1.yaml", "")
    os.chmod(machine.root / name.lstrip("/"), 0)
    error = machine.containerd()["settings_error"]["error"]
    os.chmod(machine.root / name.lstrip("/"), 0o700)
    assert error in ("Permission denied", "its EnvironmentFile /env cannot be read")


def test_an_unknown_containerd(machine: Machine) -> None:
    machine.write("/proc/8/cmdline", "containerd\0--config\0/var/run/docker/containerd/containerd.toml\0")
    facts = machine.containerd()
    assert (facts["distribution"], facts["config"]["path"]) == (
        "unknown",
        "/var/run/docker/containerd/containerd.toml",
    )
    assert machine.containerd("/own.toml")["distribution"] == "containerd"


def test_units_that_are_known_are_queried() -> None:
    assert {"containerd.service", "k3s.service", "rke2-server.service", "k0scontroller.service"} <= set(UNITS)


# Files that it reads


def test_imports_come_in_the_order_of_containerd_and_once(machine: Machine) -> None:
    machine.install("/usr/bin/containerd", CONTAINERD)
    machine.write(
        "/etc/containerd/config.toml",
        'imports = [\n  "conf.d/*.toml",  # all\n  "/etc/containerd/config.toml", \'/gone.toml\'\n]\n',
    )
    machine.write("/etc/containerd/conf.d/b.toml", 'imports = ["../config.toml", "more/*.toml"]\n')
    machine.write("/etc/containerd/conf.d/a.toml", f'[plugins.x]\npassword = "{SECRET}"\n')
    machine.write("/etc/containerd/conf.d/more/c.toml", 'imports = ["c.toml"]\n')
    facts = machine.containerd()
    assert [file["path"] for file in facts["imports"]] == [
        "/etc/containerd/conf.d/a.toml",
        "/etc/containerd/conf.d/b.toml",
        "/gone.toml",
        "/etc/containerd/conf.d/more/c.toml",
    ]
    assert [file["exists"] for file in facts["imports"]] == [True, True, False, True]
    assert SECRET not in repr(facts)


@pytest.mark.parametrize(
    "pattern, names",
    [
        ("*.toml", [".h.toml", "a.toml", "b.toml"]),
        ("*", [".h.toml", "a.conf", "a.toml", "b.toml"]),
        ("?h*", [".h.toml"]),
        ("**.toml", [".h.toml", "a.toml", "b.toml"]),
        ("[a]*.toml", ["a.toml"]),
        ("[^a]*.toml", [".h.toml", "b.toml"]),
        # In Go, an exclamation mark does not negate.
        ("[!a]*.toml", ["a.toml"]),
        (r"\\a*.toml", ["a.toml"]),
        (r"\u0062*.toml", ["b.toml"]),
        # Without an asterisk, it is a name.
        ("[a].toml", ["[a].toml"]),
    ],
)
def test_imports_match_as_in_go(machine: Machine, pattern: str, names: list[str]) -> None:
    machine.write("/etc/containerd/config.toml", f'version = 2\nimports = ["conf.d/{pattern}"]\n')
    for name in (".h.toml", "a.conf", "a.toml", "b.toml"):
        machine.write(f"/etc/containerd/conf.d/{name}", "version = 2\n")
    assert [file["path"].rpartition("/")[2] for file in machine.containerd()["imports"]] == names


@pytest.mark.parametrize(
    "text",
    [
        'plugins."io.containerd.grpc.v1.cri".registry.config_path = "/srv/certs.d"\n',
        "[plugins.'io.containerd.grpc.v1.cri']\nregistry = { config_path = '/srv/certs.d' }\n",
        '\ufeff[plugins.\'io.containerd.grpc.v1.cri\'.registry]\n"config_path" = "/srv/certs.d/"\n',
    ],
)
def test_folders_of_mirrors_without_the_program(machine: Machine, text: str) -> None:
    machine.write("/run/containerd/containerd.sock", "")
    machine.write("/etc/containerd/config.toml", text)
    machine.write("/srv/certs.d/docker.io/hosts.toml", "")
    assert [file["path"] for file in machine.containerd()["hosts"]] == ["/srv/certs.d/docker.io/hosts.toml"]


def test_a_dump_that_fails_says_no_more_than_that(machine: Machine) -> None:
    machine.install("/usr/bin/containerd", CONTAINERD, dump=1)
    machine.write("/etc/containerd/config.toml", f'x = "{SECRET}"\n')
    facts = machine.containerd()
    assert facts["dump"] is None
    assert facts["dump_error"] == (
        "/usr/bin/containerd --config /etc/containerd/config.toml config dump ends with status 1"
    )
    assert SECRET not in repr(facts)


def test_what_podman_and_crio_read(machine: Machine) -> None:
    main = machine.write("/etc/containers/registries.conf", 'unqualified-search-registries = ["docker.io"]\n')
    mirror = f'[[registry.mirror]]\nlocation = "https://u:{SECRET}@d"\n'
    machine.write(f"{main}.d/50.conf", f'[[registry]]\nprefix = "a.b"\nlocation = "c"\nheader = "{SECRET}"\n{mirror}')
    for name in (".60.conf", "10.conf", "10.toml"):
        machine.write(f"{main}.d/{name}", "")
    machine.write("/root/.config/containers/registries.conf.d/1.conf", "")
    logins = {"auths": {"a.b": {"auth": SECRET}}, "credHelpers": {"c": SECRET}}
    machine.write("/root/.docker/config.json", json.dumps(logins))
    machine.write("/run/containers/0/auth.json", "no JSON")
    machine.install("/usr/bin/skopeo", "")
    machine.units["crio.service"] = unit("/usr/bin/crio")
    facts = machine.gather()["registries_conf"]
    assert facts["runtimes"] == ["podman", "crio"]
    assert facts["unit"]["state"] == "active"
    names = [path.rpartition("/")[2] for path in (file["path"] for file in facts["drop_ins"])]
    assert names == [".60.conf", "10.conf", "50.conf", "1.conf"]
    text = facts["drop_ins"][2]["text"]
    assert 'location = "c"' in text
    assert SECRET not in str(facts)
    assert facts["of_root"] is None
    assert facts["logins"] == [{"path": "/root/.docker/config.json", "registries": ["a.b", "c"]}]


def test_settings_of_registries_conf_stay_readable(machine: Machine) -> None:
    text = (
        'short-name-mode = "enforcing"\nunqualified-search-registries = [\n"docker.io",\n]\n'
        f'credential-helpers = ["{SECRET}"]\n[aliases]\n"web" = "registry.example.com/web"\n[other]\nweb = "{SECRET}"\n'
    )
    machine.write("/etc/containers/registries.conf", text)
    assert machine.gather()["registries_conf"]["main"]["text"] == text.replace(SECRET, "hidden")


def test_another_registries_conf(machine: Machine) -> None:
    machine.write("/srv/registries.conf.d/1.conf", "")
    machine.write("/root/.config/containers/registries.conf", "")
    assert machine.gather()["registries_conf"]["of_root"]["path"] == "/root/.config/containers/registries.conf"
    facts = machine.gather(registries_conf="/srv/registries.conf")["registries_conf"]
    assert facts["runtimes"] == []
    assert [file["path"] for file in facts["drop_ins"]] == ["/srv/registries.conf.d/1.conf"]
    assert (facts["main"]["text"], facts["of_root"]) == (None, None)
