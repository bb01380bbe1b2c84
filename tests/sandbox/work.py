# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of schedulers and clients for a job: real fetches, or the outcome of a rule."""

from __future__ import annotations

import zlib

from .fleet import task_id
from .reach import ReachError

_NO_V2 = "rpc error: code = Unimplemented desc = unknown service dfdaemon.v2.DfdaemonUpload"
_BACKEND = "rpc error: code = Internal desc = backend error: "
_NOT_FOUND = "404 Not Found"
_DELETE_NOT_FOUND = "task %s failed: rpc error: code = Internal desc = task %s not found"
_UNFINISHED = ("pending", "give_up", "unwatched", "gone")
_MANY = ("all_peers", "all_seed_peers")


class Work:
    """Runs the tasks of jobs. Without a rule, it really fetches their URLs."""

    def __init__(self, profile, clock, fleet, reach):
        self._profile = profile
        self._clock = clock
        self._fleet = fleet
        self._reach = reach

    def _task(self, url, args):
        return task_id(url, args, self._profile.standard_tasks)

    async def run(self, job):
        """Run a job's tasks to their end.

        :param job: ``jobs.Job``.
        """
        carry = {"preheat": self._preheat, "get_task": self._get_task, "delete_task": self._delete_task}[job.type]
        for number, task in enumerate(job.tasks):
            await carry(job, task, job.rule)
            if job.rule and job.rule.outcome in _UNFINISHED:
                continue
            done = job.created + self._clock.wait(_seconds(job.rule, number))
            task.finish(done if self._clock.skips_work else max(done, self._clock.now()))

    # preheat

    async def _preheat(self, job, task, rule):
        outcome = rule.outcome if rule else "fetch"
        if outcome in _UNFINISHED:
            return
        if outcome == "failure":
            task.fail(rule.error or "rpc error: code = Aborted desc = " + _source_error(_NOT_FOUND))
            return
        if outcome == "nothing":
            task.succeed(self.preheated(task, None, None))
            return
        if outcome == "go_peers" or job.args.get("scope") in _MANY:
            await self._many(job, task, rule, outcome)
        else:
            await self._single(job, task, rule, outcome)

    def preheated(self, task, warm, failed):
        if self._profile.go_cased:
            return []
        return [{"failure_tasks": failed, "scheduler_cluster_id": task.cluster_id, "success_tasks": warm}]

    async def _single(self, job, task, rule, outcome):
        """Let one seed peer fetch, as with the default scope."""
        seeds = self._fleet.hosts_of(task.cluster_id, "seed")
        if outcome == "no_seed_peer" or not seeds:
            self._no_seed(task)
            return
        by_cluster = self._profile.state_for == "cluster"
        warm, errors = [], []
        for url in task.urls:
            seed = seeds[zlib.crc32(url.encode()) % len(seeds)]
            if by_cluster and seed.client == "go" and outcome == "fetch":
                continue  # The scheduler does not support its protocol, and only logs that.
            error = await self._one(job, url, seed, rule, outcome)
            if isinstance(error, str):
                errors.append(error)
            elif error is not None:
                warm.append(error)
        if errors and not by_cluster:
            task.fail(f"rpc error: code = Aborted desc = {errors[0]}")
        else:
            task.succeed(self.preheated(task, warm or None, None))

    async def _one(self, job, url, seed, rule, outcome):
        """Fetch a URL at a seed. Return an entry of success_tasks, an error, or None for an unreported success."""
        index = job.urls.index(url)
        task = self._task(url, job.args)
        known = self._fleet.has(task, seed) and not self._profile.known_blob_host
        if outcome == "partial" and _names(rule.missing, index, url):
            return _source_error(_NOT_FOUND)
        if outcome == "fetch" and not self._fleet.has(task, seed):
            error = await self._fetch(job, url)
            if error:
                if seed.client == "rust":
                    self._fleet.store(task, seed, whole=False)
                return _source_error(error)
        self._fleet.store(task, seed)
        if outcome == "race_lost" and _names(rule.lost, index, url):
            return None
        return {"hostname": "unknown" if known else seed.name, "ip": "unknown" if known else seed.ip, "url": url}

    def _no_seed(self, task):
        text = self._profile.no_seed_peer
        if text is None:
            task.succeed(self.preheated(task, None, None))
            return
        task.fail(text % (task.cluster_id, self._fleet.scheduler_of(task.cluster_id).ip))

    async def _many(self, job, task, rule, outcome):
        """Let many hosts fetch, as with the other scopes. A host that fails once counts as failed for all URLs."""
        hosts = self._chosen(job, task)
        if not hosts:
            task.fail(
                f"cluster {task.cluster_id} scheduler {self._fleet.scheduler_of(task.cluster_id).ip} has "
                "no available peer"
            )
            return
        warm, failed = [], []
        for host in hosts:
            for url in task.urls:
                error = await self._at_peer(job, url, host, rule, outcome)
                entry = {"hostname": host.name, "ip": host.ip, "url": url}
                if error:
                    identity = self._task(url, job.args)
                    failed.append(dict(description=f"task {identity} failed: {error}", **entry))
                else:
                    warm.append(entry)
        failing = {entry["ip"] for entry in failed}
        warm = [entry for entry in warm if entry["ip"] not in failing]
        if warm:
            task.succeed(self.preheated(task, warm, failed))
            return
        first = failed[0]
        identity = f"{job.task_id} {task.uuid}"
        if self._profile.state_for == "blob":
            identity = self._task(first["url"], job.args)
        task.fail(f"all peers preheat failed: {identity} {first['ip']} {first['hostname']} {first['description']}")

    def _chosen(self, job, task):
        """Return the hosts of a job. ips takes precedence over count, and count over percentage."""
        args = job.args
        role = (
            "seed" if args.get("scope") == "all_seed_peers" else None if self._profile.state_for == "blob" else "peer"
        )
        hosts = self._fleet.hosts_of(task.cluster_id, role)
        if args.get("ips"):
            return [host for host in hosts if host.ip in args["ips"]]
        wanted = len(hosts)
        if args.get("count"):
            wanted = min(args["count"], len(hosts))
        elif args.get("percentage"):
            wanted = max(len(hosts) * args["percentage"] // 100, 1)
        return hosts[len(hosts) - wanted :]

    async def _at_peer(self, job, url, host, rule, outcome):
        """Fetch a URL at one of many hosts, and return the error text or None."""
        if outcome == "go_peers" or (outcome == "fetch" and host.client == "go"):
            return _NO_V2
        index = job.urls.index(url)
        if outcome == "partial" and _names(rule.missing, index, url):
            return _BACKEND + _NOT_FOUND
        if outcome == "failed_peers" and (host.name in rule.peers or host.ip in rule.peers):
            return rule.reason or _BACKEND + "by rule"
        task = self._task(url, job.args)
        if outcome == "fetch" and not any(content.whole for content in self._fleet.holders(task, host.cluster_id)):
            error = await self._fetch(job, url)
            if error:
                return _BACKEND + error
        self._fleet.store(task, host)
        return None

    async def _fetch(self, job, url):
        """Request a URL from its origin. Return the status (``404 Not Found``) or the error, None for success."""
        try:
            answer = await self._reach.fetch(url, job.fetch_headers)
        except ReachError as exc:
            return f'Get "{url}": {exc}'
        if answer.status // 100 != 2:
            return answer.status_line
        self._fleet.note_size(self._task(url, job.args), len(answer.body))
        return None

    # get_task and delete_task

    def holders(self, url, args, cluster_id):
        """Return the hosts in a distribution of a cluster: no seed peers, but hosts with an incomplete fetch.

        (manager/service/job.go, extractPeersFromJobs, 2.2.4 and later; recorded in 2.5.1/task_held_by_seed).
        """
        contents = self._fleet.holders(self._task(url, args), cluster_id)
        return [content.host for content in contents if content.host.role != "seed"]

    def _key(self, args):
        return self._task(args["url"], args) if args["url"] else args["task_id"]

    async def _get_task(self, job, task, rule):
        if rule and rule.outcome == "failure":
            task.fail(rule.error or "by rule")
            return
        listed = {"scheduler": self._remembered_peers, "hosts": self._peers_with_content}[self._profile.get_task_asks]
        peers = [
            dict(
                known,
                created_at=job.time_text(since),
                host_type=host.type,
                hostname=host.name,
                ip=host.ip,
                updated_at=job.time_text(self._clock.now()),
            )
            for host, since, known in listed(self._key(job.args), task.cluster_id)
        ]
        task.succeed([{"peers": peers or self._profile.no_task_peers, "scheduler_cluster_id": task.cluster_id}])

    def _peers_with_content(self, key, cluster_id):
        """Yield each host, when it joined and other facts. From 2.3.1 on, each responds once, for its own disk."""
        for content in self._fleet.holders(key, cluster_id):
            known = {"id": content.host.id}
            if self._profile.tells_finished:
                known["IsFinished"] = content.whole
            yield content.host, content.host.joined, known

    def _remembered_peers(self, key, cluster_id):
        """Yield the same up to 2.3.0: the scheduler lists all its peers, regardless of their disks."""
        for peer in self._fleet.peers(key, cluster_id):
            yield peer.host, peer.since, {"id": peer.id}

    async def _delete_task(self, job, task, rule):
        """Query a host once for each of its peers, like the scheduler. Only the first is not "not found"."""
        failing = (rule.peers or []) if rule and rule.outcome == "failed_peers" else []
        key = self._key(job.args)
        gone, failed = [], []
        peers = self._fleet.peers(key, task.cluster_id)
        for peer in peers:
            host = peer.host
            entry = {"host_type": host.type, "hostname": host.name, "ip": host.ip}
            if host.name in failing or host.ip in failing:
                reason = rule.reason or "rpc error: code = Internal desc = by rule"
                failed.append(dict(description=reason, **entry))
            elif self._fleet.delete(key, peer):
                gone.append(entry)
            else:
                failed.append(dict(description=_DELETE_NOT_FOUND % (key, key), **entry))
        known = [gone, failed] if peers else [None, None]
        task.succeed([{"failure_tasks": known[1], "scheduler_cluster_id": task.cluster_id, "success_tasks": known[0]}])


def _seconds(rule, number):
    """Return the duration of a task in the manager's seconds."""
    if rule and rule.task_after and number < len(rule.task_after):
        return rule.task_after[number]
    return rule.after if rule and rule.after is not None else 1


def _names(listed, index, url):
    """Return whether a rule's list of blobs (indexes from 0, digests or URLs) contains one."""
    return any(item == index if isinstance(item, int) else url.endswith(item) for item in listed or [])


def _source_error(reason):
    """Return the error text of a Go seed that could not fetch."""
    return f"source response {reason[:3]}/{reason} is not valid" if reason[:3].isdigit() else reason
