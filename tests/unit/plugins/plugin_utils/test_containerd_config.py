# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import difflib

import pytest
import tomlkit
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_config import (
    judge_config as judge_facts,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._containerd_mirrors import (
    header_problems,
    image_registries,
    mirrors,
    pulls,
)
from hypothesis import given
from hypothesis import strategies as st

CERTS = "/etc/containerd/certs.d"
CRI2 = 'plugins."io.containerd.grpc.v1.cri"'
CRI3 = 'plugins."io.containerd.cri.v1.images"'


def judge_config(text, certs_dir, release=None, dump=None, client="none", allowed=(), imports=(), **more):
    """Check a config.toml alone, like the filter containerd_config."""
    files = [{"path": path, "text": imported, "exists": True} for path, imported in imports]
    facts = {"config": {"path": "config.toml", "text": text}, "imports": files, "version": release, "dump": dump}
    return judge_facts({**facts, **more}, certs_dir, client, allowed)


# Output of "containerd config default" of Debian's 1.6, shortened, with a user's comments.
DEFAULT_1 = """\
disabled_plugins = []
imports = []
version = 2  # keep

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins]

  [plugins."io.containerd.gc.v1.scheduler"]
    pause_threshold = 0.02

  [plugins."io.containerd.grpc.v1.cri"]
    # our own pause image
    sandbox_image = "registry.example.com/pause:3.9"

    [plugins."io.containerd.grpc.v1.cri".containerd]
      snapshotter = "overlayfs"

    [plugins."io.containerd.grpc.v1.cri".registry]
      config_path = ""

      [plugins."io.containerd.grpc.v1.cri".registry.auths]

      [plugins."io.containerd.grpc.v1.cri".registry.mirrors]

[timeouts]
  "io.containerd.timeout.shim.load" = "5s"
"""
NO_REGISTRY = """\
version = 2

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.example.com/pause:3.9"
"""
DEFAULT_3 = """\
version = 3
root = '/var/lib/containerd'

[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'

  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = ''
"""


def config_path(text: str, plugin: str) -> str:
    return tomlkit.parse(text)["plugins"][plugin]["registry"]["config_path"]


@pytest.mark.parametrize(
    "text, release, plugin",
    [
        ("", "1.6.20", "io.containerd.grpc.v1.cri"),
        ("# nothing yet\n", "1.7.24", "io.containerd.grpc.v1.cri"),
        ("", None, "io.containerd.grpc.v1.cri"),
        ("", "2.0.0", "io.containerd.cri.v1.images"),
        ("", "2.1.4", "io.containerd.cri.v1.images"),
        (DEFAULT_1, "1.6.20", "io.containerd.grpc.v1.cri"),
        (NO_REGISTRY, "1.7.24", "io.containerd.grpc.v1.cri"),
        # containerd 2 migrates a file of version 2 while it reads it.
        (NO_REGISTRY, "2.1.4", "io.containerd.grpc.v1.cri"),
        (DEFAULT_3, "2.1.4", "io.containerd.cri.v1.images"),
        ("version = 3\n", "2.0.5", "io.containerd.cri.v1.images"),
        ("version = 2\nplugins = { }\n", "1.7.24", "io.containerd.grpc.v1.cri"),
    ],
)
def test_config_path_is_set_once(text, release, plugin):
    verdict = judge_config(text, CERTS, release)
    assert (verdict.needed, verdict.problems) == (True, [])
    assert config_path(verdict.text, plugin) == CERTS
    second = judge_config(verdict.text, CERTS, release)
    assert (second.needed, second.text, second.problems) == (False, verdict.text, [])


@pytest.mark.parametrize("text", [DEFAULT_1, DEFAULT_3])
def test_one_line_changes_and_no_other(text):
    lines = list(
        difflib.unified_diff(text.splitlines(), judge_config(text, CERTS).text.splitlines(), n=0, lineterm="")
    )[3:]
    assert [line[0] for line in lines] == ["-", "+"]
    assert ["config_path" in line for line in lines] == [True, True]


def test_a_new_table_is_put_behind_what_is_there():
    text = judge_config(NO_REGISTRY, CERTS).text
    assert text.startswith(NO_REGISTRY)
    assert f"[{CRI2}.registry]" in text


TOML = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31) | st.text("abc \"'\\#[]=", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("ab.-", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["root", "grpc", "debug", "timeouts"]), TOML), st.sampled_from([2, 3]))
def test_everything_else_stays_as_it_was(others, version):
    before = {"version": version, **others, "plugins": {"io.containerd.gc.v1.scheduler": {"pause_threshold": 1}}}
    text = "# first line\n" + tomlkit.dumps(before)
    after = tomlkit.parse(judge_config(text, CERTS, "1.7.24" if version == 2 else "2.1.4").text).unwrap()
    plugin = "io.containerd.grpc.v1.cri" if version == 2 else "io.containerd.cri.v1.images"
    assert after["plugins"].pop(plugin) == {"registry": {"config_path": CERTS}}
    assert after == before


