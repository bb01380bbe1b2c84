# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follows a pull through the host: from containerd's files to the client that serves it.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.values import is_loopback
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.client import Client
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.containerd import Containerd, Route
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.go_client import GoClient
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.images import PreheatedImage
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.reasons import Reason, note, reason
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.rust_client import RustClient

_CLIENTS: dict[str, type[Client]] = {client.name: client for client in (GoClient, RustClient)}


class Host:
    """A host that pulls.

    :param facts: what the module preheat_hit_info reports of it.
    """

    def __init__(self, facts: dict[str, t.Any]) -> None:
        self.containerd = Containerd(facts["containerd"])
        self.client_files = [client["config"]["path"] for client in facts["clients"].values()]
        self.clients = [
            _CLIENTS[name](client)
            for name, client in facts["clients"].items()
            if client["config"].get("text") is not None or client["config"].get("error")
        ]


class Pull(t.NamedTuple):
    """The pull of an image on a host.

    :ivar route: None if containerd does not pull it from a mirror.
    :ivar client: that serves it, None if none does.
    :ivar reasons: why it does not get to the client, or the client does not serve it.
    :ivar notes: what had to be assumed.
    """

    image: PreheatedImage
    route: Route | None
    client: Client | None
    reasons: list[Reason]
    notes: list[str]


def follow_pull(host: Host, image: PreheatedImage) -> Pull:
    """Return how a host pulls an image."""
    containerd = host.containerd
    if containerd.reasons:
        return Pull(image, None, None, list(containerd.reasons), [])
    route = containerd.route(image.registry)
    if isinstance(route, Reason):
        return Pull(image, None, None, [route, *containerd.problems("none")], [])
    client = _client_behind(route, host)
    if isinstance(client, Reason):
        return Pull(image, route, None, [client, *containerd.problems("none")], [])
    unsent = containerd.unsent_credentials(image.registry, route)
    reasons = [*containerd.problems(client.name, client.skips_small_parts), *unsent, *client.reasons]
    address = host_and_port(route.proxy)[0]
    notes = []
    if not is_loopback(address) and address != client.address:
        notes.append(note("address_assumed", proxy=route.proxy, address=client.address or "all addresses"))
    return Pull(image, route, client, reasons, notes)


def _client_behind(route: Route, host: Host) -> Client | Reason:
    """Return the client whose proxy containerd pulls from, or why there is none."""
    clients = host.clients
    if not clients:
        return reason("no_client", files=" nor ".join(host.client_files))
    proxy = host_and_port(route.proxy)
    if route.proxy.startswith("https:") and any(client.listens(*proxy) for client in clients):
        return reason("https_proxy", route.file, proxy=route.proxy)
    for client in clients:
        # If no port can be read, the only client is the one that was meant.
        if client.listens(*proxy) or (len(clients) == 1 and not client.names_port):
            return client
    return _why_no_client(route, clients)


def _why_no_client(route: Route, clients: list[Client]) -> Reason:
    others = [host_and_port(url) for url in route.others]
    if any(client.listens(*other) for client in clients for other in others):
        return reason("other_mirror_first", route.file, first=route.proxy)
    if len(clients) == 1 and not clients[0].port:
        return reason("proxy_off", clients[0].path, "proxy.tcpListen.port")
    listening = ", ".join(
        f"{client.name} listens on port {client.port or '(none)'} of {client.address or 'all addresses'}"
        for client in clients
    )
    return reason("wrong_port", route.file, proxy=route.proxy, listening=listening)


def host_and_port(url: str) -> tuple[str, int]:
    """Return host and port of a URL; an empty host and 0 if it is not a URL."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "", 0
