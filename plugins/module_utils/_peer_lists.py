# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the lists of schedulers, seed peers and peers, in the format of the modules."""

from __future__ import annotations

import typing as t

from ._client import CONSOLE_API, DragonflyClient
from ._errors import ApiError, DragonflyError
from ._polling import Clock

#: Keys of the results that have another name in the manager's API.
_MANAGER_KEYS = {"hostname": "host_name"}
# Keys of releases 2.0.x.
_OLD_KEYS = {"scheduler_cluster_id": "SchedulerClusterID", "seed_peer_cluster_id": "SeedPeerClusterID"}


class PeerList(t.NamedTuple):
    """A list that only signed-in users may read.

    :ivar title: name of the rows in messages.
    :ivar keys: keys of a row in the modules' results.
    :ivar filters: filters that the manager supports.
    """

    path: str
    title: str
    keys: tuple[str, ...]
    filters: tuple[str, ...]


_COMMON = ("id", "hostname", "ip", "port", "idc", "location", "state")
_TIMES = ("created_at", "updated_at")
_FILTERS = ("hostname", "ip", "idc", "location", "state")
SCHEDULERS = PeerList(
    CONSOLE_API + "/schedulers",
    "schedulers",
    (*_COMMON, "features", "scheduler_cluster_id", "last_keep_alive_at", *_TIMES),
    (*_FILTERS, "scheduler_cluster_id"),
)
SEED_PEERS = PeerList(
    CONSOLE_API + "/seed-peers",
    "seed peers",
    (*_COMMON, "type", "download_port", "seed_peer_cluster_id", *_TIMES),
    (*_FILTERS, "seed_peer_cluster_id"),
)
_PEER_KEYS = ("type", "download_port", "proxy_port", "os", "platform", "platform_family", "platform_version")
_BUILD_KEYS = ("kernel_version", "git_version", "git_commit", "build_platform", "scheduler_cluster_id")
PEERS = PeerList(
    CONSOLE_API + "/peers", "peers", (*_COMMON, *_PEER_KEYS, *_BUILD_KEYS, *_TIMES), (*_FILTERS, "scheduler_cluster_id")
)


def read_list(
    client: DragonflyClient, peer_list: PeerList, filters: dict[str, t.Any] | None = None
) -> list[dict[str, t.Any]]:
    """Return the rows of a list, with the same keys for all releases; None if the release does not have the list.

    Both the manager and this function filter, because some releases ignore some filters, and all ignore ``state`` of
    seed peers.

    :param client: client with a JWT.
    :param filters: options of the group PEER_FILTERS and of the module: a value by key, or a list of values by the
        plural of the key; None to accept all.
    :raises DragonflyError: with reason ``no_api`` if the release does not have this list.
    """
    accepted = _accepted_values(filters or {})
    rows = client.all_rows(peer_list.path, peer_list.title, **_query(peer_list, accepted))
    if peer_list is PEERS:
        _refuse_seed_peers(rows)
    uniform = [uniform_row(row, peer_list.keys) for row in rows]
    return [row for row in uniform if all(row[key] in values for key, values in accepted.items())]


def _query(peer_list: PeerList, accepted: dict[str, list[t.Any]]) -> dict[str, t.Any]:
    """Return the filters that the manager supports. It accepts one value for each."""
    single = {key: values[0] for key, values in accepted.items() if len(values) == 1}
    return {_MANAGER_KEYS.get(key, key): value for key, value in single.items() if key in peer_list.filters}


def _refuse_seed_peers(rows: list[dict[str, t.Any]]) -> None:
    """Refuse a list of peers that contains seed peers.

    :raises DragonflyError: with reason ``no_api``.
    """
    if any("seed_peer_cluster_id" in row for row in rows):
        request = f"GET {PEERS.path}"
        raise DragonflyError(
            f"{request}: the response contains seed peers, as from managers 2.1.7 to 2.1.11. Listing peers requires "
            "Dragonfly manager 2.1.12 or later. What to do: upgrade the manager.",
            "no_api",
            request,
        )


def uniform_row(row: dict[str, t.Any], keys: tuple[str, ...]) -> dict[str, t.Any]:
    """Return a row of a manager with the keys of the modules' results."""
    return {key: row.get(_MANAGER_KEYS.get(key, key), row.get(_OLD_KEYS.get(key, key))) for key in keys}


def _accepted_values(filters: dict[str, t.Any]) -> dict[str, list[t.Any]]:
    """Return the values that filters accept by key of a row. An empty list accepts all."""
    accepted: dict[str, list[t.Any]] = {}
    for name, value in filters.items():
        if isinstance(value, list) and value:
            accepted[name[:-1]] = value
        elif value is not None and not isinstance(value, list):
            accepted[name] = [value]
    return accepted


def no_peers_warning(url: str) -> str:
    """Return the warning for an empty list of peers that was not refreshed, including the manager's URL."""
    return f"{url} knows no peers yet. Managers 2.2 and later must query their schedulers first: set refresh to true."


_BUSY_PAUSE = 2


def refresh_peers(client: DragonflyClient, timeout: float, clock: Clock) -> None:
    """Make the manager query its schedulers for their peers, after waiting for another such request.

    :param client: client with a JWT.
    :param timeout: maximum wait for the other request in seconds.
    :raises ApiError: see ``DragonflyClient.sync_peers``.
    """
    deadline = clock.now() + timeout
    while True:
        try:
            client.sync_peers()
            return
        except ApiError as exc:
            if exc.reason != "busy" or clock.now() + _BUSY_PAUSE > deadline:
                raise
        clock.pause(_BUSY_PAUSE)
