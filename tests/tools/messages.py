# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write every message of the collection into the troubleshooting guide, in which users search for a message.

    python tests/tools/messages.py

A message is a sentence, or a phrase of six words or more, in the code of plugins (except for documentation), or the
message of a task in a role. Values are shown as an ellipsis. SQL, patterns, shorter phrases and texts of other programs
are not messages. Phrases that the code inserts into sentences, such as causes, are listed separately.
"""

from __future__ import annotations

import ast
import re
import textwrap
import typing as t
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
GUIDE = CHECKOUT / "docs/docsite/rst/guide_troubleshooting.rst"
START, END = ".. messages: written by tests/tools/messages.py", ".. messages end"
_WRAP = textwrap.TextWrapper(width=138, subsequent_indent="  ", break_on_hyphens=False)
_DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
#: Constants with messages of other programs, by which the code recognizes them.
_OF_OTHERS = {"_WANTS_TLS", "_ERRORS_OF_ALL"}
#: Methods whose arguments are patterns, tables in one text, or texts of other programs.
_NOT_MESSAGES = ("compile", "split", "splitlines", "partition", "startswith")
PARTS = "Causes and remedies in messages"
_PLACEHOLDER = re.compile(r"%(\(\w+\))?[-.\d]*[srd]|\{[\w.!]*\}")
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
#: SQL, regular expressions, and formats of times and names.
_NOT_PROSE = re.compile(r"^SELECT |\(\?|\\[AZzbds]|%[YmdHMS]|^\W* \W*$")


def clean(text: str) -> str:
    """Return a message as in the guide: on one line, with ellipses for values."""
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", _ELLIPSIS, text, flags=re.DOTALL)
    text = _PLACEHOLDER.sub(_ELLIPSIS, text).replace("%%", "%")
    return " ".join(text.split()).strip(" .;,:")


def is_message(text: str) -> bool:
    """Return whether a text is a message for users, not a part of one, SQL or a pattern."""
    own = text.replace("What to do:", "")
    length = sum(bool(re.match(r"\W?[A-Za-z]", word)) for word in own.split())
    is_sentence = text[:1].isupper() or text[:1] in (_ELLIPSIS, "'")
    return length >= (3 if is_sentence else 6) and not _NOT_PROSE.search(text)


def is_part(text: str, options: t.Container[str]) -> bool:
    """Return whether a text is a part of messages: neither a sentence nor about a value or an option.

    :param options: names of the options of plugins, with which messages begin.
    """
    if text[:1] == _ELLIPSIS:
        return text[1:2] in (".", ",")
    first = re.match(r"(\w+)(?:[:,]| (?:must|is|or|and|\W))", text)
    return not (text[:1].isupper() or text[:1] == "'" or (first and first[1] in options))


def option_names() -> set[str]:
    """Return the names of the options of all plugins, and of the filters, with which messages begin."""
    names = {path.stem for path in (CHECKOUT / "plugins/filter").glob("*.yml")}
    for path in [*(CHECKOUT / "plugins").rglob("*.py"), *(CHECKOUT / "roles").glob("*/meta/argument_specs.yml")]:
        names.update(re.findall(r"^ +([a-z]+(?:_[a-z]+)*):$", path.read_text(encoding="utf-8"), flags=re.MULTILINE))
    return names


class _Texts(ast.NodeVisitor):
    """Return the texts of a Python file in order, without docstrings and documentation."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        skipped = _DOCUMENTATION | _OF_OTHERS
        if not any(isinstance(target, ast.Name) and target.id in skipped for target in node.targets):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in _NOT_MESSAGES):
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Skip comparisons, whose texts are searched for."""

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, float)):  # names of units
                self.visit(value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and "\n" not in node.value:
            self.found.append(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        parts = (part.value if isinstance(part, ast.Constant) else "%s" for part in node.values)
        self.found.append("".join(t.cast("t.Iterable[str]", parts)))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)


def python_messages(path: Path) -> list[str]:
    texts = _Texts()
    texts.visit(ast.parse(path.read_text(encoding="utf-8")))
    return [text for text in map(clean, texts.found) if is_message(text)]


def role_messages(path: Path) -> list[str]:
    """Return the failure messages of the tasks in a file."""
    texts: list[str] = []
    todo: list[t.Any] = [yaml.safe_load(path.read_text(encoding="utf-8"))]
    while todo:
        value = todo.pop(0)
        if isinstance(value, dict):
            texts += [clean(value[key]) for key in ("fail_msg", "msg") if isinstance(value.get(key), str)]
            todo = [*value.values(), *todo]
        elif isinstance(value, list):
            todo = [*value, *todo]
    return [text for text in texts if is_message(text)]


def all_messages() -> dict[str, list[str]]:
    """Return messages by heading, sorted, without duplicates."""
    by_heading: dict[str, list[str]] = {}
    for path in sorted((CHECKOUT / "plugins").rglob("*.py")):
        folder = path.relative_to(CHECKOUT / "plugins").parts[0]
        if folder != "doc_fragments":
            place = {"module_utils": "Modules", "modules": "Modules", "plugin_utils": "Configurations and hosts"}
            by_heading.setdefault(place.get(folder, "Other plugins"), []).extend(python_messages(path))
    for path in sorted((CHECKOUT / "roles").glob("*/tasks/*.yml")):
        by_heading.setdefault("Roles", []).extend(role_messages(path))
    options = option_names()
    of_plugins = {text for heading, texts in by_heading.items() if heading != "Roles" for text in texts}
    parts = {text for text in of_plugins if is_part(text, options)}
    by_heading = {heading: list(set(texts) - parts) for heading, texts in by_heading.items()}
    by_heading[PARTS] = list(parts)
    return {heading: sorted(texts, key=str.casefold) for heading, texts in by_heading.items() if texts}


def section() -> str:
    """Return the part of the guide that lists them, as reStructuredText."""
    lines = []
    for heading, texts in all_messages().items():
        lines += [heading, "^" * len(heading), ""]
        for text in texts:
            lines.append(_WRAP.fill(f"- ``{text}``"))
        lines.append("")
    return "\n".join(lines)


def with_section(guide: str) -> str:
    """Return the guide with the updated part."""
    before, after_start = guide.split(START, 1)
    after = after_start.split(END, 1)[1]
    return f"{before}{START}\n\n{section()}\n{END}{after}"


if __name__ == "__main__":
    GUIDE.write_text(with_section(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
