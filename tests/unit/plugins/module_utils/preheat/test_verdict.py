# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts about recorded and possible results of managers."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_document import JobResult, host_reports
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import PlannedJob
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.report import format_job, job_result
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.requested_hosts import (
    lacking_hosts_explanation,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.verdict import Verdict, verify_job
from hypothesis import given
from hypothesis import strategies as st

RECORDINGS = Path(__file__).resolve().parents[4] / "contract" / "recordings"
SEED = "10.77.0.1"
HAS_REMEDY = re.compile("What to do: |This means: ")


def recorded(place, number):
    """Return the last recorded state of a job.

    :param place: ``RELEASE/SCENARIO``.
    """
    jobs = [
        exchange["response"]["json"]
        for exchange in json.loads((RECORDINGS / (place + ".json")).read_text(encoding="utf-8"))["exchanges"]
        if exchange["request"]["method"] == "GET"
        and isinstance(exchange["response"].get("json"), dict)
        and exchange["response"]["json"].get("id") == number
    ]
    return copy.deepcopy(jobs[-1])


def urls_of(job):
    return JobResult(job).warm_urls


def wanting(blobs, url="http://10.77.0.1:5000/v2/library/app/manifests/1", more=()):
    job = PlannedJob("image", url, url, {"scope": "single_seed_peer"}, "", image=parse_image(url))
    job.urls_by_manifest = [blobs] + list(more)
    return job


# Recorded results


@pytest.mark.parametrize(
    "place, number, outcome, reason, verified, blobs",
    [
        # Up to 2.1.56, the result shows how many blobs are warm, from 2.1.57 to 2.3.0 which.
        ("2.0.9/image_success", 1, "warm", None, "blobs", 4),
        ("2.1.0/image_success", 1, "warm", None, "blobs", 4),
        ("2.1.0/image_multiarch", 3, "warm", None, "blobs", 3),
        ("2.1.67/image_success", 31, "warm", None, "blobs", 4),
        ("2.1.67/file_warmed", 1, "warm", None, "blobs", 1),
        # From 2.3.1 on, a task lists several blobs, and does not mention cold ones.
        ("2.3.4/image_success", 1, "cold", "nothing_warmed", "result", None),
        ("2.3.4/image_multiarch", 3, "cold", "nothing_warmed", "result", None),
        ("2.3.4/file_success", 6, "cold", "nothing_warmed", "blobs", 1),
        ("2.3.4/file_missing", 7, "cold", "nothing_warmed", "blobs", 1),
        ("2.3.4/file_urls", 8, "cold", "nothing_warmed", "blobs", 3),
        ("2.5.1/file_partly_warmed", 2, "cold", "cold", "blobs", 3),
        ("2.5.1/file_warmed", 1, "warm", None, "blobs", 1),
        ("2.5.1/image_success", 2, "warm", None, "result", None),
        ("2.5.1/image_again", 3, "warm", None, "result", None),
        ("2.5.1/image_all_peers", 4, "warm", None, "result", None),
        # Failed blobs.
        ("2.1.0/file_missing", 13, "failed", "origin_missing", None, None),
        ("2.1.0/file_success", 12, "failed", "failed", None, None),
        ("2.1.67/image_partly_warmed", 2, "failed", "origin_missing", None, None),
        ("2.1.67/image_all_peers", 3, "failed", "go_peers", None, None),
        ("2.3.4/all_args", 5, "failed", "go_peers", None, None),
        ("2.1.67/image_no_seed_peer", 1, "failed", "no_seed_peer", None, None),
        ("2.5.1/image_no_seed_peer", 1, "failed", "no_seed_peer", None, None),
        ("2.5.1/image_partly_warmed_all_peers", 5, "failed", "origin_missing", None, None),
        # Jobs of other types.
        ("2.5.1/task_jobs", 11, "done", None, None, None),
    ],
)
def test_recorded_jobs(place, number, outcome, reason, verified, blobs):
    judged = verify_job(recorded(place, number))
    assert (judged.status, judged.reason, judged.verified, judged.blobs) == (outcome, reason, verified, blobs)
    assert (judged.explanation is None) == (outcome in ("warm", "done"))
    assert judged.explanation is None or HAS_REMEDY.search(judged.explanation)


@pytest.mark.parametrize("place, number", [("2.1.67/image_success", 31), ("2.5.1/image_success", 2)])
def test_an_image_is_warm_when_each_of_its_blobs_is(place, number):
    job = recorded(place, number)
    judged = verify_job(job, wanting(urls_of(job)))
    assert (judged.status, judged.verified, judged.blobs, judged.cold) == ("warm", "blobs", 4, [])
    assert judged.warm_percentage == 100


def test_a_file_that_was_not_warmed_has_a_url_and_not_blobs():
    judged = verify_job(recorded("2.3.4/file_missing", 7))
    assert "lists no URL" in str(judged.explanation)
    assert "blob" not in str(judged.explanation)
    assert "check that the URL exists" in str(judged.explanation)


def test_nothing_warmed_is_cold():
    """2.3.4 reports SUCCESS for an image without any fetched blob."""
    blobs = ["http://10.77.0.1:5000/v2/library/app/blobs/sha256:" + digit * 64 for digit in "abcd"]
    judged = verify_job(recorded("2.3.4/image_success", 1), wanting(blobs))
    assert (judged.status, judged.reason, judged.warm, judged.cold) == ("cold", "nothing_warmed", [], blobs)
    assert judged.warm_percentage == 0


def test_partly_warmed_is_cold():
    """2.5.1 reports SUCCESS for an image with a layer that is missing in the registry."""
    job = recorded("2.5.1/image_partly_warmed", 3)
    missing = "http://10.77.0.1:5000/v2/library/broken/blobs/sha256:" + "e" * 64
    judged = verify_job(job, wanting(urls_of(job) + [missing]))
    assert (judged.status, judged.reason, judged.blobs, judged.cold) == ("cold", "cold", 4, [missing])
    assert judged.warm_percentage == 75
    assert "1 of 4 blobs" in (judged.explanation or "")


def test_partly_warmed_is_warm_only_for_those_who_ask_for_less():
    job = recorded("2.5.1/image_partly_warmed", 3)
    wanted = wanting(urls_of(job) + ["http://10.77.0.1:5000/v2/library/broken/blobs/sha256:" + "e" * 64])
    assert verify_job(job, wanted, verify="blobs").status == "cold"
    assert verify_job(job, wanted, verify="result").status == "warm"
    assert verify_job(job, wanted, verify="none").verified == "none"


def test_a_blob_that_a_peer_is_proven_to_hold_is_warm():
    job = recorded("2.5.1/image_partly_warmed", 3)
    lost = "http://10.77.0.1:5000/v2/library/broken/blobs/sha256:" + "e" * 64
    assert verify_job(job, wanting(urls_of(job) + [lost]), proven={lost}).status == "warm"


def test_one_of_several_manifests_must_be_warm_as_a_whole():
    job = recorded("2.5.1/image_success", 2)
    warm = urls_of(job)
    other = ["http://10.77.0.1:5000/v2/library/app/blobs/sha256:" + "f" * 64] + warm[:2]
    assert verify_job(job, wanting(other, more=[warm])).status == "warm"
    half = verify_job(job, wanting(other, more=[warm + other]))
    assert half.status == "cold"
    assert half.cold == other[:1]


def test_a_failed_job_tells_what_is_warm_all_the_same():
    job = recorded("2.1.67/image_partly_warmed", 2)
    warm = urls_of(job)
    judged = verify_job(job, wanting(warm + ["http://10.77.0.1:5000/v2/library/broken/blobs/sha256:" + "e" * 64]))
    assert (judged.status, judged.blobs, len(judged.warm or []), len(judged.cold or [])) == ("failed", 4, 3, 1)
    assert judged.warm_percentage == 75


# Possible results


def job_of(tasks, state="SUCCESS", clusters=(1,), scope="single_seed_peer", result_state="SUCCESS", **args):
    """Return a job of 2.5.1.

    :param tasks: list of (cluster id, success entries, failure entries), entries as (ip, url) or (ip, url, hostname).
    """

    def entries(reports, **more):
        return [{"ip": ip, "hostname": (*name, "h")[0], "url": url, **more} for ip, url, *name in reports] or None

    states = [
        {
            "state": result_state,
            "error": "",
            "results": [
                {
                    "scheduler_cluster_id": cluster,
                    "success_tasks": entries(success),
                    "failure_tasks": entries(failures, description="d"),
                }
            ],
        }
        for cluster, success, failures in tasks
    ]
    return {
        "id": 1,
        "type": "preheat",
        "state": state,
        "args": dict({"type": "image", "scope": scope, "concurrent_task_count": 8}, **args),
        "result": {"state": result_state, "job_states": states},
        "scheduler_clusters": [{"id": cluster_id} for cluster_id in clusters],
    }


@pytest.mark.parametrize("state", ["PENDING", "RECEIVED", "STARTED", "RETRY", None, "", "success"])
def test_whatever_is_not_over_is_pending(state):
    assert verify_job({"state": state, "type": "preheat"}).status == "pending"


@pytest.mark.parametrize("state, outcome", [("SUCCESS", "done"), ("FAILURE", "failed"), ("PENDING", "pending")])
def test_other_jobs(state, outcome):
    assert verify_job({"state": state, "type": "gc"}).status == outcome


def test_each_cluster_must_be_warm():
    both = job_of([(1, [(SEED, "a"), (SEED, "b")], []), (2, [(SEED, "a")], [])], clusters=(1, 2))
    judged = verify_job(both, wanting(["a", "b"]))
    assert (judged.status, judged.cold) == ("cold", ["b"])
    silent = job_of([(1, [(SEED, "a")], [])], clusters=(1, 2))
    assert verify_job(silent, wanting(["a"])).status == "cold"
    without_blobs = verify_job(silent)
    assert without_blobs.status == "cold"
    assert "cluster 2" in (without_blobs.message or "")


@pytest.mark.parametrize("name", ["unknown", "unknow", ""])
def test_a_host_without_a_name_counts_for_one_peer_only(name):
    assert verify_job(job_of([(1, [(name, "a")], [])]), wanting(["a"])).status == "warm"
    assert verify_job(job_of([(1, [(name, "a")], [])], scope="all_peers"), wanting(["a"])).status == "cold"


def test_two_cold_blobs_are_plural():
    urls = [f"http://registry/v2/shop/web/blobs/sha256:{digit * 64}" for digit in "abc"]
    judged = verify_job(job_of([(1, [(SEED, urls[0])], [])]), wanting(urls))
    assert "SUCCESS, but 2 of 3 blobs are not cached: sha256:b" in (judged.explanation or "")


def test_message_about_a_cold_file_names_no_blobs():
    judged = verify_job(job_of([(1, [(SEED, "http://h/other")], [])]), wanting(["http://h/f"]))
    assert (judged.explanation or "").startswith("the manager reports SUCCESS, but the file is not cached. ")


PEERS = [(1, [("10.0.0.1", "a"), ("10.0.0.1", "b"), ("10.0.0.2", "a")], [("10.0.0.2", "b")])]


@pytest.mark.parametrize(
    "tasks, percentage, outcome, message",
    [
        ([(1, [("10.0.0.1", "a"), ("10.0.0.1", "b")], [])], 0, "warm", ""),
        (PEERS, 0, "cold", "1 of 2 hosts is not warm: 10.0.0.2"),
        (PEERS, 49, "cold", ""),
        (PEERS, 50, "warm", ""),
        ([(1, [], [("10.0.0.2", "b")])], 100, "cold", "the result lists no blob"),
        # A host without an address failed.
        ([(1, [("10.0.0.1", "a"), ("10.0.0.1", "b")], [("unknown", "b", "unknown")])], 0, "cold", "1 of 2 hosts"),
        ([(1, [("10.0.0.1", "a"), ("10.0.0.1", "b")], [("", "b", "pod-1")])], 0, "cold", "is not warm: pod-1"),
        ([(1, [("10.0.0.1", "a"), ("10.0.0.1", "b")], [("unknown", "b", "unknown")])], 50, "warm", ""),
        # A host with a failed task is not warm, whatever the other tasks report.
        ([(1, [("10.0.0.1", "a"), ("10.0.0.1", "b")], [("10.0.0.1", "b")])], 0, "cold", "1 of 1"),
    ],
)
def test_many_peers(tasks, percentage, outcome, message):
    job = job_of(tasks, scope="all_peers")
    judged = verify_job(job, wanting(["a", "b"]), max_failed_percentage=percentage)
    assert judged.status == outcome
    assert message in (judged.explanation or "")


@pytest.mark.parametrize(
    "tasks, clusters, status",
    [(2, (1,), "warm"), (3, (1,), "warm"), (1, (1,), "cold"), (3, (1, 2), "cold"), (4, (1, 2), "warm")],
)
def test_old_managers_have_a_task_for_each_blob_and_cluster(tasks, clusters, status):
    # Up to 2.1.56, the manager skips a blob that it cannot request (manager/job/preheat.go, createGroupJob).
    job = job_of([(1, [], [])] * tasks, clusters=clusters)
    del job["args"]["scope"], job["args"]["concurrent_task_count"]
    for state in job["result"]["job_states"]:
        del state["results"]
    judged = verify_job(job, wanting(["a", "b"]))
    assert judged.status == status
    assert ("tasks cannot have cached" in (judged.explanation or "")) == (status == "cold")


SHARED = "10.0.0.1"


@pytest.mark.parametrize(
    "tasks, clusters, outcome",
    [
        # Two hosts behind one gateway have different blobs.
        ([(1, [(SHARED, "a", "one"), (SHARED, "b", "two")], [])], (1,), "cold"),
        ([(1, [(SHARED, "a", "one"), (SHARED, "b", "one"), (SHARED, "a", "two")], [])], (1,), "cold"),
        ([(1, [(SHARED, "a", "one"), (SHARED, "b", "one")], [(SHARED, "b", "two")])], (1,), "cold"),
        ([(1, [(SHARED, url, name) for url in "ab" for name in ("one", "two")], [])], (1,), "warm"),
        # Two clusters have the same addresses and names.
        ([(1, [(SHARED, "a")], []), (2, [(SHARED, "b")], [])], (1, 2), "cold"),
        ([(1, [(SHARED, "a"), (SHARED, "b")], []), (2, [(SHARED, "b")], [])], (1, 2), "cold"),
        ([(cluster, [(SHARED, "a"), (SHARED, "b")], []) for cluster in (1, 2)], (1, 2), "warm"),
    ],
)
def test_hosts_that_share_an_address(tasks, clusters, outcome):
    judged = verify_job(job_of(tasks, scope="all_peers", clusters=clusters), wanting(["a", "b"]))
    assert judged.status == outcome
    assert (judged.warm_hosts, judged.cold_hosts) == (({SHARED}, set()) if outcome == "warm" else (set(), {SHARED}))


def test_an_address_in_two_clusters_is_warm_only_if_both_hosts_are():
    verdicts = [Verdict("warm", warm_hosts={SHARED}), Verdict("warm", warm_hosts={"10.0.0.2"}, cold_hosts={SHARED})]
    params = {"expected_ips": [SHARED], "max_failed_peers_percentage": 50}
    actual = lacking_hosts_explanation(verdicts, params)
    assert actual is not None
    assert "1 of 2 hosts is not warm: 10.0.0.1" in actual[0]


@pytest.mark.parametrize(
    "hosts, expected, ips, percentage, message",
    [
        # Pairs of warm and cold hosts, one for each job.
        ([("1", "")], "1", "", 0, None),
        ([("1", ""), ("2", "")], "12", "12", 0, None),
        (
            [("1", ""), ("2", "")],
            "123",
            "",
            0,
            "1 of 3 hosts is not warm: 10.0.0.3. The scheduler does not know it",
        ),
        ([("1", "2")], "2", "", 100, "1 of 2 hosts is not warm: 10.0.0.2"),
        ([("1", "2")], "1", "", 50, None),
        ([("1", "2")], "1", "12", 50, None),
        ([("1", "")], "", "13", 49, "1 of 2 hosts is not warm: 10.0.0.3. The scheduler does not know it"),
        ([("1", "")], "", "13", 50, None),
    ],
)
def test_hosts_that_were_asked_for(hosts, expected, ips, percentage, message):
    def addresses(digits):
        return ["10.0.0." + digit for digit in digits]

    outcomes = [
        Verdict("warm", warm_hosts=set(addresses(warm)), cold_hosts=set(addresses(cold))) for warm, cold in hosts
    ]
    actual = lacking_hosts_explanation(
        outcomes,
        {
            "expected_ips": addresses(expected),
            "ips": addresses(ips),
            "max_failed_peers_percentage": percentage,
        },
    )
    if message is None:
        assert actual is None
    else:
        assert actual is not None
        assert message in actual[0]
        assert actual[1].startswith("check ")


def test_an_address_may_be_written_in_any_way():
    params = {"expected_ips": ["2001:DB8:0::6"], "max_failed_peers_percentage": 0}
    assert lacking_hosts_explanation([Verdict("warm", warm_hosts={"2001:db8::6"})], params) is None


def test_a_silent_cluster_of_many_peers_is_cold():
    job = job_of([(1, [("10.0.0.1", "a")], [])], clusters=(1, 2), scope="all_seed_peers")
    judged = verify_job(job, wanting(["a"]), max_failed_percentage=100)
    assert judged.status == "cold"
    assert "cluster 2" in (judged.explanation or "")


def test_several_files_of_a_job_count_each():
    job = job_of([(1, [(SEED, "a")], [])], type="file", url="a", urls=["b"])
    assert (verify_job(job).status, verify_job(job).cold) == ("cold", ["b"])


def test_a_job_that_was_given_up():
    job = job_of([], state="FAILURE", result_state="PENDING")
    assert verify_job(job).status == verify_job(job).reason == "given_up"


@pytest.mark.parametrize(
    "message, reason",
    [
        ("backend error: 404 Not Found", "origin_missing"),
        ("source response 401/401 Unauthorized is not valid", "origin_denied"),
        ("status: 403", "origin_denied"),
        ("x509: certificate signed by unknown authority", "origin_tls"),
        ("write /var/lib/dragonfly/content: no space left on device", "disk_full"),
        ("context deadline exceeded", "job_timeout"),
        ("rpc error: code = Unimplemented desc = 404", "go_peers"),
        # Digits of a task ID have no meaning.
        ("task 4045a2e6404b5e2c4011d3f3f4033cf2 failed", "failed"),
        ("", "failed"),
    ],
)
def test_what_an_error_means(message, reason):
    job = job_of([(1, [], [])], state="FAILURE", result_state="FAILURE")
    job["result"]["job_states"][0]["error"] = message
    judged = verify_job(job)
    assert (judged.status, judged.reason) == ("failed", reason)


FULL = "write /var/lib/dragonfly/content: no space left on device"
FULL_MEANS = "This means: the disk of a peer is full: free space there"


@pytest.mark.parametrize(
    "descriptions, parts",
    [
        ([], []),
        ([""], []),
        ([FULL], [f"A peer reports: {FULL}. {FULL_MEANS}"]),
        (["rpc error", FULL], [f"A peer reports: {FULL}. {FULL_MEANS}"]),
        (["rpc error"], ["A peer reports: rpc error. What to do: see the logs of the manager"]),
        (["http://h/b?X-Amz-Signature=geheim: 403"], ["This means: the registry or origin rejects these credentials"]),
    ],
)
@pytest.mark.parametrize("warm", [[], [(SEED, "a")]])
@pytest.mark.parametrize("scope", ["single_seed_peer", "all_peers"])
def test_a_cold_job_says_what_its_failed_tasks_say(descriptions, parts, warm, scope):
    """The manager reports SUCCESS although tasks failed, such as those of a seed peer with a full disk."""
    job = job_of([(1, warm, [])], scope=scope)
    failures = [{"url": "b", "hostname": "h", "ip": SEED, "description": text} for text in descriptions]
    job["result"]["job_states"][0]["results"][0]["failure_tasks"] = failures
    judged = verify_job(job, wanting(["a", "b"]))
    assert (judged.status, judged.reason) == ("cold", "cold" if warm else "nothing_warmed")
    for part in parts:
        assert part in (judged.explanation or "")
    assert "geheim" not in (judged.explanation or "")
    assert parts or "A peer reports" not in (judged.explanation or "")


def test_a_warm_job_does_not_report_a_failed_task():
    job = job_of([(1, [(SEED, "a")], [])])
    failures = [{"url": "a", "hostname": "h", "ip": "10.77.0.9", "description": FULL}]
    job["result"]["job_states"][0]["results"][0]["failure_tasks"] = failures
    judged = verify_job(job, wanting(["a"]))
    assert (judged.status, judged.explanation) == ("warm", None)


@pytest.mark.parametrize(
    "errors, descriptions, reason",
    [
        (["rpc error", FULL], [], "disk_full"),
        (["rpc error"], ["another", FULL], "disk_full"),
        ([], [FULL], "disk_full"),
        (["status: 403", FULL], [], "origin_denied"),
        ([], [], "failed"),
    ],
)
def test_a_failed_job_is_explained_by_the_first_error_that_means_something(errors, descriptions, reason):
    job = job_of([(1, [], [])], state="FAILURE", result_state="FAILURE")
    [state] = job["result"]["job_states"]
    job["result"]["job_states"] = [dict(state, error=error) for error in errors] or [state]
    failures = [{"url": "a", "hostname": "h", "ip": SEED, "description": text} for text in descriptions]
    job["result"]["job_states"][0]["results"][0]["failure_tasks"] = failures
    judged = verify_job(job)
    assert judged.reason == reason
    assert ("This means: " if reason != "failed" else "What to do: see the logs") in (judged.explanation or "")


def test_old_results_count_tasks():
    old = {"id": 1, "type": "preheat", "state": "SUCCESS", "args": {"type": "image", "url": "u"}}
    states = [{"State": "SUCCESS"}, {"State": "SUCCESS"}]
    assert verify_job(dict(old, result={"State": "SUCCESS", "JobStates": states})).status == "warm"
    assert (
        verify_job(dict(old, result={"State": "SUCCESS", "JobStates": states + [{"State": "PENDING"}]})).status
        == "cold"
    )
    assert verify_job(dict(old, result={"State": "SUCCESS", "JobStates": []})).status == "cold"
    two = dict(old, result={"JobStates": states}, scheduler_clusters=[{"id": 1}, {"id": 2}])
    assert verify_job(two).blobs == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "SUCCESS", "FAILURE", "all_peers", "u"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "state",
                    "State",
                    "job_states",
                    "results",
                    "success_tasks",
                    "failure_tasks",
                    "url",
                    "ip",
                    "scope",
                    "scheduler_cluster_id",
                    "error",
                    "type",
                    "urls",
                    "id",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {"state": st.sampled_from(["SUCCESS", "FAILURE", "PENDING"])},
        optional={"result": JSON, "args": JSON, "scheduler_clusters": JSON, "type": st.just("preheat"), "bio": JSON},
    ),
    st.booleans(),
)
def test_whatever_a_manager_says_has_an_outcome(job, known):
    wanted = wanting(["a", "b"]) if known else None
    judged = verify_job(job, wanted)
    assert judged.status in ("warm", "cold", "failed", "given_up", "pending")
    shown = job_result(job, judged, planned=wanted)
    json.dumps(shown)
    assert list(shown) == list(job_result(None, Verdict("planned")))
    format_job(job, details=True)


