# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook preheat hands on every option of the module."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.dragonflyoss.dragonfly.tests.tools.sources import documented

CHECKOUT = Path(__file__).resolve().parents[3]


def test_each_option_is_a_variable():
    [play] = yaml.safe_load((CHECKOUT / "playbooks/preheat.yml").read_text(encoding="utf-8"))
    module = documented(CHECKOUT / "plugins/modules/preheat.py")
    options = set(module["options"])
    for fragment in module["extends_documentation_fragment"]:
        name, _dot, variant = fragment.split(".", 2)[2].partition(".")
        options |= set(
            documented(CHECKOUT / f"plugins/doc_fragments/{name}.py", variant.upper() or "DOCUMENTATION").get(
                "options", ()
            )
        )

    # The action plugin's, and those that this module ignores.
    options -= {"progress_file", "jwt", "username", "password"}
    passed_on = play["tasks"][0]["dragonflyoss.dragonfly.preheat"]
    assert passed_on == {name: f"{{{{ {name} | default(omit) }}}}" for name in options}
