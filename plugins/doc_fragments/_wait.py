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
      - The time starts with the task. When it is over, the module sends no further request, so the task ends at most
        one O(timeout) later.
      - A longer time than that for which the manager watches a job has no effect. Dragonfly manager 2.4.0 or later
        stops after about 60 minutes, earlier ones after 80 minutes at most.
      - With O(wait=false), the task ends after three times O(timeout), plus one second for each job, if that is
        shorter.
    type: str
    default: 70m
  wait_sleep:
    description:
      - Polling interval, in seconds or as a duration such as V(1m), from 1s to 1h. Dragonfly manager 2.1.60 or later
        polls its own jobs at once and then every 30 to 300 seconds.
    type: str
    default: 5s
"""
