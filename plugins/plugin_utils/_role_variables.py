# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find misspelt variables of roles; see ``_variable_values`` for their values."""

from __future__ import annotations

import difflib
import os
import typing as t
from pathlib import Path

import yaml

from ..module_utils._errors import InputError

ROLES_DIRECTORY = Path(__file__).resolve().parents[2] / "roles"
_COLLECTION = "dragonflyoss.dragonfly"
#: Minimum similarity of a suggested name (up to 1), and minimum to prefer it to the same name in another role.
_SIMILAR, _SIMILAR_AS_TYPO = 0.6, 0.85
#: What takes the place of options of the module preheat that the role does not have.
_INSTEAD = {
    "preheat_wait": "The role always waits for its jobs. Limit the time with preheat_wait_timeout.",
    "preheat_expected_ips": (
        "The role expects the addresses of the hosts in its play (preheat_host_ip). To expect others, use the module "
        "dragonflyoss.dragonfly.preheat."
    ),
    "preheat_progress_file": "Only the module dragonflyoss.dragonfly.preheat has the option progress_file.",
}


class Role(t.NamedTuple):
    """The variables of a role.

    :ivar name: name of the role, the prefix of its variables.
    :ivar options: variables that users set.
    :ivar own: variables that the role sets.
    :ivar is_playbook: whether users run it as the playbook of that name.
    """

    name: str
    options: frozenset[str]
    own: frozenset[str]
    is_playbook: bool = False

    @property
    def prefix(self) -> str:
        """Return the prefix of the role's variables."""
        return f"{self.name}_"

    @property
    def title(self) -> str:
        """Return the name that users know."""
        return f"{'playbook' if self.is_playbook else 'role'} {_COLLECTION}.{self.name}"


def read_role(name: str) -> Role:
    """Return the variables of a role of this collection, from its argument specs, its vars and its tasks.

    The options of a private role whose playbook users run begin with the name of the playbook.

    :raises InputError: if the role does not exist.
    """
    directory = ROLES_DIRECTORY / name
    if not (directory / "meta/argument_specs.yml").is_file():
        raise InputError(f"The collection has no role {name!r}.")
    options: set[str] = set()
    for entry_point in _read_yaml(directory / "meta/argument_specs.yml")["argument_specs"].values():
        options.update(entry_point.get("options") or {})
    playbook = name.removeprefix("_")
    is_playbook = name != playbook and (ROLES_DIRECTORY.parent / f"playbooks/{playbook}.yml").is_file()
    own = frozenset(_own_variables(directory))
    return Role(playbook if is_playbook else name, frozenset(options), own, is_playbook)


def _own_variables(directory: Path) -> set[str]:
    own: set[str] = set()
    for name in ("vars/main.yml", "defaults/main.yml"):
        if (directory / name).is_file():
            own.update(_read_yaml(directory / name) or {})
    for path in sorted(directory.glob("tasks/*.yml")):
        own.update(_set_by_tasks(_read_yaml(path)))
    return own


def read_options(name: str) -> dict[str, dict[str, t.Any]]:
    """Return the argument spec of each option of a role."""
    return _read_yaml(ROLES_DIRECTORY / name / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def role_names() -> list[str]:
    """Return the names of all roles of this collection."""
    return sorted(path.parents[1].name for path in ROLES_DIRECTORY.glob("*/meta/argument_specs.yml"))


def _read_yaml(path: Path) -> t.Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506


def _set_by_tasks(tasks: t.Any) -> set[str]:
    """Return the variables that tasks register, set as facts, loop with, or set locally."""
    if isinstance(tasks, list):
        return set().union(*map(_set_by_tasks, tasks))
    names: set[str] = set()
    for key, value in tasks.items() if isinstance(tasks, dict) else ():
        if key in ("register", "index_var", "loop_var"):
            names.add(value)
        elif isinstance(value, dict) and key in ("vars", "ansible.builtin.set_fact"):
            names.update(value)
        else:
            names |= _set_by_tasks(value)
    return names


def variable_problems(
    names: t.Iterable[str], roles: t.Sequence[Role], every_role: t.Iterable[str] = (), ignored: t.Container[str] = ()
) -> list[str]:
    """Return a message for each misspelt variable of a role, sorted by variable.

    A variable belongs to the role with the longest name that it begins with. So does one whose beginning differs from
    that in a single letter, if the rest is the name of an option.

    :param names: names of the variables of a host.
    :param roles: roles to compare with.
    :param every_role: names of all roles, which may begin with the name of another one.
    :param ignored: names that the user allows.
    """
    by_length = sorted({*every_role, *(role.name for role in roles)}, key=len, reverse=True)
    known = set().union(*(role.options | role.own for role in roles))
    unknown = [name for name in sorted(set(names) - known) if name not in ignored]
    return list(filter(None, (_message(name, roles, by_length) for name in unknown)))


def _message(name: str, roles: t.Sequence[Role], by_length: list[str]) -> str | None:
    """Return the message about a variable that no role has, None if it is none of a role.

    :param by_length: names of all roles, the longest first.
    """
    folded = name.lower().replace("-", "_")
    owner = next((role for role in by_length if folded.startswith(f"{role}_")), None)
    if owner is None:
        return _misspelt_prefix(name, folded, roles)
    for role in roles:
        if role.name == owner:
            return _unknown(name, folded[len(role.prefix) :], role, roles)
    return None


def _unknown(name: str, ending: str, role: Role, roles: t.Sequence[Role]) -> str:
    """Return the message for a variable with the prefix of a role.

    :param ending: the name without the prefix.
    """
    message = f"{name} is not a variable of the {role.title}."
    if name in _INSTEAD:
        return f"{message} {_INSTEAD[name]}"
    suggestion = _suggestion(ending, role, roles)
    if suggestion:
        return f"{message} Did you mean {suggestion}?"
    name_of_role = f"_{role.name}" if role.is_playbook else role.name
    return f"{message} See ansible-doc -t role {_COLLECTION}.{name_of_role} for those that it has."


def _suggestion(ending: str, role: Role, roles: t.Sequence[Role]) -> str | None:
    endings = [option[len(role.prefix) :] for option in sorted(role.options)]
    typos = difflib.get_close_matches(ending, endings, n=1, cutoff=_SIMILAR_AS_TYPO)
    if typos:
        return role.prefix + typos[0]
    # What another role has by exactly this name, such as registries, is more likely than what merely sounds alike.
    exact = [other.prefix + ending for other in roles if other.prefix + ending in other.options]
    similar = difflib.get_close_matches(ending, endings, n=1, cutoff=_SIMILAR)
    return next(iter([*exact, *map(role.prefix.__add__, similar)]), None)


def _misspelt_prefix(name: str, folded: str, roles: t.Sequence[Role]) -> str | None:
    for role in roles:
        for option in sorted(role.options):
            ending = option[len(role.name) :]
            if folded.endswith(ending) and _differs_in_one_letter(folded[: -len(ending)], role.name):
                return f"{name} is not a variable of this collection. Did you mean {option}?"
    return None


def _differs_in_one_letter(text: str, other: str) -> bool:
    """Return whether one letter was left out, added, replaced, or swapped with the next one."""
    start = len(os.path.commonprefix([text, other]))
    tail, other_tail = text[start:], other[start:]
    changes = [
        (tail[1:], other_tail),
        (tail, other_tail[1:]),
        (tail[1:], other_tail[1:]),
        (tail[1::-1] + tail[2:], other_tail),
    ]
    return text != other and any(changed == target for changed, target in changes)
