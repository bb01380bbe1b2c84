# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Format settings of the section [Service] of a unit, and find those that systemd would misread."""

from __future__ import annotations

import re
import shlex
import typing as t

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PERCENTAGE = re.compile(r"\d+(\.\d+)?%\Z")
# Escapes in systemd.syntax(7), after pairs of backslashes are removed.
_NO_ESCAPE = re.compile(r"\\(?![abfnrtvs\"']|x[0-9A-Fa-f]{2}|[0-7]{3}|u[0-9A-Fa-f]{4})")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_VALUES = (str, int, float, bool, type(None))


def flat_options(options: dict[str, t.Any]) -> list[tuple[str, str, t.Any]]:
    """Return settings as tuples of name, name with position, and value: each element of a list is a line of its own."""
    lines: list[tuple[str, str, t.Any]] = []
    for name, value in options.items():
        if isinstance(value, list):
            lines += [(str(name), f"{name}[{index}]", element) for index, element in enumerate(value)]
        else:
            lines.append((str(name), str(name), value))
    return lines


def unit_lines(options: dict[str, t.Any]) -> list[str]:
    """Return settings as the lines of a unit; an empty value resets a setting."""
    return [f"{name}={_text(value)}" for name, _where, value in flat_options(options)]


def option_error(name: str, value: t.Any) -> str | None:
    """Return why systemd would misread a setting, None if it reads it as intended."""
    if not _NAME.match(name):
        return "its name is not a valid name of a systemd setting"
    if not isinstance(value, _VALUES):
        return "it is neither a text nor a number nor a list of them"
    text = _text(value)
    if _CONTROL.search(text) or text.endswith("\\"):
        return "a line break, or a backslash at the end, would continue it on the next line"
    if "%" in text.replace("%%", "") and not _PERCENTAGE.match(text):
        return "systemd replaces what follows a percent sign; write %% for a percent sign, and use variables of Ansible"
    return _quoting_error(name, text)


def _quoting_error(name: str, text: str) -> str | None:
    try:
        arguments = shlex.split(text)
    except ValueError:
        return "a quotation mark is not closed"
    if name == "Environment" and _NO_ESCAPE.search(text.replace("\\\\", "")):
        return "a backslash begins no escape sequence of systemd; write two for a backslash"
    if name == "Environment" and not all(_ASSIGNMENT.match(assignment) for assignment in arguments):
        return 'it is not NAME=VALUE; write "NAME=VALUE WITH SPACES" with the quotation marks around all of it'
    return None


def _text(value: t.Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
