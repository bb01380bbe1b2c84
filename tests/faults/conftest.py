# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``--long`` (``make test-long``): all rounds, examples and releases instead of some."""

from __future__ import annotations

import pytest


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the long form of the fault tests")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: only in the long form")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="--long"))


@pytest.fixture(scope="session")
def long(request) -> bool:
    """Return whether this is the long form."""
    return request.config.getoption("--long")
