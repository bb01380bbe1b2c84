# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules for all of the collection's code: imports, lengths, and parts that must match."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.tests.tools.sources import assigned, documented

CHECKOUT = Path(__file__).resolve().parents[2]
PLUGINS = CHECKOUT / "plugins"
FILES = sorted(path for path in PLUGINS.rglob("*.py"))
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
OURS = "ansible_collections.dragonflyoss.dragonfly.plugins."

MAIN_LINES = 50
FUNCTION_LINES = 40
LINE_LENGTH = 120

#: Functions that are being rewritten and still longer. The list only gets shorter.
LONG_FUNCTIONS: set[str] = set()

#: The names that the code defines, and those of its files.
DEFINED = {path.stem for path in FILES}
for _path in FILES:
    DEFINED |= set(re.findall(r"^(?: *(?:def|class) )?(\w+)", _path.read_text(encoding="utf-8"), re.MULTILINE))

#: The layers of module_utils from the top. A file in none of them belongs to LOGIC: it sends requests through its
#: arguments, and knows neither Ansible nor HTTP.
TOP = {"_module"}
LOGIC = "logic"
SERVERS = {"_client", "_registry", "_registry_requests"}
HTTP = {"_attempt", "_http", "_session", "_transport_errors"}
#: Decisions: no requests, no clock, no files.
PURE = {
    "_config_redaction",
    "_control_characters",
    "_duration",
    "_image",
    "_manager_errors",
    "_manifest",
    "_passwords",
    "_platforms",
    "_registry_auth",
    "_text",
    "_json",
    "_job_document",
    "_option_checks",
    "_registry_config",
    "_registry_errors",
    "_default_filter",
    "_file_url",
    "_gateway",
    "_pages",
    "_polling",
    "_concurrency",
    "_preheat/cluster_coverage",
    "_preheat/decision",
    "_preheat/fingerprint",
    "_preheat/host_check",
    "_preheat/job_errors",
    "_preheat/matching",
    "_preheat/options",
    "_preheat/planning",
    "_preheat/records",
    "_preheat/requested_hosts",
    "_preheat/verdict",
    "_query_filters",
    "_regex",
    "_release",
    "_releases",
    "_redact",
    "_task_id",
    "_tasks/hosts",
    "_time",
}
BOTTOM = {"_argspec", "_errors", "_version"}
LAYERS = (TOP, LOGIC, SERVERS, HTTP, PURE, BOTTOM)

#: Permitted imports between the directories of plugins.
FOLDERS = {
    "action": {"plugin_utils", "module_utils"},
    "filter": {"plugin_utils", "module_utils"},
    "lookup": {"plugin_utils", "module_utils"},
    "inventory": {"plugin_utils", "module_utils", "doc_fragments"},
    "plugin_utils": {"plugin_utils", "module_utils"},
    "modules": {"module_utils"},
    "module_utils": {"module_utils"},
    "doc_fragments": set(),
}

#: Libraries that a module may need on a target besides Python and Ansible, and the only file that imports each.
DEPENDENCIES = {
    "requests": "module_utils/_session.py",
    "pymysql": "module_utils/_sql.py",
    "psycopg2": "module_utils/_sql.py",
}
#: The files of module_utils that may import Ansible.
ANSIBLE = {"module_utils/_module.py", "module_utils/_argspec.py"}


