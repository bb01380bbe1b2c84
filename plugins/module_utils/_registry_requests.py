# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send GET requests to registries and token services, with few redirects, and without waiting twice for a server."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from ._attempt import resolve
from ._errors import TransportError
from ._http import Http, Response
from ._registry_auth import origin, redirect_problem
from ._registry_errors import RegistryUnreachable

_NO_ANSWER = ("connect_timeout", "read_timeout", "refused", "unreachable", "dns")
_REDIRECTS = 3
# Seconds.
_RESOLVE_TIMEOUT = 10


def resolve_host(host: str) -> list[str]:
    """Return the addresses of a host, or none if its name cannot be resolved."""
    try:
        return [str(entry[4][0]) for entry in resolve(host, None, _RESOLVE_TIMEOUT)]
    except (OSError, UnicodeError):
        return []


class RegistryRequests:
    """Sends GET requests to registries. Threads may share an instance.

    :param http: ``Http`` without credentials.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self._silent: dict[tuple[str, str], TransportError] = {}

    def get(
        self, url: str, accept: str, authorization: str | None, headers: dict[str, str], limit: int
    ) -> tuple[Response, str]:
        """Return a response and its URL after redirects.

        Credentials and the user's headers are not sent to other servers.
        """
        place = url
        for _attempt in range(_REDIRECTS):
            sent = dict(headers, Accept=accept)
            if authorization:
                sent["Authorization"] = authorization
            answer = self._send(place, sent, limit)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer, place
            target = _redirect_target(place, answer)
            problem = redirect_problem(place, target, resolve_host)
            if problem:
                raise RegistryUnreachable(
                    f"GET {url}: the redirect of the registry was not followed: {problem}.",
                    "registry_unreachable",
                    f"GET {url}",
                )
            if origin(target) != origin(place):
                authorization, headers = None, {}
            place = target
        raise RegistryUnreachable(
            f"GET {url}: the registry redirected more than {_REDIRECTS - 1} times.",
            "registry_unreachable",
            f"GET {url}",
        )

    def _send(self, url: str, headers: dict[str, str], limit: int) -> Response:
        """Send a GET, unless the server did not respond before, because each attempt would take as long."""
        parts = urlsplit(url)
        server = (parts.scheme, parts.netloc)
        if server in self._silent:
            earlier = self._silent[server]
            request = f"GET {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}"
            message = request + earlier.message[len(earlier.request or "") :]
            raise TransportError(message, earlier.reason, request, sent=False)
        try:
            return self._http.send("GET", url, headers=headers, limit=limit)
        except TransportError as exc:
            if exc.reason in _NO_ANSWER:
                self._silent[server] = exc
            raise


def _redirect_target(place: str, answer: Response) -> str:
    try:
        return urljoin(place, answer.headers.get("Location", ""))
    except ValueError:
        return answer.headers.get("Location", "")
