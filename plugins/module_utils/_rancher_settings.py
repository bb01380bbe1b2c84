# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings with which k3s and RKE2 start: their command, their environment, ``config.yaml`` and its drop-ins.

Runs on the host with nothing but the standard library, so YAML is read line by line. What is not a plain ``KEY: VALUE``
is reported as unknown.

Source: k3s v1.31 pkg/configfilearg/parser.go (findConfigFileFlag, dotDFiles, readConfigFile), which RKE2 uses, too.
"""

from __future__ import annotations

import os
import re
import shlex
from glob import escape
from typing import Iterator, NamedTuple

from ._host import Host, Unit, file_assignments, option_of

_KEY = re.compile(r"""(?:"([^"\\]+)"|'([^']+)'|(\w[\w.+/-]*))[ \t]*:(?=[ \t]|\Z)""")
_COMMAND_ARGS = re.compile(r"""(?m)^[ \t]*command_args\+?="((?:[^"\\]|\\.|\\\n)*)""")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
#: A line that belongs to the value of the key above it.
_CONTINUES = re.compile(r" |-(?: |\Z)")
_COMMENT = re.compile(r"(?:\A|[ \t])#")
_PROPERTIES = re.compile(r"[&!]\S*\s*")
_QUOTED = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)')""", re.DOTALL)
# A string without its end extends to the end of the text.
_FLOW_TOKEN = re.compile(r""""(?:[^"\\]|\\.?)*(?:"|\Z)|'[^']*(?:'|\Z)|[\[{]|[\]}]""", re.DOTALL)
_NOT_PLAIN = tuple("\"'[]{}&*!|>%@`#,?:-")
_INVALID = ("@", "`", "%", "]", "}", ",", "- ")
_NULL = ("~", "null", "Null", "NULL")
_TRUE = ("true", "yes", "on", "y")


