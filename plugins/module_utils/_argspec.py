# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options in groups, each defined once. A test compares them with the doc fragments."""

from __future__ import annotations

import difflib
import typing as t

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.errors import UnsupportedError

#: Maps the name of an option to its argument spec.
ArgumentSpec = t.Dict[str, t.Dict[str, t.Any]]


def duration(default: str | None = None, **more: t.Any) -> dict[str, t.Any]:
    """Return the argument spec of a duration, which ``DragonflyModule`` converts to seconds."""
    return {"type": "str", **({"default": default} if default else {}), **more}


# A module accepts all credentials, even if it uses only some, because module_defaults sets them for all modules.
CONNECTION: ArgumentSpec = {
    "url": {"type": "str", "fallback": (env_fallback, ["DRAGONFLY_URL"])},
    "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["DRAGONFLY_TOKEN"])},
    "jwt": {"type": "str", "no_log": True, "fallback": (env_fallback, ["DRAGONFLY_JWT"])},
    "username": {"type": "str", "fallback": (env_fallback, ["DRAGONFLY_USERNAME"])},
    "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["DRAGONFLY_PASSWORD"])},
    "validate_certs": {"type": "bool", "default": True, "fallback": (env_fallback, ["DRAGONFLY_VALIDATE_CERTS"])},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["DRAGONFLY_CA_PATH"])},
    "client_cert": {"type": "path", "fallback": (env_fallback, ["DRAGONFLY_CLIENT_CERT"])},
    "client_key": {"type": "path", "fallback": (env_fallback, ["DRAGONFLY_CLIENT_KEY"])},
    "timeout": duration("2m", fallback=(env_fallback, ["DRAGONFLY_TIMEOUT"])),
}

WAIT: ArgumentSpec = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": duration("70m"),
    "wait_sleep": duration("5s"),
}

PEER_FILTERS: ArgumentSpec = {
    "hostname": {"type": "str"},
    "ip": {"type": "str"},
    "idc": {"type": "str"},
    "location": {"type": "str"},
    "states": {"type": "list", "elements": "str", "choices": ["active", "inactive"], "aliases": ["state"]},
}

# Options that determine the ID of a task, and the clusters to query.
TASK: ArgumentSpec = {
    "tag": {"type": "str"},
    "application": {"type": "str"},
    "filtered_query_params": {"type": "list", "elements": "str"},
    "piece_length": {"type": "int"},
    "job_timeout": duration(),
    "scheduler_cluster_ids": {"type": "list", "elements": "int", "aliases": ["scheduler_cluster_id"]},
}
TASK_SOURCES: ArgumentSpec = {
    "image": {"type": "str"},
    "images": {"type": "list", "elements": "str"},
    "file": {"type": "str"},
    "files": {"type": "list", "elements": "str"},
    "task_id": {"type": "str"},
    "task_ids": {"type": "list", "elements": "str"},
    "platforms": {"type": "list", "elements": "str", "aliases": ["platform"]},
    "digest_ids": {"type": "bool", "default": False},
}

REGISTRY: ArgumentSpec = {
    "registries": {"type": "dict"},
    "registry_username": {"type": "str"},
    "registry_password": {"type": "str", "no_log": True},
}

_CREDENTIALS = ("token", "jwt", "username", "password")


def _without_fallback(spec: ArgumentSpec, names: t.Iterable[str]) -> ArgumentSpec:
    return {name: {key: value for key, value in spec[name].items() if key != "fallback"} for name in names}


def connection(*credentials: str) -> ArgumentSpec:
    """Return the group CONNECTION for a module that uses only these credentials.

    It ignores the others, and does not read them from the environment.
    """
    return {**CONNECTION, **_without_fallback(CONNECTION, set(_CREDENTIALS).difference(credentials))}


def ignored_credentials(spec: ArgumentSpec) -> list[str]:
    """Return the credentials that a module ignores: those that it does not read from the environment either."""
    return [name for name in _CREDENTIALS if name in spec and "fallback" not in spec[name]]


