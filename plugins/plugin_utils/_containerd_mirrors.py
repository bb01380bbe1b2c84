# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive mirrors, pulls and headers of containerd from registries and images."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from ..module_utils._errors import InputError
from ..module_utils._image import check_registry_url, default_base, parse_image
from ..module_utils._option_checks import RANGES
from ..module_utils._passwords import plain_password
from ..module_utils._redact import redact_url
from ..module_utils._registry_config import REGISTRY_KEYS, check_login, unknown_keys
from ._config.messages import Problem, problem
from ._config.values import is_port_text, parse_bytes

_REGISTRY_NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?\Z")
#: Headers by the input of a task ID that they carry.
_ID_HEADERS = {
    "tag": "X-Dragonfly-Tag",
    "application": "X-Dragonfly-Application",
    "piece_length": "X-Dragonfly-Piece-Length",
}
# containerd and the other runtimes connect with https unless the URL starts with http.
_PROXY_URL = re.compile(r"http://(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})/?\Z")
#: Default ports of the proxies in the roles of the clients.
PROXY_PORTS = {"dfget": 65001, "dfdaemon": 4001}
_HEADERS_VARIABLE = "containerd_mirrors_headers"


class Mirror(t.NamedTuple):
    """A registry from which containerd pulls through a client.

    :ivar registry: name as in image references, such as ``docker.io``.
    :ivar url: base URL, without a trailing slash; a path in it is a repository prefix.
    :ivar server: URL that containerd uses if the client does not respond.
    :ivar origin: scheme, host and port of the base URL, from which the client fetches.
    :ivar prefix: path of the base URL after ``/v2``, or empty.
    """

    registry: str
    url: str
    server: str
    origin: str
    prefix: str


def mirrors(registries: dict[str, t.Any]) -> list[Mirror]:
    """Return the mirrors of registries in order.

    :param registries: as the module preheat takes them: registry name to base URL, or to a dict with ``url`` and
        credentials.
    :raises InputError: if a name or an entry cannot be read.
    """
    read = []
    for registry, entry in registries.items():
        if not _REGISTRY_NAME.match(str(registry)):
            raise InputError(
                f"{registry!r} is not a valid registry: write it as in image references, such as docker.io or "
                "registry:5000."
            )
        url = _base_url(registry, entry)
        prefix = urlsplit(url).path.strip("/")
        origin = url[: -len(prefix) - 1] if prefix else url
        server = f"{origin}/v2/{prefix}" if prefix else url
        read.append(Mirror(registry, url, server, origin, prefix))
    return read


def _base_url(registry: str, entry: t.Any) -> str:
    """Return the base URL of an entry.

    :raises InputError: if it cannot be read.
    """
    entry = {"url": entry} if isinstance(entry, str) else entry
    expected = f"The entry of the registry {registry} must be a URL, or a mapping of {', '.join(REGISTRY_KEYS)}."
    if not isinstance(entry, dict):
        raise InputError(expected)
    unknown = sorted(str(key) for key in set(entry) - set(REGISTRY_KEYS))
    if unknown:
        raise InputError(f"{expected} {unknown_keys(unknown)}")
    check_login(registry, entry.get("username"), entry.get("password"))
    url = entry.get("url", "")
    if not isinstance(url, str):
        raise InputError(expected)
    return check_registry_url(registry, url or default_base(registry))


def proxy_problems(proxy: str, client: str, variable: str) -> list[Problem]:
    """Return the problems of a proxy's URL that make pulls miss.

    :param proxy: URL set by the user, empty for the default.
    :param client: ``dfget``, ``dfdaemon`` or ``none``.
    :param variable: variable that contains the URL.
    """
    match = _PROXY_URL.match(proxy)
    if not proxy or (match and is_port_text(match.group("port"))):
        return []
    return [
        problem("proxy_url", variable, proxy=redact_url(proxy), port=PROXY_PORTS.get(client, PROXY_PORTS["dfdaemon"]))
    ]


def image_registries(images: t.Iterable[str]) -> dict[str, str]:
    """Return the registries of images, each with the default base URL of a preheat.

    :param images: references, in the format of the module preheat.
    :raises InputError: if an image reference is not valid.
    """
    parsed = [parse_image(image) for image in images]
    return {image.registry: image.base for image in parsed}


class Pull(t.NamedTuple):
    """A pull of an image.

    :ivar image: the image as written by the user.
    :ivar registry: name of its registry.
    :ivar reference: complete reference, as ctr requires.
    :ivar login: ``USERNAME:PASSWORD`` for the registry, empty without one. A secret.
    """

    image: str
    registry: str
    reference: str
    login: str


def pulls(
    images: t.Iterable[str], registries: dict[str, t.Any], username: str | None = None, password: str | None = None
) -> list[Pull]:
    """Return the pulls of preheated images.

    :param images: references, as the module preheat takes them.
    :param registries: registries with a mirror, in the format of the module preheat.
    :param username: default for registries.
    :param password: default for registries.
    :raises InputError: if an image reference is not valid.
    """
    # A mirror with a prefix changes where an image comes from, not what it is called: hence bases without one.
    bases = {registry: f"https://{registry}" for registry in registries}
    planned = []
    for text in images:
        image = parse_image(text, bases)
        separator = "@" if image.digest else ":"
        reference = f"{image.registry}/{image.name}{separator}{image.reference}"
        login = _login(image.registry, registries.get(image.registry), username, password)
        planned.append(Pull(text, image.registry, reference, login))
    return planned


