# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines for those who watch.

PRIVATE to the collection.
"""

from __future__ import annotations


def progress_to(path):
    """A function that appends a line to a file; what becomes of the file is of no concern to the task.

    :param path: str, None for a function that does nothing.
    """

    def write(line):
        try:
            with open(path, "a", encoding="utf-8") as handle:
                handle.write(line + "\n")
        except OSError:
            pass

    return write if path else None
