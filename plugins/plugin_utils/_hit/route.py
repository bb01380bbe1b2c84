# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route of a pull, independent of the runtime."""

from __future__ import annotations

import typing as t

from .setting import Setting


class Route(t.NamedTuple):
    """The destination of a runtime's pulls of a registry.

    :ivar proxy: URL of the host of the first request, without a path.
    :ivar path: path before the repository, such as ``/v2``.
    :ivar query: such as ``ns=docker.io``; empty without one.
    :ivar headers: headers that the runtime adds, names in lower case.
    :ivar file: file that defines the route.
    :ivar header_files: files of headers that another file defines.
    :ivar others: URLs of further hosts that it tries.
    :ivar byte_range: requested part of each blob; empty for complete blobs.
    :ivar repository: repository in its requests; empty for that in the image reference.
    :ivar names_registry: whether the request can name the registry.
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
