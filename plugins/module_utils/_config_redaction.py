# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take secrets out of configuration files, on hosts that have no library to parse them.

This happens on the host and not on the controller, where PyYAML is available: with -vvv, Ansible shows the result of a
module before an action plugin can change it, and only the user can set no_log for a task. No secret leaves the host.

Only the values of known harmless keys are kept; the value of every other key is replaced. The structure, the keys and
the line numbers are kept, so the controller still finds the errors that the daemon would find. Comments and values of
more than one line are removed, because an unclosed quotation mark extends a value over the lines that follow.
"""

from __future__ import annotations

import re
import typing as t

HIDDEN = "hidden"

#: Keys whose values matter for what a host hits, by file. Compared in lower case.
CLIENT_KEYS = frozenset(
    """
<< alivetime keepstorage keep enable type clusterid schedulerclusterid taskexpiretime taskttl port start end listen ip
defaultfilter defaulttag defaultapplication url addr dynamic direct useproxies regx usehttps redirect regex usetls
filteredqueryparams enabletaskidbasedblobdigest disablebacktosource requestratelimit insecure strategy ratelimit
totalratelimit perpeerratelimit bandwidthlimit gcinterval interval refreshinterval maxreplicas netaddrs ip addrs
""".split()
)
#: Of hosts.toml; ca and client are paths of files.
HOSTS_KEYS = frozenset(["server", "capabilities", "override_path", "dial_timeout", "ca", "client"])
CONTAINERD_KEYS = frozenset(
    """
version imports config_path endpoint concurrent_layer_fetch_buffer max_concurrent_downloads use_local_image_pull
discard_unpacked_layers disable_snapshot_annotations image_pull_with_sync_fs disabled_plugins snapshotter
ca_file cert_file key_file
""".split()
)
#: Of registries.yaml of k3s and RKE2.
REGISTRIES_KEYS = frozenset(["endpoint", "insecure_skip_verify"])
#: Of registries.conf of podman and CRI-O, in both of its formats.
REGISTRIES_CONF_KEYS = frozenset(
    """
