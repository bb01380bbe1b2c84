# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users, sign-in, and personal access tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets

from .go import SECOND, BindError, Field, bind, load, parse_time, time_text
from .jobs import ZERO_USER
from .pages import ApiError, read_uints
from .server import Reply

_TIMESTAMP_END = parse_time("2038-01-19T03:14:07Z")  # of a column of type timestamp
_SIGN_IN = [
    Field("name", "Name", required=True, low=3, high=10),
    Field("password", "Password", required=True, low=8, high=20),
]
_PERMISSION = re.compile(r"^/oapi/v[0-9]+/([-_a-zA-Z]*)")
_SCOPES = {"jobs": "job", "clusters": "cluster"}


def bearer(request, any_case=False):
    """Return the token of an Authorization header, None if there is none."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" or (any_case and scheme.lower() == "bearer") else None


class User:
    """A row of user."""

    def __init__(self, number, name, password, role, created):
        self.id = number
        self.name = name
        self.password = password
        self.role = role
        self.created = created


class Users:
    """The table of users and their sessions."""

    def __init__(self, profile, clock):
        self._profile = profile
        self._clock = clock
        self._secret = secrets.token_bytes(16)
        self._start = clock.now()
        self._cached = {}
        #: Seconds after a sign-in in which others of that user fail.
        self.window = profile.signin_window
        self.rows = {}
        self.add("root", "dragonfly", "root")

    def add(self, name, password, role="guest"):
        user = User(len(self.rows) + 1, name, password, role, self._clock.now())
        self.rows[user.id] = user
        return user

    def show(self, number):
        """Return the object in ``user``, the zero object for None."""
        user = self.rows.get(number)
        if user is None:
            return ZERO_USER
        created = time_text(user.created, self._profile.row_digits)
        return dict(ZERO_USER, id=user.id, created_at=created, updated_at=created, name=user.name, state="enable")

    def list(self, _query):
        return [self.show(number) for number in self.rows]

    def forget_reads(self):
        """Drop the manager's cache of users, as after any write (2.2.0 and later)."""
        self._cached = {}

    # Sign-in

    def sign_in(self, body):
        """Respond to a sign-in.

        The row is cached without its password, so further sign-ins fail until the cache is dropped, which the audit
        log does every 5 seconds (2.2.0 and later).
        """
        try:
            values = bind(_SIGN_IN, load(body), "SignInRequest")
        except BindError:
            return unauthorized()
        user = next((user for user in self.rows.values() if user.name == values["name"]), None)
        if user is None or self._is_cached(user):
            return unauthorized()
        self._cached[user.id] = self._clock.now()
        if user.password != values["password"]:
            return unauthorized()
        return self._signed_in(user)

    def _is_cached(self, user):
        since = self._cached.get(user.id)
        if not self.window or since is None:
            return False
        length = int(self.window * SECOND)
        return (since - self._start) // length == (self._clock.now() - self._start) // length

    def _signed_in(self, user):
        seconds = self._profile.jwt_seconds
        issued = self._clock.now() // SECOND
        claims = {"exp": issued + seconds, "id": user.id, "orig_iat": issued}
        token = self._sign({"alg": "HS256", "typ": "JWT"}, claims)
        return Reply.json(
            {"expire": time_text((issued + seconds) * SECOND), "token": token},
            headers={"Set-Cookie": f"jwt={token}; Path=/; Max-Age={seconds}"},
        )

    def _sign(self, header, claims):
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
        mark = hmac.new(self._secret, b".".join(parts), hashlib.sha256).digest()
        return b".".join(parts + [base64.urlsafe_b64encode(mark).rstrip(b"=")]).decode()

    def token_for(self, name="root"):
        """Return a JWT without a sign-in, for tests."""
        user = next(user for user in self.rows.values() if user.name == name)
        return json.loads(self._signed_in(user).body.decode())["token"]

    def refresh(self, request):
        user = self.user_of(request)
        return self._signed_in(user) if user else unauthorized()

    def user_of(self, request):
        """Return the user of the JWT in a request, None if there is none."""
        token = bearer(request) or request.query.get("token") or request.cookies.get("jwt") or ""
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            expired = claims["exp"] * SECOND < self._clock.now()
            if token != self._sign({"alg": "HS256", "typ": "JWT"}, claims) or expired:
                return None
            return self.rows.get(claims["id"])
        except (ValueError, IndexError, KeyError, TypeError):
            return None

    def guard(self, request):
        """Return the 401 for a request to the console's API, None if it is allowed."""
        user = self.user_of(request)
        if user is None:
            return unauthorized()
        if user.role != "root" and request.method != "GET":
            return Reply.json({"message": "permission deny"}, 401)
        return None


def unauthorized():
    return Reply.json({"message": "Unauthorized"}, 401, {"Www-Authenticate": "JWT realm=Dragonfly"})


