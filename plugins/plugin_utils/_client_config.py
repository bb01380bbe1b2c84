# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the two clients of Dragonfly read from their configuration files, release by release.

``dfget`` is the Go client (dfget.yaml, releases of dragonflyoss/dragonfly), ``dfdaemon`` the Rust client
(dfdaemon.yaml, releases of dragonflyoss/client). Both ignore a key that they do not know without a word, so this table
is the only thing that tells a setting from a misspelling. Read from client/config/peerhost.go and
dragonfly-client-config/src/dfdaemon.rs at each release tag.

PRIVATE to the collection.
"""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _task_id

FIRST_RELEASE = {"dfget": "2.0.9", "dfdaemon": "0.1.112"}
LAST_RELEASE = {"dfget": "2.3.4", "dfdaemon": "1.5.1"}

# One line a key: path, type, and `since` the first release that knows the key, `until` the first that no longer does.
# `[]` after a name is a list, whose elements the lines below it describe.
# Types: see _config_problems.check_value. `{security}`, `{tcp}` and `{unix}` stand for the blocks of _GO_BLOCKS.
_GO = """
console                                  bool
verbose                                  bool      until 2.2.4 now logLevel
logLevel                                 str       since 2.2.4 was verbose
pprof-port                               int       until 2.2.4 now pprofPort
pprofPort                                int       since 2.2.4 was pprof-port
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
workHomeMode                             int       since 2.1.0
cacheDir                                 path
cacheDirMode                             int       since 2.1.0
logDir                                   path
logMaxSize                               int       since 2.1.34
logMaxAge                                int       since 2.1.34
logMaxBackups                            int       since 2.1.34
pluginDir                                path
dataDir                                  path
dataDirMode                              int       since 2.1.0
keepStorage                              bool
maxThreads                               int       since 2.1.59
security.autoIssueCert                   bool      until 2.1.61
security.caCert                          pem       until 2.1.61
security.tlsVerify                       bool      until 2.1.61
security.tlsPolicy                       default|prefer|force until 2.1.61
security.certSpec.dnsNames               strings   until 2.1.61
security.certSpec.ipAddresses            strings   until 2.1.61
security.certSpec.validityPeriod         duration  until 2.1.61
scheduler.manager.enable                 bool
scheduler.manager.netAddrs               addresses
scheduler.manager.refreshInterval        duration
scheduler.manager.seedPeer.enable        bool
scheduler.manager.seedPeer.type          super|strong|weak
scheduler.manager.seedPeer.clusterID     uint
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
download.transportOption.maxIdleConns    int
download.transportOption.idleConnTimeout duration
download.transportOption.responseHeaderTimeout duration
download.transportOption.tlsHandshakeTimeout duration
download.transportOption.expectContinueTimeout duration
download.getPiecesMaxRetry               int
download.prefetch                        bool
download.watchdogTimeout                 duration
download.concurrent.thresholdSize        bytes
download.concurrent.thresholdSpeed       bytes
download.concurrent.goroutineCount       int
download.concurrent.initBackoff          float
download.concurrent.maxBackoff           float
download.concurrent.maxAttempts          int
download.syncPieceViaHTTPS               bool
download.splitRunningTasks               bool
download.resourceClients                 map
download.recursiveConcurrent.goroutineCount int
download.cacheRecursiveMetadata          duration
download.seedConcurrent                  int       since 2.1.59
download.cancelIdlePeerTask              bool      since 2.2.1
upload                                   {security} {tcp} {unix}
upload.rateLimit                         bytes
objectStorage                            {security} {tcp} {unix}
objectStorage.enable                     bool
objectStorage.filter                     str
objectStorage.maxReplicas                int
storage.dataPath                         path
storage.taskExpireTime                   duration
storage.diskGCThreshold                  bytes
storage.diskGCThresholdPercent           float
storage.multiplex                        bool
storage.strategy                         str
storage.writeBufferSize                  bytes     since 2.1.37
storage.reloadGoroutineCount             int       since 2.1.39
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
peerExchange.replicaThreshold            int       since 2.1.40
peerExchange.replicaCleanPercentage      int       since 2.1.45
proxy                                    {security} {tcp} {unix}
proxy.basicAuth.username                 str
proxy.basicAuth.password                 secret
proxy.defaultFilter                      str
proxy.defaultTag                         str
proxy.defaultApplication                 str
proxy.defaultPriority                    int(0..6)
proxy.maxConcurrency                     int
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
proxy.hijackHTTPS.cert                   pem
proxy.hijackHTTPS.key                    pem
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

