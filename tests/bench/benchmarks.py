# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmarks. Each function yields its rows of the table."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import requests
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.context import RunContext
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.run import run_preheat
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import Registry
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.images import image_from_reference
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.prediction import predict_hits
from ansible_collections.dragonflyoss.dragonfly.tests.bench.composition import Part, parts_of_a_rerun
from ansible_collections.dragonflyoss.dragonfly.tests.bench.measure import (
    Figure,
    ansible,
    measure,
    median_ratio,
    run_module,
    run_playbook,
)
from ansible_collections.dragonflyoss.dragonfly.tests.faults.world import parameters
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils.hosts import facts

#: How many times faster the manager of the sandbox polls.
FACTOR = 100
Figures = t.Iterator[Figure]


def _images(box: Sandbox, count: int, **options: t.Any) -> list[str]:
    return [box.image(f"shop/web-{number}", "1", size=100, **options).source for number in range(count)]


def _options(box: Sandbox, **options: t.Any) -> dict[str, t.Any]:
    return dict(options, url=box.url, token=box.token)


def _good(result: dict) -> dict:
    if result.get("failed"):
        raise RuntimeError(result["msg"])
    return result


def requests_of_a_rerun() -> Figures:
    with Sandbox(factor=FACTOR) as box:
        [image] = _images(box, 1)
        _good(run_module("preheat", **_options(box, image=image, wait_sleep=1))[0])
        box.clear_log()
        result = _good(run_module("preheat", **_options(box, image=image))[0])
        assert not result["changed"]
        counts = box.counts()
    yield Figure("No-op rerun of one image: LIST requests, for preheats and for deletions", counts["LIST"], 2)
    yield Figure("No-op rerun of one image: GET requests of jobs by ID", sum(counts["GET"].values()), 1)
    yield Figure("No-op rerun of one image: all requests, including one for the clusters", counts["requests"], 4)


def requests_of_a_wait() -> Figures:
    sleep = 1
    for count in (1, 10, 100):
        # The manager polls late, which leaves time for several polls of the module.
        with Sandbox(factor=1) as box:
            images = _images(box, count)
            box.rule(outcome="success", after=6, polls=[6, 8, 10])
            _good(run_module("preheat", **_options(box, images=images, wait_sleep=sleep))[0])
            log = [entry for entry in box.log if "/v1/jobs" in entry.path]
            posts = [entry.time for entry in log if entry.method == "POST"]
            polls = [entry for entry in log if entry.time > max(posts)]
            lists = [entry for entry in polls if entry.path.endswith("/jobs")]
        # A single job is read by its ID. Several jobs are listed, and each is read by its ID when it leaves the list.
        times = [entry.time for entry in (lists if count > 1 else polls)]
        ratio = (len(times) - 1) / ((times[-1] - times[0]) / sleep)
        what = "1 image" if count == 1 else f"{count} images"
        yield Figure(f"Waiting for {what}: requests per poll", round(ratio, 1), 1)
        if count > 1:
            yield Figure(f"Waiting for {what}: further requests per image", (len(polls) - len(lists)) / count, 1)
        yield Figure(f"Creating {what}: POST requests", len(posts), count)


def processor_time_over_a_loop_of_uri() -> Figures:
    count = 100
    with Sandbox(factor=FACTOR) as box, tempfile.TemporaryDirectory() as folder:
        sources = [box.image(f"shop/web-{number}", "1", size=100) for number in range(count)]
        task = {"headers": {"Authorization": "Bearer " + box.token}, "body_format": "json"}
        jobs = box.url + "/oapi/v1/jobs"
        loop = run_playbook(
            Path(folder),
            [
                {
                    "ansible.builtin.uri": dict(
                        task,
                        url=jobs,
                        method="POST",
                        body={"type": "preheat", "args": {"type": "image", "url": "{{ item }}"}},
                    ),
                    "loop": [image.manifest_url for image in sources],
                    "register": "made",
                },
                {
                    "ansible.builtin.uri": dict(task, url=jobs + "/{{ item.json.id }}"),
                    "loop": "{{ made.results }}",
                    "loop_control": {"label": "{{ item.json.id }}"},
                    "register": "job",
                    "until": "job.json.state != 'PENDING'",
                    "retries": 100,
                    "delay": 1,
                },
            ],
        )
        assert len(box.jobs) == count
        box.reset()
        module = run_playbook(
            Path(folder),
            [
                {
                    "dragonflyoss.dragonfly.preheat": _options(
                        box, images=[image.source for image in sources], wait_sleep=1
                    )
                }
            ],
        )
        assert len(box.jobs) == count
    yield Figure(
        f"{count} images created and awaited: processor time of a loop of uri / that of preheat",
        loop.cpu / module.cpu,
        20,
        at_least=True,
    )


