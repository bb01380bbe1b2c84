# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert error responses of a manager to errors with a reason and a remedy."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ._errors import ApiError, DragonflyError, GarbledError
from ._gateway import gateway_remedy, proxy_note, wants_tls
from ._redact import redact_beginning

if t.TYPE_CHECKING:
    from ._http import Response

_MESSAGE_LIMIT = 500
# Reasons for statuses with a single meaning.
_REASONS = {404: "not_found", 409: "conflict", 422: "refused", 429: "rate_limited"}
# Remedies if only the status is known.
_REMEDIES = {
    404: "check that it exists; it may have been deleted meanwhile",
    409: "use another name, or change the existing object with this name",
    429: "try again later, or raise the limit (job_rate_limit of the cluster)",
}
_REFUSED_REMEDY = "compare the options of the task with what this release of the manager accepts"
_SERVER_REMEDY = "see the log of the manager, and check its database and Redis"


class _Denial(t.NamedTuple):
    """A part of the manager's message in a 401 or 403, and the remedy."""

    status: int
    part: str
    reason: str
    remedy: str


class _Hint(t.NamedTuple):
    """A part of the manager's message after a failed creation, in lower case, and its meaning."""

    part: str
    reason: str
    meaning: str


# Source: manager/middlewares/personal_access_token.go.
_DENIALS = (
    _Denial(401, "permission deny", "denied", "this user does not have the permission: use a user with the role root"),
    _Denial(403, "inactive", "token_inactive", "the token is inactive: activate it, or use another one"),
    _Denial(403, "expired", "token_expired", "the token has expired: create a new one"),
    _Denial(403, "permission", "token_scope", "the token does not have the required scope: use a token that has it"),
)

_LIMITED_BY_REGISTRY = (
    "the registry limits the requests of the manager (429): use registry_username and "
    "registry_password, or run the task later"
)
# Recorded in contract/*/bad_posts; the messages for 429 are from the client of github.com/distribution/distribution.
_HINTS = (
    _Hint("toomanyrequests", "registry_unreachable", _LIMITED_BY_REGISTRY),
    _Hint("http 429", "registry_unreachable", _LIMITED_BY_REGISTRY),
    _Hint("request registry 429", "registry_unreachable", _LIMITED_BY_REGISTRY),
    _Hint(
        "candidate schedulers not found",
        "no_scheduler",
        "no active scheduler with the feature preheat in the requested clusters: start one with job.enable: true",
    ),
    _Hint(
        "parse access url failed",
        "bad_url",
        "the URL is not the URL of a manifest: use http(s)://HOST/v2/NAME/manifests/REFERENCE",
    ),
    _Hint(
        "no matching manifest for platform", "no_platform", "the image has no manifest for this platform: see platforms"
    ),
    _Hint(
        "unknown manifest",
        "bad_manifest",
        "the response of the registry is not a manifest that this release of the manager can read: check the name and "
        "port of the registry and the proxies in front of it, and upgrade the manager if other clients can pull the "
        "image",
    ),
    _Hint(
        "manifest unknown",
        "manifest_unknown",
        "the registry does not have the image, tag or digest: check the reference",
    ),
    _Hint(
        "request registry 404",
        "manifest_unknown",
        "the registry does not have the image, tag or digest, or it is an OCI image, which managers before 2.1.21 "
        "cannot read: check the reference, or upgrade the manager",
    ),
    _Hint("name unknown", "manifest_unknown", "the registry does not have the repository: check the reference"),
    _Hint(
        "is invalid",
        "registry_address",
        "the manager rejects loopback and link-local registries: use an address that other hosts can reach",
    ),
    _Hint(
        "x509",
        "registry_tls",
        "the manager does not trust the registry's certificate: see job.preheat.tls of its configuration",
    ),
    _Hint(
        "unauthorized",
        "registry_denied",
        "the registry requires other credentials: see registry_username and registry_password",
    ),
    _Hint(
        "authentication required",
        "registry_denied",
        "the registry requires credentials: see registry_username and registry_password",
    ),
    _Hint(
        "denied",
        "registry_denied",
        "the registry rejects these credentials: see registry_username and registry_password",
    ),
    _Hint(
        "no such host",
        "registry_unreachable",
        "the manager cannot resolve the registry's name: check the name, and the DNS of the manager's host",
    ),
    _Hint(
        "connection refused",
        "registry_unreachable",
        "the manager cannot connect to the address of the registry: check the address, and whether the registry runs",
    ),
    _Hint(
        "dial tcp",
        "registry_unreachable",
        "the manager cannot reach the registry: check the routes and firewalls between them",
    ),
    _Hint(
        "timeout",
        "registry_unreachable",
        "the registry did not respond to the manager in time: check the registry, and the network between them",
    ),
)


