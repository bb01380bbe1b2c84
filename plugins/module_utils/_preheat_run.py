# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries out a preheat: looks up, creates, waits, and tells what came of it.

What is decided here stands in L(_preheat) and L(_outcome); this file only asks and acts. The clock is an argument.
Worker threads touch the client and the registry, never the module.

PRIVATE to the collection.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    ApiError,
    DragonflyError,
    GarbledError,
    TransportError,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._jobs import JobReader, no_cluster, transient
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._outcome import (
    Outcome,
    job_result,
    judge,
    lacking_hosts,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._preheat import (
    ADOPT,
    FOUND,
    GIVE_UP_WINDOW,
    Coverage,
    cluster_ids,
    decide,
    is_watched,
    job_urls,
    same_job,
    wanted_jobs,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._registry import RegistryUnreachable
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import (
    not_everywhere,
    not_in_echo,
    not_in_releases,
    option_releases,
    releases_of_echo,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._scrub import scrub_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_time
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._wait import poll

_THREADS = 8
# A row can come late: the manager goes on after a lost POST, and replicas cache lists for 30 s.
_LOST_WINDOW = 60
_LOST_SLEEP = 5
# The manager lets 10 creates a second pass for a cluster, and says nothing of when to come again.
_RATE_PAUSE = 0.05
# Who gets no place for so long waits for something else, and need not ask so often.
_RATE_PATIENCE = 5
_RATE_LONG_PAUSE = 1
# A new cluster is refused for up to 3 minutes; a cluster that does not exist, for ever.
_RATE_LIMIT_KNOWN = 240
_RATE_LIMIT_UNKNOWN = 30
_NAMED_IN_MESSAGE = 5


class Tracked:
    """A job that counts for what is wanted, or the reason why there is none."""

    def __init__(self, wanted, source, job, outcome):
        self.wanted = wanted
        self.source = source
        self.job = job
        self.outcome = outcome

    def result(self):
        """The job as the module returns it."""
        return job_result(self.job, self.outcome, source=self.source, wanted=self.wanted)


class Preheat:
    """One run of the module.

    :param client: L(DragonflyClient).
    :param registry_for: function of L(Wanted), gives the L(Registry) to read its manifest from.
    :param params: dict, the module's, checked.
    :param clock: L(Clock).
    :param check_mode: nothing is created and nothing awaited.
    :param progress: function of a line of text, called whenever the picture changes.
    """

    def __init__(self, client, registry_for, params, clock, check_mode=False, progress=None):
        self._client = client
        self._registry_for = registry_for
        self._params = params
        self._clock = clock
        self._check_mode = check_mode
        self._progress = progress or (lambda line: None)
        self._wanted = wanted_jobs(params)
        self._jobs = JobReader(client, clock)
        self._claim_lock = threading.Lock()
        self._rate_lock = threading.Lock()
        self._claimed = set()
        self._any_cluster = []
        self._served = {}
        self._stop = None
        self._line = None
        self.warnings = self._jobs.warnings
        self.tracked = []
        self.changed = False

    def run(self):
        """Does it all and returns the module's result (dict), whose key ``failed`` tells how it ended."""
        start = self._clock.now()
        coverage = {
            wanted: Coverage({wanted.cluster_id} if wanted.cluster_id else None, exact=True) for wanted in self._wanted
        }
        self._read_manifests()
        self._look_up(coverage)
        self._remake_what_lacks_hosts(coverage)
        self._warn_of_unknown_clusters()
        self._refuse_unknown_options()
        todo = [(wanted, ids) for wanted in self._wanted for ids in _posts(wanted, coverage[wanted].missing)]
        if self._check_mode:
            self._predict(todo)
        else:
            self._create(todo)
            if self._params["wait"]:
                self._wait()
        order = {wanted: number for number, wanted in enumerate(self._wanted)}
        self.tracked.sort(key=lambda one: order[one.wanted])
        return self._result(round(self._clock.now() - start, 1))

    # The registry

    def _read_manifests(self):
        """Pins tags to digests and learns which blobs must be warm, as far as ``verify`` asks for it."""
        images = [wanted for wanted in self._wanted if wanted.image]
        if not images or self._params["verify"] not in ("auto", "blobs"):
            return
        by_url = {}
        for wanted in images:
            by_url.setdefault((wanted.url, wanted.platform), []).append(wanted)
        unreachable, refused = [], []
        for group, found in zip(
            by_url.values(), self._in_threads(self._read_manifest, [group[0] for group in by_url.values()])
        ):
            if isinstance(found, RegistryUnreachable) and self._params["verify"] == "auto":
                unreachable.append(found)
                continue
            if isinstance(found, DragonflyError):
                refused.append((group[0], found))
                continue
            for wanted in group:
                _pin(wanted, *found)
                if found[0].children is not None and wanted.platform is None:
                    self.warnings.append(
                        f"{scrub_url(wanted.source)} is an image index and no platform is asked for: the "
                        "manager preheats that of its own host. "
                        "Set platforms."
                    )
        if refused:
            raise _all_refused(refused, len(by_url))
        if unreachable:
            self.warnings.append(
                f"{len(unreachable)} of {len(by_url)} manifests could not be read, so the images are not "
                f"pinned to a digest and warm is what the job says: {unreachable[0].message}"
            )

    def _read_manifest(self, wanted):
        registry = self._registry_for(wanted)
        manifest = registry.manifest(wanted.image)
        return manifest, registry.blobs(wanted.image, manifest, wanted.platform)

    def _in_threads(self, function, items):
        """What the function gave for each item, or the L(DragonflyError) that it raised."""

        def caught(item):
            try:
                return function(item)
            except DragonflyError as exc:
                return exc

        if len(items) < 2:
            return [caught(item) for item in items]
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            return list(pool.map(caught, items))

    # What exists

    def _look_up(self, coverage):
        """Finds the existing jobs that count, newest first, and no further back than they can."""
        horizon = None if self._params["force"] else max(self._params["max_age"], GIVE_UP_WINDOW)
        candidates = {wanted: [] for wanted in self._wanted}
        by_address = {}
        first = True
        for rows in self._jobs.recent(horizon, type="preheat"):
            if first:
                self._pin_for_old_managers()
                for wanted in self._wanted:
                    by_address.setdefault(_address(wanted.url), []).append(wanted)
                first = False
            if self._params["force"]:
                return
            for row in rows:
                args = row.get("args") if isinstance(row.get("args"), dict) else {}
                for wanted in by_address.get(_address(next(iter(job_urls(args)), "")), ()):
                    if not coverage[wanted].settled and same_job(args, wanted):
                        candidates[wanted].append(row)
            self._settle(candidates, coverage)
            if all(one.settled for one in coverage.values()):
                return

    def _pin_for_old_managers(self):
        """Before 2.1.21 a manager knows no index: it is given the manifest of the platform itself."""
        indexes = [
            wanted
            for wanted in self._wanted
            if wanted.image and wanted.manifests and wanted.child_digests and wanted.child_digests != [wanted.digest]
        ]
        if not indexes or self._jobs.releases.since((2, 1, 21)):
            return
        if self._jobs.echo_seen and not self._jobs.releases.before((2, 1, 21)):
            return
        # The job that told the release can be older than the manager's last upgrade, and there may be none.
        self._jobs.probe_releases()
        if not self._jobs.releases.before((2, 1, 21)):
            return
        for wanted in indexes:
            wanted.url = wanted.image.manifest_url(wanted.child_digests[0])
            wanted.digest = wanted.child_digests[0]
            wanted.manifests = wanted.manifests[:1]
            wanted.pinned_platform = True

    def _settle(self, candidates, coverage):
        """Decides on the candidates, newest first, each read by its id, since only that names the clusters."""
        while True:
            turn = [
                (wanted, found.pop(0)) for wanted, found in candidates.items() if found and not coverage[wanted].settled
            ]
            if not turn:
                return
            self._learn_clusters([wanted for wanted, dummy in turn if wanted.cluster_id is None], coverage)
            # Some at a time, for whole jobs can be large.
            for start in range(0, len(turn), _THREADS):
                some = turn[start : start + _THREADS]
                jobs = self._in_threads(self._jobs.get, [row["id"] for dummy, row in some])
                for (wanted, dummy), job in zip(some, jobs):
                    if isinstance(job, ApiError) and job.status == 404:
                        continue
                    if isinstance(job, DragonflyError):
                        raise job
                    self._decide(wanted, job, coverage[wanted])

    def _learn_clusters(self, wanted, coverage):
        """For jobs that are for every cluster: which there are, where this manager and token tell."""
        for one in wanted:
            if coverage[one].needed is None and self._jobs.all_clusters():
                coverage[one] = Coverage(self._jobs.all_clusters())

    def _decide(self, wanted, job, coverage):
        outcome = self._judge(wanted, job)
        now = self._jobs.now()
        decision = decide(job, outcome, now, self._params["max_age"], self._jobs.releases)
        made = parse_time(job.get("created_at"))
        if (
            outcome.outcome == "cold"
            and made is not None
            and now - made <= self._params["max_age"]
            and not self._check_mode
        ):
            outcome = self._ask_for_lost(wanted, job, outcome)
            decision = decide(job, outcome, now, self._params["max_age"], self._jobs.releases)
        if not coverage.add(cluster_ids(job), decision):
            return
        if coverage.needed is None:
            self._any_cluster.append(job)
        self.tracked.append(Tracked(wanted, ADOPT if decision == ADOPT else FOUND, _slim(job), outcome))

    def _warn_of_unknown_clusters(self):
        if not self._any_cluster:
            return
        ids = sorted(set().union(*(cluster_ids(job) for job in self._any_cluster)))
        self.warnings.append(
            "Which clusters there are cannot be read: that needs a token with the scope cluster, and release "
            f"2.1.9 or later. So existing jobs ({len(self._any_cluster)}) count that are only known to be for "
            f"cluster {', '.join((str(one) for one in ids)) or '(unknown)'}. Give the token that scope, or "
            "set scheduler_cluster_ids."
        )

    def _judge(self, wanted, job, proven=()):
        params = self._params
        return judge(
            job,
            wanted,
            verify=params["verify"],
            proven=proven,
            max_failed_percentage=params["max_failed_peers_percentage"],
        )

    # The hosts that were asked for

    def _lacking(self):
        """Yields the warm jobs of each image or file that lack hosts (list of L(Tracked)), and what they lack."""
        params = self._params
        groups = {}
        for one in self.tracked:
            groups.setdefault((one.wanted.url, one.wanted.platform), []).append(one)
        for group in groups.values():
            if params["verify"] == "none" or not group[0].wanted.many_peers:
                continue
            if all(one.outcome.outcome == "warm" for one in group):
                words = lacking_hosts(
                    [one.outcome for one in group],
                    params.get("expected_ips") or (),
                    params.get("ips") or (),
                    params["max_failed_peers_percentage"],
                )
                if words:
                    yield group, words

    def _remake_what_lacks_hosts(self, coverage):
        """Existing jobs of which none knows a host that must be warm do not count."""
        for group, dummy in list(self._lacking()):
            wanted = {one.wanted for one in group}
            if all(coverage[one].missing is None for one in wanted):
                self.tracked = [one for one in self.tracked if one not in group]
                ids = {one.job["id"] for one in group}
                self._any_cluster = [job for job in self._any_cluster if job["id"] not in ids]
                coverage.update((one, Coverage(coverage[one].needed)) for one in wanted)

    def _refuse_what_lacks_hosts(self):
        for group, words in list(self._lacking()):
            for one in group:
                one.outcome.outcome, one.outcome.reason, one.outcome.message = "cold", "cold", words

    # Options that this manager does not know

    def _refuse_unknown_options(self):
        options = {}
        for wanted in self._wanted:
            options.update((name, value) for name, value in wanted.all_options().items() if value)
        if not self._jobs.echo_seen and not_everywhere(options):
            # No job tells the release yet, and one that is made to learn it would be made in vain.
            self._jobs.probe_releases()
        unknown = not_in_releases(options, self._jobs.releases)
        # A stored job can be older than the manager's last upgrade, so ask before refusing.
        if unknown and self._jobs.probe_releases():
            unknown = not_in_releases(options, self._jobs.releases)
        if unknown:
            raise DragonflyError(
                f"This manager (release {self._jobs.releases}) does not know "
                f"{', '.join((f'{_option(one)} ({option_releases(one)})' for one in unknown))} and would "
                "silently ignore it. Nothing was created. What to do: leave it out, or use a release that "
                "knows it.",
                "unknown_option",
            )

    # Creating

    def _predict(self, todo):
        for wanted, ids in todo:
            if ids and wanted.cluster_id is None:
                self.warnings.append(
                    f"No job for {wanted.name} covers cluster {int(ids[0])}. A run tries to make one there, "
                    "which only works where that cluster has an active scheduler."
                )
                continue
            self.changed = True
            self.tracked.append(Tracked(wanted, "planned", None, Outcome("planned")))

    def _create(self, todo):
        self._claimed.update(self._jobs.seen)
        made = {}
        while todo:
            # What may be one and the same, such as two tags of a manifest, one after the other.
            turn, places, rest = [], set(), []
            for wanted, ids in todo:
                place = _address(wanted.url), tuple(ids or ())
                (rest if place in places else turn).append((wanted, ids))
                places.add(place)
            for one in self._create_each(turn):
                made.setdefault(_address(one.wanted.url), []).append(one)
            todo = [one for one in rest if not self._share(one[0], made.get(_address(one[0].url), ()))]

    def _share(self, wanted, made):
        """Whether a job that this run has just made is what is wanted, which then needs none of its own."""
        for one in made:
            if one.wanted.cluster_id == wanted.cluster_id and same_job(one.job.get("args"), wanted):
                outcome = Outcome("pending") if one.outcome.outcome == "pending" else one.outcome
                self.tracked.append(Tracked(wanted, ADOPT, one.job, outcome))
                return True
        return False

    def _create_each(self, todo):
        """Makes a job for each; returns those that were made (list of L(Tracked))."""
        made, dead = [], set()
        for (wanted, ids), job in zip(todo, self._in_threads(self._post, todo)):
            if isinstance(job, DragonflyError):
                if job.reason == "no_scheduler" and ids and wanted.cluster_id is None:
                    self.warnings.append(
                        f"Cluster {int(ids[0])} has no active scheduler with the feature preheat, so nothing "
                        "is warmed there."
                    )
                    continue
                self.tracked.append(Tracked(wanted, None, None, Outcome("refused", job.reason, job.message)))
                continue
            self.changed = True
            outcome = self._check_echo(wanted, ids, job) or Outcome("pending")
            if ids is None:
                dead |= (self._jobs.all_clusters() or set()) - cluster_ids(job)
            made.append(Tracked(wanted, "created", _slim(job), outcome))
        self.tracked += made
        if dead:
            self.warnings.append(
                f"Nothing is warmed in cluster {', '.join((str(one) for one in sorted(dead)))}, which has no "
                "active scheduler with the feature preheat."
            )
        return made

    def _check_echo(self, wanted, ids, job):
        args = job.get("args") if isinstance(job.get("args"), dict) else {}
        self._jobs.learn(args)
        ignored = not_in_echo(wanted.all_options(), args)
        if ignored:
            names = ", ".join(f"{_option(one)} ({option_releases(one)})" for one in ignored)
            return Outcome(
                "refused",
                "unknown_option",
                f"job {int(job['id'])} was made, but this manager (release {releases_of_echo(args)}) does not "
                f"know {names} and ignored it. What to do: leave it out, or use a release that knows it",
            )
        left_out = set(ids or []) - cluster_ids(job)
        if left_out and cluster_ids(job):
            return Outcome(
                "refused",
                "no_scheduler",
                f"job {int(job['id'])} was made without cluster "
                f"{', '.join((str(one) for one in sorted(left_out)))}, which has no active scheduler",
            )
        return None

    def _post(self, todo):
        """Makes one job, and makes sure that no lost answer makes a second one."""
        wanted, ids = todo
        body = wanted.body(ids)
        lost = unsent = 0
        first_refusal = None
        while True:
            if self._stop is not None:
                raise self._stop
            since = self._jobs.now()
            try:
                job = self._client.create_job(body)
            except DragonflyError as exc:
                if isinstance(exc, ApiError) and exc.status in (401, 403):
                    self._stop = exc
                    raise
                if isinstance(exc, ApiError) and exc.status == 429:
                    first_refusal = self._clock.now() if first_refusal is None else first_refusal
                    self._rate_limited(exc, ids, first_refusal)
                    continue
                if isinstance(exc, TransportError) and not exc.sent and transient(exc) and unsent < 2:
                    unsent += 1
                    self._clock.pause(unsent)
                    continue
                if not _maybe_done(exc):
                    raise
                found = self._find_lost(wanted, ids, since)
                if found is not None:
                    return found
                lost += 1
                if lost > 1:
                    raise DragonflyError(
                        f"{exc.message} No job for it is to be seen after {int(_LOST_WINDOW)} s, twice.",
                        "lost",
                        exc.request,
                        exc.status,
                    ) from None
                continue
            with self._claim_lock:
                self._claimed.add(job["id"])
                for one in ids or []:
                    self._served[one] = self._clock.now()
            return job

    def _rate_limited(self, exc, ids, since):
        """Waits for the next place in the limit, or raises where waiting is of no use."""
        known = None
        if ids and not any(one in self._served for one in ids):
            known = self._jobs.cluster_exists(ids[0])
            if known is False:
                raise no_cluster(exc, ids[0])
        newest = max([since] + [self._served.get(one, since) for one in ids or []])
        waited = self._clock.now() - newest
        if waited > (_RATE_LIMIT_KNOWN if known else _RATE_LIMIT_UNKNOWN):
            raise ApiError(
                f"{exc.message} It said so for too long: the limit of the cluster (job_rate_limit) is used up "
                "by others, or there is no such cluster.",
                exc.reason,
                exc.request,
                exc.status,
                exc.words,
            )
        with self._rate_lock:
            self._clock.pause(_RATE_PAUSE if waited < _RATE_PATIENCE else _RATE_LONG_PAUSE)

    def _find_lost(self, wanted, ids, since):
        """A job that a POST without an answer made after all, or None."""

        def look():
            try:
                rows = next(iter(self._jobs.recent(GIVE_UP_WINDOW, type="preheat")), [])
            except DragonflyError as exc:
                if isinstance(exc, ApiError) and exc.status in (401, 403):
                    raise
                return None
            for row in rows:
                made = parse_time(row.get("created_at"))
                if (
                    row["id"] in self._claimed
                    or not same_job(row.get("args"), wanted)
                    or (made is not None and made < since - 5)
                ):
                    continue
                try:
                    job = self._jobs.get(row["id"])
                except DragonflyError:
                    continue
                if ids and cluster_ids(job) != set(ids):
                    continue
                with self._claim_lock:
                    if row["id"] not in self._claimed:
                        self._claimed.add(row["id"])
                        return job
            return None

        return poll(look, lambda job: job is not None, _LOST_WINDOW, _LOST_SLEEP, self._clock)

    # Waiting

    def _pending(self):
        return [one for one in self.tracked if one.outcome.outcome == "pending"]

    def _wait(self):
        timeout = self._params["wait_timeout"]
        start = self._clock.now()
        self._report()
        try:
            if self._pending():
                poll(self._tick, lambda left: not left, timeout, self._params["wait_sleep"], self._clock)
        except DragonflyError as exc:
            for one in self._pending():
                one.outcome = Outcome("unknown", exc.reason, f"the job could not be watched any more: {exc.message}")
        left = max(0, timeout - (self._clock.now() - start))
        for one in self.tracked:
            if one.outcome.outcome == "cold" and one.source in ("created", ADOPT):
                one.outcome = self._ask_for_lost(one.wanted, one.job, one.outcome, left)
        for one in self._pending():
            words = f"the job is still PENDING after {int(timeout)} s. It may go on; a new run adopts it"
            if self._jobs.trouble:
                words += f". The last look failed: {self._jobs.trouble.message.rstrip('.')}"
            one.outcome = Outcome("timed_out", "timed_out", words)
        self._refuse_what_lacks_hosts()
        self._report()

    def _tick(self):
        """One look at all that is pending. Returns whether anything still is."""
        # Several images can be one: tags of the same manifest.
        pending = {}
        for one in self._pending():
            pending.setdefault(one.job["id"], []).append(one)

        def judged(job_id, job):
            # At once, for whole jobs can be large.
            outcomes = [self._judge(one.wanted, job) for one in pending[job_id]]
            return outcomes, _slim(job, keep=outcomes[0].outcome == "cold")

        looked = self._jobs.look(list(pending), shape=judged)
        for job_id, seen in looked.items():
            for number, one in enumerate(pending[job_id]):
                if seen is None:
                    one.outcome = Outcome(
                        "gone",
                        "gone",
                        f"the manager does not have job {int(job_id)} any more: somebody deleted it, or its "
                        "retention is over",
                    )
                else:
                    one.outcome, one.job = seen[0][number], seen[1]
        for one in self._pending():
            row = one.job if one.job["id"] in looked else self._jobs.rows.get(one.job["id"])
            if row and not is_watched(row, self._jobs.now(), self._jobs.releases):
                one.outcome = Outcome(
                    "given_up",
                    "given_up",
                    f"the manager does not watch job {int(one.job['id'])} any more, as after its restart. It "
                    "may be warm or still running; a new run makes a new job",
                )
        self._report()
        return bool(self._pending())

    def _ask_for_lost(self, wanted, job, outcome, timeout=120):
        """Asks whether blobs are warm that the result does not name: 2.3.1 to 2.4.3 can lose entries by a race.

        Of appends that race one is always kept, so a result without any entry is really empty.
        """
        args = job.get("args") if isinstance(job.get("args"), dict) else {}
        releases = releases_of_echo(args)
        if not releases.since((2, 3, 1)) or releases.since((2, 4, 4)):
            return outcome
        if wanted.many_peers or not outcome.warm or not outcome.cold:
            return outcome
        try:
            proven = self._jobs.held(outcome.cold, args, cluster_ids(job), timeout, self._params["wait_sleep"])
        except DragonflyError as exc:
            self.warnings.append(
                f"Could not ask for the {len(outcome.cold)} blobs that the result of job {int(job['id'])} "
                f"lacks: {exc.message}"
            )
            return outcome
        outcome = self._judge(wanted, job, proven=proven)
        if outcome.outcome == "cold":
            outcome.message += (
                ". Schedulers before 2.4.4 can lose entries of the result, too: a new run preheats it again"
            )
        return outcome

    def _report(self):
        counts = {}
        for one in self.tracked:
            kind = one.outcome.outcome if one.outcome.outcome in ("warm", "pending") else "failed"
            counts[kind] = counts.get(kind, 0) + 1
        line = f"{int(counts.get('warm', 0))} of {len(self.tracked)} warm"
        line += "".join(f", {int(counts[kind])} {kind}" for kind in ("pending", "failed") if counts.get(kind))
        if line != self._line:
            self._line = line
            self._progress(line)

    # The result

    def _result(self, elapsed):
        bad = [one for one in self.tracked if one.outcome.outcome not in ("warm", "pending", "planned")]
        new = [one for one in self.tracked if one.source in ("created", "planned")]
        result = {
            "changed": self.changed,
            "jobs": [one.result() for one in self.tracked],
            "elapsed": elapsed,
            "diff": {"before": "", "after": "".join(f"preheat {one.wanted.name}\n" for one in new)},
            "failed": bool(bad),
        }
        if bad:
            result["reason"] = bad[0].outcome.reason
            result["msg"] = self._message(bad)
        return result

    def _message(self, bad):
        lines = []
        for one in bad[:_NAMED_IN_MESSAGE]:
            job = f" (job {int(one.job['id'])})" if one.job else ""
            lines.append(f"{one.wanted.name} is not warm{job}: {one.outcome.message.rstrip('.')}.")
        if len(self.tracked) > 1:
            lines.insert(0, f"{len(bad)} of {len(self.tracked)} are not warm.")
        if len(bad) > _NAMED_IN_MESSAGE:
            lines.append(f"See jobs for the other {int(len(bad) - _NAMED_IN_MESSAGE)}.")
        return " ".join(lines)


def _all_refused(refused, total):
    """One error for all images that cannot be preheated.

    :param refused: list of (L(Wanted), L(DragonflyError)), not empty.
    :param total: number of images that were asked for.
    """
    first = refused[0][1]
    if total == 1:
        return first
    lines = [f"{len(refused)} of {int(total)} images cannot be preheated, so no job was made."]
    lines += [f"{scrub_url(wanted.source)}: {exc.message}" for wanted, exc in refused[:_NAMED_IN_MESSAGE]]
    if len(refused) > _NAMED_IN_MESSAGE:
        lines.append(f"And {int(len(refused) - _NAMED_IN_MESSAGE)} more.")
    return DragonflyError(" ".join(lines), first.reason, first.request, first.status)


def _posts(wanted, missing):
    """The POSTs that a wanted job needs: a list of lists of cluster ids, None for every cluster."""
    if missing is None:
        return []
    if wanted.cluster_id:
        return [[wanted.cluster_id]]
    return [[one] for one in missing] or [None]


def _pin(wanted, manifest, blobs):
    wanted.digest = manifest.digest
    wanted.url = wanted.image.manifest_url(manifest.digest)
    wanted.child_digests = [digest for digest, dummy in blobs]
    lists = [[wanted.image.blob_url(one) for one in digests] for dummy, digests in blobs]
    if wanted.platform is not None or manifest.children is None:
        # The manager takes every manifest that fits the platform.
        lists = [list(dict.fromkeys(url for one in lists for url in one))]
    wanted.manifests = lists


def _address(url):
    """What two URLs of one job have in common: a file's query can differ."""
    return url.partition("?")[0]


def _maybe_done(exc):
    """Whether a POST that failed so may have made a job."""
    if isinstance(exc, TransportError):
        return exc.sent
    if isinstance(exc, GarbledError):
        return exc.reason != "not_a_manager"
    return isinstance(exc, ApiError) and exc.status in (502, 503, 504)


def _option(name):
    return "platforms" if name == "platform" else name


def _slim(job, keep=False):
    """A job without its result, which can be large."""
    return job if keep else {key: value for key, value in job.items() if key != "result"}
