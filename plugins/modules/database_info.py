#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_info
short_description: Check the databases of a Dragonfly manager before its installation
version_added: 1.0.0
description:
  - Checks, from the host of a manager or scheduler, that its database and its Redis exist, accept the login, and work
    with the release to install. Changes nothing.
  - Returns a list of RV(problems). The module fails only if it cannot run the checks.
options:
  database:
    description: The SQL database of the manager. If not set, only Redis is checked.
    type: dict
    suboptions:
      type:
        description: Type of the server, as in C(database.type) of C(manager.yaml).
        type: str
        choices: [mysql, mariadb, postgres]
        required: true
      host:
        description: Host of the server.
        type: str
        required: true
      port:
        description: Port of the server. Defaults to V(3306), or to V(5432) for O(database.type=postgres).
        type: int
      username:
        description: Name of the user.
        type: str
        required: true
      password:
        description: Password of the user.
        type: str
        required: true
      name:
        description: Name of the database.
        type: str
        default: manager
      tls:
        description: TLS settings. If not set, the connection is not encrypted.
        type: dict
        suboptions: &tls
          ca_path:
            description: Path to a file of CA certificates to trust instead of the system's.
            type: path
          client_cert:
            description: Path to the client certificate.
            type: path
          client_key:
            description: Path to the private key of the client certificate.
            type: path
          validate_certs:
            description: Whether to validate the server's TLS certificate.
            type: bool
            default: true
  redis:
    description: The Redis of the manager and schedulers. If not set, only the database is checked.
    type: dict
    suboptions:
      addrs:
        description: Addresses in the format C(HOST:PORT). With O(redis.master_name), the addresses of the Sentinels.
        type: list
        elements: str
        required: true
      master_name:
        description: Name of the primary in the configuration of the Sentinels.
        type: str
      username:
        description: Name of the user.
        type: str
      password:
        description: Password of the user.
        type: str
      sentinel_username:
        description: Name of the user for the Sentinels.
        type: str
      sentinel_password:
        description: Password of the user for the Sentinels.
        type: str
      databases:
        description: Numbers of the databases that must exist.
        type: list
        elements: int
        default: [0, 1, 2]
      tls:
        description: TLS settings. If not set, the connection is not encrypted.
        type: dict
        suboptions: *tls
  manager_release:
    description: Release of the manager to install. The database must not have tables of a later release.
    type: str
  timeout:
    description:
      - Maximum time to check the database, and for each connection to Redis, in seconds or as a duration such as
        V(30s), from 1s to 1d.
    type: str
    default: 10s
requirements:
  - pymysql for O(database.type=mysql) and O(database.type=mariadb) (package C(python3-pymysql) on Debian,
    C(python3-PyMySQL) on Red Hat)
  - psycopg2 for O(database.type=postgres) (package C(python3-psycopg2))
extends_documentation_fragment:
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
seealso:
  - plugin: dragonflyoss.dragonfly.config_problems
    plugin_type: filter
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Check Redis
  dragonflyoss.dragonfly.database_info:
    redis:
      addrs: [127.0.0.1:6379]

- name: Check Redis for Dragonfly manager 2.5.1
  dragonflyoss.dragonfly.database_info:
    redis:
      addrs: [127.0.0.1:6379]
      password: "{{ redis_password | default('') }}"
      databases: [0, 1, 2]
    manager_release: 2.5.1
    timeout: 5
  register: databases

- name: Continue only with usable databases
  ansible.builtin.assert:
    that: databases.problems | length == 0
    fail_msg: "{{ databases.problems | map(attribute='message') | join(' ') }}"

- name: Continue without a check if the host has no library for the database
  block:
    - name: Check PostgreSQL
      dragonflyoss.dragonfly.database_info:
        database:
          type: postgres
          host: 127.0.0.1
          username: dragonfly
          password: "{{ database_password | default('') }}"
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'missing_library'
"""

RETURN = r"""
problems:
  description: List of problems. Empty if the manager can use the databases.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description:
        - Stable code of the problem.
        - Of the database, V(database_unreachable), V(database_login), V(database_missing), V(database_busy) (too many
          connections), V(database_blocked) (the server blocks the host), V(database_read_only),
          V(database_newer_schema) or V(database_migration).
        - Of Redis, V(redis_unreachable), V(redis_not_redis), V(redis_login), V(redis_rejects_commands),
          V(redis_permissions), V(redis_database_missing), V(redis_read_only) or V(redis_no_primary).
      type: str
      sample: redis_login
    key:
      description: V(database) or V(redis).
      type: str
      sample: redis
    description:
      description: The problem.
      type: str
      sample: the server at redis.example.com:6379 rejects the login.
    remedy:
      description: What to do.
      type: str
      sample: Correct the user name and password.
    message:
      description: Key, problem and remedy in one line.
      type: str
      sample: "redis: the server at redis.example.com:6379 rejects the login. Correct the user name and password.\
        \ [redis_login]"
