# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the option ``registries``: URL and credentials of each registry."""

from __future__ import annotations

import difflib
import typing as t

from ._errors import InputError
from ._image import canonical_registry, check_registry_url
from ._passwords import plain_password

REGISTRY_KEYS = ("url", "username", "password", "ca_path")
#: Minimum similarity of a suggested key, up to 1.
_SIMILAR = 0.6


def unknown_keys(unknown: list[str]) -> str:
    """Return a sentence that names unknown keys of a registry, and a key similar to the first."""
    similar = difflib.get_close_matches(unknown[0], REGISTRY_KEYS, n=1, cutoff=_SIMILAR)
    suggestion = f" Did you mean {similar[0]}?" if similar else ""
    return f"Unknown: {', '.join(unknown)}.{suggestion}"


class RegistryConfig(t.NamedTuple):
    """The content of ``registries``.

    :ivar bases: base URL by registry, if set.
    :ivar details: ``url``, ``username``, ``password`` and ``ca_path`` by registry, each if set.
    """

    bases: dict[str, str]
    details: dict[str, dict[str, str]]


def read_registries(registries: dict[str, t.Any] | None) -> RegistryConfig:
    """Return the settings of registries.

    :param registries: by name a URL, or a dict of url, username, password, ca_path.
    :raises InputError: if they are not valid.
    """
    config = RegistryConfig({}, {})
    for given_name, value in (registries or {}).items():
        name = canonical_registry(given_name)
        if name in config.details:
            raise InputError(f"registries: {given_name!r} is another name of {name!r}, which is set as well.")
        detail = _check_detail(name, {"url": value} if isinstance(value, str) else value)
        config.details[name] = detail
        if detail.get("url"):
            config.bases[name] = check_registry_url(name, detail["url"])
    return config


def _check_detail(name: str, detail: t.Any) -> dict[str, str]:
    expected = f"registries: the value of {name!r} must be a URL or a dictionary of {', '.join(REGISTRY_KEYS)}"
    if not isinstance(detail, dict):
        raise InputError(f"{expected}.")
    unknown = sorted(map(str, set(detail) - set(REGISTRY_KEYS)))
    if unknown:
        raise InputError(f"{expected}. {unknown_keys(unknown)}")
    password = plain_password(f"registries: the password of {name!r}", detail.get("username"), detail.get("password"))
    check_login(name, detail.get("username"), password)
    given = {key: value for key, value in {**detail, "password": password}.items() if value is not None}
    return {key: _string(name, value) for key, value in given.items()}


def check_login(name: str, username: t.Any, password: t.Any) -> None:
    """Raise an InputError if a registry has a user name without a password, or the reverse."""
    if bool(username) != bool(password):
        raise InputError(f"registries: {name!r} must have both username and password, or neither.")


def _string(name: str, value: t.Any) -> str:
    if not isinstance(value, (str, int)):
        raise InputError(f"registries: {', '.join(REGISTRY_KEYS)} of {name!r} must be strings.")
    return str(value)


def credentials_for(detail: t.Mapping[str, str], params: t.Mapping[str, t.Any]) -> tuple[str | None, str | None]:
    """Return user name and password for a registry: its own, or else the common ones of a module.

    :param detail: settings of the registry in ``registries``.
    """
    if detail.get("username"):
        return detail["username"], detail.get("password")
    return params.get("registry_username"), params.get("registry_password")
