# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remedies for responses of proxies and load balancers in front of a server."""

from __future__ import annotations

#: Part of the remedy if a server does not speak TLS.
SPEAKS_PLAIN_HTTP = "the server may speak plain HTTP on this port (http://)"
_REMEDIES = {
    407: "the proxy requires credentials; write them into HTTP_PROXY or HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT)",
    413: "raise the limit for the size of requests in the proxy in front of the server (client_max_body_size in nginx)",
    502: "check that the server runs, and that the proxy or load balancer in front of it forwards to the right address",
    503: "try again later, because the server or the proxy in front of it is starting, overloaded or in maintenance",
    504: "check why the server takes so long, and raise the time limit of the proxy in front of it (60 s in nginx)",
}
# Responses of Go's and nginx's HTTP servers with 400 to plain HTTP, in lower case.
_WANTS_TLS = ("http request to an https server", "plain http request was sent to https port")


def gateway_remedy(status: int, proxy: str | None) -> str:
    """Return the remedy for a status that proxies and load balancers send, or an empty text for other statuses.

    :param proxy: host and port of the proxy from the environment, None without a proxy.
    """
    remedy = _REMEDIES.get(status)
    return f" What to do: {remedy}.{proxy_note(proxy)}" if remedy else ""


def proxy_note(proxy: str | None) -> str:
    """Return a sentence that names the proxy of a request, or an empty text without a proxy."""
    if not proxy:
        return ""
    return (
        f" The request goes through the proxy {proxy} (HTTP_PROXY, HTTPS_PROXY or ALL_PROXY); if that is not intended, "
        "add the host to NO_PROXY."
    )


def wants_tls(status: int, text: str) -> bool:
    """Return whether a response reports that the server expects TLS but received plain HTTP."""
    return status == 400 and any(part in text.lower() for part in _WANTS_TLS)
