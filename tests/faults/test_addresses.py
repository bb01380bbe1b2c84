# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manager behind a path prefix and a registry, both at an IPv6 address, with real sockets."""

from __future__ import annotations

import http.client
import http.server
import json
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.faults.test_tls_and_leaks import run
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

PREFIX = "/tools/dragonfly"


class Gateway(http.server.ThreadingHTTPServer):
    """Forwards requests to a server on loopback, without the prefix. Other paths are not found.

    :ivar hosts: received headers Host.
    """

    address_family = socket.AF_INET6
    daemon_threads = True

    def __init__(self, target: str, prefix: str):
        super().__init__(("::1", 0), Pass)
        self.target = urlsplit(target).netloc
        self.prefix = prefix
        self.hosts: list[str] = []
        self.address = f"[::1]:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Pass(http.server.BaseHTTPRequestHandler):
    """One request."""

    def _pass(self) -> None:
        gateway = self.server
        assert isinstance(gateway, Gateway)
        gateway.hosts.append(self.headers["Host"])
        if not self.path.startswith(gateway.prefix):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(gateway.target, timeout=10)
        headers = {name: text for name, text in self.headers.items() if name.lower() != "host"}
        connection.request(self.command, self.path[len(gateway.prefix) :], body, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        connection.close()

    do_GET = do_POST = do_HEAD = do_PATCH = do_DELETE = _pass

    def log_message(self, *_arguments) -> None:
        """Log nothing."""


@pytest.fixture
def places():
    """Yield a sandbox, and gateways to its manager and its registry."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on loopback")
    with Sandbox(release="2.5.1", factor=1000) as box:
        manager, registry = Gateway(box.url, PREFIX), Gateway(box.registry_url, "")
        box._reach.aliases[registry.address] = box.registry_url  # pylint: disable=protected-access
        yield box, manager, registry
        for gateway in (manager, registry):
            gateway.shutdown()
            gateway.server_close()


@pytest.mark.parametrize("form", ["http://{registry}/{name}:1", "http://{registry}/v2/{name}/manifests/1"])
def test_preheat(places, form):
    box, manager, registry = places
    box.image("shop/web", "1")
    image = form.format(registry=registry.address, name="shop/web")
    url = f"http://{manager.address}{PREFIX}/"
    result = run("preheat", url=url, token=box.token, image=image, verify="blobs", wait_sleep=1)
    assert not result.get("failed"), result["msg"]
    assert [job["outcome"] for job in result["jobs"]] == ["warm"]
    assert set(manager.hosts) == {manager.address}
    assert registry.address in registry.hosts


def test_a_registry_of_the_option_and_a_file(places):
    box, manager, registry = places
    box.image("shop/web", "1")
    box.file("every.bin")
    options = {"url": f"http://{manager.address}{PREFIX}", "token": box.token, "wait_sleep": 1}
    base = f"http://{registry.address}"
    for content in (
        {"image": "registry.example.com/shop/web:1", "registries": {"registry.example.com": base}},
        {"image": f"{registry.address}/shop/web:1", "registries": {registry.address: {"url": base}}},
        {"file": f"{base}/files/every.bin"},
    ):
        result = run("preheat", **options, **content)
        assert not result.get("failed"), result["msg"]
        assert [job["outcome"] for job in result["jobs"]] == ["warm"]


def test_inventory(places, tmp_path):
    box, manager, _registry = places
    source = tmp_path / "dragonfly.yml"
    options = {"plugin": "dragonflyoss.dragonfly.peers", "url": f"http://{manager.address}{PREFIX}", "jwt": box.jwt}
    source.write_text(json.dumps({**options, "refresh": True}), encoding="utf-8")
    command = [sys.executable, "-m", "ansible", "inventory", "-i", str(source), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert set(json.loads(done.stdout)["_meta"]["hostvars"]) == {host.name for host in box.manager.fleet.hosts}


def test_modules_behind_a_prefix(places):
    box, manager, _registry = places
    url = f"http://{manager.address}{PREFIX}"
    for module, credential in (
        ("job_info", {"token": box.token}),
        ("cluster_info", {"token": box.token}),
        ("peer_info", {"jwt": box.jwt}),
        ("manager_info", {"jwt": box.jwt}),
    ):
        result = run(module, url=url, **credential)
        assert not result.get("failed"), result["msg"]
    without = run("job_info", url=f"http://{manager.address}", token=box.token)
    assert without["reason"] in ("no_path", "not_a_manager")
