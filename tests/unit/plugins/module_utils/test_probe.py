# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is brought from a host: real files, and what real programs print."""

from __future__ import annotations

import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _host_files as host_files
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._probe import probe

SECRET = "s3cr3t-marker"

# As dfget 2.1.67, dfdaemon 1.4.2 and containerd of Debian print them.
GO = (
    "Major: 2, Minor: 1, GitVersion: v2.1.67, GitCommit: 5c1f, Platform: linux, BuildTime: 2024-09-02, "
    "GoVersion: go1.23.0\n"
)
RUST = "dfdaemon 1.4.2 (5c1f 2026-07-23)\n"
CONTAINERD = "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1\n"


def commands(**outputs):
    """A ``run`` that knows some programs; ``systemctl`` by the name of the unit."""
    asked = []

    def run(argv):
        asked.append(argv)
        name = os.path.basename(argv[0])
        return outputs.get(argv[-1].split(".")[0].replace("-", "_") if name == "systemctl" else name)

    run.asked = asked
    return run


def unit(command, age=60.0, state="active"):
    started = int((time.monotonic() - age) * 1e6)
    return (
        "LoadState=loaded\nActiveState=%s\nExecMainStartTimestampMonotonic=%d\n"
        "ExecStart={ path=%s ; argv[]=%s ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 }\n"
        % (state, started, command.split()[0], command)
    )


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_host(tmp_path):
    config = write(tmp_path / "own.yaml", f"proxy: {{defaultFilter: ns, basicAuth: {{password: {SECRET}}}}}\n")
    folder = tmp_path / "certs.d"
    toml = write(
        tmp_path / "config.toml",
        f'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "{folder}"\n',
    )
    mirror = write(
        folder / "docker.io" / "hosts.toml",
        f'server = "https://docker.io"\n[host."http://u:{SECRET}@h".header]\nx = "{SECRET}"',
    )
    (folder / "ghcr.io").mkdir()
    run = commands(
        dfget=GO,
        containerd=CONTAINERD,
        dfget_daemon=unit(f"/opt/bin/dfget daemon --config {config}"),
        dfdaemon="LoadState=not-found\nActiveState=inactive\n",
    )
    found = host_files.gather(run, {"dfdaemon": str(tmp_path / "none.yaml")}, toml)
    dfget = found["clients"]["dfget"]
    assert dfget["config"]["path"] == config
    assert "defaultFilter: ns" in dfget["config"]["text"]
    assert dfget["version"] == "2.1.67"
    assert dfget["unit"]["name"] == "dfget-daemon.service"
    assert dfget["unit"]["state"] == "active"
    assert abs(dfget["unit"]["since"] - (time.time() - 60)) < 5
    assert ["/opt/bin/dfget", "version"] in run.asked
    assert found["clients"]["dfdaemon"] == {
        "config": {"path": str(tmp_path / "none.yaml"), "text": None, "error": None, "mtime": None},
        "unit": None,
        "version": None,
    }
    containerd = found["containerd"]
    assert containerd["version"] == "1.6.20"
    assert containerd["unit"] is None
    hosts = {one["path"]: one for one in containerd["hosts"] if one["path"].startswith(str(tmp_path))}
    bare = str(folder / "ghcr.io" / "hosts.toml")
    assert list(hosts) == [mirror, bare]
    assert hosts[bare]["text"] is None
    assert hosts[bare]["error"] is None
    assert SECRET not in repr(found)


def test_a_host_without_anything(tmp_path):
    none = str(tmp_path / "none")
    found = host_files.gather(commands(), {"dfget": none, "dfdaemon": none}, none)
    assert found["containerd"]["config"]["text"] is None
    assert found["containerd"]["version"] is None
    assert found["clients"]["dfget"]["version"] is None


@pytest.mark.parametrize(
    "output, version",
    [
        (GO, "2.1.67"),
        ("MajorVersion:\t2\nGitVersion:\tv2.3.4\n", "2.3.4"),
        (RUST, "1.4.2"),
        (CONTAINERD, "1.6.20"),
        ("containerd containerd.io 2.2.0 abcdef", "2.2.0"),
        ("", None),
        ("error: 1.2", None),
        (None, None),
    ],
)
def test_releases(output, version):
    assert host_files._version(commands(x=output), ["x"]) == version


@pytest.mark.parametrize(
    "command, path",
    [
        ("/usr/bin/dfdaemon --config /a.yaml --console", "/a.yaml"),
        ("dfget daemon --config=/b.yaml", "/b.yaml"),
        ("dfdaemon -c /c.yaml", "/c.yaml"),
        ("dfdaemon", None),
        ("dfdaemon -c", None),
    ],
)
def test_the_configuration_that_a_unit_names(command, path):
    assert host_files._config_of(command.split()) == path


def test_a_unit_that_does_not_run():
    found, dummy = host_files._unit(commands(x=unit("x", state="failed")), "x.service")
    assert found == {"name": "x.service", "state": "failed", "since": None}


def test_files_that_cannot_be_read(tmp_path):
    write(tmp_path / "latin", "a: b")
    (tmp_path / "latin").write_bytes(b"a: \xe4")
    (tmp_path / "large").write_bytes(b"#" * (host_files._MAX_BYTES + 1))
    found = {name: host_files._file(str(tmp_path / name), str)["error"] for name in ("latin", "large", "latin/below")}
    assert found == {
        "latin": "it is not in UTF-8 (byte 3)",
        "large": "it is larger than 1048576 bytes",
        "latin/below": None,
    }
    assert host_files._file(str(tmp_path), str)["error"] == "Is a directory"


