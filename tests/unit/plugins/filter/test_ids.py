# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters manifest_url and task_id."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.filter import manifest_url as manifest_url_file
from ansible_collections.dragonflyoss.dragonfly.plugins.filter import task_id as task_id_file

manifest_url = manifest_url_file.FilterModule().filters()["manifest_url"]
task_id = task_id_file.FilterModule().filters()["task_id"]

BLOB = "https://index.docker.io/v2/dragonflyoss/busybox/blobs/sha256:a711f05d33845e2e9deffcfcc5adf082d7c6e97e3e3a881d193d9aae38f092a8"


@pytest.mark.parametrize(
    "image, registries, url",
    [
        ("redis:7", None, "https://index.docker.io/v2/library/redis/manifests/7"),
        (
            "redis:7",
            {"docker.io": "https://harbor.example.com/hub"},
            "https://harbor.example.com/v2/hub/library/redis/manifests/7",
        ),
        (
            "r:5000/a/b",
            {"r:5000": {"url": "http://r:5000", "username": "u", "password": "x"}},
            "http://r:5000/v2/a/b/manifests/latest",
        ),
    ],
)
def test_manifest_url(image, registries, url):
    assert manifest_url(image, registries) == url


def test_manifest_url_of_no_image():
    with pytest.raises(
        AnsibleFilterError, match="'Redis' is not a valid image reference: the repository name must be lowercase"
    ):
        manifest_url("Redis")


def test_task_id():
    assert task_id(BLOB, "dfget", "2.1.67") == "b6922209dc9616f8736a860e93c3cd7288a4e801517f88eec3df514606d18cdf"
    newest = "901b46d60d7434b4ead299a2f00f775e0030d8e345957cb4664f30ae5974ab98"
    assert task_id(BLOB, "dfdaemon") == newest
    assert task_id(BLOB + "?ns=docker.io", "dfdaemon", "1.4.2", ["ns"]) == newest
    assert task_id(BLOB + "?ns=docker.io&a=1", "dfdaemon", filtered_query_params="ns&a") == newest
    assert task_id(BLOB + "?n=1", "dfdaemon", filtered_query_params="ns") != newest
    assert task_id(BLOB, "dfdaemon", tag="mytag") == "c04c24338b69810243ca19f686e3be330b5a07cf828f3ef5dd2dfa31fe61ce87"


@pytest.mark.parametrize(
    "url, options, text",
    [
        ("no url", {"client": "dfdaemon"}, "it is not a plain URL, so its task ID cannot be predicted"),
        (BLOB, {}, "client is missing. Set it to dfget, dfdaemon or scheduler"),
        (f"{BLOB}?token=hidden#a", {"client": "dfdaemon"}, "contains a fragment"),
        (BLOB, {"client": "dfcache"}, "'dfcache' is not a valid client"),
        (BLOB, {"client": "dfget", "release": "new"}, "'new' is not a valid release: write it like 2.1.67"),
        (BLOB, {"client": "dfdaemon", "release": "0.1.100"}, "Use 0.1.114 or later"),
        (BLOB, {"client": "dfdaemon", "filtered_query_params": {"a": 1}}, "must be a list of names, .* not {'a': 1}"),
        (BLOB, {"client": "dfdaemon", "filtered_query_params": [5]}, "must be a list of names, .* not \\[5\\]"),
    ],
)
def test_task_id_of_what_it_cannot_be_of(url, options, text):
    with pytest.raises(AnsibleFilterError, match=text):
        task_id(url, **options)


def test_secrets_of_a_url_are_not_in_the_message():
    with pytest.raises(AnsibleFilterError) as caught:
        task_id("https://u:hidden@h:99999/x?token=hidden", "dfdaemon")
    assert "hidden" not in str(caught.value)
    assert "port is too large" in str(caught.value)
