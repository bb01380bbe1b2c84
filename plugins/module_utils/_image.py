# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse image references. Sends no requests."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import SplitResult, urlsplit

from ._errors import InputError
from ._manifest import digest_problem, is_digest
from ._redact import MASK, redact_url
from ._text import has_blank, trim, url_problem

#: Registry from which images of docker.io are preheated and pulled, as in Dragonfly's documentation.
DOCKER_HUB = "https://index.docker.io"

#: Host from which containerd pulls images of docker.io. In a reference, it is a different registry.
DOCKER_HUB_HOST = "registry-1.docker.io"
#: Names that containerd resolves to docker.io (github.com/distribution/reference normalize.go).
DOCKER_HUB_NAMES = ("docker.io", "index.docker.io")
#: Hosts of Docker Hub that are not a registry: a name in references, and websites.
_WITHOUT_IMAGES = ("docker.io", "www.docker.io", "hub.docker.com")
# The grammar of github.com/distribution/reference.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*\Z")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?\Z"
)
# Hosts in URLs may contain characters that references do not allow, such as underscores.
_URL_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?\Z")
_TAG = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_MANIFEST_URL = re.compile(r"(?P<base>https?://[^/?#]+)/v2/(?P<name>.+)/manifests/(?P<reference>[^/?#]+)\Z")
# In a reference, @ is followed by a digest, which does not contain a slash.
_CREDENTIALS = re.compile(r"(?P<scheme>https?://)?.*@(?=.*/)", re.DOTALL)
# Text of a mapping or list that Ansible converted to a string. A reference may start with an IPv6 address.
_LIST_OR_DICTIONARY = re.compile(r"\{|\[[\]\"'{]")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}\Z")
#: Characters of a repository name including library/ (github.com/distribution/reference reference.go).
_LONGEST_NAME = 255
#: Limit of a reference: the name with its registry has at most 255 characters, a tag 128.
_LONGEST = 2048


class Image(t.NamedTuple):
    """An image in terms of a registry's API.

    :ivar registry: the name that users write (``docker.io``, ``registry:5000``).
    :ivar base: URL up to ``/v2``, without a trailing slash.
    :ivar name: repository, including the prefix in the registry's base URL.
    :ivar reference: tag or digest.
    """

    registry: str
    base: str
    name: str
    reference: str

    @property
    def digest(self) -> str | None:
        """The digest, or None if the reference is a tag."""
        return self.reference if is_digest(self.reference) else None

    def manifest_url(self, reference: str | None = None) -> str:
        """Return the URL of the manifest.

        :param reference: another tag or digest of the same repository.
        """
        return f"{self.base}/v2/{self.name}/manifests/{reference or self.reference}"

    def blob_url(self, digest: str) -> str:
        """Return the URL of a blob. The manager derives the same URL from that of the manifest."""
        return f"{self.base}/v2/{self.name}/blobs/{digest}"


def check_base(registry: str, url: str) -> str:
    """Return the base URL of a registry, without a trailing slash.

    :raises InputError: if it is not a valid http or https URL.
    """
    url = trim(url)
    parts = _split_http_url(url)
    if parts is not None and "@" in parts.netloc:
        raise InputError(
            f"registries: the URL of {registry!r} must not contain credentials. Set username and password instead."
        )
    problem = url_problem(url)
    if problem or parts is None or not _serves_registry(parts):
        why = f", because {problem}" if problem else ""
        raise InputError(
            f"registries: the URL of {registry!r} must be http(s)://HOST[:PORT][/PREFIX], not {redact_url(url)!r}{why}."
        )
    return url.rstrip("/")


def _serves_registry(parts: SplitResult) -> bool:
    """Return whether a URL has a host, and a path that is empty or the beginning of a repository name."""
    prefix = parts.path.strip("/")
    return bool(_URL_HOST.match(parts.netloc)) and (not prefix or bool(_NAME.match(prefix)))


