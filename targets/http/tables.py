"""What the tables of a target.toml are made of: requests, matchers of answers, places in an answer."""

import re
import warnings
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from targets.http.placeholders import Shape, texts

Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Pause = Annotated[float, Field(ge=0, le=86_400)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=60)]
Status = Annotated[int, Field(ge=100, le=599)]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Texts = dict[str, str]


def as_pattern(text: str) -> str:
    """The text, when it is a regular expression.

    Raises:
        ValueError: when it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what other versions of Python may read in another way
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(as_pattern)]


class Table(BaseModel):
    """Base of all tables."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def exactly_one(table: Table, *names: str) -> None:
    """Refuse a table that gives none of these keys, or several.

    Raises:
        ValueError: naming what was found and what would be right.
    """
    keys = {type(table).model_fields[name].alias or name: getattr(table, name) for name in names}
    given = [key for key, value in keys.items() if value is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise ValueError(f"found {found}, right is exactly one of {', '.join(keys)}")


class RequestTable(Table):
    """A request; texts in it may hold placeholders.

    Args:
        path: below the base URL.
        json_body, form, text: at most one of them is the body.
    """

    method: Method = "POST"
    path: Annotated[str, Field(pattern=r"^/")]
    headers: Texts = {}
    query: Texts = {}
    json_body: Annotated[Shape | None, Field(alias="json")] = None
    form: Texts | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _one_body(self) -> "RequestTable":
        bodies = [
            name
            for name, body in (("json", self.json_body), ("form", self.form), ("text", self.text))
            if body is not None
        ]
        if len(bodies) > 1:
            raise ValueError(f"found {' and '.join(bodies)}, right is one body at most")
        if bodies and self.method == "GET":
            raise ValueError(f"found {bodies[0]} with the method GET, right is query, or another method")
        return self

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """(path of keys, text) of everything in it that may hold placeholders."""
        yield ("path",), self.path
        for name, table in (("headers", self.headers), ("query", self.query), ("form", self.form or {})):
            for key, text in table.items():
                yield (name, key), text
        if self.json_body is not None:
            yield from texts(self.json_body, ("json",))
        if self.text is not None:
            yield ("text",), self.text


class Matcher(Table):
    """Which answers are meant: those to which everything given here applies.

    Args:
        header: name -> value, "*" for any; json_field: dotted path -> value as text, "*" for any.
        text: regular expression that is found in the body.
    """

    status: Annotated[list[Status], Field(min_length=1)] | None = None
    header: Texts = {}
    json_field: Annotated[Texts, Field(alias="json")] = {}
    text: Pattern | None = None

    @model_validator(mode="after")
    def _something(self) -> "Matcher":
        if self.status is None and not self.header and not self.json_field and self.text is None:
            raise ValueError("matches every answer, right is at least one of status, header, json, text")
        return self


class Place(Table):
    """Where in an answer something stands: a header, or a dotted path in its JSON."""

    header: str | None = None
    json_field: Annotated[str | None, Field(alias="json")] = None

    @model_validator(mode="after")
    def _one(self) -> "Place":
        exactly_one(self, "header", "json_field")
        return self