@pytest.mark.parametrize(
    "text, release, certs_dir",
    [
        # From 2.2 on, there are several default directories, which only pulls without the transfer service split.
        (f"version = 3\n[{CRI3}]\nuse_local_image_pull = true\n", "2.2.0", CERTS),
        (f"version = 3\n[{CRI3}]\nmax_concurrent_downloads = 5\n", "2.3.4", "/etc/docker/certs.d"),
        (f"version = 2\n[{CRI2}.containerd]\ndisable_snapshot_annotations = false\n", "2.2.0", CERTS),
        # Of the old settings, only mirrors disable the default, and these pulls split it.
        (f"version = 3\n[{CRI3}.registry.configs.'a'.auth]\nusername = 'a'\n", "2.2.0", CERTS),
        (f"version = 3\n[{CRI3}.registry.auths.'https://a']\nusername = 'a'\n", "2.3.4", CERTS),
        (f"version = 2\n[{CRI2}.registry]\nconfig_path = '{CERTS}'\n", "1.7.24", CERTS),
        # Dotted and inline keys.
        (f"version = 2\n[{CRI2}]\nregistry.config_path = '{CERTS}'\n", "1.7.24", CERTS),
        (f"version = 2\n[{CRI2}]\nregistry = {{ config_path = '{CERTS}' }}\n", None, CERTS),
        (f"version = 3\n[{CRI3}.registry]\nconfig_path = '{CERTS}'\n", "2.3.4", CERTS),
        (f"version = 3\n[{CRI3}.registry]\nconfig_path = '/etc/other:{CERTS}'\n", "2.0.5", CERTS),
        (
            f"version = 3\n[{CRI3}.registry]\nconfig_path = '/a:{CERTS}'\n[{CRI3}.registry.configs.a.auth]\n",
            "2.1.0",
            CERTS,
        ),
    ],
)
def test_nothing_is_needed(text, release, certs_dir):
    assert judge_config(text, certs_dir, release) == (text, False, [])


@pytest.mark.parametrize(
    "text, release",
    [
        ("", "2.1.4"),
        # A directory that is not a default.
        (f"version = 3\n[{CRI3}]\nsnapshotter = 'overlayfs'\n", "2.1.4"),
        # Pulls through the transfer service do not split the default, or any other list.
        ("", "2.2.0"),
        (DEFAULT_3, "2.3.4"),
        (f"version = 3\n[{CRI3}.registry]\nconfig_path = '/etc/other:{CERTS}'\n", "2.1.0"),
    ],
)
def test_something_is_needed(text, release):
    verdict = judge_config(text, CERTS, release)
    assert verdict.needed
    assert config_path(verdict.text, "io.containerd.cri.v1.images") == CERTS


@pytest.mark.parametrize("release", ["2.2.0", "2.3.4"])
@pytest.mark.parametrize("local", ["true", "false"])
def test_another_folder_than_the_default_is_needed(release, local):
    default = "/etc/containerd/certs.d:/etc/docker/certs.d"
    dump = f"version = 3\n[{CRI3}]\nuse_local_image_pull = {local}\n[{CRI3}.registry]\nconfig_path = '{default}'\n"
    assert judge_config("", "/srv/certs.d", release, dump=dump).needed
    assert judge_config("", "/srv/certs.d", release).needed


def codes(*args, **kwargs):
    verdict = judge_config(*args, **kwargs)
    assert (verdict.needed, verdict.text) == (False, args[0])
    return [problem.code for problem in verdict.problems]


def test_plugins_that_pull_nothing_may_be_disabled():
    assert judge_config('version = 2\ndisabled_plugins = ["io.containerd.snapshotter.v1.zfs"]\n', CERTS).problems == []


