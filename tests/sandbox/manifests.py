# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manager's requests for an image's manifest during a POST (manager/job/preheat.go, internal/job/image.go)."""

from __future__ import annotations

import base64
import json
import re
import typing as t
from urllib.parse import urlencode

from .reach import Answer, Reach, ReachError

SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_ACCEPT = ", ".join(
    ("application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json", SCHEMA2, LIST, OCI, INDEX)
)
_OWN_PLATFORM = "linux/amd64"
# Other platforms that platforms.Only of containerd/platforms v0.2.1 accepts.
_ALSO_ACCEPTED = {
    ("amd64", ""): [("386", "")],
    ("arm64", ""): [("arm", "v8"), ("arm", "v7"), ("arm", "v6"), ("arm", "v5")],
    ("arm", "v7"): [("arm", "v6"), ("arm", "v5")],
    ("arm", "v6"): [("arm", "v5")],
}
_URL = re.compile(r"^(.*)://(.*)/v2/(.*)/manifests/(.*)")


Document = t.Dict[str, t.Any]
PlatformMatch = t.Callable[[Document], bool]


class ManifestError(Exception):
    """A manifest cannot be read. The text is the ``message`` of the manager's 500."""


class ManifestReader:
    """Reads manifests like one release.

    :param profile: ``Profile``, whose attributes are data.
    """

    def __init__(self, profile: t.Any, reach: Reach, refuse_loopback: bool = False) -> None:
        self._profile = profile
        self._plain = profile.manifest_reader == "plain"
        self._reach = reach
        self._refuse_loopback = refuse_loopback and profile.refuses_loopback

    async def blobs(self, url: str, args: Document) -> tuple[list[str], dict[str, str]]:
        """Return the URLs of the blobs that a preheat of an image requests, and the headers to request them with.

        :param url: of the manifest.
        :param args: the job's, for credentials, headers and platform.
        :raises ManifestError: if the manager finds no such manifest.
        """
        match = _URL.match(url)
        if not match:
            raise ManifestError("parse access url failed")
        scheme, host, name, reference = match.groups()
        base = f"{scheme}://{host}/v2/{name}"
        headers = dict(args.get("headers") or {})
        if self._plain:
            manifests = [await self._read_plain(url, headers)]
        else:
            client = _Distribution(self._reach, self._refuse_loopback, f"{scheme}://{host}/v2/", name, args, headers)
            manifests = await client.read(reference, self._profile.platform_matching)
        urls = []
        for manifest in manifests:
            config = [manifest["config"]] if "config" in manifest else []
            urls += [f"{base}/blobs/{descriptor['digest']}" for descriptor in config + manifest["layers"]]
        return urls, headers

    async def _read_plain(self, url: str, headers: dict[str, str]) -> Document:
        """Read like up to 2.1.20: schema 2 only, with an anonymous token (added to ``headers``) or the job's own."""
        answer = await _get(self._reach, url, dict(headers, Accept=SCHEMA2), self._refuse_loopback)
        if answer.status == 401:
            challenge = _challenge(answer)
            if challenge.get("scheme") != "bearer":
                raise ManifestError("authenticate failed")
            token = await _get(
                self._reach,
                challenge["realm"]
                + "?"
                + urlencode([(key, challenge[key]) for key in ("service", "scope") if key in challenge]),
                {},
                self._refuse_loopback,
            )
            try:
                headers["Authorization"] = f"Bearer {json.loads(token.body.decode())['token']}"
            except (ValueError, KeyError):
                raise ManifestError("get token failed") from None
            answer = await _get(self._reach, url, dict(headers, Accept=SCHEMA2), self._refuse_loopback)
        if answer.status // 100 != 2:
            raise ManifestError(f"request registry {answer.status}")
        return _manifest(answer)[1]


async def _get(reach: Reach, url: str, headers: dict[str, str], refuse_loopback: bool) -> Answer:
    try:
        return await reach.fetch(url, headers, refuse_loopback)
    except ReachError as exc:
        raise ManifestError(f'Get "{url}": {exc}') from None


def _challenge(answer: Answer) -> dict[str, str]:
    """Return scheme and parameters of a Www-Authenticate."""
    scheme, _space, parameters = answer.headers.get("Www-Authenticate", "").partition(" ")
    return dict(re.findall(r'(\w+)="([^"]*)"', parameters), scheme=scheme.lower())


def _manifest(answer: Answer) -> tuple[str, Document]:
    """Return media type and document of a manifest."""
    try:
        document = json.loads(answer.body.decode())
        kind = document.get("mediaType") or answer.headers.get("Content-Type", "").partition(";")[0]
        known = "layers" in document or "manifests" in document
    except (ValueError, AttributeError):
        known = False
    if not known:
        raise ManifestError("unknown manifest type")
    return kind, document


