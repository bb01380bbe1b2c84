# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a request of a container runtime to the URL that a client fetches for it, and the id of the task.

Read from the sources of the clients (client/daemon/proxy, client/daemon/transport and pkg/idgen of the Go client,
dragonfly-client/src/proxy and dragonfly-client-util/src/id_generator of the Rust client), on its own: the collection's
modules work the same out by their own code.
"""

from __future__ import annotations

import hashlib
import re
import urllib.parse

from settings import get

#: What the Rust client leaves out of the URL before it makes the id, unless a rule says otherwise.
RUST_FILTER = """
X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders X-Amz-Signature X-Amz-Security-Token
X-Amz-User-Agent X-Goog-Algorithm X-Goog-Credential X-Goog-Date X-Goog-Expires X-Goog-SignedHeaders X-Goog-Signature
OSSAccessKeyId Expires Signature SecurityToken AccessKeyId X-Obs-Date X-Obs-Security-Token q-sign-algorithm q-ak
q-sign-time q-key-time q-header-list q-url-param-list q-signature x-cos-security-token ns
""".split()

DEFAULT_MIRROR = "https://index.docker.io"

GO_BLOB = re.compile(r"^.+/blobs/sha256.*$")
RUST_BLOB = re.compile(r"^.*://.*/v2/.*/blobs/[^:?]+:([^?]+)(?:\?.*)?$")


class NotFound(Exception):
    """The client has no registry for the request."""


def go(config, _release, method, target, headers):
    """Return the URL that the Go client fetches, and the task's id where it fetches it through Dragonfly.

    :param config: its configuration
    :param method: of the request
    :param target: path and query of the request
    :param headers: of the request
    """
    mirror = get(config, "proxy.registryMirror", {})
    base = mirror.get("url", "")
    if mirror.get("dynamic") and headers.get("X-Dragonfly-Registry"):
        base = headers["X-Dragonfly-Registry"]
    if not base:
        raise NotFound("proxy.registryMirror.url is not set")
    url = base.rstrip("/") + target
    if mirror.get("direct"):
        return url, None
    if not _goes_through_dragonfly(config, method, url):
        return url, None
    names = headers.get("X-Dragonfly-Filter") or get(config, "proxy.defaultFilter", "")
    tag = headers.get("X-Dragonfly-Tag") or get(config, "proxy.defaultTag", "")
    application = headers.get("X-Dragonfly-Application") or get(config, "proxy.defaultApplication", "")
    ranges = headers.get("Range", "").removeprefix("bytes=")
    return url, _digest(go_filtered(url, names), ranges, tag, application)


def go_filtered(url, names):
    if not names:
        return url
    parts = urllib.parse.urlsplit(url)
    pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
    kept = sorted((pair for pair in pairs if pair[0] not in names.split("&")), key=lambda pair: pair[0])
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(kept)))


def _namespace(target):
    """Return the base URL of the registry that the query names, empty without one."""
    namespace = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query).get("ns", [""])[0]
    return f"https://{namespace}" if namespace and "://" not in namespace else namespace


def _goes_through_dragonfly(config, method, url):
    if get(config, "proxy.registryMirror", {}).get("useProxies"):
        rules = [rule for rule in get(config, "proxy.proxies", []) if re.search(rule["regx"], url)]
        return bool(rules) and not rules[0].get("direct")
    return method == "GET" and GO_BLOB.match(urllib.parse.urlsplit(url).path) is not None


def rust(config, release, method, target, headers):
    """Return the URL that the Rust client fetches, and the task's id where it fetches it through Dragonfly."""
    mirror = get(config, "proxy.registryMirror", {})
    base = headers.get("X-Dragonfly-Registry") or (_namespace(target) if release >= (1, 3, 5) else "")
    # A slash at its end stays where it is.
    url = (base or mirror.get("addr", DEFAULT_MIRROR)) + target
    if release < (1, 1, 1):
        url = url.partition("?")[0]
    matched = url.partition("?")[0] if release >= (1, 2, 1) else url
    rules = [rule for rule in get(config, "proxy.rules", []) if re.search(rule.get("regex", ".*"), matched)]
    if not rules or (method != "GET" and release >= (1, 3, 4)):
        return url, None
    blob = RUST_BLOB.match(url)
    if mirror.get("enableTaskIDBasedBlobDigest") and blob:
        return url, blob[1]
    names = headers.get("X-Dragonfly-Filtered-Query-Params", "").split(",")
    if names == [""]:
        names = rules[0].get("filteredQueryParams", RUST_FILTER)
    tag, application = headers.get("X-Dragonfly-Tag", ""), headers.get("X-Dragonfly-Application", "")
    return url, _digest(rust_filtered(url, names), tag, application, "STANDARD")


def rust_filtered(url, names):
    parts = urllib.parse.urlsplit(url)
    kept = [pair for pair in urllib.parse.parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in names]
    query = urllib.parse.urlencode(kept, safe="*").replace("~", "%7E")
    host = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, " "))
    return urllib.parse.urlunsplit(parts._replace(netloc=host, query=query))


def _digest(*parts):
    return hashlib.sha256("".join(parts).encode()).hexdigest()
