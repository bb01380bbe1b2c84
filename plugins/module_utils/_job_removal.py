# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove jobs from the manager's list with ``DELETE .../jobs/:id``, which all releases have (contract/*/one)."""

from __future__ import annotations

import typing as t

from ._client import DragonflyClient
from ._errors import ApiError, DragonflyError
from ._job_document import is_over
from ._job_lists import list_jobs
from ._jobs import JobReader
from ._option_checks import id_problems, raise_problems, range_problems

#: A job as the module returns it.
Row = t.Dict[str, t.Any]

_KEYS = ("id", "type", "state", "created_at")
_OVER = ["SUCCESS", "FAILURE"]


def check_removal_params(params: dict[str, t.Any]) -> None:
    """Validate the options.

    :raises InputError: with all problems.
    """
    problems = range_problems(params) + id_problems("ids", params["ids"])
    if "PENDING" in (params["states"] or []) and not params["force"]:
        problems.append("states: PENDING requires force: true, because running jobs would continue without a record")
    raise_problems(problems)


def find_removable_jobs(reader: JobReader, params: dict[str, t.Any]) -> list[Row]:
    """Return the existing jobs that the options select, newest first.

    :raises DragonflyError: with reason ``job_running`` if a job is running and ``force`` is not set.
    """
    if params["ids"] is not None:
        return _find_by_id(reader, params["ids"], params["force"])
    rows = list_jobs(reader, params["types"], params["states"] or _OVER, _keys)
    return [row for row in rows if _is_older(reader, row, params["older_than"])]


def _find_by_id(reader: JobReader, ids: list[int], force: bool) -> list[Row]:
    rows = list(filter(None, [_read(reader, job_id) for job_id in dict.fromkeys(ids)]))
    running = [row["id"] for row in rows if not is_over(row)]
    if running and not force:
        raise _running(running)
    return sorted(rows, key=lambda row: row["id"], reverse=True)


def remove_jobs(client: DragonflyClient, rows: list[Row]) -> list[Row]:
    """Remove jobs and return those that existed.

    :param client: the client that read the jobs, which thus knows the manager's API.
    """
    return [row for row in rows if _remove(client, row["id"])]


def _remove(client: DragonflyClient, job_id: int) -> bool:
    """Remove a job and return whether it existed."""
    try:
        client.delete_job(job_id)
    except ApiError as exc:
        if exc.status != 404:
            raise
        return False
    return True


def _read(reader: JobReader, job_id: int) -> Row | None:
    try:
        return _keys(reader.get(job_id))
    except ApiError as exc:
        if exc.reason != "not_found":
            raise
        return None


def _keys(job: dict) -> Row:
    return {key: job.get(key) for key in _KEYS}


def _is_older(reader: JobReader, row: Row, seconds: int) -> bool:
    age = reader.age(row)
    return age is not None and age > seconds


def _running(job_ids: list[int]) -> DragonflyError:
    names = ", ".join(str(job_id) for job_id in job_ids)
    return DragonflyError(
        f"Running (PENDING), so no job was removed: job {names}. What to do: wait for it with "
        "dragonflyoss.dragonfly.job_info and wait: true, or set force: true.",
        "job_running",
    )
