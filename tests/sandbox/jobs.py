# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of jobs, and the manager's polls that change them."""

from __future__ import annotations

import heapq
import random
import typing as t
import uuid
from bisect import insort

from .go import SECOND, Raw, time_text
from .pages import ApiError

_FIRST_POLL = 3 * 10**6  # nanoseconds after the row was written

ZERO_USER = {
    "id": 0,
    "created_at": time_text(None),
    "updated_at": time_text(None),
    "is_del": 0,
    "email": "",
    "name": "",
    "avatar": "",
    "phone": "",
    "state": "",
    "location": "",
    "bio": "",
    "configs": None,
}


def short(number, chance):
    """Up to 2.1.59: seconds before the next poll."""
    return max(5, chance.random() * 10)


def long(number, chance):
    """2.1.60 to 2.3.4."""
    return max(30, chance.random() * min(60 * 2**number, 300))


def fixed(number, _chance):
    """From 2.4.0: t = 0, 30, 90, 210, 450, 750, then every 300 s."""
    return min(30 * 2**number, 300)


SCHEDULES = {"short": short, "long": long, "fixed": fixed}


class Task:
    """The work of one scheduler for a job: one of ``job_states``."""

    def __init__(self, name, created, cluster_id, urls):
        self.uuid = f"task_{uuid.uuid4()}"
        self.name = name
        self.created = created
        self.cluster_id = cluster_id
        self.urls = urls
        self.error = ""
        self._state = "PENDING"
        self._results = None
        self._done = None

    def succeed(self, results):
        self._state, self._results = "SUCCESS", results

    def fail(self, error):
        self._state, self.error = "FAILURE", error

    def finish(self, when):
        """Return the time (nanoseconds) from which polls see the outcome."""
        self._done = when

    def at(self, now):
        """Return the state, results and error that a poll at a time sees."""
        if self._done is None or self._done > now:
            return "PENDING", None, ""
        return self._state, self._results, self.error


class Job:
    """A row and its running work."""

    def __init__(self, number, kind, now, args, cluster_ids):
        self.id = number
        self.type = kind
        self.created = now
        self.updated = now
        self.task_id = f"group_{uuid.uuid4()}"
        self.bio = ""
        self.state = "PENDING"
        self.args = args
        self.result = None
        self.user_id = 0
        self.cluster_ids = cluster_ids
        #: Not in the row: its URLs, how they are fetched, its rule and its tasks.
        self.urls = []
        self.fetch_headers = {}
        self.rule = None
        self.tasks = []
        self.polls = 0
        #: Time from which reads see it (nanoseconds): replicas of the manager cache what they read (T14).
        self.visible = now

    @staticmethod
    def time_text(nanoseconds):
        return time_text(nanoseconds)

    def __repr__(self):
        return f"<job {self.id} {self.type} {self.state} {self.args.get('url')}>"


