# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that break TLS: before, in and after the handshake."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import os
import socket
import ssl
import tempfile
import threading
import typing as t
from pathlib import Path

from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.certificates import make_certificates
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_HANDSHAKE, _ALERT, _DATA = 22, 21, 23
_PAUSE = 0.1
_FOLDER = tempfile.TemporaryDirectory(prefix="hostile-tls-")
_LOCK = threading.Lock()
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_TICKET = b"\x04\x00\x00\x35" + bytes(3) + b"\x09" + bytes(4) + b"\x08" + bytes(8) + b"\x00\x20" + bytes(34)
_KEY_UPDATE = b"\x18\x00\x00\x01\x00"
_USER_CANCELED = b"\x01\x5a"

#: Serves a connection, until the event is set.
Serve = t.Callable[[socket.socket, threading.Event], None]


class Tls(t.NamedTuple):
    """A server whose clients use https.

    :ivar is_proxy: whether it is the proxy of the environment.
    """

    serve: Serve
    is_proxy: bool = False

    def environment(self, address: str) -> dict[str, str]:
        """Return the environment of its clients."""
        proxy = {"HTTPS_PROXY": f"https://{address}", "NO_PROXY": ""} if self.is_proxy else {}
        return {**os.environ, "REQUESTS_CA_BUNDLE": certificates().bundle, **proxy}


