# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a registry served of the blobs of a repository, out of its access log.

    python3 tests/hosts/served.py .cache/hosts/log/1/registry-5000.log shop/web

It prints a JSON object: address of a client, digest of a blob, list of the bytes in each response.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable

#: A line of docker-registry, in the combined log format. The log has no request headers: a request with the range
#: bytes=0-0 is a response with status 206 and one byte.
RESPONSE = re.compile(
    r'(?P<client>\S+) .*?"GET /v2/(?P<repository>\S+)/blobs/(?P<digest>sha256:[0-9a-f]{64})(?:\?\S*)? HTTP/[0-9.]+"'
    r" (?P<status>[0-9]{3}) (?P<size>[0-9]+) "
)


def blobs(lines: Iterable[str], repository: str) -> dict[str, dict[str, list[int]]]:
    """Return the bytes of each response that had content of a blob, by client and digest.

    :param lines: of the access log
    :param repository: such as ``shop/web``
    """
    served: dict[str, dict[str, list[int]]] = {}
    for line in lines:
        response = RESPONSE.match(line)
        if response and response["repository"] == repository and response["status"] in ("200", "206"):
            sizes = served.setdefault(response["client"], {}).setdefault(response["digest"], [])
            sizes.append(int(response["size"]))
    return served


if __name__ == "__main__":
    with open(sys.argv[1]) as log:
        print(json.dumps(blobs(log, sys.argv[2]), indent=2))
