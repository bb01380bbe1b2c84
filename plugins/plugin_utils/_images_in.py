# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image references in Kubernetes manifests, what Helm prints, and compose files.

PRIVATE to the collection.
"""

from __future__ import annotations

import io
import re
import typing as t
from collections.abc import Iterator, Mapping, Sequence

import yaml
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import InputError
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._image import parse_image

# In every pod template, wherever it is: Pod, Deployment, CronJob, List, resources of operators.
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
# BaseLoader makes strings of all scalars and knows no types, so that no tag, date or "=" stops it.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOTHING = ("", "~", "null")
_HELM_RELEASE = re.compile(r"NAME: ")
_HELM_NOTES = re.compile(r"^NOTES:$", re.MULTILINE)
_VARIABLE = re.compile(r"\$|\{\{")


def images_in(source: object) -> list[str]:
    """Return the references as they are written, each once, in the order in which they come first.

    Source of the keys: Kubernetes API reference (PodSpec, Container, ImageVolumeSource), and the Compose specification
    (services, ``image``, ``pull_policy``, volumes of the type ``image``).

    :param source: YAML text with any number of documents, a document that is parsed already, or a list of both.
    :raises InputError: if a text is no YAML, a document is neither mapping nor list, or a reference is none.
    """
    references: dict[str, None] = {}
    try:
        for place, document in _documents(source, "the input"):
            for where, reference in _Walk().document(document):
                _check(reference, f"{place}: {where}")
                references.setdefault(reference)
    except RecursionError:
        raise InputError("the input is nested too deeply.") from None
    return list(references)


def _documents(source: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(source, str):
        for number, document in enumerate(_parsed(source, name), 1):
            if isinstance(document, str) and document in _NOTHING:
                continue
            place = f"{name}, document {number}"
            if isinstance(document, str):
                raise InputError(f"{place} is a text and no manifest. See lookup('ansible.builtin.file') for files.")
            yield place, document
    elif isinstance(source, Mapping):
        yield name, source
    elif isinstance(source, Sequence) and not isinstance(source, bytes):
        for number, item in enumerate(source, 1):
            yield from _documents(item, f"{name}, item {number}")
    elif source is not None:
        raise InputError(f"{name} is neither YAML text nor a mapping nor a list of these, but {type(source).__name__}.")


def _parsed(text: str, name: str) -> list[object]:
    if _HELM_RELEASE.match(text):
        text = _HELM_NOTES.split(text)[0]
    try:
        # As a stream, for libyaml refuses subclasses of str, which Ansible makes of its strings.
        return list(yaml.load_all(io.StringIO(text), Loader=_LOADER))  # noqa: S506 - it makes strings, lists and dicts
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise InputError(f"{name} is not valid YAML{where}: {getattr(error, 'problem', None) or error}.") from None


class _Walk:
    """One document. Each part is looked at once, however often it is referred to by an alias."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def document(self, document: object) -> Iterator[tuple[str, str]]:
        """Yield where a reference is, and the reference."""
        if isinstance(document, Mapping) and "apiVersion" not in document:
            services = _merged(document).get("services")
            if isinstance(services, Mapping):
                yield from _compose(services)
                return
        yield from self._part(document, "")

    def _part(self, part: object, path: str) -> Iterator[tuple[str, str]]:
        if not isinstance(part, (Mapping, list, tuple)) or id(part) in self._seen:
            return
        self._seen.add(id(part))
        if not isinstance(part, Mapping):
            for number, item in enumerate(part):
                yield from self._part(item, f"{path}[{number}]")
            return
        part = _merged(part)
        for key, value in part.items():
            here = f"{path}.{key}" if path else str(key)
            if key in _CONTAINERS:
                yield from _containers(value, here)
            elif key == "volumes":
                yield from _image_volumes(value, here)
            yield from self._part(value, here)


def _items(value: object) -> Iterator[tuple[int, Mapping[str, t.Any]]]:
    for number, item in enumerate(value if isinstance(value, (list, tuple)) else ()):
        if isinstance(item, Mapping):
            yield number, _merged(item)


def _containers(value: object, path: str) -> Iterator[tuple[str, str]]:
    for number, container in _items(value):
        if container.get("imagePullPolicy") != "Never" and _is_reference(container.get("image")):
            yield f"{path}[{number}].image", container["image"]


def _image_volumes(value: object, path: str) -> Iterator[tuple[str, str]]:
    for number, volume in _items(value):
        image = volume.get("image")
        if isinstance(image, Mapping) and image.get("pullPolicy") != "Never" and _is_reference(image.get("reference")):
            yield f"{path}[{number}].image.reference", image["reference"]


def _compose(services: Mapping[str, t.Any]) -> Iterator[tuple[str, str]]:
    for name, service in _merged(services).items():
        if not isinstance(service, Mapping):
            continue
        service = _merged(service)
        if service.get("pull_policy") not in ("never", "build") and _is_reference(service.get("image")):
            yield f"services.{name}.image", service["image"]
        for number, volume in _items(service.get("volumes")):
            if volume.get("type") == "image" and _is_reference(volume.get("source")):
                yield f"services.{name}.volumes[{number}].source", volume["source"]


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value not in _NOTHING


def _merged(mapping: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    """Return a mapping with what its merge keys (``<<``) bring, which count less than its own."""
    merge = mapping.get("<<")
    if merge is None:
        return mapping
    merged: dict[str, t.Any] = {}
    for item in reversed(merge if isinstance(merge, list) else [merge]):
        if isinstance(item, Mapping):
            merged.update(_merged(item))
    merged.update((key, value) for key, value in mapping.items() if key != "<<")
    return merged


def _check(reference: str, place: str) -> None:
    if _VARIABLE.search(reference):
        raise InputError(
            f"{place} is {reference!r}, which holds a variable. Render it first, as helm template and docker compose "
            "config do."
        )
    try:
        parse_image(reference)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
