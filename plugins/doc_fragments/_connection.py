# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options for the connection to a manager."""

from __future__ import annotations


class ModuleDocFragment:
    # The twin of CONNECTION in module_utils/_argspec.py.
    DOCUMENTATION = r"""
options:
  url:
    description:
      - URL of the manager's REST API, such as V(http://dragonfly-manager:8080). It may include a path prefix.
      - If not set, the module reads E(DRAGONFLY_URL) from the environment of the host on which it runs.
    type: str
  validate_certs:
    description:
      - Whether to validate the TLS certificate of an V(https) URL.
      - If not set, the module reads E(DRAGONFLY_VALIDATE_CERTS) from the environment of the host on which it runs.
    type: bool
    default: true
  ca_path:
    description:
      - Path to a file of CA certificates to trust instead of the system's.
      - If not set, the module reads E(DRAGONFLY_CA_PATH) from the environment of the host on which it runs.
    type: path
  client_cert:
    description:
      - Path to a PEM file with the client certificate, and optionally its key.
      - If not set, the module reads E(DRAGONFLY_CLIENT_CERT) from the environment of the host on which it runs.
    type: path
  client_key:
    description:
      - Path to the private key of O(client_cert). A key with a passphrase is not supported.
      - If not set, the module reads E(DRAGONFLY_CLIENT_KEY) from the environment of the host on which it runs.
    type: path
  timeout:
    description:
      - Timeout of a single request, in seconds or as a duration such as V(90s) or V(5m), from 1s to 1d.
      - The time limit of a task that does not wait for jobs is three times this value, plus one second for each job.
        The task ends one O(timeout) later at the latest.
      - If not set, the module reads E(DRAGONFLY_TIMEOUT) from the environment of the host on which it runs.
    type: str
    default: 2m
requirements:
  - requests >= 2.20
notes:
  - The module sends its requests from the host on which the task runs. If that host cannot reach the manager, use
    C(delegate_to=localhost).
"""

    # What a module uses of the credentials in CONNECTION.
    TOKEN = r"""
options:
  token:
    description:
      - Personal access token of the manager, see M(dragonflyoss.dragonfly.personal_access_token). Dragonfly manager
        releases before 2.1.0 neither support nor require tokens.
      - If not set, the module reads E(DRAGONFLY_TOKEN) from the environment of the host on which it runs.
    type: str
"""

    NO_TOKEN = r"""
options:
  token:
    description:
      - Ignored. Exists because C(module_defaults) can set it for the action group.
    type: str
"""

    JWT = r"""
options:
  jwt:
    description:
      - Session token (JWT) returned by the M(dragonflyoss.dragonfly.login) module.
      - If not set, the module reads E(DRAGONFLY_JWT) from the environment of the host on which it runs.
      - If no session token is set, the module signs in with O(username) and O(password).
    type: str
  username:
    description:
      - Name of a user of the manager. The module signs in as this user only if O(jwt) is not set.
      - Dragonfly manager 2.2.0 or later accepts one sign-in per user every 5 seconds. For several tasks or hosts, sign
        in once and share the O(jwt).
      - If not set, the module reads E(DRAGONFLY_USERNAME) from the environment of the host on which it runs.
    type: str
  password:
    description:
      - Password of O(username).
      - If not set, the module reads E(DRAGONFLY_PASSWORD) from the environment of the host on which it runs.
    type: str
"""

    NO_JWT = r"""
options:
  jwt:
    description:
      - Ignored. Exists because C(module_defaults) can set it for the action group.
    type: str
  username:
    description:
      - Ignored. Exists because C(module_defaults) can set it for the action group.
    type: str
  password:
    description:
      - Ignored. Exists because C(module_defaults) can set it for the action group.
    type: str
"""
