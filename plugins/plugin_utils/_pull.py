# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follows a pull as containerd and a client would: which proxy is asked for a blob, and for which URL that asks.

Nothing here touches a host: what ``module_utils/_host_files.py`` brought comes in, an answer comes out.

PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import io
import posixpath
import re
import typing as t
from urllib.parse import quote, urlsplit

import tomllib
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._config_scrub import HIDDEN
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import dotted
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import (
    DEFAULT_FILTERED_QUERY_PARAMS,
    Recipe,
    blob_digest_id,
    content_id,
    parse_release,
    recipe_for,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.checker import Context
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import MESSAGES, Problem
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import config_problems
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import get, settings
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.values import (
    is_loopback,
    may_reach,
    parse_duration,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_config import (
    DEFAULT_CERTS_DIRS,
    config_paths,
    misfit,
    splits_config_path,
    toml_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._regex import first_match

# code: what makes a pull miss, and the cure; beside those of _config.messages.MESSAGES.
MISSES: dict[str, tuple[str, str]] = {
    "no_containerd": (
        "there is no containerd on this host: neither its program nor its configuration was found.",
        "Run this on the hosts that pull.",
    ),
    "unreadable": (
        "the file cannot be read: {error}.",
        "{hint}",
    ),
    "no_such_image": (
        "the registry has no such image: {error}.",
        "Correct the reference, or push the image.",
    ),
    "https_proxy": (
        "it points to {proxy}, while the client's proxy speaks plain HTTP, so that containerd falls back to the"
        " registry without a word.",
        "Write http:// (containerd_mirrors_proxy).",
    ),
    "config_version": (
        "containerd {release} does not read version {version} of its configuration.",
        'Write version = 2, whose plugin is "io.containerd.grpc.v1.cri"; or upgrade containerd.',
    ),
    "config_path_elsewhere": (
        "config_path is set for the plugin {found}, while with version = {version} containerd reads {wanted}.",
        "Set it there; the role containerd_mirrors does.",
    ),
    "config_path_not_set": (
        "containerd is told no folder with mirrors, so that it pulls straight from the registry.",
        "Set config_path to /etc/containerd/certs.d and restart containerd; the role containerd_mirrors does.",
    ),
    "config_path_not_split": (
        "containerd from 2.1 on takes {path} for the name of one folder, which is not there, so that it pulls straight"
        " from the registry.",
        "Set config_path to one folder, such as /etc/containerd/certs.d, and restart containerd; the role"
        " containerd_mirrors does.",
    ),
    "no_mirror_for_registry": (
        "there is no mirror of {registry}, so that containerd pulls straight from the registry.",
        "Add it to containerd_mirrors_registries.",
    ),
    "hosts_toml_unused": (
        "containerd makes no use of it, so that it pulls straight from the registry: {error}.",
        'Correct it: each host needs a table [host."URL"], with capabilities = ["pull", "resolve"].',
    ),
    "mirror_cannot_pull": (
        "no host in it may pull (capabilities), so that containerd pulls straight from the registry.",
        'Give the client\'s host the capabilities ["pull", "resolve"].',
    ),
    "other_mirror_first": (
        "containerd asks {first} first, and the Dragonfly client only where that fails.",
        "Put the client's host before the others.",
    ),
    "wrong_port": (
        "it points to {proxy}, where no Dragonfly client of this host listens: {listening}.",
        "Write the address of the client's proxy (containerd_mirrors_proxy).",
    ),
    "no_login": (
        "with this set {client} answers a pull without the header {header} with {status}, and containerd falls back to"
        " the registry without a word.",
        "Leave it out and let the proxy listen on 127.0.0.1; or send {header} with the mirror"
        " (containerd_mirrors_headers).",
    ),
    "no_client": (
        "there is no Dragonfly client on this host: neither {files} was found.",
        "Set one up with the role dfget or dfdaemon.",
    ),
    "not_running": (
        "the unit {unit} is {state}, so that containerd falls back to the registry without a word.",
        "See journalctl -u {unit}, and start it.",
    ),
    "restart_needed": (
        "the file was written {seconds} s after {unit} started, which still runs with what was there before.",
        "Restart {unit}; what was preheated to this very host is then lost unless its storage is kept.",
    ),
    "base_differs": (
        "this host asks for {host}, while the preheat was made of {preheat}.",
        "Give both the same base URL: the option registries of preheat, and containerd_mirrors_registries.",
    ),
    "base_inferred": (
        "it names no X-Dragonfly-Registry, so that the client takes {host} from containerd's ns, while the preheat was"
        " made of {preheat}.",
        "Add the header X-Dragonfly-Registry with {preheat}; the role containerd_mirrors does.",
    ),
    "path_differs": (
        "this host asks for {host}, while the preheat was made of {preheat}: repository or prefix differ.",
        "Give both the same base URL with the same prefix.",
    ),
    "query_left": (
        "of the query {query!r} is left in the URL that the task id is made of; a preheat has none.",
        "Add its names to the filter.",
    ),
    "recipes_differ": (
        "on this host {host_client} {host_release} computes other task ids than {seed} on the seed peers, so every"
        " pull misses.",
        "Run clients of one kind and line of releases on seed peers and hosts.",
    ),
    "content_id": (
        "a header gives the task id another content than the URL, so every pull misses.",
        "Leave the header out.",
    ),
    "cold": (
        "the preheat did not warm {count} of the blobs.",
        "Run the preheat again; its result says why.",
    ),
    "ids_differ": (
        "the task ids of host and preheat differ, and nothing that is known here explains it.",
        "Run this with probe: true, and report it with the host's configuration.",
    ),
    "probe_failed": (
        "the proxy at {proxy} did not answer the probe: {error}.",
        "See whether the client runs and listens there.",
    ),
    "probe_impossible": (
        "the probe that was asked for could not be made, because no blob of the image is known: {why}.",
        "See to it that its manifest can be read (registries, registry_username), or leave the probe out.",
    ),
    "probe_no_task": (
        "the proxy answered the probe with {status} and without a task id, so the request did not go through"
        " Dragonfly.",
        "Compare the running configuration with the file; restart the client.",
    ),
    "probe_differs": (
        "the running client asked for task {found}, while its files make it {expected}: it runs with another"
        " configuration.",
        "Restart the client.",
    ),
}

# code: what a user should know though the host hits.
NOTES: dict[str, str] = {
    "release_unknown": "{program} did not tell its release; {assumed} is assumed.",
    "small_blobs": (
        "dfdaemon from 1.4.2 on fetches blobs up to 4 MiB from the registry, preheated or not, unless"
        " proxy.disableBackToSource is true."
    ),
    "keeps": "As a seed peer this host keeps what was preheated for {seconds} s after its last use ({key}).",
    "not_warm_yet": "Of {image} nothing is known to be warm: its job is {outcome}. This is about the time when it is.",
    "unknown_blobs": "The blobs are not known ({why}): this is judged by a blob that stands for them.",
    "address_assumed": "{proxy} is taken to be the client of this host, which listens on {address}.",
    "seed_assumed": (
        "The seed peers are taken to run {client} {release}, as this host does (see seed_client, seed_release)."
    ),
    "probe_denied": "The registry wants credentials for the probe ({status}), so it shows only the task id.",
    "probe_skipped": "The probe was left out: {why}.",
}

_HINTS = {
    "toml": "Correct it: containerd cannot use it.",
    **dict.fromkeys(("dfget", "dfdaemon"), "Correct it: the client could not start with it."),
}
_FALLBACK_DIRS = ("_default",)
_HOST_TABLE = re.compile(r"""(?m)^[ \t]*(\[[ \t]*["']?host["']?[ \t]*\..*)$""")
# What matters to pulls with ctr, which go past the CRI plugin, and what only where config_path is set.
_OF_CTR = ("parallel_fetch",)
_BESIDE_CONFIG_PATH = ("mirrors_in_use", "tls_in_use")
_KEEPS_FROM_STARTING = (
    "bad_regex",
    "bad_strategy",
    "bad_value",
    "no_scheduler",
    "port_clash",
    "rate_limit_too_low",
    "wrong_type",
)


class Reason(t.NamedTuple):
    """Why a host misses.

    :ivar code: stable, a key of MISSES or of _config.messages.MESSAGES.
    :ivar file: path on the host; empty where it is in none.
    :ivar key: in the file; empty where it is none.
    :ivar reason: what makes it miss.
    :ivar cure: what to do.
    """

    code: str
    file: str
    key: str
    reason: str
    cure: str

    @property
    def message(self) -> str:
        """All of it, for people."""
        where = ": ".join(part for part in (self.file, self.key) if part)
        text = f"{self.reason} {self.cure}"
        return f"{where}: {text}" if where else text[0].upper() + text[1:]


def reason(code: str, file: str = "", key: str = "", **words: t.Any) -> Reason:
    """The reason of a code, with the words that its texts need."""
    why, cure = MISSES.get(code) or MESSAGES[code]
    return Reason(code, file, key, why.format(**words), cure.format(**words))


# --- files


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as both clients read it: 1.2, where yes and 12:30 are texts, and with no key twice."""

    yaml_implicit_resolvers: dict[str, list[t.Any]] = {}

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        waiting, known = [node], set()
        while waiting:
            one = waiting.pop()
            if id(one) in known:
                continue
            known.add(id(one))
            if isinstance(one, yaml.SequenceNode):
                waiting += one.value
            elif isinstance(one, yaml.MappingNode):
                waiting += [value for dummy, value in one.value]
                self._refuse_twice(one)
        return node

    @staticmethod
    def _refuse_twice(node: yaml.MappingNode) -> None:
        first: dict[tuple[str, t.Any], yaml.ScalarNode] = {}
        for key in (key for key, dummy in node.value if isinstance(key, yaml.ScalarNode)):
            same = first.setdefault((key.tag, key.value), key)
            if same is not key:
                problem = f"the key {key.value} stands there already in line {same.start_mark.line + 1}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)


for _tag, _pattern, _begins in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", "|~|null|Null|NULL", ["", *"~nN"]),
    ("int", "[-+]?(?:0|[1-9][0-9]*|0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+)", "-+0123456789"),
    ("float", r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))"
     r"|\.(?:nan|NaN|NAN)", "-+.0123456789"),
):  # fmt: skip
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _begins)


class _GoLoader(_Loader):
    """What the Go client reads beside that."""


_GoLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), "<")
_GoLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9][0-9_]*\Z"), "-+0123456789")
_LOADERS = {"dfget": _GoLoader, "dfdaemon": _Loader}


@functools.lru_cache(maxsize=256)
def _parse(kind: str, text: str) -> tuple[dict[str, t.Any], str | None]:
    """A parsed file and what is wrong with it. Most hosts have the same files, so each text is parsed once."""
    try:
        if kind == "toml":
            return tomllib.loads(text), None
        # As a stream, for libyaml refuses the strings that Ansible tags.
        data = yaml.load(io.StringIO(text), Loader=_LOADERS[kind])  # noqa: S506 - a safe one
    except tomllib.TOMLDecodeError as error:
        return {}, f"it is not valid TOML ({error})"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        return {}, f"it is not valid YAML{where} ({getattr(error, 'problem', None) or type(error).__name__})"
    if data is None:
        return {}, None
    return (data, None) if isinstance(data, dict) else ({}, "it holds no mapping")


def parse_file(file: dict[str, t.Any], kind: str) -> tuple[dict[str, t.Any], Reason | None]:
    """What a file of the host says, and why it cannot be read.

    :param file: ``path``, ``text`` (None where there is none) and ``error`` as the module brought them.
    :param kind: ``toml``, or the client that reads it as YAML.
    """
    if file.get("error"):
        return {}, reason("unreadable", file["path"], error=file["error"], hint="Run the task with become: true.")
    data, error = _parse(kind, file.get("text") or "")
    if error:
        return {}, reason("unreadable", file["path"], error=error, hint=_HINTS[kind])
    return data, None


def _table(data: t.Any, *names: str) -> dict[str, t.Any]:
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _texts(value: t.Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def stale(file: dict[str, t.Any], unit: dict[str, t.Any] | None) -> list[Reason]:
    """A file that a running unit has not read yet."""
    if not unit or not unit.get("since") or not file.get("mtime"):
        return []
    seconds = file["mtime"] - unit["since"]
    return [reason("restart_needed", file["path"], seconds=int(seconds) or 1, unit=unit["name"])] if seconds > 0 else []


# --- containerd


class Route(t.NamedTuple):
    """Where containerd sends the pulls of a registry.

    :ivar proxy: URL of the host that it asks first, without a path.
    :ivar path: what comes before the repository, such as ``/v2``.
    :ivar query: such as ``ns=docker.io``; empty without one.
    :ivar headers: that it adds, names in lower case.
    :ivar file: that says so.
    :ivar others: URLs of the hosts that it asks where that one fails.
    """

    proxy: str
    path: str
    query: str
    headers: dict[str, str]
    file: str
    others: tuple[str, ...] = ()


class Containerd:
    """containerd on one host.

    :ivar release: tuple of int, None where it is not known.
    :ivar reasons: why no pull at all is sent to a client.
    """

    def __init__(self, facts: dict[str, t.Any]) -> None:
        self.release = parse_release(facts.get("version") or "")
        self.file: dict[str, t.Any] = facts.get("config") or {}
        self.path = self.file.get("path", "config.toml")
        self.reasons: list[Reason] = []
        self._certs_dir = facts.get("certs_dir")
        self._hosts = {file["path"]: file for file in facts.get("hosts") or []}
        self._config: dict[str, t.Any] = {}
        if not facts.get("version") and self.file.get("text") is None and not self.file.get("error"):
            self.reasons.append(reason("no_containerd"))
            return
        config, unreadable = parse_file(self.file, "toml")
        if unreadable:
            self.reasons.append(unreadable)
        dump, error = _parse("toml", facts.get("dump") or "")
        self._config = config if error or not dump else dump
        wrong = misfit(self._config)
        if wrong:
            self.reasons.append(reason("toml_invalid", self.path, error=wrong))
            self._config = {}
        version = config.get("version")
        if isinstance(version, int) and version > 2 and self.release and self.release < (2, 0, 0):
            words = {"release": dotted(self.release), "version": version}
            self.reasons.append(reason("config_version", self.path, "version", **words))
        self.reasons += stale(self.file, facts.get("unit"))

    @property
    def _version(self) -> int:
        version = self._config.get("version", 3 if (self.release or ()) >= (2, 0, 0) else 1)
        return version if isinstance(version, int) else 1

    @property
    def _plugin_id(self) -> str:
        return {1: "cri", 2: "io.containerd.grpc.v1.cri"}.get(self._version, "io.containerd.cri.v1.images")

    @property
    def _plugin(self) -> dict[str, t.Any]:
        return _table(self._config, "plugins", self._plugin_id)

    def problems(self, client: str) -> list[Reason]:
        """What in its configuration makes every pull through a client miss.

        :param client: ``dfget``, ``dfdaemon`` or ``none``.
        """
        found = toml_problems(self._config, self._plugin_id, client, self.release)
        if self._certs_dir:
            found = [one for one in found if one.code in _OF_CTR]
        elif not self._folders:
            found = [one for one in found if one.code not in _BESIDE_CONFIG_PATH]
        where = [one.key.removeprefix("config.toml ") for one in found]
        return [Reason(one.code, self.path, key, one.reason, one.remedy) for one, key in zip(found, where)]

    @property
    def _folders(self) -> list[str]:
        """Where it looks for mirrors."""
        if self._certs_dir:
            return [self._certs_dir]
        return config_paths(self._plugin, self.release)

    def route(self, registry: str) -> tuple[Route | None, list[Reason]]:
        """Where the pulls of a registry go; no route where they go straight to the registry, and why.

        :param registry: as in image references.
        """
        folders = self._folders
        mirrors = _table(self._plugin, "registry", "mirrors")
        if not folders and mirrors:
            return self._old_mirror(registry, mirrors)
        if not folders:
            return None, [self._without_folders()]
        if len(folders) > 1 and not splits_config_path(self._plugin, self.release):
            path = ":".join(folders) + (" (its default)" if tuple(folders) == DEFAULT_CERTS_DIRS else "")
            return None, [reason("config_path_not_split", self.path, "config_path", path=path)]
        file = self._hosts_file(registry, folders)
        if file is None:
            return None, [reason("no_mirror_for_registry", folders[0], registry=registry)]
        if file.get("text") is None and not file.get("error"):
            return None, [reason("no_mirror_for_registry", f"{file['path']} (which is not there)", registry=registry)]
        data, unreadable = parse_file(file, "toml")
        if unreadable:
            return None, [unreadable]
        error = _misread(data, self.release)
        if error:
            return None, [reason("hosts_toml_unused", file["path"], error=error)]
        hosts = data.get("host", {})
        if (self.release or ()) >= (2, 0, 0):
            named = _named_hosts(file["text"])
            hosts = {url: host for url, host in hosts.items() if url in named}
            if not hosts and data.get("host"):
                error = 'from 2.0 on it sees no host without a table [host."URL"]'
                return None, [reason("hosts_toml_unused", file["path"], error=error)]
            if not hosts and data.get("server"):
                hosts = {data["server"]: data}
        if not hosts:
            return None, [reason("no_mirror_for_registry", file["path"], registry=registry)]
        able = [(url, host) for url, host in hosts.items() if "pull" in _capabilities(host)]
        if not able:
            return None, [reason("mirror_cannot_pull", file["path"])]
        url, host = able[0]
        route, reasons = _route(url, registry, _headers(host.get("header")), file["path"], host.get("override_path"))
        return route and route._replace(others=tuple(other for other, _host in able[1:])), reasons

    def _without_folders(self) -> Reason:
        for name, plugin in _table(self._config, "plugins").items():
            if _table(plugin, "registry").get("config_path") and name != self._plugin_id:
                words = {"found": name, "wanted": self._plugin_id, "version": self._version}
                return reason("config_path_elsewhere", self.path, "config_path", **words)
        path = self.path if self.file.get("text") is not None else f"{self.path} (which is not there)"
        return reason("config_path_not_set", path, "config_path")

    def _hosts_file(self, registry: str, folders: list[str]) -> dict[str, t.Any] | None:
        name, colon, port = registry.rpartition(":")
        for folder in folders:
            for one in ([f"{name}_{port}_"] if colon else []) + [registry, *_FALLBACK_DIRS]:
                file = self._hosts.get(posixpath.join(folder, one, "hosts.toml"))
                if file is not None:
                    return file
        return None

    def _old_mirror(self, registry: str, mirrors: dict[str, t.Any]) -> tuple[Route | None, list[Reason]]:
        """Source: containerd v1.7.20 pkg/cri/sbserver/image_pull.go (registryEndpoints, registryHosts)."""
        mirror = mirrors.get(registry, mirrors.get("*"))
        endpoints = _texts(_table({"mirror": mirror}, "mirror").get("endpoint"))
        if not endpoints:
            return None, [reason("no_mirror_for_registry", self.path, "mirrors", registry=registry)]
        url = endpoints[0]
        if "://" not in url:
            host = re.sub(r":\d*\Z", "", url.partition("/")[0]).strip("[]")
            url = f"{'http' if is_loopback(host) else 'https'}://{url}"
        # Only where it has no path at all /v2 is put behind it.
        return _route(url, registry, {}, self.path, override=url.count("/") > 2)


def _misread(data: dict[str, t.Any], release: tuple[int, ...] | None) -> str | None:
    """Why containerd discards a hosts.toml, None where it does not.

    Source: containerd v1.7.20 and v2.2.0 remotes/docker/config/hosts.go (parseHostsFile, parseHostConfig).
    """
    known = {"pull", "resolve", "push"}
    if release is None or release >= (2, 2, 0):
        known.add("referrers")
    hosts = data.get("host", {})
    if not isinstance(hosts, dict) or not all(isinstance(host, dict) for host in hosts.values()):
        return "host is no table of tables"
    if not isinstance(data.get("server", ""), str):
        return "server is no text"
    for host in [data, *hosts.values()]:
        capabilities, header = host.get("capabilities", []), host.get("header", {})
        if not _is_texts(capabilities):
            return "capabilities is no list of texts"
        odd = [one for one in capabilities if one.lower() not in known]
        if odd:
            return f"it has no capability {odd[0]}"
        if not isinstance(host.get("override_path", False), bool):
            return "override_path is neither true nor false"
        if not isinstance(header, dict) or not all(isinstance(one, str) or _is_texts(one) for one in header.values()):
            return "a header is neither a text nor a list of texts"
    return None


def _is_texts(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _capabilities(host: dict[str, t.Any]) -> list[str]:
    return [one.lower() for one in host.get("capabilities", [])] or ["pull"]


def _named_hosts(text: str) -> dict[str, t.Any]:
    """The hosts in a hosts.toml that have a table of their own, which are all that containerd sees from 2.0 on."""
    found: dict[str, t.Any] = {}
    for header in _HOST_TABLE.findall(text):
        found.update(_table(_parse("toml", header.strip())[0], "host"))
    return found


def _headers(value: dict[str, t.Any] | None) -> dict[str, str]:
    # Of names that differ in case the client takes the first, and they are sent sorted.
    headers = sorted((value or {}).items(), reverse=True)
    return {name.lower(): texts[0] for name, one in headers if (texts := _texts(one))}


def _route(
    url: str, registry: str, headers: dict[str, str], file: str, override: bool | None
) -> tuple[Route | None, list[Reason]]:
    """Source: containerd v1.7.20 remotes/docker/config/hosts.go (parseHostConfig) and registry.go (isProxy)."""
    url = url if url.startswith("http") else f"https://{url}"
    try:
        scheme, netloc, path = urlsplit(url)[:3]
        dummy = urlsplit(url).port  # only asking for it tells whether it is a number
    except ValueError as error:
        return None, [reason("unreadable", file, error=f"{url} is no URL, {error}", hint="Correct it.")]
    path = posixpath.normpath(path) if path else ""
    path = "" if path in ("/", ".") else path
    if not path.endswith("/v2") and not override:
        path += "/v2"
    is_proxy = netloc != registry and (registry, netloc) != ("docker.io", "registry-1.docker.io")
    query = f"ns={quote(registry, safe='')}" if is_proxy else ""
    return Route(f"{scheme}://{netloc}", path, query, headers, file), []


# --- clients


class Asked(t.NamedTuple):
    """What a client asks Dragonfly for.

    :ivar base: URL that the path was put behind, before rules changed it.
    :ivar url: URL of the blob, with what is left of its query.
    :ivar filter: names of query parameters that do not count.
    :ivar tag: empty without one.
    :ivar application: empty without one.
    :ivar piece_length: bytes as text; empty without one.
    :ivar fixed_id: the task id where it is not made of the URL, else None.
    :ivar reasons: why it asks the registry and not Dragonfly.
    :ivar told: where each came from, as (file, key): ``base``, ``filter``, ``tag``, ``application``, ``piece_length``,
        ``rewritten``, ``fixed_id``.
    """

    base: str
    url: str
    filter: t.Sequence[str]
    tag: str
    application: str
    piece_length: str
    fixed_id: str | None
    reasons: list[Reason]
    told: dict[str, tuple[str, str]]


@functools.lru_cache(maxsize=256)
def _problems(client: str, text: str, release: str | None) -> tuple[list[Problem], list[Problem]]:
    """What keeps a client from starting with a configuration, but for values that were hidden on the host, and what is
    misspelt in it."""
    config = _parse(client, text)[0]
    values = {setting.where: setting.value for setting in settings(config, client)}
    # Whether there is a dynconfig.yaml is not known.
    found = config_problems(config, client, release, Context(dynconfig=True))
    serious = [one for one in found if one.code in _KEEPS_FROM_STARTING and HIDDEN not in str(values.get(one.key))]
    return serious, [one for one in found if one.code == "unknown_key" and one.remedy.startswith("Did you mean")]


# Source: dragonfly v2.1.67 client/daemon/proxy/proxy.go (ServeHTTP), client v1.4.2 dragonfly-client/src/proxy/mod.rs.
_LOGINS = {
    "dfget": ("proxy.basicAuth", "Proxy-Authorization", 407),
    "dfdaemon": ("proxy.server.basicAuth", "Authorization", 401),
}


class Client:
    """A Dragonfly client on one host.

    :ivar name: ``dfget`` or ``dfdaemon``.
    :ivar release: tuple of int, None where it is not known.
    :ivar is_readable: whether its configuration can be read.
    :ivar reasons: why it serves nobody.
    :ivar misspelt: keys that may be meant to be others, which matters only where something misses.
    """

    def __init__(self, name: str, facts: dict[str, t.Any]) -> None:
        self.name = name
        self.release = parse_release(facts.get("version") or "")
        self.file: dict[str, t.Any] = facts["config"]
        self.path = self.file["path"]
        self.reasons: list[Reason] = []
        self.misspelt: list[Reason] = []
        self.config, unreadable = parse_file(self.file, self.name)
        self.is_readable = unreadable is None
        if unreadable:
            self.reasons.append(unreadable)
        unit = facts.get("unit")
        if unit and unit.get("state") not in (None, "active"):
            self.reasons.append(reason("not_running", unit=unit["name"], state=unit["state"]))
        self.reasons += stale(self.file, unit)
        text = self.file.get("text")
        if self.is_readable and text:
            found = _problems(self.name, text, facts.get("version") if self.release else None)
            self.reasons += self._reasons_of(found[0])
            self.misspelt = self._reasons_of(found[1])

    def _reasons_of(self, problems: list[Problem]) -> list[Reason]:
        return [Reason(one.code, self.path, one.key, one.reason, one.remedy) for one in problems]

    def get(self, path: str, default: t.Any = None) -> t.Any:
        """A value of the configuration, else the default; also where it is of another type than the default."""
        value = get(self.config, self.name, path, default)
        return value if default is None or isinstance(value, type(default)) else default

    def text(self, path: str) -> str:
        """A value as text, empty where it is none."""
        return self.get(path, "")

    @property
    def recipe(self) -> Recipe | None:
        """How it computes task ids; None where no other client agrees with it."""
        return recipe_for(self.name, self.release)

    @property
    def is_seed(self) -> bool:
        """Whether it is a seed peer."""
        return bool(self.get("scheduler.manager.seedPeer.enable" if self.name == "dfget" else "seedPeer.enable", False))

    @property
    def keeps(self) -> tuple[int, str]:
        """For how many seconds it keeps a task after its last use, and the key that says so."""
        if self.name == "dfget":
            key, default = "storage.taskExpireTime", "6h"
        else:
            key, default = "gc.policy.taskTTL", "6h" if (self.release or (9,)) < (1, 2, 1) else "720h"
        seconds = parse_duration(get(self.config, self.name, key, default), self.name)
        return int(parse_duration(default, self.name) or 0) if seconds is None else int(seconds), key

    @property
    def port(self) -> t.Any:
        """Port or ports of its proxy as the file says them."""
        if self.name == "dfget":
            return get(self.config, self.name, "proxy.tcpListen.port", 0)
        return get(self.config, self.name, "proxy.server.port", 4001)

    @property
    def says_port(self) -> bool:
        """Whether the file says a port that can be read, if only that there is none."""
        return self.is_readable and isinstance(self.port, (int, dict))

    @property
    def address(self) -> str:
        """Address that its proxy is bound to; empty for all."""
        return self.text("proxy.tcpListen.listen" if self.name == "dfget" else "proxy.server.ip")

    def listens(self, host: str, port: int) -> bool:
        """Whether its proxy may listen on a port of a host."""
        if not may_reach(host, self.address):
            return False
        if isinstance(self.port, dict):
            start = self.port.get("start", 0)
            end = self.port.get("end", start)
            return isinstance(start, int) and isinstance(end, int) and start <= port <= max(start, end)
        return bool(port) and self.port == port

    def asks(self, route: Route, repository: str, digest: str) -> Asked:
        """What it makes of containerd's request for a blob.

        :param route: how containerd asks it.
        :param repository: as in the image reference.
        :param digest: of the blob.
        """
        path = f"{route.path}/{repository}/blobs/{digest}"
        asked = (self._go if self.name == "dfget" else self._rust)(route, path)
        key, header, status = _LOGINS[self.name]
        if get(self.config, self.name, key) is not None and not route.headers.get(header.lower()):
            words = {"client": self.name, "header": header, "status": status}
            asked.reasons.append(reason("no_login", self.path, key, **words))
        return asked

    def _header_or(self, route: Route, header: str, key: str | None) -> tuple[str, tuple[str, str]]:
        value = route.headers.get(header.lower(), "")
        if value or key is None:
            return value, (route.file, header)
        return self.text(key), (self.path, key)

    def _go(self, route: Route, path: str) -> Asked:
        """Source: dragonfly v2.1.67 client/daemon/{proxy/reverse_proxy,proxy/proxy,transport/transport}.go."""
        reasons = []
        told = {}
        base, told["base"] = self.text("proxy.registryMirror.url"), (self.path, "proxy.registryMirror.url")
        if not self.port:
            reasons.append(reason("proxy_off", self.path, "proxy.tcpListen.port"))
        if not base:
            reasons.append(reason("no_mirror", self.path, "proxy.registryMirror.url"))
        header = route.headers.get("x-dragonfly-registry", "")
        if header and self.get("proxy.registryMirror.dynamic", False):
            base, told["base"] = header, (route.file, "X-Dragonfly-Registry")
        elif header and header.rstrip("/") != base.rstrip("/"):
            told["base"] = (self.path, "proxy.registryMirror.dynamic")
        base = base.rstrip("/")
        url = base + path + ("?" + route.query if route.query else "")
        if self.get("proxy.registryMirror.direct", False):
            words = {"why": "it is set so", "remedy": "Set it to false."}
            reasons.append(reason("not_p2p", self.path, "proxy.registryMirror.direct", **words))
        elif self.get("proxy.registryMirror.useProxies", False):
            url, found = self._go_rules(url, told)
            reasons += found
        elif not re.match(r".+/blobs/sha256", path):
            words = {
                "why": "the Go client knows blobs of sha256 only",
                "remedy": "Build the image with sha256 digests.",
            }
            reasons.append(reason("not_p2p", **words))
        names, told["filter"] = self._header_or(route, "X-Dragonfly-Filter", "proxy.defaultFilter")
        tag, told["tag"] = self._header_or(route, "X-Dragonfly-Tag", "proxy.defaultTag")
        application, told["application"] = self._header_or(route, "X-Dragonfly-Application", "proxy.defaultApplication")
        return Asked(base, url, names.split("&") if names else [], tag, application, "", None, reasons, told)

    def _go_rules(self, url: str, told: dict[str, tuple[str, str]]) -> tuple[str, list[Reason]]:
        rules = [rule for rule in self.get("proxy.proxies", []) if isinstance(rule, dict)]
        index = first_match([str(get(rule, self.name, "regx", "")) for rule in rules], url)
        if index is None or get(rules[index], self.name, "direct"):
            why = (
                "no rule of proxy.proxies sends this blob to peers"
                if index is None
                else "the rule that matches says direct"
            )
            words = {"why": why, "remedy": "Set useProxies to false, or add the rule {regx: blobs/sha256.*}."}
            return url, [reason("not_p2p", self.path, "proxy.registryMirror.useProxies", **words)]
        rule, where = rules[index], f"proxy.proxies[{index}]"
        if get(rule, self.name, "useHTTPS") and url.startswith("http:"):
            url, told["rewritten"] = "https:" + url[len("http:") :], (self.path, f"{where}.useHTTPS")
        redirect = get(rule, self.name, "redirect") or ""
        if isinstance(redirect, str) and redirect:
            told["rewritten"] = (self.path, f"{where}.redirect")
            if "/" in redirect:
                # Go writes groups as $1 or ${1}.
                template = re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", redirect.replace("\\", "\\\\"))
                try:
                    url = re.sub(str(get(rule, self.name, "regx", "")), template, url)
                except (re.error, IndexError):
                    pass  # The URL is another one in any case, which is all that counts.
            else:
                url = urlsplit(url)._replace(netloc=redirect).geturl()
        return url, []

    def _rust(self, route: Route, path: str) -> Asked:
        """Source: client v1.4.2 dragonfly-client/src/proxy/{mod,header,query}.rs; mod.rs of v0.1.127 and v1.1.1."""
        release = self.release or (9,)
        reasons = []
        told = {}
        base, told["base"] = route.headers.get("x-dragonfly-registry", ""), (route.file, "X-Dragonfly-Registry")
        if not base and route.query and release >= (1, 3, 5):
            base, told["base"] = "https://" + route.query[len("ns=") :].replace("%3A", ":"), (route.file, "ns")
        if not base:
            base, told["base"] = (
                self.text("proxy.registryMirror.addr") or "https://index.docker.io",
                (
                    self.path,
                    "proxy.registryMirror.addr",
                ),
            )
        query = route.query if release >= (1, 1, 1) else ""
        url = base + path + ("?" + query if query else "")
        rules = [rule for rule in self.get("proxy.rules", []) if isinstance(rule, dict)]
        tested = url if release < (1, 2, 1) else base + path
        index = first_match([str(rule.get("regex", ".*")) for rule in rules], tested)
        rule = rules[index] if index is not None else {}
        use_p2p = route.headers.get("x-dragonfly-use-p2p", "").lower() == "true"
        if index is None and not use_p2p:
            why = "no rule matches this blob" if rules else "there is no rule"
            words = {"why": why, "remedy": "Add the rule {regex: 'blobs/sha256.*'}."}
            reasons.append(reason("not_p2p", self.path, "proxy.rules", **words))
        if rule.get("useTLS") and url.startswith("http:"):
            url, told["rewritten"] = "https:" + url[len("http:") :], (self.path, f"proxy.rules[{index}].useTLS")
        if isinstance(rule.get("redirect"), str):
            url = urlsplit(url)._replace(netloc=rule["redirect"]).geturl()
            told["rewritten"] = (self.path, f"proxy.rules[{index}].redirect")
        names = rule.get("filteredQueryParams")
        told["filter"] = (self.path, f"proxy.rules[{index}].filteredQueryParams")
        header = route.headers.get("x-dragonfly-filtered-query-params", "")
        if header:
            names, told["filter"] = header.split(","), (route.file, "X-Dragonfly-Filtered-Query-Params")
        if not isinstance(names, list):
            names = [name for name in DEFAULT_FILTERED_QUERY_PARAMS if name != "ns" or release >= (0, 1, 116)]
        tag, told["tag"] = self._header_or(route, "X-Dragonfly-Tag", None)
        application, told["application"] = self._header_or(route, "X-Dragonfly-Application", None)
        piece_length, told["piece_length"] = self._header_or(route, "X-Dragonfly-Piece-Length", None)
        fixed_id, told["fixed_id"] = self._fixed_id(route, url, release)
        return Asked(base, url, names, tag, application, piece_length, fixed_id, reasons, told)

    def _fixed_id(self, route: Route, url: str, release: tuple[int, ...]) -> tuple[str | None, tuple[str, str]]:
        content = route.headers.get("x-dragonfly-content-for-calculating-task-id", "")
        if content and release >= (0, 2, 25):
            return content_id(content), (route.file, "X-Dragonfly-Content-For-Calculating-Task-ID")
        name = "enableTaskIdBasedBlobDigest" if release < (1, 1, 8) else "enableTaskIDBasedBlobDigest"
        key = f"proxy.registryMirror.{name}"
        flag, where = self.get(key, False) and release >= (1, 1, 4), (self.path, key)
        header = route.headers.get("x-dragonfly-enable-task-id-based-blob-digest", "").lower()
        if header in ("true", "false") and release >= (1, 3, 3):
            flag, where = header == "true", (route.file, "X-Dragonfly-Enable-Task-ID-Based-Blob-Digest")
        return blob_digest_id(url) if flag else None, where