def _split_http_url(url: str) -> SplitResult | None:
    """Return the parts of an http or https URL; None if it is not one, or has a query or a fragment."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return None
    is_http = parts.scheme in ("http", "https") and parts.hostname
    return parts if is_http and not re.search("[?#]", url) else None


def check_registry_url(registry: str, url: str) -> str:
    """Return the base URL that a user sets for a registry, without a trailing slash.

    :raises InputError: if the URL does not serve the API of a registry.
    """
    base = check_base(registry, url)
    if serves_no_images(base):
        raise InputError(f"registries: {registry!r}: {base} serves no images. Use {DOCKER_HUB}.")
    return base


def serves_no_images(url: str) -> bool:
    """Return whether a valid URL names a host of Docker Hub that is not a registry."""
    return urlsplit(url).hostname in _WITHOUT_IMAGES


def parse_image(text: str, bases: dict[str, str] | None = None) -> Image:
    """Return the image of a reference or a complete manifest URL. Surrounding white space is ignored.

    :param text: such as ``redis:7``, ``host:5000/team/app@sha256:...``, ``http://host:5000/team/app:1`` (plain HTTP) or
        ``https://host/v2/team/app/manifests/1``.
    :param bases: base URL by registry if it is not ``https://NAME``. Its path is a prefix of the repository.
    :raises InputError: if the text is not valid.
    """
    reference = _check_text(text)
    if reference.startswith(("http://", "https://")):
        return _from_url(reference)
    if "://" in reference:
        raise InputError(
            f"{redact_url(reference)!r} is not a valid image reference: leave the scheme out, or use http:// for a "
            "registry without TLS."
        )
    return _from_name(reference, bases or {})


def is_host(text: str) -> bool:
    """Return whether a text is the registry of a reference: a host, with or without a port."""
    return _HOST.match(text) is not None


def is_full_name(name: str) -> bool:
    """Return whether a name without tag and digest stands for itself, with its registry and its whole repository.

    Source: github.com/distribution/reference normalize.go (ParseNamed).
    """
    try:
        image = parse_image(name)
    except InputError:
        return False
    return name == f"{image.registry}/{image.name}"


def _check_text(text: str) -> str:
    """Return a text without surrounding white space, if it can be a reference."""
    if not isinstance(text, str):
        raise InputError(f"An image reference must be a string, not {type(text).__name__}.")
    reference = trim(text)
    if not reference:
        raise InputError("An image reference must not be empty.")
    if len(reference) > _LONGEST:
        raise InputError(f"An image reference must not be longer than {_LONGEST} characters: {reference[:40]!r}...")
    if _LIST_OR_DICTIONARY.match(reference):
        raise InputError(
            "An image reference must be text, not a list or a dictionary. Write lists as YAML or JSON: key=value on a "
            "command line cannot hold them."
        )
    _check_characters(reference)
    return reference


def _check_characters(reference: str) -> None:
    credentials = _CREDENTIALS.match(reference)
    if credentials:
        shown = (credentials.group("scheme") or "") + MASK + "@" + reference[credentials.end() :]
        raise _credentials_error(shown)
    if "," in reference:
        raise InputError(
            f"{redact_url(reference)!r} is not a valid image reference: it contains a comma. For several images, set "
            "images to a list."
        )
    if has_blank(reference):
        # Escape before redacting, which would remove line ends.
        shown = redact_url(reference.encode("unicode_escape").decode("ascii"))
        raise InputError(f"'{shown}' is not a valid image reference: it contains white space.")


def _credentials_error(shown: str) -> InputError:
    return InputError(f"An image reference must not contain credentials: {shown!r}. See registry_username.")


def _from_url(text: str) -> Image:
    scheme, _separator, name_and_reference = text.partition("://")
    if "@" in re.split("[/?#]", name_and_reference)[0]:
        raise _credentials_error(redact_url(text))
    match = _MANIFEST_URL.match(text)
    if match:
        return _from_manifest_url(text, match)
    if "/v2/" in text:
        raise InputError(
            f"{redact_url(text)!r} is not a valid manifest URL, which is http(s)://HOST/v2/NAME/manifests/REFERENCE."
        )
    registry, slash, path = name_and_reference.partition("/")
    if not _HOST.match(registry) or not slash:
        raise InputError(f"{redact_url(text)!r} is not a valid image reference: after {scheme}:// comes HOST/NAME.")
    _check_serves_images(text)
    return _from_reference(text, registry, path, {registry: f"{scheme}://{registry}"})


def _from_name(text: str, bases: dict[str, str]) -> Image:
    registry, slash, name_and_reference = text.partition("/")
    if not slash or not (_names_registry(registry) or registry in bases):
        registry, name_and_reference = "docker.io", text
    registry = canonical_registry(registry)
    if registry == "docker.io" and "/" not in name_and_reference.partition("@")[0]:
        if _IMAGE_ID.match(text):
            raise InputError(f"{text!r} is not a valid image reference: 64 hexadecimal digits are the ID of an image.")
        name_and_reference = "library/" + name_and_reference
    return _from_reference(text, registry, name_and_reference, bases)


def _names_registry(text: str) -> bool:
    """Return whether the first component of a reference is a registry (normalize.go, splitDockerDomain)."""
    return "." in text or ":" in text or text == "localhost" or text != text.lower()


def canonical_registry(name: str) -> str:
    """Return containerd's name of a registry in a reference."""
    return "docker.io" if name in DOCKER_HUB_NAMES else name


