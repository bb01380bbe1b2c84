# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain errors in the result of a job, with remedies. Sends no requests."""

from __future__ import annotations

import re
import typing as t

from .._job_document import JobResult
from .._redact import LONGEST_TEXT, redact_beginning

_ERROR_LENGTH = 500
# Limit of the errors of peers, which mostly have a common cause.
_MOST_DESCRIPTIONS = 100
LOGS = "see the logs of the manager, the schedulers and the seed peers"


class Meaning(t.NamedTuple):
    """The meaning of a scheduler's error, identified by a regular expression, and its remedy."""

    pattern: str
    reason: str
    text: str


# A status must stand alone, because IDs of tasks in errors contain any digits.
_MEANINGS = (
    Meaning(
        "Unimplemented",
        "go_peers",
        "the peers are Go clients, which this scheduler cannot preheat: use the Rust client there, or "
        "single_seed_peer with a scheduler before 2.3.1",
    ),
    Meaning(
        "available seed peer",
        "no_seed_peer",
        "the scheduler knows no running seed peer: start one, or wait a minute if it has just joined",
    ),
    Meaning(r"\b404\b", "origin_missing", "the registry or origin does not have it: check the reference or URL"),
    Meaning(
        r"\b401\b",
        "origin_denied",
        "the registry or origin requires credentials: see registry_username, registry_password and headers",
    ),
    Meaning(
        r"\b403\b",
        "origin_denied",
        "the registry or origin rejects these credentials: see registry_username, registry_password and headers",
    ),
    Meaning(
        "(?i)no space left on device|not enough space|disk (is )?full",
        "disk_full",
        "the disk of a peer is full: free space there, lower its cache limit (gc.policy), or delete content with "
        "dragonflyoss.dragonfly.task",
    ),
    Meaning(
        "x509",
        "origin_tls",
        "the peer does not trust the certificate of the registry or origin: install its CA on the hosts of the peers",
    ),
    Meaning(
        "deadline exceeded",
        "job_timeout",
        "it took longer than job_timeout: raise it, or check why the registry or origin is slow",
    ),
)


def descriptions(result: JobResult) -> list[str]:
    """Return the peers' descriptions of their failures, without secrets."""
    texts = [failure["description"] for failure in result.failures if failure["description"]]
    return [redact_beginning(text, LONGEST_TEXT) for text in texts[:_MOST_DESCRIPTIONS]]


def telling_error(errors: list[str]) -> tuple[str, Meaning | None]:
    """Return the first error with a known meaning and the meaning, or else the first error."""
    for error in errors:
        for meaning in _MEANINGS:
            if re.search(meaning.pattern, error):
                return _shortened(error), meaning
    return _shortened(errors[0]) if errors else "", None


def _shortened(error: str) -> str:
    return error[:_ERROR_LENGTH].rstrip(".")
