# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused before anything is sent, which job is equal to which, and what an existing job means."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._outcome import Outcome
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat import (
    GIVE_UP_WINDOW,
    WATCHED_WINDOW,
    Coverage,
    Wanted,
    check_file,
    check_params,
    cluster_ids,
    decide,
    filtered_url,
    is_watched,
    job_urls,
    registry_bases,
    same_job,
    wanted_jobs,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import ARGS, BY_KEY, Releases
from hypothesis import given
from hypothesis import strategies as st

RECORDINGS = Path(__file__).resolve().parents[3] / "contract" / "recordings"
IMAGE = "http://10.77.0.1:5000/v2/library/app/manifests/1"
NOW = 1764000000.0


def params(**own):
    base = {"max_age": 3600, "verify": "auto", "scope": "single_seed_peer"}
    if not {"image", "images", "file", "files"} & set(own):
        base["image"] = "redis:7"
    return dict(base, **own)


def echo(release, scenario="image_success"):
    """The args of the first job that a manager of a release made in a recorded scenario."""
    text = (RECORDINGS / release / (scenario + ".json")).read_text(encoding="utf-8")
    for exchange in json.loads(text)["exchanges"]:
        job = exchange["response"].get("json")
        if isinstance(job, dict) and job.get("args"):
            return job["args"]
    raise LookupError(scenario)


def wanted(url=IMAGE, kind="image", platform=None, **options):
    return Wanted(kind, url, url, dict({"scope": "single_seed_peer"}, **options), "", platform=platform)


# What is refused


@pytest.mark.parametrize(
    "given_params, words",
    [
        ({"image": " "}, "empty string"),
        ({"images": ["redis:7", ""]}, "empty string"),
        ({"files": []}, "nothing to preheat"),
        ({"images": []}, "nothing to preheat"),
        ({"timeout": 0}, "timeout must be from 1 to 86400, not 0"),
        ({"wait_timeout": -1}, "wait_timeout"),
        ({"wait_sleep": 0}, "wait_sleep"),
        ({"max_age": -1}, "max_age"),
        ({"job_timeout": 0}, "job_timeout"),
        ({"piece_length": 4194303}, "piece_length"),
        ({"piece_length": 67108865}, "piece_length"),
        ({"scope": "all_peers", "count": 201}, "count"),
        ({"scope": "all_peers", "percentage": 101}, "percentage"),
        ({"concurrent_task_count": 101}, "concurrent_task_count"),
        ({"concurrent_peer_count": 0}, "concurrent_peer_count"),
        ({"max_failed_peers_percentage": 101}, "max_failed_peers_percentage"),
        ({"file": "https://h/f", "platforms": ["linux/amd64"]}, "platforms is only for images"),
        ({"file": "https://h/f", "registry_username": "u"}, "registry_username is only for images"),
        ({"object_storage": {"region": "r"}}, "object_storage is only for files"),
        ({"hdfs": {"delegation_token": "t"}}, "hdfs is only for files"),
        ({"ips": ["10.0.0.1"]}, "ips needs scope all_peers or all_seed_peers"),
        ({"count": 2}, "count needs scope"),
        ({"percentage": 2}, "percentage needs scope"),
        ({"expected_ips": ["10.0.0.1"]}, "expected_ips needs scope"),
        ({"filtered_query_params": ["a&b"]}, "'a&b' is none"),
        ({"filtered_query_params": [""]}, "'' is none"),
        ({"scheduler_cluster_ids": [1, 0]}, "not 0"),
        ({"scope": "all_peers", "ips": ["host-1"]}, "'host-1' is none"),
        ({"scope": "all_peers", "expected_ips": ["10.0.0.1\n"]}, "is none"),
        ({"scope": "all_peers", "ips": [f"10.0.0.{int(one)}" for one in range(101)]}, "at most 100"),
        ({"bio": "x" * 1025}, "bio must not be longer"),
    ],
)
def test_check_params_refuses(given_params, words):
    with pytest.raises(InputError) as caught:
        check_params(params(**given_params))
    assert words in caught.value.message
    assert caught.value.reason == "bad_input"


@pytest.mark.parametrize(
    "given_params",
    [
        {},
        {"file": "https://h/f", "object_storage": {"region": "r"}, "registries": {"a": "https://a"}},
        {"images": ["redis:7"], "platforms": ["linux/amd64"], "registry_username": "u", "registry_password": "p"},
        {"scope": "all_peers", "ips": ["10.0.0.1", "fd00::1"], "expected_ips": ["10.0.0.2"]},
        {"scope": "all_seed_peers", "count": 200, "piece_length": 4194304, "bio": "x" * 1024},
        {"wait_timeout": 0, "max_age": 0, "wait_sleep": 1, "max_failed_peers_percentage": 100},
    ],
)
def test_check_params_accepts(given_params):
    check_params(params(**given_params))


def test_check_params_tells_all_at_once():
    with pytest.raises(InputError) as caught:
        check_params(params(max_age=-1, count=2, bio="x" * 2000))
    assert [word in caught.value.message for word in ("max_age", "count", "bio")] == [True] * 3


@pytest.mark.parametrize(
    "text", ["https://h/f", "http://h:80/f?a=1", "s3://bucket/key", "hdfs://h:9000/f", "oss://b/k"]
)
def test_check_file_accepts(text):
    assert check_file(text) == text


@pytest.mark.parametrize(
    "text",
    ["/f", "h/f", "https:///f", "https://h:port/f", "https://h/a b", "https://h/f\n", "https://@/f", "http://[::1/f"],
)
def test_check_file_refuses(text):
    with pytest.raises(InputError):
        check_file(text)


def test_check_file_tells_no_secret():
    with pytest.raises(InputError) as caught:
        check_file("https://user:hidden@h/a b?X-Amz-Signature=concealed")
    assert "hidden" not in caught.value.message and "concealed" not in caught.value.message


@pytest.mark.parametrize(
    "registries",
    [
        {"a": 5},
        {"a": None},
        {"a": ["https://a"]},
        {"a": {"uri": "https://a"}},
        {"a": {"url": ["https://a"]}},
        {"a": "ftp://a"},
    ],
)
def test_registry_bases_refuses(registries):
    with pytest.raises(InputError):
        registry_bases(registries)


def test_registry_bases():
    bases, details = registry_bases(
        {"a": "https://a/", "b": {"url": "http://b:5000/p", "username": "u", "password": 12}, "c": {"ca_path": "/ca"}}
    )
    assert bases == {"a": "https://a", "b": "http://b:5000/p"}
    assert details["b"] == {"url": "http://b:5000/p", "username": "u", "password": "12"}
    assert registry_bases(None) == ({}, {})


# What is wanted


def test_each_job_is_wanted_once_and_in_order():
    jobs = wanted_jobs(
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
    jobs = wanted_jobs(params(file="https://h/f", scheduler_cluster_ids=[3, 1, 3]))
    assert [job.cluster_id for job in jobs] == [3, 1]
    assert jobs[0].manifests == [["https://h/f"]]
    assert jobs[0].name == "https://h/f in cluster 3"


def test_name_holds_no_secret():
    [job] = wanted_jobs(params(file="https://u:hidden@h/f?token=concealed"))
    assert "hidden" not in job.name + job.bio and "concealed" not in job.name + job.bio
    assert job.url == "https://u:hidden@h/f?token=concealed"


def test_credentials_of_a_registry_go_with_its_images_only():
    jobs = wanted_jobs(
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
        wanted_jobs(params(images=["a.example/x:1", "b.example/x:1"], **shared))
    assert "a.example, b.example" in caught.value.message and "hidden" not in caught.value.message


def test_other_headers_may_go_to_several_registries():
    assert len(wanted_jobs(params(images=["a.example/x:1", "b.example/x:1"], headers={"X-Team": "shop"}))) == 2


def test_body():
    job = wanted(tag="t", filtered_query_params=["a", "b"], job_timeout=60, platform="linux/amd64")
    assert job.body([2, 1]) == {
        "type": "preheat",
        "bio": "",
        "scheduler_cluster_ids": [1, 2],
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


# Which job is equal


@pytest.mark.parametrize("release", ["2.1.0", "2.1.67", "2.3.4", "2.5.1"])
def test_a_recorded_job_is_equal_to_one_without_options(release):
    args = echo(release)
    assert same_job(args, wanted(args["url"]))


@pytest.mark.parametrize("release", ["2.1.67", "2.3.4", "2.5.1"])
@pytest.mark.parametrize(
    "options",
    [
        {"tag": "t"},
        {"filtered_query_params": ["a"]},
        {"headers": {"X-Team": "shop"}},
        {"job_timeout": 60},
        {"scope": "all_peers"},
        {"concurrent_peer_count": 7},
        {"platform": "linux/arm64"},
        {"url": "http://10.77.0.1:5000/v2/library/app/manifests/2"},
        {"kind": "file"},
    ],
    ids=str,
)
def test_a_recorded_job_differs_by(release, options):
    assert not same_job(echo(release), wanted(**options))


@pytest.mark.parametrize(
    "release, options",
    [
        ("2.1.67", {"job_timeout": 1800}),
        ("2.5.1", {"job_timeout": 3600}),
        ("2.1.67", {"concurrent_peer_count": 50}),
        ("2.5.1", {"concurrent_peer_count": 500, "concurrent_task_count": 8}),
        ("2.5.1", {"count": 0, "tag": "", "ips": [], "headers": {}}),
    ],
)
def test_a_default_in_words_is_the_default(release, options):
    assert same_job(echo(release), wanted(**options))


def test_an_option_that_the_release_does_not_know_had_no_effect():
    assert not same_job(echo("2.1.67"), wanted(application="shop"))
    args = echo("2.1.0")
    assert not same_job(args, wanted(args["url"], platform="linux/arm64"))


def test_credentials_do_not_count():
    args = dict(echo("2.5.1"), username="a", password="b", headers={"Authorization": "Basic x", "X-Team": "shop"})
    assert same_job(
        args, wanted(registry_username="c", registry_password="d", headers={"x-team": "shop", "authorization": "y"})
    )
    assert not same_job(args, wanted(registry_username="a", registry_password="b"))


def test_an_unknown_key_that_says_something_makes_a_difference():
    assert same_job(dict(echo("2.5.1"), novelty=""), wanted())
    assert not same_job(dict(echo("2.5.1"), novelty="x"), wanted())


def test_a_file_is_the_same_without_its_signature():
    args = {"type": "file", "url": "https://h/f?a=1&Signature=x", "filtered_query_params": "Signature&Expires"}
    same = wanted("https://h/f?Signature=y&Expires=9&a=1", "file", filtered_query_params=["Expires", "Signature"])
    other = wanted("https://h/f?Signature=y&a=2", "file", filtered_query_params=["Expires", "Signature"])
    assert same_job(args, same)
    assert not same_job(args, other)


def test_a_job_of_several_files_is_none_of_one():
    args = {"type": "file", "url": "", "urls": ["https://h/f", "https://h/g"]}
    assert not same_job(args, wanted("https://h/f", "file"))
    assert same_job(dict(args, urls=["https://h/f"]), wanted("https://h/f", "file"))


@pytest.mark.parametrize("args", [None, "", [], {}, {"type": "image"}, {"type": "image", "url": 5}, {"url": IMAGE}])
def test_odd_args_are_equal_to_nothing(args):
    assert not same_job(args, wanted())


VALUES = {
    "headers": st.dictionaries(st.sampled_from(["X-Team", "Range"]), st.sampled_from(["a", "b"]), max_size=2),
    "filtered_query_params": st.lists(st.sampled_from(["a", "b", "ns"]), unique=True, max_size=3),
    "scope": st.sampled_from(["single_seed_peer", "all_peers", "all_seed_peers"]),
    "ips": st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2"]), unique=True, max_size=2),
    "load_to_cache": st.booleans(),
    "object_storage": st.fixed_dictionaries({"region": st.sampled_from(["", "r"]), "endpoint": st.just("e")}),
    "hdfs": st.just({"delegation_token": "x"}),
    "platform": st.sampled_from(["linux/amd64", "linux/arm64"]),
    "tag": st.sampled_from(["", "t", "u"]),
    "application": st.sampled_from(["", "t", "u"]),
    "registry_username": st.sampled_from(["u", "v"]),
    "registry_password": st.sampled_from(["p", "q"]),
}
OPTIONS = sorted({arg.option for arg in ARGS})
CREDENTIALS = {"registry_username", "registry_password", "hdfs"}
CHOSEN = st.fixed_dictionaries({}, optional={name: VALUES.get(name, st.integers(1, 3)) for name in OPTIONS})
RELEASES = st.sampled_from([(2, 0, 9), (2, 1, 31), (2, 1, 55), (2, 1, 67), (2, 2, 4), (2, 3, 4), (2, 5, 1)])


def stored(job, release):
    """The args that a manager of a release would store and echo: what it knows, zero values where nothing was sent."""
    sent = job.body()["args"]
    args = {"type": job.kind, "url": job.url}
    for arg in ARGS:
        if (arg.since or (0,)) <= release and (not arg.until or release < arg.until):
            args[arg.key] = sent.get(arg.key, arg.defaults[-1] if arg.defaults else None)
    return args


def make(options):
    own = dict({"scope": "single_seed_peer"}, **options)
    return Wanted(
        "file",
        "https://h/f",
        "https://h/f",
        {k: v for k, v in own.items() if k != "platform"},
        "",
        platform=own.get("platform"),
    )


def known(options, release):
    """The options that a release knows."""
    spans = [(arg.option, arg.since or (0,), arg.until or (9,)) for arg in ARGS]
    return {
        name: value
        for name, value in options.items()
        if any(name == option and since <= release < until for option, since, until in spans)
    }


@given(CHOSEN, RELEASES)
def test_equality_is_reflexive(options, release):
    job = make(known(options, release))
    assert same_job(stored(job, release), job)


@given(CHOSEN, CHOSEN, RELEASES)
def test_equality_is_symmetric(left, right, release):
    one, two = make(known(left, release)), make(known(right, release))
    assert same_job(stored(one, release), two) == same_job(stored(two, release), one)


@given(CHOSEN, CHOSEN)
def test_equality_means_the_same_options(left, right):
    release = (2, 5, 1)
    one, two = make(known(left, release)), make(known(right, release))

    def plain(options):
        shown = {}
        for name, value in known(options, release).items():
            if name in CREDENTIALS or not value or value == "single_seed_peer":
                continue
            if name == "headers":
                value = {key.lower(): text for key, text in value.items()}
            if name == "object_storage":
                value = {key: text for key, text in value.items() if text}
            shown[name] = frozenset(value) if isinstance(value, list) else value
        return shown

    assert same_job(stored(one, release), two) == (plain(left) == plain(right))


@given(CHOSEN, RELEASES, st.data())
def test_null_empty_and_missing_are_one(options, release, data):
    job = make(known(options, release))
    args = stored(job, release)
    changed = dict(args)
    for key, value in args.items():
        if key in BY_KEY and not value:
            other = data.draw(st.sampled_from([None, "", 0, [], {}, False]), label=key)
            changed[key] = other
    assert same_job(changed, job)


@pytest.mark.parametrize(
    "args, urls",
    [
        ({"url": "a"}, ["a"]),
        ({"url": "a", "urls": ["a", "b"]}, ["a", "b"]),
        ({"url": "", "urls": ["b"]}, ["b"]),
        ({"urls": None}, []),
        ({"url": 1, "urls": [2, "b"]}, ["b"]),
    ],
)
def test_job_urls(args, urls):
    assert job_urls(args) == urls


def test_filtered_url():
    assert filtered_url("https://h/f?b=2&X=1&a=#x", {"X"}) == "https://h/f?a=&b=2#x"


@pytest.mark.parametrize(
    "job, ids",
    [
        ({}, set()),
        ({"scheduler_clusters": None}, set()),
        ({"scheduler_clusters": [{"id": 1}, {"id": 3}, {}, None, {"id": "x"}]}, {1, 3}),
        ({"scheduler_clusters": {"id": 1}}, set()),
    ],
)
def test_cluster_ids(job, ids):
    assert cluster_ids(job) == ids


# What an existing job means


def at(seconds_ago):
    return datetime.fromtimestamp(NOW - seconds_ago, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


RECENT, OLD = Releases(low=(2, 1, 57)), Releases(high=(2, 1, 57))


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
    assert decide(job, Outcome(outcome), NOW, max_age, Releases()) == decision


def test_a_warm_job_without_a_time_does_not_count():
    assert decide({"created_at": "0001-01-01T00:00:00Z"}, Outcome("warm"), NOW, 3600, Releases()) == "remake"


@pytest.mark.parametrize(
    "needed, exact, jobs, kept, missing",
    [
        # Nothing exists: one job for every cluster.
        ({1, 2}, False, [], [], []),
        ({1, 2}, False, [({1, 2}, "found")], [True], None),
        ({1, 2}, False, [({1, 2, 3}, "adopted")], [True], None),
        # Each cluster by a job of its own.
        ({1, 2}, False, [({1}, "found"), ({2}, "adopted")], [True, True], None),
        ({1, 2}, False, [({1}, "found")], [True], [2]),
        # The newest word counts: an older job cannot save a cluster that must be made anew.
        ({1, 2}, False, [({2}, "remake"), ({1, 2}, "found")], [False, True], [2]),
        ({1}, False, [({1}, "remake"), ({1}, "found")], [False, False], []),
        # A job that says nothing hides nothing.
        ({1}, False, [({1}, "skip"), ({1}, "found")], [False, True], None),
        # Jobs for other clusters.
        ({1}, False, [({2}, "found")], [False], []),
        ({1}, True, [({1, 2}, "found")], [False], []),
        ({1}, True, [({1}, "found")], [True], None),
        # Which clusters there are is not known: the newest job decides alone.
        (None, False, [({1}, "found")], [True], None),
        (None, False, [(set(), "found")], [True], None),
        (None, False, [({1}, "remake"), ({1}, "found")], [False, False], []),
        (None, False, [({1}, "skip"), ({1}, "found")], [False, True], None),
    ],
)
def test_coverage(needed, exact, jobs, kept, missing):
    coverage = Coverage(needed, exact)
    assert [coverage.add(clusters, decision) for clusters, decision in jobs] == kept
    assert coverage.missing == missing


@given(
    st.frozensets(st.integers(1, 4), min_size=1),
    st.lists(st.tuples(st.frozensets(st.integers(1, 5)), st.sampled_from(["found", "adopted", "skip", "remake"]))),
)
def test_of_each_cluster_its_newest_job_decides(needed, jobs):
    coverage = Coverage(set(needed))
    for clusters, decision in jobs:
        coverage.add(set(clusters), decision)
    newest = {
        cluster: next((decision for clusters, decision in jobs if cluster in clusters and decision != "skip"), None)
        for cluster in needed
    }
    missing = {cluster for cluster, decision in newest.items() if decision in (None, "remake")}
    # Where nothing counts, one job for all clusters is wanted.
    assert coverage.missing == ([] if missing == needed else sorted(missing) or None)
