# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Common behavior of every module that sends requests to a manager: failures, and no secrets in output."""

from __future__ import annotations

import re
import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import DURATIONS
from ansible_collections.dragonflyoss.dragonfly.tests.tools.sources import documented
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.modules.every import (
    MODULES,
    OPTIONS,
    PLUGINS,
    SECRETS,
    check_secrets,
    far_runs,
    filled,
    marked,
)

WITH_TOKEN = sorted(name for name, call in MODULES.items() if call.credential == "token")
WITH_JWT = sorted(name for name, call in MODULES.items() if call.credential == "jwt")
with_token = pytest.mark.parametrize("module", WITH_TOKEN)
every_module = pytest.mark.parametrize("module", sorted(MODULES))

#: Keys of any result that Ansible itself explains.
COMMON_RESULTS = {"changed", "diff", "failed", "invocation", "warnings", "deprecations"}
#: Options with which modules return additional keys.
EVERY_RESULT: dict[str, list[dict[str, t.Any]]] = {
    "job_info": [{"details": True}],
    "peer_info": [{"refresh": True}],
    "task_info": [{"digest_ids": True}],
}

#: Secrets that modules accept, but do not use.
IGNORED = {
    **dict.fromkeys(
        ["image_distribution_info", "job", "job_info", "preheat", "task", "task_info"], ["jwt", "password"]
    ),
    **dict.fromkeys(["peer_info", "personal_access_token", "scheduler_info", "seed_peer_info"], ["token"]),
    **dict.fromkeys(["cluster", "cluster_info", "manager_info"], []),
    "login": ["token", "jwt"],
}
#: Options with names like secrets that are paths to files.
NO_SECRETS = {"client_key"}


def test_every_module_is_tested_here():
    assert set(MODULES) == {name for name, documented in OPTIONS.items() if documented.asks_manager}


def test_every_option_that_sounds_secret_is_tested_here():
    sounding = {
        option
        for module in MODULES
        for option in OPTIONS[module].options
        if re.search("token$|jwt|password|secret|key$|headers|storage|hdfs|credential", option)
    }
    assert sounding - NO_SECRETS <= set(SECRETS)


@pytest.fixture
def call(run, box):
    """Return a function that runs a module with its minimum options against the sandbox, with a valid credential."""
    box.image("shop/every", "1")
    box.file("every.bin")

    def function(module, **more):
        return run(module, **filled(box, module, **more))

    return function


def check_failure(done, reason, *parts):
    assert done.failed, done.output
    assert done.rc == 1, done.output
    assert done.reason == reason, done.msg
    assert "fault of the collection" not in done.msg
    for part in parts:
        assert part in done.msg


# Failures

#: Options with which each module fails as documented.
DOCUMENTED_FAILURES: dict[str, dict[str, t.Any]] = {
    "cluster": {"name": "cluster-1", "state": "absent"},
    "cluster_info": {"id": 4711},
    "image_distribution_info": {"image": "http://REGISTRY/shop/web:4.2.0"},
    "job": {"ids": [4711], "older_than": None, "token": "wrong"},
    "job_info": {"ids": [4711]},
    "login": {"password": "wrong", "retry_timeout": 0},
    "manager_info": {"jwt": "expired"},
    "peer_info": {"jwt": "expired"},
    "personal_access_token": {"jwt": "expired"},
    "preheat": {"image": "http://REGISTRY/shop/web:4.2.0"},
    "scheduler_info": {"jwt": "expired"},
    "seed_peer_info": {"jwt": "expired"},
    "task": {"token": "wrong"},
    "task_info": {"token": "wrong"},
}


@every_module
def test_samples_of_a_failure_are_what_the_module_returns(box, call, module):
    result = call(module, **DOCUMENTED_FAILURES[module]).result
    samples = {
        key: returned["sample"]
        for key, returned in documented(PLUGINS / f"modules/{module}.py", "RETURN").items()
        if key in ("request", "status", "reason")
    }
    request = result["request"].replace(box.url, "http://dragonfly-manager:8080")
    request = request.replace(f"http://{box.registry}", "https://registry.example.com")
    assert samples == {"request": request, "status": result["status"], "reason": result["reason"]}


