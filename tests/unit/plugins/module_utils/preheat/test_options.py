# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that are rejected before any request."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.options import check_params


def params(**own):
    base = {"max_age": 3600, "verify": "auto", "scope": "single_seed_peer"}
    if not {"image", "images", "file", "files"} & set(own):
        base["image"] = "redis:7"
    return dict(base, **own)


@pytest.mark.parametrize(
    "given_params, expected_text",
    [
        ({"image": " "}, "empty string"),
        ({"images": ["redis:7", ""]}, "empty string"),
        ({"files": []}, "nothing to preheat"),
        ({"images": []}, "nothing to preheat"),
        ({"timeout": 0}, "timeout must be from 1s to 1d, not 0"),
        ({"wait_timeout": -1}, "wait_timeout"),
        ({"wait_sleep": 0}, "wait_sleep"),
        ({"max_age": -1}, "max_age"),
        ({"job_timeout": 0}, "job_timeout"),
        ({"piece_length": 4194303}, "piece_length"),
        ({"piece_length": 67108865}, "piece_length"),
        ({"scope": "all_peers", "count": 201}, "count"),
        ({"scope": "all_peers", "percentage": 101}, "percentage"),
        ({"concurrent_task_count": 101}, "concurrent_task_count"),
        ({"concurrent_peer_count": 0}, "concurrent_peer_count"),
        ({"max_failed_peers_percentage": 101}, "max_failed_peers_percentage"),
        ({"file": "https://h/f", "platforms": ["linux/amd64"]}, "platforms is only for images"),
        ({"file": "https://h/f", "registry_username": "u"}, "registry_username is only for images"),
        ({"image": "a:1", "registry_username": "u"}, "registry_username is set without a password"),
        ({"image": "a:1", "registry_password": "p"}, "registry_password is set without a user name"),
        ({"object_storage": {"region": "r"}}, "object_storage is only for files"),
        ({"hdfs": {"delegation_token": "t"}}, "hdfs is only for files"),
        ({"ips": ["10.0.0.1"]}, "ips requires scope all_peers or all_seed_peers"),
        ({"count": 2}, "count requires scope"),
        ({"percentage": 2}, "percentage requires scope"),
        ({"expected_ips": ["10.0.0.1"]}, "expected_ips requires scope"),
        ({"max_failed_peers_percentage": 30}, "max_failed_peers_percentage requires scope"),
        ({"filtered_query_params": ["a&b"]}, "'a&b' is not a name"),
        ({"filtered_query_params": [""]}, "'' is not a name"),
        ({"scheduler_cluster_ids": [1, 0]}, "not 0"),
        ({"scope": "all_peers", "ips": ["host-1"]}, "'host-1' is not one"),
        ({"scope": "all_peers", "expected_ips": ["10.0.0.1\n"]}, "is not one"),
        ({"scope": "all_peers", "expected_ips": ["10.0.0.300"]}, "'10.0.0.300' is not one"),
        (
            {"scope": "all_peers", "ips": ["10.0.0.300"]},
            "ips must be a list of IP addresses, and '10.0.0.300' is not one",
        ),
        ({"scope": "all_peers", "ips": ["fd00:::1"]}, "'fd00:::1' is not one"),
        ({"scope": "all_peers", "ips": [f"10.0.0.{int(number)}" for number in range(101)]}, "at most 100"),
        ({"bio": "x" * 1006}, "bio must not be longer"),
    ],
)
def test_check_params_refuses(given_params, expected_text):
    with pytest.raises(InputError) as caught:
        check_params(params(**given_params))
    assert expected_text in caught.value.message
    assert caught.value.reason == "bad_input"


@pytest.mark.parametrize(
    "given_params",
    [
        {},
        {"file": "https://h/f", "object_storage": {"region": "r"}, "registries": {"a": "https://a"}},
        {"images": ["redis:7"], "platforms": ["linux/amd64"], "registry_username": "u", "registry_password": "p"},
        {"scope": "all_peers", "ips": ["10.0.0.1", "fd00::1"], "expected_ips": ["10.0.0.2"]},
        {"scope": "all_seed_peers", "count": 200, "piece_length": 4194304, "bio": "x" * 1005},
        {"wait_timeout": 0, "max_age": 0, "wait_sleep": 1, "max_failed_peers_percentage": 0},
        {"scope": "all_peers", "max_failed_peers_percentage": 100},
    ],
)
def test_check_params_accepts(given_params):
    check_params(params(**given_params))


def test_check_params_tells_all_at_once():
    with pytest.raises(InputError) as caught:
        check_params(params(max_age=-1, count=2, bio="x" * 2000))
    assert [word in caught.value.message for word in ("max_age", "count", "bio")] == [True] * 3