@pytest.mark.parametrize(
    "text, expected_codes",
    [
        ("version = 2\n[", ["toml_invalid"]),
        ('version = 2\ndisabled_plugins = ["zfs"]\n', ["toml_invalid"]),
        ('disabled_plugins = ["zfs"]\n', ["config_version_1"]),
        ("root = '/var/lib/containerd'\n", ["config_version_1"]),
        ("version = 1\n", ["config_version_1"]),
        # Content of the package containerd.io.
        ('disabled_plugins = ["cri"]\n', ["cri_disabled", "config_version_1"]),
        ('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n', ["cri_disabled"]),
        (f'version = 2\n[{CRI2}.registry.mirrors."docker.io"]\nendpoint = ["http://a"]\n', ["mirrors_in_use"]),
        (f'version = 3\n[{CRI3}.registry.mirrors."docker.io"]\nendpoint = ["http://a"]\n', ["mirrors_in_use"]),
        (f'version = 2\n[{CRI2}.registry.configs."a".tls]\nca_file = "/a"\n', ["tls_in_use"]),
        (f'version = 2\n[{CRI2}.registry]\nconfig_path = "/etc/mirrors"\n', ["other_config_path"]),
        (
            f'version = 2\n[{CRI2}.registry]\nconfig_path = "/etc/containerd/certs.d.old:/etc/docker/certs.d"\n',
            ["other_config_path"],
        ),
    ],
)
def test_what_is_refused(text, expected_codes):
    assert codes(text, CERTS) == expected_codes


@pytest.mark.parametrize("release, expected_codes", [(None, ["tls_in_use"]), ("1.7.24", ["tls_in_use"]), ("2.0.0", [])])
def test_certificates_may_stand_beside_config_path_from_2_0_on(release, expected_codes):
    text = f'version = 2\n[{CRI2}.registry.configs."a".tls]\nca_file = "/a"\n'
    assert [problem.code for problem in judge_config(text, CERTS, release).problems] == expected_codes


def test_credentials_may_stand_beside_config_path():
    text = f'version = 2\n[{CRI2}.registry.configs."a".auth]\nusername = "a"\n'
    assert judge_config(text, CERTS, "1.7.24").problems == []


@pytest.mark.parametrize(
    "text, code",
    [
        (f"version = 3\n[{CRI3}]\nsnapshotter = 'stargz'\n", "lazy_snapshotter"),
        (f"version = 2\n[{CRI2}.containerd]\nsnapshotter = 'nydus'\n", "lazy_snapshotter"),
        (
            "version = 3\n[plugins.'io.containerd.transfer.v1.local']\nconcurrent_layer_fetch_buffer = 512\n",
            "parallel_fetch",
        ),
        (f"version = 3\n[{CRI3}]\nconcurrent_layer_fetch_buffer = 8388608\n", "parallel_fetch"),
    ],
)
def test_the_go_client_misses_parts_of_blobs(text, code):
    assert codes(text, CERTS, client="dfget") == [code]
    assert judge_config(text, CERTS, client="none").problems == []
    assert judge_config(text, CERTS, client="dfget", allowed=[code]).problems == []


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("concurrent_layer_fetch_buffer = 512", ["parallel_fetch"]),
        ("concurrent_layer_fetch_buffer = 4194304", ["parallel_fetch"]),
        ("concurrent_layer_fetch_buffer = 4194305", []),
        ("concurrent_layer_fetch_buffer = 511", []),
        ("snapshotter = 'soci'", ["lazy_snapshotter"]),
        ("snapshotter = 'overlayfs'", []),
    ],
)
def test_the_rust_client_leaves_small_parts_to_the_registry(setting, expected):
    verdict = judge_config(f"version = 3\n[{CRI3}]\n{setting}\n", CERTS, client="dfdaemon")
    assert [problem.code for problem in verdict.problems] == expected
    assert not any("Rust client." in problem.remedy for problem in verdict.problems)


def test_a_small_buffer_means_no_parallel_fetch():
    text = "version = 3\n[plugins.'io.containerd.transfer.v1.local']\nconcurrent_layer_fetch_buffer = 511\n"
    assert judge_config(text, CERTS, client="dfget").problems == []


def test_the_dump_knows_the_imported_files():
    text = 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n'
    imported = text + f'[{CRI2}.registry]\nconfig_path = "{CERTS}"\n'
    assert judge_config(text, CERTS, "1.7.24").needed
    assert judge_config(text, CERTS, "1.7.24", dump=imported) == (text, False, [])
    mirrored = text + f'[{CRI2}.registry.mirrors."docker.io"]\nendpoint = ["http://a"]\n'
    assert codes(text, CERTS, "1.7.24", dump=mirrored) == ["mirrors_in_use"]


