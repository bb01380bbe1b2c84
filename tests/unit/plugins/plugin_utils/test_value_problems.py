# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems of role variables: one short message with the name of the variable."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._value_problems import value_problems

INVALID: list[tuple[str, Any, str]] = [
    ("address", "node-1", "It must be an IP address, not 'node-1'"),
    ("days", "90s", "whole days"),
    ("list", {"a": 1}, "must be a list"),
    ("mapping", "a=b", "must be a mapping"),
    ("addresses", "10.0.0.300", "'10.0.0.300' is not one"),
    ("addresses", ["10.0.0.1", "foo"], "'foo' is not one"),
    ("duration", "soon", "must be a number of seconds or a duration"),
    ("files", ["http://a/b", "http://u:p@a/b"], "must not contain a user name or password"),
    ("files", "http://a/b#c", "contains a fragment"),
    ("images", ["Redis:7"], "must be lowercase"),
    ("images", [["a"]], "entry 1 is a list"),
    ("images", {"a": 1}, "must be a list"),
    ("platforms", "linux", "is not a valid platform"),
    ("port", 99999, "from 1 to 65535, not '99999'"),
    ("port", "a", "from 1 to 65535"),
    ("preheat", {"files": ["http://a/b"], "ips": ["10.0.0.1"]}, "role_option_ips requires scope all_peers"),
    ("preheat", {"images": ["a:1"], "count": "0", "scope": "all_peers"}, "role_option_count must be from 1 to 200"),
    ("preheat", {"images": ["a:1"], "client_key": "/k"}, "role_option_client_key requires role_option_client_cert"),
    ("preheat", {"images": ["a:1"], "registry_password": "p"}, "registry_password is set without a user name"),
    ("preheat", {"images": ["a:1"], "registry_username": "u"}, "registry_username is set without a password"),
    ("registries", ["docker.io"], "must be a mapping"),
    ("registries", {"docker.io": "https://docker.io"}, "Use https://index.docker.io"),
    ("registries", {"https://registry.example.com": ""}, "is not a valid registry"),
    ("release", "1.9", "write it like 2.1.67"),
]
VALID: list[tuple[str, Any]] = [
    ("address", "fd00::1"),
    ("days", "7d"),
    ("list", "a,b"),
    ("mapping", {"a": 1}),
    ("addresses", "10.0.0.1"),
    ("addresses", ["fd00::1"]),
    ("duration", "1h30m"),
    ("files", " http://a/b?c=d "),
    ("images", "redis:7,a.io/b:1"),
    ("platforms", ["linux/amd64"]),
    ("port", "4001"),
    ("preheat", {"images": ["a:1"], "files": None, "count": "", "registry_username": ""}),
    ("registries", {"docker.io": "https://index.docker.io"}),
    ("release", "v2.1.67"),
]


@pytest.mark.parametrize("kind, value, expected_text", INVALID)
def test_an_invalid_value_is_named(kind: str, value: Any, expected_text: str) -> None:
    problems = value_problems(value, "role_option", kind)
    assert len(problems) == 1
    assert problems[0].startswith("role_option")
    assert expected_text in problems[0]


@pytest.mark.parametrize("kind, value", [*VALID, ("release", ""), ("duration", None)])
def test_a_valid_value(kind: str, value: Any) -> None:
    assert value_problems(value, "role_option", kind) == []


def test_an_unknown_kind() -> None:
    with pytest.raises(InputError):
        value_problems("a", "role_option", "colour")
