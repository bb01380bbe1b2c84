# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read which hosts hold which layers of an image, from the manager's response or from jobs of the type get_task.

The manager's response omits seed peers and includes hosts that are still downloading (manager/service/job.go,
extractPeersFromJobs, 2.2.4 to 2.5.1; contract/2.5.1/task_held_by_seed). For each layer, the manager creates a job of
the type get_task, whose result names all hosts. Therefore these jobs are read too.
"""

from __future__ import annotations

import typing as t

from ._client import DragonflyClient
from ._errors import ApiError, DragonflyError
from ._image import parse_image
from ._job_document import IDENTITY_KEYS, JobResult, job_args
from ._job_requests import JobRequests
from ._jobs import JobReader
from ._manager_knowledge import CLOCK_SLACK
from ._platforms import check_platform
from ._polling import Clock
from ._redact import redact_url
from ._registry_config import credentials_for, read_registries
from ._tasks.hosts import holders
from ._tasks.jobs import TaskJob, TaskJobs, failure, task_args
from ._tasks.targets import RegistryFor, Target, find_targets

# The maximum that a client accepts.
_LONGEST = 86400
# Options that determine the task ID of a blob together with its URL. URLs of blobs have no query to filter.

ClientFor = t.Callable[..., DragonflyClient]
# Cluster, hostname, IP address and type. A seed peer and a peer on the same machine have separate storage.
_HostKey = t.Tuple[t.Any, t.Any, t.Any, t.Any]


class _HeldLayers:
    """Records which hosts hold which layers."""

    def __init__(self) -> None:
        self._urls: dict[_HostKey, set[str]] = {}

    def add(self, url: str, hosts: t.Iterable[t.Mapping[str, t.Any]]) -> None:
        """Add the hosts in the result of a get_task job that hold the complete layer."""
        for host in hosts:
            if host["finished"] is not False:
                key = tuple(host.get(name) for name in ("scheduler_cluster_id", "hostname", "ip", "type"))
                self._urls.setdefault(t.cast(_HostKey, key), set()).add(url)

    def result(self, urls: list[str]) -> dict[str, t.Any]:
        """Return the keys ``layers`` and ``peers`` of the module's result.

        :param urls: URLs of the layers without duplicates.
        """
        layers = []
        for url in urls:
            layers.append({"url": redact_url(url), "peers": sum(url in held for held in self._urls.values())})
        return {"layers": layers, "peers": [self._peer(key, urls) for key in sorted(self._urls, key=str)]}

    def _peer(self, key: _HostKey, urls: list[str]) -> dict[str, t.Any]:
        cluster_id, hostname, address, host_type = key
        held = [url for url in urls if url in self._urls[key]]
        return {
            "hostname": hostname,
            "ip": address,
            "type": host_type,
            "scheduler_cluster_id": cluster_id,
            "layers": [redact_url(url) for url in held],
            "percentage": 100 * len(held) // len(urls) if urls else 0,
        }


class _Answer(t.NamedTuple):
    """The kept part of a get_task job that the manager created for a layer."""

    args: dict[str, t.Any]
    done: bool
    cluster_ids: set[int]
    holders: list[dict[str, t.Any]]


def image_distribution(
    client_for: ClientFor, params: dict[str, t.Any], registry_for: RegistryFor, clock: Clock
) -> dict[str, t.Any]:
    """Return the module's result.

    :param client_for: returns the client with a token; see ``timeout`` in ``_module``.
    :param params: validated options of the module.
    :param registry_for: see ``find_targets``.
    :raises DragonflyError: if the manager does not return a distribution.
    """
    try:
        return _read_from_manager(client_for, params, clock)
    except ApiError as exc:
        if exc.reason != "no_api":
            raise
    return _read_from_tasks(client_for(), params, registry_for, clock)


def _read_from_manager(client_for: ClientFor, params: dict[str, t.Any], clock: Clock) -> dict[str, t.Any]:
    begin = clock.now()
    deadline = begin + params["wait_timeout"]
    client = client_for()
    reader = JobReader(client, clock)

    def post(body: dict[str, t.Any]) -> dict[str, t.Any]:
        # The manager responds when it is done.
        return client_for(timeout=min(_seconds_left(deadline, clock), _LONGEST)).image_distribution(body)

    body = _request(params)
    document = JobRequests(client, reader, clock).create(body, send=post, deadline=deadline).job
    urls = _layer_urls(document)
    held = _HeldLayers()
    holders_by_url = _holders_by_url(reader, urls, body, clock.now() - begin)
    for url, hosts in holders_by_url.items():
        held.add(url, hosts)
    unanswered = [Target(params["image"], url=url) for url in urls if url not in holders_by_url]
    wait = dict(params, wait=True, wait_timeout=_seconds_left(deadline, clock))
    task_jobs = TaskJobs(client, "get_task", wait, clock).run(unanswered)
    _add_task_jobs(held, task_jobs)
    return _result(params, urls, held, "manager", task_jobs)


def _seconds_left(deadline: float, clock: Clock) -> float:
    return max(1, deadline - clock.now())


def _layer_urls(document: dict[str, t.Any]) -> list[str]:
    """Return the URLs of an image's layers as reported by the manager, without duplicates."""
    urls = [layer.get("url") for layer in document["image"].get("layers") or [] if isinstance(layer, dict)]
    return list(dict.fromkeys(url for url in urls if isinstance(url, str)))


