# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task IDs: the vectors of upstream's own tests, IDs of real clusters, and properties of any URL."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._default_filter import (
    DEFAULT_FILTERED_QUERY_PARAMS,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._query_filters import filter_go, filter_rust
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._release import parse_release
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import (
    RECIPES,
    blob_digest_id,
    content_id,
    recipe_for,
)
from hypothesis import given
from hypothesis import strategies as st

E = "https://example.com"
Q = "https://example.com?foo=foo&bar=bar"
DG = "sha256:c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4"
ALL = ["foo", "bar"]

# Language and recipe, URL, filter, other inputs, id.
# dragonflyoss/dragonfly pkg/idgen/task_id_test.go v2.0.9 to v2.5.1,
# dragonflyoss/client id_generator/mod.rs v0.1.114 to v1.5.1.
UPSTREAM = [
    ("go V1", E, [], {}, "100680ad546ce6a577f42f52df33b4cfdca756859e664b8d7de329b150d09ce9"),
    (
        "go V1",
        E,
        [],
        {"byte_range": "foo", "digest": "bar"},
        "aeee0e0a2a0c75130582641353c539aaf9011a0088b31347f7588e70e449a3e0",
    ),
    ("go V1", E, [], {"digest": "bar"}, "63dee2822037636b0109876b58e95692233840753a882afa69b9b5ee82a6c57d"),
    ("go V1", E, [], {"tag": "foo"}, "2773851c628744fb7933003195db436ce397c1722920696c4274ff804d86920b"),
    ("go V1", Q, ALL, {"tag": "foo"}, "2773851c628744fb7933003195db436ce397c1722920696c4274ff804d86920b"),
    (
        "go V2a",
        E,
        [],
        {"digest": DG, "tag": "foo", "application": "bar", "piece_length": 1},
        "6acf73532a2e7b8c30dfc7abce2fd7d2a2cd3746f16b0d54d3e2f136ffa61c90",
    ),
    ("go V2a", E, [], {"digest": DG}, "b08a435da662ad5ae8ab8359a9c4ebd5027cf14d04b71ccc85f1e197e898adbd"),
    ("go V2a", Q, ALL, {}, "4a89bbe790108d4987e7dc5127df2b99aea1c17828f1ff3e55176f49ac974b28"),
    (
        "go V2b",
        E,
        [],
        {"digest": DG, "tag": "foo", "application": "bar"},
        "c8659b8372599cf22c7a2de260dd6e148fca6d4e1c2940703022867f739d071d",
    ),
]
UPSTREAM += [
    (language + " " + name, url, names, values, task_id)
    for language in ("go", "rust")
    for name, url, names, values, task_id in [
        (
            "V2c",
            E,
            [],
            {"tag": "foo", "application": "bar"},
            "160fa7f001d9d2e893130894fbb60a5fb006e1d61bff82955f2946582bc9de1d",
        ),
        ("V2c", Q, ALL, {}, "100680ad546ce6a577f42f52df33b4cfdca756859e664b8d7de329b150d09ce9"),
        (
            "V2d",
            E,
            [],
            {"tag": "foo", "application": "bar", "piece_length": 1024},
            "99a47b38e9d3321aebebd715bea0483c1400cef2f767f84d97458f9dcedff221",
        ),
        ("V2d", E, [], {"piece_length": 1024}, "40c21de3ad2f1470ca1a19a2ad2577803a1829851f6cf862ffa2d4577ae51d38"),
        (
            "V2e",
            E,
            [],
            {"tag": "foo", "application": "bar", "piece_length": 1024},
            "27554d06dfc788c2c2c60e01960152ffbd4b145fc103fcb80b432b4dc238a6fe",
        ),
        (
            "V2e",
            E,
            [],
            {"tag": "foo", "application": "bar"},
            "06408fbf247ddaca478f8cb9565fe5591c28efd0994b8fea80a6a87d3203c5ca",
        ),
        ("V2e", E, [], {"tag": "foo"}, "3c3f230ef9f191dd2821510346a7bc138e4894bee9aee184ba250a3040701d2a"),
        ("V2e", E, [], {"application": "bar"}, "c9f9261b7305c24371244f9f149f5d4589ed601348fdf22d7f6f4b10658fdba2"),
        ("V2e", E, [], {"piece_length": 1024}, "9f7c9aafbc6f30f8f41a96ca77eeae80c5b60964b3034b0ee43ccf7b2f9e52b8"),
        ("V2e", Q, ALL, {}, "457b4328cde278e422c9e243f7bfd1e97f511fec43a80f535cf6b0ef6b086776"),
        (
            "V2f",
            E,
            [],
            {"tag": "foo", "application": "bar", "piece_length": 1024, "revision": "v1.0"},
            "5844f27a257287e9b734256bb25603d8005422ced8c0377f15063ec11963b25f",
        ),
        ("V2f", E, [], {"revision": "v1.0"}, "b171331534b80e0bf91da38ebbfcdbf4d177898f4b9beac44f14733e3f004d4e"),
    ]
]

