# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every regular expression of the plugins takes linear time for any text of a server or a file.

The expressions are found in the source, so new ones are tested automatically. Each is run like the code
runs it, on texts of its own characters, with which expressions backtrack.
"""

from __future__ import annotations

import ast
import itertools
import re
import signal
import typing as t
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import (
    escape_c1,
    printable,
    redact_beginning,
    redact_text,
    redact_url,
    url_secrets,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_http_date, parse_time
from ansible_collections.dragonflyoss.dragonfly.tests.unit.cpu import cpu_seconds

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
METHODS = {"compile", "search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split"}
#: Characters of the texts. Quadratic time shows with a tenth of a second, linear time with a thousandth.
LENGTH = 16 * 1024
#: Seconds of CPU for one text.
LIMIT = 0.1
#: Seconds after which an expression is stopped.
PATIENCE = 0.15
#: Texts for every expression, besides those of its own characters.
COMMON = ("a", "0", " ", "\n", ".", "/", ":", "@", "=", '"', "\\", "[", "é", "a.", "a ", "//", "://", "%2", "{{", "a\n")


class Use(t.NamedTuple):
    """An expression and its function."""

    place: str
    pattern: str
    flags: int
    method: str

    def __str__(self) -> str:
        return f"{self.place} {self.method} {self.pattern[:40]}"


def constant(node: ast.expr, names: dict[str, t.Any]) -> t.Any:
    """Return the value of an expression of literals and names of its module, None if it has others."""
    try:
        return eval(compile(ast.Expression(node), "<pattern>", "eval"), {"re": re, "__builtins__": {}}, names)
    except Exception:  # values of the running program are unknown here
        return None


def uses_in(path: Path) -> t.Iterator[Use]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: dict[str, t.Any] = {}
    for statement in tree.body:
        target: t.Any = getattr(statement, "target", None)
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and value is not None:
            names[target.id] = constant(value, names)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
            continue
        where = f"{path.relative_to(PLUGINS)}"
        if ast.unparse(node.func) == "re.compile" and isinstance(constant(node.args[0], names), str):
            # It is matched in any case.
            compiled = constant(node, names)
            yield Use(where, compiled.pattern, compiled.flags, "match")
        elif isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
            pattern = constant(node.args[0], names)
            if isinstance(pattern, str):
                yield Use(where, pattern, 0, node.func.attr)
        else:
            compiled = constant(node.func.value, names)
            if isinstance(compiled, re.Pattern):
                yield Use(where, compiled.pattern, compiled.flags, node.func.attr)


USES = sorted({use for path in sorted(PLUGINS.rglob("*.py")) for use in uses_in(path)})


def texts(pattern: str) -> t.Iterator[str]:
    """Yield texts that may be slow for an expression."""
    literals = sorted(set(re.sub(r"\\.|[()|*+?^$]", "", pattern)) | set("a0 \n"))[:24]
    runs = re.findall(r"[A-Za-z:/@=<>#.\"'\[\]{}-]{2,}", re.sub(r"\\", "", pattern))[:8]
    units = [*COMMON, *literals, *runs, *("".join(pair) for pair in itertools.permutations(literals[:9], 2))]
    for unit in dict.fromkeys(units):
        body = (unit * (LENGTH // len(unit)))[:LENGTH]
        yield body
        yield body + "\x00"
    for first in [*literals, *runs]:
        yield first + "a" * LENGTH + "\x00"


class TooSlow(Exception):
    pass


def stop(_number, _frame):
    raise TooSlow


@pytest.mark.parametrize("use", USES, ids=str)
def test_linear_time(use):
    compiled = re.compile(use.pattern, use.flags)
    run = {
        "sub": lambda text: compiled.sub("", text),
        "subn": lambda text: compiled.subn("", text),
        "finditer": lambda text: list(compiled.finditer(text)),
    }.get(use.method) or getattr(compiled, use.method)
    previous = signal.signal(signal.SIGVTALRM, stop)
    try:
        for text in texts(use.pattern):
            seconds = cpu_seconds(run_for_a_while, run, text, enough=LIMIT)
            assert seconds < LIMIT, f"{use.pattern!r} on {text[:20]!r} repeated"
    finally:
        signal.signal(signal.SIGVTALRM, previous)


def run_for_a_while(run: t.Callable[[str], t.Any], text: str) -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        run(text)
    except TooSlow:
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def test_the_test_notices_quadratic_time():
    for pattern in (r"[a-z]*://", r"(?m)^\s*x", r"(a|a)*b"):
        with pytest.raises(AssertionError):
            test_linear_time(Use("here", pattern, 0, "search"))


def test_expressions_are_found():
    assert len(USES) > 80


@pytest.mark.parametrize(
    "function", [escape_c1, printable, redact_text, redact_url, url_secrets, parse_time, parse_http_date]
)
def test_a_mebibyte_of_foreign_text_takes_a_tenth_of_a_second(function):
    units: tuple[str, ...] = (
        *COMMON,
        "://:@",
        "://a@",
        "?a=b&",
        "&",
        "?token=",
        "://://?x=",
        "//@",
        "\x1b[31m",
        "http://[",
        "%",
        "a=",
    )
    units += ("%zz&", "://?token%41=& ", "&" + "a" * 30, "://a?" + "a" * 120, "\x9b", "\x1ba", "\u202e", "\ufb00")
    units += ("://a ", "://?x= ", " http://user:word@registry.example.com/v2/?token=x", "://" + "a" * 37 + "@")
    # A slow machine takes this time for what takes 0.1 s here.
    limit = 0.1 * slowness()
    slowest = 0.0
    for unit in units:
        for text in (unit * (2**20 // len(unit)), "http://" + unit * (2**20 // len(unit)) + "\x00"):
            slowest = max(slowest, cpu_seconds(function, text, enough=limit))
    print(f"{function.__name__}: {slowest:.3f} s of CPU per MiB")
    assert slowest < limit


def slowness() -> float:
    """Return how many times slower this machine is than one that writes a million numbers in 0.1 s, at least 1."""
    return max(1.0, cpu_seconds(lambda: [str(number) for number in range(10**6)]) / 0.1)


def test_a_mebibyte_of_errors_is_cut_first():
    assert cpu_seconds(redact_beginning, "a" * 2**20, 500) < 0.01
