# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse control characters in options before any request.

Options become headers and URLs, in which a line break starts another header.
"""

from __future__ import annotations

import re
import typing as t

from ._passwords import JSON_KEY_USER

_LINES = "\t\n\r"
# C0, DEL, and unpaired surrogates, which cannot be encoded.
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
#: Options that may contain tabs and line breaks: descriptions, references (white space around them is removed), and
#: options with their own checks.
_MULTILINE = ("bio", "image", "images", "keep_images", "platform", "platforms", "url", "token", "jwt")
#: Options for results of other tasks, which contain texts of servers.
_EXEMPT = ("jobs", "probe_request")
_PASSWORD_USERS = {"password": "username", "registry_password": "registry_username"}


def control_problems(options: t.Mapping[t.Any, t.Any]) -> list[str]:
    """Return which options of a module contain control characters, without their values.

    The key file of a service account is a password that contains line breaks.
    """
    problems = []
    for name, value in options.items():
        if name not in _EXEMPT:
            allowed = _LINES if name in _MULTILINE or _is_key_file(name, options) else ""
            problems += _problems(str(name), value, allowed)
    return problems


def _is_key_file(name: t.Any, options: t.Mapping[t.Any, t.Any]) -> bool:
    return options.get(_PASSWORD_USERS.get(name, "")) == JSON_KEY_USER


def _problems(path: str, value: t.Any, allowed: str) -> list[str]:
    if isinstance(value, str):
        return _text_problems(path, value, allowed)
    if isinstance(value, (list, tuple)):
        return [problem for item in value for problem in _problems(path, item, allowed)]
    if isinstance(value, dict):
        return _dict_problems(path, value, allowed)
    return []


def _dict_problems(path: str, options: dict, allowed: str) -> list[str]:
    """Return the problems of a mapping. A key file that Ansible parsed as a mapping may contain line breaks."""
    problems = []
    for key, value in options.items():
        problems += _text_problems(f"a key of {path}", str(key), "")
        problems += _problems(f"{path}: {key}", value, _LINES if _is_key_file(key, options) else allowed)
    return problems


def _text_problems(path: str, text: str, allowed: str) -> list[str]:
    refused = [match[0] for match in _CONTROL.finditer(text) if match[0] not in allowed]
    return [f"{path} must not contain a control character ({ascii(refused[0])})"] if refused else []
