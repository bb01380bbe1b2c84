# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain why a request failed without a complete response, and what to do."""

from __future__ import annotations

import re
import socket
import ssl
import typing as t

from ._attempt import TooManyBytes
from ._gateway import SPEAKS_PLAIN_HTTP, gateway_remedy
from ._session import PROXY_ERRORS, TLS_ERRORS

#: Reasons that a proxy can cause.
NETWORK_REASONS = ("proxy", "dns", "refused", "connect_timeout", "unreachable", "read_timeout", "reset", "incomplete")
# Python's text of the first bytes of a TLS alert, which a TLS server sends in response to plain HTTP.
_TLS_ALERT = r"\x15\x03"
_PLAIN_HTTP = f"check the scheme of the URL: {SPEAKS_PLAIN_HTTP}"
_OTHER_NAME = "write the URL with a name that the certificate of the server has"
# By a part of OpenSSL's message in lower case, with spaces instead of underscores.
_TLS_REMEDIES = (
    ("not yet valid", "check the clock of the host where the module runs"),
    ("has expired", "renew the certificate of the server, or check the clock of the host where the module runs"),
    ("mismatch", _OTHER_NAME),
    ("not valid for", _OTHER_NAME),
    ("wrong version number", _PLAIN_HTTP),
    ("record layer failure", _PLAIN_HTTP),
    ("http request", _PLAIN_HTTP),
)


class Problem(t.NamedTuple):
    """Why there is no complete response: a stable code, and a message with a remedy."""

    reason: str
    message: str


class _Cause(t.NamedTuple):
    """A cause of a failed connection, by its exception or the names of classes of urllib3, and its meaning."""

    reason: str
    exception: type[OSError]
    names: tuple[str, ...]
    message: str


_CONNECTION_CAUSES = (
    _Cause(
        "dns",
        socket.gaierror,
        ("NameResolutionError",),
        "the name {host} cannot be resolved. What to do: check the name and the DNS of this host.",
    ),
    _Cause(
        "connect_timeout",
        socket.timeout,
        ("ConnectTimeoutError", "ConnectTimeout"),
        "no connection to {address} in time. What to do: check the address and the firewalls in between; raise timeout "
        "if the network is slow.",
    ),
    _Cause(
        "refused",
        ConnectionRefusedError,
        (),
        "{address} refused the connection. What to do: check host and port, and that something listens there.",
    ),
)


