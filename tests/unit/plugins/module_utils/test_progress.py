# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines go only to the given file, and never fail or delay the task."""

from __future__ import annotations

import os
import socket
import stat

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._progress import progress_problem, progress_to


def write(path, *lines):
    """Write lines like a task."""
    progress = progress_to(str(path))
    assert progress
    for line in lines:
        progress(line)


def test_without_a_file_there_is_nothing_to_write():
    assert progress_to(None) is None
    assert progress_to("") is None


def test_a_file_that_cannot_be_written_is_reported(tmp_path):
    assert progress_problem(None) is None
    assert progress_problem(str(tmp_path / "new")) is None
    assert "does not exist" in str(progress_problem(str(tmp_path / "no" / "file")))
    assert "is a directory" in str(progress_problem(str(tmp_path)))


def test_lines_are_appended(tmp_path):
    path = tmp_path / "progress"
    path.write_text("earlier\n", encoding="utf-8")
    write(path, "0 of 2 warm", "1 of 2 warm")
    assert path.read_text(encoding="utf-8") == "earlier\n0 of 2 warm\n1 of 2 warm\n"


@pytest.mark.parametrize("mask, mode", [(0o022, 0o644), (0o077, 0o600), (0, 0o644)])
def test_nobody_else_can_write_to_a_new_file(tmp_path, mask, mode):
    path = tmp_path / "progress"
    earlier = os.umask(mask)
    try:
        write(path, "a")
    finally:
        os.umask(earlier)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_mode_of_a_file_is_kept(tmp_path):
    path = tmp_path / "progress"
    path.touch(mode=0o600)
    write(path, "a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_not_followed(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("kept", encoding="utf-8")
    link.symlink_to(target)
    write(link, "a")
    assert target.read_text(encoding="utf-8") == "kept"
    missing = tmp_path / "missing"
    link.unlink()
    link.symlink_to(missing)
    write(link, "a")
    assert not missing.exists()


def test_a_file_with_a_second_name_is_left_alone(tmp_path):
    target, name = tmp_path / "target", tmp_path / "name"
    target.write_text("kept", encoding="utf-8")
    os.link(target, name)
    write(name, "a")
    assert target.read_text(encoding="utf-8") == "kept"


def test_a_folder_is_left_alone(tmp_path):
    write(tmp_path, "a")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_that_nobody_reads_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    write(tmp_path / "pipe", "a")


def test_a_pipe_that_is_read_slowly_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(tmp_path / "pipe", *["a" * 1000] * 200)
    finally:
        os.close(reader)


def test_a_socket_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        write("socket", "a")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_does_no_harm():
    write("/dev/full", "a", "b")


@pytest.mark.parametrize("path", ["/no/such/folder/file", "a\x00b", "x" * 5000])
def test_a_path_that_cannot_be_opened_does_no_harm(path):
    write(path, "a")


def test_a_file_that_is_removed_is_written_anew(tmp_path):
    path = tmp_path / "progress"
    progress = progress_to(str(path))
    assert progress
    progress("a")
    path.unlink()
    progress("b")
    assert path.read_text(encoding="utf-8") == "b\n"


def test_no_line_moves_the_cursor(tmp_path):
    path = tmp_path / "progress"
    write(path, "a\x1b[2J\rb\x9bc\u202ed\ud800")
    assert path.read_text(encoding="utf-8") == "a\\x1b[2J\\rb\\x9bc\\u202ed\\ud800\n"
