# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Valid values of the option registries."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_config import read_registries


@pytest.mark.parametrize(
    "registries",
    [
        {"a": 5},
        {"a": None},
        {"a": ["https://a"]},
        {"a": {"uri": "https://a"}},
        {"a": {"url": ["https://a"]}},
        {"a": "ftp://a"},
        {"docker.io": "https://docker.io"},
    ],
)
def test_read_registries_refuses(registries):
    with pytest.raises(InputError):
        read_registries(registries)


def test_an_unknown_key_is_named_with_the_one_that_it_may_mean():
    with pytest.raises(InputError, match="Unknown: user. Did you mean username?"):
        read_registries({"a": {"url": "https://a", "user": "x"}})


def test_read_registries():
    bases, details = read_registries(
        {"a": "https://a/", "b": {"url": "http://b:5000/p", "username": "u", "password": 12}, "c": {"ca_path": "/ca"}}
    )
    assert bases == {"a": "https://a", "b": "http://b:5000/p"}
    assert details["b"] == {"url": "http://b:5000/p", "username": "u", "password": "12"}
    assert read_registries(None) == ({}, {})
