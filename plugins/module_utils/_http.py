# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP requests with limits: each ends at its timeout, and no answer is held that is larger than its kind can be.

One L(Http) speaks to one kind of server with one set of credentials. It never follows redirects (a POST would become
a GET), never reads ``.netrc`` (it would replace the token), and never sends its credentials anywhere but to the URL
that it is given.

PRIVATE to the collection.
"""

from __future__ import annotations

import socket
import ssl
import threading
import typing as t
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._attempt import Attempt, TooManyBytes
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import GarbledError, TransportError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._json import decode_json
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._session import (
    ERRORS,
    PROXY_ERRORS,
    REQUESTS_ERROR,
    TLS_ERRORS,
    TimedSession,
    disable_warnings,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._version import VERSION

__all__ = ["ANSWER_LIMIT", "REQUESTS_ERROR", "Http", "Response"]

#: Bytes of an answer where its kind has no other limit; as many as distribution takes of a manifest
#: (registry/handlers/manifests.go, v2.8.3).
ANSWER_LIMIT = 4 * 1024 * 1024
#: Bytes that are read of the body of an answer that is not 2xx.
_ERROR_BYTES = 64 * 1024
_CHUNK = 64 * 1024
#: A body may have so many bytes more on the wire than it has: for the sizes of its chunks.
_FRAMING_FACTOR, _FRAMING_BYTES = 2, 64 * 1024


@dataclass
class Response:
    """An answer: its body is read whole or, with ``stream``, comes in chunks.

    :ivar request: verb and path.
    :ivar headers: a mapping that ignores case.
    """

    request: str
    status: int
    headers: t.Mapping[str, str]
    body: bytes = b""
    chunks: t.Iterable[bytes] = ()
    close: t.Callable[[], t.Any] = lambda: None

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case; an empty string where there is none."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    def text(self) -> str:
        """Return the body as text, whatever bytes it holds."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> t.Any:
        """Return the first JSON document of the body: a manager may send two, one after the other.

        :raises GarbledError: if there is none.
        """
        return decode_json(self.text(), self.request)


