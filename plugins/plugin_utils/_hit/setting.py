# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value that decides about a pull, and where it comes from."""

from __future__ import annotations

import typing as t


class Setting(t.NamedTuple):
    """A value that a client uses, and where it comes from.

    :ivar value: usually text; empty if nothing sets it.
    :ivar file: path on the host.
    :ivar key: in the file, or the name of a header.
    """

    value: t.Any
    file: str = ""
    key: str = ""

    @property
    def where(self) -> tuple[str, str]:
        """File and key, as reasons name them."""
        return self.file, self.key
