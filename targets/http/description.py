"""Reads a target.toml: everything that is wrong with it is told at once, each with its line, its key and the cure."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.target import TargetError
from targets.http.certificates import certificate_complaints
from targets.http.change_checks import change_complaints, change_requests
from targets.http.change_models import SYNC_TABLES
from targets.http.fingerprints import complaints as fingerprint_complaints
from targets.http.lines import line_of
from targets.http.models import Description
from targets.http.people import People, read_people
from targets.http.placeholders import PlaceholderError, check, names_of
from targets.http.requests import is_sendable
from targets.http.safety import complaints
from targets.http.tables import RequestTable

APPLICATION = frozenset({"person", "group", "kind", "options", "nonce", "application", "attempt"})
_NO_NONCE = (
    "lacks the placeholder {nonce}; right is to send it somewhere, such as in a header, so that a second print can be "
    "told from a request that the client sent twice"
)
_NO_HEADER = "which no header can carry; right is to send it in json or form"
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_MOST = 1_000_000  # bytes of a file that somebody wrote by hand

Path_ = tuple[str | int, ...]


class Source:
    """A target.toml as it was read: the description, the people, and where things stand in it.

    Raises:
        TargetError: one line for each thing wrong.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = _read(path)
        try:
            table = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise TargetError(f"{path}: is not TOML: {error}") from error
        except (RecursionError, ValueError) as error:  # nested too deeply; a number of thousands of digits
            raise TargetError(f"{path}: is not TOML that can be read: {error}") from error
        try:
            self.description = Description.model_validate(table)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
            raise TargetError("\n".join(dict.fromkeys(self.tell(*_explain(one)) for one in found))) from error
        except RecursionError as error:
            raise TargetError(
                f"{path}: is nested too deeply; right are tables as docs/own-service.md shows them"
            ) from error
        self.people = self._read_people()
        problems = [
            *self._placeholders(),
            *self._unsendable(),
            *certificate_complaints(self.description.service, self.path.parent),
            *complaints(self.description, self.people),
            *change_complaints(self.description, self.people),
            *fingerprint_complaints(self.description.fingerprint, self.people),
        ]
        if problems:
            raise TargetError("\n".join(self.tell(*problem) for problem in problems))

    def tell(self, where: Path_, text: str) -> str:
        """One line about a key: file, line, key, what was found and what would be right."""
        line = line_of(self._text, where)
        key = ".".join(map(str, where))
        return f"{self.path}{f':{line}' if line else ''}: {f'{key}: ' if key else ''}{text}"

    def _read_people(self) -> People:
        table = self.description.people
        try:
            kinds = {name: kind.options for name, kind in self.description.kinds.items()}
            return read_people(table, self.path.parent, kinds)
        except TargetError as error:
            raise TargetError(
                self.tell(("people", "file" if table.file is not None else "generate"), str(error))
            ) from error

    def check_secrets(self, secrets: Mapping[str, str]) -> None:
        """Refuse secrets that HTTP has no way to send where they are wanted.

        Args:
            secrets: placeholder -> its value.

        Raises:
            TargetError: naming the secret, never what it is.
        """
        for where, text in self._headers():
            bad = next((name for name in sorted(names_of(text)) if not is_sendable(secrets.get(name, ""))), None)
            if bad is not None:
                raise TargetError(self.tell(where, f"{{{bad}}} is no Latin text, {_NO_HEADER}"))

    def _headers(self) -> Iterator[tuple[Path_, str]]:
        """(key, text) of every header."""
        described = self.description
        requests: list[tuple[Path_, object]] = [
            (("application",), described.application),
            (("login",), described.login),
            (("service", "version"), described.service.version),
            *((where, request) for where, request, _ in change_requests(described, self.people)),
        ]
        for place, request in requests:
            if isinstance(request, RequestTable):
                for header, text in request.headers.items():
                    yield (*place, "headers", header), text

    def _unsendable(self) -> Iterator[tuple[Path_, str]]:
        """Headers whose text HTTP has no way to send."""
        for where, text in self._headers():
            if not _HEADER.fullmatch(str(where[-1])):
                yield where, "is no name of a header; right is such as X-Request-Id"
            if not is_sendable(text):
                yield where, f"found {_shown(text)}, right is Latin text without line breaks"
            used = names_of(text)
            for person, one in self.people.individuals.items():
                columns = {"group": one.household, **one.columns}
                bad = next((column for column in used if not is_sendable(columns.get(column, ""))), None)
                if bad is not None:
                    yield where, f"{{{bad}}} of {person} is {_shown(columns[bad])}, {_NO_HEADER}"
                    break

    def _missing(self, where: Path_, request: RequestTable) -> Iterator[tuple[Path_, str]]:
        """Columns that not everybody has."""
        for place, text in request.texts():
            for column in sorted(names_of(text) & self.people.columns):
                who = next((one.person for one in self.people.individuals.values() if column not in one.columns), None)
                if who is not None:
                    yield (*where, *place), f"{{{column}}}: {who} has none; right is one for each person"

    def _placeholders(self) -> Iterator[tuple[Path_, str]]:
        """Every text with a placeholder that will never have a value, and what no service could be asked without."""
        described = self.description
        secrets = {f"secret:{name}" for name in described.secrets}
        options = {f"option:{name}" for kind in described.kinds.values() for name in kind.options}
        columns = self.people.columns
        token = {"token"} if described.login is not None and described.login.token is not None else set()
        of_application = APPLICATION | secrets | options | columns | token
        requests: list[tuple[Path_, RequestTable | None, Collection[str]]] = [
            (("application",), described.application, of_application),
            (("login",), described.login, (APPLICATION | secrets | columns) - {"options"}),
            *change_requests(described, self.people),
        ]
        version = described.service.version
        if isinstance(version, RequestTable):
            requests.append((("service", "version"), version, secrets))
        for where, request, known in requests:
            if request is not None:
                yield from _of_request(where, request, known)
                yield from self._missing(where, request)
        used = {name for text in described.application.texts() for name in names_of(text[1])}
        if not {"nonce"} <= used and not {"application", "attempt"} <= used:
            yield ("application",), _NO_NONCE
        if described.login is not None:
            used |= {name for text in described.login.texts() for name in names_of(text[1])}
        if not {"person", *columns} & used:
            yield (
                ("application",),
                "lacks {person} or a column of the people; right is to say whose document is asked for",
            )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise TargetError(f"{path}: is larger than {_MOST} bytes; right is a target.toml that a person wrote")
        return data.decode()
    except OSError as error:
        raise TargetError(f"{path}: cannot be read: {error.strerror}; name a target.toml") from error
    except UnicodeDecodeError as error:
        raise TargetError(f"{path}: byte {error.start} is not UTF-8, in which TOML is written") from error


