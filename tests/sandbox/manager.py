# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manager's REST API: routes, guards and responses."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import namedtuple

from .clusters import Clusters
from .fleet import Fleet, task_id
from .go import SECOND, BindError, bind, load, parse_uint, time_text
from .jobs import Job, Jobs, Task
from .manifests import ManifestError, ManifestReader
from .newer import decorate
from .pages import ApiError, links, read_page, read_uints
from .server import Reply
from .tokens import Tokens, Users
from .work import Work

_Route = namedtuple("_Route", "method pattern guard handler")
_CONSOLE_PAGE = (
    '<!doctype html>\n<meta name="viewport" content="width=device-width">\n'
    '<pre>\n<a href=".gitkeep">.gitkeep</a>\n</pre>\n'
)
_STATES = ("PENDING", "RECEIVED", "STARTED", "RETRY", "SUCCESS", "FAILURE")
_POSTGRES_DUPLICATE = 'ERROR: duplicate key value violates unique constraint "name" (SQLSTATE 23505)'
_V1_STATUS = {"PENDING": "WAITING", "STARTED": "RUNNING", "SUCCESS": "SUCCESS", "FAILURE": "FAIL"}


class Limiter:
    """Limit of ten jobs per second for each cluster in a request, ten at once (GCRA)."""

    def __init__(self, clock):
        self._clock = clock
        self._full_at = {}
        #: Whether the limit applies.
        self.on = True

    def allows(self, cluster):
        """Count a job for a cluster, and return whether it may be created."""
        if not self.on:
            return True
        rate = cluster.config.get("job_rate_limit") or 10
        now = self._clock.now()
        full_at = max(self._full_at.get(cluster.id, 0), now) + SECOND // rate
        if full_at - now > SECOND:
            return False
        self._full_at[cluster.id] = full_at
        return True