def imports(path):
    """Return the names that a file imports, each a module or a part of one, anywhere in the file.

    Imports for types only are not dependencies.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {id(node) for branch in ast.walk(tree) if is_type_checking(branch) for node in ast.walk(branch)}
    names = []
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{absolute(node, path)}.{alias.name}" for alias in node.names]
    return names


def absolute(node, path):
    """Return the full name of the module that an import names: relative within utils, and only there.

    The playbook short_names links the other files to another directory.
    """
    parts = path.relative_to(PLUGINS).parts
    is_ours = node.level > 0 or node.module.startswith(OURS)
    should_be_relative = is_ours and parts[0].endswith("_utils")
    assert should_be_relative == (node.level > 0), f"{short(path)} line {node.lineno}: import of {node.module}"
    return OURS + ".".join([*parts[: -node.level], node.module]) if node.level else node.module


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "t.TYPE_CHECKING"


def imported_file(name):
    """Return the directory and file of an import, such as plugin_utils and _config/schema, without the suffix."""
    folder, stem, *names_within = name[len(OURS) :].split(".")
    inner = names_within[0] if names_within else "__init__"
    return folder, f"{stem}/{inner}" if (PLUGINS / folder / stem).is_dir() else stem


def own_imports(path):
    """Return the files of this collection that a file imports, as (directory, stem)."""
    files = set()
    for name in imports(path):
        if name.startswith(OURS):
            folder, file = imported_file(name)
            assert (PLUGINS / folder / f"{file}.py").is_file(), f"{short(path)} imports {name}"
            files.add((folder, file))
        else:
            assert not name.startswith("ansible_collections"), f"{short(path)} imports {name}"
    return files


UTILS = sorted((PLUGINS / "module_utils").rglob("*.py"))


def short(path):
    return path.relative_to(PLUGINS).as_posix()


def util(path):
    """Return the name of a file of module_utils in imports, such as _jobs or _preheat/run."""
    return path.relative_to(PLUGINS / "module_utils").with_suffix("").as_posix()


def layer(stem):
    return next((number for number, stems in enumerate(LAYERS) if stem in stems), LAYERS.index(LOGIC))


@pytest.mark.parametrize("path", FILES, ids=short)
def test_folders_import_what_is_below_them(path):
    folder = path.relative_to(PLUGINS).parts[0]
    assert {imported for imported, _stem in own_imports(path)} <= FOLDERS[folder]


@pytest.mark.parametrize("path", UTILS, ids=short)
def test_module_utils_import_downwards(path):
    upwards = {stem for _folder, stem in own_imports(path) if layer(stem) < layer(util(path))}
    assert not upwards


def test_no_import_leads_back():
    below = {
        imported_file(OURS + ".".join(path.relative_to(PLUGINS).with_suffix("").parts)): own_imports(path)
        for path in FILES
    }
    while below:
        leaves = {file for file, needed in below.items() if not needed & set(below)}
        assert leaves, f"these import each other: {sorted(below)}"
        below = {file: needed for file, needed in below.items() if file not in leaves}


def test_layers_name_files_that_exist():
    named = set().union(*(stems for stems in LAYERS if stems != LOGIC))
    assert named <= {util(path) for path in UTILS}


@pytest.mark.parametrize("stem", sorted(PURE))
def test_pure_files_import_pure_files(stem):
    assert {imported for _folder, imported in own_imports(PLUGINS / f"module_utils/{stem}.py")} <= PURE | BOTTOM


@pytest.mark.parametrize("path", [*MODULES, *UTILS], ids=short)
def test_modules_need_nothing_but_requests(path):
    tops = {name.partition(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"ansible_collections"}
    allowed = {name for name, file in DEPENDENCIES.items() if file == short(path)}
    if short(path) in ANSIBLE:
        allowed.add("ansible")
    assert tops <= allowed


def test_ansible_on_targets_is_its_module_utils():
    # Nothing else of Ansible is available.
    for file in ANSIBLE:
        for name in imports(PLUGINS / file):
            assert not name.startswith("ansible.") or name.startswith("ansible.module_utils."), f"{file}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_main_is_short(path):
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    [main] = [node for node in functions if node.name == "main"]
    assert (main.end_lineno or 0) - main.lineno + 1 <= MAIN_LINES


@pytest.mark.parametrize("path", FILES, ids=short)
def test_functions_are_short(path):
    long = [
        f"{short(path)}: {node.name}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name != "main" and code_lines(node) > FUNCTION_LINES
    ]
    assert [name for name in long if name not in LONG_FUNCTIONS] == []


def code_lines(function):
    """Return the number of lines of a function without its docstring."""
    first = function.body[0]
    docstring = ast.get_docstring(function) is not None
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if docstring else 0)


@pytest.mark.parametrize("path", FILES, ids=short)
def test_comments_name_what_exists(path):
    named = set(re.findall(r"\bL\(([\w.]+)\)", path.read_text(encoding="utf-8")))
    assert {name for name in named if name.rpartition(".")[2] not in DEFINED} == set()


@pytest.mark.parametrize(
    "path", sorted(path for path in PLUGINS.rglob("*.*") if path.suffix in (".py", ".yml")), ids=short
)
def test_lines_are_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > LINE_LENGTH] == []


def test_version():
    galaxy = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
    assert assigned(PLUGINS / "module_utils/_version.py", "VERSION") == galaxy["version"]


def test_action_group_holds_each_module_that_takes_the_connection():
    runtime = yaml.safe_load((CHECKOUT / "meta/runtime.yml").read_text(encoding="utf-8"))
    # These send no requests to a manager.
    expected = sorted({path.stem for path in MODULES} - {"database_info", "host_info"})
    assert runtime["action_groups"]["dragonfly"] == expected
    documented_members = [
        path.stem
        for path in MODULES
        if "dragonflyoss.dragonfly._attributes.action_group" in documented(path)["extends_documentation_fragment"]
    ]
    assert documented_members == expected


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_module_has_three_examples(path):
    assert len(documented(path, "EXAMPLES")) >= 3
