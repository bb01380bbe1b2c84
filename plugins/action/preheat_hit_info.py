# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges on the controller what the module dragonflyoss.dragonfly.preheat_hit_info finds on the host."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import HIT, REGISTRY, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError, InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import printable
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import dotted
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit import (
    Seed,
    disprove,
    judge,
    judge_probe,
    probe_for,
    seed_of_jobs,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit_images import Images
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._pull import reason

_FOR_THE_HOST = ("dfget_config", "dfdaemon_config", "containerd_config", "certs_dir", "timeout")


class ActionModule(ActionBase):
    """Runs the module once on the host, and once more for a probe."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Returns the result (dict) that the module documents."""
        super().run(tmp, task_vars)
        try:
            return self._judged(self._checked(), task_vars)
        except DragonflyError as error:
            return {"failed": True, "changed": False, "msg": printable(error.message), "reason": error.reason}

    def _checked(self) -> dict[str, t.Any]:
        """The options with their types and defaults.

        :raises AnsibleActionFail: if they are not what the module documents.
        """
        sources = [["jobs", "images"]]
        _result, params = self.validate_argument_spec(
            merged(REGISTRY, HIT), mutually_exclusive=sources, required_one_of=sources
        )
        if params["timeout"] <= 0:
            raise InputError(f"timeout must be at least 1, not {int(params['timeout'])}.")
        return params

    def _judged(self, params: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        images = Images(params)
        wanted = images.wanted()
        found = self._on_host(params, task_vars)
        if "facts" not in found:
            return found
        given = Seed(params["seed_client"], params["seed_release"], params["manager_release"])
        seed = seed_of_jobs(params["jobs"] or [], given)
        verdict = judge(found["facts"], wanted, seed)
        probed = None
        if params["probe"] and self._task.check_mode:
            verdict.note("probe_skipped", why="in check mode nothing is brought to the host")
        elif params["probe"]:
            served = next(((one, route) for one, route in verdict.requests if one.digests), None)
            if served is None and verdict.requests:
                disprove(verdict, reason("probe_impossible", why=verdict.requests[0][0].why or "its job does not tell"))
            elif served is None:
                verdict.note("probe_skipped", why="no client serves these pulls")
            else:
                probe = probe_for(*served, images.sizes(served[0]))
                # What hosts.toml says goes first, as it does in containerd.
                login = {name.lower(): value for name, value in images.headers(served[0]).items()}
                request = {
                    "proxy": probe.proxy,
                    "path": probe.path,
                    "headers": {**login, **probe.headers},
                    "hosts_file": probe.hosts_file,
                }
                answer = self._on_host(params, task_vars, probe_request=request)
                if "answer" not in answer:
                    return answer
                probed = judge_probe(verdict, probe, answer["answer"])
        return {
            "changed": False,
            "hit": verdict.hit,
            "blobs": verdict.blobs,
            "reasons": [
                {"code": one.code, "file": one.file, "key": one.key, "cure": one.cure, "message": one.message}
                for one in verdict.reasons
            ],
            "notes": verdict.notes,
            "client": verdict.client.name if verdict.client else None,
            "client_release": dotted(verdict.client.release) if verdict.client else None,
            "probe": probed,
        }

    def _on_host(self, params: dict[str, t.Any], task_vars: dict[str, t.Any] | None, **more: t.Any) -> dict[str, t.Any]:
        args = {name: params[name] for name in _FOR_THE_HOST if params[name] is not None}
        return self._execute_module(
            module_name="dragonflyoss.dragonfly.preheat_hit_info", module_args={**args, **more}, task_vars=task_vars
        )
