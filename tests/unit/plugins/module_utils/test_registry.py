# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests from a registry that answers as registries may."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    parse_image,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import (
    Registry,
    RegistryRefused,
    RegistryUnreachable,
    basic_auth,
    registry_finder,
)

D1, D2, D3 = ("sha256:" + one * 64 for one in "abc")
MANIFEST = {"mediaType": MANIFEST_TYPES[0], "config": {"digest": D1}, "layers": [{"digest": D2}]}
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
    """What was asked: path without query, Authorization."""
    return [(asked.path.partition("?")[0], asked.headers["Authorization"]) for asked in loopback.asked]


def test_basic_auth():
    assert base64.b64decode(basic_auth("é", "a:b").partition(" ")[2]).decode("utf-8") == "é:a:b"
    assert basic_auth("u", None) == basic_auth("u", "")


def test_manifest(loopback, image, registry):
    loopback.answers = [(200, MANIFEST, {"Docker-Content-Digest": D3})]
    manifest = registry.manifest(image)
    assert (manifest.digest, manifest.blobs) == (D3, [D1, D2])
    assert sent(loopback) == [(PATH, BASIC)]
    for kind in INDEX_TYPES + MANIFEST_TYPES:
        assert kind in loopback.asked[0].headers["Accept"]


@pytest.mark.parametrize("said", [{}, {"Docker-Content-Digest": "nonsense"}])
def test_the_digest_is_computed_where_none_is_said(loopback, image, registry, said):
    body = json.dumps(MANIFEST).encode("utf-8")
    loopback.answers = [(200, body, dict(said, **{"Content-Type": MANIFEST_TYPES[0]}))]
    assert registry.manifest(image).digest == "sha256:" + hashlib.sha256(body).hexdigest()


def test_a_digest_that_was_asked_for_is_the_digest(loopback, image, registry):
    loopback.answers = [(200, MANIFEST, {"Docker-Content-Digest": D3})]
    assert registry.manifest(image, D1).digest == D1
    assert loopback.asked[0].path == "/v2/team/app/manifests/" + D1


# Tokens


def token_server(loopback, token_answer=(200, {"token": "t0k3n"}), challenge=None):
    """A registry that wants a token of its own token service."""
    challenge = (
        challenge or 'Bearer realm="%s/token",service="registry",scope="repository:team/app:pull"' % loopback.url
    )

    def answer(asked):
        if asked.path.startswith("/token"):
            return token_answer
        if asked.headers["Authorization"] == "Bearer t0k3n":
            return 200, MANIFEST
        return 401, {"errors": []}, {"WWW-Authenticate": challenge}

    return answer


@pytest.mark.parametrize(
    "answer", [{"token": "t0k3n"}, {"access_token": "t0k3n"}, {"token": "", "access_token": "t0k3n"}]
)
def test_token(loopback, image, registry, answer):
    loopback.answers = token_server(loopback, (200, answer))
    assert registry.manifest(image).blobs == [D1, D2]
    assert sent(loopback) == [(PATH, BASIC), ("/token", BASIC), (PATH, "Bearer t0k3n")]
    assert loopback.asked[1].path == "/token?service=registry&scope=repository%3Ateam%2Fapp%3Apull"


def test_token_for_anybody(loopback, image):
    loopback.answers = token_server(loopback)
    Registry(Http(timeout=5)).manifest(image)
    assert [authorization for _path, authorization in sent(loopback)] == [None, None, "Bearer t0k3n"]


def test_a_realm_with_a_query(loopback, image, registry):
    loopback.answers = token_server(loopback, challenge='bearer realm="%s/token?a=b",service="r",x="y"' % loopback.url)
    registry.manifest(image)
    assert loopback.asked[1].path == "/token?a=b&service=r"


@pytest.mark.parametrize("realm", ["", "ftp://h/token", "file:///etc/passwd", "nonsense", "http://[::1/token"])
def test_realms_that_are_none(loopback, image, registry, realm):
    loopback.answers = token_server(loopback, challenge='Bearer realm="%s"' % realm)
    exc = failure(registry.manifest, image)
    assert isinstance(exc, RegistryRefused) and exc.reason == "registry_denied"
    assert "no usable token service" in exc.message and len(loopback.asked) == 1


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
    assert isinstance(exc, kind) and exc.reason == reason and loopback.url + "/token" in exc.message


# Answers that are none


@pytest.mark.parametrize(
    "status, kind, reason, words",
    [
        (401, RegistryRefused, "registry_denied", "refuses these credentials"),
        (403, RegistryRefused, "registry_denied", "refuses these credentials"),
        (404, RegistryRefused, "manifest_unknown", "no such image"),
        (429, RegistryUnreachable, "registry_unreachable", "answered 429"),
        (500, RegistryUnreachable, "registry_unreachable", "answered 500"),
        (418, RegistryUnreachable, "registry_unreachable", "answered 418"),
    ],
)
def test_statuses(loopback, image, registry, status, kind, reason, words):
    loopback.answers = [(status, {"errors": []}, {"WWW-Authenticate": "Basic realm=x"} if status == 401 else {})]
    exc = failure(registry.manifest, image)
    assert isinstance(exc, kind) and (exc.reason, exc.status) == (reason, status)
    assert words in exc.message and exc.message.startswith("GET %s%s: " % (loopback.url, PATH))


