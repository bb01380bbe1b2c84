# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the manager's releases, by the recorded echoes of five of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import (
    ARGS,
    JOB_TYPES,
    Releases,
    known_job_types,
    known_options,
    not_everywhere,
    not_in_echo,
    not_in_releases,
    option_releases,
    releases_of_echo,
    request_args,
)
from hypothesis import given
from hypothesis import strategies as st

RECORDINGS = Path(__file__).resolve().parents[3] / "contract" / "recordings"
#: Values that each option can have.
OPTIONS = {
    "headers": {"X-Team": "shop"},
    "tag": "t",
    "filtered_query_params": ["a"],
    "registry_username": "u",
    "registry_password": "p",
    "platform": "linux/amd64",
    "piece_length": 4194304,
    "scope": "all_peers",
    "job_timeout": 60,
    "concurrent_peer_count": 5,
    "load_to_cache": True,
    "application": "a",
    "count": 1,
    "percentage": 50,
    "ips": ["10.0.0.1"],
    "concurrent_task_count": 5,
    "object_storage": {"region": "r"},
    "hdfs": {"delegation_token": "t"},
    "enable_task_id_based_blob_digest": True,
}


def echoes():
    """Each recorded echo of a preheat: release, scenario, args."""
    for path in sorted(RECORDINGS.glob("*/*.json")):
        for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
            job = exchange["response"].get("json")
            if isinstance(job, dict) and job.get("type") == "preheat" and job.get("args"):
                release = tuple(int(part) for part in path.parent.name.split("."))
                yield release, path.stem, job["args"]


ECHOES = list(echoes())


def test_every_option_has_a_value_here():
    assert set(OPTIONS) == {arg.option for arg in ARGS}


@pytest.mark.parametrize("release", [(2, 0, 9), (2, 1, 0), (2, 1, 67), (2, 3, 4), (2, 5, 1)])
def test_recorded_echoes_tell_the_release(release):
    mine = [args for echoed, _scenario, args in ECHOES if echoed == release]
    assert mine
    for args in mine:
        narrowed = releases_of_echo(args)
        assert (narrowed.low or (0,)) <= release < (narrowed.high or (9,))


@pytest.mark.parametrize(
    "release, low, high",
    [
        ((2, 0, 9), (2, 0, 3), (2, 1, 21)),
        ((2, 1, 67), (2, 1, 57), (2, 2, 1)),
        ((2, 3, 4), (2, 3, 1), (2, 4, 4)),
        ((2, 5, 1), (2, 4, 4), (2, 5, 2)),
    ],
)
def test_how_much_an_echo_tells(release, low, high):
    args = next(args for echoed, _scenario, args in ECHOES if echoed == release)
    assert (releases_of_echo(args).low, releases_of_echo(args).high) == (low, high)


def test_an_odd_echo_tells_nothing():
    for args in ({"novelty": 1, "headers": {}, "application": ""}, {"type": "image"}):
        narrowed = releases_of_echo(args)
        assert (narrowed.low, narrowed.high) == (None, None)
        assert str(narrowed) == "unknown"


@pytest.mark.parametrize("release, scenario", sorted({echo[:2] for echo in ECHOES if echo[1] == "all_args"}))
def test_options_that_a_recorded_echo_lacks(release, scenario):
    """The echo and the releases derived from it agree on unknown options."""
    args = next(args for echoed, name, args in ECHOES if (echoed, name) == (release, scenario))
    unknown = not_in_echo(OPTIONS, args)
    assert unknown == not_in_releases(OPTIONS, releases_of_echo(args))
    expected = {
        (2, 0, 9): {"platform", "scope", "application", "ips", "hdfs", "count", "piece_length"},
        (2, 1, 0): {"platform", "scope", "application", "ips", "hdfs", "count", "piece_length"},
        (2, 1, 67): {"application", "ips", "hdfs", "count", "piece_length", "load_to_cache"},
        (2, 3, 4): {"hdfs", "object_storage", "load_to_cache"},
        (2, 5, 1): {"load_to_cache", "enable_task_id_based_blob_digest"},
    }[release]
    assert expected <= set(unknown)
    if release >= (2, 1, 67):
        assert set(unknown) - expected <= {
            "percentage",
            "concurrent_task_count",
            "object_storage",
            "enable_task_id_based_blob_digest",
        }


def test_nothing_set_is_nothing_unknown():
    empty = {name: type(value)() for name, value in OPTIONS.items()}
    assert not_in_echo(empty, {}) == not_in_releases(empty, Releases((2, 0, 0), (2, 0, 1))) == []
    assert not_in_echo({"scope": "single_seed_peer"}, {}) == []


def test_an_unknown_release_knows_perhaps_all():
    assert not_in_releases(OPTIONS, Releases()) == []


