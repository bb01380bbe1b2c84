# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conclusions of the clients' roles about a host, and the format of the configurations that they write."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import tarfile
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.filter.daemon_fact import FilterModule
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config import host
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.rust_checker import dynconfig
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.service_options import (
    option_error,
    unit_lines,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.writer import plain, to_yaml
from hypothesis import given
from hypothesis import strategies as st

MARKER = "Written by the Ansible role dragonflyoss.dragonfly.dfget, changes are lost."


@pytest.mark.parametrize(
    "given_source, name, kind",
    [
        ("https://a/b/dfget-2.1.67-linux-amd64.deb?X-Signature=a/b.rpm", "dfget-2.1.67-linux-amd64.deb", "deb"),
        ("https://a/dragonfly-2.1.67.tar.gz?a=b#c", "dragonfly-2.1.67.tar.gz", "archive"),
        ("/a/b?c.tgz", "b?c.tgz", "archive"),
        ("a.rpm", "a.rpm", "rpm"),
        ("dfget=2.1.67", "dfget=2.1.67", "name"),
        ("", "", "name"),
    ],
)
def test_source(given_source, name, kind):
    assert host.source(given_source) == {"name": name, "kind": kind}


@pytest.mark.parametrize(
    "given_release, name, output, release",
    [
        ("v1.4.2", "dfdaemon-1.5.1.deb", "dfdaemon 1.0.0", "1.4.2"),
        ("", "dragonfly-client-v1.5.1-x86_64.deb", "dfdaemon 1.0.0", "1.5.1"),
        ("", "client.deb", "dfdaemon 1.0.0 (abc)", "1.0.0"),
        ("", "client.deb", "", ""),
    ],
)
def test_release(given_release, name, output, release):
    assert host.release(given_release, name, output) == release


@pytest.mark.parametrize(
    "release, flag",
    [
        ("0.1.16", ""),
        ("0.1.17", " --verbose"),
        ("0.2.30", " --verbose"),
        ("0.2.31", " --console"),
        ("1.5.1", " --console"),
        ("1.6.0-rc.1", " --console"),
        ("", " --console"),
    ],
)
def test_console_flag(release, flag):
    assert host.console_flag(release) == flag


def test_taken_addresses():
    lines = [
        'LISTEN 0 128 127.0.0.1:4001 0.0.0.0:* users:(("dfdaemon",pid=7,fd=9))',
        'LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=8,fd=3))',
        "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*",
        "LISTEN 0 128 *:9100 *:*",
        "LISTEN 0 128 [::ffff:10.0.0.7]:9200 *:*",
        "LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:*",
        "LISTEN 0 128 [fe80::1]%eth0:546 [::]:*",
        "",
    ]
    others = ["*:9100", "0.0.0.0:22", "10.0.0.7:9200", "127.0.0.53:53", "[::]:22", "[fe80::1]:546"]
    assert host.taken_addresses(lines, 7) == others
    assert host.taken_addresses(lines, 0) == sorted([*others, "127.0.0.1:4001"])


def test_files():
    results = [{"item": "/a", "stat": {"exists": True}}, {"item": "/b", "stat": {"exists": False}}]
    assert (host.missing(results), host.missing([])) == (["/b"], [])


@pytest.mark.parametrize(
    "stat, is_readable",
    [
        ({"pw_name": "root", "gr_name": "root", "rusr": True, "rgrp": True, "roth": True}, True),
        ({"pw_name": "root", "gr_name": "root", "rusr": True, "rgrp": True, "roth": False}, False),
        ({"pw_name": "root", "gr_name": "dragonfly-manager", "rusr": True, "rgrp": True, "roth": False}, True),
        ({"pw_name": "root", "gr_name": "dragonfly-manager", "rusr": True, "rgrp": False, "roth": True}, False),
        ({"pw_name": "dragonfly-manager", "gr_name": "x", "rusr": True, "rgrp": False, "roth": False}, True),
        # A user that was removed.
        ({"rusr": True, "rgrp": True, "roth": False}, False),
    ],
)
def test_files_that_a_user_may_not_read(stat, is_readable):
    results = [{"item": "/a", "stat": {"exists": True, **stat}}, {"item": "/b", "stat": {"exists": False}}]
    assert host.unreadable(results, "dragonfly-manager") == ([] if is_readable else ["/a"])
    assert host.unreadable(results, "root") == []


def test_lines_about_a_subject():
    lines = ["version dfget 2.1.67", "unit LoadState=loaded", "versions", "version  unit x", "unit Id=a unit b"]
    assert host.lines_about(lines, "version") == ["dfget 2.1.67", " unit x"]
    assert host.lines_about(lines, "unit") == ["LoadState=loaded", "Id=a unit b"]
    assert host.lines_about([], "unit") == []


def test_files_that_exist():
    lines = ["7 /etc/dragonfly/dfget.yaml", "3 /a b"]
    assert (host.paths(lines), host.newest(lines)) == (["/etc/dragonfly/dfget.yaml", "/a b"], 7)
    assert (host.paths([]), host.newest([])) == ([], 0)


@pytest.mark.parametrize(
    "lines, load, active, started, pid, unit_file",
    [
        ([], "", "", 0, 0, ""),
        (
            ["LoadState=not-found", "ActiveState=inactive", "MainPID=0", "ExecMainStartTimestamp="],
            "not-found",
            "inactive",
            0,
            0,
            "",
        ),
        (
            [
                "LoadState=loaded",
                "ActiveState=active",
                "MainPID=7",
                "UnitFileState=enabled",
                "ExecMainStartTimestamp=Sat 2026-11-28 17:00:01 UTC",
            ],
            "loaded",
            "active",
            1795885201,
            7,
            "enabled",
        ),
    ],
)
def test_daemon(lines, load, active, started, pid, unit_file):
    assert host.daemon(lines) == {
        "load": load,
        "active": active,
        "started": started,
        "pid": pid,
        "unit_file": unit_file,
    }


@pytest.mark.parametrize(
    "result, text",
    [
        ({"failed": True, "msg": "Timeout."}, "Timeout"),
        ({"failed": True}, "no reason given"),
        (
            {
                "failed": True,
                "msg": "One or more items failed",
                "results": [{"failed": False, "msg": ""}, {"failed": True, "msg": "Timeout when waiting for h:1"}],
            },
            "Timeout when waiting for h:1",
        ),
    ],
)
def test_failure(result, text):
    assert host.failure(result) == text


@pytest.mark.parametrize(
    "text, is_hidden",
    [
        (f"# {MARKER}\naliveTime: 0s\n", False),
        (f"# {MARKER}\nproxy:\n  basicAuth: {{}}\n", True),
        (f"# {MARKER}\nA=http://u:p@host\n", True),
        ("aliveTime: 0s\n", True),
        (None, False),
    ],
)
def test_which_differences_are_hidden(text, is_hidden):
    result: dict[str, t.Any] = {"item": "/etc/dragonfly/dfget.yaml"}
    if text is not None:
        result["content"] = base64.b64encode(text.encode()).decode()
    assert host.hidden([result], MARKER) == (["/etc/dragonfly/dfget.yaml"] if is_hidden else [])


# --- archives


class Member(t.NamedTuple):
    """A member of an archive: its name, its type in tarfile, and the target of a link."""

    name: str
    kind: bytes = tarfile.REGTYPE
    target: str = ""


def list_archive(folder: Path, members: t.Iterable[Member]) -> list[str]:
    """Return the listing of an archive of members by tar of this machine."""
    with tarfile.open(folder / "archive.tar.gz", "w:gz") as archive:
        for member in members:
            info = tarfile.TarInfo(member.name)
            info.type, info.linkname, info.size = member.kind, member.target, 3 if member.kind == b"0" else 0
            archive.addfile(info, io.BytesIO(b"abc") if info.size else None)
    command = [
        "tar",
        "--list",
        "--verbose",
        "--absolute-names",
        "--quoting-style=c",
        "--file",
        str(folder / "archive.tar.gz"),
    ]
    listed = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    )
    return listed.stdout.splitlines()


