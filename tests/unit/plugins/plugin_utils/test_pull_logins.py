# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The passwords for pulls: a key file of a service account that Ansible parsed is read as the key."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import pulls

KEY = {"type": "service_account", "private_key": "-----BEGIN 'x'-----\nhidden\n", "none": None, "yes": True}


@pytest.mark.parametrize("password", [KEY, str(KEY), json.dumps(KEY)])
def test_the_key_of_a_service_account_is_the_password(password):
    registries = {"gcr.io": {"username": "_json_key", "password": password}}
    login = pulls(["gcr.io/a/b:1"], registries)[0].login
    assert json.loads(login.partition(":")[2]) == KEY


@pytest.mark.parametrize("password", [KEY, str(KEY), ["hidden"], True, 1.5, {"hidden": 1}, "{'hidden': 1}"])
def test_what_cannot_be_the_password(password):
    with pytest.raises(InputError, match=r"add \| string") as caught:
        pulls(["r.example/a:1"], {"r.example": {}}, "u", password)
    assert "hidden" not in caught.value.message
