# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ``make test-STAGE`` for all named stages, regardless of failures, and print a table.

    python tests/tools/stages.py unit contract lint

A stage that exits with 77 was skipped. The table repeats the skips and failures of each stage. The exit code
is 0 if no stage failed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

#: Lines about skips: of the tools here and of ansible-test.
SKIPPED = re.compile(r"(?:skipped: |WARNING: Skipping )(.*)")

#: Lines about failures: of pytest and of ansible-test.
FAILED = re.compile(r"(?:FAILED|ERROR:?) (.*)")

#: Maximum number of failures of a stage in the table, and of characters of each.
FAILURES, FAILURE_LENGTH = 20, 300


def run(stage: str) -> tuple[str, float, list[str]]:
    """Run a stage, and print its output.

    :return: ``passed``, ``failed`` or ``skipped``, its duration in seconds, and notes about skips and failures
    """
    print(f"\n=== {stage}", flush=True)
    start, line = time.monotonic(), ""
    skipped: list[str] = []
    failures: list[str] = []
    command = [os.environ.get("MAKE", "make"), "--no-print-directory", f"test-{stage}"]
    environment = {**os.environ, "NO_COLOR": "1"}  # not every tool detects a pipe
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            for pattern, notes in ((SKIPPED, skipped), (FAILED, failures)):
                note = pattern.match(line)
                if note and note[1] not in notes:
                    notes.append(note[1])
    # make exits with 2 for every failure of a recipe, and shows the recipe's own code as text only.
    result = "passed" if process.returncode == 0 else "skipped" if "Error 77" in line else "failed"
    notes = [f"skipped: {note}" for note in skipped]
    if result == "failed":
        notes += [f"failed: {failure[:FAILURE_LENGTH]}" for failure in failures[:FAILURES]]
    return result, time.monotonic() - start, notes


def main() -> int:
    stages = sys.argv[1:]
    results, notes = [], []
    for stage in stages:
        result, seconds, stage_notes = run(stage)
        results.append(result)
        notes += [f"{stage:<16} {result:<8} {seconds:6.0f} s"]
        notes += [f"    {note}" for note in stage_notes]
    print("\n=== summary", *notes, sep="\n")
    counts = {result: results.count(result) for result in ("passed", "failed", "skipped")}
    print("stages: " + ", ".join(f"{count} {result}" for result, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
