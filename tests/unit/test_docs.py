# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation matches the code: options, option groups and results of each module."""

from __future__ import annotations

import ast
import importlib
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils import _argspec
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._clusters import RANGES as CLUSTER_RANGES
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._duration import format_duration
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import DURATIONS, RANGES, Range
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.report import format_job, job_result
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.verdict import Verdict
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.host import FACTS

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (CHECKOUT / "plugins/modules").glob("*.py"))
ACTIONS = {path.stem for path in (CHECKOUT / "plugins/action").glob("*.py")}
PACKAGE = "ansible_collections.dragonflyoss.dragonfly.plugins"

#: Keys of any result that Ansible itself explains.
COMMON_RESULTS = {"changed", "diff", "failed", "msg"}
#: What DragonflyModule returns with each failure.
FAILURE_RESULTS = {"reason", "request", "status"}
TYPES: dict[str, t.Any] = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict}


def fragment(name):
    """Return a doc fragment, such as ``_connection`` or ``_attributes.info_module``, parsed."""
    stem, _dot, variant = name.partition(".")
    module = importlib.import_module(f"{PACKAGE}.doc_fragments.{stem}")
    return yaml.safe_load(getattr(module.ModuleDocFragment, variant.upper() or "DOCUMENTATION"))


def fragments_of(documentation):
    return [name.split(".", 2)[2] for name in documentation["extends_documentation_fragment"]]


def documentation_of(name):
    """Return the DOCUMENTATION of a module and all of its options, those of its fragments too."""
    documentation = yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{name}").DOCUMENTATION)
    options = {}
    for fragment_name in fragments_of(documentation):
        options.update(fragment(fragment_name).get("options", {}))
    options.update(documentation.get("options", {}))
    return documentation, options


def arguments_of(name, monkeypatch):
    """Return the arguments of a module for AnsibleModule."""

    class Recorder:
        def __init__(self, **arguments):
            self.arguments = arguments
            recorded.append(arguments)

        def run(self, *_arguments, **_options):
            pass

    recorded: list[dict[str, t.Any]] = []
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    monkeypatch.setattr(module, "DragonflyModule", Recorder)
    module.main()
    [arguments] = recorded
    return arguments


def described_as(option):
    """Return an option of the documentation as an argument spec has it, the default as a module sees it."""
    environment = re.findall(r"(?:environment variable|module reads) E\((\w+)\)", str(option["description"]))
    return uniform(option, environment, option.get("suboptions", {}), described_as)


def specified_as(option):
    """Return an option of an argument spec in the same form."""
    environment = option["fallback"][1] if "fallback" in option else []
    return uniform(option, environment, option.get("options") or {}, specified_as)


def uniform(option, environment, suboptions, convert):
    """Return an option with all of its keys."""
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "default": option.get("default"),
        "choices": list(option["choices"]) if "choices" in option else None,
        "required": option.get("required", False),
        "aliases": option.get("aliases", []),
        "environment": environment,
        "options": {name: convert(suboption) for name, suboption in suboptions.items()},
    }


FRAGMENTS = sorted(path.stem for path in (CHECKOUT / "plugins/doc_fragments").glob("*.py"))
GROUPS = [name for name in FRAGMENTS if fragment(name).get("options")]


def test_groups():
    assert {"_connection", "_registry", "_wait"} <= set(GROUPS)


@pytest.mark.parametrize("name", GROUPS)
def test_fragment_is_the_twin_of_its_group(name):
    parts = ["", ".token", ".jwt"] if name == "_connection" else [""]
    documented = {
        option: described_as(details) for part in parts for option, details in fragment(name + part)["options"].items()
    }
    group = getattr(_argspec, name.strip("_").upper())
    assert documented == {option: specified_as(details) for option, details in group.items()}


@pytest.mark.parametrize("name", MODULES)
def test_documented_options_are_the_arguments(name, monkeypatch):
    arguments = arguments_of(name, monkeypatch)
    _documentation, options = documentation_of(name)
    documented = {option: described_as(details) for option, details in options.items()}
    # An option with a leading underscore is between an action plugin and its module.
    specified = {
        option: specified_as(details)
        for option, details in arguments["argument_spec"].items()
        if not option.startswith("_")
    }
    for option, details in options.items():
        if "Ignored by this module" in str(details["description"]):
            # A credential that module_defaults and the environment give to all modules.
            specified[option]["environment"] = []
    assert documented == specified


@pytest.mark.parametrize("name", MODULES)
def test_rules_among_options_name_options(name, monkeypatch):
    arguments = arguments_of(name, monkeypatch)
    named = set()
    for rule in ("mutually_exclusive", "required_together", "required_one_of"):
        named |= {option for group in arguments.get(rule) or [] for option in group}
    for option, needed in (arguments.get("required_by") or {}).items():
        named |= {option, *([needed] if isinstance(needed, str) else needed)}
    for option, value, needed, *_any in arguments.get("required_if") or []:
        named |= {option, *needed}
        choices = arguments["argument_spec"][option].get("choices")
        assert choices is None or value in choices
    assert named <= set(arguments["argument_spec"])


