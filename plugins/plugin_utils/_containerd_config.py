# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How containerd is told to pull through a Dragonfly client: the mirrors of certs.d, and config_path in config.toml.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import DOCKER_HUB, check_base, parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._passwords import plain_password
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import Problem, problem
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import checked_release

try:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    TOMLKIT_ERROR = None
except ImportError as error:
    TOMLKIT_ERROR = error

#: What containerd takes from 2.2 on where neither config_path nor the old settings are there (plugins/cri/images).
DEFAULT_CERTS_DIRS = ("/etc/containerd/certs.d", "/etc/docker/certs.d")
#: First releases of containerd: whose pulls go through the transfer service, and with default folders.
_FIRST_WITH_TRANSFER = (2, 1, 0)
_FIRST_WITH_DEFAULT_DIRS = (2, 2, 0)

_REGISTRY_NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?\Z")
# The values of the module preheat's registries.
_ENTRY_KEYS = ("url", "username", "password", "ca_path")
# Header that carries it, what it is called, and whether the Go client's ids depend on it.
_ID_HEADERS = (
    ("tag", "X-Dragonfly-Tag", True),
    ("application", "X-Dragonfly-Application", True),
    ("piece_length", "X-Dragonfly-Piece-Length", False),
)
_LAZY_SNAPSHOTTERS = ("nydus", "stargz", "overlaybd", "soci")


class Mirror(t.NamedTuple):
    """One registry that containerd pulls from through a client.

    :ivar registry: name as in image references, such as ``docker.io``.
    :ivar url: base URL, without a trailing slash; a path in it is a repository prefix.
    :ivar server: where containerd goes when the client does not answer.
    :ivar origin: scheme, host and port of the base URL: what the client is told to fetch from.
    :ivar prefix: path of the base URL, as it is put after ``/v2``; empty without one.
    """

    registry: str
    url: str
    server: str
    origin: str
    prefix: str


def mirrors(registries: dict[str, t.Any]) -> list[Mirror]:
    """The mirrors of a map of registries, in its order.

    :param registries: as the module preheat takes them: registry name to base URL, or to a dict with ``url`` and
        credentials.
    :raises InputError: if a name or an entry cannot be read.
    """
    found = []
    for registry, entry in registries.items():
        if not _REGISTRY_NAME.match(str(registry)):
            raise InputError(
                f"{registry!r} is no registry: write it as in image references, such as docker.io or registry:5000."
            )
        entry = {"url": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, dict) or set(entry) - set(_ENTRY_KEYS) or not isinstance(entry.get("url", ""), str):
            raise InputError(
                f"The entry of the registry {registry} must be a URL, or a mapping of {', '.join(_ENTRY_KEYS)}."
            )
        default = DOCKER_HUB if registry == "docker.io" else f"https://{registry}"
        url = check_base(registry, entry.get("url") or default)
        prefix = urlsplit(url).path.strip("/")
        origin = url[: -len(prefix) - 1] if prefix else url
        server = f"{origin}/v2/{prefix}" if prefix else url
        found.append(Mirror(registry, url, server, origin, prefix))
    return found


def image_registries(images: t.Iterable[str]) -> dict[str, str]:
    """The registries of images, each with the base URL that a preheat uses where nothing else is said.

    :param images: references, as the module preheat takes them.
    :raises InputError: if one is no image reference.
    """
    parsed = [parse_image(image) for image in images]
    return {image.registry: image.base for image in parsed}


class Pull(t.NamedTuple):
    """What a host is told to pull.

    :ivar image: as it was written.
    :ivar registry: its name.
    :ivar reference: the whole reference, as ctr wants it.
    :ivar login: ``USERNAME:PASSWORD`` for the registry, empty without one. A secret.
    """

    image: str
    registry: str
    reference: str
    login: str


def pulls(
    images: t.Iterable[str], registries: dict[str, t.Any], username: str | None = None, password: str | None = None
) -> list[Pull]:
    """How hosts pull images that were preheated.

    :param images: references, as the module preheat takes them.
    :param registries: those that have a mirror, as the module preheat takes them.
    :param username: for registries whose entry names none.
    :param password: for registries whose entry names none.
    :raises InputError: if one is no image reference.
    """
    # A mirror with a prefix changes where an image comes from, not what it is called: hence bases without one.
    bases = {registry: f"https://{registry}" for registry in registries}
    found = []
    for text in images:
        image = parse_image(text, bases)
        separator = "@" if image.digest else ":"
        reference = f"{image.registry}/{image.name}{separator}{image.reference}"
        entry = registries.get(image.registry)
        own = entry if isinstance(entry, dict) else {}
        user, secret = (own.get("username"), own.get("password")) if own.get("username") else (username, password)
        secret = plain_password(f"The password of {image.registry}", user, secret)
        found.append(Pull(text, image.registry, reference, f"{user}:{secret}" if user and secret else ""))
    return found


