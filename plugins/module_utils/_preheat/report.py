# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Format the results of jobs and of a run, without secrets. Sends no requests."""

from __future__ import annotations

import typing as t

from .._duration import NANOSECONDS_PER_SECOND, format_duration
from .._job_document import JobResult, cluster_ids, host_reports, job_args, job_urls
from .._redact import LONGEST_TEXT, redact_args, redact_beginning, redact_url
from .._text import is_or_are, listed
from .fingerprint import read_bio
from .verdict import Status, Verdict, verify_job

if t.TYPE_CHECKING:
    from .planning import PlannedJob
    from .records import JobRecord, ReplacedJob, Source

_MOST_FAILURES = 20
_NAMED_IN_MESSAGE = 5
_SOURCES: tuple[Source, ...] = ("created", "adopted", "found", "planned")


def run_result(records: list[JobRecord], elapsed: float) -> dict[str, t.Any]:
    """Return the result of the module preheat, with the key ``failed`` if a job is not warm.

    :param elapsed: duration of the run in seconds.
    """
    new = [record for record in records if record.source in ("created", "planned")]
    return {
        "changed": bool(new),
        "jobs": [
            job_result(record.job, record.verdict, record.source, record.planned, record.replaces) for record in records
        ],
        "elapsed": round(elapsed, 1),
        "counts": _counts(records),
        "msg": _summary(records),
        "diff": {"before": "", "after": "".join(f"preheat {record.planned.name}\n" for record in new)},
        **_failure(records),
    }


def _failure(records: list[JobRecord]) -> dict[str, t.Any]:
    """Return the keys of a result that describe a failure, if there is one."""
    bad = [record for record in records if record.verdict.status not in ("warm", "pending", "planned")]
    if not bad:
        return {"failed": False}
    return {"failed": True, "reason": bad[0].verdict.reason, "msg": _failure_message(bad, len(records))}


def progress_line(records: list[JobRecord]) -> str:
    """Return the progress of a run. Names the image or file if there is only one, and finally what is not warm."""
    line = _count_statuses(records, named=len(records) > 1)
    sources = {record.planned.source for record in records}
    return f"{redact_url(sources.pop())}: {line}" if len(sources) == 1 else line


def _summary(records: list[JobRecord]) -> str:
    """Return the message of a successful run, such as ``3 of 3 warm: 1 created, 2 found``."""
    sources = [f"{number} {source}" for source, number in _counts(records).items() if source in _SOURCES and number]
    # The sources name the planned jobs.
    return f"{_count_statuses(records, hidden=('planned',))}: {', '.join(sources)}"


def _counts(records: list[JobRecord]) -> dict[str, int]:
    counts = {"jobs": len(records), "warm": sum(record.verdict.status == "warm" for record in records)}
    return {**counts, **{source: sum(record.source == source for record in records) for source in _SOURCES}}


def _count_statuses(records: list[JobRecord], named: bool = False, hidden: tuple[str, ...] = ()) -> str:
    """Return the number of warm jobs, and of jobs with each other status.

    :param named: whether to name the first jobs with a final status other than warm.
    :param hidden: statuses whose jobs are not counted separately.
    """
    by_status: dict[str, list[JobRecord]] = {}
    for record in records:
        by_status.setdefault(record.verdict.status, []).append(record)
    text = f"{len(by_status.pop('warm', []))} of {len(records)} warm"
    for status in sorted(by_status.keys() - hidden, key=t.get_args(Status).index):
        text += f", {len(by_status[status])} {status.replace('_', ' ')}"
        if named and status not in ("pending", "planned"):
            text += f" ({listed([record.planned.name for record in by_status[status]], most=3)})"
    return text


def _replaced(replaced: ReplacedJob | None) -> dict[str, t.Any] | None:
    if replaced is None:
        return None
    return {"id": replaced.job_id, "reason": replaced.reason, "message": replaced.message}


