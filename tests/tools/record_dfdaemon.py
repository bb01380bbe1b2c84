# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record which values a real dfdaemon accepts: one key of each type, with the same values.

    export PYTHONPATH=.cache/collections
    python -m ansible_collections.dragonflyoss.dragonfly.tests.tools.record_dfdaemon 1.5.1 PATH/OF/dfdaemon

Writes tests/unit/plugins/plugin_utils/recorded/dfdaemon-RELEASE.json, with which test_recorded_values.py compares the
checks of the collection. Its manager refuses connections, so the daemon ends there with a configuration that it
at that, with another one before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config import schema
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.writer import to_yaml

RECORDED = Path(__file__).resolve().parents[1] / "unit/plugins/plugin_utils/recorded"
NUMBERS = [-1, 0, 1, 100, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, 1.5, True]
DURATIONS = ["10s", "1.5h", "10", "0", "1d 2h", "1 h", "5 wks", "3 micros", "1h30m", "10 s ", "-1s", "1M", "1Y"]
SIZES = ["1GB", "1Gi", "1.5 GiB", ".5G", "1EB", "-1GB", "9999PB", " 1GB", "1gb ", "1.", "10b", "1KiB"]
ADDRESSES = ["127.0.0.1", "::1", "fe80::1%eth0", "127.0.0.01", "localhost", "http://127.0.0.1:1/"]
COLLECTIONS: list[t.Any] = [[], ["a"], [1], [None], [{}], {}, {"a": "b"}, {"a": ["b"]}, {"a": 1}, {"a": None}]
HEADERS: list[t.Any] = [{"a b": "c"}, {"": "b"}, {"X-A": "\u00e9"}, {"X-A": "a\nb"}, {"X-A": ["b", "c"]}]
TEXTS = ["x", "", None, "super", "strong", "normal", "Super", "blobs(", "(?!x)a", "\\pL", "true", "null", "1e3"]
POOL = [*NUMBERS, *DURATIONS, *SIZES, *ADDRESSES, *COLLECTIONS, *HEADERS, *TEXTS]
#: Paths to which the daemon would write.
LEFT_OUT = {"storage.dir", "server.pluginDir", "server.cacheDir", "manager.addr", "proxy.registryMirror.addr"}


def representatives(release: str) -> list[str]:
    """Return one key of each type that a release has."""
    keys: dict[str, str] = {}
    for path, key in schema.SCHEMA["dfdaemon"].items():
        if path not in LEFT_OUT and not key.same and key.is_in(schema.checked_release(release)):
            keys.setdefault(key.types_in(schema.checked_release(release))[0], path)
    return sorted(keys.values())


def configuration(path: str, value: t.Any, folder: str) -> dict[str, t.Any]:
    """Return a configuration that is valid except one key."""
    config: dict[str, t.Any] = {
        "host": {"ip": "127.0.0.1"},
        "manager": {"addr": "http://127.0.0.1:1"},
        "server": {"pluginDir": f"{folder}/plugins", "cacheDir": f"{folder}/cache"},
        "storage": {"dir": f"{folder}/storage"},
    }
    node = config
    *parents, last = path.split(".")
    for name in parents:
        node = node.setdefault(name[:-2], [{}])[0] if name.endswith("[]") else node.setdefault(name, {})
    node[last] = value
    return config


def is_read(program: str, config: dict[str, t.Any], folder: str) -> bool:
    """Return whether a dfdaemon reads a configuration."""
    file = Path(folder) / "dfdaemon.yaml"
    file.write_text(to_yaml(config), encoding="utf-8")
    command = [program, "--config", str(file), "--console", "--log-dir", f"{folder}/log"]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=30, env={**os.environ, "HOME": folder}, check=False
    )
    return "ConnectError" in ended.stdout + ended.stderr


def main() -> None:
    """Record the release and the program on the command line."""
    release, program = sys.argv[1:]
    record: dict[str, dict[str, list[t.Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in representatives(release):
            record[path] = {"read": [], "refused": []}
            for value in POOL:
                verdict = "read" if is_read(program, configuration(path, value, folder), folder) else "refused"
                record[path][verdict].append(value)
    RECORDED.mkdir(exist_ok=True)
    lines = [f" {json.dumps(path)}: {json.dumps(values)}" for path, values in record.items()]
    (RECORDED / f"dfdaemon-{release}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(record)} keys with {len(POOL)} values each")


if __name__ == "__main__":
    main()
