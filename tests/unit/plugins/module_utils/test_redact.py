# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All secrets are removed, and nothing else."""

from __future__ import annotations

import json
from urllib.parse import quote, unquote

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._default_filter import (
    DEFAULT_FILTERED_QUERY_PARAMS,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import (
    MASK,
    MOST_LEVELS,
    escape_c1,
    printable,
    redact_args,
    redact_beginning,
    redact_text,
    redact_url,
    url_secrets,
)
from hypothesis import given
from hypothesis import strategies as st

SECRET = "hid/den@+ 1"
ESCAPED = quote(SECRET, safe="")


@pytest.mark.parametrize(
    "url, redacted",
    [
        ("https://h/f", "https://h/f"),
        ("https://h/f?a=1&b=%20#x", "https://h/f?a=1&b=%20#x"),
        # Without a password, the name may be a token.
        ("https://hidden@h:80/f", "https://********@h:80/f"),
        ("https://hidden:@h/f", "https://********@h/f"),
        ("https://@h/f", "https://@h/f"),
        ("https://user:hidden@h:80/f", "https://user:********@h:80/f"),
        ("https://us:er:hidden@h/f", "https://us:********@h/f"),
        ("https://user:hid@den@h/f", "https://user:********@h/f"),
        ("https://h/f?a=1&X-Amz-Signature=hidden&b=2", "https://h/f?a=1&X-Amz-Signature=********&b=2"),
        ("https://h/f?token=hidden;x", "https://h/f?token=********"),
        ("https://h/f?%74oken=hidden", "https://h/f?%74oken=********"),
        ("s3://key:hidden@bucket/f", "s3://key:********@bucket/f"),
        # The authority is not usable.
        ("https://user:hid/den@h/f", "https://********@h/f"),
        ("https://user:hidden@[::1/f", "https://********@[::1/f"),
        ("https://user:hidden@h:port/f?token=hidden", "https://********@h:port/f?********"),
        ("https://h:port/f", "https://h:port/f"),
        ("no URL", "no URL"),
        ("", ""),
        (None, None),
        (5, 5),
    ],
)
def test_redact_url(url, redacted):
    assert redact_url(url) == redacted


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "X-Goog-Signature",
        "Signature",
        "OSSAccessKeyId",
        "SecurityToken",
        "AccessKeyId",
        "q-signature",
        "q-ak",
        "sig",
        "key",
        "password",
        "passwd",
        "pass",
        "hmac",
        "x-hmac-sha256",
        "client_secret",
        "apikey",
        "api_key",
        "auth",
        "authorization",
        "jwt",
        "x-cos-security-token",
    ],
)
def test_parameters_that_are_secrets(name):
    for spelling in (name, name.upper()):
        assert redact_url(f"https://h/f?{spelling}=hidden") == f"https://h/f?{spelling}={MASK}"


@pytest.mark.parametrize("name", ["a", "page", "compass", "monkey", "keyboard", "versionId", "partNumber", "ns"])
def test_parameters_that_are_none(name):
    assert redact_url(f"https://h/f?{name}=shown") == f"https://h/f?{name}=shown"


def test_every_signature_that_a_manager_filters_is_masked():
    for name in DEFAULT_FILTERED_QUERY_PARAMS:
        if any(word in name.lower() for word in ("signature", "token", "credential", "accesskey", "q-ak")):
            assert "hidden" not in redact_url(f"https://h/f?{name}=hidden"), name


def test_url_secrets():
    url = f"https://user:{ESCAPED}@h/f?a=shown&token={ESCAPED}&Signature=x%2fy&sig="
    assert url_secrets(url) == [ESCAPED, SECRET, "x%2fy", "x/y"]
    assert url_secrets("https://to%2Fken@h/f") == url_secrets("https://to%2Fken:@h/f") == ["to%2Fken", "to/ken"]
    assert url_secrets("https://h/f") == url_secrets("https://user:hidden@[::1") == []


def test_redact_text():
    text = 'Get "https://user:hidden@h/f?token=hidden": dial tcp, see <http://h?sig=hidden> and s3://a:hidden@b.'
    redacted = redact_text(text)
    assert redacted == (
        'Get "https://user:%s@h/f?token=%s": dial tcp, see <http://h?sig=%s> and s3://a:%s@b.' % ((MASK,) * 4)
    )


def test_what_takes_too_long_to_parse():
    """It is masked as a whole where it may contain a secret."""
    url = "http://user:hidden@h/f?" + "a%41=hidden&" * 1000
    assert redact_url(url) == f"http://{MASK}@h/f?{MASK}"
    assert redact_text(f"see {url}") == MASK
    assert url_secrets(url) == [url]
    many = " ".join(f"https://registry.example.com/v2/shop/web/blobs/sha256:{number:064x}" for number in range(200))
    assert redact_text(many) == many
    encoded = "http://h/" + "%E4%BD%A0" * 300 + "?a=b"
    assert redact_url(encoded) == encoded


