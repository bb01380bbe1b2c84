# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain why the task IDs of a host and of a preheat differ."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from ...module_utils._redact import redact_url
from ...module_utils._task_id import Recipe
from .client import BlobRequest, Client
from .images import PreheatedImage
from .reasons import Reason, reason
from .seeds import SeedRecipe
from .setting import Setting

_FILTER_EXAMPLES = {
    "dfget": "'Expires&Signature&ns', separated by &",
    "dfdaemon": "the list replaces the default one; leave it out or append ns",
}


def explain_difference(
    image: PreheatedImage, digest: str, client: Client, request: BlobRequest, seeds: SeedRecipe
) -> list[Reason]:
    """Return why the task IDs of a blob differ.

    :param client: client of the host.
    :param request: the client's request for the blob.
    """
    host_recipe, seed_recipe = client.recipe, seeds.recipe
    if host_recipe is None or seed_recipe is None:
        return [reason("ids_of_their_own")]
    fixed = _fixed_id_difference(image, client, request, seeds)
    if fixed:
        return [fixed]
    url = image.blob_url(digest)
    try:
        host_url = _host_url(host_recipe, request)
        preheat_url = urlsplit(seed_recipe.query_filter(url, []))
        reasons = _url_differences(client, request, host_url, preheat_url)
    except ValueError as error:
        base = request.base_setting
        return [reason("url_invalid", *base.where, value=redact_url(base.value), error=error)]
    reasons += _input_differences(image, request, host_recipe, seed_recipe)
    inputs = image.id_inputs
    if host_recipe.task_id(url, (), **inputs) != seed_recipe.task_id(url, (), **inputs):
        values = {"host_client": client.name, "host_release": client.release_text, "seed": seeds.client}
        reasons.append(reason("recipes_differ", **values))
    return reasons or [reason("ids_differ")]


def _host_url(recipe: Recipe, request: BlobRequest) -> SplitResult:
    """Return the URL from which a host computes the task ID.

    :raises ValueError: if the client cannot parse it, or it is unknown how.
    """
    url = recipe.query_filter(request.url, list(request.query_filter.value))
    if not url:
        raise ValueError("the client cannot parse it")
    return urlsplit(url)


def _fixed_id_difference(
    image: PreheatedImage, client: Client, request: BlobRequest, seeds: SeedRecipe
) -> Reason | None:
    """Return why only one side has task IDs that are not computed from the URL."""
    by_digest, fixed_id = seeds.uses_blob_digests(image), request.fixed_id
    if fixed_id is None:
        return _missing_fixed_id(image, client, by_digest)
    if fixed_id.key.startswith("X-Dragonfly-Content"):
        return reason("content_id", *fixed_id.where)
    if by_digest is None:
        return reason("blob_digest_ids_unknown", *fixed_id.where)
    return None if by_digest else reason("blob_digest_ids", *fixed_id.where)


def _missing_fixed_id(image: PreheatedImage, client: Client, by_digest: bool | None) -> Reason | None:
    """Return why only the preheat has task IDs that are not computed from the URL."""
    # As with tags, the default is assumed: only a host that differs from it has a difference.
    if by_digest is None and image.blob_digest_ids:
        return reason("blob_digest_ids_unknown", client.path)
    key = "proxy.registryMirror.enableTaskIDBasedBlobDigest"
    return reason("blob_digest_ids_missing", client.path, key) if by_digest else None


def _input_differences(
    image: PreheatedImage, request: BlobRequest, host_recipe: Recipe, seed_recipe: Recipe
) -> list[Reason]:
    reasons = []
    for name, preheat in image.id_inputs.items():
        sent: Setting = getattr(request, name)
        matters = host_recipe.uses(name) or seed_recipe.uses(name)
        if matters and sent.value != preheat:
            values = {"what": f"the {name.replace('_', ' ')}", "host": sent.value, "preheat": preheat}
            reasons.append(reason("tag_mismatch", *sent.where, **values))
    if request.byte_range.value and host_recipe.uses("byte_range"):
        reasons.append(_range_reason(request))
    return reasons


def _range_reason(request: BlobRequest) -> Reason:
    if request.byte_range.key:
        return reason("range_header", *request.byte_range.where)
    return reason("range_in_every_request")


def _url_differences(
    client: Client, request: BlobRequest, host_url: SplitResult, preheat_url: SplitResult
) -> list[Reason]:
    reasons = []
    if request.rewritten_by and host_url[:3] != preheat_url[:3]:
        reasons.append(reason("rewritten_url", *request.rewritten_by.where))
    elif host_url[:2] != preheat_url[:2]:
        reasons.append(_base_difference(request, host_url, preheat_url))
    elif host_url.path != preheat_url.path:
        reasons.append(_path_difference(client, request, host_url, preheat_url))
    if host_url.query != preheat_url.query:
        reasons.append(_query_difference(client, request, host_url.query))
    return reasons


def _query_difference(client: Client, request: BlobRequest, query: str) -> Reason:
    names, file, key = request.query_filter
    if "ns" not in names and "ns=" in query:
        return reason("filter_without_ns", file, key, example=_FILTER_EXAMPLES[client.name])
    return reason("query_left", file, key, query=query)


def _base_difference(request: BlobRequest, host_url: SplitResult, preheat_url: SplitResult) -> Reason:
    _base, file, key = request.base
    if key == "proxy.registryMirror.dynamic":
        return reason("static_mirror", file, key)
    bases = {
        "host": f"{host_url.scheme}://{host_url.netloc}",
        "preheat": f"{preheat_url.scheme}://{preheat_url.netloc}",
    }
    if not request.names_registry:
        return reason("mirror_serves_another", file, key, **bases)
    if key == "ns":
        # A header in _default would send the pulls of all other registries to this one.
        is_default = file.endswith("/_default/hosts.toml")
        return reason("base_inferred_by_default" if is_default else "base_inferred", file, **bases)
    return reason("base_differs", file, key, **bases)


def _path_difference(client: Client, request: BlobRequest, host_url: SplitResult, preheat_url: SplitResult) -> Reason:
    base, file, key = request.base
    if client.name == "dfdaemon" and base.endswith("/"):
        return reason("trailing_slash", file, key)
    paths = {side: url.path.rpartition("/blobs/")[0] for side, url in (("host", host_url), ("preheat", preheat_url))}
    return reason("path_differs", file, key, **paths)
