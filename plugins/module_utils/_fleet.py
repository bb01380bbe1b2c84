# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedulers, seed peers and peers as the modules return them, and what they mean for a preheat.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import CONSOLE_API
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import ApiError, DragonflyError

# As 2.0.x spells them.
_OLD_KEYS = {"scheduler_cluster_id": "SchedulerClusterID", "seed_peer_cluster_id": "SeedPeerClusterID"}


class Kind:
    """One of the lists that only a signed-in user may read.

    :ivar path: str.
    :ivar words: what the rows are, for errors (str).
    :ivar keys: of a row, as the modules return them.
    :ivar sent: names of filters that the manager takes.
    """

    def __init__(self, path, words, keys, sent):
        self.path = CONSOLE_API + path
        self.words = words
        self.keys = keys
        self.sent = sent


_COMMON = ("id", "host_name", "ip", "port", "idc", "location", "state")
_TIMES = ("created_at", "updated_at")
_SENT = ("host_name", "ip", "idc", "location", "state")
SCHEDULERS = Kind(
    "/schedulers",
    "schedulers",
    _COMMON + ("features", "scheduler_cluster_id", "last_keep_alive_at") + _TIMES,
    _SENT + ("scheduler_cluster_id",),
)
SEED_PEERS = Kind(
    "/seed-peers",
    "seed peers",
    _COMMON + ("type", "download_port", "seed_peer_cluster_id") + _TIMES,
    _SENT + ("seed_peer_cluster_id",),
)
PEERS = Kind(
    "/peers",
    "peers",
    _COMMON
    + ("type", "download_port", "proxy_port", "os", "platform", "platform_family", "platform_version", "kernel_version")
    + ("git_version", "git_commit", "build_platform", "scheduler_cluster_id")
    + _TIMES,
    _SENT + ("scheduler_cluster_id",),
)


def read(client, kind, filters=None):
    """The rows of a list, with the same keys whatever the release; None where a release has none.

    The manager filters, and so does this: some releases ignore some filters, ``state`` of seed peers all of them.

    :param client: L(DragonflyClient) with a jwt.
    :param kind: L(Kind).
    :param filters: dict of key to value; None for any.
    :returns: list of dict.
    """
    filters = {key: value for key, value in (filters or {}).items() if value is not None}
    sent = {key: value for key, value in filters.items() if key in kind.sent}
    rows = client.all_rows(kind.path, kind.words, **sent)
    if kind is PEERS and any("seed_peer_cluster_id" in row for row in rows):
        raise DragonflyError(
            f"GET {kind.path}: it answered with seed peers, as 2.1.7 to 2.1.11 do. There is no list of peers "
            "before 2.1.12.",
            "no_api",
            f"GET {kind.path}",
        )
    shown = [{key: row.get(key, row.get(_OLD_KEYS.get(key))) for key in kind.keys} for row in rows]
    return [row for row in shown if all(row[key] == value for key, value in filters.items())]


#: A warning where the list of peers is empty and was not refreshed, with the manager's address.
NO_PEERS = "%s knows no peers yet. From release 2.2 on it has to ask its schedulers first: set refresh to true."
_BUSY_PAUSE = 2


def refresh_peers(client, timeout, clock):
    """Has the manager ask its schedulers for their peers, after another such request where one is under way.

    :param client: L(DragonflyClient) with a jwt.
    :param timeout: seconds for which the other one is awaited.
    :param clock: L(Clock).
    :raises ApiError: see L(DragonflyClient.sync_peers).
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