@given(st.sets(st.sampled_from("abcdef"), max_size=6), st.sets(st.sampled_from("abcdef"), min_size=1, max_size=6))
def test_warm_means_that_every_blob_is_there(there, blobs):
    job = job_of([(1, [(SEED, blob) for blob in sorted(there)], [])])
    judged = verify_job(job, wanting(sorted(blobs)))
    assert (judged.status == "warm") == (blobs <= there)
    assert set(judged.warm or []) == blobs & there
    assert set(judged.cold or []) == blobs - there
    assert (judged.warm_percentage == 100) == (judged.status == "warm")


# The result of a module


def test_results_hold_no_secret():
    url = "https://user:hidden@h/f?X-Amz-Signature=hidden&a=1"
    job = job_of(
        [(1, [], [(SEED, url)])],
        type="file",
        url=url,
        username="hidden",
        password="hidden",
        headers={"Authorization": "hidden"},
    )
    job["bio"] = url
    job["result"]["job_states"][0]["error"] = f"GET {url}: no"
    job["result"]["job_states"][0]["results"][0]["failure_tasks"][0]["description"] = f"GET {url}: no"
    for state in ("SUCCESS", "FAILURE"):
        assert "hidden" not in json.dumps(format_job(dict(job, state=state), details=True))


def test_peers():
    job = recorded("2.5.1/image_all_peers", 4)
    peers = host_reports(job)
    assert {(peer["hostname"], peer["ip"]) for peer in peers} == {("host-1", "10.77.0.11"), ("host-2", "10.77.0.12")}
    assert len(peers) == 8
    assert all(peer["success"] and peer["scheduler_cluster_id"] == 1 for peer in peers)


