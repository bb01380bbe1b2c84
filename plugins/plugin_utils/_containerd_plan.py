# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role containerd_mirrors does on a host, decided by the facts of the host.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
import posixpath
import re
import typing as t
from urllib.parse import urlsplit

import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import Problem, problem
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.schema import checked_release
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_config import (
    Login,
    config_paths,
    containerd_problems,
    is_read,
    judge_config,
    unsent_auth,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_files import (
    Effective,
    plugin_id,
    presence_problems,
    read_config,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import (
    Mirror,
    mirrors,
    proxy_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.hosts_toml import rejected_hosts

ROLE = "dragonflyoss.dragonfly.containerd_mirrors"
DEFAULT_FOLDER = "_default"
_USUAL_CERTS_DIR = "/etc/containerd/certs.d"
#: Distributions that write the mirrors themselves, from registries.yaml.
_WITH_REGISTRIES = ("k3s", "rke2")
#: First release of the Rust client that takes the registry from the query of containerd (proxy/query.rs).
_FIRST_WITH_NS = (1, 3, 5)


class Options(t.NamedTuple):
    """What the user says, as the variables of the role.

    :ivar certs_dir: directory of the mirrors; empty for the one of the host.
    :ivar default: whether ``_default/hosts.toml`` is wanted.
    :ivar allowed: codes of problems that do not count.
    """

    registries: dict[str, t.Any]
    proxy: str = ""
    client: str = "none"
    client_release: str = ""
    certs_dir: str = ""
    default: bool = False
    headers: dict[str, t.Any] = {}
    server_options: dict[str, t.Any] = {}
    username: str = ""
    password: str = ""
    allowed: t.Sequence[str] = ()

    @property
    def mirror_host(self) -> str:
        """Return host and port of the proxy, as containerd looks up credentials."""
        return urlsplit(self.proxy).netloc

    @property
    def login(self) -> Login | None:
        """Return the credentials for the mirror."""
        return Login(self.mirror_host, self.username, self.password) if self.username and self.password else None


def make_plan(facts: dict[str, t.Any], options: Options) -> dict[str, t.Any]:
    """Return what the role does.

    :param facts: of containerd, as the module host_info reports them.
    :returns: dict with ``config_path``, ``certs_dir``, ``unit``; ``writes``, which is ``hosts`` or ``registries``;
        ``needs_config`` and ``reads_config``, whether config.toml is written, and read for that; ``registries``, the
        file registries.yaml with ``path``, ``content`` and ``needed``; ``own``, ``foreign``, ``in_the_way`` and
        ``in_front``, paths of hosts.toml; ``shows_difference``, whether differences to these hold no secret;
        ``restart_needed``; ``problems``.
    :raises InputError: if a registry cannot be read.
    """
    named = mirrors(options.registries)
    effective = read_config(facts, checked_release(facts.get("version") or None))
    writes = "registries" if facts.get("distribution") in _WITH_REGISTRIES and not options.certs_dir else "hosts"
    certs_dir = _certs_dir(facts, effective, options)
    plan: dict[str, t.Any] = {
        "config_path": facts["config"]["path"],
        "certs_dir": certs_dir,
        "unit": (facts.get("unit") or {}).get("name") or "containerd.service",
        "writes": writes,
        "needs_config": False,
        "reads_config": False,
        "registries": {"path": facts.get("registries") or "", "content": "", "needed": False},
        "restart_needed": False,
        **_mirror_files(facts, certs_dir, named, options.default),
    }
    problems = presence_problems(facts) + _option_problems(named, options)
    if writes == "registries":
        problems += _plan_registries(plan, facts, effective, named, options)
    else:
        problems += _plan_config(plan, facts, effective, options)
        problems += _rejected_files(named, effective, options)
    for mirror in named if not options.login else []:
        problems += unsent_auth(effective, mirror.registry, options.mirror_host)
    unique = [each for each in dict.fromkeys(problems) if each.code not in options.allowed]
    plan["problems"] = [{**each._asdict(), "message": each.message} for each in unique]
    return plan


def edited_config(facts: dict[str, t.Any], options: Options, text: str) -> str:
    """Return the text of config.toml that the role writes.

    :param text: of the file, with its secrets.
    """
    effective = read_config(facts, checked_release(facts.get("version") or None))
    whole = {**facts, "config": {**facts["config"], "text": text.lstrip("\ufeff")}}
    certs_dir = _certs_dir(facts, effective, options)
    return judge_config(whole, certs_dir, options.client, options.allowed, options.login).text


def _certs_dir(facts: dict[str, t.Any], effective: Effective, options: Options) -> str:
    """Return the directory of the mirrors: the user's, else that of the distribution, else the usual one."""
    if options.certs_dir:
        return posixpath.normpath(options.certs_dir)
    paths = config_paths(effective.plugin, effective.release)
    is_foreign = facts.get("distribution") not in (None, "containerd", "unknown")
    return paths[0] if is_foreign and len(paths) == 1 else _USUAL_CERTS_DIR


def _mirror_files(facts: dict[str, t.Any], certs_dir: str, named: list[Mirror], default: bool) -> dict[str, t.Any]:
    """Return the hosts.toml that are there: written by the role, by others, and those in the way of the role's."""
    directory = certs_dir + "/"
    files = [
        file for file in facts.get("hosts") or [] if file["path"].startswith(directory) and file.get("exists", True)
    ]
    own = sorted(file["path"] for file in files if file.get("written_by") == ROLE)
    foreign = sorted(file["path"] for file in files if file["path"] not in own)
    names = [mirror.registry for mirror in named] + ([DEFAULT_FOLDER] if default else [])
    wanted = [posixpath.join(certs_dir, name, "hosts.toml") for name in names]
    # containerd reads the directory registry_5000_ before the directory registry:5000.
    pairs = [name.rpartition(":") for name in names if ":" in name]
    before = [posixpath.join(certs_dir, f"{host}_{port}_", "hosts.toml") for host, _colon, port in pairs]
    return {
        "own": own,
        "foreign": foreign,
        "in_the_way": sorted(set(foreign) & set(wanted)),
        "in_front": sorted(set(before) & {*own, *foreign}),
        "shows_difference": not any(_may_hold_secret(file) for file in files if file["path"] in wanted),
    }


def _may_hold_secret(file: dict[str, t.Any]) -> bool:
    """Return whether the difference to a hosts.toml may show a secret: another header than that of the role."""
    # Headers besides that of the role have their names in quotes.
    return file.get("written_by") != ROLE or bool(re.search(r'(?m)^"|^\[?header', file.get("text") or ""))


def _option_problems(named: list[Mirror], options: Options) -> list[Problem]:
    problems = proxy_problems(options.proxy, options.client, "containerd_mirrors_proxy")
    if options.login and (options.default or len(named) != 1):
        names = ", ".join([mirror.registry for mirror in named] + ([DEFAULT_FOLDER] if options.default else []))
        values = {"mirror": options.mirror_host, "names": names}
        problems.append(problem("auth_for_several", "containerd_mirrors_username", **values))
    release = checked_release(options.client_release or None)
    why = ""
    if options.client == "dfget":
        why = "it fetches everything from proxy.registryMirror.url"
    elif options.client == "dfdaemon" and release is not None and release < _FIRST_WITH_NS:
        why = "only 1.3.5 and later releases take it from the query of containerd"
    if options.default and why:
        key = f"{DEFAULT_FOLDER}/hosts.toml"
        problems.append(problem("default_without_registry", key, client=options.client, why=why))
    return problems


def _rejected_files(named: list[Mirror], effective: Effective, options: Options) -> list[Problem]:
    """Return for each hosts.toml of the role why the containerd of the host would discard it."""
    problems = []
    names = [mirror.registry for mirror in named] + ([DEFAULT_FOLDER] if options.default else [])
    for name in names:
        settings = options.server_options.get(name) or {}
        if not isinstance(settings, dict):
            raise InputError(f"containerd_mirrors_server_options: {name} must be a mapping of settings")
        # The role itself writes each header as a list of strings, and leaves out what is null.
        content = {key: value for key, value in settings.items() if key != "header" and value is not None}
        error = rejected_hosts({**content, "host": {options.proxy: {}}}, effective.release)
        if error:
            problems.append(problem("hosts_toml_unused", f"{name}/hosts.toml", error=error))
    return problems


# --- config.toml


def _plan_config(
    plan: dict[str, t.Any], facts: dict[str, t.Any], effective: Effective, options: Options
) -> list[Problem]:
    """Add to a plan what config.toml needs, and return why it cannot be so."""
    if facts.get("distribution") in (None, "containerd", "unknown"):
        verdict = judge_config(facts, plan["certs_dir"], options.client, options.allowed, options.login)
        plan["needs_config"] = verdict.needed
        plan["reads_config"] = verdict.needed or options.login is not None
        plan["restart_needed"] = _is_newer(facts["config"], facts) and is_read(effective, plan["certs_dir"])
        return verdict.problems
    problems = [*effective.problems, *containerd_problems(effective, options.client)]
    if not is_read(effective, plan["certs_dir"]) or options.login:
        remedy = _distribution_remedy(facts["distribution"], effective, plan["certs_dir"], options)
        values = {"distribution": facts["distribution"], "remedy": remedy}
        problems.append(problem("distribution_config", effective.path, **values))
    return problems


def _is_newer(file: dict[str, t.Any], facts: dict[str, t.Any]) -> bool:
    """Return whether a file was written after the unit that reads it started."""
    started = (facts.get("unit") or {}).get("since")
    return bool(started and file.get("mtime") and file["mtime"] > started)


def _distribution_remedy(name: str, effective: Effective, certs_dir: str, options: Options) -> str:
    version = effective.config.get("version", 2)
    table = f'[plugins."{plugin_id(version)}".registry]'
    if name == "microk8s":
        file, directory, unit = (
            "/var/snap/microk8s/current/args/containerd-template.toml",
            "${SNAP_DATA}/args/certs.d",
            "snap restart microk8s.daemon-containerd",
        )
    elif name == "k0s":
        file, directory, unit = "/etc/k0s/containerd.d/dragonfly.toml", certs_dir, "systemctl restart k0sworker"
    else:
        return "Do not set containerd_mirrors_certs_dir, or set it to the directory in config_path of this file."
    lines = [f"version = {version}", table, f'config_path = "{directory}"']
    if options.login:
        auth = f'plugins."{plugin_id(version)}".registry.configs."{options.mirror_host}".auth'
        lines += [f"[{auth}]", 'username = "..."', 'password = "..."']
    content = "\n".join(lines)
    return f"Put this into {file} and run {unit}:\n{content}"


# --- registries.yaml


def _plan_registries(
    plan: dict[str, t.Any], facts: dict[str, t.Any], effective: Effective, named: list[Mirror], options: Options
) -> list[Problem]:
    """Add to a plan what registries.yaml needs, and return why it cannot be so."""
    if facts.get("settings_error") and "settings_unknown" not in options.allowed:
        return []
    path, name = facts["registries"], facts["distribution"]
    file = next((file for file in facts.get("sources") or [] if file["path"] == path), {"path": path})
    document, unreadable = _parse_registries(file)
    if unreadable:
        return [unreadable]
    wanted = {mirror.registry: {"endpoint": [_endpoint(options.proxy, mirror.prefix)]} for mirror in named}
    if options.default:
        wanted["*"] = {"endpoint": [_endpoint(options.proxy, "")]}
    present = document.get("mirrors") or {}
    missing = [registry for registry in wanted if not _begins_with(present.get(registry), wanted[registry])]
    is_own = not file.get("text") or file.get("written_by") == ROLE
    content: dict[str, t.Any] = {"mirrors": {**(present if is_own else {}), **wanted}}
    if options.login and is_own:
        auth = {"username": options.username, "password": options.password}
        content["configs"] = {options.mirror_host: {"auth": auth}}
    is_needed = is_own and bool(missing or options.login)
    registries = {"path": path, "content": _dump_yaml(content), "needed": is_needed}
    plan["registries"] = registries
    sources = facts.get("sources") or []
    plan["restart_needed"] = not missing and any(_is_newer(source, facts) for source in sources)
    problems = [*effective.problems, *_lost_headers(named, facts, effective, options)]
    if missing and not is_own:
        values = {"names": ", ".join(missing), "proxy": options.proxy, "distribution": name}
        problems.append(problem("registries_foreign", path, content=registries["content"], **values))
    return problems


def _dump_yaml(content: dict[str, t.Any]) -> str:
    # By way of JSON, because yaml refuses the strings that Ansible tags.
    return yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=True)


def _parse_registries(file: dict[str, t.Any]) -> tuple[dict[str, t.Any], Problem | None]:
    """Return what registries.yaml holds, and why that is not known."""
    error = file.get("error")
    try:
        document = yaml.safe_load(file.get("text") or "") or {}
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        document, error = {}, f"it is not valid YAML (line {mark.line + 1 if mark else 'unknown'})"
    if not isinstance(document, dict) or not isinstance(document.get("mirrors") or {}, dict):
        document, error = {}, "it is not a mapping with a mapping of mirrors"
    return document, problem("config_unreadable", file["path"], error=error) if error else None


def _endpoint(proxy: str, prefix: str) -> str:
    return proxy.rstrip("/") + (f"/v2/{prefix}" if prefix else "")


def _begins_with(mirror: t.Any, wanted: dict[str, t.Any]) -> bool:
    """Return whether the first endpoint of a mirror is the wanted one."""
    endpoints = mirror.get("endpoint") if isinstance(mirror, dict) else None
    first = endpoints[0] if isinstance(endpoints, list) and endpoints else ""
    return str(first).rstrip("/") == wanted["endpoint"][0]


def _lost_headers(
    named: list[Mirror], facts: dict[str, t.Any], effective: Effective, options: Options
) -> list[Problem]:
    """Return what the headers would say that registries.yaml cannot carry."""
    why = []
    inferred = {mirror.registry: f"https://{mirror.registry}" for mirror in named}
    differing = [mirror for mirror in named if mirror.origin != inferred[mirror.registry]]
    if options.client == "dfdaemon" and differing:
        pairs = ", ".join(f"{inferred[mirror.registry]} instead of {mirror.origin}" for mirror in differing)
        why.append(f"the Rust client takes the registry from the query of containerd: {pairs}")
    if options.client == "dfget" and len(named) > 1:
        names = ", ".join(mirror.registry for mirror in named)
        why.append(f"the Go client fetches all of {names} from proxy.registryMirror.url")
    if options.headers:
        why.append("containerd_mirrors_headers are not sent")
    if not why:
        return []
    paths = config_paths(effective.plugin, effective.release)
    certs_dir = paths[0] if paths else posixpath.join(posixpath.dirname(effective.path), "certs.d")
    values = {"distribution": facts["distribution"], "why": "; ".join(why), "certs_dir": certs_dir}
    return [problem("header_lost", facts["registries"], **values)]
