# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ``make test-STAGE`` for all named stages, regardless of failures, and print a table.

    python tests/tools/stages.py unit contract,lint

Stages joined by commas run at the same time, and the output of each is printed when it ends. A stage that exits with
77 was skipped. The table repeats the skips and failures of each stage. The exit code is 0 if no stage failed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

#: Lines about skips: of the tools here and of ansible-test.
SKIPPED = re.compile(r"(?:skipped: |WARNING: Skipping )(.*)")

#: Lines about failures: of pytest and of ansible-test.
FAILED = re.compile(r"(?:FAILED|ERROR:?) (.*)")

#: Maximum number of failures of a stage in the table, and of characters of each.
FAILURES, FAILURE_LENGTH = 20, 300


class Result(t.NamedTuple):
    """How a stage ended.

    :ivar outcome: ``passed``, ``failed`` or ``skipped``
    :ivar seconds: its duration
    :ivar notes: its skips and failures
    """

    stage: str
    outcome: str
    seconds: float
    notes: list[str]


def run_together(stages: list[str]) -> list[Result]:
    """Run stages at the same time, and print the output of each: at once if it is the only stage, else when it ends."""
    if len(stages) == 1:
        print(f"\n=== {stages[0]}", flush=True)
        return [run(stages[0], lambda line: print(line, end="", flush=True))]
    outputs: dict[str, list[str]] = {stage: [f"\n=== {stage}\n"] for stage in stages}

    def run_quietly(stage: str) -> Result:
        result = run(stage, outputs[stage].append)
        print("".join(outputs[stage]), end="", flush=True)
        return result

    with ThreadPoolExecutor(len(stages)) as pool:
        return list(pool.map(run_quietly, stages))


def run(stage: str, write: t.Callable[[str], object]) -> Result:
    """Run a stage.

    :param write: called with each line of its output
    """
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
            write(line)
            for pattern, notes in ((SKIPPED, skipped), (FAILED, failures)):
                note = pattern.match(line)
                if note and note[1] not in notes:
                    notes.append(note[1])
    # make exits with 2 for every failure of a recipe, and shows the recipe's own code as text only.
    outcome = "passed" if process.returncode == 0 else "skipped" if "Error 77" in line else "failed"
    notes = [f"skipped: {note}" for note in skipped]
    if outcome == "failed":
        notes += [f"failed: {failure[:FAILURE_LENGTH]}" for failure in failures[:FAILURES]]
    return Result(stage, outcome, time.monotonic() - start, notes)


def main() -> int:
    results = [result for stages in sys.argv[1:] for result in run_together(stages.split(","))]
    print("\n=== summary")
    for result in results:
        print(f"{result.stage:<16} {result.outcome:<8} {result.seconds:6.0f} s")
        print(*(f"    {note}\n" for note in result.notes), sep="", end="")
    outcomes = [result.outcome for result in results]
    counts = {outcome: outcomes.count(outcome) for outcome in ("passed", "failed", "skipped")}
    print("stages: " + ", ".join(f"{count} {result}" for result, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
