# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox as a process, its control API, TLS and compression."""

from __future__ import annotations

import gzip
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
import requests
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.certificates import make_certificates

SANDBOX = Path(__file__).resolve().parents[1] / "sandbox"
MODULE = "ansible_collections.dragonflyoss.dragonfly.tests.sandbox"


@pytest.fixture
def run(tmp_path):
    """Run the command, and return its process and its state (dict)."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(*arguments, command=(str(SANDBOX),)):
        path = tmp_path / (f"state-{len(processes)}.json")
        process = subprocess.Popen(
            [sys.executable, *command, "--state", str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        processes.append(process)
        end = time.monotonic() + 15
        while not path.exists():
            assert process.poll() is None, process.communicate()[0].decode()
            assert time.monotonic() < end, "no state file"
            time.sleep(0.02)
        return process, json.loads(path.read_text(encoding="utf-8"))

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("command", [(str(SANDBOX),), ("-m", MODULE)])
def test_the_command(run, command):
    process, state = run("--release", "2.1.67", "--token", "secret", command=command)
    assert state["pid"] == process.pid
    assert state["release"] == "2.1.67"
    headers = {"Authorization": "Bearer secret"}
    assert requests.get(state["url"] + "/oapi/v1/jobs", headers=headers, timeout=5).status_code == 200
    assert requests.get(state["registry_url"] + "/v2/", timeout=5).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert json.loads(process.stdout.read().decode()) == state


def test_the_command_stops_while_a_request_hangs(run):
    process, state = run()
    requests.post(state["url"] + "/_sandbox/rules", json={"fault": "timeout"}, timeout=5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(state["url"] + "/healthy", timeout=0.2)
    process.terminate()
    assert process.wait(10) == 0


def test_the_control_api(run):
    _process, state = run("--factor", "100", "--no-rate-limit", "--alias", "registry.example.com=registry")
    control = state["url"] + "/_sandbox/"
    headers = {"Authorization": f"Bearer {state['token']}"}

    def call(method, *what, **options):
        return requests.request(method, control + what[0], json=options or None, timeout=5)

    image = call("POST", "images", name="library/app", tag="1", platforms=["linux/amd64", "linux/arm64"]).json()
    assert image["source"] == f"http://{state['registry']}/library/app:1"
    assert sorted(image["blobs"]) == ["linux/amd64", "linux/arm64"]
    file = call("POST", "files", path="a.bin", content="text").json()["url"]
    assert requests.get(file, timeout=5).text == "text"
    rule = call("POST", "rules", outcome="partial", missing=[0]).json()["id"]
    body = {
        "type": "preheat",
        "args": {"type": "image", "url": "http://registry.example.com/v2/library/app/manifests/1"},
    }
    number = requests.post(state["url"] + "/oapi/v1/jobs", headers=headers, json=body, timeout=5).json()["id"]
    assert [job["id"] for job in call("GET", "jobs").json()] == [number]
    assert call("GET", "rules").json() == [{"id": rule, "outcome": "partial", "missing": [0], "matched": 1, "taken": 1}]
    assert call("GET", "counts").json()["POST"] == 1
    log = call("GET", "log").json()
    assert [(entry["method"], entry["path"], entry["status"], entry["json"]) for entry in log] == [
        ("POST", "/oapi/v1/jobs", 200, body)
    ]
    assert call("GET", "log?at=registry").json()[-1]["method"] == "GET"
    assert call("DELETE", "log").status_code == 200
    assert call("GET", "log").json() == []
    assert call("DELETE", "rules").status_code == 200
    assert call("GET", "rules").json() == []
    assert call("POST", "history", count=3).json() == {"ids": [2, 3, 4]}
    call("POST", "delete_blob", digest=image["blobs"]["linux/amd64"][0].rpartition("/")[2])
    assert requests.get(image["blobs"]["linux/amd64"][0], timeout=5).status_code == 404
    call("POST", "registry", auth="basic")
    assert requests.get(state["registry_url"] + "/v2/", timeout=5).status_code == 401
    call("POST", "hosts", name="host-3", ip="10.77.0.13")
    call("POST", "clock", offset=3600)
    assert call("POST", "reset", release="2.1.0").json()["release"] == "2.1.0"
    headers = {"Authorization": f"Bearer {call('GET', 'state').json()['token']}"}
    assert requests.get(state["url"] + "/oapi/v1/jobs", headers=headers, timeout=5).json() == []
    assert call("POST", "restart", down=0.2).status_code == 200
    time.sleep(0.1)
    with pytest.raises(requests.exceptions.ConnectionError):
        call("GET", "state")
    time.sleep(0.4)
    assert call("GET", "state").status_code == 200


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "rules", {"outcome": "luck"}, 400),
        ("POST", "images", {"tag": "1"}, 400),
        ("POST", "registry", {"colour": "red"}, 400),
        ("POST", "reset", {"release": "1.0"}, 400),
        ("DELETE", "jobs", None, 404),
    ],
)
def test_mistakes_at_the_control_api(start, method, name, body, status):
    box, _client = start()
    answer = requests.request(method, f"{box.url}/_sandbox/{name}", json=body, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_manager_with_tls(start, tmp_path):
    paths = make_certificates(tmp_path)
    box, client = start(tls={"cert": paths["cert"], "key": paths["key"]})
    assert requests.get(box.url + "/healthy", verify=paths["ca"], timeout=5).json() == "OK"
    with pytest.raises(requests.exceptions.SSLError):
        client.ask("GET")
    box, client = start(tls={"cert": paths["cert"], "key": paths["key"], "client_ca": paths["ca"]})
    pair = (paths["client_cert"], paths["client_key"])
    assert client.ask("GET", verify=paths["ca"], cert=pair).status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError):
        client.ask("GET", verify=paths["ca"])


def test_an_expired_certificate(start, tmp_path):
    paths = make_certificates(tmp_path, expired=True)
    box, _client = start(tls={"cert": paths["cert"], "key": paths["key"]})
    with pytest.raises(requests.exceptions.SSLError, match="expired"):
        requests.get(box.url + "/healthy", verify=paths["ca"], timeout=5)


def test_a_certificate_for_another_name(start, tmp_path):
    paths = make_certificates(tmp_path, names=("manager.example.com",))
    box, _client = start(tls={"cert": paths["cert"], "key": paths["key"]})
    with pytest.raises(ssl.SSLCertVerificationError):
        try:
            urlopen(box.url + "/healthy", context=ssl.create_default_context(cafile=paths["ca"]), timeout=5)
        except URLError as exc:
            assert isinstance(exc.reason, Exception)
            raise exc.reason from None


@pytest.mark.parametrize(("release", "compressed"), [("2.1.0", False), ("2.1.67", True), ("2.5.1", True)])
def test_compression(start, release, compressed):
    box, client = start(release)
    box.history(20)
    with urlopen(
        Request(box.url + "/oapi/v1/jobs", headers=dict(client.headers, **{"Accept-Encoding": "gzip"})), timeout=5
    ) as answer:
        assert answer.headers.get("Content-Encoding") == ("gzip" if compressed else None)
        body = answer.read()
    rows = json.loads(gzip.decompress(body) if compressed else body)
    assert len(rows) == 10


def test_headers_are_those_of_a_go_server(start):
    box, client = start()
    answer = client.ask("GET")
    assert "Server" not in answer.headers
    assert answer.headers["Date"].endswith(" GMT")
    assert "Content-Type" not in client.ask("DELETE", f"/{box.history(1)[0]}").headers


def test_the_state_file_is_for_its_owner(run, tmp_path):
    run()
    assert os.stat(tmp_path / "state-0.json").st_mode & 0o077 == 0
