# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ansible-test without containers, from a checkout in any directory.

    python tests/tools/ansible_test.py COMMAND [--core oldest|newest|2.19] [--python oldest|3.9] [...]

``ansible-test`` requires the collection below a directory ``ansible_collections``, in a git repository, and writes
to the user's home. Each ansible-core gets a directory ``.cache/ansible-test/RELEASE`` with its virtual environment, a
home, and a copy of the checkout (what git would commit, uncommitted changes too).

If ``DRAGONFLY_URL`` is set, ``integration`` runs against that manager instead of the sandbox: see CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import ast
import configparser
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pythons import CORES, for_core, interpreters

CHECKOUT = Path(__file__).resolve().parents[2]

#: The oldest Python that modules run on.
OLDEST_TARGET = (3, 8)

#: Environment variables that ``integration`` passes to the targets, as extra variables with lowercase names.
MANAGER_VARIABLES = (
    "DRAGONFLY_URL",
    "DRAGONFLY_TOKEN",
    "DRAGONFLY_USERNAME",
    "DRAGONFLY_PASSWORD",
    "DRAGONFLY_REGISTRY",
    "DRAGONFLY_IMAGE",
    "DRAGONFLY_FILE",
)

# ansible-test downloads this script from its own site to install pip into its environments. Python contains pip, and
# pip's configured package index has everything else. Both run as separate processes, because ensurepip
# changes its environment (it switches pip's settings off).
GET_PIP = """\
import subprocess
import sys

arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "ensurepip", "--upgrade"], stdout=subprocess.DEVNULL)
subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet"] + arguments)
"""

#: The pip of each ansible-core, as in the name of the script.
PIP_RELEASES = {"2.18": "24_2", "2.19": "24_2", "2.20": "25_2", "2.21": "25_2"}


def choose_core(wanted: str, pythons: dict[tuple[int, int], str]) -> tuple[str, str]:
    """Return the ansible-core release to use and its interpreter.

    The oldest release runs on its oldest supported interpreter, every other one on its newest.

    :param wanted: ``oldest``, ``newest`` or a release
    :param found: the machine's interpreters
    """
    releases = list(CORES) if wanted != "newest" else list(reversed(CORES))
    if wanted in CORES:
        releases = [wanted]
    for release in releases:
        python = for_core(release, pythons, newest=release != next(iter(CORES)))
        if python:
            return release, python
        first, last = (".".join(map(str, version)) for version in CORES[release])
        print(f"skipped: ansible-core {release}: it needs Python {first} to {last}, which this machine lacks")
    sys.exit(77)


def make_environment(folder: Path, core: str, python: str) -> Path:
    """Create the virtual environment with an ansible-core once, and return its ``bin`` directory."""
    venv = folder / "venv"
    done = venv / "done"
    if not done.exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.check_call([python, "-m", "venv", str(venv)])
        subprocess.check_call([str(venv / "bin/pip"), "install", "--quiet", f"ansible-core~={core}.0"])
        done.touch()
    return venv / "bin"


def make_home(folder: Path, core: str, python: str) -> Path:
    """Create the home directory for ansible-test, and return it.

    ansible-test drops most of the environment, so pip's settings are written to a file there.
    """
    home = folder / "home"
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"get_pip_{PIP_RELEASES[core]}.py").write_text(GET_PIP, encoding="utf-8")

    settings = configparser.ConfigParser(interpolation=None)
    settings.read_dict({"global": {"quiet": "1"}})
    listed = subprocess.check_output([python, "-m", "pip", "config", "list"], text=True)
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):  # overrides others
        name, value = line.split("=", 1)
        section, key = name.replace(":env:", "global", 1).rsplit(".", 1)
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, key, str(ast.literal_eval(value)))
    path = home / ".config/pip/pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # an index URL may contain a password
    with path.open("w", encoding="utf-8") as stream:
        settings.write(stream)
    return home


def copy_checkout(folder: Path) -> Path:
    """Update the copy of the checkout, and return its directory. Files of ansible-test there are kept."""
    copy = folder / "ansible_collections/dragonflyoss/dragonfly"
    copy.mkdir(parents=True, exist_ok=True)
    if not (copy / ".git").exists():
        subprocess.check_call(["git", "init", "--quiet", str(copy)])
    kept = {copy / ".git", copy / "tests", copy / "tests/output"}
    for path in [*copy.iterdir(), *(copy / "tests").glob("*")]:
        if path not in kept:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    for name in filter(None, subprocess.check_output(command, cwd=CHECKOUT, text=True).split("\0")):
        source, target = CHECKOUT / name, copy / name
        if os.path.lexists(source):  # a deleted file is listed until its removal is committed
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return copy


def write_integration_config(copy: Path) -> Path:
    """Write the variables of the manager for the integration targets, and return the path to the file."""
    path = copy / "tests/integration/integration_config.yml"
    path.touch(mode=0o600)  # it contains the token
    values = {name.lower(): os.environ[name] for name in MANAGER_VARIABLES if os.environ.get(name)}
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("sanity", "units", "integration"))
    parser.add_argument("--core", default="newest", choices=("oldest", "newest", *CORES))
    parser.add_argument("--python")
    arguments, options = parser.parse_known_args()

    pythons = interpreters()
    if arguments.python == "oldest":
        first = min(version for version in pythons if version >= OLDEST_TARGET)
        if first > OLDEST_TARGET:
            print("skipped: Python {}.{}: this machine lacks it, {}.{} is the oldest".format(*OLDEST_TARGET, *first))
        arguments.python = "{}.{}".format(*first)
    if arguments.python:
        options += ["--python", arguments.python]
    core, python = choose_core(arguments.core, pythons)
    print(f"ansible-test {arguments.command} with ansible-core {core} on {python}", flush=True)
    folder = CHECKOUT / ".cache/ansible-test" / core
    tools = make_environment(folder, core, python)
    home = make_home(folder, core, python)
    copy = copy_checkout(folder)

    # ansible-test takes the interpreters from PATH.
    path = [
        str(tools),
        *(str(Path(program).parent) for program in pythons.values()),
        os.environ.get("PATH", os.defpath),
    ]
    environment = {**os.environ, "HOME": str(home), "PATH": os.pathsep.join(path)}
    config = write_integration_config(copy) if arguments.command == "integration" else None
    try:
        command = [str(tools / "ansible-test"), arguments.command, "--venv", *options]
        return subprocess.call(command, cwd=copy, env=environment, stdin=subprocess.DEVNULL)
    finally:
        if config:
            config.unlink()


if __name__ == "__main__":
    sys.exit(main())
