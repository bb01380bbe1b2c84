# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring an object of the manager to a desired state: find, compare, create, update, delete, read back."""

from __future__ import annotations

import typing as t

from ._client import DragonflyClient
from ._errors import ApiError, DragonflyError, GarbledError, InputError, TransportError, may_have_been_applied
from ._polling import Clock, poll

#: An object as the manager returns it.
Row = t.Dict[str, t.Any]
#: The settings of an object: all keys are present and spelled the same for all releases; no secrets.
View = t.Dict[str, t.Any]

# Replicas of a manager may return cached objects for 30 s (manager/database/cacher.go of 2.2.0 and later).
_STALE_SECONDS = 35
_SECONDS_BETWEEN = 2


class Change(t.NamedTuple):
    """A change, which check mode only predicts.

    :ivar before: view of the object before the change, None if it did not exist.
    :ivar after: view of the object after the change, None if it does not exist.
    :ivar row: the object as the manager now returns it, None if it does not exist or is created in check mode.
    """

    changed: bool
    before: View | None
    after: View | None
    row: Row | None = None

    def diff(self, title: str) -> dict[str, t.Any]:
        """Return Ansible's ``diff``."""
        return {"before_header": title, "after_header": title, "before": self.before or {}, "after": self.after or {}}


class Refusal(t.NamedTuple):
    """Meaning of an error whose message contains a text."""

    message_part: str
    reason: str
    meaning: str


class ManagedResource:
    """An object of the manager. Subclasses define the kind of object.

    :param path: of the objects, such as ``/oapi/v1/clusters``.
    """

    #: Kind of object in messages.
    kind = ""
    #: Types of a row's keys. Each value may be null.
    types: dict[str, type] = {}
    #: Top-level keys that a manager cannot empty, because it ignores empty values.
    cannot_empty: tuple[str, ...] = ("bio",)
    refusals: tuple[Refusal, ...] = ()

    def __init__(self, client: DragonflyClient, path: str, clock: Clock) -> None:
        self.client = client
        self.path = path
        self.clock = clock

    # Defined by subclasses

    def find(self) -> Row | None:
        """Return the object as the manager returns it, None if it does not exist."""
        raise NotImplementedError

    def view(self, row: Row) -> View:
        """Return the settings of an object."""
        raise NotImplementedError

    def new(self, before: View | None) -> View:
        """Return the settings of an object that is created without any option.

        :param before: view of the object that it replaces, or None.
        """
        raise NotImplementedError

    def body(self, planned: View, before: View | None) -> dict[str, t.Any]:
        """Return the body of the request that creates or updates an object.

        :param before: view of the object to update, or None to create it.
        """
        raise NotImplementedError

    def check(self, planned: View, before: View | None) -> None:
        """Validate the planned settings: refuse what the manager would refuse, ignore or misread.

        :raises InputError: if they are not valid.
        """
        for key in self.cannot_empty:
            if before and before.get(key) and not planned.get(key):
                raise InputError(
                    f"{key} of the {self.kind} cannot be set to an empty value, because the manager would ignore it."
                )

    def check_deletion(self, row: Row) -> None:
        """Fail in check mode if the manager would refuse to delete the object.

        :raises DragonflyError: if it would.
        """

    def freshest(self, answered: Row, read_back: Row) -> Row:
        """Return the row to use: the response to a write, or the row that was read after it."""
        return read_back

    # Reading

    def checked(self, row: t.Any, request: str) -> Row:
        """Return a row after checking its types.

        :param request: verb and path, for errors.
        :raises GarbledError: if it is not a row of this kind.
        """
        if not isinstance(row, dict) or not isinstance(row.get("id"), int):
            raise GarbledError(f"{request}: the response is not a {self.kind}.", "garbled", request)
        for key, expected in self.types.items():
            if row.get(key) is not None and not isinstance(row[key], expected):
                raise GarbledError(f"{request}: {key} of the {self.kind} cannot be read.", "garbled", request)
        return row

    def get(self, path: str) -> Row:
        """Return the object at a path."""
        answer = self.client.request("GET", path)
        return self.checked(answer.json(), answer.request)

    # Changing

    def ensure(self, desired: View | None, check_mode: bool = False, recreate: bool = False) -> Change:
        """Bring the object to the desired state.

        :param desired: the part of a view that the options set, or None to delete the object. Other settings stay.
        :param check_mode: only predict the change.
        :param recreate: replace an existing object by a new one.
        :raises InputError: if the state is not valid for any manager.
        :raises DragonflyError: if the manager did not reach the state.
        """
        row = self.find()
        before = self.view(row) if row else None
        planned = self._plan(desired, before, recreate)
        if planned == before and not recreate:
            return Change(False, before, before, row)
        if planned is None:
            return self._remove(t.cast(Row, row), before, check_mode)
        self.check(planned, before)
        if check_mode:
            # An updated object keeps its ID. A created object has no ID yet, even if it replaces another.
            return Change(True, before, planned, None if recreate else row)
        row = self._apply(planned, before, row, recreate)
        return Change(True, before, self.view(row), row)

    def _remove(self, row: Row, before: View | None, check_mode: bool) -> Change:
        if check_mode:
            self.check_deletion(row)
        else:
            self._delete(row)
        return Change(True, before, None)

    def _plan(self, desired: View | None, before: View | None, recreate: bool) -> View | None:
        if desired is None:
            return None
        if before is None or recreate:
            return deep_merge(self.new(before), desired)
        return deep_merge(before, desired)

    def _apply(self, planned: View, before: View | None, row: Row | None, recreate: bool) -> Row:
        if row is None or before is None:
            return self.create(planned)
        if not recreate:
            return self.update(row, before, planned)
        self._delete(row)
        try:
            return self.create(planned)
        except DragonflyError as exc:
            exc.message += f" The old {self.kind} was already deleted."
            raise

    def create(self, planned: View) -> Row:
        """Create an object and return it as the manager returns it."""
        return self._write("POST", self.path, self.body(planned, None), planned, self.find)

    def update(self, row: Row, before: View, planned: View) -> Row:
        """Update an object and return it as the manager returns it."""
        path = self._path(row)
        return self._write("PATCH", path, self.body(planned, before), planned, lambda: self.get(path))

    def _delete(self, row: Row) -> None:
        try:
            self.client.request("DELETE", self._path(row))
        except (ApiError, TransportError) as exc:
            if exc.status == 404:
                return
            if not may_be_as_planned(exc) or _read_after(exc, self.find) is not None:
                raise self._explained(exc) from None

    def _write(
        self, method: str, path: str, body: dict[str, t.Any], planned: View, read: t.Callable[[], Row | None]
    ) -> Row:
        """Send an object and read it back.

        :param read: reads the object if the response to the write is lost.
        """
        try:
            answer = self.client.request(method, path, body=body)
        except (ApiError, TransportError) as exc:
            # The response may have been lost, or another client may have done the same concurrently.
            existing = _read_after(exc, read) if may_be_as_planned(exc) else None
            if existing is None or differences(planned, self.view(existing)):
                raise self._explained(exc) from None
            return existing
        row = self.checked(answer.json(), answer.request)
        # The response contains what the manager stored of the body, and not always the rest (contract/*/clusters).
        self._fail_if_not_taken(answer, {key: planned[key] for key in body if key in planned}, row)
        path = self._path(row)
        read_back = poll(
            lambda: self.get(path),
            lambda current: not differences(planned, self.view(current)),
            _STALE_SECONDS,
            _SECONDS_BETWEEN,
            self.clock,
        )
        self._fail_if_not_taken(answer, planned, read_back)
        return self.freshest(row, read_back)

    def _fail_if_not_taken(self, answer: t.Any, planned: View, row: Row) -> None:
        keys = differences(planned, self.view(row))
        if keys:
            raise ApiError(
                f"{answer.request}: the manager responded with {answer.status}, but did not change {', '.join(keys)}. "
                "What to do: remove options that this release does not support, and check whether another program "
                f"changes the same {self.kind}.",
                "not_taken",
                answer.request,
                answer.status,
            )

    def _explained(self, error: DragonflyError) -> DragonflyError:
        if isinstance(error, ApiError):
            for refusal in self.refusals:
                if refusal.message_part in error.answer_text:
                    return error.with_meaning(refusal.reason, refusal.meaning)
        return error

    def _path(self, row: Row) -> str:
        return f"{self.path}/{row['id']}"


