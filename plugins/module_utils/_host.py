# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of a host: its files, its programs, its units. Nothing here changes anything.

PRIVATE to the collection.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import time
from typing import Any, Callable, NamedTuple

#: Bytes of a file that are read at most.
MAX_BYTES = 1 << 20
_MARK = re.compile(r"(?m)^# Written by the Ansible role ([\w.]+), changes are lost\.$")
_VERSION = re.compile(r"GitVersion:?\s*v?(\d+\.\d+\.\d+)|(?<![\w.])v?(\d+\.\d+\.\d+)")
_PROPERTIES = "LoadState,ActiveState,ExecMainStartTimestampMonotonic,ExecStart,Environment,EnvironmentFiles"
_ASSIGNMENT = re.compile(r"(?m)^[ \t]*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$")
SHELLS = ("sh", "bash", "dash", "ash")
_PROGRAM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Output(NamedTuple):
    """What a program printed.

    :ivar code: exit status.
    """

    code: int
    stdout: str
    stderr: str


#: Runs a program; None if there is no such program.
Run = Callable[["list[str]"], "Output | None"]


class Unit(NamedTuple):
    """A unit of systemd.

    :ivar state: such as ``active``; None if it cannot be queried.
    :ivar since: seconds since 1970 at which its process started; None if it does not run.
    :ivar argv: its command, with its environment variables expanded.
    :ivar error: why systemd cannot be queried, or why the command is not known; empty if they are known.
    :ivar variables: of its environment, which may be secret.
    :ivar environment_error: why they are not all known; empty if they are.
    """

    name: str
    state: str | None = None
    since: float | None = None
    argv: tuple[str, ...] = ()
    error: str = ""
    variables: dict[str, str] = {}
    environment_error: str = ""

    def facts(self) -> dict[str, Any]:
        """Return what leaves the host, which the command may not: it may hold secrets."""
        return {"name": self.name, "state": self.state, "since": self.since, "error": self.error}


class Host:
    """The host that this runs on.

    :param run: runs a program.
    :param root: directory that its paths are below, which is another one in tests alone.
    """

    def __init__(self, run: Run, root: str = "/") -> None:
        self.run = run
        self._root = root.rstrip("/")

    def path(self, path: str) -> str:
        """Return where a path is."""
        return self._root + path

    def exists(self, path: str) -> bool:
        """Return whether there is a file, a directory or a socket, or a link."""
        return os.path.lexists(self.path(path))

    def glob(self, pattern: str) -> list[str]:
        """Return the paths that match a pattern, sorted."""
        return sorted(path[len(self._root) :] for path in glob.glob(glob.escape(self._root) + pattern))

    def read(self, path: str) -> str:
        """Return the text of a file that has no secrets or does not leave the host, empty if it cannot be read."""
        try:
            with open(self.path(path), encoding="utf-8", errors="replace") as handle:
                return handle.read(MAX_BYTES)
        except OSError:
            return ""

    def file(self, path: str, redact: Callable[[str], str]) -> dict[str, Any]:
        """Return a file: ``path``, ``exists``, ``text``, ``error``, ``mtime``, ``mode``, ``uid``, ``gid``, and more.

        ``text`` is None if it does not exist or cannot be read, ``mtime`` is in seconds since 1970, ``written_by`` the
        role whose mark is in it, and ``bom`` whether it begins with a byte order mark.
        """
        facts: dict[str, Any] = {
            "path": path,
            "exists": self.exists(path),
            "text": None,
            "error": None,
            "mtime": None,
            "mode": None,
            "uid": None,
            "gid": None,
            "written_by": None,
            "bom": False,
        }
        try:
            with open(self.path(path), "rb") as handle:
                content = handle.read(MAX_BYTES + 1)
                status = os.fstat(handle.fileno())
        except OSError as exc:
            if not isinstance(exc, (FileNotFoundError, NotADirectoryError)):
                facts["error"] = os.strerror(exc.errno) if exc.errno else type(exc).__name__
            return facts
        facts.update(mtime=status.st_mtime, mode=f"{status.st_mode & 0o7777:04o}", uid=status.st_uid, gid=status.st_gid)
        if len(content) > MAX_BYTES:
            facts["error"] = f"it is larger than {MAX_BYTES} bytes"
            return facts
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as exc:
            facts["error"] = f"it is not in UTF-8 (byte {exc.start})"
            return facts
        facts["bom"] = text.startswith("\ufeff")
        text = text.lstrip("\ufeff")
        mark = _MARK.search(text)
        facts["written_by"] = mark.group(1) if mark else None
        facts["text"] = redact(text)
        return facts

    def program(self, name: str) -> str | None:
        """Return the path of a program, also one outside of the PATH of an unprivileged task."""
        directories = os.environ.get("PATH", "").split(os.pathsep) if not self._root else []
        for directory in [*directories, *_PROGRAM_FOLDERS]:
            path = os.path.join(directory, name)
            if directory.startswith("/") and os.access(self.path(path), os.X_OK) and os.path.isfile(self.path(path)):
                return path
        return None

    def version(self, argv: list[str]) -> str | None:
        """Return the release that a program prints, None if it prints none."""
        output = self.run(argv)
        match = _VERSION.search(output.stdout) if output and output.code == 0 else None
        return (match.group(1) or match.group(2)) if match else None

    def units(self, names: list[str]) -> dict[str, Unit]:
        """Return the units that systemd has, by name; with an error each if systemd cannot be queried."""
        output = self.run(["systemctl", "show", f"--property={_PROPERTIES}", *names])
        # As sd_booted(3): where systemd is not the init there are no units.
        if output is None or (output.code and not self.exists("/run/systemd/system")):
            return {}
        blocks = re.split(r"\n\s*\n", output.stdout.strip())
        if output.code or len(blocks) != len(names):
            error = f"systemctl show ends with status {output.code}"
            return {name: Unit(name, error=error) for name in names}
        units = {}
        for name, block in zip(names, blocks):
            values = _properties(block)
            if values.get("LoadState", [""])[0] in ("loaded", "masked", "error", "bad-setting"):
                units[name] = self._unit(name, values)
        return units

    def _unit(self, name: str, values: dict[str, list[str]]) -> Unit:
        state = values.get("ActiveState", [""])[0]
        started = values.get("ExecMainStartTimestampMonotonic", [""])[0]
        is_running = state == "active" and started.isdigit() and int(started) > 0
        since = time.time() - time.monotonic() + int(started) / 1e6 if is_running else None
        # Such as { path=/usr/bin/dfget ; argv[]=/usr/bin/dfget daemon ; ignore_errors=no ; ... }
        command = values.get("ExecStart", [""])[-1].partition("argv[]=")[2].partition(" ;")[0]
        variables, environment_error = self._environment(values)
        arguments = command.split()
        error = environment_error if any("$" in word for word in arguments) else ""
        if arguments and os.path.basename(arguments[0]) in SHELLS:
            error = f"its command is a script of {arguments[0]}"
        argv = tuple(_expand(arguments, variables))
        return Unit(name, state, since, argv, error, variables, environment_error)

    def _environment(self, values: dict[str, list[str]]) -> tuple[dict[str, str], str]:
        """Return the variables of a unit, and why they are not known."""
        variables: dict[str, str] = {}
        for line in values.get("Environment", []):
            variables.update(_assignments(line))
        for line in values.get("EnvironmentFiles", []):
            path = line.rpartition(" (")[0] or line
            for name in self.glob(path):
                if not os.access(self.path(name), os.R_OK):
                    return variables, f"its EnvironmentFile {name} cannot be read"
                variables.update(file_assignments(self.read(name)))
        return variables, ""


