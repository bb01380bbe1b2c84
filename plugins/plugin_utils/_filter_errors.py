# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Report the errors of filters as Ansible does."""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._errors import InputError


def as_filter(function: t.Callable[..., t.Any], name: str = "", *errors: type[Exception]) -> t.Callable[..., t.Any]:
    """Return a function as a filter, whose errors show the user what is wrong with the input.

    :param name: of the filter, which begins its messages; empty if they begin with the name of a variable.
    :param errors: that wrong input causes, besides ``InputError``.
    """
    caught: tuple[type[Exception], ...] = (InputError, *errors)

    @functools.wraps(function)
    def call(*values: t.Any, **options: t.Any) -> t.Any:
        try:
            return function(*values, **options)
        except caught as error:
            raise AnsibleFilterError(f"{name}: {error}" if name else str(error)) from error

    return call
