# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse manifests and image indexes, and compute digests. Registries are not trusted."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t
from dataclasses import dataclass, field

from ._platforms import matching_platforms

INDEX_TYPES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFEST_TYPES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
SCHEMA1_TYPES = (
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
)
#: Media types of configs that name the platform of an image.
CONFIG_TYPES = ("application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json")
#: Media types that can be preheated.
KNOWN_TYPES = INDEX_TYPES + MANIFEST_TYPES + SCHEMA1_TYPES
#: Digest algorithms of registries, with their number of hexadecimal digits.
DIGEST_ALGORITHMS = {"sha256": 64, "sha512": 128}

_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})\Z")
# Platform of entries that are not images, such as BuildKit's attestations.
_UNKNOWN = "unknown"
_LARGEST_SIZE = 2**63 - 1
# Go ignores the case of field names, so a key in another case could replace the value that is checked here.
_FIELDS = frozenset(["schemaversion", "mediatype", "config", "layers", "manifests", "fslayers"])


class Child(t.NamedTuple):
    """An entry of an index.

    :ivar platform: ``os/arch[/variant]``, or an empty text if the entry has no platform.
    :ivar size: size of the manifest in bytes, None if the entry has no size.
    """

    platform: str
    digest: str
    size: int | None
    media_type: str | None = None


@dataclass
class Manifest:
    """A manifest or an index.

    :ivar children: entries of an index; None for a manifest.
    :ivar blobs: digests of the config and the layers of a manifest, without duplicates and without layers that hosts
        fetch from other servers; None for an index.
    :ivar sizes: sizes of the blobs in bytes by digest, if known.
    :ivar config: digest of the config if it may name the platform of the image; None otherwise.
    """

    digest: str
    children: list[Child] | None = None
    blobs: list[str] | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    config: str | None = None

    @property
    def platforms(self) -> list[str]:
        """The platforms of the images of an index, sorted."""
        return sorted({child.platform for child in self.children or () if _is_image(child)})

    def children_for(self, platform: str | None) -> list[Child]:
        """Return the entries of an index that a platform needs, without duplicates; None means all platforms."""
        images = list(dict.fromkeys(filter(_is_image, self.children or ())))
        if platform is None:
            return images
        wanted = matching_platforms(platform, [child.platform for child in images])
        return [child for child in images if child.platform in wanted]


def _is_image(child: Child) -> bool:
    return bool(child.platform) and _UNKNOWN not in child.platform.split("/")


def is_digest(text: str) -> bool:
    """Return whether a text is a digest that registries use."""
    return bool(_DIGEST.match(text))


