# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a host hits, and the reasons: cases measured on real clusters, and single cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.images import (
    PreheatedImage,
    image_from_job,
    image_from_reference,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.prediction import predict_hits
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.probe import Probe, judge_probe, probe_for
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._hit.seeds import (
    SeedPeers,
    seed_peers_of_jobs,
    seed_recipe,
)
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils import hosts
from ansible_collections.dragonflyoss.dragonfly.tests.unit.plugins.plugin_utils.hosts import BASE, facts, hosts_toml

CHECKOUT = Path(__file__).resolve().parents[4]
HITS = json.loads((CHECKOUT / "tests/contract/recordings/hits.json").read_text(encoding="utf-8"))
DIGESTS = ["sha256:" + "a1" * 32, "sha256:" + "b2" * 32]
IMAGE = "registry.example.com/shop/web:4.2.0"


def image(text=IMAGE, bases=None, **options):
    return image_from_reference(text, bases or {}, digests=DIGESTS, **options)


def codes(prediction):
    return [cause.code for cause in prediction.reasons]


# --- measured


def measured():
    for cluster in HITS["clusters"]:
        for number, host in enumerate(cluster["hosts"]):
            yield pytest.param(cluster, host, id=f"{cluster['dragonfly']}-{number}")


@pytest.mark.parametrize("cluster, host", list(measured()))
def test_agrees_with_what_was_measured_on_real_clusters(cluster, host):
    registry = "10.77.0.1:5000"
    client = "dfget" if host["client"].startswith("Go") else "dfdaemon"
    proxy = dict(host["proxy"], **({"tcpListen": {"port": 65001}} if client == "dfget" else {"server": {"port": 4001}}))
    machine = facts(
        client,
        host["client"].split()[-1],
        config=yaml.safe_dump({"proxy": proxy, "manager": {"addr": "http://m:65003"}, **hosts.GO_MANAGER}),
        hosts={f"/etc/containerd/certs.d/{registry}/hosts.toml": hosts_toml(client, f"http://{registry}")},
    )
    wanted = PreheatedImage(
        HITS["image"],
        registry,
        "library/app",
        parse_image(HITS["manifest_url"]),
        digests=[blob["digest"] for blob in cluster["blobs"]],
    )
    prediction = predict_hits(machine, [wanted])
    assert prediction.hit == ("all" if host["hit"] else "none")
    for blob, expected in zip(prediction.blobs, cluster["blobs"], strict=True):
        assert blob.preheat_task_id == expected["preheat_task_id"]
        by_digest = expected["digest"].rpartition(":")[2] if "task_id_is" in host else expected["task_id_with_ns_kept"]
        assert blob.host_task_id == (expected["preheat_task_id"] if host["hit"] else by_digest)
        assert blob.is_hit is host["hit"]
    assert bool(prediction.reasons) is not host["hit"]


# --- a host that hits


IMAGES = 'version = 3\n[plugins."io.containerd.cri.v1.images"]\n'
TWO_FOLDERS = hosts.CONFIG_TOML.replace('certs.d"', 'certs.d:/etc/docker/certs.d"')
LOGIN = {"username": "hidden", "password": "hidden"}


def at(host, client="dfget", extra=""):
    """Return a hosts.toml that sends containerd to a host."""
    return hosts_toml(client, extra=extra).replace("127.0.0.1", host)


def old_mirror(endpoint):
    """Return a config.toml with a mirror in the old format."""
    table = '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."registry.example.com"]'
    return f'version = 2\n{table}\nendpoint = ["{endpoint}"]\n'


FILTER = "X-Dragonfly-Filtered-Query-Params"
LAZY = hosts.CONFIG_TOML + '[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "nydus"\n'


def parts(size):
    """Return a config.toml with which containerd requests parts of blobs."""
    table = '[plugins."io.containerd.transfer.v1.local"]'
    return f"{hosts.CONFIG_TOML}{table}\nconcurrent_layer_fetch_buffer = {size}\n"


INLINE = f"""server = "{BASE}"
[host]
"http://127.0.0.1:65001" = {{capabilities = ["pull"], header = {{X-Dragonfly-Registry = "{BASE}"}}}}
"""
SERVER = f"""server = "http://127.0.0.1:65001"
[header]
X-Dragonfly-Registry = "{BASE}"
"""
TEXT = {client: yaml.safe_dump(config) for client, config in hosts.GOOD.items()}
GOOD = {
    "go": facts(),
    "go-empty-keys": facts(config=TEXT["dfget"] + "host:\n  idc:\nupload:\naliveTime:\nkeepStorage: ~\ngcInterval:\n"),
    "go-empty-proxy-keys": facts(
        config=TEXT["dfget"].replace("proxy:\n", "proxy:\n  whiteList:\n  defaultTag:\n  proxies:\n")
    ),
    "rust-empty-keys": facts(
        "dfdaemon", "1.4.2", config=TEXT["dfdaemon"] + "host:\n  ip:\n  idc:\nseedPeer:\nsecurity:\n"
    ),
    "go-merges": facts(
        config="x: &x {defaultFilter: ns}\n" + TEXT["dfget"].replace("defaultFilter: Expires&Signature&ns", "<<: *x")
    ),
    "go-numbers-as-go-writes-them": facts(config=TEXT["dfget"].replace("65001", "65_001")),
    "texts-that-look-like-something": facts(
        "dfdaemon", "1.4.2", config=TEXT["dfdaemon"] + "host: {idc: yes, location: 12:30, hostname: 2020-01-01}\n"
    ),
    "go-on-2.0.9": facts(release="2.0.9"),
    "rust": facts("dfdaemon", "1.4.2"),
    "rust-on-0.1.127-drops-the-query": facts(
        "dfdaemon", "0.1.127", {"proxy.rules": [{"regex": "blobs/sha256.*", "filteredQueryParams": []}]}
    ),
    "filter-in-hosts.toml": facts(
        changes={"proxy.defaultFilter": None}, hosts=hosts_toml(extra='X-Dragonfly-Filter = "ns"')
    ),
    "rust-filter-in-hosts.toml": facts(
        "dfdaemon",
        "1.4.2",
        {"proxy.rules": [{"regex": ".", "filteredQueryParams": []}]},
        hosts=hosts_toml("dfdaemon", extra='X-Dragonfly-Filtered-Query-Params = ["Expires,ns"]'),
    ),
    "go-mirror-of-one-registry": facts(changes={"proxy.registryMirror.dynamic": False}, hosts=hosts_toml(header=None)),
    "go-rules": facts(changes={"proxy.registryMirror.useProxies": True, "proxy.proxies": [{"regx": "blobs/sha256"}]}),
    "rust-ns": facts("dfdaemon", "1.4.2", hosts=hosts_toml("dfdaemon", header=None)),
    "rust-before-ns-is-read": facts("dfdaemon", "1.2.0", hosts=hosts_toml("dfdaemon", header=None)),
    "port-range": facts(changes={"proxy.tcpListen.port": {"start": 65001, "end": 65010}}),
    "containerd-3": facts(
        config_toml='version = 3\n[plugins."io.containerd.cri.v1.images".registry]\n'
        'config_path = "/etc/containerd/certs.d"\n',
        containerd="2.1.3",
    ),
    "containerd-2.2-with-its-default-in-local-pulls": facts(
        config_toml=IMAGES + "use_local_image_pull = true\n", containerd="2.2.0"
    ),
    "folders-before-2.1": facts(config_toml=TWO_FOLDERS, containerd="2.0.5"),
    "folders-in-local-pulls": facts(
        config_toml=TWO_FOLDERS + '[plugins."io.containerd.grpc.v1.cri"]\nmax_concurrent_downloads = 4\n',
        containerd="2.1.3",
    ),
    "certificates-of-the-old-kind-from-2.0-on": facts(
        config_toml=hosts.CONFIG_TOML + '[plugins."io.containerd.grpc.v1.cri".registry.configs."a".tls]\n',
        containerd="2.0.0",
    ),
    "range-in-every-request-with-rust": facts("dfdaemon", "1.5.1", containerd="2.1.2"),
    "before-range-in-every-request": facts(containerd="2.0.5"),
    "lazy-snapshotter-with-rust-and-without-the-registry": facts(
        "dfdaemon", "1.4.2", {"proxy.disableBackToSource": True}, config_toml=LAZY
    ),
    "large-parts-with-rust": facts("dfdaemon", "1.4.2", config_toml=parts(8388608)),
    "small-parts-before-1.4.2": facts("dfdaemon", "1.4.1", config_toml=parts(1048576)),
    "rust-filter-header-is-trimmed": facts(
        "dfdaemon", "1.1.1", hosts=hosts_toml("dfdaemon", extra=f'{FILTER} = "Signature, ns"')
    ),
    "rust-filter-header-before-the-query-counts": facts(
        "dfdaemon", "0.1.116", hosts=hosts_toml("dfdaemon", extra=f'{FILTER} = "Signature, ns"')
    ),
    "go-empty-filter-header": facts(hosts=hosts_toml(extra='X-Dragonfly-Filter = ""')),
    "piece-length-that-cannot-be-read": facts(
        "dfdaemon", "1.4.2", hosts=hosts_toml("dfdaemon", extra='X-Dragonfly-Piece-Length = "many"')
    ),
    "piece-length-that-is-not-read-yet": facts(
        "dfdaemon", "0.2.12", hosts=hosts_toml("dfdaemon", extra='X-Dragonfly-Piece-Length = "4mib"')
    ),
    "flag-switched-off-by-a-header": facts(
        "dfdaemon",
        "1.4.2",
        {"proxy.registryMirror.enableTaskIDBasedBlobDigest": True},
        hosts=hosts_toml("dfdaemon", extra='X-Dragonfly-Enable-Task-ID-Based-Blob-Digest = "no"'),
    ),
    "lazy-snapshotter-with-rust-1.4.1": facts(
        "dfdaemon",
        "1.4.1",
        config_toml=hosts.CONFIG_TOML + '[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "nydus"\n',
    ),
    "old-mirrors": facts(hosts={}, config_toml=old_mirror("http://127.0.0.1:65001")),
    "old-mirrors-with-a-path": facts(hosts={}, config_toml=old_mirror("http://127.0.0.1:65001/v2/")),
    "old-mirrors-without-a-scheme": facts(hosts={}, config_toml=old_mirror("localhost:65001")),
    "old-mirrors-of-ipv6": facts(
        changes={"proxy.tcpListen.listen": "::1"}, hosts={}, config_toml=old_mirror("[::1]:65001")
    ),
    "capabilities-in-capitals": facts(hosts=hosts_toml(capabilities='["Pull", "PUSH"]')),
    "no-capabilities": facts(hosts=hosts_toml(capabilities="[]")),
    "referrers": facts(
        "dfdaemon", "1.4.2", hosts=hosts_toml("dfdaemon", capabilities='["pull", "referrers"]'), containerd="2.2.0"
    ),
    "inline-hosts-before-2.0": facts(hosts=INLINE),
    "named-hosts": facts(
        containerd="2.0.0", hosts=hosts_toml().replace("\n", "\r\n").replace("[host.", " [ 'host' . ")
    ),
    "inline-hosts-are-skipped": facts(containerd="2.0.0", hosts='host."https://a" = {}\n' + hosts_toml()),
    "server-from-1.7.32-on": facts(hosts=SERVER, containerd="1.7.32"),
    "server-from-2.0-on": facts(hosts=SERVER, containerd="2.0.0"),
    "dial-timeout-before-2.0.7": facts(hosts=hosts_toml(before="dial_timeout = 10"), containerd="2.0.6"),
    "headers-that-differ-in-case": facts(
        hosts=hosts_toml(
            header="https://a", extra=f'X-DRAGONFLY-REGISTRY = "{BASE}"\nx-dragonfly-registry = "https://b"'
        )
    ),
    "go-login": facts(changes={"proxy.basicAuth": LOGIN}, hosts=hosts_toml(extra='Proxy-Authorization = "hidden"')),
    "rust-login": facts(
        "dfdaemon",
        "1.4.2",
        {"proxy.server.basicAuth": LOGIN},
        hosts=hosts_toml("dfdaemon", extra='authorization = ["hidden"]'),
    ),
    "other-loopback": facts(changes={"proxy.tcpListen.listen": "::1"}, hosts=at("[::1]"), containerd="2.0.0"),
    "localhost": facts(hosts=at("localhost")),
    "no-address": facts(hosts=at("0.0.0.0")),
    "an-address-of-its-own": facts(changes={"proxy.tcpListen.listen": "10.0.0.5"}, hosts=at("10.0.0.5")),
    "all-addresses": facts(changes={"proxy.tcpListen.listen": "0.0.0.0"}, hosts=at("10.0.0.5")),
    "all-addresses-of-ipv6": facts(
        "dfdaemon", "1.4.2", {"proxy.server.ip": "::"}, hosts=at("[fd00::5]", "dfdaemon"), containerd="2.0.0"
    ),
    "all-addresses-by-default": facts("dfdaemon", "1.4.2", {"proxy.server.ip": None}, hosts=at("10.0.0.5", "dfdaemon")),
    "a-name": facts(changes={"proxy.tcpListen.listen": "10.0.0.5"}, hosts=at("dragonfly.example.com")),
    "default-mirror": facts(hosts={"/etc/containerd/certs.d/_default/hosts.toml": hosts_toml()}),
}


