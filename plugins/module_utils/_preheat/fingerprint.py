# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mark jobs with a fingerprint of the request, by which a later run recognizes them. No requests.

A manager newer than this collection adds defaults and keys to the echo of a job that are not in the tables here. Then
the echo does not show whether a job is identical to the planned one, but the fingerprint of the request does. It is at
the end of ``bio``, which every release stores and returns: ``registry.example.com/shop/web:4.2.0 [ansible 1f3a9c2e]``.

PRIVATE to the collection.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._file_url import strip_query
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import is_requested

#: The most characters of a description that the manager keeps (manager/models/job.go).
_BIO_LENGTH = 1024
_DIGITS = 8
_MARK = re.compile(rf"(?:\A| )\[ansible ([0-9a-f]{{{_DIGITS}}})\]\Z", re.ASCII)
#: The most characters of a description that leave room for a fingerprint.
BIO_LENGTH = _BIO_LENGTH - len(" [ansible ]") - _DIGITS

# Part of what is hashed: with other rules jobs of an earlier release of this collection are not recognized, but the
# table of releases still is.
_RULES = 1
# Never part of it: credentials rotate, headers can be credentials, and a hash of a short secret can be guessed. What
# headers and object storages are not secret is compared with the echo.
_LEFT_OUT = ("registry_username", "registry_password", "headers", "object_storage", "hdfs")


def request_fingerprint(kind: str, url: str, options: t.Mapping[str, t.Any]) -> str:
    """Return the fingerprint of a request: the same for whatever order and spelling means the same.

    :param kind: ``image`` or ``file``.
    :param url: what is posted. Its query, which can be signed, is compared by itself.
    :param options: those of ``args``, by name; what is not set does not count.
    """
    requested = {}
    for name, value in options.items():
        if is_requested(name, value) and name not in _LEFT_OUT:
            requested[name] = sorted({str(item) for item in value}) if isinstance(value, list) else value
    canonical = json.dumps([_RULES, kind, strip_query(url), requested], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:_DIGITS]


def mark_bio(text: str, fingerprint: str) -> str:
    """Return a description with a fingerprint at its end."""
    return f"{text[:BIO_LENGTH]} [ansible {fingerprint}]".lstrip()


class Bio(t.NamedTuple):
    """A job's description: what people wrote, and the fingerprint of its request, None where it has none."""

    text: str
    fingerprint: str | None


def read_bio(bio: t.Any) -> Bio:
    """Return the parts of a job's description, whoever wrote it."""
    if not isinstance(bio, str):
        return Bio("", None)
    match = _MARK.search(bio.rstrip())
    return Bio(bio[: match.start()], match.group(1)) if match else Bio(bio, None)
