# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invalid options fail with a message about the problem, without a request to manager or registry."""

from __future__ import annotations

import pytest

#: Placeholder for the sandbox's addresses.
MANAGER, REGISTRY, IMAGE = "MANAGER", "REGISTRY", "http://REGISTRY/shop/web:1"
NONE = {"image": None}

PREHEAT = {
    # Content to preheat.
    "none of the four": (NONE, "one of the following is required: image, images, file, files"),
    "two of the four": ({"file": "http://REGISTRY/files/a"}, "image|images|file|files (set only one of them)"),
    "a word for a number": ({"count": "many"}, "count must be an integer."),
    "a word among numbers": ({"scheduler_cluster_ids": [1, "two"]}, "scheduler_cluster_ids must be an integer."),
    "a word for a boolean": ({"force": "perhaps"}, "force must be true or false."),
    "image and images": ({"images": [IMAGE]}, "mutually exclusive"),
    "an empty image": ({"image": ""}, "must not contain an empty string"),
    "a blank image": ({"image": " "}, "must not contain an empty string"),
    "an empty image among others": ({"image": None, "images": [IMAGE, ""]}, "must not contain an empty string"),
    "no images": ({"image": None, "images": []}, "there is nothing to preheat"),
    "an empty file": ({"image": None, "file": ""}, "must not contain an empty string"),
    "no files": ({"image": None, "files": []}, "there is nothing to preheat"),
    "upper case": ({"image": "REGISTRY/Shop/Web:1"}, "must be lowercase"),
    "a short digest": ({"image": "REGISTRY/shop/web@sha256:12"}, "'sha256:12' is not a digest"),
    "a digest of an unknown kind": (
        {"image": "REGISTRY/shop/web@md5:" + 32 * "0"},
        "digest algorithm md5 is not supported",
    ),
    "spaces": ({"image": "REGISTRY/shop/web 1"}, "white space"),
    "a line break": ({"image": "REGISTRY/shop/web:1\nREGISTRY/shop/api:1"}, "white space"),
    "a bad tag": ({"image": "REGISTRY/shop/web:-1"}, "'-1' is not a tag"),
    "an image of another scheme": ({"image": "docker://REGISTRY/shop/web:1"}, "leave the scheme out"),
    "an image with credentials": ({"image": "http://puller:hunter22@REGISTRY/shop/web:1"}, "must not contain cred"),
    "a URL of a blob": (
        {"image": "http://REGISTRY/v2/shop/web/blobs/sha256:" + 64 * "0"},
        "is not a valid manifest URL",
    ),
    "a registry alone": ({"image": "http://REGISTRY"}, "HOST/NAME"),
    "a bad one among good ones": ({"image": None, "images": [IMAGE, "REGISTRY/Web:1"]}, "REGISTRY/Web:1"),
    "a file without a host": ({"image": None, "file": "http:///a"}, "SCHEME://HOST/PATH"),
    "a file without a scheme": ({"image": None, "file": "REGISTRY/files/a"}, "SCHEME://HOST/PATH"),
    "a file with a fragment": (
        {"image": None, "file": "http://REGISTRY/files/a#b"},
        "contains a fragment, which clients do not send. Write %23",
    ),
    "a file with a space": ({"image": None, "file": "http://REGISTRY/files/a b"}, "contains white space. Write %20"),
    "a file with a password": (
        {"image": None, "file": "http://reader:hunter22@REGISTRY/files/a"},
        "must not contain a user name or password",
    ),
    "a file with a bad port": (
        {"image": None, "file": "http://REGISTRY0000/files/a"},
        "its port is not a number from 1",
    ),
    # Servers.
    "no url": ({"url": None}, "url is missing"),
    "an empty url": ({"url": ""}, "url is missing"),
    "a url without a scheme": ({"url": MANAGER}, "such as http://dragonfly-manager:8080"),
    "a url of another scheme": ({"url": "ftp://MANAGER"}, "such as http://dragonfly-manager:8080"),
    "a url with a user": ({"url": "http://root:hunter22@MANAGER"}, "must not contain a user name or password"),
    "a url with a query": ({"url": "http://MANAGER/?a=b"}, "must not contain a query"),
    "a url with a space": ({"url": "http://MANAGER /"}, "is not a valid URL: it contains white space"),
    "a url with a bad port": (
        {"url": "http://127.0.0.1:http"},
        "is not a valid URL: its port is not a number from 1 to 65535",
    ),
    "a url with port 0": ({"url": "http://127.0.0.1:0"}, "is not a valid URL: its port is 0"),
    "a url with a bad address": ({"url": "http://[::1:8080"}, "is not a valid URL: its host is not valid"),
    "a registry with a bad port": ({"registries": {"a.io": "http://a.io:70000"}}, "because its port is not a number"),
    "a registry with a space": ({"registries": {"a.io": "http://a .io"}}, "because it contains white space"),
    "a token with a space": ({"token": "two words"}, "token contains a character that is not allowed"),
    "a token with a line break": ({"token": "bW9kZWw\n"}, "token contains a character that is not allowed"),
    "a key without a certificate": ({"client_key": "/tmp/key.pem"}, "client_key"),
    # Times and other numbers.
    "timeout 0": ({"timeout": 0}, "timeout must be from 1"),
    "a negative timeout": ({"timeout": -1}, "timeout must be from 1"),
    "a negative wait_timeout": ({"wait_timeout": -1}, "wait_timeout must be from 0"),
    "wait_sleep 0": ({"wait_sleep": 0}, "wait_sleep must be from 1"),
    "a negative wait_sleep": ({"wait_sleep": -5}, "wait_sleep must be from 1"),
    "a negative max_age": ({"max_age": -1}, "max_age must be from 0"),
    "job_timeout 0": ({"job_timeout": 0}, "job_timeout must be from 1"),
    "a time in words": ({"wait_timeout": "soon"}, "wait_timeout must be a number of seconds or a duration such as 90s"),
    "too short pieces": ({"piece_length": 1024}, "piece_length must be from 4194304 to 67108864"),
    "count 0": ({"count": 0, "scope": "all_peers"}, "count must be from 1 to 200"),
    "percentage above 100": ({"percentage": 101, "scope": "all_peers"}, "percentage must be from 1 to 100"),
    "too many tasks at a time": ({"concurrent_task_count": 101}, "concurrent_task_count must be from 1 to 100"),
    "no peer at a time": ({"concurrent_peer_count": 0}, "concurrent_peer_count must be from 1 to 1000"),
    "a negative share": ({"max_failed_peers_percentage": -1}, "max_failed_peers_percentage must be from 0 to 100"),
    "a limit in hours": ({"max_age": "999999999h"}, "max_age must be from 0s to 365d, not 999999999h"),
    "a share of one seed peer": (
        {"max_failed_peers_percentage": 30},
        "max_failed_peers_percentage requires scope all_peers or all_seed_peers",
    ),
    "cluster 0": ({"scheduler_cluster_ids": [0]}, "scheduler_cluster_ids must be numbers from 1"),
    "a cluster beyond 64 bits": (
        {"scheduler_cluster_ids": [2**63]},
        "scheduler_cluster_ids must be numbers from 1 to 9223",
    ),
    "white space in a file": (
        {"image": None, "file": "http://h/a b"},
        "'http://h/a b' contains white space. Write %20",
    ),
    "a cluster by name": ({"scheduler_cluster_ids": ["cluster-1"]}, "scheduler_cluster_ids"),
    "two mistakes": ({"max_age": -1, "count": 0}, "max_age must be from 0s to 365d, not -1; count must be"),
    # Conflicting options.
    "count and percentage": ({"count": 1, "percentage": 10, "scope": "all_peers"}, "exclusive: count|percentage"),
    "a file's option on an image": ({"object_storage": {"region": "eu"}}, "object_storage is only for files"),
    "hdfs on an image": ({"hdfs": {"delegation_token": "hadoop-token"}}, "hdfs is only for files"),
    "an image's option on a file": (
        {"image": None, "file": "http://REGISTRY/files/a", "platforms": ["linux/amd64"]},
        "platforms is only for images",
    ),
    "ips for one seed peer": ({"ips": ["10.0.0.1"]}, "ips requires scope all_peers"),
    "expected_ips for one seed peer": ({"expected_ips": ["10.0.0.1"]}, "expected_ips requires scope all_peers"),
    "a password without a user": ({"registry_password": "hunter22"}, "registry_password is set without a user name"),
    "a user without a password": ({"registry_username": "ci"}, "registry_username is set without a password"),
    "a user with an empty password": (
        {"registry_username": "ci", "registry_password": ""},
        "registry_username is set without a password",
    ),
    "a registry's user without a password": (
        {"registries": {"a.example": {"username": "ci"}}},
        "registries: 'a.example' must have both username and password, or neither",
    ),
    "a registry's password without a user": (
        {"registries": {"a.example": {"password": "hunter22"}}},
        "registries: 'a.example' must have both username and password, or neither",
    ),
    "one password for two registries": (
        {
            "image": None,
            "images": [IMAGE, "http://other.example.com/shop/api:1"],
            "registry_username": "puller",
            "registry_password": "hunter22",
        },
        "Give credentials by registry",
    ),
    "one Authorization for two registries": (
        {
            "image": None,
            "images": [IMAGE, "http://other.example.com/shop/api:1"],
            "headers": {"authorization": "Basic hunter22"},
        },
        "Give credentials by registry",
    ),
    "a misspelt key of an object store": (
        {"image": None, "file": "s3://bucket/a", "object_storage": {"acces_key_id": "hunter22"}},
        "acces_key_id",
    ),
    "a header that is true": ({"headers": {"X-Any": True}}, "the value of 'X-Any' must be a string, not bool"),
    "an image with credentials and no scheme": (
        {"image": "admin:hunter22@REGISTRY/shop/web:1"},
        "must not contain credentials",
    ),
    # Texts.
    "half a platform": ({"platforms": ["amd64"]}, "'amd64' is not a valid platform"),
    "an empty platform": ({"platforms": [""]}, "'' is not a valid platform"),
    "a platform in upper case": ({"platforms": ["Linux/AMD64"]}, "'Linux/AMD64' is not a valid platform"),
    "an unknown scope": ({"scope": "some_peers"}, "value of scope must be one of: single_seed_peer"),
    "an unknown way to verify": ({"verify": "maybe"}, "value of verify must be one of: auto"),
    "a host name among addresses": ({"ips": ["node-1"], "scope": "all_peers"}, "'node-1' is not one"),
    "a query instead of names": ({"filtered_query_params": ["a&b"]}, "'a&b' is not a name"),
    "registries without a scheme": ({"registries": {"docker.io": "mirror"}}, "registries: the URL of 'docker.io'"),
    "registries with credentials in the URL": (
        {"registries": {"docker.io": "http://puller:hunter22@mirror"}},
        "must not contain credentials",
    ),
    "registries with an unknown key": ({"registries": {"docker.io": {"uri": "http://mirror"}}}, "dictionary of url"),
    "a long bio": ({"bio": 1006 * "a"}, "bio must not be longer than 1005"),
    "a misspelt option": ({"imge": IMAGE}, "imge"),
}

