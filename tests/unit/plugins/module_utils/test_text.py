# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists in messages."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._text import listed


@pytest.mark.parametrize(
    "items, text",
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_a_list_names_the_first_and_counts_the_others(items, text):
    assert listed(items, most=3) == text
