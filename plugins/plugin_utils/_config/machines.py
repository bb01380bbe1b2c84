# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a program runs on the machine of a host."""

from __future__ import annotations

#: Machines by their number in the header of a program (e_machine in elf.h), with the names of uname(2).
_ELF_MACHINES = {3: "i386", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
_ELF, _MACHINE_AT = bytes.fromhex("7f454c46"), 18
#: Value of EI_DATA for numbers with the most significant byte first.
_BIG_ENDIAN = 2
#: The same machines under the names of uname(2), dpkg and rpm.
_OTHER_NAMES = {
    **dict.fromkeys(("i486", "i586", "i686"), "i386"),
    **dict.fromkeys(("armhf", "armel", "armv6l", "armv7l", "armv7hl", "armv8l"), "arm"),
    **dict.fromkeys(("ppc64el", "ppc64le"), "ppc64"),
    "amd64": "x86_64",
    "arm64": "aarch64",
}
#: Machines whose programs another machine also runs.
_RUNS_ALSO = {"x86_64": "i386", "aarch64": "arm"}


def other_machine(lines: list[str]) -> str:
    """Return the machine for which a program is built if the host cannot run it, empty if it can or if unknown.

    :param lines: of roles/_daemon/templates/machine.sh.j2: ``host`` and ``package`` with the name of a machine,
        ``program`` with the first bytes of the program in hexadecimal digits.
    """
    values = dict(line.split(" ", 1) for line in lines if " " in line)
    host = _known_name(values.get("host", ""))
    built_for = _known_name(values.get("package", "")) or _elf_machine(values.get("program", ""))
    if not host or not built_for or built_for in (host, _RUNS_ALSO.get(host)):
        return ""
    return built_for


def _known_name(name: str) -> str:
    """Return the name of a known machine, empty for other names, such as ``all`` and ``noarch`` of packages."""
    name = _OTHER_NAMES.get(name.strip(), name.strip())
    return name if name in _ELF_MACHINES.values() else ""


def _elf_machine(digits: str) -> str:
    """Return the machine of a program, empty for a script and for a machine that is not known."""
    try:
        header = bytes.fromhex(digits)
    except ValueError:
        return ""
    if not header.startswith(_ELF) or len(header) < _MACHINE_AT + 2:
        return ""
    number = int.from_bytes(header[_MACHINE_AT : _MACHINE_AT + 2], "big" if header[5] == _BIG_ENDIAN else "little")
    return _ELF_MACHINES.get(number, "")
