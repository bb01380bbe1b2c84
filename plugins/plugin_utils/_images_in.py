# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extract image references from Kubernetes manifests, output of Helm, and compose files."""

from __future__ import annotations

import io
import re
import typing as t
from collections.abc import Iterator, Mapping, Sequence

import yaml

from ..module_utils._errors import InputError
from ..module_utils._image import parse_image
from ..module_utils._text import trim

# Keys whose value is a container or a list of them: of pods and pod templates, of Argo's templates, of Tekton's tasks,
# of virtual machines of KubeVirt.
_CONTAINER_KEYS = frozenset(
    ["script", "steps", "stepTemplate", "containerDisk", "containerTemplate", "containerTemplates"]
)
_CONTAINER_ENDINGS = ("container", "containers", "sidecar", "sidecars")
# A mapping with an image and one of these is a container, wherever it is.
_CONTAINER_FIELDS = frozenset(
    [
        "args",
        "command",
        "env",
        "envFrom",
        "imagePullPolicy",
        "imagePullSecrets",
        "livenessProbe",
        "readinessProbe",
        "securityContext",
        "volumeMounts",
        "workingDir",
    ]
)
# Elsewhere, only unambiguous texts count: complete references at keys such as image, imageName, sidecarImage.
_IMAGE_KEY = re.compile(r"\w*image(?:_?name|_?ref(?:erence)?)?\Z", re.IGNORECASE)
# The name and the status of an object. The status contains images in other spellings.
_NOT_WALKED = frozenset(["metadata", "status"])
# Objects that contain texts or schemas and run no container.
_KINDS_NOT_WALKED = frozenset(["ConfigMap", "CustomResourceDefinition", "Secret"])
_FILE = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|ico|iso|img|qcow2|raw|vmdk|vhdx?|ova|tar|gz|xz|zst)(?::|\Z)", re.IGNORECASE
)
_DOCKER_SCHEME = "docker://"

# BaseLoader reads all scalars as strings, so tags, dates or "=" are not errors.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOTHING = ("", "~", "null")
_HELM_RELEASE = re.compile(r"NAME: ")
_HELM_NOTES = re.compile(r"^NOTES:$", re.MULTILINE)
# Of shells and compose, of Go templates, Jinja and Argo, and of Tekton.
_VARIABLE = re.compile(r"\$\{[^}]{0,256}\}|\$\([^)]{0,256}\)|\$\w+|\{\{.{0,256}?\}\}|\$|\{\{")

# A service of a compose file has one of these.
_SERVICE_KEYS = frozenset(["build", "extends", "provider"])

_Node = Mapping[str, t.Any]


class _Place(t.NamedTuple):
    """A reference and its location."""

    path: str
    reference: str


def images_in(source: object) -> list[str]:
    """Return the references as written, without duplicates, in order.

    Source of the keys: the API references of Kubernetes (PodSpec, Container, ImageVolumeSource), Argo Workflows
    (Template), Tekton (Task) and KubeVirt (ContainerDiskSource), and the Compose specification (services, ``image``,
    ``pull_policy``, volumes of the type ``image``).

    :param source: YAML text with any number of documents, a parsed document, or a list of both.
    :raises InputError: if a text is not YAML, a document is neither mapping nor list, or a reference is not valid.
    """
    references: dict[str, None] = {}
    try:
        for name, document in _documents(source, "the input"):
            for place in _Walk().document(document):
                reference = trim(place.reference)
                _check(reference, f"{name}: {place.path}")
                references.setdefault(reference)
    except RecursionError:
        raise InputError("the input is nested too deeply.") from None
    return list(references)


