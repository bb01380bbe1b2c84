# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every module that asks a manager: how it fails, and that no secret gets out. Each has an entry."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
IMAGE, FILE = "http://REGISTRY/shop/every:1", "http://REGISTRY/files/every.bin"

#: Module to the credential that it shows to the manager, the scope that a token needs, and the least options.
MODULES = {
    "cluster": ("token", "cluster", {"name": "every"}),
    "cluster_info": ("token", "cluster", {}),
    "image_distribution_info": ("token", "job", {"image": IMAGE, "wait_sleep": 1}),
    "job_info": ("token", "job", {}),
    "login": (None, None, {"username": "root", "password": "dragonfly"}),
    "manager_info": ("jwt", None, {}),
    "peer_info": ("jwt", None, {}),
    "personal_access_token": ("jwt", None, {"name": "every", "expires_in": "30d"}),
    "preheat": ("token", "job", {"image": IMAGE, "wait_sleep": 1}),
    "scheduler_info": ("jwt", None, {}),
    "seed_peer_info": ("jwt", None, {}),
    "task": ("token", "job", {"image": IMAGE, "wait_sleep": 1}),
    "task_info": ("token", "job", {"image": IMAGE, "wait_sleep": 1}),
}
WITH_TOKEN = sorted(name for name, (credential, dummy, dummy2) in MODULES.items() if credential == "token")
WITH_JWT = sorted(name for name, (credential, dummy, dummy2) in MODULES.items() if credential == "jwt")
with_token = pytest.mark.parametrize("module", WITH_TOKEN)
every_module = pytest.mark.parametrize("module", sorted(MODULES))

MARK = "5ecret"
#: Option to a value with marks in it. A credential that is to be accepted is left as it is.
SECRETS = {
    "token": MARK + "-token",
    "jwt": MARK + "-jwt",
    "password": MARK + "-password",
    "registry_username": "puller",
    "registry_password": MARK + "-registry-password",
    "headers": {"X-Any": MARK + "-header", "Authorization": "Bearer %s-authorization" % MARK},
    "object_storage": {name: "%s-%s" % (MARK, name) for name in (
        "access_key_id", "access_key_secret", "session_token", "security_token")},
    "hdfs": {"delegation_token": MARK + "-hdfs"},
    "registries": {
        "other.example.com": {"url": "http://other.example.com", "username": "puller", "password": MARK + "-detail"}},
}
#: Options that sound like secrets and are none: the path of a file.
NO_SECRETS = {"client_key"}
#: Options with which these modules go as far as they can; those with secrets for files only are for another run.
FAR = {
    "preheat": [
        {"image": IMAGE, "headers": SECRETS["headers"]},
        {"image": None, "file": FILE + "?X-Amz-Signature=%s-signature&access_token=%s-query" % (MARK, MARK),
         "object_storage": SECRETS["object_storage"]},
        {"image": None, "file": "http://reader:%s-info@REGISTRY/files/every.bin" % MARK, "hdfs": SECRETS["hdfs"]},
    ],
    "task": [{}, {"image": None, "file": FILE + "?X-Amz-Signature=%s-signature" % MARK}],
    "task_info": [{}, {"image": None, "file": FILE + "?X-Amz-Signature=%s-signature" % MARK}],
}


def documentation(path):
    """Return a module's options, those of fragments among them, and whether it has the connection group."""
    def read(file, variable):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and node.targets[0].id == variable:
                return yaml.safe_load(node.value.value)
        raise LookupError(variable)

    own = read(path, "DOCUMENTATION")
    options, fragments = set(own.get("options", ())), own["extends_documentation_fragment"]
    for fragment in fragments:
        name, dummy, variant = fragment.split(".", 2)[2].partition(".")
        text = read(PLUGINS / "doc_fragments" / (name + ".py"), variant.upper() or "DOCUMENTATION")
        options |= set(text.get("options", ()))
    return options, "dragonflyoss.dragonfly._connection" in fragments


OPTIONS = {path.stem: documentation(path) for path in sorted((PLUGINS / "modules").glob("*.py"))}


def test_every_module_is_tested_here():
    assert set(MODULES) == {name for name, (dummy, asks_manager) in OPTIONS.items() if asks_manager}


def test_every_option_that_sounds_secret_is_tested_here():
    sounding = {option for module in MODULES for option in OPTIONS[module][0]
                if re.search("token$|jwt|password|secret|key$|headers|storage|hdfs|credential", option)}
    assert sounding - NO_SECRETS <= set(SECRETS)


@pytest.fixture
def call(run, box):
    """Give a function that runs a module with its least options, at the box and with the right credential."""
    box.image("shop/every", "1")
    box.file("every.bin")

    def function(module, **more):
        return run(module, **filled(box, module, **more))

    return function


def filled(box, module, **more):
    """Return options with the box's addresses and credentials."""
    credential, dummy, options = MODULES[module]
    found = dict({"url": box.url}, **options)
    if credential:
        found[credential] = getattr(box, credential)
    found.update(more)
    given = json.dumps({key: value for key, value in found.items() if value is not None})
    return json.loads(given.replace("REGISTRY", box.registry))


def check_failure(done, reason, *words):
    assert done.failed and done.rc == 1, done.output
    assert done.reason == reason, done.msg
    assert "fault of the collection" not in done.msg
    for word in words:
        assert word in done.msg


# How they fail


@every_module
def test_it_works(box, call, module):
    done = call(module)
    assert not done.failed, done.msg
    assert box.log


@every_module
def test_in_check_mode_nothing_is_sent_that_changes_anything(box, call, module):
    done = call(module, check_mode=True)
    assert not done.failed, done.msg
    # A sign-in changes nothing, and those that look for tasks do that with jobs, as their documentation says.
    if module not in ("login", "task", "task_info", "image_distribution_info"):
        assert {entry.method for entry in box.log} <= {"GET"}


