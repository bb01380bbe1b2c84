# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sign in: exchange a user name and a password for a JWT."""

from __future__ import annotations

import re
import typing as t

from ._client import CONSOLE_API, DragonflyClient, connect
from ._errors import ApiError, GarbledError, InputError
from ._polling import Clock, poll

# Lengths that a manager accepts (SignInRequest in manager/types/user.go of 2.0.2 to 2.5.1). For others, it responds as
# for a wrong password.
_NAME_LENGTHS = range(3, 11)
_PASSWORD_LENGTHS = range(8, 21)
_SECONDS_BETWEEN = 2
# A JWT with a line break would add a header to the requests that contain it.
_JWT = re.compile(r"[!-~]+\Z")


#: Default time in seconds for which a refused sign-in is repeated.
RETRY_SECONDS = 15


class SignIn(t.NamedTuple):
    """A successful sign-in.

    :ivar jwt: credential for the manager's API ``/api/v1``.
    :ivar expires_at: expiry time of the JWT in the manager's format, None if it does not expire.
    :ivar waited: seconds for which the sign-in was repeated, 0 if the first attempt succeeded.
    """

    jwt: str
    expires_at: str | None
    waited: float


def sign_in(client: DragonflyClient, username: str, password: str, retry_timeout: float, clock: Clock) -> SignIn:
    """Sign a user in.

    From 2.2.0 on, any sign-in of a user, even a refused one, makes further sign-ins of that user fail for about 5 s
    with the same response as a wrong password (recorded in contract/*/signin). Therefore a refused one is repeated.

    :param client: client without credentials.
    :param retry_timeout: time in seconds for which a refused sign-in is repeated.
    :raises ApiError: with reason ``signin_refused`` if the manager keeps refusing it.
    """
    body = {"name": username, "password": password}
    length_problem = _length_problem(username, password)
    attempts = []

    def attempt() -> t.Any:
        attempts.append(clock.now())
        try:
            return client.request("POST", CONSOLE_API + "/users/signin", body=body)
        except ApiError as exc:
            if exc.status != 401:
                raise
            return exc

    def is_final(answer: t.Any) -> bool:
        # From managers before 2.1.57, which do not send X-Server-IP, the refusal is definite.
        return not isinstance(answer, ApiError) or bool(length_problem) or not client.server_ip

    answer = poll(attempt, is_final, retry_timeout, _SECONDS_BETWEEN, clock)
    waited = attempts[-1] - attempts[0]
    if isinstance(answer, ApiError):
        raise _refused(answer, username, waited, length_problem)
    document = answer.json()
    jwt = document.get("token") if isinstance(document, dict) else None
    if not isinstance(jwt, str) or not _JWT.match(jwt):
        raise GarbledError(f"{answer.request}: the response contains no JWT.", "garbled", answer.request)
    return SignIn(jwt, document.get("expire"), waited)


def has_session(options: dict[str, t.Any]) -> bool:
    """Return whether options contain a JWT, or user name and password."""
    return bool(options["jwt"] or options["username"])


def jwt_for(options: dict[str, t.Any], clock: Clock) -> str | None:
    """Return the JWT in the group connection, or the JWT of a new sign-in if only user name and password are given.

    :raises InputError: if one of them is missing.
    :raises ApiError: with reason ``signin_refused`` if the manager refuses the sign-in.
    """
    if options["jwt"]:
        return options["jwt"]
    username, password = options["username"], options["password"]
    if not username and not password:
        return None
    if not username or not password:
        raise InputError("To sign in, set both username and password, or set jwt instead.")
    return sign_in(connect(options, None, clock), username, password, RETRY_SECONDS, clock).jwt


def _length_problem(username: str, password: str) -> str:
    if len(username) not in _NAME_LENGTHS:
        return f"The manager accepts user names of 3 to 10 characters, and this one has {len(username)}."
    if len(password) not in _PASSWORD_LENGTHS:
        return "The manager accepts only passwords of 8 to 20 characters."
    return ""


def _refused(error: ApiError, username: str, waited: float, length_problem: str) -> ApiError:
    remedy = f"{length_problem} What to do: check username and password.".lstrip()
    if waited:
        remedy = (
            f"The module retried for {int(waited)} s, because a manager also rejects a user for about 5 s after any "
            "other sign-in of the same user. What to do: check username and password. If others sign in as this user "
            "frequently, sign in once with the module login and pass its jwt to the other tasks."
        )
    message = f"{error.request}: the manager rejects the user {username} (401). {remedy}"
    return error.explained("signin_refused", message)
