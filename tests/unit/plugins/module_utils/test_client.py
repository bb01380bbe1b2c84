# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses of a manager, recorded or not, and the messages about them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _pages
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import (
    CONSOLE_API,
    DragonflyClient,
    check_url,
    connect,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    ApiError,
    DragonflyError,
    GarbledError,
    InputError,
    TransportError,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._manager_errors import _HINTS
from ansible_collections.dragonflyoss.dragonfly.tests.unit.cpu import cpu_seconds

RECORDINGS = Path(__file__).resolve().parents[3] / "contract" / "recordings"
HTML = {"Content-Type": "text/html; charset=utf-8"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@pytest.fixture
def client(loopback):
    return DragonflyClient(Http(auth="Bearer s3cr3t", timeout=5), loopback.url)


def recorded(release, scenario, method, path, part=""):
    """A response of a manager: status, body, headers."""
    for exchange in json.loads((RECORDINGS / release / (scenario + ".json")).read_text(encoding="utf-8"))["exchanges"]:
        request, answer = exchange["request"], exchange["response"]
        body = answer.get("json", answer.get("text", "").encode("utf-8"))
        if request["method"] == method and request["path"].startswith(path) and part in str(body):
            headers = {
                name: answer["headers"][name] for name in ("Content-Type", "Location") if name in answer["headers"]
            }
            return answer["status"], body, headers
    raise LookupError((release, scenario, method, path, part))


def refused(function, *arguments):
    with pytest.raises(DragonflyError) as caught:
        function(*arguments)
    assert "s3cr3t" not in caught.value.message
    return caught.value


# The address


@pytest.mark.parametrize("url", ["http://m:8080", "https://m/dragonfly", "http://[fd00::1]:8080", "HTTP://m"])
def test_urls(url):
    assert check_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "m:8080",
        "//m",
        "ftp://m",
        "http://",
        "http://:8080",
        "http://m:port",
        "http://m:99999",
        "http://m /",
        "http://m\n",
        "http://u:hidden@m",
        "http://hidden@m",
        "http://m?token=hidden",
        "http://m#a",
        "http://[::1",
        "http://u:hid/den@m",
    ],
)
def test_urls_that_are_none(url):
    with pytest.raises(InputError) as caught:
        check_url(url)
    assert "hid" not in caught.value.message


def options(**own):
    base = dict.fromkeys(["url", "token", "jwt", "ca_path", "client_cert", "client_key"])
    return dict(base, validate_certs=True, timeout=5, **own)


def test_connect(loopback):
    for credential, sent in (("token", "Bearer a"), ("jwt", "Bearer b"), (None, None)):
        connect(dict(options(token="a", jwt="b"), url=loopback.url + "/prefix/"), credential).request("GET", "/x")
        assert loopback.requests[-1].headers["Authorization"] == sent
        assert loopback.requests[-1].path == "/prefix/x"


@pytest.mark.parametrize(
    "own, message",
    [
        ({}, "url is missing"),
        ({"url": ""}, "DRAGONFLY_URL"),
        ({"url": "http://m", "client_key": "/k"}, "client_key requires client_cert"),
        ({"url": "http://m", "token": "a b"}, "token contains a character"),
        ({"url": "http://m", "token": "hidden\n"}, "token contains a character"),
        ({"url": "http://m", "token": "é"}, "token contains a character"),
    ],
)
def test_connect_refuses(own, message):
    with pytest.raises(InputError) as caught:
        connect(dict(options(), **own))
    assert message in caught.value.message
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize("timeout", [0, -1, 10**9])
def test_connect_refuses_timeouts(timeout):
    with pytest.raises(InputError):
        connect(dict(options(url="http://m"), timeout=timeout))


# Errors


