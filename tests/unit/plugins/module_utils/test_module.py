# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets within options that are not secret as a whole, and the message about a missing library."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import missing_requests, secrets_in


@pytest.mark.parametrize(
    "value, secrets",
    [
        (None, []),
        (7, []),
        ("https://example.com/file", []),
        ("https://user:pa55word@example.com/file", ["pa55word"]),
        (["https://user:pa55word@example.com/file", {"password": "hidden"}], ["pa55word", "hidden"]),
        ({"password": "hidden", "username": "user"}, ["hidden"]),
        ({"password": ""}, []),
        ({"password": 12345}, ["12345"]),
        ({"registry.example.com": {"url": "https://example.com", "password": "hidden"}}, ["hidden"]),
        ({"headers": {"Authorization": "Bearer x"}}, ["Bearer x"]),
        ({"headers": {"X-Request": "short"}}, []),
        ({"headers": {"X-Request": "long enough to be one"}}, ["long enough to be one"]),
        ({"headers": "Authorization: Bearer x"}, []),
        ({"object_storage": {"region": "eu", "access_key_secret": "hidden", "misspelt_key": "hidden too"}}, None),
        ({"object_storage": {"access_key_secret": None}}, []),
        ({"hdfs": {"delegation_token": "hidden"}}, ["hidden"]),
        ({"hdfs": None}, []),
    ],
)
def test_secrets(value, secrets):
    if secrets is None:
        secrets = ["hidden", "hidden too"]
    actual = secrets_in(value)
    assert [secret for secret in secrets if secret not in actual] == []
    if not secrets:
        assert actual == []


def test_the_message_about_requests_contains_the_command():
    assert f"'{sys.executable} -m pip install requests'" in missing_requests()