# For modules of the action group that send no request to the manager.
UNUSED_CONNECTION = _without_fallback(CONNECTION, ("url", *_CREDENTIALS, "client_cert", "client_key"))

# Options of preheat_hit_info. The action plugin validates them on the controller before the module runs on the host.
HIT: ArgumentSpec = {
    **UNUSED_CONNECTION,
    "jobs": {"type": "list", "elements": "dict"},
    "images": {"type": "list", "elements": "str", "aliases": ["image"]},
    "platforms": {"type": "list", "elements": "str", "aliases": ["platform"]},
    "tag": {"type": "str"},
    "application": {"type": "str"},
    "piece_length": {"type": "int"},
    "enable_task_id_based_blob_digest": {"type": "bool", "default": False},
    "seed_client": {"type": "str", "choices": ["dfget", "dfdaemon"]},
    "seed_release": {"type": "str"},
    "manager_release": {"type": "str"},
    "runtime": {"type": "str", "choices": ["containerd", "podman", "crio"]},
    "probe": {"type": "bool", "default": False},
    "dfget_config": {"type": "path"},
    "dfdaemon_config": {"type": "path"},
    "containerd_config": {"type": "path"},
    "certs_dir": {"type": "path"},
    "registries_conf": {"type": "path"},
    "validate_certs": CONNECTION["validate_certs"],
    "ca_path": CONNECTION["ca_path"],
    "timeout": duration("30s"),
}

_EXCLUSIVE = "parameters are mutually exclusive: "
_TYPES = {
    "bool": "true or false",
    "dict": "a dictionary",
    "float": "a number",
    "int": "an integer",
    "list": "a list",
    "str": "a string",
}


def merged(*groups: ArgumentSpec, **options: dict[str, t.Any]) -> ArgumentSpec:
    """Return an argument spec of groups and of the module's own options."""
    spec: ArgumentSpec = {}
    for group in groups:
        spec.update(group)
    spec.update(options)
    return spec


def validation_problems(validation: t.Any, spec: ArgumentSpec) -> list[str]:
    """Return all errors that Ansible reports about options: unknown names first, with similar valid names.

    :param validation: result of an ``ArgumentSpecValidator``.
    """
    # An entry is a name or the path of a suboption.
    paths = [(name,) if isinstance(name, str) else tuple(name) for name in validation.unsupported_parameters]
    unknown = [unknown_option_problem(path[-1], _names_at(spec, path[:-1]), path[:-1]) for path in sorted(paths)]
    others = [error.msg for error in validation.errors if not isinstance(error, UnsupportedError)]
    return unknown + [_stock_problem(text).rstrip(".") for text in others]


def _stock_problem(text: str) -> str:
    """Return one of Ansible's messages with a remedy, and without the explanation of types."""
    before, marker, after = text.partition(" and we were unable to convert to ")
    expected = _TYPES.get(after.partition(":")[0])
    quoted = before.split("'")
    if marker and expected and len(quoted) > 2:
        return f"{'each element of ' if text.startswith('Elements') else ''}{quoted[1]} must be {expected}"
    if text.startswith(_EXCLUSIVE):
        return f"options are mutually exclusive: {text[len(_EXCLUSIVE) :]} (set only one of them)"
    return text


def unknown_option_problem(name: str, known: t.Iterable[str], within: t.Sequence[str] = ()) -> str:
    """Return the message for an option that does not exist.

    :param known: valid names at this level.
    :param within: names of the enclosing options.
    """
    names = sorted(known)
    similar = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {similar[0]}?" if similar else f"the options are {', '.join(names)}"
    return f"{'.'.join([*within, name])} is not a valid option ({hint})"


def _names_at(spec: ArgumentSpec, path: t.Sequence[str]) -> set[str]:
    for name in path:
        spec = spec.get(name, {}).get("options") or {}
    return set(spec) | {alias for option in spec.values() for alias in option.get("aliases", ())}
