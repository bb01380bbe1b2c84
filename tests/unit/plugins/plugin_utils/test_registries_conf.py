# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pulls of podman and CRI-O: the content of registries.conf, and whether such a pull hits."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.images import (
    PreheatedImage,
    image_from_reference,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.prediction import Prediction, predict_hits
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.probe import probe_for
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._registries_conf import Entry, read_registries
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._registries_conf_plan import (
    ROLE,
    Options,
    make_plan,
)
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils import hosts
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils.hosts import BASE, registries_conf

DIGESTS = ["sha256:" + "a1" * 32, "sha256:" + "b2" * 32]
IMAGE = "registry.example.com/shop/web:4.2.0"
BY_DIGEST = f"registry.example.com/shop/web@{DIGESTS[0]}"
MAIN = "/etc/containers/registries.conf"
DROP_IN = f"{MAIN}.d/50-dragonfly.conf"
OF_ROOT = "/root/.config/containers/registries.conf"
MIRROR = "127.0.0.1:4001"


def entry(prefix: str = "registry.example.com", mirror: str = MIRROR, more: str = "", mirror_more: str = "") -> str:
    """Return an entry of registries.conf with one mirror."""
    return (
        f'[[registry]]\nprefix = "{prefix}"\nlocation = "{prefix}"\n{more}\n'
        f'[[registry.mirror]]\nlocation = "{mirror}"\ninsecure = true\n{mirror_more}\n'
    )


def host(client: str = "dfdaemon", changes: Any = None, release: str | None = None, **files: Any) -> dict[str, Any]:
    """Return facts of a host with podman and a client, which hits unless the test changes it."""
    release = release or {"dfdaemon": "1.5.1", "dfget": "2.1.67"}[client]
    facts = hosts.facts(client, release, changes, config_toml=None, containerd=None, hosts={})
    conf = registries_conf(**{"drop_ins": {"50-dragonfly.conf": entry()}, **files})
    return {**facts, "registries_conf": conf}


def image(text: str = IMAGE, bases: dict[str, str] | None = None) -> PreheatedImage:
    return image_from_reference(text, bases or {}, digests=DIGESTS)


def predict(facts: dict[str, Any], text: str = IMAGE, runtime: str | None = None, **more: Any) -> Prediction:
    return predict_hits(facts, [image(text, **more)], runtime=runtime)


def codes(prediction: Prediction) -> list[str]:
    return [reason.code for reason in prediction.reasons]


GO_ENTRY = {"50-dragonfly.conf": entry(mirror="127.0.0.1:65001")}
WEB = {"registries": [MIRROR], "path": "/run/containers/0/auth.json"}
REGISTRY_LOGIN = {"registries": ["registry.example.com"], "path": "/run/containers/0/auth.json"}
HITS: dict[str, dict[str, Any]] = {
    "rust": host(),
    "go": host("dfget", drop_ins=GO_ENTRY),
    # podman adds no ns, so no filter is required.
    "go-without-a-filter": host("dfget", {"proxy.defaultFilter": None}, drop_ins=GO_ENTRY),
    "go-static": host("dfget", {"proxy.registryMirror.dynamic": None}, drop_ins=GO_ENTRY),
    "rust-before-ns-was-read": host(release="1.3.4"),
    "main-file": host(text=entry(), drop_ins={}),
    "of-a-namespace": host(drop_ins={"a.conf": entry("registry.example.com/shop", f"{MIRROR}/shop")}),
    "of-subdomains": host(drop_ins={"a.conf": entry("*.example.com").replace('location = "*.example.com"', "")}),
    "the-longest-prefix-wins": host(text=entry("registry.example.com", "cache:80"), drop_ins={
        "a.conf": entry("registry.example.com/shop", f"{MIRROR}/shop")
    }),
    "a-later-drop-in-wins": host(drop_ins={"10-cache.conf": entry(mirror="cache:80"), "50-dragonfly.conf": entry()}),
    "keys-in-capitals": host(drop_ins={"a.conf": entry().replace("location", "Location").replace("ins", "Ins")}),
    "tags-only": host(drop_ins={"a.conf": entry(mirror_more='pull-from-mirror = "tag-only"')}),
    "the-fallback-is-blocked": host(drop_ins={"a.conf": entry(more="blocked = true")}),
    "aliases": host(drop_ins={"50-dragonfly.conf": entry(), "shortnames.conf": '[aliases]\n"web" = "hidden"\n'}),
    "settings-besides-entries": host(text=(
        'unqualified-search-registries = ["docker.io/", "localhost:5000"]\ncredential-helpers = ["hidden"]\n'
        'short-name-mode = "enforcing"\nadditional-layer-store-auth-helper = "hidden"\n[aliases]\n'
        'nginx = "docker.io/nginx"\n"a.b" = "localhost/a"\n"shop/web" = "registry.example.com:5000/shop/web"\nx = ""\n'
    )),
    "another-table-of-version-1": host(text='[registries.other]\nregistries = ["a"]\n'),
    "empty-tables-of-version-1": host(text="[registries.search]\n[registries.insecure]\n"),
    "version-1-in-the-main-file": host(text='[registries.insecure]\nregistries = ["other:5000"]\n'),
    "login-for-the-mirror": host(logins=[REGISTRY_LOGIN, WEB]),
    "login-for-another-repository": host(logins=[{**REGISTRY_LOGIN, "registries": ["registry.example.com/base"]}]),
    "crio": host(runtimes=["crio"], crio_state="active"),
    "buildah-beside-crio": host(runtimes=["podman", "crio"], crio_state="active"),
}  # fmt: skip


