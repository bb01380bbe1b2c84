# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse registries.conf and its drop-ins as podman, CRI-O, Buildah and Skopeo do.

Source: github.com/containers/image v5.36.1 pkg/sysregistriesv2/system_registries_v2.go.
"""

from __future__ import annotations

import re
import typing as t

import tomllib

from ..module_utils._image import DOCKER_HUB_HOST, DOCKER_HUB_NAMES
from ._config.messages import Problem, problem
from ._config.values import is_list_of
from ._registries_conf_settings import check_settings, names_settings

_TABLES_OF_VERSION_1 = ("search", "insecure", "block")
_PULLS = ("all", "digest-only", "tag-only")
_TEXT_KEYS = ("prefix", "location", "pull-from-mirror")
_FLAG_KEYS = ("insecure", "blocked", "mirror-by-digest-only")


class _SpellingsError(Exception):
    """A key occurs in two spellings. Its text is the key."""


class Mirror(t.NamedTuple):
    """A mirror that a runtime tries before the registry itself.

    :ivar location: host and port, with the replacement for the prefix of an image's name.
    :ivar insecure: whether it may speak plain HTTP.
    :ivar pulls: ``all``, ``digest-only`` or ``tag-only``.
    """

    location: str
    insecure: bool = False
    pulls: str = "all"


class Entry(t.NamedTuple):
    """The configuration of images whose names start with a prefix.

    :ivar location: replacement for the prefix in requests to the registry itself.
    :ivar file: path on the host.
    """

    prefix: str
    location: str
    insecure: bool = False
    blocked: bool = False
    mirrors: tuple[Mirror, ...] = ()
    file: str = ""

    def match(self, name: str) -> int:
        """Return the number of characters of an image's name that the prefix matches; -1 if it does not match.

        :param name: with the registry, without tag and digest.
        """
        if self.prefix.startswith("*."):
            end = name.find(self.prefix[1:]) + len(self.prefix) - 1
            is_match = self.prefix[1:] in name and "/" not in name[: end - len(self.prefix) + 1]
        else:
            end, is_match = len(self.prefix), name.startswith(self.prefix)
        # example.com matches example.com:5000 too.
        return end if is_match and name[end : end + 1] in ("", ":", "/", "@") else -1

    def mirrors_for(self, pulls: str) -> list[Mirror]:
        """Return the mirrors that serve pulls ``digest-only`` or ``tag-only``."""
        return [mirror for mirror in self.mirrors if mirror.pulls in ("all", pulls)]

    def rewrite(self, name: str, location: str) -> str:
        """Return the name of an image with a location in place of the prefix."""
        return location + name[self.match(name) :]


class Registries(t.NamedTuple):
    """The merged configuration of all files.

    :ivar entries: entries by prefix; for each prefix the entry of the file that is read last.
    :ivar everywhere: all entries of all files.
    :ivar problems: why every pull fails, or what it does is unknown.
    """

    entries: dict[str, Entry]
    everywhere: list[Entry]
    problems: list[Problem]

    def entry_for(self, name: str) -> Entry | None:
        """Return the entry with the longest prefix that matches the name of an image, None if there is none."""
        matching = [entry for _prefix, entry in sorted(self.entries.items()) if entry.match(name) >= 0]
        return max(matching, key=lambda entry: len(entry.prefix), default=None)


def read_registries(facts: dict[str, t.Any]) -> Registries:
    """Return the merged configuration of a host.

    :param facts: ``registries_conf`` of the module host_info.
    """
    registries = Registries({}, [], [])
    for file in files_of(facts):
        try:
            entries = _entries(file, is_drop_in=file is not facts["main"] and file is not facts.get("of_root"))
        except ValueError as error:
            code = "config_unreadable" if file.get("error") else "registries_conf_rejected"
            registries.problems.append(problem(code, file=file["path"], error=error))
            continue
        except _SpellingsError as error:
            registries.problems.append(problem("registries_conf_ambiguous", file=file["path"], name=error))
            continue
        registries.everywhere.extend(entries)
        registries.entries.update({entry.prefix: entry for entry in reversed(entries)})
    return registries


def files_of(facts: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the files that take effect, in the order in which they are read."""
    of_root = facts.get("of_root")
    if not of_root:
        return [facts["main"], *facts["drop_ins"]]
    return [of_root, *(file for file in facts["drop_ins"] if file["path"].startswith(f"{of_root['path']}.d/"))]


