# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An OCI registry that behaves like Docker's registry 2.8, and an origin of files."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections import Counter

from .images import build, digest_of
from .manifests import INDEX, LIST, OCI, SCHEMA2
from .server import Reply

_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<what>manifests|blobs)/(?P<reference>[^/]+)$")


class Image:
    """An image in the registry.

    :param base: base URL of the registry as hosts write it.
    """

    def __init__(self, base, name, tag, top, platforms):
        host = base.partition("://")[2]
        self.name = name
        self.tag = tag
        self.digest = top.digest
        #: As in ``127.0.0.1:5000/library/app:1``.
        self.reference = f"{host}/{name}:{tag}"
        #: The reference for the module: with ``http://`` if the registry uses plain HTTP.
        self.source = ("http://" if base.startswith("http://") else "") + self.reference
        self.manifest_url = f"{base}/v2/{name}/manifests/{tag}"
        self.digest_url = f"{base}/v2/{name}/manifests/{top.digest}"
        #: Platform to ``images.Manifest``.
        self.platforms = platforms
        self._root = f"{base}/v2/{name}/blobs/"

    def blobs(self, platform=None):
        """Return the URLs of the blobs of one platform, config first, without foreign layers.

        :param platform: such as ``linux/arm64``, None for the first one.
        """
        manifest = self.platforms[platform or next(iter(self.platforms))]
        return [self._root + digest for digest in manifest.pulled]

    def as_dict(self):
        return {
            "reference": self.reference,
            "source": self.source,
            "digest": self.digest,
            "manifest_url": self.manifest_url,
            "digest_url": self.digest_url,
            "blobs": {platform: self.blobs(platform) for platform in self.platforms},
        }