class UnclearLine(Exception):
    """A line of YAML that is not a plain setting.

    :ivar number: of the line, from 1.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number} is not a setting in the form KEY: VALUE, or is not valid YAML")
        self.number = number


class Setting(NamedTuple):
    """A setting of a file or of a command.

    :ivar value: None if it is not a plain string, and empty if there is none.
    :ivar source: path of its file, or name of the unit whose command sets it.
    """

    key: str
    value: str | None
    source: str

    @property
    def place(self) -> str:
        """Return where it is set."""
        return f"{self.source} {self.key}"

    @property
    def appends(self) -> bool:
        """Return whether it appends to a list, as KEY+ does."""
        return self.key.endswith("+")

    @property
    def name(self) -> str:
        """Return its key without the sign that appends."""
        return self.key[:-1] if self.appends else self.key


class Unknown(NamedTuple):
    """Why a setting is unknown.

    :ivar key: file and key, or unit.
    """

    key: str
    error: str


class Settings(NamedTuple):
    """Everything with which k3s or RKE2 starts.

    :ivar argv: its command, from its program on.
    :ivar variables: of its environment.
    :ivar settings: of its files, in the order in which it reads them.
    :ivar unknown: why the settings are not known; None if they are.
    """

    name: str = ""
    unit: str = ""
    argv: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    settings: tuple[Setting, ...] = ()
    unknown: Unknown | None = None

    def setting(self, *names: str) -> Setting | None:
        """Return the setting that takes effect, None if it is not set.

        The command comes after the files. ``KEY+`` appends to a list. Its last item takes effect.
        """
        options = tuple(f"{dashes}{name}" for name in names for dashes in ("--", "-"))
        text = option_of(self.argv, options)
        if text is not None:
            return Setting(f"--{names[0]}", text, self.unit)
        return _effective([setting for setting in self.settings if setting.name in names])

    def because(self, key: str, error: str) -> Settings:
        """Return settings that are not known because of an error, or because of an earlier one."""
        return self._replace(unknown=self.unknown or Unknown(key, error))

    def is_true(self, name: str) -> bool:
        """Return whether a flag is set."""
        if any(word in (f"--{name}", f"-{name}") for word in self.argv):
            return True
        setting = self.setting(name)
        return setting is not None and (setting.value or "").lower() in _TRUE

    def text(self, *names: str) -> tuple[str, Unknown | None]:
        """Return the value of a setting, empty if it is not set, and why it is not known."""
        setting = self.setting(*names)
        if setting is None:
            return "", None
        if setting.value is None:
            return "", Unknown(setting.place, "the value is not a single plain string")
        return setting.value, None

    def path(self, *names: str) -> tuple[str, Unknown | None]:
        """Return the path that a setting names, empty if it is not set, and why it is not known."""
        setting = self.setting(*names)
        value, unknown = self.text(*names)
        if setting is None or unknown or value.startswith("/"):
            return value, unknown
        return "", Unknown(setting.place, "the value is not an absolute path")


def _effective(settings: list[Setting]) -> Setting | None:
    """Return the last setting, apart from those that append nothing to an earlier one."""
    telling = [setting for setting in settings if not (setting.appends and setting.value == "")]
    return next(iter([*telling[-1:], *settings[:1]]), None)


def read_settings(host: Host, name: str, unit: Unit | None, error: str = "") -> Settings:
    """Return the settings of k3s or RKE2.

    :param name: ``k3s`` or ``rke2``.
    :param unit: that starts it, None if systemd has none.
    :param error: why systemd cannot be queried; empty if it can.
    """
    if unit is None and not error:
        unit = openrc_service(host, name)
    if unit is None:
        unknown = Unknown(f"{name}.service", error) if error else None
        return _with_files(host, Settings(name, unknown=unknown), f"/etc/rancher/{name}/config.yaml")
    argv = _command(unit.argv, name)
    settings = Settings(name, unit.name, argv or (), unit.variables)
    path = _config_path(settings)
    error = _start_error(unit, name, argv, path)
    return settings.because(unit.name, error) if error else _with_files(host, settings, path)


def _start_error(unit: Unit, name: str, argv: tuple[str, ...] | None, path: str) -> str:
    """Return why it is not known with which settings a unit starts, empty if it is.

    :param argv: the part of its command that starts k3s or RKE2, None if there is none.
    :param path: of config.yaml.
    """
    if argv is None:
        return unit.error or f"its command does not start {name} itself"
    error = unit.environment_error or unit.error
    if error or path.startswith("/"):
        return error
    return f"its --config or {name.upper()}_CONFIG_FILE is not an absolute path"


def openrc_service(host: Host, name: str) -> Unit | None:
    """Return the service of OpenRC that starts k3s, as its installer writes it; None if there is none.

    Source: k3s v1.31 install.sh (create_openrc_service_file).
    """
    script = next(filter(host.exists, (f"/etc/init.d/{name}", f"/etc/init.d/{name}-agent")), None)
    if script is None:
        return None
    service = os.path.basename(script)
    variables: dict[str, str] = {}
    for path in ("/etc/environment", f"/etc/rancher/{name}/{service}.env", f"/etc/conf.d/{service}"):
        if host.exists(path) and not os.access(host.path(path), os.R_OK):
            return Unit(script, error=f"{path} cannot be read")
        variables.update(file_assignments(host.read(path)))
    arguments = _command_arguments(host.read(script))
    if arguments is None or "command_args" in variables:
        return Unit(script, error="its command_args are not a single plain string")
    return Unit(script, argv=(name, *arguments), variables=variables)


def _command_arguments(script: str) -> list[str] | None:
    """Return the command_args of a service of OpenRC, None if they are not a single plain string."""
    values = _COMMAND_ARGS.findall(script)
    if len(values) != 1 or re.search(r"[$`]", values[0]):
        return None
    try:
        return shlex.split(re.sub(r'\\(["\\])', r"\1", values[0]).replace("\\\n", " "))
    except ValueError:
        return None


def _command(argv: tuple[str, ...], name: str) -> tuple[str, ...] | None:
    """Return the part of a command that starts k3s or RKE2, None if there is none."""
    unquoted = tuple(word.strip("\"'") for word in argv)
    for index, word in enumerate(unquoted):
        if os.path.basename(word) in (name, f"{name}-server", f"{name}-agent"):
            return unquoted[index:]
    return None


def _config_path(settings: Settings) -> str:
    """Return the path of config.yaml: of the environment, else the first one of the command, else the default."""
    variable = settings.variables.get(f"{settings.name.upper()}_CONFIG_FILE")
    if variable:
        return variable
    for index, word in enumerate(settings.argv):
        option, equals, text = word.partition("=")
        if option in ("--config", "-c"):
            return text if equals else next(iter(settings.argv[index + 1 :]), "")
    return f"/etc/rancher/{settings.name}/config.yaml"


def _with_files(host: Host, settings: Settings, path: str) -> Settings:
    """Return settings with those of config.yaml and its drop-ins."""
    directory = f"{path}.d"
    if host.exists(directory) and not os.access(host.path(directory), os.R_OK | os.X_OK):
        return settings.because(directory, "Permission denied")
    read: list[Setting] = []
    for name in [path, *_drop_ins(host, directory)]:
        own, error = _read_file(host, name)
        if error:
            return settings.because(name, error)
        read += own
    return settings._replace(settings=tuple(read))


def _read_file(host: Host, path: str) -> tuple[list[Setting], str]:
    """Return the settings of a file, and why they are not known."""
    file = host.file(path, str)
    try:
        settings = parse_settings(file["text"] or "")
    except UnclearLine as unclear:
        return [], str(unclear)
    return [setting._replace(source=path) for setting in settings], file["error"] or ""


def _drop_ins(host: Host, directory: str) -> list[str]:
    names = [name for pattern in ("*", ".*") for name in host.glob(f"{escape(directory)}/{pattern}")]
    return [name for name in sorted(names) if name.lower().endswith((".yaml", ".yml"))]


# --- YAML


def parse_settings(text: str) -> list[Setting]:
    """Return the settings at the top level of a YAML file, in its order.

    :raises UnclearLine: if a line at the top level is anything else.
    """
    settings = []
    for number, key, lines in _blocks(text):
        if not _is_closed(lines):
            raise UnclearLine(number)
        settings.append(Setting(key, _plain_value(lines), ""))
    return settings


def _blocks(text: str) -> list[tuple[int, str, list[str]]]:
    """Return the number of the first line, the key, and the lines of the value of each setting."""
    blocks: list[tuple[int, str, list[str]]] = []
    for number, line in _filled_lines(text):
        match = _KEY.match(line)
        if match:
            blocks.append((number, next(filter(None, match.groups())), [line[match.end() :].strip()]))
        elif blocks and _CONTINUES.match(line):
            blocks[-1][2].append(line.strip())
        else:
            raise UnclearLine(number)
    return blocks


def _filled_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line but empty ones, comments, and the mark at the start of the document."""
    begun = False
    for number, line in enumerate(_LINE_BREAK.split(text), 1):
        if not _is_empty(line) and (begun or line.rstrip() != "---"):
            begun = True
            yield number, line


