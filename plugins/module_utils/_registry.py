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
    config_platform,
    is_digest,
    parse_manifest,
    same_platform,
)

_ACCEPT = ", ".join(INDEX_TYPES + MANIFEST_TYPES + SCHEMA1_TYPES)
# A scheme or a parameter of a WWW-Authenticate, which can hold several challenges (RFC 9110, 11.6.1). It starts where a
# word starts, so that a long header takes no long time.
_CHALLENGE = re.compile(
    r"(?<![\w.~+-])(?P<name>[\w.~+-]+)"
    r'(?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]*))|(?=[\s,]|\Z))',
    re.ASCII,
)
# Those that are of the manager's request, or would change what the registry answers.
_HEADERS_KEPT_BACK = re.compile(r"(?:authorization|host|accept.*|content-.*|x-dragonfly-.*)\Z", re.IGNORECASE)
# Who drops connections lets each of them wait for the whole time.
_CONNECT_TIMEOUT = 10
_NO_ANSWER = ("connect_timeout", "read_timeout", "refused", "unreachable", "dns")
_REDIRECTS = 3
_DEPTH = 4


class RegistryUnreachable(DragonflyError):
    """The registry gave no usable answer: no connection, a time-out, an answer of its own trouble."""


class RegistryRefused(DragonflyError):
    """The registry answered no (401, 403, 404), has not what is asked for, or its certificate is not trusted."""


def basic_auth(username, password):
    """Value of a header Authorization."""
    text = f"{username or ''}:{password or ''}"
    return "Basic " + base64.b64encode(text.encode("utf-8")).decode("ascii")


def registry_finder(params, details):
    """A function that gives the L(Registry) of a name: with its own credentials, else those for all.

    :param params: options of a module: the group REGISTRY, ``timeout``, ``validate_certs`` and ``ca_path``.
    :param details: what ``registries`` says of each registry (dict of dict).
    """
    headers = {name: str(value) for name, value in (params.get("headers") or {}).items()}
    authorization = next((value for name, value in headers.items() if name.lower() == "authorization"), None)
    headers = {name: value for name, value in headers.items() if not _HEADERS_KEPT_BACK.match(name)}
    verify_all = (params["ca_path"] or True) if params["validate_certs"] else False
    made = {}

    def registry(name):
        if name not in made:
            detail = details.get(name, {})
            username, password = params.get("registry_username"), params.get("registry_password")
            if detail.get("username"):
                username, password = detail["username"], detail.get("password")
            verify = detail.get("ca_path") or verify_all
            http = Http(timeout=params["timeout"], verify=verify, connect_timeout=_CONNECT_TIMEOUT)
            basic = basic_auth(username, password) if username else None
            made[name] = Registry(http, basic, None if basic else authorization, headers)
        return made[name]

    return registry


