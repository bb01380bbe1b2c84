# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove secrets and terminal sequences from texts that users see."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import unquote, unquote_plus, urlsplit, urlunsplit

MASK = "********"
#: Maximum length in characters of a server's text about a job.
LONGEST_TEXT = 4000
#: Lists and dicts within one another in a result. Those of Dragonfly have 10. Ansible walks through them recursively.
MOST_LEVELS = 100

# Query parameters that carry a signature or a credential: those that the manager filters by default
# (pkg/net/http/header.go) and the names that object stores and artifact servers use for tokens.
_SECRET_PARAM_NAMES = frozenset(["pass", "sig", "key", "q-ak", "jwt"])
_SECRET_PARAM_PARTS = (
    *("sign", "token", "secret", "password", "passwd", "credential", "hmac"),
    *("accesskey", "access_key", "apikey", "api_key"),
)
_SECRET_HEADER = re.compile("auth|cookie|token|secret|key|password|signature|credential|session|jwt", re.IGNORECASE)
_SECRET_ARGS = frozenset(["username", "password"])
SECRET_NESTED_ARGS = {
    "object_storage": frozenset(["access_key_id", "access_key_secret", "session_token", "security_token"]),
    "hdfs": frozenset(["delegation_token"]),
}
# The user info of an image reference, which is followed by a slash; a digest is not.
_USER_INFO = re.compile("[^/@]*@.*/", re.DOTALL)
# Starts at the end of the scheme, because searching for the scheme takes quadratic time.
_URL_IN_TEXT = re.compile(r"://[^\s\"'<>]+")
_MAY_HOLD_SECRET = re.compile("[@?]")
# Parsing a URL takes about four times as long as a parameter or an escape. What takes longer than the first number of
# these is masked, unless it has this many characters for each.
_MOST_PARTS, _CHARACTERS_PER_PART = 1000, 30
_LAST_WORD = re.compile(r"(?<!\S)\S+\Z")


class _Escapes(t.Dict[int, str]):
    """A table for ``str.translate``, which is much faster than a regular expression. It learns the other characters.

    :param characters: class of a regular expression whose characters are escaped as Python does.
    """

    def __init__(self, characters: str) -> None:
        super().__init__()
        self._escaped = re.compile(f"[{characters}]")

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = ascii(character)[1:-1] if self._escaped.match(character) else character
        return self[code]


_C1 = _Escapes("\x7f-\x9f")
# Characters that move the cursor, change colours or the direction of text: controls (C0 without tab and line feed, C1),
# direction marks, and line separators.
_UNPRINTABLE = _Escapes(
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
)


def url_secrets(url: str) -> list[str]:
    """Return the secrets in a URL or an image reference, as written and decoded.

    Secrets are the password of the user info (or the user info without one), and the values of secret parameters; in a
    URL that takes too long to parse, everything.
    """
    if _takes_too_long(url):
        return [url]
    if "://" not in url and _USER_INFO.match(url):
        url = "//" + url
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    secret = parts.password or parts.username or ""
    secrets = [secret, unquote(secret), *_secrets_in_query(parts.query)]
    return list(filter(None, dict.fromkeys(secrets)))


def _secrets_in_query(query: str) -> list[str]:
    pairs = [pair.partition("=") for pair in query.split("&")]
    values = [value for name, _equals, value in pairs if _is_secret_param(name)]
    return [*values, *map(unquote_plus, values)]


def is_secret_header(name: str) -> bool:
    """Return whether a header of this name contains a credential."""
    return bool(_SECRET_HEADER.search(name))


def _is_secret_param(name: str) -> bool:
    # A regular expression that ignores case takes five times as long.
    name = unquote_plus(name).casefold()
    return name in _SECRET_PARAM_NAMES or name.startswith("auth") or any(part in name for part in _SECRET_PARAM_PARTS)


def redact_url(url: t.Any) -> t.Any:
    """Return the URL with the password of its user info and the values of secret parameters masked.

    A user info without a password is masked completely, because it may be a token. In a URL with an invalid authority,
    such as one with an unescaped slash in its password, everything that could be a secret is masked, and also in one
    that takes too long to parse.

    :param url: str; other values are returned unchanged.
    """
    if not isinstance(url, str):
        return url
    if _takes_too_long(url):
        return _mask_unusable(url)
    try:
        parts = urlsplit(url)
        password, _port = parts.password, parts.port
    except ValueError:
        return _mask_unusable(url)
    user, _at, host = parts.netloc.rpartition("@")
    netloc = parts.netloc
    if password:
        netloc = f"{user.partition(':')[0]}:{MASK}@{host}"
    elif user:
        netloc = f"{MASK}@{host}"
    query = "&".join(map(_redact_param, parts.query.split("&")))
    return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))


