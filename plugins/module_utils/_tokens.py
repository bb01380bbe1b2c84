# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Personal access tokens of the manager, the credentials of its Open API."""

from __future__ import annotations

import re
import time
import typing as t

from ._client import CONSOLE_API, DragonflyClient
from ._duration import duration_problem, parse_duration
from ._errors import InputError
from ._jwt import user_id_of
from ._managed_resource import Change, ManagedResource, Row, View
from ._polling import Clock
from ._time import parse_time

SCOPES = ("cluster", "job")
# Without scopes, 2.1.9 to 2.2.1 respond with 500, and later releases grant all of them (contract/*/tokens).
_DEFAULT_SCOPES = ("job",)
# MySQL and MariaDB store no later time in a timestamp column, and the manager responds with 500 without the cause.
_LAST_EXPIRY = "2038-01-19T03:14:07Z"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def parse_lifetime(text: str) -> int:
    """Return the seconds of ``expires_in``, such as ``90d`` or ``1d12h``.

    :raises InputError: if the text is not a valid duration, or is 0.
    """
    seconds = parse_duration(text)
    if seconds is None:
        raise InputError(duration_problem("expires_in", text) + ".")
    if seconds < 1:
        raise InputError(f"expires_in must be at least 1 second, not {text!r}.")
    return seconds


def parse_expiry(text: str) -> int:
    """Return the seconds since 1970 of a date with or without a time. A date without a time starts at midnight UTC.

    :raises InputError: if the text is not a date, or too late for the manager to store.
    """
    seconds = parse_time(text + "T00:00:00Z" if _DATE.fullmatch(text) else text)
    if seconds is None:
        raise InputError(
            f"expires_at must be a date such as 2027-06-30, or with time and zone (2027-06-30T12:00:00Z), not {text!r}."
        )
    return int(_storable(seconds, "expires_at"))


def _storable(seconds: float, option: str) -> float:
    if seconds > t.cast(float, parse_time(_LAST_EXPIRY)):
        raise InputError(f"{option} is later than {_LAST_EXPIRY}, which the manager's database cannot store.")
    return seconds


