# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A line break or NUL in an option injects no header or URL: the task fails, and nothing is sent."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.modules.every import FILE, MODULES, OPTIONS, filled

#: Each is inserted into a text.
INJECTIONS = ("\r\nX-Injected: 1", "\n", "\r", "\x00", "\x1b[31m", "\x7f", "\ud800")
_PREHEAT_FILE = {"image": None, "file": FILE}
#: String options by module, with ``@`` at the place of the character, and other required options.
TEXTS: dict[str, list[dict[str, t.Any]]] = {
    "preheat": [
        {"image": "REGISTRY/shop/ev@ery:1"},
        {"image": "REGISTRY/shop/every:1@0"},
        {"image": "REG@ISTRY/shop/every:1"},
        {"image": "http://REGISTRY/v2/shop/every/manifests/1@0"},
        {"image": None, "images": ["REGISTRY/shop/every:1", "REGISTRY/shop/ev@ery:1"]},
        {"image": None, "file": "http://REGISTRY/files/ev@ery.bin"},
        {"image": None, "files": ["http://REGISTRY/files/every.bin?a=@b"]},
        {"tag": "sh@op"},
        {"application": "sh@op"},
        {"filtered_query_params": ["a@b"]},
        {"platforms": ["linux/am@d64"]},
        {"headers": {"X-Any": "a@b"}},
        {"headers": {"X-@Any": "a"}},
        {"registry_username": "pull@er", "registry_password": "hunter22"},
        {"registry_username": "puller", "registry_password": "hunter22@"},
        {"registries": {"other.example.com": {"username": "pu@ller", "password": "hunter22"}}},
        {"registries": {"other.example.com": {"username": "puller", "password": "hun@ter22"}}},
        {"registries": {"other.example.com": "http://mirror.exam@ple.com"}},
        {"registries": {"other.exam@ple.com": "http://mirror.example.com"}},
        {"scope": "all_peers", "ips": ["10.0.@0.1"]},
        {"scope": "all_peers", "expected_ips": ["10.0.@0.1"]},
        dict(_PREHEAT_FILE, object_storage={"region": "e@u"}),
        dict(_PREHEAT_FILE, hdfs={"delegation_token": "hunter22@"}),
    ],
    "task": [{"tag": "sh@op"}, {"image": None, "task_id": 32 * "a" + "@" + 32 * "b"}],
    "task_info": [{"tag": "sh@op"}, {"image": "REGISTRY/shop/ev@ery:1"}],
    "image_distribution_info": [{"image": "REGISTRY/shop/ev@ery:1"}],
    "cluster": [
        {"name": "every@"},
        {"scopes": {"idc": "a@b"}},
        {"scopes": {"cidrs": ["10.0.0.0/8@"]}},
        {"scopes": {"hostnames": ["a@b"]}},
    ],
    "job": [{"types": ["pre@heat"]}],
    "job_info": [{"type": "pre@heat"}],
    "login": [{"username": "ro@ot"}, {"password": "drag@onfly"}],
    "peer_info": [{"hostname": "ho@st"}, {"ip": "10.0.@0.1"}, {"idc": "a@b"}],
    "personal_access_token": [{"name": "ev@ery"}],
    "scheduler_info": [{"hostname": "ho@st"}],
    "seed_peer_info": [{"hostname": "ho@st"}],
}
CASES = [(module, options) for module, cases in TEXTS.items() for options in cases]


def injected(value: t.Any, injection: str) -> t.Any:
    """Return options with the injection in place of ``@``."""
    if isinstance(value, str):
        return value.replace("@", injection)
    if isinstance(value, list):
        return [injected(item, injection) for item in value]
    if isinstance(value, dict):
        return {injected(key, injection): injected(item, injection) for key, item in value.items()}
    return value


def check_refused(box, done) -> None:
    assert done.failed, done.output
    assert done.result.get("reason") == "bad_input", done.output
    assert done.msg.isprintable()
    assert "hunter22" not in done.output
    assert not box.log
    assert not box.registry_log


@pytest.mark.parametrize("module, options", CASES, ids=[f"{module} {options}" for module, options in CASES])
def test_no_option_holds_a_control_character(run, box, module, options):
    for injection in INJECTIONS:
        check_refused(box, run(module, **injected(filled(box, module, **options), injection)))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_neither_url_nor_credential_holds_one(run, box, module):
    credential = MODULES[module].credential
    for injection in INJECTIONS:
        for url in (f"http://{injection}127.0.0.1:1", f"http://127.0.0.1:1/a{injection}b"):
            check_refused(box, run(module, **filled(box, module, url=url)))
        if credential:
            secret = "hunter22" + injection + "end"
            check_refused(box, run(module, **filled(box, module, **{credential: secret})))


def test_every_module_is_tried():
    assert set(MODULES) - set(TEXTS) <= {"cluster_info", "manager_info"}
    assert set(TEXTS) <= set(OPTIONS)


@pytest.mark.parametrize("value", ["X Any", "X-Any:", "", "X-Ä", "X(Any)"])
def test_the_name_of_a_header_is_one(run, box, value):
    check_refused(box, run("preheat", **filled(box, "preheat", headers={value: "a"})))


def test_white_space_around_an_image_and_lines_of_a_bio_are_no_fault(run, box):
    box.image("shop/every", "1")
    done = run("preheat", **filled(box, "preheat", image="\thttp://REGISTRY/shop/every:1\r\n", bio="one\n\ttwo"))
    assert not done.failed, done.msg


def test_a_key_file_as_a_password_may_have_lines(run, box):
    box.image("shop/every", "1")
    key_file = '{\n\t"type": "service_account"\r\n}'
    options = {"registry_username": "_json_key", "registry_password": key_file}
    done = run("preheat", **filled(box, "preheat", verify="result", wait=False, **options))
    assert not done.failed, done.msg
