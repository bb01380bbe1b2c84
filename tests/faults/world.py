# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A preheat in this process against a sandbox: real requests over real sockets, with a controlled clock.

The controller's pauses advance the clock of controller and manager instead of waiting. An hour of waiting takes
milliseconds, and the manager's own poll schedule does not change.
"""

from __future__ import annotations

import contextlib
import importlib
import socket
import threading
import time
import typing as t
from collections import Counter
from urllib.parse import urlsplit

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError, TransportError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._http import Http
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import with_seconds
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock, limit_task
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.context import RunContext
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.options import check_params
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat.run import run_preheat
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import Registry
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox import Sandbox
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.clock import SkippedClock

#: Names of manager and registry. Only ``Resolver`` knows them.
MANAGER, REGISTRY = "manager.test", "registry.test"
#: Maximum seconds of a request, by these clocks.
TIMEOUT = 120
#: Real seconds of a request without a response, and the maximum of others on a busy machine.
_HASTY, _PATIENT = 0.15, 30
#: Real sleep of each pause, which lets other threads run and ends simultaneous pauses together.
_BREATH = 0.001


class SkippingClock(Clock):
    """The controller's time: real time plus skipped time.

    :param manager: the clock of the sandbox, which advances with it.
    :param apart: seconds that the controller's wall clock is ahead of the manager's.
    """

    def __init__(self, manager: SkippedClock, apart: float = 0):
        self._manager = manager
        self._apart = apart
        self._skipped = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return time.monotonic() + self._skipped

    def wall(self) -> float:
        return self._manager.now() / 10**9 + self._apart

    def pause(self, seconds: float) -> None:
        until = self.now() + seconds
        time.sleep(_BREATH)
        self.skip_to(until)

    def skip_to(self, until: float) -> None:
        """Advance to a time, unless it is later already."""
        with self._lock:
            seconds = max(0.0, until - self.now())
            self._skipped += seconds
            self._manager.offset += seconds


class Sent(t.NamedTuple):
    """A request of the controller, with its start and end."""

    method: str
    path: str
    query: str
    begun: float
    over: float


class Watch:
    """Hooks around each request. These do nothing."""

    @contextlib.contextmanager
    def around(self, method: str, path: str, query: str) -> t.Iterator[bool]:
        """Watch a request, which is sent in the body of the context.

        :return: whether this one gets no response
        """
        yield False


class WatchedHttp:
    """The collection's own HTTP, with hooks around each request.

    A request without a response in time advances the clock, and takes almost no real time.

    :param clock: for the times in ``sent``.
    :param watch: ``Watch``.
    """

    def __init__(self, clock: SkippingClock, watch: Watch, **options: t.Any):
        options["clock"] = clock
        self._https = {True: Http(timeout=_HASTY, **options), False: Http(timeout=_PATIENT, **options)}
        self.timeout = TIMEOUT
        self._clock = clock
        self._watch = watch
        self.sent: list[Sent] = []

    def send(self, method, url, **options):
        parts = urlsplit(url)
        with self._watch.around(method, parts.path, parts.query) as hasty:
            begun = self._clock.now()
            try:
                return self._https[hasty].send(method, url, **options)
            except TransportError as exc:
                if exc.reason == "read_timeout":
                    self._clock.skip_to(min(begun + TIMEOUT, self._clock.end))
                raise
            finally:
                self.sent.append(Sent(method, parts.path, parts.query, begun, self._clock.now()))


class Run(t.NamedTuple):
    """The result of a preheat."""

    #: The result of the module, None if it failed without one.
    result: t.Any
    #: The error that ended it, None if there is a result.
    error: DragonflyError | None
    warnings: list[str]
    #: Requests to the manager, ordered by their ends.
    sent: list[Sent]
    #: Duration by the controller's time.
    seconds: float
    #: The sandbox's rows that this run created.
    made: list[dict]
    lines: list[str]

    @property
    def outcomes(self) -> list[str]:
        return [job["outcome"] for job in self.result["jobs"]]

    @property
    def made_twice(self) -> int:
        """Return the number of created jobs that are identical to another one."""
        counts = Counter(
            (job["args"]["url"], job["args"].get("platform"), *sorted(row["id"] for row in job["scheduler_clusters"]))
            for job in self.made
            if job["type"] == "preheat"
        )
        return sum(counts.values()) - len(counts)

    @property
    def lost(self) -> list[int]:
        """Return the IDs of created preheat jobs that are missing in the result."""
        named = {job["id"] for job in (self.result or {}).get("jobs", ())}
        return [job["id"] for job in self.made if job["type"] == "preheat" and job["id"] not in named]


def argument_spec(module: str) -> dict:
    """Return the options of a module of this collection as its ``main`` states them."""
    source: t.Any = importlib.import_module("ansible_collections.dragonflyoss.dragonfly.plugins.modules." + module)
    stated = {}

    class Reader:
        def __init__(self, argument_spec, **_options):
            stated.update(argument_spec)

        def run(self, _function):
            pass

    original, source.DragonflyModule = source.DragonflyModule, Reader
    try:
        source.main()
    finally:
        source.DragonflyModule = original
    return stated


_SPEC = argument_spec("preheat")


def parameters(**given: t.Any) -> dict:
    """Return the module's parameters with their defaults, checked."""
    validated = ArgumentSpecValidator(_SPEC).validate(given)
    if validated.error_messages:
        raise ValueError(validated.error_messages)
    params = with_seconds(validated.validated_parameters)
    check_params(params)
    return params


