# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command with a password that is in no command line, which all users of a host can read.

Arguments: an environment variable for ``USER:PASSWORD`` or, for programs that only prompt for the password, ``prompt``;
then the command. The login is read from stdin.

crictl 1.24.0 and later read CRICTL_CREDS (cri-tools, cmd/crictl/image.go). ctr and podman prompt for the password if
``--user`` or ``--creds`` contains only the name, and read it from the terminal at their stdin (containerd,
cmd/ctr/commands/resolver.go; podman, pkg/util/utils.go).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import termios

#: A terminal and ctr truncate longer lines.
_LONGEST_LINE = 4000


def _one_line(password: str) -> str:
    """Return a password without line breaks, as a prompt requires; a key file in JSON has line breaks."""
    try:
        return json.dumps(json.loads(password)) if "\n" in password else password
    except ValueError:
        return password


def _terminal_with(password: str) -> int:
    """Return the file descriptor of a terminal at which a password was typed, without echo."""
    line = _one_line(password).encode()
    if len(line) > _LONGEST_LINE or any(byte < 32 or byte == 127 for byte in line):
        sys.exit("The password has control characters or is too long for a prompt. What to do: install crictl 1.24.0.")
    keyboard, terminal = os.openpty()
    modes = termios.tcgetattr(terminal)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    os.write(keyboard, line + b"\n")
    return terminal


def main(way: str, *command: str) -> int:
    """Run the command, and return its exit status."""
    login = sys.stdin.read()
    if way != "prompt":
        return subprocess.call(command, env={**os.environ, way: login}, stdin=subprocess.DEVNULL)
    return subprocess.call(command, stdin=_terminal_with(login.partition(":")[2]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
