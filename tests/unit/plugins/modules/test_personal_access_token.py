# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module personal_access_token."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import newer

RELEASES = ["2.1.0", "2.1.67", "2.3.4", "2.5.1"]
PATH = "/personal-access-tokens"


@pytest.fixture(params=["2.5.1", newer.NEWER])
def release(request):
    """Return the newest known release, and an unknown one."""
    return request.param


@pytest.fixture
def pat(run, box):
    """Return a function that runs the module for the token ``rollout``."""

    def function(**options):
        return run("personal_access_token", **dict({"url": box.url, "jwt": box.jwt, "name": "rollout"}, **options))

    return function


def stored(box):
    """Return the tokens as the manager lists them, by name, without the sandbox's own."""
    request = urllib.request.Request(box.url + "/api/v1" + PATH, headers={"Authorization": "Bearer " + box.jwt})
    with urllib.request.urlopen(request) as answer:
        return {row["name"]: row for row in json.load(answer) if row["token"] != box.token}


def opens(box, token, path="/oapi/v1/jobs"):
    request = urllib.request.Request(box.url + path, headers={"Authorization": "Bearer " + token})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as exc:
        return exc.code


def sent(box, method):
    return [request.json for request in box.log if request.method == method]


def in_days(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("release", RELEASES)
def test_from_nothing_to_nothing(pat, box):
    predicted = pat(expires_in="90d", check_mode=True)
    assert predicted.changed
    assert predicted.result["token"] is None
    assert not stored(box)

    made = pat(expires_in="90d", diff=True)
    token = made.result["token"]
    assert made.changed
    assert opens(box, token) == 200
    [row] = stored(box).values()
    assert (row["scopes"], row["state"], row["user_id"], row["token"]) == (["job"], "active", 1, token)
    assert made.result["personal_access_token"]["id"] == row["id"]
    assert in_days(89.9) < row["expired_at"] <= in_days(90)
    assert made.result["diff"]["before"] == {}
    assert made.result["diff"]["after"]["scopes"] == ["job"]
    assert predicted.result["diff"]["after"].keys() == made.result["diff"]["after"].keys()

    # A lifetime applies only to a new token.
    repeated = pat(expires_in="30d")
    assert not repeated.changed
    assert repeated.result["token"] == token

    changed = pat(scopes=["cluster", "job"], bio="for the shop", expires_at="2037-01-01", check_mode=True)
    assert changed.changed
    assert stored(box)["rollout"] == row
    assert changed.result["token"] == token
    predicted = changed.result["personal_access_token"]
    changed = pat(scopes=["cluster", "job"], bio="for the shop", expires_at="2037-01-01")
    assert changed.changed
    assert changed.result["token"] == token
    assert dict(predicted, updated_at="") == dict(changed.result["personal_access_token"], updated_at="")
    row = stored(box)["rollout"]
    assert (sorted(row["scopes"]), row["bio"]) == (["cluster", "job"], "for the shop")
    assert row["expired_at"] == "2037-01-01T00:00:00Z"
    assert changed.result["diff"]["before"]["bio"] == ""
    assert changed.result["diff"]["after"]["bio"] == "for the shop"
    repeated = pat(scopes=["job", "cluster", "job"], bio="for the shop", expires_at="2037-01-01T02:00:00+02:00")
    assert not repeated.changed

    rotated = pat(state="rotated", expires_in="10d", check_mode=True)
    assert rotated.changed
    assert rotated.result["token"] is rotated.result["personal_access_token"]["id"] is None
    rotated = pat(state="rotated", expires_in="10d")
    row = stored(box)["rollout"]
    assert rotated.changed
    assert rotated.result["token"] == row["token"] != token
    assert (sorted(row["scopes"]), row["bio"], row["state"]) == (["cluster", "job"], "for the shop", "active")
    assert row["expired_at"] < in_days(11)
    assert opens(box, token) == 401
    assert opens(box, row["token"]) == 200

    assert pat(state="absent", check_mode=True).changed
    assert stored(box)
    gone = pat(state="absent")
    assert gone.changed
    assert gone.result["token"] is None
    assert not stored(box)
    assert not pat(state="absent").changed


@pytest.mark.parametrize("release", RELEASES)
def test_a_change_keeps_the_scopes(pat, box):
    """A PATCH without scopes grants all of them."""
    pat(scopes=["job"], expires_in="1w")
    off = pat(active=False)
    assert off.changed
    assert not off.warnings
    assert stored(box)["rollout"]["scopes"] == ["job"]
    assert stored(box)["rollout"]["state"] == "inactive"
    assert sent(box, "PATCH") == [{"state": "inactive", "scopes": ["job"]}]
    left = pat()
    assert not left.changed
    assert "is inactive" in left.warnings[0]
    assert pat(active=True).changed
    assert stored(box)["rollout"]["state"] == "active"


def test_a_new_token_can_be_inactive(pat, box):
    made = pat(active=False, expires_in="1d")
    assert made.result["personal_access_token"]["state"] == "inactive"
    assert opens(box, made.result["token"]) == 403
    assert not pat(active=False).changed


def test_spans_count_by_the_managers_clock(pat, box):
    box.clock_offset = 86400 * 365
    pat(expires_in="1d12h")
    assert in_days(366) < stored(box)["rollout"]["expired_at"] < in_days(367)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"expires_at": "2038-01-20"}, "2038-01-19"),
        ({"expires_at": "2040-01-01T00:00:00+01:00"}, "2038-01-19"),
        ({"expires_in": "20000d"}, "2038-01-19"),
        ({"expires_at": "tomorrow"}, "expires_at must be a date"),
        ({"expires_at": "2027-02-30"}, "expires_at must be a date"),
        ({"expires_in": "3 months"}, "expires_in must be a number of seconds or a duration such as 90s"),
        ({"expires_in": "12h1d"}, "expires_in must be a number of seconds or a duration such as 90s"),
        ({"expires_in": "0d"}, "expires_in must be at least 1 second"),
        ({"expires_in": -5}, "expires_in must be at least 1 second"),
        ({"expires_in": "1d", "scopes": []}, "scopes is empty"),
        ({"expires_in": "1d", "name": ""}, "name is empty"),
    ],
)
def test_bad_input_is_not_sent(pat, box, options, message):
    done = pat(**options)
    assert done.reason == "bad_input"
    assert message in done.msg
    assert not box.log


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "expires_in or expires_at is missing"),
        ({"state": "rotated"}, "expires_in or expires_at is missing"),
        ({"expires_at": "2020-01-01"}, "is in the past"),
        ({"expires_in": "1d", "user_id": 99}, "no such user"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_what_would_be_of_no_use_is_not_written(pat, box, options, message, check_mode):
    box.add_token("rollout" if "state" in options else "another")
    before = stored(box)
    done = pat(check_mode=check_mode, **options)
    assert done.reason == "bad_input"
    assert message in done.msg
    assert stored(box) == before


def test_a_bio_cannot_be_emptied(pat, box):
    pat(bio="old", expires_in="1d")
    done = pat(bio="")
    assert done.reason == "bad_input"
    assert "bio" in done.msg
    assert not sent(box, "PATCH")


def test_tokens_of_other_users(pat, box):
    box.add_user("ci-user", "ci-password")
    done = pat(expires_in="1d", user_id=2)
    assert stored(box)["rollout"]["user_id"] == 2 == done.result["personal_access_token"]["user_id"]
    # Tokens of another user do not change.
    assert not pat().changed
    assert not pat(user_id=2).changed


def test_an_expired_token_is_a_warning(pat, box):
    pat(expires_in="1d")
    box.clock_offset = 86400 * 2
    done = pat()
    assert not done.changed
    assert "expired" in done.warnings[0]


def test_one_of_many_is_found(pat, box):
    for number in range(120):
        box.add_token(f"token-{number}")
    token = box.add_token("rollout")
    done = pat(expires_in="1d")
    assert not done.changed
    assert done.result["token"] == token


def test_the_token_is_seen_where_an_option_holds_it_too(pat, box):
    token = pat(expires_in="1d").result["token"]
    done = pat(token=token, verbosity=4)
    assert done.result["token"] == token
    assert done.output.count(token) == 1
    assert done.result["invocation"]["module_args"]["token"] is None


def test_the_token_is_nowhere_else(pat, box):
    made = pat(expires_in="1d", verbosity=4, diff=True)
    done = pat(bio="x", verbosity=4, diff=True)
    for run in (made, done):
        assert run.output.count(made.result["token"]) == 1
        assert box.jwt not in run.output


@pytest.mark.parametrize("jwt, reason", [(None, "jwt_missing"), ("a.b.c", "jwt_unknown")])
def test_without_a_jwt_that_counts(pat, box, jwt, reason):
    done = pat(jwt=jwt, expires_in="1d", token=box.token)
    assert done.reason == reason
    assert "login" in done.msg


def test_a_guest_may_look_only(pat, box):
    box.add_user("guest-1", "guest-password")
    jwt = box.manager.users.token_for("guest-1")
    assert pat(jwt=jwt, expires_in="1d").reason == "denied"
    box.add_token("rollout", scopes=["job"])
    assert not pat(jwt=jwt, scopes=["job"]).changed


@pytest.mark.parametrize("release", ["2.0.9"])
def test_a_release_without_tokens(pat):
    assert pat(expires_in="1d").reason == "no_api"


# Faults


@pytest.mark.parametrize("fault", ["reset", "half", "invalid_json"])
def test_a_lost_answer_makes_no_second_token(pat, box, fault):
    box.rule(fault=fault, method="POST", path=PATH + "$", acts=True, times=1)
    done = pat(expires_in="1d")
    assert not done.failed if fault != "invalid_json" else done.reason == "garbled"
    assert len(sent(box, "POST")) == 1
    repeated = pat(expires_in="1d")
    assert not repeated.changed
    assert list(stored(box)) == ["rollout"]


def test_a_request_that_did_not_arrive_fails(pat, box):
    box.rule(fault="reset", method="POST", path=PATH + "$", acts=False, times=1)
    done = pat(expires_in="1d")
    assert done.failed
    assert done.reason == "reset"
    assert not stored(box)


@pytest.mark.parametrize("status", [409, 500])
def test_who_comes_second_finds_the_token(pat, box, status):
    # Another run created it between the read and the POST.
    body = {"message": "Conflict"}
    box.rule(fault="status", status=status, method="POST", path=PATH + "$", body=body, acts=True, times=1)
    done = pat(expires_in="1d")
    assert not done.failed
    assert done.result["token"] == stored(box)["rollout"]["token"]


def test_a_lost_answer_to_a_change_and_to_a_deletion(pat, box):
    pat(expires_in="1d")
    box.rule(fault="reset", method="PATCH", path=PATH, acts=True, times=1)
    assert pat(bio="new").changed
    assert stored(box)["rollout"]["bio"] == "new"
    box.rule(fault="reset", method="DELETE", path=PATH, acts=True, times=1)
    assert pat(state="absent").changed
    assert not stored(box)


def test_a_deletion_that_did_not_happen_fails(pat, box):
    pat(expires_in="1d")
    box.rule(fault="reset", method="DELETE", path=PATH, acts=False, times=1)
    assert pat(state="absent").reason == "reset"
    assert stored(box)


def test_a_rotation_that_breaks_says_that_the_old_token_is_gone(pat, box):
    pat(expires_in="1d")
    box.rule(fault="status", status=503, method="POST", path=PATH + "$", times=1)
    done = pat(state="rotated", expires_in="1d")
    assert done.reason == "server_error"
    assert "was already deleted" in done.msg
    assert not stored(box)


@pytest.mark.parametrize("wrong", [{"scopes": "job"}, {"expired_at": 7}, {"user_id": "1"}])
def test_odd_rows(pat, box, wrong):
    row = {"id": 7, "name": "rollout", "scopes": ["job"], "state": "active", "user_id": 1}
    box.rule(fault="body", body=[dict(row, **wrong)], method="GET", path=PATH + "$")
    assert pat(bio="x").reason == "garbled"
    assert not sent(box, "PATCH")


def test_a_manager_that_shows_a_token_only_once(pat, box, run):
    """Managers after 2.5.1 return the token in the response to the POST only."""
    hidden = {
        "id": 7,
        "name": "rollout",
        "bio": "",
        "token": "",
        "scopes": ["job"],
        "state": "active",
        "user_id": 1,
        "expired_at": "2037-01-01T00:00:00Z",
    }
    box.rule(fault="body", body=hidden, method="GET", path=PATH + r"/\d+$")
    made = pat(expires_at="2037-01-01")
    assert made.result["token"] == stored(box)["rollout"]["token"]
    box.rule(fault="body", body=[hidden], method="GET", path=PATH + "$")
    for options in ({}, {"scopes": ["job", "cluster"], "check_mode": True}):
        done = pat(**options)
        assert done.result["token"] is None
        assert re.search("only when it creates it", done.warnings[0])


@pytest.mark.parametrize("release", [newer.NEWER])
def test_a_token_in_an_unknown_state_with_unknown_scopes(pat, box):
    box.add_token("rollout", scopes=["everything"], state="suspended")
    unchanged = pat()
    assert not unchanged.failed, unchanged.msg
    assert unchanged.warnings == ["The token rollout is suspended. Set active=true to activate it."]
    assert pat(scopes=["job"], active=True).changed
    assert not pat(scopes=["job"], active=True).changed
    assert stored(box)["rollout"]["state"] == "active"