def test_the_dump_may_have_another_version_than_the_file():
    dump = f"version = 3\n[{CRI3}.registry]\nconfig_path = ''\n"
    verdict = judge_config(NO_REGISTRY, CERTS, "2.1.4", dump=dump)
    assert config_path(verdict.text, "io.containerd.grpc.v1.cri") == CERTS


# --- mirrors


def test_a_mirror_without_a_prefix():
    (mirror,) = mirrors({"docker.io": "https://index.docker.io/"})
    assert mirror == ("docker.io", "https://index.docker.io", "https://index.docker.io", "https://index.docker.io", "")


def test_a_mirror_with_a_prefix():
    (mirror,) = mirrors(
        {"docker.io": {"url": "https://harbor.example.com/hub/proxy", "username": "a", "password": "b"}}
    )
    assert mirror == (
        "docker.io",
        "https://harbor.example.com/hub/proxy",
        "https://harbor.example.com/v2/hub/proxy",
        "https://harbor.example.com",
        "hub/proxy",
    )


@pytest.mark.parametrize(
    "registry, entry, url",
    [
        ("docker.io", {}, "https://index.docker.io"),
        ("ghcr.io", {"username": "a", "password": "b"}, "https://ghcr.io"),
        ("registry:5000", "http://registry:5000", "http://registry:5000"),
        ("[::1]:5000", "http://[::1]:5000", "http://[::1]:5000"),
        ("10.77.0.1:5000", "http://10.77.0.1:5000", "http://10.77.0.1:5000"),
    ],
)
def test_base_urls(registry, entry, url):
    assert [mirror.url for mirror in mirrors({registry: entry})] == [url]


@pytest.mark.parametrize(
    "registries, expected_text",
    [
        ({"https://docker.io": "https://index.docker.io"}, "is not a valid registry"),
        ({"../../etc": "https://a"}, "is not a valid registry"),
        ({"docker.io/library": "https://a"}, "is not a valid registry"),
        ({"_default": "https://a"}, "is not a valid registry"),
        ({"docker.io": "index.docker.io"}, "docker.io"),
        ({"docker.io": "https://docker.io"}, "Use https://index.docker.io"),
        ({"docker.io": None}, "must be a URL, or a mapping"),
        ({"docker.io": {"url": 5}}, "must be a URL, or a mapping"),
        ({"docker.io": {"uri": "https://a"}}, "must be a URL, or a mapping"),
        ({"docker.io": {"user": "a"}}, "Unknown: user. Did you mean username?"),
        ({"docker.io": "https://user:pass@a"}, "credentials"),
    ],
)
def test_what_is_no_mirror(registries, expected_text):
    with pytest.raises(InputError, match=expected_text):
        mirrors(registries)


def test_registries_of_images():
    images = ["redis:7", "quay.io/a/b@sha256:" + "0" * 64, "http://registry:5000/team/app:1", "registry:5000/other:2"]
    assert image_registries(images[:3]) == {
        "docker.io": "https://index.docker.io",
        "quay.io": "https://quay.io",
        "registry:5000": "http://registry:5000",
    }


def test_the_mirrors_of_images_are_those_that_are_preheated():
    images = ["redis:7", "http://registry:5000/team/app:1", "https://r.example.com/v2/team/app/manifests/2"]
    registries = image_registries(images)
    assert len(registries) == 3
    for registry, url in registries.items():
        assert mirrors({registry: url})[0].url == url


def test_pulls():
    digest = "sha256:" + "0" * 64
    registries = {
        "docker.io": {"url": "https://harbor.example.com/hub", "username": "own", "password": "key"},
        "internal": "https://internal.example.com",
        "registry:5000": "http://registry:5000",
    }
    images = ["redis", f"redis@{digest}", "internal/team/app:1", "http://registry:5000/app:2", "registry:5000/app:3"]
    expected_codes = pulls(images, registries, "user", "word")
    assert [(pull.image, pull.registry, pull.reference, pull.login) for pull in expected_codes] == [
        ("redis", "docker.io", "docker.io/library/redis:latest", "own:key"),
        (f"redis@{digest}", "docker.io", f"docker.io/library/redis@{digest}", "own:key"),
        ("internal/team/app:1", "internal", "internal/team/app:1", "user:word"),
        ("http://registry:5000/app:2", "registry:5000", "registry:5000/app:2", "user:word"),
        ("registry:5000/app:3", "registry:5000", "registry:5000/app:3", "user:word"),
    ]
    assert [pull.login for pull in pulls(["ghcr.io/a/b"], {})] == [""]


# --- headers