@pytest.mark.parametrize("release", ["2.1.0", "2.1.67", "2.3.4", "2.5.1"])
@pytest.mark.parametrize(
    "scenario, method, path, part, status, reason",
    [
        ("auth", "GET", "/oapi/v1/jobs", "Unauthorized", 401, "token_unknown"),
        ("auth", "GET", "/oapi/v1/nothing", "", 301, "no_api"),
        ("auth", "POST", "/oapi/v1/nothing", "", 301, "no_api"),
        ("auth", "GET", "/oapi/v1/jobs/", "Moved", 301, "redirected"),
        ("no_scheduler", "POST", "/oapi/v1/jobs", "", 500, "no_scheduler"),
        ("bad_posts", "POST", "/oapi/v1/jobs", "invalid character", 422, "refused"),
        ("bad_posts", "POST", "/oapi/v1/jobs", "Unknow type", 422, "refused"),
        ("bad_posts", "POST", "/oapi/v1/jobs", "parse access url", 500, "bad_url"),
        ("bad_posts", "POST", "/oapi/v1/jobs", "10.77.0.1:5999", 500, "registry_unreachable"),
    ],
)
def test_recorded_errors(client, loopback, release, scenario, method, path, part, status, reason):
    loopback.answers = [recorded(release, scenario, method, path, part)]
    if method == "POST":
        exc = refused(client.create_job, {})
    else:
        exc = refused(client.request, method, path)
    assert (exc.status, exc.reason) == (status, reason)
    assert exc.message.startswith(f"{method} {loopback.url}{'/oapi/v1/jobs' if method == 'POST' else path}: ")
    # Two documents back to back are read as one.
    assert exc.message.count("invalid character") == (part == "invalid character")


@pytest.mark.parametrize(
    "release, scenario, part, reason",
    [
        ("2.1.0", "bad_posts", "request registry 404", "manifest_unknown"),
        ("2.1.0", "bad_posts", "127.0.0.1:5000: connect", "registry_unreachable"),
        ("2.5.1", "bad_posts", "manifest unknown", "manifest_unknown"),
        ("2.5.1", "bad_posts", "ip 127.0.0.1 is invalid", "registry_address"),
        ("2.5.1", "bad_posts", "url is required", "server_error"),
        ("2.5.1", "rate_limit", "rate limit", "rate_limited"),
        ("2.1.67", "bad_posts", "scheduler cluster id 77", "not_found"),
    ],
)
def test_recorded_refusals_of_a_job(client, loopback, release, scenario, part, reason):
    loopback.answers = [recorded(release, scenario, "POST", "/oapi/v1/jobs", part)]
    exc = refused(client.create_job, {})
    assert exc.reason == reason
    assert part in exc.message
    assert ("This means" in exc.message) == (exc.status == 500 and reason != "server_error")


@pytest.mark.parametrize(
    "status, message, reason, remedy",
    [
        (401, "permission deny", "denied", "role root"),
        (401, "Unauthorized", "token_unknown", "does not know the token"),
        (403, "Forbidden: token is inactive", "token_inactive", "activate it"),
        (403, "Forbidden: token has expired", "token_expired", "create a new one"),
        (403, "Forbidden: no permission for cluster", "token_scope", "scope"),
        (403, "Forbidden", "denied", "scope"),
    ],
)
def test_denials(client, loopback, status, message, reason, remedy):
    loopback.answers = [(status, {"message": message})]
    exc = refused(client.get_job, 1)
    assert (exc.status, exc.reason, exc.request) == (status, reason, f"GET {loopback.url}/oapi/v1/jobs/1")
    assert message in exc.message
    assert remedy in exc.message
    assert "What to do" in exc.message


def test_denials_of_other_credentials(loopback):
    loopback.answers = [(401, {"message": "Unauthorized"})]
    for credential, has, reason in (
        ("token", False, "token_missing"),
        ("jwt", False, "jwt_missing"),
        ("jwt", True, "jwt_unknown"),
    ):
        client = DragonflyClient(Http(timeout=5), loopback.url, has_token=has, credential=credential)
        exc = refused(client.get_job, 1)
        assert exc.reason == reason
        assert reason.partition("_")[0] in exc.message


