# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manager of a release that nobody has seen yet: 2.5.1 with other defaults, and keys, states and rows of its own.

Made up, but for the option ``enable_task_id_based_blob_digest``, which was merged after 2.5.1 (dragonfly pull request
4975).
"""

from __future__ import annotations

import json

from .go import Field, dump

NEWER = "9.0.0"
#: A type of jobs that it creates by itself.
OWN_TYPE = "warm_up"
#: The release as which it behaves otherwise.
BASE = "2.5.1"

#: Fields of a preheat's ``args`` that no other release has.
ARGS = (
    Field("enable_task_id_based_blob_digest", "EnableTaskIDBasedBlobDigest", "bool"),
    Field("priority_class", "PriorityClass", default="normal"),
    Field("retry_limit", "RetryLimit", "int64", default=3),
)
#: What it writes where these are not set.
DEFAULTS = {
    "concurrent_task_count": 16,
    "concurrent_peer_count": 750,
    "filtered_query_params": "X-Amz-Signature&X-New-Signature&ns",
    "timeout": 7200 * 10**9,
}

_NOVELTY = {"novelty": {"level": 3, "names": ["a"]}}
# Dictionaries whose keys are not the manager's.
_FOREIGN = ("headers", "user")


def with_novelties(value, key=None):
    """Return an answer with an unknown key in every object, and with an unknown state of what was not polled yet."""
    if isinstance(value, list):
        return [with_novelties(item, key) for item in value]
    if not isinstance(value, dict) or key in _FOREIGN:
        return value
    known = {name: with_novelties(item, name) for name, item in value.items()}
    if known.get("state") == "PENDING" and "args" in known and not (value["result"] or {}).get("job_states"):
        known["state"] = "QUEUED"
    return {**known, **_NOVELTY}


def without_novelties(value):
    """Return an answer without the unknown keys, for tests that compare it as a whole."""
    if isinstance(value, list):
        return [without_novelties(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: without_novelties(item) for name, item in value.items() if name not in _NOVELTY}


def decorate(reply):
    """Put the novelties into an answer that is one JSON document."""
    try:
        document = json.loads(reply.body)
    except ValueError:
        return
    if reply.status < 400:
        reply.body = dump(with_novelties(document)).encode()


def add_rows(manager):
    """Add what this release writes by itself: a job of an unknown type in an unknown state."""
    job = manager.jobs.new(OWN_TYPE, {"targets": [{"name": "everything"}], "url": 7}, [])
    job.state = "ARCHIVED"
    job.result = {"job_states": "none", "summary": [1, 2]}