@pytest.mark.parametrize("machine", GOOD.values(), ids=GOOD)
def test_hits(machine):
    prediction = predict_hits(machine, [image()])
    assert codes(prediction) == []
    assert prediction.hit == "all"
    assert [blob.host_task_id for blob in prediction.blobs] == [blob.preheat_task_id for blob in prediction.blobs]


def test_pulls_with_a_folder_of_their_own():
    machine = facts(config_toml="version = 2\n", hosts={"/srv/certs.d/registry.example.com/hosts.toml": hosts_toml()})
    assert codes(predict_hits(machine, [image()])) == ["config_path_not_set"]
    machine["containerd"]["certs_dir"] = "/srv/certs.d"
    assert predict_hits(machine, [image()]).hit == "all"
    # They bypass the CRI plugin.
    machine["containerd"]["config"]["text"] = 'version = 2\ndisabled_plugins = ["cri"]\n'
    assert predict_hits(machine, [image()]).hit == "all"
    machine["containerd"]["config"]["text"] += (
        '[plugins."io.containerd.transfer.v1.local"]\nconcurrent_layer_fetch_buffer = 8388608\n'
    )
    assert codes(predict_hits(machine, [image()])) == ["parallel_fetch"]


def test_a_port_in_the_name_of_a_registry():
    machine = facts(hosts=hosts_toml(header="http://10.77.0.1:5000"), registry="10.77.0.1_5000_")
    assert predict_hits(machine, [image("http://10.77.0.1:5000/shop/web:1")]).hit == "all"


def test_a_prefix_is_part_of_the_mirrors_path():
    text = hosts_toml("dfdaemon", header="https://harbor.example.com", path="/v2/hub")
    text = text.replace("capabilities", "override_path = true\ncapabilities")
    machine = facts("dfdaemon", "1.4.2", hosts=text, registry="docker.io")
    prediction = predict_hits(machine, [image("redis:7", {"docker.io": "https://harbor.example.com/hub"})])
    assert prediction.hit == "all"
    assert prediction.blobs[0].url == f"https://harbor.example.com/v2/hub/library/redis/blobs/{DIGESTS[0]}"


# --- hosts that miss: the fault, the reason, and the place of the remedy


