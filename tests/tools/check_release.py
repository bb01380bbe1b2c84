# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a tarball before it is published: what is in it, what Galaxy's importer says of it, and the changelog.

    python tests/tools/check_release.py IMPORTER_PYTHON TARBALL

``IMPORTER_PYTHON`` is the interpreter of an environment with galaxy-importer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]

#: What users need, by the first part of the path.
WANTED = {
    "CHANGELOG.md", "CODE_OF_CONDUCT.md", "COPYING", "FILES.json", "LICENSES", "MANIFEST.json", "README.md",
    "SECURITY.md", "changelogs", "docs", "meta", "playbooks", "plugins", "roles",
}  # fmt: skip
LARGEST = 1_000_000  # bytes


def problems_of(tarball: Path) -> list[str]:
    """Return what is wrong with a tarball, in words."""
    problems = []
    with tarfile.open(tarball) as archive:
        names = archive.getnames()
        manifest = json.load(archive.extractfile("MANIFEST.json"))
    problems += [f"{name}: users do not need it" for name in names if name.split("/")[0] not in WANTED]
    if tarball.stat().st_size > LARGEST:
        problems.append(f"{tarball.stat().st_size} bytes, more than {LARGEST}")
    version = manifest["collection_info"]["version"]
    released = yaml.safe_load((CHECKOUT / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"]
    if version not in released:
        problems.append(f"changelogs/changelog.yaml does not have {version}: run antsibull-changelog release")
    return problems


def problems_for_galaxy(python: str, tarball: Path) -> list[str]:
    """Return the importer's errors and warnings, with its checks for certified content on."""
    strict = {"GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true", "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "true"}
    process = subprocess.run(
        [os.path.abspath(python), "-m", "galaxy_importer.main", tarball.name],
        cwd=tarball.parent,  # it leaves a file
        env={**os.environ, **strict, "PATH": f"{Path(python).absolute().parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    problems = [line for line in process.stdout.splitlines() if "WARNING" in line or "ERROR" in line]
    return problems or ([process.stdout] if process.returncode else [])


def main() -> int:
    python, tarball = sys.argv[1], Path(sys.argv[2])
    problems = problems_of(tarball) + problems_for_galaxy(python, tarball)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{tarball.name}: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
