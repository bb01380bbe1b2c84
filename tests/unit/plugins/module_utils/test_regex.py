# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expected verdicts are those of Go 1.26 (regexp) and of Rust's regex 1.13 about each pattern.

Patterns that an engine compiles are never rejected. Of the others, the usual mistakes are; the client rejects the rest.

``(?<n>`` is the exception: Go supports it since 1.22, but the Go clients were built with older releases.
"""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._regex import first_match, regex_error, regex_found

GO_AND_RUST = [
    "blobs/sha256.*",
    "(blobs|manifests|config)/sha256.*",
    r"https://ghcr\.io/v2/.*/blobs/sha256:[0-9a-f]{64}",
    "",
    "a||b",
    "()",
    "(?i)blobs",
    "a(?i:b)c",
    "(?P<name>a)",
    "[]a]",
    "[^]a]",
    "[a-]",
    "[a-c-e]",
    r"[\d_-]",
    "[[:alpha:]]",
    r"\pL\p{Greek}",
    r"\x41\x{1F600}",
    r"\z",
    r"\.\/\-\_\ ",
    "a{2}b{2,}c{1,3}",
    "a+?b*?c??",
    "^*",
    "}",
    "]",
    "[a-z&&[^aeiou]]",
    r"\<a\>",
]
GO_ONLY = [r"\Qa+b\E", r"\012", r"\12", "a{", "{,3}", "a{b}", "[[a]", "b(?i)+", "(?P<1>a)"]
RUST_ONLY = ["a**", "a{2}{3}", "a{1001}", r"\u0041", "(?x) a b", "(?<name>a)", "[[:nothing:]]"]
REFUSED = [
    "a(?=b)",
    "a(?!b)",
    "(?<=a)b",
    "(?<!a)b",
    r"(a)\1",
    "(?P=name)",
    "(?>a)",
    "(a",
    "a)",
    "[a",
    "[z-a]",
    r"[a-\d]",
    "*a",
    "a|*",
    "(+)",
    "a{2,1}",
    r"\Z",
    r"\x4",
    "\\",
    r"blobs\y",
]
LEFT_TO_THE_CLIENT = [r"\C", r"[\b]", r"\p", "[:alpha:", "(?P<>a)", "(?z)a", "(?", "\\\u00e9"]


@pytest.mark.parametrize("engine", ["go", "rust"])
@pytest.mark.parametrize("pattern", GO_AND_RUST)
def test_both_compile(pattern, engine):
    assert regex_error(pattern, engine) is None


@pytest.mark.parametrize("pattern", GO_ONLY)
def test_what_go_compiles_is_not_refused(pattern):
    assert regex_error(pattern, "go") is None


@pytest.mark.parametrize("pattern", RUST_ONLY)
def test_what_rust_compiles_is_not_refused(pattern):
    assert regex_error(pattern, "rust") is None


@pytest.mark.parametrize("engine", ["go", "rust"])
@pytest.mark.parametrize("pattern", REFUSED)
def test_the_usual_mistakes_are_refused(pattern, engine):
    assert regex_error(pattern, engine)


@pytest.mark.parametrize("engine", ["go", "rust"])
@pytest.mark.parametrize("pattern", LEFT_TO_THE_CLIENT)
def test_the_rest_is_left_to_the_client(pattern, engine):
    regex_error(pattern, engine)  # Both verdicts are fine, an exception is not.


@pytest.mark.parametrize("engine", ["go", "rust"])
@pytest.mark.parametrize("pattern", [r"\(?=a\)", "[(?=]", r"\\1", r"a\\Z", "[(?!]a"])
def test_what_only_resembles_a_mistake_is_not_refused(pattern, engine):
    assert regex_error(pattern, engine) is None


def test_the_reason_names_what_is_missing():
    assert regex_error("a(?=b)", "go") == "it does not support lookahead and lookbehind"
    assert regex_error(r"(a)\1", "rust") == "it does not support backreferences"


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("blobs/sha256.*", True),
        ("manifests", False),
        (r"/v2/library/[a-z]+/blobs", True),
        # Python reads these differently from the clients, or not at all.
        (r"\pL", None),
        (r"blobs\z", None),
        ("[[:alpha:]]", None),
        ("a(?i)b", None),
        (r"\Qblobs\E", None),
        ("[[a]", None),
    ],
)
def test_found(pattern, expected):
    assert regex_found(pattern, "https://index.docker.io/v2/library/app/blobs/sha256:00") is expected


def test_first_match_takes_a_pattern_that_may_match():
    assert first_match({0: "manifests", 2: r"\pL", 3: "blobs"}, "/blobs/") == 2
    assert first_match({0: "manifests", 1: "blobs"}, "/blobs/") == 1
    assert first_match({0: "manifests"}, "/blobs/") is None
