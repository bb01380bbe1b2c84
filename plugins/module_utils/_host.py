# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read files, programs and units of a host, without changing anything."""

from __future__ import annotations

import glob
import os
import re
import shlex
import time
from typing import Any, Callable, NamedTuple

#: Limit in bytes of a file.
MAX_BYTES = 1 << 20
_MARK = re.compile(r"(?m)^# Written by the Ansible role ([\w.]+), changes are lost\.$")
_VERSION = re.compile(r"GitVersion:?\s*v?(\d+\.\d+\.\d+)|(?<![\w.])v?(\d+\.\d+\.\d+)")
_PROPERTIES = (
    "LoadState,ActiveState,MainPID,ExecMainStartTimestampMonotonic,ExecStart,ExecStartEx,Environment,EnvironmentFiles,"
    "PassEnvironment,UnsetEnvironment"
)
_ASSIGNMENT = re.compile(r"(?m)^[ \t]*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$")
_DEFAULT_ENVIRONMENT = re.compile(r"(?m)^[ \t]*DefaultEnvironment[ \t]*=(.*)$")
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\$)")
#: Variables that systemd sets for a process, see systemd.exec(5). No property of a unit shows their values.
_SET_BY_SYSTEMD = frozenset(
    f"{kind}_DIRECTORY" for kind in ("RUNTIME", "STATE", "CACHE", "LOGS", "CONFIGURATION", "CREDENTIALS")
) | {"HOME", "INVOCATION_ID", "LOGNAME", "MAINPID", "PATH", "SHELL", "USER"}
_SHELLS = ("sh", "bash", "dash", "ash")
_PROGRAM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Output(NamedTuple):
    """Output of a program.

    :ivar code: exit status.
    """

    code: int
    stdout: str
    stderr: str


#: Runs a program and returns its output, or None if the program does not exist.
Run = Callable[["list[str]"], "Output | None"]


class Unit(NamedTuple):
    """A systemd unit.

    :ivar state: such as ``active``; None if it cannot be queried.
    :ivar since: start time of its process in seconds since 1970; None if it is not running.
    :ivar argv: its command, with environment variables expanded; empty if it is unknown.
    :ivar error: why systemd cannot be queried or the command is unknown; empty otherwise.
    :ivar variables: its environment, which may contain secrets.
    :ivar environment_error: why the environment is incomplete; empty otherwise.
    """

    name: str
    state: str | None = None
    since: float | None = None
    argv: tuple[str, ...] = ()
    error: str = ""
    variables: dict[str, str] = {}
    environment_error: str = ""

    def facts(self) -> dict[str, Any]:
        """Return the facts that may leave the host. The command is not one of them, because it may contain secrets."""
        return {"name": self.name, "state": self.state, "since": self.since, "error": self.error}


def has_unit(unit: Unit | None) -> bool:
    """Return whether a unit exists and can be queried."""
    return unit is not None and bool(unit.state)


