# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of a job."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_document import (
    cluster_ids,
    job_urls,
    without_result,
)


@pytest.mark.parametrize(
    "args, urls",
    [
        ({"url": "a"}, ["a"]),
        ({"url": "a", "urls": ["a", "b"]}, ["a", "b"]),
        ({"url": "", "urls": ["b"]}, ["b"]),
        ({"urls": None}, []),
        ({"url": 1, "urls": [2, "b"]}, ["b"]),
    ],
)
def test_job_urls(args, urls):
    assert job_urls(args) == urls


@pytest.mark.parametrize(
    "job, ids",
    [
        ({}, set()),
        ({"scheduler_clusters": None}, set()),
        ({"scheduler_clusters": [{"id": 1}, {"id": 3}, {}, None, {"id": "x"}]}, {1, 3}),
        ({"scheduler_clusters": {"id": 1}}, set()),
    ],
)
def test_cluster_ids(job, ids):
    assert cluster_ids(job) == ids


def test_neither_the_result_nor_unknown_keys_of_a_job_are_kept():
    known = {"id": 1, "state": "SUCCESS", "type": "preheat", "args": {"url": "u"}, "scheduler_clusters": [{"id": 1}]}
    kept = without_result({**known, "result": {"job_states": []}, **{f"unknown_{number}": 0 for number in range(1000)}})
    assert {key: value for key, value in kept.items() if value is not None} == known
