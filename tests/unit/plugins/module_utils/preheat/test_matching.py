# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Existing jobs that are identical to a planned one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.fingerprint import mark_bio
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.matching import is_identical
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import ARGS, BY_KEY
from hypothesis import given
from hypothesis import strategies as st

RECORDINGS = Path(__file__).resolve().parents[4] / "contract" / "recordings"
IMAGE = "http://10.77.0.1:5000/v2/library/app/manifests/1"


def echo(release, scenario="image_success"):
    """Return the args of the first job of a recorded scenario."""
    text = (RECORDINGS / release / (scenario + ".json")).read_text(encoding="utf-8")
    for exchange in json.loads(text)["exchanges"]:
        job = exchange["response"].get("json")
        if isinstance(job, dict) and job.get("args"):
            return job["args"]
    raise LookupError(scenario)


def wanted(url=IMAGE, kind="image", platform=None, **options):
    return PlannedJob(kind, url, url, dict({"scope": "single_seed_peer"}, **options), "", platform=platform)


@pytest.mark.parametrize("release", ["2.1.0", "2.1.67", "2.3.4", "2.5.1"])
def test_a_recorded_job_is_equal_to_one_without_options(release):
    args = echo(release)
    assert is_identical(args, wanted(args["url"]))


@pytest.mark.parametrize("release", ["2.1.67", "2.3.4", "2.5.1"])
@pytest.mark.parametrize(
    "options",
    [
        {"tag": "t"},
        {"filtered_query_params": ["a"]},
        {"headers": {"X-Team": "shop"}},
        {"job_timeout": 60},
        {"job_timeout": 2700},
        {"scope": "all_peers"},
        {"concurrent_peer_count": 7},
        {"platform": "linux/arm64"},
        {"url": "http://10.77.0.1:5000/v2/library/app/manifests/2"},
        {"kind": "file"},
    ],
    ids=str,
)
def test_a_recorded_job_differs_by(release, options):
    assert not is_identical(echo(release), wanted(**options))


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
    assert is_identical(echo(release), wanted(**options))


def test_a_default_of_another_release_is_not_the_default():
    assert not is_identical(echo("2.5.1"), wanted(job_timeout=1800))
    assert not is_identical(echo("2.1.67"), wanted(job_timeout=3600))


def test_the_default_filter_in_any_order_is_the_default():
    filtered = echo("2.5.1")["filtered_query_params"].split("&")
    assert is_identical(echo("2.5.1"), wanted(filtered_query_params=filtered[::-1]))
    assert not is_identical(echo("2.5.1"), wanted(filtered_query_params=filtered[1:]))


def test_an_option_that_the_release_does_not_know_had_no_effect():
    assert not is_identical(echo("2.1.67"), wanted(application="shop"))
    args = echo("2.1.0")
    assert not is_identical(args, wanted(args["url"], platform="linux/arm64"))


def test_credentials_do_not_count():
    args = dict(echo("2.5.1"), username="a", password="b", headers={"Authorization": "Basic x", "X-Team": "shop"})
    assert is_identical(
        args, wanted(registry_username="c", registry_password="d", headers={"x-team": "shop", "authorization": "y"})
    )
    assert not is_identical(args, wanted(registry_username="a", registry_password="b"))


def test_an_unknown_key_that_says_something_makes_a_difference():
    assert is_identical(dict(echo("2.5.1"), novelty=""), wanted())
    assert not is_identical(dict(echo("2.5.1"), novelty="x"), wanted())


def newer_echo(**values):
    """Return the echo of an unknown manager: other defaults, and a key of its own."""
    defaults = {"concurrent_task_count": 16, "filtered_query_params": "X-New", "timeout": 1}
    return dict(echo("2.5.1"), **defaults, novelty="normal", **values)


def marked(planned, text="shop"):
    return mark_bio(text, planned.fingerprint)


def test_the_fingerprint_recognizes_what_the_tables_do_not_know():
    planned = wanted()
    assert not is_identical(newer_echo(), planned)
    assert is_identical(newer_echo(), planned, marked(planned))
    assert is_identical(newer_echo(scope="nearest_seed_peer"), planned, marked(planned))


@pytest.mark.parametrize(
    "values",
    [
        {"tag": "t"},
        {"application": "shop"},
        {"headers": {"X-Team": "shop"}},
        {"platform": "linux/arm64"},
        {"piece_length": 4194304},
        {"scope": "all_peers"},
        {"scope": "all_seed_peers"},
        {"count": 2},
        {"ips": ["10.0.0.1"]},
        {"type": "file"},
        {"url": IMAGE + "2"},
    ],
    ids=str,
)
def test_a_copied_fingerprint_makes_no_other_job_identical(values):
    planned = wanted()
    assert not is_identical({**newer_echo(), **values}, planned, marked(planned))


