# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a preheat wants, which existing job is equal to it, and what is to be done. No requests, no clock.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import (
    check_base,
    check_platform,
    parse_image,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import BY_KEY, request_args
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._scrub import scrub_url
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._time import parse_time

MANY_PEERS = ("all_peers", "all_seed_peers")

#: Options that become keys of ``args``.
ARG_OPTIONS = (
    "tag",
    "application",
    "filtered_query_params",
    "piece_length",
    "headers",
    "registry_username",
    "registry_password",
    "scope",
    "ips",
    "count",
    "percentage",
    "concurrent_task_count",
    "concurrent_peer_count",
    "job_timeout",
    "object_storage",
    "hdfs",
    "load_to_cache",
)
# Not registries, which is set once for all tasks.
_IMAGE_ONLY = ("platforms", "registry_username", "registry_password")
_NESTED = ("object_storage", "hdfs")
_FILE_ONLY = _NESTED
_MANY_PEERS_ONLY = ("ips", "count", "percentage", "expected_ips")
_RANGES = {
    "timeout": (1, 86400),
    "wait_timeout": (0, 604800),
    "wait_sleep": (1, 3600),
    "max_age": (0, 31536000),
    "job_timeout": (1, 604800),
    "piece_length": (4194304, 67108864),
    "count": (1, 200),
    "percentage": (1, 100),
    "concurrent_task_count": (1, 100),
    "concurrent_peer_count": (1, 1000),
    "max_failed_peers_percentage": (0, 100),
}
_BIO_LENGTH = 1024

# The manager gives a job up at the latest so long after it was made (manager-api.md 5.2): 480 polls of at most 10 s.
GIVE_UP_WINDOW = 4800
# From 2.1.57 on a watched job's row is written at least so often, in seconds: 300 between two polls, and some more.
WATCHED_WINDOW = 360


class Wanted:
    """One job that should exist.

    :ivar kind: ``image`` or ``file``.
    :ivar source: what the user wrote (str).
    :ivar image: L(Image), None for a file.
    :ivar url: what is posted (str).
    :ivar digest: of the manifest that the URL is pinned to, None where it is not, and for a file.
    :ivar platform: str or None.
    :ivar child_digests: of the manifests that an index holds for the platform (list of str).
    :ivar pinned_platform: whether the URL is that of the platform's own manifest, so that the job needs no platform.
    :ivar manifests: list of lists of blob URLs, one for each manifest that the job can mean; None where they are not
        known.
    :ivar cluster_id: id of the one cluster of this job (int), None for every cluster.
    :ivar options: dict of option to value, those of ``args``.
    :ivar bio: str.
    """

    def __init__(self, kind, source, url, options, bio, image=None, platform=None, cluster_id=None):
        self.kind = kind
        self.source = source
        self.image = image
        self.url = url
        self.digest = image.digest if image else None
        self.platform = platform
        self.pinned_platform = False
        self.child_digests = []
        self.manifests = None if image else [[url]]
        self.cluster_id = cluster_id
        self.options = options
        self.bio = bio

    @property
    def many_peers(self):
        """Whether the job is for many peers and not for one seed peer of each cluster."""
        return self.options.get("scope") in MANY_PEERS

    @property
    def name(self):
        """For messages: what the user wrote, without secrets, with the platform and cluster where one was asked for."""
        words = scrub_url(self.source)
        if self.platform:
            words += f" ({self.platform})"
        if self.cluster_id:
            words += f" in cluster {int(self.cluster_id)}"
        return words

    def all_options(self):
        """The options of ``args`` with the platform among them."""
        return dict(self.options, platform=None if self.pinned_platform else self.platform)

    def body(self, cluster_ids=None):
        """The JSON of the POST.

        :param cluster_ids: list of int where the job is not for every cluster.
        """
        args = dict(request_args(self.all_options()), type=self.kind, url=self.url)
        body = {"type": "preheat", "args": args, "bio": self.bio}
        if cluster_ids:
            body["scheduler_cluster_ids"] = sorted(cluster_ids)
        return body