def _entries(file: dict[str, t.Any], is_drop_in: bool) -> list[Entry]:
    """Return the entries of a file.

    :raises ValueError: if the programs reject it, or it cannot be read.
    """
    document = _parse(file)
    old = document.get("registries") or {}
    if not isinstance(old, dict):
        raise ValueError("registries is not a table")
    tables = _tables(document, "registry", "[[registry]]")
    if _is_version_1(old):
        _check_version_1(document, is_drop_in)
    check_settings(document)
    entries = _entries_of_version_1(old, file["path"]) or [_entry(table, file["path"]) for table in tables]
    _reject_conflicts(entries)
    return entries


def _parse(file: dict[str, t.Any]) -> dict[str, t.Any]:
    if file.get("error"):
        raise ValueError(file["error"])
    try:
        return t.cast(t.Dict[str, t.Any], _lower_keys(tomllib.loads(file.get("text") or "")))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"it is not valid TOML ({error})") from None


def _tables(document: dict[str, t.Any], key: str, form: str) -> list[dict[str, t.Any]]:
    """Return an array of tables.

    :param form: how it is written.
    :raises ValueError: if it is something else.
    """
    tables = document.get(key, [])
    if not is_list_of(tables, dict):
        raise ValueError(f"{key} is not an array of tables, {form}")
    return t.cast(t.List[t.Dict[str, t.Any]], tables)


def _lower_keys(value: t.Any) -> t.Any:
    """Return a document with its keys in lower case, because the programs ignore their case.

    :raises _SpellingsError: if a key occurs in two spellings: Go visits keys in random order, so either may apply.
    """
    if isinstance(value, dict):
        document: dict[str, t.Any] = {}
        for key, item in value.items():
            if key.lower() in document:
                raise _SpellingsError(key.lower())
            # Names of aliases are not keys: their case counts.
            document[key.lower()] = item if key.lower() == "aliases" else _lower_keys(item)
        return document
    return [_lower_keys(item) for item in value] if isinstance(value, list) else value


def _is_version_1(tables: dict[str, t.Any]) -> bool:
    groups = (tables.get(name) for name in _TABLES_OF_VERSION_1)
    return any("registries" in group for group in groups if isinstance(group, dict))


def _check_version_1(document: dict[str, t.Any], is_drop_in: bool) -> None:
    if is_drop_in:
        raise ValueError("a drop-in must be in version 2 of the format, with [[registry]], not in version 1")
    if document.get("registry") or names_settings(document):
        raise ValueError("it mixes versions 1 and 2 of the format")


def _entries_of_version_1(tables: dict[str, t.Any], path: str) -> list[Entry]:
    names: dict[str, list[str]] = {}
    for table in _TABLES_OF_VERSION_1:
        group = tables.get(table)
        values = group.get("registries", []) if isinstance(group, dict) else []
        if not is_list_of(values, str):
            raise ValueError(f"registries of registries.{table} is not a list of strings")
        names[table] = values
    return [
        Entry(name, name, name in names["insecure"], name in names["block"], file=path)
        for name in dict.fromkeys([*names["insecure"], *names["block"]])
    ]


