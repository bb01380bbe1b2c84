# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand in for the manager and the scheduler: their requirements at start, and the requests of the roles."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import re
import threading
import time
import urllib.parse

import databases
from settings import Refused, get

#: What the user root of a new database gets (manager/permission/rbac/rbac.go).
DEFAULT_PASSWORD = "dragonfly"
#: Answers what a manager does beyond its health and its users: the sandbox of the tests.
SANDBOX = "manager.test:8080"
#: Who signs in there when root has signed in here.
SANDBOX_USER = {"name": "root", "password": "dragonfly"}
TIMEOUT = 60  # seconds
#: Headers that are not passed on: those of one connection, and the one for which the response would be compressed.
OWN_HEADERS = ("accept-encoding", "connection", "content-length", "host", "transfer-encoding")
#: Seconds for which any sign-in of a user makes the next ones fail (recorded in contract/2.5.1/signin).
SIGN_IN_WINDOW = 5
#: The first frame of a gRPC server: an empty SETTINGS frame (RFC 9113, section 6.5).
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
REDIS_OF_MANAGER = {"db": 0, "brokerDB": 1, "backendDB": 2}
REDIS_OF_SCHEDULER = {"brokerDB": 1, "backendDB": 2}
FOLDERS = {"logDir": "/var/log/dragonfly", "pluginDir": "/usr/local/dragonfly/plugins"}


def make_folders(config, known, more, fixed=()):
    """Create the directories that the daemon writes to, which fails where its user may not.

    :param known: keys of the section ``server`` that the release has
    :param more: name and default of the directories that only some releases have
    :param fixed: directories that the release creates, whatever its configuration says
    """
    for folder in fixed:
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise Refused(f"mkdir {folder}: {error.strerror}") from error
    defaults = {**FOLDERS, **{name: path for name, path in more.items() if name in known}}
    for name, default in defaults.items():
        folder = get(config, f"server.{name}", default)
        os.makedirs(folder, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise Refused(f"server.{name}: {folder} is not writable")


def open_manager(config):
    """Return the manager's database, after all that it checks at its start."""
    if not get(config, "auth.jwt.key"):
        raise Refused("jwt requires parameter key")
    if not get(config, "server.grpc.advertiseIP"):
        raise Refused("grpc requires parameter advertiseIP")
    kind = get(config, "database.type", "mysql")
    section = get(config, f"database.{'postgres' if kind == 'postgres' else 'mysql'}", {})
    for key in ("user", "password", "host"):
        if not section.get(key):
            raise Refused(f"{kind} requires parameter {key}")
    databases.check_redis(redis_of(config), REDIS_OF_MANAGER)
    database = databases.Database(kind, {"port": 5432 if kind == "postgres" else 3306, "dbname": "manager", **section})
    database.prepare(DEFAULT_PASSWORD)
    return database


def redis_of(config):
    section = get(config, "database.redis", {})
    if not section.get("addrs"):
        raise Refused("redis requires parameter addrs")
    return section


class Schedulers:
    """The active schedulers of a manager: those that are connected to its gRPC port."""

    def __init__(self):
        self._rows = {}

    def serve(self, door):
        while True:
            threading.Thread(target=self._keep, args=(door.accept()[0],), daemon=True).start()

    def _keep(self, connection):
        """Keep a scheduler until it disconnects. Others than schedulers send no row."""
        with connection, contextlib.suppress(OSError):
            connection.sendall(SETTINGS)
            line = connection.makefile("rb").readline()
            if line.startswith(b"{"):
                self._rows[connection] = json.loads(line)
                try:
                    connection.recv(1)
                finally:
                    del self._rows[connection]

    def like(self, row):
        """Return the schedulers as the manager lists them.

        :param row: of another scheduler, with all fields
        """
        return [{**row, "id": number, **own} for number, own in enumerate(self._rows.copy().values(), 1)]


class Manager(http.server.ThreadingHTTPServer):
    """Serves the health, users and active schedulers of a manager, and passes other requests to the sandbox."""

    daemon_threads = True

    def __init__(self, address, database):
        super().__init__(address, Handler)
        self.database = database
        self.schedulers = Schedulers()
        self.last_sign_in = {}

    def sign_in(self, name, password):
        """Return the ID of a user who signs in, None if the manager rejects it."""
        now = time.monotonic()
        is_soon = now - self.last_sign_in.get(name, -SIGN_IN_WINDOW) < SIGN_IN_WINDOW
        user = None if is_soon else self.database.password_of("name", name)
        if user:
            self.last_sign_in[name] = now
        return user[0] if user and user[1] == password else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Manager

    def do_GET(self):
        if self.path == "/healthy":
            self._answer(200, "OK")
        else:
            self._pass_on(self._body())

    def do_POST(self):
        body = self._body()
        reset = re.fullmatch(r"/api/v1/users/([0-9]+)/reset_password", self.path)
        if self.path == "/api/v1/users/signin":
            self._sign_in(json.loads(body or b"{}"))
        elif reset:
            self._answer(*self._reset(int(reset[1]), json.loads(body or b"{}")))
        else:
            self._pass_on(body)

    do_DELETE = do_PATCH = do_PUT = do_GET

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _sign_in(self, body):
        if self.server.sign_in(body.get("name"), body.get("password")):
            # With the sandbox's own token, since the sandbox checks it.
            self._pass_on(json.dumps(SANDBOX_USER).encode())
        else:
            self._answer(401, {"message": "Unauthorized"})

    def _pass_on(self, body):
        reply = self._ask_sandbox(body)
        if reply:
            status, headers, content = reply
            # A list without rows has no example of one: that of schedulers that are not active.
            if urllib.parse.urlsplit(self.path).path == "/api/v1/schedulers" and status == 200 and json.loads(content):
                content = json.dumps(self.server.schedulers.like(json.loads(content)[0])).encode()
            self._send(status, headers, content)

    def _ask_sandbox(self, body):
        """Return status, headers and content of the sandbox's response, None if it does not respond."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN_HEADERS}
        sandbox = http.client.HTTPConnection(SANDBOX, timeout=TIMEOUT)
        try:
            sandbox.request(self.command, self.path, body or None, headers)
            reply = sandbox.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        except OSError as error:
            self._answer(502, {"message": f"{SANDBOX}: {error}"})
            return None
        finally:
            sandbox.close()

    def _reset(self, number, body):
        if any(len(body.get(key, "")) not in range(8, 21) for key in ("old_password", "new_password")):
            return 422, {"errors": "Key: 'ResetPasswordRequest' Error:Field validation failed"}
        user = self.server.database.password_of("id", number)
        if not user or user[1] != body["old_password"]:
            return 500, {"message": "Internal Server Error"}
        self.server.database.set_password(number, body["new_password"])
        return 200, None

    def _answer(self, status, document):
        content = b"" if document is None else json.dumps(document).encode()
        # Managers 2.1.57 and later send the second header, without which clients take a refused sign-in as final.
        headers = [("Content-Type", "application/json; charset=utf-8"), ("X-Server-IP", "127.0.0.1, ::1")]
        self._send(status, headers, content)

    def _send(self, status, headers, content):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_details):
        """Print nothing: bodies hold passwords."""
