# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Base class of both Dragonfly clients: their files, the port of the proxy, and their request for a pull."""

from __future__ import annotations

import abc
import functools
import typing as t

from ...module_utils._config_redaction import HIDDEN
from ...module_utils._release import format_release, parse_release
from ...module_utils._task_id import NEWEST, Recipe, recipe_for
from .._config.checker import Context
from .._config.messages import PREVENT_START, Problem
from .._config.problems import config_problems
from .._config.schema import get, settings
from .._config.values import may_reach, parse_duration
from .files import newer_than_unit, parse_file, parse_text
from .reasons import Reason, reason, reason_from_problem
from .route import Route
from .setting import Setting


class BlobRequest(t.NamedTuple):
    """The request of a client to Dragonfly when a runtime pulls a blob.

    :ivar base: base URL of the registry.
    :ivar url: URL of the blob, with its query.
    :ivar query_filter: names (list of str) of omitted query parameters.
    :ivar tag: empty without one.
    :ivar application: empty without one.
    :ivar piece_length: bytes as text; empty without one.
    :ivar byte_range: requested part of the blob; empty for the complete blob.
    :ivar fixed_id: task ID that is not computed from the URL.
    :ivar rewritten_by: setting that replaced a part of the URL.
    :ivar reasons: why the client requests the blob from the registry instead of Dragonfly.
    :ivar names_registry: whether the runtime can name the registry.
    """

    base: Setting
    url: str
    query_filter: Setting
    tag: Setting
    application: Setting
    piece_length: Setting
    byte_range: Setting
    fixed_id: Setting | None
    rewritten_by: Setting | None
    reasons: list[Reason]
    names_registry: bool = True

    @property
    def base_setting(self) -> Setting:
        """The setting from which the host of the URL is: a redirect, or else the base URL."""
        rewrite = self.rewritten_by
        return rewrite if rewrite and isinstance(rewrite.value, str) else self.base


class Login(t.NamedTuple):
    """How a proxy requires credentials.

    :ivar key: key that enables this.
    :ivar header: header that contains them.
    :ivar status: status of the response without credentials.
    """

    key: str
    header: str
    status: int


@functools.lru_cache(maxsize=256)
def _checked(client: str, text: str, release: str | None) -> tuple[list[Problem], list[Problem]]:
    """Return why a client cannot start with a configuration, and misspelt keys in it."""
    config = parse_text(client, text)[0]
    values = {setting.where: setting.value for setting in settings(config, client)}
    # Whether dynconfig.yaml exists is unknown.
    problems = config_problems(config, client, release, Context(dynconfig=True))
    # Redacted values cannot be checked here.
    fatal = [
        problem for problem in problems if problem.code in PREVENT_START and HIDDEN not in str(values.get(problem.key))
    ]
    return fatal, [problem for problem in problems if problem.suggestion]


def _unit_reasons(unit: dict[str, t.Any] | None) -> list[Reason]:
    """Return a reason if a unit is not running, or if it is unknown what it runs. None stands for no unit."""
    if unit is None:
        return []
    if unit.get("state") not in ("active", None):
        return [reason("not_running", unit=unit["name"], state=unit["state"])]
    return [reason("unit_unknown", unit=unit["name"], error=unit["error"])] if unit.get("error") else []


