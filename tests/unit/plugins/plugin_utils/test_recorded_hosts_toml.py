# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of hosts.toml, compared with releases of containerd (tests/tools/record_hosts_toml.py)."""

from __future__ import annotations

import functools
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._config_redaction import (
    HIDDEN,
    HOSTS_KEYS,
    redact_toml,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.containerd import Containerd
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.images import image_from_reference
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.reasons import Reason
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.route import Route
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils import hosts

RECORDS = {
    file.stem.removeprefix("hosts-toml-"): json.loads(file.read_text(encoding="utf-8"))
    for file in sorted((Path(__file__).parent / "recorded").glob("hosts-toml-*.json"))
}
IMAGE = image_from_reference("registry.example.com/app:1", {})
FILE = f"/etc/containerd/certs.d/{IMAGE.pulled_registry}/hosts.toml"

#: A URL without path, and the headers sent to it; ``registry`` if containerd sends pulls straight there; ``missing
#: file`` if it fails, because hosts.toml names a file that does not exist.
Outcome = t.Union[str, list[t.Any]]


@functools.cache
def facts_of(release: str | None) -> dict[str, t.Any]:
    """Return the module's facts about containerd on a host."""
    return t.cast("dict[str, t.Any]", hosts.facts(containerd=release)["containerd"])


def judged(text: str, release: str | None) -> Outcome:
    """Return where the check expects containerd to send a pull, by the module's facts about a file."""
    shown = redact_toml(text.removeprefix("\ufeff"), HOSTS_KEYS)
    file = {**hosts.file(FILE, shown), "bom": text.startswith("\ufeff")}
    route = Containerd({**facts_of(release), "hosts": [file]}).route(IMAGE)
    if isinstance(route, Reason) and route.code == "certificate_unusable":
        return "missing file"
    if not isinstance(route, Route) or route.proxy + route.path == f"https://{IMAGE.pulled_registry}/v2":
        return "registry"
    return [route.proxy + route.path, route.headers]


def is_as_recorded(judgement: Outcome, recorded: Outcome) -> bool:
    if isinstance(recorded, str) or isinstance(judgement, str):
        return judgement == recorded
    url, headers = recorded
    if url == "://":  # Only for [host.""] before 2.0: it has no host, so any URL without a host is equivalent.
        return judgement[0].startswith("https:///")
    return judgement == [url, {name.lower(): HIDDEN for name in headers}]


def test_something_was_recorded():
    assert len(RECORDS) > 3
    assert all(len(record) > 1000 for record in RECORDS.values())


@pytest.mark.parametrize("release", RECORDS)
def test_each_file_is_judged_as_containerd_reads_it(release):
    judgements = {text: judged(text, release) for text in RECORDS[release]}
    different = {
        text: (judgements[text], recorded)
        for text, recorded in RECORDS[release].items()
        if not is_as_recorded(judgements[text], recorded)
    }
    assert different == {}


def test_an_unknown_release_is_judged_only_where_all_releases_agree():
    wrong = {}
    for text in next(iter(RECORDS.values())):
        judgement = judged(text, None)
        recorded = [record[text] for record in RECORDS.values()]
        if judgement != "registry" and not all(is_as_recorded(judgement, outcome) for outcome in recorded):
            wrong[text] = (judgement, recorded)
    assert wrong == {}
