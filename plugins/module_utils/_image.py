# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image references and manifests, without any request.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._scrub import MASK, scrub_url

#: Where an image of docker.io is preheated and pulled, as in Dragonfly's own documents.
DOCKER_HUB = "https://index.docker.io"

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
SCHEMA1_TYPES = (
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
)
#: Of configs that tell for which platform an image is.
CONFIG_TYPES = (
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
)

# The grammar of github.com/distribution/reference.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*\Z")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?\Z"
)
_TAG = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})\Z")
_MANIFEST_URL = re.compile(r"(?P<base>https?://[^/?#]+)/v2/(?P<name>.+)/manifests/(?P<reference>[^/?#]+)\Z")
# In a reference only a digest follows an @, and a digest holds no slash.
_CREDENTIALS = re.compile(r"(?P<scheme>https?://)?.*@(?=.*/)")
_PLATFORM = re.compile(r"[a-z0-9_]+/[a-z0-9_]+(?:/[a-z0-9_.]+)?\Z")


class Image:
    """An image, as a registry's API names it.

    :ivar registry: the name that users write (``docker.io``, ``registry:5000``).
    :ivar base: URL up to ``/v2``, without a trailing slash.
    :ivar name: repository, with the prefix of the registry's base.
    :ivar reference: tag or digest.
    """

    def __init__(self, registry, base, name, reference):
        self.registry = registry
        self.base = base
        self.name = name
        self.reference = reference

    @property
    def digest(self):
        """The digest, or None where the reference is a tag."""
        return self.reference if is_digest(self.reference) else None

    def manifest_url(self, reference=None):
        """URL of the manifest.

        :param reference: another tag or digest of the same repository.
        """
        return f"{self.base}/v2/{self.name}/manifests/{reference or self.reference}"

    def blob_url(self, digest):
        """URL of a blob, as the manager builds it from the manifest URL."""
        return f"{self.base}/v2/{self.name}/blobs/{digest}"


def is_digest(text):
    """Whether a text is a digest that registries use."""
    return bool(_DIGEST.match(text))


def check_platform(text):
    """A platform such as ``linux/amd64`` or ``linux/arm64/v8``, as it is.

    :raises InputError: if it is none.
    """
    if not _PLATFORM.match(text):
        raise InputError(
            f"{text!r} is no platform, which is OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/amd64."
        )
    return text


