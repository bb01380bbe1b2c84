# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reasons why pulls miss: a code, the file and key, and the remedy."""

from __future__ import annotations

import typing as t

from .._config.messages import MESSAGES, Problem

#: Cause and remedy by code, in addition to ``_config.messages.MESSAGES``.
MISSES: dict[str, tuple[str, str]] = {
    "unreadable": (
        "the file cannot be read: {error}.",
        "{hint}",
    ),
    "url_invalid": (
        "{value!r} does not result in a valid URL: {error}.",
        "Correct it.",
    ),
    "no_such_image": (
        "the registry has no such image: {error}.",
        "Correct the reference, or push the image.",
    ),
    "https_proxy": (
        "the mirror is {proxy}, but the client's proxy speaks plain HTTP, so containerd silently falls back to the "
        "registry.",
        "Write http:// (containerd_mirrors_proxy).",
    ),
    "config_path_elsewhere": (
        "config_path is set for the plugin {actual}, but with version {version} of the file containerd reads {wanted}.",
        "Set it there. The role containerd_mirrors does.",
    ),
    "config_path_not_set": (
        "containerd has no directory with mirrors, so it pulls directly from the registry.",
        "Set config_path to /etc/containerd/certs.d and restart containerd. The role containerd_mirrors does both.",
    ),
    "config_path_not_split": (
        "containerd 2.1 and later treats {path} as the name of one directory, which does not exist, so it pulls "
        "directly from the registry.",
        "Set config_path to one directory, such as /etc/containerd/certs.d, and restart containerd. The role "
        "containerd_mirrors does both.",
    ),
    "no_mirror_for_registry": (
        "{registry} has no mirror, so containerd pulls directly from the registry.",
        "Add it to containerd_mirrors_registries. A directory of the registry that contains only its certificate, "
        "without hosts.toml, hides _default.",
    ),
    "hosts_toml_unclear": (
        "releases of containerd read the file differently, and the release on this host is unknown.",
        "Run the check with become: true, and install containerd where its unit or PATH names it; or write only keys"
        " and values that every release reads.",
    ),
    "certificate_unusable": (
        "containerd cannot load {path}: {error}. Every pull of the registry fails, whichever of its hosts refers to "
        "the file.",
        "Write the file, or remove the key. If it exists, run the check with become: true.",
    ),
    "mirror_cannot_pull": (
        "no host in the file has the capability to pull, so containerd pulls directly from the registry.",
        'Give the client\'s host the capabilities ["pull", "resolve"].',
    ),
    "other_mirror_first": (
        "pulls go to {first} first, and to the Dragonfly client only if that fails.",
        "Put the client's host before the others.",
    ),
    "wrong_port": (
        "the mirror is {proxy}, where no Dragonfly client of this host listens: {listening}.",
        "Set the address of the client's proxy (containerd_mirrors_proxy, registries_conf_proxy).",
    ),
    "no_login": (
        "with this setting, {client} responds with {status} to a pull without the header {header}, and the pull "
        "silently goes to the registry.",
        "Remove the setting and let the proxy listen on 127.0.0.1, or send {header} with the mirror "
        "(containerd_mirrors_headers).",
    ),
    "no_client": (
        "this host has no Dragonfly client: none of {files} exists.",
        "Set up a client with the role dfget or dfdaemon. If its file is elsewhere, such as beside a container, name "
        "it in dfget_config or dfdaemon_config.",
    ),
    "not_running": (
        "the unit {unit} is {state}, and pulls silently go to the registry.",
        "Check journalctl -u {unit}, and start it.",
    ),
    "unit_unknown": (
        "it is unknown whether {unit} runs with this file: {error}.",
        "Run the check with become: true, and check that systemctl show {unit} works on the host. If the unit starts a "
        "script, set dfget_config or dfdaemon_config to the client's file.",
    ),
    "restart_needed": (
        "the file was written {seconds} s after {unit} started, so the unit still runs with its earlier configuration.",
        "Restart {unit}. Content that was preheated to this host is lost unless its storage is kept.",
    ),
    "base_differs": (
        "this host requests {host}, but the preheat used {preheat}.",
        "Use the same base URL for both: the option registries of preheat, and containerd_mirrors_registries.",
    ),
    "mirror_serves_another": (
        "podman and CRI-O do not send the name of the registry to the proxy, which requests {host}. The preheat used "
        "{preheat}.",
        "Set it to {preheat}. A client serves a single registry to these runtimes.",
    ),
    "runtime_ambiguous": (
        "this host has containerd and {names}, whose pulls use different configurations.",
        "Set the option runtime (in the role preheat: preheat_runtime) to the one that pulls the images.",
    ),
    "registries_conf_no_mirror": (
        "there is no mirror of {registry}, so {runtime} pulls from the registry.",
        "Add it to registries_conf_registries of the role registries_conf.",
    ),
    "mirror_not_for_tags": (
        "the mirrors are {by}, so {runtime} pulls this image from the registry.",
        "Remove mirror-by-digest-only and pull-from-mirror.",
    ),
    "location_not_usable": (
        "{runtime} cannot pull the image, because a location turns its name into {name}, which is not a name of the "
        "form HOST[:PORT]/REPOSITORY.",
        "Correct the location. The location docker.io requires a repository with a slash, such as library/nginx.",
    ),
    "mirror_blocked": (
        "the prefix {prefix} is blocked, and with it the mirror {mirror}, so {runtime} silently pulls from the "
        "registry.",
        "Remove the entry, or its setting blocked.",
    ),
    "mirror_not_insecure": (
        "the mirror {mirror} does not have insecure = true, but the client's proxy uses plain HTTP, so {runtime} "
        "silently pulls from the registry.",
        "Set it. The role registries_conf does so.",
    ),
    "registry_header_empty": (
        "the header is empty, so the client responds with an error, and containerd silently falls back to the "
        "registry.",
        "Set it to the base URL of the registry, or remove it.",
    ),
    "base_inferred": (
        "the file does not set X-Dragonfly-Registry, so the client takes {host} from containerd's ns, but the "
        "preheat used {preheat}.",
        "Add the header X-Dragonfly-Registry with {preheat}. The role containerd_mirrors does.",
    ),
    "base_inferred_by_default": (
        "the client takes {host} from containerd's ns, but the preheat used {preheat}. A header in "
        "_default/hosts.toml would send the pulls of every other registry there, too.",
        "Add the registry to containerd_mirrors_registries, which gives it a directory with the header "
        "X-Dragonfly-Registry.",
    ),
    "blob_digest_ids_unknown": (
        "this host or the preheat may use the digests of blobs as task IDs, and it is unknown whether the other does, "
        "too.",
        "Pass jobs with their args, or set manager_release.",
    ),
    "snapshotter_unknown": (
        "it is unknown whether the snapshotter {snapshotter} requests parts of blobs when containers read them, which "
        "bypasses the preheated content.",
        "Use overlayfs, or verify with a pull that the client's metrics count it.",
    ),
    "range_in_every_request": (
        "containerd 2.1.0 to 2.1.2 sends Range: bytes=0- with every request. The Go client includes it in the task "
        "ID, so every pull misses.",
        "Upgrade containerd to 2.1.3 or later.",
    ),
    "range_header": (
        "the header requests a part of each blob. The Go client includes it in the task ID, so every pull misses.",
        "Remove the header.",
    ),
    "path_differs": (
        "this host requests {host}, but the preheat used {preheat}: repository or prefix differ.",
        "Use the same base URL with the same prefix for both.",
    ),
    "query_left": (
        "{query!r} remains in the URL from which the task ID is computed, but a preheat has no query.",
        "Add its names to the filter.",
    ),
    "recipes_differ": (
        "on this host, {host_client} {host_release} computes other task IDs than {seed} on the seed peers, so every "
        "pull misses.",
        "Run the same kind and release line of the client on seed peers and hosts.",
    ),
    "cold": (
        "the preheat did not cache {count} of the blobs.",
        "Run the preheat again. Its result contains the reason.",
    ),
    "ids_differ": (
        "the task IDs of host and preheat differ for an unknown reason.",
        "Run the check with probe: true, and report the result with the host's configuration.",
    ),
    "probe_failed": (
        "the proxy at {proxy} did not respond to the probe: {error}.",
        "Check that the client runs and listens there.",
    ),
    "probe_impossible": (
        "the probe could not be sent, because no blob of the image is known: {why}.",
        "Make the manifest readable (registries, registry_username), or run the check without the probe.",
    ),
    "probe_no_task": (
        "the proxy responded to the probe with {status} and without a task ID, so the request did not go through "
        "Dragonfly.",
        "Compare the running configuration with the file, and restart the client.",
    ),
    "probe_differs": (
        "the running client requested task {actual}, but its files result in {expected}: it runs with another "
        "configuration.",
        "Restart the client.",
    ),
}

