# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of REGISTRY in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  registries:
    description:
      - Where registries are, by the name that image references use. A value is a base URL, or a dictionary of C(url),
        C(username), C(password) and C(ca_path).
      - A path in a URL is put before the repository, as a proxy project of an internal registry needs it.
      - It must be the base that the hosts use (C(X-Dragonfly-Registry) in their C(hosts.toml)), for it is part of what
        identifies a blob. Without an entry it is C(https://NAME), and V(https://index.docker.io) for V(docker.io).
    type: dict
  registry_username:
    description:
      - User name for the registry. With images of more than one registry, give it in O(registries) instead.
      - Where a job is made with it, the manager stores it and shows it to every token with the scope C(job).
    type: str
  registry_password:
    description:
      - Password for the registry. With images of more than one registry, give it in O(registries) instead.
      - Where a job is made with it, the manager stores it in clear and shows it to every token with the scope C(job).
        Use one that can only read.
      - Of the user V(_json_key) it is the key file of a service account. Where a template yields another password that
        reads like JSON, add C(| string), since ansible-core turns it into a mapping otherwise.
    type: str
"""
