# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determine the requested hosts that are not warm, for scopes of many peers. Sends no requests."""

from __future__ import annotations

import typing as t

from .._job_document import normal_ip
from .._text import listed
from .host_check import check_hosts
from .records import JobRecord
from .verdict import HOSTS_REMEDY, Verdict, cold_hosts_message


class LackingHosts(t.NamedTuple):
    """The warm jobs of an image or file that lack hosts, the problem, and the remedy."""

    records: list[JobRecord]
    message: str
    remedy: str


def find_lacking_hosts(records: list[JobRecord], params: dict) -> list[LackingHosts]:
    """Return the images and files whose jobs are all warm but lack hosts that must be warm."""
    if params["verify"] == "none":
        return []
    lacking = []
    for group in _warm_groups(records):
        explanation = lacking_hosts_explanation([record.verdict for record in group], params)
        if explanation:
            lacking.append(LackingHosts(group, *explanation))
    return lacking


def _warm_groups(records: list[JobRecord]) -> list[list[JobRecord]]:
    """Return the jobs for many peers, grouped by image or file, if all jobs of the group are warm."""
    groups: dict[tuple, list[JobRecord]] = {}
    for record in records:
        if record.planned.has_many_peers:
            groups.setdefault((record.planned.url, record.planned.platform), []).append(record)
    return [group for group in groups.values() if all(record.verdict.status == "warm" for record in group)]


def lacking_hosts_explanation(verdicts: list[Verdict], params: dict) -> tuple[str, str] | None:
    """Return the hosts that the warm jobs of an image or file lack, and the remedy; None if they lack none.

    The jobs are checked together, because each host is in one cluster only, and each cluster may have a job of its own.

    :param params: ``expected_ips`` must be warm without exception; ``ips`` limits the jobs to these hosts.
    """
    warm = set().union(*(verdict.warm_hosts for verdict in verdicts))
    cold = set().union(*(verdict.cold_hosts for verdict in verdicts))
    reported = warm | cold
    # Hosts of two clusters can share an address, which is warm only if both are.
    check = check_hosts(params, reported, warm - cold)
    if check.passes:
        return None
    message = cold_hosts_message(check)
    unknown = check.named - {normal_ip(host) for host in reported}
    if not unknown:
        return message, HOSTS_REMEDY
    names = "it" if len(unknown) == len(check.cold) == 1 else listed(sorted(unknown))
    return f"{message}. The scheduler does not know {names}", _unknown_hosts_remedy(len(unknown))


def _unknown_hosts_remedy(number: int) -> str:
    if number == 1:
        return "check the address, and that its client runs and joined this cluster"
    return "check the addresses, and that their clients run and joined this cluster"