class Host:
    """The host on which the module runs.

    :param run: runs a program.
    :param root: directory that replaces ``/`` in tests.
    """

    def __init__(self, run: Run, root: str = "/") -> None:
        self.run = run
        self._root = root.rstrip("/")

    def path(self, path: str) -> str:
        """Return the path below ``root``."""
        return self._root + path

    def exists(self, path: str) -> bool:
        """Return whether a file, directory, socket or link exists."""
        return os.path.lexists(self.path(path))

    def glob(self, pattern: str) -> list[str]:
        """Return the paths that match a pattern in order."""
        return sorted(path[len(self._root) :] for path in glob.glob(glob.escape(self._root) + pattern))

    def read(self, path: str) -> str:
        """Return the text of a file, or an empty text if it cannot be read. It is not redacted, so must stay here."""
        try:
            with open(self.path(path), encoding="utf-8", errors="replace") as handle:
                return handle.read(MAX_BYTES)
        except OSError:
            return ""

    def file(self, path: str, redact: Callable[[str], str]) -> dict[str, Any]:
        """Return the ``path``, ``exists``, ``text``, ``error``, ``mtime``, ``mode``, ``uid``, ``gid`` etc. of a file.

        ``text`` is None if the file does not exist or cannot be read. ``mtime`` is in seconds since 1970.
        ``written_by`` is the role named in the header. ``bom`` is whether the file starts with a byte order mark.
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
        """Return the path of a program, also outside of the PATH of an unprivileged task."""
        directories = os.environ.get("PATH", "").split(os.pathsep) if not self._root else []
        for directory in [*directories, *_PROGRAM_FOLDERS]:
            path = os.path.join(directory, name)
            if directory.startswith("/") and os.access(self.path(path), os.X_OK) and os.path.isfile(self.path(path)):
                return path
        return None

    def version(self, argv: list[str]) -> str | None:
        """Return the release that a program prints, or None."""
        output = self.run(argv)
        match = _VERSION.search(output.stdout) if output and output.code == 0 else None
        return (match.group(1) or match.group(2)) if match else None

    def units(self, names: list[str]) -> dict[str, Unit]:
        """Return the units that exist, by name. If systemd cannot be queried, each has an error."""
        output = self.run(["systemctl", "show", f"--property={_PROPERTIES}", *names])
        # As sd_booted(3) does: without systemd as init there are no units.
        if output is None or (output.code and not self.exists("/run/systemd/system")):
            return {}
        blocks = re.split(r"\n\s*\n", output.stdout.strip())
        if output.code or len(blocks) != len(names):
            error = f"systemctl show ends with status {output.code}"
            return {name: Unit(name, error=error) for name in names}
        return self._existing_units(dict(zip(names, map(_properties, blocks))))

    def _existing_units(self, values_by_name: dict[str, dict[str, list[str]]]) -> dict[str, Unit]:
        existing = ("loaded", "masked", "error", "bad-setting")
        return {
            name: self._unit(name, values)
            for name, values in values_by_name.items()
            if values.get("LoadState", [""])[0] in existing
        }

    def _unit(self, name: str, values: dict[str, list[str]]) -> Unit:
        state = values.get("ActiveState", [""])[0]
        since = _start_time(values) if state == "active" else None
        variables, environment_error = self._environment(values)
        arguments, error = _expanded(self._arguments(values), variables, environment_error, values)
        return Unit(name, state, since, tuple(arguments), error, variables, environment_error)

    def _arguments(self, values: dict[str, list[str]]) -> list[str]:
        """Return the arguments of a command. systemctl does not quote blanks in them, so they are those of its process.

        The first is the path of the program, which differs from its name with the prefix @ of a command.
        """
        # Such as { path=/usr/bin/dfget ; argv[]=/usr/bin/dfget daemon ; ignore_errors=no ; ... }
        path, _name, command = values.get("ExecStart", [""])[-1].partition(" ; argv[]=")
        path, command = path.partition("path=")[2], command.partition(" ; ignore_errors=")[0]
        running = self.read(f"/proc/{values.get('MainPID', [''])[0]}/cmdline").split("\0")[:-1]
        arguments = running if " ".join(running) == command else command.split(" ")
        return [path if path.startswith("/") else arguments[0], *arguments[1:]] if command else []

    def _environment(self, values: dict[str, list[str]]) -> tuple[dict[str, str], str]:
        """Return the environment of a unit, and why it is incomplete."""
        variables = self._default_environment()
        for name in _list_property(values, "PassEnvironment"):
            variables.pop(name, None)
        for line in values.get("Environment", []):
            variables.update(_assignments(line))
        for line in values.get("EnvironmentFiles", []):
            path = line.rpartition(" (")[0] or line
            for name in self.glob(path):
                if not os.access(self.path(name), os.R_OK):
                    return variables, f"its EnvironmentFile {name} cannot be read"
                variables.update(file_assignments(self.read(name)))
        for word in _list_property(values, "UnsetEnvironment"):
            _unset(variables, word)
        return variables, ""

    def _default_environment(self) -> dict[str, str]:
        """Return the variables that the configuration of systemd sets for all units, see systemd-system.conf(5)."""
        variables: dict[str, str] = {}
        drop_ins: dict[str, str] = {}
        for folder in ("/usr/lib", "/run", "/etc"):
            paths = self.glob(f"{folder}/systemd/system.conf.d/*.conf")
            drop_ins.update({os.path.basename(path): path for path in paths})
        for path in ["/etc/systemd/system.conf", *(path for _name, path in sorted(drop_ins.items()))]:
            for line in _DEFAULT_ENVIRONMENT.findall(self.read(path).replace("\\\n", " ")):
                variables = {**variables, **_assignments(line)} if line.strip() else {}
        return variables


def _properties(block: str) -> dict[str, list[str]]:
    """Return the properties that systemctl show prints of a unit. A property may occur several times."""
    values: dict[str, list[str]] = {}
    for line in block.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            values.setdefault(name, []).append(value)
    return values


def _start_time(values: dict[str, list[str]]) -> float | None:
    """Return the start time of a unit's process in seconds since 1970, None without a process."""
    started = values.get("ExecMainStartTimestampMonotonic", [""])[0]
    if not started.isdigit() or not int(started):
        return None
    return time.time() - time.monotonic() + int(started) / 1e6