class Token:
    """A row of personal_access_token."""

    def __init__(self, number, name, now, expires, scopes, user_id):
        self.id = number
        self.name = name
        self.bio = ""
        self.token = base64.urlsafe_b64encode(secrets.token_bytes(27)).decode()
        self.created = now
        self.updated = now
        self.expires = expires
        self.scopes = scopes
        self.state = "active"
        self.user_id = user_id


class Tokens:
    """The table of personal access tokens."""

    def __init__(self, profile, clock, users):
        self._profile = profile
        self._clock = clock
        self._users = users
        self._rows = {}
        self._last = 0

    def add(self, name, scopes=("job", "cluster"), expires=None, user_id=1, token=None, state="active"):
        """Insert a token.

        :param expires: nanoseconds since 1970, None for ten years from now.
        """
        self._last += 1
        expires = expires or self._clock.now() + 315360000 * SECOND
        row = Token(self._last, name, self._clock.now(), expires, list(scopes), user_id)
        row.token = token or row.token
        row.state = state
        self._rows[row.id] = row
        return row

    # Access to the Open API

    def guard(self, request):
        """Return the 401 or 403 for a request to the Open API, None if it is allowed."""
        in_query = self._profile.token_in_query
        given = (in_query and request.query.get("access_token")) or bearer(request, any_case=in_query)
        row = next((row for row in self._rows.values() if row.token == given), None)
        if row is None:
            return Reply.json({"message": "Unauthorized"}, 401)
        if not self._profile.token_checks:
            return None
        if row.state != "active":
            return Reply.json({"message": "Token is inactive"}, 403)
        if row.expires < self._clock.now():
            return Reply.json({"message": "Token has expired"}, 403)
        match = _PERMISSION.match(request.path)
        needed = _SCOPES.get(match.group(1)) if match else None
        if row.scopes and needed not in row.scopes:
            return Reply.json(
                {"message": f"Token doesn't have permission to access this resource. Required permission: {needed}"},
                403,
            )
        return None

    # /personal-access-tokens

    def show(self, row, at="get"):
        digits = self._profile.row_digits
        return {
            "id": row.id,
            "created_at": time_text(row.created, digits),
            "updated_at": time_text(row.updated, 3 if at == "patch" else digits),
            "is_del": 0,
            "name": row.name,
            "bio": row.bio,
            "token": row.token,
            "scopes": row.scopes,
            "state": row.state,
            "expired_at": time_text(row.expires, 0),
            "user_id": row.user_id,
            "user": ZERO_USER if at == "post" else self._users.show(row.user_id),
        }

    def list(self, query):
        state, (user_id,) = query.get("state"), read_uints(query, "user_id")
        if not self._profile.token_filters:
            state = user_id = None
        return [row for row in self._rows.values() if state in (None, row.state) and user_id in (None, row.user_id)]

    def find(self, number):
        if number not in self._rows:
            raise ApiError(404, self._profile.not_found)
        return self._rows[number]

    def _request(self, new):
        return [
            Field("name", "Name", required=new),
            Field("bio", "BIO"),
            Field("scopes", "Scopes", "[]string"),
            Field("state", "State", oneof=("active", "inactive")),
            Field("expired_at", "ExpiredAt", "time.Time", required=new),
            Field("user_id", "UserID", "uint", required=new),
        ]

    def create(self, document):
        fields = [field for field in self._request(True) if field.key != "state"]
        values = bind(fields, document, "CreatePersonalAccessTokenRequest")
        scopes = values["scopes"] or self._profile.default_scopes
        expires = parse_time(values["expired_at"])
        if scopes is None or expires > _TIMESTAMP_END:
            raise ApiError(500, "Internal Server Error")
        if any(row.name == values["name"] for row in self._rows.values()):
            self._last += 1  # the refused insert has taken its number
            raise ApiError(409, "Conflict")
        row = self.add(values["name"], scopes, expires, values["user_id"])
        row.bio = values["bio"]
        return self.show(row, "post")

    def update(self, number, document):
        fields = [field for field in self._request(False) if field.key != "name"]
        values = bind(fields, document, "UpdatePersonalAccessTokenRequest")
        row = self.find(number)
        if values["expired_at"]:
            expires = parse_time(values["expired_at"])
            if expires > _TIMESTAMP_END:
                raise ApiError(500, "Internal Server Error")
            row.expires = expires
        if values["scopes"] or self._profile.patch_resets_scopes:
            row.scopes = values["scopes"] or list(self._profile.default_scopes)
        row.bio = values["bio"] or row.bio
        row.state = values["state"] or row.state
        row.user_id = values["user_id"] or row.user_id
        row.updated = self._clock.now()
        return self.show(row, "patch")

    def delete(self, number):
        self.find(number)
        del self._rows[number]