@pytest.mark.parametrize("name", MODULES)
def test_each_exclusive_option_names_the_others(name, monkeypatch):
    _documentation, options = documentation_of(name)
    missing = [
        (option, other)
        for group in arguments_of(name, monkeypatch).get("mutually_exclusive") or []
        for option in group
        for other in group
        if other != option and f"O({other})" not in str(options[option]["description"])
    ]
    assert missing == []


@pytest.mark.parametrize("name", MODULES)
def test_groups_are_documented_by_their_fragments(name):
    """A group of options is documented once, not in each module that uses it."""
    source = (CHECKOUT / f"plugins/modules/{name}.py").read_text(encoding="utf-8")
    taken = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == f"{PACKAGE}.module_utils._argspec":
            taken |= {"_" + alias.name.lower() for alias in node.names} & set(GROUPS)
    documentation, _options = documentation_of(name)
    assert taken == set(fragments_of(documentation)) & set(GROUPS)
    for group in taken:
        assert not set(fragment(group)["options"]) & set(documentation.get("options", {}))


@pytest.mark.parametrize("name", MODULES)
def test_each_range_is_documented(name):
    for option, details in documentation_of(name)[1].items():
        if option in RANGES:
            assert range_text(option) in " ".join(as_list(details["description"]))
        for suboption, allowed in CLUSTER_RANGES.get(option, {}).items():
            assert ranges_in(details["suboptions"][suboption]) == [allowed]


@pytest.mark.parametrize("path", sorted((CHECKOUT / "roles").glob("*/meta/argument_specs.yml")), ids=str)
def test_each_range_of_a_role_is_documented(path):
    for entry_point in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
        for variable, details in entry_point["options"].items():
            text = " ".join(as_list(details["description"]))
            option = next((name for name in RANGES if re.fullmatch(f"_?[a-z]+_{name}", variable)), None)
            if option and details["type"] == "str":
                assert range_text(option) in text
            elif option:
                assert ranges_in(details)[0] == RANGES[option]
            if variable.endswith("_port"):
                assert "from 1 to 65535" in text


def range_text(option):
    """Return how the documentation states the range of an option."""
    limits = map(format_duration, RANGES[option]) if option in DURATIONS else RANGES[option]
    return "from {} to {}".format(*limits)


def as_list(description):
    return description if isinstance(description, list) else [description]


def every_option():
    """Return each module, the inventory plugin and each filter with the name and the details of each of its options."""
    options = {name: documentation_of(name)[1] for name in MODULES}
    options["peers"] = yaml.safe_load(importlib.import_module(f"{PACKAGE}.inventory.peers").DOCUMENTATION)["options"]
    for path in sorted((CHECKOUT / "plugins/filter").glob("*.yml")):
        filter_documentation = yaml.safe_load(path.read_text(encoding="utf-8"))["DOCUMENTATION"]
        options[f"filter {path.stem}"] = filter_documentation["options"]
    return [(plugin, name, details) for plugin, each in options.items() for name, details in each.items()]


OPTIONS = every_option()


@pytest.mark.parametrize("plugin, option, details", OPTIONS)
def test_each_duration_has_the_one_parser(plugin, option, details):
    is_time = option == "expires_at"
    if re.search("timeout|sleep|interval|delay|expire|ttl|period|lifetime|older|(^|_)age(_|$)", option) and not is_time:
        assert option in DURATIONS or option == "expires_in"
        assert "such as V(" in str(details["description"])
        assert details["type"] in ("str", "raw")


#: Lists without a natural singular.
ALWAYS_LISTS = {"filtered_query_params", "jobs"}
LISTS = [each for each in OPTIONS if each[2]["type"] in ("list", "raw") and each[1].endswith("s")]


@pytest.mark.parametrize("plugin, option, details", [each for each in LISTS if not each[0].startswith("filter ")])
def test_one_and_several_have_one_name(plugin, option, details):
    """A list has the name of several, and that of one as an alias, unless that is an option of its own."""
    own = {name for owner, name, _details in OPTIONS if owner == plugin}
    assert option in ALWAYS_LISTS or option[:-1] in own or option[:-1] in details.get("aliases", [])


@pytest.mark.parametrize("plugin, option, details", OPTIONS)
def test_only_lists_have_names_of_several(plugin, option, details):
    """A list for an option of type str becomes its text, such as "['linux/amd64']"."""
    assert details["type"] != "str" or f"{option}s" not in details.get("aliases", [])