def _redact_param(pair: str) -> str:
    name = pair.partition("=")[0]
    return f"{name}={MASK}" if _is_secret_param(name) else pair


def _mask_unusable(url: str) -> str:
    """Return the URL with everything masked that may be user info or a query."""
    scheme, slashes, authority_and_path = url.partition("//")
    if not slashes:
        scheme, authority_and_path = "", url
    _user, at, authority_and_path = authority_and_path.rpartition("@")
    place, mark, query = authority_and_path.partition("?")
    return scheme + slashes + (MASK + at if at else "") + place + mark + (MASK if query else "")


def redact_text(text: str) -> str:
    """Return the text with the secrets of each URL in it masked, including URLs within URLs.

    A text that takes too long to parse is masked completely.
    """
    return MASK if _takes_too_long(text) else _URL_IN_TEXT.sub(_redact_match, text)


def _takes_too_long(text: str) -> bool:
    """Return whether a text consists almost only of URLs, parameters and escapes, and of too many of them."""
    parts = 4 * text.count("://") + text.count("&") + text.count("%")
    return parts > _MOST_PARTS and len(text) < _CHARACTERS_PER_PART * parts


def _redact_match(match: re.Match[str]) -> str:
    if not _MAY_HOLD_SECRET.search(match.group()):
        return match.group()
    scheme = "x"
    url = redact_url(scheme + match.group())
    if url.count("://") > 1:
        redacted = [redact_url("x://" + part)[len("x://") :] for part in url.split("://")[1:]]
        url = "://".join([scheme, *redacted])
    return url[len(scheme) :]


def redact_beginning(text: str, length: int) -> str:
    """Return the beginning of a foreign text of any length, without secrets, short enough to be shown.

    :param length: maximum length of the result in characters.
    """
    # The rest of the text is not read, so the time depends only on the length of the result.
    kept = text[: 8 * length]
    if len(text) > len(kept):
        # The text may be cut within a URL, whose secret then could not be recognized.
        last = _LAST_WORD.search(kept)
        kept = kept[: last.start()] + last[0].partition("://")[0] if last else kept
    return printable(redact_text(kept))[:length]


def printable(text: str) -> str:
    """Return the text with terminal sequences escaped as Python does."""
    return _escape(text, _UNPRINTABLE)


def _escape(text: str, escapes: _Escapes) -> str:
    return text if text.isprintable() else text.translate(escapes)


def escape_c1(value: t.Any, levels: int = MOST_LEVELS) -> t.Any:
    """Return a result in which DEL and C1 controls in texts are escaped as Python does.

    Ansible shows the results of failed tasks as JSON, which escapes the other controls but not these.

    :param levels: lists and dicts within one another.
    :raises RecursionError: if there are more.
    """
    if isinstance(value, str):
        return _escape(value, _C1)
    if not isinstance(value, (list, dict)):
        return value
    if not levels:
        raise RecursionError
    if isinstance(value, list):
        return [escape_c1(item, levels - 1) for item in value]
    return {escape_c1(key): escape_c1(item, levels - 1) for key, item in value.items()}


def redact_args(args: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the ``args`` of a job without credentials, which the manager stores and returns in plain text."""
    return {key: _redact_arg(key, value) for key, value in args.items()}


def _redact_arg(key: str, value: t.Any) -> t.Any:
    if key in _SECRET_ARGS:
        return _mask(value)
    if isinstance(value, list):
        return list(map(redact_url, value))
    if not isinstance(value, dict):
        return redact_url(value)
    if key == "headers":
        return dict.fromkeys(value, MASK)
    hidden = SECRET_NESTED_ARGS.get(key, ())
    return {name: _mask(item) if name in hidden else item for name, item in value.items()}


def _mask(value: t.Any) -> t.Any:
    """Return what hides a secret, and whether there is one."""
    return MASK if value else value
