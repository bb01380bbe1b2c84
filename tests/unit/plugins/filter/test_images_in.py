# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter images_in."""

from __future__ import annotations

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


ARGO = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: build-, annotations: {image: "not/this:1"}}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: a, template: b}]]
    - name: b
      container: {image: alpine, command: [echo]}
      initContainers: [{name: i, image: "busybox:1.36"}]
      sidecars: [{name: s, image: docker}]
    - name: c
      script: {image: "python:3.13", source: "print()"}
    - name: d
      containerSet: {containers: [{name: x, image: "golang:1.24"}]}
status:
  storedTemplates: {x: {container: {image: "docker.io/library/alpine:stored"}}}
"""
TEKTON = """
apiVersion: tekton.dev/v1
kind: Pipeline
spec:
  tasks:
    - name: build
      taskSpec:
        stepTemplate: {image: ubuntu, env: []}
        steps:
          - {name: one, image: "gcr.io/kaniko-project/executor:v1"}
          - {name: two, script: "echo"}
        sidecars: [{name: dind, image: "docker:dind"}]
"""
KUBEVIRT = """
apiVersion: kubevirt.io/v1
kind: VirtualMachine
spec:
  template:
    spec:
      domain: {firmware: {kernelBoot: {container: {image: "quay.io/k/boot:1", kernelPath: /boot}}}}
      volumes: [{name: disk, containerDisk: {image: quay.io/containerdisks/fedora}}]
  dataVolumeTemplates: [{spec: {source: {registry: {url: "docker://quay.io/containerdisks/debian:12"}}}}]
"""
OPERATORS = """
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
spec: {{image: "quay.io/prometheus/prometheus:v3.0.0", version: v3.0.0}}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
spec: {{imageName: "ghcr.io/cloudnative-pg/postgresql:17", instances: 3}}
---
apiVersion: acid.zalan.do/v1
kind: postgresql
spec: {{dockerImage: "ghcr.io/zalando/spilo-17:4.0-p2", sidecars: [{{name: s, image: "exporter:1"}}]}}
---
apiVersion: nvidia.com/v1
kind: ClusterPolicy
spec:
  driver: {{repository: nvcr.io/nvidia, image: driver, version: "580.65", imagePullPolicy: IfNotPresent}}
  toolkit: {{repository: nvcr.io/nvidia/k8s, image: container-toolkit, version: "sha256:{}", env: []}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
spec:
  values:
    image: {{registry: ghcr.io, repository: org/app, tag: "1.2"}}
    sidecar: {{image: {{repository: org/side, digest: "sha256:{}"}}}}
    unknown: {{image: {{repository: org/app, tag: ""}}}}
---
apiVersion: apps.kruise.io/v1beta1
kind: ImageListPullJob
spec: {{images: ["redis:7", "nginx:1.27"]}}
---
apiVersion: serving.knative.dev/v1
kind: Service
spec: {{template: {{spec: {{containers: [{{image: knative.example.com/helloworld}}]}}}}}}
---
apiVersion: v1
kind: List
items:
  - apiVersion: batch/v1
    kind: CronJob
    spec: {{jobTemplate: {{spec: {{template: {{spec: {{containers: [{{image: cron}}]}}}}}}}}}}
---
apiVersion: example.com/v1
kind: Custom
spec: {{anything: {{deep: [{{image: plain, imagePullPolicy: Always}}, {{image: local, imagePullPolicy: Never}}]}}}}
""".format("b" * 64, "c" * 64)
DAEMON = "runs/daemon@sha256:" + "d" * 64


@pytest.mark.parametrize(
    "source, references",
    [
        (ARGO, ["alpine", "busybox:1.36", "docker", "python:3.13", "golang:1.24"]),
        (TEKTON, ["ubuntu", "gcr.io/kaniko-project/executor:v1", "docker:dind"]),
        (
            KUBEVIRT,
            ["quay.io/k/boot:1", "quay.io/containerdisks/fedora", "quay.io/containerdisks/debian:12"],
        ),
        (
            OPERATORS,
            [
                "quay.io/prometheus/prometheus:v3.0.0",
                "ghcr.io/cloudnative-pg/postgresql:17",
                "ghcr.io/zalando/spilo-17:4.0-p2",
                "exporter:1",
                "nvcr.io/nvidia/driver:580.65",
                "nvcr.io/nvidia/k8s/container-toolkit@sha256:" + "b" * 64,
                "ghcr.io/org/app:1.2",
                "org/side@sha256:" + "c" * 64,
                "redis:7",
                "nginx:1.27",
                "knative.example.com/helloworld",
                "cron",
                "plain",
            ],
        ),
        # Values of a chart are not a compose file, even with services.
        (
            "services: {web: {image: {repository: org/web, tag: '1'}}}\nimage: {name: org/b, tag: '2'}",
            ["org/web:1", "org/b:2"],
        ),
        # A key whose name is that of a field, as in a schema.
        ("apiVersion: {type: string}\nkind: {type: string}\nspec: {image: 'redis:7'}", ["redis:7"]),
        (f"apiVersion: a/v1\nspec: {{sidecarImage: '{DAEMON}', agent_image: 'agent:1'}}", [DAEMON, "agent:1"]),
    ],
)
def test_custom_resources(source, references):
    assert images_in(source) == references


@pytest.mark.parametrize(
    "text",
    [
        "kind: A\nspec: {image: /assets/logo.png}",
        "kind: A\nspec: {image: logo.png, icon: 'a.svg'}",
        "kind: A\nspec: {image: 'https://example.com/logo.png'}",
        "kind: A\nspec: {image: 'https://example.com/a:1'}",
        "kind: A\nspec: {image: 'example.com/disk.qcow2:1'}",
        "kind: A\nspec: {image: 'data:image/png;base64,AAAA'}",
        "kind: A\nspec: {image: ubuntu-22.04}",
        "kind: A\nspec: {image: Ubuntu 22.04, ports: [], resources: {}}",
        "kind: A\nspec: {image: ami-0123, imageID: 'docker-pullable://redis@sha256:x'}",
        "kind: A\nspec: {image: projects/p/global/images/debian-12}",
        "kind: A\nspec: {image: 'Canonical:UbuntuServer:22.04:latest'}",
        "kind: A\nspec: {image: 'true', images: [a, {name: nginx, newTag: 1}]}",
        "kind: A\nspec: {steps: [{title: one, image: screen.png}]}",
        "kind: A\nspec: {image: {repository: org/app}}",
        "kind: A\nmetadata: {labels: {image: 'redis:7'}}",
        "kind: A\nstatus: {containerStatuses: [{image: 'docker.io/library/redis:7'}]}",
        "apiVersion: v1\nkind: Secret\nstringData: {image: 'redis:7'}",
        "apiVersion: v1\nkind: ConfigMap\ndata: {image: 'redis:7'}",
        "apiVersion: a/v1\nkind: CustomResourceDefinition\nspec: {default: {image: 'redis:7'}}",
        "services: {web: {build: .}, db: {extends: {service: x}}}",
        "services: {web: {build: ., image: 'a:1', pull_policy: never}}",
    ],
)
def test_what_names_no_image(text):
    assert images_in(text) == []


def test_parsed_numbers():
    part = {"image": {"repository": "org/app", "tag": 7}}
    assert images_in({"values": part}) == ["org/app:7"]
    assert images_in({"values": {"image": {"repository": "org/app", "tag": 1.1}}}) == []


def test_keys_that_are_no_strings():
    assert images_in({1: {True: {"containers": [{"image": "redis:7", 5: "image"}]}}}) == ["redis:7"]


def test_white_space_around_a_reference_does_not_count():
    assert images_in({"containers": [{"image": " redis:7\r\n"}, {"image": "redis:7"}, {"image": " \n"}]}) == ["redis:7"]


@pytest.mark.parametrize(
    "text",
    [
        "steps: [{image: $(params.builder)}]",
        "container: {image: '{{inputs.parameters.image}}'}",
        "spec: {image: 'registry.example.com/a:${TAG}'}",
        "spec: {image: {repository: org/app, tag: '{{ version }}'}}",
    ],
)
def test_variables_are_named(text):
    with pytest.raises(AnsibleFilterError, match="image is .*, which holds a variable. What to do: render it first"):
        images_in(text)


def test_text_with_many_documents():
    assert images_in(MANIFEST) == IMAGES


class Tagged(str):
    """A string with Ansible's tags."""


def test_strings_of_ansible():
    assert images_in(Tagged(MANIFEST)) == IMAGES
    assert images_in({Tagged("containers"): [{Tagged("image"): Tagged("redis:7")}]}) == ["redis:7"]


def test_parsed_data_and_lists_of_both():
    documents = list(yaml.safe_load_all(MANIFEST))
    assert images_in(documents) == IMAGES
    assert images_in(documents[1]) == IMAGES[:4]
    assert images_in([documents[4], MANIFEST]) == IMAGES[4:] + IMAGES[:4]


def test_compose():
    images = ["redis:7", "registry.example.com/shop/web:4.2.0", "registry.example.com/shop/model:7"]
    assert images_in(COMPOSE) == images
    assert images_in(yaml.safe_load(COMPOSE)) == images


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
        "kind: Workflow\napiVersion: v1\nservices: {a: {image: postgres}}\ncontainers: [{image: redis:7}]",
    ],
)
def test_yaml_of_all_kinds(text):
    assert images_in(text) == ["redis:7"]


