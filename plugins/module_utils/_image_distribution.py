# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts hold which layers of an image: the manager's own answer, or where it has none, one made of tasks.

The manager's answer leaves seed peers out, and counts hosts that have only begun to fetch (manager/service/job.go,
extractPeersFromJobs, 2.2.4 to 2.5.1; contract/2.5.1/task_held_by_seed). It is made of one job of the type get_task for
each layer, which the manager lists like any other job and which names all hosts. So those jobs are read, too.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import ApiError, DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_document import JobResult
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_requests import JobRequests
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._platforms import check_platform
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import redact_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_config import read_registries
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.hosts import holders
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.jobs import TaskJobs, failure, task_args
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks.targets import Target, find_targets

# The longest that a client takes.
_LONGEST = 86400
# Seconds by which a job may seem older than the request that created it: the header Date has no fraction.
_CLOCK_SLACK = 2
# What makes the id of a task, beside its URL and the filter of query parameters, of which blobs have none.
_IDENTITY = ("tag", "application", "piece_length")


class HeldLayers:
    """Which hosts hold which layers."""

    def __init__(self) -> None:
        self._by_host: dict[tuple[t.Any, t.Any, t.Any], dict[str, t.Any]] = {}

    def add(self, host: t.Mapping[str, t.Any], urls: t.Iterable[str]) -> None:
        """Note that a host holds these layers.

        :param host: dict with ``scheduler_cluster_id``, ``hostname``, ``ip`` and where it is known ``host_type``.
        """
        key = (host.get("scheduler_cluster_id"), host.get("hostname"), host.get("ip"))
        held = self._by_host.setdefault(key, {"host_type": None, "urls": set()})
        held["host_type"] = held["host_type"] or host.get("host_type")
        held["urls"].update(urls)

    def add_holders(self, url: str, hosts: t.Iterable[t.Mapping[str, t.Any]]) -> None:
        """Note the hosts that have all of a layer, of those that a job of the type get_task names."""
        for host in hosts:
            if host["finished"] is not False:
                self.add(host, [url])

    def result(self, urls: list[str]) -> dict[str, t.Any]:
        """Return the keys ``layers`` and ``peers`` of the module's result.

        :param urls: the layers, each once.
        """
        peers = []
        for (cluster, hostname, address), held in sorted(self._by_host.items(), key=lambda item: str(item[0])):
            mine = [url for url in urls if url in held["urls"]]
            peers.append(
                {
                    "hostname": hostname,
                    "ip": address,
                    "host_type": held["host_type"],
                    "scheduler_cluster_id": cluster,
                    "layers": [redact_url(url) for url in mine],
                    "percentage": 100 * len(mine) // len(urls) if urls else 0,
                }
            )
        layers = [
            {"url": redact_url(url), "peers": sum(url in held["urls"] for held in self._by_host.values())}
            for url in urls
        ]
        return {"layers": layers, "peers": peers}


def image_distribution(client_for, params, registry_for, clock):
    """Return the module's result (dict).

    :param client_for: function that gives the L(DragonflyClient) with a token; takes ``timeout``, see L(_module).
    :param params: dict, the module's, checked.
    :param registry_for: function of a L(Target), gives the L(Registry) of its image.
    :param clock: L(Clock).
    :raises DragonflyError: if there is no answer.
    """
    try:
        return _ask_manager(client_for, params, clock)
    except ApiError as exc:
        if exc.reason != "no_api":
            raise
    return _ask_for_tasks(client_for(), params, registry_for, clock)


