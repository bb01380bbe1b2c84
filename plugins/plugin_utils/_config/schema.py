# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look up the configuration keys of a program's release, and suggest keys for unknown ones.

``dfget`` is the Go client (dfget.yaml), ``manager`` and ``scheduler`` are the servers (manager.yaml, scheduler.yaml;
all three are releases of dragonflyoss/dragonfly), ``dfdaemon`` is the Rust client (dfdaemon.yaml, releases of
dragonflyoss/client). All of them silently ignore unknown keys, so only these tables distinguish a setting from
a misspelling.
"""

from __future__ import annotations

import difflib
import functools
import typing as t

from ...module_utils._release import parse_release
from .._config import go_keys, manager_keys, rust_keys, scheduler_keys, server_keys
from .values import FIELDS, LANGUAGE

FIRST_RELEASE = {
    "dfget": go_keys.FIRST_RELEASE,
    "dfdaemon": rust_keys.FIRST_RELEASE,
    **dict.fromkeys(("manager", "scheduler"), server_keys.FIRST_RELEASE),
}
LAST_RELEASE = {
    "dfget": go_keys.LAST_RELEASE,
    "dfdaemon": rust_keys.LAST_RELEASE,
    **dict.fromkeys(("manager", "scheduler"), server_keys.LAST_RELEASE),
}
_MISTAKES = {
    "dfget": go_keys.MISTAKES,
    "dfdaemon": rust_keys.MISTAKES,
    "manager": manager_keys.MISTAKES,
    "scheduler": scheduler_keys.MISTAKES,
}

Release = tuple[int, ...]


class Key(t.NamedTuple):
    """A key of a configuration file.

    :ivar path: dotted, with ``[]`` after the name of a list.
    :ivar kinds: pairs of a type and the first release that has it, None for the first type; see values.value_error.
    :ivar since: first release that has the key; None for all before ``until``.
    :ivar until: first release without the key, None if the newest release has it.
    :ivar now: key that replaces it in later releases, or None.
    :ivar was: key that it replaces, or None.
    :ivar same: key that it is an alias of (serde), or None.
    """

    path: str
    kinds: tuple[tuple[Release | None, str], ...]
    since: Release | None = None
    until: Release | None = None
    now: str | None = None
    was: str | None = None
    same: str | None = None

    @property
    def type(self) -> str:
        """Return the type in the newest release."""
        return self.kinds[-1][1]

    def is_in(self, release: Release | None) -> bool:
        """Return whether a release has the key. If the release is unknown, whether any has it."""
        if release is None:
            return True
        return (self.since is None or release >= self.since) and (self.until is None or release < self.until)

    def types_in(self, release: Release | None) -> list[str]:
        """Return the type in a release. If the release is unknown, the types of all releases."""
        if release is None:
            return [kind for _since, kind in self.kinds]
        return [kind for since, kind in self.kinds if since is None or release >= since][-1:]


class Lookup(t.NamedTuple):
    """Result of looking up a key.

    :ivar status: ``known``, ``branch`` (it contains keys), ``gone``, ``later`` or ``unknown``.
    :ivar key: the Key, or None.
    :ivar instead: key to use instead in this release, or None.
    """

    status: str
    key: Key | None = None
    instead: str | None = None


def checked_release(release: str | None) -> Release | None:
    """Return a release as a tuple of three ints, None if unknown.

    :param release: str such as ``2.1.67`` or ``v2.1.67-rc.0``; None and empty mean that it is not known.
    :raises ValueError: if it does not begin with three numbers.
    """
    if release is None or release == "":
        return None
    parsed = parse_release(str(release))
    if parsed is None:
        raise ValueError(f"{release!r} is not a release: write it like 2.1.67")
    return parsed


def _parse_line(line: str) -> Key:
    path, kind, *notes = line.split()
    kinds: list[tuple[Release | None, str]] = [(None, kind)]
    named: dict[str, str] = {}
    while notes:
        name = notes.pop(0)
        if name == "from":
            kinds.append((checked_release(notes.pop(0)), notes.pop(0)))
        else:
            named[name] = notes.pop(0)
    return Key(
        path,
        tuple(kinds),
        checked_release(named.get("since")),
        checked_release(named.get("until")),
        named.get("now"),
        named.get("was"),
        named.get("same"),
    )


def parse_keys(text: str, blocks: dict[str, str] | None = None) -> dict[str, Key]:
    """Return the keys of a table by their paths.

    Each line has a path (``[]`` after a name is a list, whose elements the lines below it describe) and a type, then
    any of ``since RELEASE`` (the first that knows the key), ``until RELEASE`` (the first that no longer does),
    ``now KEY``, ``was KEY``, ``same KEY`` and ``from RELEASE TYPE`` (the type changed). A line of a path and names in
    braces stands for the keys of these blocks below the path.
    """
    keys: dict[str, Key] = {}
    for line in filter(None, text.splitlines()):
        prefix, _space, details = line.partition(" ")
        names = details.split() if "{" in details else []
        for name in names:
            for inner in parse_keys((blocks or {})[name]).values():
                key = inner._replace(path=f"{prefix}.{inner.path}")
                keys[key.path] = key
        if not names:
            key = _parse_line(line)
            keys[key.path] = key
    return keys


SCHEMA: dict[str, dict[str, Key]] = {
    "dfget": parse_keys(go_keys.KEYS, go_keys.BLOCKS),
    "dfdaemon": parse_keys(rust_keys.KEYS),
    "manager": parse_keys(manager_keys.KEYS, server_keys.BLOCKS),
    "scheduler": parse_keys(scheduler_keys.KEYS, server_keys.BLOCKS),
}


def _fold(client: str, path: str) -> str:
    """Return a name for comparisons: programs in Go ignore case, the Rust client does not."""
    return path.lower() if LANGUAGE[client] == "go" else path


_FOLDED = {client: {_fold(client, path): key for path, key in keys.items()} for client, keys in SCHEMA.items()}


@functools.lru_cache(maxsize=None)
def _below(client: str, folded: str) -> tuple[Key, ...]:
    return tuple(key for name, key in _FOLDED[client].items() if name.startswith((folded + ".", folded + "[]")))


def look_up(client: str, path: str, release: str | None) -> Lookup:
    """Look up a key in a release of a client.

    :param client: a name of SCHEMA.
    :param path: dotted, with ``[]`` after the name of a list, such as ``proxy.proxies[].regx``.
    :param release: of the client; None if unknown, which accepts keys of any release.
    """
    wanted = checked_release(release)
    folded = _fold(client, path)
    key = _FOLDED[client].get(folded)
    if key is not None:
        status = _status(key, wanted)
        return Lookup(status, key, {"gone": key.now, "later": key.was}.get(status))
    below = _below(client, folded)
    statuses = {_status(inner, wanted) for inner in below}
    if "known" in statuses:
        return Lookup("branch")
    if below:
        return Lookup("gone" if statuses == {"gone"} else "later", below[0])
    return Lookup("unknown", None, nearest(client, path, release))


def _status(key: Key, release: Release | None) -> str:
    if release is None or key.is_in(release):
        return "known"
    return "gone" if key.until is not None and release >= key.until else "later"


def nearest(client: str, path: str, release: str | None) -> str | None:
    """Return the most similar valid key for one that does not exist, or None."""
    if path in _MISTAKES[client]:
        return _MISTAKES[client][path]
    names = _names(client, checked_release(release))
    return _similar(path.lower(), names) or _in_other_mapping(path.lower(), names)


def _similar(path: str, names: dict[str, str]) -> str | None:
    """Return the key with the most similar name in the same mapping, or else the most similar path."""
    parent, _dot, leaf = path.rpartition(".")
    siblings = {name.rpartition(".")[2]: full for name, full in names.items() if name.rpartition(".")[0] == parent}
    for pool, spelling in ((siblings, leaf), (names, path)):
        for match in difflib.get_close_matches(spelling, list(pool), n=1, cutoff=0.75):
            return pool[match]
    return None


def _in_other_mapping(path: str, names: dict[str, str]) -> str | None:
    """Return the only key with the same name, None if several or none have it."""
    leaf = path.rpartition(".")[2]
    namesakes = [full for name, full in names.items() if name.rpartition(".")[2] == leaf]
    return namesakes[0] if len(namesakes) == 1 else None


def _names(client: str, release: Release | None) -> dict[str, str]:
    """Return the keys of a release and their mappings, by name in lower case."""
    names: dict[str, str] = {}
    for key in SCHEMA[client].values():
        parts = key.path.split(".") if key.is_in(release) else []
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end]).removesuffix("[]")
            names.setdefault(name.lower(), name)
    return names


class Setting(t.NamedTuple):
    """A value in a configuration.

    :ivar path: path in the schema.
    :ivar where: path in messages, including positions in lists.
    :ivar value: value in the file.
    """

    path: str
    where: str
    value: t.Any


def settings(config: dict[str, t.Any], client: str) -> t.Iterator[Setting]:
    """Yield the settings of a configuration in terms of the schema.

    A mapping that the schema knows as one value is not entered, but its keys are yielded where the client reads only
    certain ones (an address in a list of addresses).
    """
    yield from _settings(config, client, "", "")


def _settings(node: dict[str, t.Any], client: str, path: str, where: str) -> t.Iterator[Setting]:
    for name, value in node.items():
        here, there = f"{path}.{name}".lstrip("."), f"{where}.{name}".lstrip(".")
        key = _FOLDED[client].get(_fold(client, here))
        branch = _branch_type(client, here)
        if key is not None:
            yield Setting(key.path, there, value)
            yield from _misplaced(value, key.type, here, there)
        elif not value or not isinstance(value, branch):
            yield Setting(_known_spelling(client, here), there, value)
        elif isinstance(value, list):
            yield from _items(value, client, here, there)
        else:
            yield from _settings(value, client, here, there)


def _known_spelling(client: str, path: str) -> str:
    """Return the path of a mapping or a list as the schema spells it; unchanged if the schema does not have it."""
    below = _below(client, _fold(client, path))
    return below[0].path[: len(path)] if below else path


def _branch_type(client: str, path: str) -> t.Any:
    """Return whether keys are below a path as in a mapping (dict) or as in a list, an empty tuple if none are."""
    folded = _fold(client, path)
    below = _below(client, folded)
    is_list = any(_fold(client, key.path).startswith(f"{folded}[]") for key in below)
    if not below:
        return ()
    return list if is_list else dict


def _items(items: list[t.Any], client: str, path: str, where: str) -> t.Iterator[Setting]:
    for element in _elements(items, path, where):
        if isinstance(element.value, dict):
            yield from _settings(element.value, client, element.path, element.where)
        else:
            yield element


def _elements(items: list[t.Any], path: str, where: str) -> list[Setting]:
    return [Setting(f"{path}[]", f"{where}[{index}]", item) for index, item in enumerate(items)]


def _misplaced(value: t.Any, kind: str, path: str, where: str) -> t.Iterator[Setting]:
    """Yield the keys that a client ignores in the mappings of a value."""
    known = FIELDS.get(kind.rstrip("?"))
    if known is None:
        return
    nodes = _elements(value, path, where) if isinstance(value, list) else [Setting(path, where, value)]
    for inner_path, inner_where, node in nodes:
        for name in node if isinstance(node, dict) else ():
            if name not in known:
                yield Setting(f"{inner_path}.{name}", f"{inner_where}.{name}", node[name])


def get(config: dict[str, t.Any], client: str, path: str, default: t.Any = None) -> t.Any:
    """Return the value of a dotted key as the client looks it up, or the default if it is missing or empty."""
    node: t.Any = config
    for part in path.split("."):
        if not isinstance(node, dict):
            return default
        for name, value in node.items():
            if _fold(client, str(name)) == _fold(client, part):
                node = value
                break
        else:
            return default
    return default if node is None else node
