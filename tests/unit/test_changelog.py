# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changelog lists the content of the collection, with the descriptions of its documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
RELEASE = "1.0.0"


def _release() -> dict:
    return yaml.safe_load((CHECKOUT / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"][RELEASE]


def _listed(entries: list[dict]) -> dict[str, str]:
    """Return descriptions by name, without the backslashes of reStructuredText."""
    return {entry["name"]: entry["description"].replace("\\", "") for entry in entries}


def _documented(pattern: str) -> dict[str, str]:
    """Return the short descriptions in the files of a pattern by the names of the files, without private ones."""
    described = {}
    for path in CHECKOUT.glob(pattern):
        text = path.read_text(encoding="utf-8")
        if not path.name.startswith("_"):
            (description,) = re.findall(r"^ *short_description: (.*)$", text, re.MULTILINE)
            markup = re.sub(r"C[(](.*?)[)]", r":literal:`\1`", description)
            described[path.stem] = f"{markup}."
    return described


def _role_descriptions() -> dict[str, str]:
    described = {}
    for path in CHECKOUT.glob("roles/*/meta/argument_specs.yml"):
        role = path.parents[1].name
        if not role.startswith("_"):
            main = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]
            described[role] = f"{main['short_description']}."
    return described


def test_modules():
    assert _listed(_release()["modules"]) == _documented("plugins/modules/*.py")


@pytest.mark.parametrize(
    "kind, pattern",
    [
        ("filter", "plugins/filter/*.yml"),
        ("inventory", "plugins/inventory/*.py"),
        ("lookup", "plugins/lookup/*.py"),
    ],
)
def test_plugins(kind, pattern):
    assert _listed(_release()["plugins"][kind]) == _documented(pattern)


def test_roles():
    assert _listed(_release()["objects"]["role"]) == _role_descriptions()


def test_playbooks():
    assert set(_listed(_release()["objects"]["playbook"])) == {path.stem for path in CHECKOUT.glob("playbooks/*.yml")}


@pytest.mark.parametrize("kind", ["modules", "plugins", "roles", "playbooks"])
def test_summary_names_what_users_call(kind):
    names = {
        "modules": _documented("plugins/modules/*.py"),
        "plugins": {**_documented("plugins/inventory/*.py"), **_documented("plugins/lookup/*.py")},
        "roles": _role_descriptions(),
        "playbooks": {path.stem: "" for path in CHECKOUT.glob("playbooks/*.yml")},
    }[kind]
    changes = " ".join(_release()["changes"]["major_changes"])
    assert [name for name in names if f"``{name}``" not in changes] == []