def header_problems(
    headers: dict[str, t.Any], client: str, tag: str = "", application: str = "", piece_length: int | None = None
) -> list[Problem]:
    """What in the headers of mirrors makes pulls miss what a preheat with these options made.

    :param headers: that containerd sends to the client, besides X-Dragonfly-Registry.
    :param client: ``dfget``, ``dfdaemon``, or ``none`` where it is not known.
    """
    where = "containerd_mirrors_headers"
    sent = {str(name).lower(): str(value) for name, value in headers.items()}
    preheat = {"tag": tag, "application": application, "piece_length": str(piece_length or "")}
    found = []
    if "x-dragonfly-registry" in sent:
        found.append(problem("registry_header", where))
    for what, header, matters_to_go in _ID_HEADERS:
        value = sent.get(header.lower())
        # Without the header the Go client takes its own defaultTag and defaultApplication, which its role compares.
        if client == "dfdaemon" or (matters_to_go and value is not None):
            if (value or "") != preheat[what]:
                words = {"what": f"the {what}", "host": value or "", "preheat": preheat[what]}
                found.append(problem("tag_mismatch", f"{where}.{header}", **words))
    for header, separator in (("X-Dragonfly-Filter", "&"), ("X-Dragonfly-Filtered-Query-Params", ",")):
        value = sent.get(header.lower())
        if value and "ns" not in value.split(separator):
            found.append(problem("filter_without_ns", f"{where}.{header}", example=f"the separator is {separator}"))
    if sent.get("x-dragonfly-enable-task-id-based-blob-digest", "").lower() == "true":
        found.append(problem("blob_digest_ids", where))
    return found


class Verdict(t.NamedTuple):
    """What a config.toml needs.

    :ivar text: the file as it should be.
    :ivar needed: whether that differs from what it is.
    :ivar problems: why it cannot be made so.
    """

    text: str
    needed: bool
    problems: list[Problem]


def judge_config(
    text: str,
    certs_dir: str,
    containerd: str | None = None,
    dump: str | None = None,
    client: str = "none",
    allowed: t.Container[str] = (),
) -> Verdict:
    """What containerd's config.toml needs so that mirrors in a folder are used.

    :param text: of config.toml; empty where there is none.
    :param certs_dir: the folder of the mirrors.
    :param containerd: release of containerd, None where it is not known.
    :param dump: what ``containerd config dump`` says, which knows the imported files too; None where it cannot be had.
    :param client: ``dfget``, ``dfdaemon`` or ``none``.
    :param allowed: codes of problems that are none here.
    """
    release = checked_release(containerd)
    try:
        config = tomlkit.parse(text)
        effective = tomlkit.parse(dump).unwrap() if dump else config.unwrap()
    except TOMLKitError as error:
        return Verdict(text, False, [problem("toml_invalid", "config.toml", error=str(error).splitlines()[0])])
    unreadable = misfit(config.unwrap()) or misfit(effective)
    if unreadable:
        return Verdict(text, False, [problem("toml_invalid", "config.toml", error=unreadable)])
    if not config.unwrap():
        config["version"] = 3 if release is not None and release >= (2, 0, 0) else 2
    if config.unwrap().get("version", 1) < 2:
        return Verdict(text, False, [problem("config_version_1", "config.toml version")])
    name = _plugin_id(effective)
    plugin = effective.get("plugins", {}).get(name, {})
    found = [each for each in toml_problems(effective, name, client, release) if each.code not in allowed]
    paths = config_paths(plugin, release)
    splits = splits_config_path(plugin, release)
    if certs_dir in paths and (splits or len(paths) == 1):
        return Verdict(text, False, found)
    # The default is nobody's choice, and what is not split names no folder whose mirrors would be lost.
    is_default = tuple(paths) == DEFAULT_CERTS_DIRS and _since(release, _FIRST_WITH_DEFAULT_DIRS)
    if paths and not is_default and (splits or certs_dir not in paths):
        key = f"config.toml {name}.registry.config_path"
        found.append(problem("other_config_path", key, path=":".join(paths), wanted=certs_dir))
    if found:
        return Verdict(text, False, found)
    _table(config, "plugins", _plugin_id(config.unwrap()), "registry")["config_path"] = certs_dir
    return Verdict(tomlkit.dumps(config), True, [])


def config_paths(plugin: dict[str, t.Any], release: tuple[int, ...] | None) -> list[str]:
    """The folders that config_path of the plugin for images names, or that are the default."""
    registry = plugin.get("registry", {})
    text = registry.get("config_path", "")
    if not text and _since(release, _FIRST_WITH_DEFAULT_DIRS) and not any(registry.get(name) for name in _OLD_TABLES):
        return list(DEFAULT_CERTS_DIRS)
    return [path.rstrip("/") for path in text.split(":")] if text else []


def splits_config_path(plugin: dict[str, t.Any], release: tuple[int, ...] | None) -> bool:
    """Whether containerd takes several folders in config_path: pulls through the transfer service do not.

    Source: containerd v2.1.0 internal/cri/config/config.go (CheckLocalImagePullConfigs) and v2.2.0
    core/transfer/registry/registry.go.
    """
    if not _since(release, _FIRST_WITH_TRANSFER):
        return True
    # In files of version 2 some of these stand one table deeper.
    values = {**plugin.get("containerd", {}), **plugin}
    is_old = any(plugin.get("registry", {}).get(name) for name in _OLD_TABLES)
    return is_old or any(values.get(key, usual) != usual for key, usual in _LOCAL_PULL_UNLESS.items())