def _failure_message(bad: list[JobRecord], total: int) -> str:
    lines = []
    if total > 1:
        lines.append(f"{len(bad)} of {total} {is_or_are(len(bad))} not warm.")
    for record in bad[:_NAMED_IN_MESSAGE]:
        job = f" (job {record.job_id})" if record.job else ""
        lines.append(f"{record.planned.name} is not warm{job}: {(record.verdict.explanation or '').rstrip('.')}.")
    if len(bad) > _NAMED_IN_MESSAGE:
        lines.append(f"See jobs for the other {len(bad) - _NAMED_IN_MESSAGE}.")
    return " ".join(lines)


def job_result(
    job: dict | None,
    verdict: Verdict,
    source: Source | None = None,
    planned: PlannedJob | None = None,
    replaces: ReplacedJob | None = None,
) -> dict[str, t.Any]:
    """Return a job in the format of the modules, with the same keys in all cases and without secrets.

    :param job: document of the manager, None without a job.
    :param source: ``created``, ``adopted``, ``found``, ``planned``; None without a plan.
    :param replaces: the job that was warm and no longer counts, and that this one replaces.
    """
    document, args = job or {}, job_args(job)
    return {
        "id": document.get("id"),
        "source": source,
        **_requested(document, args, planned),
        "state": document.get("state"),
        "outcome": verdict.status,
        "reason": verdict.reason,
        "message": verdict.explanation,
        "scheduler_cluster_ids": sorted(cluster_ids(document)) or _planned_clusters(planned),
        "blobs": verdict.blobs,
        "warm": _redact_urls(verdict.warm),
        "cold": _redact_urls(verdict.cold),
        "warm_percentage": verdict.warm_percentage,
        "warmed_at": document.get("updated_at") if verdict.status == "warm" else None,
        "created_at": document.get("created_at"),
        "failures": [_redacted_failure(failure) for failure in verdict.failures[:_MOST_FAILURES]],
        "failures_count": len(verdict.failures),
        "verified": verdict.verified,
        "replaces": _replaced(replaces),
        "args": _readable(redact_args(args)),
    }


def _readable(args: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return arguments with ``timeout``, in nanoseconds in the manager, as a duration such as ``30m``."""
    timeout = args.get("timeout")
    if isinstance(timeout, int) and timeout >= NANOSECONDS_PER_SECOND:
        return {**args, "timeout": format_duration(timeout // NANOSECONDS_PER_SECOND)}
    return args


def _redacted_failure(failure: dict) -> dict:
    return dict(
        failure, url=redact_url(failure["url"]), description=redact_beginning(failure["description"], LONGEST_TEXT)
    )


def _requested(job: dict, args: dict, planned: PlannedJob | None) -> dict[str, t.Any]:
    """Return the content of a job, from the plan or the job itself."""
    if planned:
        return {
            "name": redact_url(planned.source),
            "url": redact_url(planned.url),
            "digest": planned.digest or _digest_of(planned.url),
            "platform": planned.platform,
            "type": planned.kind,
        }
    url = next(iter(job_urls(args)), None)
    return {
        "name": redact_beginning(read_bio(job.get("bio")).text, LONGEST_TEXT) or redact_url(url),
        "url": redact_url(url),
        "digest": _digest_of(url),
        "platform": args.get("platform") or None,
        "type": args.get("type"),
    }


def _digest_of(url: str | None) -> str | None:
    return url.rpartition("/")[2] if url and "/manifests/sha256:" in url else None


def _planned_clusters(planned: PlannedJob | None) -> list[int]:
    return [planned.cluster_id] if planned and planned.cluster_id else []


def _redact_urls(urls: list[str] | None) -> list[str] | None:
    return None if urls is None else [redact_url(url) for url in urls]


def format_job(job: dict, details: bool = False) -> dict[str, t.Any]:
    """Return a job of any type in the format of ``job_info``, with the same keys in all cases and its type.

    :param details: whether to add the report of each host for each URL.
    """
    result = dict(job_result(job, verify_job(job)), job_type=job.get("type"))
    if not result["scheduler_cluster_ids"]:
        # A list does not name the clusters, but a result does.
        result["scheduler_cluster_ids"] = sorted(JobResult(job).cluster_ids)
    if details:
        result["peers"] = host_reports(job)
    return result
