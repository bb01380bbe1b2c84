# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests of the manager and the peers to registries and origins: real HTTP in private networks only."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import typing as t
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import aiohttp


class ReachError(Exception):
    """There is no response. The text is that of Go's net/http, without the leading ``Get "..."``."""


class Answer:
    """A complete response: status (int), headers and body (bytes)."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def status_line(self):
        """Return the status as in ``404 Not Found``."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} "


@lru_cache(maxsize=None)
def _context(ca):
    """Return a context that trusts a CA file. Loading the system's CAs takes longer than the start of a sandbox."""
    return ssl.create_default_context(cafile=ca)


class Reach:
    """Requests to the outside.

    :param aliases: dict of ``host[:port]`` in URLs to the real base URL or ``host:port``.
    :param ca: file with certificates to trust, None for the system's.
    """

    def __init__(self, aliases=None, ca=None):
        self.aliases = dict(aliases or {})
        self._ca = ca
        self._session: t.Any = None

    async def open(self):
        connector = aiohttp.TCPConnector(ssl=_context(self._ca), limit=32)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=60),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self):
        if self._session:
            await self._session.close()

    def _target(self, parts):
        """Return the scheme and address to which a request for a URL is sent."""
        alias = self.aliases.get(parts.netloc.rpartition("@")[2])
        if alias:
            base = urlsplit(alias if "://" in alias else "http://" + alias)
            return base.scheme, base.netloc
        host = parts.hostname or ""
        try:
            private = ipaddress.ip_address(host).is_private
        except ValueError:
            private = host == "localhost"
        if not private:
            raise ReachError(f"dial tcp: lookup {host}: no such host")
        return parts.scheme, parts.netloc

    async def fetch(self, url, headers=None, refuse_loopback=False, method="GET"):
        """Request a URL, and follow redirects.

        :param refuse_loopback: whether to refuse loopback addresses as managers do, before anything is sent.
        :raises ReachError: if there is no response.
        """
        parts = urlsplit(url)
        address = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        if refuse_loopback and parts.hostname in ("localhost", "127.0.0.1", "::1"):
            raise ReachError(f"dial tcp {address}: ip 127.0.0.1 is invalid")
        scheme, netloc = self._target(parts)
        target = urlunsplit((scheme, netloc, parts.path, parts.query, ""))
        try:
            async with self._session.request(
                method, target, headers=headers or {}, skip_auto_headers=("Accept",)
            ) as answer:
                return Answer(answer.status, answer.headers, await answer.read())
        except asyncio.TimeoutError:
            raise ReachError("context deadline exceeded (Client.Timeout exceeded while awaiting headers)") from None
        except aiohttp.ClientSSLError:
            raise ReachError(
                "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            ) from None
        except aiohttp.ClientConnectorError:
            raise ReachError(f"dial tcp {address}: connect: connection refused") from None
        except (aiohttp.ClientError, OSError):
            raise ReachError("EOF") from None
