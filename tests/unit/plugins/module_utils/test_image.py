# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image references by the grammar of registries, and manifests."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import (
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    SCHEMA1_TYPES,
    check_base,
    check_platform,
    config_platform,
    is_digest,
    parse_image,
    parse_manifest,
    same_platform,
)
from hypothesis import given
from hypothesis import strategies as st

D1, D2, D3 = ("sha256:" + one * 64 for one in "abc")
SHA512 = "sha512:" + "0" * 128


@pytest.mark.parametrize(
    "text, registry, base, name, reference",
    [
        ("redis", "docker.io", "https://index.docker.io", "library/redis", "latest"),
        ("redis:7", "docker.io", "https://index.docker.io", "library/redis", "7"),
        ("team/app:1", "docker.io", "https://index.docker.io", "team/app", "1"),
        ("docker.io/redis:7", "docker.io", "https://index.docker.io", "library/redis", "7"),
        ("docker.io/team/app", "docker.io", "https://index.docker.io", "team/app", "latest"),
        ("redis@" + D1, "docker.io", "https://index.docker.io", "library/redis", D1),
        ("redis:7@" + D1, "docker.io", "https://index.docker.io", "library/redis", D1),
        ("ghcr.io/a/b/c:v1.0_x-y", "ghcr.io", "https://ghcr.io", "a/b/c", "v1.0_x-y"),
        ("r:5000/app@" + SHA512, "r:5000", "https://r:5000", "app", SHA512),
        ("localhost/app", "localhost", "https://localhost", "app", "latest"),
        ("localhost:5000/app:1", "localhost:5000", "https://localhost:5000", "app", "1"),
        ("[fd00::1]:5000/app:1", "[fd00::1]:5000", "https://[fd00::1]:5000", "app", "1"),
        ("10.77.0.1:5000/a__b/c--d:1", "10.77.0.1:5000", "https://10.77.0.1:5000", "a__b/c--d", "1"),
        ("http://r:5000/team/app:1", "r:5000", "http://r:5000", "team/app", "1"),
        ("https://r/app", "r", "https://r", "app", "latest"),
        ("https://r/v2/team/app/manifests/1", "r", "https://r", "team/app", "1"),
        ("http://r:5000/v2/app/manifests/" + D1, "r:5000", "http://r:5000", "app", D1),
        ("https://r/v2/a/manifests/b/manifests/c", "r", "https://r", "a/manifests/b", "c"),
    ],
)
def test_parse_image(text, registry, base, name, reference):
    image = parse_image(text)
    assert (image.registry, image.base, image.name, image.reference) == (registry, base, name, reference)
    assert image.digest == (reference if ":" in reference else None)


@pytest.mark.parametrize(
    "bases, text, manifest_url",
    [
        ({"docker.io": "https://mirror:5000"}, "redis:7", "https://mirror:5000/v2/library/redis/manifests/7"),
        # A path is a prefix of the repository, as a proxy project needs it.
        ({"docker.io": "https://hub/proxy/dh/"}, "redis:7", "https://hub/v2/proxy/dh/library/redis/manifests/7"),
        ({"ghcr.io": "https://hub/gh"}, "ghcr.io/a/b:1", "https://hub/v2/gh/a/b/manifests/1"),
        # A name with an entry is a registry although it has neither a dot nor a port.
        ({"internal": "http://10.0.0.1"}, "internal/app:1", "http://10.0.0.1/v2/app/manifests/1"),
        ({"r": "https://other"}, "https://r/app:1", "https://r/v2/app/manifests/1"),
    ],
)
def test_bases(bases, text, manifest_url):
    image = parse_image(text, bases)
    assert image.manifest_url() == manifest_url
    assert image.manifest_url(D1) == manifest_url.rpartition("/")[0] + "/" + D1
    assert image.blob_url(D2) == manifest_url.rpartition("/manifests/")[0] + "/blobs/" + D2


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "must not be empty"),
        ("  ", "must not be empty"),
        ("a b", "white space"),
        ("redis:7\n", "white space"),
        ("Redis", "Names are in lower case"),
        ("r.example/Team/app", "Names are in lower case"),
        ("redis:", "is no tag"),
        ("redis:" + "x" * 129, "is no tag"),
        ("redis:.x", "is no tag"),
        ("redis:é", "is no tag"),
        ("redis@sha256:abc", "is no digest"),
        ("redis@", "is no digest"),
        ("redis@" + D1 + "0", "is no digest"),
        ("a//b", "no repository name"),
        ("r.example/", "no repository name"),
        ("r.example/a-", "no repository name"),
        ("r.example/a..b", "no repository name"),
        ("r_x.example/a", "is no registry"),
        ("r.example:port/a", "is no registry"),
        ("ftp://r/app", "leave the scheme out"),
        ("oci://r/app", "leave the scheme out"),
        ("http://r", "comes HOST/NAME"),
        ("https:///app", "comes HOST/NAME"),
        ("http://[", "comes HOST/NAME"),
        ("http://[/app:1", "comes HOST/NAME"),
        ("http://[/v2/app/manifests/1", "is no registry"),
        ("http://r:port/v2/app/manifests/1", "is no registry"),
        ("https://u:hidden@r/app:1", "must not hold credentials: 'https://********@r/app:1'"),
        ("https://u:hidden@r", "must not hold credentials"),
        ("u:hidden@r.example:5000/app:1", "must not hold credentials: '********@r.example:5000/app:1'"),
        ("hidden@r.example/app", "must not hold credentials"),
        ("u:hidden@r/app@" + D1, "must not hold credentials"),
        ("u:hid/hidden@r.example/app:1", "must not hold credentials: '********@r.example/app:1'"),
        ("http://u:12/hidden@r.example/app:1", "must not hold credentials: 'http://********@r.example/app:1'"),
        ("https://r/v2/app/blobs/" + D1, "is no manifest URL"),
        ("https://r/v2/app/manifests/", "is no manifest URL"),
        ("https://r/v2/App/manifests/1", "is no manifest URL"),
        ("https://r/v2/app/manifests/1?token=hidden", "is no manifest URL"),
        ("https://r/v2/app/manifests/sha256:abc", "is no digest"),
    ],
)
def test_parse_image_refuses(text, words):
    with pytest.raises(InputError) as caught:
        parse_image(text)
    assert words in caught.value.message and "hidden" not in caught.value.message