_GO_BLOCKS = {
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

_RUST = """
host.idc                                 str
host.location                            str
host.hostname                            str
host.ip                                  ip
host.schedulerClusterID                  uint      since 1.0.4
server.pluginDir                         path
server.cacheDir                          path
server.adaptiveRateLimit.bucketCount     uint      since 1.2.16
server.adaptiveRateLimit.bucketInterval  duration  since 1.2.17
server.adaptiveRateLimit.cpuThreshold    uint      since 1.2.16
server.adaptiveRateLimit.memoryThreshold uint      since 1.2.16
server.adaptiveRateLimit.shedCooldown    duration  since 1.2.17
server.adaptiveRateLimit.collectInterval duration  since 1.2.17
download.server.socketPath               path
download.server.requestRateLimit         uint      since 0.2.12
download.server.requestBufferSize        uint      since 1.2.9
download.protocol                        str       since 1.0.22
download.rateLimit                       bytes     until 1.2.8 now download.bandwidthLimit
download.bandwidthLimit                  bytes     since 1.2.8 was download.rateLimit
download.backToSourceBandwidthLimit      bytes     since 1.2.8
download.pieceTimeout                    duration
download.collectedPieceTimeout           duration  since 0.2.39
download.concurrentPieceCount            int(1..)
download.parentSelector.enable           bool      since 0.2.1 until 1.1.2
download.parentSelector.syncInterval     duration  since 0.2.1 until 1.1.2
download.parentSelector.capacity         uint      since 0.2.1 until 1.1.2
upload.server.ip                         ip
upload.server.port                       port
upload.server.caCert                     file
upload.server.cert                       file
upload.server.key                        file
upload.server.requestRateLimit           uint      since 0.2.12
upload.server.requestBufferSize          uint      since 1.2.9
upload.client.caCert                     file
upload.client.cert                       file
upload.client.key                        file
upload.disableShared                     bool
upload.rateLimit                         bytes     until 1.2.8 now upload.bandwidthLimit
upload.bandwidthLimit                    bytes     since 1.2.8 was upload.rateLimit
manager.addrs                            strings   until 0.1.112 now manager.addr
manager.addr                             str       since 0.1.112 was manager.addrs
manager.caCert                           file
manager.cert                             file
manager.key                              file
scheduler.announceInterval               duration
scheduler.scheduleTimeout                duration
scheduler.maxScheduleCount               int(1..)
scheduler.caCert                         file
scheduler.cert                           file
scheduler.key                            file
seedPeer.enable                          bool
seedPeer.type                            normal|super|strong|weak
seedPeer.clusterID                       int(1..)  until 1.0.11 now host.schedulerClusterID
seedPeer.keepaliveInterval               duration  until 1.0.11
dynconfig.refreshInterval                duration
storage.dir                              path
storage.keep                             bool
storage.writePieceTimeout                duration  since 0.2.27
storage.writeBufferSize                  uint
storage.readBufferSize                   uint
storage.cacheCapacity                    bytes     since 0.2.5
storage.server.protocol                  str       since 0.1.126 until 1.0.22 now download.protocol
storage.server.ip                        ip        since 1.0.22
storage.server.tcpPort                   port      since 1.0.22
storage.server.quicPort                  port      since 1.0.22
storage.server.tcpFastopen               bool      since 1.0.28
backend.requestHeader                    map       since 1.1.2
backend.maxRetries                       uint      since 1.3.8
backend.enableCacheTemporaryRedirect     bool      since 1.1.8
backend.cacheTemporaryRedirectTTL        duration  since 1.1.8
backend.putConcurrentChunkCount          uint      since 1.1.8
backend.putChunkSize                     bytes     since 1.1.8
backend.putTimeout                       duration  since 1.1.10
backend.enableHickoryDNS                 bool      since 1.2.11
gc.interval                              duration
gc.policy.taskTTL                        duration
gc.policy.persistentTaskTTL              duration  since 1.1.10
gc.policy.persistentCacheTaskTTL         duration  since 1.1.10
gc.policy.pageCacheIdleTimeout           duration  since 1.4.9
gc.policy.distThreshold                  bytes     since 0.2.35
gc.policy.distHighThresholdPercent       int(1..99)
gc.policy.distLowThresholdPercent        int(1..99)
gc.policy.diskThreshold                  bytes     since 1.1.15 was gc.policy.distThreshold
gc.policy.diskHighThresholdPercent       int(1..99) since 1.1.15 was gc.policy.distHighThresholdPercent
gc.policy.diskLowThresholdPercent        int(1..99) since 1.1.15 was gc.policy.distLowThresholdPercent
proxy.server.ip                          ip
proxy.server.port                        port
proxy.server.requestRateLimit            uint      since 1.4.1
proxy.server.caCert                      file
proxy.server.caKey                       file
proxy.server.basicAuth.username          str(1..20) since 0.1.113
proxy.server.basicAuth.password          secret(1..20) since 0.1.113
proxy.rules[].regex                      regex
proxy.rules[].useTLS                     bool
proxy.rules[].redirect                   str
proxy.rules[].filteredQueryParams        strings
proxy.registryMirror.addr                str
proxy.registryMirror.certs               file      until 0.1.112 now proxy.registryMirror.cert
proxy.registryMirror.cert                file      since 0.1.112 was proxy.registryMirror.certs
proxy.registryMirror.enableTaskIdBasedBlobDigest bool since 1.1.4 until 1.1.8 \
    now proxy.registryMirror.enableTaskIDBasedBlobDigest
proxy.registryMirror.enableTaskIDBasedBlobDigest bool since 1.1.8 was proxy.registryMirror.enableTaskIdBasedBlobDigest
proxy.disableBackToSource                bool
proxy.prefetch                           bool
proxy.prefetchRateLimit                  bytes     since 0.1.124 until 1.2.8 now proxy.prefetchBandwidthLimit
proxy.prefetchBandwidthLimit             bytes     since 1.2.8 was proxy.prefetchRateLimit
proxy.cacheCapacity                      bytes     since 0.1.119 until 0.2.20 now storage.cacheCapacity
proxy.readBufferSize                     uint
security.enable                          bool
health.server.ip                         ip
health.server.port                       port
metrics.server.ip                        ip
metrics.server.port                      port
stats.server.ip                          ip
stats.server.port                        port
tracing.addr                             str       until 0.2.37 now tracing.endpoint
tracing.flamegraph                       bool      until 0.2.17
tracing.protocol                         str       since 0.2.37
tracing.endpoint                         str       since 0.2.37 was tracing.addr
tracing.path                             str       since 0.2.40
tracing.headers                          map       since 0.2.35
network.enableIpv6                       bool      until 1.2.5 now network.enableIPv6
network.enableIPv6                       bool      since 1.2.5 was network.enableIpv6
"""

# Spellings of the other client, and of documents that were wrong, too far away for a guess by likeness.
_KNOWN_MISTAKES = {
    "dfget": {
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
    },
    "dfdaemon": {
        "proxy.proxies": "proxy.rules",
        "proxy.rules[].useHTTPS": "proxy.rules[].useTLS",
        "proxy.defaultFilter": "proxy.rules[].filteredQueryParams",
        "proxy.registryMirror.url": "proxy.registryMirror.addr",
        "proxy.tcpListen": "proxy.server",
        "keepStorage": "storage.keep",
        "storage.taskExpireTime": "gc.policy.taskTTL",
        "scheduler.manager": "manager",
        "scheduler.manager.seedPeer": "seedPeer",
    },
}


class Key(t.NamedTuple):
    """One key of a configuration file.

    :ivar path: dotted, with ``[]`` after the name of a list.
    :ivar type: see _config_problems.value_error.
    :ivar since: first release that has it, as a tuple; None for all before ``until``.
    :ivar until: first release that lacks it again; None where the newest has it.
    :ivar now: the key that stands in its place in later releases, or None.
    :ivar was: the key that stood in its place in earlier releases, or None.
    """

    path: str
    type: str
    since: tuple[int, ...] | None = None
    until: tuple[int, ...] | None = None
    now: str | None = None
    was: str | None = None


class Lookup(t.NamedTuple):
    """What a release makes of a key.

    :ivar status: ``known``, ``branch`` (keys are below it), ``gone``, ``later`` or ``unknown``.
    :ivar key: the Key, or None.
    :ivar instead: the key to write in its place in this release, or None.
    """

    status: str
    key: Key | None = None
    instead: str | None = None


def parse_release(release: str | None) -> tuple[int, ...] | None:
    """A release as a tuple of three ints, None for none.

    :param release: str such as ``2.1.67`` or ``v2.1.67-rc.0``; None and empty mean that it is not known.
    :raises ValueError: if it does not begin with three numbers.
    """
    if release is None or release == "":
        return None
    parsed = _task_id.parse_release(str(release))
    if parsed is None:
        raise ValueError(f"{release!r} is not a release: write it like 2.1.67")
    return parsed


def _parse_line(line: str) -> Key:
    path, kind, *words = line.split()
    notes = dict(zip(words[::2], words[1::2]))
    return Key(
        path,
        kind,
        parse_release(notes.get("since")),
        parse_release(notes.get("until")),
        notes.get("now"),
        notes.get("was"),
    )


def _parse(text: str) -> dict[str, Key]:
    keys: dict[str, Key] = {}
    for line in text.strip().splitlines():
        prefix, _space, rest = line.partition(" ")
        blocks = rest.split() if "{" in rest else []
        for block in blocks:
            for inner in _parse(_GO_BLOCKS[block]).values():
                key = inner._replace(path=f"{prefix}.{inner.path}")
                keys[key.path] = key
        if not blocks:
            key = _parse_line(line)
            keys[key.path] = key
    return keys


SCHEMA: dict[str, dict[str, Key]] = {"dfget": _parse(_GO), "dfdaemon": _parse(_RUST)}


def _fold(client: str, path: str) -> str:
    """The Go client matches names whatever their case, the Rust client does not."""
    return path.lower() if client == "dfget" else path


_FOLDED = {client: {_fold(client, path): key for path, key in keys.items()} for client, keys in SCHEMA.items()}


def _in_release(key: Key, release: tuple[int, ...] | None) -> bool:
    if release is None:
        return True
    return (key.since is None or release >= key.since) and (key.until is None or release < key.until)


def look_up(client: str, path: str, release: str | None) -> Lookup:
    """What a release of a client makes of a key.

    :param client: ``dfget`` or ``dfdaemon``.
    :param path: dotted, with ``[]`` after the name of a list, such as ``proxy.proxies[].regx``.
    :param release: of the client; None where it is not known, then any release of the table will do.
    """
    wanted = parse_release(release)
    folded = _fold(client, path)
    key = _FOLDED[client].get(folded)
    if key is not None:
        if _in_release(key, wanted):
            return Lookup("known", key)
        if key.until is not None and wanted is not None and wanted >= key.until:
            return Lookup("gone", key, key.now)
        return Lookup("later", key, key.was)
    below = [key for name, key in _FOLDED[client].items() if name.startswith((folded + ".", folded + "[]"))]
    if any(_in_release(key, wanted) for key in below):
        return Lookup("branch")
    if below:
        gone = all(key.until is not None and wanted is not None and wanted >= key.until for key in below)
        return Lookup("gone" if gone else "later", below[0])
    return Lookup("unknown", None, nearest(client, path, release))


def nearest(client: str, path: str, release: str | None) -> str | None:
    """The key that was most likely meant by one that does not exist, or None."""
    wanted = parse_release(release)
    for mistake, meant in _KNOWN_MISTAKES[client].items():
        if path == mistake:
            return meant
    names: dict[str, str] = {}
    for key in SCHEMA[client].values():
        if _in_release(key, wanted):
            parts = key.path.split(".")
            for end in range(1, len(parts) + 1):
                names.setdefault(
                    ".".join(parts[:end]).removesuffix("[]").lower(), ".".join(parts[:end]).removesuffix("[]")
                )
    parent = path.rpartition(".")[0].lower()
    leaf = path.rpartition(".")[2].lower()
    siblings = {name.rpartition(".")[2]: full for name, full in names.items() if name.rpartition(".")[0] == parent}
    for pool, word in ((siblings, leaf), (names, path.lower())):
        close = difflib.get_close_matches(word, list(pool), n=1, cutoff=0.75)
        if close:
            return pool[close[0]]
    # The right name in the wrong place.
    elsewhere = [full for name, full in names.items() if name.rpartition(".")[2] == leaf]
    return elsewhere[0] if len(elsewhere) == 1 else None


class Setting(t.NamedTuple):
    """A value of a configuration.

    :ivar path: as in the schema.
    :ivar where: with the position in a list, for people.
    :ivar value: what the file says.
    """

    path: str
    where: str
    value: t.Any


def settings(config: dict[str, t.Any], client: str) -> t.Iterator[Setting]:
    """Yield each key of a configuration as the schema sees it: a map that the schema knows as one value is not
    entered."""
    yield from _settings(config, client, "", "")


def _settings(node: dict[str, t.Any], client: str, path: str, where: str) -> t.Iterator[Setting]:
    for name, value in node.items():
        here = f"{path}.{name}" if path else str(name)
        there = f"{where}.{name}" if where else str(name)
        folded = _fold(client, here)
        is_leaf = folded in _FOLDED[client]
        is_list = any(other.startswith(folded + "[]") for other in _FOLDED[client])
        if isinstance(value, dict) and not is_leaf and not is_list:
            known = any(other.startswith(folded + ".") for other in _FOLDED[client])
            if known and value:
                yield from _settings(value, client, here, there)
                continue
        if isinstance(value, list) and is_list and all(isinstance(item, dict) for item in value):
            for index, item in enumerate(value):
                yield from _settings(item, client, here + "[]", f"{there}[{index}]")
            continue
        yield Setting(here, there, value)


def get(config: dict[str, t.Any], client: str, path: str, default: t.Any = None) -> t.Any:
    """The value of a dotted key as the client would find it (the Go client whatever its case), else the default, also
    where the key is empty."""
    node: t.Any = config
    for part in path.split("."):
        if not isinstance(node, dict):
            return default
        for name, value in node.items():
            if _fold(client, str(name)) == _fold(client, part):
                node = value
                break
        else:
            return default
    return default if node is None else node
