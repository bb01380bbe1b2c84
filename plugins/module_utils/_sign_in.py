# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing a user in: a name and a password for a JWT.

PRIVATE to the collection.
"""

from __future__ import annotations

import base64
import json

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import CONSOLE_API
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import ApiError, GarbledError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._wait import poll

# Lengths that a manager takes (manager/types/user.go, SignInRequest, 2.0.2 to 2.5.1). It answers others like a wrong
# password.
_NAME_LENGTHS = range(3, 11)
_PASSWORD_LENGTHS = range(8, 21)
_SECONDS_BETWEEN = 2


class SignIn:
    """A sign-in that succeeded.

    :ivar jwt: what the manager's API ``/api/v1`` wants to see (str).
    :ivar expires_at: when it ends, as the manager says it (str).
    :ivar waited: seconds for which it was tried again (float), 0 where the first try succeeded.
    """

    def __init__(self, jwt, expires_at, waited):
        self.jwt = jwt
        self.expires_at = expires_at
        self.waited = waited


def sign_in(client, username, password, retry_timeout, clock):
    """Signs a user in.

    From 2.2.0 on any sign-in of a user, a refused one too, makes the next ones of that user fail for some 5 s, with the
    same answer as a wrong password (recorded in contract/*/signin). So a refused one is tried again.

    :param client: L(DragonflyClient) without credentials.
    :param retry_timeout: seconds for which a refused sign-in is tried again.
    :param clock: L(Clock).
    :returns: L(SignIn).
    :raises ApiError: with reason ``signin_refused`` if the manager refuses it to the end.
    """
    body = {"name": username, "password": password}
    badly_long = _badly_long(username, password)
    attempts = []

    def attempt():
        attempts.append(clock.now())
        try:
            return client.request("POST", CONSOLE_API + "/users/signin", body=body)
        except ApiError as exc:
            if exc.status != 401:
                raise
            return exc

    def done(seen):
        # Managers before 2.1.57, which do not send X-Server-IP, mean it.
        return not isinstance(seen, ApiError) or bool(badly_long) or not client.server_ip

    seen = poll(attempt, done, retry_timeout, _SECONDS_BETWEEN, clock)
    waited = attempts[-1] - attempts[0]
    if isinstance(seen, ApiError):
        raise _refused(seen, username, waited, badly_long)
    document = seen.json()
    if not isinstance(document, dict) or not isinstance(document.get("token"), str) or not document["token"]:
        raise GarbledError(f"{seen.request}: the answer holds no JWT.", "garbled", seen.request)
    return SignIn(document["token"], document.get("expire"), waited)


def _badly_long(username, password):
    if len(username) not in _NAME_LENGTHS:
        return f"The manager takes user names of 3 to 10 characters, this one has {len(username)}."
    if len(password) not in _PASSWORD_LENGTHS:
        return "The manager takes passwords of 8 to 20 characters, this one has another length."
    return ""


def _refused(error, username, waited, badly_long):
    if badly_long:
        cure = badly_long
    elif waited:
        cure = (
            f"It was tried again for {int(waited)} s, since a manager also refuses a user for some 5 s after any "
            "other sign-in of the same user. What to do: check username and password; if others sign in as this "
            "user all the time, sign in once (run_once) and hand on the jwt, or raise retry_timeout."
        )
    else:
        cure = "What to do: check username and password."
    message = f"{error.request}: the manager refuses the user {username} (401). {cure}"
    return ApiError(message, "signin_refused", error.request, error.status, error.words)


def user_id_of(jwt):
    """The id (int) of the user for whom a manager made a JWT, None where it does not tell.

    It is read, not proved: that is up to the manager (manager/middlewares/jwt.go, the claim ``id``).
    """
    try:
        claims = json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))
        user_id = claims["id"]
    except (ValueError, IndexError, KeyError, TypeError):
        return None
    # A Go manager may write a number as a float.
    return int(user_id) if isinstance(user_id, (int, float)) and user_id >= 1 else None