class Certificates:
    """Certificates of servers, by their fault.

    :ivar bundle: path of the CAs of all of them except ``unknown``.
    """

    def __init__(self, folder: str) -> None:
        self._paths = {}
        faults: dict[str, dict[str, t.Any]] = {
            "good": {},
            "unknown": {},
            "expired": {"expired": True},
            "elsewhere": {"names": ["example.com"]},
        }
        for kind, options in faults.items():
            place = Path(folder, kind)
            place.mkdir()
            self._paths[kind] = make_certificates(place, **options)
        self.bundle = str(Path(folder, "bundle.pem"))
        trusted = (Path(paths["ca"]).read_text("ascii") for kind, paths in self._paths.items() if kind != "unknown")
        Path(self.bundle).write_text("".join(trusted), "ascii")
        self._paths["long"] = dict(self._paths["good"], cert=str(Path(folder, "long.pem")))
        chain = Path(self._paths["good"]["cert"]).read_text("ascii") + Path(self.bundle).read_text("ascii") * 1000
        Path(self._paths["long"]["cert"]).write_text(chain, "ascii")

    def context(self, kind: str) -> ssl.SSLContext:
        """Return what a server with a certificate needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._paths[kind]["cert"], self._paths[kind]["key"])
        context.num_tickets = 0
        return context


@functools.cache
def certificates() -> Certificates:
    """Return certificates in a directory that exists as long as this process."""
    return Certificates(_FOLDER.name)


def servers() -> dict[str, Tls]:
    """Return the servers by name."""
    context = certificates().context
    hello = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"
    listing = _OK + b"Content-Length: 2\r\n\r\n[]"
    return {
        "no TLS handshake": Tls(_silent),
        "TLS handshake drips": Tls(_handshake_drips(context("good"))),
        "TLS record drips": Tls(_endless(hello, b"\x00", _PAUSE)),
        "plain HTTP instead of TLS": Tls(_endless(_OK + b"Content-Length: 9999\r\n\r\n", b" ", _PAUSE)),
        "endless TLS alerts": Tls(_endless(b"", b"\x15\x03\x03\x00\x02" + _USER_CANCELED)),
        "endless empty TLS records": Tls(_endless(b"", b"\x16\x03\x03\x00\x00")),
        "closed after the ClientHello": Tls(lambda peer, _over: _read_hello(peer)),
        "TLS record of another protocol": Tls(_endless(b"", b"\x18\x03\x03\x00\x03\x01\x40\x00")),
        "certificate of an unknown CA": Tls(_whole(context("unknown"), listing)),
        "expired certificate": Tls(_whole(context("expired"), listing)),
        "certificate of another name": Tls(_whole(context("elsewhere"), listing)),
        "chain of 4000 certificates": Tls(_whole(context("long"), listing)),
        "TLS 1.3: endless tickets": Tls(_records(context("good"), _HANDSHAKE, _TICKET)),
        "TLS 1.3: endless tickets in a body": Tls(_records(context("good"), _HANDSHAKE, _TICKET, _OK + b"\r\n[")),
        "TLS 1.3: tickets drip": Tls(_records(context("good"), _HANDSHAKE, _TICKET, pause=_PAUSE)),
        "TLS 1.3: endless key updates": Tls(_records(context("good"), _HANDSHAKE, _KEY_UPDATE)),
        "TLS 1.3: endless empty records": Tls(_records(context("good"), _DATA, b"")),
        "TLS 1.3: endless alerts": Tls(_records(context("good"), _ALERT, _USER_CANCELED)),
        "TLS 1.3: body drips": Tls(_records(context("good"), _DATA, b" ", _OK + b"\r\n[", _PAUSE)),
        "TLS within TLS drips": Tls(_tunnel(context("good"), hello), is_proxy=True),
    }


def _silent(_peer: socket.socket, over: threading.Event) -> None:
    over.wait(30)


def _read_hello(peer: socket.socket) -> None:
    peer.recv(65536)


def _endless(first: bytes, part: bytes, pause: float = 0) -> Serve:
    def serve(peer: socket.socket, over: threading.Event) -> None:
        _read_hello(peer)
        peer.sendall(first)
        while not over.wait(pause):
            peer.sendall(part)

    return serve


def _handshake_drips(context: ssl.SSLContext) -> Serve:
    def serve(peer: socket.socket, over: threading.Event) -> None:
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        received.write(peer.recv(65536))
        with contextlib.suppress(ssl.SSLWantReadError):
            context.wrap_bio(received, sent, server_side=True).do_handshake()
        for byte in sent.read():
            if over.wait(_PAUSE):
                return
            peer.sendall(bytes([byte]))
        over.wait(30)

    return serve


def _whole(context: ssl.SSLContext, content: bytes) -> Serve:
    def serve(peer: socket.socket, over: threading.Event) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(peer, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(content)
        over.wait(30)

    return serve


def _tunnel(context: ssl.SSLContext, first: bytes) -> Serve:
    """Return a proxy that connects to a server whose first record drips."""

    def serve(peer: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(peer, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            tls.recv(65536)
            tls.sendall(first)
            while not over.wait(_PAUSE):
                tls.sendall(b"\x00")

    return serve


def _records(context: ssl.SSLContext, kind: int, content: bytes, first: bytes = b"", pause: float = 0) -> Serve:
    """Return a server that sends the same record without end after the handshake.

    :param kind: type of the record.
    :param first: the beginning of a response.
    """

    def serve(peer: socket.socket, over: threading.Event) -> None:
        tls, sealed = _handshake(peer, context)
        with tls:
            tls.recv(65536)
            # The socket without TLS, on which encrypted records are sent.
            with socket.socket(fileno=os.dup(tls.fileno())) as plain:
                plain.settimeout(30)
                if first:
                    plain.sendall(sealed(_DATA, first))
                while not over.wait(pause):
                    plain.sendall(b"".join(sealed(kind, content) for _number in range(1 if pause else 100)))

    return serve


def _handshake(peer: socket.socket, context: ssl.SSLContext) -> tuple[ssl.SSLSocket, t.Callable[[int, bytes], bytes]]:
    """Return a connection with TLS 1.3, and a function that encrypts its records (RFC 8446, 5.2 and 7.3)."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "keys")
        with _LOCK:
            context.keylog_filename = str(log)
            tls = context.wrap_socket(peer, server_side=True)
            context.keylog_filename = os.devnull
        keys = dict(line.split()[::2] for line in log.read_text("ascii").splitlines() if line[0] != "#")
    secret = bytes.fromhex(keys["SERVER_TRAFFIC_SECRET_0"])
    cipher = tls.cipher()
    is_384 = cipher is not None and cipher[0].endswith("SHA384")
    aead = AESGCM(_expand(secret, b"tls13 key", 32 if is_384 else 16))
    start = int.from_bytes(_expand(secret, b"tls13 iv", 12), "big")
    sent = 0

    def sealed(kind: int, content: bytes) -> bytes:
        nonlocal sent
        nonce = (start ^ sent).to_bytes(12, "big")
        sent += 1
        head = b"\x17\x03\x03" + (len(content) + 17).to_bytes(2, "big")
        return head + aead.encrypt(nonce, content + bytes([kind]), head)

    return tls, sealed


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    """Return a key of a secret (HKDF-Expand-Label)."""
    information = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\x00\x01"
    return hmac.new(secret, information, hashlib.sha384 if len(secret) == 48 else hashlib.sha256).digest()[:length]
