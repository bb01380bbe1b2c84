# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client of the manager's API: one method for each endpoint. Raises typed errors and does not depend on Ansible."""

from __future__ import annotations

import re
import time
import typing as t
from urllib.parse import urlencode, urlsplit

from ._errors import ApiError, GarbledError, InputError, TransportError
from ._http import ANSWER_LIMIT, Http, Response, verification
from ._job_document import without_result
from ._json import ROW_LIMIT, memory_size, rows
from ._manager_errors import explain, manager_error
from ._option_checks import raise_problems, range_problems, with_seconds
from ._pages import PageWalk
from ._polling import Clock
from ._redact import redact_url
from ._text import url_problem
from ._time import parse_http_date

OPEN_API = "/oapi/v1"
CONSOLE_API = "/api/v1"

# Limit in bytes of a page of jobs, which is read row by row.
_PAGE_LIMIT = 256 * 1024 * 1024
# Limits of what is kept of a job, which is all but its result, and of a page of jobs: bytes in memory.
_JOB_SIZE, _PAGE_SIZE = 2 * 1024 * 1024, 32 * 1024 * 1024
# The highest value that all releases accept (2.0.x).
_ROWS_PER_PAGE = 50
# Limits of a list that is read completely: its bytes, and its time as a multiple of the timeout.
_MOST_BYTES_OF_LIST = 32 * 1024 * 1024
_LIST_TIMEOUTS = 10
# A link in the header Link and its attributes. Each match starts after the previous link.
_LINK = re.compile(r"<([^<>]*)>;\s*rel=\"?last")
_PAGE = re.compile(r"[?&]page=(\d{1,9})(?!\d)")


def connect(options: dict[str, t.Any], credential: str | None = "token", clock: Clock | None = None) -> DragonflyClient:
    """Return a client of the manager that the options of the group connection describe.

    :param options: see CONNECTION in ``_argspec``.
    :param credential: option that holds the credential: ``token`` for the Open API, ``jwt`` for ``/api/v1``, None to
        send no credential.
    :param clock: requests end no later than its ``end``.
    :raises InputError: if the options are not valid.
    """
    options = with_seconds(options)
    secret = options[credential] if credential else None
    _check_connection(options)
    if secret and re.search(r"[^\x21-\x7e]", secret):
        text = f"{credential} contains a character that is not allowed: a space, a line break, or one outside of ASCII."
        raise InputError(text)
    cert, key = options["client_cert"], options["client_key"]
    http = Http(
        auth="Bearer " + secret if secret else None,
        timeout=options["timeout"],
        verify=verification(options),
        cert=(cert, key) if key else cert,
        clock=clock,
    )
    return DragonflyClient(http, options["url"], has_token=bool(secret), credential=credential)


def _check_connection(options: dict[str, t.Any]) -> None:
    """Check the options of the group connection except the credential.

    :raises InputError: if they are not valid.
    """
    if not options["url"]:
        text = "url is missing: the manager's address, such as http://dragonfly-manager:8080 (or DRAGONFLY_URL)."
        raise InputError(text)
    if options["client_key"] and not options["client_cert"]:
        raise InputError("client_key requires client_cert.")
    raise_problems(range_problems({"timeout": options["timeout"]}))
    check_url(options["url"])


def check_url(url: str) -> str:
    """Return the manager's base URL without a trailing slash.

    :raises InputError: if it is not a valid http or https URL.
    """
    problem = url_problem(url)
    if problem:
        raise InputError(f"url {redact_url(url)!r} is not a valid URL: {problem}.")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            f"url must be the manager's address, such as http://dragonfly-manager:8080, not {redact_url(url)!r}."
        )
    if "@" in parts.netloc:
        raise InputError("url must not contain a user name or password. Set token, or username and password, instead.")
    if re.search(r"/o?api(/v1)?/?\Z", parts.path):
        raise InputError(f"url must be the manager's address without the path of its API, not {redact_url(url)!r}.")
    if re.search("[?#]", url):
        raise InputError(f"url must not contain a query or a fragment: {redact_url(url)!r}.")
    return url.rstrip("/")


