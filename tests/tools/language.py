# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reject phrases that readers have to read twice, and name the usual one.

    python tests/tools/language.py [--count] [FILE ...]

Without arguments, it reads every text that git tracks: Markdown, reStructuredText, roles, playbooks, the changelog,
galaxy.yml, integration targets, and the strings and comments of Python files in plugins. In Python files of tests, it
reads docstrings and comments only, because other strings there are input.
``--count`` prints the number of phrases by file instead.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import typing as t
from collections import Counter
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PATTERNS = (
    "*.md",
    "*.rst",
    "roles/*.yml",
    "roles/*.j2",
    "extensions/*.yml",
    "playbooks/*.yml",
    "changelogs/*.yaml",
    "galaxy.yml",
    "plugins/*.yml",
    "meta/*.yml",
)
PYTHON = ("plugins/*.py",)
TESTS = (
    "tests/bench/*.py",
    "tests/contract/*.py",
    "tests/faults/*.py",
    "tests/integration/*.yml",
    "tests/sandbox/*.py",
    "tests/tools/*.py",
    "tests/conftest.py",
    "tests/demo/*",
    "tests/hosts/*.py",
    "tests/unit/*.py",
)

#: Between two words: a line break, with what is before the next word in a docstring or a comment.
_SPACE = r"[\s#]++"

#: Phrases, and what to write instead.
PHRASES = {
    re.compile(pattern.replace(" ", _SPACE), re.IGNORECASE): advice
    for pattern, advice in {
        r"(?<!\bthere\s)\b(?:is|are|was) no (?!longer\b|more than\b)": "is not a valid ..., does not ...",
        r"\bso that\b": "so",
        r"\bequal\b(?! to\b)": "identical",
        r"\bmade\b": "created, sent, written",
        r"\b(?:tells?|telling|told)\b": "report, return, show",
        r"\blook(?:s|ed|ing)?\b(?! for\b| up\b| it up\b)": "poll, read, check",
        r"(?<!--)\bask(?:s|ed|ing)?\b": "request, query, prompt",
        r"\bwithout it\b": "defaults to ..., if it is not set",
        r"\bwithout a word\b": "silently",
        r"\bcures?\b": "remedy",
        r"\b(?:warm|cached|there) no more\b": "no longer",
        r"\bany more\b": "no longer",
        r", for (?:it|they|he|only|nothing|there|these|those)\b": "because",
        r"\bin words\b": "as text",
        r"\bof which\b": "rewrite the sentence",
        r"\bwould not do\b": "would not work",
        r"\bwhat it is for\b": "its purpose",
        r"\b(?:is|was|are) whole\b": "is complete",
        r"\b(?-i:Since) \d+\.\d+\.\d+": "Requires Dragonfly manager ... or later",
        r"\b(?:waits?|lasts?|takes?) for ever\b": "forever",
        r"\b(?:be|is|was) known in\b|\b(?<!well\s)\bcannot know\b": "cannot predict, is unknown",
        r"\b(?:come|comes|came) up\b": "starts",
        r"\bput back\b": "restore",
        r"\btaken? (?:back|away)\b|\btake (?:it|them|all of it) away\b": "roll back, remove",
        r"\beverybody\b|\bsomebody else\b": "everyone, all users, another program",
        r"\bthe right words\b": "the expected message",
        r"\bin clear\b": "in plain text",
        r"(?<!:param\s)\bfolders?\b": "directory",
        r"\bpath of the file\b": "path to the file",
        r"\blist of texts\b": "list of strings",
        r"\bhand on\b": "share, pass",
        r"\bmake[s]? (?:every|each) pull a miss\b": "makes every pull miss",
        r"\bin the end\b": "finally",
        r"\bleft alone\b": "unchanged",
        r"\b(?:none|empty|null) where\b": "if",
        r"\bbut for\b": "except",
        r"\banew\b": "again",
        r"\bhardly\b": "barely, almost never",
        r"\bwhoever\b": "anyone who",
        r"\b(?:goes|went|going) on\b": "continues",
        r"\ball the same\b": "still, anyway",
        r"\bto blame\b": "at fault, the cause",
        r"\bin vain\b": "without effect",
        r"\bmay not (?:run|read|use|have access)\b": "has no permission to",
        r"\b(?:as|like) the others\b": "like all others",
    }.items()
}


class Phrase(t.NamedTuple):
    """A phrase that a text should not have."""

    line: int
    text: str
    advice: str


def phrases(text: str, first_line: int = 1) -> list[Phrase]:
    """Return the phrases of a text, also those that a line break divides.

    :param first_line: the number of its first line.
    """
    return sorted(
        Phrase(first_line + text.count("\n", 0, match.start()), re.sub(_SPACE, " ", match.group()), advice)
        for pattern, advice in PHRASES.items()
        for match in pattern.finditer(text)
    )


def phrases_of_python(source: str, is_test: bool = False) -> list[Phrase]:
    """Return the phrases in the strings and comments of a Python source.

    :param is_test: whether docstrings are the only strings that are read.
    :raises SyntaxError: if it is not Python.
    """
    strings = _docstrings(source) if is_test else _strings(source)
    return sorted(phrase for line, text in [*strings, *_comments(source)] for phrase in phrases(text, first_line=line))


def _strings(source: str) -> t.Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _docstrings(source: str) -> t.Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def _comments(source: str) -> t.Iterator[tuple[int, str]]:
    """Yield the first line and the text of each comment; comments on consecutive lines are one."""
    first_line = 0
    lines: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if token.start[0] != first_line + len(lines):
            yield first_line, "\n".join(lines)
            first_line, lines = token.start[0], []
        lines.append(token.string)
    yield first_line, "\n".join(lines)


def _files_of_git(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return [CHECKOUT / name for name in listed.stdout.splitlines()]


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--count"]
    paths = [Path(argument) for argument in arguments] or _files_of_git(*PATTERNS, *PYTHON, *TESTS)
    counts: Counter[str] = Counter()
    for path in paths:
        text = path.read_text(encoding="utf-8")
        name = str(path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path)
        is_test = "tests" in Path(name).parts
        for phrase in phrases_of_python(text, is_test) if path.suffix == ".py" else phrases(text):
            counts[name] += 1
            if "--count" not in sys.argv:
                print(f"{name}:{phrase.line}: {phrase.text!r}: {phrase.advice}")
    if "--count" in sys.argv:
        print(*(f"{count:5} {name}" for name, count in counts.most_common()), sep="\n")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
