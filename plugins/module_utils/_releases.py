# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the manager's releases: keys of a preheat job's ``args`` with first and last release and defaults.

A manager ignores keys that it does not support, and echoes exactly the keys of ``args`` that it supports
(manager/types/job.go, PreheatArgs, every release from 2.0.1 to 2.5.1; recorded in contract/*/all_args and
contract/*/ignored_keys). Therefore

- a request may contain all spellings of an option at once, because each manager reads only its own;
- an echo shows whether the manager accepted an option, and which releases are possible.
"""

from __future__ import annotations

import itertools
import typing as t

from ._default_filter import DEFAULT_FILTERED_QUERY_PARAMS
from ._duration import NANOSECONDS_PER_SECOND
from ._release import Release, Releases

#: First manager with scopes of preheats. It also reports URLs in results, and writes a job's row with each poll.
FIRST_WITH_SCOPES = (2, 1, 57)
#: Managers up to this release never request task IDs that are digests of blobs (dragonfly pull request 4975).
LAST_WITHOUT_BLOB_DIGEST_IDS = (2, 5, 1)

# In the echo of a request without a filter; newer releases add ``ns`` (pkg/net/http/header.go).
_FILTERS = tuple(
    "&".join(names)
    for names in ([name for name in DEFAULT_FILTERED_QUERY_PARAMS if name != "ns"], DEFAULT_FILTERED_QUERY_PARAMS)
)


def _unchanged(value: t.Any) -> t.Any:
    return value


def _joined(value: t.Iterable[str]) -> str:
    return "&".join(value)


def _nanoseconds(value: float) -> int:
    return int(value * NANOSECONDS_PER_SECOND)


class Arg(t.NamedTuple):
    """A key of ``args``.

    :ivar option: option of the module, None if no option uses the key.
    :ivar key: name of the key in these releases.
    :ivar since: first release with the key, None if all releases before ``until`` have it.
    :ivar until: first release without the key, None if the newest release has it.
    :ivar defaults: values that a manager writes if the key is not sent, in addition to empty values.
    :ivar encode: converts the option's value to that of the manager.
    """

    option: str | None
    key: str
    since: Release | None = None
    until: Release | None = None
    defaults: tuple[t.Any, ...] = ()
    encode: t.Callable[[t.Any], t.Any] = _unchanged

    @property
    def releases(self) -> Releases:
        """The releases that have this key."""
        return Releases(self.since, self.until)


ARGS = (
    Arg("headers", "headers"),
    Arg("tag", "tag", since=(2, 0, 3)),
    Arg("filtered_query_params", "filter", until=(2, 1, 31), encode=_joined),
    Arg("filtered_query_params", "filteredQueryParams", since=(2, 1, 31), until=(2, 1, 55), encode=_joined),
    Arg("filtered_query_params", "filtered_query_params", since=(2, 1, 55), encode=_joined, defaults=_FILTERS),
    Arg("registry_username", "username", since=(2, 1, 21)),
    Arg("registry_password", "password", since=(2, 1, 21)),
    Arg("platform", "platform", since=(2, 1, 21)),
    Arg("piece_length", "pieceLength", since=(2, 1, 41), until=(2, 1, 55), defaults=(4194304,)),
    Arg("scope", "scope", since=FIRST_WITH_SCOPES, defaults=("single_peer", "single_seed_peer")),
    Arg(
        "job_timeout",
        "timeout",
        since=FIRST_WITH_SCOPES,
        encode=_nanoseconds,
        defaults=(1800 * NANOSECONDS_PER_SECOND, 3600 * NANOSECONDS_PER_SECOND),
    ),
    # Up to 2.3.0, the limit applies to peers (v2.2.0:scheduler/job/job.go, preheatAllPeers).
    Arg("concurrent_peer_count", "concurrent_count", since=FIRST_WITH_SCOPES, until=(2, 3, 1), defaults=(50,)),
    Arg("piece_length", "piece_length", since=(2, 2, 1)),
    Arg("load_to_cache", "load_to_cache", since=(2, 2, 2), until=(2, 3, 1)),
    Arg("application", "application", since=(2, 2, 3)),
    Arg("count", "count", since=(2, 2, 3)),
    Arg("percentage", "percentage", since=(2, 2, 3)),
    Arg("ips", "ips", since=(2, 3, 1)),
    Arg("concurrent_task_count", "concurrent_task_count", since=(2, 3, 1), defaults=(8,)),
    Arg("concurrent_peer_count", "concurrent_peer_count", since=(2, 3, 1), defaults=(500,)),
    Arg("object_storage", "object_storage", since=(2, 4, 4)),
    Arg("hdfs", "hdfs", since=(2, 4, 4)),
    # Merged upstream after 2.5.1 (dragonfly pull request 4975), not released yet.
    Arg("enable_task_id_based_blob_digest", "enable_task_id_based_blob_digest", since=(2, 5, 2)),
)
BY_KEY = {arg.key: arg for arg in ARGS}

#: First release whose schedulers preheat only through the protocol of the Rust client (recorded: contract/2.3.4).
FIRST_WITHOUT_GO_SEEDS = (2, 3, 1)

# From 2.3.1 on, schedulers query the hosts for a get_task job, and from 2.4.0 on they report which hosts have the
# complete task (see ``peer_questions``). The routes of a manager show that it is 2.4.1 or later, not that it is 2.4.0.
FIRST_QUERYING_HOSTS = (2, 3, 1)
FIRST_SURELY_REPORTING_WHOLE_TASKS = (2, 4, 1)

#: The default scope of all releases: one seed peer of each cluster fetches each blob.
DEFAULT_SCOPE = "single_seed_peer"

# Releases in which the set of keys changes, including keys that no option uses.
_CONTENT_KEY = Arg(None, "content_for_calculating_task_id", since=(2, 2, 3), until=(2, 3, 1))
_URLS_KEY = Arg(None, "urls", since=(2, 2, 3))
_TELLING = (*ARGS, _CONTENT_KEY, _URLS_KEY)
_BREAKS = sorted({release for arg in _TELLING for release in (arg.since, arg.until) if release} | {(0,)})

_EVERYWHERE = "all releases"


class ValueLimit(t.NamedTuple):
    """Values of an option that some releases with the option do not accept (manager/types/job.go).

    :ivar name: option and values in messages.
    :ivar includes: returns whether a value is affected.
    :ivar since: first release that accepts the values.
    """

    name: str
    option: str
    includes: t.Callable[[t.Any], bool]
    since: Release


#: Up to 2.1.65 ``scope`` is ``single_peer`` or ``all_peers``, up to 2.3.0 ``concurrent_count`` is at most 500.
VALUE_LIMITS = (
    ValueLimit("scope=all_seed_peers", "scope", lambda value: value == "all_seed_peers", (2, 1, 66)),
    ValueLimit("concurrent_peer_count above 500", "concurrent_peer_count", lambda value: value > 500, (2, 3, 1)),
)


def releases_of_echo(args: t.Mapping[str, t.Any]) -> Releases:
    """Return the releases whose echo has exactly these keys, unknown releases if none does.

    Unknown keys are ignored, so a release newer than the table counts as the newest in the table.

    :param args: ``args`` of a preheat job as the manager returned it.
    """
    fitting = [index for index, release in enumerate(_BREAKS) if _fits(release, args)]
    if not fitting:
        return Releases()
    after = fitting[-1] + 1
    low = _BREAKS[fitting[0]]
    return Releases(low if low != (0,) else None, _BREAKS[after] if after < len(_BREAKS) else None)


def has_task_per_blob(args: t.Mapping[str, t.Any]) -> bool:
    """Return whether the manager created a task for each blob: its echo then has ``concurrent_count``."""
    return "concurrent_count" in args


def _fits(release: Release, args: t.Mapping[str, t.Any]) -> bool:
    """Return whether a release echoes the same keys of the table."""
    return all(arg.releases.includes(release) == (arg.key in args) for arg in _TELLING)


def request_args(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the keys of ``args`` for a POST, each option in all spellings.

    The default scope is not sent, because 2.1.57 to 2.1.65 call it ``single_peer`` and refuse the other name.

    :param options: values by option; empty ones are omitted.
    """
    requested = set(_requested_options(options))
    return {arg.key: arg.encode(options[arg.option]) for arg in ARGS if arg.option in requested}


