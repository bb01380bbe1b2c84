# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines for those who watch a task.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t


def progress_to(path: str | None) -> t.Callable[[str], None] | None:
    """Return a function that appends a line to a file, None without a file.

    That a line cannot be written is no concern of the task.
    """
    if not path:
        return None
    file = path

    def write(line: str) -> None:
        try:
            with open(file, "a", encoding="utf-8") as progress:
                progress.write(line + "\n")
        except OSError:
            pass

    return write
