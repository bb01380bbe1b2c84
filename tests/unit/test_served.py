# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The access log of a registry, as the host scenarios read it."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.tests.hosts import served

DIGEST = "sha256:" + "a" * 64
AGENT = '"" "containers/5.24.2"'
DATE = "10.77.0.13 - - [29/Nov/2026:11:06:52 +0000]"


@pytest.mark.parametrize(
    ("request_line", "result", "sizes"),
    [
        (f"GET /v2/shop/web/blobs/{DIGEST} HTTP/1.1", "206 1", [1]),
        (f"GET /v2/shop/web/blobs/{DIGEST}?ns=registry.test HTTP/1.1", "200 300123", [300123]),
        (f"GET /v2/shop/web/blobs/{DIGEST} HTTP/1.1", "401 157", None),
        (f"GET /v2/shop/web/blobs/{DIGEST} HTTP/1.1", "404 157", None),
        (f"HEAD /v2/shop/web/blobs/{DIGEST} HTTP/1.1", "200 0", None),
        (f"GET /v2/shop/web/manifests/{DIGEST} HTTP/1.1", "200 747", None),
        (f"GET /v2/team/shop/web/blobs/{DIGEST} HTTP/1.1", "200 300123", None),
        (f"GET /v2/shop/website/blobs/{DIGEST} HTTP/1.1", "200 300123", None),
        (f"PUT /v2/shop/web/blobs/uploads/1?digest={DIGEST} HTTP/1.1", "201 0", None),
    ],
)
def test_which_responses_count(request_line: str, result: str, sizes: list[int] | None) -> None:
    expected = {"10.77.0.13": {DIGEST: sizes}} if sizes else {}
    assert served.blobs([f'{DATE} "{request_line}" {result} {AGENT}\n'], "shop/web") == expected


def test_responses_are_kept_apart_by_host_and_in_order() -> None:
    other = DATE.replace("10.77.0.13", "10.77.0.12")
    request_line = f'"GET /v2/shop/web/blobs/{DIGEST} HTTP/1.1"'
    lines = [f"{DATE} {request_line} 206 1 {AGENT}", f"{other} {request_line} 200 5 {AGENT}", "time=now level=info"]
    lines += [f"{DATE} {request_line} 206 5 {AGENT}"]
    assert served.blobs(lines, "shop/web") == {"10.77.0.13": {DIGEST: [1, 5]}, "10.77.0.12": {DIGEST: [5]}}
