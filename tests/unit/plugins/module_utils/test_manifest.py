# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests and indexes, without requests."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._manifest import (
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    SCHEMA1_TYPES,
    Child,
    compute_digest,
    config_platform,
    is_digest,
    parse_manifest,
    signed_content,
)

D1, D2, D3 = (f"sha256:{letter * 64}" for letter in "abc")
CONFIG, LAYER = {"digest": D1, "size": 10}, {"digest": D2, "size": 20}
SHA512 = "sha512:" + "0" * 128


@pytest.mark.parametrize(
    "text, answer",
    [(D1, True), (SHA512, True), (D1[:-1], False), (D1 + "\n", False), (D1.upper(), False), ("md5:" + "a" * 32, False)],
)
def test_is_digest(text, answer):
    assert is_digest(text) is answer


def test_manifest():
    document = {
        "schemaVersion": 2,
        "config": CONFIG,
        "layers": [LAYER, {"digest": D3}, LAYER],
    }
    for kind in MANIFEST_TYPES:
        manifest = parse_manifest(document, kind, D3)
        assert (manifest.digest, manifest.children, manifest.blobs) == (D3, None, [D1, D2, D3])
        assert manifest.sizes == {D1: 10, D2: 20}


@pytest.mark.parametrize("kind", CONFIG_TYPES)
def test_the_config_that_tells_the_platform(kind):
    document = {"config": dict(CONFIG, mediaType=kind), "layers": [LAYER]}
    assert parse_manifest(document, MANIFEST_TYPES[0], D3).config == D1


@pytest.mark.parametrize("kind", ["application/vnd.cncf.helm.config.v1+json", None, []])
def test_configs_that_tell_no_platform(kind):
    document = {"config": dict(CONFIG, mediaType=kind), "layers": [LAYER]}
    manifest = parse_manifest(document, MANIFEST_TYPES[0], D3)
    assert manifest.config is None
    assert manifest.blobs == [D1, D2]


def test_layers_that_are_fetched_from_elsewhere():
    foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    document = {
        "config": CONFIG,
        "layers": [
            {"digest": D2, "size": 5, "mediaType": foreign, "urls": ["https://mcr.example/layer"]},
            # Without an address, hosts pull it from the registry like any other.
            {"digest": D3, "size": 7, "mediaType": foreign, "urls": []},
        ],
    }
    manifest = parse_manifest(document, MANIFEST_TYPES[1], D3)
    assert manifest.blobs == [D1, D3]
    assert manifest.sizes == {D1: 10, D3: 7}


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


def test_manifest_of_schema_1():
    document = {"schemaVersion": 1, "fsLayers": [{"blobSum": D1}, {"blobSum": D2}, {"blobSum": D1}]}
    for kind in SCHEMA1_TYPES + ("application/json",):
        assert parse_manifest(document, kind, D3).blobs == [D1, D2]