def rerun_over_ping() -> Figures:
    with Sandbox(factor=FACTOR) as box, tempfile.TemporaryDirectory() as folder:
        [image] = _images(box, 1)
        _good(run_module("preheat", **_options(box, image=image, wait_sleep=1))[0])

        def run(module: str, arguments: str = "") -> float:
            command = [
                ansible("ansible"),
                "localhost",
                "-m",
                module,
                "-a",
                arguments,
                "-e",
                "ansible_python_interpreter=" + sys.executable,
            ]
            return measure(command, ANSIBLE_HOME=folder, DRAGONFLY_URL=box.url, DRAGONFLY_TOKEN=box.token).wall

        ratio = median_ratio(
            lambda: run("dragonflyoss.dragonfly.preheat", "image=" + image), lambda: run("ansible.builtin.ping"), 7
        )
    yield Figure("No-op rerun of one image / ansible.builtin.ping: wall time", ratio, 1.5)


def lookup_in_a_long_history() -> Figures:
    with Sandbox(factor=FACTOR) as full, Sandbox(factor=FACTOR) as empty:
        full.history(10000)
        rerun = {}
        for box in (full, empty):
            [image] = _images(box, 1)
            _good(run_module("preheat", **_options(box, image=image, wait_sleep=1))[0])
            rerun[box] = _lookup(box, image)
        ratio = median_ratio(rerun[full], rerun[empty], 50)
    yield Figure("Lookup among 10,000 old jobs / in an empty history: processor time", ratio, 1.3)


def _lookup(box: Sandbox, image: str) -> t.Callable[[], float]:
    """Return a function that runs a no-op preheat in this thread and returns its processor time in seconds.

    The time does not include the sandbox, which runs in another thread and writes pages more slowly than a manager.
    """

    def run() -> float:
        begun = time.thread_time()
        client = DragonflyClient(Http(auth="Bearer " + box.token), box.url)
        registry = Registry(Http())
        context = RunContext(client, parameters(**_options(box, image=image)), Clock())
        result = run_preheat(context, lambda _planned: registry)
        assert not result["changed"]
        return time.thread_time() - begun

    return run


def memory_of_many_images() -> Figures:
    hosts = [("seed-1", "10.77.0.1", "seed")]
    hosts += [(f"host-{number}", f"10.78.0.{number}", "peer") for number in range(99)]
    with Sandbox(factor=FACTOR, hosts=hosts) as box:
        images = _images(box, 100, layers=49)
        box.rule(outcome="success")
        result, used = run_module("preheat", **_options(box, images=images, scope="all_peers", wait_sleep=1))
        assert {(job["outcome"], job["blobs"]) for job in _good(result)["jobs"]} == {("warm", 50)}
    yield Figure("100 images of 50 blobs on 100 peers: memory", used.memory, 80, " MB")


