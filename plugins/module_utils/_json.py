# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decode JSON of servers in bounded time and memory. Lists are decoded row by row, because a page can be huge."""

from __future__ import annotations

import codecs
import json
import math
import re
import sys
import typing as t

from ._errors import GarbledError

#: Limit in characters of a row of a list, which can be a job that names each peer and layer.
ROW_LIMIT = 16 * 1024 * 1024
#: Limit of the rows of a response. A request is for at most 1000.
_MOST_ROWS = 5000
#: Limit in bytes of a text in memory: a single emoji makes each character take four bytes.
_MOST_MEMORY = 32 * 1024 * 1024
#: Limit of the values of a document; each takes up to 100 bytes in memory.
_MOST_VALUES = 750_000
# Bytes of memory that a short value takes.
_VALUE_SIZE = 64
#: Shorter texts are not checked, because they cannot take much memory.
_HARMLESS = 1024 * 1024
#: Limit of the digits of a number, which Go's integers do not exceed. Python parses long numbers in quadratic time.
_MOST_DIGITS = 20
_SPACE = re.compile(r"[ \t\n\r]*")

Row = t.Dict[str, t.Any]


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("the number is too long")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("the number is too large")
    return number


def _refuse_constant(name: str) -> t.NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant)


def decode_json(text: str, request: str) -> t.Any:
    """Return the first JSON document of a text.

    :param request: verb and path, for the error.
    :raises GarbledError: if the text does not start with JSON, or with reason ``too_large`` if decoding it would take
        too much memory.
    """
    _check_size(text, request)
    try:
        return _DECODER.raw_decode(text, _skip_space(text, 0))[0]
    except (ValueError, RecursionError):
        raise _unreadable(request) from None


def _unambiguous(pairs: list[tuple[str, t.Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("it has a key twice")
    return row


_STRICT_DECODER = json.JSONDecoder(
    parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant, object_pairs_hook=_unambiguous
)


def decode_strict(body: bytes, request: str) -> t.Any:
    """Return the JSON document in a body, if all parsers read it in the same way.

    :raises ValueError: if the body is not exactly one JSON document, or a key occurs twice in an object.
    :raises GarbledError: with reason ``too_large`` if decoding it would take too much memory.
    """
    text = body.decode("utf-8")
    _check_size(text, request)
    try:
        return _STRICT_DECODER.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def rows(chunks: t.Iterable[bytes], request: str, limit: int = ROW_LIMIT) -> t.Iterator[Row]:
    """Yield the elements of a JSON list one by one. ``null`` is an empty list, as Go writes it.

    :param chunks: chunks of the body.
    :param request: verb and path, for the error.
    :param limit: limit of a row in characters.
    :raises GarbledError: if the body is not a JSON list of objects, or with reason ``too_large``.
    """
    reader = _RowReader(request, limit)
    for chunk in chunks:
        yield from reader.feed(chunk)
    yield from reader.finish()


class _RowReader:
    """Reads rows from chunks.

    Parses an incomplete row again only when its text has grown by half, which keeps the time linear.
    """

    def __init__(self, request: str, limit: int) -> None:
        self._request = request
        self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending: list[str] = []
        self._length = 0
        self._needed = 1
        self._begun = self._after_row = self._ended = False
        self._count = 0

    def feed(self, chunk: bytes) -> t.Iterator[Row]:
        if self._ended:
            # Read the rest, so the connection can be reused.
            return
        text = self._decoder.decode(chunk)
        self._pending.append(text)
        self._length += len(text)
        if self._length >= self._needed:
            yield from self._take()

    def _take(self) -> t.Iterator[Row]:
        text = "".join(self._pending)
        _check_size(text, self._request)
        position = self._begin(text)
        while self._begun and not self._ended and position < len(text):
            if not self._at_row(text[position]):
                position = _skip_space(text, position + 1)
                continue
            try:
                row, position = _DECODER.raw_decode(text, position)
            except ValueError:
                break
            except RecursionError:
                raise _unreadable(self._request) from None
            position = _skip_space(text, position)
            self._after_row = True
            yield self._checked(row)
            # Release a large row before reading the next one.
            row = None
        self._keep(text[position:])

    def _begin(self, text: str) -> int:
        """Return the position of the first row or separator."""
        position = _skip_space(text, 0)
        if self._begun or text[position : position + 1] != "[":
            return position
        self._begun = True
        return _skip_space(text, position + 1)

    def _at_row(self, character: str) -> bool:
        """Return whether a row starts here. Otherwise the character is a separator or ends the list."""
        if self._after_row:
            if character not in ",]":
                raise _unreadable(self._request)
            self._after_row = False
            self._ended = character == "]"
            return False
        self._ended = character == "]" and not self._count
        return not self._ended

    def _keep(self, text: str) -> None:
        self._pending = [text]
        self._length = len(text)
        if self._length >= self._limit:
            raise _too_large(self._request, f"a row has more than {self._limit} characters")
        self._needed = min(self._length + self._length // 2 + 1, self._limit)

    def _checked(self, row: t.Any) -> Row:
        self._count += 1
        if self._count > _MOST_ROWS:
            raise _too_large(self._request, f"it has more than {_MOST_ROWS} rows")
        if not isinstance(row, dict):
            raise GarbledError(f"{self._request}: the response is not a list of objects.", "garbled", self._request)
        return row

    def finish(self) -> t.Iterator[Row]:
        if not self._ended:
            self._pending.append(self._decoder.decode(b"", True))
            yield from self._take()
        if self._ended:
            return
        if self._begun:
            raise _unreadable(self._request)
        if decode_json("".join(self._pending), self._request) is not None:
            raise GarbledError(f"{self._request}: the response is not a list.", "garbled", self._request)


def memory_size(document: t.Any, limit: int) -> int:
    """Return the approximate size in memory of a decoded document in bytes, counted up to a bit more than the limit."""
    size = 0
    waiting = [document]
    while waiting and size <= limit:
        value = waiting.pop()
        size += _VALUE_SIZE
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, dict):
            size += sum(map(len, value)) + _VALUE_SIZE * len(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return size


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _check_size(text: str, request: str) -> None:
    if len(text) < _HARMLESS:
        return
    if sys.getsizeof(text) > _MOST_MEMORY:
        raise _too_large(request, f"it takes more than {_MOST_MEMORY} bytes of memory")
    if text.count(",") + text.count("[") + text.count("{") > _MOST_VALUES:
        raise _too_large(request, f"it has more than {_MOST_VALUES} values")


def _too_large(request: str, problem: str) -> GarbledError:
    return GarbledError(f"{request}: the response is too large: {problem}.", "too_large", request)


def _unreadable(request: str) -> GarbledError:
    return GarbledError(f"{request}: the response is not JSON that can be read.", "garbled", request)
