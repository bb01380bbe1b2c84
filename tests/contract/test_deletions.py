# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holders of a task and the results of its deletion, with the same events as on a real 2.5.1.

The requests that created the jobs of these recordings were not recorded, so their rows are compared one by one.
"""

from __future__ import annotations

import pytest
import requests
from ansible_collections.dragonflyoss.dragonfly.tests.contract import replay
from ansible_collections.dragonflyoss.dragonfly.tests.contract.client import Client
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

SCENARIOS = ("task_deleted_twice", "task_held_by_seed", "preheated_after_deletion", "task_small_blob_deleted")
_HOSTS = (("seed-1", "10.77.0.1", "seed"), ("h1", "10.77.0.11", "peer"), ("h2", "10.77.0.12", "peer"))
_BASE = f"http://{replay.REGISTRY}/v2/library/app"


def rows():
    """Return the rows of the recorded list, newest first."""
    [listing] = replay.recording("2.5.1", "preheated_after_deletion")
    return listing["response"]["json"]


def blob_urls(kind):
    """Return the URLs of the jobs of a type, in the order of their ids."""
    return [row["args"]["url"] for row in sorted(rows(), key=lambda row: row["id"]) if row["type"] == kind]


DELETED = blob_urls("delete_task")


@pytest.fixture
def box():
    with Sandbox(release="2.5.1", factor=1000, hosts=_HOSTS, aliases={replay.REGISTRY: "registry"}) as sandbox:
        yield sandbox


@pytest.fixture
def client(box):
    return Client(box)


def push(box, tag, urls):
    """Push an image with these blobs, and return the URL of its manifest."""
    box.image("library/app", tag, digests=[url.rpartition("/")[2] for url in urls], layers=len(urls) - 1)
    return f"{_BASE}/manifests/{tag}"


def create(client, kind, **args):
    made = client.ask("POST", json={"type": kind, "args": args})
    assert made.status_code == 200, made.text
    return client.wait(made.json()["id"])


def difference(recorded, row):
    """Return the differences between two rows, except their numbers."""
    return replay.differing(dict(recorded, id=0), dict(row, id=0))


def recorded_row(scenario):
    return replay.recording("2.5.1", scenario)[0]["response"]["json"]


def test_a_host_answers_once_for_each_of_its_peers(box, client):
    recorded = recorded_row("task_deleted_twice")
    manifest = push(box, "1", DELETED)
    client.run(manifest, scope="all_peers")
    client.run(manifest)
    for host in ("h1", "h2"):
        box.pull(recorded["args"]["url"], host)
    assert difference(recorded, create(client, "delete_task", url=recorded["args"]["url"])) == []
    # A task without holders has no peers either: both lists are null.
    repeated = create(client, "delete_task", url=recorded["args"]["url"])
    assert repeated["result"]["job_states"][0]["results"][0]["failure_tasks"] is None


def test_who_holds_a_task_names_the_seed_and_a_distribution_does_not(box, client):
    held, distribution = replay.recording("2.5.1", "task_held_by_seed")
    answer = distribution["response"]["json"]
    urls = [layer["url"] for layer in answer["image"]["layers"]]
    manifest = push(box, "3", urls)
    client.run(manifest, scope="all_peers")
    client.run(manifest)
    url = held["response"]["json"]["args"]["url"]
    assert difference(held["response"]["json"], create(client, "get_task", url=url)) == []

    before = len(box.jobs)
    body = {"type": "get_image_distribution", "args": {"url": manifest}}
    actual = requests.post(f"{box.url}/oapi/v1/jobs", json=body, headers=client.headers, timeout=10).json()
    for peer in actual["peers"] + answer["peers"]:
        peer["cached_layers"].sort(key=lambda layer: layer["url"])
    actual["peers"].sort(key=lambda peer: peer["hostname"])
    assert replay.differing(answer, actual) == []
    # It consists of one job for each layer, all finished before it responds.
    layers = box.jobs[before:]
    assert [row["args"]["url"] for row in layers] == urls
    assert {(row["type"], row["state"]) for row in layers} == {("get_task", "SUCCESS")}
    assert difference(held["response"]["json"], next(row for row in layers if row["args"]["url"] == url)) == []


def test_a_preheat_says_success_after_a_deletion(box, client):
    manifest = push(box, "1", DELETED)
    for _twice in range(2):
        client.run(manifest, scope="all_peers")
    # The seed peer did not hold the first blob, and did not fetch it twice.
    for url in DELETED[1:]:
        for host in ("seed-1", "h1", "h2"):
            box.pull(url, host)
    for url in DELETED:
        create(client, "delete_task", url=url)
    for url in blob_urls("get_task")[4:8]:
        create(client, "get_task", url=url)
    listed = client.ask("GET", "?page=1&per_page=50").json()
    recorded = rows()
    for actual in (row for row in listed if row["type"] in ("get_task", "delete_task")):
        story = [
            row
            for row in recorded
            if row["id"] >= 8 and row["type"] == actual["type"] and row["args"]["url"] == actual["args"]["url"]
        ]
        assert difference(story[0], actual) == []
    preheats = [row for row in listed if row["type"] == "preheat" and row["args"]["scope"] == "all_peers"]
    assert [row["state"] for row in preheats] == ["SUCCESS", "SUCCESS"]
    assert all(len(row["result"]["job_states"][0]["results"][0]["success_tasks"]) == 8 for row in preheats)


def test_a_scheduler_does_not_delete_a_small_blob():
    deleted, held = [
        exchange["response"]["json"]
        for exchange in replay.recording("2.5.1", "task_small_blob_deleted")
        if exchange["request"]["method"] == "GET"
    ]
    url = deleted["args"]["url"]
    hosts = (("seed", "10.77.0.10", "seed"),)
    with Sandbox(release="2.5.1", factor=1000, hosts=hosts, aliases={replay.REGISTRY: "registry"}) as box:
        box.manager.fleet.unscheduled_bytes = 4 * 2**20
        client = Client(box)
        client.run(push(box, "4", [url]))
        assert difference(deleted, create(client, "delete_task", url=url)) == []
        assert difference(held, create(client, "get_task", url=url)) == []
