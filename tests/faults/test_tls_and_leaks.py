# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS is as strict as configured, regardless of the environment, and secrets go to no other server."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.certificates import make_certificates

TOKEN = "marker-of-the-token"
PASSWORD = "marker-of-the-password"


def start(module, env=None, **options):
    """Start a module like Ansible: in a process of its own, with its options as JSON on stdin."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith(("_PROXY", "_CA_BUNDLE")) and not name.startswith("DRAGONFLY_")
    }
    command = [sys.executable, "-m", "ansible_collections.dragonflyoss.dragonfly.plugins.modules." + module]
    process = subprocess.Popen(
        command,
        env={**clean, **(env or {})},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdin
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    process.stdin.close()
    return process


def run(module, env=None, **options):
    with start(module, env, **options) as process:
        printed = process.stdout.read()
    # The invocation is returned with hidden secrets.
    assert TOKEN not in printed
    assert PASSWORD not in printed
    return json.loads(printed)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return certificates by their fault, and those of another CA."""
    made = {}
    kinds: dict[str, dict[str, t.Any]] = {
        "good": {},
        "other": {},
        "expired": {"expired": True},
        "elsewhere": {"names": ["example.com"]},
    }
    for name, options in kinds.items():
        made[name] = make_certificates(tmp_path_factory.mktemp(name), **options)
    return made


def tls(paths, **options):
    return dict({"cert": paths["cert"], "key": paths["key"]}, **options)


@pytest.fixture(scope="module")
def box(certificates):
    """A manager with TLS."""
    with Sandbox(token=TOKEN, tls=tls(certificates["good"])) as started:
        yield started