def misses():
    """A case: name, facts, seed, code, file and key of the reason, and a part of its text."""
    yaml_file = {"dfget": "/etc/dragonfly/dfget.yaml", "dfdaemon": "/etc/dragonfly/dfdaemon.yaml"}
    toml_file = "/etc/containerd/certs.d/registry.example.com/hosts.toml"
    config = "/etc/containerd/config.toml"

    def go(name, changes, code, key, text, **options):
        return name, facts(changes=changes, **options), SeedPeers(), code, yaml_file["dfget"], key, text

    def rust(name, changes, code, key, text, release="1.4.2", **options):
        return name, facts("dfdaemon", release, changes, **options), SeedPeers(), code, yaml_file["dfdaemon"], key, text

    def mirror(name, code, key, text, client="dfget", release=None, changes=None, **options):
        release = release or {"dfget": "2.1.67", "dfdaemon": "1.4.2"}[client]
        return (
            name,
            facts(client, release, changes, hosts=hosts_toml(client, **options)),
            SeedPeers(),
            code,
            toml_file,
            key,
            text,
        )

    rule = {"regex": "blobs/sha256.*"}
    yield go("no-filter", {"proxy.defaultFilter": None}, "filter_without_ns", "proxy.defaultFilter", "Add ns: 'Expires")
    yield go(
        "filter-without-ns",
        {"proxy.defaultFilter": "Expires&Signature"},
        "filter_without_ns",
        "proxy.defaultFilter",
        "?ns=",
    )
    yield go(
        "filter-with-spaces", {"proxy.defaultFilter": "Expires& ns"}, "filter_without_ns", "proxy.defaultFilter", "?ns="
    )
    yield mirror(
        "filter-header-without-ns",
        "filter_without_ns",
        "X-Dragonfly-Filter",
        "?ns=",
        extra='X-Dragonfly-Filter = "Expires"',
    )
    yield mirror(
        "empty-registry-header",
        "registry_header_empty",
        "X-Dragonfly-Registry",
        "the header is empty, so the client responds with an error",
        client="dfdaemon",
        header="",
        extra='X-Dragonfly-Registry = ""',
    )
    for base in (
        "https://index.docker.io",
        "https://registry-1.docker.io",
        "https://docker.io",
        "http://registry.example.com",
    ):
        yield mirror(f"base-{base}", "base_differs", "X-Dragonfly-Registry", f"requests {base}, but", header=base)
    yield mirror("base-with-a-port", "base_differs", "X-Dragonfly-Registry", ":443, but", header=BASE + ":443")
    yield go(
        "dynamic-off",
        {"proxy.registryMirror.dynamic": False, "proxy.registryMirror.url": "https://index.docker.io"},
        "static_mirror",
        "proxy.registryMirror.dynamic",
        "Set it to true.",
    )
    yield go(
        "other-mirror",
        {"proxy.registryMirror.url": "https://index.docker.io"},
        "base_differs",
        "proxy.registryMirror.url",
        "https://index.docker.io, but",
        hosts=hosts_toml(header=None),
    )
    yield go(
        "tag",
        {"proxy.defaultTag": "mine"},
        "tag_mismatch",
        "proxy.defaultTag",
        "have the tag 'mine', but the preheat has the tag ''",
    )
    yield go(
        "application",
        {"proxy.defaultApplication": "mine"},
        "tag_mismatch",
        "proxy.defaultApplication",
        "the application 'mine'",
    )
    yield mirror(
        "tag-header",
        "tag_mismatch",
        "X-Dragonfly-Tag",
        "the tag 'mine'",
        "dfdaemon",
        extra='X-Dragonfly-Tag = ["mine"]',
    )
    yield mirror(
        "piece-length-header",
        "tag_mismatch",
        "X-Dragonfly-Piece-Length",
        "the piece length '4194304'",
        "dfdaemon",
        extra='X-Dragonfly-Piece-Length = "4194304"',
    )
    yield go(
        "direct", {"proxy.registryMirror.direct": True}, "not_p2p", "proxy.registryMirror.direct", "Set it to false."
    )
    yield go(
        "no-rule", {"proxy.registryMirror.useProxies": True}, "not_p2p", "proxy.registryMirror.useProxies", "no rule of"
    )
    yield go(
        "direct-rule",
        {"proxy.registryMirror.useProxies": True, "proxy.proxies": [{"regx": "blobs", "direct": True}]},
        "not_p2p",
        "proxy.registryMirror.useProxies",
        "sets direct",
    )
    yield go(
        "use-https",
        {
            "proxy.registryMirror.useProxies": True,
            "proxy.registryMirror.url": "http://registry.example.com",
            "proxy.proxies": [{"regx": "blobs", "redirect": "other:5000"}],
        },
        "rewritten_url",
        "proxy.proxies[0].redirect",
        "changes the URL",
    )
    yield go("no-mirror", {"proxy.registryMirror": None}, "no_mirror", "proxy.registryMirror.url", "404")
    yield rust(
        "rust-rule-that-does-not-match",
        {"proxy.rules": [{"regex": "huggingface"}]},
        "not_p2p",
        "proxy.rules",
        "no rule matches",
    )
    yield rust("rust-no-rules", {"proxy.rules": None}, "not_p2p", "proxy.rules", "there is no rule")
    yield rust(
        "rust-list-without-ns",
        {"proxy.rules": [dict(rule, filteredQueryParams=["Expires"])]},
        "filter_without_ns",
        "proxy.rules[0].filteredQueryParams",
        "append ns",
    )
    yield rust(
        "rust-empty-list",
        {"proxy.rules": [dict(rule, filteredQueryParams=[])]},
        "filter_without_ns",
        "proxy.rules[0].filteredQueryParams",
        "append ns",
    )
    yield rust(
        "rust-redirect",
        {"proxy.rules": [dict(rule, redirect="other:5000")]},
        "rewritten_url",
        "proxy.rules[0].redirect",
        "changes the URL",
    )
    # Messages number a rule by its position in the file, where null is an element, too.
    yield rust(
        "rust-second-rule",
        {"proxy.rules": [None, dict(rule, redirect="other:5000")]},
        "rewritten_url",
        "proxy.rules[1].redirect",
        "changes the URL",
    )
    yield go(
        "go-second-rule",
        {
            "proxy.registryMirror.useProxies": True,
            "proxy.proxies": [None, {"regx": "blobs", "redirect": "other:5000"}],
        },
        "rewritten_url",
        "proxy.proxies[1].redirect",
        "changes the URL",
    )
    for redirect in ("", "https://other:5000", "other:5000/"):
        yield rust(
            f"rust-redirect-{redirect}",
            {"proxy.rules": [dict(rule, redirect=redirect)]},
            "redirect_invalid",
            "proxy.rules[0].redirect",
            "only HOST or HOST:PORT",
        )
    yield go(
        "go-redirect-of-no-url",
        {"proxy.registryMirror.useProxies": True, "proxy.proxies": [{"regx": "blobs", "redirect": "[other"}]},
        "url_invalid",
        "proxy.proxies[0].redirect",
        "'[other' does not result in a valid URL: the client cannot parse it",
    )
    header = "X-Dragonfly-Registry"
    yield from (
        (f"{client}-header-of-no-url", machine, SeedPeers(), "url_invalid", toml_file, header, "'https://[a' does")
        for client in hosts.GOOD
        for machine in [facts(client, hosts=hosts_toml(client).replace(f'["{BASE}"]', '["https://[a"]'))]
    )
    yield (
        "endpoint-of-no-url",
        facts(hosts={}, config_toml=old_mirror("http://:secret@a b")),
        SeedPeers(),
        "url_invalid",
        config,
        "",
        "'http://:********@a b' does",
    )
    yield rust(
        "blob-digest",
        {"proxy.registryMirror.enableTaskIDBasedBlobDigest": True},
        "blob_digest_ids",
        "proxy.registryMirror.enableTaskIDBasedBlobDigest",
        "Set it to false",
    )
    yield rust(
        "blob-digest-as-it-was-spelt",
        {"proxy.registryMirror.enableTaskIdBasedBlobDigest": True},
        "blob_digest_ids",
        "proxy.registryMirror.enableTaskIdBasedBlobDigest",
        "Set it to false",
        "1.1.5",
    )
    yield mirror(
        "blob-digest-header",
        "blob_digest_ids",
        "X-Dragonfly-Enable-Task-ID-Based-Blob-Digest",
        "Set it to false",
        "dfdaemon",
        extra='X-Dragonfly-Enable-Task-ID-Based-Blob-Digest = "true"',
    )
    yield mirror(
        "content-header",
        "content_id",
        "X-Dragonfly-Content-For-Calculating-Task-ID",
        "instead of the URL",
        "dfdaemon",
        extra='X-Dragonfly-Content-For-Calculating-Task-ID = "x"',
    )
    yield mirror(
        "rust-trailing-slash",
        "trailing_slash",
        "X-Dragonfly-Registry",
        "Remove the slash",
        "dfdaemon",
        header=BASE + "/",
    )
    yield mirror("other-path", "path_differs", "X-Dragonfly-Registry", "/v2/hub/v2/shop/web", path="/v2/hub")
    yield "rust-below-0.1.114", facts("dfdaemon", "0.1.113"), SeedPeers(), "ids_of_their_own", "", "", "0.1.114"
    yield (
        "go-host-rust-seed",
        facts(),
        SeedPeers("dfdaemon", "1.4.2"),
        "recipes_differ",
        "",
        "",
        "On this host, dfget 2.1.67 computes other task IDs than dfdaemon 1.4.2 on the seed peers",
    )
    yield (
        "rust-host-go-seed",
        facts("dfdaemon", "1.4.2"),
        SeedPeers("dfget", "2.1.67"),
        "recipes_differ",
        "",
        "",
        "than dfget 2.1.67",
    )
    yield (
        "old-rust-seed",
        facts("dfdaemon", "1.4.2"),
        SeedPeers("dfdaemon", "0.2.20"),
        "recipes_differ",
        "",
        "",
        "than dfdaemon 0.2.20",
    )
    yield (
        "go-seed-with-a-manager-of-2.3.1",
        facts(),
        SeedPeers(manager_release="2.3.1"),
        "seed_cannot_be_preheated",
        "",
        "",
        "SUCCESS, but nothing is cached",
    )
    yield "go-of-2.3.4", facts(release="2.3.4"), SeedPeers(), "seed_cannot_be_preheated", "", "", "role dfdaemon"
    yield (
        "no-mirror-for-the-registry",
        facts(registry="other"),
        SeedPeers(),
        "no_mirror_for_registry",
        "/etc/containerd/certs.d",
        "",
        "registry.example.com has no mirror",
    )
    shadow = {toml_file: None, "/etc/containerd/certs.d/_default/hosts.toml": hosts_toml()}
    yield (
        "folder-without-a-file",
        facts(hosts=shadow),
        SeedPeers(),
        "no_mirror_for_registry",
        toml_file + " (which does not exist)",
        "",
        "registry.example.com has no mirror",
    )
    yield (
        "config-path-not-set",
        facts(config_toml="version = 2\n"),
        SeedPeers(),
        "config_path_not_set",
        config,
        "config_path",
        "restart containerd",
    )
    cri = '[plugins."io.containerd.grpc.v1.cri"'
    yield (
        "default-folders",
        facts(config_toml="version = 3\n", containerd="2.2.0"),
        SeedPeers(),
        "config_path_not_split",
        config,
        "config_path",
        "treats /etc/containerd/certs.d:/etc/docker/certs.d (its default) as the name of one directory",
    )
    yield (
        "two-folders",
        facts(config_toml=TWO_FOLDERS.replace("docker", "other"), containerd="2.1.0"),
        SeedPeers(),
        "config_path_not_split",
        config,
        "config_path",
        "treats /etc/containerd/certs.d:/etc/other/certs.d as the name of one directory",
    )
    yield (
        "cri-disabled",
        facts(config_toml=hosts.CONFIG_TOML.replace("\n", '\ndisabled_plugins = ["cri"]\n', 1)),
        SeedPeers(),
        "cri_disabled",
        config,
        "disabled_plugins",
        "cri is disabled",
    )
    yield (
        "certificates-of-the-old-kind",
        facts(config_toml=hosts.CONFIG_TOML + cri + '.registry.configs."a".tls]\nca_file = "/a"\n'),
        SeedPeers(),
        "tls_in_use",
        config,
        "io.containerd.grpc.v1.cri.registry.configs.a.tls",
        "does not load its CRI plugin",
    )
    yield (
        "lazy-snapshotter",
        facts(config_toml=hosts.CONFIG_TOML + cri + '.containerd]\nsnapshotter = "nydus"\n'),
        SeedPeers(),
        "lazy_snapshotter",
        config,
        "io.containerd.grpc.v1.cri snapshotter",
        "nydus requests parts of a blob, and the Go client computes another task ID for each part",
    )
    yield (
        "lazy-snapshotter-with-rust",
        facts("dfdaemon", "1.5.1", config_toml=LAZY),
        SeedPeers(),
        "lazy_snapshotter",
        config,
        "io.containerd.grpc.v1.cri snapshotter",
        "from the registry, even if they are cached. Use overlayfs. Or set proxy.disableBackToSource;",
    )
    yield (
        "small-parts-with-rust",
        facts("dfdaemon", None, config_toml=parts(4194304)),
        SeedPeers(),
        "parallel_fetch",
        config,
        "concurrent_layer_fetch_buffer",
        "Set it to 0, or to more than 4194304.",
    )
    for release in ("2.1.0", "2.1.2"):
        yield (
            f"range-in-every-request-{release}",
            facts(containerd=release),
            SeedPeers(),
            "range_in_every_request",
            "",
            "",
            "Upgrade containerd to 2.1.3",
        )
    yield mirror("range-header", "range_header", "Range", "Remove the header", extra='Range = "bytes=0-1023"')
    yield mirror(
        "rust-empty-filter-header", "filter_without_ns", FILTER, "append ns", "dfdaemon", extra=f'{FILTER} = ""'
    )
    yield mirror(
        "piece-length-with-a-unit",
        "tag_mismatch",
        "X-Dragonfly-Piece-Length",
        "the piece length '4194304'",
        "dfdaemon",
        extra='X-Dragonfly-Piece-Length = "4mib"',
    )
    yield mirror(
        "empty-content-header",
        "content_id",
        "X-Dragonfly-Content-For-Calculating-Task-ID",
        "instead of the URL",
        "dfdaemon",
        extra='X-Dragonfly-Content-For-Calculating-Task-ID = ""',
    )
    yield (
        "wrong-kind",
        facts(config_toml=hosts.CONFIG_TOML.replace('"/etc/containerd/certs.d"', "5")),
        SeedPeers(),
        "toml_invalid",
        config,
        "",
        "plugins.io.containerd.grpc.v1.cri.registry.config_path is not a string",
    )
    yield (
        "mirrors-and-config-path",
        facts(
            config_toml=hosts.CONFIG_TOML
            + '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\nendpoint = []\n'
        ),
        SeedPeers(),
        "mirrors_in_use",
        config,
        "io.containerd.grpc.v1.cri.registry.mirrors",
        "docker.io",
    )

    def unused(name, text, wanted, containerd="1.6.20"):
        return name, facts(hosts=text, containerd=containerd), SeedPeers(), "hosts_toml_unused", toml_file, "", wanted

    yield unused("capabilities-as-text", hosts_toml(capabilities='"pull"'), "capabilities is not a list of strings")
    yield unused(
        "skip-verify-as-text", hosts_toml(before='skip_verify = "true"'), "skip_verify is neither true nor false"
    )
    yield unused("ca-as-number", hosts_toml(before="ca = 1"), "ca is neither a string nor a list of strings")
    yield unused("ca-with-number", hosts_toml(before="ca = [1]"), "ca is neither a string nor a list of strings")
    yield unused("client-as-boolean", hosts_toml(before="client = true"), "client is neither a string nor a list")
    yield unused(
        "capabilities-of-another-kind", hosts_toml(capabilities='["pull", 1]'), "capabilities is not a list of strings"
    )
    yield unused("unknown-capability", hosts_toml(capabilities='["pull", "fetch"]'), "it has no capability fetch")
    yield unused("unknown-capability-of-the-server", 'capabilities = ["x"]\n' + hosts_toml(), "it has no capability x")
    yield unused(
        "referrers-before-2.2", hosts_toml(capabilities='["pull", "referrers"]'), "it has no capability referrers"
    )
    yield unused("override-path", hosts_toml(before="override_path = 1"), "override_path is neither true nor false")
    yield unused(
        "number-as-header",
        hosts_toml(extra="X-Dragonfly-Priority = 5"),
        "header is not a table in which each value is a string or a list of strings",
    )
    yield unused("host-of-another-kind", "[host]\na = 5\n", "host is not a table of tables")
    yield unused("server-of-another-kind", hosts_toml().replace(f'"{BASE}"', "5", 1), "server is not a string")
    yield unused("inline-hosts", INLINE, 'without a table [host."URL"]', "2.0.0")
    yield unused("client-pair-of-three", hosts_toml(before='client = [["/a", "/b", "/c"]]'), "client is neither")
    yield unused("client-pair-without-a-key", hosts_toml(before='client = [["/a"]]'), "client is neither", "2.3.4")
    yield unused("dial-timeout", hosts_toml(before="dial_timeout = 10"), "dial_timeout is not a duration", "2.0.7")
    yield unused("port-that-is-none", hosts_toml(port="proxy"), "its host or port is not valid", "2.3.4")
    yield unused("server-with-a-space", hosts_toml().replace(BASE, "https://a b", 1), "https://a b is not a valid URL")
    yield unused("ipv6-before-2.0", at("[::1]"), "name contains brackets", "1.7.34")
    yield unused("server-alone-before-1.7.32", SERVER, "before 1.7.32", "1.7.31")

    def unclear(name, text):
        return name, facts(hosts=text, containerd=None), SeedPeers(), "hosts_toml_unclear", toml_file, "", "differently"

    yield unclear("referrers-who-knows", hosts_toml(capabilities='["pull", "referrers"]'))
    yield unclear("ipv6-who-knows", at("[::1]"))
    yield unclear("inline-hosts-who-knows", INLINE)
    yield unclear("dial-timeout-who-knows", hosts_toml(before="dial_timeout = 10"))
    yield (
        "old-mirror-with-a-slash",
        facts(hosts={}, changes={"proxy.registryMirror.url": BASE}, config_toml=old_mirror("http://127.0.0.1:65001/")),
        SeedPeers(),
        "path_differs",
        "/etc/dragonfly/dfget.yaml",
        "proxy.registryMirror.url",
        "requests /shop/web, but the preheat used /v2/shop/web",
    )
    without = old_mirror("http://127.0.0.1:65001").replace("registry.example.com", "*")
    without += '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."registry.example.com"]\n'
    yield (
        "old-mirror-without-endpoints",
        facts(hosts={}, config_toml=without),
        SeedPeers(),
        "no_mirror_for_registry",
        config,
        "mirrors",
        "has no mirror",
    )
    yield mirror("cannot-pull", "mirror_cannot_pull", "", "capability to pull", capabilities='["resolve"]')
    yield mirror("other-port", "wrong_port", "", "dfget listens on port 65001", port=4001)
    yield go(
        "go-login-missing",
        {"proxy.basicAuth": LOGIN},
        "no_login",
        "proxy.basicAuth",
        "dfget responds with 407 to a pull without the header Proxy-Authorization",
        hosts=hosts_toml(extra="Authorization = ['hidden']"),
    )
    yield rust(
        "rust-login-missing",
        {"proxy.server.basicAuth": LOGIN},
        "no_login",
        "proxy.server.basicAuth",
        "401 to a pull without the header Authorization",
    )
    yield (
        "address-of-go",
        facts(changes={"proxy.tcpListen.listen": "10.0.0.5"}),
        SeedPeers(),
        "wrong_port",
        toml_file,
        "",
        "http://127.0.0.1:65001, where no Dragonfly client of this host listens: dfget listens on port 65001 "
        "of 10.0.0.5.",
    )
    yield (
        "address-of-rust",
        facts("dfdaemon", "1.4.2", {"proxy.server.ip": "10.0.0.5"}),
        SeedPeers(),
        "wrong_port",
        toml_file,
        "",
        "dfdaemon listens on port 4001 of 10.0.0.5",
    )
    yield (
        "another-host",
        facts(hosts=at("10.9.9.9")),
        SeedPeers(),
        "wrong_port",
        toml_file,
        "",
        "dfget listens on port 65001 of 127.0.0.1",
    )
    yield (
        "another-address",
        facts(changes={"proxy.tcpListen.listen": "10.0.0.5"}, hosts=at("10.0.0.6")),
        SeedPeers(),
        "wrong_port",
        toml_file,
        "",
        "of 10.0.0.5",
    )
    yield (
        "localhost-of-another-address",
        facts(changes={"proxy.tcpListen.listen": "10.0.0.5"}, hosts=at("localhost")),
        SeedPeers(),
        "wrong_port",
        toml_file,
        "",
        "of 10.0.0.5",
    )
    yield mirror(
        "other-host-first",
        "other_mirror_first",
        "",
        "go to https://cache.example.com first",
        before='[host."https://cache.example.com"]',
    )
    yield (
        "https-proxy",
        facts(hosts=hosts_toml().replace("http://127", "https://127")),
        SeedPeers(),
        "https_proxy",
        toml_file,
        "",
        "Write http://",
    )
    yield go("no-port", {"proxy.tcpListen": None}, "proxy_off", "proxy.tcpListen.port", "Set it to a port")
    yield go(
        "bad-regex",
        {"proxy.proxies": [{"regx": "blobs/(sha256"}]},
        "bad_regex",
        "proxy.proxies[0].regx",
        "does not start",
    )
    yield go("bad-strategy", {"storage.strategy": "fancy"}, "bad_strategy", "storage.strategy", "Remove the key")
    yield go(
        "too-slow",
        {"download.totalRateLimit": "1Mi"},
        "rate_limit_too_low",
        "download.totalRateLimit",
        "Set it to 20Mi",
    )
    yield go("no-manager", {"scheduler.manager.enable": False}, "no_scheduler", "scheduler", "cannot join a cluster")
    yield rust(
        "rust-bad-regex",
        {"proxy.rules": [{"regex": "blobs/(sha256"}]},
        "bad_regex",
        "proxy.rules[0].regex",
        "does not start",
    )
    yield rust(
        "rust-no-manager",
        {"manager.addr": None, "manager.xaddr": "x"},
        "no_scheduler",
        "manager.addr",
        "cannot join a cluster",
        "1.4.2",
    )
    yield rust("rust-wrong-type", {"storage.keep": "yes"}, "wrong_type", "storage.keep", "true or false")
    yield (
        "version-3",
        facts(config_toml=hosts.CONFIG_TOML.replace("version = 2", "version = 3")),
        SeedPeers(),
        "config_version",
        config,
        "version",
        "containerd 1.6.20 does not read version 3",
    )
    yield (
        "other-plugin",
        facts(config_toml=hosts.CONFIG_TOML.replace("version = 2", "version = 3"), containerd="2.0.0"),
        SeedPeers(),
        "config_path_elsewhere",
        config,
        "config_path",
        "containerd reads io.containerd.cri.v1.images",
    )
    yield (
        "no-config",
        facts(config_toml=None),
        SeedPeers(),
        "config_path_not_set",
        config + " (which does not exist)",
        "config_path",
        "restart containerd",
    )
    yield (
        "parallel-fetch",
        facts(
            config_toml=hosts.CONFIG_TOML + '[plugins."io.containerd.transfer.v1.local"]\n'
            "concurrent_layer_fetch_buffer = 8388608\n"
        ),
        SeedPeers(),
        "parallel_fetch",
        config,
        "concurrent_layer_fetch_buffer",
        "Set it to 0.",
    )
    yield (
        "no-containerd",
        facts(config_toml=None, containerd=None),
        SeedPeers(),
        "no_containerd",
        "",
        "",
        "Run this on the hosts that pull",
    )
    yield go("quotes", {"proxy.tcpListen.port": "65001"}, "wrong_type", "proxy.tcpListen.port", "without quotes")
    yield go(
        "too-long",
        {"scheduler.manager.seedPeer.enable": True, "storage.taskExpireTime": "9" * 500 + "s"},
        "wrong_type",
        "storage.taskExpireTime",
        "a duration with a unit",
    )
    yield go("quoted-true", {"keepStorage": "true"}, "wrong_type", "keepStorage", "without quotes")
    yield go("yes", None, "wrong_type", "keepStorage", "without quotes", config=TEXT["dfget"] + "keepStorage: yes\n")
    yield rust(
        "rust-on",
        None,
        "wrong_type",
        "storage.keep",
        "without quotes",
        config=TEXT["dfdaemon"] + "storage: {keep: on}\n",
    )
    yield rust(
        "rust-underscore",
        None,
        "wrong_type",
        "proxy.server.port",
        "without quotes",
        config=TEXT["dfdaemon"].replace("4001", "4_001"),
    )
    yield rust(
        "rust-empty-port",
        None,
        "wrong_type",
        "proxy.server.port",
        "a port number",
        config=TEXT["dfdaemon"].replace("port: 4001", "port:"),
    )
    yield rust(
        "rust-merges-nothing",
        None,
        "not_p2p",
        "proxy.rules",
        "there is no rule",
        config=TEXT["dfdaemon"].replace("  rules:\n  - regex: blobs/sha256.*\n", "  <<: {rules: [{regex: .}]}\n"),
    )
    yield go("bad-yaml", None, "unreadable", "", "not valid YAML in line 3", config="proxy:\n  - a: [\n")
    yield go(
        "key-twice",
        None,
        "unreadable",
        "",
        "in line 3 (the key proxy is already set in line 1",
        config="proxy:\n  defaultFilter: ns\nproxy: {}\n",
    )
    yield go(
        "key-twice-in-a-line",
        None,
        "unreadable",
        "",
        "the key a is already set",
        config="proxy: [{a: 1, a: 2}]\n",
    )
    yield go("key-in-two-cases", None, "unreadable", "", "already set in line 1", config="Proxy: {}\nproxy: {}\n")
    for before in ("", "# comment\n\n", "%TAG ! tag:a,2000:\n"):
        text = f"{before}%YAML 1.2\n---\n{yaml.safe_dump(hosts.GOOD['dfget'])}"
        yield go(f"yaml-1.2-{before[:1]}", None, "unreadable", "", "no directive but %YAML 1.1", config=text)
    yield go("yaml-of-another-kind", None, "unreadable", "", "no mapping", config="- a\n")
    yield (
        "bad-toml",
        facts(config_toml="version ="),
        SeedPeers(),
        "toml_invalid",
        config,
        "",
        "Invalid value",
    )
    yield ("bad-hosts-toml", facts(hosts="\nserver = x\n"), SeedPeers(), "unreadable", toml_file, "", "line 2")