#: Notes by code, for hosts that hit or miss.
NOTES: dict[str, str] = {
    "release_unknown": "The release of {program} could not be read. The module assumes {assumed}.",
    "small_blobs": (
        "dfdaemon 1.4.2 and later fetches blobs of up to 4 MiB from the registry, even if they were preheated, unless "
        "proxy.disableBackToSource is true."
    ),
    "lazy_runtime": (
        "Pods of a runtime class with the handler {runtime} use the snapshotter {snapshotter}, which may request parts "
        "of blobs. Such requests miss the preheated content. The result applies to all other pods."
    ),
    "keeps": "As a seed peer, this host keeps preheated content for {seconds} s after its last use ({key}).",
    "not_warm_yet": (
        "No content of {image} is known to be warm, because its job is {outcome}. The result applies once it is warm."
    ),
    "unknown_blobs": "The blobs are unknown ({why}). The result is based on one representative blob.",
    "address_assumed": "The module assumes that {proxy} is the client of this host, which listens on {address}.",
    "seed_assumed": (
        "The module assumes that the seed peers run {client} {release}, as this host does (see seed_client, "
        "seed_release)."
    ),
    "reload_unknown": (
        "{files}: written after CRI-O started. It is unknown whether CRI-O was reloaded since. If not, run systemctl "
        "reload crio."
    ),
    "probe_denied": (
        "The proxy responded to the probe with {status} and without a task ID, so the probe proves nothing. The "
        "proxy or the registry requires credentials that the probe does not send."
    ),
    "probe_skipped": "The probe was skipped: {why}.",
}


