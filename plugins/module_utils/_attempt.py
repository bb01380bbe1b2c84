# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP request in bounded time and memory, with the standard library only.

The timeout of a socket applies to each read, so a server that occasionally sends a byte keeps a request alive forever.
Therefore the timeout of the socket is set to the remaining time before each read.

A single read of TLS can last forever, too: OpenSSL reads session tickets until other data arrives. Therefore a timer
shuts the connection down at the end of the time.
"""

from __future__ import annotations

import io
import os
import socket
import ssl
import threading
import time
import typing as t
from http.client import HTTPResponse

#: Limit in bytes of the headers of a response, including interim responses (1xx). http.client accepts 100 headers of
#: 64 KiB, and any number of interim responses.
_HEADER_BYTES = 256 * 1024


class TooManyBytes(OSError):
    """The response exceeds its limit."""


class Attempt:
    """A request in progress.

    :param timeout: time limit in seconds.
    :param connect_timeout: time limit of the connection in seconds.
    :ivar timeout: as above.
    :ivar sent: whether the server may have received any part of the request.
    """

    def __init__(self, timeout: float, connect_timeout: float) -> None:
        now = time.monotonic()
        self.timeout = timeout
        self.sent = False
        self._deadline = now + timeout
        self._connect_deadline = now + connect_timeout
        self._bytes_left = _HEADER_BYTES

    def time_left(self, connecting: bool = False) -> float:
        """Return the remaining seconds.

        :raises socket.timeout: if no time is left.
        """
        seconds = (self._connect_deadline if connecting else self._deadline) - time.monotonic()
        if seconds <= 0:
            raise socket.timeout("timed out")
        return seconds

    def start_timer(self, current_socket: t.Callable[[], t.Any]) -> threading.Timer:
        """Return a running timer that shuts a connection down at the end of the time, unless it is cancelled."""
        timer = threading.Timer(self.time_left(), lambda: _shut_down(current_socket()))
        timer.daemon = True
        timer.start()
        return timer

    def expect(self, count: int) -> None:
        """Raise the limit of bytes on the wire."""
        self._bytes_left = count

    def count(self, received: int) -> None:
        """Count received bytes.

        :raises TooManyBytes: if they exceed the limit.
        """
        self._bytes_left -= received
        if self._bytes_left < 0:
            raise TooManyBytes()


def _is_plain(sock: t.Any) -> bool:
    """Return whether a socket has no TLS. That of TLS within TLS is not a ``socket.socket``."""
    return isinstance(sock, socket.socket) and not isinstance(sock, ssl.SSLSocket)


def _shut_down(sock: t.Any) -> None:
    """End the reads of other threads from a socket."""
    try:
        # A socket of TLS within TLS has no method shutdown, and that of TLS would then read as if without TLS.
        with socket.socket(fileno=os.dup(sock.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
    except (OSError, AttributeError):
        # It is closed already.
        pass


class _TimedReader(io.RawIOBase):
    """Reads from a socket within the limits of an attempt."""

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        super().__init__()
        self._sock = sock
        self._file: t.Any = sock.makefile("rb", buffering=0)
        self._attempt = attempt
        self._timer = None if _is_plain(sock) else attempt.start_timer(lambda: sock)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        self._sock.settimeout(self._attempt.time_left())
        try:
            received = self._file.readinto(buffer) or 0
        finally:
            # The timer ends a read without an error, or with that of a closed connection.
            self._attempt.time_left()
        self._attempt.count(received)
        return received

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._file.close()
        super().close()


class TimedSocket:
    """The part of the socket interface that http.client needs to read a response."""

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the file that http.client reads."""
        return io.BufferedReader(_TimedReader(self._sock, self._attempt))


class FinalResponse(HTTPResponse):
    """A response that skips all interim responses. http.client skips only those with the status 100.

    It returns a 103, and reads the final response as that of the next request on the connection.
    """

    def _read_status(self) -> tuple[int, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, 100 if 102 <= status < 200 else status, reason


def resolve(host: str, port: int | None, seconds: float) -> list[t.Any]:
    """Return what ``socket.getaddrinfo`` returns for connections over TCP, within some seconds.

    A name server that does not respond, or the one of a hostile domain, can take far longer. Only a thread that is left
    behind ends that wait.

    :raises OSError: if the name cannot be resolved in time.
    """
    answers: list[list[t.Any] | Exception] = []

    def look_up() -> None:
        try:
            answers.append(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            answers.append(exc)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    answer = answers[0] if answers else socket.gaierror(socket.EAI_AGAIN, "no response in time")
    if isinstance(answer, Exception):
        raise answer
    return answer


def open_socket(host: str, port: int, attempt: Attempt, options: t.Iterable[tuple[t.Any, ...]] = ()) -> socket.socket:
    """Return a connected socket. All addresses of the host share the time limit of the attempt.

    :param options: arguments of ``setsockopt``.
    :raises OSError: if no address can be reached.
    """
    problem = OSError("the name has no address")
    for family, kind, protocol, _name, address in resolve(host, port, attempt.time_left(connecting=True)):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(attempt.time_left(connecting=True))
            sock.connect(address)
            # The TLS handshake gets the remaining time.
            sock.settimeout(attempt.time_left(connecting=True))
            return sock
        except OSError as exc:
            problem = exc
            sock.close()
    raise problem