MISSES = {name: row for name, *row in misses()}


@pytest.mark.parametrize("machine, seed, code, file, key, text", MISSES.values(), ids=MISSES)
def test_misses(machine, seed, code, file, key, text):
    prediction = predict_hits(machine, [image()], seed)
    assert prediction.hit == "none"
    assert not any(blob.is_hit for blob in prediction.blobs)
    assert (code, file, key) in [(cause.code, cause.file, cause.key) for cause in prediction.reasons]
    reason = next(cause for cause in prediction.reasons if cause.code == code)
    assert text in reason.message
    assert reason.remedy
    assert "{" not in reason.remedy.replace("{regex: 'blobs/sha256.*'}", "").replace("{regx: blobs/sha256.*}", "")
    assert len(codes(prediction)) == len(set(codes(prediction)))


CRI_2, CRI_3, RUNTIME_3 = (
    f'plugins."io.containerd.{name}"' for name in ("grpc.v1.cri", "cri.v1.images", "cri.v1.runtime")
)
CONFIG_3 = f'version = 3\n[{CRI_3}.registry]\nconfig_path = "/etc/containerd/certs.d"\n'


@pytest.mark.parametrize(
    "config, release, snapshotters",
    [
        (f'{hosts.CONFIG_TOML}[{CRI_2}.containerd.runtimes.kata]\nsnapshotter = "nydus"', "1.7.20", {"kata": "nydus"}),
        (f'{CONFIG_3}[{CRI_3}.runtime_platforms.lazy]\nsnapshotter = "soci"', "2.1.4", {"lazy": "soci"}),
        (f'{CONFIG_3}[{RUNTIME_3}.containerd.runtimes.a]\nsnapshotter = "stargz"', "2.3.4", {"a": "stargz"}),
        (f'{CONFIG_3}[{RUNTIME_3}.containerd.runtimes.a]\nsnapshotter = "own"', "2.3.4", {"a": "own"}),
        (f'{CONFIG_3}[{RUNTIME_3}.containerd.runtimes.a]\nsnapshotter = "devmapper"', "2.3.4", {}),
        (f'{CONFIG_3}[{RUNTIME_3}.containerd.runtimes.a]\nsnapshotter = ""', "2.3.4", {}),
        (f'{CONFIG_3}[{RUNTIME_3}.containerd.runtimes.a]\nruntime_type = "r"', "2.3.4", {}),
    ],
)
def test_a_snapshotter_of_a_runtime_class(config, release, snapshotters):
    for client, client_release in (("dfget", "2.1.67"), ("dfdaemon", "1.5.1")):
        machine = facts(client, client_release, config_toml=config, containerd=release)
        prediction = predict_hits(machine, [image()])
        assert prediction.hit == "all", codes(prediction)
        named = [text for text in prediction.notes if "runtime class" in text]
        assert len(named) == len(snapshotters)
        for text, (runtime, snapshotter) in zip(named, snapshotters.items(), strict=True):
            assert f"with the handler {runtime} use the snapshotter {snapshotter}," in text


