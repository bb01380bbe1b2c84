#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preheat_hit_info
short_description: Tell whether a host hits what was preheated, and why not
version_added: 1.0.0
description:
  - Follows the pull of an image as containerd, podman or CRI-O and the Dragonfly client of the host would, by the
    host's files, and compares the task id of each blob with the one that the preheat made. Where they differ the pull
    goes to the registry as if nothing had been preheated, and no log says so; this module says which setting is to be
    changed.
  - The module reads the host's files with the standard library alone, so the host needs no Python library, not even
    C(requests). Secrets in the files do not leave the host. The action plugin of the same name judges on the
    controller, where C(images) and O(probe) need C(requests).
  - Nothing is changed, on the host or at the manager.
options:
  jobs:
    description:
      - What M(dragonflyoss.dragonfly.preheat) returned as RV(dragonflyoss.dragonfly.preheat#module:jobs). Jobs of files
        are left out, since containerd pulls images.
      - Either these or O(images).
    type: list
    elements: dict
  images:
    description:
      - Images that were or will be preheated, as M(dragonflyoss.dragonfly.preheat) takes them. Their manifests are read
        from the registry, from the controller. Where the registry cannot be reached a blob that stands for all is
        judged, and RV(notes) says so.
    type: list
    elements: str
    aliases: [image]
  platforms:
    description: Only the blobs of O(images) for these platforms are judged, such as V(linux/amd64). Defaults to V(all).
    type: list
    elements: str
    aliases: [platform]
  tag:
    description: Tag that the preheat of O(images) has. It is part of the task id.
    type: str
  application:
    description: Application that the preheat of O(images) has. It is part of the task id.
    type: str
  piece_length:
    description: Length of a piece in bytes that the preheat of O(images) has. It is part of the task id.
    type: int
  enable_task_id_based_blob_digest:
    description:
      - Whether the preheat of O(images) requests task IDs that are digests of blobs. Requires Dragonfly manager later
        than 2.5.1, see O(manager_release); older managers ignore it.
      - For O(jobs) their arguments decide.
    type: bool
    default: false
  seed_client:
    description:
      - The client that the seed peers run, V(dfget) for the Go client, V(dfdaemon) for the Rust client. It is they who
        give a preheat its task ids. By default the one of the host, and RV(notes) says so; but the Rust client where
        O(jobs) are warm and of a manager of 2.3.1 or later, which warms no other.
    type: str
    choices: [dfget, dfdaemon]
  seed_release:
    description: The release that the seed peers run, such as V(2.1.67). By default the one of the host.
    type: str
  manager_release:
    description:
      - The release of the manager, such as V(2.3.4). From 2.3.1 on nothing can be preheated to seed peers that run the
        Go client. By default what O(jobs) tell of it.
    type: str
  runtime:
    description:
      - The runtime whose pulls count. Buildah and Skopeo pull as V(podman) does.
      - By default the only one on the host, V(crio) where podman is there too, and V(containerd) where
        O(containerd_config) or O(certs_dir) is set.
    type: str
    choices: [containerd, podman, crio]
  probe:
    description:
      - Also ask the client's proxy for the smallest blob, as the runtime would, and compare the task id in its answer
        with what the files say. That is one small request a host, which brings the blob to it. It is left out in check
        mode, and where a secret header of the mirror cannot be read on the host.
    type: bool
    default: false
  probe_request:
    description:
      - What O(probe) asks. The action plugin computes it and refuses it in a task.
    type: dict
  dfget_config:
    description:
      - Path of the configuration of the Go client. By default the one that its unit names, else
        V(/etc/dragonfly/dfget.yaml).
    type: path
  dfdaemon_config:
    description:
      - Path of the configuration of the Rust client. By default the one that its unit names, else
        V(/etc/dragonfly/dfdaemon.yaml).
    type: path
  containerd_config:
    description:
      - Path of the configuration of containerd. By default the one that its unit names, that of k3s, RKE2, MicroK8s or
        k0s on their hosts, else V(/etc/containerd/config.toml).
    type: path
  certs_dir:
    description:
      - Folder with the mirrors, for pulls with C(ctr --hosts-dir). By default the one that containerd's configuration
        names.
    type: path
  registries_conf:
    description:
      - Path of C(registries.conf) of podman and CRI-O, whose drop-ins are in the folder of the same name with C(.d).
      - By default V(/etc/containers/registries.conf), and what root has in C(~/.config/containers).
    type: path
  validate_certs:
    description:
      - Whether the certificates of registries are checked. Only where nothing else is possible this may be V(false).
      - If it is not set, the environment variable E(DRAGONFLY_VALIDATE_CERTS) counts.
    type: bool
    default: true
  ca_path:
    description:
      - Path of a file with the certificates of the authorities that sign those of registries, on the controller.
      - If it is not set, the environment variable E(DRAGONFLY_CA_PATH) counts.
    type: path
  timeout:
    description:
      - Maximum time for one request to a registry or to the client, in seconds or as a duration such as V(90s).
    type: str
    default: 30s
  url:
    description:
      - Not used by this module. Accepted so C(module_defaults) of the action group can set it for all modules.
    type: str
  client_cert:
    description:
      - Not used by this module. Accepted so C(module_defaults) of the action group can set it for all modules.
    type: path
  client_key:
    description:
      - Not used by this module. Accepted so C(module_defaults) of the action group can set it for all modules.
    type: path
extends_documentation_fragment:
  - dragonflyoss.dragonfly._connection.no_token
  - dragonflyoss.dragonfly._connection.no_jwt
  - dragonflyoss.dragonfly._registry
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
  - dragonflyoss.dragonfly._attributes.action_group
notes:
  - Reading the configuration of the clients mostly needs C(become).
seealso:
  - module: dragonflyoss.dragonfly.preheat
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Tell whether this host will hit an image once it is preheated
  dragonflyoss.dragonfly.preheat_hit_info:
    images: [registry.example.com/shop/web:4.2.0]
  register: hit

- name: Preheat once
  dragonflyoss.dragonfly.preheat:
    url: http://dragonfly-manager:8080
    token: "{{ dragonfly_token }}"
    image: registry.example.com/shop/web:4.2.0
  run_once: true
  delegate_to: localhost
  register: warm

- name: Ask each host's own proxy, too
  dragonflyoss.dragonfly.preheat_hit_info:
    jobs: "{{ warm.jobs }}"
    probe: true
  become: true
  register: hit

- name: Judge the pulls of podman
  dragonflyoss.dragonfly.preheat_hit_info:
    jobs: "{{ warm.jobs }}"
    runtime: podman
  become: true

- name: List what has to be changed on hosts that would miss
  ansible.builtin.debug:
    msg: "{{ hit.reasons | map(attribute='message') | list }}"
  when: hit.hit != 'all'

- name: Go on where an image is no reference, but not for another reason
  block:
    - name: Judge a list that somebody wrote
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
    - How many of the blobs this host hits, V(all), V(some) or V(none). What is not known to hit does not count.
  returned: success
  type: str
  sample: all
blobs:
  description: What is judged of each blob.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: The image that it is of.
      type: str
      returned: success
      sample: registry.example.com/shop/web:4.2.0
    url:
      description: URL that the preheat made of it.
      type: str
      returned: success
      sample: "https://registry.example.com/v2/shop/web/blobs/\
        sha256:a5a398d9d086931d3ad2b58177199c95954fe62d884175dddb68a5931458129e"
    host_task_id:
      description: Task that this host asks for, V(null) where it does not ask Dragonfly.
      type: str
      returned: success
      sample: 19801ac0a56f4a679c4ed14725fd815e4cb13b235acca19cfbf89a2e3b007513
    preheat_task_id:
      description: Task that the preheat made.
      type: str
      returned: success
      sample: 19801ac0a56f4a679c4ed14725fd815e4cb13b235acca19cfbf89a2e3b007513
    hit:
      description: Whether the host hits it.
      type: bool
      returned: success
      sample: true
reasons:
  description: Why the host misses, each reason once. Empty if it hits all.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: A stable code.
      type: str
      returned: success
      sample: filter_without_ns
    file:
      description: Path on the host, empty where it is in no file.
      type: str
      returned: success
      sample: /etc/dragonfly/dfget.yaml
    key:
      description: Setting in the file, empty where it is none.
      type: str
      returned: success
      sample: proxy.defaultFilter
    remedy:
      description: What to do.
      type: str
      returned: success
      sample: "Add ns: 'Expires&Signature&ns', separated by &."
    message:
      description: All of it in words.
      type: str
      returned: success
      sample: "/etc/dragonfly/dfget.yaml: proxy.defaultFilter: containerd adds ?ns=REGISTRY to each pull, ..."
notes:
  description: What else is worth knowing, such as what had to be assumed.
  returned: success
  type: list
  elements: str
  sample: []
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
  description: Stable code of the reason why the task failed, such as V(bad_input).
  returned: failure
  type: str
  sample: bad_input
runtime:
  description: The runtime whose pulls were judged, V(null) where several may be meant.
  returned: success
  type: str
  sample: containerd
client:
  description: The client that serves the host's pulls, V(null) where none does.
  returned: success
  type: str
  sample: dfget
client_release:
  description: Its release, V(null) where it does not tell it.
  returned: success
  type: str
  sample: 2.1.67
probe:
  description: What the client's proxy answered, V(null) without O(probe) and where it was left out.
  returned: success
  type: dict
  contains:
    url:
      description: URL that the preheat made of the blob.
      type: str
      returned: success
      sample: "https://registry.example.com/v2/shop/web/blobs/\
        sha256:a5a398d9d086931d3ad2b58177199c95954fe62d884175dddb68a5931458129e"
    status:
      description: HTTP status.
      type: int
      returned: success
      sample: 200
    task_id:
      description: Task that the running client asked for.
      type: str
      returned: success
      sample: 19801ac0a56f4a679c4ed14725fd815e4cb13b235acca19cfbf89a2e3b007513
    predicted_task_id:
      description: Task that its files make it ask for.
      type: str
      returned: success
      sample: 19801ac0a56f4a679c4ed14725fd815e4cb13b235acca19cfbf89a2e3b007513
    agrees:
      description: Whether they are the same, V(null) where the answer names none.
      type: bool
      returned: success
      sample: true
    from_cache:
      description: Whether the host itself held the blob already. V(null) with the Go client, which does not tell.
      type: bool
      returned: success
      sample: null
    seconds:
      description: How long it took.
      type: float
      returned: success
      sample: 0.012
"""

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._argspec import HIT, REGISTRY, merged
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host import Host, runner
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host_facts import gather
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._probe import probe


def read_host(module: DragonflyModule) -> dict[str, t.Any]:
    """Return the host's facts, or what its proxy answers to a probe."""
    params = module.params
    if params["probe_request"]:
        return {"answer": probe(timeout=params["timeout"], **params["probe_request"])}
    configs = {"dfget": params["dfget_config"], "dfdaemon": params["dfdaemon_config"]}
    paths = (params[name] for name in ("containerd_config", "certs_dir", "registries_conf"))
    return {"facts": gather(Host(runner(module)), configs, *paths)}


def main() -> None:
    """Run the module."""
    # The action plugin has judged the options; of them only those come here that say where to look.
    module = DragonflyModule(
        argument_spec=merged(REGISTRY, HIT, probe_request={"type": "dict", "no_log": True}),
        mutually_exclusive=[["jobs", "images"]],
    )
    module.run(read_host, needs_requests=False)


if __name__ == "__main__":
    main()
