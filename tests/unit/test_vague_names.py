# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of names detects every kind of binding, and rejects only the vague ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.tools.vague_names import Binding, bindings, vague

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "source",
    [
        "one = 1",
        "one: int = 1",
        "one += 1",
        "first, one = pair",
        "first, *one = row",
        "def fetch(one): pass",
        "def fetch(*one): pass",
        "def fetch(*, one=None): pass",
        "def fetch(**one): pass",
        "fetch = lambda one: None",
        "for one in jobs: pass",
        "names = [one.name for one in jobs]",
        "names = {one: 1 for one in jobs}",
        "with open(path) as one: pass",
        "try: pass\nexcept ValueError as one: pass",
        "if (one := fetch()): pass",
    ],
)
def test_each_kind_of_binding_counts(source):
    assert [binding.name for binding in vague(bindings(source))] == ["one"]


@pytest.mark.parametrize("name", ["found", "words", "dummy", "dummy2", "_dummy", "tmp", "data", "things", "ret", "val"])
def test_vague_names_are_rejected(name):
    assert vague([Binding(1, name)]) == [Binding(1, name)]


@pytest.mark.parametrize("name", ["job", "url", "_unused", "row", "tmp_path", "database", "phone", "value", "_"])
def test_names_of_the_field_are_not(name):
    assert vague([Binding(1, name)]) == []


def test_reading_a_name_or_an_attribute_binds_nothing():
    assert bindings("print(one)\njob.one = 2\njobs['one'] = 3") == []


def test_the_argument_that_ansible_names_is_none_of_ours():
    assert vague(bindings("def run(self, tmp=None, task_vars=None): pass")) == []
    assert vague(bindings("def look(tmp): pass")) == [Binding(1, "tmp")]


def check(path):
    command = [sys.executable, str(CHECKOUT / "tests/tools/vague_names.py"), str(path)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)


def test_the_check_names_line_and_name_and_fails(tmp_path):
    path = tmp_path / "code.py"
    path.write_text("job = 1\none = 2\n", encoding="utf-8")
    result = check(path)
    assert result.returncode == 1
    assert f"{path}:2: the name one is vague" in result.stdout
    assert "1 of 2 names are vague (50.0%)" in result.stdout


def test_the_check_passes_for_good_names(tmp_path):
    path = tmp_path / "code.py"
    path.write_text("job = 1\n", encoding="utf-8")
    assert check(path).returncode == 0
