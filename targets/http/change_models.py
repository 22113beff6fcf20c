"""The tables of a target.toml that tell how changes are made, and how sync runs are known."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from targets.http.sync_times import read_zone
from targets.http.tables import Matcher, Method, Name, Pattern, Place, RequestTable, Seconds, Table, Texts, exactly_one

Value = Annotated[str, Field(pattern=r"^[^{}]*\{number(:0?\d{1,2})?\}[^{}]*$", max_length=200)]
Uncertainty = Annotated[float, Field(ge=0, le=86_400)]


def _as_zone(text: str) -> str:
    read_zone(text)
    return text


Zone = Annotated[str, AfterValidator(_as_zone)]


class AcknowledgedTable(Matcher):
    """The question that is asked again and again until its answer matches: then the change is synchronised.

    Args:
        path: below the base URL; location: where the accepting answer says to ask.
        headers: those of the change itself where none are given.
        every_s: pause between two questions; within_s: after that long nobody asks any more.
    """

    path: Annotated[str, Field(pattern=r"^/")] | None = None
    location: Place | None = None
    headers: Texts | None = None
    every_s: Seconds = 0.1
    within_s: Seconds = 30.0

    @model_validator(mode="after")
    def _one_place(self) -> "AcknowledgedTable":
        exactly_one(self, "path", "location")
        return self


class ChangeTable(RequestTable):
    """A kind of change; texts in its request may hold placeholders.

    Args:
        weight: how often it is made beside the others.
        values: patterns with {number}, which is new in every change; {value:NAME} takes them.
        accepted: the answers that accept a change; acknowledged: without it they acknowledge it, too.
    """

    weight: Annotated[float, Field(gt=0)] = 1.0
    values: dict[Name, Value] = {}
    accepted: Matcher = Matcher(status=[200, 201, 202, 204])
    acknowledged: AcknowledgedTable | None = None


class SyncFromChanges(Table):
    """Nothing is known of sync runs but their outside: one lasts from sending a change until it is acknowledged."""

    source: Annotated[Literal["changes"], Field(alias="from")]


class SyncFields(Table):
    """Where in one sync run's object things stand, as dotted paths.

    Args:
        begin_at, applied_at, acknowledged_at, end_at: times, ISO 8601 or Unix seconds.
        applied: the ids of the changes that it brought in.
    """

    sync_run: str
    begin_at: str
    applied_at: str | None = None
    acknowledged_at: str | None = None
    end_at: str | None = None
    applied: str | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> "SyncFields":
        if self.end_at is None and self.applied_at is None:
            raise ValueError("lacks both end_at and applied_at, right is one of them: else nobody knows its length")
        return self


FIELDS = frozenset(SyncFields.model_fields)


class TimedTable(Table):
    """Sync runs whose times the service tells by its clock on the wall.

    Args:
        clock_uncertainty_s: by how much that clock may differ from the one of this machine.
        zone: of times that name none, such as +09:00.
    """

    clock_uncertainty_s: Uncertainty = 0.0
    zone: Zone | None = None


class SyncFromEndpoint(TimedTable):
    """A list of sync runs in JSON, asked for about once a second; `at` is its dotted path, without it the whole."""

    source: Annotated[Literal["endpoint"], Field(alias="from")]
    path: Annotated[str, Field(pattern=r"^/")]
    method: Method = "GET"
    headers: Texts = {}
    at: str | None = None
    fields: SyncFields


class SyncFromLog(TimedTable):
    """A file that grows: regular expressions whose named groups are the names of `SyncFields`."""

    source: Annotated[Literal["log"], Field(alias="from")]
    file: Annotated[str, Field(min_length=1)]
    lines: Annotated[list[Pattern], Field(min_length=1)]

    @field_validator("lines")
    @classmethod
    def _named(cls, lines: list[str]) -> list[str]:
        groups = [re.compile(line).groupindex.keys() for line in lines]
        known = ", ".join(SyncFields.model_fields)
        for line, names in zip(lines, groups, strict=True):
            unknown = sorted(names - FIELDS)
            if unknown:
                raise ValueError(f"found the group {unknown[0]}, right is one of {known}")
            if "sync_run" not in names or len(names) < 2:
                raise ValueError(f"found {line!r}, right is the group sync_run and at least one of the others: {known}")
        told = frozenset().union(*groups)
        if "begin_at" not in told or not {"end_at", "applied_at"} & told:
            raise ValueError("right are the groups begin_at, and end_at or applied_at, each in one of the lines")
        return lines


class SyncFromSql(TimedTable):
    """A query whose rows are sync runs and whose columns are named like `SyncFields`; asked about once a second."""

    source: Annotated[Literal["sql"], Field(alias="from")]
    dsn: Annotated[str, Field(min_length=1)]
    query: Annotated[str, Field(min_length=1)]


SyncTable = Annotated[SyncFromChanges | SyncFromEndpoint | SyncFromLog | SyncFromSql, Field(discriminator="source")]
SYNC_TABLES = {"changes": SyncFromChanges, "endpoint": SyncFromEndpoint, "log": SyncFromLog, "sql": SyncFromSql}
