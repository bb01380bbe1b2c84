# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault matrix: what breaks, in which request of a preheat, and what comes of it."""

from __future__ import annotations

import re
import threading
import typing as t

from .world import TIMEOUT, Run, World

WAIT_TIMEOUT, WAIT_SLEEP = 100, 10
#: Seconds that a run may be late by what it computes itself, on a machine that does other things as well.
SLACK = 5
#: Keys that the echo of a manager before 2.2.0 has: a job that is older than the manager's last upgrade.
_OLD_KEYS = ("filtered_query_params", "headers", "password", "platform", "scope", "tag", "timeout", "type", "url", "username")


class Column(t.NamedTuple):
    """One kind of request of a preheat."""

    title: str
    #: What these requests are, in words.
    words: str
    #: ``manager`` or ``registry``, who is asked.
    at: str
    method: str
    #: Regular expressions for path and query.
    path: str
    query: str = ""
    #: How many images are preheated.
    images: int = 1
    #: Whether an equal warm job is there already.
    warm: bool = False
    #: Whether the newest job is one of an older release, so that the manager is asked for its own.
    upgraded: bool = False
    #: Further options of the module.
    options: dict = {}

    def matches(self, method: str, path: str, query: str) -> bool:
        return method == self.method and bool(re.search(self.path, path)) and bool(re.search(self.query, query))


COLUMNS = (
    Column("manifest", "the registry is asked for the image's manifest", "registry", "GET", r"/manifests/"),
    Column("probe", "routes that tell the manager's release are asked for, since the newest job is older than its last upgrade",
           "manager", "GET", r"^/api/v1/", upgraded=True, options={"application": "shop"}),
    Column("clusters", "the clusters are read, to see whether an equal job is for all of them", "manager", "GET",
           r"/v1/clusters$", warm=True),
    Column("list", "existing jobs are looked up", "manager", "GET", r"/v1/jobs$", r"^(?!.*state=)"),
    Column("candidate", "an equal job that was found is read by its id", "manager", "GET", r"/v1/jobs/\d+$", warm=True),
    Column("create", "a job is made, one for each of two clusters", "manager", "POST", r"/v1/jobs$",
           options={"scheduler_cluster_ids": [1, 2]}),
    Column("poll", "three pending jobs are looked for in the list of pending ones", "manager", "GET", r"/v1/jobs$", r"state=PENDING",
           images=3),
    Column("poll by id", "one pending job is read by its id", "manager", "GET", r"/v1/jobs/\d+$"),
    Column("final read", "jobs that left the list of pending ones are read by their ids", "manager", "GET", r"/v1/jobs/\d+$", images=3),
)


class Fault(t.NamedTuple):
    """One way to break."""

    title: str
    #: Words of a rule of the sandbox, where it is the server's answer that breaks.
    rule: dict | None = None
    #: Name of what happens just before the request: ``refuse``, ``forget``, ``distrust``, ``restart``.
    event: str | None = None
    #: What is so from the start to the end: ``ahead``, ``behind``, ``ghost``.
    world: str | None = None
    #: Only these columns, None for all.
    only: tuple[str, ...] | None = None


def _status(code: int, **words: t.Any) -> dict:
    return dict(fault="status", status=code, **words)


