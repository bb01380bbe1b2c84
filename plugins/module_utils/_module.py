# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place that knows AnsibleModule: parameters to a client, errors to fail_json, a result to exit_json.

PRIVATE to the collection.
"""

from __future__ import annotations

import traceback

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import connect
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import REQUESTS_ERROR
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat import registry_bases
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import registry_finder
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._scrub import MASK, is_secret_header, url_secrets
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._wait import Clock

_LONG_HEADER = 12
_NO_SECRETS = ("region", "endpoint", "credential_path", "predefined_acl", "insecure_skip_verify")


class DragonflyModule(AnsibleModule):
    """A module of this collection."""

    def __init__(self, argument_spec, **kwargs):
        kwargs.setdefault("supports_check_mode", True)
        super().__init__(argument_spec=argument_spec, **kwargs)

    def _hide_secrets(self):
        """Has Ansible hide secrets within values that are no secret as a whole, also those of options that are none."""
        found = set(_secrets(self.params))
        if isinstance(self.params.get("registries"), str):
            # What is written of it cannot be read, so that nothing tells where its passwords are.
            found.add(self.params["registries"])
        self.no_log_values.update(secret for secret in found if len(secret) > 3 and secret != MASK)

    def _log_invocation(self):
        # Before AnsibleModule writes the parameters to the system's log.
        self._hide_secrets()
        super()._log_invocation()

    def fail_json(self, msg, **kwargs):
        # AnsibleModule refuses options before it comes to its log, and the result says how the module was called.
        self._hide_secrets()
        super().fail_json(msg, **kwargs)

    def run(self, function, needs_requests=True):
        """Calls a function that returns the module's result, and ends the module.

        :param function: takes this module; what it returns (dict) is the result, failed where its key ``failed`` is
            true.
        :param needs_requests: whether it sends requests, for which the library requests is needed.
        """
        try:
            if REQUESTS_ERROR and needs_requests:
                self.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_ERROR)
            result = function(self)
        except DragonflyError as exc:
            self.fail_json(msg=exc.message, reason=exc.reason, request=exc.request, status=exc.status)
        except Exception as exc:  # pylint: disable=broad-except
            # A fault of this collection. The message of the exception could hold anything, so only its kind and place
            # are shown.
            self.fail_json(
                msg=(
                    "This is a fault of the collection dragonflyoss.dragonfly, please report it: "
                    f"{type(exc).__name__} in {_place(exc)}."
                ),
                reason="fault",
            )
        if result.pop("failed", False):
            self.fail_json(**result)
        self.exit_json(**result)

    def client(self, credential="token", timeout=None):
        """The manager's L(DragonflyClient).

        :param credential: see L(connect).
        :param timeout: seconds for one request, None for those of the option.
        """
        return connect(dict(self.params, timeout=timeout) if timeout else self.params, credential)

    def registry_for(self):
        """A function that gives the L(Registry) of a wanted image: its own credentials, else those for all."""
        dummy, details = registry_bases(self.params.get("registries"))
        find = registry_finder(self.params, details)
        return lambda wanted: find(wanted.image.registry)

    def reveal(self, secret):
        """Lets the result hold a secret that it is about, which Ansible hides where an option holds it too.

        :param secret: str or None.
        """
        self.no_log_values.discard(secret)
        for name, value in self.params.items():
            if secret and value == secret:
                # The result says how the module was called, too.
                self.params[name] = None

    def clock(self):
        """The time."""
        return Clock()


def _secrets(value):
    if isinstance(value, str):
        return url_secrets(value)
    if isinstance(value, dict):
        headers = value.get("headers") if isinstance(value.get("headers"), dict) else {}
        found = [str(one) for key, one in value.items() if key == "password" and one]
        # What is short and no credential by its name would hide parts of words and numbers everywhere.
        found += [
            str(one) for name, one in headers.items() if is_secret_header(str(name)) or len(str(one)) >= _LONG_HEADER
        ]
        # Also what stands at a misspelt key.
        nested = [value[name] for name in ("object_storage", "hdfs") if isinstance(value.get(name), dict)]
        found += [str(one) for group in nested for key, one in group.items() if one and key not in _NO_SECRETS]
        return found + [secret for key, one in value.items() if key != "password" for secret in _secrets(one)]
    if isinstance(value, list):
        return [secret for one in value for secret in _secrets(one)]
    return []


def _place(exc):
    frames = traceback.extract_tb(exc.__traceback__)
    last = frames[-1]
    return f"{last.filename.rpartition('/')[2]}, line {last.lineno}"