class _Distribution:
    """The client of github.com/distribution/distribution, which managers use from 2.1.21 on.

    :param root: URL of the registry's ``/v2/``.
    :param headers: dict of headers to send, to which credentials are added.
    """

    def __init__(
        self, reach: Reach, refuse_loopback: bool, root: str, name: str, args: Document, headers: dict[str, str]
    ) -> None:
        self._reach = reach
        self._refuse_loopback = refuse_loopback
        self._root = root
        self._name = name
        self._args = args
        self._headers = headers

    async def read(self, reference: str, platform_matching: str) -> list[Document]:
        """Return the manifests for the job's platform."""
        await self._sign_in()
        wanted = self._args.get("platform") or _OWN_PLATFORM
        kind, document = await self._fetch(reference)
        if kind not in (LIST, INDEX):
            return [document]
        is_match = _only(wanted) if platform_matching == "only" else _same_architecture(wanted)
        chosen = [entry for entry in document["manifests"] if is_match(entry.get("platform") or {})]
        if not chosen:
            raise ManifestError(f"no matching manifest for platform {wanted}")
        manifests = []
        for entry in chosen:
            child, manifest = await self._fetch(entry["digest"])
            if child in (LIST, INDEX):
                raise ManifestError("unknown manifest type")
            manifests.append(manifest)
        return manifests

    async def _sign_in(self) -> None:
        ping = await _get(self._reach, self._root, {}, self._refuse_loopback)
        has_header = any(key.lower() == "authorization" for key in self._headers)
        if ping.status != 401 or has_header:
            return
        challenge = _challenge(ping)
        user, password = self._args.get("username") or "", self._args.get("password") or ""
        basic = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
        if challenge["scheme"] == "basic":
            if user:
                self._headers["Authorization"] = basic
            return
        query = {"scope": f"repository:{self._name}:pull"}
        if challenge.get("service"):
            query["service"] = challenge["service"]
        if user:
            query.update(account=user)
        realm = challenge.get("realm", "")
        answer = await _get(
            self._reach, realm + "?" + urlencode(query), {"Authorization": basic} if user else {}, False
        )
        if answer.status // 100 != 2:
            raise ManifestError(_refusal(answer))
        try:
            token = json.loads(answer.body.decode())
            self._headers["Authorization"] = f"Bearer {token.get('token') or token['access_token']}"
        except (ValueError, KeyError):
            raise ManifestError("authorization server did not include a token in the response") from None

    async def _fetch(self, reference: str) -> tuple[str, Document]:
        url = f"{self._root}{self._name}/manifests/{reference}"
        answer = await _get(self._reach, url, dict(self._headers, Accept=_ACCEPT), self._refuse_loopback)
        if answer.status // 100 != 2:
            raise ManifestError(_refusal(answer))
        return _manifest(answer)


def _refusal(answer):
    """Return the error of distribution's client for an error response (registry/client/errors.go)."""
    if not 400 <= answer.status < 500:
        return f"received unexpected HTTP status: {answer.status_line}"
    text = answer.body.decode("utf-8", "replace")
    try:
        errors = json.loads(text)["errors"]
        lines = [f"{error['code'].lower().replace('_', ' ')}: {error['message']}" for error in errors]
    except (ValueError, KeyError, TypeError):
        lines = []
    if len(lines) == 1:
        return lines[0]
    if lines:
        return "errors:\n{}\n".format("\n".join(lines))
    if answer.status == 401:
        return "unauthorized: authentication required"
    return (
        f"error parsing HTTP {answer.status} response body: invalid character '{text[:1]}' looking for "
        f"beginning of value: {json.dumps(text)}"
    )


def _same_architecture(wanted: str) -> PlatformMatch:
    """Return the rule of releases up to 2.5.1: system and architecture count, the variant does not."""
    system, architecture = (wanted.split("/") + [""])[:2]
    return lambda platform: (platform.get("os"), platform.get("architecture")) == (system, architecture)


def _only(wanted: str) -> PlatformMatch:
    """Return the rule of upstream's main branch (pkg/oci/resolver.go)."""
    system, architecture, variant = (wanted.split("/") + ["", ""])[:3]
    own = architecture, _variant(architecture, variant)
    accepted = [own, *_ALSO_ACCEPTED.get(own, [])]

    def is_match(platform: Document) -> bool:
        architecture = platform.get("architecture") or ""
        names = architecture, _variant(architecture, platform.get("variant") or "")
        return platform.get("os") == system and names in accepted

    return is_match


def _variant(architecture: str, variant: str) -> str:
    """Return a variant as containerd/platforms normalizes it."""
    if architecture == "arm":
        return variant or "v7"
    return "" if (architecture, variant) in (("arm64", "v8"), ("amd64", "v1")) else variant
