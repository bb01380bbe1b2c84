# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests a blob from the proxy of a host's Dragonfly client, as containerd would.

Runs on the host with nothing but the standard library.
"""

from __future__ import annotations

import re
import socket
import time
import typing as t
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

from ._attempt import Attempt, FinalResponse, TimedSocket, TooManyBytes, open_socket
from ._config_redaction import HIDDEN

_FILE_BYTES = 1 << 20
# Of the body of the response, which may be a large blob, or endless.
_BODY_BYTES = 1 << 20
_CHUNK = 64 * 1024
# Characters that are kept of a header of the answer, and of an error.
_LONGEST_VALUE = 1000
# Printable ASCII without escapes, which is all that a header needs.
_HEADER = re.compile(r"""(?m)^[ \t]*["']?([\w-]+)["']?[ \t]*=[ \t]*\[?\s*(?:"([ !#-\[\]-~]+)"|'([ -&(-~]+)')""")


class _Connection(HTTPConnection):
    """A connection whose request ends in time."""

    def __init__(self, host: str, port: int, attempt: Attempt) -> None:
        super().__init__(host, port)
        self._attempt = attempt

    def connect(self) -> None:
        self.sock = open_socket(self.host, self.port, self._attempt)

    def response_class(self, sock: socket.socket, **kwargs: t.Any) -> HTTPResponse:  # type: ignore[override]
        return FinalResponse(TimedSocket(sock, self._attempt), **kwargs)  # type: ignore[arg-type]


def probe(
    proxy: str, path: str, headers: dict[str, str], timeout: float, hosts_file: str | None = None
) -> dict[str, t.Any]:
    """Request a blob from a client's proxy.

    :param proxy: its URL.
    :param path: with the query.
    :param headers: names in lower case; the value of one that was hidden is read again.
    :param timeout: seconds.
    :param hosts_file: path of the hosts.toml that the headers are of.
    :returns: ``status``, ``headers`` (those of Dragonfly, in lower case), ``bytes``, ``seconds``, ``error``, and
        ``unknown``: headers whose values could not be read, for which nothing was requested.
    """
    answer: dict[str, t.Any] = {
        "status": None,
        "headers": {},
        "bytes": 0,
        "seconds": None,
        "error": None,
        "unknown": [],
    }
    address = _address(proxy)
    if address is None:
        answer["error"] = "it is not an http proxy"
        return answer
    hidden = [name for name, value in headers.items() if HIDDEN in value]
    real = _real_values(hosts_file) if hidden and hosts_file else {}
    answer["unknown"] = sorted(set(hidden) - real.keys())
    if not answer["unknown"]:
        begun = time.monotonic()
        sent = {**headers, **{name: real[name] for name in hidden}}
        answer["error"] = _request_in_time(answer, address, path, sent, timeout)
        answer["seconds"] = round(time.monotonic() - begun, 3)
    return answer


def _request_in_time(
    answer: dict[str, t.Any], address: tuple[str, int], path: str, headers: dict[str, str], timeout: float
) -> str | None:
    """Fill in what comes back, and return why that is not everything."""
    attempt = Attempt(timeout, timeout)
    try:
        _request(answer, _Connection(*address, attempt), attempt, path, headers)
    except ValueError:
        # Its text may hold the value, which may be a secret.
        return "a header contains characters that are not allowed in its name or value"
    except TooManyBytes:
        return "the headers of its response do not end"
    except (OSError, HTTPException) as exc:
        return str(exc)[:_LONGEST_VALUE] or type(exc).__name__
    return None


def _address(proxy: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        return None
    return (host, port) if host and parts.scheme == "http" else None


def _request(
    answer: dict[str, t.Any], connection: HTTPConnection, attempt: Attempt, path: str, headers: dict[str, str]
) -> None:
    """Fill in what comes back."""
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        answer["status"] = response.status
        for name, value in response.getheaders():
            if name.lower().startswith("x-dragonfly-"):
                answer["headers"][name.lower()] = value[:_LONGEST_VALUE]
        attempt.expect(_BODY_BYTES)
        try:
            for chunk in iter(lambda: response.read(_CHUNK), b""):
                answer["bytes"] += len(chunk)
        except (socket.timeout, TooManyBytes):
            # The headers and the first bytes are sufficient.
            pass
    finally:
        connection.close()


def _real_values(path: str) -> dict[str, str]:
    """Return the headers that a hosts.toml gives one value, by name in lower case."""
    try:
        with open(path, encoding="utf-8") as hosts_file:
            text = hosts_file.read(_FILE_BYTES)
    except (OSError, ValueError):
        return {}
    values: dict[str, set[str]] = {}
    for name, double, single in _HEADER.findall(text):
        values.setdefault(name.lower(), set()).add(double or single)
    return {name: texts.pop() for name, texts in values.items() if len(texts) == 1}
