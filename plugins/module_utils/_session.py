# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions of requests whose requests end at a deadline, whatever the server does: the only file that imports requests.

The timeouts of requests hold for each read from a socket, so that a server that sends a byte now and then keeps a
request alive for ever. Here each connection gives its socket the time that is left before each read and write.

PRIVATE to the collection.
"""

from __future__ import annotations

import io
import socket
import time
import traceback
import typing as t

if t.TYPE_CHECKING:
    from http.client import HTTPResponse

try:
    import requests
    from requests import Session
    from requests.adapters import HTTPAdapter
except ImportError:
    REQUESTS_ERROR: str | None = traceback.format_exc()
    Session = HTTPAdapter = object  # type: ignore[assignment,misc]
    #: What a request raises that fails.
    ERRORS: tuple[type[Exception], ...] = (OSError, ValueError)
    PROXY_ERRORS: tuple[type[Exception], ...] = ()
    TLS_ERRORS: tuple[type[Exception], ...] = ()
else:
    REQUESTS_ERROR = None
    _urllib3 = requests.packages.urllib3  # type: ignore[attr-defined]
    # A file that does not exist is an OSError; urllib3 has errors that requests does not translate.
    ERRORS = (requests.exceptions.RequestException, _urllib3.exceptions.HTTPError, OSError, ValueError)
    PROXY_ERRORS = (requests.exceptions.ProxyError,)
    TLS_ERRORS = (requests.exceptions.SSLError,)

#: Bytes of the headers of an answer, with those of interim answers (1xx) before it. http.client takes 100 headers of
#: 64 KiB, and any number of interim answers.
_HEADER_BYTES = 256 * 1024


class TooManyBytes(OSError):
    """More came than an answer may have."""


class Attempt:
    """One request under way.

    :param timeout: seconds in which it must be over.
    :param connect_timeout: seconds in which it must have a connection.
    :ivar sent: whether the server can have seen anything of it.
    """

    def __init__(self, timeout: float, connect_timeout: float) -> None:
        now = time.monotonic()
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


class _TimedSocket:
    """What http.client needs of a socket to read an answer from it."""

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._attempt))


class _TimedConnection:
    """Added to a connection of urllib3: what is sent and received counts for the attempt of its session.

    :cvar session: L(TimedSession), of which each thread has one of its own.
    """

    session: t.ClassVar[TimedSession]
    sock: t.Any

    _opening = False

    def _new_conn(self) -> socket.socket:
        attempt = self.session.attempt
        if hasattr(self, "_socks_options"):
            self.timeout = attempt.time_left(connecting=True)
            return super()._new_conn()  # type: ignore[misc]
        # As urllib3, which gives each address of a host the whole time.
        host, port = self._dns_host, self.port  # type: ignore[attr-defined]
        problem = OSError("the name has no address")
        for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():  # type: ignore[attr-defined]
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

    def connect(self) -> None:
        self._opening = True
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._opening = False

    def send(self, content: t.Any) -> None:
        if self.sock is None:
            self.connect()
        # A proxy is sent something while the connection is opened.
        self.session.attempt.sent |= not self._opening
        self.sock.settimeout(self.session.attempt.time_left())
        super().send(content)  # type: ignore[misc]

    def response_class(self, sock: socket.socket, *args: t.Any, **kwargs: t.Any) -> HTTPResponse:
        return super().response_class(_TimedSocket(sock, self.session.attempt), *args, **kwargs)  # type: ignore[misc]


class _TimedAdapter(HTTPAdapter):
    """An adapter with such connections."""

    def __init__(self, session: TimedSession) -> None:
        self._timed_session = session
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._time(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            self._time(manager)
        return manager

    def _time(self, manager: t.Any) -> None:
        timed = {}
        for scheme, pool in manager.pool_classes_by_scheme.items():
            bases = (_TimedConnection, pool.ConnectionCls)
            connection = type(pool.ConnectionCls.__name__, bases, {"session": self._timed_session})
            timed[scheme] = type(pool.__name__, (pool,), {"ConnectionCls": connection})
        manager.pool_classes_by_scheme = timed

    def build_response(self, req: t.Any, resp: t.Any) -> t.Any:
        # Cookies are of no use here, and a stored one would outrank the token at the manager's console API.
        original = getattr(resp, "_original_response", None)
        if original is not None:
            del original.msg["Set-Cookie"], original.msg["Set-Cookie2"]
        return super().build_response(req, resp)


class TimedSession(Session):
    """A session that follows no redirects and keeps no cookies. It is for one thread, and one request after the other.

    :ivar attempt: L(Attempt), the request under way.
    """

    attempt: Attempt

    def __init__(self) -> None:
        super().__init__()
        for prefix in ("http://", "https://"):
            self.mount(prefix, _TimedAdapter(self))

    def get_redirect_target(self, resp: t.Any) -> None:
        """Return None: requests reads the whole body of a redirect, which it was told not to follow."""

    def send_attempt(self, attempt: Attempt, method: str, url: str, **kwargs: t.Any) -> t.Any:
        """Send a request as ``requests.Session.request`` does; return the answer as soon as its headers are there."""
        self.attempt = attempt
        return self.request(method, url, allow_redirects=False, stream=True, **kwargs)


def disable_warnings() -> None:
    """Say nothing of certificates that are not checked: who switched it off knows."""
    if not REQUESTS_ERROR:
        _urllib3.disable_warnings()