# Of upstream's end-to-end tests, which compare them with what real clusters stored.
HUB = "https://index.docker.io/v2/dragonflyoss/%s/blobs/sha256:%s"
A711 = "a711f05d33845e2e9deffcfcc5adf082d7c6e97e3e3a881d193d9aae38f092a8"
F643 = "f643e116a03d9604c344edb345d7592c48cc00f2a4848aaf773411f4fb30d2f5"
CA51 = "ca51217de9012bffe54390f1a91365af22a06279a3f2b3e57d4d2dc99b989588"
IMAGES = [
    ("go V1", HUB % ("busybox", A711), "b6922209dc9616f8736a860e93c3cd7288a4e801517f88eec3df514606d18cdf"),
    ("go V2c", HUB % ("busybox", A711), "b6922209dc9616f8736a860e93c3cd7288a4e801517f88eec3df514606d18cdf"),
    ("go V1", HUB % ("busybox", F643), "c0dfae864ae65c285676063eb148d0a0064d5c6c39367fee0bcc1f3700c39c31"),
    (
        "rust V2c",
        HUB % ("scheduler", "f1f1039835051ecc04909f939530e86a20f02d2ce5ad7a81c0fa3616f7303944"),
        "c8ca6a17354d3a79397eef26803e5af84d00a3fd64b0f823922086a31ebdee18",
    ),
    (
        "rust V2c",
        HUB % ("manager", CA51) + "?ns=docker.io",
        "dda3df5ddf512a650e3bd465647f93a52f7f636012ca12bd7ab33906245076e7",
    ),
    (
        "rust V2d",
        f"https://ghcr.io/v2/dragonflyoss/manager/blobs/sha256:{CA51}?ns=ghcr.io",
        "f6da796ed137cd53c9759b634aa80e2b93b5c66f7dc23db016d739d63496a430",
    ),
    (
        "rust V2e",
        f"https://ghcr.io/v2/dragonflyoss/manager/blobs/sha256:{CA51}?ns=ghcr.io",
        "1f047bc5cd298700f1190641992556c3958ad3bf389105dedd537e7913b3f8dc",
    ),
    (
        "rust V2f",
        "https://ghcr.io/v2/dragonflyoss/busybox/blobs/sha256:" + A711,
        "a5040eb77de7f771cb3ce3ecb2ebb61af124d3341e0b5c6854b7e220eb0dc680",
    ),
    (
        "rust V2f",
        "https://ghcr.io/v2/dragonflyoss/busybox/blobs/sha256:" + F643,
        "f9f24ea0c08c3637d2d5770fbf80a201f69482226de7cf4490bb1c540ac51b37",
    ),
    (
        "rust V2e",
        "https://ghcr.io/v2/dragonflyoss/dragonfly/manager/blobs/sha256:"
        "662513304ab057e389327f7aa180e2731a19d7e6e816e26bea219909923a24e0?ns=ghcr.io",
        "1e280c1c7902615133dd7b1b201e0eff56b34928fbcc5e6eb89373af59e39bc6",
    ),
]


