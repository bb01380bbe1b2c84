# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests from a registry with all valid kinds of responses."""

from __future__ import annotations

import base64
import json
import socket
import time

import pytest
import requests
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _registry
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http, Response
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._manifest import (
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    compute_digest,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import (
    MANIFEST_LIMIT,
    TOKEN_LIMIT,
    Registry,
    registry_finder,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_auth import basic_auth
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_errors import (
    RegistryRefused,
    RegistryUnreachable,
)

D1, D2, D3 = (f"sha256:{letter * 64}" for letter in "abc")
MANIFEST = {
    "mediaType": MANIFEST_TYPES[0],
    "config": {"digest": D1, "size": 1},
    "layers": [{"digest": D2, "size": 1}],
}
DIGEST = compute_digest(json.dumps(MANIFEST).encode())
BASIC = basic_auth("user", "s3cr3t")
PATH = "/v2/team/app/manifests/1"


@pytest.fixture
def image(loopback):
    return parse_image(loopback.url + "/team/app:1")


@pytest.fixture
def registry():
    return Registry(Http(timeout=5), BASIC)


def failure(function, *arguments):
    with pytest.raises(DragonflyError) as caught:
        function(*arguments)
    assert "s3cr3t" not in caught.value.message
    return caught.value


def sent(loopback):
    """Return the requests: path without query, Authorization."""
    return [(get.path.partition("?")[0], get.headers["Authorization"]) for get in loopback.requests]


def asking_for_basic(answer):
    """Return a registry that requires a user name and password, and then responds like the function."""

    def ask(get):
        if get.headers["Authorization"] == BASIC:
            return answer(get)
        return 401, {"errors": []}, {"WWW-Authenticate": 'Basic realm="x"'}

    return ask


def test_manifest(loopback, image, registry):
    loopback.answers = [(200, MANIFEST, {"Docker-Content-Digest": DIGEST})]
    manifest = registry.manifest(image)
    assert (manifest.digest, manifest.blobs) == (DIGEST, [D1, D2])
    # User name and password are sent only on request.
    assert sent(loopback) == [(PATH, None)]
    assert registry.authorization(image) is None
    for kind in INDEX_TYPES + MANIFEST_TYPES:
        assert kind in loopback.requests[0].headers["Accept"]


# Digests

SHA512 = compute_digest(json.dumps(MANIFEST).encode(), "sha512")


@pytest.mark.parametrize("said", ["", "nonsense", "md5:x", "sha384:" + "a" * 96])
def test_the_digest_is_computed_where_none_is_said(loopback, image, registry, said):
    loopback.answers = [(200, MANIFEST, {"Docker-Content-Digest": said} if said else {})]
    assert registry.manifest(image).digest == DIGEST


def test_a_digest_of_sha512(loopback, image, registry):
    loopback.answers = [(200, MANIFEST, {"Docker-Content-Digest": SHA512})]
    assert registry.manifest(image).digest == SHA512
    loopback.answers = [(200, MANIFEST, {"Docker-Content-Digest": DIGEST})]
    assert registry.manifest(image, SHA512).digest == SHA512


def test_a_digest_that_was_requested_is_the_digest(loopback, image, registry):
    loopback.answers = [(200, MANIFEST)]
    assert registry.manifest(image, DIGEST).digest == DIGEST
    assert loopback.requests[0].path == "/v2/team/app/manifests/" + DIGEST


@pytest.mark.parametrize(
    "reference, said, source",
    [
        (D1, DIGEST, "its reference"),
        (D1, D1, "its reference"),
        (D1, None, "its reference"),
        ("sha512:" + "0" * 128, SHA512, "its reference"),
        (None, D1, "its header Docker-Content-Digest"),
        (DIGEST, D1, "its header Docker-Content-Digest"),
        (None, "sha512:" + "0" * 128, "its header Docker-Content-Digest"),
        (None, "sha256:../../x", "its header Docker-Content-Digest"),
        (None, DIGEST.upper().replace("SHA", "sha"), "its header Docker-Content-Digest"),
    ],
)
def test_content_that_is_not_what_it_claims_to_be(loopback, image, registry, reference, said, source):
    loopback.answers = [(200, MANIFEST, {"Docker-Content-Digest": said} if said else {})]
    exc = failure(registry.manifest, image, reference)
    claim = reference if source == "its reference" else said
    assert isinstance(exc, RegistryRefused)
    assert exc.reason == "digest_mismatch"
    assert f"{source} says {claim!r}" in exc.message
    assert (SHA512 if claim.startswith("sha512") else DIGEST) in exc.message
    assert exc.message.startswith(f"GET {image.manifest_url(reference)}: ")


def test_a_manifest_of_schema_1_is_hashed_without_its_signatures(loopback, image, registry):
    payload = b'{\n "schemaVersion": 1,\n "fsLayers": [{"blobSum": "%s"}]\n}' % D1.encode()
    protected = {"formatLength": len(payload) - 2, "formatTail": base64.urlsafe_b64encode(b"\n}").decode()}
    signature = {"protected": base64.urlsafe_b64encode(json.dumps(protected).encode()).decode()}
    # Content after the signed part is not read.
    body = payload[:-2] + b',\n "signatures": [%s]\n}' % json.dumps(signature).encode()
    loopback.answers = [(200, body, {"Docker-Content-Digest": compute_digest(payload)})]
    manifest = registry.manifest(image)
    assert (manifest.digest, manifest.blobs) == (compute_digest(payload), [D1])


@pytest.mark.parametrize(
    "body",
    [
        b'{"schemaVersion": 2, "layers": [], "layers": [{"digest": "%s"}]}' % D1.encode(),
        b'{"schemaVersion": 1, "fsLayers": [], "signatures": [{"protected": "x"}]}',
        json.dumps({"layers": [{"digest": D1 + "/../../x"}]}).encode(),
        json.dumps({"layers": [{"digest": D1, "size": -1}]}).encode(),
        json.dumps({"layers": [{"digest": D1}], "manifests": [{"digest": D1}]}).encode(),
        b"[" * 100000,
        json.dumps({"layers": [{"digest": D1}]}).encode() * 2,
        json.dumps({"layers": [{"digest": D1}]}).encode() + b"\n}",
    ],
)
def test_manifests_that_mean_two_things(loopback, image, registry, body):
    loopback.answers = [(200, body)]
    exc = failure(registry.manifest, image)
    assert isinstance(exc, RegistryRefused)
    assert exc.reason == "bad_manifest"


def test_the_type_of_the_answer_must_be_that_of_the_document(loopback, image, registry):
    loopback.answers = [(200, MANIFEST, {"Content-Type": INDEX_TYPES[0]})]
    exc = failure(registry.manifest, image)
    assert exc.reason == "bad_manifest"
    assert f"its mediaType is {MANIFEST_TYPES[0]}, but the header Content-Type says {INDEX_TYPES[0]}" in exc.message


def test_a_manifest_that_is_too_large(loopback, image, registry):
    loopback.answers = [(200, b" " * (MANIFEST_LIMIT + 1))]
    exc = failure(registry.manifest, image)
    assert isinstance(exc, RegistryRefused)
    assert exc.reason == "too_large"


# Credentials


def test_basic_is_sent_where_it_is_asked_for_and_then_unasked(loopback, image, registry):
    loopback.answers = asking_for_basic(lambda get: (200, MANIFEST))
    other = parse_image(loopback.url + "/other:1")
    registry.manifest(image)
    assert registry.authorization(image) == BASIC
    registry.manifest(image, DIGEST)
    registry.manifest(other)
    assert [authorization for _path, authorization in sent(loopback)] == [None, BASIC, BASIC, BASIC]


def test_credentials_that_are_not_asked_for_are_not_sent(loopback, image, registry):
    loopback.answers = [(401, {}, {"WWW-Authenticate": "Negotiate YIIB+/=="})]
    exc = failure(registry.manifest, image)
    assert sent(loopback) == [(PATH, None)]
    assert "registry_username was not sent" in exc.message


def test_a_header_of_the_user_is_sent_unasked(loopback, image):
    loopback.answers = [(200, MANIFEST)]
    registry = Registry(Http(timeout=5), authorization="Bearer s3cr3t")
    registry.manifest(image)
    assert sent(loopback) == [(PATH, "Bearer s3cr3t")]
    assert registry.authorization(image) == "Bearer s3cr3t"
    loopback.answers = [(401, {}, {"WWW-Authenticate": "Basic realm=x"})]
    assert "rejects these credentials" in failure(registry.manifest, image).message
    assert len(loopback.requests) == 2


def token_server(loopback, token_answer=(200, {"token": "t0k3n"}), challenge=None):
    """Return a registry that requires a token from its own token service."""
    challenge = challenge or f'Bearer realm="{loopback.url}/token",service="registry",scope="repository:team/app:pull"'

    def answer(get):
        if get.path.startswith("/token"):
            return token_answer
        if get.headers["Authorization"] == "Bearer t0k3n":
            return 200, MANIFEST
        return 401, {"errors": []}, {"WWW-Authenticate": challenge}

    return answer


@pytest.mark.parametrize(
    "answer", [{"token": "t0k3n"}, {"access_token": "t0k3n"}, {"token": "", "access_token": "t0k3n"}]
)
def test_token(loopback, image, registry, answer):
    loopback.answers = token_server(loopback, (200, answer))
    assert registry.manifest(image).blobs == [D1, D2]
    assert sent(loopback) == [(PATH, None), ("/token", BASIC), (PATH, "Bearer t0k3n")]
    assert loopback.requests[1].path == "/token?service=registry&scope=repository%3Ateam%2Fapp%3Apull"
    assert registry.authorization(image) == "Bearer t0k3n"


def test_a_token_is_for_one_repository(loopback, image, registry):
    loopback.answers = token_server(loopback)
    other = parse_image(loopback.url + "/other:1")
    for one_image in (image, image, other):
        registry.manifest(one_image)
    assert [authorization for _path, authorization in sent(loopback)] == (
        [None, BASIC, "Bearer t0k3n"] + ["Bearer t0k3n"] + [None, BASIC, "Bearer t0k3n"]
    )


def test_a_token_that_is_too_old(loopback, image, registry):
    tokens = ["old", "t0k3n"]
    answer = token_server(loopback)
    loopback.answers = lambda get: (200, {"token": tokens.pop(0)}) if get.path.startswith("/token") else answer(get)
    failure(registry.manifest, image)
    assert registry.manifest(image).blobs == [D1, D2]


BEARER = 'Bearer realm="URL/token",service="a, b=\\"c",scope="repository:team/app:pull,push"'


@pytest.mark.parametrize(
    "challenges",
    [
        [BEARER],
        [BEARER, 'Basic realm="x, y=z"'],
        ['Basic realm="x, y=z"', BEARER],
        ['Basic realm="x, y=z", ' + BEARER],
        [BEARER + ', basic realm="x"'],
        ["Negotiate, " + BEARER],
        ['Basic realm="a \\" Bearer realm=b"', BEARER.replace('",', '" , ').replace("=", " = ", 1)],
    ],
)
def test_a_token_is_preferred(loopback, image, registry, challenges):
    headers = "".join(f"WWW-Authenticate: {one_image.replace('URL', loopback.url)}\r\n" for one_image in challenges)
    refusal = (f"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n{headers}Content-Length: 0\r\n\r\n").encode()
    answer = token_server(loopback)

    def ask(get):
        response = answer(get)
        return refusal if response[0] == 401 else response

    loopback.answers = ask
    assert registry.manifest(image).blobs == [D1, D2]
    assert [authorization for _path, authorization in sent(loopback)] == [None, BASIC, "Bearer t0k3n"]
    assert loopback.requests[1].path == "/token?service=a%2C+b%3D%22c&scope=repository%3Ateam%2Fapp%3Apull%2Cpush"


def test_parameters_without_quotes(loopback, image, registry):
    loopback.answers = token_server(loopback, challenge=f"Bearer service=r, scope=s ,realm={loopback.url}/token?a=b")
    registry.manifest(image)
    assert loopback.requests[1].path == "/token?a=b&service=r&scope=s"


def test_token_for_anybody(loopback, image):
    loopback.answers = token_server(loopback)
    Registry(Http(timeout=5)).manifest(image)
    assert [authorization for _path, authorization in sent(loopback)] == [None, None, "Bearer t0k3n"]


def test_a_realm_with_a_query(loopback, image, registry):
    loopback.answers = token_server(loopback, challenge=f'bearer realm="{loopback.url}/token?a=b",service="r",x="y"')
    registry.manifest(image)
    assert loopback.requests[1].path == "/token?a=b&service=r&scope=repository%3Ateam%2Fapp%3Apull"


@pytest.mark.parametrize("realm", ["", "ftp://h/token", "file:///etc/passwd", "nonsense", "http://[::1/token"])
def test_realms_that_are_refused(loopback, image, registry, realm):
    loopback.answers = token_server(loopback, challenge=f'Bearer realm="{realm}"')
    exc = failure(registry.manifest, image)
    assert isinstance(exc, RegistryRefused)
    assert exc.reason == "registry_denied"
    assert "token service" in exc.message
    assert len(loopback.requests) == 1


@pytest.mark.parametrize(
    "answer, kind, reason",
    [
        ((200, {}), RegistryUnreachable, "registry_unreachable"),
        ((200, []), RegistryUnreachable, "registry_unreachable"),
        ((200, {"token": 5}), RegistryUnreachable, "registry_unreachable"),
        ((200, b"<html>"), RegistryUnreachable, "registry_unreachable"),
        ((500, b""), RegistryUnreachable, "registry_unreachable"),
        ((401, {}), RegistryRefused, "registry_denied"),
        ((403, {}), RegistryRefused, "registry_denied"),
    ],
)
def test_token_services_that_give_none(loopback, image, registry, answer, kind, reason):
    loopback.answers = token_server(loopback, answer)
    exc = failure(registry.manifest, image)
    assert isinstance(exc, kind)
    assert exc.reason == reason
    assert loopback.url + "/token" in exc.message


# Invalid responses


@pytest.mark.parametrize(
    "status, kind, reason, expected_text",
    [
        (401, RegistryRefused, "registry_denied", "rejects these credentials"),
        (403, RegistryRefused, "registry_denied", "registry_username was not sent"),
        (404, RegistryRefused, "manifest_unknown", "does not have this image, tag or digest"),
        (429, RegistryUnreachable, "registry_unreachable", "responded with 429. What to do: try again later"),
        (500, RegistryUnreachable, "registry_unreachable", "500. What to do: see the log of the registry"),
        (418, RegistryUnreachable, "registry_unreachable", "responded with 418"),
    ],
)
def test_statuses(loopback, image, registry, status, kind, reason, expected_text):
    loopback.answers = [(status, {"errors": []}, {"WWW-Authenticate": "Basic realm=x"} if status == 401 else {})]
    exc = failure(registry.manifest, image)
    assert isinstance(exc, kind)
    assert (exc.reason, exc.status) == (reason, status)
    assert expected_text in exc.message
    assert exc.message.startswith(f"GET {loopback.url}{PATH}: ")


@pytest.mark.parametrize("tag", ["latest", "1"])
def test_a_missing_tag_latest_may_not_have_been_written(loopback, registry, tag):
    loopback.answers = [(404, {}, {})]
    exc = failure(registry.manifest, parse_image(f"{loopback.url}/team/app:{tag}"))
    assert ("without a tag means the tag latest" in exc.message) == (tag == "latest")


def test_credentials_that_are_refused(loopback, image, registry):
    loopback.answers = asking_for_basic(lambda get: (403, {}))
    assert "rejects these credentials" in failure(registry.manifest, image).message


def test_credentials_that_were_not_given(loopback, image):
    loopback.answers = [(401, {}, {"WWW-Authenticate": "Basic realm=x"})]
    assert "it requires credentials" in failure(Registry(Http(timeout=5)).manifest, image).message


@pytest.mark.parametrize(
    "body, kind, reason",
    [
        (b"<html>", RegistryUnreachable, "registry_unreachable"),
        ({}, RegistryRefused, "bad_manifest"),
        ([], RegistryRefused, "bad_manifest"),
        ({"layers": [{"digest": "md5:x"}]}, RegistryRefused, "bad_manifest"),
    ],
)
def test_manifests_that_are_none(loopback, image, registry, body, kind, reason):
    loopback.answers = [(200, body)]
    exc = failure(registry.manifest, image)
    assert isinstance(exc, kind)
    assert exc.reason == reason


def test_nobody_there(loopback, registry):
    exc = failure(registry.manifest, parse_image("http://127.0.0.1:1/app:1"))
    assert isinstance(exc, RegistryUnreachable)
    assert "refused the connection" in exc.message


class Counting(Http):
    """Records requested URLs."""

    def __init__(self, **options):
        super().__init__(**options)
        self.urls = []

    def send(self, method, url, headers=None, body=None, stream=False, limit=TOKEN_LIMIT):
        self.urls.append(url)
        return super().send(method, url, headers, body, stream, limit)


@pytest.mark.parametrize("silent", [False, True])
def test_who_gave_no_answer_is_not_asked_again(loopback, image, silent):
    http = Counting(timeout=0.3)
    registry = Registry(http)

    def answer_late(_get):
        time.sleep(1)
        return 200, MANIFEST

    loopback.answers = answer_late
    base = loopback.url if silent else "http://127.0.0.1:1"
    first, second = (failure(registry.manifest, parse_image(f"{base}/{name}:1")) for name in ("a", "b"))
    assert http.urls == [base + "/v2/a/manifests/1"]
    assert isinstance(second, RegistryUnreachable)
    assert second.reason == first.reason == "registry_unreachable"
    assert second.message == first.message.replace("/v2/a/", "/v2/b/")
    assert "/v2/a/" in first.message
    # Nor are others taken for it.
    failure(registry.manifest, parse_image("http://127.0.0.1:2/a:1"))
    assert len(http.urls) == 2


def test_who_breaks_off_is_asked_again(loopback, image, registry):
    loopback.answers = [b"", (200, MANIFEST)]
    failure(registry.manifest, image)
    assert registry.manifest(image).blobs == [D1, D2]


@pytest.mark.parametrize("timeout, given", [(120, (10, 120)), (5, (5, 5))])
def test_a_connection_is_not_waited_for_as_long_as_an_answer(monkeypatch, image, timeout, given):
    seen = []

    def request(_session, *_arguments, **options):
        seen.append(options["timeout"])
        raise requests.exceptions.ConnectTimeout

    monkeypatch.setattr(requests.Session, "request", request)
    params = {"ca_path": None, "validate_certs": True, "timeout": timeout}
    assert "in time" in failure(registry_finder(params, {})("x").manifest, image).message
    assert seen == [given]


def test_tls_that_is_none(loopback, registry):
    exc = failure(registry.manifest, parse_image(loopback.url.replace("http:", "https:") + "/app:1"))
    assert isinstance(exc, RegistryRefused)
    assert exc.reason == "registry_tls"
    assert exc.message.endswith(f"What to do: if the registry does not use TLS, write {loopback.url}/...")
    assert exc.message.count("What to do") == 1


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_within_the_registry(loopback, image, registry, status):
    loopback.answers = asking_for_basic(
        lambda get: (status, b"", {"Location": "/elsewhere/1"}) if get.path == PATH else (200, MANIFEST)
    )
    assert registry.manifest(image).blobs == [D1, D2]
    assert sent(loopback) == [(PATH, None), (PATH, BASIC), ("/elsewhere/1", BASIC)]


def test_redirects_to_elsewhere_lose_the_credentials(loopback, image):
    elsewhere = loopback.url.replace("127.0.0.1", "localhost")
    registry = Registry(Http(timeout=5), authorization=BASIC, headers={"X-Api": "s3cr3t"})
    loopback.answers = [
        (307, b"", {"Location": elsewhere + "/1"}),
        (307, b"", {"Location": loopback.url + "/2"}),
        (200, MANIFEST),
    ]
    registry.manifest(image)
    assert sent(loopback) == [(PATH, BASIC), ("/1", None), ("/2", None)]
    assert [get.headers["X-Api"] for get in loopback.requests] == ["s3cr3t", None, None]


@pytest.mark.parametrize("location", ["/again", "", "http://[::1/", "http://[1]/", "http://127.0.0.1:99999/"])
def test_redirects_that_are_not_followed(loopback, image, registry, location):
    loopback.answers = [(302, b"", {"Location": location} if location else {})]
    exc = failure(registry.manifest, image)
    assert isinstance(exc, RegistryUnreachable)
    assert len(loopback.requests) <= 3


# Indexes


class Documents:
    """Return the manifests of a registry, each at its digest."""

    def __init__(self, loopback):
        self.by_path = {}
        loopback.answers = self.answer

    def answer(self, get):
        content = self.by_path.get(get.path)
        return (404, {}) if content is None else (200, content)

    def add(self, document, path=None):
        """Return the digest of a document."""
        digest = compute_digest(json.dumps(document).encode())
        self.by_path[path or f"/v2/team/app/manifests/{digest}"] = document
        return digest

    def add_index(self, *children, path=None):
        """Return the digest of an index of children, each a digest and a platform."""
        sizes = {compute_digest(body): len(body) for body in (json.dumps(i).encode() for i in self.by_path.values())}
        return self.add(index(*((*child, sizes.get(child[0], 1)) for child in children)), path)


@pytest.fixture
def documents(loopback):
    return Documents(loopback)


def index(*children):
    return {
        "mediaType": INDEX_TYPES[0],
        "manifests": [
            {
                "digest": digest,
                "size": size,
                "platform": dict(zip(("os", "architecture", "variant"), platform.split("/"))),
            }
            for digest, platform, size in children
        ],
    }


def manifest_of(*numbers):
    """Return a manifest with a config and layers of these numbers."""
    config, *layers = ({"digest": digest_of(number), "size": 1} for number in numbers)
    return {"config": config, "layers": layers}


def digest_of(number):
    return f"sha256:{number:064x}"


def test_blobs_of_a_platform(loopback, documents, image, registry):
    amd64, arm64 = documents.add(manifest_of(1)), documents.add(manifest_of(2, 1))
    children = (amd64, "linux/amd64"), (arm64, "linux/arm64/v8"), (D3, "unknown/unknown"), (amd64, "linux/amd64")
    documents.add_index(*children, path=PATH)
    manifest = registry.manifest(image)
    assert registry.blobs(image, manifest, "linux/amd64") == [(amd64, [digest_of(1)])]
    assert registry.blobs(image, manifest, None) == [(amd64, [digest_of(1)]), (arm64, [digest_of(2), digest_of(1)])]
    exc = failure(registry.blobs, image, manifest, "windows/amd64")
    assert isinstance(exc, RegistryRefused)
    assert exc.reason == "no_platform"
    assert exc.message == (
        f"{loopback.url}{PATH} has no manifest for the platform windows/amd64. It has: linux/amd64, linux/arm64/v8. "
        "What to do: request a platform that it has."
    )


def test_an_index_that_holds_no_image(loopback, documents, image, registry):
    documents.add_index((D3, "unknown/unknown"), path=PATH)
    manifest = registry.manifest(image)
    for platform in (None, "linux/amd64"):
        exc = failure(registry.blobs, image, manifest, platform)
        assert exc.reason == "no_platform"
        assert (
            exc.message == f"{loopback.url}{PATH} is an image index without images. What to do: push the image again."
        )


@pytest.mark.parametrize("platform", [None, "linux/amd64"])
def test_an_index_without_platforms(documents, image, registry, platform):
    documents.add({"manifests": [{"digest": D1, "size": 1}, {"digest": D2, "size": 1, "platform": {}}]}, PATH)
    exc = failure(registry.blobs, image, registry.manifest(image), platform)
    assert exc.reason == "no_platform"
    assert "whose entries name no platform" in exc.message
    assert f"preheat the digest of a manifest in it, without platforms: @{D1}, @{D2}." in exc.message


def test_an_index_within_may_lack_the_platform(loopback, documents, image, registry):
    within, manifest_digest = documents.add_index((D3, "linux/arm64")), documents.add(manifest_of(2))
    documents.add_index((within, "linux/amd64"), (manifest_digest, "linux/amd64"), path=PATH)
    manifest = registry.manifest(image)
    assert registry.blobs(image, manifest, "linux/amd64") == [(manifest_digest, [digest_of(2)])]
    documents.add_index((within, "linux/amd64"), path=PATH)
    exc = failure(registry.blobs, image, registry.manifest(image), "linux/amd64")
    assert exc.message.startswith(loopback.url + PATH + " has no")


@pytest.mark.parametrize(
    "entry, reason, expected_text",
    [
        ({"size": 5}, "bad_manifest", "bytes, but the index says 5"),
        ({"mediaType": INDEX_TYPES[1]}, "bad_manifest", f"is {MANIFEST_TYPES[0]}, but the index says {INDEX_TYPES[1]}"),
        ({"digest": D1}, "digest_mismatch", f"and its reference says '{D1}'"),
    ],
)
def test_a_manifest_that_is_not_what_the_index_says(loopback, image, registry, entry, reason, expected_text):
    child = {"digest": DIGEST, "size": len(json.dumps(MANIFEST)), "platform": {"os": "linux", "architecture": "amd64"}}
    child.update(entry)
    typed = {"Content-Type": MANIFEST_TYPES[0]}
    loopback.answers = lambda get: (200, {"manifests": [child]}) if get.path == PATH else (200, MANIFEST, typed)
    exc = failure(registry.blobs, image, registry.manifest(image), "linux/amd64")
    assert exc.reason == reason
    assert expected_text in exc.message


def test_a_manifest_that_is_what_the_index_says(loopback, image, registry):
    child = {"digest": DIGEST, "mediaType": MANIFEST_TYPES[0], "size": len(json.dumps(MANIFEST))}
    child["platform"] = {"os": "linux", "architecture": "386"}
    loopback.answers = lambda get: (200, {"manifests": [child]} if get.path == PATH else MANIFEST)
    # Managers after 2.5.1, and hosts, use it for amd64 if there is nothing better.
    assert registry.blobs(image, registry.manifest(image), "linux/amd64") == [(DIGEST, [D1, D2])]


def test_an_index_of_very_many_manifests(loopback, documents, image, registry):
    children = [(documents.add(manifest_of(number)), "linux/amd64") for number in range(300)]
    documents.add_index(*children, path=PATH)
    exc = failure(registry.blobs, image, registry.manifest(image), None)
    assert exc.reason == "bad_manifest"
    assert "more than 200 manifests" in exc.message
    assert len(loopback.requests) == 201


# The platform of an image without an index


def image_with(loopback, config, answer=None, kind=CONFIG_TYPES[0]):
    """Add an image with this config to the registry, and return the digest of the config."""
    digest = compute_digest(json.dumps(config).encode())
    manifest = {
        "mediaType": MANIFEST_TYPES[0],
        "config": {"digest": digest, "size": 1, "mediaType": kind},
        "layers": [],
    }
    answer = answer or (200, config)
    loopback.answers = asking_for_basic(lambda get: (200, manifest) if get.path == PATH else answer)
    return digest


@pytest.mark.parametrize("kind", CONFIG_TYPES)
@pytest.mark.parametrize(
    "config, platform, fits",
    [
        ({"os": "linux", "architecture": "amd64"}, "linux/amd64", True),
        ({"os": "linux", "architecture": "amd64"}, "linux/arm64", False),
        ({"os": "windows", "architecture": "amd64"}, "linux/amd64", False),
        # A variant counts if both have one.
        ({"os": "linux", "architecture": "arm64", "variant": "v8"}, "linux/arm64", True),
        ({"os": "linux", "architecture": "arm64"}, "linux/arm64/v8", True),
        ({"os": "linux", "architecture": "arm", "variant": "v7"}, "linux/arm/v6", False),
        # Other platforms that hosts can run.
        ({"os": "linux", "architecture": "386"}, "linux/amd64", True),
        # A missing value matches.
        ({"os": "linux"}, "windows/amd64", True),
        ({"architecture": "arm", "variant": "v6"}, "linux/amd64", True),
        ([], "linux/amd64", True),
    ],
)
def test_the_platform_in_the_config(loopback, image, registry, kind, config, platform, fits):
    digest = image_with(loopback, config, kind=kind)
    manifest = registry.manifest(image)
    if fits:
        assert registry.blobs(image, manifest, platform) == [(manifest.digest, [digest])]
    else:
        exc = failure(registry.blobs, image, manifest, platform)
        assert isinstance(exc, RegistryRefused)
        assert exc.reason == "no_platform"
        has = "/".join(config[key] for key in ("os", "architecture", "variant") if key in config)
        said = "%s%s has no manifest for the platform %s. It has: %s. What to do: request a platform that it has."
        assert exc.message == said % (loopback.url, PATH, platform, has)
    assert sent(loopback)[2:] == [(f"/v2/team/app/blobs/{digest}", BASIC)]


@pytest.mark.parametrize("answer", [(404, {}), (401, {}), (500, b""), b""])
def test_a_config_that_cannot_be_read_passes(loopback, image, registry, answer):
    digest = image_with(loopback, {}, answer)
    manifest = registry.manifest(image)
    assert registry.blobs(image, manifest, "windows/amd64") == [(manifest.digest, [digest])]
    assert sent(loopback)[2][0].endswith(digest)


def test_a_config_that_is_another(loopback, image, registry):
    digest = image_with(loopback, {"os": "linux"}, (200, {"os": "linux", "architecture": "amd64"}))
    exc = failure(registry.blobs, image, registry.manifest(image), "linux/amd64")
    assert exc.reason == "digest_mismatch"
    assert f"its manifest says '{digest}'" in exc.message


def test_a_config_that_is_elsewhere(loopback, image, registry):
    elsewhere = loopback.url.replace("127.0.0.1", "localhost") + "/cdn"
    config = {"os": "linux", "architecture": "s390x"}
    digest = image_with(loopback, config, (307, b"", {"Location": elsewhere}))
    answers = loopback.answers
    loopback.answers = lambda get: (200, config) if get.path == "/cdn" else answers(get)
    manifest = registry.manifest(image)
    assert "It has: linux/s390x." in failure(registry.blobs, image, manifest, "linux/amd64").message
    assert sent(loopback)[2:] == [(f"/v2/team/app/blobs/{digest}", BASIC), ("/cdn", None)]


@pytest.mark.parametrize(
    "kind, platform", [("application/vnd.cncf.helm.config.v1+json", "linux/amd64"), (CONFIG_TYPES[0], None)]
)
def test_configs_that_are_not_read(loopback, image, registry, kind, platform):
    image_with(loopback, {"os": "windows", "architecture": "amd64"}, kind=kind)
    assert registry.blobs(image, registry.manifest(image), platform)
    assert len(loopback.requests) == 2


@pytest.mark.parametrize("depth, is_read", [(4, True), (5, False)])
def test_indexes_within_indexes(documents, image, registry, depth, is_read):
    bottom = digest = documents.add(manifest_of(1))
    for _level in range(depth - 1):
        digest = documents.add_index((digest, "linux/amd64"))
    documents.add_index((digest, "linux/amd64"), path=PATH)
    manifest = registry.manifest(image)
    if is_read:
        assert registry.blobs(image, manifest, "linux/amd64") == [(bottom, [digest_of(1)])]
    else:
        exc = failure(registry.blobs, image, manifest, "linux/amd64")
        assert exc.reason == "bad_manifest"
        assert "more than 4 deep" in exc.message


def test_an_index_that_contains_itself(loopback, image, registry):
    """A manifest cannot contain its own digest, so the check detects it before it reads it again."""
    document = index((D1, "linux/amd64", 1))
    loopback.answers = [(200, document)]
    exc = failure(registry.blobs, image, registry.manifest(image), "linux/amd64")
    assert exc.reason == "digest_mismatch"
    assert len(loopback.requests) == 2


# Destinations of credentials


def test_registry_finder(loopback):
    loopback.answers = lambda get: (
        (200, MANIFEST) if get.headers["Authorization"] else (401, {}, {"WWW-Authenticate": "Basic realm=x"})
    )
    params = {
        "ca_path": None,
        "validate_certs": True,
        "timeout": 5,
        "registry_username": "all",
        "registry_password": "x",
        "headers": {"AUTHORIZATION": "Bearer h"},
    }
    details = {"own": {"username": "me", "password": "p"}, "bare": {"url": "https://x"}}

    def authorization(name, **changed):
        image = parse_image(loopback.url + "/team/app:1")
        registry_finder(dict(params, **changed), details)(name).manifest(image)
        return loopback.requests[-1].headers["Authorization"]

    assert authorization("own") == basic_auth("me", "p")
    assert authorization("bare") == authorization("other") == basic_auth("all", "x")
    assert authorization("other", registry_username=None) == "Bearer h"
    loopback.answers = [(200, MANIFEST)]
    assert authorization("other", registry_username=None, headers=None) is None
    find = registry_finder(params, details)
    assert find("own") is find("own")
    assert find("own") is not find("bare")


def test_headers_for_the_registry(loopback, image):
    loopback.answers = token_server(loopback)
    kept_back = ("authorization", "HOST", "Accept", "Accept-Encoding", "Content-Type", "X-Dragonfly-Tag")
    headers = dict({name: "kept-back" for name in kept_back}, **{"X-JFrog-Art-Api": "key", "X-Number": 1})
    params = {"ca_path": None, "validate_certs": True, "timeout": 5, "headers": headers, "registry_username": "u"}
    registry_finder(params, {})("r").manifest(image)
    assert [get.path.partition("?")[0] for get in loopback.requests] == [PATH, "/token", PATH]
    for get, given in zip(loopback.requests, ("key", None, "key")):
        assert get.headers["X-JFrog-Art-Api"] == given
        assert get.headers["X-Number"] == ("1" if given else None)
        assert "kept-back" not in get.headers.values()


# Two servers; one must receive no credentials


@pytest.fixture
def other(other_loopback):
    return other_loopback


SECRETS = ("s3cr3t", BASIC.partition(" ")[2], "t0k3n", "h34d3r")


def credentials_seen(server):
    """Return the secrets in all requests to a server."""
    texts = [f"{get.path} {get.headers}" for get in server.requests]
    return [secret for text in texts for secret in SECRETS if secret in text]


def run_against(image, **credentials):
    registry = Registry(Http(timeout=5), headers={"X-Api": "h34d3r"}, **credentials)
    try:
        registry.manifest(image)
        return registry, None
    except DragonflyError as exc:
        assert not any(secret in exc.message for secret in SECRETS)
        return registry, exc


def challenge(realm):
    return 401, {"errors": []}, {"WWW-Authenticate": f'Bearer realm="{realm}",service="r"'}


def test_a_header_of_the_user_does_not_go_to_a_token_service_elsewhere(loopback, other, image):
    loopback.answers = [challenge(other.url + "/token")]
    other.answers = [(200, {"token": "anonymous"})]
    run_against(image, authorization="Bearer s3cr3t")
    assert len(other.requests) == 1
    assert credentials_seen(other) == []
    # The registry's own token service receives it.
    loopback.answers = token_server(loopback)
    run_against(image, authorization="Bearer s3cr3t")
    assert [authorization for _path, authorization in sent(loopback)][-2:] == ["Bearer s3cr3t", "Bearer t0k3n"]


def test_user_name_and_password_go_to_the_token_service_of_the_registry(loopback, other, image):
    """As with docker and containerd, the token service of docker.io is at auth.docker.io."""
    loopback.answers = token_server(loopback, challenge=f'Bearer realm="{other.url}/token"')
    other.answers = [(200, {"token": "t0k3n"})]
    registry, exc = run_against(image, basic=BASIC)
    assert exc is None
    assert [get.headers["Authorization"] for get in other.requests] == [BASIC]
    assert registry.authorization(image) == "Bearer t0k3n"


@pytest.mark.parametrize("credentials", [{"basic": BASIC}, {"authorization": BASIC}])
@pytest.mark.parametrize(
    "wanted",
    ["Basic realm=x", 'Bearer realm="OTHER/token"', 'Basic realm=x, Bearer realm="OTHER/token"', "Digest realm=x"],
)
def test_a_challenge_behind_a_redirect_is_none_of_the_registry(loopback, other, image, credentials, wanted):
    loopback.answers = [(307, b"", {"Location": other.url + "/elsewhere"})]
    other.answers = [(401, {}, {"WWW-Authenticate": wanted.replace("OTHER", other.url)})]
    _registry, exc = run_against(image, **credentials)
    assert exc.reason == "registry_denied"
    assert [get.path for get in other.requests] == ["/elsewhere"]
    assert credentials_seen(other) == []


@pytest.mark.parametrize("credentials", [{"basic": BASIC}, {"authorization": BASIC}])
def test_a_token_service_that_redirects(loopback, other, image, credentials):
    loopback.answers = lambda get: (
        (302, b"", {"Location": other.url + "/t"}) if "/token" in get.path else challenge(loopback.url + "/token")
    )
    other.answers = [(200, {"token": "t0k3n"})]
    run_against(image, **credentials)
    assert [get.path for get in other.requests] == ["/t"]
    assert credentials_seen(other) == []


def test_a_token_of_one_registry_does_not_go_to_another(loopback, other, image):
    loopback.answers = token_server(loopback)
    other.answers = [(200, MANIFEST)]
    registry, _exc = run_against(image, basic=BASIC)
    registry.manifest(parse_image(other.url + "/team/app:1"))
    assert [get.headers["Authorization"] for get in other.requests] == [None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_manifest_that_is_elsewhere(loopback, other, image, status):
    answer = asking_for_basic(lambda get: (status, b"", {"Location": other.url + "/m"}))
    loopback.answers = answer
    other.answers = [(200, MANIFEST)]
    _registry, exc = run_against(image, basic=BASIC)
    assert exc is None
    assert credentials_seen(other) == []


@pytest.mark.parametrize(
    "realm",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://2852039166/latest",
        "http://[::ffff:169.254.169.254]/",
        "http://metadata.google.internal/",
        "http://u:p@127.0.0.1:1/token",
        "http://127.0.0.1\\@169.254.169.254/",
    ],
)
def test_places_that_are_not_asked(loopback, image, realm):
    http = Counting(timeout=5)
    loopback.answers = [challenge(realm)]
    exc = failure(Registry(http, BASIC).manifest, image)
    assert exc.reason == "registry_denied"
    loopback.answers = [(307, b"", {"Location": realm})]
    exc = failure(Registry(http, BASIC).manifest, image)
    assert "the redirect of the registry was not followed" in exc.message
    assert [url for url in http.urls if not url.startswith(loopback.url + "/")] == []


def test_a_registry_outside_must_not_name_loopback(monkeypatch, loopback, image):
    """Treat the registry as one at another address. Its token service is on this host."""
    monkeypatch.setattr(_registry, "resolve_host", lambda host: ["203.0.113.5"] if host == "localhost.test" else [])
    monkeypatch.setattr(socket, "getaddrinfo", resolve_to_loopback(socket.getaddrinfo))
    base = loopback.url.replace("127.0.0.1", "localhost.test")
    loopback.answers = [challenge(loopback.url + "/token")]
    exc = failure(Registry(Http(timeout=5), BASIC).manifest, parse_image(base + "/team/app:1"))
    assert "is at a loopback address, but the registry is not" in exc.message
    assert [get.path for get in loopback.requests] == [PATH]


def resolve_to_loopback(resolve):
    """Return a getaddrinfo that resolves localhost.test to this machine."""

    def getaddrinfo(host, *arguments, **options):
        return resolve("127.0.0.1" if host == "localhost.test" else host, *arguments, **options)

    return getaddrinfo


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a b", "\u00e9", "", 5, None, {"a": 1}])
def test_tokens_that_cannot_be_sent(loopback, image, registry, token):
    loopback.answers = token_server(loopback, (200, {"token": token}))
    exc = failure(registry.manifest, image)
    assert "sent no token" in exc.message
    assert len(loopback.requests) == 2


def test_a_token_that_is_too_large(loopback, image, registry):
    loopback.answers = token_server(loopback, (200, {"token": "x" * (TOKEN_LIMIT + 1)}))
    assert failure(registry.manifest, image).reason == "too_large"


def test_a_challenge_without_a_scope(loopback, image, registry):
    """Artifactory and the registry of Google."""
    loopback.answers = token_server(loopback, challenge=f'Bearer realm="{loopback.url}/token",service="artifactory"')
    assert registry.manifest(image).blobs == [D1, D2]
    assert loopback.requests[1].path == "/token?service=artifactory&scope=repository%3Ateam%2Fapp%3Apull"


def test_a_realm_without_tls_behind_a_proxy_with_tls(loopback, image, registry):
    answer = Response("GET /", 401, {"WWW-Authenticate": f'Bearer realm="{loopback.url}/token"'})
    secure = parse_image("https://127.0.0.1/team/app:1")
    with pytest.raises(RegistryRefused, match="does not use TLS.*a proxy that ends TLS") as caught:
        registry._log_in(answer, secure, secure.manifest_url())
    assert f"'{loopback.url}/token'" in caught.value.message
    assert loopback.requests == []
