# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate the value of a role variable before the role changes anything."""

from __future__ import annotations

import typing as t

from ..module_utils._errors import InputError
from ..module_utils._file_url import check_file_url
from ..module_utils._image import parse_image
from ..module_utils._option_checks import RANGES, address_problems, raise_problems
from ..module_utils._platforms import check_platforms
from ..module_utils._preheat.options import param_problems
from ..module_utils._text import trim
from ._config.schema import checked_release
from ._config.values import GREATEST_PORT, is_port_text
from ._containerd_mirrors import mirrors
from ._variable_values import read_days, read_duration, read_list, read_mapping


def _check_images(value: t.Any, name: str) -> None:
    for image in read_list(value, name):
        parse_image(image)


def _check_files(value: t.Any, name: str) -> None:
    for file in read_list(value, name):
        check_file_url(trim(file))


def _check_registries(value: t.Any, name: str) -> None:
    mirrors(read_mapping(value, name))


def _check_address(value: t.Any, _name: str) -> None:
    if address_problems("", [str(value)]):
        raise InputError(f"It must be an IP address, not {str(value)!r}.")


def _check_addresses(value: t.Any, name: str) -> None:
    raise_problems(address_problems(name, read_list(value, name)))


def _check_platforms(value: t.Any, name: str) -> None:
    check_platforms(read_list(value, name))


def _check_release(value: t.Any, _name: str) -> None:
    checked_release(value)


def _check_port(value: t.Any, _name: str) -> None:
    text = str(value)
    if not is_port_text(text):
        raise InputError(f"A port is a number from 1 to {GREATEST_PORT}, not {text!r}.")


def _check_preheat(value: t.Any, name: str) -> None:
    """Check options of the module ``preheat``, which are variables with a prefix.

    The numbers may be text, because ``-e`` and INI hold text only.
    """
    given = {option: setting for option, setting in read_mapping(value, name).items() if setting not in (None, "", [])}
    numbers = {option: int(given[option]) for option in given.keys() & RANGES.keys()}
    problems = param_problems({**given, **numbers}) + _combination_problems(given, name)
    raise_problems([f"{name}_{problem}" for problem in problems])


def _combination_problems(given: dict[str, t.Any], name: str) -> list[str]:
    """Return what the argument spec of the module says of options that are set together."""
    problems = []
    if "count" in given and "percentage" in given:
        problems.append("count and percentage must not both be set")
    if "client_key" in given and "client_cert" not in given:
        problems.append(f"client_key requires {name}_client_cert")
    return problems


_CHECKS: dict[str, t.Callable[[t.Any, str], t.Any]] = {
    "address": _check_address,
    "addresses": _check_addresses,
    "days": read_days,
    "duration": read_duration,
    "files": _check_files,
    "images": _check_images,
    "list": read_list,
    "mapping": read_mapping,
    "platforms": _check_platforms,
    "port": _check_port,
    "preheat": _check_preheat,
    "registries": _check_registries,
    "release": _check_release,
}


def value_problems(value: t.Any, name: str, kind: str) -> list[str]:
    """Return a list with a message about a variable, or an empty list. Null and empty text count as unset.

    :param kind: a key of the table of checks.
    :raises InputError: if the kind is unknown.
    """
    if kind not in _CHECKS:
        raise InputError(f"The kind of a value must be one of {', '.join(_CHECKS)}, not {kind!r}.")
    if value is None or value == "":
        return []
    try:
        _CHECKS[kind](value, name)
    except (InputError, ValueError) as error:
        text = str(error)
        return [text if text.startswith(name) else f"{name}: {text}"]
    return []
