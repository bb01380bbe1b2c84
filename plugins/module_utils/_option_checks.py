# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate options that several modules share.

Each check returns a list of messages, because a task reports all problems at once.
"""

from __future__ import annotations

import re
import typing as t
from ipaddress import ip_address, ip_network

from ._duration import duration_problem, format_duration, parse_duration
from ._errors import InputError
from ._regex import regex_error


class Range(t.NamedTuple):
    """The valid numbers of an option."""

    least: int
    greatest: int

    def includes(self, number: int) -> bool:
        """Return whether a number is valid."""
        return self.least <= number <= self.greatest


#: The range of each number. The manager has the same ranges for jobs (manager/types/job.go, 2.5.1).
RANGES = {
    "timeout": Range(1, 86400),
    "wait_timeout": Range(0, 604800),
    "wait_sleep": Range(1, 3600),
    "retry_timeout": Range(0, 604800),
    "max_age": Range(0, 31536000),
    "job_timeout": Range(1, 604800),
    "older_than": Range(0, 315360000),
    "start_timeout": Range(1, 86400),
    "piece_length": Range(4194304, 67108864),
    "count": Range(1, 200),
    "percentage": Range(1, 100),
    "concurrent_task_count": Range(1, 100),
    "concurrent_peer_count": Range(1, 1000),
    "max_failed_peers_percentage": Range(0, 100),
}

#: Options that are durations.
DURATIONS = (
    "timeout",
    "wait_timeout",
    "wait_sleep",
    "retry_timeout",
    "max_age",
    "job_timeout",
    "older_than",
    "start_timeout",
)


def with_seconds(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return options with durations converted to seconds (int).

    Malformed values and those out of range stay strings, which ``range_problems`` shows as written.
    """
    seconds = {name: parse_duration(params[name]) for name in DURATIONS if params.get(name) is not None}
    return {
        **params,
        **{name: value for name, value in seconds.items() if value is not None and RANGES[name].includes(value)},
    }


def range_problems(params: dict[str, t.Any], ranges: dict[str, Range] | None = None, prefix: str = "") -> list[str]:
    """Return problems of numbers outside of their range and of malformed durations.

    :param ranges: range by name of the option; default: ranges of all modules.
    :param prefix: prefix of names in messages, such as that of the enclosing option.
    """
    checked = RANGES if ranges is None else ranges
    problems = [
        _range_problem(name, params[name], limits, prefix)
        for name, limits in checked.items()
        if params.get(name) is not None
    ]
    return list(filter(None, problems))


def _range_problem(name: str, given: t.Any, limits: Range, prefix: str) -> str | None:
    number = parse_duration(given) if isinstance(given, str) else given
    if number is None:
        return duration_problem(f"{prefix}{name}", given)
    if limits.includes(number):
        return None
    lowest, highest = map(format_duration, limits) if name in DURATIONS else limits
    return f"{prefix}{name} must be from {lowest} to {highest}, not {given}"


# The last value of a signed integer with 64 bits, which every database of a manager can store.
_LAST_ID = 2**63 - 1


def task_id_problems(params: dict) -> list[str]:
    """Return problems of the lists that select tasks and clusters."""
    problems = []
    for name in params.get("filtered_query_params") or []:
        if not name or re.search(r"[&=\s]", name):
            problems.append(f"filtered_query_params must be a list of names, and {name!r} is not a name")
    return problems + id_problems("scheduler_cluster_ids", params.get("scheduler_cluster_ids"))


def registry_login_problems(params: dict) -> list[str]:
    """Return which of the registry's user name and password is missing."""
    if bool(params.get("registry_username")) == bool(params.get("registry_password")):
        return []
    given, missing = ("username", "password") if params.get("registry_username") else ("password", "user name")
    return [f"registry_{given} is set without a {missing}"]


def id_problems(name: str, ids: t.Iterable[int] | None) -> list[str]:
    """Return problems of numbers that are not valid IDs."""
    return [
        f"{name} must be numbers from 1 to {_LAST_ID}, not {number}"
        for number in ids or []
        if not 1 <= number <= _LAST_ID
    ]


def address_problems(name: str, addresses: t.Iterable[str] | None) -> list[str]:
    """Return problems of texts that are not IP addresses."""
    wrong = [address for address in addresses or [] if not _is_address(address)]
    return [f"{name} must be a list of IP addresses, and {address!r} is not one" for address in wrong]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def network_problems(name: str, networks: t.Iterable[str] | None) -> list[str]:
    """Return problems of texts that are not networks in CIDR notation, as Go's ``net.ParseCIDR`` reads it.

    A scheduler cluster ignores networks that it cannot parse (manager/searcher/searcher.go, 2.5.1).
    """
    wrong = [network for network in networks or [] if not _is_network(network)]
    return [f"{name} must be a list of networks such as 10.77.0.0/16, and {network!r} is not one" for network in wrong]


def _is_network(text: str) -> bool:
    # Python also accepts an address without a prefix length, a netmask, and a zone after a %.
    if not re.fullmatch(r"[0-9A-Fa-f.:]+/[0-9]{1,3}", text):
        return False
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def regex_problems(name: str, patterns: t.Iterable[str] | None) -> list[str]:
    """Return problems of regular expressions that the manager, a Go program, certainly rejects."""
    errors = {pattern: regex_error(pattern, "go") for pattern in patterns or []}
    return [
        f"{name}: {pattern!r} is not a valid regular expression of Go: {error}"
        for pattern, error in errors.items()
        if error
    ]


def raise_problems(problems: list[str]) -> None:
    """Raise an InputError that contains all problems, if there are any."""
    if problems:
        raise InputError("; ".join(problems) + ".")
