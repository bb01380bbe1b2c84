# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate the options of a preheat before any request."""

from __future__ import annotations

import re

from .._option_checks import (
    address_problems,
    raise_problems,
    range_problems,
    registry_login_problems,
    task_id_problems,
)
from .._releases import ARGS
from .fingerprint import BIO_LENGTH

MANY_PEERS = ("all_peers", "all_seed_peers")

#: Options that become keys of ``args``, except the platform, which differs between jobs.
ARG_OPTIONS = tuple(dict.fromkeys(arg.option for arg in ARGS if arg.option and arg.option != "platform"))
NESTED_OPTIONS = ("object_storage", "hdfs")
# Without registries, which is set for all tasks at once.
_IMAGE_ONLY = ("platforms", "enable_task_id_based_blob_digest", "registry_username", "registry_password")
_FILE_ONLY = NESTED_OPTIONS
_MANY_PEERS_ONLY = ("ips", "count", "percentage", "expected_ips", "max_failed_peers_percentage")
_MOST_IPS = 100
# A token of RFC 9110 (5.6.2).
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


def listed_sources(params: dict) -> tuple[list, str]:
    """Return the images or files to preheat, and which of them: ``image`` or ``file``."""
    for kind in ("image", "file"):
        if params.get(kind) is not None:
            return [params[kind]], kind
        if params.get(f"{kind}s") is not None:
            return params[f"{kind}s"], kind
    return [], "image"


def check_params(params: dict) -> None:
    """Reject options that are not valid, before anything is sent.

    :param params: the module's.
    :raises InputError: with all problems.
    """
    raise_problems(param_problems(params))


def param_problems(params: dict) -> list[str]:
    """Return what is wrong with options, as messages that begin with the name of an option.

    :param params: the module's, or those of them that are set.
    """
    sources, kind = listed_sources(params)
    return (
        _source_problems(sources)
        + range_problems(params)
        + _combination_problems(params, kind)
        + task_id_problems(params)
        + registry_login_problems(params)
        + _header_problems(params)
        + address_problems("ips", params.get("ips"))
        + address_problems("expected_ips", params.get("expected_ips"))
        + _length_problems(params)
    )


def _source_problems(sources: list) -> list[str]:
    if not sources:
        return ["images or files is empty, so there is nothing to preheat"]
    if any(not isinstance(source, str) or not source.strip() for source in sources):
        return ["image, images, file and files must not contain an empty string"]
    return []


def _combination_problems(params: dict, kind: str) -> list[str]:
    wrong_kind, right = (_FILE_ONLY, "files") if kind == "image" else (_IMAGE_ONLY, "images")
    problems = [f"{name} is only for {right}" for name in wrong_kind if params.get(name)]
    if params.get("scope") not in MANY_PEERS:
        problems += [
            f"{name} requires scope all_peers or all_seed_peers" for name in _MANY_PEERS_ONLY if params.get(name)
        ]
    return problems


def _header_problems(params: dict) -> list[str]:
    problems = []
    for name, value in (params.get("headers") or {}).items():
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            problems.append(f"headers: the value of {name!r} must be a string, not {type(value).__name__}")
        if not _HEADER_NAME.match(str(name)):
            problems.append(f"headers: {name!r} is not a valid name of a header")
        if not str(value).isascii():
            problems.append(f"headers: the value of {name!r} must not contain characters outside ASCII")
    return problems


def _length_problems(params: dict) -> list[str]:
    problems = []
    if len(params.get("ips") or []) > _MOST_IPS:
        problems.append(f"ips takes at most {_MOST_IPS} addresses")
    if len(params.get("bio") or "") > BIO_LENGTH:
        problems.append(f"bio must not be longer than {BIO_LENGTH} characters")
    return problems
