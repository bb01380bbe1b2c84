# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a JWT contains. Verifying it is up to the manager."""

from __future__ import annotations

import base64
import json
import typing as t


def user_id_of(jwt: t.Any) -> int | None:
    """Return the ID of the user for whom a manager issued a JWT, None if the JWT does not contain it.

    It is the claim ``id`` (manager/middlewares/jwt.go, 2.1.0 to 2.5.1).
    """
    try:
        user_id = json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))["id"]
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        return None
    # A Go manager may write a number as a float.
    return int(user_id) if type(user_id) in (int, float) and 1 <= user_id < 2**63 else None