@every_module
def test_it_works(box, call, module):
    done = call(module)
    assert not done.failed, done.msg
    assert box.log


@every_module
def test_in_check_mode_nothing_is_sent_that_changes_anything(box, call, module):
    done = call(module, check_mode=True)
    assert not done.failed, done.msg
    # A sign-in changes nothing, and queries for tasks are jobs, as documented.
    if module not in ("login", "task", "task_info", "image_distribution_info"):
        assert {entry.method for entry in box.log} <= {"GET"}


@every_module
def test_without_a_url(box, call, module):
    check_failure(call(module, url=None), "bad_input", "url is missing", "DRAGONFLY_URL")
    assert not box.log


@every_module
def test_a_missing_and_an_unknown_option_are_reported_together(box, call, module):
    needed = {name: None for name in MODULES[module].options}
    done = call(module, **needed, tokn="x", nothing_like_it=1)
    check_failure(done, "bad_input", "tokn is not a valid option (did you mean token?)")
    assert "nothing_like_it is not a valid option (the options are " in done.msg
    if any(name in ("image", "name", "username", "older_than") for name in needed):
        assert "required" in done.msg
    assert not box.log


@pytest.mark.parametrize(
    "options, messages",
    [
        (
            {"imgae": "redis:7"},
            ["imgae is not a valid option (did you mean image?)", "one of the following is required"],
        ),
        ({"image": "a", "platfrom": "b", "wait": "x"}, ["did you mean platform?", "wait"]),
        (
            {"file": "http://h/f", "object_storage": {"regoin": "eu"}},
            ["object_storage.regoin is not a valid option (did you mean region?)"],
        ),
    ],
)
def test_all_that_is_wrong_with_names_is_reported(box, run, options, messages):
    done = run("preheat", url=box.url, token=box.token, **options)
    assert done.failed
    assert done.reason == "bad_input"
    assert [message for message in messages if message not in done.msg] == []
    assert not box.log


#: Options of modules without requests to a manager. preheat_hit_info checks its options on the controller.
ON_HOSTS: dict[str, dict[str, t.Any]] = {"database_info": {"redis": {"addr": ["r:6379"]}}, "host_info": {}}


@pytest.mark.parametrize("module", sorted(set(OPTIONS) - set(MODULES) - {"preheat_hit_info"}))
def test_modules_on_hosts_report_unknown_options_too(run, module):
    done = run(module, **ON_HOSTS[module], timout="5s", nothing_like_it=1)
    check_failure(done, "bad_input", "timout is not a valid option", "nothing_like_it is not a valid option")
    if module == "database_info":
        assert "(did you mean timeout?)" in done.msg
        assert "redis.addr is not a valid option (did you mean addrs?)" in done.msg
        assert "missing required arguments: addrs found in redis" in done.msg
        check_failure(run(module), "bad_input", "one of the following is required: database, redis")


