# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clusters that existing jobs cover."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.cluster_coverage import Coverage
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.planning import Gap
from hypothesis import given
from hypothesis import strategies as st

EVERYWHERE, NOWHERE = Gap(is_everywhere=True), Gap()


@pytest.mark.parametrize(
    "needed, exact, jobs, kept, gap",
    [
        # No job exists: one job for every cluster.
        ({1, 2}, False, [], [], EVERYWHERE),
        ({1, 2}, False, [({1, 2}, "found")], [True], NOWHERE),
        ({1, 2}, False, [({1, 2, 3}, "adopted")], [True], NOWHERE),
        # Each cluster has its own job.
        ({1, 2}, False, [({1}, "found"), ({2}, "adopted")], [True, True], NOWHERE),
        ({1, 2}, False, [({1}, "found")], [True], Gap(cluster_ids=(2,))),
        # The newest job decides: an older one does not cover a cluster that needs a new job.
        ({1, 2}, False, [({2}, "remake"), ({1, 2}, "found")], [False, True], Gap(cluster_ids=(2,))),
        ({1}, False, [({1}, "remake"), ({1}, "found")], [False, False], EVERYWHERE),
        # A job without a verdict hides nothing.
        ({1}, False, [({1}, "skip"), ({1}, "found")], [False, True], NOWHERE),
        # Jobs for other clusters.
        ({1}, False, [({2}, "found")], [False], EVERYWHERE),
        ({1}, True, [({1, 2}, "found")], [False], EVERYWHERE),
        ({1}, True, [({1}, "found")], [True], NOWHERE),
        # The clusters are unknown: the newest job decides alone.
        (None, False, [({1}, "found")], [True], NOWHERE),
        (None, False, [(set(), "found")], [True], NOWHERE),
        (None, False, [({1}, "remake"), ({1}, "found")], [False, False], EVERYWHERE),
        (None, False, [({1}, "skip"), ({1}, "found")], [False, True], NOWHERE),
    ],
)
def test_coverage(needed, exact, jobs, kept, gap):
    coverage = Coverage(needed, exact)
    assert [coverage.add(job_id, *job) for job_id, job in enumerate(jobs)] == kept
    assert coverage.gap == gap


@pytest.mark.parametrize(
    "needed, older, newer, gap",
    [
        ({1}, [({1}, "remake")], ({1}, "adopted"), NOWHERE),
        (None, [({1}, "remake")], ({1}, "adopted"), NOWHERE),
        ({1, 2}, [({1}, "found"), ({2}, "remake")], ({1, 2}, "adopted"), NOWHERE),
        ({1, 2}, [({1, 2}, "remake")], ({2}, "adopted"), Gap(cluster_ids=(1,))),
        ({1}, [], ({1}, "remake"), EVERYWHERE),
    ],
)
def test_newer_jobs_count_where_no_job_does(needed, older, newer, gap):
    coverage = Coverage(needed)
    for job_id, (clusters, decision) in enumerate(older):
        coverage.add(job_id, clusters, decision)
    coverage.reopen_gap()
    assert coverage.add(9, *newer) is (newer[1] == "adopted")
    assert coverage.gap == gap


def test_no_newer_job_counts_where_all_clusters_are_covered():
    coverage = Coverage({1})
    coverage.add(1, {1}, "found")
    coverage.reopen_gap()
    assert not coverage.add(2, {1}, "adopted")


@given(
    st.frozensets(st.integers(1, 4), min_size=1),
    st.lists(st.tuples(st.frozensets(st.integers(1, 5)), st.sampled_from(["found", "adopted", "skip", "remake"]))),
)
def test_of_each_cluster_its_newest_job_decides(needed, jobs):
    coverage = Coverage(set(needed))
    for job_id, (clusters, decision) in enumerate(jobs):
        coverage.add(job_id, set(clusters), decision)
    newest = {
        cluster: next((decision for clusters, decision in jobs if cluster in clusters and decision != "skip"), None)
        for cluster in needed
    }
    missing = {cluster for cluster, decision in newest.items() if decision in (None, "remake")}
    # If no job counts, one job for all clusters is needed.
    assert coverage.gap == (EVERYWHERE if missing == needed else Gap(cluster_ids=tuple(sorted(missing))))


@pytest.mark.parametrize(
    "needed, jobs, dropped, gap",
    [
        # A newer job still covers a cluster of the dropped one.
        ({1, 2}, [{1}, {1, 2}], [1], Gap(cluster_ids=(2,))),
        ({1, 2}, [{1, 2}, {2}], [0], EVERYWHERE),
        ({1, 2, 3}, [{1, 2}, {2, 3}], [0], Gap(cluster_ids=(1, 2))),
        ({1, 2, 3}, [{1, 2}, {2, 3}], [1], Gap(cluster_ids=(3,))),
        ({1, 2}, [{1}, {2}], [0, 1], EVERYWHERE),
        (None, [{1}], [0], EVERYWHERE),
    ],
)
def test_a_dropped_job_leaves_the_clusters_of_other_jobs_covered(needed, jobs, dropped, gap):
    coverage = Coverage(needed)
    kept = [job_id for job_id, clusters in enumerate(jobs) if coverage.add(job_id, clusters, "found")]
    for job_id in dropped:
        assert job_id in kept
        coverage.drop(job_id)
    assert coverage.gap == gap