def _read_after(error: DragonflyError, read: t.Callable[[], Row | None]) -> Row | None:
    """Return the object after a failed request.

    :raises DragonflyError: the error of that request, if the object cannot be read.
    """
    try:
        return read()
    except DragonflyError:
        raise error from None


def may_be_as_planned(error: DragonflyError) -> bool:
    """Return whether an object may be as planned after a write failed: the response was lost, or another client wrote.

    If two clients write at the same time, the manager sends the second a 409, or a 500 after an error of its database.
    """
    if isinstance(error, ApiError) and (error.status == 409 or error.status >= 500):
        return True
    return may_have_been_applied(error)


def deep_merge(base: dict[str, t.Any], override: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a dict with the values of another dict merged in, recursively. None does not override."""
    merged = dict(base)
    for key, value in override.items():
        if isinstance(value, dict):
            merged[key] = deep_merge(merged.get(key) or {}, value)
        elif value is not None:
            merged[key] = value
    return merged


def differences(planned: dict[str, t.Any], actual: t.Any) -> list[str]:
    """Return the dotted paths of keys whose values differ.

    Null, 0 and empty values count as identical: managers store zero values for what was not sent (contract/*/clusters).

    :param planned: missing keys are not compared.
    :param actual: a value that is not a dict counts as an empty one.
    """
    keys = []
    for key in sorted(planned):
        planned_value = planned[key]
        actual_value = actual.get(key) if isinstance(actual, dict) else None
        if isinstance(planned_value, dict):
            keys += [f"{key}.{name}" for name in differences(planned_value, actual_value)]
        elif not _is_same(planned_value, actual_value):
            keys.append(key)
    return keys


def _is_same(planned: t.Any, actual: t.Any) -> bool:
    return (planned or None) == (actual or None)


def without_empty(values: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a dict without its empty values."""
    return {key: value for key, value in values.items() if value not in (None, "", 0, [], {})}
