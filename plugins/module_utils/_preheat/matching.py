# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether an existing job is identical to a planned one. Sends no requests."""

from __future__ import annotations

import typing as t

from .._file_url import filter_query
from .._job_document import job_urls
from .._redact import SECRET_NESTED_ARGS
from .._releases import BY_KEY, Arg, is_requested, request_args
from .fingerprint import read_bio
from .options import MANY_PEERS

if t.TYPE_CHECKING:
    from .planning import PlannedJob

_FILTER_KEYS = ("filtered_query_params", "filteredQueryParams", "filter")
# Compared separately (the content), or not at all (credentials, which are rotated).
_NOT_COMPARED = ("type", "url", "urls", "username", "password")
_CREDENTIAL_OPTIONS = ("registry_username", "registry_password")


def is_identical(args: t.Any, planned: PlannedJob, bio: t.Any = None) -> bool:
    """Return whether a job with these arguments is identical to the planned one, regardless of its clusters.

    All keys of the echo are compared except credentials, which are rotated. If the fingerprint in the description
    matches the planned request, the manager may have added defaults and keys that this collection does not know. All
    other values are still compared, so a job with a copied fingerprint, or with an option that the manager ignored, is
    not identical.

    :param args: arguments as the manager returned them.
    :param bio: description of the job.
    """
    if not isinstance(args, dict) or args.get("type") != planned.kind or not _has_same_url(args, planned):
        return False
    options = planned.all_options()
    is_own = read_bio(bio).fingerprint == planned.fingerprint
    has_same_values = all(_is_same(key, value, options, is_own) for key, value in args.items())
    return has_same_values and _knows_all_options(args, options)


def _is_same(key: str, value: t.Any, options: dict[str, t.Any], is_own: bool) -> bool:
    """Return whether a value of the echo is that of the planned job.

    :param is_own: whether the fingerprint matches.
    """
    if key in _NOT_COMPARED or (is_own and _may_be_unknown(key, value, options)):
        return True
    return _comparable(key, value) in _accepted(key, options)


def _knows_all_options(args: dict, options: dict[str, t.Any]) -> bool:
    """Return whether the manager of this job supported all options. Unsupported ones had no effect on the job."""
    sent = {BY_KEY[key].option for key in request_args(options)}
    known = {arg.option for key, arg in BY_KEY.items() if key in args}
    return sent <= known.union(_CREDENTIAL_OPTIONS)


def _may_be_unknown(key: str, value: t.Any, options: dict[str, t.Any]) -> bool:
    """Return whether a newer manager may have added a value, because its key or the default is unknown."""
    arg: Arg | None = BY_KEY.get(key)
    if arg is None:
        return True
    option = arg.option or ""
    # No default scope is for many peers.
    is_requestable_scope = option == "scope" and value in MANY_PEERS
    can_have_default = bool(arg.defaults) and not is_requestable_scope
    return can_have_default and not is_requested(option, options.get(option))


def _accepted(key: str, options: dict[str, t.Any]) -> list[t.Any]:
    """Return the comparable values of a key that a job with these options may have."""
    arg: Arg | None = BY_KEY.get(key)
    if arg is None:
        return [None]
    defaults = [_comparable(key, default) for default in arg.defaults]
    option = arg.option or ""
    if not is_requested(option, options.get(option)):
        return [None, *defaults]
    encoded = _comparable(key, arg.encode(options[option]))
    # An empty value has the effect of the default.
    return [encoded, None] if encoded in defaults else [encoded]


def _comparable(key: str, value: t.Any) -> t.Any:
    """Return a canonical form of a value, the same for values with the same meaning.

    None, empty, 0 and False have the same meaning, because the manager writes zero values for options that were not
    sent (recorded: contract/2.5.1/image_success).
    """
    if isinstance(value, dict):
        value = _comparable_dict(key, value)
    elif isinstance(value, list):
        texts = map(str, value)
        value = frozenset(texts) if key == "ips" else list(texts)
    elif isinstance(value, str) and key in _FILTER_KEYS:
        value = frozenset(value.split("&")) - {""}
    return value or None


def _comparable_dict(key: str, value: dict) -> dict:
    if key == "headers":
        return {name.lower(): text for name, text in value.items() if name.lower() != "authorization"}
    secret = SECRET_NESTED_ARGS.get(key, ())
    return {name: item for name, item in value.items() if item and name not in secret}


def _has_same_url(args: dict, planned: PlannedJob) -> bool:
    """Return whether a job has exactly the planned URL. URLs of files may differ in filtered query parameters."""
    urls = job_urls(args)
    if len(urls) != 1:
        return False
    if planned.kind == "image" or urls[0] == planned.url:
        return urls[0] == planned.url
    names = filter_names(args)
    return filter_query(urls[0], names) == filter_query(planned.url, names)


def filter_names(args: dict) -> set[str]:
    """Return the query parameters that do not identify the content of a job, under any name of the key."""
    names = next((args[key] for key in _FILTER_KEYS if args.get(key)), "")
    return set(names.split("&")) if isinstance(names, str) else set()
