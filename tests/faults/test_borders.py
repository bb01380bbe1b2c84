# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of docs/security-tests.md about borders matches the existing tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.faults.borders import (
    BORDERS,
    CHECKOUT,
    DOCUMENT,
    HEADING,
    is_part,
    section,
)

_COLLECT = """
import json, os, sys
from ansible_collections.dragonflyoss.dragonfly.tests.faults.borders import count
output = os.dup(1)
os.dup2(2, 1)
status, counting = count("--collect-only", "-m", "not long", "-p", "no:cacheprovider")
os.write(output, json.dumps([status, counting.collected]).encode())
"""


@pytest.mark.parametrize(
    "test, node, expected",
    [
        ("tests/a.py::test_x", "tests/a.py", True),
        ("tests/a.py::test_x[1]", "tests/a.py::test_x", True),
        ("tests/a.py::test_x", "tests/a.py::test_x", True),
        ("tests/a.py::test_xy", "tests/a.py::test_x", False),
        ("tests/ab.py::test_x", "tests/a.py", False),
    ],
)
def test_which_tests_a_node_names(test, node, expected):
    assert is_part(test, node) == expected


def test_the_page_is_current():
    done = subprocess.run(
        [sys.executable, "-c", _COLLECT], cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False
    )
    status, collected = json.loads(done.stdout)
    assert status == 0, done.stderr
    page = "".join(DOCUMENT.read_text(encoding="utf-8").partition(HEADING)[1:])
    counts = {subject: int(number) for subject, number in re.findall(r"(?m)^\| (.+?) \| (\d+) \|", page)}
    assert page == section(counts), "make security-tests"
    # A new test does not invalidate the page.
    assert all(0 < counts[border.subject] <= collected[border.subject] for border in BORDERS), "make security-tests"
