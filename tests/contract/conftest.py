# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sandboxes for the tests of the sandbox itself."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.contract.client import Client
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox


@pytest.fixture
def start():
    """Yield a function that starts a sandbox with waits 200 times shorter, and returns it with a client."""
    started = []

    def begin(release="2.5.1", **options):
        options.setdefault("factor", 200)
        box = Sandbox(release=release, **options).start()
        started.append(box)
        return box, Client(box)

    yield begin
    for box in started:
        box.stop()
