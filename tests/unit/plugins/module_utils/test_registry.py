# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests from a registry that answers as registries may."""

from __future__ import annotations

import base64
import hashlib
import json
import time

import pytest
import requests
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import (
    CONFIG_TYPES,
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


def asking_for_basic(answer):
    """A registry that wants user name and password, and then answers as the function does."""

    def ask(asked):
        if asked.headers["Authorization"] == BASIC:
            return answer(asked)
        return 401, {"errors": []}, {"WWW-Authenticate": 'Basic realm="x"'}

    return ask


def test_basic_auth():
    assert base64.b64decode(basic_auth("é", "a:b").partition(" ")[2]).decode("utf-8") == "é:a:b"
    assert basic_auth("u", None) == basic_auth("u", "")


def test_manifest(loopback, image, registry):
    loopback.answers = [(200, MANIFEST, {"Docker-Content-Digest": D3})]
    manifest = registry.manifest(image)
    assert (manifest.digest, manifest.blobs) == (D3, [D1, D2])
    # User name and password wait to be asked for.
    assert sent(loopback) == [(PATH, None)] and registry.authorization(image) is None
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


# Credentials


def test_basic_is_sent_where_it_is_asked_for_and_then_unasked(loopback, image, registry):
    loopback.answers = asking_for_basic(lambda asked: (200, MANIFEST))
    other = parse_image(loopback.url + "/other:1")
    registry.manifest(image)
    assert registry.authorization(image) == BASIC
    registry.manifest(image, D1)
    registry.manifest(other)
    assert [authorization for _path, authorization in sent(loopback)] == [None, BASIC, BASIC, BASIC]


def test_credentials_that_are_not_asked_for_are_not_sent(loopback, image, registry):
    loopback.answers = [(401, {}, {"WWW-Authenticate": "Negotiate YIIB+/=="})]
    exc = failure(registry.manifest, image)
    assert sent(loopback) == [(PATH, None)] and "registry_username was not sent" in exc.message


def test_a_header_of_the_user_is_sent_unasked(loopback, image):
    loopback.answers = [(200, MANIFEST)]
    registry = Registry(Http(timeout=5), authorization="Bearer s3cr3t")
    registry.manifest(image)
    assert sent(loopback) == [(PATH, "Bearer s3cr3t")] and registry.authorization(image) == "Bearer s3cr3t"
    loopback.answers = [(401, {}, {"WWW-Authenticate": "Basic realm=x"})]
    assert "refuses these credentials" in failure(registry.manifest, image).message and len(loopback.asked) == 2


def token_server(loopback, token_answer=(200, {"token": "t0k3n"}), challenge=None):
    """A registry that wants a token of its own token service."""
    challenge = challenge or f'Bearer realm="{loopback.url}/token",service="registry",scope="repository:team/app:pull"'

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
    assert sent(loopback) == [(PATH, None), ("/token", BASIC), (PATH, "Bearer t0k3n")]
    assert loopback.asked[1].path == "/token?service=registry&scope=repository%3Ateam%2Fapp%3Apull"
    assert registry.authorization(image) == "Bearer t0k3n"


def test_a_token_is_for_one_repository(loopback, image, registry):
    loopback.answers = token_server(loopback)
    other = parse_image(loopback.url + "/other:1")
    for one in (image, image, other):
        registry.manifest(one)
    assert [authorization for _path, authorization in sent(loopback)] == (
        [None, BASIC, "Bearer t0k3n"] + ["Bearer t0k3n"] + [None, BASIC, "Bearer t0k3n"]
    )


def test_a_token_that_is_too_old(loopback, image, registry):
    tokens = ["old", "t0k3n"]
    answer = token_server(loopback)
    loopback.answers = lambda asked: (
        (200, {"token": tokens.pop(0)}) if asked.path.startswith("/token") else answer(asked)
    )
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
    headers = "".join(f"WWW-Authenticate: {one.replace('URL', loopback.url)}\r\n" for one in challenges)
    refusal = (f"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n{headers}Content-Length: 0\r\n\r\n").encode("utf-8")
    answer = token_server(loopback)

    def ask(asked):
        found = answer(asked)
        return refusal if found[0] == 401 else found

    loopback.answers = ask
    assert registry.manifest(image).blobs == [D1, D2]
    assert [authorization for _path, authorization in sent(loopback)] == [None, BASIC, "Bearer t0k3n"]
    assert loopback.asked[1].path == "/token?service=a%2C+b%3D%22c&scope=repository%3Ateam%2Fapp%3Apull%2Cpush"


def test_parameters_without_quotes(loopback, image, registry):
    loopback.answers = token_server(loopback, challenge=f"Bearer service=r, scope=s ,realm={loopback.url}/token?a=b")
    registry.manifest(image)
    assert loopback.asked[1].path == "/token?a=b&service=r&scope=s"


def test_a_long_challenge_takes_no_long_time(loopback, image, registry):
    loopback.answers = [(401, {}, {"WWW-Authenticate": "a" * 60000 + "/"})]
    start = time.monotonic()
    failure(registry.manifest, image)
    assert time.monotonic() - start < 2


def test_token_for_anybody(loopback, image):
    loopback.answers = token_server(loopback)
    Registry(Http(timeout=5)).manifest(image)
    assert [authorization for _path, authorization in sent(loopback)] == [None, None, "Bearer t0k3n"]


def test_a_realm_with_a_query(loopback, image, registry):
    loopback.answers = token_server(loopback, challenge=f'bearer realm="{loopback.url}/token?a=b",service="r",x="y"')
    registry.manifest(image)
    assert loopback.asked[1].path == "/token?a=b&service=r"


@pytest.mark.parametrize("realm", ["", "ftp://h/token", "file:///etc/passwd", "nonsense", "http://[::1/token"])
def test_realms_that_are_none(loopback, image, registry, realm):
    loopback.answers = token_server(loopback, challenge=f'Bearer realm="{realm}"')
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
        (403, RegistryRefused, "registry_denied", "registry_username was not sent"),
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
    assert words in exc.message and exc.message.startswith(f"GET {loopback.url}{PATH}: ")


def test_credentials_that_are_refused(loopback, image, registry):
    loopback.answers = asking_for_basic(lambda asked: (403, {}))
    assert "refuses these credentials" in failure(registry.manifest, image).message


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


class Counting(Http):
    """Notes which URLs are asked for."""

    def __init__(self, **options):
        super().__init__(**options)
        self.urls = []

    def send(self, method, url, headers=None, body=None, stream=False):
        self.urls.append(url)
        return super().send(method, url, headers, body, stream)


@pytest.mark.parametrize("silent", [False, True])
def test_who_gave_no_answer_is_not_asked_again(loopback, image, silent):
    http = Counting(timeout=0.3)
    registry = Registry(http)
    loopback.answers = lambda asked: time.sleep(1) or (200, MANIFEST)
    base = loopback.url if silent else "http://127.0.0.1:1"
    first, second = (failure(registry.manifest, parse_image(f"{base}/{name}:1")) for name in ("a", "b"))
    assert http.urls == [base + "/v2/a/manifests/1"]
    assert isinstance(second, RegistryUnreachable) and second.reason == first.reason == "registry_unreachable"
    assert second.message == first.message.replace("/v2/a/", "/v2/b/") and "/v2/a/" in first.message
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
    assert isinstance(exc, RegistryRefused) and exc.reason == "registry_tls" and "ca_path" in exc.message


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_within_the_registry(loopback, image, registry, status):
    loopback.answers = asking_for_basic(
        lambda asked: (status, b"", {"Location": "/elsewhere/1"}) if asked.path == PATH else (200, MANIFEST)
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
    assert [asked.headers["X-Api"] for asked in loopback.asked] == ["s3cr3t", None, None]


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
    return f"sha256:{number:064x}"


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
    exc = failure(registry.blobs, image, manifest, "windows/amd64")
    assert isinstance(exc, RegistryRefused) and exc.reason == "no_platform"
    said = "%s%s has no manifest for the platform windows/amd64. It has: linux/amd64, linux/arm64/v8."
    assert exc.message == said % (loopback.url, PATH)


def test_an_index_that_holds_no_image(loopback, image, registry):
    loopback.answers = [(200, index((D3, "unknown/unknown")))]
    manifest = registry.manifest(image)
    exc = failure(registry.blobs, image, manifest, None)
    assert exc.reason == "no_platform" and f"{PATH} is an image index that holds no image." in exc.message
    assert "It has: none." in failure(registry.blobs, image, manifest, "linux/amd64").message


def test_an_index_within_may_lack_the_platform(loopback, image, registry):
    documents = {
        PATH: index((D1, "linux/amd64"), (D2, "linux/amd64")),
        "/v2/team/app/manifests/" + D1: index((D3, "linux/arm64")),
        "/v2/team/app/manifests/" + D2: {"layers": [{"digest": digest_of(2)}]},
    }
    loopback.answers = lambda asked: (200, documents[asked.path])
    manifest = registry.manifest(image)
    assert registry.blobs(image, manifest, "linux/amd64") == [(D2, [digest_of(2)])]
    documents["/v2/team/app/manifests/" + D2] = index((D3, "linux/arm64"))
    assert failure(registry.blobs, image, manifest, "linux/amd64").message.startswith(loopback.url + PATH + " has no")


# The platform of an image without an index

CONFIG_PATH = "/v2/team/app/blobs/" + D1


def image_with(loopback, config, kind=CONFIG_TYPES[0]):
    """Let the registry hold an image with such a config, as it answers for it."""
    manifest = {"mediaType": MANIFEST_TYPES[0], "config": {"digest": D1, "mediaType": kind}, "layers": []}
    loopback.answers = asking_for_basic(lambda asked: (200, manifest) if asked.path == PATH else config)


@pytest.mark.parametrize("kind", CONFIG_TYPES)
@pytest.mark.parametrize(
    "config, platform, fits",
    [
        ({"os": "linux", "architecture": "amd64"}, "linux/amd64", True),
        ({"os": "linux", "architecture": "amd64"}, "linux/arm64", False),
        ({"os": "windows", "architecture": "amd64"}, "linux/amd64", False),
        # A variant counts where both tell one.
        ({"os": "linux", "architecture": "arm64", "variant": "v8"}, "linux/arm64", True),
        ({"os": "linux", "architecture": "arm64"}, "linux/arm64/v8", True),
        ({"os": "linux", "architecture": "arm", "variant": "v6"}, "linux/arm/v7", False),
        # Who does not tell passes.
        ({"os": "linux"}, "windows/amd64", True),
        ({"architecture": "arm", "variant": "v6"}, "linux/amd64", True),
        ([], "linux/amd64", True),
    ],
)
def test_the_platform_in_the_config(loopback, image, registry, kind, config, platform, fits):
    image_with(loopback, (200, config), kind)
    manifest = registry.manifest(image)
    if fits:
        assert registry.blobs(image, manifest, platform) == [(manifest.digest, [D1])]
    else:
        exc = failure(registry.blobs, image, manifest, platform)
        assert isinstance(exc, RegistryRefused) and exc.reason == "no_platform"
        has = "/".join(config[key] for key in ("os", "architecture", "variant") if key in config)
        said = "%s%s has no manifest for the platform %s. It has: %s."
        assert exc.message == said % (loopback.url, PATH, platform, has)
    assert sent(loopback)[2:] == [(CONFIG_PATH, BASIC)]


@pytest.mark.parametrize("config", [(404, {}), (401, {}), (500, b""), (200, b"<html>"), b""])
def test_a_config_that_cannot_be_read_passes(loopback, image, registry, config):
    image_with(loopback, config)
    manifest = registry.manifest(image)
    assert registry.blobs(image, manifest, "windows/amd64") == [(manifest.digest, [D1])]
    assert sent(loopback)[2][0] == CONFIG_PATH


def test_a_config_that_is_elsewhere(loopback, image, registry):
    image_with(loopback, (307, b"", {"Location": loopback.url.replace("127.0.0.1", "localhost") + "/cdn"}))
    answers = loopback.answers
    loopback.answers = lambda asked: (
        (200, {"os": "linux", "architecture": "s390x"}) if asked.path == "/cdn" else answers(asked)
    )
    manifest = registry.manifest(image)
    assert "It has: linux/s390x." in failure(registry.blobs, image, manifest, "linux/amd64").message
    assert sent(loopback)[2:] == [(CONFIG_PATH, BASIC), ("/cdn", None)]


@pytest.mark.parametrize(
    "kind, platform", [("application/vnd.cncf.helm.config.v1+json", "linux/amd64"), (CONFIG_TYPES[0], None)]
)
def test_configs_that_are_not_read(loopback, image, registry, kind, platform):
    image_with(loopback, (200, {"os": "windows", "architecture": "amd64"}), kind)
    assert registry.blobs(image, registry.manifest(image), platform)
    assert len(loopback.asked) == 2


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
    loopback.answers = lambda asked: (
        (200, MANIFEST) if asked.headers["Authorization"] else (401, {}, {"WWW-Authenticate": "Basic realm=x"})
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
        return loopback.asked[-1].headers["Authorization"]

    assert authorization("own") == basic_auth("me", "p")
    assert authorization("bare") == authorization("other") == basic_auth("all", "x")
    assert authorization("other", registry_username=None) == "Bearer h"
    loopback.answers = [(200, MANIFEST)]
    assert authorization("other", registry_username=None, headers=None) is None
    find = registry_finder(params, details)
    assert find("own") is find("own") and find("own") is not find("bare")


def test_headers_for_the_registry(loopback, image):
    loopback.answers = token_server(loopback)
    kept_back = ("authorization", "HOST", "Accept", "Accept-Encoding", "Content-Type", "X-Dragonfly-Tag")
    headers = dict({name: "kept-back" for name in kept_back}, **{"X-JFrog-Art-Api": "key", "X-Number": 1})
    params = {"ca_path": None, "validate_certs": True, "timeout": 5, "headers": headers, "registry_username": "u"}
    registry_finder(params, {})("r").manifest(image)
    assert [asked.path.partition("?")[0] for asked in loopback.asked] == [PATH, "/token", PATH]
    for asked, given in zip(loopback.asked, ("key", None, "key")):
        assert asked.headers["X-JFrog-Art-Api"] == given and asked.headers["X-Number"] == ("1" if given else None)
        assert "kept-back" not in asked.headers.values()
