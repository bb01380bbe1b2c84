# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each release of the manager knows: the keys of a preheat job's ``args``, since when, until when, and their
defaults.

A manager ignores keys that it does not know, and its echo of ``args`` holds every key that it knows and no other
(manager/types/job.go, PreheatArgs; recorded in contract/*/all_args and contract/*/ignored_keys). So

- a request may carry every spelling of an option at once: each manager takes its own;
- an echo tells whether an option was taken, and which releases the manager can be of.

PRIVATE to the collection.
"""

from __future__ import annotations

_DEFAULT_FILTER = (
    "X-Amz-Algorithm&X-Amz-Credential&X-Amz-Date&X-Amz-Expires&X-Amz-SignedHeaders&X-Amz-Signature&X-Amz-Security-Token"
    "&X-Amz-User-Agent&X-Goog-Algorithm&X-Goog-Credential&X-Goog-Date&X-Goog-Expires&X-Goog-SignedHeaders"
    "&X-Goog-Signature&OSSAccessKeyId&Expires&Signature&SecurityToken&AccessKeyId&X-Obs-Date&X-Obs-Security-Token"
    "&q-sign-algorithm&q-ak&q-sign-time&q-key-time&q-header-list&q-url-param-list&q-signature&x-cos-security-token"
)
_NANOSECOND = 10**9


def _same(value):
    return value


def _joined(value):
    return "&".join(value)


def _nanoseconds(value):
    return int(value * _NANOSECOND)


class Arg:
    """One key of ``args``.

    :param option: the module's option (str).
    :param key: how these releases spell it.
    :param since: first release that has it (tuple), None for all before ``until``.
    :param until: first release that lacks it again (tuple), None where the newest has it.
    :param defaults: the values that a manager writes when the key is not sent. Nothing, 0, False and empty always
        count.
    :param encode: the option's value as the manager wants it.
    """

    def __init__(self, option, key, since=None, until=None, defaults=(), encode=_same):
        self.option = option
        self.key = key
        self.since = since
        self.until = until
        self.defaults = defaults
        self.encode = encode


ARGS = (
    Arg("headers", "headers"),
    Arg("tag", "tag", since=(2, 0, 3)),
    Arg("filtered_query_params", "filter", until=(2, 1, 31), encode=_joined),
    Arg("filtered_query_params", "filteredQueryParams", since=(2, 1, 31), until=(2, 1, 55), encode=_joined),
    Arg(
        "filtered_query_params",
        "filtered_query_params",
        since=(2, 1, 55),
        encode=_joined,
        defaults=(_DEFAULT_FILTER, _DEFAULT_FILTER + "&ns"),
    ),
    Arg("registry_username", "username", since=(2, 1, 21)),
    Arg("registry_password", "password", since=(2, 1, 21)),
    Arg("platform", "platform", since=(2, 1, 21)),
    Arg("piece_length", "pieceLength", since=(2, 1, 41), until=(2, 1, 55), defaults=(4194304,)),
    Arg("scope", "scope", since=(2, 1, 57), defaults=("single_peer", "single_seed_peer")),
    Arg(
        "job_timeout",
        "timeout",
        since=(2, 1, 57),
        encode=_nanoseconds,
        defaults=(1800 * _NANOSECOND, 3600 * _NANOSECOND),
    ),
    # Until 2.3.0 the one limit was on peers (v2.2.0:scheduler/job/job.go, preheatAllPeers).
    Arg("concurrent_peer_count", "concurrent_count", since=(2, 1, 57), until=(2, 3, 1), defaults=(50,)),
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
)
BY_KEY = {arg.key: arg for arg in ARGS}

#: First release whose schedulers preheat through the protocol of the Rust client only (recorded: contract/2.3.4).
FIRST_WITHOUT_GO_SEEDS = (2, 3, 1)

#: What ``scope`` does where it is not sent, in every release: one seed peer fetches.
DEFAULT_SCOPE = "single_seed_peer"

# Releases at which the set of keys changes, those of keys that no option has included.
_CONTENT_KEY = Arg(None, "content_for_calculating_task_id", since=(2, 2, 3), until=(2, 3, 1))
_URLS_KEY = Arg(None, "urls", since=(2, 2, 3))
_TELLING = ARGS + (_CONTENT_KEY, _URLS_KEY)
_BREAKS = sorted({release for arg in _TELLING for release in (arg.since, arg.until) if release} | {(0,)})

_EVERYWHERE = "all releases"


class Releases:
    """The releases that a manager can be of: at least ``low``, before ``high`` (tuples; None where nothing is
    known)."""

    def __init__(self, low=None, high=None):
        self.low = low
        self.high = high

    def and_(self, low=None, high=None):
        """What is left when both are true. Where nothing is left, the new word counts: managers are upgraded."""
        lows = [one for one in (self.low, low) if one]
        highs = [one for one in (self.high, high) if one]
        both = Releases(max(lows) if lows else None, min(highs) if highs else None)
        if both.low and both.high and both.low >= both.high:
            return Releases(low, high)
        return both

    def before(self, release):
        """Whether every one of them is before a release."""
        return self.high is not None and self.high <= release

    def since(self, release):
        """Whether every one of them is that release or a later one."""
        return self.low is not None and self.low >= release

    def __str__(self):
        words = []
        if self.low:
            words.append(f"{dotted(self.low)} or later")
        if self.high:
            words.append(f"before {dotted(self.high)}")
        return ", ".join(words) or "unknown"


def dotted(release):
    """A release (tuple) as people write it; None for None."""
    return ".".join(str(part) for part in release) if release else None


def releases_of_echo(args):
    """The releases whose echo has just these keys.

    :param args: dict, ``args`` of a preheat job as a manager returned it.
    :returns: L(Releases); unknown ones where no release fits.
    """

    def fits(release):
        return all(
            ((arg.since or (0,)) <= release and (not arg.until or release < arg.until)) == (arg.key in args)
            for arg in _TELLING
        )

    fitting = [index for index, release in enumerate(_BREAKS) if fits(release)]
    if not fitting:
        return Releases()
    after = fitting[-1] + 1
    low = _BREAKS[fitting[0]]
    return Releases(low if low != (0,) else None, _BREAKS[after] if after < len(_BREAKS) else None)


def request_args(options):
    """The keys of ``args`` for a POST, each option in every spelling.

    The default scope is not sent, since 2.1.57 to 2.1.65 call it ``single_peer`` and refuse the other name.

    :param options: dict of option to value; None and empty ones are left out.
    """
    args = {}
    for arg in ARGS:
        value = options.get(arg.option)
        if value in (None, "", [], {}, False) or (arg.option == "scope" and value == DEFAULT_SCOPE):
            continue
        args[arg.key] = arg.encode(value)
    return args


def _wanted_options(options):
    return [
        name
        for name, value in options.items()
        if value not in (None, "", [], {}, False) and not (name == "scope" and value == DEFAULT_SCOPE)
    ]


def not_in_echo(options, args):
    """Options that were set and that the manager's echo does not hold, so that they had no effect.

    :param options: dict of option to value.
    :param args: dict, the echo.
    :returns: list of option names.
    """
    return [name for name in _wanted_options(options) if not any(arg.key in args for arg in ARGS if arg.option == name)]


def not_in_releases(options, releases):
    """Options that were set and that no manager of these releases knows.

    :returns: list of option names.
    """

    def possible(arg):
        return not ((arg.since and releases.before(arg.since)) or (arg.until and releases.since(arg.until)))

    return [name for name in _wanted_options(options) if not any(possible(arg) for arg in ARGS if arg.option == name)]


def not_everywhere(options):
    """Options that were set and that not every release knows.

    :returns: list of option names.
    """
    return [name for name in _wanted_options(options) if option_releases(name) != _EVERYWHERE]


def option_releases(option):
    """In words, which releases know an option."""
    spans = []
    for arg in ARGS:
        if arg.option != option:
            continue
        if spans and spans[-1][1] == arg.since:
            spans[-1][1] = arg.until
        else:
            spans.append([arg.since, arg.until])
    words = [str(Releases(low, high)) if low or high else _EVERYWHERE for low, high in spans]
    return " and ".join(words)


#: Types of jobs, and the first release that has each (manager/types/job.go); None for all.
JOB_TYPES = {
    "preheat": None,
    "get_task": (2, 1, 55),
    "delete_task": (2, 1, 55),
    "sync_peers": (2, 1, 65),
    "gc": (2, 2, 3),
    "get_image_distribution": (2, 2, 4),
}


def known_job_types(releases):
    """Which types of jobs managers of these releases take (dict of type to True, False, None where it is not known)."""
    return {kind: _known([(since, None)], releases) for kind, since in JOB_TYPES.items()}


def known_options(releases):
    """Which options of a preheat managers of these releases know (dict as in L(known_job_types))."""
    spans = {}
    for arg in ARGS:
        spans.setdefault(arg.option, []).append((arg.since, arg.until))
    return {option: _known(spans[option], releases) for option in spans}


def _known(spans, releases):
    points = sorted({one for span in spans for one in span if one})
    low = releases.low or (0,)
    tests = [low] + [one for one in points if one > low and not (releases.high and one >= releases.high)]
    answers = {any((since or (0,)) <= one and (not until or one < until) for since, until in spans) for one in tests}
    return answers.pop() if len(answers) == 1 else None
