# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the progress of the module dragonflyoss.dragonfly.preheat while it runs on the controller."""

from __future__ import annotations

import os
import tempfile
import threading
import typing as t

from ansible import constants as C
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import printable

_display = Display()
_SECONDS_BETWEEN = 0.5
# Limits the new lines that are shown at a time.
_MOST_BYTES = 64 * 1024


class ActionModule(NormalAction):
    """Runs the module as the normal action does, and shows the lines of ``progress_file`` on stderr."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module and return its result."""
        if self._connection.transport != "local" or self._task.async_val:
            return super().run(tmp, task_vars)
        args = self._task.args
        temporary_file = None
        path = args.get("progress_file")
        if not path:
            handle, temporary_file = tempfile.mkstemp(prefix="dragonfly-progress-", dir=C.DEFAULT_LOCAL_TMP)
            os.close(handle)
            path = temporary_file
            self._task.args = dict(args, progress_file=temporary_file)
        ended = threading.Event()
        follower = threading.Thread(target=_follow, args=(path, ended), daemon=True)
        follower.start()
        try:
            return super().run(tmp, task_vars)
        finally:
            ended.set()
            follower.join(2 * _SECONDS_BETWEEN)
            self._task.args = args
            if temporary_file:
                os.unlink(temporary_file)


def _follow(path: str, ended: threading.Event) -> None:
    """Show the lines that are appended to a file until the module has ended."""
    position = _size(path)
    incomplete = ""
    while True:
        is_last = ended.wait(_SECONDS_BETWEEN)
        text, position = _read_from(path, position)
        lines = (incomplete + text).split("\n")
        incomplete = lines.pop()
        for line in lines:
            _display.display(f"dragonfly: {printable(line)}", stderr=True)
        if is_last:
            return


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _read_from(path: str, position: int) -> tuple[str, int]:
    """Return the text from a position on, and its end.

    A file that is missing, created later, lost or not a regular one is empty.
    """
    if not os.path.isfile(path):
        return "", position
    try:
        with open(path, "rb") as progress:
            progress.seek(position)
            text = progress.read(_MOST_BYTES)
    except OSError:
        return "", position
    return text.decode("utf-8", "replace"), position + len(text)