def _of_request(where: Path_, request: RequestTable, known: Collection[str]) -> Iterator[tuple[Path_, str]]:
    for place, text in request.texts():
        try:
            check(text, known)
        except PlaceholderError as error:
            yield (*where, *place), str(error)


def _explain(error: ErrorDetails) -> tuple[Path_, str]:
    """Where it is, and what was found and would be right."""
    where = _place(error["loc"])
    kind, found = error["type"], error["input"]
    if kind == "extra_forbidden":
        return where, f"no such key, {_nearest(str(where[-1]), _keys_at(error['loc'][:-1]))}"
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        told = found.get("from") if isinstance(found, dict) else found
        return (*where, "from"), f"found {_shown(told)}, right is one of {', '.join(SYNC_TABLES)}"
    if kind == "missing":
        return where, "is missing; it has to be there"
    if kind == "value_error":
        return where, error["msg"].removeprefix("Value error, ")
    return where, f"found {_shown(found)}, right is: {error['msg'][0].lower()}{error['msg'][1:]}"


def _place(where: Path_) -> Path_:
    """The path of keys, without the names of the forms that a value may have."""
    if where[:2] == ("service", "version") and len(where) > 2:
        return (*where[:2], *where[3:])
    if where[0] == "sync":
        return where[:1] + where[2:]
    if "json" in where and (where[0] in {"application", "login"} or where[2:3] == ("json",)):
        return where[: where.index("json") + 1]
    return tuple(part for part in where if part != "[key]")


def _keys_at(where: Path_) -> list[str]:
    """The keys that the table at this place knows."""
    model: Any = Description
    if where[0:1] == ("sync",) and len(where) > 1:
        model, where = SYNC_TABLES[str(where[1])], where[2:]
    for part in where:
        fields: Mapping[str, Any] = getattr(model, "model_fields", {})
        field = next((one for name, one in fields.items() if part in {name, one.alias}), None)
        model = _model_in(field.annotation) if field is not None else model
    return [field.alias or name for name, field in getattr(model, "model_fields", {}).items()]


def _model_in(annotation: Any) -> Any:
    """The model that an annotation is about: itself, of a union, or of the values of a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for one in getattr(annotation, "__args__", ()) if (model := _model_in(one)) is not None), None)


def _nearest(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, 1)
    return f"the nearest is {near[0]}" if near else f"right is one of {', '.join(names)}" if names else "right is none"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
