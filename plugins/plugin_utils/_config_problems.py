# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a client's configuration: what keeps the daemon from starting, and what makes every pull a silent
miss.

Nothing here touches a host: the configuration, the releases and what is known of the host and of the preheat come in as
arguments, problems come out. docs/traps.md lists every problem; a test holds it to this file.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._releases import FIRST_WITHOUT_GO_SEEDS
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils import _client_config as schema
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._config_values import (
    is_loopback,
    parse_bytes,
    parse_duration,
    pattern_error,
    value_error,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.plugin_utils._regex import first_match

#: Releases of the manager whose preheat cannot use the ids of blob digests (dragonfly pull request 4975 came after it).
_LAST_WITHOUT_BLOB_IDS = (2, 5, 1)
_GO_STRATEGIES = ("io.d7y.storage.v2.simple", "io.d7y.storage.v2.advance")
_MIN_RATE = 20 * 1024 * 1024
_MIN_REQUEST_RATE = 100
_DOCKER_HUB = "https://index.docker.io"
# What the Rust client may find empty: Option in dragonfly-client-config/src/dfdaemon.rs, and every mapping.
_RUST_OPTIONAL_TYPES = ("ip", "file")
_RUST_OPTIONAL_KEYS = frozenset(
    """
backend.requestHeader host.idc host.location host.schedulerClusterID proxy.rules[].redirect tracing.addr
tracing.endpoint tracing.path tracing.protocol
""".split()
)

# code: what goes wrong, and the cure. Values of secrets are never part of either.
MESSAGES: dict[str, tuple[str, str]] = {
    "no_such_client": (
        "there is no {client} of release {release} that this role could configure ({first} to {last} are known).",
        "Name the release of the client that is on the host; after 2.3.4 that is the Rust client, role dfdaemon.",
    ),
    "ids_of_their_own": (
        "clients before 0.1.114 compute task ids that no other client or seed computes.",
        "Use release 0.1.114 or later on seeds and hosts.",
    ),
    "unknown_key": (
        "{client} has no such key and would ignore it without a word.",
        "{hint}",
    ),
    "key_gone": (
        "{client} {release} no longer has this key and would ignore it without a word.",
        "{hint}",
    ),
    "key_not_yet": (
        "{client} {release} does not have this key yet and would ignore it without a word: it came with {since}.",
        "{hint}",
    ),
    "wrong_type": (
        "{client} cannot read this value and would not start.",
        "It must be {wanted}.",
    ),
    "bad_regex": (
        "the regular expression does not compile, so that {client} would not start: {error}.",
        "Write it in the syntax of {engine}.",
    ),
    "bad_value": (
        "{client} would not start with this value.",
        "It must be {wanted}.",
    ),
    "missing_file": (
        "the host has no file {path}, so that {client} would not start.",
        "Put the file there before this role runs, or correct the path.",
    ),
    "no_scheduler": (
        "neither a manager nor a scheduler is named, so that the client cannot join a cluster.",
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
        "with this flag the host's task id is the bare digest of a blob, while a preheat by a manager up to 2.5.1 uses "
        "the blob's URL, so every pull misses.",
        "Set it to false on all hosts.",
    ),
    "seed_cannot_be_preheated": (
        "schedulers from 2.3.1 on preheat seeds through a protocol that the Go client lacks: the job ends SUCCESS with "
        "nothing warmed.",
        "Use the role dfdaemon for seeds of this cluster.",
    ),
    "trailing_slash": (
        "the Rust client appends the path to this address as it is, so that a trailing slash makes it //v2/... and "
        "every pull fails or misses.",
        "Leave the slash out.",
    ),
    "static_mirror": (
        "the header X-Dragonfly-Registry is ignored unless this is true, so that images of every registry are asked "
        "for at proxy.registryMirror.url; containerd then falls back to the registry without a word.",
        "Set it to true.",
    ),
    "no_mirror": (
        "without a registry mirror the proxy answers containerd with 404, and containerd falls back to the registry "
        "without a word.",
        "Set it to the base URL of the registry that is used most.",
    ),
    "proxy_off": (
        "no port is set, so that the client starts without its proxy.",
        "Set it to a port, as 65001.",
    ),
    "not_p2p": (
        "pulls of blobs go straight to the registry: {why}.",
        "{cure}",
    ),
    "rewritten_url": (
        "this changes the URL before the task id is made of it, so that blobs which the rule matches miss what was "
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
        "above {limit} requests a second the proxy answers 429, and containerd falls back to the registry without a "
        "word; pulls in parallel reach that.",
        "Leave it at the default of 4000, at least above 100.",
    ),
    "port_clash": (
        "port {port} is {other}'s as well, so that the daemon would not start.",
        "Give each listener a port of its own.",
    ),
    "port_taken": (
        "another program listens on port {port} of this host, so that the daemon would not start.",
        "Choose another port, or stop that program.",
    ),
    "port_drifts": (
        "with a range the daemon takes the next port without a word when the first is taken, and the mirrors keep "
        "asking the first.",
        "Give the port as one number.",
    ),
    "registry_header": (
        "the role sends X-Dragonfly-Registry itself, with the base URL of the registry.",
        "Leave the header out and give the registry its URL.",
    ),
    "toml_invalid": (
        "containerd cannot read the file: {error}.",
        "Correct it; containerd would not start with it.",
    ),
    "config_version_1": (
        "the file has no version or version 1, whose plugins have other names, and which containerd 2 no longer reads.",
        "Migrate it (containerd config migrate, or version = 2 with the full names of the plugins).",
    ),
    "cri_disabled": (
        "{plugin} is disabled, so that the kubelet and crictl cannot pull with these mirrors.",
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
    "parallel_fetch": (
        "containerd then asks for parts of a blob, and the Go client makes another task id of each part, so every pull "
        "misses.",
        "Set it to 0.",
    ),
    "lazy_snapshotter": (
        "{snapshotter} asks for parts of a blob, and the Go client makes another task id of each part, so every pull "
        "misses.",
        "Use overlayfs with the Go client, or the Rust client.",
    ),
}


class Problem(t.NamedTuple):
    """One thing that is wrong.

    :ivar code: stable, the key of MESSAGES.
    :ivar key: of the configuration, with its position in lists.
    :ivar reason: what goes wrong.
    :ivar cure: what to do.
    """

    code: str
    key: str
    reason: str
    cure: str

    @property
    def message(self) -> str:
        """All of it, for people."""
        return f"{self.key}: {self.reason} {self.cure} [{self.code}]"


def problem(code: str, key: str, **words: t.Any) -> Problem:
    """The problem of a code, with the words that its texts need."""
    reason, cure = MESSAGES[code]
    return Problem(code, key, reason.format(**words), cure.format(**words))


class Context(t.NamedTuple):
    """What is known besides the configuration. What is not known is left out, then nothing is said about it.

    :ivar manager_release: str, as ``2.5.1``.
    :ivar dynconfig: whether the Rust client finds its schedulers in dynconfig.yaml.
    :ivar bases: base URLs of the registries that the host pulls from.
    :ivar taken_ports: ports of the host on which other programs listen.
    :ivar missing_files: paths in the configuration that the host does not have.
    :ivar max_age: seconds for which a preheat counts as warm.
    :ivar tag: of the preheat.
    :ivar application: of the preheat.
    """

    manager_release: str | None = None
    dynconfig: bool = False
    bases: t.Sequence[str] = ()
    taken_ports: t.Sequence[int] = ()
    missing_files: t.Sequence[str] = ()
    max_age: float | None = None
    tag: str = ""
    application: str = ""


def config_problems(
    config: dict[str, t.Any], client: str, release: str | None = None, context: Context = Context()
) -> list[Problem]:
    """All that is wrong with a client's configuration, in the order of the file for its keys, then for the whole.

    :param config: the configuration as a dict.
    :param client: ``dfget`` (Go) or ``dfdaemon`` (Rust).
    :param release: of the client; None where it is not known, then a key of any release will do.
    :param context: what is known besides.
    :raises ValueError: if a release does not read like one.
    """
    return _Check(config, client, release, context).run()


class _Check:
    def __init__(self, config: dict[str, t.Any], client: str, release: str | None, context: Context) -> None:
        self.config = config
        self.client = client
        self.release = schema.parse_release(release)
        self.release_text = (release or "").lstrip("v") or "(release unknown)"
        self.manager = schema.parse_release(context.manager_release)
        self.context = context
        self.found: list[Problem] = []
        self.unreadable: set[str] = set()

    def run(self) -> list[Problem]:
        self._release()
        for setting in schema.settings(self.config, self.client):
            self._setting(setting)
        if self.client == "dfget":
            self._go()
        else:
            self._rust()
        return self.found

    def add(self, code: str, key: str, **words: t.Any) -> None:
        self.found.append(problem(code, key, client=self.client, release=self.release_text, **words))

    def get(self, path: str, default: t.Any = None) -> t.Any:
        """A value that the client can read, else the default: what it cannot read has been reported already."""
        return default if path in self.unreadable else schema.get(self.config, self.client, path, default)

    def seconds(self, path: str, default: str) -> float:
        return t.cast(float, parse_duration(self.get(path, default), self.client))

    # --- keys and values

    def _release(self) -> None:
        first, last = schema.FIRST_RELEASE[self.client], schema.LAST_RELEASE[self.client]
        too_old = self.release is not None and self.release < t.cast(tuple, schema.parse_release(first))
        # A newer Rust client may come any day; a newer Go client will not.
        too_new = self.client == "dfget" and self.release is not None and self.release[:2] > (2, 3)
        if too_old or too_new:
            self.add("no_such_client", "release", first=first, last=last)
            self.release = None  # Nothing is known about its keys.
        elif self.client == "dfdaemon" and self.release is not None and self.release < (0, 1, 114):
            self.add("ids_of_their_own", "release")

    def _setting(self, setting: schema.Setting) -> None:
        release = None if self.release is None else ".".join(str(part) for part in self.release)
        found = schema.look_up(self.client, setting.path, release)
        if found.status == "known" and found.key is not None:
            self._value(setting, found.key)
            return
        if found.status == "branch":
            if setting.value or not isinstance(setting.value, (dict, list, type(None))):
                self._unreadable(setting, "wrong_type", wanted=found.instead or "a mapping")
            return
        code = {"unknown": "unknown_key", "gone": "key_gone", "later": "key_not_yet"}[found.status]
        hint = f"Write {found.instead}." if found.instead else "Leave it out."
        if found.status == "unknown" and found.instead:
            hint = f"Did you mean {found.instead}?"
        since = ".".join(str(part) for part in found.key.since) if found.key is not None and found.key.since else ""
        self.add(code, setting.where, hint=hint, since=since)

    def _unreadable(self, setting: schema.Setting, code: str, **words: t.Any) -> None:
        self.unreadable.add(setting.path)
        self.add(code, setting.where, **words)

    def _value(self, setting: schema.Setting, key: schema.Key) -> None:
        is_optional = self.client == "dfget" or key.type in _RUST_OPTIONAL_TYPES or setting.path in _RUST_OPTIONAL_KEYS
        if setting.value is None and is_optional:
            return
        wanted = value_error(key.type, setting.value, self.client)
        if wanted:
            self._unreadable(setting, "wrong_type", wanted=wanted)
            return
        if key.type == "regex":
            error = pattern_error(setting.value, self.client)
            if error:
                engine = "Go's regexp (RE2)" if self.client == "dfget" else "Rust's regex crate"
                self._unreadable(setting, "bad_regex", error=error, engine=engine)
        for path in files_of(key.type, setting.value):
            if path in self.context.missing_files:
                self.add("missing_file", setting.where, path=path)

    # --- both clients

    def _port_problems(self, listeners: dict[str, t.Any]) -> None:
        """A fixed port that two listeners share, or that another program of the host has."""
        seen: dict[int, str] = {}
        for key, port in listeners.items():
            if not isinstance(port, int) or not port:
                continue
            if port in seen:
                self.add("port_clash", key, port=port, other=seen[port])
            elif port in self.context.taken_ports:
                self.add("port_taken", key, port=port)
            seen.setdefault(port, key)

    def _expiry(self, key: str, default: str) -> None:
        expiry = self.seconds(key, default)
        if self.context.max_age is not None and expiry < self.context.max_age:
            self.add("expires_too_soon", key, expiry=int(expiry), max_age=int(self.context.max_age))

    def _open_proxy(self, key: str, address: str, auth: t.Any) -> None:
        if not is_loopback(address) and not auth:
            self.add("open_proxy", key, address=address or "all addresses")

    def _deciding(self, rules: list[dict[str, t.Any]], pattern: str) -> dict[str, int | None]:
        """Base URL of each registry to the index of the rule that decides about its blobs: the first that matches."""
        patterns = [str(rule.get(pattern, ".*")) for rule in rules]
        # What a rule is matched against has the query that containerd adds, but for the Rust client from 1.2.1 on.
        query = "?ns=registry" if self.client == "dfget" or (1, 1, 1) <= (self.release or ()) < (1, 2, 1) else ""
        blob = f"/v2/library/app/blobs/sha256:{'0' * 64}{query}"
        bases = self.context.bases or (_DOCKER_HUB,)
        found: dict[str, int | None] = {base: first_match(patterns, base.rstrip("/") + blob) for base in bases}
        if not self.context.bases:
            # Rules for a registry whose name is not known here.
            found.update({text: index for index, text in enumerate(patterns) if "blobs" in text or "sha256" in text})
        return found

    def _rewrites(
        self, rules: list[dict[str, t.Any]], deciding: t.Iterable[int | None], where: str, *names: str
    ) -> None:
        for index, rule in enumerate(rules):
            for name in names:
                if index in deciding and rule.get(name):
                    self.add("rewritten_url", f"{where}[{index}].{name}")

    # --- the Go client

    def _go(self) -> None:
        seed = bool(self.get("scheduler.manager.seedPeer.enable", False))
        if not (self.get("scheduler.manager.enable") and self.get("scheduler.manager.netAddrs")):
            if self.get("scheduler.manager.enable") or not self.get("scheduler.netAddrs"):
                self.add("no_scheduler", "scheduler", variable="dfget_manager_addrs or dfget_scheduler_addrs")
        # Managers and Go clients are released together, so an unknown manager is taken to be as new as the client.
        if seed and (self.manager or self.release or ()) >= FIRST_WITHOUT_GO_SEEDS:
            self.add("seed_cannot_be_preheated", "scheduler.manager.seedPeer.enable")
        self._go_proxy()
        if self.seconds("aliveTime", "5m") != 0:
            self.add("exits_when_idle", "aliveTime")
        if self.get("keepStorage", False) is not True:
            self.add("storage_not_kept", "keepStorage")
        if self.get("storage.multiplex", False) is not True:
            self.add("no_reuse", "storage.multiplex")
        if self.get("storage.strategy", _GO_STRATEGIES[0]) not in _GO_STRATEGIES:
            self.add("bad_strategy", "storage.strategy", known=" and ".join(_GO_STRATEGIES))
        if seed:
            self._expiry("storage.taskExpireTime", "6h")
        for key in ("download.totalRateLimit", "upload.rateLimit"):
            if t.cast(int, parse_bytes(self.get(key, _MIN_RATE), self.client)) < _MIN_RATE:
                self.add("rate_limit_too_low", key)
        self._go_values()
        self._port_problems(
            {
                "download.peerGRPC.tcpListen.port": self.get("download.peerGRPC.tcpListen.port"),
                "proxy.tcpListen.port": self.get("proxy.tcpListen.port"),
                "upload.tcpListen.port": self.get("upload.tcpListen.port"),
                "objectStorage.tcpListen.port": self.get("objectStorage.enable")
                and self.get("objectStorage.tcpListen.port"),
                "health.tcpListen.port": self.get("health.tcpListen.port"),
            }
        )

    def _go_values(self) -> None:
        if self.seconds("gcInterval", "1m") <= 0:
            self.add("bad_value", "gcInterval", wanted="above 0s")
        if 0 < self.seconds("reload.interval", "1m") < 1:
            self.add("bad_value", "reload.interval", wanted="0s or at least 1s")
        if self.get("scheduler.manager.enable") and self.seconds("scheduler.manager.refreshInterval", "10m") == 0:
            self.add("bad_value", "scheduler.manager.refreshInterval", wanted="above 0s")
        if self.get("objectStorage.enable") and self.get("objectStorage.maxReplicas", 3) <= 0:
            self.add("bad_value", "objectStorage.maxReplicas", wanted="above 0")

    def _go_proxy(self) -> None:
        port = self.get("proxy.tcpListen.port", 0)
        if isinstance(port, dict) and port.get("end", port["start"]) != port["start"]:
            self.add("port_drifts", "proxy.tcpListen.port")
        if not port:
            self.add("proxy_off", "proxy.tcpListen.port")
            return
        if "ns" not in self.get("proxy.defaultFilter", "").split("&"):
            self.add("filter_without_ns", "proxy.defaultFilter", example="'Expires&Signature&ns', separated by &")
        for key, what, preheat in (
            ("proxy.defaultTag", "the tag", self.context.tag),
            ("proxy.defaultApplication", "the application", self.context.application),
        ):
            if self.get(key, "") != preheat:
                self.add("tag_mismatch", key, what=what, host=self.get(key, ""), preheat=preheat)
        if not self.get("proxy.registryMirror.url"):
            self.add("no_mirror", "proxy.registryMirror.url")
        if self.get("proxy.registryMirror.dynamic", False) is not True:
            self.add("static_mirror", "proxy.registryMirror.dynamic")
        self._open_proxy("proxy.tcpListen.listen", self.get("proxy.tcpListen.listen", ""), self.get("proxy.basicAuth"))
        self._go_rules()

    def _go_rules(self) -> None:
        rules = [rule for rule in self.get("proxy.proxies", None) or [] if isinstance(rule, dict)]
        deciding = self._deciding(rules, "regx")
        if self.get("proxy.registryMirror.direct"):
            self.add("not_p2p", "proxy.registryMirror.direct", why="it is set so", cure="Set it to false.")
        elif self.get("proxy.registryMirror.useProxies"):
            missed = [base for base, index in deciding.items() if index is None or rules[index].get("direct")]
            if missed:
                self.add(
                    "not_p2p",
                    "proxy.registryMirror.useProxies",
                    why=f"no rule of proxy.proxies sends the blobs of {', '.join(missed)} to peers",
                    cure="Set it to false, or add the rule {regx: blobs/sha256.*}.",
                )
        self._rewrites(rules, deciding.values(), "proxy.proxies", "useHTTPS", "redirect")

    # --- the Rust client

    def _rust(self) -> None:
        if not self.get("manager.addr"):
            if not self.context.dynconfig or (self.release is not None and self.release < (1, 4, 3)):
                from_143 = " (with release 1.4.3 or later, dfdaemon_scheduler_addrs)"
                self.add("no_scheduler", "manager.addr", variable="dfdaemon_manager_addr" + from_143)
        elif value_error("url", self.get("manager.addr"), self.client):
            self.add("bad_value", "manager.addr", wanted="a URL such as http://dragonfly-manager:65003")
        self._rust_proxy()
        if self.get("storage.keep", False) is not True:
            self.add("storage_not_kept", "storage.keep")
        if self.get("seedPeer.enable"):
            self._expiry("gc.policy.taskTTL", "6h" if self.release is not None and self.release < (1, 2, 1) else "720h")
        self._port_problems(
            {
                "upload.server.port": self.get("upload.server.port", 4000),
                "proxy.server.port": self.get("proxy.server.port", 4001),
                "metrics.server.port": self.get("metrics.server.port", 4002),
                "health.server.port": self.get("health.server.port", 4003),
                "stats.server.port": self.get("stats.server.port", 4004),
                "storage.server.tcpPort": self.get("storage.server.tcpPort", 4005),
            }
        )

    def _rust_proxy(self) -> None:
        self._open_proxy("proxy.server.ip", self.get("proxy.server.ip", ""), self.get("proxy.server.basicAuth"))
        addr = self.get("proxy.registryMirror.addr", _DOCKER_HUB)
        if value_error("url", addr, self.client):
            self.add("bad_value", "proxy.registryMirror.addr", wanted="a URL such as https://index.docker.io")
        elif addr.endswith("/"):
            self.add("trailing_slash", "proxy.registryMirror.addr")
        for name in ("enableTaskIDBasedBlobDigest", "enableTaskIdBasedBlobDigest"):
            flag = self.get(f"proxy.registryMirror.{name}", False)
            if flag is True and (self.manager is None or self.manager <= _LAST_WITHOUT_BLOB_IDS):
                self.add("blob_digest_ids", f"proxy.registryMirror.{name}")
        limit = self.get("proxy.server.requestRateLimit", _MIN_REQUEST_RATE)
        if limit < _MIN_REQUEST_RATE:
            self.add("request_rate_too_low", "proxy.server.requestRateLimit", limit=limit)
        self._rust_rules()

    def _rust_rules(self) -> None:
        rules = [rule for rule in self.get("proxy.rules", None) or [] if isinstance(rule, dict)]
        deciding = self._deciding(rules, "regex")
        missed = [base for base, index in deciding.items() if index is None]
        # Without the registries' names a rule for one of them cannot be told from a rule for none.
        if missed and (self.context.bases or not rules):
            why = f"no rule matches the blobs of {', '.join(missed)}" if rules else "there is no rule"
            self.add("not_p2p", "proxy.rules", why=why, cure="Add the rule {regex: 'blobs/sha256.*'}.")
        for index, rule in enumerate(rules):
            params = rule.get("filteredQueryParams")
            # Up to 1.1.0 the whole query was dropped in mirror mode.
            keeps_query = self.release is None or self.release >= (1, 1, 1)
            if keeps_query and index in deciding.values() and isinstance(params, list) and "ns" not in params:
                where = f"proxy.rules[{index}].filteredQueryParams"
                self.add(
                    "filter_without_ns", where, example="the list replaces the default one; leave it out or append ns"
                )
        self._rewrites(rules, deciding.values(), "proxy.rules", "useTLS", "redirect")


def files_of(kind: str, value: t.Any) -> list[str]:
    """Paths that a client opens when it starts with a value.

    :param kind: type of the schema.
    :param value: of that type.
    """
    if kind == "files":
        return list(value)
    if kind == "file" or (kind == "pem" and not value.strip().startswith("-----BEGIN ")):
        return [value] if value else []
    return []


def config_files(config: dict[str, t.Any], client: str) -> list[str]:
    """Paths of the files that must be on the host before the client starts with a configuration."""
    paths: list[str] = []
    for setting in schema.settings(config, client):
        found = schema.look_up(client, setting.path, None)
        if found.key is not None and not value_error(found.key.type, setting.value, client):
            paths.extend(files_of(found.key.type, setting.value))
    return sorted(set(paths))


def has_secret(config: dict[str, t.Any], client: str) -> bool:
    """Whether a configuration holds something that must not be shown: a password, a private key, headers."""
    for setting in schema.settings(config, client):
        found = schema.look_up(client, setting.path, None)
        kind = found.key.type if found.key is not None else ""
        is_inline_pem = kind == "pem" and isinstance(setting.value, str) and not files_of(kind, setting.value)
        if setting.value and (kind.startswith("secret") or kind == "map" or is_inline_pem or found.status == "unknown"):
            return True
    return False
