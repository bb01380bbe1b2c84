# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run sanity and unit tests with each ansible-core and each Python that it supports, and write docs/matrix.md.

    python tests/tools/matrix.py

A Python that this machine lacks is skipped, and the table shows this. It takes hours, so passed results are kept in
build/matrix with the output of the runs. A second run continues. To start again, delete that directory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ansible_test import CHECKOUT, choose_core, make_environment
from pythons import CORES, interpreters

PAGE = CHECKOUT / "docs/matrix.md"
LOGS = CHECKOUT / "build/matrix"
INTRO = """\
<!--
Copyright (c) 2026, Dragonfly collection contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Tested with

Written by `make matrix`, which runs `ansible-test sanity` and `ansible-test units` without containers, with every
ansible-core and every Python that it takes, as far as the machine has them.

- **all**: sanity and every unit test passed, with this Python on the controller
- **modules**: sanity and the unit tests of modules passed, with this Python on the target alone
- **sanity**: sanity passed, the unit tests were not run
- **not here**: the machine that wrote this page lacks this Python
- **-**: this ansible-core does not take this Python

"""

# The version output of an ansible-core.
ASK = """
import json, ansible.release
from ansible_test._util.target.common import constants
print(json.dumps([
    ansible.release.__version__, constants.REMOTE_ONLY_PYTHON_VERSIONS, constants.CONTROLLER_PYTHON_VERSIONS]))
"""


def ask(core: str, pythons: dict[tuple[int, int], str]) -> tuple[str, list[str], list[str]]:
    """Return the exact release of an ansible-core, and its Pythons for targets alone and for controllers."""
    release, python = choose_core(core, pythons)
    programs = make_environment(CHECKOUT / ".cache/ansible-test" / release, release, python)
    return json.loads(subprocess.check_output([programs / "python", "-c", ASK], text=True))


def passes(command: str, core: str, python: str | None = None) -> bool:
    """Run ansible-test, by default with all Pythons, and return whether it passed. A passed run is not repeated."""
    name = "-".join(filter(None, (command, core, python)))
    done = LOGS / f"{name}.passed"
    if done.exists():
        return True
    arguments = [command, "--core", core, *(["--python", python] if python else [])]
    with (LOGS / f"{name}.log").open("w", encoding="utf-8") as log:
        tool = [sys.executable, str(Path(__file__).with_name("ansible_test.py")), *arguments]
        passed = subprocess.call(tool, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT) == 0
    print(f"{name}: {'passed' if passed else 'failed'}", flush=True)
    if passed:
        done.touch()
    return passed


def page(rows: dict[str, dict[str, str]]) -> str:
    """Return the page.

    :param rows: release to Python to result.
    """
    pythons = sorted({python for row in rows.values() for python in row}, key=lambda text: int(text.split(".")[1]))
    lines = [["ansible-core", *(f"Python {python}" for python in pythons)], ["---"] * (len(pythons) + 1)]
    lines += [[core, *(row.get(python, "-") for python in pythons)] for core, row in rows.items()]
    return INTRO + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    pythons = interpreters()
    here = {f"{major}.{minor}" for major, minor in pythons}
    cores = {core: ask(core, pythons) for core in CORES}
    rows: dict[str, dict[str, str]] = {}
    for core, (release, targets, controllers) in cores.items():
        sanity = "sanity" if passes("sanity", core) else "sanity fails"
        rows[release] = {python: sanity if python in here else "not here" for python in [*targets, *controllers]}
        PAGE.write_text(page(rows), encoding="utf-8")
    for core, (release, targets, _controllers) in cores.items():
        row = rows[release]
        for python in [python for python in row if python in here]:
            row[python] = _with_units(row[python], core, python, targets)
            PAGE.write_text(page(rows), encoding="utf-8")
    results = [result for row in rows.values() for result in row.values()]
    return 1 if any("fail" in result for result in results) else 0


def _with_units(result: str, core: str, python: str, targets: list[str]) -> str:
    """Return what passes with a Python after the unit tests.

    :param result: of the sanity tests.
    """
    if not passes("units", core, python):
        return "units fail"
    if result != "sanity":
        return result
    return "modules" if python in targets else "all"


if __name__ == "__main__":
    sys.exit(main())