@pytest.mark.parametrize(
    "option, value, release, refused",
    [
        ("scope", "all_seed_peers", (2, 1, 66), []),
        ("scope", "all_seed_peers", (2, 1, 65), ["scope=all_seed_peers"]),
        ("scope", "all_seed_peers", (2, 1, 56), ["scope=all_seed_peers"]),
        ("scope", "all_peers", (2, 1, 57), []),
        ("scope", "all_peers", (2, 1, 56), ["scope"]),
        ("concurrent_peer_count", 501, (2, 3, 0), ["concurrent_peer_count above 500"]),
        ("concurrent_peer_count", 500, (2, 3, 0), []),
        ("concurrent_peer_count", 1000, (2, 3, 1), []),
        ("concurrent_peer_count", 1, (2, 1, 56), ["concurrent_peer_count"]),
    ],
)
def test_values_by_release(option, value, release, refused):
    after = (*release[:2], release[2] + 1)
    assert not_in_releases({option: value}, Releases(release, after)) == refused
    assert not_in_releases({option: value}, Releases()) == []
    assert not_everywhere({option: value}) == [option]


def test_value_limits_name_their_releases():
    assert option_releases("scope=all_seed_peers") == "2.1.66 or later"
    assert option_releases("concurrent_peer_count above 500") == "2.3.1 or later"


def test_request_args():
    args = request_args(OPTIONS)
    assert set(args) == {arg.key for arg in ARGS}
    assert args["filter"] == args["filteredQueryParams"] == args["filtered_query_params"] == "a"
    assert args["timeout"] == 60 * 10**9
    assert args["concurrent_count"] == args["concurrent_peer_count"] == 5


def test_the_default_scope_is_not_sent():
    # 2.1.57 to 2.1.65 name it single_peer and reject the other name.
    assert (
        request_args({"scope": "single_seed_peer", "tag": "", "ips": [], "count": None, "load_to_cache": False}) == {}
    )


@pytest.mark.parametrize(
    "option, message",
    [
        ("headers", "all releases"),
        ("platform", "2.1.21 or later"),
        ("load_to_cache", "2.2.2 or later, before 2.3.1"),
        ("filtered_query_params", "all releases"),
        ("piece_length", "2.1.41 or later, before 2.1.55 and 2.2.1 or later"),
        ("concurrent_peer_count", "2.1.57 or later"),
    ],
)
def test_option_releases(option, message):
    assert option_releases(option) == message


RELEASE = st.none() | st.tuples(st.just(2), st.integers(0, 3), st.integers(0, 3))


@given(RELEASE, RELEASE, RELEASE, RELEASE)
def test_what_is_left_when_both_are_true(low, high, other_low, other_high):
    releases = Releases(low, high)
    both = releases.intersect(other_low, other_high)

    def of(release, releases):
        return (releases.low or (0,)) <= release < (releases.high or (9,))

    points = [(1,)] + [(2, minor, patch) for minor in range(5) for patch in range(5)]
    shared = [point for point in points if of(point, releases) and of(point, Releases(other_low, other_high))]
    if shared:
        assert [point for point in points if of(point, both)] == shared
    else:
        # Managers are upgraded: the newer information counts.
        assert (both.low, both.high) == (other_low, other_high)
    assert both.before((9,)) is (both.high is not None)
    assert both.since((1,)) is (both.low is not None)


def test_before_and_since():
    span = Releases((2, 1, 0), (2, 2, 0))
    assert span.since((2, 1, 0))
    assert not span.since((2, 1, 1))
    assert span.before((2, 2, 0))
    assert not span.before((2, 1, 9))
    assert str(span) == "2.1.0 or later, before 2.2.0"


@given(RELEASE, RELEASE)
def test_known_options(low, high):
    releases = Releases(low, high)
    known = known_options(releases)
    assert set(known) == set(OPTIONS)
    unknown = not_in_releases(OPTIONS, releases)
    if not (low and high and low >= high):
        assert {name for name, answer in known.items() if answer is False} == set(unknown)
    assert known["headers"] is True


@pytest.mark.parametrize(
    "low, high, types",
    [
        ((2, 5, 0), None, {kind: True for kind in JOB_TYPES}),
        ((2, 1, 57), (2, 1, 65), {"preheat": True, "get_task": True, "sync_peers": False, "gc": False}),
        ((2, 1, 57), (2, 2, 1), {"get_task": True, "sync_peers": None, "gc": False}),
        (None, None, {"preheat": True, "get_task": None, "gc": None}),
        (None, (2, 1, 0), {"preheat": True, "get_task": False}),
    ],
)
def test_known_job_types(low, high, types):
    known = known_job_types(Releases(low, high))
    assert {kind: known[kind] for kind in types} == types
