# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of modules."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff
      mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no
      change.
"""

    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/dragonflyoss.dragonfly.dragonfly) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - dragonflyoss.dragonfly.dragonfly
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This action does not modify state.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
"""

    # A module that queries the schedulers by jobs.
    QUERY_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - Creates jobs of the type C(get_task) in the manager, also in check mode. They change no content.
  diff_mode:
    support: N/A
    details:
      - This action does not modify content.
  idempotent:
    support: full
    details:
      - This action does not modify content, but creates jobs again each time.
"""
