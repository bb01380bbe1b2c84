# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of the guides and the README work, and the guides are complete."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import tomllib
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.checker import Context
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import MESSAGES
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.problems import config_problems
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.images import image_from_reference
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.prediction import predict_hits
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.reasons import MISSES
from ansible_collections.dragonflyoss.dragonfly.tests.tools import messages
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils.hosts import facts

CHECKOUT = Path(__file__).resolve().parents[2]
GUIDES = CHECKOUT / "docs/docsite/rst"
RST_BLOCK = re.compile(r"\.\. code-block:: ([\w+]+)\n(?: +:.*\n)*\n((?: +.*\n|\n)+)")
README_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)

#: Texts in plays that need missing hosts or managers: only their syntax is checked.
NOT_RUN = ("hosts: nodes", "ca_path:", "roles:", "dfget.yaml", "preheat_hit_info")


def blocks():
    """Yield (id, language, text) of each code block."""
    readmes = [CHECKOUT / "README.md", *sorted(CHECKOUT.glob("roles/*/README.md"))]
    for path in (*readmes, *sorted(GUIDES.glob("*.rst"))):
        pattern = RST_BLOCK if path.suffix == ".rst" else README_BLOCK
        for number, (language, text) in enumerate(pattern.findall(path.read_text(encoding="utf-8")), 1):
            name = path.parent.name if path.parent.parent.name == "roles" else path.stem
            yield pytest.param(language, textwrap.dedent(text), id=f"{name}-{number}-{language}")


@pytest.fixture(scope="module")
def sandbox():
    """Yield a manager and a registry with the content of the examples."""
    from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox

    with Sandbox(release="2.5.1", factor=60, rate_limit=False) as box:
        for name in ("web", "api"):
            box.image(f"shop/{name}", "4.2.0", platforms=["linux/amd64", "linux/arm64"])
        yield box


