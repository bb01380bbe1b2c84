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

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._containerd_facts import CERTS_DIRS
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import DOCKER_HUB, check_base, parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._passwords import plain_password
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import Problem, problem
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import checked_release
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.values import parse_bytes
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_files import (
    FIRST_THAT_MERGES,
    GRPC_PLUGIN,
    IMAGES_PLUGIN,
    TRANSFER_PLUGIN,
    ConfigFile,
    Effective,
    Release,
    config_version,
    merge_files,
    plugin_id,
    read_config,
    since,
    sub_table,
)

try:
    import tomlkit

    TOMLKIT_ERROR = None
except ImportError as error:
    TOMLKIT_ERROR = error

#: First releases of containerd: whose pulls go through the transfer service, with default folders, and where mirrors
#: of the old kind keep these away.
_FIRST_WITH_TRANSFER = (2, 1, 0)
_FIRST_WITH_DEFAULT_DIRS = (2, 2, 0)
_FIRST_WITHOUT_DEFAULT_BESIDE_MIRRORS = (2, 2, 2)

_REGISTRY_NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?\Z")
# The values of the module preheat's registries.
_ENTRY_KEYS = ("url", "username", "password", "ca_path")
# Header that carries it, what it is called, and whether the Go client's ids depend on it.
_ID_HEADERS = (
    ("tag", "X-Dragonfly-Tag", True),
    ("application", "X-Dragonfly-Application", True),
    ("piece_length", "X-Dragonfly-Piece-Length", False),
)
_HEADERS_VARIABLE = "containerd_mirrors_headers"
#: The smallest part that containerd requests, and the largest that dfdaemon leaves to the registry.
_SMALLEST_PART, _SKIPPED_PART = 512, 4 * 1024 * 1024
_WHY_PARTS_MISS = {
    "dfget": "the Go client computes another task ID for each part, so every pull misses",
    "dfdaemon": "the Rust client from 1.4.2 on requests parts of up to 4 MiB from the registry, cached or not",
}
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
    headers: dict[str, t.Any],
    client: str,
    tag: str = "",
    application: str = "",
    piece_length: int | None = None,
    blob_digest_ids: bool = False,
) -> list[Problem]:
    """What in the headers of mirrors makes pulls miss what a preheat with these options made.

    :param headers: that containerd sends to the client, besides X-Dragonfly-Registry.
    :param client: ``dfget``, ``dfdaemon``, or ``none`` where it is not known.
    :param blob_digest_ids: whether the preheat requests task IDs that are digests of blobs.
    """
    sent = {str(name).lower(): str(value) for name, value in headers.items()}
    preheat = {"tag": tag, "application": application, "piece_length": str(piece_length or "")}
    problems = []
    if "x-dragonfly-registry" in sent:
        problems.append(problem("registry_header", _HEADERS_VARIABLE))
    for what, header, matters_to_go in _ID_HEADERS:
        value = sent.get(header.lower())
        if what == "piece_length":
            value = _bytes_of_header(value)
        # Without the header the Go client takes its own defaultTag and defaultApplication, which its role compares.
        is_read = client == "dfdaemon" or (matters_to_go and value is not None)
        if is_read and (value or "") != preheat[what]:
            values = {"what": f"the {what}", "host": value or "", "preheat": preheat[what]}
            problems.append(problem("tag_mismatch", f"{_HEADERS_VARIABLE}.{header}", **values))
    return (
        problems
        + _filter_problems(sent, client)
        + (_fixed_id_problems(sent, blob_digest_ids) if client != "dfget" else [])
    )


def _bytes_of_header(value: str | None) -> str | None:
    """Return a piece length as dfdaemon reads it, such as 4mib: bytes as text; None if it ignores the value."""
    size = parse_bytes(value, "dfdaemon")
    return None if size is None else str(size)


def _filter_problems(sent: dict[str, str], client: str) -> list[Problem]:
    """Return the headers that leave ns in the URL.

    Source: dragonfly v2.1.67 pkg/net/http (PickHeader: an empty header counts as none), client v1.5.1
    dragonfly-client/src/proxy/header.rs (get_filtered_query_params: names are trimmed from 0.1.117 on).
    """
    problems = []
    go_filter = sent.get("x-dragonfly-filter")
    if client != "dfdaemon" and go_filter and "ns" not in go_filter.split("&"):
        where = f"{_HEADERS_VARIABLE}.X-Dragonfly-Filter"
        problems.append(problem("filter_without_ns", where, example="the separator is &"))
    rust_filter = sent.get("x-dragonfly-filtered-query-params")
    if client != "dfget" and rust_filter is not None:
        if "ns" not in [name.strip() for name in rust_filter.split(",")]:
            where = f"{_HEADERS_VARIABLE}.X-Dragonfly-Filtered-Query-Params"
            problems.append(problem("filter_without_ns", where, example="the separator is ,"))
    return problems


