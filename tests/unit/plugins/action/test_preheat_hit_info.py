# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""preheat_hit_info in playbooks: after a preheat, on hosts with real files and a responding proxy."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import RECIPES
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.tools.sources import documented

MODULE = Path(__file__).resolve().parents[4] / "plugins/modules/preheat_hit_info.py"
SECRET = "s3cr3t-marker"
LOGIN = "Basic " + base64.b64encode(("me:" + SECRET).encode()).decode()


class ProxyServer(ThreadingHTTPServer):
    """A proxy that stores requests in ``seen``."""

    seen: list[t.Any]


class Proxy(BaseHTTPRequestHandler):
    """The part of a client's proxy that a probe uses: the ID depends on the header and the path, without the query."""

    server: ProxyServer

    def do_GET(self):
        self.server.seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        if self.headers["Proxy-Authorization"] != LOGIN:
            self.send_error(407)
            return
        url = self.headers["X-Dragonfly-Registry"] + self.path.partition("?")[0]
        self.send_response(200)
        self.send_header("X-Dragonfly-Task", RECIPES["go"]["V1"].task_id(url))
        self.end_headers()
        self.wfile.write(b"blob")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A sandbox with an image in it and one behind a password, and a proxy."""
    server = ProxyServer(("127.0.0.1", 0), Proxy)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        with Sandbox(release="2.1.67", factor=60) as box:
            yield box, server, tmp_path_factory.mktemp("hosts")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _containerd(tmp_path, monkeypatch):
    """Put a containerd on the path that prints its release and its configuration: the machine need not have one."""
    program = tmp_path / "bin/containerd"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nif [ "$1" = --version ]; then echo "containerd containerd.io 1.7.27 0123"; else cat "$2"; fi\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def host(folder, box, server, name, default_filter="Expires&Signature&ns", broken=""):
    """Write the files of a host, and return the options with their paths."""
    folder = folder / name
    mirrors = folder / "certs.d" / (box.registry.replace(":", "_") + "_")
    mirrors.mkdir(parents=True, exist_ok=True)
    proxy = f"http://127.0.0.1:{server.server_port}"
    (mirrors / "hosts.toml").write_text(
        f'server = "{box.registry_url}"\n[host."{proxy}"]\ncapabilities = ["pull", "resolve"]\n'
        f'[host."{proxy}".header]\nX-Dragonfly-Registry = ["{box.registry_url}"]\n'
        f'Proxy-Authorization = ["{LOGIN}"]\n'
    )
    (folder / "config.toml").write_text(
        f'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "{folder}/certs.d"\n'
    )
    config = {
        "scheduler": {"netAddrs": [{"type": "tcp", "addr": "127.0.0.1:8002"}]},
        "proxy": {
            "defaultFilter": default_filter,
            "basicAuth": {"username": "me", "password": SECRET},
            "tcpListen": {"port": server.server_port},
            "registryMirror": {"url": box.registry_url, "dynamic": True},
        },
    }
    (folder / "dfget.yaml").write_text(yaml.safe_dump(config) + broken)
    return {
        "dfget_config": str(folder / "dfget.yaml"),
        "dfdaemon_config": str(folder / "none.yaml"),
        "containerd_config": str(folder / "config.toml"),
    }


def play(folder, tasks, *options):
    """Run tasks on localhost, and return the registered results by name and the output."""
    result = folder / "result.json"
    tasks = tasks + [
        {
            "ansible.builtin.copy": {"dest": str(result), "content": "{{ found | to_json }}", "mode": "0600"},
            "vars": {
                "found": {task["register"]: f"{{{{ {task['register']} }}}}" for task in tasks if "register" in task}
            },
            "check_mode": False,
            "diff": False,
        }
    ]
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], sort_keys=False))
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", str(path), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(result.read_text()), done.stdout + done.stderr


def judge(register, options, **more):
    return {"dragonflyoss.dragonfly.preheat_hit_info": {**options, **more}, "register": register}


def may_fail(task):
    return dict(task, ignore_errors=True)


def test_after_a_preheat(world, tmp_path):
    box, server, folder = world
    image = box.image("library/app", "1")
    good = host(folder, box, server, "good")
    bad = host(folder, box, server, "bad", default_filter="Expires&Signature")
    broken = host(folder, box, server, "broken", broken="proxy: [\n")
    source = image.source
    preheat = {"url": box.url, "token": box.token, "image": source, "wait_sleep": 1}
    files = {"url": box.url, "token": box.token, "file": box.file("a.bin", "a"), "wait_sleep": 1}
    server.seen.clear()
    results, output = play(
        tmp_path,
        [
            {"dragonflyoss.dragonfly.preheat": preheat, "register": "warm"},
            {"dragonflyoss.dragonfly.preheat": files, "register": "files"},
            {"dragonflyoss.dragonfly.preheat": dict(preheat, force=True), "register": "planned", "check_mode": True},
            judge("good", good, jobs="{{ warm.jobs + files.jobs }}"),
            judge("by_image", good, images=[source]),
            judge("probed", good, jobs="{{ warm.jobs }}", probe=True),
            judge("bad", bad, jobs="{{ warm.jobs }}"),
            # Its files predict a miss, its proxy a hit: it runs with its earlier configuration.
            judge("bad_probed", bad, jobs="{{ warm.jobs }}", probe=True),
            judge("broken", broken, jobs="{{ warm.jobs }}"),
            judge("no_manifest", good, images=[f"http://{box.registry}/library/none:1"]),
            judge(
                "unreachable",
                good,
                images=[f"{box.registry}/library/none:1"],
                registries={box.registry: "http://127.0.0.1:9"},
            ),
            judge(
                "unproven",
                good,
                images=[f"{box.registry}/library/none:1"],
                registries={box.registry: "http://127.0.0.1:9"},
                probe=True,
            ),
            judge("planned", good, jobs="{{ planned.jobs }}"),
            dict(judge("checked", good, jobs="{{ warm.jobs }}", probe=True), check_mode=True),
            may_fail(judge("only_files", good, jobs="{{ files.jobs }}")),
            may_fail(judge("no_image", good, images=["Upper/Case"])),
            may_fail(judge("no_platform", good, images=[source], platforms=["x"])),
            may_fail(judge("lacks_platform", good, images=[source], platforms=["linux/s390x"])),
            may_fail(judge("no_release", good, images=[source], seed_release="new")),
            may_fail(judge("nothing", good)),
            may_fail(judge("both", good, images=[source], jobs=[])),
            may_fail(judge("no_job", good, jobs=[{"id": 1}])),
            may_fail(judge("unknown", good, images=[source], unknown=True)),
        ],
        "-vvvv",
    )

    for name in ("good", "by_image", "probed", "checked"):
        assert results[name]["hit"] == "all", (name, results[name])
        assert results[name]["reasons"] == [], (name, results[name])
        assert not results[name]["changed"]
    urls = results["warm"]["jobs"][0]["warm"]
    assert sorted(blob["url"] for blob in results["good"]["blobs"]) == sorted(urls)
    assert sorted(blob["url"] for blob in results["by_image"]["blobs"]) == sorted(urls)
    assert results["good"]["client"] == "dfget"
    documented_keys = documented(MODULE, "RETURN")["blobs"]["contains"]
    assert {name for blob in results["good"]["blobs"] for name in blob} == set(documented_keys)
    assert all(blob["hit"] for blob in results["good"]["blobs"])
    [unknown] = results["unreachable"]["blobs"]
    assert unknown["url"] is None

    assert results["probed"]["probe"]["agrees"] is True
    assert results["good"]["probe"] is None
    assert results["checked"]["probe"] is None
    assert any("check mode" in note for note in results["checked"]["notes"])
    # The smallest blob, the configuration of the image, requested like containerd does.
    assert len(server.seen) == 2
    assert results["probed"]["probe"]["url"] == image.blobs()[0]
    assert server.seen[0]["path"].endswith("?ns=127.0.0.1%3A" + box.registry.partition(":")[2])
    assert server.seen[0]["x-dragonfly-registry"] == box.registry_url

    assert results["bad"]["hit"] == "none"
    [reason] = results["bad"]["reasons"]
    assert (reason["code"], reason["key"], reason["file"]) == (
        "filter_without_ns",
        "proxy.defaultFilter",
        bad["dfget_config"],
    )
    assert "probe_differs" in [entry["code"] for entry in results["bad_probed"]["reasons"]]
    assert results["broken"]["hit"] == "none"
    assert "not valid YAML in line" in results["broken"]["reasons"][0]["message"]
    [missing] = results["no_manifest"]["reasons"]
    assert (missing["code"], "What to do" in missing["message"]) == ("no_such_image", False)
    assert [reason["code"] for reason in results["unreachable"]["reasons"]] == ["base_differs"]
    assert any("refused the connection" in note for note in results["unreachable"]["notes"])

    assert "probe_impossible" in [reason["code"] for reason in results["unproven"]["reasons"]]
    assert results["planned"]["hit"] == "all"
    assert any("its job is planned" in note for note in results["planned"]["notes"])

    wrong = {
        "only_files": "There is no image among jobs.",
        "no_image": "must be lowercase",
        "no_platform": "'x' is not a valid platform",
        "no_release": "seed_release: 'new' is not a valid release",
        "nothing": "one of the following is required: jobs, images",
        "both": "mutually exclusive: jobs|images",
        "no_job": "jobs: an entry has no url",
        "unknown": "unknown is not a valid option (the options are ",
    }
    for name, text in wrong.items():
        assert results[name]["failed"], (name, results[name])
        assert text in results[name]["msg"], (name, results[name])
    assert results["lacks_platform"]["failed"]
    assert results["lacks_platform"]["reason"] == "no_platform"
    assert "has no manifest for the platform linux/s390x. It has: linux/amd64." in results["lacks_platform"]["msg"]
    for secret in (SECRET, LOGIN.partition(" ")[2]):
        assert secret not in output
        assert secret not in json.dumps(results)
    assert "Traceback" not in output


def test_a_registry_that_wants_credentials(world, tmp_path):
    box, server, folder = world
    options = host(folder, box, server, "private")
    source = box.image("library/private", "1").source
    box.set_registry(auth="token", user="me", password=SECRET, anonymous_pull=False)
    server.seen.clear()
    try:
        results, output = play(
            tmp_path,
            [
                judge("refused", options, images=[source], probe=True),
                judge(
                    "granted", options, images=[source], probe=True, registry_username="me", registry_password=SECRET
                ),
            ],
            "-vvvv",
        )
    finally:
        box.set_registry(auth=None)
    assert results["refused"]["hit"] == "none"
    assert results["refused"]["probe"] is None
    assert [reason["code"] for reason in results["refused"]["reasons"]] == ["probe_impossible"]
    assert any("it requires credentials" in note for note in results["refused"]["notes"])
    assert results["granted"]["probe"]["agrees"] is True
    [request] = server.seen
    assert request["authorization"].startswith("Bearer ")
    assert SECRET not in output
    assert request["authorization"].partition(" ")[2] not in output


def test_it_does_without_requests(world, tmp_path):
    box, server, folder = world
    options = host(folder, box, server, "bare")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "requests.py").write_text("raise ImportError('hidden')\n")
    task = judge("bare", options, images=[box.image("library/bare", "1").source])
    task["environment"] = {"PYTHONPATH": f"{hidden}:{os.environ.get('PYTHONPATH', '')}"}
    results, _output = play(tmp_path, [task])
    assert results["bare"]["hit"] == "all"


def test_all_that_is_wrong_with_options_is_reported(tmp_path):
    tasks = [
        may_fail(judge("unknown", {"imgae": "redis:7", "prob": True})),
        may_fail(judge("both", {"image": "redis:7", "jobs": [{}], "timeout": "soon"})),
    ]
    results, _output = play(tmp_path, tasks)
    assert results["unknown"]["reason"] == "bad_input"
    for part in (
        "imgae is not a valid option (did you mean image?)",
        "prob is not a valid option (did you mean probe?)",
    ):
        assert part in results["unknown"]["msg"]
    assert "one of the following is required: jobs, images" in results["unknown"]["msg"]
    assert "mutually exclusive" in results["both"]["msg"]
