# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration that containerd really reads (imports, distributions, credentials), and the plans of the role."""

from __future__ import annotations

from typing import Any

import pytest
import tomlkit
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils import _containerd_config
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_files import read_config
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_plan import (
    Options,
    edited_config,
    make_plan,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.images import image_from_reference
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.prediction import predict_hits
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils import hosts

CERTS = "/etc/containerd/certs.d"
CONFIG = "/etc/containerd/config.toml"
NVIDIA = "/etc/containerd/conf.d/99-nvidia.toml"
CRI2 = 'plugins."io.containerd.grpc.v1.cri"'
CRI3 = 'plugins."io.containerd.cri.v1.images"'
MAIN2 = f'version = 2\nimports = ["{NVIDIA}"]\n'
SET2 = f'[{CRI2}.registry]\nconfig_path = "{CERTS}"\n'
RUNTIME2 = f'version = 2\n[{CRI2}.containerd.runtimes.nvidia]\nruntime_type = "io.containerd.runc.v2"\n'
PROXY = "http://127.0.0.1:4001"
REGISTRY = {"registry.example.com": "https://registry.example.com"}
SECRET = "s3cr3t-marker"


def file(path: str, text: str | None, **more: Any) -> dict[str, Any]:
    """Return a file as the module host_info reports it."""
    facts = {"path": path, "text": text, "exists": text is not None, "error": None, "mtime": 1.0, "written_by": None}
    return {**facts, "bom": False, **more}


def containerd(text: str | None = "", imports: Any = (), **more: Any) -> dict[str, Any]:
    """Return facts of containerd as the module host_info reports them."""
    facts: dict[str, Any] = {
        "distribution": "containerd",
        "config": file(CONFIG, text),
        "config_error": "",
        "imports": [each if isinstance(each, dict) else file(*each) for each in imports],
        "dump": None,
        "dump_error": "",
        "certs_dir": None,
        "hosts": [],
        "unit": {"name": "containerd.service", "state": "active", "since": 2.0, "error": ""},
        "program": "/usr/bin/containerd",
        "version": "1.7.24",
        "sources": [],
        "registries": "",
    }
    return {**facts, **more}


def k3s(
    registries: str | None = None, name: str = "k3s", registries_path: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return facts of a host with k3s."""
    path = registries_path or f"/etc/rancher/{name}/registries.yaml"
    config = f"/var/lib/rancher/{name}/agent/etc/containerd/config.toml"
    text = f'version = 2\n[{CRI2}.registry]\nconfig_path = "/var/lib/rancher/{name}/agent/etc/containerd/certs.d"\n'
    facts = {
        "distribution": name,
        "config": file(config, text),
        "unit": {"name": f"{name}.service", "state": "active", "since": 2.0, "error": ""},
        "version": None,
        "sources": [] if registries is None else [file(path, registries)],
        "registries": path,
    }
    return containerd(**{**facts, **more})


def options(**more: Any) -> Options:
    return Options(**{"registries": REGISTRY, "proxy": PROXY, "client": "dfdaemon", **more})


def codes(plan: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in plan["problems"]]


# --- the effective configuration


@pytest.mark.parametrize(
    "main, imported, release, config_path",
    [
        # Up to 1.7, a later file replaces the table of a plugin. From 2.0 on, it is merged.
        (MAIN2 + SET2, RUNTIME2, "1.6.20", ""),
        (MAIN2 + SET2, RUNTIME2, "1.7.24", ""),
        (MAIN2 + SET2, RUNTIME2, "2.0.0", CERTS),
        (MAIN2 + SET2, "[plugins.other]\n", "1.7.24", CERTS),
        (MAIN2, RUNTIME2 + SET2, "1.7.24", CERTS),
        (MAIN2 + SET2, f'[{CRI2}.registry]\nconfig_path = "/other"\n', "2.1.0", "/other"),
        (MAIN2 + SET2, f'{CRI2}.registry.config_path = ""\n', "2.1.0", ""),
    ],
)
def test_imports_replace_or_merge(main: str, imported: str, release: str, config_path: str) -> None:
    facts = containerd(main, ((NVIDIA, imported),), version=release)
    effective = read_config(facts, tuple(int(part) for part in release.split(".")))
    assert effective.problems == ()
    assert effective.plugin.get("registry", {}).get("config_path", "") == config_path


@pytest.mark.parametrize("release", ["1.6.20", "1.7.24"])
def test_an_import_that_wins_is_named(release: str) -> None:
    plan = make_plan(containerd(MAIN2, ((NVIDIA, RUNTIME2),), version=release), options())
    assert codes(plan) == ["import_wins"]
    assert not plan["needs_config"]
    assert plan["problems"][0]["message"].startswith(f"{NVIDIA} plugins.io.containerd.grpc.v1.cri:")
    # The same after an earlier version of the role wrote config_path.
    assert codes(make_plan(containerd(MAIN2 + SET2, ((NVIDIA, RUNTIME2),), version=release), options())) == [
        "import_wins"
    ]


def test_a_dump_says_that_an_import_wins() -> None:
    facts = containerd(MAIN2 + SET2, ((NVIDIA, RUNTIME2),), dump=f'version = 2\n[{CRI2}.registry]\nconfig_path = ""\n')
    assert codes(make_plan(facts, options())) == ["import_wins"]


def test_an_import_that_is_merged_does_no_harm() -> None:
    plan = make_plan(containerd(MAIN2, ((NVIDIA, RUNTIME2),), version="2.0.5"), options())
    assert (codes(plan), plan["needs_config"]) == ([], True)


def test_what_an_import_does_is_not_guessed() -> None:
    facts = containerd(MAIN2 + SET2, ((NVIDIA, RUNTIME2),), version=None)
    assert codes(make_plan(facts, options())) == ["import_unclear"]
    assert make_plan(facts, options())["problems"][0]["key"].startswith(NVIDIA)


def test_messages_name_the_file_in_which_a_table_is() -> None:
    mirrors = f'[{CRI2}.registry.mirrors."docker.io"]\nendpoint = ["http://a"]\n'
    for imported, key in (
        (mirrors, f"{NVIDIA} io.containerd.grpc.v1.cri.registry.mirrors"),
        ('disabled_plugins = ["cri"]\n', f"{NVIDIA} disabled_plugins"),
        (f'[{CRI2}.registry]\nconfig_path = "/x"\n', f"{NVIDIA} io.containerd.grpc.v1.cri.registry.config_path"),
    ):
        plan = make_plan(containerd(MAIN2, ((NVIDIA, imported),)), options())
        assert plan["problems"][0]["key"] == key


@pytest.mark.parametrize(
    "more, code, key",
    [
        ({"config": file(CONFIG, None, error="Permission denied")}, "config_unreadable", CONFIG),
        ({"config": file(CONFIG, "version = ")}, "toml_invalid", CONFIG),
        ({"config": file(CONFIG, "version = 2\n", bom=True), "version": "2.1.0"}, "toml_invalid", CONFIG),
        ({"config": file(CONFIG, "version = '2'\n")}, "toml_invalid", CONFIG),
        ({"config": file(CONFIG, "version = 3\n")}, "config_version", f"{CONFIG} version"),
        ({"config": file(CONFIG, "version = 4\n"), "version": "2.2.0"}, "config_version", f"{CONFIG} version"),
        ({"imports": [file(NVIDIA, None)]}, "import_missing", NVIDIA),
        ({"imports": [file(NVIDIA, None, error="Is a directory")]}, "config_unreadable", NVIDIA),
        ({"imports": [file(NVIDIA, "[")]}, "toml_invalid", NVIDIA),
        ({"imports": [file(NVIDIA, "version = 3\n")], "version": "2.3.0"}, "import_version", f"{NVIDIA} version"),
        ({"dump_error": "it ends with status 1"}, "config_rejected", CONFIG),
        ({"dump": "version = "}, "config_rejected", CONFIG),
        ({"distribution": None}, "no_containerd", "containerd"),
        ({"distribution": "unknown"}, "unknown_containerd", CONFIG),
        ({"config_error": "its command is a script of /bin/sh"}, "config_unknown", CONFIG),
    ],
)
def test_what_is_not_known_is_said(more: dict[str, Any], code: str, key: str) -> None:
    facts = containerd(f'version = 2\nimports = ["{NVIDIA}"]\n' + SET2, **more)
    plan = make_plan(facts, options())
    assert (code, key) in [(problem["code"], problem["key"]) for problem in plan["problems"]]
    assert not plan["needs_config"]
    # The check does not call it a hit either.
    verdict = predict_hits({**hosts.facts(), "containerd": {**facts, "hosts": mirror_files()}}, [image()])
    assert verdict.hit == "none"
    assert code in [reason.code for reason in verdict.reasons]


def test_an_unknown_containerd_without_a_configuration_names_no_file() -> None:
    facts = containerd("", distribution="unknown", config=file(CONFIG, None))
    [only] = make_plan(facts, options())["problems"]
    assert only["key"] == "containerd"
    assert f"It was started with no configuration, because {CONFIG} does not exist." in only["message"]


@pytest.mark.parametrize("distribution", [None, "unknown"])
def test_a_missing_library_is_not_reported_without_a_containerd(monkeypatch, distribution: str | None) -> None:
    monkeypatch.setattr(_containerd_config, "TOMLKIT_ERROR", "No module named 'tomlkit'")
    assert codes(make_plan(containerd("version = 2\n"), options())) == ["tomlkit_missing"]
    facts = containerd("version = 2\n", distribution=distribution)
    assert codes(make_plan(facts, options())) == ["no_containerd" if distribution is None else "unknown_containerd"]


@pytest.mark.parametrize("release", [None, "1.7.24", "2.2.0"])
@pytest.mark.parametrize(
    "before, after, key",
    [
        ("version", "Version", "Version"),
        ("config_path", "Config_Path", "plugins.io.containerd.grpc.v1.cri.registry.Config_Path"),
        ("config_path", "CONFIG_PATH", "plugins.io.containerd.grpc.v1.cri.registry.CONFIG_PATH"),
        (".registry]", ".Registry]", "plugins.io.containerd.grpc.v1.cri.Registry"),
        ("[plugins", "[Plugins", "Plugins"),
        ("version = 2", 'version = 2\nDisabled_Plugins = ["io.containerd.grpc.v1.cri"]', "Disabled_Plugins"),
        ("version = 2", 'version = 2\nIMPORTS = ["/etc/other.toml"]', "IMPORTS"),
        (SET2, f"{SET2}[{CRI2}.registry.Mirrors.'a']\n", "plugins.io.containerd.grpc.v1.cri.registry.Mirrors"),
    ],
)
def test_a_key_in_another_case_is_not_guessed(before: str, after: str, key: str, release: str | None) -> None:
    text = ("version = 2\n" + SET2).replace(before, after)
    facts = containerd(text, version=release, hosts=mirror_files())
    plan = make_plan(facts, options())
    keys = [(problem["code"], problem["key"]) for problem in plan["problems"]]
    assert (("key_case", f"{CONFIG} {key}") in keys, plan["needs_config"]) == (True, False)
    verdict = predict_hits({**hosts.facts(), "containerd": facts}, [image()])
    assert (verdict.hit, "key_case" in [reason.code for reason in verdict.reasons]) == ("none", True)
    # containerd itself says what it reads.
    own = {**facts, "dump": "version = 2\n" + SET2}
    assert predict_hits({**hosts.facts(), "containerd": own}, [image()]).hit == "all"
    assert "key_case" not in codes(make_plan(own, options()))


@pytest.mark.parametrize(
    "text", [f"[{CRI2}.registry.mirrors.'A']\n", "[plugins.CRI]\nRegistry = 5\n", "[Grpc]\n[debug]\nLevel = 'a'\n"]
)
def test_names_and_keys_that_nothing_reads_have_any_case(text: str) -> None:
    assert codes(make_plan(containerd("version = 2\n" + text), options())) in ([], ["mirrors_in_use"])


#: The CRI plugin's table twice, which containerd 1.7.20 accepts.
REDECLARED = f"version = 2\n[{CRI2}]\nregistry.config_path = '{CERTS}'\n[{CRI2}.registry]\n"


def test_a_file_that_only_containerd_1_reads() -> None:
    dump = "version = 2\n" + SET2
    facts = containerd(REDECLARED, dump=dump, hosts=mirror_files())
    assert predict_hits({**hosts.facts(), "containerd": facts}, [image()]).hit == "all"
    assert codes(make_plan(facts, options())) == []
    unset = {**facts, "dump": "version = 2\n"}
    assert codes(make_plan(unset, options())) == ["toml_invalid"]
    unknown = {**facts, "dump": None}
    assert codes(make_plan(unknown, options())) == ["toml_invalid"]
    assert predict_hits({**hosts.facts(), "containerd": unknown}, [image()]).hit == "none"


@pytest.mark.parametrize("version, release", [(4, "2.3.0"), (3, "2.2.0"), (2, "1.7.24"), (4, None)])
def test_versions_that_a_release_knows(version: int, release: str | None) -> None:
    plan = make_plan(containerd(f"version = {version}\n", version=release), options())
    assert codes(plan) == []


@pytest.mark.parametrize(
    "text", ['disabled_plugins = ["cri"]\n', 'version = 3\ndisabled_plugins = ["io.containerd.cri.v1.images"]\n']
)
def test_a_disabled_plugin_of_containerd_2(text: str) -> None:
    assert "cri_disabled" in codes(make_plan(containerd(text, version="2.1.5"), options()))


@pytest.mark.parametrize(
    "release, code", [("2.2.0", "mirrors_in_use"), ("2.2.1", "mirrors_in_use"), ("2.2.2", "mirrors_in_use")]
)
def test_mirrors_beside_the_default(release: str, code: str) -> None:
    text = f'version = 3\n[{CRI3}.registry.mirrors."docker.io"]\nendpoint = ["http://a"]\n'
    assert codes(make_plan(containerd(text, version=release), options())) == [code]


# --- hits


def image() -> Any:
    return image_from_reference("registry.example.com/shop/web:1", {}, digests=["sha256:" + "a" * 64])


def mirror_files(folder: str = CERTS, **more: Any) -> list[dict[str, Any]]:
    return [file(f"{folder}/registry.example.com/hosts.toml", hosts.hosts_toml("dfget"), **more)]


def test_a_host_with_all_facts_hits() -> None:
    facts = {**hosts.facts(), "containerd": containerd("version = 2\n" + SET2, hosts=mirror_files())}
    verdict = predict_hits(facts, [image()])
    assert (verdict.hit, verdict.reasons) == ("all", [])


def test_an_import_that_wins_is_a_miss() -> None:
    own = containerd(MAIN2 + SET2, ((NVIDIA, RUNTIME2),), hosts=mirror_files())
    verdict = predict_hits({**hosts.facts(), "containerd": own}, [image()])
    assert verdict.hit == "none"
    assert [(reason.code, reason.file) for reason in verdict.reasons] == [("import_wins", NVIDIA)]


def test_an_import_that_is_newer_than_containerd() -> None:
    own = containerd(MAIN2 + SET2, hosts=mirror_files(), imports=[file(NVIDIA, "", mtime=3.0)])
    verdict = predict_hits({**hosts.facts(), "containerd": own}, [image()])
    assert [(reason.code, reason.file) for reason in verdict.reasons] == [("restart_needed", NVIDIA)]


def test_k3s_is_judged_by_the_files_that_it_generates() -> None:
    folder = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"
    # It writes config.toml itself after the start of its unit.
    own = k3s(hosts=mirror_files(folder))
    own["config"]["mtime"] = 3.0
    assert predict_hits({**hosts.facts(), "containerd": own}, [image()]).hit == "all"
    # Files in the usual directory do not count.
    verdict = predict_hits({**hosts.facts(), "containerd": k3s(hosts=mirror_files())}, [image()])
    assert verdict.hit == "none"
    newer = k3s("mirrors: {}\n", hosts=mirror_files(folder))
    newer["sources"][0]["mtime"] = 3.0
    verdict = predict_hits({**hosts.facts(), "containerd": newer}, [image()])
    assert [reason.code for reason in verdict.reasons] == ["restart_needed"]


def test_settings_of_k3s_that_are_unknown_are_never_a_hit() -> None:
    folder = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"
    unknown = {"key": "/etc/rancher/k3s/config.yaml private-registry", "error": "the value is not an absolute path"}
    own = k3s("mirrors: {}\n", hosts=mirror_files(folder), settings_error=unknown)
    verdict = predict_hits({**hosts.facts(), "containerd": own}, [image()])
    assert (verdict.hit, [reason.code for reason in verdict.reasons]) == ("none", ["settings_unknown"])
    reason = verdict.reasons[0]
    assert (reason.file, reason.key) == ("/etc/rancher/k3s/config.yaml", "private-registry")
    assert predict_hits({**hosts.facts(), "containerd": {**own, "settings_error": None}}, [image()]).hit == "all"
    # The role does not report files that it cannot read.
    plan = make_plan(own, options())
    assert (codes(plan), plan["registries"]["needed"]) == (["settings_unknown"], False)


def test_registries_elsewhere_are_written_there() -> None:
    plan = make_plan(k3s(registries_path="/own.yaml"), options())
    assert (plan["registries"]["path"], plan["registries"]["needed"], codes(plan)) == ("/own.yaml", True, [])
    text = f"mirrors:\n  registry.example.com:\n    endpoint: [{PROXY}]\n"
    facts = k3s(text, registries_path="/own.yaml")
    assert not make_plan(facts, options())["restart_needed"]
    # The file that names it was written after the start.
    facts["sources"].append({**file("/etc/rancher/k3s/config.yaml", ""), "mtime": 3.0})
    assert make_plan(facts, options())["restart_needed"]


@pytest.mark.parametrize(
    "tables, is_sent",
    [
        ('configs."registry.example.com".auth', False),
        ('auths."https://registry.example.com"', False),
        ('configs."other.example.com".auth', True),
        ('configs."registry.example.com".tls', True),
        ('configs."127.0.0.1:65001".auth', True),
    ],
)
def test_credentials_for_the_registry_are_not_sent_to_the_mirror(tables: str, is_sent: bool) -> None:
    text = f"version = 3\n[{CRI3}.registry]\nconfig_path = '{CERTS}'\n[{CRI3}.registry.{tables}]\nusername = 'hidden'\n"
    facts = {**hosts.facts(), "containerd": containerd(text, hosts=mirror_files(), version="2.1.5")}
    verdict = predict_hits(facts, [image()])
    assert [reason.code for reason in verdict.reasons] == ([] if is_sent else ["auth_not_for_mirror"])
    assert verdict.hit == ("all" if is_sent else "none")


def test_credentials_for_both_are_sent() -> None:
    auth = "".join(
        f'[{CRI2}.registry.configs."{host}".auth]\nusername = "a"\n'
        for host in ("127.0.0.1:65001", "registry.example.com")
    )
    facts = {**hosts.facts(), "containerd": containerd("version = 2\n" + SET2 + auth, hosts=mirror_files())}
    assert predict_hits(facts, [image()]).hit == "all"
    plan = make_plan(facts["containerd"], options(proxy="http://127.0.0.1:65001", client="dfget"))
    assert codes(plan) == []


# --- the role


def test_tomlkit_is_required_only_for_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_containerd_config, "TOMLKIT_ERROR", "No module named 'tomlkit'")
    plan = make_plan(containerd("version = 2\n"), options())
    assert (plan["needs_config"], codes(plan)) == (False, ["tomlkit_missing"])
    assert codes(make_plan(containerd(f"version = 2\n{SET2}"), options())) == []


def test_the_role_writes_config_path_and_credentials() -> None:
    text = f'# ours\nversion = 2\n[{CRI2}]\nsandbox_image = "a"\n'
    login = options(username="puller", password=SECRET)
    facts = containerd(text)
    plan = make_plan(facts, login)
    assert (plan["needs_config"], plan["reads_config"], codes(plan)) == (True, True, [])
    assert SECRET not in repr({key: value for key, value in plan.items() if key != "registries"})
    edited = edited_config(facts, login, "\ufeff" + text)
    assert edited.startswith("# ours\n")
    registry = tomlkit.parse(edited).unwrap()["plugins"]["io.containerd.grpc.v1.cri"]["registry"]
    assert registry == {
        "config_path": CERTS,
        "configs": {"127.0.0.1:4001": {"auth": {"username": "puller", "password": SECRET}}},
    }
    # Once it is there, nothing changes.
    assert edited_config(containerd(edited), login, edited) == edited


def test_credentials_are_not_sent_to_several_registries() -> None:
    two = {**REGISTRY, "other.example.com": "https://other.example.com"}
    for more in ({"registries": two}, {"default": True}):
        assert "auth_for_several" in codes(make_plan(containerd(), options(username="a", password="b", **more)))


@pytest.mark.parametrize(
    "client, release, expected_codes",
    [
        ("dfdaemon", "", []),
        ("dfdaemon", "1.3.5", []),
        ("dfdaemon", "1.3.4", ["default_without_registry"]),
        ("dfget", "", ["default_without_registry"]),
        ("none", "", []),
    ],
)
def test_a_folder_for_all_registries(client: str, release: str, expected_codes: list[str]) -> None:
    plan = make_plan(containerd(), options(default=True, client=client, client_release=release))
    assert codes(plan) == expected_codes


@pytest.mark.parametrize(
    "proxy, is_accepted",
    [
        ("http://127.0.0.1:4001", True),
        ("http://127.0.0.1:4001/", True),
        ("http://[fd00::1]:4001", True),
        ("http://client.example.com:65001", True),
        ("10.0.0.5:4001", False),
        ("https://10.0.0.5:4001", False),
        ("foo", False),
        ("http://10.0.0.5", False),
        ("http://10.0.0.5:0", False),
        ("http://10.0.0.5:99999", False),
        ("http://10.0.0.5:4001/v2", False),
        (f"http://user:{SECRET}@10.0.0.5:4001", False),
        ("HTTP://10.0.0.5:4001", False),
        ("http://10.0.0.5:4001\n", False),
        ("ftp://10.0.0.5:4001", False),
    ],
)
@pytest.mark.parametrize("facts", [containerd(), k3s()])
def test_a_proxy_that_pulls_would_miss_is_refused(facts: dict[str, Any], proxy: str, is_accepted: bool) -> None:
    problems = make_plan(facts, options(proxy=proxy))["problems"]
    assert ("proxy_url" not in [each["code"] for each in problems]) == is_accepted
    assert SECRET not in str(problems)
    assert "proxy_url" not in codes(make_plan(facts, options(proxy=proxy, allowed=["proxy_url"])))


def test_files_of_the_role_and_of_others() -> None:
    role = "dragonflyoss.dragonfly.containerd_mirrors"
    own = file(f"{CERTS}/docker.io/hosts.toml", "", written_by=role)
    others = [file(f"{CERTS}/{name}/hosts.toml", "") for name in ("r:5000", "r_5000_", "quay.io")]
    bare = file(f"{CERTS}/ghcr.io/hosts.toml", None)
    facts = containerd(hosts=[own, *others, bare, file("/etc/docker/certs.d/r:5000/hosts.toml", "")])
    plan = make_plan(facts, options(registries={"r:5000": "http://r:5000", "ghcr.io": "https://ghcr.io"}))
    assert plan["own"] == [own["path"]]
    assert plan["foreign"] == sorted(each["path"] for each in others)
    assert plan["in_the_way"] == [f"{CERTS}/r:5000/hosts.toml"]
    assert plan["in_front"] == [f"{CERTS}/r_5000_/hosts.toml"]
    assert not plan["shows_difference"]


@pytest.mark.parametrize("name", ["k3s", "rke2"])
def test_registries_of_k3s_are_written(name: str) -> None:
    plan = make_plan(k3s(name=name), options())
    assert (plan["writes"], plan["unit"], codes(plan)) == ("registries", f"{name}.service", [])
    registries = plan["registries"]
    assert (registries["path"], registries["needed"]) == (f"/etc/rancher/{name}/registries.yaml", True)
    assert yaml.safe_load(registries["content"]) == {"mirrors": {"registry.example.com": {"endpoint": [PROXY]}}}


class Tagged(str):
    """Return a string as Ansible passes it to filters."""


def test_strings_that_ansible_tags() -> None:
    registries = {Tagged("registry.example.com"): Tagged("https://registry.example.com")}
    plan = make_plan(k3s(Tagged("{}")), options(registries=registries, proxy=Tagged(PROXY)))
    assert yaml.safe_load(plan["registries"]["content"]) == {"mirrors": {"registry.example.com": {"endpoint": [PROXY]}}}


def test_registries_of_k3s_that_are_right() -> None:
    text = f"mirrors:\n  registry.example.com:\n    endpoint:\n      - {PROXY}/\n      - https://other\n"
    plan = make_plan(k3s(text), options())
    assert (plan["registries"]["needed"], plan["restart_needed"], codes(plan)) == (False, False, [])
    newer = k3s(text)
    newer["sources"][0]["mtime"] = 3.0
    assert make_plan(newer, options())["restart_needed"]


@pytest.mark.parametrize("text", ["mirrors:\n  docker.io:\n    endpoint: [https://other]\n", "configs: {a: {}}\n"])
def test_registries_of_somebody_else_are_refused_with_what_to_write(text: str) -> None:
    plan = make_plan(k3s(text), options(username="a", password=SECRET))
    assert (plan["registries"]["needed"], codes(plan)) == (False, ["registries_foreign"])
    message = plan["problems"][0]["message"]
    assert "mirrors:\n  registry.example.com:\n    endpoint:\n    - http://127.0.0.1:4001\n" in message
    assert SECRET not in message


@pytest.mark.parametrize(
    "text, error",
    [
        ("mirrors: [", "it is not valid YAML (line 1)"),
        ("- a", "not a mapping"),
        ("[]", "not a mapping"),
        ("mirrors: 5", "not a mapping"),
        ("mirrors: []", "not a mapping"),
    ],
)
def test_registries_that_cannot_be_read(text: str, error: str) -> None:
    plan = make_plan(k3s(text), options())
    assert codes(plan) == ["config_unreadable"]
    assert error in plan["problems"][0]["description"]


@pytest.mark.parametrize(
    "more, expected_texts",
    [
        (
            {"registries": {"docker.io": "https://index.docker.io"}},
            "https://docker.io instead of https://index.docker.io",
        ),
        ({"registries": {**REGISTRY, "a.io": "https://a.io"}, "client": "dfget"}, "proxy.registryMirror.url"),
        ({"headers": {"X-Dragonfly-Tag": "a"}}, "containerd_mirrors_headers are not sent"),
    ],
)
def test_headers_that_registries_cannot_carry(more: dict[str, Any], expected_texts: str) -> None:
    plan = make_plan(k3s(), options(**more))
    assert codes(plan) == ["header_lost"]
    assert expected_texts in plan["problems"][0]["description"]
    folder = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"
    assert folder in plan["problems"][0]["remedy"]
    plan = make_plan(k3s(), options(certs_dir=folder, **more))
    assert (plan["writes"], plan["certs_dir"], codes(plan)) == ("hosts", folder, [])


def test_a_prefix_in_registries() -> None:
    plan = make_plan(k3s(), options(registries={"hub.example.com": "https://hub.example.com/proxy"}))
    mirrors = yaml.safe_load(plan["registries"]["content"])["mirrors"]
    assert mirrors == {"hub.example.com": {"endpoint": [f"{PROXY}/v2/proxy"]}}


@pytest.mark.parametrize(
    "name, expected_texts",
    [
        ("microk8s", ["containerd-template.toml", "snap restart", "${SNAP_DATA}/args/certs.d"]),
        ("k0s", ["/etc/k0s/containerd.d/dragonfly.toml", "systemctl restart k0sworker", CERTS]),
    ],
)
def test_other_distributions(name: str, expected_texts: list[str]) -> None:
    plan = make_plan(containerd("version = 2\n", distribution=name), options())
    assert (codes(plan), plan["needs_config"]) == (["distribution_config"], False)
    assert all(word in plan["problems"][0]["remedy"] for word in expected_texts)
    text = f'version = 2\n[{CRI2}.registry]\nconfig_path = "/own/certs.d"\n'
    plan = make_plan(containerd(text, distribution=name), options())
    assert (codes(plan), plan["certs_dir"]) == ([], "/own/certs.d")


def test_a_restart_is_needed_while_an_older_configuration_runs() -> None:
    facts = containerd("version = 2\n" + SET2)
    assert not make_plan(facts, options())["restart_needed"]
    facts["config"]["mtime"] = 3.0
    assert make_plan(facts, options())["restart_needed"]


@pytest.mark.parametrize(
    "state, error", [(None, "systemctl show ends with status 1"), ("active", "its command is a script of /bin/sh")]
)
def test_a_client_whose_configuration_is_unknown(state: str | None, error: str) -> None:
    facts = hosts.facts()
    unit = {"name": "dfget-daemon.service", "state": state, "since": None, "error": error}
    facts["clients"]["dfget"]["unit"] = unit
    verdict = predict_hits(facts, [image()])
    assert (verdict.hit, [reason.code for reason in verdict.reasons]) == ("none", ["unit_unknown"])


# --- a hosts.toml that containerd would discard


@pytest.mark.parametrize(
    "changes, release, error",
    [
        ({"proxy": "http://[::1]:4001"}, "1.7.34", "name contains brackets"),
        ({"proxy": "http://[::1]:4001"}, "2.0.0", ""),
        ({"proxy": "http://[::1]:4001"}, None, ""),
        ({"proxy": "http://127.0.0.1:proxy"}, "2.3.4", "its host or port is not valid"),
        ({"server_options": {"registry.example.com": {"skip_verify": "yes"}}}, "1.7.24", "skip_verify is neither"),
        ({"server_options": {"registry.example.com": {"skip_verify": True}}}, "1.7.24", ""),
        ({"server_options": {"registry.example.com": {"client": [["/a", "/b", "/c"]]}}}, None, "client is neither"),
        ({"server_options": {"registry.example.com": {"dial_timeout": 10}}}, "2.0.7", "dial_timeout is not a duration"),
        ({"server_options": {"registry.example.com": {"dial_timeout": 10}}}, "2.0.6", ""),
        ({"server_options": {"registry.example.com": {"capabilities": ["fetch"]}}}, "2.3.4", "no capability fetch"),
        ({"server_options": {"registry.example.com": {"ca": None, "header": {"A": 1}}}}, "2.3.4", ""),
        ({"server_options": {"another.example.com": {"skip_verify": "yes"}}}, "1.7.24", ""),
        ({"default": True, "server_options": {"_default": {"ca": 1}}}, "1.7.24", "ca is neither"),
        ({"server_options": {"registry.example.com": {"ca": 1}}, "allowed": ["hosts_toml_unused"]}, "1.7.24", ""),
    ],
)
def test_no_file_is_written_that_containerd_discards(changes: dict[str, Any], release: str | None, error: str) -> None:
    plan = make_plan(containerd(version=release), options(**changes))
    messages = [problem["message"] for problem in plan["problems"] if problem["code"] == "hosts_toml_unused"]
    assert [error in message for message in messages] == ([True] if error else [])


def test_settings_of_a_registry_are_a_mapping() -> None:
    with pytest.raises(InputError, match="containerd_mirrors_server_options: registry.example.com must be a mapping"):
        make_plan(containerd(), options(server_options={"registry.example.com": "x"}))
