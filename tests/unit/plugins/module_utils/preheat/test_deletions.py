# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The deletions that make a warm job stale."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.deletions import Deletion, deletes
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.records import JobRecord
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.verdict import Verdict
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import RECIPES

MANIFEST = "https://h/v2/shop/web/manifests/1"
BLOB = "https://h/v2/shop/web/blobs/sha256:" + "a" * 64
OTHER = "https://h/v2/shop/web/blobs/sha256:" + "b" * 64
JOB: dict[str, t.Any] = {
    "id": 1,
    "created_at": "2026-11-28T13:00:00Z",
    "args": {"type": "image", "url": MANIFEST, "tag": "", "application": "", "piece_length": None},
    "scheduler_clusters": [{"id": 1}],
}
CREATED = 1795870800.0


def record(warm: list[str] | None, **args: t.Any) -> JobRecord:
    planned = PlannedJob("image", MANIFEST, MANIFEST, {}, "", image=parse_image(MANIFEST))
    return JobRecord(planned, "found", dict(JOB, args=dict(JOB["args"], **args)), Verdict("warm", warm=warm))


def deletion(**changes: t.Any) -> Deletion:
    """Return a deletion of the blob that ended a minute after the job was created."""
    whole = Deletion(2, {"url": BLOB, "tag": ""}, "SUCCESS", CREATED + 60, False, {1}, False)
    return whole._replace(**changes)


def test_the_time_of_the_job():
    from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_time

    assert parse_time(JOB["created_at"]) == CREATED


@pytest.mark.parametrize(
    "args, counts",
    [
        ({"url": BLOB}, True),
        ({"url": OTHER}, False),
        ({"url": BLOB, "tag": "t"}, False),
        ({"url": BLOB, "application": "shop"}, False),
        ({"url": BLOB, "piece_length": 4194304}, False),
        ({"url": BLOB, "filtered_query_params": "ns"}, True),
        ({"url": BLOB, "task_id": ""}, True),
        ({"url": "", "task_id": "a" * 64}, True),
        ({"url": "", "task_id": "b" * 64}, False),
        ({"url": "", "task_id": RECIPES["go"]["V2f"].task_id(BLOB)}, True),
        ({"url": "", "task_id": RECIPES["go"]["V1"].task_id(BLOB)}, True),
        ({"url": "", "task_id": RECIPES["go"]["V2f"].task_id(BLOB, tag="t")}, False),
        ({"url": "", "task_id": "", "content_for_calculating_task_id": "x"}, False),
        ({}, False),
        ({"url": 5}, False),
        # The ID may be that of any task.
        ({"url": "", "task_id": 5}, True),
        ({"url": "", "task_id": ["x"]}, True),
        ({"url": "", "task_id": {"x": 1}}, True),
        ({"url": BLOB, "task_id": []}, True),
        ({"url": BLOB, "tag": ["x"]}, False),
        ({"url": BLOB, "filtered_query_params": ["x"]}, True),
    ],
    ids=str,
)
def test_a_deletion_is_about_a_task(args, counts):
    assert deletes(deletion(args=args), record([BLOB])) is counts


@pytest.mark.parametrize("value", [5, True, [], ["x"], {"x": 1}, "", "%zz", "http://[", "no URL"], ids=str)
def test_the_job_can_have_values_of_other_types(value):
    by_id = deletion(args={"url": "", "task_id": "b" * 64})
    for key in ("tag", "application", "piece_length", "filtered_query_params", "url"):
        assert not deletes(by_id, record([BLOB], **{key: value}))
    if isinstance(value, str):
        assert not deletes(by_id, record([value, BLOB]))


def test_a_deletion_with_the_tag_of_the_job_counts():
    assert deletes(deletion(args={"url": BLOB, "tag": "t"}), record([BLOB], tag="t"))
    assert not deletes(deletion(args={"url": BLOB, "tag": ""}), record([BLOB], tag="t"))


def test_a_file_is_the_same_without_its_signature():
    planned = PlannedJob("file", "https://h/f?a=1&S=x", "https://h/f?a=1&S=x", {}, "")
    args = {"type": "file", "url": "https://h/f?a=1&S=x", "filtered_query_params": "S"}
    existing = JobRecord(planned, "found", dict(JOB, args=args), Verdict("warm", warm=["https://h/f?a=1&S=x"]))
    same = {"url": "https://h/f?S=y&a=1", "filtered_query_params": "S"}
    assert deletes(deletion(args=same), existing)
    assert not deletes(deletion(args=dict(same, url="https://h/f?a=2&S=y")), existing)


@pytest.mark.parametrize("url, counts", [(BLOB, True), (OTHER, True), ("https://h/v2/shop/api/blobs/sha256:a", False)])
def test_any_blob_of_the_repository_counts_where_the_blobs_are_not_known(url, counts):
    assert deletes(deletion(args={"url": url}), record(None)) is counts


@pytest.mark.parametrize(
    "changes, counts",
    [
        ({}, True),
        # It ended before.
        ({"updated_at": CREATED - 30}, False),
        ({"updated_at": CREATED - 30, "state": "FAILURE"}, False),
        ({"updated_at": CREATED}, True),
        # It may have deleted content, and may still do so.
        ({"state": "FAILURE"}, True),
        ({"state": "PENDING", "updated_at": CREATED - 30, "may_run": True}, True),
        ({"state": "PENDING", "updated_at": CREATED - 30, "may_run": False}, False),
        ({"state": "NOVEL"}, True),
        ({"updated_at": None}, True),
        # There was no content.
        ({"was_empty": True}, False),
        # In other clusters.
        ({"cluster_ids": {2}}, False),
        ({"cluster_ids": {1, 2}}, True),
        ({"cluster_ids": set()}, True),
        ({"cluster_ids": {2}, "state": "FAILURE"}, True),
    ],
    ids=str,
)
def test_a_deletion_acts_at_a_time_and_a_place(changes, counts):
    assert deletes(deletion(**changes), record([BLOB])) is counts