database:
  description: Facts about the database, V(null) if it was not checked.
  returned: success
  type: dict
  contains:
    server:
      description: Type and version of the server.
      type: str
      sample: MariaDB 10.11.19
    exists:
      description: Whether the database exists, V(null) if unknown.
      type: bool
      sample: true
    writable:
      description: Whether the user can create tables in the database, V(null) if unknown.
      type: bool
      sample: true
    tables:
      description: Tables of Dragonfly in the database.
      type: list
      elements: str
      sample: []
    schema:
      description:
        - C(state) is V(empty), V(dragonfly), V(foreign) (tables of other software) or V(unknown).
        - C(since) is the first release that creates such tables. C(newer) reports whether it is later than
          O(manager_release). Both are V(null) if unknown.
      type: dict
      sample: {"state": "empty", "since": null, "newer": false}
redis:
  description: Facts about Redis, V(null) if it was not checked.
  returned: success
  type: dict
  contains:
    server:
      description: Version of the server, V(null) if unknown.
      type: str
      sample: Redis 8.0.2
    databases:
      description: Number of databases, V(null) if unknown.
      type: int
      sample: 16
    role:
      description: V(primary) or V(replica), V(null) if unknown.
      type: str
      sample: primary
reason:
  description: Stable code of the reason why the task failed, such as V(bad_input).
  returned: failure
  type: str
  sample: bad_input
"""

from typing import Any

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import duration
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._database_checks import check_database, check_redis
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import (
    raise_problems,
    range_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._sql import LIBRARIES, has_library

_TLS = {
    "type": "dict",
    "options": {
        **{name: {"type": "path"} for name in ("ca_path", "client_cert", "client_key")},
        "validate_certs": {"type": "bool", "default": True},
    },
    "required_together": [("client_cert", "client_key")],
}
_DATABASE = {
    "type": {"type": "str", "choices": ["mysql", "mariadb", "postgres"], "required": True},
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "name": {"type": "str", "default": "manager"},
    "tls": _TLS,
}
_REDIS = {
    "addrs": {"type": "list", "elements": "str", "required": True},
    **{name: {"type": "str"} for name in ("master_name", "username", "sentinel_username")},
    **{name: {"type": "str", "no_log": True} for name in ("password", "sentinel_password")},
    "databases": {"type": "list", "elements": "int", "default": [0, 1, 2]},
    "tls": _TLS,
}
_PACKAGES = {"pymysql": "python3-pymysql (Debian) or python3-PyMySQL (Red Hat)", "psycopg2": "python3-psycopg2"}


def read(module: DragonflyModule) -> dict[str, Any]:
    """Return facts and problems of the databases."""
    params = module.params
    raise_problems(range_problems(params))
    facts: dict[str, Any] = {"database": None, "redis": None}
    problems: list[dict[str, str]] = []
    if params["database"]:
        options = params["database"]
        options["port"] = options["port"] or (5432 if options["type"] == "postgres" else 3306)
        if not has_library(options["type"]):
            library = LIBRARIES[options["type"]]
            module.find_library(library, _PACKAGES[library])
        facts["database"], more = check_database(options, params["manager_release"], params["timeout"])
        problems += more
    if params["redis"]:
        facts["redis"], more = check_redis(params["redis"], params["timeout"])
        problems += more
    return {"changed": False, "problems": problems, **facts}


def main() -> None:
    """Run the module."""
    module = DragonflyModule(
        argument_spec={
            "database": {"type": "dict", "options": _DATABASE},
            "redis": {"type": "dict", "options": _REDIS},
            "manager_release": {"type": "str"},
            "timeout": duration("10s"),
        },
        required_one_of=[("database", "redis")],
    )
    module.run(read, needs_requests=False, sends_requests=False)


if __name__ == "__main__":
    main()
