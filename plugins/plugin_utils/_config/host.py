# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive facts for the roles of the daemons from the registered results of their tasks."""

from __future__ import annotations

import base64
import datetime
import posixpath
import re
import typing as t

from ...module_utils._release import parse_release
from .._site import inventory_problems, site_defaults
from .machines import other_machine
from .packages import release, source
from .rust_checker import dynconfig
from .server_facts import databases, environment_line, join_address, local_address, other_schedulers, user_id
from .service_options import unit_lines
from .writer import to_yaml, yaml_value

# A line of "ss --listening --tcp --numeric --processes": the address of the host comes first, and may have a zone. One
# that is mapped to IPv6 is an IPv4 address.
_SOCKET = re.compile(r"\s\[?(?:::ffff:)?([^\s\]%]+)(?:[\]%]\S*)?:([0-9]+)\s")
# A line of "tar --list --verbose --absolute-names --quoting-style=c": type and mode, owner, size, date, time, name,
# and perhaps a target.
_MEMBER = re.compile(
    r'(?P<type>\S)\S*\s+\S+\s+\S+\s+\S+\s+\S+\s+"(?P<name>(?:[^"\\]|\\.)*)"'
    r'(?:\s+(?:->|link to)\s+"(?P<target>(?:[^"\\]|\\.)*)")?\Z'
)
_SECRET = re.compile(
    r"auth|passw|token|secret|credential|header|environment|private key|tlsconfig|resourceclients|://[^/\s]*@",
    re.IGNORECASE,
)
#: The first Rust clients with a flag to log to the journal (dragonfly-client/src/bin/dfdaemon/main.rs).
_FIRST_WITH_VERBOSE, _FIRST_WITH_CONSOLE = (0, 1, 17), (0, 2, 31)


def lines_about(lines: list[str], subject: str) -> list[str]:
    """Return the lines about a subject, without its name.

    :param lines: of roles/_daemon/templates/host-state.sh.j2.
    """
    return [line.removeprefix(f"{subject} ") for line in lines if line.startswith(f"{subject} ")]


def console_flag(client_release: str) -> str:
    """Return the flag to log to the journal of a release of the Rust client, after a space; empty without one.

    Without the flag, releases 1.4.1 and later log only to files, of up to 1 GiB each from 1.4.3 on.
    """
    numbers = parse_release(client_release) or _FIRST_WITH_CONSOLE
    if numbers < _FIRST_WITH_VERBOSE:
        return ""
    return " --console" if numbers >= _FIRST_WITH_CONSOLE else " --verbose"


def taken_addresses(lines: list[str], pid: int) -> list[str]:
    """Return the addresses on which other programs than a daemon listen, as ``HOST:PORT``, sorted.

    :param lines: of ss; it names the process of each socket.
    :param pid: process of the daemon, whose addresses are omitted; 0 if it is not running.
    """
    matches = [_SOCKET.search(line) for line in lines if f"pid={pid}," not in line]
    return sorted({join_address(match.group(1), int(match.group(2))) for match in matches if match})


def missing(results: list[dict[str, t.Any]]) -> list[str]:
    """Return the paths that a loop of the module stat did not find."""
    return [result["item"] for result in results if not result["stat"]["exists"]]


def unreadable(results: list[dict[str, t.Any]], user: str) -> list[str]:
    """Return the paths that a loop of the module stat found and that a user, or the group of that name, cannot read.

    The directories above them are not considered.
    """
    stats = {result["item"]: result["stat"] for result in results if result["stat"]["exists"]}
    return [path for path, stat in stats.items() if user != "root" and not _may_read(stat, user)]


def _may_read(stat: dict[str, t.Any], user: str) -> bool:
    if stat.get("pw_name") == user:
        return stat["rusr"]
    return stat["rgrp"] if stat.get("gr_name") == user else stat["roth"]


def paths(lines: list[str]) -> list[str]:
    """Return the files that exist.

    :param lines: of "stat --format='%Y %n'", which says nothing about other files on standard output.
    """
    return [line.partition(" ")[2] for line in lines]


def newest(lines: list[str]) -> int:
    """Return the newest modification time of these files in seconds since 1970; 0 without files."""
    return max((int(line.partition(" ")[0]) for line in lines), default=0)


