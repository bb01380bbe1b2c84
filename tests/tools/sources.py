# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read values that Python files assign, without importing them."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import yaml


def assigned(path: Path, name: str) -> t.Any:
    """Return the literal that a Python file assigns to a name, at its top level or in a class.

    :raises LookupError: if there is none.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and any(getattr(target, "id", None) == name for target in node.targets):
            return ast.literal_eval(node.value)
    raise LookupError(f"{name} in {path}")


def documented(path: Path, name: str = "DOCUMENTATION") -> t.Any:
    """Return the parsed YAML of a plugin, such as its DOCUMENTATION, EXAMPLES or RETURN."""
    return yaml.safe_load(assigned(path, name))
