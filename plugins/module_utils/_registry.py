# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read manifests from a registry, with token authentication. Does not depend on Ansible.

Protocol: the OCI distribution specification, and distribution.github.io/distribution/spec/auth/token.
"""

from __future__ import annotations

import re
import typing as t

from ._errors import DragonflyError, GarbledError, TransportError
from ._http import ANSWER_LIMIT, Http, Response, verification
from ._image import Image
from ._json import decode_strict
from ._manifest import (
    DIGEST_ALGORITHMS,
    INDEX_TYPES,
    KNOWN_TYPES,
    MANIFEST_TYPES,
    SCHEMA1_TYPES,
    Child,
    Manifest,
    compute_digest,
    config_platform,
    is_digest,
    parse_manifest,
    signed_content,
)
from ._platforms import runs_on
from ._polling import Clock
from ._registry_auth import basic_auth, bearer_auth, origin, parse_challenges, realm_problem, token_url
from ._registry_config import credentials_for
from ._registry_errors import (
    RegistryRefused,
    RegistryUnreachable,
    bad_manifest,
    check_status,
    digest_mismatch,
    no_platform,
    other_platform,
    unreachable,
)
from ._registry_requests import RegistryRequests, resolve_host

#: Limit in bytes of a manifest, as in distribution (registry/handlers/manifests.go, 2.8.3).
MANIFEST_LIMIT = ANSWER_LIMIT
#: Limit in bytes of the response of a token service.
TOKEN_LIMIT = 1024 * 1024

_ACCEPT = ", ".join(INDEX_TYPES + MANIFEST_TYPES + SCHEMA1_TYPES)
# Headers that belong to the manager's request, or would change the registry's response.
_HEADERS_KEPT_BACK = re.compile(r"(?:authorization|host|accept.*|content-.*|x-dragonfly-.*)\Z", re.IGNORECASE)
# If a host drops connections, each attempt waits for the whole time.
_CONNECT_TIMEOUT = 10
_DEPTH = 4
#: Maximum number of manifests that are read of an image.
_MOST_MANIFESTS = 200


def registry_finder(
    params: dict[str, t.Any], details: dict[str, dict[str, str]], clock: Clock | None = None
) -> t.Callable[[str], Registry]:
    """Return a function that returns the registry of a name, with its own or the common credentials.

    :param params: options of a module: the group REGISTRY, ``timeout``, ``validate_certs`` and ``ca_path``.
    :param details: settings of each registry in ``registries``.
    :param clock: requests end no later than its ``end``.
    """
    headers = {name: str(value) for name, value in (params.get("headers") or {}).items()}
    authorization = next((value for name, value in headers.items() if name.lower() == "authorization"), None)
    headers = {name: value for name, value in headers.items() if not _HEADERS_KEPT_BACK.match(name)}
    verify_all = verification(params)
    registries: dict[str, Registry] = {}

    def find_registry(name: str) -> Registry:
        if name not in registries:
            detail = details.get(name, {})
            username, password = credentials_for(detail, params)
            verify = detail.get("ca_path") or verify_all
            http = Http(timeout=params["timeout"], verify=verify, connect_timeout=_CONNECT_TIMEOUT, clock=clock)
            basic = basic_auth(username, password) if username else None
            registries[name] = Registry(http, basic, None if basic else authorization, headers)
        return registries[name]

    return find_registry


class Registry:
    """A registry, or several that share credentials.

    Threads may share an instance, and what it has learned about the registry.

    :param http: ``Http`` without credentials.
    :param basic: result of ``basic_auth``, or None. It is sent only after a challenge, because some registries that
        require a token reject it. It is also sent to the token service that the registry names, as docker and
        containerd do.
    :param authorization: value of a header Authorization that is sent without a challenge and only to the registry, or
        None.
    :param headers: additional headers for the registry, or None.
    :ivar sizes: sizes in bytes of the blobs in the manifests read so far by digest, if known.
    """

    def __init__(
        self,
        http: Http,
        basic: str | None = None,
        authorization: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self._requests = RegistryRequests(http)
        self._basic = basic
        self._authorization = authorization
        self._headers = headers or {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._bases_with_basic: set[str] = set()
        self.sizes: dict[str, int] = {}

    def manifest(self, image: Image, reference: str | None = None) -> Manifest:
        """Return the manifest of an image, with its digest verified.

        :param reference: another tag or digest of the same repository.
        :raises RegistryUnreachable: if there is no usable response.
        :raises RegistryRefused: if the registry refuses the request, or sends something else.
        """
        return self._read_manifest(image, reference or image.reference)

    def authorization(self, image: Image) -> str | None:
        """Return the header Authorization for requests about an image, None if the registry requires none."""
        token = self._tokens.get((image.base, image.name))
        return token or (self._basic if image.base in self._bases_with_basic else self._authorization)

    def blobs(self, image: Image, manifest: Manifest, platform: str | None) -> list[tuple[str, list[str]]]:
        """Return the blobs of an image, for each manifest that a platform can refer to.

        :returns: nonempty list of the digest of a manifest and the digests of its blobs.
        :raises RegistryRefused: if the image does not support the platform.
        """
        if manifest.children is not None:
            contents = _IndexReader(self, image, platform).read(manifest)
            if not contents:
                raise no_platform(image, manifest, platform)
            return contents
        if platform and manifest.config:
            self._check_platform(image, manifest.config, platform)
        return [(manifest.digest, manifest.blobs or [])]

    def _check_platform(self, image: Image, config: str, platform: str) -> None:
        """Refuse an image without an index that is for another platform, if its config names one.

        :param config: digest of its config.
        """
        own = self._config_platform(image, config)
        if own and not runs_on(own, platform):
            raise other_platform(image, platform, own)

    def child(self, image: Image, child: Child) -> Manifest:
        """Return the manifest of an entry of an index, which must match the entry.

        :raises DragonflyError: as ``manifest``.
        """
        return self._read_manifest(image, child.digest, child)

    def _read_manifest(self, image: Image, reference: str, child: Child | None = None) -> Manifest:
        url = image.manifest_url(reference)
        request = f"GET {url}"
        answer = self._get_authorized(image, url)
        try:
            document = decode_strict(answer.body, request)
            content = signed_content(answer.body, document)
            digest = _verify_digest(content, reference, answer, request)
            if child and child.size is not None and child.size != len(answer.body):
                raise ValueError(f"it has {len(answer.body)} bytes, but the index says {child.size}")
            if content is not answer.body:
                document = decode_strict(content, request)
            manifest = parse_manifest(document, _media_type(answer, child), digest)
        except ValueError as exc:
            raise bad_manifest(exc, request) from None
        except GarbledError as exc:
            raise RegistryRefused(exc.message, exc.reason, request) from None
        self.sizes.update(manifest.sizes)
        return manifest

    def _get_authorized(self, image: Image, url: str) -> Response:
        """Return the response to a GET of a manifest, repeated with credentials if the registry requires them."""
        request = f"GET {url}"
        try:
            sent = self.authorization(image)
            answer, place = self._requests.get(url, _ACCEPT, sent, self._headers, MANIFEST_LIMIT)
            # Do not send the registry's credentials if the challenge is from another host, after a redirect.
            if answer.status == 401 and origin(place) == origin(url):
                self._log_in(answer, image, url)
                if self.authorization(image) != sent:
                    sent = self.authorization(image)
                    answer, place = self._requests.get(url, _ACCEPT, sent, self._headers, MANIFEST_LIMIT)
        except TransportError as exc:
            raise unreachable(exc, image, request) from None
        except GarbledError as exc:
            raise RegistryRefused(exc.message, exc.reason, request) from None
        check_status(answer, request, self._denial(sent))
        return answer

    def _config_platform(self, image: Image, digest: str) -> str | None:
        """Return the platform in the config of an image, None if it cannot be read.

        :raises RegistryRefused: if the config has another digest.
        """
        url = image.blob_url(digest)
        try:
            answer, _place = self._requests.get(url, "*/*", self.authorization(image), self._headers, MANIFEST_LIMIT)
        except DragonflyError:
            # The manager does not read it either.
            return None
        if answer.status != 200:
            return None
        computed = compute_digest(answer.body, digest.partition(":")[0])
        if computed != digest:
            raise digest_mismatch(f"GET {url}", computed, "its manifest", digest)
        try:
            return config_platform(decode_strict(answer.body, f"GET {url}"))
        except (ValueError, GarbledError):
            return None

    def _log_in(self, answer: Response, image: Image, url: str) -> None:
        """Determine from a 401 of the registry which credentials it requires."""
        challenges = parse_challenges(answer.headers.get("WWW-Authenticate", ""))
        bearer = next((challenge for challenge in challenges if challenge.scheme == "bearer"), None)
        if bearer is not None:
            self._tokens[(image.base, image.name)] = self._token(bearer.parameters, image, url)
        elif self._basic and any(challenge.scheme == "basic" for challenge in challenges):
            self._bases_with_basic.add(image.base)

    def _token(self, parameters: dict[str, str], image: Image, url: str) -> str:
        realm = parameters.get("realm", "")
        problem = realm_problem(realm, url, resolve_host)
        if problem:
            raise RegistryRefused(f"GET {url}: the registry requires a token, but {problem}.", "registry_denied")
        request = f"GET {realm}"
        credentials = self._basic or (self._authorization if origin(realm) == origin(url) else None)
        token_request = token_url(parameters, image.name)
        answer, _place = self._requests.get(token_request, "application/json", credentials, {}, TOKEN_LIMIT)
        check_status(answer, request, self._denial(credentials))
        document = _token_document(answer, request)
        token = bearer_auth(document.get("token") or document.get("access_token"))
        if token is None:
            raise RegistryUnreachable(
                f"{request}: the token service sent no token. What to do: check the registry.",
                "registry_unreachable",
                request,
            )
        return token

    def _denial(self, sent: str | None) -> str:
        """Return the meaning of a 401 or 403.

        :param sent: the credentials that were sent, or None.
        """
        if not (self._basic or self._authorization):
            return "it requires credentials. What to do: set registry_username and registry_password"
        if sent:
            return "it rejects these credentials. What to do: check registry_username and registry_password"
        return (
            "it requests neither a token nor a password, so registry_username was not sent. "
            "What to do: check the name of the image"
        )


class _IndexReader:
    """Reads the blobs of an index for a platform, including those of nested indexes."""

    def __init__(self, registry: Registry, image: Image, platform: str | None) -> None:
        self._registry = registry
        self._image = image
        self._platform = platform
        self._number = 0

    def read(self, manifest: Manifest, depth: int = _DEPTH) -> list[tuple[str, list[str]]]:
        """Return the digests of the manifests, each with the digests of its blobs."""
        if manifest.children is None:
            return [(manifest.digest, manifest.blobs or [])]
        if depth == 0:
            raise self._refuse(f"indexes more than {_DEPTH} deep")
        contents: list[tuple[str, list[str]]] = []
        for child in {child.digest: child for child in manifest.children_for(self._platform)}.values():
            self._number += 1
            if self._number > _MOST_MANIFESTS:
                raise self._refuse(f"more than {_MOST_MANIFESTS} manifests to read")
            contents += self.read(self._registry.child(self._image, child), depth - 1)
        return contents

    def _refuse(self, message: str) -> RegistryRefused:
        url = self._image.manifest_url()
        return RegistryRefused(f"The index of {url} holds {message}.", "bad_manifest", f"GET {url}")


def _verify_digest(content: bytes, reference: str, answer: Response, request: str) -> str:
    """Return the digest of a manifest after comparing it with the reference and the header.

    Digests of unknown algorithms in the header are ignored, because the content is hashed anyway.
    """
    claims = {"its reference": reference if ":" in reference else ""}
    claims["its header Docker-Content-Digest"] = answer.headers.get("Docker-Content-Digest", "").strip()
    digest = ""
    for source, claim in claims.items():
        algorithm = claim.partition(":")[0]
        if algorithm not in DIGEST_ALGORITHMS:
            continue
        computed = compute_digest(content, algorithm)
        if computed != claim:
            raise digest_mismatch(request, computed, source, claim[:150])
        digest = digest or claim
    return digest if is_digest(digest) else compute_digest(content)


def _media_type(answer: Response, child: Child | None) -> str:
    """Return the media type of a manifest.

    :raises ValueError: if it differs from the media type in the index.
    """
    own, said = answer.media_type, child.media_type if child else None
    if said is None or said not in KNOWN_TYPES:
        return own
    if own in KNOWN_TYPES and own != said:
        raise ValueError(f"its media type is {own}, but the index says {said}")
    return said


def _token_document(answer: Response, request: str) -> dict[str, t.Any]:
    try:
        document = answer.json()
    except GarbledError:
        raise RegistryUnreachable(
            f"{request}: the response of the token service is not JSON. What to do: check the registry.",
            "registry_unreachable",
            request,
        ) from None
    return document if isinstance(document, dict) else {}
