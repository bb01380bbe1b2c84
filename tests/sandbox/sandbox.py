# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manager and a registry in a background thread."""

from __future__ import annotations

import asyncio
import os
import threading
import typing as t
from collections import Counter

from . import newer
from .clock import Clock
from .control import PREFIX, Control
from .go import Raw, dump
from .manager import Manager
from .profiles import Profile
from .reach import Reach
from .registry import Registry
from .rules import Rules
from .server import Server

USER, PASSWORD = "root", "dragonfly"
#: The default hosts: those of tests/contract/recordings.
HOSTS = (("seed-1", "10.77.0.1", "seed"), ("host-1", "10.77.0.11", "peer"), ("host-2", "10.77.0.12", "peer"))


_REGISTRY_OPTIONS = (
    "auth",
    "user",
    "password",
    "anonymous_pull",
    "redirect_blobs",
    "lie",
    "realm",
    "names_scope",
)


class Sandbox:
    """A manager and a registry for tests. Use it as a context manager, or with ``start`` and ``stop``.

    :param release: one of profiles.RELEASES, or newer.NEWER.
    :param factor: divisor of the manager's waits.
    :param token: personal access token with the scopes job and cluster; None for a random one, False for none.
    :param client: ``go`` or ``rust``, the client of seeds and peers; None for the one that matches the release.
    :param hosts: tuples of (name, ip, ``seed`` or ``peer``).
    :param scheduler: whether there is an active scheduler.
    :param aliases: dict of ``host[:port]`` in URLs to the real address; ``registry`` is the sandbox's own.
    :param traps: names of traps to switch on, see README.md.
    :param rate_limit: whether jobs with clusters are limited like in a real manager.
    :param tls: dict with ``cert``, ``key``, optionally ``client_ca``: the manager speaks TLS.
    :param registry_tls: likewise for the registry; ``registry_ca`` is the file with the CA that the manager trusts.
    :param clock: ``Clock``, None for real time.
    :param seed: int, for all random decisions of the manager.
    """

    def __init__(
        self,
        release="2.5.1",
        factor=1,
        token=None,
        client=None,
        hosts=HOSTS,
        scheduler=True,
        aliases=None,
        traps=(),
        rate_limit=True,
        tls=None,
        registry_tls=None,
        registry_ca=None,
        host="127.0.0.1",
        port=0,
        registry_port=0,
        clock=None,
        seed=0,
    ):
        self.clock = clock or Clock(factor)
        self.rules = Rules()
        self.registry_content = Registry()
        self._reach = Reach(aliases, registry_ca)
        self._world = {
            "token": token,
            "client": client,
            "hosts": hosts,
            "scheduler": scheduler,
            "traps": traps,
            "rate_limit": rate_limit,
            "seed": seed,
        }
        self.manager = self._make_manager(release)
        self.servers = {
            "manager": Server("manager", self._answer, self.rules, self.clock, host, port, tls),
            "registry": Server(
                "registry", self.registry_content.answer, self.rules, self.clock, host, registry_port, registry_tls
            ),
        }
        self.servers["manager"].control = (PREFIX, Control(self).answer)
        self._loop: t.Any = None
        self._thread: t.Any = None

    async def _answer(self, request, body):
        return await self.manager.answer(request, body)

    def _make_manager(self, release):
        world = self._world
        profile = Profile(release)
        manager = Manager(profile, self.clock, self.rules, self._reach, world["traps"], world["seed"])
        manager.limiter.on = world["rate_limit"]
        if profile.tokens is not None and world["token"] is not False:
            manager.tokens.add("sandbox", token=world["token"])
        if profile.newer:
            newer.add_rows(manager)
        if world["scheduler"]:
            manager.fleet.add_scheduler()
        for name, ip, role in world["hosts"]:
            manager.fleet.add_host(name, ip, role=role, client=world["client"] or profile.default_client)
        return manager

    # Running

    async def start_servers(self):
        await self._reach.open()
        for server in self.servers.values():
            await server.start()
        for name, target in self._reach.aliases.items():
            if target == "registry":
                self._reach.aliases[name] = self.servers["registry"].url

    async def stop_servers(self):
        for server in self.servers.values():
            await server.stop()
        await self._reach.close()

    async def restart_servers(self, down=0):
        self.manager.restart()
        server = self.servers["manager"]
        # Called from a control request, whose response must be sent first.
        asyncio.get_running_loop().call_later(0.01, lambda: asyncio.ensure_future(self._bounce(server, down)))

    @staticmethod
    async def _bounce(server, down):
        await server.stop()
        await asyncio.sleep(down)
        await server.start()

    async def reset_manager(self, release=None):
        """Start a new manager without rows; rules and logs are cleared, the registry stays."""
        self.rules.clear()
        for server in self.servers.values():
            server.log.clear()
        self.manager = self._make_manager(release or self.manager.profile.name)

    def start(self):
        """Start both servers in a thread of their own."""
        ready = threading.Event()

        def run():
            asyncio.set_event_loop(self._loop)
            self._loop.call_soon(ready.set)
            self._loop.run_forever()

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=run, name="sandbox", daemon=True)
        self._thread.start()
        ready.wait()
        self._await(self.start_servers())
        return self

    def stop(self):
        self._await(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self):
        await self.stop_servers()
        # Tasks that still wait, such as a request without a response because of a rule.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_details):
        self.stop()

    def _await(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _do(self, function, *args, **options):
        """Call a function in the servers' thread, so nothing changes during a response."""

        async def call():
            return function(*args, **options)

        return self._await(call())

    # Addresses and credentials

    @property
    def url(self):
        """The manager's base URL."""
        return self.servers["manager"].url

    @property
    def registry(self):
        """``host:port`` of the registry."""
        return self.servers["registry"].address

    @property
    def registry_url(self):
        return self.servers["registry"].url

    @property
    def token(self):
        """A personal access token with the scopes job and cluster, None if the release has none."""
        rows = self.manager.tokens.list({})
        return rows[0].token if rows else None

    @property
    def jwt(self):
        """A JWT of the user root, without a sign-in."""
        return self.manager.users.token_for(USER)

    def state(self):
        """Return what a client needs to know, as JSON."""
        return {
            "release": self.manager.profile.name,
            "url": self.url,
            "registry": self.registry,
            "registry_url": self.registry_url,
            "token": self.token,
            "user": USER,
            "password": PASSWORD,
            "pid": os.getpid(),
        }

    # Logs

    @property
    def log(self):
        """Requests to the manager, oldest first (``server.Entry``)."""
        return list(self.servers["manager"].log)

    @property
    def registry_log(self):
        """Requests to the registry, the manager's and the peers' too."""
        return list(self.servers["registry"].log)

    def counts(self):
        """Count how often jobs were created, listed and read.

        :returns: ``{"POST": n, "LIST": n, "GET": {id: n}, "DELETE": n, "requests": n}``.
        """
        log = self.servers["manager"].log
        gets: Counter[str] = Counter()
        counts = {"POST": 0, "LIST": 0, "DELETE": 0, "requests": len(log)}
        for entry in log:
            _before, marker, after = entry.path.partition("/v1/jobs")
            if not marker:
                continue
            if entry.method == "GET" and after.strip("/"):
                gets[after.strip("/")] += 1
            elif entry.method in ("GET", "POST", "DELETE"):
                counts["LIST" if entry.method == "GET" else entry.method] += 1
        return dict(counts, GET=dict(gets))

    @property
    def jobs(self):
        """Return rows as in a GET by ID (list of dict), oldest first, without those that a newer release adds."""

        async def read():
            await self.manager.catch_up()
            return [self.manager.jobs.show(job, "get") for job in self.manager.jobs if job.type != newer.OWN_TYPE]

        return self._await(read())

    # Content and hosts

    def make_image(self, name, tag="latest", **options):
        return self.registry_content.add_image(self.registry_url, name, tag, **options)

    def image(self, name, tag="latest", **options):
        """Build and push an image (``registry.Image``). Options are those of images.build, and ``version``."""
        return self._do(self.make_image, name, tag, **options)

    def make_file(self, path, content=b"sandbox\n"):
        self.registry_content.add_file(path, content)
        return f"{self.registry_url}/files/{path}"

    def file(self, path, content=b"sandbox\n"):
        """Add a file to the origin, and return its URL."""
        return self._do(self.make_file, path, content)

    def delete_blob(self, digest, name=None):
        """Remove a blob from the registry, which then responds with 404."""
        self._do(self.registry_content.delete_blob, digest, name)

    def set_registry(self, **options):
        """Set attributes of ``Registry``, such as ``auth`` (None, ``basic``, ``token``), ``user`` and ``lie``."""
        for name, value in options.items():
            if name not in _REGISTRY_OPTIONS:
                raise ValueError(f"the registry has no {name}")
            setattr(self.registry_content, name, value)

    def add_host(self, name, ip, **options):
        """Let a host join: ``role`` (seed, peer), ``client`` (go, rust), ``cluster_id``."""
        self._do(self.manager.fleet.add_host, name, ip, **options)

    def remove_host(self, name):
        """Remove a host."""
        self._do(self.manager.fleet.remove_host, name)

    def pull(self, url, host, **args):
        """Let a host pull a blob or file: the host then holds it, and the scheduler has another peer of it.

        :param args: other parts of the task ID: tag, application, piece_length.
        """
        self._do(self.make_pull, url, host, **args)

    def make_pull(self, url, host, **args):
        manager = self.manager
        manager.fleet.pull(manager.task_of(url, args), manager.fleet.host(host))

    def lose(self, url, host=None, **args):
        """Remove a blob or file from the disk of a host, or of every host, without notice to the scheduler."""
        self._do(self.make_loss, url, host, **args)

    def make_loss(self, url, host=None, **args):
        fleet = self.manager.fleet
        for loser in [fleet.host(host)] if host else fleet.hosts:
            fleet.lose(self.manager.task_of(url, args), loser)

    def add_cluster(self, scheduler=True, **options):
        """Add a cluster, and return its ID."""

        def add():
            row = self.manager.clusters.add(**options)
            if scheduler:
                self.manager.fleet.add_scheduler(row.id, name=f"scheduler-{row.id}")
            return row.id

        return self._do(add)

    def add_token(self, name, **options):
        """Create a token (see tokens.Tokens.add), and return it."""
        return self._do(self.manager.tokens.add, name, **options).token

    def add_user(self, name, password, role="guest"):
        self._do(self.manager.users.add, name, password, role)

    # Faults

    def rule(self, **options):
        """Add a rule (README.md), and return its number."""
        return self._do(self.rules.add, options)

    def remove_rule(self, number):
        self._do(self.rules.remove, number)

    def clear_rules(self):
        self._do(self.rules.clear)

    def clear_log(self):
        for server in self.servers.values():
            server.log.clear()

    def restart(self, down=0):
        """Restart the manager: connections break, and PENDING rows stay so forever (T3).

        :param down: seconds for which nothing listens.
        """

        async def bounce():
            self.manager.restart()
            await self._bounce(self.servers["manager"], down)

        self._await(bounce())

    def pause(self):
        """Stop listening, until ``resume``."""
        self._await(self.servers["manager"].stop())

    def resume(self):
        self._await(self.servers["manager"].start())

    def reset(self, release=None):
        """Reset the sandbox, optionally to another release."""
        self._await(self.reset_manager(release))

    @property
    def clock_offset(self):
        """Seconds by which the manager's clock is ahead."""
        return self.clock.offset

    @clock_offset.setter
    def clock_offset(self, seconds):
        self.clock.offset = seconds

    # History

    def make_history(
        self,
        count,
        url="http://registry.example.com:5000/v2/library/history-{number}/manifests/1",
        kind="image",
        state="SUCCESS",
        age=7200,
        step=1,
        blobs=4,
        peers=0,
        **args,
    ):
        manager = self.manager
        filled = manager.complete_args(dict(args, type=kind))
        hosts = [
            {"hostname": f"host-{number}", "ip": f"10.0.{number // 250}.{number % 250}"} for number in range(peers)
        ]
        hosts = hosts or [{"hostname": "seed-1", "ip": "10.77.0.1"}]
        warm = [
            dict(host, url=f"http://registry.example.com:5000/v2/library/history/blobs/sha256:{blob:064x}")
            for host in hosts
            for blob in range(blobs)
        ]
        result = Raw(dump(manager.finished_result(warm if state == "SUCCESS" else None, state)))
        return manager.jobs.add_history(
            count,
            state=state,
            age=age,
            step=step,
            result=result,
            args=lambda number: dict(filled, url=url.replace("{number}", str(number))),
        )

    def history(self, count, **options):
        """Insert old jobs quickly.

        :param count: their number; ``{number}`` in ``url`` is the number of each.
        :param age: age of the newest in seconds, ``step`` the seconds between two.
        :param blobs: number of warm blobs of each, on ``peers`` hosts: 30 blobs on 2,000 hosts are 12 MB per row.
        :returns: list of ids, oldest first.
        """
        return self._do(self.make_history, count, **options)
