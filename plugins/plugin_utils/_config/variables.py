# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of the roles that set keys of a configuration. They are those of ``roles/*/templates/base.yaml.j2``."""

from __future__ import annotations

import typing as t

from .._config import schema

_DATABASE = "user=database_username password=database_password host=database_host port=database_port"
_REDIS = """\
database.redis addrs=redis_addrs masterName=redis_master_name username=redis_username password=redis_password
database.redis brokerDB=redis_broker_db backendDB=redis_backend_db
server logLevel=log_level logMaxSize=log_max_size logMaxAge=log_max_age logMaxBackups=log_max_backups
"""
# A line has a mapping of the configuration, and its keys with their variables, without the prefix of the role.
_TABLES = {
    "dfget": """\
scheduler netAddrs=scheduler_addrs manager.netAddrs=manager_addrs
scheduler.manager.seedPeer enable=seed_peer clusterID=cluster_id
proxy tcpListen.listen=proxy_ip tcpListen.port=proxy_port registryMirror.url=registry_mirror
""",
    "dfdaemon": """\
manager addr=manager_addr
seedPeer enable=seed_peer clusterID=cluster_id
host schedulerClusterID=cluster_id
proxy server.ip=proxy_ip server.port=proxy_port registryMirror.addr=registry_mirror
""",
    "manager": f"""\
server rest.addr=rest_addr
server.grpc advertiseIP=advertise_ip port.start=grpc_port requestRateLimit=grpc_rate_limit
auth jwt.key=jwt_key
database type=database_type
database.mysql {_DATABASE} dbname=database_name
database.postgres {_DATABASE} dbname=database_name
database.redis db=redis_db
{_REDIS}""",
    "scheduler": f"""\
server advertiseIP=advertise_ip port=port requestRateLimit=grpc_rate_limit
manager addr=manager_addr schedulerClusterID=cluster_id
host idc=idc location=location
{_REDIS}""",
}


def _parse(program: str, table: str) -> dict[str, str]:
    variables = {"release": f"{program}_release"}
    for line in table.splitlines():
        mapping, *pairs = line.split()
        variables.update((f"{mapping}.{key}", f"{program}_{name}") for key, name in (pair.split("=") for pair in pairs))
    return variables


#: By program the names of the variables by key.
VARIABLES = {program: _parse(program, table) for program, table in _TABLES.items()}
_MISSING = object()


def variable_of(key: str, program: str, role_config: t.Mapping[str, t.Any]) -> str:
    """Return the variable of a role that sets a key; an empty text if none does.

    :param role_config: value of the variable ``PROGRAM_config``, which takes precedence.
    """
    path = key.partition("[")[0]
    is_overridden = schema.get(dict(role_config), program, path, _MISSING) is not _MISSING
    return "" if is_overridden else VARIABLES[program].get(path, "")
