# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether enough hosts are warm, for scopes of many peers: one rule for results, options and peers."""

from __future__ import annotations

import typing as t

from .._job_document import normal_ip


class HostCheck(t.NamedTuple):
    """The hosts that count, and those of them that hold all blobs.

    The hosts that count are those in the result of a job, and those in the options ``ips`` and ``expected_ips``. Each
    of ``expected_ips`` must be warm. Of all hosts, ``max_failed_peers_percentage`` may be cold.

    :ivar named: hosts that count.
    :ivar warm: those of them that hold all blobs.
    :ivar expected: those of them that must be warm.
    """

    named: set[str]
    warm: set[str]
    expected: set[str]
    max_failed_percentage: int

    @property
    def cold(self) -> set[str]:
        """The hosts that lack blobs."""
        return self.named - self.warm

    @property
    def passes(self) -> bool:
        """Whether enough hosts are warm."""
        is_tolerated = 100 * len(self.cold) <= self.max_failed_percentage * len(self.named)
        return is_tolerated and not self.expected & self.cold


def check_hosts(params: dict, reported: t.Iterable[str], warm: t.Iterable[str]) -> HostCheck:
    """Return the check of the hosts in results and options.

    :param params: options of the module.
    :param reported: addresses in results.
    :param warm: addresses of the hosts that hold all blobs; only reported and named ones count.
    """
    expected = {normal_ip(address) for address in params.get("expected_ips") or ()}
    chosen = {normal_ip(address) for address in params.get("ips") or ()}
    named = {normal_ip(host) for host in reported} | expected | chosen
    return HostCheck(named, named & {normal_ip(host) for host in warm}, expected, params["max_failed_peers_percentage"])
