"""The test persons of a target: from a CSV or JSON file, or generated. Who may receive whose documents is a column."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.records import Group
from harness.target import TargetError
from targets.http.models import GenerateTable, PeopleTable
from targets.http.refused import REFUSED, Kinds, Refused

_LONGEST = 200
PERSON, GROUP, RECEIVES_FOR = "person", "group", "receives_for"
_NAMED = frozenset({PERSON, GROUP, RECEIVES_FOR, REFUSED})


class Individual(msgspec.Struct, frozen=True, kw_only=True):
    """One test person.

    Args:
        household: those who share their documents; columns: everything that the file tells of them, as placeholders
            take it.
    """

    person: str
    household: str
    columns: Mapping[str, str]


class People:
    """All test persons, and the groups by which they apply.

    A household shares its documents. Whoever receives for others applies by a group of their own, which has those
    others in it, while the others' groups do not have them: a proxy is a one-way matter.

    Attributes:
        applicants: group -> those who apply by it.
        refused: who has to be refused; None where the file does not say.
        changeable: group -> its applicants, of those groups whose data can be changed: a change may alter the documents
            of the whole household, and has to be known by one group alone.
    """

    def __init__(
        self, individuals: Sequence[Individual], receives_for: Mapping[str, Sequence[str]], refused: Refused | None
    ) -> None:
        self.refused = refused
        self.individuals = {one.person: one for one in individuals}
        households: dict[str, list[str]] = {}
        for one in individuals:
            households.setdefault(one.household, []).append(one.person)
        self.groups: list[Group] = []
        self.applicants: dict[str, tuple[str, ...]] = {}
        for household, members in households.items():
            self._add(household, members, [person for person in members if person not in receives_for])
        for person, others in receives_for.items():
            of_home = households[self.individuals[person].household]
            self._add(f"{person} for {', '.join(others)}", dict.fromkeys([person, *of_home, *others]), [person])
        groups_of: dict[str, set[str]] = {}
        for group, applicants in self.applicants.items():
            for person in applicants:
                groups_of.setdefault(self.individuals[person].household, set()).add(group)
        self.changeable = {
            group: applicants
            for group, applicants in self.applicants.items()
            if len(groups_of[self.individuals[applicants[0]].household]) == 1  # those of one group are of one household
        }
        self.columns = frozenset(name for one in individuals for name in one.columns) - _NAMED

    def __len__(self) -> int:
        return len(self.individuals)

    def _add(self, group: str, persons: Iterable[str], applicants: Sequence[str]) -> None:
        if group in self.applicants:
            raise TargetError(f"found two groups that are called {group!r}, right is another {GROUP} in the file")
        if applicants:
            self.groups.append(Group(group=group, persons=tuple(persons)))
            self.applicants[group] = tuple(applicants)


def read_people(table: PeopleTable, directory: Path, kinds: Kinds) -> People:
    """The people that a target.toml in this directory names, who may apply for these kinds of documents.

    Raises:
        TargetError: saying of which line or person it is, what was found and what would be right.
    """
    if table.generate is not None:
        return People(_generate(table.generate), {}, None)
    path = directory / (table.file or "")
    columns = _by_person(_rows(path), path)
    groups = {person: told.get(GROUP, "").strip() for person, told in columns.items()}
    # Nobody's household is called like a person, for people without one are their own.
    individuals = [
        Individual(person=person, household=groups[person] or f"of {person}", columns=told)
        for person, told in columns.items()
    ]
    alone = {one.household for one in individuals if not groups[one.person]}
    for group in groups.values():
        if group in alone:
            raise TargetError(f"{path}: found the group {group!r}, which somebody without one has; right is another")
    return People(individuals, _receives_for(columns, path), _refused(columns, kinds, path))


def _generate(table: GenerateTable) -> list[Individual]:
    names = [table.person.format(number=number) for number in range(1, table.count + 1)]
    return [
        Individual(person=name, household=f"G{place // table.group_of + 1}", columns={PERSON: name})
        for place, name in enumerate(names)
    ]


def _rows(path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """(line or place, row) of the file."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise TargetError(
            f"{path}: cannot be read: {error.strerror}; right is a CSV or JSON file of test persons"
        ) from error
    except UnicodeDecodeError as error:
        raise TargetError(f"{path}: byte {error.start} is not UTF-8, right is a text file in UTF-8") from error
    except ValueError as error:  # of a name with a NUL in it
        raise TargetError(f"found {str(path)!r}, right is the name of a CSV or JSON file of test persons") from error
    if path.suffix.lower() == ".json":
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise TargetError(f"{path}: is not JSON: {error}") from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise TargetError(f"{path}: right is a list of objects, each with {PERSON}")
        return [(place, row) for place, row in enumerate(rows, 1)]
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        twice = next((name for name in reader.fieldnames if name and reader.fieldnames.count(name) > 1), None)
        if twice is not None:
            raise TargetError(f"{path}: found two columns {twice}, right is each column once")
        return [(reader.line_num, _whole(row, reader.line_num, path)) for row in reader]
    except csv.Error as error:
        raise TargetError(f"{path}: is not CSV: {error}") from error


def _whole(row: dict[Any, Any], line: int, path: Path) -> dict[str, Any]:
    """The row, if each of its cells has a column; spreadsheets may leave empty ones behind it."""
    more = next((cell for cell in row.pop(None, ()) if cell.strip()), None)
    if more is not None:
        raise TargetError(
            f"{path}: row {line} has more cells than there are columns, such as {more!r}; right is one cell, in which "
            "several have ; between them"
        )
    return row


def _by_person(rows: Iterable[tuple[int, Mapping[str, Any]]], path: Path) -> dict[str, dict[str, str]]:
    columns: dict[str, dict[str, str]] = {}
    for place, row in rows:
        for name in row:
            if name not in _NAMED and name.strip().lower() in _NAMED:  # it would be a placeholder, and no rule
                raise TargetError(f"{path}: found the column {name!r}, right is {name.strip().lower()}")
        told = {name: _as_text(value) for name, value in row.items() if value is not None}
        person = told.get(PERSON, "").strip()
        if not person:
            raise TargetError(
                f"{path}: row {place} has no {PERSON}; right is a column {PERSON} with a name in each row"
            )
        if len(person) > _LONGEST:
            raise TargetError(
                f"{path}: row {place}: {PERSON} has {len(person)} characters, right is at most {_LONGEST}"
            )
        if person in columns:
            raise TargetError(f"{path}: row {place} names {person} again; right is each person once")
        columns[person] = told | {PERSON: person}
    if len(columns) < 2:
        raise TargetError(
            f"{path}: found {len(columns)} person(s), right is two at least: who gets whose document takes two"
        )
    return columns


def _receives_for(columns: Mapping[str, Mapping[str, str]], path: Path) -> dict[str, list[str]]:
    found = {}
    for person, told in columns.items():
        others = [name.strip() for name in told.get(RECEIVES_FOR, "").split(";") if name.strip()]
        for other in others:
            if other not in columns:
                raise TargetError(f"{path}: {person} receives for {other}, right is a person of this file")
        if others:
            found[person] = others
    return found


def _refused(columns: Mapping[str, Mapping[str, str]], kinds: Kinds, path: Path) -> Refused | None:
    column = {person: told[REFUSED] for person, told in columns.items() if REFUSED in told}
    try:
        return Refused(column, kinds) if column else None
    except TargetError as error:
        raise TargetError(f"{path}: {error}") from error


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
