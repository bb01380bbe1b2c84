# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether enough hosts are warm, for scopes of many peers: the one rule for results, options and peers.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_document import normal_ip


class HostCheck(t.NamedTuple):
    """Which hosts count, and which of them have all blobs.

    The hosts that count are those that the result of a job names, and those of the options ``ips`` and
    ``expected_ips``. Each of ``expected_ips`` must be warm. Of all hosts, as many may be cold as
    ``max_failed_peers_percentage`` allows.

    :ivar named: all that count.
    :ivar warm: those of them that have all blobs.
    :ivar expected: those that must be warm, whatever may be cold.
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
    """Return the check of the hosts that results report and options name.

    :param params: the module's.
    :param reported: addresses in results.
    :param warm: addresses of the hosts that have all blobs; others than the reported and named ones do not count.
    """
    expected = {normal_ip(address) for address in params.get("expected_ips") or ()}
    chosen = {normal_ip(address) for address in params.get("ips") or ()}
    named = {normal_ip(host) for host in reported} | expected | chosen
    return HostCheck(named, named & {normal_ip(host) for host in warm}, expected, params["max_failed_peers_percentage"])
