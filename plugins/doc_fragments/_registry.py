# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for registries."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of REGISTRY in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  registries:
    description:
      - Registries by the name that image references use. Each value is a base URL, or a dictionary of C(url),
        C(username), C(password) and C(ca_path).
      - A path in the URL is prepended to the repository, as required for a proxy project of an internal registry.
      - The URL is part of the task ID of each blob, so it must be the base URL that the hosts use
        (C(X-Dragonfly-Registry) in their C(hosts.toml)). Defaults to C(https://NAME), and to V(https://index.docker.io)
        for V(docker.io).
    type: dict
  registry_username:
    description:
      - User name for the registry. Requires O(registry_password).
      - If the images come from more than one registry, set it in O(registries) instead.
    type: str
  registry_password:
    description:
      - Password for the registry. Requires O(registry_username).
      - If the images come from more than one registry, set it in O(registries) instead.
      - For the user V(_json_key), it is the content of the service account's key file. If a template yields another
        password that is valid JSON, add C(| string), because ansible-core converts it to a dictionary otherwise.
    type: str
"""

    # ansible-doc rejects a fragment without options.
    STORED = r"""
options: {}
notes:
  - The manager stores the user name and password of a registry with the job, in plain text. It returns the job to every
    token with the scope C(job) (before 2.2.2 to every token), to every user who can sign in, and up to 2.4.0 to anyone
    who reaches its port. Use credentials with read-only access.
"""
