# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the tables of keys with the sources of all releases, and print what new releases changed.

    make compare-upstream CLIENT=PATH/OF/dragonfly
    make compare-upstream CLIENT=PATH/OF/client

PATH is a clone of the repository ``dragonfly`` (the Go client, the manager and the scheduler) or ``client`` (the Rust
client) of the organization ``dragonflyoss``. Nothing is downloaded. Prints

- differences between a table (plugins/plugin_utils/_config/*_keys.py) and a release that it covers;
- what each later release changed, as lines for the table.

The exit code is 1 if something was printed. Types and bounds are compared too. The meaning of a text (a path, a URL, a
regular expression) and other checks (``Validate`` in Go) must be read in the sources.
"""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config import schema
from ansible_collections.dragonflyoss.dragonfly.tests.hosts.stand_in.read_upstream import (
    Field,
    Go,
    GoManager,
    GoScheduler,
    Rust,
    Source,
)

#: Types that only the table distinguishes, and their types in the sources.
TABLE_KINDS = {
    **dict.fromkeys(("str", "secret", "path", "file"), "text"),
    **dict.fromkeys(("texts", "map"), "mapping"),
    "port": "u16",
}
GO_KINDS = {
    "string": "text",
    "int": "i64",
    "int32": "i32",
    "int64": "i64",
    "uint": "u64",
    "uint32": "u32",
    "float64": "float",
    "time.Duration": "duration",
    "util.Duration": "duration",
    "util.RateLimit": "bytes",
    "util.Size": "bytes",
    "unit.Bytes": "bytes",
    "[]dfnet.NetAddr": "addresses",
    "net.IP": "ip",
    "[]net.IP": "ips",
    "[]string": "strings",
    "types.PEMContent": "pem",
    "commonv1.Priority": "i32",
    "tls.Config": "mapping",
    "URL": "url",
    "CertPool": "files",
    "Regexp": "regex",
    "TCPListenPortRange": "ports",
    "StoreStrategy": "text",
    "ResourceClientsOption": "mapping",
    "map[string]string": "mapping",
}
RUST_KINDS = {
    "String": "text",
    "PathBuf": "text",
    "usize": "u64",
    "f64": "float",
    "IpAddr": "ip",
    "Duration": "duration",
    "Duration of seconds and nanoseconds": "mapping",
    "ByteSize": "bytes",
    "Regex": "regex",
    "HashMap<String, String>": "mapping",
    "reqwest::header::HeaderMap": "headers",
    "HeaderMap": "headers",
    "Vec<String>": "strings",
}


class Program(t.NamedTuple):
    """A program: its name in the schema, a file that only its repository has, and its reader of sources."""

    name: str
    file: str
    read: type[Go] | type[Rust]
    kinds: dict[str, str]


PROGRAMS = (
    Program("dfget", Go.FILES[0], Go, GO_KINDS),
    Program("dfdaemon", Rust.FILES[0], Rust, RUST_KINDS),
    Program("manager", GoManager.FILES[0], GoManager, GO_KINDS),
    Program("scheduler", GoScheduler.FILES[0], GoScheduler, GO_KINDS),
)


def git(clone: str, *arguments: str) -> str:
    """Return the output of git for a clone."""
    return subprocess.run(["git", "-C", clone, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def releases(clone: str, first: str) -> list[str]:
    """Return the tagged releases of a clone from the first on, oldest first."""
    tags = [tag for tag in git(clone, "tag", "--list").split() if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    parsed = sorted((schema.checked_release(tag) or (), tag) for tag in tags)
    return [tag.lstrip("v") for release, tag in parsed if release >= (schema.checked_release(first) or ())]


def upstream_kind(program: Program, field: Field) -> str:
    """Return the type of a field of the sources, as table_kind names it."""
    optional = re.fullmatch(r"Option<(.+)>", field.type)
    name = optional[1] if optional else field.type
    kind = program.kinds.get(name, name)
    return kind + (f"({field.bounds})" if field.bounds else "") + ("?" if optional else "")


def table_kind(program: Program, key: schema.Key, release: str) -> str:
    """Return the type that the table has for a release, without what only the table distinguishes."""
    kind = key.types_in(schema.checked_release(release))[0]
    name, paren, bounds = kind.rstrip("?").partition("(")
    if program.read is not Rust:
        # A program in Go accepts any text for a choice, and checks no bounds when it reads a value.
        return "text" if "|" in name else TABLE_KINDS.get(name, name)
    # An empty value is an empty list or mapping there, which the sources do not show.
    may_be_empty = kind.endswith("?") and name not in ("strings", "headers")
    return TABLE_KINDS.get(name, name) + paren + bounds + ("?" if may_be_empty else "")


def fold(program: Program, path: str) -> str:
    """Return a path in the form that the program compares."""
    return path if program.read is Rust else path.lower()


def differences(program: Program, fields: dict[str, Field], release: str) -> list[str]:
    """Return the differences between the table and the sources of a release that it covers, a line each."""
    known = {
        fold(program, path): key
        for path, key in schema.SCHEMA[program.name].items()
        if key.is_in(schema.checked_release(release))
    }
    lines = []
    for path, field in fields.items():
        key = known.pop(fold(program, path), None)
        kind = upstream_kind(program, field)
        if key is None:
            lines.append(f"{path} is missing in the table (type {kind})")
            continue
        if kind != table_kind(program, key, release):
            lines.append(f"{path} is {kind}, in the table {table_kind(program, key, release)}")
        # Before it became an alias, it was a key of its own, and the other key did not exist.
        if field.same != (key.same if key.same in fields else None):
            lines.append(f"{path} is an alias of {field.same}, in the table of {key.same}")
    return lines + [f"{key.path} is only in the table" for key in known.values()]


def changes(program: Program, before: dict[str, Field], after: dict[str, Field], release: str) -> list[str]:
    """Return the changes of a release that the table does not cover, as lines for the table."""
    lines = []
    for path in sorted(set(before) | set(after)):
        old, new = before.get(path), after.get(path)
        if new is None:
            lines.append(f"gone:    {path} until {release}")
        elif old is None:
            alias = f" same {new.same}" if new.same else ""
            lines.append(f"new:     {path} {upstream_kind(program, new)} since {release}{alias}")
        elif old != new:
            kinds = f"{upstream_kind(program, new)} (was {upstream_kind(program, old)})"
            lines.append(f"changed: {path} from {release} {kinds}")
    return lines


def compare(clone: str) -> int:
    """Print the differences of a clone's releases, and return how many there are."""
    programs = [program for program in PROGRAMS if git(clone, "rev-list", "-1", "--all", "--", program.file)]
    if not programs:
        raise SystemExit(f"{clone} is not a clone of dragonflyoss/dragonfly or dragonflyoss/client.")
    return sum(compare_program(clone, program) for program in programs)


def compare_program(clone: str, program: Program) -> int:
    """Print the differences of a program's releases, and return how many there are."""
    total, keys, compared = 0, 0, 0
    before: dict[str, Field] = {}
    last = schema.checked_release(schema.LAST_RELEASE[program.name]) or ()
    for release in releases(clone, schema.FIRST_RELEASE[program.name]):
        if not git(clone, "ls-tree", f"v{release}", program.file):
            continue  # The Go client ended with 2.3.
        fields = program.read(Source(clone, f"v{release}")).fields()
        is_covered = (schema.checked_release(release) or ()) <= last
        lines = differences(program, fields, release) if is_covered else changes(program, before, fields, release)
        if lines:
            print(f"{program.name} {release}", *lines, sep="\n  ")
        total, keys, compared, before = total + len(lines), keys + len(fields), compared + 1, fields
    print(f"{program.name}: {compared} releases with {keys} keys compared, {total} differences")
    return total


def main() -> int:
    """Compare the clones on the command line."""
    if len(sys.argv) < 2 or not all(sys.argv[1:]):
        raise SystemExit("Name the path of a clone: make compare-upstream CLIENT=PATH")
    return min(sum(compare(clone) for clone in sys.argv[1:]), 1)


if __name__ == "__main__":
    sys.exit(main())
