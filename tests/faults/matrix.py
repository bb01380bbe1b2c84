# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault matrix: faults in requests of a preheat, and their effects.

    python -m ansible_collections.dragonflyoss.dragonfly.tests.faults.matrix

runs it on the newest release and writes docs/faults.md.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
import threading
import typing as t
from pathlib import Path
from urllib.parse import parse_qsl

from ansible_collections.dragonflyoss.dragonfly.tests.faults.world import MANAGER, REGISTRY, TIMEOUT, Run, Watch, World
from ansible_collections.dragonflyoss.dragonfly.tests.sandbox.certificates import make_certificates

RELEASE = "2.5.1"
#: No poll coincides with one of the manager's, which occur at multiples of 5 s.
WAIT_TIMEOUT, WAIT_SLEEP = 300, 11
#: Seconds of delay by the run's own computation, on a busy machine.
SLACK = 5
#: Keys in the echo of a manager before 2.2.0: a job from before the manager's last upgrade.
_OLD_KEYS = (
    "filtered_query_params",
    "headers",
    "password",
    "platform",
    "scope",
    "tag",
    "timeout",
    "type",
    "url",
    "username",
)


class Column(t.NamedTuple):
    """A kind of request of a preheat."""

    title: str
    #: Description of these requests.
    description: str
    #: ``manager`` or ``registry``, the server of the request.
    at: str
    method: str
    #: Regular expressions for the path and the query.
    path: str
    query: dict[str, str] = {}
    #: Number of images to preheat.
    images: int = 1
    #: Whether an identical warm job exists.
    warm: bool = False
    #: Whether the newest job is from an older release, so the module queries the manager for its release.
    upgraded: bool = False
    #: Further options of the module.
    options: dict = {}

    def matches(self, method: str, path: str, query: str) -> bool:
        query_args = dict(parse_qsl(query))
        return (
            method == self.method
            and bool(re.search(self.path, path))
            and all(re.search(wanted, query_args.get(word, "")) for word, wanted in self.query.items())
        )


COLUMNS = (
    Column("manifest", "the manifest of the image at the registry", "registry", "GET", r"/manifests/"),
    Column("list", "the list of existing jobs", "manager", "GET", r"/v1/jobs$", {"state": "^$"}),
    Column("candidate", "an identical warm job, by its ID", "manager", "GET", r"/v1/jobs/\d+$", warm=True),
    Column(
        "clusters",
        "the clusters, to check whether an identical warm job covers all of them",
        "manager",
        "GET",
        r"/v1/clusters$",
        warm=True,
    ),
    Column(
        "deletions",
        "the list of later deletions of what an identical warm job fetched",
        "manager",
        "GET",
        r"/v1/jobs$",
        {"type": "^delete_task$"},
        warm=True,
    ),
    Column(
        "peers",
        "a job that queries the peers for what an identical warm job fetched",
        "manager",
        "POST",
        r"/v1/jobs$",
        warm=True,
        options={"verify": "peers"},
    ),
    Column(
        "probe",
        "the routes of the manager, because the newest job is older than its last upgrade",
        "manager",
        "GET",
        r"^/api/v1/",
        upgraded=True,
        options={"application": "shop"},
    ),
    Column(
        "create",
        "the creation of two jobs, one for each of two clusters",
        "manager",
        "POST",
        r"/v1/jobs$",
        options={"scheduler_cluster_ids": [1, 2]},
    ),
    Column(
        "poll",
        "the list of pending jobs, with three jobs",
        "manager",
        "GET",
        r"/v1/jobs$",
        {"state": "PENDING"},
        images=3,
    ),
    Column("poll by id", "a single pending job, by its ID", "manager", "GET", r"/v1/jobs/\d+$"),
    Column(
        "final read",
        "three jobs that are no longer pending, by their IDs",
        "manager",
        "GET",
        r"/v1/jobs/\d+$",
        images=3,
    ),
)


class Fault(t.NamedTuple):
    """A fault."""

    title: str
    #: A rule of the sandbox, if the server's response breaks.
    rule: dict | None = None
    #: Name of the event just before the request: ``refuse``, ``forget``, ``distrust``, ``restart``.
    event: str | None = None
    #: Condition of the whole run: ``ahead``, ``behind``, ``ghost``.
    world: str | None = None
    #: Only these columns, None for all.
    only: tuple[str, ...] | None = None


def _status(code: int, **body: t.Any) -> dict:
    return dict(fault="status", status=code, **body)


_BY_ID = ("candidate", "poll by id", "final read")
_MANAGER = tuple(column.title for column in COLUMNS if column.at == "manager")
FAULTS = (
    Fault("connection refused", event="refuse"),
    Fault("name not resolved", event="forget"),
    Fault("certificate not trusted", event="distrust"),
    Fault("reset before the server acted", {"fault": "reset"}),
    Fault("reset after it acted", {"fault": "reset", "acts": True}),
    Fault("half an answer", {"fault": "half"}),
    Fault("no answer, not acted", {"fault": "timeout", "seconds": 1.5}),
    Fault("no answer, acted", {"fault": "timeout", "seconds": 1.5, "acts": True}),
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
    Fault("pages of lists broken by a job of nobody", world="ghost", only=_MANAGER),
    Fault("manager restarted", event="restart", only=_MANAGER),
    Fault("manager's clock an hour ahead", world="ahead", only=_MANAGER),
    Fault("manager's clock an hour behind", world="behind", only=_MANAGER),
)