def lookup_among_large_rows() -> Figures:
    with Sandbox(factor=FACTOR) as box:
        image = box.image("shop/web", "1")
        box.history(20, url=image.manifest_url, age=60, blobs=30, peers=2000, scope="all_peers")
        result, used = run_module("preheat", **_options(box, image=image.source, scope="all_peers", verify="result"))
        assert not _good(result)["changed"]
        ratio = used.cpu / sum(_parse_row(box, page) for page in range(1, 21))
    # Wall time would include the time in which the sandbox writes 240 MB.
    yield Figure("Lookup among 20 rows of 30 blobs on 2,000 peers (12 MB each) / json.loads: processor time", ratio, 6)
    yield Figure("Lookup among 20 rows of 30 blobs on 2,000 peers (12 MB each): memory", used.memory, 200, " MB")


def _parse_row(box: Sandbox, page: int) -> float:
    """Return the processor time in seconds that Python takes to parse one row of the list of jobs."""
    query = {"page": page, "per_page": 1}
    response = requests.get(
        f"{box.url}/oapi/v1/jobs", params=query, headers={"Authorization": f"Bearer {box.token}"}, timeout=60
    )
    begun = time.thread_time()
    assert len(json.loads(response.content)) == 1
    return time.thread_time() - begun


def thousand_images() -> Figures:
    with Sandbox(factor=FACTOR) as box:
        box.history(10000)
        images = _images(box, 1000)
        box.clear_log()
        result, used = run_module("preheat", **_options(box, images=images, wait_sleep=5))
        assert len(_good(result)["jobs"]) == 1000
        counts = box.counts()
    yield Figure("1,000 images in one task, 10,000 old jobs: POST requests", counts["POST"], 1000)
    yield Figure(
        "1,000 images in one task, 10,000 old jobs: GET requests of jobs by ID", sum(counts["GET"].values()), 1000
    )
    yield Figure("1,000 images in one task, 10,000 old jobs: memory", used.memory, 80, " MB")


def rate_limit() -> Figures:
    count, burst, rate = 200, 10, 10
    with Sandbox(factor=1) as box:
        images = _images(box, count)
        result, _used = run_module("preheat", **_options(box, images=images, scheduler_cluster_ids=[1], wait=False))
        made = [entry.time for entry in box.log if entry.method == "POST" and entry.status == 200]
    failed = sum(job["outcome"] not in ("pending", "warm") for job in result["jobs"])
    yield Figure(f"{count} images in one cluster, {rate} creates a second: failures", failed + count - len(made), 0)
    yield Figure(
        f"{count} images in one cluster, {rate} creates a second: time / minimum by the limit",
        (max(made) - min(made)) / ((count - burst) / rate),
        1.1,
    )


def hits_of_a_fleet() -> Figures:
    hosts, blobs = 500, 20
    image = image_from_reference(
        "registry.example.com/shop/web:1", {}, digests=[f"sha256:{number:064x}" for number in range(blobs)]
    )
    fleet = [facts() for _number in range(hosts)]
    for number, host in enumerate(fleet):
        # No two hosts have the same files, because the parser caches files.
        for file in (host["clients"]["dfget"]["config"], host["containerd"]["config"], *host["containerd"]["hosts"]):
            file["text"] += f"\n# {number}\n"
    begun = time.process_time()
    verdicts = [predict_hits(host, [image]) for host in fleet]
    used = time.process_time() - begun
    assert all(verdict.hit == "all" and len(verdict.blobs) == blobs for verdict in verdicts)
    yield Figure(f"Predict whether {hosts} hosts hit {blobs} blobs: processor time of the controller", used, 2, " s")


def composition_of_a_rerun() -> list[Part]:
    """Return the parts of the rerun of ``rerun_over_ping``."""
    with Sandbox(factor=FACTOR) as box:
        [image] = _images(box, 1)
        _good(run_module("preheat", **_options(box, image=image, wait_sleep=1))[0])
        return parts_of_a_rerun(box, image)


#: In the order of the table.
BENCHMARKS = (
    requests_of_a_rerun,
    requests_of_a_wait,
    rerun_over_ping,
    lookup_in_a_long_history,
    memory_of_many_images,
    lookup_among_large_rows,
    thousand_images,
    rate_limit,
    processor_time_over_a_loop_of_uri,
    hits_of_a_fleet,
)
