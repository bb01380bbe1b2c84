# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An HTTP server that logs each request and can inject faults."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import time
import typing as t
from email.utils import formatdate

from aiohttp import web

from .go import SECOND, ZERO_TIME, dump
from .rules import FAULTS

JSON_TYPE = "application/json; charset=utf-8"
#: Bytes up to which a response is compressed in the event loop, which takes less time than to start a thread.
_COMPRESSED_AT_ONCE = 128 * 1024
_HTML = "<!doctype html>\n<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>\n"


class Reply:
    """A response before it is sent.

    :param status: int.
    :param body: bytes.
    :param headers: dict.
    """

    def __init__(self, status=200, body=b"", headers=None):
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    @classmethod
    def json(cls, value, status=200, headers=None):
        return cls(status, dump(value).encode(), dict(headers or {}, **{"Content-Type": JSON_TYPE}))

    @classmethod
    def text(cls, text, status=200):
        return cls(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


class Entry:
    """A request in the log, and its response."""

    def __init__(self, method, path, query, headers, body):
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.time = time.time()
        #: Status of the response (int), None if the connection broke before it was complete.
        self.status = None
        #: Name of the injected fault, or None.
        self.fault = None

    @property
    def json(self):
        """The body as JSON, None if it is not JSON."""
        try:
            return json.loads(self.body.decode())
        except ValueError:
            return None

    def as_dict(self):
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "json": self.json,
            "status": self.status,
            "fault": self.fault,
            "time": self.time,
        }

    def __repr__(self):
        query = "&".join("{}={}".format(*item) for item in self.query.items())
        return f"<{self.method} {self.path}{'?' + query if query else ''} -> {self.status}>"


class Server:
    """A listening server.

    :param name: ``manager`` or ``registry``, as in ``at`` of rules.
    :param handler: coroutine function of (aiohttp request, body) that returns a ``Reply``.
    :param rules: ``Rules``.
    :param clock: ``Clock``, for the header Date.
    :param tls: dict with ``cert``, ``key`` (files) and optionally ``client_ca``, or None.
    """

    def __init__(self, name, handler, rules, clock, host="127.0.0.1", port=0, tls=None):
        self.name = name
        self.log = []
        self.host = host
        self.port = port
        self.scheme = "https" if tls else "http"
        #: Prefix of paths that are neither logged nor broken, and their handler.
        self.control = None
        self._handler = handler
        self._rules = rules
        self._clock = clock
        self._tls = tls
        self._runner = None

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    @property
    def url(self):
        return f"{self.scheme}://{self.address}"

    async def start(self):
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_response_prepare.append(self._prepare)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, ssl_context=self._context(), reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self):
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def _context(self):
        if not self._tls:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._tls["cert"], self._tls["key"])
        if self._tls.get("client_ca"):
            context.load_verify_locations(self._tls["client_ca"])
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    async def _prepare(self, _request, response):
        """Send exactly the headers of Go's server."""
        response.headers.pop("Server", None)
        response.headers["Date"] = formatdate(self._clock.now() / SECOND, usegmt=True)
        if not response.headers.get("Content-Type", "-"):
            del response.headers["Content-Type"]

    async def _serve(self, request):
        body = await request.read()
        if self.control and request.path.startswith(self.control[0]):
            return await self._send(request, await self.control[1](request, body))
        entry = Entry(request.method, request.path, dict(request.query), dict(request.headers), body)
        self.log.append(entry)
        rule = self._rules.fault(self.name, entry.method, entry.path, entry.query)
        if not rule:
            reply = await self._handler(request, body)
            entry.status = reply.status
            return await self._send(request, reply)
        entry.fault = rule.fault
        return await self._break(request, body, entry, rule)

    async def _send(self, request, reply):
        # An empty Content-Type is dropped in _prepare. If there is none, aiohttp adds its own.
        headers = reply.headers if "Content-Type" in reply.headers else dict(reply.headers, **{"Content-Type": ""})
        response = web.Response(
            status=reply.status, body=reply.body, headers=headers, zlib_executor_size=_COMPRESSED_AT_ONCE
        )
        if reply.headers.get("Content-Encoding") is None and getattr(reply, "compress", False):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    async def _break(self, request, body, entry, rule):
        """Inject a fault."""
        acts = FAULTS[rule.fault] if rule.acts is None else rule.acts
        if rule.fault == "delay":
            await asyncio.sleep(rule.seconds or 0)
        reply = await self._handler(request, body) if acts else Reply.json({})
        if rule.fault == "reset":
            return _reset(request)
        if rule.fault == "timeout":
            await asyncio.sleep(rule.seconds or 3600)
            return _reset(request)
        if rule.fault == "half":
            return await self._half(request, reply)
        reply = _spoil(rule, reply)
        entry.status = reply.status
        return await self._send(request, reply)

    async def _half(self, request, reply):
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_length = len(reply.body)
        await response.prepare(request)
        await response.write(reply.body[: len(reply.body) // 2])
        return _reset(request)


def _reset(request):
    """Reset the connection instead of closing it."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def _zero_row(reply):
    """Return the row that a read sees during a write of the manager (2.2.0 and later): only the result."""
    zeros = {str: "", int: 0}
    row = json.loads(reply.body.decode())
    for key, value in row.items():
        if key in ("created_at", "updated_at"):
            row[key] = ZERO_TIME
        elif key not in ("state", "result", "user"):
            row[key] = zeros.get(type(value))
    return Reply(reply.status, dump(row).encode(), reply.headers)


def _spoil(rule, reply):
    """Return the response that a rule requests instead."""
    spoiled = _SPOILED.get(rule.fault)
    return spoiled(rule, reply) if spoiled else reply


def _own_response(rule, _reply):
    body = rule.body if rule.body is not None else {"message": "by rule"}
    response = Reply.json(body) if not isinstance(body, str) else Reply.text(body)
    response.status = rule.status or 200
    if rule.content_type:
        response.headers["Content-Type"] = rule.content_type
    response.headers.update(rule.headers or {})
    return response


def _html(rule, _reply):
    return Reply(rule.status or 200, _HTML.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _redirect(rule, _reply):
    return Reply(rule.status or 301, b"", {"Location": rule.location or "/"})


#: Converts a response, by fault.
_SPOILED: dict[str, t.Callable[..., Reply]] = {
    "zero_row": lambda _rule, reply: _zero_row(reply),
    "html": _html,
    "redirect": _redirect,
    "not_found": lambda _rule, _reply: Reply.json({"message": "record not found"}, 404),
    "two_documents": lambda _rule, reply: Reply(reply.status, reply.body * 2, reply.headers),
    "invalid_json": lambda _rule, reply: Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers),
    "status": _own_response,
    "body": _own_response,
}
