# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the files of a host as its daemons do."""

from __future__ import annotations

import functools
import io
import re
import typing as t

import tomllib
import yaml

from .reasons import Reason, reason

_REMEDIES = {
    "toml": "Correct it: containerd cannot use it.",
    **dict.fromkeys(("dfget", "dfdaemon"), "Correct it: the client could not start with it."),
}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml may be missing
    """YAML as both clients read it: 1.2, where yes and 12:30 are texts, and with no key twice."""

    yaml_implicit_resolvers: dict[str, list[t.Any]] = {}

    def get_single_node(self) -> yaml.Node | None:
        root = self._root_node()
        waiting, visited = [root], set()
        while waiting:
            node = waiting.pop()
            if id(node) in visited:
                continue
            visited.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                waiting += node.value
            elif isinstance(node, yaml.MappingNode):
                waiting += [value for _key, value in node.value]
                self._reject_duplicate_keys(node)
        return root

    def _root_node(self) -> yaml.Node | None:
        """Return the document of the file. The Rust client rejects a second one."""
        return t.cast(t.Optional[yaml.Node], super().get_single_node())

    @staticmethod
    def _spelling(key: str) -> str:
        """Return what two keys share if the client reads them as one."""
        return key

    def _reject_duplicate_keys(self, node: yaml.MappingNode) -> None:
        first_nodes: dict[tuple[str, str], yaml.ScalarNode] = {}
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            first = first_nodes.setdefault((key.tag, self._spelling(key.value)), key)
            if first is not key:
                problem = f"the key {key.value} is already set in line {first.start_mark.line + 1}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)


for _tag, _pattern, _begins in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", "|~|null|Null|NULL", ["", *"~nN"]),
    ("int", "[-+]?(?:0|[1-9][0-9]*|0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+)", "-+0123456789"),
    ("float", r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))"
     r"|\.(?:nan|NaN|NAN)", "-+.0123456789"),
):  # fmt: skip
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _begins)


class _GoLoader(_Loader):
    """YAML as the Go client reads it: with merge keys and with underscores in numbers, the first document only."""

    def _root_node(self) -> yaml.Node | None:
        return self.get_node() if self.check_node() else None

    @staticmethod
    def _spelling(key: str) -> str:
        """Ignore case. Of two such keys viper takes a random one."""
        return key.lower()


_GoLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), "<")
_GoLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9][0-9_]*\Z"), "-+0123456789")
_LOADERS = {"dfget": _GoLoader, "dfdaemon": _Loader}
#: A directive that the Go client rejects (gopkg.in/yaml.v3 v3.0.1 parserc.go): it accepts %YAML 1.1 only.
_OTHER_YAML = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n|%TAG[^\n]*\n)*%YAML[ \t]+(?!1\.1\s)")


@functools.lru_cache(maxsize=256)
def parse_text(kind: str, text: str) -> tuple[dict[str, t.Any], str | None]:
    """Return a parsed file and its error. Most hosts have the same files, so each text is parsed once.

    :param kind: ``toml``, or the client that reads it as YAML.
    """
    if kind == "dfget" and _OTHER_YAML.match(text):
        return {}, "it is not valid YAML (the Go client accepts no directive but %YAML 1.1)"
    return _parse_toml(text) if kind == "toml" else _parse_yaml(text, _LOADERS[kind])


def _parse_toml(text: str) -> tuple[dict[str, t.Any], str | None]:
    try:
        return tomllib.loads(text), None
    except (ValueError, RecursionError) as error:
        return {}, f"it is not valid TOML ({error})"


def _parse_yaml(text: str, loader: type[_Loader]) -> tuple[dict[str, t.Any], str | None]:
    try:
        # As a stream, because libyaml refuses the strings that Ansible tags.
        document = yaml.load(io.StringIO(text), Loader=loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        return {}, f"it is not valid YAML{where} ({getattr(error, 'problem', None) or type(error).__name__})"
    if document is None:
        return {}, None
    return (document, None) if isinstance(document, dict) else ({}, "it holds no mapping")


def parse_file(file: dict[str, t.Any], kind: str) -> tuple[dict[str, t.Any], Reason | None]:
    """Return the content of a host's file, and why it cannot be read.

    :param file: ``path``, ``text`` (None if it does not exist) and ``error``, as the module reports them.
    :param kind: ``toml``, or the client that reads it as YAML.
    """
    if file.get("error"):
        return {}, reason("unreadable", file["path"], error=file["error"], hint="Run the task with become: true.")
    document, error = parse_text(kind, file.get("text") or "")
    if error:
        return {}, reason("unreadable", file["path"], error=error, hint=_REMEDIES[kind])
    return document, None


def exists(file: dict[str, t.Any]) -> bool:
    """Return whether a host has a file, also one that cannot be read."""
    return file.get("text") is not None or bool(file.get("error"))


def string_list(value: t.Any) -> list[str]:
    """Return the strings of a list, or of a single value."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def newer_than_unit(file: dict[str, t.Any], unit: dict[str, t.Any] | None) -> list[Reason]:
    """Return a reason if a running unit has not read the file since it was written.

    :param unit: as the module reports it; None if systemd has no such unit.
    """
    if not unit or not unit.get("since") or not file.get("mtime"):
        return []
    seconds = file["mtime"] - unit["since"]
    if seconds <= 0:
        return []
    return [reason("restart_needed", file["path"], seconds=int(seconds) or 1, unit=unit["name"])]
