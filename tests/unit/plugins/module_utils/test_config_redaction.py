# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A redacted configuration file contains what the daemon reads, without secrets."""

from __future__ import annotations

import string

import pytest
import tomlkit
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._config_redaction import (
    CLIENT_KEYS,
    CONTAINERD_KEYS,
    HIDDEN,
    HOSTS_KEYS,
    redact_toml,
    redact_yaml,
)
from hypothesis import given
from hypothesis import strategies as st

SECRET = "s3cr3t-marker"
KEPT = ["port", "defaultFilter", "url", "enable", "regx", "start"]
OTHER = ["password", "username", "token", "cert", "jaeger"]

DFGET = """
# {secret}
aliveTime: 0s
host: {{hostname: {secret}}}
proxy: &p
  basicAuth:
    username: "{secret}"
    password: '{secret}'
  hijackHTTPS:
    key: |
      -----BEGIN PRIVATE KEY-----
      {secret}
      -----END PRIVATE KEY-----
  defaultFilter: "Expires&Signature&ns"  # {secret}
  tcpListen:
    listen: 127.0.0.1
    port: 65001
  registryMirror: {{url: "https://user:{secret}@registry.example.com", dynamic: true}}
  proxies:
    - regx: blobs/sha256.*
    - regx: '.*'
      direct: true
    - {{regx: "a: b", useHTTPS: false}}
"""

HOSTS = """
# {secret}
server = "https://registry.example.com"
[host."http://127.0.0.1:65001"]
  capabilities = ["pull", "resolve"] # {secret}
  [host."http://127.0.0.1:65001".header]
    X-Dragonfly-Registry = ["https://registry.example.com"]
    Authorization = ["Basic {secret}"]
    x-custom = '''
{secret}
'''
"""

CONFIG = """
version = 2
imports = ["/etc/containerd/conf.d/*.toml"]
[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = "/etc/containerd/certs.d"
      [plugins."io.containerd.grpc.v1.cri".registry.configs."r:5000".auth]
        username = "{secret}"
        password = "{secret}"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd"
[[proxy_plugins]]
  address = "{secret}"
  arguments = [
    ["{secret}"],
    ["a", "{secret}"]
  ]
[[proxy_plugins]]
  address = "{secret}"
"""


def hidden(content, keys, stand_in=lambda content: HIDDEN, kept=False):
    """Return a parsed file in which values of other keys are hidden."""
    if isinstance(content, dict):
        return {
            key: hidden(value, keys, stand_in, str(key).lower() in keys or str(key).lower().startswith("x-dragonfly-"))
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [hidden(item, keys, stand_in, kept) for item in content]
    return content if kept else stand_in(content)


def of_the_same_kind(content):
    """Return the placeholder for a value of TOML."""
    if isinstance(content, bool):
        return content
    return 0 if isinstance(content, int) else HIDDEN


def test_dfget_yaml():
    text = DFGET.format(secret=SECRET)
    redacted = redact_yaml(text)
    assert SECRET not in redacted
    assert redacted.count("\n") == text.count("\n")
    config = yaml.safe_load(redacted)
    assert config["aliveTime"] == "0s"
    assert config["proxy"]["tcpListen"] == {"listen": "127.0.0.1", "port": 65001}
    assert config["proxy"]["defaultFilter"] == "Expires&Signature&ns"
    assert config["proxy"]["registryMirror"] == {"url": "https://hidden@registry.example.com", "dynamic": True}
    assert config["proxy"]["proxies"] == [
        {"regx": "blobs/sha256.*"},
        {"regx": ".*", "direct": True},
        {"regx": "a: b", "useHTTPS": False},
    ]


@pytest.mark.parametrize(
    "text, filters",
    [
        ("x-a: &f Expires&ns\nproxy: {defaultFilter: *f}\n", "Expires&ns"),
        ("x-a: &f 'Expires&ns'\nx-b: secret\nproxy:\n  defaultFilter: *f\n", "Expires&ns"),
        ("x-a: &f [Expires, ns]\nproxy:\n  defaultFilter: *f\n", ["Expires", "ns"]),
    ],
)
def test_what_a_kept_key_has_an_alias_of(text, filters):
    parsed = yaml.safe_load(redact_yaml(text))
    assert parsed["proxy"]["defaultFilter"] == filters
    assert parsed.get("x-b", HIDDEN) == HIDDEN


def test_hosts_toml():
    text = HOSTS.format(secret=SECRET)
    redacted = redact_toml(text, HOSTS_KEYS)
    assert SECRET not in redacted
    assert tomlkit.parse(redacted).unwrap()["host"]["http://127.0.0.1:65001"] == {
        "capabilities": ["pull", "resolve"],
        "header": {
            "X-Dragonfly-Registry": ["https://registry.example.com"],
            "Authorization": [HIDDEN],
            "x-custom": HIDDEN,
        },
    }


def test_config_toml():
    text = CONFIG.format(secret=SECRET)
    redacted = redact_toml(text, CONTAINERD_KEYS)
    assert SECRET not in redacted
    expected = hidden(tomlkit.parse(text).unwrap(), CONTAINERD_KEYS, of_the_same_kind)
    parsed = tomlkit.parse(redacted).unwrap()
    for config in (expected, parsed):
        config["proxy_plugins"][0].pop("arguments")
    assert parsed == expected


@pytest.mark.parametrize(
    "text",
    [
        'password: "%s\nport: 1\n',
        "password: '%s\n",
        "password: |\n  %s\n %s\nport: 2\n",
        "password: >-\n\n  %s\n",
        "key: [%s, {a: %s}\n",
        "? password\n: %s\n",
        "password:\n  - %s\n  - - %s\n",
        "password:\n    %s\n    more\nport: 1\n",
        "password: &a %s\nport: *a\n",
        "x-a: &a\npassword: %s\nport: *a\n",
        "x-a: &a {password: %s, port: 1}\nproxy: *a\nport: *a\n",
        "x-a: [ &a 1, %s]\nport: *a\n",
        "x-a: [ &a , %s]\nport: *a\n",
        "x-a: [[ &a ] %s]\nport: *a\n",
        "x-a:\n- &a\n- %s\nport: *a\n",
        "x-a:\n  &a\n  %s\nport: *a\n",
        "x-a: { &a password: %s}\nport: *a\n",
        "x-a: &a '' '%s'\nport: *a\n",
        "x-a: &a %s\npassword: *a\n",
        "x-a: &a password\n*a : %s\nport: *a\n",
        "\tpassword: %s",
        "- %s",
        "password: :%s",
        "{password: :%s}",
        "%s",
        "{password: %s, port: 1}",
        '{"password": "%s"}',
        "url: http://me:%s@host/\n",
        "url: http://me:a@%s@host/\n",
    ],
)
def test_malformed_yaml_shows_no_secret(text):
    assert SECRET not in redact_yaml(text.replace("%s", SECRET))


@pytest.mark.parametrize(
    "text",
    [
        'password = "%s\nserver = 1\n',
        "password = '''%s",
        'password = """\n%s\n"""\n',
        "password = [ '%s',\n '%s' ]",
        "password = [\n['%s']\n]",
        "a = { password = '%s', server = 1 }",
        "%s",
        "[a\npassword = '%s'",
        "server = 'http://me:%s@host/'",
    ],
)
def test_malformed_toml_shows_no_secret(text):
    assert SECRET not in redact_toml(text.replace("%s", SECRET), HOSTS_KEYS)


WORDS = st.text(string.ascii_letters + string.digits + " .:/#-_{}[]&*!|>'\"%@,?\\", max_size=12)
SCALARS = st.one_of(st.booleans(), st.integers(0, 70000), WORDS)
KEYS = st.sampled_from(KEPT + OTHER)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
TABLES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(KEYS, SCALARS, max_size=3))


