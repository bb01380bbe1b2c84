#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: login
short_description: Sign in to a Dragonfly manager
version_added: 1.0.0
description:
  - Signs a user in and returns a session token (JWT) for the option O(jwt) of other modules, such as
    M(dragonflyoss.dragonfly.personal_access_token).
  - Dragonfly manager 2.2.0 or later accepts one sign-in per user every 5 seconds, and responds to further attempts as
    to a wrong password. The module therefore retries (see O(retry_timeout)), and warns if it had to. Sign in once per
    play, with C(run_once), and share the RV(jwt).
options:
  username:
    description:
      - Name of the user, from 3 to 10 characters.
      - If not set, the module reads E(DRAGONFLY_USERNAME) from the environment of the host on which it runs.
    type: str
    required: true
  password:
    description:
      - Password of the user, from 8 to 20 characters.
      - If not set, the module reads E(DRAGONFLY_PASSWORD) from the environment of the host on which it runs.
    type: str
    required: true
  retry_timeout:
    description:
      - Maximum time to retry a rejected sign-in, in seconds or as a duration such as V(1m), from 0s to 7d. V(0)
        disables retries.
      - The module does not retry with Dragonfly manager releases before 2.1.57.
    type: str
    default: 15s
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.no_token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - The module signs in, also in check mode, because later tasks need the RV(jwt).
  idempotent:
    support: partial
    details:
      - Each run creates a new session token.
notes:
  - The result contains a secret. Set C(no_log=true) on the task.
seealso:
  - module: dragonflyoss.dragonfly.personal_access_token
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Sign in
  dragonflyoss.dragonfly.login:
    url: http://dragonfly-manager:8080
    username: root
    password: "{{ dragonfly_password }}"
  register: signed_in
  no_log: true

- name: Sign in once for all hosts, and retry longer because others use the same user
  dragonflyoss.dragonfly.login:
    url: http://dragonfly-manager:8080
    username: root
    password: "{{ dragonfly_password }}"
    retry_timeout: 60
  register: signed_in_once
  run_once: true
  delegate_to: localhost
  no_log: true

- name: Continue if the password is wrong, and show the next step
  block:
    - name: Sign in with the old password
      dragonflyoss.dragonfly.login:
        url: http://dragonfly-manager:8080
        username: root
        password: "{{ dragonfly_old_password }}"
        retry_timeout: 0
      no_log: true
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'signin_refused'
    - name: Show the next step
      ansible.builtin.debug:
        msg: Put the new password of root into the vault.
"""

RETURN = r"""
jwt:
  description: Session token (JWT) for the option O(jwt) of other modules. It is a secret.
  returned: success
  type: str
  sample: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6MX0.c2FtcGxl
expires_at:
  description: Time when the session token expires, as reported by the manager.
  returned: success
  type: str
  sample: "2026-12-09T08:00:00Z"
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: POST http://dragonfly-manager:8080/api/v1/users/signin
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 401
reason:
  description: Stable code of the reason why the task failed, such as V(signin_refused).
  returned: failure
  type: str
  sample: signin_refused
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import (
    CONNECTION,
    connection,
    duration,
    merged,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import (
    raise_problems,
    range_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._sign_in import sign_in


def login(module: DragonflyModule) -> dict[str, t.Any]:
    """Sign a user in."""
    params = module.params
    for name in ("username", "password"):
        if not params[name]:
            raise InputError(f"{name} is missing. What to do: set {name} or DRAGONFLY_{name.upper()}.")
    raise_problems(range_problems(params))
    signed_in = sign_in(
        module.client(credential=None), params["username"], params["password"], params["retry_timeout"], module.clock()
    )
    if signed_in.waited:
        module.warn(
            f"The manager rejected this sign-in for {int(signed_in.waited)} s, because the same user had signed in "
            "shortly before. Sign in once per play, with run_once, and share the jwt."
        )
    return {"changed": False, "jwt": signed_in.jwt, "expires_at": signed_in.expires_at}


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(
            connection("username", "password"),
            username=dict(CONNECTION["username"], required=True),
            password=dict(CONNECTION["password"], required=True),
            retry_timeout=duration("15s"),
        ),
    )
    module.run(login)


if __name__ == "__main__":
    main()
