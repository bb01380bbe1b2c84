# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""config.yaml of k3s and RKE2, read without a YAML library."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host import Host, Unit
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._rancher_settings import (
    Setting,
    Settings,
    UnclearLine,
    Unknown,
    parse_settings,
    read_settings,
)

KEY = "private-registry"


@pytest.mark.parametrize(
    "text, value",
    [
        ("private-registry: /a.yaml\n", "/a.yaml"),
        ("private-registry:   /a.yaml  # why\r\n", "/a.yaml"),
        ("private-registry : /a.yaml", "/a.yaml"),
        ("---\n# all\n\n\"private-registry\": '/a b.yaml' # why\n", "/a b.yaml"),
        ("'private-registry': \"/a#b.yaml\"", "/a#b.yaml"),
        ("private-registry: /a#b.yaml", "/a#b.yaml"),
        ('private-registry:\ntls-san: [a, \'b]\', "c\\""]', ""),
        ("private-registry: ~", ""),
        ("tls-san:\n- a\n- b\nprivate-registry: /a", "/a"),
        ("tls-san: [\n  a,\n  b # ]\n  ]\nprivate-registry: /a", "/a"),
        ("kubelet-arg:\n  - a=b\n    # c\nprivate-registry: /a", "/a"),
        ("x: |\n  private-registry: /no\nprivate-registry: /a", "/a"),
        ("x: &a {b: c}\nprivate-registry: /a", "/a"),
        ('token: "a: #\\" b"\nprivate-registry: /a', "/a"),
        ("token: it's\nprivate-registry: /a", "/a"),
        ("server: https://a:6443\nprivate-registry: /a", "/a"),
        # Any other form is not read.
        ("private-registry: *a", None),
        ("private-registry: &a /a", None),
        ("private-registry: !!str /a", None),
        ("private-registry: [/a]", None),
        ("private-registry: {a: /a}", None),
        ("private-registry: >-\n  /a", None),
        ("private-registry:\n  /a", None),
        ("private-registry:\n- /a", None),
        ("private-registry: /a\n  /b", None),
        ('private-registry: "/a\\x20b"', None),
        ("private-registry: '/it''s'", None),
        ("private-registry: /a\x85b", None),
    ],
)
def test_the_value_of_a_key(text: str, value: str | None) -> None:
    assert [setting.value for setting in parse_settings(text) if setting.key == KEY] == [value]


@pytest.mark.parametrize(
    "text", ["", "# private-registry: /a\n", "a:\n  private-registry: /a", "x-private-registry: /a"]
)
def test_a_key_that_is_not_there(text: str) -> None:
    assert not any(setting.key == KEY for setting in parse_settings(text))


@pytest.mark.parametrize(
    "text, line",
    [
        ("{private-registry: /a}", 1),
        ("  private-registry: /a", 1),
        ("a: b\n\tprivate-registry: /a", 2),
        ("- private-registry: /a", 1),
        ("a: &b\n  private-registry: /a\n<<: *b", 3),
        ("? private-registry\n: /a", 1),
        ("a: 1\n---\nprivate-registry: /a", 2),
        ("%YAML 1.1\n---\nprivate-registry: /a", 1),
        ('"private\\x2dregistry": /a', 1),
        ("private-registry /a", 1),
        ("private-registry:/a", 1),
        ('a: 1\ntoken: "b\nprivate-registry: /a\n"', 4),
        ("token: 'b\nprivate-registry: /a", 1),
        ("tls-san: [a,\nprivate-registry: /a", 1),
        ("tls-san: [a]]\nprivate-registry: /a", 1),
        ("token: 'a' b\nprivate-registry: /a", 1),
        ("a: b: c\nprivate-registry: /a", 1),
        ("a: @b\nprivate-registry: /a", 1),
    ],
)
def test_a_file_that_is_not_plain_is_not_guessed(text: str, line: int) -> None:
    with pytest.raises(UnclearLine) as unclear:
        parse_settings(text)
    assert unclear.value.number == line


@pytest.mark.parametrize(
    "texts, value",
    [
        (["private-registry: /a", "private-registry: /b"], "/b"),
        (["private-registry: /a\nprivate-registry: /b"], "/b"),
        (["private-registry: /b", "token: c"], "/b"),
        (["private-registry+: /b"], "/b"),
        (["private-registry: /a", "private-registry+: /b"], "/b"),
        (["private-registry+: /a", "private-registry+:"], "/a"),
        (["private-registry: /a", "private-registry:"], ""),
        (["private-registry: [/a]", "private-registry: /b"], "/b"),
        (["private-registry: /a", "private-registry: [/b]"], None),
        (["private-registry: /a", "private-registry+: [/b]"], None),
    ],
)
def test_the_last_file_counts(texts: list[str], value: str | None) -> None:
    settings = tuple(setting for text in texts for setting in parse_settings(text))
    setting = Settings("k3s", settings=settings).setting(KEY)
    assert setting is not None
    assert setting.value == value