JOB_INFO = {
    "no url": ({"url": None}, "url is missing"),
    "ids and a filter": ({"ids": [1], "state": "SUCCESS"}, "mutually exclusive: ids|state"),
    "ids in words": ({"ids": ["first"]}, "ids"),
    "an unknown state": ({"state": "DONE"}, "value of states must be one or more of: PENDING, SUCCESS, FAILURE"),
    "an id below 1": ({"ids": [0]}, "ids must be numbers from 1"),
    "timeout 0": ({"timeout": 0}, "timeout must be from 1"),
}


@pytest.mark.parametrize("options, message", PREHEAT.values(), ids=PREHEAT)
def test_preheat(run, box, options, message):
    refused(run, box, "preheat", dict({"image": IMAGE}, **options), message)


@pytest.mark.parametrize("options, message", JOB_INFO.values(), ids=JOB_INFO)
def test_job_info(run, box, options, message):
    refused(run, box, "job_info", options, message)


def refused(run, box, module, options, message):
    """Check that a module fails with this message and sent no request."""

    def real(value):
        if isinstance(value, str):
            return value.replace(MANAGER, box.url.partition("://")[2]).replace(REGISTRY, box.registry)
        if isinstance(value, list):
            return [real(item) for item in value]
        return {key: real(item) for key, item in value.items()} if isinstance(value, dict) else value

    done = run(module, **dict({"url": box.url, "token": box.token}, **real(options)))
    assert done.failed
    assert done.rc == 1
    assert real(message) in done.msg
    assert "fault of the collection" not in done.msg
    assert "hunter22" not in done.output
    assert not box.log
    assert not box.registry_log
