# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox's own API under ``/_sandbox``, for playbooks and other processes. README.md lists it."""

from __future__ import annotations

import json

from .server import Reply

PREFIX = "/_sandbox/"


class Control:
    """Maps ``/_sandbox/...`` to methods of ``Sandbox``.

    :param box: ``sandbox.Sandbox``.
    """

    def __init__(self, box):
        self._box = box

    async def answer(self, request, body):
        """Answer a request: ``GET name`` reads, ``POST name`` with a JSON object calls, ``DELETE name`` clears."""
        name = request.path[len(PREFIX) :].strip("/")
        handler = getattr(self, f"_{request.method.lower()}_{name.replace('/', '_')}", None)
        if handler is None:
            return Reply.json({"error": "no such control"}, 404)
        try:
            options = json.loads(body.decode() or "{}") if request.method == "POST" else dict(request.query)
            return Reply.json(await handler(options))
        except (ValueError, TypeError, KeyError) as exc:
            return Reply.json({"error": str(exc)}, 400)

    # Reading

    async def _get_state(self, _options):
        return self._box.state()

    async def _get_log(self, options):
        log = self._box.servers[options.get("at", "manager")].log
        return [entry.as_dict() for entry in log]

    async def _get_counts(self, _options):
        return self._box.counts()

    async def _get_jobs(self, _options):
        await self._box.manager.catch_up()
        jobs = self._box.manager.jobs
        return [jobs.show(job, "get") for job in jobs]

    async def _get_rules(self, _options):
        return self._box.rules.as_list()

    # Changing

    async def _post_rules(self, options):
        return {"id": self._box.rules.add(options)}

    async def _delete_rules(self, options):
        if options.get("id"):
            self._box.rules.remove(int(options["id"]))
        else:
            self._box.rules.clear()
        return {}

    async def _delete_log(self, _options):
        for server in self._box.servers.values():
            server.log.clear()
        return {}

    async def _post_images(self, options):
        return self._box.make_image(**options).as_dict()

    async def _post_files(self, options):
        return {"url": self._box.make_file(options["path"], options.get("content", "").encode())}

    async def _post_delete_blob(self, options):
        self._box.registry_content.delete_blob(options["digest"], options.get("name"))
        return {}

    async def _post_registry(self, options):
        self._box.set_registry(**options)
        return {}

    async def _post_history(self, options):
        return {"ids": self._box.make_history(**options)}

    async def _post_hosts(self, options):
        self._box.manager.fleet.add_host(**options)
        return {}

    async def _post_pull(self, options):
        self._box.make_pull(**options)
        return {}

    async def _post_lose(self, options):
        self._box.make_loss(**options)
        return {}

    async def _post_restart(self, options):
        await self._box.restart_servers(float(options.get("down", 0)))
        return {}

    async def _post_clock(self, options):
        self._box.clock.offset = float(options["offset"])
        return {}

    async def _post_reset(self, options):
        await self._box.reset_manager(options.get("release"))
        return self._box.state()