@pytest.mark.parametrize(
    "status, kind, reason",
    [(200, GarbledError, "not_a_manager"), (404, GarbledError, "not_a_manager"), (502, ApiError, "server_error")],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_web_page(client, loopback, status, kind, reason, stream):
    loopback.answers = [(status, b"<html>token s3cr3t</html>", HTML)]
    exc = refused(client.list_jobs, 1, 10) if stream else refused(client.get_job, 1)
    assert isinstance(exc, kind)
    assert (exc.status, exc.reason) == (status, reason)
    assert "web page" in exc.message
    assert ("forwards to the right address" if status == 502 else "8080") in exc.message


@pytest.mark.parametrize(
    "status, body, reason, remedy",
    [
        (400, b"Client sent an HTTP request to an HTTPS server.\n", "wrong_scheme", "write https:// in url"),
        (400, b"<h1>The plain HTTP request was sent to HTTPS port</h1>", "wrong_scheme", "write https:// in url"),
        (407, b"", "refused", "write them into HTTP_PROXY or HTTPS_PROXY"),
        (413, b"too large", "refused", "client_max_body_size"),
        (502, b"Bad Gateway", "server_error", "forwards to the right address"),
        (503, b"Service Unavailable", "server_error", "try again later"),
        (504, b"Gateway Timeout", "server_error", "raise the time limit of the proxy"),
    ],
)
def test_the_next_step_is_named(client, loopback, status, body, reason, remedy):
    loopback.answers = [(status, body, HTML if body.startswith(b"<") else TEXT)]
    exc = refused(client.get_job, 1)
    assert exc.reason == reason
    assert "What to do: " in exc.message
    assert remedy in exc.message


@pytest.mark.parametrize(
    "kind, body", [({"Content-Type": "application/json"}, b'{"message": "no"}'), (TEXT, b"no"), (HTML, b"<p>no")]
)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 409, 410, 418, 422, 429, 500, 501, 507, 520, 599])
def test_each_status_has_a_next_step(client, loopback, status, kind, body):
    loopback.answers = [(status, body, kind)]
    exc = refused(client.get_job, 1)
    assert exc.message.count("What to do: ") == 1
    assert exc.message.endswith(".")


@pytest.mark.parametrize("hint", _HINTS)
def test_each_hint_says_what_to_do_in_place_of_the_status(client, loopback, hint):
    loopback.answers = [(500, json.dumps({"message": hint.part}).encode(), {"Content-Type": "application/json"})]
    exc = refused(client.create_job, {})
    assert exc.message.endswith(f"500: {hint.part}. This means: {hint.meaning}.")
    assert re.search("[:;] (start|write|see|upgrade|check|use) ", hint.meaning)


@pytest.mark.parametrize(
    "answer_text, expected_text",
    [
        ("error parsing HTTP 429 response body: invalid character 's'", "the registry limits the requests"),
        ("toomanyrequests: You have reached your pull rate limit", "the registry limits the requests"),
        ("unknown manifest type", "check the name and port of the registry"),
    ],
)
def test_what_the_registry_told_the_manager(client, loopback, answer_text, expected_text):
    loopback.answers = [(500, json.dumps({"message": answer_text}).encode(), {"Content-Type": "application/json"})]
    exc = refused(client.create_job, {})
    assert expected_text in exc.message
    assert "Redis" not in exc.message


@pytest.mark.parametrize("body", [b"[1]", b"7", b"not JSON", b'{"id": 0}', b""])
def test_what_no_manager_answers_has_a_next_step(client, loopback, body):
    loopback.answers = [(200, body, {"Content-Type": "application/json"})]
    exc = refused(client.get_job, 1)
    assert "What to do: check the URL" in exc.message


def test_a_proxy_that_answers_in_place_of_the_manager_is_named(loopback, monkeypatch):
    loopback.answers = [(502, b"Bad Gateway", TEXT)]
    monkeypatch.setenv("http_proxy", loopback.url.replace("http://", "http://me:s3cr3t@"))
    exc = refused(DragonflyClient(Http(timeout=5), "http://manager.example").get_job, 1)
    assert f"goes through the proxy {loopback.url.rpartition('/')[2]} (HTTP_PROXY" in exc.message
    assert "add the host to NO_PROXY" in exc.message


def test_a_path_that_is_not_there(client, loopback):
    loopback.answers = [(404, b"404 page not found", TEXT)]
    exc = refused(client.get_job, 1)
    assert exc.reason == "no_path"
    assert "path prefix" in exc.message