def test_a_snapshotter_of_a_runtime_class_where_the_client_serves_parts():
    config = f'{hosts.CONFIG_TOML}[{CRI_2}.containerd.runtimes.kata]\nsnapshotter = "nydus"'
    changes = {"proxy.disableBackToSource": True}
    prediction = predict_hits(facts("dfdaemon", "1.5.1", changes, config_toml=config), [image()])
    assert not any("runtime class" in text for text in prediction.notes)


@pytest.mark.parametrize(
    "snapshotter, code",
    [
        ("nydus-snapshotter", "lazy_snapshotter"),
        ("gcfs", "lazy_snapshotter"),
        ("of-the-house", "snapshotter_unknown"),
        ("fuse-overlayfs", None),
        ("erofs", None),
    ],
)
def test_snapshotters_by_their_names(snapshotter, code):
    config = f'{hosts.CONFIG_TOML}[{CRI_2}.containerd]\nsnapshotter = "{snapshotter}"\n'
    prediction = predict_hits(facts(config_toml=config), [image()])
    assert codes(prediction) == ([code] if code else [])
    assert prediction.hit == ("none" if code else "all")
    served = predict_hits(facts("dfdaemon", "1.4.1", config_toml=config), [image()])
    assert codes(served) == []


MIRROR_FOLDER = "/etc/containerd/certs.d/registry.example.com"
CA = {"error": None, "holds": ["certificate"]}
KEY = {"error": None, "holds": ["key"]}
PAIR = {"error": None, "holds": ["certificate", "key"]}
GONE = {"error": "it does not exist", "holds": []}
MIRROR_URL = "http://127.0.0.1:65001"


@pytest.mark.parametrize(
    "before, extra, certificates, key, text",
    [
        ('ca = "/ca.pem"', "", {"/ca.pem": GONE}, "ca", "/ca.pem: it does not exist. Every pull"),
        ('ca = ["/a", "b.pem"]', "", {"/a": CA, f"{MIRROR_FOLDER}/b.pem": GONE}, "ca", f"load {MIRROR_FOLDER}/b.pem"),
        ('ca = "/ca.pem"', "", {"/ca.pem": {"error": "Is a directory", "holds": []}}, "ca", "Is a directory"),
        ('ca = "/ca.pem"', "", {"/ca.pem": KEY}, "ca", "it contains no certificate in PEM format"),
        ('ca = "/ca.pem"', "", None, "ca", "it is unknown whether the file exists"),
        ('client = "/c.pem"', "", {"/c.pem": CA}, "client", "it contains no key"),
        ('client = [["/c.pem", "/k.pem"]]', "", {"/c.pem": CA, "/k.pem": GONE}, "client", "/k.pem: it does not exist"),
        (
            'client = [["/c.pem", "/k.pem"]]',
            "",
            {"/c.pem": KEY, "/k.pem": KEY},
            "client",
            "/c.pem: it contains no",
        ),
        ("", f'[host."{MIRROR_URL}"]\nca = "x.pem"', {f"{MIRROR_FOLDER}/x.pem": GONE}, f'host."{MIRROR_URL}".ca', ""),
        # A host that is only for pushes, too.
        (
            "",
            '[host."https://push"]\ncapabilities = ["push"]\nclient = ["/p.pem"]',
            {"/p.pem": GONE},
            'host."https://push".client',
            "/p.pem",
        ),
    ],
)
def test_certificates_that_containerd_cannot_load(before, extra, certificates, key, text):
    toml = hosts_toml(before=before)
    if MIRROR_URL in extra:
        toml = toml.replace(f'[host."{MIRROR_URL}"]', extra)
    else:
        toml += extra
    machine = facts(hosts=toml)
    machine["containerd"]["hosts"][0]["certificates"] = certificates
    prediction = predict_hits(machine, [image()])
    assert (prediction.hit, codes(prediction)) == ("none", ["certificate_unusable"])
    cause = prediction.reasons[0]
    assert (cause.file, cause.key) == (f"{MIRROR_FOLDER}/hosts.toml", key)
    assert text in cause.message


