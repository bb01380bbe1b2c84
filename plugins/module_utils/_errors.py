# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors that people read: what was requested, what came back, what to do.

PRIVATE to the collection.
"""

from __future__ import annotations

#: What the last sentence of a message begins with.
_REMEDY = " What to do:"


class DragonflyError(Exception):
    """Any failure that ends a task with a message instead of a traceback.

    :param message: the whole text for the user, without secrets.
    :param reason: a stable code, for ``rescue`` blocks and tests.
    :param request: verb and URL, such as ``POST http://manager:8080/oapi/v1/jobs``; None where nothing was requested.
    :param status: the HTTP status that came back; None where no answer came.
    """

    def __init__(self, message: str, reason: str, request: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.request = request
        self.status = status

    @property
    def problem(self) -> str:
        """The message without the remedy and the full stop, to be part of another message with a remedy."""
        return self.message.partition(_REMEDY)[0].rstrip(".")


class InputError(DragonflyError):
    """An option that makes no sense, found before anything is sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "bad_input")


class TransportError(DragonflyError):
    """There is no complete response.

    :param sent: False if the server cannot have received the request, so it is safe to send it again.
    """

    def __init__(self, message: str, reason: str, request: str, sent: bool) -> None:
        super().__init__(message, reason, request)
        self.sent = sent


class GarbledError(DragonflyError):
    """An answer came that no Dragonfly manager or registry gives: HTML, broken JSON, wrong types, too much."""

    def __init__(self, message: str, reason: str, request: str | None = None, status: int | None = None) -> None:
        if _REMEDY not in message:
            message += f"{_REMEDY} check the URL, and the proxies and other servers in front of it."
        super().__init__(message, reason, request, status)


class ApiError(DragonflyError):
    """The server answered with a status that means no.

    :param answer_text: what the server said, for matching.
    """

    status: int

    def __init__(self, message: str, reason: str, request: str | None, status: int, answer_text: str = "") -> None:
        super().__init__(message, reason, request, status)
        self.answer_text = answer_text

    def explained(self, reason: str, message: str) -> ApiError:
        """Return the same error with another reason and message, because it is known what the answer means."""
        return ApiError(message, reason, self.request, self.status, self.answer_text)

    def with_meaning(self, reason: str, meaning: str) -> ApiError:
        """Return the same error with what the answer means, in place of what to do about any such status.

        :param meaning: without a full stop, and with what to do.
        """
        return self.explained(reason, f"{self.message.partition(_REMEDY)[0]} This means: {meaning}.")


def may_have_been_applied(error: DragonflyError) -> bool:
    """Return whether a server may have done what a request wanted though it failed so: its answer was lost.

    A gateway answers 502, 503 or 504 where it lost the answer of the server behind it.
    """
    if isinstance(error, TransportError):
        return error.sent
    if isinstance(error, GarbledError):
        return error.reason != "not_a_manager"
    return isinstance(error, ApiError) and error.status in (502, 503, 504)
