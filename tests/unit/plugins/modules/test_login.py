# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module login."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

RELEASES = ["2.0.9", "2.1.0", "2.1.67", "2.3.4", "2.5.1"]
LATE = ["2.3.4", "2.5.1"]
PASSWORD = "dragonfly"
WRONG = "not-the-password"


def status_of(box, path, jwt):
    request = urllib.request.Request(box.url + path, headers={"Authorization": "Bearer " + jwt})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as exc:
        return exc.code


def bodies(box):
    return [request.json for request in box.log if request.path == "/api/v1/users/signin"]


@pytest.mark.parametrize("release", RELEASES)
def test_the_jwt_opens_the_console_api(run, box):
    done = run("login", url=box.url, username="root", password=PASSWORD)
    assert not done.failed
    assert not done.changed
    assert status_of(box, "/api/v1/users", done.result["jwt"]) == 200
    assert status_of(box, "/api/v1/users", done.result["jwt"] + "x") == 401
    assert done.result["expires_at"].startswith("20")
    assert bodies(box) == [{"name": "root", "password": PASSWORD}]
    assert not done.warnings


@pytest.mark.parametrize("release", LATE)
@pytest.mark.parametrize("password", [PASSWORD, WRONG])
def test_a_sign_in_after_another_one_is_tried_again(run, box, password):
    run("login", url=box.url, username="root", password=password, retry_timeout=0)
    box.clear_log()
    done = run("login", url=box.url, username="root", password=PASSWORD)
    assert status_of(box, "/api/v1/users", done.result["jwt"]) == 200
    assert 2 <= len(bodies(box)) <= 4
    assert "because the same user had signed in shortly before" in done.warnings[0]


@pytest.mark.parametrize("release", LATE)
def test_retries_have_a_bound(run, box):
    done = run("login", url=box.url, username="root", password=WRONG, retry_timeout=3)
    assert done.failed
    assert done.reason == "signin_refused"
    assert done.result["status"] == 401
    assert len(bodies(box)) == 3
    assert "The module retried for " in done.msg
    assert "check username and password" in done.msg
    assert WRONG not in done.output.replace('"password": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"', "")


@pytest.mark.parametrize("release", ["2.1.0", "2.5.1"])
def test_no_retry_where_none_is_wanted_or_none_helps(run, box, release):
    done = run("login", url=box.url, username="root", password=WRONG, retry_timeout=0 if release == "2.5.1" else None)
    assert done.reason == "signin_refused"
    assert len(bodies(box)) == 1
    assert "The module retried" not in done.msg


@pytest.mark.parametrize(
    "username, password, message",
    [("administrator", PASSWORD, "3 to 10 characters, and this one has 13"), ("root", "short", "8 to 20 characters")],
)
def test_lengths_that_no_manager_takes_are_named_at_once(run, box, username, password, message):
    done = run("login", url=box.url, username=username, password=password)
    assert done.reason == "signin_refused"
    assert message in done.msg
    assert len(bodies(box)) == 1


def test_it_signs_in_in_check_mode_too(run, box):
    done = run("login", check_mode=True, url=box.url, username="root", password=PASSWORD)
    assert status_of(box, "/api/v1/users", done.result["jwt"]) == 200


def test_credentials_of_other_modules_are_not_sent(run, box):
    done = run("login", url=box.url, username="root", password=PASSWORD, token="tok-en", jwt="j.w.t")
    assert not done.failed
    assert "Authorization" not in box.log[-1].headers


@pytest.mark.parametrize(
    "options, message",
    [
        ({"username": ""}, "username is missing. What to do: set username or DRAGONFLY_USERNAME."),
        ({"password": ""}, "password is missing. What to do: set password or DRAGONFLY_PASSWORD."),
        ({"retry_timeout": -1}, "retry_timeout must be from 0s to 7d, not -1"),
    ],
)
def test_bad_input_is_not_sent(run, box, options, message):
    done = run("login", **dict({"url": box.url, "username": "root", "password": PASSWORD}, **options))
    assert done.reason == "bad_input"
    assert message in done.msg
    assert not box.log


def test_the_environment_holds_the_user(run, box):
    done = run("login", url=box.url, env={"DRAGONFLY_USERNAME": "root", "DRAGONFLY_PASSWORD": PASSWORD})
    assert not done.failed, done.msg
    assert bodies(box) == [{"name": "root", "password": PASSWORD}]


@pytest.mark.parametrize("answer", [{"token": ""}, {"token": 7}, {"token": "x\r\nX-Evil: y"}, {"token": "x\0"}, []])
def test_an_answer_without_a_jwt_fails(run, box, answer):
    box.rule(fault="body", body=answer, path="/signin$")
    done = run("login", url=box.url, username="root", password=PASSWORD)
    assert done.reason == "garbled"
    assert "no JWT" in done.msg


def test_the_password_is_in_no_output(run, box):
    done = run("login", verbosity=4, url=box.url, username="root", password=PASSWORD)
    assert done.result["invocation"]["module_args"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert json.dumps(PASSWORD) not in done.output
