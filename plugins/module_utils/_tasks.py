# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks, which are what peers hold of a URL: who holds them, and their deletion, by jobs of the manager.

The jobs change nothing that a second one would not find changed, so unlike a preheat one whose answer is lost is simply
made again.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._client import DragonflyClient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._concurrency import map_in_threads
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import DragonflyError, InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._file_url import check_file_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_document import JobResult, is_over, task_peers
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._job_requests import JobRequests
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._option_checks import (
    raise_problems,
    range_problems,
    task_id_problems,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._platforms import check_platform
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._polling import Clock, poll
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._redact import redact_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry_config import read_registries
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import blob_digest_id

#: Exactly one of these says what a task is of.
SOURCES = ("image", "images", "file", "files", "task_id", "task_ids")

_NAMED_IN_MESSAGE = 5
_IMAGE_ONLY = ("platforms", "digest_ids", "keep_images")
# Part of what identifies a task, and not known to every release that has jobs for tasks.
_PERHAPS_UNKNOWN = ("application", "filtered_query_params", "piece_length")
#: Why a task is still held that the manager deleted successfully. A stable code.
NOT_DELETABLE = "not_deletable"
# Schedulers from 2.4.0 on ask the peers themselves; the next release is the first one whose manager can be told apart.
_FIRST_ASKING_PEERS = (2, 4, 1)
# Upstream: dragonfly-client from 1.4.2 on, recorded in contract/2.5.1/task_small_blob_deleted.
_WHY_HELD = (
    "Their schedulers do not know of it, so the manager cannot delete it. Rust clients 1.4.2 and later fetch blobs and "
    "files of up to 4 MiB without a scheduler. What to do: wait until it expires on the peers (gc.policy.taskTTL in "
    "dfdaemon.yaml), restart dfdaemon there with storage.keep set to false, or remove it on the hosts."
)
# What a host answers that does not hold the task (dragonfly-client-core, TaskNotFound).
_NOT_FOUND = re.compile(r"\btask [0-9a-f]+ not found\b")
# sha256, sha512 and crc32 in hexadecimal and decimal digits.
_TASK_ID = re.compile(r"[0-9a-f]{8,128}\Z")


class Target:
    """A task that is asked about or deleted.

    :ivar source: what the user wrote (str).
    :ivar image: L(Image), None for a file or an id.
    :ivar url: str, None for an id.
    :ivar task_id: str, None for a URL.
    """

    def __init__(self, source, image=None, url=None, task_id=None):
        self.source = source
        self.image = image
        self.url = url
        self.task_id = task_id

    @property
    def selector(self):
        """The key of a job's ``args`` that names the task."""
        return {"task_id": self.task_id} if self.task_id else {"url": self.url}

    @property
    def name(self):
        """For messages, without secrets."""
        return f"the task {self.task_id}" if self.task_id else redact_url(self.url)


def check_task_params(params):
    """Refuses what makes no sense, before anything is sent.

    :param params: dict, a module's.
    :raises InputError: with all that was found.
    """
    problems = range_problems(params) + task_id_problems(params)
    if params.get("image") is None and params.get("images") is None:
        problems += [f"{name} is only for images" for name in _IMAGE_ONLY if params.get(name)]
    raise_problems(problems)


def find_targets(params, registry_for):
    """The tasks that a module's options name, each once.

    :param params: dict, checked.
    :param registry_for: function of a L(Target) with an image, gives the L(Registry) to read its manifest from.
    :returns: list of L(Target): for an image one for each blob, less those that ``keep_images`` have too.
    :raises InputError: if an option names none.
    :raises DragonflyError: if a manifest cannot be read.
    """
    if params.get("task_id") is not None or params.get("task_ids") is not None:
        ids = [params["task_id"]] if params.get("task_id") is not None else params["task_ids"]
        return [_by_id(one) for one in dict.fromkeys(ids)]
    if params.get("file") is not None or params.get("files") is not None:
        files = [params["file"]] if params.get("file") is not None else params["files"]
        return [Target(one, url=check_file_url(one)) for one in dict.fromkeys(files)]
    images = [params["image"]] if params.get("image") is not None else params["images"]
    bases, dummy = read_registries(params.get("registries"))
    platforms = [check_platform(one) for one in dict.fromkeys(params.get("platforms") or [])] or [None]
    images = [Target(one, image=parse_image(one, bases)) for one in dict.fromkeys(images)]
    keep = [Target(one, image=parse_image(one, bases)) for one in dict.fromkeys(params.get("keep_images") or [])]
    wanted = [(target, platform) for target in images for platform in platforms]
    # Of what is kept all platforms count. A blob is kept by its digest, for some clients make the id of that alone.
    digests = map_in_threads(lambda one: _blobs(one, registry_for), wanted + [(target, None) for target in keep])
    kept = {digest for found in digests[len(wanted) :] for digest in found}
    targets = {}
    for (target, dummy), found in zip(wanted, digests):
        for digest in found:
            if digest in kept:
                continue
            url = target.image.blob_url(digest)
            targets.setdefault(url, Target(target.source, image=target.image, url=url))
            if params.get("digest_ids"):
                task_id = blob_digest_id(url)
                targets.setdefault(task_id, Target(target.source, image=target.image, url=url, task_id=task_id))
    return list(targets.values())


def _by_id(task_id):
    if not _TASK_ID.match(task_id):
        raise InputError(f"{task_id!r} is no id of a task, which is 8 to 128 hexadecimal digits in lower case.")
    return Target(task_id, task_id=task_id)


def _blobs(wanted, registry_for):
    target, platform = wanted
    registry = registry_for(target)
    manifest = registry.manifest(target.image)
    return [digest for dummy, digests in registry.blobs(target.image, manifest, platform) for digest in digests]


class TaskJob:
    """What came of the job for a target.

    :ivar job: dict as the manager returned it, None where there is none.
    :ivar reason: a stable code for why it failed (str), None where it did not.
    :ivar message: in words, None likewise.
    :ivar lost: whether an answer was lost, so that another job may have done the work.
    :ivar held: the hosts that hold the task after its deletion (list), None where that is not known.
    """

    def __init__(self, target):
        self.target = target
        self.job = None
        self.reason = None
        self.message = None
        self.lost = False
        self.held = None

    def fail(self, reason, message):
        """Notes why it failed."""
        self.reason = reason
        self.message = message

    @property
    def done(self):
        """Whether its answer is there."""
        return self.job is not None and self.job.get("state") == "SUCCESS"

    @property
    def pending(self):
        """Whether it is to be awaited."""
        return self.job is not None and self.reason is None and not is_over(self.job)

    def result(self):
        """What all modules about tasks return of it (dict)."""
        target = self.target
        return {
            "source": redact_url(target.source),
            "url": redact_url(target.url) if target.url else None,
            "task_id": target.task_id,
            "job_id": self.job["id"] if self.job else None,
            "state": self.job.get("state") if self.job else None,
            "reason": self.reason,
            "message": self.message,
        }


class TaskJobs:
    """Makes a job for each target and awaits them.

    :param client: L(DragonflyClient) with a token.
    :param kind: ``get_task`` or ``delete_task``.
    :param params: dict, the module's, checked.
    :param clock: L(Clock).
    """

    def __init__(self, client, kind, params, clock):
        self._client = client
        self._kind = kind
        self._params = params
        self._clock = clock
        self._reader = JobReader(client, clock)
        self._requests = JobRequests(client, self._reader, clock)
        self._last_error = None
        self._args = task_args(params)

    def run(self, targets):
        """Does it all.

        :param targets: list of L(Target).
        :returns: list of L(TaskJob), one for each.
        :raises DragonflyError: where no job can be made at all.
        """
        jobs = [TaskJob(target) for target in targets]
        if not jobs:
            return jobs
        if self._kind == "delete_task" and any(self._params.get(key) for key in _PERHAPS_UNKNOWN):
            # The echo of a job tells what is not known, and this one deletes nothing.
            asked = dict(self._params, wait=False, job_timeout=None)
            TaskJobs(self._client, "get_task", asked, self._clock).run(targets[:1])
        # The first one tells whether the others are of any use.
        self._create(jobs[0])
        try:
            check_echo(self._params, jobs[0].job.get("args"))
        except DragonflyError as exc:
            if self._kind != "delete_task":
                raise
            return self._give_up(jobs, exc)
        map_in_threads(self._try_to_create, jobs[1:])
        if self._params["wait"]:
            self._wait(jobs)
        for one in jobs:
            if one.job is not None and one.reason is None and one.job.get("state") == "FAILURE":
                errors = "; ".join(dict.fromkeys(JobResult(one.job).errors))
                one.fail("failed", errors or "the manager gave the job up")
        return jobs

    def _give_up(self, jobs, error):
        """Makes no more jobs, after the first one, whose work is to be told though it is not what was asked."""
        if self._params["wait"]:
            self._wait(jobs[:1])
        jobs[0].fail(error.reason, error.message)
        for one in jobs[1:]:
            one.fail(error.reason, "no job was made for it")
        return jobs

    def _try_to_create(self, one):
        try:
            self._create(one)
        except DragonflyError as exc:
            one.fail(exc.reason, exc.message)

    def _create(self, one):
        body = {"type": self._kind, "args": dict(self._args, **one.target.selector)}
        if self._params.get("scheduler_cluster_ids"):
            body["scheduler_cluster_ids"] = list(dict.fromkeys(self._params["scheduler_cluster_ids"]))
        one.job, one.lost = self._requests.create(body)

    def _wait(self, jobs):
        timeout = self._params["wait_timeout"]
        by_id = {one.job["id"]: one for one in jobs if one.job}

        def look():
            ids = [job_id for job_id, one in by_id.items() if one.pending]
            result = self._reader.poll_once(ids, self._kind)
            self._last_error = result.error
            for job_id, job in result.jobs.items():
                if job is None:
                    by_id[job_id].fail("gone", f"the manager does not have job {int(job_id)} any more")
                else:
                    by_id[job_id].job = job
            return any(one.pending for one in by_id.values())

        try:
            poll(look, lambda pending: not pending, timeout, self._params["wait_sleep"], self._clock)
        except DragonflyError as exc:
            for one in by_id.values():
                if one.pending:
                    one.fail(exc.reason, f"the job could not be watched any more: {exc.message}")
        for one in by_id.values():
            if one.pending:
                words = f"the job is still PENDING after {int(timeout)} s"
                if self._last_error:
                    words += f". The last request failed: {self._last_error.message.rstrip('.')}"
                one.fail("timed_out", words)


def task_args(params):
    """The keys of ``args`` that the options of the group TASK become."""
    args = {key: params[key] for key in ("tag", "application", "piece_length") if params.get(key)}
    if params.get("filtered_query_params"):
        args["filtered_query_params"] = "&".join(params["filtered_query_params"])
    if params.get("job_timeout"):
        args["timeout"] = params["job_timeout"] * 10**9
    return args


def check_echo(params, args):
    """Whether the manager knows all options of the group TASK that are set; its echo holds what it knows and no more.

    :raises DragonflyError: if it ignored one.
    """
    ignored = [key for key in task_args(params) if isinstance(args, dict) and key not in args]
    if ignored:
        names = ", ".join("job_timeout" if key == "timeout" else key for key in ignored)
        raise DragonflyError(
            f"This manager does not know {names} for tasks and ignored it. What to do: leave it out, or use a "
            "release that knows it.",
            "unknown_option",
        )


def holders(job):
    """Return the hosts that hold a task, by the answer of a job of the type get_task.

    A host is named once. Up to 2.3.0 the scheduler lists its peers, of which a host that fetched twice has two
    (scheduler/job/job.go, getTask); a cluster with several schedulers answers once for each.

    :returns: list of dict with ``hostname``, ``ip``, ``host_type``, ``finished`` (None before 2.4.0, which do not
        tell), ``scheduler_cluster_id``, ``created_at`` and ``updated_at``.
    """
    by_host = {}
    for cluster, peer in task_peers(job, "peers"):
        host = by_host.setdefault(
            _host_key(cluster, peer),
            {
                "hostname": peer.get("hostname"),
                "ip": peer.get("ip"),
                "host_type": peer.get("host_type"),
                "finished": peer.get("IsFinished"),
                "scheduler_cluster_id": cluster,
                "created_at": peer.get("created_at"),
                "updated_at": peer.get("updated_at"),
            },
        )
        if peer.get("IsFinished") is True:
            host["finished"] = True
    return list(by_host.values())


def _host_key(cluster, peer):
    return cluster, str(peer.get("hostname")), str(peer.get("ip"))


class HostDeletions(t.NamedTuple):
    """What became of a task on the hosts that had peers of it: those that deleted it, and those that may hold it still.

    A host that did not hold it is in neither.
    """

    deleted: list[dict[str, t.Any]]
    failed: list[dict[str, t.Any]]


def host_deletions(job):
    """Return what a job of the type delete_task says, for each host once (L(HostDeletions)).

    A scheduler asks a host once for each of its peers of the task, and each scheduler of a cluster does so: after the
    first "deleted" the host answers "not found" (contract/2.5.1/task_deleted_twice). A deletion empties the host's disk
    of the task, so one success counts for the host, and "not found" is what was wanted.
    """
    deleted, failed = {}, {}
    for cluster, peer in task_peers(job, "success_tasks"):
        deleted.setdefault(_host_key(cluster, peer), _host_entry(cluster, peer))
    for cluster, peer in task_peers(job, "failure_tasks"):
        key = _host_key(cluster, peer)
        description = peer.get("description")
        if key in deleted or (isinstance(description, str) and _NOT_FOUND.search(description)):
            continue
        failed.setdefault(key, dict(_host_entry(cluster, peer), description=description))
    return HostDeletions(list(deleted.values()), list(failed.values()))


def _host_entry(cluster, peer):
    entry = {name: peer.get(name) for name in ("hostname", "ip", "host_type")}
    entry["scheduler_cluster_id"] = cluster
    return entry


def find_held(client: DragonflyClient, jobs: list[TaskJob], params: dict[str, t.Any], clock: Clock) -> list[str]:
    """Ask the peers who holds the tasks whose deletion names nobody, and note it as ``held``; return warnings.

    A deletion that names nobody proves nothing: a scheduler has only those peers delete a task that it remembers
    (contract/2.5.1/task_small_blob_deleted). One job of the type get_task for each such task, all created together.

    :param params: the module's; ``wait_timeout`` is what is left of it, in seconds.
    """
    unproven = [task_job for task_job in jobs if names_nobody(task_job)]
    if not unproven or not _asks_peers(client, clock):
        return []
    # Releases differ in whether a question has a time limit, and the manager's own is enough.
    params = dict(params, wait=True, job_timeout=None)
    try:
        answers = TaskJobs(client, "get_task", params, clock).run([task_job.target for task_job in unproven])
    except DragonflyError as exc:
        return [_unverified(unproven, exc.message)]
    for task_job, answer in zip(unproven, answers):
        task_job.held = hosts_of_answer(answer.job) if answer.done else None
    unknown = [task_job for task_job in unproven if task_job.held is None]
    problems = [answer.message for answer in answers if answer.message]
    problem = problems[0] if problems else "the schedulers do not ask the peers before Dragonfly 2.4.0"
    warnings = [_unverified(unknown, problem)] if unknown else []
    held = [task_job for task_job in unproven if task_job.held]
    return warnings + ([_still_held(held)] if held else [])


def names_nobody(task_job: TaskJob) -> bool:
    """Return whether a deletion is over and no host deleted the task or failed to."""
    return task_job.done and task_job.reason is None and host_deletions(task_job.job) == HostDeletions([], [])


def _asks_peers(client: DragonflyClient, clock: Clock) -> bool:
    reader = JobReader(client, clock)
    reader.probe_releases()
    return not reader.releases.before(_FIRST_ASKING_PEERS)


def hosts_of_answer(job: dict[str, t.Any]) -> list[dict[str, t.Any]] | None:
    """Return the hosts that hold a task by a job of the type get_task, None where it does not say so for sure.

    Before 2.4.0 a host does not tell ``IsFinished``, and before 2.3.1 the scheduler names whom it remembers.
    """
    hosts = holders(job)
    if any(host["finished"] is None for host in hosts):
        return None
    return [dict(_host_entry(host["scheduler_cluster_id"], host), finished=host["finished"]) for host in hosts]


def _unverified(task_jobs: list[TaskJob], problem: str) -> str:
    return (
        f"No scheduler knew peers of {_named_tasks(task_jobs)}, and whether peers hold it all the same is not known: "
        f"{problem.rstrip('.')}. What to do: query it with dragonflyoss.dragonfly.task_info."
    )


def _still_held(task_jobs: list[TaskJob]) -> str:
    return f"Peers still hold {_named_tasks(task_jobs)}. {_WHY_HELD} See held of each task for the peers."


def _named_tasks(task_jobs: list[TaskJob]) -> str:
    """Return the names of tasks for a message, each with the hosts that hold it."""
    names = [task_job.target.name + _named_hosts(task_job.held or []) for task_job in task_jobs[:_NAMED_IN_MESSAGE]]
    more = len(task_jobs) - _NAMED_IN_MESSAGE
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _named_hosts(hosts: list[dict[str, t.Any]]) -> str:
    """Return hosts in parentheses, empty where there are none."""
    names = ", ".join(str(host["hostname"]) for host in hosts[:_NAMED_IN_MESSAGE])
    more = len(hosts) - _NAMED_IN_MESSAGE
    return f" ({names}{f' and {more} more' if more > 0 else ''})" if hosts else ""


def deletion(jobs):
    """Return what became of tasks that were to be deleted, by their jobs, or in check mode by who holds them.

    A job of which a host failed is noted as failed.

    :param jobs: list of L(TaskJob), of the type delete_task or get_task.
    :returns: dict with ``changed``, ``diff`` and ``tasks``.
    """
    tasks, gone = [], []
    for task_job in jobs:
        hosts = host_deletions(task_job.job) if task_job.job else HostDeletions([], [])
        deleted = None
        if task_job.done:
            held = [_host_entry(host["scheduler_cluster_id"], host) for host in holders(task_job.job)]
            deleted = hosts.deleted + held
        if hosts.failed and task_job.done and task_job.reason is None:
            task_job.fail("peers_failed", _failed_hosts(hosts.failed))
        if deleted or task_job.lost or (task_job.job and not task_job.done and not hosts.failed):
            gone.append(task_job.target.name)
        tasks.append(dict(_result_of_deletion(task_job), deleted=deleted, failures=hosts.failed))
    before = "".join(f"{name}\n" for name in gone)
    return {"changed": bool(gone), "diff": {"before": before, "after": ""}, "tasks": tasks}


def _result_of_deletion(task_job):
    result = dict(task_job.result(), held=task_job.held)
    if task_job.held:
        # No failure: each image has a config blob that is this small.
        result.update(reason=NOT_DELETABLE, message=f"Peers still hold it{_named_hosts(task_job.held)}. {_WHY_HELD}")
    return result


def _failed_hosts(failed):
    named = [f"{host['hostname']} ({host['description']})" for host in failed[:_NAMED_IN_MESSAGE]]
    number = "1 host" if len(failed) == 1 else f"{len(failed)} hosts"
    more = f" and {len(failed) - _NAMED_IN_MESSAGE} more" if len(failed) > _NAMED_IN_MESSAGE else ""
    return f"{number} did not delete it: {', '.join(named)}{more}"


def failure(jobs, verb):
    """The keys of a result that failed (dict), empty where none of the jobs did.

    :param jobs: list of L(TaskJob).
    :param verb: such as ``deleted``.
    """
    bad = [one for one in jobs if one.reason]
    if not bad:
        return {}
    lines = [f"{len(bad)} of {len(jobs)} tasks were not {verb}."]
    for one in bad[:_NAMED_IN_MESSAGE]:
        job = f" (job {int(one.job['id'])})" if one.job else ""
        lines.append(f"{one.target.name}{job}: {one.message.rstrip('.')}.")
    if len(bad) > _NAMED_IN_MESSAGE:
        lines.append(f"See tasks for the other {int(len(bad) - _NAMED_IN_MESSAGE)}.")
    return {"failed": True, "reason": bad[0].reason, "msg": " ".join(lines)}