@pytest.mark.skipif(not shutil.which("tar"), reason="needs tar")
@pytest.mark.parametrize(
    "members, member, refusal",
    [
        ([Member("dfget")], "dfget", ""),
        ([Member("a", tarfile.DIRTYPE), Member("a/b c/dfget"), Member("a/dfget.1")], "a/b c/dfget", ""),
        ([Member("x/y/dfget"), Member("x/dfget"), Member("x/z", tarfile.SYMTYPE, "dfget")], "x/dfget", ""),
        ([Member("a/b/link", tarfile.SYMTYPE, "../dfget"), Member("a/dfget")], "a/dfget", ""),
        ([Member("a/dfget"), Member("b", tarfile.LNKTYPE, "a/dfget")], "a/dfget", ""),
        ([Member("README")], "", "it does not hold the program dfget"),
        ([Member("dfget", tarfile.SYMTYPE, "bin")], "", "it does not hold the program dfget"),
        ([], "", "it does not hold the program dfget"),
        ([Member("dfget"), Member("../../etc/cron.d/x")], "", "its member ../../etc/cron.d/x is outside"),
        ([Member("a/../../dfget")], "", "its member a/../../dfget is outside"),
        ([Member("/etc/passwd"), Member("dfget")], "", "its member /etc/passwd is outside"),
        ([Member("dfget"), Member("a", tarfile.SYMTYPE, "/etc")], "", "its member a is a link to /etc, outside"),
        ([Member("dfget"), Member("a", tarfile.SYMTYPE, "../etc")], "", "its member a is a link to ../etc, outside"),
        ([Member("a/l", tarfile.SYMTYPE, "../../x"), Member("dfget")], "", "its member a/l is a link to ../../x"),
        ([Member("a/l", tarfile.LNKTYPE, "../x"), Member("dfget")], "", "its member a/l is a link to ../x"),
        ([Member("dfget", tarfile.LNKTYPE, "/etc/shadow")], "", "its member dfget is a link to /etc/shadow"),
        ([Member("dfget"), Member("pipe", tarfile.FIFOTYPE)], "", "its member pipe is neither a file nor a directory"),
        ([Member("dfget"), Member("tty", tarfile.CHRTYPE)], "", "its member tty is neither a file nor a directory"),
        ([Member("dfget"), Member("disk", tarfile.BLKTYPE)], "", "its member disk is neither a file nor a directory"),
        ([Member("--to-command=sh x/dfget")], "", "its member --to-command=sh x/dfget could be read as an option"),
        ([Member('a"b -> "/etc/x'), Member("dfget")], "dfget", ""),
        ([Member("a\nlrwx 0 0 b"), Member("dfget")], "dfget", ""),
    ],
)
def test_archives(tmp_path, members, member, refusal):
    verdict = host.archive(list_archive(tmp_path, members), "dfget")
    assert verdict["member"] == member
    assert verdict["refusal"].startswith(refusal)
    assert bool(verdict["refusal"]) == bool(refusal)


