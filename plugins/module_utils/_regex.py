# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which regular expressions the clients reject or match, as far as that is certain without their engines.

Go's regexp and Rust's regex share most of their syntax with Python, but neither has lookaround or backreferences. What
is certain to be wrong is refused here. For the rest the roles try: a client that does not start with a new
configuration gets its earlier files back.
"""

from __future__ import annotations

import re
import warnings

#: Syntax that Python reads differently from the clients, or not at all.
_DIFFERS = re.compile(r"\\[pPzQuUC]|\\x\{|\[\[|\[:|&&|--|~~|\(\?[a-zA-Z]*[UuxR]")
_DENIED = (
    (re.compile(r"\(\?<?[=!]"), "it does not support lookahead and lookbehind"),
    (re.compile(r"\(\?(?:>|#|\(|P=)"), "it does not support this kind of group"),
    (re.compile(r"\\Z"), "it does not support \\Z, only \\z"),
)
#: Go reads two octal digits as a character.
_BACKREFERENCE = {"go": re.compile(r"\\(?:[89]|[1-7](?![0-7]))"), "rust": re.compile(r"\\[1-9]")}
_QUOTED_BY_GO = re.compile(r"\\Q.*?(?:\\E|\Z)", re.DOTALL)
_ESCAPED_PUNCTUATION = re.compile(r"\\[^\w\s]", re.ASCII)
# The lookahead fails quickly where no class can end: no match has more than 275 characters before its first ].
_CHARACTER_CLASS = re.compile(r"\[\^?\]?(?=[^\]]{0,275}\])(?:\[:\^?\w{1,16}:\]|[^\]]){0,256}\]")
#: Errors of Python for patterns that the clients reject too.
_ERRORS_OF_ALL = (
    "missing ), unterminated subpattern",
    "unbalanced parenthesis",
    "unterminated character set",
    "bad character range",
    "bad escape",
    "incomplete escape",
    "min repeat greater than max repeat",
)


def regex_error(pattern: str, engine: str) -> str | None:
    """Return why an engine rejects a pattern, None if it accepts it or that is not certain.

    :param pattern: the regular expression.
    :param engine: ``go`` for Go's regexp, ``rust`` for Rust's regex.
    """
    text = _QUOTED_BY_GO.sub("", pattern) if engine == "go" else pattern
    text = _CHARACTER_CLASS.sub("c", _ESCAPED_PUNCTUATION.sub("p", text))
    for denied, error in _DENIED:
        if denied.search(text):
            return error
    if _BACKREFERENCE[engine].search(text):
        return "it does not support backreferences"
    return None if _DIFFERS.search(pattern) else _error_of_all(pattern)


def _error_of_all(pattern: str) -> str | None:
    """Return Python's error for a pattern if the other engines reject it too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        if error.msg == "nothing to repeat" and error.pos is not None:
            return _nothing_to_repeat(pattern, error.pos)
        return error.msg if error.msg.startswith(_ERRORS_OF_ALL) else None
    except (OverflowError, RecursionError):
        return None
    return None


def _nothing_to_repeat(pattern: str, position: int) -> str | None:
    """Return the error for a sign of repetition, None if it is only one of Python.

    An anchor can be repeated everywhere else, and some engines read a lone { as itself.
    """
    before, sign = pattern[:position][-1:], pattern[position]
    return f"nothing stands before {sign}" if sign in "*+?" and before in ("", "(", "|") else None


def regex_found(pattern: str, text: str) -> bool | None:
    """Return whether a pattern matches a text; None if Python reads the pattern differently from the clients."""
    if _DIFFERS.search(pattern):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.search(pattern, text) is not None
    except (re.error, Warning):
        return None


def first_match(patterns: dict[int, str], text: str) -> int | None:
    """Return the index of the first pattern that matches a text or may match it, None if none does.

    :param patterns: by their index in a list that can have other elements, too.
    """
    for index, pattern in patterns.items():
        if regex_found(pattern, text) is not False:
            return index
    return None
