# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs of files, and identical ones."""

from __future__ import annotations

import pytest
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._file_url import check_file_url, filter_query


@pytest.mark.parametrize(
    "text", ["https://h/f", "http://h:80/f?a=1", "s3://bucket/key", "hdfs://h:9000/f", "oss://b/k"]
)
def test_check_file_accepts(text):
    assert check_file_url(text) == text


@pytest.mark.parametrize(
    "text",
    ["/f", "h/f", "https:///f", "https://h:port/f", "https://h/a b", "https://h/f\n", "https://@/f", "http://[::1/f"],
)
def test_check_file_refuses(text):
    with pytest.raises(InputError):
        check_file_url(text)


@pytest.mark.parametrize(
    "url, shown",
    [
        ("https://user:hidden@h/f", "https://user:********@h/f"),
        ("https://hidden@h/f", "https://********@h/f"),
        ("https://:hidden@h/f", "https://:********@h/f"),
        ("https://user:hidden@h/f?X-Amz-Signature=concealed", "https://user:********@h/f?X-Amz-Signature=********"),
    ],
)
def test_a_user_in_a_url_is_rejected_without_showing_its_password(url, shown):
    with pytest.raises(InputError, match="must not contain a user name or password.*Authorization") as caught:
        check_file_url(url)
    assert repr(shown) in caught.value.message


def test_message_about_white_space_shows_no_secret():
    with pytest.raises(InputError) as caught:
        check_file_url("https://user:hidden@h/a b?X-Amz-Signature=concealed")
    assert "hidden" not in caught.value.message
    assert "concealed" not in caught.value.message


def test_filtered_url():
    assert filter_query("https://h/f?b=2&X=1&a=#x", {"X"}) == "https://h/f?a=&b=2#x"
