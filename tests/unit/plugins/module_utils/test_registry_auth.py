# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Challenges, and permitted destinations of credentials and requests."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_auth import (
    Challenge,
    Origin,
    basic_auth,
    bearer_auth,
    forbidden_place,
    origin,
    parse_challenges,
    realm_problem,
    redirect_problem,
    token_url,
)
from ansible_collections.dragonflyoss.dragonfly.tests.unit.cpu import cpu_seconds

NAMES = {
    "registry.example.com": ["203.0.113.5"],
    "auth.example.com": ["203.0.113.6"],
    "inside.example.com": ["10.0.0.7"],
    "rebound.example.com": ["203.0.113.7", "127.0.0.1"],
    "linked.example.com": ["fe80::1%eth0"],
    "cloud.example.com": ["169.254.169.254"],
    "mapped.example.com": ["::ffff:169.254.169.254"],
    "local.example.com": ["127.0.0.1"],
}


def resolve(host):
    return NAMES.get(host, [])


def test_basic_auth():
    assert base64.b64decode(basic_auth("é", "a:b").partition(" ")[2]).decode("utf-8") == "é:a:b"
    assert basic_auth("u", None) == basic_auth("u", "")


@pytest.mark.parametrize("token", ["", None, 5, ["x"], "a b", "a\r\nX-Evil: 1", "é", "a\0"])
def test_tokens_that_are_not_sent(token):
    assert bearer_auth(token) is None
    assert bearer_auth("a.b-c_d~e+f/g==") == "Bearer a.b-c_d~e+f/g=="


@pytest.mark.parametrize(
    "url, server",
    [
        ("https://h/a", Origin("https", "h", 443)),
        ("https://H.:443/b", Origin("https", "h", 443)),
        ("http://h", Origin("http", "h", 80)),
        ("http://[::1]:5000", Origin("http", "::1", 5000)),
    ],
)
def test_origins(url, server):
    assert origin(url) == server


@pytest.mark.parametrize(
    "header, challenges",
    [
        ("", []),
        ('Basic realm="x"', [Challenge("basic", {"realm": "x"})]),
        ("Negotiate, Basic realm=x", [Challenge("negotiate", {}), Challenge("basic", {"realm": "x"})]),
        ('Bearer realm="a\\"b",service=s', [Challenge("bearer", {"realm": 'a"b', "service": "s"})]),
        # The first one counts, like for other clients.
        ('Bearer realm="a",realm="b"', [Challenge("bearer", {"realm": "a"})]),
        ("realm=x", []),
    ],
)
def test_challenges(header, challenges):
    assert parse_challenges(header) == challenges


@pytest.mark.parametrize("header", ["a" * 2**20, '"' * 2**20, "Bearer " + 'a="\\' * 2**18, "a=" * 2**19, "a " * 2**19])
def test_a_long_header_takes_no_long_time(header):
    assert cpu_seconds(parse_challenges, header, enough=0.1) < 0.1


@pytest.mark.parametrize(
    "parameters, query",
    [
        ({"service": "s", "scope": "repository:a:pull"}, "?service=s&scope=repository%3Aa%3Apull"),
        # Artifactory and the registry of Google name no scope.
        ({"service": "s"}, "?service=s&scope=repository%3Ateam%2Fapp%3Apull"),
        ({"service": "", "scope": ""}, "?scope=repository%3Ateam%2Fapp%3Apull"),
        ({"service": "a&b=c", "scope": "x", "realm2": "y"}, "?service=a%26b%3Dc&scope=x"),
    ],
)
def test_the_url_of_a_token(parameters, query):
    url = token_url(dict(parameters, realm="https://h/token"), "team/app")
    assert url == "https://h/token" + query
    assert token_url(dict(parameters, realm="https://h/t?a=b"), "team/app") == "https://h/t?a=b&" + query[1:]


FROM_OUTSIDE = "registry.example.com"
LOOPBACK, LINK_LOCAL = "a loopback address", "a link-local address"
METADATA = "the address of a metadata service"


