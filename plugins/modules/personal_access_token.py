#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: personal_access_token
short_description: Make, change, rotate and delete personal access tokens of a Dragonfly manager
version_added: 1.0.0
description:
  - Manages a personal access token by its name, which is unique in a manager. Such a token is what
    M(dragonflyoss.dragonfly.preheat) and other modules take as O(token).
  - The manager shows the token each time, so the module returns it each time. A second run of a playbook returns the
    same token and changes nothing.
options:
  name:
    description:
      - Name of the token.
    type: str
    required: true
  state:
    description:
      - V(present) makes the token, or changes what is named and differs.
      - V(absent) deletes it. Whoever uses it is refused from then on.
      - V(rotated) makes it anew each time. The old one is deleted first, since both have the same name. What is not
        named is taken over from the old one, without its expiry and O(active).
    type: str
    choices: [present, absent, rotated]
    default: present
  scopes:
    description:
      - What the token is good for. V(job) is for jobs, tasks and preheats, V(cluster) for clusters.
      - If not set, a new token gets V(job), and one that is there keeps its scopes.
      - Releases before 2.2.2 store the scopes and do not look at them. Any token is good for everything there.
    type: list
    elements: str
    choices: [cluster, job]
  expires_in:
    description:
      - Lifetime of a new token by the manager's clock, as a duration such as V(90d), V(12h) or V(1d12h), or in seconds.
        The units are V(w), V(d), V(h), V(m) and V(s), in this order.
      - It counts when the token is made or rotated, and not for one that is there.
      - Either this or O(expires_at) is needed when a token is made or rotated.
    type: str
  expires_at:
    description:
      - When the token expires, such as V(2027-06-30), which is the start of that day in UTC, or
        V(2027-06-30T12:00:00+02:00).
      - The latest that a manager's database can store is 2038-01-19T03:14:07Z.
      - Releases before 2.2.2 store it and do not look at it.
    type: str
  active:
    description:
      - Whether the token can be used. A new one can.
      - Releases before 2.2.2 store it and do not look at it. Delete a token there to switch it off.
    type: bool
  bio:
    description:
      - A description. It can be changed, but a manager cannot empty it.
    type: str
  user_id:
    description:
      - ID of the user whose token it is. If not set, a new token is that of the user of the O(jwt).
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
      - A token that would be created is not known yet, so RV(token) is null.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(state=rotated) there is a new token each time.
notes:
  - Requires O(jwt), or O(username) and O(password), of a user with the role root.
  - The result holds the token in clear. Set C(no_log=true) on the task.
  - Any user of the manager who can read tokens sees all of them in clear.
  - Releases before 2.1.0 have no tokens.
seealso:
  - module: dragonflyoss.dragonfly.login
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Have a token for preheats
  dragonflyoss.dragonfly.personal_access_token:
    url: http://dragonfly-manager:8080
    jwt: "{{ dragonfly_jwt }}"
    name: rollout
    expires_in: 90d
  no_log: true

- name: Make a token and preheat with it
  block:
    - name: Sign in
      dragonflyoss.dragonfly.login:
        url: http://dragonfly-manager:8080
        username: root
        password: "{{ dragonfly_password }}"
      register: signed_in
      no_log: true
    - name: Have a token that ends with the year
      dragonflyoss.dragonfly.personal_access_token:
        url: http://dragonfly-manager:8080
        jwt: "{{ signed_in.jwt }}"
        name: rollout-of-the-shop
        bio: Warms images before a rollout
        scopes: [job, cluster]
        expires_at: "2037-12-31"
      register: rollout
      no_log: true
    - name: Warm an image
      dragonflyoss.dragonfly.preheat:
        url: http://dragonfly-manager:8080
        token: "{{ rollout.token }}"
        image: registry.example.com/shop/web:4.2.0

- name: Switch a token off, with a new sign-in where the old one has expired
  block:
    - name: Switch it off
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
    - name: Switch it off
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
    - The token, in clear. It is null for O(state=absent), in check mode for a token that would be created, and where a
      manager does not show it, which is a warning.
  returned: success
  type: str
  sample: ZTYyYTM0NTYtYWJjZC00ZGVmLTkwMTItMzQ1Njc4OTBhYmNk
personal_access_token:
  description: What the manager knows of the token, without the token itself. It is null where there is none.
  returned: success
  type: dict
  contains:
    id:
      description: ID of the token, null in check mode for one that would be created.
      type: int
      returned: success
      sample: 3
    name:
      description: Name of the token.
      type: str
      returned: success
      sample: rollout
    bio:
      description: The description.
      type: str
      returned: success
      sample: Warms images before a rollout
    scopes:
      description: What it is good for.
      type: list
      elements: str
      returned: success
      sample: [job]
    state:
      description: V(active) or V(inactive).
      type: str
      returned: success
      sample: active
    expires_at:
      description: When it expires, in UTC.
      type: str
      returned: success
      sample: "2027-06-30T00:00:00Z"
    user_id:
      description: ID of the user whose token it is.
      type: int
      returned: success
      sample: 1
    created_at:
      description: Time when it was created, as reported by the manager.
      type: str
      returned: success
      sample: "2026-11-24T22:22:05Z"
    updated_at:
      description: When it was changed, as reported by the manager.
      type: str
      returned: success
      sample: "2026-11-24T22:22:05Z"
request:
  description: The request that failed, V(null) if nothing was requested.
  returned: failure
  type: str
  sample: GET /oapi/v1/jobs
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: failure
  type: int
  sample: 401
reason:
  description: Stable code of the reason why the task failed.
  returned: failure
  type: str
  sample: jwt_unknown
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import CONNECTION, merged
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
            CONNECTION,
            name={"type": "str", "required": True},
            state={"type": "str", "choices": ["present", "absent", "rotated"], "default": "present"},
            scopes={"type": "list", "elements": "str", "choices": list(SCOPES)},
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