def normal(content):
    """Any user info is removed, and a hidden block of text may keep its indentation."""
    if isinstance(content, dict):
        return {key: normal(value) for key, value in content.items()}
    if isinstance(content, list):
        return [normal(item) for item in content]
    if isinstance(content, str):
        return HIDDEN if "://" in content else content.strip()
    return content


@given(
    document=st.dictionaries(KEYS, DOCUMENTS, max_size=5),
    flow=st.sampled_from([True, False, None]),
    style=st.sampled_from([None, "'", '"', "|"]),
)
def test_any_yaml_keeps_what_counts(document, flow, style):
    text = yaml.safe_dump(document, default_flow_style=flow, default_style=style, sort_keys=False, width=1000)
    assert normal(yaml.safe_load(redact_yaml(text))) == normal(hidden(yaml.safe_load(text), CLIENT_KEYS))


@given(document=st.dictionaries(KEYS, TABLES, max_size=5))
def test_any_toml_keeps_what_counts(document):
    text = tomlkit.dumps(document)
    keys = frozenset(key.lower() for key in KEPT)
    redacted = tomlkit.parse(redact_toml(text, keys)).unwrap()
    assert normal(redacted) == normal(hidden(document, keys, of_the_same_kind))


@pytest.mark.parametrize(
    "value, shown",
    [
        *[(text, "0") for text in ("1", "-17", "+1_000", "0xDEAD", "0o17", "0b1")],
        *[(text, "0.0") for text in ("1.5", "-1e6", "6.02E+23", "inf", "-nan")],
        ("1979-05-27", "1970-01-01"),
        ("1979-05-27T07:32:00Z", "1970-01-01"),
        ("1979-05-27 07:32:00.5-07:00", "1970-01-01 00:00:00"),
        ("07:32:00", "00:00:00"),
        ("true", "true"),
        ("false", "false"),
        ('"a"', '"hidden"'),
        ("[1, 'a']", '[0, "hidden"]'),
    ],
)
def test_a_hidden_value_of_toml_keeps_its_kind(value, shown):
    redacted = redact_toml(f"x = {value}\n", HOSTS_KEYS)
    assert redacted == f"x = {shown}\n"
    tomlkit.parse(redacted)


@pytest.mark.parametrize("value", ["True", "yes", "01", "10s", "a b", '"a" "b"', "1.", "\u201ca\u201c"])
def test_what_is_not_toml_is_not_toml_afterwards(value):
    with pytest.raises(tomlkit.exceptions.ParseError):
        tomlkit.parse(redact_toml(f"x = {value}\n", HOSTS_KEYS))
