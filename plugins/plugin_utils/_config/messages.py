# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with the configurations of clients and of containerd: a code each, with reason and remedy.

docs/traps.md lists every code; a test holds it to this file.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

# code: what goes wrong, and the remedy. Values of secrets are never part of either.
MESSAGES: dict[str, tuple[str, str]] = {
    "no_such_client": (
        "there is no {client} of release {release} that this role could configure ({first} to {last} are known).",
        "Name the release of the client that is on the host; after 2.3.4 that is the Rust client, role dfdaemon.",
    ),
    "no_such_server": (
        "this collection cannot configure release {release} of the {client} ({first} to {last} are known).",
        "Name the release of the {client} that is installed on the host.",
    ),
    "missing_key": (
        "{client} would not start without this key.",
        "Set it.",
    ),
    "no_manager": (
        "without a manager the scheduler receives no jobs, so no preheat reaches it; releases before 2.5.1 would not"
        " start.",
        "Set it to HOST:PORT of the manager's gRPC server, whose default port is 65003.",
    ),
    "no_jobs": (
        "the scheduler would run no jobs, so no preheat reaches it.",
        "{remedy}",
    ),
    "release_lines": (
        "{client} {release} and {other} are of different release lines.",
        "Install the same release line of both.",
    ),
    "public_jwt_key": (
        "this key is part of Dragonfly's published examples, so anybody can sign a login to the manager with it.",
        "Generate a key, for example with 'openssl rand -base64 32'.",
    ),
    "unreachable_address": (
        "other hosts cannot reach {address}.",
        "Set it to an address of this host that they can reach; where everything runs on one host, allow this problem.",
    ),
    "text_in_dsn": (
        "{client} does not quote it in the database's address, where {characters} changes what is read.",
        "Choose one without these characters.",
    ),
    "same_redis_database": (
        "{other} has database {number} of Redis as well; Dragonfly keeps cache, queues and results of jobs apart.",
        "Give each a number of its own, such as 0, 1 and 2.",
    ),
    "redis_user_ignored": (
        "jobs of {client} {release} ignore the user and log in to Redis with the password alone.",
        "Use the default user of Redis, or release 2.2.3 or later.",
    ),
    "redis_login_in_url": (
        "jobs of {client} {release} write it into a URL without proper escaping, and would log in to Redis with another"
        " one.",
        "Use letters and digits only.",
    ),
    "redis_tls_without_jobs": (
        "jobs of {client} {release} connect to Redis without TLS, whatever is set here, so {client} would not start.",
        "Reach Redis without TLS: in a private network, or through a tunnel such as stunnel on this host.",
    ),
    "ids_of_their_own": (
        "clients before 0.1.114 compute task ids that no other client or seed computes.",
        "Use release 0.1.114 or later on seeds and hosts.",
    ),
    "unknown_key": (
        "{client} has no such key and would silently ignore it.",
        "{hint}",
    ),
    "key_gone": (
        "{client} {release} no longer has this key and would silently ignore it.",
        "{hint}",
    ),
    "key_not_yet": (
        "{client} {release} does not have this key yet and would silently ignore it: it came with {since}.",
        "{hint}",
    ),
    "wrong_type": (
        "{client} would not start with this value, or would read another one than is meant.",
        "It must be {wanted}.",
    ),
    "bad_regex": (
        "the regular expression does not compile, so {client} would not start: {error}.",
        "Write it in the syntax of {engine}.",
    ),
    "bad_value": (
        "{client} would not start, or not work, with this value.",
        "It must be {wanted}.",
    ),
    "missing_file": (
        "the host has no file {path}, so {client} would not start.",
        "Put the file there before this role runs, or correct the path.",
    ),
    "duplicate_key": (
        "in release {release} this is another name of {other}, which is set too, and {client} would not start.",
        "Leave one of them out, best this one.",
    ),
    "bad_scheduler": (
        "{address} is not an address that {client} can use for a scheduler, and it would not start.",
        "{hint}",
    ),
    "schedulers_ignored": (
        "with a manager, {client} gets its schedulers from the manager and ignores the ones set here.",
        "Leave {variable} empty, or set no manager.",
    ),
    "bad_service_option": (
        "systemd would not read this setting of the unit as it is written: {error}.",
        "Correct it.",
    ),
    "no_scheduler": (
        "neither a manager nor a scheduler is named, so the client cannot join a cluster.",
        "Set {variable}.",
    ),
    "filter_without_ns": (
        "containerd adds ?ns=REGISTRY to each pull through a mirror, a preheat does not; as ns is not filtered out of "
        "the task id, every pull misses what was preheated.",
        "Add ns: {example}.",
    ),
    "tag_mismatch": (
        "pulls of this host carry {what} {host!r}, the preheat {what} {preheat!r}; both are part of the task id, so "
        "every pull misses.",
        "Give both the same, best none.",
    ),
    "blob_digest_ids": (
        "with this flag the host's task ID is the bare digest of a blob, while a preheat uses the blob's URL unless it "
        "requests digests of a manager later than 2.5.1, so every pull misses.",
        "Set it to false on all hosts; or preheat with enable_task_id_based_blob_digest and name the manager's "
        "release.",
    ),
    "blob_digest_ids_missing": (
        "the preheat requested task IDs that are digests of blobs, while this host computes them from the URL.",
        "Set it to true on all hosts (dfdaemon 1.1.8 or later), or preheat without enable_task_id_based_blob_digest.",
    ),
    "content_id": (
        "the header replaces the URL as what task IDs are computed from, so every pull misses.",
        "Leave the header out.",
    ),
    "piece_length_too_small": (
        "dfdaemon rejects the piece length {value}, and containerd silently falls back to the registry.",
        "Leave the header out; the smallest piece length is 4mib.",
    ),
    "seed_cannot_be_preheated": (
        "schedulers from 2.3.1 on preheat seeds through a protocol that the Go client lacks: the job ends SUCCESS with "
        "nothing warmed.",
        "Use the role dfdaemon for seeds of this cluster.",
    ),
    "trailing_slash": (
        "the Rust client appends the path to this address as it is, so a trailing slash makes it //v2/... and "
        "every pull fails or misses.",
        "Leave the slash out.",
    ),
    "static_mirror": (
        "the header X-Dragonfly-Registry is ignored unless this is true, so the images of every registry are "
        "requested from proxy.registryMirror.url; containerd then silently falls back to the registry.",
        "Set it to true.",
    ),
    "no_mirror": (
        "without a registry mirror the proxy answers containerd with 404, and containerd silently falls back to "
        "the registry.",
        "Set it to the base URL of the registry that is used most.",
    ),
    "proxy_off": (
        "no port is set, so the client starts without its proxy.",
        "Set it to a port, as 65001.",
    ),
    "not_p2p": (
        "pulls of blobs go straight to the registry: {why}.",
        "{remedy}",
    ),
    "rewritten_url": (
        "this changes the URL before the task ID is computed from it, so blobs that the rule matches miss what was "
        "preheated.",
        "Preheat the URL that comes out of it and allow this problem, or leave it out.",
    ),
    "open_proxy": (
        "the proxy listens on {address}, where it serves everybody who can reach the host.",
        "Listen on 127.0.0.1; or set basicAuth, and send it with the mirrors (containerd_mirrors_headers), as"
        " Proxy-Authorization to the Go client, as Authorization to the Rust client.",
    ),
    "exits_when_idle": (
        "the daemon ends itself after this time without work (5m where it is not set).",
        "Set it to 0s.",
    ),
    "storage_not_kept": (
        "a restart of the daemon throws away all that was preheated to this host.",
        "Set it to true.",
    ),
    "no_reuse": (
        "a blob that this host already holds is downloaded again for each pull.",
        "Set it to true.",
    ),
    "bad_strategy": (
        "the daemon would not start: it knows {known} (the documents of 2.0.9 and 2.1 show one with a dot at its end).",
        "Leave the key out.",
    ),
    "expires_too_soon": (
        "what was preheated is dropped {expiry} s after its last use, yet a preheat counts as warm for {max_age} s "
        "(preheat_max_age).",
        "Raise it above preheat_max_age.",
    ),
    "rate_limit_too_low": (
        "the daemon would not start with less than 20 MiB a second.",
        "Raise it to 20Mi or more.",
    ),
    "request_rate_too_low": (
        "above {limit} requests a second the proxy answers 429, and containerd silently falls back to the registry; "
        "parallel pulls reach that.",
        "Leave it at the default of 4000, at least above 100.",
    ),
    "port_clash": (
        "port {port} is {other}'s as well, so the daemon would not start.",
        "Give each listener a port of its own.",
    ),
    "port_taken": (
        "another program listens on port {port} of this host, so the daemon would not start.",
        "Choose another port, or stop that program.",
    ),
    "port_drifts": (
        "with a range the daemon silently takes the next port when the first is taken, and the mirrors keep "
        "using the first.",
        "Give the port as one number.",
    ),
    "registry_header": (
        "the role sends X-Dragonfly-Registry itself, with the base URL of the registry.",
        "Leave the header out and give the registry its URL.",
    ),
    "no_containerd": (
        "neither the program, nor the unit, nor the socket of a containerd is on this host.",
        "Run this on the hosts that pull, with become: true.",
    ),
    "unknown_containerd": (
        "a containerd runs on this host that this collection does not know; it was started with {config}{error}.",
        "Name its configuration: containerd_mirrors_config_path of the role, containerd_config of preheat_hit_info.",
    ),
    "config_unknown": (
        "it is not known with which configuration the unit {unit} starts containerd: {error}.",
        "Name the file: containerd_mirrors_config_path of the role, containerd_config of preheat_hit_info.",
    ),
    "config_unreadable": (
        "the file cannot be read: {error}.",
        "Run the task with become: true.",
    ),
    "config_rejected": (
        "containerd does not accept its configuration: {error}.",
        "Run that command on the host, and correct what it reports.",
    ),
    "config_version": (
        "containerd {release} does not read version {version} of its configuration.",
        "Write version = {newest} with the names that plugins have there, or upgrade containerd.",
    ),
    "import_missing": (
        "{importer} imports it, and it does not exist, so containerd does not start.",
        "Remove it from imports, or create it.",
    ),
    "import_version": (
        "version {version} is newer than version {main} of {importer}, so containerd from 2.3 on does not start.",
        "Give both files the same version.",
    ),
    "import_wins": (
        "{importer} imports this file, whose settings {how} those of {importer}: containerd ignores config_path there.",
        "Set config_path = {wanted} in [plugins.{plugin}.registry] of this file, or move its tables to {importer}.",
    ),
    "import_unclear": (
        "it sets {plugin} as {importer} does. Releases of containerd differ in what counts then, and the release on"
        " this host is not known.",
        "Set {plugin} in a single file, or see to it that the program containerd can be run on the host.",
    ),
    "auth_not_for_mirror": (
        "it has credentials for {registry}, which containerd does not send to the mirror {mirror}: without pull secrets"
        " of Kubernetes pulls through Dragonfly are anonymous, are denied and fall back to the registry.",
        'Set configs."{mirror}".auth too (containerd_mirrors_username, containerd_mirrors_password of the role).',
    ),
    "auth_for_several": (
        "containerd would send these credentials to each of these registries through {mirror}: {names}.",
        "Give credentials only where a single registry has a mirror; use pull secrets of Kubernetes for several.",
    ),
    "distribution_config": (
        "{distribution} writes this file whenever it starts, and nothing in it makes containerd read mirrors.",
        "{remedy}",
    ),
    "registries_foreign": (
        "this role did not write it, and it does not send pulls of {names} to {proxy}.",
        "Put this into it and restart {distribution}:\n{content}",
    ),
    "default_without_registry": (
        "containerd reads it for every registry, and without X-Dragonfly-Registry {client} does not know which is"
        " meant: {why}.",
        "Name the registries in containerd_mirrors_registries instead.",
    ),
    "header_lost": (
        "{distribution} makes hosts.toml of this file, without headers, so {why}.",
        "Set containerd_mirrors_certs_dir to {certs_dir}: files that {distribution} did not write stay there (k3s"
        " 1.28.14, 1.29.9, 1.30.5 and later releases), unless registries.yaml names their registries.",
    ),
    "toml_invalid": (
        "containerd cannot read the file: {error}.",
        "Correct it; containerd would not start with it.",
    ),
    "config_version_1": (
        "the file has no version or version 1, whose plugins have other names.",
        "Migrate it (containerd config migrate, or version = 2 with the full names of the plugins).",
    ),
    "cri_disabled": (
        "{plugin} is disabled, so the kubelet and crictl cannot pull with these mirrors.",
        "Take it out of disabled_plugins; where only ctr or nerdctl pull, allow this problem.",
    ),
    "mirrors_in_use": (
        "containerd does not load its CRI plugin with both mirrors and config_path, and there are mirrors of {names}.",
        "Move them to containerd_mirrors_registries and delete the tables.",
    ),
    "tls_in_use": (
        "containerd does not load its CRI plugin with both configs.*.tls and config_path.",
        "Move the settings to containerd_mirrors_server_options (ca, client, skip_verify) and delete the table.",
    ),
    "other_config_path": (
        "containerd reads its mirrors in {path}, not in {wanted}.",
        "Set containerd_mirrors_certs_dir to that folder, or delete config_path.",
    ),
    "registries_conf_rejected": (
        "podman, CRI-O, Buildah and Skopeo do not accept the file, and every pull fails: {error}.",
        "Correct it or move it away.",
    ),
    "login_not_for_mirror": (
        "it has credentials for {registry}, which podman and CRI-O do not send to the mirror {mirror}: there the pull"
        " is anonymous, is denied, and silently goes to the registry.",
        "Log in to {mirror} too, with the credentials of the registry.",
    ),
    "no_such_runtime": (
        "{runtime} is not on this host.",
        "Name the runtime that pulls (runtime, preheat_runtime), or install it.",
    ),
    "registry_not_served": (
        "podman and CRI-O name no registry to the client, which requests {served}, while pulls of {registry} are of"
        " {wanted}.",
        "Set it to {wanted}, or leave {registry} out of registries_conf_registries: a client serves a single registry"
        " to these runtimes.",
    ),
    "no_client_config": (
        "the client {client} is not configured on this host, and what its proxy requests is not known.",
        "Run the role of the client first, or set registries_conf_registry_mirror.",
    ),
    "registries_conf_taken": (
        "it has an entry for {prefix}, and pulls of {registry} would go by {which}.",
        "Remove the entry: the role writes location and mirror, and insecure for an http:// URL and for"
        " registries_conf_insecure_registries.",
    ),
    "registries_conf_of_root": (
        "it replaces {main} and its drop-ins for pulls of root.",
        "Move what is in it to {main}, and delete it.",
    ),
    "drop_in_foreign": (
        "this role did not write the file.",
        "Move it away, or set registries_conf_drop_in to another name.",
    ),
    "parallel_fetch": (
        "containerd then requests parts of a blob, and {why}.",
        "{remedy}",
    ),
    "lazy_snapshotter": (
        "{snapshotter} requests parts of a blob, and {why}.",
        "{remedy}",
    ),
}


class Problem(t.NamedTuple):
    """One thing that is wrong.

    :ivar code: stable, a key of MESSAGES.
    :ivar key: of the configuration, with its position in lists.
    :ivar reason: what goes wrong.
    :ivar remedy: what to do.
    """

    code: str
    key: str
    reason: str
    remedy: str

    @property
    def message(self) -> str:
        """Return all of it in one line, for people."""
        return f"{self.key}: {self.reason} {self.remedy} [{self.code}]"


def problem(code: str, key: str, **details: t.Any) -> Problem:
    """Return the problem of a code, with the details that its texts need."""
    reason, remedy = MESSAGES[code]
    return Problem(code, key, reason.format(**details), remedy.format(**details))
