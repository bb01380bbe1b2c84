# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restore passwords that Ansible may have parsed as JSON."""

from __future__ import annotations

import ast
import json
import typing as t

from ._errors import InputError

#: User name for which the password is the JSON key file of a Google service account.
JSON_KEY_USER = "_json_key"
#: Options of modules that hold a password, with the options of their user names.
_OPTIONS = {"registry_password": "registry_username", "password": "username"}


def plain_password(option: str, username: t.Any, password: t.Any) -> str | None:
    """Return a password as the string to send.

    If a template yields a string with JSON syntax, ansible-core 2.18 converts it to a mapping, and the module receives
    the text of that mapping. The key file of a service account is JSON whose layout does not matter, so it is encoded
    again. The layout of any other password is lost.

    :param option: name of the option, for the error.
    :raises InputError: if the original password cannot be determined.
    """
    if password is None:
        return None
    value = _parse_mapping(password)
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, dict) and username == JSON_KEY_USER:
        return json.dumps(value)
    kind = "a mapping" if isinstance(value, dict) else f"a {type(value).__name__}"
    raise InputError(
        f"{option} is {kind}, not a string: Ansible converts strings that are valid JSON, numbers or booleans. "
        "What to do: quote it, or add | string to the template that yields it."
    )


def plain_passwords(params: dict[str, t.Any]) -> dict[str, str]:
    """Return the passwords in the options of a module, each as the string to send.

    :raises InputError: if an original password cannot be determined.
    """
    passwords = {}
    for option, user_option in _OPTIONS.items():
        password = plain_password(option, params.get(user_option), params.get(option))
        if password is not None:
            passwords[option] = password
    return passwords


def secrets_in_password(password: t.Any) -> list[str]:
    """Return the secrets in a password: its text, and each string of a mapping in it."""
    if not isinstance(password, (dict, list)):
        return [str(password)] if password else []
    values = password.values() if isinstance(password, dict) else password
    inner = [secret for value in values for secret in secrets_in_password(value)]
    return [str(password), json.dumps(password, default=str), *inner]


def _parse_mapping(text: t.Any) -> t.Any:
    """Return the mapping whose Python representation a text is, and other values unchanged."""
    if not isinstance(text, str) or not (text.startswith("{'") and text.endswith("}")):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, dict) else text
