# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check all variables of a role by its argument spec, for a playbook that runs several roles one after the other."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._option_checks import DURATIONS, RANGES, range_problems
from ._role_variables import read_options
from ._value_problems import value_problems

#: What a variable holds, by the end of its name. Of several that match, the first one counts.
_KIND_OF_ENDING = {
    "_files": "files",
    "_images": "images",
    "_registries": "registries",
    "_platforms": "platforms",
    "_advertise_ip": "address",
    "_host_ip": "address",
    "_ips": "addresses",
    "_release": "release",
    "_port": "port",
    "_log_max_age": "days",
    "_timeout": "duration",
    "_max_age": "duration",
    "_wait_sleep": "duration",
    "_expires_in": "duration",
}
_KIND_OF_TYPE = {"dict": "mapping", "list": "list"}
# A list of names, not a mapping.
_EXCEPTIONS = {"registries_conf_insecure_registries": "list"}
_TYPE_KEYS = ("type", "elements", "choices", "no_log")
_NUMBERS = {option: limits for option, limits in RANGES.items() if option not in DURATIONS}


def role_value_problems(variables: Mapping[str, t.Any], role: str) -> list[str]:
    """Return a message for each variable of a role that has a wrong type or value.

    Missing variables are accepted, because a playbook may set them later.

    :param variables: of a host.
    """
    options = read_options(role)
    given = {name: variables[name] for name in options if variables.get(name) is not None}
    problems = _type_problems(given, options)
    for name in sorted(given):
        kind = _kind(name, options[name]["type"])
        problems += value_problems(given[name], name, kind) if kind else []
    return problems + _number_problems(given, f"{role}_")


def _type_problems(given: Mapping[str, t.Any], options: Mapping[str, dict[str, t.Any]]) -> list[str]:
    spec = {name: {key: options[name][key] for key in _TYPE_KEYS if key in options[name]} for name in given}
    return [f"{message}." for message in ArgumentSpecValidator(spec).validate(given).error_messages]


def _number_problems(given: Mapping[str, t.Any], prefix: str) -> list[str]:
    """Return which numbers are out of range, as far as they are numbers; a number may be text."""
    texts = {name.removeprefix(prefix): str(value) for name, value in given.items()}
    numbers = {option: int(text) for option, text in texts.items() if option in _NUMBERS and re.match(r"-?\d+\Z", text)}
    ranges = {option: _NUMBERS[option] for option in numbers}
    return [f"{problem}." for problem in range_problems(numbers, ranges, prefix)]


def _kind(name: str, type_name: str) -> str | None:
    by_ending = next((kind for ending, kind in _KIND_OF_ENDING.items() if name.endswith(ending)), None)
    return _EXCEPTIONS.get(name) or by_ending or _KIND_OF_TYPE.get(type_name)
