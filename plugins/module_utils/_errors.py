# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Typed errors. Messages state what was requested, what came back and what to do."""

from __future__ import annotations

#: Start of the last sentence of a message.
_REMEDY = " What to do:"


class DragonflyError(Exception):
    """An error that ends a task with a message instead of a traceback.

    :param message: complete text for the user, without secrets.
    :param reason: stable code for ``rescue`` blocks and tests.
    :param request: verb and URL, such as ``POST http://manager:8080/oapi/v1/jobs``; None if nothing was requested.
    :param status: HTTP status, None without a response.
    """

    def __init__(self, message: str, reason: str, request: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.request = request
        self.status = status

    @property
    def problem(self) -> str:
        """The message without the remedy and the full stop, to embed it in another message."""
        return self.message.partition(_REMEDY)[0].rstrip(".")


class InputError(DragonflyError):
    """An option is not valid. Raised before any request."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "bad_input")


class TransportError(DragonflyError):
    """The response is missing or incomplete.

    :param sent: False if the server cannot have received the request, so repeating it is safe.
    """

    def __init__(self, message: str, reason: str, request: str, sent: bool) -> None:
        super().__init__(message, reason, request)
        self.sent = sent


class GarbledError(DragonflyError):
    """The response cannot be from a Dragonfly manager or a registry: HTML, malformed JSON, wrong types, too large."""

    def __init__(self, message: str, reason: str, request: str | None = None, status: int | None = None) -> None:
        if _REMEDY not in message:
            message += f"{_REMEDY} check the URL, and the proxies and other servers in front of it."
        super().__init__(message, reason, request, status)


class ApiError(DragonflyError):
    """The status of the response reports an error.

    :param answer_text: the server's message, for comparisons.
    """

    status: int

    def __init__(self, message: str, reason: str, request: str | None, status: int, answer_text: str = "") -> None:
        super().__init__(message, reason, request, status)
        self.answer_text = answer_text

    def explained(self, reason: str, message: str) -> ApiError:
        """Return the error with another reason and message, if the meaning of the response is known."""
        return ApiError(message, reason, self.request, self.status, self.answer_text)

    def with_meaning(self, reason: str, meaning: str) -> ApiError:
        """Return the error with the meaning of the response instead of the general remedy for its status.

        :param meaning: meaning and remedy, without a full stop.
        """
        return self.explained(reason, f"{self.message.partition(_REMEDY)[0]} This means: {meaning}.")


def may_have_been_applied(error: DragonflyError) -> bool:
    """Return whether the server may have applied a failed request, because only its response was lost.

    A gateway responds with 502, 503 or 504 if it loses the response of the server behind it. After an interim response
    (1xx), the final one is not read.
    """
    if isinstance(error, TransportError):
        return error.sent
    if isinstance(error, GarbledError):
        return error.reason != "not_a_manager"
    return isinstance(error, ApiError) and (error.status < 200 or error.status in (502, 503, 504))
