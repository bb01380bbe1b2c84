# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all lists of the manager share: queries, pages, the header Link, and errors."""

from __future__ import annotations

from urllib.parse import urlencode

from .go import BindError, parse_int, parse_uint


class ApiError(Exception):
    """An error response with a ``message``."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def read_page(query, struct, most):
    """Return the page and page size in a list's query.

    :param struct: Go's name of the query.
    :param most: the largest ``per_page``.
    :raises BindError: if gin would answer 422.
    """
    page, per_page = (parse_int(query.get(key) or "0") for key in ("page", "per_page"))
    lines = []
    for name, value, high in (("Page", page, None), ("PerPage", per_page, most)):
        tag = "gte" if value < 0 else "lte" if high is not None and value > high else None
        if tag:
            lines.append(f"Key: '{struct}.{name}' Error:Field validation for '{name}' failed on the '{tag}' tag")
    if lines:
        raise BindError("\n".join(lines))
    return page or 1, per_page or 10


def read_uints(query, *keys):
    """Return the numbers of a query, None for missing ones."""
    return [parse_uint(query[key]) if query.get(key) else None for key in keys]


def links(path, query, page, per_page, total):
    """Return the header Link: always all four relations, unquoted, and an endless ``next``."""
    last = -(-total // per_page)

    def link(number, rel):
        parameters = dict(query, page=number, per_page=per_page)
        return f"<{path}?{urlencode(sorted(parameters.items()))}>;rel={rel}"

    following = page if page == last else page + 1
    return ",".join((link(max(page - 1, 1), "prev"), link(following, "next"), link(1, "first"), link(last, "last")))
