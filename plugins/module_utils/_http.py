# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send HTTP requests with limits: each ends within its timeout, and responses have a maximum size.

Each ``Http`` sends one set of credentials to one kind of server. It does not follow redirects (a POST would become a
GET), does not read ``.netrc`` (it would replace the token), and sends its credentials only to the URL that the caller
passes.
"""

from __future__ import annotations

import threading
import typing as t
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from ._attempt import Attempt
from ._errors import GarbledError, TransportError
from ._gateway import proxy_note
from ._json import decode_json
from ._polling import Clock
from ._session import ERRORS, REQUESTS_ERROR, TimedSession, disable_warnings, environment_proxy
from ._transport_errors import NETWORK_REASONS, Failure
from ._version import VERSION

__all__ = ["ANSWER_LIMIT", "REQUESTS_ERROR", "Http", "Response"]

#: Default limit in bytes of a response, which is the limit of distribution for manifests
#: (registry/handlers/manifests.go, v2.8.3).
ANSWER_LIMIT = 4 * 1024 * 1024
#: Limit in bytes of the body of a response whose status is not 2xx.
_ERROR_BYTES = 64 * 1024
_CHUNK = 64 * 1024
_HEADERS = {"User-Agent": f"dragonflyoss.dragonfly/{VERSION}", "Accept": "application/json", "Accept-Encoding": "gzip"}
#: Additional bytes that a body may take on the wire, for the sizes of chunks.
_FRAMING_FACTOR, _FRAMING_BYTES = 2, 64 * 1024


@dataclass
class Response:
    """A response. Its body is complete, or with ``stream`` an iterator of chunks.

    :ivar request: verb and URL, without user info and query.
    :ivar headers: a mapping that ignores case.
    :ivar proxy: host and port of the proxy from the environment, None without a proxy.
    """

    request: str
    status: int
    headers: t.Mapping[str, str]
    body: bytes = b""
    chunks: t.Iterable[bytes] = ()
    close: t.Callable[[], t.Any] = lambda: None
    proxy: str | None = None

    @property
    def media_type(self) -> str:
        """The media type in lower case without parameters, or an empty text."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    def text(self) -> str:
        """Return the body as text, with undecodable bytes replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> t.Any:
        """Return the first JSON document of the body. A manager may send two documents.

        :raises GarbledError: if the body does not start with JSON.
        """
        return decode_json(self.text(), self.request)


def verification(options: dict[str, t.Any]) -> bool | str:
    """Return how to verify the certificate of a server by the options ``validate_certs`` and ``ca_path``."""
    return (options["ca_path"] or True) if options["validate_certs"] else False


class Http:
    """Sends requests, with one session per thread.

    :param auth: value of the header Authorization, or None.
    :param timeout: time limit of a request in seconds.
    :param verify: True, False, or the path of a CA bundle.
    :param cert: path of a client certificate, a pair of certificate and key, or None.
    :param connect_timeout: time limit of a connection in seconds, if shorter than ``timeout``.
    :param clock: requests end no later than its ``end``.
    :ivar timeout: as above.
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
        # An auth object keeps requests from reading .netrc.
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
        """Send a request and return the response, whatever its status.

        Reads only the beginning of the body if the status is not 2xx.

        :param body: value to send as JSON, or None.
        :param stream: leave the body in ``Response.chunks``; the caller must call ``Response.close``.
        :param limit: limit of the decompressed body in bytes.
        :raises TransportError: if there is no complete response within the timeout; with reason ``timed_out`` if the
            time of the task ended before the request was sent.
        :raises GarbledError: with reason ``too_large`` if the response exceeds the limit.
        """
        seconds = min(self.timeout, self._clock.end - self._clock.now())
        attempt = Attempt(seconds, min(self._connect_timeout, seconds))
        exchange = _Exchange(method, url, attempt)
        if seconds <= 0:
            raise exchange.out_of_time()
        try:
            answer = self._session().send_attempt(
                attempt,
                method,
                url,
                headers={**_HEADERS, **(headers or {})},
                json=body,
                auth=self._authorize,
                timeout=(self._connect_timeout, self.timeout),
                verify=self._verify,
                cert=self._cert,
            )
        except ERRORS as exc:
            raise exchange.error(exc) from None
        chunks = exchange.read(answer, limit)
        response = Response(exchange.request, answer.status_code, answer.headers)
        if not 200 <= response.status < 300:
            response.proxy = environment_proxy(url)
        if stream:
            response.chunks, response.close = chunks, answer.close
        else:
            response.body = b"".join(chunks)
        return response


