# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for waiting."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of WAIT in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the job has finished.
    type: bool
    default: true
  wait_timeout:
    description:
      - Maximum time to wait, in seconds or as a duration such as V(90s), V(30m) or V(1h30m), from 0s to 7d.
      - It is the time limit of the task, counted from its start. After it, the module sends no further request, so the
        task ends one O(timeout) later at the latest.
      - The manager itself stops watching a job. Dragonfly manager 2.4.0 or later does so after about 60 minutes,
        earlier ones after 80 minutes at most.
      - With O(wait=false), the time limit is three times O(timeout), plus one second for each job, if that is shorter.
    type: str
    default: 70m
  wait_sleep:
    description:
      - Polling interval, in seconds or as a duration such as V(1m), from 1s to 1h. Dragonfly manager 2.1.60 or later
        polls its own jobs at once and then every 30 to 300 seconds.
    type: str
    default: 5s
"""
