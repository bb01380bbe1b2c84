# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write configurations as YAML that both clients read as intended.

The clients read YAML 1.2, PyYAML writes 1.1: it leaves texts such as ``1e3`` and ``0o17`` without quotes, which are
numbers to the clients. And where the Rust client takes an empty value for one that is not there, it does not take the
word ``null`` (serde_yaml, de.rs).
"""

from __future__ import annotations

import datetime
import re
import typing as t
from collections.abc import Sequence

import yaml

# Texts that all versions of YAML read as strings.
_PLAIN = re.compile(r"(?:(?:/|[A-Za-z][\w-]*[/.])[\w./-]*|[A-Za-z][\w-]*|[0-9]+(?:ms|[smhd]|[KMGTP]i?B?))\Z", re.ASCII)
_WORDS_WITH_A_MEANING = frozenset("true false yes no on off y n null nan inf".split())


class _Dumper(yaml.SafeDumper):
    """Writes texts in double quotes unless they are plain, None as an empty value, and no aliases."""

    def ignore_aliases(self, _value: t.Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def represent_text(self, text: str) -> yaml.Node:
        is_plain = _PLAIN.match(text) and text.lower() not in _WORDS_WITH_A_MEANING
        return self.represent_scalar("tag:yaml.org,2002:str", str(text), style=None if is_plain else '"')

    def represent_nothing(self, _nothing: None) -> yaml.Node:
        return self.represent_scalar("tag:yaml.org,2002:null", "")

    def represent_mapping_in_order(self, mapping: dict[t.Any, t.Any]) -> yaml.Node:
        return self.represent_mapping("tag:yaml.org,2002:map", mapping.items())


# Also for subclasses, because ansible-core uses its own classes for values.
_Dumper.add_multi_representer(str, _Dumper.represent_text)
_Dumper.add_multi_representer(bool, _Dumper.represent_bool)
_Dumper.add_multi_representer(int, _Dumper.represent_int)
_Dumper.add_multi_representer(float, _Dumper.represent_float)
_Dumper.add_multi_representer(list, _Dumper.represent_list)
_Dumper.add_multi_representer(dict, _Dumper.represent_mapping_in_order)
_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(dict, _Dumper.represent_mapping_in_order)
_Dumper.add_representer(type(None), _Dumper.represent_nothing)


def plain(value: t.Any) -> t.Any:
    """Return a value without the classes of Ansible, such as that of a text in Vault."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime.date):
        # Ansible parses unquoted dates, which no key of the clients accepts.
        return value.isoformat()
    # Up to ansible-core 2.18 an encrypted text is a sequence that is not a str.
    return str(value) if isinstance(value, (str, Sequence)) else value


def to_yaml(config: dict[str, t.Any]) -> str:
    """Return a configuration as YAML, with keys in the original order."""
    return yaml.dump(plain(config), Dumper=_Dumper, default_flow_style=False, allow_unicode=False, width=1_000_000)


def yaml_value(value: t.Any) -> str:
    """Return a value as YAML in one line, for templates.

    JSON is not a subset of YAML: it escapes characters beyond the basic plane as surrogates, which YAML does not have.
    """
    written = yaml.dump([plain(value)], Dumper=_Dumper, default_flow_style=True, allow_unicode=False, width=1_000_000)
    return written.strip()[1:-1]