class Registry:
    """One registry, or several that share credentials.

    Threads may share it: what one of them learns, the others need not ask for.

    :param http: L(Http) without credentials of its own.
    :param basic: what ``basic_auth`` gave (str), or None. It waits for a challenge, for some registries that want a
        token refuse it.
    :param authorization: value of a header Authorization that is sent unasked (str), or None.
    :param headers: more headers for the registry itself (dict of str), or None.
    """

    def __init__(self, http, basic=None, authorization=None, headers=None):
        self._http = http
        self._basic = basic
        self._authorization = authorization
        self._headers = headers or {}
        self._tokens = {}
        self._asked_for_basic = set()
        self._silent = {}
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
        asked = f"GET {url}"
        try:
            sent = self.authorization(image)
            answer = self._get(url, _ACCEPT, sent, self._headers)
            if answer.status == 401:
                self._log_in(answer, image, url)
                if self.authorization(image) != sent:
                    sent = self.authorization(image)
                    answer = self._get(url, _ACCEPT, sent, self._headers)
        except TransportError as exc:
            if exc.reason == "tls":
                raise RegistryRefused(
                    f"{exc.message.rstrip('.')}. The option registries takes a ca_path. A registry without "
                    f"TLS is written http://{image.registry}/...",
                    "registry_tls",
                    asked,
                ) from None
            raise RegistryUnreachable(
                f"The registry cannot be reached: {exc.message}", "registry_unreachable", asked
            ) from None
        self._check(answer, asked, sent)
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
                f"{asked}: the registry gave a manifest that cannot be preheated: {exc}.", "bad_manifest", asked
            ) from None

    def authorization(self, image):
        """Value of the header Authorization for what is of an image (str), None where the registry wanted none."""
        token = self._tokens.get((image.base, image.name))
        return token or (self._basic if image.base in self._asked_for_basic else self._authorization)

    def blobs(self, image, manifest, platform):
        """The blobs of an image, for each manifest that a platform can mean.

        :param manifest: L(Manifest), what ``manifest`` gave.
        :param platform: str, or None.
        :returns: list of (digest of the manifest, list of blob digests), not empty.
        :raises RegistryRefused: if the image has none for the platform.
        """
        if manifest.children is None:
            told = self._told_platform(image, manifest) if platform and manifest.config else None
            found = [] if told and not same_platform(told, platform) else [(manifest.digest, manifest.blobs)]
            has = told
        else:
            found = self._of_index(image, manifest, platform, _DEPTH)
            has = ", ".join(manifest.platforms)
        if found:
            return found
        url = image.manifest_url()
        message = f"{url} is an image index that holds no image."
        if platform:
            message = f"{url} has no manifest for the platform {platform}. It has: {has or 'none'}."
        raise RegistryRefused(message, "no_platform", f"GET {url}")

    def _of_index(self, image, manifest, platform, depth):
        if manifest.children is None:
            return [(manifest.digest, manifest.blobs)]
        if depth == 0:
            raise RegistryRefused(
                f"The index of {image.manifest_url()} holds indexes more than {int(_DEPTH)} deep.", "bad_manifest"
            )
        found = []
        for digest in dict.fromkeys(manifest.children_for(platform)):
            found += self._of_index(image, self.manifest(image, digest), platform, depth - 1)
        return found

    def _told_platform(self, image, manifest):
        try:
            answer = self._get(image.blob_url(manifest.config), "*/*", self.authorization(image), self._headers)
            return config_platform(answer.json()) if answer.status == 200 else None
        except DragonflyError:
            # The manager does not look at it either.
            return None

    def _get(self, url, accept, authorization, headers):
        for dummy in range(_REDIRECTS):
            sent = dict(headers, Accept=accept)
            if authorization:
                sent["Authorization"] = authorization
            answer = self._send(url, sent)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            try:
                target = urljoin(url, answer.headers.get("Location", ""))
            except ValueError:
                break
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                authorization, headers = None, {}
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                break
            url = target
        raise RegistryUnreachable(
            f"GET {urlsplit(url).path}: the registry redirects in a way that is not followed.", "registry_unreachable"
        )

    def _send(self, url, headers):
        """As L(Http), but who once gave no answer is not asked again: each time would take as long."""
        parts = urlsplit(url)
        place = parts[:2]
        if place in self._silent:
            said = self._silent[place]
            request = "GET %s" % (parts.path or "/")
            raise TransportError(request + said.message[len(said.request) :], said.reason, request, sent=False)
        try:
            return self._http.send("GET", url, headers=headers)
        except TransportError as exc:
            if exc.reason in _NO_ANSWER:
                self._silent[place] = exc
            raise

    def _log_in(self, answer, image, url):
        """Learns from a 401 what the registry wants to see."""
        challenges = _challenges(answer.headers.get("WWW-Authenticate", ""))
        bearer = next((parameters for scheme, parameters in challenges if scheme == "bearer"), None)
        if bearer is not None:
            self._tokens[(image.base, image.name)] = self._token(bearer, url)
        elif self._basic and any(scheme == "basic" for scheme, dummy in challenges):
            self._asked_for_basic.add(image.base)

    def _token(self, challenge, url):
        realm = challenge.get("realm", "")
        try:
            scheme = urlsplit(realm).scheme
        except ValueError:
            scheme = None
        if scheme not in ("http", "https") or (url.startswith("https:") and not realm.startswith("https:")):
            raise RegistryRefused(f"GET {url}: the registry names no usable token service.", "registry_denied")
        query = urlencode({key: value for key, value in challenge.items() if key in ("service", "scope")})
        token_url = f"{realm}{'&' if '?' in realm else '?'}{query}"
        answer = self._get(token_url, "application/json", self._basic or self._authorization, {})
        self._check(answer, f"GET {realm}", self._basic or self._authorization)
        document = _document(answer, f"GET {realm}")
        token = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
        if not isinstance(token, str):
            raise RegistryUnreachable(f"GET {realm}: the token service gave no token.", "registry_unreachable")
        return "Bearer " + token

    def _check(self, answer, asked, sent):
        status = answer.status
        if 200 <= status < 300:
            return
        said = f"{asked}: the registry answered {int(status)}"
        if status in (401, 403):
            if not (self._basic or self._authorization):
                cure = "it wants credentials, see registry_username and registry_password"
            elif sent:
                cure = "it refuses these credentials, see registry_username and registry_password"
            else:
                cure = (
                    "it asks neither for a token nor for a password, so registry_username was not sent. "
                    "What to do: check the name of the image"
                )
            raise RegistryRefused(f"{said}: {cure}.", "registry_denied", asked, status)
        if status == 404:
            raise RegistryRefused(f"{said}: it has no such image, tag or digest.", "manifest_unknown", asked, status)
        raise RegistryUnreachable(f"{said}.", "registry_unreachable", asked, status)


def _challenges(text):
    """The challenges of a WWW-Authenticate: list of (scheme in lower case, dict of its parameters)."""
    found = []
    for part in _CHALLENGE.finditer(text):
        name, quoted, plain = part.group("name").lower(), part.group("quoted"), part.group("plain")
        if quoted is None and plain is None:
            found.append((name, {}))
        elif found:
            found[-1][1].setdefault(name, plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
    return found


def _document(answer, asked):
    try:
        return answer.json()
    except GarbledError:
        raise RegistryUnreachable(
            f"{asked}: the registry's answer is no JSON.", "registry_unreachable", asked
        ) from None
