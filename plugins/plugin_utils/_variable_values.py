# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse values of role variables that are lists, mappings or durations, also if they are given as text.

An inventory in INI and ``-e name=value`` hold text only. The argument specs of Ansible accept such text, but leave it
as it is.
"""

from __future__ import annotations

import json
import typing as t

from ..module_utils._duration import duration_problem, parse_duration
from ..module_utils._errors import InputError
from ..module_utils._option_checks import RANGES, raise_problems, range_problems
from ._role_variables import role_names

_SECONDS_PER_DAY = 86400


def read_list(value: t.Any, name: str = "The value") -> list[str]:
    """Return a variable that is a list of strings, as Ansible reads an option of that type.

    A text is split at commas, or read as JSON where it is a list in JSON, as it comes from INI or from a command line.

    :param name: of the variable, for messages.
    :raises InputError: if it is something else.
    """
    if value is None:
        return []
    if isinstance(value, str):
        value = _list_of_text(value)
    elif _is_number(value):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{name} must be a list of strings, not {_type_name(value)}.")
    for number, element in enumerate(value, 1):
        if not _is_scalar(element):
            raise InputError(f"{name} must be a list of strings, but entry {number} is {_type_name(element)}.")
    return list(map(str, value))


def read_mapping(value: t.Any, name: str = "The value") -> dict[str, t.Any]:
    """Return a variable that is a mapping, empty for null; a text is read as JSON.

    The message does not show the value, which may hold a password.

    :param name: of the variable, for messages.
    :raises InputError: if it is something else.
    """
    if value is None:
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise InputError(f"{name} must be a mapping, not a text that is not a mapping in JSON.") from None
    if not isinstance(value, dict):
        raise InputError(f"{name} must be a mapping, not {_type_name(value)}.")
    return value


def read_duration(value: t.Any, name: str = "The value") -> int | None:
    """Return the seconds of a variable that is a duration, None for null.

    :param name: of the variable; the rest after the name of its role is the option, which has a range.
    :raises InputError: if it is not a duration, or out of range.
    """
    if value is None:
        return None
    seconds = parse_duration(value)
    if seconds is None:
        raise InputError(f"{duration_problem(name, value)}.")
    option = _option(name)
    if option in RANGES:
        raise_problems(range_problems({option: str(value)}, {option: RANGES[option]}, prefix=name[: -len(option)]))
    return seconds


def read_days(value: t.Any, name: str = "The value") -> int | None:
    """Return the days of a variable that is a duration, None for null.

    :param name: of the variable, for messages.
    :raises InputError: if it is not a number of whole days.
    """
    seconds = read_duration(value, name)
    if seconds is None:
        return None
    if seconds < 0 or seconds % _SECONDS_PER_DAY:
        raise InputError(f"{name} must be a number of whole days such as 7d, not {value!r}.")
    return seconds // _SECONDS_PER_DAY


def _option(name: str) -> str:
    """Return the name of a variable without that of its role."""
    roles = [role for role in role_names() if name.startswith(f"{role}_")]
    return name[len(max(roles, key=len)) + 1 :] if roles else name


def _list_of_text(text: str) -> list[t.Any]:
    stripped = text.strip()
    if stripped.startswith("[") and stripped.endswith("]"):
        try:
            return list(json.loads(stripped))
        except ValueError:
            pass
    return [part.strip() for part in text.split(",") if part.strip()]


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_scalar(value: t.Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _type_name(value: t.Any) -> str:
    """Return what a value is, for people who write YAML."""
    if value is None:
        return "empty"
    for kind, text in ((bool, "a boolean"), ((int, float), "a number"), (dict, "a mapping"), ((list, tuple), "a list")):
        if isinstance(value, kind):
            return text
    return f"of the type {type(value).__name__}"
