"""Asks a PostgreSQL database again and again, in a process of its own.

The driver needs an event loop of asyncio, and the process that drives the load has one of another kind. Both talk in
lines of JSON; the process ends when its standard input does, so with whoever started it. Where the database is, and its
password, go through that input and into no list of processes.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg

_LIMIT_S = 10.0


class SqlError(Exception):
    """Raised when the database does not answer the query; the message has no secret in it."""


class SqlRows:
    """A query that is asked as often as somebody wants, in transactions that can only read.

    Args:
        dsn: of the database.

    Attributes:
        columns: their names.

    Raises:
        SqlError: when it cannot be reached, or does not understand the query.
    """

    def __init__(self, dsn: str, query: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "targets.http.sql_rows"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the starter, which still asks at its end
        )
        try:
            self.columns: list[str] = self._ask({"dsn": dsn, "query": query})["columns"]
        except BaseException:
            self.close()
            raise

    def rows(self) -> list[Mapping[str, object]]:
        """All of them as they are now; times as texts.

        Raises:
            SqlError: when the database does not answer.
        """
        rows: list[Mapping[str, object]] = self._ask({})["rows"]
        return rows

    def close(self) -> None:
        """End the process; safe to call twice."""
        if self._process.stdin is not None and self._process.stdout is not None:
            with contextlib.suppress(OSError):  # it is gone already
                self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()

    def _ask(self, question: Mapping[str, str]) -> dict[str, Any]:
        told = ""
        if self._process.stdin is not None and self._process.stdout is not None:
            try:
                self._process.stdin.write(json.dumps(question) + "\n")
                self._process.stdin.flush()
                told = self._process.stdout.readline()
            except (OSError, ValueError) as error:
                raise SqlError(f"the process that asks the database is gone ({error})") from error
        if not told:
            raise SqlError("the process that asks the database is gone")
        answer: dict[str, Any] = json.loads(told)
        if "error" in answer:
            raise SqlError(answer["error"])
        return answer


class _Query:
    def __init__(self, dsn: str, query: str) -> None:
        self._dsn, self._query = dsn, query
        self._connection: asyncpg.Connection | None = None

    async def answer(self, wanted: str) -> dict[str, Any]:
        """The columns or the rows, or why there are none; a connection that was lost is made anew."""
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._dsn,
                    timeout=_LIMIT_S,
                    command_timeout=_LIMIT_S,
                    server_settings={"default_transaction_read_only": "on"},
                )
            statement = await self._connection.prepare(self._query)
            if wanted == "columns":
                return {"columns": [column.name for column in statement.get_attributes()]}
            return {"rows": [dict(row) for row in await statement.fetch()]}
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            return {"error": self._without_secrets(f"{type(error).__name__}: {error}")}

    def _without_secrets(self, text: str) -> str:
        try:
            password = urlsplit(self._dsn).password
        except ValueError:
            password = None
        for secret in filter(None, (self._dsn, password)):
            text = text.replace(secret, "...")
        return text


def _as_text(value: object) -> str:
    """What JSON has no form for; to the microsecond, so that nobody takes a time for a rounded one."""
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def main() -> None:
    """Answer the lines of standard input."""
    loop = asyncio.new_event_loop()
    query: _Query | None = None
    for line in sys.stdin:
        question = json.loads(line)
        wanted = "rows" if query is not None else "columns"
        query = query or _Query(question["dsn"], question["query"])
        print(json.dumps(loop.run_until_complete(query.answer(wanted)), default=_as_text), flush=True)  # noqa: T201 - its tongue


if __name__ == "__main__":
    main()
