# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test run that runs playbooks."""

from __future__ import annotations

import sys

import pytest

#: A mark: "ansible-test units" would run the same playbooks again with each Python.
ONLY_PLAIN_PYTEST = pytest.mark.skipif(
    any(type(finder).__name__ == "_AnsibleCollectionFinder" for finder in sys.meta_path),
    reason="plain pytest runs them",
)
