# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the clients' keys, written by hand, compared with the keys extracted from the clients' sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import SCHEMA, look_up

KEYS = Path(__file__).parents[3] / "hosts/stand_in/keys"
RELEASES = sorted(path.stem for path in KEYS.glob("*.json"))


def leaves(tree, path=""):
    """Return dotted paths of keys with values, with ``[]`` after the name of a list of mappings."""
    for name, inner in tree.items():
        here = f"{path}.{name}" if path else name
        if isinstance(inner, list) and isinstance(inner[0], dict):
            inner, here = inner[0], f"{here}[]"
        if isinstance(inner, dict):
            yield from leaves(inner, here)
        else:
            yield here


def read(name):
    client, _dash, release = name.partition("-")
    return client, release, set(leaves(json.loads((KEYS / f"{name}.json").read_text())["keys"]))


def test_there_are_keys():
    assert {name.partition("-")[0] for name in RELEASES} == {"dfget", "dfdaemon", "manager", "scheduler"}


@pytest.mark.parametrize("name", RELEASES)
def test_each_key_of_the_sources_is_in_the_table(name):
    client, release, keys = read(name)
    assert sorted(key for key in keys if look_up(client, key, release).status not in ("known", "branch")) == []


@pytest.mark.parametrize("name", RELEASES)
def test_each_key_of_the_table_is_in_the_sources(name):
    client, release, keys = read(name)
    spelled = {key.lower() if client != "dfdaemon" else key for key in keys}
    here = {path for path in SCHEMA[client] if look_up(client, path, release).status == "known"}
    folded = {path.lower() if client != "dfdaemon" else path for path in here}
    # A mapping that the sources do not describe further, such as resourceClients, is described in the table.
    assert sorted(path for path in folded - spelled if not any(path.startswith(key + ".") for key in spelled)) == []