@pytest.mark.parametrize(
    "before, certificates",
    [
        ('ca = "ca.pem"', {f"{MIRROR_FOLDER}/ca.pem": CA}),
        ("ca = []", {}),
        ('client = "/c.pem"', {"/c.pem": PAIR}),
        ('client = [["/c.pem", "/k.pem"], ["/c.pem", "/k.pem"]]', {"/c.pem": CA, "/k.pem": KEY}),
    ],
)
def test_certificates_that_containerd_loads(before, certificates):
    machine = facts(hosts=hosts_toml(before=before))
    machine["containerd"]["hosts"][0]["certificates"] = certificates
    assert predict_hits(machine, [image()]).hit == "all"


CRI_REGISTRY = "io.containerd.grpc.v1.cri.registry"


def old_mirror_with_tls(tls, host="127.0.0.1:65001"):
    """Return a config.toml with a mirror in the old format, and certificates for a host."""
    table = f'[plugins."io.containerd.grpc.v1.cri".registry.configs."{host}".tls]'
    return f"{old_mirror('http://127.0.0.1:65001')}{table}\n{tls}\n"


@pytest.mark.parametrize(
    "host, tls, certificates, key, text",
    [
        ("127.0.0.1:65001", 'ca_file = "/ca.pem"', {"/ca.pem": GONE}, "ca_file", "/ca.pem: it does not exist. Every"),
        # The registry itself is the last of the hosts.
        ("registry.example.com", 'ca_file = "/ca.pem"', {"/ca.pem": GONE}, "ca_file", "/ca.pem: it does not exist"),
        ("127.0.0.1:65001", 'ca_file = "pki/ca.pem"', {"/pki/ca.pem": GONE}, "ca_file", "load /pki/ca.pem"),
        ("127.0.0.1:65001", 'ca_file = "/ca.pem"', {}, "ca_file", "it is unknown whether the file exists"),
        ("127.0.0.1:65001", 'cert_file = "/c"\nkey_file = "/k"', {"/c": CA, "/k": GONE}, "key_file", "/k: it does not"),
        ("127.0.0.1:65001", 'cert_file = "/c"\nkey_file = "/k"', {"/c": KEY, "/k": KEY}, "cert_file", "no certificate"),
        (
            "127.0.0.1:65001",
            'cert_file = "/c"',
            {"/c": CA},
            "cert_file",
            "key_file is missing, which cert_file requires",
        ),
        (
            "127.0.0.1:65001",
            'key_file = "/k"',
            {"/k": KEY},
            "key_file",
            "cert_file is missing, which key_file requires",
        ),
    ],
)
def test_certificates_of_the_old_kind_that_containerd_cannot_load(host, tls, certificates, key, text):
    machine = facts(config_toml=old_mirror_with_tls(tls, host), containerd="1.7.20")
    machine["containerd"]["certificates"] = certificates
    prediction = predict_hits(machine, [image()])
    assert (prediction.hit, codes(prediction)) == ("none", ["certificate_unusable"])
    cause = prediction.reasons[0]
    assert (cause.file, cause.key) == ("/etc/containerd/config.toml", f"{CRI_REGISTRY}.configs.{host}.tls.{key}")
    assert text in cause.message


@pytest.mark.parametrize(
    "host, tls, certificates, release",
    [
        ("127.0.0.1:65001", 'ca_file = "/ca.pem"', {"/ca.pem": CA}, "1.7.20"),
        # Other PEM blocks in a ca_file are skipped.
        ("127.0.0.1:65001", 'ca_file = "/ca.pem"', {"/ca.pem": KEY}, "1.7.20"),
        ("127.0.0.1:65001", 'ca_file = ""', {}, "1.7.20"),
        ("127.0.0.1:65001", 'cert_file = "/p"\nkey_file = "/p"', {"/p": PAIR}, "1.7.20"),
        # Of another registry.
        ("other.example.com", 'ca_file = "/ca.pem"', {"/ca.pem": GONE}, "1.7.20"),
        # containerd 2.0 and later read no table tls.
        ("127.0.0.1:65001", 'ca_file = "/ca.pem"', {"/ca.pem": GONE}, "2.1.4"),
    ],
)
def test_certificates_of_the_old_kind_that_do_not_matter(host, tls, certificates, release):
    text = old_mirror_with_tls(tls, host)
    if release.startswith("2"):
        text = text.replace("version = 2", "version = 3").replace("grpc.v1.cri", "cri.v1.images")
    machine = facts(config_toml=text, containerd=release)
    machine["containerd"]["certificates"] = certificates
    assert codes(predict_hits(machine, [image()])) == []


GLOBAL_HEADERS = '[plugins."io.containerd.grpc.v1.cri".registry.headers]\n'


@pytest.mark.parametrize(
    "config_toml, hosts, code, key",
    [
        (hosts.CONFIG_TOML + GLOBAL_HEADERS + 'X-Dragonfly-Tag = ["a"]', None, "tag_mismatch", "X-Dragonfly-Tag"),
        (hosts.CONFIG_TOML + GLOBAL_HEADERS + 'x-dragonfly-filter = ["Expires"]', None, "filter_without_ns", FILTER),
        (hosts.CONFIG_TOML + GLOBAL_HEADERS + 'Range = ["hidden"]', None, "range_header", "Range"),
        # With the old mirrors, too.
        (old_mirror(MIRROR_URL) + GLOBAL_HEADERS + 'X-Dragonfly-Tag = ["a"]', None, "tag_mismatch", "X-Dragonfly-Tag"),
        # A header of all hosts takes precedence over that of one host.
        (
            hosts.CONFIG_TOML + GLOBAL_HEADERS + 'X-Dragonfly-Registry = ["https://other"]',
            None,
            "base_differs",
            "X-Dragonfly-Registry",
        ),
    ],
)
def test_headers_that_containerd_sends_to_every_host(config_toml, hosts, code, key):
    prediction = predict_hits(facts(config_toml=config_toml, hosts=hosts), [image()])
    assert (prediction.hit, codes(prediction)) == ("none", [code])
    assert prediction.reasons[0].file == "/etc/containerd/config.toml"
    assert prediction.reasons[0].key == (key if key != FILTER else "X-Dragonfly-Filter")


def test_headers_of_the_cri_plugin_are_not_those_of_ctr():
    machine = facts(config_toml=hosts.CONFIG_TOML + GLOBAL_HEADERS + 'X-Dragonfly-Tag = ["a"]')
    machine["containerd"]["certs_dir"] = "/etc/containerd/certs.d"
    assert predict_hits(machine, [image()]).hit == "all"


@pytest.mark.parametrize("second", ["---\nproxy: {maxConcurrency: 1}\n", "---\n", "---\na: [\n", "...\na"])
def test_the_go_client_reads_the_first_document_only(second):
    text = yaml.safe_dump(hosts.GOOD["dfget"]) + second
    assert predict_hits(facts(config=text), [image()]).hit == "all"
    rust = yaml.safe_dump(hosts.GOOD["dfdaemon"]) + second
    machine = facts("dfdaemon", "1.5.1", config=rust, hosts=hosts_toml("dfdaemon"))
    assert codes(predict_hits(machine, [image()])) == ["unreadable"]


@pytest.mark.parametrize("client, version", [("dfget", "1.1"), ("dfdaemon", "1.1"), ("dfdaemon", "1.2")])
def test_a_directive_that_a_client_accepts(client, version):
    text = f"%YAML {version}\n---\n{yaml.safe_dump(hosts.GOOD[client])}"
    release = {"dfget": "2.1.67", "dfdaemon": "1.5.1"}[client]
    assert predict_hits(facts(client, release, config=text, hosts=hosts_toml(client)), [image()]).hit == "all"


def test_the_second_endpoint_of_an_old_mirror_is_the_client():
    text = old_mirror('http://127.0.0.1:5000", "http://127.0.0.1:65001')
    assert codes(predict_hits(facts(config_toml=text), [image()])) == ["other_mirror_first"]


def test_only_what_is_wrong_is_a_reason():
    # Without a mirror, nothing is dynamic either.
    more = {"no-mirror", "rust-no-manager", "rust-merges-nothing"}
    for name, (machine, seed, code, *_row) in MISSES.items():
        others = set(codes(predict_hits(machine, [image()], seed))) - {code}
        assert not others or name in more, (name, others)


def test_no_client():
    machine = facts()
    machine["clients"]["dfget"] = {
        "config": hosts.file("/etc/dragonfly/dfget.yaml", None),
        "unit": None,
        "version": None,
    }
    prediction = predict_hits(machine, [image()])
    assert codes(prediction) == ["no_client"]
    assert "none of /etc/dragonfly/dfget.yaml, /etc/dragonfly/dfdaemon.yaml exists" in prediction.reasons[0].message


def test_a_file_that_must_not_be_read():
    machine = facts()
    machine["clients"]["dfget"]["config"] = hosts.file("/etc/dragonfly/dfget.yaml", None, "Permission denied")
    prediction = predict_hits(machine, [image()])
    assert "unreadable" in codes(prediction)
    assert "Permission denied. Run the task with become: true." in prediction.reasons[0].message


@pytest.mark.parametrize("state", ["failed", "inactive", "activating"])
def test_a_client_that_does_not_run(state):
    machine = facts()
    machine["clients"]["dfget"]["unit"] = hosts.unit("dfget-daemon.service", state)
    prediction = predict_hits(machine, [image()])
    assert codes(prediction) == ["not_running"]
    assert f"The unit dfget-daemon.service is {state}" in prediction.reasons[0].message
    assert prediction.hit == "none"


@pytest.mark.parametrize("which", ["client", "containerd"])
def test_a_configuration_that_is_newer_than_the_daemon(which):
    machine = facts()
    part = machine["clients"]["dfget"] if which == "client" else machine["containerd"]
    part["config"]["mtime"] = hosts.STARTED + 30
    prediction = predict_hits(machine, [image()])
    assert codes(prediction) == ["restart_needed"]
    assert "written 30 s after" in prediction.reasons[0].message
    assert prediction.hit == "none"