def manager_error(answer: Response, credential: str | None, has_token: bool) -> DragonflyError:
    """Return the error for an error response.

    :param credential: credential that the manager requires, see ``DragonflyClient``.
    :param has_token: whether it was sent.
    """
    wrong_url = _wrong_url_error(answer)
    if wrong_url is not None:
        return wrong_url
    name, status, message = answer.request, answer.status, _message(answer)
    text = f"{name}: the manager responded with {status}: {message or '(nothing)'}"
    if status in (401, 403):
        reason, remedy = _denial(status, message, credential, has_token)
        return ApiError(f"{text}. What to do: {remedy}.", reason, name, status, message)
    remedy = gateway_remedy(status, answer.proxy) or f" What to do: {_status_remedy(status)}."
    return ApiError(f"{text}.{remedy}", _status_reason(status), name, status, message)


def _wrong_url_error(answer: Response) -> DragonflyError | None:
    """Return the error for a response that is not from the API of a manager, None if it may be."""
    name, status = answer.request, answer.status
    if 300 <= status < 400:
        return _redirect_error(answer)
    if wants_tls(status, answer.text()):
        text = f"{name}: the server expects HTTPS on this port ({status}). What to do: write https:// in url."
        return ApiError(text, "wrong_scheme", name, status)
    if answer.media_type == "text/html":
        return _web_page_error(answer)
    if status == 404 and answer.media_type != "application/json":
        text = (
            f"{name}: the server does not have this path (404). What to do: set url to the REST address of the manager "
            "(port 8080 by default), including its path prefix, if any."
        )
        return ApiError(text, "no_path", name, status, _message(answer))
    return None


def _status_reason(status: int) -> str:
    return _REASONS.get(status) or ("server_error" if status >= 500 else "refused")


def _status_remedy(status: int) -> str:
    return _REMEDIES.get(status) or (_SERVER_REMEDY if status >= 500 else _REFUSED_REMEDY)


def explain(exc: ApiError) -> ApiError:
    """Return the error of a creation with the meaning of the manager's message, if it is known."""
    # Messages of other statuses from 500 on are from a proxy.
    if exc.status == 500:
        answer_text = exc.answer_text.lower()
        for hint in _HINTS:
            if hint.part in answer_text:
                return exc.with_meaning(hint.reason, hint.meaning)
    return exc


def _denial(status: int, message: str, credential: str | None, has_token: bool) -> tuple[str, str]:
    """Return why a request was denied, and the remedy."""
    for denial in _DENIALS:
        if status == denial.status and denial.part in message:
            return denial.reason, denial.remedy
    if status == 403:
        return "denied", "use a token with the scope for this request (job, or cluster for clusters)"
    if credential == "jwt":
        return _unknown_jwt(has_token)
    if has_token:
        return "token_unknown", "this manager does not know the token: set token to one of its personal access tokens"
    return (
        "token_missing",
        "set token or DRAGONFLY_TOKEN to a personal access token of this manager with the required scope (job, or "
        "cluster in modules about clusters). The module dragonflyoss.dragonfly.personal_access_token creates one",
    )


def _unknown_jwt(has_token: bool) -> tuple[str, str]:
    if not has_token:
        return (
            "jwt_missing",
            "a personal access token is not sufficient here: set jwt to the jwt from dragonflyoss.dragonfly.login, or "
            "set username and password",
        )
    return (
        "jwt_unknown",
        "the jwt has expired, or is from another manager: sign in again with dragonflyoss.dragonfly.login",
    )


def _web_page_error(answer: Response) -> DragonflyError:
    name, status = answer.request, answer.status
    text = f"{name}: the response is a web page (status {status}), so it is not from a Dragonfly manager."
    text += gateway_remedy(status, answer.proxy) or (
        f" What to do: set url to the REST address of the manager (port 8080 by default).{proxy_note(answer.proxy)}"
    )
    if status >= 500:
        return ApiError(text, "server_error", name, status)
    return GarbledError(text, "not_a_manager", name, status)


def _redirect_error(answer: Response) -> DragonflyError:
    name = answer.request
    location = answer.headers.get("Location", "")
    if location == "/":
        return ApiError(
            f"{name}: this manager does not have the API (it redirects with {answer.status} to its console). What to "
            "do: remove a wrong path from url, and compare the release of the manager with the requirements of the "
            "module.",
            "no_api",
            name,
            answer.status,
        )
    return ApiError(
        f"{name}: the response is a redirect ({answer.status}) to {_place(location) or 'nowhere'}. Redirects are not "
        "followed, because they could lose the request or disclose the token. What to do: set url to the address of "
        "the manager itself, with the correct scheme.",
        "redirected",
        name,
        answer.status,
    )


def _place(location: str) -> str:
    """Return a URL without user, query and fragment, or an empty text if it is malformed."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path


def _message(answer: Response) -> str:
    """Return the server's message in one line without secrets."""
    try:
        document = answer.json()
    except GarbledError:
        document = None
    message = None
    if isinstance(document, dict):
        message = document.get("message") or document.get("errors") or document.get("error")
    if not isinstance(message, str):
        message = answer.text()
    return redact_beginning(" ".join(message.split()), _MESSAGE_LIMIT).rstrip(".")
