#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preheat
short_description: Preheat images and files in Dragonfly, and verify that they are cached
version_added: 1.0.0
description:
  - Creates preheat jobs in a Dragonfly manager, waits for them, and succeeds only if the requested content is warm,
    which means that every blob is cached where O(scope) requires it.
  - With the default O(scope=single_seed_peer), one seed peer of each cluster fetches each blob. The blobs of an image
    can be on different seed peers. Other hosts do not hold them until they pull. Clusters without an active scheduler
    are left out. The module warns of them if the token also has the scope C(cluster).
  - If an identical job is running, the module waits for it. If an identical job succeeded within O(max_age) and its
    content is warm, no job is created.
  - Before the module creates jobs, it pauses for a random time of up to 1 second and lists the jobs again. Therefore,
    tasks that start at the same time rarely create identical jobs.
  - The state C(SUCCESS) of a job does not prove that its content is warm. The module checks the result blob by blob,
    see O(verify).
  - Supports Dragonfly manager 2.0.9 to 2.5.1. The module fails if the manager's release does not support an option,
    instead of silently ignoring it.
options:
  image:
    description:
      - One image, such as V(redis:7), V(registry.example.com:5000/team/app@sha256:...),
        V(http://registry:5000/team/app:1) for a registry without TLS, or the whole URL of a manifest.
      - Exactly one of O(image), O(images), O(file) and O(files) is required.
    type: str
  images:
    description:
      - List of images. Each image is preheated by its own job. Duplicates are ignored.
      - Exactly one of O(image), O(images), O(file) and O(files) is required.
    type: list
    elements: str
  file:
    description:
      - URL of one file, without user name, password and fragment. For credentials, use O(headers).
      - The manager stores the URL, including a signature in its query, and returns it with the job, see the notes.
      - Exactly one of O(image), O(images), O(file) and O(files) is required.
    type: str
  files:
    description:
      - List of file URLs, see O(file). Each file is preheated by its own job.
      - Exactly one of O(image), O(images), O(file) and O(files) is required.
    type: list
    elements: str
  platforms:
    description:
      - Platforms of images, such as V(linux/amd64). Each platform is preheated by its own job. V(all) selects every
        platform of the image, and requires that the module can read the manifest from the registry.
      - By default the manager preheats the platform of its own host.
    type: list
    elements: str
    aliases: [platform]
  tag:
    description:
      - Tag of the Dragonfly tasks, not a tag of Ansible. It is part of the task ID, so only hosts that use the same tag
        hit. Do not set it for content that containerd pulls.
    type: str
  application:
    description:
      - Application of the Dragonfly tasks. Like O(tag), it is part of the task ID. Requires Dragonfly manager 2.2.3 or
        later.
    type: str
  filtered_query_params:
    description:
      - Names of query parameters to exclude from the task ID of files. URLs of blobs have no query.
      - With Dragonfly manager 2.1.62 or later, defaults to the signature parameters of common object stores. A value
        replaces the default.
    type: list
    elements: str
  piece_length:
    description:
      - Piece length in bytes, from 4194304 to 67108864. It is part of the task ID. Requires Dragonfly manager 2.2.1 or
        later.
    type: int
  headers:
    description:
      - Headers of the requests to the registry or origin. The manager stores them in plain text and returns them
        with the job, see the notes.
      - The output hides long values and the values of headers whose name suggests a credential (C(Authorization),
        C(Cookie), C(X-...-Token)).
      - An C(Authorization) header is not sent to a registry that has its own user name in O(registries).
    type: dict
  scope:
    description:
      - Peers to preheat. With V(single_seed_peer), one seed peer of each cluster fetches each blob, and the other peers
        download it from there. The scheduler selects the seed peer by the task ID.
      - With schedulers 2.3.1 and later, V(all_peers) does not include seed peers.
      - V(all_peers) requires Dragonfly manager 2.1.57 or later, V(all_seed_peers) 2.1.66 or later. Both require peers
        with the Rust client.
    type: str
    choices: [single_seed_peer, all_seed_peers, all_peers]
    default: single_seed_peer
  ips:
    description:
      - Addresses of the peers to preheat, for O(scope=all_peers) and O(scope=all_seed_peers). Each of them must become
        warm. At most 100 addresses. Requires Dragonfly manager 2.3.1 or later.
    type: list
    elements: str
    aliases: [ip]
  count:
    description:
      - Number of peers to preheat, from 1 to 200, for O(scope=all_peers) and O(scope=all_seed_peers). The scheduler
        of each cluster selects them arbitrarily. To select peers yourself, use O(ips). Requires Dragonfly manager 2.2.3
        or later.
      - Mutually exclusive with O(percentage).
    type: int
  percentage:
    description:
      - Percentage of the peers to preheat, from 1 to 100, for O(scope=all_peers) and O(scope=all_seed_peers). The
        scheduler of each cluster rounds the number down, to at least 1, and selects the peers arbitrarily. Requires
        Dragonfly manager 2.2.3 or later.
      - Mutually exclusive with O(count).
    type: int
  concurrent_task_count:
    description:
      - Maximum number of blobs to preheat concurrently, from 1 to 100. Requires Dragonfly manager 2.3.1 or later.
    type: int
  concurrent_peer_count:
    description:
      - Maximum number of peers to preheat concurrently, from 1 to 1000, or to 500 before Dragonfly manager 2.3.1.
        Requires Dragonfly manager 2.1.57 or later.
    type: int
  job_timeout:
    description:
      - Time limit of a job in the schedulers, in seconds or as a duration such as V(30m), from 1s to 7d. Requires
        Dragonfly manager 2.1.57 or later.
      - Defaults to 1 hour, or to 30 minutes before Dragonfly manager 2.3.1. A longer limit than the time for which the
        manager watches a job (see O(wait_timeout)) has no effect.
    type: str
  object_storage:
    description:
      - Settings to read files from an object store. Requires Dragonfly manager 2.4.4 or later.
    type: dict
    suboptions:
      region:
        description: Region of the bucket.
        type: str
      endpoint:
        description: Address of the object store.
        type: str
      access_key_id:
        description: ID of the access key.
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
        description: Whether to skip the validation of the object store's TLS certificate.
        type: bool
  hdfs:
    description:
      - Settings to read files from HDFS. Requires Dragonfly manager 2.4.4 or later.
    type: dict
    suboptions:
      delegation_token:
        description: Delegation token.
        type: str
  load_to_cache:
    description:
      - Whether peers keep the content in memory. Supported by Dragonfly manager 2.2.2 to 2.3.0.
    type: bool
  enable_task_id_based_blob_digest:
    description:
      - Whether to use the digest of a blob as its task ID instead of an ID computed from its URL, so one preheat serves
        every registry. Hosts hit only if the proxy of their client enables C(enableTaskIDBasedBlobDigest).
      - Requires a Dragonfly manager release later than 2.5.1. With other releases, the task fails.
      - RV(jobs[].args) shows whether a job uses it.
    type: bool
  bio:
    description:
      - Description of the job in the manager, up to 1005 characters. Defaults to the reference as given.
      - The module appends a fingerprint of the request, such as C([ansible 1f3a9c2e]), by which later runs recognize
        the job on managers whose defaults this collection does not know. It holds no credentials.
    type: str
  scheduler_cluster_ids:
    description:
      - IDs of the scheduler clusters to preheat. Each cluster is preheated by its own job.
      - By default one job is created for all clusters.
    type: list
    elements: int
    aliases: [scheduler_cluster_id]
  expected_ips:
    description:
      - IP addresses of hosts that must be warm when the task ends, for O(scope=all_peers) and O(scope=all_seed_peers),
        regardless of O(max_failed_peers_percentage). Hosts missing from the result count as cold, because a scheduler
        reports only the hosts it knows.
      - With several clusters, the results of all clusters are combined. If several hosts have the same address, each of
        them must be warm.
    type: list
    elements: str
    aliases: [expected_ip]
  max_age:
    description:
      - Maximum age of an identical warm job to reuse instead of creating a new one, in seconds or as a duration such as
        V(90s), V(30m), V(4h) or V(7d), from 0s to 365d. Older jobs are not reused, because caches expire.
      - Dragonfly manager 2.2.0 or later deletes jobs after 6 hours by default, so a larger value has no effect there.
        Releases 2.1.57 to 2.1.67 delete them after 12 to 48 hours.
      - The age is measured by the manager's clock.
      - With V(0), the module does not reuse finished jobs, but still waits for a running one.
      - Only O(verify=peers) detects that peers have evicted the content in the meantime.
    type: str
    default: 1h
  force:
    description:
      - Whether to always create a new job.
    type: bool
    default: false
  verify:
    description:
      - How to verify that the content of a job is warm.
      - V(auto) requires every blob of the manifest in the result. If the registry cannot be reached, the module warns
        and relies on the result alone. If it denies access, the task fails.
      - V(blobs) is like V(auto), but fails if the registry cannot be reached.
      - V(peers) is like V(blobs), and also requires that the peers hold every blob now.
      - V(result) requires a result that lists at least one URL and no failure.
      - V(none) trusts the state C(SUCCESS).
      - With V(peers), the module also checks existing jobs. If content is gone, it creates a new job, and
        RV(jobs[].replaces) reports the reason. The module creates one job for each blob (at most 1000). Requires
        Dragonfly manager and schedulers 2.4.0 or later; with earlier releases, the task fails, in some cases with the
        outcome V(unknown).
      - With V(peers), the task takes at least 30 seconds longer. This time counts towards O(wait_timeout). With
        O(wait=false), the time limit of the task is 120 seconds longer.
      - With V(auto), V(blobs) and V(result), a warm job is not reused if the manager's list of jobs shows that its
        content was deleted later, for example by M(dragonflyoss.dragonfly.task). The list does not show what the peers
        evicted.
      - With V(auto), V(blobs) and V(peers), the job is pinned to the digest of the manifest. If the tag moves, the next
        run creates a new job.
    type: str
    choices: [auto, blobs, peers, result, none]
    default: auto
  max_failed_peers_percentage:
    description:
      - Maximum percentage of peers that may fail, from 0 to 100. Requires O(scope=all_peers) or
        O(scope=all_seed_peers).
    type: int
    default: 0
  progress_file:
    description:
      - Path to a file to which the module appends a line whenever the progress changes. If the module runs on the
        controller, its action plugin displays these lines while the task runs. Symbolic links are not followed.
    type: path
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection
  - dragonflyoss.dragonfly._connection.token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._wait
  - dragonflyoss.dragonfly._registry
  - dragonflyoss.dragonfly._registry.stored
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
      - Within O(max_age), and unless O(force=true).
seealso:
  - module: dragonflyoss.dragonfly.job_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Preheat one image
  dragonflyoss.dragonfly.preheat:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0

- name: Preheat a release for two platforms in two clusters
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

- name: Stop the rollout and report what is cold if the image is not warm
  block:
    - name: Preheat the image
      dragonflyoss.dragonfly.preheat:
        url: http://dragonfly-manager:8080
        token: "{{ dragonfly_token }}"
        image: registry.example.com/shop/web:4.2.0
        verify: blobs
      register: warm
  rescue:
    - name: Report what is cold
      ansible.builtin.fail:
        msg: "Not rolled out ({{ ansible_failed_result.reason | default('unknown') }}): {{ ansible_failed_result.msg }}"
"""

RETURN = r"""
jobs:
  description:
    - The jobs for the requested content, in the order of the request, also if the task fails.
  returned: when the options are valid and the manager responds
  type: list
  elements: dict
  contains: &job
    id:
      description: ID of the job, V(null) if there is none.
      type: int
      sample: 31
    source:
      description:
        - V(created) by this task, V(adopted) while it was running, V(found) warm, V(planned) in check mode. V(null) if
          there is no job.
      type: str
      sample: created
    name:
      description: The requested image or file as given, without secrets.
      type: str
      sample: registry.example.com/shop/web:4.2.0
    url:
      description: The preheated URL without secrets. For an image, the URL of its manifest.
      type: str
      sample: "https://registry.example.com/v2/shop/web/manifests/\
        sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    digest:
      description: Digest of the manifest to which the job is pinned.
      type: str
      sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    platform:
      description: Requested platform of the image, V(null) if none was requested.
      type: str
      sample: linux/amd64
    type:
      description: V(image) or V(file).
      type: str
      sample: image
    state:
      description: State of the job as reported by the manager, V(PENDING), V(SUCCESS) or V(FAILURE).
      type: str
      sample: SUCCESS
    outcome:
      description:
        - "V(warm): the content is cached."
        - "V(cold): the manager reports C(SUCCESS), but blobs or hosts are not warm."
        - "V(failed): the manager reports C(FAILURE)."
        - "V(pending): the module did not wait for the job."
        - "V(planned): no job was created, because the module ran in check mode."
        - "V(refused): the manager rejected the job, or created it without a requested option."
        - "V(gone): the job was deleted while the module waited."
        - "V(given_up): the manager stopped watching the job before it finished."
        - "V(timed_out): the job did not finish within O(wait_timeout)."
        - "V(unknown): the module could not poll the job until it finished, or could not query the peers."
      type: str
      sample: warm
    reason:
      description: Stable code of the reason why the content is not warm, such as V(no_seed_peer), V(go_peers) or
        V(nothing_warmed).
      type: str
      sample: null
    message:
      description: Reason why the content is not warm, as text.
      type: str
      sample: null
    scheduler_cluster_ids:
      description: IDs of the scheduler clusters of the job.
      type: list
      elements: int
      sample: [1]
    blobs:
      description: Number of blobs, V(null) if unknown, as with RV(jobs[].verified=result).
      type: int
      sample: 4
    warm:
      description: URLs that are warm in every cluster, V(null) if the manager does not report them (before 2.1.57).
      type: list
      elements: str
      sample: []
    cold:
      description: URLs that are not warm, V(null) if unknown.
      type: list
      elements: str
      sample: []
    warm_percentage:
      description: Percentage of the blobs that are warm, at most 99 if the job is not warm. V(null) if unknown.
      type: int
      sample: 100
    warmed_at:
      description: Time when the manager recorded that the job finished, V(null) if the content is not warm.
      type: str
      sample: "2026-11-24T22:24:12Z"
    created_at:
      description: Time when the job was created.
      type: str
      sample: "2026-11-24T22:23:21Z"
    failures:
      description: Failures by host, at most 20.
      type: list
      elements: dict
      sample: []
      contains:
        url:
          description: URL of the blob or file.
          type: str
        hostname:
          description: Name of the host.
          type: str
        ip:
          description: Address of the host.
          type: str
        scheduler_cluster_id:
          description: ID of the cluster.
          type: int
        description:
          description: Error message of the scheduler.
          type: str
    failures_count:
      description: Total number of failures.
      type: int
      sample: 0
    verified:
      description: How the outcome was verified, V(peers), V(blobs), V(result) or V(none).
      type: str
      sample: blobs
    replaces:
      description: The earlier warm job that this job replaces because it no longer counts. V(null) if there is none.
      type: dict
      sample: null
      contains:
        id:
          description: ID of that job.
          type: int
        reason:
          description:
            - V(deleted) (its content was deleted), V(not_held) (the peers no longer hold it), V(cold) (hosts are
              missing from it).
          type: str
        message:
          description: The reason as text.
          type: str
    args:
      description:
        - Arguments of the job as the manager stores them, without credentials. C(timeout) is a duration such as V(1h).
      type: dict
      sample: {"type": "image", "scope": "single_seed_peer"}
msg:
  description: Summary of the result, or the reason why the task failed.
  returned: as jobs
  type: str
  sample: "3 of 3 warm: 1 created, 2 found"
counts:
  description: Number of jobs, of warm jobs, and of jobs by RV(jobs[].source).
  returned: as jobs
  type: dict
  sample: {"jobs": 3, "warm": 3, "created": 1, "adopted": 0, "found": 2, "planned": 0}
elapsed:
  description: Duration of the task in seconds.
  returned: as jobs
  type: float
  sample: 31.2
request:
  description: The request that failed. V(null) or missing if the task failed for another reason, such as an option.
  returned: if a request failed
  type: str
  sample: GET https://registry.example.com/v2/shop/web/manifests/4.2.0
status:
  description: HTTP status of the response to that request, V(null) without a response.
  returned: if a request failed
  type: int
  sample: 404
reason:
  description: Stable code of the reason why the task failed.
  returned: failure
  type: str
  sample: manifest_unknown
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import (
    REGISTRY,
    WAIT,
    connection,
    duration,
    merged,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.context import RunContext
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.options import check_params
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.run import run_preheat
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._progress import progress_problem, progress_to

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
    """Preheat the images or files of the options."""
    check_params(module.params)
    unwritable = progress_problem(module.params["progress_file"])
    if unwritable:
        module.warn(unwritable)
    context = RunContext(module.client(), module.params, module.clock(), module.check_mode)
    try:
        return run_preheat(context, module.registry_for(), progress_to(module.params["progress_file"]))
    finally:
        for warning in context.warnings:
            module.warn(warning)


def main() -> None:
    """Run the module."""
    sources = ["image", "images", "file", "files"]
    module = DragonflyModule(
        argument_spec=merged(
            connection("token"),
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
            ips={"type": "list", "elements": "str", "aliases": ["ip"]},
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
            expected_ips={"type": "list", "elements": "str", "aliases": ["expected_ip"]},
            max_age=duration("1h"),
            force={"type": "bool", "default": False},
            verify={"type": "str", "choices": ["auto", "blobs", "peers", "result", "none"], "default": "auto"},
            max_failed_peers_percentage={"type": "int", "default": 0},
            progress_file={"type": "path"},
        ),
        mutually_exclusive=[sources, ["count", "percentage"]],
        required_one_of=[sources],
        required_by={"client_key": ["client_cert"]},
    )
    module.run(preheat)


if __name__ == "__main__":
    main()
