# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lifetime of a token."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tokens import parse_expiry, parse_lifetime


@pytest.mark.parametrize("text, seconds", [("1s", 1), ("90d", 7776000), ("1d12h", 129600), ("90", 90)])
def test_lifetimes(text, seconds):
    assert parse_lifetime(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "0", "d", "1.5h", "-1d", "-1", "1y", "1d 12h", "\N{SUPERSCRIPT TWO}d"])
def test_other_texts_are_not_lifetimes(text):
    with pytest.raises(InputError, match="expires_in must be"):
        parse_lifetime(text)


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("1970-01-02", 86400),
        ("2027-06-30", 1814313600),
        ("2027-06-30T12:00:00Z", 1814356800),
        ("2027-06-30T12:00:00.9Z", 1814356800),
        ("2027-06-30T14:00:00+02:00", 1814356800),
        ("2038-01-19T03:14:07Z", 2147483647),
    ],
)
def test_expiries(text, seconds):
    assert parse_expiry(text) == seconds


@pytest.mark.parametrize("text", ["", "tomorrow", "2027-13-01", "2027-02-30", "30.06.2027", "2027-06-30T12:00:00"])
def test_other_texts_are_not_expiries(text):
    with pytest.raises(InputError, match="must be a date"):
        parse_expiry(text)


@pytest.mark.parametrize("text", ["2038-01-19T03:14:08Z", "2038-01-20", "2100-01-01"])
def test_what_a_database_cannot_store_is_refused(text):
    with pytest.raises(InputError, match="later than 2038-01-19T03:14:07Z"):
        parse_expiry(text)
