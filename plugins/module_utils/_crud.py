# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings one object of the manager to the state that is wanted: find, compare, create, update, delete, read back.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._errors import (
    ApiError,
    DragonflyError,
    GarbledError,
    InputError,
    TransportError,
)
from ansible_collections.dragonflyoss.dragonfly.plugins.module_utils._wait import poll

# For so long a replica of the manager can answer with what it read before (manager-api.md 7, query cache).
_STALE_SECONDS = 35
_SECONDS_BETWEEN = 2


class Change:
    """What was done, or would be done in check mode.

    :ivar changed: bool.
    :ivar before: the object as it was (dict, see ``Crud.view``), None where there was none.
    :ivar after: the object as it is, or would be; None where there is none.
    :ivar row: the object as the manager shows it now (dict), None where there is none or a new one would be made.
    """

    def __init__(self, changed, before, after, row=None):
        self.changed = changed
        self.before = before
        self.after = after
        self.row = row

    def diff(self, title):
        """For Ansible's ``--diff``.

        :param title: what it is about (str).
        """
        return {
            "before_header": title,
            "after_header": title,
            "before": self.before or {},
            "after": self.after or {},
        }


class Crud:
    """One object of the manager. Subclasses say what their kind of object is like.

    :param client: L(DragonflyClient).
    :param path: of the objects, such as ``/oapi/v1/clusters``.
    :param clock: L(Clock).
    """

    #: The kind of object, in words.
    kind = None
    #: Keys of an object to the types that a manager gives them; null is any.
    types = {}
    #: Top-level keys that a manager cannot empty: it takes an empty value for one that was not sent.
    cannot_empty = ("bio",)
    #: What a manager says in its refusals: part of its words, the reason, and what it means.
    refusals = ()

    def __init__(self, client, path, clock):
        self.client = client
        self.path = path
        self.clock = clock

    # What subclasses give

    def find(self):
        """The object as the manager shows it (dict), None where there is none."""
        raise NotImplementedError

    def view(self, row):
        """What can be set of an object (dict): each key always there, one spelling for all releases, no secrets."""
        raise NotImplementedError

    def new(self, before):
        """The view of an object that is made with nothing named.

        :param before: the view of the one whose place it takes, None where there is none.
        """
        raise NotImplementedError

    def body(self, planned, before):
        """What is sent to make or change an object.

        :param before: the view of the object that is changed, None for a new one.
        """
        raise NotImplementedError

    def check(self, planned, before):
        """Refuses what a manager would refuse, ignore or get wrong, before it is sent.

        :raises InputError: if so.
        """
        for key in self.cannot_empty:
            if before and before.get(key) and not planned.get(key):
                raise InputError(f"{key} of the {self.kind} cannot be emptied: the manager would ignore it.")

    def checked(self, row, request):
        """An object as a manager shows it (dict).

        :param request: verb and path, for errors.
        :raises GarbledError: if it is none.
        """
        if not isinstance(row, dict) or not isinstance(row.get("id"), int):
            raise GarbledError(f"{request}: the answer is no {self.kind}.", "garbled", request)
        for key, kind in self.types.items():
            if row.get(key) is not None and not isinstance(row[key], kind):
                raise GarbledError(f"{request}: {key} of the {self.kind} cannot be read.", "garbled", request)
        return row

    def get(self, path):
        """The object at a path, as the manager shows it (dict)."""
        answer = self.client.request("GET", path)
        return self.checked(answer.json(), answer.request)

    # What is done with them

    def ensure(self, wanted, check_mode=False, anew=False):
        """Brings the object to the wanted state.

        :param wanted: what is named of a view (dict), what is not named stays; None: the object is not to be there.
        :param check_mode: only say what would be done.
        :param anew: make it anew even where it is there.
        :returns: L(Change).
        :raises InputError: if it cannot be had.
        :raises DragonflyError: if it was not reached.
        """
        row = self.find()
        before = self.view(row) if row else None
        if wanted is None:
            planned = None
        elif row and not anew:
            planned = overlaid(before, wanted)
        else:
            planned = overlaid(self.new(before), wanted)
        if planned == before and not anew:
            return Change(False, before, before, row)
        if planned is not None:
            self.check(planned, before)
        if check_mode:
            # What is changed keeps its id; one that is made, also in the place of another, has none yet.
            return Change(True, before, planned, None if planned is None or anew else row)
        if planned is None:
            self._delete(row)
            return Change(True, before, None)
        if anew and row:
            self._delete(row)
            row = self._made_after_delete(planned)
        else:
            row = self._update(row, before, planned) if row else self.create(planned)
        return Change(True, before, self.view(row), row)

    def create(self, planned):
        """Makes an object and returns it as the manager shows it."""
        return self._write("POST", self.path, self.body(planned, None), planned, self.find)

    def _made_after_delete(self, planned):
        try:
            return self.create(planned)
        except DragonflyError as exc:
            exc.message += f" The old {self.kind} is deleted already."
            raise

    def _update(self, row, before, planned):
        path = self._path(row)
        return self._write("PATCH", path, self.body(planned, before), planned, lambda: self.get(path))

    def _delete(self, row):
        path = self._path(row)
        try:
            self.client.request("DELETE", path)
        except (ApiError, TransportError) as exc:
            if exc.status == 404:
                return
            if not _unsure(exc) or self._look(self.find, exc) is not None:
                raise self._explained(exc) from None

    def _write(self, method, path, body, planned, look):
        """Sends an object and reads it back.

        :param look: function that reads it again.
        """
        try:
            answer = self.client.request(method, path, body=body)
        except (ApiError, TransportError) as exc:
            # Perhaps the answer was lost, or another did the same at the same time.
            row = self._look(look, exc) if _unsure(exc) else None
            if row is None or differences(planned, self.view(row)):
                raise self._explained(exc) from None
            return row
        row = self.checked(answer.json(), answer.request)
        # The answer holds what was understood of what was sent, and not always the rest (contract/*/clusters).
        sent = {key: planned[key] for key in body if key in planned}
        self._fail_if_other(answer, sent, self.view(row))
        path = self._path(row)
        seen = poll(
            lambda: self.get(path),
            lambda one: not differences(planned, self.view(one)),
            _STALE_SECONDS,
            _SECONDS_BETWEEN,
            self.clock,
        )
        self._fail_if_other(answer, planned, self.view(seen))
        return self.read(row, seen)

    def read(self, answered, seen):
        """The object that counts, of the one in the answer to the write and the one that was read back."""
        return seen

    def _fail_if_other(self, answer, planned, view):
        other = differences(planned, view)
        if other:
            raise ApiError(
                f"{answer.request}: the manager answered {int(answer.status)}, but did not take "
                f"{', '.join(other)}. What to do: leave out what this release does not know, and see whether "
                f"something else sets the same {self.kind}.",
                "not_taken",
                answer.request,
                answer.status,
            )

    @staticmethod
    def _look(look, error):
        try:
            return look()
        except DragonflyError:
            raise error from None

    def _explained(self, error):
        words = getattr(error, "words", "")
        for part, reason, meaning in self.refusals:
            if part in words:
                message = f"{error.message} This means: {meaning}."
                return ApiError(message, reason, error.request, error.status, words)
        return error

    def _path(self, row):
        return f"{self.path}/{int(row['id'])}"


def _unsure(error):
    """Whether the manager may have done what was asked, by this request or by another's."""
    if isinstance(error, TransportError):
        return error.sent
    return error.status == 409 or error.status >= 500


def overlaid(base, over):
    """A dict with the values of another put over it, dicts in it likewise. None counts as not named."""
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, dict):
            result[key] = overlaid(result.get(key) or {}, value)
        elif value is not None:
            result[key] = value
    return result


def differences(wanted, seen):
    """Keys, with dots where they are in dicts, whose values differ. Nothing, 0 and empty are the same (manager-api T7).

    :param wanted: dict; keys that it lacks do not count.
    :param seen: dict; anything else is none.
    """
    found = []
    for key in sorted(wanted):
        value, other = wanted[key], seen.get(key) if isinstance(seen, dict) else None
        if isinstance(value, dict):
            found += [f"{key}.{name}" for name in differences(value, other)]
        elif (value or None) != (other or None):
            found.append(key)
    return found


def without_empty(value):
    """A dict without what is empty in it."""
    return {key: one for key, one in value.items() if one not in (None, "", 0, [], {})}
