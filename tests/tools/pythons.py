# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the Python interpreters of this machine.

As a program, it prints the path to the interpreter for the project's own environment: the newest one that the
newest supported ansible-core runs on, or the newest that any supported ansible-core runs on. This file must run on
any ``python3``, so it uses the syntax of Python 3.6.
"""

import glob
import os
import re
import subprocess
import sys

#: Supported ansible-core releases, oldest first, and the Pythons (first and last) that each runs on as controller.
CORES = {
    "2.18": ((3, 11), (3, 13)),
    "2.19": ((3, 11), (3, 13)),
    "2.20": ((3, 12), (3, 14)),
    "2.21": ((3, 12), (3, 14)),
}

# An interpreter without ensurepip (Debian's without python3-venv) cannot create an environment, so it does not count.
PROBE = "import ensurepip, os, sys; print('%d %d %s' % (sys.version_info[0], sys.version_info[1], sys.base_prefix))"


def interpreters():
    """Return the usable interpreters as ``{(major, minor): path}``.

    They are found on PATH and among the versions of pyenv. The result is the real program: no shim of pyenv
    (there are shims for versions that are not active) and none inside a virtual environment.
    """
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    folders = [path for path in os.environ.get("PATH", os.defpath).split(os.pathsep) if path != pyenv + "/shims"]
    folders += sorted(glob.glob(os.path.join(pyenv, "versions", "*", "bin")))
    programs: dict[str, str] = {}  # real path -> path, which probes links to one program once
    for folder in folders:
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if re.match(r"python3(\.\d+)?$", name):
                path = os.path.join(folder, name)
                programs.setdefault(os.path.realpath(path), path)
    pythons: dict[tuple[int, int], str] = {}
    for path in programs.values():
        try:
            answer = subprocess.check_output([path, "-c", PROBE], stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            continue
        major, minor, prefix = answer.decode().strip().split(" ", 2)
        program = os.path.join(prefix, "bin", f"python{major}.{minor}")
        if os.path.exists(program):
            pythons.setdefault((int(major), int(minor)), program)
    return pythons


def for_core(core, pythons, newest=True):
    """Return the interpreter for an ansible-core release, or None if this machine has none.

    :param core: release, for example ``"2.18"``
    :param pythons: result of :func:`interpreters`
    :param newest: whether to return the newest of them instead of the oldest
    """
    first, last = CORES[core]
    usable = sorted(version for version in pythons if first <= version <= last)
    return pythons[usable[-1 if newest else 0]] if usable else None


def main():
    pythons = interpreters()
    for core in reversed(list(CORES)):
        path = for_core(core, pythons)
        if path:
            print(path)
            return
    sys.exit("No usable Python found: 3.11 or newer is needed, with its venv module (on Debian: python3-venv).")


if __name__ == "__main__":
    main()