@pytest.mark.parametrize(
    "command, value",
    [
        ("k3s server --private-registry /b", "/b"),
        ("k3s server --private-registry=/b", "/b"),
        ("k3s server -private-registry=/b", "/b"),
        ("k3s agent --private-registry /a --private-registry=/b", "/b"),
        ("k3s server --private-registry-x /b", "/file"),
    ],
)
def test_the_command_comes_after_the_files(command: str, value: str) -> None:
    settings = Settings("k3s", "k3s.service", tuple(command.split()), settings=(Setting(KEY, "/file", "/c"),))
    assert settings.path(KEY) == (value, None)


@pytest.mark.parametrize(
    "argv, settings, key",
    [
        (("k3s", "--private-registry=a.yaml"), (), "k3s.service --private-registry"),
        ((), (Setting(KEY, "a.yaml", "/c"),), "/c private-registry"),
        ((), (Setting(KEY, "", "/c"),), "/c private-registry"),
        ((), (Setting(KEY, None, "/c"),), "/c private-registry"),
    ],
)
def test_a_path_that_is_not_known(argv: tuple[str, ...], settings: tuple[Setting, ...], key: str) -> None:
    path, unknown = Settings("k3s", "k3s.service", argv, settings=settings).path(KEY)
    assert path == ""
    assert unknown is not None
    assert unknown.key == key


def test_an_environment_that_is_not_known(tmp_path: Path) -> None:
    # It can name another config.yaml, even if the command has no variable.
    error = "its EnvironmentFile /env cannot be read"
    unit = Unit("k3s.service", "active", argv=("/usr/local/bin/k3s", "server"), environment_error=error)
    settings = read_settings(Host(lambda argv: None, str(tmp_path)), "k3s", unit)
    assert settings.unknown == Unknown("k3s.service", error)


# Written by the installer of k3s v1.31, shortened.
OPENRC = """#!/sbin/openrc-run
start_pre() {
    rm -f /tmp/k3s.*
}
supervisor=supervise-daemon
name=k3s
command="/usr/local/bin/k3s"
command_args="%s
    >>/var/log/k3s.log 2>&1"
pidfile="/var/run/k3s.pid"
set -o allexport
if [ -f /etc/environment ]; then source /etc/environment; fi
if [ -f /etc/rancher/k3s/k3s.env ]; then source /etc/rancher/k3s/k3s.env; fi
set +o allexport
"""
COMMAND = "server \\\n\t'--private-registry' \\\n\t'/own dir/r.yaml' \\\n"


@pytest.mark.parametrize(
    "files, registries",
    [
        ({"init.d/k3s": OPENRC % COMMAND}, "/own dir/r.yaml"),
        ({"init.d/k3s-agent": OPENRC % "agent --private-registry=/a"}, "/a"),
        ({"init.d/k3s": OPENRC % 'server --private-registry \\"/a b\\"'}, "/a b"),
        ({"init.d/k3s": OPENRC % "server"}, ""),
        ({"init.d/k3s": OPENRC % "server -c /c.yaml", "c.yaml": f"{KEY}: /c"}, "/c"),
        (
            {
                "init.d/k3s": OPENRC % "server",
                "rancher/k3s/k3s.env": "K3S_CONFIG_FILE='/etc/c.yaml'\n",
                "c.yaml": f"{KEY}: /c",
            },
            "/c",
        ),
    ],
)
def test_k3s_under_openrc(tmp_path: Path, files: dict[str, str], registries: str) -> None:
    for name, text in files.items():
        file = tmp_path / "etc" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("/c.yaml", "/etc/c.yaml").replace("/etc/etc", "/etc"), encoding="utf-8")
    settings = read_settings(Host(lambda argv: None, str(tmp_path)), "k3s", None)
    assert (settings.unknown, settings.path(KEY)) == (None, (registries, None))


@pytest.mark.parametrize(
    "script, conf",
    [
        (OPENRC % "server ${K3S_EXEC:-}", ""),
        (OPENRC % "server $(cat /args)", ""),
        (OPENRC % "server" + 'command_args="$command_args --docker"\n', ""),
        (OPENRC % "server", 'command_args="server --data-dir /x"\n'),
        (OPENRC % "server 'a", ""),
        ("command_args='server'\n", ""),
        ("", ""),
    ],
)
def test_a_service_of_openrc_that_is_not_plain_is_not_guessed(tmp_path: Path, script: str, conf: str) -> None:
    for folder, text in (("init.d", script), ("conf.d", conf)):
        (tmp_path / "etc" / folder).mkdir(parents=True)
        (tmp_path / "etc" / folder / "k3s").write_text(text, encoding="utf-8")
    settings = read_settings(Host(lambda argv: None, str(tmp_path)), "k3s", None)
    assert settings.unknown == Unknown("/etc/init.d/k3s", "its command_args are not a single plain string")