def test_some_of_two_images():
    machine = facts()
    other = image_from_reference("ghcr.io/a/b:1", {}, digests=DIGESTS)
    prediction = predict_hits(machine, [image(), other])
    assert prediction.hit == "some"
    assert codes(prediction) == ["no_mirror_for_registry"]
    assert [blob.is_hit for blob in prediction.blobs] == [True, True, False, False]


def test_cold_blobs_are_no_hits():
    job = {
        "url": f"{BASE}/v2/shop/web/manifests/4.2.0",
        "source": "created",
        "name": IMAGE,
        "warm": [f"{BASE}/v2/shop/web/blobs/{DIGESTS[0]}"],
        "cold": [f"{BASE}/v2/shop/web/blobs/{DIGESTS[1]}"],
        "args": {"tag": "", "application": ""},
    }
    prediction = predict_hits(facts(), [image_from_job(job, {})])
    assert prediction.hit == "some"
    assert codes(prediction) == ["cold"]


def test_a_job_says_what_it_was_made_with():
    job = {
        "url": f"{BASE}/v2/shop/web/manifests/4.2.0",
        "warm": [f"{BASE}/v2/shop/web/blobs/{DIGESTS[0]}"],
        "cold": [],
        "args": {"tag": "mine", "application": "shop", "piece_length": 4194304},
    }
    wanted = image_from_job(job, {})
    assert (wanted.tag, wanted.application, wanted.piece_length) == ("mine", "shop", "4194304")
    assert wanted.pulled_registry == "registry.example.com"
    assert codes(predict_hits(facts("dfdaemon", "1.4.2"), [wanted])) == ["tag_mismatch"] * 3
    headers = 'X-Dragonfly-Tag = "mine"\nX-Dragonfly-Application = "shop"\nX-Dragonfly-Piece-Length = "4194304"'
    assert predict_hits(facts("dfdaemon", "1.4.2", hosts=hosts_toml("dfdaemon", extra=headers)), [wanted]).hit == "all"


@pytest.mark.parametrize(
    "name, registry",
    [
        ("redis:7", "docker.io"),
        ("harbor.example.com/hub/library/redis:7", "harbor.example.com"),
        ("nightly", "harbor.example.com"),
        ("warmed by CI", "harbor.example.com"),
        (None, "harbor.example.com"),
    ],
)
def test_the_registry_that_a_job_is_pulled_from(name, registry):
    url = "https://harbor.example.com/v2/hub/library/redis/manifests/7"
    wanted = image_from_job({"url": url, "name": name}, {"docker.io": "https://harbor.example.com/hub"})
    assert (wanted.pulled_registry, wanted.preheated.manifest_url()) == (registry, url)


@pytest.mark.parametrize(
    "text, registry",
    [
        ("redis:7", "docker.io"),
        ("https://index.docker.io/v2/library/redis/manifests/7", "docker.io"),
        ("registry:5000/a/b:1", "registry:5000"),
    ],
)
def test_the_name_that_containerd_looks_for(text, registry):
    assert image_from_reference(text, {}).pulled_registry == registry


def test_an_image_that_is_not_there():
    prediction = predict_hits(
        facts(), [image_from_reference(IMAGE, {}, unknown_because="it has no such tag", is_missing=True)]
    )
    assert codes(prediction) == ["no_such_image"]
    assert prediction.hit == "none"


def test_values_that_stayed_on_the_host_are_no_problem():
    changes = {
        "gcInterval": "hidden",
        "host.advertiseIP": "hidden",
        "storage.diskGCThreshold": "hidden",
        "metrics": "hidden",
    }
    assert predict_hits(facts(changes=changes), [image()]).hit == "all"


def test_without_digests_a_blob_stands_for_all():
    prediction = predict_hits(
        facts(changes={"proxy.defaultFilter": None}),
        [image_from_reference(IMAGE, {}, unknown_because="the registry is down")],
    )
    assert codes(prediction) == ["filter_without_ns"]
    assert any("the registry is down" in note for note in prediction.notes)
    [blob] = prediction.blobs
    assert (blob.image, blob.url, blob.host_task_id, blob.preheat_task_id) == (IMAGE, None, None, None)


@pytest.mark.parametrize(
    "machine, text",
    [
        (facts(release=None), "The release of dfget could not be read. The module assumes 2.3.4."),
        (facts("dfdaemon", "1.4.2"), "up to 4 MiB from the registry"),
        (facts(changes={"scheduler.manager.seedPeer.enable": True, "storage.taskExpireTime": "2h"}), "for 7200 s"),
        (facts("dfdaemon", "1.4.2", {"seedPeer.enable": True}), "for 2592000 s after its last use (gc.policy.taskTTL)"),
        (facts(), "seed peers run dfget 2.1.67"),
        (
            GOOD["all-addresses"],
            "http://10.0.0.5:65001 is the client of this host, which listens on 0.0.0.0.",
        ),
        (GOOD["all-addresses-by-default"], "which listens on all addresses."),
        (GOOD["a-name"], "http://dragonfly.example.com:65001 is the client"),
    ],
)
def test_notes(machine, text):
    assert any(text in note for note in predict_hits(machine, [image()]).notes)


@pytest.mark.parametrize("name", ["go", "other-loopback", "localhost", "an-address-of-its-own"])
def test_no_doubt_about_the_address(name):
    assert not any("module assumes that http" in note for note in predict_hits(GOOD[name], [image()]).notes)


@pytest.mark.parametrize(
    "address, listener, enables_ipv6, hits",
    [
        ("127.0.0.1", "127.0.0.1", False, True),
        ("localhost", "127.0.0.1", False, True),
        ("localhost", "::1", False, True),
        ("0.0.0.0", "127.0.0.1", False, True),
        ("127.0.0.2", "127.0.0.1", False, False),
        ("[::1]", "127.0.0.1", False, False),
        ("127.0.0.1", "::1", False, False),
        ("127.0.0.2", "0.0.0.0", False, True),
        ("[::1]", "0.0.0.0", False, False),
        ("[::1]", "::", False, True),
        ("127.0.0.1", "::", False, True),
        # By default, the proxy listens on all addresses of IPv4, or of both.
        ("127.0.0.1", None, False, True),
        ("[::1]", None, False, False),
        ("[::1]", None, True, True),
        ("127.0.0.1", None, True, True),
    ],
)
@pytest.mark.parametrize("client", ["dfget", "dfdaemon"])
def test_the_proxy_listens_on_the_address_of_the_mirror(client, address, listener, enables_ipv6, hits):
    key = {"dfget": "proxy.tcpListen.listen", "dfdaemon": "proxy.server.ip"}[client]
    changes = {key: listener, "network.enableIPv6": enables_ipv6}
    release = {"dfget": "2.1.67", "dfdaemon": "1.5.1"}[client]
    toml = hosts_toml(client).replace("127.0.0.1", address)
    prediction = predict_hits(facts(client, release, changes, hosts=toml, containerd="2.2.0"), [image()])
    assert (prediction.hit, codes(prediction)) == (("all", []) if hits else ("none", ["wrong_port"]))


@pytest.mark.parametrize(
    "keys, warm, seed, client, code",
    [
        # The manager's known options show its release, and the release shows which seeds it can have warmed.
        (("concurrent_task_count",), ["a"], SeedPeers(), "dfget", "recipes_differ"),
        (("concurrent_task_count",), ["a"], SeedPeers(), "dfdaemon", None),
        (("concurrent_task_count",), None, SeedPeers(), "dfget", "seed_cannot_be_preheated"),
        (("concurrent_task_count",), ["a"], SeedPeers(client="dfget"), "dfget", "seed_cannot_be_preheated"),
        (("concurrent_task_count",), ["a"], SeedPeers(manager_release="2.1.67"), "dfget", None),
        (("concurrent_count",), ["a"], SeedPeers(), "dfget", None),
        ((), ["a"], SeedPeers(), "dfget", None),
    ],
)
def test_jobs_tell_of_the_seeds(keys, warm, seed, client, code):
    echo = {"concurrent_task_count": "2.5.1", "concurrent_count": "2.1.67"}
    args = {}
    for key in keys:
        recorded = json.loads((CHECKOUT / f"tests/contract/recordings/{echo[key]}/image_success.json").read_text())
        args = next(args_in(recorded, key))
    machine = predict_hits(facts(client), [image()], seed_peers_of_jobs([{"args": args, "warm": warm}], seed))
    assert codes(machine) == ([code] if code else [])


def args_in(value, key):
    """Yield the arguments of jobs in a recording that have a key."""
    if isinstance(value, dict):
        if isinstance(value.get("args"), dict) and key in value["args"] and "scope" in value["args"]:
            yield value["args"]
        value = list(value.values())
    for cause in value if isinstance(value, list) else []:
        yield from args_in(cause, key)


def test_a_misspelt_key_is_told_where_something_misses():
    typo = {"proxy.defaultFilter": None, "proxy.defaultFilters": "Expires&Signature&ns"}
    prediction = predict_hits(facts(changes=typo), [image()])
    assert codes(prediction) == ["filter_without_ns", "unknown_key"]
    assert "Did you mean proxy.defaultFilter?" in prediction.reasons[1].message
    assert codes(predict_hits(facts(changes={"proxy.defaultFilters": ""}), [image()])) == []


def test_no_note_where_it_does_not_hold():
    prediction = predict_hits(
        facts("dfdaemon", "1.4.2", {"proxy.disableBackToSource": True}), [image()], SeedPeers("dfdaemon")
    )
    assert prediction.notes == []


# --- the registry, and task IDs that are digests


