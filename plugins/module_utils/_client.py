# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manager's verbs as methods. Raises typed errors, knows nothing of Ansible.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
import time
import typing as t
from urllib.parse import urlencode, urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    ApiError,
    DragonflyError,
    GarbledError,
    InputError,
    TransportError,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import ANSWER_LIMIT, Http, Response
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._json import ROW_LIMIT, rows
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import (
    raise_problems,
    range_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import redact_beginning, redact_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_http_date

OPEN_API = "/oapi/v1"
CONSOLE_API = "/api/v1"

_MESSAGE_LIMIT = 500
# Bytes of a page of jobs, which is read row by row.
_PAGE_LIMIT = 256 * 1024 * 1024
# The most that every release allows (2.0.x).
_ROWS_PER_PAGE = 50
# A list that is read to its end has no more pages and bytes, and takes no longer than so many requests may.
_MOST_PAGES = 2000
_MOST_BYTES_OF_LIST = 32 * 1024 * 1024
_LIST_TIMEOUTS = 10
# A link of a header Link, which starts where the one before it ends, and what it says of the last page.
_LINK = re.compile(r"<([^<>]*)>;\s*rel=\"?last")
_PAGE = re.compile(r"[?&]page=(\d{1,9})(?!\d)")

# What a manager says in a 401 or 403 (manager/middlewares/personal_access_token.go), and what to do about it.
_DENIED = (
    (401, "permission deny", "denied", "this user has no permission for it, use one with the role root"),
    (403, "inactive", "token_inactive", "the token is inactive, activate it or use another"),
    (403, "expired", "token_expired", "the token has expired, make a new one"),
    (403, "permission", "token_scope", "the token lacks the scope that is named, use one that has it"),
)

# What a manager says when it could not make a job, and what it means (recorded in contract/*/bad_posts).
_POST_HINTS = (
    (
        "candidate schedulers not found",
        "no_scheduler",
        "no active scheduler with the feature preheat in the clusters asked for: start one, with job.enable true",
    ),
    ("parse access url failed", "bad_url", "the URL is no manifest URL (http(s)://HOST/v2/NAME/manifests/REFERENCE)"),
    ("no matching manifest for platform", "no_platform", "the image has no manifest for this platform"),
    ("unknown manifest", "bad_manifest", "this release of the manager cannot read this kind of manifest"),
    ("manifest unknown", "manifest_unknown", "the registry has no such image, tag or digest"),
    (
        "request registry 404",
        "manifest_unknown",
        "the registry has no such image, tag or digest, or an OCI image, which managers before 2.1.21 cannot read",
    ),
    ("name unknown", "manifest_unknown", "the registry has no such repository"),
    (
        "is invalid",
        "registry_address",
        "the manager refuses loopback and link-local registries: use an address that other hosts can reach",
    ),
    (
        "x509",
        "registry_tls",
        "the manager does not trust the registry's certificate: see job.preheat.tls of its configuration",
    ),
    (
        "unauthorized",
        "registry_denied",
        "the registry wants other credentials: see registry_username and registry_password",
    ),
    (
        "authentication required",
        "registry_denied",
        "the registry wants credentials: see registry_username and registry_password",
    ),
    ("denied", "registry_denied", "the registry refuses these credentials"),
    ("no such host", "registry_unreachable", "the manager cannot resolve the registry's name"),
    ("connection refused", "registry_unreachable", "nothing answers at the registry's address, as the manager sees it"),
    ("dial tcp", "registry_unreachable", "the manager cannot reach the registry"),
    ("timeout", "registry_unreachable", "the registry did not answer the manager in time"),
)


def connect(options: dict[str, t.Any], credential: str | None = "token") -> DragonflyClient:
    """Return a client of the manager that options of the group connection describe.

    :param options: dict, see CONNECTION in L(_argspec).
    :param credential: the option that holds what the manager wants to see: ``token`` for the Open API, ``jwt`` for
        ``/api/v1``, None for nothing.
    :returns: L(DragonflyClient).
    :raises InputError: if they make no sense.
    """
    if not options["url"]:
        text = "url is missing: the manager's address, such as http://dragonfly-manager:8080 (or DRAGONFLY_URL)."
        raise InputError(text)
    if options["client_key"] and not options["client_cert"]:
        raise InputError("client_key needs client_cert.")
    raise_problems(range_problems({"timeout": options["timeout"]}))
    check_url(options["url"])
    secret = options[credential] if credential else None
    if secret and re.search(r"[^\x21-\x7e]", secret):
        text = f"{credential} holds a character that none has: a space, a line break, or one outside ASCII."
        raise InputError(text)
    http = Http(
        auth="Bearer " + secret if secret else None,
        timeout=options["timeout"],
        verify=(options["ca_path"] or True) if options["validate_certs"] else False,
        cert=(options["client_cert"], options["client_key"]) if options["client_key"] else options["client_cert"],
    )
    return DragonflyClient(http, options["url"], has_token=bool(secret), credential=credential)


def check_url(url: str) -> str:
    """Return the manager's base URL without a trailing slash.

    :raises InputError: if it is no usable http or https URL.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise InputError(f"url {redact_url(url)!r} is no URL.") from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f\x7f]", url):
        raise InputError(
            f"url must be the manager's address, such as http://dragonfly-manager:8080, not {redact_url(url)!r}."
        )
    if "@" in parts.netloc:
        raise InputError("url must not hold a user name or password. The manager takes a token, see the option token.")
    if re.search(r"/o?api(/v1)?/?\Z", parts.path):
        raise InputError(f"url must be the manager's address without the path of its API, not {redact_url(url)!r}.")
    if parts.query or parts.fragment:
        raise InputError(f"url must not hold a query or a fragment: {redact_url(url)!r}.")
    return url.rstrip("/")


class DragonflyClient:
    """One manager.

    :param http: L(Http) with the manager's credentials.
    :param url: base URL (str), a path prefix is kept.
    :param has_token: whether the Http has credentials at all.
    :param credential: what they are: ``token`` (personal access token, for ``/oapi/v1``) or ``jwt`` (for ``/api/v1``).
    """

    def __init__(self, http: Http, url: str, has_token: bool = True, credential: str | None = "token") -> None:
        self._http = http
        self._url = check_url(url)
        self._has_token = has_token
        self._credential = credential
        self.jobs_api = OPEN_API
        #: What the newest header Date said: seconds since 1970, None before the first answer.
        self.date: float | None = None
        #: Whether answers carry X-Server-IP, which managers of 2.1.57 and later send.
        self.server_ip = False

    # Requests

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, t.Any] | None = None,
        body: dict[str, t.Any] | None = None,
        stream: bool = False,
        limit: int = ANSWER_LIMIT,
    ) -> Response:
        """Send a request and return the L(Response) of a 2xx answer.

        :param path: below the base URL, such as ``/oapi/v1/jobs``.
        :param limit: see L(Http.send).
        :raises ApiError: for any other status.
        :raises GarbledError: if the answer is none of a manager's.
        :raises TransportError: if no whole answer came.
        """
        url = self._url + path + ("?" + urlencode(query) if query else "")
        answer = self._http.send(method, url, body=body, stream=stream, limit=limit)
        self.date = parse_http_date(answer.headers.get("Date")) or self.date
        self.server_ip = self.server_ip or "X-Server-IP" in answer.headers
        if 200 <= answer.status < 300 and answer.media_type != "text/html":
            return answer
        if stream:
            try:
                answer.body = b"".join(answer.chunks)
            finally:
                answer.close()
        raise self._error(answer)

    def _error(self, answer: Response) -> DragonflyError:
        name, status = answer.request, answer.status
        if 300 <= status < 400:
            return _redirect_error(answer)
        if answer.media_type == "text/html":
            text = (
                f"{name}: a web page came back (status {status}), which no Dragonfly manager answers here. "
                "What to do: set url to the REST address of the manager (port 8080 by default)."
            )
            if status >= 500:
                return ApiError(text, "server_error", name, status)
            return GarbledError(text, "not_a_manager", name, status)
        message = _message(answer)
        if status == 404 and answer.media_type != "application/json":
            return ApiError(
                f"{name}: there is no such path here (404). What to do: set url to the REST address of the "
                "manager (port 8080 by default), with a path prefix where it has one.",
                "no_path",
                name,
                status,
                message,
            )
        said = f"{name}: the manager answered {status}: {message or '(nothing)'}"
        if status in (401, 403):
            reason, remedy = self._denied(status, message)
            return ApiError(f"{said}. What to do: {remedy}.", reason, name, status, message)
        code = {404: "not_found", 409: "conflict", 422: "refused", 429: "rate_limited"}.get(status)
        if code is None:
            code = "server_error" if status >= 500 else "refused"
        return ApiError(f"{said}.", code, name, status, message)

    def _denied(self, status: int, message: str) -> tuple[str, str]:
        for code, part, reason, remedy in _DENIED:
            if status == code and part in message:
                return reason, remedy
        if status == 403:
            return "denied", "use a token with the scope that this request needs"
        if self._credential == "jwt":
            if not self._has_token:
                return "jwt_missing", "set jwt to what dragonflyoss.dragonfly.login returns"
            return (
                "jwt_unknown",
                "the jwt has expired or is another manager's, sign in again with dragonflyoss.dragonfly.login",
            )
        if not self._has_token:
            return (
                "token_missing",
                "set token to a personal access token of this manager (scope job, for clusters cluster)",
            )
        return "token_unknown", "this manager does not know the token, set token to one of its personal access tokens"

    # Jobs

    def use_console_jobs(self) -> None:
        """Read and create jobs from now on at ``/api/v1/jobs``, the only place that managers of 2.0.x have."""
        self.jobs_api = CONSOLE_API

    def create_job(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """Create a job and return it as the manager does.

        :raises ApiError: with what the manager's words mean, where that is known.
        """
        answer = self._post_job(body)
        return _job(answer.json(), answer.request)

    def image_distribution(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return which peers hold which layers of an image; the manager answers when it knows it all (2.2.4 and later).

        :param body: of a job of the type get_image_distribution.
        :returns: dict with a list of dict ``peers``, and ``image`` with a list of dict ``layers``.
        :raises ApiError: as ``create_job`` does.
        """
        answer = self._post_job(body)
        document = answer.json()
        image = document.get("image") if isinstance(document, dict) else None
        if not isinstance(image, dict) or not isinstance(image.get("layers") or [], list):
            text = f"{answer.request}: the answer is no distribution of an image."
            raise GarbledError(text, "garbled", answer.request)
        return document

    def _post_job(self, body: dict[str, t.Any]) -> Response:
        try:
            return self.request("POST", self.jobs_api + "/jobs", body=body, limit=ROW_LIMIT)
        except ApiError as exc:
            if exc.status != 500:
                # The words of other statuses from 500 on are those of a proxy in between.
                raise
            lowered = exc.words.lower()
            for part, reason, meaning in _POST_HINTS:
                if part in lowered:
                    message = f"{exc.message} This means: {meaning}."
                    raise ApiError(message, reason, exc.request, exc.status, exc.words) from None
            raise

    def get_job(self, job_id: int) -> dict[str, t.Any]:
        """Return one job by its id, whole."""
        answer = self.request("GET", f"{self.jobs_api}/jobs/{int(job_id)}", limit=ROW_LIMIT)
        return _job(answer.json(), answer.request)

    def list_jobs(
        self, page: int, per_page: int, **filters: t.Any
    ) -> tuple[int, t.Generator[dict[str, t.Any], None, None]]:
        """Return one page of jobs.

        :param page: int from 1.
        :param filters: ``type``, ``state``, ``user_id``.
        :returns: the number of the last page as the manager tells it (int, at least 1) and a generator of rows (dict),
            which reads as it goes.
        """
        query = {key: value for key, value in filters.items() if value is not None}
        query.update(page=page, per_page=per_page)
        answer = self.request("GET", self.jobs_api + "/jobs", query=query, stream=True, limit=_PAGE_LIMIT)
        link = _LINK.search(answer.headers.get("Link", ""))
        # A number longer than any count of pages is no number.
        last_page = _PAGE.search(link[1]) if link else None
        return max(1, int(last_page[1])) if last_page else page, _closing(answer)

    # Clusters

    def list_clusters(self) -> list[dict[str, t.Any]]:
        """Return all clusters; needs a token with the scope cluster."""
        return self.all_rows(OPEN_API + "/clusters", "clusters")

    def get_cluster(self, cluster_id: int) -> dict[str, t.Any]:
        """Return one cluster by its id; needs a token with the scope cluster."""
        return self.request("GET", f"{OPEN_API}/clusters/{int(cluster_id)}").json()

    # Lists

    def all_rows(self, path: str, what: str, **filters: t.Any) -> list[dict[str, t.Any]]:
        """Return all rows of a list, read page by page, each once.

        :param path: such as ``/api/v1/schedulers``.
        :param what: in words, for errors.
        :param filters: query parameters; None and empty ones are left out.
        :raises GarbledError: if the answer is no list of rows with ids, or with reason ``too_large`` if the list does
            not end.
        :raises TransportError: if the whole list takes longer than ten requests may.
        """
        query = {key: value for key, value in filters.items() if value not in (None, "")}
        deadline = time.monotonic() + _LIST_TIMEOUTS * self._http.timeout
        by_id, received = {}, 0
        for page in range(1, _MOST_PAGES + 1):
            answer = self.request("GET", path, query=dict(query, page=page, per_page=_ROWS_PER_PAGE))
            received += len(answer.body)
            # An empty page of clusters is null.
            batch = answer.json() or []
            if not isinstance(batch, list) or not all(isinstance(row, dict) and _is_id(row.get("id")) for row in batch):
                text = f"{answer.request}: the answer is no list of {what}."
                raise GarbledError(text, "garbled", answer.request)
            new = {row["id"]: row for row in batch if row["id"] not in by_id}
            by_id.update(new)
            if len(batch) < _ROWS_PER_PAGE or not new:
                return list(by_id.values())
            if received > _MOST_BYTES_OF_LIST:
                break
            if time.monotonic() > deadline:
                message = f"{answer.request}: the list of {what} did not end in time, after {page} pages."
                raise TransportError(message, "read_timeout", answer.request, sent=True)
        message = f"{answer.request}: the list of {what} is too large: it does not end after {len(by_id)} rows."
        raise GarbledError(message, "too_large", answer.request)

    # The fleet

    def sync_peers(self) -> None:
        """Have the manager ask all schedulers for their peers; it answers when that is done (2.1.65 and later).

        :raises ApiError: with reason ``busy`` while another such request is under way, ``no_api`` where the release
            lacks it.
        """
        try:
            self.request("POST", CONSOLE_API + "/jobs", body={"type": "sync_peers", "args": {}})
        except ApiError as exc:
            if exc.status == 500 and "is running" in exc.words:
                raise ApiError(exc.message, "busy", exc.request, exc.status, exc.words) from None
            if exc.status == 422:
                raise ApiError(
                    f"{exc.message} This means: this manager cannot refresh its list of peers, 2.1.65 can.",
                    "no_api",
                    exc.request,
                    exc.status,
                    exc.words,
                ) from None
            raise


def _closing(answer: Response) -> t.Generator[dict[str, t.Any], None, None]:
    try:
        yield from rows(answer.chunks, answer.request)
    finally:
        answer.close()


def _is_id(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _job(document: t.Any, request: str) -> dict[str, t.Any]:
    if not isinstance(document, dict) or not _is_id(document.get("id")):
        raise GarbledError(f"{request}: the answer is no job.", "garbled", request)
    return document


def _redirect_error(answer: Response) -> DragonflyError:
    name = answer.request
    location = answer.headers.get("Location", "")
    parts = urlsplit(location)
    if location == "/":
        return ApiError(
            f"{name}: this manager has no such API (it answered {answer.status} to its console): its "
            "release is older or newer than this needs, or url has a wrong path.",
            "no_api",
            name,
            answer.status,
        )
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path
    return ApiError(
        f"{name}: the answer is a redirect ({answer.status}) to {place or 'nowhere'}. Redirects are not "
        "followed, they would lose the request and could give away the token. What to do: set url to the "
        "manager itself, with the right scheme.",
        "redirected",
        name,
        answer.status,
    )


def _message(answer: Response) -> str:
    """Return what the server said, in one line without secrets."""
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