class DragonflyClient:
    """Client of one manager.

    :param http: ``Http`` with the manager's credentials.
    :param url: base URL, may include a path prefix.
    :param has_token: whether ``http`` has credentials.
    :param credential: ``token`` (personal access token, for ``/oapi/v1``) or ``jwt`` (for ``/api/v1``).
    """

    def __init__(self, http: Http, url: str, has_token: bool = True, credential: str | None = "token") -> None:
        self._http = http
        self._url = check_url(url)
        self._has_token = has_token
        self._credential = credential
        self.jobs_api = OPEN_API
        #: Newest header Date in seconds since 1970, None before the first response.
        self.date: float | None = None
        #: Whether responses have the header X-Server-IP, as managers 2.1.57 and later send.
        self.server_ip = False

    @property
    def timeout(self) -> float:
        """Time limit of a request in seconds."""
        return self._http.timeout

    # Requests

    def request_name(self, method: str, path: str) -> str:
        """Return the name of a request in messages, such as ``POST http://manager:8080/oapi/v1/jobs``."""
        return f"{method} {self._url}{path}"

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, t.Any] | None = None,
        body: dict[str, t.Any] | None = None,
        stream: bool = False,
        limit: int = ANSWER_LIMIT,
    ) -> Response:
        """Send a request and return the ``Response`` if its status is 2xx.

        :param path: path below the base URL, such as ``/oapi/v1/jobs``.
        :param limit: see ``Http.send``.
        :raises ApiError: for any other status.
        :raises GarbledError: if the response cannot be from a manager.
        :raises TransportError: if the response is incomplete.
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
        raise manager_error(answer, self._credential, self._has_token)

    # Jobs

    def use_console_jobs(self) -> None:
        """Use ``/api/v1/jobs`` from now on, because managers 2.0.x have no other endpoint for jobs."""
        self.jobs_api = CONSOLE_API

    def create_job(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """Create a job and return the manager's response.

        :raises ApiError: with an explanation of the manager's message if it is known.
        """
        answer = self._post_job(body)
        return _job(answer.json(), answer.request)

    def image_distribution(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return which peers hold which layers of an image. Requires manager 2.2.4 or later, which responds when done.

        :param body: a job of the type get_image_distribution.
        :returns: ``peers`` (a list of mappings), and ``image`` with ``layers`` (a list of mappings).
        :raises ApiError: see ``create_job``.
        """
        answer = self._post_job(body)
        document = answer.json()
        image = document.get("image") if isinstance(document, dict) else None
        if not isinstance(image, dict) or not isinstance(image.get("layers") or [], list):
            text = f"{answer.request}: the response does not show where an image is cached."
            raise GarbledError(text, "garbled", answer.request)
        return document

    def _post_job(self, body: dict[str, t.Any]) -> Response:
        try:
            return self.request("POST", self.jobs_api + "/jobs", body=body, limit=ROW_LIMIT)
        except ApiError as exc:
            raise explain(exc) from None

    def get_job(self, job_id: int, limit: int = ROW_LIMIT) -> dict[str, t.Any]:
        """Return a job with its result.

        :param limit: limit of the response in bytes.
        """
        answer = self.request("GET", f"{self.jobs_api}/jobs/{int(job_id)}", limit=limit)
        return _job(answer.json(), answer.request)

    def delete_job(self, job_id: int) -> None:
        """Delete the record of a job. The schedulers continue its tasks (manager/service/job.go, 2.5.1)."""
        self.request("DELETE", f"{self.jobs_api}/jobs/{int(job_id)}")

    def list_jobs(
        self, page: int, per_page: int, **filters: t.Any
    ) -> tuple[int, t.Generator[dict[str, t.Any], None, None]]:
        """Return one page of jobs.

        :param page: number of the page, from 1.
        :param filters: ``type``, ``state``, ``user_id``.
        :returns: the number of the last page according to the manager (at least 1), and a generator that reads the rows
            lazily from the response.
        """
        query = {key: value for key, value in filters.items() if value is not None}
        query.update(page=page, per_page=per_page)
        answer = self.request("GET", self.jobs_api + "/jobs", query=query, stream=True, limit=_PAGE_LIMIT)
        link = _LINK.search(answer.headers.get("Link", ""))
        # Ignore numbers with more digits than a count of pages can have.
        last_page = _PAGE.search(link[1]) if link else None
        return max(1, int(last_page[1])) if last_page else page, _closing(answer)

    # Clusters

    def list_clusters(self) -> list[dict[str, t.Any]]:
        """Return all clusters. Requires a token with the scope cluster."""
        return self.all_rows(OPEN_API + "/clusters", "clusters")

    def get_cluster(self, cluster_id: int) -> dict[str, t.Any]:
        """Return a cluster. Requires a token with the scope cluster."""
        return self.request("GET", f"{OPEN_API}/clusters/{int(cluster_id)}").json()

    # Lists

    def all_rows(self, path: str, what: str, **filters: t.Any) -> list[dict[str, t.Any]]:
        """Return all rows of a list without duplicates, reading page by page.

        :param path: such as ``/api/v1/schedulers``.
        :param what: name of the rows in errors.
        :param filters: query parameters; empty values are omitted.
        :raises GarbledError: if the response is not a list of rows with IDs, or with reason ``too_large`` if the list
            does not end.
        :raises TransportError: if reading the list takes longer than ten timeouts.
        """
        query = {key: value for key, value in filters.items() if value not in (None, "")}
        by_id: dict[int, dict[str, t.Any]] = {}
        for batch in self._iter_pages(path, what, query):
            for row in batch:
                by_id.setdefault(row["id"], row)
        return list(by_id.values())

    def _iter_pages(self, path: str, what: str, query: dict[str, t.Any]) -> t.Iterator[list[dict[str, t.Any]]]:
        walk = PageWalk(_ROWS_PER_PAGE, self.request_name("GET", path), what)
        deadline = time.monotonic() + _LIST_TIMEOUTS * self.timeout
        received = 0
        while True:
            size = walk.page.size
            answer = self.request("GET", path, query=dict(query, page=walk.page.number, per_page=size))
            batch = _rows_with_ids(answer, what)
            walk.add([row["id"] for row in batch])
            yield batch
            # A server without pages returns more rows than requested: all of them.
            if walk.is_continued and len(batch) != size:
                return
            received += len(answer.body)
            if received > _MOST_BYTES_OF_LIST:
                size_text = f"{len(walk.seen)} rows have {received} bytes"
                message = f"{answer.request}: the list of {what} is too large: {size_text}."
                raise GarbledError(message, "too_large", answer.request)
            if time.monotonic() > deadline:
                message = f"{answer.request}: the list of {what} did not end in time, after {len(walk.seen)} rows."
                raise TransportError(message, "read_timeout", answer.request, sent=True)

    # Peers

    def sync_peers(self) -> None:
        """Make the manager query all schedulers for their peers, and wait until it is done (2.1.65 and later).

        :raises ApiError: with reason ``busy`` if another such request is running, or ``no_api`` if the release does not
            support it.
        """
        try:
            self.request("POST", CONSOLE_API + "/jobs", body={"type": "sync_peers", "args": {}})
        except ApiError as exc:
            if exc.status == 500 and "is running" in exc.answer_text:
                raise exc.with_meaning("busy", "another refresh is running: try again when it has ended") from None
            if exc.status == 422:
                meaning = "this manager cannot refresh its list of peers: leave out refresh, or use 2.1.65 or later"
                raise exc.with_meaning("no_api", meaning) from None
            raise