class Manager:
    """One manager.

    :param profile: ``Profile``.
    :param rules: ``Rules``.
    :param reach: ``Reach``, for registries and origins.
    :param traps: names of traps to switch on: ``T11``, ``T18``, ``T27``, ``T30``.
    """

    def __init__(self, profile, clock, rules, reach, traps=(), seed=0):
        self.profile = profile
        self.clock = clock
        self.traps = set(traps)
        self.fleet = Fleet(clock)
        self.users = Users(profile, clock)
        self.tokens = Tokens(profile, clock, self.users)
        self.clusters = Clusters(profile, clock, self.fleet)
        self.jobs = Jobs(profile, clock, self.clusters, self.users, seed)
        self.limiter = Limiter(clock)
        self._rules = rules
        self._reader = ManifestReader(profile, reach, "T27" in self.traps)
        self._work = Work(profile, clock, self.fleet, reach)
        self._under_way = set()
        self._collected = {name: clock.now() for name, _period in profile.gc_rows}
        self._routes = self._make_routes()

    # Responses

    async def answer(self, request, body):
        """Respond to a request like the manager's router, guards and handlers."""
        await self.catch_up()
        path = request.path
        if len(path) > 1 and path.endswith("/") and self._match(request.method, path.rstrip("/"))[0]:
            return _redirect(request.method, path.rstrip("/"), 301 if request.method == "GET" else 307)
        route, values = self._match(request.method, path)
        if route is None:
            reply = _redirect(request.method, "/", 301)
        else:
            reply = await self._handle(route, request, body, values)
        if self.profile.newer:
            decorate(reply)
        if self.profile.server_ip:
            reply.headers["X-Server-IP"] = "127.0.0.1, ::1"
        reply.compress = self.profile.gzip and "gzip" in request.headers.get("Accept-Encoding", "")
        return reply

    async def _handle(self, route, request, body, values):
        guard = {"jwt": self.users.guard, "pat": self.tokens.guard, "": lambda _request: None}[route.guard]
        refused = guard(request)
        if refused:
            return refused
        try:
            return await route.handler(request, body, **values)
        except BindError as exc:
            return Reply.json({"errors": str(exc)}, 422)
        except ApiError as exc:
            if exc.status == 409 and "T30" in self.traps:
                return Reply.json({"message": _POSTGRES_DUPLICATE}, 500)
            return Reply.json({"message": str(exc)}, exc.status)

    def _match(self, method, path):
        for route in self._routes:
            match = route.pattern.match(path)
            if match and route.method == method:
                return route, match.groupdict()
        return None, None

    def _make_routes(self):
        profile = self.profile
        table = [
            ("GET", "/", "", self._home),
            ("GET", "/healthy", "", self._ok),
            ("GET", "/_ping", profile.v1, self._ok),
            ("POST", "/preheats", profile.v1, self._v1_create),
            ("GET", "/preheats/:id", profile.v1, self._v1_get),
            ("POST", "/api/v1/users/signin", "", self._sign_in),
            ("POST", "/api/v1/users/refresh_token", "", self._refresh),
        ]
        for prefix, guard in (("/oapi/v1", profile.open_jobs), ("/api/v1", profile.console_jobs)):
            table += [
                ("POST", prefix + "/jobs", guard, self._create_job),
                ("GET", prefix + "/jobs", guard, self._list_jobs),
                ("GET", prefix + "/jobs/:id", guard, self._get_job),
                ("PATCH", prefix + "/jobs/:id", guard, self._update_job),
                ("DELETE", prefix + "/jobs/:id", guard, self._delete_job),
            ]
        for prefix, guard in (("/oapi/v1", profile.open_clusters), ("/api/v1", "jwt")):
            table += self._crud(
                prefix + "/clusters", guard, self.clusters, "GetClustersQuery", self.clusters.cluster, null=True
            )
        table += self._crud(
            "/api/v1/personal-access-tokens",
            profile.tokens,
            self.tokens,
            "GetPersonalAccessTokensQuery",
            self.tokens.show,
        )
        for name, guard, rows in (
            ("schedulers", "jwt", self.clusters.schedulers),
            ("seed-peers", "jwt", self.clusters.seed_peers),
            ("peers", profile.peers, self.clusters.peers),
            ("scheduler-clusters", "jwt", self.clusters.scheduler_clusters),
            ("seed-peer-clusters", "jwt", self.clusters.seed_peer_clusters),
            ("users", "jwt", self.users.list),
            ("configs", profile.configs, _nothing),
            ("audits", profile.audits, _nothing),
            ("persistent-cache-tasks", profile.persistent_cache_tasks, _nothing),
            ("applications", "jwt", self._applications),
        ):
            table += self._read_only("/api/v1/" + name, guard, rows)
        return [
            _Route(method, re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path) + "$"), guard, handler)
            for method, path, guard, handler in table
            if guard is not None
        ]

    def _page(self, request, struct, rows, null=False):
        """Return the response with a page of rows."""
        page, per_page = read_page(request.query, struct, self.profile.max_per_page)
        chosen = rows[(page - 1) * per_page : page * per_page]
        headers = {"Link": links(request.path, request.query, page, per_page, len(rows))}
        return Reply.json(chosen or (None if null else []), headers=headers)

    def _crud(self, path, guard, table, struct, show, null=False):
        """Return the five routes of a table. An empty list is ``null`` if ``null`` is true."""

        async def listing(request, _body):
            return self._page(request, struct, [show(row) for row in table.list(request.query)], null)

        async def create(_request, body):
            made = table.create(load(body))
            self.users.forget_reads()
            return Reply.json(made)

        async def get(_request, _body, id):
            return Reply.json(show(table.find(_id(id))))

        async def update(_request, body, id):
            changed = table.update(_id(id), load(body))
            self.users.forget_reads()
            return Reply.json(changed)

        async def delete(_request, _body, id):
            table.delete(_id(id))
            self.users.forget_reads()
            return Reply()

        by_id_path = path + "/:id"
        return [
            ("GET", path, guard, listing),
            ("POST", path, guard, create),
            ("GET", by_id_path, guard, get),
            ("PATCH", by_id_path, guard, update),
            ("DELETE", by_id_path, guard, delete),
        ]

    def _read_only(self, path, guard, rows):
        async def listing(request, _body):
            return self._page(request, "GetQuery", rows(request.query))

        async def get(request, _body, id):
            matching = [row for row in rows({}) if row["id"] == _id(id)]
            if not matching:
                raise ApiError(404, self.profile.not_found)
            return Reply.json(matching[0])

        return [("GET", path, guard, listing), ("GET", path + "/:id", guard, get)]

    # Small routes

    async def _home(self, _request, _body):
        return Reply(404, _CONSOLE_PAGE.encode(), {"Content-Type": "text/html; charset=utf-8"})

    async def _ok(self, _request, _body):
        return Reply.json("OK")

    async def _sign_in(self, _request, body):
        return self.users.sign_in(body)

    async def _refresh(self, request, _body):
        return self.users.refresh(request)

    def _applications(self, _query):
        if self.profile.job_user == "row":
            raise ApiError(500, "Internal Server Error")  # T31
        return []

    # Jobs

    async def _create_job(self, request, body):
        limited = any(request.path.startswith(prefix) for prefix in self.profile.limited)
        try:
            document = load(body)
            envelope = bind(*_swap(self.profile.envelope, document))
        except BindError as exc:
            # The limiter responds and still runs the handler, which responds too (T10).
            reply = Reply.json({"errors": str(exc)}, 422)
            reply.body *= 2 if limited else 1
            return reply
        if limited and not all(self._allowed(number) for number in envelope["scheduler_cluster_ids"] or []):
            return Reply.text("rate limit exceeded", 429)
        kind = envelope["type"]
        if kind not in self.profile.job_types:
            return Reply.json({"errors": "Unknow type"}, 422)
        values = bind(*_swap(self.profile.job_request(kind), document))
        return await getattr(self, "_create_" + kind)(values)

    def _allowed(self, number):
        """Return whether the limiter accepts a job for a cluster. It knows neither missing nor new clusters (T11)."""
        cluster = self.clusters.get(number)
        if cluster is None or ("T11" in self.traps and self.clock.now() - cluster.created < self.clock.wait(180)):
            return False
        return self.limiter.allows(cluster)

    def _candidates(self, numbers, feature="preheat"):
        """Return the IDs of a job's clusters: those with a scheduler. Others are silently dropped (T15)."""
        for number in numbers or []:
            if self.clusters.get(number) is None:
                text = self.profile.unknown_cluster
                raise ApiError(404, text % number if "%d" in text else text)
        candidates = [number for number in numbers or self.clusters.ids() if self.fleet.scheduler_of(number, feature)]
        if not candidates:
            raise ApiError(500, "candidate schedulers not found")
        return candidates

    def _with_defaults(self, kind, args):
        return dict(args, **{key: value for key, value in self.profile.defaults(kind).items() if not args.get(key)})

    def complete_args(self, args):
        """Return ``args`` of a preheat as stored in a row."""
        fields = next(field for field in self.profile.job_request("preheat")[0] if field.key == "args").fields
        known = {field.key: args.get(field.key, field.zero) for field in fields}
        return self._with_defaults("preheat", known)

    def task_of(self, url, args):
        """Return the task ID of a blob's or file's URL in a preheat with these ``args``."""
        return task_id(url, self.complete_args(args), self.profile.standard_tasks)

    def finished_result(self, warm, state):
        """Return the ``result`` of a finished job.

        :param warm: list of entries of success_tasks, None for a job that failed.
        """
        now = self.clock.now()
        job = Job(0, "preheat", now, {}, [1])
        apart = self.profile.state_for == "blob" and warm
        for entries in [[url] for url in warm] if apart else [warm]:
            task = Task("preheat", now, 1, [])
            if state == "SUCCESS":
                task.succeed(self._work.preheated(task, entries, None))
            else:
                task.fail("rpc error: code = Aborted desc = source response 404/404 Not Found is not valid")
            task.finish(now)
            job.tasks.append(task)
        return self.jobs.group(job, now)[1]

    async def _create_preheat(self, values):
        return self._posted(await self._preheat(values))

    async def _preheat(self, values):
        args = self._with_defaults("preheat", values["args"])
        clusters = self._candidates(values["scheduler_cluster_ids"])
        try:
            urls, headers = await self._urls(args)
        except ManifestError as exc:
            raise ApiError(500, str(exc)) from None
        return self._add_job("preheat", values, args, clusters, urls, headers)

    async def _urls(self, args):
        """Return the content of a preheat: URLs of blobs or files, and their headers."""
        headers = dict(args["headers"] or {})
        if args["type"] == "image":
            if not args["url"]:
                raise ManifestError("invalid params: url is required")
            return await self._reader.blobs(args["url"], args)
        if args["type"] == "file":
            urls = list(args.get("urls") or []) + ([args["url"]] if args["url"] else [])
            if not urls:
                raise ManifestError("invalid params: url or urls is required")
            return urls, headers
        raise ManifestError("unknown preheat type")

    def _add_job(self, kind, values, args, clusters, urls, headers=None, watch=True):
        """Write a row, and start its tasks."""
        job = self.jobs.new(kind, args, list(dict.fromkeys(clusters)))
        job.bio = values["bio"]
        job.user_id = values["user_id"]
        job.urls = urls
        job.fetch_headers = headers or {}
        job.rule = self._rules.outcome(kind, [args.get("url") or ""] + list(args.get("urls") or []))
        if job.rule and job.rule.visible_after:
            self.jobs.hide(job, job.rule.visible_after)
        apart = self.profile.state_for == "blob" and kind == "preheat"
        for cluster in clusters:
            for part in [[url] for url in urls] if apart else [urls]:
                job.tasks.append(Task(kind, job.created, cluster, part))
        if watch:
            self.jobs.watch(job)
        self.users.forget_reads()
        task = asyncio.ensure_future(self._work.run(job))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return job

    def _posted(self, job):
        """Return the response to the POST that created a row."""
        shown = self.jobs.show(job, "post")
        if "T18" in self.traps:
            shown.update(created_at=time_text(None), updated_at=time_text(None))
        return Reply.json(shown)

    async def _create_get_task(self, values):
        return self._create_task_job("get_task", values)

    async def _create_delete_task(self, values):
        return self._create_task_job("delete_task", values)

    def _create_task_job(self, kind, values):
        args = self._with_defaults(kind, values["args"])
        selectors = [key for key in ("task_id", "content_for_calculating_task_id", "url") if key in args]
        if not any(args[key] for key in selectors):
            raise BindError(f"invalid params: {', '.join(selectors[:-1])} or url is required")
        clusters = self._candidates(values["scheduler_cluster_ids"], "schedule")
        return self._posted(self._add_job(kind, values, args, clusters, []))

    async def _create_sync_peers(self, values):
        self._candidates(values["scheduler_cluster_ids"], "schedule")
        await self.clock.sleep(10)
        self.clusters.sync_peers()
        return Reply.json("OK")

    async def _create_get_image_distribution(self, values):
        """Return which host has which layers: create and await a get_task job for each layer."""
        args = self._with_defaults("get_image_distribution", values["args"])
        clusters = self._candidates(values["scheduler_cluster_ids"], "schedule")
        try:
            urls, _headers = await self._reader.blobs(args["url"], args)
        except ManifestError as exc:
            raise ApiError(500, str(exc)) from None
        names = ("tag", "application", "filtered_query_params", "piece_length")
        [get_task_args] = [field for field in self.profile.job_request("get_task")[0] if field.key == "args"]
        jobs = []
        for url in urls:
            layer_args = {field.key: field.zero for field in get_task_args.fields}
            layer_args.update({name: args[name] for name in names}, url=url)
            layer_args = self._with_defaults("get_task", layer_args)
            jobs.append(self._add_job("get_task", {"bio": "", "user_id": 0}, layer_args, clusters, [], watch=False))
        await self.clock.sleep(3)
        holders: dict[tuple[str, str, int], list[dict[str, str]]] = {}
        for job in jobs:
            self.jobs.poll(job)
            for cluster in clusters:
                for host in self._work.holders(job.args["url"], args, cluster) if job.state == "SUCCESS" else []:
                    holders.setdefault((host.ip, host.name, cluster), []).append({"url": job.args["url"]})
        peers = [
            {"ip": ip, "hostname": name, "cached_layers": layers, "scheduler_cluster_id": cluster}
            for (ip, name, cluster), layers in holders.items()
        ]
        return Reply.json({"image": {"layers": [{"url": url} for url in urls]}, "peers": peers})

    async def _create_gc(self, values):
        purged = self.collect() if values["args"]["type"] == "job" else 0
        await self.clock.sleep(5)
        job = self._gc_row(values["args"]["type"], purged)
        job.task_id = str(uuid.uuid4())
        return self._posted(job)

    def _gc_row(self, name, purged, created=None):
        args = {"batch_size": 5000, "ttl": 6 * 3600 * SECOND, "type": name}
        job = self.jobs.new("gc", args, [], created)
        job.task_id = name
        job.state = "SUCCESS"
        job.result = {"purged": purged}
        return job

    def collect(self):
        """Delete jobs older than six hours in any state (T4), and return their number."""
        old = [job for job in self.jobs if job.created < self.clock.now() - 6 * 3600 * SECOND]
        for job in old:
            self.jobs.delete(job)
        return len(old)

    async def _list_jobs(self, request, _body):
        query = request.query
        struct = "GetJobsQuery"
        (user_id,) = read_uints(query, "user_id")
        page, per_page = read_page(query, struct, self.profile.max_per_page)
        state = query.get("state") or None
        if state and state not in _STATES:
            raise BindError(f"Key: '{struct}.State' Error:Field validation for 'State' failed on the 'oneof' tag")
        rows, total = self.jobs.page(page, per_page, query.get("type") or None, state, user_id)
        headers = {"Link": links(request.path, query, page, per_page, total)}
        return Reply.json([self.jobs.show(job, "list") for job in rows], headers=headers)

    async def _get_job(self, _request, _body, id):
        return Reply.json(self.jobs.show(self.jobs.find(_id(id)), "get"))

    async def _update_job(self, _request, body, id):
        fields = [field for field in self.profile.envelope[0] if field.key in ("bio", "user_id")]
        values = bind(fields, load(body), "UpdateJobRequest")
        job = self.jobs.find(_id(id))
        job.bio = values["bio"] or job.bio
        job.user_id = values["user_id"] or job.user_id
        job.updated = self.clock.now()
        self.jobs.changed()
        return Reply.json(self.jobs.show(job, "patch"))

    async def _delete_job(self, _request, _body, id):
        self.jobs.delete(self.jobs.find(_id(id)))
        return Reply()

    # The API of version 1

    async def _v1_create(self, _request, body):
        document = load(body)
        args = {key: document.get(key) for key in ("type", "url", "headers")}
        args["filter" if self.profile.release in ("2.0.9", "2.1.0") else "filtered_query_params"] = document.get(
            "filter"
        )
        values = bind(*_swap(self.profile.job_request("preheat"), {"type": "preheat", "args": args}))
        job = await self._preheat(values)
        return Reply.json({"id": str(job.id)})

    async def _v1_get(self, _request, _body, id):
        job = self.jobs.get(_id(id))
        if job is None:
            raise ApiError(500, "rpc error: code = Unknown desc = record not found")

        def moment(nanoseconds):
            return time_text(nanoseconds, self.profile.row_digits).replace("T", " ").replace("Z", " +0000 UTC")

        return Reply.json(
            {
                "id": str(job.id),
                "status": _V1_STATUS[job.state],
                "startTime": moment(job.created),
                "finishTime": moment(job.updated),
            }
        )

    # Time

    async def catch_up(self):
        """Update everything to the present."""
        if self.clock.skips_work and self._under_way:
            # Polls must see the outcome. A registry that hangs must not block the manager.
            await asyncio.wait(self._under_way, timeout=5)
        self._collect_in_background()
        self.jobs.advance()

    def _collect_in_background(self):
        """Write the job row of a garbage collection at each run."""
        now = self.clock.now()
        for name, seconds in self.profile.gc_rows:
            while now - self._collected[name] >= seconds * SECOND:
                self._collected[name] += seconds * SECOND
                self._gc_row(name, self.collect() if name == "job" else 0, self._collected[name])

    def restart(self):
        """Drop everything in memory: polls of pending rows and caches of users."""
        self.jobs.forget_polls()
        self.users.forget_reads()


def _nothing(_query):
    return []


def _id(text):
    """Return the ID of a row in a path.

    :raises BindError: if it is not a positive number.
    """
    number = parse_uint(text)
    if not number:
        raise BindError("Key: 'JobParams.ID' Error:Field validation for 'ID' failed on the 'required' tag")
    return number


def _swap(fields_and_struct, document):
    fields, struct = fields_and_struct
    return fields, document, struct


def _redirect(method, location, status):
    """Return a redirect like http.Redirect: with a body for GET only."""
    if method != "GET":
        return Reply(status, b"", {"Location": location})
    text = f'<a href="{location}">Moved Permanently</a>.\n\n'
    return Reply(status, text.encode(), {"Location": location, "Content-Type": "text/html; charset=utf-8"})