def _from_manifest_url(text: str, match: re.Match[str]) -> Image:
    name, reference = match.group("name"), match.group("reference")
    if not _NAME.match(name):
        raise InputError(
            f"{text!r} is not a valid manifest URL: {name!r} is not a repository name (lower case letters, digits, "
            ". _ - and /)."
        )
    _check_reference(text, reference)
    registry = match.group("base").partition("://")[2]
    _check_host(text, registry)
    _check_serves_images(text)
    return Image(registry, match.group("base"), name, reference)


def _check_serves_images(text: str) -> None:
    if serves_no_images(text):
        shown, host = redact_url(text), urlsplit(text).hostname
        raise InputError(f"{shown!r} is not a valid image reference: {host} serves no images. Use {DOCKER_HUB}.")


def _check_host(text: str, registry: str) -> None:
    if not _HOST.match(registry):
        raise InputError(f"{text!r} is not a valid image reference: {registry!r} is not a registry.")


def _from_reference(text: str, registry: str, name_and_reference: str, bases: dict[str, str]) -> Image:
    _check_host(text, registry)
    name, at, digest = name_and_reference.partition("@")
    name, colon, tag = name.partition(":")
    _check_name(text, name)
    if colon:
        _check_tag(text, tag)
    if at and not is_digest(digest):
        raise InputError(f"{text!r} is not a valid image reference: {digest_problem(digest)}.")
    base, prefix = _base_and_prefix(registry, bases)
    return Image(registry, base, prefix + name, digest if at else tag or "latest")


def default_base(registry: str) -> str:
    """Return the base URL of a registry for which none is configured."""
    return DOCKER_HUB if registry == "docker.io" else f"https://{registry}"


def _base_and_prefix(registry: str, bases: dict[str, str]) -> tuple[str, str]:
    """Return the base URL of a registry, and the prefix of its repositories, which ends with a slash or is empty."""
    base = check_base(registry, bases.get(registry) or default_base(registry))
    prefix = urlsplit(base).path.strip("/")
    return (base[: -len(prefix) - 1], f"{prefix}/") if prefix else (base, "")


def _check_name(text: str, name: str) -> None:
    if len(name) > _LONGEST_NAME:
        problem = f"the repository name must not be longer than {_LONGEST_NAME} characters"
    elif _NAME.match(name):
        return
    elif _NAME.match(name.lower()):
        problem = "the repository name must be lowercase"
    else:
        problem = f"{name!r} is not a repository name"
    raise InputError(f"{text!r} is not a valid image reference: {problem}.")


def _check_tag(text: str, tag: str) -> None:
    if is_digest(tag):
        raise InputError(f"{text!r} is not a valid image reference: a digest follows an @, not a colon.")
    if not _TAG.match(tag):
        raise InputError(f"{text!r} is not a valid image reference: {tag!r} is not a tag.")


def _check_reference(text: str, reference: str) -> None:
    if ":" not in reference:
        _check_tag(text, reference)
    elif not is_digest(reference):
        raise InputError(f"{text!r} is not a valid image reference: {digest_problem(reference)}.")
