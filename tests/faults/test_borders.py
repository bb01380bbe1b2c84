# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests prove what is listed in borders.py."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.faults.borders import is_part


@pytest.mark.parametrize(
    "test, node, expected",
    [
        ("tests/a.py::test_x", "tests/a.py", True),
        ("tests/a.py::test_x[1]", "tests/a.py::test_x", True),
        ("tests/a.py::test_x", "tests/a.py::test_x", True),
        ("tests/a.py::test_xy", "tests/a.py::test_x", False),
        ("tests/ab.py::test_x", "tests/a.py", False),
    ],
)
def test_which_tests_a_node_names(test, node, expected):
    assert is_part(test, node) == expected