def recipe(name):
    language, short = name.split()
    return RECIPES[language][short]


@pytest.mark.parametrize("name, url, names, values, task_id", UPSTREAM)
def test_vectors_of_upstream(name, url, names, values, task_id):
    assert recipe(name).task_id(url, names, **values) == task_id


@pytest.mark.parametrize("name, url, task_id", IMAGES)
def test_ids_of_images_in_upstreams_tests(name, url, task_id):
    assert recipe(name).task_id(url, list(DEFAULT_FILTERED_QUERY_PARAMS)) == task_id


B = HUB % ("busybox", A711)


@pytest.mark.parametrize(
    "url, names, values, v1, v2",
    [
        (
            B,
            [],
            {},
            "b6922209dc9616f8736a860e93c3cd7288a4e801517f88eec3df514606d18cdf",
            "901b46d60d7434b4ead299a2f00f775e0030d8e345957cb4664f30ae5974ab98",
        ),
        (
            B + "?ns=docker.io",
            ["Expires", "Signature", "ns"],
            {},
            "b6922209dc9616f8736a860e93c3cd7288a4e801517f88eec3df514606d18cdf",
            "901b46d60d7434b4ead299a2f00f775e0030d8e345957cb4664f30ae5974ab98",
        ),
        (
            B + "?ns=docker.io",
            [],
            {},
            "5091ec62c62e25452f8b3825756b88209c3febe3ba522c242c9ec693a5afb97c",
            "2e22cfc780fe9dd3da496cd235b57b0a8e6c488969a14123da0a67dcd90436e3",
        ),
        (
            B,
            [],
            {"tag": "mytag"},
            "48a2eb0ced6b4b837a9c0cdb9a48260aa3ea0bcfddefc7738ab1ba59b739ea0f",
            "c04c24338b69810243ca19f686e3be330b5a07cf828f3ef5dd2dfa31fe61ce87",
        ),
        (
            B,
            [],
            {"byte_range": "0-1048575"},
            "adc14afefca890ffb55bc9a9c32ebfc31a129ad05abca732f1d474b8aa8eb4f7",
            "901b46d60d7434b4ead299a2f00f775e0030d8e345957cb4664f30ae5974ab98",
        ),
        (
            B,
            [],
            {"piece_length": 4194304},
            "b6922209dc9616f8736a860e93c3cd7288a4e801517f88eec3df514606d18cdf",
            "4ed791952353e26bc24981a2d8f8466e50b790e2afc840a8176951ccbcfb7f61",
        ),
        (
            B.replace("index", "registry-1"),
            [],
            {},
            "aed085d0304c1fca7a344986bd3258bd374cbe84c8fc58e1e2397893731d5afb",
            None,
        ),
        (B.replace("index.", ""), [], {}, None, "a60ab36e00a142484b21e5ade0f7d2fc4aeb0e4f501c28254bc83c63e58d2457"),
    ],
)
def test_what_changes_the_id_of_a_blob(url, names, values, v1, v2):
    assert v1 in (None, recipe("go V1").task_id(url, names, **values))
    for name in ("rust V2e", "rust V2f", "go V2e", "go V2f"):
        assert v2 in (None, recipe(name).task_id(url, names, **values))


HITS = os.path.join(os.path.dirname(__file__), *[os.pardir] * 3, "contract", "recordings", "hits.json")


def measured():
    with open(HITS, encoding="utf-8") as handle:
        document = json.load(handle)
    return [
        ({"V1": "go V1", "V2f": "rust V2f"}[cluster["recipe"]], document["pull_query"], blob)
        for cluster in document["clusters"]
        if cluster["recipe"]
        for blob in cluster["blobs"]
    ]


