# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make ``ansible_collections.dragonflyoss.dragonfly`` importable for plain pytest, from a checkout in any directory.

Ansible requires a collection in a directory ``ansible_collections/dragonflyoss/dragonfly``. If the checkout is not,
the git-ignored ``.cache`` contains a link to it. ``ansible-test units`` has its own import system, so only the
environment of subprocesses is prepared there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


def collections_root() -> Path:
    """Return the directory that contains ``ansible_collections`` with this checkout."""
    if CHECKOUT.parts[-3:] == ("ansible_collections", "dragonflyoss", "dragonfly"):
        return CHECKOUT.parents[2]
    root = CHECKOUT / ".cache" / "collections"
    link = root / "ansible_collections" / "dragonflyoss" / "dragonfly"
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(os.path.relpath(CHECKOUT, link.parent), target_is_directory=True)
    except FileExistsError:
        pass
    return root


ROOT = str(collections_root())
# For the modules and playbooks that tests run as processes of their own.
os.environ["ANSIBLE_COLLECTIONS_PATH"] = ROOT
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))
if not any(type(finder).__name__ == "_AnsibleCollectionFinder" for finder in sys.meta_path):
    sys.path.insert(0, ROOT)
