# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Dragonfly manager and an OCI registry for tests and the demo, held to the recordings in tests/contract."""

from __future__ import annotations

from .clock import Clock, ManualClock
from .newer import NEWER
from .profiles import RELEASES
from .sandbox import Sandbox

__all__ = ["NEWER", "RELEASES", "Clock", "ManualClock", "Sandbox"]