def _properties(block: str) -> dict[str, list[str]]:
    """Return what systemctl show prints of a unit; a name may come several times."""
    values: dict[str, list[str]] = {}
    for line in block.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            values.setdefault(name, []).append(value)
    return values


def _assignments(text: str) -> dict[str, str]:
    """Return the variables of the property Environment, whose words are quoted as in a shell."""
    try:
        arguments = shlex.split(text)
    except ValueError:
        return {}
    return {word.partition("=")[0]: word.partition("=")[2] for word in arguments if "=" in word}


def file_assignments(text: str) -> dict[str, str]:
    """Return the variables of an EnvironmentFile, where a value without quotes goes on to the end of its line."""
    variables: dict[str, str] = {}
    for name, value in _ASSIGNMENT.findall(text.replace("\\\n", " ")):
        is_quoted = value[:1] in ("'", '"')
        variables.update(_assignments(f"{name}={value}") if is_quoted else {name: value})
    return variables


def _expand(arguments: list[str], variables: dict[str, str]) -> list[str]:
    """Return a command with its variables expanded as systemd does: a whole word $NAME becomes several words."""
    expanded = []
    for word in arguments:
        bare = re.match(r"\"?\$(\w+)\"?\Z", word)
        if bare:
            expanded += variables.get(bare.group(1), "").split()
        else:
            expanded.append(re.sub(r"\$\{(\w+)\}", lambda match: variables.get(match.group(1), ""), word))
    return expanded


def option_of(argv: tuple[str, ...] | list[str], names: tuple[str, ...]) -> str | None:
    """Return the value of an option on a command line, None if it is not set. The last one counts.

    :param names: of the option, with dashes.
    """
    value = None
    for index, word in enumerate(argv):
        name, equals, text = word.partition("=")
        if name in names and equals:
            value = text
        elif name in names and index + 1 < len(argv):
            value = argv[index + 1]
    return value


def runner(module: Any) -> Run:
    """Return what runs programs for a module.

    :param module: of Ansible.
    """
    module.run_command_environ_update = {"LC_ALL": "C"}

    def run(argv: list[str]) -> Output | None:
        try:
            return Output(*module.run_command(argv, handle_exceptions=False))
        except (OSError, ValueError):
            return None

    return run
