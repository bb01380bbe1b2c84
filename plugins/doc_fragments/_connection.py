# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of CONNECTION in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  url:
    description:
      - Address of the manager's REST API, such as V(http://dragonfly-manager:8080). A path prefix is kept.
      - If not set, the environment variable E(DRAGONFLY_URL) is read, where the module runs.
    type: str
  token:
    description:
      - Personal access token of the manager, for all modules about jobs, tasks and clusters. Releases before 2.1.0 have
        none.
      - A module that needs O(jwt) ignores it.
      - If not set, the environment variable E(DRAGONFLY_TOKEN) is read, where the module runs.
    type: str
  jwt:
    description:
      - What a signed-in user has, for the modules about tokens, schedulers and peers, which take no O(token). See
        M(dragonflyoss.dragonfly.login).
      - A module that needs O(token) ignores it.
      - If not set, the environment variable E(DRAGONFLY_JWT) is read, where the module runs.
    type: str
  validate_certs:
    description:
      - Whether the certificate of an V(https) address is checked.
      - If not set, the environment variable E(DRAGONFLY_VALIDATE_CERTS) is read, where the module runs.
    type: bool
    default: true
  ca_path:
    description:
      - Path of a file with the certificates of the CAs that are trusted instead of those of the system.
      - If not set, the environment variable E(DRAGONFLY_CA_PATH) is read, where the module runs.
    type: path
  client_cert:
    description:
      - Path of a client certificate in PEM, which may hold the key too.
      - If not set, the environment variable E(DRAGONFLY_CLIENT_CERT) is read, where the module runs.
    type: path
  client_key:
    description:
      - Path of the key of O(client_cert), without a passphrase.
      - If not set, the environment variable E(DRAGONFLY_CLIENT_KEY) is read, where the module runs.
    type: path
  timeout:
    description:
      - Maximum time for one request, in seconds or as a duration such as V(90s) or V(5m).
      - If not set, the environment variable E(DRAGONFLY_TIMEOUT) is read, where the module runs.
    type: str
    default: 2m
requirements:
  - requests >= 2.20
notes:
  - The module runs where the task runs. Use C(delegate_to=localhost) in a play for hosts that cannot reach the manager.
"""
