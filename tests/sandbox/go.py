# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times, JSON and requests as Go's libraries write, read and reject them.

Error responses of the manager contain messages of Go's libraries, so this file has the messages of encoding/json,
go-playground/validator and strconv.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone

SECOND = 10**9
ZERO_TIME = "0001-01-01T00:00:00Z"
_TYPE_NAMES = {str: "string", bool: "bool", int: "number", dict: "object", list: "array"}


def time_text(nanoseconds, digits=9):
    """Write a time as RFC 3339, the fraction without trailing zeros.

    :param nanoseconds: int since 1970, None for the zero time.
    :param digits: digits of the fraction in the column: 0, 3 or 9.
    """
    if nanoseconds is None:
        return ZERO_TIME
    seconds, fraction = divmod(nanoseconds, SECOND)
    # strftime takes four times as long.
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")[:19]
    digits_left = f"{int(fraction):09}"[:digits].rstrip("0")
    return f"{text}{'.' + digits_left if digits_left else ''}Z"


def parse_time(text):
    """Read an RFC 3339 time as nanoseconds since 1970.

    :raises BindError: in the words of Go's time package.
    """
    match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$", text)
    layout = "2006-01-02T15:04:05Z07:00"
    if not match:
        raise BindError(f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"')
    if text.startswith("0001-01-01T00:00:00"):
        return None
    zone = "+00:00" if match.group(3) == "Z" else match.group(3)
    try:
        moment = datetime.strptime(match.group(1) + zone, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        raise BindError(f'parsing time "{text}": month out of range') from None
    return int(moment.timestamp()) * SECOND + int((match.group(2) or "").ljust(9, "0"))


class Raw:
    """Serialized JSON, which ``dump`` inserts unchanged."""

    def __init__(self, text):
        self.text = text


class Number(float):
    """A JSON number with a fraction or an exponent, and its text."""

    text: str

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number


def dump(value):
    """Write JSON as encoding/json does: no spaces, ``<``, ``>`` and ``&`` escaped."""
    raws = []

    def keep(raw):
        raws.append(raw.text)
        return f"\x00{len(raws) - 1}\x00"

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=keep)
    for character, escaped in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        text = text.replace(character, escaped)
    if raws:
        text = re.sub(r'"\\u0000(\d+)\\u0000"', lambda match: raws[int(match.group(1))], text)
    return text


class BindError(Exception):
    """A request that gin's binding rejects. The text is ``errors`` of the response."""


def _reason(text, error):
    """Return the message of Go for a JSON syntax error."""
    if not text.strip():
        return "EOF"
    if error.pos >= len(text.rstrip()):
        return "unexpected EOF"
    where = {
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Illegal trailing comma before end of object": "looking for beginning of object key string",
        "Expecting ':' delimiter": "after object key",
        "Expecting ',' delimiter": "after object key:value pair",
        "Extra data": "after top-level value",
    }.get(error.msg, "looking for beginning of value")
    return f"invalid character {repr(text[error.pos])} {where}"


def load(body):
    """Read a request's body.

    :param body: bytes.
    :raises BindError: in the words of encoding/json.
    """
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text, parse_float=Number)
    except ValueError as exc:
        raise BindError(_reason(text, exc)) from None


class Field:
    """One field of a Go struct that a request is read into.

    :param key: JSON key.
    :param name: Go's name.
    :param kind: Go's type: string, bool, int64, uint32, ..., time.Duration, time.Time, []string, []uint,
        map[string]string, ``any``, or the name of a struct whose fields are ``fields``.
    :param pointer: whether it is a pointer: unset is null, and a zero that was sent is checked.
    :param omit_empty: for a struct, whether it is not checked where all of it is zero.
    :param required: whether it must be set; ``oneof`` the strings that it allows, ``low`` and ``high`` its range.
    :param default: what the service fills in where the field is zero.
    """

    def __init__(
        self,
        key,
        name,
        kind="string",
        fields=None,
        pointer=False,
        omit_empty=False,
        required=False,
        oneof=None,
        low=None,
        high=None,
        default=None,
    ):
        self.key = key
        self.name = name
        self.kind = kind
        self.fields = fields
        self.pointer = pointer
        self.omit_empty = omit_empty
        self.required = required
        self.oneof = oneof
        self.low = low
        self.high = high
        self.default = default

    @property
    def zero(self):
        if self.pointer or self.kind in _NULLABLE:
            return None
        if self.fields:
            return {field.key: field.zero for field in self.fields}
        if self.kind == "bool":
            return False
        return "" if self.kind in ("string", "time.Time") else 0

    def read(self, value, struct, path):
        """Return the value as Go stores it.

        :param struct: name of the struct, for error texts.
        :param path: JSON path of the struct with a dot at its end.
        :raises BindError: for a value of another type.
        """
        if value is None:
            return self.zero
        where = f"Go struct field {struct}.{path + self.key} of type "
        if self.kind == "any":
            return value
        if self.fields:
            if not isinstance(value, dict):
                raise BindError(f"json: cannot unmarshal {_type_name(value)} into {where}types.{self.kind}")
            return read_fields(self.fields, value, self.kind, path + self.key + ".")
        if self.kind == "map[string]string":
            return _map_of_strings(value, where)
        if self.kind in ("[]string", "[]uint", "[]int32"):
            if not isinstance(value, list):
                raise BindError(f"json: cannot unmarshal {_type_name(value)} into {where}{self.kind}")
            return [_scalar(item, self.kind[2:], where) for item in value]
        return _scalar(value, self.kind, where)

    def complaint(self, value):
        """Return the tag of the first check that fails, or None."""
        present = value is not None if self.zero is None else value != self.zero
        if not present:
            return "required" if self.required else None
        if self.oneof and value not in self.oneof:
            return "oneof"
        size = len(value) if isinstance(value, (list, str)) else value
        if self.low is not None and size < self.low:
            return "gte" if not isinstance(value, str) else "min"
        if self.high is not None and size > self.high:
            return "lte" if not isinstance(value, str) else "max"
        return None


