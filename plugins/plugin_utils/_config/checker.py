# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the configuration of a client: the part that both clients share.

Does not access hosts: takes the configuration, the releases, and facts about the host and the preheat as
arguments, and returns problems.
"""

from __future__ import annotations

import re
import typing as t

from ...module_utils._image import DOCKER_HUB, serves_no_images
from ...module_utils._regex import first_match
from ...module_utils._release import format_release
from .._config import schema
from .messages import Problem, problem
from .service_options import flat_options, option_error
from .values import is_loopback, mappings, parse_duration, pattern_error, same_listener, split_address, value_error
from .variables import variable_of

#: For traces: initJaegerTracer in cmd/dependency/dependency.go, dragonfly-client/src/tracing/mod.rs.
TRACING_PROTOCOLS = ("grpc", "http", "https")
_MISSING = object()


class Context(t.NamedTuple):
    """Facts beside the configuration. Checks that need a missing fact are skipped.

    :ivar manager_release: str, as ``2.5.1``.
    :ivar dynconfig: whether the Rust client finds its schedulers in dynconfig.yaml.
    :ivar schedulers: addresses that a role would write to dynconfig.yaml.
    :ivar role_config: variable ``CLIENT_config`` of the role that writes the configuration, None without a role.
    :ivar service_options: settings that a role would write to the section [Service] of the unit.
    :ivar bases: base URLs of the registries that the host pulls from.
    :ivar taken_addresses: addresses on which other programs of the host listen, as ``HOST:PORT``.
    :ivar missing_files: paths in the configuration that do not exist on the host.
    :ivar max_age: maximum age in seconds of a warm preheat.
    :ivar tag: of the preheat.
    :ivar application: of the preheat.
    :ivar blob_digest_ids: whether the preheat requests task IDs that are digests of blobs.
    """

    manager_release: str | None = None
    dynconfig: bool = False
    schedulers: t.Sequence[str] = ()
    role_config: t.Mapping[str, t.Any] | None = None
    service_options: t.Mapping[str, t.Any] = {}
    bases: t.Sequence[str] = ()
    taken_addresses: t.Sequence[str] = ()
    missing_files: t.Sequence[str] = ()
    max_age: float | None = None
    tag: str = ""
    application: str = ""
    blob_digest_ids: bool = False


class Checker:
    """Collects the problems of a configuration. Subclasses define the differences between clients.

    :ivar client: ``dfget`` or ``dfdaemon``.
    :ivar engine: name of the client's regular expressions in messages.
    :ivar has_last_release: whether there will be no newer releases than the schema knows.
    :ivar accepts_empty: whether the client treats an empty value as a missing one.
    :ivar code_of_release: code of the problem that a release is not known.
    """

    client: t.ClassVar[str]
    engine: t.ClassVar[str]
    has_last_release: t.ClassVar[bool]
    accepts_empty: t.ClassVar[bool] = False
    code_of_release: t.ClassVar[str] = "no_such_client"

    def __init__(self, config: dict[str, t.Any], release: str | None, context: Context) -> None:
        self.config = config
        self.release = schema.checked_release(release)
        self.release_text = (release or "").lstrip("v") or "(release unknown)"
        self.manager = schema.checked_release(context.manager_release)
        self.context = context
        self.problems: list[Problem] = []
        self._unreadable: set[str] = set()

    def check(self) -> list[Problem]:
        """Return the problems, in the order of the file for its keys, then those of the whole."""
        self.check_release()
        for setting in schema.settings(self.config, self.client):
            self._check_setting(setting)
        first = len(self.problems)
        self.check_client()
        self.problems[first:] = [each for each in self.problems[first:] if not self.has_unreadable(each.key)]
        self._check_service_options()
        return self.problems

    def check_client(self) -> None:
        """Add the problems that only this client has."""
        raise NotImplementedError

    def deciding_query(self) -> str:
        """Return the query of the URL that the rules of the proxy are matched against."""
        raise NotImplementedError

    def add(self, code: str, key: str, **details: t.Any) -> None:
        """Add the problem of a code."""
        role_config = self.context.role_config
        variable = "" if role_config is None else variable_of(key, self.client, role_config)
        without_variable = problem(code, key, client=self.client, release=self.release_text, **details)
        self.problems.append(without_variable._replace(variable=variable))

    @property
    def has_role(self) -> bool:
        """Whether a role writes the configuration, so messages name its variables."""
        return self.context.role_config is not None

    def has_unreadable(self, *keys: str) -> bool:
        """Return whether one of the keys, the mapping that contains it, or an element of its list is unreadable."""
        paths = {path.partition("[")[0] for path in self._unreadable}
        return any(f"{key}.".startswith((f"{path}.", f"{path}[")) for key in keys for path in paths)

    def get(self, path: str, default: t.Any = None) -> t.Any:
        """Return a valid value, or else the default. Invalid values are reported elsewhere."""
        return default if path in self._unreadable else schema.get(self.config, self.client, path, default)

    def seconds(self, path: str, default: str) -> float:
        """Return the seconds of a duration that the client can read."""
        return t.cast(float, parse_duration(self.get(path, default), self.client, self.release))

    def before(self, *release: int) -> bool:
        """Return whether the client is known to be older than a release."""
        return self.release is not None and self.release < release

    # --- keys and values

    def check_release(self) -> None:
        """Add a problem if the schema does not cover the release."""
        first, last = schema.FIRST_RELEASE[self.client], schema.LAST_RELEASE[self.client]
        is_too_old = self.before(*t.cast(schema.Release, schema.checked_release(first)))
        newest_line = t.cast(schema.Release, schema.checked_release(last))[:2]
        is_too_new = self.has_last_release and self.release is not None and self.release[:2] > newest_line
        if is_too_old or is_too_new:
            self.add(self.code_of_release, "release", first=first, last=last)
            self.release = None  # Its keys are unknown.

    def _check_setting(self, setting: schema.Setting) -> None:
        lookup = schema.look_up(self.client, setting.path, format_release(self.release))
        if lookup.status == "branch":
            self._check_branch(setting)
        elif lookup.key is None:
            self._add_unknown(setting, lookup.instead)
        elif lookup.status == "known":
            self._check_value(setting, lookup.key)
        else:
            self._add_moved(setting, lookup, lookup.key)

    def _check_branch(self, setting: schema.Setting) -> None:
        """Check a value where a mapping is expected."""
        if setting.value or not isinstance(setting.value, (dict, list, type(None))):
            self._add_unreadable(setting, "wrong_type", wanted="a mapping")

    def _add_unknown(self, setting: schema.Setting, similar: str | None) -> None:
        hint = f"Did you mean {similar}?" if similar else "Leave it out."
        self.add("unknown_key", setting.where, suggestion=similar or "", hint=hint)

    def _add_moved(self, setting: schema.Setting, lookup: schema.Lookup, key: schema.Key) -> None:
        """Add the problem for a key that only other releases have."""
        # Checks of the whole configuration read keys regardless of the release.
        if self._type_error(setting, key):
            self._unreadable.add(setting.path)
        code = {"gone": "key_gone", "later": "key_not_yet"}[lookup.status]
        hint = f"Write {lookup.instead}." if lookup.instead else "Leave it out."
        self.add(code, setting.where, hint=hint, since=format_release(key.since) or "")

    def _add_unreadable(self, setting: schema.Setting, code: str, **details: t.Any) -> None:
        self._unreadable.add(setting.path)
        self.add(code, setting.where, **details)

    def _check_service_options(self) -> None:
        options = f"{self.client}_service_options" if self.has_role else "service_options"
        for name, where, value in flat_options(dict(self.context.service_options)):
            error = option_error(name, value)
            if error:
                self.add("bad_service_option", f"{options}.{where}", error=error)

    def _check_value(self, setting: schema.Setting, key: schema.Key) -> None:
        if setting.value is None and self.accepts_empty:
            return
        error = self._type_error(setting, key)
        if error:
            self._add_unreadable(setting, "wrong_type", wanted=error)
        else:
            self._check_readable(setting, key)

    def _type_error(self, setting: schema.Setting, key: schema.Key) -> str | None:
        """Return the type that a value should have, None if it has it."""
        errors = [value_error(kind, setting.value, self.client, self.release) for kind in key.types_in(self.release)]
        return errors[-1] if all(errors) else None

    def _check_readable(self, setting: schema.Setting, key: schema.Key) -> None:
        """Check a value that has the expected type."""
        if key.same and schema.get(self.config, self.client, key.same, _MISSING) is not _MISSING:
            self.add("duplicate_key", setting.where, other=key.same)
        error = pattern_error(setting.value, self.client) if key.type == "regex" else None
        if error:
            self._add_unreadable(setting, "bad_regex", error=error, engine=self.engine)
        for path in files_of(key.type, setting.value):
            if path in self.context.missing_files:
                self.add("missing_file", setting.where, path=path)

    # --- shared by both clients

    def check_tracing(self) -> None:
        """Add a problem for a protocol of traces that a client does not know; it panics where it has an endpoint."""
        protocol = self.get("tracing.protocol")
        if protocol and self.get("tracing.endpoint") and protocol not in TRACING_PROTOCOLS:
            self.add("bad_value", "tracing.protocol", wanted=f"one of {', '.join(TRACING_PROTOCOLS)}")

    def check_ports(self, listeners: dict[str, tuple[str, t.Any]]) -> None:
        """Add a problem for a listener whose address another listener, or another program of the host, uses.

        :param listeners: address and port by the key of the port. Ports that are not fixed are skipped.
        """
        fixed = {key: listener for key, listener in listeners.items() if _is_fixed(listener[1])}
        taken = {address: split_address(address) for address in self.context.taken_addresses}
        seen: dict[str, tuple[str, int]] = {}
        for key, listener in fixed.items():
            other, address = _clashing(listener, seen), _clashing(listener, taken)
            if other:
                self.add("port_clash", key, port=listener[1], other=other)
            elif address:
                self.add("port_taken", key, address=address)
            seen[key] = listener

    def check_expiry(self, key: str, default: str) -> None:
        """Add a problem if a seed peer evicts content that a preheat still counts as warm."""
        expiry = self.seconds(key, default)
        if self.context.max_age is not None and expiry < self.context.max_age:
            self.add("expires_too_soon", key, expiry=int(expiry), max_age=int(self.context.max_age))

    def check_listener(self, key: str, address: str, auth: t.Any) -> None:
        """Add a problem if the proxy serves other hosts without a password."""
        if not is_loopback(address) and not auth:
            self.add("open_proxy", key, address=address or "all addresses")

    def check_mirror(self, key: str, url: str) -> None:
        """Add a problem for a valid base URL that is not that of a registry."""
        if serves_no_images(url):
            self.add("mirror_serves_no_images", key, url=url)

    def proxy_rules(self, key: str) -> dict[int, dict[str, t.Any]]:
        """Return the rules of the proxy by index. Rules of other types are reported elsewhere."""
        return mappings(self.get(key) or [])

    def deciding_rules(self, rules: dict[int, dict[str, t.Any]], pattern: str) -> dict[str, int | None]:
        """Return by the base URL of each registry the index of the rule that applies to its blobs.

        :param rules: of the proxy by index; the first that matches decides.
        :param pattern: the key of a rule that holds its regular expression.
        :returns: None for a registry that no rule matches.
        """
        patterns = {index: str(rule.get(pattern, ".*")) for index, rule in rules.items()}
        blob = f"/v2/library/app/blobs/sha256:{'0' * 64}{self.deciding_query()}"
        bases = self.context.bases or (DOCKER_HUB,)
        deciding: dict[str, int | None] = {base: first_match(patterns, base.rstrip("/") + blob) for base in bases}
        if not self.context.bases:
            # Rules for a registry whose name is unknown here.
            deciding.update({text: index for index, text in patterns.items() if re.search("blobs|sha256", text)})
        return deciding

    def check_rewrites(
        self, rules: dict[int, dict[str, t.Any]], deciding: t.Iterable[int | None], where: str, *names: str
    ) -> None:
        """Add a problem for each setting of a deciding rule that changes the URL, and with it the task ID."""
        for index, rule in rules.items():
            for name in names:
                if index in deciding and rule.get(name):
                    self.add("rewritten_url", f"{where}[{index}].{name}")


def _is_fixed(port: t.Any) -> bool:
    return isinstance(port, int) and port != 0


def _clashing(listener: tuple[str, int], others: dict[str, tuple[str, int]]) -> str | None:
    """Return the name of the first other listener that cannot share the host with this one, None without one."""
    return next((name for name, other in others.items() if same_listener(listener, other)), None)


def files_of(kind: str, value: t.Any) -> list[str]:
    """Return the paths that a client opens when it starts with a value.

    :param kind: a type of the schema.
    :param value: of that type.
    """
    kind = kind.rstrip("?")
    if kind == "files":
        return list(value)
    if kind == "file" or (kind == "pem" and not value.strip().startswith("-----BEGIN ")):
        return [value] if value else []
    return []
