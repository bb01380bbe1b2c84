# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only file that uses AnsibleModule: converts parameters to a client, and errors and results to its exits."""

from __future__ import annotations

import os
import platform
import sys
import traceback
import types
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.respawn import has_respawned, probe_interpreters_for_module, respawn_module

from ._argspec import ArgumentSpec, ignored_credentials, validation_problems
from ._client import DragonflyClient, connect
from ._control_characters import control_problems
from ._errors import DragonflyError, GarbledError
from ._http import REQUESTS_ERROR
from ._option_checks import raise_problems, with_seconds
from ._passwords import plain_passwords, secrets_in_password
from ._polling import Clock, limit_task
from ._redact import MASK, MOST_LEVELS, escape_c1, is_secret_header, printable, url_secrets
from ._registry import Registry, registry_finder
from ._registry_config import read_registries
from ._sign_in import jwt_for

# Masking shorter values of headers without credentials would hide parts of words everywhere.
_LONG_HEADER = 12
# The same applies to shorter secrets.
_SHORTEST_SECRET = 4
_NO_SECRETS = ("region", "endpoint", "credential_path", "predefined_acl", "insecure_skip_verify")
#: The function of a module, which returns the result.
ModuleFunction = t.Callable[["DragonflyModule"], t.Dict[str, t.Any]]

#: Directories of the distribution's Python libraries.
_SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")


class DragonflyModule(AnsibleModule):
    """A module of this collection."""

    def __init__(self, argument_spec: ArgumentSpec, **kwargs: t.Any) -> None:
        kwargs.setdefault("supports_check_mode", True)
        self._options_accepted = False
        super().__init__(argument_spec=argument_spec, **kwargs)
        self._options_accepted = True
        self._forget_ignored_credentials()
        self._clock = Clock()

    def _forget_ignored_credentials(self) -> None:
        """Drop credentials that the module ignores, because Ansible would mask their values in the whole result.

        A short password such as ``dragonfly`` would also be masked in URLs and names.
        """
        names = ignored_credentials(self.argument_spec)
        ignored = {self.params[name] for name in names}
        self.params.update(dict.fromkeys(names))
        self.no_log_values.difference_update(ignored.difference(_texts(self.params)))

    def _hide_secrets(self) -> None:
        """Make Ansible hide secrets within values that are not secret as a whole, also in options without no_log."""
        secrets = set(secrets_in(self.params))
        for name, spec in self.argument_spec.items():
            if spec.get("no_log"):
                # Ansible hides the given value, but not its text of a mapping.
                secrets.update(secrets_in_password(self.params.get(name)))
        if isinstance(self.params.get("registries"), str):
            # The text cannot be parsed as a dictionary, so passwords may be anywhere in it.
            secrets.add(self.params["registries"])
        self.no_log_values.update(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET and secret != MASK)

    def _log_invocation(self) -> None:
        # Before AnsibleModule writes the parameters to the system's log.
        self._hide_secrets()
        # The system's log does not accept NUL. ``run`` refuses such options.
        if not control_problems(self.params):
            super()._log_invocation()

    def fail_json(self, msg: str, **kwargs: t.Any) -> None:
        """Fail the module, without secrets in its result."""
        # AnsibleModule may fail before it has logged, and the result contains the arguments.
        self._hide_secrets()
        validation = getattr(self, "validation_result", None)
        if not self._options_accepted and validation is not None and validation.error_messages:
            # AnsibleModule reports only the first problem.
            msg = "; ".join(validation_problems(validation, self.argument_spec)) + "."
            kwargs.setdefault("reason", "bad_input")
        super().fail_json(printable(msg), **kwargs)

    def exit_json(self, **kwargs: t.Any) -> None:
        """End the module successfully."""
        if isinstance(kwargs.get("msg"), str):
            kwargs["msg"] = printable(kwargs["msg"])
        super().exit_json(**kwargs)

    def warn(self, warning: str, **kwargs: t.Any) -> None:
        """Warn, with control characters in the text escaped."""
        super().warn(printable(warning), **kwargs)

    def _restore_passwords(self) -> None:
        """Restore passwords that Ansible parsed as JSON."""
        passwords = plain_passwords(self.params)
        # Hiding an empty password would mask the gaps between all letters.
        self.no_log_values.update(password for password in passwords.values() if password)
        self.params.update(passwords)

    def run(self, function: ModuleFunction, needs_requests: bool = True, sends_requests: bool = True) -> None:
        """Run the module: call a function, and exit with its result.

        :param function: returns the result, which is a failure if its key ``failed`` is true.
        :param needs_requests: whether the module needs the library requests.
        :param sends_requests: whether a failure has the keys ``request`` and ``status``.
        """
        try:
            if REQUESTS_ERROR and needs_requests:
                self.fail_json(msg=missing_requests(), reason="missing_library", exception=REQUESTS_ERROR)
            self._restore_passwords()
            raise_problems(control_problems(self.params))
            self.params.update(with_seconds(self.params))
            limit_task(self._clock, self.params)
            result = self._escaped_result(function) if needs_requests else function(self)
        except DragonflyError as exc:
            self.fail_json(msg=exc.message, **_failure_details(exc, sends_requests))
        except Exception as exc:  # pylint: disable=broad-except
            # A bug of this collection. The exception's message may contain secrets, so only its type and location are
            # shown.
            self.fail_json(
                msg=(
                    "This is a fault of the collection dragonflyoss.dragonfly, please report it: "
                    f"{type(exc).__name__} in {_place(exc.__traceback__)}."
                ),
                reason="fault",
            )
        if result.pop("failed", False):
            self.fail_json(**result)
        self.exit_json(**result)

    def _escaped_result(self, function: ModuleFunction) -> dict[str, t.Any]:
        """Return the result of a function, whose texts come from servers."""
        try:
            return escape_c1(function(self))
        except RecursionError:
            message = (
                f"A response is garbled: its lists and objects are nested more than {MOST_LEVELS} levels deep. What to "
                "do: check the URL, and the proxies in front of the manager."
            )
            raise GarbledError(message, "garbled") from None

    def find_library(self, library: str, package: str) -> None:
        """Restart the module with a Python of the system that has a library, or fail if there is none.

        :param package: package of the distribution, for the message.
        """
        interpreter = None if has_respawned() else probe_interpreters_for_module(_SYSTEM_PYTHONS, library)
        if interpreter:
            respawn_module(interpreter)
        self.fail_json(
            msg=f"{missing_required_lib(library)} Install the package {package} on the host.", reason="missing_library"
        )

    def client(self, credential: str | None = "token", timeout: float | None = None) -> DragonflyClient:
        """Return a client of the manager.

        :param credential: see ``connect``.
        :param timeout: time limit of a request in seconds, None for the option ``timeout``.
        """
        if credential == "jwt":
            self._sign_in()
        self._warn_of_missing_certificates()
        return connect(dict(self.params, timeout=timeout) if timeout else self.params, credential, self.clock())

    def _warn_of_missing_certificates(self) -> None:
        """Warn of missing files if no request would fail because of them."""
        if not str(self.params.get("url") or "").startswith("http://"):
            return
        for name in ("ca_path", "client_cert", "client_key"):
            path = self.params.get(name)
            if path and not os.path.exists(path):
                self.warn(f"{name}: the file {path} does not exist. Requests to an http:// URL do not use it.")

    def _sign_in(self) -> None:
        """Set the option ``jwt`` if only user name and password are given, and hide it in the result."""
        jwt = jwt_for(self.params, self.clock())
        if jwt:
            self.no_log_values.add(jwt)
        self.params["jwt"] = jwt

    def registry_for(self) -> t.Callable[[t.Any], Registry]:
        """Return a function that returns the registry of a planned image, with its own or the common credentials."""
        _bases, details = read_registries(self.params.get("registries"))
        find = registry_finder(self.params, details, self.clock())
        return lambda planned: find(planned.image.registry)

    def reveal(self, secret: str | None) -> None:
        """Allow the result to contain a secret that Ansible would hide because an option contains it."""
        self.no_log_values.discard(secret)
        for name, value in self.params.items():
            if secret and value == secret:
                # The result contains the arguments of the module.
                self.params[name] = None

    def clock(self) -> Clock:
        """Return the clock of the task, which has its time limit."""
        return self._clock


