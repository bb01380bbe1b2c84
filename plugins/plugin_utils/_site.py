# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive variables of the playbook ``site`` from its inventory: how the parts of a cluster reach each other."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ._config.packages import find_release, source
from ._config.server_facts import join_address, local_address
from ._config.values import is_local_only
from ._role_values import role_value_problems
from ._variable_values import read_mapping

Variables = Mapping[str, t.Any]

_REDIS = ("addrs", "master_name", "username", "password", "broker_db", "backend_db")
#: Those that the playbook runs, and itself.
_ROLES = ("_site", "manager", "scheduler", "dfdaemon", "preheat", "containerd_mirrors", "registries_conf")
_STATES = ("manager_state", "scheduler_state", "dfdaemon_state", "preheat_state")


def site_defaults(
    hostvars: Mapping[str, Variables], groups: Mapping[str, list[str]], host: str = "", url: str = ""
) -> dict[str, t.Any]:
    """Return the variables of roles that follow from those of the first manager and the first scheduler.

    :param hostvars: variables by host, with the facts of the first manager.
    :param groups: hosts by group: ``managers``, ``schedulers``.
    :param host: name or address of the manager that the user gives, empty for the one that the first manager announces.
    :param url: of its REST API that the user gives, or empty.
    """
    manager, scheduler = hostvars[groups["managers"][0]], hostvars[groups["schedulers"][0]]
    rest_host = host or _rest_host(manager)
    host = host or announced_address(manager)
    release = known_release(manager, "manager")
    defaults = {
        "manager_scheduler_release": known_release(scheduler, "scheduler") or release,
        "scheduler_manager_addr": join_address(host, _grpc_port(manager)),
        "scheduler_manager_release": release,
        "scheduler_hosts": list(groups["schedulers"]),
        "dfdaemon_manager_addr": f"http://{join_address(host, _grpc_port(manager))}",
        "dfdaemon_manager_release": release,
        "dfdaemon_cluster_id": scheduler.get("scheduler_cluster_id", 1),
        "preheat_url": url or _rest_url(manager, rest_host),
        **_redis(manager),
        **_archive(manager),
    }
    return {"host": host, "manager_release": release, **defaults}


def announced_address(manager: Variables) -> str:
    """Return the address that a manager announces: from its configuration, or its default route, or its name."""
    configured = _section(manager, "server", "grpc", "advertiseIP") or manager.get("manager_advertise_ip")
    facts = manager.get("ansible_facts") or {}
    routes = [(facts.get(name) or {}).get("address") for name in ("default_ipv4", "default_ipv6")]
    names = [manager.get(name) for name in ("ansible_host", "inventory_hostname")]
    return str(next(filter(None, [configured, *routes, *names]), None))


def known_release(variables: Variables, daemon: str) -> str:
    """Return the release of a daemon in its variables, or an empty text."""
    return find_release(*(str(variables.get(f"{daemon}_{option}") or "") for option in ("release", "install_source")))


def _section(variables: Variables, *keys: str) -> t.Any:
    """Return a part of ``manager_config``, or None."""
    part: t.Any = read_mapping(variables.get("manager_config") or {}, "manager_config")
    for key in keys:
        part = part.get(key) if isinstance(part, Mapping) else None
    return part


def _grpc_port(manager: Variables) -> int:
    port = _section(manager, "server", "grpc", "port")
    if isinstance(port, Mapping):
        port = port.get("start")
    return int(port or manager.get("manager_grpc_port") or 65003)


def _rest_listen(manager: Variables) -> str:
    return str(_section(manager, "server", "rest", "addr") or manager.get("manager_rest_addr") or ":8080")


def _rest_host(manager: Variables) -> str:
    """Return the host of the REST API: the address on which it listens, or the announced one if it listens on all."""
    host = _rest_listen(manager).rpartition(":")[0].strip("[]")
    return announced_address(manager) if host in ("", "0.0.0.0", "::") else host