@pytest.mark.parametrize(
    "location, place",
    [
        ("https://user:s3cr3t@other:8443/oapi/v1/jobs?token=s3cr3t", "https://other:8443/oapi/v1/jobs"),
        ("/login?next=s3cr3t", "/login"),
        ("", "nowhere"),
        ("http://[::1", "nowhere"),
    ],
)
def test_redirects(client, loopback, location, place):
    loopback.answers = [(302, b"", {"Location": location})]
    exc = refused(client.create_job, {})
    assert (exc.reason, exc.status) == ("redirected", 302)
    assert f"(302) to {place}. " in exc.message
    assert len(loopback.requests) == 1


@pytest.mark.parametrize(
    "status, reason",
    [
        (400, "refused"),
        (409, "conflict"),
        (422, "refused"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "server_error"),
        (418, "refused"),
    ],
)
def test_statuses(client, loopback, status, reason):
    loopback.answers = [(status, b"", TEXT)]
    exc = refused(client.get_job, 1)
    assert (exc.reason, exc.status) == (reason, status)
    assert "(nothing)" in exc.message


def test_what_a_proxy_says_is_no_word_of_the_manager(client, loopback):
    loopback.answers = [(503, b"upstream connect error, reset reason: connection refused", TEXT)]
    exc = refused(client.create_job, {})
    assert exc.reason == "server_error"
    assert "This means" not in exc.message


def test_words_are_short_and_hold_no_secret(client, loopback):
    message = "no\n  answer of https://user:s3cr3t@h/f?token=s3cr3t: " + "x" * 2000
    loopback.answers = [(500, {"message": message})]
    exc = refused(client.create_job, {})
    assert "no answer of https://user:********@h" in exc.message
    assert len(exc.message) < 700
    assert len(exc.answer_text) <= 500


# Jobs


@pytest.mark.parametrize("release, number", [("2.1.0", 1), ("2.1.67", 31), ("2.5.1", 2)])
def test_recorded_jobs(client, loopback, release, number):
    status, body, headers = recorded(release, "image_success", "GET", f"/oapi/v1/jobs/{int(number)}")
    loopback.answers = [(status, body, headers)]
    assert client.get_job(number) == body


@pytest.mark.parametrize("body", [None, [], {}, {"id": "1"}, {"id": True}, {"id": 0}, "x", b"{", b""])
def test_answers_that_are_no_job(client, loopback, body):
    loopback.answers = [(200, body, {"Content-Type": "application/json"})]
    for exc in (refused(client.get_job, 1), refused(client.create_job, {})):
        assert isinstance(exc, GarbledError)
        assert exc.reason == "garbled"


@pytest.mark.parametrize(
    "job",
    [
        {"args": {"urls": ["u"] * 50_000}},
        {"args": {str(number): 1 for number in range(50_000)}},
        {"args": {"headers": {"a": "b" * 3_000_000}}},
        {"bio": "b" * 3_000_000},
        {"scheduler_clusters": [{}] * 50_000},
    ],
    ids=lambda job: next(iter(job)),
)
def test_jobs_that_are_too_large_without_their_result(client, loopback, job):
    loopback.answers = [(200, {"id": 1, **job}, {"Content-Type": "application/json"})]
    for exc in (refused(client.get_job, 1), refused(client.create_job, {})):
        assert exc.reason == "too_large"
    loopback.answers = [(200, [{"id": 1, **job}], {"Content-Type": "application/json"})]
    assert refused(lambda: list(client.list_jobs(1, 50)[1])).reason == "too_large"


def test_the_size_of_a_job_does_not_depend_on_its_result(client, loopback):
    job = {"id": 1, "result": {"job_states": ["b" * 3_000_000]}, "unknown": "b" * 3_000_000}
    loopback.answers = [(200, job, {"Content-Type": "application/json"})]
    assert client.get_job(1) == job


def test_a_page_of_jobs_that_is_too_large_without_their_results(client, loopback):
    page = [{"id": 1 + number, "bio": "b" * 1_000_000} for number in range(40)]
    loopback.answers = [(200, page, {"Content-Type": "application/json"})]
    assert refused(lambda: list(client.list_jobs(1, 50)[1])).reason == "too_large"


