# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan what the role containerd_mirrors does on a host, based on the facts of the host."""

from __future__ import annotations

import json
import posixpath
import re
import typing as t
from urllib.parse import urlsplit

import yaml

from ..module_utils._errors import InputError
from ..module_utils._release import at_least
from ._config.messages import Problem, problem, problem_dicts
from ._config.schema import checked_release
from ._containerd_config import Login, config_paths, containerd_problems, is_read, judge_config, unsent_auth
from ._containerd_files import Effective, plugin_id, presence_problems, read_config
from ._containerd_mirrors import Mirror, mirrors, proxy_problems
from ._hit.hosts_toml import rejected_hosts

ROLE = "dragonflyoss.dragonfly.containerd_mirrors"
DEFAULT_DIRECTORY = "_default"
_USUAL_CERTS_DIR = "/etc/containerd/certs.d"
#: Distributions that write the mirrors themselves, from registries.yaml.
_WITH_REGISTRIES = ("k3s", "rke2")
#: First release of the Rust client that reads the registry from containerd's query (proxy/query.rs).
_FIRST_WITH_NS = (1, 3, 5)


class Options(t.NamedTuple):
    """The variables of the role.

    :ivar certs_dir: directory of the mirrors; empty for the one of the host.
    :ivar default: whether to write ``_default/hosts.toml``.
    :ivar allowed: codes of accepted problems.
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
        """Return host and port of the proxy, by which containerd looks up credentials."""
        return urlsplit(self.proxy).netloc

    @property
    def login(self) -> Login | None:
        """Return the credentials for the mirror."""
        has_login = self.username and self.password
        return Login(self.mirror_host, self.username, self.password) if has_login else None

    def directory_names(self, named: t.Iterable[Mirror]) -> list[str]:
        """Return the directories, below that of the mirrors, of the hosts.toml that the role writes."""
        return [mirror.registry for mirror in named] + ([DEFAULT_DIRECTORY] if self.default else [])


def make_plan(facts: dict[str, t.Any], options: Options) -> dict[str, t.Any]:
    """Return the plan of the role.

    :param facts: of containerd, as the module host_info reports them.
    :returns: dict with ``config_path``, ``certs_dir``, ``unit``; ``writes``, which is ``hosts`` or ``registries``;
        ``needs_config`` and ``reads_config``, whether config.toml is written, and read for that; ``registries``, the
        file registries.yaml with ``path``, ``content`` and ``needed``; ``own``, ``foreign``, ``in_the_way`` and
        ``in_front``, paths of hosts.toml; ``shows_difference``, whether differences to these hold no secret;
        ``restart_needed``; ``problems``.
    :raises InputError: if a registry cannot be read.
    """
    named = mirrors(options.registries)
    effective = read_config(facts, checked_release(facts.get("version")))
    writes = "registries" if facts.get("distribution") in _WITH_REGISTRIES and not options.certs_dir else "hosts"
    certs_dir = _certs_dir(facts, effective, options)
    plan: dict[str, t.Any] = {
        "config_path": facts["config"]["path"],
        "certs_dir": certs_dir,
        "unit": _unit(facts).get("name") or "containerd.service",
        "writes": writes,
        "needs_config": False,
        "reads_config": False,
        "registries": {"path": facts.get("registries") or "", "content": "", "needed": False},
        "restart_needed": False,
        **_mirror_files(_files_below(certs_dir, facts), certs_dir, options.directory_names(named)),
    }
    problems = presence_problems(facts) + _option_problems(named, options)
    if writes == "registries":
        problems += _plan_registries(plan, facts, effective, named, options)
    else:
        problems += _plan_config(plan, facts, effective, options)
        problems += _rejected_files(named, effective, options)
    problems += _unsent_logins(named, effective, options)
    plan["problems"] = problem_dicts(problems, options.allowed)
    return plan


def _unit(facts: dict[str, t.Any]) -> dict[str, t.Any]:
    return facts.get("unit") or {}


def edited_config(facts: dict[str, t.Any], options: Options, text: str) -> str:
    """Return the text of config.toml that the role writes.

    :param text: of the file, with its secrets.
    """
    effective = read_config(facts, checked_release(facts.get("version")))
    whole = {**facts, "config": {**facts["config"], "text": text.lstrip("\ufeff")}}
    certs_dir = _certs_dir(facts, effective, options)
    return judge_config(whole, certs_dir, options.client, options.allowed, options.login).text


def _certs_dir(facts: dict[str, t.Any], effective: Effective, options: Options) -> str:
    """Return the directory of the mirrors: set by the user, or of the distribution, or the default."""
    if options.certs_dir:
        return posixpath.normpath(options.certs_dir)
    paths = config_paths(effective.plugin, effective.release)
    is_foreign = facts.get("distribution") not in (None, "containerd", "unknown")
    return paths[0] if is_foreign and len(paths) == 1 else _USUAL_CERTS_DIR


def _files_below(certs_dir: str, facts: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return the existing hosts.toml files by path."""
    present = [file for file in facts.get("hosts") or [] if file.get("exists", True)]
    return {file["path"]: file for file in present if file["path"].startswith(f"{certs_dir}/")}