class _Exchange:
    """A request and its response."""

    def __init__(self, method: str, url: str, attempt: Attempt) -> None:
        self._attempt = attempt
        self._url = url
        try:
            parts = urlsplit(url)
            self._address, self._host = parts.netloc.rpartition("@")[2], parts.hostname
            # Without user info and query, which may contain secrets.
            shown = f"{parts.scheme}://{self._address}{parts.path or '/'}"
        except ValueError:
            shown, self._address, self._host = "/", "", ""
        self.request = f"{method} {shown}"

    def read(self, answer: t.Any, limit: int) -> t.Iterator[bytes]:
        """Yield the decompressed body of a response of requests in chunks.

        :param limit: limit in bytes.
        """
        self._attempt.expect(_FRAMING_FACTOR * limit + _FRAMING_BYTES)
        chunks = _decode(answer)
        try:
            if 200 <= answer.status_code < 300:
                yield from self._within(limit, chunks)
            else:
                yield from _beginning(chunks, _ERROR_BYTES)
        except _Undecodable as exc:
            raise GarbledError(f"{self.request}: {self._address} {exc}.", "garbled", self.request) from None
        except ERRORS as exc:
            raise self.error(exc, begun=True) from None
        finally:
            answer.close()

    def _within(self, limit: int, chunks: t.Iterable[bytes]) -> t.Iterator[bytes]:
        received = 0
        for chunk in chunks:
            received += len(chunk)
            if received > limit:
                raise self._too_large(f"its body has more than {limit} bytes")
            yield chunk

    def out_of_time(self) -> TransportError:
        """Return the error for a request that is not sent because the time of the task has ended."""
        message = (
            f"{self.request}: not sent, because the time of the task is up. What to do: check why {self._address} "
            "takes so long, or raise wait_timeout, or timeout if the task does not wait."
        )
        return TransportError(message, "timed_out", self.request, sent=False)

    def _too_large(self, what: str) -> GarbledError:
        message = (
            f"{self.request}: the response of {self._address} is too large: {what}. "
            "What to do: check the URL, and the proxies in front of the server."
        )
        return GarbledError(message, "too_large", self.request)

    def error(self, exc: Exception, begun: bool = False) -> TransportError | GarbledError:
        """Return the error that explains an exception.

        :param begun: whether the headers of the response were received.
        """
        failure = Failure(exc, self._address, self._host, self._attempt.timeout)
        if failure.has_too_many_bytes:
            return self._too_large("it exceeds the limit for such a response" if begun else "its headers do not end")
        if not self._attempt.sent:
            problem = failure.before_request()
        else:
            problem = failure.after_request(begun)
        message = f"{self.request}: {problem.message}"
        if problem.reason in NETWORK_REASONS:
            message += proxy_note(environment_proxy(self._url))
        sent = self._attempt.sent and problem.reason not in ("tls", "bad_url", "bad_file")
        return TransportError(message, problem.reason, self.request, sent=sent)


class _Undecodable(Exception):
    """The body is not what was requested, or has an encoding that was not accepted."""


def _decode(answer: t.Any) -> t.Iterator[bytes]:
    """Yield the body of a response of requests in small chunks, regardless of its compression.

    :raises OSError: if the body is incomplete.
    """
    if answer.status_code == 206:
        raise _Undecodable("responded with a part of the content (status 206), which was not requested")
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    received = _receive(answer.raw)
    if encoding in ("", "identity"):
        yield from received
    elif encoding in ("gzip", "x-gzip"):
        yield from _gunzip(received)
    else:
        raise _Undecodable(f"responded with the Content-Encoding {encoding[:40]!r}, which was not requested")


def _beginning(chunks: t.Iterable[bytes], size: int) -> t.Iterator[bytes]:
    """Yield the first bytes of a body."""
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


def _receive(body: t.Any) -> t.Iterator[bytes]:
    yield from body.stream(_CHUNK, decode_content=False)
    # requests before 2.32 does not notice an incomplete body.
    if body.length_remaining:
        raise OSError("the body ends too early")


def _gunzip(chunks: t.Iterable[bytes]) -> t.Iterator[bytes]:
    unzip: t.Any = None
    for compressed in chunks:
        while compressed:
            if _has_ended(unzip):
                unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
            yield _decompress(unzip, compressed)
            compressed = unzip.unconsumed_tail or unzip.unused_data
    if not _has_ended(unzip):
        raise OSError("the compressed body ends too early")


def _has_ended(unzip: t.Any) -> bool:
    return unzip is None or unzip.eof


def _decompress(unzip: t.Any, compressed: bytes) -> bytes:
    try:
        return unzip.decompress(compressed, _CHUNK)
    except zlib.error as exc:
        raise OSError(str(exc)) from None