@given(st.text(max_size=30) | st.from_regex(r"(https?://)?[a-z@:/._\[\]-]{1,30}"))
def test_any_text_is_an_image_or_refused(text):
    try:
        image = parse_image(text)
    except InputError:
        return
    assert parse_image(image.manifest_url()).manifest_url() == image.manifest_url()


COMPONENT = st.from_regex(r"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+){0,2}\Z")
HOST = st.from_regex(r"\A[a-z0-9]{1,5}\.[a-z]{2,5}(?::[1-9][0-9]{1,3})?\Z")
REFERENCE = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z") | st.just(D1)


@given(HOST, st.lists(COMPONENT, min_size=1, max_size=3), REFERENCE, st.sampled_from(["", "http://", "https://"]))
def test_references_round_trip(host, components, reference, scheme):
    name = "/".join(components)
    text = f"{scheme}{host}/{name}{'@' if ':' in reference else ':'}{reference}"
    if scheme and name.startswith("v2/"):
        return  # That would be a URL of the registry's API.
    image = parse_image(text)
    assert (image.registry, image.name, image.reference) == (host, name, reference)
    assert image.base == (scheme or "https://") + host
    again = parse_image(image.manifest_url())
    assert (again.registry, again.base, again.name, again.reference) == (host, image.base, name, reference)


@pytest.mark.parametrize("text", ["linux/amd64", "linux/arm64/v8", "windows/amd64", "linux/arm/v7"])
def test_platforms(text):
    assert check_platform(text) == text


@pytest.mark.parametrize("text", ["", "linux", "linux/", "Linux/amd64", "linux/amd64/", "linux/amd64\n", "a/b/c/d"])
def test_platforms_that_are_none(text):
    with pytest.raises(InputError):
        check_platform(text)


@pytest.mark.parametrize("url", ["https://h", "http://h:5000", "https://h/a/b", "https://[fd00::1]:5000"])
def test_bases_that_can_be_used(url):
    assert check_base("r", url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "h",
        "ftp://h",
        "https://",
        "https://h?a=1",
        "https://h#a",
        "https://h:port",
        "https://h:99999",
        "https://u:hidden@h",
        "https://h /",
        "https://[::1",
        "https://u:hidden@h:port",
        "https://h?token=hidden",
    ],
)
def test_bases_that_cannot_be_used(url):
    with pytest.raises(InputError) as caught:
        check_base("r", url)
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize(
    "text, answer",
    [(D1, True), (SHA512, True), (D1[:-1], False), (D1 + "\n", False), (D1.upper(), False), ("md5:" + "a" * 32, False)],
)
def test_is_digest(text, answer):
    assert is_digest(text) is answer


# Manifests