def _mirror_files(present: dict[str, dict[str, t.Any]], certs_dir: str, names: list[str]) -> dict[str, t.Any]:
    """Return the existing hosts.toml files: written by the role, by others, and at the paths that the role writes.

    :param names: directories of those that the role writes.
    """
    own = sorted(path for path, file in present.items() if file.get("written_by") == ROLE)
    foreign = sorted(present.keys() - own)
    wanted = [posixpath.join(certs_dir, name, "hosts.toml") for name in names]
    return {
        "own": own,
        "foreign": foreign,
        "in_the_way": sorted(set(foreign) & set(wanted)),
        "in_front": sorted(_paths_in_front(certs_dir, names) & present.keys()),
        "shows_difference": not any(_may_hold_secret(present[path]) for path in present.keys() & wanted),
    }


def _paths_in_front(certs_dir: str, names: list[str]) -> set[str]:
    """Return the hosts.toml files that take precedence: containerd reads registry_5000_ before registry:5000."""
    with_port = [name.rpartition(":") for name in names if ":" in name]
    return {posixpath.join(certs_dir, f"{host}_{port}_", "hosts.toml") for host, _colon, port in with_port}


def _may_hold_secret(file: dict[str, t.Any]) -> bool:
    """Return whether the difference to a hosts.toml may show a secret: another header than that of the role."""
    # Headers besides that of the role have their names in quotes.
    return file.get("written_by") != ROLE or bool(re.search(r'(?m)^"|^\[?header', file.get("text") or ""))


def _option_problems(named: list[Mirror], options: Options) -> list[Problem]:
    problems = proxy_problems(options.proxy, options.client, "containerd_mirrors_proxy")
    names = options.directory_names(named)
    if options.login and (options.default or len(names) != 1):
        values = {"mirror": options.mirror_host, "names": ", ".join(names)}
        problems.append(problem("auth_for_several", "containerd_mirrors_username", **values))
    why = _why_default_is_unserved(options)
    if options.default and why:
        key = f"{DEFAULT_DIRECTORY}/hosts.toml"
        problems.append(problem("default_without_registry", key, client=options.client, why=why))
    return problems


def _why_default_is_unserved(options: Options) -> str:
    """Return why the client cannot serve registries without a header, empty if it can."""
    if options.client == "dfget":
        return "it fetches everything from proxy.registryMirror.url"
    release = checked_release(options.client_release)
    if options.client == "dfdaemon" and not at_least(release, _FIRST_WITH_NS, unknown=True):
        return "only 1.3.5 and later releases take it from the query of containerd"
    return ""


def _unsent_logins(named: list[Mirror], effective: Effective, options: Options) -> list[Problem]:
    if options.login:
        return []
    return [each for mirror in named for each in unsent_auth(effective, mirror.registry, options.mirror_host)]


def _rejected_files(named: list[Mirror], effective: Effective, options: Options) -> list[Problem]:
    """Return why the host's containerd would discard hosts.toml files of the role."""
    problems = []
    for name in options.directory_names(named):
        settings = options.server_options.get(name) or {}
        if not isinstance(settings, dict):
            raise InputError(f"containerd_mirrors_server_options: {name} must be a mapping of settings")
        # The role itself writes each header as a list of strings, and leaves out what is null.
        content = {key: value for key, value in settings.items() if value is not None}
        content.pop("header", None)
        error = rejected_hosts({**content, "host": {options.proxy: {}}}, effective.release)
        if error:
            problems.append(problem("hosts_toml_unused", f"{name}/hosts.toml", error=error))
    return problems


# --- config.toml


def _plan_config(
    plan: dict[str, t.Any], facts: dict[str, t.Any], effective: Effective, options: Options
) -> list[Problem]:
    """Add the changes of config.toml to a plan, and return their problems."""
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
        problems.append(problem("distribution_config", file=effective.path, **values))
    return problems


def _is_newer(file: dict[str, t.Any], facts: dict[str, t.Any]) -> bool:
    """Return whether a file was written after the unit that reads it started."""
    started, written = _unit(facts).get("since"), file.get("mtime")
    return bool(started and written and written > started)


def _is_own(file: dict[str, t.Any]) -> bool:
    """Return whether the role may write a file: it wrote it, or nothing is in it."""
    return not file.get("text") or file.get("written_by") == ROLE


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
    """Add the changes of registries.yaml to a plan, and return their problems."""
    if facts.get("settings_error") and "settings_unknown" not in options.allowed:
        return []
    file, is_newer = _registries_file(facts)
    present, unreadable = _parse_mirrors(file)
    if unreadable:
        return [unreadable]
    wanted = _endpoints(named, options)
    missing = _missing_endpoints(wanted, present)
    problems = [*effective.problems, *_lost_headers(named, facts, effective, options)]
    plan["restart_needed"] = not missing and is_newer
    if _is_own(file):
        content, is_needed = _dump_registries({**present, **wanted}, options.login), bool(missing or options.login)
    else:
        content, is_needed = _dump_registries(wanted), False
        problems += _foreign_problems(missing, content, facts, options)
    plan["registries"] = {"path": file["path"], "content": content, "needed": is_needed}
    return problems