class Cell(t.NamedTuple):
    """A run: a fault in a kind of request."""

    fault: Fault
    column: Column
    #: Whether all such requests break, or only the first.
    lasting: bool

    def __str__(self) -> str:
        return f"{self.fault.title}, {self.column.title}{', lasting' if self.lasting else ''}"


class Row(t.NamedTuple):
    """A line of the table: the cells of a fault."""

    fault: Fault
    lasting: bool

    @property
    def cells(self) -> list[Cell | None]:
        """The cells by column, None if the fault cannot occur."""
        return [
            Cell(self.fault, column, self.lasting)
            if self.fault.only is None or column.title in self.fault.only
            else None
            for column in COLUMNS
        ]

    def __str__(self) -> str:
        return self.fault.title + (", lasting" if self.lasting else "")


# Conditions of the whole run are always lasting.
ROWS = [Row(fault, lasting) for lasting in (False, True) for fault in FAULTS if lasting or not fault.world]


class Ending(t.NamedTuple):
    """The result of a cell."""

    #: As in the table, such as ``warm`` or ``fails: timed_out``.
    outcome: str
    run: Run
    #: Violations, as text.
    broken: list[str]


class Bench:
    """Runs cells. The sandbox is reset and reused for the next one.

    :param folder: for certificates.
    """

    def __init__(self, folder: Path, release: str = RELEASE):
        self._release = release
        self._certificates = {}
        for name in ("good", "bad"):
            (folder / name).mkdir()
            self._certificates[name] = make_certificates(folder / name, [MANAGER, REGISTRY, "127.0.0.1"])
        self._world: t.Any = None
        self._number = 0

    def close(self) -> None:
        if self._world:
            self._world.__exit__(None, None, None)
        self._world = None

    def tls(self, name: str) -> dict:
        """Return the sandbox's options for a certificate, ``good`` or ``bad``."""
        return {part: self._certificates[name][part] for part in ("cert", "key")}

    def _open(self, tls: bool) -> World:
        """Return a sandbox with or without TLS. Only one at a time has the controller's resolver."""
        if self._world is None or (self._world.verify is not True) != tls:
            self.close()
            ca = self._certificates["good"]["ca"]
            options: dict[str, t.Any] = (
                {"tls": self.tls("good"), "registry_tls": self.tls("good"), "registry_ca": ca} if tls else {}
            )
            world = World(release=self._release, **options)
            world.verify = ca if tls else True
            self._world = world.__enter__()
        return self._world

    def run(self, cell: Cell) -> Ending:
        """Run a cell."""
        world = self._open(cell.fault.event == "distrust")
        box = world.box
        box.reset()
        box.add_cluster()
        box.add_host("seed-2", "10.77.0.2", role="seed", client=box.manager.profile.default_client, cluster_id=2)
        self._number += 1
        images = [
            world.source(box.image(f"shop/web-{int(number)}", str(self._number), kind="docker"))
            for number in range(cell.column.images)
        ]
        options = cell.column.options
        if cell.column.warm:
            before = world.preheat(images=images)
            assert before.outcomes == ["warm"] * len(images), before.result["msg"]
        if cell.column.upgraded:
            _upgrade(box)
        if cell.fault.world == "ghost":
            _disown(box)
        apart = {"ahead": -3600, "behind": 3600}.get(cell.fault.world or "", 0)
        breaker = Breaker(cell, world, self.tls)
        watches = {"registry_watch" if cell.column.at == "registry" else "watch": breaker}
        run = world.preheat(
            images=images, wait_timeout=WAIT_TIMEOUT, wait_sleep=WAIT_SLEEP, apart=apart, **watches, **options
        )
        happened = breaker.close()
        problems = broken(run)
        if not happened and not cell.fault.world:
            problems.append("the fault did not happen")
        return Ending(outcome_of(run), run, problems)


def _upgrade(box) -> None:
    """Simulate a manager that was upgraded since its newest job."""
    box.history(1, age=60)

    def age():
        for job in box.manager.jobs:
            job.args = {key: job.args.get(key) for key in _OLD_KEYS}
            job.args["concurrent_count"] = 50

    box._do(age)  # pylint: disable=protected-access


def _disown(box) -> None:
    """Create a pending job of a user that does not exist."""
    box.history(1, state="PENDING", age=30)

    def disown():
        for job in box.manager.jobs:
            if job.state == "PENDING":
                job.user_id = 999

    box._do(disown)  # pylint: disable=protected-access