def _type_name(value):
    return "number" if isinstance(value, float) else _TYPE_NAMES[type(value)]


def _map_of_strings(value, where):
    if not isinstance(value, dict):
        raise BindError(f"json: cannot unmarshal {_type_name(value)} into {where}map[string]string")
    for item in value.values():
        if not isinstance(item, (str, type(None))):
            raise BindError(f"json: cannot unmarshal {_type_name(item)} into {where}string")
    return {key: item or "" for key, item in sorted(value.items())}


def _scalar(value, kind, where):
    if kind == "string" or kind == "time.Time":
        if not isinstance(value, str):
            raise BindError(f"json: cannot unmarshal {_type_name(value)} into {where}{kind}")
        if kind == "time.Time":
            parse_time(value)
        return value
    if kind == "bool":
        if not isinstance(value, bool):
            raise BindError(f"json: cannot unmarshal {_type_name(value)} into {where}{kind}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BindError(f"json: cannot unmarshal {_type_name(value)} into {where}{kind}")
    low, high = _INTEGERS[kind]
    if isinstance(value, float) or not low <= value <= high:
        text = value.text if isinstance(value, Number) else str(value)
        raise BindError(f"json: cannot unmarshal number {text} into {where}{kind}")
    return value


_NULLABLE = ("[]string", "[]uint", "[]int32", "map[string]string", "any")
_INTEGERS = {
    "int64": (-(2**63), 2**63 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "time.Duration": (-(2**63), 2**63 - 1),
    "uint": (0, 2**64 - 1),
    "uint64": (0, 2**64 - 1),
    "uint32": (0, 2**32 - 1),
    "uint8": (0, 2**8 - 1),
}


def read_fields(fields, document, struct, path=""):
    """Read a JSON object into a struct.

    :returns: dict of JSON key to value, zero values for what was not sent.
    :raises BindError: for a value of another type.
    """
    return {field.key: field.read(document.get(field.key), struct, path) for field in fields}


def complaints(fields, values, struct):
    """Return validator's message about a struct, with a line for each field that fails."""
    lines = []
    for field in fields:
        value = values[field.key]
        if field.fields and not field.pointer and field.omit_empty and value == field.zero:
            continue
        if field.fields and value is not None:
            lines += complaints(field.fields, value, f"{struct}.{field.name}")
            continue
        tag = field.complaint(value)
        if tag:
            lines.append(
                f"Key: '{struct}.{field.name}' Error:Field validation for '{field.name}' failed on the '{tag}' tag"
            )
    return lines


def bind(fields, document, struct):
    """Read and check a request.

    :param struct: the Go name of the request's type.
    :raises BindError: if gin would answer 422.
    """
    if not isinstance(document, dict):
        raise BindError(f"json: cannot unmarshal {_type_name(document)} into Go value of type types.{struct}")
    values = read_fields(fields, document, struct)
    lines = complaints(fields, values, struct)
    if lines:
        raise BindError("\n".join(lines))
    return values


def parse_uint(text):
    """Read a number in a path or query like strconv.ParseUint."""
    if not re.match(r"\d+$", text):
        raise BindError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) >= 2**64:
        raise BindError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def parse_int(text):
    """Read a number in a query like strconv.ParseInt."""
    if not re.match(r"[+-]?\d+$", text):
        raise BindError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if not -(2**63) <= int(text) < 2**63:
        raise BindError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return int(text)