_BY_ID = ("candidate", "poll by id", "final read")
_MANAGER = tuple(column.title for column in COLUMNS if column.at == "manager")
FAULTS = (
    Fault("connection refused", event="refuse"),
    Fault("name not resolved", event="forget"),
    Fault("certificate not trusted", event="distrust"),
    Fault("reset before the server acted", {"fault": "reset"}),
    Fault("reset after it acted", {"fault": "reset", "acts": True}),
    Fault("half an answer", {"fault": "half"}),
    Fault("no answer, not acted", {"fault": "timeout", "seconds": 2}),
    Fault("no answer, acted", {"fault": "timeout", "seconds": 2, "acts": True}),
    Fault("401", _status(401, body={"message": "Unauthorized"})),
    Fault("403", _status(403, body={"message": "Token has expired"})),
    Fault("429", _status(429, body="rate limit exceeded")),
    Fault("500", _status(500, body={"message": "Internal Server Error"})),
    Fault("502, not acted", _status(502, body="Bad Gateway")),
    Fault("502, acted", _status(502, body="Bad Gateway", acts=True)),
    Fault("503", _status(503, body="no available server")),
    Fault("504, acted", _status(504, body="Gateway Timeout", acts=True)),
    Fault("a web page with 200", {"fault": "html"}),
    Fault("301 to /", {"fault": "redirect"}),
    Fault("two JSON documents in one body", {"fault": "two_documents"}),
    Fault("half a JSON document", {"fault": "invalid_json"}),
    Fault("JSON of another kind", {"fault": "body", "body": {"message": 1}, "acts": True}),
    Fault("a row read while it is written", {"fault": "zero_row"}, only=_BY_ID),
    Fault("row gone", {"fault": "not_found"}, only=_BY_ID),
    Fault("lists broken by a job of nobody", world="ghost", only=_MANAGER),
    Fault("manager restarted", event="restart", only=_MANAGER),
    Fault("manager's clock an hour ahead", world="ahead", only=_MANAGER),
    Fault("manager's clock an hour behind", world="behind", only=_MANAGER),
)


class Cell(t.NamedTuple):
    """One run: a fault in one kind of request."""

    fault: Fault
    column: Column
    #: Whether every such request breaks, or only the first.
    lasting: bool

    @property
    def name(self) -> str:
        return "%s, %s%s" % (self.fault.title, self.column.title, ", lasting" if self.lasting else "")


def cells() -> list[Cell]:
    """All of them. What is so from start to end is lasting only."""
    return [Cell(fault, column, lasting) for lasting in (False, True) for fault in FAULTS for column in COLUMNS
            if (fault.only is None or column.title in fault.only) and (lasting or not fault.world)]


class Ending(t.NamedTuple):
    """What came of a cell."""

    #: As in the table, such as ``warm`` or ``fails: timed_out``.
    words: str
    run: Run
    #: What no cell may have, in words.
    broken: list[str]


class Bench:
    """Runs cells, each in a world of its own that is kept for the next one where nothing is left behind.

    :param certificates: what L(sandbox.certificates.make_certificates) gave, twice: those that are trusted, those that are not.
    """

    def __init__(self, certificates: tuple[dict, dict]):
        self._good, self._bad = certificates
        self._worlds = {}
        self._number = 0

    def close(self) -> None:
        for world in self._worlds.values():
            world.__exit__(None, None, None)
        self._worlds = {}

    def _world(self, tls: bool) -> World:
        if tls not in self._worlds:
            words = {"tls": self._tls(self._good), "registry_tls": self._tls(self._good), "registry_ca": self._good["ca"]} if tls else {}
            world = World(release="2.5.1", **words)
            world.verify = self._good["ca"] if tls else True
            self._worlds[tls] = world.__enter__()
        return self._worlds[tls]

    @staticmethod
    def _tls(paths: dict) -> dict:
        return {"cert": paths["cert"], "key": paths["key"]}

    def run(self, cell: Cell) -> Ending:
        world = self._world(cell.fault.event == "distrust")
        box = world.box
        box.reset()
        box.add_cluster()
        box.add_host("seed-2", "10.77.0.2", role="seed", client="rust", cluster_id=2)
        self._number += 1
        images = [box.image("shop/web-%d" % number, str(self._number)).source for number in range(cell.column.images)]
        if cell.column.warm:
            assert world.preheat(images=images).outcomes == ["warm"] * len(images)
        if cell.column.upgraded:
            self._upgrade(box)
        if cell.fault.world == "ghost":
            self._ghost(box)
        apart = {"ahead": -3600, "behind": 3600}.get(cell.fault.world, 0)
        breaker = Breaker(cell, world, self._tls(self._good), self._tls(self._bad))
        at_registry = cell.column.at == "registry"
        run = world.preheat(images=images, wait_timeout=WAIT_TIMEOUT, wait_sleep=WAIT_SLEEP, apart=apart,
                            before=None if at_registry else breaker, registry_before=breaker if at_registry else None,
                            **cell.column.options)
        hit = breaker.close()
        ending = Ending(words(run), run, broken(run))
        if not hit and not cell.fault.world:
            ending.broken.append("the fault did not happen")
        return ending

    @staticmethod
    def _upgrade(box) -> None:
        box.history(1, age=60)

        def age():
            for job in box.manager.jobs:
                job.args = {key: job.args.get(key) for key in _OLD_KEYS}
                job.args["concurrent_count"] = 50

        box._do(age)  # pylint: disable=protected-access

    @staticmethod
    def _ghost(box) -> None:
        box.history(1, state="PENDING", age=30)

        def disown():
            for job in box.manager.jobs:
                if job.state == "PENDING":
                    job.user_id = 999

        box._do(disown)  # pylint: disable=protected-access


