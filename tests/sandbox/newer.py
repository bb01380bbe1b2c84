# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manager of an unknown future release: 2.5.1 with other defaults, and keys, states and rows of its own.

Invented, except the option ``enable_task_id_based_blob_digest``, which was merged after 2.5.1 (dragonfly pull request
4975).
"""

from __future__ import annotations

import json

from .go import Field, dump

NEWER = "9.0.0"
#: A type of jobs that it creates itself.
OWN_TYPE = "warm_up"
#: The release that it resembles in everything else.
BASE = "2.5.1"

#: Fields of a preheat's ``args`` that no other release has.
ARGS = (
    Field("enable_task_id_based_blob_digest", "EnableTaskIDBasedBlobDigest", "bool"),
    Field("priority_class", "PriorityClass", default="normal"),
    Field("retry_limit", "RetryLimit", "int64", default=3),
)
#: Their defaults.
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
    """Return a response with an unknown key in every object, and an unknown state of jobs that were not polled yet."""
    if isinstance(value, list):
        return [with_novelties(item, key) for item in value]
    if not isinstance(value, dict) or key in _FOREIGN:
        return value
    known = {name: with_novelties(item, name) for name, item in value.items()}
    if known.get("state") == "PENDING" and "args" in known and not (value["result"] or {}).get("job_states"):
        known["state"] = "QUEUED"
    return {**known, **_NOVELTY}


def without_novelties(value):
    """Return a response without the unknown keys, for tests that compare all of it."""
    if isinstance(value, list):
        return [without_novelties(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: without_novelties(item) for name, item in value.items() if name not in _NOVELTY}


def decorate(reply):
    """Add the new keys to a response that is one JSON document."""
    try:
        document = json.loads(reply.body)
    except ValueError:
        return
    if reply.status < 400:
        reply.body = dump(with_novelties(document)).encode()


def add_rows(manager):
    """Add what this release writes itself: a job of an unknown type in an unknown state."""
    job = manager.jobs.new(OWN_TYPE, {"targets": [{"name": "everything"}], "url": 7}, [])
    job.state = "ARCHIVED"
    job.result = {"job_states": "none", "summary": [1, 2]}