def _ask_manager(client_for, params, clock):
    begin = clock.now()
    body = _request(params)
    client = client_for()
    reader = JobReader(client, clock)
    deadline = begin + params["wait_timeout"]

    def post(sent):
        # The manager answers when it knows it all.
        left = max(1, deadline - clock.now())
        return client_for(timeout=min(left, _LONGEST)).image_distribution(sent)

    document = JobRequests(client, reader, clock).create(body, send=post, deadline=deadline).job
    layers = [layer.get("url") for layer in document["image"].get("layers") or [] if isinstance(layer, dict)]
    urls = [url for url in dict.fromkeys(layers) if isinstance(url, str)]
    held = HeldLayers()
    answered = _holders_by_url(reader, urls, body, clock.now() - begin)
    for url, hosts in answered.items():
        held.add_holders(url, hosts)
    unanswered = [Target(params["image"], url=url) for url in urls if url not in answered]
    left = max(1, deadline - clock.now())
    jobs = TaskJobs(client, "get_task", dict(params, wait=True, wait_timeout=left), clock).run(unanswered)
    for task_job in jobs:
        held.add_holders(task_job.target.url, holders(task_job.job or {}))
    return _result(params, urls, held, "manager", jobs)


def _request(params):
    """Return the body of the POST (dict)."""
    bases, details = read_registries(params.get("registries"))
    image = parse_image(params["image"], bases)
    username, password = params.get("registry_username"), params.get("registry_password")
    detail = details.get(image.registry, {})
    if detail.get("username"):
        username, password = detail["username"], detail.get("password")
    args = dict(task_args(params), url=image.manifest_url())
    given = {"username": username, "password": password}
    given["platform"] = check_platform(params["platform"]) if params.get("platform") else None
    args.update((key, value) for key, value in given.items() if value)
    body = {"type": "get_image_distribution", "args": args}
    if params.get("scheduler_cluster_ids"):
        body["scheduler_cluster_ids"] = list(dict.fromkeys(params["scheduler_cluster_ids"]))
    return body


def _holders_by_url(reader, urls, body, seconds):
    """Return the hosts that the manager's own jobs of the type get_task name, by URL, for those that have answered.

    :param urls: list of the layers' URLs.
    :param body: the body of the POST, which created these jobs.
    :param seconds: how long ago that was.
    """
    by_url: dict[str, list[dict[str, t.Any]]] = {}
    clusters = set(body.get("scheduler_cluster_ids") or [])
    try:
        for jobs in reader.iter_recent_jobs(seconds + _CLOCK_SLACK, transform=_answer, type="get_task"):
            for job in jobs:
                args = job["args"]
                if args.get("url") in urls and job["done"] and clusters <= job["clusters"]:
                    if all((args.get(key) or None) == (body["args"].get(key) or None) for key in _IDENTITY):
                        by_url.setdefault(args["url"], []).extend(job["holders"])
    except DragonflyError:
        # Then each layer gets a job of its own.
        return {}
    return by_url


def _answer(row):
    """Return what is kept of a row of the type get_task (dict)."""
    return {
        "id": row.get("id"),
        "created_at": row.get("created_at"),
        "args": row["args"] if isinstance(row.get("args"), dict) else {},
        "done": row.get("state") == "SUCCESS",
        "clusters": JobResult(row).cluster_ids,
        "holders": holders(row),
    }


def _ask_for_tasks(client, params, registry_for, clock):
    bases, _details = read_registries(params.get("registries"))
    target = Target(params["image"], image=parse_image(params["image"], bases))
    if not params.get("platform") and registry_for(target).manifest(target.image).children is not None:
        raise DragonflyError(
            f"{redact_url(params['image'])} is an image index. What to do: set platform.", "no_platform"
        )
    chosen = dict(params, wait=True, platforms=[params["platform"]] if params.get("platform") else None)
    jobs = TaskJobs(client, "get_task", chosen, clock).run(find_targets(chosen, registry_for))
    held = HeldLayers()
    for task_job in jobs:
        held.add_holders(task_job.target.url, holders(task_job.job or {}))
    return _result(params, [task_job.target.url for task_job in jobs], held, "tasks", jobs)


def _result(params, urls, held, source, jobs):
    result = {"changed": False, "image": redact_url(params["image"]), "source": source}
    return dict(result, **held.result(urls), **failure(jobs, "looked up"))
