# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of dfdaemon.yaml, which the Rust client reads, release by release.

Read from dragonfly-client-config/src/dfdaemon.rs at each release tag of dragonflyoss/client; ``make compare-upstream``
compares them again. The notation is that of schema.parse_keys.
"""

from __future__ import annotations

FIRST_RELEASE = "0.1.112"
LAST_RELEASE = "1.5.1"

KEYS = """
host.idc                                 str?
host.location                            str?
host.hostname                            str
host.ip                                  ip?
host.schedulerClusterID                  u64?      since 1.0.4
server.pluginDir                         path
server.cacheDir                          path
server.adaptiveRateLimit.bucketCount     u32       since 1.2.16
server.adaptiveRateLimit.bucketInterval  map       since 1.2.16 from 1.2.17 duration
server.adaptiveRateLimit.cpuThreshold    u8        since 1.2.16
server.adaptiveRateLimit.memoryThreshold u8        since 1.2.16
server.adaptiveRateLimit.shedCooldown    map       since 1.2.16 from 1.2.17 duration
server.adaptiveRateLimit.collectInterval map       since 1.2.16 from 1.2.17 duration
download.server.socketPath               path
download.server.requestRateLimit         u64       since 0.2.12
download.server.requestBufferSize        u64       since 1.2.9
download.protocol                        str       since 1.0.22
download.rateLimit                       bytes     until 1.2.8 now download.bandwidthLimit
download.bandwidthLimit                  bytes     since 1.2.8 was download.rateLimit
download.backToSourceBandwidthLimit      bytes     since 1.2.8
download.pieceTimeout                    duration
download.collectedPieceTimeout           duration  since 0.2.39
download.concurrentPieceCount            u32(1..)
download.parentSelector.enable           bool      since 0.2.1 until 1.1.2
download.parentSelector.syncInterval     duration  since 0.2.1 until 1.1.2
download.parentSelector.capacity         u64       since 0.2.1 until 1.1.2
upload.server.ip                         ip?
upload.server.port                       port
upload.server.caCert                     file?
upload.server.cert                       file?
upload.server.key                        file?
upload.server.requestRateLimit           u64       since 0.2.12
upload.server.requestBufferSize          u64       since 1.2.9
upload.client.caCert                     file?
upload.client.cert                       file?
upload.client.key                        file?
upload.disableShared                     bool
upload.rateLimit                         bytes     until 1.2.8 now upload.bandwidthLimit
upload.bandwidthLimit                    bytes     since 1.2.8 was upload.rateLimit
manager.addrs                            strings?  until 0.1.112 now manager.addr
manager.addr                             str       since 0.1.112 was manager.addrs from 1.4.3 str?
manager.caCert                           file?
manager.cert                             file?
manager.key                              file?
scheduler.announceInterval               duration
scheduler.scheduleTimeout                duration
scheduler.maxScheduleCount               u32(1..)
scheduler.caCert                         file?
scheduler.cert                           file?
scheduler.key                            file?
seedPeer.enable                          bool
seedPeer.type                            normal|super|strong|weak from 1.0.27 normal|super
seedPeer.clusterID                       u64(1..)  until 1.0.11 now host.schedulerClusterID
seedPeer.keepaliveInterval               duration  until 1.0.11
dynconfig.refreshInterval                duration
storage.dir                              path
storage.keep                             bool
storage.writePieceTimeout                duration  since 0.2.27
storage.writeBufferSize                  u64
storage.readBufferSize                   u64
storage.cacheCapacity                    u64       since 0.2.5 from 0.2.17 u64? from 0.2.20 bytes
storage.server.protocol                  str       since 0.1.126 until 1.0.22 now download.protocol
storage.server.ip                        ip?       since 1.0.22
storage.server.tcpPort                   port      since 1.0.22
storage.server.quicPort                  port      since 1.0.22
storage.server.tcpFastopen               bool      since 1.0.28
backend.requestHeader                    texts?    since 1.1.2
backend.maxRetries                       u32       since 1.3.8
backend.enableCacheTemporaryRedirect     bool      since 1.1.8
backend.cacheTemporaryRedirectTTL        duration  since 1.1.8
backend.putConcurrentChunkCount          u32       since 1.1.8
backend.putChunkSize                     bytes     since 1.1.8
backend.putTimeout                       duration  since 1.1.10
backend.enableHickoryDNS                 bool      since 1.2.11
gc.interval                              duration
gc.policy.taskTTL                        duration
gc.policy.persistentTaskTTL              duration  since 1.1.10
gc.policy.persistentCacheTaskTTL         duration  since 1.1.10
gc.policy.pageCacheIdleTimeout           duration  since 1.4.9
gc.policy.distThreshold                  bytes     since 0.2.35 same gc.policy.diskThreshold
gc.policy.distHighThresholdPercent       u8        same gc.policy.diskHighThresholdPercent
gc.policy.distLowThresholdPercent        u8        same gc.policy.diskLowThresholdPercent
gc.policy.diskThreshold                  bytes     since 1.1.15 was gc.policy.distThreshold
gc.policy.diskHighThresholdPercent       u8        since 1.1.15 was gc.policy.distHighThresholdPercent
gc.policy.diskLowThresholdPercent        u8        since 1.1.15 was gc.policy.distLowThresholdPercent
proxy.server.ip                          ip?
proxy.server.port                        port
proxy.server.requestRateLimit            u64       since 1.4.1
proxy.server.caCert                      file?
proxy.server.caKey                       file?
proxy.server.basicAuth.username          str       since 0.1.113
proxy.server.basicAuth.password          secret    since 0.1.113
proxy.rules[].regex                      regex
proxy.rules[].useTLS                     bool
proxy.rules[].redirect                   str?
proxy.rules[].filteredQueryParams        strings?
proxy.registryMirror.addr                str
proxy.registryMirror.certs               file?     until 0.1.112 now proxy.registryMirror.cert
proxy.registryMirror.cert                file?     since 0.1.112 was proxy.registryMirror.certs
proxy.registryMirror.enableTaskIdBasedBlobDigest bool      since 1.1.4 until 1.1.8 \
    now proxy.registryMirror.enableTaskIDBasedBlobDigest
