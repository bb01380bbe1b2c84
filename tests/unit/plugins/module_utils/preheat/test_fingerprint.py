# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fingerprint of a request, and the description that contains it."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.fingerprint import (
    BIO_LENGTH,
    Bio,
    mark_bio,
    read_bio,
    request_fingerprint,
)
from hypothesis import given
from hypothesis import strategies as st

URL = "https://registry.example.com/v2/shop/web/manifests/sha256:" + "a" * 64
DEFAULTS: dict = {"scope": "single_seed_peer", "tag": None, "ips": None, "headers": {}, "load_to_cache": None}


def fingerprint(url=URL, kind="image", **options):
    return request_fingerprint(kind, url, dict(DEFAULTS, **options))


def test_it_stays_the_same_in_every_version_of_the_collection():
    # With another value, managers newer than the tables preheat everything again: raise _RULES, and document it.
    assert fingerprint() == "dc6c1011"
    assert fingerprint(tag="t", filtered_query_params=["b", "a"], count=2, platform="linux/amd64") == "b2a5c954"


@pytest.mark.parametrize(
    "options",
    [
        {"registry_username": "u", "registry_password": "p"},
        {"headers": {"Authorization": "Bearer x", "Cookie": "y"}},
        {"object_storage": {"access_key_secret": "s"}},
        {"hdfs": {"delegation_token": "t"}},
        {"scope": "single_seed_peer", "tag": "", "ips": [], "count": 0, "load_to_cache": False},
    ],
    ids=str,
)
def test_credentials_and_what_is_not_set_do_not_count(options):
    assert fingerprint(**options) == fingerprint()


@pytest.mark.parametrize(
    "options",
    [
        {"tag": "t"},
        {"scope": "all_peers"},
        {"ips": ["10.0.0.1"]},
        {"concurrent_task_count": 8},
        {"job_timeout": 60},
        {"filtered_query_params": ["a"]},
        {"platform": "linux/arm64"},
        {"kind": "file"},
        {"url": URL + "2"},
    ],
    ids=str,
)
def test_what_is_requested_counts(options):
    assert fingerprint(**options) != fingerprint()


def test_order_and_signatures_do_not_count():
    assert fingerprint(ips=["10.0.0.1", "10.0.0.2"]) == fingerprint(ips=["10.0.0.2", "10.0.0.1", "10.0.0.2"])
    assert fingerprint("https://h/f?X-Amz-Signature=1", "file") == fingerprint("https://h/f?X-Amz-Signature=2", "file")


@pytest.mark.parametrize(
    "bio, parts",
    [
        ("registry.example.com/shop/web:4.2.0 [ansible 1f3a9c2e]", ("registry.example.com/shop/web:4.2.0", "1f3a9c2e")),
        ("release 7, edited [ansible 1f3a9c2e] \n", ("release 7, edited", "1f3a9c2e")),
        ("[ansible 1f3a9c2e]", ("", "1f3a9c2e")),
        ("by hand", ("by hand", None)),
        ("[ansible 1f3a9c2e] and more", ("[ansible 1f3a9c2e] and more", None)),
        ("x[ansible 1f3a9c2e]", ("x[ansible 1f3a9c2e]", None)),
        ("x [ansible 1F3A9C2E]", ("x [ansible 1F3A9C2E]", None)),
        (None, ("", None)),
        (["x"], ("", None)),
    ],
)
def test_descriptions_are_read(bio, parts):
    assert read_bio(bio) == Bio(*parts)


@given(st.text(max_size=1100))
def test_a_marked_description_fits_and_is_read_again(text):
    bio = mark_bio(text, "1f3a9c2e")
    assert len(bio) <= 1024
    assert read_bio(bio).fingerprint == "1f3a9c2e"
    assert text[:BIO_LENGTH].lstrip() == read_bio(bio).text.lstrip()