def check_params(params):
    """Refuses what makes no sense, before anything is sent.

    :param params: dict, the module's.
    :raises InputError: with all that was found.
    """
    problems = []
    sources, kind = _sources(params)
    if any(not isinstance(text, str) or not text.strip() for text in sources):
        problems.append("image, images, file and files must not hold an empty string")
    if not sources:
        problems.append("images or files is empty, so there is nothing to preheat")
    for name, (low, high) in _RANGES.items():
        value = params.get(name)
        if value is not None and not low <= value <= high:
            problems.append(f"{name} must be from {int(low)} to {int(high)}, not {value}")
    wrong_kind = _FILE_ONLY if kind == "image" else _IMAGE_ONLY
    problems += [
        f"{name} is only for {'files' if kind == 'image' else 'images'}" for name in wrong_kind if params.get(name)
    ]
    if params.get("scope") not in MANY_PEERS:
        problems += [f"{name} needs scope all_peers or all_seed_peers" for name in _MANY_PEERS_ONLY if params.get(name)]
    problems += _list_problems(params)
    if params.get("bio") and len(params["bio"]) > _BIO_LENGTH:
        problems.append(f"bio must not be longer than {int(_BIO_LENGTH)} characters")
    if problems:
        raise InputError("; ".join(problems) + ".")


def _list_problems(params):
    problems = []
    for name in ("filtered_query_params",):
        for one in params.get(name) or []:
            if not one or re.search(r"[&=\s]", one):
                problems.append(f"{name} is a list of names, {one!r} is none")
    for name, value in (params.get("headers") or {}).items():
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            problems.append(f"headers: the value of {name!r} must be a string, not {type(value).__name__}")
    for one in params.get("scheduler_cluster_ids") or []:
        if one < 1:
            problems.append(f"scheduler_cluster_ids are numbers from 1, not {int(one)}")
    for name in ("ips", "expected_ips"):
        for one in params.get(name) or []:
            if not re.match(r"[0-9a-fA-F.:]+\Z", one):
                problems.append(f"{name} is a list of IP addresses, {one!r} is none")
    if len(params.get("ips") or []) > 100:
        problems.append("ips takes at most 100 addresses")
    return problems


def _sources(params):
    for kind, one, many in (("image", "image", "images"), ("file", "file", "files")):
        if params.get(one) is not None:
            return [params[one]], kind
        if params.get(many) is not None:
            return params[many], kind
    return [], "image"


def registry_bases(registries):
    """The base URL of each registry and what else is said of it.

    :param registries: dict of name to URL (str) or to ``{url, username, password, ca_path}``.
    :returns: dict of name to base URL, and dict of name to dict.
    :raises InputError: for anything else.
    """
    bases, details = {}, {}
    for name, value in (registries or {}).items():
        detail = {"url": value} if isinstance(value, str) else value
        unknown = sorted(set(detail) - {"url", "username", "password", "ca_path"}) if isinstance(detail, dict) else []
        if not isinstance(detail, dict) or unknown:
            others = f", not {', '.join(str(key) for key in unknown)}" if unknown else ""
            raise InputError(
                f"registries: the value of {name!r} must be a URL or a dictionary of url, username, password, "
                f"ca_path{others}."
            )
        if any(not isinstance(one, (str, int)) for one in detail.values() if one is not None):
            raise InputError(f"registries: url, username, password and ca_path of {name!r} must be strings.")
        details[name] = {key: str(one) for key, one in detail.items() if one is not None}
        if details[name].get("url"):
            bases[name] = check_base(name, details[name]["url"])
    return bases, details