def _since(release: tuple[int, ...] | None, first: tuple[int, ...]) -> bool:
    return release is not None and release >= first


_OLD_TABLES = ("mirrors", "configs", "auths")
#: With another value than these containerd pulls without the transfer service.
_LOCAL_PULL_UNLESS = {
    "use_local_image_pull": False,
    "disable_snapshot_annotations": True,
    "discard_unpacked_layers": False,
    "image_pull_with_sync_fs": False,
    "max_concurrent_downloads": 3,
}
#: What is read here, by type; ``*`` is any name. With another type containerd does not start.
_PLUGIN_SHAPE: dict[str, t.Any] = {
    "registry": {"config_path": str, "mirrors": {}, "configs": {"*": {}}, "auths": {}},
    "containerd": {"snapshotter": str},
    "snapshotter": str,
    "concurrent_layer_fetch_buffer": int,
}
_SHAPE: dict[str, t.Any] = {
    "version": int,
    "disabled_plugins": [str],
    "plugins": {
        "cri": _PLUGIN_SHAPE,
        "io.containerd.grpc.v1.cri": _PLUGIN_SHAPE,
        "io.containerd.cri.v1.images": _PLUGIN_SHAPE,
        "io.containerd.transfer.v1.local": {"concurrent_layer_fetch_buffer": int},
    },
}
_KINDS = {dict: "a table", list: "an array", str: "a string", int: "a number"}


def misfit(config: dict[str, t.Any]) -> str | None:
    """In words, the first value of a config.toml that containerd could not read; None where it can."""
    return _misfit(config, _SHAPE)


def _misfit(value: t.Any, shape: t.Any, path: str = "") -> str | None:
    """In words, the first value that has another type than its shape; None where all fit."""
    kind = shape if isinstance(shape, type) else type(shape)
    if not isinstance(value, kind) or isinstance(value, bool):
        return f"{path} is not {_KINDS[kind]}"
    inner: list[tuple[str, t.Any, t.Any]] = []
    if isinstance(shape, dict):
        inner = [(name, one, shape.get(name, shape.get("*"))) for name, one in value.items()]
    elif isinstance(shape, list):
        inner = [(str(number), one, shape[0]) for number, one in enumerate(value)]
    found = (_misfit(one, part, f"{path}.{name}".lstrip(".")) for name, one, part in inner if part is not None)
    return next(filter(None, found), None)


def _plugin_id(config: dict[str, t.Any]) -> str:
    return "io.containerd.grpc.v1.cri" if config.get("version", 2) < 3 else "io.containerd.cri.v1.images"


def toml_problems(config: dict[str, t.Any], name: str, client: str, release: tuple[int, ...] | None) -> list[Problem]:
    """What in a config.toml makes pulls fail or miss once config_path is set.

    :param config: without a L(misfit).
    :param name: of the plugin for images.
    :param client: ``dfget``, ``dfdaemon`` or ``none``.
    :param release: of containerd, None where it is not known.
    """
    found = []
    plugin = config.get("plugins", {}).get(name, {})
    registry = plugin.get("registry", {})
    disabled = {"cri", "io.containerd.grpc.v1.cri", name} & set(config.get("disabled_plugins", []))
    if disabled:
        found.append(problem("cri_disabled", "config.toml disabled_plugins", plugin=", ".join(sorted(disabled))))
    if registry.get("mirrors"):
        found.append(
            problem("mirrors_in_use", f"config.toml {name}.registry.mirrors", names=", ".join(registry["mirrors"]))
        )
    for host, entry in registry.get("configs", {}).items():
        if entry.get("tls") and not _since(release, (2, 0, 0)):
            found.append(problem("tls_in_use", f"config.toml {name}.registry.configs.{host}.tls"))
    if client == "dfget":
        transfer = config.get("plugins", {}).get("io.containerd.transfer.v1.local", {})
        if max(section.get("concurrent_layer_fetch_buffer", 0) for section in (plugin, transfer)) >= 512:
            found.append(problem("parallel_fetch", "config.toml concurrent_layer_fetch_buffer"))
        snapshotter = plugin.get("snapshotter") or plugin.get("containerd", {}).get("snapshotter") or ""
        if snapshotter in _LAZY_SNAPSHOTTERS:
            found.append(problem("lazy_snapshotter", f"config.toml {name} snapshotter", snapshotter=snapshotter))
    return found


def _table(node: t.Any, *names: str) -> t.Any:
    """The table at a path, made where it is not there."""
    for index, name in enumerate(names):
        if name not in node:
            is_inline = isinstance(node, tomlkit.items.InlineTable)
            node[name] = tomlkit.inline_table() if is_inline else tomlkit.table(is_super_table=index < len(names) - 1)
        node = node[name]
    return node