def _documents(source: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(source, str):
        yield from _text_documents(source, name)
    elif isinstance(source, Mapping):
        yield name, source
    elif isinstance(source, Sequence) and not isinstance(source, bytes):
        for number, item in enumerate(source, 1):
            yield from _documents(item, f"{name}, item {number}")
    elif source is not None:
        raise InputError(
            f"{name} is neither YAML text nor a mapping nor a list of these, but of the type {type(source).__name__}."
        )


def _text_documents(text: str, name: str) -> Iterator[tuple[str, object]]:
    for number, document in enumerate(_parse(text, name), 1):
        place = f"{name}, document {number}"
        if isinstance(document, str) and document not in _NOTHING:
            raise InputError(f"{place} is a string, not a manifest. See lookup('ansible.builtin.file') for files.")
        if not isinstance(document, str):
            yield place, document


def _parse(text: str, name: str) -> list[object]:
    if _HELM_RELEASE.match(text):
        text = _HELM_NOTES.split(text)[0]
    try:
        # As a stream, because libyaml rejects subclasses of str, which Ansible uses.
        return list(yaml.load_all(io.StringIO(text), Loader=_LOADER))  # noqa: S506 - it makes strings, lists and dicts
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise InputError(f"{name} is not valid YAML{where}: {getattr(error, 'problem', None) or error}.") from None


class _Walk:
    """Walks through a document. Visits each part once, even if several aliases refer to it."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def document(self, document: object) -> Iterator[_Place]:
        """Yield the references in a document."""
        if isinstance(document, Mapping) and "apiVersion" not in document:
            services = _merged(document).get("services")
            if isinstance(services, Mapping) and _is_compose(services):
                yield from _compose(services)
                return
        yield from self._part(document, "", "")

    def _part(self, part: object, path: str, key: str) -> Iterator[_Place]:
        """Yield the references in a part of a document.

        :param key: key of the part, or of the list that contains it.
        """
        if not isinstance(part, (Mapping, list, tuple)) or id(part) in self._seen:
            return
        self._seen.add(id(part))
        if isinstance(part, Mapping):
            yield from self._mapping(_merged(part), path, key)
            return
        for number, item in enumerate(part):
            here = f"{path}[{number}]"
            if key == "images" and _is_whole_reference(item):
                yield _Place(here, item)
            yield from self._part(item, here, key)

    def _mapping(self, part: _Node, path: str, key: str) -> Iterator[_Place]:
        is_pulled = "Never" not in (part.get("imagePullPolicy"), part.get("pullPolicy"))
        for name, value in _walked_items(part):
            here = f"{path}.{name}" if path else str(name)
            if is_pulled:
                yield from _own_image(part, str(name), here, key)
            if name == "volumes":
                yield from _image_volumes(value, here)
            yield from self._part(value, here, str(name))


def _walked_items(part: _Node) -> Iterator[tuple[str, t.Any]]:
    if _text(part.get("kind")) in _KINDS_NOT_WALKED and "apiVersion" in part:
        return
    for name, value in part.items():
        if name not in _NOT_WALKED or not isinstance(value, Mapping):
            yield name, value


def _own_image(part: _Node, name: str, path: str, key: str) -> Iterator[_Place]:
    """Yield the reference at a key of a mapping, if there is one.

    :param path: of the name.
    :param key: key of the mapping.
    """
    value = part.get(name)
    if isinstance(value, str):
        reference = _text_reference(part, name, value, key)
        if reference is not None:
            yield _Place(path, reference)
    elif isinstance(value, Mapping) and _IMAGE_KEY.match(name):
        yield from _composed(_merged(value), path)


def _text_reference(part: _Node, name: str, text: str, key: str) -> str | None:
    """Return the reference in the text at a key, None if it is something else."""
    if name == "image" and _is_container(part, key):
        return _strip_scheme(_with_repository(part, text)) or None
    if (key, name) == ("registry", "url"):
        is_reference = text.startswith(_DOCKER_SCHEME)
    else:
        is_reference = _IMAGE_KEY.match(name) is not None and _is_whole_reference(text)
    return _strip_scheme(trim(text)) if is_reference else None


def _is_container(part: _Node, key: str) -> bool:
    if key.lower().endswith(_CONTAINER_ENDINGS):
        return True
    is_container = key in _CONTAINER_KEYS or not _CONTAINER_FIELDS.isdisjoint(part)
    return is_container and not _FILE.search(str(part.get("image")))


def _with_repository(part: _Node, image: str) -> str:
    """Return the reference of a container, empty without one.

    Some custom resources, such as those of NVIDIA's operator, have separate fields for repository and version.
    """
    if not _is_reference(image):
        return ""
    repository, version = _text(part.get("repository")), _version(part.get("version") or part.get("tag"))
    if not (repository and version) or re.search("[/:]", image):
        return image
    return f"{repository}/{image}{'@' if version.startswith('sha256:') else ':'}{version}"


def _text(value: object) -> str:
    """Return a text, empty for anything else."""
    return value if isinstance(value, str) else ""


def _version(value: object) -> str:
    """Return a tag or digest, or an empty text. The original spelling of a number with a fraction is unknown."""
    is_version = isinstance(value, (str, int)) and not isinstance(value, bool) and str(value) not in _NOTHING
    return str(value) if is_version else ""


def _composed(part: _Node, path: str) -> Iterator[_Place]:
    """Yield the reference of a mapping of registry, repository, tag and digest, as many charts have it."""
    repository = part.get("repository") or part.get("name")
    if not isinstance(repository, str) or part.get("pullPolicy") == "Never":
        return
    registry, tag, digest = _text(part.get("registry")), _version(part.get("tag")), _version(part.get("digest"))
    reference = f"{registry}/{repository}" if registry else repository
    reference += f"@{digest}" if digest else f":{tag}"
    if _is_whole_reference(reference):
        yield _Place(path, reference)


def _image_volumes(value: object, path: str) -> Iterator[_Place]:
    for number, volume in _items(value):
        image = volume.get("image")
        if isinstance(image, Mapping) and image.get("pullPolicy") != "Never":
            yield from _reference_at("reference", image, f"{path}[{number}].image")


def _reference_at(key: str, part: _Node, path: str) -> Iterator[_Place]:
    if _is_reference(part.get(key)):
        yield _Place(f"{path}.{key}", part[key])


def _is_compose(services: _Node) -> bool:
    merged = [_merged(service) for service in _merged(services).values() if isinstance(service, Mapping)]
    return any(isinstance(service.get("image"), str) or _SERVICE_KEYS & service.keys() for service in merged)


def _compose(services: _Node) -> Iterator[_Place]:
    for name, service in _merged(services).items():
        if not isinstance(service, Mapping):
            continue
        service = _merged(service)
        if service.get("pull_policy") not in ("never", "build"):
            yield from _reference_at("image", service, f"services.{name}")
        for number, volume in _items(service.get("volumes")):
            if volume.get("type") == "image":
                yield from _reference_at("source", volume, f"services.{name}.volumes[{number}]")


def _items(value: object) -> Iterator[tuple[int, _Node]]:
    for number, item in enumerate(value if isinstance(value, (list, tuple)) else ()):
        if isinstance(item, Mapping):
            yield number, _merged(item)


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and trim(value) not in _NOTHING


def _is_whole_reference(value: object) -> bool:
    """Return whether a text is certainly a reference: it has a tag or a digest, and is not the name of a file."""
    if not _is_reference(value):
        return False
    # A variable counts as a part of a name.
    text = _VARIABLE.sub("x", _strip_scheme(trim(str(value))))
    if "://" in text or _FILE.search(text):
        return False
    try:
        image = parse_image(text)
    except InputError:
        return False
    return text.endswith((f":{image.reference}", f"@{image.reference}"))


def _strip_scheme(reference: str) -> str:
    return reference[len(_DOCKER_SCHEME) :] if reference.startswith(_DOCKER_SCHEME) else reference


def _merged(mapping: _Node) -> _Node:
    """Return a mapping with its merge keys (``<<``) applied, which its own keys override."""
    merge = mapping.get("<<")
    if merge is None:
        return mapping
    merged: dict[str, t.Any] = {}
    for source in reversed(merge if isinstance(merge, list) else [merge]):
        if isinstance(source, Mapping):
            merged.update(_merged(source))
    merged.update((key, value) for key, value in mapping.items() if key != "<<")
    return merged


def _check(reference: str, place: str) -> None:
    if _VARIABLE.search(reference):
        raise InputError(
            f"{place} is {reference!r}, which holds a variable. What to do: render it first, as helm template and "
            "docker compose config do. Leave out images that are known only when a workflow runs, and list them."
        )
    try:
        parse_image(reference)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