def test_redact_args():
    args = {
        "type": "file",
        "url": "https://u:hidden@h/f",
        "urls": ["https://h/f?token=hidden", None],
        "username": "hidden",
        "password": "hidden",
        "headers": {"Authorization": "hidden", "X-Team": "hidden"},
        "object_storage": {
            "region": "r",
            "access_key_id": "hidden",
            "access_key_secret": "hidden",
            "session_token": "",
        },
        "hdfs": {"delegation_token": "hidden"},
        "tag": "t",
        "timeout": 5,
        "count": None,
    }
    redacted = redact_args(args)
    assert "hidden" not in json.dumps(redacted)
    assert list(redacted) == list(args)
    assert redacted["object_storage"] == {
        "region": "r",
        "access_key_id": MASK,
        "access_key_secret": MASK,
        "session_token": "",
    }
    assert redacted["headers"] == {"Authorization": MASK, "X-Team": MASK}
    assert (redacted["tag"], redacted["timeout"], redacted["count"]) == ("t", 5, None)
    assert redact_args({"username": "", "password": None}) == {"username": "", "password": None}


PLAIN = st.text(alphabet="abc123-_.~", min_size=1, max_size=8)
#: Secrets of unique letters, with all characters that a URL must escape.
HIDDEN = st.text(alphabet="XYZ/@:?#&=+% ", min_size=1, max_size=12).filter(
    lambda text: any(letter in "XYZ" for letter in text)
)
SECRET_NAMES = st.sampled_from(["token", "Sig", "X-Amz-Signature", "%74oken", "api%5Fkey", "q-ak"])


@given(
    st.sampled_from(["http", "https", "s3"]),
    PLAIN,
    st.none() | HIDDEN,
    PLAIN,
    st.lists(st.tuples(SECRET_NAMES, HIDDEN) | st.tuples(st.just("plain"), PLAIN), max_size=4),
    st.booleans(),
)
def test_no_secret_is_left(scheme, user, password, path, query, in_text):
    info = "" if password is None else f"{user}:{quote(password, safe='')}@"
    pairs = [f"{name}={quote(value, safe='')}" for name, value in query]
    url = f"{scheme}://{info}host/{path}{'?' + '&'.join(pairs) if pairs else ''}"
    redacted = redact_text(f"see {url} now")[4:-4] if in_text else redact_url(url)
    # The names of parameters do not change.
    left = redacted.replace("X-Amz", "")
    assert not set("XYZ") & set(unquote(left))
    assert redact_url(redacted) == redacted
    assert redacted.startswith(f"{scheme}://")
    assert "host/" + path in redacted
    assert redacted.count("plain=") == len([1 for name, _value in query if name == "plain"])
    for secret in [password] if password else []:
        assert secret in url_secrets(url)


@given(PLAIN, HIDDEN.filter(lambda text: "@" not in text))
def test_no_secret_is_left_where_it_was_not_escaped(user, password):
    # A port never starts with a letter, which excludes other meanings of the URL.
    url = f"https://{user}:X{password}@host/path"
    assert not set("XYZ") & set(redact_url(url))


@given(st.text())
def test_any_text(text):
    for function in (redact_url, redact_text):
        assert isinstance(function(text), str)
    url_secrets(text)


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain, é, 中\n\tx", "plain, é, 中\n\tx"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\rb\x9bc\x7f", "a\\rb\\x9bc\\x7f"),
        ("\u202eevil\u2028\ufeff", "\\u202eevil\\u2028\\ufeff"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_obeys_is_shown_as_text(text, shown):
    assert printable(text) == shown


def test_a_url_within_another_is_redacted():
    text = "see https://h/?next=http://user:hidden@other/x&token=http://hidden and x://a:hidden@b"
    assert "hidden" not in redact_text(text)
    assert "other/x" in redact_text(text)


def test_a_secret_at_the_cut_is_not_shown():
    for length in range(780, 830):
        text = "a" * length + " http://user:hiddenhiddenhidden@host/" + "b" * 500
        assert "hid" not in redact_beginning(text, 100) + redact_beginning(text, 1000)
    # A masked value leaves room for the text after it.
    assert "hid" not in redact_beginning("http://u:" + "x" * 790 + "@h http://user:hiddenhidden@h/" + "b" * 99, 100)


def test_controls_that_json_does_not_escape_are_escaped_in_results():
    result = {"a\x9b": ["\x7f", {"b": "\x1b[31m\x85\u202e"}, 1, None, True]}
    assert escape_c1(result) == {"a\\x9b": ["\\x7f", {"b": "\x1b[31m\\x85\u202e"}, 1, None, True]}


def test_a_result_that_is_nested_too_deeply():
    result: list = []
    for _level in range(MOST_LEVELS - 1):
        result = [result]
    assert escape_c1(result) == result
    with pytest.raises(RecursionError):
        escape_c1([result])
