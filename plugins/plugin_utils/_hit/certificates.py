# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates and keys that a hosts.toml or a config.toml names: whether containerd can load them.

Source: containerd v1.5.18 to v2.3.4, remotes/docker/config/hosts.go (ConfigureHosts), and v1.7.20
pkg/cri/sbserver/image_pull.go (getTLSConfig): a file that cannot be loaded, of any host, fails every pull of the
registry, without a fallback.
"""

from __future__ import annotations

import posixpath
import typing as t

from ...module_utils._certificate_facts import absolute_path
from .files import string_list
from .reasons import Reason, reason

#: What the files of a table ``tls`` must hold; in a ca_file, other content is skipped.
_TLS_KINDS: dict[str, tuple[str, ...]] = {"cert_file": ("certificate",), "key_file": ("key",), "ca_file": ()}
_TLS_PARTNERS = {"cert_file": "key_file", "key_file": "cert_file"}


class CertificateFile(t.NamedTuple):
    """A file that a configuration names.

    :ivar key: that names it.
    :ivar path: absolute.
    :ivar kinds: what it must hold: ``certificate``, ``key``, both, or nothing of these.
    """

    key: str
    path: str
    kinds: tuple[str, ...]


def unusable_certificate(file: dict[str, t.Any], tables: t.Iterable[tuple[str, dict[str, t.Any]]]) -> Reason | None:
    """Return why containerd cannot load a certificate or a key, None if it can load all of them.

    :param file: the hosts.toml, as the module reports it, with ``certificates``.
    :param tables: URL and table of each host; the URL of the table at the top is empty.
    """
    loaded = file.get("certificates") or {}
    for wanted in _certificate_files(posixpath.dirname(file["path"]), tables):
        error = _error(loaded.get(wanted.path), wanted.kinds)
        if error:
            return reason("certificate_unusable", file["path"], wanted.key, path=wanted.path, error=error)
    return None


def unusable_tls(file: str, key: str, tls: dict[str, t.Any], loaded: dict[str, t.Any]) -> Reason | None:
    """Return why containerd cannot load what a table ``tls`` of its config.toml names, None if it can.

    :param file: that has the table.
    :param key: of the table.
    :param tls: its values.
    :param loaded: facts of certificates and keys, by path.
    """
    named = {name: tls[name] for name in _TLS_KINDS if tls.get(name)}
    for name, path in named.items():
        partner = _TLS_PARTNERS.get(name, name)
        if partner not in named:
            error = f"{partner} is missing, which {name} requires"
            return reason("certificate_unusable", file, f"{key}.{name}", path=path, error=error)
        absolute = absolute_path("/", path)
        error = _error(loaded.get(absolute), _TLS_KINDS[name])
        if error:
            return reason("certificate_unusable", file, f"{key}.{name}", path=absolute, error=error)
    return None


def _error(loaded: dict[str, t.Any] | None, kinds: tuple[str, ...]) -> str:
    """Return why a file cannot be loaded, empty if it can."""
    if loaded is None:
        return "it is unknown whether the file exists"
    if loaded["error"]:
        return str(loaded["error"])
    missing = [kind for kind in kinds if kind not in loaded["holds"]]
    return f"it contains no {missing[0]} in PEM format that containerd can load" if missing else ""


def _certificate_files(directory: str, tables: t.Iterable[tuple[str, dict[str, t.Any]]]) -> t.Iterator[CertificateFile]:
    for url, table in tables:
        prefix = f'host."{url}".' if url else ""
        for path in string_list(table.get("ca", [])):
            yield CertificateFile(f"{prefix}ca", absolute_path(directory, path), ("certificate",))
        client = table.get("client", [])
        for item in client if isinstance(client, list) else [client]:
            yield from _client_files(f"{prefix}client", directory, item)


def _client_files(key: str, directory: str, item: str | list[str]) -> t.Iterator[CertificateFile]:
    """Return the files of a client: one with certificate and key, or a pair."""
    if isinstance(item, str):
        yield CertificateFile(key, absolute_path(directory, item), ("certificate", "key"))
    else:
        yield CertificateFile(key, absolute_path(directory, item[0]), ("certificate",))
        yield CertificateFile(key, absolute_path(directory, item[1]), ("key",))