def ranges_in(details):
    pairs = re.findall(r"(?:from|, )(?: )?(\d+) to (\d+)", str(details["description"]))
    return [Range(int(least), int(greatest)) for least, greatest in pairs]


@pytest.mark.parametrize("name", MODULES)
def test_options_named_in_texts_exist(name):
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    documentation, options = documentation_of(name)
    returned = yaml.safe_load(module.RETURN)
    fragments = [fragment(fragment_name) for fragment_name in fragments_of(documentation)]
    texts = "".join(str(part) for part in (documentation, returned, *fragments))
    assert set(re.findall(r"\bO\((\w+)[=)]", texts)) <= set(options)
    assert set(re.findall(r"\bRV\((\w+)[^)#]*\)", texts)) <= set(returned)
    mentioned = set(re.findall(r"M\(dragonflyoss\.dragonfly\.(\w+)\)", texts))
    mentioned |= set(re.findall(r"dragonflyoss\.dragonfly\.(\w+)#module", texts))
    assert mentioned <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_results_are_of_their_types(name):
    check_results(yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{name}").RETURN))


def is_text(description):
    """Return whether a description is a string or a list of strings. A colon can make one a mapping."""
    return all(isinstance(paragraph, str) for paragraph in as_list(description))


@pytest.mark.parametrize("plugin, option, details", OPTIONS)
def test_descriptions_of_options_are_text(plugin, option, details):
    assert is_text(details["description"])
    assert all(is_text(suboption["description"]) for suboption in details.get("suboptions", {}).values())


def check_results(results, within=""):
    for key, result in results.items():
        where = within + key
        assert result.get("description"), where
        assert is_text(result["description"]), f"{where}: quote a text with a colon"
        # A part of a result is returned with it, unless it says otherwise.
        assert within or result.get("returned"), where
        assert result.get("type") in TYPES, where
        assert ("elements" in result) == (result["type"] == "list"), where
        if result.get("sample") is not None:
            sample = result["sample"]
            assert isinstance(sample, TYPES[result["type"]]), where
            if result["type"] == "list":
                assert all(isinstance(item, TYPES[result["elements"]]) for item in sample), where
        if "contains" in result:
            assert "dict" in (result["type"], result.get("elements")), where
            check_results(result["contains"], where + ".")


def written_result(name):
    """Return the keys of the result that a module writes as a dictionary, None if it is computed elsewhere."""
    tree = ast.parse((CHECKOUT / f"plugins/modules/{name}.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    last = functions[name].body[-1] if name in functions else None
    if isinstance(last, ast.Return) and isinstance(last.value, ast.Dict) and all(last.value.keys):
        return {ast.literal_eval(key) for key in last.value.keys if key}
    return None


# The result of a module with an action plugin goes to that plugin.
@pytest.mark.parametrize("name", [name for name in MODULES if name not in ACTIONS and written_result(name)])
def test_results_are_documented(name):
    documented = set(yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{name}").RETURN))
    assert documented - FAILURE_RESULTS == written_result(name) - COMMON_RESULTS


#: Modules that send no HTTP request.
WITHOUT_REQUESTS = {"database_info", "host_info"}


@pytest.mark.parametrize("name", MODULES)
def test_keys_of_a_failure_are_documented(name):
    documented = set(yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{name}").RETURN))
    expected = {"reason"} if name in WITHOUT_REQUESTS else FAILURE_RESULTS
    assert documented & FAILURE_RESULTS == expected


@pytest.mark.parametrize("name", ["task", "task_info", "image_distribution_info"])
def test_module_that_creates_jobs_in_check_mode_says_so(name):
    documentation = yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{name}").DOCUMENTATION)
    parts = [documentation, *(fragment(part) for part in fragments_of(documentation))]
    details = [part.get("attributes", {}).get("check_mode", {}).get("details", []) for part in parts]
    assert "C(get_task)" in str(details)
    assert "does not modify state" not in str(details)


def test_facts_of_the_daemons_are_the_documented_choices():
    documentation = yaml.safe_load((CHECKOUT / "plugins/filter/daemon_fact.yml").read_text(encoding="utf-8"))
    assert documentation["DOCUMENTATION"]["options"]["fact"]["choices"] == sorted(FACTS)


JOB = {"id": 1, "type": "preheat", "state": "PENDING", "args": {"type": "file", "url": "https://example.com/file"}}


@pytest.mark.parametrize(
    "name, result",
    [
        ("preheat", job_result(None, Verdict("planned"))),
        ("preheat", job_result(JOB, Verdict("warm", failures=[{"url": "u", "description": "d"}]))),
        ("job_info", format_job(JOB, details=True)),
    ],
)
def test_keys_of_jobs_are_documented(name, result):
    returned = yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{name}").RETURN)
    documented = returned["jobs"]["contains"]
    assert set(result) == set(documented)