@pytest.mark.parametrize(
    ("reference", "registry", "repository"),
    [
        ("nginx", "docker.io", "library/nginx"),
        ("docker.io/nginx:1", "docker.io", "library/nginx"),
        ("index.docker.io/nginx", "docker.io", "library/nginx"),
        ("index.docker.io/library/nginx", "docker.io", "library/nginx"),
        ("registry-1.docker.io/library/nginx", "registry-1.docker.io", "library/nginx"),
        ("registry.hub.docker.com/library/nginx", "registry.hub.docker.com", "library/nginx"),
        ("registry-1.docker.io/nginx", "registry-1.docker.io", "nginx"),
        ("index.docker.io/team/app", "docker.io", "team/app"),
        ("DOCKER.IO/nginx", "DOCKER.IO", "nginx"),
        ("docker.io:443/nginx", "docker.io:443", "nginx"),
        ("index.docker.io:443/nginx", "index.docker.io:443", "nginx"),
        ("localhost/nginx", "localhost", "nginx"),
        ("https://registry-1.docker.io/v2/library/nginx/manifests/1", "docker.io", "library/nginx"),
    ],
)
def test_spellings_of_docker_hub(reference, registry, repository):
    # References are parsed like in github.com/distribution/reference (ParseNormalizedNamed).
    preheated = image_from_reference(reference, {})
    assert (preheated.pulled_registry, preheated.pulled_repository) == (registry, repository)


def test_another_spelling_of_docker_hub_has_no_mirror():
    host = facts(hosts=hosts_toml(header="https://registry-1.docker.io"), registry="docker.io")
    assert codes(predict_hits(host, [image("registry-1.docker.io/library/nginx:1")])) == ["no_mirror_for_registry"]


@pytest.mark.parametrize(
    ("folder", "code", "remedy"),
    [
        ("_default", "base_inferred_by_default", "Add the registry to containerd_mirrors_registries"),
        ("docker.io", "base_inferred", "Add the header X-Dragonfly-Registry"),
    ],
)
def test_a_header_in_default_would_send_every_registry_to_one_place(folder, code, remedy):
    path = f"/etc/containerd/certs.d/{folder}/hosts.toml"
    host = facts("dfdaemon", "1.5.1", hosts={path: hosts_toml("dfdaemon", header=None)})
    prediction = predict_hits(host, [image("redis:7")])
    assert [(reason.code, reason.file) for reason in prediction.reasons] == [(code, path)]
    assert prediction.reasons[0].remedy.startswith(remedy)
    assert prediction.hit == "none"


def test_a_piece_length_that_dfdaemon_rejects():
    headers = hosts_toml("dfdaemon", extra='X-Dragonfly-Piece-Length = "1mib"')
    prediction = predict_hits(facts("dfdaemon", "1.4.2", hosts=headers), [image(piece_length="1048576")])
    assert codes(prediction) == ["piece_length_too_small"]
    assert prediction.hit == "none"


FLAG = {"proxy.registryMirror.enableTaskIDBasedBlobDigest": True}
DIGEST_IDS = [digest.partition(":")[2] for digest in DIGESTS]


@pytest.mark.parametrize(
    ("changes", "requested", "manager", "code"),
    [
        (FLAG, True, "2.5.2", None),
        (FLAG, True, "2.5.1", "blob_digest_ids"),
        (FLAG, True, None, "blob_digest_ids_unknown"),
        (FLAG, None, None, "blob_digest_ids_unknown"),
        (FLAG, None, "2.6.0", "blob_digest_ids_unknown"),
        (FLAG, None, "2.5.1", "blob_digest_ids"),
        (FLAG, False, "2.6.0", "blob_digest_ids"),
        (FLAG, False, None, "blob_digest_ids"),
        ({}, True, "2.6.0", "blob_digest_ids_missing"),
        ({}, True, "2.5.1", None),
        ({}, True, None, "blob_digest_ids_unknown"),
        ({}, False, None, None),
        ({}, None, None, None),
    ],
)
def test_task_ids_that_are_digests(changes, requested, manager, code):
    host = facts("dfdaemon", "1.5.1", changes)
    prediction = predict_hits(host, [image(blob_digest_ids=requested)], SeedPeers(manager_release=manager))
    assert codes(prediction) == ([code] if code else [])
    assert prediction.hit == ("none" if code else "all")
    if code is None and changes:
        assert [blob.preheat_task_id for blob in prediction.blobs] == DIGEST_IDS
    if code == "blob_digest_ids_unknown":
        assert {blob.preheat_task_id for blob in prediction.blobs} == {None}


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"scope": "single_seed_peer", "enable_task_id_based_blob_digest": True}, None),
        ({"scope": "single_seed_peer", "enable_task_id_based_blob_digest": False}, "blob_digest_ids"),
        ({"scope": "single_seed_peer"}, "blob_digest_ids"),
        ({"scope": "single_seed_peer", "enable_task_id_based_blob_digest": "yes"}, "blob_digest_ids_unknown"),
        ({}, "blob_digest_ids_unknown"),
        (None, "blob_digest_ids_unknown"),
    ],
)
def test_a_job_says_whether_its_task_ids_are_digests(args, code):
    url = f"{BASE}/v2/shop/web/manifests/4.2.0"
    job = {"url": url, "name": IMAGE, "args": args, "warm": [f"{BASE}/v2/shop/web/blobs/{DIGESTS[0]}"]}
    prediction = predict_hits(facts("dfdaemon", "1.5.1", FLAG), [image_from_job(job, {})])
    assert codes(prediction) == ([code] if code else [])


@pytest.mark.parametrize(("is_at_least", "expected"), [(True, None), (False, False)])
def test_task_ids_of_a_host_without_a_client_are_unknown_where_the_manager_may_be_newer(is_at_least, expected):
    seeds = SeedPeers(manager_release="2.5.1", manager_is_at_least=is_at_least)
    assert seed_recipe(seeds, None).uses_blob_digests(image(blob_digest_ids=True)) is expected


def test_jobs_say_only_of_which_release_the_manager_is_at_least():
    recorded = json.loads((CHECKOUT / "tests/contract/recordings/2.5.1/image_success.json").read_text())
    seeds = seed_peers_of_jobs([{"args": next(args_in(recorded, "concurrent_task_count"))}], SeedPeers())
    assert seeds.manager_release
    prediction = predict_hits(facts("dfdaemon", "1.5.1", FLAG), [image(blob_digest_ids=None)], seeds)
    assert codes(prediction) == ["blob_digest_ids_unknown"]


@pytest.mark.parametrize(
    "registry, directory", [("10.0.0.1:5000", "10.0.0.1_5000_"), ("[fd00::1]:5000", "[fd00::1]_5000_")]
)
def test_the_rust_client_decodes_the_registry_in_the_query(registry, directory):
    path = f"/etc/containerd/certs.d/{directory}/hosts.toml"
    host = facts("dfdaemon", "1.5.1", hosts={path: hosts_toml("dfdaemon", header=None)}, containerd="2.1.5")
    prediction = predict_hits(host, [image_from_reference(f"{registry}/shop/web:1", {}, digests=DIGESTS)])
    assert (prediction.hit, codes(prediction)) == ("all", [])


# --- the probe


def probed(machine=None, **answer):
    prediction = predict_hits(machine or facts(), [image()])
    probe = probe_for(prediction.pulls[0], {DIGESTS[0]: 900, DIGESTS[1]: 90})
    blank = {"status": 200, "headers": {}, "bytes": 90, "seconds": 0.01, "error": None}
    return prediction, probe, judge_probe(prediction, probe, {**blank, **answer})


def test_the_probe_asks_as_containerd_would():
    _prediction, probe, _machine = probed()
    path = f"/v2/shop/web/blobs/{DIGESTS[1]}?ns=registry.example.com"
    file = "/etc/containerd/certs.d/registry.example.com/hosts.toml"
    assert probe == Probe(
        "http://127.0.0.1:65001", path, {"x-dragonfly-registry": BASE}, file, f"{BASE}/v2/shop/web/blobs/{DIGESTS[1]}"
    )


@pytest.mark.parametrize(
    "client, header, cached", [("dfget", "x-dragonfly-task", None), ("dfdaemon", "x-dragonfly-task-id", False)]
)
def test_a_probe_that_agrees(client, header, cached):
    machine = facts(client, {"dfget": "2.1.67", "dfdaemon": "1.4.2"}[client])
    expected = predict_hits(machine, [image()]).blobs[1].host_task_id
    prediction, _probe, answer = probed(machine, headers={header: expected})
    assert answer["agrees"] is True
    assert answer["from_cache"] is cached
    assert prediction.hit == "all"
    assert not prediction.reasons


def test_a_probe_from_the_cache():
    headers = {"x-dragonfly-task-id": "x", "x-dragonfly-task-download-finished": "true"}
    assert probed(facts("dfdaemon", "1.4.2"), headers=headers)[2]["from_cache"] is True


@pytest.mark.parametrize(
    "answer, code, text",
    [
        ({"headers": {"x-dragonfly-task": "0" * 64}}, "probe_differs", "requested task 000"),
        ({"status": 200}, "probe_no_task", "without a task ID"),
        ({"status": None, "error": "Connection refused"}, "probe_failed", "Connection refused"),
    ],
)
def test_a_probe_that_disproves_it(answer, code, text):
    prediction, _probe, _answer = probed(**answer)
    assert codes(prediction) == [code]
    assert text in prediction.reasons[0].message
    assert prediction.hit == "none"


def test_a_probe_that_was_not_sent_proves_nothing():
    prediction, _probe, answer = probed(unknown=["authorization"])
    assert prediction.hit == "all"
    assert answer is None
    assert any(
        "certs.d/registry.example.com/hosts.toml gives authorization is not" in note for note in prediction.notes
    )


def test_a_probe_that_the_registry_refuses_proves_nothing():
    prediction, _probe, answer = probed(status=401)
    assert prediction.hit == "all"
    assert answer["agrees"] is None
    assert answer["task_id"] is None
    assert any("with 401 and without a task ID, so the probe proves nothing" in note for note in prediction.notes)