def daemon(lines: list[str]) -> dict[str, t.Any]:
    """Return whether systemd knows a unit, whether it runs, since when, and whether it starts with the host.

    :param lines: of "systemctl show" in UTC; empty if systemd does not run.
    :returns: ``load``, ``active`` and ``unit_file`` as systemd reports them, empty without systemd; ``started`` in
        seconds since 1970, 0 if it never ran; and the ``pid`` of its process, 0 if it does not run.
    """
    properties = dict(line.partition("=")[::2] for line in lines)
    since = properties.get("ExecMainStartTimestamp", "")
    started = 0
    if since:
        moment = datetime.datetime.strptime(since, "%a %Y-%m-%d %H:%M:%S UTC")
        started = int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())
    return {
        "load": properties.get("LoadState", ""),
        "active": properties.get("ActiveState", ""),
        "started": started,
        "pid": int(properties.get("MainPID", 0)),
        "unit_file": properties.get("UnitFileState", ""),
    }


def failure(result: dict[str, t.Any]) -> str:
    """Return why a task failed: the message of its module, or those of the items of its loop."""
    items = [item for item in result.get("results", [result]) if item.get("failed")]
    messages = [str(item.get("msg") or "").rstrip(".") for item in items]
    return " ".join(filter(None, messages)) or "no reason given"


def may_hold_secret(text: str) -> bool:
    """Return whether a text may contain a secret and must not be shown as a difference."""
    return _SECRET.search(text) is not None


def hidden(results: list[dict[str, t.Any]], marker: str) -> list[str]:
    """Return the files whose differences are not shown: files that a role did not write, and files with a secret.

    :param results: of a loop of the module slurp; a file that is not there has no content.
    :param marker: with which files of the role begin, after ``# ``.
    """
    paths = []
    for result in results:
        text = base64.b64decode(result["content"]).decode("latin-1") if "content" in result else f"# {marker}"
        if not text.lower().startswith(f"# {marker}".lower()) or may_hold_secret(text[len(marker) + 2 :]):
            paths.append(result["item"])
    return paths


def archive(lines: list[str], program: str) -> dict[str, str]:
    """Return the member of an archive that is a program, or why the archive is refused.

    :param lines: of "tar --list --verbose --absolute-names --quoting-style=c".
    :returns: ``member`` and ``refusal``, one of them empty.
    """
    members = []
    for line in lines:
        match = _MEMBER.match(line)
        if match is None:
            return {"member": "", "refusal": f"tar lists a member that cannot be read: {line}"}
        kind, name, target = match.group("type", "name", "target")
        refusal = _refusal(kind, name, target)
        if refusal:
            return {"member": "", "refusal": refusal}
        if kind == "-" and posixpath.basename(name) == program:
            members.append(name)
    if not members:
        return {"member": "", "refusal": f"it does not hold the program {program}"}
    return {"member": min(members, key=lambda name: (name.count("/"), name)), "refusal": ""}


def _refusal(kind: str, name: str, target: str | None) -> str:
    """Return why a member of an archive is refused, empty if it is accepted."""
    if _leaves(name):
        return f"its member {name} is outside the directory to which it is unpacked"
    if name.startswith("-"):
        return f"its member {name} could be read as an option of tar"
    if kind not in "-dlh":
        return f"its member {name} is neither a file nor a directory nor a link"
    # A symbolic link is relative to its own directory, a hard link to that of the archive.
    start = posixpath.dirname(name) if kind == "l" else ""
    if target is not None and _leaves(posixpath.normpath(posixpath.join(start, target))):
        return f"its member {name} is a link to {target}, outside the directory to which it is unpacked"
    return ""


def _leaves(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/")


FACTS: dict[str, t.Callable[..., t.Any]] = {
    "yaml": to_yaml,
    **{
        function.__name__: function
        for function in (
            dynconfig,
            unit_lines,
            source,
            lines_about,
            release,
            console_flag,
            taken_addresses,
            missing,
            unreadable,
            newest,
            paths,
            daemon,
            failure,
            local_address,
            join_address,
            environment_line,
            user_id,
            other_schedulers,
            databases,
            may_hold_secret,
            hidden,
            archive,
            other_machine,
            yaml_value,
            site_defaults,
            inventory_problems,
        )
    },
}