def test_a_result_that_can_lack_blobs_has_no_percentage():
    judged = verify_job(recorded("2.5.1/image_all_peers", 4))
    assert (judged.status, judged.verified, judged.warm_percentage) == ("warm", "result", None)


def test_a_result_of_a_task_for_each_blob_has_a_percentage():
    job = recorded("2.5.1/image_all_peers", 4)
    job["args"]["concurrent_count"] = 8
    judged = verify_job(job)
    assert (judged.verified, judged.blobs, judged.warm_percentage) == ("blobs", 4, 100)


def test_a_result_is_named_and_dated():
    job = recorded("2.5.1/image_success", 2)
    wanted = wanting(urls_of(job))
    shown = job_result(job, verify_job(job, wanted), source="created", planned=wanted)
    assert (shown["id"], shown["source"], shown["type"], shown["outcome"]) == (2, "created", "image", "warm")
    assert shown["warmed_at"] == job["updated_at"]
    assert shown["scheduler_cluster_ids"] == [1]
    assert len(shown["warm"]) == 4
    assert shown["cold"] == []


def test_only_the_first_failures_are_returned():
    job = job_of([(1, [(SEED, "a")], [(f"10.0.0.{index}", "a") for index in range(30)])], scope="all_peers")
    shown = job_result(job, verify_job(job, wanting(["a"])))
    assert (len(shown["failures"]), shown["failures_count"]) == (20, 30)