def check_base(registry, url):
    """The base URL of a registry, without a trailing slash.

    :raises InputError: if it is no usable http or https URL.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        dummy = parts.port
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", url):
        raise InputError(
            f"registries: the URL of {registry!r} must be http(s)://HOST[:PORT][/PREFIX], not {scrub_url(url)!r}."
        )
    if "@" in parts.netloc:
        raise InputError(
            f"registries: the URL of {registry!r} must not hold credentials, give them as username and password."
        )
    return url.rstrip("/")


def parse_image(text, bases=None):
    """An image reference or a whole manifest URL.

    :param text: str such as ``redis:7``, ``host:5000/team/app@sha256:...``, ``http://host:5000/team/app:1`` (plain
        HTTP) or ``https://host/v2/team/app/manifests/1``.
    :param bases: dict of registry name to base URL, where that is not ``https://NAME``. A path in it is a repository
        prefix.
    :raises InputError: if it is none of these.
    """
    bases = bases or {}
    if not isinstance(text, str):
        raise InputError(f"An image reference is a text, not {type(text).__name__}.")
    if not text.strip():
        raise InputError("An image reference must not be empty.")
    if re.search(r"\s", text):
        raise InputError(f"{scrub_url(text)!r} is no image reference: it holds white space.")
    credentials = _CREDENTIALS.match(text)
    if credentials:
        shown = (credentials.group("scheme") or "") + MASK + "@" + text[credentials.end() :]
        raise InputError(f"An image reference must not hold credentials: {shown!r}. See registry_username.")
    if text.startswith(("http://", "https://")):
        if "@" in re.split("[/?#]", text.partition("://")[2])[0]:
            raise InputError(
                f"An image reference must not hold credentials: {scrub_url(text)!r}. See registry_username."
            )
        match = _MANIFEST_URL.match(text)
        if match:
            return _from_manifest_url(text, match)
        if re.search(r"/v2/", text):
            raise InputError(
                f"{scrub_url(text)!r} is no manifest URL, which is http(s)://HOST/v2/NAME/manifests/REFERENCE."
            )
        scheme, dummy, rest = text.partition("://")
        registry = rest.partition("/")[0]
        if not _HOST.match(registry) or "/" not in rest:
            raise InputError(f"{scrub_url(text)!r} is no image reference: after {scheme}:// comes HOST/NAME.")
        return _from_reference(text, registry, rest.partition("/")[2], {registry: f"{scheme}://{registry}"})
    if "://" in text:
        raise InputError(
            f"{scrub_url(text)!r} is no image reference: leave the scheme out, or use http:// for a registry "
            "without TLS."
        )
    registry, slash, rest = text.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost" or registry in bases):
        registry, rest = "docker.io", text
    if registry == "docker.io" and "/" not in rest.partition("@")[0]:
        rest = "library/" + rest
    return _from_reference(text, registry, rest, bases)


def _from_manifest_url(text, match):
    name, reference = match.group("name"), match.group("reference")
    if not _NAME.match(name):
        raise InputError(
            f"{text!r} is no manifest URL: {name!r} is no repository name (lower case letters, digits, . _ - and /)."
        )
    _check_reference(text, reference)
    registry = match.group("base").partition("://")[2]
    _check_host(text, registry)
    return Image(registry, match.group("base"), name, reference)


def _check_host(text, registry):
    if not _HOST.match(registry):
        raise InputError(f"{text!r} is no image reference: {registry!r} is no registry.")


def _from_reference(text, registry, rest, bases):
    _check_host(text, registry)
    name, at, digest = rest.partition("@")
    name, colon, tag = name.partition(":")
    if not _NAME.match(name):
        hint = " Names are in lower case." if name.lower() != name else ""
        raise InputError(f"{text!r} is no image reference: {name!r} is no repository name.{hint}")
    if colon:
        _check_reference(text, tag)
    if at and not _DIGEST.match(digest):
        raise InputError(
            f"{text!r} is no image reference: {digest!r} is no digest (sha256: and 64 hexadecimal digits)."
        )
    base = bases.get(registry) or (DOCKER_HUB if registry == "docker.io" else "https://" + registry)
    base = check_base(registry, base)
    prefix = urlsplit(base).path.strip("/")
    if prefix:
        base = base[: -len(prefix) - 1]
        name = f"{prefix}/{name}"
    return Image(registry, base, name, digest if at else tag or "latest")


def _check_reference(text, reference):
    if ":" in reference and not _DIGEST.match(reference):
        raise InputError(
            f"{text!r} is no image reference: {reference!r} is no digest (sha256: and 64 hexadecimal digits)."
        )
    if ":" not in reference and not _TAG.match(reference):
        raise InputError(f"{text!r} is no image reference: {reference!r} is no tag.")


class Manifest:
    """A manifest as a registry gave it.

    :ivar digest: str.
    :ivar children: for an index, a list of (platform, digest); None for a manifest. A platform is
        ``os/arch[/variant]``.
    :ivar blobs: for a manifest, the digests of the config and the layers, without repeats and without layers that hosts
        get from elsewhere; None for an index.
    :ivar sizes: of the blobs, dict of digest to bytes as far as the manifest tells them.
    :ivar config: digest of the config, where that can tell the platform of the image; else None.
    """

    def __init__(self, digest, children=None, blobs=None, sizes=None, config=None):
        self.digest = digest
        self.children = children
        self.blobs = blobs
        self.sizes = sizes or {}
        self.config = config

    @property
    def platforms(self):
        """The platforms of an index, sorted; without those of attestations, and without entries that tell none."""
        return sorted({name for name, dummy in self.children if "unknown" not in name.split("/")})

    def children_for(self, platform):
        """Digests of the manifests for a platform. The manager compares system and architecture only; so does this, but
        for a variant that the index knows.

        :param platform: str, or None for any but those of attestations.
        """
        if platform is None:
            return [digest for name, digest in self.children if "unknown" not in name.split("/")]
        exact = [digest for name, digest in self.children if name == platform]
        if exact and platform.count("/") == 2:
            return exact
        system = platform.split("/")[:2]
        return [digest for name, digest in self.children if name.split("/")[:2] == system]


def parse_manifest(document, media_type, digest):
    """A L(Manifest) from its JSON.

    :param document: what the JSON decoded to.
    :param media_type: of the answer; a ``mediaType`` in the document counts more.
    :raises ValueError: if it is none that the manager could preheat.
    """
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    kind = document.get("mediaType") or media_type
    if kind in INDEX_TYPES or isinstance(document.get("manifests"), list):
        return Manifest(digest, children=[_child(one) for one in _list(document, "manifests")])
    if kind in SCHEMA1_TYPES or document.get("schemaVersion") == 1:
        return Manifest(digest, blobs=_unique(_digest(one, "blobSum") for one in _list(document, "fsLayers")))
    if isinstance(document.get("layers"), list):
        config = document.get("config")
        # What has urls is fetched from there, and a registry need not hold it: base layers of Windows.
        layers = [one for one in _list(document, "layers") if not (isinstance(one, dict) and one.get("urls"))]
        parts = ([config] if isinstance(config, dict) else []) + layers
        blobs = [_digest(one, "digest") for one in parts]
        sizes = {blob: one.get("size") for blob, one in zip(blobs, parts) if isinstance(one.get("size"), int)}
        tells = isinstance(config, dict) and config.get("mediaType") in CONFIG_TYPES
        return Manifest(digest, blobs=_unique(blobs), sizes=sizes, config=blobs[0] if tells else None)
    raise ValueError(f"it is of the unknown kind {kind!r}")


def _list(document, key):
    value = document.get(key)
    if not isinstance(value, list):
        raise ValueError(f"it has no list {key}")
    return value


def _digest(descriptor, key):
    digest = descriptor.get(key) if isinstance(descriptor, dict) else None
    if not isinstance(digest, str) or not _DIGEST.match(digest):
        raise ValueError("it holds no usable digest")
    return digest


def _child(descriptor):
    digest = _digest(descriptor, "digest")
    platform = descriptor.get("platform")
    return "/".join(_platform(platform if isinstance(platform, dict) else {})) or "unknown/unknown", digest


def _platform(described):
    names = [described.get(key) for key in ("os", "architecture", "variant")]
    return [name for name in names if isinstance(name, str) and name]


def config_platform(config):
    """The platform that the config of an image tells, None where it does not.

    :param config: what its JSON decoded to.
    """
    tells = isinstance(config, dict) and config.get("os") and config.get("architecture")
    return "/".join(_platform(config)) if tells else None


def same_platform(one, other):
    """Whether two platforms have the same system and architecture, and the same variant where both tell one."""
    return all(mine == theirs for mine, theirs in zip(one.split("/"), other.split("/")))


def _unique(digests):
    return list(dict.fromkeys(digests))
