# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list is read row by row, wherever the network cuts it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import GarbledError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._json_rows import rows
from hypothesis import given
from hypothesis import strategies as st

LEAF = st.none() | st.booleans() | st.integers() | st.text(alphabet='"\\{}[],: aé€\n', max_size=6) | st.just('},{"id":')
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "a", '"']), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(
    st.builds(
        lambda number, rest: dict({"id": number}, **rest),
        st.integers(0, 9),
        st.dictionaries(st.sampled_from(["x", "id2"]), VALUE, max_size=2),
    ),
    max_size=4,
)
#: As the manager writes it, and as others might.
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
    assert list(rows((body[one : one + 1] for one in range(len(body))), "GET /")) == wanted


def test_a_row_comes_as_soon_as_it_is_there():
    def chunks():
        yield b'[{"id":1},{"id":'
        raise AssertionError("the first row needs no more than this")

    assert next(rows(chunks(), "GET /")) == {"id": 1}


def test_rows_are_not_kept():
    """What was given is forgotten: a long list needs the memory of one row."""
    chunks = [b'[{"id":0}'] + [b',{"id":%d}' % number for number in range(1, 1000)] + [b"]"]
    read = rows(chunks, "GET /")
    longest = 0
    for number, row in enumerate(read):
        assert row["id"] == number
        frame = read.gi_frame  # None once it has ended
        longest = max(longest, len(getattr(frame, "f_locals", {"buffer": ""})["buffer"]))
    assert number == 999 and longest < 100


@pytest.mark.parametrize("body", [b"[]", b"null", b" [ ] ", b" null\n", b" " * 100 + b"[]"])
def test_no_rows(body):
    assert list(rows([body], "GET /")) == []


def test_a_second_document_is_ignored():
    assert list(rows([b'[{"id":1},{"id":2}]{"message":"x"}'], "GET /")) == [{"id": 1}, {"id": 2}]
    assert list(rows([b'[{"id":1}][{"id":2}]'], "GET /")) == [{"id": 1}]


@pytest.mark.parametrize(
    "body, words",
    [
        (b"", "not JSON that can be read"),
        (b"   ", "not JSON that can be read"),
        (b"<html>", "not JSON that can be read"),
        (b'[{"id":1},{"id":2}', "not JSON that can be read"),
        (b'[{"id":1},{"id":', "not JSON that can be read"),
        (b"[" * 100000, "not JSON that can be read"),
        (b'{"message": "x"}', "is no list"),
        (b'"[]"', "is no list"),
        (b"5", "is no list"),
        (b"[1]", "no list of objects"),
        (b'[[],{"id":1},{"id":2}]', "no list of objects"),
    ],
)
def test_garbage(body, words):
    for chunks in ([body], [body[one : one + 1] for one in range(min(len(body), 100))] + [body[100:]]):
        with pytest.raises(GarbledError) as caught:
            list(rows(chunks, "GET /oapi/v1/jobs"))
        assert words in caught.value.message and caught.value.message.startswith("GET /oapi/v1/jobs: ")
        assert caught.value.reason == "garbled"
