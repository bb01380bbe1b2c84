# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.faults.matrix import (
    DOCUMENT,
    RELEASE,
    ROWS,
    Bench,
    document,
    line,
)
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.profiles import RELEASES


@pytest.fixture(scope="module")
def stated():
    """The lines of docs/faults.md by fault and whether it lasts."""
    titles = iter(ROWS)
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    # Each of the two tables has a head of two lines.
    rows = [line for line in lines if not line.startswith(("|  |", "| ---"))]
    return {(row.fault.title, row.lasting): line for row, line in zip(titles, rows, strict=True)}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("certificates"))
    yield bench
    bench.close()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_cell_ends_as_the_documentation_says(row, bench, stated):
    endings = [bench.run(cell) if cell else None for cell in row.cells]
    assert [(str(ending.run), ending.broken) for ending in endings if ending and ending.broken] == []
    assert line(row, endings) == stated[row.fault.title, row.lasting], "make faults"


def test_the_document_is_current(stated):
    assert document(stated) == DOCUMENT.read_text(encoding="utf-8"), "make faults"


@pytest.mark.long
@pytest.mark.parametrize("release", [release for release in RELEASES if release != RELEASE])
def test_no_release_makes_twice_or_loses_or_waits_too_long(release, tmp_path):
    bench = Bench(tmp_path, release)
    try:
        broken = {str(cell): bench.run(cell).broken for row in ROWS for cell in row.cells if cell}
    finally:
        bench.close()
    assert {
        name: problems
        for name, problems in broken.items()
        if [problem for problem in problems if problem != "the fault did not happen"]
    } == {}
