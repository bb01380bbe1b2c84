# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planned jobs, and the meaning of existing ones."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.doc_fragments._wait import ModuleDocFragment
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.decision import (
    GIVE_UP_WINDOW,
    WATCHED_WINDOW,
    decide,
    is_watched,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob, plan_jobs
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.verdict import Verdict
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import Releases

IMAGE = "http://10.77.0.1:5000/v2/library/app/manifests/1"
NOW = 1764000000.0


def params(**own):
    base = {"max_age": 3600, "verify": "auto", "scope": "single_seed_peer"}
    if not {"image", "images", "file", "files"} & set(own):
        base["image"] = "redis:7"
    return dict(base, **own)


def wanted(url=IMAGE, kind="image", platform=None, **options):
    return PlannedJob(kind, url, url, dict({"scope": "single_seed_peer"}, **options), "", platform=platform)


def test_each_job_is_wanted_once_and_in_order():
    jobs = plan_jobs(
        params(
            images=["redis:7", "docker.io/library/redis:7", "app.example/web:1"],
            platforms=["linux/amd64", "linux/arm64"],
        )
    )
    assert [(job.url, job.platform) for job in jobs] == [
        ("https://index.docker.io/v2/library/redis/manifests/7", "linux/amd64"),
        ("https://index.docker.io/v2/library/redis/manifests/7", "linux/arm64"),
        ("https://app.example/v2/web/manifests/1", "linux/amd64"),
        ("https://app.example/v2/web/manifests/1", "linux/arm64"),
    ]


def test_each_cluster_gets_a_job():
    jobs = plan_jobs(params(file="https://h/f", scheduler_cluster_ids=[3, 1, 3]))
    assert [job.cluster_id for job in jobs] == [3, 1]
    assert jobs[0].urls_by_manifest == [["https://h/f"]]
    assert jobs[0].name == "https://h/f in cluster 3"


def test_name_holds_no_secret():
    [job] = plan_jobs(params(file="https://h/f?token=concealed"))
    assert "concealed" not in job.name + job.bio
    assert job.url == "https://h/f?token=concealed"


def test_credentials_of_a_registry_go_with_its_images_only():
    jobs = plan_jobs(
        params(
            images=["a.example/x:1", "b.example/x:1"],
            registries={"a.example": {"url": "https://a.example", "username": "u", "password": "p"}},
            registry_username="other",
            registry_password="secret",
        )
    )
    assert [(job.options["registry_username"], job.options["registry_password"]) for job in jobs] == [
        ("u", "p"),
        ("other", "secret"),
    ]


@pytest.mark.parametrize(
    "shared",
    [{"registry_username": "u", "registry_password": "hidden"}, {"headers": {"authorization": "Basic hidden"}}],
)
def test_credentials_never_go_to_several_registries(shared):
    with pytest.raises(InputError) as caught:
        plan_jobs(params(images=["a.example/x:1", "b.example/x:1"], **shared))
    assert "a.example, b.example" in caught.value.message
    assert "hidden" not in caught.value.message


def test_other_headers_may_go_to_several_registries():
    assert len(plan_jobs(params(images=["a.example/x:1", "b.example/x:1"], headers={"X-Team": "shop"}))) == 2


def test_body():
    job = wanted(tag="t", filtered_query_params=["a", "b"], job_timeout=60, platform="linux/amd64")
    assert job.body(2) == {
        "type": "preheat",
        "bio": f"[ansible {job.fingerprint}]",
        "scheduler_cluster_ids": [2],
        "args": {
            "type": "image",
            "url": IMAGE,
            "tag": "t",
            "platform": "linux/amd64",
            "timeout": 60 * 10**9,
            "filter": "a&b",
            "filteredQueryParams": "a&b",
            "filtered_query_params": "a&b",
        },
    }
    assert "scheduler_cluster_ids" not in job.body()


def test_body_of_the_platforms_own_manifest_names_no_platform():
    job = wanted(platform="linux/amd64")
    job.pinned_platform = True
    assert "platform" not in job.body()["args"]


# The meaning of an existing job


def at(seconds_ago):
    return datetime.fromtimestamp(NOW - seconds_ago, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


RECENT, OLD = Releases(low=(2, 1, 57)), Releases(high=(2, 1, 57))


def test_the_documentation_names_the_give_up_window():
    assert f"earlier ones after {GIVE_UP_WINDOW // 60} minutes at most" in " ".join(
        ModuleDocFragment.DOCUMENTATION.split()
    )


@pytest.mark.parametrize(
    "made, written, releases, watched",
    [
        (10, 10, RECENT, True),
        (GIVE_UP_WINDOW, 10, RECENT, True),
        (GIVE_UP_WINDOW + 1, 10, RECENT, False),
        (1000, WATCHED_WINDOW, RECENT, True),
        (1000, WATCHED_WINDOW + 1, RECENT, False),
        (1000, WATCHED_WINDOW + 1, OLD, True),
        (1000, WATCHED_WINDOW + 1, Releases(), True),
        (GIVE_UP_WINDOW + 1, 10, OLD, False),
    ],
)
def test_is_watched(made, written, releases, watched):
    job = {"created_at": at(made), "updated_at": at(written)}
    assert is_watched(job, NOW, releases) is watched


@pytest.mark.parametrize(
    "outcome, made, max_age, decision",
    [
        ("pending", 10, 3600, "adopted"),
        ("pending", 10, 0, "adopted"),
        ("pending", GIVE_UP_WINDOW + 1, 3600, "skip"),
        ("warm", 10, 3600, "found"),
        ("warm", 3600, 3600, "found"),
        ("warm", 3601, 3600, "remake"),
        ("warm", 0, 0, "remake"),
        ("cold", 10, 3600, "remake"),
        ("failed", 10, 3600, "remake"),
        ("given_up", 10, 3600, "remake"),
    ],
)
def test_decide(outcome, made, max_age, decision):
    job = {"created_at": at(made), "updated_at": at(made)}
    assert decide(job, Verdict(outcome), NOW, max_age, Releases()) == decision


def test_a_warm_job_without_a_time_does_not_count():
    assert decide({"created_at": "0001-01-01T00:00:00Z"}, Verdict("warm"), NOW, 3600, Releases()) == "remake"
