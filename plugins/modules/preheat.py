#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preheat
short_description: Warm images and files in Dragonfly, and prove it
version_added: 1.0.0
description:
  - Creates preheat jobs at a Dragonfly manager, waits for them, and succeeds only if what was asked for is warm.
  - A job that exists is not made again. An equal job that is running is adopted, an equal one that is warm and not
    older than O(max_age) is enough.
  - The manager's C(SUCCESS) does not mean warm. Results are inspected blob by blob, see O(verify).
  - Works with managers of 2.0.9 to 2.5.1. An option that a manager's release does not know is refused and not silently
    ignored.
options:
  image:
    description:
      - One image, such as V(redis:7), V(registry.example.com:5000/team/app@sha256:...),
        V(http://registry:5000/team/app:1) for a registry without TLS, or the whole URL of a manifest.
      - Exactly one of O(image), O(images), O(file) and O(files) is required.
    type: str
  images:
    description:
      - Several images, a job each. The same image twice is one job.
    type: list
    elements: str
  file:
    description:
      - URL of one file.
    type: str
  files:
    description:
      - URLs of several files, a job each.
    type: list
    elements: str
  platforms:
    description:
      - Platforms of images, such as V(linux/amd64), a job each. V(all) means each platform that the image has; this
        requires that the module can read the manifest from the registry.
      - By default the manager chooses the platform of its own host.
    type: list
    elements: str
    aliases: [platform]
  tag:
    description:
      - Tag of the tasks. It is part of what identifies a blob, so that only hosts with the same tag hit. Leave it out
        for containerd.
    type: str
  application:
    description:
      - Application of the tasks. It is part of what identifies a blob, as O(tag) is. Since 2.2.3.
    type: str
  filtered_query_params:
    description:
      - Names of query parameters that do not identify a file. Without it a manager of 2.1.62 and later takes the
        signatures of common object stores.
    type: list
    elements: str
  piece_length:
    description:
      - Length of a piece in bytes, from 4194304 to 67108864. It is part of what identifies a blob. Since 2.2.1.
    type: int
  headers:
    description:
      - Headers for the requests to the registry or origin. The manager stores them in clear and shows them to every
        token with the scope C(job).
      - Values of headers that carry a credential by their name (C(Authorization), C(Cookie), C(X-...-Token)), and long
        ones, are hidden in the output.
      - An C(Authorization) is not sent to a registry that has a user name of its own in O(registries).
    type: dict
  scope:
    description:
      - Which peers get it. V(single_seed_peer) is one seed peer of each cluster, which is enough for hosts to hit.
      - V(all_peers) exists since 2.1.57, V(all_seed_peers) since 2.1.66. Both need peers with the Rust client.
    type: str
    choices: [single_seed_peer, all_seed_peers, all_peers]
    default: single_seed_peer
  ips:
    description:
      - Addresses of the peers to preheat, for O(scope=all_peers) and O(scope=all_seed_peers). Since 2.3.1. Each must
        become warm.
    type: list
    elements: str
  count:
    description:
      - Number of peers to preheat, from 1 to 200. The manager picks them. Since 2.2.3.
    type: int
  percentage:
    description:
      - Percentage of the peers to preheat. Since 2.2.3.
    type: int
  concurrent_task_count:
    description:
      - How many blobs are preheated at a time, from 1 to 100. Since 2.3.1.
    type: int
  concurrent_peer_count:
    description:
      - How many peers are preheated at a time, from 1 to 1000. Since 2.1.57; up to 500 before 2.3.1.
    type: int
  job_timeout:
    description:
      - Maximum time that the schedulers take for a job, in seconds or as a duration such as V(30m). Requires Dragonfly
        manager 2.1.57 or later.
    type: str
  object_storage:
    description:
      - How to read a file of an object store. Since 2.4.4.
    type: dict
    suboptions:
      region:
        description: Region of the bucket.
        type: str
      endpoint:
        description: Address of the object store.
        type: str
      access_key_id:
        description: Id of the access key.
        type: str
      access_key_secret:
        description: Secret of the access key.
        type: str
      session_token:
        description: Token of a temporary session, for S3.
        type: str
      security_token:
        description: Token of a temporary session, for OSS.
        type: str
      credential_path:
        description: Path, on the peers, of a file with credentials, for GCS.
        type: str
      predefined_acl:
        description: Predefined access control, for GCS.
        type: str
      insecure_skip_verify:
        description: Whether the certificate of the object store goes unchecked.
        type: bool
  hdfs:
    description:
      - How to read a file of HDFS. Since 2.4.4.
    type: dict
    suboptions:
      delegation_token:
        description: Delegation token.
        type: str
  load_to_cache:
    description:
      - Whether peers keep it in memory. From 2.2.2 to 2.3.0.
    type: bool
  enable_task_id_based_blob_digest:
    description:
      - Whether the task IDs of blobs are their digests instead of what is computed from their URLs, so that one preheat
        serves every registry. Hosts hit it only with C(enableTaskIDBasedBlobDigest) in the proxy of their client.
      - Requires Dragonfly manager later than 2.5.1. An older one does not know it, so the task fails.
      - Whether a job was created with it is in RV(jobs[].args).
    type: bool
  bio:
    description:
      - Text that describes the job at the manager, up to 1005 characters. Without it, the reference as it is written.
      - A fingerprint of the request follows it, such as C([ansible 1f3a9c2e]), by which later runs recognize the job on
        managers whose defaults this collection does not know. It holds no credentials.
    type: str
  scheduler_cluster_ids:
    description:
      - Ids of the clusters to preheat, a job each.
      - By default one job is created for all clusters.
    type: list
    elements: int
    aliases: [scheduler_cluster_id]
  expected_ips:
    description:
      - Addresses of hosts that must be warm in the end, for O(scope=all_peers) and O(scope=all_seed_peers), whatever
        O(max_failed_peers_percentage) allows. A host that no result names is cold, for a scheduler counts only hosts
        that it knows.
      - With several clusters, the results of all of them count together.
    type: list
    elements: str
  max_age:
    description:
      - How long an identical warm job counts, in seconds or as a duration such as V(90s), V(30m), V(4h) or V(7d), by
        the manager's clock, because caches expire. With V(0) no warm job counts; running ones are adopted all the same.
      - What the peers dropped since by themselves is only seen with O(verify=peers).
    type: str
    default: 1h
  force:
    description:
      - Make a new job in any case.
    type: bool
    default: false
  verify:
    description:
      - What it takes to call a job warm.
      - V(auto) reads the manifest from the registry and wants every blob in the result. Where the registry cannot be
        reached from where the module runs, it warns and judges by what the job says. A registry that refuses fails the
        task.
      - V(blobs) does the same and fails where the registry cannot be reached.
      - V(peers) requires what V(blobs) does and then asks the peers themselves whether they hold every blob now, for
        jobs that were found and for new ones. Content that is gone gets a new job, and RV(jobs[].replaces) tells why.
        Use it where a rollout depends on the answer. Requires Dragonfly manager and schedulers 2.4.0 or later. Earlier
        ones cannot tell what a peer holds; then the task fails and creates nothing, or the outcome is V(unknown).
      - V(peers) creates one more job at the manager for each blob, at most 1000 in one task, and polls each until
        it ends. On a manager 2.5.1 with an image of 4 blobs this takes 30 seconds, because the manager reads the result
        of a job 30 seconds after it was created. The manager lets 10 jobs a second pass for a cluster.
      - V(result) wants a result that names something and no failure. V(none) trusts C(SUCCESS).
      - With all but V(none) and V(peers), a warm job does not count if the manager's list of jobs shows that its
        content was deleted since, as M(dragonflyoss.dragonfly.task) does. The list does not show what the peers drop by
        themselves.
      - With V(auto), V(blobs) and V(peers) the job is pinned to the digest of the manifest, so that a tag that moved is
        another job.
    type: str
    choices: [auto, blobs, peers, result, none]
    default: auto
  max_failed_peers_percentage:
    description:
      - How many of the peers may have failed, in percent, for O(scope=all_peers) and O(scope=all_seed_peers).
    type: int
    default: 0
  progress_file:
    description:
      - Path of a file to which a line is appended whenever the picture changes. When the module runs on the controller,
        its action plugin shows these lines while the task runs. A symbolic link is not followed.
    type: path
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._wait
  - dragonflyoss.dragonfly._registry
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - For O(max_age) seconds, and unless O(force=true).
seealso:
  - module: dragonflyoss.dragonfly.job_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Warm one image
  dragonflyoss.dragonfly.preheat:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0

- name: Warm a release for two platforms in two clusters
  dragonflyoss.dragonfly.preheat:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    images:
      - registry.example.com/shop/web:4.2.0
      - registry.example.com/shop/api:4.2.0
    platforms: [linux/amd64, linux/arm64]
    registries:
      registry.example.com:
        url: https://registry.example.com
        username: puller
        password: "{{ registry_password }}"
    scheduler_cluster_ids: [1, 2]
    wait_timeout: 1800
  delegate_to: localhost
  run_once: true

- name: Roll out only if it is warm, and say what is cold if not
  block:
    - name: Warm the image
      dragonflyoss.dragonfly.preheat:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        image: registry.example.com/shop/web:4.2.0
        verify: blobs
      register: warm
  rescue:
    - name: Say what is cold
      ansible.builtin.fail:
        msg: "Not rolled out ({{ ansible_failed_result.reason | default('unknown') }}): {{ ansible_failed_result.msg }}"
"""

RETURN = r"""
jobs:
  description:
    - The jobs that count for what was asked for, in its order, also when the task fails.
  returned: when the options make sense and the manager answers
  type: list
  elements: dict
  contains: &job
    id:
      description: Id of the job at the manager, V(null) where there is none.
      type: int
      returned: success
      sample: 31
    source:
      description:
        - V(created) by this task, V(adopted) while it was running, V(found) warm, V(planned) in check mode. V(null)
          where there is none.
      type: str
      returned: success
      sample: created
    name:
      description: What was asked for, as it was written, without secrets.
      type: str
      returned: success
      sample: registry.example.com/shop/web:4.2.0
    url:
      description: The URL that is preheated, that of the manifest for an image, without secrets.
      type: str
      returned: success
      sample: "https://registry.example.com/v2/shop/web/manifests/\
        sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    digest:
      description: Digest of the manifest that the job is pinned to.
      type: str
      returned: success
      sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    platform:
      description: Platform of the image where one was asked for.
      type: str
      returned: success
      sample: linux/amd64
    type:
      description: V(image) or V(file).
      type: str
      returned: success
      sample: image
    state:
      description: State of the job as the manager says it, V(PENDING), V(SUCCESS) or V(FAILURE).
      type: str
      returned: success
      sample: SUCCESS
    outcome:
      description:
        - V(warm), or V(pending) where it was not awaited, V(planned) in check mode, and V(failed), V(cold) (C(SUCCESS),
          but not warm), V(gone) (deleted while it was awaited), V(given_up) (by the manager), V(timed_out), V(refused)
          (no job was created, or not the one that was requested), V(unknown) (it could not be watched to the end, or
          the peers could not be asked).
      type: str
      returned: success
      sample: warm
    reason:
      description: A stable code for why it is not warm, such as V(no_seed_peer), V(go_peers) or V(nothing_warmed).
      type: str
      returned: success
      sample: null
    message:
      description: Why it is not warm, in words.
      type: str
      returned: success
      sample: null
    scheduler_cluster_ids:
      description: Ids of the clusters that the job is for.
      type: list
      elements: int
      returned: success
      sample: [1]
    blobs:
      description: Number of blobs, V(null) where it is not known.
      type: int
      returned: success
      sample: 4
    warm:
      description: URLs that are warm in every cluster, V(null) where the manager does not tell which (before 2.1.57).
      type: list
      elements: str
      returned: success
      sample: []
    cold:
      description: URLs that are not warm, V(null) where that is not known.
      type: list
      elements: str
      returned: success
      sample: []
    warm_percentage:
      description: How many of the blobs are warm, in percent.
      type: int
      returned: success
      sample: 100
    warmed_at:
      description: When the manager saw that it was done, V(null) where it is not warm.
      type: str
      returned: success
      sample: "2026-11-24T22:24:12Z"
    created_at:
      description: When the job was made.
      type: str
      returned: success
      sample: "2026-11-24T22:23:21Z"
    failures:
      description: What failed on which host, at most 20.
      type: list
      elements: dict
      returned: success
      sample: []
      contains:
        url:
          description: URL of the blob or file.
          type: str
          returned: success
        hostname:
          description: Name of the host.
          type: str
          returned: success
        ip:
          description: Address of the host.
          type: str
          returned: success
        scheduler_cluster_id:
          description: Id of the cluster.
          type: int
          returned: success
        description:
          description: The scheduler's words.
          type: str
          returned: success
    failures_count:
      description: How many failed in all.
      type: int
      returned: success
      sample: 0
    verified:
      description: What it is called warm by, V(peers), V(blobs), V(result) or V(none).
      type: str
      returned: success
      sample: blobs
    replaces:
      description: The job that was warm and does not count any more, so that this one was created; V(null) for others.
      type: dict
      returned: success
      sample: null
      contains:
        id:
          description: Id of that job.
          type: int
          returned: success
        reason:
          description:
            - V(deleted) (its content was deleted since), V(not_held) (the peers do not hold it), V(cold) (it lacks
              hosts).
          type: str
          returned: success
        message:
          description: The same in words.
          type: str
          returned: success
    args:
      description:
        - The job's arguments as the manager stores them, without credentials. C(timeout) is a duration such as V(1h).
      type: dict
      returned: success
      sample: {"type": "image", "scope": "single_seed_peer"}
msg:
  description: A summary, or why the task failed.
  returned: as jobs
  type: str
  sample: "3 of 3 warm: 1 created, 2 found"
counts:
  description: How many jobs there are, how many of them are warm, and how many have each RV(jobs[].source).
  returned: as jobs
  type: dict
  sample: {"jobs": 3, "warm": 3, "created": 1, "adopted": 0, "found": 2, "planned": 0}
elapsed:
  description: Seconds that it took.
  returned: as jobs
  type: float
  sample: 31.2
request:
  description: The request that failed, V(null) if nothing was requested.
  returned: failure
  type: str
  sample: GET /oapi/v1/jobs
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: failure
  type: int
  sample: 401
reason:
  description: A stable code for why the task failed.
  returned: failure
  type: str
  sample: nothing_warmed
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import (
    CONNECTION,
    REGISTRY,
    WAIT,
    duration,
    merged,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.options import check_params
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.run import Preheat
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._progress import progress_to

OBJECT_STORAGE = {
    "region": {"type": "str"},
    "endpoint": {"type": "str"},
    "access_key_id": {"type": "str", "no_log": True},
    "access_key_secret": {"type": "str", "no_log": True},
    "session_token": {"type": "str", "no_log": True},
    "security_token": {"type": "str", "no_log": True},
    "credential_path": {"type": "str"},
    "predefined_acl": {"type": "str"},
    "insecure_skip_verify": {"type": "bool"},
}


def preheat(module: DragonflyModule) -> dict[str, t.Any]:
    """Preheat what the options name."""
    check_params(module.params)
    run = Preheat(
        module.client(),
        module.registry_for(),
        module.params,
        module.clock(),
        check_mode=module.check_mode,
        progress=progress_to(module.params["progress_file"]),
    )
    try:
        return run.run()
    finally:
        for warning in run.warnings:
            module.warn(warning)


def main() -> None:
    """Run the module."""
    sources = ["image", "images", "file", "files"]
    module = DragonflyModule(
        argument_spec=merged(
            CONNECTION,
            WAIT,
            REGISTRY,
            image={"type": "str"},
            images={"type": "list", "elements": "str"},
            file={"type": "str"},
            files={"type": "list", "elements": "str"},
            platforms={"type": "list", "elements": "str", "aliases": ["platform"]},
            tag={"type": "str"},
            application={"type": "str"},
            filtered_query_params={"type": "list", "elements": "str"},
            piece_length={"type": "int"},
            headers={"type": "dict"},
            scope={
                "type": "str",
                "choices": ["single_seed_peer", "all_seed_peers", "all_peers"],
                "default": "single_seed_peer",
            },
            ips={"type": "list", "elements": "str"},
            count={"type": "int"},
            percentage={"type": "int"},
            concurrent_task_count={"type": "int"},
            concurrent_peer_count={"type": "int"},
            job_timeout=duration(),
            object_storage={"type": "dict", "options": OBJECT_STORAGE},
            hdfs={"type": "dict", "options": {"delegation_token": {"type": "str", "no_log": True}}},
            load_to_cache={"type": "bool"},
            enable_task_id_based_blob_digest={"type": "bool"},
            bio={"type": "str"},
            scheduler_cluster_ids={"type": "list", "elements": "int", "aliases": ["scheduler_cluster_id"]},
            expected_ips={"type": "list", "elements": "str"},
            max_age=duration("1h"),
            force={"type": "bool", "default": False},
            verify={"type": "str", "choices": ["auto", "blobs", "peers", "result", "none"], "default": "auto"},
            max_failed_peers_percentage={"type": "int", "default": 0},
            progress_file={"type": "path"},
        ),
        mutually_exclusive=[sources, ["count", "percentage"]],
        required_one_of=[sources],
        required_by={"client_key": ["client_cert"], "registry_password": ["registry_username"]},
    )
    module.run(preheat)


if __name__ == "__main__":
    main()