def wanted_jobs(params):
    """The jobs that should exist, each once, in the order of the options.

    :param params: dict, the module's, checked.
    :returns: list of L(Wanted), not yet pinned to digests.
    :raises InputError: if an image or file is none.
    """
    sources, kind = _sources(params)
    bases, details = registry_bases(params.get("registries"))
    options = {name: params.get(name) for name in ARG_OPTIONS}
    options["headers"] = {name: str(value) for name, value in (params.get("headers") or {}).items()}
    for name in _NESTED:
        options[name] = {key: value for key, value in (params.get(name) or {}).items() if value is not None}
    platforms = [check_platform(one) for one in dict.fromkeys(params.get("platforms") or [])] or [None]
    clusters = list(dict.fromkeys(params.get("scheduler_cluster_ids") or [])) or [None]
    found = {}
    for source in sources:
        image = parse_image(source, bases) if kind == "image" else None
        url = image.manifest_url() if image else check_file(source)
        mine = dict(options)
        if image and details.get(image.registry, {}).get("username"):
            mine["registry_username"] = details[image.registry]["username"]
            mine["registry_password"] = details[image.registry].get("password")
            # The manager would take the header instead, which is for another registry.
            mine["headers"] = {name: one for name, one in mine["headers"].items() if name.lower() != "authorization"}
        bio = params.get("bio") or scrub_url(source)[:_BIO_LENGTH]
        for platform in platforms:
            for cluster in clusters:
                job = Wanted(kind, source, url, mine, bio, image=image, platform=platform, cluster_id=cluster)
                found.setdefault((url, platform, cluster), job)
    jobs = list(found.values())
    registries = {
        job.image.registry for job in jobs if job.image and not details.get(job.image.registry, {}).get("username")
    }
    shared = [name for name in ("registry_password", "headers") if params.get(name)]
    if "headers" in shared and not any(name.lower() == "authorization" for name in params["headers"]):
        shared.remove("headers")
    if shared and len(registries) > 1:
        raise InputError(
            f"The credentials of {shared[0]} would go to each of the registries "
            f"{', '.join(sorted(registries))}. Give credentials by registry: registries: {{NAME: {{url: ..., "
            f"username: ..., password: ...}}}}."
        )
    return jobs


def check_file(text):
    """A file URL, as it is.

    :raises InputError: if it is none.
    """
    try:
        parts = urlsplit(text)
        dummy = parts.port
        usable = parts.scheme and parts.netloc.rpartition("@")[2]
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", text):
        raise InputError(f"{scrub_url(text)!r} is no URL of a file, which is SCHEME://HOST/PATH.")
    return text


# Which existing job is equal


def _normal(value):
    """None, empty, 0 and False are one: the manager writes zero values for what was not sent (manager-api T7)."""
    return value or None


def _comparable(key, value):
    if key in ("filter", "filteredQueryParams", "filtered_query_params") and isinstance(value, str):
        return _normal(frozenset(part for part in value.split("&") if part))
    if key == "headers" and isinstance(value, dict):
        return _normal({name.lower(): text for name, text in value.items() if name.lower() != "authorization"})
    if key == "object_storage" and isinstance(value, dict):
        secret = ("access_key_id", "access_key_secret", "session_token", "security_token")
        return _normal({name: item for name, item in value.items() if _normal(item) is not None and name not in secret})
    if key == "hdfs" and isinstance(value, dict):
        return None
    if key == "ips" and isinstance(value, list):
        return _normal(frozenset(str(one) for one in value))
    if isinstance(value, list):
        return _normal([str(one) for one in value])
    return _normal(value)


def same_job(args, wanted):
    """Whether a job with these ``args`` is what is wanted, clusters aside.

    Every key of the echo counts, but for credentials, which rotate.

    :param args: dict, as the manager returned it.
    :param wanted: L(Wanted).
    """
    if not isinstance(args, dict) or args.get("type") != wanted.kind:
        return False
    options = wanted.all_options()
    if not _same_url(args, wanted):
        return False
    for key, value in args.items():
        if key in ("type", "url", "urls", "username", "password"):
            continue
        known = BY_KEY.get(key)
        asked = options.get(known.option) if known else None
        if _normal(asked) is not None:
            allowed = [_comparable(key, known.encode(asked))]
            if asked in known.defaults:
                allowed += [_comparable(key, default) for default in known.defaults] + [None]
        else:
            allowed = [None] + [_comparable(key, default) for default in (known.defaults if known else ())]
        if _comparable(key, value) not in allowed:
            return False
    # An option that this job's manager did not know had no effect on it.
    sent = request_args(options)
    return all(
        any(known.key in args for known in BY_KEY.values() if known.option == BY_KEY[key].option)
        for key in sent
        if BY_KEY[key].option not in ("registry_username", "registry_password")
    )


