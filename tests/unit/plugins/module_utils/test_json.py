# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list is read row by row, wherever the network splits it."""

from __future__ import annotations

import itertools
import json
import time
import tracemalloc

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import GarbledError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._json import decode_json, decode_strict, rows
from hypothesis import given
from hypothesis import strategies as st

LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.text(alphabet='"\\{}[],: aé€\n', max_size=6)
    | st.just('},{"id":')
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "a", '"']), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(
    st.builds(
        lambda number, keys: dict({"id": number}, **keys),
        st.integers(0, 9),
        st.dictionaries(st.sampled_from(["x", "id2"]), VALUE, max_size=2),
    ),
    max_size=4,
)
#: In the manager's format, and in other possible ones.
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": ")])


def cut(body, places):
    places = sorted({place % (len(body) + 1) for place in places})
    return [body[a:b] for a, b in zip([0] + places, places + [len(body)])]


@given(ROWS, SEPARATORS, st.booleans(), st.lists(st.integers(0, 10**6), max_size=8), st.sampled_from([b"", b" \n"]))
def test_any_cut_gives_the_same_rows(wanted, separators, ascii_only, places, space):
    body = space + json.dumps(wanted, separators=separators, ensure_ascii=ascii_only).encode("utf-8")
    assert list(rows(cut(body, places), "GET /")) == wanted


def test_every_single_cut():
    wanted = [{"id": 1, "jobs": [{"id": 2}, {"id": 3}]}, {"id": 4, "text": '},{"id":'}, {"id": 5}]
    body = json.dumps(wanted, separators=(",", ":")).encode("utf-8")
    for place in range(len(body) + 1):
        assert list(rows([body[:place], body[place:]], "GET /")) == wanted
    assert list(rows((body[index : index + 1] for index in range(len(body))), "GET /")) == wanted


def test_a_row_comes_as_soon_as_it_is_there():
    def chunks():
        yield b'[{"id":1},{"id":'
        raise AssertionError("the first row needs no more than this")

    assert next(rows(chunks(), "GET /")) == {"id": 1}


def test_rows_are_not_kept():
    """Returned rows are released: a long list needs the memory of a few rows."""
    count = 4000
    chunks = (b'%s{"id":%d,"text":"%s"}' % (b"," if number else b"[", number, b"x" * 50_000) for number in range(count))
    tracemalloc.start()
    numbers = [row["id"] for row in rows(itertools.chain(chunks, [b"]"]), "GET /")]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert numbers == list(range(count))
    assert peak < 2_000_000


@pytest.mark.parametrize("body", [b"[]", b"null", b" [ ] ", b" null\n", b" " * 100 + b"[]"])
def test_no_rows(body):
    assert list(rows([body], "GET /")) == []


def test_a_second_document_is_ignored():
    assert list(rows([b'[{"id":1},{"id":2}]{"message":"x"}'], "GET /")) == [{"id": 1}, {"id": 2}]
    assert list(rows([b'[{"id":1}][{"id":2}]'], "GET /")) == [{"id": 1}]


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "not JSON that can be read"),
        (b"   ", "not JSON that can be read"),
        (b"<html>", "not JSON that can be read"),
        (b'[{"id":1},{"id":2}', "not JSON that can be read"),
        (b'[{"id":1},{"id":', "not JSON that can be read"),
        (b"[" * 100000, "not JSON that can be read"),
        (b'{"message": "x"}', "is not a list"),
        (b'"[]"', "is not a list"),
        (b"5", "is not a list"),
        (b"[1]", "not a list of objects"),
        (b'[[],{"id":1},{"id":2}]', "not a list of objects"),
    ],
)
def test_garbage(body, message):
    for chunks in ([body], [body[index : index + 1] for index in range(min(len(body), 100))] + [body[100:]]):
        with pytest.raises(GarbledError) as caught:
            list(rows(chunks, "GET /oapi/v1/jobs"))
        assert message in caught.value.message
        assert caught.value.message.startswith("GET /oapi/v1/jobs: ")
        assert caught.value.reason == "garbled"


# Limits


def in_chunks(body, size=65536):
    return (body[start : start + size] for start in range(0, len(body), size))


LARGE_ROWS = {
    "a row": b'[{"id":1,"x":"' + b"a" * 20_000_000,
    "a row of rows": b'[{"id":1,"x":[' + b'{"id":1},{"id":1},' * 1_000_000,
    "a row of lists": b'[{"id":1,"x":[' + b"[]," * 6_000_000,
    "many rows": b"[" + b'{"id":1},' * 6000,
    "wide characters": b'[{"id":1,"x":"' + "\U0001f600".encode() + b"a" * 10_000_000,
    "no list": b"7" * 20_000_000,
}


@pytest.mark.parametrize("kind", LARGE_ROWS)
def test_rows_that_are_too_large(kind):
    start = time.process_time()
    tracemalloc.start()
    with pytest.raises(GarbledError) as caught:
        list(rows(in_chunks(LARGE_ROWS[kind]), "GET /jobs"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == "too_large"
    assert "GET /jobs: the response is too large: " in caught.value.message
    assert peak < 150_000_000
    # Quadratic time would be hours.
    assert time.process_time() - start < 20


def test_a_large_row_that_is_none_too_many():
    wanted = [{"id": 1, "x": [{"id": number, "text": "x" * 100} for number in range(50_000)]}, {"id": 2}]
    assert list(rows(in_chunks(json.dumps(wanted, separators=(",", ":")).encode()), "GET /")) == wanted


@pytest.mark.parametrize("text", ["[" + "[]," * 1_000_000 + "1]", '"\U0001f600' + "a" * 9_000_000 + '"'])
def test_documents_that_take_too_much_memory(text):
    with pytest.raises(GarbledError) as caught:
        decode_json(text, "GET /")
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    "number", ["9" * 21, "-" + "9" * 30, "9" * 1_000_000, "NaN", "Infinity", "-Infinity", "1e400", "-1e400"]
)
def test_numbers_that_nobody_writes(number):
    start = time.process_time()
    for read in (lambda body: decode_json(body.decode(), "GET /"), lambda body: list(rows([body], "GET /"))):
        with pytest.raises(GarbledError):
            read(b'[{"id": %s}]' % number.encode())
    assert time.process_time() - start < 0.5


# Documents that all readers must understand in the same way


@pytest.mark.parametrize(
    "body, message",
    [
        (b'{"layers": [], "layers": [1]}', "it has a key twice"),
        (b'{"config": {"a": {"digest": 1, "digest": 2}}}', "it has a key twice"),
        (b'{"size": NaN}', "NaN is not JSON"),
        (b'{"size": -Infinity}', "-Infinity is not JSON"),
        (b'{"size": ' + b"9" * 100000 + b"}", "the number is too long"),
        (b"[" * 100000, "nested too deeply"),
        (b"{} {}", "Extra data"),
        (b"\xff{}", "codec"),
        (b"", "Expecting value"),
    ],
)
def test_json_that_is_not_read(body, message):
    with pytest.raises(ValueError) as caught:
        decode_strict(body, "GET /x")
    assert message in str(caught.value)


def test_a_document_that_would_take_much_memory():
    body = b"[" + b"{}," * 1_000_000 + b"{}]"
    with pytest.raises(GarbledError) as caught:
        decode_strict(body, "GET /x")
    assert caught.value.reason == "too_large"
    assert decode_strict(b' {"a": [1, 2.5, null]}\n', "GET /x") == {"a": [1, 2.5, None]}
