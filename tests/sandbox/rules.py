# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules: faults of requests and outcomes of jobs. README.md has an example of each."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

#: Fault to whether the server processes the request before it breaks, unless the rule sets ``acts``.
FAULTS = {
    "reset": False,
    "half": True,
    "timeout": False,
    "delay": True,
    "status": False,
    "html": False,
    "redirect": False,
    "two_documents": True,
    "invalid_json": True,
    "body": False,
    "not_found": False,
    "zero_row": True,
}
OUTCOMES = (
    "success",
    "nothing",
    "partial",
    "failure",
    "pending",
    "give_up",
    "unwatched",
    "gone",
    "race_lost",
    "failed_peers",
    "go_peers",
    "no_seed_peer",
    "fetch",
)
_FAULT_WORDS = {
    "at",
    "method",
    "path",
    "query",
    "nth",
    "times",
    "acts",
    "status",
    "body",
    "headers",
    "content_type",
    "seconds",
    "location",
    "fault",
}
_OUTCOME_WORDS = {
    "outcome",
    "url",
    "type",
    "nth",
    "times",
    "missing",
    "error",
    "after",
    "polls",
    "lost",
    "peers",
    "reason",
    "task_after",
    "after_polls",
    "visible_after",
}


class RuleError(ValueError):
    """A rule is not valid."""


class Rule:
    """One rule, a flat dict.

    ``nth`` (int or list) selects matches, counted from 1; ``times`` is the maximum number of matches.
    """

    def __init__(self, number, options):
        self.number = number
        self.words = options
        self.matched = 0
        self.taken = 0
        nth = options.get("nth")
        self._nth = [nth] if isinstance(nth, int) else nth

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self.words.get(name)

    def take(self):
        """Count a match, and return whether the rule applies to it."""
        self.matched += 1
        if self._nth and self.matched not in self._nth:
            return False
        if self.times is not None and self.taken >= self.times:
            return False
        self.taken += 1
        return True

    def as_dict(self):
        return dict(self.words, id=self.number, matched=self.matched, taken=self.taken)


class Rules:
    """All rules. The first one that matches a request or a job applies."""

    def __init__(self):
        self._rules = []
        self._last = 0

    def add(self, options):
        """Add a rule.

        :param words: dict, with ``fault`` for a rule about requests or ``outcome`` for one about jobs.
        :returns: its number (int).
        :raises RuleError: if the rule is not valid.
        """
        if ("fault" in options) == ("outcome" in options):
            raise RuleError("a rule has either fault or outcome")
        kind, kinds, known = (
            ("fault", FAULTS, _FAULT_WORDS) if "fault" in options else ("outcome", OUTCOMES, _OUTCOME_WORDS)
        )
        if options[kind] not in kinds:
            raise RuleError(f"no {kind} {options[kind]!r}, there are {', '.join(kinds)}")
        if set(options) - known:
            raise RuleError(f"a rule about {kind}s has no {', '.join(sorted(set(options) - known))}")
        self._last += 1
        self._rules.append(Rule(self._last, dict(options)))
        return self._last

    def remove(self, number):
        self._rules = [rule for rule in self._rules if rule.number != number]

    def clear(self):
        self._rules = []

    def as_list(self):
        return [rule.as_dict() for rule in self._rules]

    def fault(self, at, method, path, query):
        """Return the rule that breaks a request, or None.

        :param at: ``manager`` or ``registry``.
        :param query: dict of the request's query.
        """
        for rule in self._rules:
            if rule.fault and _is_for(rule, at, method, path, query) and rule.take():
                return rule
        return None

    def outcome(self, kind, urls):
        """Return the rule for the outcome of a job, or None.

        :param kind: the job's type.
        :param urls: its URLs.
        """
        for rule in self._rules:
            if not rule.outcome or (rule.type or "preheat") != kind:
                continue
            if rule.url and not any(fnmatchcase(url, rule.url) for url in urls):
                continue
            if rule.take():
                return rule
        return None


def _is_for(rule, at, method, path, query):
    """Return whether a rule breaks a request."""
    if (rule.at or "manager") != at or (rule.method or method).upper() != method:
        return False
    patterns = [(rule.path or "", path), *((str(text), query.get(key, "")) for key, text in (rule.query or {}).items())]
    return all(re.search(pattern, text) for pattern, text in patterns)