@pytest.mark.skipif(not os.path.exists(HITS), reason="ansible-test runs this without the other tests")
def test_ids_of_real_clusters():
    assert measured()
    for name, query, blob in measured():
        pulled = blob["url"] + "?" + query
        assert recipe(name).task_id(blob["url"]) == blob["preheat_task_id"]
        assert recipe(name).task_id(pulled) == blob["task_id_with_ns_kept"]
        assert recipe(name).task_id(pulled, ["Expires", "Signature", "ns"]) == blob["preheat_task_id"]


@pytest.mark.parametrize(
    "client, release, name",
    [
        ("dfget", "2.0.9", "V1"),
        ("dfget", "2.3.4", "V1"),
        ("dfget", None, "V1"),
        ("dfdaemon", "0.1.113", None),
        ("dfdaemon", "0.1.114", "V2c"),
        ("dfdaemon", "0.2.12", "V2c"),
        ("dfdaemon", "0.2.13", "V2d"),
        ("dfdaemon", "0.2.27", "V2d"),
        ("dfdaemon", "0.2.28", "V2e"),
        ("dfdaemon", "1.2.11", "V2e"),
        ("dfdaemon", "1.2.12", "V2f_early"),
        ("dfdaemon", "1.2.15", "V2f"),
        ("dfdaemon", "1.5.1", "V2f"),
        ("dfdaemon", None, "V2f"),
        ("scheduler", "2.1.54", "V2a"),
        ("scheduler", "2.1.55", "V2b"),
        ("scheduler", "2.1.62", "V2c"),
        ("scheduler", "2.2.1", "V2d"),
        ("scheduler", "2.2.3", "V2e"),
        ("scheduler", "2.4.2", "V2e"),
        ("scheduler", "2.4.3", "V2f"),
        ("scheduler", "2.5.1", "V2f"),
    ],
)
def test_the_recipe_of_a_release(client, release, name):
    recipe = recipe_for(client, parse_release(release))
    assert (recipe and recipe.name) == name


def test_the_recipe_of_no_client():
    with pytest.raises(ValueError, match="'dfcache' is not a valid client: use one of dfdaemon, dfget, scheduler"):
        recipe_for("dfcache")


# Filtered URLs


@pytest.mark.parametrize(
    "url, names, left",
    [
        ("http://www.xx.yy/path?u=f&x=y&m=z&x=s#size", ["x", "m"], "http://www.xx.yy/path?u=f#size"),
        ("http://h/p?b=2&a=1", [], "http://h/p?b=2&a=1"),
        ("http://h/p?b=2&a=1", ["x"], "http://h/p?a=1&b=2"),
        ("http://h/p?ns=x", ["NS", " ns"], "http://h/p?ns=x"),
        ("http://h/p?", ["ns"], "http://h/p?"),
        ("http://h/p?a=*~%20", ["ns"], "http://h/p?a=%2A~+"),
        ("HTTP://H:443/p?ns=1", ["ns"], "http://H:443/p"),
        (":error_url", ["ns"], ""),
        ("http://h/%zz", ["ns"], ""),
    ],
)
def test_what_go_leaves_of_a_url(url, names, left):
    assert filter_go(url, names) == left


@pytest.mark.parametrize(
    "url, names, left",
    [
        ("http://h/p?b=2&a=1&ns=x", ["ns"], "http://h/p?b=2&a=1"),
        ("http://h/p?", [], "http://h/p"),
        ("https://H:443/p", [], "https://h/p"),
        ("https://h/", [], "https://h"),
        ("http://h/p?a=*~%20", [], "http://h/p?a=*%7E+"),
        ("HTTP://Registry.Example.com:80/A%2Fb c?", [], "http://registry.example.com/A%2Fb%20c"),
        ("https://[FD00:0::1]:0443/p", [], "https://[fd00::1]/p"),
        ("s3://Bucket/key", [], "s3://Bucket/key"),
        ("http://me:secret@10.0.0.1:5000/p", [], "http://me:secret@10.0.0.1:5000/p"),
        ("https://h/\u00e9", [], "https://h/%C3%A9"),
    ],
)
def test_what_rust_leaves_of_a_url(url, names, left):
    assert filter_rust(url, names) == left


