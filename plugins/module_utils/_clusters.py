# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of the manager: a scheduler cluster and its seed peer cluster as one object."""

from __future__ import annotations

import typing as t

from ._client import CONSOLE_API, OPEN_API, DragonflyClient
from ._errors import ApiError, DragonflyError, InputError
from ._managed_resource import Change, ManagedResource, Refusal, Row, View, without_empty
from ._option_checks import Range, network_problems, raise_problems, range_problems, regex_problems
from ._peer_lists import SCHEDULERS, read_list
from ._polling import Clock
from ._sign_in import has_session
from ._text import listed

#: Numeric settings (manager/types/scheduler_cluster.go and seed_peer_cluster.go of 2.1.63 to 2.5.1).
RANGES = {
    "scheduler_cluster_config": {
        "candidate_parent_limit": Range(1, 20),
        "filter_parent_limit": Range(10, 1000),
        "job_rate_limit": Range(1, 1000000),
    },
    "seed_peer_cluster_config": {"load_limit": Range(1, 50000)},
    "peer_cluster_config": {"load_limit": Range(1, 2000)},
}
# A manager stores 0 for omitted values. Its default cluster has these values in most releases (contract/*/clusters).
_NEW = {
    "scheduler_cluster_config": {"candidate_parent_limit": 4, "filter_parent_limit": 15},
    "seed_peer_cluster_config": {"load_limit": 2000},
    "peer_cluster_config": {"load_limit": 200},
}
_NEW_JOB_RATE_LIMIT = 10
_SCHEDULERS_UNKNOWN = (
    "It is unknown whether cluster {name} has schedulers, in which case the manager does not delete it."
)
_LISTING_SCHEDULERS = (
    "To check this in check mode, set jwt, or username and password: a personal access token does not list schedulers."
)
_SCOPE_TEXTS = ("idc", "location")
_SCOPE_LISTS = ("cidrs", "hostnames")


def cluster_api(
    client_for: t.Callable[[str], DragonflyClient], params: dict[str, t.Any]
) -> tuple[DragonflyClient, str]:
    """Return the client and the path for clusters: the Open API from release 2.1.9 on, ``/api/v1`` before.

    :param client_for: returns the client for a credential.
    :param params: options of the module.
    :raises ApiError: with reason ``no_api`` for releases before 2.1.0.
    """
    if has_session(params) and params["token"]:
        client = client_for("token")
        try:
            client.request("GET", OPEN_API + "/clusters", query={"page": 1, "per_page": 2})
            return client, OPEN_API + "/clusters"
        except ApiError as exc:
            if exc.reason != "no_api":
                raise
    if has_session(params):
        client = client_for("jwt")
        _refuse_old_manager(client)
        return client, CONSOLE_API + "/clusters"
    return client_for("token"), OPEN_API + "/clusters"


def scheduler_finder(
    client_for: t.Callable[[str], DragonflyClient], params: dict[str, t.Any]
) -> t.Callable[[int], list[Row]] | None:
    """Return a function that returns the schedulers of a scheduler cluster, None without a JWT, which lists them.

    :param client_for: returns the client for a credential.
    :param params: options of the module.
    """
    if not has_session(params):
        return None
    return lambda cluster_id: read_list(client_for("jwt"), SCHEDULERS, {"scheduler_cluster_id": cluster_id})


def _refuse_old_manager(client: DragonflyClient) -> None:
    """Refuse releases before 2.1.0, whose clusters have other keys and no Open API."""
    try:
        client.request("GET", OPEN_API + "/jobs", query={"page": 1, "per_page": 1})
    except ApiError as exc:
        if exc.reason == "no_api":
            raise ApiError(
                f"{exc.problem}. Releases before 2.1.0 are not supported for clusters. What to do: update the manager.",
                exc.reason,
                exc.request,
                exc.status,
            ) from None
        # Any other error shows that the Open API exists and does not accept a JWT.


def desired_cluster(params: dict[str, t.Any]) -> View | None:
    """Return the part of a view that the options set, or None to delete the cluster.

    :param params: options of the module.
    :raises InputError: if a value is not valid for any manager.
    """
    if params["name"] is not None and not params["name"].strip():
        raise InputError("name is empty.")
    if params["state"] == "absent":
        return None
    raise_problems(_setting_problems(params))
    desired = {key: params[key] for key in ("name", "bio", "is_default", *RANGES)}
    return dict(desired, scopes=_with_sorted_lists(params["scopes"] or {}))


