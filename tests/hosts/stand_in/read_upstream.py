# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from the sources of a client which keys its configuration has, and their types.

    python3 tests/hosts/stand_in/read_upstream.py dfget 2.1.67 PATH/OF/dragonfly
    python3 tests/hosts/stand_in/read_upstream.py dfdaemon 1.4.2 PATH/OF/client

PATH is a clone (a bare one will do) of the repository ``dragonfly`` or ``client`` of the organisation ``dragonflyoss``.
What comes out is ``keys/CLIENT-RELEASE.json``, with a tree as deep as the configuration: a mapping holds keys, a list
holds the one thing that each of its elements is, a string names a type. For the Rust client it has the flags of the
command line, too.

The roles check configurations with a table of their own, which was written by hand. This one was not, so a mistake
in one of them shows. tests/tools/compare_upstream.py compares the two for all releases of a clone.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path

KEYS = Path(__file__).parent / "keys"

#: Types that the two languages have, by the name of what the stand-in takes for them.
GO_TYPES = {
    "string": "str",
    "bool": "bool",
    "int": "int",
    "int32": "int",
    "int64": "int",
    "uint": "uint",
    "uint32": "uint",
    "float64": "float",
    "any": "any",
    "time.Duration": "duration",
    "util.Duration": "duration",
    "util.RateLimit": "bytes",
    "util.Size": "bytes",
    "unit.Bytes": "bytes",
    "dfnet.NetAddr": "address",
    "net.IP": "str",
    "types.PEMContent": "str",
    "commonv1.Priority": "int",
    "tls.Config": "map",
    "URL": "url",
    "CertPool": ["str"],
    "Regexp": "regex",
    "TCPListenPortRange": "ports",
    "StoreStrategy": "str",
    "ResourceClientsOption": "map",
    "map[string]string": "map",
}
RUST_TYPES = {
    "String": "str",
    "PathBuf": "str",
    "bool": "bool",
    "u8": "uint",
    "u16": "port",
    "u32": "uint",
    "u64": "uint",
    "usize": "uint",
    "f64": "float",
    "IpAddr": "ip",
    "Duration": "duration",
    "ByteSize": "bytesize",
    "Regex": "regex",
    "HostType": "str",
    "HashMap<String, String>": "map",
    "reqwest::header::HeaderMap": "map",
    "HeaderMap": "map",
}

#: Keys as deep as the configuration: a name of a type, a list of a tree, or a mapping of keys to trees.
Tree = t.Any


class Field(t.NamedTuple):
    """A key as the sources have it.

    :ivar type: as the language spells it, with Option, Vec and []; the values of an enumeration, joined by ``|``.
    :ivar bounds: of an integer, such as ``1..`` and ``1..99``, where the client checks them; else empty.
    :ivar same: the key that this is an alias of, or None.
    """

    type: str
    bounds: str = ""
    same: str | None = None


class Source:
    """The files of a repository at a tag."""

    def __init__(self, repository: str, tag: str) -> None:
        self._git = ["git", "-C", repository]
        self._tag = tag

    def read(self, path: str) -> str:
        command = [*self._git, "show", f"{self._tag}:{path}"]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def below(prefix: str, name: str) -> str:
    """Return the path of a key below another, or at the top where the prefix is empty."""
    return f"{prefix}.{name}" if prefix else name


class Go:
    """Structs of Go, whose tags name the keys."""

    FILES = ("client/config/peerhost.go", "cmd/dependency/base/option.go")
    STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
    FIELD = re.compile(r"^\t(?:(\w+)\s+)?(\[\])?\*?([\w.]+(?:\[\w+\]\w+)?)(?:\s+`(.*)`)?$", re.MULTILINE)
    ROOT = "DaemonOption"
    TYPES = GO_TYPES

    #: The daemon ignores flags that it does not know.
    flags: list[str] = []

    def __init__(self, source: Source) -> None:
        self._structs = {}
        for path in self.FILES:
            for name, body in self.STRUCT.findall(source.read(path)):
                # Two files have a TelemetryOption; that of the package that embeds the options is read last.
                self._structs[name] = body

    def tree(self, name: str) -> Tree:
        if name in self.TYPES:
            return self.TYPES[name]
        keys: dict[str, Tree] = {}
        for field, is_list, type_name, tags in self.FIELD.findall(self._structs[name.removeprefix("base.")]):
            tag = dict(re.findall(r'(\w+):"([^"]*)"', tags))
            # viper decodes by the tags of mapstructure, and by the field's name in any case where there is none.
            key, *options = tag.get("mapstructure", tag.get("yaml", field)).split(",")
            inner = self.tree(type_name)
            if "squash" in options:
                keys.update(inner)
            else:
                keys[key] = [inner] if is_list else inner
        return keys

    def fields(self, name: str = "", prefix: str = "") -> dict[str, Field]:
        """Return the keys below a struct by their paths, with ``[]`` after the name of a list of structs."""
        fields: dict[str, Field] = {}
        struct = self._structs[(name or self.ROOT).removeprefix("base.")]
        for field, is_list, type_name, tags in self.FIELD.findall(struct):
            tag = dict(re.findall(r'(\w+):"([^"]*)"', tags))
            key, *options = tag.get("mapstructure", tag.get("yaml", field)).split(",")
            path = prefix if "squash" in options else below(prefix, key) + is_list
            if type_name in self.TYPES:
                fields[path.removesuffix("[]")] = Field(f"{is_list}{type_name}")
            else:
                fields.update(self.fields(type_name, path))
        return fields