class Proxy(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(
            (self.path, self.headers["X-Dragonfly-Registry"], self.headers.get_all("Proxy-Authorization"))
        )
        self.send_response(200)
        self.send_header("X-Dragonfly-Task", "a1")
        self.send_header("Set-Cookie", SECRET)
        self.end_headers()
        self.wfile.write(b"x" * 100000)

    def log_message(self, *args):
        pass


HIDDEN_HEADER = {"proxy-authorization": "hidden"}


@pytest.fixture
def proxy():
    server = HTTPServer(("127.0.0.1", 0), Proxy)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_probe(proxy):
    answer = probe(f"http://127.0.0.1:{int(proxy.server_port)}", "/v2/a?ns=h", {"x-dragonfly-registry": "http://h"}, 5)
    assert proxy.seen == [("/v2/a?ns=h", "http://h", None)]
    assert answer["seconds"] >= 0
    assert answer["unknown"] == []
    assert {key: answer[key] for key in ("status", "headers", "bytes", "error")} == {
        "status": 200,
        "headers": {"x-dragonfly-task": "a1"},
        "bytes": 100000,
        "error": None,
    }


@pytest.mark.parametrize(
    "line",
    [
        'Proxy-Authorization = ["Basic %s"]',
        "proxy-authorization = 'Basic %s'",
        '"Proxy-Authorization" = [\n  "Basic %s",\n]',
        '#Proxy-Authorization = "x"\nproxy-authorization="Basic %s" # "x"',
    ],
)
def test_a_probe_with_what_stayed_on_the_host(proxy, tmp_path, line):
    path = write(tmp_path / "hosts.toml", '[host."http://h".header]\nX-Other = "x"\n' + line % SECRET)
    answer = probe(f"http://127.0.0.1:{int(proxy.server_port)}", "/", HIDDEN_HEADER, 5, path)
    assert proxy.seen == [("/", None, ["Basic " + SECRET])]
    assert answer["status"] == 200
    assert SECRET not in repr(answer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'Proxy-Authorization = """\nBasic %s"""',
        'header = {Proxy-Authorization = "Basic %s"}',
        'Proxy-Authorization = "Basic \\t%s"',
        'Proxy-Authorization = "\u00e4%s"',
        'Proxy-Authorization = "Basic x"\nproxy-authorization = "Basic %s"',
    ],
)
def test_a_probe_whose_header_is_not_known(proxy, tmp_path, text):
    path = write(tmp_path / "hosts.toml", text.replace("%s", SECRET))
    answer = probe(f"http://127.0.0.1:{int(proxy.server_port)}", "/", HIDDEN_HEADER, 5, path)
    assert answer["unknown"] == ["proxy-authorization"]
    assert SECRET not in repr(answer)
    assert proxy.seen == []
    assert answer["error"] is None
    assert probe("http://127.0.0.1:1", "/", HIDDEN_HEADER, 5, str(tmp_path / "none"))["unknown"]


def test_probes_that_fail():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{int(taken.getsockname()[1])}"
        assert "refused" in probe(closed, "/", {}, 5)["error"]
        taken.listen()
        assert "timed out" in probe(closed, "/", {}, 0.2)["error"]
    assert probe("https://127.0.0.1", "/", {}, 5)["error"] == "it is not an http proxy"


def answering(first, more, pause):
    """A server of one answer that goes on until nobody reads it; gives its listener."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            with listener.accept()[0] as peer:
                peer.recv(65536)
                peer.sendall(first)
                while True:
                    peer.sendall(more)
                    time.sleep(pause)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.mark.parametrize(
    "first, more, pause, status, error",
    [
        (b"HTTP/1.1 200 OK\r\nX-Dragonfly-Task: a1\r\nContent-Length: 99999\r\n\r\n", b"a", 0.02, 200, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a", 0.02, 200, None),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.02, None, "timed out"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02, None, "timed out"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0, None, "the headers of its answer do not end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 99999, 0, 200, "chunk size"),
    ],
)
def test_a_probe_ends_in_time(first, more, pause, status, error):
    with answering(first, more, pause) as listener:
        begun = time.monotonic()
        answer = probe(f"http://127.0.0.1:{listener.getsockname()[1]}", "/", {}, 0.5)
    assert time.monotonic() - begun < 2
    assert answer["status"] == status
    assert answer["error"] == error or error in answer["error"]


@pytest.mark.parametrize("proxy_url", ["http://[::1", "http://", "http://h:99999", "nonsense"])
def test_a_proxy_that_is_none(proxy_url):
    assert probe(proxy_url, "/", {}, 5)["error"] == "it is not an http proxy"


def test_a_header_that_cannot_be_sent_is_not_shown(proxy):
    url = f"http://127.0.0.1:{proxy.server_port}"
    for headers in ({"authorization": SECRET + "\r\nX: y"}, {"a\r\nb": SECRET}):
        answer = probe(url, "/", headers, 5)
        assert "cannot be sent" in answer["error"]
        assert SECRET not in repr(answer)
    assert "control characters" in probe(url, "/\r\nX: y", {}, 5)["error"]
    assert proxy.seen == []