def _is_empty(line: str) -> bool:
    stripped = line.strip(" ")
    return not stripped or stripped.startswith("#")


def _is_closed(lines: list[str]) -> bool:
    """Return whether a value ends where the next key at the top level begins."""
    value = _PROPERTIES.sub("", lines[0], count=1) if lines[0].startswith(("&", "!")) else lines[0]
    whole = "\n".join([value, *lines[1:]]).strip()
    if whole.startswith(("'", '"')):
        match = _QUOTED.match(whole)
        return match is not None and _without_comment(whole[match.end() :]) == ""
    if whole.startswith(("[", "{")):
        tokens = _FLOW_TOKEN.findall("\n".join(map(_without_comment, whole.split("\n"))))
        return sum(map(tokens.count, "[{")) == sum(map(tokens.count, "]}"))
    plain = _without_comment(value)
    return ": " not in plain and not plain.endswith(":") and not plain.startswith(_INVALID)


def _plain_value(lines: list[str]) -> str | None:
    """Return the string that the lines of a value hold, None if they hold anything else."""
    if len(lines) > 1:
        return None
    match = _QUOTED.match(lines[0])
    if match:
        value = "".join(match.groups(""))
        return None if re.search(r"[\\']", value) else value
    value = _without_comment(lines[0])
    if value.startswith(_NOT_PLAIN) or not value.isprintable():
        return None
    return "" if value in _NULL else value


def _without_comment(text: str) -> str:
    match = _COMMENT.search(text)
    return (text[: match.start()] if match else text).strip()