def elf(number: int, order: t.Literal["little", "big"] = "little") -> str:
    """Return the first 20 bytes of a program for a machine, as od prints them."""
    header = b"\x7fELF\2" + (b"\1" if order == "little" else b"\2") + bytes(10) + bytes(2) + number.to_bytes(2, order)
    return "program " + header.hex(" ")


@pytest.mark.parametrize(
    "lines, expected",
    [
        (["host x86_64", elf(62)], ""),
        (["host x86_64", elf(3)], ""),
        (["host x86_64", elf(183)], "aarch64"),
        (["host aarch64", elf(62)], "x86_64"),
        (["host aarch64", elf(40)], ""),
        (["host i686", elf(62)], "x86_64"),
        (["host armv7l", elf(183)], "aarch64"),
        (["host s390x", elf(22, "big")], ""),
        (["host x86_64", elf(22, "big")], "s390x"),
        (["host x86_64", elf(258)], ""),
        (["host sparc64", elf(62)], ""),
        (["host x86_64", "program 23 21 2f 62 69 6e"], ""),
        (["host x86_64", "program"], ""),
        (["host x86_64"], ""),
        ([elf(62)], ""),
        (["host x86_64", "package amd64"], ""),
        (["host x86_64", "package arm64"], "aarch64"),
        (["host aarch64", "package x86_64"], "x86_64"),
        (["host x86_64", "package all"], ""),
        (["host x86_64", "package noarch"], ""),
        (["host x86_64", "package i386"], ""),
        ([], ""),
    ],
)
def test_programs_for_other_machines(lines, expected):
    assert host.other_machine(lines) == expected


def test_a_listing_that_cannot_be_read_is_refused():
    verdict = host.archive(["-rwxr-xr-x root/root 3 2026-11-28 17:00 dfget"], "dfget")
    assert verdict == {
        "member": "",
        "refusal": "tar lists a member that cannot be read: -rwxr-xr-x root/root 3 2026-11-28 17:00 dfget",
    }


# --- written configurations


