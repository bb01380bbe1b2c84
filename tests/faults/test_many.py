# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""5,000 images at once, and poor environments: few files, no HOME, another locale."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.bench.measure import run_module
from ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile_servers import MEMORY_LIMIT
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

FACTOR = 100


def test_many_images(long, capsys, record_property):
    """A task of 5,000 images sends the requests of 5,000 jobs in bounded memory. A second run creates nothing."""
    count, wait_sleep = (5000, 5) if long else (100, 1)
    figures = []
    with Sandbox(release="2.5.1", factor=FACTOR) as box:
        images = [box.image(f"shop/web-{number}", "1").source for number in range(count)]
        options = {"url": box.url, "token": box.token, "images": images, "wait_sleep": wait_sleep}
        for changed in (True, False):
            box.clear_log()
            result, used = run_module("preheat", **options)
            assert not result.get("failed"), result["msg"]
            assert result["changed"] == changed
            assert {job["outcome"] for job in result["jobs"]} == {"warm"}
            assert len(result["jobs"]) == len(box.jobs) == count
            assert used.memory < MEMORY_LIMIT / 10**6
            requests = [entry.method for entry in box.log]
            assert requests.count("POST") == (count if changed else 0)
            # Each job is read once by its ID. A page of the list has 50 rows, and a poll reads one page.
            assert requests.count("GET") < count + count / 50 + used.wall + 20
            # The manager reads the registry, too.
            manifests = [entry for entry in box.registry_log if "dragonflyoss." in entry.headers.get("User-Agent", "")]
            assert len(manifests) == count
            figures.append(
                f"{'first' if changed else 'second'} run: {used.wall:.0f} s, {used.memory:.0f} MB, {len(requests)} "
                f"requests to the manager, {len(manifests)} to the registry"
            )
    record_property("figure", f"{count} images, {'; '.join(figures)}")
    with capsys.disabled():
        print(f"\n{count} images in one task, {'; '.join(figures)}")


#: Environment variables (None unsets one), and the limit of open files.
SURROUNDINGS: dict[str, tuple[dict[str, str | None], int]] = {
    "64 files": ({}, 64),
    "no HOME": ({"HOME": None}, 1024),
    "read-only HOME": ({"HOME": "/proc", "XDG_CACHE_HOME": None}, 1024),
    "locale C": ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 1024),
    "locale POSIX": ({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 1024),
    "no TMPDIR": ({"TMPDIR": None, "TEMP": None, "TMP": None}, 1024),
    "a TMPDIR that is missing": ({"TMPDIR": "/no/such/folder"}, 1024),
    "nothing": (dict.fromkeys(["HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "SHELL", "TERM"]), 64),
}


def start_limited(surroundings, options, files=None):
    """Run preheat in another environment, and return its result."""
    changes, limit = SURROUNDINGS[surroundings]
    environment = {name: value for name, value in {**os.environ, **changes}.items() if value is not None}
    module = "ansible_collections.dragonflyoss.dragonfly.plugins.modules.preheat"
    command = ["sh", "-c", f'ulimit -n {files or limit}; exec "$0" -m {module}', sys.executable]
    done = subprocess.run(
        command,
        input=json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode(),
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert not done.stderr, done.stderr
    return json.loads(done.stdout.decode("utf-8"))


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_poor_surroundings(surroundings, tmp_path):
    progress = tmp_path / "prögress"
    with Sandbox(release="2.5.1", factor=1000) as box:
        images = [box.image(f"shop/web-{number}", "1").source for number in range(30)]
        options = {"url": box.url, "token": box.token, "images": images, "wait_sleep": 1, "bio": "für \U0001f409"}
        result = start_limited(surroundings, {**options, "progress_file": str(progress)})
        assert not result.get("failed"), result["msg"]
        assert {job["outcome"] for job in result["jobs"]} == {"warm"}
        assert len(box.jobs) == len(images)
        refused = start_limited(surroundings, {**options, "images": ["shop/wäb:1"]})
        assert refused["reason"] == "bad_input"
    assert "30 of 30 warm" in progress.read_text(encoding="utf-8")
