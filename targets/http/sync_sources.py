"""Where a described service tells of its sync runs: an endpoint, a log, a database; asked about once a second."""

import http.client
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from harness.exchange import send
from harness.records import SyncRun
from harness.target import TargetError
from targets.growing_log import GrowingLog
from targets.http.answers import Received, value_at
from targets.http.certificates import ca_file_of
from targets.http.change_models import FIELDS, SyncFromEndpoint, SyncFromLog, SyncFromSql, TimedTable
from targets.http.models import Description
from targets.http.placeholders import fill
from targets.http.requests import make_request
from targets.http.sql_rows import SqlError, SqlRows
from targets.http.sync_times import WallClock, read_zone
from targets.http.sync_told import TIMES, SyncRunsTold, Version
from targets.http.tables import RequestTable

Row = Mapping[str, object]


class SourceError(Exception):
    """Raised when a source of sync runs does not answer, or not in the form in which it was described."""


class Rows(Protocol):
    """One of the sources."""

    def new(self) -> Iterable[Row]:
        """What it tells now, by the names of `SyncFields`; what it told before may come again.

        Raises:
            SourceError: when it cannot be asked.
        """

    def close(self) -> None:
        """Ask no more."""


class SyncRuns:
    """The sync runs of a service that tells of them.

    Args:
        secrets: `secret:NAME` -> its value; tell: makes the message about a key of the description.
        version_of: see `SyncRunsTold`; directory: of the target.toml.

    Attributes:
        tells_applied: whether they tell which changes they brought in, and so acknowledge them.

    Raises:
        TargetError: when the source cannot be asked; it is asked at once, and what it tells then is none of this run.
    """

    def __init__(
        self,
        described: Description,
        table: TimedTable,
        *,
        secrets: Mapping[str, str],
        directory: Path,
        version_of: Callable[[str], Version | None],
        tell: Callable[[tuple[str, ...], str], str],
    ) -> None:
        zone = None if table.zone is None else read_zone(table.zone)
        self._clock = WallClock(table.clock_uncertainty_s)
        where = "path"
        try:
            match table:
                case SyncFromEndpoint():
                    wanted = frozenset(name for name, path in table.fields if path is not None)
                    self._rows: Rows = _Endpoint(described, table, secrets, ca_file_of(described.service, directory))
                case SyncFromLog():
                    where = "file"
                    wanted = frozenset().union(*(re.compile(line).groupindex for line in table.lines))
                    self._rows = _Log(table, directory)
                case SyncFromSql():
                    where = "query"
                    self._rows = sql = _Sql(table, fill(table.dsn, secrets))
                    wanted = sql.columns
                case _:
                    raise AssertionError("this should never happen, because there are three sources that tell times")
            self.tells_applied = "applied" in wanted
            self._told = SyncRunsTold(self._clock, wanted & {*TIMES}, version_of, zone)
            try:
                self._look()
            except BaseException:
                self._rows.close()
                raise
        except SourceError as error:
            raise TargetError(tell(("sync", where), str(error))) from error
        self._told.forget()

    def new(self, *, rest: bool) -> Iterator[SyncRun]:
        """Those that have become whole.

        Raises:
            SourceError: when the source cannot be asked the last time; before that it is asked again.
            ValueError, harness.clock.ClockError: for times that cannot be read, or compared.
        """
        try:
            self._look()
        except SourceError:
            if rest:
                yield from self._told.new(rest=rest)
                raise
        yield from self._told.new(rest=rest)

    def close(self) -> None:
        """Ask no more."""
        self._rows.close()

    def _look(self) -> None:
        self._clock.look()
        for row in self._rows.new():
            self._told.take(row)


class _Endpoint:
    def __init__(
        self, described: Description, table: SyncFromEndpoint, secrets: Mapping[str, str], ca_file: Path | None
    ) -> None:
        request = RequestTable(method=table.method, path=table.path, headers=table.headers)
        self._request = make_request(request, described.service.base_url, secrets)
        self._place = described.service.base_url.rstrip("/") + table.path  # as it is described, without secrets
        self._timeout_s = described.service.timeout_s
        self._ca_file = ca_file
        self._table = table

    def new(self) -> Iterator[Row]:
        try:
            received = Received(*send(self._request, timeout_s=self._timeout_s, ca_file=self._ca_file))
        except (OSError, http.client.HTTPException) as error:
            raise SourceError(f"{self._place} does not answer ({error}); right is a list of sync runs") from error
        found = received.json if self._table.at is None else value_at(received.json, self._table.at)
        if received.status != 200 or not isinstance(found, list):
            place = f" at {self._table.at}" if self._table.at is not None else ""
            text = f"answered with status {received.status} and no list{place}; right is 200 with a list of sync runs"
            raise SourceError(f"{self._place} {text}")
        for one in found:
            yield {name: value_at(one, path) for name, path in self._table.fields if path is not None}

    def close(self) -> None:
        pass


class _Log:
    def __init__(self, table: SyncFromLog, directory: Path) -> None:
        path = directory / table.file
        self._patterns = [re.compile(line) for line in table.lines]
        try:
            self._log = GrowingLog(path, lambda line: line.decode(errors="replace"), path.stat().st_size)
        except OSError as error:
            text = f"{path} cannot be read: {error.strerror}; right is a log to which the service appends"
            raise SourceError(text) from error

    def new(self) -> Iterator[Row]:
        try:
            for line in self._log.new():
                for pattern in self._patterns:
                    match = pattern.search(line)
                    if match is not None:
                        yield match.groupdict()
        except OSError as error:
            raise SourceError(f"the log of sync runs cannot be read: {error.strerror}") from error

    def close(self) -> None:
        pass


class _Sql:
    def __init__(self, table: SyncFromSql, dsn: str) -> None:
        try:
            self._rows = SqlRows(dsn, table.query)
        except SqlError as error:
            raise SourceError(str(error)) from error
        self.columns = frozenset(self._rows.columns) & FIELDS
        if not {"sync_run", "begin_at"} <= self.columns or not {"end_at", "applied_at"} & self.columns:
            self._rows.close()
            found = ", ".join(self._rows.columns)
            raise SourceError(f"found the columns {found}; right are sync_run, begin_at, and end_at or applied_at")

    def new(self) -> Iterable[Row]:
        try:
            return self._rows.rows()
        except SqlError as error:
            raise SourceError(str(error)) from error

    def close(self) -> None:
        self._rows.close()