def _login(registry: str, entry: t.Any, username: str | None, password: str | None) -> str:
    """Return ``USERNAME:PASSWORD`` for a registry, empty without one. Those of its entry take precedence."""
    own = entry if isinstance(entry, dict) else {}
    if own.get("username"):
        username, password = own["username"], own.get("password")
    password = plain_password(f"The password of {registry}", username, password)
    return f"{username}:{password}" if username and password else ""


def header_problems(
    headers: dict[str, t.Any],
    client: str,
    tag: str = "",
    application: str = "",
    piece_length: int | None = None,
    blob_digest_ids: bool = False,
) -> list[Problem]:
    """Return the problems of mirror headers that make pulls miss the content of a preheat with these options.

    :param headers: headers that containerd sends to the client, besides X-Dragonfly-Registry.
    :param client: ``dfget``, ``dfdaemon``, or ``none`` if unknown.
    :param blob_digest_ids: whether the preheat requests task IDs that are digests of blobs.
    """
    sent = {str(name).lower(): str(value) for name, value in headers.items()}
    preheat = {"tag": tag, "application": application, "piece_length": str(piece_length or "")}
    problems = [problem("registry_header", _HEADERS_VARIABLE)] if "x-dragonfly-registry" in sent else []
    problems += _id_problems(sent, client, preheat) + _filter_problems(sent, client)
    return problems if client == "dfget" else problems + _fixed_id_problems(sent, blob_digest_ids)


def _id_problems(sent: dict[str, str], client: str, preheat: dict[str, str]) -> list[Problem]:
    """Return the headers that result in another task ID than the options of the preheat."""
    problems = []
    for what, header in _ID_HEADERS.items():
        value = sent.get(header.lower())
        # Without the header, the Go client uses its defaultTag and defaultApplication, which its role compares.
        is_read = client == "dfdaemon" or value is not None
        if what == "piece_length":
            value, is_read = _bytes_of_header(value), client == "dfdaemon"
        host = value or ""
        if is_read and host != preheat[what]:
            values = {"what": f"the {what}", "host": host, "preheat": preheat[what]}
            problems.append(problem("tag_mismatch", f"{_HEADERS_VARIABLE}.{header}", **values))
    return problems


def _bytes_of_header(value: str | None) -> str | None:
    """Return a piece length as dfdaemon reads it, such as 4mib: bytes as text; None if it ignores the value."""
    size = parse_bytes(value, "dfdaemon")
    return None if size is None else str(size)


def _filter_problems(sent: dict[str, str], client: str) -> list[Problem]:
    """Return the headers that leave ns in the URL.

    Source: dragonfly v2.1.67 pkg/net/http (PickHeader: an empty header counts as none), client v1.5.1
    dragonfly-client/src/proxy/header.rs (get_filtered_query_params: names are trimmed from 0.1.117 on).
    """
    go_names = (sent.get("x-dragonfly-filter") or "ns").split("&")
    rust_names = [name.strip() for name in sent.get("x-dragonfly-filtered-query-params", "ns").split(",")]
    problems = []
    if client != "dfdaemon" and "ns" not in go_names:
        where = f"{_HEADERS_VARIABLE}.X-Dragonfly-Filter"
        problems.append(problem("filter_without_ns", where, example="the separator is &"))
    if client != "dfget" and "ns" not in rust_names:
        where = f"{_HEADERS_VARIABLE}.X-Dragonfly-Filtered-Query-Params"
        problems.append(problem("filter_without_ns", where, example="the separator is ,"))
    return problems


def _fixed_id_problems(sent: dict[str, str], blob_digest_ids: bool) -> list[Problem]:
    """Return the headers with which dfdaemon computes other task IDs, or rejects pulls."""
    problems = []
    flag = sent.get("x-dragonfly-enable-task-id-based-blob-digest")
    if flag is not None and (flag.lower() == "true") != blob_digest_ids:
        # Any value other than true disables the flag of the configuration.
        if flag.lower() == "true":
            problems.append(problem("blob_digest_ids", _HEADERS_VARIABLE))
        else:
            problems.append(problem("blob_digest_ids_missing", _HEADERS_VARIABLE))
    if "x-dragonfly-content-for-calculating-task-id" in sent:
        where = f"{_HEADERS_VARIABLE}.X-Dragonfly-Content-For-Calculating-Task-ID"
        problems.append(problem("content_id", where))
    piece_length = _bytes_of_header(sent.get("x-dragonfly-piece-length"))
    if piece_length is not None and int(piece_length) < RANGES["piece_length"].least:
        where = f"{_HEADERS_VARIABLE}.X-Dragonfly-Piece-Length"
        problems.append(problem("piece_length_too_small", where, value=sent["x-dragonfly-piece-length"]))
    return problems
