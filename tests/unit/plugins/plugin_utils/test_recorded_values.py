# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of dfdaemon.yaml, compared with a real dfdaemon (tests/tools/record_dfdaemon.py)."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import SCHEMA, checked_release
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.values import pattern_error, value_error

RECORDS = sorted((Path(__file__).parent / "recorded").glob("dfdaemon-*.json"))
TEXTS = ("str", "secret", "path", "file", "regex")


class Recorded(t.NamedTuple):
    """A value of a key that a release of dfdaemon accepted or rejected."""

    release: str
    path: str
    value: t.Any
    is_read: bool


def recorded() -> list[Recorded]:
    """Return all recordings."""
    values = []
    for file in RECORDS:
        for path, verdicts in json.loads(file.read_text(encoding="utf-8")).items():
            for verdict, pool in verdicts.items():
                release = file.stem.removeprefix("dfdaemon-")
                values += [Recorded(release, path, value, verdict == "read") for value in pool]
    return values


def is_allowed(case: Recorded) -> bool:
    """Return whether the collection accepts a value."""
    release = checked_release(case.release)
    (kind,) = SCHEMA["dfdaemon"][case.path].types_in(release)
    error = value_error(kind, case.value, "dfdaemon", release)
    return not error and not (kind == "regex" and pattern_error(case.value, "dfdaemon"))


def is_stricter_on_purpose(case: Recorded) -> bool:
    """Return whether the daemon reads a number, a boolean or null as a string, which is probably unintended."""
    (kind,) = SCHEMA["dfdaemon"][case.path].types_in(checked_release(case.release))
    if kind.startswith("strings"):
        return isinstance(case.value, list) and None in case.value
    return kind.rstrip("?") in TEXTS and not isinstance(case.value, str)


def test_the_collection_allows_what_the_daemon_reads():
    cases = [case for case in recorded() if case.is_read and not is_stricter_on_purpose(case)]
    assert len(cases) > 300
    assert [case for case in cases if not is_allowed(case)] == []


def test_nothing_is_allowed_that_the_daemon_refuses():
    cases = [case for case in recorded() if not case.is_read]
    assert len(cases) > 1000
    assert [case for case in cases if is_allowed(case)] == []
