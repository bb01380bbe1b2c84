# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure speed, memory and requests, print a table with the goals, and write docs/benchmarks.md (``make bench``).

    python tests/bench [NAME...]

With names, only these benchmarks run, and nothing is written. The exit code is 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import typing as t
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"
ROOT = CHECKOUT / ".cache" / "collections"
TEXT = """\
<!--
Copyright (c) 2026, Dragonfly collection contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Benchmarks

`make bench` writes this page. It runs each module in a process of its own against the sandbox (`tests/sandbox`). Most
times are ratios of two measurements of the same run, so they can be compared between machines. This run used Python
{python}, ansible-core {ansible} and {processors} processors. The load average at its end was {load:.0f}.

{table}

## Processor time of a no-op rerun

The table splits the processor time of a rerun of one image. Each part is the difference between two commands, and the
time of a command is the shortest of ten runs. A module that only imports `requests` and sends five requests takes
{floor:.2f} times as long as `ansible.builtin.ping`. The rest is the cost of many files: for each task, Ansible follows
the imports of every file, and Python compiles every file again because it does not cache the files of a payload.

{composition}
"""


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as a table in Markdown. The first row is the header."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"| {' | '.join((cell.ljust(width) for cell, width in zip(row, widths)))} |" for row in rows]
    return "\n".join([lines[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *lines[1:]])


def main() -> int:
    link = ROOT / "ansible_collections" / "dragonflyoss" / "dragonfly"
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(CHECKOUT, link.parent), target_is_directory=True)
    sys.path[0] = str(ROOT)
    os.environ.update(PYTHONPATH=str(ROOT), ANSIBLE_COLLECTIONS_PATH=str(ROOT))
    for name in [name for name in os.environ if name.startswith("DRAGONFLY_")]:
        del os.environ[name]
    from ansible.release import __version__ as release
    from ansible_collections.dragonflyoss.dragonfly.tests.bench.benchmarks import (
        BENCHMARKS,
        composition_of_a_rerun,
    )

    parser = argparse.ArgumentParser(description="Measure speed, memory and requests.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join(benchmark.__name__ for benchmark in BENCHMARKS)
    )
    chosen = parser.parse_args().names
    figures: list[t.Any] = []
    for benchmark in BENCHMARKS:
        if not chosen or benchmark.__name__ in chosen:
            print(benchmark.__name__.replace("_", " "), file=sys.stderr, flush=True)
            figures += benchmark()
    page = table([("what", "measured", "goal", "met"), *(figure.cells for figure in figures)])
    print(page)
    if not chosen:
        parts = composition_of_a_rerun()
        ping = parts[0].seconds
        text = TEXT.format(
            python=platform.python_version(),
            ansible=release,
            processors=os.cpu_count(),
            load=os.getloadavg()[0],
            table=page,
            floor=(parts[0].seconds + parts[1].seconds) / ping,
            composition=table([("what", "ms", "times ping"), *(part.cells(ping) for part in parts)]),
        )
        DOCUMENT.write_text(text, encoding="utf-8")
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