def compute_digest(content: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of bytes, such as ``sha256:...``."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def digest_problem(text: str) -> str:
    """Return why a text is not a valid digest."""
    algorithm = text.partition(":")[0]
    if ":" in text and re.match(r"[a-z0-9+._-]{1,32}\Z", algorithm) and algorithm not in DIGEST_ALGORITHMS:
        supported = " and ".join(DIGEST_ALGORITHMS)
        return f"the digest algorithm {algorithm} is not supported, only {supported} are"
    return f"{text[:100]!r} is not a digest (sha256: and 64 hexadecimal digits)"


def signed_content(body: bytes, document: t.Any) -> bytes:
    """Return the part of a body from which its digest is computed: all of it, except for the signatures of schema 1.

    Source: ``manifest/schema1/manifest.go`` of distribution 2.8.3 and github.com/docker/libtrust.

    :param document: decoded JSON of the body.
    :raises ValueError: if the signatures are malformed.
    """
    signatures = document.get("signatures") if isinstance(document, dict) else None
    if not signatures or document.get("schemaVersion") != 1:
        return body
    try:
        protected = json.loads(_decode_base64(signatures[0]["protected"]).decode("utf-8"))
        length, tail = protected["formatLength"], _decode_base64(protected["formatTail"])
        is_within = 0 < length <= len(body)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError("its signature cannot be read") from None
    if not is_within:
        raise ValueError("its signature cannot be read")
    return body[:length] + tail


def _decode_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parse_manifest(document: t.Any, media_type: str, digest: str) -> Manifest:
    """Return the manifest in a document.

    :param media_type: media type of the response. It must match ``mediaType`` in the document if both are known, as
        containerd (``validateMediaType`` in ``core/images/image.go``, 2.1) and distribution require.
    :param digest: digest of the document, which is not verified here.
    :raises ValueError: if the manager cannot preheat it.
    """
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    kind = _media_type(document, media_type)
    _check_spelling(document)
    _check_single_kind(document, kind)
    if _is_index(document, kind):
        return _index(document, digest)
    if kind in SCHEMA1_TYPES or document.get("schemaVersion") == 1:
        return _schema1_manifest(document, digest)
    if kind in MANIFEST_TYPES or document.get("layers") is not None:
        return _image_manifest(document, digest)
    raise ValueError(f"its media type {kind!r} is not that of an image")


def _is_index(document: dict[str, t.Any], kind: str) -> bool:
    return kind in INDEX_TYPES or (kind not in MANIFEST_TYPES and document.get("manifests") is not None)


def _index(document: dict[str, t.Any], digest: str) -> Manifest:
    return Manifest(digest, children=[_child(place, entry) for place, entry in _entries(document, "manifests")])


def _schema1_manifest(document: dict[str, t.Any], digest: str) -> Manifest:
    layers = dict.fromkeys(_digest(place, layer, "blobSum") for place, layer in _entries(document, "fsLayers"))
    return Manifest(digest, blobs=list(layers))


def _media_type(document: dict[str, t.Any], media_type: str) -> str:
    own = document.get("mediaType")
    if own is not None and not isinstance(own, str):
        raise ValueError("its mediaType is not a string")
    if own in KNOWN_TYPES and media_type in KNOWN_TYPES and own != media_type:
        raise ValueError(f"its mediaType is {own}, but the header Content-Type says {media_type}")
    return own or media_type


def _check_spelling(document: dict[str, t.Any]) -> None:
    """Refuse keys that parsers read differently: Go ignores case, others do not.

    :raises ValueError: with the reason.
    """
    for key in document:
        is_usual = key == key.lower() or key in ("schemaVersion", "mediaType", "fsLayers")
        if key.lower() in _FIELDS and not is_usual:
            raise ValueError(f"it has the key {key!r}, which some parsers read as {key.lower()!r}")


def _check_single_kind(document: dict[str, t.Any], kind: str) -> None:
    """Refuse documents that some parsers read as an index and others as a manifest.

    :raises ValueError: with the reason.
    """
    index = _signs(document, ("manifests",), kind, INDEX_TYPES)
    manifest = _signs(document, ("config", "layers", "fsLayers"), kind, MANIFEST_TYPES + SCHEMA1_TYPES)
    if index and manifest:
        raise ValueError(f"it is both an index ({index}) and a manifest ({manifest})")


def _signs(document: dict[str, t.Any], keys: tuple[str, ...], kind: str, types: tuple[str, ...]) -> str:
    """Return which of some keys a document has, or else its media type if it is one of some types."""
    return ", ".join(key for key in keys if document.get(key)) or (kind if kind in types else "")


def _image_manifest(document: dict[str, t.Any], digest: str) -> Manifest:
    config = _object("config", document.get("config"))
    sizes = {_digest("config", config): _size("config", config)}
    for place, layer in _entries(document, "layers"):
        blob, size = _digest(place, layer), _size(place, layer)
        if not _has_urls(place, layer):
            sizes[blob] = size
    known_sizes = {blob: size for blob, size in sizes.items() if size is not None}
    platform_config = config["digest"] if config.get("mediaType") in CONFIG_TYPES else None
    return Manifest(digest, blobs=list(sizes), sizes=known_sizes, config=platform_config)


def _has_urls(place: str, layer: dict[str, t.Any]) -> bool:
    """Return whether hosts fetch a layer from elsewhere, such as base layers of Windows. The registry may lack it."""
    urls = layer.get("urls") or []
    if not isinstance(urls, list):
        raise ValueError(f"{place}.urls is not a list")
    return bool(urls)


def _entries(document: dict[str, t.Any], key: str) -> list[tuple[str, dict[str, t.Any]]]:
    """Return the objects of a list, each with its place for error messages, such as ``layers[0]``."""
    entries = document.get(key)
    if not isinstance(entries, list):
        raise ValueError(f"it has no list {key}")
    return [(f"{key}[{number}]", _object(f"{key}[{number}]", entry)) for number, entry in enumerate(entries)]


def _object(place: str, value: t.Any) -> dict[str, t.Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{place} is missing" if value is None else f"{place} is not an object")
    return value


def _digest(place: str, descriptor: dict[str, t.Any], key: str = "digest") -> str:
    digest = descriptor.get(key)
    if not isinstance(digest, str):
        raise ValueError(f"{place}.{key} is {'missing' if digest is None else 'not a string'}")
    if not is_digest(digest):
        raise ValueError(f"{place}.{key}: {digest_problem(digest)}")
    return digest


def _size(place: str, descriptor: dict[str, t.Any]) -> int | None:
    """Return the size of a descriptor in bytes. containerd accepts one without a size, too."""
    size = descriptor.get("size")
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= _LARGEST_SIZE:
        raise ValueError(f"{place}.size is {str(size)[:40]!r}, which is not a number of bytes")
    return size


def _child(place: str, descriptor: dict[str, t.Any]) -> Child:
    media_type = descriptor.get("mediaType")
    return Child(
        _platform(descriptor.get("platform")),
        _digest(place, descriptor),
        _size(place, descriptor),
        media_type if isinstance(media_type, str) else None,
    )


def _platform(described: t.Any) -> str:
    if not isinstance(described, dict):
        return ""
    names = [described.get(key) for key in ("os", "architecture", "variant")]
    return "/".join(name for name in names if isinstance(name, str) and name)


def config_platform(config: t.Any) -> str | None:
    """Return the platform in the config of an image, or None.

    :param config: decoded JSON of the config.
    """
    if not isinstance(config, dict) or not (config.get("os") and config.get("architecture")):
        return None
    return _platform(config)