def test_a_list_names_the_clusters_by_the_result():
    job = recorded("2.5.1/image_success", 2)
    del job["scheduler_clusters"]
    assert format_job(job)["scheduler_cluster_ids"] == [1]


def test_digest_comes_from_the_url():
    digest = "sha256:" + "a" * 64
    job = {"state": "PENDING", "args": {"type": "image", "url": "https://h/v2/n/manifests/" + digest}}
    assert job_result(job, verify_job(job))["digest"] == digest


# Values of other types

STRANGE: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "\ud800",
    [],
    [[]],
    [{}],
    ["x", 5],
    {},
    {"url": []},
)


def positions(document, before=()):
    """Yield the keys of each value in a document, without those of further entries of a list, which are alike."""
    if before:
        yield before
    entries = enumerate(document[:2]) if isinstance(document, list) else ()
    for key, value in document.items() if isinstance(document, dict) else entries:
        yield from positions(value, (*before, key))


def replaced(document, keys, value):
    """Return a copy of a document with another value at a position."""
    changed = copy.copy(document)
    changed[keys[0]] = replaced(document[keys[0]], keys[1:], value) if keys[1:] else value
    return changed


@pytest.mark.parametrize(
    "place, number", [("2.1.67/image_success", 31), ("2.5.1/image_success", 2), ("2.5.1/image_all_peers", 4)]
)
def test_values_of_other_types_make_no_job_warm(place, number):
    job = recorded(place, number)
    planned = wanting([*urls_of(job), "http://10.77.0.1:5000/v2/library/app/blobs/sha256:" + "e" * 64])
    assert verify_job(job, planned).status == "cold"
    for keys in positions(job):
        for value in STRANGE:
            changed = replaced(job, keys, value)
            verdict = verify_job(changed, planned)
            assert verdict.status in ("cold", "failed", "pending"), (keys, value)
            # They take the same values.
            assert job_result(changed, verdict)
            assert format_job(changed, details=True)