@pytest.mark.parametrize(
    "host, place",
    [
        ("auth.example.com", None),
        ("inside.example.com", None),
        ("unresolved.example.com", None),
        ("10.0.0.1", None),
        ("[fd00::1]", None),
        ("127.0.0.1", LOOPBACK),
        ("127.9.9.9", LOOPBACK),
        ("[::1]", LOOPBACK),
        ("0.0.0.0", LOOPBACK),
        ("0.1.2.3", LOOPBACK),
        ("[::]", LOOPBACK),
        ("localhost", LOOPBACK),
        ("LocalHost.", LOOPBACK),
        ("a.localhost", LOOPBACK),
        ("local.example.com", LOOPBACK),
        ("rebound.example.com", LOOPBACK),
        # Other spellings of 127.0.0.1 that resolvers accept.
        ("2130706433", LOOPBACK),
        ("0x7f000001", LOOPBACK),
        ("0x7f.1", LOOPBACK),
        ("0177.0.0.1", LOOPBACK),
        ("127.1", LOOPBACK),
        ("[::ffff:127.0.0.1]", LOOPBACK),
        ("[::127.0.0.1]", LOOPBACK),
        ("[64:ff9b::7f00:1]", LOOPBACK),
        ("[2002:7f00:1::]", LOOPBACK),
        ("169.254.169.254", LINK_LOCAL),
        ("169.254.170.2", LINK_LOCAL),
        ("2852039166", LINK_LOCAL),
        ("0xa9fea9fe", LINK_LOCAL),
        ("0251.0376.0251.0376", LINK_LOCAL),
        ("[fe80::1]", LINK_LOCAL),
        ("[::ffff:169.254.169.254]", LINK_LOCAL),
        ("[::ffff:a9fe:a9fe]", LINK_LOCAL),
        ("cloud.example.com", LINK_LOCAL),
        ("mapped.example.com", LINK_LOCAL),
        ("linked.example.com", LINK_LOCAL),
        ("[fd00:ec2::254]", METADATA),
        ("[FD00:EC2:0::254]", METADATA),
        ("100.100.100.200", METADATA),
        ("168.63.129.16", METADATA),
        ("metadata.google.internal", "a metadata service"),
        ("Metadata.Google.Internal.", "a metadata service"),
        ("224.0.0.1", "a multicast address"),
    ],
)
def test_places_that_a_registry_must_not_name(host, place):
    assert forbidden_place(host, FROM_OUTSIDE, resolve) == place


@pytest.mark.parametrize(
    "host, registry, allowed",
    [
        ("127.0.0.1", "localhost", True),
        ("[::1]", "127.0.0.1", True),
        ("localhost", "local.example.com", True),
        ("169.254.1.1", "169.254.1.1", True),
        ("cloud.example.com", "169.254.169.254", True),
        # A registry at another link-local address or on loopback does not permit this one.
        ("169.254.169.254", "169.254.1.1", False),
        ("169.254.169.254", "127.0.0.1", False),
        ("127.0.0.1", "169.254.1.1", False),
        ("metadata.google.internal", "localhost", False),
        ("metadata.google.internal", "metadata.google.internal", True),
    ],
)
def test_a_registry_may_name_where_it_is(host, registry, allowed):
    assert (forbidden_place(host, registry, resolve) is None) is allowed


REGISTRY = "https://registry.example.com/v2/a/manifests/1"


@pytest.mark.parametrize(
    "realm",
    [
        "https://auth.example.com/token",
        "https://auth.example.com:8443/token?a=b",
        "https://auth.example.com",
        "https://registry.example.com/token",
        "https://10.0.0.1/token",
        "https://under_score.example.com/token",
    ],
)
def test_realms(realm):
    assert realm_problem(realm, REGISTRY, resolve) is None
    assert redirect_problem(REGISTRY, realm, resolve) is None


@pytest.mark.parametrize(
    "realm, message",
    [
        ("", "its response contains no token service"),
        ("ftp://h/token", "is not a plain http(s) URL"),
        ("file:///etc/passwd", "is not a plain http(s) URL"),
        ("/token", "is not a plain http(s) URL"),
        ("https://", "is not a plain http(s) URL"),
        ("https://u:s3cr3t@auth.example.com/token", "is not a plain http(s) URL without credentials"),
        ("https://u:s3cr3t@127.0.0.1/token", "is not a plain http(s) URL without credentials"),
        # URLs that other parsers read with another host.
        ("https://auth.example.com\\@127.0.0.1/token", "is not a plain http(s) URL"),
        ("https://auth.example.com\\.127.0.0.1/token", "is not a plain http(s) URL"),
        ("https://１２７.0.0.1/token", "is not a plain http(s) URL"),
        ("https://%31%32%37.0.0.1/token", "is not a plain http(s) URL"),
        ("https://[fe80::1%25eth0]/token", "is not a plain http(s) URL"),
        ("https://auth.example.com/a b", "is not a plain http(s) URL"),
        ("https://auth.example.com/\r\nX-Evil: 1", "is not a plain http(s) URL"),
        ("https://auth.example.com/#x\x1b[2J", "is not a plain http(s) URL"),
        ("https://auth.example.com:port/", "is not a plain http(s) URL"),
        ("https://auth.example.com:99999/", "is not a plain http(s) URL"),
        ("https://[::1/", "is not a plain http(s) URL"),
        ("https://127.0.0.1:5001/token", "is at a loopback address, but the registry is not"),
        ("https://169.254.169.254/latest/meta-data/iam", "is at a link-local address, but the registry is not"),
    ],
)
def test_realms_that_are_refused(realm, message):
    problem = realm_problem(realm, REGISTRY, resolve) or ""
    assert message in problem
    assert "s3cr3t" not in problem
    assert problem.isprintable()
    assert redirect_problem(REGISTRY, realm, resolve)


def test_a_realm_without_tls():
    problem = realm_problem("http://registry.example.com/token", REGISTRY, resolve) or ""
    for message in (
        "'http://registry.example.com/token' does not use TLS",
        "a proxy that ends TLS",
        "auth.token.realm",
        "verify",
    ):
        assert message in problem
    assert realm_problem("http://auth.example.com/token", "http://registry.example.com", resolve) is None
    assert realm_problem("https://auth.example.com/token", "http://registry.example.com", resolve) is None
    assert (redirect_problem(REGISTRY, "http://registry.example.com/a", resolve) or "").endswith("has no TLS")
