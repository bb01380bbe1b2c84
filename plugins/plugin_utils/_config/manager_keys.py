# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of manager.yaml, release by release.

Read from manager/config/config.go at each release tag of dragonflyoss/dragonfly; ``make compare-upstream`` compares
the keys again. The notation is that of schema.parse_keys.
"""

from __future__ import annotations

from .._config import server_keys

KEYS = (
    server_keys.KEYS
    + """
server.name                              str
server.grpc.advertiseIP                  ip
server.grpc.advertisePort                i64(1..65535) until 2.1.29
server.grpc.listenIP                     ip
server.grpc.port.start                   i64(0..65535)
server.grpc.port.end                     i64(0..65535)
server.grpc.tls                          {mtls}
server.grpc.requestRateLimit             float     since 2.4.2
server.rest.addr                         str
server.rest.tls.cert                     file
server.rest.tls.key                      file
auth.jwt.realm                           str
auth.jwt.key                             secret
auth.jwt.timeout                         duration
auth.jwt.maxRefresh                      duration
database.type                            mysql|mariadb|postgres from 2.4.4 mysql|mariadb|postgres|polardb
database.mysql.user                      str
database.mysql.password                  secret
database.mysql.host                      str
database.mysql.port                      i64(1..65535)
database.mysql.dbname                    str
database.mysql.tlsConfig                 str
database.mysql.tls.ca                    file      until 2.1.61 now database.mysql.tls.caCert
database.mysql.tls.caCert                file      since 2.1.61 was database.mysql.tls.ca
database.mysql.tls.cert                  file
database.mysql.tls.key                   file
database.mysql.tls.insecureSkipVerify    bool
database.mysql.migrate                   bool
database.postgres.user                   str
database.postgres.password               secret
database.postgres.host                   str
database.postgres.port                   i64(1..65535)
database.postgres.dbname                 str
database.postgres.sslMode                disable|allow|prefer|require|verify-ca|verify-full
database.postgres.preferSimpleProtocol   bool      since 2.1.12
database.postgres.timezone               str
database.postgres.migrate                bool
database.polardb.user                    str       since 2.4.4
database.polardb.password                secret    since 2.4.4
database.polardb.addrList                str       since 2.4.4
database.polardb.dbname                  str       since 2.4.4
database.polardb.migrate                 bool      since 2.4.4
database.redis                           {redis}
database.redis.db                        i64(0..)
database.redis.proxy.enable              bool      since 2.2.3
database.redis.proxy.addr                str       since 2.2.3
cache.redis.ttl                          duration
cache.local.size                         i64(1..)
cache.local.ttl                          duration
job.rateLimit.fillInterval               duration  since 2.1.56 until 2.1.63
job.rateLimit.capacity                   i64(1..)  since 2.1.56 until 2.1.63
job.rateLimit.quantum                    i64(1..)  since 2.1.56 until 2.1.63
job.gc.interval                          duration  since 2.1.57 until 2.2.3
job.gc.ttl                               duration  since 2.1.57 until 2.2.3
job.gc.batchSize                         i64(1..)  since 2.1.65 until 2.2.3
job.preheat.registryTimeout              duration  since 2.1.1 until 2.3.1
job.preheat.tls.insecureSkipVerify       bool      since 2.1.59
job.preheat.tls.caCert                   pem       since 2.1.1
job.syncPeers.interval                   duration  since 2.1.7
job.syncPeers.timeout                    duration  since 2.1.7
job.syncPeers.batchSize                  i64(1..)  since 2.1.65
objectStorage.enable                     bool      until 2.4.0
objectStorage.name                       s3|oss|obs until 2.4.0
objectStorage.region                     str       until 2.4.0
objectStorage.endpoint                   str       until 2.4.0
objectStorage.accessKey                  str       until 2.4.0
objectStorage.secretKey                  secret    until 2.4.0
objectStorage.s3ForcePathStyle           bool      until 2.4.0
metrics.enablePeerGauge                  bool      until 2.1.7
security.caKey                           pem       until 2.1.61
trainer.enable                           bool      until 2.1.56
trainer.bucketName                       str       until 2.1.56
"""
)

#: Configurations with which the manager does not start (Validate in config.go), in the notation of rules.parse_rules.
RULES = (
    server_keys.RULES
    + """
server.name                              filled
server.grpc.tls.caCert                   required  if server.grpc.tls
server.grpc.tls.cert                     required  if server.grpc.tls
server.grpc.tls.key                      required  if server.grpc.tls
server.grpc.requestRateLimit             positive
server.rest.tls.cert                     required  if server.rest.tls
server.rest.tls.key                      required  if server.rest.tls
auth.jwt.realm                           filled
auth.jwt.key                             required
auth.jwt.timeout                         positive
auth.jwt.maxRefresh                      positive
database.mysql.user                      required  if database.type=mysql,mariadb
database.mysql.password                  required  if database.type=mysql,mariadb
database.mysql.host                      required  if database.type=mysql,mariadb
database.mysql.dbname                    filled    if database.type=mysql,mariadb
database.mysql.tls.ca                    required  if database.mysql.tls
database.mysql.tls.caCert                required  if database.mysql.tls
database.mysql.tls.cert                  required  if database.mysql.tls
database.mysql.tls.key                   required  if database.mysql.tls
database.postgres.user                   required  if database.type=postgres
database.postgres.password               required  if database.type=postgres
database.postgres.host                   required  if database.type=postgres
database.postgres.dbname                 filled    if database.type=postgres
database.postgres.timezone               filled    if database.type=postgres
database.polardb.user                    required  if database.type=polardb
database.polardb.password                required  if database.type=polardb
database.polardb.addrList                required  if database.type=polardb
database.polardb.dbname                  filled    if database.type=polardb
database.redis.proxy.addr                filled    if database.redis.proxy.enable
cache.redis.ttl                          positive
cache.local.ttl                          positive
job.rateLimit.fillInterval               positive
job.gc.interval                          positive
job.gc.ttl                               positive
job.preheat.registryTimeout              positive
job.preheat.tls.caCert                   required  if job.preheat.tls until 2.1.59
job.syncPeers.timeout                    positive
objectStorage.name                       required  if objectStorage.enable
objectStorage.accessKey                  required  if objectStorage.enable
objectStorage.secretKey                  required  if objectStorage.enable
security.caKey                           required  if security.autoIssueCert
trainer.bucketName                       filled    if trainer.enable
"""
)

#: Common misspellings, and keys of other files, that similarity does not find.
MISTAKES = {
    "jwt": "auth.jwt",
    "mysql": "database.mysql",
    "postgres": "database.postgres",
    "redis": "database.redis",
    "server.advertiseIP": "server.grpc.advertiseIP",
    "server.listenIP": "server.grpc.listenIP",
    "server.port": "server.grpc.port.start",
    "server.rest.port": "server.rest.addr",
    "metrics.port": "metrics.addr",
    "database.mysql.username": "database.mysql.user",
    "database.mysql.database": "database.mysql.dbname",
    "database.mysql.name": "database.mysql.dbname",
    "database.postgres.username": "database.postgres.user",
    "database.postgres.database": "database.postgres.dbname",
    "database.postgres.name": "database.postgres.dbname",
    "database.redis.user": "database.redis.username",
    "job.preheat.caCert": "job.preheat.tls.caCert",
    "job.preheat.insecureSkipVerify": "job.preheat.tls.insecureSkipVerify",
    "job.tls": "job.preheat.tls",
}
