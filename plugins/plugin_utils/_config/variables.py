# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of the roles that set keys of a configuration. They are those of ``roles/*/templates/base.yaml.j2``."""

from __future__ import annotations

import typing as t

from .._config import schema

#: By program the names of the variables by key.
VARIABLES = {
    "dfget": {
        "release": "dfget_release",
        "scheduler.netAddrs": "dfget_scheduler_addrs",
        "scheduler.manager.netAddrs": "dfget_manager_addrs",
        "scheduler.manager.seedPeer.enable": "dfget_seed_peer",
        "scheduler.manager.seedPeer.clusterID": "dfget_cluster_id",
        "proxy.tcpListen.listen": "dfget_proxy_ip",
        "proxy.tcpListen.port": "dfget_proxy_port",
        "proxy.registryMirror.url": "dfget_registry_mirror",
    },
    "dfdaemon": {
        "release": "dfdaemon_release",
        "manager.addr": "dfdaemon_manager_addr",
        "seedPeer.enable": "dfdaemon_seed_peer",
        "seedPeer.clusterID": "dfdaemon_cluster_id",
        "host.schedulerClusterID": "dfdaemon_cluster_id",
        "proxy.server.ip": "dfdaemon_proxy_ip",
        "proxy.server.port": "dfdaemon_proxy_port",
        "proxy.registryMirror.addr": "dfdaemon_registry_mirror",
    },
    "manager": {
        "release": "manager_release",
        "server.logLevel": "manager_log_level",
        "server.logMaxSize": "manager_log_max_size",
        "server.logMaxAge": "manager_log_max_age",
        "server.logMaxBackups": "manager_log_max_backups",
        "server.grpc.advertiseIP": "manager_advertise_ip",
        "server.grpc.port.start": "manager_grpc_port",
        "server.grpc.requestRateLimit": "manager_grpc_rate_limit",
        "server.rest.addr": "manager_rest_addr",
        "auth.jwt.key": "manager_jwt_key",
        "database.type": "manager_database_type",
        "database.mysql.user": "manager_database_username",
        "database.mysql.password": "manager_database_password",
        "database.mysql.host": "manager_database_host",
        "database.mysql.port": "manager_database_port",
        "database.mysql.dbname": "manager_database_name",
        "database.postgres.user": "manager_database_username",
        "database.postgres.password": "manager_database_password",
        "database.postgres.host": "manager_database_host",
        "database.postgres.port": "manager_database_port",
        "database.postgres.dbname": "manager_database_name",
        "database.redis.addrs": "manager_redis_addrs",
        "database.redis.masterName": "manager_redis_master_name",
        "database.redis.username": "manager_redis_username",
        "database.redis.password": "manager_redis_password",
        "database.redis.db": "manager_redis_db",
        "database.redis.brokerDB": "manager_redis_broker_db",
        "database.redis.backendDB": "manager_redis_backend_db",
        "job.preheat.tls": "manager_preheat_tls",
    },
    "scheduler": {
        "release": "scheduler_release",
        "server.advertiseIP": "scheduler_advertise_ip",
        "server.port": "scheduler_port",
        "server.requestRateLimit": "scheduler_grpc_rate_limit",
        "server.logLevel": "scheduler_log_level",
        "server.logMaxSize": "scheduler_log_max_size",
        "server.logMaxAge": "scheduler_log_max_age",
        "server.logMaxBackups": "scheduler_log_max_backups",
        "manager.addr": "scheduler_manager_addr",
        "manager.schedulerClusterID": "scheduler_cluster_id",
        "database.redis.addrs": "scheduler_redis_addrs",
        "database.redis.masterName": "scheduler_redis_master_name",
        "database.redis.username": "scheduler_redis_username",
        "database.redis.password": "scheduler_redis_password",
        "database.redis.brokerDB": "scheduler_redis_broker_db",
        "database.redis.backendDB": "scheduler_redis_backend_db",
        "host.idc": "scheduler_idc",
        "host.location": "scheduler_location",
    },
}
_MISSING = object()


def variable_of(key: str, program: str, role_config: t.Mapping[str, t.Any]) -> str:
    """Return the variable of a role that sets a key; an empty text if none does.

    :param role_config: value of the variable ``PROGRAM_config``, which takes precedence.
    """
    path = key.partition("[")[0]
    is_overridden = schema.get(dict(role_config), program, path, _MISSING) is not _MISSING
    if is_overridden:
        return ""
    # The variable of a mapping sets all keys below it.
    variables = VARIABLES[program]
    mapping = next((known for known in variables if path.startswith(f"{known}.")), "")
    return variables.get(path, variables.get(mapping, ""))
