# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comparison of the tables with a clone, here with a clone of two small releases."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config import schema
from ansible_collections.dragonflyoss.dragonfly.tests.tools import compare_upstream

KNOWN = """
pub struct Config {
    #[validate]
    pub download: Download,

    pub gc: GC,
}

pub struct Download {
    #[serde(default = "default_protocol")]
    pub protocol: String,

    #[validate(range(min = 1))]
    pub concurrent_piece_count: u32,
}

pub struct GC {
    /// No attribute of Config says that it is validated.
    #[validate(range(min = 1, max = 99))]
    pub percent: u8,

    #[serde(with = "humantime_serde", rename = "taskTTL", alias = "taskTimeToLive")]
    pub task_ttl: Duration,
}

pub enum HostType {
    #[serde(rename = "normal")]
    Normal,
}
"""
NEXT = (
    KNOWN.replace("pub protocol: String", "pub protocol: Option<HostType>")
    .replace("min = 1))]\n    pub c", "min = 2))]\n    pub c")
    .replace("    pub percent: u8", "    pub share: u16")
)
MAIN = "struct Args {\n    console: bool,\n}\n"
TABLE = """
download.protocol               str
download.concurrentPieceCount   u32(1..)
gc.percent                      u8
gc.taskTTL                      duration
gc.taskTimeToLive               duration same gc.taskTTL
"""


@pytest.fixture(name="clone")
def a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with releases 1.0.0, which is in the table, and 1.1.0."""
    for path in (compare_upstream.Rust.FILES[0], compare_upstream.Rust.MAIN):
        (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / compare_upstream.Rust.MAIN).write_text(MAIN)
    git(tmp_path, "init", "--quiet")
    for release, text in (("1.0.0", KNOWN), ("1.1.0", NEXT)):
        (tmp_path / compare_upstream.Rust.FILES[0]).write_text(text)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "--message", release)
        git(tmp_path, "tag", f"v{release}")
    monkeypatch.setitem(schema.FIRST_RELEASE, "dfdaemon", "1.0.0")
    monkeypatch.setitem(schema.LAST_RELEASE, "dfdaemon", "1.0.0")
    monkeypatch.setitem(schema.SCHEMA, "dfdaemon", schema.parse_keys(TABLE))
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    subprocess.run(["git", "-C", str(folder), *names, *arguments], check=True)


def test_what_a_new_release_changed(clone, capsys):
    assert compare_upstream.compare(str(clone)) == 4
    assert capsys.readouterr().out.splitlines() == [
        "dfdaemon 1.1.0",
        "  changed: download.concurrentPieceCount from 1.1.0 u32(2..) (was u32(1..))",
        "  changed: download.protocol from 1.1.0 normal? (was text)",
        "  gone:    gc.percent until 1.1.0",
        "  new:     gc.share u16 since 1.1.0",
        "dfdaemon: 2 releases with 10 keys compared, 4 differences",
    ]


@pytest.mark.parametrize(
    "line, instead, difference",
    [
        ("gc.percent                      u8\n", "", "gc.percent is missing in the table (type u8)"),
        ("gc.percent                      u8", "gc.percent u32", "gc.percent is u8, in the table u32"),
        ("u32(1..)", "u32", "download.concurrentPieceCount is u32(1..), in the table u32"),
        ("gc.percent ", "gc.more bool\ngc.percent ", "gc.more is only in the table"),
        (" same gc.taskTTL", "", "gc.taskTimeToLive is an alias of gc.taskTTL, in the table of None"),
    ],
)
def test_a_mistake_in_the_table(clone, capsys, monkeypatch, line, instead, difference):
    monkeypatch.setitem(schema.SCHEMA, "dfdaemon", schema.parse_keys(TABLE.replace(line, instead)))
    compare_upstream.compare(str(clone))
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == ["dfdaemon 1.0.0", f"  {difference}"]


def test_a_clone_of_something_else(tmp_path):
    git(tmp_path, "init", "--quiet")
    with pytest.raises(SystemExit, match="is not a clone of dragonflyoss/dragonfly or dragonflyoss/client"):
        compare_upstream.compare(str(tmp_path))


# Go indents with tabs.
SERVER = """
type Config struct {
    base.Options `yaml:",inline" mapstructure:",squash"`

    // Server configuration.
    Server ServerConfig `yaml:"server" mapstructure:"server"`
}

type ServerConfig struct {
    AdvertiseIP net.IP `yaml:"advertiseIP" mapstructure:"advertiseIP"`
    Port TCPListenPortRange `yaml:"port" mapstructure:"port"`
    TLS *TLSConfig `yaml:"tls" mapstructure:"tls"`
}

type TCPListenPortRange struct {
    // Start is the start port.
    Start int
}

type TLSConfig struct {
    Cert string `yaml:"cert" mapstructure:"cert"`
}
""".replace("    ", "\t")
OPTIONS = 'type Options struct {\n\tConsole   bool `yaml:"console" mapstructure:"console"`\n}\n'
SERVER_TABLE = """
console                         bool
server.advertiseIP              ip
server.port.start               i64(1..65535)
server.tls.cert                 file
"""


@pytest.mark.parametrize(
    "line, instead, differences",
    [
        ("", "", []),
        ("advertiseIP              ip", "advertiseIP str", ["server.advertiseIP is ip, in the table text"]),
        ("server.tls.cert                 file\n", "", ["server.tls.cert is missing in the table (type text)"]),
        ("console ", "server.host str\nconsole ", ["server.host is only in the table"]),
    ],
)
@pytest.mark.parametrize("program", ["manager", "scheduler"])
def test_the_table_of_a_server(tmp_path, capsys, monkeypatch, program, line, instead, differences):
    for path, text in ((f"{program}/config/config.go", SERVER), ("cmd/dependency/base/option.go", OPTIONS)):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "2.1.0")
    git(tmp_path, "tag", "v2.1.0")
    monkeypatch.setitem(schema.SCHEMA, program, schema.parse_keys(SERVER_TABLE.replace(line, instead)))
    assert compare_upstream.compare(str(tmp_path)) == len(differences)
    printed = capsys.readouterr().out.splitlines()
    assert printed[:-1] == ([f"{program} 2.1.0", *(f"  {text}" for text in differences)] if differences else [])