class RecordingServer(http.server.ThreadingHTTPServer):
    """A foreign server.

    :ivar seen: verb, path and headers of each request.
    :ivar passed: forwarded data.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Recorder)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.passed = bytearray()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Recorder(http.server.BaseHTTPRequestHandler):
    """Records all requests, and connects as a proxy."""

    protocol_version = "HTTP/1.1"
    server: RecordingServer

    def _record(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _record

    def do_CONNECT(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        host, _colon, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=self._pump, args=(there, self.connection), daemon=True)
            back.start()
            self._pump(self.connection, there)
            back.join(5)
        self.close_connection = True

    def _pump(self, source, target):
        try:
            while received := source.recv(65536):
                self.server.passed += received
                target.sendall(received)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def log_message(self, *_details):
        pass


@pytest.fixture
def recorder():
    """Yield a foreign server."""
    server = RecordingServer()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


# --- TLS


@pytest.mark.parametrize(
    "ca, options, works",
    [
        (None, {}, False),
        ("good", {}, True),
        ("other", {}, False),
        (None, {"validate_certs": False}, True),
    ],
)
def test_a_certificate_must_be_trusted_unless_the_user_says_otherwise(box, certificates, ca, options, works):
    box.clear_log()
    result = run("job_info", url=box.url, token=TOKEN, **options, **({"ca_path": certificates[ca]["ca"]} if ca else {}))
    assert result.get("reason") == (None if works else "tls"), result
    assert bool(box.log) == works


@pytest.mark.parametrize(
    "bundle, ca, options, works",
    [
        ("good", None, {}, True),
        ("other", "good", {}, True),
        ("good", "other", {}, False),
        ("other", None, {"validate_certs": False}, True),
    ],
)
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_bundle_counts_only_where_there_is_no_option(
    box, certificates, variable, bundle, ca, options, works
):
    result = run(
        "job_info",
        {variable: certificates[bundle]["ca"]},
        url=box.url,
        token=TOKEN,
        **options,
        **({"ca_path": certificates[ca]["ca"]} if ca else {}),
    )
    assert result.get("reason") == (None if works else "tls"), result


@pytest.mark.parametrize("wrong", ["expired", "elsewhere"])
def test_a_trusted_certificate_must_be_valid_and_that_of_the_host(certificates, wrong):
    paths = certificates[wrong]
    with Sandbox(token=TOKEN, tls=tls(paths)) as box:
        assert run("job_info", url=box.url, token=TOKEN, ca_path=paths["ca"])["reason"] == "tls"
        assert not box.log


def test_a_client_certificate(certificates):
    good, other = certificates["good"], certificates["other"]
    with Sandbox(token=TOKEN, tls=tls(good, client_ca=good["ca"])) as box:
        options = dict(url=box.url, token=TOKEN, ca_path=good["ca"])
        assert run("job_info", **options)["reason"] in ("tls", "reset")
        assert run("job_info", **options, client_cert=other["client_cert"], client_key=other["client_key"])["failed"]
        assert not box.log
        assert run("job_info", **options, client_cert=good["client_cert"], client_key=good["client_key"])["jobs"] == []


def test_a_registry_whose_certificate_is_not_trusted_gets_no_password(certificates):
    good = certificates["good"]
    with Sandbox(token=TOKEN, registry_tls=tls(good), registry_ca=good["ca"]) as box:
        box.set_registry(auth="basic", user="ci", password=PASSWORD)
        image = box.image("shop/web", "1")
        options = dict(url=box.url, token=TOKEN, image=image.source, wait=False)
        result = run("preheat", **options, registry_username="ci", registry_password=PASSWORD)
        assert result["reason"] == "registry_tls"
        assert "What to do: set ca_path of the registry in registries to the CA" in result["msg"]
        assert result["msg"].count("What to do") == 1
        assert not box.registry_log
        entry = {"url": box.registry_url, "username": "ci", "password": PASSWORD, "ca_path": good["ca"]}
        assert run("preheat", **options, registries={box.registry: entry})["changed"]


# --- destinations of secrets


def test_netrc_neither_replaces_nor_makes_a_token(tmp_path, certificates, box):
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login netrc password netrc\n", encoding="utf-8")
    netrc.chmod(0o600)
    box.clear_log()
    for token in (TOKEN, None):
        run(
            "job_info",
            {"HOME": str(tmp_path), "NETRC": str(netrc)},
            url=box.url,
            ca_path=certificates["good"]["ca"],
            **({"token": token} if token else {}),
        )
    assert [entry.headers.get("Authorization") for entry in box.log] == ["Bearer " + TOKEN, None]


def test_a_proxy_of_the_environment_sees_no_token(box, certificates, recorder):
    options = dict(url=box.url, token=TOKEN, ca_path=certificates["good"]["ca"])
    assert run("job_info", {"HTTPS_PROXY": recorder.url}, **options)["jobs"] == []
    [(method, path, headers)] = recorder.seen
    assert (method, path) == ("CONNECT", box.servers["manager"].address)
    assert "Authorization" not in headers
    assert recorder.passed
    assert TOKEN.encode() not in recorder.passed
    recorder.seen.clear()
    assert run("job_info", {"HTTPS_PROXY": recorder.url, "NO_PROXY": "127.0.0.1"}, **options)["jobs"] == []
    assert not recorder.seen


def test_the_password_of_a_proxy_is_not_shown(box):
    proxy = f"http://user:{PASSWORD}@127.0.0.1:9"
    assert run("job_info", {"HTTPS_PROXY": proxy}, url=box.url, token=TOKEN)["reason"] == "proxy"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_token_elsewhere(recorder, status):
    with Sandbox(token=TOKEN) as box:
        box.rule(fault="redirect", status=status, location=recorder.url + "/oapi/v1/jobs")
        for module, options in (("job_info", {}), ("preheat", {"file": box.file("a"), "wait": False})):
            assert run(module, url=box.url, token=TOKEN, **options)["reason"] == "redirected"
    assert not recorder.seen


def test_a_registrys_redirect_to_another_host_takes_no_password_along(recorder):
    with Sandbox(token=TOKEN) as box:
        box.set_registry(auth="basic", user="ci", password=PASSWORD)
        image = box.image("shop/web", "1")
        # The first request is without the password, which the registry then requires.
        box.rule(
            at="registry", path="/manifests/", fault="redirect", status=307, location=recorder.url + "/elsewhere", nth=2
        )
        result = run(
            "preheat",
            url=box.url,
            token=TOKEN,
            image=image.source,
            registry_username="ci",
            registry_password=PASSWORD,
            verify="blobs",
        )
        assert result["failed"]
        assert "Authorization" not in box.registry_log[0].headers
        assert box.registry_log[1].headers["Authorization"].startswith("Basic ")
    assert [path for _method, path, _headers in recorder.seen] == ["/elsewhere"]
    assert "Authorization" not in recorder.seen[0][2]


def test_no_redirect_of_a_registry_leads_from_https_to_http(certificates, recorder):
    good = certificates["good"]
    with Sandbox(token=TOKEN, registry_tls=tls(good), registry_ca=good["ca"]) as box:
        image = box.image("shop/web", "1")
        box.rule(at="registry", path="/manifests/", fault="redirect", status=307, location=recorder.url + "/elsewhere")
        entry = {"url": box.registry_url, "ca_path": good["ca"]}
        options = dict(url=box.url, token=TOKEN, image=image.source, registries={box.registry: entry}, verify="blobs")
        result = run("preheat", **options)
    assert result["failed"]
    assert "has no TLS" in result["msg"]
    assert not recorder.seen


def test_secrets_are_in_no_process_list_and_no_file(tmp_path):
    leaks = []
    with Sandbox(token=TOKEN, factor=100) as box:
        box.set_registry(auth="basic", user="ci", password=PASSWORD)
        image = box.image("shop/web", "1")
        box.rule(fault="delay", seconds=1, method="POST", times=1)
        requests_before = len(box.log)
        process = start(
            "preheat",
            {"TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
            url=box.url,
            token=TOKEN,
            wait_sleep=1,
            image=image.source,
            registry_username="ci",
            registry_password=PASSWORD,
            progress_file=str(tmp_path / "progress"),
        )
        looks = 0
        while process.poll() is None:
            if any(entry.method == "POST" for entry in box.log[requests_before:]):
                looks += 1
                leaks += _with_secrets(_processes())
                leaks += _with_secrets(path for path in tmp_path.rglob("*") if path.is_file())
        result = json.loads(process.stdout.read())
        process.stdout.close()
    assert not result.get("failed")
    assert looks
    assert (tmp_path / "progress").read_text(encoding="utf-8")
    leaks += _with_secrets(path for path in tmp_path.rglob("*") if path.is_file())
    assert leaks == []


def _processes():
    return (
        Path("/proc") / number / name
        for number in os.listdir("/proc")
        if number.isdigit()
        for name in ("cmdline", "comm", "environ")
    )


def _with_secrets(paths):
    leaks = []
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError:  # it ended, or belongs to another user
            continue
        leaks += [str(path) for secret in (TOKEN, PASSWORD) if secret.encode() in content]
    return leaks


def test_a_secret_in_a_file_is_seen(tmp_path):
    (tmp_path / "leak").write_text(f"x {PASSWORD} y", encoding="utf-8")
    assert _with_secrets(tmp_path.iterdir()) == [str(tmp_path / "leak")]