@every_module
def test_without_a_url(box, call, module):
    check_failure(call(module, url=None), "bad_input", "url is missing", "DRAGONFLY_URL")
    assert not box.log


@every_module
def test_a_web_page_is_said_to_be_one(box, call, module):
    box.rule(fault="html")
    done = call(module)
    check_failure(done, "not_a_manager", "a web page came back (status 200)", "port 8080")


@every_module
def test_a_redirect_to_the_console_is_said_to_be_a_missing_api(box, call, module):
    box.rule(fault="redirect")
    check_failure(call(module), "no_api", "this manager has no such API (it answered 301 to its console)")


@every_module
def test_a_redirect_elsewhere_is_not_followed(box, call, module):
    box.rule(fault="redirect", status=302, location="https://sso.example.com/sign-in?back=there")
    check_failure(call(module), "redirected", "https://sso.example.com/sign-in", "Redirects are not followed")


def test_a_refused_connection_is_said_to_be_that(sandboxes, run):
    box = sandboxes("2.5.1")
    box.image("shop/every", "1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % taken.getsockname()[1]

        def one(module):
            return run(module, **filled(box, module, url="http://" + address))

        # All at a time, for each tries again for some seconds.
        with ThreadPoolExecutor() as pool:
            runs = dict(zip(MODULES, pool.map(one, MODULES)))
    for done in runs.values():
        check_failure(done, "refused", address + " refused the connection")


# Credentials that are refused


@every_module
def test_without_a_credential(box, call, module):
    credential = MODULES[module][0]
    if credential is None:
        pytest.skip("it needs none")
    done = call(module, **{credential: None})
    check_failure(done, credential + "_missing", "401", "set " + credential)
    assert done.result["status"] == 401 and done.result["request"] in done.msg


@every_module
@pytest.mark.parametrize("release", ["2.1.67", "2.5.1"])
def test_a_wrong_credential(box, call, module):
    credential = MODULES[module][0]
    if credential is None:
        check_failure(call(module, password="wrong-one", retry_timeout=0), "signin_refused", "401")
        return
    check_failure(call(module, **{credential: "d3Jvbmc.d3Jvbmc.d3Jvbmc"}), credential + "_unknown", "401")


@with_token
def test_an_expired_token(box, call, module):
    token = box.add_token("expired", expires=10**18)
    check_failure(call(module, token=token), "token_expired", "403", "make a new one")


@with_token
def test_an_inactive_token(box, call, module):
    token = box.add_token("inactive", state="inactive")
    check_failure(call(module, token=token), "token_inactive", "403", "activate it")


@with_token
def test_a_token_without_the_scope(box, call, module):
    scope = MODULES[module][1]
    token = box.add_token("narrow", scopes=[one for one in ("job", "cluster") if one != scope])
    check_failure(call(module, token=token), "token_scope", "403", scope)


@pytest.mark.parametrize("module", WITH_JWT)
def test_an_expired_jwt(box, call, module):
    jwt = box.jwt
    box.clock_offset = 60 * 86400
    check_failure(call(module, jwt=jwt), "jwt_unknown", "401", "dragonflyoss.dragonfly.login")


# Secrets


def marked(module, keep=()):
    """Return the secrets that a module's options take, but those of L(FAR) and these."""
    return {name: value for name, value in SECRETS.items()
            if name in OPTIONS[module][0] and name not in keep and name not in ("headers", "object_storage", "hdfs")}


def far_runs(module):
    """Return the options of runs with which a module goes as far as it can with secrets in its options."""
    runs = []
    for more in FAR.get(module, [{}]):
        keep = {MODULES[module][0] or "password"}
        if "file" in more:
            keep |= {"registry_username", "registry_password", "registries"}
        runs.append(dict(marked(module, keep), **more))
    return runs


def check_secrets(output, *own):
    encoded = base64.b64encode(("puller:" + SECRETS["registry_password"]).encode()).decode()
    for secret in (MARK, encoded) + own:
        assert secret not in output


@every_module
def test_secrets_are_not_shown_where_it_is_refused(box, call, module):
    done = call(module, verbosity=4, **dict(marked(module), **({"retry_timeout": 0} if module == "login" else {})))
    assert done.failed and done.result.get("status") == 401
    check_secrets(done.output)


@every_module
def test_secrets_are_not_shown_where_it_works(box, call, module):
    for options in far_runs(module):
        done = call(module, verbosity=4, diff=True, **options)
        assert not done.failed, done.msg
        credential = MODULES[module][0] or "password"
        check_secrets(done.output, *([getattr(box, credential)] if credential != "password" else []))


def test_secrets_are_not_shown_by_ansible(sandboxes, tmp_path):
    box = sandboxes("2.5.1")
    box.image("shop/every", "1")
    box.file("every.bin")
    tasks, variables = [], {}
    for module in MODULES:
        for number, options in enumerate(far_runs(module)):
            name = "%s_%d" % (module, number)
            variables[name] = filled(box, module, **options)
            # Each as a variable, so that the playbook, which messages quote, holds no secret itself.
            arguments = {key: "{{ %s['%s'] }}" % (name, key) for key in variables[name]}
            tasks.append({"name": name, "dragonflyoss.dragonfly." + module: arguments})
    playbook, extra = tmp_path / "play.yml", tmp_path / "extra.json"
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    extra.write_text(json.dumps(variables), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", str(playbook), "-vvvv", "--diff", "--extra-vars", "@%s" % extra],
        cwd=tmp_path, env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_PIPELINING="1"), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)

    assert done.returncode == 0, done.stdout[-5000:]
    assert "Traceback" not in done.stdout
    check_secrets(done.stdout, box.token)