def test_many_aliases_are_no_bomb():
    lines = ["a0: &a0 {containers: [{image: redis:7}]}"]
    for number in range(1, 30):
        aliases = ", ".join([f"*a{number - 1}"] * 10)
        lines.append(f"a{number}: &a{number} [{aliases}]")
    assert images_in("\n".join(lines)) == ["redis:7"]


@pytest.mark.parametrize("source", ["", "---\n---\n", "# nothing\n", {}, [], None, "kind: Service"])
def test_nothing(source):
    assert images_in(source) == []


def nested(depth):
    """Return nested mappings."""
    document: dict = {}
    for _level in range(depth):
        document = {"a": document}
    return document


@pytest.mark.parametrize(
    "source, message",
    [
        ("services: {web: {image: 'shop/web:${TAG:-1}'}}", "document 1: services.web.image is .*docker compose config"),
        ("containers: [{image: 'shop/web:{{ .Values.tag }}'}]", r"containers\[0\].image is .*holds a variable"),
        (
            "spec: {containers: [{image: a}, {image: 'S/Web'}]}",
            r"spec.containers\[1\].image: 'S/Web' is not .*must be lowercase",
        ),
        ("a: &a {<<: &b {<<: *a}}", "recursive node"),
        ("a: [1\nb: 2", "the input is not valid YAML at line 2"),
        ("redis:7", "document 1 is a string, not a manifest"),
        (["kind: Pod", "a: ]"], "the input, item 2 is not valid YAML"),
        (7, "neither YAML text nor a mapping"),
        ("[" * 5000 + "]" * 5000, "nested too deeply|maximum nesting depth"),
        (nested(5000), "nested too deeply"),
    ],
)
def test_what_is_refused(source, message):
    with pytest.raises(AnsibleFilterError, match="images_in: .*" + message):
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