def _fixed_id_problems(sent: dict[str, str], blob_digest_ids: bool) -> list[Problem]:
    """Return the headers with which dfdaemon computes other task IDs, or rejects pulls."""
    problems = []
    flag = sent.get("x-dragonfly-enable-task-id-based-blob-digest")
    if flag is not None and (flag.lower() == "true") != blob_digest_ids:
        # Another value than true switches the flag of the configuration off.
        if flag.lower() == "true":
            problems.append(problem("blob_digest_ids", _HEADERS_VARIABLE))
        else:
            problems.append(problem("blob_digest_ids_missing", _HEADERS_VARIABLE))
    if "x-dragonfly-content-for-calculating-task-id" in sent:
        where = f"{_HEADERS_VARIABLE}.X-Dragonfly-Content-For-Calculating-Task-ID"
        problems.append(problem("content_id", where))
    piece_length = _bytes_of_header(sent.get("x-dragonfly-piece-length"))
    if piece_length is not None and int(piece_length) < _SKIPPED_PART:
        where = f"{_HEADERS_VARIABLE}.X-Dragonfly-Piece-Length"
        problems.append(problem("piece_length_too_small", where, value=sent["x-dragonfly-piece-length"]))
    return problems


class Verdict(t.NamedTuple):
    """What a config.toml needs.

    :ivar text: the file as it should be. It may hold credentials.
    :ivar needed: whether that differs from what it is.
    :ivar problems: why it cannot be changed so.
    """

    text: str
    needed: bool
    problems: list[Problem]


class Login(t.NamedTuple):
    """Credentials that containerd sends to a mirror.

    :ivar host: host and port of the mirror.
    """

    host: str
    username: str
    password: str


def judge_config(
    facts: dict[str, t.Any],
    certs_dir: str,
    client: str = "none",
    allowed: t.Container[str] = (),
    login: Login | None = None,
) -> Verdict:
    """Return what containerd's config.toml needs so that mirrors in a folder are used.

    :param facts: of containerd, as the module host_info reports them. What it redacted stays redacted.
    :param certs_dir: folder of the mirrors.
    :param client: ``dfget``, ``dfdaemon`` or ``none``.
    :param allowed: codes of problems that do not count.
    :param login: credentials for the mirror, None to leave them alone.
    """
    text = facts["config"].get("text") or ""
    effective = read_config(facts, checked_release(facts.get("version") or None))
    problems = [*effective.problems, *containerd_problems(effective, client)]
    problems += _version_1(effective, text)
    problems = [each for each in problems if each.code not in allowed]
    is_set = is_read(effective, certs_dir)
    if not is_set:
        problems += _other_folders(effective, certs_dir)
    if (is_set and login is None) or problems:
        return Verdict(text, False, problems)
    document = _edited(text, effective.release, certs_dir, login)
    edited = tomlkit.dumps(document)
    problems = [] if is_set else outweighed(effective, document.unwrap(), certs_dir)
    return Verdict(text if problems else edited, edited != text and not problems, problems)


def _edited(text: str, release: Release, certs_dir: str, login: Login | None) -> tomlkit.TOMLDocument:
    """Return the file with config_path, and with credentials for the mirror if there are any."""
    document = tomlkit.parse(text)
    if not document.unwrap():
        document["version"] = 3 if since(release, FIRST_THAT_MERGES) else 2
    registry = _table(document, "plugins", plugin_id(config_version(document.unwrap(), release)), "registry")
    if registry.get("config_path") != certs_dir:
        registry["config_path"] = certs_dir
    if login is not None:
        auth = _table(registry, "configs", login.host, "auth")
        for key, value in (("username", login.username), ("password", login.password)):
            if auth.get(key) != value:
                auth[key] = value
    return document


def _version_1(effective: Effective, text: str) -> list[Problem]:
    """Return a problem if the main file has no version, or the first one."""
    version = effective.files[0].config.get("version", 1)
    if not text.strip() or not effective.files[0].config or not isinstance(version, int) or version > 1:
        return []
    return [problem("config_version_1", f"{effective.path} version")]


