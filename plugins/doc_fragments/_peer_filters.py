# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that filter peers."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of PEER_FILTERS in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - Return only entries with this host name.
    type: str
  ip:
    description:
      - Return only entries with this IP address.
    type: str
  idc:
    description:
      - Return only entries in this data center.
    type: str
  location:
    description:
      - Return only entries at this location.
    type: str
  states:
    description:
      - Return only entries in these states.
    type: list
    elements: str
    choices: [active, inactive]
    aliases: [state]
seealso:
  - module: dragonflyoss.dragonfly.login
  - module: dragonflyoss.dragonfly.manager_info
"""
