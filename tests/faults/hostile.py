# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invalid responses of a manager or registry: valid ones of the sandbox with changes."""

from __future__ import annotations

import copy
import json
import logging
import re
import typing as t

from hypothesis import strategies as st

#: Text that shows whether it was evaluated.
TEMPLATE = "{{ lookup('ansible.builtin.pipe', 'touch ' ~ lookup('ansible.builtin.env', 'HOSTILE_MARK')) }}"
#: Placeholders for what json.dumps does not write.
_RAW = {"@deep@": "[" * 20000 + "]" * 20000, "@deep-open@": '{"a":' * 20000, "@long-number@": "9" * 6000}
_RAW_WORD = re.compile(f'"({"|".join(_RAW)})"')

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            TEMPLATE,
            "{{ 7 * 7 }}",
            "{% raw %}",
            "",
            "0001-01-01T00:00:00Z",
            "2026-13-45T25:61:61Z",
            "9999-12-31T23:59:59Z",
            "99999-01-01T00:00:00Z",
            "-1",
            "\ud800",
            "\x00",
            "\u202eevil",
            "x" * 100000,
            "sha256:" + "0" * 64,
            "sha256:zz",
            "http://[::1",
            "http://user:secret@host/%zz",
            "//",
            "linux/amd64",
            "PENDING",
            "SUCCESS",
            "FAILURE",
            "[]",
            "null",
            0,
            -1,
            2**31,
            2**63,
            -(2**64),
            10**400,
            1e308,
            float("nan"),
            float("inf"),
            *_RAW,
        ]
    ),
)
VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


class Change(t.NamedTuple):
    """A position in a document and a change there.

    :ivar steps: numbers that select a key or an index each, from the top, modulo their number.
    """

    steps: list[int]
    action: str
    value: t.Any

    def apply(self, document: t.Any) -> t.Any:
        """Return the document with this change, which may be the same object."""
        parent: t.Any = None
        key: t.Any = None
        node = document
        for step in self.steps:
            if not isinstance(node, (dict, list)) or not node:
                break
            parent, key = node, sorted(node)[step % len(node)] if isinstance(node, dict) else step % len(node)
            node = parent[key]
        value = copy.deepcopy(self.value)
        if parent is None:
            return value
        if self.action == "delete":
            del parent[key]
        elif self.action == "wrap":
            parent[key] = [node]
        elif self.action == "double" and isinstance(parent, list):
            parent.append(copy.deepcopy(node))
        else:
            parent[key] = value
        return document


CHANGES = st.builds(
    Change,
    st.lists(st.integers(0, 40), max_size=7),
    st.sampled_from(["replace", "replace", "replace", "delete", "wrap", "double"]),
    VALUES,
)
_PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Date",
            "Link",
            "Content-Type",
            "X-Server-IP",
            "Location",
            "WWW-Authenticate",
            "Set-Cookie",
            "Docker-Content-Digest",
        ]
    ),
    st.one_of(
        _PRINTABLE,
        st.sampled_from(
            [
                "text/html",
                "application/json",
                "<http://x/?page=99999999999>;rel=last",
                '<?page=0>; rel="last"',
                'Bearer realm="http://[", service="x"',
                'Bearer realm="file:///etc/passwd"',
                "Basic",
                "Fri, 31 Dec 9999 23:59:59 GMT",
                "Mon, 01 Jan 0001 00:00:00 GMT",
                "http://[",
                "//",
                "sha256:x",
            ]
        ),
    ),
    max_size=2,
)


class Spoil(t.NamedTuple):
    """The change of a response."""

    changes: list[Change]
    headers: dict[str, str]
    status: int | None

    def apply(self, reply) -> None:
        """Spoil a ``sandbox.server.Reply``."""
        try:
            document = json.loads(reply.body)
        except ValueError:
            document = None
        for change in self.changes:
            document = change.apply(document)
        if self.changes:
            text = json.dumps(document)
            reply.body = _RAW_WORD.sub(lambda match: _RAW[match[1]], text).encode()
        reply.headers.update(self.headers)
        reply.status = self.status or reply.status


SPOILS = st.builds(
    Spoil,
    st.lists(CHANGES, max_size=3),
    _HEADERS,
    st.sampled_from([None] * 8 + [200, 201, 204, 401, 403, 404, 429, 500]),
)


class TooManyRequests(Exception):
    """The client sends requests without end."""


class Spoiler:
    """Sits between the handlers of a sandbox's servers and the network.

    :ivar answers: dict of the number of a response, from 0, to its ``Spoil``.
    :ivar always: ``Spoil`` for every response, or None.
    """

    def __init__(self, box):
        self.answers = {}
        self.always = None
        self.count = 0
        # The sandbox's manager trusts the registry. If it cannot read the response, it responds with 500.
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
        for server in box.servers.values():
            server._handler = self._wrap(server._handler)  # pylint: disable=protected-access

    def _wrap(self, handler):
        async def spoiled(request, body):
            reply = await handler(request, body)
            spoil = self.always or self.answers.get(self.count)
            self.count += 1
            if spoil:
                spoil.apply(reply)
            return reply

        return spoiled

    def begin(self, answers: dict[int, Spoil], always: t.Any) -> None:
        self.answers, self.always, self.count = answers, always, 0