@pytest.mark.parametrize("module", [*WITH_JWT, "cluster", "cluster_info"])
def test_a_user_name_and_a_password_are_enough(box, call, module):
    password = box.state()["password"]
    done = call(module, jwt=None, token=None, username="root", password=password, verbosity=4, diff=True)
    assert not done.failed, done.msg
    assert "/api/v1/users/signin" in {entry.path for entry in box.log}
    shown = done.result["invocation"]["module_args"]
    assert shown["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert "eyJ" not in done.output


@pytest.mark.parametrize("module", WITH_JWT)
def test_a_user_name_without_a_password(box, call, module):
    done = call(module, jwt=None, username="root")
    check_failure(done, "bad_input", "set both username and password")
    assert not box.log


def test_a_jwt_goes_before_a_sign_in(box, call):
    done = call("manager_info", username="root", password="not-asked-for")
    assert not done.failed, done.msg
    assert {entry.method for entry in box.log} == {"GET"}


@pytest.mark.parametrize(
    "module, option",
    sorted((module, option) for module in MODULES for option in OPTIONS[module].options & set(DURATIONS)),
)
@pytest.mark.parametrize(
    "value, problem",
    [("soon", "must be a number of seconds or a duration such as 90s"), ("999999d", "must be from ")],
)
def test_a_duration_that_is_malformed_or_too_long_is_refused(box, call, module, option, value, problem):
    check_failure(call(module, **{option: value}), "bad_input", f"{option} {problem}")
    assert not box.log


@every_module
def test_a_duration_has_units(call, module):
    durations = {option: "1m" for option in OPTIONS[module].options & set(DURATIONS) - {"wait_sleep"}}
    done = call(module, **durations)
    assert not done.failed, done.msg


@every_module
def test_a_web_page_is_said_to_be_one(box, call, module):
    box.rule(fault="html")
    done = call(module)
    check_failure(done, "not_a_manager", "the response is a web page (status 200)", "port 8080")


@every_module
def test_a_redirect_to_the_console_is_said_to_be_a_missing_api(box, call, module):
    box.rule(fault="redirect")
    check_failure(call(module), "no_api", "this manager does not have the API (it redirects with 301 to its console)")


@every_module
def test_a_redirect_elsewhere_is_not_followed(box, call, module):
    box.rule(fault="redirect", status=302, location="https://sso.example.com/sign-in?back=there")
    check_failure(call(module), "redirected", "https://sso.example.com/sign-in", "Redirects are not followed")


def test_a_refused_connection_is_said_to_be_that(sandboxes, run):
    box = sandboxes("2.5.1")
    box.image("shop/every", "1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        def one(module):
            return run(module, **filled(box, module, url="http://" + address))

        # All at the same time, because each retries for some seconds.
        with ThreadPoolExecutor() as pool:
            runs = dict(zip(MODULES, pool.map(one, MODULES)))
    for done in runs.values():
        check_failure(done, "refused", address + " refused the connection")


# Rejected credentials


@every_module
def test_without_a_credential(box, call, module):
    credential = MODULES[module].credential
    if credential is None:
        pytest.skip("it needs none")
    done = call(module, **{credential: None})
    check_failure(done, credential + "_missing", "401", "set " + credential)
    assert done.result["status"] == 401
    assert done.result["request"] in done.msg


@every_module
@pytest.mark.parametrize("release", ["2.1.67", "2.5.1"])
def test_a_wrong_credential(box, call, module):
    credential = MODULES[module].credential
    if credential is None:
        check_failure(call(module, password="wrong-one", retry_timeout=0), "signin_refused", "401")
        return
    check_failure(call(module, **{credential: "d3Jvbmc.d3Jvbmc.d3Jvbmc"}), credential + "_unknown", "401")


@with_token
def test_an_expired_token(box, call, module):
    token = box.add_token("expired", expires=10**18)
    check_failure(call(module, token=token), "token_expired", "403", "create a new one")


def test_the_path_of_the_console_in_the_url(box, call):
    done = call("preheat", url=f"{box.url}/signin")
    check_failure(done, "no_api", "/signin/oapi/v1/jobs", "remove a wrong path from url")
    # Only a manager 2.0.x has jobs without authentication.
    assert not any("2.0.x" in warning for warning in done.result.get("warnings", []))


@with_token
def test_an_inactive_token(box, call, module):
    token = box.add_token("inactive", state="inactive")
    check_failure(call(module, token=token), "token_inactive", "403", "activate it")


@with_token
def test_a_token_without_the_scope(box, call, module):
    scope = MODULES[module].scope
    token = box.add_token("narrow", scopes=[scope_name for scope_name in ("job", "cluster") if scope_name != scope])
    check_failure(call(module, token=token), "token_scope", "403", scope)


@pytest.mark.parametrize("module", WITH_JWT)
def test_an_expired_jwt(box, call, module):
    jwt = box.jwt
    box.clock_offset = 60 * 86400
    check_failure(call(module, jwt=jwt), "jwt_unknown", "401", "dragonflyoss.dragonfly.login")


# Secrets


@every_module
def test_secrets_are_not_shown_where_it_is_refused(box, call, module):
    done = call(module, verbosity=4, **dict(marked(module), **({"retry_timeout": 0} if module == "login" else {})))
    assert done.failed
    assert done.result.get("status") == 401
    check_secrets(done.output)


@every_module
def test_secrets_are_not_shown_where_it_works(box, call, module):
    for options in far_runs(module):
        done = call(module, verbosity=4, diff=True, **options)
        assert not done.failed, done.msg
        credential = MODULES[module].credential or "password"
        check_secrets(done.output, *([getattr(box, credential)] if credential != "password" else []))


@pytest.mark.parametrize("module", ["image_distribution_info", "preheat", "task", "task_info"])
@pytest.mark.parametrize("wrong", [{"nothing": {"password": SECRETS["password"]}}, {"wait": "soon"}])
def test_secrets_are_not_shown_where_ansible_refuses_options(box, call, module, wrong):
    for options in far_runs(module):
        done = call(module, verbosity=4, **dict(options, **wrong))
        assert done.failed
        assert not box.log
        assert "invocation" in done.result
        check_secrets(done.output, box.token)


def test_registries_that_cannot_be_read_are_not_shown(call):
    done = call("task_info", verbosity=4, registries=f"r.example.com: {{password: {SECRETS['password']}-nested}}")
    assert done.failed
    assert "registries" in done.msg
    assert "invocation" in done.result
    check_secrets(done.output)


@every_module
def test_an_ignored_password_is_not_masked_in_names_and_urls(box, call, module):
    """Ansible masks the values of secret options in all of the result, including names."""
    for name in IGNORED[module]:
        done = call(module, **{name: "elsewhere", "url": box.url + "/elsewhere"})
        assert done.failed
        assert "/elsewhere" in done.msg
        assert "********" not in done.msg


@pytest.mark.parametrize("module", [module for module, names in IGNORED.items() if "password" in names])
def test_a_used_token_is_masked_beside_an_ignored_password(box, call, module):
    done = call(module, verbosity=4, password="dragonfly", url=f"{box.url}/dragonfly/{box.token}")
    assert done.failed
    assert "/dragonfly/********" in done.msg
    check_secrets(done.output, box.token)


@pytest.mark.parametrize("module", ["preheat", "task"])
def test_an_ignored_password_that_is_also_used_stays_hidden(box, run, module):
    options = {
        "image": "http://127.0.0.1:1/a/b:1",
        "registry_username": "puller",
        "registry_password": SECRETS["password"],
    }
    done = run(module, password=SECRETS["password"], url=box.url, token=box.token, verbosity=4, **options)
    assert done.failed
    check_secrets(done.output)


# Results


def undocumented(value, documentation, within=""):
    """Return the keys of a result that RETURN does not document, as paths."""
    if isinstance(value, list):
        return {path for item in value for path in undocumented(item, documentation, within)}
    if not isinstance(value, dict) or documentation is None:
        return set()
    paths = set()
    for key, inner in value.items():
        path = f"{within}.{key}" if within else key
        if key not in documentation:
            paths.add(path)
        else:
            paths |= undocumented(inner, documentation[key].get("contains"), path)
    return paths


@every_module
def test_every_key_that_is_returned_is_documented(box, call, module):
    documentation = documented(PLUGINS / f"modules/{module}.py", "RETURN")
    box.history(1, age=30 * 86400)
    call("preheat")
    for options in ({}, {"check_mode": True}, {"diff": True}, *EVERY_RESULT.get(module, [])):
        done = call(module, **options)
        assert not done.failed, done.msg
        keys = {key: value for key, value in done.result.items() if key not in COMMON_RESULTS}
        assert undocumented(keys, documentation) == set()
    failed = call(module, timeout="soon")
    assert {key for key in failed.result if key not in COMMON_RESULTS} <= {"msg", *documentation}
