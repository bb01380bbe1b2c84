# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generate small images for the registries. They consist of the same bytes in every run."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import random
import tarfile
import urllib.request

#: Sizes of the files in the layers, in bytes. The first is too large for the response of one read. The Rust client
#: 1.4.2 and later requests blobs of up to 4 MiB from the registry, and only larger ones from other peers
#: (dragonfly-client/src/resource/task.rs).
LAYER_SIZES = (300_000, 5_000_000, 9_000_000)

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

#: The architecture of the hosts, as images name it.
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def layer(seed: str, size: int) -> tuple[bytes, bytes]:
    """Return a tar archive with one file of noise, plain and compressed.

    :param size: of the file, in bytes
    """
    noise = random.Random(seed).randbytes(size)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        entry = tarfile.TarInfo(f"usr/share/{seed.replace('/', '-')}")
        entry.size = len(noise)
        archive.addfile(entry, io.BytesIO(noise))
    return plain.getvalue(), gzip.compress(plain.getvalue(), compresslevel=1, mtime=0)


class Repository:
    """A repository to which images are pushed.

    :param base: base URL of the registry
    :param name: name of the repository in it
    """

    def __init__(self, base: str, name: str) -> None:
        self._url = f"{base}/v2/{name}"

    def push(self, tag: str, architectures: tuple[str, ...] = (ARCHITECTURE,)) -> None:
        """Push an image, or with several architectures, an index with an image for each."""
        images = [self._push_image(tag, architecture) for architecture in architectures]
        if len(images) == 1:
            self._put_manifest(tag, MANIFEST, images[0])
            return
        entries = []
        for architecture, image in zip(architectures, images):
            self._put_manifest(digest_of(image), MANIFEST, image)
            entry = {"mediaType": MANIFEST, "digest": digest_of(image), "size": len(image)}
            entries.append({**entry, "platform": {"os": "linux", "architecture": architecture}})
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        self._put_manifest(tag, INDEX, json.dumps(index).encode())

    def _push_image(self, tag: str, architecture: str) -> bytes:
        seed = f"{self._url}:{tag}/{architecture}"
        layers = [layer(f"{seed}/{number}", size) for number, size in enumerate(LAYER_SIZES)]
        root = {"type": "layers", "diff_ids": [digest_of(plain) for plain, _compressed in layers]}
        config = json.dumps({"os": "linux", "architecture": architecture, "config": {}, "rootfs": root}).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._push_blob(CONFIG, config),
            "layers": [self._push_blob(LAYER, compressed) for _plain, compressed in layers],
        }
        return json.dumps(manifest).encode()

    def _push_blob(self, media_type: str, content: bytes) -> dict[str, str | int]:
        with self._send("POST", f"{self._url}/blobs/uploads/") as response:
            upload = response.headers["Location"]
        separator = "&" if "?" in upload else "?"
        digest = digest_of(content)
        self._send("PUT", f"{upload}{separator}digest={digest}", content, "application/octet-stream").close()
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def _put_manifest(self, reference: str, media_type: str, content: bytes) -> None:
        self._send("PUT", f"{self._url}/manifests/{reference}", content, media_type).close()

    @staticmethod
    def _send(method: str, url: str, content: bytes = b"", media_type: str = ""):
        request = urllib.request.Request(url, data=content, method=method, headers={"Content-Type": media_type})
        return urllib.request.urlopen(request, timeout=30)
