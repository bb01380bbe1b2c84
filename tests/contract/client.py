# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plain client of the manager, for the tests of the sandbox."""

from __future__ import annotations

import time

import requests


class Client:
    """Sends requests to a sandbox's manager.

    :param box: ``Sandbox``.
    """

    def __init__(self, box):
        self.box = box
        self.api = "/api/v1/jobs" if box.manager.profile.open_jobs is None else "/oapi/v1/jobs"
        self.headers = {"Authorization": f"Bearer {box.token}"}

    def ask(self, method, path="", **options):
        options.setdefault("headers", self.headers)
        return requests.request(method, self.box.url + self.api + path, allow_redirects=False, timeout=10, **options)

    def post(self, url, **args):
        """POST a preheat of an image or file, and return the response."""
        kind = "image" if "/manifests/" in url else "file"
        clusters = args.pop("scheduler_cluster_ids", None)
        body = {"type": "preheat", "args": dict(args, type=kind, url=url)}
        if clusters:
            body["scheduler_cluster_ids"] = clusters
        return self.ask("POST", json=body)

    def get(self, number):
        return self.ask("GET", f"/{number}").json()

    def wait(self, number, seconds=10):
        """Return the job once it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.get(number)
            if job.get("state") != "PENDING":
                return job
            time.sleep(0.01)
        raise AssertionError(f"job {number} is pending still")

    def run(self, url, **args):
        """Preheat, wait, and return the job."""
        return self.wait(self.post(url, **args).json()["id"])


def warm(job):
    """Return the URLs in success_tasks of a job, sorted, with repetitions."""
    return sorted(
        entry["url"]
        for state in job["result"]["job_states"]
        for result in state["results"] or []
        for entry in result["success_tasks"] or []
    )
