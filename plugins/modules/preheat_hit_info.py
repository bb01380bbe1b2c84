#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preheat_hit_info
short_description: Report whether a host hits preheated content, and why not
version_added: 1.0.0
description:
  - Reads the configuration of the container runtime and of the Dragonfly client on the host, computes the task ID that
    a pull requests for each blob, and compares it with the task ID of the preheat. If they differ, the pull silently
    misses the preheated content. The module returns the setting to change.
  - The module requires no Python library on the host. Secrets in the host's files do not leave the host. The action
    plugin of the same name evaluates the files on the controller, where O(images) and O(probe) require C(requests).
  - Changes nothing on the host or in the manager, except that the client caches one blob with O(probe=true).
options:
  jobs:
    description:
      - The jobs returned by M(dragonflyoss.dragonfly.preheat) as RV(dragonflyoss.dragonfly.preheat#module:jobs). Jobs
        of files are ignored, because container runtimes pull images only.
      - Exactly one of O(jobs) and O(images) is required.
    type: list
    elements: dict
  images:
    description:
      - Images that were or will be preheated, in the format of O(dragonflyoss.dragonfly.preheat#module:images). The
        controller reads their manifests from the registry. If it cannot reach the registry, the module checks one
        representative blob of each image, and says so in RV(notes).
      - Exactly one of O(jobs) and O(images) is required.
    type: list
    elements: str
    aliases: [image]
  platforms:
    description: Check only the blobs of O(images) for these platforms, such as V(linux/amd64). Defaults to V(all).
    type: list
    elements: str
    aliases: [platform]
  tag:
    description: Tag of the Dragonfly tasks in the preheat of O(images). It is part of the task ID.
    type: str
  application:
    description: Application of the preheat of O(images). It is part of the task ID.
    type: str
  piece_length:
    description: Piece length of the preheat of O(images) in bytes, from 4194304 to 67108864. It is part of the task ID.
    type: int
  enable_task_id_based_blob_digest:
    description:
      - Whether the preheat of O(images) uses the digests of blobs as task IDs. Requires a Dragonfly manager release
        later than 2.5.1. Set O(manager_release) too; otherwise the task IDs are unknown.
      - With O(jobs), the module reads it from the arguments of each job.
    type: bool
    default: false
  seed_client:
    description:
      - Client that the seed peers run, V(dfget) for the Go client or V(dfdaemon) for the Rust client. The seed peers
        compute the task IDs of a preheat.
      - Defaults to V(dfdaemon) if O(jobs) are warm and were created by Dragonfly manager 2.3.1 or later, whose
        schedulers preheat only Rust clients. Otherwise, defaults to the client of the host, and RV(notes) says so.
    type: str
    choices: [dfget, dfdaemon]
  seed_release:
    description: Release of the client on the seed peers, such as V(2.1.67). Defaults to the release of the host's
      client if it is the same client, otherwise to the newest release that the collection knows.
    type: str
  manager_release:
    description:
      - Release of the manager, such as V(2.3.4). The schedulers of Dragonfly 2.3.1 or later cannot preheat seed peers
        that run the Go client. By default the module derives it from O(jobs).
    type: str
  runtime:
    description:
      - Container runtime to check. Use V(podman) for Buildah and Skopeo.
      - Defaults to the only runtime on the host, to V(crio) on a host with CRI-O and podman, and to V(containerd) if
        O(containerd_config) or O(certs_dir) is set.
    type: str
    choices: [containerd, podman, crio]
  probe:
    description:
      - Whether to also request the smallest blob from the client's proxy, as the runtime would, and to compare the task
        ID in the response with the computed one. It does not matter from where the client gets the blob.
      - The proxy of each host receives one request and caches the blob. The module reads at most 1 MiB of the response.
      - In check mode, the module sends no request. It also sends none if the mirror on the host has a secret header
        that the module cannot read.
    type: bool
    default: false
  probe_request:
    description:
      - For internal use. The action plugin sets it to the request that O(probe) sends, and rejects it in a task.
    type: dict
  dfget_config:
    description:
      - Path to the configuration of the Go client. Defaults to the path in its systemd unit, or to
        V(/etc/dragonfly/dfget.yaml).
    type: path
  dfdaemon_config:
    description:
      - Path to the configuration of the Rust client. Defaults to the path in its systemd unit, or to
        V(/etc/dragonfly/dfdaemon.yaml).
    type: path
  containerd_config:
    description:
      - Path to the configuration of containerd. Defaults to the path in its systemd unit, to the path of k3s, RKE2,
        MicroK8s or k0s on their hosts, or to V(/etc/containerd/config.toml).
    type: path
  certs_dir:
    description:
      - Path to the directory with the mirrors, for pulls with C(ctr --hosts-dir). Defaults to the C(config_path) in
        containerd's configuration.
    type: path
  registries_conf:
    description:
      - Path to the C(registries.conf) of podman and CRI-O. Its drop-ins are read from the directory of the same name
        with the suffix C(.d).
      - Defaults to V(/etc/containers/registries.conf), and to root's files in C(~/.config/containers).
    type: path
  validate_certs:
    description:
      - Whether to validate the TLS certificates of registries.
      - If not set, the module reads E(DRAGONFLY_VALIDATE_CERTS) from the environment of the controller.
    type: bool
    default: true
  ca_path:
    description:
      - Path, on the controller, to a file of CA certificates to trust for registries instead of the system's.
      - If not set, the module reads E(DRAGONFLY_CA_PATH) from the environment of the controller.
    type: path
  timeout:
    description:
      - Timeout of a single request to a registry or to the client, in seconds or as a duration such as V(90s), from 1s
        to 1d.
    type: str
    default: 30s
  url:
    description:
      - Ignored by this module. Accepted so C(module_defaults) can set it for the whole action group.
    type: str
  client_cert:
    description:
      - Ignored by this module. Accepted so C(module_defaults) can set it for the whole action group.
    type: path
  client_key:
    description:
      - Ignored by this module. Accepted so C(module_defaults) can set it for the whole action group.
    type: path
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection.no_token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._registry
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - Never modifies state in check mode. Outside of it, the client caches one blob with O(probe=true).
  idempotent:
    support: full
    details:
      - With O(probe=true), the client caches one blob.
notes:
  - Reading the configuration of the clients usually requires C(become).
seealso:
  - module: dragonflyoss.dragonfly.preheat
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Check whether this host will hit an image when it is preheated
  dragonflyoss.dragonfly.preheat_hit_info:
    images: [registry.example.com/shop/web:4.2.0]
  become: true
  register: hit

- name: Preheat once
  dragonflyoss.dragonfly.preheat:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0
  run_once: true
  delegate_to: localhost
  register: warm

- name: Verify the result with a request to each host's own proxy
  dragonflyoss.dragonfly.preheat_hit_info:
    jobs: "{{ warm.jobs }}"
    probe: true
  become: true
  register: hit

- name: Check the pulls of podman
  dragonflyoss.dragonfly.preheat_hit_info:
    jobs: "{{ warm.jobs }}"
    runtime: podman
  become: true

- name: List what to change on hosts that would miss
  ansible.builtin.debug:
    msg: "{{ hit.reasons | map(attribute='message') | list }}"
  when: hit.hit != 'all'

- name: Continue if an image reference is not valid, but fail for any other reason
  block:
    - name: Check a list of images
      dragonflyoss.dragonfly.preheat_hit_info:
        images: ["Registry.example.com/Shop/Web"]
  rescue:
    - name: Fail for any other reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
      when: ansible_failed_result.reason | default('') != 'bad_input'
"""

RETURN = r"""
hit:
  description:
    - How many of the blobs this host hits, V(all), V(some) or V(none). A blob hits if the host requests the same task
      ID as the preheat. Blobs with an unknown result do not count, so V(none) does not prove a miss. See RV(reasons).
    - A hit does not mean that every byte comes from Dragonfly. The Rust client 1.4.2 or later fetches blobs of up to 4
      MiB from the registry unless C(proxy.disableBackToSource) is V(true). RV(notes) reports this.
  returned: success
  type: str
  sample: all
blobs:
  description: The checked blobs.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: The image of the blob.
      type: str
      sample: registry.example.com/shop/web:4.2.0
    url:
      description: URL of the blob in the preheat. V(null) if the blobs of the image are unknown. In this case, one
        entry stands for all of them, and has no task IDs.
      type: str
      sample: "https://registry.example.com/v2/shop/web/blobs/\
        sha256:a5a398d9d086931d3ad2b58177199c95954fe62d884175dddb68a5931458129e"
    host_task_id:
      description: ID of the task that this host requests, V(null) if unknown or if it does not use Dragonfly.
      type: str
      sample: 19801ac0a56f4a679c4ed14725fd815e4cb13b235acca19cfbf89a2e3b007513
    preheat_task_id:
      description: ID of the task that the preheat created, V(null) if unknown.
      type: str
      sample: 19801ac0a56f4a679c4ed14725fd815e4cb13b235acca19cfbf89a2e3b007513
    hit:
      description: Whether the host requests the blob under the same task ID as the preheat.
      type: bool
      sample: true
reasons:
  description: Reasons why the host misses, without duplicates. Empty if it hits all.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: Stable code of the reason.
      type: str
      sample: filter_without_ns
    file:
      description: Path to the file on the host, empty if the reason is not in a file.
      type: str
      sample: /etc/dragonfly/dfget.yaml
    key:
      description: Setting in the file, empty if the reason is not a setting.
      type: str
      sample: proxy.defaultFilter
    remedy:
      description: What to do.
      type: str
      sample: "Add ns: 'Expires&Signature&ns', separated by &."
    message:
      description: File, setting, reason and remedy as text.
      type: str
      sample: "/etc/dragonfly/dfget.yaml: proxy.defaultFilter: containerd adds ?ns=REGISTRY to each pull, ..."
notes:
  description: Further information, such as assumptions of the module.
  returned: success
  type: list
  elements: str
  sample: []
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
  description: Stable code of the reason why the task failed, such as V(bad_input).
  returned: failure
  type: str
  sample: manifest_unknown
runtime:
  description: Container runtime whose pulls were checked, V(null) if the host has several and O(runtime) is not set.
  returned: success
  type: str
  sample: containerd
client:
  description: Client that serves the pulls of the host, V(null) if there is none.
  returned: success
  type: str
  sample: dfget
client_release:
  description: Release of the client, V(null) if unknown.
  returned: success
  type: str
  sample: 2.1.67
probe:
  description: Response of the client's proxy, V(null) if O(probe=false) or if the probe was skipped.
  returned: success
  type: dict
  contains:
    url:
      description: URL of the blob in the preheat.
      type: str
      sample: "https://registry.example.com/v2/shop/web/blobs/\
        sha256:a5a398d9d086931d3ad2b58177199c95954fe62d884175dddb68a5931458129e"
    status:
      description: HTTP status.
      type: int
      sample: 200
    task_id:
      description: ID of the task that the running client used.
      type: str
      sample: 19801ac0a56f4a679c4ed14725fd815e4cb13b235acca19cfbf89a2e3b007513
    predicted_task_id:
      description: ID of the task according to the files of the host.
      type: str
      sample: 19801ac0a56f4a679c4ed14725fd815e4cb13b235acca19cfbf89a2e3b007513
    agrees:
      description: Whether both IDs are identical, V(null) if the response contains none.
      type: bool
      sample: true
    from_cache:
      description: Whether the host already held the blob. V(null) with the Go client, which does not report it.
      type: bool
      sample: null
    seconds:
      description: Duration of the request in seconds.
      type: float
      sample: 0.012
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import HIT, REGISTRY, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host import Host, runner
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host_facts import gather
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._probe import probe


def read_host(module: DragonflyModule) -> dict[str, t.Any]:
    """Return the host's facts, or the response of its proxy to a probe."""
    params = module.params
    if params["probe_request"]:
        return {"answer": probe(timeout=params["timeout"], **params["probe_request"])}
    configs = {"dfget": params["dfget_config"], "dfdaemon": params["dfdaemon_config"]}
    paths = (params[name] for name in ("containerd_config", "certs_dir", "registries_conf"))
    return {"facts": gather(Host(runner(module)), configs, *paths)}


def main() -> None:
    """Run the module."""
    # The action plugin has checked the options. It passes only those that name paths on the host.
    module = DragonflyModule(
        argument_spec=merged(REGISTRY, HIT, probe_request={"type": "dict", "no_log": True}),
        mutually_exclusive=[["jobs", "images"]],
    )
    module.run(read_host, needs_requests=False)


if __name__ == "__main__":
    main()
