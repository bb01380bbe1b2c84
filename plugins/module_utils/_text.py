# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trim and check pasted texts, and format lists in messages."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

# Byte order marks and zero-width spaces, which str.strip keeps.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_BLANK = re.compile(rf"[\s{_INVISIBLE}]")


def trim(text: str) -> str:
    """Return a text without white space, carriage returns and invisible characters at both ends."""
    start, end = 0, len(text)
    while start < end and _BLANK.match(text[start]):
        start += 1
    while end > start and _BLANK.match(text[end - 1]):
        end -= 1
    return text[start:end]


def listed(items: t.Sequence[str], most: int = 10) -> str:
    """Return the first items for a message, and the number of the rest."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def is_or_are(number: int) -> str:
    """Return the verb for ``NUMBER of TOTAL blobs``."""
    return "is" if number == 1 else "are"


def has_blank(text: str) -> bool:
    """Return whether a text contains white space or an invisible character."""
    return bool(_BLANK.search(text))


def url_problem(url: str) -> str:
    """Return what is wrong with the characters, the host or the port of a URL; an empty text if nothing is."""
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        return "it contains white space or control characters"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "its host is not valid"
    try:
        return "its port is 0" if parts.port == 0 else ""
    except ValueError:
        return "its port is not a number from 1 to 65535"
