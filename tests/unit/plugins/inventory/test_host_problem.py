# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Peers that cannot be hosts of an inventory."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.inventory.peers import host_problem


@pytest.mark.parametrize(
    "name, address",
    [
        ("host-1", "10.77.0.1"),
        ("host_1.example.com", "2001:db8::1"),
        ("10.77.0.1", "10.77.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("a" * 254, "10.77.0.1"),
    ],
)
def test_usable_peers(name, address):
    assert host_problem(name, address) is None


@pytest.mark.parametrize(
    "name, address, problem",
    [
        ("host-1", None, "its address is not a valid IP address"),
        ("host-1", 167772161, "its address is not a valid IP address"),
        ("host-1", "10.77.0", "its address is not a valid IP address"),
        ("host-1", "fe80::1%eth0", "its address is not a valid IP address"),
        ("host-1", "127.0.0.1", "its address is that of the controller, or cannot be the address of a host"),
        ("host-1", "0.0.0.0", "its address is that of the controller, or cannot be the address of a host"),
        ("host-1", "224.0.0.1", "its address is that of the controller, or cannot be the address of a host"),
        ("host-1", "::1", "its address is that of the controller, or cannot be the address of a host"),
        ("host-1", "::ffff:127.0.0.1", "its address is that of the controller, or cannot be the address of a host"),
        ("host-1", "::7f00:1", "its address is that of the controller, or cannot be the address of a host"),
        ("host-1", "ff02::1", "its address is that of the controller, or cannot be the address of a host"),
        (None, "10.77.0.1", "its name is not a valid host name"),
        ("", "10.77.0.1", "its name is not a valid host name"),
        ("-host", "10.77.0.1", "its name is not a valid host name"),
        ("host 1", "10.77.0.1", "its name is not a valid host name"),
        ("host-1\n", "10.77.0.1", "its name is not a valid host name"),
        ("{{ name }}", "10.77.0.1", "its name is not a valid host name"),
        ("a" * 255, "10.77.0.1", "its name is not a valid host name"),
        ("localhost", "10.77.0.1", "its name is that of the controller"),
        ("LocalHost", "10.77.0.1", "its name is that of the controller"),
    ],
)
def test_other_peers(name, address, problem):
    assert host_problem(name, address) == problem
