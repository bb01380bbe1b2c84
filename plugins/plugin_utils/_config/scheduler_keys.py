# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of scheduler.yaml, release by release.

Read from scheduler/config/config.go at each release tag of dragonflyoss/dragonfly; ``make compare-upstream`` compares
the keys again. The notation is that of schema.parse_keys.
"""

from __future__ import annotations

from .._config import server_keys

KEYS = (
    server_keys.KEYS
    + """
server.advertiseIP                       ip
server.advertisePort                     i64(0..65535)
server.listenIP                          ip
server.port                              i64(1..65535)
server.host                              str
server.tls                               {mtls}
server.requestRateLimit                  float     since 2.4.2
server.dataDir                           path      until 2.4.0
scheduler.algorithm                      str
scheduler.maxScheduleCount               i64(1..)  since 2.1.22 until 2.1.29
scheduler.backToSourceCount              i64(1..)
scheduler.retryBackToSourceLimit         i64(1..)
scheduler.retryLimit                     i64(1..)
scheduler.retryInterval                  duration
scheduler.gc.pieceDownloadTimeout        duration
scheduler.gc.peerGCInterval              duration
scheduler.gc.peerTTL                     duration
scheduler.gc.taskGCInterval              duration
scheduler.gc.hostGCInterval              duration
scheduler.gc.hostTTL                     duration
scheduler.networkTopology.collectInterval duration since 2.1.31 until 2.1.60 was networkTopology.collectInterval
scheduler.networkTopology.probe.queueLength i64    since 2.1.31 until 2.1.60 was networkTopology.probe.queueLength
scheduler.networkTopology.probe.count    i64       since 2.1.31 until 2.1.60 was networkTopology.probe.count
scheduler.networkTopology.cache.interval duration  since 2.1.31 until 2.1.60 was networkTopology.cache.interval
scheduler.networkTopology.cache.tll      duration  since 2.1.31 until 2.1.35 now scheduler.networkTopology.cache.ttl
scheduler.networkTopology.cache.ttl      duration  since 2.1.35 until 2.1.60 was scheduler.networkTopology.cache.tll
database.redis                           {redis}
database.redis.networkTopologyDB         i64(0..)  until 2.1.60
resource.task.downloadTiny.scheme        http|https since 2.1.1 until 2.1.61
resource.task.downloadTiny.timeout       duration  since 2.1.1 until 2.1.61
resource.task.downloadTiny.tls.insecureSkipVerify bool since 2.1.1 until 2.1.61
dynConfig.refreshInterval                duration
manager.addr                             str
manager.tls                              {mtls}
manager.schedulerClusterID               u64(1..)
manager.keepAlive.interval               duration
seedPeer.enable                          bool      until 2.4.2
seedPeer.tls                             {mtls}
seedPeer.taskDownloadTimeout             duration  since 2.1.23
peer.tls.caCert                          file      since 2.1.63
peer.tls.cert                            file      since 2.1.63
peer.tls.key                             file      since 2.1.63
host.idc                                 str
host.location                            str
job.enable                               bool
job.globalWorkerNum                      u64(1..)
job.schedulerWorkerNum                   u64(1..)
job.localWorkerNum                       u64(1..)
job.redis                                {redis}
job.redis.networkTopologyDB              i64(0..)  until 2.1.60
storage.maxSize                          i64(1..)  until 2.2.1
storage.maxBackups                       i64(1..)  until 2.2.1
storage.bufferSize                       i64(0..)  until 2.2.1
metrics.enableHost                       bool
security.tlsVerify                       bool      until 2.1.61
networkTopology.enable                   bool      until 2.1.31
networkTopology.collectInterval          duration  until 2.1.31 now scheduler.networkTopology.collectInterval
networkTopology.probe.queueLength        i64       until 2.1.31 now scheduler.networkTopology.probe.queueLength
networkTopology.probe.count              i64       until 2.1.31 now scheduler.networkTopology.probe.count
networkTopology.cache.interval           duration since 2.1.28 until 2.1.31 now scheduler.networkTopology.cache.interval
networkTopology.cache.tll                duration  since 2.1.28 until 2.1.31 now scheduler.networkTopology.cache.tll
trainer.enable                           bool      until 2.1.56
trainer.addr                             str       until 2.1.56
trainer.interval                         duration  until 2.1.56
trainer.uploadTimeout                    duration  until 2.1.56
"""
)

#: Configurations with which the scheduler does not start (Validate in config.go), as rules.parse_rules reads them.
RULES = (
    server_keys.RULES
    + """
server.host                              filled
server.advertisePort                     positive  until 2.1.29
server.requestRateLimit                  positive
server.tls.caCert                        required  if server.tls
server.tls.cert                          required  if server.tls
server.tls.key                           required  if server.tls
scheduler.algorithm                      filled
scheduler.retryInterval                  positive
scheduler.gc.pieceDownloadTimeout        positive
scheduler.gc.peerGCInterval              positive
scheduler.gc.peerTTL                     positive
scheduler.gc.taskGCInterval              positive
scheduler.gc.hostGCInterval              positive
scheduler.gc.hostTTL                     positive
scheduler.networkTopology.collectInterval positive if scheduler.algorithm=nt
scheduler.networkTopology.probe.queueLength positive if scheduler.algorithm=nt
scheduler.networkTopology.probe.count    positive  if scheduler.algorithm=nt
scheduler.networkTopology.cache.interval positive  if scheduler.algorithm=nt
scheduler.networkTopology.cache.tll      positive  if scheduler.algorithm=nt
scheduler.networkTopology.cache.ttl      positive  if scheduler.algorithm=nt
resource.task.downloadTiny.timeout       positive
dynConfig.refreshInterval                positive
manager.addr                             filled
manager.tls.caCert                       required  if manager.tls
manager.tls.cert                         required  if manager.tls
manager.tls.key                          required  if manager.tls
manager.keepAlive.interval               positive
seedPeer.tls.caCert                      required  if seedPeer.tls
seedPeer.tls.cert                        required  if seedPeer.tls
seedPeer.tls.key                         required  if seedPeer.tls
seedPeer.taskDownloadTimeout             positive
storage.bufferSize                       positive  until 2.1.38
networkTopology.collectInterval          positive
networkTopology.probe.queueLength        positive
networkTopology.probe.count              positive
networkTopology.cache.interval           positive
networkTopology.cache.tll                positive
trainer.addr                             filled    if trainer.enable
trainer.interval                         positive  if trainer.enable
trainer.uploadTimeout                    positive  if trainer.enable
"""
)

#: Common misspellings, and keys of other files, that similarity does not find.
MISTAKES = {
    "redis": "database.redis",
    "server.ip": "server.advertiseIP",
    "server.grpc": "server",
    "server.grpc.advertiseIP": "server.advertiseIP",
    "server.grpc.listenIP": "server.listenIP",
    "server.grpc.port": "server.port",
    "manager.address": "manager.addr",
    "manager.addrs": "manager.addr",
    "manager.netAddrs": "manager.addr",
    "manager.clusterID": "manager.schedulerClusterID",
    "schedulerClusterID": "manager.schedulerClusterID",
    "metrics.port": "metrics.addr",
    "dynconfig.interval": "dynConfig.refreshInterval",
}
