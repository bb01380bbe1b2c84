# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of registries: two kinds, and a function for each message."""

from __future__ import annotations

import json
import typing as t

from ._errors import DragonflyError, TransportError
from ._gateway import SPEAKS_PLAIN_HTTP, gateway_remedy, wants_tls
from ._image import Image
from ._manifest import Manifest
from ._text import listed

if t.TYPE_CHECKING:
    from ._http import Response


_REMEDIES = {
    429: "try again later, because the registry limits requests, or set registry_username and registry_password"
}
_OTHER_REMEDY = "see the log of the registry, and check the proxies in front of it"


class RegistryUnreachable(DragonflyError):
    """The registry sent no usable response: no connection, a timeout, or an error of the server."""


class RegistryRefused(DragonflyError):
    """The registry refused (401, 403, 404), does not have the content, sent something else, or is not trusted."""


def check_status(answer: Response, request: str, denial: str) -> None:
    """Raise an error if the status of a response is not a success.

    :param denial: meaning of a 401 or 403.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    message = f"{request}: the registry responded with {status}"
    if status in (401, 403):
        raise RegistryRefused(f"{message}: {denial}.", "registry_denied", request, status)
    if status == 404:
        note = " A reference without a tag means the tag latest." if request.endswith("/manifests/latest") else ""
        text = (
            f"{message}: the registry does not have this image, tag or digest.{note} What to do: check the reference."
        )
        raise RegistryRefused(text, "manifest_unknown", request, status)
    if wants_tls(status, answer.text()):
        text = f"{message}: it expects HTTPS on this port. What to do: write https:// in registries, or no scheme."
        raise RegistryUnreachable(text, "registry_unreachable", request, status)
    remedy = gateway_remedy(status, answer.proxy) or f" What to do: {_REMEDIES.get(status, _OTHER_REMEDY)}."
    raise RegistryUnreachable(f"{message}.{remedy}", "registry_unreachable", request, status)


def digest_mismatch(request: str, computed: str, source: str, claim: str) -> RegistryRefused:
    return RegistryRefused(
        f"{request}: the content that the registry sent has the digest {computed}, and {source} says {claim!r}. "
        "The module does not preheat content with a wrong digest. What to do: check the registry, and the proxies and "
        "caches in front of it.",
        "digest_mismatch",
        request,
    )


def bad_manifest(exc: ValueError, request: str) -> DragonflyError:
    if isinstance(exc, json.JSONDecodeError) and exc.msg == "Extra data":
        message = (
            f"{request}: the registry sent more than one JSON document, which parsers read differently. What to "
            "do: check the registry, and the proxies and caches in front of it."
        )
        return RegistryRefused(message, "bad_manifest", request)
    if isinstance(exc, (UnicodeError, json.JSONDecodeError)):
        message = (
            f"{request}: the response of the registry is not JSON. What to do: check the name and port of the "
            "registry, and the proxies in front of it."
        )
        return RegistryUnreachable(message, "registry_unreachable", request)
    message = (
        f"{request}: the registry sent a manifest that cannot be preheated: {exc}. What to do: check the registry and "
        "the caches in front of it, and push the image again."
    )
    return RegistryRefused(message, "bad_manifest", request)


def unreachable(exc: TransportError, image: Image, request: str) -> DragonflyError:
    if exc.reason != "tls":
        return RegistryUnreachable(f"The registry cannot be reached: {exc.message}", "registry_unreachable", request)
    message = exc.message
    if SPEAKS_PLAIN_HTTP in message:
        message = f"{exc.problem}. What to do: if the registry does not use TLS, write http://{image.registry}/..."
    elif "ca_path" in message:
        message = f"{exc.problem}. What to do: set ca_path of the registry in registries to the CA of its certificate."
    return RegistryRefused(message, "registry_tls", request)


def no_platform(image: Image, manifest: Manifest, platform: str | None) -> RegistryRefused:
    """Return the error for an index without content for a platform."""
    url = image.manifest_url()
    unnamed = [child.digest for child in manifest.children or () if not child.platform]
    if manifest.platforms:
        message = _other_platforms(url, platform, manifest.platforms)
    elif unnamed:
        names = listed([f"@{digest}" for digest in unnamed], most=3)
        message = (
            f"{url} is an image index whose entries name no platform, so managers find nothing in it to preheat. "
            f"What to do: preheat the digest of a manifest in it, without platforms: {names}."
        )
    else:
        message = f"{url} is an image index without images. What to do: push the image again."
    return RegistryRefused(message, "no_platform", f"GET {url}")


def other_platform(image: Image, platform: str, own: str) -> RegistryRefused:
    url = image.manifest_url()
    return RegistryRefused(_other_platforms(url, platform, [own]), "no_platform", f"GET {url}")


def _other_platforms(url: str, platform: str | None, offered: list[str]) -> str:
    return (
        f"{url} has no manifest for the platform {platform}. It has: {', '.join(offered)}. "
        "What to do: request a platform that it has."
    )