proxy.registryMirror.enableTaskIDBasedBlobDigest bool      since 1.1.8 \
    was proxy.registryMirror.enableTaskIdBasedBlobDigest
proxy.disableBackToSource                bool
proxy.prefetch                           bool
proxy.prefetchRateLimit                  bytes     since 0.1.124 until 1.2.8 now proxy.prefetchBandwidthLimit
proxy.prefetchBandwidthLimit             bytes     since 1.2.8 was proxy.prefetchRateLimit
proxy.cacheCapacity                      u64       since 0.1.119 until 0.2.20 \
    now storage.cacheCapacity from 0.2.17 u64?
proxy.readBufferSize                     u64
security.enable                          bool
health.server.ip                         ip?
health.server.port                       port
metrics.server.ip                        ip?
metrics.server.port                      port
stats.server.ip                          ip?
stats.server.port                        port
tracing.addr                             str?      until 0.2.37 now tracing.endpoint
tracing.flamegraph                       bool      until 0.2.17
tracing.protocol                         str?      since 0.2.37
tracing.endpoint                         str?      since 0.2.37 was tracing.addr
tracing.path                             path?     since 0.2.40
tracing.headers                          headers?  since 0.2.35
network.enableIpv6                       bool      until 1.2.5 now network.enableIPv6
network.enableIPv6                       bool      since 1.2.5 was network.enableIpv6
"""

#: Misspellings from the other client that similarity does not find.
MISTAKES = {
    "proxy.proxies": "proxy.rules",
    "proxy.rules[].useHTTPS": "proxy.rules[].useTLS",
    "proxy.defaultFilter": "proxy.rules[].filteredQueryParams",
    "proxy.registryMirror.url": "proxy.registryMirror.addr",
    "proxy.tcpListen": "proxy.server",
    "keepStorage": "storage.keep",
    "storage.taskExpireTime": "gc.policy.taskTTL",
    "scheduler.manager": "manager",
    "scheduler.manager.seedPeer": "seedPeer",
}
