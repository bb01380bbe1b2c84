#!/usr/bin/python
# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Gather the configuration of the container runtimes and Dragonfly clients on a host
version_added: 1.0.0
description:
  - Returns the configuration files, releases and start times of containerd and of the Dragonfly clients on a host. The
    roles use them to decide what to change.
  - Detects the containerd that serves the pulls of the host, including those of k3s, RKE2, MicroK8s and k0s, and
    returns its configuration with all imported files.
  - Values that may be secret are replaced by V(hidden) before they leave the host, and comments are removed.
options:
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
    description: Path to the directory with the mirrors. Defaults to the C(config_path) in containerd's configuration.
    type: path
  registries_conf:
    description:
      - Path to the C(registries.conf) of podman and CRI-O. Its drop-ins are read from the directory of the same name
        with the suffix C(.d).
      - Defaults to V(/etc/containers/registries.conf), and to root's files in C(~/.config/containers).
    type: path
extends_documentation_fragment:
  - dragonflyoss.dragonfly._attributes
  - dragonflyoss.dragonfly._attributes.info_module
notes:
  - Reading the configuration of the clients usually requires C(become).
seealso:
  - module: dragonflyoss.dragonfly.preheat_hit_info
author:
  - Dragonfly collection contributors (@dragonflyoss)
"""

EXAMPLES = r"""
- name: Gather the configuration of the host
  dragonflyoss.dragonfly.host_info:
  become: true
  register: host

- name: Show which containerd serves the pulls, and the path to its configuration
  ansible.builtin.debug:
    msg: "{{ host.containerd.distribution }} reads {{ host.containerd.config.path }}"

- name: Use another configuration of containerd
  dragonflyoss.dragonfly.host_info:
    containerd_config: /srv/containerd/config.toml
  become: true
"""

RETURN = r"""
clients:
  description: Facts about the clients, with the keys V(dfget) and V(dfdaemon).
  returned: success
  type: dict
  sample: {}
containerd:
  description: Facts about containerd.
  returned: success
  type: dict
  contains:
    distribution:
      description:
        - V(containerd), V(k3s), V(rke2), V(microk8s), V(k0s), or V(unknown) if something else started containerd.
          V(null) if the host has no containerd.
      type: str
      sample: containerd
    config:
      description: The configuration with which containerd was started.
      type: dict
      sample: {"path": "/etc/containerd/config.toml", "text": "version = 2\n", "error": null}
    config_error:
      description: Reason why the configuration could not be determined, empty if it could.
      type: str
      sample: ""
    settings_error:
      description:
        - Reason why the settings of k3s or RKE2 could not be determined, with the file or the unit as C(key).
        - V(null) if they could be determined.
      type: dict
      sample: null
    imports:
      description: Files that the configuration imports, in the order in which containerd reads them.
      type: list
      elements: dict
      sample: []
    version:
      description: Release of containerd, V(null) if unknown.
      type: str
      sample: 1.7.24
registries_conf:
  description: Facts about podman, CRI-O, Buildah and Skopeo.
  returned: success
  type: dict
  contains:
    runtimes:
      description: V(podman) if the host has podman, Buildah or Skopeo, V(crio) if it has CRI-O.
      type: list
      elements: str
      sample: [podman]
    main:
      description: The file C(registries.conf).
      type: dict
      sample: {"path": "/etc/containers/registries.conf", "text": "", "error": null}
    drop_ins:
      description: Its drop-ins, in the order in which they are read.
      type: list
      elements: dict
      sample: []
    of_root:
      description: The file of root that replaces both, V(null) if it does not exist.
      type: dict
      sample: null
    logins:
      description: Files with credentials and the names of their registries. The credentials stay on the host.
      type: list
      elements: dict
      sample: [{"path": "/run/containers/0/auth.json", "registries": ["registry.example.com"]}]
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
    module.run(read, needs_requests=False, sends_requests=False)


if __name__ == "__main__":
    main()
