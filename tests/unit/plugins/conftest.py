# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of all tests with generated examples."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# On a busy machine, the duration of an example means nothing. The examples are the same in each run, so a failure is
# due to the change.
settings.register_profile(
    "unit", deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")
