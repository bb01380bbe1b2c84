# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables of the rules of a server's validation: which keys must be set, or must not be empty or zero."""

from __future__ import annotations

import typing as t

from .schema import Release, checked_release


class Rule(t.NamedTuple):
    """A rule.

    :ivar path: path of the key.
    :ivar condition: ``required`` (set, and not empty), ``filled`` (not empty if it is set) or ``positive`` (above
        0 if it is set).
    :ivar switch: key that determines whether the rule applies, or None.
    :ivar values: of the switch with which it applies; none if the switch only needs to be on or have content.
    :ivar until: first release without the rule, or None.
    """

    path: str
    condition: str
    switch: str | None = None
    values: tuple[str, ...] = ()
    until: Release | None = None


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Return the rules of a table.

    Each line has a path and a condition, then any of ``if KEY``, ``if KEY=VALUE,VALUE`` and ``until RELEASE``.
    """
    return tuple(_parse_line(line) for line in filter(None, text.splitlines()))


def _parse_line(line: str) -> Rule:
    path, condition, *notes = line.split()
    named = dict(zip(notes[::2], notes[1::2], strict=True))
    switch, _equals, values = named.get("if", "").partition("=")
    return Rule(
        path,
        condition,
        switch or None,
        tuple(values.split(",")) if values else (),
        checked_release(named.get("until")),
    )