class Breaker:
    """Breaks what a cell breaks, when it is called before a request."""

    def __init__(self, cell: Cell, world: World, good: dict, bad: dict):
        self._cell = cell
        self._world = world
        self._server = world.box.servers[cell.column.at]
        self._good, self._bad = good, bad
        self._down = False
        self._times = 0
        self._lock = threading.Lock()
        if cell.fault.rule:
            world.box.rule(at=cell.column.at, method=cell.column.method, path=cell.column.path,
                           **({"query": {"state": "PENDING"}} if cell.column.query == "state=PENDING" else {}),
                           **({} if cell.lasting else {"times": 1}), **cell.fault.rule)

    def __call__(self, method: str, path: str, query: str) -> None:
        with self._lock:
            breaks = self._cell.column.matches(method, path, query)
            if breaks and not self._cell.lasting and self._times:
                breaks = False
            self._times += breaks
            if not self._cell.fault.event:
                return
            if self._cell.fault.event == "restart":
                if breaks:
                    self._world.box.restart()
            elif breaks != self._down:
                self._switch(breaks)

    def _switch(self, down: bool) -> None:
        self._down = down
        event, box = self._cell.fault.event, self._world.box
        if event == "forget":
            self._world.resolver.knows = not down
            # Connections that are open need no name.
            box._await(self._restart())  # pylint: disable=protected-access
        elif event == "refuse":
            box._await(self._server.stop() if down else self._server.start())  # pylint: disable=protected-access
        elif event == "distrust":
            self._server._tls = self._bad if down else self._good  # pylint: disable=protected-access
            box._await(self._restart())  # pylint: disable=protected-access

    async def _restart(self) -> None:
        await self._server.stop()
        await self._server.start()

    def close(self) -> bool:
        """Mend everything; whether anything broke."""
        if self._down:
            self._switch(False)
        self._world.box.clear_rules()
        return bool(self._times)


def words(run: Run) -> str:
    """A run as in the table."""
    if run.error is not None:
        said = "fails: %s" % run.error.reason
    else:
        jobs = run.result["jobs"]
        kinds = sorted({job["outcome"] if job["reason"] in (None, job["outcome"]) else "%s, %s" % (job["outcome"], job["reason"])
                        for job in jobs})
        said = "; ".join(kinds)
        if run.result["failed"]:
            said = "fails: " + said
    return said + (" (warns)" if run.warnings else "")


def broken(run: Run) -> list[str]:
    """What must not be, whatever broke."""
    found = []
    if run.made_twice:
        found.append("%d jobs made twice" % run.made_twice)
    if run.lost:
        found.append("jobs lost: %s" % run.lost)
    if run.late > WAIT_TIMEOUT + TIMEOUT + SLACK:
        found.append("%.0f s past wait_timeout and a request" % (run.late - WAIT_TIMEOUT - TIMEOUT))
    return found