@pytest.mark.parametrize("facts", HITS.values(), ids=HITS)
def test_hits(facts: dict[str, Any]) -> None:
    prediction = predict(facts)
    assert codes(prediction) == []
    assert prediction.hit == "all"
    assert [blob.host_task_id for blob in prediction.blobs] == [blob.preheat_task_id for blob in prediction.blobs]


ANOTHER = {"proxy.registryMirror.addr": "https://index.docker.io"}
TWO_MIRRORS = entry(mirror="cache.example.com") + f'[[registry.mirror]]\nlocation = "{MIRROR}"\ninsecure = true\n'
NAMESPACE = '[[registry]]\nlocation = "registry.example.com/shop"\n'
#: Facts, the code and the file of the only reason, and a part of its message.
MISSES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no-entry": (host(drop_ins={}), "registries_conf_no_mirror", MAIN, "there is no mirror of"),
    "no-mirror": (
        host(drop_ins={"a.conf": '[[registry]]\nlocation = "registry.example.com"\n'}),
        "registries_conf_no_mirror", f"{MAIN}.d/a.conf", "podman pulls from the registry",
    ),
    "overridden-by-a-later-drop-in": (
        host(drop_ins={"50-dragonfly.conf": entry(), "99.conf": '[[registry]]\nlocation = "registry.example.com"\n'}),
        "registries_conf_no_mirror", f"{MAIN}.d/99.conf", "pulls from the registry",
    ),
    "overridden-for-a-namespace": (
        host(drop_ins={"50-dragonfly.conf": entry(), "1.conf": NAMESPACE}),
        "registries_conf_no_mirror", f"{MAIN}.d/1.conf", "pulls from the registry",
    ),
    "hidden-drop-ins-count": (
        host(drop_ins={".x.conf": "registry = 1"}), "registries_conf_rejected", f"{MAIN}.d/.x.conf", "array of tables",
    ),
    "digest-only": (
        host(drop_ins={"a.conf": entry(mirror_more='pull-from-mirror = "digest-only"')}),
        "mirror_not_for_tags", f"{MAIN}.d/a.conf", "the mirrors are digest-only",
    ),
    "by-digest-only": (
        host(drop_ins={"a.conf": entry(more="mirror-by-digest-only = true")}),
        "mirror_not_for_tags", f"{MAIN}.d/a.conf", "Remove mirror-by-digest-only",
    ),
    "not-insecure": (
        host(drop_ins={"a.conf": entry().replace("insecure = true", "")}),
        "mirror_not_insecure", f"{MAIN}.d/a.conf", f"{MIRROR} does not have insecure = true",
    ),
    "blocked": (
        host(text='[[registry]]\nlocation = "127.0.0.1:4001"\nblocked = true\n'),
        "mirror_blocked", MAIN, "the prefix 127.0.0.1:4001 is blocked",
    ),
    "another-mirror-first": (host(drop_ins={"a.conf": TWO_MIRRORS}), "other_mirror_first", f"{MAIN}.d/a.conf", "cache"),
    "wrong-port": (host(drop_ins={"a.conf": entry(mirror="127.0.0.1:4002")}), "wrong_port", f"{MAIN}.d/a.conf", "4001"),
    "rust-serves-another": (
        host(changes=ANOTHER), "mirror_serves_another", "/etc/dragonfly/dfdaemon.yaml", f"Set it to {BASE}",
    ),
    "go-serves-another": (
        host("dfget", {"proxy.registryMirror.url": "https://index.docker.io"}, drop_ins=GO_ENTRY),
        "mirror_serves_another", "/etc/dragonfly/dfget.yaml", "https://index.docker.io",
    ),
    "another-path": (
        host(drop_ins={"a.conf": entry(mirror=f"{MIRROR}/cache")}), "path_differs",
        "/etc/dragonfly/dfdaemon.yaml", "/v2/cache/shop/web",
    ),
    "login": (
        host(logins=[REGISTRY_LOGIN]), "login_not_for_mirror", "/run/containers/0/auth.json", f"Log in to {MIRROR}",
    ),
    "file-of-root": (
        host(of_root=hosts.file(OF_ROOT, "")), "registries_conf_no_mirror", OF_ROOT, "pulls from the registry",
    ),
    "unreadable": (
        host(of_root=hosts.file(OF_ROOT, None, "Permission denied")), "config_unreadable", OF_ROOT, "Permission denied",
    ),
    "a-mirror-without-a-repository": (
        host(drop_ins={"a.conf": entry("registry.example.com/shop/web")}),
        "location_not_usable", f"{MAIN}.d/a.conf", "turns its name into 127.0.0.1:4001, which is not a name",
    ),
    "a-second-mirror-that-is-no-host": (
        host(drop_ins={"a.conf": f'{entry()}[[registry.mirror]]\nlocation = "*.example.com"\n'}),
        "location_not_usable", f"{MAIN}.d/a.conf", "into *.example.com/shop/web",
    ),
    "a-location-of-docker-hub-without-library": (
        host(drop_ins={"a.conf": entry("registry.example.com/shop").replace('n = "registry.example.com/shop"',
                                                                            'n = "docker.io"')}),
        "location_not_usable", f"{MAIN}.d/a.conf", "into docker.io/web, which is not",
    ),
    "mixed-settings": (
        host(text='short-name-mode = "disabled"\n[registries.block]\nregistries = ["a"]\n'),
        "registries_conf_rejected", MAIN, "versions 1 and 2",
    ),
    "mixed-versions": (
        host(text='unqualified-search-registries = []\n[registries.block]\nregistries = ["a"]\n'),
        "registries_conf_rejected", MAIN, "versions 1 and 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("facts, code, file, text", MISSES.values(), ids=MISSES)
def test_misses(facts: dict[str, Any], code: str, file: str, text: str) -> None:
    prediction = predict(facts)
    assert prediction.hit == "none"
    assert codes(prediction) == [code]
    assert prediction.reasons[0].file == file
    assert text in prediction.reasons[0].message


REJECTED = {
    "version-1": '[registries.search]\nregistries = ["docker.io"]\n',
    "no TOML": "[[registry",
    "neither location nor prefix": "[[registry]]\nblocked = true\n",
    "has no location": '[[registry]]\nprefix = "a.b"\n',
    "http": '[[registry]]\nlocation = "http://a.b"\n',
    "*.example.com": '[[registry]]\nprefix = "*.b/c"\nlocation = "a.b"\n',
    "of a mirror": '[[registry]]\nlocation = "a.b"\n[[registry.mirror]]\ninsecure = true\n',
    "pull-from-mirror": entry(mirror_more='pull-from-mirror = "some"'),
    "only allowed for a mirror": entry(more='pull-from-mirror = "all"'),
    "both": entry(more="mirror-by-digest-only = true", mirror_more='pull-from-mirror = "all"'),
    "insecure": '[[registry]]\nlocation = "a.b"\n[[registry]]\nprefix = "c"\nlocation = "a.b"\ninsecure = true\n',
    "wrong type": '[[registry]]\nlocation = "a.b"\nblocked = "yes"\n',
    "array of tables": '[registry]\nlocation = "a.b"\n',
    "mode": 'short-name-mode = "prompt"\n',
    "mode of another type": "short-name-mode = 0\n",
    "search in a string": 'unqualified-search-registries = "docker.io"\n',
    "search with a scheme": 'unqualified-search-registries = ["https://docker.io"]\n',
    "search in a repository": 'unqualified-search-registries = ["docker.io/library"]\n',
    "credential helper in a string": 'credential-helpers = "hidden"\n',
    "layer store": "additional-layer-store-auth-helper = true\n",
    "alias without a registry": '[aliases]\nweb = "shop/web"\n',
    "alias with a tag": '[aliases]\nweb = "registry.example.com/shop/web:4"\n',
    "alias of a full name": '[aliases]\n"docker.io/web" = "registry.example.com/shop/web"\n',
    "alias of another type": "[aliases]\nweb = 0\n",
    "aliases of another type": 'aliases = ["web"]\n',
    "nested too deeply": "x = " + "[" * 20_000 + "]" * 20_000,
    "alias in upper case": '[aliases]\nWeb = "a.b/web"\n',
}


@pytest.mark.parametrize("text", REJECTED.values(), ids=REJECTED)
def test_a_file_that_makes_every_pull_fail(text: str) -> None:
    prediction = predict(host(drop_ins={"50-dragonfly.conf": entry(), "60.conf": text}))
    assert codes(prediction) == ["registries_conf_rejected"]
    assert prediction.reasons[0].file == f"{MAIN}.d/60.conf"


@pytest.mark.parametrize(
    "text",
    [
        '[[registry]]\nlocation = "a.b"\nLocation = "c.d"\n',
        '[[registry]]\nlocation = "a.b"\n[[Registry]]\nlocation = "c.d"\n',
        entry(mirror_more='LOCATION = "other:1"'),
    ],
)
def test_a_key_in_two_cases(text: str) -> None:
    prediction = predict(host(drop_ins={"50-dragonfly.conf": entry(), "60.conf": text}))
    assert (prediction.hit, codes(prediction)) == ("none", ["registries_conf_ambiguous"])


@pytest.mark.parametrize(
    "prefix, name, length",
    [
        ("a.b", "a.b/c", 3),
        ("a.b", "a.b:5000/c", 3),
        ("a.b", "a.bc/d", -1),
        ("a.b/c", "a.b/c", 5),
        ("a.b/c", "a.b/cd", -1),
        ("*.b", "x.a.b/c", 5),
        ("*.b", "b/c", -1),
        ("*.b", "c/x.b", -1),
        ("*.b", "a.bc/d", -1),
    ],
)
def test_what_a_prefix_matches(prefix: str, name: str, length: int) -> None:
    assert Entry(prefix, "").match(name) == length


def test_the_first_entry_of_a_prefix_counts_in_one_file() -> None:
    facts = registries_conf(entry(mirror="first:1") + entry(mirror="second:2"))
    assert read_registries(facts).entries["registry.example.com"].mirrors[0].location == "first:1"


@pytest.mark.parametrize("reference, hit", [(IMAGE, "none"), (BY_DIGEST, "all")])
def test_mirrors_for_digests_alone(reference: str, hit: str) -> None:
    facts = host(drop_ins={"a.conf": entry(mirror_more='pull-from-mirror = "digest-only"')})
    assert predict(facts, reference).hit == hit


def test_docker_hub() -> None:
    facts = host(changes=ANOTHER, drop_ins={"a.conf": entry("docker.io")})
    prediction = predict(facts, "nginx:1.27")
    assert prediction.hit == "all"
    assert str(prediction.blobs[0].url).startswith("https://index.docker.io/v2/library/nginx/blobs/")


@pytest.mark.parametrize("key", ["docker.io", "https://index.docker.io/v1/", "index.docker.io"])
def test_logins_of_docker_hub(key: str) -> None:
    login = {"registries": [key], "path": "/root/.docker/config.json"}
    facts = host(changes=ANOTHER, drop_ins={"a.conf": entry("docker.io")}, logins=[login])
    assert codes(predict(facts, "nginx:1.27")) == ["login_not_for_mirror"]


def test_a_registry_behind_a_prefix() -> None:
    facts = host(drop_ins={"a.conf": entry("quay.io", f"{MIRROR}/quay")})
    prediction = predict(facts, "quay.io/shop/web:1", bases={"quay.io": f"{BASE}/quay"})
    assert prediction.hit == "all"
    assert prediction.blobs[0].url == f"{BASE}/v2/quay/shop/web/blobs/{DIGESTS[0]}"
    probe = probe_for(prediction.pulls[0], {})
    assert (probe.proxy, probe.path) == (f"http://{MIRROR}", f"/v2/quay/shop/web/blobs/{DIGESTS[0]}")


@pytest.mark.parametrize(
    "containerd, runtimes, runtime, expected, code",
    [
        (None, [], None, "containerd", "no_containerd"),
        ("1.7.20", [], None, "containerd", "no_mirror_for_registry"),
        (None, ["podman"], None, "podman", ""),
        (None, ["podman", "crio"], None, "crio", ""),
        ("1.7.20", ["podman"], None, None, "runtime_ambiguous"),
        ("1.7.20", ["podman"], "podman", "podman", ""),
        ("1.7.20", ["podman"], "containerd", "containerd", "no_mirror_for_registry"),
        (None, ["podman"], "crio", "crio", "no_such_runtime"),
    ],
)
def test_which_runtime_pulls(
    containerd: str | None, runtimes: list[str], runtime: str | None, expected: str | None, code: str
) -> None:
    facts = host(runtimes=runtimes)
    config = hosts.CONFIG_TOML if containerd else None
    facts["containerd"] = hosts.facts(config_toml=config, containerd=containerd, hosts={})["containerd"]
    prediction = predict(facts, runtime=runtime)
    assert prediction.runtime == expected
    assert codes(prediction) == ([code] if code else [])


def test_whether_crio_was_reloaded_is_not_known() -> None:
    facts = host(runtimes=["crio"], crio_state="active")
    facts["registries_conf"]["drop_ins"][0]["mtime"] = hosts.STARTED + 5
    prediction = predict(facts)
    assert prediction.hit == "all"
    assert f"{DROP_IN}: written after CRI-O started." in prediction.notes[0]


# --- what the role writes and rejects


REGISTRY = {"registry.example.com": BASE}
PLAN = {"prefix": "registry.example.com", "location": "registry.example.com", "insecure": False, "mirror": MIRROR}


def plan(facts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return make_plan(facts, Options(**{"registries": REGISTRY, "client": "dfdaemon", **more}))


def plan_codes(facts: dict[str, Any], **more: Any) -> list[str]:
    return [problem["code"] for problem in plan(facts, **more)["problems"]]


def own_drop_in(text: str) -> dict[str, Any]:
    """Return facts of a host on which the role wrote the drop-in."""
    facts = host(drop_ins={"50-dragonfly.conf": text})
    facts["registries_conf"]["drop_ins"][0]["written_by"] = ROLE
    return facts


HUB = {"proxy.registryMirror.addr": None}
PLANS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "rust": (host(drop_ins={}), {}, {}),
    "go": (host("dfget", drop_ins={}), {"client": "dfget"}, {"mirror": "127.0.0.1:65001"}),
    "range-of-ports": (
        host("dfget", {"proxy.tcpListen.port": {"start": 65007, "end": 65009}}, drop_ins={}),
        {"client": "dfget"},
        {"mirror": "127.0.0.1:65007"},
    ),
    "all-addresses": (host(changes={"proxy.server.ip": "::"}, drop_ins={}), {}, {"mirror": "[::1]:4001"}),
    "a-client-elsewhere": (
        host(drop_ins={}),
        {"client": "none", "proxy": "http://proxy:4001/", "registry_mirror": BASE + "/"},
        {"mirror": "proxy:4001"},
    ),
    "docker-hub": (
        host(changes=HUB, drop_ins={}),
        {"registries": {"docker.io": "https://index.docker.io"}},
        {"prefix": "docker.io", "location": "docker.io"},
    ),
    "prefix": (
        host(drop_ins={}),
        {"registries": {"quay.io": f"{BASE}/quay"}},
        {"prefix": "quay.io", "location": "registry.example.com/quay", "mirror": f"{MIRROR}/quay"},
    ),
    "plain-http": (
        host(changes={"proxy.registryMirror.addr": "http://registry.example.com"}, drop_ins={}),
        {"registries": {"registry.example.com": "http://registry.example.com"}},
        {"insecure": True},
    ),
    "insecure": (host(drop_ins={}), {"insecure_registries": ["registry.example.com"]}, {"insecure": True}),
}


@pytest.mark.parametrize("facts, options, changes", PLANS.values(), ids=PLANS)
def test_what_the_role_writes(facts: dict[str, Any], options: dict[str, Any], changes: dict[str, Any]) -> None:
    result = plan(facts, **options)
    assert result["problems"] == []
    assert result["entries"] == [{**PLAN, **changes}]
    assert result["path"] == DROP_IN


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "another-registry": (host(changes=ANOTHER, drop_ins={}), {}, ["registry_not_served"]),
    "http-is-another": (
        host(drop_ins={}),
        {"registries": {"registry.example.com": "http://registry.example.com"}},
        ["registry_not_served"],
    ),
    "one-of-two": (
        host(drop_ins={}),
        {"registries": {**REGISTRY, "quay.io": "https://quay.io"}},
        ["registry_not_served"],
    ),
    "go-serves-none": (
        host("dfget", {"proxy.registryMirror.url": None}, drop_ins={}),
        {"client": "dfget"},
        ["registry_not_served"],
    ),
    "no-client": (host(drop_ins={}), {"client": "dfget"}, ["no_client_config"]),
    "same-prefix": (
        host(text='[[registry]]\nlocation = "registry.example.com"\n', drop_ins={}),
        {},
        ["registries_conf_taken"],
    ),
    "same-prefix-of-version-1": (
        host(text='[registries.insecure]\nregistries = ["registry.example.com"]\n', drop_ins={}),
        {},
        ["registries_conf_taken"],
    ),
    "overridden": (
        host(text=entry(), drop_ins={"10.conf": entry(mirror="cache:80")}),
        {},
        ["registries_conf_taken", "registries_conf_taken"],
    ),
    "later": (host(drop_ins={"60.conf": entry(more="blocked = true")}), {}, ["registries_conf_taken"]),
    "namespace": (host(drop_ins={"10.conf": NAMESPACE}), {}, ["registries_conf_taken"]),
    "foreign": (host(), {}, ["drop_in_foreign"]),
    "rejected": (host(drop_ins={"10.conf": "registry = 1"}), {}, ["registries_conf_rejected"]),
    "of-root": (host(drop_ins={}, of_root=hosts.file(OF_ROOT, "")), {}, ["registries_conf_of_root"]),
    "proxy-without-scheme": (host(drop_ins={}), {"proxy": "10.0.0.5:4001"}, ["proxy_url"]),
    "proxy-with-tls": (host(drop_ins={}), {"proxy": "https://10.0.0.5:4001"}, ["proxy_url"]),
    "nobody-pulls": (host(drop_ins={}, runtimes=[]), {}, ["no_such_runtime"]),
    "login": (host(drop_ins={}, logins=[REGISTRY_LOGIN]), {}, ["login_not_for_mirror"]),
    "login-of-a-namespace": (
        host(drop_ins={}, logins=[{**REGISTRY_LOGIN, "registries": ["registry.example.com/shop"]}]),
        {},
        ["login_not_for_mirror"],
    ),
}


