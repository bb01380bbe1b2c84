# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows on the controller how far the module dragonflyoss.dragonfly.preheat is, while it runs there."""

from __future__ import annotations

import os
import tempfile
import threading

from ansible import constants as C
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

_display = Display()
_SECONDS = 0.5


class ActionModule(NormalAction):
    """The action that every module has, with the lines of ``progress_file`` on stderr beside it."""

    def run(self, tmp=None, task_vars=None):
        """Runs the module and returns its result (dict)."""
        if self._connection.transport != "local" or self._task.async_val:
            return super().run(tmp, task_vars)
        args = self._task.args
        own = None
        path = args.get("progress_file")
        if not path:
            handle, own = tempfile.mkstemp(prefix="dragonfly-progress-", dir=C.DEFAULT_LOCAL_TMP)
            os.close(handle)
            path = own
            self._task.args = dict(args, progress_file=own)
        done = threading.Event()
        reader = threading.Thread(target=_follow, args=(path, done), daemon=True)
        reader.start()
        try:
            return super().run(tmp, task_vars)
        finally:
            done.set()
            reader.join(2 * _SECONDS)
            self._task.args = args
            if own:
                os.unlink(own)


def _follow(path, done):
    """Shows the lines that are appended to a file until it is told that no more come. A file that is missing, not made
    yet or lost, has none."""
    try:
        size = os.path.getsize(path)
    except OSError:
        size = 0
    rest = ""
    while True:
        last = done.wait(_SECONDS)
        try:
            with open(path, encoding="utf-8", errors="replace") as handle:
                handle.seek(size)
                new = handle.read()
                size = handle.tell()
        except OSError:
            new = ""
        lines = (rest + new).split("\n")
        rest = lines.pop()
        for line in lines:
            _display.display("dragonfly: " + line, stderr=True)
        if last:
            return