def _requested_options(options: t.Mapping[str, t.Any]) -> list[str]:
    return [name for name, value in options.items() if is_requested(name, value)]


def is_requested(option: str, value: t.Any) -> bool:
    """Return whether the value of an option is sent: None, empty, 0, False and the default scope are not."""
    return bool(value) and (option, value) != ("scope", DEFAULT_SCOPE)


def not_in_echo(options: t.Mapping[str, t.Any], args: t.Mapping[str, t.Any]) -> list[str]:
    """Return the options that were set but are missing in the manager's echo, so they had no effect.

    :param args: the echo.
    """
    return [name for name in _requested_options(options) if not any(arg.key in args for arg in _args_of(name))]


def _args_of(option: str) -> list[Arg]:
    return [arg for arg in ARGS if arg.option == option]


def not_in_releases(options: t.Mapping[str, t.Any], releases: Releases) -> list[str]:
    """Return the options that were set and that none of these releases support, or whose value none of them accept.

    :returns: names for ``option_releases``, such as ``ips`` and ``scope=all_seed_peers``.
    """
    refused = []
    for name in _requested_options(options):
        limit = value_limit(name, options[name])
        if limit is not None and releases.before(limit.since):
            refused.append(limit.name)
        elif not any(_is_possible(arg, releases) for arg in _args_of(name)):
            refused.append(name)
    return refused


