# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions of requests that enforce deadlines. The only file that imports requests.

The timeouts of requests apply to each read from a socket, so a server that occasionally sends a byte keeps a request
alive forever. Therefore each connection sets its socket's timeout to the remaining time before each read and write.
"""

from __future__ import annotations

import traceback
import typing as t
import weakref
from urllib.parse import urlsplit

from ._attempt import Attempt, FinalResponse, TimedSocket, open_socket

if t.TYPE_CHECKING:
    import socket
    from http.client import HTTPResponse

try:
    import requests
    from requests import Session
    from requests.adapters import HTTPAdapter
except ImportError:
    REQUESTS_ERROR: str | None = traceback.format_exc()
    Session = HTTPAdapter = object  # type: ignore[assignment,misc]
    #: Exceptions of failed requests.
    ERRORS: tuple[type[Exception], ...] = (OSError, ValueError)
    PROXY_ERRORS: tuple[type[Exception], ...] = ()
    TLS_ERRORS: tuple[type[Exception], ...] = ()
else:
    REQUESTS_ERROR = None
    _urllib3 = requests.packages.urllib3  # type: ignore[attr-defined]
    # A missing file raises OSError, and requests does not translate all errors of urllib3.
    ERRORS = (requests.exceptions.RequestException, _urllib3.exceptions.HTTPError, OSError, ValueError)
    PROXY_ERRORS = (requests.exceptions.ProxyError,)
    TLS_ERRORS = (requests.exceptions.SSLError,)


class _TimedConnection:
    """Mixin for connections of urllib3 that counts sent and received bytes for the session's attempt.

    :cvar session: ``TimedSession``, one per thread.
    """

    session: t.ClassVar[TimedSession]
    sock: t.Any

    _opening = False

    def _new_conn(self) -> socket.socket:
        attempt = self.session.attempt
        if hasattr(self, "_socks_options"):
            self.timeout = attempt.time_left(connecting=True)
            return super()._new_conn()  # type: ignore[misc]
        return open_socket(self._dns_host, self.port, attempt, self.socket_options or ())  # type: ignore[attr-defined]

    def connect(self) -> None:
        self._opening = True
        timer = self.session.attempt.start_timer(lambda: self.sock)
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._opening = False
            timer.cancel()

    def send(self, content: t.Any) -> None:
        if self.sock is None:
            self.connect()
        # A proxy receives data while the connection is opened.
        self.session.attempt.sent |= not self._opening
        self.sock.settimeout(self.session.attempt.time_left())
        super().send(content)  # type: ignore[misc]

    def response_class(self, sock: socket.socket, *args: t.Any, **kwargs: t.Any) -> HTTPResponse:
        return FinalResponse(TimedSocket(sock, self.session.attempt), *args, **kwargs)  # type: ignore[arg-type]


class _TimedAdapter(HTTPAdapter):
    """Adapter that uses these connections."""

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
            # The finalizers of urllib3's pools keep the connections, so these must not keep the session and its pools.
            session = weakref.proxy(self._timed_session)
            connection = type(pool.ConnectionCls.__name__, bases, {"session": session})
            timed[scheme] = type(pool.__name__, (pool,), {"ConnectionCls": connection})
        manager.pool_classes_by_scheme = timed

    def build_response(self, req: t.Any, resp: t.Any) -> t.Any:
        # Cookies are not needed, and a stored one would take precedence over the token at the manager's console API.
        original = getattr(resp, "_original_response", None)
        if original is not None:
            del original.msg["Set-Cookie"], original.msg["Set-Cookie2"]
        return super().build_response(req, resp)


class TimedSession(Session):
    """A session without redirects and cookies, for one thread and one request at a time.

    :ivar attempt: ``Attempt`` of the current request.
    """

    attempt: Attempt

    def __init__(self) -> None:
        super().__init__()
        for prefix in ("http://", "https://"):
            self.mount(prefix, _TimedAdapter(self))

    def get_redirect_target(self, resp: t.Any) -> None:
        """Return None, because requests would read the whole body of a redirect even if it does not follow it."""

    def send_attempt(self, attempt: Attempt, method: str, url: str, **kwargs: t.Any) -> t.Any:
        """Send a request as ``requests.Session.request`` does, and return the response after its headers."""
        self.attempt = attempt
        return self.request(method, url, allow_redirects=False, stream=True, **kwargs)


def environment_proxy(url: str) -> str | None:
    """Return host and port of the proxy for a URL from the environment, None without a proxy."""
    if REQUESTS_ERROR:
        return None
    try:
        proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
        return urlsplit(proxy).netloc.rpartition("@")[2] or None if proxy else None
    except ValueError:
        return None


def disable_warnings() -> None:
    """Suppress warnings about unverified certificates, because the user disabled the verification."""
    if not REQUESTS_ERROR:
        _urllib3.disable_warnings()
