# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP request in bounded time and memory, with the standard library alone.

The timeout of a socket applies to each read, so a server that sends a byte now and then keeps a request alive forever.
Here, the timeout of the socket is set to the remaining time before each read.

PRIVATE to the collection.
"""

from __future__ import annotations

import io
import socket
import time
import typing as t

#: Bytes of the headers of an answer, with those of interim answers (1xx) before it. http.client takes 100 headers of
#: 64 KiB, and any number of interim answers.
_HEADER_BYTES = 256 * 1024


class TooManyBytes(OSError):
    """More came than an answer may have."""


class Attempt:
    """One request under way.

    :param timeout: seconds in which it must be over.
    :param connect_timeout: seconds in which it must have a connection.
    :ivar timeout: see above.
    :ivar sent: whether the server can have seen anything of it.
    """

    def __init__(self, timeout: float, connect_timeout: float) -> None:
        now = time.monotonic()
        self.timeout = timeout
        self.sent = False
        self._deadline = now + timeout
        self._connect_deadline = now + connect_timeout
        self._bytes_left = _HEADER_BYTES

    def time_left(self, connecting: bool = False) -> float:
        """Return the seconds that are left.

        :raises socket.timeout: if none are.
        """
        seconds = (self._connect_deadline if connecting else self._deadline) - time.monotonic()
        if seconds <= 0:
            raise socket.timeout("timed out")
        return seconds

    def expect(self, count: int) -> None:
        """Allow so many more bytes on the wire."""
        self._bytes_left = count

    def count(self, received: int) -> None:
        """Count bytes that came.

        :raises TooManyBytes: if they are more than were expected.
        """
        self._bytes_left -= received
        if self._bytes_left < 0:
            raise TooManyBytes()


class _TimedReader(io.RawIOBase):
    """Reads from a socket no longer than an attempt may take, and no more than it expects."""

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        super().__init__()
        self._sock = sock
        self._file: t.Any = sock.makefile("rb", buffering=0)
        self._attempt = attempt

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        self._sock.settimeout(self._attempt.time_left())
        received = self._file.readinto(buffer) or 0
        self._attempt.count(received)
        return received

    def close(self) -> None:
        self._file.close()
        super().close()


class TimedSocket:
    """What http.client needs of a socket to read an answer from it."""

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the file from which http.client reads."""
        return io.BufferedReader(_TimedReader(self._sock, self._attempt))


def open_socket(host: str, port: int, attempt: Attempt, options: t.Iterable[tuple[t.Any, ...]] = ()) -> socket.socket:
    """Return a connected socket, with as much time for all addresses of the host together as the attempt has.

    :param options: arguments of ``setsockopt``.
    :raises OSError: if no address can be reached.
    """
    problem = OSError("the name has no address")
    for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(attempt.time_left(connecting=True))
            sock.connect(address)
            # The handshake of TLS has what is left.
            sock.settimeout(attempt.time_left(connecting=True))
            return sock
        except OSError as exc:
            problem = exc
            sock.close()
    raise problem