def test_manifest():
    document = {
        "schemaVersion": 2,
        "config": {"digest": D1, "size": 10},
        "layers": [{"digest": D2, "size": 20}, {"digest": D3}, {"digest": D2, "size": 20}],
    }
    for kind in MANIFEST_TYPES:
        manifest = parse_manifest(document, kind, D3)
        assert (manifest.digest, manifest.children, manifest.blobs) == (D3, None, [D1, D2, D3])
        assert manifest.sizes == {D1: 10, D2: 20}


@pytest.mark.parametrize("kind", CONFIG_TYPES)
def test_the_config_that_tells_the_platform(kind):
    document = {"config": {"digest": D1, "mediaType": kind}, "layers": [{"digest": D2}]}
    assert parse_manifest(document, MANIFEST_TYPES[0], D3).config == D1


@pytest.mark.parametrize("kind", ["application/vnd.cncf.helm.config.v1+json", None, []])
def test_configs_that_tell_no_platform(kind):
    document = {"config": {"digest": D1, "mediaType": kind}, "layers": [{"digest": D2}]}
    manifest = parse_manifest(document, MANIFEST_TYPES[0], D3)
    assert manifest.config is None and manifest.blobs == [D1, D2]


def test_layers_that_are_fetched_from_elsewhere():
    foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    document = {
        "config": {"digest": D1},
        "layers": [
            {"digest": D2, "size": 5, "mediaType": foreign, "urls": ["https://mcr.example/layer"]},
            # Without an address, hosts pull it from the registry like any other.
            {"digest": D3, "size": 7, "mediaType": foreign, "urls": []},
        ],
    }
    manifest = parse_manifest(document, MANIFEST_TYPES[1], D3)
    assert manifest.blobs == [D1, D3] and manifest.sizes == {D3: 7}


@pytest.mark.parametrize(
    "config, platform",
    [
        ({"os": "linux", "architecture": "amd64"}, "linux/amd64"),
        ({"os": "linux", "architecture": "arm", "variant": "v7"}, "linux/arm/v7"),
        ({"os": "linux", "architecture": ""}, None),
        ({"architecture": "arm", "variant": "v7"}, None),
        (None, None),
    ],
)
def test_the_platform_of_a_config(config, platform):
    assert config_platform(config) == platform


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm", "linux/arm/v7", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/amd64", "linux/arm64", False),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_same_platform(one, other, same):
    assert same_platform(one, other) is same


def test_manifest_of_schema_1():
    document = {"schemaVersion": 1, "fsLayers": [{"blobSum": D1}, {"blobSum": D2}, {"blobSum": D1}]}
    for kind in SCHEMA1_TYPES + ("application/json",):
        assert parse_manifest(document, kind, D3).blobs == [D1, D2]


INDEX = {
    "manifests": [
        {"digest": D1, "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": D2, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {"digest": D3, "platform": {"os": "linux", "architecture": "arm64", "variant": "v9"}},
        {"digest": D3, "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": D3},
    ]
}


@pytest.mark.parametrize(
    "platform, digests",
    [
        ("linux/amd64", [D1]),
        ("linux/arm64", [D2, D3]),
        ("linux/arm64/v9", [D3]),
        # The manager does not look at the variant.
        ("linux/amd64/v2", [D1]),
        ("linux/arm64/v7", [D2, D3]),
        ("windows/amd64", []),
        (None, [D1, D2, D3]),
    ],
)
def test_index(platform, digests):
    for kind in INDEX_TYPES + ("",):
        assert parse_manifest(INDEX, kind, D1).children_for(platform) == digests


def test_platforms_of_an_index():
    assert parse_manifest(INDEX, "", D1).platforms == ["linux/amd64", "linux/arm64/v8", "linux/arm64/v9"]


def test_the_kind_in_the_document_counts_more():
    document = {"mediaType": MANIFEST_TYPES[0], "layers": [{"digest": D1}]}
    assert parse_manifest(document, INDEX_TYPES[0], D2).blobs == [D1]


@pytest.mark.parametrize(
    "document, words",
    [
        ([], "no JSON object"),
        (None, "no JSON object"),
        ({}, "unknown kind"),
        ({"mediaType": "application/x"}, "unknown kind 'application/x'"),
        ({"mediaType": INDEX_TYPES[0]}, "no list manifests"),
        ({"manifests": [{"digest": 5}]}, "no usable digest"),
        ({"manifests": ["x"]}, "no usable digest"),
        ({"layers": [{}]}, "no usable digest"),
        ({"layers": [], "config": {"digest": "sha256:abc"}}, "no usable digest"),
        ({"schemaVersion": 1}, "no list fsLayers"),
    ],
)
def test_manifests_that_are_none(document, words):
    with pytest.raises(ValueError) as caught:
        parse_manifest(document, "", D1)
    assert words in str(caught.value)