def _assignments(text: str) -> dict[str, str]:
    """Return the variables in the property Environment, which is quoted as in a shell."""
    try:
        arguments = shlex.split(text)
    except ValueError:
        return {}
    return {word.partition("=")[0]: word.partition("=")[2] for word in arguments if "=" in word}


def file_assignments(text: str) -> dict[str, str]:
    """Return the variables of an EnvironmentFile, where an unquoted value extends to the end of its line."""
    variables: dict[str, str] = {}
    for name, value in _ASSIGNMENT.findall(text.replace("\\\n", " ")):
        is_quoted = value[:1] in ("'", '"')
        variables.update(_assignments(f"{name}={value}") if is_quoted else {name: value})
    return variables


def _unset(variables: dict[str, str], word: str) -> None:
    """Remove a variable as systemd does: one of UnsetEnvironment with a value only where it has that value."""
    name, equals, value = word.partition("=")
    if not equals or variables.get(name) == value:
        variables.pop(name, None)


def _expanded(
    arguments: list[str], variables: dict[str, str], environment_error: str, values: dict[str, list[str]]
) -> tuple[list[str], str]:
    """Return a command with its variables expanded, and why it is unknown."""
    if arguments and os.path.basename(arguments[0]) in _SHELLS:
        return [], f"its command is a script of {arguments[0]}"
    # The prefix : of a command, which only ExecStartEx shows.
    if "no-env-expand" in values.get("ExecStartEx", [""])[-1].rpartition(" ; flags=")[2]:
        return arguments, ""
    error = environment_error if any("$" in word for word in arguments) else ""
    return _expand(arguments, variables), error or _unknown_variable(arguments, variables, values)


def _expand(arguments: list[str], variables: dict[str, str]) -> list[str]:
    """Return a command with variables expanded as systemd does: an argument $NAME may become several arguments."""
    expanded = []
    for word in arguments:
        bare = re.match(r"\"?\$(\w+)\"?\Z", word)
        if bare:
            expanded += _split(variables.get(bare.group(1), ""))
        else:
            expanded.append(_VARIABLE.sub(lambda match: variables.get(match.group(1), match.group(2) or ""), word))
    return expanded


def _list_property(values: dict[str, list[str]], name: str) -> list[str]:
    """Return the entries of a property that is a list, quoted as in a shell."""
    return [word for line in values.get(name, []) for word in _split(line)]


def _unknown_variable(arguments: list[str], variables: dict[str, str], values: dict[str, list[str]]) -> str:
    """Return an error if a command uses a variable that no property of its unit shows, else an empty text."""
    used = {word for text in arguments for word in re.findall(r"\$\{?(\w+)", text)}
    for name in sorted(used.intersection(_list_property(values, "PassEnvironment")).difference(variables)):
        return f"its command uses {name}, which PassEnvironment takes from the environment of systemd"
    for name in sorted(used.intersection(_SET_BY_SYSTEMD).difference(variables)):
        return f"its command uses {name}, which systemd sets"
    return ""


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def option_of(argv: tuple[str, ...] | list[str], names: tuple[str, ...]) -> str | None:
    """Return the last value of an option on a command line, None if it is not set.

    :param names: names of the option, including dashes.
    """
    value = None
    for index, word in enumerate(argv):
        if word == "--":
            break
        name, equals, text = word.partition("=")
        if name in names and equals:
            value = text
        elif name in names and index + 1 < len(argv):
            value = argv[index + 1]
    return value


def config_option(argv: tuple[str, ...] | list[str], names: tuple[str, ...]) -> tuple[str | None, str]:
    """Return the path of the configuration that a command names, None without one, and why it is unknown.

    :param names: names of the option, including dashes.
    """
    path = option_of(argv, names)
    if path is None or path.startswith("/"):
        return path, ""
    return None, f"its command names the configuration '{path}', which is not an absolute path"


def runner(module: Any) -> Run:
    """Return a function that runs programs for a module.

    :param module: ``AnsibleModule``.
    """
    module.run_command_environ_update = {"LC_ALL": "C"}

    def run(argv: list[str]) -> Output | None:
        try:
            return Output(*module.run_command(argv, handle_exceptions=False))
        except (OSError, ValueError):
            return None

    return run
