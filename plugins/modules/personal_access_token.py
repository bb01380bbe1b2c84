#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: personal_access_token
short_description: Manage personal access tokens of a Dragonfly manager
version_added: 1.0.0
description:
  - Creates, updates, rotates and deletes personal access tokens, identified by name. Pass the token to the option
    C(token) of other modules, such as M(dragonflyoss.dragonfly.preheat).
  - If the token exists already, the module returns it and changes nothing, so a playbook can run repeatedly.
options:
  name:
    description:
      - Name of the token. It is unique in a manager.
    type: str
    required: true
  state:
    description:
      - V(present) creates the token, or updates the options that are set and differ.
      - V(absent) deletes the token, which the manager then rejects.
      - V(rotated) always deletes the token and creates a new one with the same name. Options that are not set, except
        the expiry and O(active), are copied from the old token.
    type: str
    choices: [present, absent, rotated]
    default: present
  scopes:
    description:
      - Scopes of the token. V(job) permits jobs, tasks and preheats, V(cluster) permits clusters.
      - Defaults to V(job) for a new token. If not set, an existing token keeps its scopes.
      - Dragonfly manager releases before 2.2.2 store the scopes, but do not enforce them. Their tokens permit
        everything.
    type: list
    elements: str
    choices: [cluster, job]
    aliases: [scope]
  expires_in:
    description:
      - Lifetime of a new token by the manager's clock, in seconds or as a duration such as V(90d), V(12h) or V(1d12h).
        The units are V(w), V(d), V(h), V(m) and V(s), in this order.
      - Applies only when a token is created or rotated, not to an existing token.
      - Exactly one of O(expires_in) and O(expires_at) is required to create or rotate a token.
    type: str
  expires_at:
    description:
      - Time when the token expires, such as V(2027-06-30), which is the start of that day in UTC, or
        V(2027-06-30T12:00:00+02:00).
      - Exactly one of O(expires_in) and O(expires_at) is required to create or rotate a token.
      - The latest time that the manager's database can store is 2038-01-19T03:14:07Z.
      - Dragonfly manager releases before 2.2.2 store it, but do not enforce it.
    type: str
  active:
    description:
      - Whether the token can be used. A new token is always active.
      - Dragonfly manager releases before 2.2.2 store it, but do not enforce it. Delete the token instead.
    type: bool
  bio:
    description:
      - Description of the token. It can be changed, but not removed.
    type: str
  user_id:
    description:
      - ID of the user who owns the token. For a new token, defaults to the user of the O(jwt).
    type: int
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.no_token
  - dragonflyoss.dragonfly._connection.jwt
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - If a token would be created, RV(token) is V(null).
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - O(state=rotated) always creates a new token.
notes:
  - Requires O(jwt), or O(username) and O(password), of a user with the role root.
  - The result contains the token in plain text. Set C(no_log=true) on the task.
  - Every user of the manager who can read tokens sees all of them in plain text.
  - Requires Dragonfly manager 2.1.0 or later.
seealso:
  - module: dragonflyoss.dragonfly.login
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Create a token for preheats
  dragonflyoss.dragonfly.personal_access_token:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"
    name: rollout
    expires_in: 90d
  no_log: true

- name: Create a token and preheat with it
  block:
    - name: Sign in
      dragonflyoss.dragonfly.login:
        url: http://dragonfly-manager:8080
        username: root
        password: "{{ dragonfly_password }}"
      register: signed_in
      no_log: true
    - name: Create a token that expires at a given time
      dragonflyoss.dragonfly.personal_access_token:
        url: http://dragonfly-manager:8080
        jwt: "{{ signed_in.jwt }}"
        name: rollout-of-the-shop
        bio: Preheats images before a rollout
        scopes: [job, cluster]
        expires_at: "2037-12-31"
      register: rollout
      no_log: true
    - name: Preheat an image
      dragonflyoss.dragonfly.preheat:
        url: http://dragonfly-manager:8080
        token: "{{ rollout.token }}"
        image: registry.example.com/shop/web:4.2.0

- name: Deactivate a token, and sign in again if the session has expired
  block:
    - name: Deactivate the token
      dragonflyoss.dragonfly.personal_access_token:
        url: http://dragonfly-manager:8080
        jwt: "{{ dragonfly_old_jwt }}"
        name: rollout
        active: false
      no_log: true
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'jwt_unknown'
    - name: Sign in again
      dragonflyoss.dragonfly.login:
        url: http://dragonfly-manager:8080
        username: root
        password: "{{ dragonfly_password }}"
      register: signed_in_again
      no_log: true
    - name: Deactivate the token
      dragonflyoss.dragonfly.personal_access_token:
        url: http://dragonfly-manager:8080
        jwt: "{{ signed_in_again.jwt }}"
        name: rollout
        active: false
      no_log: true
"""

RETURN = r"""
token:
  description:
    - The token in plain text. V(null) for O(state=absent), in check mode if it would be created, and if the manager
      does not return it. In the last case, the module warns.
  returned: success
  type: str
  sample: ZTYyYTM0NTYtYWJjZC00ZGVmLTkwMTItMzQ1Njc4OTBhYmNk
personal_access_token:
  description: Properties of the token, without the token itself. V(null) if it does not exist.
  returned: success
  type: dict
  contains:
    id:
      description: ID of the token, V(null) in check mode if it would be created.
      type: int
      sample: 3
    name:
      description: Name of the token.
      type: str
      sample: rollout
    bio:
      description: Description of the token.
      type: str
      sample: Preheats images before a rollout
    scopes:
      description: Scopes of the token.
      type: list
      elements: str
      sample: [job]
    state:
      description: V(active) or V(inactive).
      type: str
      sample: active
    expires_at:
      description: Time when the token expires, in UTC.
      type: str
      sample: "2027-06-30T00:00:00Z"
    user_id:
      description: ID of the user who owns the token.
      type: int
      sample: 1
    created_at:
      description: Time when the token was created, as reported by the manager.
      type: str
      sample: "2026-11-24T22:22:05Z"
    updated_at:
      description: Time when the token was last changed, as reported by the manager.
      type: str
      sample: "2026-11-24T22:22:05Z"
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET http://dragonfly-manager:8080/api/v1/personal-access-tokens
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 401
reason:
  description: Stable code of the reason why the task failed.
  returned: failure
  type: str
  sample: jwt_unknown
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import connection, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tokens import SCOPES, Tokens


def personal_access_token(module: DragonflyModule) -> dict[str, t.Any]:
    """Bring a token to the desired state."""
    tokens = Tokens(module.client("jwt"), module.clock(), module.params)
    change = tokens.ensure(tokens.desired(), module.check_mode, recreate=module.params["state"] == "rotated")
    for warning in tokens.warnings(change):
        module.warn(warning)
    result = tokens.result(change)
    module.reveal(result["token"])
    return result


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec=merged(
            connection("jwt", "username", "password"),
            name={"type": "str", "required": True},
            state={"type": "str", "choices": ["present", "absent", "rotated"], "default": "present"},
            scopes={"type": "list", "elements": "str", "choices": list(SCOPES), "aliases": ["scope"]},
            expires_in={"type": "str"},
            expires_at={"type": "str"},
            active={"type": "bool"},
            bio={"type": "str"},
            user_id={"type": "int"},
        ),
        mutually_exclusive=[["expires_in", "expires_at"]],
    )
    module.run(personal_access_token)


if __name__ == "__main__":
    main()