def test_two_documents_are_one_job(client, loopback):
    loopback.answers = [(200, b'{"id":5}{"message":"x"}', {"Content-Type": "application/json"})]
    assert client.create_job({"a": 1}) == {"id": 5}
    assert loopback.requests[0].json() == {"a": 1}


def test_the_console_has_jobs_too(client, loopback):
    loopback.answers = [(200, {"id": 5})]
    client.use_console_jobs()
    client.get_job(5)
    client.create_job({})
    assert [request.path for request in loopback.requests] == [CONSOLE_API + "/jobs/5", CONSOLE_API + "/jobs"]


@pytest.mark.parametrize(
    "link, last",
    [
        (None, 2),
        ("</oapi/v1/jobs?page=1&per_page=2>; rel=prev, </oapi/v1/jobs?page=7&per_page=2>; rel=last", 7),
        ('</oapi/v1/jobs?per_page=2&page=7>; rel="last"', 7),
        ("</oapi/v1/jobs?page=0>; rel=last", 1),
        (f"</oapi/v1/jobs?page={'9' * 20}>; rel=last", 2),
        ("nonsense", 2),
    ],
)
def test_list_jobs(client, loopback, link, last):
    loopback.answers = [(200, [{"id": 3}, {"id": 2}], {"Link": link} if link else {})]
    last_page, rows = client.list_jobs(2, 10, type="preheat", state=None)
    assert (last_page, list(rows)) == (last, [{"id": 3}, {"id": 2}])
    assert loopback.requests[0].path == "/oapi/v1/jobs?type=preheat&page=2&per_page=10"


@pytest.mark.parametrize(
    "release, last",
    [("2.0.9", [1, 1, 2, 1]), ("2.1.67", [4, 1, 1, 19, 4, 4, 1, 1, 4]), ("2.5.1", [1, 1, 1, 5, 1, 1, 1, 1, 1])],
)
def test_recorded_links(client, loopback, release, last):
    links = []
    for exchange in json.loads((RECORDINGS / release / "lists.json").read_text(encoding="utf-8"))["exchanges"]:
        links.append(exchange["response"]["headers"].get("Link", ""))
    rows_seen = []
    for link in filter(None, links):
        loopback.answers = [(200, [], {"Link": link})]
        rows_seen.append(client.list_jobs(1, 10)[0])
    assert rows_seen == last


def test_a_list_that_breaks_off(client, loopback):
    body = b'[{"id":1},{"id":2,"bio":"%s"},{"id":' % (b"x" * 100000)
    loopback.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + body]
    rows = client.list_jobs(1, 10)[1]
    assert next(rows)["id"] == 1
    with pytest.raises(DragonflyError) as caught:
        list(rows)
    assert caught.value.reason == "incomplete"


def pages_of(numbers, between=lambda: None):
    """Return a function that answers requests for pages of rows with these IDs.

    :param between: is called after each.
    """

    def answer(request):
        query = dict(parse_qsl(urlsplit(request.path).query))
        page, size = int(query["page"]), int(query["per_page"])
        assert 2 <= size <= 50
        batch = [{"id": number} for number in numbers[(page - 1) * size : page * size]]
        between()
        return 200, batch

    return answer


@pytest.mark.parametrize("number, requests", [(1, 1), (49, 1), (50, 2), (98, 3), (120, 3), (400, 10)])
def test_all_rows(client, loopback, number, requests):
    loopback.answers = pages_of(range(1, number + 1))
    assert [cluster["id"] for cluster in client.list_clusters()] == list(range(1, number + 1))
    assert len(loopback.requests) == requests


def test_all_rows_of_a_server_without_pages(client, loopback):
    loopback.answers = [(200, [{"id": number} for number in range(1, 121)])]
    assert len(client.list_clusters()) == 120
    assert len(loopback.requests) == 1


@pytest.mark.parametrize("created, deleted", [(1, 0), (0, 1), (60, 0), (0, 30), (3, 2), (2, 3)])
def test_rows_that_move_between_pages(client, loopback, created, deleted):
    numbers = list(range(1, 301))
    remain = set(numbers[100:])

    def move():
        if len(loopback.requests) < 3:
            numbers[:0] = range(1000 * len(loopback.requests), 1000 * len(loopback.requests) + created)
            del numbers[created : created + deleted]

    loopback.answers = pages_of(numbers, move)
    ids = [peer["id"] for peer in client.all_rows("/api/v1/peers", "peers")]
    assert len(ids) == len(set(ids))
    assert remain <= set(ids)