@pytest.mark.parametrize("facts, options, expected", REFUSED.values(), ids=REFUSED)
def test_what_the_role_refuses(facts: dict[str, Any], options: dict[str, Any], expected: list[str]) -> None:
    assert plan_codes(facts, **options) == expected
    assert plan_codes(facts, **options, allowed=expected) == []


def test_which_of_two_entries_counts() -> None:
    facts = host(drop_ins={"10.conf": entry(), "60.conf": entry(), "70.conf": NAMESPACE})
    messages = [problem["message"] for problem in plan(facts)["problems"]]
    assert "would use the role's alone, without its settings" in messages[0]
    assert "would use it alone" in messages[1]
    assert "would use it where the longer prefix matches" in messages[2]


def test_its_own_file_is_not_in_the_way() -> None:
    assert plan_codes(own_drop_in(entry())) == []
    assert plan_codes(own_drop_in("broken")) == []


def test_another_prefix_is_not_in_the_way() -> None:
    text = '[[registry]]\nlocation = "registry.example.com.org"\n[[registry]]\nprefix = "*.example.com"\n'
    assert plan_codes(host(text=text, drop_ins={})) == []


def test_entries_of_other_plays_stay_where_images_name_the_registries() -> None:
    facts = own_drop_in(entry("quay.io", f"{MIRROR}/quay") + entry("old.example.com", "127.0.0.1:4000"))
    prefixes = [entry["prefix"] for entry in plan(facts, keeps_entries=True)["entries"]]
    assert prefixes == ["quay.io", "registry.example.com"]
    assert plan(facts)["entries"] == [PLAN]


def test_only_a_running_crio_is_reloaded() -> None:
    states = {state: plan(host(crio_state=state, drop_ins={}))["reloads_crio"] for state in ("active", "failed", None)}
    assert states == {"active": True, "failed": False, None: False}
