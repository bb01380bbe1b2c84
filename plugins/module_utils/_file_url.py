# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate and compare URLs of files."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ._errors import InputError
from ._redact import redact_url
from ._text import url_problem


def check_file_url(url: str, instead: str = "Set the header Authorization in headers instead.") -> str:
    """Return the URL of a file unchanged.

    :param instead: what to do instead of writing a user into the URL.
    :raises InputError: if it is not valid.
    """
    if re.search(r"\s", url):
        raise InputError(f"{redact_url(url)!r} contains white space. Write %20 for a space.")
    if "#" in url:
        raise InputError(f"{redact_url(url)!r} contains a fragment, which clients do not send. Write %23 for #.")
    problem = url_problem(url)
    if problem:
        raise InputError(f"{redact_url(url)!r} is not a valid URL: {problem}.")
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc.rpartition("@")[2]:
        raise InputError(f"{redact_url(url)!r} is not the URL of a file, which is SCHEME://HOST/PATH.")
    if "@" in parts.netloc:
        raise InputError(
            f"{redact_url(url)!r} must not contain a user name or password: they would become part of the task ID, "
            f"and appear in the manager and in the logs of peers. {instead}"
        )
    return url


def strip_query(url: str) -> str:
    """Return a URL without its query, which distinguishes the URLs of one file."""
    return url.partition("?")[0]


def filter_query(url: str, names: set[str]) -> str:
    """Return a URL without the given query parameters, in the original order."""
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in names]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(sorted(query)), parts.fragment))