def _format_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Tokens(ManagedResource):
    """A personal access token, identified by its name.

    :param client: client with a JWT.
    :param params: options of the module.
    """

    kind = "personal access token"
    types = {"bio": str, "token": str, "scopes": list, "state": str, "expired_at": str, "user_id": int}

    def __init__(self, client: DragonflyClient, clock: Clock, params: dict[str, t.Any]) -> None:
        super().__init__(client, CONSOLE_API + "/personal-access-tokens", clock)
        self._params = params
        self._check_input()

    def _check_input(self) -> None:
        params = self._params
        if not params["name"].strip():
            raise InputError("name is empty.")
        if params["scopes"] is not None and not params["scopes"]:
            raise InputError("scopes is empty, which grants all scopes. List the required scopes.")
        if params["expires_at"] is not None:
            parse_expiry(params["expires_at"])
        if params["expires_in"] is not None:
            _storable(self.clock.wall() + parse_lifetime(params["expires_in"]), "expires_in")

    # The desired state

    def desired(self) -> View | None:
        """Return the part of a view that the options set, or None to delete the token."""
        params = self._params
        if params["state"] == "absent":
            return None
        states = {None: None, True: "active", False: "inactive"}
        return {
            "bio": params["bio"],
            "scopes": sorted(set(params["scopes"])) if params["scopes"] else None,
            "state": states[params["active"]],
            "expires_at": _format_time(parse_expiry(params["expires_at"])) if params["expires_at"] else None,
            "user_id": params["user_id"],
        }

    def find(self) -> Row | None:
        """Return the token with the option ``name``, None if it does not exist."""
        for row in self.client.all_rows(self.path, "personal access tokens"):
            if row.get("name") == self._params["name"]:
                return self.checked(row, "GET " + self.path)
        return None

    def view(self, row: Row) -> View:
        """Return the settings of a token."""
        expires = parse_time(row.get("expired_at"))
        return {
            "name": row.get("name"),
            "bio": row.get("bio") or "",
            # An empty list grants all scopes (manager/middlewares/personal_access_token.go of 2.1.9 to 2.5.1).
            "scopes": sorted({str(scope) for scope in row.get("scopes") or SCOPES}),
            "state": row.get("state"),
            "expires_at": None if expires is None else _format_time(expires),
            "user_id": row.get("user_id"),
        }

    def new(self, before: View | None) -> View:
        """Return the settings of a token that is created without any option, or that replaces another."""
        view = before or {"bio": "", "scopes": list(_DEFAULT_SCOPES), "user_id": user_id_of(self._params["jwt"] or "")}
        return dict(view, name=self._params["name"], state="active", expires_at=self._expires_in())

    def _expires_in(self) -> str | None:
        if self._params["expires_in"] is None:
            return None
        return _format_time(_storable(self.now() + parse_lifetime(self._params["expires_in"]), "expires_in"))

    def now(self) -> float:
        """Return seconds since 1970, by the manager's clock if its responses have a date."""
        return self.client.date or self.clock.wall()

    def check(self, planned: View, before: View | None) -> None:
        """Validate the planned settings: refuse what the manager would refuse, ignore or misread.

        :raises InputError: if they are not valid.
        """
        super().check(planned, before)
        if planned["expires_at"] is None:
            raise InputError("expires_in or expires_at is missing: a new token must expire.")
        if planned["user_id"] is None:
            raise InputError("user_id is missing, and the jwt does not contain it.")
        old = before or {}
        if planned["expires_at"] != old.get("expires_at"):
            self._check_expiry(planned["expires_at"])
        if planned["user_id"] != old.get("user_id"):
            self._check_user(planned["user_id"])

    def _check_expiry(self, expires_at: str) -> None:
        if self._is_over(expires_at):
            raise InputError(
                f"expires_at {expires_at} is in the past, so the token would not work. To deactivate a token, set "
                "active=false."
            )

    def _is_over(self, text: str | None) -> bool:
        """Return whether a time is known and in the past."""
        seconds = parse_time(text)
        return seconds is not None and seconds <= self.now()

    def _check_user(self, user_id: int) -> None:
        if self._params["user_id"] is None:
            return
        # A manager accepts any user ID, and a job of a nonexistent user breaks its lists (contract/*/ghost_user).
        users = self.client.all_rows(CONSOLE_API + "/users", "users")
        if user_id not in [user["id"] for user in users]:
            raise InputError(f"user_id {user_id}: the manager has no such user.")

    # Requests

    def body(self, planned: View, before: View | None) -> dict[str, t.Any]:
        """Return the body of the request that creates or updates a token."""
        # From 2.2.2 on, a PATCH without scopes grants all of them.
        body = {"scopes": planned["scopes"]}
        if before is None:
            # A new token is active, regardless of the state in the request.
            body.update({key: planned[key] for key in ("name", "bio", "user_id")}, expired_at=planned["expires_at"])
            return body
        body.update({key: planned[key] for key in ("bio", "state", "user_id") if planned[key] != before[key]})
        if planned["expires_at"] != before["expires_at"]:
            body["expired_at"] = planned["expires_at"]
        return body

    def create(self, planned: View) -> Row:
        """Create a token and return it as the manager returns it."""
        created = super().create(dict(planned, state="active"))
        if planned["state"] == "active":
            return created
        return self.freshest(created, self.update(created, self.view(created), planned))

    def freshest(self, answered: Row, read_back: Row) -> Row:
        """Return the row that was read back, with the token, which only the response to its creation may contain."""
        return read_back if read_back.get("token") else dict(read_back, token=answered.get("token"))

    # Results

    def result(self, change: Change) -> dict[str, t.Any]:
        """Return the module's result for a change."""
        row = change.row or {}
        shown = None
        if change.after:
            shown = dict(change.after, **{key: row.get(key) for key in ("id", "created_at", "updated_at")})
        return {
            "changed": change.changed,
            "token": row.get("token") or None,
            "personal_access_token": shown,
            "diff": self._diff(change),
        }

    def _diff(self, change: Change) -> dict[str, t.Any]:
        diff = change.diff(f"{self.kind} {self._params['name']}")
        if change.changed and change.before and self._params["state"] == "rotated":
            diff["before"] = dict(change.before, token="the old one")
            diff["after"] = dict(change.after or {}, token="a new one")
        return diff

    def warnings(self, change: Change) -> list[str]:
        """Return warnings about the token that now exists."""
        if not change.row or not change.after:
            return []
        name, warnings = self._params["name"], []
        if not change.row.get("token"):
            warnings.append(
                "This manager returns a token only when it creates it, so the result contains none. Store the token "
                "when it is created, or use state=rotated for a new one."
            )
        if self._is_over(change.after["expires_at"]):
            warnings.append(
                f"The token {name} expired at {change.after['expires_at']}. Set expires_at, or use state=rotated for a "
                "new one."
            )
        if change.after["state"] != "active" and self._params["active"] is None:
            warnings.append(f"The token {name} is {change.after['state']}. Set active=true to activate it.")
        return warnings
