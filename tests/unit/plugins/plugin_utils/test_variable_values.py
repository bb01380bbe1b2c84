# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of variables that are lists, mappings and durations."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._variable_values import (
    read_days,
    read_duration,
    read_list,
    read_mapping,
)


@pytest.mark.parametrize(
    "value, expected",
    [
        ("redis:7", ["redis:7"]),
        ("a:1,b:2", ["a:1", "b:2"]),
        (" a:1 , b:2,", ["a:1", "b:2"]),
        ('["a:1", "b:2"]', ["a:1", "b:2"]),
        ("[fd00::1]:5000/a:1", ["[fd00::1]:5000/a:1"]),
        ("[a]", ["[a]"]),
        ("", []),
        (None, []),
        ([], []),
        (["a, b"], ["a, b"]),
        (7, ["7"]),
        ([7], ["7"]),
    ],
)
def test_what_is_a_list(value, expected):
    assert read_list(value, "preheat_images") == expected


@pytest.mark.parametrize(
    "value, message",
    [
        ({"a": 1}, "preheat_images must be a list of strings, not a mapping."),
        (True, "preheat_images must be a list of strings, not a boolean."),
        ([["a"]], "preheat_images must be a list of strings, but entry 1 is a list."),
        (["a", None], "preheat_images must be a list of strings, but entry 2 is empty."),
        ('[{"a": 1}]', "preheat_images must be a list of strings, but entry 1 is a mapping."),
    ],
)
def test_what_is_not_a_list(value, message):
    with pytest.raises(InputError) as error:
        read_list(value, "preheat_images")
    assert str(error.value) == message


@pytest.mark.parametrize(
    "value, expected",
    [({"a": 1}, {"a": 1}), ('{"a": {"b": [1]}}', {"a": {"b": [1]}}), (" {} ", {}), ({}, {}), (None, {})],
)
def test_what_is_a_mapping(value, expected):
    assert read_mapping(value, "dfdaemon_config") == expected


@pytest.mark.parametrize(
    "value, message",
    [
        ("", "not a text that is not a mapping in JSON."),
        ("password=secret", "not a text that is not a mapping in JSON."),
        ("{'password': 'secret'}", "not a text that is not a mapping in JSON."),
        ('["secret"]', "not a list."),
        ("7", "not a number."),
        ("null", "not empty."),
        ([{"a": 1}], "not a list."),
        (True, "not a boolean."),
        (7, "not a number."),
    ],
)
def test_what_is_not_a_mapping(value, message):
    with pytest.raises(InputError) as error:
        read_mapping(value, "dfdaemon_config")
    assert str(error.value) == f"dfdaemon_config must be a mapping, {message}"


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("dfdaemon_start_timeout", 90, 90),
        ("dfdaemon_start_timeout", "90", 90),
        ("dfget_start_timeout", "1m30s", 90),
        ("preheat_max_age", 0, 0),
        ("preheat_timeout", None, None),
        ("mine", "2h", 7200),
    ],
)
def test_what_is_a_duration(name, value, expected):
    assert read_duration(value, name) == expected


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("dfdaemon_start_timeout", "soon", "must be a number of seconds or a duration such as 90s, 30m, 4h, 7d, 2w or"),
        ("dfdaemon_start_timeout", "", "must be a number of seconds"),
        ("dfdaemon_start_timeout", [90], "must be a number of seconds"),
        ("dfdaemon_start_timeout", 1.5, "must be a number of seconds"),
        ("dfdaemon_start_timeout", True, "must be a number of seconds"),
        ("dfdaemon_start_timeout", 0, "must be from 1s to 1d, not 0."),
        ("preheat_wait_sleep", "2h", "must be from 1s to 1h, not 2h."),
        ("preheat_timeout", -1, "must be from 1s to 1d, not -1."),
        ("mine", "soon", "must be a number of seconds"),
    ],
)
def test_what_is_not_a_duration(name, value, message):
    with pytest.raises(InputError) as error:
        read_duration(value, name)
    assert str(error.value).startswith(f"{name} {message}")


@pytest.mark.parametrize("value, expected", [("7d", 7), ("168h", 7), ("2w", 14), (86400, 1), (0, 0), (None, None)])
def test_what_is_a_number_of_days(value, expected):
    assert read_days(value, "manager_log_max_age") == expected


@pytest.mark.parametrize("value", [7, "7", "36h", "-86400"])
def test_what_is_not_a_number_of_days(value):
    with pytest.raises(InputError) as error:
        read_days(value, "manager_log_max_age")
    assert str(error.value) == f"manager_log_max_age must be a number of whole days such as 7d, not {value!r}."
