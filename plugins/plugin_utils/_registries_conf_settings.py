# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of registries.conf besides its entries: no mirror depends on them, but a wrong value fails every pull.

Source: github.com/containers/image v5.36.1 pkg/sysregistriesv2/system_registries_v2.go (V2RegistriesConf,
postProcessRegistries) and shortnames.go (validateShortName, parseShortNameValue).
"""

from __future__ import annotations

import typing as t

from ..module_utils._config_redaction import HIDDEN
from ..module_utils._image import DOCKER_HUB_NAMES, is_full_name, is_host
from ._config.values import is_list_of, is_mapping_of

_MODES = ("", "disabled", "enforcing", "permissive")
_LISTS = ("unqualified-search-registries", "credential-helpers")
_TEXTS = ("short-name-mode", "additional-layer-store-auth-helper")


def names_settings(document: dict[str, t.Any]) -> bool:
    """Return whether a document sets anything that only version 2 of the format has, besides entries.

    :param document: with its keys in lower case.
    """
    return any(document.get(key) not in (None, "", {}) for key in (*_LISTS, *_TEXTS, "aliases"))


def check_settings(document: dict[str, t.Any]) -> None:
    """Check the settings of a document.

    :param document: with its keys in lower case.
    :raises ValueError: if the programs reject one.
    """
    for key in _LISTS:
        if not is_list_of(document.get(key, []), str):
            raise ValueError(f"{key} is not a list of strings")
    for key in _TEXTS:
        if not isinstance(document.get(key, ""), str):
            raise ValueError(f"{key} is not a string")
    _check_short_names(document)
    _check_aliases(document.get("aliases", {}))


def _check_short_names(document: dict[str, t.Any]) -> None:
    mode = document.get("short-name-mode", "")
    if mode not in _MODES:
        raise ValueError(f"short-name-mode is {mode}, which is none of {', '.join(_MODES[1:])}")
    for registry in document.get("unqualified-search-registries", []):
        if not is_host(registry.rstrip("/")):
            raise ValueError(f"{registry} in unqualified-search-registries is not HOST[:PORT]")


def _check_aliases(aliases: t.Any) -> None:
    if not is_mapping_of(aliases, str):
        raise ValueError("aliases is not a table of strings")
    for name, value in aliases.items():
        if not _is_short_name(name):
            raise ValueError(f"the alias {name} is not a short name, without registry, tag and digest")
        if value not in ("", HIDDEN) and not _is_alias_target(value):
            raise ValueError(f"the alias {name} is {value}, which is not HOST[:PORT]/REPOSITORY without tag and digest")


def _is_short_name(name: str) -> bool:
    first, slash, _remainder = name.partition("/")
    is_registry = bool(slash) and ("." in first or first == "localhost")
    return not is_registry and is_full_name(f"docker.io/{name}" if slash else f"docker.io/library/{name}")


def _is_alias_target(value: str) -> bool:
    first, _slash, repository = value.partition("/")
    names_registry = "." in first or ":" in first or first == "localhost"
    # docker.io/alpine is read as docker.io/library/alpine.
    is_short = first in DOCKER_HUB_NAMES and "/" not in repository
    return names_registry and is_full_name(f"docker.io/library/{repository}" if is_short else value)
