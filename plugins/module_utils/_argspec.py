# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options by group, each written once. The doc fragments are the twins of these groups; a test compares them.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback

#: Names of options and what Ansible needs to know of each.
ArgumentSpec = t.Dict[str, t.Dict[str, t.Any]]


def duration(default: str | None = None, **more: t.Any) -> dict[str, t.Any]:
    """Return an option that holds a duration, see L(_duration): ``DragonflyModule`` turns it into seconds."""
    return {"type": "str", **({"default": default} if default else {}), **more}


# Both credentials, though a module takes one of them: they are set once for all modules, in module_defaults.
CONNECTION: ArgumentSpec = {
    "url": {"type": "str", "fallback": (env_fallback, ["DRAGONFLY_URL"])},
    "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["DRAGONFLY_TOKEN"])},
    "jwt": {"type": "str", "no_log": True, "fallback": (env_fallback, ["DRAGONFLY_JWT"])},
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
    "host_name": {"type": "str"},
    "ip": {"type": "str"},
    "idc": {"type": "str"},
    "location": {"type": "str"},
    "states": {"type": "list", "elements": "str", "choices": ["active", "inactive"], "aliases": ["state"]},
}

# What a task's id is made of, and where it is looked for.
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

# Of preheat_hit_info, whose action plugin checks them on the controller before its module runs on the host.
HIT: ArgumentSpec = {
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


def merged(*groups: ArgumentSpec, **options: dict[str, t.Any]) -> ArgumentSpec:
    """Return one argument spec of several groups and a module's own options."""
    spec: ArgumentSpec = {}
    for group in groups:
        spec.update(group)
    spec.update(options)
    return spec
