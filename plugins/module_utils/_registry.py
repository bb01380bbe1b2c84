# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads manifests from a registry, with the token authentication of registries. Knows nothing of Ansible.

Protocol: the OCI distribution specification, and distribution.github.io/distribution/spec/auth/token.

PRIVATE to the collection.
"""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import urlencode, urljoin, urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    DragonflyError,
    GarbledError,
    TransportError,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    SCHEMA1_TYPES,
    is_digest,
    parse_manifest,
)

_ACCEPT = ", ".join(INDEX_TYPES + MANIFEST_TYPES + SCHEMA1_TYPES)
_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')
_REDIRECTS = 3
_DEPTH = 4


class RegistryUnreachable(DragonflyError):
    """The registry gave no usable answer: no connection, a time-out, an answer of its own trouble."""


class RegistryRefused(DragonflyError):
    """The registry answered no (401, 403, 404), or its certificate is not trusted."""


def basic_auth(username, password):
    """Value of a header Authorization."""
    text = "%s:%s" % (username or "", password or "")
    return "Basic " + base64.b64encode(text.encode("utf-8")).decode("ascii")


def registry_finder(params, details):
    """A function that gives the L(Registry) of a name: with its own credentials, else those for all.

    :param params: options of a module: the group REGISTRY, ``timeout``, ``validate_certs`` and ``ca_path``.
    :param details: what ``registries`` says of each registry (dict of dict).
    """
    headers = {name.lower(): value for name, value in (params.get("headers") or {}).items()}
    verify_all = (params["ca_path"] or True) if params["validate_certs"] else False
    made = {}

    def registry(name):
        if name not in made:
            detail = details.get(name, {})
            username, password = params.get("registry_username"), params.get("registry_password")
            if detail.get("username"):
                username, password = detail["username"], detail.get("password")
            authorization = basic_auth(username, password) if username else headers.get("authorization")
            verify = detail.get("ca_path") or verify_all
            made[name] = Registry(Http(timeout=params["timeout"], verify=verify), authorization)
        return made[name]

    return registry


class Registry:
    """One registry, or several that share credentials.

    :param http: L(Http) without credentials of its own.
    :param authorization: value of a header Authorization for the registry or its token service (str), or None.
    """

    def __init__(self, http, authorization=None):
        self._http = http
        self._authorization = authorization
        self._granted = {}
        #: Bytes of the blobs of the manifests that were read, by digest, as far as they tell them (dict of str to int).
        self.sizes = {}

    def manifest(self, image, reference=None):
        """The manifest of an image.

        :param image: L(Image).
        :param reference: another tag or digest of the same repository.
        :returns: L(Manifest).
        :raises RegistryUnreachable: if there is no usable answer.
        :raises RegistryRefused: if the answer is no.
        """
        url = image.manifest_url(reference)
        asked = "GET %s" % url
        try:
            answer = self._get(url, {"Accept": _ACCEPT}, self.authorization(image))
            if answer.status == 401:
                self._granted[image.name] = self._log_in(answer, url)
                answer = self._get(url, {"Accept": _ACCEPT}, self.authorization(image))
        except TransportError as exc:
            if exc.reason == "tls":
                raise RegistryRefused(
                    "%s. The option registries takes a ca_path. A registry without TLS is written http://%s/..."
                    % (exc.message.rstrip("."), image.registry),
                    "registry_tls",
                    asked,
                ) from None
            raise RegistryUnreachable("The registry cannot be reached: %s" % exc.message, "registry_unreachable",
                                      asked) from None
        self._check(answer, asked)
        document = _document(answer, asked)
        digest = reference or image.reference
        if not is_digest(digest):
            digest = answer.headers.get("Docker-Content-Digest") or ""
        if not is_digest(digest):
            digest = "sha256:" + hashlib.sha256(answer.body).hexdigest()
        try:
            manifest = parse_manifest(document, answer.media_type, digest)
            self.sizes.update(manifest.sizes)
            return manifest
        except ValueError as exc:
            raise RegistryRefused(
                "%s: the registry gave a manifest that cannot be preheated: %s." % (asked, exc), "bad_manifest", asked
            ) from None

    def authorization(self, image):
        """Value of the header Authorization for what is of an image (str), None where the registry wanted none."""
        return self._granted.get(image.name, self._authorization)

    def blobs(self, image, manifest, platform, depth=_DEPTH):
        """The blobs of an image, for each manifest that a platform can mean.

        :param manifest: L(Manifest), what ``manifest`` gave.
        :param platform: str, or None.
        :returns: list of (digest of the manifest, list of blob digests); empty where an index lacks the platform.
        """
        if manifest.children is None:
            return [(manifest.digest, manifest.blobs)]
        if depth == 0:
            raise RegistryRefused("The index of %s holds indexes more than %d deep." % (image.manifest_url(), _DEPTH),
                                  "bad_manifest")
        found = []
        for digest in dict.fromkeys(manifest.children_for(platform)):
            found += self.blobs(image, self.manifest(image, digest), platform, depth - 1)
        return found

    def _get(self, url, headers, authorization):
        for dummy in range(_REDIRECTS):
            sent = dict(headers, Authorization=authorization) if authorization else headers
            answer = self._http.send("GET", url, headers=sent)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            target = urljoin(url, answer.headers.get("Location", ""))
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                authorization = None
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                break
            url = target
        raise RegistryUnreachable(
            "GET %s: the registry redirects in a way that is not "
            "followed." % urlsplit(url).path, "registry_unreachable")

    def _log_in(self, answer, url):
        challenge = answer.headers.get("WWW-Authenticate", "")
        kind, dummy, rest = challenge.partition(" ")
        if kind.lower() != "bearer":
            return self._authorization
        parameters = dict(_PARAMETER.findall(rest))
        realm = parameters.pop("realm", "")
        try:
            scheme = urlsplit(realm).scheme
        except ValueError:
            scheme = None
        if scheme not in ("http", "https") or (
            url.startswith("https:") and not realm.startswith("https:")
        ):
            raise RegistryRefused("GET %s: the registry names no usable token service." % url, "registry_denied")
        query = urlencode({key: value for key, value in parameters.items() if key in ("service", "scope")})
        token_url = "%s%s%s" % (realm, "&" if "?" in realm else "?", query)
        answer = self._get(token_url, {}, self._authorization)
        self._check(answer, "GET %s" % realm)
        document = _document(answer, "GET %s" % realm)
        token = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
        if not isinstance(token, str):
            raise RegistryUnreachable("GET %s: the token service gave no token." % realm, "registry_unreachable")
        return "Bearer " + token

    def _check(self, answer, asked):
        status = answer.status
        if 200 <= status < 300:
            return
        said = "%s: the registry answered %d" % (asked, status)
        if status in (401, 403):
            cure = ("it refuses these credentials, see registry_username and registry_password"
                    if self._authorization else "it wants credentials, see registry_username and registry_password")
            raise RegistryRefused("%s: %s." % (said, cure), "registry_denied", asked, status)
        if status == 404:
            raise RegistryRefused("%s: it has no such image, tag or digest." % said, "manifest_unknown", asked, status)
        raise RegistryUnreachable("%s." % said, "registry_unreachable", asked, status)


def _document(answer, asked):
    try:
        return answer.json()
    except GarbledError:
        raise RegistryUnreachable(
            "%s: the registry's answer is no JSON." % asked, "registry_unreachable", asked
        ) from None
