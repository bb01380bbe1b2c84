# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and values that not every release takes, against a sandbox of each."""

from __future__ import annotations

import pytest


@pytest.fixture
def preheat(run, box):
    """Give a function that preheats with the manager's address and token."""
    credentials = {"token": box.token} if box.token else {}
    return lambda **options: run("preheat", **{"url": box.url, **credentials, "wait_sleep": 1, **options})


@pytest.mark.parametrize(
    "release, options, message",
    [
        ("2.0.9", {"scope": "all_seed_peers"}, "scope=all_seed_peers (2.1.66 or later)"),
        ("2.1.0", {"scope": "all_seed_peers"}, "scope=all_seed_peers (2.1.66 or later)"),
        ("2.1.0", {"scope": "all_peers"}, "scope (2.1.57 or later)"),
        ("2.1.0", {"concurrent_peer_count": 501}, "concurrent_peer_count above 500 (2.3.1 or later)"),
        ("2.1.67", {"concurrent_peer_count": 501}, "concurrent_peer_count above 500 (2.3.1 or later)"),
        ("2.3.4", {"concurrent_peer_count": 501}, None),
        ("2.1.67", {"concurrent_peer_count": 500}, None),
    ],
)
def test_values_that_this_release_refuses(box, preheat, image, options, message):
    done = preheat(image=image.source, **options)
    if message is None:
        assert done.result.get("reason") != "unknown_option", done.msg
        assert box.counts()["POST"] == 1
    else:
        assert done.reason == "unknown_option"
        assert message in done.msg
        assert box.counts()["POST"] == 0