def test_credentials_that_were_not_given(loopback, image):
    loopback.answers = [(401, {}, {"WWW-Authenticate": "Basic realm=x"})]
    assert "it wants credentials" in failure(Registry(Http(timeout=5)).manifest, image).message


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
    assert isinstance(exc, kind) and exc.reason == reason


def test_nobody_there(loopback, registry):
    exc = failure(registry.manifest, parse_image("http://127.0.0.1:1/app:1"))
    assert isinstance(exc, RegistryUnreachable) and "refused the connection" in exc.message


def test_tls_that_is_none(loopback, registry):
    exc = failure(registry.manifest, parse_image(loopback.url.replace("http:", "https:") + "/app:1"))
    assert isinstance(exc, RegistryRefused) and exc.reason == "registry_tls" and "ca_path" in exc.message


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_within_the_registry(loopback, image, registry, status):
    loopback.answers = [(status, b"", {"Location": "/elsewhere/1"}), (200, MANIFEST)]
    assert registry.manifest(image).blobs == [D1, D2]
    assert sent(loopback) == [(PATH, BASIC), ("/elsewhere/1", BASIC)]


def test_redirects_to_elsewhere_lose_the_credentials(loopback, image, registry):
    elsewhere = loopback.url.replace("127.0.0.1", "localhost")
    loopback.answers = [
        (307, b"", {"Location": elsewhere + "/1"}),
        (307, b"", {"Location": loopback.url + "/2"}),
        (200, MANIFEST),
    ]
    registry.manifest(image)
    assert sent(loopback) == [(PATH, BASIC), ("/1", None), ("/2", None)]


@pytest.mark.parametrize("location", ["/again", "", "http://[::1/"])
def test_redirects_that_are_not_followed(loopback, image, registry, location):
    loopback.answers = [(302, b"", {"Location": location} if location else {})]
    exc = failure(registry.manifest, image)
    assert isinstance(exc, RegistryUnreachable)
    assert len(loopback.asked) <= 3


# Indexes


def index(*children):
    return {
        "mediaType": INDEX_TYPES[0],
        "manifests": [
            {"digest": digest, "platform": dict(zip(("os", "architecture", "variant"), platform.split("/")))}
            for digest, platform in children
        ],
    }


def digest_of(number):
    return "sha256:%064x" % number


def test_blobs_of_a_platform(loopback, image, registry):
    documents = {
        PATH: index((D1, "linux/amd64"), (D2, "linux/arm64/v8"), (D3, "unknown/unknown"), (D1, "linux/amd64")),
        "/v2/team/app/manifests/" + D1: {"layers": [{"digest": digest_of(1)}]},
        "/v2/team/app/manifests/" + D2: {"layers": [{"digest": digest_of(2)}, {"digest": digest_of(1)}]},
    }
    loopback.answers = lambda asked: (200, documents[asked.path])
    manifest = registry.manifest(image)
    assert registry.blobs(image, manifest, "linux/amd64") == [(D1, [digest_of(1)])]
    assert registry.blobs(image, manifest, None) == [(D1, [digest_of(1)]), (D2, [digest_of(2), digest_of(1)])]
    assert registry.blobs(image, manifest, "windows/amd64") == []


def test_indexes_within_indexes(loopback, image, registry):
    def answer(asked):
        number = int(asked.path.rpartition(":")[2], 16) if ":" in asked.path else 0
        if number == depth:
            return 200, {"layers": [{"digest": D1}]}
        return 200, index((digest_of(number + 1), "linux/amd64"))

    loopback.answers = answer
    depth = 4
    assert registry.blobs(image, registry.manifest(image), "linux/amd64") == [(digest_of(4), [D1])]
    depth = 5
    exc = failure(lambda: registry.blobs(image, registry.manifest(image), "linux/amd64"))
    assert exc.reason == "bad_manifest" and "more than 4 deep" in exc.message


# Which credentials go where


def test_registry_finder(loopback):
    loopback.answers = [(200, MANIFEST)]
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
        return loopback.asked[-1].headers["Authorization"]

    assert authorization("own") == basic_auth("me", "p")
    assert authorization("bare") == authorization("other") == basic_auth("all", "x")
    assert authorization("other", registry_username=None) == "Bearer h"
    assert authorization("other", registry_username=None, headers=None) is None
    find = registry_finder(params, details)
    assert find("own") is find("own") and find("own") is not find("bare")
