# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merges, differences, and possible effects of a failed request."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import ApiError, TransportError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._managed_resource import (
    Change,
    deep_merge,
    differences,
    may_be_as_planned,
    without_empty,
)


@pytest.mark.parametrize(
    "base, override, merged",
    [
        ({}, {}, {}),
        ({"bio": "a"}, {}, {"bio": "a"}),
        ({"bio": "a"}, {"bio": None}, {"bio": "a"}),
        ({"bio": "a"}, {"bio": ""}, {"bio": ""}),
        ({"scopes": ["a", "b"]}, {"scopes": ["c"]}, {"scopes": ["c"]}),
        ({"config": {"load": 1, "later": 7}}, {"config": {"load": 2}}, {"config": {"load": 2, "later": 7}}),
        ({"config": {"block": {"tags": ["a"]}}}, {"config": {"block": {"urls": ["u"]}}}, None),
        ({"config": None}, {"config": {"load": 2}}, {"config": {"load": 2}}),
        ({}, {"config": {"load": 2}}, {"config": {"load": 2}}),
    ],
)
def test_deep_merge(base, override, merged):
    before = repr(base)
    if merged is None:
        merged = {"config": {"block": {"tags": ["a"], "urls": ["u"]}}}
    assert deep_merge(base, override) == merged
    assert repr(base) == before


@pytest.mark.parametrize(
    "planned, actual, keys",
    [
        ({}, {"bio": "a"}, []),
        ({"bio": "a"}, {"bio": "a", "id": 1}, []),
        ({"bio": "a"}, {"bio": "b"}, ["bio"]),
        ({"bio": "a"}, None, ["bio"]),
        ({"bio": "a"}, [], ["bio"]),
        ({"bio": "", "load": 0, "tags": [], "default": False}, {"load": None}, []),
        ({"load": 0}, {"load": 1}, ["load"]),
        ({"config": {"load": 2}}, {"config": {"load": 3}}, ["config.load"]),
        ({"config": {"load": 2}}, {"config": None}, ["config.load"]),
        ({"config": {"load": 0}}, {}, []),
        ({"b": 1, "a": {"d": 1, "c": 1}}, {}, ["a.c", "a.d", "b"]),
    ],
)
def test_differences(planned, actual, keys):
    assert differences(planned, actual) == keys


@pytest.mark.parametrize(
    "error, expected",
    [
        (TransportError("m", "timeout", "POST /", sent=True), True),
        (TransportError("m", "refused", "POST /", sent=False), False),
        (ApiError("m", "conflict", "POST /", 409), True),
        (ApiError("m", "server_error", "POST /", 500), True),
        (ApiError("m", "server_error", "POST /", 502), True),
        (ApiError("m", "not_found", "POST /", 404), False),
        (ApiError("m", "forbidden", "POST /", 401), False),
    ],
)
def test_an_object_may_be_as_planned_after_a_failure(error, expected):
    assert may_be_as_planned(error) is expected


def test_without_empty():
    values: dict[str, object] = {"none": None, "text": "", "zero": 0, "list": [], "dict": {}, "kept": "a", "number": 1}
    assert without_empty(values) == {"kept": "a", "number": 1}


def test_a_diff_of_nothing_is_empty():
    assert Change(True, None, {"bio": "a"}).diff("cluster a") == {
        "before_header": "cluster a",
        "after_header": "cluster a",
        "before": {},
        "after": {"bio": "a"},
    }
