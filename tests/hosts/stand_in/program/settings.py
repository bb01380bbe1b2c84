# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load a daemon's configuration more strictly than the daemon does.

The daemons ignore a key that they do not know, and convert what they can. The stand-in is there to find mistakes, so it
refuses what a release does not know, and values that are not of the type that the release has.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse

import yaml

#: The programs in Go, whose keys match in any case.
GO = ("dfget", "manager", "scheduler")
GO_DURATION = r"0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+"
RUST_DURATION = r"([0-9]+ ?(ns|us|ms|s|sec|m|min|h|hr|d|day|days|w|week) ?)+"
GO_BYTES = r"[0-9]+(\.[0-9]+)?([KMGTPE]i?)?B?"
RUST_BYTES = r"[0-9]+(\.[0-9]+)? ?([KMGTPE]i?)?B?"

#: Regular expressions that Python accepts and neither client does: lookaround, and references to groups.
FOREIGN_REGEX = re.compile(r"\(\?<?[=!]|\\[1-9]")


class Refused(Exception):
    """The configuration would not work; the text says which key and why."""


class Loader(yaml.SafeLoader):
    """YAML 1.2 as the clients read it: ``yes`` and ``12:30`` are strings."""


Loader.yaml_implicit_resolvers = {}
for kind, pattern, first in (
    ("null", r"|~|null|Null|NULL", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), list(first))


def load(path, keys, client):
    """Read a configuration and return it, with its keys in the spelling of the table.

    :param path: of the file
    :param keys: the tree of keys and types, see read_upstream.py
    :param client: ``dfget``, ``dfdaemon``, ``manager`` or ``scheduler``
    :raises Refused: if the client's release would not work with it
    """
    with open(path) as file:
        try:
            content = yaml.load(file, Loader)
        except yaml.YAMLError as error:
            raise Refused(f"{path} is not YAML: {error}") from error
    return _check(content, keys, client, "")


def _check(value, wanted, client, where):
    if isinstance(wanted, list):
        if not isinstance(value, list):
            raise Refused(f"{where} is {value!r}, not a list")
        return [_check(item, wanted[0], client, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(wanted, str):
        if not _TYPES[wanted](value, client):
            raise Refused(f"{where} is {value!r}, not {wanted}")
        return value
    if not isinstance(value, dict):
        raise Refused(f"{where or 'the file'} is {value!r}, not a mapping")
    spellings = {key.lower() if client in GO else key: key for key in wanted}
    checked = {}
    for key, inner in value.items():
        path = f"{where}.{key}" if where else str(key)
        known = spellings.get(key.lower() if client in GO else key)
        if known is None:
            raise Refused(f"{path} is not a key of this release")
        checked[known] = _check(inner, wanted[known], client, path)
    return checked


def get(config, path, default=None):
    """Return the value at a dotted path, or a default where the file has none."""
    for key in path.split("."):
        if not isinstance(config, dict) or config.get(key) is None:
            return default
        config = config[key]
    return config


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _matches(value, pattern):
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_address(value, _client):
    if isinstance(value, dict):
        return set(value) == {"type", "addr"} and value["type"] in ("tcp", "unix", "vsock") and bool(value["addr"])
    return isinstance(value, str) and bool(value)


def _is_ports(value, _client):
    numbers = [value.get("start"), value.get("end")] if isinstance(value, dict) else [value]
    return all(_whole(number) and number in range(65536) for number in numbers)


def _is_ip(value, _client):
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return isinstance(value, str)


def _is_regex(value, _client):
    try:
        re.compile(value)
    except (TypeError, re.error):
        return False
    return not FOREIGN_REGEX.search(value)


_TYPES = {
    "str": lambda value, _client: isinstance(value, str),
    "bool": lambda value, _client: isinstance(value, bool),
    "int": lambda value, _client: _whole(value),
    "uint": lambda value, _client: _whole(value) and value >= 0,
    "float": lambda value, _client: isinstance(value, float) or _whole(value),
    "port": lambda value, _client: _whole(value) and 0 <= value < 65536,
    "ports": _is_ports,
    "duration": lambda value, client: _matches(value, GO_DURATION if client in GO else RUST_DURATION),
    "bytes": lambda value, _client: _whole(value) or _matches(value, GO_BYTES),
    "bytesize": lambda value, _client: _whole(value) or _matches(value, RUST_BYTES),
    "map": lambda value, _client: isinstance(value, dict),
    "url": lambda value, _client: isinstance(value, str) and bool(urllib.parse.urlsplit(value).netloc),
    "ip": _is_ip,
    "address": _is_address,
    # What dynconfig.yaml has, dragonfly-client/src/dynconfig/local.rs.
    "name_and_port": lambda value, _client: _matches(value, r"[^:]+:[0-9]{1,5}"),
    "socket": lambda value, _client: _matches(value, r"([0-9.]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}"),
    "regex": _is_regex,
}