def _is_possible(arg: Arg, releases: Releases) -> bool:
    is_too_old = arg.since is not None and releases.before(arg.since)
    is_too_new = arg.until is not None and releases.since(arg.until)
    return not is_too_old and not is_too_new


def value_limit(option: str, value: t.Any) -> ValueLimit | None:
    """Return the limit of an option's value, None if all releases with the option accept it."""
    return next((limit for limit in VALUE_LIMITS if limit.option == option and limit.includes(value)), None)


def not_everywhere(options: t.Mapping[str, t.Any]) -> list[str]:
    """Return the options that were set and that some releases do not support."""
    return [name for name in _requested_options(options) if option_releases(name) != _EVERYWHERE]


def option_releases(name: str) -> str:
    """Return the releases that support an option or a value, as text.

    :param name: name of an option or a ``ValueLimit``.
    """
    limit = next((limit for limit in VALUE_LIMITS if limit.name == name), None)
    if limit:
        return str(Releases(limit.since))
    return " and ".join(str(span) if span != Releases() else _EVERYWHERE for span in _joined_spans(name))


def _joined_spans(option: str) -> list[Releases]:
    """Return the releases that support an option, with adjacent ranges joined."""
    spans: list[Releases] = []
    for arg in _args_of(option):
        if spans and spans[-1].high == arg.since:
            spans[-1] = Releases(spans[-1].low, arg.until)
        else:
            spans.append(arg.releases)
    return spans


#: Types of jobs, and the first release that supports each (manager/types/job.go); None if all do.
JOB_TYPES: dict[str, Release | None] = {
    "preheat": None,
    "get_task": (2, 1, 55),
    "delete_task": (2, 1, 55),
    "sync_peers": (2, 1, 65),
    "gc": (2, 2, 3),
    "get_image_distribution": (2, 2, 4),
}


def known_job_types(releases: Releases) -> dict[str, bool | None]:
    """Return which types of jobs these releases support, None if unknown."""
    return {kind: _known([Releases(since)], releases) for kind, since in JOB_TYPES.items()}


def known_options(releases: Releases) -> dict[str, bool | None]:
    """Return which options of a preheat these releases support, None if unknown."""
    options = dict.fromkeys(arg.option for arg in ARGS if arg.option)
    return {option: _known([arg.releases for arg in _args_of(option)], releases) for option in options}


def is_known(span: Releases, releases: Releases) -> bool | None:
    """Return whether all of these releases are within a span, None if only some are."""
    return _known([span], releases)


def _known(spans: list[Releases], releases: Releases) -> bool | None:
    """Return whether all of these releases are within one of the spans, None if only some are."""
    # Only at these releases can it change whether a release is within a span.
    breaks = [release for release in filter(None, itertools.chain(*spans)) if releases.includes(release)]
    answers = {_is_within(spans, release) for release in [releases.low or (0,), *breaks]}
    return answers.pop() if len(answers) == 1 else None


def _is_within(spans: list[Releases], release: Release) -> bool:
    return any(span.includes(release) for span in spans)
