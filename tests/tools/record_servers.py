# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record which values a real manager or scheduler accepts: keys of each type, and all that upstream validates.

    export PYTHONPATH=.cache/collections
    python -m ansible_collections.dragonflyoss.dragonfly.tests.tools.record_servers manager 2.5.1 PATH/OF/manager

Writes tests/unit/plugins/plugin_utils/recorded/PROGRAM-RELEASE.json, with which test_recorded_servers.py compares the
checks of the collection. Databases, Redis and manager are addresses of this host that refuse connections: with a
configuration that it accepts, a program ends at that, with another one before.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config import (
    manager_keys,
    scheduler_keys,
    schema,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.rules import Rule, parse_rules
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.writer import to_yaml

RECORDED = Path(__file__).resolve().parents[1] / "unit/plugins/plugin_utils/recorded"
RULES = {"manager": parse_rules(manager_keys.RULES), "scheduler": parse_rules(scheduler_keys.RULES)}
COLLECTIONS: list[t.Any] = [[], ["a"], {}, {"a": "b"}, {"a": ["b"]}, {"a": None}]
#: For one key of each type.
POOL: list[t.Any] = [
    *(-1, 0, 1, 65535, 65536, 2**63, 2**64, 1.5, True, None, "", "x", "true"),
    *("10", "10s", "1.5h", "1h30m", "1d", "-1s", "0s", "1 h"),
    *("192.0.2.1", "::1", "fe80::1%eth0", "192.0.02.1", "localhost"),
    *COLLECTIONS,
]
#: For each key that upstream validates.
VALIDATED_POOL: list[t.Any] = [None, "", 0, -1, 1, "0s", "-1s", "1s", "x", []]
#: Keys whose values change what the program reads, connects to or listens on.
LEFT_OUT = {
    *("server.port", "server.workHome", "server.cacheDir", "server.logDir", "server.pluginDir", "server.dataDir"),
    *("database.mysql.host", "database.polardb.addrList", "manager.addr"),
    *("pprof-port", "pprofPort", "job.preheat.tls.caCert", "database.mysql.tls.caCert"),
}
#: Keys without a rule, by their type.
EXTRA = {
    "manager": ["database.redis.brokerDB", "database.redis.addrs", "job.syncPeers.interval", "database.type"],
    "scheduler": ["database.redis.brokerDB", "scheduler.backToSourceCount", "manager.schedulerClusterID"],
}
#: For keys that are required together with another one; the others are paths of files.
FILLED = {"host": "127.0.0.1", "addrList": "127.0.0.1:1", "user": "nobody", "password": "none", "name": "s3"}


def sound(program: str, folder: str) -> dict[str, t.Any]:
    """Return a valid configuration with which the program ends at once."""
    server: dict[str, t.Any] = {"logDir": f"{folder}/log", "pluginDir": f"{folder}/plugins"}
    redis = {"addrs": ["127.0.0.1:1"]}
    if program == "scheduler":
        server.update({"advertiseIP": "127.0.0.1", "listenIP": "127.0.0.1"})
        manager = {"addr": "127.0.0.1:1", "schedulerClusterID": 1}
        return {"server": server, "manager": manager, "database": {"redis": redis}}
    server.update({"grpc": {"advertiseIP": "127.0.0.1", "listenIP": "127.0.0.1"}, "rest": {"addr": "127.0.0.1:0"}})
    mysql = {"user": "nobody", "password": "none", "host": "127.0.0.1", "port": 1}
    return {
        "server": server,
        "auth": {"jwt": {"key": "recorded"}},
        "database": {"type": "mysql", "mysql": mysql, "redis": redis},
    }


def switch_on(config: dict[str, t.Any], program: str, rule: Rule) -> None:
    """Set the key on which a rule depends, and the keys that it requires."""
    if rule.switch is None:
        return
    if rule.values:
        put(config, rule.switch, rule.values[0])
    elif not rule.switch.endswith("tls"):
        put(config, rule.switch, True)
    for other in RULES[program]:
        if other.switch == rule.switch and other.condition == "required":
            put(config, other.path, FILLED.get(other.path.rpartition(".")[2], "/nowhere"))


def put(config: dict[str, t.Any], path: str, value: t.Any) -> None:
    """Set a key of a configuration."""
    *parents, last = path.split(".")
    node = config
    for name in parents:
        node = node.setdefault(name, {})
    node[last] = value


def configuration(program: str, path: str, value: t.Any, folder: str) -> dict[str, t.Any]:
    """Return a configuration that is valid except one key."""
    config = copy.deepcopy(sound(program, folder))
    rule = next((rule for rule in RULES[program] if rule.path == path), None)
    if rule is not None:
        switch_on(config, program, rule)
    put(config, path, value)
    return config


def is_accepted(program: str, executable: str, config: dict[str, t.Any], folder: str) -> bool:
    """Return whether a program accepts a configuration and then tries to connect, or to read a certificate."""
    file = Path(folder) / f"{program}.yaml"
    file.write_text(to_yaml(config), encoding="utf-8")
    command = [executable, "--config", str(file), "--console"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    output = ended.stdout + ended.stderr
    return any(mark in output for mark in ("connection refused", "/nowhere", "failed to connect"))


def values_by_key(program: str, release: str) -> dict[str, list[t.Any]]:
    """Return the values to try for each key of a release."""
    parsed = schema.checked_release(release)
    keys = {path: key for path, key in schema.SCHEMA[program].items() if key.is_in(parsed) and path not in LEFT_OUT}
    types: dict[str, str] = {}
    for path, key in keys.items():
        types.setdefault(key.types_in(parsed)[0].partition("(")[0], path)
    validated = [rule.path for rule in RULES[program] if rule.path in keys] + EXTRA[program]
    pools: dict[str, list[t.Any]] = {path: list(VALIDATED_POOL) for path in validated if path in keys}
    return dict(sorted({**pools, **{path: list(POOL) for path in types.values()}}.items()))


def main() -> None:
    """Record the program on the command line."""
    program, release, executable = sys.argv[1:]
    record: dict[str, dict[str, list[t.Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        if not is_accepted(program, executable, sound(program, folder), folder):
            raise SystemExit(f"{executable} does not accept a sound configuration.")
        for path, pool in values_by_key(program, release).items():
            record[path] = {"read": [], "refused": []}
            for value in pool:
                accepted = is_accepted(program, executable, configuration(program, path, value, folder), folder)
                record[path]["read" if accepted else "refused"].append(value)
    lines = [f" {json.dumps(path)}: {json.dumps(values)}" for path, values in record.items()]
    (RECORDED / f"{program}-{release}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(record)} keys, {sum(len(values) for pools in record.values() for values in pools.values())} values")


if __name__ == "__main__":
    main()
