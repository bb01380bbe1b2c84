# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Personal access tokens of the manager, which are what its Open API takes.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
import time

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import CONSOLE_API
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._crud import Crud
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._sign_in import user_id_of
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_time

SCOPES = ("cluster", "job")
# Where none is sent, 2.1.9 to 2.2.1 answer 500, and later ones give all of them (contract/*/tokens).
_DEFAULT_SCOPES = ("job",)
# The column is a timestamp: MySQL and MariaDB take nothing later, and the manager answers 500 without a word why.
_LAST = parse_time("2038-01-19T03:14:07Z")
_SPAN = re.compile(r"(\d+)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def span(text):
    """The seconds (int) of a span of time, such as ``90d`` or ``1d12h``.

    :raises InputError: if it is none.
    """
    parts = _SPAN.findall(text)
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not seconds:
        raise InputError(
            f"expires_in must be a span of time, such as 90d, 12h or 1d12h (units: s, m, h, d, w), not {text!r}."
        )
    return seconds


def moment(text):
    """The seconds since 1970 (int) of a date with or without a time; a date alone is its first second in UTC.

    :raises InputError: if it is none, or later than a manager can store.
    """
    seconds = parse_time(text + "T00:00:00Z" if re.match(r"^\d{4}-\d\d-\d\d$", text) else text)
    if seconds is None:
        raise InputError(
            f"expires_at must be a date such as 2027-06-30, or with time and zone (2027-06-30T12:00:00Z), not {text!r}."
        )
    return _storable(int(seconds), "expires_at")


def _storable(seconds, option):
    if seconds > _LAST:
        raise InputError(f"{option} is later than 2038-01-19T03:14:07Z, which the manager's database cannot store.")
    return seconds


def _written(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Tokens(Crud):
    """One personal access token, by its name.

    :param client: L(DragonflyClient) with the JWT.
    :param params: the module's options (dict).
    """

    kind = "personal access token"
    types = {"bio": str, "token": str, "scopes": list, "state": str, "expired_at": str, "user_id": int}

    def __init__(self, client, clock, params):
        super().__init__(client, CONSOLE_API + "/personal-access-tokens", clock)
        self._params = params
        self._check_input(params)

    def _check_input(self, params):
        if not params["name"].strip():
            raise InputError("name is empty.")
        if params["scopes"] is not None and not params["scopes"]:
            raise InputError("scopes is empty: a manager takes that for all scopes. Name those that are wanted.")
        if params["expires_at"] is not None:
            moment(params["expires_at"])
        if params["expires_in"] is not None:
            _storable(self.clock.wall() + span(params["expires_in"]), "expires_in")

    # The state that is wanted

    def wanted(self):
        """What the options name of a view (dict), None where there is to be no token."""
        params = self._params
        if params["state"] == "absent":
            return None
        return {
            "bio": params["bio"],
            "scopes": sorted(set(params["scopes"])) if params["scopes"] else None,
            "state": None if params["active"] is None else "active" if params["active"] else "inactive",
            "expires_at": _written(moment(params["expires_at"])) if params["expires_at"] else None,
            "user_id": params["user_id"],
        }

    def find(self):
        rows = self.client.all_rows(self.path, "personal access tokens")
        found = [one for one in rows if one.get("name") == self._params["name"]]
        return self.checked(found[0], "GET " + self.path) if found else None

    def view(self, row):
        expires = parse_time(row.get("expired_at"))
        return {
            "name": row.get("name"),
            "bio": row.get("bio") or "",
            # An empty list grants all (manager/middlewares/personal_access_token.go).
            "scopes": sorted({str(one) for one in row.get("scopes") or SCOPES}),
            "state": row.get("state"),
            "expires_at": None if expires is None else _written(expires),
            "user_id": row.get("user_id"),
        }

    def new(self, before):
        view = before or {"bio": "", "scopes": list(_DEFAULT_SCOPES), "user_id": user_id_of(self._params["jwt"] or "")}
        return dict(view, name=self._params["name"], state="active", expires_at=self._expires_in())

    def _expires_in(self):
        if self._params["expires_in"] is None:
            return None
        return _written(_storable(self.now() + span(self._params["expires_in"]), "expires_in"))

    def now(self):
        """Seconds since 1970, by the manager's clock where it tells."""
        return self.client.date or self.clock.wall()

    def check(self, planned, before):
        super().check(planned, before)
        if planned["expires_at"] is None:
            raise InputError("expires_in or expires_at is missing: a token that is made must expire.")
        if planned["user_id"] is None:
            raise InputError("user_id is missing: the jwt does not tell whose it is.")
        expires_anew = not before or planned["expires_at"] != before["expires_at"]
        if expires_anew and parse_time(planned["expires_at"]) <= self.now():
            raise InputError(
                f"expires_at {planned['expires_at']} is past, the token would be of no use. To switch a token "
                "off set active=false."
            )
        if self._params["user_id"] is not None and (not before or planned["user_id"] != before["user_id"]):
            # A manager takes any number, and a job of a user that does not exist breaks its lists (manager-api T5).
            users = self.client.all_rows(CONSOLE_API + "/users", "users")
            if planned["user_id"] not in [one["id"] for one in users]:
                raise InputError(f"user_id {int(planned['user_id'])}: the manager has no such user.")

    # What is sent

    def body(self, planned, before):
        sent = {key: planned[key] for key in ("bio", "state", "user_id") if not before or planned[key] != before[key]}
        # From 2.2.2 on a PATCH without scopes grants all of them.
        sent["scopes"] = planned["scopes"]
        if not before or planned["expires_at"] != before["expires_at"]:
            sent["expired_at"] = planned["expires_at"]
        if not before:
            # A new token is active, whatever is sent.
            del sent["state"]
            sent["name"] = planned["name"]
        return sent

    def create(self, planned):
        made = super().create(dict(planned, state="active"))
        if planned["state"] == "active":
            return made
        return self.read(made, self._update(made, self.view(made), planned))

    def read(self, answered, seen):
        # A manager that shows a token only to whom makes it shows it in that answer.
        return seen if seen.get("token") else dict(seen, token=answered.get("token"))

    # What a module tells of it

    def result(self, change):
        """The module's result (dict) of an L(Change)."""
        row = change.row or {}
        diff = change.diff(f"{self.kind} {self._params['name']}")
        if change.changed and change.before and self._params["state"] == "rotated":
            diff["before"] = dict(change.before, token="the old one")
            diff["after"] = dict(change.after, token="a new one")
        shown = None
        if change.after:
            shown = dict(change.after, **{key: row.get(key) for key in ("id", "created_at", "updated_at")})
        token = row.get("token") or None
        return {"changed": change.changed, "token": token, "personal_access_token": shown, "diff": diff}

    def warnings(self, change):
        """What a user should know of the token that is there (list of str)."""
        if not change.row:
            return []
        name, found = self._params["name"], []
        if not change.row.get("token"):
            found.append(
                "This manager shows a token only when it makes it, so the result has none. Keep it when it is made, or "
                "use state=rotated for a new one."
            )
        expires = parse_time(change.after["expires_at"])
        if expires is not None and expires <= self.now():
            found.append(
                f"The token {name} expired at {change.after['expires_at']}. Set expires_at, or use "
                "state=rotated for a new one."
            )
        if change.after["state"] != "active" and self._params["active"] is None:
            found.append(f"The token {name} is inactive. Set active=true to switch it on.")
        return found
