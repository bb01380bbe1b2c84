# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command, and record when servers do not respond meanwhile.

    python3 tests/hosts/outages.py http://h1:8080/healthy,http://h2:8080/healthy grpc://h1:8002 -- COMMAND

It prints a JSON object. ``rc`` and ``output`` are those of the command. ``outages`` has the outages of each server.
``gaps`` has the times at which no server of a group responded, by group, which is a list separated by commas. Times are
start and end in seconds since the start of the command.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

#: Seconds from one request to the next, less than any daemon takes to restart.
PAUSE = 0.05
#: Seconds to wait for a response. A daemon that is down rejects the connection at once, one on a busy machine is late.
TIMEOUT = 10

#: What a client of gRPC sends first: the preface of HTTP/2 and an empty SETTINGS frame (RFC 9113, sections 3.4, 6.5).
SETTINGS_TYPE = 4
FRAME_HEADER = 9  # bytes: three of the length, the type, the flags, four of the stream
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, SETTINGS_TYPE, 0, 0, 0, 0, 0])

Interval = tuple[float, float]


def responds(url: str) -> bool:
    """Return whether a server responds: with the status 200, or with a SETTINGS frame to a client of gRPC."""
    server = urllib.parse.urlsplit(url)
    address = str(server.hostname), int(server.port or 80)
    try:
        if server.scheme == "http":
            with contextlib.closing(http.client.HTTPConnection(*address, timeout=TIMEOUT)) as connection:
                connection.request("GET", server.path)
                return connection.getresponse().status == http.client.OK
        with socket.create_connection(address, timeout=TIMEOUT) as stream:
            stream.sendall(PREFACE)
            frame = stream.makefile("rb").read(FRAME_HEADER)
            return len(frame) == FRAME_HEADER and frame[3] == SETTINGS_TYPE
    except (OSError, http.client.HTTPException):
        return False


class Watch:
    """Requests a server again and again.

    :ivar outages: each is the longest possible one: from the start of the last request that the server responded to,
        until the end of the next one.
    """

    def __init__(self, url: str):
        self.url = url
        self.outages: list[Interval] = []
        self.requests = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        since = started = time.monotonic()
        is_down = False
        while True:
            is_last = self._ended.is_set()  # so the last request begins after the end of the command
            sent = time.monotonic()
            self.requests += 1
            if responds(self.url):
                if is_down:
                    self.outages.append((since - started, time.monotonic() - started))
                since, is_down = sent, False
            else:
                is_down = True
            if is_last:
                break
            self._ended.wait(PAUSE)
        if is_down:
            self.outages.append((since - started, time.monotonic() - started))


def common(first: list[Interval], second: list[Interval]) -> list[Interval]:
    """Return the times that are in both lists."""
    overlaps = [(max(a[0], b[0]), min(a[1], b[1])) for a in first for b in second]
    return [(start, end) for start, end in overlaps if start < end]


def main() -> None:
    separator = sys.argv.index("--")
    groups = {group: [Watch(url) for url in group.split(",")] for group in sys.argv[1:separator]}
    watches = [watch for group in groups.values() for watch in group]
    for watch in watches:
        watch.start()
    command = sys.argv[separator + 1 :]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    for watch in watches:
        watch.end()
    outages = {watch.url: watch.outages for watch in watches}
    gaps = {name: functools.reduce(common, [watch.outages for watch in group]) for name, group in groups.items()}
    requests = {watch.url: watch.requests for watch in watches}
    report = {"rc": done.returncode, "output": done.stdout, "outages": outages, "gaps": gaps, "requests": requests}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
