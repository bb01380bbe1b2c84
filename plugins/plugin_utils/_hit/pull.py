# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow a pull on a host from the files of the runtime to the client that serves it."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from .._config.values import is_loopback
from .client import Client
from .containerd import Containerd
from .files import exists
from .go_client import GoClient
from .images import PreheatedImage
from .reasons import Reason, note, reason
from .registries_conf import NAMES, RegistriesConf
from .route import Route
from .rust_client import RustClient

CLIENTS: dict[str, type[Client]] = {client.name: client for client in (GoClient, RustClient)}


class Host:
    """A host that pulls.

    :param facts: facts from the module preheat_hit_info.
    :param runtime: ``containerd``, ``podman`` or ``crio``; None for the only one on the host.
    :ivar runtime_name: of the runtime that pulls, None if several may be meant.
    """

    def __init__(self, facts: dict[str, t.Any], runtime: str | None = None) -> None:
        self.runtime_name = runtime or _only_runtime(facts)
        self.runtime = _runtime(facts, self.runtime_name)
        self.client_files = [client["config"]["path"] for client in facts["clients"].values()]
        self.clients = [CLIENTS[name](client) for name, client in facts["clients"].items() if exists(client["config"])]


def _only_runtime(facts: dict[str, t.Any]) -> str | None:
    """Return the default runtime, None if it is ambiguous.

    podman and CRI-O read the same files, so CRI-O counts if both exist.
    """
    others = facts["registries_conf"]["runtimes"]
    if not others:
        return "containerd"
    if facts["containerd"].get("distribution") is not None:
        return None
    return "crio" if "crio" in others else str(others[0])


def _runtime(facts: dict[str, t.Any], name: str | None) -> Containerd | RegistriesConf:
    if name in NAMES:
        return RegistriesConf(facts["registries_conf"], name)
    containerd = Containerd(facts["containerd"])
    if name is None:
        names = " and ".join(NAMES[other] for other in facts["registries_conf"]["runtimes"])
        containerd.reasons = [reason("runtime_ambiguous", names=names)]
    return containerd


class Pull(t.NamedTuple):
    """A pull of an image on a host.

    :ivar route: None if the runtime does not pull it from a mirror.
    :ivar client: client that serves it, or None.
    :ivar reasons: why it does not reach the client, or the client does not serve it.
    :ivar notes: what had to be assumed.
    """

    image: PreheatedImage
    route: Route | None
    client: Client | None
    reasons: list[Reason]
    notes: list[str]


def follow_pull(host: Host, image: PreheatedImage) -> Pull:
    """Return the pull of an image on a host."""
    runtime = host.runtime
    if runtime.reasons:
        return Pull(image, None, None, list(runtime.reasons), [])
    route = runtime.route(image)
    if isinstance(route, Reason):
        return Pull(image, None, None, [route, *runtime.problems(None)], [])
    client = _client_behind(route, host)
    if isinstance(client, Reason):
        return Pull(image, route, None, [client, *runtime.problems(None)], [])
    unsent = runtime.unsent_credentials(image, route)
    reasons = [*runtime.problems(client), *unsent, *client.reasons]
    address = host_and_port(route.proxy)[0]
    notes = list(runtime.notes_for(client))
    if not is_loopback(address) and address != client.address:
        notes.append(note("address_assumed", proxy=route.proxy, address=client.address or "all addresses"))
    return Pull(image, route, client, reasons, notes)


def _client_behind(route: Route, host: Host) -> Client | Reason:
    """Return the client whose proxy the runtime pulls from, or why there is none."""
    proxy = host_and_port(route.proxy)
    listening = [client for client in host.clients if client.listens(*proxy)]
    if listening:
        is_https = route.proxy.startswith("https:")
        return reason("https_proxy", route.file, proxy=route.proxy) if is_https else listening[0]
    # If no client has a valid port, a single client is assumed.
    if len(host.clients) == 1 and not host.clients[0].names_port:
        return host.clients[0]
    return _why_no_client(route, host)


def _why_no_client(route: Route, host: Host) -> Reason:
    clients = host.clients
    if not clients:
        return reason("no_client", files=", ".join(host.client_files))
    if any(client.listens(*host_and_port(url)) for client in clients for url in route.others):
        return reason("other_mirror_first", route.file, first=route.proxy)
    if len(clients) == 1 and not clients[0].port:
        return reason("proxy_off", clients[0].path, "proxy.tcpListen.port")
    return reason("wrong_port", route.file, proxy=route.proxy, listening=", ".join(map(_listening, clients)))


def _listening(client: Client) -> str:
    return f"{client.name} listens on port {client.port or '(none)'} of {client.address or 'all addresses'}"


def host_and_port(url: str) -> tuple[str, int]:
    """Return host and port of a URL; an empty host and 0 if it is not a URL."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "", 0
