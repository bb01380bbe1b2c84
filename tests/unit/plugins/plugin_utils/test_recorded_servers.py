# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of manager.yaml and scheduler.yaml, compared with real servers (tests/tools/record_servers.py)."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import config_problems
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import SCHEMA, checked_release
from ansible_collections.dragonflyoss.dragonfly.tests.tools.record_servers import configuration

RECORDS = sorted(
    file
    for file in (Path(__file__).parent / "recorded").glob("*.json")
    if file.stem.startswith(("manager", "scheduler"))
)
#: With these, a server does not start. With others, it starts but does not work.
FATAL = {"wrong_type", "bad_value", "missing_key"}
#: Addresses and similar values, which are only used after the configuration was accepted.
USED_LATER = {"metrics.addr", "database.redis.proxy.addr", "database.redis.addrs", "tracing.protocol"}
TEXTS = ("str", "secret", "path", "file")


class Recorded(t.NamedTuple):
    """A value of a key that a release of a server accepted or rejected."""

    program: str
    release: str
    path: str
    value: t.Any
    is_accepted: bool

    @property
    def kind(self) -> str:
        """Return the type that the collection has for the key, without its bounds."""
        return SCHEMA[self.program][self.path].types_in(checked_release(self.release))[0].partition("(")[0]

    def is_allowed(self) -> bool:
        """Return whether the collection accepts the value."""
        config = configuration(self.program, self.path, self.value, "/nowhere")
        problems = config_problems(config, self.program, self.release)
        return not any(problem.code in FATAL and problem.key.startswith(self.path) for problem in problems)


def recorded() -> list[Recorded]:
    """Return all recordings."""
    values = []
    for file in RECORDS:
        program, _dash, release = file.stem.partition("-")
        for path, verdicts in json.loads(file.read_text(encoding="utf-8")).items():
            for verdict, pool in verdicts.items():
                values += [Recorded(program, release, path, value, verdict == "read") for value in pool]
    return values


def is_stricter_on_purpose(case: Recorded) -> bool:
    """Return whether a server accepts a probably unintended value: viper converts types, and drops empty values."""
    value = case.value
    if case.path in USED_LATER:
        return True
    is_converted = isinstance(value, (dict, list)) or value == ""
    if case.kind in TEXTS or "|" in case.kind:
        return is_converted or not isinstance(value, str) or "|" in case.kind
    if case.kind == "duration":
        # Numbers are nanoseconds there, and only 0 is rejected.
        return is_converted or not isinstance(value, str) or value.startswith("-")
    if case.kind in ("strings", "ips"):
        return not isinstance(value, list)
    if case.kind == "bool":
        return not isinstance(value, bool)
    is_below = isinstance(value, int) and value <= 0
    return is_converted or not isinstance(value, int) or isinstance(value, bool) or is_below or value >= 2**63


def test_something_was_recorded():
    assert len(recorded()) > 1500


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_the_collection_allows_what_the_server_accepts(file):
    cases = [case for case in recorded() if f"{case.program}-{case.release}" == file.stem and case.is_accepted]
    assert [case for case in cases if not case.is_allowed() and not is_stricter_on_purpose(case)] == []


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_nothing_is_allowed_that_the_server_refuses(file):
    cases = [case for case in recorded() if f"{case.program}-{case.release}" == file.stem and not case.is_accepted]
    # The option missing_files covers files that do not exist.
    cases = [case for case in cases if case.kind != "file" or not isinstance(case.value, (str, int))]
    assert [case for case in cases if case.is_allowed()] == []
