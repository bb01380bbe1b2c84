# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Platforms, and the manifests of an index for a requested one."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._platforms import (
    check_platform,
    matching_platforms,
    runs_on,
)


@pytest.mark.parametrize("text", ["linux/amd64", "linux/arm64/v8", "windows/amd64", "linux/arm/v7"])
def test_platforms(text):
    assert check_platform(text) == text


@pytest.mark.parametrize("text", ["", "linux", "linux/", "Linux/amd64", "linux/amd64/", "linux /amd64", "a/b/c/d"])
def test_platforms_that_are_not_valid(text):
    with pytest.raises(InputError):
        check_platform(text)


@pytest.mark.parametrize("text", [" linux/amd64", "linux/amd64\r\n", "\ufefflinux/amd64"])
def test_white_space_around_a_platform_does_not_count(text):
    assert check_platform(text) == "linux/amd64"


ARM = ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"]


@pytest.mark.parametrize(
    "requested, offered, needed",
    [
        # Releases after 2.5.1 accept 386, too.
        ("linux/amd64", ["linux/amd64", "linux/386", "linux/arm64"], ["linux/amd64"]),
        # Releases up to 2.5.1 accept every variant.
        ("linux/amd64", ["linux/amd64", "linux/amd64/v3"], ["linux/amd64"]),
        ("linux/amd64", ["linux/amd64/v1", "linux/amd64/v2"], ["linux/amd64/v1"]),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], ["linux/amd64", "linux/amd64/v2"]),
        ("linux/amd64/v2", ["linux/amd64", "linux/amd64/v2"], ["linux/amd64/v2"]),
        ("linux/arm64", ["linux/arm64/v8", *ARM], ["linux/arm64/v8"]),
        ("linux/arm64", ["linux/arm64", "linux/arm64/v8", "linux/arm64/v9"], ["linux/arm64", "linux/arm64/v8"]),
        ("linux/arm64/v8", ["linux/arm64", "linux/arm64/v9"], ["linux/arm64"]),
        ("linux/arm64/v9", ["linux/arm64/v8", "linux/arm64/v9"], ["linux/arm64/v9"]),
        ("linux/arm", [*ARM, "linux/arm/v8"], ARM),
        ("linux/arm/v7", ARM, ["linux/arm/v7"]),
        ("linux/arm/v6", ARM, ["linux/arm/v6"]),
        ("linux/arm/v8", ARM, ARM),
        # Only one rule finds something: what hosts pull first.
        ("linux/amd64", ["linux/386", "windows/amd64"], ["linux/386"]),
        ("linux/arm64", [*ARM, "linux/amd64"], ARM),
        ("linux/arm/v6", ["linux/arm/v7"], ["linux/arm/v7"]),
        ("linux/386", ["linux/amd64"], []),
        ("windows/amd64", ["linux/amd64", ""], []),
        ("linux/x86_64", ["linux/amd64"], ["linux/amd64"]),
        ("linux/aarch64", ["linux/arm64/v8"], ["linux/arm64/v8"]),
        ("linux/riscv64", ["linux/riscv64"], ["linux/riscv64"]),
    ],
)
def test_what_of_an_index_is_needed(requested, offered, needed):
    assert matching_platforms(requested, offered) == set(needed)


@pytest.mark.parametrize(
    "image, requested, answer",
    [
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/arm/v6", "linux/arm/v7", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/386", "linux/amd64", True),
        ("linux/amd64", "linux/386", False),
        ("linux/arm/v7", "linux/arm64", True),
        ("linux/amd64", "linux/arm64", False),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_images_that_run_on_a_platform(image, requested, answer):
    assert runs_on(image, requested) is answer