def _rest_url(manager: Variables, host: str) -> str:
    scheme = "https" if _section(manager, "server", "rest", "tls") else "http"
    return f"{scheme}://{join_address(host, local_address(_rest_listen(manager))['port'])}"


def _redis(manager: Variables) -> dict[str, t.Any]:
    """Return the manager's Redis in the format of a scheduler."""
    names = {f"manager_redis_{name}": f"scheduler_redis_{name}" for name in _REDIS}
    given = {names[name]: manager[name] for name in names if name in manager}
    defaults = {"addrs": [], "master_name": "", "username": "", "password": "", "broker_db": 1, "backend_db": 2}
    return {**{f"scheduler_redis_{name}": value for name, value in defaults.items()}, **given}


def _archive(manager: Variables) -> dict[str, str]:
    """Return the manager's archive for the scheduler, because upstream publishes both together."""
    given = str(manager.get("manager_install_source") or "")
    is_archive = source(given)["kind"] == "archive"
    return {
        "scheduler_install_source": given if is_archive else "",
        "scheduler_install_checksum": str(manager.get("manager_install_checksum") or "") if is_archive else "",
    }


def inventory_problems(own: Variables, first: Variables, name: str, names: list[str]) -> list[str]:
    """Return why the variables of a host do not work with the playbook, as sentences.

    :param own: variables of the host.
    :param first: variables of the first manager.
    :param name: of the first manager.
    :param names: of the options of the playbook.
    """
    problems = _differences(own, first, name, names)
    problems += [problem for role in _ROLES for problem in role_value_problems(own, role)]
    invalid = role_value_problems(first, "manager")
    problems += [problem for problem in invalid if problem not in problems]
    problems += _option_problems(own)
    return problems if invalid else problems + _address_problems(own, first, name)


def _option_problems(own: Variables) -> list[str]:
    problems = _state_problems(own)
    if own.get("preheat_client", "dfdaemon") != "dfdaemon":
        problems.append("preheat_client must be dfdaemon: this playbook sets up the Rust client on seeds and nodes.")
    token_file = str(own.get("site_token_file") or "/")
    if not token_file.startswith(("/", "~", "$")):
        problems.append(
            f"site_token_file is {token_file}, which Ansible would look up in the directory of the playbook. Set it to "
            "an absolute path, or to one that begins with ~/."
        )
    return problems


def _differences(own: Variables, first: Variables, name: str, names: list[str]) -> list[str]:
    """Return a problem for each option that differs from that of the first manager, see inventory_problems."""
    return [
        f"{option} is not the same as for {name}. Set it once for all hosts, such as in group_vars/all/vars.yml."
        for option in names
        if own.get(option) != first.get(option)
    ]


def _state_problems(own: Variables) -> list[str]:
    """Return a problem for each role that would remove something, see inventory_problems."""
    return [
        f"{state} is {own[state]}, but this playbook sets up a cluster. The guide 'From bare hosts to a warm cluster' "
        "describes how to remove one."
        for state in _STATES
        if own.get(state, "present") != "present"
    ]


def _address_problems(own: Variables, first: Variables, name: str) -> list[str]:
    """Return why hosts or the controller do not reach the first manager, see inventory_problems."""
    problems = []
    host = own.get("site_manager_host")
    if is_local_only(str(host or announced_address(first))):
        problems.append(
            "Other hosts cannot reach the manager at a loopback address. Set site_manager_host, or "
            f"manager_advertise_ip of {name}, to an address that schedulers, clients and the controller reach."
        )
    elif not host and not own.get("site_manager_url") and is_local_only(_rest_host(first)):
        problems.append(
            f"The REST API of {name} listens on {_rest_listen(first)}, where the controller cannot reach it. Set "
            "manager_rest_addr to another address, or site_manager_url to the URL of a proxy in front of it."
        )
    return problems