def _with_sorted_lists(scopes: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return scopes with each list sorted and without duplicates."""
    return {**scopes, **{key: sorted(set(scopes[key])) for key in _SCOPE_LISTS if scopes.get(key)}}


def _setting_problems(params: dict[str, t.Any]) -> list[str]:
    """Return problems of settings that no manager can use."""
    problems = []
    for key, ranges in RANGES.items():
        problems += range_problems(params[key] or {}, ranges, f"{key}.")
    scopes = params["scopes"] or {}
    # The manager stores any text, and ignores what it cannot parse whenever it selects a cluster.
    problems += network_problems("scopes.cidrs", scopes.get("cidrs"))
    problems += regex_problems("scopes.hostnames", scopes.get("hostnames"))
    return problems


def _scopes(scopes: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the scopes of a row with all keys."""
    texts = {key: scopes.get(key) or "" for key in _SCOPE_TEXTS}
    return {**texts, **{key: sorted(map(str, scopes.get(key) or ())) for key in _SCOPE_LISTS}}


class Clusters(ManagedResource):
    """A cluster, identified by its ID or its name.

    :ivar warnings: warnings to the user.
    :param path: path of clusters, see ``cluster_api``.
    :param params: options of the module: ``id``, ``name``, and the settings.
    :param schedulers: returns the schedulers of a cluster by its ID, None if the task has no JWT to list them.
    """

    kind = "cluster"
    types = {"name": str, "bio": str, "scopes": dict, **{key: dict for key in RANGES}}
    refusals = (
        Refusal(
            "exists scheduler",
            "in_use",
            "schedulers belong to this cluster, stop them and delete them from the manager",
        ),
        Refusal(
            "exists seed peer",
            "in_use",
            "seed peers belong to this cluster, stop them and delete them from the manager",
        ),
    )

    def __init__(
        self,
        client: DragonflyClient,
        path: str,
        clock: Clock,
        params: dict[str, t.Any],
        schedulers: t.Callable[[int], list[Row]] | None = None,
    ) -> None:
        super().__init__(client, path, clock)
        self.warnings: list[str] = []
        self._params = params
        self._schedulers = schedulers

    # Reading

    def read_by_id(self) -> Row:
        """Return the cluster with the option ``id``.

        :raises ApiError: with reason ``not_found`` if it does not exist.
        """
        return self.get(f"{self.path}/{self._params['id']}")

    def read_all(self) -> list[Row]:
        """Return all clusters, or those of the option ``name``."""
        name = self._params["name"]
        rows = self.client.all_rows(self.path, "clusters", name=name)
        # A database may ignore case.
        return [self.checked(row, "GET " + self.path) for row in rows if name is None or row.get("name") == name]

    def find(self) -> Row | None:
        """Return the cluster with the option ``id``, or else ``name``; None if it does not exist."""
        if self._params["id"] is None:
            return next(iter(self.read_all()), None)
        try:
            return self.read_by_id()
        except ApiError as exc:
            # The manager chooses IDs, so a cluster with this ID cannot be created.
            if exc.reason == "not_found" and self._params["state"] == "absent":
                return None
            raise

    def view(self, row: Row) -> View:
        """Return the settings of a cluster."""
        return {
            "name": row.get("name"),
            "bio": row.get("bio") or "",
            "is_default": bool(row.get("is_default")),
            "scopes": _scopes(row.get("scopes") or {}),
            # Keep unknown settings, which newer managers may have.
            **{key: dict(row.get(key) or {}) for key in RANGES},
        }

    def shown(self, row: Row, view: View | None = None) -> dict[str, t.Any]:
        """Return a cluster as modules return it."""
        return dict(view or self.view(row), **{key: row.get(key) for key in ("id", "created_at", "updated_at")})

    # Changing

    def new(self, before: View | None) -> View:
        """Return the settings of a cluster that is created without any option."""
        return dict(self.view({}), **{key: dict(config) for key, config in _NEW.items()})

    def body(self, planned: View, before: View | None) -> dict[str, t.Any]:
        """Return the body of the request that creates or updates a cluster."""
        if before is None:
            # Not part of the plan, because releases before 2.1.63 have no rate limit.
            config = {"job_rate_limit": _NEW_JOB_RATE_LIMIT, **planned["scheduler_cluster_config"]}
            return dict(planned, scopes=without_empty(planned["scopes"]), scheduler_cluster_config=config)
        changed = {key: value for key, value in planned.items() if value != before[key]}
        for key in ("scopes", *RANGES):
            if key in changed:
                # The manager replaces the whole value. It returns 0 for unset values, which are not sent.
                changed[key] = without_empty(changed[key])
        # A PATCH without is_default sets it to false.
        return dict(changed, is_default=planned["is_default"])

    def check_deletion(self, row: Row) -> None:
        """Fail if the cluster has schedulers, in which case the manager does not delete it.

        :raises DragonflyError: with reason ``in_use``.
        """
        name = row.get("name")
        try:
            schedulers = self._schedulers(row["id"]) if self._schedulers else None
        except ApiError as exc:
            self.warnings.append(f"{_SCHEDULERS_UNKNOWN.format(name=name)} {exc.message}")
            return
        if schedulers is None:
            self.warnings.append(f"{_SCHEDULERS_UNKNOWN.format(name=name)} {_LISTING_SCHEDULERS}")
        elif schedulers:
            names = listed([str(scheduler["hostname"]) for scheduler in schedulers], most=5)
            raise DragonflyError(
                f"The manager does not delete cluster {name}, because schedulers belong to this cluster: {names}. "
                "What to do: stop them and delete them from the manager.",
                "in_use",
            )

    def result(self, change: Change) -> dict[str, t.Any]:
        """Return the module's result for a change."""
        name = (change.before or change.after or self._params).get("name")
        return {
            "changed": change.changed,
            "cluster": self.shown(change.row or {}, change.after) if change.after else None,
            "diff": change.diff(f"cluster {name}"),
        }