@pytest.mark.parametrize(
    "options, values",
    [
        ({"concurrent_task_count": 4}, {"concurrent_task_count": 16}),
        ({"filtered_query_params": ["a"]}, {"filtered_query_params": "b"}),
        ({"job_timeout": 60}, {"timeout": 61 * 10**9}),
        ({"scope": "all_peers"}, {"scope": "single_seed_peer"}),
        ({"load_to_cache": True}, {}),
        ({"tag": "t"}, {"tag": ""}),
    ],
    ids=str,
)
def test_an_option_that_the_manager_changed_or_ignored_counts(options, values):
    planned = wanted(**options)
    assert not is_identical({**newer_echo(), **values}, planned, marked(planned))


def test_the_table_decides_where_the_fingerprint_is_of_another_request():
    other = marked(wanted(concurrent_task_count=8))
    assert is_identical(echo("2.5.1"), wanted(), other)
    assert not is_identical(newer_echo(), wanted(), other)


@pytest.mark.parametrize("bio", [None, 7, "", "[ansible ]", "[ansible 1f3a9c2e", "shop [ANSIBLE 1f3a9c2e]", ["x"]])
def test_another_description_is_as_good_as_none(bio):
    assert is_identical(echo("2.5.1"), wanted(), bio)
    assert not is_identical(newer_echo(), wanted(), bio)


def test_a_file_is_the_same_without_its_signature():
    args = {"type": "file", "url": "https://h/f?a=1&Signature=x", "filtered_query_params": "Signature&Expires"}
    same = wanted("https://h/f?Signature=y&Expires=9&a=1", "file", filtered_query_params=["Expires", "Signature"])
    other = wanted("https://h/f?Signature=y&a=2", "file", filtered_query_params=["Expires", "Signature"])
    assert is_identical(args, same)
    assert not is_identical(args, other)


def test_a_job_of_several_files_is_none_of_one():
    args = {"type": "file", "url": "", "urls": ["https://h/f", "https://h/g"]}
    assert not is_identical(args, wanted("https://h/f", "file"))
    assert is_identical(dict(args, urls=["https://h/f"]), wanted("https://h/f", "file"))


@pytest.mark.parametrize("args", [None, "", [], {}, {"type": "image"}, {"type": "image", "url": 5}, {"url": IMAGE}])
def test_odd_args_are_equal_to_nothing(args):
    assert not is_identical(args, wanted())


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
OPTIONS = sorted({arg.option for arg in ARGS if arg.option})
CREDENTIALS = {"registry_username", "registry_password", "hdfs"}
CHOSEN = st.fixed_dictionaries({}, optional={name: VALUES.get(name, st.integers(1, 3)) for name in OPTIONS})
RELEASES = st.sampled_from([(2, 0, 9), (2, 1, 31), (2, 1, 55), (2, 1, 67), (2, 2, 4), (2, 3, 4), (2, 5, 1)])


def stored(job, release):
    """Return the args that a release stores and echoes: its keys, with zero values for those not sent."""
    sent = job.body()["args"]
    args = {"type": job.kind, "url": job.url}
    for arg in ARGS:
        if (arg.since or (0,)) <= release and (not arg.until or release < arg.until):
            args[arg.key] = sent.get(arg.key, arg.defaults[-1] if arg.defaults else None)
    return args


def make(options):
    own = dict({"scope": "single_seed_peer"}, **options)
    return PlannedJob(
        "file",
        "https://h/f",
        "https://h/f",
        {k: v for k, v in own.items() if k != "platform"},
        "",
        platform=own.get("platform"),
    )


def known(options, release):
    """Return the options that a release has."""
    spans = [(arg.option, arg.since or (0,), arg.until or (9,)) for arg in ARGS]
    return {
        name: value
        for name, value in options.items()
        if any(name == option and since <= release < until for option, since, until in spans)
    }


@given(CHOSEN, RELEASES)
def test_equality_is_reflexive(options, release):
    job = make(known(options, release))
    assert is_identical(stored(job, release), job)


@given(CHOSEN, CHOSEN, RELEASES)
def test_equality_is_symmetric(left, right, release):
    first, second = make(known(left, release)), make(known(right, release))
    assert is_identical(stored(first, release), second) == is_identical(stored(second, release), first)


@given(CHOSEN, CHOSEN)
def test_equality_means_the_same_options(left, right):
    release = (2, 5, 1)
    first, second = make(known(left, release)), make(known(right, release))

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

    assert is_identical(stored(first, release), second) == (plain(left) == plain(right))


@given(CHOSEN, RELEASES, st.data())
def test_null_empty_and_missing_are_one(options, release, choices):
    job = make(known(options, release))
    args = stored(job, release)
    changed = dict(args)
    for key, value in args.items():
        if key in BY_KEY and not value:
            other = choices.draw(st.sampled_from([None, "", 0, [], {}, False]), label=key)
            changed[key] = other
    assert is_identical(changed, job)
