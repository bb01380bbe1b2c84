# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a configuration, and derive the facts that a role needs before it writes the configuration."""

from __future__ import annotations

import typing as t

from .._config import schema
from .checker import Checker, Context, files_of
from .go_checker import GoChecker
from .manager_checker import ManagerChecker
from .messages import Problem
from .rust_checker import RustChecker
from .scheduler_checker import SchedulerChecker
from .values import value_error

_CHECKERS: dict[str, type[Checker]] = {
    checker.client: checker for checker in (GoChecker, RustChecker, ManagerChecker, SchedulerChecker)
}


def config_problems(
    config: dict[str, t.Any], client: str, release: str | None = None, context: Context | None = None
) -> list[Problem]:
    """Return the problems of a configuration.

    :param config: the configuration.
    :param client: ``dfget`` (Go client), ``dfdaemon`` (Rust client), ``manager`` or ``scheduler``.
    :param release: of the client or server; None if unknown, which accepts keys of any release.
    :param context: other facts.
    :raises ValueError: if a release is not valid.
    """
    return _CHECKERS[client](config, release, context or Context()).check()


def config_files(config: dict[str, t.Any], client: str) -> list[str]:
    """Return the paths of the files that the client needs to start with a configuration."""
    paths: list[str] = []
    for setting in schema.settings(config, client):
        key = schema.look_up(client, setting.path, None).key
        if key is not None and setting.value is not None and not value_error(key.type, setting.value, client):
            paths.extend(files_of(key.type, setting.value))
    return sorted(set(paths))


def has_secret(config: dict[str, t.Any], client: str) -> bool:
    """Return whether a configuration contains secrets: a password, a private key, headers."""
    return any(_may_be_secret(setting, client) for setting in schema.settings(config, client))


def _may_be_secret(setting: schema.Setting, client: str) -> bool:
    lookup = schema.look_up(client, setting.path, None)
    if not setting.value or lookup.status == "unknown":
        return bool(setting.value)
    kind = "" if lookup.key is None else lookup.key.type.rstrip("?")
    is_inline_pem = kind == "pem" and isinstance(setting.value, str) and not files_of(kind, setting.value)
    return is_inline_pem or kind in ("secret", "map", "texts", "headers")
