# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the manager reads an image's manifest while it answers a POST (manager/job/preheat.go, internal/job/image.go)."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import urlencode

from .reach import ReachError

SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_ACCEPT = ", ".join(
    ("application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json", SCHEMA2, LIST, OCI, INDEX)
)
_OWN_PLATFORM = "linux/amd64"
_URL = re.compile(r"^(.*)://(.*)/v2/(.*)/manifests/(.*)")


class ManifestError(Exception):
    """Why a manifest cannot be had; the text is the ``message`` of the manager's 500."""


class ManifestReader:
    """Reads manifests as one release does.

    :param profile: L(Profile).
    :param reach: L(Reach).
    """

    def __init__(self, profile, reach, refuse_loopback=False):
        self._plain = profile.manifest_reader == "plain"
        self._reach = reach
        self._refuse_loopback = refuse_loopback and profile.refuses_loopback

    async def blobs(self, url, args):
        """URLs of the blobs that a preheat of an image asks for, and the headers to ask with.

        :param url: manifest URL (str).
        :param args: the job's, for credentials, headers and platform.
        :raises ManifestError: if there is no such manifest for the manager.
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
            manifests = await client.read(reference)
        urls = []
        for manifest in manifests:
            config = [manifest["config"]] if "config" in manifest else []
            urls += [f"{base}/blobs/{blob['digest']}" for blob in config + manifest["layers"]]
        return urls, headers

    async def _read_plain(self, url, headers):
        """Up to 2.1.20: Docker's schema 2 only, anonymous bearer token (put into ``headers``) or the job's headers."""
        answer = await _get(self._reach, url, dict(headers, Accept=SCHEMA2), self._refuse_loopback)
        if answer.status == 401:
            challenge = _challenge(answer)
            if challenge.get("scheme") != "bearer":
                raise ManifestError("authenticate failed")
            token = await _get(
                self._reach,
                challenge["realm"]
                + "?"
                + urlencode({key: challenge[key] for key in ("service", "scope") if key in challenge}),
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


async def _get(reach, url, headers, refuse_loopback):
    try:
        return await reach.fetch(url, headers, refuse_loopback)
    except ReachError as exc:
        raise ManifestError(f'Get "{url}": {exc}') from None


def _challenge(answer):
    """Scheme and parameters of a Www-Authenticate."""
    scheme, _space, parameters = answer.headers.get("Www-Authenticate", "").partition(" ")
    return dict(re.findall(r'(\w+)="([^"]*)"', parameters), scheme=scheme.lower())


def _manifest(answer):
    """Media type and document of a manifest."""
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
    :param headers: dict of headers to send, into which the credentials go.
    """

    def __init__(self, reach, refuse_loopback, root, name, args, headers):
        self._reach = reach
        self._refuse_loopback = refuse_loopback
        self._root = root
        self._name = name
        self._args = args
        self._headers = headers

    async def read(self, reference):
        await self._sign_in()
        wanted = self._args.get("platform") or _OWN_PLATFORM
        kind, document = await self._fetch(reference)
        if kind not in (LIST, INDEX):
            return [document]
        chosen = [
            entry for entry in document["manifests"] if _platform(entry) == _platform({"platform": _parse(wanted)})
        ]
        if not chosen:
            raise ManifestError(f"no matching manifest for platform {wanted}")
        urls = []
        for entry in chosen:
            child, manifest = await self._fetch(entry["digest"])
            if child in (LIST, INDEX):
                raise ManifestError("unknown manifest type")
            urls.append(manifest)
        return urls

    async def _sign_in(self):
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
            self._headers["Authorization"] = "Bearer %s" % (token.get("token") or token["access_token"])
        except (ValueError, KeyError):
            raise ManifestError("authorization server did not include a token in the response") from None

    async def _fetch(self, reference):
        url = f"{self._root}{self._name}/manifests/{reference}"
        answer = await _get(self._reach, url, dict(self._headers, Accept=_ACCEPT), self._refuse_loopback)
        if answer.status // 100 != 2:
            raise ManifestError(_refusal(answer))
        return _manifest(answer)


def _refusal(answer):
    """Return what distribution's client makes of an error answer (registry/client/errors.go)."""
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


def _parse(platform):
    parts = platform.split("/")
    return {"os": parts[0], "architecture": parts[1] if len(parts) > 1 else ""}


def _platform(entry):
    """Operating system and architecture, all that managers look at."""
    platform = entry.get("platform") or {}
    return platform.get("os"), platform.get("architecture")