@pytest.mark.parametrize(
    "url",
    [
        "no url",
        "http://",
        "http://h:99999/",
        "/v2/a",
        # Certain only with the whole URL standard.
        "http://h/a/../b",
        "http://h/%2E./b",
        "http://0x7f.1/",
        "http://127.1/",
        "http://b\u00fccher.example/",
        "http://h%41/",
        "http:\\\\h\\p",
        "http://h/\tp",
        " http://h/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:a00:1]/",
    ],
)
def test_what_is_rejected_or_not_certain(url):
    with pytest.raises(ValueError):
        filter_rust(url, [])


@pytest.mark.parametrize(
    "url, task_id",
    [
        ("https://registry.example.com/v2/myorg/myrepo/blobs/sha256:" + "1234567890abcdef" * 4, "1234567890abcdef" * 4),
        (f"https://h/v2/ubuntu/blobs/sha256:{A711}?ns=docker.io", A711),
        ("https://h/v2/ubuntu/manifests/sha256:" + A711, None),
        ("https://h/v2/ubuntu/blobs/sha256:abc", None),
    ],
)
def test_ids_of_blob_digests(url, task_id):
    assert blob_digest_id(url) == task_id


def test_the_id_of_a_content():
    assert content_id("This is a test file") == "e2d0fe1585a63ec6009c8016ff8dda8b17719a637405a4e23c0ff81339148249"


# Properties of any URL

NAMES = st.text("abcXYZ019-_~*", min_size=1, max_size=6)
VALUES = st.text("abcXYZ 019&=+%#?/~*\u00e9", max_size=6)
QUERIES = st.dictionaries(NAMES, VALUES, max_size=5)
ANY = st.sampled_from(sorted([f"{language} {name}" for language in RECIPES for name in RECIPES[language]]))


def url_of(pairs):
    from urllib.parse import urlencode

    return "https://h.example/v2/a/blobs/x" + ("?" + urlencode(pairs) if pairs else "")


@given(name=ANY, query=QUERIES)
def test_a_query_that_is_filtered_out_leaves_the_bare_url(name, query):
    expected = recipe(name).task_id(url_of({}))
    assert recipe(name).task_id(url_of(query), list(query) + ["ns"]) == expected


@given(query=QUERIES, draws=st.data())
def test_the_order_of_parameters_does_not_count_in_go_and_counts_in_rust(query, draws):
    pairs = list(query.items())
    other = draws.draw(st.permutations(pairs))
    assert filter_go(url_of(pairs), ["ns"]) == filter_go(url_of(other), ["ns"])
    assert (filter_rust(url_of(pairs), []) == filter_rust(url_of(other), [])) is (pairs == list(other))


@given(query=QUERIES)
def test_filtering_twice_is_filtering_once(query):
    for filter_of_client in (filter_go, filter_rust):
        left = filter_of_client(url_of(query), ["a", "ns"])
        assert filter_of_client(left, ["a", "ns"]) == left


@given(name=ANY, tag=st.text(max_size=5), application=st.text(max_size=5))
def test_an_id_is_the_hash_of_what_is_said(name, tag, application):
    recipe_of_client = recipe(name)
    expected = "https://h/v2/a" + tag + application
    expected += "0" if recipe_of_client.name == "V2a" else ""
    expected += "STANDARD" if recipe_of_client.typed else ""
    task_id = recipe_of_client.task_id("https://h/v2/a", tag=tag, application=application)
    assert task_id == hashlib.sha256(expected.encode("utf-8", "surrogateescape")).hexdigest()
    assert task_id == recipe_of_client.task_id(
        "https://h/v2/a", tag=tag or None, application=application or None, digest=None
    )
