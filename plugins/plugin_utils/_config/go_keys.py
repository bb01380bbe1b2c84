# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of dfget.yaml, which the Go client reads, release by release.

Read from client/config/peerhost.go and cmd/dependency/base/option.go at each release tag of dragonflyoss/dragonfly;
``make compare-upstream`` compares them again. The notation is that of schema.parse_keys.
"""

from __future__ import annotations

FIRST_RELEASE = "2.0.9"
LAST_RELEASE = "2.3.4"

KEYS = """
console                                  bool
verbose                                  bool      until 2.2.4 now logLevel
logLevel                                 str       since 2.2.4 was verbose
pprof-port                               i64       until 2.2.4 now pprofPort
pprofPort                                i64       since 2.2.4 was pprof-port
jaeger                                   str       until 2.2.4 now tracing.endpoint
service-name                             str       until 2.2.4 now tracing.service-name
tracing.protocol                         str       since 2.2.4
tracing.endpoint                         str       since 2.2.4 was jaeger
tracing.path                             str       since 2.2.4
tracing.service-name                     str       since 2.2.4 was service-name
tracing.headers                          map       since 2.2.4
aliveTime                                duration
gcInterval                               duration
metrics                                  str
workHome                                 path
workHomeMode                             u32       since 2.1.0
cacheDir                                 path
cacheDirMode                             u32       since 2.1.0
logDir                                   path
logMaxSize                               i64       since 2.1.34
logMaxAge                                i64       since 2.1.34
logMaxBackups                            i64       since 2.1.34
pluginDir                                path
dataDir                                  path
dataDirMode                              u32       since 2.1.0
keepStorage                              bool
maxThreads                               i64       since 2.1.59
security.autoIssueCert                   bool      until 2.1.61
security.caCert                          pem       until 2.1.61
security.tlsVerify                       bool      until 2.1.61
security.tlsPolicy                       default|prefer|force until 2.1.61
security.certSpec.dnsNames               strings   until 2.1.61
security.certSpec.ipAddresses            ips       until 2.1.61
security.certSpec.validityPeriod         duration  until 2.1.61
scheduler.manager.enable                 bool
scheduler.manager.netAddrs               addresses
scheduler.manager.refreshInterval        duration
scheduler.manager.seedPeer.enable        bool
scheduler.manager.seedPeer.type          super|strong|weak
scheduler.manager.seedPeer.clusterID     u64
scheduler.manager.seedPeer.keepAlive.interval duration
scheduler.netAddrs                       addresses
scheduler.scheduleTimeout                duration
scheduler.disableAutoBackSource          bool
host.idc                                 str
host.location                            str
host.hostname                            str
host.advertiseIP                         ip
host.securityDomain                      str       since 2.0.10 until 2.1.0
download.totalRateLimit                  bytes
download.perPeerRateLimit                bytes
download.trafficShaperType               sampling|plain
download.pieceDownloadTimeout            duration
download.grpcDialTimeout                 duration
download.downloadGRPC                    {security} {tcp} {unix}
download.peerGRPC                        {security} {tcp} {unix}
download.calculateDigest                 bool
download.transportOption.dialTimeout     duration
download.transportOption.keepAlive       duration
download.transportOption.maxIdleConns    i64
download.transportOption.idleConnTimeout duration
download.transportOption.responseHeaderTimeout duration
download.transportOption.tlsHandshakeTimeout duration
download.transportOption.expectContinueTimeout duration
download.getPiecesMaxRetry               i64
download.prefetch                        bool
download.watchdogTimeout                 duration
download.concurrent.thresholdSize        bytes
download.concurrent.thresholdSpeed       bytes
download.concurrent.goroutineCount       i64
download.concurrent.initBackoff          float
download.concurrent.maxBackoff           float
download.concurrent.maxAttempts          i64
download.syncPieceViaHTTPS               bool
download.splitRunningTasks               bool
download.resourceClients                 map
download.recursiveConcurrent.goroutineCount i64
download.cacheRecursiveMetadata          duration
download.seedConcurrent                  i64       since 2.1.59
download.cancelIdlePeerTask              bool      since 2.2.1
upload                                   {security} {tcp} {unix}
upload.rateLimit                         bytes
objectStorage                            {security} {tcp} {unix}
objectStorage.enable                     bool
objectStorage.filter                     str
objectStorage.maxReplicas                i64
storage.dataPath                         path
storage.taskExpireTime                   duration
storage.diskGCThreshold                  bytes
storage.diskGCThresholdPercent           float
storage.multiplex                        bool
storage.strategy                         str
storage.writeBufferSize                  bytes     since 2.1.37
storage.reloadGoroutineCount             i64       since 2.1.39
health                                   {security} {tcp} {unix}
health.path                              str
reload.interval                          duration
network.enableIPv6                       bool
networkTopology.enable                   bool      since 2.1.0 until 2.1.60
networkTopology.probe.interval           duration  since 2.1.0 until 2.1.60
announcer.schedulerInterval              duration
peerExchange.enable                      bool      since 2.1.40
peerExchange.initialInterval             duration  since 2.1.40
peerExchange.initialBroadcastDelay       duration  since 2.1.45
peerExchange.reSyncInterval              duration  since 2.1.40
peerExchange.replicaThreshold            i64       since 2.1.40
peerExchange.replicaCleanPercentage      i32       since 2.1.45
proxy                                    {security} {tcp} {unix}
proxy.basicAuth.username                 str
proxy.basicAuth.password                 secret
proxy.defaultFilter                      str
proxy.defaultTag                         str
proxy.defaultApplication                 str
proxy.defaultPriority                    i32(0..6)
proxy.maxConcurrency                     i64
proxy.registryMirror.url                 url
proxy.registryMirror.dynamic             bool
proxy.registryMirror.certs               files
proxy.registryMirror.insecure            bool
proxy.registryMirror.direct              bool
proxy.registryMirror.useProxies          bool
proxy.whiteList[].host                   str
proxy.whiteList[].regx                   regex
proxy.whiteList[].ports                  strings
proxy.proxies[].regx                     regex
proxy.proxies[].useHTTPS                 bool
proxy.proxies[].direct                   bool
proxy.proxies[].redirect                 str
proxy.hijackHTTPS.cert                   file      from 2.1.53 pem
proxy.hijackHTTPS.key                    file      from 2.1.53 pem
proxy.hijackHTTPS.hosts[].regx           regex
proxy.hijackHTTPS.hosts[].insecure       bool
proxy.hijackHTTPS.hosts[].certs          files
proxy.hijackHTTPS.sni[].listen           str
proxy.hijackHTTPS.sni[].port             ports
proxy.hijackHTTPS.sni[].namespace        path
proxy.dumpHTTPContent                    bool
proxy.extraRegistryMirrors[].url         url
proxy.extraRegistryMirrors[].dynamic     bool
proxy.extraRegistryMirrors[].certs       files
proxy.extraRegistryMirrors[].insecure    bool
proxy.extraRegistryMirrors[].direct      bool
proxy.extraRegistryMirrors[].useProxies  bool
"""

#: Blocks of keys that several listeners share.
BLOCKS = {
    "{security}": """
security.insecure                        bool
security.caCert                          pem
security.cert                            pem
security.key                             pem
security.tlsVerify                       bool
security.tlsConfig                       map
""",
    "{tcp}": """
tcpListen.listen                         str
tcpListen.port                           ports
tcpListen.namespace                      path
""",
    "{unix}": """
unixListen.socket                        path
""",
}

#: Misspellings from the other client and from wrong documentation that similarity does not find.
MISTAKES = {
    "proxy.rules": "proxy.proxies",
    "proxy.proxies[].useTLS": "proxy.proxies[].useHTTPS",
    "proxy.registryMirror.addr": "proxy.registryMirror.url",
    "proxy.server": "proxy.tcpListen",
    "proxy.filteredQueryParams": "proxy.defaultFilter",
    "proxy.proxies[].filteredQueryParams": "proxy.defaultFilter",
    "storage.keep": "keepStorage",
    "storage.dir": "dataDir",
    "gc.policy.taskTTL": "storage.taskExpireTime",
    "manager": "scheduler.manager",
    "seedPeer": "scheduler.manager.seedPeer",
    "health.tcpListen.path": "health.path",
    "scheduler.manager.seedPeer.keepAlive.internal": "scheduler.manager.seedPeer.keepAlive.interval",
}