class Breaker(Watch):
    """Injects the fault of a cell.

    :param tls: function of ``good`` or ``bad`` that returns the certificate to present.
    """

    def __init__(self, cell: Cell, world: World, tls: t.Callable[[str], dict]):
        self._cell = cell
        self._world = world
        self._server = world.box.servers[cell.column.at]
        self._name = {"manager": MANAGER, "registry": REGISTRY}[cell.column.at]
        self._tls = tls
        self._times = 0
        self._lock = threading.RLock()
        if cell.fault.rule:
            column = cell.column
            world.box.rule(
                at=column.at,
                method=column.method,
                path=column.path,
                **({"query": column.query} if column.query else {}),
                **({} if cell.lasting else {"times": 1}),
                **cell.fault.rule,
            )

    @contextlib.contextmanager
    def around(self, method, path, query):
        cell, event = self._cell, self._cell.fault.event
        # An event applies to one request. Others wait.
        with self._lock if event else contextlib.nullcontext():
            with self._lock:
                breaks = cell.column.matches(method, path, query) and (cell.lasting or not self._times)
                self._times += breaks
            if breaks and event == "restart":
                self._world.box.restart()
            elif breaks and event:
                self._switch(event, broken=True)
            try:
                yield breaks and cell.fault.rule is not None and cell.fault.rule["fault"] == "timeout"
            finally:
                if breaks and event and event != "restart":
                    self._switch(event, broken=False)

    def _switch(self, event, broken):  # pylint: disable=redefined-outer-name
        await_ = self._world.box._await  # pylint: disable=protected-access
        if event == "refuse":
            await_(self._server.stop() if broken else self._server.start())
            return
        if event == "forget":
            self._world.resolver.names = {MANAGER, REGISTRY} - ({self._name} if broken else set())
        if event == "distrust":
            self._server._tls = self._tls("bad" if broken else "good")  # pylint: disable=protected-access
        # An open connection needs neither a name nor a certificate.
        await_(self._restart())

    async def _restart(self):
        await self._server.stop()
        await self._server.start()

    def close(self) -> bool:
        """Stop injecting faults, and return whether one was injected."""
        self._world.box.clear_rules()
        return bool(self._times)


def outcome_of(run: Run) -> str:
    """Return the text of a run in the table."""
    if run.error is not None:
        said = f"fails: {run.error.reason}"
    else:
        reasons = sorted({job["reason"] for job in run.result["jobs"] if job["outcome"] != "warm"})
        said = "fails: " + ", ".join(reasons) if reasons else "warm" if run.result["changed"] else "found warm"
    return said + (", warns" if run.warnings else "")


def broken(run: Run) -> list[str]:
    """Return the violations."""
    problems = []
    if run.made_twice:
        problems.append(f"{run.made_twice} jobs made twice")
    if run.lost:
        problems.append(f"jobs lost: {run.lost}")
    if run.seconds > WAIT_TIMEOUT + TIMEOUT + SLACK:
        problems.append(f"{run.seconds - WAIT_TIMEOUT - TIMEOUT:.0f} s past wait_timeout and a request")
    return problems


# The table

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
_TEXT = """\
<!--
Copyright (c) 2026, Dragonfly collection contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# What happens when something breaks

This page shows the outcome of a task of `preheat` with its defaults if a request fails. The test that breaks the
requests writes it (`make faults`), over real sockets, against a manager {release}. In all {cells} cells, no job is
created twice, the result contains all created jobs, there is no traceback, and no task takes longer than `wait_timeout`
and one request.

In a cell, `warm` means that jobs were created and are warm, `found warm` that an identical warm job existed, `fails:`
is followed by the `reason` in the result, and `warns` means that there is a warning. A failed request only affects its
own job. The columns are the requests of a task in their order:

{columns}

`acted` means that the server processed the request and only the response was lost. For servers whose responses are slow
on purpose, endless, oversized or false, see [hostile servers](security-tests.md).

## The first such request breaks, the next ones do not

{once}

## Every such request breaks

{lasting}
"""


def line(row: Row, endings: t.Iterable[Ending | None]) -> str:
    """Return a row as text."""
    return f"| {' | '.join([row.fault.title] + [ending.outcome if ending else '' for ending in endings])} |"


def document(lines: t.Mapping[tuple[str, bool], str]) -> str:
    """Return the page.

    :param lines: results of ``line``, by title of the fault and whether it lasts.
    """
    titles = [""] + [column.title for column in COLUMNS]
    head = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    tables = {
        lasting: "\n".join(head + [lines[row.fault.title, lasting] for row in ROWS if row.lasting == lasting])
        for lasting in (False, True)
    }
    return _TEXT.format(
        release=RELEASE,
        cells=sum(cell is not None for row in ROWS for cell in row.cells),
        columns="\n".join(f"- {column.title}: {column.description}" for column in COLUMNS),
        once=tables[False],
        lasting=tables[True],
    )


def main() -> int:
    lines, failed = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for row in ROWS:
            endings = [bench.run(cell) if cell else None for cell in row.cells]
            lines[row.fault.title, row.lasting] = line(row, endings)
            for cell, ending in zip(row.cells, endings):
                if ending and ending.broken:
                    failed += 1
                    print(f"{cell}: {'; '.join(ending.broken)}")
        bench.close()
    DOCUMENT.write_text(document(lines), encoding="utf-8")
    print(f"{int(failed)} cells broken; wrote {DOCUMENT.name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
