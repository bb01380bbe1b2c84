# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module that sends requests to a manager: its minimum options and its secrets."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

from ansible_collections.dragonflyoss.dragonfly.tests.tools.sources import documented

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
IMAGE, FILE = "http://REGISTRY/shop/every:1", "http://REGISTRY/files/every.bin"


class ModuleCall(t.NamedTuple):
    """How to call a module: its credential, the required scope of a token, and the minimum options."""

    credential: str | None
    scope: str | None
    options: dict[str, t.Any]


class Documented(t.NamedTuple):
    """Return the documentation of a module."""

    options: set[str]
    asks_manager: bool


MODULES = {
    "cluster": ModuleCall("token", "cluster", {"name": "every"}),
    "cluster_info": ModuleCall("token", "cluster", {}),
    "image_distribution_info": ModuleCall("token", "job", {"image": IMAGE, "wait_sleep": 1}),
    "job": ModuleCall("token", "job", {"older_than": "7d", "state": "absent"}),
    "job_info": ModuleCall("token", "job", {}),
    "login": ModuleCall(None, None, {"username": "root", "password": "dragonfly"}),
    "manager_info": ModuleCall("jwt", None, {}),
    "peer_info": ModuleCall("jwt", None, {}),
    "personal_access_token": ModuleCall("jwt", None, {"name": "every", "expires_in": "30d"}),
    "preheat": ModuleCall("token", "job", {"image": IMAGE, "wait_sleep": 1}),
    "scheduler_info": ModuleCall("jwt", None, {}),
    "seed_peer_info": ModuleCall("jwt", None, {}),
    "task": ModuleCall("token", "job", {"image": IMAGE, "wait_sleep": 1, "state": "absent"}),
    "task_info": ModuleCall("token", "job", {"image": IMAGE, "wait_sleep": 1}),
}

MARK = "5ecret"
#: Option to a value with marks. A credential that must be accepted is unchanged.
SECRETS: dict[str, t.Any] = {
    "token": MARK + "-token",
    "jwt": MARK + "-jwt",
    "password": MARK + "-password",
    "registry_username": "puller",
    "registry_password": MARK + "-registry-password",
    "headers": {"X-Any": MARK + "-header", "Authorization": f"Bearer {MARK}-authorization"},
    "object_storage": {
        name: f"{MARK}-{name}" for name in ("access_key_id", "access_key_secret", "session_token", "security_token")
    },
    "hdfs": {"delegation_token": MARK + "-hdfs"},
    "registries": {
        "other.example.com": {"url": "http://other.example.com", "username": "puller", "password": MARK + "-detail"}
    },
}
#: Options with which these modules run as far as possible. Those with secrets for files only are for another run.
FAR: dict[str, list[dict[str, t.Any]]] = {
    "preheat": [
        {"image": IMAGE, "headers": SECRETS["headers"]},
        {
            "image": None,
            "file": FILE + f"?X-Amz-Signature={MARK}-signature&access_token={MARK}-query",
            "object_storage": SECRETS["object_storage"],
        },
        {"image": None, "file": FILE, "headers": SECRETS["headers"], "hdfs": SECRETS["hdfs"]},
    ],
    "task": [{}, {"image": None, "file": FILE + f"?X-Amz-Signature={MARK}-signature"}],
    "task_info": [{}, {"image": None, "file": FILE + f"?X-Amz-Signature={MARK}-signature"}],
}


def documentation(path):
    """Return a module's options, including those of fragments, and whether it has the connection group."""
    own = documented(path)
    options, fragments = set(own.get("options", ())), own["extends_documentation_fragment"]
    for fragment in fragments:
        name, _dot, variant = fragment.split(".", 2)[2].partition(".")
        text = documented(PLUGINS / "doc_fragments" / (name + ".py"), variant.upper() or "DOCUMENTATION")
        options |= set(text.get("options", ()))
    return Documented(options, "dragonflyoss.dragonfly._connection" in fragments)


OPTIONS = {path.stem: documentation(path) for path in sorted((PLUGINS / "modules").glob("*.py"))}


def filled(box, module, **more):
    """Return options with the box's addresses and credentials."""
    call = MODULES[module]
    options = dict({"url": box.url}, **call.options)
    if call.credential:
        options[call.credential] = getattr(box, call.credential)
    options.update(more)
    template = json.dumps({key: value for key, value in options.items() if value is not None})
    return json.loads(template.replace("REGISTRY", box.registry))


def marked(module, keep=()):
    """Return the secrets in a module's options, except those of ``FAR`` and these."""
    return {
        name: value
        for name, value in SECRETS.items()
        if name in OPTIONS[module].options and name not in keep and name not in ("headers", "object_storage", "hdfs")
    }


def far_runs(module):
    """Return the options of runs with secrets in which a module runs as far as possible."""
    runs = []
    for more in FAR.get(module, [{}]):
        keep = {MODULES[module].credential or "password"}
        if "file" in more:
            keep |= {"registry_username", "registry_password", "registries"}
        runs.append(dict(marked(module, keep), **more))
    return runs


def check_secrets(output, *own):
    encoded = base64.b64encode(f"puller:{SECRETS['registry_password']}".encode()).decode()
    for secret in (MARK, encoded) + own:
        assert secret not in output