def _entry(table: dict[str, t.Any], path: str) -> Entry:
    """Return an entry of version 2.

    :raises ValueError: if the programs reject it.
    """
    _check_types(table)
    mirrors = _tables(table, "mirror", "[[registry.mirror]]")
    location = _location(table.get("location", ""))
    prefix = _location(table.get("prefix", "")) or location
    _check_prefix(prefix, location)
    if table.get("pull-from-mirror"):
        raise ValueError(f"pull-from-mirror of {prefix} is only allowed for a mirror")
    by_digest = table.get("mirror-by-digest-only", False)
    return Entry(
        prefix,
        location,
        table.get("insecure", False),
        table.get("blocked", False),
        tuple(_mirror(mirror, prefix, by_digest) for mirror in mirrors),
        path,
    )


def _check_prefix(prefix: str, location: str) -> None:
    if not prefix:
        raise ValueError("an entry has neither location nor prefix")
    is_wildcard = prefix.startswith("*.")
    if not location and not is_wildcard:
        raise ValueError(f"the entry of {prefix} has no location")
    if is_wildcard and re.search("[/@:]", prefix):
        raise ValueError(f"the prefix {prefix} is not of the form *.example.com")


def _mirror(table: dict[str, t.Any], prefix: str, by_digest: bool) -> Mirror:
    _check_types(table)
    location = _location(table.get("location", ""))
    if not location:
        raise ValueError(f"a mirror of {prefix} has no location")
    pulls = table.get("pull-from-mirror") or "all"
    if pulls not in _PULLS:
        raise ValueError(f"pull-from-mirror of {location} is none of {', '.join(_PULLS)}")
    if by_digest and table.get("pull-from-mirror"):
        raise ValueError(f"{prefix} has mirror-by-digest-only, and its mirror {location} has pull-from-mirror")
    return Mirror(location, table.get("insecure", False), "digest-only" if by_digest else pulls)


def _check_types(table: dict[str, t.Any]) -> None:
    for keys, type_, name in ((_TEXT_KEYS, str, "a string"), (_FLAG_KEYS, bool, "true or false")):
        wrong = [key for key in keys if not isinstance(table.get(key, type_()), type_)]
        if wrong:
            raise ValueError(f"{wrong[0]} is not {name}")


def _location(text: str) -> str:
    if text.startswith(("http://", "https://")):
        raise ValueError("a location or prefix begins with http:// or https://")
    return text.rstrip("/")


def _reject_conflicts(entries: list[Entry]) -> None:
    first_of: dict[str, Entry] = {}
    for entry in entries:
        first = first_of.setdefault(entry.location or entry.prefix, entry)
        for key in ("insecure", "blocked"):
            if getattr(first, key) != getattr(entry, key):
                raise ValueError(f"two entries for {entry.location or entry.prefix} differ in {key}")


def unsent_login(logins: list[dict[str, t.Any]], registry: str, repository: str, mirror: str) -> list[Problem]:
    """Return a problem if there are credentials for a registry, but not for the mirror that is requested first.

    Source: github.com/containers/image v5.36.1 docker/docker_image_src.go (newImageSourceAttempt) and
    pkg/docker/config/config.go: credentials are looked up by the name of the image at the mirror.

    :param logins: of the module host_info.
    :param repository: whose credentials count; empty for any.
    :param mirror: host and port, with the repository where that is known.
    """
    hosts = (*DOCKER_HUB_NAMES, DOCKER_HUB_HOST) if registry == "docker.io" else (registry,)
    names = [f"{host}/{repository}".rstrip("/") for host in hosts]
    is_any = not repository
    if _login_file(logins, mirror, is_any):
        return []
    for path in filter(None, (_login_file(logins, name, is_any) for name in names)):
        return [problem("login_not_for_mirror", file=path, registry=registry, mirror=mirror.partition("/")[0])]
    return []


def _login_file(logins: list[dict[str, t.Any]], name: str, is_any: bool) -> str:
    """Return the file with credentials for an image, or with is_any for an image of a registry; empty without one."""
    for login in logins:
        for key in login["registries"]:
            key = re.sub(r"^https?://([^/]+)(/v[12])?/?$", r"\1", key)
            if f"{name}/".startswith(f"{key}/") or (is_any and key.startswith(f"{name}/")):
                return str(login["path"])
    return ""