INDEX = {
    "manifests": [
        {"digest": D1, "size": 1, "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": D2, "size": 1, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {"digest": D3, "size": 1, "platform": {"os": "linux", "architecture": "arm64", "variant": "v9"}},
        {"digest": D3, "size": 1, "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": D3, "size": 1},
    ]
}


@pytest.mark.parametrize(
    "platform, digests",
    [
        ("linux/amd64", [D1]),
        ("linux/arm64", [D2]),
        ("linux/arm64/v9", [D3]),
        # The manager ignores the variant.
        ("linux/amd64/v2", [D1]),
        ("linux/arm64/v7", [D2, D3]),
        ("windows/amd64", []),
        (None, [D1, D2, D3]),
    ],
)
def test_index(platform, digests):
    for kind in INDEX_TYPES + ("",):
        assert [child.digest for child in parse_manifest(INDEX, kind, D1).children_for(platform)] == digests


def test_platforms_of_an_index():
    assert parse_manifest(INDEX, "", D1).platforms == ["linux/amd64", "linux/arm64/v8", "linux/arm64/v9"]


def test_the_type_of_the_answer_counts_where_the_document_has_none():
    assert parse_manifest({"manifests": []}, INDEX_TYPES[0], D2).children == []
    without_size = parse_manifest({"manifests": [{"digest": D1}]}, INDEX_TYPES[0], D2)
    assert without_size.children == [Child("", D1, None)]
    document = {"mediaType": MANIFEST_TYPES[0], "config": CONFIG, "layers": []}
    assert parse_manifest(document, "application/json", D2).blobs == [D1]


@pytest.mark.parametrize(
    "document, message",
    [
        ([], "not a JSON object"),
        (None, "not a JSON object"),
        ({}, "media type '' is not that of an image"),
        ({"mediaType": "application/x"}, "media type 'application/x'"),
        ({"mediaType": INDEX_TYPES[0]}, "no list manifests"),
        ({"manifests": {}}, "no list manifests"),
        ({"manifests": [{"digest": 5}]}, "manifests[0].digest is not a string"),
        ({"manifests": [{"digest": D1, "size": 1}, "x"]}, "manifests[1] is not an object"),
        ({"schemaVersion": 1}, "no list fsLayers"),
        ({"schemaVersion": 1, "fsLayers": [{}]}, "fsLayers[0].blobSum is missing"),
        ({"schemaVersion": 1, "fsLayers": ["x"]}, "fsLayers[0] is not an object"),
        ({"layers": []}, "config is missing"),
        ({"layers": [], "config": None}, "config is missing"),
        ({"layers": [], "config": [CONFIG]}, "config is not an object"),
        ({"layers": [], "config": D1}, "config is not an object"),
        ({"layers": [], "config": {}}, "config.digest is missing"),
        ({"layers": [], "config": {"digest": "sha256:abc"}}, "config.digest: 'sha256:abc' is not a digest"),
        ({"mediaType": MANIFEST_TYPES[0], "config": CONFIG}, "no list layers"),
        ({"config": CONFIG, "layers": "x"}, "no list layers"),
        ({"config": CONFIG, "layers": {"digest": D1}}, "no list layers"),
        *(
            ({"config": CONFIG, "layers": [LAYER, layer]}, f"layers[1]{message}")
            for layer, message in (
                (None, " is missing"),
                ([], " is not an object"),
                (D1, " is not an object"),
                ({}, ".digest is missing"),
                ({"digest": [D1]}, ".digest is not a string"),
                ({"digest": "../../etc/passwd"}, ".digest: '../../etc/passwd' is not a digest"),
                ({"digest": D1 + "/../x"}, f".digest: '{D1}/../x' is not a digest"),
                ({"digest": "md5:" + "a" * 32}, ".digest: the digest algorithm md5 is not supported"),
                ({"digest": D1, "size": -1}, ".size is '-1', which is not a number of bytes"),
                ({"digest": D1, "size": True}, ".size is 'True'"),
                ({"digest": D1, "size": "12"}, ".size is '12'"),
                ({"digest": D1, "size": 1.5}, ".size is '1.5'"),
                ({"digest": D1, "size": 2**63}, f".size is '{2**63}'"),
                # The registry does not need to have it, but it must be a descriptor.
                ({"digest": 5, "size": 1, "urls": ["http://h"]}, ".digest is not a string"),
                ({"digest": D1, "size": 1, "urls": "http://h"}, ".urls is not a list"),
            )
        ),
        ({"manifests": [{"digest": D1, "size": -5}]}, "manifests[0].size is '-5'"),
        (
            {"manifests": [{"digest": D1}], "layers": [{"digest": D2}]},
            "both an index (manifests) and a manifest (layers)",
        ),
        ({"manifests": [{"digest": D1}], "config": {"digest": D2}}, "both an index"),
        ({"mediaType": INDEX_TYPES[0], "manifests": [], "layers": [{"digest": D2}]}, "both an index"),
        ({"mediaType": MANIFEST_TYPES[0], "layers": [], "manifests": [{"digest": D1}]}, "both an index"),
        ({"mediaType": 5, "layers": []}, "its mediaType is not a string"),
        ({"layers": [], "Layers": [{"digest": D1}]}, "the key 'Layers'"),
        ({"LAYERS": []}, "the key 'LAYERS'"),
    ],
)
def test_manifests_that_are_none(document, message):
    with pytest.raises(ValueError) as caught:
        parse_manifest(document, "", D1)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "own, answered", [(MANIFEST_TYPES[0], INDEX_TYPES[0]), (INDEX_TYPES[0], MANIFEST_TYPES[0]), MANIFEST_TYPES]
)
def test_types_that_contradict_each_other(own, answered):
    document = {"mediaType": own, "layers": [], "manifests": []}
    with pytest.raises(ValueError, match="its mediaType is .*, but the header Content-Type says"):
        parse_manifest(document, answered, D1)


def test_a_manifest_of_100000_layers():
    digests = [f"sha256:{number:064x}" for number in range(100000)]
    document = {"config": CONFIG, "layers": [{"digest": digest, "size": 1} for digest in digests]}
    assert parse_manifest(document, MANIFEST_TYPES[0], D1).blobs == [D1, *digests]


def test_digests_are_computed():
    assert compute_digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert compute_digest(b"", "sha512").startswith("sha512:cf83e1357eefb8bd")
    assert is_digest(compute_digest(b"x", "sha512"))


def encode(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def signed(payload, protected):
    """Return the body of a manifest of schema 1 with a signature, as libtrust writes it."""
    signature = {"header": {}, "protected": encode(protected), "signature": "x"}
    return payload[:-2] + b',\n "signatures": [' + json.dumps(signature).encode() + b"]\n}"


def test_the_digest_of_schema_1_is_of_the_part_that_is_signed():
    payload = b'{\n "schemaVersion": 1,\n "fsLayers": []\n}'
    body = signed(payload, {"formatLength": len(payload) - 2, "formatTail": encode(b"\n}")})
    assert signed_content(body, json.loads(body)) == payload
    # A manifest without signatures, and one that is not of schema 1, is hashed as it is.
    assert signed_content(payload, json.loads(payload)) == payload
    other = b'{"schemaVersion": 2, "signatures": [1]}'
    assert signed_content(other, json.loads(other)) == other


@pytest.mark.parametrize(
    "protected",
    [
        {},
        [],
        "x",
        {"formatLength": -1, "formatTail": ""},
        {"formatLength": 10**9, "formatTail": ""},
        {"formatLength": "1"},
    ],
)
def test_signatures_that_cannot_be_read(protected):
    with pytest.raises(ValueError, match="its signature cannot be read"):
        body = signed(b'{\n "schemaVersion": 1\n}', protected)
        signed_content(body, json.loads(body))
