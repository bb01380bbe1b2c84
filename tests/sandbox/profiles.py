# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The differences between releases of the manager, as data.

Each line is a difference, each column a release. tests/contract/recordings has the responses of real managers of
these releases answered.
"""

from __future__ import annotations

import typing as t

from . import newer
from .go import Field

RELEASES = ("2.0.9", "2.1.0", "2.1.67", "2.3.4", "2.5.1")

_TABLE = {
    # Routes and their users: "" everyone, "jwt" a signed-in user, "pat" a personal access token, None no route.
    "open_jobs": (None, "pat", "pat", "pat", "pat"),
    "open_clusters": (None, None, "pat", "pat", "pat"),
    "console_jobs": ("", "", "", "", "jwt"),
    "configs": ("", "", "", "jwt", "jwt"),
    "tokens": (None, "jwt", "jwt", "jwt", "jwt"),
    "peers": (None, None, "jwt", "jwt", "jwt"),
    "persistent_cache_tasks": (None, None, None, "jwt", "jwt"),
    "audits": (None, None, None, "jwt", "jwt"),
    "v1": ("", "", "", "", None),
    # All responses.
    "server_ip": (False, False, True, True, True),
    "gzip": (False, False, True, True, True),
    "not_found": ("Not Found", "Not Found", "record not found", "record not found", "record not found"),
    "max_per_page": (50, 1000, 10000000, 10000000, 10000000),
    "row_digits": (0, 0, 0, 3, 3),  # of the fraction of created_at and updated_at
    # Jobs.
    "job_types": (
        ("preheat",),
        ("preheat",),
        ("preheat", "get_task", "delete_task", "sync_peers"),
        ("preheat", "get_task", "delete_task", "sync_peers", "gc", "get_image_distribution"),
        ("preheat", "get_task", "delete_task", "sync_peers", "gc", "get_image_distribution"),
    ),
    "newest_first": (False, False, True, True, True),
    "is_del": (False, True, True, True, True),
    "job_user": (None, "zero", "zero", "row", "row"),  # "row": looked up, and a job of nobody cannot be read (T5)
    "limited": ((), (), ("/api",), ("/oapi", "/api"), ("/oapi", "/api")),
    "unknown_cluster": (
        "Not Found",
        "Not Found",
        "scheduler cluster id %d: record not found",
        "scheduler cluster id %d: record not found",
        "scheduler cluster id %d: record not found",
    ),
    "preheat_args_checked_when_empty": (True, True, False, False, False),
    "manifest_reader": ("plain", "plain", "distribution", "distribution", "distribution"),
    # Manifests of an index for a platform: those of the architecture; upstream's main branch: platforms.Only ("only").
    "platform_matching": ("architecture",) * 5,
    "refuses_loopback": (False, False, True, True, True),
    "default_client": ("go", "go", "go", "rust", "rust"),
    "standard_tasks": (False, False, False, True, True),  # task ids end with the kind of the task
    # Results.
    "go_cased": (True, True, False, False, False),
    "state_for": ("blob", "blob", "blob", "cluster", "cluster"),  # one of job_states
    "group_updated_at": (False, False, True, True, True),
    "result_before_poll": (None, None, None, None, {}),
    "known_blob_host": (
        True,
        True,
        True,
        True,
        False,
    ),  # False: a blob that the seed had already has the host "unknown"
    "no_seed_peer": (
        "cluster %d scheduler %s has no available seed peer",
        "cluster %d scheduler %s has no available seed peer",
        "cluster %d scheduler %s has no available seed peer",
        None,
        "cluster %d scheduler %s no available seed peer",
    ),
    "get_task_asks": (None, None, "scheduler", "hosts", "hosts"),  # source of a task's holders (2.3.1 changed it)
    "tells_finished": (False, False, False, False, True),  # get_task: IsFinished, from 2.4.0 on
    "no_task_peers": (None, None, None, [], []),  # get_task of a task without holders
    # Polls: name of the schedule, how many (jobs.SCHEDULES).
    "polls": (("short", 480), ("short", 480), ("long", 16), ("long", 16), ("fixed", 16)),
    "polls_touch_row": (False, False, True, True, True),
    # Tokens and sign-in.
    "token_checks": (False, False, False, True, True),
    "token_in_query": (False, False, False, True, True),
    "default_scopes": (None, ["preheat", "job"], None, ["job", "cluster"], ["job", "cluster"]),
    "patch_resets_scopes": (False, False, False, True, True),
    "token_filters": (False, False, True, True, True),
    "signin_window": (0, 0, 0, 5, 5),  # seconds after a sign-in in which others fail
    "jwt_seconds": (172800, 172800, 1209600, 1209600, 1209600),
    # Clusters.
    "cluster_names": (
        ("scheduler-cluster-1", "seed-peer-cluster-1"),
        ("scheduler-cluster-1", "seed-peer-cluster-1"),
        ("cluster-1", "cluster-1"),
        ("cluster-1", "cluster-1"),
        ("cluster-1", "cluster-1"),
    ),
    "scheduler_config": (
        {"filter_parent_limit": 4, "filter_parent_range_limit": 40},
        {"candidate_parent_limit": 4, "filter_parent_limit": 40},
        {"candidate_parent_limit": 4, "filter_parent_limit": 15, "job_rate_limit": 10},
        {"candidate_parent_limit": 3, "filter_parent_limit": 15, "job_rate_limit": 10},
        {"candidate_parent_limit": 3, "filter_parent_limit": 15, "job_rate_limit": 10},
    ),
    "client_config": (
        {"concurrent_piece_count": 4, "load_limit": 50},
        {"concurrent_piece_count": 4, "load_limit": 50},
        {"load_limit": 200},
        {"load_limit": 200},
        {"load_limit": 200},
    ),
    "seed_config": (
        {"load_limit": 300},
        {"load_limit": 300},
        {"load_limit": 2000},
        {"load_limit": 2000},
        {"load_limit": 2000},
    ),
    # Background garbage collection writes job rows: (task id, seconds between).
    "gc_rows": (
        (),
        (),
        (),
        (("scheduler", 3600), ("seed_peer", 3600), ("job", 10800), ("audit", 10800)),
        (("scheduler", 3600), ("seed_peer", 3600), ("job", 10800), ("audit", 10800)),
    ),
}

_FILTER = (
    "X-Amz-Algorithm&X-Amz-Credential&X-Amz-Date&X-Amz-Expires&X-Amz-SignedHeaders&X-Amz-Signature&X-Amz-Security-Token"
    "&X-Amz-User-Agent&X-Goog-Algorithm&X-Goog-Credential&X-Goog-Date&X-Goog-Expires&X-Goog-SignedHeaders"
    "&X-Goog-Signature&OSSAccessKeyId&Expires&Signature&SecurityToken&AccessKeyId&Signature&Expires&X-Obs-Date"
    "&X-Obs-Security-Token&q-sign-algorithm&q-ak&q-sign-time&q-key-time&q-header-list&q-url-param-list&q-signature"
    "&x-cos-security-token&ns"
)
_MINUTES = 60 * 10**9

_OBJECT_STORAGE = [
    Field("region", "Region"),
    Field("endpoint", "Endpoint"),
    Field("access_key_id", "AccessKeyID"),
    Field("access_key_secret", "AccessKeySecret"),
    Field("session_token", "SessionToken"),
    Field("credential_path", "CredentialPath"),
    Field("predefined_acl", "PredefinedACL"),
    Field("security_token", "SecurityToken"),
    Field("insecure_skip_verify", "InsecureSkipVerify", "bool"),
]
_HDFS = [Field("delegation_token", "DelegationToken")]

# Fields of args in the order of Go's struct, each with the releases that have it.
_OLD, _MIDDLE, _NEW = RELEASES[:2], RELEASES[2:3], RELEASES[3:]
_PREHEAT = (
    (RELEASES, Field("type", "Type", required=True, oneof=("image", "file"))),
    (_OLD + _MIDDLE, Field("url", "URL", required=True)),
    (_NEW, Field("url", "URL")),
    (_NEW, Field("urls", "URLs", "[]string")),
    (_NEW, Field("piece_length", "PieceLength", "uint64", pointer=True, low=4194304, high=67108864)),
    (RELEASES, Field("tag", "Tag")),
    (_NEW, Field("application", "Application")),
    (_OLD, Field("filter", "Filter")),
    (_MIDDLE + _NEW, Field("filtered_query_params", "FilteredQueryParams", default=_FILTER)),
    (RELEASES, Field("headers", "Headers", "map[string]string")),
    (_MIDDLE + _NEW, Field("username", "Username")),
    (_MIDDLE + _NEW, Field("password", "Password")),
    (_MIDDLE + _NEW, Field("platform", "Platform")),
    (_MIDDLE + _NEW, Field("scope", "Scope", default="single_seed_peer")),
    (_NEW, Field("ips", "IPs", "[]string", low=1, high=100)),
    (_NEW, Field("percentage", "Percentage", "uint32", pointer=True, low=1, high=100)),
    (_NEW, Field("count", "Count", "uint32", pointer=True, low=1, high=200)),
    (_MIDDLE, Field("concurrent_count", "ConcurrentCount", "int64", low=1, high=500, default=50)),
    (_NEW, Field("concurrent_task_count", "ConcurrentTaskCount", "int64", low=1, high=100, default=8)),
    (_NEW, Field("concurrent_peer_count", "ConcurrentPeerCount", "int64", low=1, high=1000, default=500)),
    (_MIDDLE, Field("timeout", "Timeout", "time.Duration", default=30 * _MINUTES)),
    (_NEW, Field("timeout", "Timeout", "time.Duration", default=60 * _MINUTES)),
    (RELEASES[4:], Field("object_storage", "ObjectStorage", "ObjectStorage", fields=_OBJECT_STORAGE, pointer=True)),
    (RELEASES[4:], Field("hdfs", "HDFS", "HDFS", fields=_HDFS, pointer=True)),
)
_GET_TASK = (
    (_MIDDLE + _NEW, Field("task_id", "TaskID")),
    (_MIDDLE + _NEW, Field("url", "URL")),
    (_NEW, Field("piece_length", "PieceLength", "uint64", pointer=True, low=4194304)),
    (_MIDDLE + _NEW, Field("tag", "Tag")),
    (_MIDDLE + _NEW, Field("application", "Application")),
    (_MIDDLE + _NEW, Field("filtered_query_params", "FilteredQueryParams", default=_FILTER)),
    (_NEW, Field("content_for_calculating_task_id", "ContentForCalculatingTaskID", pointer=True)),
    (_NEW, Field("concurrent_peer_count", "ConcurrentPeerCount", "int64", low=1, high=1000, default=500)),
    (_NEW, Field("timeout", "Timeout", "time.Duration", default=60 * _MINUTES)),
)
_DELETE_TASK = tuple(field for field in _GET_TASK if field[1].key not in ("concurrent_peer_count", "timeout")) + (
    (_MIDDLE, Field("timeout", "Timeout", "time.Duration", default=30 * _MINUTES)),
    (_NEW, Field("timeout", "Timeout", "time.Duration", default=60 * _MINUTES)),
)
_DISTRIBUTION = (
    (_NEW, Field("url", "URL", required=True)),
    (_NEW, Field("piece_length", "PieceLength", "uint64", pointer=True, low=4194304)),
    (_NEW, Field("tag", "Tag")),
    (_NEW, Field("application", "Application")),
    (_NEW, Field("filtered_query_params", "FilteredQueryParams", default=_FILTER)),
    (_NEW, Field("headers", "Headers", "map[string]string")),
    (_NEW, Field("username", "Username")),
    (_NEW, Field("password", "Password")),
    (_NEW, Field("platform", "Platform")),
    (_NEW, Field("concurrent_layer_count", "ConcurrentLayerCount", "int64", low=1, high=100, default=8)),
    (_NEW, Field("concurrent_peer_count", "ConcurrentPeerCount", "int64", low=1, high=1000, default=500)),
    (_NEW, Field("timeout", "Timeout", "time.Duration", default=60 * _MINUTES)),
)
_GC = ((_NEW, Field("type", "Type", required=True, oneof=("audit", "job"))),)
_ARGS = {
    "preheat": ("PreheatArgs", "CreatePreheatJobRequest", _PREHEAT),
    "get_task": ("GetTaskArgs", "CreateGetTaskJobRequest", _GET_TASK),
    "delete_task": ("DeleteTaskArgs", "CreateDeleteTaskJobRequest", _DELETE_TASK),
    "get_image_distribution": (
        "CreateGetImageDistributionJobRequestArgs",
        "CreateGetImageDistributionJobRequest",
        _DISTRIBUTION,
    ),
    "gc": ("CreateGCJobRequestArgs", "CreateGCJobRequest", _GC),
    "sync_peers": ("SyncPeersArgs", "CreateSyncPeersJobRequest", ()),
}
_ENVELOPE = (
    Field("bio", "BIO"),
    Field("type", "Type", required=True),
    Field("args", "Args", "any"),
    Field("user_id", "UserID", "uint"),
    Field("seed_peer_cluster_ids", "SeedPeerClusterIDs", "[]uint"),
    Field("scheduler_cluster_ids", "SchedulerClusterIDs", "[]uint"),
)


class Profile:
    """One release: a column of the table, as attributes."""

    def __init__(self, release):
        if release not in (*RELEASES, newer.NEWER):
            raise ValueError(f"no profile of release {release!r}, there are {', '.join((*RELEASES, newer.NEWER))}")
        #: Its name. ``release`` is the release that it resembles.
        self.name = release
        self.newer = release == newer.NEWER
        self.release = newer.BASE if self.newer else release
        column = RELEASES.index(self.release)
        for name, values in _TABLE.items():
            setattr(self, name, values[column])
        if self.newer:
            self.platform_matching = "only"

    if t.TYPE_CHECKING:

        def __getattr__(self, name: str) -> t.Any:
            """Return a fact of the profile."""

    @property
    def envelope(self):
        """Return the fields of a POST of any job, and the name of their struct."""
        return _ENVELOPE, "CreateJobRequest"

    def job_request(self, kind):
        """Return the fields of a POST of one kind of job, and the name of their struct."""
        struct, request, fields = _ARGS[kind]
        known = self._known_fields(kind, fields)
        args = Field("args", "Args", struct, fields=known, omit_empty=not self.preheat_args_checked_when_empty)
        if not known:
            args = Field("args", "Args", "any")
        return [args if field.key == "args" else field for field in _ENVELOPE], request

    def defaults(self, kind):
        """Return the manager's defaults in ``args`` (dict of key to value)."""
        fields = self._known_fields(kind, _ARGS[kind][2])
        defaults = {field.key: field.default for field in fields if field.default is not None}
        if self.newer:
            defaults.update((key, value) for key, value in newer.DEFAULTS.items() if key in defaults)
        return defaults

    def _known_fields(self, kind, fields):
        """Return the fields of ``args`` of a kind of job in this release."""
        known = [field for releases, field in fields if self.release in releases]
        return known + list(newer.ARGS) if self.newer and kind == "preheat" else known