def _failure_details(exc: DragonflyError, sends_requests: bool) -> dict[str, t.Any]:
    """Return the result keys of a failure, those of a request only if the module sends requests."""
    request = {"request": exc.request, "status": exc.status} if sends_requests else {}
    return {"reason": exc.reason, **request}


def _texts(value: t.Any) -> t.Iterator[str]:
    """Yield the strings in options."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for element in value:
            yield from _texts(element)


def missing_requests() -> str:
    """Return the error message that names the interpreter without requests, and the command to install it."""
    return (
        f"The Python library requests is not installed for {sys.executable} on {platform.node()}. What to do: run "
        f"'{sys.executable} -m pip install requests', or install the package python3-requests. To use another Python, "
        "set ansible_python_interpreter for this host."
    )


def secrets_in(value: t.Any) -> list[str]:
    """Return the secrets in an option: passwords, credentials in URLs and headers, keys of an object storage."""
    if isinstance(value, str):
        return url_secrets(value)
    if isinstance(value, list):
        return [secret for item in value for secret in secrets_in(item)]
    if isinstance(value, dict):
        return _secrets_in_dict(value)
    return []


def _secrets_in_dict(options: dict[str, t.Any]) -> list[str]:
    secrets = []
    for key, value in options.items():
        secrets += secrets_in_password(value) if key == "password" else secrets_in(value)
        if isinstance(value, dict):
            secrets += [str(text) for name, text in value.items() if _is_secret(key, str(name), text)]
    return secrets


def _is_secret(option: str, key: str, value: t.Any) -> bool:
    """Return whether a value of an option that is a dictionary is a secret."""
    if option == "headers":
        return is_secret_header(key) or len(str(value)) >= _LONG_HEADER
    # Also what is at a misspelt key.
    return option in ("object_storage", "hdfs") and bool(value) and key not in _NO_SECRETS


def _place(trace: types.TracebackType | None) -> str:
    frame = traceback.extract_tb(trace)[-1]
    return f"{frame.filename.rpartition('/')[2]}, line {frame.lineno}"
