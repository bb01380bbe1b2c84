# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table at the end of ``make test``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

STAGES = Path(__file__).resolve().parents[1] / "tools" / "stages.py"
MAKE = """\
#!/bin/sh
case $2 in
  test-unit) echo 'FAILED tests/unit/test_a.py::test_b - assert 1 == 2'; echo 'make: *** [test-unit] Error 1'; exit 2 ;;
  test-sanity) echo 'ERROR: tests/a.py:1:1: no blank line'; echo 'ERROR: tests/a.py:1:1: no blank line'; exit 2 ;;
  test-lint) echo 'ERROR is a word in the output of a stage that passes' ;;
  test-hosts) echo 'skipped: needs root'; echo 'make: *** [test-hosts] Error 77'; exit 2 ;;
esac
"""


@pytest.fixture
def summary(tmp_path):
    """Return the exit code and the table without times of a run of stages, with a program in place of make."""
    make = tmp_path / "make"
    make.write_text(MAKE, encoding="utf-8")
    make.chmod(0o755)

    def run(*stages):
        command = [sys.executable, str(STAGES), *stages]
        environment = {**os.environ, "MAKE": str(make)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        table = done.stdout.partition("=== summary\n")[2]
        return done.returncode, re.sub(r" +\d+ s$", "", table, flags=re.MULTILINE).splitlines()

    return run


def test_the_table_names_what_failed(summary):
    code, lines = summary("unit", "sanity", "lint", "hosts")
    assert code == 1
    assert lines == [
        "unit             failed",
        "    failed: tests/unit/test_a.py::test_b - assert 1 == 2",
        "sanity           failed",
        "    failed: tests/a.py:1:1: no blank line",
        "lint             passed",
        "hosts            skipped",
        "    skipped: needs root",
        "stages: 1 passed, 2 failed, 1 skipped",
    ]


def test_stages_joined_by_commas_run_at_the_same_time(summary, tmp_path):
    # Each waits for the file of the other.
    make = tmp_path / "make"
    script = f"""\
        #!/bin/sh
        case $2 in test-a) other=test-b ;; *) other=test-a ;; esac
        touch {tmp_path}/$2
        for second in 1 2 3 4 5 6 7 8 9; do
          [ -e {tmp_path}/$other ] && exit
          sleep 1
        done
        exit 1
    """
    make.write_text(textwrap.dedent(script), encoding="utf-8")
    code, lines = summary("a,b")
    assert code == 0
    assert lines == ["a                passed", "b                passed", "stages: 2 passed, 0 failed, 0 skipped"]


def test_skipped_stages_are_no_failure(summary):
    code, lines = summary("lint", "hosts")
    assert code == 0
    assert lines[-1] == "stages: 1 passed, 0 failed, 1 skipped"