def job_urls(args):
    """The URLs of a job (list of str), each once: ``url`` and, for files from 2.2.3 on, ``urls``."""
    many = args.get("urls") if isinstance(args.get("urls"), list) else []
    return list(dict.fromkeys(one for one in [args.get("url")] + many if isinstance(one, str) and one))


def _same_url(args, wanted):
    urls = job_urls(args)
    if len(urls) != 1:
        return False
    url = urls[0]
    if wanted.kind == "image" or url == wanted.url:
        return url == wanted.url
    names = next((args[key] for key in ("filtered_query_params", "filteredQueryParams", "filter") if args.get(key)), "")
    names = set(names.split("&")) if isinstance(names, str) else set()
    return filtered_url(url, names) == filtered_url(wanted.url, names)


def filtered_url(url, names):
    """A URL without some of its query parameters.

    :param names: set of str.
    """
    parts = urlsplit(url)
    query = urlencode(sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in names))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def cluster_ids(job):
    """Ids of the clusters that a job was made for, as the manager tells it (set of int)."""
    found = job.get("scheduler_clusters")
    ids = [one.get("id") for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return {one for one in ids if isinstance(one, int)}


def is_watched(job, now, releases):
    """Whether the manager still looks after a PENDING job; after a restart it never does again (manager-api T3).

    :param job: dict.
    :param now: seconds since 1970 by the manager's clock.
    :param releases: L(Releases).
    """
    made, written = parse_time(job.get("created_at")), parse_time(job.get("updated_at"))
    if made is not None and now - made > GIVE_UP_WINDOW:
        return False
    if written is not None and releases.since((2, 1, 57)):
        return now - written <= WATCHED_WINDOW
    return True


# What is to be done

ADOPT, FOUND, SKIP, REMAKE = "adopted", "found", "skip", "remake"


def decide(job, outcome, now, max_age, releases):
    """What an existing equal job means for a new one.

    :param job: dict, the whole job.
    :param outcome: L(Outcome) of it.
    :param now: seconds since 1970 by the manager's clock.
    :param max_age: seconds for which a warm job counts.
    :returns: ``adopted`` (it is still running), ``found`` (it is warm and young enough), ``skip`` (it says nothing, an
        older one may) or ``remake`` (a new one is needed).
    """
    if outcome.outcome == "pending":
        return ADOPT if is_watched(job, now, releases) else SKIP
    made = parse_time(job.get("created_at"))
    young = made is not None and max_age > 0 and now - made <= max_age
    return FOUND if outcome.outcome == "warm" and young else REMAKE


class Coverage:
    """Which clusters of a wanted job are taken care of by existing jobs, newest first.

    :param needed: set of cluster ids, or None where it is not known which there are: then the newest job decides alone.
    :param exact: whether only a job for just these clusters counts.
    """

    def __init__(self, needed, exact=False):
        self.needed = needed
        self.exact = exact
        self.undecided = None if needed is None else set(needed)
        self.covered = set()
        self.settled = False

    def fits(self, clusters):
        """Whether a job for these clusters can count here."""
        if self.needed is None:
            return True
        return clusters == self.needed if self.exact else bool(clusters & self.needed)

    def add(self, clusters, decision):
        """Takes a decision on a job into account.

        :returns: whether the job is one to keep.
        """
        if self.settled or decision == SKIP or not self.fits(clusters):
            return False
        if self.needed is None:
            self.settled = True
            if decision in (ADOPT, FOUND):
                self.covered = clusters or {0}
                return True
            return False
        new = clusters & self.undecided
        self.undecided -= clusters
        self.settled = not self.undecided
        if not new or decision == REMAKE:
            return False
        self.covered |= new
        return True

    @property
    def missing(self):
        """None where nothing is missing, else the ids that need a job (list of int); empty for one job for every
        cluster."""
        if not self.covered:
            return []
        left = [] if self.needed is None else sorted(self.needed - self.covered)
        return left or None
