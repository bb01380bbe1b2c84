# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the tables of the clients' keys with the sources of all releases, and print what new releases changed.

    make compare-upstream CLIENT=PATH/OF/dragonfly
    make compare-upstream CLIENT=PATH/OF/client

PATH is a clone of the repository ``dragonfly`` (the Go client) or ``client`` (the Rust client) of the organisation
``dragonflyoss``; nothing is downloaded. Printed are

- differences between the table (plugins/plugin_utils/_config/go_keys.py or rust_keys.py) and a release that it covers;
- what each later release changed, as lines for the table.

The exit code is 1 where something was printed. Types and bounds are compared, too; what a text means (a path, a URL, a
regular expression) and what else the client checks (``Validate`` in peerhost.go) has to be read.
"""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config import schema
from ansible_collections.dragonflyoss.dragonfly.tests.hosts.stand_in.read_upstream import Field, Go, Rust, Source

#: Types that only the table distinguishes, and what the sources have for them.
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


class Client(t.NamedTuple):
    """One of the clients: its name in the schema, a file that only its repository has, and how its sources are read."""

    name: str
    file: str
    read: type[Go] | type[Rust]
    kinds: dict[str, str]


CLIENTS = (
    Client("dfget", Go.FILES[0], Go, GO_KINDS),
    Client("dfdaemon", Rust.FILES[0], Rust, RUST_KINDS),
)


def git(clone: str, *arguments: str) -> str:
    """Return what git prints about a clone."""
    return subprocess.run(["git", "-C", clone, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def releases(clone: str, first: str) -> list[str]:
    """Return the releases that a clone has tags of, from the first on, oldest first."""
    tags = [tag for tag in git(clone, "tag", "--list").split() if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    parsed = sorted((schema.checked_release(tag) or (), tag) for tag in tags)
    return [tag.lstrip("v") for release, tag in parsed if release >= (schema.checked_release(first) or ())]


def upstream_kind(client: Client, field: Field) -> str:
    """Return the type of a field of the sources in the words that table_kind uses."""
    optional = re.fullmatch(r"Option<(.+)>", field.type)
    name = optional[1] if optional else field.type
    kind = client.kinds.get(name, name)
    return kind + (f"({field.bounds})" if field.bounds else "") + ("?" if optional else "")


def table_kind(client: Client, key: schema.Key, release: str) -> str:
    """Return the type that the table has for a release, without what only the table distinguishes."""
    kind = key.types_in(schema.checked_release(release))[0]
    name, paren, bounds = kind.rstrip("?").partition("(")
    if client.name == "dfget":
        # The Go client takes any text for a choice, and checks no bounds when it reads a value.
        return "text" if "|" in name else TABLE_KINDS.get(name, name)
    # An empty value is an empty list or mapping there, which the sources do not say.
    may_be_empty = kind.endswith("?") and name not in ("strings", "headers")
    return TABLE_KINDS.get(name, name) + paren + bounds + ("?" if may_be_empty else "")


def fold(client: Client, path: str) -> str:
    """Return a path as the client compares it."""
    return path.lower() if client.name == "dfget" else path


def differences(client: Client, fields: dict[str, Field], release: str) -> list[str]:
    """Return what the table says otherwise than the sources of a release that it covers, a line each."""
    known = {
        fold(client, path): key
        for path, key in schema.SCHEMA[client.name].items()
        if key.is_in(schema.checked_release(release))
    }
    lines = []
    for path, field in fields.items():
        key = known.pop(fold(client, path), None)
        kind = upstream_kind(client, field)
        if key is None:
            lines.append(f"{path} is missing in the table (type {kind})")
            continue
        if kind != table_kind(client, key, release):
            lines.append(f"{path} is {kind}, in the table {table_kind(client, key, release)}")
        # Before it became an alias, it was a key of its own, and the other was not there.
        if field.same != (key.same if key.same in fields else None):
            lines.append(f"{path} is an alias of {field.same}, in the table of {key.same}")
    return lines + [f"{key.path} is only in the table" for key in known.values()]


def changes(client: Client, before: dict[str, Field], after: dict[str, Field], release: str) -> list[str]:
    """Return what a release that the table does not cover changed, as lines for the table."""
    lines = []
    for path in sorted(set(before) | set(after)):
        old, new = before.get(path), after.get(path)
        if new is None:
            lines.append(f"gone:    {path} until {release}")
        elif old is None:
            alias = f" same {new.same}" if new.same else ""
            lines.append(f"new:     {path} {upstream_kind(client, new)} since {release}{alias}")
        elif old != new:
            kinds = f"{upstream_kind(client, new)} (was {upstream_kind(client, old)})"
            lines.append(f"changed: {path} from {release} {kinds}")
    return lines


def compare(clone: str) -> int:
    """Print the differences of a clone's releases, and return how many there are."""
    client = next((client for client in CLIENTS if git(clone, "rev-list", "-1", "--all", "--", client.file)), None)
    if client is None:
        raise SystemExit(f"{clone} is not a clone of dragonflyoss/dragonfly or dragonflyoss/client.")
    total, keys, compared = 0, 0, 0
    before: dict[str, Field] = {}
    last = schema.checked_release(schema.LAST_RELEASE[client.name]) or ()
    for release in releases(clone, schema.FIRST_RELEASE[client.name]):
        if not git(clone, "ls-tree", f"v{release}", client.file):
            continue  # The Go client ended with 2.3.
        fields = client.read(Source(clone, f"v{release}")).fields()
        is_covered = (schema.checked_release(release) or ()) <= last
        lines = differences(client, fields, release) if is_covered else changes(client, before, fields, release)
        if lines:
            print(f"{client.name} {release}", *lines, sep="\n  ")
        total, keys, compared, before = total + len(lines), keys + len(fields), compared + 1, fields
    print(f"{client.name}: {compared} releases with {keys} keys compared, {total} differences")
    return total


def main() -> int:
    """Compare the clones that the command line names."""
    if len(sys.argv) < 2 or not all(sys.argv[1:]):
        raise SystemExit("Name the path of a clone: make compare-upstream CLIENT=PATH")
    return min(sum(compare(clone) for clone in sys.argv[1:]), 1)


if __name__ == "__main__":
    sys.exit(main())
