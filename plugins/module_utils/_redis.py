# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Redis' protocol (RESP) that checking a login requires: commands of texts, and their responses."""

from __future__ import annotations

import ssl
import typing as t

from ._attempt import Attempt, TimedSocket, open_socket

#: Limit in bytes of a text. The responses to the commands used here are far shorter.
_MAX_LENGTH = 256 * 1024


class RedisError(Exception):
    """Redis returned an error.

    :ivar code: its first word, such as ``WRONGPASS``, ``NOAUTH``, ``NOPERM`` or ``ERR``; ``MAXCLIENTS`` if the server
        has too many connections.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotRedisError(Exception):
    """The server does not use the protocol of Redis."""


class RedisConnection:
    """A connection to a server, with limited time and received bytes. The caller must close it."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext | None) -> None:
        """Connect.

        :param timeout: time limit of the connection and all commands in seconds.
        :param context: TLS context, None without TLS.
        :raises OSError: if the server cannot be reached, including ssl.SSLError.
        """
        attempt = Attempt(timeout, timeout)
        plain = open_socket(host, port, attempt)
        self._socket = plain
        try:
            if context is not None:
                self._socket = context.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise
        self._reader = TimedSocket(self._socket, attempt).makefile("rb")

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()
        self._socket.close()

    def __enter__(self) -> RedisConnection:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def call(self, *command: str) -> t.Any:
        """Send a command and return the response: text, int, list or None.

        :raises RedisError: if Redis returns an error.
        :raises NotRedisError: if the response is not valid.
        :raises OSError: if there is no response.
        """
        arguments = [argument.encode("utf-8") for argument in command]
        parts = [b"*%d\r\n" % len(arguments), *(b"$%d\r\n%s\r\n" % (len(argument), argument) for argument in arguments)]
        self._socket.sendall(b"".join(parts))
        return self._answer()

    def log_in(self, username: str, password: str) -> None:
        """Log in if a password is given: as the user, or else as the default user."""
        if password:
            self.call("AUTH", *([username] if username else []), password)

    def _line(self) -> bytes:
        line = self._reader.readline()
        if not line:
            raise ConnectionResetError("the server closed the connection")
        if not line.endswith(b"\r\n"):
            raise NotRedisError()
        return line[:-2]

    def _answer(self, depth: int = 0) -> t.Any:
        line = self._line()
        kind, text = line[:1], line[1:].decode("utf-8", "replace")
        if kind == b"+":
            return text
        if kind == b"-":
            raise RedisError(_error_code(text))
        if kind not in (b":", b"$", b"*") or depth > 4:
            raise NotRedisError()
        number = _number(text)
        return number if kind == b":" else self._content(kind, number, depth)

    def _content(self, kind: bytes, length: int, depth: int) -> t.Any:
        if length < 0:
            return None
        return self._text(length) if kind == b"$" else self._items(length, depth)

    def _text(self, length: int) -> str:
        if length > _MAX_LENGTH:
            raise NotRedisError()
        content = self._reader.read(length + 2)
        if len(content) != length + 2:
            raise ConnectionResetError("the server closed the connection")
        return content[:-2].decode("utf-8", "replace")

    def _items(self, number: int, depth: int) -> list[t.Any]:
        return [self._answer(depth + 1) for _index in range(number)]


def _error_code(text: str) -> str:
    """Return the code of an error.

    The message for too many connections begins with ERR (acceptCommonHandler in src/networking.c of Redis 7).
    """
    return "MAXCLIENTS" if text.startswith("ERR max number of clients") else text.partition(" ")[0]


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise NotRedisError() from None


def info_fields(answer: t.Any) -> dict[str, str]:
    """Return the fields in a response to INFO."""
    lines = answer.splitlines() if isinstance(answer, str) else []
    return dict(line.partition(":")[::2] for line in lines if ":" in line)