class Failure:
    """An exception of requests and its causes.

    :param address: host and port.
    :param timeout: time limit of the request in seconds.
    """

    def __init__(self, exc: Exception, address: str, host: str | None, timeout: float) -> None:
        self._exc = exc
        self._causes = list(_causes(exc))
        self._address = address
        self._host = host
        self._timeout = timeout

    @property
    def has_too_many_bytes(self) -> bool:
        """Whether the response exceeds its limit."""
        return self._first(TooManyBytes) is not None

    def before_request(self) -> Problem:
        """Return the meaning of a failure before the server may have received the request."""
        if self._is_tls():
            return Problem("tls", self._tls_message())
        if isinstance(self._exc, PROXY_ERRORS):
            return Problem("proxy", self._proxy_message())
        for cause in _CONNECTION_CAUSES:
            if self._first(cause.exception) or self._named(*cause.names):
                return Problem(cause.reason, cause.message.format(address=self._address, host=self._host))
        return self._other_before_request()

    def _proxy_message(self) -> str:
        # The text of http.client for a proxy's response to CONNECT.
        texts = [str(cause) for cause in self._causes if isinstance(cause, OSError)]
        match = next(filter(None, map(re.compile(r"Tunnel connection failed: (\d{3})\b").search, texts)), None)
        problem = f"no connection to {self._address} through the proxy"
        if match and int(match[1]) == 407:
            return f"{problem} (407).{gateway_remedy(407, None)}"
        remedy = "check the proxy, its access rules, and HTTP_PROXY and HTTPS_PROXY"
        return f"{problem}{f' ({match[1]})' if match else ''}. What to do: {remedy}."

    def _other_before_request(self) -> Problem:
        if isinstance(self._exc, ValueError) or self._named("LocationParseError"):
            remedy = "write it as http://HOST:PORT or https://HOST:PORT"
            return Problem("bad_url", f"the URL cannot be used. What to do: {remedy}.")
        if type(self._exc).__module__ == "builtins" and isinstance(self._exc, OSError):
            # requests raises OSError for a missing ca_path or client_cert before it connects.
            remedy = "check ca_path, client_cert and client_key"
            return Problem("bad_file", f"{str(self._exc).rstrip('.')}. What to do: {remedy}.")
        return self._unreachable()

    def _unreachable(self) -> Problem:
        texts = [cause.strerror for cause in self._causes if isinstance(cause, OSError) and cause.strerror]
        problem = texts[0] if texts else "it is closed immediately"
        remedy = "check the address, and the routes and firewalls in between"
        return Problem("unreachable", f"no connection to {self._address}: {problem}. What to do: {remedy}.")

    def after_request(self, begun: bool) -> Problem:
        """Return the meaning of a failure after a part of the request was sent.

        :param begun: whether the headers of the response were received.
        """
        if self._first(socket.timeout) or self._named("ReadTimeoutError", "ReadTimeout"):
            problem = "did not complete its response" if begun else "did not respond"
            remedy = f"raise the option timeout (now {self._timeout:.3g} s), or check why the server is slow"
            return Problem("read_timeout", f"{self._address} {problem} in time. What to do: {remedy}.")
        message = (
            f"{self._address} closed the connection before the response was complete. What to do: check that the "
            "server runs, and the scheme and port of the URL."
        )
        if begun:
            return Problem("incomplete", message)
        return self._tls_problem() or Problem("reset", message)

    def _tls_problem(self) -> Problem | None:
        """Return the problem of TLS that ended a connection before the response, None if there is none."""
        if self._is_tls() and "CERTIFICATE" in self._tls_reason().upper():
            # In TLS 1.3, the client may send data before the server has verified its certificate.
            return Problem("tls", self._tls_message())
        if _TLS_ALERT in str(self._exc):
            return Problem("wrong_scheme", f"{self._address} expects TLS. What to do: write https:// in the URL.")
        return None

    def _tls_message(self) -> str:
        return f"no TLS connection with {self._address}: {self._tls_reason()}. What to do: {self._tls_remedy()}."

    def _tls_remedy(self) -> str:
        text = self._tls_reason().lower().replace("_", " ")
        for part, remedy in _TLS_REMEDIES:
            if part in text:
                return remedy
        if getattr(self._first(ssl.SSLError), "verify_code", 0):
            return "set ca_path to the CA that signed its certificate, or validate_certs to false if you accept any"
        return "check the scheme of the URL, ca_path, client_cert and client_key"

    def _is_tls(self) -> bool:
        return isinstance(self._exc, TLS_ERRORS) or self._first(ssl.SSLError) is not None

    def _tls_reason(self) -> str:
        tls = self._first(ssl.SSLError)
        return getattr(tls, "verify_message", "") or getattr(tls, "reason", None) or "TLS failed"

    def _first(self, kind: type[BaseException]) -> BaseException | None:
        return next((cause for cause in self._causes if isinstance(cause, kind)), None)

    def _named(self, *names: str) -> bool:
        """Return whether a cause is of one of these classes, which requests does not always expose."""
        return any(type(cause).__name__ in names for cause in self._causes)


def _causes(exc: BaseException) -> t.Iterator[BaseException]:
    """Yield an exception and its causes, which requests and urllib3 store in args, .reason or the context."""
    waiting: list[t.Any] = [exc]
    visited = set()
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in visited:
            continue
        visited.add(id(cause))
        yield cause
        waiting.extend(cause.args)
        waiting.extend([getattr(cause, "reason", None), cause.__cause__, cause.__context__])
