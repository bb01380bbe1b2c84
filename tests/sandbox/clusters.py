# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters, and the lists of schedulers, seed peers and peers."""

from __future__ import annotations

from .go import Field, bind, time_text
from .pages import ApiError

_SCOPES = ("idc", "location", "cidrs", "hostnames")


def _block_list():
    """Return the field block_list of 2.5.1 (manager/types/scheduler_cluster.go)."""
    upload = [
        Field("applications", "Applications", "[]string"),
        Field("urls", "URLs", "[]string"),
        Field("tags", "Tags", "[]string"),
    ]
    download = upload + [Field("priorities", "Priorities", "[]int32")]
    prefix = "SchedulerClusterConfig"
    both = [
        Field("download", "Download", prefix + "DownloadBlockList", fields=download, pointer=True),
        Field("upload", "Upload", prefix + "UploadBlockList", fields=upload, pointer=True),
    ]
    return Field(
        "block_list",
        "BlockList",
        prefix + "BlockList",
        fields=[
            Field("task", "Task", prefix + "TaskBlockList", fields=both[:1], pointer=True),
            Field("persistent_task", "PersistentTask", prefix + "PersistentTaskBlockList", fields=both, pointer=True),
            Field(
                "persistent_cache_task",
                "PersistentCacheTask",
                prefix + "PersistentCacheTaskBlockList",
                fields=both,
                pointer=True,
            ),
        ],
    )


class Cluster:
    """A row of scheduler_cluster, with its seed peer cluster."""

    def __init__(self, number, now, names, config, client_config, seed_config):
        self.id = number
        self.created = now
        self.updated = now
        self.name, self.seed_name = names
        self.bio = ""
        self.scopes = {}
        self.config = dict(config)
        self.client_config = dict(client_config)
        self.seed_config = dict(seed_config)
        self.is_default = False


