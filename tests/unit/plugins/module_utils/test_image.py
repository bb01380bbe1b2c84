# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image references by the grammar of registries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import (
    check_base,
    check_registry_url,
    parse_image,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_config import read_registries
from hypothesis import given
from hypothesis import strategies as st

D1, D2 = (f"sha256:{letter * 64}" for letter in "ab")
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
    "text", ["redis:7\n", " redis:7", "redis:7\r\n", "\ufeffredis:7\t", "redis:7\xa0", "\u200bredis:7"]
)
def test_white_space_around_a_reference_does_not_count(text):
    assert parse_image(text) == parse_image("redis:7")


@pytest.mark.parametrize(
    "bases, text, manifest_url",
    [
        ({"docker.io": "https://mirror:5000"}, "redis:7", "https://mirror:5000/v2/library/redis/manifests/7"),
        # A path is a prefix of the repository, as for a proxy project.
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
    "text, message",
    [
        ("", "must not be empty"),
        ("  ", "must not be empty"),
        ("a b", "white space"),
        ("{'name': 'redis:7'}", "must be text, not a list or a dictionary"),
        ("{'url': 'https://u:hidden@r/app:1'}", "must be text, not a list or a dictionary"),
        ("[]", "key=value on a command line cannot hold them"),
        ('["redis:7"', "key=value on a command line cannot hold them"),
        ("r.example/app:1,redis:7", "it contains a comma. For several images, set images to a list."),
        ("redis:7 \n8", "white space"),
        ("re\rdis:7", "'re\\rdis:7' is not a valid image reference: it contains white space"),
        ("redis\u200b:7", "'redis\\u200b:7' is not a valid"),
        ("u:hidden@r.example/a b", "must not contain credentials: '********@r.example/a b'"),
        ("u:hid\nhidden@r.example/app", "must not contain credentials"),
        ("https://r/app b?token=hidden", "white space"),
        ("x" * 3000, "longer than 2048"),
        ("redis@md5:" + "a" * 32, "the digest algorithm md5 is not supported, only sha256 and sha512 are"),
        ("https://r/v2/app/manifests/sha384:" + "a" * 96, "algorithm sha384 is not supported"),
        ("Redis", "must be lowercase"),
        ("r.example/Team/app", "must be lowercase"),
        ("redis:", "is not a tag"),
        ("redis:" + "x" * 129, "is not a tag"),
        ("redis:.x", "is not a tag"),
        ("redis:é", "is not a tag"),
        ("redis@sha256:abc", "is not a digest"),
        ("redis@", "is not a digest"),
        ("redis@" + D1 + "0", "is not a digest"),
        ("a//b", "is not a repository name"),
        ("r.example/", "is not a repository name"),
        ("r.example/a-", "is not a repository name"),
        ("r.example/a..b", "is not a repository name"),
        ("r.example/../a", "is not a repository name"),
        ("r.example/a/../../b:1", "is not a repository name"),
        ("https://r/v2/../a/manifests/1", "is not a valid manifest URL"),
        ("redis:" + D1, "a digest follows an @, not a colon"),
        ("a" * 248, "must not be longer than 255 characters"),
        ("redis@sha256:../../x", "must not contain credentials"),
        ("r_x.example/a", "is not a registry"),
        ("r.example:port/a", "is not a registry"),
        ("ftp://r/app", "leave the scheme out"),
        ("oci://r/app", "leave the scheme out"),
        ("http://r", "comes HOST/NAME"),
        ("https:///app", "comes HOST/NAME"),
        ("http://[", "comes HOST/NAME"),
        ("http://[/app:1", "comes HOST/NAME"),
        ("http://[/v2/app/manifests/1", "is not a registry"),
        ("http://r:port/v2/app/manifests/1", "is not a registry"),
        ("https://u:hidden@r/app:1", "must not contain credentials: 'https://********@r/app:1'"),
        ("https://u:hidden@r", "must not contain credentials"),
        ("u:hidden@r.example:5000/app:1", "must not contain credentials: '********@r.example:5000/app:1'"),
        ("hidden@r.example/app", "must not contain credentials"),
        ("u:hidden@r/app@" + D1, "must not contain credentials"),
        ("u:hid/hidden@r.example/app:1", "must not contain credentials: '********@r.example/app:1'"),
        ("http://u:12/hidden@r.example/app:1", "must not contain credentials: 'http://********@r.example/app:1'"),
        ("https://r/v2/app/blobs/" + D1, "is not a valid manifest URL"),
        ("https://r/v2/app/manifests/", "is not a valid manifest URL"),
        ("https://r/v2/App/manifests/1", "is not a valid manifest URL"),
        ("https://r/v2/app/manifests/1?token=hidden", "is not a valid manifest URL"),
        ("https://r/v2/app/manifests/sha256:abc", "is not a digest"),
    ],
)
def test_parse_image_refuses(text, message):
    with pytest.raises(InputError) as caught:
        parse_image(text)
    assert message in caught.value.message
    assert "hidden" not in caught.value.message


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
    reparsed = parse_image(image.manifest_url())
    assert (reparsed.registry, reparsed.base, reparsed.name, reparsed.reference) == (host, image.base, name, reference)


@pytest.mark.parametrize("url", ["https://h", "http://h_1:5000", "https://h/a/b-c", "https://[fd00::1]:5000"])
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
        "https://h/../x",
        "https://h/a//b",
        "https://h/a/./b",
        "https://h/%2e%2e/x",
        "https://h/A",
        'https://h"x',
        "https://h%s",
        "https://h:0",
        "https://h\x7fx",
        "https://h\u00e4",
        "https://\U0001f409",
    ],
)
def test_bases_that_cannot_be_used(url):
    with pytest.raises(InputError) as caught:
        check_base("r", url)
    assert "hidden" not in caught.value.message