class Reason(t.NamedTuple):
    """Why a host misses.

    Another class than ``Problem``, which is about one configuration that a role is going to write, and so needs neither
    a file nor a sentence that stands by itself. ``reason_from_problem`` turns that into this.

    :ivar code: stable, a key of MISSES or of ``_config.messages.MESSAGES``.
    :ivar file: path on the host; empty if it is not about a file.
    :ivar key: in the file; empty if it is not about a key.
    :ivar cause: why it misses.
    :ivar remedy: remedy.
    """

    code: str
    file: str
    key: str
    cause: str
    remedy: str

    @property
    def message(self) -> str:
        """The complete message."""
        where = ": ".join(part for part in (self.file, self.key) if part)
        text = f"{self.cause} {self.remedy}"
        return f"{where}: {text}" if where else text[0].upper() + text[1:]


def reason(code: str, file: str = "", key: str = "", **values: t.Any) -> Reason:
    """Return the reason of a code, with the values in its texts."""
    cause, remedy = MISSES.get(code) or MESSAGES[code]
    return Reason(code, file, key, cause.format(**values), remedy.format(**values))


def reason_from_problem(problem: Problem, file: str = "") -> Reason:
    """Return what a check of a configuration says as a reason.

    :param file: path of the configuration on the host, if the problem does not name it.
    """
    path = problem.file or file
    # Without a file, as if there is no containerd, the key is not that of a file.
    return Reason(problem.code, path, problem.key if path else "", problem.description, problem.remedy)


def note(code: str, **values: t.Any) -> str:
    """Return the note of a code, with the values in its text."""
    return NOTES[code].format(**values)
