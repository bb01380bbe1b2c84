# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of the manager: a scheduler cluster and its seed peer cluster as one object.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import CONSOLE_API, OPEN_API
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._crud import Crud, without_empty
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import ApiError, InputError

#: The numbers that can be set, with the least and the greatest that a manager takes (manager/types/cluster.go).
LIMITS = {
    "scheduler_cluster_config": {
        "candidate_parent_limit": (1, 20),
        "filter_parent_limit": (10, 1000),
        "job_rate_limit": (1, 1000000),
    },
    "seed_peer_cluster_config": {"load_limit": (1, 50000)},
    "peer_cluster_config": {"load_limit": (1, 2000)},
}
# A manager stores 0 for what is not sent. Its own first cluster has these in most releases (contract/*/clusters).
_NEW = {
    "scheduler_cluster_config": {"candidate_parent_limit": 4, "filter_parent_limit": 15},
    "seed_peer_cluster_config": {"load_limit": 2000},
    "peer_cluster_config": {"load_limit": 200},
}
_NEW_JOB_RATE_LIMIT = 10
_TEXTS = ("idc", "location")
_LISTS = ("cidrs", "hostnames")


def cluster_api(client_for, params):
    """The client and the path for clusters: the Open API, which has them from 2.1.9 on, else ``/api/v1``.

    :param client_for: function that gives the L(DragonflyClient) of a credential.
    :param params: the module's options (dict).
    :raises ApiError: with reason ``no_api`` for a release before 2.1.0.
    """
    if params["jwt"] and params["token"]:
        client = client_for("token")
        try:
            client.request("GET", OPEN_API + "/clusters", query={"page": 1, "per_page": 2})
            return client, OPEN_API + "/clusters"
        except ApiError as exc:
            if exc.reason != "no_api":
                raise
    if params["jwt"]:
        client = client_for("jwt")
        _refuse_old_manager(client)
        return client, CONSOLE_API + "/clusters"
    return client_for("token"), OPEN_API + "/clusters"


def _refuse_old_manager(client):
    """Releases before 2.1.0 have clusters at ``/api/v1``, too, but take and show other keys. They have no Open API."""
    try:
        client.request("GET", OPEN_API + "/jobs", query={"page": 1, "per_page": 1})
    except ApiError as exc:
        if exc.reason == "no_api":
            raise ApiError(
                f"{exc.message} Releases before 2.1.0 are not supported for clusters. What to do: update the manager.",
                exc.reason,
                exc.request,
                exc.status,
            ) from None
        # It has the Open API, for which a jwt is none of its tokens.


def wanted_cluster(params):
    """What the options name of a view (dict), None where there is to be no cluster.

    :param params: the module's options (dict).
    :raises InputError: for a value that no manager takes.
    """
    if params["name"] is not None and not params["name"].strip():
        raise InputError("name is empty.")
    if params["state"] == "absent":
        return None
    for key, limits in LIMITS.items():
        for name, (least, greatest) in limits.items():
            value = (params[key] or {}).get(name)
            if value is not None and not least <= value <= greatest:
                raise InputError(f"{key}.{name} must be from {int(least)} to {int(greatest)}, not {int(value)}.")
    wanted = {key: params[key] for key in ("name", "bio", "is_default", "scopes") + tuple(LIMITS)}
    if wanted["scopes"]:
        lists = {key: sorted(set(value)) for key, value in wanted["scopes"].items() if key in _LISTS and value}
        wanted["scopes"] = dict(wanted["scopes"], **lists)
    return wanted


class Clusters(Crud):
    """One cluster, by its id or its name.

    :param client: L(DragonflyClient).
    :param path: of clusters, see L(cluster_api).
    :param params: the module's options (dict): ``id``, ``name`` and, to change it, the rest.
    """

    kind = "cluster"
    types = dict({"name": str, "bio": str, "scopes": dict}, **{key: dict for key in LIMITS})
    refusals = (
        ("exists scheduler", "in_use", "schedulers belong to this cluster, stop them and delete them from the manager"),
        ("exists seed peer", "in_use", "seed peers belong to this cluster, stop them and delete them from the manager"),
    )

    def __init__(self, client, path, clock, params):
        super().__init__(client, path, clock)
        self._params = params

    # Reading

    def read_one(self):
        """The cluster of the option ``id`` (dict).

        :raises ApiError: with reason ``not_found`` where there is none.
        """
        return self.get(f"{self.path}/{int(self._params['id'])}")

    def read_all(self):
        """All clusters, or those of the option ``name`` (list of dict)."""
        name = self._params["name"]
        rows = self.client.all_rows(self.path, "clusters", name=name)
        # A database may take upper and lower case for the same.
        return [self.checked(one, "GET " + self.path) for one in rows if name is None or one.get("name") == name]

    def find(self):
        if self._params["id"] is None:
            return next(iter(self.read_all()), None)
        try:
            return self.read_one()
        except ApiError as exc:
            # An id cannot be chosen, so what has this one cannot be made.
            if exc.reason == "not_found" and self._params["state"] == "absent":
                return None
            raise

    def view(self, row):
        scopes = row.get("scopes") or {}
        view = {
            "name": row.get("name"),
            "bio": row.get("bio") or "",
            "is_default": bool(row.get("is_default")),
            "scopes": {key: scopes.get(key) or "" for key in _TEXTS},
        }
        view["scopes"].update({key: sorted(str(one) for one in scopes.get(key) or ()) for key in _LISTS})
        # As they are: a newer manager may have more in them, which must not get lost.
        view.update({key: dict(row.get(key) or {}) for key in LIMITS})
        return view

    def shown(self, row, view=None):
        """A cluster as the modules return it (dict)."""
        return dict(view or self.view(row), **{key: row.get(key) for key in ("id", "created_at", "updated_at")})

    # Changing

    def new(self, before):
        return dict(self.view({}), **{key: dict(value) for key, value in _NEW.items()})

    def body(self, planned, before):
        if before is None:
            sent = dict(planned, scopes=without_empty(planned["scopes"]))
            # Not in what is planned, for releases before 2.1.63 do not have it.
            config = dict({"job_rate_limit": _NEW_JOB_RATE_LIMIT}, **planned["scheduler_cluster_config"])
            return dict(sent, scheduler_cluster_config=config)
        sent = {key: value for key, value in planned.items() if value != before[key]}
        for key in ("scopes",) + tuple(LIMITS):
            if key in sent:
                # The manager replaces the whole of it. It shows 0 for what was never set, which needs no sending.
                sent[key] = without_empty(sent[key])
        # A PATCH without it means false.
        return dict(sent, is_default=planned["is_default"])

    def result(self, change):
        """The module's result (dict) of an L(Change)."""
        return {
            "changed": change.changed,
            "cluster": self.shown(change.row or {}, change.after) if change.after else None,
            "diff": change.diff(f"cluster {(change.before or change.after or self._params).get('name')}"),
        }