class Jobs:
    """The table of jobs and its polls.

    Polls run on demand: ``advance`` updates the table to the present.
    """

    def __init__(self, profile, clock, clusters, users, seed=0):
        self._profile = profile
        self._clock = clock
        self._clusters = clusters
        self._users = users
        self._chance = random.Random(seed)
        self._rows = {}
        self._order = []
        self._last = 0
        self._queue = []
        self._hidden = []
        # Results of lists by filter, until a row changes: a manager has an index for them.
        self._found = {}

    # Rows

    def __iter__(self):
        return iter(self._rows.values())

    def __len__(self):
        return len(self._rows)

    def get(self, number):
        return self._rows.get(number)

    def find(self, number):
        """Return a row by its id.

        :raises ApiError: 404, also for a job of a user who does not exist (T5).
        """
        job = self._rows.get(number)
        if job is None or job.visible > self._clock.now() or not self._has_user(job):
            raise ApiError(404, self._profile.not_found)
        return job

    def new(self, kind, args, cluster_ids, created=None):
        """Create a row."""
        self._last += 1
        job = Job(self._last, kind, self._clock.now() if created is None else created, args, cluster_ids)
        self._rows[job.id] = job
        insort(self._order, self._sort_key(job))
        self.changed()
        return job

    def changed(self):
        """Drop the results of lists, which may change."""
        self._found = {}

    def hide(self, job, seconds):
        """Hide a row from reads for this time."""
        job.visible = job.created + int(seconds * SECOND)
        self._hidden.append(job)

    def delete(self, job):
        del self._rows[job.id]
        self._order.remove(self._sort_key(job))
        self.changed()

    def _sort_key(self, job):
        if not self._profile.newest_first:
            return (job.id,)
        unit = SECOND if self._profile.row_digits == 0 else SECOND // 1000
        return (-(job.created // unit), job.id)

    def _has_user(self, job):
        return self._profile.job_user != "row" or job.user_id == 0 or job.user_id in self._users.rows

    def page(self, page, per_page, kind=None, state=None, user_id=None):
        """Return the rows of a page, and their number on all pages.

        :raises ApiError: 404, if one of them cannot be read (T5).
        """
        wanted = (kind, state, user_id)
        if wanted not in self._found:
            rows = (self._rows[key[-1]] for key in self._order)
            self._found[wanted] = [
                job
                for job in rows
                if kind in (None, job.type) and state in (None, job.state) and user_id in (None, job.user_id)
            ]
        jobs = self._found[wanted]
        now = self._clock.now()
        if any(job.visible > now for job in self._hidden):
            jobs = [job for job in jobs if job.visible <= now]
        chosen = jobs[(page - 1) * per_page : page * per_page]
        if not all(self._has_user(job) for job in chosen):
            raise ApiError(404, self._profile.not_found)
        return chosen, len(jobs)

    # Rows in responses

    def show(self, job, at):
        """Return a row as the response to a request.

        :param at: ``post``, ``get``, ``list`` or ``patch``.
        """
        profile = self._profile
        digits = profile.row_digits
        shown = {
            "id": job.id,
            "created_at": time_text(job.created, digits),
            "updated_at": time_text(job.updated, 3 if at == "patch" else digits),
        }
        if profile.is_del:
            shown["is_del"] = 0
        shown.update(
            task_id=job.task_id,
            bio=job.bio,
            type=job.type,
            state=job.state,
            args=dict(sorted(job.args.items())),
            result=None if at == "post" and job.type != "gc" else job.result,
            user_id=job.user_id,
        )
        if profile.job_user:
            filled = profile.job_user == "row" and at != "post" and job.user_id
            shown["user"] = self._users.show(job.user_id) if filled else ZERO_USER
        many: list[t.Any] | None = None if at == "list" or job.type == "gc" else []
        shown["seed_peer_clusters"] = None if at == "post" else many
        shown["scheduler_clusters"] = None
        if many is not None:
            rows = [self._clusters.get(number) for number in job.cluster_ids]
            shown["scheduler_clusters"] = [self._clusters.scheduler_cluster(row) for row in rows if row]
        return shown

    # Polls

    def watch(self, job):
        """Begin to poll a job."""
        job.result = self._profile.result_before_poll
        if job.rule and job.rule.outcome == "unwatched":
            return
        self._plan(job, job.created + _FIRST_POLL)

    def poll(self, job):
        """Poll a job now, like a distribution does with its jobs."""
        job.result = self._profile.result_before_poll
        self._poll(job, self._clock.now())

    def _plan(self, job, when):
        heapq.heappush(self._queue, (when, job.id))

    def forget_polls(self):
        """Restart the manager, which stops polling its pending rows (T3)."""
        self._queue = []

    def advance(self):
        """Run all polls that are due."""
        now = self._clock.now()
        while self._queue and self._queue[0][0] <= now:
            when, number = heapq.heappop(self._queue)
            if number in self._rows:
                self._poll(self._rows[number], when)

    def _poll(self, job, when):
        rule = job.rule
        job.polls += 1
        if rule and rule.outcome == "gone" and job.polls >= (rule.after_polls or 2):
            self.delete(job)
            return
        before = job.state
        job.state, job.result = self.group(job, when)
        if self._profile.polls_touch_row or job.state != before:
            job.updated = when
        if job.state == "PENDING" and self._gives_up(job, when):
            job.state = "FAILURE"
            job.updated = when
        if job.state == "PENDING":
            self._plan(job, self._next_poll(job, when))
        else:
            self.changed()

    def _gives_up(self, job, when):
        """Return whether the manager stopped polling a job."""
        outcome = job.rule.outcome if job.rule else None
        if outcome == "give_up":
            return when - job.created >= self._clock.wait(job.rule.after or 0) and job.polls > 1
        return outcome != "pending" and job.polls >= self._profile.polls[1]

    def _next_poll(self, job, when):
        polls = job.rule.polls if job.rule and job.rule.polls else ()
        if job.polls <= len(polls):
            return job.created + self._clock.wait(polls[job.polls - 1])
        schedule = SCHEDULES[self._profile.polls[0]]
        return when + self._clock.wait(schedule(job.polls - 1, self._chance))

    def group(self, job, now):
        """Return the state and result of a job's tasks at a time (internal/job/job.go, GetGroupJobState)."""
        states = [(task,) + task.at(now) for task in job.tasks]
        chosen = next((state for state in states if state[1] == "FAILURE"), None)
        chosen = chosen or next((state for state in states if state[1] == "PENDING"), None)
        state = chosen[1] if chosen else "SUCCESS"
        created = (chosen or states[0])[0].created if states else job.created
        entries = [
            {
                "created_at": time_text(task.created),
                "error": error,
                "results": results,
                "state": task_state,
                "task_name": task.name,
                "task_uuid": task.uuid,
                "ttl": 0,
            }
            for task, task_state, results, error in states
        ]
        result = {"created_at": time_text(created), "group_uuid": job.task_id, "job_states": entries, "state": state}
        if self._profile.group_updated_at:
            result["updated_at"] = time_text(now)
        if self._profile.go_cased:
            result = _go_cased(result)
        return state, result

    # Earlier rows

    def add_history(
        self, count, kind="preheat", state="SUCCESS", age=7200, step=1, args=None, result=None, cluster_ids=(1,)
    ):
        """Insert old rows.

        :param age: age of the newest in seconds, ``step`` the seconds between two.
        :param args: dict, or a function of the row's number from 0 that returns one.
        :param result: their result, a dict or Raw JSON.
        :returns: list of ids, oldest first.
        """
        now = self._clock.now()
        made = []
        for number in range(count):
            created = now - int((age + (count - 1 - number) * step) * SECOND)
            values = args(number) if callable(args) else dict(args or {})
            job = self.new(kind, values, list(cluster_ids), created)
            job.state = state
            job.updated = created + 30 * SECOND
            job.result = result if result is not None else Raw("null")
            made.append(job.id)
        return made


_CASED = {
    "created_at": "CreatedAt",
    "group_uuid": "GroupUUID",
    "job_states": "JobStates",
    "state": "State",
    "task_uuid": "TaskUUID",
    "task_name": "TaskName",
    "results": "Results",
    "error": "Error",
    "ttl": "TTL",
}


def _go_cased(value):
    if isinstance(value, list):
        return [_go_cased(item) for item in value]
    if isinstance(value, dict):
        return {_CASED[key]: item if key == "results" else _go_cased(item) for key, item in value.items()}
    return value
