# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Possible effects of a failed request."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    ApiError,
    DragonflyError,
    GarbledError,
    InputError,
    TransportError,
    may_have_been_applied,
)


@pytest.mark.parametrize(
    "error, expected",
    [
        (TransportError("m", "timeout", "POST /", sent=True), True),
        (TransportError("m", "refused", "POST /", sent=False), False),
        (GarbledError("m", "garbled", "POST /"), True),
        (GarbledError("m", "not_a_manager", "POST /"), False),
        (ApiError("m", "server_error", "POST /", 502), True),
        (ApiError("m", "server_error", "POST /", 503), True),
        (ApiError("m", "server_error", "POST /", 504), True),
        (ApiError("m", "refused", "POST /", 103), True),
        (ApiError("m", "server_error", "POST /", 500), False),
        (ApiError("m", "conflict", "POST /", 409), False),
        (InputError("m"), False),
    ],
)
def test_a_failed_request_may_have_been_applied(error: DragonflyError, expected: bool) -> None:
    assert may_have_been_applied(error) is expected


def test_an_explained_error_keeps_what_came_back() -> None:
    error = ApiError("m", "refused", "POST /", 500, "x509: unknown authority").explained("registry_tls", "m: meaning")
    assert (error.reason, error.message) == ("registry_tls", "m: meaning")
    assert (error.request, error.status, error.answer_text) == ("POST /", 500, "x509: unknown authority")