def _other_folders(effective: Effective, certs_dir: str) -> list[Problem]:
    """Return a problem if somebody chose another folder, whose mirrors would be lost."""
    paths = config_paths(effective.plugin, effective.release)
    is_default = tuple(paths) == CERTS_DIRS and since(effective.release, _FIRST_WITH_DEFAULT_DIRS)
    if not paths or is_default:
        return []
    # Of a list that is not split no folder is read, so that its mirrors are not used now either.
    if certs_dir in paths and not splits_config_path(effective.plugin, effective.release):
        return []
    name = effective.plugin_id
    file = effective.file_of("plugins", name, "registry", "config_path")
    values = {"path": ":".join(paths), "wanted": certs_dir}
    return [problem("other_config_path", f"{file} {name}.registry.config_path", **values)]


def outweighed(effective: Effective, config: dict[str, t.Any], certs_dir: str) -> list[Problem]:
    """Return a problem if a file that is imported outweighs config_path of the main file.

    :param config: what the main file says, or is going to say.
    :param certs_dir: folder that it names.
    """
    files = (ConfigFile(effective.path, config), *effective.files[1:])
    merged, unclear = merge_files(files, effective.release)
    if unclear:
        return [unclear]
    after = effective._replace(config=merged, files=files)
    if is_read(after, certs_dir):
        return []
    merges = since(effective.release, FIRST_THAT_MERGES)
    names = ("plugins", after.plugin_id, "registry", "config_path") if merges else ("plugins", after.plugin_id)
    values = {
        "importer": effective.path,
        "how": "outweigh" if merges else "replace",
        "wanted": f'"{certs_dir}"',
        "plugin": f'"{after.plugin_id}"',
    }
    return [problem("import_wins", f"{after.file_of(*names)} plugins.{after.plugin_id}", **values)]


def is_read(effective: Effective, certs_dir: str) -> bool:
    """Return whether containerd reads the mirrors of a folder."""
    paths = config_paths(effective.plugin, effective.release)
    return certs_dir in paths and (len(paths) == 1 or splits_config_path(effective.plugin, effective.release))


def config_paths(plugin: dict[str, t.Any], release: Release) -> list[str]:
    """Return the folders that config_path of the plugin that pulls images names, or its default.

    Source: containerd v2.2.2 plugins/cri/images/plugin.go: only ``mirrors`` keep the default away; v2.2.0 and v2.2.1
    internal/cri/config/config_unix.go: nothing does.
    """
    registry = plugin.get("registry", {})
    text = registry.get("config_path", "")
    if text:
        return [path.rstrip("/") for path in text.split(":")]
    has_default = since(release, _FIRST_WITH_DEFAULT_DIRS)
    is_kept_away = registry.get("mirrors") and since(release, _FIRST_WITHOUT_DEFAULT_BESIDE_MIRRORS)
    return list(CERTS_DIRS) if has_default and not is_kept_away else []


def splits_config_path(plugin: dict[str, t.Any], release: Release) -> bool:
    """Return whether containerd reads several folders in config_path: pulls through the transfer service do not.

    Source: containerd v2.1.0 internal/cri/config/config.go (CheckLocalImagePullConfigs) and v2.2.0
    core/transfer/registry/registry.go.
    """
    if not since(release, _FIRST_WITH_TRANSFER):
        return True
    # In files of version 2 some of these stand one table deeper.
    values = {**plugin.get("containerd", {}), **plugin}
    is_old = any(plugin.get("registry", {}).get(name) for name in _OLD_TABLES)
    return is_old or any(values.get(key, usual) != usual for key, usual in _LOCAL_PULL_UNLESS.items())


_OLD_TABLES = ("mirrors", "configs", "auths")
#: With another value than these containerd pulls without the transfer service.
_LOCAL_PULL_UNLESS = {
    "use_local_image_pull": False,
    "disable_snapshot_annotations": True,
    "discard_unpacked_layers": False,
    "image_pull_with_sync_fs": False,
    "max_concurrent_downloads": 3,
}


def containerd_problems(effective: Effective, client: str, skips_small_parts: bool = True) -> list[Problem]:
    """Return what in a configuration makes pulls fail or miss once config_path is set.

    :param client: ``dfget``, ``dfdaemon`` or ``none``.
    :param skips_small_parts: whether the Rust client requests parts of up to 4 MiB from the registry, as it does from
        1.4.2 on unless ``proxy.disableBackToSource`` is true.
    """
    misses_parts = client == "dfget" or (client == "dfdaemon" and skips_small_parts)
    parts = _partial_pulls(effective, client) if misses_parts else []
    return [*_disabled(effective), *_old_tables(effective), *parts]


