# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the regular expressions of the clients compile, told without their engines.

Go's regexp and Rust's regex share most of their syntax with each other and with Python, but neither knows
lookaround or backreferences, and both know things that Python does not (``\\pL``, ``[[:alpha:]]``, ``\\z``). So
Python's re cannot be asked; a scanner over the grammar that they document can.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
import warnings

_POSIX = frozenset("alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split())
_FLAGS = {"go": "imsU", "rust": "imsUuxR"}
_ESCAPES = {"go": "aftnrvAbBdDsSwWzQ", "rust": "aftnrvAbBdDsSwWz"}
_CLASS_ESCAPES = "aftnrvdDsSwW"
_SETS = "dDsSwWpP"
_MAX_REPEAT = 1000


class _Refused(Exception):
    """The pattern does not compile; the text says why."""


class _Scanner:
    def __init__(self, pattern: str, engine: str) -> None:
        self.text = pattern
        self.engine = engine
        self.at = 0

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.at += len(text)
            return True
        return False

    def match(self, pattern: str) -> re.Match[str] | None:
        found = re.compile(pattern).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def next(self, what: str) -> str:
        if self.at >= len(self.text):
            raise _Refused(f"it ends in the middle of {what}")
        char = self.text[self.at]
        self.at += 1
        return char

    def scan(self) -> None:
        depth = 0
        atom = False  # is there something before that can be repeated?
        repeated = False  # was the thing before a repetition?
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in "*+?" or (char == "{" and self._is_count()):
                self._repetition(atom, repeated)
                repeated = True
                continue
            repeated = False
            self.at += 1
            if char == "\\":
                self._escape()
                atom = True
            elif char == "[":
                self._char_class()
                atom = True
            elif char == "(":
                if self._group():
                    depth += 1
                    atom = False
                elif self.engine == "rust":
                    atom = False
            elif char == ")":
                depth -= 1
                if depth < 0:
                    raise _Refused("a ) has no (")
                atom = True
            else:
                atom = char != "|"
        if depth:
            raise _Refused("a ( is not closed")

    def _is_count(self) -> bool:
        # Go reads a { that begins no count as itself, Rust does not.
        return self.engine == "rust" or re.match(r"\{\d+(,\d*)?\}", self.text[self.at :]) is not None

    def _repetition(self, atom: bool, repeated: bool) -> None:
        if not atom:
            raise _Refused(f"nothing stands before {self.text[self.at]}")
        count = self.match(r"\{\s*(\d+)\s*(,\s*(\d+)?\s*)?\}" if self.engine == "rust" else r"\{(\d+)(,(\d+)?)?\}")
        if count:
            low, high = int(count.group(1)), int(count.group(3) or count.group(1))
            if high < low or (self.engine == "go" and max(low, high) > _MAX_REPEAT):
                raise _Refused(f"{count.group(0)} is no count that it allows")
        elif self.next("a repetition") == "{":
            raise _Refused("a { begins no count: write \\{")
        self.take("?")
        if repeated and self.engine == "go":
            raise _Refused("a repetition follows a repetition")

    def _escape(self, in_class: bool = False) -> str:
        """Read what follows a backslash; return its letter."""
        char = self.next("an escape")
        if char == "x" or (char in "uU" and self.engine == "rust"):
            digits = {"x": 2, "u": 4, "U": 8}[char]
            if not self.match(r"\{[0-9A-Fa-f]+\}") and not self.match(r"[0-9A-Fa-f]{%d}" % digits):
                raise _Refused(f"\\{char} is not followed by a number")
        elif char in "pP":
            if not self.match(r"\{[^}]+\}") and not self.match(r"[A-Za-z]"):
                raise _Refused(f"\\{char} is not followed by a class")
        elif char == "Q" and self.engine == "go" and not in_class:
            end = self.text.find("\\E", self.at)
            self.at = len(self.text) if end < 0 else end + 2
        elif char.isdigit():
            if self.engine != "go" or not (char == "0" or (char in "1234567" and self.match("[0-7]"))):
                raise _Refused(f"\\{char}: it has no backreferences")
            self.match("[0-7]{0,2}" if char == "0" else "[0-7]?")
        elif char.isalpha() and char not in (_CLASS_ESCAPES if in_class else _ESCAPES[self.engine]):
            raise _Refused(f"\\{char} means nothing to it")
        elif not char.isascii() or (in_class and char in "<>" and self.engine == "rust"):
            raise _Refused(f"\\{char} means nothing to it")
        return char

    def _group(self) -> bool:
        """Read what follows a (; return False where it opened no group, as (?i) does not."""
        if not self.take("?"):
            return True
        for sign, name in (("=", "lookahead"), ("!", "lookahead"), ("<=", "lookbehind"), ("<!", "lookbehind")):
            if self.peek(sign):
                raise _Refused(f"(?{sign}: it has no {name}")
        if self.take("P<") or (self.engine == "rust" and self.take("<")):
            if not self.match(r"\w+>" if self.engine == "go" else r"[^\W\d][\w.\[\]]*>"):
                raise _Refused("a group has no proper name")
            return True
        flags = self.match(r"([A-Za-z]*)(-[A-Za-z]+)?([:)])")
        if not flags or (flags.group(3) == ")" and len(flags.group(0)) == 1):
            raise _Refused(f"(?{self.text[self.at : self.at + 1]} means nothing to it")
        unknown = set(flags.group(1) + (flags.group(2) or "-")[1:]) - set(_FLAGS[self.engine])
        if unknown:
            raise _Refused(f"(?{''.join(sorted(unknown))} means nothing to it")
        return flags.group(3) == ":"

    def _char_class(self) -> None:
        self.take("^")
        first = True
        while not (self.peek("]") and not first):
            if self.at >= len(self.text):
                raise _Refused("a [ is not closed")
            self._class_item()
            first = False
        self.at += 1

    def _class_item(self) -> None:
        posix = re.compile(r"\[:\^?(\w*):\]").match(self.text, self.at)
        if posix and posix.group(1) in _POSIX:
            self.at = posix.end()
            return
        if posix and self.engine == "go":
            raise _Refused(f"{posix.group(0)} is no class that it knows")
        if self.engine == "rust" and self.take("["):
            self._char_class()
            return
        if self.engine == "rust" and (self.take("&&") or self.take("~~")):
            return
        low = self._class_char()
        if self.peek("-") and not self.peek("-]") and not (self.engine == "rust" and self.peek("--")):
            self.at += 1
            high = self._class_char()
            if low is None or high is None or high < low:
                raise _Refused("a range in [] ends before it begins")

    def _class_char(self) -> str | None:
        """Read one character of a class; None where it is a set such as \\d or its value is not needed."""
        char = self.next("a [")
        if char != "\\":
            return char
        start = self.at
        letter = self._escape(in_class=True)
        if letter in _SETS:
            return None
        written = self.text[start : self.at]
        if letter in "xuU":
            return chr(min(int(written[1:].strip("{}"), 16), 0x10FFFF))
        if letter.isdigit():
            return chr(int(written, 8))
        return {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}.get(letter, letter)


def regex_error(pattern: str, engine: str) -> str | None:
    """Why an engine refuses a pattern: a short text, or None where it compiles.

    :param pattern: the regular expression.
    :param engine: ``go`` for Go's regexp, ``rust`` for Rust's regex.
    """
    try:
        _Scanner(pattern, engine).scan()
    except _Refused as error:
        return str(error)
    return None


def regex_found(pattern: str, text: str) -> bool | None:
    """Whether a pattern is found in a text, None where Python reads the pattern otherwise than the clients do."""
    if re.search(r"\\[pPzQuUC]|\[\[|\[:|&&|--|~~|\(\?[a-zA-Z]*[UuxR]", pattern):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.search(pattern, text) is not None
    except (re.error, Warning):
        return None


def first_match(patterns: t.Iterable[str], text: str) -> int | None:
    """The index of the first pattern that is found in a text or may be, None where none is."""
    for index, pattern in enumerate(patterns):
        if regex_found(pattern, text) is not False:
            return index
    return None
