# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile servers cost no time, memory or credentials. The long form tries all of them."""

from __future__ import annotations

import re

from ansible_collections.dragonflyoss.dragonfly.tests.faults.borders import DOCUMENT, HEADING
from ansible_collections.dragonflyoss.dragonfly.tests.faults.hostile_servers import (
    COLUMNS,
    figures,
    run_all,
    servers,
)

#: One of each kind.
SHORT = {
    "headers drip",
    "chunks drip",
    "endless rows",
    "slow pages for ever",
    "gzip bomb",
    "large jobs",
    "500 with 1 MiB of ://",
    "500 with sequences of a terminal",
    "redirect to another host",
    "TLS handshake drips",
    "TLS 1.3: endless tickets",
}
SHORT_COLUMNS = {"list", "create", "polls", "inventory", "token", "probe"}


def test_hostile_servers(long, capsys):
    columns = [column for column in COLUMNS if long or column.title in SHORT_COLUMNS]
    endings, leaked = run_all(None if long else SHORT, columns=columns)
    with capsys.disabled():
        print("", *figures(endings, leaked), sep="\n")
    assert [ending for ending in endings if ending.broken] == []
    assert leaked == []


def test_there_are_enough():
    assert len(servers("")) >= 40
    assert len(COLUMNS) >= 8
    assert SHORT <= set(servers(""))
    assert SHORT_COLUMNS < {column.title for column in COLUMNS}


def test_the_document_is_about_these_servers_and_requests():
    text = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)[0]
    rows = re.findall(r"(?m)^\| (.+?) \|", text)
    assert rows[2:] == list(servers("")), "make security-tests"
    assert f"| server | {' | '.join(column.title for column in COLUMNS)} |" in text, "make security-tests"
    assert "Tasks that take longer than they may: 0" in text
