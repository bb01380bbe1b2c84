# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a scenario failed, out of the output of Molecule."""

from __future__ import annotations

import re

LONGEST = 3000  # characters

_FAILED_HOST = re.compile(r"^(?:fatal|failed): \[", re.MULTILINE)


def failed_task(output: str) -> str:
    """Return the last failed task, from its title to its last message, or the last lines if no task failed.

    Tasks of blocks ``rescue`` and ``always``, and the collection of logs, may follow it.
    """
    playbook = output.partition("Ansible return code was")[0]
    failures = list(_FAILED_HOST.finditer(playbook))
    if not failures:
        return output.strip()[-LONGEST:]
    start = playbook.rfind("TASK [", 0, failures[-1].start())
    return re.split(r"\n\n(?=TASK |PLAY )", playbook[max(start, 0) :])[0].strip()[-LONGEST:]
