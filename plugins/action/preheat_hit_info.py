# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Predicts on the controller whether a host hits, from what the module preheat_hit_info reports of it."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import (
    HIT,
    REGISTRY,
    merged,
    validation_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._control_characters import control_problems
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import (
    raise_problems,
    range_problems,
    registry_login_problems,
    with_seconds,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import printable
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._release import format_release
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.lookup import ImageLookup
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.prediction import (
    BlobPrediction,
    Prediction,
    predict_hits,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.probe import (
    choose_pull,
    judge_probe,
    probe_for,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.reasons import note
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.seeds import SeedPeers, seed_peers_of_jobs

_FOR_THE_HOST = ("dfget_config", "dfdaemon_config", "containerd_config", "certs_dir", "registries_conf", "timeout")


class ActionModule(ActionBase):
    """Runs the module once on the host, and once more for a probe."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the result (dict) that the module documents."""
        super().run(tmp, task_vars)
        try:
            return self._predicted(self._checked(), task_vars)
        except DragonflyError as error:
            known = {"reason": error.reason, "request": error.request, "status": error.status}
            return {"failed": True, "changed": False, "msg": printable(error.message), **known}

    def _checked(self) -> dict[str, t.Any]:
        """Return the options with their types and defaults.

        :raises InputError: if they are not valid.
        """
        spec, sources = merged(REGISTRY, HIT), [["jobs", "images"]]
        validator = ArgumentSpecValidator(spec, mutually_exclusive=sources, required_one_of=sources)
        validation = validator.validate(dict(self._task.args))
        raise_problems(validation_problems(validation, spec))
        params = validation.validated_parameters
        params = with_seconds(params)
        raise_problems(control_problems(params) + range_problems(params) + registry_login_problems(params))
        return params

    def _predicted(self, params: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        lookup = ImageLookup(params)
        images = lookup.images()
        result = self._on_host(params, task_vars)
        if "facts" not in result:
            return result
        given = SeedPeers(params["seed_client"], params["seed_release"], params["manager_release"])
        seeds = seed_peers_of_jobs(params["jobs"] or [], given)
        prediction = predict_hits(result["facts"], images, seeds, _runtime(params))
        probed = None
        if params["probe"]:
            answer = self._probe(params, task_vars, lookup, prediction)
            if answer.get("failed") or answer.get("unreachable"):
                return answer
            probed = answer["probe"]
        return {**_result(prediction), "probe": probed}

    def _probe(
        self,
        params: dict[str, t.Any],
        task_vars: dict[str, t.Any] | None,
        lookup: ImageLookup,
        prediction: Prediction,
    ) -> dict[str, t.Any]:
        """Return the response of the host's proxy as ``probe``, None if there was no request, or the failed task."""
        if self._task.check_mode:
            prediction.add_notes([note("probe_skipped", why="check mode copies nothing to the host")])
            return {"probe": None}
        pull = choose_pull(prediction)
        if pull is None:
            return {"probe": None}
        probe = probe_for(pull, lookup.sizes(pull.image))
        # Headers in hosts.toml take precedence, as in containerd.
        login = {name.lower(): value for name, value in lookup.headers(pull.image).items()}
        request = {
            "proxy": probe.proxy,
            "path": probe.path,
            "headers": {**login, **probe.headers},
            "hosts_file": probe.hosts_file,
        }
        result = self._on_host(params, task_vars, probe_request=request)
        if "answer" not in result:
            return {"failed": True, **result}
        return {"probe": judge_probe(prediction, probe, result["answer"])}

    def _on_host(self, params: dict[str, t.Any], task_vars: dict[str, t.Any] | None, **more: t.Any) -> dict[str, t.Any]:
        args = {name: params[name] for name in _FOR_THE_HOST if params[name] is not None}
        return self._execute_module(
            module_name="dragonflyoss.dragonfly.preheat_hit_info", module_args={**args, **more}, task_vars=task_vars
        )


def _result(prediction: Prediction) -> dict[str, t.Any]:
    client, keys = prediction.client, ("code", "file", "key", "remedy", "message")
    return {
        "changed": False,
        "hit": prediction.hit,
        "blobs": [_blob_result(blob) for blob in prediction.blobs],
        "reasons": [{key: getattr(reason, key) for key in keys} for reason in prediction.reasons],
        "notes": prediction.notes,
        "runtime": prediction.runtime,
        "client": client.name if client else None,
        "client_release": format_release(client.release) if client else None,
    }


def _blob_result(blob: BlobPrediction) -> dict[str, t.Any]:
    """Return the keys of a blob that the module documents."""
    result = dataclasses.asdict(blob)
    result["hit"] = result.pop("is_hit")
    return result


def _runtime(params: dict[str, t.Any]) -> str | None:
    """Return the runtime whose pulls to check, None if it depends on the host."""
    names_containerd = params["containerd_config"] or params["certs_dir"]
    return params["runtime"] or ("containerd" if names_containerd else None)