#: References and the results of ParseDockerRef of github.com/distribution/reference, which containerd calls.
REFERENCES = json.loads((Path(__file__).parent / "recorded/references.json").read_text("utf-8"))["references"]
#: containerd parses a port without a limit; no host listens there.
NO_PORT = "reg.example.com:99999/a"


@pytest.mark.parametrize(
    "case",
    [case for case in REFERENCES if "error" not in case and case["reference"] != NO_PORT],
    ids=lambda case: case["reference"],
)
def test_references_are_read_as_containerd_reads_them(case):
    image = parse_image(case["reference"])
    assert (image.registry, image.name, image.reference) == (case["registry"], case["repository"], case["pulled"])


def test_a_port_above_65535_is_rejected():
    with pytest.raises(InputError, match="99999"):
        parse_image(NO_PORT)


@pytest.mark.parametrize("case", [case for case in REFERENCES if "error" in case], ids=lambda case: case["reference"])
def test_references_that_containerd_rejects(case):
    with pytest.raises(InputError):
        parse_image(case["reference"])


def test_a_base_for_either_name_of_docker_hub_counts_for_both():
    bases = read_registries({"index.docker.io": "https://mirror.example.com"}).bases
    assert parse_image("nginx", bases).base == "https://mirror.example.com"
    assert parse_image("index.docker.io/nginx", bases).base == "https://mirror.example.com"
    with pytest.raises(InputError, match="is another name of 'docker.io'"):
        read_registries({"index.docker.io": "https://a", "docker.io": "https://b"})


@pytest.mark.parametrize(
    "url",
    [
        "https://docker.io",
        "http://docker.io/",
        "https://docker.io:443/a",
        "https://DOCKER.io",
        "https://hub.docker.com",
    ],
)
def test_a_website_of_docker_hub_is_not_its_registry(url):
    with pytest.raises(InputError, match="serves no images. Use https://index.docker.io."):
        check_registry_url("docker.io", url)


@pytest.mark.parametrize(
    "reference",
    [
        "https://docker.io/library/nginx:1",
        "https://docker.io/v2/library/nginx/manifests/1",
        "http://DOCKER.IO:443/v2/library/nginx/manifests/1",
        "https://hub.docker.com/v2/library/nginx/manifests/1",
    ],
)
def test_a_url_of_a_website_of_docker_hub_is_not_an_image(reference):
    with pytest.raises(InputError, match="serves no images. Use https://index.docker.io."):
        parse_image(reference)
