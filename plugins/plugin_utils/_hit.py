# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges whether a host hits what was preheated, and says why not: what it asks for against what the preheat made.

Nothing here touches a host or a network: facts and wanted images come in, a verdict comes out.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import Image, parse_image
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import (
    FIRST_WITHOUT_GO_SEEDS,
    dotted,
    releases_of_echo,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._task_id import (
    NEWEST,
    Recipe,
    parse_release,
    recipe_for,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.values import is_loopback
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._pull import (
    NOTES,
    Asked,
    Client,
    Containerd,
    Reason,
    Route,
    reason,
)

#: First release of the Rust client that fetches small blobs from the registry itself.
_FIRST_WITH_SMALL_BLOBS = (1, 4, 2)
_STANDS_FOR_ALL = "sha256:" + "0" * 64
_HUBS = ("index.docker.io", "registry-1.docker.io", "docker.io")


class Wanted(t.NamedTuple):
    """An image that was preheated, or will be.

    :ivar image: the reference as the user wrote it.
    :ivar registry: name of the registry in it, under which containerd looks for mirrors.
    :ivar repository: as in the reference.
    :ivar made: L(Image) that the preheat names, with its own base URL and a prefix of the registry.
    :ivar platforms: whose blobs count; None among them for any.
    :ivar digests: of its blobs; empty where they are not known.
    :ivar cold: those that the preheat did not warm.
    :ivar tag: of the preheat.
    :ivar application: of the preheat.
    :ivar piece_length: of the preheat, bytes as text; empty without one.
    :ivar why: why the blobs are not known.
    :ivar is_missing: whether the registry has no such image.
    """

    image: str
    registry: str
    repository: str
    made: Image
    platforms: t.Sequence[str | None] = (None,)
    digests: t.Sequence[str] = ()
    cold: t.Collection[str] = ()
    tag: str = ""
    application: str = ""
    piece_length: str = ""
    why: str = ""
    is_missing: bool = False
    outcome: str = ""

    def url(self, digest: str) -> str:
        """URL of a blob, as the manager builds it."""
        return self.made.blob_url(digest)


def wanted_image(image: str, bases: dict[str, str], **words: t.Any) -> Wanted:
    """What a preheat of an image makes.

    :param image: as the module preheat takes it.
    :param bases: registry name to base URL, as the module preheat takes them.
    :param words: more attributes of L(Wanted).
    :raises InputError: if it is no image reference.
    """
    pulled = parse_image(image, {registry: f"https://{registry}" for registry in bases})
    registry = "docker.io" if pulled.registry in _HUBS else pulled.registry
    return Wanted(image, registry, pulled.name, parse_image(image, bases), **words)


def wanted_job(job: dict[str, t.Any], bases: dict[str, str]) -> Wanted:
    """What a job made, as ``preheat`` and ``job_info`` return it.

    :param job: dict with at least ``url``.
    :param bases: registry name to base URL, as the module preheat takes them.
    :raises InputError: if its URL is none of a manifest.
    """
    made = parse_image(str(job.get("url") or ""))
    pulled = _as_written(job, made, bases)
    warm, cold = job.get("warm"), job.get("cold") or []
    urls = [url for url in [*(warm or []), *cold] if isinstance(url, str) and "/blobs/" in url]
    args = job.get("args") if isinstance(job.get("args"), dict) else {}
    piece_length = args.get("piece_length") or args.get("pieceLength") or ""
    return pulled._replace(
        made=made,
        platforms=[job.get("platform")],
        digests=[url.rpartition("/blobs/")[2] for url in urls],
        cold={url.rpartition("/blobs/")[2] for url in cold if isinstance(url, str)},
        tag=str(args.get("tag") or ""),
        application=str(args.get("application") or ""),
        piece_length=str(piece_length),
        outcome=str(job.get("outcome") or ""),
    )


def _as_written(job: dict[str, t.Any], made: Image, bases: dict[str, str]) -> Wanted:
    """The reference in the name of a job, which is what the user wrote, or the bio of a job that another one made."""
    try:
        written = wanted_image(str(job.get("name") or ""), bases)
        # A bio can be anything, also a word that would pass for the name of an image.
        if made.name == written.repository or made.name.endswith("/" + written.repository):
            return written
    except InputError:
        pass
    return wanted_image(str(job["url"]), bases)


class Seed(t.NamedTuple):
    """What is known of the seed peers.

    :ivar client: ``dfget`` or ``dfdaemon``; None for what jobs tell, or the host runs.
    :ivar release: of it; None for that of the host, or the newest of another client.
    :ivar manager_release: None where it is not known.
    :ivar told_client: the only one that the jobs can have warmed; None where they do not tell.
    """

    client: str | None = None
    release: str | None = None
    manager_release: str | None = None
    told_client: str | None = None


def seed_of_jobs(jobs: t.Sequence[dict[str, t.Any]], seed: Seed) -> Seed:
    """What is known of the seed peers, with what jobs tell: of which release the manager is at least, and that seeds
    that it could warm from 2.3.1 on run the Rust client.

    :param jobs: as ``preheat`` and ``job_info`` return them.
    :param seed: what the user said, which counts more.
    """
    told = [releases_of_echo(job["args"]).low for job in jobs if isinstance(job.get("args"), dict) and job["args"]]
    newest = max((low for low in told if low), default=None)
    if newest is None or seed.manager_release:
        return seed
    only_rust = newest >= FIRST_WITHOUT_GO_SEEDS and any(job.get("warm") for job in jobs)
    return seed._replace(manager_release=dotted(newest), told_client="dfdaemon" if only_rust else None)


class Verdict:
    """What is known of one host.

    :ivar blobs: of each blob ``image, url, host_task_id, preheat_task_id, hit``.
    :ivar reasons: why it misses, each once.
    :ivar notes: what a user should know beside that.
    :ivar containerd: of the host.
    :ivar client: the client that serves its pulls, or None.
    :ivar requests: for each image whose pulls go to the client, what containerd asks: L(Wanted) and L(Route).
    """

    def __init__(self, containerd: Containerd) -> None:
        self.containerd = containerd
        self.blobs: list[dict[str, t.Any]] = []
        self.reasons: list[Reason] = []
        self.notes: list[str] = []
        self.client: Client | None = None
        self.requests: list[tuple[Wanted, Route]] = []

    def because(self, *reasons: Reason) -> None:
        """Adds reasons that are not there yet."""
        self.reasons += [one for one in dict.fromkeys(reasons) if one not in self.reasons]

    def note(self, code: str, **words: t.Any) -> None:
        """Adds a note that is not there yet."""
        text = NOTES[code].format(**words)
        if text not in self.notes:
            self.notes.append(text)

    @property
    def hit(self) -> str:
        """``all``, ``some`` or ``none`` of the blobs. What is not known to hit does not count."""
        hits = sum(blob["hit"] for blob in self.blobs)
        return "all" if hits and hits == len(self.blobs) else "some" if hits else "none"


def judge(facts: dict[str, t.Any], images: t.Sequence[Wanted], seed: Seed = Seed()) -> Verdict:
    """Whether a host hits images, by its files.

    :param facts: what the module preheat_hit_info brought from the host.
    :param images: that were preheated.
    :param seed: what is known of the seed peers.
    """
    containerd = Containerd(facts["containerd"])
    verdict = Verdict(containerd)
    clients = [Client(name, one) for name, one in facts["clients"].items() if _is_there(one)]
    for wanted in images:
        route, reasons = (None, []) if containerd.reasons else containerd.route(wanted.registry)
        client, more = _client_at(route, clients, facts) if route else (None, [])
        reasons = [*containerd.reasons, *reasons, *more]
        if not containerd.reasons:
            reasons += containerd.problems(client.name if client else "none")
        verdict.client = verdict.client or client
        if route is not None and client is not None:
            verdict.requests.append((wanted, route))
            host = _address(route.proxy)[0]
            if not is_loopback(host) and host != client.address:
                words = {"proxy": route.proxy, "address": client.address or "all addresses"}
                verdict.note("address_assumed", **words)
            reasons += client.reasons
        _judge_image(verdict, wanted, route, client, seed, reasons)
    for client in clients:
        _note_client(verdict, client)
    if verdict.reasons and verdict.client is not None:
        verdict.because(*verdict.client.misspelt)
    return verdict


def _is_there(facts: dict[str, t.Any]) -> bool:
    config = facts["config"]
    return config.get("text") is not None or bool(config.get("error"))


def _client_at(route: Route, clients: list[Client], facts: dict[str, t.Any]) -> tuple[Client | None, list[Reason]]:
    if not clients:
        files = " nor ".join(one["config"]["path"] for one in facts["clients"].values())
        return None, [reason("no_client", files=files)]
    host, port = _address(route.proxy)
    if route.proxy.startswith("https:") and any(client.listens(host, port) for client in clients):
        return None, [reason("https_proxy", route.file, proxy=route.proxy)]
    for client in clients:
        # Where no port can be read, the only client is the one that was meant.
        if client.listens(host, port) or (len(clients) == 1 and not client.says_port):
            return client, []
    for client in clients:
        if any(client.listens(*_address(other)) for other in route.others):
            return None, [reason("other_mirror_first", route.file, first=route.proxy)]
    if len(clients) == 1 and not clients[0].port:
        return None, [reason("proxy_off", clients[0].path, "proxy.tcpListen.port")]
    listening = ", ".join(
        f"{client.name} listens on port {client.port or '(none)'} of {client.address or 'all addresses'}"
        for client in clients
    )
    return None, [reason("wrong_port", route.file, proxy=route.proxy, listening=listening)]


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "", 0


def _judge_image(
    verdict: Verdict,
    wanted: Wanted,
    route: Route | None,
    client: Client | None,
    seed: Seed,
    reasons: list[Reason],
) -> None:
    if wanted.is_missing:
        reasons.append(reason("no_such_image", error=wanted.why))
    elif wanted.why:
        verdict.note("unknown_blobs", why=wanted.why)
    if wanted.outcome in ("planned", "pending"):
        verdict.note("not_warm_yet", image=wanted.image, outcome=wanted.outcome)
    recipe = _seed_recipe(verdict, client, seed, reasons)
    if wanted.cold:
        verdict.because(reason("cold", count=len(wanted.cold)))
    for digest in wanted.digests or [_STANDS_FOR_ALL]:
        url = wanted.url(digest)
        preheat_id = recipe.task_id(url, (), **_inputs(wanted)) if recipe else None
        host_id = None
        found = list(reasons)
        if route is not None and client is not None and client.is_readable:
            asked = client.asks(route, wanted.repository, digest)
            host_id = _host_id(client, asked)
            found += asked.reasons
            if host_id != preheat_id or host_id is None:
                found += _differences(wanted, client, asked, recipe, seed, digest) or [reason("ids_differ")]
        verdict.because(*found)
        hit = not found and host_id is not None and digest not in wanted.cold
        verdict.blobs.append(
            {
                "image": wanted.image,
                "url": url,
                "host_task_id": host_id,
                "preheat_task_id": preheat_id,
                "hit": hit,
            }
        )


def _inputs(side: Wanted | Asked) -> dict[str, str]:
    """What goes into a task id beside the URL."""
    return {"tag": side.tag, "application": side.application, "piece_length": side.piece_length}


def _host_id(client: Client, asked: Asked) -> str | None:
    if asked.fixed_id:
        return asked.fixed_id
    if client.recipe is None:
        return None
    try:
        return client.recipe.task_id(asked.url, asked.filter, **_inputs(asked))
    except ValueError:
        return None


def _seed_recipe(verdict: Verdict, client: Client | None, seed: Seed, reasons: list[Reason]) -> Recipe | None:
    """The recipe that the preheat's ids are made with."""
    kind = seed.client or seed.told_client or (client.name if client else None)
    if kind is None:
        return recipe_for("dfdaemon", parse_release(seed.release or ""))
    same = client is not None and client.name == kind
    release = parse_release(seed.release or "") or (client.release if same and client else None)
    manager = parse_release(seed.manager_release or "") or (release if kind == "dfget" else None)
    if kind == "dfget" and manager is not None and manager >= FIRST_WITHOUT_GO_SEEDS:
        reasons.append(reason("seed_cannot_be_preheated"))
    if same and not seed.client and not seed.release:
        verdict.note("seed_assumed", client=kind, release=_release(client))
    recipe = recipe_for(kind, release)
    if recipe is None or (client is not None and client.recipe is None):
        reasons.append(reason("ids_of_their_own"))
    return recipe


def _release(client: Client) -> str:
    return dotted(client.release or NEWEST[client.name])


def _differences(
    wanted: Wanted, client: Client, asked: Asked, seed_recipe: Recipe | None, seed: Seed, digest: str
) -> list[Reason]:
    """What makes the ids of host and preheat differ."""
    if client.recipe is None or seed_recipe is None:
        return [reason("ids_of_their_own")]
    if asked.fixed_id:
        code = "content_id" if asked.told["fixed_id"][1].startswith("X-Dragonfly-Content") else "blob_digest_ids"
        return [reason(code, *asked.told["fixed_id"])]
    found = []
    example = wanted.url(digest)
    try:
        filtered = client.recipe.query_filter(asked.url, list(asked.filter))
        found += _url_differences(client, asked, filtered, seed_recipe.query_filter(example, []))
    except ValueError as error:
        return [reason("unreadable", *asked.told["base"], error=f"{asked.base} is no URL, {error}", hint="Correct it.")]
    for name, what in (("tag", "the tag"), ("application", "the application"), ("piece_length", "the piece length")):
        host, preheat = getattr(asked, name), getattr(wanted, name)
        if host != preheat and (client.recipe.uses(name) or seed_recipe.uses(name)):
            where = asked.told.get(name, (client.path, ""))
            found.append(reason("tag_mismatch", *where, what=what, host=host, preheat=preheat))
    values = _inputs(wanted)
    if client.recipe.task_id(example, (), **values) != seed_recipe.task_id(example, (), **values):
        words = " ".join(filter(None, (seed.client or seed.told_client or client.name, seed.release)))
        found.append(reason("recipes_differ", host_client=client.name, host_release=_release(client), seed=words))
    return found


def _url_differences(client: Client, asked: Asked, host_url: str, preheat_url: str) -> list[Reason]:
    host, preheat = urlsplit(host_url), urlsplit(preheat_url)
    found = []
    file, key = asked.told["base"]
    words = {
        "host": f"{host.scheme}://{host.netloc}",
        "preheat": f"{preheat.scheme}://{preheat.netloc}",
    }
    if "rewritten" in asked.told and host[:3] != preheat[:3]:
        found.append(reason("rewritten_url", *asked.told["rewritten"]))
    elif host[:2] != preheat[:2]:
        if key == "proxy.registryMirror.dynamic":
            found.append(reason("static_mirror", file, key))
        elif key == "ns":
            found.append(reason("base_inferred", file, "", **words))
        else:
            found.append(reason("base_differs", file, key, **words))
    elif host.path != preheat.path:
        if client.name == "dfdaemon" and asked.base.endswith("/"):
            found.append(reason("trailing_slash", file, key))
        else:
            paths = {side: url.path.rpartition("/blobs/")[0] for side, url in (("host", host), ("preheat", preheat))}
            found.append(reason("path_differs", file, key, **paths))
    if host.query != preheat.query:
        file, key = asked.told["filter"]
        if "ns" not in asked.filter and "ns=" in host.query:
            example = (
                "'Expires&Signature&ns', separated by &"
                if client.name == "dfget"
                else ("the list replaces the default one; leave it out or append ns")
            )
            found.append(reason("filter_without_ns", file, key, example=example))
        else:
            found.append(reason("query_left", file, key, query=host.query))
    return found


def _note_client(verdict: Verdict, client: Client) -> None:
    if client.release is None:
        verdict.note("release_unknown", program=client.name, assumed=_release(client))
    if client.is_seed:
        seconds, key = client.keeps
        verdict.note("keeps", seconds=seconds, key=key)
    small = client.name == "dfdaemon" and (client.release or (9,)) >= _FIRST_WITH_SMALL_BLOBS
    if small and verdict.client is client and not client.get("proxy.disableBackToSource", False):
        verdict.note("small_blobs")


# --- the probe


class Probe(t.NamedTuple):
    """A request for one blob, as containerd would send it to the client.

    :ivar proxy: URL of the proxy.
    :ivar path: with the query.
    :ivar headers: of hosts.toml, names in lower case.
    :ivar hosts_file: path of that file, which has the values that stayed on the host.
    :ivar url: that the preheat made of the blob.
    """

    proxy: str
    path: str
    headers: dict[str, str]
    hosts_file: str
    url: str


def probe_for(wanted: Wanted, route: Route, sizes: dict[str, int]) -> Probe:
    """The probe of a host: the smallest blob of an image.

    :param wanted: with at least one digest.
    :param route: of the image's pulls.
    :param sizes: bytes of blobs by digest, as far as they are known.
    """
    digest = min(wanted.digests, key=lambda one: sizes.get(one, 1 << 62))
    path = f"{route.path}/{wanted.repository}/blobs/{digest}" + (f"?{route.query}" if route.query else "")
    return Probe(route.proxy, path, dict(route.headers), route.file, wanted.url(digest))


def judge_probe(verdict: Verdict, probe: Probe, answer: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Compares what the host's proxy answered with what was predicted, and corrects the verdict.

    :param answer: ``status``, ``headers`` (names in lower case), ``bytes``, ``seconds``, ``error``, ``unknown`` as the
        module brought them.
    :returns: dict with ``url, status, task_id, predicted_task_id, agrees, from_cache, seconds``; None where nothing
        was asked.
    """
    if answer.get("unknown"):
        names = ", ".join(answer["unknown"])
        verdict.note("probe_skipped", why=f"how {probe.hosts_file} gives {names} is not understood")
        return None
    blob = next(blob for blob in verdict.blobs if blob["url"] == probe.url)
    headers = answer.get("headers") or {}
    task_id = headers.get("x-dragonfly-task-id") or headers.get("x-dragonfly-task")
    finished = headers.get("x-dragonfly-task-download-finished")
    is_rust = "x-dragonfly-task-id" in headers
    predicted = blob["host_task_id"]
    if answer.get("error"):
        disprove(verdict, reason("probe_failed", proxy=probe.proxy, error=answer["error"]))
    elif task_id is None and answer.get("status") in (401, 403):
        verdict.note("probe_denied", status=answer["status"])
    elif task_id is None:
        disprove(verdict, reason("probe_no_task", status=answer.get("status")))
    elif task_id != predicted:
        blob["host_task_id"] = task_id
        if verdict.client is not None:
            words = {"found": task_id, "expected": predicted}
            disprove(verdict, reason("probe_differs", verdict.client.path, **words))
        blob["hit"] = task_id == blob["preheat_task_id"]
    return {
        "url": probe.url,
        "status": answer.get("status"),
        "task_id": task_id,
        "predicted_task_id": predicted,
        "agrees": None if task_id is None else task_id == predicted,
        "from_cache": finished == "true" if is_rust else None,
        "seconds": answer.get("seconds"),
    }


def disprove(verdict: Verdict, why: Reason) -> None:
    """What the files say of this host does not hold, for any blob, or cannot be proven."""
    verdict.because(why)
    for blob in verdict.blobs:
        blob["hit"] = False
