# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes pulls miss: a code, the file and the key that decide, and what to do.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config.messages import MESSAGES, Problem

#: Code: what makes a pull miss, and the remedy; beside those of ``_config.messages.MESSAGES``.
MISSES: dict[str, tuple[str, str]] = {
    "unreadable": (
        "the file cannot be read: {error}.",
        "{hint}",
    ),
    "no_such_image": (
        "the registry has no such image: {error}.",
        "Correct the reference, or push the image.",
    ),
    "https_proxy": (
        "it points to {proxy}, while the client's proxy speaks plain HTTP, so containerd silently falls back to the"
        " registry.",
        "Write http:// (containerd_mirrors_proxy).",
    ),
    "config_path_elsewhere": (
        "config_path is set for the plugin {actual}, while with version = {version} containerd reads {wanted}.",
        "Set it there; the role containerd_mirrors does.",
    ),
    "config_path_not_set": (
        "no folder with mirrors is set for containerd, so it pulls straight from the registry.",
        "Set config_path to /etc/containerd/certs.d and restart containerd; the role containerd_mirrors does.",
    ),
    "config_path_not_split": (
        "containerd from 2.1 on takes {path} for the name of one folder, which does not exist, so it pulls straight"
        " from the registry.",
        "Set config_path to one folder, such as /etc/containerd/certs.d, and restart containerd; the role"
        " containerd_mirrors does.",
    ),
    "no_mirror_for_registry": (
        "there is no mirror of {registry}, so containerd pulls straight from the registry.",
        "Add it to containerd_mirrors_registries.",
    ),
    "hosts_toml_unused": (
        "containerd does not use it, so it pulls straight from the registry: {error}.",
        'Correct it: each host needs a table [host."URL"], with capabilities = ["pull", "resolve"].',
    ),
    "mirror_cannot_pull": (
        "no host in it may pull (capabilities), so containerd pulls straight from the registry.",
        'Give the client\'s host the capabilities ["pull", "resolve"].',
    ),
    "other_mirror_first": (
        "pulls go to {first} first, and to the Dragonfly client only where that fails.",
        "Put the client's host before the others.",
    ),
    "wrong_port": (
        "it points to {proxy}, where no Dragonfly client of this host listens: {listening}.",
        "Write the address of the client's proxy (containerd_mirrors_proxy, registries_conf_proxy).",
    ),
    "no_login": (
        "with this set {client} answers a pull without the header {header} with {status}, and the pull silently goes to"
        " the registry.",
        "Leave it out and let the proxy listen on 127.0.0.1; or send {header} with the mirror"
        " (containerd_mirrors_headers).",
    ),
    "no_client": (
        "there is no Dragonfly client on this host: neither {files} was found.",
        "Set one up with the role dfget or dfdaemon.",
    ),
    "not_running": (
        "the unit {unit} is {state}, and pulls silently go to the registry.",
        "See journalctl -u {unit}, and start it.",
    ),
    "unit_unknown": (
        "systemd cannot be queried for {unit} ({error}), so it is not known whether it runs, and with this file.",
        "Run this with become: true, and see whether systemctl show {unit} works on the host.",
    ),
    "restart_needed": (
        "the file was written {seconds} s after {unit} started, which still runs with what was there before.",
        "Restart {unit}; what was preheated to this very host is then lost unless its storage is kept.",
    ),
    "base_differs": (
        "this host requests {host}, while the preheat used {preheat}.",
        "Give both the same base URL: the option registries of preheat, and containerd_mirrors_registries.",
    ),
    "mirror_serves_another": (
        "podman and CRI-O name no registry to the proxy, which requests {host}, while the preheat used {preheat}.",
        "Set it to {preheat}; a client serves a single registry to these runtimes.",
    ),
    "runtime_ambiguous": (
        "this host has containerd and {names}, whose pulls go different ways.",
        "Name the one that pulls the images: runtime, or preheat_runtime of the role preheat.",
    ),
    "registries_conf_no_mirror": (
        "no mirror is configured for {registry}, and {runtime} pulls straight from the registry.",
        "Add it to registries_conf_registries of the role registries_conf.",
    ),
    "mirror_not_for_tags": (
        "the mirrors are {by}, and {runtime} pulls this image straight from the registry.",
        "Remove mirror-by-digest-only and pull-from-mirror.",
    ),
    "mirror_blocked": (
        "the prefix {prefix} is blocked, and with it the mirror {mirror}: {runtime} silently pulls from the registry.",
        "Remove the entry, or blocked in it.",
    ),
    "mirror_not_insecure": (
        "the mirror {mirror} lacks insecure = true, while the client's proxy speaks plain HTTP: {runtime} silently"
        " pulls from the registry.",
        "Add it; the role registries_conf does.",
    ),
    "base_inferred": (
        "it does not set X-Dragonfly-Registry, so the client takes {host} from containerd's ns, while the preheat"
        " used {preheat}.",
        "Add the header X-Dragonfly-Registry with {preheat}; the role containerd_mirrors does.",
    ),
    "base_inferred_by_default": (
        "the client takes {host} from containerd's ns, while the preheat used {preheat}; a header here would "
        "send the pulls of every other registry there, too.",
        "Give the registry a folder of its own, with the header X-Dragonfly-Registry: add it to"
        " containerd_mirrors_registries.",
    ),
    "blob_digest_ids_unknown": (
        "this host or the preheat may use task IDs that are digests of blobs, and it is not known whether the other"
        " does.",
        "Give jobs with their args, or manager_release.",
    ),
    "range_in_every_request": (
        "containerd 2.1.0 to 2.1.2 sends Range: bytes=0- with every request, which is part of the Go client's task"
        " ID, so every pull misses.",
        "Upgrade containerd to 2.1.3 or later.",
    ),
    "range_header": (
        "the header requests a part of each blob, which is part of the Go client's task ID, so every pull misses.",
        "Leave the header out.",
    ),
    "path_differs": (
        "this host requests {host}, while the preheat used {preheat}: repository or prefix differ.",
        "Give both the same base URL with the same prefix.",
    ),
    "query_left": (
        "of the query {query!r} is left in the URL that the task ID is computed from; a preheat has none.",
        "Add its names to the filter.",
    ),
    "recipes_differ": (
        "on this host {host_client} {host_release} computes other task ids than {seed} on the seed peers, so every"
        " pull misses.",
        "Run clients of one kind and line of releases on seed peers and hosts.",
    ),
    "cold": (
        "the preheat did not warm {count} of the blobs.",
        "Run the preheat again; its result says why.",
    ),
    "ids_differ": (
        "the task ids of host and preheat differ, and nothing that is known here explains it.",
        "Run this with probe: true, and report it with the host's configuration.",
    ),
    "probe_failed": (
        "the proxy at {proxy} did not answer the probe: {error}.",
        "See whether the client runs and listens there.",
    ),
    "probe_impossible": (
        "the requested probe could not be sent, because no blob of the image is known: {why}.",
        "See to it that its manifest can be read (registries, registry_username), or leave the probe out.",
    ),
    "probe_no_task": (
        "the proxy answered the probe with {status} and without a task id, so the request did not go through"
        " Dragonfly.",
        "Compare the running configuration with the file; restart the client.",
    ),
    "probe_differs": (
        "the running client requested task {actual}, while its files yield {expected}: it runs with another"
        " configuration.",
        "Restart the client.",
    ),
}