def _rows_with_ids(answer: Response, what: str) -> list[dict[str, t.Any]]:
    # An empty page of clusters is null.
    batch = answer.json() or []
    if not isinstance(batch, list) or not all(isinstance(row, dict) and _is_id(row.get("id")) for row in batch):
        raise GarbledError(f"{answer.request}: the response is not a list of {what}.", "garbled", answer.request)
    return batch


def _closing(answer: Response) -> t.Generator[dict[str, t.Any], None, None]:
    try:
        left = _PAGE_SIZE
        for row in rows(answer.chunks, answer.request):
            left -= _kept_size(row, answer.request)
            if left < 0:
                raise _too_large("a page of jobs without their results", _PAGE_SIZE, answer.request)
            yield row
            # Release a large row before reading the next one.
            row = {}
    finally:
        answer.close()


def _kept_size(job: dict[str, t.Any], request: str) -> int:
    """Return the approximate size in memory of what is kept of a job.

    :raises GarbledError: if it is too large.
    """
    size = memory_size(without_result(job), _JOB_SIZE)
    if size > _JOB_SIZE:
        raise _too_large("a job without its result", _JOB_SIZE, request)
    return size


def _too_large(what: str, limit: int, request: str) -> GarbledError:
    message = f"{request}: the response is too large: {what} takes more than {limit} bytes of memory."
    return GarbledError(message, "too_large", request)


def _is_id(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _job(document: t.Any, request: str) -> dict[str, t.Any]:
    if not isinstance(document, dict) or not _is_id(document.get("id")):
        raise GarbledError(f"{request}: the response is not a job.", "garbled", request)
    _kept_size(document, request)
    return document
