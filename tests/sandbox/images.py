# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images built in code: OCI and Docker, for one platform or several, with everything that is difficult in manifests."""

from __future__ import annotations

import hashlib
import json

from .manifests import INDEX, LIST, OCI, SCHEMA2

_CONFIG = {OCI: "application/vnd.oci.image.config.v1+json", SCHEMA2: "application/vnd.docker.container.image.v1+json"}
_LAYER = {
    OCI: "application/vnd.oci.image.layer.v1.tar+gzip",
    SCHEMA2: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
_FOREIGN = {
    OCI: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    SCHEMA2: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
}
_KINDS = {"oci": (OCI, INDEX), "docker": (SCHEMA2, LIST)}


def digest_of(content):
    """Return the digest ``sha256:...`` of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Manifest:
    """One manifest or index and its content.

    :param kind: media type.
    :param digests: digests of the blobs, config first, foreign layers left out of ``pulled``.
    """

    def __init__(self, kind, body, blobs=(), pulled=(), children=()):
        self.kind = kind
        self.body = body
        self.digest = digest_of(body)
        self.blobs = list(blobs)
        self.pulled = list(pulled)
        self.children = list(children)

    def descriptor(self, platform=None):
        entry = {"mediaType": self.kind, "digest": self.digest, "size": len(self.body)}
        if platform:
            parts = platform.split("/")
            entry["platform"] = dict(zip(("os", "architecture", "variant"), (parts[0], parts[1]) + tuple(parts[2:])))
        return entry


def _body(document):
    return json.dumps(document, indent=1).encode()


def _platform_manifest(label, kind, platform, layers, size, foreign, digests, store):
    """Return the manifest of one platform, and add its blobs to ``store``."""
    system, architecture = platform.split("/")[:2]
    given = list(digests or [])

    def blob(content):
        digest = given.pop(0) if given else digest_of(content)
        store[digest] = content
        return {"digest": digest, "size": len(content)}

    config = blob(
        _body(
            {
                "architecture": architecture,
                "os": system,
                "config": {"Labels": {"sandbox": label}},
                "rootfs": {"type": "layers", "diff_ids": []},
            }
        )
    )
    entries = []
    for number in range(layers):
        text = f"{label} {platform} layer {number}\n".encode()
        entries.append(dict(blob((text * (size // len(text) + 1))[: max(size, len(text))]), mediaType=_LAYER[kind]))
    for number in range(foreign):
        content = f"{label} foreign {number}".encode()
        entries.append(
            {
                "mediaType": _FOREIGN[kind],
                "digest": digest_of(content),
                "size": len(content),
                "urls": [f"https://mirror.example.com/layers/{number}"],
            }
        )
    document = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": dict(config, mediaType=_CONFIG[kind]),
        "layers": entries,
    }
    everything = [config["digest"]] + [entry["digest"] for entry in entries]
    kept = [config["digest"]] + [entry["digest"] for entry in entries if "urls" not in entry]
    return Manifest(kind, _body(document), everything, kept)


def build(
    label, kind="oci", platforms=None, layers=3, size=256, nested=False, attestations=False, foreign=0, digests=None
):
    """Build an image.

    :param label: text in every blob, so each label results in other digests.
    :param kind: ``oci`` or ``docker``.
    :param platforms: list such as ``["linux/amd64", "linux/arm64/v8"]`` for an index; None for a single manifest.
    :param layers: number of layers of a platform, besides the config.
    :param size: bytes of a layer.
    :param nested: whether the platforms are in an index inside the index.
    :param attestations: whether each platform has an attestation manifest, as with BuildKit.
    :param foreign: number of foreign layers, which registries do not hold.
    :param digests: digests to report for the blobs (recorded ones), config first; for an index a dict by platform.
    :returns: the top ``Manifest``, a dict of platform to ``Manifest``, and a dict of digest to blob.
    """
    single, many = _KINDS[kind]
    blobs: dict[str, bytes] = {}
    if platforms is None:
        manifest = _platform_manifest(label, single, "linux/amd64", layers, size, foreign, digests, blobs)
        return manifest, {"linux/amd64": manifest}, blobs
    by_platform = {
        platform: _platform_manifest(
            label, single, platform, layers, size, foreign, (digests or {}).get(platform), blobs
        )
        for platform in platforms
    }
    entries, children = [], []
    for platform, manifest in by_platform.items():
        entries.append(manifest.descriptor(platform))
        children.append(manifest)
        if attestations:
            proof = _platform_manifest(
                label + " attestation of " + platform, single, "unknown/unknown", 1, 64, 0, None, blobs
            )
            entry = proof.descriptor("unknown/unknown")
            entry["annotations"] = {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": manifest.digest,
            }
            entries.append(entry)
            children.append(proof)
    top = Manifest(many, _body({"schemaVersion": 2, "mediaType": many, "manifests": entries}), children=children)
    if nested:
        top = Manifest(
            many, _body({"schemaVersion": 2, "mediaType": many, "manifests": [top.descriptor()]}), children=[top]
        )
    return top, by_platform, blobs
