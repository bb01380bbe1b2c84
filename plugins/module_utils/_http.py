# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: the only file that imports requests.

One L(Http) speaks to one kind of server with one set of credentials. It never follows redirects (a POST would become
a GET), never reads ``.netrc`` (it would replace the token), and never sends its credentials anywhere but to the URL
that it is given.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
import traceback
from urllib.parse import urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import GarbledError, TransportError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._version import VERSION

try:
    import requests

    REQUESTS_ERROR = None
except ImportError:
    REQUESTS_ERROR = traceback.format_exc()

_CHUNK = 64 * 1024


class Response:
    """A status, its headers (a mapping that ignores case) and its body, read whole or, with ``stream``, in chunks."""

    def __init__(self, request, status, headers, body=b"", chunks=None, close=None):
        self.request = request
        self.status = status
        self.headers = headers
        self.body = body
        self.chunks = chunks
        self.close = close or (lambda: None)

    @property
    def media_type(self):
        """The media type without parameters, in lower case; an empty string where there is none."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    def text(self):
        """The body as text, whatever bytes it holds."""
        return self.body.decode("utf-8", "replace")

    def json(self):
        """The first JSON document of the body. A manager may send two back to back (manager-api T10).

        :raises GarbledError: if the body is no JSON.
        """
        return decode_json(self.text(), self.request)


def decode_json(text, request):
    """The first JSON document of a text.

    :raises GarbledError: if there is none.
    """
    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        raise GarbledError(f"{request}: the answer is no JSON that can be read.", "garbled", request) from None


class Http:
    """Sends requests, one session a thread.

    :param auth: value of the header Authorization (str), or None.
    :param timeout: seconds for a whole request.
    :param verify: True, False, or the path of a CA bundle (str).
    :param cert: path of a client certificate (str), a pair of certificate and key, or None.
    :param connect_timeout: seconds for a connection, where they are fewer than ``timeout``.
    """

    def __init__(self, auth=None, timeout=120, verify=True, cert=None, connect_timeout=None):
        self._auth = auth
        self._timeout = timeout
        self._connect_timeout = min(connect_timeout or timeout, timeout)
        self._verify = verify
        self._cert = cert
        self._local = threading.local()
        if verify is False and not REQUESTS_ERROR:
            # Who switches it off knows.
            requests.packages.urllib3.disable_warnings()

    def _session(self):
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
        return session

    def _authorize(self, request):
        # As an auth object, for requests asks .netrc only where there is none.
        if self._auth is not None:
            request.headers.setdefault("Authorization", self._auth)
        return request

    def send(self, method, url, headers=None, body=None, stream=False):
        """Sends one request and returns the answer, whatever its status.

        :param headers: dict of str, or None.
        :param body: what is sent as JSON, or None.
        :param stream: leave the body in ``Response.chunks``; the caller calls ``Response.close``.
        :raises TransportError: if no whole answer came within the timeout.
        """
        path = urlsplit(url).path or "/"
        name = f"{method} {path}"
        deadline = time.monotonic() + self._timeout
        all_headers = {"User-Agent": f"dragonflyoss.dragonfly/{VERSION}", "Accept": "application/json"}
        all_headers.update(headers or {})
        try:
            answer = self._session().request(
                method,
                url,
                headers=all_headers,
                json=body,
                auth=self._authorize,
                timeout=(self._connect_timeout, self._timeout),
                verify=self._verify,
                cert=self._cert,
                allow_redirects=False,
                stream=True,
            )
        except (requests.exceptions.RequestException, OSError, ValueError) as exc:
            raise _transport_error(exc, name, url) from None
        # Cookies are of no use here, and a stored one would outrank the token at the manager's console API.
        self._session().cookies.clear()
        chunks = _read(answer, deadline, name, url)
        if stream:
            return Response(name, answer.status_code, answer.headers, chunks=chunks, close=answer.close)
        return Response(name, answer.status_code, answer.headers, body=b"".join(chunks))


def _read(answer, deadline, name, url):
    try:
        for chunk in answer.iter_content(_CHUNK):
            yield chunk
            if time.monotonic() > deadline:
                raise TransportError(
                    f"{name}: {_host(url)} did not finish its answer in time.", "read_timeout", name, sent=True
                )
    except (requests.exceptions.RequestException, OSError, ValueError) as exc:
        raise _transport_error(exc, name, url, sent=True) from None
    finally:
        answer.close()


def _host(url):
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]


def _causes(exc):
    # requests and urllib3 hide the reason in args, in .reason, or in the context.
    todo, seen = [exc], set()
    while todo:
        one = todo.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo.extend(one.args)
        todo.extend([getattr(one, "reason", None), one.__cause__, one.__context__])


def _transport_error(exc, name, url, sent=None):
    causes = list(_causes(exc))
    host = _host(url)

    def found(*types):
        return next((one for one in causes if isinstance(one, types)), None)

    tls = found(ssl.SSLError)
    if tls is not None or isinstance(exc, requests.exceptions.SSLError):
        words = getattr(tls, "verify_message", "") or getattr(tls, "reason", None) or "TLS failed"
        cure = "set ca_path to the CA that signed its certificate, or validate_certs to false if you accept any"
        if not getattr(tls, "verify_code", 0):
            cure = "check the scheme of the URL, ca_path, client_cert and client_key"
        return TransportError(
            f"{name}: no TLS connection with {host}: {words}. What to do: {cure}.", "tls", name, sent=False
        )
    if isinstance(exc, requests.exceptions.ProxyError):
        return TransportError(
            f"{name}: the proxy of the environment (HTTP_PROXY, HTTPS_PROXY) gave no connection to {host}.",
            "proxy",
            name,
            sent=False,
        )
    if found(socket.gaierror) is not None or any(type(one).__name__ == "NameResolutionError" for one in causes):
        host = urlsplit(url).hostname or host
        words = "%s: the name %s cannot be resolved. What to do: check the name, and the DNS of the host that asks."
        return TransportError(words % (name, host), "dns", name, sent=False)
    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return TransportError(f"{name}: no connection to {host} in time.", "connect_timeout", name, sent=False)
    if found(ConnectionRefusedError) is not None:
        words = "%s: %s refused the connection. What to do: check host and port, and that something listens there."
        return TransportError(words % (name, host), "refused", name, sent=False)
    if isinstance(exc, requests.exceptions.Timeout) or found(socket.timeout) is not None:
        return TransportError(f"{name}: {host} did not answer in time.", "read_timeout", name, sent=True)
    if any(type(one).__name__ == "NewConnectionError" for one in causes):
        words = next((one.strerror for one in causes if isinstance(one, OSError) and one.strerror), "no connection")
        return TransportError(f"{name}: no connection to {host}: {words}.", "unreachable", name, sent=False)
    if isinstance(exc, OSError) and not isinstance(exc, requests.exceptions.RequestException):
        # requests raises a bare OSError for a ca_path or client_cert that does not exist, before it connects.
        return TransportError(f"{name}: {exc}", "bad_file", name, sent=False)
    if isinstance(exc, ValueError):
        return TransportError(f"{name}: the URL cannot be used.", "bad_url", name, sent=False)
    return TransportError(
        f"{name}: {host} broke the connection before its answer was whole.",
        "incomplete" if sent else "reset",
        name,
        sent=True,
    )