def _disabled(effective: Effective) -> list[Problem]:
    plugins = {"cri", GRPC_PLUGIN, IMAGES_PLUGIN, "io.containerd.cri.v1.runtime"}
    disabled = plugins & set(effective.config.get("disabled_plugins", []))
    if not disabled:
        return []
    key = f"{effective.file_of('disabled_plugins')} disabled_plugins"
    return [problem("cri_disabled", key, plugin=", ".join(sorted(disabled)))]


def _old_tables(effective: Effective) -> list[Problem]:
    """Return the tables that must not stand beside config_path."""
    name = effective.plugin_id
    registry = effective.plugin.get("registry", {})
    problems = []
    if registry.get("mirrors"):
        file = effective.file_of("plugins", name, "registry", "mirrors")
        names = ", ".join(registry["mirrors"])
        problems.append(problem("mirrors_in_use", f"{file} {name}.registry.mirrors", names=names))
    for host, entry in registry.get("configs", {}).items():
        if entry.get("tls") and not since(effective.release, FIRST_THAT_MERGES):
            file = effective.file_of("plugins", name, "registry", "configs", host)
            problems.append(problem("tls_in_use", f"{file} {name}.registry.configs.{host}.tls"))
    return problems


def _partial_pulls(effective: Effective, client: str) -> list[Problem]:
    """Return what makes containerd request parts of blobs that the client does not serve from the cache.

    Source: containerd v2.1.3 core/remotes/docker/fetcher.go (open), and client v1.4.2
    dragonfly-client/src/resource/task.rs.
    """
    name, key = effective.plugin_id, "concurrent_layer_fetch_buffer"
    why = _WHY_PARTS_MISS[client]
    problems = []
    for plugin in (name, TRANSFER_PLUGIN):
        part = sub_table(effective.config, "plugins", plugin).get(key, 0)
        if part >= _SMALLEST_PART and (client == "dfget" or part <= _SKIPPED_PART):
            remedy = "Set it to 0." if client == "dfget" else f"Set it to 0, or to more than {_SKIPPED_PART}."
            file = effective.file_of("plugins", plugin, key)
            problems.append(problem("parallel_fetch", f"{file} {key}", why=why, remedy=remedy))
            break
    snapshotter = effective.plugin.get("snapshotter") or effective.plugin.get("containerd", {}).get("snapshotter") or ""
    if snapshotter in _LAZY_SNAPSHOTTERS:
        remedy = "Use overlayfs."
        if client == "dfdaemon":
            remedy += " Or set proxy.disableBackToSource; pulls then fail if no peer has the blob."
        key = f"{effective.file_of('plugins', name)} {name} snapshotter"
        problems.append(problem("lazy_snapshotter", key, snapshotter=snapshotter, why=why, remedy=remedy))
    return problems


def unsent_auth(effective: Effective, registry: str, mirror: str) -> list[Problem]:
    """Return a problem if containerd has credentials for a registry and none for the mirror that it asks first.

    Source: containerd v1.7.20 pkg/cri/sbserver/image_pull.go (registryHosts) and v2.2.0
    internal/cri/server/images/image_pull.go: ``configs`` are looked up by the host that is asked.

    :param registry: as in image references.
    :param mirror: host and port of the mirror.
    """
    hosts = {"docker.io", "registry-1.docker.io", "index.docker.io"} if registry == "docker.io" else {registry}
    names = _hosts_with_auth(effective.plugin.get("registry", {}))
    if mirror in names or not hosts & set(names):
        return []
    table = names[min(hosts & set(names))]
    file = effective.file_of("plugins", effective.plugin_id, "registry", *table)
    key = f"{file} {effective.plugin_id}.registry.{'.'.join(table)}"
    return [problem("auth_not_for_mirror", key, registry=registry, mirror=mirror)]


def _hosts_with_auth(registry: dict[str, t.Any]) -> dict[str, tuple[str, str]]:
    """Return the hosts that have credentials, each with the table that has them."""
    tables = {host: ("configs", host) for host, entry in registry.get("configs", {}).items() if entry.get("auth")}
    for url in registry.get("auths", {}):
        tables.setdefault(urlsplit(url).netloc or url, ("auths", url))
    return tables


def _table(node: t.Any, *names: str) -> t.Any:
    """The table at a path, made where it is not there."""
    for index, name in enumerate(names):
        if name not in node:
            is_inline = isinstance(node, tomlkit.items.InlineTable)
            node[name] = tomlkit.inline_table() if is_inline else tomlkit.table(is_super_table=index < len(names) - 1)
        node = node[name]
    return node
