#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Read what decides about a host's pulls
version_added: 1.0.0
description:
  - Reads the files, releases and start times of containerd and of the Dragonfly clients on a host, in one go. The roles
    decide by them what to do.
  - It finds the containerd that serves the host's pulls, which may be that of k3s, RKE2, MicroK8s or k0s, and the
    configuration that it is started with, with the files that this imports.
  - Values that may be secret are replaced by V(hidden) before they leave the host, and comments are left out.
options:
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
    description: Folder with mirrors. By default the one that containerd's configuration names.
    type: path
  registries_conf:
    description:
      - Path of C(registries.conf) of podman and CRI-O, whose drop-ins are in the folder of the same name with C(.d).
      - By default V(/etc/containers/registries.conf), and what root has in C(~/.config/containers).
    type: path
extends_documentation_fragment:
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
notes:
  - Reading the configuration of the clients mostly needs C(become).
seealso:
  - module: dragonflyoss.dragonfly.preheat_hit_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Read what decides about the host's pulls
  dragonflyoss.dragonfly.host_info:
  become: true
  register: host

- name: Show which containerd serves the pulls, and what it reads
  ansible.builtin.debug:
    msg: "{{ host.containerd.distribution }} reads {{ host.containerd.config.path }}"

- name: Read another configuration of containerd
  dragonflyoss.dragonfly.host_info:
    containerd_config: /srv/containerd/config.toml
  become: true
"""

RETURN = r"""
clients:
  description: What is known of the clients V(dfget) and V(dfdaemon), by their names.
  returned: success
  type: dict
  sample: {}
containerd:
  description: What is known of containerd.
  returned: success
  type: dict
  contains:
    distribution:
      description:
        - V(containerd), V(k3s), V(rke2), V(microk8s) or V(k0s); V(unknown) for a containerd that something else
          started. V(null) without containerd.
      type: str
      returned: success
      sample: containerd
    config:
      description: The configuration that it is started with.
      type: dict
      returned: success
      sample: {"path": "/etc/containerd/config.toml", "text": "version = 2\n", "error": null}
    config_error:
      description: Why it is not known which configuration that is, empty if it is known.
      type: str
      returned: success
      sample: ""
    imports:
      description: Files that the configuration imports, in the order in which containerd reads them.
      type: list
      elements: dict
      returned: success
      sample: []
    version:
      description: Its release, V(null) if it does not tell it.
      type: str
      returned: success
      sample: 1.7.24
registries_conf:
  description: What is known of podman, CRI-O, Buildah and Skopeo.
  returned: success
  type: dict
  contains:
    runtimes:
      description: V(podman) where it, Buildah or Skopeo is on the host, V(crio) where CRI-O is.
      type: list
      elements: str
      returned: success
      sample: [podman]
    main:
      description: The file C(registries.conf).
      type: dict
      returned: success
      sample: {"path": "/etc/containers/registries.conf", "text": "", "error": null}
    drop_ins:
      description: Its drop-ins, in the order in which they are read.
      type: list
      elements: dict
      returned: success
      sample: []
    of_root:
      description: The file of root that replaces both, V(null) without one.
      type: dict
      returned: success
      sample: null
    logins:
      description: Files with credentials and the registries that these are of. Credentials stay on the host.
      type: list
      elements: dict
      returned: success
      sample: [{"path": "/run/containers/0/auth.json", "registries": ["registry.example.com"]}]
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
  description: Stable code of the reason why the task failed, such as V(fault).
  returned: failure
  type: str
  sample: fault
"""

from typing import Any

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host import Host, runner
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._host_facts import gather
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._module import DragonflyModule


def read(module: DragonflyModule) -> dict[str, Any]:
    """Return the host's facts."""
    params = module.params
    configs = {"dfget": params["dfget_config"], "dfdaemon": params["dfdaemon_config"]}
    paths = (params[name] for name in ("containerd_config", "certs_dir", "registries_conf"))
    return gather(Host(runner(module)), configs, *paths)


def main() -> None:
    """Run the module."""
    paths = ("dfget_config", "dfdaemon_config", "containerd_config", "certs_dir", "registries_conf")
    module = DragonflyModule(argument_spec={name: {"type": "path"} for name in paths})
    module.run(read, needs_requests=False)


if __name__ == "__main__":
    main()
