# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters reject any content of host files with a message or check it, and hits are predicted."""

from __future__ import annotations

import copy
import importlib
import json

import pytest
import tomlkit
import tomllib
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.images import image_from_reference
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.prediction import predict_hits
from ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile import CHANGES, TEMPLATE, VALUES
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils.hosts import (
    CONFIG_TOML,
    GOOD,
    facts,
    hosts_toml,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

CLIENTS = sorted(GOOD)
RELEASES = st.sampled_from(["2.0.9", "2.1.67", "2.5.1", "0.1.100", "1.0.10", "v2.1.67", None])
IMAGE = "registry.example.com/shop/web:4.2.0"
_LEVELS = st.lists(CHANGES, min_size=1, max_size=4)


def filters(name):
    module = importlib.import_module("ansible_collections.dragonflyoss.dragonfly.plugins.filter." + name)
    return module.FilterModule().filters()[name]


def changed(document, changes):
    document = copy.deepcopy(document)
    for change in changes:
        document = change.apply(document)
    return document


@st.composite
def texts(draw, good, dump):
    """A valid text, spoiled as a document or as text."""
    if draw(st.booleans()):
        load = tomllib.loads if dump is tomlkit.dumps else yaml.safe_load
        try:
            return dump(changed(load(good), draw(_LEVELS)))
        except Exception:  # not writable, so no file contains it
            assume(False)
    begin = draw(st.integers(0, len(good)))
    end = draw(st.integers(begin, min(len(good), begin + 30)))
    inserted = draw(
        st.one_of(
            st.text(max_size=10),
            st.sampled_from(
                [
                    TEMPLATE,
                    "\x00",
                    "\ufeff",
                    "\t",
                    "[" * 500,
                    "{" * 500,
                    "&a *a",
                    "!!python/object/apply:os.getcwd []",
                    "---\n",
                    "'",
                    '"""',
                    "<<: *x",
                ]
            ),
        )
    )
    return good[:begin] + inserted + good[end:]


def check(long, *strategies):
    """Return a decorator that runs a test of drawn values, as often as the form requires."""

    def decorate(function):
        settings(
            max_examples=2000 if long else 60,
            deadline=None,
            database=None,
            derandomize=not long,
            suppress_health_check=list(HealthCheck),
        )(given(*strategies)(function))()

    return decorate


def ends_well(function, *args, **options):
    """Return the result of a filter as JSON, None if it rejects the input."""
    try:
        return json.dumps(function(*args, **options))
    except AnsibleFilterError as refusal:
        assert str(refusal)
        return None


@pytest.mark.parametrize("client", CLIENTS)
def test_configurations_of_clients(client, long):
    @check(long, _LEVELS, RELEASES)
    def dummy(changes, release):
        config = changed(GOOD[client], changes)
        for name, options in (("config_problems", {"release": release}), ("config_facts", {})):
            ends_well(filters(name), copy.deepcopy(config), client, **options)


def test_configurations_of_containerd(long):
    @check(long, texts(CONFIG_TOML, tomlkit.dumps), RELEASES)
    def dummy(text, release):
        ends_well(filters("containerd_config"), text, "/etc/containerd/certs.d", release, None, "dfdaemon")
        ends_well(filters("containerd_config"), CONFIG_TOML, "/etc/containerd/certs.d", release, text, "dfget")


def test_registries_images_and_headers(long):
    login = {"username": "u", "password": "p"}
    good = {"docker.io": "https://index.docker.io", "registry:5000": {"url": "http://registry:5000/x", **login}}

    @check(long, _LEVELS, st.lists(VALUES, max_size=3), VALUES)
    def dummy(changes, images, headers):
        registries = changed(good, changes)
        ends_well(filters("containerd_mirrors"), registries)
        ends_well(filters("image_pulls"), images, registries)
        ends_well(filters("image_registries"), images)
        ends_well(filters("header_problems"), headers, "dfdaemon")


@pytest.mark.parametrize("client", CLIENTS)
def test_hits(client, long):
    wanted = [image_from_reference(IMAGE, {}, digests=["sha256:" + "a1" * 32])]

    @check(
        long,
        texts(yaml.safe_dump(GOOD[client]), yaml.safe_dump),
        texts(hosts_toml(client), tomlkit.dumps),
        texts(CONFIG_TOML, tomlkit.dumps),
        st.integers(0, 6),
    )
    def dummy(config, hosts, containerd, which):
        # Usually one file at a time, so the others are read to the end.
        given_ = {"config": config, "hosts": hosts, "config_toml": containerd}
        if which < 6:
            name = sorted(given_)[which % 3]
            given_ = {name: given_[name]}
        for reason in predict_hits(facts(client, **given_), wanted).reasons:
            assert reason.message