#: Code: what a user should know although the host hits.
NOTES: dict[str, str] = {
    "release_unknown": "the release of {program} could not be read; {assumed} is assumed.",
    "small_blobs": (
        "dfdaemon from 1.4.2 on fetches blobs up to 4 MiB from the registry, preheated or not, unless"
        " proxy.disableBackToSource is true."
    ),
    "keeps": "As a seed peer this host keeps what was preheated for {seconds} s after its last use ({key}).",
    "not_warm_yet": "Of {image} nothing is known to be warm: its job is {outcome}. This is about the time when it is.",
    "unknown_blobs": "The blobs are not known ({why}): this is judged by a blob that stands for them.",
    "address_assumed": "{proxy} is taken to be the client of this host, which listens on {address}.",
    "seed_assumed": (
        "The seed peers are taken to run {client} {release}, as this host does (see seed_client, seed_release)."
    ),
    "reload_unknown": (
        "{files}: written after CRI-O started. Whether CRI-O was reloaded since is not known: systemctl reload crio."
    ),
    "probe_denied": "The registry wants credentials for the probe ({status}), so it shows only the task id.",
    "probe_skipped": "The probe was left out: {why}.",
}


class Reason(t.NamedTuple):
    """Why a host misses.

    Another class than ``Problem``, which is about one configuration that a role is going to write, and so needs neither
    a file nor a sentence that stands by itself. ``reason_from_problem`` turns that into this.

    :ivar code: stable, a key of MISSES or of ``_config.messages.MESSAGES``.
    :ivar file: path on the host; empty if no file is to blame.
    :ivar key: in the file; empty if no key is to blame.
    :ivar cause: what makes it miss.
    :ivar remedy: what to do.
    """

    code: str
    file: str
    key: str
    cause: str
    remedy: str

    @property
    def message(self) -> str:
        """All of it, for people."""
        where = ": ".join(part for part in (self.file, self.key) if part)
        text = f"{self.cause} {self.remedy}"
        return f"{where}: {text}" if where else text[0].upper() + text[1:]


def reason(code: str, file: str = "", key: str = "", **values: t.Any) -> Reason:
    """Return the reason of a code, with the values that its texts name."""
    cause, remedy = MISSES.get(code) or MESSAGES[code]
    return Reason(code, file, key, cause.format(**values), remedy.format(**values))


def reason_from_problem(problem: Problem, file: str = "") -> Reason:
    """Return what a check of a configuration says as a reason.

    :param file: path of the configuration on the host; empty if the problem's key begins with it.
    """
    path, _space, key = (file, "", problem.key) if file else problem.key.partition(" ")
    # Where there is no containerd there is no file.
    path = path if "." in path else ""
    return Reason(problem.code, path, key, problem.reason, problem.remedy)


def note(code: str, **values: t.Any) -> str:
    """Return the note of a code, with the values that its text names."""
    return NOTES[code].format(**values)
