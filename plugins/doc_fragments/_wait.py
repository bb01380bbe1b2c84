# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of WAIT in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the job is done.
    type: bool
    default: true
  wait_timeout:
    description:
      - Maximum time to wait, in seconds or as a duration such as V(90s), V(30m) or V(1h30m).
      - A manager gives up a job after at most 80 minutes.
      - It is the time of the whole task, which then sends nothing more and ends with the request under way, after
        another O(timeout) at most.
      - With O(wait=false), the task has three times O(timeout) and one second for each job if that is less.
    type: str
    default: 70m
  wait_sleep:
    description:
      - Polling interval, in seconds or as a duration such as V(1m). A manager of 2.1.60 or later itself polls its jobs
        only every 30 to 300 seconds.
    type: str
    default: 5s
"""
