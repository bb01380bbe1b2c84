# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a tarball before it is published.

Checks its contents, the report of Galaxy's importer, the requirements for an execution environment, and the changelog.

    python tests/tools/check_release.py IMPORTER_PYTHON TARBALL

``IMPORTER_PYTHON`` is the interpreter of an environment with galaxy-importer. ansible-builder must be on PATH.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import typing as t
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]

#: The paths that users need; a tarball holds no other file.
WANTED = re.compile(
    r"""(
    CHANGELOG\.md | CODE_OF_CONDUCT\.md | COPYING | README\.md | SECURITY\.md | FILES\.json | MANIFEST\.json
    | LICENSES/GPL-3\.0-or-later\.txt
    | changelogs/changelog\.yaml
    | docs/[a-z-]+\.md
    | docs/docsite/(extra-docs|links)\.yml
    | docs/docsite/rst/guide_[a-z]+\.rst
    | docs/picture/overview\.svg
    | meta/(runtime|execution-environment)\.yml | meta/ee-requirements\.txt
    | playbooks/[a-z_]+\.yml
    | plugins/(action|doc_fragments|filter|inventory|lookup|modules)/[a-z_]+\.py
    | plugins/(module_utils|plugin_utils)/(_[a-z_]+/)?[a-z_]+\.py
    | plugins/filter/[a-z_]+\.yml
    | roles/[a-z_]+/(README\.md | meta/(main|argument_specs)\.yml | templates/[a-z.-]+\.j2)
    | roles/[a-z_]+/(defaults|handlers|tasks|vars)/[a-z_]+\.yml
    | roles/[a-z_]+/files/[a-z_]+\.py
    )""",
    re.VERBOSE,
)
#: Must be complete, as in git.
WHOLE = ("LICENSES", "docs/docsite/rst", "meta", "playbooks", "plugins", "roles")
LARGEST = 600_000  # bytes

#: What an execution environment must install for the collection, by name.
EE_PYTHON = {"requests", "tomlkit"}


def problems_of(tarball: Path) -> list[str]:
    """Return the problems of a tarball's contents, as text."""
    problems = []
    with tarfile.open(tarball) as archive:
        names = {member.name for member in archive.getmembers() if not member.isdir()}
        manifest = json.load(t.cast(t.IO[bytes], archive.extractfile("MANIFEST.json")))
    problems += [f"{name}: users do not need it" for name in sorted(names) if not WANTED.fullmatch(name)]
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *WHOLE]
    tracked = subprocess.check_output(command, cwd=CHECKOUT, text=True).splitlines()
    problems += [f"{name}: is missing" for name in tracked if name not in names and (CHECKOUT / name).exists()]
    if tarball.stat().st_size > LARGEST:
        problems.append(f"{tarball.stat().st_size} bytes, more than {LARGEST}")
    version = manifest["collection_info"]["version"]
    if tarball.name != f"dragonflyoss-dragonfly-{version}.tar.gz":
        problems.append(f"{tarball.name}: its version is {version}")
    return problems


def changelog_problems() -> list[str]:
    """Return what the changelog lacks: the version of galaxy.yml, in both of its files."""
    version = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    released = yaml.safe_load((CHECKOUT / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"]
    text = CHECKOUT / "CHANGELOG.md"
    anchor = f'id="v{version.replace(".", "-")}"'
    if version in released and text.exists() and anchor in text.read_text(encoding="utf-8"):
        return []
    return [f"the changelog does not have {version}: run antsibull-changelog release"]


def install(tarball: Path, folder: Path, way: str) -> Path:
    """Install a tarball like a user, without requests to Galaxy, and return the collection's directory.

    ``install -r`` has no option for the directory of collections, so only this one is configured.

    :param way: ``tarball``, ``requirements`` (``collection install -r``), ``install`` (``install -r``, roles too) or
        ``clone`` (the checkout in place of the tarball)
    :raises subprocess.CalledProcessError: with the output, if ansible-galaxy fails
    """
    command = ["ansible-galaxy", *([] if way == "install" else ["collection"]), "install"]
    if way in ("tarball", "clone"):
        command += [str(tarball if way == "tarball" else CHECKOUT), "-p", str(folder)]
    else:
        requirements = folder / "requirements.yml"
        entry = {"name": str(tarball), "type": "file"}
        requirements.write_text(yaml.safe_dump({"collections": [entry]}), encoding="utf-8")
        command += ["-r", str(requirements)] + ([] if way == "install" else ["-p", str(folder)])
    subprocess.run(
        command,
        cwd=folder,
        env=environment_of(folder),
        check=True,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return folder / "ansible_collections/dragonflyoss/dragonfly"


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment in which Ansible finds the collections of a directory and not the checkout."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [path for path in paths if not (Path(path) / "ansible_collections/dragonflyoss").exists()]
    return {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder), "PYTHONPATH": os.pathsep.join(paths)}


def problems_for_ee(tarball: Path) -> list[str]:
    """Return what is missing for ansible-builder, from the collection and in the context of an image."""
    problems = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install(tarball, folder, "tarball")
        listed = subprocess.check_output(["ansible-builder", "introspect", str(folder)], text=True)
        packages = {re.split(r"[^\w.-]", line)[0] for line in yaml.safe_load(listed)["python"]}
        if packages != EE_PYTHON:
            problems.append(
                f"ansible-builder finds the Python requirements {sorted(packages)}, not {sorted(EE_PYTHON)}"
            )
        definition = {
            "version": 3,
            "images": {"base_image": {"name": "quay.io/fedora/fedora:latest"}},
            "dependencies": {
                "galaxy": {"collections": [{"name": "dragonflyoss.dragonfly"}]},
                "ansible_core": {"package_pip": "ansible-core"},
                "ansible_runner": {"package_pip": "ansible-runner"},
            },
        }
        (folder / "execution-environment.yml").write_text(yaml.safe_dump(definition), encoding="utf-8")
        command = ["ansible-builder", "create", "-f", "execution-environment.yml", "-c", "context"]
        command += ["--output-filename", "Containerfile"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        wanted = (folder / "context/_build/requirements.yml").read_text(encoding="utf-8")
        if "dragonflyoss.dragonfly" not in wanted or not (folder / "context/Containerfile").exists():
            problems.append("ansible-builder's context does not hold the collection")
    return problems


def problems_for_galaxy(python: str, tarball: Path) -> list[str]:
    """Return the importer's errors and warnings, with checks for certified content."""
    strict = {"GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true", "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "true"}
    process = subprocess.run(
        [os.path.abspath(python), "-m", "galaxy_importer.main", tarball.name],
        cwd=tarball.parent,  # it writes a file
        env={**os.environ, **strict, "PATH": f"{Path(python).absolute().parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    problems = [line for line in process.stdout.splitlines() if "WARNING" in line or "ERROR" in line]
    return problems or ([process.stdout] if process.returncode else [])


def main() -> int:
    python, tarball = sys.argv[1], Path(sys.argv[2]).resolve()
    problems = problems_of(tarball) + changelog_problems()
    problems += problems_for_ee(tarball) + problems_for_galaxy(python, tarball)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{tarball.name}: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