prefix location insecure blocked mirror-by-digest-only pull-from-mirror registries
unqualified-search-registries short-name-mode
""".split()
)

#: The longest string of TOML that is kept, and the beginning of a certificate or a private key in place of its path.
_LONGEST_STRING = 1024
_PEM = "-----BEGIN"
_USER_INFO = re.compile(r"(://)[^/?#\s\"'@]*(?:@[^/?#\s\"'@]*)*@")


def redact_user_info(text: str) -> str:
    """Return a text without the user info of the URLs in it."""
    return _USER_INFO.sub(r"\1" + HIDDEN + "@", text)


def _is_kept(key: str, keys: t.Collection[str]) -> bool:
    return key.lower() in keys or key.lower().startswith("x-dragonfly-")


# YAML

_YAML_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+)
    | (?P<newline>\n)
    | (?P<comment>(?:(?<=\s)|^)\#[^\n]*)
    | (?P<double>"(?:[^"\\]|\\.)*")
    | (?P<single>'(?:[^']|'')*')
    | (?P<block>[|>][-+0-9]*(?=[ \t\r]*(?:\#[^\n]*)?(?:\n|\Z)))
    | (?P<dash>[-?](?=\s|\Z))
    | (?P<marker>^(?:---|\.\.\.)(?=\s|\Z))
    | (?P<reference>[&*!][^\s,\[\]{}]*)
    | (?P<open>[\[{])
    | (?P<close>[\]}])
    | (?P<comma>,)
    | (?P<plain>[^\s])
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_YAML_PLAIN = re.compile(r"(?:(?!:(?:\s|\Z))[^ \t\n]|[ \t]+(?!:(?:\s|\Z))[^ \t\n#])*")
_YAML_PLAIN_IN_FLOW = re.compile(
    r"(?:(?!:(?:[\s,\[\]{}]|\Z))[^ \t\n,\[\]{}]|[ \t]+(?!:(?:[\s,\[\]{}]|\Z))[^ \t\n,\[\]{}#])*"
)
_YAML_COLON = re.compile(r"[ \t]*:(?=\s|\Z)")
_YAML_COLON_IN_FLOW = re.compile(r"[ \t]*:(?=[\s,\[\]{}]|\Z)")
_YAML_COLON_AFTER_QUOTE = re.compile(r"[ \t\r\n]*:")


class _YamlRedactor:
    """Read YAML from left to right, and know of every scalar whether it is a key, and else which key it belongs to.

    :ivar frames: (column, whether the last key there is kept) of each open block mapping.
    :ivar flow: whether the last key is kept, for each open bracket.
    :ivar shown: anchors whose values stay where they stand by a key that no client reads, x-..., for a kept key has
        an alias of them. The value of another key may be a password.
    :ivar seen: anchors that kept keys were found to have an alias of.
    """

    def __init__(self, text: str, keys: t.Collection[str], shown: t.Collection[str] = ()) -> None:
        self.text = text
        self.keys = keys
        self.frames = [(-1, False)]
        self.flow: list[bool] = []
        self.out: list[str] = []
        self.at = self.line = self.searched = 0
        self.shown = shown
        self.seen: set[str] = set()
        self.key = ""
        self.is_shown = False  # an anchor of those stands in front of what comes next
        anchors = set(re.findall(r"(?<!\S)&([^\s,\[\]{}]+)", text))
        self.names = anchors & set(re.findall(r"(?<![^\s,\[{])\*([^\s,\[\]{}]+)", text))

    def redact(self) -> str:
        """Return the text without the values that are not kept."""
        fresh = True  # nothing but indentation and dashes so far on this line
        while self.at < len(self.text):
            match = _YAML_TOKEN.match(self.text, self.at)
            if match is None:
                break
            kind, token = str(match.lastgroup), match.group()
            column = self._column()
            fresh = fresh or column == 0
            self.at = match.end()
            is_blank = kind in ("space", "comment", "newline")
            if fresh and not self.flow and not is_blank:
                self._indent(kind, column)
                fresh = kind == "dash"
            self._token(kind, token, column)
        return "".join(self.out)

    def _indent(self, kind: str, column: int) -> None:
        """Close the mappings that the first token of a line ends, and open one for the item of a list."""
        while self.frames[-1][0] > column:
            self.frames.pop()
        if kind == "dash":
            # What an item holds is indented more than its dash.
            self.frames.append((column, self.frames[-1][1]))

    def _column(self) -> int:
        """Return where in its line the next token begins; only what was read since the last time is searched."""
        newline = self.text.rfind("\n", self.searched, self.at)
        if newline >= 0:
            self.line = newline + 1
        self.searched = self.at
        return self.at - self.line

    def _token(self, kind: str, token: str, column: int) -> None:
        if kind in ("newline", "comma", "close"):
            self.is_shown = False
        kind = self._kind_here(kind)
        if kind == "plain":
            token += self._rest_of_plain(token)
        if kind in ("plain", "double", "single"):
            self._scalar(token, column)
        elif kind == "block":
            self._block(token)
        elif kind == "reference":
            self._reference(token)
        else:
            self._punctuation(kind, token)

    def _kind_here(self, kind: str) -> str:
        """Return what a token is here: only within brackets do they end, and only outside of them do blocks begin."""
        if self.flow:
            return "reference" if kind == "block" else kind
        return "plain" if kind in ("close", "comma") else kind

    def _rest_of_plain(self, first: str) -> str:
        """Read what follows the first character of a scalar without quotes."""
        ends = " \t\r\n,[]{}" if self.flow else " \t\r\n"
        following = self.text[self.at : self.at + 1] or " "
        # A colon is a word's first letter where something follows it.
        if first == ":" and following in ends:
            return ""
        return self._take(_YAML_PLAIN_IN_FLOW if self.flow else _YAML_PLAIN)

    def _take(self, pattern: re.Pattern[str]) -> str:
        """Read what a pattern matches here, empty if it does not match."""
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match.group()

    def _punctuation(self, kind: str, token: str) -> None:
        if kind == "comment":
            return
        if kind == "open":
            self.flow.append(self._kept())
        elif kind == "close":
            self.flow.pop()
        self.out.append(token)

    def _kept(self) -> bool:
        is_shown, self.is_shown = self.is_shown, False
        return is_shown or (self.flow[-1] if self.flow else self.frames[-1][1])

    def _scalar(self, token: str, column: int) -> None:
        colon = self._read_colon(token)
        if colon:
            self._enter_key(token.strip("\"'"), column)
            self.out.append(redact_user_info(token) + colon)
            return
        is_shown = self._kept() and "\n" not in token
        if is_shown or token == ":":
            self.out.append(redact_user_info(token))
        else:
            self.out.append(HIDDEN + "\n" * token.count("\n"))

    def _read_colon(self, token: str) -> str:
        """Read the colon after a key, empty if the scalar is not a key."""
        if token == ":":
            return ""
        if not self.flow:
            return self._take(_YAML_COLON)
        is_quoted = token[0] in "\"'"
        return self._take(_YAML_COLON_AFTER_QUOTE if is_quoted else _YAML_COLON_IN_FLOW)

    def _enter_key(self, key: str, column: int) -> None:
        self.is_shown = False
        self.key = key
        is_kept = _is_kept(key, self.keys)
        if self.flow:
            self.flow[-1] = is_kept
            return
        while self.frames[-1][0] >= column:
            self.frames.pop()
        self.frames.append((column, is_kept))

    def _block(self, header: str) -> None:
        line_end = self.text.find("\n", self.at)
        line_end = len(self.text) if line_end < 0 else line_end + 1
        self.out.append(header + ("\n" if self.text[line_end - 1 : line_end] == "\n" else ""))
        self.at = line_end
        indent = self.frames[-1][0] + 1
        body = self._take(re.compile(rf"(?:[ ]{{{indent},}}[^\n]*(?:\n|\Z)|[ \t\r]*\n)*"))
        if self._kept() and body.count("\n") < 2:
            self.out.append(redact_user_info(body))
        else:
            self.out.append(re.sub(r"(?m)^([ ]*)[^ \n].*$", r"\1" + HIDDEN, body))

    def _reference(self, token: str) -> None:
        sign, name = token[0], token[1:]
        if sign in "&*" and name in self.names:
            self.out.append(token)
            self._link(sign, name)
        elif self._kept():
            self.out.append(redact_user_info(token))
        elif sign in "*|>":
            self.out.append(HIDDEN)

    def _link(self, sign: str, name: str) -> None:
        """Note an anchor, or an alias of one."""
        if sign == "&":
            self.is_shown = name in self.shown and self.key.startswith("x-")
        elif self._kept():
            self.seen.add(name)


def redact_yaml(text: str, keys: t.Collection[str] = CLIENT_KEYS) -> str:
    """Return YAML with the values of all keys replaced but those that are named.

    :param text: it may be malformed.
    :param keys: names in lower case.
    """
    first = _YamlRedactor(text, keys)
    redacted = first.redact()
    return _YamlRedactor(text, keys, first.seen).redact() if first.seen else redacted


# TOML

_TOML_STRING = r"\"\"\".*?(?:\"\"\"|\Z)|'''.*?(?:'''|\Z)|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'"
_TOML_KEY = r"(?:[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')"
_TOML_TOKEN = re.compile(
    rf"""
    (?P<header>^[ \t]*\[\[?[ \t]*{_TOML_KEY}(?:[ \t]*\.[ \t]*{_TOML_KEY})*[ \t]*\]\]?(?=[ \t\r]*(?:\#[^\n]*)?(?:\n|\Z)))
    | (?P<space>[ \t\r]*\n|[ \t\r]+)
    | (?P<comment>\#[^\n]*)
    | (?P<key>{_TOML_KEY}(?:[ \t]*\.[ \t]*{_TOML_KEY})*[ \t]*=)
    | (?P<string>{_TOML_STRING})
    | (?P<open>[\[{{])
    | (?P<close>[\]}}])
    | (?P<comma>,)
    | (?P<bare>[^\s,\[\]{{}}\#]+)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
#: What stands for a number, a date or a time, and for anything that is not TOML: a daemon judges the kind of a value.
_HIDDEN_BARE = (
    (re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)|0(?:x[0-9A-Fa-f]|o[0-7]|b[01])[0-9A-Fa-f_]*"), "0"),
    (re.compile(r"[+-]?(?:inf|nan|(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9_]+)?(?:[eE][+-]?[0-9_]+)?)"), "0.0"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt][0-9:.]+(?:[Zz]|[+-][0-9:]+)?)?"), "1970-01-01"),
    (re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9:]+)?"), "00:00:00"),
    (re.compile(r"true"), "true"),
    (re.compile(r"false"), "false"),
    (re.compile(r".*", re.DOTALL), HIDDEN),
)


def _hidden_bare(token: str) -> str:
    """Return a value of the same kind as one without quotes."""
    return next(value for pattern, value in _HIDDEN_BARE if pattern.fullmatch(token))


def _is_harmless(string: str) -> bool:
    return len(string) <= _LONGEST_STRING and _PEM not in string


def _hidden_string(token: str) -> str:
    """Return a string of as many lines."""
    return f'"{HIDDEN}"' + "\n" * token.count("\n")


_HIDE = {"bare": _hidden_bare, "string": _hidden_string}


class _TomlRedactor:
    """Read TOML from left to right, and know which key a value belongs to.

    :ivar kept: whether the last key is kept: of the table, and of each open bracket.
    :ivar is_shown: whether all values of the table are kept.
    """

    def __init__(self, keys: t.Collection[str], tables: t.Collection[str]) -> None:
        self.keys = keys
        self.tables = tables
        self.kept = [False]
        self.is_shown = False

    def redact(self, kind: str, token: str) -> str:
        """Return what is kept of a token."""
        if kind == "comment":
            return ""
        if kind in _HIDE:
            return token if self.kept[-1] and _is_harmless(token) else _HIDE[kind](token)
        if kind == "header" and len(self.kept) > 1:
            # Not a header but an array within one.
            return f'["{HIDDEN}"]'
        self._follow(kind, token)
        return token

    def _follow(self, kind: str, token: str) -> None:
        if kind == "header":
            self.kept = [False]
            self.is_shown = token.strip(" \t[]") in self.tables
        elif kind == "key":
            last = re.findall(_TOML_KEY, token)[-1].strip("\"'")
            self.kept[-1] = self.is_shown or _is_kept(last, self.keys)
        elif kind == "open":
            self.kept.append(self.kept[-1])
        elif kind == "close" and len(self.kept) > 1:
            self.kept.pop()


def redact_toml(text: str, keys: t.Collection[str], tables: t.Collection[str] = ()) -> str:
    """Return TOML with the values of all keys but those that are named replaced by values of the same kind.

    :param text: it may be malformed, and is so afterwards, too.
    :param keys: names in lower case.
    :param tables: names of tables at the top level that are kept with all values.
    """
    redactor = _TomlRedactor(keys, tables)
    tokens = [redactor.redact(str(match.lastgroup), match.group()) for match in _TOML_TOKEN.finditer(text)]
    return "".join(map(redact_user_info, tokens))
