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
      - A task that does not wait ends after four times as long, and one second for each job.
      - If not set, the environment variable E(DRAGONFLY_TIMEOUT) is read, where the module runs.
    type: str
    default: 2m
requirements:
  - requests >= 2.20
notes:
  - The module runs where the task runs. Use C(delegate_to=localhost) in a play for hosts that cannot reach the manager.
"""

    # What a module uses of the credentials in CONNECTION.
    TOKEN = r"""
options:
  token:
    description:
      - Personal access token of the manager, see M(dragonflyoss.dragonfly.personal_access_token). Releases before 2.1.0
        have none, and require none.
      - If not set, the environment variable E(DRAGONFLY_TOKEN) is read, where the module runs.
    type: str
"""

    NO_TOKEN = r"""
options:
  token:
    description:
      - Not used by this module. Accepted so C(module_defaults) of the action group can set it for all modules.
    type: str
"""

    JWT = r"""
options:
  jwt:
    description:
      - Session token (JWT) returned by the M(dragonflyoss.dragonfly.login) module.
      - If not set, the environment variable E(DRAGONFLY_JWT) is read, where the module runs.
      - Without O(jwt), the module signs in with O(username) and O(password).
    type: str
  username:
    description:
      - Name of a user of the manager, to sign in without O(jwt).
      - A manager of 2.2.0 or later accepts one sign-in of a user every 5 seconds, so several tasks or hosts had better
        share the O(jwt) of one sign-in.
      - If not set, the environment variable E(DRAGONFLY_USERNAME) is read, where the module runs.
    type: str
  password:
    description:
      - Password of O(username).
      - If not set, the environment variable E(DRAGONFLY_PASSWORD) is read, where the module runs.
    type: str
"""

    NO_JWT = r"""
options:
  jwt:
    description:
      - Not used by this module. Accepted so C(module_defaults) of the action group can set it for all modules.
    type: str
  username:
    description:
      - Not used by this module. Accepted so C(module_defaults) of the action group can set it for all modules.
    type: str
  password:
    description:
      - Not used by this module. Accepted so C(module_defaults) of the action group can set it for all modules.
    type: str
"""
