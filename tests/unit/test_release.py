# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tarball contains only what users need, and installs in each supported way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.tools import check_release

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def ansible_on_path():
    """Use ansible-galaxy of this interpreter's environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="module")
def tarball(tmp_path_factory, ansible_on_path):
    folder = tmp_path_factory.mktemp("build")
    command = ["ansible-galaxy", "collection", "build", "--output-path", str(folder), str(CHECKOUT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (path,) = folder.iterdir()
    return path


def test_tarball_holds_what_users_need(tarball):
    assert check_release.problems_of(tarball) == []


@pytest.mark.parametrize("name", ["tests/conftest.py", "Makefile", "plugins/modules/preheat.py.orig", ".github/x.yml"])
def test_other_files_are_noticed(tarball, tmp_path, name):
    other = tmp_path / tarball.name
    with tarfile.open(tarball) as old, tarfile.open(other, "w:gz") as new:
        for member in old.getmembers():
            if member.name != "plugins/modules/preheat.py":
                new.addfile(member, old.extractfile(member) if member.isfile() else None)
        new.addfile(tarfile.TarInfo(name))
    problems = check_release.problems_of(other)
    assert problems == [f"{name}: users do not need it", "plugins/modules/preheat.py: is missing"]


@pytest.mark.parametrize("way", ["tarball", "requirements", "install", "clone"])
def test_it_installs(tarball, tmp_path, way):
    collection = check_release.install(tarball, tmp_path, way)
    manifest = json.loads((collection / "MANIFEST.json").read_text(encoding="utf-8"))
    assert f"{manifest['collection_info']['version']}.tar.gz" in tarball.name
    environment = check_release.environment_of(tmp_path)
    command = ["ansible", "localhost", "-m", "dragonflyoss.dragonfly.preheat", "-a", "image=redis:7"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "url is missing" in done.stdout + done.stderr
    command = ["ansible-galaxy", "collection", "list", "dragonflyoss.dragonfly"]
    assert str(tmp_path) in subprocess.check_output(command, cwd=tmp_path, env=environment, text=True)
