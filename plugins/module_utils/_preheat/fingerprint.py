# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mark jobs with a fingerprint of the request, by which later runs recognize them. Sends no requests.

A manager newer than this collection adds unknown defaults and keys to the echo of a job. Then the echo does not show
whether a job is identical to the planned one, but the fingerprint of the request does. It is at the end of ``bio``,
which all releases store and return: ``registry.example.com/shop/web:4.2.0 [ansible 1f3a9c2e]``.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from .._file_url import strip_query
from .._releases import is_requested

#: Maximum length of a description in the manager (manager/models/job.go).
_COLUMN_LENGTH = 1024
_DIGITS = 8
_MARK = re.compile(rf"(?:\A| )\[ansible ([0-9a-f]{{{_DIGITS}}})\]\Z", re.ASCII)
#: Maximum length of a description that leaves room for a fingerprint.
BIO_LENGTH = _COLUMN_LENGTH - len(" [ansible ]") - _DIGITS

# Included in the hash: after a change of these rules, jobs of earlier releases of this collection are recognized only
# by the table of releases.
_RULES = 1
# Never included: credentials are rotated, headers can be credentials, and a hash of a short secret can be guessed.
# Headers and settings of object storages that are not secret are compared with the echo.
_LEFT_OUT = ("registry_username", "registry_password", "headers", "object_storage", "hdfs")


def request_fingerprint(kind: str, url: str, options: t.Mapping[str, t.Any]) -> str:
    """Return the fingerprint of a request, which does not depend on order and spelling.

    :param kind: ``image`` or ``file``.
    :param url: URL in the request. Its query, which can be signed, is compared separately.
    :param options: options in ``args`` by name; unset ones are ignored.
    """
    requested = {}
    for name, value in options.items():
        if is_requested(name, value) and name not in _LEFT_OUT:
            requested[name] = sorted({str(item) for item in value}) if isinstance(value, list) else value
    canonical = json.dumps([_RULES, kind, strip_query(url), requested], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:_DIGITS]


def mark_bio(text: str, fingerprint: str) -> str:
    """Return a description that ends with a fingerprint."""
    return f"{text[:BIO_LENGTH]} [ansible {fingerprint}]".lstrip()


class Bio(t.NamedTuple):
    """A job's description: its text, and the fingerprint of the request or None."""

    text: str
    fingerprint: str | None


def read_bio(bio: t.Any) -> Bio:
    """Return the parts of a job's description."""
    if not isinstance(bio, str):
        return Bio("", None)
    match = _MARK.search(bio.rstrip())
    return Bio(bio[: match.start()], match.group(1)) if match else Bio(bio, None)
