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
      - Seconds to wait in all. A manager gives a job up after at most 4800 seconds.
    type: int
    default: 4200
  wait_sleep:
    description:
      - Seconds between two looks. A manager itself looks only every 30 to 300 seconds from 2.1.60 on.
    type: int
    default: 5
"""