class Registry:
    """The content of the registry and its access control."""

    def __init__(self):
        self._manifests = {}
        self._tags = {}
        self._blobs = {}
        self._files = {}
        self._tokens = set()
        #: ``None``, ``basic`` or ``token`` (a bearer token from ``/token``).
        self.auth = None
        self.user = "puller"
        self.password = "sandbox-registry"
        #: Whether tokens permit pulls.
        self.anonymous_pull = False
        #: Whether blobs are redirected, as registries with object storage do.
        self.redirect_blobs = False
        #: How it lies: ``content`` (another manifest for a digest), ``header`` (another Docker-Content-Digest),
        #: ``size`` (other sizes in an index), ``platforms`` (none in an index).
        self.lie = None
        #: The token service in its challenge, None for its own.
        self.realm = None
        #: Whether its challenge contains a scope.
        self.names_scope = True
        #: GET requests of each blob, by digest.
        self.blob_requests: Counter[str] = Counter()

    # Content

    def add_image(self, base, name, tag, version=1, **options):
        """Build an image and push it. To move a tag, push it with another ``version``.

        :param options: those of ``images.build``.
        """
        top, platforms, blobs = build(f"{name}:{tag} version {version}", **options)
        store = self._manifests.setdefault(name, {})
        waiting = [top]
        while waiting:
            manifest = waiting.pop()
            store[manifest.digest] = manifest
            waiting += manifest.children
        self._tags.setdefault(name, {})[tag] = top.digest
        self._blobs.setdefault(name, {}).update(blobs)
        return Image(base, name, tag, top, platforms)

    def delete_blob(self, digest, name=None):
        """Lose a blob, in one repository or in all."""
        for repository, blobs in self._blobs.items():
            if name in (None, repository):
                blobs.pop(digest, None)

    def delete_tag(self, name, tag):
        self._tags.get(name, {}).pop(tag, None)

    def add_file(self, path, content):
        self._files[path] = content

    # Responses

    async def answer(self, request, _body):
        path = request.path
        if path.startswith("/files/"):
            return self._blob(request, self._files.get(path[7:]))
        if path == "/token":
            return self._token(request)
        if path.startswith("/_blobs/"):
            return self._blob(request, self._find_blob(path[8:]))
        if not path.startswith("/v2/"):
            return Reply.text("404 page not found\n", 404)
        match = _PATH.match(path)
        refused = self._refuse(request, match.group("name") if match else None)
        if refused:
            return refused
        if path == "/v2/":
            return Reply(200, b"{}", {"Content-Type": "application/json; charset=utf-8"})
        if not match or request.method not in ("GET", "HEAD"):
            return Reply.text("404 page not found\n", 404)
        name, reference = match.group("name"), match.group("reference")
        if match.group("what") == "manifests":
            return self._manifest(request, name, reference)
        return self._blob_of_repository(request, name, reference)

    def _blob_of_repository(self, request, name, reference):
        content = self._blobs.get(name, {}).get(reference)
        if request.method == "GET":
            self.blob_requests[reference] += 1
        if content is None:
            return _error(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": reference})
        if self.redirect_blobs:
            return Reply(307, b"", {"Location": f"/_blobs/{reference}"})
        return self._blob(request, content, reference)

    def _find_blob(self, digest):
        return next((blobs[digest] for blobs in self._blobs.values() if digest in blobs), None)

    def _blob(self, request, content, digest=None):
        if content is None:
            return Reply.text("404 page not found\n", 404)
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        if digest:
            headers["Docker-Content-Digest"] = digest
        requested = re.match(r"bytes=(\d+)-(\d*)$", request.headers.get("Range", ""))
        if not requested:
            return Reply(200, content, headers)
        first, last = int(requested.group(1)), min(int(requested.group(2) or len(content)), len(content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        return Reply(206, content[first : last + 1], headers)

    def _manifest(self, request, name, reference):
        by_tag = not reference.startswith("sha256:")
        digest = self._tags.get(name, {}).get(reference) if by_tag else reference
        manifest = self._manifests.get(name, {}).get(digest)
        if manifest is None:
            return _error(
                404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": reference} if by_tag else {"revision": reference}
            )
        accepted = _accepted_types(request)
        if manifest.kind in _NOT_ACCEPTED and manifest.kind not in accepted:
            return _error(404, "MANIFEST_UNKNOWN", _NOT_ACCEPTED[manifest.kind])
        if by_tag and manifest.kind == LIST and LIST not in accepted:
            digest = _default_digest(manifest)
            if digest is None:
                return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            manifest = self._manifests[name][digest]
        if by_tag and manifest.kind == SCHEMA2 and SCHEMA2 not in accepted:
            # The registry would convert it to schema 1, which fails for images without a history.
            return _error(400, "MANIFEST_INVALID", "manifest invalid")
        body, digest = self._tell(manifest, by_tag)
        return Reply(
            200, body, {"Content-Type": manifest.kind, "Docker-Content-Digest": digest, "Etag": f'"{manifest.digest}"'}
        )

    def _tell(self, manifest, by_tag):
        """Return the body and digest of a manifest as the registry reports them."""
        if self.lie in ("size", "platforms") and manifest.children and by_tag:
            body = _falsify_index(manifest.body, self.lie)
            return body, digest_of(body)
        body = manifest.body + b"\n" if self.lie == "content" and not by_tag else manifest.body
        return body, digest_of(b"") if self.lie == "header" else manifest.digest

    # Access control

    def _refuse(self, request, name):
        """Return the 401 or 403 for a request, None if it is allowed."""
        if not self.auth:
            return None
        given = request.headers.get("Authorization", "")
        if self.auth == "basic":
            if given == _basic(self.user, self.password):
                return None
            return _error(
                401, "UNAUTHORIZED", "authentication required", headers={"Www-Authenticate": 'Basic realm="sandbox"'}
            )
        scheme, _space, token = given.partition(" ")
        if scheme.lower() == "bearer" and token in self._tokens:
            return None
        realm = self.realm or f"{request.scheme}://{request.host}/token"
        challenge = f'Bearer realm="{realm}",service="sandbox"'
        if name and self.names_scope:
            challenge += f',scope="repository:{name}:pull"'
        return _error(401, "UNAUTHORIZED", "authentication required", headers={"Www-Authenticate": challenge})

    def _token(self, request):
        given = request.headers.get("Authorization")
        if given != _basic(self.user, self.password) and (given or not self.anonymous_pull):
            return _error(401, "UNAUTHORIZED", "authentication required")
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return Reply.json({"token": token, "expires_in": 300})


def _falsify_index(body, lie):
    document = json.loads(body)
    for entry in document["manifests"]:
        if lie == "size":
            entry["size"] += 1
        else:
            del entry["platform"]
    return json.dumps(document).encode()


def _basic(user, password):
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


#: Kind of a manifest: the error for a client that does not accept it.
_NOT_ACCEPTED = {
    OCI: "OCI manifest found, but accept header does not support OCI manifests",
    INDEX: "OCI index found, but accept header does not support OCI indexes",
}


def _accepted_types(request):
    values = ",".join(request.headers.getall("Accept", [])).split(",")
    return {media_type.strip().partition(";")[0] for media_type in values}


def _default_digest(manifest):
    """Return the digest of the image in a list that the registry sends to old clients, None if there is none."""
    for entry in json.loads(manifest.body.decode())["manifests"]:
        if entry["platform"] == {"os": "linux", "architecture": "amd64"}:
            return entry["digest"]
    return None


def _error(status, code, message, detail=None, headers=None):
    entry = {"code": code, "message": message}
    if detail is not None:
        entry["detail"] = detail
    return Reply.json({"errors": [entry]}, status, headers)