@pytest.mark.parametrize("body", [{}, {"id": 1}, [{"id": "x"}], [1]])
def test_rows_that_are_none(client, loopback, body):
    loopback.answers = [(200, body or {"x": 1})]
    exc = refused(client.list_clusters)
    assert isinstance(exc, GarbledError)
    assert "not a list of clusters" in exc.message


def test_no_clusters(client, loopback):
    loopback.answers = [(200, None)]
    assert client.list_clusters() == []


def test_a_manager_that_repeats_its_page_for_ever(client, loopback):
    loopback.answers = [(200, [{"id": number} for number in range(1, 51)])]
    assert len(client.list_clusters()) == 50
    assert len(loopback.requests) == 2


def test_what_headers_tell(client, loopback):
    assert (client.date, client.server_ip) == (None, False)
    loopback.answers = [(200, {"id": 1}, {"X-Server-IP": "10.0.0.1"})]
    client.get_job(1)
    assert client.server_ip
    assert client.date > 1.6e9


@pytest.mark.parametrize(
    "status, message, reason",
    [(500, "sync peers is running", "busy"), (500, "else", "server_error"), (422, "Unknow type", "no_api")],
)
def test_sync_peers(client, loopback, status, message, reason):
    loopback.answers = [(status, {"message": message})]
    assert refused(client.sync_peers).reason == reason
    assert loopback.requests[0].json()["type"] == "sync_peers"


# Lists that do not end


def endless(size=0):
    """Return pages of new rows."""

    def answer(request):
        query = dict(parse_qsl(urlsplit(request.path).query))
        page, count = int(query["page"]), int(query["per_page"])
        return 200, [{"id": count * (page - 1) + number + 1, "x": "x" * size} for number in range(count)]

    return answer


def test_a_list_without_end(loopback, client, monkeypatch):
    monkeypatch.setattr(_pages, "MOST_ROWS", 1000)
    loopback.answers = endless()
    with pytest.raises(GarbledError) as caught:
        client.all_rows("/api/v1/peers", "peers")
    assert caught.value.reason == "too_large"
    assert "/api/v1/peers: the list of peers does not end: it has more than 10" in caught.value.message
    assert 20 < len(loopback.requests) < 30


def test_a_list_whose_every_page_is_of_another_list(loopback, client):
    loopback.answers = lambda request: (200, [{"id": 50 * len(loopback.requests) + number} for number in range(50)])
    exc = refused(lambda: client.all_rows("/api/v1/peers", "peers"))
    assert exc.reason == "garbled"
    assert "changes with each page" in exc.message


def test_a_list_that_is_too_large(loopback, client):
    loopback.answers = endless(70_000)
    with pytest.raises(GarbledError) as caught:
        client.all_rows("/api/v1/peers", "peers")
    assert caught.value.reason == "too_large"
    assert len(loopback.requests) < 12


def test_a_list_that_takes_too_long(loopback):
    def answer(request):
        time.sleep(0.2)
        return endless()(request)

    loopback.answers = answer
    client = DragonflyClient(Http(timeout=0.3), loopback.url)
    with pytest.raises(TransportError) as caught:
        client.all_rows("/api/v1/peers", "peers")
    assert caught.value.reason == "read_timeout"
    assert "did not end in time" in caught.value.message


@pytest.mark.parametrize("status", [401, 500])
@pytest.mark.parametrize("text", ["a", "//", "a://", "http://a:b@", "?token=x&", '"', "{", " a"])
def test_a_long_error_is_cut_in_linear_time(loopback, client, status, text):
    loopback.answers = [(status, (text * 2**20)[: 2**20].encode(), {"Content-Type": "text/plain"})]
    assert cpu_seconds(refused, client.get_job, 1, enough=0.1) < 0.1
    exc = refused(client.get_job, 1)
    assert isinstance(exc, ApiError)
    assert len(exc.message) < 1000
