# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems of the configurations of clients and containerd: their codes, descriptions and remedies.

docs/traps.md lists all codes, which a test checks.
"""

from __future__ import annotations

import typing as t

# code: what goes wrong, and the remedy. Values of secrets are never part of either.
MESSAGES: dict[str, tuple[str, str]] = {
    "no_such_client": (
        "this collection cannot configure release {release} of {client} (supported: {first} to {last}).",
        "Set it to the release of the client on the host. For releases after 2.3.4, use the Rust client and the role "
        "dfdaemon.",
    ),
    "no_such_server": (
        "this collection cannot configure release {release} of the {client} (supported: {first} to {last}).",
        "Set it to the release of the {client} on the host.",
    ),
    "missing_key": (
        "{client} does not start without this key.",
        "Set it.",
    ),
    "no_manager": (
        "without a manager, the scheduler receives no jobs, so preheats have no effect. Releases before 2.5.1 do not "
        "start.",
        "Set it to HOST:PORT of the manager's gRPC server. Its default port is 65003.",
    ),
    "no_jobs": (
        "the scheduler would not run jobs, so preheats have no effect.",
        "{remedy}",
    ),
    "release_lines": (
        "{client} {release} and {other} are of different release lines.",
        "Install releases of the same line.",
    ),
    "public_jwt_key": (
        "this key is published in Dragonfly's examples, so anyone can sign a login to the manager with it.",
        "Generate a key, for example with 'openssl rand -base64 32'.",
    ),
    "unreachable_address": (
        "other hosts cannot reach {address}.",
        "Set it to an address of this host that they can reach. If everything runs on one host, allow this problem.",
    ),
    "text_in_dsn": (
        "{client} does not quote it in the address of the database, where {characters} changes the meaning.",
        "Choose a value without these characters.",
    ),
    "same_redis_database": (
        "{other} uses database {number} of Redis, too. Dragonfly requires separate databases for the cache, the "
        "queues and the results of jobs.",
        "Set different numbers, such as 0, 1 and 2.",
    ),
    "redis_user_ignored": (
        "jobs of {client} {release} ignore the user and log in to Redis with the password only.",
        "Use the default user of Redis, or release 2.2.3 or later.",
    ),
    "redis_login_in_url": (
        "jobs of {client} {release} write it to a URL without proper escaping, and would log in to Redis with a wrong "
        "value.",
        "Use letters and digits only.",
    ),
    "redis_tls_without_jobs": (
        "jobs of {client} {release} connect to Redis without TLS in any case, so {client} does not start.",
        "Use Redis without TLS, in a private network or through a tunnel such as stunnel on this host.",
    ),
    "ids_of_their_own": (
        "clients before 0.1.114 compute task IDs that no other client or seed peer computes.",
        "Use release 0.1.114 or later on seed peers and hosts.",
    ),
    "unknown_key": (
        "{client} does not have this key and would silently ignore it.",
        "{hint}",
    ),
    "key_gone": (
        "{client} {release} no longer has this key and would silently ignore it.",
        "{hint}",
    ),
    "key_not_yet": (
        "{client} {release} does not have this key and would silently ignore it. It requires release {since} or later.",
        "{hint}",
    ),
    "wrong_type": (
        "{client} does not start with this value, or reads another value than intended.",
        "It must be {wanted}.",
    ),
    "bad_regex": (
        "the regular expression does not compile, so {client} does not start: {error}.",
        "Write it in the syntax of {engine}.",
    ),
    "bad_value": (
        "{client} does not start, or does not work, with this value.",
        "It must be {wanted}.",
    ),
    "missing_file": (
        "the file {path} does not exist on the host, so {client} does not start.",
        "Copy the file to the host before this role runs, or correct the path.",
    ),
    "duplicate_key": (
        "in release {release}, this is another name of {other}, which is set, too. {client} does not start.",
        "Remove one of them, preferably this one.",
    ),
    "bad_scheduler": (
        "{client} cannot use {address} as the address of a scheduler, and does not start.",
        "{hint}",
    ),
    "schedulers_ignored": (
        "with a manager, {client} gets its schedulers from the manager and ignores these.",
        "Leave them out, or do not set a manager.",
    ),
    "bad_service_option": (
        "systemd cannot read this setting of the unit as written: {error}.",
        "Correct it.",
    ),
    "no_scheduler": (
        "neither a manager nor a scheduler is set, so the client cannot join a cluster.",
        "Set {names}.",
    ),
    "filter_without_ns": (
        "containerd adds ?ns=REGISTRY to each pull through a mirror, but a preheat does not. The filter does not "
        "remove ns from the task ID, so every pull misses the preheated content.",
        "Add ns: {example}.",
    ),
    "tag_mismatch": (
        "pulls of this host have {what} {host!r}, but the preheat has {what} {preheat!r}. It is part of the "
        "task ID, so every pull misses.",
        "Use the same value for both, preferably none.",
    ),
    "blob_digest_ids": (
        "with this setting, the host's task ID is the digest of a blob. A preheat uses the URL of the blob, unless it "
        "requests digests from a manager later than 2.5.1. Every pull misses.",
        "Set it to false on all hosts. Or preheat with enable_task_id_based_blob_digest, and set the release of the "
        "manager.",
    ),
    "blob_digest_ids_missing": (
        "the preheat requested the digests of blobs as task IDs, but this host computes task IDs from URLs.",
        "Set it to true on all hosts (dfdaemon 1.1.8 or later), or preheat without enable_task_id_based_blob_digest.",
    ),
    "content_id": (
        "task IDs are computed from this header instead of the URL, so every pull misses.",
        "Remove the header.",
    ),
    "piece_length_too_small": (
        "dfdaemon rejects the piece length {value}, and containerd silently falls back to the registry.",
        "Remove the header. The smallest piece length is 4mib.",
    ),
    "seed_cannot_be_preheated": (
        "schedulers 2.3.1 and later preheat seed peers through a protocol that the Go client does not support. Jobs "
        "end with SUCCESS, but nothing is cached.",
        "Use the Rust client for seed peers of this cluster (role dfdaemon).",
    ),
    "trailing_slash": (
        "the Rust client appends the path to this address, so a trailing slash results in //v2/... and every pull "
        "fails or misses.",
        "Remove the slash.",
    ),
    "static_mirror": (
        "unless this is true, the client ignores the header X-Dragonfly-Registry and requests the images of every "
        "registry from proxy.registryMirror.url. containerd then silently falls back to the registry.",
        "Set it to true.",
    ),
    "no_mirror": (
        "without a registry mirror, the proxy responds to containerd with 404, and containerd silently falls back to "
        "the registry.",
        "Set it to the base URL of the most used registry.",
    ),
    "mirror_serves_no_images": (
        "{url} serves no images, so the client cannot request the images of a pull that names no registry.",
        "Set it to https://index.docker.io.",
    ),
    "proxy_off": (
        "no port is set, so the client starts without its proxy.",
        "Set it to a port, such as 65001.",
    ),
    "not_p2p": (
        "pulls of blobs bypass the peers: {why}.",
        "{remedy}",
    ),
    "rewritten_url": (
        "this changes the URL before the task ID is computed, so blobs that match the rule miss the preheated content.",
        "Preheat the resulting URL and allow this problem, or remove the rule.",
    ),
    "redirect_invalid": (
        "the Rust client supports only HOST or HOST:PORT here. It responds to blobs that match the rule with an error, "
        "and the runtime silently pulls them from the registry.",
        "Write HOST or HOST:PORT. Without a redirect, remove the key: an empty text is not valid either.",
    ),
    "open_proxy": (
        "the proxy listens on {address} and serves everyone who can reach the host.",
        "Listen on 127.0.0.1. Or set basicAuth and send it in the headers of the mirrors (of hosts.toml), as "
        "Proxy-Authorization to the Go client, as Authorization to the Rust client.",
    ),
    "exits_when_idle": (
        "the daemon exits after this idle time (5m if it is not set).",
        "Set it to 0s.",
    ),
    "storage_not_kept": (
        "a restart of the daemon deletes the preheated content on this host.",
        "Set it to true.",
    ),
    "no_reuse": (
        "the client downloads blobs again for each pull, even if this host already holds them.",
        "Set it to true.",
    ),
    "bad_strategy": (
        "the daemon does not start with this value. It supports {known} (the documentation of 2.0.9 and 2.1 shows a "
        "value with a trailing dot).",
        "Remove the key.",
    ),
    "expires_too_soon": (
        "preheated content is evicted {expiry} s after its last use, but a preheat counts as warm for {max_age} s "
        "(its max_age).",
        "Raise it above max_age of the preheat.",
    ),
    "rate_limit_too_low": (
        "the daemon does not start with less than 20 MiB per second.",
        "Set it to 20Mi or more.",
    ),
    "request_rate_too_low": (
        "above {limit} requests per second, the proxy responds with 429, and containerd silently falls back to the "
        "registry. Parallel pulls reach this limit.",
        "Use the default of 4000, or at least a value above 100.",
    ),
    "port_clash": (
        "{other} uses port {port}, too, so the daemon does not start.",
        "Use a different port for each listener.",
    ),
    "port_taken": (
        "another program listens on {address} of this host, so the daemon does not start.",
        "Use another port, or stop that program.",
    ),
    "port_drifts": (
        "with a range, the daemon silently uses the next port if the first one is in use, but the mirrors keep using "
        "the first one.",
        "Set the port to a single number.",
    ),
    "registry_header": (
        "the role sets X-Dragonfly-Registry to the base URL of the registry.",
        "Remove the header, and set the URL of the registry.",
    ),
    "no_containerd": (
        "this host has neither the program, nor the unit, nor the socket of containerd.",
        "Run this on the hosts that pull, with become: true.",
    ),
    "unknown_containerd": (
        "this collection does not know the containerd that runs on this host. It was started with {config}{error}.",
        "Set the path to its configuration: containerd_mirrors_config_path in the role, containerd_config in "
        "preheat_hit_info.",
    ),
    "config_unknown": (
        "the configuration with which the unit {unit} starts containerd is unknown: {error}.",
        "Set the path to the file: containerd_mirrors_config_path in the role, containerd_config in preheat_hit_info.",
    ),
    "settings_unknown": (
        "the settings with which {distribution} starts are unknown, and so is the path of registries.yaml: {error}.",
        "Run the task with become: true. Write private-registry and data-dir to config.yaml as one line each, "
        "KEY: /PATH, and let the unit start {distribution} directly.",
    ),
    "config_unreadable": (
        "the file cannot be read: {error}.",
        "Run the task with become: true.",
    ),
    "tomlkit_missing": (
        "the role must change this file, which requires the Python library tomlkit on the controller: {error}.",
        "Run pip install tomlkit in the environment of Ansible.",
    ),
    "config_rejected": (
        "containerd rejects its configuration: {error}.",
        "Run the command on the host, and correct what it reports.",
    ),
    "config_version": (
        "containerd {release} does not read version {version} of its configuration.",
        "Write version = {newest} with its names of plugins, or upgrade containerd.",
    ),
    "import_missing": (
        "{importer} imports it, but it does not exist, so containerd does not start.",
        "Remove it from imports, or create it.",
    ),
    "import_version": (
        "version {version} is newer than version {main} of {importer}, so containerd 2.3 and later does not start.",
        "Use the same version in both files.",
    ),
    "import_wins": (
        "{importer} imports this file, whose settings {how} those of {importer}, so containerd ignores config_path "
        "there.",
        "Set config_path = {wanted} in [plugins.{plugin}.registry] of this file, or move its tables to {importer}.",
    ),
    "import_unclear": (
        "it sets {plugin}, as {importer} does. Releases of containerd differ in which of them takes effect, and the "
        "release on this host is unknown.",
        "Set {plugin} in one file only, or ensure that the program containerd can run on the host.",
    ),
    "auth_not_for_mirror": (
        "it contains credentials for {registry}, which containerd does not send to the mirror {mirror}. Without pull "
        "secrets of Kubernetes, pulls through Dragonfly are anonymous, are denied, and fall back to the registry.",
        'Set configs."{mirror}".auth, too (containerd_mirrors_username and containerd_mirrors_password of the role).',
    ),
    "auth_for_several": (
        "containerd would send these credentials to each of these registries through {mirror}: {names}.",
        "Set credentials only if a single registry has a mirror. For several registries, use pull secrets of "
        "Kubernetes.",
    ),
    "distribution_config": (
        "{distribution} writes this file whenever it starts, and no setting in it enables mirrors.",
        "{remedy}",
    ),
    "registries_foreign": (
        "this role did not write the file, and the file does not send pulls of {names} to {proxy}.",
        "Write this to it, and restart {distribution}:\n{content}",
    ),
    "hosts_toml_unused": (
        "containerd does not use the file, so it pulls directly from the registry: {error}.",
        'Correct it: each host needs a table [host."URL"] with capabilities = ["pull", "resolve"].',
    ),
    "default_without_registry": (
        "containerd uses this file for every registry. Without X-Dragonfly-Registry, {client} does not know the "
        "registry of a request: {why}.",
        "List the registries in containerd_mirrors_registries instead.",
    ),
    "header_lost": (
        "{distribution} writes hosts.toml from this file, without headers, so {why}.",
        "Set containerd_mirrors_certs_dir to {certs_dir}. {distribution} keeps other files in it (k3s 1.28.14, "
        "1.29.9, 1.30.5 and later) if registries.yaml does not contain their registries.",
    ),
    "toml_invalid": (
        "the file is not valid: {error}.",
        "Correct the file. Most releases of containerd do not start with it.",
    ),
    "key_case": (
        "releases of containerd differ in whether they read this key as {wanted}.",
        "Write it as {wanted}, or ensure that the program containerd can run on the host.",
    ),
    "config_version_1": (
        "the file has version 1 or no version. Its names of plugins differ.",
        "Migrate it (run containerd config migrate, or write version = 2 with the full names of the plugins).",
    ),
    "cri_disabled": (
        "{plugin} is disabled, so the kubelet and crictl cannot pull with these mirrors.",
        "Remove it from disabled_plugins. If only ctr or nerdctl pull images, allow this problem.",
    ),
    "mirrors_in_use": (
        "containerd does not load its CRI plugin with both mirrors and config_path, and the file has mirrors of "
        "{names}.",
        "Move them to containerd_mirrors_registries, and delete the tables.",
    ),
    "tls_in_use": (
        "containerd does not load its CRI plugin with both configs.*.tls and config_path.",
        "Move the settings to containerd_mirrors_server_options (ca, client, skip_verify), and delete the table.",
    ),
    "other_config_path": (
        "containerd reads its mirrors from {path}, not from {wanted}.",
        "Set containerd_mirrors_certs_dir to that directory, or delete config_path.",
    ),
    "registries_conf_rejected": (
        "podman, CRI-O, Buildah and Skopeo reject the file, and every pull fails: {error}.",
        "Correct the file, or move it away.",
    ),
    "registries_conf_ambiguous": (
        "the key {name} occurs in upper and in lower case, and podman, CRI-O, Buildah and Skopeo use either at random.",
        "Delete one of them.",
    ),
    "login_not_for_mirror": (
        "it contains credentials for {registry}, which podman and CRI-O do not send to the mirror {mirror}. The pull "
        "from the mirror is anonymous, is denied, and silently goes to the registry.",
        "Log in to {mirror}, too, with the credentials of the registry.",
    ),
    "no_such_runtime": (
        "{runtime} is not installed on this host.",
        "Set the runtime that pulls (runtime, preheat_runtime), or install it.",
    ),
    "registry_not_served": (
        "podman and CRI-O do not send the name of the registry to the client, which requests {served}. Pulls of "
        "{registry} require {wanted}.",
        "Set it to {wanted}, or remove {registry} from registries_conf_registries. A client serves a single registry "
        "to these runtimes.",
    ),
    "proxy_url": (
        "the proxy of the client speaks plain HTTP at a port of its own, and {proxy} is not http://HOST:PORT, so pulls "
        "would miss it.",
        "Set it to a URL such as http://127.0.0.1:{port}.",
    ),
    "no_client_config": (
        "the client {client} is not configured on this host, so the registry that its proxy requests is unknown.",
        "Run the role of the client first, or set registries_conf_registry_mirror.",
    ),
    "registries_conf_taken": (
        "it has an entry for {prefix}, so pulls of {registry} would use {which}.",
        "Remove the entry. The role writes location and mirror, and insecure for an http:// URL and for "
        "registries_conf_insecure_registries.",
    ),
    "registries_conf_of_root": (
        "it replaces {main} and its drop-ins for pulls of root.",
        "Move its content to {main}, and delete it.",
    ),
    "drop_in_foreign": (
        "this role did not write the file.",
        "Move it away, or set registries_conf_drop_in to another name.",
    ),
    "parallel_fetch": (
        "with this setting, containerd requests parts of a blob, and {why}.",
        "{remedy}",
    ),
    "lazy_snapshotter": (
        "{snapshotter} requests parts of a blob, and {why}.",
        "{remedy}",
    ),
}


#: Codes of problems with which a client does not start.
PREVENT_START = frozenset(
    ["bad_regex", "bad_strategy", "bad_value", "no_scheduler", "port_clash", "rate_limit_too_low", "wrong_type"]
)


class Problem(t.NamedTuple):
    """A problem of a configuration.

    :ivar code: stable, a key of MESSAGES.
    :ivar key: of the configuration, with its position in lists; empty if it is not about a key.
    :ivar description: what goes wrong.
    :ivar remedy: what to do.
    :ivar suggestion: similar valid key if this one is unknown, or empty.
    :ivar file: path on the host; empty for the one that a role is going to write.
    :ivar variable: variable of the role that sets the key, or empty.
    """

    code: str
    key: str
    description: str
    remedy: str
    suggestion: str = ""
    file: str = ""
    variable: str = ""

    @property
    def where(self) -> str:
        """Return file and key."""
        return f"{self.file} {self.key}".strip()

    @property
    def message(self) -> str:
        """Return the problem in one line."""
        where = f"{self.where} ({self.variable})" if self.variable else self.where
        return f"{where}: {self.description} {self.remedy} [{self.code}]"


def problem_dicts(problems: t.Iterable[Problem], allowed: t.Container[str] = ()) -> list[dict[str, t.Any]]:
    """Return problems in the format of filters, without duplicates and without allowed codes."""
    unique = dict.fromkeys(not_allowed(problems, allowed))
    values = ("code", "description", "remedy", "suggestion", "message")
    return [{"key": each.where, **{name: getattr(each, name) for name in values}} for each in unique]


def not_allowed(problems: t.Iterable[Problem], allowed: t.Container[str]) -> list[Problem]:
    """Return the problems whose codes are not allowed."""
    return [problem for problem in problems if problem.code not in allowed]


def problem(code: str, key: str = "", suggestion: str = "", file: str = "", **details: t.Any) -> Problem:
    """Return the problem of a code, with the details in its texts."""
    description, remedy = MESSAGES[code]
    return Problem(code, key, description.format(**details), remedy.format(**details), suggestion, file)
