# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Split the processor time of a no-op rerun of one image into its parts."""

from __future__ import annotations

import json
import sys
import tempfile
import typing as t
import zipfile
from pathlib import Path

from ansible_collections.dragonflyoss.dragonfly.tests.bench.measure import MODULES, ansible, measure
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

_PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
_PACKAGE = "ansible_collections/dragonflyoss/dragonfly/plugins"
_ROUNDS = 10
#: A module that sends as many requests as a no-op rerun, and does nothing else.
_BARE_MODULE = """\
import requests
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"url": {}})
session = requests.Session()
for _number in range(5):
    session.get(module.params["url"] + "/healthy")
module.exit_json()
"""
_LIBRARIES = "import requests, ansible.module_utils.basic"


class Part(t.NamedTuple):
    """A part of the processor time.

    :ivar seconds: processor time.
    """

    what: str
    seconds: float

    def cells(self, ping: float) -> tuple[str, str, str]:
        """Return the row of the table.

        :param ping: processor time of ping in seconds.
        """
        return self.what, f"{self.seconds * 1000:.0f}", f"{self.seconds / ping:.2f}"


def parts_of_a_rerun(box: Sandbox, image: str) -> list[Part]:
    """Return the parts of a no-op rerun: differences between commands, using the shortest run of each.

    :param image: a warm image.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bare.py").write_text(_BARE_MODULE, encoding="utf-8")
        payload = _payload(Path(folder))
        variables = {"ANSIBLE_HOME": folder, "DRAGONFLY_URL": box.url, "DRAGONFLY_TOKEN": box.token}
        options = json.dumps({"ANSIBLE_MODULE_ARGS": {"image": image}})
        preheat = MODULES + "preheat"
        commands: dict[str, t.Callable[[], float]] = {
            "ping": lambda: _task("ansible.builtin.ping", "", variables),
            "bare": lambda: _task("bare", f"url={box.url}", {**variables, "ANSIBLE_LIBRARY": folder}),
            "rerun": lambda: _task("dragonflyoss.dragonfly.preheat", f"image={image}", variables),
            "libraries": lambda: _python(["-c", _LIBRARIES], payload, variables),
            "files": lambda: _python(["-c", f"{_LIBRARIES}, {preheat}"], payload, variables),
            "module": lambda: _python(["-m", preheat], payload, variables, options),
        }
        rounds = [{name: command() for name, command in commands.items()} for _round in range(_ROUNDS)]
    least = {name: min(seconds[name] for seconds in rounds) for name in commands}
    parts = [
        Part("ansible.builtin.ping, on the controller and in the module", least["ping"]),
        Part("Python imports requests, and the module sends 5 requests", least["bare"] - least["ping"]),
        Part("Python compiles and loads the files of the collection", least["files"] - least["libraries"]),
        Part("The module itself", least["module"] - least["files"]),
    ]
    packing = least["rerun"] - sum(part.seconds for part in parts)
    return [
        *parts,
        Part("Ansible finds and packs the files (the remainder)", packing),
        Part("The no-op rerun", least["rerun"]),
    ]


def _task(module: str, arguments: str, variables: dict[str, str]) -> float:
    interpreter = "ansible_python_interpreter=" + sys.executable
    command = [ansible("ansible"), "localhost", "-m", module, "-a", arguments, "-e", interpreter]
    return measure(command, **variables).cpu


def _python(arguments: list[str], payload: Path, variables: dict[str, str], stdin: str = "") -> float:
    return measure([sys.executable, *arguments], stdin, **{**variables, "PYTHONPATH": str(payload)}).cpu


def _payload(folder: Path) -> Path:
    """Write the archive of the collection's files that a module receives, and return its path."""
    payload = folder / "payload.zip"
    with zipfile.ZipFile(payload, "w", zipfile.ZIP_DEFLATED) as archive:
        sources = {f"{_PACKAGE}/{path.relative_to(_PLUGINS)}": path for path in _PLUGINS.rglob("*.py")}
        for name, path in sources.items():
            archive.write(path, name)
        packages = {str(parent) for name in sources for parent in Path(name).parents[:-1]}
        for name in {f"{package}/__init__.py" for package in packages} - set(sources):
            archive.writestr(name, "")
    return payload
