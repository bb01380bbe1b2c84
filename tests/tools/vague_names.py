# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reject names without meaning, such as ``one`` or ``tmp``.

    python tests/tools/vague_names.py [FILE ...]

Without arguments, it reads all Python files that git tracks in plugins, tests and docs. It counts each place that gives
a name to a value: arguments, assignments, targets of loops, comprehensions, ``with``, ``except`` and ``:=``.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import typing as t
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PATTERNS = ("plugins/*.py", "tests/*.py", "docs/*.py")
VAGUE = re.compile(
    r"_?(?:ones?|found|words|dummy\w*|things?|stuff|data|tmp|temp|foo|bar|baz|obj|val|vals|ret|retval|res|some|rest|"
    r"told|asked|turn|again|cure|misc|blah)_?\d*"
)


class Binding(t.NamedTuple):
    """A place that gives a name to a value."""

    line: int
    name: str


def bindings(source: str) -> list[Binding]:
    """Return each binding of a Python source, sorted by line.

    :raises SyntaxError: if it is not Python.
    """
    names: list[Binding] = []
    tree = ast.parse(source)
    given_by_ansible = {id(argument) for argument in _arguments_of_actions(tree)}
    for node in ast.walk(tree):
        if id(node) in given_by_ansible:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(Binding(node.lineno, node.id))
        elif isinstance(node, ast.arg):
            names.append(Binding(node.lineno, node.arg))
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            names.append(Binding(node.lineno, node.name))
    return sorted(names)


def _arguments_of_actions(tree: ast.AST) -> t.Iterator[ast.arg]:
    """Yield the argument ``tmp`` of action plugins, which Ansible names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "run":
            yield from (argument for argument in node.args.args if argument.arg == "tmp")


def vague(names: t.Iterable[Binding]) -> list[Binding]:
    """Return the bindings whose name is vague."""
    return [binding for binding in names if VAGUE.fullmatch(binding.name)]


def python_files() -> list[str]:
    """Return the paths of the checkout's Python files, relative to it."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    paths = subprocess.check_output([*command, *PATTERNS], cwd=CHECKOUT, text=True).splitlines()
    return [path for path in paths if (CHECKOUT / path).is_file()]


def main() -> int:
    """Print each vague name, and the number of vague names.

    :returns: the exit code, 1 if a name is vague.
    """
    total = vague_total = 0
    for path in sys.argv[1:] or python_files():
        names = bindings((CHECKOUT / path).read_text(encoding="utf-8"))
        rejected = vague(names)
        total += len(names)
        vague_total += len(rejected)
        for binding in rejected:
            print(f"{path}:{binding.line}: the name {binding.name} is vague; name what it is, such as job or url")
    print(f"{vague_total} of {total} names are vague ({vague_total / max(total, 1):.1%})")
    return 1 if vague_total else 0


if __name__ == "__main__":
    sys.exit(main())
