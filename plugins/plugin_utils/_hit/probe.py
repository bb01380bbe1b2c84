# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe: a request to the host's proxy that proves or disproves the prediction from its files."""

from __future__ import annotations

import typing as t

from .prediction import BlobPrediction, Prediction
from .pull import Pull
from .reasons import note, reason
from .route import Route


class Probe(t.NamedTuple):
    """A request for a blob, as containerd would send it to the client.

    :ivar proxy: URL of the proxy.
    :ivar path: with the query.
    :ivar headers: of hosts.toml, names in lower case.
    :ivar hosts_file: path of hosts.toml, which contains the redacted values.
    :ivar url: URL of the blob in the preheat.
    """

    proxy: str
    path: str
    headers: dict[str, str]
    hosts_file: str
    url: str


def choose_pull(prediction: Prediction) -> Pull | None:
    """Return the pull to probe, or None and add the reason to the prediction."""
    for pull in prediction.pulls:
        if pull.image.digests:
            return pull
    if prediction.pulls:
        why = prediction.pulls[0].image.unknown_because or "its job does not say"
        prediction.disprove(reason("probe_impossible", why=why))
    else:
        prediction.add_notes([note("probe_skipped", why="no client serves these pulls")])
    return None


def probe_for(pull: Pull, sizes: dict[str, int]) -> Probe:
    """Return the probe of a host: the smallest blob of an image.

    :param pull: of an image with at least one digest, that a client serves.
    :param sizes: bytes of blobs by digest, as far as they are known.
    """
    route = t.cast(Route, pull.route)
    digest = min(pull.image.digests, key=lambda digest: sizes.get(digest, 1 << 62))
    path = route.blob_path(pull.image.pulled_repository, digest) + (f"?{route.query}" if route.query else "")
    return Probe(route.proxy, path, dict(route.headers), route.file, pull.image.blob_url(digest))


def judge_probe(prediction: Prediction, probe: Probe, answer: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Compare the response of the host's proxy with the prediction, and correct the prediction.

    :param answer: ``status``, ``headers`` (names in lower case), ``bytes``, ``seconds``, ``error``, ``unknown``, as
        the module reports them.
    :returns: dict with ``url, status, task_id, predicted_task_id, agrees, from_cache, seconds``; None if nothing was
        requested.
    """
    if answer.get("unknown"):
        names = ", ".join(answer["unknown"])
        why = f"how {probe.hosts_file} gives {names} is not understood"
        prediction.add_notes([note("probe_skipped", why=why)])
        return None
    blob = next(blob for blob in prediction.blobs if blob.url == probe.url)
    headers = answer.get("headers") or {}
    # The Rust client sends the first, the Go client the second.
    task_id = headers.get("x-dragonfly-task-id") or headers.get("x-dragonfly-task")
    predicted = blob.host_task_id
    _correct(prediction, probe, blob, answer, task_id)
    return {
        "url": probe.url,
        "status": answer.get("status"),
        "task_id": task_id,
        "predicted_task_id": predicted,
        "agrees": None if task_id is None else task_id == predicted,
        "from_cache": _is_from_cache(headers),
        "seconds": answer.get("seconds"),
    }


def _is_from_cache(headers: dict[str, str]) -> bool | None:
    """Return whether the client had the content before the request, None if it is the Go client, which does not say."""
    if "x-dragonfly-task-id" not in headers:
        return None
    return headers.get("x-dragonfly-task-download-finished") == "true"


def _correct(
    prediction: Prediction, probe: Probe, blob: BlobPrediction, answer: dict[str, t.Any], task_id: str | None
) -> None:
    """Correct a prediction by the response of the proxy.

    :param task_id: task ID in the response, or None.
    """
    status = answer.get("status")
    if answer.get("error"):
        prediction.disprove(reason("probe_failed", proxy=probe.proxy, error=answer["error"]))
    elif task_id is None and status in (401, 403):
        prediction.add_notes([note("probe_denied", status=status)])
    elif task_id is None:
        prediction.disprove(reason("probe_no_task", status=status))
    elif task_id != blob.host_task_id:
        path = prediction.client.path if prediction.client else ""
        prediction.disprove(reason("probe_differs", path, actual=task_id, expected=blob.host_task_id))
        blob.host_task_id = task_id
        blob.is_hit = task_id == blob.preheat_task_id
