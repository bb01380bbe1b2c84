# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdicts are those of Go 1.26 (regexp) and of Rust's regex 1.13, which were asked about each pattern.

``(?<n>`` is the exception: Go knows it since 1.22, but the Go clients were built with older ones.
"""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._regex import first_match, regex_error, regex_found

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
NEITHER = [
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
    r"[\d-z]x[a-\d]",
    "*a",
    "a|*",
    "(+)",
    "a{2,1}",
    r"\Z",
    r"\C",
    r"[\b]",
    r"\x4",
    r"\p",
    "\\",
    "[:alpha:",
    "(?P<>a)",
    "(?z)a",
    "(?",
    "\\\u00e9",
]


@pytest.mark.parametrize("engine", ["go", "rust"])
@pytest.mark.parametrize("pattern", GO_AND_RUST)
def test_both_compile(pattern, engine):
    assert regex_error(pattern, engine) is None


@pytest.mark.parametrize("pattern", GO_ONLY)
def test_only_go_compiles(pattern):
    assert regex_error(pattern, "go") is None
    assert regex_error(pattern, "rust")


@pytest.mark.parametrize("pattern", RUST_ONLY)
def test_only_rust_compiles(pattern):
    assert regex_error(pattern, "rust") is None
    assert regex_error(pattern, "go")


@pytest.mark.parametrize("engine", ["go", "rust"])
@pytest.mark.parametrize("pattern", NEITHER)
def test_neither_compiles(pattern, engine):
    assert regex_error(pattern, engine)


def test_the_reason_names_what_is_missing():
    assert regex_error("a(?=b)", "go") == "(?=: it has no lookahead"
    assert regex_error(r"(a)\1", "rust") == r"\1: it has no backreferences"


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("blobs/sha256.*", True),
        ("manifests", False),
        (r"/v2/library/[a-z]+/blobs", True),
        # Python reads these otherwise than the clients do, or not at all.
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
    assert first_match(["manifests", r"\pL", "blobs"], "/blobs/") == 1
    assert first_match(["manifests", "blobs"], "/blobs/") == 1
    assert first_match(["manifests"], "/blobs/") is None