class Http:
    """Sends requests, one session a thread.

    :param auth: value of the header Authorization, or None.
    :param timeout: seconds for a whole request.
    :param verify: True, False, or the path of a CA bundle.
    :param cert: path of a client certificate, a pair of certificate and key, or None.
    :param connect_timeout: seconds for a connection, where they are fewer than ``timeout``.
    :param clock: whose ``end`` no request outlives.
    :ivar timeout: see above.
    """

    def __init__(
        self,
        auth: str | None = None,
        timeout: float = 120,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        connect_timeout: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._auth = auth
        self.timeout = timeout
        self._connect_timeout = min(connect_timeout or timeout, timeout)
        self._clock = clock or Clock()
        self._verify = verify
        self._cert = cert
        self._local = threading.local()
        if verify is False:
            disable_warnings()

    def _session(self) -> TimedSession:
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = TimedSession()
        return session

    def _authorize(self, request: t.Any) -> t.Any:
        # As an auth object, for requests asks .netrc only where there is none.
        if self._auth is not None:
            request.headers.setdefault("Authorization", self._auth)
        return request

    def send(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: t.Any = None,
        stream: bool = False,
        limit: int = ANSWER_LIMIT,
    ) -> Response:
        """Send one request and return the answer, whatever its status.

        Of the body of an answer that is not 2xx only the beginning is read.

        :param body: what is sent as JSON, or None.
        :param stream: leave the body in ``Response.chunks``; the caller calls ``Response.close``.
        :param limit: bytes that the body may have, decompressed.
        :raises TransportError: if no whole answer came within the timeout; with reason ``timed_out`` if the time of the
            task was up before the request was sent.
        :raises GarbledError: with reason ``too_large`` if the answer is larger than the limit.
        """
        seconds = min(self.timeout, self._clock.end - self._clock.now())
        attempt = Attempt(seconds, min(self._connect_timeout, seconds))
        exchange = _Exchange(method, url, attempt)
        if seconds <= 0:
            raise exchange.out_of_time()
        all_headers = {
            "User-Agent": f"dragonflyoss.dragonfly/{VERSION}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        all_headers.update(headers or {})
        try:
            answer = self._session().send_attempt(
                attempt,
                method,
                url,
                headers=all_headers,
                json=body,
                auth=self._authorize,
                timeout=(self._connect_timeout, self.timeout),
                verify=self._verify,
                cert=self._cert,
            )
        except ERRORS as exc:
            raise exchange.error(exc) from None
        chunks = exchange.read(answer, limit)
        if stream:
            return Response(exchange.request, answer.status_code, answer.headers, chunks=chunks, close=answer.close)
        return Response(exchange.request, answer.status_code, answer.headers, body=b"".join(chunks))


class _Exchange:
    """One request and what comes of it."""

    def __init__(self, method: str, url: str, attempt: Attempt) -> None:
        self._attempt = attempt
        try:
            parts = urlsplit(url)
            path, self._address, self._host = parts.path, parts.netloc.rpartition("@")[2], parts.hostname
        except ValueError:
            path, self._address, self._host = "", "", ""
        self.request = f"{method} {path or '/'}"

    def read(self, answer: t.Any, limit: int) -> t.Iterator[bytes]:
        """Yield the body of an answer of requests, decompressed, in chunks.

        :param limit: in bytes.
        """
        failed = not 200 <= answer.status_code < 300
        self._attempt.expect(_FRAMING_FACTOR * limit + _FRAMING_BYTES)
        left = _ERROR_BYTES if failed else limit
        try:
            for chunk in _decode(answer):
                if failed and len(chunk) >= left:
                    yield chunk[:left]
                    return
                left -= len(chunk)
                if left < 0:
                    raise self._too_large(f"its body has more than {limit} bytes")
                yield chunk
        except _Undecodable as exc:
            raise GarbledError(f"{self.request}: {self._address} {exc}.", "garbled", self.request) from None
        except ERRORS as exc:
            raise self.error(exc, begun=True) from None
        finally:
            answer.close()

    def out_of_time(self) -> TransportError:
        """Return the error of a request that is not sent, for the task has no time left."""
        message = (
            f"{self.request}: not sent, because the time of the task is up. What to do: check why {self._address} "
            "takes so long, or raise wait_timeout, or timeout where the task does not wait."
        )
        return TransportError(message, "timed_out", self.request, sent=False)

    def _too_large(self, what: str) -> GarbledError:
        message = (
            f"{self.request}: the answer of {self._address} is too large, {what}. "
            "What to do: check the URL and what stands between here and there."
        )
        return GarbledError(message, "too_large", self.request)

    def error(self, exc: Exception, begun: bool = False) -> TransportError | GarbledError:
        """Return what a failure means for a person.

        :param begun: whether the headers of an answer have come.
        """
        causes = list(_causes(exc))
        if _first(causes, TooManyBytes):
            return self._too_large("more came than such an answer has" if begun else "its headers do not end")
        if not self._attempt.sent:
            reason, message = self._before_request(exc, causes)
        else:
            reason, message = self._after_request(exc, causes, begun)
        sent = self._attempt.sent and reason not in ("tls", "bad_url", "bad_file")
        return TransportError(f"{self.request}: {message}", reason, self.request, sent=sent)

    def _before_request(self, exc: Exception, causes: list[BaseException]) -> tuple[str, str]:
        """Return reason and message of a failure before the server can have seen the request."""
        if _is_tls(exc, causes):
            return "tls", self._tls_message(causes)
        if isinstance(exc, PROXY_ERRORS):
            return (
                "proxy",
                f"the proxy of the environment (HTTP_PROXY, HTTPS_PROXY) does not connect to {self._address}.",
            )
        if _first(causes, socket.gaierror) or _named(causes, "NameResolutionError"):
            return (
                "dns",
                f"the name {self._host} cannot be resolved. What to do: check the name and the DNS of this host.",
            )
        if _first(causes, socket.timeout) or _named(causes, "ConnectTimeoutError", "ConnectTimeout"):
            return "connect_timeout", f"no connection to {self._address} in time."
        if _first(causes, ConnectionRefusedError):
            remedy = "check host and port, and that something listens there"
            return "refused", f"{self._address} refused the connection. What to do: {remedy}."
        if isinstance(exc, ValueError) or _named(causes, "LocationParseError"):
            return "bad_url", "the URL cannot be used."
        if type(exc).__module__ == "builtins" and isinstance(exc, OSError):
            # requests raises a bare OSError for a ca_path or client_cert that does not exist, before it connects.
            return "bad_file", str(exc)
        text_of_system = next(
            (cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None
        )
        return "unreachable", f"no connection to {self._address}: {text_of_system or 'it is closed at once'}."

    def _after_request(self, exc: Exception, causes: list[BaseException], begun: bool) -> tuple[str, str]:
        """Return reason and message of a failure after the request was sent, or a part of it."""
        if _first(causes, socket.timeout) or _named(causes, "ReadTimeoutError", "ReadTimeout"):
            problem = "did not finish its answer" if begun else "did not answer"
            return "read_timeout", f"{self._address} {problem} in time."
        if not begun and _is_tls(exc, causes) and "CERTIFICATE" in _tls_reason(causes).upper():
            # TLS 1.3 lets the client speak before the server has judged its certificate.
            return "tls", self._tls_message(causes)
        return "incomplete" if begun else "reset", f"{self._address} broke the connection before its answer was whole."

    def _tls_message(self, causes: list[BaseException]) -> str:
        if getattr(_first(causes, ssl.SSLError), "verify_code", 0):
            remedy = "set ca_path to the CA that signed its certificate, or validate_certs to false if you accept any"
        else:
            remedy = "check the scheme of the URL, ca_path, client_cert and client_key"
        return f"no TLS connection with {self._address}: {_tls_reason(causes)}. What to do: {remedy}."


class _Undecodable(Exception):
    """The encoding of a body is not one that was accepted."""


def _decode(answer: t.Any) -> t.Iterator[bytes]:
    """Yield the body of an answer of requests in chunks that are never large, whatever they are decompressed from.

    :raises OSError: if it ends too early.
    """
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    received = _receive(answer.raw)
    if encoding in ("", "identity"):
        yield from received
    elif encoding in ("gzip", "x-gzip"):
        yield from _gunzip(received)
    else:
        raise _Undecodable(f"answers with the Content-Encoding {encoding[:40]!r}, which was not requested")


def _receive(body: t.Any) -> t.Iterator[bytes]:
    yield from body.stream(_CHUNK, decode_content=False)
    # requests before 2.32 takes a part of a body for the whole.
    if body.length_remaining:
        raise OSError("the body ends too early")


def _gunzip(chunks: t.Iterable[bytes]) -> t.Iterator[bytes]:
    unzip = None
    for compressed in chunks:
        while compressed:
            if unzip is None or unzip.eof:
                unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                yield unzip.decompress(compressed, _CHUNK)
            except zlib.error as exc:
                raise OSError(str(exc)) from None
            compressed = unzip.unconsumed_tail or unzip.unused_data
    if unzip is not None and not unzip.eof:
        raise OSError("the compressed body ends too early")


def _causes(exc: BaseException) -> t.Iterator[BaseException]:
    """Yield an exception and what led to it: requests and urllib3 hide that in args, in .reason, or in the context."""
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


def _first(causes: list[BaseException], kind: type[BaseException]) -> BaseException | None:
    return next((cause for cause in causes if isinstance(cause, kind)), None)


def _named(causes: list[BaseException], *names: str) -> bool:
    """Return whether there is a cause of one of these classes, which requests does not show everywhere."""
    return any(type(cause).__name__ in names for cause in causes)


def _is_tls(exc: Exception, causes: list[BaseException]) -> bool:
    return isinstance(exc, TLS_ERRORS) or _first(causes, ssl.SSLError) is not None


def _tls_reason(causes: list[BaseException]) -> str:
    tls = _first(causes, ssl.SSLError)
    return getattr(tls, "verify_message", "") or getattr(tls, "reason", None) or "TLS failed"