@pytest.mark.parametrize(
    "schedulers, config",
    [
        ([], {}),
        (["dragonfly-scheduler:8002"], {"scheduler": {"addr": "dragonfly-scheduler:8002"}}),
        (["10.0.0.1:8002"], {"scheduler": {"addrs": ["10.0.0.1:8002"]}}),
        (["10.0.0.1:8002", "[fd00::1]:8002"], {"scheduler": {"addrs": ["10.0.0.1:8002", "[fd00::1]:8002"]}}),
    ],
)
def test_dynconfig(schedulers, config):
    assert dynconfig(schedulers) == config


def test_unit_lines():
    options = {"MemoryMax": "2G", "Environment": ["A=b", '"B=c d"'], "ExecStartPre": [None], "NoNewPrivileges": True}
    assert unit_lines(options) == [
        "MemoryMax=2G",
        "Environment=A=b",
        'Environment="B=c d"',
        "ExecStartPre=",
        "NoNewPrivileges=yes",
    ]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
@pytest.mark.parametrize(
    "value, is_read",
    [
        ("A=b", True),
        ("A=b%%h", True),
        ('"A=b c"', True),
        ('A="b c" C=\'d "e"\'', True),
        ("A=a\\\\b", True),
        ("A=\\x41\\u00e9\\n", True),
        ("A=c:\\dir", False),
        ("A=b c", False),
        ("A='b", False),
        ("A=a%40b", False),
    ],
)
def test_what_systemd_reads(tmp_path, value, is_read):
    assert (option_error("Environment", value) is None) == is_read
    unit = tmp_path / "test.service"
    unit.write_text("\n".join(["[Service]", "ExecStart=/bin/true", *unit_lines({"Environment": value})]) + "\n")
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert ("test.service:3" not in verified.stdout + verified.stderr) == is_read


@pytest.mark.parametrize(
    "value, text",
    [
        # Values that YAML 1.1 and 1.2 read as different types.
        *(
            (plain_text, f'"{plain_text}"')
            for plain_text in ("1e3", "0o17", "0x1F", "012", "1_000", "12:30", "yes", "off")
        ),
        *(
            (plain_text, f'"{plain_text}"')
            for plain_text in ("true", "null", "~", "", ".inf", "nan", "=", "<<", "10", "1m 2s")
        ),
        ('say "hi"', '"say \\"hi\\""'),
        ("a: b # c", '"a: b # c"'),
        ("one\ntwo", '"one\\ntwo"'),
        ("100%\\", '"100%\\\\"'),
        ("/etc/ca.pem", "/etc/ca.pem"),
        ("200Mi", "200Mi"),
        ("10s", "10s"),
        ("super", "super"),
        (None, ""),
        (True, "true"),
        (4001, "4001"),
        (2**64 - 1, "18446744073709551615"),
    ],
)
def test_values_are_written_so_that_yaml_1_1_and_1_2_read_the_same(value, text):
    assert to_yaml({"key": value}).rstrip("\n") == f"key: {text}".rstrip()
    assert yaml.safe_load(to_yaml({"key": value})) == {"key": value}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text() | st.none()), max_size=4))
def test_what_is_written_is_read_again(config):
    # PyYAML cannot read some of its own output: surrogates and some control characters.
    try:
        read = yaml.safe_load(to_yaml(config))
    except yaml.YAMLError:
        return
    assert read == config


def test_classes_of_ansible_are_written_as_what_they_are():
    class Encrypted(t.Sequence[str]):
        """A text like AnsibleVaultEncryptedUnicode up to ansible-core 2.18."""

        def __getitem__(self, index: t.Any) -> t.Any:
            return "geheim"[index]

        def __len__(self) -> int:
            return 6

        def __str__(self) -> str:
            return "geheim"

    class Tagged(str):
        """A text of ansible-core 2.19 and later."""

    assert plain({"a": [Encrypted()], Tagged("b"): 1}) == {"a": ["geheim"], "b": 1}
    assert to_yaml({"a": Encrypted(), Tagged("b"): Tagged("c")}) == "a: geheim\nb: c\n"


def test_the_filter():
    daemon_fact = FilterModule().filters()["daemon_fact"]
    assert daemon_fact("a.deb", "source") == {"name": "a.deb", "kind": "deb"}
    assert daemon_fact({"a": 1}, "yaml") == "a: 1\n"
    with pytest.raises(AnsibleFilterError, match="'sources' is not a valid fact"):
        daemon_fact("a.deb", "sources")
    with pytest.raises(AnsibleFilterError, match="missing cannot be derived"):
        daemon_fact([{"item": "/a"}], "missing")
