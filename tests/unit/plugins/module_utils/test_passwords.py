# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords that Ansible converted to another type."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import secrets_in
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._passwords import plain_password, plain_passwords
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_config import read_registries

KEY = {"type": "service_account", "private_key": "-----BEGIN 'x'-----\nhidden\n", "none": None, "yes": True}


@pytest.mark.parametrize(
    "password", ["s3cr3t", "", "{", "{}", "{'a'}", "{'a': b}", "{'a': 1", '{"a": 1}', "[1]", "True"]
)
def test_strings_stay_as_they_are(password):
    for username in ("u", "_json_key", None):
        assert plain_password("password", username, password) == password


def test_numbers():
    assert plain_password("password", "u", 12) == "12"
    assert plain_password("password", "u", None) is None


@pytest.mark.parametrize("password", [KEY, str(KEY)])
def test_the_key_of_a_service_account_is_json_again(password):
    assert json.loads(plain_password("password", "_json_key", password) or "") == KEY
    params = {"registry_username": "_json_key", "registry_password": password, "username": None, "password": None}
    assert json.loads(plain_passwords(params)["registry_password"]) == KEY
    registries = {"gcr.io": {"username": "_json_key", "password": password}}
    assert json.loads(read_registries(registries).details["gcr.io"]["password"]) == KEY


@pytest.mark.parametrize("password", [KEY, str(KEY), ["hidden"], True, 1.5, {"hidden": 1}, "{'hidden': 1}"])
def test_what_cannot_be_the_password(password):
    for call in (
        lambda: plain_password("registry_password", "u", password),
        lambda: plain_passwords({"password": password, "username": "u"}),
        lambda: read_registries({"r": {"username": "u", "password": password}}),
    ):
        with pytest.raises(InputError, match=r"add \| string") as caught:
            call()
        assert "hidden" not in caught.value.message


def test_what_is_in_a_key_is_hidden():
    secrets = secrets_in({"registries": {"gcr.io": {"username": "_json_key", "password": KEY}}})
    assert KEY["private_key"] in secrets
    assert str(KEY) in secrets
    assert json.dumps(KEY) in secrets
