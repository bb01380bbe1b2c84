# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which peers hold which layers of an image: the manager's own answer, or where it has none, one made of tasks.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import ApiError, DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import check_platform, parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat import registry_bases
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._scrub import scrub_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._tasks import (
    Target,
    TaskJobs,
    create,
    failure,
    find_targets,
    holders,
    task_args,
)

# The longest that a client takes.
_LONGEST = 86400


def image_distribution(client_for, params, registry_for, clock):
    """The module's result (dict).

    :param client_for: function that gives the L(DragonflyClient) with a token; takes ``timeout``, see L(_module).
    :param params: dict, the module's, checked.
    :param registry_for: function of a L(Target), gives the L(Registry) of its image.
    :param clock: L(Clock).
    :raises DragonflyError: if there is no answer.
    """
    try:
        return _asked(client_for, params, clock)
    except ApiError as exc:
        if exc.reason != "no_api":
            raise
    return _of_tasks(client_for(), params, registry_for, clock)


def _asked(client_for, params, clock):
    bases, details = registry_bases(params.get("registries"))
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
    deadline = clock.now() + params["wait_timeout"]

    def post(sent):
        # The manager answers when it knows it all.
        left = max(1, deadline - clock.now())
        return client_for(timeout=min(left, _LONGEST)).image_distribution(sent)

    document, dummy = create(post, body, clock, JobReader(client_for(), clock).cluster_exists, deadline)
    urls = [one.get("url") for one in document["image"].get("layers") or [] if isinstance(one, dict)]
    held = {}
    for peer in document.get("peers") or []:
        if isinstance(peer, dict):
            # Until 2.3.0 the key was another.
            layers = peer.get("cached_layers") or peer.get("layers") or []
            _add(held, peer, [one.get("url") for one in layers if isinstance(one, dict)])
    return _result(params, urls, held, "manager")


def _of_tasks(client, params, registry_for, clock):
    bases, dummy = registry_bases(params.get("registries"))
    target = Target(params["image"], image=parse_image(params["image"], bases))
    if not params.get("platform") and registry_for(target).manifest(target.image).children is not None:
        raise DragonflyError(
            f"{scrub_url(params['image'])} is an image index. What to do: set platform.", "no_platform"
        )
    wanted = dict(params, wait=True, platforms=[params["platform"]] if params.get("platform") else None)
    jobs = TaskJobs(client, "get_task", wanted, clock).run(find_targets(wanted, registry_for))
    held = {}
    for one in jobs:
        for peer in holders(one.job or {}):
            if peer["finished"] is not False:
                _add(held, peer, [one.target.url])
    return dict(_result(params, [one.target.url for one in jobs], held, "tasks"), **failure(jobs, "looked up"))


def _add(held, peer, urls):
    key = (peer.get("scheduler_cluster_id"), peer.get("hostname"), peer.get("ip"))
    held.setdefault(key, set()).update(urls)


def _result(params, urls, held, source):
    urls = list(dict.fromkeys(urls))
    peers = []
    for (cluster, hostname, address), layers in sorted(held.items(), key=lambda item: [str(one) for one in item[0]]):
        mine = [url for url in urls if url in layers]
        peers.append(
            {
                "hostname": hostname,
                "ip": address,
                "scheduler_cluster_id": cluster,
                "layers": [scrub_url(url) for url in mine],
                "percentage": 100 * len(mine) // len(urls) if urls else 0,
            }
        )
    layers = [{"url": scrub_url(url), "peers": sum(url in one for one in held.values())} for url in urls]
    return {"changed": False, "image": scrub_url(params["image"]), "layers": layers, "peers": peers, "source": source}
