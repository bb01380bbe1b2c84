# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry, and the requests of the manager to it."""

from __future__ import annotations

import hashlib
import json

import pytest
import requests
from ansible_collections.dragonflyoss.dragonfly.tests.contract import replay
from ansible_collections.dragonflyoss.dragonfly.tests.contract.client import warm
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.certificates import make_certificates
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.fleet import task_id
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.profiles import Profile

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
PLATFORMS = ["linux/amd64", "linux/arm64/v8", "windows/amd64"]


def _read(url, *kinds):
    return requests.get(url, headers={"Accept": ", ".join(kinds)}, timeout=5, allow_redirects=False)


def test_content_has_the_digest_that_it_is_called_by(start):
    box, _client = start()
    for image in (box.image("a", platforms=PLATFORMS, attestations=True), box.image("b", kind="docker")):
        top = _read(image.manifest_url, OCI, INDEX, SCHEMA2)
        assert (
            top.headers["Docker-Content-Digest"] == image.digest == "sha256:" + hashlib.sha256(top.content).hexdigest()
        )
        assert _read(image.digest_url, OCI, INDEX, SCHEMA2).content == top.content
        for platform in image.platforms:
            for url in image.blobs(platform):
                blob = requests.get(url, timeout=5).content
                assert url.endswith(hashlib.sha256(blob).hexdigest())


def test_kinds_of_images(start):
    box, _client = start()
    plain = _read(box.image("plain").manifest_url, OCI).json()
    assert (plain["mediaType"], len(plain["layers"])) == (OCI, 3)
    docker = _read(box.image("docker", kind="docker", layers=5).manifest_url, SCHEMA2).json()
    assert (docker["mediaType"], len(docker["layers"])) == (SCHEMA2, 5)
    index = _read(box.image("index", platforms=PLATFORMS, attestations=True).manifest_url, INDEX).json()
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == [
        "amd64",
        "unknown",
        "arm64",
        "unknown",
        "amd64",
        "unknown",
    ]
    assert index["manifests"][2]["platform"]["variant"] == "v8"
    nested = _read(box.image("nested", platforms=PLATFORMS, nested=True).manifest_url, INDEX).json()
    assert [entry["mediaType"] for entry in nested["manifests"]] == [INDEX]
    listed = _read(box.image("list", kind="docker", platforms=PLATFORMS).manifest_url, LIST).json()
    assert listed["mediaType"] == LIST
    foreign = box.image("foreign", foreign=2)
    layers = _read(foreign.manifest_url, OCI).json()["layers"]
    assert len(layers) == 5
    assert len(foreign.blobs()) == 4
    assert "urls" in layers[-1]


def test_a_tag_moves(start):
    box, _client = start()
    first, second = box.image("a", "1"), box.image("a", "1", version=2)
    assert first.digest != second.digest
    assert first.blobs() != second.blobs()
    assert _read(first.manifest_url, OCI).headers["Docker-Content-Digest"] == second.digest
    assert _read(first.digest_url, OCI).status_code == 200


def test_manifests_without_a_fitting_accept(start):
    box, _client = start()
    oci, docker = box.image("a"), box.image("b", kind="docker")
    many = box.image("c", kind="docker", platforms=["linux/arm64", "linux/amd64"])
    index = box.image("d", platforms=PLATFORMS)
    assert _read(oci.manifest_url, "*/*").status_code == _read(index.manifest_url, OCI).status_code == 404
    assert "accept header does not support" in _read(oci.manifest_url, SCHEMA2).text
    assert _read(docker.manifest_url).status_code == 400
    assert _read(docker.digest_url).status_code == 200
    assert _read(many.manifest_url, SCHEMA2).headers["Docker-Content-Digest"] == many.platforms["linux/amd64"].digest


def test_reads_of_blobs(start):
    box, _client = start()
    url = box.image("a").blobs()[1]
    whole = requests.get(url, timeout=5)
    part = requests.get(url, headers={"Range": "bytes=3-6"}, timeout=5)
    assert (part.status_code, part.content) == (206, whole.content[3:7])
    head = requests.head(url, timeout=5)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(whole.content)))
    box.set_registry(redirect_blobs=True)
    assert requests.get(url, timeout=5, allow_redirects=False).status_code == 307
    assert requests.get(url, timeout=5).content == whole.content
    assert box.registry_content.blob_requests[url.rpartition("/")[2]] == 4
    box.delete_blob(url.rpartition("/")[2])
    assert requests.get(url, timeout=5).json()["errors"][0]["code"] == "BLOB_UNKNOWN"


