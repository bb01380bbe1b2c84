# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the language rejects phrases in prose and in strings, and accepts good sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.tools.language import phrases, phrases_of_python

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "text",
    [
        "'Redis:7' is no image reference.",
        "Set the filter so that hosts hit.",
        "Set the filter so\nthat hosts hit.",
        "    Set the filter so\n    that hosts hit.",
        "# Set the filter so\n# that hosts hit.",
        "An equal job is adopted.",
        "The job was made by another run.",
        "The manager tells the release.",
        "Seconds between two looks.",
        "The module asks the manager.",
        "Without it, the default applies.",
        "The role ignores it without a word.",
        "It is cold, for only schedulers know it.",
        "Since 2.2.3.",
        "It is warm no more.",
        "Return the job, None where there is none.",
        "All hosts but for one are warm.",
        "The content may be cached all the same.",
    ],
)
def test_a_phrase_is_rejected(text):
    assert [phrase.text for phrase in phrases(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Run the playbook with --ask-vault-pass.",
        "There is no job with this ID.",
        "The job is no longer cached.",
        "The job is no\n    longer cached.",
        "The result is equal to the request.",
        "The module looks for the job before it retries.",
        "If an identical job is running, the module waits for it.",
        "Requires Dragonfly manager 2.2.3 or later.",
        "since 1.4.3",
    ],
)
def test_a_good_sentence_passes(text):
    assert phrases(text) == []


def test_strings_and_comments_count_and_code_does_not():
    source = 'made = 1  # asked\nmessage = """\nAn equal\njob."""\n# It says nothing,\n# for it is cold.\n'
    rejected = [(phrase.line, phrase.text) for phrase in phrases_of_python(source)]
    assert rejected == [(1, "asked"), (3, "equal"), (5, ", for it")]


def test_the_command_names_file_line_phrase_and_advice(tmp_path):
    guide = tmp_path / "guide.md"
    guide.write_text("# Guide\n\nAn equal job is adopted.\n", encoding="utf-8")
    command = [sys.executable, CHECKOUT / "tests/tools/language.py", guide]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (1, f"{guide}:3: 'equal': identical\n")


def test_of_tests_the_docstrings_and_comments_are_read():
    source = '"""It asks."""\n\nASKED = "It asks."  # It tells.\n'
    assert [phrase.line for phrase in phrases_of_python(source, is_test=True)] == [1, 3]
    assert [phrase.line for phrase in phrases_of_python(source)] == [1, 3, 3]