@pytest.mark.parametrize(
    "headers, client, preheat, expected_codes",
    [
        ({}, "dfget", {}, []),
        ({}, "dfdaemon", {}, []),
        # The Go client has a tag of its own; its role compares it.
        ({}, "dfget", {"tag": "shop"}, []),
        ({}, "dfdaemon", {"tag": "shop"}, ["tag_mismatch"]),
        ({}, "none", {"tag": "shop"}, []),
        ({"X-Dragonfly-Tag": "shop"}, "dfdaemon", {"tag": "shop"}, []),
        ({"x-dragonfly-tag": "shop"}, "dfget", {"tag": "shop"}, []),
        ({"X-Dragonfly-Tag": "shop"}, "dfget", {}, ["tag_mismatch"]),
        ({"X-Dragonfly-Application": "a"}, "dfdaemon", {"application": "b"}, ["tag_mismatch"]),
        ({"X-Dragonfly-Piece-Length": 4194304}, "dfdaemon", {"piece_length": 4194304}, []),
        ({}, "dfdaemon", {"piece_length": 4194304}, ["tag_mismatch"]),
        # The task IDs of the Go client do not depend on it.
        ({"X-Dragonfly-Piece-Length": "4194304"}, "dfget", {}, []),
        ({"X-Dragonfly-Filter": "Expires&ns"}, "dfget", {}, []),
        ({"X-Dragonfly-Filter": "Expires"}, "dfget", {}, ["filter_without_ns"]),
        ({"X-Dragonfly-Filtered-Query-Params": "Expires,ns"}, "dfdaemon", {}, []),
        ({"X-Dragonfly-Filtered-Query-Params": "Expires&ns"}, "dfdaemon", {}, ["filter_without_ns"]),
        ({"X-Dragonfly-Registry": "https://a"}, "dfdaemon", {}, ["registry_header"]),
        ({"X-Dragonfly-Enable-Task-ID-Based-Blob-Digest": "true"}, "dfdaemon", {}, ["blob_digest_ids"]),
        ({"X-Dragonfly-Enable-Task-ID-Based-Blob-Digest": "false"}, "dfdaemon", {}, []),
        ({"X-Other": "a"}, "dfdaemon", {}, []),
        # Values as each client reads them.
        ({"X-Dragonfly-Filtered-Query-Params": "Signature, ns"}, "dfdaemon", {}, []),
        ({"X-Dragonfly-Filtered-Query-Params": ""}, "dfdaemon", {}, ["filter_without_ns"]),
        ({"X-Dragonfly-Filtered-Query-Params": "Expires"}, "dfget", {}, []),
        ({"X-Dragonfly-Filtered-Query-Params": "Expires"}, "none", {}, ["filter_without_ns"]),
        ({"X-Dragonfly-Filter": "Expires"}, "dfdaemon", {}, []),
        ({"X-Dragonfly-Filter": "Expires& ns"}, "dfget", {}, ["filter_without_ns"]),
        ({"X-Dragonfly-Filter": ""}, "dfget", {}, []),
        ({"X-Dragonfly-Piece-Length": "4mib"}, "dfdaemon", {"piece_length": 4194304}, []),
        ({"X-Dragonfly-Piece-Length": "many"}, "dfdaemon", {}, []),
        ({"X-Dragonfly-Piece-Length": "1mib"}, "dfdaemon", {"piece_length": 1048576}, ["piece_length_too_small"]),
        ({"X-Dragonfly-Content-For-Calculating-Task-ID": "x"}, "dfdaemon", {}, ["content_id"]),
        ({"x-dragonfly-content-for-calculating-task-id": ""}, "none", {}, ["content_id"]),
        ({"X-Dragonfly-Content-For-Calculating-Task-ID": "x"}, "dfget", {}, []),
        ({"X-Dragonfly-Enable-Task-ID-Based-Blob-Digest": "true"}, "dfdaemon", {"blob_digest_ids": True}, []),
        (
            {"X-Dragonfly-Enable-Task-ID-Based-Blob-Digest": "0"},
            "dfdaemon",
            {"blob_digest_ids": True},
            ["blob_digest_ids_missing"],
        ),
        ({"X-Dragonfly-Enable-Task-ID-Based-Blob-Digest": "True"}, "dfdaemon", {}, ["blob_digest_ids"]),
        ({"X-Dragonfly-Enable-Task-ID-Based-Blob-Digest": "true"}, "dfget", {}, []),
    ],
)
def test_headers(headers, client, preheat, expected_codes):
    assert [problem.code for problem in header_problems(headers, client, **preheat)] == expected_codes