def test_a_fault_of_the_registry(start):
    box, client = start()
    image = box.image("a")
    box.rule(fault="status", status=503, at="registry", path="/manifests/", times=1)
    assert client.post(image.manifest_url).json() == {
        "message": "received unexpected HTTP status: 503 Service Unavailable"
    }
    # Twice, because the manager repeats a request once, like Go's client.
    box.rule(fault="reset", at="registry", path="/manifests/", times=2)
    assert client.post(image.manifest_url).status_code == 500
    assert client.post(image.manifest_url).status_code == 200


@pytest.mark.parametrize("release", ["2.1.67", "2.5.1"])
@pytest.mark.parametrize("auth", ["token", "basic"])
def test_the_manager_signs_in_at_the_registry(start, release, auth):
    box, client = start(release)
    image = box.image("a")
    box.set_registry(auth=auth)
    assert client.post(image.manifest_url).json() == {"message": "unauthorized: authentication required"}
    assert client.post(image.manifest_url, username="puller", password="wrong").status_code == 500
    job = client.run(image.manifest_url, username="puller", password="sandbox-registry")
    assert warm(job) == sorted(image.blobs())


def test_the_manager_takes_an_anonymous_token(start):
    box, client = start()
    image = box.image("a")
    box.set_registry(auth="token", anonymous_pull=True)
    assert warm(client.run(image.manifest_url)) == sorted(image.blobs())
    old, client = start("2.1.0")
    image = old.image("a", kind="docker")
    old.set_registry(auth="token", anonymous_pull=True)
    assert client.run(image.manifest_url)["state"] == "SUCCESS"


def test_the_manager_sends_the_headers_of_the_job(start):
    box, client = start()
    box.set_registry(auth="basic", user="u", password="p")
    image = box.image("a")
    assert warm(client.run(image.manifest_url, headers={"Authorization": "Basic dTpw"})) == sorted(image.blobs())


def test_platforms(start):
    box, client = start()
    image = box.image("a", platforms=PLATFORMS, attestations=True)
    assert warm(client.run(image.manifest_url)) == sorted(image.blobs("linux/amd64"))
    assert warm(client.run(image.manifest_url, platform="linux/arm64")) == sorted(image.blobs("linux/arm64/v8"))
    assert client.post(image.manifest_url, platform="linux/s390x").json() == {
        "message": "no matching manifest for platform linux/s390x"
    }
    nested = box.image("b", platforms=["linux/amd64"], nested=True)
    assert client.post(nested.manifest_url).status_code == 500


def test_nothing_outside_is_asked(start):
    box, client = start(aliases={"registry.example.com": "registry"})
    assert client.post("https://registry-1.docker.io/v2/library/redis/manifests/7").json() == {
        "message": ('Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host')
    }
    box.image("library/redis", "7")
    job = client.run("https://registry.example.com/v2/library/redis/manifests/7")
    assert len(warm(job)) == 4
    assert warm(job)[0].startswith("https://registry.example.com/v2/library/redis/blobs/sha256:")


def test_a_registry_with_tls(start, tmp_path):
    paths = make_certificates(tmp_path)
    tls = {"cert": paths["cert"], "key": paths["key"]}
    for trusted in (True, False):
        box, client = start(registry_tls=tls, registry_ca=paths["ca"] if trusted else None)
        image = box.image("a")
        assert image.source == image.reference
        assert image.manifest_url.startswith("https://")
        answer = client.post(image.manifest_url)
        if trusted:
            assert len(warm(client.wait(answer.json()["id"]))) == 4
        else:
            assert "x509: certificate signed by unknown authority" in answer.json()["message"]


def test_task_ids_are_those_that_were_recorded():
    hits = json.loads((replay.RECORDINGS / "hits.json").read_text(encoding="utf-8"))
    checked = 0
    for cluster in hits["clusters"]:
        profile = Profile(cluster["dragonfly"])
        args = {"filtered_query_params": profile.defaults("preheat")["filtered_query_params"]}
        for blob in cluster["blobs"]:
            assert task_id(blob["url"], args, profile.standard_tasks) == blob["preheat_task_id"]
            assert (
                task_id(blob["url"] + "?ns=10.77.0.1%3A5000", args, profile.standard_tasks) == blob["preheat_task_id"]
            )
            assert (
                task_id(blob["url"] + "?ns=10.77.0.1%3A5000", {}, profile.standard_tasks)
                == blob["task_id_with_ns_kept"]
            )
            checked += 1
    assert checked == 8
