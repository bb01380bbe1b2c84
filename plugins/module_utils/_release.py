# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases of managers and clients as text, as numbers, and as a range if the exact release is unknown."""

from __future__ import annotations

import re
import typing as t

#: A release as numbers, such as ``(2, 1, 67)``.
Release = t.Tuple[int, ...]

#: The newest release of upstream. Later releases are only known to be later.
NEWEST = (2, 5, 1)

_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)", re.ASCII)


def parse_release(text: str | None) -> Release | None:
    """Return a release such as ``2.1.67`` or ``v1.4.2`` as three numbers, None for other texts."""
    match = _RELEASE.match(text or "")
    return tuple(int(part) for part in match.groups()) if match else None


def format_release(release: Release | None) -> str | None:
    """Return a release as text, or None for None."""
    return ".".join(str(part) for part in release) if release else None


def at_least(release: Release | None, first: Release, unknown: bool = False) -> bool:
    """Return whether a release is the given one or later.

    :param unknown: result if the release is unknown.
    """
    return unknown if release is None else release >= first


class Releases(t.NamedTuple):
    """The possible releases of a manager: ``low`` or later, before ``high``. None stands for an unknown limit."""

    low: Release | None = None
    high: Release | None = None

    def intersect(self, low: Release | None = None, high: Release | None = None) -> Releases:
        """Return the intersection with a range, or that range if it is empty, because managers are upgraded."""
        lowest = max(filter(None, [self.low, low]), default=None)
        highest = min(filter(None, [self.high, high]), default=None)
        is_empty = lowest is not None and highest is not None and lowest >= highest
        return Releases(low, high) if is_empty else Releases(lowest, highest)

    def before(self, release: Release) -> bool:
        """Return whether all of them are before a release."""
        return self.high is not None and self.high <= release

    def since(self, release: Release) -> bool:
        """Return whether all of them are the given release or later."""
        return self.low is not None and self.low >= release

    def includes(self, release: Release) -> bool:
        """Return whether a release is in this range."""
        return (not self.low or self.low <= release) and (not self.high or release < self.high)

    def __str__(self) -> str:
        if self.low and self.low > NEWEST:
            return f"later than {format_release(NEWEST)}"
        limits = []
        if self.low:
            limits.append(f"{format_release(self.low)} or later")
        if self.high and self.high <= NEWEST:
            limits.append(f"before {format_release(self.high)}")
        return ", ".join(limits) or "unknown"
