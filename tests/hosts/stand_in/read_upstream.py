# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from the sources of a client which keys its configuration has, and of which types.

    python3 tests/hosts/stand_in/read_upstream.py dfget 2.1.67 PATH/OF/dragonfly
    python3 tests/hosts/stand_in/read_upstream.py dfdaemon 1.4.2 PATH/OF/client

PATH is a clone (a bare one will do) of the repository ``dragonfly`` or ``client`` of the organisation ``dragonflyoss``.
What comes out is ``keys/CLIENT-RELEASE.json``, with a tree as deep as the configuration: a mapping holds keys, a list
holds the one thing that each of its elements is, a string names a type. For the Rust client it has the flags of the
command line, too.

The roles check configurations with a table of their own, which was written by hand. This one was not, so that a mistake
in one of them shows.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
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

Tree = "str | list[Tree] | dict[str, Tree]"


class Source:
    """The files of a repository at a tag."""

    def __init__(self, repository: str, tag: str) -> None:
        self._git = ["git", "-C", repository]
        self._tag = tag

    def read(self, path: str) -> str:
        command = [*self._git, "show", f"{self._tag}:{path}"]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


class Go:
    """Structs of Go, whose tags name the keys."""

    FILES = ("client/config/peerhost.go", "cmd/dependency/base/option.go")
    STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
    FIELD = re.compile(r"^\t(?:(\w+)\s+)?(\[\])?\*?([\w.]+(?:\[\w+\]\w+)?)\s+`(.*)`$", re.MULTILINE)
    ROOT = "DaemonOption"

    #: The daemon ignores flags that it does not know.
    flags: list[str] = []

    def __init__(self, source: Source) -> None:
        self._structs = {}
        for path in self.FILES:
            for name, body in self.STRUCT.findall(source.read(path)):
                # Two files have a TelemetryOption; that of the package that embeds the options is read last.
                self._structs[name] = body

    def tree(self, name: str) -> Tree:
        if name in GO_TYPES:
            return GO_TYPES[name]
        keys = {}
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


class Rust:
    """Structs of Rust, whose attributes rename the keys."""

    FILES = ("dragonfly-client-config/src/dfdaemon.rs",)
    MORE = "dragonfly-client-util/src/ratelimiter/bbr.rs"
    MAIN = "dragonfly-client/src/bin/dfdaemon/main.rs"
    STRUCT = re.compile(r"^pub struct (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
    FIELD = re.compile(r"((?:^    #\[(?:[^\]]|\n)*?\]\n)*)^    pub (\w+): (.+),$", re.MULTILINE)
    ROOT = "Config"

    def __init__(self, source: Source) -> None:
        text = "\n".join(map(source.read, self.FILES))
        if "BBRConfig" in text:
            text += "\n" + source.read(self.MORE)
        text = re.sub(r"^\s*//.*\n|^\s*\n", "", text, flags=re.MULTILINE)
        self._structs = dict(self.STRUCT.findall(text))
        arguments = re.search(r"^struct Args \{\n(.*?)^\}", source.read(self.MAIN), re.MULTILINE | re.DOTALL)[1]
        self.flags = [field.replace("_", "-") for field in re.findall(r"^    (\w+): ", arguments, re.MULTILINE)]

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
            head, *rest = field.split("_")
            camel = head + "".join(word.capitalize() for word in rest)
            renamed = re.search(r'\brename = "([^"]+)"', attributes)
            inner = self.tree(type_name)
            if inner == "duration" and "humantime_serde" not in attributes:
                inner = "map"  # seconds and nanoseconds
            for key in [renamed[1] if renamed else camel, *re.findall(r'\balias = "([^"]+)"', attributes)]:
                keys[key] = inner
        return keys


def main() -> None:
    client, release, repository = sys.argv[1:]
    source = Source(repository, f"v{release}")
    reader = {"dfget": Go, "dfdaemon": Rust}[client](source)
    KEYS.mkdir(exist_ok=True)
    text = json.dumps({"flags": reader.flags, "keys": reader.tree(reader.ROOT)}, indent=1) + "\n"
    (KEYS / f"{client}-{release}.json").write_text(text)


if __name__ == "__main__":
    main()
