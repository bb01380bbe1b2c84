# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan what the role registries_conf does on a host, based on the facts of the host."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..module_utils._image import DOCKER_HUB
from ._config.messages import Problem, problem, problem_dicts
from ._config.server_facts import CONNECTABLE, join_address
from ._containerd_mirrors import PROXY_PORTS, Mirror, mirrors, proxy_problems
from ._hit.client import Client
from ._hit.pull import CLIENTS
from ._hit.setting import Setting
from ._registries_conf import Entry, Registries, read_registries, unsent_login

ROLE = "dragonflyoss.dragonfly.registries_conf"


class Options(t.NamedTuple):
    """The variables of the role.

    :ivar proxy: URL of the client's proxy; empty for that in the client's configuration.
    :ivar registry_mirror: base URL that the client requests; empty for that in its configuration.
    :ivar drop_in: name of the file that the role writes.
    :ivar insecure_registries: names of registries whose certificates are not checked.
    :ivar keeps_entries: whether to keep entries of earlier runs for other registries.
    :ivar allowed: codes of accepted problems.
    """

    registries: dict[str, t.Any]
    client: str = "none"
    proxy: str = ""
    registry_mirror: str = ""
    drop_in: str = "50-dragonfly.conf"
    insecure_registries: t.Sequence[str] = ()
    keeps_entries: bool = False
    allowed: t.Sequence[str] = ()


def make_plan(facts: dict[str, t.Any], options: Options) -> dict[str, t.Any]:
    """Return the plan of the role.

    :param facts: of the module host_info.
    :returns: dict with ``path`` of the drop-in, ``is_own``, whether the role wrote the one that is there; ``entries``,
        dicts with ``prefix``, ``location``, ``insecure`` and ``mirror``; ``reloads_crio``; ``problems``.
    :raises InputError: if a registry cannot be read.
    """
    conf = facts["registries_conf"]
    path = f"{conf['main']['path']}.d/{options.drop_in}"
    client = _configured_client(facts["clients"], options.client)
    proxy = _proxy(client, options)
    named = mirrors(options.registries)
    drop_ins = {file["path"]: file for file in conf["drop_ins"]}
    own = drop_ins.pop(path, None)
    is_own = own is not None and own.get("written_by") == ROLE
    others = read_registries({**conf, "drop_ins": list(drop_ins.values())})
    entries = [_entry(mirror, proxy, options) for mirror in named]
    if options.keeps_entries and is_own:
        entries = _with_earlier(entries, conf, path, proxy)
    problems = [
        *_presence_problems(conf),
        *proxy_problems(options.proxy, options.client, "registries_conf_proxy"),
        *_foreign_problems(own),
        *others.problems,
        *_served_problems(named, client, options),
        *_taken_problems(named, others, path),
    ]
    for mirror in named:
        problems += unsent_login(conf["logins"], mirror.registry, "", proxy)
    return {
        "path": path,
        "is_own": is_own,
        "entries": entries,
        "reloads_crio": (conf.get("unit") or {}).get("state") == "active",
        "problems": problem_dicts(problems, options.allowed),
    }


def _configured_client(clients: dict[str, dict[str, t.Any]], name: str) -> Client | None:
    """Return the client that the user names, None without one or without its configuration."""
    has_config = name in CLIENTS and bool(clients[name]["config"].get("text"))
    return CLIENTS[name](clients[name]) if has_config else None


def _proxy(client: Client | None, options: Options) -> str:
    """Return host and port of the client's proxy, as the runtimes reach it."""
    if options.proxy:
        return urlsplit(options.proxy).netloc
    address = client.address.strip("[]") if client else ""
    port: t.Any = client.port if client else PROXY_PORTS.get(options.client)
    port = port.get("start") if isinstance(port, dict) else port
    return join_address(CONNECTABLE.get(address, address), port)


def _entry(mirror: Mirror, proxy: str, options: Options) -> dict[str, t.Any]:
    host = urlsplit(mirror.origin).netloc
    is_hub = mirror.registry == "docker.io" and mirror.url == DOCKER_HUB
    suffix = f"/{mirror.prefix}" if mirror.prefix else ""
    return {
        "prefix": mirror.registry,
        "location": "docker.io" if is_hub else f"{host}{suffix}",
        "insecure": mirror.url.startswith("http:") or mirror.registry in options.insecure_registries,
        "mirror": f"{proxy}{suffix}",
    }


def _with_earlier(entries: list[dict[str, t.Any]], conf: dict[str, t.Any], path: str, proxy: str) -> list[t.Any]:
    """Return entries and those of the role's file for other registries that use the same proxy."""
    by_prefix = {entry["prefix"]: entry for entry in entries}
    for earlier in read_registries(conf).everywhere:
        mirror = earlier.mirrors[0].location if earlier.mirrors else ""
        if earlier.file == path and mirror.partition("/")[0] == proxy:
            values = {"location": earlier.location, "insecure": earlier.insecure, "mirror": mirror}
            by_prefix.setdefault(earlier.prefix, {"prefix": earlier.prefix, **values})
    return [by_prefix[prefix] for prefix in sorted(by_prefix)]


def _foreign_problems(own: dict[str, t.Any] | None) -> list[Problem]:
    """Return a problem if the file of the role is there, but was not written by the role."""
    is_foreign = own is not None and own.get("written_by") != ROLE
    return [problem("drop_in_foreign", file=own["path"])] if own and is_foreign else []


def _presence_problems(conf: dict[str, t.Any]) -> list[Problem]:
    problems = []
    if not conf["runtimes"]:
        problems.append(problem("no_such_runtime", "registries_conf", runtime="podman, CRI-O, Buildah or Skopeo"))
    if conf.get("of_root"):
        problems.append(problem("registries_conf_of_root", file=conf["of_root"]["path"], main=conf["main"]["path"]))
    return problems


def _served_problems(named: list[Mirror], client: Client | None, options: Options) -> list[Problem]:
    """Return a problem for each registry that the client would not request."""
    if options.registry_mirror:
        served = Setting(options.registry_mirror.rstrip("/"), "registries_conf_registry_mirror")
    elif client is not None:
        served = client.mirror_url
    else:
        return [problem("no_client_config", "registries_conf_client", client=options.client)]
    problems = []
    for mirror in named:
        if mirror.origin != served.value.rstrip("/"):
            values = {"served": served.value or "nothing", "registry": mirror.registry, "wanted": mirror.origin}
            problems.append(problem("registry_not_served", served.key, file=served.file, **values))
    return problems


def _taken_problems(named: list[Mirror], others: Registries, path: str) -> list[Problem]:
    """Return a problem for each entry of another file that overrides the role's, or is overridden by it."""
    problems = []
    for entry in others.everywhere:
        for mirror in named:
            if entry.prefix == mirror.registry or entry.prefix.startswith(f"{mirror.registry}/"):
                which = _which_counts(entry, mirror, path)
                values = {"prefix": entry.prefix, "registry": mirror.registry, "which": which}
                problems.append(problem("registries_conf_taken", file=entry.file, **values))
    return problems


def _which_counts(entry: Entry, mirror: Mirror, path: str) -> str:
    if entry.prefix != mirror.registry:
        return "it where the longer prefix matches"
    is_later = entry.file.rpartition("/")[0] == path.rpartition("/")[0] and entry.file > path
    return "it alone" if is_later else "the role's alone, without its settings"