def _bearer(token: str | None) -> str | None:
    return "Bearer " + token if token else None


class World:
    """A sandbox and a controller with a common clock.

    :param options: of ``Sandbox``.
    """

    def __init__(self, **options: t.Any):
        self.box = Sandbox(clock=SkippedClock(), **options)
        self.verify: bool | str = True
        self.resolver = Resolver()

    def __enter__(self):
        self.box.start()
        # The port is unknown before.
        name = f"{REGISTRY}:{self.box.servers['registry'].port}"
        self.box._reach.aliases[name] = self.box.registry_url  # pylint: disable=protected-access
        self.resolver.install()
        return self

    def __exit__(self, *_details):
        self.resolver.remove()
        self.box.stop()

    def source(self, image) -> str:
        """Return an image of the sandbox's registry with the registry's name."""
        return image.source.replace(self.box.registry, f"{REGISTRY}:{self.box.servers['registry'].port}")

    def preheat(self, watch=None, registry_watch=None, apart=0, token=None, check_mode=False, **given) -> Run:
        """Run a preheat to its end.

        :param watch: ``Watch`` of the requests to the manager.
        :param registry_watch: likewise for the registry.
        :param apart: seconds that the controller's wall clock is ahead of the manager's.
        :param given: the module's options.
        """
        old = {job["id"] for job in self.box.jobs}
        clock = SkippingClock(t.cast(SkippedClock, self.box.clock), apart)
        params = parameters(url=self.box.url, **given)
        limit_task(clock, dict(params, timeout=TIMEOUT))
        begun = clock.now()
        http: t.Any = WatchedHttp(clock, watch or Watch(), verify=self.verify, auth=_bearer(token or self.box.token))
        watched: t.Any = WatchedHttp(clock, registry_watch or Watch(), verify=self.verify)
        registry = Registry(watched)
        host = urlsplit(self.box.url)
        url = f"{host.scheme}://{MANAGER}:{host.port}"
        lines: list[str] = []
        context = RunContext(DragonflyClient(http, url), dict(params, url=url), clock, check_mode)
        result = error = None
        try:
            result = run_preheat(context, lambda _planned: registry, lines.append)
        except DragonflyError as exc:
            error = exc
        seconds = clock.now() - begun
        made = [job for job in self.box.jobs if job["id"] not in old]
        return Run(result, error, context.warnings, http.sent, seconds, made, lines)


class Resolver:
    """Replaces the resolver of names, the only part that a test cannot stop.

    :ivar names: known names of manager and registry.
    """

    def __init__(self):
        self.names = {MANAGER, REGISTRY}
        self._original = socket.getaddrinfo

    def install(self):
        socket.getaddrinfo = self._resolve

    def remove(self):
        socket.getaddrinfo = self._original

    def _resolve(self, host, *arguments, **options):
        if host not in (MANAGER, REGISTRY):
            return self._original(host, *arguments, **options)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._original("127.0.0.1", *arguments, **options)