def _registries_file(facts: dict[str, t.Any]) -> tuple[dict[str, t.Any], bool]:
    """Return registries.yaml, and whether the distribution has yet to read it, or another of its sources."""
    path, sources = facts["registries"], {file["path"]: file for file in facts.get("sources") or []}
    return sources.get(path, {"path": path}), any(_is_newer(file, facts) for file in sources.values())


def _foreign_problems(missing: list[str], content: str, facts: dict[str, t.Any], options: Options) -> list[Problem]:
    """Return a problem if a registries.yaml that the role must not write lacks endpoints."""
    if not missing:
        return []
    values = {"names": ", ".join(missing), "proxy": options.proxy, "distribution": facts["distribution"]}
    return [problem("registries_foreign", file=facts["registries"], content=content, **values)]


def _dump_registries(mirrors_by_name: dict[str, t.Any], login: Login | None = None) -> str:
    """Return the text of registries.yaml."""
    content: dict[str, t.Any] = {"mirrors": mirrors_by_name}
    if login:
        content["configs"] = {login.host: {"auth": {"username": login.username, "password": login.password}}}
    # By way of JSON, because yaml refuses the strings that Ansible tags.
    return yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=True)


def _parse_mirrors(file: dict[str, t.Any]) -> tuple[dict[str, t.Any], Problem | None]:
    """Return the mirrors of registries.yaml, and why they are unknown."""
    present, error = _mirrors_in(file.get("text") or "")
    error = file.get("error") or error
    return present, problem("config_unreadable", file=file["path"], error=error) if error else None


def _mirrors_in(text: str) -> tuple[dict[str, t.Any], str]:
    try:
        document = _or_empty(yaml.safe_load(text))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        return {}, f"it is not valid YAML (line {mark.line + 1 if mark else 'unknown'})"
    present = _or_empty(document.get("mirrors")) if isinstance(document, dict) else None
    return (present, "") if isinstance(present, dict) else ({}, "it is not a mapping with a mapping of mirrors")


def _or_empty(value: t.Any) -> t.Any:
    """Return a value of YAML, or an empty mapping for null. k3s rejects other empty values."""
    return {} if value is None else value


def _endpoints(named: list[Mirror], options: Options) -> dict[str, dict[str, list[str]]]:
    """Return the mirror of each registry with its endpoint at the proxy; ``*`` is any other registry."""
    proxy = options.proxy.rstrip("/")
    urls = {mirror.registry: f"{proxy}/v2/{mirror.prefix}" if mirror.prefix else proxy for mirror in named}
    if options.default:
        urls["*"] = proxy
    return {registry: {"endpoint": [url]} for registry, url in urls.items()}


def _missing_endpoints(wanted: dict[str, dict[str, list[str]]], present: dict[str, t.Any]) -> list[str]:
    """Return the registries without this endpoint as the first one."""
    return [name for name, mirror in wanted.items() if mirror["endpoint"] != [_first_endpoint(present.get(name))]]


def _first_endpoint(mirror: t.Any) -> str:
    endpoints = mirror.get("endpoint") if isinstance(mirror, dict) else None
    return str(endpoints[0]).rstrip("/") if isinstance(endpoints, list) and endpoints else ""


def _lost_headers(
    named: list[Mirror], facts: dict[str, t.Any], effective: Effective, options: Options
) -> list[Problem]:
    """Return a problem if registries.yaml cannot express the headers."""
    why = "; ".join(_why_headers_matter(named, options))
    if not why:
        return []
    paths = config_paths(effective.plugin, effective.release)
    certs_dir = paths[0] if paths else posixpath.join(posixpath.dirname(effective.path), "certs.d")
    values = {"distribution": facts["distribution"], "why": why, "certs_dir": certs_dir}
    return [problem("header_lost", file=facts["registries"], **values)]


def _why_headers_matter(named: list[Mirror], options: Options) -> t.Iterator[str]:
    elsewhere = _registries_elsewhere(named)
    if options.client == "dfdaemon" and elsewhere:
        yield f"the Rust client takes the registry from the query of containerd: {elsewhere}"
    if options.client == "dfget" and len(named) > 1:
        names = ", ".join(mirror.registry for mirror in named)
        yield f"the Go client fetches all of {names} from proxy.registryMirror.url"
    if options.headers:
        yield "containerd_mirrors_headers are not sent"


def _registries_elsewhere(named: list[Mirror]) -> str:
    """Return a text that lists the registries whose base URL is not https://NAME."""
    urls = [(f"https://{mirror.registry}", mirror.origin) for mirror in named]
    return ", ".join(f"{url} instead of {origin}" for url, origin in urls if origin != url)
