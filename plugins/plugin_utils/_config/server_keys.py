# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that manager.yaml and scheduler.yaml share, by release.

Read from cmd/dependency/base/option.go and the configurations of both at each release tag of dragonflyoss/dragonfly;
``make compare-upstream`` compares them again. The notation is that of schema.parse_keys.
"""

from __future__ import annotations

FIRST_RELEASE = "2.1.0"
LAST_RELEASE = "2.5.1"

KEYS = """
console                                  bool
verbose                                  bool      until 2.2.4 now server.logLevel
pprof-port                               i64       until 2.2.4 now pprofPort
pprofPort                                i64       since 2.2.4 was pprof-port
jaeger                                   str       until 2.2.4 now tracing.endpoint
service-name                             str       until 2.2.4 now tracing.service-name
tracing.protocol                         str       since 2.2.4
tracing.endpoint                         str       since 2.2.4 was jaeger
tracing.path                             str       since 2.2.4
tracing.service-name                     str       since 2.2.4 was service-name
tracing.headers                          texts     since 2.2.4
server.workHome                          path      until 2.1.61
server.cacheDir                          path      until 2.5.1
server.logDir                            path
server.logLevel                          str       since 2.2.4 was verbose
server.logMaxSize                        i64(0..)  since 2.1.34
server.logMaxAge                         i64(0..)  since 2.1.34
server.logMaxBackups                     i64(0..)  since 2.1.34
server.pluginDir                         path
metrics.enable                           bool
metrics.addr                             str
network.enableIPv6                       bool
security.autoIssueCert                   bool      until 2.1.61
security.caCert                          pem       until 2.1.61
security.tlsPolicy                       default|prefer|force until 2.1.61
security.certSpec.dnsNames               strings   until 2.1.61
security.certSpec.ipAddresses            ips       until 2.1.61
security.certSpec.validityPeriod         duration  until 2.1.61
"""

#: Blocks of keys that occur in several places.
BLOCKS = {
    "{mtls}": """
caCert                                   file      since 2.1.61
cert                                     file      since 2.1.61
key                                      file      since 2.1.61
""",
    "{redis}": """
host                                     str
port                                     i64(0..65535)
addrs                                    strings
masterName                               str
username                                 str
password                                 secret
sentinelUsername                         str       since 2.1.57
sentinelPassword                         secret    since 2.1.57
brokerDB                                 i64(0..)
backendDB                                i64(0..)
poolSize                                 i64(0..)  since 2.2.3
poolTimeout                              duration  since 2.2.3
tls.caCert                               file      since 2.4.4
tls.cert                                 file      since 2.4.4
tls.key                                  file      since 2.4.4
tls.insecureSkipVerify                   bool      since 2.4.4
""",
}

#: Configurations with which neither starts (Validate in config.go), in the notation of rules.parse_rules.
RULES = """
metrics.addr                             filled    if metrics.enable
security.caCert                          required  if security.autoIssueCert
security.certSpec.dnsNames               filled    if security.autoIssueCert
security.certSpec.ipAddresses            filled    if security.autoIssueCert
security.certSpec.validityPeriod         positive  if security.autoIssueCert
"""
