# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse platforms of images, and select the entries of an index that a platform needs."""

from __future__ import annotations

import re
import typing as t

from ._errors import InputError
from ._text import trim

_PLATFORM = re.compile(r"[a-z0-9_]+/[a-z0-9_]+(?:/[a-z0-9_.]+)?\Z")
# Aliases of architectures, with the variant that they imply (containerd/platforms v0.2.1, database.go).
_ARCHITECTURES = {
    "i386": ("386", ""),
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
# Aliases of variants, by architecture.
_VARIANTS = {
    "amd64": {"v1": ""},
    "arm64": {"8": "", "v8": ""},
    "arm": {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
}
_LOWEST_ARM = 5
#: Stands for all platforms of an image.
ALL_PLATFORMS = "all"


class Platform(t.NamedTuple):
    """A platform in an index or in the config of an image."""

    os: str
    architecture: str
    variant: str = ""


def check_platform(text: str) -> str:
    """Return a platform such as ``linux/amd64`` or ``linux/arm64/v8`` without surrounding white space.

    :raises InputError: if it is not valid.
    """
    platform = trim(text)
    if not _PLATFORM.match(platform):
        raise InputError(
            f"{text!r} is not a valid platform, which is OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as "
            "linux/amd64."
        )
    return platform


def check_platforms(names: t.Iterable[str] | None) -> list[str]:
    """Return platforms without duplicates. ``all`` excludes others.

    :raises InputError: if a platform is not valid, or ``all`` is combined with others.
    """
    platforms = list(dict.fromkeys(trim(name) for name in names or ()))
    if ALL_PLATFORMS not in platforms:
        return [check_platform(name) for name in platforms]
    if len(platforms) > 1:
        raise InputError("platforms: all includes every platform of an image, so it must be the only one.")
    return platforms


def platforms_to_read(names: t.Iterable[str] | None) -> list[str | None]:
    """Return the platforms whose blobs count, or None for all platforms, which is the default."""
    return [name for name in check_platforms(names) if name != ALL_PLATFORMS] or [None]


def parse_platform(text: str) -> Platform:
    """Return the platform in a text, as spelled."""
    return Platform(*(text.split("/") + [""])[:3])


def matching_platforms(requested: str, offered: t.Collection[str]) -> set[str]:
    """Return the offered platforms whose content a requested platform needs.

    Managers up to 2.5.1 use all entries of the system and architecture and ignore the variant
    (``internal/job/image.go``). Later managers use those that ``platforms.Only`` accepts (``pkg/oci/resolver.go``), as
    containerd does. For an unknown release, only entries that both use are expected. If the index has the requested
    variant, only that one is expected. If nothing is in common, the entry that hosts pull is expected.
    """
    wanted = _normalize(parse_platform(requested))
    exact = _select(offered, {wanted})
    names_variant = requested.count("/") > 1
    if names_variant and exact:
        return exact
    compatible = _select(offered, _compatible(wanted))
    same_architecture = {text for text in offered if parse_platform(text)[:2] == wanted[:2]}
    return (compatible & same_architecture) or compatible or same_architecture


def _select(offered: t.Collection[str], platforms: set[Platform]) -> set[str]:
    return {text for text in offered if _normalize(parse_platform(text)) in platforms}


def runs_on(image: str, requested: str) -> bool:
    """Return whether a host of the requested platform can pull an image without an index that is for another platform.

    Variants are compared only if both have one.
    """
    if all(own == other for own, other in zip(image.split("/"), requested.split("/"))):
        return True
    return _normalize(parse_platform(image)) in _compatible(_normalize(parse_platform(requested)))


def _normalize(platform: Platform) -> Platform:
    system = platform.os.lower()
    architecture, variant = platform.architecture.lower(), platform.variant.lower()
    architecture, implied = _ARCHITECTURES.get(architecture, (architecture, None))
    if implied is not None:
        variant = implied
    return Platform(
        "darwin" if system == "macos" else system, architecture, _VARIANTS.get(architecture, {}).get(variant, variant)
    )


def _compatible(platform: Platform) -> set[Platform]:
    """Return what ``platforms.Only`` accepts for a normalized platform (containerd/platforms v0.2.1, compare.go)."""
    accepted = {platform}
    number = _variant_number(platform.variant)
    if platform.architecture == "amd64":
        accepted |= {_normalize(platform._replace(variant=f"v{lower}")) for lower in range(1, number)}
        accepted.add(Platform(platform.os, "386"))
    elif platform.architecture == "arm":
        accepted |= {platform._replace(variant=f"v{lower}") for lower in range(_LOWEST_ARM, number)}
    elif platform.architecture == "arm64":
        accepted |= _compatible(Platform(platform.os, "arm", platform.variant or "v8"))
    return accepted


def _variant_number(variant: str) -> int:
    digits = variant[1:] if variant.startswith("v") else variant
    return int(digits) if re.match(r"[0-9]{1,3}\Z", digits) else 0