class Client(abc.ABC):
    """A Dragonfly client on a host.

    :cvar name: ``dfget`` or ``dfdaemon``.
    :cvar login: how its proxy requires credentials.
    :ivar release: tuple of int, None if it is not known.
    :ivar is_readable: whether its configuration can be read.
    :ivar reasons: why it serves no pulls.
    :ivar misspelt: keys that may be misspelt, which matters only if a pull misses.
    """

    name: t.ClassVar[str]
    login: t.ClassVar[Login]

    def __init__(self, facts: dict[str, t.Any]) -> None:
        self.release = parse_release(facts.get("version"))
        self.path: str = facts["config"]["path"]
        self.misspelt: list[Reason] = []
        self.config, unreadable = parse_file(facts["config"], self.name)
        self.is_readable = unreadable is None
        unit, text = facts.get("unit"), facts["config"].get("text")
        self.reasons = [unreadable] if unreadable else []
        self.reasons += [*_unit_reasons(unit), *newer_than_unit(facts["config"], unit)]
        if self.is_readable and text:
            fatal, misspelt = _checked(self.name, text, facts.get("version") if self.release else None)
            self.reasons += [reason_from_problem(problem, self.path) for problem in fatal]
            self.misspelt = [reason_from_problem(problem, self.path) for problem in misspelt]

    @property
    @abc.abstractmethod
    def port(self) -> t.Any:
        """Port or ports of its proxy in the file."""

    @property
    @abc.abstractmethod
    def address(self) -> str:
        """Address on which its proxy listens; empty for all."""

    @property
    def _any_address(self) -> str:
        """Default address on which its proxy listens.

        Source: dragonfly v2.1.67 client/config/peerhost.go (Convert), client v1.5.1 dfdaemon.rs (convert).
        """
        spellings = ("network.enableIPv6", "network.enableIpv6")
        return "::" if any(self.get(spelling, False) for spelling in spellings) else "0.0.0.0"  # noqa: S104

    @property
    @abc.abstractmethod
    def mirror_url(self) -> Setting:
        """Base URL for pulls that name no registry, or empty."""

    @property
    @abc.abstractmethod
    def is_seed(self) -> bool:
        """Whether it is a seed peer."""

    @property
    def misses_parts(self) -> bool:
        """Whether it does not serve every part of a preheated blob from the cache."""
        return self.skips_small_parts

    @property
    def skips_small_parts(self) -> bool:
        """Whether it requests small blobs, and small parts of blobs, from the registry, preheated or not."""
        return False

    @property
    @abc.abstractmethod
    def _expiry(self) -> tuple[str, str]:
        """The key of the time for which a task is kept after its last use, and its default."""

    @abc.abstractmethod
    def _request(self, route: Route, path: str) -> BlobRequest:
        """Return its request to Dragonfly without regard to credentials.

        :param route: on which the runtime pulls.
        :param path: of the blob, without a query.
        """

    def blob_request(self, route: Route, repository: str, digest: str) -> BlobRequest:
        """Return its request to Dragonfly when a runtime pulls a blob.

        :param route: on which the runtime pulls.
        :param repository: as in the image reference.
        :param digest: of the blob.
        """
        request = self._request(route, route.blob_path(repository, digest))
        request = request._replace(names_registry=route.names_registry)
        key, header, status = self.login
        if get(self.config, self.name, key) is not None and not route.headers.get(header.lower()):
            values = {"client": self.name, "header": header, "status": status}
            request.reasons.append(reason("no_login", self.path, key, **values))
        return request

    def task_id(self, request: BlobRequest) -> str | None:
        """Return the task ID of a request, None if it cannot be predicted."""
        if request.fixed_id:
            return request.fixed_id.value
        if self.recipe is None:
            return None
        try:
            return self.recipe.task_id(
                request.url,
                request.query_filter.value,
                tag=request.tag.value,
                application=request.application.value,
                piece_length=request.piece_length.value,
                byte_range=request.byte_range.value,
            )
        except ValueError:
            return None

    @property
    def recipe(self) -> Recipe | None:
        """Its computation of task IDs; None if no other client computes the same."""
        return recipe_for(self.name, self.release)

    @property
    def release_text(self) -> str:
        """Its release, or else the assumed one."""
        return str(format_release(self.release or NEWEST[self.name]))

    @property
    def kept_for(self) -> tuple[int, str]:
        """Seconds for which it keeps a task after its last use, and the key."""
        key, default = self._expiry
        seconds = parse_duration(get(self.config, self.name, key, default), self.name)
        return int(parse_duration(default, self.name) or 0) if seconds is None else int(seconds), key

    def get(self, path: str, default: t.Any = None) -> t.Any:
        """Return a value of the configuration, or the default if it is missing or has another type than the default."""
        value = get(self.config, self.name, path, default)
        return value if default is None or isinstance(value, type(default)) else default

    def text(self, path: str) -> Setting:
        """Return a text of the configuration, or an empty text."""
        return Setting(self.get(path, ""), self.path, path)

    @property
    def names_port(self) -> bool:
        """Whether the file has a valid port, or none."""
        return self.is_readable and isinstance(self.port, (int, dict))

    def listens(self, host: str, port: int) -> bool:
        """Return whether its proxy may listen on a port of a host."""
        if not may_reach(host, self.address or self._any_address):
            return False
        if isinstance(self.port, dict):
            start = self.port.get("start", 0)
            end = self.port.get("end", start)
            return isinstance(start, int) and isinstance(end, int) and start <= port <= max(start, end)
        return bool(port) and self.port == port


def header_value(route: Route, header: str) -> Setting:
    """Return a header that the runtime sends, or an empty one."""
    file = route.header_files.get(header.lower(), route.file)
    return Setting(route.headers.get(header.lower(), ""), file, header)


def rewrite_host(url: str, host: str) -> str:
    """Return a URL with another host and port."""
    scheme, _separator, host_and_path = url.partition("://")
    return f"{scheme}://{host}/{host_and_path.partition('/')[2]}"