class GoManager(Go):
    """The structs of the manager, which reads a range of ports as a mapping alone."""

    FILES = ("manager/config/config.go", "cmd/dependency/base/option.go")
    ROOT = "Config"
    TYPES = {name: kind for name, kind in GO_TYPES.items() if name != "TCPListenPortRange"}


class GoScheduler(GoManager):
    """The structs of the scheduler."""

    FILES = ("scheduler/config/config.go", "cmd/dependency/base/option.go")


class Rust:
    """Structs of Rust, whose attributes rename the keys."""

    FILES = ("dragonfly-client-config/src/dfdaemon.rs",)
    MORE = "dragonfly-client-util/src/ratelimiter/bbr.rs"
    MAIN = "dragonfly-client/src/bin/dfdaemon/main.rs"
    STRUCT = re.compile(r"^pub struct (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
    ENUM = re.compile(r"^pub enum (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
    FIELD = re.compile(r"((?:^    #\[(?:[^\]]|\n)*?\]\n)*)^    pub (\w+): (.+),$", re.MULTILINE)
    ROOT = "Config"

    def __init__(self, source: Source) -> None:
        text = "\n".join(map(source.read, self.FILES))
        if "BBRConfig" in text:
            text += "\n" + source.read(self.MORE)
        text = re.sub(r"^\s*//.*\n|^\s*\n", "", text, flags=re.MULTILINE)
        self._structs = dict(self.STRUCT.findall(text))
        self._enums = {name: re.findall(r'\brename = "([^"]+)"', body) for name, body in self.ENUM.findall(text)}
        arguments = re.search(r"^struct Args \{\n(.*?)^\}", source.read(self.MAIN), re.MULTILINE | re.DOTALL)
        assert arguments, f"{self.MAIN} has no struct Args"
        self.flags = [field.replace("_", "-") for field in re.findall(r"^    (\w+): ", arguments[1], re.MULTILINE)]

    def tree(self, name: str) -> Tree:
        wrapped = re.fullmatch(r"(Option|Vec)<(.+)>", name)
        if wrapped:
            inner = self.tree(wrapped[2])
            return [inner] if wrapped[1] == "Vec" else inner
        if name in RUST_TYPES:
            return RUST_TYPES[name]
        keys = {}
        for attributes, field, type_name in self.FIELD.findall(self._structs[name]):
            if re.search(r"\bskip(_deserializing)?\b", attributes):
                continue
            head, *parts = field.split("_")
            camel = head + "".join(word.capitalize() for word in parts)
            renamed = re.search(r'\brename = "([^"]+)"', attributes)
            inner = self.tree(type_name)
            if inner == "duration" and "humantime_serde" not in attributes:
                inner = "map"  # seconds and nanoseconds
            for key in [renamed[1] if renamed else camel, *re.findall(r'\balias = "([^"]+)"', attributes)]:
                keys[key] = inner
        return keys

    def fields(self, name: str = ROOT, prefix: str = "", is_validated: bool = True) -> dict[str, Field]:
        """Return the keys below a struct by their paths, with ``[]`` after the name of a list of structs.

        :param is_validated: whether the attributes ``validate`` of the struct have an effect: only where the field
            that holds it says ``#[validate]``, and all fields above do.
        """
        fields: dict[str, Field] = {}
        for attributes, field, type_name in self.FIELD.findall(self._structs[name]):
            if re.search(r"\bskip(_deserializing)?\b", attributes):
                continue
            head, *parts = field.split("_")
            renamed = re.search(r'\brename = "([^"]+)"', attributes)
            key = below(prefix, renamed[1] if renamed else head + "".join(word.capitalize() for word in parts))
            struct = re.sub(r"(?:Option|Vec)<|>", "", type_name)
            if struct in self._structs:
                is_nested = is_validated and re.search(r"#\[validate(\(nested\))?\]", attributes) is not None
                fields.update(self.fields(struct, key + ("[]" if "Vec<" in type_name else ""), is_nested))
                continue
            fields[key] = Field(self._spelled(type_name, attributes), self._bounds(attributes) if is_validated else "")
            for alias in re.findall(r'\balias = "([^"]+)"', attributes):
                fields[below(prefix, alias)] = fields[key]._replace(same=key)
        return fields

    def _spelled(self, type_name: str, attributes: str) -> str:
        if type_name == "Duration" and "humantime_serde" not in attributes:
            return "Duration of seconds and nanoseconds"
        return re.sub(r"\w+", lambda name: "|".join(self._enums.get(name[0], [name[0]])), type_name)

    @staticmethod
    def _bounds(attributes: str) -> str:
        inner = re.search(r"validate\((?:range|length)\(([^)]*)\)\)", attributes)
        limits = dict(re.findall(r"(min|max) = (\d+)", inner[1])) if inner else {}
        return f"{limits.get('min', '')}..{limits.get('max', '')}" if limits else ""


READERS: dict[str, type[Go] | type[Rust]] = {
    "dfget": Go,
    "dfdaemon": Rust,
    "manager": GoManager,
    "scheduler": GoScheduler,
}


def main() -> None:
    client, release, repository = sys.argv[1:]
    reader = READERS[client](Source(repository, f"v{release}"))
    KEYS.mkdir(exist_ok=True)
    text = json.dumps({"flags": reader.flags, "keys": reader.tree(reader.ROOT)}, indent=1) + "\n"
    (KEYS / f"{client}-{release}.json").write_text(text)


if __name__ == "__main__":
    main()