@pytest.mark.parametrize(("language", "text"), list(blocks()))
def test_code_blocks_work(language, text, sandbox, tmp_path):
    if language in ("yaml", "yaml+jinja"):
        check_playbook(yaml.safe_load(text), text, sandbox, tmp_path)
    elif language in ("shell", "console"):
        commands = re.sub(r"^\$ ", "", text, flags=re.MULTILINE) if language == "console" else text
        done = subprocess.run(["bash", "-n"], input=commands, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    elif language == "toml":
        tomllib.loads(text)
    elif language == "json":
        json.loads(text)
    else:
        assert language == "text", "Nothing here can check this language."


def check_playbook(document, text, sandbox, folder):
    """Run a block against the sandbox, as plays or tasks. If it cannot run here, check only the syntax."""
    if not isinstance(document, list):
        assert isinstance(document, dict)  # a file of settings, variables or requirements
        return
    if "kubernetes.core." in text:
        return  # Ansible rejects a module of a collection that is not installed
    plays = document
    if not any("hosts" in entry or "ansible.builtin.import_playbook" in entry for entry in document):
        plays = [{"name": "Tasks", "hosts": "localhost", "gather_facts": False, "tasks": document}]
    runs = not any(marker in text for marker in NOT_RUN)
    if runs:
        for play in plays:
            play["vars"] = {
                **play.get("vars", {}),
                "dragonfly_token": sandbox.token,
                "registry_password": "password of the registry",
                "vault_dragonfly_password": sandbox.state()["password"],
                **{variable["name"]: sandbox.state()["password"] for variable in play.pop("vars_prompt", ())},
            }
            play["module_defaults"] = {
                **play.get("module_defaults", {}),
                "dragonflyoss.dragonfly.preheat": {
                    "registries": {"registry.example.com": sandbox.registry_url},
                    "wait_sleep": 1,
                },
            }
    path = folder / "play.yml"
    written = yaml.safe_dump(plays, sort_keys=False).replace("http://dragonfly-manager:8080", sandbox.url)
    written = written.replace("~/", f"{folder}/")
    path.write_text(written, encoding="utf-8")
    command = [sys.executable, "-m", "ansible.cli.playbook", str(path), "--inventory=nodes,"]
    command += [] if runs else ["--syntax-check"]
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize(
    ("client", "release", "containerd"),
    [("dfget", "2.1.67", "1.6.20"), ("dfdaemon", "1.4.2", "2.1.0"), ("dfdaemon", "0.1.114", "1.6.20")],
)
def test_a_host_with_the_files_of_the_guide_hits(client, release, containerd):
    guide = (GUIDES / "guide_hosts.rst").read_text(encoding="utf-8")
    section = guide[guide.index("\nThe files\n") : guide.index("\nHosts that are already set up")]
    mirror, config_1, config_2, dfget, dfdaemon = (
        textwrap.dedent(text) for _language, text in RST_BLOCK.findall(section)
    )
    host = facts(
        client,
        release,
        config=dfget if client == "dfget" else dfdaemon,
        hosts=mirror if client == "dfget" else mirror.replace("65001", "4001"),
        config_toml=config_1 if containerd < "2" else config_2,
        containerd=containerd,
    )
    config = yaml.safe_load(host["clients"][client]["config"]["text"])
    assert config_problems(config, client, release, Context(dynconfig=True)) == []
    verdict = predict_hits(
        host, [image_from_reference("registry.example.com/shop/web:1", {}, digests=["sha256:" + "a1" * 32])]
    )
    assert (verdict.hit, verdict.reasons) == ("all", [])


def test_every_way_to_miss_is_in_its_guide():
    guide = (GUIDES / "guide_misses.rst").read_text(encoding="utf-8")
    assert [code for code in [*MESSAGES, *MISSES] if f"``{code}``" not in guide] == []


def shown_misses():
    """Yield (code, reason, remedy) from the section of the guide that quotes the texts of the check."""
    guide = (GUIDES / "guide_misses.rst").read_text(encoding="utf-8")
    section = guide[guide.index("Other codes of the check") :]
    for code, body in re.findall(r"^``(\w+)``\n((?:    .*\n|\n)+)", section, flags=re.MULTILINE):
        cause, _star, remedy = " ".join(body.replace("``", "").split()).partition(" *Remedy:* ")
        yield code, cause, remedy


def quoted(text):
    """Return a text without differences between the code and the guide: placeholders, and the first letter."""
    text = re.sub(r"<[A-Z ]+>(?: <SEED RELEASE>)?|\{[\w!]+\}", "...", text)
    return text[:1].upper() + text[1:]


def test_the_guide_quotes_the_texts_of_the_check():
    texts = {**MESSAGES, **MISSES}
    differing = [
        (code, cause, remedy)
        for code, cause, remedy in shown_misses()
        if quoted(cause) != quoted(texts[code][0]) or (remedy and quoted(remedy) != quoted(texts[code][1]))
    ]
    assert differing == []
    assert len(list(shown_misses())) > 20


def test_every_message_is_in_the_guide():
    guide = messages.GUIDE.read_text(encoding="utf-8")
    shown = set(re.findall(r"^- ``(.*?)``$", re.sub(r"\n  ", " ", guide), flags=re.MULTILINE))
    missing = {text for texts in messages.all_messages().values() for text in texts} - shown
    assert missing == set(), "Run python tests/tools/messages.py"


def test_list_of_messages_has_no_texts_of_other_programs():
    listed = messages.all_messages()
    texts = {text for group in listed.values() for text in group}
    assert [
        text for text in texts if re.search("min repeat|http request to|plain http request was|ERR max", text)
    ] == []
    # Without the words of the message itself, these would only be punctuation.
    assert [text for text in texts if not text.replace("What to do:", "").strip("\N{HORIZONTAL ELLIPSIS} .:")] == []


@pytest.mark.parametrize(
    "text, is_part",
    [
        ("it is not a JSON object", True),
        ("check that it exists; it may have been deleted meanwhile", True),
        ("\N{HORIZONTAL ELLIPSIS}. A peer reports: \N{HORIZONTAL ELLIPSIS}", True),
        ("peers have it, and these schedulers do not report more", True),
        ("registries must be a mapping of registry name to base URL", False),
        ("\N{HORIZONTAL ELLIPSIS} refused the connection", False),
        ("Set it to 0", False),
    ],
)
def test_parts_of_messages_are_listed_separately(text, is_part):
    assert messages.is_part(text, {"registries", "peers"}) is is_part


def test_every_reason_is_in_the_guide():
    guide = messages.GUIDE.read_text(encoding="utf-8")
    table = guide[: guide.index(messages.START)]
    assert sorted(code for code in reasons() if f"``{code}``" not in table) == []


def reasons():
    """Yield the codes of reasons: second arguments of errors and verdicts, and codes before a message in a tuple."""
    for path in sorted((CHECKOUT / "plugins/module_utils").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple):
                yield from tuple_reasons([getattr(part, "value", None) for part in node.elts])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
                code = getattr(node.args[1], "value", None)
                if re.search("(Error|Unreachable|Refused|Verdict|Meaning)$", node.func.id) and is_code(code):
                    yield code


def tuple_reasons(values):
    """Yield texts of a tuple that are a code followed by a message."""
    for code, message in zip(values, values[1:]):
        if is_code(code) and isinstance(message, str) and messages.is_message(message):
            yield code


def is_code(value):
    return isinstance(value, str) and re.fullmatch("[a-z]+(_[a-z]+)*", value)


def test_readme_names_all_content():
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("## Content") : readme.index("## Supported")]
    content = [path.stem for path in (CHECKOUT / "plugins/modules").glob("*.py")]
    for folder in ("filter", "inventory"):
        content += [path.stem for path in (CHECKOUT / "plugins" / folder).glob("*.py")]
    # Roles whose names begin with an underscore are used by other roles only.
    content += [path.name for path in (CHECKOUT / "roles").glob("[!_]*")]
    content += [path.stem for path in (CHECKOUT / "playbooks").glob("*.yml")]
    assert sorted(name for name in content if f"`{name}`" not in table) == []
    # Without the addresses of its links.
    assert len([line for line in readme.splitlines() if not re.match(r"\[.+\]: ", line)]) < 200


def test_readme_uses_the_client_of_new_installations():
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    clients = re.findall(r"preheat_client: (\w+)", readme)
    assert set(clients) == {"dfdaemon"}


def test_picture_is_drawn_from_its_source():
    source = (CHECKOUT / "docs/picture/overview.dot").read_text(encoding="utf-8")
    drawn = (CHECKOUT / "docs/picture/overview.svg").read_text(encoding="utf-8")
    labels = re.findall(r'<b>(.*?)</b>|">([^<>]+)</font>|label = "(.*?)"', source)
    labels_shown = [next(filter(None, label)) for label in labels]
    assert len(labels_shown) > 10
    assert [word for word in labels_shown if word.replace("  ", " &#160;") not in drawn] == []