def _request(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the body of the POST."""
    bases, details = read_registries(params.get("registries"))
    image = parse_image(params["image"], bases)
    username, password = credentials_for(details.get(image.registry, {}), params)
    optional = {"username": username, "password": password}
    optional["platform"] = check_platform(params["platform"]) if params.get("platform") else None
    args = dict(task_args(params), url=image.manifest_url())
    args.update((key, value) for key, value in optional.items() if value)
    body: dict[str, t.Any] = {"type": "get_image_distribution", "args": args}
    if params.get("scheduler_cluster_ids"):
        body["scheduler_cluster_ids"] = list(dict.fromkeys(params["scheduler_cluster_ids"]))
    return body


def _holders_by_url(
    reader: JobReader, urls: list[str], body: dict[str, t.Any], seconds: float
) -> dict[str, list[dict[str, t.Any]]]:
    """Return the hosts in the results of the manager's finished get_task jobs by URL.

    :param urls: URLs of the layers.
    :param body: body of the POST that created these jobs.
    :param seconds: seconds since that POST.
    """
    answers: list[_Answer] = []
    try:
        for rows in reader.iter_recent_jobs(seconds + CLOCK_SLACK, transform=_keep_answer, type="get_task"):
            answers += [row["answer"] for row in rows]
    except DragonflyError:
        # The caller then creates a job for each layer.
        return {}
    by_url: dict[str, list[dict[str, t.Any]]] = {}
    for answer in answers:
        if answer.args.get("url") in urls and _answers(answer, body):
            by_url.setdefault(answer.args["url"], []).extend(answer.holders)
    return by_url


def _keep_answer(row: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the kept part of a get_task job."""
    answer = _Answer(job_args(row), row.get("state") == "SUCCESS", JobResult(row).cluster_ids, holders(row))
    return {"id": row.get("id"), "created_at": row.get("created_at"), "args": answer.args, "answer": answer}


def _answers(answer: _Answer, body: dict[str, t.Any]) -> bool:
    """Return whether a job belongs to a POST: it is for the same kind of task, and in all requested clusters."""
    requested = set(body.get("scheduler_cluster_ids") or [])
    is_same = all((answer.args.get(key) or None) == (body["args"].get(key) or None) for key in IDENTITY_KEYS)
    return answer.done and is_same and requested <= answer.cluster_ids


def _read_from_tasks(
    client: DragonflyClient, params: dict[str, t.Any], registry_for: RegistryFor, clock: Clock
) -> dict[str, t.Any]:
    bases, _details = read_registries(params.get("registries"))
    image = parse_image(params["image"], bases)
    registry = registry_for(Target(params["image"], image=image))
    if not params.get("platform") and registry.manifest(image).children is not None:
        raise DragonflyError(
            f"{redact_url(params['image'])} is an image index. What to do: set platform.", "no_platform"
        )
    chosen = dict(params, wait=True, platforms=[params["platform"]] if params.get("platform") else None)
    task_jobs = TaskJobs(client, "get_task", chosen, clock).run(find_targets(chosen, registry_for))
    held = _HeldLayers()
    _add_task_jobs(held, task_jobs)
    return _result(params, [str(task_job.target.url) for task_job in task_jobs], held, "tasks", task_jobs)


def _add_task_jobs(held: _HeldLayers, task_jobs: list[TaskJob]) -> None:
    for task_job in task_jobs:
        held.add(str(task_job.target.url), holders(task_job.job or {}))


def _result(
    params: dict[str, t.Any], urls: list[str], held: _HeldLayers, source: str, task_jobs: list[TaskJob]
) -> dict[str, t.Any]:
    result = {"changed": False, "image": redact_url(params["image"]), "source": source}
    return dict(result, **held.result(urls), **failure(task_jobs, "looked up"))
