# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter images_in."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.dragonflyoss.dragonfly.plugins.filter import images_in as file
from hypothesis import given
from hypothesis import strategies as st

images_in = file.FilterModule().filters()["images_in"]

MANIFEST = """
# Source: shop/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: nothing}
data:
  image: not/an/image:1
---
# Source: shop/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers:
        - {name: wait, image: "busybox:1.36"}
      containers:
        - name: web
          image: registry.example.com/shop/web:4.2.0
          ports: [{containerPort: 80}]
        - {name: proxy, image: "envoyproxy/envoy@sha256:%s"}
        - {name: local, image: "shop/local:1", imagePullPolicy: Never}
      volumes:
        - {name: model, image: {reference: "registry.example.com/shop/model:7", pullPolicy: IfNotPresent}}
        - {name: data, emptyDir: {}}
---
---
apiVersion: batch/v1
kind: CronJob
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{name: clean, image: busybox:1.36}]
---
apiVersion: v1
kind: List
items:
  - kind: Pod
    spec:
      containers: [{name: a, image: "redis:7"}]
      ephemeralContainers: [{name: b, image: "debug:1"}]
""" % ("a" * 64)
IMAGES = [
    "busybox:1.36",
    "registry.example.com/shop/web:4.2.0",
    "envoyproxy/envoy@sha256:" + "a" * 64,
    "registry.example.com/shop/model:7",
    "redis:7",
    "debug:1",
]
COMPOSE = """
x-common: &common
  image: redis:7
  restart: always
services:
  cache:
    <<: *common
  web:
    <<: [*common]
    image: registry.example.com/shop/web:4.2.0
    volumes:
      - data:/data
      - {type: image, source: "registry.example.com/shop/model:7", target: /model}
  made: {image: "shop/made:1", build: ., pull_policy: build}
  built: {build: .}
volumes: {data: {}}
"""


def test_text_with_many_documents():
    assert images_in(MANIFEST) == IMAGES


class Tagged(str):
    """What Ansible makes of its strings."""


def test_strings_of_ansible():
    assert images_in(Tagged(MANIFEST)) == IMAGES
    assert images_in({Tagged("containers"): [{Tagged("image"): Tagged("redis:7")}]}) == ["redis:7"]


def test_parsed_data_and_lists_of_both():
    documents = list(yaml.safe_load_all(MANIFEST))
    assert images_in(documents) == IMAGES
    assert images_in(documents[1]) == IMAGES[:4]
    assert images_in([documents[4], MANIFEST]) == IMAGES[4:] + IMAGES[:4]


def test_compose():
    found = ["redis:7", "registry.example.com/shop/web:4.2.0", "registry.example.com/shop/model:7"]
    assert images_in(COMPOSE) == found
    assert images_in(yaml.safe_load(COMPOSE)) == found


def test_what_helm_install_prints():
    text = "NAME: shop\nLAST DEPLOYED: Wed Nov 25 10:00:00 2026\nSTATUS: pending-install\nHOOKS:\nMANIFEST:\n---"
    text += MANIFEST
    assert images_in(text + "\nNOTES:\nGo to http://{{ it }}: [now\n") == IMAGES


@pytest.mark.parametrize(
    "text",
    [
        "a: !Ref thing\ncontainers: [{image: redis:7}]",
        "enum: [=, '!=']\ncontainers: [{image: redis:7}]",
        "when: 2026-99-99\ncontainers: [{image: redis:7}]",
        "containers: [{image: redis:7}, {image: ~}, {image: null}, {image: }, {name: x}, text]",
        "a: &a {containers: [{image: redis:7}]}\nb: *a\nc: *a",
        "kind: Workflow\napiVersion: v1\nservices: {a: {image: postgres:17}}\ncontainers: [{image: redis:7}]",
    ],
)
def test_yaml_of_all_kinds(text):
    assert images_in(text) == ["redis:7"]


def test_many_aliases_are_no_bomb():
    lines = ["a0: &a0 {containers: [{image: redis:7}]}"]
    lines += ["a%d: &a%d [%s]" % (number, number, ", ".join(["*a%d" % (number - 1)] * 10)) for number in range(1, 30)]
    assert images_in("\n".join(lines)) == ["redis:7"]


@pytest.mark.parametrize("source", ["", "---\n---\n", "# nothing\n", {}, [], None, "kind: Service"])
def test_nothing(source):
    assert images_in(source) == []


@pytest.mark.parametrize(
    "source, words",
    [
        ("services: {web: {image: 'shop/web:${TAG:-1}'}}", "document 1: services.web.image is .*docker compose config"),
        ("containers: [{image: 'shop/web:{{ .Values.tag }}'}]", r"containers\[0\].image is .*holds a variable"),
        (
            "spec: {containers: [{image: a}, {image: 'S/Web'}]}",
            r"spec.containers\[1\].image: 'S/Web' is not .*lower case",
        ),
        ("a: &a {<<: &b {<<: *a}}", "recursive node"),
        ("a: [1\nb: 2", "the input is not valid YAML at line 2"),
        ("redis:7", "document 1 is a text and no manifest"),
        (["kind: Pod", "a: ]"], "the input, item 2 is not valid YAML"),
        (7, "neither YAML text nor a mapping"),
        ("[" * 5000 + "]" * 5000, "nested too deeply|maximum nesting depth"),
        (functools.reduce(lambda inner, dummy: {"a": inner}, range(5000), {}), "nested too deeply"),
    ],
)
def test_what_is_refused(source, words):
    with pytest.raises(AnsibleFilterError, match="images_in: .*" + words):
        images_in(source)


_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(/[a-z0-9]{1,8})?:[0-9]{1,3}", fullmatch=True)


@given(st.lists(st.lists(_NAMES, min_size=1, max_size=4), max_size=5))
def test_each_is_found_once_and_in_order(pods):
    documents = [{"kind": "Pod", "spec": {"containers": [{"image": name} for name in names]}} for names in pods]
    wanted = list(dict.fromkeys(name for names in pods for name in names))
    assert images_in(documents) == wanted
    assert images_in(yaml.safe_dump_all(documents)) == wanted
    assert images_in({"kind": "List", "items": documents}) == wanted


def test_in_a_playbook(tmp_path):
    (tmp_path / "manifest.yml").write_text(MANIFEST, encoding="utf-8")
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {
                    "ansible.builtin.assert": {
                        "that": [
                            "lookup('ansible.builtin.file', 'manifest.yml') | "
                            f"dragonflyoss.dragonfly.images_in == {IMAGES!r}",
                            "(lookup('ansible.builtin.file', 'manifest.yml') | from_yaml_all | list | "
                            f"dragonflyoss.dragonfly.images_in) == {IMAGES!r}",
                        ]
                    }
                }
            ],
        }
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "play.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
