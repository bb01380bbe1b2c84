# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write progress lines."""

from __future__ import annotations

import os
import typing as t

from ._redact import printable

# A symbolic or hard link may lead to a file of another user, and opening a pipe without a reader blocks forever.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
_MODE = 0o644


def progress_problem(path: str | None) -> str | None:
    """Return why progress lines cannot be written to a file, or None."""
    if not path:
        return None
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        reason = f"the directory {folder} does not exist"
    elif os.path.isdir(path):
        reason = "it is a directory"
    elif not os.access(path if os.path.exists(path) else folder, os.W_OK):
        reason = "permission denied"
    else:
        return None
    return f"progress_file: {path} cannot be written, so no progress is reported there: {reason}."


def progress_to(path: str | None) -> t.Callable[[str], None] | None:
    """Return a function that appends a line to a file, or None without a file.

    Errors of writing do not affect the task.
    """
    if not path:
        return None
    # As bytes, because a path may not be encodable in the locale C.
    file = path.encode("utf-8", "surrogateescape")

    def write(line: str) -> None:
        try:
            descriptor = os.open(file, _FLAGS, _MODE)
            try:
                if os.fstat(descriptor).st_nlink <= 1:
                    os.write(descriptor, f"{printable(line)}\n".encode())
            finally:
                os.close(descriptor)
        except (OSError, ValueError):
            pass

    return write