class Clusters:
    """The table of clusters.

    :param fleet: ``fleet.Fleet``.
    """

    def __init__(self, profile, clock, fleet):
        self._profile = profile
        self._clock = clock
        self._fleet = fleet
        self._rows = {}
        self._last = 0
        self._synced = False
        self.add(profile.cluster_names, is_default=True)

    # Rows

    def add(self, names=None, is_default=False, **options):
        profile = self._profile
        self._last += 1
        names = names or (f"cluster-{self._last}",) * 2
        row = Cluster(
            self._last, self._clock.now(), names, profile.scheduler_config, profile.client_config, profile.seed_config
        )
        row.is_default = is_default
        for name, value in options.items():
            setattr(row, name, value)
        self._rows[row.id] = row
        return row

    def get(self, number):
        return self._rows.get(number)

    def ids(self):
        return list(self._rows)

    def _time(self, nanoseconds):
        return time_text(nanoseconds, self._profile.row_digits)

    def _base(self, number, created, updated):
        base = {"id": number, "created_at": self._time(created), "updated_at": self._time(updated)}
        if self._profile.is_del:
            base["is_del"] = 0
        return base

    # As rows of other objects show it

    def scheduler_cluster(self, row, seed_peer_clusters=None):
        """Return the object in ``scheduler_clusters`` of a job, the zero object if ``row`` is None."""
        profile = self._profile
        if row is None:
            shown = self._base(0, None, None)
            shown.update(
                name="", bio="", config=None, client_config=None, seed_client_config=None, scopes=None, is_default=False
            )
        else:
            shown = self._base(row.id, row.created, row.updated)
            shown.update(
                name=row.name,
                bio=row.bio,
                config=dict(sorted(row.config.items())),
                client_config=dict(sorted(row.client_config.items())),
                seed_client_config={},
                scopes=row.scopes,
                is_default=row.is_default,
            )
        if profile.release != "2.5.1":
            del shown["seed_client_config"]
        shown["seed_peer_clusters"] = seed_peer_clusters
        if profile.release != "2.0.9":
            shown["schedulers"] = None
        if profile.peers is not None:
            shown["peers"] = None
        shown["jobs"] = None
        return shown

    def _seed_peer_cluster(self, row):
        shown = self._base(row.id if row else 0, row.created if row else None, row.updated if row else None)
        shown.update(
            name=row.seed_name if row else "",
            bio="",
            config=dict(row.seed_config) if row else None,
            scheduler_clusters=None,
            seed_peer=None,
            jobs=None,
        )
        if self._profile.release == "2.0.9":
            del shown["seed_peer"]
        return shown

    # /clusters

    def _scopes_shown(self, scopes):
        keys = _SCOPES if self._profile.peers is not None else _SCOPES[:3]
        return {key: scopes.get(key, "" if key in ("idc", "location") else None) for key in keys}

    def _config_fields(self):
        """Return the fields of the three configurations of a cluster in this release."""
        release = self._profile.release
        scheduler = [
            Field("candidate_parent_limit", "CandidateParentLimit", "uint32", low=1, high=20),
            Field("filter_parent_limit", "FilterParentLimit", "uint32", low=10, high=1000),
        ]
        if release == "2.0.9":
            scheduler = [
                Field("filter_parent_limit", "FilterParentLimit", "uint32", low=1, high=20),
                Field("filter_parent_range_limit", "FilterParentRangeLimit", "uint32", low=10, high=1000),
            ]
        if self._profile.peers is not None:
            scheduler.append(Field("job_rate_limit", "JobRateLimit", "uint32", low=1, high=1000000))
        seed = [Field("load_limit", "LoadLimit", "uint32", low=1, high=50000)]
        peer = [Field("load_limit", "LoadLimit", "uint32", low=1, high=2000)]
        if self._profile.peers is None:
            peer.append(Field("concurrent_piece_count", "ConcurrentPieceCount", "uint32", low=1, high=50))
        if release == "2.5.1":
            seed.append(_block_list())
            peer.append(_block_list())
        return scheduler, seed, peer

    @staticmethod
    def _typed(fields, config):
        return {field.key: config.get(field.key, field.zero) for field in fields}

    def cluster(self, row, updated_digits=None, only=None):
        """Return the object of /clusters.

        :param only: keys of scopes and configs that a PATCH sent; None for all of them.
        """
        scheduler, seed, peer = self._config_fields()
        config = row.config
        if self._profile.release == "2.0.9":
            config = {}  # The reader expects other keys than the writer writes, and shows zeros.
        shown = {
            "id": row.id,
            "name": row.name,
            "bio": row.bio,
            "scopes": self._scopes_shown(row.scopes),
            "scheduler_cluster_id": row.id,
            "seed_peer_cluster_id": row.id,
            "scheduler_cluster_config": self._typed(scheduler, config),
            "seed_peer_cluster_config": self._typed(seed, row.seed_config),
            "peer_cluster_config": self._typed(peer, row.client_config),
            "created_at": self._time(row.created),
            "updated_at": time_text(row.updated, updated_digits or self._profile.row_digits),
            "is_default": row.is_default,
        }
        if only is not None:
            for key in ("scopes", "scheduler_cluster_config", "seed_peer_cluster_config", "peer_cluster_config"):
                if key not in only:
                    shown[key] = None
        if self._profile.release == "2.0.9":
            names = {
                "id": "ID",
                "name": "Name",
                "bio": "BIO",
                "scheduler_cluster_id": "SchedulerClusterID",
                "seed_peer_cluster_id": "SeedPeerClusterID",
            }
            shown = {
                names.get(key) or "".join(part.title() for part in key.split("_")): value
                for key, value in shown.items()
            }
        return shown

    def _request(self, required):
        scheduler, seed, peer = self._config_fields()
        scopes = [
            Field("idc", "IDC"),
            Field("location", "Location"),
            Field("cidrs", "CIDRs", "[]string"),
            Field("hostnames", "Hostnames", "[]string"),
        ]
        return [
            Field("name", "Name", required=required),
            Field("bio", "BIO"),
            Field("scopes", "Scopes", "SchedulerClusterScopes", fields=scopes, pointer=True),
            Field(
                "scheduler_cluster_config",
                "SchedulerClusterConfig",
                "SchedulerClusterConfig",
                fields=scheduler,
                pointer=True,
                required=required,
            ),
            Field(
                "seed_peer_cluster_config",
                "SeedPeerClusterConfig",
                "SeedPeerClusterConfig",
                fields=seed,
                pointer=True,
                required=required,
            ),
            Field(
                "peer_cluster_config",
                "PeerClusterConfig",
                "SchedulerClusterClientConfig",
                fields=peer,
                pointer=True,
                required=required,
            ),
            Field("is_default", "IsDefault", "bool"),
        ]

    def list(self, query):
        name = query.get("name")
        return [row for row in self._rows.values() if not name or row.name == name]

    def find(self, number):
        """Return a row by its id.

        :raises ApiError: 404.
        """
        if number not in self._rows:
            raise ApiError(404, self._profile.not_found)
        return self._rows[number]

    def _check_name(self, name, but=None):
        if any(row.name == name and row is not but for row in self._rows.values()):
            self._last += 1  # The refused insert has used its number.
            raise ApiError(409, "Conflict")

    def create(self, document):
        values = bind(self._request(True), document, "CreateClusterRequest")
        self._check_name(values["name"])
        row = self.add((values["name"],) * 2)
        self._write(row, values)
        return self.cluster(row)

    def update(self, number, document):
        values = bind(self._request(False), document, "UpdateClusterRequest")
        row = self.find(number)
        if values["name"] and values["name"] != row.name:
            self._check_name(values["name"], row)
            row.name = row.seed_name = values["name"]
        row.updated = self._clock.now()
        self._write(row, values)
        return self.cluster(row, 3, [key for key, value in values.items() if value is not None])

    def _write(self, row, values):
        row.bio = values["bio"] or row.bio
        row.is_default = values["is_default"]
        if values["scopes"] is not None:
            row.scopes = {key: value for key, value in values["scopes"].items() if value}
        keys = ("scheduler_cluster_config", "seed_peer_cluster_config", "peer_cluster_config")
        for key, target, fields in zip(keys, ("config", "seed_config", "client_config"), self._config_fields()):
            if values[key] is not None:
                setattr(
                    row,
                    target,
                    {field.key: values[key][field.key] for field in fields if values[key][field.key] != field.zero},
                )

    def delete(self, number):
        row = self.find(number)
        if any(scheduler.cluster_id == row.id for scheduler in self._fleet.schedulers):
            raise ApiError(500, "scheduler cluster exists scheduler")
        del self._rows[number]

    # Lists of /api/v1

    def scheduler_clusters(self, _query):
        return [self.scheduler_cluster(row, [self._seed_peer_cluster(row)]) for row in self._rows.values()]

    def seed_peer_clusters(self, _query):
        return [self._seed_peer_cluster(row) for row in self._rows.values()]

    def schedulers(self, query):
        return [
            self._scheduler(scheduler)
            for scheduler in self._fleet.schedulers
            if self._matches(
                query,
                {
                    "host_name": scheduler.name,
                    "ip": scheduler.ip,
                    "state": scheduler.state,
                    "scheduler_cluster_id": scheduler.cluster_id,
                },
            )
        ]

    def _scheduler(self, scheduler):
        release = self._profile.release
        shown = self._base(scheduler.id, scheduler.joined, self._clock.now())
        if self._profile.row_digits:
            shown["config"] = {"manager_keep_alive_interval": 5 * 10**9}
        shown.update(
            host_name=scheduler.name,
            idc="",
            location="",
            ip=scheduler.ip,
            port=scheduler.port,
            state=scheduler.state,
            features=scheduler.features,
        )
        if release == "2.0.9":
            shown["SchedulerClusterID"] = scheduler.cluster_id
            return shown
        if self._profile.row_digits:
            shown["last_keep_alive_at"] = self._time(self._clock.now())
        shown.update(scheduler_cluster_id=scheduler.cluster_id, scheduler_cluster=self.scheduler_cluster(None))
        if release == "2.1.0":
            shown["models"] = None
        return shown

    def seed_peers(self, query):
        """Return the Go seeds. Rust seeds announce themselves to schedulers only."""
        seeds = [host for host in self._fleet.hosts if host.role == "seed" and host.client == "go"]
        return [
            self._seed_peer(number, host)
            for number, host in enumerate(seeds, 1)
            if self._matches(query, {"host_name": host.name, "ip": host.ip, "seed_peer_cluster_id": host.cluster_id})
        ]

    def _seed_peer(self, number, host):
        system = host.system(self._profile.release)
        shown = self._base(number, host.joined, self._clock.now())
        shown.update(
            created_at=time_text(host.joined, 0), **_announced(host, system), object_storage_port=0, state="active"
        )
        if self._profile.release == "2.0.9":
            shown["SeedPeerClusterID"] = host.cluster_id
        else:
            shown.update(seed_peer_cluster_id=host.cluster_id, seed_peer_cluster=self._seed_peer_cluster(None))
        return shown

    def sync_peers(self):
        """Copy the schedulers' hosts to the manager."""
        self._synced = True

    def peers(self, query):
        """Return the known hosts: before 2.2 those that announced themselves, later those that were synchronized."""
        hosts = self._fleet.hosts
        if not self._synced:
            hosts = [host for host in hosts if host.role == "peer"] if self._profile.release == "2.1.67" else []
        return [
            self._peer(number, host)
            for number, host in enumerate(hosts, 1)
            if self._matches(
                query,
                {"host_name": host.name, "ip": host.ip, "type": host.type, "scheduler_cluster_id": host.cluster_id},
            )
        ]

    def _peer(self, number, host):
        system = host.system(self._profile.release)
        shown = self._base(number, host.joined, host.joined)
        shown.update(_announced(host, system))
        if self._profile.row_digits:
            shown["proxy_port"] = system["proxy_port"]
        shown.update(object_storage_port=0, state="active")
        for key in (
            "os",
            "platform",
            "platform_family",
            "platform_version",
            "kernel_version",
            "git_version",
            "git_commit",
            "build_platform",
        ):
            shown[key] = system[key]
        shown.update(
            scheduler_cluster_id=host.cluster_id, scheduler_cluster=self.scheduler_cluster(self.get(host.cluster_id))
        )
        return shown

    @staticmethod
    def _matches(query, values):
        return all(str(values[key]) == query[key] for key in values if query.get(key))


def _announced(host, system):
    """Return what a host reports about itself, in the order of its row."""
    return {
        "host_name": host.name,
        "type": host.type,
        "idc": "",
        "location": "",
        "ip": host.ip,
        "port": system["port"],
        "download_port": system["download_port"],
    }
