# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy of a stand-in: passes requests of a runtime to the registry, keeps blobs by the id of their task."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import ssl
import threading
import urllib.parse

import recipe

#: What each request was, one JSON object a line.
LOG = "/var/log/dragonfly/stand-in.jsonl"

OWN_HEADERS = ("connection", "host", "transfer-encoding", "content-length", "proxy-authorization")


class Proxy(http.server.ThreadingHTTPServer):
    """Listens, and holds what its requests share.

    :param address: where to listen
    :param route: from a request to the URL to fetch and the task's id, see recipe.py
    :param reply_headers: from a task's id, and whether the host had it, to headers of the reply
    :param store: directory of the blobs
    :param reuse: whether a blob that is there is served from there
    :param stat: whether a blob is requested after one byte of it
    :param tls: for registries with HTTPS
    """

    daemon_threads = True

    def __init__(self, address, route, reply_headers, store, reuse, stat, tls):
        super().__init__(address, Handler)
        self.route = route
        self.reply_headers = reply_headers
        self.store = store
        self.reuse = reuse
        self.stat = stat
        self.tls = tls
        self._lock = threading.Lock()

    def note(self, **entry):
        with self._lock, open(LOG, "a") as log:
            log.write(json.dumps(entry) + "\n")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self):
        if not self.path.startswith("/"):
            self.send_error(501, "The stand-in is for mirrors of containerd only, not an HTTP proxy")
            return
        try:
            url, task = self.server.route(self.command, self.path, self.headers)
        except recipe.NotFound as error:
            self.send_error(404, str(error))
            return
        entry = {"method": self.command, "target": self.path, "url": url, "task": task}
        blob = os.path.join(self.server.store, task) if task else None
        if blob and self.server.reuse and os.path.exists(blob):
            self.server.note(**entry, hit=True, status=200)
            with open(blob, "rb") as file:
                self._answer(200, {"Content-Type": "application/octet-stream"}, file.read(), task, True)
            return
        status, headers, body = self._fetch_task(url) if task else self._fetch(url)
        if blob and status == 200:
            # Another request must not read a part of it.
            partial = f"{blob}.{threading.get_ident()}"
            with open(partial, "wb") as file:
                file.write(body)
            os.replace(partial, blob)
        self.server.note(**entry, hit=False, status=status)
        self._answer(status, headers, body, task if status == 200 else None, False)

    do_HEAD = do_GET

    def _fetch_task(self, url):
        """Request one byte first if the client does, as it learns the size and whether the blob may be read."""
        if self.server.stat:
            answer = self._fetch(url, {"Range": "bytes=0-0"})
            if answer[0] not in (200, 206):
                return answer
        return self._fetch(url)

    def _fetch(self, url, more=None):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "https":
            registry: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.netloc, timeout=30, context=self.server.tls
            )
        else:
            registry = http.client.HTTPConnection(parts.netloc, timeout=30)
        names = [name for name in self.headers if name.lower() not in OWN_HEADERS]
        # podman sends a header Accept for each type of manifest.
        sent = {
            name: ", ".join(self.headers.get_all(name, []))
            for name in names
            if not name.lower().startswith("x-dragonfly-")
        }
        try:
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            registry.request(self.command, path, headers={**sent, **(more or {})})
            answer = registry.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        except OSError as error:
            return 500, {"Content-Type": "text/plain"}, f"{url}: {error}\n".encode()
        finally:
            registry.close()

    def _answer(self, status, headers, body, task, hit):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(body)))
        for name, value in self.server.reply_headers(task, hit).items() if task else ():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_details):
        """Print nothing, since the log has more."""


def tls_context(certificates, insecure):
    """Return how to check registries: with the host's own certificates and these, or not at all."""
    context = ssl.create_default_context()
    for path in certificates:
        context.load_verify_locations(path)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
