# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A way of a pull through a host, whichever runtime pulls.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.setting import Setting


class Route(t.NamedTuple):
    """Where a runtime sends the pulls of a registry.

    :ivar proxy: URL of the host of the first request, without a path.
    :ivar path: what comes before the repository, such as ``/v2``.
    :ivar query: such as ``ns=docker.io``; empty without one.
    :ivar headers: that it adds, names in lower case.
    :ivar file: that says so.
    :ivar header_files: those of the headers that stand in another file.
    :ivar others: URLs of the hosts that it tries if that one fails.
    :ivar byte_range: the part of each blob that it requests; empty for all of it.
    :ivar repository: in its requests; empty for that of the image reference.
    :ivar names_registry: whether the request can name the registry that is meant.
    """

    proxy: str
    path: str
    query: str
    headers: dict[str, str]
    file: str
    others: tuple[str, ...] = ()
    byte_range: Setting = Setting("")
    repository: str = ""
    names_registry: bool = True
    header_files: dict[str, str] = {}

    def blob_path(self, repository: str, digest: str) -> str:
        """Return the path of a blob, without a query.

        :param repository: as in the image reference.
        """
        return f"{self.path}/{self.repository or repository}/blobs/{digest}"
